"""Clause structures of prompts: rows, pairs, "the other", corrections, courtesy, talk, ways of several verbs.

Each line: the words, then what is expected: `label:azimuth`, `label:start>end` for what moves, `label:*` for what is
all around, `label:up` and `label:down` for a height.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from foleyspace.camera import angles_to_xyz, xyz_to_angles
from foleyspace.caption import caption
from foleyspace.errors import InputError
from foleyspace.prompt import read_prompt
from foleyspace.propagation import gain, position
from foleyspace.types import Scene, Source

ROWS_AND_PAIRS = """
From left to right: a violin, a viola and a cello. | violin:90 viola:0 cello:-90
A row of instruments from right to left: flute, oboe, bassoon | flute:-90 oboe:0 bassoon:90
Left to right, there is a drummer, a bassist, a singer and a keyboard player. | drummer:90 bassist:30 singer:-30 keyboard:-90
A dog and a cat from left to right. | dog:90 cat:-90
There are two dogs, one on each side of me. | dog:90 dog:-90
The two singers stand on opposite sides. | singer:90 singer:-90
Two talkers at plus and minus 30 degrees | talker:30 talker:-30
Four drummers, one in each corner of the room. | drummer:45 drummer:-45 drummer:135 drummer:-135
Each corner of the room has a drum. | drum:45 drum:-45 drum:135 drum:-135
Voices left and right, a gong in the centre | voice:90 voice:-90 gong:0
A parrot squawks on one side and a canary sings on the other. | parrot:90 canary:-90
Dogs bark at either side. | dogs:90 dogs:-90
drums left guitar right bass middle | drums:90 guitar:-90 bass:0
viola front left tuba back right singer centre | viola:45 tuba:-135 singer:0
a dog left the house right | dog:-90
Please add some rain in the background and a thunder far to the right. | rain:0 thunder:-90
My podcast has two hosts. Put Anna on the left and Ben on the right. | anna:90 ben:-90
I'm making a meditation track with a gong on the left and a singing bowl in front of me. | gong:90 singing:0
The voice is too far left, move it to the center. | voice:0
The drums get louder and closer from behind. | drums:180
an owl 3 m in front, 3 m to the left | owl:45
an owl 2 m behind me and 2 m to the right | owl:-135
let the drums be on the left and everything else on the right | drums:90 ambience:-90
Can you put the voice a little more to the right? | voice:-20
a train at 100 km/h on the left, a car doing 60 mph on the right | train:90 car:-90
bell at 45, horn at -45 | bell:45 horn:-45
source moves from (90, 0) to (-90, 0) | source:90>-90
guitar panned left, bass panned to the right | guitar:90 bass:-90
guitar panned from left to right | guitar:90>-90
The synth is panned to the left over 3 seconds | synth:0>90
Target speech at 0 degrees, maskers at plus and minus 45 degrees. | target:0 masker:45 masker:-45
The dog follows the man from left to right. | dog:90>-90 man:90>-90
Start the siren at the far left and end it at the far right. | siren:90>-90
Sweep the noise 180 degrees from left to right. | noise:90>-90
A stream runs along the left side. | stream:90
A voice from above: "Wake up!" | voice:up
left=dog right=cat | dog:90 cat:-90
front left: dog back right: cat | dog:45 cat:-135
dog left, no, dog right | dog:-90
A dog on the left. Actually, the dog is on the right. | dog:-90
A dog on the left. Sorry, the dog is behind me. | dog:180
Dog left. Actually dog right. | dog:-90
An owl and a wolf, left and right. | owl:90 wolf:-90
Nobody is on the left, a dog is on the right. | dog:-90
A car and a bike drive from the left to the right | car:90>-90 bike:90>-90
A dog chases a cat from the left to the right | dog:90>-90 cat:90>-90
On the left a woman is playing a violin | violin:90
On the left: only a violin | violin:90
Night ambience. An owl on the left. | night:0 owl:90
A helicopter hovers. A dog barks on the left. | helicopter:0 dog:90
A waitress, off screen right, shouting "Order up!" | waitress:-90
In my back is crying a baby | baby:180
Noise on the left, because I sat there, and a bell on the right | noise:90
The footsteps on stone, from the left, until they reach a spot directly in front of us. | footsteps:90>0
A bee starts on the right and after four seconds it is on the left | bee:-90>90
A cyclist ringing her bell rides past from right to left. | cyclist:-90>90
A police car chases a van from behind me on the left to the front right. | police:135>-45 van:135>-45
The harbour was grey and nobody had slept. A foghorn groans on the left. | foghorn:90
Put my doorbell on the right. My listeners keep telling me that it is boring. | doorbell:-90
A wasp on the left pls, my brother hates them lol | wasp:90
Put the cello on the right; our conductor asked for it. | cello:-90
A helicopter on the left. Is that doable? It's a show about records. | helicopter:90
A drum beats on the left. The emperor himself says nothing. | drum:90
We have got a podcast intro and would like a vinyl crackle on the left. | vinyl:90
A frog on the left, please. Hmm, no, on the right. | frog:-90
A typewriter in front. Actually, make that behind me, the front has to stay free. | typewriter:180
Off, to the right, keys jangle; a radio plays straight ahead | keys:-90 radio:0
a scream behind the players | scream:180
wind; a door slams on the left | wind:0 door:90
a heartbeat. rain on the left. | heartbeat:0 rain:90
From 80 degrees to the right comes the sound of a drum, 20 degrees down, and a bell comes from overhead. | drum:-80 bell:up
dude the drums left guitar right bass middle keys behind | drums:90 guitar:-90 bass:0 keys:180
The hall is dark and empty. A cello begins ahead and a bell tolls behind us. | cello:0 bell:180
We are in the wheelhouse of a trawler. The skipper mutters on the left. | skipper:90
The circus tent smells of sawdust. A brass band blares on the right. | brass:-90
A lawyer's office in the thirties. A clock ticks on the left. | clock:90
The stage is in front of you. A drummer taps on the right side of it. | drummer:-30
Quartet as seen from the audience, left to right: violin, viola, cello | violin:90 viola:0 cello:-90
Seating from the conductor's place: violins 60 degrees left, cellos 60 degrees right | violins:60 cellos:-60
Shot 7. Sewing machine ahead, seamstress humming on the left | sewing:0 seamstress:90
M&E pass: kettle whistle (left, 1 m), bus (behind, 15 m) | kettle:90 bus:180
Wind howls behind me and, off to the left, a gutter drips. | wind:180 gutter:90
A frog croaks on the left, over the steady rush of a waterfall ahead | frog:90 waterfall:0
The waterfall should not be centre. Put it hard left. | waterfall:90
The violin is on the left, but should be heard from behind | violin:180
On my left the robber, no, sorry, the manager is yelling. | manager:90
To the west wolves are howling | wolves:90
The ambulance is first heard behind on the right, then it comes round to my right side and finally races off ahead of me. | ambulance:-135>0
A tram came from the left, slid past us and was gone to the right. | tram:90>-90
A crossing beeps right by your left elbow | crossing:90
A moth flutters by my left ear. | moth:90
A horse and cart goes from the left to the right | horse:90>-90
Cropduster: enters at 2 o'clock, exits at 9 o'clock. | cropduster:-60>90
a flurb on the left, a drum right of him | flurb:90 drum:60
A gong at 45 degrees to the right and a koto at the mirror-image position on the left. | gong:-45 koto:45
let's do a bar thing where the pianist is on the left | pianist:90
a guest on the right, and a voice comes over a talkback speaker behind us | guest:-90 voice:180
A taxi pulls up from the left, stopping straight ahead. | taxi:90>0
A bus pulls up on my right. | bus:-90
The choir is spread from left to right in front of me. | choir:0
"""
OTHERS = """
Two talkers were used. The first stood at 45 degrees left; the second at 45 degrees right. | talker:45 talker:-45
There are a rooster and a donkey. Both are behind me, but the first is on the left and the second on the right. | rooster:135 donkey:-135
A flute and a harp play on the right; the former is close, the latter is far away. | flute:-90 harp:-90
Three instruments were played: a clarinet, a tuba and a harp. The clarinet was on the left, the other two were in front. | clarinet:90 tuba:0 harp:0
One frog croaks on the left, another one croaks behind me, and a third in front. | frog:90 frog:180 frog:0
Both drummers are behind me, one on the left, one on the right. | drummer:135 drummer:-135
I hear wolves, some on the left, some on the right | wolves:90 wolves:-90
A couple is arguing: she is on the left, he is on the right. | woman:90 man:-90
A cat meows on the right and a fan hums on the same side. | cat:-90 fan:-90
There's a cello at 2 o'clock. To the left of it is a viola, and to the right of it a double bass. | cello:-60 viola:-30 double:-90
A dog on the left barks at another dog on the right. | dog:90 dog:-90
Robot B is behind robot A. Robot A is on the left. | robot:90 robot:90
"""
AROUND_THE_SOUNDS = """
Hi! Please make a scene where a violin plays on my left and a piano plays on my right. Thank you! | violin:90 piano:-90
sorry, can u put the cat on the rihgt and the dog on the left? thx | cat:-90 dog:90
I'd like a waterfall on my right and some birds to the left of it. | waterfall:-90 birds:-60
It sounds like a tractor is idling on my left. | tractor:90
Sounds as if it came from behind: a low hum. | hum:180
EXT. FOREST - NIGHT. An owl hoots off left. A twig snaps off right. | owl:90 twig:-90
[VOX] wizard chant, rear-left, 8m. [SFX] sword clash, front-right | wizard:135 sword:-45
new scene the river is on the right period a crow caws on the left period | river:-90 crow:90
a dog on the left lol | dog:90
A choir in front, no organ, and a bell behind. | choir:0 bell:180
The owl isn't on the left but on the right. | owl:-90
the clock is on my left no sorry the clock is on my right | clock:-90
a dog on my left, no, sorry, on my right | dog:-90
a dog on my left, no, wait, on my right | dog:-90
A wasp, annoying, flies round and round my head | wasp:0
Imagine a busy kitchen. The dishwasher rumbles on the left and the cook sings behind you. | dishwasher:90 cook:180
The kids yell "Left! Right!" in front of me. | kids:0
It's raining, and to my left somebody is laughing. | rain:0 person:90
Gunshots at my nine, an explosion at my three. | gunshots:90 explosion:-90
A crowd claps on the left, except for a man who boos on the right. | crowd:90 man:-90
"""
PLACES = """
Between the piano on the left and the harp on the right, a singer hums. | piano:90 harp:-90 singer:0
The cello is halfway between the flute (60 degrees left) and the oboe (60 degrees right). | cello:0 flute:60 oboe:-60
A dog barks next to a car on the left. | dog:75 car:90
In front, slightly to the left, a teacher talks; at the back, on the right, pupils giggle. | teacher:20 pupils:-135
A dog barks to the left, a bit behind me. | dog:110
The explosion should come from behind the audience, a bit to the right. | explosion:-160
A car horn honks, somewhere between twenty and forty degrees to the right. | horn:-30
thunder: between 5 and 7 o'clock | thunder:180
The buzzer's elevation was 60 degrees and its azimuth 120. | buzzer:120
pan the shaker 30% left, the cowbell 30% right and leave the kick in the middle | shaker:27 cowbell:-27 kick:0
Dogs bark and howl on the left. | dogs:90
A dog barks and growls behind me. | dog:180
Out of the left speaker comes static, out of the right speaker comes a voice. | static:90 voice:-90
Overhead, gulls cry; below, on the right, waves slap. | gulls:up waves:down
"""
WAYS = """
A scooter zips by from right to left. | scooter:-90>90
car R>L | car:-90>90
siren, 90 left -> 90 right | siren:90>-90
the detective walks from the window on the left over to the door on the right | detective:90>-90
A bicycle bell rings ahead of me, comes nearer and passes me on the right. | bell:0
The ice cream truck comes from the right, passes in front of me and disappears to the left. | truck:-90>90
a fire engine that starts twenty degrees to the left and ends sixty degrees to the right | engine:20>-60
Have the helicopter start behind me and end up in front of me. | helicopter:180>0
The footsteps begin far left, come to the middle, and go back to the left. | footsteps:90>90
A helicopter spawns behind, flies over the player, hovers in front. | helicopter:180>0
A subway train arrives from the right, stops in front of me, and departs to the left. | train:-90>90
The waiter walks from the front left, behind me, to the front right. | waiter:45>-45
From 0 to 4 s the ghost is front left; from 4 s on it's back right. | ghost:45>-135
A robot beeps on the left for two seconds, then on the right for two seconds. | robot:90>-90
Send the whoosh from the left rear to the right front. | whoosh:135>-45
A train, first on the left, then moves across to the right. | train:90>-90
Make the zombie crawl slowly around me | zombie:0
"""
ONLY_WHERE_TO = """
A car moves off to the left. | car:0>90
The train drives away to the right. | train:0>-90
Footsteps wander off towards the back. | footsteps:0>180
A plane heads off behind me. | plane:0>180
The bus pulls away to the left. | bus:0>90
A motorbike roars off to the right. | motorbike:-90
Thunder rumbles off to the left. | thunder:90>90
A bus on the right pulls away to the left. | bus:-90>90
An ambulance speeds off towards 45 degrees left. | ambulance:0>45
The dog runs to the right. | dog:0>-90
A bird flies over to the left side. | bird:0>90
A man on my right walks away to the left. | man:-90>90
A dog barks on the left and then runs off to the right. | dog:90>-90
Footsteps behind me walk off to the left. | footsteps:180>90
A car speeds away behind me. | car:180>180
A child runs off into the distance on the left. | child:90>90
A tractor chugs off into the distance on the right. | tractor:-90>-90
"""
CORNERS_AND_SIDES = """
one dog in each corner | dog:45 dog:-45 dog:135 dog:-135
In every corner, a bird sings. | bird:45 bird:-45 bird:135 bird:-135
A loudspeaker stands in each of the four corners of the room. | loud:45 loud:-45 loud:135 loud:-135
Four birds in the corners and a wolf in the middle. | bird:45 bird:-45 bird:135 bird:-135 wolf:0
speakers in all four corners | speaker:45 speaker:-45 speaker:135 speaker:-135
Applause in all four corners. | applause:*
a speaker on each side | speaker:90 speaker:-90
the rain on each side | rain:*
Torches crackle on both sides of me; a king coughs ahead. | torches:90 torches:-90 king:0
"""
TOGETHER = """
A dog and a cat walk behind me from left to right. | dog:90>-90 cat:90>-90
a car, a truck and a bike drive from left to right | car:90>-90 truck:90>-90 bike:90>-90
A violin and a drum roll come from the left. | violin:90 drum:90
a wolf and a bear approach from behind | wolf:180 bear:180
An old man hums slightly to the left. A dog snores at his feet. | man:20 dog:20
A car comes from the left and a bus from the opposite direction. | car:90 bus:-90
From over my right shoulder: a printer. From the opposite direction: a clock. | printer:-135 clock:45
"""
OVERHEAD = """
A plane flies over me. | plane:90>-90
A jet flies by overhead. | jet:90>-90
A helicopter flies overhead from behind on the left. | helicopter:135>-45
A bee drives from straight ahead round to the left, buzzing. | bee:0>90
A car drives from the front around to the right. | car:0>-90
a dragon roars far behind me, a sword is drawn close on my right | dragon:180 sword:-90>-90
"""
WHO_CALLS = """
A dog barks 45 degrees to the left, a cat meows 20 degrees further to the left than the dog. | dog:45 cat:65
Wind from the left, gradually moving behind me. | wind:90>180
Waves behind me, seagulls left and right above, a child laughing in front. | wave:180 seagulls:90 seagulls:-90 child:0
The shower runs upstairs to my right. | shower:-90>-90
Left for 2 seconds, then right: a beep | beep:90>-90
a bird left above, another right above | bird:90 bird:-90
An owl hoots right above me and a wolf howls on the left. | owl:up wolf:90
The vocal dead centre, doubles at 30 left and right, drums in the back. | vocal:0 doubles:30 doubles:-30 drums:180
Footsteps start at my back right, stop at my front right and then a door slams there. | footsteps:-135>-45 door:-45
A ghost whispers in my left ear, moves behind my head and whispers into my right ear. | ghost:90>-90
The door is on my right. Opposite the door a cash register dings. | cash:90
The phone rings to the left of the sofa, the sofa is on my right | phone:-60
The door creaks on my right. Opposite the door a cash register dings. | door:-90 cash:90
A creek is on the left; a frog croaks to the right of the creek. | creek:90 frog:60
water drips slowly from the ceiling into a bucket at my feet | water:up
The voice moves with my head: always behind me. | voice:180
A woman to my left says my name twice. | woman:90
Mum, I hear a baby crying on the left. | baby:90
a shutter begins to rattle on the left | rattling:90
a ball rolls from the left to the centre, and sneakers squeek on the right | ball:90>0 sneakers:-90
First wind behind me, then rain on the right. | wind:180 rain:-90
"""
EACH_OTHER = """
two cars towards each other | car:90>10 car:-90>-10
A man and a woman walk towards each other. | man:90>10 woman:-90>-10
A man on the right and a woman on the left walk towards each other. | man:-90>-10 woman:90>10
A man is on the right and a woman is on the left. They walk towards each other. | man:-90>-10 woman:90>10
A dog on the right and a cat run toward one another. | dog:-90>-10 cat:90>10
Two trains approach each other, and a bird sings behind me. | train:90>10 train:-90>-10 bird:180
Two cars in front of me drive towards each other. | car:45>10 car:-45>-10
Two cars race away from each other. | car:10>90 car:-10>-90
A man and a woman stand on the left. Then they walk apart. | man:90>135 woman:90>45
Two birds fly past each other. | bird:90>-90 bird:-90>90
Two dogs bark at each other on the left. | dogs:90>90
Two cars pass each other, one from left to right and one from right to left. | car:90>-90 car:-90>90
two cars pass each other from left to right | cars:90>-90
two dogs on the left run towards each other from left to right | dogs:90>-90
A car on the left drives to the right. A van on the left drives to the front. They drive away from each other. | car:-10>-90 van:10>90
Two plates fall apart on the left. | plates:90>90
A wall comes apart behind me. | wall:180
Two dogs move apart from each other's toys on the left. | dogs:90>90
"""
BY_THE_EAR = """
A bullet whistles past my left ear. | bullet:45>135
A mosquito buzzes from the front past my right ear to the back. | mosquito:-45>-180
a bee buzzes from behind past my left ear, a drum in front | bee:135>45 drum:0
an arrow hisses past your right cheek | arrow:-45>-135
A mosquito flies past my right ear. | mosquito:-45>-135
A dog barks past my left shoulder. | dog:90>90
a motorbike rushes past my head to the back | motorbike:0>180
a bird flies past me to the front | bird:180>0
"""
COMPASS = """
A dog to the north and a cat to the south-west. | dog:0 cat:135
a bird north-east of me, a horse south of the listener | bird:-45 horse:180
A train from the west to the east. | train:90>-90
A car drives east. | car:0>-90
North: owl. South: wolf. East: river. West: fire. | owl:0 wolf:180 river:-90 fire:90
a dog barks (north), a cat meows (east) | dog:0 cat:-90
church bells, far, NE; tractor, W, 50 m | bells:-45 tractor:90
OWL, NE. DRUM, S. | owl:-45 drum:180
owl: N; cello - SW, a horn (SE) | owl:0 cello:135 horn:-135
a guitar in E, on the left | guitar:90
A wolf howls west of me, 5 metres away. | wolf:90
A siren wails 40 degrees east of north. | siren:-40
A bell tolls on the western side. | bell:90
A dog to the east of the car in front. | dog:-30 car:0
I am facing east. A dog barks to the north. | dog:90
The north wind howls on the left. | wind:90
A West Highland terrier barks behind me. | terrier:180
In the West Wing a phone rings on the right. | phone:-90
A dog 30 degrees north of east. | dog:-60
A dog 30 degrees east of south. | dog:-150
A car 30 degrees west of south, a siren 22.5 degrees north of west. | car:150 siren:67.5
I am facing east. A siren wails 40 degrees east of north. | siren:50
A siren wails 40 degrees east of the church on the left. | siren:90
Facing north, a dog barks to the east. | dog:-90
Facing east, a dog barks to the east. Then facing south, a cat meows to the south. | dog:90 cat:0
I am facing east. A dog barks to the west. Now I am facing south. A cat meows to the west. | dog:-90 cat:-90
I sit in a park, facing east. A dog barks to the north. | dog:90
A man sings in the west, facing east. | man:90
A train in the west moves to the east. | train:90>-90
a dog in the east barks | dog:-90
Traffic on the West Side on the right. | traffic:-90
a drum NNW of me, a bell SE of the listener | drum:22.5 bell:-135
bells: NNE; tractor: WSW, 50 m | bells:-22.5 tractor:112.5
Wind from the west-southwest, thunder in the south southeast. | wind:112.5 thunder:-157.5
I am facing east. A bell rings in the east-southeast. | bell:-22.5
A DOG BARKS ON THE WEST SIDE. A CAT IS NORTH OF ME. | dog:90 cat:0
"""
GAPPING = """
A dog barks on the left and a cat on the right. | dog:90 cat:-90
A man speaks on the left, a woman on the right, and a child behind. | man:90 woman:-90 child:180
A guitar plays left, drums right, bass centre. | guitar:90 drums:-90 bass:0
The piano is left, the violin right. | piano:90 violin:-90
"""


def each_line(text: str) -> pytest.MarkDecorator:
    """A test of every line of `text`."""
    lines = [line for line in text.splitlines() if line.strip()]
    return pytest.mark.parametrize("line", lines, ids=lambda line: line[:40])


def place(source: Source, last: bool = False) -> tuple[float, float]:
    """Azimuth and elevation when it first sounds, or when it last does."""
    x, y, z = source.xyz[source.gain_db > -60][-1 if last else 0]
    return math.degrees(math.atan2(y, x)), math.degrees(math.atan2(z, math.hypot(x, y)))


def apart(a: float, b: float) -> float:
    return abs((a - b + 180) % 360 - 180)


@each_line(
    ROWS_AND_PAIRS + OTHERS + AROUND_THE_SOUNDS + PLACES + WAYS
    + ONLY_WHERE_TO + CORNERS_AND_SIDES + EACH_OTHER + BY_THE_EAR + COMPASS + GAPPING
    + TOGETHER + OVERHEAD + WHO_CALLS
)  # fmt: skip
def test_structure(line: str) -> None:
    check(line)


def check(line: str) -> None:
    """Read "prompt | name:azimuth name:azimuth>azimuth at its end" and compare, to a degree."""
    text, answer = line.rsplit("|", 1)
    left = list(read_prompt(text, 10.0).scene.sources)
    assert len(left) == len(answer.split()), [source.label for source in left]
    for entry in answer.split():
        name, where = entry.rsplit(":", 1)
        start, _, end = where.partition(">")
        named = [s for s in left if any(word.startswith(name) for word in s.label.lower().split())]
        assert named, (name, [source.label for source in left])
        if where == "*":
            assert named[0].spread_deg.max() >= 180
        elif where in ("up", "down"):
            assert place(named[0])[1] * (1 if where == "up" else -1) > 10
        else:
            named.sort(key=lambda source: apart(place(source)[0], float(start)))
            assert apart(place(named[0])[0], float(start)) < 1, place(named[0])
            assert not end or apart(place(named[0], last=True)[0], float(end)) < 1, place(named[0], last=True)
        left.remove(named[0])


@pytest.mark.parametrize(
    "text",
    [
        "The church bell must be on the left, and the same church bell must be on the right.",
        "a whistle blows left, right, left",
        "I want the toddler laughing above my head and also under my feet, just the one toddler",
        "The violin is to the right of the violin.",
        "I am facing east",
    ],
)
def test_contradictions_and_texts_without_a_sound(text: str) -> None:
    with pytest.raises(InputError):
        read_prompt(text, 10.0)


def test_what_is_passed_over_is_told() -> None:
    reading = read_prompt("EXT. HARBOUR - NIGHT. A dog barks on the left, no cats.", 10.0)
    assert any("HARBOUR" in words for words in reading.not_understood)
    assert any("cats" in words for words in reading.not_understood)


def test_slices_of_a_long_caption_are_one_source_each() -> None:
    """A caption that names three sounds again in each of eight slices tells of three sounds that move."""
    rng = np.random.default_rng(7)
    times = np.linspace(0.0, 40.0, 9)
    sources = []
    for label in ("dog barking", "car", "woman singing"):
        azimuths = rng.choice([-90.0, -45.0, 0.0, 45.0, 90.0], len(times))
        xyz = angles_to_xyz(np.column_stack([azimuths, np.zeros(len(times))]), np.full(len(times), 2.0))
        sources.append(Source(label, label, times, xyz))
    words = caption(Scene(tuple(sources), 40.0), style="tasbench", slice_s=5.0, precision="degrees", seed=1)
    assert words.count("dog") >= 8
    read = {source.label: source for source in read_prompt(words, 40.0).scene.sources}
    assert set(read) == {source.label for source in sources}
    for source in sources:
        for at_s in (2.5, 22.5, 37.5):
            told, meant = (
                math.degrees(math.atan2(*(np.interp(at_s, s.times, s.xyz[:, i]) for i in (1, 0))))
                for s in (read[source.label], source)
            )
            assert apart(told, meant) < 25


def test_what_goes_off_to_a_side_ends_far_away_and_its_start_is_told() -> None:
    reading = read_prompt("a car moves off to the left", 10.0)
    distances = np.linalg.norm(reading.scene.sources[0].xyz, axis=1)
    assert distances[-1] > 6 > distances[0]
    assert any("no start said for 'car'" in note for note in reading.notes)
    for text in ("a car in front moves off to the left", "a car drives from the right to the left"):
        assert not any("no start" in note for note in read_prompt(text, 10.0).notes)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a dog to the north", "north is taken as ahead"),
        ("I am facing east. A dog barks to the north.", "east is taken as ahead"),
        ("a bird in every corner", "as four"),
        ("two cars towards each other", "azimuth 90 and -90"),
        ("three cars drive towards each other", "passed over"),
        (
            "Two cars drive towards each other, pass each other and stop.",
            "'pass each other' is more than one",
        ),
        (
            "Two cars drive towards each other, then drive away from each other.",
            "'drive away from each other' is",
        ),
    ],
)
def test_what_was_taken_for_granted_is_told(text: str, told: str) -> None:
    assert any(told in note for note in read_prompt(text, 10.0).notes)


def test_a_curtain_that_is_pulled_away_leaves_the_man_where_he_is() -> None:
    for text, goes in (("A man pulls away the curtain on the left.", False), ("A car pulls away.", True)):
        distances = np.linalg.norm(read_prompt(text, 10.0).scene.sources[0].xyz, axis=1)
        assert bool(distances[-1] > distances[0] + 1) == goes


def test_a_train_that_is_in_the_west_needs_no_other_start() -> None:
    notes = read_prompt("A train in the west moves to the east", 10.0).notes
    assert not any("no start said" in note for note in notes)


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("dog on the left. 2 seconds later a cat on the right. 3 seconds later a cow behind me.", [0, 2, 5]),
        ("Wind behind me. After 3 seconds a dog on the left. After 5 seconds a cow ahead.", [0, 3, 5]),
        ("For the first 4 seconds a flute on the left; for the remaining time an oboe on the right.", [0, 4]),
        ("Three seconds in, a bell on the left. Another two seconds later, a gong on the right.", [3, 5]),
    ],
)
def test_later_counts_from_what_was_told_before(text, starts):
    sources = read_prompt(text, 10.0).scene.sources
    assert [float(s.times[s.gain_db > -60][0]) for s in sources] == pytest.approx(starts, abs=0.1)


@pytest.mark.parametrize("when", ["after 5 seconds", "5 seconds later"])
def test_what_changes_its_place_is_heard_before_too(when):
    (drum,) = read_prompt(f"a drum on the left, {when} on the right", 10.0).scene.sources
    assert (drum.gain_db > -60).all()
    before, after = drum.times < 4.9, drum.times > 5.1
    assert (drum.xyz[before, 1] > 1).all()
    assert (drum.xyz[after, 1] < -1).all()


def heard_at(text: str, *seconds: float) -> list[tuple[float, float, float, float]]:
    """Azimuth, elevation, distance and gain of the last source of a prompt of 8 s at these times."""
    source = read_prompt(text, 8.0).scene.sources[-1]
    at = np.array(seconds)
    azimuth, elevation, distance = xyz_to_angles(position(source, at))
    return list(zip(azimuth, elevation, distance, gain(source, at), strict=True))


def test_what_arrives_before_its_time_is_over_is_heard_on():
    passes = heard_at("a car passes from left to right in 2 seconds, from 1 to 6 seconds", 3.5, 5.5, 6.5)
    assert [azimuth for azimuth, *_ in passes[:2]] == pytest.approx([-90, -90])
    assert [level for *_, level in passes] == pytest.approx([1, 1, 0])
    near = heard_at("a car comes closer in 2 seconds, then stands behind me", 2.5, 3.5)
    assert [distance for _, _, distance, _ in near] == pytest.approx([1, 1])


def test_times_may_be_told_out_of_order():
    text = "a dog barks on the left from 4 to 6 seconds, then on the right from 1 to 3 seconds"
    heard = heard_at(text, 0.5, 2, 3.5, 5, 7)
    assert [level for *_, level in heard] == pytest.approx([0, 1, 0, 1, 0])
    assert (heard[1][0], heard[3][0]) == pytest.approx((-90, 90))


@pytest.mark.parametrize(
    "text",
    [
        "A violin plays 30 degrees up on the right. A bird sings on the left, further away than the violin",
        "A plane is overhead. A bird sings on the left; it is closer than the plane.",
    ],
)
def test_nearer_or_further_is_not_higher(text):
    ((azimuth, elevation, *_),) = heard_at(text, 1)
    assert (azimuth, elevation) == pytest.approx((90, 0))


def test_who_is_beside_a_mover_jumps_with_it():
    text = "a dog runs from left to right for 4 seconds, then it is behind me. A cat is next to the dog."
    assert [azimuth for azimuth, *_ in heard_at(text, 4.1, 6, 7.9)] == pytest.approx([-165] * 3)
