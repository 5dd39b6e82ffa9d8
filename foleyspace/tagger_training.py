"""The parts of the tagger's training: what is optimised, checkpoints, the weights file."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from foleyspace.errors import FoleyspaceError
from foleyspace.files import atomic_output
from foleyspace.tagger import KINDS, Calibration
from foleyspace.tagger_data import Batch
from foleyspace.tagger_net import TaggerNet
from foleyspace.tensor_file import write_tensors
from foleyspace.types import Samples

log = logging.getLogger("foleyspace")

MAX_SCALE = 60.0  # of the learned inverse temperature


class State:
    """Everything that a checkpoint keeps: the network, its running average, optimiser, schedule, `step`."""

    def __init__(
        self, net: TaggerNet, steps: int, learning_rate: float, weight_decay: float, ema: float
    ) -> None:
        self.net = net
        self.average = AveragedModel(net, avg_fn=warmed(ema), use_buffers=True)
        self.optimiser = torch.optim.AdamW(net.parameters(), learning_rate, weight_decay=weight_decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, learning_rate, total_steps=steps, pct_start=0.1
        )
        self.step = 0

    def update(self, loss: Tensor) -> None:
        """One optimiser step. Raises `FoleyspaceError` when the loss is not finite."""
        if not torch.isfinite(loss):
            raise FoleyspaceError(f"training diverged: the loss is {loss.item()} at step {self.step}")
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
        self.optimiser.step()
        self.schedule.step()
        self.average.update_parameters(self.net)
        self.step += 1

    def save(self, path: Path) -> None:
        parts = {name: getattr(self, name).state_dict() for name in _PARTS}
        with atomic_output(path, overwrite=True) as temporary:
            torch.save({**parts, "step": self.step}, temporary)

    def resume(self, path: Path, device: torch.device) -> None:
        """Take up what `path` holds, if it is there."""
        if not path.is_file():
            return
        kept = torch.load(path, map_location=device, weights_only=True)
        for name in _PARTS:
            getattr(self, name).load_state_dict(kept[name])
        self.step = int(kept["step"])
        log.info("goes on at step %d of %s", self.step, path)


_PARTS = ("net", "average", "optimiser", "schedule")


def warmed(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """An exponential average that forgets its first, untrained values soon."""

    def average(averaged: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
        kept = min(decay, (1 + int(count)) / (10 + int(count)))
        return averaged + (1 - kept) * (current - averaged)

    return average


def tagger_loss(net: TaggerNet, batch: Batch, texts: Tensor, nearness: Tensor, kind_weight: float) -> Tensor:
    """Cross entropy of the cosines with all classes' word vectors, `texts` (C, D), against targets spread
    over classes of near meaning (`nearness` (C, C), rows sum to 1), plus that of the kinds."""
    device = texts.device
    mel, part = torch.from_numpy(batch.mel).to(device), torch.from_numpy(batch.part).to(device)
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        vectors = net(mel)
    vectors = vectors.float()
    logits = vectors @ texts.T * net.log_scale.exp().clamp(max=MAX_SCALE)
    target = (nearness[torch.from_numpy(batch.label).to(device)] * part[..., None]).sum(dim=1)
    kinds = functional.one_hot(torch.from_numpy(batch.kind).to(device), len(KINDS))
    kind_target = (kinds * part[..., None]).sum(dim=1)
    return functional.cross_entropy(logits, target) + kind_weight * functional.cross_entropy(
        net.kind_logits(vectors), kind_target
    )


def log_row(path: Path, row: dict[str, float]) -> None:
    """Append `row` to a CSV file with a header, and say it."""
    log.info("  ".join(f"{name} {value:.4g}" for name, value in row.items()))
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(row)
        writer.writerow(f"{value:.5g}" for value in row.values())


def export(
    net: torch.nn.Module,
    path: Path,
    notes: dict[str, Any],
    calibration: Calibration | None = None,
    reference: Samples | None = None,
) -> Path:
    """Write weights and reference as float16 safetensors, the calibration and `notes` in the header."""
    tensors = dict(net.state_dict())
    if reference is not None:
        tensors["reference"] = torch.from_numpy(reference)
    header = {"calibration": json.dumps(asdict(calibration) if calibration else None)}
    return write_tensors(path, tensors, header | notes)
