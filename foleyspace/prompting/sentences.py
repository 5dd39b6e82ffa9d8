"""What holds for a whole sentence: headings, times and places said once for several, "respectively"."""

from __future__ import annotations

from collections.abc import Sequence

from foleyspace.prompting.clause import DIRECTIONS, DISTANCES, MOTIONS, PLACES, TIMES, Clause
from foleyspace.prompting.fragments import Fragment
from foleyspace.prompting.labels import Mention, Pieces
from foleyspace.prompting.nouns import read_fragment
from foleyspace.prompting.sources import can_sound
from foleyspace.prompting.text import Token
from foleyspace.prompting.verb_words import MOVE_VERBS, verb_forms
from foleyspace.prompting.view import Phrase
from foleyspace.prompting.words import word_set


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
        if words[:1] in (["int"], ["ext"]) and tokens[fragment.span[0]].raw.isupper():
            drop.update(n for n, other in enumerate(fragments) if _only_words(other, fragment, tokens))
            continue
        tag = fragment.before.endswith("[") and fragment.after.startswith("]")  # "[VOX] a wizard chants"
        if not (tag or fragment.after.startswith(":")) or k + 1 >= len(fragments):
            continue
        before = [n for n in range(k + 1) if fragments[n].sentence == fragment.sentence]
        before = [k] if tag else before
        placed = any(isinstance(item, Phrase) for n in before for item in fragments[n].items)
        several = bool(
            {tokens[item].norm for n in before for item in fragments[n].items if isinstance(item, int)}
            & _GROUPED
        )
        if placed and not (several and _all_placed(fragments, k)):
            continue
        opens = fragments[k + 1].items[0]
        heads = [tokens[i].norm for n in before for i in fragments[n].items if isinstance(i, int)]
        verb, shape = verb_forms().get(tokens[opens].norm, ("", "")) if isinstance(opens, int) else ("", "")
        goes = verb in MOVE_VERBS and not can_sound(verb)
        if shape == "s" and heads and (can_sound(heads[-1]) or goes) and not tag:
            continue  # "a scooter: enters left, exits right"
        following = read_fragment(fragments[k + 1].items, tokens, False)
        if any(not mention.other for mention in following.mentions):
            drop.update(before)
    kept = [fragment for k, fragment in enumerate(fragments) if k not in drop]
    return kept, [fragments[k].span for k in sorted(drop)]


def _only_words(fragment: Fragment, heading: Fragment, tokens: Sequence[Token]) -> bool:
    """Whether it belongs to the same "INT. SUBWAY - DAY" and has no place of its own."""
    names = [item for item in fragment.items if isinstance(item, int)]
    upper = all(tokens[item].raw.isupper() for item in names)
    return fragment.sentence == heading.sentence and len(names) == len(fragment.items) and upper


_GROUPED = word_set(
    "quartet quintet trio duo band orchestra ensemble group section musicians instruments players singers"
)


def _all_placed(fragments: Sequence[Fragment], k: int) -> bool:
    """Whether a list of two and more follows, each with its place: "a quartet in front: cello right, ..."."""
    after = [f for f in fragments[k + 1 :] if f.sentence == fragments[k].sentence]
    return len(after) > 1 and all(
        any(isinstance(item, Phrase) and item.kind in DIRECTIONS for item in f.items) for f in after
    )


def pair_respectively(fragments: Sequence[Fragment], pieces: list[Pieces], tokens: Sequence[Token]) -> None:
    """ "The dog and the cat are on the left and on the right respectively", "an owl and a wolf, left and
    right": the places in their order."""
    for sentence in dict.fromkeys(fragment.sentence for fragment in fragments):
        together = [n for n, other in enumerate(fragments) if other.sentence == sentence]
        mentions = [(n, mention) for n in together for mention in pieces[n].mentions]
        places = [pieces[n].phrases for n in together if pieces[n].phrases]
        if len(mentions) < 2 or len(mentions) != len(places):
            continue
        words = [tokens[item].norm for n in together for item in fragments[n].items if isinstance(item, int)]
        if "respectively" not in words and not _left_and_right(mentions, places):
            continue
        for n in together:
            pieces[n].parts = []
        for (n, mention), phrases in zip(mentions, places, strict=True):
            mention.linked = False
            pieces[n].parts += [mention, *phrases]


def _left_and_right(mentions: Sequence[tuple[int, Mention]], places: Sequence[Sequence[Phrase]]) -> bool:
    """Two sounds, then "left and right"."""
    told = [phrase for phrases in places for phrase in phrases]
    if len(mentions) != 2 or len(told) != 2 or any(mention.count > 1 for _, mention in mentions):
        return False
    sides = {p.groups.get("side", "")[:1] for p in told if p.kind == "lateral" and p.prep in ("", "on")}
    last = mentions[1][1].nouns
    return sides == {"l", "r"} and bool(last) and told[0].start > last[-1]


def governing_times(
    fragments: Sequence[Fragment], k: int, piece: Pieces, before: list[Phrase]
) -> list[Phrase]:
    """ "After 5 seconds, a dog barks ...; a cat meows ...": a time that opens a sentence, with a comma after
    it, is that of all of it, up to the full stop."""
    alone = not piece.mentions and bool(piece.phrases) and all(p.kind in TIMES for p in piece.phrases)
    alone = alone and fragments[k].after.startswith((",", ":")) and k + 1 < len(fragments)
    if k and not any(sign in fragments[k].before for sign in (".!?;" if alone else ".!?")):
        return before
    if alone:
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
        colon = any(
            f.before == ":" and f.span[0] == clause.spans[0][1] + 1 for f in fragments if clause.spans
        )
        listed = listed or (joint == "," and colon)  # "owl, wolf: left"
        shared = [phrase for stage in clause.stages for phrase in stage]
        told = before.has(PLACES | MOTIONS | {"far", "near", "distance"})  # "rain in the background and ..."
        if (joint == "and" or listed) and not clause.lead and not told:
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


NOTHING = word_set("nothing silence nobody none empty")
_AND = word_set("and while as but whereas")


def goes_forward(
    fragments: Sequence[Fragment],
    k: int,
    phrases: Sequence[Phrase],
    target: Clause,
    pieces: Sequence[Pieces],
    tokens: Sequence[Token],
) -> bool:
    """Whether a place with no name of its own belongs to the source after it, not to `target` before it."""
    fragment = fragments[k]
    following = None
    opens = fragments[k - 1].sentence != fragment.sentence or "while" in fragment.before.split()
    for n in range(k + 1, len(fragments)):
        if fragments[n].before == "(" and fragments[n].after.startswith(")") and not pieces[n].mentions:
            continue  # "on the left (2 m) a printer"
        if fragments[n].sentence != fragment.sentence or (pieces[n].verbs and not pieces[n].mentions):
            break
        waits = {p.kind for p in pieces[n].phrases}
        new = opens or fragment.before.endswith("and")
        if new and not pieces[n].mentions and waits and waits <= DISTANCES:
            continue  # "to my right, about 4 metres off, somebody sweeps"
        if opens and not pieces[n].mentions and waits & PLACES:
            continue  # "at the back, on the right, pupils giggle"
        if pieces[n].mentions or pieces[n].phrases:
            following = pieces[n]
            break
    after = (
        [tokens[i].norm for i in fragments[k + 1].items if isinstance(i, int)]
        if k + 1 < len(fragments) and fragments[k + 1].sentence == fragment.sentence
        else []
    )
    if after and set(after) <= NOTHING:
        return True
    if following is None or not following.mentions or fragment.after in _AND:
        return False
    last = fragments[k - 1].items[-1]
    pair = {"lateral"} | ({"azimuth", "angle", "clock"} if target.several else set())
    alike = isinstance(last, Phrase) and last.kind == phrases[0].kind
    if fragment.before == "and" and alike and phrases[0].kind in pair:
        return False  # "computers beep left and right, an alarm", "wolves at 90 and -90 degrees, an owl"
    kinds = {phrase.kind for phrase in phrases}
    if opens:
        return True  # a place opens the sentence
    opened = [n for n in range(1, k + 1) if fragments[n].before.endswith(("(", "["))]
    if fragment.after.startswith((")", "]")) and opened and pieces[opened[-1] - 1].mentions:
        return False  # "owl (left, high), fox (right, low)"
    # "7 degrees down, and a bell from overhead"
    taken = PLACES if kinds <= PLACES - DIRECTIONS else DIRECTIONS
    free = not any(phrase.kind in taken for phrase in following.phrases)
    if kinds & MOTIONS or not free:
        return False
    if kinds & PLACES:
        return target.has(PLACES)
    if kinds & TIMES:
        return target.has(TIMES)
    return kinds <= {"near", "far", "distance"} and target.has(frozenset(kinds))


def placed_next(fragments: Sequence[Fragment], k: int, tokens: Sequence[Token]) -> bool:
    """Whether the next fragment of the sentence is a place by itself, which will belong here."""
    if k + 1 >= len(fragments) or fragments[k + 1].sentence != fragments[k].sentence:
        return False
    piece = read_fragment(fragments[k + 1].items, tokens, True)
    placed = any(phrase.kind in PLACES for phrase in piece.phrases)
    return not piece.mentions and placed and fragments[k].after != "and"
