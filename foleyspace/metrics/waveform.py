"""Distances between waveforms and their spectra, as the TAS paper and its kin report them.

STFT, ENV, WAV, AMP and PHA: Leng et al., BinauralGrad (NeurIPS 2022) and Richard et al., Neural Synthesis
of Binaural Speech from Mono Audio (ICLR 2021) for the waveform, amplitude and phase errors; Gao & Grauman,
2.5D Visual Sound (CVPR 2019) for the STFT and envelope distances. The constants are written at each
function, since published figures differ in them. None removes gain or delay: `alignment.aligned` does.
"""

from __future__ import annotations

import numpy as np

from foleyspace.metrics.spectra import at_16_khz, checked_pair, stft
from foleyspace.types import Floats

PHASE_FLOOR = 0.2  # of the mean energy of a cell: below it the phase is not counted
RESOLUTIONS = ((1024, 600, 120), (2048, 1200, 240), (512, 240, 50))  # FFT size, window, hop
LOG_RANGE_DB = 80.0
QUIET_DB = 60.0


def stft_distance(estimate: Floats, truth: Floats, rate: int) -> float:
    """STFT: mean |Y - X|^2 of complex spectra, summed over the ears, >= 0, 0 is perfect.

    16 kHz, FFT 512, Hann window 400, hop 160, spectra not scaled: it grows with the square of the level.
    """
    estimate, truth = checked_pair(estimate, truth)
    difference = stft(at_16_khz(estimate - truth, rate), 512, 400, 160)
    return float((np.abs(difference) ** 2).mean(axis=(1, 2)).sum())


def envelope_distance(estimate: Floats, truth: Floats, rate: int) -> float:
    """ENV: root mean squared difference of the Hilbert envelopes at 16 kHz, summed over the ears."""
    from scipy.signal import hilbert

    estimate, truth = checked_pair(estimate, truth)
    envelopes = [np.abs(hilbert(at_16_khz(sound, rate), axis=-1)) for sound in (estimate, truth)]
    return float(np.sqrt(((envelopes[0] - envelopes[1]) ** 2).mean(axis=1)).sum())


def wave_distance(estimate: Floats, truth: Floats) -> float:
    """WAV: mean squared difference of the samples x 1000."""
    estimate, truth = checked_pair(estimate, truth)
    return float(((estimate - truth) ** 2).mean() * 1e3)


def amplitude_distance(estimate: Floats, truth: Floats, rate: int) -> float:
    """AMP: mean | |Y| - |X| |, FFT 2048, windows of 40 ms every 10 ms, spectra not scaled."""
    estimate, truth = checked_pair(estimate, truth)
    return float(np.abs(np.abs(_fine(estimate, rate)) - np.abs(_fine(truth, rate))).mean())


def phase_distance(estimate: Floats, truth: Floats, rate: int) -> float:
    """PHA, rad in [0, pi]: mean |phase difference| over the cells of `amplitude_distance` where the truth
    has more than 0.2 x its mean energy; NaN where the truth is silent."""
    estimate, truth = checked_pair(estimate, truth)
    made, wanted = _fine(estimate, rate), _fine(truth, rate)
    energy = np.abs(wanted) ** 2
    loud = energy > PHASE_FLOOR * energy.mean()
    return float(np.abs(np.angle(made * np.conj(wanted)))[loud].mean()) if loud.any() else np.nan


def snr_db(estimate: Floats, truth: Floats) -> float:
    """SNR, dB: energy of the truth over energy of the difference, both ears together. The difference's
    energy counts as 1e-12 at least, so that a perfect estimate has a finite figure. NaN where the truth is
    silent."""
    estimate, truth = checked_pair(estimate, truth)
    difference = max(float(((estimate - truth) ** 2).sum()), 1e-12)
    return float(10 * np.log10((truth**2).sum() / difference)) if truth.any() else np.nan


def multi_resolution_stft(estimate: Floats, truth: Floats) -> float:
    """Mean over three resolutions and both ears of spectral convergence plus the L1 distance of natural-log
    magnitudes (Yamamoto et al., Parallel WaveGAN, ICASSP 2020, equations 4-6, with the FFT sizes 1024, 2048,
    512, hops 120, 240, 50, windows 600, 1200, 240 given there). 0 is perfect.

    The logarithm does not go further than 80 dB below the truth's loudest cell: what is under it is
    inaudible, and would otherwise rule the figure. NaN where the truth is silent.
    """
    estimate, truth = checked_pair(estimate, truth)
    if not truth.any():
        return np.nan
    total = 0.0
    for fft_size, window, hop in RESOLUTIONS:
        made = np.abs(stft(estimate, fft_size, window, hop))
        wanted = np.abs(stft(truth, fft_size, window, hop))
        floor = wanted.max() * 10 ** (-LOG_RANGE_DB / 20)
        size = np.maximum(np.sqrt((wanted**2).sum(axis=(1, 2))), floor)
        convergence = np.sqrt(((made - wanted) ** 2).sum(axis=(1, 2))) / size
        logs = np.abs(np.log(np.maximum(made, floor)) - np.log(np.maximum(wanted, floor)))
        total += float(convergence.mean() + logs.mean())
    return total / len(RESOLUTIONS)


def added_noise_db(estimate: Floats, truth: Floats, rate: int) -> float:
    """Noise floor, dB: energy that the estimate adds where the truth has none, re all of the truth's energy.

    "Has none": cells (FFT 2048, 40 ms every 10 ms, both ears' energies added, so that sound at the wrong
    ear is no noise) that are 60 dB or more below the truth's loudest cell. What counts there is energy
    over the truth's own. -150 dB where nothing is added, NaN where no cell is that quiet or the truth is
    silent. It shows hiss, musical noise, leaks into pauses; it does not show noise under loud sound.
    """
    estimate, truth = checked_pair(estimate, truth)
    made, wanted = ((np.abs(_fine(sound, rate)) ** 2).sum(axis=0) for sound in (estimate, truth))
    quiet = wanted < wanted.max() * 10 ** (-QUIET_DB / 10)
    if not quiet.any():
        return np.nan
    added = float(np.maximum(made - wanted, 0)[quiet].sum()) / float(wanted.sum())
    return float(10 * np.log10(max(added, 1e-15)))


def _fine(sound: Floats, rate: int) -> np.ndarray:
    return stft(sound, 2048 * rate // 48000, 1920 * rate // 48000, 480 * rate // 48000)
