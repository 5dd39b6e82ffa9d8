"""Arithmetic on boxes: arrays (N, 4) of normalised x0, y0, x1, y1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]


def stack(boxes: list[Boxes]) -> Boxes:
    """(N, 4), also for N = 0."""
    return np.array(boxes, np.float64).reshape(-1, 4)


def area(boxes: Boxes) -> NDArray[np.float64]:
    """(N,) shares of the frame."""
    return np.maximum(boxes[:, 2] - boxes[:, 0], 0) * np.maximum(boxes[:, 3] - boxes[:, 1], 0)


def overlap(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """(N, M) areas that each of `a` (N, 4) shares with each of `b` (M, 4)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    size = np.maximum(high - low, 0)
    return size[..., 0] * size[..., 1]


def iou(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """(N, M) intersections over unions."""
    shared = overlap(a, b)
    return shared / (area(a)[:, None] + area(b)[None] - shared + 1e-9)


def gap(a: Boxes, b: Boxes) -> NDArray[np.float64]:
    """(N, M) distances between boxes, 0 where they touch."""
    apart = np.maximum(
        0, np.maximum(a[:, None, :2], b[None, :, :2]) - np.minimum(a[:, None, 2:], b[None, :, 2:])
    )
    return np.hypot(apart[..., 0], apart[..., 1])


def edge_contact(boxes: Boxes, near: float = 0.015) -> NDArray[np.float64]:
    """(N,) shares of each outline that lie on the edge of the frame."""
    x0, y0, x1, y1 = np.clip(boxes, 0, 1).T
    across = (x1 - x0) * ((y0 < near).astype(float) + (y1 > 1 - near))
    along = (y1 - y0) * ((x0 < near).astype(float) + (x1 > 1 - near))
    return (across + along) / (2 * (x1 - x0 + y1 - y0) + 1e-9)
