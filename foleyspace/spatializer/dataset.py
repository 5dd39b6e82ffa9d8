"""Training data made on the fly: mixtures of sounds on the move, heard through measured HRIRs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from foleyspace.errors import InputError
from foleyspace.spatializer.augmentation import coloured, comes_and_goes, steady_noise, told_activity
from foleyspace.spatializer.bands import HOP, RATE
from foleyspace.spatializer.conditioning import vectors_by_label
from foleyspace.spatializer.hrtfs import HrtfBank
from foleyspace.spatializer.scenes import MOTIONS, draw_path
from foleyspace.spatializer.sounds import Sound, SoundSet, draw_piece, split_halves
from foleyspace.types import Floats, Samples

SOURCES = {1: 0.02, 2: 0.63, 3: 0.30, 4: 0.05}  # how often so many sound at once
ABSENT = 0.06  # how often a slot names what does not sound
NOISE = 0.3  # how often there is steady noise
AKIN = 0.3  # how often all sounds of a piece are of one kind: there it is hardest to tell which is which
OWN_NOISE = 0.15  # how often a recording brings noise of its own
SPEEDS = 0.3  # +-, natural logarithm
# Sources of like level are the hard case, and the usual one; of a mixture with a loud and a faint one most
# is won by giving all of it to the loud one
LEVEL_DB, NEAR_DB, MOST_DB = 5.0, 2.0, 12.0  # standard deviations and limit of the sources' levels
UNLIKE = 0.25  # how often they are drawn from the wider spread
HOLD = 8  # frames (171 ms) for which a direction is held where only the relation of the ears counts
KNOTS = 33  # moments of a path that a batch carries


@dataclass(frozen=True)
class Batch:
    """B pieces of n samples, the same number K of slots in each.

    `mixture` (B, n); `stems` (B, K, n), their sum; `present` (B, K): whether the slot's source sounds in the
    piece (a slot may name something that is not there); `labels` (B, K, 384); `activity` (B, K, T) in
    [0, 1]: what is known of when each sounds, 1 where nothing is; `xyz` (B, K, `KNOTS`, 3) m at evenly
    spaced moments, both ends included; `rows` (B, K, T / `HOLD`): rows of the HRTF bank, direction by
    direction; `which` (B,): the set of the bank that each piece is heard with; `truth` (B, 2, n): how it
    is heard (None: `with_truth` renders it); `stranger` (): the tagger that does not know these sounds;
    `prompt` (B, D): what a caption says of the piece, and `prompt_flipped` (B, D): of its mirror image.
    """

    mixture: Tensor
    stems: Tensor
    present: Tensor
    labels: Tensor
    activity: Tensor
    xyz: Tensor
    rows: Tensor
    truth: Tensor | None = None
    which: Tensor | None = None
    stranger: Tensor | None = None
    prompt: Tensor | None = None
    prompt_flipped: Tensor | None = None

    def to(self, device: torch.device | str) -> Batch:
        each = {field.name: getattr(self, field.name) for field in fields(self)}
        there = {name: part.to(device, non_blocking=True) for name, part in each.items() if part is not None}
        return replace(self, **there)


Tell = Callable[[list["Mixture"], np.random.Generator], tuple[Tensor, Tensor]]  # see `telling.Teller`


@dataclass(frozen=True)
class Mixture:
    """One drawn piece: `stems` (K, n), `labels`, `motions` and `paths` (K, knots, 3) of its slots; `present`
    (K,): whether it sounds; `sounds`: what was drawn, and `level_db` (K,), how loud."""

    stems: Samples
    labels: tuple[str, ...]
    motions: tuple[str, ...]
    paths: Floats
    present: np.ndarray
    sounds: tuple[Sound, ...] = ()
    level_db: tuple[float, ...] = ()


def draw_mixture(
    sounds: SoundSet,
    count: int,
    length: int,
    rng: np.random.Generator,
    *,
    absent: bool = False,
    noise: float = NOISE,
    akin: float = AKIN,
    knots: int = KNOTS,
) -> Mixture:
    """`count` different sounds of `length` samples, each with a level, a path, and often an equaliser, a room
    or an entry and exit of its own; `noise`: how often there is some; `akin`: how often all are of
    one kind; `absent`: the last slot names what does not sound; `knots`: moments of the paths.
    Raises `InputError` for more sounds than there are labels."""
    if count > len(sounds.labels):
        raise InputError(f"`count` is {count} but must be {len(sounds.labels)} or less, the labels there are")
    times = np.linspace(0, length / RATE, knots)
    stems = np.zeros((count, length), np.float32)
    drawn: list[Sound] = []
    levels = [0.0] * count
    spread_db = LEVEL_DB if rng.random() < UNLIKE else NEAR_DB
    motions = tuple(str(m) for m in rng.choice(MOTIONS, count))
    alike = akin > 0 and rng.random() < akin
    while len(drawn) < count:
        sound = sounds.sounds[rng.choice(len(sounds.sounds), p=sounds.weights)]
        if not drawn:
            alike = alike and len({s.label for s in sounds.sounds if _kin(s) == _kin(sound)}) >= count
        elif any(sound.label == other.label for other in drawn) or (alike and _kin(sound) != _kin(drawn[0])):
            continue
        i = len(drawn)
        drawn.append(sound)
        if absent and i == count - 1:
            continue
        speed = 1.0 if rng.random() < 0.4 else float(np.exp(rng.uniform(-SPEEDS, SPEEDS)))
        piece = coloured(draw_piece(sound, length, rng, speed), rng)
        if rng.random() < 0.15:
            piece = piece * comes_and_goes(length, rng)
        if rng.random() < OWN_NOISE:
            piece = piece + steady_noise(piece[None], rng, 12.0)
        level_db = np.clip(rng.normal(0, spread_db), -MOST_DB, MOST_DB)
        stems[i] = piece * 10 ** (level_db / 20)
        levels[i] = float(level_db)
    if rng.random() < noise:
        sounding = count - absent
        stems[:sounding] += steady_noise(stems, rng) / sounding
    paths = np.stack([draw_path(motion, times, rng) for motion in motions])
    present = np.abs(stems).max(axis=1) > 0
    labels = tuple(sound.label for sound in drawn)
    return Mixture(stems, labels, motions, paths, present, tuple(drawn), tuple(levels))


def _kin(sound: Sound) -> str:
    """Its kind; speech and what else people are heard doing are one."""
    return "voice" if sound.kind in ("speech", "human") else sound.kind


def draw_count(rng: np.random.Generator, most: int = max(SOURCES)) -> int:
    """How many sound at once, up to `most`: as often as `SOURCES` says."""
    shares = np.array([share for count, share in SOURCES.items() if count <= most])
    return int(rng.choice([count for count in SOURCES if count <= most], p=shares / shares.sum()))


def draw_batch(
    sounds: SoundSet,
    bank: HrtfBank,
    vectors: dict[str, Samples],
    size: int,
    frames: int,
    rng: np.random.Generator,
    common: np.random.Generator | None = None,
    tell: Tell | None = None,
) -> Batch:
    """`size` pieces of `frames` network frames; all have the same number of slots, drawn from `common`."""
    common = common or rng
    count = min(draw_count(common), len(vectors))
    absent = names_absent(count, len(vectors), common)
    mixtures = [draw_mixture(sounds, count + absent, frames * HOP, rng, absent=absent) for _ in range(size)]
    return make_batch(mixtures, bank, vectors, frames, rng, tell)


def make_batch(
    mixtures: list[Mixture],
    bank: HrtfBank,
    vectors: dict[str, Samples],
    frames: int,
    rng: np.random.Generator,
    tell: Tell | None = None,
) -> Batch:
    """Mixtures of the same number of slots and of `frames` network frames, `KNOTS` moments a path, each heard
    with some set of the bank and with something known of when its sources sound; `tell` words them."""
    stems = torch.from_numpy(np.stack([m.stems for m in mixtures]))
    at = (np.arange(-(-frames // HOLD)) + 0.5) * HOLD / frames * (KNOTS - 1)
    near = np.minimum(np.round(at).astype(int), KNOTS - 1)
    which = [int(rng.integers(len(bank))) for _ in mixtures]
    rows = np.stack([bank.rows(i, m.paths[:, near]) for i, m in zip(which, mixtures, strict=True)])
    activity = np.stack([told_activity(m.stems, frames, rng) for m in mixtures])
    prompt, flipped = tell(mixtures, rng) if tell is not None else (None, None)
    return Batch(
        mixture=stems.sum(dim=1),
        stems=stems,
        present=torch.from_numpy(np.stack([m.present for m in mixtures])),
        labels=torch.from_numpy(np.stack([[vectors[label] for label in m.labels] for m in mixtures])),
        activity=torch.from_numpy(activity),
        xyz=torch.from_numpy(np.stack([m.paths for m in mixtures]).astype(np.float32)),
        rows=torch.from_numpy(rows),
        which=torch.tensor(which),
        prompt=prompt,
        prompt_flipped=flipped,
    )


def with_truth(batch: Batch, bank: HrtfBank) -> Batch:
    """The batch with its binaural `truth` (B, 2, n): every stem heard from its place, dry. Rendered on the
    device of the batch, where the bank must be too."""
    from foleyspace.spatializer.rendering import render_batch

    assert batch.which is not None
    return replace(batch, truth=render_batch(batch.stems, batch.xyz, bank, batch.which))


def batches(
    sounds: SoundSet,
    bank: HrtfBank,
    size: int,
    frames: int,
    seed: int,
    first: int = 0,
    *,
    step: int = 1,
    rank: int = 0,
    halves: bool = False,
    tell: Tell | None = None,
) -> Generator[Batch, None, None]:
    """Every `step`-th batch from number `first` on, without end; number i is the same whenever it is drawn.
    Processes of other `rank` draw other pieces with as many slots, so that none waits for another. `halves`:
    each batch is of one half of the sounds, and names the tagger that has learned the other one."""
    vectors = vectors_by_label(sounds.labels, offline=True)
    half = split_halves(sounds) if halves else ()
    for rng, common in numbered(seed, first, step, rank):
        if not half:
            yield draw_batch(sounds, bank, vectors, size, frames, rng, common, tell)
            continue
        which = int(common.integers(2))
        known = {label: vectors[label] for label in half[which].labels}
        batch = draw_batch(half[which], bank, known, size, frames, rng, common, tell)
        yield replace(batch, stranger=torch.tensor(1 - which))


def numbered(
    seed: int, first: int, step: int, rank: int
) -> Generator[tuple[np.random.Generator, np.random.Generator], None, None]:
    """For each batch, without end, what a process of this `rank` draws from, and what all of them do."""
    for number in itertools.count(first, step):
        yield np.random.default_rng((seed, number, rank)), np.random.default_rng((seed, number))


def names_absent(count: int, labels: int, rng: np.random.Generator) -> bool:
    """Whether a batch of `count` sources has a slot more, which names one of the other `labels`: always
    beside a single one, so that there is something to tell apart."""
    return (count == 1 or rng.random() < ABSENT) and count < labels
