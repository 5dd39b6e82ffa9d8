"""The FoleySpace-style baseline: a diffusion model that generates binaural sound from noise.

What of FoleySpace it keeps and what it simplifies stands at `baseline_net.DiffWaveNet`. It is here to be
compared with, in the same training and evaluation code as the spatializer. Imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from foleyspace.device import torch_device
from foleyspace.errors import InputError
from foleyspace.propagation import position
from foleyspace.spatializer.baseline_net import PATCH, DiffWaveNet
from foleyspace.spatializer.diffwave import denoise, noise_error, noise_schedule, normalised, scaled_back
from foleyspace.spatializer.net_file import FileKind, load_net, save_net, whole_numbers
from foleyspace.spatializer.windows import OVERLAP_S, WINDOW_S, checked_mono, fades, noise_windows
from foleyspace.types import Audio, Samples, Scene

RATE = 48_000  # Hz
MOMENTS_PER_S = 50
FILE = FileKind("foleyspace-baseline", "1", "the FoleySpace-style baseline")
_LIMITS = {"channels": (8, 1024), "layers": (1, 100), "conditions": (1, 1024)}


class PlacedMixture(Protocol):
    """What of a `dataset.Batch` the baseline is trained on: `mixture` (B, n), its binaural `truth` (B, 2, n),
    `xyz` (B, K, T, 3) m, `present` (B, K) bool."""

    @property
    def mixture(self) -> Tensor: ...
    @property
    def truth(self) -> Tensor | None: ...
    @property
    def xyz(self) -> Tensor: ...
    @property
    def present(self) -> Tensor: ...


def baseline_loss(net: nn.Module, batch: PlacedMixture, generator: torch.Generator) -> Tensor:
    """Mean squared error of the predicted noise at a random step an item (DiffWave, equation 7): 1 is the
    loss of a network that predicts none. Levels are relative to the mixture's RMS. Raises `InputError` for a
    batch without binaural truth."""
    if batch.truth is None:
        raise InputError("`batch.truth` is None but must be the binaural sound (B, 2, n)")
    mono, scale = normalised(batch.mixture)
    clean = batch.truth / scale[:, :, None]
    return noise_error(lambda x, step: net(x, step, mono, batch.xyz, batch.present), clean, generator)


@torch.no_grad()
def sample(
    net: DiffWaveNet,
    mono: Tensor,
    xyz: Tensor,
    present: Tensor,
    *,
    steps: int = 6,
    generator: torch.Generator,
) -> Tensor:
    """Binaural sound (B, 2, n) of `mono` (B, n), whose sources are at `xyz` (B, K, T, 3) m, `present` (B, K).

    6 `steps` are DiffWave's fast schedule, 50 the one of the training, others lie evenly within it. Raises
    `InputError` for `steps` outside 1 to 50.
    """
    size = (len(noise_schedule(steps)), len(mono), 2, mono.shape[-1])
    noise = torch.randn(size, generator=generator, device=generator.device).to(mono)
    return _denoise(net, mono, xyz, present, noise)


def _denoise(net: DiffWaveNet, mono: Tensor, xyz: Tensor, present: Tensor, noise: Tensor) -> Tensor:
    """Binaural sound (B, 2, n) out of `noise` (steps, B, 2, n)."""
    mono, scale = normalised(mono)
    return scaled_back(denoise(lambda x, step: net(x, step, mono, xyz, present), noise), scale)


class BaselineSystem:
    """The trained baseline of a weights file, for sound of any length.

    `weights` is a file of `save_baseline`, `device` as in `device.torch_device`. Raises `InputError` for a
    file that is something else or damaged, and for a device that is not there.
    """

    def __init__(self, weights: Path, device: str = "cpu") -> None:
        self.device = torch_device(device)
        self.net = load_baseline(weights).to(self.device)

    def spatialize(self, mono: Audio, scene: Scene, *, steps: int = 6, seed: int = 0) -> Audio:
        """Binaural sound (2, n) of `mono` (1, n) at 48 kHz, generated for the places of the scene's sources.

        Window by window, each at its own level and all out of one field of noise, so that two windows agree
        on what they share and a plain cross-fade joins them. The same seed and device give the same sound.
        Raises `InputError` for a sound of another rate or channel count, one that is not finite, a scene
        without sources, or `steps` outside 1 to 50.
        """
        samples = checked_mono(mono, RATE)
        if not scene.sources:
            raise InputError("`scene.sources` is empty but must hold at least one source")
        n = samples.shape[1]
        out = np.zeros((2, n), np.float32)
        generator = torch.Generator().manual_seed(seed)
        size = (len(noise_schedule(steps)), 1, 2)
        for start, stop, noise in noise_windows(n, RATE, size, generator):
            piece = torch.from_numpy(np.ascontiguousarray(samples[:, start:stop])).to(self.device)
            xyz = torch.from_numpy(_places(scene, start, stop)).to(self.device)
            present = torch.ones(xyz.shape[:2], dtype=torch.bool, device=self.device)
            with torch.no_grad():
                stereo = _denoise(self.net, piece, xyz, present, noise.to(self.device))[0].cpu().numpy()
            out[:, start:stop] += stereo * fades(start, stop, n, RATE)
        return Audio(out, RATE)


def _places(scene: Scene, start: int, stop: int) -> Samples:
    """Where the sources are, (1, K, T, 3) m, from sample `start` to the last before `stop`."""
    moments = max(2, round((stop - start) / RATE * MOMENTS_PER_S))
    times = np.linspace(start, stop - 1, moments) / RATE
    return np.stack([position(source, times) for source in scene.sources]).astype(np.float32)[None]


def save_baseline(net: DiffWaveNet, path: Path, notes: Mapping[str, Any]) -> Path:
    """Write the weights, atomically, `notes` (steps, data, figures) in the header."""
    return save_net(net, path, notes, FILE, net.shape)


def load_baseline(path: Path) -> DiffWaveNet:
    """The network of a file of `save_baseline`, on the CPU. Raises `InputError` for any other file."""
    return load_net(path, FILE, lambda shape: DiffWaveNet(**whole_numbers(shape, _LIMITS)))


assert WINDOW_S * RATE % PATCH == OVERLAP_S * RATE % PATCH == 0  # frames of two windows coincide
