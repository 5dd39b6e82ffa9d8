"""Between 48 kHz and the 16 kHz at which the published text-guided systems work. Imports torch.

One linear-phase low-pass (windowed sinc, Kaiser) both ways: flat within 0.01 dB up to 7.2 kHz, 60 dB down
from 8 kHz on, no delay.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

FACTOR = 3
RATE = 48_000 // FACTOR  # Hz
REACH = 114  # samples at 48 kHz to either side
CUTOFF_HZ = 7600
KAISER = 5.65  # 60 dB


def to_16k(x: Tensor) -> Tensor:
    """(..., n) at 48 kHz to (..., ceil(n / 3)) at 16 kHz: its sample t lies on sample 3 t of `x`."""
    if not x.numel():
        return x.new_zeros((*x.shape[:-1], -(-x.shape[-1] // FACTOR)))
    flat = x.reshape(-1, 1, x.shape[-1])
    there = functional.conv1d(flat, _low_pass(str(x.device)).to(x.dtype), stride=FACTOR, padding=REACH)
    return there.reshape(*x.shape[:-1], -1)


def from_16k(x: Tensor, n: int) -> Tensor:
    """(..., ceil(n / 3)) at 16 kHz to (..., n) at 48 kHz, nothing above 8 kHz."""
    if not x.numel():
        return x.new_zeros((*x.shape[:-1], n))
    flat = x.reshape(-1, 1, x.shape[-1])
    phases = _phases(str(x.device)).to(x.dtype)
    back = functional.conv1d(flat, phases, padding=REACH // FACTOR).transpose(1, 2)
    return back.reshape(*x.shape[:-1], -1)[..., :n]


@lru_cache(maxsize=4)
@torch.inference_mode(mode=False)  # made once, for training too
def _low_pass(device: str) -> Tensor:
    """(1, 1, 2 `REACH` + 1), sum 1, symmetric."""
    times = np.arange(-REACH, REACH + 1)
    cutoff = 2 * CUTOFF_HZ / (FACTOR * RATE)
    taps = np.sinc(cutoff * times) * np.kaiser(len(times), KAISER)
    return torch.tensor(taps / taps.sum(), dtype=torch.float32, device=device)[None, None]


@lru_cache(maxsize=4)
@torch.inference_mode(mode=False)  # made once, for training too
def _phases(device: str) -> Tensor:
    """(3, 1, 77): the low-pass as what makes three samples at 48 kHz out of those at 16 kHz around them."""
    taps = functional.pad(FACTOR * _low_pass(device), (0, FACTOR - 1))
    return taps.reshape(-1, FACTOR).flip(0).T[:, None].contiguous()
