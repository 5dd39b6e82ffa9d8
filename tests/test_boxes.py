"""Boxes drawn around two things at once are told from boxes of one thing."""

import numpy as np
import pytest

from foleyspace.boxes import area, intersection, iou, iou_each, overlap, spanning

LEFT, RIGHT = [0.1, 0.2, 0.5, 0.7], [0.4, 0.5, 0.9, 0.9]
BOTH = [0.1, 0.2, 0.9, 0.9]


@pytest.mark.parametrize(("whole", "expected"), [(0.5, True), (0.9, False)])
def test_the_hull_of_two_that_are_about_as_sure_is_a_box_of_two(whole, expected):
    boxes, score = np.array([LEFT, BOTH, RIGHT]), np.array([0.3, whole, 0.35])
    assert spanning(boxes, score).tolist() == [False, expected, False]


def test_a_whole_with_parts_in_it_stays():
    # head and hand do not span the person, a second box of the same thing is no part
    person = [0.1, 0.0, 0.5, 1.0]
    boxes = np.array([person, [0.2, 0.0, 0.4, 0.3], [0.1, 0.4, 0.25, 0.6], [0.11, 0.02, 0.5, 0.98]])
    assert not spanning(boxes, np.array([0.8, 0.7, 0.7, 0.5])).any()


def test_parts_that_cover_each_other_are_one_thing():
    boxes = np.array([[0.1, 0.1, 0.7, 0.9], [0.1, 0.1, 0.6, 0.7], [0.15, 0.2, 0.7, 0.9]])
    assert not spanning(boxes, np.full(3, 0.5)).any()


def test_no_boxes():
    assert spanning(np.zeros((0, 4)), np.zeros(0)).shape == (0,)


def test_areas_and_overlaps_of_every_pair_and_of_each_with_its_own():
    a = np.array([[0.0, 0.0, 0.4, 0.5], [0.5, 0.5, 0.5, 0.9]])
    b = np.array([[0.2, 0.0, 0.6, 0.5], [0.0, 0.0, 1.0, 1.0]])
    assert area(a) == pytest.approx([0.2, 0.0])
    assert intersection(a, b) == pytest.approx([0.1, 0.0])
    assert iou_each(a, b) == pytest.approx([1 / 3, 0.0], abs=1e-6)
    assert overlap(a, b)[0] == pytest.approx([0.1, 0.2])
    assert np.diag(iou(a, b)) == pytest.approx(iou_each(a, b))
