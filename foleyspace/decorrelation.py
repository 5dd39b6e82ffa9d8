"""Wide and diffuse sources: copies of the sound, told apart by all-pass filters, spread over an arc."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from foleyspace.sphere import unit_vectors

Floats = NDArray[np.float64]

COPIES = 8
TAPS = 1536
LONGEST_S = 0.012  # group delays within +- this at low frequencies, a quarter of it at high ones
POINT_BELOW_DEG = 60.0  # from here on all energy is in the copies
TILT_DEG = 35.0  # copies leave the arc by up to this, up and down, when all around


def decorrelators(rate: int, copies: int = COPIES, seed: int = 7) -> NDArray[np.float32]:
    """All-pass FIR filters (copies, TAPS), mutually incoherent, centred on tap TAPS / 2.

    Random group delay in steps of about a critical band, smooth in between (after Boueri & Kyriakakis,
    Audio Signal Decorrelation Based on a Critical Band Approach, AES 117, 2004), so that the magnitude is
    1 and transients stay within about 10 ms.
    """
    rng = np.random.default_rng(seed)
    bins = TAPS // 2 + 1
    f = np.linspace(0, rate / 2, bins)
    erb_number = 21.4 * np.log10(1 + 0.00437 * f)  # Glasberg & Moore 1990
    knots = np.arange(0, erb_number[-1] + 1.0, 0.75)
    longest = LONGEST_S * rate / (1 + 3 * np.clip(f / 4000, 0, 1))
    out = np.empty((copies, TAPS))
    for k in range(copies):
        group_delay = np.interp(erb_number, knots, rng.uniform(-1, 1, len(knots))) * longest
        phase = -np.cumsum(group_delay) * (2 * np.pi / TAPS)
        phase -= np.linspace(0, 1, bins) * (phase[-1] - np.pi * np.round(phase[-1] / np.pi))
        out[k] = np.fft.fftshift(np.fft.irfft(np.exp(1j * phase), TAPS))
    return out.astype(np.float32)


def spread_weights(spread_deg: Floats, copies: int = COPIES) -> tuple[Floats, Floats]:
    """Gains (n,) of the point and of each copy at `spread_deg` (n,); their powers add up to one."""
    angle = np.clip(spread_deg / POINT_BELOW_DEG, 0, 1) * (np.pi / 2)
    return np.cos(angle), np.sin(angle) / np.sqrt(copies)


def copy_directions(xyz: Floats, spread_deg: Floats, copy: int, copies: int = COPIES) -> Floats:
    """Where the copy is, (n, 3), same distance: on a level arc `spread_deg` wide around the source at
    `xyz` (n, 3), which closes to a ring around the head at 180 degrees."""
    spread = np.clip(spread_deg, 0, 180)
    ease = np.clip((spread - 90) / 90, 0, 1)
    arc = np.radians(spread + 180 * ease**2 * (3 - 2 * ease))
    across = arc * ((copy + 0.5) / copies - 0.5)
    tilt = np.radians(TILT_DEG * spread / 180) * (1 if copy % 2 else -1)
    ahead = unit_vectors(xyz)
    flat = np.hypot(ahead[:, 0], ahead[:, 1])
    side = np.stack([-ahead[:, 1], ahead[:, 0], np.zeros(len(ahead))], axis=1)
    side = np.where(flat[:, None] > 1e-6, side / np.maximum(flat, 1e-6)[:, None], [0.0, 1.0, 0.0])
    up = np.cross(ahead, side)
    level = np.cos(across)[:, None] * ahead + np.sin(across)[:, None] * side
    turned = np.cos(tilt)[:, None] * level + np.sin(tilt)[:, None] * up
    return turned * np.linalg.norm(xyz, axis=1, keepdims=True)
