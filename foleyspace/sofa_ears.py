"""Which ear is which: what the sound says of an HRIR set, against what its metadata says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foleyspace.sofa_file import Contents

Floats = NDArray[np.float64]

WINDOW_S = 0.02  # of a response, from its onset: the head is over long before


def ears_swapped(
    contents: Contents, ir: Floats, delay: Floats, xyz: Floats, rate: int, notes: list[str]
) -> bool:
    """Whether receiver 0 is the right ear: heard from lateral sources, else as the metadata says."""
    said = swapped_by_metadata(contents)
    heard = swapped_by_sound(ir, delay, xyz, rate)
    if heard is None:
        if said:
            notes.append("its first receiver is the right ear by the metadata; the ears were put in order")
        return bool(said)
    if said is not None and said != heard:
        side = "right" if said else "left"
        notes.append(f"its metadata call the first receiver the {side} ear, its sound says otherwise")
    if heard:
        notes.append("its first receiver is the right ear; the ears were put in order")
    return heard


def swapped_by_metadata(contents: Contents) -> bool | None:
    """Whether the file says that receiver 0 is to the right of receiver 1. None: it does not say."""
    receivers = contents.get("ReceiverPosition", np.zeros(0)).ravel(order="C")
    shape = contents["ReceiverPosition"].shape if len(receivers) else ()
    if shape[:2] != (2, 3) or not np.isfinite(receivers).all():
        return None
    first, second = contents["ReceiverPosition"].reshape(2, 3, -1)[:, :, 0]
    if contents["ReceiverPosition:Type"] == "spherical":
        units = contents["ReceiverPosition:Units"]
        to_rad = 1.0 if units.startswith("rad") else np.pi / 180
        y = [float(r[2] * np.sin(r[0] * to_rad) * np.cos(r[1] * to_rad)) for r in (first, second)]
    else:
        y = [float(first[1]), float(second[1])]
    return None if y[0] == y[1] else y[0] < y[1]


def swapped_by_sound(ir: Floats, delay: Floats, xyz: Floats, rate: int) -> bool | None:
    """For sources on the left the left ear must be the earlier and the louder one. None: cannot be told."""
    sine = xyz[:, 1] / np.linalg.norm(xyz, axis=1)
    lateral = np.flatnonzero(np.abs(sine) > 0.5)
    if not len(lateral):
        return None
    lateral = lateral[:: max(1, len(lateral) // 64)]
    side = np.sign(sine[lateral])
    itd_us = np.median(side * interaural_delay_us(ir[lateral], delay[lateral], rate))
    energy = (ir[lateral] ** 2).sum(axis=2)
    ild_db = np.median(side * 10 * np.log10(energy[:, 0] / energy[:, 1]))
    vote = np.clip(itd_us / 100, -2, 2) + np.clip(ild_db / 3, -1, 1)
    return None if abs(vote) < 0.5 else bool(vote < 0)


def interaural_delay_us(ir: Floats, delay: Floats, rate: int) -> Floats:
    """How much earlier the left ear hears than the right, (M,) microseconds.

    The peak of the interaural cross-correlation below 1.5 kHz, where a head gives one clear maximum,
    eight times oversampled, plus the difference of the separate delays.
    """
    loud = np.abs(ir).max(axis=(0, 1))
    onset = max(0, int(np.argmax(loud > 0.01 * loud.max())) - 16)
    ir = ir[:, :, onset : onset + round(WINDOW_S * rate)]
    size = 1 << int(np.ceil(np.log2(2 * ir.shape[2])))
    spectra = np.fft.rfft(ir, size)
    spectra = spectra * (np.fft.rfftfreq(size, 1 / rate) < 1500)
    product = spectra[:, 1] * np.conj(spectra[:, 0])
    up = 8
    lags = np.fft.irfft(product, size * up)
    reach = min(size // 2, round(2e-3 * rate)) * up  # no head delays by 2 ms
    window = np.concatenate([lags[:, -reach:], lags[:, : reach + 1]], axis=1)
    peak = np.argmax(window, axis=1) - reach
    return (peak / up + delay[:, 1] - delay[:, 0]) / rate * 1e6
