"""What is done to sounds before they are mixed for training, and what is told of when they sound."""

from __future__ import annotations

import numpy as np

from foleyspace.spatializer.bands import HOP, RATE
from foleyspace.types import Samples

LOW_PASS, HIGH_PASS = (3000, 14000), (60, 400)  # Hz
UNTOLD_ACTIVITY = 0.85  # how often nothing is told of when sources sound
ROUGHLY = 0.92  # up to here, it is told roughly


def coloured(piece: Samples, rng: np.random.Generator) -> Samples:
    """A random equaliser (smooth, +-8 dB, at times band-limited) and a room's decaying tail, each on some of
    the pieces: what a name sounds like must not be learned as the band where its few recordings lie."""
    equalised, reverberant = rng.random() < 0.5, rng.random() < 0.2
    if not equalised and not reverberant:
        return piece
    from scipy import fft

    n = fft.next_fast_len(len(piece) + (RATE if reverberant else 0), real=True)
    spectrum = fft.rfft(piece, n)
    if equalised:
        octave = np.log2(np.arange(1, n // 2 + 2) * RATE / n / 50).clip(0, 9)
        curve_db = np.interp(octave, np.linspace(0, 9, 6), rng.normal(0, 4, 6))
        hz = np.arange(len(spectrum)) * RATE / n + 1e-3
        if rng.random() < 0.3:
            spectrum /= np.sqrt(1 + (hz / np.exp(rng.uniform(*np.log(LOW_PASS)))) ** 12)
        if rng.random() < 0.2:
            spectrum /= np.sqrt(1 + (np.exp(rng.uniform(*np.log(HIGH_PASS))) / hz) ** 6)
        spectrum *= 10 ** (curve_db / 20)
    if reverberant:
        rt60, wet_db = rng.uniform(0.15, 0.9), rng.uniform(-18, -3)
        tail = rng.normal(0, 1, RATE) * 10 ** (-3 * np.arange(RATE) / RATE / rt60)
        tail[: int(rng.uniform(0.002, 0.02) * RATE)] = 0
        tail *= 10 ** (wet_db / 20) / np.sqrt(np.square(tail).sum())
        tail[0] += 1
        spectrum *= fft.rfft(tail, n)
    coloured: Samples = fft.irfft(spectrum, n)[: len(piece)].astype(np.float32)
    return coloured


def comes_and_goes(length: int, rng: np.random.Generator) -> Samples:
    """A gain (length,) that opens or closes once or twice, in 10 to 300 ms."""
    corners = np.sort(rng.uniform(0, length, rng.integers(1, 3)))
    ramp = rng.uniform(0.01, 0.3) * RATE
    sign = rng.choice((-1.0, 1.0))
    gate = np.zeros(length, np.float32)
    at = np.arange(length, dtype=np.float32)
    for corner in corners:
        gate += sign * np.clip((at - corner) / ramp + 0.5, 0, 1)
        sign = -sign
    return gate - gate.min()


def steady_noise(stems: Samples, rng: np.random.Generator, least_db: float = 25.0) -> Samples:
    """Steady noise (n,) of some colour, `least_db` to 50 dB below the mixture."""
    from scipy.signal import lfilter

    pole = rng.uniform(0, 0.97)
    noise = lfilter([1 - pole], [1, -pole], rng.standard_normal(stems.shape[1], np.float32))
    level = np.sqrt(np.square(stems.sum(axis=0)).mean() + 1e-12)
    scaled: Samples = noise * (
        level * 10 ** (-rng.uniform(least_db, 50) / 20) / np.sqrt(np.square(noise).mean())
    )
    return scaled


def told_activity(stems: Samples, frames: int, rng: np.random.Generator) -> Samples:
    """(K, T): mostly nothing is known; sometimes when each sounds, roughly; sometimes each one's share of
    the sound, as vision guesses it, wrongly at times."""
    count = len(stems)
    activity = np.ones((count, frames), np.float32)
    how = rng.random()
    if how < UNTOLD_ACTIVITY:
        return activity
    power = np.square(stems[:, : frames * HOP]).reshape(count, frames, HOP).mean(axis=2) + 1e-10
    if how < ROUGHLY:
        on = power > 1e-4 * power.max(axis=1, keepdims=True)
        slack = int(rng.integers(2, 20))
        for i in range(count):
            activity[i] = _box(on[i], 2 * slack + 1) > 0
        return activity
    width = int(rng.integers(10, 60))
    level = np.stack([_box(p, width) / width for p in power]) ** rng.uniform(0, 0.5)
    level *= np.exp(rng.normal(0, rng.uniform(0, 1.0), (count, 1)))
    return np.maximum(level / level.max(axis=0), rng.uniform(0.02, 0.3)).astype(np.float32)


def _box(values: np.ndarray, width: int) -> np.ndarray:
    """Running sums over `width` values, as long as `values` even where they are fewer."""
    return np.convolve(values, np.ones(width))[(width - 1) // 2 :][: len(values)]
