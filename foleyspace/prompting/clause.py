"""One source as the text tells it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

from foleyspace.prompting.sources import MEN, WOMEN, can_sound, is_person
from foleyspace.prompting.view import Phrase
from foleyspace.prompting.words import HYPERNYMS, word_set

DIRECTIONS = word_set("lateral back front centre corner clock azimuth angle relation spread sides ear")
PLACES = DIRECTIONS | word_set("up down updown level elevation offscreen")
COUPLES = word_set("couple pair duo twins lovers newlyweds parents grandparents siblings spouses")
# people that are "it" as well: babies, crowds, and a vacuum cleaner
NEUTER = word_set(
    "baby infant newborn toddler child crowd audience choir chorus band orchestra ensemble group team crew "
    "class cleaner singing guitar"
)
MOTIONS = word_set("extent finish move circle pass approach recede rise fall oscillate")
DISTANCES = word_set("distance near far mid")
TIMES = word_set("window after until first last length at_end at_start first_half second_half whole")


_PLURALS = word_set("people children men women kids geese mice stimuli police")


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
    article: bool = True  # named with "a", "the", "two" ...
    modifiers: frozenset[str] = frozenset()  # "baby" of "baby monitor", which "the baby" does not name again
    governed: bool = False  # a time that opens its sentence is its time
    ordinal: int | None = None  # "the second" of several, counted from 0; -1: the last
    anchor: bool = False  # stands somewhere, and is not heard
    like: Clause | None = None  # the "two trucks" of which it is one
    both: list[Phrase] = field(default_factory=list)  # said of it and of what it is told by

    @property
    def several(self) -> bool:
        """Whether its name is a plural: "voices", "two dogs"."""
        words = [word for word in self.label.lower().split() if not word.endswith("ing")] or [""]
        if words[-1] in _PLURALS:
            return True
        return self.count > 1 or (
            words[-1].endswith("s") and not words[-1].endswith(("ss", "us", "is", "'s"))
        )

    def has(self, kinds: frozenset[str]) -> bool:
        return any(phrase.kind in kinds for stage in self.stages for phrase in stage)

    def take_back(self, phrases: Sequence[Phrase]) -> None:
        """ "On my left, no, sorry, on my right": forget the kind of place that is told anew."""
        for kinds in (
            DIRECTIONS,
            DISTANCES | {"ear"},
            word_set("up down updown level elevation"),
        ):
            if any(phrase.kind in kinds for phrase in phrases):
                self.stages = [[p for p in stage if p.kind not in kinds] for stage in self.stages]

    def go_on(self, phrases: Sequence[Phrase], settles: bool = False) -> None:
        """Add what a later sentence or verb says: a time or a way of its own is a stage of its own;
        `settles`: the verb tells where it stays at last ("flies over me, hovers in front")."""
        here, new = {p.kind for p in self.stages[-1]}, {p.kind for p in phrases}
        led = any(p.prep in ("from", "to", "toward") for p in self.stages[-1] if p.kind in DIRECTIONS)
        told = any(p.kind in DIRECTIONS and p.prep not in ("to", "toward") for p in phrases)
        began = any(p.kind == "start" for p in self.stages[-1])
        settles = (settles or began) and not any(p.prep == "from" for p in phrases)
        if (
            settles
            and (began or here & MOTIONS)
            and new & DIRECTIONS
            and not new & (MOTIONS | TIMES | {"then"})
        ):
            self.stages[-1].append(Phrase("finish", phrases[0].start, phrases[0].start, "", {}))
        elif here & DIRECTIONS and new & DIRECTIONS:
            timed = bool(here & TIMES and new & TIMES)
            led = led or any(p.prep == "from" for p in phrases if p.kind in DIRECTIONS)
            if timed or (new & MOTIONS and told and not led):
                self.stages.append([])
        self.add(phrases)

    def _stands(self) -> bool:
        """Whether it is told where it is by now, and of no time."""
        kinds = {p.kind for p in self.stages[-1]}
        return bool(kinds & DIRECTIONS) and not kinds & (TIMES | MOTIONS)

    def add(self, phrases: Sequence[Phrase]) -> None:
        timed = any(p.kind in TIMES | {"then"} for p in phrases)
        if phrases and phrases[0].kind == "after" and self._stands() and _leads(phrases):
            self.stages.append([])  # "on the left, after five seconds on the right"
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
                ways += [p for p in self.stages[-1] if p.kind == "finish"]
                if ways and phrase.kind == "finish" and phrase.text:
                    # "hops to the centre, and ends on the left"
                    self.stages.append([dataclasses.replace(phrase, kind="move")])
                if ways and phrase.prep in ("to", "toward") and phrase.kind in DIRECTIONS:
                    # "to the left, to the back": one leg after the other
                    self.stages.append([dataclasses.replace(phrase, kind="move", groups={}, refs=())])
                if (
                    phrase.kind in DIRECTIONS and times and placed and not here & MOTIONS
                    and min(placed) < max(times) < phrase.start
                    and (timed or phrase.kind != "relation")
                ):  # fmt: skip
                    self.stages.append([])  # "left for three seconds and right for the rest"
                self.stages[-1].append(phrase)


def _leads(phrases: Sequence[Phrase]) -> bool:
    return any(p.kind in DIRECTIONS | MOTIONS for p in phrases[1:])


def fits(pronoun: str, clause: Clause) -> int:
    """How well "she", "his", "it" may stand for that source: 0 not, 1 it may, 2 it does."""
    kind = {"her": "she", "his": "he", "him": "he", "their": "they", "them": "they", "its": "it"}.get(
        pronoun, pronoun
    )
    person = is_person(clause.names)
    if kind == "it":
        return 0 if person and not clause.names & NEUTER else 2
    if kind == "they":
        plural = any(n.endswith("s") or n in ("people", "children") for n in clause.names)
        return 2 if plural or clause.names & set(HYPERNYMS["they"].split()) else 0
    if kind in ("she", "he"):
        own, other = (WOMEN, MEN) if kind == "she" else (MEN, WOMEN)
        if clause.count > 1 or clause.names & COUPLES:
            return 0
        unknown = not any(can_sound(name) for name in clause.names)  # "the singr"
        return 2 if clause.names & own else 1 if (person or unknown) and not clause.names & other else 0
    return 2


def meant(pronoun: str, clauses: Sequence[Clause]) -> Clause | None:
    """The source that a pronoun stands for: the one that fits best, the last named of equals."""
    best = max((fits(pronoun, clause) for clause in clauses), default=0)
    return next((c for c in reversed(clauses) if best and fits(pronoun, c) == best), None)
