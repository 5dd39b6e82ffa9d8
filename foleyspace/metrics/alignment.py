"""One gain and one delay taken out of a sound, so that overall level and latency do not count."""

from __future__ import annotations

import numpy as np

from foleyspace.metrics.spectra import checked_pair
from foleyspace.types import Floats

MAX_DELAY_S = 0.005


def aligned(estimate: Floats, truth: Floats, rate: int) -> Floats:
    """`estimate` (2, n) shifted by one whole number of samples (<= 5 ms, where the ears' summed
    cross-correlation is largest) and scaled by one gain (least squares on both ears) to fit `truth`.

    One gain and one delay for both ears: interaural cues stay as they are. Silence stays silence.
    """
    estimate, truth = checked_pair(estimate, truth)
    n = truth.shape[1]
    reach = min(int(MAX_DELAY_S * rate), n - 1)
    size = 1 << (n + reach).bit_length()
    cross = (np.fft.rfft(truth, size) * np.conj(np.fft.rfft(estimate, size))).sum(axis=0)
    lags = np.arange(-reach, reach + 1)
    delay = int(lags[np.argmax(np.abs(np.fft.irfft(cross, size)[lags]))])
    shifted = np.zeros_like(estimate)
    shifted[:, max(delay, 0) : n + min(delay, 0)] = estimate[:, max(-delay, 0) : n - max(delay, 0)]
    energy = float((shifted**2).sum())
    return shifted * (float((truth * shifted).sum()) / max(energy, 1e-12))
