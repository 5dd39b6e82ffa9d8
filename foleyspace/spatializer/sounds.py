"""A folder of labelled sounds in memory, and pieces drawn from it for training."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foleyspace.errors import InputError
from foleyspace.sound_index import index_rows, read_mono
from foleyspace.spatializer.bands import RATE
from foleyspace.tagger_data import KIND_OF, half_of, held_aside, marked_aside
from foleyspace.types import Floats, Samples
from foleyspace.word_vectors import clean_word

HELD_PERCENT = 8
SPLITS = ("train", "held")
FULL_KIND = 25
FILES_POWER = 0.6  # a class is drawn as often as its number of files to this power
FRAME = 960  # 20 ms


@dataclass(frozen=True)
class Sound:
    """One file at 48 kHz: `samples` (n,) int16, scaled so that its loud parts have an RMS of 0.1; `level`
    (n // FRAME,) dB, its level over time; `licence` and `source` as the index has them."""

    name: str
    label: str
    kind: str
    samples: np.ndarray
    level: Samples
    licence: str = ""
    source: str = ""


@dataclass(frozen=True)
class SoundSet:
    """`sounds` and how often each is drawn, `weights` (their number,), sum 1."""

    sounds: tuple[Sound, ...]
    weights: Floats

    @property
    def labels(self) -> list[str]:
        """Each label once, sorted."""
        return sorted({sound.label for sound in self.sounds})


def load_sounds(folder: str | Path, split: str = "train") -> SoundSet:
    """The sounds of `folder`/INDEX.csv, a CSV with columns file, class and, if known, kind, split, licence
    and source; in memory, 350 MB an hour.

    `split` "train" or "held": where the index has a column of that name with more than one value, its value
    decides; else the hash of the file's name keeps `HELD_PERCENT` of them aside. A file without sound is left
    out. Raises `InputError` for a folder without index, a file that is missing or no sound, or a split
    without sounds.
    """
    if split not in SPLITS:
        raise InputError(f"`split` is {split!r} but must be train or held")
    rows = index_rows(Path(folder))
    aside = marked_aside(rows) or [held_aside(row["file"], HELD_PERCENT) for row in rows]
    sounds = []
    for row, held in zip(rows, aside, strict=True):
        if held == (split == "held"):
            sound = _read(Path(folder) / row["file"], row)
            if sound is not None:
                sounds.append(sound)
    if not sounds:
        raise InputError(f"{Path(folder) / 'INDEX.csv'}: no sound in the split {split!r}")
    return SoundSet(tuple(sounds), draw_weights(sounds))


def draw_weights(sounds: list[Sound]) -> Floats:
    """Every kind as often as every other (one of fewer than `FULL_KIND` files less often), in it every class
    as often as its number of files to a power: footsteps must not drown in cellos."""
    classes, files = Counter(s.label for s in sounds), Counter(s.kind for s in sounds)
    weights = np.array([classes[sound.label] ** (FILES_POWER - 1) for sound in sounds])
    kinds: dict[str, float] = {}
    for sound, weight in zip(sounds, weights, strict=True):
        kinds[sound.kind] = kinds.get(sound.kind, 0.0) + weight
    share = {kind: min(1.0, files[kind] / FULL_KIND) / total for kind, total in kinds.items()}
    weights = weights * [share[sound.kind] for sound in sounds]
    return np.asarray(weights / weights.sum())


def split_halves(sounds: SoundSet) -> tuple[SoundSet, SoundSet]:
    """The sounds that a tagger trained on half 1 of the files does not know, and those that one trained on
    half 0 does not (`tagger_data.half_of`); what both had held aside is in both. Raises `InputError` for
    a half without sounds."""
    parts = []
    for half in (0, 1):
        part = tuple(sound for sound in sounds.sounds if half_of(sound.name) in (half, None))
        if not part:
            raise InputError(f"{len(sounds.sounds)} sounds are too few for halves: leave `taggers` out")
        parts.append(SoundSet(part, draw_weights(list(part))))
    return parts[0], parts[1]


def half_sounds(sounds: SoundSet, half: int) -> SoundSet:
    """The sounds that a recogniser of half 0 or 1 learns: none of those that `split_halves` gives the other
    half. Raises `InputError` where there are none."""
    part = tuple(sound for sound in sounds.sounds if half_of(sound.name) == half)
    if not part:
        raise InputError(f"{len(sounds.sounds)} sounds are too few for halves")
    return SoundSet(part, draw_weights(list(part)))


def draw_piece(sound: Sound, length: int, rng: np.random.Generator, speed: float = 1.0) -> Samples:
    """`length` samples from where it sounds; a short one stands alone or is repeated; `speed` shifts pitch
    and tempo together."""
    import soxr

    needed = int(length * speed) + 1
    n = len(sound.samples)
    piece = np.zeros(needed, np.float32)
    if n >= needed:
        loud = np.flatnonzero(sound.level > sound.level.max() - 30)
        start = int(rng.choice(loud)) * FRAME - int(rng.integers(0, needed))
        start = int(np.clip(start, 0, n - needed))
        piece[:] = sound.samples[start : start + needed]
    else:
        every = needed if rng.random() < 0.5 else n + int(rng.integers(0, RATE // 2))
        at = int(rng.integers(0, needed - n + 1)) if every >= needed else -int(rng.integers(0, every))
        while at < needed:
            low, high = max(at, 0), min(at + n, needed)
            if high > low:
                piece[low:high] = sound.samples[low - at : high - at]
            at += every
    piece *= 1 / 32768
    if speed != 1.0:
        piece = soxr.resample(piece, RATE * speed, RATE, quality="QQ")
    result = np.zeros(length, np.float32)
    result[: min(len(piece), length)] = piece[:length]
    return result


def _read(path: Path, row: dict[str, str]) -> Sound | None:
    """None for a file without sound."""
    mono, rate = read_mono(path)
    if rate != RATE:
        import soxr

        mono = soxr.resample(mono, rate, RATE)
    if len(mono) < FRAME or not np.isfinite(mono).all():
        return None
    power = np.square(mono[: len(mono) // FRAME * FRAME]).reshape(-1, FRAME).mean(axis=1)
    level = 10 * np.log10(power + 1e-12)
    loud = power[level > level.max() - 20].mean()
    if loud < 1e-9:
        return None
    mono = mono * (0.1 / np.sqrt(loud))
    label = clean_word(row["class"])
    kind = KIND_OF.get(label, row.get("kind") or "object")
    scaled = np.clip(np.round(mono * 32768), -32768, 32767).astype(np.int16)
    said = (row.get("licence") or "", row.get("source") or "")
    return Sound(row["file"], label, kind, scaled, level.astype(np.float32), *said)
