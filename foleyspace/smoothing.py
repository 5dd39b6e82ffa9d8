"""Two-sided robust smoothing of unevenly sampled series, without lag.

The estimate is the one of a Rauch-Tung-Striebel smoother for an integrated random walk (white-noise
acceleration) under a diffuse prior; solved in one go as penalised least squares
(Whittaker 1923; Eilers, "A perfect smoother", 2003) with a banded solver, which is exact, has no
recursion to drift and costs the same for an hour as for seconds a sample. Outliers are reweighted as
under Student-t noise (iteratively reweighted least squares).
"""

from __future__ import annotations

import numpy as np

from foleyspace.types import Floats

STUDENT_DOF = 3.0
_ROUNDS = 6


def smooth(
    times: Floats,
    values: Floats,
    noise: Floats | float,
    grid: Floats,
    cutoff_hz: float,
    robust: bool = True,
) -> Floats:
    """Smooth `values` (N, K) observed at `times` (N,) s onto a uniform `grid` (G,) s; returns (G, K).

    `noise` (N,) or scalar: standard deviation of an observation, in the values' unit. `cutoff_hz`:
    where a motion seen with the typical noise and density is kept at half its amplitude; an
    observation noisier than typical is followed less. Between observations the series goes on
    smoothly, outside them in straight lines.
    """
    from scipy.linalg import solveh_banded

    times, grid = np.asarray(times, np.float64), np.asarray(grid, np.float64)
    values = np.asarray(values, np.float64).reshape(len(times), -1)
    if len(times) == 1 or len(grid) < 3:
        return np.stack([np.interp(grid, times, column) for column in values.T], axis=1)
    noise = np.broadcast_to(np.asarray(noise, np.float64), times.shape)
    typical = float(np.median(noise))
    step = float(grid[1] - grid[0])
    spacing = float(np.median(np.diff(times)))
    # smoothing-spline transfer function 1 / (1 + (f / fc)^4); fc in observations' density
    penalty = (step / spacing) / (2 * np.pi * cutoff_hz * step) ** 4

    position = np.clip((times - grid[0]) / step, 0, len(grid) - 1)
    low = np.minimum(position.astype(np.int64), len(grid) - 2)
    part = position - low
    base = (typical / noise) ** 2
    weight = base
    estimate = np.empty((len(grid), values.shape[1]))
    for _ in range(_ROUNDS if robust else 1):
        banded = _second_difference_penalty(len(grid), penalty)
        right = np.zeros_like(estimate)
        np.add.at(banded[2], low, weight * (1 - part) ** 2)
        np.add.at(banded[2], low + 1, weight * part**2)
        np.add.at(banded[1], low + 1, weight * part * (1 - part))
        np.add.at(right, low, (weight * (1 - part))[:, None] * values)
        np.add.at(right, low + 1, (weight * part)[:, None] * values)
        banded[2] += 1e-9 * penalty  # keeps a series seen once or twice solvable
        estimate = solveh_banded(banded, right, check_finite=False)
        if not robust:
            break
        residual = values - (estimate[low] * (1 - part)[:, None] + estimate[low + 1] * part[:, None])
        squared = (residual**2).sum(axis=1) / noise**2
        # where most points miss the curve it is the motion that is fast: they are no outliers
        squared /= max(1.0, float(np.median(squared)) / values.shape[1])
        weight = base * (STUDENT_DOF + values.shape[1]) / (STUDENT_DOF + squared)
    return estimate


def _second_difference_penalty(n: int, penalty: float) -> Floats:
    """Upper banded form (3, n) of penalty * D2' D2, D2 the second-difference matrix."""
    banded = np.zeros((3, n))
    banded[2, :-2] += 1
    banded[2, 1:-1] += 4
    banded[2, 2:] += 1
    banded[1, 1:-1] += -2
    banded[1, 2:] += -2
    banded[0, 2:] += 1
    return banded * penalty
