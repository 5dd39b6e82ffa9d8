"""What a person holds is found from glimpses under wrong names; what lies around is not taken for held."""

import numpy as np
import pytest

from foleyspace.held import Glimpses, held_points
from foleyspace.observed import CELLS

TIMES = np.arange(0, 6, 0.16)
SIZE = np.array([0.2, 0.6])
NAMES = ("airplane", "tennis racket", "baseball bat", "skis")


def walking(speed):
    """A person who crosses the picture (N, 4)."""
    centre = np.stack([0.3 + speed * TIMES, np.full(len(TIMES), 0.5)], 1)
    return np.concatenate([centre - SIZE / 2, centre + SIZE / 2], 1)


def box_at(person, x, y, w, h):
    """A box given in the person's widths and heights from its centre."""
    centre = (person[:2] + person[2:]) / 2
    half = np.array([w, h]) * SIZE / 2
    return np.concatenate([centre + np.array([x, y]) * SIZE - half, centre + np.array([x, y]) * SIZE + half])


def weighted(rows):
    return (rows[:, :2] * rows[:, 2:]).sum(axis=0) / rows[:, 2].sum()


def glimpsed(person, rng, *, clutter=()):
    """In two of three steps something at (0.45, -0.3) under a changing name, and boxes that stay put."""
    steps = []
    for time, box in zip(TIMES, person, strict=True):
        found = [(other, 0.3, "chair") for other in clutter]
        if rng.uniform() < 0.67:
            jitter = rng.normal(0, 0.03, 2)
            found.append((box_at(box, 0.45 + jitter[0], -0.3 + jitter[1], 0.8, 0.2), 0.1, rng.choice(NAMES)))
        steps.append(
            (
                time,
                Glimpses(
                    np.array([f[0] for f in found]).reshape(-1, 4),
                    np.array([f[1] for f in found]),
                    tuple(str(f[2]) for f in found),
                ),
            )
        )
    return steps


@pytest.mark.parametrize("speed", [0.0, 0.06])
def test_glimpses_under_changing_names_add_up_to_what_is_held(speed):
    person = walking(speed)
    still = np.zeros((len(TIMES), CELLS, CELLS), np.float16) + np.float16(0.02)
    rows = held_points(TIMES, person, still, glimpsed(person, np.random.default_rng(1)))
    assert weighted(rows) == pytest.approx([0.45, -0.3], abs=0.03)
    assert rows[:, 2].mean() > 0.005


def test_furniture_all_over_the_room_is_not_held_although_seen_more_surely():
    person = walking(0.06)
    chairs = [np.array([x, 0.65, x + 0.08, 0.8]) for x in np.arange(0, 1, 0.12)]
    still = np.zeros((len(TIMES), CELLS, CELLS), np.float16) + np.float16(0.02)
    rows = held_points(TIMES, person, still, glimpsed(person, np.random.default_rng(2), clutter=chairs))
    # the chairs get a quarter of the weight at most, although seen three times as surely in every step
    assert weighted(rows) == pytest.approx([0.45, -0.3], abs=0.12)


def test_of_two_things_in_hand_the_livelier_counts_more():
    person = walking(0.0)
    inner = np.zeros((len(TIMES), CELLS, CELLS), np.float16) + np.float16(0.01)
    inner[:, 5:8, 2:4] = 0.2  # lower left: the hand that strums
    steps = [
        (
            time,
            Glimpses(
                np.stack([box_at(box, -0.3, 0.2, 0.3, 0.3), box_at(box, 0.3, 0.2, 0.3, 0.3)]),
                np.full(2, 0.1),
                ("chair", "skateboard"),
            ),
        )
        for time, box in zip(TIMES, person, strict=True)
    ]
    assert weighted(held_points(TIMES, person, inner, steps))[0] < -0.15


def test_nothing_glimpsed_nothing_held():
    person = walking(0.06)
    still = np.zeros((len(TIMES), CELLS, CELLS), np.float16)
    empty = Glimpses(np.zeros((0, 4)), np.zeros(0), ())
    assert (held_points(TIMES, person, still, [(t, empty) for t in TIMES]) == 0).all()
    assert (held_points(TIMES, person, still, []) == 0).all()
    far = Glimpses(np.array([[0.8, 0.1, 0.9, 0.2]]), np.array([0.9]), ("clock",))
    assert held_points(TIMES[:3], person[:3], still[:3], [(t, far) for t in TIMES[:3]])[:, 2].sum() == 0


def test_living_things_are_never_held():
    both = Glimpses(np.zeros((2, 4)), np.array([0.5, 0.6]), ("dog", "violin"))
    assert both.inanimate().labels == ("violin",) and both.inanimate().score == pytest.approx([0.6])


def test_the_point_goes_half_way_to_where_the_held_thing_is_played():
    person = walking(0.0)
    inner = np.zeros((len(TIMES), CELLS, CELLS), np.float16)
    inner[:, 4:6, 2] = 0.2  # the hand at one end of it, 0.5 left of the middle
    steps = [
        (time, Glimpses(box_at(box, 0.0, 0.0, 1.2, 0.3)[None], np.array([0.2]), ("skateboard",)))
        for time, box in zip(TIMES, person, strict=True)
    ]
    x, y = weighted(held_points(TIMES, person, inner, steps))
    assert x == pytest.approx(-0.25, abs=0.03) and y == pytest.approx(0, abs=0.03)
