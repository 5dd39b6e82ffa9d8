"""Listening to whole tracks: streaming, silence, and likelihood ratios that mean what they say."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from foleyspace import hearing as module
from foleyspace.errors import InputError
from foleyspace.hearing import (
    RATIO_LIMITS,
    Hearing,
    affinity,
    agreement,
    hear_sound,
    heard_vocabulary,
    heard_words,
    kinds,
    label_log_ratio,
)
from foleyspace.label_sounds import LABEL_KINDS, LABEL_SOUNDS, kinds_of, sounds_of
from foleyspace.tagger import KINDS, load_tagger
from foleyspace.tagger_calibration import (
    MADE_BY,
    Evidence,
    cross_validated,
    fit_affinity,
    fit_kinds,
    makes,
    reliability,
)
from foleyspace.tagger_data import Sound, held_aside

RATE = 32000


@pytest.fixture(scope="module")
def tagger():
    return load_tagger(offline=True)


def changing_noise(seconds, rate=RATE):
    rng = np.random.default_rng(0)
    t = np.arange(int(seconds * rate)) / rate
    return (
        rng.normal(0, 0.1, len(t)) * (1 + np.sin(2 * np.pi * 0.37 * t))
        + 0.1 * np.sin(2 * np.pi * 300 * t * t)
    ).astype(np.float32)


def test_a_stream_in_blocks_gives_what_the_whole_gives(tagger, monkeypatch):
    x = changing_noise(13.3)
    whole = tagger.embed(x, RATE)[1]
    monkeypatch.setattr(module, "CHUNK_HOPS", 5)
    cuts = np.random.default_rng(1).integers(0, len(x), 40)
    heard = hear_sound(np.split(x, np.sort(cuts)), tagger, rate=RATE)
    assert heard.vectors.shape == whole.shape
    assert np.allclose(heard.vectors, whole, atol=1e-4)


def test_a_file_and_its_samples_are_heard_alike(tagger, tmp_path):
    x = changing_noise(3.0, 44100)
    soundfile.write(tmp_path / "x.wav", x, 44100, subtype="FLOAT")
    from_file, from_samples = hear_sound(tmp_path / "x.wav", tagger), hear_sound(x, tagger, rate=44100)
    assert np.allclose(from_file.vectors, from_samples.vectors, atol=1e-3)
    assert np.allclose(from_file.level_db, from_samples.level_db, atol=0.01)


def test_levels_are_those_of_the_samples(tagger):
    x = np.zeros(RATE * 4, np.float32)
    x[RATE * 2 :] = np.sqrt(2) * 0.1 * np.sin(2 * np.pi * 500 * np.arange(RATE * 2) / RATE)
    heard = hear_sound(x, tagger, rate=RATE)
    inside = heard.times > 2 + tagger.hop_s
    assert np.allclose(heard.level_db[inside], -20, atol=0.05)
    assert (heard.level_db[heard.times < 2 - tagger.hop_s] == -120).all()


def test_silence_says_nothing(tagger):
    heard = hear_sound(np.zeros(RATE * 2, np.float32), tagger, rate=RATE)
    assert (affinity(heard, ["person", "dog", "guitar"]) == 1).all()
    assert np.allclose(kinds(heard), 1 / len(KINDS))
    assert heard_words(heard) == []


def test_quiet_stretches_beside_loud_ones_say_nothing(tagger):
    x = changing_noise(8.0)
    x[: RATE * 4] *= 10 ** (-60 / 20)
    heard = hear_sound(x, tagger, rate=RATE)
    ratio = affinity(heard, ["person", "dog", "guitar", "car"])
    assert (ratio[heard.times < 4 - tagger.window_s] == 1).all()
    assert (abs(np.log(ratio[heard.times > 4 + tagger.window_s])) > 0.05).any()


def test_shapes_and_limits(tagger):
    heard = hear_sound(changing_noise(3.0), tagger, rate=RATE)
    ratio = affinity(heard, ["person", "dog", "sports ball", "moving object", "instrument"])
    assert ratio.shape == (len(heard.times), 5)
    assert (ratio >= RATIO_LIMITS[0] - 1e-9).all() and (ratio <= RATIO_LIMITS[1] + 1e-9).all()
    assert affinity(heard, []).shape == (len(heard.times), 0)
    assert np.allclose(kinds(heard).sum(axis=1), 1)
    words = heard_words(heard, top=len(heard_vocabulary()))
    assert sum(p for _, p in words) == pytest.approx(1, abs=1e-6)
    assert [p for _, p in words] == sorted((p for _, p in words), reverse=True)


def test_ratios_average_to_one_over_sounds_of_all_sorts(tagger):
    """E[P(heard | label) / P(heard)] = 1 over all that is heard, whatever the label."""
    found = {}
    for label in ("person", "dog", "bird", "guitar", "car", "train", "door", "fire", "drum", "kettle"):
        log_ratio = np.clip(label_log_ratio(tagger.reference, label, tagger), *np.log(RATIO_LIMITS))
        found[label] = np.exp(log_ratio).mean()
    assert all(0.5 < mean < 1.5 for mean in found.values()), found


def test_agreement_is_standardised_over_the_reference(tagger):
    for label in ("dog", "trumpet", "chainsaw"):
        a = agreement(tagger.reference, label, tagger)
        assert a.mean() == pytest.approx(0, abs=1e-6)
        assert a.std() <= 1 + 1e-6


def test_a_label_hears_its_own_words(tagger):
    """The vector of a word itself is the clearest sound of that name there can be."""
    labels = ["dog", "cat", "bird", "guitar", "piano", "train", "car", "trumpet", "clock"]
    heard = tagger.word_vectors(["dog bark", "cat meow", "bird song", "acoustic guitar", "piano", "train whistle",
                                 "car engine", "trumpet", "clock tick"])  # fmt: skip
    found = np.stack([label_log_ratio(heard, label, tagger) for label in labels], axis=1)
    assert (found.argmax(axis=1) == np.arange(len(labels))).all()


def test_bad_input_is_refused(tagger):
    with pytest.raises(InputError, match="`rate` is missing"):
        hear_sound(np.zeros(100, np.float32), tagger)
    with pytest.raises(InputError, match="no samples"):
        hear_sound(np.zeros(0, np.float32), tagger, rate=RATE)
    with pytest.raises(InputError, match="does not exist"):
        hear_sound("no-such-file.wav", tagger)
    with pytest.raises(InputError, match="rows but must have"):
        Hearing(np.arange(3.0), np.zeros((2, 4), np.float32), np.zeros(3), tagger)


def held_of(shared, *classes):
    import csv

    with (shared / "sounds" / "INDEX.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["class"] in classes and held_aside(row["file"])]
    return [shared / "sounds" / row["file"] for row in rows]


def mean_ratio(paths, labels, tagger):
    rows = []
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32")
        rows.append(np.log(affinity(hear_sound(samples, tagger, rate=rate), labels)).mean(axis=0))
    return np.exp(np.mean(rows, axis=0))


def test_sounds_never_trained_on_point_to_their_makers(tagger, shared):
    labels = ["person", "bird", "train", "guitar"]
    speech = mean_ratio(held_of(shared, "speech", "male voice", "female voice"), labels, tagger)
    birds = mean_ratio(held_of(shared, "birds", "rooster", "crow"), labels, tagger)
    assert speech.argmax() == 0 and speech[0] > 1.5
    assert birds.argmax() == 1 and birds[1] > 1.2


# --- words and labels


def test_broad_and_plain_labels():
    assert kinds_of("person") and kinds_of("musical instruments") and not kinds_of("dog")
    assert sounds_of("dogs") == sounds_of("dog") == sounds_of("brown dog")
    assert sounds_of("hot dog") == ("hot dog",)
    assert sounds_of("theremin") == ("theremin",)
    assert all(kind in KINDS for group in LABEL_KINDS.values() for kind in group)
    assert not set(MADE_BY) - set(LABEL_SOUNDS) - set(LABEL_KINDS)


def test_classes_go_by_whole_words():
    def sound(label, kind):
        return Sound("x", label, KINDS.index(kind), 0, ())

    assert makes("cow", sound("cow moo", "animal")) and not makes("cow", sound("cowbell", "instrument"))
    assert makes("person", sound("laughter", "human")) and not makes("person", sound("rain", "environmental"))


# --- calibration, on numbers whose true ratio is known


@pytest.fixture(scope="module")
def gaussian():
    """x ~ N(1, 1) where the label makes the sound, N(0, 1) where not: the log ratio is x - 1/2 exactly."""
    rng = np.random.default_rng(0)
    made = rng.random((6000, 6)) < np.array([0.3, 0.1, 0.05, 0.2, 0.5, 0.02])
    x = rng.normal(made.astype(float), 1)
    return Evidence(x, made, rng.integers(0, 500, 6000), ("dog", "cat", "car", "train", "guitar", "piano"))


def test_the_fit_finds_the_true_ratio_whatever_the_priors(gaussian):
    constant, slope = fit_affinity(gaussian, np.ones(6000, bool))
    assert constant == pytest.approx(-0.5, abs=0.08)
    assert slope == pytest.approx(1.0, abs=0.08)


def test_reliability_of_a_true_ratio_is_the_diagonal(gaussian):
    rows = reliability(cross_validated(gaussian), gaussian.made)
    assert len(rows) == 7
    for predicted, observed, yes, no in rows[1:-1]:  # the outer bins are cut off at the limits
        assert observed == pytest.approx(predicted, rel=0.25), (yes, no)


def test_noise_gets_a_ratio_of_one(gaussian):
    rng = np.random.default_rng(1)
    shuffled = Evidence(rng.normal(size=gaussian.made.shape), gaussian.made, gaussian.file, gaussian.labels)
    assert abs(np.log(cross_validated(shuffled))).mean() < 0.08


def test_kinds_calibration_undoes_what_was_done_to_the_logits():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20000, len(KINDS)))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = (p.cumsum(axis=1) > rng.random((len(p), 1))).argmax(axis=1)
    bias = np.linspace(-1, 1, len(KINDS))
    scale, found = fit_kinds((logits - bias) * 3, truth)
    assert scale == pytest.approx(1 / 3, rel=0.05)
    assert np.allclose(np.array(found) - np.mean(found), bias, atol=0.15)
