"""The formulations that `foleyspace train` knows: what each optimises, how it is checked and saved.

`separator` is the one that ships; `foleyspace` (`baseline_net.py`), `tas` (`tas_net.py`) and `tasu`
(`tasu_net.py`) are the baselines, trained on the same pieces in the same way, so that tables compare like
with like.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from foleyspace.spatializer.dataset import Batch
from foleyspace.spatializer.hrtfs import HrtfBank
from foleyspace.text_encoder import load_text_encoder

if TYPE_CHECKING:
    from foleyspace.pipelines.train import TrainConfig


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


def make_system(config: TrainConfig) -> System:
    """The system that `config.system` names, untrained."""
    config = config.settled()
    if config.system == "foleyspace":
        return _foleyspace()
    dim = load_text_encoder(config.text).dim if config.text else 0
    if config.system == "tas":
        from foleyspace.spatializer.tas import make_tas

        return make_tas(config.fusion, dim)
    if config.system == "tasu":
        from foleyspace.spatializer.tasu_training import make_tasu

        text, weight = config.fusion != "none", config.flip_weight
        return make_tasu(text, weight > 0, dim, config.vae_steps, weight)
    from foleyspace.spatializer.model import NetConfig, SeparatorNet
    from foleyspace.spatializer.recogniser import load_recogniser
    from foleyspace.spatializer.training import Withheld, export, separator_loss, validate
    from foleyspace.tagger import EmbeddedTagger

    shape = NetConfig(config.channels, config.condition)
    if config.fusion:
        shape = replace(shape, fusion=config.fusion)
        shape = replace(shape, text=dim, encoder=config.text) if dim else shape
    separator = SeparatorNet(shape).to(memory_format=torch.channels_last)
    separator.ears.net.load_state_dict(EmbeddedTagger(offline=True).net.state_dict())
    separator.recogniser.load_state_dict(load_recogniser().state_dict())
    withheld = Withheld(config.label_drop, config.prompt_drop, config.label_noise, config.flow_share)

    def loss(net: nn.Module, batch: Batch, bank: HrtfBank, generator: torch.Generator) -> Tensor:
        return separator_loss(net, separator.ears, batch, bank, generator, withheld, config.flip_weight)

    return System(separator, loss, lambda net, held: validate(net, held.pieces, held.bank), export)


def held_loss(
    loss: Callable[[nn.Module, Batch, HrtfBank, torch.Generator], Tensor],
) -> Callable[[nn.Module, Held], dict[str, float]]:
    """A `System.validate` whose only figure is the mean `loss`, over the same noise every time."""

    @torch.no_grad()
    def validate(net: nn.Module, held: Held) -> dict[str, float]:
        net.eval()
        each = []
        for number, piece in enumerate(held.pieces):
            generator = torch.Generator().manual_seed(number)
            each.append(float(loss(net, piece, held.bank, generator)))
        net.train()
        return {"loss": sum(each) / len(each)}

    return validate


def _foleyspace() -> System:
    from foleyspace.spatializer.baseline import baseline_loss, save_baseline
    from foleyspace.spatializer.baseline_net import DiffWaveNet
    from foleyspace.spatializer.dataset import with_truth

    def loss(net: nn.Module, batch: Batch, bank: HrtfBank, generator: torch.Generator) -> Tensor:
        return baseline_loss(net, with_truth(batch, bank), generator)

    return System(DiffWaveNet(), loss, held_loss(loss), save_baseline)
