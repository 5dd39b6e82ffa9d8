"""Whether a verb at the start of a fragment goes on about the source before it, or names another."""

from __future__ import annotations

from collections.abc import Sequence

from foleyspace.prompting.clause import DIRECTIONS, MOTIONS
from foleyspace.prompting.fragments import Fragment
from foleyspace.prompting.sources import ANIMALS, can_sound
from foleyspace.prompting.text import Token
from foleyspace.prompting.unlisted import takes_object, unlisted_verb
from foleyspace.prompting.verb_words import (
    GO_ON_VERBS,
    MOVE_VERBS,
    SOUND_VERBS,
    STEPPING,
    STILL_VERBS,
    verb_forms,
)
from foleyspace.prompting.view import Phrase
from foleyspace.prompting.words import DETERMINERS, FILLERS, INSTRUMENTS, PREPOSITIONS, word_set

_GOING_ON = word_set(", and then while but or - )")


def may_go_on(fragments: Sequence[Fragment], k: int, tokens: Sequence[Token]) -> bool:
    """Whether a fragment that starts with a verb goes on about the source before: "a dog growls and
    barks"; not where it has a place of its own, as in "a dog on the left, crows on the right"."""
    fragment = fragments[k]
    if k == 0 or fragment.before.split(" ")[-1] not in _GOING_ON:
        opens = fragment.items[0]
        doing = isinstance(opens, int) and verb_forms().get(tokens[opens].norm, ("", ""))[1] == "s"
        named = k > 0 and any(isinstance(item, int) for item in fragments[k - 1].items)
        return named and fragment.before == ":" and doing  # "a scooter: enters left"
    first = next((tokens[item].norm for item in fragment.items if isinstance(item, int)), "")
    then = any(isinstance(item, Phrase) and item.kind == "then" for item in fragment.items)
    form = verb_forms().get(first, ("", ""))
    placed = any(_placing(item) for item in fragment.items)
    moves = any(isinstance(item, Phrase) and item.kind in MOTIONS for item in fragment.items)
    earlier = [other for other in fragments[:k] if other.sentence == fragment.sentence]
    phrases = [item for other in earlier for item in other.items if isinstance(item, Phrase)]
    if fragments[k - 1].sentence == fragment.sentence and _tells_more(fragments[k - 1], tokens):
        return form[1] in ("s", "ed") or (not form[0] and unlisted_verb(first))  # ", who wrote it, plays"
    if fragments[k - 1].sentence == fragment.sentence:
        items = [item for item in fragment.items if not isinstance(item, Phrase) or item.kind != "then"]
        if not form[0] and unlisted_verb(first) and items and isinstance(items[0], int):
            after = items[1] if len(items) > 1 else None
            if (
                isinstance(after, Phrase)
                and verb_forms().get(tokens[after.start].norm, ("", ""))[1] == "base"
            ):
                return False  # "heels approach"
            following = tokens[after].norm if isinstance(after, int) else ""
            joined = fragment.before.endswith(("and", "then", "but"))
            if joined and following not in PREPOSITIONS and takes_object(first, following):
                return True  # "and froths milk in front"
            if following and following not in PREPOSITIONS | FILLERS | DETERMINERS:
                return False  # ", stationmasters whistle"
            # ", hovers in front"; but "a dog on the left, gizmos on the right"
            went = moves or then or any(p.kind in MOTIONS or p.prep == "from" for p in phrases)
            return went or not (placed and any(p.kind in DIRECTIONS for p in phrases))
        if form[1] in ("s", "ed") and form[0] in STILL_VERBS and not can_sound(first):
            return True
        if (
            form[1] == "s"
            and fragment.before == "and"
            and first[:-1] not in ANIMALS
            and _does(fragments[k - 1], tokens, "s")
        ):
            return True  # "a dog barks and growls behind me"
    if (
        form[1] == "s"
        and can_sound(first[:-1])
        and earlier
        and all(isinstance(i, Phrase) for f in earlier for i in f.items)
    ):
        return False  # "from the stands behind me, boos"
    went = _went(phrases) or any(_travels(other, tokens) for other in earlier)
    if form[1] == "s" and fragment.before.endswith("and") and went and first not in INSTRUMENTS:
        return True  # "a woman walks up to me and whispers in my ear"
    if form[1] in ("s", "ing", "ed") and (then or form[0] in MOVE_VERBS | STEPPING):
        return True
    if form[1] == "ing" and form[0] in STILL_VERBS - SOUND_VERBS and isinstance(fragment.items[0], int):
        after = fragment.items[1] if len(fragment.items) > 1 else None
        if not isinstance(after, int) or tokens[after].norm in PREPOSITIONS:
            return True  # ", starting from the front"
    before = [tokens[item].norm for item in fragments[k - 1].items if isinstance(item, int)]
    if form[1] == "ing" and before and before[0] in DETERMINERS:
        earlier = [fragments[k - 1]]  # "a dog on the left, and a cow, mooing on the right"
    if form[1] == "base" and first in GO_ON_VERBS and fragment.before.endswith(("and", "then")):
        return True  # "fireworks go up on the right and explode above me"
    return moves or not (placed and any(_placing(i) for f in earlier for i in f.items))


def _placing(item: Phrase | int) -> bool:
    """Whether it says where something is; "sings to it" does not."""
    return isinstance(item, Phrase) and item.kind in DIRECTIONS and item.groups.get("relation") != "to"


def _went(phrases: Sequence[Phrase]) -> bool:
    return any(p.kind in MOTIONS or (p.prep == "from" and p.kind in DIRECTIONS) for p in phrases)


def _travels(fragment: Fragment, tokens: Sequence[Token]) -> bool:
    """ "..., moves behind my head": a verb of motion opens it."""
    opens = fragment.items[0]
    form = verb_forms().get(tokens[opens].norm, ("", "")) if isinstance(opens, int) else ("", "")
    return form[1] == "s" and form[0] in MOVE_VERBS - SOUND_VERBS


def _tells_more(fragment: Fragment, tokens: Sequence[Token]) -> bool:
    first = fragment.items[0]
    return fragment.before == "," and isinstance(first, int) and tokens[first].norm in ("who", "which")


def _does(fragment: Fragment, tokens: Sequence[Token], shape: str) -> bool:
    """Whether something named in the fragment sounds, and no place is said of it yet."""
    words = [tokens[item].norm for item in fragment.items if isinstance(item, int)]
    forms = [verb_forms().get(word, ("", "")) for word in words[1:]]
    placed = any(isinstance(item, Phrase) and item.kind in DIRECTIONS for item in fragment.items)
    return not placed and any(form[1] == shape and form[0] in SOUND_VERBS | MOVE_VERBS for form in forms)


def base_goes_on(fragments: Sequence[Fragment], k: int, tokens: Sequence[Token]) -> bool:
    """ "Dogs bark and howl on the left": a verb in its base form after another."""
    start = fragments[k].items[0]
    if k == 0 or not isinstance(start, int):
        return False
    first = verb_forms().get(tokens[start].norm, ("", ""))
    if fragments[k].before == ")" and first[1] == "base" and first[0] in SOUND_VERBS:
        return True  # "three talkers (front, left, right) read aloud"
    if fragments[k].before == "," and tokens[start].norm in GO_ON_VERBS:
        earlier = [f for f in fragments[:k] if f.sentence == fragments[k].sentence]
        # "hooves approach behind you, draw level on your left"
        return any(isinstance(item, Phrase) and item.kind in MOTIONS for f in earlier for item in f.items)
    if fragments[k].before != "and":
        return False
    return first[1] == "base" and first[0] in SOUND_VERBS and _does(fragments[k - 1], tokens, "base")


def moves_jointly(fragments: Sequence[Fragment], k: int, tokens: Sequence[Token]) -> bool:
    """Whether what a fragment names moves together with what the one before names: "a car and a bike drive
    from the left"; not where that has a place or a verb of its own."""
    fragment = fragments[k]
    if k == 0 or fragment.before != "and" or fragments[k - 1].sentence != fragment.sentence:
        return False
    named = fragments[k - 1].items
    words = [tokens[item].norm for item in named if isinstance(item, int)]
    does = any(verb_forms().get(word, ("", ""))[1] in ("s", "ed") for word in words[1:])
    goes = any(
        isinstance(item, Phrase) and (item.kind in MOTIONS or item.prep in _WHITHER)
        for item in fragment.items
    )
    return goes and len(words) == len(named) > 1 and words[0] in DETERMINERS and not does


_WHITHER = word_set("from to toward towards past across around through over into off away along")
