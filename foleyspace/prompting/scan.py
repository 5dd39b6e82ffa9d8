"""Tokens -> phrases: what is a place, a distance, a relation, a motion, a time; the rest stays words."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from functools import lru_cache

from foleyspace.prompting.clause import DIRECTIONS, MOTIONS
from foleyspace.prompting.distance_patterns import DISTANCE_PATTERNS
from foleyspace.prompting.heads import read_relation
from foleyspace.prompting.motion_patterns import MOTION_PATTERNS
from foleyspace.prompting.patterns import HOURS, PLACE_PATTERNS
from foleyspace.prompting.several_patterns import SEVERAL_PATTERNS
from foleyspace.prompting.text import Token
from foleyspace.prompting.verb_words import MOVE_VERBS, SOUND_VERBS, verb_forms
from foleyspace.prompting.view import COMPOUND, STOPS, Phrase, TokenView
from foleyspace.prompting.words import DETERMINERS, PREPOSITIONS, word_set

# "goes off" is what alarms do; "leaves rustle"; the rain falls where it is
_NO_MOTION = re.compile(r"(?:goes|go|going|went) off|(?:start|starts|starting|started) .*")
_DROPPED = word_set("a an the something things stuff his her its their")
_NAMED_SOUND = word_set("sound sounds noise noises sfx effect effects")
_PARTICLE_OF = word_set(
    "rev speed pick warm wake get stand sit start turn build shut slow break close open cool tear sum"
)
_AFTER_HEIGHT = word_set("and on to in at left right l r behind front centre over above from")
_FLIES = word_set("buzz whine hum drone whir whirr")
_SENDS = word_set("hit throw kick strike give send toss bring play bat take pull push")
_CROSSINGS = word_set("zebra pedestrian level railway railroad road street river")
_WEATHER = word_set("rain snow hail sleet rainfall drizzle snowfall night darkness water silence")


@lru_cache(maxsize=1)
def _compiled() -> list[tuple[str, re.Pattern[str], frozenset[str], bool]]:
    """The patterns, made when first needed (0.1 s), each with the words a match may start with (a superset:
    most patterns are ruled out by it at once) and whether that may be a number."""
    return [
        (
            kind,
            re.compile(f"(?:{pattern})(?= |$)"),
            frozenset(re.findall("[a-z]+", pattern)),
            r"\d" in pattern,
        )
        for kind, pattern in [*PLACE_PATTERNS, *DISTANCE_PATTERNS, *SEVERAL_PATTERNS, *MOTION_PATTERNS]
    ]


def sounding(word: str) -> bool:
    """Whether a word says that what stands before it is heard: "humming"."""
    base, shape = verb_forms().get(word, ("", ""))
    return shape == "ing" and base in SOUND_VERBS


def scan(tokens: Sequence[Token], text: str) -> list[Phrase | int]:
    """Phrases and the indices of the tokens in no phrase, in order."""
    return _Scanner(TokenView(tokens, text)).run()


class _Scanner:
    def __init__(self, view: TokenView) -> None:
        self.view = view
        self.items: list[Phrase | int] = []

    def run(self) -> list[Phrase | int]:
        i = 0
        while i < len(self.view.tokens):
            phrase = None if self.view.tokens[i].quoted or self.view.norms[i] in STOPS else self._longest(i)
            if phrase is None:
                self.items.append(i)
                i += 1
            else:
                self._append(phrase)
                i = phrase.end
        return self.items

    def _append(self, phrase: Phrase) -> None:
        """ "From the window on the left": from the left."""
        before = self.items[-1] if self.items else None
        if (
            isinstance(before, Phrase)
            and before.groups.get("relation") == "to"
            and before.prep in ("from", "to", "toward", "onto", "into")
            and before.end == phrase.start
            and phrase.kind in DIRECTIONS - {"relation"}
            and phrase.prep in ("", "on", "at", "in")
            and before.refs[0].end == before.end
            and not sounding(before.refs[0].words[-1])
        ):
            words = self.view.text[
                self.view.tokens[before.start].start : self.view.tokens[phrase.end - 1].end
            ]
            groups = {**phrase.groups, "prep": "to" if before.prep in ("onto", "into") else before.prep}
            self.items[-1] = dataclasses.replace(phrase, start=before.start, text=words, groups=groups)
        else:
            self.items.append(phrase)

    def _longest(self, i: int) -> Phrase | None:
        if COMPOUND.match(self.view.joined, self.view.at[i]) or (
            self.view.norms[i] in DETERMINERS and self._is_noun_verb(i + 1)
        ):
            return None
        best = read_relation(self.view, i)
        first, numeric = self.view.norms[i], not self.view.norms[i].isalpha()
        for kind, pattern, starts, takes_digits in _compiled():
            if first not in starts and not (numeric and takes_digits):
                continue
            match = pattern.match(self.view.joined, self.view.at[i])
            if match is None:
                continue
            weak = best is not None and best.groups.get("relation") == "to"  # "from the ceiling" is a height
            if best is not None and match.end() + 1 <= self._stop(best) - weak:
                continue
            end = self.view.index[match.end() + 1]
            groups = {name: value for name, value in match.groupdict().items() if value}
            if end > i and self._makes_sense(kind, i, end, groups):
                best = self.view.phrase(kind, i, end, groups)
        return best

    def _stop(self, phrase: Phrase) -> int:
        return self.view.at[phrase.end] if phrase.end < len(self.view.at) else len(self.view.joined) + 1

    def _is_noun_verb(self, i: int) -> bool:
        """A word that could be a verb, straight after an article: "a fly buzzes"."""
        form = verb_forms().get(self.view.word(i))
        return (
            form is not None
            and form[1] in ("base", "s")
            and self.view.word(i) not in ("close", "near", "circle")
        )

    def _makes_sense(self, kind: str, i: int, end: int, groups: dict[str, str]) -> bool:
        words, before, after = self.view.norms[i:end], self.view.word(i - 1), self.view.word(end)
        if kind == "lateral":
            if words == ["right"] and before not in ("front", "back", "rear", "hard", "top", "bottom"):
                follows = " ".join(self.view.norms[end : end + 3])
                return not re.match(r"(behind|in |next|above|below|beside|by |near|over |under"
                r"|here|there|now|away|after|before"
                                    r"|through|past|up |outside|ahead|opposite|at (?!\d)|on "
                                    r"|around|along|across|down)", follows + " ") \
                    or before in ("left", "to", "and", "-", "/")  # fmt: skip
            if words[0] in ("off", "out") and set(words) & {"screen", "camera", "stage"}:
                return False
            if words == ["left"] and before in (
                "has",
                "have",
                "had",
                "just",
                "he",
                "she",
                "who",
                "they",
                "what",
            ):
                return False
            if (
                words == ["left"]
                and after in ("the", "his", "her", "him", "home", "alone", "without", "for")
                and before not in STOPS
            ):
                return False
            if words == ["left"] and after == "of" and "what" in self.view.norms[max(i - 2, 0) : i]:
                return False
            return not (words[-1] in ("l", "r") and len(words) > 3)
        if "over" in groups:  # "across the valley"; but "flies across the valley"
            return not self._moves_before(i)
        if kind == "clock" and "hour2" in groups and words[0] not in ("between", "anywhere"):
            span = abs(float(groups["hour2"]) - float(groups["hour"]))  # as wide as that; else it is a way
            return min(span, 12 - span) <= 3 and before != "from" and not self._moves_before(i)
        if kind == "spread" and "360" in words:
            return not self._moves_before(i)
        if kind == "clock" and len(words) == 2 and (words[0] == "to" or words[-1] in HOURS.split("|")):
            return "oclock" in self.view.norms  # "at four o'clock ..., at ten"
        if (kind == "circle" and words[0] in ("around", "round", "in")) or (
            kind == "pass" and words[0] == "across"
        ):
            return self._moves_before(i)
        if kind == "centre" and words == ["c"]:
            return self.view.tokens[i].raw == "C" and f" {before} b " not in f" {self.view.joined} "
        if kind == "corner":
            return self.view.tokens[end - 1].raw.isupper() or len(words) == 1
        if kind == "back" and words == ["back"] and after == "to" and before in ("then", "and", ","):
            return self.view.word(end + 1) == "front"  # "to the right, then back to the centre"
        if kind == "back" and words == ["back"] and self._sent_back(i):
            return False  # "hits the ball back"
        if kind == "back" and words == ["back"]:
            return verb_forms().get(before, ("", ""))[0] not in (
                "come",
                "go",
                "call",
                "get",
                "talk",
                "bring",
            ) and not (
                before == "and"
                and any(
                    isinstance(item, Phrase) and item.prep in ("to", "toward") for item in self.items[-3:]
                )
            )
        if words == ["top"]:  # "centre top", "fan hum top"
            placed = bool(self.items) and isinstance(self.items[-1], Phrase)
            return placed or (verb_forms().get(before, ("",))[0] in SOUND_VERBS and i > 1)
        if kind == "spread" and words[0] in ("around", "round"):
            return not self._moves_before(i)
        if kind == "return":
            return before != "the" and any(
                isinstance(item, Phrase)
                and (item.prep in ("to", "toward") or item.kind in ("pass", "recede", "approach"))
                for item in self.items[-8:]
            )
        if kind == "offscreen" and words == ["off"]:
            return before in ("(", ",", "-", ":")
        if kind == "updown":
            return self._is_height(i, end)
        if kind in ("near", "far") and words[-1] in ("close", "near", "by") and after in DETERMINERS:
            return False
        if kind in ("pass", "circle", "approach", "recede", "rise", "fall", "move"):
            return self._is_motion(kind, i, end)
        return True

    def _moves_before(self, i: int) -> bool:
        """Whether a verb of motion stands before in the sentence: "spin the bee around me"."""
        for at in range(i - 1, -1, -1):
            word = self.view.norms[at]
            if word in STOPS:
                return False
            base = verb_forms().get(word, ("",))[0]
            flies = base in _FLIES and at == i - 1 and self.view.norms[i + 1 : i + 3] == ["my", "head"]
            if (base in MOVE_VERBS or flies) and self.view.word(at - 1) not in DETERMINERS:
                return True
        return False

    def _sent_back(self, i: int) -> bool:
        base = [verb_forms().get(word, ("",))[0] for word in self.view.norms[max(i - 3, 0) : max(i - 1, 0)]]
        return bool(set(base) & _SENDS) and self.view.word(i - 2) in DETERMINERS

    def _is_height(self, i: int, end: int) -> bool:
        before, after, word = self.view.word(i - 1), self.view.word(end), self.view.norms[end - 1]
        if before in ("it", "him", "her", "them"):  # "picks it up"
            before = self.view.word(i - 2)
        base = verb_forms().get(before, ("", ""))
        goes = any(isinstance(p, Phrase) and (p.prep == "from" or p.kind in MOTIONS) for p in self.items[-6:])
        if word in ("up", "down") and after in ("to", "toward", "from", "into", "onto") and goes:
            return False  # "from high on the left down to the right"
        placed = end > i + 1 or after in ("on", "in", "at", "to", "left", "right", "behind", "above")
        placed = placed or word in ("high", "low")
        if base[0] in _PARTICLE_OF or (
            not placed
            and base[0]
            and base[0]
            not in ("be", "come", "hang", "fly", "hover", "place", "put", "pan", "sit", "position")
        ):
            return False
        return after == "" or after in STOPS or after in _AFTER_HEIGHT

    def _is_motion(self, kind: str, i: int, end: int) -> bool:
        words, before = self.view.norms[i:end], self.view.word(i - 1)
        first = verb_forms().get(words[0])
        if _NO_MOTION.fullmatch(" ".join(words)):
            return False
        if first is not None and first[1] == "base":
            after = verb_forms().get(self.view.word(end), ("", ""))
            if self.view.word(end) in _NAMED_SOUND or (after[1] == "ing" and after[0] in SOUND_VERBS):
                return False  # "a mic drop sound", "sink dripping"
        if kind == "fall" and words[0][:4] == "drop" and self.view.word(end) in _DROPPED:
            return False  # "drops something above me"
        if (
            words in (["fall"], ["drop"])
            and self.view.word(i - 2) in ("", *STOPS)
            and before.isalpha()
            and not before.endswith("s")
            and before not in DETERMINERS
        ):
            return False  # "Body fall, left."
        if kind == "pass" and words == ["right", "by"] and not verb_forms().get(before):
            return False  # "a wasp right by my cheek"
        if words[0] == "crossing" and (before in DETERMINERS or before in _CROSSINGS):
            return False  # "a crossing bell"
        if kind == "fall" and set(self.view.norms[max(i - 3, 0) : i]) & _WEATHER:
            return False
        if (
            first is not None
            and first[1] == "ing"
            and before in DETERMINERS
            and (not self.view.word(end) or self.view.ends_noun(end))
        ):
            return False  # "at a crossing"
        if (
            words[0] in ("leaves", "land", "drops", "drop", "passes", "falls", "circles", "climbs")
            and len(words) == 1
            and (not before or before in STOPS or before in DETERMINERS)
        ):
            return self.view.word(end) in PREPOSITIONS and words[0] != "leaves"
        if first is not None and first[1] == "ing" and len(words) == 1 and kind in ("rise", "fall"):
            return before not in DETERMINERS and before != ""
        return not (before in DETERMINERS and first is not None and first[1] in ("base", "s"))
