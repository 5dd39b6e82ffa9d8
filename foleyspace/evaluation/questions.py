"""Questions about where things are, with the answers that a scene gives and those that an ear gives.

Direction, distance and relative position, in the manner of SpatialSoundQA (Zheng et al. 2024). Scene and
reading answer by the same rule: every moment votes, weighted by how surely the sounds asked about sound then,
and most votes win. What the scene itself leaves open is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from foleyspace.camera import xyz_to_angles
from foleyspace.metrics.listener import Reading
from foleyspace.metrics.localizer import lateral_deg
from foleyspace.propagation import gain, position
from foleyspace.types import Floats, Scene, Source
from foleyspace.word_vectors import clean_word, word_vectors

Kind = Literal["direction", "distance", "relative"]
Topic = Literal["where", "how far", "left", "nearer", "above"]

CLEAR = 2 / 3  # share of the votes that the scene's own answer must have
WIDE_DEG = 90.0  # a source as wide as this is nowhere in particular
NEAR_M, FAR_M = 1.0, 2.0  # beyond 1 m dry sound hardly tells how far it is
APART_DEG, FURTHER = 15.0, 1.5
TEXTS: dict[Topic, tuple[str, ...]] = {
    "where": (
        "Is the {a} on the left, on the right, in front or behind?",
        "Where is the {a}: left, right, front or behind?",
        "From which side does the {a} come: left, right, front or behind?",
    ),
    "how far": ("Is the {a} near or far?", "How far away is the {a}: near or far?"),
    "left": ("Is the {a} left of the {b}?", "Is the {a} to the left of the {b}?"),
    "nearer": ("Which is nearer, the {a} or the {b}?", "Which is closer, the {a} or the {b}?"),
    "above": ("Which is above the other, the {a} or the {b}?", "Which is higher, the {a} or the {b}?"),
}
KINDS: dict[Topic, Kind] = {
    "where": "direction",
    "how far": "distance",
    "left": "relative",
    "nearer": "relative",
    "above": "relative",
}


@dataclass(frozen=True)
class Question:
    """`text`, the `choices` there are, the right `answer` among them; `topic`, and the sources (by number)
    that it is `about`."""

    kind: Kind
    topic: Topic
    about: tuple[int, ...]
    text: str
    choices: tuple[str, ...]
    answer: str


def askable(scene: Scene) -> Scene:
    """The scene with those sources only that can be asked about: at some place, their label of known words
    and no other source's."""
    labels = [clean_word(source.label) for source in scene.sources]
    kept = [
        source
        for source, label in zip(scene.sources, labels, strict=True)
        if labels.count(label) == 1 and _known(label) and not _wide(source)
    ]
    return replace(scene, sources=tuple(kept))


def scene_reading(scene: Scene, times: Floats, sounding: NDArray[np.floating] | None = None) -> Reading:
    """The scene as a faultless listener would read it at `times` (T,) s. `sounding` (S, T): when its sources
    sound; without, whenever their gains do not silence them."""
    on = np.stack([gain(source, times) > 0 for source in scene.sources]).astype(np.float64)
    xyz = np.stack([position(source, times) for source in scene.sources])
    labels = tuple(source.label for source in scene.sources)
    return Reading(labels, times, on if sounding is None else on * sounding, xyz)


def make_questions(truth: Reading, seed: int = 0) -> tuple[Question, ...]:
    """All questions that `truth` (of `scene_reading`) answers clearly: one way for two thirds of the time
    at least, and not by a hair. The `seed` draws their wording and who is named first."""
    rng = np.random.default_rng(seed)
    numbers = range(len(truth.labels))
    found = []
    for topic in TEXTS:
        pairs = list(combinations(numbers, 2))
        for group in [(i,) for i in numbers] if topic in ("where", "how far") else pairs:
            about = tuple(int(i) for i in rng.permutation(group))
            names = dict(zip("ab", (clean_word(truth.labels[i]) for i in about), strict=False))
            text = str(rng.choice(TEXTS[topic])).format(**names)
            choices = _choices(topic, names)
            votes = _votes(truth, topic, about, clear=True)
            if len(votes) and votes.max() >= CLEAR:
                answer = choices[int(votes.argmax())]
                found.append(Question(KINDS[topic], topic, about, text, choices, answer))
    return tuple(found)


def answers(reading: Reading, questions: Sequence[Question]) -> tuple[str, ...]:
    """What `reading`, of the same sources as the questions, answers."""
    found = []
    for question in questions:
        votes = _votes(reading, question.topic, question.about)
        found.append(question.choices[int(votes.argmax()) if len(votes) else 0])
    return tuple(found)


def _choices(topic: Topic, names: dict[str, str]) -> tuple[str, ...]:
    if topic == "where":
        return ("front", "left", "behind", "right")
    if topic == "how far":
        return ("near", "far")
    return ("yes", "no") if topic == "left" else (names["a"], names["b"])


def _votes(reading: Reading, topic: Topic, about: tuple[int, ...], clear: bool = False) -> Floats:
    """Share of the votes (C,) of each choice; empty where nobody votes. `clear`: moments that are within the
    margin of another answer abstain."""
    weight = np.prod([reading.sounding[i] for i in about], axis=0)
    total = weight.sum()
    if total <= 0:
        return np.empty(0)
    points, margin = _POINTS[topic](*(reading.xyz[i] for i in about))
    order = np.sort(points, axis=0)
    decided = order[-1] - order[-2] >= margin if clear else np.ones(len(weight), bool)
    best = points.argmax(axis=0)
    return np.array([weight[decided & (best == i)].sum() for i in range(len(points))]) / total


def _where(xyz: Floats) -> tuple[Floats, float]:
    across = xyz[:, :2] / np.maximum(np.linalg.norm(xyz[:, :2], axis=1, keepdims=True), 1e-9)
    points = np.stack([across[:, 0], across[:, 1], -across[:, 0], -across[:, 1]])
    return points, 0.25  # 10 degrees from the diagonal


def _how_far(xyz: Floats) -> tuple[Floats, float]:
    return _either(0.5 * np.log(NEAR_M * FAR_M) - _log_distance(xyz)), np.log(FAR_M / NEAR_M)


def _left(a: Floats, b: Floats) -> tuple[Floats, float]:
    sides = [lateral_deg(*xyz_to_angles(xyz)[:2]) for xyz in (a, b)]
    return _either(sides[0] - sides[1]), 2 * APART_DEG


def _nearer(a: Floats, b: Floats) -> tuple[Floats, float]:
    """Only where the nearer one can be heard to be near."""
    logs = [_log_distance(xyz) for xyz in (a, b)]
    points = _either(logs[1] - logs[0])
    return np.where(np.minimum(*logs) <= np.log(NEAR_M), points, points * 1e-3), 2 * np.log(FURTHER)


def _above(a: Floats, b: Floats) -> tuple[Floats, float]:
    heights = [xyz_to_angles(xyz)[1] for xyz in (a, b)]
    return _either(heights[0] - heights[1]), 2 * APART_DEG


_POINTS: dict[Topic, Callable[..., tuple[Floats, float]]] = {
    "where": _where,
    "how far": _how_far,
    "left": _left,
    "nearer": _nearer,
    "above": _above,
}


def _either(lead: Floats) -> Floats:
    return np.stack([lead, -lead])


def _log_distance(xyz: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(np.linalg.norm(xyz, axis=1), 1e-3)))


def _wide(source: Source) -> bool:
    return source.spread_deg is not None and float(source.spread_deg.max()) >= WIDE_DEG


@lru_cache(maxsize=512)
def _known(label: str) -> bool:
    return bool(word_vectors([label], offline=True).any())
