"""Time stamps that damage made up: a frame an hour after all others, and nothing in between."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

VOID_S = 60.0  # pictures may stand still for a while
VOID_TIMES = 10  # as long as all the rest together


def without_voids(
    times: NDArray[np.float64], others: NDArray[np.float64], stated_s: float
) -> NDArray[np.float64]:
    """By how much to move each of `times` (T,) s, increasing, so that no void is left.

    A void is a step longer than a minute and than ten times all short steps together, in which the other
    stream has nothing either (`others` (N,) s, the times of its packets); without one, which ends after the
    length that the file states, `stated_s`. The side with fewer frames is moved up to the other.
    """
    moved = np.zeros(len(times))
    steps = np.diff(times)
    if not len(steps):
        return moved
    usual = float(np.median(steps))
    short = steps[steps <= max(VOID_S, 2 * usual)]
    for k in np.flatnonzero(steps > max(VOID_S, VOID_TIMES * float(short.sum()))):
        before, after = times[k], times[k + 1]
        if len(others):
            real = bool(((others > before + 1) & (others < after - 1)).any())
        else:
            real = after - times[0] <= stated_s + 1
        if real:
            continue
        if k + 1 >= len(times) / 2:
            moved[k + 1 :] -= steps[k] - usual
        else:
            moved[: k + 1] += steps[k] - usual
    return moved
