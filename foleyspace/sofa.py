"""HRIR sets out of SOFA files (AES69): left and right, front and up as the sound says, in one frame.

raw = read_sofa("subject.sofa")
raw.ir[raw.nearest(azimuth_deg=90)]  # (2, N), left ear first
"""

from __future__ import annotations

import importlib.resources
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foleyspace.errors import InputError
from foleyspace.sofa_child import can_start, read_in_child
from foleyspace.sofa_ears import ears_swapped, swapped_by_metadata
from foleyspace.sofa_file import CONVENTION, MAX_TAPS, Contents, check_is_hdf5, open_sofa

log = logging.getLogger("foleyspace")

Floats = NDArray[np.float64]

RATE_RANGE = (8_000, 384_000)
MIN_DIRECTIONS = 4  # the fewest that can surround a listener
MAX_PEAK = 1e6  # beyond it, float32 arithmetic on the responses is not safe
SILENT = 1e-12
EMBEDDED = Path(str(importlib.resources.files("foleyspace.hrir_data"))).resolve()


@dataclass(frozen=True)
class RawHrirs:
    """An HRIR set as measured.

    `ir` (M, 2, N) float64, ear 0 left; `delay` (M, 2) samples, to be added in front of `ir`; `xyz` (M, 3)
    m in the listener frame (x front, y left, z up); `rate` Hz; `name` of the listener or file; `title`,
    `database`, `licence`, `convention` as the file gives them; `notes`: what was decided on the way in,
    one line each.
    """

    ir: Floats
    delay: Floats
    xyz: Floats
    rate: int
    name: str
    title: str = ""
    database: str = ""
    licence: str = ""
    convention: str = CONVENTION
    notes: tuple[str, ...] = field(default=())

    def nearest(self, azimuth_deg: float, elevation_deg: float = 0.0) -> int:
        """Index of the measured direction nearest to this one."""
        azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
        towards = [
            np.cos(azimuth) * np.cos(elevation),
            np.sin(azimuth) * np.cos(elevation),
            np.sin(elevation),
        ]
        return int(np.argmax(self.xyz @ towards / np.linalg.norm(self.xyz, axis=1)))


def read_sofa(
    path: str | os.PathLike[str], *, isolated: bool | None = None, timeout_s: float = 10.0
) -> RawHrirs:
    """Read a SimpleFreeFieldHRIR file of any sampling rate and version.

    `isolated`: read in a child process with a time and a memory limit, since damaged files can hang or crash
    the HDF5 library (None: all files but the embedded ones). What is odd but usable is read by its meaning
    and noted: ears swapped in data or metadata (the sound decides), a listener who looks elsewhere than
    along x, also backwards (positions are turned; refused where the sound contradicts it), delays below 0
    (all moved, the ears' difference stays), directions given twice (the first is kept) or silent (left out),
    a distance of 0 (not known). Raises `InputError`, one line, for everything else; sizes, rate, delays and
    positions are judged before the responses are read.
    """
    path = Path(path)
    if isolated is None:
        isolated = path.resolve().parent != EMBEDDED
    try:
        check_is_hdf5(path)
        raw = read_in_child(path, timeout_s) if isolated and can_start() else read_here(path)
    except InputError as error:
        raise InputError(f"`{path}` {error}") from None
    for note in raw.notes:
        log.info("%s: %s", path.name, note)
    for array in (raw.ir, raw.delay, raw.xyz):
        array.setflags(write=False)
    return raw


def read_here(path: Path, expect_bytes: Callable[[int], None] = lambda _: None) -> RawHrirs:
    """`read_sofa` in this process. `expect_bytes(n)` is called ahead of reading what will take n bytes.
    Raises `InputError` whose text goes on after the file's name."""
    notes: list[str] = []
    expect_bytes(0)
    with open_sofa(path) as file:
        contents, directions = file.contents, file.ir_shape[0]
        rate = _rate(contents)
        delay = _delays(contents, directions, notes)
        xyz, faces_back = _listener_frame(contents, directions, notes)
        expect_bytes(file.bytes_needed)
        ir = file.responses()
    _check_responses(ir)
    keep = _usable(ir, xyz, notes)
    if len(keep) < len(ir):
        ir, delay, xyz = ir[keep], delay[keep], xyz[keep]
    if len(ir) < MIN_DIRECTIONS:
        raise InputError(f"has {len(ir)} usable directions but must have at least {MIN_DIRECTIONS}")
    if ears_swapped(contents, ir, delay, xyz, rate, notes):
        if faces_back and not swapped_by_metadata(contents):
            raise InputError(
                "has a ListenerView whose left is the right of its sound but must have one that agrees"
            )
        ir, delay = ir[:, ::-1], delay[:, ::-1]
    return RawHrirs(
        ir=np.ascontiguousarray(ir),
        delay=np.ascontiguousarray(delay),
        xyz=xyz,
        rate=rate,
        name=contents[":ListenerShortName"] or path.stem,
        title=contents[":Title"],
        database=contents[":DatabaseName"],
        licence=contents[":License"],
        convention=f"{CONVENTION} {contents[':SOFAConventionsVersion']}".strip(),
        notes=tuple(notes),
    )


def _rate(contents: Contents) -> int:
    rates = contents["Data.SamplingRate"].ravel()
    units = contents["Data.SamplingRate:Units"]
    if units not in ("hertz", "hz", ""):
        raise InputError(f"has a sampling rate in {units[:40]} but must have it in hertz")
    if not len(rates) or not np.isfinite(rates).all() or np.ptp(rates) > 0:
        raise InputError("has no single finite sampling rate but must have one")
    low, high = RATE_RANGE
    if not low <= rates[0] <= high:
        raise InputError(f"has a sampling rate of {rates[0]:g} Hz but must have {low} to {high} Hz")
    return round(float(rates[0]))


def _check_responses(ir: Floats) -> None:
    peaks = np.maximum(ir.max(axis=2), -ir.min(axis=2))
    bad = int((~np.isfinite(peaks).all(axis=1)).sum())
    if bad:
        raise InputError(f"has NaN or infinite values in {bad} of {len(ir)} responses but must be finite")
    if peaks.max() > MAX_PEAK:
        raise InputError(f"has a response peak of {peaks.max():g} but must stay below {MAX_PEAK:g}")
    if peaks.max() < SILENT:
        raise InputError("has only silent responses but must hold sound")
    if peaks.max(axis=0).min() < SILENT:
        raise InputError("has one silent ear but must hold sound for both")


def _delays(contents: Contents, m: int, notes: list[str]) -> Floats:
    """(M, 2) samples, none below 0."""
    delay = contents.get("Data.Delay", np.zeros((1, 2)))
    if delay.size in (1, 2):
        delay = delay.reshape(1, -1)
    if delay.ndim != 2 or delay.shape[0] not in (1, m) or delay.shape[1] not in (1, 2):
        raise InputError(f"has Data.Delay of shape {delay.shape} but must have (1 or {m}, 2)")
    if not np.isfinite(delay).all() or np.abs(delay).max() > MAX_TAPS:
        raise InputError(f"has NaN or absurd delays but must have finite ones, up to {MAX_TAPS} samples")
    if delay.min() < 0:
        notes.append(f"its delays begin at {delay.min():g} samples; all were moved to begin at 0")
    return np.broadcast_to(delay - min(0.0, delay.min()), (m, 2))


def _listener_frame(contents: Contents, m: int, notes: list[str]) -> tuple[Floats, bool]:
    """(M, 3) m: source seen from the listener's position, view and up direction. And whether the listener's
    left is to the right in the file throughout."""
    source = _cartesian(contents, "SourcePosition", m, notes)
    if "ListenerPosition" in contents:
        source = source - _cartesian(contents, "ListenerPosition", m, notes)
    distance = np.linalg.norm(source, axis=1)
    if distance.min() < 1e-3:
        raise InputError("has a source position at the centre of the head but must have it outside")
    if distance.max() > 1e6:
        raise InputError(f"has a source {distance.max():g} m away but must have it nearer")
    view = up = None
    if "ListenerView" in contents:
        view = _cartesian(contents, "ListenerView", m, notes, direction=True)
    if "ListenerUp" in contents:
        if view is not None:  # by the standard, up has the type and units of view
            for attribute in ("Type", "Units"):
                contents[f"ListenerUp:{attribute}"] = (
                    contents[f"ListenerUp:{attribute}"] or contents[f"ListenerView:{attribute}"]
                )
        up = _cartesian(contents, "ListenerUp", m, notes, direction=True)
        if view is not None and (_norm(np.cross(view, up)) < 1e-3).any():
            # many files mean it to be cartesian all the same
            up = _cartesian(contents, "ListenerUp", m, notes, direction=True, kind="cartesian")
    view = np.tile([1.0, 0.0, 0.0], (m, 1)) if view is None else view
    up = np.tile([0.0, 0.0, 1.0], (m, 1)) if up is None else up
    left = np.cross(up, view)
    if (_norm(view) < 1e-3).any() or (_norm(left) < 1e-3).any():
        notes.append("its listener's view and up directions make no frame; taken as front and up")
        return source, False
    front = view / _norm(view)[:, None]
    left = left / _norm(left)[:, None]
    axes = np.stack([front, left, np.cross(front, left)], axis=1)
    if np.abs(axes - np.eye(3)).max() > 1e-6:
        notes.append("its listener does not look along x; positions were turned into the listener frame")
    return np.einsum("mij,mj->mi", axes, source), bool((left[:, 1] < 0).all())


def _cartesian(
    contents: Contents,
    name: str,
    m: int,
    notes: list[str],
    direction: bool = False,
    kind: str | None = None,
) -> Floats:
    values = contents[name]
    if values.size == 3:
        values = values.reshape(1, 3)
    if values.ndim != 2 or values.shape[1] != 3 or values.shape[0] not in (1, m):
        raise InputError(f"has {name} of shape {values.shape} but must have (1 or {m}, 3)")
    if not np.isfinite(values).all():
        raise InputError(f"has NaN or infinite values in {name} but must be finite")
    kind = contents[f"{name}:Type"] if kind is None else kind
    units = contents[f"{name}:Units"]
    kind = kind or ("spherical" if "deg" in units or "rad" in units else "cartesian")
    if kind not in ("spherical", "cartesian"):
        raise InputError(f"has {name} of type {kind[:40]} but must be spherical or cartesian")
    if kind == "spherical":
        to_rad = 1.0 if units.startswith("rad") else np.pi / 180
        azimuth, elevation, radius = values[:, 0] * to_rad, values[:, 1] * to_rad, values[:, 2]
        if np.abs(elevation).max() > np.pi / 2 + 1e-3:
            raise InputError(f"has elevations beyond 90 degrees in {name} but must stay within")
        if radius.min() < 0:
            raise InputError(f"has a negative radius in {name} but must have positive ones")
        if direction and values.any() and not radius.any():  # no length: the cartesian [1 0 0] is meant
            return np.broadcast_to(values, (m, 3)).copy()
        if direction:
            radius = np.ones_like(radius)
        elif name == "SourcePosition" and radius.min() == 0:
            known = radius[radius > 0]
            instead = float(np.median(known)) if len(known) else 1.0
            notes.append(f"a source distance of 0 was taken as {instead:g} m")
            radius = np.where(radius == 0, instead, radius)
        values = np.stack(
            [
                radius * np.cos(azimuth) * np.cos(elevation),
                radius * np.sin(azimuth) * np.cos(elevation),
                radius * np.sin(elevation),
            ],
            axis=1,
        )
    return np.broadcast_to(values, (m, 3)).copy()


def _usable(ir: Floats, xyz: Floats, notes: list[str]) -> NDArray[np.intp]:
    """Indices to keep: directions that sound at both ears, the first of those at the same place."""
    sounding = np.flatnonzero((np.maximum(ir.max(axis=2), -ir.min(axis=2)) > SILENT).all(axis=1))
    if len(sounding) < len(ir):
        notes.append(f"{len(ir) - len(sounding)} directions with a silent ear were left out")
    distance = _norm(xyz[sounding])
    place = np.column_stack([xyz[sounding] / distance[:, None] * 1e5, distance * 1e3])
    _, first = np.unique(np.round(place), axis=0, return_index=True)
    if len(first) < len(sounding):
        notes.append(f"{len(sounding) - len(first)} duplicated directions were left out (the first kept)")
    return sounding[np.sort(first)]


def _norm(vectors: Floats) -> Floats:
    return np.linalg.norm(vectors, axis=1)
