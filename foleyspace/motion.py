"""The embedded localiser: what moves by itself, followed over time, with no weights at all.

Regions of gathered foreground evidence (`camera_motion.MotionField.foreground`) become boxes; boxes are
matched with the tracks that the flow has carried into this frame; a track whose object stops goes on,
carried by the flow, and fades.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.camera_motion import Grid, MotionField, motion_field
from foleyspace.detections import Detections

__all__ = ["MotionDetector", "MotionField", "motion_field"]

LABEL = "moving object"
SEED_LEVEL = 0.25  # foreground evidence that starts a region
KEEP_SHARE = 0.45  # of a region's peak evidence, down to which the region reaches
SAL0 = 0.6
LW = 0.3
LEVELS = 6
SIZE=0.25
AGREE=1.0
MAX_REGIONS=8
WEAKEST=0.3
MIN_LEVEL = 0.12
MIN_AREA = 6e-4  # of the frame, smaller regions are noise
CLOSE_GAP = 0.025  # frame widths between parts of one object
MERGE_GAP = 0.05  # frame widths between neighbouring regions that move alike
GAIN = 0.5  # how far a track's box goes towards the region seen now
COAST_S = 6.0  # a track unseen for longer is given up
FADE_S = 1.5
CONFIRM_S = 0.25  # seen for less, a track is not shown
CONTACT = 2.0
FULL_QUALITY = 0.25
GROW_S = 2.0  # time constant of the confidence that comes with persistence


@dataclass(frozen=True)
class _Region:
    xyxy: NDArray[np.float64]
    velocity: NDArray[np.float64]  # frame widths per second
    strength: float  # mean evidence inside
    mass: float  # evidence times area, shares of the frame
    quality: float  # how well it stands out, as find_regions ranks it


@dataclass(frozen=True)
class _Track:
    id: int
    xyxy: NDArray[np.float64]
    strength: float
    seen_s: float
    unseen_s: float
    quality: float

    @property
    def score(self) -> float:
        """Size x motion x persistence, in [0, 1]."""
        persistence = 1 - np.exp(-self.seen_s / GROW_S)
        fresh = np.exp(-self.unseen_s / FADE_S)
        loose = max(0.0, 1 - _contact(self.xyxy))
        return float(min(1.0, self.quality / FULL_QUALITY) * persistence * fresh * loose)


class MotionDetector:
    """Finds and follows independently moving regions; the same protocol as the learned detectors.

    >>> detector = MotionDetector()
    >>> detector.kind
    'motion'
    """

    name = "motion"
    kind = "motion"

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._next_id = 1

    def reset(self) -> None:
        """A new shot: all tracks are dropped, their ids are not used again."""
        self._tracks = []

    def __call__(self, frame_rgb: NDArray[Any] | None, motion: MotionField) -> Detections:
        if not motion.valid:
            return self._shown()
        tracks = [_carried(track, motion) for track in self._tracks]
        salient = None if frame_rgb is None else saliency(frame_rgb, motion.residual.shape)
        regions = find_regions(motion, salient, [t.xyxy for t in tracks if t.seen_s >= CONFIRM_S])
        pairs = _match([t.xyxy for t in tracks], [r.xyxy for r in regions])
        kept = []
        for i, track in enumerate(tracks):
            if i in pairs:
                kept.append(_updated(track, regions[pairs[i]], motion.dt))
            elif track.unseen_s + motion.dt < min(COAST_S, 2 * track.seen_s) and _inside(track.xyxy) > 0.3:
                kept.append(replace(track, unseen_s=track.unseen_s + motion.dt))
        for j, region in enumerate(regions):
            if j not in pairs.values():
                kept.append(
                    _Track(self._next_id, region.xyxy, region.strength, motion.dt, 0.0, region.quality)
                )
                self._next_id += 1
        self._tracks = _without_shadows(kept)
        return self._shown()

    def _shown(self) -> Detections:
        shown = [t for t in self._tracks if t.seen_s >= CONFIRM_S]
        return Detections(
            np.array([t.id for t in shown], np.int64),
            np.array([t.xyxy for t in shown]).reshape(-1, 4),
            np.array([t.score for t in shown]),
            (LABEL,) * len(shown),
        )


def saliency(frame_rgb: NDArray[Any], cells: tuple[int, int]) -> Grid:
    """In [0, 1]: how much a cell's colour stands out from its wide surround (after Achanta et al. 2009)."""
    import cv2

    h, w = cells
    small = cv2.resize(frame_rgb, (w // 2, h // 2), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2Lab) * np.array([LW, 1, 1], np.float32)
    k = 2 * (max(h, w) // 8) + 1
    distance = np.sqrt(((cv2.GaussianBlur(lab, (0, 0), 1.0) - cv2.blur(lab, (k, k))) ** 2).sum(-1))
    return cv2.resize(np.clip(distance / (np.percentile(distance, 98) + 1.0), 0, 1), (w, h))


def find_regions(
    motion: MotionField, salient: Grid | None = None, expected: list[NDArray[np.float64]] | None = None
) -> list[_Region]:
    """Regions of foreground evidence that stand out from what is around them, best first.

    Every connected region at every level of a ladder is a candidate; kept are those of the highest
    quality that do not overlap a better one. `expected` boxes (4,) of things already followed make
    candidates that agree with them better.
    """
    import cv2

    evidence = motion.foreground
    if salient is not None:
        evidence = evidence * (SAL0 + (1 - SAL0) * salient)
    smooth = cv2.GaussianBlur(evidence, (0, 0), 1.2)
    # half of the picture shimmering is not half a picture of objects
    floor = max(MIN_LEVEL, 1.5 * float(np.median(smooth)))
    peak = float(smooth.max())
    if peak < max(SEED_LEVEL, 1.2 * floor):
        return []
    h, w = smooth.shape
    gap = max(3, 2 * round(CLOSE_GAP * w / 2) + 1)
    integral = cv2.integral(smooth)
    candidates = []
    for level in np.geomspace(floor, max(floor, 0.8 * peak), int(LEVELS)):
        binary = cv2.morphologyEx((smooth >= level).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((gap, gap), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(binary)
        for k in range(1, count):
            x, y, bw, bh, area = (int(v) for v in stats[k])
            if area < MIN_AREA * h * w:
                continue
            inside = labels[y : y + bh, x : x + bw] == k
            total = float(smooth[y : y + bh, x : x + bw][inside].sum())
            # a ring around the box, half as wide as the box, inside the frame
            mx, my = max(2, bw // 4), max(2, bh // 4)
            x0, y0, x1, y1 = max(0, x - mx), max(0, y - my), min(w, x + bw + mx), min(h, y + bh + my)
            around = float(integral[y1, x1] - integral[y0, x1] - integral[y1, x0] + integral[y0, x0]) - total
            contrast = total / area - around / max(1, (x1 - x0) * (y1 - y0) - area)
            xyxy = np.array([x / w, y / h, (x + bw) / w, (y + bh) / h])
            quality = contrast * (area / (bw * bh)) ** 0.5 * max(0.0, 1 - CONTACT * _contact(xyxy)) * (area / (h * w)) ** SIZE
            agreement = max((_iou(xyxy, e) for e in expected or ()), default=0.0)
            candidates.append((quality, quality * (1 + AGREE * agreement), k, (x, y, bw, bh), labels))
    taken = np.zeros((h, w), bool)
    candidates_best = max((c[0] for c in candidates), default=0.0)
    regions = []
    for quality, _, k, (x, y, bw, bh), labels in sorted(candidates, key=lambda c: -c[1]):
        window = slice(y, y + bh), slice(x, x + bw)
        inside = labels[window] == k
        if quality <= WEAKEST * candidates_best or taken[window][inside].any():
            continue
        taken[window] |= inside
        weight = np.zeros_like(smooth)
        weight[window] = np.where(inside, smooth[window], 0)
        regions.append(_region(weight, motion.flow, quality))
        if len(regions) == MAX_REGIONS:
            break
    return sorted(_merged(regions), key=lambda r: -r.mass)


def _region(weight: Grid, flow: Grid, quality: float) -> _Region:
    h, w = weight.shape
    total = float(weight.sum())
    x0, x1 = _span(weight.sum(0))
    y0, y1 = _span(weight.sum(1))
    velocity = (flow * weight[..., None]).sum((0, 1)) / total
    return _Region(
        np.array([x0 / w, y0 / h, x1 / w, y1 / h]),
        velocity.astype(np.float64),
        total / float((weight > 0).sum()),
        total / (h * w),
        quality,
    )


def _span(profile: NDArray[Any], tail: float = 0.03) -> tuple[float, float]:
    """Where the middle 94 % of a profile lies, in cells: outliers do not stretch a box."""
    cumulative = np.concatenate([[0.0], np.cumsum(profile)]) / profile.sum()
    edges = np.arange(len(cumulative))
    low, high = np.interp([tail, 1 - tail], cumulative, edges)
    return float(low), float(high)


def _merged(regions: list[_Region]) -> list[_Region]:
    """Neighbouring regions that move alike made one."""
    regions = list(regions)
    merged = True
    while merged:
        merged = False
        for i in range(len(regions)):
            for j in range(i + 1, len(regions)):
                a, b = regions[i], regions[j]
                if _gap(a.xyxy, b.xyxy) < MERGE_GAP and _alike(a.velocity, b.velocity):
                    mass = a.mass + b.mass
                    regions[i] = _Region(
                        np.concatenate(
                            [np.minimum(a.xyxy[:2], b.xyxy[:2]), np.maximum(a.xyxy[2:], b.xyxy[2:])]
                        ),
                        (a.velocity * a.mass + b.velocity * b.mass) / mass,
                        (a.strength * a.mass + b.strength * b.mass) / mass,
                        mass,
                        max(a.quality, b.quality),
                    )
                    del regions[j]
                    merged = True
                    break
            if merged:
                break
    return regions


def _gap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Distance between two boxes, 0 where they touch."""
    return float(np.hypot(*np.maximum(0, np.maximum(a[:2], b[:2]) - np.minimum(a[2:], b[2:]))))


def _alike(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    return float(np.hypot(*(a - b))) <= 0.5 * max(float(np.hypot(*a)), float(np.hypot(*b)), 0.02)


def _carried(track: _Track, motion: MotionField) -> _Track:
    """The track's box moved and scaled as the flow inside it did since the last frame."""
    h, w = motion.residual.shape
    x0, y0, x1, y1 = track.xyxy
    c0, c1 = int(np.clip(x0 * w, 0, w - 1)), int(np.clip(np.ceil(x1 * w), 1, w))
    r0, r1 = int(np.clip(y0 * h, 0, h - 1)), int(np.clip(np.ceil(y1 * h), 1, h))
    c1, r1 = max(c1, c0 + 1), max(r1, r0 + 1)
    flow = motion.screen[r0:r1, c0:c1].reshape(-1, 2)
    weight = motion.foreground[r0:r1, c0:c1].ravel()
    strong = weight >= 0.5 * weight.max()
    shift = np.median(flow[strong], axis=0)
    return replace(track, xyxy=track.xyxy + np.tile(shift, 2))


def _updated(track: _Track, region: _Region, dt: float) -> _Track:
    return replace(
        track,
        xyxy=track.xyxy + GAIN * (region.xyxy - track.xyxy),
        strength=track.strength + 0.3 * (region.strength - track.strength),
        quality=track.quality + 0.3 * (region.quality - track.quality),
        seen_s=track.seen_s + dt,
        unseen_s=0.0,
    )


def _match(tracks: list[NDArray[np.float64]], regions: list[NDArray[np.float64]]) -> dict[int, int]:
    """Track index -> region index, the best total overlap; touching is asked for."""
    if not tracks or not regions:
        return {}
    from scipy.optimize import linear_sum_assignment

    affinity = np.array([[_affinity(t, r) for r in regions] for t in tracks])
    rows, columns = linear_sum_assignment(-affinity)
    return {int(i): int(j) for i, j in zip(rows, columns, strict=True) if affinity[i, j] > 0.05}


def _affinity(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Overlap as a share of the union and of the smaller box: parts of an object match it too."""
    overlap = _overlap(a, b)
    areas = _area(a), _area(b)
    return 0.7 * overlap / (areas[0] + areas[1] - overlap + 1e-9) + 0.3 * overlap / (min(areas) + 1e-9)


def _iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    overlap = _overlap(a, b)
    return overlap / (_area(a) + _area(b) - overlap + 1e-9)


def _area(a: NDArray[np.float64]) -> float:
    return float(np.prod(np.maximum(a[2:] - a[:2], 0)))


def _overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.prod(np.maximum(0, np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]))))


def _contact(xyxy: NDArray[np.float64], near: float = 0.015) -> float:
    """Share of the box's outline that lies on the edge of the frame: near ground and walls, more than objects."""
    x0, y0, x1, y1 = np.clip(xyxy, 0, 1)
    on_edge = (x1 - x0) * (int(y0 < near) + int(y1 > 1 - near)) + (y1 - y0) * (int(x0 < near) + int(x1 > 1 - near))
    return float(on_edge / (2 * (x1 - x0 + y1 - y0) + 1e-9))


def _inside(xyxy: NDArray[np.float64]) -> float:
    """Share of the box that lies in the frame."""
    return _overlap(xyxy, np.array([0, 0, 1.0, 1.0])) / (_area(xyxy) + 1e-9)


def _without_shadows(tracks: list[_Track]) -> list[_Track]:
    """Tracks without those that a longer-lived one covers while they are not seen themselves, or wholly."""
    kept: list[_Track] = []
    for track in sorted(tracks, key=lambda t: (t.unseen_s > 0, -t.seen_s)):
        covered = max((_overlap(track.xyxy, k.xyxy) / (_area(track.xyxy) + 1e-9) for k in kept), default=0.0)
        if covered < (0.5 if track.unseen_s > 0 else 0.85):
            kept.append(track)
    return kept
