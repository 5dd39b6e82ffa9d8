"""Boxes carried by the flow: shifts and sizes known exactly."""

import cv2
import numpy as np
import pytest
from scripted import FPS, H, Thing, W, film

from foleyspace.camera_motion import motion_field
from foleyspace.carrying import carry, scene_shifts


def fields(frames):
    """Motion field of every second frame against the one before that."""
    field, previous = None, None
    for _, time, frame in frames[::2]:
        gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        field = motion_field(previous, gray, 2 / FPS, field)
        yield time, field, (previous, gray)
        previous = gray


def carried(thing, seconds, pan=0.0, others=()):
    """The box of a thing carried from its true place at the start to the end, and the last result."""
    box, hint, last = thing.box(0)[None], np.zeros((1, 2)), None
    for time, field, greys in fields(film([*others, thing], seconds, pan)):
        if time > 0:
            last = carry(box, field, hint, greys)
            box, hint = last.xyxy, last.shift
    return box[0], last, time


@pytest.mark.parametrize("pan", [0.0, 3.0])
@pytest.mark.parametrize("speed", [0.0, 40.0, -90.0])
def test_a_second_without_a_look_costs_little(speed, pan):
    thing = Thing(lambda t: (160 + speed * (t - 0.5), 90))
    box, last, time = carried(thing, 1.04, pan)
    off = (box - thing.box(time)) * [W, H, W, H]
    assert np.abs(off).max() < 2.5  # px of 320, after up to 120 px on the way
    own = abs(speed + pan * FPS) * 2 / FPS / thing.size[0]
    assert last.own[0] == pytest.approx(own, rel=0.15, abs=0.01)
    assert last.trust[0] > 0.5


@pytest.mark.parametrize("rate", [0.75, 1.4])
def test_size_follows(rate):
    thing = Thing(lambda t: (160, 90), (70, 60), grows=rate)
    box, _, time = carried(thing, 1.0)
    size = (box[2:] - box[:2]) * [W, H] / thing.size
    assert size == pytest.approx([rate**time] * 2, rel=0.05)


def test_many_boxes_are_carried_as_each_would_be_alone():
    a = Thing(lambda t: (60 + 40 * t, 50))
    b = Thing(lambda t: (250 - 60 * t, 120), seed=6)
    for time, field, greys in fields(film([a, b], 0.3)):
        if time > 0:
            boxes = np.array([a.box(time - 2 / FPS), b.box(time - 2 / FPS)])
            both = carry(boxes, field, np.zeros((2, 2)), greys)
            for k in range(2):
                alone = carry(boxes[k : k + 1], field, np.zeros((1, 2)), greys)
                np.testing.assert_allclose(both.xyxy[k], alone.xyxy[0])


def test_no_field_no_motion():
    still = motion_field(None, np.zeros((H, W), np.uint8), 0.1)
    box = np.array([[0.1, 0.1, 0.3, 0.3]])
    result = carry(box, still, np.ones((1, 2)))
    np.testing.assert_array_equal(result.xyxy, box)
    assert result.trust[0] == 0
    assert carry(np.zeros((0, 4)), still, np.zeros((0, 2))).xyxy.shape == (0, 4)


def test_a_box_off_the_picture_is_no_error():
    for time, field, greys in fields(film([], 0.2, pan=2.0)):
        if time > 0:
            boxes = np.array([[1.2, 0.1, 1.5, 0.4], [-0.2, 0.2, 0.05, 0.6]])
            result = carry(boxes, field, np.zeros((2, 2)), greys)
            assert np.isfinite(result.xyxy).all()


def test_the_scene_shifts_with_the_camera():
    for time, field, _ in fields(film([], 0.3, pan=3.0)):
        if time > 0:
            shift = scene_shifts(field, np.array([[0.2, 0.3], [0.8, 0.7]]))
            np.testing.assert_allclose(shift * [W, H], [[-6, 0], [-6, 0]], atol=0.4)
