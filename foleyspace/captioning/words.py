"""Places, distances and times as words, each only where it says the truth: a word stands for a direction
within `WORD_DEG` of what it means, and on the same side; else degrees or a clock position are said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from foleyspace.prompting.places import ABOVE_DEG

Precision = Literal["words", "degrees", "clock", "mixed"]

WORD_DEG = 7.5  # half of a half hour on the clock; about what a listener can tell beside the head
CENTRE_DEG = 10.0  # within this of the front or the back a source is on neither side
LEVEL_DEG = 7.5  # elevations below this are not told
OVERHEAD_DEG = 75.0

# meaning in degrees to the left: (where it is, where it comes from or goes to); {side} is left or right
_SECTORS: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = {
    0: (
        ("in front", "in front of me", "straight ahead", "in the middle", "in the centre", "ahead of me"),
        ("the front", "the middle", "the centre", "straight ahead"),
    ),
    20: (
        ("slightly {side} of centre", "slightly to the {side}", "a little to the {side}",
         "just {side} of centre"),
        ("slightly {side} of centre", "just {side} of centre"),
    ),
    45: (
        ("in front on the {side}", "at the front {side}", "ahead on the {side}",
         "ahead of me on the {side}"),
        ("the front {side}", "front {side}", "ahead on the {side}"),
    ),
    90: (
        ("on the {side}", "to the {side}", "on my {side}", "on the {side} side", "to my {side}"),
        ("the {side}", "my {side}", "the {side} side", "{side}"),
    ),
    135: (
        ("behind on the {side}", "behind me on the {side}", "at the back {side}", "at the rear {side}"),
        ("the back {side}", "the rear {side}"),
    ),
    180: (
        ("behind me", "behind", "at the back", "at the rear"),
        ("the back", "the rear"),
    ),
}  # fmt: skip
_TIMES = {1: "once", 2: "twice", 3: "three times", 4: "four times", 5: "five times", 6: "six times"}


@dataclass(frozen=True)
class Direction:
    """A direction in two cases: `at` ("on the left") and `noun` ("the left", after "from" and "to")."""

    at: str
    noun: str


def side(azimuth_deg: float) -> int:
    """1 on the left, -1 on the right, 0 within `CENTRE_DEG` of the front or the back."""
    azimuth = wrapped(azimuth_deg)
    return int(np.sign(azimuth)) if CENTRE_DEG < abs(azimuth) < 180 - CENTRE_DEG else 0


def wrapped(azimuth_deg: float) -> float:
    """The same azimuth in (-180, 180]."""
    return float(180 - (180 - azimuth_deg) % 360)


def direction(
    azimuth_deg: float,
    rng: np.random.Generator,
    precision: Precision = "words",
    slack_deg: float = 0.0,
    moving: bool = False,
) -> Direction:
    """The direction in words: exact to `WORD_DEG` less `slack_deg`, and on its side. After a verb that is
    `moving`, "to the left" would be where it goes: it is not said."""
    azimuth = wrapped(azimuth_deg)
    if precision == "mixed":
        precision = ("words", "degrees", "clock")[rng.integers(3)]
    if precision == "words":
        meaning = min(_SECTORS, key=lambda m: abs(m - abs(azimuth)))
        if _says(meaning, abs(azimuth), slack_deg):
            at, noun = _SECTORS[meaning]
            at = tuple(words for words in at if not (moving and "to " in words))
            name = "left" if azimuth > 0 else "right"
            return Direction(pick(at, rng).format(side=name), pick(noun, rng).format(side=name))
        said = _clock(azimuth, slack_deg) if rng.integers(2) else None
        return said or _degrees(azimuth, 5)
    if precision == "clock":
        return _clock(azimuth, slack_deg) or _degrees(azimuth, 5)
    return _degrees(azimuth, 1)


def _says(meaning: float, azimuth_deg: float, slack_deg: float) -> bool:
    off = abs(wrapped(meaning - azimuth_deg))
    return off <= max(WORD_DEG - slack_deg, 5.0) and side(meaning) == side(azimuth_deg)


def _clock(azimuth_deg: float, slack_deg: float) -> Direction | None:
    half_hours = round(-azimuth_deg / 15) % 24
    if not _says(wrapped(-15.0 * half_hours), azimuth_deg, slack_deg):
        return None
    hour, half = divmod(half_hours, 2)
    time = f"half past {hour or 12}" if half else f"{hour or 12} o'clock"
    return Direction(f"at {time}", time)


def _degrees(azimuth_deg: float, step: int) -> Direction:
    size = round(abs(azimuth_deg) / step) * step
    if side(size) != side(abs(azimuth_deg)):
        size = int(np.ceil(abs(azimuth_deg)) if abs(azimuth_deg) < 90 else abs(azimuth_deg) // 1)
    if size == 0:
        return Direction("straight ahead", "straight ahead")
    if size >= 180:
        return Direction("behind me", "the back")
    words = f"{size} degrees to the {'left' if azimuth_deg > 0 else 'right'}"
    return Direction(f"at {words}", words)


def elevation(elevation_deg: float, rng: np.random.Generator, precision: Precision = "words") -> str:
    """ "above", "30 degrees down"; nothing for a level direction."""
    exact = precision == "degrees"
    size, step = abs(elevation_deg), 1 if exact else 5
    if size < (step if exact else LEVEL_DEG):
        return ""
    up = elevation_deg > 0
    if not exact and abs(size - ABOVE_DEG) <= WORD_DEG:
        return pick(("above",) if up else ("below",), rng)
    return f"{round(size / step) * step} degrees {'up' if up else 'down'}"


def overhead(sign: int, rng: np.random.Generator) -> str:
    """Straight above (1) or below (-1) the listener."""
    return pick(
        ("above me", "overhead", "straight above me") if sign > 0 else ("below me", "beneath me"), rng
    )


def distance(distance_m: float, rng: np.random.Generator, *, always: bool = False) -> str:
    """ "close", "far away", "3 metres away"; nothing near the 2 m that are meant without a word, unless
    `always`."""
    if not always:
        for metres, words in (
            (0.3, ("very close",)),
            (1.0, ("close", "nearby", "close to me")),
            (2.0, ("",)),
            (10.0, ("far away", "in the distance")),
            (20.0, ("very far away",)),
        ):
            if abs(np.log(distance_m / metres)) <= np.log(1.3):
                return pick(words, rng)
    return f"{pick(('about ', ''), rng) if always else ''}{metres_said(distance_m)} away"


def metres_said(distance_m: float) -> str:
    """ "3 metres", "2.5 metres", "0.4 metres", "120 metres": as exact as anyone would say it."""
    if distance_m < 1:
        rounded = max(round(distance_m, 1), 0.1)
    else:
        rounded = round(distance_m * 2) / 2 if distance_m < 5 else float(f"{round(distance_m):.2g}")
    return f"{rounded:g} {'metre' if rounded == 1 else 'metres'}"


def span(start_s: float, end_s: float, duration: float, rng: np.random.Generator) -> str:
    """ "from 2 to 4 seconds"; nothing for all of `duration`."""
    start, end = round(start_s, 1), round(end_s, 1)
    if start <= 0 and end >= round(duration, 1):
        return ""
    if end <= start:
        start, end = round(start_s, 2), round(max(end_s, start_s + 0.01), 2)
    said = f"from {start:g} to {_seconds(end)}"
    if start <= 0 and end > 1:
        return pick((said, f"until {_seconds(end)}", f"for the first {_seconds(end)}"), rng)
    if end >= round(duration, 1):
        return pick((said, f"after {_seconds(start)}"), rng)
    return said


def _seconds(time_s: float) -> str:
    return f"{time_s:g} {'second' if time_s == 1 else 'seconds'}"


def rounds(turn_deg: float) -> str:
    """How often something that turned by this went round: "twice"."""
    count = max(round(abs(turn_deg) / 360), 1)
    return _TIMES.get(count, f"{count} times")


def pick(choices: tuple[str, ...], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]
