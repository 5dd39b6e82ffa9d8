"""The difference of the ears as a picture: what the TASU baseline generates, and back. Imports torch.

With mono M = L + R and difference D = L - R, each band b and frame t has the complex ratio that fits best,
g = sum D M* / sum |M|^2 over the band: its real part is the level difference ((|L|^2 - |R|^2) / |M|^2), its
imaginary part the phase difference (2 Im L R* / |M|^2), and |g M| is the magnitude of D. The picture holds
h = g / sqrt(1 + |g|^2), which stays within the unit circle where M cancels out. Swapping the ears negates it.
On the way back g M takes its fine structure and phase from the mono sound, so no vocoder is needed; with 64
bands of 16 kHz sound what that loses of D lies 15 dB below it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from foleyspace.mel import mel_scale
from foleyspace.spatializer.rate16 import RATE

N_FFT = 1024  # 64 ms at 16 kHz
HOP = 500  # 31 ms: whole frames in a second
BANDS = 64
FLOOR = 1e-4  # of the piece's mean power: below it ratios fade to zero
MOST = 0.97  # |h|, that is 12 dB more difference than mono
LOUDNESS = 0.5  # exponent of power in `loudness`


def picture(mono: Tensor, difference: Tensor) -> Tensor:
    """h (B, 2, `BANDS`, T), real and imaginary part, of `mono` and `difference` (B, n) at 16 kHz; frame t is
    centred on sample t * `HOP`, T = n // `HOP` + 1."""
    m, d = spectra(mono), spectra(difference)
    power = _power(m)
    cross = d * m.conj()
    floor = FLOOR * power.mean(dim=(1, 2), keepdim=True) + 1e-12
    bands = _bands(str(mono.device))
    ratio = torch.stack((bands @ cross.real, bands @ cross.imag), dim=1) / (power + floor)[:, None]
    return _limited(ratio / (1 + ratio.square().sum(dim=1, keepdim=True)).sqrt())


def heard(h: Tensor, mono: Tensor) -> Tensor:
    """The difference (B, n) that the picture `h` (B, 2, `BANDS`, T) makes of `mono` (B, n); its last frame
    holds on, if `mono` has more."""
    m = spectra(mono)
    h = _limited(torch.cat((h, h[..., -1:].expand(-1, -1, -1, m.shape[-1] - h.shape[-1])), dim=-1))
    ratio = h / (1 - h.square().sum(dim=1, keepdim=True)).sqrt()
    real, imaginary = (_bands(str(mono.device)).T @ ratio).unbind(1)
    window = torch.hann_window(N_FFT, device=mono.device)
    filtered = m * torch.complex(real, imaginary)
    return torch.istft(filtered, N_FFT, HOP, window=window, length=mono.shape[-1])


def levels(mono: Tensor) -> Tensor:
    """(B, `BANDS`, T): the bands of `mono` (B, n) in decibels re their mean, scaled to about +-1."""
    power = _power(spectra(mono))
    mean = power.mean(dim=(1, 2), keepdim=True)
    return (10 * torch.log10(power / (mean + 1e-12) + 1e-6)).clamp(-60, 30) / 25 + 0.8


def loudness(mono: Tensor, difference: Tensor) -> Tensor:
    """(B, `BANDS`, T), mean 1: what a cell weighs, from the power of both ears."""
    weight = (_power(spectra(mono)) + _power(spectra(difference)) + 1e-12) ** LOUDNESS
    return weight / weight.mean(dim=(1, 2), keepdim=True)


def spectra(x: Tensor) -> Tensor:
    """Complex STFT (B, F, T) of (B, n)."""
    window = torch.hann_window(N_FFT, device=x.device)
    return torch.stft(x, N_FFT, HOP, window=window, center=True, pad_mode="constant", return_complex=True)


def _power(spectrum: Tensor) -> Tensor:
    return _bands(str(spectrum.device)) @ (spectrum.real.square() + spectrum.imag.square())


def _limited(h: Tensor) -> Tensor:
    size = h.square().sum(dim=1, keepdim=True).sqrt()
    return h * (MOST / size.clamp(min=MOST))


@lru_cache(maxsize=4)
@torch.inference_mode(mode=False)  # made once, for training too
def _bands(device: str) -> Tensor:
    """(`BANDS`, F): triangles at even steps of the mel scale; those of a bin sum to one."""
    mel = mel_scale(np.linspace(0, RATE / 2, N_FFT // 2 + 1))
    middle = np.linspace(0, mel[-1], BANDS + 2)[1:-1]
    weights = np.stack([np.interp(mel, middle, row) for row in np.eye(BANDS)])
    return torch.tensor(weights, dtype=torch.float32, device=device)
