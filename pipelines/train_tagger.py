"""Train the embedded tagger on a folder of named sounds.

python -m foleyspace.pipelines.train_tagger sounds=FOLDER
"""

from __future__ import annotations

import logging
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from foleyspace.config_file import check_choice, check_learning, check_range
from foleyspace.errors import InputError
from foleyspace.tagger_data import HELD_PERCENT

logger = logging.getLogger("foleyspace")


@dataclass(frozen=True)
class TrainTaggerConfig:
    """`configs/train_tagger.yaml` explains every field."""

    sounds: str = ""
    out: str = "runs/tagger"
    steps: int = 2200
    batch: int = 64
    frames: int = 100
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    target_temperature: float = 0.12
    kind_weight: float = 0.5
    ema: float = 0.998
    held_percent: int = HELD_PERCENT
    half: int = -1
    check_every: int = 200
    seed: int = 0
    device: str = "auto"
    threads: int = 1

    def __post_init__(self) -> None:
        check_learning(self, fewest_threads=1)
        check_range(self, {"kind_weight": (0, 100), "ema": (0, 1), "held_percent": (1, 90)})
        check_range(self, {"target_temperature": (0, 10)}, ends=False)
        check_choice(self, "half", (-1, 0, 1), "0, 1, or -1 for all files")
        if self.half >= 0 and self.held_percent != HELD_PERCENT:
            raise InputError(
                f"`held_percent` is {self.held_percent} but must be {HELD_PERCENT} with `half`: "
                "the separator's training draws the halves so"
            )


def run(config: TrainTaggerConfig) -> Path:
    """Train, or go on where an earlier run of the same `out` stopped; returns the weights file.

    `out` gets `last.pt` (to resume), `curve.csv`, and `tagger.safetensors` (the averaged weights, float16,
    calibrated on the sounds held aside). Raises `InputError` without a folder of sounds.
    """
    if not config.sounds:
        raise InputError("`sounds` is empty but must be a folder of sounds with an INDEX.csv")
    import torch
    from torch.nn import functional

    from foleyspace.device import torch_device
    from foleyspace.tagger import KINDS, EmbeddedTagger
    from foleyspace.tagger_calibration import calibrate
    from foleyspace.tagger_data import draw_batch, half_of, held_aside, load_sounds, sampling_weights
    from foleyspace.tagger_net import TaggerNet
    from foleyspace.tagger_score import score_held
    from foleyspace.tagger_training import State, export, log_row, tagger_loss
    from foleyspace.word_vectors import DIM, word_vectors

    torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    device = torch.device(torch_device(config.device))
    started = time.monotonic()
    sounds = load_sounds(Path(config.sounds))
    held = [sound for sound in sounds if sound.aside or held_aside(sound.name, config.held_percent)]
    wanted = (0, 1) if config.half < 0 else (config.half,)
    train = [
        sound for sound in sounds if not sound.aside and half_of(sound.name, config.held_percent) in wanted
    ]
    for part, what in ((train, "to learn from"), (held, "kept aside")):
        if not part:
            raise InputError(
                f"`sounds` is {config.sounds!r} of {len(sounds)} files but must have some {what}"
            )
    classes = sorted({sound.label for sound in train})
    labels = np.array([classes.index(sound.label) for sound in train])
    weights = sampling_weights(train)
    texts = torch.tensor(word_vectors(classes, offline=True), device=device)
    nearness = functional.softmax(texts @ texts.T / config.target_temperature, dim=1)
    logger.info(
        "%d files to train, %d aside, read in %.0f s", len(train), len(held), time.monotonic() - started
    )

    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    net = TaggerNet(DIM, len(KINDS)).to(device).to(memory_format=torch.channels_last)
    state = State(net, config.steps, config.learning_rate, config.weight_decay, config.ema)
    state.resume(out / "last.pt", device)
    losses: list[float] = []
    while state.step < config.steps:
        rng = np.random.default_rng((config.seed, state.step))  # resumed or not, the same windows
        batch = draw_batch(train, labels, weights, config.batch, config.frames, rng)
        net.train()
        loss = tagger_loss(net, batch, texts, nearness, config.kind_weight)
        state.update(loss)
        losses.append(loss.item())
        if state.step % config.check_every == 0 or state.step == config.steps:
            minutes = (time.monotonic() - started) / 60
            scores = score_held(state.average.module, held, classes, config.frames, device)
            log_row(
                out / "curve.csv",
                {"step": state.step, "minutes": minutes, "loss": float(np.mean(losses)), **scores},
            )
            losses.clear()
            state.save(out / "last.pt")

    notes = {n: v for n, v in asdict(config).items() if n not in ("sounds", "out", "device")}
    weights_file = export(state.average.module, out / "tagger.safetensors", notes)
    tagger = EmbeddedTagger(str(device), offline=True, weights=weights_file)
    calibrate(tagger, held, set(classes), config.seed)
    return export(state.average.module, weights_file, notes, tagger.calibration, tagger.reference)


if __name__ == "__main__":
    from foleyspace.cli.pipeline import run_as_module

    run_as_module(TrainTaggerConfig, run, "train_tagger")
