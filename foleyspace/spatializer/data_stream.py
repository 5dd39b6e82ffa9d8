"""Where a training's pieces come from: made on the fly, in worker processes where there are cores for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from foleyspace.spatializer.dataset import Batch, Tell, batches
from foleyspace.spatializer.hrtfs import HrtfBank, find_sets, load_bank
from foleyspace.spatializer.sounds import load_sounds
from foleyspace.spatializer.systems import Held

if TYPE_CHECKING:
    from foleyspace.pipelines.train import TrainConfig

CHECKED_AT_ONCE = 8


@dataclass(frozen=True)
class Data:
    """An endless stream of `batches`, and the responses (`bank`) that their rows mean."""

    batches: Iterator[Batch]
    bank: HrtfBank


class _Stream(torch.utils.data.IterableDataset):
    """Batches by their numbers; each worker makes every W-th, so that the order is the same with any W."""

    def __init__(self, make: Any, first: int) -> None:
        self.make, self.first = make, first

    def __iter__(self) -> Iterator[Batch]:
        info = torch.utils.data.get_worker_info()
        here, step = (info.id, info.num_workers) if info else (0, 1)
        return self.make(self.first + here, step)


def training_data(config: TrainConfig, rank: int, first: int, device: torch.device) -> Data:
    """Batch `first` and all after it for process `rank`. Raises `InputError` for unusable folders."""
    files = find_sets(config.hrtfs)  # what can be wrong is found before what takes long
    tell = _teller(config)
    if config.data:
        from foleyspace.spatializer.shards import disk_batches

        def make(start: int, step: int) -> Iterator[Batch]:
            order = {"step": step, "rank": rank}
            size = (config.batch, config.frames, config.seed, start)
            return disk_batches(config.data, bank, *size, **order, tell=tell)
    else:
        sounds = load_sounds(config.sounds)

        def make(start: int, step: int) -> Iterator[Batch]:
            size, order = (config.batch, config.frames, config.seed, start), {"step": step, "rank": rank}
            return batches(sounds, bank, *size, **order, halves=bool(config.taggers), tell=tell)

    bank = load_bank(files, device)
    loader = torch.utils.data.DataLoader(
        _Stream(make, first),
        batch_size=None,
        num_workers=config.workers,
        prefetch_factor=4 if config.workers else None,
        multiprocessing_context="fork" if config.workers else None,
    )
    return Data(iter(loader), bank)


def validation_data(config: TrainConfig, seed: int, device: torch.device) -> Held:
    """The same pieces every time, of sounds and HRIR sets that are kept aside."""
    bank = load_bank(find_sets(config.hrtfs, "held"), device)
    size = min(CHECKED_AT_ONCE, config.batch, config.check_pieces)
    drawn = batches(load_sounds(config.sounds, "held"), bank, size, config.frames, seed, tell=_teller(config))
    pieces = [next(drawn).to(device) for _ in range(-(-config.check_pieces // size))]
    return Held(pieces, bank)


def _teller(config: TrainConfig) -> Tell | None:
    if not config.text:
        return None
    from foleyspace.spatializer.telling import Teller
    from foleyspace.text_encoder import load_text_encoder

    return Teller(load_text_encoder(config.text))
