"""Sound of any length for networks that see a few seconds: windows that overlap, and how they fade.
Imports torch.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from foleyspace.errors import InputError
from foleyspace.types import Audio, Samples

WINDOW_S, OVERLAP_S = 4, 1
EDGE = 4  # of the overlap a quarter at either end: there a window's context is cut off, and it is not heard


def checked_mono(mono: Audio, rate: int) -> Samples:
    """The samples (1, n) of `mono`. Raises `InputError` for another rate or channel count, and for values
    that are not finite."""
    if mono.samples.shape[0] != 1:
        raise InputError(f"`mono` has {mono.samples.shape[0]} channels but must have 1")
    if mono.rate != rate:
        raise InputError(f"`mono` is at {mono.rate} Hz but must be at {rate} Hz")
    if not np.isfinite(mono.samples).all():
        raise InputError("`mono` holds NaN or infinite values but must be finite")
    return mono.samples


def windows(n: int, rate: int) -> Iterator[tuple[int, int]]:
    """First and last-plus-one sample of windows over n samples; the last is longer than the overlap."""
    overlap = OVERLAP_S * rate
    for start in range(0, max(n - overlap, min(n, 1)), WINDOW_S * rate - overlap):
        yield start, min(start + WINDOW_S * rate, n)


def noise_windows(
    n: int, rate: int, channels: tuple[int, ...], generator: torch.Generator
) -> Iterator[tuple[int, int, Tensor]]:
    """`windows`, each with its part (*channels, stop - start) of one field of noise: what two windows make of
    what they share is then the same sound, and a plain cross-fade joins it."""
    noise = torch.empty((*channels, 0))
    for start, stop in windows(n, rate):
        noise = noise[..., -OVERLAP_S * rate :] if start else noise
        fresh = torch.randn((*channels, stop - start - noise.shape[-1]), generator=generator)
        noise = torch.cat((noise, fresh), dim=-1)
        yield start, stop, noise


def fades(start: int, stop: int, n: int, rate: int) -> Samples:
    """Weights (stop - start,) of a window; those of all windows sum to one."""
    overlap = OVERLAP_S * rate
    edge = overlap // EDGE
    rise = np.clip((np.arange(overlap) - edge + 0.5) / (overlap - 2 * edge), 0, 1).astype(np.float32)
    weights = np.ones(stop - start, np.float32)
    if start > 0:
        weights[:overlap] = rise
    if stop < n:
        weights[-overlap:] = 1 - rise
    return weights
