"""Which of the things named are heard, and which are a heading or only talk."""

from __future__ import annotations

from collections.abc import Sequence

from foleyspace.prompting.clause import DISTANCES, MOTIONS, PLACES, TIMES, Clause
from foleyspace.prompting.sources import ADDRESSED, EVENTS, SETTINGS, TALK, can_sound
from foleyspace.prompting.text import Token
from foleyspace.prompting.verb_words import MOVE_VERBS, SOUND_VERBS, verb_forms
from foleyspace.prompting.words import ADJECTIVES, DETERMINERS, PREPOSITIONS, UNHEARD, word_set


def only_talk(clauses: Sequence[Clause], tokens: Sequence[Token]) -> list[Clause]:
    """Sources that are none: "EXT. HARBOUR - NIGHT", "thanks a million", "that would be cool". A word with no
    place and no verb of its own counts as a sound only where it has an article or is known to sound."""
    placed = any(clause.has(PLACES | MOTIONS) for clause in clauses)
    talk = [clause for clause in clauses if _bare(clause) and _is_talk(clause, placed)]
    talk += [clause for k, clause in enumerate(clauses) if _told_after(clause, clauses[k + 1 :])]
    if placed:
        there = {clause.sentence for clause in clauses if clause.has(PLACES | MOTIONS)}
        talk += [c for c in clauses if c not in talk and _only_said(c, c.sentence not in there, tokens)]
    return talk if len(talk) < len(clauses) else []


def _only_said(clause: Clause, alone: bool, tokens: Sequence[Token]) -> bool:
    """ "It's a show about records.", "Our conductor asked for it.", "The harbour was grey.": no place where
    others have theirs, and no verb of sound or motion. `alone`: its sentence places nothing."""
    if clause.quoted or clause.has(PLACES | MOTIONS | TIMES | DISTANCES):
        return False
    words = [tokens[i].norm for start, stop in clause.spans for i in range(start, stop)]
    if any(verb_forms().get(word, ("", ""))[0] in _HEARD for word in words):
        return False
    names = clause.label.lower().split()
    if not can_sound(names[-1]):
        return alone or not clause.plain
    at = max((k for k, word in enumerate(words) if word in names), default=len(words) - 1)
    after = words[at + 1] if at + 1 < len(words) else ","
    if alone and (after in _MODALS or _SOMEBODY & set(words[:at])):
        return True
    does = after.isalpha() and after not in PREPOSITIONS | ADJECTIVES | _IS
    owned = bool(_OWN & set(words[:at]))
    return does and (owned or (alone and clause.article))


_HEARD = SOUND_VERBS | MOVE_VERBS | word_set("hover")
_MODALS = word_set("would could should might")
_SOMEBODY = word_set("i we you he she it they")
_IS = word_set("is are was were and or be being keeps")
_OWN = word_set("my our your his her their")


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
    if others_placed and not clause.article and len(words) == 1 and words[0] in ADDRESSED:
        return True  # "Mum, I hear a baby"
    if others_placed and words and words[-1] in SETTINGS and not can_sound(words[-1]):
        return True  # "A lawyer's office."
    return others_placed and not clause.article and not any(can_sound(word) for word in words)
