"""Where on an object the sound is made, and how sure that is.

Each cue names a point on the object, in widths and heights of its box from the centre, and how far the
truth may lie from it; what is known at a moment is their precision-weighted mean:

- the class: the upper part of a living thing, the near end of a long vehicle, else the middle;
- what a person holds (`held.py`), while no voice is heard;
- mouth (for a voice) and wrists (for all else) where the detector gives a pose;
- a part that moves in step with the sound, more than could be chance.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from foleyspace.envelope import Envelope, mean_before
from foleyspace.held import HOLDERS
from foleyspace.observed import CELLS, REACH, ObservedTrack
from foleyspace.sounding_priors import ANIMATE, sound_kind
from foleyspace.types import Floats

LONG = frozenset({"train"})  # longer than they look, and loud where they are near
LONG_WIDTH = 0.3  # of the picture; a smaller one is a point for the ear
BOX_STD = 0.2  # of the truth around the middle of a box, in box sizes: a fifth to each side
HELD_STD = 0.08  # around a held thing that is glimpsed all the time
HELD_ENOUGH = 0.02  # weight of glimpses a look at which they are that sure
HELD_S = 1.0  # glimpses are averaged over this long to either side, what is held seldom changes hands
POSE_STD = 0.05
POSE_CONFIDENCE = 0.5
STEP_STD = 0.12
STEP_Z = 4.0  # standard deviations above chance from which a part counts as in step with the sound
BEAT_S = 1.0  # slower changes of both are no step: whatever comes nearer gets louder and moves faster
BLOCK = 512  # rows
SHIFTS = 64  # circular shifts of the sound that say what chance is
NOSE, WRISTS = 0, (9, 10)  # COCO's keypoints


def focus_point(
    track: ObservedTrack, heard: Envelope | None = None, voice: Floats | None = None
) -> tuple[Floats, Floats]:
    """Where the sound is made on an object and the standard deviation of that, both (N, 2) in normalised
    screen coordinates. `voice` (N,) in [0, 1]: how sure it is that a voice is heard at each moment
    (None: nothing is known)."""
    n = len(track.times)
    centre, size = (track.xyxy[:, :2] + track.xyxy[:, 2:]) / 2, track.xyxy[:, 2:] - track.xyxy[:, :2]
    handling = np.full(n, 1.0) if voice is None else 1.0 - voice
    cues = [_of_class(track, size)]
    if sound_kind(track.label) in HOLDERS:
        cues += _held(track, handling) + _pose(track, handling, centre, size)
    if heard is not None:
        cues += _in_step(track, heard)
    precision = np.sum([weight for _, weight in cues], axis=0)
    offset = np.sum([place * weight[:, None] for place, weight in cues], axis=0) / precision[:, None]
    return np.clip(centre + offset * size, 0, 1), size / np.sqrt(precision)[:, None]


Cue = tuple[Floats, Floats]  # offsets (N, 2) in box sizes, precision (N,)


def _of_class(track: ObservedTrack, size: Floats) -> Cue:
    offset, kind = np.zeros(2), sound_kind(track.label)
    if kind in ANIMATE:
        tall = float((size[:, 1] / np.maximum(size[:, 0], 1e-6)).mean())
        offset[1] = -0.2 * float(np.clip(tall - 0.5, 0, 1))
    if kind in LONG and float(np.median(size[:, 0])) > LONG_WIDTH:
        offset[0] = _near_end(track)
    n = len(track.times)
    return np.repeat(offset[None], n, axis=0), np.full(n, BOX_STD**-2)


def _near_end(track: ObservedTrack) -> float:
    """Offset of the energy of motion from the box's centre along x, in box widths, within +-0.5: the near
    end of what passes moves fastest on the screen."""
    energy = (track.moving.astype(np.float64) ** 2).mean(axis=0)
    if energy.sum() < 1e-9:
        return 0.0
    return float(np.clip((energy.sum(axis=0) * _places()).sum() / energy.sum(), -0.5, 0.5))


def _places() -> Floats:
    """Where the cells of the motion grid are, in box sizes from the centre (CELLS,)."""
    return ((np.arange(CELLS) + 0.5) / CELLS * 2 - 1) * REACH / 2


def _held(track: ObservedTrack, handling: Floats) -> list[Cue]:
    """The place of what is glimpsed in a person's hands, averaged over the time around each moment."""
    if track.held is None or track.held[:, 2].max() <= 0:
        return []
    weight = track.held[:, 2:]
    # only the rows at which the detector looked could hold a glimpse
    values = np.concatenate([weight * track.held[:, :2], weight, track.seen[:, None]], axis=1)
    summed = _around(track.times, values, 6 * HELD_S, lambda apart: np.exp(-0.5 * (apart / HELD_S) ** 2))
    total = summed[:, 2]
    place = summed[:, :2] / np.maximum(total, 1e-12)[:, None]
    enough = total / np.maximum(summed[:, 3], 1e-3) / HELD_ENOUGH
    return [(place, HELD_STD**-2 * np.minimum(enough, 1.0) * handling)]


def _slow(times: Floats, values: Floats) -> Floats:
    """Means (N, ...) of `values` (N, ...) over `BEAT_S` to either side."""
    flat = np.concatenate([values.reshape(len(times), -1), np.ones((len(times), 1))], axis=1)
    summed = _around(times, flat, BEAT_S, lambda apart: (np.abs(apart) <= BEAT_S).astype(float))
    return (summed[:, :-1] / summed[:, -1:]).reshape(values.shape)


def _around(times: Floats, values: Floats, reach_s: float, kernel: Callable[[Floats], Floats]) -> Floats:
    """(N, M): for each of `times` (N,) the sum of `values` (N, M) as far as `reach_s` away, weighted by
    `kernel` of the time between. In blocks: an hour of one object has 43 000 rows."""
    out = np.empty(values.shape)
    for first in range(0, len(times), BLOCK):
        rows = slice(first, first + BLOCK)
        ends = times[rows][[0, -1]] + [-reach_s - 1e-6, reach_s + 1e-6]
        near = slice(*np.searchsorted(times, ends))
        out[rows] = kernel(times[rows, None] - times[near]) @ values[near]
    return out


def _pose(track: ObservedTrack, handling: Floats, centre: Floats, size: Floats) -> list[Cue]:
    if track.keypoints is None:
        return []
    points = np.nan_to_num(track.keypoints)
    places = (points[:, :, :2] - centre[:, None]) / np.maximum(size, 1e-6)[:, None]
    sure = np.where(points[:, :, 2] >= POSE_CONFIDENCE, points[:, :, 2], 0.0)
    hands, both = places[:, WRISTS, :], sure[:, WRISTS]
    middle = (hands * both[:, :, None]).sum(axis=1) / np.maximum(both.sum(axis=1), 1e-9)[:, None]
    return [
        (places[:, NOSE], POSE_STD**-2 * sure[:, NOSE] * (1 - handling)),
        (middle, (2 * POSE_STD) ** -2 * both.mean(axis=1) * handling),
    ]


def _in_step(track: ObservedTrack, heard: Envelope) -> list[Cue]:
    """The part whose motion against the rest of the object follows the sound's level, if it does so more
    than with the sound shifted by any time: what beats, bows or opens its mouth."""
    n = len(track.times)
    if n < 16 or heard.silent:
        return []
    level = mean_before(track.times, heard.times, np.maximum(heard.level_db, heard.level_db.max() - 40))
    sound = level - _slow(track.times, level)
    inside = np.abs(_places()) < 0.6
    moved = track.inner.astype(np.float64)[:, inside][:, :, inside]
    cells = np.log(moved + 0.003)
    cells = cells - _slow(track.times, cells)
    spread = np.sqrt((sound @ sound) * (cells**2).sum(axis=0)) + 1e-6 * n
    follows = np.tensordot(sound, cells, axes=(0, 0)) / spread
    lags = np.unique(np.linspace(n // 8, n - n // 8, SHIFTS).astype(int))
    chance = np.array([np.tensordot(np.roll(sound, k), cells, axes=(0, 0)) / spread for k in lags])
    # against the best cell of every shift: that one of many cells fits is no wonder
    best = chance.max(axis=(1, 2))
    z = (follows.max() - best.mean()) / max(float(best.std()), 1e-3)
    if z < STEP_Z:
        return []
    weight = moved.mean(axis=0) * np.maximum(follows, 0) ** 2
    place = _places()[inside]
    offset = np.array([(weight.sum(axis=0) * place).sum(), (weight.sum(axis=1) * place).sum()]) / weight.sum()
    return [(np.repeat(offset[None], n, axis=0), np.full(n, STEP_STD**-2))]
