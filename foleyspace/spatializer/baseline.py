"""The FoleySpace-style baseline: a diffusion model that generates binaural sound from noise.

What of FoleySpace it keeps and what it simplifies stands at `baseline_net.DiffWaveNet`. It is here to be
compared with, in the same training and evaluation code as the spatializer. Imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from foleyspace.device import torch_device
from foleyspace.errors import InputError
from foleyspace.files import atomic_output, check_input
from foleyspace.propagation import position
from foleyspace.spatializer.baseline_net import BETAS, LEVEL, PATCH, STEPS, DiffWaveNet
from foleyspace.tagger_training import halved
from foleyspace.types import Audio, Floats, Samples, Scene

RATE = 48_000  # Hz
SILENT = 1e-6  # RMS below which nothing is brought up
FAST_BETAS = np.array([1e-4, 1e-3, 1e-2, 0.05, 0.2, 0.5])  # DiffWave's six steps, appendix B
WINDOW = 4 * RATE  # samples; a multiple of PATCH, as the two below
OVERLAP = RATE
EDGE = OVERLAP // 4  # at an inner end of a window its context is cut off: not heard
MOMENTS_PER_S = 50
FORMAT, VERSION = "foleyspace-baseline", "1"
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
    mono, scale = _normalised(batch.mixture)
    clean = batch.truth / scale[:, :, None]
    step = torch.randint(0, STEPS, (len(mono),), generator=generator, device=generator.device)
    kept = torch.from_numpy(np.cumprod(1 - BETAS)).to(clean)[step.to(clean.device), None, None]
    noise = torch.randn(clean.shape, generator=generator, device=generator.device).to(clean)
    noisy = kept.sqrt() * clean + (1 - kept).sqrt() * noise
    return functional.mse_loss(net(noisy, step.to(clean.device), mono, batch.xyz, batch.present), noise)


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


def noise_schedule(steps: int) -> Floats:
    """The variances (steps,) of the noise added at each diffusion step, first to last."""
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= STEPS:
        raise InputError(f"`steps` is {steps!r} but must be a whole number between 1 and {STEPS}")
    if steps == len(FAST_BETAS):
        return FAST_BETAS
    kept = np.cumprod(1 - BETAS)[np.linspace(STEPS - 1, 0, steps).round().astype(int)[::-1]]
    betas: Floats = 1 - kept / np.concatenate(([1.0], kept[:-1]))
    return betas


def _denoise(net: DiffWaveNet, mono: Tensor, xyz: Tensor, present: Tensor, noise: Tensor) -> Tensor:
    """DiffWave's algorithm 2, the noise (steps, B, 2, n) given: where it starts, then what each step adds."""
    betas = noise_schedule(len(noise))
    kept = np.cumprod(1 - betas)
    # the training steps that had as much noise, fractions between them (DiffWave, appendix B)
    trained = np.sqrt(np.cumprod(1 - BETAS))
    aligned = np.interp(-np.sqrt(kept), -trained, np.arange(STEPS))
    mono, scale = _normalised(mono)
    x = noise[0]
    for n in reversed(range(len(betas))):
        step = torch.full((len(mono),), aligned[n], device=mono.device)
        predicted = net(x, step, mono, xyz, present)
        x = (x - float(betas[n] / np.sqrt(1 - kept[n])) * predicted) / float(np.sqrt(1 - betas[n]))
        if n > 0:
            sigma = np.sqrt((1 - kept[n - 1]) / (1 - kept[n]) * betas[n])
            x = x + float(sigma) * noise[len(betas) - n]
    return torch.where(scale[:, :, None] * LEVEL > SILENT, x * scale[:, :, None], 0.0)


def _normalised(mono: Tensor) -> tuple[Tensor, Tensor]:
    """`mono` (B, n) at RMS `LEVEL`, and what it was divided by (B, 1)."""
    scale = mono.square().mean(dim=-1, keepdim=True).sqrt().clamp(min=SILENT) / LEVEL
    return mono / scale, scale


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
        samples = _checked(mono, scene)
        n = samples.shape[1]
        out = np.zeros((2, n), np.float32)
        generator = torch.Generator().manual_seed(seed)
        size = (len(noise_schedule(steps)), 1, 2)
        noise = torch.empty((*size, 0))
        for start, stop in _windows(n):
            noise = noise[..., -OVERLAP:] if start else noise
            fresh = torch.randn((*size, stop - start - noise.shape[-1]), generator=generator)
            noise = torch.cat((noise, fresh), dim=-1)
            piece = torch.from_numpy(np.ascontiguousarray(samples[:, start:stop])).to(self.device)
            xyz = torch.from_numpy(_places(scene, start, stop)).to(self.device)
            present = torch.ones(xyz.shape[:2], dtype=torch.bool, device=self.device)
            with torch.no_grad():
                stereo = _denoise(self.net, piece, xyz, present, noise.to(self.device))[0].cpu().numpy()
            out[:, start:stop] += stereo * _fades(start, stop, n)
        return Audio(out, RATE)


def _checked(mono: Audio, scene: Scene) -> Samples:
    if mono.samples.shape[0] != 1:
        raise InputError(f"`mono` has {mono.samples.shape[0]} channels but must have 1")
    if mono.rate != RATE:
        raise InputError(f"`mono` is at {mono.rate} Hz but must be at {RATE} Hz")
    if not np.isfinite(mono.samples).all():
        raise InputError("`mono` holds NaN or infinite values but must be finite")
    if not scene.sources:
        raise InputError("`scene.sources` is empty but must hold at least one source")
    return mono.samples


def _windows(n: int) -> Iterator[tuple[int, int]]:
    """First and last-plus-one sample of windows over n samples; the last is longer than the overlap."""
    for start in range(0, max(n - OVERLAP, min(n, 1)), WINDOW - OVERLAP):
        yield start, min(start + WINDOW, n)


def _fades(start: int, stop: int, n: int) -> Samples:
    """Weights (stop - start,) of a window; those of all windows sum to one."""
    rise = np.clip((np.arange(OVERLAP) - EDGE + 0.5) / (OVERLAP - 2 * EDGE), 0, 1).astype(np.float32)
    weights = np.ones(stop - start, np.float32)
    if start > 0:
        weights[:OVERLAP] = rise
    if stop < n:
        weights[-OVERLAP:] = 1 - rise
    return weights


def _places(scene: Scene, start: int, stop: int) -> Samples:
    """Where the sources are, (1, K, T, 3) m, from sample `start` to the last before `stop`."""
    moments = max(2, round((stop - start) / RATE * MOMENTS_PER_S))
    times = np.linspace(start, stop - 1, moments) / RATE
    return np.stack([position(source, times) for source in scene.sources]).astype(np.float32)[None]


def save_baseline(net: DiffWaveNet, path: Path, notes: Mapping[str, Any]) -> Path:
    """Write the weights as float16 safetensors, atomically, `notes` (steps, data, figures) in its header."""
    from safetensors.torch import save

    header = {name: str(value) for name, value in notes.items()}
    header |= {"format": FORMAT, "version": VERSION, "net": json.dumps(net.shape)}
    with atomic_output(path, overwrite=True) as temporary:
        temporary.write_bytes(save(halved(net), metadata=header))
    return Path(path)


def load_baseline(path: Path) -> DiffWaveNet:
    """The network of a file of `save_baseline`, on the CPU. Raises `InputError` for any other file."""
    from safetensors import SafetensorError, safe_open

    path = check_input(path, "weights")
    try:
        with safe_open(str(path), framework="pt") as file:
            header = file.metadata() or {}
            if (header.get("format"), header.get("version")) != (FORMAT, VERSION):
                raise ValueError(
                    f"its format is {header.get('format')!r} {header.get('version', '')}".strip()
                )
            net = DiffWaveNet(**_shape(header.get("net", "")))
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        if not all(tensor.isfinite().all() for tensor in state.values()):
            raise ValueError("it holds NaN or infinite values")
        net.load_state_dict(state)
    except (OSError, SafetensorError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:80]
        raise InputError(
            f"weights {path} cannot be used ({reason}) but must be a safetensors file of the "
            f"FoleySpace-style baseline ({FORMAT} version {VERSION})"
        ) from None
    return net.eval()


def _shape(stated: str) -> dict[str, int]:
    shape = json.loads(stated)
    if not isinstance(shape, dict) or set(shape) != set(_LIMITS):
        raise ValueError("its header does not state the network")
    for name, (low, high) in _LIMITS.items():
        if not isinstance(shape[name], int) or not low <= shape[name] <= high:
            raise ValueError(f"its header states {name} {shape[name]!r}")
    return shape


assert WINDOW % PATCH == OVERLAP % PATCH == 0  # frames of two windows coincide
