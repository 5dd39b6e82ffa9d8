"""What a trained listener understands of what a system made: questions answered, directions, sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from foleyspace.camera import xyz_to_angles
from foleyspace.evaluation.ask_model import ask_model, reading_table
from foleyspace.evaluation.items import RATE, Item
from foleyspace.evaluation.questions import Question, answers, askable, make_questions, scene_reading
from foleyspace.evaluation.summary import TRUTH
from foleyspace.language_model import LanguageModel
from foleyspace.metrics.direction import side_of
from foleyspace.metrics.listener import Reading, hear_where
from foleyspace.metrics.localizer import lateral_deg
from foleyspace.types import Floats, Samples

SURE = 0.5  # from where on the listener is taken to say that something sounds
STEM_RANGE_DB = 40.0


def understand(
    item: Item,
    sounds: Mapping[str, Floats],
    *,
    seed: int = 0,
    model: LanguageModel | None = None,
) -> dict[str, dict[str, float]]:
    """Figures of each of `sounds` (2, n), the truth's among them, by the keys of `scores.MEASURES`; NaN where
    nothing could be asked. None at all for an item whose sources have no labels that are known.

    `model`: a language model that answers the questions from the listener's readings (`ask_model`); None:
    the listener does so itself.
    """
    scene = askable(item.scene)
    if not scene.sources:
        return {}
    labels = [source.label for source in scene.sources]
    readings = {name: hear_where(sound, RATE, labels) for name, sound in sounds.items()}
    kept = {source.id for source in scene.sources}
    stems = None if item.stems is None else item.stems[[source.id in kept for source in item.scene.sources]]
    wanted = scene_reading(scene, readings[TRUTH].times, when_sounding(readings[TRUTH], stems))
    questions = make_questions(wanted, seed)

    def answered(reading: Reading) -> Sequence[str]:
        if model is None:
            return answers(reading, questions)
        table = reading_table(reading)
        return [ask_model(table, question, model) for question in questions]

    said = {name: answered(reading) for name, reading in readings.items()}
    away = {name: direction_error_deg(reading, wanted) for name, reading in readings.items()}
    figures = {}
    for name, reading in readings.items():
        sides = sides_right(reading, wanted)
        figures[name] = _right(questions, said[name]) | {
            "DOA": away[name],
            "LCR object": 100 * float(sides.mean()) if len(sides) else np.nan,
            "LCR clip": 100 * float(sides.all()) if len(sides) else np.nan,
        }
        if name != TRUTH:
            as_truth = [a == b for a, b in zip(said[name], said[TRUTH], strict=True)]
            figures[name]["QA as truth"] = 100 * float(np.mean(as_truth)) if as_truth else np.nan
            figures[name]["DOA gap"] = away[name] - away[TRUTH]
    return figures


def when_sounding(truth: Reading, stems: Samples | None) -> Floats:
    """(S, T) 0 or 1: when each source sounds, by its stem (S, n) where there is one, else as the listener
    hears it in the truth; throughout, where that is never."""
    if stems is None:
        on = truth.sounding > SURE
    else:
        count = len(truth.times)
        frame = round(2 * truth.times[0] * RATE)
        padded = np.pad(stems, ((0, 0), (0, count * frame - stems.shape[1])))
        power = np.square(padded).reshape(len(stems), count, frame).mean(axis=2)
        on = power > power.max(axis=1, keepdims=True) * 10 ** (-STEM_RANGE_DB / 10)
    return np.where(on.any(axis=1, keepdims=True), on, True).astype(np.float64)


def direction_error_deg(reading: Reading, wanted: Reading) -> float:
    """Mean angle, degrees, between where sources are heard and where they are, over the moments at which they
    sound and then over the sources."""
    cosine = (_unit(reading.xyz) * _unit(wanted.xyz)).sum(axis=2)
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    known = wanted.sounding.sum(axis=1) > 0
    if not known.any():
        return np.nan
    each = (angle * wanted.sounding).sum(axis=1)[known] / wanted.sounding.sum(axis=1)[known]
    return float(each.mean())


def sides_right(reading: Reading, wanted: Reading) -> np.ndarray:
    """For each source that sounds: whether it is heard, for most of the time that it sounds, on the side
    (left, centre, right) where it is for most of it. TAS's (Li et al. 2024) user study asked this."""
    right = []
    for heard, place, weight in zip(reading.xyz, wanted.xyz, wanted.sounding, strict=True):
        if weight.sum() > 0:
            right.append(_dominant_side(heard, weight) == _dominant_side(place, weight))
    return np.array(right, bool)


def _dominant_side(xyz: Floats, weight: Floats) -> int:
    azimuth, elevation, _ = xyz_to_angles(xyz)
    side = side_of(lateral_deg(azimuth, elevation))
    return max((0, 1, -1), key=lambda which: float(weight[side == which].sum()))


def _right(questions: Sequence[Question], said: Sequence[str]) -> dict[str, float]:
    figures = {}
    for kind in ("direction", "distance", "relative"):
        of_kind = [a == q.answer for q, a in zip(questions, said, strict=True) if q.kind == kind]
        figures[f"QA {kind}"] = 100 * float(np.mean(of_kind)) if of_kind else np.nan
    return figures


def _unit(xyz: Floats) -> Floats:
    return np.asarray(xyz / np.maximum(np.linalg.norm(xyz, axis=-1, keepdims=True), 1e-9))
