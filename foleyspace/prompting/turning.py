"""Ways that turn: circles, swings, and which way round from one direction to another."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from foleyspace.prompting.distances import DEFAULT_M, FAR_M, NEAR_M
from foleyspace.prompting.places import Place, wrap
from foleyspace.prompting.view import Phrase
from foleyspace.types import Floats

ARC_STEP_DEG = 4.0
SWINGS = 2.0  # "back and forth" with no count
MAX_TURNS = 50.0

Path = tuple[Floats, Floats, Floats, Floats]


def _turns(stage: Sequence[Phrase], default: float) -> float:
    for phrase in stage:
        if phrase.kind == "turns":
            text = phrase.groups.get("num") or phrase.groups["often"]
            words = {"once": 1.0, "twice": 2.0, "thrice": 3.0, "a": 1.0, "half": 0.5, "half a": 0.5}
            words |= {w: float(k) for k, w in enumerate(("one", "two", "three", "four", "five", "six"), 1)}
            value = words.get(text)
            return min(max(float(text) if value is None else value, 0.25), MAX_TURNS)
    return default


def circle(
    stage: Sequence[Phrase],
    own: Place,
    origin: Place,
    target: Place,
    before: Place | None,
) -> Path:
    """(share of the time (N,), azimuth, elevation, distance) of one turn or as many as are said."""
    turns = _turns(stage, 1.0)
    clockwise = any(p.groups.get("spin") == "clockwise" for p in stage)
    if target.azimuth_deg is not None and target.azimuth_deg < 0:
        clockwise = True
    if (
        target.azimuth_deg is not None
        and abs(target.azimuth_deg) == 90
        and not any(p.kind == "finish" for p in stage)
    ):
        target = Place()  # "once around my head, turning to the right": which way it turns
    start = next(
        (p.azimuth_deg for p in (origin, own, before) if p is not None and p.azimuth_deg is not None), 0.0
    )
    distance = own.distance_m or origin.distance_m or (before.distance_m if before else None) or DEFAULT_M
    end_m = target.distance_m or distance
    if any(p.kind == "approach" for p in stage):
        end_m = NEAR_M if distance > NEAR_M else distance / 2
    elif any(p.kind == "recede" for p in stage):
        end_m = max(FAR_M, distance)
    n = math.ceil(360 * turns / ARC_STEP_DEG) + 1
    u = np.linspace(0, 1, n)
    around = -360.0 * turns if clockwise else 360.0 * turns
    if target.azimuth_deg is not None:  # "circles and lands on the right"
        around += wrap(target.azimuth_deg - start - around)
    azimuth = start + around * u
    elevation = np.full(n, own.elevation_deg or 0.0)
    return u, azimuth, elevation, distance + (end_m - distance) * u


def swings(stage: Sequence[Phrase], own: Place, origin: Place, target: Place) -> Path:
    a = 90.0 if origin.azimuth_deg is None else origin.azimuth_deg
    b = -a if target.azimuth_deg is None else target.azimuth_deg
    swings = min(_turns(stage, SWINGS), MAX_TURNS)
    delta = way(a, b, None)
    n = math.ceil(2 * swings * max(abs(delta), 1) / ARC_STEP_DEG) + 1
    u = np.linspace(0, 1, n)
    triangle = 1 - np.abs((2 * swings * u) % 2 - 1)
    return (
        u,
        a + delta * triangle,
        np.full(n, own.elevation_deg or 0.0),
        np.full(n, own.distance_m or DEFAULT_M),
    )


def way(start: float, end: float, through: float | None) -> float:
    """Degrees to turn from `start` to `end`: the shorter way, or the one that passes `through`; between
    opposite places through the front, from front to back by the left."""
    delta = (end - start + 180.0) % 360.0 - 180.0
    if abs(delta) < 1e-6:
        return 0.0
    other = delta - 360.0 if delta > 0 else delta + 360.0
    if through is None:
        if abs(abs(delta) - 180.0) > 0.5:
            return delta
        through = 0.0 if abs(math.sin(math.radians(start))) > 0.01 else 90.0
    for way in (delta, other):
        along = (through - start) % 360.0 if way > 0 else (start - through) % 360.0
        if along <= abs(way) + 1e-6:
            return way
    return delta
