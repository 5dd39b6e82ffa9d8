"""A localiser that reads binaural sound by matching HRIR templates, and how far off it finds things.

A source at a direction with HRTFs h = (h_left, h_right) makes ear spectra x = h s whatever its own spectrum
s. The share of the ears' energy that one source there can explain is |h^H x|^2 / (|h|^2 |x|^2) in [0, 1]:
ITD, ILD and spectral shape between the ears at once, the maximum-likelihood match for one source of unknown
spectrum in white noise. Shares are averaged over bins, each ERB counting alike but for a weight that keeps
bins at the noise floor out; the direction that explains most is the one heard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace.camera import angles_to_xyz
from foleyspace.errors import InputError
from foleyspace.metrics.spectra import stft
from foleyspace.types import Floats, Hrirs

if TYPE_CHECKING:
    from foleyspace.types import Samples

WINDOW_S, HOP_S = 2048 / 48000, 512 / 48000
AVERAGED = 9  # windows read as one: 0.13 s in all, moved on by 0.05 s
STEP = 5
BAND_HZ = (150.0, 16000.0)
AZIMUTH_STEP_DEG, ELEVATION_STEP_DEG = 5.0, 15.0
BIN_RANGE_DB = 50.0  # bins further below the loudest of a moment do not count; in between, ever more


@dataclass(frozen=True)
class Localizer:
    """Templates of one HRIR set: `azimuth_deg` (A,) all around, `elevation_deg` (E,), `templates`
    (E * A, 4 F) for `rate` Hz, of the bins `bins` (F,) of the short-time spectra; `weight` (F,)."""

    azimuth_deg: Floats
    elevation_deg: Floats
    templates: Samples
    bins: NDArray[np.int_]
    weight: Floats
    rate: int


@dataclass(frozen=True)
class Heard:
    """What the ears get, moment by moment: `times` (T,) s, `energy` (T,) of both ears in the band read,
    `fit` (T, E, A): share of it that one source at each direction of the localiser's grid can explain."""

    times: Floats
    energy: Floats
    fit: Samples


def make_localizer(hrirs: Hrirs) -> Localizer:
    """The set's templates every 5 degrees of azimuth, every 15 of elevation from -60 to 75, interpolated as
    the renderer does it. Near-field parallax is not modelled: below 1 m the reading is off by some degrees.
    """
    from foleyspace.interpolation import interpolate_hrirs

    azimuth = np.arange(-180, 180, AZIMUTH_STEP_DEG)
    elevation = np.arange(-60, 75.1, ELEVATION_STEP_DEG)
    grid = np.stack(np.meshgrid(elevation, azimuth, indexing="ij")[::-1], axis=-1).reshape(-1, 2)
    window = round(WINDOW_S * hrirs.rate)
    frequency = np.fft.rfftfreq(window, 1 / hrirs.rate)
    bins = np.flatnonzero((frequency >= BAND_HZ[0]) & (frequency <= min(BAND_HZ[1], 0.45 * hrirs.rate)))
    rows = []
    for start in range(0, len(grid), 64):
        part = grid[start : start + 64]
        ir = interpolate_hrirs(hrirs, angles_to_xyz(part, np.ones(len(part))))
        spectra = np.fft.rfft(ir, max(window, 1 << (ir.shape[-1] - 1).bit_length()))
        # a longer response: every second (fourth, ...) bin is a bin of the window
        spectra = spectra[..., :: (spectra.shape[-1] - 1) // (window // 2)][..., bins]
        rows.append(_products(spectra[:, 0], spectra[:, 1]))
    # ERBs a bin is wide (Glasberg & Moore 1990)
    weight = 1 / (24.7 * (1 + 0.00437 * frequency[bins]))
    return Localizer(azimuth, elevation, np.concatenate(rows), bins, weight, hrirs.rate)


def listen(localizer: Localizer, binaural: NDArray[np.floating], rate: int) -> Heard:
    """Read `binaural` (2, n) at `rate` Hz. Raises `InputError` for another rate than the localiser's."""
    binaural = np.asarray(binaural, np.float64)
    if rate != localizer.rate:
        raise InputError(f"`rate` is {rate} Hz but must be the localiser's {localizer.rate} Hz")
    if binaural.ndim != 2 or len(binaural) != 2:
        raise InputError(f"`binaural` has shape {binaural.shape} but must be (2, n)")
    window, hop = round(WINDOW_S * rate), round(HOP_S * rate)
    spectra = stft(binaural, window, window, hop)[..., localizer.bins]
    left, right = spectra
    raw = np.stack(
        [np.abs(left) ** 2, np.abs(right) ** 2, (left * np.conj(right)).real, (left * np.conj(right)).imag]
    )  # (4, T, F)
    used = min(AVERAGED, raw.shape[1])
    summed = np.cumsum(np.concatenate([np.zeros_like(raw[:, :1]), raw], axis=1), axis=1)
    raw = (summed[:, used:] - summed[:, :-used])[:, ::STEP]
    times = (np.arange(raw.shape[1]) * STEP + (used - 1) / 2) * hop / rate + window / rate / 2
    power = raw[0] + raw[1]
    loudest = power.max(axis=1, keepdims=True)
    level = 10 * np.log10(np.maximum(power, 1e-30) / np.maximum(loudest, 1e-30))
    weight = localizer.weight * np.clip(1 + level / BIN_RANGE_DB, 0, 1)
    weight = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-30)
    shares = raw * (weight / np.maximum(power, 1e-30))
    flat = shares.transpose(1, 0, 2).reshape(len(times), -1).astype(np.float32)
    fit = flat @ localizer.templates.T
    shape = (len(times), len(localizer.elevation_deg), len(localizer.azimuth_deg))
    return Heard(times, power.sum(axis=1), fit.reshape(shape))


def azimuth_at(localizer: Localizer, heard: Heard, elevation_deg: Floats) -> Floats:
    """Azimuth (T,) degrees in (-180, 180] that explains most, at a given elevation (T,) at each moment.

    Elevation is given because on a cone of confusion it trades for azimuth: the two cannot both be read
    from one moment of unknown sound with any safety.
    """
    curve = _at_elevation(localizer, heard, elevation_deg)
    best = curve.argmax(axis=1)
    rows, count = np.arange(len(curve)), curve.shape[1]
    before, here, after = curve[rows, best - 1], curve[rows, best], curve[rows, (best + 1) % count]
    bend = before - 2 * here + after
    shift = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, 1), 0)
    found = localizer.azimuth_deg[best] + np.clip(shift, -0.5, 0.5) * AZIMUTH_STEP_DEG
    return wrapped_deg(found)


def fit_at(localizer: Localizer, heard: Heard, azimuth_deg: Floats, elevation_deg: Floats) -> Floats:
    """Share (T,) explained by one source at a given direction at each moment."""
    curve = _at_elevation(localizer, heard, elevation_deg)
    position = (azimuth_deg - localizer.azimuth_deg[0]) / AZIMUTH_STEP_DEG
    low = np.floor(position).astype(int)
    part = position - low
    rows, count = np.arange(len(curve)), curve.shape[1]
    return curve[rows, low % count] * (1 - part) + curve[rows, (low + 1) % count] * part


def wrapped_deg(angle: Floats) -> Floats:
    """Degrees in [-180, 180)."""
    return (np.asarray(angle, np.float64) + 180) % 360 - 180


def lateral_deg(azimuth_deg: Floats, elevation_deg: Floats) -> Floats:
    """Angle from the median plane, -90 (right) to 90 (left): front and back, up and down folded together."""
    left = np.sin(np.radians(azimuth_deg)) * np.cos(np.radians(elevation_deg))
    return np.degrees(np.arcsin(np.clip(left, -1, 1)))


def _at_elevation(localizer: Localizer, heard: Heard, elevation_deg: Floats) -> Floats:
    """(T, A): the fit between the two nearest elevations of the grid."""
    position = (np.asarray(elevation_deg, np.float64) - localizer.elevation_deg[0]) / ELEVATION_STEP_DEG
    position = np.clip(position, 0, len(localizer.elevation_deg) - 1)
    low = np.minimum(position.astype(int), len(localizer.elevation_deg) - 2)
    part = (position - low)[:, None]
    rows = np.arange(len(heard.times))
    return heard.fit[rows, low] * (1 - part) + heard.fit[rows, low + 1] * part


def _products(left: NDArray[np.complexfloating], right: NDArray[np.complexfloating]) -> Samples:
    """(n, 4 F) so that its product with (|x_l|^2, |x_r|^2, Re, Im of x_l x_r*) is |h^H x|^2 / |h|^2."""
    size = np.maximum(np.abs(left) ** 2 + np.abs(right) ** 2, 1e-30)
    # |h_l* x_l + h_r* x_r|^2 = |h_l|^2 |x_l|^2 + |h_r|^2 |x_r|^2 + 2 Re(h_l* h_r x_l x_r*)
    cross = np.conj(left) * right / size
    return np.concatenate(
        [np.abs(left) ** 2 / size, np.abs(right) ** 2 / size, 2 * cross.real, -2 * cross.imag], axis=1
    ).astype(np.float32)
