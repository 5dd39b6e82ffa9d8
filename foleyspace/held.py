"""What a person holds or plays, although the detector has no word for it.

A detector that was never taught trumpets still fires on one, weakly and under changing wrong names ("air
plane", "tennis racket"), again and again at the same place beside the same person. Such glimpses, too
unsure to follow one by one, are gathered in the person's own coordinates: there what is held stands
still, and what merely lies around drifts. The point lies between its middle and where it moves against
the body: where it is bowed, plucked or struck. A glimpse counts by its confidence and size, by how often one
is there in the second around, by how much its place moves against the person's body, and by whether its
name is seen near the person only (rows of chairs in a hall are seen everywhere).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace.boxes import area, intersection, iou
from foleyspace.sounding_priors import ANIMATE, sound_kind
from foleyspace.types import Floats

HOLDERS = frozenset({"person", "man", "woman", "child"})
WITHIN = 0.3  # of a glimpse's box must lie in the person's
SIZE_RANGE = (0.01, 1.0)  # of the person's area
EXCITED = 0.5  # the point lies half way from the middle of what is held to where it is moved, bowed or struck
AROUND_S = 1.0  # glimpses this long before and after support each other


@dataclass(frozen=True)
class Glimpses:
    """All boxes of one step, however unsure: `xyxy` (K, 4) normalised, `score` (K,), `labels` K words."""

    xyxy: Floats
    score: Floats
    labels: tuple[str, ...]

    def inanimate(self) -> Glimpses:
        """Those of things."""
        keep = [k for k, label in enumerate(self.labels) if sound_kind(label) not in ANIMATE]
        return Glimpses(self.xyxy[keep], self.score[keep], tuple(self.labels[k] for k in keep))


def held_points(
    times: Floats, xyxy: Floats, inner: NDArray[np.float16], steps: Sequence[tuple[float, Glimpses]]
) -> Floats:
    """Where a person holds something, moment by moment: (N, 3) x and y as offsets from the centre of the
    person's box in its widths and heights, and a weight, 0 where nothing was glimpsed.

    `times` (N,) s and `xyxy` (N, 4) of the person, `inner` (N, C, C): motion relative to the body's own on
    a grid over twice the box (see `ObservedTrack`); `steps`: glimpses of things, by time.
    """
    rows = np.zeros((len(times), 3))
    at = {round(time, 4): n for n, time in enumerate(times)}
    shared = [(at[key], glimpses) for time, glimpses in steps if (key := round(time, 4)) in at]
    exclusive = _exclusive(xyxy, shared)
    for k, (n, glimpses) in enumerate(shared):
        near = _near(glimpses.xyxy, xyxy[n])
        if not near.any():
            continue
        boxes = _in_body(glimpses.xyxy[near], xyxy[n])
        steady = _steadiness(boxes, times[n], k, shared, times, xyxy)
        alone = np.array([exclusive[glimpses.labels[j]] for j in np.flatnonzero(near)])
        weight = glimpses.score[near] * area(boxes) * alone**2 * steady * _liveliness(boxes, inner[n])
        if weight.sum() > 0:
            centre = (boxes[:, :2] + boxes[:, 2:]) / 2
            centre = centre + EXCITED * (_liveliest(boxes, inner[n]) - centre)
            rows[n] = *(centre * weight[:, None]).sum(axis=0) / weight.sum(), weight.sum()
    return rows


def _near(boxes: Floats, person: Floats) -> NDArray[np.bool_]:
    """Which boxes are at a person: partly inside its box and no larger."""
    own = np.maximum(area(boxes), 1e-9)
    size = own / max(float(area(person)), 1e-9)
    within = intersection(boxes, person[None]) / own
    return (within >= WITHIN) & (size > SIZE_RANGE[0]) & (size < SIZE_RANGE[1])


def _exclusive(xyxy: Floats, shared: Sequence[tuple[int, Glimpses]]) -> dict[str, float]:
    """Of everything seen under a name, the share that was at the person, by confidence."""
    seen: dict[str, list[float]] = {}
    for n, glimpses in shared:
        for label, score, near in zip(
            glimpses.labels, glimpses.score, _near(glimpses.xyxy, xyxy[n]), strict=True
        ):
            both = seen.setdefault(label, [0.0, 0.0])
            both[0] += float(score) * bool(near)
            both[1] += float(score)
    return {label: at_person / max(total, 1e-9) for label, (at_person, total) in seen.items()}


def _in_body(boxes: Floats, person: Floats) -> Floats:
    """Boxes (K, 4) in widths and heights of the person's box from its centre."""
    size = np.maximum(person[2:] - person[:2], 1e-6)
    return (boxes - np.tile((person[:2] + person[2:]) / 2, 2)) / np.tile(size, 2)


def _steadiness(
    boxes: Floats,
    time: float,
    k: int,
    shared: Sequence[tuple[int, Glimpses]],
    times: Floats,
    xyxy: Floats,
) -> Floats:
    """For each box in the body's coordinates (K, 4), the mean over the steps around of its best overlap
    with any glimpse there, in the same coordinates."""
    total, count = np.zeros(len(boxes)), 0
    for direction in (-1, 1):
        other = k + direction
        while 0 <= other < len(shared) and abs(times[shared[other][0]] - time) <= AROUND_S:
            n, glimpses = shared[other]
            if len(glimpses.score):
                there = _in_body(glimpses.xyxy, xyxy[n])
                total += iou(boxes, there).max(axis=1)
            count += 1
            other += direction
    return total / max(count, 1)


def _liveliest(boxes: Floats, inner: NDArray[np.float16]) -> Floats:
    """Centroid (K, 2) of the motion against the body inside each box (K, 4)."""
    cells = inner.astype(np.float64) + 1e-4
    n = len(cells)
    place = (np.arange(n) + 0.5) / n * 2 - 1
    out = np.empty((len(boxes), 2))
    for j, (x0, y0, x1, y1) in enumerate(boxes):
        # how much of each cell lies in the box
        wide = np.clip(np.minimum(place + 1 / n, x1) - np.maximum(place - 1 / n, x0), 1e-9, None)
        tall = np.clip(np.minimum(place + 1 / n, y1) - np.maximum(place - 1 / n, y0), 1e-9, None)
        weight = cells * tall[:, None] * wide[None]
        x = np.clip((np.maximum(place - 1 / n, x0) + np.minimum(place + 1 / n, x1)) / 2, x0, x1)
        y = np.clip((np.maximum(place - 1 / n, y0) + np.minimum(place + 1 / n, y1)) / 2, y0, y1)
        out[j] = (weight.sum(axis=0) @ x) / weight.sum(), (weight.sum(axis=1) @ y) / weight.sum()
    return out


def _liveliness(boxes: Floats, inner: NDArray[np.float16]) -> Floats:
    """Motion against the body inside each box (K, 4), as a ratio to its mean inside the person's box."""
    cells = inner.astype(np.float64)
    n = len(cells)
    place = (np.arange(n) + 0.5) / n * 2 - 1  # the grid covers twice the box: -1 to 1 box sizes
    body = cells[np.ix_(abs(place) < 0.5, abs(place) < 0.5)].mean()
    ratio = np.empty(len(boxes))
    for j, (x0, y0, x1, y1) in enumerate(np.clip(boxes, -0.9, 0.9)):
        columns = (place >= x0) & (place <= x1)
        rows = (place >= y0) & (place <= y1)
        columns[np.argmin(abs(place - (x0 + x1) / 2))] = True
        rows[np.argmin(abs(place - (y0 + y1) / 2))] = True
        ratio[j] = cells[np.ix_(rows, columns)].mean() / (body + 1e-4)
    return ratio
