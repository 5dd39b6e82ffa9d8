"""Places told along axes: "3 m in front, 2 m to the left and 1 m up"."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from foleyspace.prompting.numbers import as_digits
from foleyspace.prompting.text import Token, joined_norms, token_span

_AXES = {"front": (0, 1), "ahead": (0, 1), "behind": (0, -1), "back": (0, -1), "left": (1, 1),
         "right": (1, -1), "up": (2, 1), "above": (2, 1), "down": (2, -1), "below": (2, -1)}  # fmt: skip
_LEG = (
    r"(\d+(?:\.\d+)?) metres (?:away )?(?:to (?:the |my )?|in (?=front)|on (?:the |my )?)?(?:straight )?"
    r"(front|ahead|behind|back|left|right|up|above|down|below)(?: of)?(?: (?:me|us|you))?"
)
_LEGS = re.compile(rf"(?<![^ ])(?:at |is )?{_LEG}(?: (?:,|and|, and)? ?{_LEG}){{1,2}}(?= [.,;)]| and |$)")


def read_axes(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with azimuth, elevation and distance in place of lengths along two or three axes."""
    kept = list(tokens)
    joined = joined_norms(kept)
    start = 0
    while (match := _LEGS.search(joined, start)) is not None:
        start = match.end()
        place = [0.0, 0.0, 0.0]
        legs = re.findall(_LEG, match.group())
        for length, way in legs:
            axis, sign = _AXES[way]
            place[axis] += sign * float(length)
        distance = math.hypot(*place)
        if len({_AXES[way][0] for _, way in legs}) < len(legs) or distance == 0:
            continue
        x, y, z = place
        said = f"azimuth {as_digits(math.degrees(math.atan2(y, x)))} elevation"
        said += f" {as_digits(math.degrees(math.asin(z / distance)))} {as_digits(distance)} metres"
        first, last = token_span(joined, match)
        old = kept[first:last]
        text = " ".join(token.raw for token in old)
        kept[first:last] = [Token(word, text, old[0].start, old[-1].end) for word in said.split()]
        joined = joined_norms(kept)
        start = 0
    return kept
