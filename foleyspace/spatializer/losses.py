"""What is optimised: the binaural signal that the masks give, against the true one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from foleyspace.spatializer.bands import BINS, N_FFT, RATE, band_power, to_bins
from foleyspace.spatializer.dataset import HOLD

ERBS = 42
LOWEST = 1e-3  # -30 dB: errors below it are not chased
COMPRESSION = 0.3
FLOOR = 1e-5  # of the loudest cell: what cues are read from


@dataclass(frozen=True)
class Terms:
    """Parts of the loss, each (B,): error of the binaural signal and of the stems, dB re the truth; ILD error
    dB; IPD error, 1 - cos; compressed magnitudes, relative."""

    binaural_db: Tensor
    stems_db: Tensor
    ild_db: Tensor
    ipd: Tensor
    magnitude: Tensor

    def total(self) -> Tensor:
        """The loss: a decibel of signal error counts 0.1, one of ILD half as much."""
        each = 0.1 * self.binaural_db + 0.05 * self.stems_db + 0.05 * self.ild_db
        return (each + 0.3 * self.ipd + 0.3 * self.magnitude).mean()


def terms(
    masks: Tensor, power: Tensor, mixture: Tensor, stems: Tensor, spectra: Tensor, rows: Tensor
) -> Terms:
    """`masks` (B, K, `BANDS`, T) on `mixture` (B, F, T), whose band power is `power`, against the `stems`
    (B, K, F, T), all heard through the responses `spectra[rows]` (B, K, T / `HOLD`, 2, F), which are held for
    `HOLD` frames. High frequencies are sampled: every second bin from 3 kHz, every fourth from 12 kHz."""
    bins, counts = _sampled(str(masks.device))
    true = stems[:, :, bins]
    error = to_bins(masks, bins) * mixture[:, None, bins] - true
    heard = spectra[..., bins][rows].permute(0, 1, 3, 4, 2)
    truth, wrong = _binaural(true, heard), _binaural(error, heard)
    ild, ipd = _cue_errors(truth + wrong, truth)
    weight = counts[:, None]
    return Terms(
        _decibels(_energy(wrong, weight), _energy(truth, weight)),
        _decibels(_energy(error, weight), _energy(true, weight)),
        ild,
        ipd,
        _magnitude_error(power, masks, stems),
    )


def _binaural(stems: Tensor, heard: Tensor) -> Tensor:
    """(B, 2, F, T): spectra (B, K, F, T) through filters (B, K, 2, F, T / `HOLD`)."""
    frames = stems.shape[-1]
    blocks = functional.pad(stems, (0, -frames % HOLD)).unflatten(-1, (-1, HOLD))
    sums = (heard[..., None] * blocks[:, :, None]).sum(dim=1)
    return sums.flatten(-2)[..., :frames]


def _cue_errors(estimate: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """ILD error (B,) dB and IPD error (B,), below 1.5 kHz, of two binaural spectra (B, 2, F, T): in ERB
    bands, weighted with the truth's energy."""
    power, cross = _erb(truth)
    got_power, got_cross = _erb(estimate)
    energy = power.sum(dim=1)
    energy = torch.where(energy > FLOOR * energy.amax(dim=(1, 2), keepdim=True), energy, 0)
    ild = (_level(got_power) - _level(power)).abs()
    low = energy * _low(str(truth.device))
    turned = 1 - (got_cross * cross.conj()).real / (got_cross.abs() * cross.abs()).clamp(min=1e-9)
    return _weighted(ild, energy), _weighted(turned, low)


def _magnitude_error(mixture_power: Tensor, masks: Tensor, stems: Tensor) -> Tensor:
    loud = mixture_power.mean(dim=(1, 2))[:, None, None, None].clamp(min=1e-9)
    true = (band_power(stems) / loud + 1e-6) ** (COMPRESSION / 2)
    got = (masks.square() * mixture_power[:, None] / loud + 1e-6) ** (COMPRESSION / 2)
    return (got - true).abs().mean(dim=(1, 2, 3)) / true.mean(dim=(1, 2, 3))


def _energy(spectra: Tensor, weight: Tensor) -> Tensor:
    return ((spectra.real.square() + spectra.imag.square()) * weight).flatten(1).sum(dim=1)


def _decibels(error: Tensor, truth: Tensor) -> Tensor:
    return 10 * torch.log10(error / truth.clamp(min=1e-9) + LOWEST)


@lru_cache(maxsize=4)
@torch.inference_mode(mode=False)  # made once, for training too
def _sampled(device: str) -> tuple[Tensor, Tensor]:
    """Bins that are looked at, and how many each stands for."""
    steps = ((0, 128, 1), (128, 512, 2), (512, BINS, 4))
    bins = np.concatenate([np.arange(low, high, step) for low, high, step in steps])
    counts = np.concatenate([np.full(len(np.arange(low, high, step)), step) for low, high, step in steps])
    return torch.tensor(bins, device=device), torch.tensor(counts, dtype=torch.float32, device=device)


def _level(power: Tensor) -> Tensor:
    return (10 * torch.log10((power[:, 0] + 1e-9) / (power[:, 1] + 1e-9))).clamp(-30, 30)


def _weighted(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum(dim=(1, 2)) / weights.sum(dim=(1, 2)).clamp(min=1e-9)


def _erb(pair: Tensor) -> tuple[Tensor, Tensor]:
    bands = _erb_matrix(str(pair.device))
    power = bands @ (pair.real.square() + pair.imag.square())
    product = pair[:, 0] * pair[:, 1].conj()
    return power, torch.complex(bands @ product.real, bands @ product.imag)


@lru_cache(maxsize=4)
@torch.inference_mode(mode=False)  # made once, for training too
def _erb_matrix(device: str) -> Tensor:
    bins, counts = _sampled("cpu")
    number = 21.4 * np.log10(1 + 0.00437 * bins.numpy() * RATE / N_FFT)
    band = np.clip(number.astype(int), 0, ERBS - 1)
    return torch.tensor(
        (band == np.arange(ERBS)[:, None]) * counts.numpy(), dtype=torch.float32, device=device
    )


@lru_cache(maxsize=4)
@torch.inference_mode(mode=False)  # made once, for training too
def _low(device: str) -> Tensor:
    bands = np.arange(ERBS) < 21.4 * np.log10(1 + 0.00437 * 1500)
    return torch.tensor(bands[:, None], dtype=torch.float32, device=device)
