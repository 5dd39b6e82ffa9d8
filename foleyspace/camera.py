"""Screen to listener and back: the only place where frames of reference change.

The listener stands at the camera and looks along its axis. Rectilinear pictures follow the pinhole
model with a horizontal field of view; equirectangular ones span 360 by 180 degrees, their centre in
front. Screen points are normalised ((0, 0) top left) and may lie outside the picture.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np

from foleyspace.errors import InputError
from foleyspace.types import Floats

Projection = Literal["rectilinear", "equirectangular"]
DEFAULT_FOV_DEG = 70.0


def check_view(fov_deg: float, projection: str) -> None:
    """Raise `InputError` unless the field of view and the projection are usable."""
    if projection not in get_args(Projection):
        raise InputError(
            f"`projection` is {projection!r} but must be one of {', '.join(get_args(Projection))}"
        )
    number = isinstance(fov_deg, (int, float)) and math.isfinite(fov_deg)
    if not (number and 10 <= fov_deg <= 170):
        raise InputError(f"`fov` is {fov_deg!r} but must be between 10 and 170 degrees")


def screen_to_angles(
    xy: Floats, size_wh: tuple[int, int], fov_deg: float, projection: Projection = "rectilinear"
) -> Floats:
    """Normalised screen points (..., 2) to (..., 2) azimuth and elevation in degrees."""
    xy = np.asarray(xy, np.float64)
    if projection == "equirectangular":
        return np.stack([(0.5 - xy[..., 0]) * 360.0, (0.5 - xy[..., 1]) * 180.0], axis=-1)
    width, height = size_wh
    tan_half = math.tan(math.radians(fov_deg) / 2)
    left = (0.5 - xy[..., 0]) * 2 * tan_half
    up = (0.5 - xy[..., 1]) * 2 * tan_half * height / width
    azimuth = np.degrees(np.arctan(left))
    elevation = np.degrees(np.arctan2(up, np.hypot(1.0, left)))
    return np.stack([azimuth, elevation], axis=-1)


def angles_to_screen(
    angles_deg: Floats, size_wh: tuple[int, int], fov_deg: float, projection: Projection = "rectilinear"
) -> Floats:
    """Inverse of `screen_to_angles`; NaN for what lies behind a rectilinear camera."""
    angles = np.asarray(angles_deg, np.float64)
    if projection == "equirectangular":
        azimuth = (angles[..., 0] + 180.0) % 360.0 - 180.0
        return np.stack([0.5 - azimuth / 360.0, 0.5 - angles[..., 1] / 180.0], axis=-1)
    width, height = size_wh
    tan_half = math.tan(math.radians(fov_deg) / 2)
    xyz = angles_to_xyz(angles, np.ones(angles.shape[:-1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.where(xyz[..., 0] > 1e-6, xyz[..., 1] / xyz[..., 0], np.nan)
        up = np.where(xyz[..., 0] > 1e-6, xyz[..., 2] / xyz[..., 0], np.nan)
    return np.stack([0.5 - left / (2 * tan_half), 0.5 - up * width / height / (2 * tan_half)], axis=-1)


def angles_to_xyz(angles_deg: Floats, distance_m: Floats) -> Floats:
    """Azimuth and elevation (..., 2) degrees and distance (...) m to (..., 3) listener coordinates."""
    azimuth, elevation = np.radians(np.moveaxis(np.asarray(angles_deg, np.float64), -1, 0))
    unit = np.stack(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)], axis=-1
    )
    return unit * np.asarray(distance_m, np.float64)[..., None]


def xyz_to_angles(xyz: Floats) -> tuple[Floats, Floats, Floats]:
    """Listener coordinates (..., 3) m to azimuth (-180, 180], elevation (degrees) and distance (m)."""
    x, y, z = np.moveaxis(np.asarray(xyz, np.float64), -1, 0)
    azimuth = np.degrees(np.arctan2(y, x))
    elevation = np.degrees(np.arctan2(z, np.hypot(x, y)))
    return azimuth, elevation, np.sqrt(x * x + y * y + z * z)
