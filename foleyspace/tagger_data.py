"""The tagger's training data: sounds as log-mel spectra, windows drawn from them, and what is done to them
so that film sound, made sound and rooms are heard as well as clean recordings."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foleyspace.errors import InputError
from foleyspace.label_sounds import KIND_WORDS
from foleyspace.mel import FLOOR_DB, MELS, RATE, log_mel, normalise
from foleyspace.sound_index import index_rows, read_mono
from foleyspace.tagger import KINDS
from foleyspace.types import Floats, Samples
from foleyspace.word_vectors import clean_word, word_vectors

log = logging.getLogger("foleyspace")

SPEEDS = (1.0, 0.89, 1.12)  # whole-tone shifts of pitch and tempo
QUIET_DB = 35.0  # windows this far below the file's loudest are not taken
HELD_PERCENT = 15  # of the files, for testing
FILES_POWER = 0.4  # a class is drawn as often as its number of files to this power

# Where the index files a sound under a kind (from the collection it came from) that its class contradicts.
_OF_KIND = {
    "human": ("baby cry", "person sneeze"),
    "animal": ("dog", "rooster", "chirping", "chriping"),
    "object": (
        "chainsaw",
        "clock tick",
        "metal creamer with water hit",
        "water balloon",
        "water bottle",
        "waterbottle hit",
        "wind up long",
        "wind up toy",
        "can down stairs",
        "bottle down stairs",
        "pencil sharpener",
        "electric sharpener",
        "knife sharpen",
        "knifesharpen",
        "tubeblowing",
    ),
    "vehicle": ("helicopter", "police siren", "train whistle", "motor horn"),
    "instrument": (
        "thunder drum",
        "thunder drum long",
        "rainstick",
        "wind chimes",
        "church bells",
        "outside churchbells",
        "toy whistle",
        "toy whistle long",
        "arp note 2wholesteps",
        "arp note",
        "glass harmonica",
        "slide whistle up",
        "slide whistle down",
        "mouth harp",
    ),
    "environmental": (
        "street noise",
        "outdoors",
        "ambiance",
        "children and fountain",
        "running water",
        "peeing in can",
    ),
    "speech": ("male voice", "female voice"),
    "footstep": (
        "runningecho",
        "up stairs",
        "stomp up stairs",
        "stomp train station",
        "walking in trainstation",
        "heels on tile",
    ),
}
KIND_OF = {label: kind for kind, labels in _OF_KIND.items() for label in labels}


@dataclass(frozen=True)
class Sound:
    """One file: its `name`, `label` (cleaned class), `kind` (index into KINDS), `index_kind` (as the
    index has it), its log-mel spectra at each of the speeds, (frames, MELS) float16 dB, and whether the index
    has it kept aside."""

    name: str
    label: str
    kind: int
    index_kind: int
    mels: tuple[np.ndarray, ...]
    aside: bool = False


def load_sounds(folder: Path, speeds: tuple[float, ...] = SPEEDS) -> list[Sound]:
    """All files of `folder`/INDEX.csv (columns file, class and, if known, kind and split) as spectra, in
    memory: 0.4 MB a minute and speed. A kind that is not there is guessed. Raises `InputError` for an index
    or a sound file that cannot be used."""
    rows = index_rows(folder)
    guessed = _guessed_kinds([clean_word(row["class"]) for row in rows if not row.get("kind")])
    unknown = {row["kind"] for row in rows if row.get("kind")} - set(KINDS)
    if unknown:
        raise InputError(
            f"{folder / 'INDEX.csv'}: kind {min(unknown)!r} but must be one of {', '.join(KINDS)}"
        )
    aside = marked_aside(rows) or [False] * len(rows)
    sounds = []
    for row, kept in zip(rows, aside, strict=True):
        samples, rate = read_mono(folder / row["file"])
        label = clean_word(row["class"])
        said = row.get("kind") or guessed[label]
        index_kind, kind = KINDS.index(said), KINDS.index(KIND_OF.get(label, said))
        mels = tuple(log_mel(_at(samples, rate, speed)).astype(np.float16) for speed in speeds)
        sounds.append(Sound(row["file"], label, kind, index_kind, mels, kept))
    return sounds


def marked_aside(rows: Sequence[dict[str, str]]) -> list[bool] | None:
    """Which lines of an index its column `split` keeps aside: those that are neither "train" nor empty. None
    where the column does not tell lines apart, or is not there."""
    if len({row.get("split") for row in rows}) < 2:
        return None
    return [row["split"] not in ("train", "") for row in rows]


def _guessed_kinds(labels: Sequence[str]) -> dict[str, str]:
    """The kind of sound that each label is nearest to in meaning; right for two files of three."""
    if not labels:
        return {}
    log.warning("INDEX.csv: %d files have no kind: it is guessed from their class", len(labels))
    each = sorted(set(labels))
    words = [(word, kind) for kind in KINDS for word in KIND_WORDS[kind]]
    alike = word_vectors(each, offline=True) @ word_vectors([word for word, _ in words], offline=True).T
    return {label: words[best][1] for label, best in zip(each, alike.argmax(axis=1), strict=True)}


def _at(samples: Samples, rate: int, speed: float) -> Samples:
    import soxr

    resampled: Samples = soxr.resample(samples, rate, RATE / speed, quality="MQ")
    return resampled


def held_aside(name: str, percent: int = HELD_PERCENT) -> bool:
    """Whether a file is kept for testing: by the hash of its name, so for good."""
    return _number(name) < percent


def half_of(name: str, held_percent: int = HELD_PERCENT) -> int | None:
    """The half of the files, 0 or 1, that one belongs to by the hash of its name; None: held aside."""
    number = _number(name)
    return None if number < held_percent else int(number >= (100 + held_percent) // 2)


def _number(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % 100


def sampling_weights(sounds: list[Sound]) -> Floats:
    """How often to draw each file: every class as often as its number of files to a power, then every kind
    half way to equal."""
    classes = Counter(sound.label for sound in sounds)
    weights = np.array([classes[sound.label] ** (FILES_POWER - 1) for sound in sounds])
    kinds = np.array([sound.kind for sound in sounds])
    share = np.bincount(kinds, weights, len(KINDS))
    weights = weights / np.sqrt(np.maximum(share[kinds], 1e-9))
    return weights / weights.sum()


@dataclass(frozen=True)
class Batch:
    """`mel` (B, T, M) normalised; the classes heard `label` (B, 2) and their parts `part` (B, 2), which sum
    to 1; `kind` (B, 2) likewise. Column 0 is the louder sound."""

    mel: Samples
    label: np.ndarray
    kind: np.ndarray
    part: Samples


def draw_batch(
    sounds: list[Sound],
    labels: np.ndarray,
    weights: Floats,
    size: int,
    frames: int,
    rng: np.random.Generator,
) -> Batch:
    """`size` augmented windows; `labels` (files,) is the class number of each file."""
    picked = rng.choice(len(sounds), (size, 2), p=weights)
    windows = [_window(sounds[i], frames, rng) for i in picked.T.ravel()]
    power = 10 ** (np.stack(windows).reshape(2, size, frames, MELS) / 10)
    power /= np.maximum(power.sum(axis=(2, 3), keepdims=True), 1e-12)  # equal energy
    first, second = (_reverberate(_filter(p, rng), rng) for p in power)
    # half the windows have a second sound 0 to 20 dB down, most have some noise
    down_db = np.where(rng.random(size) < 0.5, rng.uniform(0, 20, size), np.inf)
    ratio = 10 ** (-down_db / 10)
    mixed = _noise(first + second * ratio[:, None, None], rng)
    share = 0.5 * ratio  # alike at 0 dB, forgotten soon below: the louder one names the window
    part = np.stack((1 - share, share), axis=1).astype(np.float32)
    mel_db = _filter_db(10 * np.log10(np.maximum(mixed, 10 ** (FLOOR_DB / 10))), rng)
    mel = _mask(normalise(mel_db.astype(np.float32)), rng)
    kinds = np.array([sound.kind for sound in sounds])
    return Batch(mel, labels[picked], kinds[picked], part)


def _window(sound: Sound, frames: int, rng: np.random.Generator) -> Samples:
    """`frames` frames from where something sounds; a short sound stands alone or is repeated."""
    mel = sound.mels[rng.integers(len(sound.mels))]
    if rng.random() < 0.5:
        mel = sound.mels[0]
    n = len(mel)
    if n < frames:
        window = np.full((frames, MELS), FLOOR_DB, np.float32)
        every = frames if rng.random() < 0.7 else max(n + int(rng.integers(0, 20)), 12)
        at = int(rng.integers(-min(n // 4, 10), frames - n + 1))
        for start in range(at % every - every, frames, every) if every < frames else (at,):
            low, high = max(start, 0), min(start + n, frames)
            if high > low:
                window[low:high] = mel[low - start : high - start]
        return window
    loud = mel.max(axis=1)
    centres = np.flatnonzero(loud > loud.max() - QUIET_DB)
    start = int(rng.choice(centres)) - int(rng.integers(0, frames))
    return mel[np.clip(start, 0, n - frames) :][:frames].astype(np.float32)


def _filter(power: Floats, rng: np.random.Generator) -> Floats:
    """A smooth random equaliser, +-8 dB, on half of the windows (B, T, M)."""
    size = len(power)
    knots = rng.normal(0, 4, (size, 5)) * (rng.random((size, 1)) < 0.5)
    curve = np.stack([np.interp(np.linspace(0, 4, MELS), np.arange(5), k) for k in knots])
    return power * 10 ** (curve[:, None] / 10)


def _filter_db(mel_db: Floats, rng: np.random.Generator) -> Floats:
    """Band limits of old microphones and low bit rates on a third of the windows."""
    size = len(mel_db)
    bands = np.arange(MELS)
    high = np.where(rng.random(size) < 0.25, rng.integers(38, MELS, size), MELS)[:, None]
    low = np.where(rng.random(size) < 0.15, rng.integers(1, 14, size), 0)[:, None]
    loss = 8.0 * np.maximum(bands - high, 0) + 4.0 * np.maximum(low - bands, 0)
    return np.maximum(mel_db - loss[:, None], FLOOR_DB)


def _reverberate(power: Floats, rng: np.random.Generator) -> Floats:
    """The energy of a decaying tail, 0.2 to 1.5 s, on 40 % of the windows (B, T, M)."""
    from scipy.signal import lfilter

    result = power.copy()
    for i in np.flatnonzero(rng.random(len(power)) < 0.4):
        decay = 10 ** (-6 * 0.016 / rng.uniform(0.2, 1.5))  # energy left after one 16 ms frame
        wet = 10 ** (rng.uniform(-18, 0) / 10)
        result[i] += wet * (1 - decay) * lfilter([0, 1], [1, -decay], power[i], axis=0)
    return result


def _noise(power: Floats, rng: np.random.Generator) -> Floats:
    """Steady noise of any colour, 15 to 50 dB below the sound, on 60 % of the windows."""
    size = len(power)
    level = power.mean(axis=(1, 2)) * 10 ** (-rng.uniform(15, 50, size) / 10)
    level *= rng.random(size) < 0.6
    colour = 10 ** (rng.uniform(-20, 10, (size, 1)) * np.linspace(0, 1, MELS) / 10)
    ripple = rng.gamma(4.0, 0.25, power.shape)
    return power + level[:, None, None] * colour[:, None] * ripple


def _mask(mel: Samples, rng: np.random.Generator) -> Samples:
    """SpecAugment (Park et al. 2019): a stretch of time and a band blanked, each in half of them."""
    _, frames, bands = mel.shape
    for window in mel:
        if rng.random() < 0.5:
            at = int(rng.integers(frames))
            window[at : at + int(rng.integers(1, 20))] = -1
        if rng.random() < 0.5:
            at = int(rng.integers(bands))
            window[:, at : at + int(rng.integers(1, 9))] = -1
    return mel
