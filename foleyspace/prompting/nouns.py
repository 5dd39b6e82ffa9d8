"""A fragment's words -> what is named in it: the sounding things, their verbs, and labels made from both."""

from __future__ import annotations

from collections.abc import Sequence

from foleyspace.prompting.clause import DIRECTIONS, PLACES
from foleyspace.prompting.labels import PERSON, Mention, Pieces, find_object
from foleyspace.prompting.others import read_other
from foleyspace.prompting.roles import is_what, numbers_name, object_of_verb, says
from foleyspace.prompting.sources import can_sound
from foleyspace.prompting.text import Token
from foleyspace.prompting.unlisted import ARTICLES, takes_object, unlisted_verb, verb_by_place
from foleyspace.prompting.verb_words import ADDRESSING, SPEECH_VERBS, verb_forms
from foleyspace.prompting.verbs import FragmentState, begins_to, is_verb, read_verb
from foleyspace.prompting.view import Phrase
from foleyspace.prompting.words import (
    ADJECTIVES,
    COUNTS,
    DETERMINERS,
    FILLERS,
    INSTRUMENTS,
    NOT_ADVERBS,
    PREPOSITIONS,
    word_set,
)

_SUBJECTS = word_set("it he she they both who which that these those")


def read_fragment(
    items: Sequence[Phrase | int],
    tokens: Sequence[Token],
    has_previous: bool,
    *,
    base_goes_on: bool = False,
    joint: bool = False,
) -> Pieces:
    """Sort a fragment's items into mentions, phrases and what is passed over. `has_previous`: a verb at its
    start tells of a source before; `base_goes_on`: even in its base form; `joint`: what is named in it moves
    together with what was named before it."""
    reader = _Reader(items, tokens, has_previous or base_goes_on)
    reader.base_goes_on, reader.joint = base_goes_on, joint
    return reader.run()


class _Reader(FragmentState):
    def run(self) -> Pieces:
        for k, item in enumerate(self.items):
            if isinstance(item, Phrase):
                self._addressed(item)
                self._end_passing(keep=not self.passed_noun)
                self.out.parts.append(item)
                if self.mention is not None:
                    self.broken = True
                    placed = item.kind in PLACES and not self.mention.linked
                    self.mention.described = self.mention.described or placed
                if item.kind in ("pass", "circle", "approach", "recede", "rise", "fall") and self.mention:
                    self.mention.linked = True
                continue
            self._word(k, item)
        self._end_passing()
        return self.out

    def _addressed(self, phrase: Phrase) -> None:
        """ "A dog on the left barks at a cat on the right", "answers the drums on the right": two sounds."""
        mention = self.mention
        if mention is None or not mention.described or phrase.kind not in DIRECTIONS or phrase.prep == "from":
            return
        passed = [i for i in self.passing or [] if self.tokens[i].norm not in DETERMINERS]
        if len(passed) > 1 and self.tokens[passed[0]].norm in ("at", "to", "with", "against", "by"):
            nouns, self.passing = passed[1:], None
        elif mention.verb in ADDRESSING and mention.object_det and mention.objects:
            nouns, mention.objects = mention.objects, []
        else:
            return
        if phrase.start == nouns[-1] + 1 and can_sound(self.tokens[nouns[-1]].norm):
            self.start(Mention(det="a", nouns=nouns, linked=True))

    def _end_passing(self, keep: bool = False) -> None:
        if self.passing and self.passed_noun:
            self.out.unknown.append((self.passing[0], self.passing[-1] + 1))
        if not keep or self.passed_noun:
            self.passing = None
            self.passed_noun = False

    def _word(self, k: int, i: int) -> None:
        token, word = self.tokens[i], self.tokens[i].norm
        if token.quoted:
            return self._quoted(i)
        if word in ("sound", "sounds", "noise", "noises") and self.next_word(k) == "of" and not self.mention:
            self.det, self.sound_of = "", True
            return None
        if numbers_name(self, k, i):
            assert self.mention is not None
            self.mention.nouns.append(i)
            return None
        if word == "'s" and self.mention and self.mention.nouns and not self.broken and not self.mention.verb:
            self.mention.nouns.append(i)
            return None
        if word in ("who", "which", "that") and self._tells_of_reference(i):
            return None
        if word == "left":  # the verb: what is left is no sound
            self.passing, self.passed_noun = [i], False
            return None
        if word in ("*", "~", "@", "'s", "%") or (token.number is not None and word not in COUNTS):
            return None
        if self.passing is not None and not self._leaves_passing(k, i):
            self.passing.append(i)
            return None
        if read_other(self, k, i):
            return None
        if (
            word in COUNTS
            and self.next_word(k) not in FILLERS
            and (self.next_word(k) or self.mention is None)
            and word not in ("some", "many")
        ):
            self.count = {"two": 2, "2": 2, "three": 3, "3": 3}.get(word, 4)
            self.det = self.det or word
            return None
        name = token.raw == "A" and i > 0 and self.mention is not None and not self.noun_follows(k)
        if (
            word in DETERMINERS
            and not name
            and not (word in ("that", "this", "these", "those", "both") and not self.noun_follows(k))
        ):
            if self.mention and self.mention.nouns and self.tokens[self.mention.nouns[-1]].norm == "of":
                return None  # "the howl of the wind"
            find_object(self.mention, self.broken, self.tokens)
            last = self.out.parts[-1] if self.out.parts else None
            if (
                isinstance(last, Phrase)
                and last.kind in ("pass", "recede", "rise", "fall")
                and last.end == i
                and self.mention
            ):
                self.passing, self.passed_noun = [i], False  # "crosses the sky"
                return None
            if self.mention is None and self.does == k - 1 >= 0:
                self.does = k  # "crushes a wall"
                return None
            self.det = word
            if word == "both" and self.noun_follows(k) and self.next_word(k) not in DETERMINERS:
                self.count = 2
            return None
        form = verb_forms().get(word)
        after = self.next_word(k)
        going_on = k == 0 and self.has_previous and (not after or after in PREPOSITIONS)
        going_on = (going_on and unlisted_verb(word)) or (
            k == 0 and self.has_previous and takes_object(word, after)
        )
        if form is None and going_on:
            self.does = k
        if form is None and (
            going_on or (self.mention is None and not self.det and verb_by_place(word, after))
        ):
            self.out.verbs = True  # ", hovers in front", "and froths milk", "lug the piano"
            return None
        told = self.mention is not None and self.mention.described and self.broken
        if form is None and told and unlisted_verb(word) and after in ARTICLES:
            self.passing, self.passed_noun = [i], False  # "a man on my left clears his throat"
            return None
        if form is not None and is_verb(self, k, i, form):
            return read_verb(self, i, form)
        if begins_to(self, i) and verb_forms().get(after, ("", ""))[1] == "base":
            return None
        if word in PREPOSITIONS and not (self.det and not self.mention):
            if word == "of":
                if self.mention and self.mention.nouns and not self.broken and not self.mention.verb:
                    self.mention.nouns.append(i)
                    self.det = ""
                    return None
                if not (
                    self.out.parts and isinstance(self.out.parts[-1], Phrase) and self.out.parts[-1].end == i
                ):
                    return None
            self.passing, self.passed_noun = [i], False
            return None
        previous = verb_forms().get(self.tokens[i - 1].norm, ("", ""))[0] if i else ""
        if previous == "be" and word.endswith(("ed", "est")) and not self.det:
            return None  # "was presented at ...", "is loudest in front"
        if name and self.mention is not None and self.mention.nouns:
            self.mention.nouns.append(i)  # "source A"
            return None
        if word in _SUBJECTS and self.mention is None and not self.det:
            self.out.subject = self.out.subject or word
            return None
        if (word.endswith("ly") and len(word) > 4 and word not in NOT_ADVERBS) or (
            word in FILLERS
            and not self.det
            and not (
                word in ("first", "second", "third")
                and self.noun_follows(k)
                and self.next_word(k) not in DETERMINERS
            )
        ):
            return None
        return self._noun(k, i)

    def _leaves_passing(self, k: int, i: int) -> bool:
        word = self.tokens[i].norm
        form = verb_forms().get(word)
        if self.passed_noun and (
            word in DETERMINERS or (word in PREPOSITIONS and word != "of") or word in _SUBJECTS
        ):
            self._end_passing()
            return True
        if self.passed_noun and form is not None and form[1] in ("s", "ed", "ing"):
            self._end_passing()
            return True
        if word not in DETERMINERS and word not in PREPOSITIONS:
            self.passed_noun = True
            playing = self.mention is not None and self.mention.verb in ("play", "perform")
            if playing and word in INSTRUMENTS and self.mention is not None:
                self.mention.objects.append(i)
        return False

    def _quoted(self, i: int) -> None:
        self._end_passing()
        mention = self.mention
        if (mention is not None and mention.verb in SPEECH_VERBS) or (
            says(self, i) and (mention is not None or self.has_previous)
        ):
            self.det = ""
            return  # what is said: "the kids yell "Left!""
        if mention is not None and mention.quoted is None and not self.broken:
            mention.quoted = i
        else:
            self.start(Mention(det=self.det, quoted=i))
        self.det = ""

    def _noun(self, k: int, i: int) -> None:
        mention = self.mention
        word = self.tokens[i].norm
        if self.tokens[i].number is not None:
            return
        qualifies = word in ADJECTIVES or (word.endswith("ed") and len(word) > 4)
        if qualifies and not self.det and not self.noun_follows(k):
            if mention is None and self.has_previous and len(self.items) == 1:
                return  # "..., muffled"
            if mention is not None and mention.nouns and not self.broken and word.endswith("ed"):
                mention.linked = True  # "a tone presented at ..."
                return
        if (
            mention is None
            and not self.det
            and not (k and self.tokens[i].norm in PERSON)  # "it is somebody humming"
            and (self.out.subject in ("it", "he", "she", "they") or object_of_verb(self, k))
        ):
            self.out.verbs = True
            self.out.objects.append(i)  # "they discuss", "and plays guitar"
            return
        if (
            mention is not None
            and mention.nouns
            and all(self.tokens[n].norm in ADJECTIVES for n in mention.nouns)
            and not self.det
        ):
            mention.nouns.append(i)  # "a bright, close handclap"
            self.broken = False
            return
        if self.object_at == i and not self.det:
            self.out.unknown.append((i, i + 1))
            return  # "the one on the left sells fish"
        if mention is not None and not self.broken and mention.quoted is None:
            if (mention.verb or mention.moved) and not (self.det and mention.objects):
                mention.objects.append(i)
                mention.object_det = mention.object_det or self.det
                self.det = ""
                return
            if not self.det and not mention.verb:
                doing = verb_forms().get(self.tokens[i - 1].norm, ("",))[0] == "be" and word.endswith("ing")
                mention.moved = mention.moved or doing  # "is shaking a drink": the drink is not heard
                mention.nouns.append(i)
                return
        if mention is not None and mention.quoted is not None and not self.det and not self.broken:
            return
        if mention is not None and is_what(self, mention, i):
            mention.nouns, mention.other, mention.linked = [i], False, True
            self.broken, self.det = False, ""
            return
        self.start(Mention(det=self.det, nouns=[i], count=self.count))

    def _tells_of_reference(self, i: int) -> bool:
        """ "To the left of a woman who sings": the woman sings."""
        last = self.out.parts[-1] if self.out.parts else None
        if not isinstance(last, Phrase) or not last.refs or last.refs[-1].end != i or last.end != i:
            return False
        at = last.refs[-1]
        nouns = [k for k in range(at.start, at.end) if self.tokens[k].norm not in DETERMINERS]
        if nouns:
            self.start(Mention(det="the" if at.definite else "a", nouns=nouns, linked=True))
        return bool(nouns)
