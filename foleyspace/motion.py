"""The embedded localiser: what moves by itself, followed over time, with no weights at all.

Regions of gathered foreground evidence become boxes; boxes are matched with the tracks that the flow has
carried into this frame; a track whose object stops goes on, carried by the flow, and fades.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.boxes import Boxes, area, edge_contact, overlap, stack
from foleyspace.camera_motion import MotionField, motion_field
from foleyspace.detections import Detections
from foleyspace.regions import Region, find_regions, saliency

__all__ = ["MotionDetector", "MotionField", "motion_field"]

LABEL = "moving object"
FOLLOW = 0.5  # how far a track's box goes towards the region seen now
SETTLE = 0.3  # the same for its quality
CONFIRM_S = 0.25  # seen for less, a track is not shown
COAST_S = 6.0  # a track unseen for longer is given up
GROW_S, FADE_S = 2.0, 3.0  # time constants of the score, seen and unseen
STANDS = 0.005  # frame widths per second; a region slower than that only remembers its motion
FULL_QUALITY = 0.25  # region quality that counts as certain
IN_FRAME = 0.3  # an unseen track with less than this share of its box in the frame has left
EDGE, EDGE_COAST_S = 0.05, 1.0  # this near an edge it is given up sooner
SHOWN = 0.01  # tracks of a lower score are kept but not shown


@dataclass(frozen=True)
class _Track:
    id: int
    xyxy: Boxes  # (4,)
    quality: float
    seen_s: float
    unseen_s: float = 0.0

    @property
    def score(self) -> float:
        """How it stands out (motion, size, compactness) x persistence x freshness, in [0, 1]."""
        persistence = (1 - np.exp(-self.seen_s / GROW_S)) * np.exp(-self.unseen_s / FADE_S)
        inner = 1 - edge_contact(self.xyxy[None])[0]
        return float(min(1.0, self.quality / FULL_QUALITY) * persistence * inner)


class MotionDetector:
    """Finds and follows independently moving regions; the same protocol as the learned detectors.

    >>> MotionDetector().kind
    'motion'
    """

    name = "motion"
    kind = "motion"
    takes_words = False
    rate_hz: float | None = 12.0

    def __init__(self, every: int = 1) -> None:
        """`every`: regions are looked for at every so many fields, between them tracks are only carried."""
        self._every = every
        self._tracks: list[_Track] = []
        self._next_id = 1
        self._fields, self._dt = 0, 0.0  # since regions were looked for

    def reset(self) -> None:
        """A new shot: all tracks are dropped, their ids are not used again."""
        self._tracks, self._fields, self._dt = [], 0, 0.0

    def __call__(self, frame_rgb: NDArray[Any] | None, motion: MotionField) -> Detections:
        """Boxes of this frame. `motion` is the field from the previous frame to this one, made with the
        field before it; `frame_rgb` uint8 (H, W, 3) of any size helps with its colours, None does without."""
        if not motion.valid:
            return self._shown()
        tracks = [_carried(track, motion) for track in self._tracks]
        self._fields, self._dt = self._fields + 1, self._dt + motion.dt
        if self._fields < self._every:
            self._tracks = tracks
            return self._shown()
        dt, self._fields, self._dt = self._dt, 0, 0.0
        salient = None if frame_rgb is None else saliency(frame_rgb, motion.residual.shape)
        known = stack([t.xyxy for t in tracks if t.seen_s >= CONFIRM_S])
        regions = find_regions(motion, salient, known)
        pairs = _match(stack([t.xyxy for t in tracks]), regions)
        kept = []
        for i, track in enumerate(tracks):
            # evidence of a thing that stands fades unevenly: its box is better left where it was
            if i in pairs and regions[pairs[i]].speed > STANDS:
                kept.append(_updated(track, regions[pairs[i]], dt))
            elif track.unseen_s + dt < min(_patience(track), 2 * track.seen_s):
                kept.append(replace(track, unseen_s=track.unseen_s + dt))
        for j, region in enumerate(regions):
            if j not in pairs.values() and region.speed > STANDS:
                kept.append(_Track(self._next_id, region.xyxy, region.quality, dt))
                self._next_id += 1
        self._tracks = _without_shadows(kept)
        return self._shown()

    def _shown(self) -> Detections:
        shown = [t for t in self._tracks if t.seen_s >= CONFIRM_S and t.score >= SHOWN]
        return Detections(
            np.array([t.id for t in shown], np.int64),
            stack([t.xyxy for t in shown]),
            np.array([t.score for t in shown]),
            (LABEL,) * len(shown),
        )


def _carried(track: _Track, motion: MotionField) -> _Track:
    """The track's box moved as the flow of the moving things inside it did since the last frame."""
    h, w = motion.residual.shape
    x0, y0, x1, y1 = np.clip(track.xyxy, 0, 1) * [w, h, w, h]
    c0, r0 = min(int(x0), w - 1), min(int(y0), h - 1)
    window = slice(r0, max(int(np.ceil(y1)), r0 + 1)), slice(c0, max(int(np.ceil(x1)), c0 + 1))
    weight = motion.foreground[window].ravel()
    shift = np.median(motion.screen[window].reshape(-1, 2)[weight >= 0.5 * weight.max()], axis=0)
    return replace(track, xyxy=track.xyxy + np.tile(shift, 2))


def _updated(track: _Track, region: Region, dt: float) -> _Track:
    return replace(
        track,
        xyxy=track.xyxy + FOLLOW * (region.xyxy - track.xyxy),
        quality=track.quality + SETTLE * (region.quality - track.quality),
        seen_s=track.seen_s + dt,
        unseen_s=0.0,
    )


def _match(tracks: Boxes, regions: Sequence[Region]) -> dict[int, int]:
    """Track index -> region index with the best total affinity: overlap as a share of the union, and of
    the smaller box, as parts of an object match it too. What moves now comes before what only remembers
    that something has moved there."""
    if not len(tracks) or not len(regions):
        return {}
    from scipy.optimize import linear_sum_assignment

    boxes, speed = stack([r.xyxy for r in regions]), np.array([r.speed for r in regions])
    shared = overlap(tracks, boxes)
    a, b = area(tracks)[:, None], area(boxes)[None]
    affinity = 0.7 * shared / (a + b - shared + 1e-9) + 0.3 * shared / (np.minimum(a, b) + 1e-9)
    rows, columns = linear_sum_assignment(-affinity * speed / (speed + STANDS))
    return {int(i): int(j) for i, j in zip(rows, columns, strict=True) if affinity[i, j] > 0.05}


def _patience(track: _Track) -> float:
    """Seconds for which an unseen thing is waited for: not at all once most of its box is off the frame,
    and not long at the edge, where it has rather left than stopped."""
    box = track.xyxy[None]
    if overlap(box, np.array([[0.0, 0.0, 1.0, 1.0]]))[0, 0] < IN_FRAME * area(box)[0]:
        return 0.0
    return EDGE_COAST_S if (box[0, :2] < EDGE).any() or (box[0, 2:] > 1 - EDGE).any() else COAST_S


def _without_shadows(tracks: list[_Track]) -> list[_Track]:
    """Tracks without those that an older one covers: half of it when unseen, nearly all when seen."""
    order = sorted(tracks, key=lambda t: (t.unseen_s > 0, -t.seen_s))
    boxes = stack([t.xyxy for t in order])
    covered = overlap(boxes, boxes) / (area(boxes)[:, None] + 1e-9)
    kept: list[int] = []
    for i, track in enumerate(order):
        if not kept or covered[i, kept].max() < (0.5 if track.unseen_s > 0 else 0.85):
            kept.append(i)
    return [order[i] for i in kept]
