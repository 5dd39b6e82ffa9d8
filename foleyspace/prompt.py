"""Words -> scene: what is heard, where, how it moves and when, from an English prompt.

>>> reading = read_prompt("a dog barks on the left, a car passes from right to left", 8.0)
>>> [source.label for source in reading.scene.sources]
['dog barking', 'car']

The way, in `foleyspace.prompting`: characters -> tokens (`text`, typing errors `spelling`) -> phrases of
place, time and motion (`scan`, `patterns`) -> a clause a source (`nouns`, `clauses`) -> places (`places`,
`relations`), times (`times`) and ways (`motion`) -> `Scene`.
All directions are the listener's. Text in double quotes is a label and nothing else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from foleyspace.errors import InputError
from foleyspace.prompting.clause import DIRECTIONS, Clause
from foleyspace.prompting.clauses import read_clauses
from foleyspace.prompting.compass import read_compass
from foleyspace.prompting.frames import without_frames
from foleyspace.prompting.pronouns import name_pronouns
from foleyspace.prompting.referring import place_by_listener, settle_settings, share_references
from foleyspace.prompting.relations import find
from foleyspace.prompting.resolve import Resolver
from foleyspace.prompting.rows import share_sides
from foleyspace.prompting.scan import scan
from foleyspace.prompting.slices import join_slices
from foleyspace.prompting.sources import can_sound, often_heard
from foleyspace.prompting.text import Token, read_text
from foleyspace.prompting.times import count_on
from foleyspace.prompting.words import DETERMINERS, LANDMARKS
from foleyspace.types import Scene

MAX_SOURCES = 16
STRANGE_NAME, STRANGE_WORDS = 3, 5  # so many words a name and altogether, none of them known, are no English
MAX_DURATION_S = 86_400.0


@dataclass(frozen=True)
class PromptReading:
    """A prompt as it was read: the `scene`; `notes`, one line each, on what was decided or corrected;
    `not_understood`, the pieces of the text that changed nothing."""

    scene: Scene
    notes: tuple[str, ...]
    not_understood: tuple[str, ...]


def read_prompt(text: str, duration: float) -> PromptReading:
    """Read an English prompt as a scene of `duration` s.

    Sources come in the order of the text, each with the words it was read from as `caption`. Distances are
    2 m where none is said, places straight ahead (and a note says so). Raises `InputError` for an empty or
    enormous text, one without English words, more than 16 sources, places and times that cannot be,
    contradictions (both phrases quoted) and relations that go in a circle.
    """
    if not (isinstance(duration, int | float) and math.isfinite(duration) and 0 < duration <= MAX_DURATION_S):
        raise InputError(
            f"`duration` is {duration} but must be above 0 and at most {MAX_DURATION_S:g} seconds"
        )
    clean, words, notes = read_text(text)
    tokens = name_pronouns(without_frames(read_compass(words, notes)))
    clauses, unknown = read_clauses(scan(tokens, clean), tokens)
    if not clauses:
        raise InputError("`prompt` names no sound: say what is heard and where")
    named = sum(len(clause.label.split()) for clause in clauses)
    if named >= STRANGE_WORDS and all(_strange(clause) for clause in clauses):
        raise InputError("`prompt` is not understood: it must say in English what is heard and where")
    count_on(clauses)
    share_sides(clauses, notes)
    place_by_listener(clauses)
    settle_settings(clauses, tokens)
    share_references(clauses)
    clauses = _with_new_references(clauses, tokens)
    clauses = join_slices(clauses, float(duration))
    if len(clauses) > MAX_SOURCES:
        raise InputError(f"`prompt` names {len(clauses)} sources but must name {MAX_SOURCES} or fewer")
    resolver = Resolver(clauses, float(duration), notes)
    sources = []
    ids: dict[str, int] = {}
    for k, clause in enumerate(clauses):
        if clause.anchor and len(clauses) > 1:
            continue
        slug = re.sub(r"[^a-z0-9]+", "-", clause.label.lower()).strip("-") or "source"
        ids[slug] = ids.get(slug, 0) + 1
        sources.append(resolver.source(k, f"{slug}-{ids[slug]}", _caption(clause, tokens, clean)))
    missed = [clean[tokens[a].start : tokens[b - 1].end] for a, b in unknown if a < b] + resolver.unknown
    scene = Scene(tuple(sources), float(duration))
    return PromptReading(scene, tuple(dict.fromkeys(notes)), tuple(dict.fromkeys(missed)))


def _strange(clause: Clause) -> bool:
    """Several words of which none is a place, a time, a motion or a thing that sounds."""
    words = clause.label.split()
    known = sum(map(can_sound, words))  # "chat" is a word in French, too
    strange = known == 0 or (known == 1 and not clause.label.isascii())
    return strange and len(words) >= STRANGE_NAME and not clause.quoted and not any(clause.stages)


def _caption(clause: Clause, tokens: Sequence[Token], text: str) -> str:
    pieces: list[list[int]] = []
    for start, end in sorted(set(clause.spans)):
        if start >= end:
            continue
        if pieces and start <= pieces[-1][1] + 1:
            pieces[-1][1] = max(pieces[-1][1], end)
        else:
            pieces.append([start, end])
    return (
        ", ".join(text[tokens[a].start : tokens[b - 1].end] for a, b in pieces).strip(" ,;.:") or clause.label
    )


def _with_new_references(clauses: list[Clause], tokens: Sequence[Token]) -> list[Clause]:
    """ "Left of a car", with no car told elsewhere, tells of a car."""
    out = list(clauses)
    for k, clause in enumerate(clauses):
        for phrase in [phrase for stage in clause.stages for phrase in stage]:
            for ref in phrase.refs:
                head = ref.words[-1]
                new = ref.label is not None or not (
                    (
                        ref.definite
                        and (not often_heard(head) or head in clause.names or "own" in phrase.groups)
                    )
                    or head in LANDMARKS
                    or phrase.groups["relation"] == "to"
                )
                known = find(ref, out, k)
                if known is not None and clause.both and not out[known].has(DIRECTIONS):
                    out[known].stages[0] += clause.both  # "both are on the left", told of later
                if known is None and new and ref.end and ref.words[0] != "listener":
                    words = (t.raw.lower() for t in tokens[ref.start : ref.end] if t.norm not in DETERMINERS)
                    label = ref.label or " ".join(words)
                    told = Clause(label, set(ref.words), [list(clause.both)], [(ref.start, ref.end)])
                    out.insert(out.index(clause) + 1, told)
    for clause in out:
        if clause.after is not None:
            clause.after = out.index(clauses[clause.after])
    return out
