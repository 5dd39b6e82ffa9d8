"""Distance phrases of one source -> metres."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NoReturn

from foleyspace.errors import InputError
from foleyspace.prompting.text import UNITS_M
from foleyspace.prompting.view import Phrase

DEFAULT_M, NEAR_M, EAR_M, FAR_M, VERY_FAR_M, MID_M = 2.0, 1.0, 0.3, 10.0, 20.0, 3.0
MAX_M = 10_000.0


def contradiction(label: str, a: str, b: str) -> NoReturn:
    raise InputError(f"'{a}' and '{b}' contradict each other for '{label}': say one of them")


def distance_of(phrases: Sequence[Phrase], label: str) -> float | None:
    """The distance said, in metres, or None."""
    exact: tuple[float, Phrase] | None = None
    word: tuple[float, Phrase] | None = None
    for phrase in phrases:
        value = _metres(phrase)
        if value is None:
            continue
        if phrase.kind == "distance":
            if exact is not None and abs(exact[0] - value) > 0.01:
                contradiction(label, exact[1].text, phrase.text)
            exact = (value, phrase)
        else:
            if word is not None and (word[0] - DEFAULT_M) * (value - DEFAULT_M) < 0:
                contradiction(label, word[1].text, phrase.text)
            if word is None or abs(math.log(value / DEFAULT_M)) > abs(math.log(word[0] / DEFAULT_M)):
                word = (value, phrase)
    return exact[0] if exact is not None else (word[0] if word is not None else None)


def _metres(phrase: Phrase) -> float | None:
    kind, groups = phrase.kind, phrase.groups
    if kind == "distance":
        value = float(groups["num"]) * UNITS_M[groups.get("unit", "metres")]
        if not 0 < value <= MAX_M:
            raise InputError(
                f"'{phrase.text}' cannot be: a distance must be above 0 and at most {MAX_M:g} metres"
            )
        return max(value, 0.05)
    if kind == "ear" or (
        kind == "lateral" and groups.get("part") == "ear" and groups.get("prep") != "toward"
    ):
        return EAR_M
    if kind == "near":
        very = groups.get("very", "").strip()
        return EAR_M if very and very not in ("up", "so", "right up") else NEAR_M
    if kind == "mid":
        return MID_M
    if kind == "far":
        return VERY_FAR_M if "very" in groups or "very2" in groups or "miles" in phrase.text else FAR_M
    if "near" in groups:
        return NEAR_M
    if kind in ("back", "front", "up", "down") and groups.get("far"):
        return FAR_M
    mod = groups.get("mod", "") if kind == "lateral" else ""
    if mod == "near" or (kind == "lateral" and groups.get("mod2") == "near"):
        return NEAR_M
    if groups.get("part") in ("foreground", "background"):
        return NEAR_M if groups["part"] == "foreground" else FAR_M
    if mod.startswith(("far", "way off")) and (groups.get("prep") or mod.endswith(" off")):
        return FAR_M
    return None
