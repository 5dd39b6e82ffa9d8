"""What was seen and could be meant, for a person who wants to overrule the choice: ids, times, shares."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foleyspace.evidence import Evidence

logger = logging.getLogger("foleyspace")

MOST_LINES = 40  # a long film has hundreds of objects; JSON and the scene file have them all


def candidates(evidence: Sequence[Evidence]) -> list[dict[str, Any]]:
    """Every object seen, those that got most of the sound first, for JSON: `id` (what `--source` takes),
    `label`, `start_s`, `end_s`, and `share`: its mean weight in [0, 1] against the others of its shot."""
    return [
        {
            "id": entry.id,
            "label": entry.label,
            "start_s": round(entry.start, 3),
            "end_s": round(entry.end, 3),
            "share": round(entry.share, 3),
        }
        for entry in sorted(evidence, key=lambda entry: (-entry.share, -entry.score, entry.start))
    ]


def as_json(evidence: Sequence[Evidence], heard: Sequence[tuple[str, float]]) -> dict[str, Any]:
    """Keys for a command's `--json`: `objects`, and `heard`, what the sound was taken for."""
    return {
        "objects": candidates(evidence),
        "heard": [{"word": word, "probability": round(p, 4)} for word, p in heard],
    }


def say_candidates(evidence: Sequence[Evidence]) -> None:
    """A line for each object at level DEBUG (`-v`)."""
    listed = candidates(evidence)
    for entry in listed[:MOST_LINES]:
        logger.debug(
            "seen: %s (%s) %.1f-%.1f s, share %.2f",
            entry["id"],
            entry["label"],
            entry["start_s"],
            entry["end_s"],
            entry["share"],
        )
    if len(listed) > MOST_LINES:
        logger.debug("seen: %d more, see --json", len(listed) - MOST_LINES)
