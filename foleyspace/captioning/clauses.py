"""Clauses: what one source does, said in one of several ways, all of which `foleyspace.prompt` reads."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from foleyspace.captioning.labels import Named
from foleyspace.captioning.path import Leg
from foleyspace.captioning.words import (
    Precision,
    direction,
    distance,
    elevation,
    metres_said,
    overhead,
    pick,
    rounds,
    span,
    wrapped,
)

EAR_M, EAR_DEG = 0.4, 15.0
STEADY = np.log(1.9)  # a distance that varies by less over a leg is told as one
STEADY_DEG = 20.0  # an elevation too
FAR_M, NEAR_M = 10.0, 1.0  # what comes closer is taken to come from the one to the other
USUAL = np.log(1.5)  # unless it is told, as it is where it differs by more than this
LONG_TURN_DEG = 145.0  # beyond this it has to be said which way round

# (one does, several do, doing)
_Verb = tuple[str, str, str]
_PASS: tuple[_Verb, ...] = (
    ("moves", "move", "moving"),
    ("passes", "pass", "passing"),
    ("goes", "go", "going"),
)
_CIRCLE: tuple[_Verb, ...] = (("circles", "circle", "circling"),)
_APPROACH: tuple[_Verb, ...] = (
    ("comes closer", "come closer", "coming closer"),
    ("approaches", "approach", "approaching"),
)
_RECEDE: tuple[_Verb, ...] = (
    ("moves away", "move away", "moving away"),
    ("goes away", "go away", "going away"),
    ("recedes", "recede", "receding"),
)
_RISE: tuple[_Verb, ...] = (("rises", "rise", "rising"),)
_FALL: tuple[_Verb, ...] = (("falls", "fall", "falling"),)
# nobody walks: that would be heard as steps, where somebody may only be speaking
_OWN_VERBS: tuple[tuple[_Verb, str], ...] = (
    (("drives", "drive", "driving"), "car|truck|bus|van|motorcycle|motorbike|taxi|tractor|lorry"),
    (("flies", "fly", "flying"), "bird|birds|bee|plane|airplane|aeroplane|helicopter|drone|mosquito|fly|jet"),
)


@dataclass(frozen=True)
class Place:
    """`at` ("on the left"), `noun` ("the left") and `more` (", above, far away", or nothing)."""

    at: str
    noun: str
    more: str


def clause(
    name: Named, way: tuple[Leg, ...], duration: float, rng: np.random.Generator, precision: Precision
) -> str:
    """One source over its whole way, without a full stop: "a car is on the left from 0 to 2 seconds, then
    moves from the left to the right from 2 to 4 seconds"."""
    parts = []
    for number, leg in enumerate(way):
        when = span(leg.start_s, leg.end_s, duration, rng)
        said = (
            leg_said(name, leg, rng, precision) if number == 0 else "then " + _next(name, leg, rng, precision)
        )
        apart = "," in said or when.startswith("for")  # "left for" would be a verb
        parts.append(f"{said}{',' if when and apart else ''}{' ' if when else ''}{when}")
    return ", ".join(parts)


def leg_said(name: Named, leg: Leg, rng: np.random.Generator, precision: Precision) -> str:
    """One source in one leg of its way, the time left out."""
    moved = _motion(name, leg, rng, precision)
    if moved is not None:
        return _moving(name, *moved, rng)
    return _still(name, place(leg, rng, precision), rng)


def place(
    leg: Leg,
    rng: np.random.Generator,
    precision: Precision,
    *,
    far_always: bool = False,
    moving: bool = False,
) -> Place:
    """Where a leg is as a whole: its mean direction, its elevation and distance where they are steady and
    not as they would be without a word (the distance whatever it is with `far_always`)."""
    more = _more(leg, rng, precision, far_always)
    if leg.around:
        return Place("all around me", "all around me", more)
    if leg.overhead:
        words = overhead(leg.overhead, rng)
        return Place(words, words, more)
    metres = float(np.median(leg.distance_m))
    if metres <= EAR_M and abs(abs(leg.mean_azimuth_deg) - 90) <= EAR_DEG and not far_always:
        ear = f"my {'left' if leg.mean_azimuth_deg > 0 else 'right'} ear"
        return Place(f"at {ear}", ear, more.replace(", very close", ""))
    said = direction(leg.mean_azimuth_deg, rng, precision, slack_deg=abs(leg.turn_deg) / 2, moving=moving)
    return Place(said.at, said.noun, more)


def _more(leg: Leg, rng: np.random.Generator, precision: Precision, far_always: bool = False) -> str:
    more = []
    if not (leg.overhead or leg.around) and np.ptp(leg.elevation_deg) <= STEADY_DEG:
        more.append(elevation(float(np.mean(leg.elevation_deg)), rng, precision))
    if leg.nearing and not leg.turns:
        start, _, end = leg.distance_m
        usual = (FAR_M, NEAR_M) if leg.nearing > 0 else (NEAR_M, FAR_M)
        if max(abs(np.log([start / usual[0], end / usual[1]]))) > USUAL:
            more.append(f"from {metres_said(start)} to {metres_said(end)}")
    elif np.ptp(np.log(leg.distance_m)) <= STEADY:
        metres = float(np.exp(np.mean(np.log(leg.distance_m))))
        more.append(distance(metres, rng, always=far_always))
    if not leg.seen:
        more.append("off screen")
    return "".join(f", {words}" for words in more if words)


def _still(name: Named, there: Place, rng: np.random.Generator) -> str:
    be = "are" if name.plural else "is"
    ways = [
        f"{name.phrase} {there.at}",
        f"the sound of {name.phrase} comes from {there.noun}",
        f"from {there.noun} comes the sound of {name.phrase}",
        f"{name.phrase} can be heard {there.at}",
        f"I hear {name.phrase} {there.at}",
        f"{there.at} there {be} {name.phrase}",
    ]
    if name.doing:
        ways += [f"{name.subject} {be} {name.doing} {there.at}", f"{name.subject} {name.does} {there.at}"]
    else:
        ways += [f"{name.phrase} {be} {there.at}"]
    return pick(tuple(ways), rng) + there.more


def _moving(name: Named, verb: _Verb, rest: str, rng: np.random.Generator) -> str:
    one, several, doing = verb
    does, be = (several, "are") if name.plural else (one, "is")
    ways = (
        f"{name.phrase} {does} {rest}",
        f"{name.phrase} {be} {doing} {rest}",
        f"the sound of {name.phrase} {one} {rest}",
        f"I hear {name.phrase} {doing} {rest}",
    )
    return pick(ways, rng)


def _next(name: Named, leg: Leg, rng: np.random.Generator, precision: Precision) -> str:
    moved = _motion(name, leg, rng, precision)
    if moved is not None:
        (one, _, doing), rest = moved
        return f"{doing if name.plural else pick((one, doing), rng)} {rest}"
    there = place(leg, rng, precision)
    return there.at + there.more


def _motion(
    name: Named, leg: Leg, rng: np.random.Generator, precision: Precision
) -> tuple[_Verb, str] | None:
    """The verb of a leg that moves and what follows it."""
    if leg.around:
        return None
    if leg.circles:
        sense = pick(("counter-clockwise", ""), rng) if leg.turn_deg > 0 else "clockwise"
        often = rounds(leg.turn_deg)
        words = ["around me", "" if often == "once" else often, sense]
        if abs(leg.azimuth_deg[0]) > EAR_DEG:
            words.append(f"from {direction(leg.azimuth_deg[0], rng, precision).noun}")
        return _CIRCLE[0], " ".join(w for w in words if w) + _more(leg, rng, precision)
    if leg.turns:
        return _turn(name, leg, rng, precision)
    sense_of = {1: _APPROACH, -1: _RECEDE}.get(leg.nearing) or {1: _RISE, -1: _FALL}.get(leg.rising)
    if sense_of is None:
        return None
    there = place(leg, rng, precision, moving=True)
    verb = sense_of[int(rng.integers(len(sense_of)))]
    where = there.at
    if leg.nearing == 1 and not leg.overhead:
        where = pick((where, f"from {there.noun}"), rng)
    return verb, where + there.more


def _turn(name: Named, leg: Leg, rng: np.random.Generator, precision: Precision) -> tuple[_Verb, str]:
    start = direction(leg.azimuth_deg[0], rng, precision).noun
    end = direction(leg.azimuth_deg[1], rng, precision).noun
    if {start, end} & {"left", "right"} and {start, end} != {"left", "right"}:  # both bare, or neither
        start, end = (f"the {w}" if w in ("left", "right") else w for w in (start, end))
    who = "" if name.subject.startswith('"') else name.subject
    verbs = _PASS + tuple(verb for verb, those in _OWN_VERBS if re.search(rf"\b({those})\b", who))
    through = ""
    first = leg.azimuth_deg[0]
    low, high = sorted((first, first + leg.turn_deg))
    if any(low + 10 < behind < high - 10 for behind in (-180, 180)):
        through = "behind me "
    elif abs(leg.turn_deg) > LONG_TURN_DEG and any(low + 10 < front < high - 10 for front in (-360, 0, 360)):
        # between the plain words it goes without saying
        plain = all(re.fullmatch("(the |my )?(left|right)( side)?", end) for end in (start, end))
        through = "" if plain else "in front of me "
    elif abs(leg.turn_deg) > LONG_TURN_DEG:
        through = f"on the {'left' if wrapped((low + high) / 2) > 0 else 'right'} "
    verb = verbs[int(rng.integers(len(verbs)))]
    return verb, f"{through}from {start} to {end}{_more(leg, rng, precision)}"
