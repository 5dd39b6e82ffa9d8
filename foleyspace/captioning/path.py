"""What a source does, before it is put into words: when it sounds, and the legs of its way.

A way is cut where its azimuth turns round or stops (Douglas-Peucker on the azimuth over time, then legs of
one sense joined: a pass on a straight line is slow, fast, slow, and one movement all the same). Where the
azimuth stays, the same is done with the distance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from foleyspace.camera import xyz_to_angles
from foleyspace.propagation import SILENT_DB, position
from foleyspace.types import Floats, Source

STEP_S, MAX_SAMPLES = 0.05, 600
SHORTEST_S = 0.1  # shorter sounds are left out where there are others
JUMP_S = 0.3  # a shorter leg is a jump from one place to the next
GAP_S = 0.25  # shorter pauses are not told
STILL_DEG = 16.0  # a leg that turns less than this stays where it is
AZIMUTH_TOLERANCE_DEG = 8.0
DRIFT = 0.4  # of the tolerance: a stretch beside a movement that drifts so much in its sense is no stop
STILL_LOG = np.log(1.9)  # a leg whose distance changes by less stays where it is
CIRCLE_DEG = 330.0  # a leg that turns this much circles
AROUND_DEG = 180.0  # a source at least this wide is all around
RISE_DEG = 30.0
OVERHEAD_DEG = 75.0  # from here up (or down) an azimuth says nothing
UNSEEN = 0.2  # a leg visible for less of its time than this is off screen


@dataclass(frozen=True)
class Leg:
    """From `start_s` to `end_s`: `azimuth_deg` at both ends, in (-180, 180], and `turn_deg` between them
    (positive to the left, more than 360 for several rounds); `elevation_deg` and `distance_m` at both ends
    and in the middle of the way; `mean_azimuth_deg`, and `seen` on the screen."""

    start_s: float
    end_s: float
    azimuth_deg: tuple[float, float]
    turn_deg: float
    elevation_deg: tuple[float, float, float]
    distance_m: tuple[float, float, float]
    mean_azimuth_deg: float
    seen: bool
    around: bool

    @property
    def overhead(self) -> int:
        """1 straight above, -1 straight below all the time, 0 neither."""
        lowest, highest = min(self.elevation_deg), max(self.elevation_deg)
        return int(lowest >= OVERHEAD_DEG) - int(highest <= -OVERHEAD_DEG)

    @property
    def turns(self) -> bool:
        return abs(self.turn_deg) > STILL_DEG and not self.overhead

    @property
    def circles(self) -> bool:
        return abs(self.turn_deg) >= CIRCLE_DEG and not self.overhead

    @property
    def nearing(self) -> int:
        """1 when it comes closer, -1 when it goes away, 0 when it does neither."""
        start, _, end = self.distance_m
        change = float(np.log(start / end))
        return int(np.sign(change)) if abs(change) > STILL_LOG else 0

    @property
    def rising(self) -> int:
        """1 when it rises, -1 when it falls, 0 when it does neither."""
        start, _, end = self.elevation_deg
        return int(np.sign(end - start)) if abs(end - start) > RISE_DEG else 0


def sounding_spans(source: Source, duration: float, most: int | None = None) -> list[tuple[float, float]]:
    """From when to when (s) the source sounds inside [0, `duration`]: apart from where its gain is
    `SILENT_DB` or less. With `most`, pauses are bridged, the shortest first, until there are no more."""
    assert source.gain_db is not None
    loud = source.gain_db > SILENT_DB
    edges = np.flatnonzero(np.diff(np.r_[False, loud, False].astype(int)))
    spans: list[tuple[float, float]] = []
    for first, beyond in edges.reshape(-1, 2):
        start = 0.0 if first == 0 else float(source.times[first - 1])
        end = duration if beyond == len(loud) else float(source.times[beyond])
        start, end = max(start, 0.0), min(end, duration)
        if end > start:
            spans.append((start, end))
    pause = GAP_S
    while True:
        spans = _bridged(spans, pause)
        if most is None or len(spans) <= most:
            break
        pause = min(b[0] - a[1] for a, b in pairwise(spans)) * 1.01
    long = [span for span in spans if span[1] - span[0] >= SHORTEST_S]
    return long or spans[:1]


def _bridged(spans: list[tuple[float, float]], pause: float) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for span in spans:
        if joined and span[0] - joined[-1][1] <= pause:
            joined[-1] = (joined[-1][0], span[1])
        else:
            joined.append(span)
    return joined


def legs(source: Source, duration: float, most: int = 4) -> tuple[Leg, ...]:
    """The legs of a source over the time it sounds, in order: about `most`, or one a sounding span.

    A source that never sounds has none.
    """
    spans = sounding_spans(source, duration, most)
    tolerance = 1.0
    while True:
        found = [leg for span in spans for leg in _span_legs(source, span, tolerance)]
        if len(found) <= max(most, len(spans)) or tolerance > 16:
            return tuple(found)
        tolerance *= 1.5


def leg_between(source: Source, start_s: float, end_s: float) -> Leg:
    """The whole way from `start_s` to `end_s` (s) as one leg."""
    return _leg(*_sampled(source, start_s, end_s))


def _sampled(source: Source, start_s: float, end_s: float) -> tuple[Floats, ...]:
    """times, azimuth (unwrapped), elevation, distance, seen, spread: (n,) each."""
    count = int(np.clip((end_s - start_s) / STEP_S, 3, MAX_SAMPLES))
    times = np.linspace(start_s, end_s, count)
    own = source.times[(source.times > start_s) & (source.times < end_s)]
    if len(own) <= MAX_SAMPLES:  # its own corners too: a jump stays one
        times = np.unique(np.r_[times, own])
    azimuth, elevation, distance = xyz_to_angles(position(source, times))
    azimuth = np.degrees(np.unwrap(np.radians(azimuth)))
    sure = abs(elevation) < OVERHEAD_DEG
    if sure.any():
        azimuth = np.interp(times, times[sure], azimuth[sure])
    assert source.visible is not None
    assert source.spread_deg is not None
    seen = np.interp(times, source.times, source.visible.astype(float))
    spread = np.interp(times, source.times, source.spread_deg)
    return times, azimuth, elevation, distance, seen, spread


def _leg(
    times: Floats, azimuth: Floats, elevation: Floats, distance: Floats, seen: Floats, spread: Floats
) -> Leg:
    middle = len(times) // 2
    weight, radians = np.gradient(times), np.radians(azimuth)
    mean = np.degrees(np.arctan2(weight @ np.sin(radians), weight @ np.cos(radians)))
    return Leg(
        float(times[0]),
        float(times[-1]),
        (_wrapped(azimuth[0]), _wrapped(azimuth[-1])),
        float(azimuth[-1] - azimuth[0]),
        (float(elevation[0]), float(elevation[middle]), float(elevation[-1])),
        (float(distance[0]), float(distance[middle]), float(distance[-1])),
        float(mean),
        bool(seen.mean() >= UNSEEN),
        bool(spread.mean() >= AROUND_DEG),
    )


def _wrapped(azimuth_deg: float) -> float:
    return float(180 - (180 - azimuth_deg) % 360)


def _span_legs(source: Source, span: tuple[float, float], tolerance: float) -> list[Leg]:
    series = _sampled(source, *span)
    times, azimuth, elevation, distance, _, _ = series
    ends = [0, len(times) - 1]
    if min(abs(elevation)) < OVERHEAD_DEG:
        ends = _pieces(times, azimuth, AZIMUTH_TOLERANCE_DEG * tolerance, STILL_DEG)
    cut: list[int] = []
    for a, b in pairwise(ends):
        cut.append(a)
        if abs(azimuth[b] - azimuth[a]) <= STILL_DEG:
            inner = _pieces(times[a : b + 1], np.log(distance[a : b + 1]), 0.3 * tolerance, STILL_LOG)
            cut += [a + i for i in inner[1:-1]]
    cut.append(ends[-1])
    stretches = list(pairwise(cut))
    # one too short to be a movement is a jump: those beside it meet in its middle
    stretches = [(a, b) for a, b in stretches if times[b] - times[a] >= JUMP_S] or [(cut[0], cut[-1])]
    stretches = [part for stretch in stretches for part in _rounds(azimuth, *stretch)]
    edges = [(times[a] + times[b]) / 2 for (_, a), (b, _) in pairwise(stretches)]
    found = [_leg(*(values[a : b + 1] for values in series)) for a, b in stretches]
    return [
        replace(leg, start_s=float(start), end_s=float(end))
        for leg, (start, end) in zip(found, pairwise([span[0], *edges, span[1]]), strict=True)
    ]


def _rounds(azimuth: Floats, first: int, last: int) -> list[tuple[int, int]]:
    """A stretch of whole rounds and more as two: the rounds, and the rest."""
    turned = abs(azimuth[first : last + 1] - azimuth[first])
    rest = 360 - CIRCLE_DEG
    full = 360 * ((turned[-1] + rest) // 360)
    if not full or turned[-1] - full <= rest:
        return [(first, last)]
    middle = first + int(np.argmax(turned >= full))
    return [(first, middle), (middle, last)] if middle < last else [(first, last)]


def _pieces(times: Floats, values: Floats, tolerance: float, still: float) -> list[int]:
    """Where the series is to be cut, its ends included: stretches that rise, fall or stay."""
    knots = _douglas_peucker(times, values, tolerance)

    def sense(a: int, b: int) -> int:
        change = values[b] - values[a]
        return int(np.sign(change)) if abs(change) > still else 0

    def drifts(way: int) -> Callable[[int, int], bool]:
        return lambda a, b: times[b] - times[a] < 0.5 or _drift(values[a : b + 1]) * way > tolerance * DRIFT

    # a stop beside a movement that goes on in the movement's sense is part of it
    cuts = knots
    while True:
        kept = [cuts[0]]
        joined = False
        for i in range(1, len(cuts) - 1):
            a, b, c = kept[-1], cuts[i], cuts[i + 1]
            before, after = sense(a, b), sense(b, c)
            same = before == after
            if before and not after:
                same = drifts(before)(b, c) and values[c] * before >= values[b] * before - tolerance / 2
            elif after and not before:
                same = drifts(after)(a, b) and values[a] * after <= values[b] * after + tolerance / 2
            elif not before and not after:
                same = abs(values[c] - values[a]) <= still and _spread(values[a : c + 1]) <= still
            if same and not joined:
                joined = True
            else:
                kept.append(b)
        kept.append(cuts[-1])
        cuts = kept
        if not joined:
            return cuts


def _drift(values: Floats) -> float:
    """How much higher the last third is than the first."""
    third = max(len(values) // 3, 1)
    return float(values[-third:].mean() - values[:third].mean())


def _spread(values: NDArray[np.float64]) -> float:
    return float(values.max() - values.min())


def _douglas_peucker(times: Floats, values: Floats, tolerance: float) -> list[int]:
    """Indices of the points that a broken line needs to stay within `tolerance` of all, at every time."""
    keep, open_ = {0, len(times) - 1}, [(0, len(times) - 1)]
    while open_:
        a, b = open_.pop()
        if b - a < 2:
            continue
        line = np.interp(times[a + 1 : b], times[[a, b]], values[[a, b]])
        error = abs(values[a + 1 : b] - line)
        worst = int(error.argmax())
        if error[worst] > tolerance:
            keep.add(a + 1 + worst)
            open_ += [(a, a + 1 + worst), (a + 1 + worst, b)]
    return sorted(keep)
