"""Whether sounds are heard where they should be: azimuth errors and sides, by the localiser's reading."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace.camera import xyz_to_angles
from foleyspace.errors import InputError
from foleyspace.metrics.localizer import (
    Heard,
    Localizer,
    azimuth_at,
    fit_at,
    lateral_deg,
    listen,
    wrapped_deg,
)
from foleyspace.propagation import gain, position
from foleyspace.types import Floats, Scene

RANGE_DB = 40.0  # moments further below the loudest are not read
DOMINANT_DB = 10.0  # a source that is so much louder than all others together has the moment
EXPLAINED, AHEAD = 0.9, 0.05  # without stems: what its place must explain, and how much more than any other
CENTRE_DEG = 15.0  # lateral angle up to which a sound counts as in the centre
CONFUSABLE_DEG = (
    20.0  # nearer than this to the median or the frontal plane, front and back are not told apart
)


@dataclass(frozen=True)
class Places:
    """Where the sources of a scene are at the localiser's moments, and who has which of them.

    `times` (T,) s; `azimuth_deg`, `elevation_deg` (S, T); `has` (S, T): the moment is the source's own.
    """

    times: Floats
    azimuth_deg: Floats
    elevation_deg: Floats
    has: NDArray[np.bool_]


@dataclass(frozen=True)
class Direction:
    """How a binaural sound reads at the moments of `Places`, a figure a source (S,), NaN where it has no
    moment: `azimuth_error_deg`, mean |error| with front and back folded together; `front_back` share of
    confusions; `side` share of moments on the right side (left, centre, right). `azimuth_deg` (T,) is the
    reading for the source that has the moment, NaN at moments that nobody has."""

    azimuth_error_deg: Floats
    front_back: Floats
    side: Floats
    azimuth_deg: Floats


def places(
    scene: Scene, localizer: Localizer, truth: Heard, stems: NDArray[np.floating] | None = None
) -> Places:
    """Which source has which moment (0.13 s, every 0.05 s) of a scene.

    With `stems` (S, n), the sources as they are in the mono mixture: the one 10 dB louder than all others
    together. Without: the one whose place explains 90 % or more of what the truth brings to the ears, and
    0.05 more than any other source's place (in mixtures of two that is the louder one 92 times in 100). One
    source alone has all moments. Moments 40 dB below the loudest have nobody, sources that the scene silences
    have none. Raises `InputError` for another number of stems than sources.
    """
    angles = [xyz_to_angles(position(source, truth.times)) for source in scene.sources]
    azimuth, elevation = (np.stack([angle[i] for angle in angles]) for i in (0, 1))
    on = np.stack([gain(source, truth.times) > 0 for source in scene.sources])
    heard = truth.energy > max(float(truth.energy.max()) * 10 ** (-RANGE_DB / 10), 1e-20)
    moments = np.arange(len(truth.times))
    has = np.zeros_like(on)
    if len(scene.sources) == 1:
        has[:] = True
    elif stems is not None:
        if len(stems) != len(scene.sources):
            raise InputError(f"`stems` holds {len(stems)} sounds but must hold {len(scene.sources)}")
        energy = np.stack([listen(localizer, np.stack([s, s]), localizer.rate).energy for s in stems])
        loudest = energy.argmax(axis=0)
        rest = energy.sum(axis=0) - energy[loudest, moments]
        has[loudest, moments] = energy[loudest, moments] > rest * 10 ** (DOMINANT_DB / 10)
    else:
        pairs = zip(azimuth, elevation, strict=True)
        fits = np.stack([fit_at(localizer, truth, a, e) for a, e in pairs])
        fits[~on] = -1.0
        best = fits.argmax(axis=0)
        second = np.sort(fits, axis=0)[-2]
        top = fits[best, moments]
        has[best, moments] = (top >= EXPLAINED) & (top >= second + AHEAD)
    return Places(truth.times, azimuth, elevation, has & on & heard)


def direction(localizer: Localizer, heard: Heard, where: Places) -> Direction:
    """Read `heard` at each source's own moments (`azimuth_at` its elevation) and compare with its place."""
    count, moments = where.has.shape
    error, confused, side = (np.full(count, np.nan) for _ in range(3))
    reading = np.full(moments, np.nan)
    for i in range(count):
        own = where.has[i]
        if not own.any():
            continue
        azimuth, elevation = where.azimuth_deg[i], where.elevation_deg[i]
        found = azimuth_at(localizer, heard, elevation)
        reading[own] = found[own]
        straight, turned = (np.abs(wrapped_deg(a - azimuth)) for a in (found, 180 - found))
        error[i] = np.minimum(straight, turned)[own].mean()
        lateral = lateral_deg(azimuth, elevation)
        telling = own & (np.abs(lateral) > CONFUSABLE_DEG)
        telling &= np.abs(np.abs(wrapped_deg(azimuth)) - 90) > CONFUSABLE_DEG
        if telling.any():
            confused[i] = (np.cos(np.radians(found)) * np.cos(np.radians(azimuth)) < 0)[telling].mean()
        side[i] = (side_of(lateral_deg(found, elevation)) == side_of(lateral))[own].mean()
    return Direction(error, confused, side, reading)


def side_of(lateral: Floats) -> NDArray[np.int_]:
    """1 left, 0 centre (within 15 degrees of the median plane), -1 right."""
    return np.where(np.abs(lateral) <= CENTRE_DEG, 0, np.sign(lateral)).astype(int)


def clip_sides_right(side: Floats) -> float:
    """1 when every source that was heard was on its side for most of its moments, else 0; NaN when none was
    heard."""
    known = side[np.isfinite(side)]
    return float((known > 0.5).all()) if len(known) else np.nan
