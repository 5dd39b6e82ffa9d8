"""Which detection of a look is which track: overlap, looks, name and place, assigned all at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from foleyspace.appearance import UNKNOWN, Appearance, likenesses
from foleyspace.boxes import area, iou, stack
from foleyspace.detections import Detections
from foleyspace.types import Floats

SAME_IOU, WEAK_IOU, BACK_IOU = 0.15, 0.4, 0.3  # least overlap of a match: sure, weak, after a loss
SURE_IOU = 0.45  # so much overlap is enough, whatever it looks like
UNLIKE, SAME_LOOKS, LOST_LOOKS = 0.65, 0.75, 0.8  # likenesses
LOOKS_WEIGHT, LABEL_WEIGHT = 0.4, 0.15  # in the affinity, beside overlap


class Sought(Protocol):
    """A track: its box where it should be now, its looks, its name, and when it was `last` seen."""

    xyxy: Floats
    look: Appearance | None
    last: float

    @property
    def label(self) -> str: ...


@dataclass(frozen=True)
class Pairs:
    """What is known of every pair of T tracks and K detections: overlap `shared`, `alike` in looks, `same`
    label (all (T, K)), `away` (T, 1) s since the track was seen, and the boxes (T, 4) and (K, 4)."""

    shared: Floats
    alike: Floats
    same: NDArray[np.bool_]
    away: Floats
    tracks: Floats
    found: Floats

    def near(self, sizes: float, slack: Floats | float, most_ratio: float) -> NDArray[np.bool_]:
        """Whether the centres lie within `sizes` of the mean size plus `slack`, and the areas are similar."""
        a, b = self.tracks[:, None], self.found[None]
        size = ((a[..., 2:] - a[..., :2]) + (b[..., 2:] - b[..., :2])) / 2
        apart = np.abs((a[..., :2] + a[..., 2:]) - (b[..., :2] + b[..., 2:])) / 2
        ratio = area(self.tracks)[:, None] / np.maximum(area(self.found)[None], 1e-9)
        close = (apart < sizes * size + np.broadcast_to(slack, ratio.shape)[..., None]).all(axis=-1)
        return close & (ratio > 1 / most_ratio) & (ratio < most_ratio)


Rule = Callable[[Pairs], NDArray[np.bool_]]


def fits(pairs: Pairs) -> NDArray[np.bool_]:
    """A sure detection where the track is, or near to it if it looks the same."""
    looks_so = (pairs.alike > UNLIKE) | (pairs.alike == UNKNOWN)
    there = (pairs.shared > SURE_IOU) | ((pairs.shared > SAME_IOU) & looks_so)
    return there | ((pairs.alike > SAME_LOOKS) & pairs.near(0.6, 0.01, 2.5))


def fits_weakly(pairs: Pairs) -> NDArray[np.bool_]:
    """A weak detection of the same kind on the track."""
    return (pairs.shared > WEAK_IOU) & pairs.same


def comes_back(pairs: Pairs) -> NDArray[np.bool_]:
    """A sure detection that looks like one that was lost, not too far from where it should be by now."""
    there = (pairs.shared > BACK_IOU) & (pairs.alike > SAME_LOOKS - 0.1)
    near = (pairs.alike > LOST_LOOKS) & pairs.near(0.5, 0.04 + 0.08 * pairs.away, 3.0)
    return pairs.same & (there | near)


def matched(
    tracks: Sequence[Sought],
    found: Detections,
    looks: Sequence[Appearance | None],
    chosen: NDArray[np.int64],
    rule: Rule,
    time: float,
) -> list[tuple[int, int]]:
    """Index pairs of tracks and `chosen` detections with the best total affinity that `rule` allows."""
    if not tracks or not len(chosen):
        return []
    from scipy.optimize import linear_sum_assignment

    boxes, seen = stack([t.xyxy for t in tracks]), found.xyxy[chosen]
    alike = likenesses([t.look for t in tracks], [looks[k] for k in chosen])
    same = np.array([[t.label == found.labels[k] for k in chosen] for t in tracks])
    away = np.array([time - t.last for t in tracks])[:, None]
    pairs = Pairs(iou(boxes, seen), alike, same, away, boxes, seen)
    allowed = rule(pairs)
    affinity = np.where(allowed, pairs.shared + LOOKS_WEIGHT * (alike - 0.5) + LABEL_WEIGHT * same, -1.0)
    rows, columns = linear_sum_assignment(-affinity)
    return [(int(i), int(chosen[j])) for i, j in zip(rows, columns, strict=True) if allowed[i, j]]
