"""Sounds told only inside a reference: "behind a car passes", "between the flute (60 degrees left) and"."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise

from foleyspace.prompting.clause import DIRECTIONS, MOTIONS, Clause, fits
from foleyspace.prompting.fragments import Fragment
from foleyspace.prompting.going_on import base_goes_on, may_go_on, moves_jointly
from foleyspace.prompting.labels import Mention, Pieces
from foleyspace.prompting.nouns import read_fragment
from foleyspace.prompting.relations import find
from foleyspace.prompting.scan import sounding
from foleyspace.prompting.sources import SETTINGS, can_sound, is_animate
from foleyspace.prompting.text import Token
from foleyspace.prompting.view import Phrase, Reference
from foleyspace.prompting.words import DETERMINERS, LANDMARKS, word_set

_HERE = {"behind": "back", "above": "up", "below": "down", "front": "front"}


def read_pieces(fragments: Sequence[Fragment], tokens: Sequence[Token]) -> list[Pieces]:
    """What every fragment holds, the sounds inside references among it."""
    pieces = [
        read_fragment(
            fragment.items,
            tokens,
            may_go_on(fragments, k, tokens),
            base_goes_on=base_goes_on(fragments, k, tokens),
            joint=moves_jointly(fragments, k, tokens),
        )
        for k, fragment in enumerate(fragments)
    ]
    for k, piece in enumerate(pieces):
        _told_of_reference(fragments, k, piece, tokens)
        _heard_there(piece, tokens)
        _placed_reference(fragments, pieces, k, tokens)
    return pieces


def _mention(reference: Reference, tokens: Sequence[Token], verb: str = "") -> Mention | None:
    nouns = [i for i in range(reference.start, reference.end) if tokens[i].norm not in DETERMINERS]
    if not nouns:
        return None
    if tokens[nouns[-1]].quoted:
        return Mention(det="the", quoted=nouns[-1], linked=True)
    mention = Mention(det="the" if reference.definite else "a", nouns=nouns, linked=True, verb=verb)
    head = tokens[nouns[-1]].norm
    mention.anchor = not verb and (head in SETTINGS or not (can_sound(head) or is_animate({head})))
    return mention


def _told_of_reference(fragments: Sequence[Fragment], k: int, piece: Pieces, tokens: Sequence[Token]) -> None:
    """ "Closer than the dog, which barks on the left": what follows tells of the dog."""
    last = fragments[k - 1].items[-1] if k else None
    if piece.subject not in ("who", "which", "that") or not isinstance(last, Phrase) or not last.refs:
        return
    mention = _mention(last.refs[-1], tokens, piece.verb) if last.refs[-1].end == last.end else None
    if mention is not None:
        piece.parts.insert(0, mention)
        piece.subject = ""


def _heard_there(piece: Pieces, tokens: Sequence[Token]) -> None:
    """ "Behind a car passes": the car is what is heard, it is behind the listener."""
    first = piece.parts[0] if piece.parts else None
    if piece.mentions or not isinstance(first, Phrase) or first.kind != "relation":
        return
    kind = _HERE.get(first.groups["relation"])
    if not (piece.verbs or len(piece.parts) > 1) or not kind or not first.refs or first.refs[0].definite:
        return
    mention = _mention(first.refs[0], tokens, piece.verb) if first.refs[0].end else None
    if mention is not None:
        words, end = first.text.split()[0], first.refs[0].start
        place = dataclasses.replace(first, kind=kind, end=end, text=words, refs=(), groups={})
        piece.parts[:1] = [place, mention]


def _placed_reference(
    fragments: Sequence[Fragment], pieces: Sequence[Pieces], k: int, tokens: Sequence[Token]
) -> None:
    """ "Next to a car on the left", "between the flute (60 degrees left) and the oboe": the place right after
    a thing named for the first time is that thing's."""
    parts = pieces[k].parts
    for n, part in enumerate(parts):
        if not isinstance(part, Phrase) or not part.refs:
            continue
        at = part.refs[0]
        if part.groups.get("relation") == "to" and not sounding(at.words[-1]):
            continue
        after = parts[n + 1] if n + 1 < len(parts) else None
        if at.end != part.end or not _is_new(at, tokens):
            continue
        mention = _mention(at, tokens)
        here = (
            isinstance(after, Phrase) and after.kind in DIRECTIONS - {"relation"} and after.start == part.end
        )
        if here and isinstance(after, Phrase) and after.prep not in ("from", "to", "toward"):
            parts.insert(n + 1, mention) if mention else None
            return
        if after is None and k + 1 < len(pieces) and fragments[k + 1].before.endswith("("):
            inside = pieces[k + 1].parts
            if mention and inside and all(isinstance(p, Phrase) for p in inside):
                inside.insert(0, mention)
            return


def told_of(
    pending: Sequence[Phrase],
    phrases: Sequence[Phrase],
    clause: Clause,
    mention: Mention,
    before: Clause | None,
) -> tuple[list[Phrase], list[Phrase]]:
    """The phrases that can tell of a source, and those that wait for another: "between the piano on the left
    and the harp on the right, a singer hums". Those that name it only to place the one `before` are given
    to that: "a duck, closer than the frog on the left"."""
    if before is not None and before.sentence == clause.sentence:
        nouns = set(mention.nouns)
        about = [p for p in phrases if any(nouns & set(range(ref.start, ref.end)) for ref in p.refs)]
        before.add(about)
        phrases = [phrase for phrase in phrases if phrase not in about]
    waits = [
        phrase
        for phrase in [*pending, *phrases]
        if (phrase in pending or phrase.groups.get("relation") == "between")
        and any(ref.words[-1] in clause.names for ref in phrase.refs)
    ]
    return [phrase for phrase in [*pending, *phrases] if phrase not in waits], waits


def share_references(clauses: Sequence[Clause]) -> None:
    """ "Anna sits to the left of the fire, Ben to the right": of the fire."""
    for k, (before, clause) in enumerate(pairwise(clauses)):
        told = [p for p in before.stages[-1] if p.kind == "relation" and p.groups.get("relation") in _OTHER]
        places = [p for p in clause.stages[-1] if p.kind in DIRECTIONS]
        if before.sentence != clause.sentence or len(told) != 1 or len(places) != 1:
            continue
        if told[0].groups.get("own") or find(told[0].refs[0], clauses, k) is None:
            continue
        place, side = places[0], _OTHER[told[0].groups["relation"]]
        plain = place.text.lower() in (f"to the {side}", f"on the {side}", f"to its {side}")
        if place.kind == "lateral" and plain and not clause.has(MOTIONS):
            groups = {"relation": side, "prep": "to"}
            new = dataclasses.replace(place, kind="relation", groups=groups, refs=told[0].refs)
            clause.stages[-1] = [new if p is place else p for p in clause.stages[-1]]


_OTHER = {"left": "right", "right": "left"}


def _may_be(pronoun: str, clause: Clause) -> bool:
    return fits(pronoun, clause) > 0 or (pronoun[:2] != "th" and is_animate(clause.names))


_ABSOLUTE = {**_HERE, "left": "lateral", "right": "lateral", "beside": "near"}
_WHOSE = word_set("her his him she he their them they")


def place_by_listener(clauses: Sequence[Clause]) -> None:
    """ "Behind her a floorboard creaks", and nobody is named who could be she: she is the one who listens."""
    for clause in clauses:
        for stage in clause.stages:
            for n, phrase in reversed(list(enumerate(stage))):
                words = [ref.words[-1] for ref in phrase.refs]
                relation = phrase.groups.get("relation", "")
                if len(words) != 1 or words[0] not in _WHOSE or any(_may_be(words[0], c) for c in clauses):
                    continue
                if relation in _ABSOLUTE:
                    groups = (
                        {**phrase.groups, "side": relation}
                        if relation in ("left", "right")
                        else phrase.groups
                    )
                    groups = {
                        name: value for name, value in groups.items() if name not in ("relation", "own")
                    }
                    stage[n] = dataclasses.replace(phrase, kind=_ABSOLUTE[relation], groups=groups, refs=())
                elif relation == "same":
                    del stage[n]


def _is_new(reference: Reference, tokens: Sequence[Token]) -> bool:
    head = reference.words[-1]
    if reference.label is not None or head in LANDMARKS or not can_sound(head):
        return False
    named = [i for i, token in enumerate(tokens) if token.norm == head]
    return all(reference.start <= i < reference.end for i in named)


def settle_settings(clauses: Sequence[Clause], tokens: Sequence[Token]) -> None:
    """ "A cafe is on the left; cups rattle in it", "the door is on the left. Opposite the door ...": it says
    where others are, and is not heard."""
    for k, clause in enumerate(clauses):
        for phrase in [phrase for stage in clause.stages for phrase in stage]:
            if phrase.kind != "relation" or not phrase.refs:
                continue
            at = find(phrase.refs[0], clauses, k)
            if at is None or at == k:
                continue
            word = clauses[at].label.lower().split()[-1]
            told = {tokens[i].norm for start, stop in clauses[at].spans for i in range(start, stop)}
            pronoun = phrase.refs[0].words[-1] in ("it", "that")
            set_there = pronoun and word in SETTINGS and not can_sound(word)
            if set_there or (word in _FURNITURE and told & _IS):
                clauses[at].anchor = True


_FURNITURE = word_set(
    "door doors window table desk chair armchair sofa couch bed bench stool shelf cupboard wardrobe curtain "
    "wall house building tower fence gate stairs staircase"
)
_IS = word_set("is are was were 's stands hangs sits lies")


POSSESSIVES = word_set("her his its their")


def owner_place(mention: Mention, start: int, prep: str = "") -> Phrase:
    """Where the owner of "her heels" is."""
    at = mention.nouns[0] if mention.nouns else start
    owner = Reference((mention.det,), mention.det, start=at - 1, end=at)
    return Phrase("relation", at, at, mention.det, {"relation": "same", "prep": prep}, (owner,))


def only_leaves(phrases: Sequence[Phrase]) -> bool:
    """Whether they say where it goes, and not from where."""
    places = [phrase for phrase in phrases if phrase.kind in DIRECTIONS]
    moves = any(phrase.kind in MOTIONS for phrase in phrases)
    bare = (
        len(places) == 1
        and not places[0].prep
        and any(p.kind == "move" and p.end == places[0].start for p in phrases)
    )
    return moves and bool(places) and (bare or all(p.prep in ("to", "toward") for p in places))
