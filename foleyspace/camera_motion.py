"""What the camera did between two frames, and what moved by itself.

Dense inverse search flow (Kroeger et al., ECCV 2016) gives every pixel's motion; a robust global model
(MSAC over two-point similarities, then an iteratively reweighted affine fit) is the camera's share of
it; what is left, where the picture itself contradicts the camera model, is independent motion.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.errors import InputError
from foleyspace.foreground import (
    GRID_STEP,
    OVERLAY_S,
    Grid,
    detail_of,
    gather,
    grid_points,
    judged_cells,
    overlay,
    picture_area,
    support,
    texture_of,
    uncovered,
    warp,
)

LONG_SIDE = 320  # px, the size flow is computed at
POINT_STEP = 10  # px between the points the camera model is fitted to
MIN_TEXTURE = 2e-6  # smaller eigenvalue of the structure tensor that counts as half a texture
CENTRE_WEIGHT = 0.2  # of points in the middle of the picture; the static scene reaches its edges more often
FOREGROUND_WEIGHT = 0.1  # of points on what has moved by itself before
SURE_GAIN = 2.0  # half a support is enough: below, speeds are scaled down, not cut
HYPOTHESES = 64  # two-point similarities tried
SEED = 20_240_607


@dataclass(frozen=True)
class MotionField:
    """Motion from the previous processed frame to this one, on an (h, w) grid aligned with this frame.

    `camera` (3, 3): homogeneous, maps normalised points of the previous frame to this one where they
    belong to the static scene; `inliers` in [0, 1]: the share of the textured picture that moves so;
    `residual` (h, w) float32: speed of what moves by itself, in frame widths per second, 0 where the
    camera model explains the picture; `flow` (h, w, 2) float32: the same as (x, y) velocity, both in
    frame widths per second; `screen` (h, w, 2) float32: displacement on the screen since the previous
    frame, camera included, in normalised units (x in widths, y in heights); `foreground` (h, w) float32
    in [0, 1]: evidence of independent motion gathered over the shot, carried along by the flow;
    `overlay_s` (h, w) float32: for how many seconds a cell with detail has kept it pixel by pixel under a
    moving camera, as logos do; `dt` s between the frames; `valid` is False where there is no usable pair:
    first frame, scene cut, blank picture.
    """

    camera: NDArray[np.float64]
    inliers: float
    residual: Grid
    flow: Grid
    screen: Grid
    foreground: Grid
    overlay_s: Grid
    dt: float
    valid: bool = True

    @property
    def aspect(self) -> float:
        """Frame width over height."""
        h, w = self.residual.shape
        return w / h

    @property
    def camera_speed(self) -> float:
        """How fast the static scene moves over the screen (mean of nine points), frame widths per second."""
        x, y = np.meshgrid([0.1, 0.5, 0.9], [0.1, 0.5, 0.9])
        points = np.stack([x.ravel(), y.ravel(), np.ones(9)])
        moved = self.camera @ points
        d = moved[:2] / moved[2] - points[:2]
        return float(np.hypot(d[0], d[1] / self.aspect).mean() / self.dt)


def motion_field(
    previous_gray: NDArray[Any] | None,
    gray: NDArray[Any],
    dt: float,
    before: MotionField | None = None,
) -> MotionField:
    """Camera and independent motion between two uint8 grey frames (H, W) that lie `dt` seconds apart.

    `before` is the field of the previous pair of the same shot: with it the evidence of what moves by
    itself adds up, and what moved before is not taken for the background now. Frames larger than
    `LONG_SIDE` px are reduced first. `previous_gray` None (the first frame of a shot) and pairs that
    show different scenes give a field with `valid=False`, no motion.

    Raises InputError when the frames are not grey, differ in size, or `dt` is not positive.
    """
    import cv2

    if gray.ndim != 2 or (previous_gray is not None and previous_gray.shape != gray.shape):
        shape = None if previous_gray is None else previous_gray.shape
        raise InputError(f"frames have shapes {shape} and {gray.shape} but must both be (height, width)")
    if not dt > 0:
        raise InputError(f"`dt` is {dt} but must be a positive number of seconds")
    current = _reduced(gray)
    h, w = current.shape
    cells = (h // GRID_STEP, w // GRID_STEP)
    if previous_gray is None:
        return _still(cells, dt)
    previous = _reduced(previous_gray)
    picture = picture_area(previous, current)
    if picture is None:
        return _still(cells, dt)

    # flow from this frame back to the previous one, so that every grid is aligned with this frame
    back = _dis(threading.get_ident()).calc(current, previous, None)
    flow: Grid = np.asarray(cv2.resize(back, cells[::-1], interpolation=cv2.INTER_AREA), np.float32)
    small, small_previous = (
        cv2.resize(p, cells[::-1], interpolation=cv2.INTER_AREA) for p in (current, previous)
    )
    detail, detail_previous = detail_of(small), detail_of(small_previous)
    found = warp(detail_previous, flow / GRID_STEP)
    if _is_cut(detail, found, picture):
        return _still(cells, dt)
    mask = judged_cells(cells, picture)
    carried, since = np.zeros(cells, np.float32), np.zeros(cells, np.float32)
    if before is not None and before.foreground.shape == cells:
        carried = warp(before.foreground, flow / GRID_STEP) * mask
        since = before.overlay_s

    model, inliers = _camera_model(small, back, picture, carried)
    xs, ys = grid_points(*cells)
    px, py = xs * GRID_STEP + 0.5, ys * GRID_STEP + 0.5
    a = model.astype(np.float32)
    # the camera's share of the flow at each cell, in px of the flow image
    share: Grid = np.stack(
        [a[0, 0] * px + a[0, 1] * py + a[0, 2] - px, a[1, 0] * px + a[1, 1] * py + a[1, 2] - py], -1
    ).astype(np.float32)
    share_px = np.hypot(share[..., 0], share[..., 1])
    texture = texture_of(detail)
    sure = support(detail, found, warp(detail_previous, share / GRID_STEP)) * texture
    sure = np.minimum(1, SURE_GAIN * sure) * mask
    velocity = (share - flow) * (sure / np.float32(w * dt))[..., None]
    residual = np.hypot(velocity[..., 0], velocity[..., 1])
    foreground = gather(
        carried, residual, texture, uncovered(detail, found), float(share_px.mean()) / (w * dt), dt
    )
    overlay_s = overlay(since, detail, detail_previous, texture, share_px, dt)
    to_unit = np.diag([1 / w, 1 / h, 1.0])
    camera = to_unit @ np.linalg.inv(model) @ np.diag([w, h, 1.0])
    return MotionField(
        camera=camera / camera[2, 2],
        inliers=inliers,
        residual=residual,
        flow=velocity,
        screen=(-flow / np.array([w, h])).astype(np.float32),
        foreground=foreground * np.clip(2 - overlay_s / np.float32(OVERLAY_S), 0, 1),
        overlay_s=overlay_s,
        dt=dt,
    )


def _reduced(gray: NDArray[Any]) -> NDArray[Any]:
    import cv2

    factor = min(1.0, LONG_SIDE / max(gray.shape))
    h, w = (max(32, GRID_STEP * round(n * factor / GRID_STEP)) for n in gray.shape)
    if (h, w) == gray.shape:
        return np.ascontiguousarray(gray)
    return cv2.resize(gray, (w, h), interpolation=cv2.INTER_AREA)


def _still(cells: tuple[int, int], dt: float) -> MotionField:
    one, two = np.zeros(cells, np.float32), np.zeros((*cells, 2), np.float32)
    return MotionField(np.eye(3), 0.0, one, two, two, one, one, dt, valid=False)


@lru_cache(maxsize=8)
def _dis(thread: int) -> Any:
    """The flow estimator, which keeps buffers of its own: one for each thread."""
    import cv2

    library: Any = cv2  # its stubs leave this class out
    return library.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)


def _is_cut(detail: Grid, found: Grid, picture: tuple[int, int, int, int]) -> bool:
    """True when even the best dense match explains little of the picture."""
    x0, y0, x1, y1 = (v // GRID_STEP for v in picture)
    a, b = detail[y0:y1, x0:x1], found[y0:y1, x0:x1]
    spread = float(a.std()), float(b.std())
    if max(spread) < 0.5:
        return False
    return float((a * b).mean()) / (spread[0] * spread[1] + 1e-6) < 0.35


def _camera_model(
    small: NDArray[Any], back: NDArray[Any], picture: tuple[int, int, int, int], foreground: Grid
) -> tuple[NDArray[np.float64], float]:
    """Affine (3, 3) px map from this frame to the previous one for the static scene, and its inlier share.

    `small` is this frame on the grid, `back` (H, W, 2) px the dense flow to the previous frame.
    """
    import cv2

    h, w = back.shape[:2]
    x0, y0, x1, y1 = picture
    margin = 6 if (x0 or y0 or x1 < w or y1 < h) else 3
    ys, xs = np.mgrid[y0 + margin : y1 - margin : POINT_STEP, x0 + margin : x1 - margin : POINT_STEP]
    xs, ys = xs.ravel(), ys.ravel()
    cell_y, cell_x = (
        np.minimum(ys // GRID_STEP, len(small) - 1),
        np.minimum(xs // GRID_STEP, len(small[0]) - 1),
    )
    strength = cv2.cornerMinEigenVal(small, 5, ksize=3)[cell_y, cell_x]
    u, v = (xs - x0) / (x1 - x0) * 2 - 1, (ys - y0) / (y1 - y0) * 2 - 1
    weight = (
        strength / (strength + MIN_TEXTURE)
        * (CENTRE_WEIGHT + (1 - CENTRE_WEIGHT) * np.maximum(np.abs(u), np.abs(v)) ** 2)
        * (1 - (1 - FOREGROUND_WEIGHT) * foreground[cell_y, cell_x])
    )  # fmt: skip
    keep = weight > 0.05
    if keep.sum() < 12:
        return np.eye(3), 0.0
    xs, ys, weight = xs[keep], ys[keep], weight[keep]
    here = (xs + 1j * ys).astype(np.complex64)
    there = here + back[ys, xs, 0] + 1j * back[ys, xs, 1]
    # blur and parallax grow with the motion
    tolerance = max(0.6, 0.08 * float(np.median(np.abs(there - here))))

    zoom, shift = _best_similarity(here, there, weight.astype(np.float32), tolerance)
    predicted = zoom * here + shift
    design = np.stack([xs, ys, np.ones(len(xs))], 1)
    target = np.stack([there.real, there.imag], 1).astype(np.float64)
    model = np.array(
        [[zoom.real, -zoom.imag, shift.real], [zoom.imag, zoom.real, shift.imag], [0, 0, 1]], np.float64
    )
    for _ in range(4):
        # Geman-McClure weights
        robust = weight / (1 + (np.abs(predicted - there) / tolerance) ** 2) ** 2
        try:
            solution = np.linalg.solve(
                design.T @ (design * robust[:, None]), design.T @ (target * robust[:, None])
            )
        except np.linalg.LinAlgError:
            break
        if not np.abs(solution[:2].T - np.eye(2)).max() < 0.25:
            break
        model[:2] = solution.T
        moved = design @ solution
        predicted = moved[:, 0] + 1j * moved[:, 1]
    inlier = np.abs(predicted - there) < 2 * tolerance
    return model, float(weight[inlier].sum() / weight.sum())


def _best_similarity(
    here: NDArray[Any], there: NDArray[Any], weight: NDArray[Any], tolerance: float
) -> tuple[complex, complex]:
    """The similarity z -> zoom z + shift with the greatest truncated quadratic support (MSAC)."""
    rng = np.random.default_rng(SEED)
    pick = rng.choice(len(here), (HYPOTHESES, 2), p=(weight / weight.sum(dtype=np.float64)))
    p, q = here[pick], there[pick]
    far = np.abs(p[:, 1] - p[:, 0]) > 50  # px: closer pairs give zoom and roll too badly
    p, q = p[far], q[far]
    zoom = (q[:, 1] - q[:, 0]) / (p[:, 1] - p[:, 0])
    sane = np.abs(zoom - 1) < 0.2
    # pure shifts too: they are right more often than two noisy points are
    shifts = np.append((there - here)[pick[:16, 0]], 0)
    zooms = np.concatenate([zoom[sane], np.ones(len(shifts))]).astype(np.complex64)
    shifts = np.concatenate([(q[:, 0] - zoom * p[:, 0])[sane], shifts]).astype(np.complex64)
    error = zooms[:, None] * here + (shifts[:, None] - there)
    squared = (error.real**2 + error.imag**2) * np.float32(tolerance**-2)
    best = int((np.maximum(0, 1 - squared) @ weight).argmax())
    return complex(zooms[best]), complex(shifts[best])
