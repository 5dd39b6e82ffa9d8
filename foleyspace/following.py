"""One identity an object: boxes of single looks joined to tracks, carried by the flow from look to look.

Association in the order of ByteTrack (Zhang et al., ECCV 2022): sure detections first, then weak ones, which
continue tracks but start none; the prediction is the flow's, so that looks may be any time apart. A track
that is missed is carried on while it still looks like itself, and waited for a few seconds where it would be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from foleyspace.appearance import Appearance, describe, likeness, mixed
from foleyspace.association import comes_back, fits, fits_weakly, matched
from foleyspace.boxes import area, iou, stack
from foleyspace.camera_motion import MotionField
from foleyspace.carrying import Greys, carry, scene_shifts
from foleyspace.density import Concern
from foleyspace.detections import Detections
from foleyspace.observed import Row
from foleyspace.types import Floats

WEAK, SURE, NEW = 0.06, 0.2, 0.3  # scores: continues a track, is matched first, may start one
CONFIRMED = 3  # detections after which a track is no longer new
COAST_S, WEAK_COAST_S = 1.6, 0.6  # a track is carried this long after it was last seen; a weak one
STRONG = 0.4  # mean score of a track that is not weak
WAIT_S = 4.0  # ... and waited for this long without being shown
FADE_S = 1.0  # time constant of the score of a track that was missed
SLOWING_S = 1.0  # the same for the own speed of one that is waited for
IN_FRAME = 0.3  # a box with less of its area in the frame has left
LEAVING_S, LEAVING_SPEED = 0.5, 0.05  # s; frame widths or heights per second
EDGE = 0.01  # a side this near the frame's edge: more of the object may be outside
USUAL_LOOKS, OTHER_LOOKS = 0.85, 0.08  # likeness at first, and by how much less it is something else
TWICE_IOU = 0.6  # two detections of one label with as much in common are one object
SHADOW_IOU = 0.45  # an unseen box on a seen one is the same object
PATH_DOUBT, TRUST_DOUBT = 0.15, 0.1  # error a carried box takes up: share of its path; a step, untrusted
NEW_LOOKS = 0.2  # share of the look of today in the running mean


@dataclass
class Followed:
    """An object that is followed. `last`: when it was last seen; `vouched`: when it was last seen or, missed,
    still looked like itself; `gone`: since when it is only waited for; `usual`: how alike it looks from one
    time to the next."""

    id: int
    xyxy: Floats
    score: float
    last: float
    vouched: float
    look: Appearance | None
    seen_now: bool = True
    seen: int = 1
    total: float = 0.0
    misses: int = 0
    missed_since: float = np.inf
    gone: float | None = None
    usual: float = USUAL_LOOKS
    doubt: float = 0.0
    shift: Floats = field(default_factory=lambda: np.zeros(2))
    keypoints: NDArray[np.float32] | None = None
    votes: dict[str, float] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)

    @property
    def label(self) -> str:
        return max(self.votes, key=lambda word: self.votes[word])

    @property
    def sure(self) -> bool:
        return self.seen >= CONFIRMED and self.total / self.seen >= STRONG

    def score_at(self, time: float) -> float:
        """The detector's, fading from the first look that missed it."""
        return self.score * float(np.exp(-max(0.0, time - self.missed_since) / FADE_S))


class Follower:
    """Follows what a detector sees inside one shot after another: `carry` at every step, `update` after
    every look. `shown` are the tracks alive now, `tracks` all of the shot."""

    def __init__(self) -> None:
        self.tracks: list[Followed] = []
        self._live: list[Followed] = []  # shown, or waited for
        self._next_id = 1

    def reset(self) -> None:
        """A new shot: all tracks are dropped, their ids are not used again."""
        self.tracks, self._live = [], []

    @property
    def shown(self) -> list[Followed]:
        return [t for t in self._live if t.gone is None]

    def concerns(self) -> list[Concern]:
        """What another look could tell."""
        return [Concern(t.xyxy, t.doubt, t.seen < CONFIRMED or (t.misses > 0 and t.sure)) for t in self.shown]

    def carry(self, time: float, motion: MotionField, greys: Greys | None = None) -> None:
        """Move every track on to `time` with the motion since the step before (and its two pictures)."""
        for track in self._live:
            track.seen_now, track.keypoints = False, None
        self._live = [t for t in self._live if t.gone is None or time - t.gone < WAIT_S]
        if not motion.valid or not self._live:
            return
        shown = self.shown
        shifts = np.array([t.shift for t in shown]).reshape(-1, 2)
        moved = carry(stack([t.xyxy for t in shown]), motion, shifts, greys)
        for k, track in enumerate(shown):
            track.xyxy, track.shift = _from_edges(track.xyxy, moved.xyxy[k]), moved.shift[k]
            track.doubt += PATH_DOUBT * moved.own[k] + TRUST_DOUBT * max(0.0, 0.5 - moved.trust[k])
        for track, share in zip(shown, in_frame(stack([t.xyxy for t in shown])), strict=True):
            if share < IN_FRAME:
                track.gone = time
        waiting = [t for t in self._live if t not in shown]
        scene = scene_shifts(
            motion, np.array([(t.xyxy[:2] + t.xyxy[2:]) / 2 for t in waiting]).reshape(-1, 2)
        )
        for track, shift in zip(waiting, scene, strict=True):
            track.shift = shift + (track.shift - shift) * np.exp(-motion.dt / SLOWING_S)
            track.xyxy = track.xyxy + np.tile(track.shift, 2)

    def update(self, time: float, frame: NDArray[np.uint8], found: Detections) -> None:
        """Take in what a look at `frame` found."""
        sure = found.score >= SURE
        looks = [describe(frame, box) if use else None for box, use in zip(found.xyxy, sure, strict=True)]
        free = np.ones(len(found), bool)
        shown = self.shown
        waiting = [t for t in self._live if t.gone is not None]
        for tracks, allowed, rule in (
            (shown, sure, fits),
            (shown, ~sure & (found.score >= WEAK), fits_weakly),
            (waiting, found.score >= NEW, comes_back),
        ):
            open_tracks = [t for t in tracks if not t.seen_now]
            chosen = np.flatnonzero(free & allowed)
            for i, k in matched(open_tracks, found, looks, chosen, rule, time):
                free[k] = False
                _see(open_tracks[i], time, found, k, looks[k])
        seen = [t for t in self._live if t.seen_now]
        for track in shown:
            if not track.seen_now:
                self._miss(track, time, frame, seen)
        self._live = [t for t in self._live if t.seen_now or t.seen >= CONFIRMED or t.misses < 2]
        for k in np.flatnonzero(free & (found.score >= NEW)).tolist():
            if _twice(found.xyxy[k], found.labels[k], seen):
                continue
            track = Followed(self._next_id, found.xyxy[k].copy(), float(found.score[k]), time, time, looks[k])
            track.votes, track.total = {found.labels[k]: track.score}, track.score
            track.keypoints = None if found.keypoints is None else found.keypoints[k]
            self._next_id += 1
            self._live.append(track)
            self.tracks.append(track)

    def _miss(self, track: Followed, time: float, frame: NDArray[np.uint8], seen: Sequence[Followed]) -> None:
        """The detector did not see a track where the flow has carried it: is it still there?"""
        track.misses += 1
        track.missed_since = min(track.missed_since, time)
        track.doubt = 0.0
        others = stack([t.xyxy for t in seen])
        shadow = len(others) > 0 and iou(track.xyxy[None], others).max() > SHADOW_IOU
        alike = likeness(track.look, describe(frame, track.xyxy))
        other = alike < track.usual - OTHER_LOOKS
        if shadow or other or _leaving(track):
            # what was carried since it was last vouched for was something else
            after = track.vouched if other else track.last
            while track.rows and track.rows[-1].time > after + 1e-9:
                track.rows.pop()
            track.gone = time
            return
        track.vouched = time
        if time - track.last > (COAST_S if track.sure else WEAK_COAST_S):
            track.gone = time


def _see(track: Followed, time: float, found: Detections, k: int, look: Appearance | None) -> None:
    score = float(found.score[k])
    off = found.xyxy[k] - track.xyxy
    if track.gone is None:
        # known in hindsight: the error grew from the last look to this one
        for row in reversed(track.rows):
            if row.seen or row.time <= track.last:
                break
            row.xyxy = row.xyxy + off * (row.time - track.last) / (time - track.last)
    # a weak detection is a poor measurement: go only part of the way
    gain = 1.0 if track.gone is not None else min(1.0, 0.4 + score)
    track.xyxy = track.xyxy + gain * off
    track.score, track.last, track.vouched = score, time, time
    track.seen_now, track.seen, track.total = True, track.seen + 1, track.total + score
    track.misses, track.missed_since, track.gone, track.doubt = 0, np.inf, None, 0.0
    track.keypoints = None if found.keypoints is None else found.keypoints[k]
    if look is not None and track.look is not None:
        track.usual += NEW_LOOKS * (likeness(track.look, look) - track.usual)
    track.look = mixed(track.look, look, NEW_LOOKS)
    track.votes[found.labels[k]] = track.votes.get(found.labels[k], 0.0) + score


def _leaving(track: Followed) -> bool:
    """Whether it was on its way out when it was last seen: at an edge, its far side coming near."""
    recent = takewhile(lambda row: row.time >= track.last - LEAVING_S, reversed(track.rows))
    rows = [row for row in recent if row.time <= track.last + 1e-6]
    if len(rows) < 2:
        return False
    box, was = rows[0].xyxy, rows[-1].xyxy
    towards = (box - was) / (rows[0].time - rows[-1].time)
    low = (box[:2] < 2 * EDGE) & (towards[2:] < -LEAVING_SPEED)
    high = (box[2:] > 1 - 2 * EDGE) & (towards[:2] > LEAVING_SPEED)
    return bool((low | high).any())


def _twice(box: Floats, label: str, seen: Sequence[Followed]) -> bool:
    """Whether a detection is a second box of an object that was seen just now."""
    same = [t.xyxy for t in seen if t.label == label]
    return bool(len(same) and iou(box[None], stack(same)).max() > TWICE_IOU)


def _from_edges(before: Floats, moved: Floats) -> Floats:
    """A box that leaves the frame's edge inwards still reaches it: more of the object comes into view."""
    out = moved.copy()
    low = (before[:2] < EDGE) & (moved[:2] > before[:2])
    high = (before[2:] > 1 - EDGE) & (moved[2:] < before[2:])
    out[:2][low], out[2:][high] = before[:2][low], before[2:][high]
    return out


def in_frame(boxes: Floats) -> Floats:
    """The share of each box (K, 4) that lies in the frame, (K,)."""
    return area(np.clip(boxes, 0, 1)) / (area(boxes) + 1e-12)
