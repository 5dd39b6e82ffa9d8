"""Which objects sound, and where on them: audio-visual synchrony, what the object is, how it moves.

A later stage may hear what the sound is; here the evidence is what the picture and the loudness show:
score = prior of the class x size x confidence x persistence x motion x synchrony x how centrally it is
framed, each in a form that one missing cue does not silence an object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from foleyspace.envelope import Envelope
from foleyspace.observed import CELLS, REACH, ObservedTrack
from foleyspace.sounding_priors import ANIMATE, sound_prior
from foleyspace.stitch import area, by_shot, intersection, shot_length
from foleyspace.types import Clip, Floats, Track

SHARPNESS = 4.0  # how strongly the best candidate takes the sound: shares go as score ** SHARPNESS
STILL_SPEED = 0.01  # frame widths per second: an object at this speed has half the evidence of motion
# who films something keeps it off the top and bottom edges, where ground and sky rush by; less so the sides
FRAMED = np.array([0.5, 0.3])  # standard deviations of where things are framed, in pictures
MOMENT_S = 1.0  # what an object does counts for this long before and after
LOOSE_LOSS = 0.8
HANDLED_OVERLAP = 0.15  # of the smaller box
HANDLED_DRIFT = 0.4  # of both boxes' widths together
HANDLED_SPEED = 0.25  # of the person's
MIN_SCORE = 0.005  # candidates below this make no sound: the picture gives no reason to think so


@dataclass(frozen=True)
class Evidence:
    """Why a track was taken for sounding or not: every factor of its score, as shown in the report."""

    id: str
    label: str
    start: float
    end: float
    prior: float
    size: float
    confidence: float
    persistence: float
    motion: float
    synchrony: float
    centrality: float
    handled: bool
    score: float
    share: float


def sounding_tracks(
    observed: Sequence[ObservedTrack], clip: Clip, heard: Envelope | None
) -> tuple[tuple[Track, ...], tuple[Evidence, ...]]:
    """A track with a focus point and a sounding weight over time for each of `observed` (fragments
    joined), in their order, and the evidence for each.

    Objects compete inside their shot, at every moment anew. `heard` None or silent: nothing to compare
    with, the picture alone decides.
    """
    evidence: list[Evidence] = [_evidence(track, heard, shot_length(track, clip)) for track in observed]
    weights: list[Floats] = [np.zeros(len(track.times)) for track in observed]
    for members in by_shot(observed, clip):
        inside = [observed[i] for i in members]
        scored = _hand_over(inside, [evidence[i] for i in members])
        found = _weights(inside, scored)
        for i, entry, weight in zip(members, scored, found, strict=True):
            evidence[i] = replace(entry, share=float(weight.mean()))
            weights[i] = weight
    tracks = tuple(
        Track(
            id=track.id,
            label=track.label,
            times=track.times,
            xyxy=track.xyxy,
            focus_xy=focus_point(track),
            score=track.score,
            sounding=weight,
        )
        for track, weight in zip(observed, weights, strict=True)
    )
    return tracks, tuple(evidence)


def _weights(tracks: Sequence[ObservedTrack], scored: Sequence[Evidence]) -> list[Floats]:
    """Weight over time of each track of a shot, in [0, 1]: the best candidate of the moment has 1.

    A track's score stands for all its time; the moment raises or lowers it by how sure the detector
    is, how much the object moves around then, and whether its box is loose.
    """
    moments = [
        entry.score * _moment(track, tracks) if entry.score >= MIN_SCORE else np.zeros(len(track.times))
        for track, entry in zip(tracks, scored, strict=True)
    ]
    weights = []
    for track, own in zip(tracks, moments, strict=True):
        best = np.max(
            [
                np.interp(track.times, other.times, score, left=0, right=0)
                for other, score in zip(tracks, moments, strict=True)
            ],
            axis=0,
        )
        weights.append(np.where(best > 0, own / np.maximum(best, 1e-12), 0.0) ** SHARPNESS)
    return weights


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
    """1 where a box is drawn around something sizeable that is seen more surely by itself, else 0."""
    loose = np.zeros(len(track.times))
    for other in others:
        common, i, j = np.intersect1d(track.times, other.times, return_indices=True)
        if other is track or not len(common):
            continue
        outer, inner = track.xyxy[i], other.xyxy[j]
        part = area(inner) / np.maximum(area(outer), 1e-9)
        within = intersection(outer, inner) / np.maximum(area(inner), 1e-9)
        loose[i] = np.maximum(
            loose[i], (within > 0.85) & (part > 0.02) & (part < 0.6) & (other.score[j] > track.score[i])
        )
    return loose


def _evidence(track: ObservedTrack, heard: Envelope | None, shot_s: float) -> Evidence:
    speed = object_speed(track)
    busy = float(np.percentile(speed, 75))
    prior = sound_prior(track.label)
    size = float(np.clip(np.median(area(track.xyxy)), 1e-4, 1) ** 0.25)
    confidence = float(np.mean(track.score)) ** 0.5
    seen_s = track.times[-1] - track.times[0]
    persistence = float(np.clip(0.15 + seen_s / max(0.5 * min(shot_s, 10.0), 0.3), 0, 1))
    motion = 0.1 + 0.9 * busy / (busy + STILL_SPEED)
    sync = 1.0 if heard is None else synchrony(track.times, speed, heard)
    centre = np.median((track.xyxy[:, :2] + track.xyxy[:, 2:]) / 2, axis=0)
    centrality = float(np.exp(-0.5 * (((centre - 0.5) / FRAMED) ** 2).sum()))
    return Evidence(
        id=track.id,
        label=track.label,
        start=float(track.times[0]),
        end=float(track.times[-1]),
        prior=prior,
        size=size,
        confidence=confidence,
        persistence=persistence,
        motion=motion,
        synchrony=sync,
        centrality=centrality,
        handled=False,
        score=prior * size * confidence * persistence * motion * sync * centrality,
        share=0.0,
    )


def object_speed(track: ObservedTrack) -> Floats:
    """Mean independent speed inside the box (N,), frame widths per second."""
    margin = round(CELLS * (1 - 1 / REACH) / 2)
    box = track.moving[:, margin : CELLS - margin, margin : CELLS - margin]
    return box.astype(np.float64).mean(axis=(1, 2))


def synchrony(times: Floats, speed: Floats, heard: Envelope) -> float:
    """How much more (> 1) or less (< 1) than by chance an object moves when the sound does: in [0.7, 2].

    The larger of the correlations of log speed with level and of the rise of speed with the onsets,
    a processed frame early or late allowed, shrunk by how little they rest on.
    """
    if len(times) < 8 or heard.silent:
        return 1.0
    level = np.maximum(heard.level_db, heard.level_db.max() - 40)
    loud, onset = (_between(times, heard.times, series) for series in (level, heard.onset))
    motion = np.log(speed + STILL_SPEED / 3)
    rise = np.maximum(0, np.diff(motion, prepend=motion[0]))
    best = max(_correlation(loud, motion), _correlation(onset, rise))
    # against chance: the standard error of a correlation of smooth series, about 4 samples each
    chance = 1 / np.sqrt(max(len(times) / 4 - 1, 1))
    return float(np.clip(1 + 0.5 * (best - chance) / (1 + chance), 0.7, 2))


def _between(times: Floats, series_times: Floats, series: Floats) -> Floats:
    """Mean of a dense series over the span before each of `times` that no earlier one has."""
    total = np.concatenate([[0.0], np.cumsum(series)])
    step = float(np.median(np.diff(times)))
    low = np.searchsorted(series_times, times - step)
    high = np.maximum(np.searchsorted(series_times, times), low + 1)
    high = np.minimum(high, len(series))
    low = np.minimum(low, high - 1)
    return (total[high] - total[low]) / (high - low)


def _correlation(a: Floats, b: Floats) -> float:
    def at(x: Floats, y: Floats) -> float:
        x, y = x - x.mean(), y - y.mean()
        norm = float(np.sqrt((x * x).sum() * (y * y).sum()))
        return float((x * y).sum()) / norm if norm > 1e-9 else 0.0

    return max(at(a, b), at(a[1:], b[:-1]), at(a[:-1], b[1:]))


def _hand_over(tracks: Sequence[ObservedTrack], scored: Sequence[Evidence]) -> list[Evidence]:
    """What a person handles makes the sound: a thing that moves with someone takes over from them."""
    out = list(scored)
    for i, thing in enumerate(tracks):
        if thing.label in ANIMATE or scored[i].motion < 0.4:
            continue
        for j, person in enumerate(tracks):
            if person.label != "person" or not _handles(person, thing):
                continue
            taken = max(out[i].score, 1.2 * scored[j].score * min(1.0, scored[i].persistence))
            out[i] = replace(out[i], score=taken, handled=True)
            out[j] = replace(out[j], score=0.5 * out[j].score)
    return out


def _handles(person: ObservedTrack, thing: ObservedTrack) -> bool:
    """Whether a thing overlaps with a person for a good while, stays where it is relative to them, and
    moves by itself about as they do."""
    _, i, j = np.intersect1d(person.times, thing.times, return_indices=True)
    a, b = person.xyxy[i], thing.xyxy[j]
    touching = intersection(a, b) > HANDLED_OVERLAP * np.minimum(area(a), area(b))
    if touching.sum() < max(4, 0.25 * len(person.times)):
        return False
    a, b, i, j = a[touching], b[touching], i[touching], j[touching]
    offset = (b[:, 0] + b[:, 2] - a[:, 0] - a[:, 2]) / 2
    drift = np.percentile(offset, 90) - np.percentile(offset, 10)
    size = np.median(a[:, 2] - a[:, 0]) + np.median(b[:, 2] - b[:, 0])
    moving = np.median(object_speed(thing)[j]) / max(float(np.median(object_speed(person)[i])), 1e-6)
    return bool(drift < HANDLED_DRIFT * size and moving > HANDLED_SPEED)


def focus_point(track: ObservedTrack) -> Floats:
    """Where on the object the sound is made, (N, 2) normalised.

    A living thing: its upper part, where mouth and hands are. A long vehicle seen along its length:
    towards the end that moves fastest on the screen, which is the near and loud one. Anything else:
    its middle.
    """
    xyxy = track.xyxy
    centre, size = (xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]
    offset = np.zeros(2)
    if track.label in ANIMATE:
        offset[1] = -0.2 * float(np.clip((size[:, 1] / np.maximum(size[:, 0], 1e-6)).mean() - 0.5, 0, 1))
    if track.label in LONG and float(np.median(size[:, 0])) > 0.3:
        offset[0] = _near_end(track)
    return np.clip(centre + offset * size, 0, 1)


LONG = frozenset({"train"})


def _near_end(track: ObservedTrack) -> float:
    """Offset of the energy of motion from the box's centre along x, in box widths, within +-0.5."""
    energy = (track.moving.astype(np.float64) ** 2).mean(axis=0)
    if energy.sum() < 1e-9:
        return 0.0
    position = ((np.arange(CELLS) + 0.5) / CELLS * 2 - 1) * REACH / 2
    return float(np.clip((energy.sum(axis=0) * position).sum() / energy.sum(), -0.5, 0.5))
