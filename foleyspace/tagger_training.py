"""The parts of the tagger's training: what is optimised, checkpoints, the weights file."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from foleyspace.errors import FoleyspaceError, InputError
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
        self.schedule = one_cycle(self.optimiser, learning_rate, steps, warm=0.1)
        self.steps, self.step = steps, 0

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
        save_checkpoint(path, self, _PARTS, ("step",))

    def resume(self, path: Path, device: torch.device) -> None:
        """Take up what `path` holds, if it is there. Raises `InputError` for another network's, and for one
        meant for fewer steps: its learning rate ends at nothing with the last of them."""
        load_checkpoint(path, self, _PARTS, ("step",), device)
        begun = self.schedule.total_steps
        if begun < self.steps:
            raise InputError(f"`steps` is {self.steps} but {path} was begun with {begun}, and ends there")


_PARTS = ("net", "average", "optimiser", "schedule")


def one_cycle(
    optimiser: torch.optim.Optimizer, rate: float, steps: int, warm: float
) -> torch.optim.lr_scheduler.OneCycleLR:
    """Up to `rate` over the part `warm` of the steps, then a cosine to nothing."""
    if abs(warm * steps - 1) < 1e-6:  # torch would divide by the length of the way up, zero
        warm *= 1.01
    return torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=warm)


def save_checkpoint(path: Path, state: object, parts: Sequence[str], counts: Sequence[str]) -> None:
    """Write, atomically, the states of those attributes of `state` that are `parts`, and the whole numbers
    that are `counts`."""
    kept: dict[str, Any] = {name: getattr(state, name).state_dict() for name in parts}
    with atomic_output(path, overwrite=True) as temporary:
        torch.save(kept | {name: getattr(state, name) for name in counts}, temporary)


def load_checkpoint(
    path: Path, state: object, parts: Sequence[str], counts: Sequence[str], device: torch.device
) -> None:
    """Give `state` what `save_checkpoint` wrote to `path`, if it is there. Raises `InputError` for anything
    else."""
    if not path.is_file():
        return
    try:
        kept = torch.load(path, map_location=device, weights_only=True)
        for name in parts:
            getattr(state, name).load_state_dict(kept[name])
        for name in counts:
            setattr(state, name, int(kept[name]))
    except Exception as error:  # torch raises nearly anything on a file that is something else
        reason = " ".join(str(error).split())[:80]
        raise InputError(f"{path}: must be a checkpoint of the same network, but is not ({reason})") from None
    log.info("goes on at step %d of %s", getattr(state, "step", 0), path)


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
