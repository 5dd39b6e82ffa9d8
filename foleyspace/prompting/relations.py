"""Places told by other sources: "left of the dog", "between the two", "on her left"."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from foleyspace.prompting.clause import Clause, fits
from foleyspace.prompting.distances import contradiction
from foleyspace.prompting.patterns import WEAK
from foleyspace.prompting.places import Place, wrap
from foleyspace.prompting.view import Phrase, Reference
from foleyspace.prompting.words import HYPERNYMS
from foleyspace.types import Floats

SIDE_STEP_DEG, BESIDE_DEG, HEIGHT_STEP_DEG = 30.0, 15.0, 30.0
NEAREST_M, MAX_ELEVATION_DEG = 0.2, 85.0
SIDES = ("left", "right", "beside")
CLEARLY = 0.1  # of the way from the middle to the ear: further left by so much is left of
_OPPOSED = ({"left", "right"}, {"behind", "front"}, {"above", "below"}, {"nearer", "further"})


@dataclass(frozen=True)
class Track:
    """A place over time: `times` (N,) s, `azimuth_deg` (N,) unwrapped, `elevation_deg` (N,), `distance_m`
    (N,), N = 1 for what stands still; `imagined`: of a thing that is no source."""

    times: Floats
    azimuth_deg: Floats
    elevation_deg: Floats
    distance_m: Floats
    imagined: bool = False


def still(azimuth_deg: float, elevation_deg: float, distance_m: float) -> Track:
    one = [np.array([value]) for value in (azimuth_deg, elevation_deg, distance_m)]
    return Track(np.zeros(1), one[0], one[1], one[2])


def find(reference: Reference, clauses: Sequence[Clause], own: int) -> int | None:
    """The source meant, or None when no source of the text fits."""
    order = sorted((k for k in range(len(clauses)) if k != own), key=lambda k: (k > own, abs(own - k)))
    if reference.label is not None:
        return next((k for k in order if clauses[k].label == reference.label), None)
    head = reference.words[-1]
    if head in ("her", "his", "its", "their", "him", "it", "them", "she", "he", "that", "this"):
        before = [k for k in order if k < own]
        for k in before:  # "to the left of it a viola, and to the right of it a bass": the same "it"
            told = [r for stage in clauses[k].stages for p in stage for r in p.refs if r.words[-1] == head]
            if told and clauses[k].sentence == clauses[own].sentence and told[-1] is not reference:
                return find(told[-1], clauses, k)
        # of several people who could be "her" the first: the others are told by her
        fitting = [k for k in before if fits(head, clauses[k]) == 2]
        fitting += sorted(
            (k for k in before if fits(head, clauses[k]) == 1),
            key=lambda k: (any(p.refs for stage in clauses[k].stages for p in stage), k),
        )
        return next(iter([*fitting, *before, *order]), None)
    best: tuple[float, int] | None = None
    for k in order:
        score = _likeness(reference.words, clauses[k].names)
        if score > 0.5 and (best is None or score > best[0] + 1e-9):
            best = (score, k)
    return best[1] if best else None


def _likeness(words: Sequence[str], names: set[str]) -> float:
    head = max((_same_word(words[-1], name) for name in names), default=0.0)
    others = [max((_same_word(word, name) for name in names), default=0.0) for word in words[:-1]]
    if head == 0.0:
        head = 0.6 * max(others, default=0.0)
    return head + 0.2 * sum(others) / max(len(others), 1)


def _same_word(a: str, b: str) -> float:
    if a == b or a + "s" == b or b + "s" == a:
        return 1.0
    if b in HYPERNYMS.get(a, "").split() or a in HYPERNYMS.get(b, "").split():
        return 0.8
    common = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return 0.7 if common >= 4 and common >= 0.6 * min(len(a), len(b)) else 0.0


def sideways(azimuth_deg: Floats, by_deg: float) -> Floats:
    """Moved towards the left (`by_deg` > 0) or right as the listener sees it.

    In front that is counter-clockwise; behind the listener, where turning left leads to the right hand side,
    the other way round, but no further than straight to the side.
    """
    angle = np.degrees(np.arctan2(np.sin(np.radians(azimuth_deg)), np.cos(np.radians(azimuth_deg))))
    front = np.abs(angle) <= 90.0
    turned = np.where(angle >= 0, angle, angle + 360.0)  # 180 in the middle of the rear half
    rear = turned - by_deg
    rear = np.maximum(rear, 90.0) if by_deg > 0 else np.minimum(rear, 270.0)
    moved = np.where(front, angle + by_deg, rear)
    return np.asarray(azimuth_deg + np.degrees(_difference(np.radians(moved), np.radians(azimuth_deg))))


def _difference(a: Floats, b: Floats) -> Floats:
    return np.arctan2(np.sin(a - b), np.cos(a - b))


def place_by(
    phrases: Sequence[tuple[Phrase, list[Track]]], own: Place, offset_m: float | None, label: str
) -> Track:
    """The place that relations tell, with what the source says of itself (`own`); `offset_m`: a distance said
    with the relation ("2 metres behind the dog")."""
    for (one, at), (two, other) in combinations(phrases, 2):
        pair = {one.groups["relation"], two.groups["relation"]}
        if pair in _OPPOSED and all(a is b for a, b in zip(at, other, strict=False)):
            contradiction(label, one.text, two.text)
    parts = [_apply(phrase, tracks, offset_m) for phrase, tracks in phrases]
    times = max(parts, key=lambda track: len(track.times)).times
    kinds = [phrase.groups["relation"] for phrase, _ in phrases]
    placing = [
        k for k, kind in enumerate(kinds) if kind not in ("above", "below", "nearer", "further", "distance")
    ]
    lead = parts[placing[0]] if placing else parts[0]
    azimuth = _on(times, lead.times, lead.azimuth_deg)
    for k in placing[1:]:
        second = _on(times, parts[k].times, parts[k].azimuth_deg)
        azimuth = azimuth + np.degrees(_difference(np.radians(second), np.radians(azimuth))) / 2
    elevation = _on(times, lead.times, lead.elevation_deg)
    distance = _on(times, lead.times, lead.distance_m)
    for kind, part in zip(kinds, parts, strict=True):
        if kind in ("above", "below"):
            elevation = _on(times, part.times, part.elevation_deg)
        if kind in ("nearer", "further", "distance", "behind", "front"):
            distance = _on(times, part.times, part.distance_m)
    if (
        kinds == ["beside"]
        and not phrases[0][1][0].imagined
        and own.azimuth_deg is not None
        and abs(own.azimuth_deg) == 90
    ):
        track = phrases[0][1][0]  # "next to him on the left"
        azimuth = sideways(track.azimuth_deg, math.copysign(SIDE_STEP_DEG, own.azimuth_deg))
    elif own.azimuth_deg is not None and not own.straight:
        told = np.radians(azimuth)
        away = np.abs(np.degrees(_difference(told, np.full_like(told, np.radians(own.azimuth_deg)))))
        # "on the left, to the right of the cat", which is further ahead: on the left all the same
        vague = abs(own.azimuth_deg) == 90 and (np.sin(told) * own.azimuth_deg > 0).all()
        sided = bool(set(kinds) & set(SIDES)) and ((away < 46).all() or vague)
        if not sided or _true(phrases, own.azimuth_deg):
            azimuth = np.full_like(azimuth, own.azimuth_deg)
    if own.elevation_deg is None and own.azimuth_deg is not None and set(kinds) <= _HOW_FAR:
        elevation = np.zeros_like(elevation)  # "on the left, closer than the plane" is no higher for that
    if own.elevation_deg is not None:
        elevation = np.full_like(elevation, own.elevation_deg if not own.straight else 45.0)
    if own.distance_m is not None and offset_m is None:
        distance = np.full_like(distance, own.distance_m)
    return Track(times, azimuth, np.clip(elevation, -90, 90), np.maximum(distance, NEAREST_M))


_HOW_FAR = frozenset(("nearer", "further", "distance"))


def _true(phrases: Sequence[tuple[Phrase, list[Track]]], azimuth_deg: float) -> bool:
    """Whether what is at `azimuth_deg` is left and right of what it is said to be: it only says so."""
    sides = [(phrase, tracks) for phrase, tracks in phrases if phrase.groups["relation"] in SIDES]
    lateral = math.sin(math.radians(azimuth_deg))
    further = [
        (lateral - np.sin(np.radians(tracks[0].azimuth_deg)))
        * {"left": 1, "right": -1, "beside": 0}[phrase.groups["relation"]]
        for phrase, tracks in sides
    ]
    return bool(sides) and all((by > CLEARLY).all() for by in further)


def _on(times: Floats, known: Floats, values: Floats) -> Floats:
    return np.interp(times, known, values)


def _apply(phrase: Phrase, tracks: list[Track], offset_m: float | None) -> Track:
    kind = phrase.groups["relation"]
    track = tracks[0]
    azimuth, elevation, distance = track.azimuth_deg, track.elevation_deg, track.distance_m
    step = _step(phrase)
    if kind == "between" and len(tracks) > 1:
        return _between(tracks)
    if kind in ("left", "right", "beside"):
        by = {"left": step or SIDE_STEP_DEG, "right": -(step or SIDE_STEP_DEG), "beside": -BESIDE_DEG}[kind]
        azimuth = sideways(azimuth, by)
    elif kind == "mirror" and phrase.groups.get("side"):  # "at the same angle to the right"
        wrapped = np.degrees(np.arctan2(np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))))
        azimuth = np.abs(wrapped) * (1 if phrase.groups["side"] == "left" else -1)
    elif kind == "mirror":
        azimuth = -azimuth
    elif kind == "opposite":
        azimuth = azimuth + 180.0
    elif kind in ("behind", "further"):
        distance = distance * 2 if offset_m is None else distance + offset_m
    elif kind in ("front", "nearer", "between"):
        distance = distance / 2 if offset_m is None else np.maximum(distance - offset_m, NEAREST_M)
    elif kind in ("above", "below"):
        rise = (step or HEIGHT_STEP_DEG) * (1 if kind == "above" else -1)
        elevation = np.clip(elevation + rise, -MAX_ELEVATION_DEG, MAX_ELEVATION_DEG)
    return Track(track.times, azimuth, elevation, distance)


def _step(phrase: Phrase) -> float | None:
    words = phrase.groups.get("mod", "")
    if "num" in phrase.groups:
        return float(phrase.groups["num"])
    if "degrees" in words:
        return float(words.split()[0])
    if words in (*WEAK.split("|"), "immediately"):
        return SIDE_STEP_DEG / 2
    return 2 * SIDE_STEP_DEG if words == "far" else None


def _between(tracks: list[Track]) -> Track:
    a, b = max(tracks, key=lambda t: len(t.times)), min(tracks, key=lambda t: len(t.times))
    if a is b:
        a, b = tracks[0], tracks[1]
    other = _on(a.times, b.times, b.azimuth_deg)
    half = np.degrees(_difference(np.radians(other), np.radians(a.azimuth_deg))) / 2
    # opposite places: through the front
    ambiguous = np.abs(np.abs(half) - 90) < 0.5
    middle = a.azimuth_deg + half
    flipped = np.where(ambiguous & (np.cos(np.radians(middle)) < -0.01), middle + 180, middle)
    return Track(
        a.times,
        flipped,
        (a.elevation_deg + _on(a.times, b.times, b.elevation_deg)) / 2,
        (a.distance_m + _on(a.times, b.times, b.distance_m)) / 2,
    )


def listener_half(track: Track) -> Track:
    """Between the listener and a source."""
    return Track(track.times, track.azimuth_deg, track.elevation_deg, track.distance_m / 2)


def as_place(track: Track, last: bool) -> Place:
    """Where a track starts, or ends."""
    k = -1 if last else 0
    return Place(wrap(float(track.azimuth_deg[k])), float(track.elevation_deg[k]), float(track.distance_m[k]))
