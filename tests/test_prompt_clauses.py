"""Who a clause is about: pronouns nobody was named for, ellipsis, what somebody does besides, parts of a thing,
places told before, requests. Each table is one structure; the form is that of `test_prompt_structures`."""

from __future__ import annotations

from test_prompt_structures import check, each_line

from foleyspace.prompt import read_prompt

PRONOUNS_AS_SOURCES = """
He coughs on the left, she sighs on the right. | man:90 woman:-90
She types in front, him snoring behind on the right. | woman:0 man:-135
She walks from left to right. | woman:90>-90
A waiter sings on the left; he then walks to the right. | waiter:90>-90
"""
ELLIPSIS = """
One racing car goes from left to right, another one from right to left. | car:90>-90 car:-90>90
Anna sits to the left of the fire, Ben to the right, and the fire is in front. | anna:30 ben:-30 fire:0
The birds in the tree to my left sing, those in the hedge to my right chirp. | bird:90 bird:-90
The sound of keys comes from the left, that of coins from the right. | key:90 coin:-90
Two owls: the female calls from the left, the male from the right. | owl:90 owl:-90
Two sisters: the elder at 10 o'clock, the younger at 2 o'clock. | sister:60 sister:-60
Speakers at -40, 0 and 40 degrees | speaker:-40 speaker:0 speaker:40
"""
WHAT_SOMEBODY_DOES_BESIDES = """
A maid stands on the left, pouring tea; a clock ticks on the right. | maid:90 clock:-90
On the left a man holding an umbrella whistles. | man:90
A boy, kicking a can, walks from right to left. | boy:-90>90
A man on my right clears his throat and a woman on my left laughs. | man:-90 woman:90
The one on the left sells fish, a drummer on the right plays. | sound:90 drum:-90
A parrot, which belonged to a pirate, squawks over my right shoulder. | parrot:-135
A tram comes in from the left, stops in front of me, lets people off, and leaves to the right. | tram:90>-90
A woman walks up to me from the left rear and whispers in my left ear. | woman:135>90
my grandad's pocket watch, held against my left ear. That's all. | watch:90
"""
PARTS_AND_PLACES_TOLD_BEFORE = """
An ambulance races past from left to right, siren wailing. | ambulance:90>-90
A tap drips on my right. Under it a bucket rattles. | tap:-90 bucket:-90
There's a cafe on the left. Cups rattle in it. | cup:90
A creeper hisses behind me and then its footsteps go left. | creeper:180 footstep:180>90
A dog barks on the left and a fly circles the dog. | dog:90 fly:90
"""
SCRIPTS_REQUESTS_AND_ANGLES = """
The horse enters frame left, exits frame right. | horse:90>-90
Turn your attention to the bell, high above you and slightly to the right. | bell:-20
Focus on the singer, dead centre. Rain on the left. | singer:0 rain:90
can the sniper be at 1 o clock and the drummer at 9 o clock | sniper:-30 drummer:90
A noise burst at 90 degrees clockwise from the front. | noise:-90
tv on the left, radio on the right, me in the middle | tv:90 radio:-90
R2 beeps on the left, S1 hums on the right | r2:90 s1:-90
Chorus left and right; soloist centre. | chorus:90 chorus:-90 soloist:0
To my left a tap drips, and to my right, about four metres off, somebody is snoring. | tap:90 person:-90
The elephant was on the right but now it's on the left. | elephant:-90>90
The lawnmower goes from front to back on the left. | lawnmower:45>135
A cow passes from the rear to ahead on the left. | cow:180>45
"""


@each_line(
    PRONOUNS_AS_SOURCES
    + ELLIPSIS
    + WHAT_SOMEBODY_DOES_BESIDES
    + PARTS_AND_PLACES_TOLD_BEFORE
    + SCRIPTS_REQUESTS_AND_ANGLES
)
def test_clause(line: str) -> None:
    check(line)


def test_up_and_down_a_road_is_no_height() -> None:
    source = read_prompt("A guard is pacing up and down on the left.", 5.0).scene.sources[0]
    assert abs(source.xyz[:, 2]).max() < 0.01
