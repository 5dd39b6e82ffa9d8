"""What is heard against what each object sounds like, moment by moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foleyspace.head_noun import kind_of
from foleyspace.hearing import RATIO_LIMITS, Hearing, affinity, kinds
from foleyspace.held import HOLDERS
from foleyspace.label_sounds import sounds_of
from foleyspace.motion import LABEL as MOVER
from foleyspace.sounding_priors import sound_kind
from foleyspace.tagger import KINDS
from foleyspace.types import Floats
from foleyspace.word_vectors import clean_word, word_vectors

# of the sounds of a kind, the share that somebody makes with mouth, feet, hands or what is in them (mowers,
# saws and blowers sound like vehicles)
BY_PEOPLE = {
    "human": 1.0,
    "speech": 1.0,
    "footstep": 1.0,
    "instrument": 1.0,
    "music": 1.0,
    "object": 0.7,
    "vehicle": 0.3,
}
BY_OTHERS = 0.1
# what is only known to move, and what plays anything, may sound like anything
ANY_SOUND = frozenset({MOVER, "tv", "laptop", "cell phone", "radio", "loudspeaker", "speaker"})
# the ratios are calibrated on clean recordings of single sounds; a film's track is further from those
TRUST = 0.5
# what people make sound, to compare words with; and cosines of words that mean something else, and the same
PLAYED = (
    "guitar",
    "piano",
    "violin",
    "cello",
    "drum",
    "trumpet",
    "saxophone",
    "flute",
    "hammer",
    "saw",
    "drill",
)
MEANING = (0.25, 0.65)
VOICES = ("human", "speech")


@dataclass(frozen=True)
class Matched:
    """`times` (W,) s of the tagger's windows; `ratio` (W, K): how much more likely what is heard is if
    object k makes it; `voice_p` (W,): the probability that it is a voice."""

    times: Floats
    ratio: Floats
    voice_p: Floats

    def affinity(self, k: int, times: Floats) -> Floats:
        """The likelihood ratio of object `k` at `times` (N,)."""
        return np.exp(np.interp(times, self.times, np.log(self.ratio[:, k])))

    def voice(self, times: Floats) -> Floats:
        """Probability of a voice at `times` (N,)."""
        return np.interp(times, self.times, self.voice_p)


def match(hearing: Hearing, labels: Sequence[str], trust: float = TRUST) -> Matched:
    """Compare what is heard with every object of `labels` (K); `trust` is the power the ratios are taken to.

    People make sounds of their own, and those of what they play and handle: the better of both counts.
    """
    names = [name for name in dict.fromkeys(labels) if kind_of(name, ANY_SOUND) is None]
    known = affinity(hearing, names)
    kind = kinds(hearing)
    people = by_people(kind)
    columns = {}
    for name, own in zip(names, known.T, strict=True):
        columns[name] = np.maximum(own, people) if sound_kind(name) in HOLDERS else own
    anything = np.ones(len(hearing.times))
    ratio = (
        np.stack([columns.get(label, anything) for label in labels], axis=1)
        if labels
        else np.ones((len(kind), 0))
    )
    return Matched(hearing.times, ratio**trust, kind[:, [KINDS.index(name) for name in VOICES]].sum(axis=1))


def match_words(words: Sequence[str], labels: Sequence[str], *, offline: bool = False) -> Matched:
    """The same for sounds that somebody names with `words` (at least one), all the time: by how near in
    meaning they are to what each object sounds like, and to what people play and handle."""
    said = word_vectors(words, offline=offline)

    def near(label: str) -> float:
        names = [label] if sound_kind(label) not in HOLDERS else [label, *PLAYED]
        sounds = {sound for name in names for sound in (name, *sounds_of(clean_word(name)))}
        return float((said @ word_vectors(sorted(sounds), offline=offline).T).max())

    likeness = {label: near(label) for label in dict.fromkeys(labels)}
    log_ratio = np.interp([likeness[label] for label in labels], MEANING, np.log(RATIO_LIMITS))
    voice = float((said @ word_vectors(sounds_of("face"), offline=offline).T).max() >= np.mean(MEANING))
    return Matched(np.zeros(1), np.exp(log_ratio)[None], np.array([voice]))


def by_people(kind: Floats) -> Floats:
    """How much more likely sounds of these kinds (W, 9) are if a person makes them, (W,)."""
    share = np.array([BY_PEOPLE.get(name, BY_OTHERS) for name in KINDS])
    return np.clip(kind @ share / share.mean(), *RATIO_LIMITS)
