"""How well a mixture was taken apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foleyspace.errors import InputError
from foleyspace.types import Floats

MAX_DB = 100.0


def si_sdr_db(estimate: NDArray[np.floating], truth: NDArray[np.floating]) -> Floats:
    """Scale-invariant signal-to-distortion ratio (...,) in dB of `estimate` against `truth` (..., n)
    (Le Roux et al., SDR - half-baked or well done?, ICASSP 2019, equation 4): energy of the estimate's
    projection on the truth over the energy of what remains. Means are not taken out.

    Limited to +-100 dB; NaN where the truth is silent (then no ratio says anything); -100 for a silent
    estimate. Raises `InputError` for other shapes or NaN.
    """
    estimate, truth = np.asarray(estimate, np.float64), np.asarray(truth, np.float64)
    if estimate.shape != truth.shape or truth.ndim == 0 or truth.shape[-1] == 0:
        raise InputError(
            f"`estimate` has shape {estimate.shape} but must have {truth.shape}, (..., n), n > 0"
        )
    if not (np.isfinite(estimate).all() and np.isfinite(truth).all()):
        raise InputError("`estimate` or `truth` holds NaN or infinite samples but must be finite")
    energy = (truth**2).sum(axis=-1)
    scale = (estimate * truth).sum(axis=-1) / np.maximum(energy, 1e-30)
    signal = scale**2 * energy
    rest = ((estimate - scale[..., None] * truth) ** 2).sum(axis=-1)
    whole = signal + rest
    floor = 10 ** (-MAX_DB / 10) * whole + 1e-30
    ratio = np.clip(10 * np.log10(np.maximum(signal, floor) / np.maximum(rest, floor)), -MAX_DB, MAX_DB)
    ratio = np.where(whole > 1e-24, ratio, -MAX_DB)
    return np.where(energy > 1e-12, ratio, np.nan)


def si_sdr_improvement_db(
    estimate: NDArray[np.floating], truth: NDArray[np.floating], mixture: NDArray[np.floating]
) -> Floats:
    """SI-SDR (S,) dB of `estimate` (S, n) less that of the `mixture` (n,) itself as the estimate of each.

    With one source the mixture is the truth and there is nothing to improve: about 0 at best.
    """
    both = np.broadcast_to(np.asarray(mixture, np.float64), np.shape(truth))
    return si_sdr_db(estimate, truth) - si_sdr_db(both, truth)
