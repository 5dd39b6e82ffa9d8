"""Errors of what tells the ears apart: level, phase and time differences, by band and window."""

from __future__ import annotations

import numpy as np

from foleyspace.cues import ITD_BAND_HZ, MAX_ITD_US, gcc_phat
from foleyspace.metrics.spectra import checked_pair, erb_matrix, erb_rate, stft
from foleyspace.types import Floats

IPD_BELOW_HZ = 1500.0  # where interaural phase is unambiguous and heard
CELL_RANGE_DB = 50.0  # cells further below the loudest one are not counted
MAX_ILD_DB = 30.0
WINDOW_S, HOP_S = 0.1, 0.05
WINDOW_RANGE_DB = 40.0
OUT_OF_BAND_DB = 50.0  # with so little of its energy in the ITD band a sound has no ITD to measure


def ild_error_db(estimate: Floats, truth: Floats, rate: int) -> float:
    """ILDe, dB: |difference of interaural level differences| per ERB band and 40 ms window (every 10 ms),
    weighted by the truth's energy in both ears; ILDs count up to 30 dB, cells down to 50 dB below the
    loudest. NaN where the truth is silent."""
    made, wanted = (_cells(sound, rate) for sound in checked_pair(estimate, truth))
    weight = _weight(wanted)
    if not weight.any():
        return np.nan
    return float((np.abs(_ild(made) - _ild(wanted)) * weight).sum() / weight.sum())


def ipd_error_rad(estimate: Floats, truth: Floats, rate: int) -> float:
    """IPDe, rad in [0, pi]: as `ild_error_db` for the phase of the bands' interaural cross-spectrum, below
    1.5 kHz. NaN where the truth has nothing there."""
    made, wanted = (_cells(sound, rate) for sound in checked_pair(estimate, truth))
    weight = _weight(wanted) * (np.arange(wanted[2].shape[1]) < erb_rate(np.array(IPD_BELOW_HZ)))
    if not weight.any():
        return np.nan
    return float((np.abs(np.angle(made[2] * np.conj(wanted[2]))) * weight).sum() / weight.sum())


def itd_over_time(sound: Floats, rate: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Window middles (T,) s, ITD (T,) us (> 0: the right ear leads), ILD (T,) dB (> 0: the right ear is
    louder) and energy (T,) in the band the ITD is taken from, over 100 ms every 50 ms.

    ITD by GCC-PHAT of 150-1500 Hz, the loudest of the mixture in a window: `foleyspace.cues`.
    """
    window, hop = round(WINDOW_S * rate), round(HOP_S * rate)
    size = 1 << (window + round(2e-6 * MAX_ITD_US * rate) - 1).bit_length()  # the longest lag must not wrap
    spectra = stft(np.asarray(sound, np.float64), size, window, hop)
    frequency = np.fft.rfftfreq(size, 1 / rate)
    itd, _ = gcc_phat(spectra[0], spectra[1], frequency)
    power = np.abs(spectra) ** 2
    band = (frequency >= ITD_BAND_HZ[0]) & (frequency <= ITD_BAND_HZ[1])
    both = power.sum(axis=2)
    ild = 10 * np.log10((both[1] + 1e-12) / (both[0] + 1e-12))
    times = (np.arange(spectra.shape[1]) * hop + window / 2) / rate
    return times, itd, ild, power[:, :, band].sum(axis=(0, 2))


def itd_error_us(estimate: Floats, truth: Floats, rate: int) -> float:
    """ITDe, us: mean |difference of the ITDs| of `itd_over_time`, weighted by the truth's energy at
    150-1500 Hz, over windows within 40 dB of the loudest. NaN where the truth has (almost) nothing there.

    In a mixture the ITD is the strongest source's, and jumps: the figure counts how often the estimate
    jumps with the truth. An estimate with no sound in a window reads as the longest lag, wrong by much.
    """
    estimate, truth = checked_pair(estimate, truth)
    _, made, _, _ = itd_over_time(estimate, rate)
    _, wanted, _, energy = itd_over_time(truth, rate)
    heard = energy > energy.max() * 10 ** (-WINDOW_RANGE_DB / 10)
    if not heard.any() or _share_in_band(truth, rate) < 10 ** (-OUT_OF_BAND_DB / 10):
        return np.nan
    return float(np.average(np.abs(made - wanted)[heard], weights=energy[heard]))


def _share_in_band(sound: Floats, rate: int) -> float:
    power = (np.abs(np.fft.rfft(sound)) ** 2).sum(axis=0)
    frequency = np.fft.rfftfreq(sound.shape[1], 1 / rate)
    band = (frequency >= ITD_BAND_HZ[0]) & (frequency <= ITD_BAND_HZ[1])
    return float(power[band].sum() / max(power.sum(), 1e-30))


def _cells(sound: Floats, rate: int) -> tuple[Floats, Floats, np.ndarray]:
    """Energies of both ears and the cross-spectrum, each (T, bands)."""
    size = 2048 * rate // 48000
    spectra = stft(sound, size, 1920 * rate // 48000, 480 * rate // 48000)
    bands = erb_matrix(np.fft.rfftfreq(size, 1 / rate))
    power = np.abs(spectra) ** 2 @ bands
    return power[0], power[1], (spectra[0] * np.conj(spectra[1])) @ bands


def _weight(cells: tuple[Floats, Floats, np.ndarray]) -> Floats:
    energy = cells[0] + cells[1]
    return np.where(energy > energy.max() * 10 ** (-CELL_RANGE_DB / 10), energy, 0.0)


def _ild(cells: tuple[Floats, Floats, np.ndarray]) -> Floats:
    return np.clip(10 * np.log10((cells[1] + 1e-12) / (cells[0] + 1e-12)), -MAX_ILD_DB, MAX_ILD_DB)
