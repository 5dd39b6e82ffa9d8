"""Words -> scenes: what words mean (tests/data/prompts.jsonl, written by another hand), relations, motion, time,
what must be refused, and that no text at all breaks the reader."""

from __future__ import annotations

import importlib.util
import json
import random
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from foleyspace.camera import xyz_to_angles
from foleyspace.errors import InputError
from foleyspace.prompt import read_prompt
from foleyspace.prompting.spelling import PLACE_WORDS, corrected, edit_distance
from foleyspace.prompting.verb_words import ing, known_words
from foleyspace.propagation import gain
from foleyspace.scene import scene_from_dict, scene_to_dict
from foleyspace.types import Scene, Source

DATA = Path(__file__).parent / "data"


def read(text: str, duration: float = 10.0) -> tuple[Source, ...]:
    return read_prompt(text, duration).scene.sources


def place(source: Source, at_s: float = 0.0) -> tuple[float, float, float]:
    """Azimuth, elevation (degrees), distance (m)."""
    xyz = np.array([np.interp(at_s, source.times, source.xyz[:, i]) for i in range(3)])
    return tuple(float(value) for value in xyz_to_angles(xyz))  # type: ignore[return-value]


def azimuth(source: Source, at_s: float = 0.0) -> float:
    return place(source, at_s)[0]


def apart(a: float, b: float) -> float:
    return abs((a - b + 180) % 360 - 180)


def sounding(source: Source, duration: float = 10.0) -> tuple[float, float]:
    """First and last time at which it is heard."""
    times = np.linspace(0, duration, 2001)
    on = times[gain(source, times) > 1e-4]
    return float(on[0]), float(on[-1])


# --- the words of the contract -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected_deg"),
    [
        ("in front of me", 0), ("straight ahead", 0), ("in the centre", 0), ("in the middle", 0),
        ("on the left", 90), ("to my right", -90), ("on the left-hand side", 90), ("hard right", -90),
        ("front left", 45), ("ahead on the right", -45), ("in front and to the left", 45), ("half right", -45),
        ("left of centre", 45), ("slightly left of centre", 20), ("just right of center", -20), ("far left", 90),
        ("slightly to the right", -20), ("behind on the left", 135), ("rear right", -135), ("back left", 135),
        ("behind my right shoulder", -135), ("behind me", 180), ("at six o'clock", 180), ("at the back", 180),
        ("at 3 o'clock", -90), ("at 10 o'clock", 60), ("at half past two o'clock", -75), ("at 12 o'clock", 0),
        ("30 degrees to the left", 30), ("at 110° right", -110), ("thirty degrees right", -30),
        ("azimuth -30", -30), ("at azimuth 120 degrees", 120), ("at 30 degrees on the right", -30),
        ("hard L", 90), ("rear R", -135), ("FL", 45), ("L45", 45), ("50% right", -45), ("stage left", 90),
        ("30 degrees behind me to the left", 150), ("in my left ear", 90), ("off screen right", -90),
    ],
)  # fmt: skip
def test_direction_words(words, expected_deg):
    (source,) = read(f"a dog barks {words}")
    assert source.label == "dog barking"
    assert apart(azimuth(source), expected_deg) < 0.5


def test_mirrored_words_give_mirrored_places():
    """Whatever "left" means, "right" means its mirror image: no word leans to one side."""
    for words in [
        "on the left", "front left, close", "far behind on the left", "40 degrees to the left, high up",
        "from left to right", "slightly left, 3 m away", "above on the left", "at my left ear", "hard left",
        "passes from the front left to the back left", "approaches from the left", "off screen left",
    ]:  # fmt: skip
        mirrored = words.translate(str.maketrans({})).replace("left", "\0").replace("right", "left")
        (one,), (two,) = read(f"a car {words}"), read(f"a car {mirrored.replace(chr(0), 'right')}")
        np.testing.assert_allclose(one.xyz * [1, -1, 1], two.xyz, atol=1e-9, err_msg=words)


@pytest.mark.parametrize(
    ("words", "elevation_deg", "azimuth_deg"),
    [
        ("above", 90, None), ("overhead", 90, None), ("above on the left", 45, 90), ("high on the right", 40, -90),
        ("below on the right", -45, -90), ("below", -60, 0), ("at my feet", -60, 0), ("30 degrees up", 30, 0),
        ("20 degrees right and 10 degrees down", -10, -20), ("elevation 15, azimuth 40", 15, 40),
        ("behind, above", 45, 180),
    ],
)  # fmt: skip
def test_elevation_words(words, elevation_deg, azimuth_deg):
    (source,) = read(f"an owl hoots {words}")
    at = place(source)
    assert at[1] == pytest.approx(elevation_deg, abs=0.5)
    assert azimuth_deg is None or apart(at[0], azimuth_deg) < 0.5


@pytest.mark.parametrize(
    ("words", "metres"),
    [
        ("", 2), ("close", 1), ("nearby", 1), ("very close", 0.3), ("far away", 10), ("in the distance", 10),
        ("very far away", 20), ("3 metres away", 3), ("10 ft away", 3.048), ("half a metre away", 0.5),
        ("two and a half meters away", 2.5), ("50 cm away", 0.5), ("5 yards away", 4.572), ("at my left ear", 0.3),
    ],
)  # fmt: skip
def test_distance_words(words, metres):
    (source,) = read(f"a dog on the left, {words}" if words else "a dog on the left")
    assert place(source)[2] == pytest.approx(metres, rel=1e-3)


# --- what is heard ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ("a woman sings", "woman singing"), ("a man plays guitar", "guitar"), ("a car passes", "car"),
        ("birds chirp", "birds chirping"), ("footsteps", "footsteps"), ("the sound of rain", "rain"),
        ("a man plays the piano", "piano"), ("somebody knocks", "person knocking"),
        ("a group of children laughing", "children laughing"), ("a dog is barking loudly", "dog barking"),
        ("a hi-hat", "hi-hat"), ("a fly buzzes", "fly buzzing"), ("leaves rustle", "leaves rustling"),
        ("the front door slams", "front door slamming"), ("the howl of the wind", "wind howl"),
        ("a distant siren", "siren"), ("approaching footsteps", "footsteps"), ("a kettle shrieks", "kettle shrieking"),
        ("a light hums", "light humming"), ("a woman's voice", "woman's voice"), ('"Left Hand, 3 m"', "Left Hand, 3 m"),
    ],
)  # fmt: skip
def test_labels(words, label):
    assert [source.label for source in read(f"{words} behind me on the right")] == [label]


def test_ing():
    assert [ing(v) for v in ("sing", "hum", "dance", "tiptoe", "die", "whisper", "clap", "beep")] == [
        "singing", "humming", "dancing", "tiptoeing", "dying", "whispering", "clapping", "beeping",
    ]  # fmt: skip


def test_quoted_text_is_a_label_and_nothing_else():
    (source,) = read('"a cat on the left; 犬 at 3 o\'clock" on the right')
    assert source.label == "a cat on the left; 犬 at 3 o'clock"
    assert azimuth(source) == pytest.approx(-90)
    one, two = read('"front door" on the right; "dog" to the left of "front door"')
    assert (one.label, two.label) == ("front door", "dog")
    assert azimuth(two) == pytest.approx(-60)


def test_captions_are_the_words_of_each_source():
    one, two = read("On the left, a dog barks, close; and a cat meows behind me.")
    assert one.caption == "On the left, a dog barks, close"
    assert two.caption == "a cat meows behind me"


# --- several sources --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "a dog barks on the left and a cat meows on the right",
        "On the left, a dog barks. On the right, a cat meows.",
        "dog left cat right",
        "dog: left, cat: right",
        "L: dog. R: cat.",
        "on the left a dog on the right a cat",
        "there is a dog to my left while I hear a cat to my right",
        "1) dog, left 2) cat, right",
        "dog L\nCat R",
        "A dog barks. A cat meows on the right. The dog is on the left.",
        "dog (left), cat (right)",
        "The dog and the cat are on the left and on the right respectively.",
    ],
)
def test_each_place_goes_to_its_source(text):
    sources = sorted(read(text), key=lambda source: source.label, reverse=True)
    assert [source.label.lower().split()[0] for source in sources] == ["dog", "cat"]
    assert azimuth(sources[0]) == pytest.approx(90)
    assert azimuth(sources[1]) == pytest.approx(-90)


def test_a_place_said_once_for_a_list():
    for text in ("guitar, bass and drums on the left", "on the left a guitar, a bass and drums"):
        sources = read(text)
        assert [source.label for source in sources] == ["guitar", "bass", "drums"]
        assert all(azimuth(source) == pytest.approx(90) for source in sources)


def test_the_example_of_the_readme():
    woman, guitar, drum = read(
        "a woman sings in the centre, a man plays guitar on her left, close; a drum far behind on the right"
    )
    assert (woman.label, guitar.label, drum.label) == ("woman singing", "guitar", "drum")
    np.testing.assert_allclose(place(woman), (0, 0, 2), atol=1e-6)
    np.testing.assert_allclose(place(guitar), (30, 0, 1), atol=1e-6)
    np.testing.assert_allclose(place(drum), (-135, 0, 10), atol=1e-6)


@pytest.mark.parametrize(
    ("text", "labels", "azimuths_deg"),
    [
        ("In the distance: thunder, a slow roll from left to right", ["thunder"], [90]),
        ("from the rear comes the sound of fireworks", ["fireworks"], [180]),
        ("Kitchen: the tap drips at 10 o'clock, mum hums in front", ["tap dripping", "mum humming"], [60, 0]),
        ("SFX: gunshot - rear R - distant", ["gunshot"], [-135]),
        ("source A (violin) at 30 deg left, source B (cello) at 30 deg right", ["violin", "cello"], [30, -30]),
        ("the stimulus, a snare drum, is 3 m behind the listener", ["snare drum"], [180]),
        ("Participants heard a tone 30° to the left of the midline", ["tone"], [30]),
        ("two dogs, one on the left and the other on the right", ["dog", "dog"], [90, -90]),
        ("a stage with a rock band ahead", ["rock band"], [0]),
        ("a bright, close handclap on the right", ["bright handclap"], [-90]),
        ("the harp is on the right, not on the left", ["harp"], [-90]),
        ("she's laughing behind you", ["woman laughing"], [180]),
        ("a man and a woman talk on the left", ["man talking", "woman talking"], [90, 90]),
        ("The camera sees nothing, but to the right children shout.", ["children shouting"], [-90]),
        ("a baby cries to the left of the mother, who hums at 2 o'clock", ["baby crying", "mother humming"], [-30, -60]),
        ("on the left a dog barks with a cat purring next to it", ["dog barking", "cat purring"], [90, 75]),
        ("behind a car passes", ["car"], [90]),
        ("guitar left; drums on the other side", ["guitar", "drums"], [90, -90]),
        ("what is left of the campfire crackles in front", ["crackling"], [0]),
    ],
)  # fmt: skip
def test_manners_of_writing(text, labels, azimuths_deg):
    sources = read(text)
    assert len(sources) == len(labels)
    for source, label, expected_deg in zip(sources, labels, azimuths_deg, strict=True):
        assert source.label == label
        assert apart(azimuth(source), expected_deg) < 0.5


def test_what_comes_from_somewhere_stands_there_unless_it_travels():
    (music,) = read("the sound of music comes from the left")
    (car,) = read("a car comes from the left")
    assert len(music.times) == 1 and place(car, 0)[2] > 5 > place(car, 10)[2]


# --- relations --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("relation", "expected"),
    [
        ("left of", (70, 0, 2)), ("to the right of", (10, 0, 2)), ("behind", (40, 0, 4)), ("in front of", (40, 0, 1)),
        ("next to", (25, 0, 2)), ("above", (40, 30, 2)), ("below", (40, -30, 2)), ("closer than", (40, 0, 1)),
        ("further away than", (40, 0, 4)), ("opposite", (-140, 0, 2)), ("at the same place as", (40, 0, 2)),
        ("10 degrees to the left of", (50, 0, 2)), ("1 metre behind", (40, 0, 3)),
    ],
)  # fmt: skip
def test_relations(relation, expected):
    for text in (
        f"a dog 40 degrees left; a cat {relation} the dog",
        f"a cat {relation} the dog; the dog is 40 degrees left",
    ):
        cat = next(source for source in read(text) if source.label == "cat")
        np.testing.assert_allclose(place(cat), expected, atol=1e-6, err_msg=text)


@pytest.mark.parametrize(
    ("text", "azimuths"),
    [
        ("a violin in front; a cello slightly right of centre; it is right of the violin", [0, -20]),
        ("a dog on the left, a cat 20 degrees to the left, to the right of the dog", [90, 20]),
        ("a violin in front; a clock ticks at 2 o'clock from 2 to 6 seconds; it is right of the violin", [0, -60]),
        ("a cat ahead on the left, a dog on the left, to the left of the cat", [45, 90]),
        ("a cat ahead on the left, a dog on the left, to the right of the cat", [45, 15]),
        ("a dog on the left, a cat on the left, to the left of the dog", [90, 120]),
    ],
)  # fmt: skip
def test_what_only_says_so_again_moves_nothing(text, azimuths) -> None:
    """A place that already is right of the violin stays where it was put."""
    for source, azimuth in zip(read(text), azimuths, strict=True):
        assert xyz_to_angles(source.xyz)[0] == pytest.approx(azimuth, abs=0.5)
        assert source.gain_db is None or len(source.times) in (1, 4)


def test_what_tables_and_headings_place() -> None:
    def at(text: str) -> list[tuple[str, int, int]]:
        angles = [(source.label, xyz_to_angles(source.xyz)) for source in read(text)]
        return [(label, round(float(a[0])), round(float(e[0]))) for label, (a, e, _) in angles]

    fox_and_owl = [("red fox", -30, 0), ("owl, big", 120, 40)]
    assert at('name,azimuth,elevation\nred fox,-30,0\n"owl, big",120,40') == fox_and_owl
    assert (
        at("| sound | az (deg) | el |\n| --- | --- | --- |\n| red fox | -30 | 0 |\n| owl, big | 120 | 40 |")
        == fox_and_owl
    )
    assert at("sound\tdirection\ndog\tfront left\ncat\tbehind") == [("dog", 45, 0), ("cat", 180, 0)]
    assert at("Channel 1 (azimuth 30): siren. Channel 2 (azimuth -30): violin") == [
        ("siren", 30, 0),
        ("violin", -30, 0),
    ]
    assert at("ambient emitter at 120 degrees left, 5 m: waterfall") == [("waterfall", 120, 0)]
    assert at("wolves at 90 and -90 degrees, an owl ahead") == [
        ("wolf", 90, 0),
        ("wolf", -90, 0),
        ("owl", 0, 0),
    ]


def test_who_goes_off_to_a_side_ends_there_and_what_rings_stays() -> None:
    for text in (
        "a car goes off to the left",
        "two men go off to the left",
        "a man walks off screen to the left",
    ):
        (source,) = read(text)
        assert xyz_to_angles(source.xyz)[0][[0, -1]] == pytest.approx([0, 90]), text
    for text in (
        "a siren goes off to the left",
        "a bomb goes off to the left",
        "a dog barks off screen to the left",
    ):
        (source,) = read(text)
        assert xyz_to_angles(source.xyz)[0] == pytest.approx([90]), text


def test_what_stays_does_not_come_nearer_and_what_moves_does() -> None:
    for thing in ("radio", "church bell", "washing machine", "waterfall", "explosion"):
        assert len(read(f"a {thing} comes from the left")[0].times) == 1, thing
    for thing in ("dog", "train", "robot", "thunderstorm", "ball"):
        distance = xyz_to_angles(read(f"a {thing} comes from the left")[0].xyz)[2]
        assert distance[0] > distance[-1], thing
    assert len(read("a radio comes closer on the left")[0].times) > 1


def test_left_of_stays_on_the_listeners_left_all_around():
    """Behind the listener turning on leads to the other side: left of it must still be more to the left."""
    for degrees in range(-175, 181, 5):
        dog, cat = read(f"a dog at azimuth {degrees}; a cat to the left of the dog")
        y = [source.xyz[0, 1] for source in (dog, cat)]
        assert y[1] > y[0] or abs(abs(degrees - 90) - 0) <= 30, degrees


def test_between_is_the_middle_the_shorter_way():
    for a, b, middle in [(90, -90, 0), (150, -150, 180), (30, 60, 45), (-170, 100, 145)]:
        _, _, cat = read(f"a dog at azimuth {a}; a frog at azimuth {b}; a cat between the dog and the frog")
        assert apart(azimuth(cat), middle) < 0.5


def test_a_relation_follows_what_moves():
    car, dog = read("a car drives from left to right; a dog next to the car")
    for at_s in (0.1, 5, 9.9):
        assert apart(azimuth(dog, at_s), azimuth(car, at_s)) == pytest.approx(15, abs=2) or at_s != 5
    assert azimuth(dog, 0) > 0 > azimuth(dog, 10)


# --- motion and time --------------------------------------------------------------------------------------


def test_from_left_to_right_goes_through_the_front_unless_it_says_behind():
    for words, middle in (("", 0), (" behind me", 180), (" in front of me", 0)):
        (car,) = read(f"a car drives from left to right{words}")
        assert [round(azimuth(car, t)) for t in (0, 10)] == [90, -90]
        assert apart(azimuth(car, 5), middle) < 3
        assert np.linalg.norm(car.xyz, axis=1).min() > 1.9  # never through the head


@pytest.mark.parametrize(
    ("words", "turns"), [("", 1), (" clockwise", -1), (" twice", 2), (" three times clockwise", -3)]
)
def test_circles(words, turns):
    (bee,) = read(f"a bee circles around me{words}")
    angles = np.unwrap(xyz_to_angles(bee.xyz)[0], period=360)
    assert (angles[-1] - angles[0]) / 360 == pytest.approx(turns)


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("a bee circles around me twicu", 2),
        ("a bee circles me twic, close", 2),
        ("a bee does three laps around me", 3),
        ("a bee is doing one full circle clockwise around my head", -1),
        ("a bee circles me thrice", 3),
        ("a bee circles me 2.5 times", 2.5),
    ],
)
def test_turns_are_counted_in_any_words_and_with_slips(text, turns):
    (bee,) = read(text)
    angles = np.unwrap(xyz_to_angles(bee.xyz)[0], period=360)
    assert (angles[-1] - angles[0]) / 360 == pytest.approx(turns)


def test_coming_and_going():
    (train,) = read("a train approaches from the left")
    assert [round(place(train, t)[2], 1) for t in (0, 10)] == [10, 1]
    assert azimuth(train, 5) == pytest.approx(90)
    (train,) = read("a train moves away behind me")
    assert [round(place(train, t)[2], 1) for t in (0, 10)] == [1, 10]
    (bird,) = read("a bird rises on the right")
    assert place(bird, 10)[1] > place(bird, 0)[1]
    (lamp,) = read("a motorbike comes closer from the right and goes away to the left")
    assert place(lamp, 5)[2] < 2 < min(place(lamp, 0)[2], place(lamp, 10)[2])


@pytest.mark.parametrize(
    ("words", "on_s"),
    [
        ("for the first three seconds", (0, 3)), ("after 5 seconds", (5, 10)), ("from 2 to 4 seconds", (2, 4)),
        ("between 2 and 4 s", (2, 4)), ("until 3 s", (0, 3)), ("at the end", (8, 10)), ("starting at 6 seconds", (6, 10)),
        ("for the last 2 seconds", (8, 10)), ("in the second half", (5, 10)), ("2-4 s", (2, 4)), ("for 2 seconds", (0, 2)),
        ("for 2 seconds after 3 seconds", (3, 5)), ("", (0, 10)),
    ],
)  # fmt: skip
def test_times(words, on_s):
    (dog,) = read(f"a dog barks on the left {words}")
    assert sounding(dog) == pytest.approx(on_s, abs=0.03)
    assert azimuth(dog, sum(on_s) / 2) == pytest.approx(90)


def test_then_is_a_step_for_one_source_and_a_turn_for_two():
    (dog,) = read("a dog barks on the left, then on the right")
    assert [round(azimuth(dog, t)) for t in (0, 4.9, 5.1, 10)] == [90, 90, -90, -90]
    assert sounding(dog) == (0, 10)
    dog, cat = read("a dog barks on the left, then a cat meows on the right")
    assert sounding(dog)[1] == pytest.approx(5, abs=0.03)
    assert sounding(cat)[0] == pytest.approx(5, abs=0.03)
    dog, cat = read("for the first 2 seconds a dog barks, then a cat meows")
    assert sounding(cat) == pytest.approx((2, 10), abs=0.03)


def test_a_time_that_opens_a_sentence_holds_for_all_of_it():
    a, b, c = read("After 5 seconds, a dog barks on the left; a cat meows behind. A frog croaks.")
    assert [round(sounding(source)[0]) for source in (a, b, c)] == [5, 5, 0]


def test_off_screen_and_all_around():
    (dog,) = read("off screen left, a dog barks")
    assert not dog.visible.any()
    rain, bird = read("rain all around me, a bird in front")
    assert rain.spread_deg.max() >= 180 and bird.spread_deg.max() == 0


# --- typing errors, other scripts, notes -----------------------------------------------------------------------


@pytest.mark.parametrize("word", ["rihgt", "rigth", "riht", "rigt", "rightt"])
def test_typing_errors_are_corrected_and_said(word):
    reading = read_prompt(f"a dog barks on the {word}", 10)
    assert azimuth(reading.scene.sources[0]) == pytest.approx(-90)
    assert any(word in note and "right" in note for note in reading.notes)


def test_ordinary_words_are_no_typing_errors():
    """Nouns one slip away from a place word stay what they are; so does every word of the vocabulary."""
    for word in (
        "light",
        "night",
        "lift",
        "bear",
        "hear",
        "fight",
        "bark",
        "frost",
        "oven",
        "frog",
        "movie",
        "whale",
        "form",
    ):
        assert corrected(["a", word, "sounds"], 1) is None, word
    assert all(corrected([word], 0) is None for word in known_words() | PLACE_WORDS)
    assert [s.label for s in read("the light hums overhead, a lift dings on the left at night")] == [
        "light humming",
        "lift dinging",
    ]


def test_edit_distance():
    for a, b, distance in [("right", "rihgt", 1), ("left", "lift", 1), ("behind", "bhind", 1), ("a", "a", 0)]:
        assert edit_distance(a, b, 2) == edit_distance(b, a, 2) == distance
    assert edit_distance("front", "behind", 2) == 3


def test_emoji_and_control_characters_are_said_and_ignored():
    reading = read_prompt("a dog\x00\x1b barks\u200b on 🐶 the\tleft 🎸", 10)
    assert [s.label for s in reading.scene.sources] == ["dog barking"]
    assert any("🐶" in note for note in reading.notes)


def test_no_place_is_the_centre_and_says_so():
    reading = read_prompt("a piano plays", 10)
    np.testing.assert_allclose(place(reading.scene.sources[0]), (0, 0, 2), atol=1e-9)
    assert any("piano" in note for note in reading.notes)


def test_what_changed_nothing_is_told():
    assert read_prompt("a dog barks in the kitchen on the left", 10).not_understood == ("in the kitchen",)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("", ()), ("   \n", ()), ("!!! ... 12", ()), ("the and of", ()), ("犬が左で吠える", ()), ("🐶🐱", ()),
        ("a " * 1001, ("2002", "2000")), (", ".join(f"a dog at {k + 1} degrees left" for k in range(17)), ("17", "16")),
        ("a dog at elevation 200", ("elevation 200",)), ("a dog at 15 o'clock", ("15 o'clock",)),
        ("a dog 500 degrees left", ("500 degrees",)), ("a dog 1000000 degrees left", ("1000000 degrees",)),
        ("a dog 2000000 metres away", ("2000000 metres",)), ("a dog -3 metres away", ("-3 metres",)), ("a dog 0 m away", ("0 m",)),
        ("a dog on the left and on the right", ("on the left", "on the right")),
        ("a dog on the left, behind and in front", ("behind", "in front")),
        ("a dog at 3 o'clock on the left", ("3 o'clock", "on the left")), ("a dog nearby, far away", ("nearby", "far away")),
        ("a dog above me and below me", ("above", "below")), ("a dog 3 m away, 5 m away", ("3 m", "5 m")),
        ("a cat left of the dog, the dog left of the cat", ("cat", "dog")),
        ("a dog from 4 to 2 seconds", ("4 to 2",)), ("a dog after 20 seconds", ("after 20 seconds",)),
        ("a piano in the centre; a dog left of the piano and right of the piano", ("left of", "right of")),
    ],
)  # fmt: skip
def test_refused_in_one_line_that_quotes(text, quoted):
    with pytest.raises(InputError) as error:
        read_prompt(text, 10)
    message = str(error.value)
    assert "\n" not in message and len(message) < 400
    assert all(words in message for words in quoted)


@pytest.mark.parametrize("duration", [0, -1, float("nan"), float("inf"), 1e9])
def test_bad_duration(duration):
    with pytest.raises(InputError, match="duration"):
        read_prompt("a dog", duration)


# --- prompts of another hand ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bench():
    """`scripts/bench/prompts.py`: one way to score for the tests and for who measures."""
    path = Path(__file__).parents[1] / "scripts" / "bench" / "prompts.py"
    if not path.is_file():
        pytest.skip("no scripts beside the tests")
    spec = importlib.util.spec_from_file_location("bench_prompts", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name",
    [
        "prompts",
        "prompts_dev2",
        "prompts_held2",
        "prompts_other",
        "prompts_dev3",
        "prompts_dev4",
        "prompts_dev5",
        "prompts_held5",
        "prompts_dev6",
        "prompts_dev7",
        "prompts_dev8",
        "prompts_dev9",
        "prompts_dev10",
    ],
)
def test_prompts_with_known_answers(bench, name):
    """Goals of the issue: sides right in 97 %, azimuth within 15 degrees in 90 %. Missed sources count as wrong."""
    result = bench.score(DATA / f"{name}.jsonl")
    assert len(result.figures["side"]) > 60 and len(result.figures["azimuth"]) > 60
    assert result.rate("side") >= 0.97
    assert result.rate("azimuth") >= 0.96
    assert result.rate("end") >= 0.93
    assert result.rate("refused") >= 0.99


# --- nothing breaks it ------------------------------------------------------------------------------------------


def random_text(rng: random.Random, vocabulary: list[str]) -> str:
    if rng.random() < 0.2:
        blocks = [(32, 127), (0, 0x3000), (0x1F300, 0x1FAFF)]
        return "".join(chr(rng.randrange(*rng.choice(blocks))) for _ in range(rng.randrange(1, 200)))
    return " ".join(rng.choice(vocabulary) for _ in range(rng.choice([3, 6, 12, 25, 60])))


def test_word_salad_gives_a_scene_or_one_line():
    """2,000 texts of its own vocabulary and of random characters: a valid scene or an `InputError`, quickly."""
    common = ["dog", "cat", "a", "the", "left", "right", "of", "from", "to", "and", "with", ",", ".", ";", ":", "(", ")", "30",
              "-5", "2", "degrees", "o'clock", "metres", "seconds", "then", '"front door"', '"', "each", "she", "it", "who",
              "'s", "between", "first", "behind", "5", "%"]  # fmt: skip
    vocabulary = sorted(PLACE_WORDS | known_words()) + common * 12
    rng = random.Random(5)
    took: list[float] = []
    refused: list[str] = []
    for _ in range(2000):
        text = random_text(rng, vocabulary)
        started = time.perf_counter()
        try:
            reading = read_prompt(text, rng.choice([0.1, 1.0, 10.0, 3600.0]))
        except InputError as error:
            refused.append(str(error))
        else:
            assert isinstance(scene_from_dict(scene_to_dict(reading.scene)), Scene)
            assert 1 <= len(reading.scene.sources) <= 16
        took.append(time.perf_counter() - started)
    assert not any("\n" in message for message in refused)
    assert np.median(took) < 0.05


# --- the command ------------------------------------------------------------------------------------------------


def invoke(*arguments: object):
    from click.testing import CliRunner

    from foleyspace.cli.prompt import command

    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_command_shows_and_saves(tmp_path):
    out = tmp_path / "scene.json"
    result = invoke(
        "a dog barks on the rihgt, a bee circles around me from 2 to 6 seconds", "-o", out, "--duration", 8
    )
    assert result.exit_code == 0, result.output
    assert "dog barking" in result.output and "right (-90)" in result.output
    assert "2 to 6 s" in result.output and "rihgt" in result.output
    scene = Scene.load(out)
    assert scene.duration == 8.0 and [source.label for source in scene.sources] == ["dog barking", "bee"]
    again = invoke("a dog", "-o", out)
    assert isinstance(again.exception, InputError) and Scene.load(out).duration == 8.0
    assert invoke("a dog", "-o", out, "--overwrite").exit_code == 0


def test_command_json():
    result = invoke("a dog barks in the kitchen on the left", "--json")
    document = json.loads(result.output)
    assert document["sources"][0]["azimuth_deg"] == [90.0]
    assert document["not_understood"] == ["in the kitchen"]
    assert isinstance(invoke("").exception, InputError)


@pytest.mark.parametrize(
    ("words", "motion"),
    [
        ("a bee circles around me three times", "turns 3 times around"),
        ("a bee buzzes back and forth", "between left (90) and right (-90)"),
        ("a plane flies in a figure of eight in front of me", "between left (90) and right (-90)"),
    ],
)
def test_command_tells_circles_from_what_goes_to_and_fro(words, motion):
    result = invoke(words)
    assert result.exit_code == 0, result.output
    assert motion in result.output
    assert "not understood" not in result.output
