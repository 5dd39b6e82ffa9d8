"""Words that no list has, told by where they stand: a noun never stands right before an article, so what does
is a verb ("men lug a piano", "froths milk")."""

from __future__ import annotations

from foleyspace.prompting.sources import SETTINGS, TALK, can_sound
from foleyspace.prompting.verb_words import verb_forms
from foleyspace.prompting.words import ADJECTIVES, FILLERS, PREPOSITIONS, word_set

# what opens a noun phrase for certain
ARTICLES = word_set("a an the my your our his her its their some")


def singular_verb(word: str) -> bool:
    """Whether it may be a verb in -s; in -ers it is rather who does it: "sneakers", "strikers"."""
    return word.endswith("s") and len(word) > 3 and not word.endswith(("ss", "us", "is", "'s", "ers", "ors"))


def unlisted_verb(word: str) -> bool:
    """Whether a word that no list has looks like a verb: "hovers", "travelled"."""
    known = can_sound(word) or word in SETTINGS | TALK
    return not known and word.isalpha() and (singular_verb(word) or (word.endswith("ed") and len(word) > 4))


def verb_by_place(word: str, following: str) -> bool:
    """Whether an unknown word is a verb because an article follows: "lug a", "scrubs the"."""
    known = can_sound(word) or word in SETTINGS | TALK | ADJECTIVES | FILLERS | PREPOSITIONS
    return following in ARTICLES and not known and word.isalpha() and word not in verb_forms()


def takes_object(word: str, following: str) -> bool:
    """Whether an unknown word in -s has its object after it: "froths milk"; not "widgets beep", "widgets"."""
    does = verb_forms().get(following, ("", ""))[1] in ("s", "ed", "base")
    return bool(following) and unlisted_verb(word) and word.endswith("s") and not does


def stem(word: str) -> str:
    if word.endswith(("sses", "shes", "ches", "xes", "zzes")):
        return word[:-2]
    return word[:-3] + "y" if word.endswith("ies") else word[:-1]
