"""Verbs in a fragment: which words are verbs, and what they say of the sound before them."""

from __future__ import annotations

from collections.abc import Sequence

from foleyspace.prompting.clause import PLACES
from foleyspace.prompting.labels import Mention, Pieces, is_heard, is_plural
from foleyspace.prompting.sources import can_sound, travels
from foleyspace.prompting.text import Token
from foleyspace.prompting.unlisted import ARTICLES
from foleyspace.prompting.verb_words import (
    GO_ON_VERBS,
    LIGHT_VERBS,
    MOVE_VERBS,
    SETTERS,
    SOUND_VERBS,
    STEPPING,
    TRANSITIVE,
    verb_forms,
)
from foleyspace.prompting.view import PLURAL_THINGS, Phrase
from foleyspace.prompting.words import (
    ADJECTIVES,
    COUNTS,
    DETERMINERS,
    FILLERS,
    INSTRUMENTS,
    PREPOSITIONS,
    word_set,
)

# names of sounds whose second word could be a verb
_NOUN_PAIRS = {
    "wind": "chimes", "door": "chimes", "drum": "beats rolls taps", "heart": "beats", "foot": "steps",
    "phone": "calls", "bird": "calls", "gun": "shots", "hand": "claps", "finger": "snaps",
}  # fmt: skip


class FragmentState:
    """Where the reading of a fragment stands: its `items`, what came `out`, the `mention` being read, the
    article (`det`) and number before the next noun, and whether a phrase stands since the mention
    (`broken`)."""

    def __init__(self, items: Sequence[Phrase | int], tokens: Sequence[Token], has_previous: bool) -> None:
        self.items, self.tokens, self.has_previous = items, tokens, has_previous
        self.out = Pieces()
        self.mention: Mention | None = None
        self.det = ""
        self.count = 1
        self.broken = False
        self.sound_of = False  # "the sound of ..." stands before
        self.passing: list[int] | None = None  # words of "in the kitchen", passed over
        self.passed_noun = False
        self.base_goes_on = False
        self.joint = False
        self.does = -9  # where a verb that no list has stands
        self.object_at = -9  # where the object of a verb after a place stands, if it has no article
        self.inverted = ""  # "behind me sings a woman": the verb of the mention to come

    def next_word(self, k: int) -> str:
        """The word after item `k`, empty where a phrase or nothing follows."""
        item = self.items[k + 1] if k + 1 < len(self.items) else None
        return self.tokens[item].norm if isinstance(item, int) else ""

    def noun_follows(self, k: int) -> bool:
        word = self.next_word(k)
        return (
            bool(word)
            and word not in PREPOSITIONS
            and not (
                word in FILLERS
                or (verb_forms().get(word, ("", ""))[1] in ("s", "ed", "base") and word not in SOUND_VERBS)
            )
        )

    def start(self, mention: Mention) -> None:
        self.mention = mention
        mention.sound_of, self.sound_of = self.sound_of, False
        if self.inverted:
            mention.verb, mention.linked, self.inverted = self.inverted, True, ""
        self.out.parts.append(mention)
        self.det, self.count, self.broken = "", 1, False


def is_verb(state: FragmentState, k: int, i: int, form: tuple[str, str]) -> bool:
    base, shape = form
    if state.det and not (state.mention and not state.mention.nouns and not state.mention.other):
        return False
    named = state.mention.nouns if state.mention is not None and state.mention.det else []
    if (
        shape == "base"
        and named
        and not state.broken
        and all(state.tokens[n].norm in ADJECTIVES for n in named)
    ):
        return False  # "an old pipe groans"
    if i and state.tokens[i - 1].norm in ("of", "'s"):
        return False  # "a couple of crows", "the van's jingle"
    owned = bool(named) and any(state.tokens[n].norm == "'s" for n in named)
    if shape == "base" and owned and not state.broken and not is_plural(state.mention, state.tokens):
        return False  # "my grandad's pocket watch"
    nothing_before = state.mention is None
    follower = verb_forms().get(state.next_word(k), ("", ""))
    if nothing_before and shape == "base" and follower[1] == "ing" and follower[0] in SOUND_VERBS:
        return False  # "sink dripping"
    if state.mention is not None and state.mention.nouns and not state.broken:
        pair = (state.tokens[state.mention.nouns[-1]].norm, state.tokens[i].norm)
        if pair[1] in _NOUN_PAIRS.get(pair[0], "").split() and state.mention.nouns[-1] == i - 1:
            return False
    if nothing_before and shape == "s" and state.tokens[i].norm in PLURAL_THINGS:
        return False  # "then steps come closer"
    following = state.next_word(k)
    follows = verb_forms().get(following)
    if nothing_before:
        if state.tokens[i].norm in INSTRUMENTS and not state.out.subject:
            return False
        if shape == "base" and follower[1] == "s" and follower[0] in SOUND_VERBS:
            return False  # "swing creaks"
        if shape == "base" and base in SETTERS and k == 0 and (len(state.items) > 1):
            return True
        if base in ("be", "have", "do", "hear", "can", "let"):
            return True
        if state.out.subject:
            return True
        if i and state.tokens[i - 1].norm in _BEFORE_VERB:
            return True  # "I've got"
        if inverts(state, i, form):
            return True
        if not state.out.parts and not state.det and state.next_word(k) in ARTICLES:
            return True  # "lay the helicopter on the left"
        if shape == "base":
            after = [item for item in state.items[k + 1 : k + 3] if isinstance(item, Phrase)]
            led = bool(after) and after[0].prep in ("to", "toward")  # "..., come to the middle"
            if k == 0 and state.base_goes_on:
                return True
            if state.has_previous and ((base in MOVE_VERBS and led) or state.tokens[i].norm in GO_ON_VERBS):
                return True
            return base not in SOUND_VERBS | MOVE_VERBS
        if shape == "ing":
            if (
                k == 0
                and state.has_previous
                and base in TRANSITIVE
                and following
                and not can_sound(following)
            ):
                return True  # "..., pouring tea"
            return state.has_previous and (not following or following in PREPOSITIONS or following in FILLERS)
        return state.has_previous and follows is None
    if shape == "base" and begins_to(state, i - 1):
        return True
    if state.joint and shape == "base" and base in MOVE_VERBS and not following:
        return True  # "a car and a bike drive from ..."
    if shape == "base" and base in SOUND_VERBS | MOVE_VERBS and not state.broken:
        # "dog bark" names a sound, "birds chirp" says what they do
        return is_plural(state.mention, state.tokens) or following in DETERMINERS
    return True


_BEFORE_VERB = word_set("i we you they have has had not to")


def begins_to(state: FragmentState, i: int) -> bool:
    """Whether the word is the "to" of "a shutter begins to rattle", of something named."""
    does = verb_forms().get(state.tokens[i - 1].norm, ("", ""))[0] if i > 0 else ""
    named = state.mention is not None and bool(state.mention.nouns)
    return named and state.tokens[i].norm == "to" and does in ("begin", "start", "continue")


def inverts(state: FragmentState, i: int, form: tuple[str, str]) -> bool:
    """ "Behind me sings a woman", "from the left came the clop": a place, a verb, and then who."""
    last = state.out.parts[-1] if state.out.parts else None
    k = state.items.index(i)
    opens = isinstance(last, Phrase) and last.kind in PLACES and last.end == i and state.mention is None
    return opens and form[1] in ("s", "ed") and state.next_word(k) in ARTICLES | COUNTS


def read_verb(state: FragmentState, i: int, form: tuple[str, str]) -> None:
    base, shape = form
    if inverts(state, i, form):
        state.inverted = base if base in SOUND_VERBS else ""
        return
    state.det = ""
    state.out.verbs = True
    if state.mention is None and state.has_previous and shape in ("s", "ing") and base in TRANSITIVE:
        state.does = state.items.index(i)  # ", reading a newspaper", "and drops his keys"
    passive = i > 0 and verb_forms().get(state.tokens[i - 1].norm, ("", ""))[0] == "be"
    mention = state.mention
    if mention is not None:
        if mention.described and shape in ("s", "ed") and base not in SOUND_VERBS | {"be", "have"}:
            state.object_at = i + 1
        mention.linked = True
        # "are having a chat": what they have is no sound of its own
        mention.moved = mention.moved or base in MOVE_VERBS or (base == "have" and shape == "ing")
        state.broken = state.broken and not (base in SOUND_VERBS and not mention.verb)
        acts = base in TRANSITIVE - SOUND_VERBS and shape in ("s", "ing")
        if acts and not passive:
            mention.moved, mention.participle, state.broken = True, shape == "ing", False
        if (
            mention.objects
            and mention.object_det
            and not mention.participle
            and shape == "s"
            and base in SOUND_VERBS | MOVE_VERBS
        ):
            # "a dog barks a cat meows": the object was the next subject
            state.mention = Mention(det=mention.object_det, nouns=mention.objects, linked=True)
            mention.objects = []
            state.out.parts.append(state.mention)
            mention = state.mention
    light = base in LIGHT_VERBS and (shape != "base" if mention is not None else state.has_previous)
    light = light and not (mention is None and base in SETTERS | {"make", "take"})
    sounds = base in SOUND_VERBS or base in STEPPING or (light and not passive)
    if mention is None and sounds:
        state.out.verb = state.out.verb or base
    if (
        base in ("hear", "see", "watch")
        and mention
        and not mention.verb
        and not mention.described
        and not passive
    ):
        state.out.parts.remove(mention)  # "participants heard a tone"
        state.mention = None
        return
    if sounds and mention is not None and not mention.verb:
        mention.verb, mention.verb_at = base, i
    setting = mention is None and shape == "base" and base in SETTERS
    arriving = (
        base == "come" and shape != "ing" and mention is not None and not is_heard(mention, state.tokens)
    )
    at = state.items.index(i) + 1
    following = state.items[at] if at < len(state.items) else None
    if base == "go" and isinstance(following, Phrase) and following.text.lower().startswith("off "):
        name = state.tokens[mention.nouns[-1]].norm if mention is not None and mention.nouns else ""
        if following.prep != "to" or not travels(name):
            return  # "an explosion goes off in the distance", "an alarm goes off to the left"
    if base == "go" and state.next_word(at - 1) == "off":
        after = state.items[at + 1] if at + 1 < len(state.items) else None
        if not isinstance(after, Phrase) or after.prep not in ("to", "toward"):
            return  # "an explosion goes off behind us"
    going_on = mention is None and isinstance(following, Phrase) and following.prep in ("to", "toward")
    if (
        arriving
        or (base == "come" and going_on)
        or (
            base in MOVE_VERBS
            and not setting
            and base not in SOUND_VERBS | {"come", "follow", "leave", "land", "fall", "drop"}
        )
        or base in STEPPING
    ):
        token = state.tokens[i]
        state.out.parts.append(Phrase("move", i, i + 1, token.raw, {"arriving": "1"} if arriving else {}))
