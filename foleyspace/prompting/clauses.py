"""Phrases and words -> one clause a source: which place, motion and time belongs to which sound."""

from __future__ import annotations

from collections.abc import Sequence

from foleyspace.prompting.clause import DIRECTIONS, MOTIONS, PLACES, TIMES, Clause, fits, meant
from foleyspace.prompting.fragments import Fragment, cut_fragments
from foleyspace.prompting.labels import Mention, Pieces
from foleyspace.prompting.naming import (
    apposed,
    first_token,
    is_aside,
    is_part,
    is_way,
    name_more,
    named_again,
    new_clause,
    only_looks,
    share_verb,
    under_heading,
)
from foleyspace.prompting.others import group_of, remaining, told_by_pronoun
from foleyspace.prompting.referring import POSSESSIVES, only_leaves, owner_place, read_pieces, told_of
from foleyspace.prompting.rows import place_rows
from foleyspace.prompting.sentences import (
    NOTHING,
    drop_headings,
    goes_forward,
    governing_times,
    pair_respectively,
    placed_next,
    share_places,
)
from foleyspace.prompting.sources import SETTINGS
from foleyspace.prompting.talk import only_talk
from foleyspace.prompting.text import Token
from foleyspace.prompting.view import Phrase
from foleyspace.prompting.words import SCREENS


def read_clauses(
    items: Sequence[Phrase | int], tokens: Sequence[Token]
) -> tuple[list[Clause], list[tuple[int, int]]]:
    """The sources named, in the order of the text, and the token ranges that were not understood."""
    return _Assembler(cut_fragments(items, tokens), tokens).run()


class _Assembler:
    def __init__(self, fragments: list[Fragment], tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.fragments, self.unknown = drop_headings(fragments, tokens)
        self.clauses: list[Clause] = []
        self.pending: list[Phrase] = []
        self.pending_spans: list[tuple[int, int]] = []
        self.groups: list[Clause] = []
        self.governed = False  # a time that opened the sentence holds
        self.current: Clause | None = None  # the source last told of

    def run(self) -> tuple[list[Clause], list[tuple[int, int]]]:
        pieces = read_pieces(self.fragments, self.tokens)
        pair_respectively(self.fragments, pieces, self.tokens)
        place_rows(self.fragments, pieces, self.tokens)
        governing: list[Phrase] = []
        for k, piece in enumerate(pieces):
            if k and self.fragments[k].sentence != self.fragments[k - 1].sentence:
                share_places(self.clauses, self.groups, self.fragments)
            self.unknown += piece.unknown
            governing = governing_times(self.fragments, k, piece, governing)
            if governing and piece.mentions and not any(p.kind in TIMES | {"then"} for p in piece.phrases):
                piece.parts += governing
            self.governed = bool(governing)
            if piece.mentions:
                self._named(k, piece)
            else:
                self._continued(k, piece, pieces)
        if self.pending and self.clauses:
            self.clauses[-1].add(self.pending)
        elif self.pending:
            self.clauses.append(Clause("sound", {"sound"}, [self.pending], self.pending_spans))
        share_places(self.clauses, self.groups, self.fragments)
        self.clauses += remaining(self.clauses, self.groups)
        kept = [clause for clause in self.clauses if clause not in self.groups]
        for clause in only_talk(kept, self.tokens):
            kept.remove(clause)
            self.unknown += clause.spans
        for clause in kept:
            if clause.after is not None:
                before = self.clauses[clause.after]
                clause.after = kept.index(before) if before in kept else None
        return kept, self.unknown

    @property
    def _last(self) -> Clause | None:
        return self.clauses[-1] if self.clauses else None

    def _named(self, k: int, piece: Pieces) -> None:
        leading: list[Phrase] = []
        for part in piece.parts:
            if isinstance(part, Mention):
                break
            leading.append(part)
        place_first = any(p.kind in DIRECTIONS for p in leading)
        groups: list[tuple[Mention, list[Phrase]]] = []
        waiting = leading
        following = [*piece.parts[1:], None]
        for part, after in list(zip(piece.parts, following, strict=True))[len(leading) :]:
            if isinstance(part, Phrase) and part.kind == "then" and isinstance(after, Mention):
                waiting.append(part)  # "boing on the left, then boing on the right"
            elif isinstance(part, Mention):
                groups.append((part, waiting))
                waiting = []
            elif (
                place_first
                and part.kind in DIRECTIONS
                and self._more_mentions(piece, part)
                and any(p.kind in DIRECTIONS for p in groups[-1][1])
            ) or waiting:
                waiting.append(part)
            else:
                groups[-1][1].append(part)
        if groups and waiting:
            groups[-1][1].extend(waiting)
        start, stop = self.fragments[k].span
        for n, (mention, phrases) in enumerate(groups):
            end = min(first_token(*groups[n + 1], self.tokens), stop) if n + 1 < len(groups) else stop
            self._add(k, mention, phrases, (start, end), leading=n == 0 and place_first)
            start = end

    def _more_mentions(self, piece: Pieces, phrase: Phrase) -> bool:
        at = piece.parts.index(phrase)
        return any(isinstance(part, Mention) for part in piece.parts[at:])

    def _add(
        self, k: int, mention: Mention, phrases: list[Phrase], span: tuple[int, int], leading: bool
    ) -> None:
        fragment = self.fragments[k]
        if (
            self._last is not None
            and not phrases
            and not self.pending
            and is_aside(mention, fragment.before, self.tokens)
        ):
            self.unknown.append(span)
            return
        if not phrases and is_part(self._last, fragment.before, mention, self.tokens):
            self.clauses[-1].spans.append(span)
            return
        if only_looks(mention, self.tokens, bool(phrases)) or (
            self._last is not None and is_way(mention, self.tokens)
        ):
            start = k == 0 or self.fragments[k - 1].sentence != fragment.sentence
            if phrases and (self._last is None or start):
                self.pending += phrases
                self.pending_spans.append(span)
            elif phrases and self._last is not None:
                self._last.add(phrases)
                self._last.spans.append(span)
            return
        alone = self._last is not None and self._last.count == 1 and not self.groups
        alone = alone and group_of(self.clauses, self.groups) is None
        if mention.other and mention.det == "the" and mention.ordinal is None and alone:
            self.clauses[-1].add(phrases)  # "on my shoulder, the right one"
            return
        if apposed(self._last, fragment.before, mention, self.tokens):
            clause = self.clauses[-1]
            clause.add(phrases)
            clause.plain = clause.plain and not phrases
            clause.spans.append(span)
            return
        headed = under_heading(self.clauses, self.groups, fragment, mention, phrases, self.tokens)
        if headed is not None:
            self.current = headed
            return
        share_verb(self._last, fragment.before, mention, self.tokens)
        starts = mention.nouns[0] if mention.nouns else span[0] + 1
        then = next((phrase for phrase in phrases if phrase.kind == "then" and phrase.start < starts), None)
        again = named_again(self.clauses, self.groups, mention, phrases, self.tokens)
        clause = again or new_clause(self.clauses, self.groups, mention, self.tokens)
        if again is None:
            clause.sentence, clause.governed = fragment.sentence, self.governed
            clause.lead = leading or bool(self.pending)
            # "then" tells of time where something happens, else it goes on with a list
            happens = mention.verb or mention.moved or (self._last is not None and self._last.has(TIMES))
            if then is not None and self.clauses and happens:
                clause.after = len(self.clauses) - 1
            self.clauses.append(clause)
        if then is not None:
            phrases = [phrase for phrase in phrases if phrase is not then]
            if again is not None or (self.pending and clause.after is None):
                phrases.insert(0, then)
        clause.spans += [*self.pending_spans, span]
        before = self.clauses[-2] if len(self.clauses) > 1 else None
        placed = before if again is None else None
        own, self.pending = told_of(self.pending, phrases, clause, mention, placed)
        self.pending_spans = []
        self.current = clause
        clause.plain = clause.plain and not any(p.kind in PLACES | MOTIONS for p in own) and not mention.verb
        if (
            fragment.before.endswith(("with", "where"))
            and before is not None
            and clause is self.clauses[-1]
            and before.names <= SCREENS | SETTINGS
        ):
            # "a stage with a rock band": the band is heard
            self.clauses.remove(before)
            own = [*(phrase for stage in before.stages for phrase in stage), *own]
            clause.spans, clause.lead = [*before.spans, *clause.spans], before.lead
            before = self.clauses[-2] if len(self.clauses) > 1 else None
        bare = not any(phrase.kind in PLACES | MOTIONS for phrase in own) and clause is self.clauses[-1]
        if bare and before is not None and not placed_next(self.fragments, k, self.tokens):
            # "on the left a dog and a cat"; "a woman sings on the left with a guitar"
            if fragment.before.endswith(("with", "where")) or (
                before.lead
                and before.sentence == fragment.sentence
                and fragment.before in ("and", ",", ", and", "plus")
                and not mention.verb
            ):
                own += [
                    phrase
                    for phrase in before.stages[-1]
                    if phrase.kind in PLACES | {"near", "far", "distance"}
                ]
                clause.lead = before.lead
            elif mention.det in POSSESSIVES:
                own.append(owner_place(mention, span[0]))  # "her heels click": where she is
        elif mention.det in POSSESSIVES and before is not None and only_leaves(own):
            own.insert(0, owner_place(mention, span[0], "from"))  # "its footsteps go left"
        owned = mention.det in POSSESSIVES and bare and before is not None
        if owned and fragment.before == "," and fragment.after == "," and mention.verb:
            self.current = before  # "a ship passes, its crew chanting, and vanishes"
        if "instead" in fragment.before:
            clause.take_back(own)
        if again is not None:
            clause.go_on(own)
        else:
            clause.add(own)

    def _continued(self, k: int, piece: Pieces, pieces: list[Pieces]) -> None:
        phrases = piece.phrases
        member = told_by_pronoun(piece, self.clauses, self.groups)
        if member is not None:
            member.spans = [self.fragments[k].span]
            member.add([*self.pending, *phrases])
            self.clauses.append(member)
            self.pending, self.pending_spans, self.current = [], [], member
            return
        if not piece.subject or any(fits(piece.subject, clause) for clause in self.clauses):
            name_more(self.clauses, piece, self.tokens)
        if not phrases:
            words = {self.tokens[i].norm for i in self.fragments[k].items if isinstance(i, int)}
            if self.pending and words <= NOTHING:  # "front: nothing"
                self.unknown += self.pending_spans
                self.pending, self.pending_spans = [], []
            if piece.verb and self.clauses and not self.clauses[-1].quoted and self.clauses[-1].plain:
                self.clauses[-1].plain = False
            return
        span = self.fragments[k].span
        if not self.clauses:
            self.pending += phrases
            self.pending_spans.append(span)
            return
        if piece.subject == "others" and all(clause.has(PLACES) for clause in self.clauses):
            self._add(k, Mention(det="another", other=True), phrases, span, leading=False)
            return
        if piece.subject in ("both", "they", "these", "those", "others") and len(self.clauses) > 1:
            placing = any(phrase.kind in PLACES | MOTIONS for phrase in phrases)
            others = piece.subject == "others"
            bare = [c for c in self.clauses if not ((placing or others) and c.has(PLACES | MOTIONS))]
            targets = bare[-2:] if piece.subject == "both" else bare
            if targets:
                for clause in targets:
                    clause.add(phrases)
                    clause.spans.append(span)
                return
        if self.fragments[k].after.startswith("?") and piece.subject in ("who", "which", "what"):
            self.pending += phrases  # "Who's on the right? A fox."
            self.pending_spans.append(span)
            return
        target = self.current or self.clauses[-1]
        if self.pending and not piece.verbs and not piece.subject and self.fragments[k].before == ",":
            self.pending += phrases
            self.pending_spans.append(span)
            return
        if piece.subject == "both":
            target.both += phrases  # "the violin is closer than the cello, both on the left"
        if piece.subject and piece.subject not in ("who", "which", "that"):
            target = meant(piece.subject, self.clauses) or target
        elif (
            not piece.verbs
            and not piece.subject
            and goes_forward(self.fragments, k, phrases, target, pieces, self.tokens)
        ):
            self.pending += phrases
            self.pending_spans.append(span)
            return
        if "instead" in self.fragments[k].before:
            target.take_back(phrases)
        target.go_on(phrases, settles=piece.verbs and not piece.subject)
        target.plain = False
        target.spans.append(span)
        self.current = target
