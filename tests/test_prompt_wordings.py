"""Wordings of many hands: who is heard where predicates, brackets, pronouns and lines of tables tell it in a way
of their own. Each table is one structure."""

from __future__ import annotations

import pytest
from test_prompt_structures import check, each_line

from foleyspace.errors import InputError
from foleyspace.prompt import read_prompt

PREDICATES_NO_LIST_HAS = """
Two men lug a piano from the left to the right. | men:90>-90
A barista grinds beans on the left and froths milk. | barista:90
A tank rolls in from behind, crushes a wall, and stops dead ahead. | tank:180>0
The lift dings in front of me and heels approach from the right. | lift:0 heels:-90
steam train chuffs past, right to left, stationmasters wistle straight ahead | steam:-90>90 stationmasters:0
A dog on the left, gizmos on the right | dog:90 gizmos:-90
Fridge hum to the right of the sink, sink dripping at 30 degrees right. | fridge:-60 sink:-30
Lay in the helicopter on the left and drop in a whistle on the right | helicopter:90 whistle:-90
Turn on the espresso machine at 10 o'clock. | espresso:60
The upstairs neighbour drops something above me to the left. | neighbour:90
An explosion goes off behind us to the left. | explosion:135
Boss roars dead ahead, minions chatter left and right. | boss:0 minion:90 minion:-90
"""
THE_VERB_BEFORE_THE_SUBJECT = """
Behind me sings a woman. | woman:180
From the left came the clop of hooves. | hooves:90
On the right rattles a tram. | tram:-90
The one yelling in the middle is the babysitter. | babysitter:0
The sound on the left is a kettle. | kettle:90
"""
BRACKETS = """
(-30) flute; (30) oboe | flute:-30 oboe:30
(45°, left) a drum, (45°, right) a cymbal | drum:45 cymbal:-45
(az 30, el 0) cello; (az -60, el 0) viola | cello:30 viola:-60
owl (60°, 30°) | owl:60
On the left (2 m) a printer, on the right (5 m) a copier | printer:90 copier:-90
owl (left, high), fox (right, low), wolf (behind, far) | owl:90 fox:-90 wolf:180
A bottle rolls across the deck from port (left) to starboard (right). | bottle:90>-90
"""
TABLES = """
{"sound": "owl", "position": "left"} | owl:90
EVENT arrow_whoosh: path=right->left, dur=2s | arrow:-90>90
emitter=bird az=60 el=0; emitter=car az=-120 el=0 dist=10 | bird:60 car:-120
owl, left, far; fox, right, near | owl:90 fox:-90
FX 02 - CHOPPER BY, L-R, OVERHEAD | chopper:90>-90
left -> owl, right -> fox | owl:90 fox:-90
#1 owl - left - 3m #2 fox - right - 8m | owl:90 fox:-90
Who's on the left? An owl. Who's on the right? A fox. | owl:90 fox:-90
INT. SUBWAY - DAY. The train screeches in front. A busker plays sax at frame right. | train:0 sax:-90
Kids' party. Clown honks to the left; balloon pops at 12 o'clock. | clown:90 balloon:0
footsteps: start az 90, end az -90, 6 s | footstep:90>-90
"""
HEIGHTS_IN_ONE_MOTION = """
A balloon rises from the floor on the left to the ceiling on the right. | balloon:90>-90
A drone flies from low on the left to high on the right. | drone:90>-90
A bird flies from high on the left down to the ground on the right. | bird:90>-90
A marble rolls down from top left to bottom right. | marble:90>-90
A squirrel climbs from the ground up to above my head on the left. | squirrel:90>90
A frog croaks below and to the right as an owl hoots above and to the left. | frog:-90 owl:90
"""
PRONOUNS_AND_PARTS_OF_GROUPS = """
A dog trots from left to right and its owner whistles behind me. | dog:90>-90 owner:180
Somewhere behind her a floorboard creaked. | floorboard:180
The blacksmith hammers on the right; his apprentice pumps the bellows to the left of him. | blacksmith:-90 apprentice:-60
A fire engine races by from the right to the left with its siren on. | fire:-90>90
Two trucks idle on the left; one of them drives off to the right. | truck:90>-90 truck:90
Two birds sing, the nearer one on the left and the farther one on the right. | bird:90 bird:-90
Imagine two clocks, the louder on the left, the softer on the right. | clock:90 clock:-90
Two people argue: he is front left, she is front right. | man:45 woman:-45
There are three people. Anna is on my left, Ben sits in front of me, and Carla is on my right. | anna:90 ben:0 carla:-90
A horse and a cow are in front of me. The horse then moves to the left. | horse:0>90 cow:0
Two cars idle, one on the left and the other behind us. At 4 s the second one drives past us to the front. | car:90 car:180>0
The violin is closer than the cello, both of them on the left. | violin:90 cello:90
Two maskers at +60° and -60°, one target in front | masker:60 masker:-60 target:0
The left loudspeaker plays the guitar and the right one plays the bass. | guitar:90 bass:-90
A jogger waves on the left, joined after 5 seconds by a cyclist on the right. | jogger:90 cyclist:-90
Bees at 10 and 2 o'clock | bee:60 bee:-60
my ball goes boing on the left then boing on the right | ball:90>-90
"""
PLACES_BY_OTHERS_AND_BY_NEGATION = """
The cello is at 30 degrees left and the oboe is at the same angle to the right. | cello:30 oboe:-30
A radio plays on the left; a man approaches the radio from the right. | radio:90 man:-90>90
A robot walks from the right toward the generator humming on the left. | robot:-90>90 generator:90
A fountain splashes directly opposite the door, which is on the left. | fountain:-90
The baby isn't crying on the left but on the right. | baby:-90
Not the violin but the viola is on the left. | viola:90
Neither left nor right but dead ahead, a gong sounds. | gong:0
Guitar on the left? No, make it right. | guitar:-90
church organ: 11 to 1 o'clock, 20 m | organ:0
In one ear a metronome, in the other a heartbeat. | metronome:90 heartbeat:-90
Listen to the rain on the left, the fire on the right and the clock in between. | rain:90 fire:-90 clock:0
Right, so, what I need is the parrot on the left. | parrot:90
"""
WAYS_AND_THEIR_ENDS = """
dragon_flyby: starts front left, ends back right | dragon:45>-135
A bird starts on the right, hops to the centre, and ends on the left. | bird:-90>90
A dog runs around me, from the left, behind me, to the right. | dog:90>-90
A cyclist overtakes me on the left. | cyclist:135>45
The tone sweeps from +90 to -90 degrees. | tone:90>-90
The saxophone solo wanders from the centre to the right, then back to the centre. | saxophone:0>0
A wave crashes in from the right and washes out to the left. | wave:-90>90
The waves roll in from the left and break in front of me. | waves:90>0
A boat drifts slowly rightwards. | boat:0>-90
The getaway car speeds off from right in front of me into the distance. | car:0>0
"""


@each_line(
    PREDICATES_NO_LIST_HAS
    + THE_VERB_BEFORE_THE_SUBJECT
    + BRACKETS
    + TABLES
    + HEIGHTS_IN_ONE_MOTION
    + PRONOUNS_AND_PARTS_OF_GROUPS
    + PLACES_BY_OTHERS_AND_BY_NEGATION
    + WAYS_AND_THEIR_ENDS
)
def test_wording(line: str) -> None:
    check(line)


def test_lines_of_small_letters_are_a_list() -> None:
    check("owl, left, far\nfox, right, near | owl:90 fox:-90")


def test_what_only_stands_there_is_not_heard() -> None:
    labels = [
        source.label
        for source in read_prompt("A bell rings opposite the door, which is on the left.", 5.0).scene.sources
    ]
    assert labels == ["bell ringing"]


@pytest.mark.parametrize(
    "text",
    [
        "turret: left AND right, single emitter",
        "a dog -5 m away",
        "a kettle very close and far away on the left",
    ],
)
def test_one_sound_is_in_one_place(text: str) -> None:
    with pytest.raises(InputError):
        read_prompt(text, 5.0)
