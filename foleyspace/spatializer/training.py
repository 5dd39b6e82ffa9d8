"""The parts of the spatializer's training: a step, what a checkpoint keeps, validation, the weights file."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from foleyspace.errors import InputError
from foleyspace.files import atomic_output, check_input
from foleyspace.spatializer import flow
from foleyspace.spatializer.agreement import disagreement
from foleyspace.spatializer.bands import BANDS, band_power, level_features, spectrum
from foleyspace.spatializer.dataset import Batch
from foleyspace.spatializer.ears import Ears
from foleyspace.spatializer.hrtfs import HrtfBank
from foleyspace.spatializer.losses import Terms, terms
from foleyspace.spatializer.model import NetConfig, SeparatorNet
from foleyspace.spatializer.recogniser import load_recogniser
from foleyspace.spatializer.weights import FORMAT, own_tensors
from foleyspace.tagger_net import TaggerNet
from foleyspace.tagger_training import load_checkpoint, save_checkpoint, warmed
from foleyspace.tensor_file import write_tensors

log = logging.getLogger("foleyspace")

CLIP = 1.0  # of the gradient's norm
WARM_UP = 200  # steps


class State:
    """Everything that a checkpoint keeps: the network, its running average, optimiser, `step`."""

    def __init__(
        self, net: nn.Module, steps: int, learning_rate: float, weight_decay: float, ema: float
    ) -> None:
        self.net = net
        self.average = AveragedModel(net, avg_fn=warmed(ema), use_buffers=True)
        self.optimiser = torch.optim.AdamW(
            [p for p in net.parameters() if p.requires_grad], learning_rate, weight_decay=weight_decay
        )
        self.steps, self.learning_rate = steps, learning_rate
        self.step = self.skipped = 0

    def rate(self) -> float:
        """The learning rate at this step: a warm-up, then a cosine to zero."""
        if self.step < WARM_UP:
            return self.learning_rate * (self.step + 1) / WARM_UP
        part = min(1.0, (self.step - WARM_UP) / max(1, self.steps - WARM_UP))
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * part))

    def update(self, loss: Tensor) -> None:
        """One optimiser step; a loss or gradient that is not finite is skipped and counted."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.net.parameters(), CLIP)
        self.step += 1
        if not (torch.isfinite(norm) and torch.isfinite(loss)):
            self.skipped += 1
            log.warning("step %d is skipped: its gradient is not finite", self.step)
            return
        self.optimiser.step()
        self.average.update_parameters(self.net)

    def save(self, path: Path) -> None:
        save_checkpoint(path, self, _PARTS, _COUNTS)

    def resume(self, path: Path, device: torch.device) -> None:
        """Take up what `path` holds, if it is there. Raises `InputError` for another network's."""
        load_checkpoint(path, self, _PARTS, _COUNTS, device)


_PARTS, _COUNTS = ("net", "average", "optimiser"), ("step", "skipped")


def prepare(
    net: SeparatorNet, start: str, taggers: Sequence[str] = (), recognisers: Sequence[str] = ()
) -> None:
    """Give the network the weights of the file `start`, and the `taggers` and `recognisers` that listen in
    training, each where there is one. Raises `InputError` for a file that is none of them, or of another
    shape."""
    from foleyspace.spatializer.weights import load_separator

    device = next(net.parameters()).device
    if start:
        given = load_separator(start, device=str(device), offline=True)
        # weights without a layer for text will do: it starts without effect
        untold = replace(net.config, fusion="", text=NetConfig.text, encoder=NetConfig.encoder)
        if given.config not in (net.config, untold):
            raise InputError(f"`start` is {start!r} of shape {given.config} but must have {net.config}")
        net.load_state_dict(given.state_dict(), strict=given.config == net.config)
    if taggers:
        net.ears.strangers = load_strangers(taggers, device)
    if recognisers:
        each = (load_recogniser(check_input(file, "recogniser")).head.to(device) for file in recognisers)
        net.recogniser.strangers = tuple(each)


def load_strangers(taggers: Sequence[str], device: torch.device) -> tuple[TaggerNet, ...]:
    """The networks of taggers that listen in training. Raises `InputError` for a file of none."""
    from foleyspace.tagger import EmbeddedTagger

    files = [check_input(file, "tagger") for file in taggers]
    each = (EmbeddedTagger(str(device), offline=True, weights=file).net for file in files)
    return tuple(tagger.eval().requires_grad_(False) for tagger in each)


def keep_memory() -> None:
    """Have glibc keep what torch gives back: on a CPU, fetching the same pages from the system again at every
    step takes longer than the arithmetic."""
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return  # another C library
    for option, value in ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 2**27)):
        mallopt(option, value)


_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # malloc.h


def draw_curves(rows: Path, out: Path) -> None:
    """The CSV of a training as a picture: loss and figures of validation over the steps."""
    import csv

    from matplotlib.figure import Figure

    with rows.open(newline="") as file:
        table = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    names = [name for name in table[0] if name not in ("step", "minutes")]
    figure = Figure(figsize=(9, 2.2 * len(names)), layout="constrained")
    for axes, name in zip(figure.subplots(len(names), 1, sharex=True), names, strict=True):
        axes.plot([row["step"] for row in table], [row[name] for row in table], lw=1.5)
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
    axes.set_xlabel("step")
    with atomic_output(out, overwrite=True) as temporary:
        figure.savefig(temporary, format="png", dpi=100)


@dataclass(frozen=True)
class Separated:
    """What the network makes of a batch: `masks` (B, K, `BANDS`, T) of the spectrum `mixture` (B, F, T), of
    band power `power`; `stems` (B, K, F, T) are the true ones."""

    masks: Tensor
    power: Tensor
    mixture: Tensor
    stems: Tensor


@dataclass(frozen=True)
class Withheld:
    """How training makes it harder. `label_drop`: how often a slot's label is withheld, `prompt_drop`: the
    whole prompt; `label_noise`: length of the noise added to half of the (unit) label vectors, at most: words
    near the trained ones must do too; `flow_share`: how often the network is given a state on the way instead
    of the start."""

    label_drop: float = 0.0
    prompt_drop: float = 0.0
    label_noise: float = 0.0
    flow_share: float = 0.0


NOTHING_WITHHELD = Withheld()


def separator_terms(
    net: nn.Module,
    batch: Batch,
    bank: HrtfBank,
    generator: torch.Generator,
    withheld: Withheld = NOTHING_WITHHELD,
) -> Terms:
    """The parts of the loss on a batch."""
    made = _separated(net, batch, generator, withheld)
    return terms(made.masks, made.power, made.mixture, made.stems, bank.spectra, batch.rows)


def separator_loss(
    net: nn.Module,
    ears: Ears,
    batch: Batch,
    bank: HrtfBank,
    generator: torch.Generator,
    withheld: Withheld,
    flip_weight: float = 0.0,
) -> Tensor:
    """The loss of a step; `flip_weight`: of the classifier of swapped names (`agreement.py`)."""
    made = _separated(net, batch, generator, withheld)
    loss = terms(made.masks, made.power, made.mixture, made.stems, bank.spectra, batch.rows).total()
    if flip_weight <= 0:
        return loss
    energy = made.stems.abs().square().sum(dim=(2, 3))
    share = energy / energy.sum(dim=1, keepdim=True).clamp(min=1e-9)
    stranger = None if batch.stranger is None else int(batch.stranger)
    return loss + flip_weight * disagreement(ears, made.masks, made.power, batch.labels, share, stranger)


def _separated(net: nn.Module, batch: Batch, generator: torch.Generator, withheld: Withheld) -> Separated:
    frames = batch.activity.shape[-1]
    stems = spectrum(batch.stems)[..., :frames]
    mixture = stems.sum(dim=1)
    power = band_power(mixture)
    labels, prompt = batch.labels, batch.prompt
    size, slots = labels.shape[:2]
    time = torch.zeros(size, device=labels.device)
    share = flow.start_shares(batch.activity, BANDS)
    if withheld.label_noise > 0:
        noise = torch.randn(labels.shape, generator=generator) * labels.shape[-1] ** -0.5
        much = withheld.label_noise * (2 * torch.rand((size, slots, 1), generator=generator) - 1).clamp(min=0)
        labels = functional.normalize(labels + (noise * much).to(labels.device), dim=-1)
    if withheld.label_drop > 0:
        dropped = torch.rand((size, slots, 1), generator=generator) < withheld.label_drop
        labels = torch.where(dropped.to(labels.device), torch.nan, labels)
    if prompt is not None and withheld.prompt_drop > 0:
        dropped = torch.rand((size, 1), generator=generator) < withheld.prompt_drop
        prompt = torch.where(dropped.to(labels.device), 0.0, prompt)
    if withheld.flow_share > 0 and torch.rand(1, generator=generator).item() < withheld.flow_share:
        time = torch.rand(size, generator=generator).to(labels.device)
        noise = torch.randn((*stems.shape, 2), generator=generator).to(labels.device)
        first = flow.start(mixture, batch.activity)
        state = flow.between(first, stems, mixture, time, torch.view_as_complex(noise) * 0.5**0.5)
        share = flow.shares(state)
    stranger = None if batch.stranger is None else int(batch.stranger)
    with torch.autocast(labels.device.type, torch.bfloat16, enabled=labels.device.type == "cuda"):
        logits = net(level_features(power), labels, batch.activity, share, time, stranger, prompt)
    return Separated(logits.float().softmax(dim=1), power, mixture, stems)


@torch.no_grad()
def validate(net: nn.Module, pieces: list[Batch], bank: HrtfBank) -> dict[str, float]:
    """Mean figures of one step from the start over `pieces`: SNR of the binaural signal and of the stems
    (dB), ILD error (dB), IPD error (1 - cos)."""
    net.eval()
    generator = torch.Generator().manual_seed(0)
    each = [separator_terms(net, piece, bank, generator) for piece in pieces]
    net.train()
    mean = {name: float(torch.cat([getattr(t, name) for t in each]).mean()) for name in Terms.__annotations__}
    return {
        "loss": float(torch.stack([t.total() for t in each]).mean()),
        "snr_db": -mean["binaural_db"],
        "stems_snr_db": -mean["stems_db"],
        "ild_error_db": mean["ild_db"],
        "ipd_error": mean["ipd"],
    }


class EvenShares(nn.Module):
    """The naive render as a network: every slot gets the same part of everything."""

    def forward(self, features: Tensor, labels: Tensor, *_: Tensor) -> Tensor:
        return features.new_zeros((*labels.shape[:2], *features.shape[1:]))


def export(net: SeparatorNet, path: Path, notes: dict[str, Any]) -> Path:
    """Write the weights as float16 safetensors; the network's shape and `notes` in the header."""
    header = {"format": FORMAT, "net": json.dumps(asdict(net.config))}
    return write_tensors(path, own_tensors(net), header | notes)
