"""DiffWave (Kong et al. 2021, arXiv:2009.09761), as far as the two waveform baselines share it: schedule,
loss, sampler, and the stack of layers. Imports torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from foleyspace.errors import InputError
from foleyspace.spatializer.between import at_places
from foleyspace.types import Floats

STEPS = 50  # diffusion steps of the training schedule
BETAS = np.linspace(1e-4, 0.05, STEPS)  # its noise variances (section 5.1)
FAST_BETAS = np.array([1e-4, 1e-3, 1e-2, 0.05, 0.2, 0.5])  # DiffWave's six steps, appendix B
LEVEL = 0.3  # RMS of the sound it works at; DiffWave's is lower, but then hardly any of its loss is on the
# steps with most noise, where the sound has to be made from its conditions
SILENT = 1e-6  # RMS below which nothing is brought up
DILATION_CYCLE = 5  # dilations 1 to 16 frames
KERNEL = 3
STEP_TABLE_DIM = 128
STEP_DIM = 256

Predict = Callable[[Tensor, Tensor], Tensor]  # noisy (B, C, n), step (B,): the noise (B, C, n) in it


def noise_error(
    predict: Predict, clean: Tensor, generator: torch.Generator, *, even: float | None = None
) -> Tensor:
    """Mean squared error of the noise predicted in `clean` (B, C, n) at a random step an item (equation 7):
    1 is that of a network that predicts none. `even`: the level of `clean`, where the error is to be relative
    to that of knowing this level only, so that all steps count the same (Karras et al. 2022, section 5) and 1
    is that network's."""
    step = torch.randint(0, STEPS, (len(clean),), generator=generator, device=generator.device)
    kept = torch.from_numpy(np.cumprod(1 - BETAS)).to(clean)[step.to(clean.device), None, None]
    noise = torch.randn(clean.shape, generator=generator, device=generator.device).to(clean)
    noisy = kept.sqrt() * clean + (1 - kept).sqrt() * noise
    error = (predict(noisy, step.to(clean.device)) - noise).square()
    return (error * (1 + (1 - kept) / (kept * even**2)) if even else error).mean()


def noise_schedule(steps: int) -> Floats:
    """The variances (steps,) of the noise added at each diffusion step, first to last: 6 `steps` are
    DiffWave's fast schedule, 50 the one of the training, others lie evenly within it. Raises `InputError` for
    `steps` outside 1 to 50."""
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= STEPS:
        raise InputError(f"`steps` is {steps!r} but must be a whole number between 1 and {STEPS}")
    if steps == len(FAST_BETAS):
        return FAST_BETAS
    kept = np.cumprod(1 - BETAS)[np.linspace(STEPS - 1, 0, steps).round().astype(int)[::-1]]
    betas: Floats = 1 - kept / np.concatenate(([1.0], kept[:-1]))
    return betas


def denoise(predict: Predict, noise: Tensor) -> Tensor:
    """Algorithm 2, its `noise` (steps, B, C, n) given: where it starts, then what each step adds."""
    betas = noise_schedule(len(noise))
    kept = np.cumprod(1 - betas)
    # the training steps that had as much noise, fractions between them (appendix B)
    trained = np.sqrt(np.cumprod(1 - BETAS))
    aligned = np.interp(-np.sqrt(kept), -trained, np.arange(STEPS))
    x = noise[0]
    for n in reversed(range(len(betas))):
        predicted = predict(x, torch.full((len(x),), aligned[n], device=x.device))
        x = (x - float(betas[n] / np.sqrt(1 - kept[n])) * predicted) / float(np.sqrt(1 - betas[n]))
        if n > 0:
            sigma = np.sqrt((1 - kept[n - 1]) / (1 - kept[n]) * betas[n])
            x = x + float(sigma) * noise[len(betas) - n]
    return x


def normalised(mono: Tensor, level: float = LEVEL) -> tuple[Tensor, Tensor]:
    """`mono` (B, n) at RMS `level`, and what it was divided by (B, 1)."""
    scale = mono.square().mean(dim=-1, keepdim=True).sqrt().clamp(min=SILENT) / level
    return mono / scale, scale


def scaled_back(x: Tensor, scale: Tensor, level: float = LEVEL) -> Tensor:
    """`x` (B, C, n) times the `scale` (B, 1) of `normalised`; silence for what was silent."""
    return torch.where(scale[:, :, None] * level > SILENT, x * scale[:, :, None], 0.0)


class Stack(nn.Module):
    """Residual layers of dilated convolutions with gated units, their skip outputs summed, a diffusion-step
    embedding added in front of each and the conditions inside each gate.

    `patch` neighbouring samples are folded into channels (and unfolded at the end, nothing is lost), so that
    the layers run at so much lower a rate. Of the noise the part that follows from the level alone is put in
    by formula and the layers predict the rest, at unit variance (preconditioning as in Karras et al. 2022,
    arXiv:2206.00364, section 5, written for noise prediction; what is predicted and the loss stay
    DiffWave's): without it short training is spent on getting the noise through the layers, and what is
    sampled is mostly noise.
    """

    kept: Tensor

    def __init__(
        self,
        channels: int,
        layers: int,
        conditions: int,
        patch: int,
        sounds: int,
        level: float = LEVEL,
    ) -> None:
        """`conditions`: beside the patches of the mono sound; `sounds`: channels of what is generated;
        `level`: its RMS, about, and that of the mono sound."""
        super().__init__()
        self.patch, self.level = patch, level
        # the share of the sound's power that is left in `noisy` at each step
        self.register_buffer("kept", torch.from_numpy(np.cumprod(1 - BETAS)).float(), persistent=False)
        self.step = StepEmbedding()
        self.input = conv((sounds + 1) * patch, channels)
        self.layers = nn.ModuleList(
            ResidualLayer(channels, conditions + patch, 2 ** (n % DILATION_CYCLE)) for n in range(layers)
        )
        self.skip = conv(channels, channels)
        self.output = nn.Conv1d(channels, sounds * patch, 1)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)  # type: ignore[arg-type]

    def noise_in(
        self, noisy: Tensor, step: Tensor, mono: Tensor, conditions: Tensor, guess: Tensor | float = 0.0
    ) -> Tensor:
        """The noise (B, C, n) in `noisy` at `step` (B,), 0 to `STEPS` - 1, fractions allowed, beside `mono`
        (B, n) at RMS `level` and under `conditions` (B, c, frames). `guess` (B, C, n): a first one at the
        sound, relative to `level`, put in where the noise hides it."""
        n = mono.shape[-1]
        kept = at_places(self.kept, step.to(self.kept.dtype), 0)[:, None, None]
        spread = (kept * self.level**2 + 1 - kept).sqrt()  # standard deviation of `noisy`
        sound = fold(mono[:, None] / self.level, self.patch)
        x = torch.cat((fold(noisy / spread, self.patch), sound), dim=1)
        conditions = torch.cat((conditions, sound), dim=1)
        embedded = self.step(step)
        x = functional.relu(self.input(x))
        skips: Tensor | float = 0.0
        for layer in self.layers:
            x, skip = layer(x, embedded, conditions)
            skips = skips + skip
        y = functional.relu(self.skip(skips / math.sqrt(len(self.layers))))
        rest = unfold(self.output(y), n, self.patch) - (1 - kept).sqrt() / spread * guess
        return (1 - kept).sqrt() / spread**2 * noisy + kept.sqrt() * self.level / spread * rest

    @property
    def reach(self) -> int:
        """Samples to either side that one output sample depends on by way of the layers, at most."""
        frames = sum(2 ** (n % DILATION_CYCLE) for n in range(len(self.layers))) * (KERNEL // 2)
        return (frames + 1) * self.patch


class ResidualLayer(nn.Module):
    """DiffWave's layer: (B, C, frames) to the same for the next layer, and a skip output."""

    def __init__(self, channels: int, conditions: int, dilation: int) -> None:
        super().__init__()
        self.step = nn.Linear(STEP_DIM, channels)
        self.dilated = conv(channels, 2 * channels, KERNEL, dilation)
        self.condition = conv(conditions, 2 * channels)
        self.output = conv(channels, 2 * channels)

    def forward(self, x: Tensor, step: Tensor, conditions: Tensor) -> tuple[Tensor, Tensor]:
        y = self.dilated(x + self.step(step)[:, :, None]) + self.condition(conditions)
        gate, signal = y.chunk(2, dim=1)
        residual, skip = self.output(torch.sigmoid(gate) * torch.tanh(signal)).chunk(2, dim=1)
        return (x + residual) / math.sqrt(2), skip


class StepEmbedding(nn.Module):
    """Diffusion steps (B,) to (B, STEP_DIM): DiffWave's sinusoids (section 3.1), then two layers. Between
    whole steps the table is read linearly, for schedules with fewer steps."""

    table: Tensor

    def __init__(self) -> None:
        super().__init__()
        half = STEP_TABLE_DIM // 2
        frequencies = 10.0 ** (torch.arange(half, dtype=torch.float64) * 4 / (half - 1))
        angles = torch.arange(STEPS, dtype=torch.float64)[:, None] * frequencies
        self.register_buffer("table", torch.cat((angles.sin(), angles.cos()), 1).float(), persistent=False)
        self.layers = nn.Sequential(
            nn.Linear(STEP_TABLE_DIM, STEP_DIM), nn.SiLU(), nn.Linear(STEP_DIM, STEP_DIM), nn.SiLU()
        )

    def forward(self, step: Tensor) -> Tensor:
        embedded: Tensor = self.layers(at_places(self.table, step.to(self.table.dtype), 0))
        return embedded


def conv(inputs: int, outputs: int, kernel: int = 1, dilation: int = 1) -> nn.Conv1d:
    """A convolution that keeps the length, with DiffWave's initial weights."""
    layer = nn.Conv1d(inputs, outputs, kernel, padding=dilation * (kernel // 2), dilation=dilation)
    nn.init.kaiming_normal_(layer.weight)
    return layer


def fold(x: Tensor, patch: int) -> Tensor:
    """(B, C, n) to (B, C * patch, frames), zeros where the last frame is not full."""
    batch, channels, n = x.shape
    frames = max(1, -(-n // patch))
    x = functional.pad(x, (0, frames * patch - n)).view(batch, channels, frames, patch)
    return x.transpose(2, 3).reshape(batch, channels * patch, frames)


def unfold(x: Tensor, n: int, patch: int) -> Tensor:
    """The inverse of `fold`, cut to n samples."""
    batch, folded, frames = x.shape
    x = x.view(batch, folded // patch, patch, frames).transpose(2, 3)
    return x.reshape(batch, folded // patch, frames * patch)[..., :n]
