"""What an object looks like, in a few numbers, with no weights: colours, and coarsely where its edges run.

After colour histograms for tracking (Comaniciu et al., 2003) and oriented gradients (Dalal and Triggs, 2005):
enough to tell two things in one shot apart, not to tell what they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.types import Floats

PATCH = 24  # px, the size at which a thing is looked at
INNER = 0.85  # of the box in width and height: its corners show the ground
LEAST_PX = 6  # of a box's sides in the frame: smaller ones show nothing to go by
BINS = (6, 8, 8)  # lightness, a, b
COLOURS = 6 * 8 * 8
CHROMA = (88, 168)  # 8-bit a and b beyond this are rare
CELLS, ORIENTATIONS = 3, 8
UNKNOWN = 0.5  # likeness where one has no looks
COLOUR_SHARE = 0.4  # of the likeness; the rest is of the edges

Appearance = NDArray[np.float32]


def describe(frame_rgb: NDArray[np.uint8], xyxy: Floats) -> Appearance | None:
    """(D,) of what is in a normalised box of an RGB frame: two unit vectors, of colours and of edges; None
    where too little of it is in the frame."""
    import cv2

    h, w = frame_rgb.shape[:2]
    centre, half = (xyxy[:2] + xyxy[2:]) / 2, (xyxy[2:] - xyxy[:2]) / 2 * INNER
    x0, y0 = np.clip((centre - half) * [w, h], 0, [w, h]).round().astype(int)
    x1, y1 = np.clip((centre + half) * [w, h], 0, [w, h]).round().astype(int)
    if x1 - x0 < LEAST_PX or y1 - y0 < LEAST_PX:
        return None
    patch = cv2.resize(frame_rgb[y0:y1, x0:x1], (PATCH, PATCH), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(patch, cv2.COLOR_RGB2LAB)
    chroma = np.clip(lab[..., 1:], CHROMA[0], CHROMA[1] - 1)
    lab[..., 1:] = chroma
    counts = cv2.calcHist([lab], [0, 1, 2], None, list(BINS), [0, 256, *CHROMA, *CHROMA])
    return np.concatenate([_unit(np.sqrt(_soft(counts)).ravel()), _unit(np.sqrt(_edges(lab[..., 0], cv2)))])


def likeness(a: Appearance | None, b: Appearance | None) -> float:
    """How alike two things look, in [0, 1]; 0.5 where that of one is not known."""
    return float(likenesses([a], [b])[0, 0])


def likenesses(a: Sequence[Appearance | None], b: Sequence[Appearance | None]) -> Floats:
    """(A, B): how alike each of `a` and each of `b` look, in [0, 1]; 0.5 where that of one is not known."""
    first, second = _stack(a), _stack(b)
    colours, edges = first[:, :COLOURS] @ second[:, :COLOURS].T, first[:, COLOURS:] @ second[:, COLOURS:].T
    alike = COLOUR_SHARE * colours + (1 - COLOUR_SHARE) * edges
    known = np.outer([x is not None for x in a], [x is not None for x in b])
    return np.where(known, alike, UNKNOWN).astype(np.float64)


def _stack(looks: Sequence[Appearance | None]) -> NDArray[np.float32]:
    nothing = np.zeros(COLOURS + CELLS * CELLS * ORIENTATIONS, np.float32)
    return np.array([nothing if look is None else look for look in looks], np.float32).reshape(
        -1, len(nothing)
    )


def mixed(old: Appearance | None, new: Appearance | None, share: float) -> Appearance | None:
    """A running mean: `share` of the new look."""
    if old is None or new is None:
        return new if old is None else old
    both = (1 - share) * old + share * new
    return np.concatenate([_unit(both[:COLOURS]), _unit(both[COLOURS:])])


def _soft(counts: NDArray[Any]) -> NDArray[Any]:
    """Counts spread to the neighbouring bins, so that a change of light does not change every bin."""
    for axis in range(3):
        low = np.concatenate([counts.take([0], axis), counts.take(range(counts.shape[axis] - 1), axis)], axis)
        high = np.concatenate(
            [counts.take(range(1, counts.shape[axis]), axis), counts.take([-1], axis)], axis
        )
        counts = 0.5 * counts + 0.25 * (low + high)
    return counts


def _edges(grey: NDArray[Any], cv2: Any) -> NDArray[np.float32]:
    """(CELLS * CELLS * ORIENTATIONS,): strength of the edges by place and direction."""
    soft = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.0)
    dx, dy = (np.asarray(cv2.Sobel(soft, cv2.CV_32F, *d, ksize=3)).ravel() for d in ((1, 0), (0, 1)))
    turn = (np.arctan2(dy, dx) % np.pi) / np.pi * ORIENTATIONS
    rows, columns = np.divmod(np.arange(PATCH * PATCH), PATCH)
    cell = (rows * CELLS // PATCH) * CELLS + columns * CELLS // PATCH
    low = np.floor(turn)
    part, strength = turn - low, np.hypot(dx, dy)
    low = low.astype(int) % ORIENTATIONS
    n = CELLS * CELLS * ORIENTATIONS
    found = np.bincount(cell * ORIENTATIONS + low, strength * (1 - part), n)
    found += np.bincount(cell * ORIENTATIONS + (low + 1) % ORIENTATIONS, strength * part, n)
    return found.astype(np.float32)


def _unit(vector: NDArray[Any]) -> NDArray[np.float32]:
    norm = float(np.sqrt((vector * vector).sum()))
    return (vector / norm if norm > 1e-9 else vector).astype(np.float32)
