"""Time phrases -> when each stage of a source sounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from foleyspace.errors import InputError
from foleyspace.prompting.clause import MOTIONS, Clause
from foleyspace.prompting.text import UNITS_S
from foleyspace.prompting.view import Phrase

END_PART = 0.2  # "at the end" is the last fifth

Window = tuple[float | None, float | None]


def stage_windows(
    stages: Sequence[Sequence[Phrase]], duration: float, notes: list[str], start: float = 0.0
) -> tuple[list[tuple[float, float]], bool]:
    """(start, end) s of every stage, and whether times were said.

    Stages without times share what is left between their neighbours evenly. Raises `InputError` for times
    that cannot be.
    """
    said: list[Window] = []
    for stage in stages:
        said.append(window_of(stage, duration, notes, said[-1][1] if said else start))
    starts: list[float | None] = [window[0] for window in said]
    ends: list[float | None] = [window[1] for window in said]
    starts[0] = start if starts[0] is None else starts[0]
    for k in range(len(said) - 1):
        if starts[k + 1] is None and ends[k] is not None:
            starts[k + 1] = ends[k]
        elif ends[k] is None and starts[k + 1] is not None:
            ends[k] = starts[k + 1]
    ends[-1] = duration if ends[-1] is None else ends[-1]
    edges: list[tuple[float, float]] = []
    k = 0
    while k < len(said):
        last = k
        while ends[last] is None:  # a run of stages with no time between them
            last += 1
        first, final = starts[k], ends[last]
        assert first is not None
        assert final is not None
        step = (final - first) / (last - k + 1)
        edges += [(first + n * step, first + (n + 1) * step) for n in range(last - k + 1)]
        k = last + 1
    for a, b in edges:
        if b - a < 1e-3:
            raise InputError(f"a source would sound from {a:g} to {b:g} seconds: a stage must last some time")
    return edges, any(window != (None, None) for window in said) or start > 0


def count_on(clauses: Sequence[Clause]) -> None:
    """ "A dog. Two seconds later a cat. Three seconds later a cow": each counts from the one before."""
    said = {id(p): p for c in clauses for stage in c.stages for p in stage if p.kind in ("window", "after")}
    before, told = 0.0, {}
    for phrase in sorted(said.values(), key=lambda phrase: phrase.start):
        at = _reading(phrase, math.inf)[0] or 0.0
        if phrase.kind == "after" and phrase.text.lower().split()[-1] == "later":
            at += before
            told[id(phrase)] = replace(phrase, groups={"a": f"{at:g}"})
        before = at
    for clause in clauses:
        clause.stages = [[told.get(id(phrase), phrase) for phrase in stage] for stage in clause.stages]


def window_of(
    stage: Sequence[Phrase], duration: float, notes: list[str], before: float | None = None
) -> Window:
    """The start and end said in one stage, None where not said; a length counts from the end of the stage
    `before` it."""
    start: float | None = None
    end: float | None = None
    length: float | None = None
    for phrase in stage:
        a, b, span = _reading(phrase, duration)
        if phrase.kind == "pace" and phrase.text.lower().startswith("in ") and not _on_the_way(stage):
            a = float(phrase.groups["a"]) * UNITS_S[phrase.groups["u"]]  # "in 3 seconds a bell rings"
        if a is not None:
            start = a if start is None else max(start, a)
        if b is not None:
            end = b if end is None else min(end, b)
        length = span if span is not None else length
        for value in (a, span):
            if value is not None and value < 0:
                raise InputError(f"'{phrase.text}' cannot be: a time must be 0 seconds or more")
        if (span is not None and span <= 0) or (b is not None and b <= 0):
            raise InputError(f"'{phrase.text}' cannot be: nothing would be heard")
        if a is not None and a >= duration:
            raise InputError(f"'{phrase.text}' lies outside the {duration:g} seconds of the scene")
        if b is not None and a is not None and b <= a:
            raise InputError(f"'{phrase.text}' cannot be: it ends before it starts")
        if b is not None and b > duration + 1e-9:
            notes.append(f"'{phrase.text}' reaches over the end: cut at {duration:g} seconds")
    if length is not None:
        start = before if start is None and before else start
        end = (start or 0.0) + length if end is None else end
    if end is not None:
        end = min(end, duration)
        if start is not None and end <= start:
            raise InputError(
                f"a source would sound from {start:g} to {end:g} seconds: it ends before it starts"
            )
    return start, end


def _on_the_way(stage: Sequence[Phrase]) -> bool:
    return any(phrase.kind in MOTIONS or phrase.prep in ("from", "to") for phrase in stage)


def _reading(phrase: Phrase, duration: float) -> tuple[float | None, float | None, float | None]:
    groups, kind = phrase.groups, phrase.kind
    unit = UNITS_S.get(groups.get("u") or groups.get("u2") or "seconds", 1.0)

    def seconds(*names: str) -> float:
        for name in names:
            if name in groups:
                text = groups[name]
                if ":" in text:
                    minutes, rest = text.split(":")
                    return 60 * float(minutes) + float(rest)
                return float(text) * unit
        return 0.0

    if kind == "window":
        return seconds("a", "a2", "ta"), seconds("b", "b2", "tb"), None
    if kind == "after":
        return seconds("a", "ta"), None, None
    if kind == "until":
        return None, seconds("a", "a2"), None
    if kind == "first":
        return 0.0, seconds("a"), None
    if kind == "last":
        return max(duration - seconds("a"), 0.0), None, None if seconds("a") > 0 else 0.0
    if kind == "length":
        return None, None, seconds("a")
    halves = {
        "at_end": (duration * (1 - END_PART), None), "at_start": (0.0, duration * END_PART),
        "first_half": (0.0, duration / 2), "second_half": (duration / 2, None),
    }  # fmt: skip
    if kind in halves:
        a, b = halves[kind]
        return a, b, None
    return None, None, None
