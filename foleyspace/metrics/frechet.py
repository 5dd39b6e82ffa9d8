"""Frechet distances between sets of vectors: does the whole set sound, and lie in space, like the truth?

FAD, content: Kilgour et al., Frechet Audio Distance (Interspeech 2019), with the vectors of this project's
own embedded tagger (384 dimensions, 1.6 s windows) in place of VGGish: figures compare only with figures of
the same embedding. FD, space: the same distance between vectors of binaural cues.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foleyspace.errors import InputError
from foleyspace.metrics.spectra import ERB_BANDS, erb_matrix, erb_rate, stft
from foleyspace.types import Floats

WINDOW_S, HOP_S = 0.1, 0.05
SILENT_DB = 50.0  # windows further below the loudest one say nothing about space
BANDS = ERB_BANDS // 2  # two ERB wide
IPD_BELOW_HZ = 1500.0
ILD_UNIT_DB, MAX_ILD_DB = 6.0, 30.0


def frechet_distance(a: Floats, b: Floats) -> float:
    """Squared Frechet (2-Wasserstein) distance, >= 0, between Gaussians fitted to the rows of `a` (N, D),
    the truth, and `b` (M, D): |mean difference|^2 + tr(A + B - 2 (A B)^(1/2)) (Dowson & Landau 1982).

    Small samples: both covariances are drawn towards a multiple of the identity by the Ledoit-Wolf (2004)
    intensity that the *truth* asks for (the same for both, so that equal sets have distance 0). What remains
    is the known upward bias of small sets: compare systems over the same items, never sets of other sizes.
    Raises `InputError` with fewer than two rows, other D, or NaN.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise InputError(f"vectors have shapes {a.shape} and {b.shape} but must be (2 or more, D), one D")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("vectors hold NaN or infinite values but must be finite")
    intensity = shrinkage(a)
    first, second = (_shrunk(rows, intensity) for rows in (a, b))
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.linalg.eigvalsh(root @ second @ root)
    apart = float(((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum())
    spread = np.trace(first) + np.trace(second) - 2 * np.sqrt(np.maximum(cross, 0)).sum()
    return apart + max(float(spread), 0.0)


def shrinkage(rows: Floats) -> float:
    """Ledoit & Wolf 2004 (A well-conditioned estimator for large-dimensional covariance matrices): how far,
    0 to 1, the covariance of `rows` (N, D) is best drawn towards a multiple of the identity."""
    x = rows - rows.mean(axis=0)
    n, d = x.shape
    covariance = x.T @ x / n
    squared = float((covariance**2).sum())
    spread = squared / d - (np.trace(covariance) / d) ** 2
    noise = (float(((x**2).sum(axis=1) ** 2).sum()) / n - squared) / (n * d)
    return float(np.clip(noise / spread, 0, 1)) if spread > 1e-30 else 1.0


def _shrunk(rows: Floats, intensity: float) -> Floats:
    covariance = np.cov(rows.T, bias=True).reshape(rows.shape[1], -1)
    target = np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    return (1 - intensity) * covariance + intensity * target


def content_vectors(binaural: NDArray[np.floating], rate: int) -> Floats:
    """(W, 384) vectors of both ears' 1.6 s windows, every 0.5 s, by the embedded tagger (`tagger.py`).

    Shows: sounds gone, muffled, smeared, or mixed up so that they are taken for other things. Cannot show:
    anything about space (the ears are read one by one), phase, or artefacts below what a small network of
    64 mel bands hears.
    """
    from foleyspace.tagger import load_tagger

    tagger = load_tagger()
    rows = [tagger.embed(np.asarray(ear, np.float32), rate)[1] for ear in binaural]
    return np.concatenate(rows).astype(np.float64)


def cue_vectors(binaural: Floats, rate: int) -> Floats:
    """(W, D) interaural cues of 100 ms windows every 50 ms: per band of two ERB the ILD (in units of 6 dB,
    up to 30 dB), and below 1.5 kHz the real and imaginary part of the interaural coherence (IPD as a
    direction, length: how alike the ears are). Windows 50 dB below the loudest are left out.

    Shows: whether sounds lie as far out, as spread and as correlated as in the truth, over the whole set.
    Cannot show: that each sound is at its own place at its own time; left and right swapped in half of the
    items can go unseen. The item's ILDe, IPDe and azimuth error show that.
    """
    binaural = np.asarray(binaural, np.float64)
    size = round(WINDOW_S * rate)
    spectra = stft(binaural, size, size, round(HOP_S * rate))
    frequency = np.fft.rfftfreq(size, 1 / rate)
    bands = erb_matrix(frequency).reshape(len(frequency), BANDS, 2).sum(axis=2)
    left, right = np.abs(spectra) ** 2 @ bands
    cross = (spectra[0] * np.conj(spectra[1])) @ bands
    energy = (left + right).sum(axis=1)
    heard = energy > max(energy.max() * 10 ** (-SILENT_DB / 10), 1e-20)
    # a band that holds nothing in either ear has no level difference
    floor = 1e-6 * energy[:, None] + 1e-20
    ild = np.clip(10 * np.log10((right + floor) / (left + floor)), -MAX_ILD_DB, MAX_ILD_DB) / ILD_UNIT_DB
    low = (2 * np.arange(BANDS) < erb_rate(np.array(IPD_BELOW_HZ))) & (bands.sum(axis=0) > 0)
    coherence = (cross / (np.sqrt(left * right) + floor))[:, low]
    return np.concatenate([ild, coherence.real, coherence.imag], axis=1)[heard]
