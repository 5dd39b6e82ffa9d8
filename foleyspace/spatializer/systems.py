"""The formulations that `foleyspace train` knows: what each optimises, how it is checked and saved.

`separator` is the one that ships; `foleyspace` is the baseline (`baseline_net.py`), trained on the same
pieces in the same way, so that tables compare like with like.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from foleyspace.spatializer.dataset import Batch
from foleyspace.spatializer.hrtfs import HrtfBank


@dataclass(frozen=True)
class Held:
    """What validation looks at, and the responses it is heard through."""

    pieces: list[Batch]
    bank: HrtfBank


@dataclass(frozen=True)
class System:
    """`loss(net, batch, bank, generator)`; `validate(net, held)` gives named figures; `export(net, path,
    notes)` writes the weights."""

    net: nn.Module
    loss: Callable[[nn.Module, Batch, HrtfBank, torch.Generator], Tensor]
    validate: Callable[[nn.Module, Held], dict[str, float]]
    export: Callable[[Any, Path, dict[str, Any]], Path]


def make_system(name: str, channels: tuple[int, ...], condition: int, **drops: float) -> System:
    """The system called `name`, untrained; the other values are the separator's (`TrainConfig`), `drops`
    those of `separator_terms`."""
    if name == "foleyspace":
        return _foleyspace()
    from foleyspace.spatializer.model import NetConfig, SeparatorNet
    from foleyspace.spatializer.training import export, separator_terms, validate
    from foleyspace.tagger import EmbeddedTagger

    def loss(net: nn.Module, batch: Batch, bank: HrtfBank, generator: torch.Generator) -> Tensor:
        return separator_terms(net, batch, bank, generator, **drops).total()

    net = SeparatorNet(NetConfig(channels, condition)).to(memory_format=torch.channels_last)
    net.ears.net.load_state_dict(EmbeddedTagger(offline=True).net.state_dict())
    return System(net, loss, lambda net, held: validate(net, held.pieces, held.bank), export)


def _foleyspace() -> System:
    from foleyspace.spatializer.baseline import baseline_loss, save_baseline
    from foleyspace.spatializer.baseline_net import DiffWaveNet
    from foleyspace.spatializer.dataset import with_truth

    def loss(net: nn.Module, batch: Batch, bank: HrtfBank, generator: torch.Generator) -> Tensor:
        return baseline_loss(net, with_truth(batch, bank), generator)

    @torch.no_grad()
    def validate(net: nn.Module, held: Held) -> dict[str, float]:
        net.eval()
        each = []
        for number, piece in enumerate(held.pieces):
            generator = torch.Generator().manual_seed(number)
            each.append(float(baseline_loss(net, with_truth(piece, held.bank), generator)))
        net.train()
        return {"loss": sum(each) / len(each)}

    return System(DiffWaveNet(), loss, validate, save_baseline)
