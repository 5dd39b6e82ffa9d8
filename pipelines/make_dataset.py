"""Make a dataset of moving-source mixtures with binaural truth. `foleyspace dataset build`."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleyspace.config_file import SEEDS, check_choice, check_range
from foleyspace.errors import InputError

if TYPE_CHECKING:
    from foleyspace.spatializer.making import Recipe

logger = logging.getLogger("foleyspace")


@dataclass(frozen=True)
class MakeDatasetConfig:
    """Everything `foleyspace dataset build` can be told; `configs/make_dataset.yaml` explains every field."""

    sounds: str | None = None
    hrtfs: str | None = None
    out: str | None = None
    items: int = 1000
    seconds: float = 6.0
    split: str = "train"
    seed: int = 0
    rooms: float = 0.0
    noise: float = 0.3
    max_sources: int = 4
    shard_size: int = 1000
    workers: int = 1
    overwrite: bool = False

    def __post_init__(self) -> None:
        check_range(self, _RANGES)
        check_choice(self, "split", ("train", "held"))


_RANGES = {
    "items": (1, 999_999),
    "seconds": (0.5, 600),
    "seed": SEEDS,
    "rooms": (0, 1),
    "noise": (0, 1),
    "max_sources": (1, 4),
    "shard_size": (1, 999_999),
    "workers": (1, 256),
}


def run(config: MakeDatasetConfig) -> Path:
    """Make the items of `out` that are not there yet, and its card; returns `out`.

    The same sounds, HRIR sets and seed give the same files, however many workers there are and however often
    it was stopped. Raises `InputError` for bad folders of sounds or sets, and for an `out` that holds
    something else or a dataset made otherwise (unless `overwrite`, for the latter), or in which another run
    is at work.
    """
    from foleyspace.batch.lock import locked
    from foleyspace.progress import progress
    from foleyspace.spatializer.dataset_folder import LOCK, checked_out, describe, open_folder
    from foleyspace.spatializer.hrtfs import find_sets
    from foleyspace.spatializer.making import Recipe, plan
    from foleyspace.spatializer.sounds import load_sounds
    from foleyspace.spatializer.workers import make_all

    for name in ("sounds", "hrtfs", "out"):
        if getattr(config, name) is None:
            raise InputError(f"`{name}` is missing but must be a folder")
    started = time.monotonic()
    assert config.sounds is not None and config.hrtfs is not None and config.out is not None
    out = checked_out(Path(config.out))
    sets = tuple(find_sets(config.hrtfs, config.split))
    sounds = load_sounds(config.sounds, config.split)
    recipe = Recipe(
        sounds,
        sets,
        config.seconds,
        config.seed,
        config.rooms,
        config.noise,
        config.max_sources,
        config.split,
    )
    options = _options(config, recipe)
    with locked(out / LOCK):
        open_folder(out, options, config.overwrite)
        planned = plan(recipe, out, config.items, config.shard_size)
        missing = sorted((item for item in planned if not item.folder.exists()), key=lambda item: item.which)
        logger.info("%d of %d items to make out of %d sounds", len(missing), config.items, len(sounds.sounds))
        with closing(make_all(recipe, missing, config.workers)) as made:
            for _ in progress(made, "items", len(missing)):
                pass
        describe(out, options, Counter(sound.kind for sound in sounds.sounds))
    logger.info("made %d items in %.0f s: %s", len(missing), time.monotonic() - started, out)
    return out


def _options(config: MakeDatasetConfig, recipe: Recipe) -> dict[str, Any]:
    """What the items depend on."""
    files = "\n".join(f"{sound.name}\t{sound.label}" for sound in recipe.sounds.sounds)
    apart = ("sounds", "hrtfs", "out", "items", "workers", "overwrite")
    options = {name: value for name, value in asdict(config).items() if name not in apart}
    sets = "\n".join(file.name for file in recipe.sets)
    for name, text in (("sounds", files), ("hrtfs", sets)):
        options[name] = f"{text.count(chr(10)) + 1} files, {hashlib.sha256(text.encode()).hexdigest()[:16]}"
    return options
