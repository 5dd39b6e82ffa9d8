"""What is heard over a whole track, and how well it agrees with the names of things."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from foleyspace.envelope import SILENT_DB
from foleyspace.errors import InputError
from foleyspace.label_sounds import kinds_of, sounds_of
from foleyspace.tagger import KINDS, Tagger
from foleyspace.types import Floats, Samples
from foleyspace.word_vectors import clean_word

CHUNK_HOPS = 120  # a minute of the embedded tagger's
QUIET_DB = 40.0  # nothing is said about what is so far below the loud parts (95th percentile), or silent
FADE_DB = 12.0  # over so much above that, what is said grows from nothing to all
RATIO_LIMITS = (0.2, 5.0)
MIN_SPREAD = 0.3  # a label whose evidence hardly varies over sounds (an unknown word) says nothing


@dataclass(frozen=True)
class Hearing:
    """What `tagger` hears: window centres `times` (W,) s, what is heard there, `vectors` (W, D), and how loud
    the track is around each centre, `level_db` (W,) dBFS (RMS; -120 for silence)."""

    times: Floats
    vectors: Samples
    level_db: Floats
    tagger: Tagger

    def __post_init__(self) -> None:
        count = len(self.times)
        for name in ("vectors", "level_db"):
            if len(getattr(self, name)) != count:
                raise InputError(
                    f"`Hearing.{name}` has {len(getattr(self, name))} rows but must have {count}"
                )
        for array in (self.times, self.vectors, self.level_db):
            array.setflags(write=False)

    @property
    def clarity(self) -> Floats:
        """(W,) in [0, 1]: 0 where a window is too quiet to say anything, 1 where it is loud enough."""
        loud = np.percentile(self.level_db, 95)
        floor = max(SILENT_DB, loud - QUIET_DB)
        return np.clip((self.level_db - floor) / FADE_DB, 0, 1)


def hear_sound(
    source: str | Path | Samples | Iterable[Samples], tagger: Tagger, *, rate: int | None = None
) -> Hearing:
    """Listen to a mono WAV (path), to samples (n,), or to blocks of samples, in bounded memory.

    `rate` Hz is needed with samples and blocks. Raises `InputError` for a file that is not mono, for samples
    without a rate, and for no samples at all.
    """
    if isinstance(source, (str, Path)):
        import soundfile

        from foleyspace.soundtrack import read_mono_blocks

        rate = soundfile.info(str(source)).samplerate if Path(source).is_file() else 1
        blocks: Iterable[Samples] = read_mono_blocks(source)
    else:
        blocks = (source,) if isinstance(source, np.ndarray) else source
    if rate is None:
        raise InputError("`rate` is missing but must be given in Hz with samples")
    hop = round(tagger.hop_s * tagger.rate)
    margin = int(np.ceil(tagger.window_s / tagger.hop_s / 2)) + 1
    vectors, levels = [], []
    for samples, first, count in _chunks(_resampled(blocks, rate, tagger.rate), hop, margin):
        _, heard = tagger.embed(samples, tagger.rate)
        vectors.append(heard[first : first + count])
        own = np.zeros(count * hop)
        piece = samples[first * hop : (first + count) * hop]
        own[: len(piece)] = piece
        used = np.clip(len(piece) - np.arange(count) * hop, 1, hop)
        power = (own.reshape(count, hop) ** 2).sum(axis=1) / used
        power -= (own.reshape(count, hop).sum(axis=1) / used) ** 2  # a constant is no sound
        levels.append(10 * np.log10(np.maximum(power, 1e-12)))
    if not vectors:
        raise InputError("there is no sound to listen to: it has no samples")
    level_db = np.concatenate(levels)
    times: Floats = np.arange(0.5, len(level_db)) * tagger.hop_s
    return Hearing(times, np.concatenate(vectors), level_db, tagger)


def affinity(hearing: Hearing, labels: Sequence[str]) -> Floats:
    """(W, L): how much more likely what is heard in each window is if an object of the label makes it than
    if something else does. 1 says nothing; limited to `RATIO_LIMITS`; 1 where it is too quiet to tell."""
    if not labels:
        return np.ones((len(hearing.times), 0))
    log_ratio = np.stack(
        [label_log_ratio(hearing.vectors, label, hearing.tagger) for label in labels], axis=1
    )
    log_ratio = np.clip(log_ratio, *np.log(RATIO_LIMITS))
    return np.exp(log_ratio * hearing.clarity[:, None])


def label_log_ratio(vectors: Samples, label: str, tagger: Tagger) -> Floats:
    """(W,): the logarithm of the likelihood ratio of `label`, not limited.

    A label as broad as a kind ("person": voices and steps) goes by the kinds' odds over their odds among the
    reference sounds; any other by `agreement` with its sounds.
    """
    of_label = kinds_of(clean_word(label))
    if of_label:
        own = [KINDS.index(kind) for kind in of_label]
        usual = np.array([len(own) / len(KINDS)])
        if len(tagger.reference):
            usual = _kind_probabilities(tagger.reference, tagger)[:, own].sum(axis=1).mean(keepdims=True)
        return _log_odds(_kind_probabilities(vectors, tagger)[:, own].sum(axis=1)) - _log_odds(usual)
    constant, slope = tagger.calibration.affinity
    return constant + slope * agreement(vectors, label, tagger)


def agreement(vectors: Samples, label: str, tagger: Tagger) -> Floats:
    """(W,): how well what is heard agrees with the words for a label's sounds, before calibration.

    The log-mean-exp over the label's sounds (`label_sounds`) of the cosines times `word_scale`, less the same
    over all words that sounds are called: the log likelihood ratio, were every word equally likely. Then
    standardised by its mean and deviation over the tagger's reference sounds: labels differ in how many
    sounds they have, and how near those are to everything.
    """
    scale = tagger.calibration.word_scale
    everything = _everything(tagger).T * scale
    sounds = tagger.word_vectors(sounds_of(clean_word(label))).T * scale
    found = _log_mean_exp(vectors @ sounds) - _log_mean_exp(vectors @ everything)
    if not len(tagger.reference):
        return found
    usual = _log_mean_exp(tagger.reference @ sounds) - _log_mean_exp(tagger.reference @ everything)
    return (found - usual.mean()) / max(float(usual.std()), MIN_SPREAD)


def kinds(hearing: Hearing) -> Floats:
    """(W, 9): the probability of each of `tagger.KINDS`, all alike where it is too quiet to tell."""
    clarity = hearing.clarity[:, None]
    return clarity * _kind_probabilities(hearing.vectors, hearing.tagger) + (1 - clarity) / len(KINDS)


def heard_words(hearing: Hearing, top: int = 5) -> list[tuple[str, float]]:
    """What the whole track sounds like: the `top` likeliest words with their probability, best first; every
    window counts by its amplitude and clarity. Empty where all is silence."""
    words = heard_vocabulary()
    similarity = hearing.vectors @ _everything(hearing.tagger).T * hearing.tagger.calibration.word_scale
    probability = np.exp(similarity - _log_sum_exp(similarity))
    counts = hearing.clarity * 10 ** ((hearing.level_db - hearing.level_db.max()) / 20)
    if not counts.any():
        return []
    total = np.average(probability, axis=0, weights=counts)
    return [(words[i], float(total[i])) for i in np.argsort(-total, kind="stable")[:top]]


@lru_cache(maxsize=1)
def heard_vocabulary() -> tuple[str, ...]:
    """The words that a sound may be called."""
    from safetensors import safe_open

    with (
        as_file(files("foleyspace.models") / "words.safetensors") as path,
        safe_open(str(path), framework="numpy") as file,
    ):
        return tuple(file.metadata()["heard"].split("\n"))


@lru_cache(maxsize=1)
def _everything(tagger: Tagger) -> Samples:
    """Vectors (L, D) of all words that a sound may be called: every label is compared with them."""
    return tagger.word_vectors(heard_vocabulary())


def _kind_probabilities(vectors: Samples, tagger: Tagger) -> Floats:
    calibration = tagger.calibration
    logits = tagger.kind_logits(vectors) * calibration.kind_scale + np.array(calibration.kind_bias)
    return np.exp(logits - _log_sum_exp(logits))


def _log_odds(probability: Floats) -> Floats:
    safe = np.clip(probability, 1e-4, 1 - 1e-4)
    return np.log(safe / (1 - safe))


def _log_sum_exp(rows: Floats | Samples) -> Floats:
    top = rows.max(axis=1, keepdims=True)
    return top + np.log(np.exp(rows - top).sum(axis=1, keepdims=True))


def _log_mean_exp(rows: Samples) -> Floats:
    """(N, L) to (N,)."""
    return _log_sum_exp(rows.astype(np.float64))[:, 0] - np.log(rows.shape[1])


def _resampled(blocks: Iterable[Samples], rate: int, wanted: int) -> Iterator[Samples]:
    if rate == wanted:
        yield from blocks
        return
    import soxr

    stream = soxr.ResampleStream(rate, wanted, 1, dtype="float32")
    for block in blocks:
        yield stream.resample_chunk(np.asarray(block, np.float32))
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _chunks(blocks: Iterable[Samples], hop: int, margin: int) -> Iterator[tuple[Samples, int, int]]:
    """Pieces that overlap by `margin` hops to each side: the samples, the first own hop in them, and how many
    hops are their own."""
    held = np.zeros(0, np.float32)
    before = 0  # hops of context at the front of `held`
    for block in blocks:
        held = np.concatenate((held, np.asarray(block, np.float32)))
        while len(held) > (before + CHUNK_HOPS + margin) * hop:
            yield held[: (before + CHUNK_HOPS + margin) * hop], before, CHUNK_HOPS
            keep = min(margin, before + CHUNK_HOPS)
            held = held[(before + CHUNK_HOPS - keep) * hop :]
            before = keep
    own = -(-(len(held) - before * hop) // hop)
    if own > 0:
        yield held, before, own
