"""The report says in words what the factors say in figures: what decided, what lost and why, what to type."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from test_report import STILLS, Collector

from foleyspace.evidence import Evidence
from foleyspace.report import write_report
from foleyspace.report_why import FACTORS, MAX_RIVALS, MAX_SOURCES, explain
from foleyspace.types import Scene, Source, Track

TIMES = np.linspace(0, 8, 81)


def evidence(identity, label="car", start=0.0, end=8.0, share=0.0, **factors):
    """All factors alike but those given; the score is their product unless given."""
    values = {name: 1.0 if name in ("affinity", "synchrony") else 0.5 for name in FACTORS}
    values |= {name: value for name, value in factors.items() if name in FACTORS}
    rest = {name: value for name, value in factors.items() if name not in FACTORS}
    score = rest.pop("score", math.prod(values.values()))
    return Evidence(
        identity, label, start, end, **values, **{"handled": False, **rest}, score=score, share=share
    )


def source(identity, label="car", gain=1.0, start=0.0, end=8.0):
    times = np.linspace(start, end, 21)
    xyz = np.tile([3.0, 1.0, 0.0], (21, 1))
    return Source(identity, label, times, xyz, gain_db=np.full(21, 20 * np.log10(max(gain, 1e-5))))


def track(identity, offset=(0.0, 0.0), std=None):
    box = np.tile([0.2, 0.2, 0.6, 0.7], (81, 1))
    focus = np.array([0.4, 0.45]) + np.array(offset) * [0.4, 0.5] + np.zeros((81, 2))
    spread = None if std is None else np.tile([std, std], (81, 1))
    return Track(identity, "car", TIMES, box, focus, 0 * TIMES + 1, 0 * TIMES + 1, focus_std=spread)


def scene(*sources):
    return Scene(sources, 8.0)


CAR = evidence("car-1.1", affinity=2.1, motion=0.9, share=0.9)
DOG = evidence("dog-1.2", "dog", affinity=0.4, motion=0.3, size=0.8, share=0.1)


CAR_SOUNDS = (source("car-1.1"),)


def explained(*rows, sources=CAR_SOUNDS, tracks=(), **more):
    return explain(scene(*sources), tracks, rows, **more)


def test_the_sentence_is_made_of_what_decided():
    (card,) = explained(CAR, DOG)["sources"]
    because = card["because"]
    assert because.startswith("Chosen: a car sounds like what is heard (x2.1), moves more")
    assert "though it is smaller than dog-1.2" in because  # the one thing against it
    assert "middle" not in because and "longer" not in because  # alike in these: nothing to say
    (rival,) = card["rivals"]
    assert rival["why"].startswith(
        "fits what is heard less (x0.4 against x2.1), moves less (0.3 against 0.9)"
    )
    assert rival["why"].endswith("though it is larger")
    assert rival["gets"] == "no sound"
    assert rival["option"] == "--source dog-1.2"


@pytest.mark.parametrize("name", FACTORS)
def test_every_factor_can_be_the_reason(name):
    high, low = evidence("a", **{name: 0.9}), evidence("b", **{name: 0.4})
    (card,) = explained(high, low, sources=(source("a"),))["sources"]
    assert card["because"].count(",") == 0 and "about as much" not in card["because"]
    (rival,) = card["rivals"]
    assert "0.4 against" in rival["why"] and "though" not in rival["why"]
    # and turned round, it is what speaks against the one that was taken
    (card,) = explained(high, low, sources=(source("b"),))["sources"]
    assert "; though it " in card["because"]


def test_most_of_all_only_with_several_to_beat():
    second = replace(DOG, id="dog-1.3", motion=0.8)
    assert "moves more" in explained(CAR, DOG)["sources"][0]["because"]
    assert "moves most" in explained(CAR, DOG, second)["sources"][0]["because"]
    faster = replace(DOG, id="dog-1.3", motion=0.95)
    assert "moves most" not in explained(CAR, DOG, faster)["sources"][0]["because"]


def test_only_those_of_the_same_shot_and_time_compete():
    later = replace(DOG, id="dog-2.1", start=4.0, end=8.0)
    car = replace(CAR, end=4.0)
    assert explained(car, later, cuts=(4.0,))["sources"][0]["rivals"] == []
    assert explained(car, replace(later, start=3.0), cuts=(2.0,))["sources"][0]["rivals"] == []
    card = explained(car, replace(later, start=3.0))["sources"][0]
    assert [rival["id"] for rival in card["rivals"]] == ["dog-2.1"]
    alone = explained(car, later, cuts=(4.0,))["sources"][0]["because"]
    assert alone == "Chosen: a car sounds like what is heard (x2.1), nothing else is seen at that time."


def test_two_that_share_the_sound():
    rows = (CAR, DOG)
    why = explained(*rows, sources=(source("dog-1.2", "dog", 0.2), source("car-1.1", gain=0.8)))
    first, second = why["sources"]
    assert (first["id"], first["share"]) == ("car-1.1", "80%")
    assert first["rivals"][0]["gets"] == "20% of the sound"
    assert second["because"].startswith("Sounds too, beside car-1.1:")
    assert second["rivals"] == []  # told with the first


def test_what_is_handled_and_held():
    person = evidence("person-1.1", "person", score=0.1, motion=0.9)
    thing = evidence("chair-1.2", "chair", score=0.3, handled=True)
    (card,) = explained(person, thing, sources=(source("chair-1.2", "chair"),))["sources"]
    assert "a person handles it and leaves the sound to it" in card["because"]
    person = replace(person, score=0.5 * math.prod(getattr(person, n) for n in FACTORS))
    (card,) = explained(person, thing, sources=(source("chair-1.2", "chair"),))["sources"]
    assert card["rivals"][0]["why"].startswith("leaves the sound to what they handle")
    holder = evidence("person-1.1", "person", held=(-0.4, 0.2), motion=0.9)
    small = evidence("cup-1.2", "cup", handled=True, score=0.4 * holder.score)
    (card,) = explained(
        holder, small, sources=(source("person-1.1"),), tracks=[track("person-1.1", (-0.3, 0))]
    )["sources"]
    assert card["place"] == [
        "Something is seen in this person's hands, 40% of the width left of and 20% of the height below the middle "
        "of the box.",
        "The sound is placed 30% of the width left of the middle of the box.",
    ]
    assert "handles" not in card["because"]
    assert card["rivals"][0]["why"].startswith("is in the person's hands")


def test_how_sure_the_place_is():
    (card,) = explained(CAR, tracks=[track("car-1.1", (0, -0.2), std=0.032)])["sources"]
    assert card["place"] == [
        "The sound is placed 20% of the height above the middle of the box, sure to ±3.2 % of the picture's width."
    ]


def test_overruled_by_a_person():
    why = explained(CAR, DOG, sources=(source("dog-1.2", "dog"),), chosen=("dog-1.2",), said="bark")
    (card,) = why["sources"]
    assert card["because"] == "Chosen by you, with --source."
    assert card["rivals"][0]["why"] == "set aside, --source names another"
    assert why["said"] == "bark" and why["heard"] == []
    # what is chosen in one shot does not concern another
    later = replace(CAR, id="car-2.1", start=4.0), replace(DOG, id="dog-2.2", start=4.0)
    early = replace(CAR, end=4.0), replace(DOG, end=4.0)
    sources = (source("car-1.1", end=4.0), source("dog-2.2", "dog", start=4.0))
    cards = explained(*early, *later, sources=sources, cuts=(4.0,), chosen=("dog-2.2",))["sources"]
    assert "with --source" not in cards[0]["because"] and "with --source" in cards[1]["because"]
    said = explained(CAR, DOG, said="engine")["sources"][0]
    assert "sounds like what is said" in said["because"]


def test_nobody_and_nothing():
    centre = Source("centre", "centre", [0.0], [[3.0, 0, 0]])
    why = explained(evidence("b", prior=0.05), evidence("a", motion=0.1, prior=0.6), sources=(centre,))
    assert why["sources"] == []
    assert [entry["id"] for entry in why["nobody"]] == ["a", "b"]
    assert "motion 0.1" in why["nobody"][0]["why"] and "class 0.05" in why["nobody"][1]["why"]
    assert explained() is None


def test_a_long_film_is_cut_short():
    rows = [evidence(f"car-1.{k}", motion=k / 200) for k in range(100)]
    why = explained(*rows, sources=[source(f"car-1.{k}", gain=0.01 + k / 100) for k in range(100)])
    assert len(why["sources"]) == MAX_SOURCES and why["more"] == 100 - MAX_SOURCES
    assert why["sources"][0]["id"] == "car-1.99"
    assert len(why["sources"][0]["rivals"]) == MAX_RIVALS and why["sources"][0]["others"] == 99 - MAX_RIVALS


def test_options_can_be_typed_as_they_stand():
    import shlex

    odd = "o'clock & <b>-1.1"
    why = explained(evidence(odd, odd), CAR)
    assert shlex.split(why["sources"][0]["rivals"][0]["option"]) == ["--source", odd]
    assert shlex.split(explained(evidence(odd, odd), sources=(source(odd, odd),))["by_sound"]) == [
        "--sound",
        odd,
    ]


def test_the_page_tells_it(tmp_path):
    from fractions import Fraction
    from pathlib import Path

    from foleyspace.types import Clip

    nasty = "<script>alert(1)</script>"
    clip = Clip(Path("film.mp4"), Fraction(25), np.arange(200) / 25, (854, 480), 8.0, None)
    rows = [CAR, replace(DOG, label=nasty, held=(0.25, -0.5))]
    write_report(
        tmp_path / "r.html",
        clip=clip,
        tracks=[track("car-1.1", std=0.02)],
        scene=scene(source("car-1.1")),
        evidence=rows,
        heard=[("engine", 0.41), (nasty, 0.2)],
        stills=STILLS,
    )
    page = Collector((tmp_path / "r.html").read_text(encoding="utf-8"))
    text = " ".join(" ".join(page.text).split())
    for piece in (
        "engine 41%", "Chosen: a car sounds like what is heard (x2.1)", "fits what is heard less (x0.4 against x2.1)",
        "--source dog-1.2", "--sound car", "±2.0 %", "in step", "+0.25, -0.50",
    ):  # fmt: skip
        assert piece in text, piece
    assert "script" not in page.tags
    assert text.count(nasty) >= 3
