"""Which of the things named are heard, and which are a heading or only talk."""

from __future__ import annotations

from collections.abc import Sequence

from foleyspace.prompting.clause import MOTIONS, PLACES, TIMES, Clause
from foleyspace.prompting.sources import SETTINGS, TALK, can_sound
from foleyspace.prompting.words import ADJECTIVES, DETERMINERS, UNHEARD


def only_talk(clauses: Sequence[Clause]) -> list[Clause]:
    """Sources that are none: "EXT. HARBOUR - NIGHT", "thanks a million", "that would be cool". A word with no
    place and no verb of its own counts as a sound only where it has an article or is known to sound."""
    placed = any(clause.has(PLACES | MOTIONS) for clause in clauses)
    talk = [clause for clause in clauses if _bare(clause) and _is_talk(clause, placed)]
    return talk if len(talk) < len(clauses) else []


def _bare(clause: Clause) -> bool:
    return clause.plain and not clause.quoted and not clause.has(PLACES | MOTIONS | TIMES)


def _is_talk(clause: Clause, others_placed: bool) -> bool:
    words = [word for word in clause.label.lower().split() if word not in ADJECTIVES | DETERMINERS]
    if all(word in SETTINGS | TALK | UNHEARD for word in words):
        return True
    return others_placed and not clause.article and not any(can_sound(word) for word in words)
