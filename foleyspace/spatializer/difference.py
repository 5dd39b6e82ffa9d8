"""Binaural sound whose ears add up to the mono sound: only their difference is made (the formulation of TAS
and TASU).

A source rendered as it is has ears that add up to something coloured by the head. What is kept of its render
is how the ears relate: the filter that leads from their sum to their difference. Through it goes the source's
part of the mono sound, taken for that sum, so that the level, time and phase differences between the ears are
the render's, and left plus right is the mono sound to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from foleyspace.types import Samples

WINDOW, HOP = 4096, 1024  # samples
AROUND = 1  # frames on either side from which a filter is estimated too
SHY = 0.005  # of the ears' energy: where they nearly cancel, the filter stays small
CONTEXT = (
    9 * HOP
)  # at either end of a chunk, so that cutting changes nothing: a frame, its neighbours, a frame
CHUNK = 256 * HOP


def keep_sum(mono: Samples, difference: Samples) -> Samples:
    """(2, n) whose ears add up to `mono` (n,) and differ by `difference` (n,)."""
    half, part = mono / 2, difference / 2
    return np.stack((half + part, half - part)).astype(np.float32)


def difference(part: Samples, stereo: Samples) -> Samples:
    """(n,) left minus right for `part` (n,), the sum of the ears, that relate as those of `stereo` (2, n)."""
    return np.concatenate([*difference_blocks([(part, stereo)]), np.zeros(0, np.float32)])


def difference_blocks(pairs: Iterable[tuple[Samples, Samples]]) -> Iterator[Samples]:
    """`difference` of blocks (n,), (2, n) that come in any lengths, in bounded memory; the lengths that come
    out are others, their sum the same."""
    waiting = np.zeros((3, CONTEXT), np.float32)  # what comes before the first sample
    for part, stereo in pairs:
        waiting = np.hstack((waiting, np.vstack((part, stereo))))
        while waiting.shape[1] >= CONTEXT + CHUNK + CONTEXT:
            yield _chunk(waiting[:, : CONTEXT + CHUNK + CONTEXT])
            waiting = waiting[:, CHUNK:]
    left = waiting.shape[1] - CONTEXT
    if left > 0:
        more = -left % HOP + CONTEXT
        yield _chunk(np.pad(waiting, ((0, 0), (0, more))))[:left]


def _chunk(signals: Samples) -> Samples:
    """Of `signals` (3, n): the part, left, right; without its contexts."""
    from scipy.fft import irfft, rfft

    fade = np.hanning(WINDOW + 1)[:-1].astype(np.float32)  # its squares, four deep, add up to 1.5
    frames = sliding_window_view(signals, WINDOW, axis=1)[:, ::HOP]
    part, left, right = rfft(frames * fade)
    total, apart = left + right, left - right
    towards = _around(apart * total.conj())
    floor = SHY * _around(np.abs(left) ** 2 + np.abs(right) ** 2)
    made = irfft(part * towards / (_around(np.abs(total) ** 2) + floor + 1e-20), WINDOW) * (fade / 1.5)
    out = np.zeros(signals.shape[1], np.float32)
    for number, frame in enumerate(made):
        out[number * HOP :][:WINDOW] += frame
    return out[CONTEXT : signals.shape[1] - CONTEXT]


def _around(frames: np.ndarray) -> np.ndarray:
    """The sum over each of the frames (T, F) and its neighbours."""
    padded = np.pad(frames, ((AROUND, AROUND), (0, 0)))
    return np.asarray(sum(padded[i : i + len(frames)] for i in range(2 * AROUND + 1)))
