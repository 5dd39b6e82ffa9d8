"""A text told slice by slice of time ("Until 5 seconds, a car ...; from 5 to 8 seconds, a car ..."): what has
the same name in a later slice is the same sound, which goes on or moves."""

from __future__ import annotations

from collections.abc import Sequence

from foleyspace.errors import InputError
from foleyspace.prompting.clause import Clause
from foleyspace.prompting.times import window_of


def join_slices(clauses: Sequence[Clause], duration: float) -> list[Clause]:
    """The sources, those of later slices joined to the first of the same name as stages of it."""
    kept: list[Clause] = []
    for clause in clauses:
        earlier = next((c for c in reversed(kept) if _goes_on(c, clause, duration)), None)
        if earlier is None:
            kept.append(clause)
        else:
            earlier.stages += clause.stages
            earlier.spans += clause.spans
    for clause in kept:
        if clause.after is not None:
            before = clauses[clause.after]
            clause.after = kept.index(before) if before in kept else None
    return kept


def _goes_on(earlier: Clause, later: Clause, duration: float) -> bool:
    if not (earlier.governed and later.governed) or earlier.label != later.label:
        return False
    if earlier.sentence == later.sentence:
        return False
    try:
        end = window_of(earlier.stages[-1], duration, [])[1]
        start = window_of(later.stages[0], duration, [])[0]
    except InputError:  # said again, with its place, where the times are read
        return False
    return end is not None and start is not None and start >= end - 1e-6
