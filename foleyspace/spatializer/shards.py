"""Mixtures on disk: folders that the dataset builder writes and that evaluation and training read.

ITEM/mono.flac, truth.flac (two channels), stems/0.flac ... in the order of scene.json's sources, meta.json;
48 kHz, 24 bit. The stems add up to the mono sound to the last bit. Items may lie in sub-folders (shards).
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.evaluation.items import check_sound, find_items
from foleyspace.propagation import position
from foleyspace.spatializer.bands import HOP, RATE
from foleyspace.spatializer.conditioning import vectors_by_label
from foleyspace.spatializer.dataset import (
    KNOTS,
    Batch,
    Mixture,
    Tell,
    make_batch,
    names_absent,
    numbered,
)
from foleyspace.spatializer.hrtfs import HrtfBank
from foleyspace.spatializer.scenes import MOTIONS, draw_path
from foleyspace.types import Floats, Samples, Scene

FULL_SCALE = 1 << 23  # 24 bit


@dataclass(frozen=True)
class DiskItem:
    """An item with stems: its folder, scene and length in samples."""

    folder: Path
    scene: Scene
    length: int

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(source.label for source in self.scene.sources)

    def crop(self, start: int, length: int) -> tuple[Samples, Floats]:
        """Stems (K, length) from sample `start` on, silent after the end, and paths (K, `KNOTS`, 3) m."""
        stems = np.zeros((len(self.scene.sources), length), np.float32)
        for i, row in enumerate(stems):
            part = _read_part(self.folder / "stems" / f"{i}.flac", start, length)
            row[: len(part)] = part
        times = (start + np.linspace(0, length, KNOTS)) / RATE
        return stems, np.stack([position(source, times) for source in self.scene.sources])


def write_item(folder: Path, stems: Samples, truth: Samples, scene: Scene, meta: Mapping[str, Any]) -> None:
    """Write an item of `stems` (K, n) and `truth` (2, n), nowhere beyond +-1; `folder` appears whole or not
    at all. Raises `FoleyspaceError` when it cannot be written."""
    import soundfile

    temporary = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.part"
    levels = np.round(stems.astype(np.float64) * FULL_SCALE).astype(np.int32)
    ears = np.round(np.clip(truth, -1, 1 - 1 / FULL_SCALE).astype(np.float64) * FULL_SCALE).astype(np.int32)
    sounds = {"mono": levels.sum(axis=0), "truth": ears.T}
    sounds |= {f"stems/{i}": row for i, row in enumerate(levels)}
    try:
        (temporary / "stems").mkdir(parents=True)
        for name, sound in sounds.items():
            # libsndfile takes the upper 24 of 32 bits
            soundfile.write(temporary / f"{name}.flac", (sound << 8).astype(np.int32), RATE, subtype="PCM_24")
        scene.save(temporary / "scene.json")
        (temporary / "meta.json").write_text(json.dumps(meta, indent=1, allow_nan=False) + "\n", "utf-8")
        os.replace(temporary, folder)
    except soundfile.LibsndfileError as error:
        raise FoleyspaceError(f"item {folder} could not be written ({error.error_string})") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def read_items(folder: str | Path) -> tuple[DiskItem, ...]:
    """All items of a folder, by name; their sound is read when it is drawn.

    Raises `InputError` for a folder without items, or an item without sources, stems or a sound scene.
    """
    items = []
    for path in find_items(folder):
        scene = Scene.load(path / "scene.json")
        length = check_sound(path / "mono.flac", 1)
        if not scene.sources:
            raise InputError(f"item {path} has a scene without sources but must have one or more to train on")
        for i in range(len(scene.sources)):
            if not (path / "stems" / f"{i}.flac").is_file():
                raise InputError(
                    f"item {path} has no stems/{i}.flac but must have a stem a source to train on"
                )
        items.append(DiskItem(path, scene, length))
    return tuple(items)


def disk_batches(
    folder: str | Path,
    bank: HrtfBank,
    size: int,
    frames: int,
    seed: int,
    first: int = 0,
    *,
    step: int = 1,
    rank: int = 0,
    tell: Tell | None = None,
) -> Generator[Batch, None, None]:
    """As `dataset.batches`, from items on disk: pieces of them, heard with the sets of `bank`, dry, whatever
    their `truth.flac` was made with."""
    items = read_items(folder)
    by_count: dict[int, list[DiskItem]] = {}
    for item in items:
        by_count.setdefault(len(item.labels), []).append(item)
    vectors = vectors_by_label(sorted({label for item in items for label in item.labels}), offline=True)
    counts = sorted(by_count)
    shares = np.array([len(by_count[count]) / len(items) for count in counts])
    for rng, common in numbered(seed, first, step, rank):
        count = int(common.choice(counts, p=shares))
        absent = names_absent(count, len(vectors), common)
        group = by_count[count]
        picked = rng.choice(len(group), size, replace=size > len(group))
        mixtures = [_piece(group[i], frames * HOP, list(vectors), absent, rng) for i in picked]
        yield make_batch(mixtures, bank, vectors, frames, rng, tell)


def _piece(item: DiskItem, length: int, labels: list[str], absent: bool, rng: np.random.Generator) -> Mixture:
    """A stretch of an item; with `absent`, a slot more, which names what does not sound."""
    start = int(rng.integers(max(item.length - length, 0) + 1))
    stems, paths = item.crop(start, length)
    named = item.labels
    if absent:
        others = [label for label in labels if label not in named]
        named = (*named, str(rng.choice(others)))
        times = np.linspace(0, length / RATE, KNOTS)
        stems = np.concatenate([stems, np.zeros((1, length), np.float32)])
        paths = np.concatenate([paths, draw_path(str(rng.choice(MOTIONS)), times, rng)[None]])
    return Mixture(stems, named, ("",) * len(named), paths, np.abs(stems).max(axis=1) > 0)


def _read_part(path: Path, start: int, length: int) -> Samples:
    import soundfile

    check_sound(path, 1)
    try:
        part, _ = soundfile.read(path, length, start, dtype="float32")
    except soundfile.LibsndfileError as error:
        raise InputError(f"sound file {path} cannot be read: {error.error_string}") from None
    samples: Samples = part
    return samples
