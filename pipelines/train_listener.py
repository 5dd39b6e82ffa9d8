"""Train the listener on a folder of named sounds and one of HRIR sets.

python -m foleyspace.pipelines.train_listener sounds=FOLDER hrtfs=FOLDER
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace.config_file import check_learning, check_range
from foleyspace.errors import InputError

if TYPE_CHECKING:
    from foleyspace.spatializer.sounds import SoundSet

logger = logging.getLogger("foleyspace")

HELD_SEED = 1_000_000  # of the pieces of validation
CHECKED_AT_ONCE = 8


@dataclass(frozen=True)
class TrainListenerConfig:
    """`configs/train_listener.yaml` explains every field."""

    sounds: str = ""
    hrtfs: str = ""
    taggers: tuple[str, ...] = ()
    out: str = "runs/listener"
    steps: int = 1200
    batch: int = 16
    frames: int = 36
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    ema: float = 0.995
    label_noise: float = 0.5
    check_every: int = 200
    check_pieces: int = 160
    seed: int = 0
    device: str = "auto"
    threads: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "taggers", tuple(self.taggers))
        if len(self.taggers) not in (0, 2):
            raise InputError(
                f"`taggers` is {list(self.taggers)} but must be two files (train_tagger half=0 and half=1) "
                "or none"
            )
        check_learning(self, fewest_threads=1)
        check_range(self, {"check_pieces": (1, math.inf), "ema": (0, 1), "label_noise": (0, 1)})


def run(config: TrainListenerConfig) -> Path:
    """Train, or go on where an earlier run of the same `out` stopped; returns the weights file.

    `out` gets `last.pt` (to resume), `curve.csv` (figures on sounds and HRIR sets held aside) and
    `listener.safetensors` (the averaged weights, float16). Raises `InputError` for folders without sounds
    or HRIR sets.
    """
    if not config.sounds or not config.hrtfs:
        raise InputError(f"`{'hrtfs' if config.sounds else 'sounds'}` is empty but must be a folder")
    import numpy as np
    import torch
    from torch.nn.functional import normalize

    from foleyspace.device import torch_device
    from foleyspace.metrics.listener_net import ListenerNet
    from foleyspace.metrics.listener_training import draw_heard, export, listener_loss, mirrored, score
    from foleyspace.spatializer.conditioning import vectors_by_label
    from foleyspace.spatializer.dataset import Batch
    from foleyspace.spatializer.hrtfs import find_sets, load_bank
    from foleyspace.spatializer.sounds import load_sounds, split_halves
    from foleyspace.spatializer.training import State, keep_memory, load_strangers
    from foleyspace.tagger import EmbeddedTagger
    from foleyspace.tagger_training import log_row

    keep_memory()
    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    device = torch.device(torch_device(config.device))
    started = time.monotonic()
    files = {split: find_sets(config.hrtfs, split) for split in ("train", "held")}
    sounds = {split: load_sounds(config.sounds, split) for split in ("train", "held")}
    parts = split_halves(sounds["train"]) if config.taggers else (sounds["train"],)
    banks = {split: load_bank(files[split], device) for split in ("train", "held")}
    vectors = {split: vectors_by_label(sounds[split].labels, offline=True) for split in ("train", "held")}

    def draw(split: str, size: int, part: SoundSet, *seed: int) -> Batch:
        known = {label: vectors[split][label] for label in part.labels}
        made = draw_heard(part, banks[split], known, size, config.frames, np.random.default_rng(seed))
        return made.to(device)

    def learned(number: int) -> Batch:
        """The batch `number`; of halves, with the tagger that does not know these sounds."""
        which = number % len(parts)
        batch = draw("train", config.batch, parts[which], config.seed, number)
        return replace(batch, stranger=torch.tensor(1 - which)) if config.taggers else batch

    at_once = min(CHECKED_AT_ONCE, config.check_pieces)
    checks = range(-(-config.check_pieces // at_once))
    held = [draw("held", at_once, sounds["held"], HELD_SEED, number) for number in checks]
    net = ListenerNet().to(device).to(memory_format=torch.channels_last)
    net.ears.net.load_state_dict(EmbeddedTagger(offline=True).net.state_dict())
    net.ears.strangers = load_strangers(config.taggers, device)
    state = State(net, config.steps, config.learning_rate, config.weight_decay, config.ema)
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    state.resume(out / "last.pt", device)
    logger.info("data ready after %.0f s", time.monotonic() - started)

    losses: list[float] = []
    batch: Batch | None = None
    even = torch.arange(config.batch, device=device) % 2 == 0
    while state.step < config.steps:
        # drawn once and heard twice, by a head and by its mirror image; resumed or not, the same
        torch.manual_seed(config.seed * 10**7 + state.step)
        if batch is None or state.step % 2 == 0:
            batch = learned(state.step // 2)
        much = config.label_noise * (2 * torch.rand((config.batch, 1, 1), device=device) - 1).clamp(min=0)
        noise = torch.randn_like(batch.labels) * batch.labels.shape[-1] ** -0.5
        labels = normalize(batch.labels + noise * much, dim=-1)
        net.train()
        loss = listener_loss(net, mirrored(batch, even if state.step % 2 else ~even), labels)
        state.update(loss)
        losses.append(loss.item())
        if state.step % config.check_every == 0 or state.step == config.steps:
            row = {"step": state.step, "minutes": (time.monotonic() - started) / 60}
            row |= {"loss": float(np.mean(losses))} | score(state.average.module, held)
            log_row(out / "curve.csv", row)
            losses.clear()
            state.save(out / "last.pt")
    places = ("sounds", "hrtfs", "taggers", "out", "device")
    notes = {name: value for name, value in asdict(config).items() if name not in places}
    return export(state.average.module, out / "listener.safetensors", notes)


if __name__ == "__main__":
    from foleyspace.cli.pipeline import run_as_module

    run_as_module(TrainListenerConfig, run, "train_listener")
