"""Fragments of one object joined by place, motion and looks; different objects are left apart."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scripted import Thing, film

from foleyspace.appearance import describe
from foleyspace.observed import CELLS, KEYPOINTS, ObservedTrack
from foleyspace.stitch import stitch
from foleyspace.types import Clip

STEP = 0.08
RED = Thing(lambda t: (100, 90), (70, 60), (1.5, 0.5, 0.4), seed=2)
BLUE = Thing(lambda t: (230, 90), (70, 60), (0.4, 0.6, 1.5), seed=3)
(FRAME,) = (frame for _, _, frame in film([RED, BLUE], 0.04))
LOOKS = {"red": describe(FRAME, RED.box(0)), "blue": describe(FRAME, BLUE.box(0)), None: None}


def clip(*cuts):
    return Clip(Path("x"), Fraction(25), np.arange(250) / 25, (320, 180), 10.0, None, cuts=cuts)


def track(start, end, x, speed=0.0, label="car", looks="red", seen=None, score=0.7, found_by="detector"):
    times = np.arange(round(start / STEP), round(end / STEP) + 1) * STEP
    n = len(times)
    left = x + speed * (times - start)
    boxes = np.stack([left, np.full(n, 0.4), left + 0.15, np.full(n, 0.6)], 1)
    grid = np.zeros((n, CELLS, CELLS), np.float16)
    return ObservedTrack(
        id=f"{label}-{start}-{x}",
        label=label,
        times=times,
        xyxy=boxes,
        score=np.full(n, score),
        moving=grid,
        inner=grid,
        depth_m=np.full(n, np.nan),
        seen=np.ones(n, bool) if seen is None else np.array([seen(t) for t in times]),
        found_by=found_by,
        appearance=LOOKS[looks],
    )


def joined(*tracks, cuts=()):
    return stitch(tracks, clip(*cuts))


def test_going_on_where_it_was_lost():
    (whole,) = joined(track(0, 2, 0.1, 0.05), track(3, 5, 0.25, 0.05))
    assert (whole.times[0], whole.times[-1]) == (0, pytest.approx(5, abs=STEP))
    assert (np.diff(whole.times) > 0).all()


@pytest.mark.parametrize("gap", [0.5, 1.5])
def test_another_look_is_another_thing(gap):
    assert len(joined(track(0, 2, 0.3), track(2 + gap, 5, 0.3, looks="blue"))) == 2


def test_a_long_gap_is_bridged_by_looks_only():
    assert len(joined(track(0, 2, 0.3), track(5.5, 7, 0.32))) == 1
    assert len(joined(track(0, 2, 0.3, looks=None), track(5.5, 7, 0.32, looks=None))) == 2
    assert len(joined(track(0, 2, 0.3), track(6.5, 8, 0.32))) == 2


def test_far_off_is_another_thing_though_it_looks_the_same():
    assert len(joined(track(0, 2, 0.1), track(2.5, 5, 0.7))) == 2


def test_another_name_for_the_same_thing():
    assert len(joined(track(0, 2, 0.3), track(2.5, 5, 0.32, label="truck", score=0.4))) == 1
    assert len(joined(track(0, 2, 0.3), track(2.5, 5, 0.32, label="truck", looks=None))) == 2
    assert len(joined(track(0, 2, 0.3), track(2.5, 5, 0.45, label="truck"))) == 2
    (whole,) = joined(track(0, 3, 0.3), track(3.5, 5, 0.32, label="truck", score=0.4))
    assert whole.label == "car"


def test_seen_at_once_in_two_places_they_are_two():
    """Also where one goes on just as the other would: both were seen at one time."""
    assert len(joined(track(0, 3, 0.1, 0.1), track(2, 5, 0.6))) == 2
    crossing = joined(track(0, 4, 0.1, 0.15), track(0, 4, 0.7, -0.15))
    assert len(crossing) == 2


def test_two_boxes_of_one_thing_are_one():
    (whole,) = joined(track(0, 4, 0.3), track(1, 3, 0.33, score=0.3))
    assert len(whole.times) == 51
    assert whole.score.min() == 0.7


def test_what_it_was_only_carried_to_does_not_keep_it_apart():
    """Lost at 2 s, carried on to the wrong place until 3 s, found again at 2.4 s as a new track."""
    lost = track(0, 3, 0.1, 0.1, seen=lambda t: t < 2)
    again = track(2.4, 5, 0.29, looks="red")
    (whole,) = joined(lost, again)
    later = whole.times >= 2.4 - 1e-9
    assert whole.seen[later].all()
    np.testing.assert_allclose(whole.xyxy[later, 0], 0.29)


def test_not_across_a_cut():
    assert len(joined(track(0, 2, 0.3), track(2.4, 4, 0.3), cuts=(2.2,))) == 2


def test_found_by_motion_and_by_a_detector_stay_apart():
    assert len(joined(track(0, 4, 0.3), track(0, 4, 0.3, found_by="motion", looks=None))) == 2


def test_every_row_comes_along():
    a, b = track(0, 2, 0.1, 0.05), track(3, 5, 0.25, 0.05)
    points = np.full((len(b.times), KEYPOINTS, 3), 0.5, np.float32)
    object.__setattr__(b, "keypoints", points)
    object.__setattr__(a, "held", np.ones((len(a.times), 3)))
    (whole,) = joined(a, b)
    n = len(whole.times)
    assert n == len(a.times) + len(b.times)
    for name in ("xyxy", "score", "moving", "inner", "depth_m", "seen", "keypoints", "held"):
        assert len(getattr(whole, name)) == n
    assert whole.keypoints[:, :, 2].max(axis=1).tolist() == [0] * len(a.times) + [0.5] * len(b.times)
    assert whole.held[:, 2].tolist() == [1] * len(a.times) + [0] * len(b.times)


def test_a_pair_is_not_compared_again_and_again(monkeypatch):
    import foleyspace.stitch as module

    compared, same = [], module._same_object
    monkeypatch.setattr(module, "_same_object", lambda a, b: compared.append(1) or same(a, b))
    places = [0.02 + 0.025 * k for k in range(30)]
    start = [8.0 * k for k in range(30)]
    pieces = [
        track(t + late, t + late + 1, x) for t, x in zip(start, places, strict=True) for late in (0, 1.5)
    ]
    whole = stitch(pieces, Clip(Path("x"), Fraction(25), np.arange(6250) / 25, (320, 180), 250.0, None))
    assert [t.times[0] for t in whole] == pytest.approx(start, abs=STEP)
    assert len(compared) < len(pieces) ** 2
