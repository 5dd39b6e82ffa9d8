"""Typing errors in place words: a closed vocabulary, corrected by edit distance where it is unambiguous."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from foleyspace.prompting.verb_words import known_words
from foleyspace.prompting.words import word_set

# words worth correcting: those that say where, when and how something moves
PLACE_WORDS = word_set(
    "left right front back behind centre center middle above below beneath overhead under near nearby "
    "close closer nearer distant distance ahead rear between beside opposite degrees degree metres meters "
    "metre meter seconds second around circles circle circling clockwise counterclockwise approaches "
    "approaching towards toward moves moving passes passing slightly until before after while away azimuth "
    "elevation further farther background foreground offscreen directly oclock from shoulder corner "
    "straight screen next then twice just everywhere"
)
# ordinary words one slip away from a place word (found among 30,000 English words), which stay as they are
_ORDINARY = word_set(
    "black blacks bake bakes hack net mat for fro far not nor lot bar bat bag bad bay ban red ran rat raw "
    "let ear fur new nut lid leg lay lift lent loft lest leaf lefts rights frost font fronts centres "
    "centred centro centers blow bellow breath neal neat overseas overheard closed chose closet closes "
    "clone cloth clover distinct distract dissent distal distances real read roar bear bedside opposing "
    "oppose nest newt decree decreed decrees sends secondly aground circus cycle cycles circled cycling "
    "curling moved movie movies modes mouse passed pauses parking pushing passion paying pressing passive "
    "posting packing panting pacing parting pausing pairing pulsing paving slight alter white whole whale "
    "way election elevator elevators father faster farmer feather neared backgrounds director directed "
    "direct directs form frog forum prom these them than thin they hen nets text screening scream screech "
    "streets strait bottle bottles battle mutter meteor meteors matter moss moose cone crash clock clocks "
    "coner corners boulder holder rearing never over oven under udder wonder wander thunder owner cower "
    "tower lower shower flower power bowed glider aboard abroad abort about rained later water waiter "
    "hearing earing tearing wearing hear year years ears fear dear gear tear tears wear beak bark bank "
    "buck pack bach"
)


def corrected(words: Sequence[str], i: int) -> str | None:
    """The place word meant by `words[i]`, or None when it is a word of its own.

    A first letter is seldom mistyped: the candidates share it (or have the first two swapped).
    """
    word = words[i]
    if word == "form" and i + 1 < len(words) and words[i + 1] in ("left", "right", "front", "behind", "the"):
        return "from" if words[i + 1] != "the" or words[i + 2 : i + 3] in _PLAIN else None
    return _nearest(word)


# what a word of three letters may stand for, one letter short
_SHORT = word_set("left back rear near next from")
_PLAIN = [[word] for word in ("left", "right", "front", "back", "rear", "middle", "centre", "distance")]


@lru_cache(maxsize=4096)
def _nearest(word: str) -> str | None:
    if (
        len(word) < 3
        or not word.isalpha()
        or word in PLACE_WORDS
        or word in _ORDINARY
        or word in known_words()
    ):
        return None
    best: list[str] = []
    least = 3
    for place in PLACE_WORDS:
        if word[0] != place[0] and word[:2] != place[1::-1]:
            continue
        if len(word) == 3 and (place not in _SHORT or len(place) != 4):
            continue
        allowed = 1 if min(len(place), len(word)) < 7 else 2
        distance = edit_distance(word, place, allowed)
        if distance <= allowed and distance <= least:
            best = [place] if distance < least else [*best, place]
            least = distance
    if not best or (word.endswith("s") and word[:-1] in PLACE_WORDS):
        return None
    # British and American spellings of one word are no ambiguity
    return min(best) if len({_SAME.get(place, place) for place in best}) == 1 else None


_SAME = {"center": "centre", "meters": "metres", "meter": "metre", "farther": "further", "towards": "toward"}


def edit_distance(a: str, b: str, cap: int) -> int:
    """Optimal string alignment distance (insert, delete, replace, swap neighbours), at most `cap` + 1."""
    if abs(len(a) - len(b)) > cap:
        return cap + 1
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(last[j] + 1, row[-1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return min(last[-1], cap + 1)
