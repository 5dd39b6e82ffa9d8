"""Fragments of one object joined: detectors lose and rename what a person sees as one thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from foleyspace.observed import ObservedTrack
from foleyspace.types import Clip, Floats

MAX_GAP_S = 2.0
SAME_PLACE_IOU = 0.3
ANY_LABEL_IOU = 0.6  # two boxes this alike are one object whatever they are called


def stitch(tracks: Sequence[ObservedTrack], clip: Clip) -> list[ObservedTrack]:
    """Join fragments inside each shot: overlapping in time and place, or one going on where another
    of the same label ended. Of two rows at one time the more confident is kept."""
    return [whole for members in by_shot(tracks, clip) for whole in _stitch([tracks[i] for i in members])]


def shot_bounds(clip: Clip) -> Floats:
    """Start of every shot and the end of the last (S + 1,) s."""
    return np.array([0.0, *clip.cuts, max(clip.duration, float(clip.times[-1])) + 1e-6])


def shot_length(track: ObservedTrack, clip: Clip) -> float:
    """Length in s of the shot that a track is in."""
    bounds = shot_bounds(clip)
    shot = int(np.clip(np.searchsorted(bounds, track.times[0] + 1e-6, side="right") - 1, 0, len(bounds) - 2))
    return float(bounds[shot + 1] - bounds[shot])


def by_shot(tracks: Sequence[ObservedTrack], clip: Clip) -> list[list[int]]:
    """Indices of the tracks of each shot that has any."""
    starts = np.array([track.times[0] for track in tracks]) + 1e-6
    shot = np.searchsorted(shot_bounds(clip), starts, side="right")
    return [list(np.flatnonzero(shot == s)) for s in np.unique(shot)]


def _stitch(tracks: Sequence[ObservedTrack]) -> list[ObservedTrack]:
    done = sorted(tracks, key=lambda t: float(t.times[0]))
    joined = True
    while joined:
        joined = False
        for i, first in enumerate(done):
            for j in range(i + 1, len(done)):
                if _same_object(first, done[j]):
                    done[i] = _join(first, done[j])
                    del done[j]
                    joined = True
                    break
            if joined:
                break
    return done


def iou(a: Floats, b: Floats) -> Floats:
    """Intersection over union of boxes (..., 4)."""
    inter = intersection(a, b)
    return inter / np.maximum(area(a) + area(b) - inter, 1e-12)


def intersection(a: Floats, b: Floats) -> Floats:
    """Area that boxes (..., 4) have in common, as a share of the picture."""
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    return np.prod(np.clip(high - low, 0, None), axis=-1)


def area(xyxy: Floats) -> Floats:
    """Area of boxes (..., 4), as a share of the picture."""
    return np.prod(np.clip(xyxy[..., 2:] - xyxy[..., :2], 0, None), axis=-1)


def _same_object(first: ObservedTrack, second: ObservedTrack) -> bool:
    gap = second.times[0] - first.times[-1]
    if gap > MAX_GAP_S:
        return False
    if gap <= 0:
        common, i, j = np.intersect1d(first.times, second.times, return_indices=True)
        if len(common) < 2:
            return False
        alike = float(np.median(iou(first.xyxy[i], second.xyxy[j])))
        return alike > (SAME_PLACE_IOU if first.label == second.label else ANY_LABEL_IOU)
    if first.label != second.label:
        return False
    there = _carried(first, gap)
    # the longer it was gone, the further it may be; sizes must agree
    centre = np.abs((there[:2] + there[2:]) / 2 - (second.xyxy[0, :2] + second.xyxy[0, 2:]) / 2)
    reach = 0.5 * (there[2:] - there[:2]) + 0.05 + 0.1 * gap
    ratio = area(there) / max(float(area(second.xyxy[0])), 1e-9)
    return bool((centre < reach).all() and 0.25 < ratio < 4)


def _carried(track: ObservedTrack, seconds: float) -> Floats:
    """The last box moved on at its last speed, half as far as it would go undamped."""
    span = min(4, len(track.times) - 1)
    if span == 0:
        return track.xyxy[-1]
    speed = (track.xyxy[-1] - track.xyxy[-1 - span]) / (track.times[-1] - track.times[-1 - span])
    moved = 0.5 * seconds * (speed[:2] + speed[2:]) / 2
    return track.xyxy[-1] + np.concatenate([moved, moved])


def _join(first: ObservedTrack, second: ObservedTrack) -> ObservedTrack:
    times = np.concatenate([first.times, second.times])
    score = np.concatenate([first.score, second.score])
    order = np.lexsort((-score, times))
    order = order[np.concatenate([[True], np.diff(times[order]) > 1e-9])]
    longer = first if first.score.sum() >= second.score.sum() else second
    return replace(
        longer,
        times=times[order],
        xyxy=np.concatenate([first.xyxy, second.xyxy])[order],
        score=score[order],
        moving=np.concatenate([first.moving, second.moving])[order],
        inner=np.concatenate([first.inner, second.inner])[order],
        depth_m=np.concatenate([first.depth_m, second.depth_m])[order],
    )
