"""Boxes carried from one step to the next by the flow inside them: a robust shift and change of size each.

In the manner of MedianFlow (Kalal et al., ICPR 2010) on dense flow: how many of the cells move as one says
how far the result can be trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.camera_motion import MotionField
from foleyspace.foreground import GRID_STEP
from foleyspace.types import Floats

SAMPLES, POINTS = 12, 6  # a side of the grid that is read in each box, and of the points followed in it
CENTRE_SIGMA = 0.6  # half boxes: the middle shows the object, the corners show what is behind it
STILL_WEIGHT = 0.25  # of cells that have not moved by themselves, beside those that have
TOLERANCE = 0.003, 0.15  # frame widths, and share of the shift, by which cells of one thing differ
MOST_GROWTH = 0.12  # a step
SIZE_DOUBT = 0.05  # keeps small boxes from growing on noise, as a share of the samples' spread
WINDOW_PX = 11  # around a point that is followed, of a picture 320 px wide
RETURN_PX = 1.0  # a point that misses its start by more on the way back is lost
LEAST_TEXTURE = 1e-4  # smaller eigenvalue of the gradients around a point, per pixel
LEAST_POINTS = 8
STANDS_PX, STANDS_GROWTH = 0.3, 0.002  # a box that has changed less is not worth following points in
READ_AGAIN = 0.2  # of its size: a box that has moved further is read again where it is now


Greys = tuple[NDArray[Any], NDArray[Any]]  # the step before, this one


@dataclass(frozen=True)
class Carried:
    """K boxes in this frame: `xyxy` (K, 4), not clipped; `shift` (K, 2) normalised; `own` (K,): how far each
    moved against the scene, in its own sizes; `trust` (K,) in [0, 1]: the share of what is in the box that
    moves as one."""

    xyxy: Floats
    shift: Floats
    own: Floats
    trust: Floats


def carry(boxes: Floats, field: MotionField, hints: Floats, greys: Greys | None = None) -> Carried:
    """Normalised boxes (K, 4) of the step before, moved on. `hints` (K, 2): their shifts one step earlier.

    `greys`: the two pictures themselves, uint8 (H, W). Dense flow lags behind small things; with the
    pictures its result is a first guess, and points of each box are followed from there.
    """
    k = len(boxes)
    if not field.valid or k == 0:
        return Carried(boxes, np.zeros((k, 2)), np.zeros(k), np.zeros(k))
    unit = np.array([1.0, 1 / field.aspect])  # all lengths in frame widths
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.maximum((boxes[:, 2:] - boxes[:, :2]) / 2, 1e-4)
    scene = scene_shifts(field, centre)
    guesses = (hints * unit, scene * unit)
    shift, growth, trust = _fit(*_read(field, centre + hints, half), half * unit, guesses)
    # the flow is known where things are now: look there
    missed = (np.abs(shift / unit - hints) > READ_AGAIN * 2 * half).any(axis=1)
    if missed.any():
        place = (centre + shift / unit)[missed]
        again = _read(field, place, half[missed])
        shift[missed], growth[missed], trust[missed] = _fit(
            *again, half[missed] * unit, (guesses[0][missed], guesses[1][missed])
        )
    px = GRID_STEP * field.residual.shape[1]
    moved = np.flatnonzero((np.abs(shift).max(axis=1) > STANDS_PX / px) | (abs(growth - 1) > STANDS_GROWTH))
    if greys is not None and len(moved):
        flow, weight = _points(greys, field, centre[moved], half[moved], (shift / unit)[moved])
        enough = (weight > 1e-6).sum(axis=1) >= LEAST_POINTS
        chosen = moved[enough]
        if len(chosen):
            shift[chosen], growth[chosen], trust[chosen] = _fit(
                flow[enough], weight[enough], half[chosen] * unit, (shift[chosen], guesses[1][chosen])
            )
    shift = shift / unit
    new, size = centre + shift, half * growth[:, None]
    own = np.max(np.abs(shift - scene) / (2 * half), axis=1)
    return Carried(np.concatenate([new - size, new + size], axis=1), shift, own, trust)


def scene_shifts(field: MotionField, points: Floats) -> Floats:
    """(K, 2) normalised: how far the camera's motion moves the scene at points (K, 2) of the step before."""
    moved = np.column_stack([points, np.ones(len(points))]) @ field.camera.T
    return moved[:, :2] / moved[:, 2:] - points


@lru_cache(maxsize=2)
def _grid(side: int) -> tuple[Floats, Floats]:
    """Places of the samples in a box (S, 2), in [-1, 1], and the weight of each (S,)."""
    steps = (np.arange(side) + 0.5) / side * 2 - 1
    offset = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    return offset, np.exp(-0.5 * (offset**2).sum(1) / CENTRE_SIGMA**2)


def _read(field: MotionField, centre: Floats, half: Floats) -> tuple[Floats, Floats]:
    """Displacement (K, S, 2) in frame widths and weight (K, S) of the samples in each box; 0 outside the
    frame."""
    h, w = field.residual.shape
    offset, window = _grid(SAMPLES)
    x = np.floor((centre[:, :1] + half[:, :1] * offset[:, 0]) * w).astype(np.int64)
    y = np.floor((centre[:, 1:] + half[:, 1:] * offset[:, 1]) * h).astype(np.int64)
    inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
    cell = np.where(inside, y * w + x, 0)
    moving = field.foreground.ravel()[cell] * inside
    most = np.maximum(moving.max(axis=1, keepdims=True), 0.3)
    weight = window * (STILL_WEIGHT + (1 - STILL_WEIGHT) * moving / most) * inside
    flow = field.screen.reshape(-1, 2)[cell].astype(np.float64)
    flow[..., 1] /= field.aspect
    return flow, np.maximum(weight, 1e-12)


def _points(
    greys: Greys, field: MotionField, centre: Floats, half: Floats, guess: Floats
) -> tuple[Floats, Floats]:
    """The same as `_read`, from points that are followed (Lucas and Kanade, 1981) to this picture and back:
    those that do not come back to where they started have weight 0."""
    import cv2

    h, w = greys[0].shape
    offset, window = _grid(POINTS)
    k, s = len(centre), len(offset)
    scale = np.array([w, h], np.float32)
    start = ((centre[:, None] + half[:, None] * offset) * scale).astype(np.float32).reshape(-1, 1, 2) - 0.5
    inside = ((start >= 0) & (start <= scale - 1)).all(axis=(1, 2))
    first = start + np.repeat((guess * scale).astype(np.float32), s, axis=0)[:, None]
    flow = np.zeros((k * s, 2))
    weight = np.zeros(k * s)
    if inside.any():
        options: dict[str, Any] = {
            "winSize": (WINDOW_PX, WINDOW_PX),
            "maxLevel": 1,
            "criteria": (3, 10, 0.05),
            "flags": cv2.OPTFLOW_USE_INITIAL_FLOW,
            "minEigThreshold": LEAST_TEXTURE,
        }
        began = start[inside]
        there, found, _ = cv2.calcOpticalFlowPyrLK(*greys, began, first[inside].copy(), **options)
        back, again, _ = cv2.calcOpticalFlowPyrLK(*greys[::-1], there, began.copy(), **options)
        returned = np.hypot(*(back - began)[:, 0].T) < RETURN_PX
        kept = (found[:, 0] > 0) & (again[:, 0] > 0) & returned
        flow[inside] = (there - began)[:, 0] / w
        weight[inside] = kept
    moved = np.clip((centre + guess)[:, None] + half[:, None] * offset, 0, 1 - 1e-6)
    rows, columns = field.foreground.shape
    moving = field.foreground[(moved[..., 1] * rows).astype(int), (moved[..., 0] * columns).astype(int)]
    most = np.maximum(moving.max(axis=1, keepdims=True), 0.3)
    weight = weight.reshape(k, s) * window * (STILL_WEIGHT + (1 - STILL_WEIGHT) * moving / most)
    return flow.reshape(k, s, 2), np.maximum(weight, 1e-12)


def _fit(
    flow: Floats, weight: Floats, half: Floats, guesses: tuple[Floats, Floats]
) -> tuple[Floats, Floats, Floats]:
    """Shift (K, 2) in frame widths, growth (K,) and trust (K,): the best supported of a few shifts, then
    iteratively reweighted least squares for shift and size together."""
    strong = weight * (weight >= 0.5 * weight.max(axis=1, keepdims=True))
    starts = np.stack([_median(flow, weight), _median(flow, strong), *guesses])
    tolerance = TOLERANCE[0] + TOLERANCE[1] * np.hypot(starts[..., 0], starts[..., 1])
    apart = ((flow - starts[:, :, None]) ** 2).sum(-1) / tolerance[..., None] ** 2
    support = (np.maximum(0, 1 - apart) * weight).sum(-1)
    best, rows = support.argmax(axis=0), np.arange(len(flow))
    shift, width = starts[best, rows], tolerance[best, rows][:, None]
    scale = np.zeros(len(flow))
    arm = _grid(POINTS if flow.shape[1] == POINTS**2 else SAMPLES)[0] * half[:, None]
    arm_x, arm_y, flow_x, flow_y = arm[..., 0], arm[..., 1], flow[..., 0], flow[..., 1]
    reach = (weight * (arm_x**2 + arm_y**2)).sum(1) / weight.sum(1)
    for last in (False, False, False, True):
        off_x = flow_x - shift[:, :1] - scale[:, None] * arm_x
        off_y = flow_y - shift[:, 1:] - scale[:, None] * arm_y
        off = (off_x**2 + off_y**2) / width**2
        if last:
            break
        robust = weight / (1 + off) ** 2
        robust /= robust.sum(1, keepdims=True)
        mx, my = (robust * arm_x).sum(1), (robust * arm_y).sum(1)
        fx, fy = (robust * flow_x).sum(1), (robust * flow_y).sum(1)
        spread = (robust * (arm_x**2 + arm_y**2)).sum(1) - mx**2 - my**2
        together = (robust * (arm_x * flow_x + arm_y * flow_y)).sum(1) - mx * fx - my * fy
        scale = np.clip(together / (spread + SIZE_DOUBT * reach + 1e-12), -MOST_GROWTH, MOST_GROWTH)
        shift = np.stack([fx - scale * mx, fy - scale * my], axis=1)
    return shift, 1 + scale, (weight * (off < 1)).sum(1) / weight.sum(1)


def _median(values: Floats, weight: NDArray[np.float64]) -> Floats:
    """Weighted medians (K, 2) of (K, S, 2)."""
    order = values.argsort(axis=1)
    cumulative = np.take_along_axis(weight[..., None], order, axis=1).cumsum(axis=1)
    at = (cumulative < 0.5 * cumulative[:, -1:]).sum(axis=1, keepdims=True)
    return np.take_along_axis(values, np.take_along_axis(order, at, axis=1), axis=1)[:, 0]
