"""What a thing looks like: the same under small changes, another for other things."""

import numpy as np
import pytest
from scripted import Thing, film

from foleyspace.appearance import describe, likeness, likenesses, mixed

RED = Thing(lambda t: (100 + 20 * t, 90), (70, 60), (1.5, 0.5, 0.4), seed=2)
BLUE = Thing(lambda t: (230, 90), (70, 60), (0.4, 0.6, 1.5), seed=3)
FRAMES = film([RED, BLUE], 2)


def look(thing, k, frame=None, shift=0.0):
    _, time, drawn = FRAMES[k]
    return describe(drawn if frame is None else frame, thing.box(time) + shift)


def test_the_same_thing_somewhere_else_looks_the_same():
    assert likeness(look(RED, 0), look(RED, 49)) > 0.95


def test_light_and_a_loose_box_change_little():
    darker = (FRAMES[0][2] * 0.8).astype(np.uint8)
    assert likeness(look(RED, 0), look(RED, 0, darker)) > 0.85
    assert likeness(look(RED, 0), look(RED, 0, shift=0.015)) > 0.85


def test_another_thing_looks_different():
    assert likeness(look(RED, 0), look(BLUE, 0)) < 0.6
    assert likeness(look(RED, 0), look(RED, 0, shift=np.array([0, -0.5, 0, -0.5]) * 0.6)) < 0.7


def test_too_small_or_off_the_picture_is_not_known():
    frame = FRAMES[0][2]
    assert describe(frame, np.array([0.5, 0.5, 0.51, 0.51])) is None
    assert describe(frame, np.array([1.1, 0.2, 1.4, 0.5])) is None
    assert likeness(None, look(RED, 0)) == 0.5
    assert mixed(None, None, 0.5) is None
    table = likenesses([look(RED, 0), None], [look(RED, 0), look(BLUE, 0), None])
    assert table.shape == (2, 3)
    assert table[0, 0] == pytest.approx(1, abs=1e-3)
    assert (table[1] == 0.5).all()
    assert likenesses([], [None]).shape == (0, 1)


def test_a_mean_is_between_both():
    both = mixed(look(RED, 0), look(BLUE, 0), 0.5)
    apart = likeness(look(RED, 0), look(BLUE, 0))
    assert likeness(both, look(RED, 0)) > apart
    assert likeness(both, look(BLUE, 0)) > apart
    assert likeness(both, both) == pytest.approx(1, abs=1e-3)
