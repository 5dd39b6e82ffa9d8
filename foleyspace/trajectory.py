"""Tracks on the screen become trajectories around the listener.

Each track is smoothed in angle and log distance (two-sided: no lag), goes on off screen where it left
the picture, and shares the one sound track with the others by its sounding weight. Nothing is carried
across a cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace.camera import Projection, angles_to_xyz, screen_to_angles
from foleyspace.focus import BOX_STD
from foleyspace.propagation import SILENT_DB
from foleyspace.smoothing import smooth
from foleyspace.types import Clip, Floats, Source, Track

if TYPE_CHECKING:
    from scipy.sparse import csc_array

GRID_HZ = 25.0
ANGLE_CUTOFF_HZ = 1.5  # faster motion of a box is jitter of the detector
DISTANCE_CUTOFF_HZ = 0.4
ANGLE_NOISE_DEG = 0.7  # of a confident box's centre, about 1 % of the picture's width at 70 degrees
EDGE = 0.02  # a box this near to the frame's edge touches it
OFF_SCREEN_SLOWING_S = 1.0  # time constant with which an object that left the frame slows down
OFF_SCREEN_MAX_DEG = 120.0
CROSSFADE_S = 0.16  # from one sounding object to the next inside a shot
CUT_FADE_S = 0.01
FADE_S = 0.5  # time constant with which a track counts ever less beside its end
REACH_S = 600.0  # farther from its track than this it has no weight
STRETCH = 1024  # of the grid, worked out at once
GAP_S = 0.6  # between two rows of a track farther apart than this it is not seen, nor drawn
MIN_SHARE = 0.08  # a smaller part of the sound than this is given to the others
DEFAULT_DISTANCE_M = 3.0
DISTANCE_RANGE_M = (0.3, 100.0)
CENTRE = "centre"


def tracks_to_sources(
    tracks: Sequence[Track], clip: Clip, fov_deg: float, projection: Projection = "rectilinear"
) -> tuple[Source, ...]:
    """The sounding tracks of a clip as sources that share its one sound track.

    At every moment the sources' gains add up to 1 (0 dB) in amplitude: the whole sound is always
    somewhere. A shot without any sounding object, or before the first, keeps the sound in the centre.
    Raises nothing of its own; an empty `tracks` gives one source in the centre.
    """
    shots = [0.0, *clip.cuts, max(clip.duration, float(clip.times[-1]))]
    sources: list[Source] = []
    centre: list[tuple[float, float]] = []
    for start, end in pairwise(shots):
        inside = [t for t in tracks if start - 1e-6 <= t.times[0] < end and t.sounding.max() > 0]
        placed = _shot_sources(inside, start, end, clip, fov_deg, projection)
        sources += placed
        if not placed:
            centre.append((start, end))
    if centre:
        sources.append(_centre_source(centre, shots[-1]))
    return tuple(sources)


def _shot_sources(
    tracks: Sequence[Track],
    start: float,
    end: float,
    clip: Clip,
    fov_deg: float,
    projection: Projection,
) -> list[Source]:
    grid = np.arange(start, end + 0.5 / GRID_HZ, 1 / GRID_HZ)
    if not tracks:
        return []
    most = sounding_shares(tracks, grid).max(axis=0).toarray().ravel()
    heard = [track for track, share in zip(tracks, most, strict=True) if share >= MIN_SHARE]
    if not heard:
        return []
    shares = sounding_shares(heard, grid)
    return [
        _source(track, shares[:, [i]].toarray().ravel(), grid, (start, end), clip, fov_deg, projection)
        for i, track in enumerate(heard)
    ]


def sounding_shares(tracks: Sequence[Track], grid: Floats) -> csc_array:
    """How much of the sound each of K >= 1 tracks makes at the `grid` times: (G, K), rows sum to 1; sparse,
    as of all the tracks of a film only a few sound at a time.

    A track keeps its last weight for a while after its end (and before its start), fading, so that a
    gap without any object is bridged by the one last seen. While nobody sounds, the shares stay as they
    were last or, before the first sound, as they will be.
    """
    from scipy.sparse import csc_array, csr_array, vstack

    begins = np.array([track.times[0] for track in tracks])
    ends = np.array([track.times[-1] for track in tracks])
    parts, sounds = [], []
    for start in range(0, len(grid), STRETCH):
        times = grid[start : start + STRETCH]
        near = np.flatnonzero((begins < times[-1] + REACH_S) & (ends > times[0] - REACH_S))
        weights = _weights([tracks[int(k)] for k in near], times)
        sounds.append(weights.any(axis=1))
        shares = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1)
        shares[(shares < MIN_SHARE) & (weights < 1)] = 0  # the small ones go, but never all
        rows, columns = np.nonzero(shares)
        parts.append(csr_array((shares[rows, columns], (rows, near[columns])), (len(times), len(tracks))))
    sounding, every = np.flatnonzero(np.concatenate(sounds)), np.arange(len(grid))
    if not len(sounding):
        even = 1 / len(tracks)
        return csc_array(np.full((len(grid), len(tracks)), even if even >= MIN_SHARE else 0.0))
    kept = sounding[np.clip(np.searchsorted(sounding, every, "right") - 1, 0, None)]
    shares = vstack(parts, format="csr")[kept]
    half = round(CROSSFADE_S * GRID_HZ) // 2
    around = sum(shares[np.clip(every + step, 0, every[-1])] for step in range(-half, half + 1))
    around.data /= np.repeat(around.sum(axis=1), np.diff(around.indptr))
    return around.tocsc()


def _weights(tracks: Sequence[Track], times: Floats) -> Floats:
    """(n, K): how much each track counts at the `times` (n,), beside itself ever less, against the one that
    counts most (1); all 0 where nobody sounds within reach.

    By logarithms: in the middle of a long gap the weights themselves are too small for numbers.
    """
    logs = np.empty((len(times), len(tracks)))
    for k, track in enumerate(tracks):
        away = np.maximum(0, np.maximum(track.times[0] - times, times - track.times[-1]))
        inside = np.where(away <= REACH_S, np.interp(times, track.times, track.sounding), 0)
        with np.errstate(divide="ignore"):
            logs[:, k] = np.log(inside) - away / FADE_S
    most = logs.max(axis=1, keepdims=True, initial=-np.inf)
    return np.exp(logs - np.where(np.isfinite(most), most, 0))


def _source(
    track: Track,
    share: Floats,
    grid: Floats,
    shot: tuple[float, float],
    clip: Clip,
    fov_deg: float,
    projection: Projection,
) -> Source:
    angles = screen_to_angles(track.focus_xy, clip.size_wh, fov_deg, projection)
    if projection == "equirectangular":
        angles[:, 0] = np.unwrap(angles[:, 0], period=360.0)
    # a weak detection, and a sound made anywhere on a wide object, tell the place less exactly
    std = (
        BOX_STD * (track.xyxy[:, 2] - track.xyxy[:, 0]) if track.focus_std is None else track.focus_std[:, 0]
    )
    noise = ANGLE_NOISE_DEG * (1 + 10 * std) / np.clip(track.score, 0.1, 1)
    seen = (grid >= track.times[0] - 0.5 / GRID_HZ) & (grid <= track.times[-1] + 0.5 / GRID_HZ)
    if not seen.any():
        seen[np.argmin(np.abs(grid - track.times[0]))] = True
    path = smooth(track.times, angles, noise, grid[seen], ANGLE_CUTOFF_HZ)
    if track.distance_m is None:
        log_distance = np.full(int(seen.sum()), np.log(DEFAULT_DISTANCE_M))
    else:
        log_distance = smooth(track.times, np.log(track.distance_m), 0.2, grid[seen], DISTANCE_CUTOFF_HZ)[
            :, 0
        ]

    first, last = np.flatnonzero(seen)[[0, -1]]
    full = np.empty((len(grid), 2))
    full[seen] = path
    full[last + 1 :] = _beyond(path, grid[last + 1 :] - grid[last], _leaves(track, -1, projection))
    full[:first] = _beyond(path[::-1], grid[first] - grid[:first], _leaves(track, 0, projection))
    full[:, 1] = np.clip(full[:, 1], -90, 90)
    distance = np.clip(np.exp(np.interp(grid, grid[seen], log_distance)), *DISTANCE_RANGE_M)

    # points of the source: the grid inside the shot, its ends exactly, and silence beyond a cut
    times, silent = _shot_times(grid, shot, clip.duration)
    gain_db = np.where(silent, SILENT_DB, to_db(_at(times, grid, share)))
    # and of those the ones where it sounds, with silence on either side
    audible = np.flatnonzero(gain_db > SILENT_DB)
    kept = slice(max(audible[0] - 1, 0), audible[-1] + 2) if len(audible) else slice(None)
    times, gain_db = times[kept], gain_db[kept]
    return Source(
        id=track.id,
        label=track.label,
        times=times,
        xyz=angles_to_xyz(_at(times, grid, full), _at(times, grid, distance)),
        visible=_at(times, grid, (seen & ~_in_a_hole(track, grid)).astype(float)) > 0.5,
        gain_db=gain_db,
    )


def _in_a_hole(track: Track, times: Floats) -> NDArray[np.bool_]:
    """Which of `times` (n,) lie between two rows that are too far apart for the object to have been there."""
    if len(track.times) < 2:
        return np.zeros(len(times), bool)
    steps = np.diff(track.times)
    hole = steps > max(GAP_S, 2 * float(np.median(steps)))  # some films have a frame a second
    after = np.clip(np.searchsorted(track.times, times), 1, len(steps))
    beside = np.minimum(abs(times - track.times[after - 1]), abs(track.times[after] - times))
    inside: NDArray[np.bool_] = hole[after - 1] & (beside > 0.5 / GRID_HZ)
    return inside


def _leaves(track: Track, end: int, projection: Projection) -> int:
    """The side on which a track leaves the picture at its first (0) or last (-1) moment:
    -1 left, 1 right, 0 it does not."""
    if projection == "equirectangular":
        return 0
    left, right = track.xyxy[end, 0] <= EDGE, track.xyxy[end, 2] >= 1 - EDGE
    return int(right) - int(left)


def _beyond(path: Floats, after_s: Floats, side: int) -> Floats:
    """Angles for `after_s` > 0 seconds past the end of `path` (n, 2): on at the last angular speed,
    slowing, if the object left towards `side`; else it stays where it was last seen."""
    angles = np.repeat(path[-1:], len(after_s), axis=0)
    span = min(len(path) - 1, round(0.4 * GRID_HZ))
    if side == 0 or span < 1 or not len(after_s):
        return angles
    speed = (path[-1, 0] - path[-1 - span, 0]) * GRID_HZ / span
    if speed * -side <= 0:  # azimuth grows to the left: it came back in, or stands at the edge
        return angles
    reach = speed * OFF_SCREEN_SLOWING_S * (1 - np.exp(-after_s / OFF_SCREEN_SLOWING_S))
    limit = max(OFF_SCREEN_MAX_DEG, abs(path[-1, 0]))
    angles[:, 0] = np.clip(path[-1, 0] + reach, -limit, limit)
    return angles


def _shot_times(grid: Floats, shot: tuple[float, float], duration: float) -> tuple[Floats, NDArray[np.bool_]]:
    """The times of a source that sounds during one shot, and which of them are silent: at a cut the
    gain falls linearly over 2 x `CUT_FADE_S` while that of the next shot rises."""
    start, end = shot
    low = start + CUT_FADE_S if start > 0 else start
    high = max(end - CUT_FADE_S if end < duration - 1e-6 else end, low + 1e-3)
    times = [low, *grid[(grid > low + 1e-3) & (grid < high - 1e-3)], high]
    if start > 0:
        times.insert(0, start - CUT_FADE_S)
    if end < duration - 1e-6:
        times.append(max(end + CUT_FADE_S, high + 1e-3))
    silent = np.zeros(len(times), bool)
    silent[0] |= start > 0
    silent[-1] |= end < duration - 1e-6
    return np.array(times), silent


def _at(times: Floats, grid: Floats, values: Floats) -> Floats:
    if values.ndim == 1:
        return np.interp(times, grid, values)
    return np.stack([np.interp(times, grid, column) for column in values.T], axis=1)


def to_db(amplitude: Floats) -> Floats:
    """Amplitude to dB, floored at `SILENT_DB`."""
    return 20 * np.log10(np.maximum(amplitude, 10 ** (SILENT_DB / 20)))


def _centre_source(spans: Sequence[tuple[float, float]], duration: float) -> Source:
    """The sound straight ahead during `spans` (in order), silent outside them."""
    joined: list[list[float]] = []
    for start, end in spans:
        if joined and abs(joined[-1][1] - start) < 1e-6:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    points: list[tuple[float, float]] = []
    for start, end in joined:
        times, silent = _shot_times(np.empty(0), (start, end), duration)
        points += [(t, SILENT_DB if s else 0.0) for t, s in zip(times, silent, strict=True)]
    return Source(
        id=CENTRE,
        label=CENTRE,
        times=np.array([t for t, _ in points]),
        xyz=np.repeat([[DEFAULT_DISTANCE_M, 0.0, 0.0]], len(points), axis=0),
        visible=np.zeros(len(points), bool),
        gain_db=np.array([gain for _, gain in points]),
        caption="no sounding object in the picture",
    )
