"""When packets are shown; and time stamps that damage made up: a frame an hour after all others, and nothing
in between."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

NO_PTS = -(2**63)
DISCARD = 0x4  # AV_PKT_FLAG_DISCARD: decoded but not shown (outside the edit list)
VOID_S = 60.0  # pictures may stand still for a while
VOID_TIMES = 10  # as long as all the rest together


@dataclass(frozen=True)
class Packets:
    """When the frames of one stream are shown: `pts` (T,) increasing, in units of `time_base` s, container
    time; `last` the length of the last one (0: unknown); `overlap`: by how much they begin before the one
    ahead of them ends (all but 1 in 100 by less); `exact`: every packet is one shown frame;
    `doubtful`: packets without a time stamp or sharing one, so that the true times come from decoding;
    `decoded`: they do."""

    pts: NDArray[np.int64]
    last: int
    time_base: Fraction
    exact: bool
    doubtful: bool = False
    decoded: bool = False
    overlap: int = 0


def shown_packets(rows: NDArray[np.int64], time_base: Fraction) -> Packets:
    """Packets in order of time from `rows` (N, 3) of time stamp, duration and flags, those that are not
    shown left out."""
    kept = rows[(rows[:, 2] & DISCARD) == 0]
    known = kept[kept[:, 0] != NO_PTS]
    pts, first = np.unique(known[:, 0], return_index=True)
    last = int(known[first[-1], 1]) if len(first) else 0
    over = known[first[:-1], 1] - np.diff(pts)
    overlap = int(np.percentile(over, 99)) if len(over) else 0
    every, doubtful = len(pts) == len(rows), len(pts) != len(kept)
    return Packets(pts, max(last, 0), time_base, every, doubtful, overlap=max(overlap, 0))


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
