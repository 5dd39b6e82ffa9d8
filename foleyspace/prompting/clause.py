"""One source as the text tells it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

from foleyspace.prompting.view import Phrase
from foleyspace.prompting.words import HYPERNYMS, word_set

DIRECTIONS = word_set("lateral back front centre corner clock azimuth angle relation spread ear")
PLACES = DIRECTIONS | word_set("up down updown level elevation offscreen")
MOTIONS = word_set("finish move circle pass approach recede rise fall oscillate")
TIMES = word_set("window after until first last length at_end at_start first_half second_half whole")


@dataclass(eq=False)
class Clause:
    """A source as the text tells it: `stages` are phrase lists, one after the other in time; `names` the
    words that may refer to it; `spans` the token ranges of its caption; `after`: it follows that source
    in time."""

    label: str
    names: set[str]
    stages: list[list[Phrase]] = field(default_factory=lambda: [[]])
    spans: list[tuple[int, int]] = field(default_factory=list)
    quoted: bool = False
    count: int = 1
    plain: bool = True  # only named: no verb, no place yet
    lead: bool = False  # its place was said before its name
    after: int | None = None
    sentence: int = 0

    def has(self, kinds: frozenset[str]) -> bool:
        return any(phrase.kind in kinds for stage in self.stages for phrase in stage)

    def add(self, phrases: Sequence[Phrase]) -> None:
        for phrase in phrases:
            if phrase.kind == "then":
                if self.stages[-1]:
                    self.stages.append([])
            else:
                here = {p.kind for p in self.stages[-1]}
                times = [p.start for p in self.stages[-1] if p.kind in TIMES]
                placed = [p.start for p in self.stages[-1] if p.kind in DIRECTIONS]
                turned = any(
                    {phrase.kind, kind} in ({"approach", "recede"}, {"rise", "fall"}) for kind in here
                )
                if turned:
                    self.stages.append([])  # "comes closer and goes away"
                ways = [p for p in self.stages[-1] if p.prep in ("to", "toward") and p.kind in DIRECTIONS]
                if ways and phrase.prep in ("to", "toward") and phrase.kind in DIRECTIONS:
                    # "to the left, to the back": one leg after the other
                    self.stages.append([dataclasses.replace(phrase, kind="move", groups={}, refs=())])
                if (
                    phrase.kind in DIRECTIONS and times and placed and not here & MOTIONS
                    and min(placed) < max(times) < phrase.start
                ):  # fmt: skip
                    self.stages.append([])  # "left for three seconds and right for the rest"
                self.stages[-1].append(phrase)


def fits(pronoun: str, clause: Clause) -> bool:
    """Whether "she", "his", "it" may stand for that source."""
    kind = {"her": "she", "his": "he", "him": "he", "their": "they", "them": "they", "its": "it"}.get(
        pronoun, pronoun
    )
    people = {word for who in ("she", "he") for word in HYPERNYMS[who].split()} | {
        "people",
        "children",
        "kids",
    }
    if kind == "it":
        return not clause.names & people or bool(clause.names & {"singing", "guitar"} - people)
    if kind in ("she", "he", "they"):
        return bool(clause.names & set(HYPERNYMS[kind].split())) or (
            kind == "they" and any(n.endswith("s") for n in clause.names)
        )
    return True
