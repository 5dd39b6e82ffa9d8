"""The TAS baseline: a diffusion model that generates the difference of the ears from noise, by words.

What of TAS it keeps and what it simplifies stands at `tas_net.TasNet`. It is here to be compared with, in the
same training and evaluation code as the spatializer. It works at 16 kHz, as TAS does: above 8 kHz there is no
difference, both ears hear half of the mono sound. Imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, get_args

import numpy as np
import torch
from torch import Tensor, nn

from foleyspace.device import torch_device
from foleyspace.errors import InputError
from foleyspace.spatializer import rate16
from foleyspace.spatializer.dataset import Batch, with_truth
from foleyspace.spatializer.diffwave import denoise, noise_error, noise_schedule, normalised, scaled_back
from foleyspace.spatializer.fusion import Mode
from foleyspace.spatializer.hrtfs import HrtfBank
from foleyspace.spatializer.net_file import FileKind, load_net, save_net, whole_numbers
from foleyspace.spatializer.rate16 import from_16k, to_16k
from foleyspace.spatializer.systems import System, held_loss
from foleyspace.spatializer.tas_net import LEVEL, PATCH, TasNet
from foleyspace.spatializer.windows import OVERLAP_S, WINDOW_S, checked_mono, fades, noise_windows
from foleyspace.types import Audio, Samples

RATE = 48_000  # Hz
TEXT_DROP = 0.1  # how often an item of training is without its text
GUIDANCE = 2.5
FILE = FileKind("foleyspace-tas", "1", "the TAS baseline")
_LIMITS = {"channels": (8, 1024), "layers": (1, 100), "conditions": (1, 1024), "dim": (1, 8192)}


class ToldMixture(Protocol):
    """What of a `dataset.Batch` the baseline is trained on: binaural `truth` (B, 2, n) at 48 kHz, the vectors
    `prompt` (B, D) of what is said of it and `prompt_flipped` (B, D) of what is said of its mirror image."""

    @property
    def truth(self) -> Tensor | None: ...
    @property
    def prompt(self) -> Tensor | None: ...
    @property
    def prompt_flipped(self) -> Tensor | None: ...


def make_tas(fusion: Mode = "saf", dim: int = 384) -> System:
    """TAS untrained, for vectors of `dim` numbers a text; `fusion`: saf, none, add or conv, see
    `fusion.Fusion`."""

    def loss(net: nn.Module, batch: Batch, bank: HrtfBank, generator: torch.Generator) -> Tensor:
        return tas_loss(net, with_truth(batch, bank), generator)

    return System(TasNet(dim=dim, fusion=fusion), loss, held_loss(loss), save_tas)


def tas_loss(net: nn.Module, batch: ToldMixture, generator: torch.Generator) -> Tensor:
    """Mean squared error of the noise predicted in L - R, relative to what its level alone tells of it
    (`noise_error`, `even`): 1 is the loss of a network that knows no more. Levels are relative to the RMS of
    L + R. With the mirror image told, every piece is learned both ways round. Raises `InputError` for a batch
    without binaural truth or without words."""
    if batch.truth is None or batch.prompt is None:
        name, what = ("truth", "(B, 2, n)") if batch.truth is None else ("prompt", "(B, D)")
        raise InputError(f"`batch.{name}` is None but must be {what}")
    return loss_at_16k(net, to_16k(batch.truth), batch.prompt, batch.prompt_flipped, generator)


def loss_at_16k(
    net: nn.Module, truth: Tensor, text: Tensor, flipped: Tensor | None, generator: torch.Generator
) -> Tensor:
    """`tas_loss` of binaural sound (B, 2, n) at 16 kHz and the vectors (B, D) told, `flipped`: of its mirror
    image."""
    if flipped is not None:
        truth, text = torch.cat((truth, truth.flip(1))), torch.cat((text, flipped))
    told = torch.rand((len(truth), 1), generator=generator, device=generator.device) >= TEXT_DROP
    return noise_told(net, truth, torch.where(told.to(truth.device), text, 0.0), generator)


def noise_told(net: nn.Module, truth: Tensor, text: Tensor, generator: torch.Generator) -> Tensor:
    """The error of `tas_loss`: `text` (B, D) is told of the sound `truth` (B, 2, n) at 16 kHz."""
    left, right = truth.unbind(1)
    mono, scale = normalised(left + right, LEVEL)
    difference = ((left - right) / scale)[:, None]
    return noise_error(lambda x, step: net(x, step, mono, text), difference, generator, even=LEVEL)


@torch.no_grad()
def sample_difference(net: TasNet, mono: Tensor, text: Tensor, noise: Tensor, guidance: float) -> Tensor:
    """L - R (B, n) at 16 kHz, of `mono` = L + R (B, n) and `text` (B, D), out of `noise` (steps, B, 1, n).
    `guidance`: how much the text counts, 1 as trained, 0 not at all (classifier-free guidance)."""
    mono, scale = normalised(mono, LEVEL)
    twice = torch.cat((mono, mono))
    conditions = net.conditioned(twice, torch.cat((text, torch.zeros_like(text))))

    def predict(x: Tensor, step: Tensor) -> Tensor:
        both = net.noise_in(x.repeat(2, 1, 1), step.repeat(2), twice, *conditions)
        told, untold = both.chunk(2)
        return torch.lerp(untold, told, guidance)

    return scaled_back(denoise(predict, noise), scale, LEVEL)[:, 0]


class TasSystem:
    """The trained baseline of a weights file, for sound of any length.

    `weights` is a file of `save_tas`, `device` as in `device.torch_device`. Raises `InputError` for a file
    that is something else or damaged, and for a device that is not there.
    """

    def __init__(self, weights: Path, device: str = "cpu") -> None:
        self.device = torch_device(device)
        self.net = load_tas(weights).to(self.device)

    def spatialize(
        self,
        mono: Audio,
        prompt_vector: Samples,
        *,
        steps: int = 6,
        guidance: float = GUIDANCE,
        seed: int = 0,
    ) -> Audio:
        """Binaural sound (2, n) of `mono` (1, n) at 48 kHz, whose sum is `mono`, as the text of the vector
        `prompt_vector` (D,) has it (zeros: no text).

        Window by window, each at its own level and all out of one field of noise, joined by a plain
        cross-fade. The same seed and device give the same sound. Raises `InputError` for a sound of another
        rate or channel count, one that is not finite, a vector of another length, `steps` outside 1 to 50 or
        `guidance` outside 0 to 10.
        """
        samples = checked_mono(mono, RATE)
        text = np.asarray(prompt_vector, np.float32)
        dim = self.net.shape["dim"]
        if text.shape != (dim,) or not np.isfinite(text).all():
            raise InputError(f"`prompt_vector` has shape {text.shape} but must be ({dim},), of finite values")
        if not 0 <= guidance <= 10:
            raise InputError(f"`guidance` is {guidance} but must be between 0 and 10")
        sound = to_16k(torch.from_numpy(samples))
        told = torch.from_numpy(text)[None].to(self.device)
        n = sound.shape[1]
        difference = torch.zeros((1, n))
        generator = torch.Generator().manual_seed(seed)
        for start, stop, noise in noise_windows(
            n, rate16.RATE, (len(noise_schedule(steps)), 1, 1), generator
        ):
            piece = sound[:, start:stop].to(self.device)
            made = sample_difference(self.net, piece, told, noise.to(self.device), guidance).cpu()
            difference[:, start:stop] += made * torch.from_numpy(fades(start, stop, n, rate16.RATE))
        half = 0.5 * samples
        side = 0.5 * from_16k(difference, samples.shape[1]).numpy()
        return Audio(np.concatenate((half + side, half - side)), RATE)


def save_tas(net: TasNet, path: Path, notes: Mapping[str, Any]) -> Path:
    """Write the weights, atomically, `notes` (steps, data, figures) in the header."""
    return save_net(net, path, notes, FILE, {**net.shape, "fusion": net.mode})


def load_tas(path: Path) -> TasNet:
    """The network of a file of `save_tas`, on the CPU. Raises `InputError` for any other file."""
    return load_net(path, FILE, _build)


def _build(shape: Any) -> TasNet:
    fusion: Any = shape.pop("fusion", None) if isinstance(shape, dict) else None
    if fusion not in get_args(Mode):
        raise ValueError(f"its header states fusion {fusion!r}")
    return TasNet(**whole_numbers(shape, _LIMITS), fusion=fusion)


assert WINDOW_S * rate16.RATE % PATCH == OVERLAP_S * rate16.RATE % PATCH == 0  # frames of windows coincide
