"""What the camera did between two frames, and what moved by itself.

Dense inverse search flow (Kroeger et al., ECCV 2016) gives every pixel's motion; a robust global model
(MSAC over two-point similarities, then an iteratively reweighted affine fit) is the camera's share of
it; what is left, where the picture itself contradicts the camera model, is independent motion.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.errors import InputError

Grid = NDArray[np.float32]

LONG_SIDE = 320  # px, the size flow is computed at
GRID_STEP = 2  # px of the flow image per cell of the returned grids
POINT_STEP = 10  # px between the points the camera model is fitted to
MIN_TEXTURE = 2e-6  # smaller eigenvalue of the structure tensor (grey 0..1, per px^2) that counts as texture
DARK = 24  # grey level below which a uniform border row or column is a letterbox bar
MIN_SPEED = 0.015  # frame widths per second: half evidence of independent motion under a still camera
PARALLAX = 0.3  # the share of the camera's speed by which static things may differ from the global model
RISE_S, FALL_S = 0.3, 2.5  # time constants of the foreground evidence
CENTRE_WEIGHT = 0.2
FG_WEIGHT = 0.9
FLAT_LEVEL = 4.0  # grey levels
FLAT_FALL_S = 0.5
EDGE = 4
OVERLAY_S = 0.6
HYPOTHESES = 64  # two-point similarities tried
SEED = 20_240_607


@dataclass(frozen=True)
class MotionField:
    """Motion from the previous processed frame to this one, on a grid aligned with this frame.

    `camera` (3, 3): homogeneous, maps normalised points of the previous frame to this one where they
    belong to the static scene; `inliers` in [0, 1]: the share of the textured picture that moves so;
    `residual` (h, w) float32: speed of what moves by itself, in frame widths per second, 0 where the
    camera model explains the picture; `flow` (h, w, 2) float32: the same as (x, y) velocity, both in
    frame widths per second; `screen` (h, w, 2) float32: displacement on the screen since the previous
    frame, camera included, in normalised units (x in widths, y in heights); `foreground` (h, w) float32
    in [0, 1]: evidence of independent motion gathered over the shot, carried along by the flow; `overlay_s` (h, w) float32: for how many
    seconds a cell with detail has kept it pixel by pixel under a moving camera, as logos do; `dt` s
    `valid` is False where there is no usable pair: first frame, scene cut, blank picture.
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
    itself adds up, and what moved before is not taken for the background now.

    Frames larger than `LONG_SIDE` px are reduced first. `previous_gray` None (the first frame of a
    shot) and pairs that show different scenes give a field with `valid=False`, no motion.
    Raises InputError when the frames are not grey, differ in size, or `dt` is not positive.
    """
    import cv2

    if gray.ndim != 2 or (previous_gray is not None and previous_gray.shape != gray.shape):
        shape = None if previous_gray is None else previous_gray.shape
        raise InputError(f"frames have shapes {shape} and {gray.shape} but must both be (height, width)")
    if not dt > 0:
        raise InputError(f"`dt` is {dt} but must be a positive number of seconds")
    factor = min(1.0, LONG_SIDE / max(gray.shape))
    size = tuple(max(32, GRID_STEP * round(n * factor / GRID_STEP)) for n in gray.shape[::-1])
    current = cv2.resize(gray, size, interpolation=cv2.INTER_AREA) if size != gray.shape[::-1] else gray
    h, w = current.shape
    cells = (h // GRID_STEP, w // GRID_STEP)
    if previous_gray is None:
        return _still(cells, dt)
    previous = (
        cv2.resize(previous_gray, size, interpolation=cv2.INTER_AREA)
        if size != gray.shape[::-1]
        else previous_gray
    )
    picture = _picture_area(previous, current)
    if picture is None:
        return _still(cells, dt)

    # flow from this frame back to the previous one, so that every grid is aligned with this frame
    back = _dis().calc(np.ascontiguousarray(current), np.ascontiguousarray(previous), None)
    size_cells = (cells[1], cells[0])
    flow = cv2.resize(back, size_cells, interpolation=cv2.INTER_AREA)
    detail, detail_previous = (_detail(image, size_cells) for image in (current, previous))
    xs, ys = grid_points(*cells)
    found = warp(detail_previous, flow / GRID_STEP)
    mask = np.zeros(cells, np.float32)
    x0, y0, x1, y1 = (int(round(v / GRID_STEP)) for v in picture)
    e=int(EDGE)
    mask[y0 + e*(y0>0) : y1 - e*(y1<cells[0]), x0+e*(x0>0):x1-e*(x1<cells[1])] = 1.0
    if _is_cut(detail, found, mask):
        return _still(cells, dt)

    carried = np.zeros(cells, np.float32)
    if before is not None and before.foreground.shape == cells:
        carried = warp(before.foreground, flow / GRID_STEP)
    model, inliers = _camera_model(current, back, picture, carried)
    # the camera's share of the flow at each cell centre, in px of the flow image
    px, py = xs * GRID_STEP + 0.5, ys * GRID_STEP + 0.5
    a = model.astype(np.float32)
    share = np.stack(
        [a[0, 0] * px + a[0, 1] * py + a[0, 2] - px, a[1, 0] * px + a[1, 1] * py + a[1, 2] - py], -1
    )
    texture = _texture(detail)
    support = _support(detail, found, warp(detail_previous, share / GRID_STEP)) * texture * mask
    residual_xy = (share - flow) * (support / np.float32(w * dt))[..., None]
    residual = np.hypot(residual_xy[..., 0], residual_xy[..., 1])
    camera_speed = float(np.hypot(share[..., 0], share[..., 1]).mean()) / (w * dt)
    overlay = _overlay(before, detail, detail_previous, texture, np.hypot(share[..., 0], share[..., 1]), dt)
    foreground = _gather(carried * mask, residual, texture, _matched(detail, found), camera_speed, dt)
    scale = np.array([w, h], np.float32)
    to_unit = np.diag([1 / w, 1 / h, 1.0])
    camera = to_unit @ np.linalg.inv(model) @ np.linalg.inv(to_unit)
    return MotionField(
        camera=camera / camera[2, 2],
        inliers=inliers,
        residual=residual,
        flow=residual_xy,
        screen=-flow / scale,
        foreground=foreground * np.clip(2 - overlay / OVERLAY_S, 0, 1),
        overlay_s=overlay,
        dt=dt,
    )


def _still(cells: tuple[int, int], dt: float) -> MotionField:
    zero = np.zeros((*cells, 2), np.float32)
    return MotionField(np.eye(3), 0.0, zero[..., 0].copy(), zero, zero.copy(), zero[..., 0].copy(), zero[..., 0].copy(), dt, False)


def _gather(
    carried: Grid, residual: Grid, texture: Grid, matched: Grid, camera_speed: float, dt: float
) -> Grid:
    """Foreground evidence updated: quick to rise, slow to fall, as things that stop are still there.

    On flat ground it falls fast: no flow can be read there that would have carried it along."""
    # parallax and model error grow with the camera's own motion, an object it follows moves as fast as it
    doubtful = np.float32(MIN_SPEED + PARALLAX * camera_speed)
    now = residual / (residual + doubtful)
    # a thing that moves may look different each time; ground that comes to light behind it stands still
    carried = carried * (matched + (1 - matched) * now)
    rise = np.float32(1 - np.exp(-dt / RISE_S))
    fall = 1 - np.exp(-dt / (FLAT_FALL_S + (FALL_S - FLAT_FALL_S) * texture))
    return carried + np.where(now > carried, rise, fall.astype(np.float32)) * (now - carried)


@lru_cache(maxsize=1)
def _dis() -> Any:
    import cv2

    return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)


@lru_cache(maxsize=8)
def grid_points(h: int, w: int) -> tuple[Grid, Grid]:
    """Column and row number of every cell of an (h, w) grid."""
    xs, ys = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    return xs, ys


def warp(image: Grid, displacement: Grid) -> Grid:
    """`image` (h, w) read at every cell's own place plus `displacement` (h, w, 2) cells."""
    import cv2

    xs, ys = grid_points(*image.shape)
    return cv2.remap(
        image, xs + displacement[..., 0], ys + displacement[..., 1], cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip


def _picture_area(
    previous: NDArray[Any], current: NDArray[Any]
) -> tuple[int, int, int, int] | None:
    """x0, y0, x1, y1 px without letterbox and pillarbox bars; None for a blank picture."""
    brightest = np.maximum(previous, current)
    # a tenth, not any: a logo or compression noise may lie on the bar
    bright = brightest > DARK
    columns = np.flatnonzero(bright.mean(0) > 0.1)
    rows = np.flatnonzero(bright.mean(1) > 0.1)
    h, w = current.shape
    if len(columns) < w // 8 or len(rows) < h // 8:
        # dark throughout: a night scene is no letterbox, a blank picture has no contrast either
        return (0, 0, w, h) if min(previous.std(), current.std()) > 2.0 else None
    x0, x1, y0, y1 = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    # bars come in equal pairs and are uniform; anything else is picture
    if abs(x0 - (w - x1)) > 0.02 * w or current[:, : max(1, x0)].std() > 6:
        x0, x1 = 0, w
    if abs(y0 - (h - y1)) > 0.02 * h or current[: max(1, y0)].std() > 6:
        y0, y1 = 0, h
    inset = 2
    return (
        x0 + inset if x0 else 0,
        y0 + inset if y0 else 0,
        x1 - inset if x1 < w else w,
        y1 - inset if y1 < h else h,
    )


def _detail(image: NDArray[Any], size_cells: tuple[int, int]) -> Grid:
    """The picture on the grid without its slow brightness, so that flicker and exposure drop out."""
    import cv2

    small = cv2.resize(image, size_cells, interpolation=cv2.INTER_AREA).astype(np.float32)
    return small - cv2.blur(small, (15, 15))


def _is_cut(detail: Grid, found: Grid, mask: Grid) -> bool:
    """True when even the best dense match explains little of the picture."""
    inside = mask > 0
    a, b = detail[inside], found[inside]
    if a.std() < 0.5 and b.std() < 0.5:
        return False
    return float((a * b).mean() / (a.std() * b.std() + 1e-6)) < 0.35


def _overlay(
    before: MotionField | None, detail: Grid, previous: Grid, texture: Grid, expected_px: Grid, dt: float
) -> Grid:
    """Seconds for which detail has stood still on the screen while the scene behind it should have moved."""
    import cv2

    changed = cv2.blur(np.abs(detail - previous), (3, 3)) / (cv2.blur(np.abs(detail), (3, 3)) + 1.0)
    since = np.zeros_like(detail)
    if before is not None and before.overlay_s.shape == detail.shape:
        since = before.overlay_s
    counts = (changed < 0.1) & (texture > 0.5) & (expected_px > 1.0)
    # what changes is no overlay; what could not have changed, under a still camera, tells nothing
    return np.where(counts, since + dt, np.where(changed > 0.25, 0.5 * since, since)).astype(np.float32)


def _texture(detail: Grid) -> Grid:
    """In [0, 1): how far a cell's detail stands above what noise and compression leave on flat ground."""
    import cv2

    contrast = cv2.blur(np.abs(detail), (5, 5))
    return contrast / (contrast + np.float32(FLAT_LEVEL))


def _matched(detail: Grid, found: Grid) -> Grid:
    """In [0, 1]: whether a cell was there in the previous frame; 0 where the background has come to light
    behind something that moved on, which must not leave its evidence behind."""
    import cv2

    wrong = cv2.blur(np.abs(detail - found), (3, 3))
    noise = max(0.5, float(np.median(wrong)))
    contrast = cv2.blur(np.abs(found), (3, 3))
    return np.clip(1.5 - (wrong - noise) / (contrast + noise), 0.0, 1.0)


def _support(detail: Grid, found: Grid, expected: Grid) -> Grid:
    """In [0, 1]: how much better the cell's own flow explains the picture than the camera model does."""
    import cv2

    worse = cv2.blur(np.abs(detail - expected), (5, 5))
    best = cv2.blur(np.abs(detail - found), (5, 5))
    noise = max(0.5, float(np.median(best)))
    gain = np.clip((worse - best - 0.5 * noise) / (best + 2.0 * noise), 0.0, 1.0)
    # neither explains it: wings, foam, wheels change their looks faster than flow can follow
    contrast = cv2.blur(np.abs(detail), (5, 5))
    changed = np.clip((np.minimum(best, worse) - 2.0 * noise) / (0.5 * contrast + 2.0 * noise), 0.0, 1.0)
    return cv2.GaussianBlur(np.maximum(gain, changed).astype(np.float32), (0, 0), 1.5)


def _camera_model(
    current: NDArray[Any], back: NDArray[Any], picture: tuple[int, int, int, int], foreground: Grid
) -> tuple[NDArray[np.float64], float]:
    """Affine (3, 3) px map from this frame to the previous one for the static scene, and its inlier share."""
    import cv2

    h, w = current.shape
    x0, y0, x1, y1 = picture
    margin = 6 if (x0 or y0 or x1 < w or y1 < h) else 3
    texture = cv2.cornerMinEigenVal(current, 7, ksize=3)
    ys, xs = np.mgrid[y0 + margin : y1 - margin : POINT_STEP, x0 + margin : x1 - margin : POINT_STEP]
    xs, ys = xs.ravel(), ys.ravel()
    strength = texture[ys, xs]
    weight = strength / (strength + MIN_TEXTURE)
    # the static scene reaches the edges of the picture more often than its middle
    u, v = (xs - x0) / (x1 - x0) * 2 - 1, (ys - y0) / (y1 - y0) * 2 - 1
    weight = weight * (CENTRE_WEIGHT + (1 - CENTRE_WEIGHT) * np.maximum(np.abs(u), np.abs(v)) ** 2)
    weight = weight * (1 - FG_WEIGHT * foreground[ys // GRID_STEP, xs // GRID_STEP])
    keep = weight > 0.05
    if keep.sum() < 12:
        return np.eye(3), 0.0
    xs, ys, weight = xs[keep], ys[keep], weight[keep].astype(np.float64)
    here = xs + 1j * ys
    there = here + back[ys, xs, 0] + 1j * back[ys, xs, 1]
    moved = np.abs(there - here)
    tolerance = max(0.6, 0.08 * float(np.median(moved)))  # px; blur and parallax grow with the motion

    rng = np.random.default_rng(SEED)
    pick = rng.choice(len(here), (HYPOTHESES, 2), p=weight / weight.sum())
    p, q = here[pick], there[pick]
    far = np.abs(p[:, 1] - p[:, 0]) > 0.15 * w
    p, q = p[far], q[far]
    zoom = (q[:, 1] - q[:, 0]) / (p[:, 1] - p[:, 0])
    sane = np.abs(zoom - 1) < 0.2
    zoom, shift = zoom[sane], (q[:, 0] - zoom * p[:, 0])[sane]
    # pure shifts too: they are right more often than two noisy points are
    zoom = np.concatenate([zoom, np.ones(17)])
    shift = np.concatenate([shift, (there - here)[pick[:16, 0]], [0]])
    error = np.abs(zoom[:, None] * here + shift[:, None] - there)
    gain = np.clip(1 - (error / tolerance) ** 2, 0, None) @ weight
    best = int(gain.argmax())

    predicted = zoom[best] * here + shift[best]
    design = np.stack([here.real, here.imag, np.ones(len(here))], 1)
    target = np.stack([there.real, there.imag], 1)
    model = np.array(
        [[zoom[best].real, -zoom[best].imag, shift[best].real],
         [zoom[best].imag, zoom[best].real, shift[best].imag], [0, 0, 1.0]]
    )  # fmt: skip
    for _ in range(4):
        robust = weight / (1 + (np.abs(predicted - there) / tolerance) ** 2) ** 2
        normal = design.T @ (design * robust[:, None])
        if np.linalg.cond(normal) > 1e9:
            break
        solution = np.linalg.solve(normal, design.T @ (target * robust[:, None]))
        if np.abs(solution[:2].T - np.eye(2)).max() > 0.25:
            break
        model[:2] = solution.T
        predicted = (design @ solution) @ [1, 1j]
    inlier = np.abs(predicted - there) < 2 * tolerance
    return model, float(weight[inlier].sum() / weight.sum())
