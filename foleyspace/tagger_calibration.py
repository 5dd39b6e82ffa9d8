"""What a tagger's similarities are worth, measured on sounds it was not trained on.

Windows of the files held aside, degraded as in training (noise, rooms, a second sound), say how often a
label whose sound scores so much is right. Three small maximum-likelihood fits are kept with the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from foleyspace.hearing import RATIO_LIMITS, agreement, heard_vocabulary, label_log_ratio
from foleyspace.label_sounds import kinds_of
from foleyspace.tagger import KINDS, WINDOW_FRAMES, Calibration, EmbeddedTagger
from foleyspace.tagger_data import Sound, draw_batch, sampling_weights
from foleyspace.types import Floats, Samples
from foleyspace.word_vectors import word_vectors

FOLDS = 5
KIND_RIDGE = 2.0  # counts of windows: how strongly a kind's bias is held near 0
SPREAD = 16  # windows drawn for each file
FEWEST = 50  # files to calibrate on
REFERENCE = 256  # windows kept as the tagger's reference

# Which sounds a thing on the screen makes, where it is plain: kinds by name, classes by their first words.
MADE_BY: dict[str, tuple[str, ...]] = {
    "person": ("kind:human", "kind:speech", "kind:footstep"),
    "dog": ("dog", "puppy"),
    "cat": ("cat meow", "cat purring"),
    "horse": ("horse",),
    "cow": ("cow", "mooo"),
    "bird": (
        "bird", "canary", "chicken", "chirping", "chriping", "crow", "duck", "goose", "loon", "owl",
        "parrot", "peacock", "pigeon", "quack", "quail", "robin", "rooster", "seagull", "toucan",
        "trumpeter swan", "turkey", "wing flutter", "woodpecker", "penguin",
    ),
    "sheep": ("sheep baa", "sheep", "lamb", "goat bleat"),
    "elephant": ("elephant",),
    "bear": ("bear",),
    "train": ("train", "steam engine", "underground train", "inside a train"),
    "car": (
        "car engine", "car horn", "engine", "driving", "small car", "tire squeal", "vehicle",
        "jaguar saw",
    ),
    "truck": ("engine", "garbage truck", "vehicle", "toy truck"),
    "motorcycle": ("motorbike", "engine"),
    "bicycle": ("bicycle", "bike"),
    "airplane": ("airplane", "jet", "helicopter"),
    "boat": ("boat engine", "rowing", "sailboat", "submarine"),
    "clock": ("clock", "stopwatch"),
    "sports ball": ("ball bouncing", "ping pong"),
    "keyboard": ("keyboard",),
    "bottle": ("bottle", "plastic bottle", "water bottle", "coke bottle"),
    "toilet": ("flush",),
    "sink": ("water tap", "water in sink", "running water"),
    "door": ("door", "creaky door", "old door"),
    "bell": ("bell", "cowbell", "church bells", "outside churchbells", "smalltemplebell", "metal bell"),
    "guitar": ("guitar", "banjo", "mandolin"),
    "piano": ("piano", "prep piano"),
    "violin": ("violin", "cello"),
    "drum": (
        "bass drum", "conga", "djembe", "djundjun", "drum", "hand drum", "kick drum", "snare", "surdo",
        "tabla", "tenor drum", "tom drum", "tom toms", "war drum",
    ),
    "trumpet": ("trumpet", "trombone", "french horn"),
    "saxophone": ("saxophone", "sax reed", "clarinet", "bass clarinet"),
    "flute": ("flute",),
    "chainsaw": ("chainsaw",),
    "drill": ("drill", "dremel", "powertool"),
    "instrument": ("kind:instrument", "kind:music"),
    "fire": ("fire",),
    "sea": ("sea waves", "waves small"),
    "river": ("river", "wild river", "water swirl", "water bubbles", "water tap", "waterfall", "splash"),
}  # fmt: skip


@dataclass(frozen=True)
class Heard:
    """Windows of known sounds: `vectors` (N, D), the number of the file each is from, `file` (N,)."""

    vectors: Samples
    file: np.ndarray


def hear_held(tagger: EmbeddedTagger, held: list[Sound], seed: int = 0) -> Heard:
    """`SPREAD` degraded windows a file, on average; rare kinds more often than they are."""
    import torch

    weights = sampling_weights(held)
    rng = np.random.default_rng(seed)
    vectors, numbers = [], []
    for _ in range(max(1, SPREAD * len(held) // 64)):
        batch = draw_batch(held, np.arange(len(held)), weights, 64, WINDOW_FRAMES, rng)
        with torch.inference_mode():
            vectors.append(tagger.net(torch.from_numpy(batch.mel).to(tagger.device)).float().cpu().numpy())
        numbers.append(batch.label[:, 0])
    return Heard(np.concatenate(vectors), np.concatenate(numbers))


def calibrate(tagger: EmbeddedTagger, held: list[Sound], trained: set[str], seed: int = 0) -> None:
    """Give `tagger` a reference and a calibration from the sounds held aside.

    The likelihood ratios are fitted on those whose class is not among the `trained` ones, where there are
    enough of them: what a film brings is new to the tagger too, and it is surer of itself with what it knows.
    Kinds and the words' scale are fitted on all, as some kinds (speech) are one class.
    """
    tagger.reference = hear_held(tagger, held, seed + 1).vectors[:REFERENCE]
    heard = hear_held(tagger, held, seed)
    kind = np.array([sound.kind for sound in held])[heard.file]
    scale, bias = fit_kinds(tagger.kind_logits(heard.vectors), kind)
    tagger.calibration = Calibration(fit_word_scale(heard, held), (0.0, 0.0), scale, bias)
    new = unknown(held, trained)
    data = evidence(tagger, hear_held(tagger, new, seed), new)
    affinity = fit_affinity(data, np.ones(len(data.file), bool))
    tagger.calibration = replace(tagger.calibration, affinity=affinity)


def unknown(held: list[Sound], trained: set[str]) -> list[Sound]:
    """The sounds of classes that are not `trained` on; all of them when those are fewer than `FEWEST`."""
    new = [sound for sound in held if sound.label not in trained]
    return new if len(new) >= FEWEST else held


def fit_kinds(logits: Floats, truth: np.ndarray) -> tuple[float, tuple[float, ...]]:
    """The scale and the biases of the kinds' logits (N, 9) that make their softmax most likely."""

    def loss(x: Floats) -> float:
        moved = logits * np.exp(x[0]) + x[1:]
        own = moved[np.arange(len(truth)), truth]
        return float((np.logaddexp.reduce(moved, axis=1) - own).sum() + KIND_RIDGE * (x[1:] ** 2).sum())

    x = _minimise(loss, np.zeros(1 + logits.shape[1]))
    return float(np.exp(x[0])), tuple(float(b) for b in x[1:])


def fit_word_scale(heard: Heard, held: list[Sound]) -> float:
    """The scale of the cosines that makes the softmax over `heard_vocabulary` most likely, where the truth is
    the word nearest in meaning to the sound's class."""
    vocabulary = word_vectors(heard_vocabulary(), offline=True)
    classes = word_vectors([sound.label for sound in held], offline=True)
    truth = (classes @ vocabulary.T).argmax(axis=1)[heard.file]
    similarity = (heard.vectors @ vocabulary.T).astype(np.float64)
    own = similarity[np.arange(len(truth)), truth]

    def loss(x: Floats) -> float:
        scale = np.exp(x[0])
        return float((np.logaddexp.reduce(similarity * scale, axis=1) - own * scale).mean())

    return float(np.exp(_minimise(loss, np.array([np.log(10.0)]))[0]))


@dataclass(frozen=True)
class Evidence:
    """Of every window and label: its `hearing.agreement` (N, L), whether the label makes
    that sound, `made` (N, L), and the file of each window, `file` (N,)."""

    agreement: Floats
    made: np.ndarray
    file: np.ndarray
    labels: tuple[str, ...]

    @property
    def broad(self) -> np.ndarray:
        """(L,)"""
        return np.array([bool(kinds_of(label)) for label in self.labels])


def evidence(tagger: EmbeddedTagger, heard: Heard, held: list[Sound]) -> Evidence:
    """For the labels that make some of the sounds; of broad ones (`label_sounds.kinds_of`), whose ratio is
    not fitted here, the ratio's logarithm stands for the agreement."""
    made = np.array([[makes(label, sound) for label in MADE_BY] for sound in held])[heard.file]
    kept = np.flatnonzero(made.any(axis=0) & ~made.all(axis=0))
    labels = tuple(list(MADE_BY)[i] for i in kept)
    columns = [
        (label_log_ratio if kinds_of(label) else agreement)(heard.vectors, label, tagger) for label in labels
    ]
    return Evidence(np.stack(columns, axis=1), made[:, kept], heard.file, labels)


def makes(label: str, sound: Sound) -> bool:
    """Whether an object of that label makes that sound."""
    of_kind = f"kind:{KINDS[sound.kind]}" in MADE_BY[label]
    return of_kind or any(f"{sound.label} ".startswith(f"{start} ") for start in MADE_BY[label])


def fit_affinity(data: Evidence, rows: np.ndarray) -> tuple[float, float]:
    """Constant and slope of the log likelihood ratio, from the windows in `rows`: logistic regression in
    which the prior odds are even; every label counts as the root of its windows."""
    made = data.made[rows]
    yes, no = made.sum(axis=0), (~made).sum(axis=0)
    used = (yes > 0) & (no > 0) & ~data.broad
    weight = np.where(made, 1 / np.maximum(yes, 1), 1 / np.maximum(no, 1)) * np.sqrt(yes) * used
    sign = np.where(made, 1.0, -1.0)

    def loss(x: Floats) -> float:
        ratio = x[0] + x[1] * data.agreement[rows]
        return float((weight * np.logaddexp(0, -sign * ratio)).sum() / weight.sum())

    x = _minimise(loss, np.array([0.0, 0.2]), [(-5, 5), (0, 5)])
    return float(x[0]), float(x[1])


def cross_validated(data: Evidence) -> Floats:
    """The likelihood ratio (N, L) of every window and label, by a fit that has not seen the window's file."""
    ratio = np.ones_like(data.agreement)
    for fold in range(FOLDS):
        inside = data.file % FOLDS == fold
        constant, slope = fit_affinity(data, ~inside)
        found = np.where(data.broad, data.agreement[inside], constant + slope * data.agreement[inside])
        ratio[inside] = np.exp(np.clip(found, *np.log(RATIO_LIMITS)))
    return ratio


def reliability(
    ratio: Floats, made: np.ndarray, edges: tuple[float, ...] = (0.2, 0.25, 0.4, 0.7, 1.4, 2.5, 4.9)
) -> list[tuple[float, float, int, int]]:
    """Rows (predicted ratio, observed ratio, windows the label makes, windows it does not) by bins of the
    prediction. Observed: the share of what a label makes that falls into the bin, over the share of what it
    does not make, labels weighted as in the fit."""
    yes, no = made.sum(axis=0), (~made).sum(axis=0)
    root = np.sqrt(yes)
    rows = []
    for low, high in pairwise((0.0, *edges[1:], np.inf)):
        inside = (ratio >= low) & (ratio < high)
        hit, miss = (inside & made), (inside & ~made)
        share_yes = (hit / yes * root).sum()
        share_no = (miss / no * root).sum()
        if hit.sum() + miss.sum():
            spread = (miss / no * root) + (hit / yes * root)
            predicted = float(np.exp((np.log(ratio) * spread).sum() / spread.sum()))
            rows.append((predicted, float(share_yes / max(share_no, 1e-9)), int(hit.sum()), int(miss.sum())))
    return rows


def _minimise(
    loss: Callable[[Floats], float], start: Floats, bounds: list[tuple[float, float]] | None = None
) -> Floats:
    from scipy.optimize import minimize

    result: Floats = minimize(loss, start, method="L-BFGS-B", bounds=bounds).x
    return result
