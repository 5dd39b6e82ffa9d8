"""The bridge from "nobody knows" to the stems, with data prediction.

The state at time 0 gives every slot its known share of the mixture; at time 1 it is the stems. In between a
Brownian bridge lies (I2SB, Liu et al. 2023; for speech, Jukić et al. 2024): x_t = (1 - t) x_0 + t x_1 +
sigma sqrt(t (1 - t)) |X| z. The network always predicts x_1 (as masks on the mixture), so that one step from
time 0 is its own predictive baseline, and a few steps let it look at its own estimate again.
"""

from __future__ import annotations

import torch
from torch import Tensor

from foleyspace.spatializer.bands import band_power

SIGMA = 0.3


def start(mixture: Tensor, activity: Tensor) -> Tensor:
    """x_0 (B, K, F, T): the mixture's spectrum (B, F, T) shared out by `activity` (B, K, T)."""
    share = activity / activity.sum(dim=1, keepdim=True).clamp(min=1e-6)
    return mixture[:, None] * share[:, :, None]


def between(first: Tensor, last: Tensor, mixture: Tensor, time: Tensor, noise: Tensor) -> Tensor:
    """x_t of the bridge; `time` (B,), `noise` complex like `first`."""
    t = time[:, None, None, None]
    spread = SIGMA * torch.sqrt(t * (1 - t)) * mixture.abs()[:, None]
    return (1 - t) * first + t * last + spread * noise


def advance(
    state: Tensor, predicted: Tensor, mixture: Tensor, now: float, then: float, noise: Tensor
) -> Tensor:
    """x at time `then`, from x at `now` < `then` < 1 and the predicted x_1: the bridge between the two."""
    step = (then - now) / (1 - now)
    spread = SIGMA * ((then - now) * (1 - then) / (1 - now)) ** 0.5
    return state + step * (predicted - state) + spread * mixture.abs()[:, None] * noise


def shares(state: Tensor) -> Tensor:
    """(B, K, F, T) complex to (B, K, `BANDS`, T): each slot's part of the power, sum 1 over the slots."""
    power = band_power(state) + 1e-12
    return power / power.sum(dim=1, keepdim=True)


def start_shares(activity: Tensor, bands: int) -> Tensor:
    """`shares(start(...))`, without the spectra: the squares of the activities' shares."""
    square = activity.square() + 1e-12
    share = square / square.sum(dim=1, keepdim=True)
    return share[:, :, None].expand(-1, -1, bands, -1)
