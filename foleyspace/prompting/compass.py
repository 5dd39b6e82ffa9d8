"""Compass words as the listener's directions: north is ahead, east on the right, unless it says where the
listener faces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from foleyspace.prompting.patterns import LISTENER, SCREEN
from foleyspace.prompting.text import Token, joined_norms, token_span
from foleyspace.prompting.verb_words import MOVE_VERBS, verb_forms

_POINTS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
_SHORT = dict(zip(("N", "NE", "E", "SE", "S", "SW", "W", "NW"), _POINTS, strict=True))
_SHORT |= {  # half way between
    half: f"{_SHORT[half[0]]}-{_SHORT[half[1:]]}"
    for half in ("NNE", "ENE", "ESE", "SSE", "SSW", "WSW", "WNW", "NNW")
}
_MEANT = ("front", "front right", "right", "back right", "back", "back left", "left", "front left")

HALF_POINT_DEG = 22.5
_SEPARATORS = (",", ";", ":", ".", "(", ")", "-", "|")

_BASE = r"(?:north|south)-?(?:east|west)?|east|west"
_POINT = rf"(?P<point>{_BASE})(?:ward|wards)?"
_PART = r"(?: (?:side|end|edge|half|corner|wall|horizon))?"
_OF_ME = rf"(?: of (?:{LISTENER}|{SCREEN})(?= |$))"
_NO_PLACE = "".join(
    f"(?<!{word} )"
    for word in ("the", "up", "down", "of", "back", "wild", "middle", "out", "our", "my", "and", "facing",
                 "faces")
)  # fmt: skip
_FACING = (
    r"(?:(?:now |then )?(?:i|we|you|me|us|(?:the )?(?:listener|player|user|viewer|avatar|hero|camera"
    r"|microphone|mic|participants?))(?: am| are| is)?(?: now)?"
    r"(?: (?:sitting|standing|sit|stand|sits|stands))? (?:facing|faces?|looking|looks?)"
    r"|(?:(?<=^)|(?<=[.;!?:] )|(?P<aside>(?<=, )))(?:(?:now|then)(?: ,)? )?(?:facing|looking))"
    rf"(?: to)?(?: the)?(?: due)? {_POINT}(?= [.,;:!?)]| and |$)"
)


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """What is told by a compass word, and what stands there instead."""
    # what may follow a place, and is no thing that has a compass word in its name ("the west wind")
    after = (
        r"(?=$| (?:[.,;:!?()|-]|and|while|whilst|as|to|toward|from|at|on|in|over|past|then|with|but|or|is|are"
        r"|was|were|a|an|the|some|one|two|three|four|my|your|behind|about|who|where|which|comes?|it|he|she|they"
        rf"|there|goes|\d\S*|[\w-]+s (?:are|were)|{'|'.join(verb_forms())})(?: |$))"
    )
    moves = "|".join(form for form, (base, _) in verb_forms().items() if base in MOVE_VERBS)
    found = [
        (rf"(?P<num>\d+(?:\.\d+)?) degrees {_POINT} of(?: due)? (?P<base>{_BASE})(?! side)",
         "azimuth {num} degrees {to}"),
        (
            r"(?:the )?(?:due )?(?P<base>north|east|south|west)[ -]"
            r"(?P<point>(?:north|south)-?(?:east|west))"
            rf"(?:{_OF_ME}|{after})",
            "azimuth {num} degrees {to}",
        ),
        (
            rf"(?P<prep>to|from|in|on|at|toward|into)(?: (?:the|my|your|our))?(?: (?:far|due))? {_POINT}"
            rf"(?:ern(?= ))?(?P<part>{_PART})(?:{_OF_ME}|{after})",
            "{prep} the {to}{part}",
        ),
        (rf"(?:(?P<prep>to|on|in) the )?(?:due )?{_POINT} of(?! (?:{LISTENER}|{SCREEN}|due|{_BASE})(?: |$))",
         "to the {to} of"),  # north of a thing is neither before nor behind it
        (rf"(?:due |straight |directly )?{_POINT}{_OF_ME}", "on the {to}"),
        (rf"(?P<verb>{moves})(?P<how> (?:off|away|over|out))?(?: due)? {_POINT}{after}",
         "{verb}{how} to the {to}"),
        (rf"(?:due|straight|directly) {_POINT}{after}", "on the {to}"),
        (rf"(?:(?<=^)|(?<=[.;,(] )){_POINT}(?= [:=-] )", "on the {to}"),
        (rf"{_NO_PLACE}{_POINT}(?= (?:[.,;!?)]|$)|$)", "on the {to}"),
    ]  # fmt: skip
    return [(re.compile(f"(?<![^ ])(?:{pattern})(?= |$)"), instead) for pattern, instead in found]


def read_compass(tokens: Sequence[Token], notes: list[str]) -> list[Token]:
    """The tokens with left and right, front and back where compass words tell a place."""
    kept = [_spelt_out(tokens, i) for i in range(len(tokens))]
    if not any(re.match("north|south|east|west", token.norm) for token in kept):
        return kept
    heading = 0
    shouted = all(token.raw == token.raw.upper() for token in kept)
    while (facing := _facing(joined_norms(kept))) is not None:  # the last one counts
        heading = _number(facing["point"])
        first, last = token_span(joined_norms(kept), facing)
        notes.append(f"read '{_raw(kept[first:last])}' as where the listener looks")
        kept[first:last] = [Token(",", "", kept[first].start, kept[last - 1].end)]
    for pattern, instead in _patterns():
        start = 0
        while (match := pattern.search(joined_norms(kept), start)) is not None:
            start = match.start() + 1
            groups = {name: value or "" for name, value in match.groupdict().items()}
            point = _number(groups["point"])
            groups["to"] = _MEANT[(point - heading) % len(_MEANT)]
            if "base" in groups:
                base = _number(groups["base"])
                turn = (point - base) % len(_POINTS)
                if turn % 4 == 0:  # "10 degrees north of south"
                    continue
                off = float(groups.get("num") or HALF_POINT_DEG)
                right = 45.0 * (base - heading) + off * (1 if turn < 4 else -1)
                right = (right + 180) % 360 - 180
                groups["num"], groups["to"] = f"{abs(right):g}", "right" if right > 0 else "left"
            first, last = token_span(joined_norms(kept), match)
            old = kept[first:last]
            aside = instead == "to the {to} of" and groups["to"] not in ("left", "right")
            named = old[-1].raw[:1].isupper() and first > 0 and kept[first - 1].raw[:1].isupper()
            named = named and instead == "on the {to}"  # "Kanye West"
            if groups.get("part"):
                at = joined_norms(kept)[: match.start("point")].count(" ")
                named = all(token.raw[:1].isupper() for token in kept[at : at + 2])  # "the West Side"
            if aside or (named and not shouted):
                continue
            by_word = {token.norm: token for token in old}
            words = instead.format_map(groups).split()
            kept[first:last] = [
                by_word.get(word, Token(word, word, old[0].start, old[-1].end)) for word in words
            ]
            meant = f"{groups['num']} degrees {groups['to']}" if "num" in groups else groups["to"]
            notes.append(f"read '{_raw(old)}' as '{meant}': {_told(heading)}")
    return kept


def _spelt_out(tokens: Sequence[Token], i: int) -> Token:
    """Capitals that stand for a point, in a list: "bells, far, NE; tractor, W, 50 m". One letter alone may be
    anything ("a guitar in E"), so it must have a field of its own."""
    token = tokens[i]
    if token.raw not in _SHORT:
        return token
    before, after = (tokens[k].norm if 0 <= k < len(tokens) else "," for k in (i - 1, i + 1))
    initial = after == "." and i + 2 < len(tokens)  # "S. Bach"
    alone = before in _SEPARATORS and not initial
    told = re.match(_OF_ME, " " + joined_norms(tokens[i + 1 : i + 5]))  # "a bell NW of me"
    ends = after in _SEPARATORS
    if (ends and alone) or (len(token.raw) > 1 and (ends or told)):
        return replace(token, norm=_SHORT[token.raw])
    return token


def _number(point: str) -> int:
    return _POINTS.index(point.replace("-", ""))


def _facing(joined: str) -> re.Match[str] | None:
    """Where it is said which way the listener looks; after a comma only if the sentence is about them: not
    "a man sings, facing east"."""
    for found in re.finditer(rf"(?<![^ ])(?:{_FACING})", joined):
        sentence = re.split(r"[.;!?] ", joined[: found.start()])[-1]
        if found["aside"] is None or re.match(r"(?:i|we|you|the listener|then|now) ", sentence):
            return found
    return None


def _told(heading: int) -> str:
    right = _POINTS[(heading + 2) % len(_POINTS)]
    return f"{_POINTS[heading]} is taken as ahead, {right} as to the right"


def _raw(tokens: Sequence[Token]) -> str:
    return " ".join(token.raw for token in tokens)
