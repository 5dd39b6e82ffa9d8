"""People whom only a pronoun names: "she's on the phone, he washes up", "him pouring coffee", "I hum on the
left". Where nobody named before can be meant, the pronoun is read as "a woman", "a man", "a person"."""

from __future__ import annotations

from collections.abc import Sequence

from foleyspace.prompting.sources import ANIMALS, MEN, PEOPLE, WOMEN, can_sound, is_animate
from foleyspace.prompting.text import Token
from foleyspace.prompting.verb_words import MOVE_VERBS, SOUND_VERBS, verb_forms
from foleyspace.prompting.words import word_set

_SOMEBODY = {"she": "woman", "he": "man", "her": "woman", "him": "man", "i": "person", "me": "person"}
_AUXILIARIES = word_set(
    "is was are were has had does did would will could can should may might must keeps 's"
)
# what one says, and does not hear oneself do
_SAID = word_set(
    "call play read answer work open close shut fire shoot break cut count step dance operate report"
)
_OPENS = word_set(". ; ! ? , : ( - and while with where but as when then")


def name_pronouns(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with a noun for every pronoun that names a source of its own."""
    out: list[Token] = []
    for i, token in enumerate(tokens):
        word = "" if token.quoted else token.norm
        somebody = _SOMEBODY.get(word)
        following = tokens[i + 1].norm if i + 1 < len(tokens) else ""
        base, shape = verb_forms().get(following, ("", ""))
        opens = not out or out[-1].norm in _OPENS
        if somebody is None or not opens or _named(word, out):
            out.append(token)
        elif (
            (
                word in ("she", "he")
                and (following in _AUXILIARIES or shape in ("s", "ed") or _does(following))
            )
            or (word in ("her", "him") and shape == "ing" and base in SOUND_VERBS | MOVE_VERBS)
            or (word == "i" and shape == "base" and base in SOUND_VERBS - MOVE_VERBS - _SAID)
        ):
            out += _said(token, somebody)
        else:
            out.append(token)
    return out


def _said(token: Token, somebody: str) -> list[Token]:
    return [Token(word, word, token.start, token.end) for word in ("a", somebody)]


def _does(word: str) -> bool:
    """A verb that no list has: "she leafs through a book"."""
    return word.endswith("s") and len(word) > 3 and word.isalpha() and not can_sound(word)


def _named(pronoun: str, before: Sequence[Token]) -> bool:
    """Whether somebody named before could be meant."""
    if pronoun in ("i", "me"):
        return False
    other = MEN if pronoun in ("she", "her") else WOMEN
    for k, token in enumerate(before):
        word = token.norm
        singular = word[:-1] if word.endswith("s") else word
        if word in PEOPLE - other or word in ANIMALS or singular in PEOPLE - other:
            return True
        starts = k == 0 or before[k - 1].norm in ".;!?:"
        name = token.raw == word.capitalize() and not can_sound(word)
        if word not in other and word.isalpha() and ((name and not starts) or is_animate({word})):
            return True
        if (
            name
            and starts
            and k + 1 < len(before)
            and verb_forms().get(before[k + 1].norm, ("", ""))[1] in ("s", "ed")
        ):
            return True  # "Harold enters"
    return False
