"""The data that flows between the stages: frozen dataclasses of parallel arrays, checked when made.

Conventions (one place, the whole package): listener frame x front, y left, z up in metres (AES69);
azimuth counter-clockwise from the front in degrees (+90 left), elevation up; screen points are
normalised, (0, 0) top left; times are seconds from the first shown frame; audio is float32
``(channels, samples)``, channel 0 left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.errors import InputError

MAX_GAIN_DB = 120.0  # a source louder than that is a typing error, and would overflow float32

Floats = NDArray[np.float64]
Samples = NDArray[np.float32]


@dataclass(frozen=True)
class AudioInfo:
    """A sound stream of a file: `codec` name, `rate` Hz, `channels`, `layout` as ffmpeg names it
    ("mono", "5.1(side)"), `start` s relative to the first shown frame, `duration` s, `index`
    among the file's audio streams."""

    codec: str
    rate: int
    channels: int
    layout: str
    start: float
    duration: float
    index: int = 0


@dataclass(frozen=True)
class Clip:
    """A video file as probed: nothing of its pictures is held.

    `fps` is the average frame rate; `times` (T,) s are the presentation times of all shown frames,
    the first at 0; `size_wh` px is the size after the rotation, pixels as they are stored (not made
    square); `rotation` in {0, 90, 180, 270} degrees clockwise is what a player applies;
    `cuts` (K,) s are the times of the first frames after hard cuts (empty until `shots.find_cuts`).
    """

    path: Path
    fps: Fraction
    times: Floats
    size_wh: tuple[int, int]
    duration: float
    audio: AudioInfo | None
    rotation: int = 0
    cuts: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        _freeze(self, times=_times("Clip.times", self.times))
        if self.rotation not in (0, 90, 180, 270):
            raise InputError(f"`rotation` is {self.rotation} but must be 0, 90, 180 or 270 degrees")


@dataclass(frozen=True)
class Track:
    """One object seen over N moments: `times` (N,) s, `xyxy` (N, 4) and `focus_xy` (N, 2) normalised
    screen coordinates, detector `score` (N,) in [0, 1], `label`, `distance_m` (N,) or None,
    `sounding` (N,) in [0, 1]: how much of the sound is its own at that moment; `focus_std` (N, 2): how
    far from `focus_xy` the sound may be made (standard deviation), None when unknown."""

    id: str
    label: str
    times: Floats
    xyxy: Floats
    focus_xy: Floats
    score: Floats
    sounding: Floats
    distance_m: Floats | None = None
    focus_std: Floats | None = None

    def __post_init__(self) -> None:
        times = _times("Track.times", self.times)
        n = len(times)
        _freeze(
            self,
            times=times,
            xyxy=_array("Track.xyxy", self.xyxy, (n, 4)),
            focus_xy=_array("Track.focus_xy", self.focus_xy, (n, 2)),
            score=_array("Track.score", self.score, (n,)),
            sounding=_array("Track.sounding", self.sounding, (n,)),
            distance_m=None
            if self.distance_m is None
            else _array("Track.distance_m", self.distance_m, (n,), positive=True),
            focus_std=None if self.focus_std is None else _array("Track.focus_std", self.focus_std, (n, 2)),
        )


@dataclass(frozen=True)
class Source:
    """One trajectory: `times` (N,) s, `xyz` (N, 3) m in the listener frame, `visible` (N,) bool,
    `gain_db` (N,), `spread_deg` (N,) angular width (0: a point; >= 180: all around, diffuse),
    `caption`, and `audio`: a sound file of its own, or None when it shares the scene's mono track.
    Between times the source moves on straight lines, its gain too (in amplitude, -96 dB and less is
    silence); outside them the end values hold."""

    id: str
    label: str
    times: Floats
    xyz: Floats
    visible: NDArray[np.bool_] | None = None
    gain_db: Floats | None = None
    spread_deg: Floats | None = None
    caption: str = ""
    audio: str | None = None

    def __post_init__(self) -> None:
        times = _times("Source.times", self.times)
        n = len(times)
        visible = np.ones(n, bool) if self.visible is None else np.array(self.visible, bool)
        if visible.shape != (n,):
            raise InputError(f"`Source.visible` has shape {visible.shape} but must be ({n},)")
        xyz = _array("Source.xyz", self.xyz, (n, 3))
        if (np.linalg.norm(xyz, axis=1) < 0.9999e-3).any():  # 0.001 m in a direction may come out a bit less
            raise InputError("`Source.xyz` has a point inside the head: it must be 0.001 m or more away")
        gain_db = np.zeros(n) if self.gain_db is None else self.gain_db
        spread_deg = np.zeros(n) if self.spread_deg is None else self.spread_deg
        _freeze(
            self,
            times=times,
            xyz=xyz,
            visible=visible,
            gain_db=_gains("Source.gain_db", gain_db, (n,)),
            spread_deg=_array("Source.spread_deg", spread_deg, (n,)),
        )
        visible.setflags(write=False)


@dataclass(frozen=True)
class Room:
    """A room to add: `rt60_s` reverberation time, `drr_db` direct-to-reverberant ratio at 1 m."""

    rt60_s: float = 0.3
    drr_db: float = 12.0

    def __post_init__(self) -> None:
        if not (0.05 <= self.rt60_s <= 10.0):
            raise InputError(f"`rt60_s` is {self.rt60_s} but must be between 0.05 and 10 seconds")
        if not (-20.0 <= self.drr_db <= 60.0):
            raise InputError(f"`drr_db` is {self.drr_db} but must be between -20 and 60 dB")


@dataclass(frozen=True)
class Scene:
    """Everything that sounds over `duration` s, and the `room` around it, if any."""

    sources: tuple[Source, ...]
    duration: float
    room: Room | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "sources", tuple(self.sources))
        if not (math.isfinite(self.duration) and self.duration > 0):
            raise InputError(f"`duration` is {self.duration} but must be a positive number of seconds")
        ids = [source.id for source in self.sources]
        if len(set(ids)) != len(ids):
            raise InputError(f"source ids are {ids} but must differ from each other")

    @staticmethod
    def load(path: str | Path) -> Scene:
        """Read a scene file (JSON). Raises `InputError` naming what is wrong with it."""
        from foleyspace.scene import load_scene

        return load_scene(path)

    def save(self, path: str | Path) -> None:
        """Write the scene as JSON, atomically."""
        from foleyspace.scene import save_scene

        save_scene(self, path)


@dataclass(frozen=True)
class Hrirs:
    """A set of head-related impulse responses with the delay kept apart.

    `ir` (M, 2, N): responses with their onset delay taken out; `delay` (M, 2) samples (fractional,
    >= 0): what was taken out, so that `ir` delayed by `delay` is the measured response; `xyz` (M, 3)
    m: where each was measured, listener frame; `rate` Hz; `name`. Ear 0 is left.
    """

    ir: Samples
    delay: Floats
    xyz: Floats
    rate: int
    name: str

    def __post_init__(self) -> None:
        ir = np.array(self.ir, np.float32)
        if ir.ndim != 3 or ir.shape[1] != 2 or 0 in ir.shape:
            raise InputError(f"`Hrirs.ir` has shape {ir.shape} but must be (M, 2, N)")
        if not np.isfinite(ir).all():
            raise InputError("`Hrirs.ir` holds NaN or infinite values but must be finite")
        m = len(ir)
        _freeze(
            self,
            ir=ir,
            delay=_array("Hrirs.delay", self.delay, (m, 2)),
            xyz=_array("Hrirs.xyz", self.xyz, (m, 3)),
        )


@dataclass(frozen=True)
class Audio:
    """Sound in memory: `samples` (C, N) float32, nominal +-1, `rate` Hz. A 1-D array is taken as mono."""

    samples: Samples
    rate: int

    def __post_init__(self) -> None:
        given = np.asarray(self.samples)
        if given.dtype.kind != "f":  # whole numbers are +-32768 or more where 1 is meant
            raise InputError(f"`Audio.samples` holds {given.dtype} values but must be floats, nominal +-1")
        samples = np.atleast_2d(given.astype(np.float32, copy=False))
        if samples.ndim != 2:
            raise InputError(f"`Audio.samples` has shape {samples.shape} but must be (channels, samples)")
        if isinstance(self.rate, str) or not (self.rate > 0 and float(self.rate).is_integer()):
            raise InputError(f"`rate` is {self.rate!r} but must be a positive whole number of Hz")
        object.__setattr__(self, "rate", int(self.rate))
        object.__setattr__(self, "samples", samples)

    @property
    def duration(self) -> float:
        return self.samples.shape[1] / self.rate


def _array(name: str, value: Any, shape: tuple[int, ...], positive: bool = False) -> Floats:
    array = np.array(value, np.float64)
    if array.shape != shape:
        raise InputError(f"`{name}` has shape {array.shape} but must be {shape}")
    if not np.isfinite(array).all():
        raise InputError(f"`{name}` holds NaN or infinite values but must be finite")
    if positive and (array <= 0).any():
        raise InputError(f"`{name}` holds {array.min():g} but must be above 0")
    return array


def _gains(name: str, value: Any, shape: tuple[int, ...]) -> Floats:
    gains = _array(name, value, shape)
    if (gains > MAX_GAIN_DB).any():
        raise InputError(f"`{name}` holds {gains.max():g} but must be {MAX_GAIN_DB:g} dB or less")
    return gains


def _times(name: str, value: Sequence[float] | Floats) -> Floats:
    times = np.array(value, np.float64)
    if times.ndim != 1 or len(times) == 0:
        raise InputError(f"`{name}` has shape {times.shape} but must be (N,) with N >= 1")
    if not np.isfinite(times).all():
        raise InputError(f"`{name}` holds NaN or infinite values but must be finite")
    if (np.diff(times) <= 0).any():
        raise InputError(f"`{name}` is not sorted but must increase strictly")
    return times


def _freeze(instance: object, **arrays: Any) -> None:
    """Set checked arrays on a frozen dataclass, read-only."""
    for name, array in arrays.items():
        if isinstance(array, np.ndarray):
            array.setflags(write=False)
        object.__setattr__(instance, name, array)
