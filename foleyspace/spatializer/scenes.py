"""Random scenes to learn from: how sounding things move around a listener."""

from __future__ import annotations

import numpy as np

from foleyspace.camera import angles_to_xyz
from foleyspace.types import Floats

MOTIONS = ("static", "passing", "arc", "approach", "recede", "wander", "off_screen", "behind")
NEAREST_M, FARTHEST_M = 0.3, 30.0


def draw_path(motion: str, times: Floats, rng: np.random.Generator) -> Floats:
    """Positions (T, 3) m at `times` (T,) s of a source that moves as its name says, listener frame.

    static: at rest, anywhere in front; passing: straight past at 1-15 m/s, nearest at 0.7-8 m; arc: around
    the listener at one distance; approach, recede: along a ray, at up to 5 m/s; wander: to and fro;
    off_screen: at rest or slow, 45-135 degrees to a side; behind: likewise, 100-260 degrees.
    Raises `ValueError` for a motion that is none of `MOTIONS`.
    """
    span = max(float(times[-1] - times[0]), 1e-3)
    part = (times - times[0]) / span
    elevation = np.clip(rng.normal(0, 12), -40, 60)
    side = rng.choice((-1.0, 1.0))
    near, far = np.log(NEAREST_M * 2), np.log(FARTHEST_M / 2)
    distance = np.full(len(times), np.exp(rng.uniform(near, far)))
    if motion == "passing":
        return _passing(times - times[0], span, elevation, side, rng)
    if motion == "static":
        azimuth = np.full(len(times), rng.uniform(-90, 90))
    elif motion == "arc":
        azimuth = rng.uniform(-180, 180) + side * rng.uniform(20, 60) * span * rng.uniform(0.2, 1) * part
    elif motion in ("approach", "recede"):
        azimuth = rng.uniform(-100, 100) + rng.normal(0, 10) * part
        start = np.exp(rng.uniform(np.log(2.0), np.log(FARTHEST_M)))
        end = max(NEAREST_M, start - rng.uniform(0.3, 5) * span)
        distance = start + (end - start) * (part if motion == "approach" else 1 - part)
    elif motion == "wander":
        phase, rate = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.35)
        swing = rng.uniform(5, 60)
        azimuth = rng.uniform(-90, 90) + swing * np.sin(phase + 2 * np.pi * rate * (times - times[0]))
        elevation = elevation + rng.uniform(0, 10) * np.sin(phase + 3 * part)
        distance = distance * (1 + rng.uniform(0, 0.4) * np.sin(phase + 5 * part))
    elif motion == "off_screen":
        azimuth = side * rng.uniform(45, 135) + rng.normal(0, 6) * span * part
    elif motion == "behind":
        azimuth = 180 + rng.uniform(-80, 80) + rng.normal(0, 6) * span * part
    else:
        raise ValueError(f"`motion` is {motion!r} but must be one of {', '.join(MOTIONS)}")
    angles = np.stack(np.broadcast_arrays(azimuth, elevation), axis=-1)
    return angles_to_xyz(angles, np.clip(distance, NEAREST_M, FARTHEST_M))


def _passing(times: Floats, span: float, elevation: float, side: float, rng: np.random.Generator) -> Floats:
    nearest, speed = rng.uniform(0.7, 8), np.exp(rng.uniform(0, np.log(15)))
    speed = min(speed, (FARTHEST_M - 2) / span)
    along = side * speed * (times - rng.uniform(0.2, 0.8) * span)
    heading = rng.normal(0, 25) + (180 if rng.random() < 0.15 else 0)  # some pass behind
    turn = np.radians(heading)
    x, y = np.full(len(times), nearest), -along
    height = nearest * np.tan(np.radians(elevation))
    return np.stack(
        [
            x * np.cos(turn) - y * np.sin(turn),
            x * np.sin(turn) + y * np.cos(turn),
            np.full(len(times), height),
        ],
        axis=1,
    )
