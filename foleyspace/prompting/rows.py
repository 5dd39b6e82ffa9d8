"""Several sounds placed by one phrase: "left to right: a, b, c", "one on each side", "in each corner"."""

from __future__ import annotations

import copy
import dataclasses
import re
from collections.abc import Sequence
from itertools import pairwise

from foleyspace.prompting.clause import MOTIONS, PLACES, Clause
from foleyspace.prompting.fragments import Fragment
from foleyspace.prompting.labels import Mention, Pieces, singular
from foleyspace.prompting.meeting import WAYS, meet, says_both_ends
from foleyspace.prompting.naming import is_way
from foleyspace.prompting.places import merge
from foleyspace.prompting.text import Token
from foleyspace.prompting.view import Phrase
from foleyspace.prompting.words import word_set

_DIRECT = word_set("lateral azimuth clock angle corner front back centre")


def place_rows(fragments: Sequence[Fragment], pieces: Sequence[Pieces], tokens: Sequence[Token]) -> None:
    """ "From left to right: a violin, a viola and a cello": each its own place, evenly from end to end."""
    for k, piece in enumerate(pieces):
        ends = _ends(piece)
        if ends is None or any(is_way(mention, tokens) for mention in piece.mentions):
            continue
        members, heading = _members(fragments, pieces, k, ends)
        if len(members) < 2:
            continue
        first, last = (merge([p], "row", []).azimuth_deg for p in ends)
        if first is None or last is None:
            continue
        turn = (last - first + 180.0) % 360.0 - 180.0
        if abs(abs(turn) - 180.0) < 0.5:  # opposite ends: through the front
            turn = 180.0 if first < 0 else -180.0
        for other in pieces:
            other.parts = [part for part in other.parts if part not in (*ends, heading)]
        for number, (at, mention) in enumerate(members):
            azimuth = first + turn * number / (len(members) - 1)
            own = dataclasses.replace(ends[0], kind="azimuth", groups={"num": f"{azimuth:g}"})
            pieces[at].parts.insert(pieces[at].parts.index(mention) + 1, own)


def _ends(piece: Pieces) -> tuple[Phrase, Phrase] | None:
    """The two ends of "from left to right" where nothing moves."""
    phrases = piece.phrases
    if any(p.kind in MOTIONS for p in phrases) or any(m.moved for m in piece.mentions):
        return None
    for a, b in pairwise(phrases):
        opposed = a.kind == b.kind == "lateral" and a.groups["side"][0] != b.groups["side"][0]
        if opposed and a.prep in ("from", "") and b.prep in ("to", "toward") and b.start - a.end <= 1:
            return a, b
    return None


def _members(
    fragments: Sequence[Fragment], pieces: Sequence[Pieces], k: int, ends: tuple[Phrase, Phrase]
) -> tuple[list[tuple[int, Mention]], Mention | None]:
    """The mentions in the row of fragment `k`, with their fragments; and the word for all of them before a
    colon ("a row of instruments")."""
    after = [(k, m) for m in pieces[k].mentions if pieces[k].parts.index(m) > pieces[k].parts.index(ends[1])]
    before = [(k, m) for m in pieces[k].mentions if (k, m) not in after]
    listed = fragments[k].after.startswith(":")
    for n in range(k + 1, len(pieces)):
        same = fragments[n].sentence == fragments[k].sentence
        if not (same or (listed and fragments[n].before == ";")) or not _bare(pieces[n]):
            break
        after += [(n, mention) for mention in pieces[n].mentions]
    n = k - 1
    if (
        listed
        and not before
        and n >= 0
        and fragments[n].sentence == fragments[k].sentence
        and _bare(pieces[n])
    ):
        before = [(n, mention) for mention in pieces[n].mentions][:1]  # "string quartet, left to right: ..."
    if len(after) > 1 and (listed or not before):
        return after, before[0][1] if before else None
    for n in range(k - 1, -1, -1):
        if fragments[n].sentence != fragments[k].sentence or not _bare(pieces[n]):
            break
        before[:0] = [(n, mention) for mention in pieces[n].mentions]
    named = all(not mention.verb for _, mention in before)
    return (before if named else []), None


def _bare(piece: Pieces) -> bool:
    return not any(p.kind in PLACES | MOTIONS for p in piece.phrases) and not any(
        mention.moved for mention in piece.mentions
    )


def share_sides(clauses: list[Clause], notes: list[str]) -> None:
    """ "Two dogs, one on each side", "torches on both sides", "a dog and a cat on opposite sides": one to the
    left, one to the right. Rain, or a crowd, is a sound from both sides."""
    told: list[Phrase] = []
    ways = [p for c in clauses for s in c.stages for p in s if p.kind == "sides" and WAYS & p.groups.keys()]
    for clause in list(clauses):
        _one_each(clauses, clause)
        sides = next((p for stage in clause.stages for p in stage if p.kind == "sides"), None)
        if sides is None or sides in told:
            continue
        told.append(sides)
        sharing = [c for c in clauses if any(sides in stage for stage in c.stages)]
        pair = clause.count == 2 or "other" in clause.names
        if WAYS & sides.groups.keys():
            _meet(clauses, sharing, sides, notes)
            continue
        which = sides.groups.get("which", "each")
        if "corners" in sides.groups or re.search("corner|quarter", sides.text.lower()):
            for one in sharing:
                _corners(clauses, one, sides, notes)
            continue
        if len(sharing) == 1 and (pair or not _mass(clause)):
            sharing += _twins(clauses, clause, 1, plural=not (pair or _single(clause)))
        if len(sharing) == 2 and (which != "both" or pair or sharing[0].label == sharing[1].label):
            for one, side in zip(sharing, ("left", "right"), strict=True):
                kind, groups = "lateral", {"side": side}
                if "num" in sides.groups:
                    kind, groups = "azimuth", {"num": sides.groups["num"].lstrip("-"), "side": side}
                _replace(one, sides, dataclasses.replace(sides, kind=kind, groups=groups))
            notes.append(f"read '{sides.text}' as the first to the left, the second to the right")
        else:
            for one in sharing:
                _replace(one, sides, dataclasses.replace(sides, kind="spread", groups={}))
    for phrase in ways:
        if phrase not in told:
            told.append(phrase)  # each clause has but one such way
            notes.append(f"'{phrase.text}' is more than one way of two sounds: passed over")


def _one_each(clauses: list[Clause], clause: Clause) -> None:
    """ "Voices left and right", "maskers at 60 and -60 degrees": of several sounds some are here and some are
    there."""
    stage = clause.stages[0]
    places = [p for p in stage if p.kind in _DIRECT]
    apart = 4 if clause.count == len(places) else 2  # "two tones: 500 Hz left, 1 kHz right"
    joined = all(
        0 < b.start - a.end <= apart and (b.prep not in ("to", "toward") or a.prep == b.prep)
        for a, b in pairwise(places)
    )
    several = clause.several or bool(set(clause.label.lower().split()) & _MANY)
    known = clause.count in (1, len(places)) or clause.count > 3
    alike = len({p.kind for p in places}) == 1 or len(places) > 2
    if len(places) < 2 or not (joined and known and alike and several) or clause.has(MOTIONS):
        return
    if any(p.kind in ("start", "finish") for p in stage):
        return
    if len(clause.stages) > 1 or len({p.groups.get("side", p.text)[:9] for p in places}) < len(places):
        return
    rest = [p for p in stage if p not in places]
    for one, own in zip([clause, *_twins(clauses, clause, len(places) - 1)], places, strict=True):
        one.stages = [[*rest, own]]


# one word for many that sound
_MANY = word_set(
    "chorus choir crowd audience applause congregation traffic rain rainfall wind surf birdsong chatter "
    "laughter music percussion brass ambience noise babble cheering gunfire"
)


def _single(clause: Clause) -> bool:
    """Whether it is one thing of which there may be more: "a speaker", not "rain" or "speakers"."""
    return clause.article and clause.count == 1 and not clause.several and not _mass(clause)


def _mass(clause: Clause) -> bool:
    return bool(set(clause.label.lower().split()) & _MANY)


def _corners(clauses: list[Clause], clause: Clause, corners: Phrase, notes: list[str]) -> None:
    """ "Four drummers, one in each corner"; "a bird in every corner"; "speakers in all four corners"."""
    several = clause.count == 4 or "other" in clause.names or _single(clause)
    several = several or ("corners" in corners.groups and clause.count == 1 and clause.several)
    if not several or _mass(clause):
        _replace(clause, corners, dataclasses.replace(corners, kind="spread", groups={}))
        return
    four = [clause, *_twins(clauses, clause, 3)]
    for one, code in zip(four, ("fl", "fr", "bl", "br"), strict=True):
        _replace(one, corners, dataclasses.replace(corners, kind="corner", groups={"code": code}))
    notes.append(f"read '{corners.text}' as four: 45 and 135 degrees to the left and to the right")


def _meet(clauses: list[Clause], sharing: list[Clause], phrase: Phrase, notes: list[str]) -> None:
    """ "Two cars towards each other"; "a man on the left and a woman on the right walk past each other"."""
    own = [says_both_ends(clause, phrase) for clause in sharing]
    if any(own):  # "pass each other from left to right"
        for clause in sharing:
            _replace(clause, phrase, dataclasses.replace(phrase, kind="move", groups={}))
        if not all(own):
            notes.append(f"'{phrase.text}' beside a way that is said: passed over")
        return
    at = clauses.index(sharing[0])
    if len(sharing) == 1 and sharing[0].several and sharing[0].count <= 2:
        sharing = [*sharing, *_twins(clauses, sharing[0], 1)]
    elif len(sharing) == 1 and at > 0 and not sharing[0].several:
        sharing = [clauses[at - 1], *sharing]
    if len(sharing) == 2:
        meet(sharing, phrase, notes)
    else:
        notes.append(f"'{phrase.text}' does not tell of two sounds: passed over")


def _twins(clauses: list[Clause], clause: Clause, number: int, plural: bool = False) -> list[Clause]:
    clause.label = clause.label if plural else singular(clause.label)
    twins = [copy.copy(clause) for _ in range(number)]
    for twin in twins:
        twin.stages = [list(stage) for stage in clause.stages]
    at = clauses.index(clause) + 1
    clauses[at:at] = twins
    return twins


def _replace(clause: Clause, old: Phrase, new: Phrase) -> None:
    clause.stages = [[new if phrase is old else phrase for phrase in stage] for stage in clause.stages]
