"""Who sounds: the simple cases must be right, whatever else a later stage learns."""

import tracemalloc
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from foleyspace.envelope import FLOOR_DB, Envelope, envelope, mean_before
from foleyspace.evidence import gather, synchrony
from foleyspace.focus import focus_point
from foleyspace.listening import Matched
from foleyspace.observed import CELLS, ObservedTrack
from foleyspace.sounding import SHARPNESS, _moment, _weights, sounding_tracks
from foleyspace.stitch import stitch
from foleyspace.types import Clip

RATE = 48000
TIMES = np.arange(0, 8, 0.12)


def clip(cuts=()):
    return Clip(Path("x"), Fraction(25), np.arange(0, 8, 0.04), (1280, 720), 8.0, None, cuts=cuts)


def seen(label, x, speed, *, times=TIMES, size=0.2, score=0.8, name=None, moving=None):
    n = len(times)
    x = np.broadcast_to(np.asarray(x, float), (n,))
    box = np.stack([x - size / 2, np.full(n, 0.5 - size / 2), x + size / 2, np.full(n, 0.5 + size / 2)], 1)
    if moving is None:
        moving = np.broadcast_to(np.asarray(speed, float), (n,))[:, None, None] * np.ones((n, CELLS, CELLS))
    return ObservedTrack(
        id=name or label, label=label, times=times, xyxy=box, score=np.full(n, score),
        moving=moving.astype(np.float16), inner=moving.astype(np.float16), depth_m=np.full(n, np.nan),
    )  # fmt: skip


def heard(gain):
    """Envelope of noise with amplitude `gain(t)`."""
    rng = np.random.default_rng(0)
    t = np.arange(8 * RATE) / RATE
    return envelope([(gain(t) * rng.normal(0, 0.1, len(t))).astype(np.float32)], RATE)


def share(tracks, evidence, label):
    return max(e.share for e in evidence if e.label == label)


def bursts(t, phase=0.0):
    return ((t + phase) % 1.0 < 0.3).astype(float)


def test_a_moving_car_beats_parked_ones_and_furniture():
    _, evidence = sounding_tracks(
        [seen("car", 0.3, 0.2), seen("car", 0.8, 0.0, name="parked"), seen("potted plant", 0.5, 0.0)],
        clip(), heard(lambda t: 1 + 0 * t),
    )  # fmt: skip
    by_id = {e.id: e.share for e in evidence}
    assert by_id["car"] == 1 and by_id["parked"] < 0.1 and by_id["potted plant"] < 0.01


def test_of_two_alike_the_one_in_step_with_the_sound_wins():
    dogs = [
        seen("dog", 0.2, 0.02 + 0.2 * bursts(TIMES), name="barking"),
        seen("dog", 0.8, 0.02 + 0.2 * bursts(TIMES, 0.5), name="other"),
    ]
    _, evidence = sounding_tracks(dogs, clip(), heard(bursts))
    by_id = {e.id: e for e in evidence}
    assert by_id["barking"].synchrony > 1.2 > by_id["other"].synchrony
    assert by_id["barking"].share == 1 and by_id["other"].share < 0.5


def test_two_that_are_equally_likely_both_sound():
    _, evidence = sounding_tracks(
        [seen("dog", 0.2, 0.1, name="a"), seen("dog", 0.8, 0.1, name="b")], clip(), heard(lambda t: 1 + 0 * t)
    )
    assert min(e.share for e in evidence) > 0.8


def shot_of_many(rng, minutes, count):
    """One that is there all the time, on 12 moments a second, and others that come and go."""
    every = np.arange(60 * minutes * 12) / 12
    starts = rng.integers(0, len(every) - 70, count)
    parts = [every[a : a + n] for a, n in zip(starts, rng.integers(1, 70, count), strict=True)]
    shifted = [part + rng.choice([0.0, 0.03]) for part in parts]
    tracks = [seen("bench", 0.5, 0.1, times=every)]
    tracks += [seen("car", 0.5, 0.1, times=part, name=f"car-{k}") for k, part in enumerate(shifted)]
    return tracks, [gather(track, None, 1.0, 60 * minutes) for track in tracks]


def test_the_weights_are_against_the_best_of_each_moment():
    """The same to the last bit as with all scores of all tracks laid on top of each other."""
    rng = np.random.default_rng(2)
    tracks, scored = shot_of_many(rng, 1, 60)
    ratios = [
        rng.uniform(0.3, 3, len(track.times)) * entry.affinity
        for track, entry in zip(tracks, scored, strict=True)
    ]
    found = _weights(tracks, scored, ratios)
    moments = [
        entry.score * _moment(track, tracks) * ratio / entry.affinity
        for track, entry, ratio in zip(tracks, scored, ratios, strict=True)
    ]
    for track, own, weight in zip(tracks, moments, found, strict=True):
        each = [
            np.interp(track.times, o.times, s, left=0, right=0) for o, s in zip(tracks, moments, strict=True)
        ]
        expected = np.where(np.max(each, 0) > 0, own / np.maximum(np.max(each, 0), 1e-12), 0.0) ** SHARPNESS
        np.testing.assert_array_equal(weight, expected)


def test_memory_grows_with_the_length_of_a_shot_not_its_square():
    most = []
    for minutes in (2, 4):
        tracks, scored = shot_of_many(np.random.default_rng(3), minutes, 40 * minutes)
        tracemalloc.start()
        _weights(tracks, scored, [None] * len(tracks))
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert most[1] < 2.5 * most[0] < 2e6


def test_without_a_track_the_picture_decides():
    tracks = [seen("car", 0.3, 0.2), seen("chair", 0.7, 0.0)]
    _, evidence = sounding_tracks(tracks, clip(), None)
    assert share(tracks, evidence, "car") == 1 and share(tracks, evidence, "chair") < 0.01


def test_in_silence_nobody_sounds():
    tracks = [seen("car", 0.3, 0.2), seen("chair", 0.7, 0.0)]
    found, evidence = sounding_tracks(tracks, clip(), envelope([np.zeros(8 * RATE, np.float32)], RATE))
    assert max(t.sounding.max() for t in found) == max(e.share for e in evidence) == 0
    (car, _), evidence = sounding_tracks(tracks, clip(), heard(lambda t: 1.0 * (t < 3)))
    assert car.sounding[TIMES < 3].min() == 1 and car.sounding[TIMES > 3.6].max() == 0
    assert evidence[0].share == 1  # of the time there was any sound


def test_furniture_alone_makes_no_sound():
    _, evidence = sounding_tracks([seen("vase", 0.5, 0.0, size=0.05, score=0.3)], clip(), None)
    assert evidence[0].share == 0


def test_a_thing_that_a_person_moves_takes_over_from_the_person():
    person = seen("person", 0.4, 0.1, size=0.4)
    _, evidence = sounding_tracks([person, seen("chair", 0.5, 0.1, size=0.3)], clip(), None)
    assert share(None, evidence, "chair") == 1 and share(None, evidence, "person") < 0.3
    _, evidence = sounding_tracks([person, seen("chair", 0.5, 0.0, size=0.3)], clip(), None)
    assert share(None, evidence, "person") == 1 and share(None, evidence, "chair") < 0.1


def test_objects_compete_only_inside_their_shot():
    first, second = TIMES[TIMES < 4], TIMES[TIMES >= 4]
    tracks = [
        seen("car", 0.3, 0.2, times=first),
        seen("cat", 0.6, 0.01, times=second, size=0.05, score=0.4),
    ]
    _, evidence = sounding_tracks(tracks, clip(cuts=(4.0,)), None)
    assert [e.share for e in evidence] == [1, 1]


def test_synchrony_is_neutral_for_steady_sound_and_short_tracks():
    assert synchrony(TIMES[:4], np.ones(4), heard(bursts)) == 1.0
    assert synchrony(TIMES, 0.1 + 0 * TIMES, heard(bursts)) == pytest.approx(1, abs=0.3)


def test_focus_of_a_person_is_above_the_middle_and_of_a_car_in_the_middle():
    times = TIMES[:5]
    tall = ObservedTrack(
        "p", "person", times, np.tile([0.4, 0.1, 0.6, 0.9], (5, 1)), np.ones(5),
        np.zeros((5, CELLS, CELLS), np.float16), np.zeros((5, CELLS, CELLS), np.float16), np.full(5, np.nan),
    )  # fmt: skip
    assert focus_point(tall)[0][0] == pytest.approx([0.5, 0.34], abs=0.1)
    assert focus_point(seen("car", 0.3, 0.1))[0][0] == pytest.approx([0.3, 0.5])


def test_the_focus_of_a_long_train_is_at_its_near_fast_end():
    moving = np.zeros((len(TIMES), CELLS, CELLS))
    moving[:, :, 2:4] = 0.3  # the left end rushes by, the far right end hardly moves
    moving[:, :, 4:8] = 0.02
    train = seen("train", 0.5, 0, size=0.8, moving=moving)
    assert focus_point(train)[0][0, 0] < 0.3


def test_fragments_of_one_object_are_joined_and_different_ones_are_not():
    a = seen("dog", 0.3 + 0.02 * TIMES[:20], 0.1, times=TIMES[:20], name="a")
    b = seen("dog", 0.3 + 0.02 * TIMES[25:], 0.1, times=TIMES[25:], name="b")
    far = seen("dog", 0.9, 0.1, times=TIMES[25:], name="far")
    other = seen("cat", 0.35, 0.1, times=TIMES[25:], name="cat", size=0.1)
    whole = stitch([b, far, a, other], clip())
    assert sorted(len(t.times) for t in whole) == sorted([len(TIMES) - 5, len(far.times), len(other.times)])
    joined = max(whole, key=lambda t: len(t.times))
    assert (np.diff(joined.times) > 0).all()


def test_two_boxes_on_one_object_become_one():
    a, b = seen("motorcycle", 0.5, 0.1, name="a", score=0.5), seen("boat", 0.505, 0.1, name="b", score=0.9)
    (whole,) = stitch([a, b], clip())
    assert whole.label == "boat" and len(whole.times) == len(TIMES)


def test_envelope_level_and_onsets():
    t = np.arange(RATE) / RATE
    x = np.where(t < 0.5, 0.0, 0.5 * np.sqrt(2) * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)
    whole = envelope([x], RATE)
    assert whole.level_db[:24].max() == FLOOR_DB
    assert whole.level_db[30:].mean() == pytest.approx(-6.02, abs=0.05)
    assert whole.times[np.argmax(whole.onset)] == pytest.approx(0.51, abs=0.02)
    # the same whatever the blocks
    pieces = envelope(np.array_split(x, [7, 1000, 30011]), RATE)
    np.testing.assert_array_equal(pieces.level_db, whole.level_db)
    assert isinstance(envelope([], RATE), Envelope) and envelope([], RATE).silent


@pytest.mark.parametrize("start", [0.0, 31.0, 59.5])
def test_a_dense_series_is_averaged_over_the_step_before(start):
    dense = np.arange(0, 60, 0.02) + 0.01
    series = np.random.default_rng(3).normal(size=len(dense))
    times = start + np.arange(1, 9) * 0.08
    inside = [series[(dense >= t - 0.08) & (dense < t)] for t in times]
    expected = [part.mean() if len(part) else series[-1] for part in inside]
    np.testing.assert_allclose(mean_before(times, dense, series), expected, atol=1e-9)


def heard_as(ratio, n_tracks):
    """What a tagger would say: `ratio` per track over the whole clip, no voice."""
    times = np.arange(0, 8.5, 0.5)
    return Matched(times, np.broadcast_to(np.asarray(ratio, float), (len(times), n_tracks)), 0 * times)


def test_what_is_heard_decides_between_two_that_look_as_likely():
    tracks = [seen("bird", 0.3, 0.05), seen("person", 0.7, 0.08)]
    _, by_eye = sounding_tracks(tracks, clip(), None)
    _, by_ear = sounding_tracks(tracks, clip(), None, heard_as([2.0, 0.5], 2))
    assert share(None, by_ear, "bird") == 1 and share(None, by_ear, "person") < 0.05
    assert share(None, by_eye, "person") > share(None, by_ear, "person")
    assert {e.label: e.affinity for e in by_ear} == pytest.approx({"bird": 2.0, "person": 0.5})


def test_what_is_heard_first_and_then_goes_to_one_after_the_other():
    tracks = [seen("dog", 0.2, 0.1), seen("cat", 0.8, 0.1)]
    times = np.array([0.0, 3.5, 4.5, 8.0])
    ratio = np.array([[2.0, 0.5], [2.0, 0.5], [0.5, 2.0], [0.5, 2.0]])
    (dog, cat), _ = sounding_tracks(tracks, clip(), None, Matched(times, ratio, 0 * times))
    early, late = TIMES < 3, TIMES > 5
    assert dog.sounding[early].min() == 1 and cat.sounding[early].max() < 0.1
    assert cat.sounding[late].min() == 1 and dog.sounding[late].max() < 0.1


def test_a_person_overrules_in_the_shots_where_the_object_is():
    first, second = TIMES[TIMES < 4], TIMES[TIMES >= 4]
    tracks = [
        seen("car", 0.3, 0.2, times=first, name="car-1.1"),
        seen("vase", 0.6, 0.0, times=first, name="vase-1.2", size=0.05),
        seen("car", 0.3, 0.2, times=second, name="car-2.1"),
    ]
    found, _ = sounding_tracks(tracks, clip(cuts=(4.0,)), None, chosen=("vase-1.2",))
    assert [t.sounding.max() for t in found] == [0, 1, 1]


def test_what_is_in_hand_leaves_the_sound_to_its_holder_with_the_focus_on_it():
    held = np.tile([0.4, -0.2, 0.05], (len(TIMES), 1))
    person = replace(seen("person", 0.5, 0.1, size=0.4), held=held)
    bat = seen("baseball bat", 0.6, 0.1, size=0.15, score=0.3)
    (holder, thing), evidence = sounding_tracks([person, bat], clip(), None)
    assert holder.sounding.min() == 1 and thing.sounding.max() < 0.3
    assert holder.focus_xy[0, 0] == pytest.approx(0.5 + 0.4 * 0.4, abs=0.04)
    assert evidence[0].held == pytest.approx((0.4, -0.2)) and evidence[1].handled


def test_a_box_around_a_surer_one_of_its_own_kind_gives_way():
    tight, loose = seen("car", 0.5, 0.1, size=0.1), seen("car", 0.4, 0.1, size=0.8, score=0.5, name="loose")
    (a, b), _ = sounding_tracks([tight, loose], clip(), None)
    assert a.sounding.min() > 0.9 and b.sounding.max() < 0.3
