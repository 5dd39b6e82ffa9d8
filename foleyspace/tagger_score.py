"""How well a tagger names sounds it was not trained on."""

from __future__ import annotations

from typing import Any

import numpy as np

from foleyspace.mel import FLOOR_DB, MELS, normalise
from foleyspace.tagger_data import Sound
from foleyspace.types import Floats, Samples
from foleyspace.word_vectors import word_vectors


def file_vectors(
    net: Any, sounds: list[Sound], frames: int, device: Any
) -> tuple[list[Samples], list[Samples], list[Floats]]:
    """Of every file: the vectors (W, D) and kind logits (W, K) of windows half overlapping, and how much each
    counts (W,), by its amplitude."""
    import torch

    vectors, kinds, counts = [], [], []
    net.eval()
    with torch.inference_mode():
        for sound in sounds:
            windows = cut_windows(sound.mels[0].astype(np.float32), frames)
            level = windows.max(axis=(1, 2))
            counts.append(10 ** ((level - level.max()) / 20).astype(np.float64))
            v = net(torch.from_numpy(normalise(windows)).to(device))
            vectors.append(v.cpu().numpy())
            kinds.append(net.kind_logits(v).float().cpu().numpy())
    return vectors, kinds, counts


def cut_windows(mel: Samples, frames: int) -> Samples:
    """(n, M) to (W, frames, M), half overlapping, a short sound in the middle of silence."""
    short = max(frames - len(mel), 0)
    padded = np.pad(mel, ((short // 2, short - short // 2), (0, 0)), constant_values=FLOOR_DB)
    starts = range(0, len(padded) - frames + 1, frames // 2)
    return np.stack([padded[s : s + frames].reshape(frames, MELS) for s in starts])


def score_held(net: Any, held: list[Sound], trained: list[str], frames: int, device: Any) -> dict[str, float]:
    """Shares of files named rightly first or among five: `kind`, `class` (all classes, most of the held ones
    never trained on), `seen` (the files whose class has a training file, among those classes), and the mean
    reciprocal ranks."""
    vectors, kinds, counts = file_vectors(net, held, frames, device)
    total = [np.average(v, axis=0, weights=c) for v, c in zip(vectors, counts, strict=True)]
    kind_p = [np.average(_softmax(k), axis=0, weights=c) for k, c in zip(kinds, counts, strict=True)]
    everything = sorted(set(trained) | {sound.label for sound in held})
    result = {}
    kind_rank = ranks(np.stack(kind_p), np.array([sound.kind for sound in held]))
    result["kind_top1"] = float((kind_rank == 0).mean())
    as_indexed = np.array([int(np.argmax(p)) for p in kind_p]) == [s.index_kind for s in held]
    result["index_kind_top1"] = float(as_indexed.mean())
    result["kind_top5"] = float((kind_rank < 5).mean())
    result["kind_mrr"] = float((1 / (1 + kind_rank)).mean())
    seen = [i for i, sound in enumerate(held) if sound.label in set(trained)]
    for name, rows, names in (("class", range(len(held)), everything), ("seen", seen, sorted(set(trained)))):
        similarity = np.stack(total)[list(rows)] @ word_vectors(names, offline=True).T
        rank = ranks(similarity, np.array([names.index(held[i].label) for i in rows]))
        result[f"{name}_top1"] = float((rank == 0).mean())
        result[f"{name}_top5"] = float((rank < 5).mean())
        result[f"{name}_mrr"] = float((1 / (1 + rank)).mean())
    return result


def ranks(scores: Samples | Floats, truth: np.ndarray) -> np.ndarray:
    """The place (0 first) of each row's true column; ties count half of those they tie with."""
    own = scores[np.arange(len(truth)), truth][:, None]
    return (scores > own).sum(axis=1) + 0.5 * ((scores == own).sum(axis=1) - 1)


def _softmax(logits: Samples) -> Floats:
    e = np.exp(logits - logits.max(axis=1, keepdims=True)).astype(np.float64)
    return e / e.sum(axis=1, keepdims=True)
