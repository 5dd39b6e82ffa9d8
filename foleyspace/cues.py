"""How interaural cues are taken from spectra, and which direction of an HRIR set they point to."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.spherical_head import HEAD_RADIUS_M, SPEED_OF_SOUND, sphere_delay
from foleyspace.types import Floats, Hrirs

log = logging.getLogger("foleyspace")

ITD_BAND_HZ = (150.0, 1500.0)
MAX_ITD_US = 1000.0  # a large head reaches about 800
ILD_BANDS_HZ = ((300.0, 1500.0), (1500.0, 4000.0), (4000.0, 9000.0))
# how far cues of a real rendering lie from the table's: what the two kinds are weighed by
ITD_SIGMA_US, ILD_SIGMA_DB = 40.0, 2.0
_LAG_STEP_US = 10.0
_BLOCK = 512  # rows worked on at a time: memory stays flat however long the file


def gcc_phat(left: NDArray[Any], right: NDArray[Any], frequency: NDArray[Any]) -> tuple[Floats, Floats]:
    """ITD (B,) us, > 0 when the right ear leads, and the height (B,) of its peak in [0, 1], of spectra (B, F)
    at `frequency` (F,) Hz. Bins 40 dB under a window's strongest hold noise and are left out."""
    band = (frequency >= ITD_BAND_HZ[0]) & (frequency <= ITD_BAND_HZ[1])
    cross = left[:, band] * np.conj(right[:, band])
    size = np.abs(cross)
    strong = size > 1e-4 * size.max(axis=1, keepdims=True)
    phase = np.where(strong, cross / np.maximum(size, 1e-30), 0)
    lags = np.arange(-MAX_ITD_US - _LAG_STEP_US, MAX_ITD_US + 1.5 * _LAG_STEP_US, _LAG_STEP_US)
    turn = 2 * np.pi * frequency[band, None] * lags * 1e-6
    curve = phase.real @ np.cos(turn) - phase.imag @ np.sin(turn)  # (B, lags)
    best = 1 + np.argmax(curve[:, 1:-1], axis=1)
    rows = np.arange(len(curve))
    before, peak, after = curve[rows, best - 1], curve[rows, best], curve[rows, best + 1]
    bend = before - 2 * peak + after
    shift = np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, 1), 0)
    itd = lags[best] + np.clip(shift, -0.5, 0.5) * _LAG_STEP_US
    return itd, np.clip(peak / np.maximum(strong.sum(axis=1), 1), 0, 1)


def best_azimuth(itd: Floats, bands: Floats, energy: Floats, rate: int, hrirs: Hrirs | None) -> Floats:
    """Best fitting direction (T,) of the front half-plane, degrees."""
    grid, table_itd, table_bands = _direction_table(rate, hrirs)
    # a band with 1 % of the energy says as much about its ILD as the loudest; one at the noise floor nothing
    share = energy / np.maximum(energy.sum(axis=1, keepdims=True), 1e-30)
    trust = np.clip((10 * np.log10(share + 1e-12) + 50) / 30, 0, 1)
    trust[:, ~np.isfinite(table_bands).all(axis=0)] = 0
    table_bands = np.nan_to_num(table_bands)
    azimuth = np.empty(len(itd))
    for k in range(0, len(itd), _BLOCK):
        part = slice(k, k + _BLOCK)
        cost = ((itd[part, None] - table_itd) / ITD_SIGMA_US) ** 2
        miss = (bands[part, None, :] - table_bands) / ILD_SIGMA_DB
        # heavy tails: a spectrum that fools one band must not drag the rest along
        cost = cost + (trust[part, None, :] * 9 * np.log1p(miss**2 / 9)).sum(axis=2)
        best = np.clip(np.argmin(cost, axis=1), 1, len(grid) - 2)
        rows = np.arange(len(best))
        before, here, after = cost[rows, best - 1], cost[rows, best], cost[rows, best + 1]
        bend = before - 2 * here + after
        shift = np.where(bend > 1e-12, 0.5 * (before - after) / np.where(bend > 1e-12, bend, 1), 0)
        azimuth[part] = grid[best] + np.clip(shift, -1, 1) * (grid[1] - grid[0])
    return np.clip(azimuth, -90, 90)


def _direction_table(rate: int, hrirs: Hrirs | None) -> tuple[Floats, Floats, Floats]:
    """Azimuths (A,) -90..90 by 1 degree, their ITD (A,) us and band ILDs (A, bands) dB."""
    grid = np.arange(-90.0, 91.0)
    if hrirs is None:
        hrirs = _default_hrirs(rate)
    if hrirs is None:  # Woodworth's sphere; it says nothing about level
        angle = np.radians(grid)
        left, right = sphere_delay(np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)).T
        itd = (left - right) * HEAD_RADIUS_M / SPEED_OF_SOUND * 1e6
        return grid, itd, np.full((len(grid), len(ILD_BANDS_HZ)), np.nan)
    x, y, z = np.asarray(hrirs.xyz, np.float64).T
    elevation = np.degrees(np.arctan2(z, np.hypot(x, y)))
    azimuth = np.degrees(np.arctan2(y, x))
    level = np.abs(elevation) <= np.abs(elevation).min() + 2.0
    front = np.flatnonzero(level & (np.abs(azimuth) <= 92))
    if len(front) < 5:
        raise InputError(
            f"the HRIR set {hrirs.name} has {len(front)} directions in the front horizontal plane "
            "but 5 are needed"
        )
    front = front[np.argsort(azimuth[front])]
    if hrirs.rate < 2 * ITD_BAND_HZ[1]:
        raise InputError(
            f"the HRIR set {hrirs.name} has a rate of {hrirs.rate} Hz: too low for interaural cues"
        )
    fft_length = 1 << (hrirs.ir.shape[2] + 512).bit_length()
    frequency = np.fft.rfftfreq(fft_length, 1 / hrirs.rate)
    spectra = np.fft.rfft(np.asarray(hrirs.ir[front], np.float64), fft_length, axis=2)
    spectra *= np.exp(-2j * np.pi * frequency * hrirs.delay[front][:, :, None] / hrirs.rate)
    itd, _ = gcc_phat(spectra[:, 0], spectra[:, 1], frequency)
    squared = np.abs(spectra) ** 2
    bands = np.stack(
        [
            ratio_db(squared[:, :, (frequency >= low) & (frequency < high)].sum(axis=2))
            if high <= min(hrirs.rate, rate) / 2
            else np.full(len(front), np.nan)
            for low, high in ILD_BANDS_HZ
        ],
        axis=1,
    )
    known = azimuth[front]
    table = np.stack([np.interp(grid, known, column) for column in bands.T], axis=1)
    return grid, np.interp(grid, known, itd), table


@lru_cache(maxsize=2)
def _default_hrirs(rate: int) -> Hrirs | None:
    try:
        from foleyspace.hrir import load_hrirs

        return load_hrirs("mit_kemar", rate=max(rate, 22050))
    except (ImportError, FoleyspaceError) as error:
        log.warning("no HRIR set to read azimuths from (%s): a spherical head's ITD is used", error)
        return None


def ratio_db(pair: Floats) -> Floats:
    """Right over left along axis 1, dB."""
    return 10 * np.log10((pair[:, 1] + 1e-20) / (pair[:, 0] + 1e-20))


def db(power: Floats) -> Floats:
    return 10 * np.log10(power + 1e-20)
