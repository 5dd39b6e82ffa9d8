"""What is kept of an object while the pictures go by: its boxes, and the motion on and around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.camera_motion import MotionField
from foleyspace.types import Floats

CELLS = 10  # a grid of CELLS x CELLS covers REACH times the box in width and height
REACH = 2.0


@dataclass(frozen=True)
class ObservedTrack:
    """One object inside one shot, as seen: `times` (N,), `xyxy` (N, 4) normalised, `score` (N,), `label`;
    `moving` (N, C, C): speed of what moves by itself in a C x C grid that covers `REACH` times the box,
    frame widths per second; `inner` (N, C, C): the same relative to the object's own motion;
    `depth_m` (N,): sampled metric depth, NaN where none was."""

    id: str
    label: str
    times: Floats
    xyxy: Floats
    score: Floats
    moving: NDArray[np.float16]
    inner: NDArray[np.float16]
    depth_m: Floats


def motion_cells(field: MotionField, xyxy: Floats) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """Independent motion on and around a box: two (CELLS, CELLS) grids over `REACH` times the box, of
    the speed itself and of the speed relative to the box's median motion; 0 outside the picture."""
    import cv2

    h, w = field.residual.shape
    centre = (xyxy[:2] + xyxy[2:]) / 2
    half = (xyxy[2:] - xyxy[:2]) / 2 * REACH
    fine = 4 * CELLS  # averaged down to CELLS: each cell sees all its pixels
    steps = (np.arange(fine) + 0.5) / fine * 2 - 1
    x = ((centre[0] + half[0] * steps) * w - 0.5).astype(np.float32)
    y = ((centre[1] + half[1] * steps) * h - 0.5).astype(np.float32)
    map_x, map_y = np.meshgrid(x, y)
    flow = cv2.remap(field.flow, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    speed = np.hypot(flow[..., 0], flow[..., 1])
    inside = slice(round(fine * (1 - 1 / REACH) / 2), round(fine * (1 + 1 / REACH) / 2))
    own = np.median(flow[inside, inside].reshape(-1, 2), axis=0)
    relative = np.where(speed > 0, np.hypot(flow[..., 0] - own[0], flow[..., 1] - own[1]), 0.0)
    return _pool(speed), _pool(relative)


def _pool(fine: NDArray[Any]) -> NDArray[Any]:
    n = fine.shape[0] // CELLS
    # half precision: an hour of film has hundreds of thousands of these
    return fine.reshape(CELLS, n, CELLS, n).mean(axis=(1, 3)).astype(np.float16)
