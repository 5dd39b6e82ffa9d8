"""A prompt cut into fragments at commas, full stops, "and", "while", "with"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from foleyspace.prompting.clause import PLACES
from foleyspace.prompting.sources import ANIMALS, PEOPLE
from foleyspace.prompting.text import Token
from foleyspace.prompting.verb_words import SOUND_VERBS, verb_forms
from foleyspace.prompting.view import JOINS, STOPS, Phrase
from foleyspace.prompting.words import (
    ADJECTIVES,
    DETERMINERS,
    FILLERS,
    INSTRUMENTS,
    LANDMARKS,
    MANNER,
    PREPOSITIONS,
    SCREENS,
    word_set,
)


@dataclass
class Fragment:
    """A piece of a sentence: its phrases and token indices, the signs and joining words `before` and `after`
    it, and the number of its sentence."""

    items: list[Phrase | int]
    before: str
    sentence: int
    after: str = ""

    @property
    def span(self) -> tuple[int, int]:
        """Its tokens, the last excluded."""
        first, last = self.items[0], self.items[-1]
        return (
            first.start if isinstance(first, Phrase) else first,
            last.end if isinstance(last, Phrase) else last + 1,
        )


def cut_fragments(items: Sequence[Phrase | int], tokens: Sequence[Token]) -> list[Fragment]:
    fragments = [Fragment([], "", 0)]
    sentence = 0
    for k, item in enumerate(items):
        if isinstance(item, int):
            word = tokens[item].norm
            if (word in STOPS or word in JOINS) or (
                word == "with" and _another(k, items, tokens, fragments[-1], bool(fragments[1:]))
            ):
                sentence += word in (".", ";", "!", "?")
                following = items[k + 1] if k + 1 < len(items) else None
                placed = isinstance(following, Phrase) and following.kind in PLACES
                if word == "," and not placed and _adjective(fragments[-1], tokens):
                    continue
                if fragments[-1].items:
                    fragments[-1].after = word
                    fragments.append(Fragment([], word, sentence))
                else:
                    fragments[-1].before = f"{fragments[-1].before} {word}".strip()
                    fragments[-1].sentence = sentence
                continue
        elif _negated(fragments[-1], tokens, items[k + 1 :]):
            continue
        elif item.kind == "then" and _ended(fragments[-1]):
            fragments.append(Fragment([], "and", sentence))  # "stops on the right and then a door slams"
        fragments[-1].items.append(item)
    for fragment, later in pairwise(fragments):
        fragment.after = later.before
    return _brackets_first([fragment for fragment in fragments if fragment.items])


def _ended(fragment: Fragment) -> bool:
    """Whether a fragment tells where something comes to its end, and names nothing."""
    places = [item for item in fragment.items if isinstance(item, Phrase)]
    return len(places) == len(fragment.items) > 1 and places[0].kind == "finish"


def _brackets_first(fragments: list[Fragment]) -> list[Fragment]:
    """ "(45°, left) a drum, (right) a cymbal": where brackets come before the names, the places in
    them are those of what follows."""
    groups = _bracketed(fragments)
    if not groups or not (groups[0][0] == 0 or len(fragments[groups[0][0]].before.split()) > 1):
        return fragments
    for first, last in reversed(groups):
        if last + 1 >= len(fragments) or fragments[last + 1].sentence != fragments[first].sentence:
            continue
        following = fragments[last + 1]
        following.items = [
            item for k in range(first, last + 1) for item in fragments[k].items
        ] + following.items
        following.before = fragments[first].before.rstrip("([ ")
        del fragments[first : last + 1]
    return fragments


def _bracketed(fragments: Sequence[Fragment]) -> list[tuple[int, int]]:
    """First and last fragment of what stands in brackets and is nothing but places."""
    groups: list[tuple[int, int]] = []
    first: int | None = None
    for k, fragment in enumerate(fragments):
        if fragment.before.endswith(("(", "[")):
            first = k
        if not all(isinstance(item, Phrase) for item in fragment.items):
            first = None
        if first is not None and fragment.after.startswith((")", "]")):
            groups.append((first, k))
            first = None
    return groups


def _adjective(fragment: Fragment, tokens: Sequence[Token]) -> bool:
    """Whether a comma only separates adjectives: "a bright, close handclap"."""
    words = [item if isinstance(item, Phrase) else tokens[item].norm for item in fragment.items]
    return bool(words) and all(
        not isinstance(w, Phrase) and (w in ADJECTIVES or w in DETERMINERS) for w in words
    )


def _negated(fragment: Fragment, tokens: Sequence[Token], after: Sequence[Phrase | int]) -> bool:
    """ "Not behind me" says where it is not, up to the next comma; "is not crying on the left but on the
    right"."""
    words = [tokens[item].norm for item in fragment.items if isinstance(item, int)]
    but = bool(after) and isinstance(after[0], int) and tokens[after[0]].norm == "but"
    if but and "not" in words[-3:]:
        return True
    return (
        bool(words)
        and words[-1] in ("not", "never", "nothing", "nobody", "except", "without", "than")
        and isinstance(fragment.items[-1], int)
    )


_USING = word_set("play fight hit bang knock tap strike work start begin open close end beat")


def _another(
    k: int, items: Sequence[Phrase | int], tokens: Sequence[Token], fragment: Fragment, later: bool
) -> bool:
    """Whether "with" brings in another sound, not the manner of the one before."""
    tool = fragment.items[-1] if fragment.items else None
    if isinstance(tool, int) and verb_forms().get(tokens[tool].norm, ("",))[0] in _USING:
        return False  # "plays with a ball"
    bare = items[k + 1] if k + 1 < len(items) else None
    owned = items[k + 2] if k + 2 < len(items) else None
    if (
        isinstance(bare, int)
        and isinstance(owned, int)
        and tokens[bare].norm in ("its", "his", "her", "their")
        and not {tokens[owned].norm, tokens[owned].norm[:-1]} & (PEOPLE | ANIMALS)
    ):
        return False  # "a fire engine with its siren on"
    ends = k + 2 >= len(items) or isinstance(items[k + 2], int)
    if (
        isinstance(tool, int)
        and isinstance(bare, int)
        and ends
        and tokens[bare].norm not in DETERMINERS | INSTRUMENTS
    ) and verb_forms().get(tokens[tool].norm, ("", ""))[0] in SOUND_VERBS:
        return False  # "a road hums with traffic"
    said = (later and not fragment.items) or any(
        isinstance(item, Phrase) or verb_forms().get(tokens[item].norm, ("be",))[0] != "be"
        for item in fragment.items
    )
    named = {tokens[item].norm for item in fragment.items if isinstance(item, int)} - DETERMINERS - FILLERS
    said = said or bool(named and named <= SCREENS | LANDMARKS)  # "a stage with a band"
    nouns: list[str] = []
    for item in items[k + 1 :]:
        if isinstance(item, Phrase):
            break
        word = tokens[item].norm
        if word in STOPS or word in JOINS or word in PREPOSITIONS:
            break
        if word not in DETERMINERS and word not in FILLERS:
            nouns.append(word)
    return said and bool(nouns) and not set(nouns) & MANNER
