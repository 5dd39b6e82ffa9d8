"""Single words in a fragment that are not what they look like: "is the babysitter" says what something is,
what stands after "says" is said, a number ends a name."""

from __future__ import annotations

from foleyspace.prompting.labels import Mention
from foleyspace.prompting.sources import can_sound
from foleyspace.prompting.verb_words import MOVE_VERBS, SPEECH_VERBS, verb_forms
from foleyspace.prompting.verbs import FragmentState
from foleyspace.prompting.words import COUNTS, PREPOSITIONS, word_set

_NAMELESS = word_set("sound noise one thing something source voice person figure object")


def is_what(state: FragmentState, mention: Mention, i: int) -> bool:
    """ "The one yelling in the middle is the babysitter": the word says what it is."""
    named = {state.tokens[n].norm for n in mention.nouns}
    nameless = mention.other or (named and named <= _NAMELESS)
    before = [token.norm for token in state.tokens[max(i - 2, 0) : i]]
    return bool(nameless and state.det and before and before[0] in ("is", "was", "are", "were", "be"))


def says(state: FragmentState, i: int) -> bool:
    before = [token.norm for token in state.tokens[max(i - 2, 0) : i] if token.norm not in (",", ":")]
    return bool(before) and verb_forms().get(before[-1], ("",))[0] in SPEECH_VERBS | {"say", "ask", "tell"}


def numbers_name(state: FragmentState, k: int, i: int) -> bool:
    """ "speaker 1", "guest two": the number ends a name."""
    mention = state.mention
    if mention is None or not mention.nouns or state.broken or mention.verb or state.passing or state.det:
        return False
    word, following = state.tokens[i].norm, state.next_word(k)
    number = (
        state.tokens[i].number is not None or word in COUNTS - {"several", "some", "many"} or word == "one"
    )
    if word == "one" and not can_sound(state.tokens[mention.nouns[-1]].norm):
        return False  # "the nearer one"
    return number and (not following or following in PREPOSITIONS or following in verb_forms())


def object_of_verb(state: FragmentState, k: int) -> bool:
    """ "... and goes RAWR", "... and plays guitar": the word right after a verb that goes on."""
    item = state.items[k - 1] if k else None
    if not isinstance(item, int) or not state.has_previous:
        return False
    if (state.out.objects and state.out.objects[-1] == item) or state.does == k - 1:
        return True
    base = verb_forms().get(state.tokens[item].norm, ("", ""))[0]
    return base in MOVE_VERBS - {"come"} or (base == state.out.verb and bool(base))
