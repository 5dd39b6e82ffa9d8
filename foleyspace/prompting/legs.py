"""The place phrases of a stage by their part in a motion: from, to, by way of, or of the source itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from foleyspace.prompting.clause import DIRECTIONS, DISTANCES, MOTIONS, PLACES
from foleyspace.prompting.patterns import WEAK
from foleyspace.prompting.view import Phrase
from foleyspace.prompting.words import word_set

_TO = ("to", "toward", "into", "onto")
_VIA = ("via", "past", "through", "across", "over", "along", "around")
_SIDED = word_set("lateral azimuth clock angle front back corner centre")
_HEIGHTS = word_set("up down updown level elevation")


@dataclass
class Parts:
    """A stage's place phrases by their part in a motion."""

    own: list[Phrase] = field(default_factory=list)
    origin: list[Phrase] = field(default_factory=list)
    target: list[Phrase] = field(default_factory=list)
    via: list[Phrase] = field(default_factory=list)


def split_legs(stage: Sequence[Phrase]) -> Parts:
    parts = Parts()
    kinds = {phrase.kind for phrase in stage}
    places = [p for p in stage if p.kind in PLACES | DISTANCES | {"start", "finish"}]
    verbs = bool(kinds & MOTIONS) or any("goes" in phrase.groups for phrase in stage)
    state, last = parts.own, None
    two_sided = sum(p.kind in _SIDED for p in places) > 1
    for k, phrase in enumerate(places):
        adjacent = last is not None and 0 <= phrase.start - last.end <= 1
        if phrase.kind in ("start", "finish"):
            state, last = parts.origin if phrase.kind == "start" else parts.target, None
            continue
        if state is not parts.own and last is None:
            state.append(phrase)
            last = phrase
            continue
        prep = phrase.prep
        later_to = any(p.prep in _TO for p in places[k + 1 :])
        if prep == "from" and (verbs or later_to) and phrase.kind != "spread":
            state = parts.origin
        elif _straight_after(phrase, stage) and not (k + 1 < len(places) and _bare(places[k + 1], phrase)):
            state = parts.target
        elif prep in _TO and _completes(phrase, last, stage) and not _turns_back(phrase, state):
            pass  # "from behind, and to the left", "a bit to the right"
        elif prep in _TO and (verbs or state is parts.origin or _bare(phrase, last)):
            if state is parts.own and last is not None and adjacent and not verbs and not parts.origin:
                moved = [p for p in parts.own if p.kind in PLACES]
                parts.own = [p for p in parts.own if p.kind not in PLACES]
                parts.origin = moved
            elif state is parts.own and adjacent and verbs and _opposed(last, phrase) and not parts.origin:
                # "rolls by in front, left to right": only what stands together is where it starts
                n = len(parts.own) - 1
                while n > 0 and parts.own[n - 1].end == parts.own[n].start:
                    n -= 1
                parts.origin, parts.own = parts.own[n:], parts.own[:n]
            state = parts.target
        elif prep in _VIA and verbs:
            parts.via.append(phrase)
            last = phrase
            continue
        elif (
            state is parts.origin
            and phrase.kind in ("back", "front")
            and (verbs or later_to)
            and (_other_way(phrase, state) or (later_to and not adjacent_to(last, phrase) and not prep))
        ):
            parts.via.append(phrase)  # "from the front left, behind me, to the front right"
            continue
        elif state is not parts.own and not (adjacent and _continues(phrase, state, parts, two_sided)):
            if state is parts.target and phrase.kind in ("back", "front", "centre") and adjacent:
                parts.via.append(phrase)
                last = phrase
                continue
            parts.own.append(phrase)
            continue
        state.append(phrase)
        last = phrase
    side = next((p for p in parts.target if p.kind == "lateral" and p.prep in ("on", "at")), None)
    depths = {p.kind for p in parts.origin}, {p.kind for p in parts.target} - {"lateral"}
    whole = not any("ahead" in p.text for p in parts.target)  # "ahead on the left" is one place
    told = any(p.kind in ("start", "finish") for p in stage)  # "starts at the back, ends up ..."
    if side is not None and whole and not told and depths in (({"front"}, {"back"}), ({"back"}, {"front"})):
        parts.origin.append(side)  # "from front to back on the left"
    return parts


def adjacent_to(last: Phrase | None, phrase: Phrase) -> bool:
    """Whether nothing, not even a comma, stands between."""
    return last is not None and last.end == phrase.start


def _turns_back(phrase: Phrase, state: Sequence[Phrase]) -> bool:
    """ "From the left, behind me, to the right": where it goes, not more of where it comes from."""
    side = phrase.groups.get("side", "")[:1]
    return any(p.kind == "lateral" and p.groups.get("side", "")[:1] not in ("", side) for p in state)


def _other_way(phrase: Phrase, state: Sequence[Phrase]) -> bool:
    return any({p.kind, phrase.kind} == {"front", "back"} for p in state)


def _completes(phrase: Phrase, last: Phrase | None, stage: Sequence[Phrase]) -> bool:
    """Whether "to the left" only says more of the place before it, and not where a way leads."""
    if (
        last is None
        or phrase.kind != "lateral"
        or last.kind not in ("front", "back", "centre")
        or last.prep in _VIA
    ):
        return False
    weak = {phrase.groups.get("mod", ""), phrase.groups.get("mod2", "")} & set(WEAK.split("|"))
    going = [p.start for p in stage if p.kind in MOTIONS and "arriving" not in p.groups]
    goes = bool(going)
    if goes and min(going) > phrase.start and last.end == phrase.start:
        return True  # "groans behind me to the left, comes closer"
    return phrase.start - last.end == 1 or (bool(weak) and last.kind == "back" and not goes)


def _straight_after(phrase: Phrase, stage: Sequence[Phrase]) -> bool:
    """ "Goes left", "heads off behind me": a side right after a verb of motion is where it goes."""
    if phrase.kind in ("back", "front") and not phrase.prep:
        headed = [p.end for p in stage if p.kind in ("move", "recede") and p.text.lower().startswith("head")]
        return phrase.start in headed
    return (
        phrase.kind == "lateral"
        and phrase.end - phrase.start == 1
        and any(p.kind == "move" and p.end == phrase.start for p in stage)
    )


def _opposed(a: Phrase | None, b: Phrase) -> bool:
    return a is not None and a.kind == b.kind and a.prep == ""


def _bare(phrase: Phrase, last: Phrase | None) -> bool:
    """ "left to right", "front to back": a way, though no verb moves."""
    if last is None or last.end != phrase.start or phrase.kind not in PLACES:
        return False
    if phrase.kind == last.kind and phrase.groups.get("side", "")[:1] != last.groups.get("side", "")[:1]:
        return True
    if phrase.kind in ("clock", "azimuth", "angle") and last.kind in ("clock", "azimuth", "angle"):
        return True
    if {phrase.kind, last.kind} in ({"front", "back"}, {"up", "down"}, {"near", "far"}):
        return True
    return phrase.end - phrase.start == 2


def _continues(phrase: Phrase, state: list[Phrase], parts: Parts, two_sided: bool) -> bool:
    """Whether a phrase right after an origin or target is part of that place."""
    kinds = {p.kind for p in state}
    if phrase.kind == "lateral" and phrase.prep in ("on", "at") and kinds <= _HEIGHTS:
        return two_sided  # "rises from the floor to the ceiling on my right"
    if phrase.kind in DISTANCES or phrase.kind in _HEIGHTS:
        same = DISTANCES if phrase.kind in DISTANCES else _HEIGHTS
        return state is parts.origin or bool({p.kind for p in parts.origin} & same)
    if phrase.kind in {p.kind for p in parts.origin} & {"back", "front"} and state is parts.target:
        return phrase.kind not in kinds  # "from the left behind me to the right behind me"
    last = state[-1] if state else None
    if last is not None and last.end == phrase.start and phrase.text.lower() in ("front", "rear", "back"):
        return True  # "to the right front"
    if phrase.kind in ("back", "front", "centre") and state is parts.target:
        return not kinds & {"lateral", "azimuth", "clock", "corner", "relation", "back", "front"}
    return phrase.kind in DIRECTIONS and phrase.kind not in kinds
