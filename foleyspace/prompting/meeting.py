""" "Towards each other", "past each other", "away from each other": two sounds, each with its own way."""

from __future__ import annotations

import dataclasses

from foleyspace.prompting.clause import DIRECTIONS, MOTIONS, Clause
from foleyspace.prompting.places import merge, wrap
from foleyspace.prompting.view import Phrase

WAYS = frozenset({"meet", "part", "cross"})  # the groups of a "sides" phrase that tells of such ways
_TO = frozenset({"to", "toward", "into"})
SIDE_DEG, MEETING_DEG = 90.0, 10.0  # where they come from, and how near the middle they end
APART_DEG = 45.0  # of either, from the one place that is said of both


def meet(pair: list[Clause], phrase: Phrase, notes: list[str]) -> None:
    """Give two sources their ways: the first from the left and the second from the right, unless it is
    said where they are."""
    one, two = (_said_azimuth(clause, phrase) for clause in pair)
    first = one if one is not None else SIDE_DEG if two is None else _across(two)
    second = two if two is not None else _across(first)
    if abs(wrap(second - first)) < 2 * MEETING_DEG:  # "two cars in front of me"
        turn = -APART_DEG if abs(first) > 90 else APART_DEG
        first, second = wrap(first + turn), wrap(first - turn)
    middle = first + wrap(second - first) / 2
    if abs(abs(wrap(second - first)) - 180) < 0.5 and abs(abs(wrap(first)) - SIDE_DEG) < 0.5:
        middle = 0.0  # from the left and the right: through the front
    stages = max(_at(clause, phrase) for clause in pair) + 1
    for clause in pair:
        clause.stages += [[] for _ in range(stages - len(clause.stages))]
    for clause, own, other in ((pair[0], first, second), (pair[1], second, first)):
        near = middle + max(-MEETING_DEG, min(MEETING_DEG, wrap(own - middle) / 2))
        ends = (own, near)
        if "part" in phrase.groups:
            ends = (near, own)
        elif "cross" in phrase.groups:
            ends = (own, other)
        _go(clause, phrase, *ends)
    notes.append(f"read '{phrase.text}' with azimuth {first:g} and {second:g} degrees as their own sides")


def _across(azimuth_deg: float) -> float:
    """Where the other one is, of whom it is not said."""
    aside = 15 < abs(azimuth_deg) < 165
    return -azimuth_deg if aside else wrap(azimuth_deg + 180)


def _at(clause: Clause, phrase: Phrase) -> int:
    """The stage that the phrase is in; the last of one that it is not said of."""
    return next((n for n, stage in enumerate(clause.stages) if phrase in stage), len(clause.stages) - 1)


def says_both_ends(clause: Clause, phrase: Phrase) -> bool:
    """Whether the stage of the phrase already says from where and to where."""
    preps = {p.prep for p in _directions(clause.stages[_at(clause, phrase)])}
    return "from" in preps and bool(preps & _TO)


def _directions(stage: list[Phrase]) -> list[Phrase]:
    return [p for p in stage if p.kind in DIRECTIONS - {"relation", "sides"}]


def _said_azimuth(clause: Clause, phrase: Phrase) -> float | None:
    """Where it is then, or was before."""
    for stage in reversed(clause.stages[: _at(clause, phrase) + 1]):
        places = _directions(stage)
        ends = [p for p in places if p.prep in _TO]
        if len(ends) < len(places):
            gone = bool(ends) and phrase not in stage  # it went there before
            places = ends if gone else [p for p in places if p not in ends]
        azimuth = merge(places, clause.label, []).azimuth_deg if places else None
        if azimuth is not None:
            return azimuth
    return None


def _go(clause: Clause, phrase: Phrase, start: float, end: float) -> None:
    """Its stage becomes that way; heights, distances and times stay."""
    at = _at(clause, phrase)
    rest = [p for p in clause.stages[at] if p is not phrase and p.kind not in DIRECTIONS | MOTIONS]
    clause.stages[at] = [
        *rest,
        dataclasses.replace(phrase, kind="move", groups={}),
        dataclasses.replace(phrase, kind="azimuth", groups={"num": f"{wrap(start):g}", "prep": "from"}),
        dataclasses.replace(phrase, kind="azimuth", groups={"num": f"{wrap(end):g}", "prep": "to"}),
    ]
