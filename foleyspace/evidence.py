"""Why an object was taken for sounding or not: one factor for each thing that speaks for it.

The score is a product, as of independent likelihood ratios on a prior: what the class is, what is heard
against what the class sounds like (calibrated on sounds held aside, `hearing.affinity`), size, the
detector's confidence, how long it is seen, how much it moves, whether it does so in step with the sound,
how centrally it is framed. Every factor has a floor, so that one missing cue does not silence an object.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foleyspace.boxes import area
from foleyspace.envelope import Envelope, mean_before
from foleyspace.observed import CELLS, REACH, ObservedTrack
from foleyspace.sounding_priors import sound_prior
from foleyspace.types import Floats

STILL_SPEED = 0.01  # frame widths per second: an object at this speed has half the evidence of motion
# who films something keeps it off the top and bottom edges, where ground and sky rush by; less so the sides
FRAMED = np.array([0.5, 0.3])  # standard deviations of where things are framed, in pictures


@dataclass(frozen=True)
class Evidence:
    """Every factor of a track's score, as shown in the report. `affinity`: how much more likely what is
    heard is if an object of this class makes it, 1 when nothing was listened to; `held`: offset in box
    widths and heights of what a person was seen to hold, None for nothing; `share`: the mean weight the
    track got against the others of its shot."""

    id: str
    label: str
    start: float
    end: float
    prior: float
    affinity: float
    size: float
    confidence: float
    persistence: float
    motion: float
    synchrony: float
    centrality: float
    handled: bool
    score: float
    share: float
    held: tuple[float, float] | None = None


def gather(track: ObservedTrack, heard: Envelope | None, affinity: float, shot_s: float) -> Evidence:
    """The evidence for one track of a shot that lasts `shot_s`, before others compete."""
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
        affinity=affinity,
        size=size,
        confidence=confidence,
        persistence=persistence,
        motion=motion,
        synchrony=sync,
        centrality=centrality,
        handled=False,
        score=prior * affinity * size * confidence * persistence * motion * sync * centrality,
        share=0.0,
        held=_held(track),
    )


def _held(track: ObservedTrack) -> tuple[float, float] | None:
    if track.held is None or track.held[:, 2].sum() <= 0:
        return None
    x, y = (track.held[:, :2] * track.held[:, 2:]).sum(axis=0) / track.held[:, 2].sum()
    return float(x), float(y)


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
    loud, onset = (mean_before(times, heard.times, series) for series in (level, heard.onset))
    motion = np.log(speed + STILL_SPEED / 3)
    rise = np.maximum(0, np.diff(motion, prepend=motion[0]))
    best = max(_correlation(loud, motion), _correlation(onset, rise))
    # against chance: the standard error of a correlation of smooth series, about 4 samples each
    chance = 1 / np.sqrt(max(len(times) / 4 - 1, 1))
    return float(np.clip(1 + 0.5 * (best - chance) / (1 + chance), 0.7, 2))


def _correlation(a: Floats, b: Floats) -> float:
    def at(x: Floats, y: Floats) -> float:
        x, y = x - x.mean(), y - y.mean()
        norm = float(np.sqrt((x * x).sum() * (y * y).sum()))
        return float((x * y).sum()) / norm if norm > 1e-9 else 0.0

    return max(at(a, b), at(a[1:], b[:-1]), at(a[:-1], b[1:]))
