"""Fragments of one object joined: detectors lose and rename what a person sees as one thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.appearance import likeness, mixed
from foleyspace.boxes import area, iou_each
from foleyspace.observed import BY_ROW, ObservedTrack
from foleyspace.types import Clip, Floats

MAX_GAP_S = 2.0
ALIKE_GAP_S = 4.0  # gap over which one that looks just the same is taken for the same
RENAMED_GAP_S = 1.0  # gap over which an object may come back under another name
SAME_PLACE_IOU = 0.3
SPEED_S = 0.5  # speed is taken over this long
ANY_LABEL_IOU = 0.6  # two boxes this alike are one object whatever they are called
APART_IOU = 0.1  # two boxes seen at once that have less in common are two objects
# likeness of looks: of one object after 2-4 s it is 0.88 in the middle and 0.76 at the 5th percentile, of
# different ones 0.80 with the same label, 0.74 with another (detector tracks of 23 clips)
UNLIKE, ALIKE, JUST_ALIKE = 0.65, 0.8, 0.88


def stitch(tracks: Sequence[ObservedTrack], clip: Clip) -> list[ObservedTrack]:
    """Join fragments inside each shot: overlapping in time and place, or one going on where another that
    looks alike ended. Of two rows at one time the one seen, or the more confident, is kept."""
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
    i = 0
    while i < len(done):
        j = next((j for j in range(i + 1, len(done)) if _same_object(done[i], done[j])), None)
        if j is None:
            i += 1
            continue
        # those before have been compared with all others, but not with the one that comes of it
        while j is not None:
            done[i] = _join(done[i], done.pop(j))
            h = next((h for h in range(i) if _same_object(done[h], done[i])), None)
            i, j = (i, None) if h is None else (h, i)
    return done


def _same_object(first: ObservedTrack, second: ObservedTrack) -> bool:
    if first.found_by != second.found_by or second.times[0] - first.times[-1] > ALIKE_GAP_S:
        return False
    common, i, j = np.intersect1d(first.times, second.times, return_indices=True)
    if len(common):
        shared = iou_each(first.xyxy[i], second.xyxy[j])
        both = first.seen[i] & second.seen[j]
        if (shared[both] < APART_IOU).any():
            return False
        if both.any() or len(common) == min(len(first.times), len(second.times)):
            enough = len(common) >= 2 or likeness(first.appearance, second.appearance) > JUST_ALIKE
            least = SAME_PLACE_IOU if first.label == second.label else ANY_LABEL_IOU
            return enough and float(np.median(shared)) > least
    # what one was carried on to while the other was seen counts for nothing
    ended, begins = _last_seen(first), _first_seen(second)
    gap = float(second.times[begins] - first.times[ended])
    alike = likeness(first.appearance, second.appearance)
    if gap <= 0 or gap > (ALIKE_GAP_S if alike > JUST_ALIKE else MAX_GAP_S) or alike < _least(first, second):
        return False
    there, box = _carried(first, ended, gap), second.xyxy[begins]
    if first.label != second.label:
        return gap <= RENAMED_GAP_S and alike > ALIKE and float(iou_each(there, box)) > SAME_PLACE_IOU
    # the longer it was gone, the further it may be; sizes must agree
    centre = np.abs((there[:2] + there[2:]) / 2 - (box[:2] + box[2:]) / 2)
    reach = 0.5 * (there[2:] - there[:2]) + 0.05 + 0.1 * min(gap, MAX_GAP_S)
    ratio = area(there) / max(float(area(box)), 1e-9)
    return bool((centre < reach).all() and 0.25 < ratio < 4)


def _least(first: ObservedTrack, second: ObservedTrack) -> float:
    """The likeness that is asked for; nothing where one has no looks."""
    return 0.0 if first.appearance is None or second.appearance is None else UNLIKE


def _last_seen(track: ObservedTrack) -> int:
    """The last row that the detector saw; the last where it saw none."""
    rows = np.flatnonzero(track.seen)
    return int(rows[-1]) if len(rows) else len(track.times) - 1


def _first_seen(track: ObservedTrack) -> int:
    rows = np.flatnonzero(track.seen)
    return int(rows[0]) if len(rows) else 0


def _carried(track: ObservedTrack, end: int, seconds: float) -> Floats:
    """The box of row `end` moved on at the speed it had, half as far as it would go undamped. Where the flow
    has carried it on for a part of the time, from there."""
    carried = np.flatnonzero(track.times <= track.times[end] + seconds + 1e-6)
    seconds -= float(track.times[carried[-1]] - track.times[end])
    end = int(carried[-1])
    start = int(np.searchsorted(track.times, track.times[end] - SPEED_S - 1e-6))
    if start == end:
        return track.xyxy[end]
    speed = (track.xyxy[end] - track.xyxy[start]) / (track.times[end] - track.times[start])
    moved = 0.5 * seconds * (speed[:2] + speed[2:]) / 2
    return track.xyxy[end] + np.concatenate([moved, moved])


def _join(first: ObservedTrack, second: ObservedTrack) -> ObservedTrack:
    """Both as one, of two rows at one time the one that was seen, or the more confident."""
    first, second = _only_own(first, second), _only_own(second, first)
    times, score, seen = (
        np.concatenate([getattr(first, name), getattr(second, name)]) for name in ("times", "score", "seen")
    )
    order = np.lexsort((-score, ~seen, times))
    order = order[np.concatenate([[True], np.diff(times[order]) > 1e-9])]
    longer = first if first.score[first.seen].sum() >= second.score[second.seen].sum() else second
    n, m = len(first.times), len(second.times)
    rows: dict[str, Any] = {
        name: _both(getattr(first, name), getattr(second, name), n, m, order) for name in BY_ROW
    }
    share = m / (n + m)
    looks = mixed(first.appearance, second.appearance, share)
    return replace(longer, appearance=looks, **rows)


def _only_own(track: ObservedTrack, other: ObservedTrack) -> ObservedTrack:
    """A track without the rows it was carried to, beyond what was seen of it, while the other was there."""
    first, last = _first_seen(track), _last_seen(track)
    beyond = (np.arange(len(track.times)) < first) | (np.arange(len(track.times)) > last)
    start, end = other.times[_first_seen(other)], other.times[_last_seen(other)]
    return track.rows(~(beyond & (track.times >= start) & (track.times <= end)))


def _both(
    a: NDArray[Any] | None, b: NDArray[Any] | None, n: int, m: int, order: NDArray[np.int64]
) -> NDArray[Any] | None:
    """Rows of both in `order`; zeros for those (n and m) of the one that has none."""
    if a is None and b is None:
        return None
    like = a if a is not None else b
    assert like is not None
    parts = (np.zeros((k, *like.shape[1:]), like.dtype) if x is None else x for x, k in ((a, n), (b, m)))
    return np.concatenate(list(parts))[order]
