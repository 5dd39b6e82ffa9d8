#!/usr/bin/env python3
"""How well the embedded tagger names sounds, and how honest its likelihood ratios are.

    python scripts/bench/tagger.py SOUNDS

SOUNDS: a folder with an INDEX.csv (columns file, class, kind). Only the files that training holds aside
(by the hash of their name) are read. Prints top-1, top-5 and mean reciprocal rank against guessing the
commonest, then predicted against observed likelihood ratios, then times on one thread.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sounds", type=Path)
    parser.add_argument("--weights", type=Path, help="default: the shipped ones")
    args = parser.parse_args()

    import torch

    from foleyspace.tagger import EmbeddedTagger

    torch.set_num_threads(1)
    begun = time.perf_counter()
    tagger = EmbeddedTagger(offline=True, weights=args.weights)
    loading = time.perf_counter() - begun
    trained, held = read(args.sounds)
    naming(tagger, trained, held)
    ratios(tagger, trained, held)
    times(tagger, loading)


def read(folder: Path):
    """The classes and kinds trained on, and the sounds held aside."""
    from foleyspace.tagger_data import KIND_OF, held_aside, load_sounds
    from foleyspace.word_vectors import clean_word

    with (folder / "INDEX.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    trained = [
        (clean_word(row["class"]), KIND_OF.get(clean_word(row["class"]), row["kind"]))
        for row in rows
        if not held_aside(row["file"])
    ]
    with tempfile.TemporaryDirectory() as name:
        kept = [row for row in rows if held_aside(row["file"])]
        with (Path(name) / "INDEX.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(row | {"file": str((folder / row["file"]).resolve())} for row in kept)
        return trained, load_sounds(Path(name), speeds=(1.0,))


def naming(tagger, trained, held) -> None:
    from foleyspace.tagger import KINDS, WINDOW_FRAMES
    from foleyspace.tagger_score import score_held

    classes = Counter(label for label, _ in trained)
    kinds = Counter(kind for _, kind in trained)
    scores = score_held(tagger.net, held, sorted(classes), WINDOW_FRAMES, tagger.device)
    order = [KINDS.index(kind) for kind, _ in kinds.most_common()]
    place = np.array([order.index(sound.kind) for sound in held])
    by_count = [label for label, _ in classes.most_common()]
    by_count += sorted({sound.label for sound in held} - set(by_count))
    rank = np.array([by_count.index(sound.label) for sound in held])
    seen = rank[[sound.label in classes for sound in held]]
    print(f"{len(held)} files held aside, {len(seen)} of them of a class with a training file\n")
    print(f"{'':44}{'top-1':>7}{'top-5':>7}{'MRR':>7}{'most common first':>27}")
    for name, key, among in (
        ("kind (9)", "kind", place),
        (f"class ({len(by_count)}, many never trained on)", "class", rank),
        (f"class with a training file ({len(classes)})", "seen", seen),
    ):
        base = f"{(among == 0).mean():9.3f}{(among < 5).mean():9.3f}{(1 / (1 + among)).mean():9.3f}"
        print(
            f"{name:44}{scores[f'{key}_top1']:7.3f}{scores[f'{key}_top5']:7.3f}{scores[f'{key}_mrr']:7.3f}{base}"
        )
    print(f"kind as the index has it, uncorrected, top-1: {scores['index_kind_top1']:.3f}\n")


def ratios(tagger, trained, held) -> None:
    from foleyspace.tagger_calibration import cross_validated, evidence, hear_held, reliability, unknown

    new = unknown(held, {label for label, _ in trained})
    names = {sound.name for sound in new}
    seen = [sound for sound in held if sound.name not in names]
    for name, sounds in (("classes never trained on", new), ("classes with a training file", seen)):
        if not sounds:
            continue
        data = evidence(tagger, hear_held(tagger, sounds, seed=2), sounds)
        # the shipped calibration was fitted on the first group: there, fits that have not seen the file
        ratio = cross_validated(data) if sounds is new else shipped_ratio(data, tagger)
        print(f"likelihood ratios, {name}: {len(data.labels)} labels, {len(ratio)} degraded windows")
        print(f"{'predicted':>10}{'observed':>10}{'it makes it':>13}{'it does not':>13}")
        for predicted, observed, yes, no in reliability(ratio, data.made):
            print(f"{predicted:10.2f}{observed:10.2f}{yes:13d}{no:13d}")
    data = evidence(tagger, hear_held(tagger, held, seed=3), held)
    ratio = shipped_ratio(data, tagger)
    print(f"\n{'label':14}{'windows':>8}{'AUC':>6}{'ratio where it makes the sound, where not':>44}")
    for column, label in enumerate(data.labels):
        made, own = data.made[:, column], np.log(ratio[:, column])
        above = (own[made][:, None] > own[~made]).mean() + (own[made][:, None] == own[~made]).mean() / 2
        yes, no = np.exp(own[made].mean()), np.exp(own[~made].mean())
        print(f"{label:14}{made.sum():8d}{above:6.2f}{yes:33.2f}{no:11.2f}")


def shipped_ratio(data, tagger) -> np.ndarray:
    from foleyspace.hearing import RATIO_LIMITS

    constant, slope = tagger.calibration.affinity
    found = np.where(data.broad, data.agreement, constant + slope * data.agreement)
    return np.exp(np.clip(found, *np.log(RATIO_LIMITS)))


def times(tagger, loading: float) -> None:
    from foleyspace.hearing import affinity, hear_sound

    noise = np.random.default_rng(0).normal(0, 0.1, 8 * 48000).astype(np.float32)
    spent = []
    for _ in range(5):
        begun = time.perf_counter()
        affinity(hear_sound(noise, tagger, rate=48000), ["person", "dog", "guitar", "car"])
        spent.append(time.perf_counter() - begun)
    print(f"\nloading {loading:.2f} s, 8 s of sound {min(spent):.3f} s (the first time {spent[0]:.3f} s)")


if __name__ == "__main__":
    main()
