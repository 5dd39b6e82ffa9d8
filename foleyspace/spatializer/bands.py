"""The network's view of sound: short-time spectra at 48 kHz and the bands it reads and masks.

Up to 1.5 kHz a band is one bin (23 Hz), so that harmonics of two sources can be told apart; above, a
twenty-fourth of an octave. An ideal mask at this resolution separates two or three sounds to 19 dB SNR,
one of single bins and twice as many frames to 20 dB.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

RATE = 48000
N_FFT = 2048
HOP = 1024  # 21 ms: what the network sees and masks
BINS = N_FFT // 2 + 1
SINGLE = 64  # bins that are a band of their own
BANDS = 160
FLOOR_DB, TOP_DB = -70.0, 30.0  # re the piece's mean power: what the network can tell apart


def spectrum(signal: Tensor, hop: int = HOP) -> Tensor:
    """Complex STFT (..., `BINS`, T) of (..., n) float, Hann window, frame t centred on sample t * `hop`."""
    window = torch.hann_window(N_FFT, device=signal.device)
    flat = signal.reshape(-1, signal.shape[-1])
    frames = torch.stft(
        flat, N_FFT, hop, window=window, center=True, pad_mode="constant", return_complex=True
    )
    return frames.reshape(*signal.shape[:-1], *frames.shape[-2:])


@lru_cache(maxsize=1)
def band_of_bin() -> np.ndarray:
    """(`BINS`,) the band that each bin belongs to."""
    octave_bands = BANDS - SINGLE
    edges = np.round(SINGLE * (BINS / SINGLE) ** (np.arange(octave_bands + 1) / octave_bands)).astype(int)
    wide = np.searchsorted(edges, np.arange(SINGLE, BINS), side="right") - 1
    return np.append(np.arange(SINGLE), SINGLE + np.minimum(wide, octave_bands - 1))


@lru_cache(maxsize=4)
@torch.inference_mode(mode=False)  # made once, for training too
def _sums(device: str) -> Tensor:
    matrix = torch.zeros(BANDS, BINS)
    matrix[torch.from_numpy(band_of_bin()), torch.arange(BINS)] = 1
    return matrix.to(device)


@lru_cache(maxsize=4)
@torch.inference_mode(mode=False)  # made once, for training too
def _spread(device: str) -> Tensor:
    """(`BINS`, `BANDS`): linear interpolation between the middles of the bands."""
    of_bin = band_of_bin()
    middle = np.array([np.flatnonzero(of_bin == band).mean() for band in range(BANDS)])
    weights = np.stack([np.interp(np.arange(BINS), middle, row) for row in np.eye(BANDS)], axis=1)
    return torch.tensor(weights, dtype=torch.float32, device=device)


def band_power(spectra: Tensor) -> Tensor:
    """(..., `BINS`, T) complex to (..., `BANDS`, T): the power in each band."""
    return _sums(str(spectra.device)) @ (spectra.real.square() + spectra.imag.square())


def to_bins(masks: Tensor, bins: Tensor | None = None) -> Tensor:
    """(..., `BANDS`, T) to (..., `BINS`, T), or to those of `bins`; masks that sum to one still do."""
    spread = _spread(str(masks.device))
    return (spread if bins is None else spread[bins]) @ masks


def level_features(power: Tensor, heard: slice = slice(None)) -> Tensor:
    """(..., `BANDS`, T) band power to [-0.7, 0.3]: decibels re the mean over the piece, or over its frames
    `heard`, by the hundred."""
    mean = power[..., heard].mean(dim=(-2, -1), keepdim=True)
    return torch.clamp(10 * torch.log10(power / (mean + 1e-12) + 1e-7), FLOOR_DB, TOP_DB) / 100
