"""What holds for a whole sentence: headings, times and places said once for several, "respectively"."""

from __future__ import annotations

from collections.abc import Sequence

from foleyspace.prompting.clause import DIRECTIONS, MOTIONS, PLACES, TIMES, Clause
from foleyspace.prompting.fragments import Fragment
from foleyspace.prompting.labels import Pieces
from foleyspace.prompting.nouns import read_fragment
from foleyspace.prompting.text import Token
from foleyspace.prompting.view import Phrase
from foleyspace.prompting.words import MOVE_VERBS, verb_forms, word_set


def drop_headings(
    fragments: list[Fragment], tokens: Sequence[Token]
) -> tuple[list[Fragment], list[tuple[int, int]]]:
    """ "Kitchen: the tap drips ...": what stands before a colon with no place is a heading; "as if ..." tells
    how."""
    drop: set[int] = set()
    for k, fragment in enumerate(fragments):
        words = [tokens[item].norm for item in fragment.items if isinstance(item, int)]
        if fragment.before.endswith("as") and words[:1] in (["if"], ["though"]):
            drop.add(k)
        if not fragment.after.startswith(":") or k + 1 >= len(fragments):
            continue
        before = [n for n in range(k + 1) if fragments[n].sentence == fragment.sentence]
        if any(isinstance(item, Phrase) for n in before for item in fragments[n].items):
            continue
        following = read_fragment(fragments[k + 1].items, tokens, False)
        if any(not mention.other for mention in following.mentions):
            drop.update(before)
    kept = [fragment for k, fragment in enumerate(fragments) if k not in drop]
    return kept, [fragments[k].span for k in sorted(drop)]


def pair_respectively(fragments: Sequence[Fragment], pieces: list[Pieces], tokens: Sequence[Token]) -> None:
    """ "The dog and the cat are on the left and on the right respectively": the places in their order."""
    for fragment in fragments:
        if not any(isinstance(item, int) and tokens[item].norm == "respectively" for item in fragment.items):
            continue
        together = [n for n, other in enumerate(fragments) if other.sentence == fragment.sentence]
        mentions = [(n, mention) for n in together for mention in pieces[n].mentions]
        places = [pieces[n].phrases for n in together if pieces[n].phrases]
        if len(mentions) < 2 or len(mentions) != len(places):
            continue
        for n in together:
            pieces[n].parts = []
        for (n, mention), phrases in zip(mentions, places, strict=True):
            mention.linked = False
            pieces[n].parts += [mention, *phrases]


def governing_times(
    fragments: Sequence[Fragment], k: int, piece: Pieces, before: list[Phrase]
) -> list[Phrase]:
    """ "After 5 seconds, a dog barks ...; a cat meows ...": a time that opens a sentence, with a comma after
    it, is that of all of it, up to the full stop."""
    new = k == 0 or any(sign in fragments[k].before for sign in ".!?")
    if not new:
        return before
    alone = not piece.mentions and bool(piece.phrases) and all(p.kind in TIMES for p in piece.phrases)
    if alone and fragments[k].after.startswith(",") and k + 1 < len(fragments):
        times, piece.parts = piece.phrases, []
        return times
    return []


def share_places(clauses: Sequence[Clause], groups: Sequence[Clause], fragments: Sequence[Fragment]) -> None:
    """ "a dog and a cat on the left": the place said last is that of the whole list."""
    for k in range(len(clauses) - 1, 0, -1):
        clause, before = clauses[k], clauses[k - 1]
        if not before.plain or before.count > 1 or before in groups or clause.sentence != before.sentence:
            continue
        joint = _joint(fragments, before, clause)
        listed = (
            joint == ","
            and k + 1 < len(clauses)
            and _joint(fragments, clause, clauses[k + 1]) in ("and", ", and")
        )
        shared = [phrase for stage in clause.stages for phrase in stage]
        if (joint == "and" or listed) and not clause.lead and not before.has(PLACES | MOTIONS):
            own = {word for phrase in shared for ref in phrase.refs for word in ref.words}
            if clause.has(PLACES | MOTIONS) and not own & (
                before.names | {"it", "her", "his", "its", "their", "him", "she"}
            ):
                before.stages = [list(stage) for stage in clause.stages]


def _joint(fragments: Sequence[Fragment], a: Clause, b: Clause) -> str:
    if not a.spans or not b.spans:
        return ""
    start = b.spans[0][0]
    return next((f.before for f in fragments if f.span[0] == start), "")


_GOING_ON = word_set(", and then while but or - )")


def may_go_on(fragments: Sequence[Fragment], k: int, tokens: Sequence[Token]) -> bool:
    """Whether a fragment that starts with a verb goes on about the source before: "a dog growls and
    barks"; not where it has a place of its own, as in "a dog on the left, crows on the right"."""
    fragment = fragments[k]
    if k == 0 or fragment.before.split(" ")[-1] not in _GOING_ON:
        return False
    first = next((tokens[item].norm for item in fragment.items if isinstance(item, int)), "")
    then = any(isinstance(item, Phrase) and item.kind == "then" for item in fragment.items)
    form = verb_forms().get(first, ("", ""))
    if form[1] in ("s", "ing", "ed") and (then or form[0] in MOVE_VERBS):
        return True
    placed = any(isinstance(item, Phrase) and item.kind in DIRECTIONS for item in fragment.items)
    moves = any(isinstance(item, Phrase) and item.kind in MOTIONS for item in fragment.items)
    earlier = [other for other in fragments[:k] if other.sentence == fragment.sentence]
    return moves or not (
        placed and any(isinstance(i, Phrase) and i.kind in DIRECTIONS for f in earlier for i in f.items)
    )


def goes_forward(
    fragments: Sequence[Fragment], k: int, phrases: Sequence[Phrase], target: Clause, pieces: Sequence[Pieces]
) -> bool:
    """Whether a place with no name of its own belongs to the source after it, not to `target` before it."""
    fragment = fragments[k]
    following = None
    for n in range(k + 1, len(fragments)):
        if fragments[n].sentence != fragment.sentence or (pieces[n].verbs and not pieces[n].mentions):
            break
        if pieces[n].mentions or pieces[n].phrases:
            following = pieces[n]
            break
    if following is None or not following.mentions or fragment.after in ("and", "while"):
        return False
    kinds = {phrase.kind for phrase in phrases}
    if fragments[k - 1].sentence != fragment.sentence:
        return True  # a place opens the sentence
    free = not any(phrase.kind in DIRECTIONS for phrase in following.phrases)
    if kinds & MOTIONS or not free:
        return False
    if kinds & PLACES:
        return target.has(PLACES)
    if kinds & TIMES:
        return target.has(TIMES)
    return kinds <= {"near", "far", "distance"} and target.has(frozenset(kinds))
