"""People make most sounds with things: a thing that goes with a person takes the sound over from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from foleyspace.boxes import area, intersection
from foleyspace.evidence import Evidence, object_speed
from foleyspace.held import HOLDERS
from foleyspace.observed import ObservedTrack
from foleyspace.sounding_priors import ANIMATE, VEHICLES, sound_kind
from foleyspace.types import Floats

TOUCHES = 0.15  # of the smaller box
DRIFT = 0.4  # of both boxes' widths together, or of the way they go together
SPEED = 0.25  # of the person's
LASTS = 0.25  # of the person's time
MOVES = 0.4  # factor of motion below which a thing only stands there
IN_HAND_SIZE = 0.5  # of the person's area: smaller things mostly inside its box are in hand, not beside
IN_HAND_WITHIN = 0.5
TAKES, LEAVES = 1.2, 0.5  # of the person's score


def hand_over(tracks: Sequence[ObservedTrack], scored: Sequence[Evidence]) -> list[Evidence]:
    """The evidence of a shot's tracks with the sound handed over from people to what they handle.

    What they have in hand does not take over: the person's own focus point goes there, with all the
    glimpses of it and not only those that were named alike for long enough to be followed. Nor does what
    is only known to move, which may be an arm, nor what goes by itself.
    """
    out, kinds = list(scored), [sound_kind(track.label) for track in tracks]
    for i, thing in enumerate(tracks):
        if kinds[i] in ANIMATE | VEHICLES or scored[i].motion < MOVES:
            continue
        for j, person in enumerate(tracks):
            apart = person.times[-1] < thing.times[0] or thing.times[-1] < person.times[0]
            if kinds[j] not in HOLDERS or apart:
                continue
            a, b, i_rows, j_rows = _together(person, thing)
            if not _goes_along(person, thing, a, b, i_rows, j_rows):
                continue
            if thing.found_by == "motion" or (_in_hand(a, b) and scored[j].held is not None):
                out[i] = replace(out[i], handled=True, score=min(out[i].score, LEAVES * scored[j].score))
                continue
            taken = max(out[i].score, TAKES * scored[j].score * min(1.0, scored[i].persistence))
            out[i] = replace(out[i], score=taken, handled=True)
            out[j] = replace(out[j], score=LEAVES * out[j].score)
    return out


Rows = np.ndarray


def _together(person: ObservedTrack, thing: ObservedTrack) -> tuple[Floats, Floats, Rows, Rows]:
    """Boxes of both while they touch, and the rows of each."""
    _, i, j = np.intersect1d(person.times, thing.times, return_indices=True)
    a, b = person.xyxy[i], thing.xyxy[j]
    touching = intersection(a, b) > TOUCHES * np.minimum(area(a), area(b))
    return a[touching], b[touching], i[touching], j[touching]


def _goes_along(person: ObservedTrack, thing: ObservedTrack, a: Floats, b: Floats, i: Rows, j: Rows) -> bool:
    """Whether a thing is with a person for a good while, stays about where it is relative to them, and
    moves by itself about as they do."""
    if len(i) < max(4, LASTS * len(person.times)):
        return False
    middle = (b[:, 0] + b[:, 2]) / 2
    drift = _range(middle - (a[:, 0] + a[:, 2]) / 2)
    size = np.median(a[:, 2] - a[:, 0]) + np.median(b[:, 2] - b[:, 0])
    moving = np.median(object_speed(thing)[j]) / max(float(np.median(object_speed(person)[i])), 1e-6)
    return bool(drift < DRIFT * max(size, 1.25 * _range(middle)) and moving > SPEED)


def _range(values: Floats) -> float:
    return float(np.percentile(values, 90) - np.percentile(values, 10))


def _in_hand(person: Floats, thing: Floats) -> bool:
    small = np.median(area(thing) / np.maximum(area(person), 1e-9)) < IN_HAND_SIZE
    within = np.median(intersection(person, thing) / np.maximum(area(thing), 1e-9)) > IN_HAND_WITHIN
    return bool(small and within)
