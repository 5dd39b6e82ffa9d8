"""What the metrics share: checks of the input, short-time spectra, bands."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.errors import InputError
from foleyspace.types import Floats

Spectra = NDArray[np.complexfloating[Any, Any]]

ERB_BANDS = 42  # whole numbers of the ERB-rate scale up to 20.8 kHz; what is above joins the last


def checked_pair(estimate: Any, truth: Any) -> tuple[Floats, Floats]:
    """Both as float64 (2, n). Raises `InputError`."""
    pair = []
    for name, sound in (("estimate", estimate), ("truth", truth)):
        sound = np.asarray(sound, np.float64)
        if sound.ndim != 2 or len(sound) != 2 or sound.shape[1] == 0:
            raise InputError(f"`{name}` has shape {sound.shape} but must be (2, n) with n > 0")
        if not np.isfinite(sound).all():
            raise InputError(f"`{name}` holds NaN or infinite samples but must be finite")
        pair.append(sound)
    if pair[0].shape != pair[1].shape:
        raise InputError(
            f"`estimate` has {pair[0].shape[1]} samples but must have the {pair[1].shape[1]} of `truth`"
        )
    return pair[0], pair[1]


def stft(sound: NDArray[np.floating], fft_size: int, window: int, hop: int) -> Spectra:
    """Spectra (..., T, F) of `sound` (..., n): Hann windows of `window` samples every `hop`, zero-padded to
    `fft_size`, not scaled. Only whole windows count; a sound shorter than one is filled up with zeros."""
    n = sound.shape[-1]
    if n < window:
        sound = np.concatenate([sound, np.zeros((*sound.shape[:-1], window - n), sound.dtype)], axis=-1)
    frames = np.lib.stride_tricks.sliding_window_view(sound, window, axis=-1)[..., ::hop, :]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    return np.fft.rfft(frames * hann, fft_size, axis=-1)


def at_16_khz(sound: Floats, rate: int) -> Floats:
    """(..., n) at 16 kHz."""
    from math import gcd

    from scipy.signal import resample_poly

    common = gcd(16000, rate)
    return (
        sound if rate == 16000 else np.asarray(resample_poly(sound, 16000 // common, rate // common, axis=-1))
    )


def erb_rate(frequency: NDArray[np.floating]) -> Floats:
    """ERB-rate scale, Glasberg & Moore 1990: number of auditory filters below `frequency` Hz."""
    return 21.4 * np.log10(1 + 0.00437 * np.asarray(frequency, np.float64))


def erb_matrix(frequency: NDArray[np.floating]) -> Floats:
    """(F, 42): 1 where a bin belongs to an ERB-wide band."""
    band = np.clip(erb_rate(frequency).astype(int), 0, ERB_BANDS - 1)
    return np.eye(ERB_BANDS)[band]
