"""Questions from scenes, their answers, and what a listener's answers say of a system."""

from __future__ import annotations

import logging
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from foleyspace.camera import angles_to_xyz
from foleyspace.errors import InputError
from foleyspace.evaluation import understanding
from foleyspace.evaluation.ask_model import ask_model, reading_table
from foleyspace.evaluation.items import Item
from foleyspace.evaluation.questions import answers, askable, make_questions, scene_reading
from foleyspace.evaluation.scores import MEASURES
from foleyspace.evaluation.summary import Result, groups, markdown
from foleyspace.evaluation.understanding import (
    direction_error_deg,
    sides_right,
    understand,
    when_sounding,
)
from foleyspace.language_model import LanguageModel, load_language_model
from foleyspace.metrics.listener import Reading
from foleyspace.types import Audio, Scene, Source

RATE = 48000
NO_VECTORS = {name: {"content": np.zeros((0, 2)), "cues": np.zeros((0, 2))} for name in ("truth", "a")}
TIMES = (np.arange(24) + 0.5) * 4096 / RATE
DURATION = 2.0


def at(label, azimuth, elevation=0.0, distance=3.0, **more) -> Source:
    """At rest, or on its way between two azimuths."""
    ends = np.atleast_1d(np.asarray(azimuth, float))
    angles = np.stack([ends, np.full(len(ends), elevation)], axis=-1)
    times = np.linspace(0, DURATION, len(ends)) if len(ends) > 1 else [0.0]
    return Source(
        label + str(azimuth), label, times, angles_to_xyz(angles, np.full(len(ends), distance)), **more
    )


def asked(*sources, seed=0):
    return make_questions(scene_reading(Scene(sources, DURATION), TIMES), seed)


def answered(topic, *sources, seed=0):
    """By topic and who is named: the answer as a person would give it."""
    return [(q.text, q.answer) for q in asked(*sources, seed=seed) if q.topic == topic]


# --- what a scene answers


@pytest.mark.parametrize(
    ("azimuth", "answer"),
    [
        (0, "front"),
        (30, "front"),
        (70, "left"),
        (110, "left"),
        (-90, "right"),
        (170, "behind"),
        (-150, "behind"),
    ],
)
def test_direction(azimuth, answer):
    (question,) = (q for q in asked(at("dog", azimuth)) if q.kind == "direction")
    assert question.answer == answer
    assert "dog" in question.text
    assert set(question.choices) == {"left", "right", "front", "behind"}


@pytest.mark.parametrize(("distance", "answer"), [(0.4, "near"), (0.95, "near"), (2.1, "far"), (20, "far")])
def test_distance(distance, answer):
    (question,) = (q for q in asked(at("dog", 0, distance=distance)) if q.kind == "distance")
    assert question.answer == answer


@pytest.mark.parametrize("seed", range(6))
def test_relative_position(seed):
    """Whoever is named first."""
    dog, cat = at("dog", 40, distance=0.5), at("cat", -20, 40, distance=4)
    ((text, left),) = answered("left", dog, cat, seed=seed)
    assert left == ("yes" if text.index("dog") < text.index("cat") else "no")
    assert answered("nearer", dog, cat, seed=seed)[0][1] == "dog"
    assert answered("above", dog, cat, seed=seed)[0][1] == "cat"


def test_the_seed_draws_wording_and_order():
    pair = at("dog", 40), at("cat", -20)
    assert asked(*pair, seed=3) == asked(*pair, seed=3)
    said = {answered("left", *pair, seed=seed)[0] for seed in range(20)}
    assert len({text for text, _ in said}) == 4 and {answer for _, answer in said} == {"yes", "no"}


@pytest.mark.parametrize(
    ("source", "topic"),
    [
        (at("dog", 45), "where"),  # between front and left
        (at("dog", (80, -80)), "where"),  # passes: a third of the time nowhere clearly
        (at("dog", 0, distance=1.4), "how far"),
    ],
)
def test_what_the_scene_leaves_open_is_not_asked(source, topic):
    assert topic not in {q.topic for q in asked(source)}


def test_what_is_too_alike_is_not_compared():
    topics = {q.topic for q in asked(at("dog", 10, 5, 0.9), at("cat", 0, -5, 1.1))}
    assert not topics & {"left", "nearer", "above"}
    far = asked(at("dog", 90, 0, 3), at("cat", 0, 0, 20))
    assert "nearer" not in {q.topic for q in far}  # dry sound does not tell metres beyond the first


def test_only_moments_that_sound_count():
    scene = Scene((at("dog", (80, -80)),), DURATION)
    early = (TIMES < 0.5)[None].astype(float)
    (question,) = (q for q in make_questions(scene_reading(scene, TIMES, early)) if q.kind == "direction")
    assert question.answer == "left"
    gone = at("dog", 80, gain_db=[-120.0])
    assert not asked(gone)


def test_who_can_be_asked_about(caplog):
    wide = at("rain", 0, spread_deg=[360.0])
    sources = (at("dog", 0), at("Cat", 10), at("cat", 90), at("?!", 50), wide)
    with caplog.at_level(logging.ERROR, "foleyspace"):
        kept = askable(Scene(sources, DURATION)).sources
    assert [source.label for source in kept] == ["dog"]


# --- what a reading answers

SCENE = Scene((at("dog", 80, 0, 0.5), at("cat", 0, 30), at("flute", (-170, -120), 0, 5)), DURATION)


def faultless() -> Reading:
    return scene_reading(SCENE, TIMES)


def turned(reading: Reading, *signs: int) -> Reading:
    return replace(reading, xyz=reading.xyz * np.array(signs))


def right(reading: Reading) -> dict[str, bool]:
    questions = make_questions(faultless())
    pairs = zip(questions, answers(reading, questions), strict=True)
    return {f"{q.topic} {'-'.join(map(str, sorted(q.about)))}": a == q.answer for q, a in pairs}


def test_a_faultless_listener_answers_all():
    assert len(right(faultless())) > 8 and all(right(faultless()).values())


def test_a_mirrored_listener_errs_about_sides_only():
    told = right(turned(faultless(), 1, -1, 1))
    assert not told["where 0"] and told["where 1"]
    for topic, is_right in told.items():
        if topic.startswith("left"):
            assert not is_right, topic
        if topic.startswith(("above", "how far", "nearer")):
            assert is_right, topic


def test_what_is_heard_while_it_does_not_sound_is_no_answer():
    reading = faultless()
    first = TIMES < 1
    xyz = np.where(first[:, None], reading.xyz, reading.xyz * [-1, -1, -1])
    assert all(
        right(replace(reading, xyz=xyz, sounding=np.where(first, 0.9, 0.1) * reading.sounding)).values()
    )
    assert not all(
        right(replace(reading, xyz=xyz, sounding=np.where(first, 0.1, 0.9) * reading.sounding)).values()
    )


# --- figures


def test_angles_and_sides():
    wanted = faultless()
    assert direction_error_deg(wanted, wanted) == pytest.approx(0, abs=1e-4)
    behind = turned(wanted, -1, -1, -1)
    assert direction_error_deg(behind, wanted) == pytest.approx(180, abs=1e-4)
    assert sides_right(wanted, wanted).tolist() == [True, True, True]
    assert sides_right(turned(wanted, -1, 1, 1), wanted).all()  # behind is on the same side
    assert sides_right(turned(wanted, 1, -1, 1), wanted).tolist() == [False, True, False]


def test_the_side_is_that_of_most_of_the_time():
    wanted = scene_reading(Scene((at("dog", 60),), DURATION), TIMES)
    half = np.where((TIMES < 1.2)[:, None], wanted.xyz, wanted.xyz * [1, -1, 1])
    assert sides_right(replace(wanted, xyz=half), wanted).all()
    late = np.where((TIMES < 0.8)[:, None], wanted.xyz, wanted.xyz * [1, -1, 1])
    assert not sides_right(replace(wanted, xyz=late), wanted).any()


def test_a_source_sounds_when_its_stem_does():
    stems = np.zeros((2, round(DURATION * RATE)), np.float32)
    stems[0, : RATE // 2] = 0.1
    on = when_sounding(faultless(), stems)
    assert on[0].tolist() == (TIMES - TIMES[0] < 0.5).tolist()
    assert on[1].all()  # silent: taken as sounding throughout
    quiet = replace(faultless(), sounding=np.full((3, len(TIMES)), 0.1))
    assert when_sounding(quiet, None).all()


def item(scene=SCENE) -> Item:
    n = round(DURATION * RATE)
    return Item("i", Audio(np.zeros((1, n)), RATE), Audio(np.zeros((2, n)), RATE), scene, None, None)  # type: ignore[arg-type]


@pytest.fixture
def told(monkeypatch):
    """A listener that hears what the sound's first sample stands for."""
    readings = {0: faultless(), 1: turned(faultless(), 1, -1, 1), 2: turned(faultless(), -1, 1, 1)}
    monkeypatch.setattr(understanding, "hear_where", lambda sound, rate, labels: readings[int(sound[0, 0])])

    def sounds(**which):
        return {name: np.full((2, 8), float(number)) for name, number in which.items()}

    return sounds


def test_figures_of_systems(told):
    figures = understand(item(), told(truth=0, good=0, mirror=1))
    for name in ("truth", "good"):
        for key in ("QA direction", "QA distance", "QA relative", "LCR object", "LCR clip"):
            assert figures[name][key] == 100, key
    assert figures["good"]["DOA gap"] == 0 and figures["good"]["QA as truth"] == 100
    mirror = figures["mirror"]
    assert mirror["QA distance"] == 100 and mirror["QA direction"] < 100 and mirror["QA relative"] < 100
    assert mirror["LCR object"] == pytest.approx(100 / 3) and mirror["LCR clip"] == 0
    assert mirror["DOA gap"] == pytest.approx(mirror["DOA"]) and mirror["DOA"] > 40
    known = {measure.key for measure in MEASURES}
    assert set(mirror) <= known


def test_the_gap_is_what_the_system_adds_to_the_listener_s_own_error(told):
    """This listener takes front for behind, whatever it hears."""
    figures = understand(item(), told(truth=2, same=2, true=0))
    assert figures["truth"]["DOA"] > 20
    assert figures["same"]["DOA gap"] == 0 and figures["same"]["QA as truth"] == 100
    assert figures["true"]["DOA gap"] == pytest.approx(-figures["truth"]["DOA"], abs=1e-4)


def test_a_scene_without_known_labels_has_no_figures(told, caplog):
    with caplog.at_level(logging.ERROR, "foleyspace"):
        assert understand(item(Scene((at("?!", 0),), DURATION)), told(truth=0)) == {}


def test_tables_say_how_well_the_listener_hears_the_truth():
    each = [
        Result(
            str(i),
            ("dog",),
            {"truth": {"QA direction": 75.0}, "a": {"QA direction": 50.0, "DOA gap": 4.0}},
            {},
            {},
            1.0,
            1.0,
        )
        for i in range(2)
    ]
    text = markdown(groups([replace(r, vectors=NO_VECTORS) for r in each], ["a"], 0), ["a"])
    rows = {row.split("|")[1].strip(): row for row in text.splitlines() if row.startswith("|")}
    assert "50.0" in rows["QA direction % ↑"] and "(truth 75.0)" in rows["QA direction % ↑"]
    assert "4.0" in rows["DOA gap ° ↓"] and "truth" not in rows["DOA gap ° ↓"]


# --- a language model


def test_the_table_says_what_was_heard():
    rows = [row.split(" | ") for row in reading_table(faultless()).splitlines()[1:]]
    assert [row[1] for row in rows] == ["dog", "cat", "flute"] * 3  # 0, 1 and 2 s
    assert rows[0] == ["0", "dog", "100", "80", "0", "0.5"]
    assert float(rows[2][3]) == pytest.approx(-157, abs=3) and float(rows[5][3]) > -140


def asks(folder):
    return load_language_model(str(folder), option="ask", instead="the rule answers", offline=True)


def test_a_model_answers_with_one_of_the_choices(letters_model):
    model, table = asks(letters_model), reading_table(faultless())
    for question in make_questions(faultless()):
        said = ask_model(table, question, model)
        assert said in question.choices
        assert said == ask_model(table, question, asks(letters_model))


def test_the_likeliest_choice_wins_whatever_its_length():
    """A model that finds one letter likely and all others alike."""
    import torch

    def net(tokens):
        logits = torch.zeros((*tokens.shape, 128))
        logits[..., ord(liked[-1])] = 3.0
        return SimpleNamespace(logits=logits)

    liked: list[str] = []
    net.device = "cpu"
    tokenizer = lambda text, **_: {"input_ids": [ord(c) for c in text]}  # noqa: E731
    model = LanguageModel("m", tokenizer, net)
    question = next(q for q in make_questions(faultless()) if q.topic == "where")
    for letter, answer in (("g", "right"), ("b", "behind"), ("o", "front")):
        liked.append(letter)
        assert ask_model(reading_table(faultless()), question, model) == answer


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"`ask` is .* but must be a causal language model"):
        asks(tmp_path)
    with pytest.raises(InputError, match="there is no such folder"):
        asks(tmp_path / "nowhere")


def test_where_no_hub_answers_it_does_without(caplog):
    with caplog.at_level(logging.WARNING, "foleyspace"):
        assert asks("nobody/no-such-model") is None
    (record,) = caplog.records
    assert "`ask` nobody/no-such-model is not used" in record.getMessage()
    assert "the rule answers" in record.getMessage()


def test_a_model_in_place_of_the_listener(told, letters_model):
    figures = understand(item(), told(truth=0, good=0), model=asks(letters_model))
    assert figures["good"]["QA as truth"] == 100  # it reads the same table
    assert figures["good"]["LCR object"] == 100  # not asked of it
