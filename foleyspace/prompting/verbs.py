"""Verbs in a fragment: which words are verbs, and what they say of the sound before them."""

from __future__ import annotations

from collections.abc import Sequence

from foleyspace.prompting.labels import Mention, Pieces, is_heard, is_plural
from foleyspace.prompting.text import Token
from foleyspace.prompting.view import Phrase
from foleyspace.prompting.words import (
    FILLERS,
    INSTRUMENTS,
    MOVE_VERBS,
    PREPOSITIONS,
    SETTERS,
    SOUND_VERBS,
    STEPPING,
    verb_forms,
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

    def next_word(self, k: int) -> str:
        """The word after item `k`, empty where a phrase or nothing follows."""
        item = self.items[k + 1] if k + 1 < len(self.items) else None
        return self.tokens[item].norm if isinstance(item, int) else ""


def is_verb(state: FragmentState, k: int, i: int, form: tuple[str, str]) -> bool:
    base, shape = form
    if state.det and not (state.mention and not state.mention.nouns and not state.mention.other):
        return False
    nothing_before = state.mention is None
    if state.mention is not None and state.mention.nouns and not state.broken:
        pair = (state.tokens[state.mention.nouns[-1]].norm, state.tokens[i].norm)
        if pair[1] in _NOUN_PAIRS.get(pair[0], "").split() and state.mention.nouns[-1] == i - 1:
            return False
    following = state.next_word(k)
    follows = verb_forms().get(following)
    if nothing_before:
        if state.tokens[i].norm in INSTRUMENTS and not state.out.subject:
            return False
        if shape == "base" and base in SETTERS and k == 0 and (len(state.items) > 1):
            return True
        if base in ("be", "have", "do", "hear", "can", "let"):
            return True
        if state.out.subject:
            return True
        if shape == "base":
            return base not in SOUND_VERBS | MOVE_VERBS
        if shape == "ing":
            return state.has_previous and (not following or following in PREPOSITIONS or following in FILLERS)
        return state.has_previous and follows is None
    if shape == "base" and base in SOUND_VERBS | MOVE_VERBS and not state.broken:
        # "dog bark" names a sound, "birds chirp" says what they do
        return is_plural(state.mention, state.tokens)
    return True


def read_verb(state: FragmentState, i: int, form: tuple[str, str]) -> None:
    base, shape = form
    state.det = ""
    state.out.verbs = True
    mention = state.mention
    if mention is not None:
        mention.linked = True
        mention.moved = mention.moved or base in MOVE_VERBS
        state.broken = state.broken and not (base in SOUND_VERBS and not mention.verb)
        if mention.objects and mention.object_det and shape == "s" and base in SOUND_VERBS | MOVE_VERBS:
            # "a dog barks a cat meows": the object was the next subject
            state.mention = Mention(det=mention.object_det, nouns=mention.objects, linked=True)
            mention.objects = []
            state.out.parts.append(state.mention)
            mention = state.mention
    sounds = base in SOUND_VERBS or base in STEPPING
    if mention is None and sounds:
        state.out.verb = state.out.verb or base
    passive = i > 0 and verb_forms().get(state.tokens[i - 1].norm, ("", ""))[0] == "be"
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
    if (
        arriving
        or (
            base in MOVE_VERBS
            and not setting
            and base not in SOUND_VERBS | {"come", "follow", "leave", "land", "fall"}
        )
        or base in STEPPING
    ):
        token = state.tokens[i]
        state.out.parts.append(Phrase("move", i, i + 1, token.raw, {"arriving": "1"} if arriving else {}))
