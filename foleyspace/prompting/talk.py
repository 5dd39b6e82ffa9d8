"""Which of the things named are heard, and which are a heading or only talk."""

from __future__ import annotations

from collections.abc import Sequence

from foleyspace.prompting.clause import MOTIONS, PLACES, TIMES, Clause
from foleyspace.prompting.sources import EVENTS, SETTINGS, TALK, can_sound
from foleyspace.prompting.words import ADJECTIVES, DETERMINERS, UNHEARD, word_set


def only_talk(clauses: Sequence[Clause]) -> list[Clause]:
    """Sources that are none: "EXT. HARBOUR - NIGHT", "thanks a million", "that would be cool". A word with no
    place and no verb of its own counts as a sound only where it has an article or is known to sound."""
    placed = any(clause.has(PLACES | MOTIONS) for clause in clauses)
    talk = [clause for clause in clauses if _bare(clause) and _is_talk(clause, placed)]
    talk += [clause for k, clause in enumerate(clauses) if _told_after(clause, clauses[k + 1 :])]
    return talk if len(talk) < len(clauses) else []


def _told_after(clause: Clause, later: Sequence[Clause]) -> bool:
    """ "There are three people: Anna is ..., Ben ..., Carla ...": the three are named one by one."""
    whole = set(clause.label.lower().split()) & _WHOLES
    each = all(other.count == 1 and other.has(PLACES | MOTIONS) for other in later)
    bare = not clause.quoted and not clause.has(PLACES | MOTIONS | TIMES)
    return bool(whole) and bare and each and clause.count > 1 and min(clause.count, 4) == min(len(later), 4)


_WHOLES = word_set(
    "people persons friends guests sounds noises things sources animals birds instruments musicians players"
    " voices speakers talkers children kids men women vehicles objects singers"
)


def _bare(clause: Clause) -> bool:
    return clause.plain and not clause.quoted and not clause.has(PLACES | MOTIONS | TIMES)


def _is_talk(clause: Clause, others_placed: bool) -> bool:
    words = [word for word in clause.label.lower().split() if word not in ADJECTIVES | DETERMINERS]
    if others_placed and not clause.article and words and words[-1] in EVENTS:
        return True  # "Kids' party."
    if all(word in SETTINGS | TALK | UNHEARD for word in words):
        return True
    if others_placed and words and words[-1] in SETTINGS and not can_sound(words[-1]):
        return True  # "A lawyer's office."
    return others_placed and not clause.article and not any(can_sound(word) for word in words)
