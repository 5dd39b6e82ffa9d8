"""Labels in a sentence: with article, with their verb, or in double quotes where a word of theirs could be
taken for a place."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from foleyspace.prompting.sources import MEN, WOMEN

MAX_LABEL = 60

# -ing forms in a label that say what is done: "a dog is barking", and those that do not only take an s
_VERBS = frozenset(
    """barking meowing purring growling howling chirping singing speaking talking whispering shouting
    screaming laughing crying coughing sneezing snoring whistling humming clapping ringing ticking
    beeping buzzing roaring rumbling squeaking creaking crackling hissing honking idling mooing
    bleating crowing quacking croaking neighing typing knocking hammering sawing drilling splashing
    dripping playing cheering yelling chattering hooting cawing cooing rattling clanging""".split()  # noqa: SIM905
)
_STEMS = {
    "humming": "hum", "clapping": "clap", "dripping": "drip", "whistling": "whistle", "sneezing": "sneeze",
    "snoring": "snore", "rumbling": "rumble", "crackling": "crackle", "idling": "idle", "typing": "type",
    "rattling": "rattle",
}  # fmt: skip
_MASS = frozenset(
    """water rain wind music thunder applause speech traffic laughter noise fire surf static conversation
    singing ambience ambiance percussion chatter machinery snow hail breathing snoring whispering crying
    coughing typing knocking construction silence gunfire clapping cheering""".split()  # noqa: SIM905
)
_PLURAL = frozenset(("people", "children", "men", "women", "geese", "sheep", "mice", "cattle", "police"))
_SINGULAR_S = ("ss", "us", "is", "gas", "lens", "bass", "news")

# a label with one of these is put in quotes: the words of places, times and ways, and what joins clauses
_TAKEN = frozenset(
    """left right front back rear behind ahead before centre center middle above over overhead on top high up
    below under beneath low down feet ear shoulder hand side close near nearby next beside far away distance
    distant very slightly little just hard all way half of o'clock oclock clock clockwise degrees degree deg
    azimuth elevation metre meter metres meters m ft foot yard yards second seconds s from to at in by with
    and while then until after for first last end start starts between opposite nearer closer further
    farther than same together off out sight view screen moves moving move pass passes passing walk walks
    walking drive drives driving fly flies flying run runs running go goes going come comes coming circle
    circles circling approach approaches approaching recede recedes receding rise rises rising fall falls
    falling once twice times around through past me my mine i her his its their it he she they there a an
    the is are sound sounds hear heard can as or but not no into onto across along toward towards
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Named:
    """A label to be spoken of: `phrase` ("a dog barking"), `subject` ("a dog") with `doing` ("barking") and
    `does` ("barks") where the label says what it does (both "" otherwise), and whether it is `plural`."""

    phrase: str
    subject: str
    doing: str
    does: str
    plural: bool


def clean_label(label: str) -> str:
    """Without control characters and newlines, at most `MAX_LABEL` characters; "sound" when nothing is
    left."""
    shown = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in label)
    shown = re.sub(r'["“”„«»]', "'", shown)
    return " ".join(shown.split())[:MAX_LABEL].strip() or "sound"


def named(label: str) -> Named:
    """How a sentence speaks of the thing with this label."""
    label = clean_label(label)
    words = label.split(" ")
    plain = all(re.fullmatch(r"[^\W\d_]+(-[^\W\d_]+)*", word) for word in words)
    if not plain or any(part in _TAKEN for word in words for part in re.split("[-']", word.lower())):
        return Named(f'"{label}"', f'"{label}"', "", "", plural=False)
    verb = next((i for i, word in enumerate(words) if i > 0 and word.lower() in _VERBS), None)
    head = words[: verb if verb is not None else len(words)]
    plural = _is_plural(head[-1].lower())
    subject = _with_article(head, plural)
    if verb is None:
        return Named(subject, subject, "", "", plural)
    doing = " ".join(words[verb:])
    stem = _STEMS.get(words[verb].lower(), words[verb][:-3])
    does = " ".join([stem if plural else _third_person(stem), *words[verb + 1 :]])
    return Named(f"{subject} {doing}", subject, doing, does, plural)


def pronoun(name: Named) -> str:
    """ "she" or "he" for people whose name says so, "they" for several, else "it"."""
    who = set() if name.subject.startswith('"') else set(name.subject.lower().split())
    return "they" if name.plural else "she" if who & WOMEN else "he" if who & MEN else "it"


def _is_plural(noun: str) -> bool:
    return noun in _PLURAL or (len(noun) > 3 and noun.endswith("s") and not noun.endswith(_SINGULAR_S))


def _with_article(words: list[str], plural: bool) -> str:
    phrase = " ".join(words)
    if plural or words[-1].lower() in _MASS or words[-1].lower().endswith("ing"):
        return phrase
    vowel = phrase[0].lower() in "aeiou" and not re.match(r"(uni|use|eu|one)", phrase.lower())
    return f"{'an' if vowel else 'a'} {phrase}"


def _third_person(stem: str) -> str:
    if stem.endswith("cry"):
        return stem[:-1] + "ies"
    return stem + ("es" if stem.endswith(("s", "sh", "z", "ch")) else "s")
