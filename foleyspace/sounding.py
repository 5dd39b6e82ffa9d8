"""Which objects sound: those of a shot compete, at every moment anew, by the evidence for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from foleyspace.boxes import area, intersection
from foleyspace.envelope import Envelope
from foleyspace.evidence import STILL_SPEED, Evidence, gather, object_speed
from foleyspace.focus import focus_point
from foleyspace.handling import hand_over
from foleyspace.observed import ObservedTrack
from foleyspace.stitch import by_shot, shot_length
from foleyspace.types import Clip, Floats, Track

if TYPE_CHECKING:
    from foleyspace.listening import Matched

SHARPNESS = 4.0  # how strongly the best candidate takes the sound: shares go as score ** SHARPNESS
MOMENT_S = 1.0  # what an object does counts for this long before and after
LOOSE_LOSS = 0.8
MIN_SCORE = 0.005  # candidates below this make no sound: the picture gives no reason to think so


def sounding_tracks(
    observed: Sequence[ObservedTrack],
    clip: Clip,
    heard: Envelope | None,
    matched: Matched | None = None,
    chosen: Sequence[str] = (),
) -> tuple[tuple[Track, ...], tuple[Evidence, ...]]:
    """A track with a focus point and a sounding weight over time for each of `observed` (fragments
    joined), in their order, and the evidence for each.

    Objects compete inside their shot. `heard` None: nothing to compare with, the picture alone decides;
    while there is silence, nobody sounds. `matched`: what is heard against what each of `observed` sounds
    like, None without a tagger. `chosen`: ids that somebody said make the sound; in the shots where any of
    them is, they alone do.
    """
    affinity = [
        None if matched is None else matched.affinity(k, track.times) for k, track in enumerate(observed)
    ]
    evidence = [
        gather(track, heard, 1.0 if ratio is None else _mean(ratio), shot_length(track, clip))
        for track, ratio in zip(observed, affinity, strict=True)
    ]
    weights: list[Floats] = [np.zeros(len(track.times)) for track in observed]
    for members in by_shot(observed, clip):
        inside = [observed[i] for i in members]
        scored = hand_over(inside, [evidence[i] for i in members])
        found = _weights(inside, scored, [affinity[i] for i in members])
        if any(track.id in chosen for track in inside):
            found = [np.full(len(track.times), float(track.id in chosen)) for track in inside]
        for i, entry, weight in zip(members, scored, found, strict=True):
            active = np.ones(len(weight)) if heard is None else heard.active(observed[i].times)
            evidence[i] = replace(entry, share=float((weight * active).sum() / max(active.sum(), 1.0)))
            weights[i] = weight * active
    tracks = []
    for track, weight in zip(observed, weights, strict=True):
        voice = None if matched is None else matched.voice(track.times)
        focus, std = focus_point(track, heard, voice)
        tracks.append(
            Track(
                id=track.id,
                label=track.label,
                times=track.times,
                xyxy=track.xyxy,
                focus_xy=focus,
                score=track.score,
                sounding=weight,
                focus_std=std,
            )
        )
    return tuple(tracks), tuple(evidence)


def _mean(ratio: Floats) -> float:
    """Geometric mean: neighbouring windows hear the same sound, their ratios do not multiply."""
    return float(np.exp(np.log(ratio).mean()))


def _weights(
    tracks: Sequence[ObservedTrack], scored: Sequence[Evidence], affinity: Sequence[Floats | None]
) -> list[Floats]:
    """Weight over time of each track of a shot, in [0, 1]: the best candidate of the moment has 1.

    A track's score stands for all its time; the moment raises or lowers it by how sure the detector
    is, how much the object moves around then, whether its box is loose, and what is heard then.
    """
    moments = []
    for track, entry, ratio in zip(tracks, scored, affinity, strict=True):
        now = entry.score * _moment(track, tracks) if entry.score >= MIN_SCORE else np.zeros(len(track.times))
        moments.append(now if ratio is None else now * ratio / entry.affinity)
    begins, ends = (np.array([track.times[end] for track in tracks]) for end in (0, -1))
    weights = []
    for track, own in zip(tracks, moments, strict=True):
        best = np.zeros(len(own))
        # row by row only where another is there too: a long shot has thousands that come and go
        for k in np.flatnonzero((begins <= track.times[-1]) & (ends >= track.times[0])).tolist():
            met = slice(*np.searchsorted(track.times, [begins[k], np.nextafter(ends[k], np.inf)]))
            now = np.interp(track.times[met], tracks[k].times, moments[k])
            np.maximum(best[met], now, out=best[met])
        weights.append(np.where(best > 0, own / np.maximum(best, 1e-12), 0.0) ** SHARPNESS)
    return weights


def _meet(a: ObservedTrack, b: ObservedTrack) -> bool:
    return bool(a.times[0] <= b.times[-1] and b.times[0] <= a.times[-1])


def _moment(track: ObservedTrack, others: Sequence[ObservedTrack]) -> Floats:
    """How a track stands at each of its times against its own average (N,), around 1."""
    step = float(np.median(np.diff(track.times))) if len(track.times) > 1 else 1.0
    confidence = _around(track.score, MOMENT_S / step)
    busy = _around(object_speed(track), 2 * MOMENT_S / step)
    motion = (busy + STILL_SPEED) / (busy.max() + STILL_SPEED)
    tight = _around(1 - LOOSE_LOSS * _loose(track, others), MOMENT_S / step)
    return np.sqrt(confidence / max(float(track.score.mean()), 1e-6)) * (0.5 + 0.5 * motion) * tight


def _around(values: Floats, width: float) -> Floats:
    """Mean over `width` samples on either side, fewer at the ends."""
    n = max(int(width), 0)
    kernel = np.ones(2 * n + 1)
    return (
        np.convolve(values, kernel)[n : n + len(values)]
        / np.convolve(np.ones(len(values)), kernel)[n : n + len(values)]
    )


def _loose(track: ObservedTrack, others: Sequence[ObservedTrack]) -> Floats:
    """1 where a box is drawn around something sizeable, or of its own kind, that is seen more surely by
    itself, else 0."""
    loose = np.zeros(len(track.times))
    for other in others:
        if other is track or not _meet(track, other):
            continue
        _, i, j = np.intersect1d(track.times, other.times, return_indices=True)
        outer, inner = track.xyxy[i], other.xyxy[j]
        part = area(inner) / np.maximum(area(outer), 1e-9)
        within = intersection(outer, inner) / np.maximum(area(inner), 1e-9)
        counts = (part < 0.6) & ((part > 0.02) | (other.label == track.label))
        loose[i] = np.maximum(loose[i], (within > 0.85) & counts & (other.score[j] > track.score[i]))
    return loose
