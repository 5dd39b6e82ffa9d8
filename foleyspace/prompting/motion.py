"""The phrases of one stage of a source -> its place over that time: still, from A to B, circling, coming."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from foleyspace.prompting.clause import DIRECTIONS, MOTIONS
from foleyspace.prompting.distances import DEFAULT_M, FAR_M, NEAR_M
from foleyspace.prompting.legs import Parts, split_legs
from foleyspace.prompting.places import Place, merge, wrap
from foleyspace.prompting.relations import Track, as_place, place_by, still
from foleyspace.prompting.text import UNITS_S
from foleyspace.prompting.turning import ARC_STEP_DEG, Path, circle, swings, way
from foleyspace.prompting.view import Phrase

RISE_DEG, FALL_DEG = 45.0, -30.0

Relate = Callable[[Phrase], list[Track]]


def stage_track(
    stage: Sequence[Phrase],
    window: tuple[float, float],
    before: Place | None,
    relate: Relate,
    label: str,
    notes: list[str],
) -> Track:
    """Where the source is from `window[0]` to `window[1]` s. `before`: where the last stage ended; `relate`:
    the tracks that a relation refers to. Raises `InputError` for contradictions."""
    stage = _by_the_ear(stage)
    parts = split_legs(stage)
    if before is None and any("overtakes" in phrase.groups for phrase in stage):
        before = Place(180.0)  # who overtakes was behind
    kinds = {phrase.kind for phrase in stage}
    moves = [phrase for phrase in stage if phrase.kind == "move"]
    if "distance" in kinds and moves and all("arriving" in phrase.groups for phrase in moves):
        moves = []  # "a bell comes from the left, 3 metres away" stands there
    if kinds & MOTIONS == {"finish"} and not parts.origin and not parts.own and before is None:
        parts.own, parts.target = parts.target, []  # "stops on my right"
        kinds = kinds - {"finish"}
    moving = bool(parts.target or kinds & (MOTIONS - {"move"}) or (parts.origin and moves))
    if not moving:
        return _standing(parts.own + parts.origin, window, before, relate, label, notes)
    own = _place(parts.own, relate, label, notes, directed=True)
    origin = _place(parts.origin, relate, label, notes)
    target = _place(parts.target, relate, label, notes, last=True)
    if "extent" in kinds and origin.azimuth_deg is not None and target.azimuth_deg is not None:
        # "spread from left to right": as wide as that, around its middle
        half = way(origin.azimuth_deg, target.azimuth_deg, _through(parts, own, target)) / 2
        return still(origin.azimuth_deg + half, own.elevation_deg or 0.0, own.distance_m or DEFAULT_M)
    if "circle" in kinds and (origin.azimuth_deg is None or target.azimuth_deg is None or "turns" in kinds):
        path = circle(stage, own, origin, target, before)
    elif "oscillate" in kinds:
        path = swings(stage, own, origin, target)
    else:
        path = _travel(kinds, parts, own, origin, target, before)
        if _start_assumed(kinds, parts, own, origin, target, before):
            notes.append(f"no start said for '{label}': taken from straight ahead")
    u, azimuth, elevation, distance = path
    if any(phrase.kind == "return" for phrase in stage):
        u = np.concatenate([u / 2, 1 - u[-2::-1] / 2])
        azimuth, elevation, distance = (
            np.concatenate([values, values[-2::-1]]) for values in (azimuth, elevation, distance)
        )
    takes = next((float(p.groups["a"]) * UNITS_S[p.groups["u"]] for p in stage if p.kind == "pace"), math.inf)
    times = window[0] + u * min(window[1] - window[0], max(takes, 0.1))
    if times[-1] < window[1] - 1e-6:  # it is there in time, and stays
        times = np.append(times, window[1])
        azimuth, elevation, distance = (np.append(v, v[-1]) for v in (azimuth, elevation, distance))
    return Track(times, azimuth, np.clip(elevation, -90, 90), np.maximum(distance, 0.05))


def _by_the_ear(stage: Sequence[Phrase]) -> Sequence[Phrase]:
    """ "A bullet whistles past my left ear": what sounds there does not stay, whatever the verb."""
    if {phrase.kind for phrase in stage} & MOTIONS:
        return stage
    made: list[Phrase] = []
    for phrase in stage:
        if phrase.prep == "past" and phrase.groups.get("part", "") in ("ear", "ears", "cheek"):
            made.append(replace(phrase, kind="pass", end=phrase.start + 1, groups={}))
            there = {name: value for name, value in phrase.groups.items() if name != "prep"}
            phrase = replace(phrase, start=phrase.start + 1, groups=there)
        made.append(phrase)
    return made


def _place(
    phrases: list[Phrase],
    relate: Relate,
    label: str,
    notes: list[str],
    last: bool = False,
    directed: bool = False,
) -> Place:
    relations = [p for p in phrases if p.kind == "relation"]
    plain = [p for p in phrases if p.kind != "relation"]
    place = merge(plain, label, notes)
    if not directed and place.elevation_deg is not None and not {p.kind for p in plain} & DIRECTIONS:
        place = Place(
            None, place.elevation_deg, place.distance_m
        )  # "from the floor": its side is said elsewhere
    if directed and place.straight and place.elevation_deg is not None:
        place = Place(None, math.copysign(45.0, place.elevation_deg), place.distance_m, False, False)
    elif directed and place.azimuth_deg == 0 and not {p.kind for p in plain} & DIRECTIONS:
        place = Place(None, place.elevation_deg, place.distance_m)
    found = [(p, relate(p)) for p in relations]
    found = [(p, tracks) for p, tracks in found if tracks]
    if not found:
        return place
    return as_place(place_by(found, place, None, label), last)


def _standing(
    phrases: list[Phrase],
    window: tuple[float, float],
    before: Place | None,
    relate: Relate,
    label: str,
    notes: list[str],
) -> Track:
    relations = [(p, relate(p)) for p in phrases if p.kind == "relation"]
    relations = [(p, tracks) for p, tracks in relations if tracks]
    plain = [p for p in phrases if p.kind != "relation"]
    offset = None
    for phrase, _ in relations:  # "2 metres behind the dog": how far behind, not how far away
        at = next((p for p in plain if p.kind == "distance" and p.end == phrase.start), None)
        if at is not None and "away" not in at.text:
            plain.remove(at)
            offset = merge([at], label, notes).distance_m
    place = merge(plain, label, notes)
    if not relations:
        if place.azimuth_deg is None and before is not None and before.azimuth_deg is not None:
            place = Place(before.azimuth_deg, before.elevation_deg, place.distance_m or before.distance_m)
        return still(place.azimuth_deg or 0.0, place.elevation_deg or 0.0, place.distance_m or DEFAULT_M)
    track = place_by(relations, place, offset, label)
    if len(track.times) == 1:
        return track
    inside = (track.times > window[0]) & (track.times < window[1])
    times = np.concatenate([[window[0]], track.times[inside], [window[1]]])
    return Track(
        times,
        *(
            np.interp(times, track.times, v)
            for v in (track.azimuth_deg, track.elevation_deg, track.distance_m)
        ),
    )


def _travel(
    kinds: set[str], parts: Parts, own: Place, origin: Place, target: Place, before: Place | None
) -> Path:
    known = before.azimuth_deg if before is not None else None
    through = _through(parts, own, target)
    start, end = origin.azimuth_deg, target.azimuth_deg
    if start is None and end is None:
        if "pass" in kinds:
            start, end, through = _passing(own.azimuth_deg, through, known)
        else:
            start = own.azimuth_deg if own.azimuth_deg is not None else (known or 0.0)
            end = start
    elif end is None:
        assert start is not None
        end = start
        if "pass" in kinds:
            behind = any(p.kind == "back" for p in parts.origin) and abs(math.sin(math.radians(start))) > 0.3
            end = 180.0 - start if behind else _opposite(start)  # "passes me from behind on the left"
            if any(p.kind == "up" for p in parts.own):
                end = start + 180.0  # "passes overhead from behind on the left"
        elif not kinds & {"approach", "recede", "rise", "fall"}:
            kinds = kinds | {"approach"}
    elif start is None:
        start = own.azimuth_deg if own.azimuth_deg is not None else known
        if start is None or (parts.own and not {p.kind for p in parts.own} & DIRECTIONS):
            start = end if _stays(kinds) else (_opposite(end) if "pass" in kinds else (known or 0.0))
    delta = way(start, end, through)
    heights = _heights(kinds, own, origin, target, before)
    near = _ways_in_metres(kinds, own, origin, target, before)
    over = any(p.kind == "up" for p in parts.own + parts.via) and abs(delta) > 90
    n = max(2, math.ceil(abs(delta) / ARC_STEP_DEG) + 1, 12 if over else 2)
    u = np.linspace(0, 1, n)
    elevation = heights[0] + (heights[1] - heights[0]) * u
    if over and (own.elevation_deg or 0) >= 40:
        elevation = elevation + (85.0 - elevation) * np.sin(np.pi * u)  # right over the head half way
    return u, start + delta * u, elevation, near[0] + (near[1] - near[0]) * u


def _opposite(azimuth_deg: float) -> float:
    """Where what passes the listener comes from or goes: the other side, or from the front to the back."""
    return -azimuth_deg if abs(math.sin(math.radians(azimuth_deg))) > 0.3 else azimuth_deg + 180.0


def _stays(kinds: set[str]) -> bool:
    """Whether "to the left" is where it is all the time: "comes closer to the left"."""
    return "approach" in kinds or not kinds & (MOTIONS - {"finish", "fall"})


def _start_assumed(
    kinds: set[str], parts: Parts, own: Place, origin: Place, target: Place, before: Place | None
) -> bool:
    """ "Drives off to the left", from where it never says."""
    told = before is not None or own.azimuth_deg is not None or bool(parts.origin)
    led = target.azimuth_deg is not None and origin.azimuth_deg is None
    return led and not told and not _stays(kinds) and "pass" not in kinds


def _through(parts: Parts, own: Place, target: Place) -> float | None:
    for phrase in [*parts.via, *parts.own]:
        if phrase.kind == "back":
            return 180.0
        if phrase.kind in ("front", "centre"):
            return 0.0
        if (
            phrase.kind == "lateral"
            and target.azimuth_deg is not None
            and (phrase in parts.via or parts.origin)
        ):
            return 90.0 if phrase.groups.get("side", "l")[0] == "l" else -90.0
    return None


def _passing(
    own: float | None, through: float | None, known: float | None
) -> tuple[float, float, float | None]:
    """ "Passes" with no way said: left to right, before or behind the listener; at a side: front to back,
    from behind (`known`: where it was before) to the front."""
    if own is not None and abs(math.sin(math.radians(own))) > 0.3:
        side = math.copysign(1.0, math.sin(math.radians(own)))
        overtakes = known is not None and abs(wrap(known)) > 120
        return (
            (135.0 * side, 45.0 * side, 90.0 * side)
            if overtakes
            else (45.0 * side, 135.0 * side, 90.0 * side)
        )
    behind = through == 180.0 or (own is not None and abs(own) > 90)
    return 90.0, -90.0, 180.0 if behind else 0.0


def _heights(
    kinds: set[str], own: Place, origin: Place, target: Place, before: Place | None
) -> tuple[float, float]:
    said = own.elevation_deg
    base = said if said is not None else (before.elevation_deg if before and before.elevation_deg else 0.0)
    low = base if origin.elevation_deg is None else origin.elevation_deg
    high = target.elevation_deg
    if "rise" in kinds:
        if said is not None and said > 0 and origin.elevation_deg is None:
            return 0.0, said
        return low, RISE_DEG if high is None else high
    if "fall" in kinds:
        start = RISE_DEG if origin.elevation_deg is None and base <= 0 else low
        return start, FALL_DEG if high is None else high
    if high is None:
        return low, base if origin.elevation_deg is None or said is not None else 0.0
    return low, high


def _ways_in_metres(
    kinds: set[str], own: Place, origin: Place, target: Place, before: Place | None
) -> tuple[float, float]:
    said = own.distance_m
    known = before.distance_m if before is not None else None
    if "approach" in kinds and target.distance_m is None:
        start = origin.distance_m or (said if said is not None and said > NEAR_M else None) or known or FAR_M
        start = start if start > NEAR_M else FAR_M
        return start, said if said is not None and said <= NEAR_M else NEAR_M
    if "recede" in kinds and target.distance_m is None:
        nearby = [value for value in (said, known) if value is not None and value < FAR_M]
        return origin.distance_m or next(iter(nearby), NEAR_M), max(FAR_M, said or 0.0)
    base = said or known or DEFAULT_M
    start = origin.distance_m or (base if target.distance_m is None or said or known else _other_end(target))
    return start, target.distance_m or (base if origin.distance_m is None else said or _other_end(origin))


def _other_end(place: Place) -> float:
    return FAR_M if (place.distance_m or DEFAULT_M) < DEFAULT_M else NEAR_M
