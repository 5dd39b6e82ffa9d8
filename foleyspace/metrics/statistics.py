"""Confidence of means over items."""

from __future__ import annotations

import numpy as np

from foleyspace.errors import InputError
from foleyspace.types import Floats

RESAMPLES = 2000


def resamples(items: int, seed: int = 0) -> np.ndarray:
    """(`RESAMPLES`, items) item numbers drawn with replacement. The same draw for every system and metric
    is what makes their bootstrap paired. Raises `InputError` for no items."""
    if items < 1:
        raise InputError("a mean needs one item or more")
    return np.random.default_rng(seed).integers(0, items, (RESAMPLES, items))


def mean_interval(values: Floats, draws: np.ndarray) -> tuple[float, float, float]:
    """Mean of `values` (n,), and the 95 % interval of the mean by the percentile bootstrap (Efron 1979) over
    `draws` (B, n). NaN values are items that the metric says nothing about and are left out; with fewer than
    two others the interval is NaN."""
    values = np.asarray(values, np.float64)
    known = np.isfinite(values)
    if not known.any():
        return np.nan, np.nan, np.nan
    mean = float(values[known].mean())
    if known.sum() < 2:
        return mean, np.nan, np.nan
    weight = known[draws].sum(axis=1)
    sums = np.where(known, values, 0.0)[draws].sum(axis=1)
    low, high = np.percentile(sums[weight > 0] / weight[weight > 0], [2.5, 97.5])
    return mean, float(low), float(high)
