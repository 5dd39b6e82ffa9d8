"""Train the spatializer on a folder of named sounds and one of HRIR sets. `foleyspace train`.

Several GPUs, or several cores that others work on too:
torchrun --nproc-per-node N -m foleyspace.pipelines.train CONFIG [name=value ...]
"""

from __future__ import annotations

import logging
import math
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from foleyspace.config_file import THREADS, check_choice, check_learning, check_range
from foleyspace.errors import InputError

logger = logging.getLogger("foleyspace")

HELD_SEED = 1_000_000  # of the pieces of validation
SYSTEMS = ("separator", "foleyspace", "tas", "tasu")
FUSIONS = ("", "saf", "none", "add", "conv")
OWN_WEIGHT = -1.0  # `flip_weight`: what the system takes by itself
FLIP_WEIGHT = 0.1  # of tasu, by itself: `tasu_training.JUDGED`


@dataclass(frozen=True)
class TrainConfig:
    """`configs/spatializer_small.yaml` explains every field."""

    system: str = "separator"
    sounds: str = ""
    hrtfs: str = ""
    data: str = ""
    taggers: tuple[str, ...] = ()
    recognisers: tuple[str, ...] = ()
    start: str = ""
    out: str = "runs/spatializer"
    steps: int = 5600
    batch: int = 8
    frames: int = 144
    channels: tuple[int, ...] = (24, 32, 48, 64)
    condition: int = 192
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    ema: float = 0.998
    label_drop: float = 0.1
    label_noise: float = 0.1
    flow_share: float = 0.1
    text: str = ""
    fusion: str = ""
    prompt_drop: float = 0.3
    flip_weight: float = OWN_WEIGHT
    vae_steps: int = 300
    check_every: int = 200
    check_pieces: int = 48
    seed: int = 0
    device: str = "auto"
    threads: int = 0
    workers: int = 0

    def __post_init__(self) -> None:
        check_choice(self, "system", SYSTEMS)
        check_choice(self, "fusion", FUSIONS)
        check_learning(self, fewest_threads=0)
        check_range(self, _RANGES)
        if self.flip_weight != OWN_WEIGHT:
            check_range(self, {"flip_weight": (0, 10)})
        _check_text(self)
        if len(self.channels) != 4 or min(self.channels) < 1 or any(c % 8 for c in self.channels):
            raise InputError(f"`channels` is {list(self.channels)} but must be four multiples of 8")
        if self.condition % 8:
            raise InputError(f"`condition` is {self.condition} but must be a multiple of 8")
        if len(self.taggers) not in (0, 2) or (self.taggers and self.data):
            raise InputError(
                f"`taggers` is {list(self.taggers)} but must be two files (train_tagger half=0 and half=1) "
                "or none, and none with `data`"
            )
        if len(self.recognisers) != len(self.taggers):
            raise InputError(
                f"`recognisers` is {list(self.recognisers)} but must be two files (train_recogniser half=0 "
                "and half=1) with `taggers`, and none without"
            )
        if self.system != "separator" and (self.taggers or self.start):
            raise InputError("`taggers` and `start` are the separator's, but `system` is " + self.system)
        if not self.sounds or not self.hrtfs:
            missing = "sounds" if not self.sounds else "hrtfs"
            raise InputError(f"`{missing}` is empty but must be a folder")

    def settled(self) -> TrainConfig:
        """The same with what the system takes where `fusion` and `flip_weight` leave it to the system."""
        fusion = self.fusion or ("saf" if self.system == "tas" else "")
        own = FLIP_WEIGHT if self.system == "tasu" and fusion != "none" else 0.0
        weight = own if self.flip_weight == OWN_WEIGHT else self.flip_weight
        return replace(self, fusion=fusion, flip_weight=weight)


_RANGES = {
    **dict.fromkeys(("check_pieces", "condition", "vae_steps"), (1, math.inf)),
    **dict.fromkeys(("ema", "label_drop", "prompt_drop", "label_noise", "flow_share"), (0, 1)),
    "workers": (0, THREADS),
}


def _check_text(config: TrainConfig) -> None:
    """Raise `InputError` for words that nobody would read, and for the lack of them."""
    system, fusion, told = config.system, config.fusion, bool(config.text)
    if system in ("tas", "tasu") and not told:
        raise InputError(f"`text` is empty but must name a text encoder: `system` is {system}")
    if system == "separator" and told and fusion in ("", "none"):
        raise InputError(
            f"`text` is {config.text!r}, but with `fusion` {fusion!r} nothing reads it: saf, add or conv does"
        )
    if system == "foleyspace" and (told or fusion):
        raise InputError("`text` and `fusion` must be empty: `system` is foleyspace, which takes no words")
    if system == "tasu" and fusion not in ("", "none"):
        raise InputError(f"`fusion` is {fusion!r} but must be none (no text) or empty: `system` is tasu")
    if config.flip_weight > 0 and (system in ("foleyspace", "tas") or (system, fusion) == ("tasu", "none")):
        without = "tasu without text" if system == "tasu" else system
        raise InputError(
            f"`flip_weight` is {config.flip_weight} but must be 0: {without} has nothing to flip"
        )
    if system == "tasu" and config.steps <= config.vae_steps:
        raise InputError(
            f"`steps` is {config.steps} but must be more than `vae_steps`, {config.vae_steps}: until then "
            "tasu's autoencoder learns alone"
        )


def run(config: TrainConfig) -> Path:
    """Train, or go on where an earlier run of the same `out` stopped; returns the weights file.

    `out` gets `last.pt` (to resume), `curve.csv` and `curve.png`, the averaged weights of every check
    (`step000200.safetensors`, ...) and, at the end, `SYSTEM.safetensors`. Raises `InputError` for folders
    without sounds or HRIR sets, for a device that is not there, and for tasu in several processes.
    """
    config = config.settled()
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if config.system == "tasu" and world > 1:  # not all of it learns at every step
        raise InputError(f"`system` is tasu, which trains in one process, but torchrun started {world}")
    import numpy as np
    import torch
    from torch.nn.parallel import DistributedDataParallel

    from foleyspace.device import torch_device
    from foleyspace.spatializer.data_stream import training_data, validation_data
    from foleyspace.spatializer.systems import make_system
    from foleyspace.spatializer.training import State, draw_curves, keep_memory, prepare
    from foleyspace.tagger_training import log_row

    device = torch.device(_own(torch_device(config.device), int(os.environ.get("LOCAL_RANK", "0"))))
    keep_memory()
    torch.set_num_threads(config.threads or (1 if world > 1 else os.cpu_count() or 1))
    torch.manual_seed(config.seed)
    started = time.monotonic()
    if world > 1 and not torch.distributed.is_initialized():
        torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    system = make_system(config)
    net = system.net.to(device)
    prepare(net, config.start, config.taggers, config.recognisers)
    state = State(net, config.steps, config.learning_rate, config.weight_decay, config.ema)
    out = Path(config.out)
    if out.exists() and not out.is_dir():
        raise InputError(f"`out` is {config.out!r} but must be a folder")
    state.resume(out / "last.pt", device)
    data = training_data(config, rank, state.step, device)
    held = validation_data(config, HELD_SEED, device) if rank == 0 else None
    out.mkdir(parents=True, exist_ok=True)
    model = DistributedDataParallel(net) if world > 1 else net
    logger.info("%.1f M parameters, data ready after %.0f s", _millions(net), time.monotonic() - started)

    losses: list[float] = []
    places = ("sounds", "hrtfs", "data", "taggers", "recognisers", "start", "out", "device")
    notes = {k: v for k, v in asdict(config).items() if k not in places}
    while state.step < config.steps:
        # resumed or not, the same batch and the same noise
        number = ((config.seed * 1000 + rank) * 10**7 + state.step) % 2**64  # torch takes no more bits
        generator = torch.Generator().manual_seed(number)
        torch.manual_seed(number)
        net.train()
        loss = system.loss(model, next(data.batches).to(device), data.bank, generator)
        state.update(loss)
        losses.append(loss.item())
        if state.step % config.check_every and state.step != config.steps:
            continue
        if held is not None:
            minutes = (time.monotonic() - started) / 60
            row = {"step": state.step, "minutes": minutes, "train_loss": float(np.mean(losses))}
            log_row(out / "curve.csv", {**row, **system.validate(state.average.module, held)})
            draw_curves(out / "curve.csv", out / "curve.png")
            state.save(out / "last.pt")
            seen = {**notes, "step": state.step, "pieces": state.step * config.batch * world}
            system.export(state.average.module, out / f"step{state.step:06d}.safetensors", seen)
        losses.clear()
    weights = out / f"{config.system}.safetensors"
    if rank == 0:
        system.export(state.average.module, weights, {**notes, "pieces": config.steps * config.batch * world})
    if world > 1:
        torch.distributed.destroy_process_group()
    return weights


def _own(device: str, local_rank: int) -> str:
    return f"cuda:{local_rank}" if device.startswith("cuda") and "LOCAL_RANK" in os.environ else device


def _millions(net: Any) -> float:
    return sum(parameter.numel() for parameter in net.parameters()) / 1e6


if __name__ == "__main__":
    from foleyspace.cli.pipeline import run_as_module

    run_as_module(TrainConfig, run, "spatializer_small")
