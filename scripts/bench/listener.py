"""How well the listener hears: on sounds and HRIR sets that it was not trained on, and on the truth of a set.

python scripts/bench/listener.py SOUNDS HRTFS [--set SET --set-hrtfs DIR]
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from foleyspace.evaluation.items import RATE, HrirSets, find_items, load_item
from foleyspace.evaluation.questions import answers, askable, make_questions, scene_reading
from foleyspace.evaluation.summary import TRUTH
from foleyspace.evaluation.understanding import understand, when_sounding
from foleyspace.metrics.listener import hear_where, load_listener
from foleyspace.metrics.listener_net import FRAME
from foleyspace.metrics.listener_training import draw_heard, score
from foleyspace.pipelines.train_listener import CHECKED_AT_ONCE, HELD_SEED, TrainListenerConfig
from foleyspace.spatializer.conditioning import vectors_by_label
from foleyspace.spatializer.hrtfs import find_sets, load_bank
from foleyspace.spatializer.sounds import load_sounds


class AlwaysInFront(nn.Module):
    """Knows nothing."""

    def forward(self, sound: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        shape = (*labels.shape[:2], sound.shape[-1] // FRAME)
        return torch.ones(shape), torch.tensor([1.0, 0.0, 0.0]).expand(*shape, 3), torch.ones(shape)


def held_aside(sounds: str, hrtfs: str, pieces: int, weights: str | None) -> None:
    """The figures of the training's `curve.csv`, on more pieces and others."""
    heard, bank = load_sounds(sounds, "held"), load_bank(find_sets(hrtfs, "held"))
    vectors = vectors_by_label(heard.labels, offline=True)
    draws = (np.random.default_rng((HELD_SEED + 1, i)) for i in range(-(-pieces // CHECKED_AT_ONCE)))
    frames = TrainListenerConfig.frames
    held = [draw_heard(heard, bank, vectors, CHECKED_AT_ONCE, frames, rng) for rng in draws]
    told = score(load_listener(weights), held)
    nothing = score(AlwaysInFront(), held)
    print(f"held aside: {len(heard.sounds)} sounds, {len(bank)} HRIR sets ({', '.join(bank.names)})")
    print("| figure | listener | always in front |\n| --- | --- | --- |")
    for name, value in told.items():
        print(f"| {name.replace('_', ' ')} | {value:.1f} | {nothing[name]:.1f} |")


def on_truth(folder: str, hrtfs: str | None, weights: str | None) -> None:
    """The measures of `foleyspace evaluate` on the truth itself, and each topic's questions."""
    net = load_listener(weights)
    sets = HrirSets(hrtfs)
    figures: dict[str, list[float]] = {}
    asked, right, said = Counter[str](), Counter[str](), Counter[tuple[str, int]]()
    for path in find_items(folder):
        item = load_item(path, Path(folder), sets)
        truth = item.truth.samples.astype(np.float64)
        if weights is None:
            for key, value in understand(item, {TRUTH: truth}).get(TRUTH, {}).items():
                figures.setdefault(key, []).append(value)
        scene = askable(item.scene)
        if not scene.sources:
            continue
        reading = hear_where(truth, RATE, [source.label for source in scene.sources], net)
        wanted = scene_reading(scene, reading.times, when_sounding(reading, None))
        questions = make_questions(wanted)
        for question, answer in zip(questions, answers(reading, questions), strict=True):
            asked[question.topic] += 1
            right[question.topic] += answer == question.answer
            said[question.topic, question.choices.index(question.answer)] += 1
    print(f"truth of {Path(folder).name}:")
    for key, values in figures.items():
        print(f"{key}: {np.nanmean(values):.1f} ({np.isfinite(values).sum()} items)")
    print("| question | asked | right % | always the same choice % |\n| --- | --- | --- | --- |")
    for topic, count in asked.items():
        most = max(n for (about, _), n in said.items() if about == topic)
        print(f"| {topic} | {count} | {100 * right[topic] / count:.0f} | {100 * most / count:.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sounds", help="folder of sounds with an INDEX.csv")
    parser.add_argument("hrtfs", help="folder of SOFA files")
    parser.add_argument("--pieces", type=int, default=320)
    parser.add_argument("--set", help="a set of `foleyspace dataset build`")
    parser.add_argument("--set-hrtfs", help="folder of the SOFA files that its items name")
    parser.add_argument("--weights", help="a listener.safetensors; without, the one that ships")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.set:
        on_truth(given.set, given.set_hrtfs, given.weights)
    if given.pieces:
        held_aside(given.sounds, given.hrtfs, given.pieces, given.weights)


if __name__ == "__main__":
    main()
