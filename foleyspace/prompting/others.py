"""Sounds named by others: "the other one", "the second", "the former", "the rest", "no bird"."""

from __future__ import annotations

from collections.abc import Sequence

from foleyspace.prompting.clause import COUPLES, MOTIONS, PLACES, Clause, fits
from foleyspace.prompting.labels import Mention, Pieces, singular
from foleyspace.prompting.sources import can_sound, is_animate, is_person
from foleyspace.prompting.verb_words import WEATHER_VERBS, ing, verb_forms
from foleyspace.prompting.verbs import FragmentState
from foleyspace.prompting.view import Phrase
from foleyspace.prompting.words import COUNTS, PREPOSITIONS, word_set

ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "sixth": 5, "former": 0,
            "latter": -1, "last": -1, "final": -1}  # fmt: skip
_COMPARED = word_set(
    "louder softer quieter bigger smaller larger taller shorter older younger elder higher lower deeper "
    "nearer"
    " closer farther further faster slower brighter darker heavier lighter"
)
_SEXES = word_set("male female")
_REST = word_set("others rest remainder remaining")
_NUMBERS = word_set("two three four five 2 3 4 5 ones")


def read_other(state: FragmentState, k: int, i: int) -> bool:
    """Take the word as part of "the other", "the second one", "some" or "no bird"; False where it is none."""
    if _described_one(state, i):
        return True
    word, following, before = state.tokens[i].norm, state.next_word(k), state.tokens[i - 1].norm if i else ""
    item = state.items[k + 1] if k + 1 < len(state.items) else None
    told = word in _COMPARED or (word in _SEXES and _of_several(state, i))
    verb = following in verb_forms() and following not in _SEXES
    if told and state.det == "the" and (verb or not isinstance(item, int)):
        state.start(Mention(det="another", other=True))  # "the louder on the left"
        return True
    follows = state.noun_follows(k)
    last = state.out.parts[-1] if state.out.parts else None
    if (
        word == "one"
        and not following
        and isinstance(last, Phrase)
        and last.end == i
        and last.kind == "lateral"
    ):
        if last.text.lower().startswith("the "):
            state.start(Mention(det="the", other=True))  # "the left one"
        return True  # "a vendor on the left one"
    if word in _NUMBERS | {"one"} and before in {"other", "another", "remaining", *ORDINALS}:
        return state.det == ""
    if word in ("no", "nobody", "none", "nothing") and not state.det:
        state.passing, state.passed_noun = [i], False
        return True
    if (word in _REST and state.det) or (word == "other" and following in _NUMBERS):
        state.out.subject, state.det = state.out.subject or "others", ""
        return True
    if word in ORDINALS and (state.det or word in ("former", "latter")) and not follows:
        mention = Mention(det=state.det or "the", other=True)
        mention.ordinal = ORDINALS[word] if mention.det == "the" else None
        state.start(mention)
        return True
    some = word in ("some", "several", "many") and not following and state.mention is None
    if some or word in ("one", "other", "others") or (word == "another" and not follows):
        if following == "of":
            named = state.tokens[i + 2].norm if i + 2 < len(state.tokens) else ""
            if word != "one" or named not in ("them", "these", "those", "which", "the"):
                return False
            state.start(Mention(det="one", other=True))
            state.passing, state.passed_noun = [i], False  # "one of them", "one of the trucks"
            return True
        doing = verb_forms().get(following, ("", ""))[1] == "ing" and not _is_noun(state, k + 2)
        if word == "one" and follows and state.det == "the" and not doing:
            return True  # "just the one toddler"
        follows = follows and not doing  # "the one yelling in the middle"
        state.det = "one" if word == "one" and follows else "another"
        if not follows:
            state.start(Mention(det="some" if some else word, other=True))
        return True
    return False


def _of_several(state: FragmentState, i: int) -> bool:
    """Whether two or more were told of before: "two owls: the female ..."."""
    return any(token.norm in COUNTS or token.norm in ("pair", "couple", "both") for token in state.tokens[:i])


def _is_noun(state: FragmentState, k: int) -> bool:
    """Whether item `k` names a thing: the car in "one racing car"."""
    item = state.items[k] if k < len(state.items) else None
    return (
        isinstance(item, int)
        and can_sound(state.tokens[item].norm)
        and state.tokens[item].norm not in PREPOSITIONS
    )


def _described_one(state: FragmentState, i: int) -> bool:
    """ "The nearer one", "the big one": another of the kind named before."""
    mention = state.mention
    if state.tokens[i].norm not in ("one", "ones") or mention is None or state.broken or not mention.nouns:
        return False
    if any(can_sound(state.tokens[n].norm) for n in mention.nouns) or mention.verb or not mention.det:
        return False
    mention.nouns, mention.other, mention.det = [], True, "another"
    return True


def counted(clauses: Sequence[Clause], groups: Sequence[Clause], mention: Mention) -> Clause | None:
    """The source that "the second" names, where it was named before."""
    if mention.ordinal is None or not clauses:
        return None
    told = [clause for clause in clauses if clause.ordinal == mention.ordinal]
    if told:
        return told[-1]
    if group_of(clauses, groups) is not None or clauses[-1].ordinal is not None:
        return None
    single = [clause for clause in clauses if clause not in groups]
    named = [clause for clause in single if clause.sentence == clauses[-1].sentence]
    if len(named) < 2:
        named = single
    return named[mention.ordinal] if len(named) >= 2 and mention.ordinal < len(named) else None


def group_of(clauses: Sequence[Clause], groups: Sequence[Clause]) -> Clause | None:
    """The latest "two dogs" with no place of their own, of which "one" is a part."""
    return next(
        (
            clause
            for clause in reversed(clauses)
            if not clause.has(PLACES | MOTIONS) and clause not in groups and clause.several
        ),
        None,
    )


def another_clause(clauses: Sequence[Clause], groups: list[Clause], mention: Mention) -> Clause:
    """A new source like one before: "another", "the other", "the second" of a group."""
    group = group_of(clauses, groups)
    shared = None
    going = next((c for c in reversed(clauses) if c.count > 1 and c.has(MOTIONS) and not c.has(PLACES)), None)
    if group is None and going is not None and going not in groups and mention.det in ("one", "the"):
        group = shared = going  # "two cyclists pass me: the first on the left"
    elif group is None and mention.det == "one" and clauses[-1].count > 1 and clauses[-1] not in groups:
        group = shared = clauses[-1]  # "both drummers are behind me, one on the left"
    elif groups and mention.det in ("one", "the") and groups[-1].has(PLACES | MOTIONS):
        shared = groups[-1]
    if group is not None:
        groups.append(group)
    like = group or clauses[-1]
    label = like.label if mention.det == "some" else singular(like.label)
    if mention.verb:
        words = [word for word in label.split() if not word.endswith("ing")] or [label]
        label = " ".join([*words, ing(mention.verb)])
    clause = Clause(label, set(label.split()) | {"other", "one"})
    clause.ordinal, clause.like = mention.ordinal, group or shared
    if shared is not None:
        clause.stages = [list(stage) for stage in shared.stages]
    return clause


def remaining(clauses: Sequence[Clause], groups: Sequence[Clause]) -> list[Clause]:
    """ "Two trucks idle on the left; one of them drives off": the other one, which stays."""
    out = []
    for group in dict.fromkeys(groups):
        left = group.count - sum(clause.like is group for clause in clauses)
        if left > 0 and group.count > 1 and group.has(PLACES):
            label = singular(group.label) if left == 1 else group.label
            stages = [list(stage) for stage in group.stages]
            out.append(Clause(label, set(group.names), stages, list(group.spans), count=left))
    return out


def told_by_pronoun(piece: Pieces, clauses: Sequence[Clause], groups: list[Clause]) -> Clause | None:
    """A sound that only a pronoun names: "it is raining"; "she laughs behind me", and nobody was named; "a
    couple argues: she is on the left"."""
    if piece.subject == "it" and piece.verb in WEATHER_VERBS:
        label = WEATHER_VERBS[piece.verb]
        return Clause(label, {label, piece.verb}, plain=False)
    somebody = {"he": "man", "she": "woman", "they": "people"}.get(piece.subject)
    if not somebody or not piece.phrases or any(fits(piece.subject, clause) for clause in clauses):
        return None
    last = clauses[-1].names if clauses else set()
    if piece.subject != "they" and is_animate(last) and not is_person(last):
        return None  # "the jailer's keys jingle as he walks"
    pair = next(
        (c for c in reversed(clauses) if c.names & COUPLES or (c.count > 1 and is_person(c.names))), None
    )
    if pair is None and not piece.verb and not any(p.kind in MOTIONS for p in piece.phrases):
        return None
    if pair is not None and pair not in groups and not pair.has(PLACES | MOTIONS):
        groups.append(pair)
    told = pair.label.split() if pair is not None else []
    doing = [ing(piece.verb)] if piece.verb else [word for word in told if word.endswith("ing")]
    label = " ".join([somebody, *doing])
    return Clause(label, {*label.split(), piece.subject, piece.verb}, plain=False)
