"""Distance from boxes alone: how large a known thing looks, else how an unknown one grows."""

from __future__ import annotations

import math

import numpy as np

from foleyspace.camera import DEFAULT_FOV_DEG, Projection, check_view, screen_to_angles
from foleyspace.errors import InputError
from foleyspace.object_size import object_size
from foleyspace.types import Floats

EDGE = 0.006  # a box this near the picture's edge is taken as cut by it (detectors end 1-2 px short)
DEFAULT_DISTANCE_M = 3.5  # what an unknown object of middling size is taken to be away
NEAREST_M = 0.5  # where distances read from sizes end, softly
DEFAULT_EXTENT = 0.25  # "middling": the side of its box, as a part of the picture's


def size_distance(
    label: str,
    xyxy: Floats,
    size_wh: tuple[int, int],
    fov_deg: float = DEFAULT_FOV_DEG,
    projection: Projection = "rectilinear",
) -> Floats:
    """Straight-line distance (N,) m of boxes `xyxy` (N, 4) normalised, by the class's usual size.

    Pinhole model: an object of height H that covers h of the image plane (in focal lengths) stands at
    depth H / h. A box wider than the class can be at that depth (a seated or half hidden person) is
    read by its width. Where the picture's edge cuts the box, the dimension left whole counts, with the
    object's own width as seen in whole frames; where both are cut, the distance is carried over from
    whole frames and kept below what the visible part allows. Readings level off at 0.5 m. Unknown labels:
    `looming_distance`.
    """
    xyxy = _boxes(xyxy)
    check_view(fov_deg, projection)
    size = object_size(label)
    if size is None:
        return looming_distance(xyxy)
    wide, high = _extents(xyxy, size_wh, fov_deg, projection)
    narrow_m, wide_m = size.width_m
    cut_x, cut_y = _cut(xyxy)
    if size.turns:
        bound = wide_m / np.hypot(wide, high)
        depth = np.where(cut_x | cut_y, np.nan, bound)
    else:
        # what is seen of an object is never larger than it is: both are upper bounds, cut or not
        bound = np.minimum(size.height_m / high, wide_m / wide)
        depth = np.where(cut_y, np.nan, bound)
        only_wide = cut_y & ~cut_x
        if only_wide.any():
            whole = ~cut_x & ~cut_y
            if whole.any():
                index = np.arange(len(xyxy))
                width_m = np.interp(index, index[whole], (wide * bound)[whole])
            else:  # the hidden height makes the true aspect narrower than the visible one
                width_m = np.minimum(math.sqrt(narrow_m * wide_m), wide / high * size.height_m)
                width_m = np.maximum(width_m, narrow_m)
            depth = np.where(only_wide, np.minimum(width_m / wide, bound), depth)
    depth = np.minimum(_carried(depth, bound), bound)
    # hardly anyone films from nearer than this: it is rather a cup taken for a drum
    depth = (depth**6 + NEAREST_M**6) ** (1 / 6)
    return depth * ray_lengths(xyxy, size_wh, fov_deg, projection)


def looming_distance(xyxy: Floats) -> Floats:
    """Distance (N,) m of an unknown object from how its box (N, 4) grows: d ~ 1 / size.

    A box of a quarter of the picture's side is put at 3.5 m; of a track that is larger or smaller,
    half (in logarithms) is put down to the distance and half to the object's own size.
    """
    xyxy = _boxes(xyxy)
    sides = np.log(np.maximum(xyxy[:, 2:] - xyxy[:, :2], 1e-4))  # (N, 2)
    whole = ~np.stack(_cut(xyxy), axis=1)
    if not whole.any():
        whole[:] = True
    both = whole.all(axis=1)
    growth = np.full(sides.shape, np.nan)
    for k in range(2):
        usable = whole[:, k]
        if usable.any():
            # both dimensions are measured against the same moments, where there are any
            middle = np.median(sides[both if both.any() else usable, k])
            growth[usable, k] = sides[usable, k] - middle
    known = np.isfinite(growth).any(axis=1)
    index = np.arange(len(xyxy))
    relative = np.interp(index, index[known], np.nanmean(growth[known], axis=1))
    extent = math.exp(float(np.median(sides[known].mean(axis=1))))
    return DEFAULT_DISTANCE_M * math.sqrt(DEFAULT_EXTENT / extent) * np.exp(-relative)


def ray_lengths(xyxy: Floats, size_wh: tuple[int, int], fov_deg: float, projection: Projection) -> Floats:
    """(N,) straight-line distance of the box centres per metre of depth along the camera's axis."""
    if projection == "equirectangular":
        return np.ones(len(xyxy))
    angles = screen_to_angles((xyxy[:, :2] + xyxy[:, 2:]) / 2, size_wh, fov_deg, projection)
    azimuth, elevation = np.radians(angles).T
    return 1 / (np.cos(azimuth) * np.cos(elevation))


def _extents(
    xyxy: Floats, size_wh: tuple[int, int], fov_deg: float, projection: Projection
) -> tuple[Floats, Floats]:
    """Width and height (N,) of boxes in units of their distance."""
    wide = np.maximum(xyxy[:, 2] - xyxy[:, 0], 1e-4)
    high = np.maximum(xyxy[:, 3] - xyxy[:, 1], 1e-4)
    if projection == "equirectangular":
        elevation = (0.5 - (xyxy[:, 1] + xyxy[:, 3]) / 2) * math.pi
        angles = wide * 2 * math.pi * np.cos(elevation), high * math.pi
        wide, high = (2 * np.tan(np.minimum(angle, 2.8) / 2) for angle in angles)
        return wide, high
    across = 2 * math.tan(math.radians(fov_deg) / 2)
    return wide * across, high * across * size_wh[1] / size_wh[0]


def _cut(xyxy: Floats) -> tuple[np.ndarray, np.ndarray]:
    """Whether the picture's edge cuts each box in width, in height."""
    low, high = xyxy[:, :2] <= EDGE, xyxy[:, 2:] >= 1 - EDGE
    cut = low | high
    return cut[:, 0], cut[:, 1]


def _carried(depth: Floats, bound: Floats) -> Floats:
    """Gaps (NaN) in log depth filled from their neighbours; all gaps: the bound itself."""
    known = np.isfinite(depth)
    if not known.any():
        return bound
    index = np.arange(len(depth))
    return np.exp(np.interp(index, index[known], np.log(depth[known])))


def _boxes(xyxy: Floats) -> Floats:
    xyxy = np.atleast_2d(np.asarray(xyxy, np.float64))
    if xyxy.ndim != 2 or xyxy.shape[1] != 4 or len(xyxy) == 0:
        raise InputError(f"`xyxy` has shape {xyxy.shape} but must be (N, 4) with N >= 1")
    return xyxy
