"""Evidence of what moves by itself: where the picture contradicts the camera model, added up over a shot.

All pictures here are grids of grey levels without their slow brightness (`detail`), so that flicker and
changes of exposure drop out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.float32]

GRID_STEP = 2  # px of the flow image per cell of the grids
DARK = 24  # grey level below which a uniform border row or column is a letterbox bar
MIN_SPEED = 0.015  # frame widths per second: half evidence of independent motion under a still camera
PARALLAX = 0.3  # the share of the camera's speed by which static things may differ from the global model
RISE_S, FALL_S, FLAT_FALL_S = 0.3, 2.5, 0.3  # time constants of the evidence; the last on flat ground
PROOF_SPEED = 0.2  # frame widths per second of the camera that halve how long evidence stays
FLAT_LEVEL = 4.0  # grey levels of detail that count as half a texture
OVERLAY_S = 0.6  # unchanged for so long under a moving camera: a logo, a caption


@lru_cache(maxsize=8)
def grid_points(h: int, w: int) -> tuple[Grid, Grid]:
    """Column and row number of every cell of an (h, w) grid."""
    xs, ys = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    return xs, ys


def warp(image: Grid, displacement: NDArray[Any]) -> Grid:
    """`image` (h, w) read at every cell's own place plus `displacement` (h, w, 2) cells."""
    import cv2

    xs, ys = grid_points(*image.shape)
    x, y = xs + displacement[..., 0], ys + displacement[..., 1]
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def picture_area(previous: NDArray[Any], current: NDArray[Any]) -> tuple[int, int, int, int] | None:
    """x0, y0, x1, y1 px without letterbox and pillarbox bars; None for a blank picture."""
    bright = np.maximum(previous, current) > DARK
    # a tenth of it, not any: a logo or compression noise may lie on a bar
    columns = np.flatnonzero(bright.mean(0) > 0.1)
    rows = np.flatnonzero(bright.mean(1) > 0.1)
    h, w = current.shape
    if len(columns) < w // 8 or len(rows) < h // 8:
        # dark throughout: a night scene is no letterbox, a blank picture has no contrast either
        return (0, 0, w, h) if min(previous.std(), current.std()) > 2.0 else None
    x0, x1, y0, y1 = int(columns[0]), int(columns[-1]) + 1, int(rows[0]), int(rows[-1]) + 1
    # bars come in equal pairs and are uniform; anything else is picture
    if abs(x0 - (w - x1)) > 0.02 * w or current[:, : max(1, x0)].std() > 6:
        x0, x1 = 0, w
    if abs(y0 - (h - y1)) > 0.02 * h or current[: max(1, y0)].std() > 6:
        y0, y1 = 0, h
    return x0, y0, x1, y1


def judged_cells(cells: tuple[int, int], picture: tuple[int, int, int, int]) -> Grid:
    """1 where independent motion can be judged: in the picture, a few cells away from any bars."""
    h, w = cells
    x0, y0, x1, y1 = (v // GRID_STEP for v in picture)
    mask = np.zeros(cells, np.float32)
    edge = 5
    mask[y0 + edge * (y0 > 0) : y1 - edge * (y1 < h), x0 + edge * (x0 > 0) : x1 - edge * (x1 < w)] = 1.0
    return mask


def detail_of(small: NDArray[Any]) -> Grid:
    """A grey picture without its slow brightness."""
    import cv2

    gray = small.astype(np.float32)
    return np.asarray(gray - cv2.blur(gray, (15, 15)), np.float32)


def texture_of(detail: Grid) -> Grid:
    """In [0, 1): how far a cell's detail stands above what noise and compression leave on flat ground."""
    import cv2

    contrast = cv2.blur(np.abs(detail), (5, 5))
    return contrast / (contrast + np.float32(FLAT_LEVEL))


def support(detail: Grid, found: Grid, expected: Grid) -> Grid:
    """In [0, 1]: how surely a cell does not move as the camera model says.

    `found` is the previous frame carried here by the dense flow, `expected` by the camera model.
    """
    import cv2

    worse = cv2.blur(np.abs(detail - expected), (5, 5))
    best = cv2.blur(np.abs(detail - found), (5, 5))
    noise = noise_of(best)
    gain = (worse - best - 0.5 * noise) / (best + 2.0 * noise)
    # neither explains it: wings, foam, wheels change their looks faster than flow can follow
    contrast = cv2.blur(np.abs(detail), (5, 5))
    changed = (np.minimum(best, worse) - 2.0 * noise) / (0.5 * contrast + 2.0 * noise)
    return cv2.GaussianBlur(np.clip(np.maximum(gain, changed), 0.0, 1.0), (0, 0), 1.5)


def uncovered(detail: Grid, found: Grid) -> Grid:
    """In [0, 1]: 1 where the best match of a cell fails: ground that comes to light behind an object."""
    import cv2

    wrong = cv2.blur(np.abs(detail - found), (3, 3))
    noise = noise_of(wrong)
    contrast = cv2.blur(np.abs(found), (3, 3))
    return np.clip((wrong - noise) / (contrast + noise) - 0.5, 0.0, 1.0)


def gather(
    carried: Grid, residual: Grid, texture: Grid, hidden: Grid, camera_speed: float, dt: float
) -> Grid:
    """Evidence `carried` here by the flow, updated: quick to rise, slow to fall, as things that stop
    are still there. On flat ground it falls fast: no flow can be read there that would have carried it
    along. `hidden` cells were not seen before; `residual` and `camera_speed` in frame widths per second."""
    import cv2

    # parallax and model error grow with the camera's own motion, an object it follows moves as fast as it
    now = residual / (residual + np.float32(MIN_SPEED + PARALLAX * camera_speed))
    # a thing that moves may look different each time; ground behind it stands still
    carried = carried * (1 - hidden * (1 - now))
    # beside a thing that moves on, what stands still is the ground it has left, not a thing that stopped
    reach = (2 * (carried.shape[1] // 10) + 1,) * 2
    around = cv2.blur(now * carried, reach) / (cv2.blur(carried, reach) + np.float32(1e-3))
    left = np.clip(3 * (around - now), 0, 1)
    # under a moving camera, to move with the scene is a proof of belonging to it
    stay = FALL_S / (1 + camera_speed / PROOF_SPEED)
    rise = np.float32(1 - np.exp(-dt / RISE_S))
    fall = 1 - np.exp(np.float32(-dt) / (FLAT_FALL_S + max(0.0, stay - FLAT_FALL_S) * texture * (1 - left)))
    return carried + np.where(now > carried, rise, fall) * (now - carried)


def overlay(since: Grid, detail: Grid, previous: Grid, texture: Grid, expected_px: Grid, dt: float) -> Grid:
    """Seconds for which detail has stood still on the screen while the scene behind it should have moved.

    `since` (h, w): the same up to the previous frame; `expected_px`: how far the camera model moves a cell.
    """
    import cv2

    change = cv2.blur(np.abs(detail - previous), (3, 3)) / (cv2.blur(np.abs(detail), (3, 3)) + 1.0)
    stands = (change < 0.1) & (texture > 0.5) & (expected_px > 1.0)
    # what changes is no overlay; what could not have changed, under a still camera, tells nothing
    return np.where(stands, since + dt, np.where(change > 0.25, 0.5 * since, since)).astype(np.float32)


def noise_of(error: Grid) -> float:
    """What matching leaves over in most of the picture, grey levels."""
    return max(0.5, float(np.median(error[::2, ::2])))
