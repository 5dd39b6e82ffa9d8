"""Log-mel spectra: what the tagger looks at."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from foleyspace.types import Floats, Samples

RATE = 32000
FRAME = 1024  # 32 ms
HOP = 512  # 16 ms
MELS = 64
LOW_HZ, HIGH_HZ = 50.0, 15000.0
FLOOR_DB = -160.0  # digital silence: below what 24 bits carry
RANGE_DB = 80.0  # what is kept below a window's loudest cell


def log_mel(samples: Samples, start: int = 0, frames: int | None = None) -> Samples:
    """Mono samples (n,) at `RATE` to log-mel power (frames, `MELS`) in dB, 0 dB for about a full-scale sine.

    Frame i is centred on sample `start + i * HOP`, which may lie outside: there is silence. Without `frames`
    they reach to the last sample.
    """
    if frames is None:
        frames = 1 + (len(samples) - start) // HOP
    padded = np.zeros(frames * HOP + FRAME, np.float32)
    left = start - FRAME // 2
    piece = samples[max(left, 0) : max(left + len(padded), 0)]
    padded[max(-left, 0) : max(-left, 0) + len(piece)] = piece
    slices = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[: frames * HOP : HOP]
    mel = np.empty((frames, MELS), np.float32)
    window, bank = _window(), mel_bank()
    for first in range(0, frames, 512):
        spectrum = np.fft.rfft(slices[first : first + 512] * window, axis=1)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        mel[first : first + 512] = power @ bank.T
    # the floor last: on some processors the logarithm of 1e-16 is not quite -16
    return np.maximum(10 * np.log10(np.maximum(mel, 1e-30)), FLOOR_DB)


def normalise(mel_db: Samples) -> Samples:
    """Windows (..., T, M) in dB to [-1, 1]: each window's loudest cell is 1, `RANGE_DB` below it -1. The
    tagger hears the same whatever the level."""
    top = mel_db.max(axis=(-2, -1), keepdims=True)
    return (np.clip(mel_db - top, -RANGE_DB, 0) / (RANGE_DB / 2) + 1).astype(np.float32)


@lru_cache(maxsize=1)
def mel_bank() -> Samples:
    """Triangles (MELS, FRAME // 2 + 1) at even steps of the HTK mel scale, each with unit peak."""
    edges = hz_of_mel(np.linspace(mel_scale(LOW_HZ), mel_scale(HIGH_HZ), MELS + 2))
    return triangles(edges, np.arange(FRAME // 2 + 1) * RATE / FRAME).astype(np.float32)


def triangles(edges_hz: Floats, hz: Floats) -> Floats:
    """(M, F) weights of unit peak at `hz` (F,): triangle m goes from edge m of `edges_hz` (M + 2,) up to the
    next and down to the one after."""
    rising = (hz - edges_hz[:-2, None]) / (edges_hz[1:-1] - edges_hz[:-2])[:, None]
    falling = (edges_hz[2:, None] - hz) / (edges_hz[2:] - edges_hz[1:-1])[:, None]
    return np.maximum(0, np.minimum(rising, falling))


@lru_cache(maxsize=1)
def _window() -> Samples:
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    return (hann * 2 / hann.sum()).astype(np.float32)


def mel_scale(hz: Floats | float) -> Floats:
    """HTK's mel scale."""
    return np.asarray(2595 * np.log10(1 + np.asarray(hz) / 700))


def hz_of_mel(mel: Floats) -> Floats:
    """The inverse of `mel_scale`."""
    return 700 * (10 ** (mel / 2595) - 1)
