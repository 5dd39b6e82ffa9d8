"""Which source a mention names: a new one, or one that was named before."""

from __future__ import annotations

from collections.abc import Sequence

from foleyspace.prompting.clause import DIRECTIONS, MOTIONS, PLACES, Clause, meant
from foleyspace.prompting.fragments import Fragment
from foleyspace.prompting.labels import Mention, Pieces, label_of, only_plays
from foleyspace.prompting.others import another_clause, counted
from foleyspace.prompting.sources import PEOPLE, SOURCES, TALK, can_sound
from foleyspace.prompting.text import Token
from foleyspace.prompting.verb_words import LIGHT_VERBS, SOUND_VERBS, ing, verb_forms
from foleyspace.prompting.view import Phrase
from foleyspace.prompting.words import (
    ADJECTIVES,
    DETERMINERS,
    INSTRUMENTS,
    LISTENERS,
    UNHEARD,
    WAYS,
    word_set,
)

_GENERIC = word_set("source sound object target masker stimulus element track item channel emitter")
_SLOTS = word_set("stem slot layer bus input position spot speaker loudspeaker station marker")
_MANNERS = word_set("voice tone accent pitch tempo")
_ALONE = word_set("single one only mono same just point")


def first_token(mention: Mention, phrases: Sequence[Phrase], tokens: Sequence[Token]) -> int:
    """Where its name begins, with its article and the places said before it."""
    first = mention.quoted if mention.quoted is not None else mention.nouns[0] if mention.nouns else 10**6
    while first < 10**6 and first > 0 and tokens[first - 1].norm in DETERMINERS:
        first -= 1
    return min([first, *(phrase.start for phrase in phrases if phrase.start < first)])


def under_heading(
    clauses: list[Clause],
    groups: list[Clause],
    fragment: Fragment,
    mention: Mention,
    phrases: Sequence[Phrase],
    tokens: Sequence[Token],
) -> Clause | None:
    """ "Channel 2 (left): a siren": what stands before the colon is where, and no name of a sound. The last
    clause becomes one of what is named after it; None where it was no heading."""
    if not clauses or not fragment.before.endswith(":") or any(p.kind in DIRECTIONS for p in phrases):
        return None
    heading = clauses[-1]
    words = [word for word in heading.label.lower().split() if not word.isdigit()]
    if not words or words[-1] not in _GENERIC | _SLOTS or heading.quoted or not heading.has(PLACES):
        return None
    clause = new_clause(clauses[:-1], groups, mention, tokens)
    clause.stages, clause.spans = heading.stages, [*heading.spans, fragment.span]
    clause.sentence, clause.plain, clause.lead = heading.sentence, False, True
    clause.add(phrases)
    clauses[-1] = clause
    return clause


def only_looks(mention: Mention, tokens: Sequence[Token], placed: bool) -> bool:
    """The camera and the listener are no sounds, unless something is heard of them."""
    words = {tokens[i].norm for i in mention.nouns if tokens[i].number is None}
    if words == {"audience"} and placed:
        return False
    if words & {"audience", "player", "user"} and any(
        token.norm in ("i", "me", "my", "us") for token in tokens
    ):
        return False  # "the audience is behind me"
    silent = words <= LISTENERS or (words <= UNHEARD | TALK | ADJECTIVES and bool(words & (UNHEARD | TALK)))
    return bool(words) and silent and not mention.verb and mention.quoted is None


def is_aside(mention: Mention, joint: str, tokens: Sequence[Token]) -> bool:
    """ "A wasp, annoying, flies": a bare word after a comma that is no sound."""
    words = [tokens[i].norm for i in mention.nouns]
    if joint == "," and len(words) > 1 and words[-1] in _GENERIC and set(words[:-1]) <= _ALONE:
        return True  # "..., single emitter"
    if joint == "," and len(words) == 2 and words[-1] in _MANNERS and not mention.det and not mention.verb:
        return True  # "..., trembling voice"
    if (
        mention.det
        or mention.verb
        or mention.linked
        or len(mention.nouns) != 1
        or not joint.endswith((",", "-", "(", "and"))
    ):
        return False
    word = tokens[mention.nouns[0]]
    return not word.quoted and word.raw.islower() and not can_sound(word.norm)


_PARTS = word_set(
    "siren sirens horn engine engines tyres tires brakes bell bells wheels hooves wings spurs chains "
    "boots heels "
    "footsteps lights rotor rotors blades motor propeller propellers keys sails oars whistle exhaust burner "
    "tail paws claws sandals shoes skirts coat leash chain"
)


def is_part(before: Clause | None, joint: str, mention: Mention, tokens: Sequence[Token]) -> bool:
    """ "An ambulance races past, siren wailing": what belongs to the source that moves."""
    if before is None or joint != "," or mention.det or not mention.verb or not before.has(MOTIONS):
        return False
    form = verb_forms().get(tokens[mention.verb_at].norm, ("", ""))[1] if mention.verb_at >= 0 else ""
    if form != "ing" or not mention.nouns or tokens[mention.nouns[-1]].norm not in _PARTS:
        return False
    before.names |= set(label_of(mention, tokens).split())
    if not before.quoted:
        before.label = f"{before.label} {label_of(mention, tokens)}"[:60].strip()
    return True


def is_way(mention: Mention, tokens: Sequence[Token]) -> bool:
    """ "Thunder, a slow roll from left to right": no new sound."""
    words = {tokens[i].norm for i in mention.nouns}
    return bool(words & WAYS) and words <= WAYS | ADJECTIVES and mention.quoted is None and not mention.verb


def apposed(before: Clause | None, joint: str, mention: Mention, tokens: Sequence[Token]) -> bool:
    """ "The masker (babble noise)": a second name of the source before."""
    generic = set(before.label.split()) & _GENERIC if before is not None else set()
    opened = joint.endswith("(") or (joint == "," and bool(generic))
    if (
        not opened
        or mention.quoted is not None
        or mention.other
        or before is None
        or before.quoted
        or before.has(PLACES | MOTIONS)
    ):
        return False
    label = label_of(mention, tokens)
    before.names |= set(label.lower().split()) | set(before.label.lower().split())
    before.label = label if generic else f"{before.label} {label}"[:60].strip()
    return True


def share_verb(before: Clause | None, joint: str, mention: Mention, tokens: Sequence[Token]) -> None:
    """ "A man and a woman talk": after "and" a verb in its base form is that of both."""
    if before is None or not before.plain or before.quoted or joint != "and" or mention.verb:
        return
    last = tokens[mention.nouns[-1]].norm if len(mention.nouns) > 1 else ""
    if verb_forms().get(last, ("", ""))[1] == "base" and last in SOUND_VERBS:
        mention.nouns, mention.verb = mention.nouns[:-1], last
        before.label = f"{before.label} {ing(last)}"


def named_again(
    clauses: Sequence[Clause],
    groups: list[Clause],
    mention: Mention,
    phrases: Sequence[Phrase],
    tokens: Sequence[Token],
) -> Clause | None:
    """The earlier source that "the dog" names again, if it does."""
    if mention.other:
        return counted(clauses, groups, mention)
    if mention.count > 1 or not clauses:
        return None
    if (
        not mention.det
        and mention.nouns
        and tokens[mention.nouns[-1]].norm in clauses[-1].names
        and any(phrase.kind == "then" and phrase.start < mention.nouns[0] for phrase in phrases)
    ):
        return clauses[-1]  # "goes boing on the left, then boing on the right"
    same = bool(mention.nouns) and tokens[mention.nouns[0]].norm == "same"
    if same:
        mention.nouns = mention.nouns[1:]
    if mention.quoted is not None:
        if not mention.linked and not mention.det:
            return None
        label = label_of(mention, tokens)
        return next(
            (c for c in reversed(clauses) if c.quoted and c.label == label and mention.det == "the"),
            None,
        )
    head = tokens[mention.nouns[-1]] if mention.nouns else None
    called = (
        head is not None and not mention.det and head.raw[0].isupper() and head.norm not in SOURCES - PEOPLE
    )
    if called and head is not None and (mention.linked or mention.verb):  # "Anna then moves to the centre"
        return next((c for c in reversed(clauses) if head.norm in c.names), None)
    if mention.det not in ("the", "that", "this", "same", "her", "his", "its"):
        return None
    last = head.norm if head is not None else ""
    words = {tokens[i].norm for i in mention.nouns}
    for clause in reversed(clauses):
        if last in clause.names - clause.modifiers and (words <= clause.names or len(words) == 1):
            if same:
                return clause
            place = {phrase.kind for phrase in phrases} & DIRECTIONS
            if mention.det == "the" and (
                (mention.linked and not (mention.described and clause.has(DIRECTIONS)))
                or not (clause.has(DIRECTIONS) and place)
            ):
                return clause
    return None


def new_clause(
    clauses: Sequence[Clause], groups: list[Clause], mention: Mention, tokens: Sequence[Token]
) -> Clause:
    if mention.other and clauses:
        other = another_clause(clauses, groups, mention)
        if mention.verb in ("play", "perform") and mention.objects:  # "the right one plays the bass"
            other.label = " ".join(tokens[i].raw.lower() for i in mention.objects)
            other.names |= set(other.label.split())
        return other
    label = label_of(mention, tokens) or "sound"
    names = {tokens[i].norm for i in [*mention.nouns, *mention.objects]} - DETERMINERS | set(
        label.lower().split()
    )
    if mention.verb:
        names |= {mention.verb}
    clause = Clause(label, names, quoted=mention.quoted is not None, count=mention.count)
    clause.article, clause.anchor = bool(mention.det), mention.anchor
    if all(tokens[i].norm != "of" for i in mention.nouns):
        clause.modifiers = frozenset(tokens[i].norm for i in mention.nouns[:-1])
    return clause


def name_more(clauses: Sequence[Clause], piece: Pieces, tokens: Sequence[Token]) -> None:
    """ "A monster behind me, it growls"; "loudspeaker 3 (left) plays noise": the verb comes later."""
    if not piece.verb or not clauses or clauses[-1].quoted:
        return
    target = clauses[-1]
    if piece.subject and piece.subject not in ("who", "which", "that"):
        target = meant(piece.subject, clauses) or target
    if any(word.endswith("ing") for word in target.label.split()) or target.quoted:
        return
    heard = [tokens[i].raw.lower() for i in piece.objects]
    if piece.verb in LIGHT_VERBS:
        target.label = " ".join([target.label, *heard])[:60]
    elif piece.verb in ("play", "perform"):
        named = [] if only_plays(target.label.split()) else target.label.split()
        target.label = " ".join([*named, *heard])[:60] if heard else target.label
    elif not set(target.label.split()) & INSTRUMENTS:
        target.label = f"{target.label} {ing(piece.verb)}"
    target.names |= set(target.label.split())
