"""Place phrases of one source -> azimuth, elevation, distance; contradictions are errors that quote both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from foleyspace.errors import InputError
from foleyspace.prompting.distances import contradiction, distance_of
from foleyspace.prompting.patterns import HALF, HOURS, WEAK
from foleyspace.prompting.view import Phrase

SIDE_DEG, HALF_DEG, WEAK_DEG = 90.0, 45.0, 20.0
ABOVE_DEG, HIGH_DEG, LOW_DEG, BELOW_DEG = 45.0, 40.0, -30.0, -60.0
_WEAK, _HALF = set(WEAK.split("|")), set(HALF.split("|"))
_CORNERS = {
    "fl": 45, "lf": 45, "fr": -45, "rf": -45, "bl": 135, "rl": 135, "lb": 135, "ls": 110, "sl": 90,
    "br": -135, "rr": -135, "rb": -135, "rs": -110, "sr": -90,
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where: None for what was not said. `straight`: right above or below, where azimuth means nothing."""

    azimuth_deg: float | None = None
    elevation_deg: float | None = None
    distance_m: float | None = None
    straight: bool = False
    spread: bool = False
    shoulder: bool = False

    @property
    def empty(self) -> bool:
        return self.azimuth_deg is None and self.elevation_deg is None and self.distance_m is None


def merge(phrases: Sequence[Phrase], label: str, notes: list[str]) -> Place:
    """One place from all that is said about it (relations aside). Raises `InputError` where two phrases
    cannot both be true, and for places that cannot be."""
    azimuth = _azimuth(phrases, label, notes)
    elevation = _elevation(phrases, label, azimuth is not None)
    straight = azimuth is None and elevation is not None and abs(elevation) > 80
    if azimuth is None and elevation is not None:
        azimuth = 0.0
    spread = any(phrase.kind == "spread" for phrase in phrases)
    return Place(azimuth, elevation, distance_of(phrases, label), straight, spread)


def _azimuth(phrases: Sequence[Phrase], label: str, notes: list[str]) -> float | None:
    side: tuple[float, Phrase] | None = None  # signed degrees from the front
    depth: tuple[str, Phrase] | None = None
    exact: tuple[float, Phrase] | None = None
    free: tuple[float, Phrase] | None = None
    for phrase in phrases:
        for value, kind in _readings(phrase):
            if kind == "side":
                assert isinstance(value, float)
                if side is not None and side[0] * value < 0:
                    contradiction(label, side[1].text, phrase.text)
                if side is None or abs(value) < abs(side[0]):
                    side = (value, phrase)
            elif kind == "depth":
                assert isinstance(value, str)
                if depth is not None and {depth[0], value} == {"front", "back"}:
                    contradiction(label, depth[1].text, phrase.text)
                if depth is None or depth[0] == "centre":
                    depth = (value, phrase)
            elif kind == "exact":
                assert isinstance(value, float)
                if exact is not None and abs(wrap(exact[0] - value)) > 15:
                    contradiction(label, exact[1].text, phrase.text)
                exact = exact or (value, phrase)
            else:
                assert isinstance(value, float)
                if free is not None and abs(free[0] - value) > 1:
                    contradiction(label, free[1].text, phrase.text)
                free = (value, phrase)
    if side is not None and depth is not None and depth[0] == "centre" and abs(side[0]) > HALF_DEG:
        contradiction(label, depth[1].text, side[1].text)
    if exact is None and free is not None:
        exact = _free_angle(free, side, depth, notes)
    if exact is not None:
        return _checked(exact, side, depth, label, notes)
    return _from_words(side, depth)


def _from_words(side: tuple[float, Phrase] | None, depth: tuple[str, Phrase] | None) -> float | None:
    where = depth[0] if depth is not None else ""
    if side is None:
        return {"front": 0.0, "centre": 0.0, "back": 180.0}.get(where)
    sign, size = math.copysign(1.0, side[0]), abs(side[0])
    weak = depth is not None and "weak" in depth[1].groups and size == SIDE_DEG
    if where in ("front", "back"):
        size = SIDE_DEG - WEAK_DEG if weak else min(size, HALF_DEG)  # "left, a bit in front"
        size = size if where == "front" else 180.0 - size
    return sign * size


def _free_angle(
    free: tuple[float, Phrase],
    side: tuple[float, Phrase] | None,
    depth: tuple[str, Phrase] | None,
    notes: list[str],
) -> tuple[float, Phrase]:
    """Degrees with no side of their own take it from the words beside them."""
    value, phrase = free
    if side is not None:
        value = math.copysign(abs(value), side[0])
        if depth is not None and depth[0] == "back" and abs(value) <= 90:
            value = math.copysign(180 - abs(value), value)
            notes.append(f"read '{phrase.text}' as measured from straight behind: azimuth {value:g} degrees")
    elif depth is not None and depth[0] == "back" and abs(value) < 90:
        value = math.copysign(180 - abs(value), value)
        notes.append(f"read '{phrase.text}' as measured from straight behind: azimuth {value:g} degrees")
    elif abs(value) not in (0, 180, 360) and "+" not in phrase.text and "-" not in phrase.text:
        notes.append(f"'{phrase.text or f'{value:g} degrees'}' has no side: positive degrees are to the left")
    return wrap(value), phrase


def _checked(
    exact: tuple[float, Phrase],
    side: tuple[float, Phrase] | None,
    depth: tuple[str, Phrase] | None,
    label: str,
    notes: list[str],
) -> float:
    azimuth, phrase = exact
    lateral, ahead = math.sin(math.radians(azimuth)), math.cos(math.radians(azimuth))
    if (
        side is not None
        and lateral * side[0] < 0.01
        and not (abs(lateral) < 0.01 and abs(side[0]) < SIDE_DEG)
    ):
        contradiction(label, side[1].text, phrase.text)
    if depth is not None and depth[0] == "back" and ahead > 0.1:
        if phrase.kind == "azimuth" and phrase.groups.get("side") and abs(azimuth) > 0.5:
            turned = math.copysign(180 - abs(azimuth), azimuth)
            notes.append(f"read '{phrase.text}' with '{depth[1].text}' as azimuth {turned:g} degrees")
            return turned
        contradiction(label, depth[1].text, phrase.text)
    if depth is not None and depth[0] == "front" and ahead < -0.1:
        contradiction(label, depth[1].text, phrase.text)
    return azimuth


def _readings(phrase: Phrase) -> list[tuple[float | str, str]]:
    groups = phrase.groups
    kind = phrase.kind
    if kind in ("lateral", "ear"):
        if "shoulder" in groups or (
            groups.get("part") == "shoulder" and phrase.text.lower().startswith("over ")
        ):
            side = groups.get("shoulder") or groups.get("side") or ""
            return [("back", "depth"), *([(_signed(side, SIDE_DEG), "side")] if side else [])]
        side = groups.get("side") or ("left" if kind == "lateral" else "")  # "on one side"
        return [(_signed(side, _strength(groups)), "side")] if side else []
    if kind in ("back", "front", "centre"):
        return [(kind, "depth")]
    if kind == "corner":
        return [(float(_CORNERS[groups["code"]]), "exact")]
    if kind == "clock":
        return [(_clock(phrase), "exact")]
    if kind == "azimuth":
        return [(_degrees(phrase), "exact")]
    if kind == "angle":
        value = float(groups["num"])
        if abs(value) > 360:
            raise InputError(f"'{phrase.text}' cannot be: an angle must be between -360 and 360 degrees")
        return [(value, "free")]
    return []


def _strength(groups: dict[str, str]) -> float:
    words = {groups.get(name, "") for name in ("mod", "mod2", "mod3")} - {""}
    words |= {word.rsplit(" ", 1)[0] for word in words if word.endswith((" off", " out", " over"))}
    if "degrees" in groups.get("mod", ""):
        return float(groups["mod"].split()[0])
    if words & _WEAK:
        return WEAK_DEG
    hard = words - _HALF
    if words & _HALF or ("of_centre" in groups and not hard):
        return HALF_DEG
    return SIDE_DEG


def _signed(side: str, size: float) -> float:
    return size if side.startswith("l") else -size


def _clock(phrase: Phrase) -> float:
    groups = phrase.groups
    if "past" in groups:
        hour = float(groups["past"]) + 0.5
    elif ":" in groups["hour"]:
        whole, minutes = groups["hour"].split(":")
        hour = float(whole) + float(minutes) / 60
    else:
        names = HOURS.split("|")
        hour = names.index(groups["hour"]) + 1.0 if groups["hour"] in names else float(groups["hour"])
        hour += (float(groups.get("hour2", hour)) - hour) % 12 / 2  # between two hours
    if not 0 < hour < 13:
        raise InputError(f"'{phrase.text}' cannot be: a clock direction must be between 1 and 12 o'clock")
    return wrap(-30.0 * hour)


def _degrees(phrase: Phrase) -> float:
    groups = phrase.groups
    value = 0.9 * float(groups["pct"]) if "pct" in groups else float(groups.get("num") or groups["num2"])
    value = (value + float(groups["num3"])) / 2 if "num3" in groups else value
    side = groups.get("side") or groups.get("side2")
    if abs(value) > 360:
        raise InputError(f"'{phrase.text}' cannot be: an azimuth must be between -360 and 360 degrees")
    return wrap(_signed(side, abs(value)) if side else value)


def _elevation(phrases: Sequence[Phrase], label: str, directed: bool) -> float | None:
    found: tuple[float, Phrase] | None = None
    for phrase in phrases:
        value = _height(phrase, directed)
        if value is None:
            continue
        if found is not None and found[0] * value < 0:
            contradiction(label, found[1].text, phrase.text)
        exact = phrase.kind == "elevation"
        if found is not None and exact and found[1].kind == "elevation" and abs(found[0] - value) > 1:
            contradiction(label, found[1].text, phrase.text)
        if found is None or exact or (found[1].kind != "elevation" and abs(value) > abs(found[0])):
            found = (value, phrase)
    return None if found is None else found[0]


def _height(phrase: Phrase, directed: bool) -> float | None:
    text = f" {phrase.text.lower()} "
    weak = (
        any(f" {word} " in text for word in ("slightly", "little", "bit", "just")) or "mod" in phrase.groups
    )
    if phrase.kind == "elevation":
        value = float(phrase.groups["num"])
        if phrase.groups.get("way", "")[:3] in ("dow", "bel", "low", "ben"):
            value = -abs(value)
        if abs(value) > 90:
            raise InputError(f"'{phrase.text}' cannot be: an elevation must be between -90 and 90 degrees")
        return value
    if phrase.kind == "level":
        return 0.0
    if phrase.kind == "up":
        if weak:
            return WEAK_DEG
        if "above" in text or "over" in text or "on top" in text:
            return ABOVE_DEG if directed else 90.0
        return HIGH_DEG
    if phrase.kind == "down":
        if weak:
            return -WEAK_DEG
        return LOW_DEG if "low" in text and "below" not in text else (-ABOVE_DEG if directed else BELOW_DEG)
    if phrase.kind == "updown":
        return HIGH_DEG if phrase.groups["low"][:2] in ("hi", "up", "ra", "el") else LOW_DEG
    if phrase.kind == "lateral" and phrase.groups.get("part") in ("foot", "feet", "knee", "ankle", "leg"):
        return -ABOVE_DEG
    return None


def wrap(azimuth_deg: float) -> float:
    """Into (-180, 180]."""
    wrapped = math.fmod(azimuth_deg, 360.0)
    return wrapped - 360 if wrapped > 180 else wrapped + 360 if wrapped <= -180 else wrapped
