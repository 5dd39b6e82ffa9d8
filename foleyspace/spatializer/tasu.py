"""The TASU baseline: text-guided audio spatialization by latent diffusion.

What of TASU it keeps and what it simplifies stands at `tasu_net.TasuNet`. It is here to be compared with, in
the same training and evaluation code as the spatializer. Imports torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from foleyspace.device import torch_device
from foleyspace.errors import InputError
from foleyspace.spatializer.net_file import FileKind, load_net, save_net, whole_numbers
from foleyspace.spatializer.rate16 import RATE as RATE_16K
from foleyspace.spatializer.rate16 import from_16k, to_16k
from foleyspace.spatializer.tasu_bands import HOP, heard, levels
from foleyspace.spatializer.tasu_net import BANDS, MULTIPLE, SHRINK, TasuNet, known_planes
from foleyspace.spatializer.windows import checked_mono, fades, noise_windows
from foleyspace.types import Audio, Samples

RATE = 48_000  # Hz
CELL = SHRINK * HOP  # samples at 16 kHz that a cell of the latent is long: an eighth of a second
EVEN = MULTIPLE // SHRINK  # cells come in multiples of this
MOST_STEPS, MOST_GUIDANCE = 1000, 20.0
FILE = FileKind("foleyspace-tasu", "1", "the TASU baseline")
_LIMITS = {"dim": (1, 4096), "text": (0, 1), "flipper": (0, 1), "latents": (1, 256), "channels": (16, 1024)}


@torch.no_grad()
def sample(
    net: TasuNet,
    known: Tensor,
    prompt: Tensor,
    noise: Tensor,
    *,
    steps: int = 20,
    guidance: float = 2.5,
) -> Tensor:
    """The picture h (B, 2, `BANDS`, T) that `noise` (B, C, `BANDS` / 4, T / 4) becomes, given what is `known`
    (B, `PLACES`, `BANDS`, T) and the `prompt` (B, D; zeros: no text), in `steps` of DDIM (Song et al. 2021,
    arXiv:2010.02502) with classifier-free `guidance` (Ho & Salimans 2022, arXiv:2207.12598). Raises
    `InputError` for `steps` or `guidance` out of range."""
    _check_steps(steps, guidance)
    x, words = noise, net.words(prompt)
    for now, then in pairwise(torch.linspace(1, 0, steps + 1).tolist()):
        time = torch.full((len(x),), now, device=x.device)
        v = net.denoiser(x, time, known, words)
        if guidance != 1:
            plain = net.denoiser(x, time, known, torch.zeros_like(words))
            v = plain + guidance * (v - plain)
        clean, rest = unmixed(x, v, time)
        x = math.cos(then * math.pi / 2) * clean + math.sin(then * math.pi / 2) * rest
    return net.decode(x, known)


def mixed(clean: Tensor, noise: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
    """The noisy latent at `time` (B,) in [0, 1], and v, what the denoiser is to say of it (Salimans & Ho
    2022, arXiv:2202.00512, section 4): clean to noise on a quarter of a circle."""
    kept, spread = _angles(time)
    return kept * clean + spread * noise, kept * noise - spread * clean


def unmixed(noisy: Tensor, v: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
    """The inverse of `mixed`: the clean latent and the noise."""
    kept, spread = _angles(time)
    return kept * noisy - spread * v, spread * noisy + kept * v


def _angles(time: Tensor) -> tuple[Tensor, Tensor]:
    angle = time[:, None, None, None] * (math.pi / 2)
    return angle.cos(), angle.sin()


class TasuSystem:
    """The trained baseline of a weights file, for sound of any length.

    `weights` is a file of `save_tasu`, `device` as in `device.torch_device`. Raises `InputError` for a file
    that is something else or damaged, and for a device that is not there.
    """

    def __init__(self, weights: Path, device: str = "cpu") -> None:
        self.device = torch_device(device)
        self.net = load_tasu(weights).to(self.device)

    def spatialize(
        self,
        mono: Audio,
        prompt_vector: Samples,
        *,
        steps: int = 20,
        guidance: float = 2.5,
        seed: int = 0,
    ) -> Audio:
        """Binaural sound (2, n) of `mono` (1, n) at 48 kHz, placed as the text with the embedding
        `prompt_vector` (D,) says (zeros: no text). Left and right sum to `mono`; above 8 kHz they are
        the same.

        Window by window, all out of one field of noise, so that two windows agree on what they share and a
        plain cross-fade joins them; where in the whole sound a window is the network knows. The same seed and
        device give the same sound. Raises `InputError` for a sound of another rate or channel count, one that
        is not finite, a vector of another encoder, and `steps` or `guidance` out of range.
        """
        _check_steps(steps, guidance)
        samples = torch.from_numpy(checked_mono(mono, RATE)).to(self.device)
        prompt = self._prompt(prompt_vector)
        sound = to_16k(samples)
        cells = -(-(sound.shape[1] // CELL + 1) // EVEN) * EVEN
        padded = functional.pad(sound, (0, cells * CELL - sound.shape[1]))
        difference = torch.zeros_like(padded)
        moments = torch.linspace(0, 1, cells * SHRINK, device=self.device)
        generator = torch.Generator().manual_seed(seed)
        shape = (self.net.shape["latents"], BANDS // SHRINK)
        for start, stop, noise in noise_windows(cells, RATE_16K // CELL, shape, generator):
            here = slice(start * CELL, stop * CELL)
            level = levels(padded[:, here])[..., : (stop - start) * SHRINK]
            known = known_planes(level, moments[start * SHRINK : stop * SHRINK])
            start_noise = noise[None].to(self.device)
            h = sample(self.net, known, prompt, start_noise, steps=steps, guidance=guidance)
            fade = torch.from_numpy(fades(here.start, here.stop, cells * CELL, RATE_16K)).to(self.device)
            difference[:, here] += fade * heard(h, padded[:, here])
        wide = from_16k(difference[:, : sound.shape[1]], samples.shape[1])
        left = (samples + wide) / 2
        return Audio(torch.cat((left, samples - left)).cpu().numpy(), RATE)

    def _prompt(self, vector: Samples) -> Tensor:
        dim = self.net.shape["dim"]
        given = np.asarray(vector, np.float32)
        if given.shape != (dim,):
            raise InputError(f"`prompt_vector` has shape {given.shape} but must be ({dim},)")
        if not np.isfinite(given).all():
            raise InputError("`prompt_vector` holds NaN or infinite values but must be finite")
        return torch.from_numpy(given)[None].to(self.device)


def _check_steps(steps: int, guidance: float) -> None:
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MOST_STEPS:
        raise InputError(f"`steps` is {steps!r} but must be a whole number between 1 and {MOST_STEPS}")
    if not 0 <= guidance <= MOST_GUIDANCE:
        raise InputError(f"`guidance` is {guidance!r} but must be between 0 and {MOST_GUIDANCE:g}")


def save_tasu(net: TasuNet, path: Path, notes: Mapping[str, Any]) -> Path:
    """Write the weights as float16 safetensors, atomically, `notes` (steps, data, figures) in its header."""
    return save_net(net, path, notes, FILE, net.shape)


def load_tasu(path: Path) -> TasuNet:
    """The network of a file of `save_tasu`, on the CPU. Raises `InputError` for any other file."""
    return load_net(path, FILE, lambda stated: TasuNet(**whole_numbers(stated, _LIMITS)))
