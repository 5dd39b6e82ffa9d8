"""The tokens of a prompt as one line of words, and the noun phrases that relations refer to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from foleyspace.prompting.patterns import LISTENER, SCREEN
from foleyspace.prompting.text import Token
from foleyspace.prompting.verb_words import verb_forms
from foleyspace.prompting.words import DETERMINERS, PREPOSITIONS, word_set

STOPS = word_set(". ; ! ? , : ( ) [ ] - \n / | = instead")
JOINS = word_set("and where while whereas but plus or as when")
# front and left as parts of a name
COMPOUND = re.compile(
    r"(?:the |my |a |your )?(?:front|back|rear|right|left|top|bottom|upper|lower|high|low|up"
    r"|down|close|near|far|centre|middle)"
    r" (?:door|doors|yard|garden|porch|row|rows|gate|wheel|wheels|window|windows|desk|line|beat"
    r"|drop|ground|vocals|street"
    r"|engine|light|lights|heels|hat|hats|school|tide|voice|pitch|pitched|frequency|frequencies|note"
    r"|notes|tone|hum"
    r"|rumble|rumbling|drone|growl|whistle|string|strings|drum|vocalist|brass|stairs|stair|hills|volume"
    r"|band|aged|east"
    r"|school|violin|saxophone|flute|sound|sounds|bass|murmur|ups|stroke|scream|winds?|frequency"
    r"|thud|moan|buzz)(?= |$)"
)
_NAMES = re.compile(rf"(?P<listener>{LISTENER})(?= |$)|(?P<screen>{SCREEN})(?= |$)")


@dataclass(frozen=True)
class Reference:
    """What a relation refers to: `words` (normalised), or a quoted `label`, or a pronoun."""

    words: tuple[str, ...]
    text: str
    definite: bool = True
    label: str | None = None
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Phrase:
    """Tokens `start`..`end` of one meaning. `groups` are what its pattern captured; `relation` and `refs`
    for places told by other sources."""

    kind: str
    start: int
    end: int
    text: str
    groups: dict[str, str]
    refs: tuple[Reference, ...] = ()

    @property
    def prep(self) -> str:
        return "from" if "begins" in self.groups else self.groups.get("prep", "")


PLURAL_THINGS = word_set("drums steps footsteps bells waves swings hammers chimes babbles calls horns")
_NO_NAMES = word_set(
    "left right front back rear close far ahead overhead then distant clockwise centre middle nearby twice "
    "once again offscreen l r who which that not just almost somewhat"
)


class TokenView:
    """Tokens, their words joined by spaces (`joined`), and where each starts in it (`at`)."""

    def __init__(self, tokens: Sequence[Token], text: str) -> None:
        self.tokens, self.text = tokens, text
        self.norms = [token.norm for token in tokens]
        self.joined = " ".join(self.norms)
        self.at: list[int] = []
        position = 0
        for norm in self.norms:
            self.at.append(position)
            position += len(norm) + 1
        self.index = {start: i for i, start in enumerate(self.at)} | {len(self.joined) + 1: len(tokens)}

    def word(self, i: int) -> str:
        return self.norms[i] if 0 <= i < len(self.norms) else ""

    def phrase(
        self, kind: str, i: int, end: int, groups: dict[str, str], refs: tuple[Reference, ...] = ()
    ) -> Phrase:
        raw = self.text[self.tokens[i].start : self.tokens[end - 1].end]
        return Phrase(kind, i, end, raw, groups, refs)

    def text_end(self, end: int) -> int:
        """Where in `joined` the word before token `end` ends."""
        return max(self.at[end] - 1, 0) if end < len(self.at) else len(self.joined)

    def reference(self, i: int, bare: bool) -> tuple[int, tuple[Reference, ...]]:
        """The noun phrase at `i`: where it ends, and the reference (none: an empty tuple)."""
        if i >= len(self.tokens):
            return i, ()
        token = self.tokens[i]
        first = token.norm
        if token.quoted or (first in DETERMINERS and self.word(i + 1) == "<label>"):
            at = i if token.quoted else i + 1
            label = self.tokens[at].raw
            return at + 1, (Reference((label.lower(),), f'"{label}"', label=label, start=i, end=at + 1),)
        named = _NAMES.match(self.joined, self.at[i])
        if named is not None:
            end = self.index[named.end() + 1]
            plain = (
                self.word(end) in STOPS
                or self.word(end) in PREPOSITIONS
                or self.word(end) in JOINS
                or self.word(end) in DETERMINERS
                or not self.word(end)
            )
            if named["listener"] or plain or verb_forms().get(self.word(end)):
                return end, (Reference(("listener" if named["listener"] else "screen",), named.group()),)
        if first in ("it", "him", "them", "that", "this", "he", "she", "her", "both") and (
            first not in ("her", "this", "that") or self.ends_noun(i + 1)
        ):
            return i + 1, (Reference((first,), token.raw, start=i, end=i + 1),)
        end = i
        if first in ("there", "here"):
            return i, ()
        if first in DETERMINERS:
            end += 1
        elif not bare:
            return i, ()
        head = end
        while end < len(self.tokens) and not self.ends_noun(end, inside=end > head):
            end += 1
        if head < end < len(self.tokens) and self.tokens[end].raw == "A" and self.ends_noun(end + 1):
            end += 1  # "robot A"
        if end == head:
            return i, ()
        words = tuple(self.norms[head:end])
        text = self.text[self.tokens[i].start : self.tokens[end - 1].end]
        return end, (Reference(words, text, first not in ("a", "an", "another", "some"), start=i, end=end),)

    def named_elsewhere(self, start: int, end: int) -> bool:
        """Whether the words `start`..`end` also stand together somewhere else."""
        words = self.norms[start:end]
        spots = range(len(self.norms) - len(words) + 1)
        return any(
            self.norms[k : k + len(words)] == words for k in spots if k >= end or k + len(words) <= start
        )

    def ends_noun(self, i: int, inside: bool = True) -> bool:
        word = self.word(i)
        if (
            not word
            or word in STOPS
            or word in JOINS
            or word in DETERMINERS
            or word in PREPOSITIONS
            or word == "'s"
        ):
            return True
        if self.tokens[i].number is not None or self.tokens[i].quoted or word.endswith("ly"):
            return True
        if word in _NO_NAMES:
            return COMPOUND.match(self.joined, self.at[i]) is None
        if word in ("upper", "lower", "top", "bottom") and self.word(i + 1) in ("left", "right"):
            return True
        form = verb_forms().get(word)
        return (
            form is not None
            and inside
            and form[1] != "ing"
            and (form[1] != "base" or form[0] in ("be",))
            and not self._plural_noun(i)
        )

    def _plural_noun(self, i: int) -> bool:
        return self.word(i) in PLURAL_THINGS
