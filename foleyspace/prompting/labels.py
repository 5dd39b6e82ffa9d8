"""What a mention of a sound is called: short noun phrases a sound tagger understands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from foleyspace.prompting.sources import can_sound, is_person, stands
from foleyspace.prompting.text import Token
from foleyspace.prompting.unlisted import singular_verb, stem, unlisted_verb, verb_by_place
from foleyspace.prompting.verb_words import LIGHT_VERBS, SOUND_VERBS, ing, verb_forms
from foleyspace.prompting.view import Phrase
from foleyspace.prompting.words import COUNTS, GROUPS, HEARD, INSTRUMENTS, word_set

MAX_LABEL = 60
PERSON = {"someone": "person", "somebody": "person"}
_PLAYING = word_set("play perform strum pluck blow bow beat drum tune pick finger hear")
_PLAIN = word_set(
    "music band radio record orchestra song speaker melody tune anthem quartet choir tv recording"
)

# plurals that are things more often than doings
_THINGS = word_set("crows drums chimes hammers saws drills steps calls hawks horns")


@dataclass(eq=False)
class Mention:
    """One naming of a sound: `nouns`, `verb` (base), `objects` are token indices; `quoted` a given label;
    `det` its article; `other`: "one", "another", "the other" for a thing named before."""

    det: str = ""
    nouns: list[int] = field(default_factory=list)
    verb: str = ""
    verb_at: int = -1
    objects: list[int] = field(default_factory=list)
    object_det: str = ""
    quoted: int | None = None
    count: int = 1
    other: bool = False
    ordinal: int | None = None  # "the second": its place among those named before, from 0; -1: the last
    linked: bool = False  # a verb follows: "the dog is", "the dog moves"
    described: bool = False  # a place before any verb: "the man on the left speaks"
    sound_of: bool = False  # "the sound of a car": heard from where it is, not said to come nearer
    anchor: bool = False  # only there for others to be placed by: "opposite the door, which is on the left"
    participle: bool = False  # "holding an umbrella": what it does besides
    moved: bool = False  # a verb of motion follows, whose object is not heard: "flies a kite"


@dataclass
class Pieces:
    """What a fragment holds, in order: mentions and phrases; `subject` a pronoun that stands for an earlier
    source; `verbs`: it has a verb of its own; `unknown`: texts of what was passed over."""

    parts: list[Mention | Phrase] = field(default_factory=list)
    subject: str = ""
    verbs: bool = False
    verb: str = ""
    objects: list[int] = field(default_factory=list)
    unknown: list[tuple[int, int]] = field(default_factory=list)

    @property
    def mentions(self) -> list[Mention]:
        return [part for part in self.parts if isinstance(part, Mention)]

    @property
    def phrases(self) -> list[Phrase]:
        return [part for part in self.parts if isinstance(part, Phrase)]


_ATTRIBUTES = word_set("azimuth elevation distance direction position location place volume level angle")
_PLURALS = word_set("people children men women kids geese mice feet cattle sheep police")


def find_object(mention: Mention | None, broken: bool, tokens: Sequence[Token]) -> None:
    """ "A bartender shakes a cocktail", "men lug a piano": a last word before an article is a verb nobody
    listed, in -s after one, in its base form after several."""
    if mention is None or broken or mention.verb or mention.linked or len(mention.nouns) < 2:
        return
    last, first = tokens[mention.nouns[-1]].norm, tokens[mention.nouns[0]].norm
    named = mention.det in ("a", "an", "the", "my", "your", "his", "her", "one")
    does = (named and singular_verb(last)) or (can_sound(first) and unlisted_verb(last))
    several = mention.count > 1 or tokens[mention.nouns[-2]].norm in _PLURALS or first.endswith("s")
    if does or (several and verb_by_place(last, "the")):
        mention.verb, mention.linked = stem(last) if does else last, True
        mention.nouns.pop()


def is_plural(mention: Mention | None, tokens: Sequence[Token]) -> bool:
    if mention is None or not mention.nouns:
        return True
    last = tokens[mention.nouns[-1]].norm
    return last in _PLURALS or (last.endswith("s") and not last.endswith(("ss", "us"))) or mention.count > 1


def is_heard(mention: Mention, tokens: Sequence[Token]) -> bool:
    """A sound rather than a thing: it comes from somewhere and stays there."""
    words = {tokens[n].norm for n in mention.nouns}
    return bool(
        words & (HEARD | INSTRUMENTS)
        or (mention.nouns and stands(tokens[mention.nouns[-1]].norm))
        or mention.verb
        or mention.sound_of
        or mention.quoted is not None
    )


def label_of(mention: Mention, tokens: Sequence[Token]) -> str:
    """A short noun phrase that says what is heard: "woman singing", "guitar", "birds chirping"."""
    if mention.quoted is not None:
        return tokens[mention.quoted].raw[:MAX_LABEL].strip()
    named = mention.det in ("the", "my", "your", "his", "her", "two") or bool(mention.verb)
    nouns = _noun_words(_joined(mention.nouns, tokens), named)
    objects = [tokens[i].raw.lower() for i in mention.objects]
    instrument = next((k for k, i in enumerate(mention.objects) if tokens[i].norm in INSTRUMENTS), None)
    played = mention.verb in _PLAYING or nouns == ["person"]
    if mention.verb and instrument is not None and played:
        words = objects if only_plays(nouns) else [*nouns, *objects]
    elif mention.verb in ("play", "perform") and not objects and (set(nouns) & (INSTRUMENTS | _PLAIN)):
        words = nouns
    elif nouns == ["person"] and objects:
        words = [*objects, ing(mention.verb)] if mention.verb else objects  # "somebody strikes a match"
    elif mention.verb in LIGHT_VERBS:
        words = [*nouns, *objects]
    elif mention.verb:
        kept = objects if len(objects) <= 2 else []
        words = [*nouns, ing(mention.verb), *kept]
    else:
        whole = any(tokens[i].norm == "of" for i in mention.nouns)  # "a string of firecrackers"
        words = _unknown_verb(nouns) if mention.det in ("a", "an", "one") and not whole else nouns
    return " ".join(words).replace(" 's", "'s")[:MAX_LABEL].strip()


def _joined(nouns: Sequence[int], tokens: Sequence[Token]) -> list[str]:
    """The words of a name; "S1" is one."""
    words: list[str] = []
    for i in nouns:
        if words and i and tokens[i].number is not None and tokens[i - 1].end == tokens[i].start:
            words[-1] += tokens[i].raw
        else:
            words.append(PERSON.get(tokens[i].norm, tokens[i].raw.lower()))
    return words


_OUTLETS = word_set(
    "speaker speakers loudspeaker loudspeakers channel headphone headphones monitor monitors side"
)


def only_plays(nouns: Sequence[str]) -> bool:
    """Whether what is played is heard, and not the player: a person, a loudspeaker; a radio is heard"
    " itself."""
    return not nouns or bool(set(nouns) & _OUTLETS) or is_person(set(nouns)) or not can_sound(nouns[-1])


_SINGING = word_set("choir orchestra ensemble band team class crowd")


def _noun_words(words: list[str], named: bool) -> list[str]:
    """The words without what only counts them; a lone "drips" is a dripping, unless it is `named` ("the
    bellows wheeze")."""
    while "of" in words:
        at = words.index("of")
        before, after = words[:at], words[at + 1 :]
        if not before or before[-1] in GROUPS or (before[-1].endswith("s") and before[-1][:-1] in GROUPS):
            words = [*after, *before[-1:]] if before and before[-1] in _SINGING else after
        elif before[-1] in verb_forms():
            words = [*after, *before[-1:]]  # "howl of the wind" is a wind howl
        else:
            break
    while "'s" in words and set(words[words.index("'s") + 1 :]) <= _ATTRIBUTES:
        words = words[: words.index("'s")]  # "the buzzer's azimuth"
    while len(words) > 1 and (words[0] in COUNTS or words[0] in ("bg", "fg", "sfx", "amb", "foley")):
        words = words[1:]
    if (
        len(words) == 1
        and not named
        and words[0][:-1] not in INSTRUMENTS
        and words[0] in verb_forms()
        and verb_forms()[words[0]][1] == "s"
    ):
        base = verb_forms()[words[0]][0]
        return [ing(base)] if base in SOUND_VERBS and words[0] not in _THINGS else words
    return words


def _unknown_verb(words: list[str]) -> list[str]:
    """After "a" a noun is singular: a last word in -s is what it does ("a kettle shrieks")."""
    if len(words) < 2 or not singular_verb(words[-1]) or words[-1] in INSTRUMENTS:
        return words
    return [*words[:-1], ing(stem(words[-1]))]


_SINGULAR_PAIRS = (
    "wolves:wolf calves:calf knives:knife wives:wife leaves:leaf elves:elf thieves:thief babies:baby "
    "puppies:puppy ladies:lady flies:fly canaries:canary parties:party buses:bus glasses:glass "
    "churches:church watches:watch torches:torch brushes:brush foxes:fox boxes:box geese:goose mice:mouse"
)
_SINGULARS = dict(pair.split(":") for pair in _SINGULAR_PAIRS.split())


def singular(label: str) -> str:
    words = label.split()
    first = next(
        (k for k, word in enumerate(words) if len(word) > 2 and word.endswith("s") and word[-2] not in "su"),
        None,
    )
    if first is not None:
        word = words[first]
        words[first] = _SINGULARS.get(word, word[:-1])
    return " ".join(
        {"men": "man", "women": "woman", "children": "child", "people": "person"}.get(w, w) for w in words
    )
