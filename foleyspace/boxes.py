"""Arithmetic on boxes: arrays (N, 4) of normalised x0, y0, x1, y1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]

INSIDE = 0.9  # of a part's area
PART_SCORE = 0.4
PART_SIZE = 0.7
PARTS_IOU = 0.3
HULL_IOU = 0.85


def stack(boxes: list[Boxes]) -> Boxes:
    """(N, 4), also for N = 0."""
    return np.array(boxes, np.float64).reshape(-1, 4)


def area(boxes: Boxes) -> NDArray[np.float64]:
    """Areas (...) of boxes (..., 4), as shares of the frame."""
    size = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    return size[..., 0] * size[..., 1]


def intersection(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Areas (...) that boxes (..., 4) have in common with those in the same place of another array."""
    size = np.maximum(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0)
    return size[..., 0] * size[..., 1]


def iou_each(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """Intersections over unions (...) of boxes (..., 4) in the same place of two arrays."""
    shared = intersection(a, b)
    return shared / (area(a) + area(b) - shared + 1e-9)


def overlap(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """(N, M) areas that each of `a` (N, 4) shares with each of `b` (M, 4)."""
    return intersection(a[:, None], b[None])


def iou(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """(N, M) intersections over unions."""
    return iou_each(a[:, None], b[None])


def gap(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """(N, M) distances between boxes, 0 where they touch."""
    apart = np.maximum(
        0, np.maximum(a[:, None, :2], b[None, :, :2]) - np.minimum(a[:, None, 2:], b[None, :, 2:])
    )
    return np.hypot(apart[..., 0], apart[..., 1])


def spanning(boxes: Boxes, score: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(N,) which boxes are drawn around two others at once, of which each is there by itself.

    Detectors take things that stand together for one: such a box is the hull of two inside it that hardly
    overlap, and are not much less sure (`PART_SCORE` of its score).
    """
    found = np.zeros(len(boxes), bool)
    inside = overlap(boxes, boxes) / (area(boxes)[:, None] + 1e-9)
    apart = iou(boxes, boxes) < PARTS_IOU
    size = area(boxes)
    for k, whole in enumerate(boxes):
        parts = np.flatnonzero(
            (inside[:, k] > INSIDE) & (size < PART_SIZE * size[k]) & (score > PART_SCORE * score[k])
        )
        i, j = parts[np.array(np.nonzero(np.triu(apart[np.ix_(parts, parts)], 1)))]
        low, high = np.minimum(boxes[i, :2], boxes[j, :2]), np.maximum(boxes[i, 2:], boxes[j, 2:])
        found[k] = (iou(np.concatenate([low, high], axis=1), whole[None]) > HULL_IOU).any()
    return found


def cells(box: Boxes, w: int, h: int) -> tuple[slice, slice]:
    """Rows and columns of an (h, w) grid over the frame that a box (4,) touches."""
    x0, y0 = np.clip(box[:2] * [w, h], 0, None).astype(int)
    x1, y1 = np.ceil(np.clip(box[2:] * [w, h], 0, None)).astype(int)
    return slice(y0, y1), slice(x0, x1)


def edge_contact(boxes: Boxes, near: float = 0.015) -> NDArray[np.float64]:
    """(N,) shares of each outline that lie on the edge of the frame."""
    x0, y0, x1, y1 = np.clip(boxes, 0, 1).T
    across = (x1 - x0) * ((y0 < near).astype(float) + (y1 > 1 - near))
    along = (y1 - y0) * ((x0 < near).astype(float) + (x1 > 1 - near))
    return (across + along) / (2 * (x1 - x0 + y1 - y0) + 1e-9)
