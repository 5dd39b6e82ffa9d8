"""Tracks on the screen become trajectories around the listener.

Each track is smoothed in angle and log distance (two-sided: no lag), goes on off screen where it left
the picture, and shares the one sound track with the others by its sounding weight. Nothing is carried
across a cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from foleyspace.camera import Projection, angles_to_xyz, screen_to_angles
from foleyspace.focus import BOX_STD
from foleyspace.propagation import SILENT_DB
from foleyspace.smoothing import smooth
from foleyspace.types import Clip, Floats, Source, Track

GRID_HZ = 25.0
ANGLE_CUTOFF_HZ = 1.5  # faster motion of a box is jitter of the detector
DISTANCE_CUTOFF_HZ = 0.4
ANGLE_NOISE_DEG = 0.7  # of a confident box's centre, about 1 % of the picture's width at 70 degrees
EDGE = 0.02  # a box this near to the frame's edge touches it
OFF_SCREEN_SLOWING_S = 1.0  # time constant with which an object that left the frame slows down
OFF_SCREEN_MAX_DEG = 120.0
CROSSFADE_S = 0.16  # from one sounding object to the next inside a shot
CUT_FADE_S = 0.01
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
    shares = sounding_shares(tracks, grid)
    heard = [i for i in range(len(tracks)) if shares[:, i].max() >= MIN_SHARE]
    if not heard:
        return []
    shares = sounding_shares([tracks[i] for i in heard], grid)
    return [
        _source(tracks[i], shares[:, column], grid, (start, end), clip, fov_deg, projection)
        for column, i in enumerate(heard)
    ]


def sounding_shares(tracks: Sequence[Track], grid: Floats) -> Floats:
    """How much of the sound each of K tracks makes at the `grid` times: (G, K), rows sum to 1.

    A track keeps its last weight for a while after its end (and before its start), fading, so that a
    gap without any object is bridged by the one last seen. While nobody sounds, the shares stay as they
    were last or, before the first sound, as they will be.
    """
    if not tracks:
        return np.zeros((len(grid), 0))
    weights = np.empty((len(grid), len(tracks)))
    for k, track in enumerate(tracks):
        inside = np.interp(grid, track.times, track.sounding)
        away = np.maximum(0, np.maximum(track.times[0] - grid, grid - track.times[-1]))
        weights[:, k] = inside * np.exp(-away / 0.5) + 1e-6 * inside * np.exp(-away / 10)
    sounding = np.flatnonzero(weights.max(axis=1) > 1e-30)
    if len(sounding):
        weights = weights[
            sounding[np.clip(np.searchsorted(sounding, np.arange(len(grid)), "right") - 1, 0, None)]
        ]
    weights = np.maximum(weights, 1e-30)
    shares = weights / weights.sum(axis=1, keepdims=True)
    shares[shares < MIN_SHARE] = 0
    width = max(1, round(CROSSFADE_S * GRID_HZ)) | 1
    padded = np.pad(shares, ((width // 2, width // 2), (0, 0)), mode="edge")
    shares = np.stack([np.convolve(column, np.ones(width) / width, "valid") for column in padded.T], axis=1)
    return shares / shares.sum(axis=1, keepdims=True)


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
        visible=_at(times, grid, seen.astype(float)) > 0.5,
        gain_db=gain_db,
    )


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
