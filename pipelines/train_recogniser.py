"""Train the head of the recogniser on mixtures of a folder of named sounds; its trunk is what ships.

python -m foleyspace.pipelines.train_recogniser sounds=FOLDER
"""

from __future__ import annotations

import logging
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from foleyspace.config_file import check_choice, check_learning
from foleyspace.errors import FoleyspaceError, InputError

logger = logging.getLogger("foleyspace")

HELD_SEED = 1_000_000  # of the pieces of validation
HELD_PIECES = 240
NEARNESS = 0.1  # temperature of how far a label's target reaches to labels of near meaning


@dataclass(frozen=True)
class TrainRecogniserConfig:
    """`configs/train_recogniser.yaml` explains every field."""

    sounds: str = ""
    trunk: str = ""
    out: str = "runs/recogniser"
    steps: int = 250
    batch: int = 16
    frames: int = 144
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    half: int = -1
    check_every: int = 50
    seed: int = 0
    device: str = "auto"
    threads: int = 0

    def __post_init__(self) -> None:
        check_learning(self, fewest_threads=0)
        check_choice(self, "half", (-1, 0, 1), "0, 1, or -1 for all files")


def run(config: TrainRecogniserConfig) -> Path:
    """Train the head from nothing; returns the weights file, `recogniser.safetensors` in `out`, beside
    `curve.csv`. Minutes on two CPU cores: the trunk only listens. Raises `InputError` without a folder of
    sounds."""
    if not config.sounds:
        raise InputError("`sounds` is empty but must be a folder of sounds with an INDEX.csv")
    import os

    import torch
    from torch.nn import functional

    from foleyspace.device import torch_device
    from foleyspace.files import check_input
    from foleyspace.spatializer.recogniser import RecogniserHead, load_recogniser, save_recogniser
    from foleyspace.spatializer.recogniser_training import draw_pieces, recogniser_loss, score
    from foleyspace.spatializer.sounds import half_sounds, load_sounds
    from foleyspace.tagger_training import log_row, one_cycle
    from foleyspace.word_vectors import word_vectors

    torch.set_num_threads(config.threads or os.cpu_count() or 1)
    torch.manual_seed(config.seed)
    device = torch.device(torch_device(config.device))
    started = time.monotonic()
    recogniser = load_recogniser(check_input(config.trunk, "trunk") if config.trunk else None).to(device)
    sounds, held = load_sounds(config.sounds), load_sounds(config.sounds, "held")
    if config.half >= 0:
        sounds = half_sounds(sounds, config.half)
    texts = torch.tensor(word_vectors(sounds.labels, offline=True), device=device)
    held_texts = torch.tensor(word_vectors(held.labels, offline=True), device=device)
    nearness = functional.softmax(texts @ texts.T / NEARNESS, dim=1)
    rng = np.random.default_rng((config.seed, HELD_SEED))
    checks = [
        draw_pieces(held, held.labels, config.batch, config.frames, rng).to(device)
        for _ in range(-(-HELD_PIECES // config.batch))
    ]
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "curve.csv").unlink(missing_ok=True)  # of a former run
    recogniser.head = head = RecogniserHead().to(device)
    optimiser = torch.optim.AdamW(head.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    schedule = one_cycle(optimiser, config.learning_rate, config.steps, warm=0.2)
    losses: list[float] = []
    for step in range(1, config.steps + 1):
        drawn = draw_pieces(
            sounds, sounds.labels, config.batch, config.frames, np.random.default_rng((config.seed, step))
        )
        pieces = drawn.to(device)
        with torch.no_grad():
            patches = recogniser.patches(pieces.features)
        head.train()
        loss = recogniser_loss(head(patches), pieces, texts, nearness)
        if not torch.isfinite(loss):
            raise FoleyspaceError(f"training diverged: the loss is {loss.item()} at step {step}")
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if step % config.check_every == 0 or step == config.steps:
            head.eval()
            minutes = (time.monotonic() - started) / 60
            row = {"step": step, "minutes": minutes, "loss": float(np.mean(losses))}
            log_row(out / "curve.csv", {**row, **score(recogniser, checks, held_texts)})
            losses.clear()
    notes = {n: v for n, v in asdict(config).items() if n not in ("sounds", "trunk", "out", "device")}
    return save_recogniser(recogniser, out / "recogniser.safetensors", notes)


if __name__ == "__main__":
    from foleyspace.cli.pipeline import run_as_module

    run_as_module(TrainRecogniserConfig, run, "train_recogniser")
