"""Numbers and units among the tokens: "twenty-five degrees", "half a metre", "two to four seconds"."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foleyspace.prompting.text import Token

_UNIT_NAMES = {
    "metres": "m meter meters metre metres mtr mtrs", "centimetres": "cm centimetre centimetres centimeter "
    "centimeters", "kilometres": "km kilometre kilometres kilometer kilometers", "feet": "ft foot feet",
    "yards": "yd yds yard yards", "miles": "mile miles", "inches": "inch inches",
    "paces": "pace paces step steps", "seconds": "s sec secs second seconds",
    "milliseconds": "ms millisecond milliseconds", "minutes": "min mins minute minutes",
    "degrees": "deg degs degree degrees °", "oclock": "oclock", "times": "times", "percent": "percent %",
}  # fmt: skip
UNIT = {name: unit for unit, names in _UNIT_NAMES.items() for name in names.split()}
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
NUMBER = {word: float(i) for i, word in enumerate(_SMALL.split())} | {
    word: 10.0 * i for i, word in enumerate(_TENS.split(), 2)
}
_VAGUE = {("half", "a"): 0.5, ("half", "an"): 0.5, ("a", "half"): 0.5, ("a", "couple", "of"): 2.0,
          ("a", "couple"): 2.0, ("a", "few"): 3.0, ("several",): 5.0, ("some",): 3.0, ("a",): 1.0,
          ("an",): 1.0, ("half",): 0.5, ("a", "quarter", "of", "a"): 0.25}  # fmt: skip


def as_digits(value: float) -> str:
    """A number as patterns read it, without an exponent, at most a billion."""
    return f"{min(max(value, -1e9), 1e9):.6f}".rstrip("0").rstrip(".")


def read_numbers(tokens: list[Token]) -> list[Token]:
    """Units in one form after a number, and number words as digits where a unit follows them."""
    out: list[Token] = []
    i = 0
    while i < len(tokens):
        value, length = _number_at(tokens, i)
        unit = UNIT.get(tokens[i + length].norm) if length and i + length < len(tokens) else None
        if length and (unit or _leads_to_unit(tokens, i + length) or _takes_number(out)):
            out.append(_merged(tokens[i : i + length], as_digits(value)))
            i += length
            if unit is not None:
                out.append(_merged(tokens[i : i + 1], unit))
                i += 1
            continue
        after_order = bool(out) and out[-1].norm in ("first", "last", "final", "per", "each")
        if after_order and tokens[i].norm in ("second", "minute"):
            out.append(_merged(tokens[i : i + 1], "1"))
            out.append(_merged(tokens[i : i + 1], UNIT[tokens[i].norm]))
        else:
            out.append(tokens[i])
        i += 1
    return out


_TAKES_NUMBER = {"azimuth", "elevation", "az", "el", "elev", "past", "second"}


def _takes_number(before: list[Token]) -> bool:
    """ "Azimuth thirty", "second two"; not "the second one"."""
    last = [token.norm for token in before[-2:]]
    return bool(last) and last[-1] in _TAKES_NUMBER and not (last[-1] == "second" and last[0] == "the")


def _merged(tokens: list[Token], norm: str) -> Token:
    raw = " ".join(token.raw for token in tokens)
    return dataclasses.replace(tokens[0], norm=norm, raw=raw, end=tokens[-1].end)


def _leads_to_unit(tokens: list[Token], i: int) -> bool:
    """The other end of a range follows: "two to four seconds"."""
    if i >= len(tokens) or tokens[i].norm not in ("to", "and", "until", "till", "-", "or"):
        return False
    _, length = _number_at(tokens, i + 1)
    return bool(length) and i + 1 + length < len(tokens) and tokens[i + 1 + length].norm in UNIT


def _number_at(tokens: list[Token], i: int) -> tuple[float, int]:
    """The number that starts at `i` and how many tokens it takes (0: none)."""
    words = [token.norm for token in tokens[i : i + 6]]
    if not words or tokens[i].quoted:
        return 0.0, 0
    value: float
    if tokens[i].number is not None:
        value, length = tokens[i].number or 0.0, 1
    elif words[0] in ("minus", "negative") and len(words) > 1:
        value, length = _number_at(tokens, i + 1)
        return -value, length + 1 if length else 0
    else:
        value, length = _number_words(words)
    if length and words[length : length + 3] == ["and", "a", "half"]:
        return value + 0.5, length + 3
    if length or words[0] not in {key[0] for key in _VAGUE}:
        return value, length
    for key in sorted(_VAGUE, key=len, reverse=True):
        after = words[len(key) : len(key) + 1]
        if tuple(words[: len(key)]) == key and after and after[0] in UNIT and after[0] not in ("s", "m"):
            return _VAGUE[key], len(key)
    return 0.0, 0


def _number_words(words: list[str]) -> tuple[float, int]:
    if words[:2] in (["a", "hundred"], ["one", "hundred"]):
        rest, length = _number_words(words[3:] if words[2:3] == ["and"] else words[2:])
        return 100 + rest, 2 + length + (1 if length and words[2:3] == ["and"] else 0)
    if words[:1] == ["hundred"]:
        return 100.0, 1
    if not words or words[0] not in NUMBER:
        return 0.0, 0
    value = NUMBER[words[0]]
    if value >= 20 and len(words) > 1:
        following = words[2] if words[1] == "-" and len(words) > 2 else words[1]
        if following in NUMBER and 0 < NUMBER[following] < 10:
            return value + NUMBER[following], 2 if following == words[1] else 3
    return (value * 100, 2) if words[1:2] == ["hundred"] else (value, 1)
