"""Sounds named by others: "the other one", "the second", "the former", "the rest", "no bird"."""

from __future__ import annotations

from collections.abc import Sequence

from foleyspace.prompting.clause import COUPLES, MOTIONS, PLACES, Clause, fits
from foleyspace.prompting.labels import Mention, Pieces, singular
from foleyspace.prompting.verb_words import WEATHER_VERBS, ing
from foleyspace.prompting.verbs import FragmentState
from foleyspace.prompting.view import Phrase
from foleyspace.prompting.words import word_set

ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "sixth": 5, "former": 0,
            "latter": -1, "last": -1, "final": -1}  # fmt: skip
_REST = word_set("others rest remainder remaining")
_NUMBERS = word_set("two three four five 2 3 4 5 ones")


def read_other(state: FragmentState, k: int, i: int) -> bool:
    """Take the word as part of "the other", "the second one", "some" or "no bird"; False where it is none."""
    word, following, before = state.tokens[i].norm, state.next_word(k), state.tokens[i - 1].norm if i else ""
    follows = state.noun_follows(k)
    last = state.out.parts[-1] if state.out.parts else None
    if (
        word == "one"
        and not following
        and isinstance(last, Phrase)
        and last.end == i
        and last.kind == "lateral"
    ):
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
            return False
        if word == "one" and follows and state.det == "the":
            return True  # "just the one toddler"
        state.det = "one" if word == "one" and follows else "another"
        if not follows:
            state.start(Mention(det="some" if some else word, other=True))
        return True
    return False


def counted(clauses: Sequence[Clause], groups: Sequence[Clause], mention: Mention) -> Clause | None:
    """The source that "the second" names, where it was named before."""
    if mention.ordinal is None or not clauses:
        return None
    told = [clause for clause in clauses if clause.ordinal == mention.ordinal]
    if told:
        return told[-1]
    if group_of(clauses, groups) is not None or clauses[-1].ordinal is not None:
        return None
    named = [clause for clause in clauses if clause.sentence == clauses[-1].sentence]
    if len(named) < 2:
        named = list(clauses)
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
    if group is None and mention.det == "one" and clauses[-1].count > 1 and clauses[-1] not in groups:
        group = shared = clauses[-1]  # "both drummers are behind me, one on the left"
    elif groups and mention.det == "one" and groups[-1].has(PLACES):
        shared = groups[-1]
    if group is not None:
        groups.append(group)
    like = group or clauses[-1]
    label = like.label if mention.det == "some" else singular(like.label)
    if mention.verb:
        words = [word for word in label.split() if not word.endswith("ing")] or [label]
        label = " ".join([*words, ing(mention.verb)])
    clause = Clause(label, set(label.split()) | {"other", "one"})
    clause.ordinal = mention.ordinal
    if shared is not None:
        clause.stages = [list(stage) for stage in shared.stages]
    return clause


def told_by_pronoun(piece: Pieces, clauses: Sequence[Clause], groups: list[Clause]) -> Clause | None:
    """A sound that only a pronoun names: "it is raining"; "she laughs behind me", and nobody was named; "a
    couple argues: she is on the left"."""
    if piece.subject == "it" and piece.verb in WEATHER_VERBS:
        label = WEATHER_VERBS[piece.verb]
        return Clause(label, {label, piece.verb}, plain=False)
    somebody = {"he": "man", "she": "woman", "they": "people"}.get(piece.subject)
    if not somebody or not piece.phrases or any(fits(piece.subject, clause) for clause in clauses):
        return None
    pair = next((c for c in reversed(clauses) if c.names & COUPLES), None)
    if pair is None and not piece.verb:
        return None
    if pair is not None and pair not in groups and not pair.has(PLACES | MOTIONS):
        groups.append(pair)
    told = pair.label.split() if pair is not None else []
    doing = [ing(piece.verb)] if piece.verb else [word for word in told if word.endswith("ing")]
    label = " ".join([somebody, *doing])
    return Clause(label, {*label.split(), piece.subject, piece.verb}, plain=False)
