"""The network of the FoleySpace-style baseline: DiffWave's stack, conditioned on mono sound and trajectories.

Imports torch: import it only where the network is used.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

STEPS = 50  # diffusion steps of the training schedule
BETAS = np.linspace(1e-4, 0.05, STEPS)  # its noise variances (DiffWave, section 5.1)
LEVEL = 0.3  # RMS of the sound it works at; DiffWave's is lower, but then hardly any of the loss is on the
# steps with most noise, where the pair has to be made from the mono sound
PATCH = 32  # neighbouring samples that make one frame: 1500 frames a second at 48 kHz
DILATION_CYCLE = 5  # dilations 1 to 16 frames: 512 samples, as DiffWave's 10 layers on single samples
KERNEL = 3
STEP_TABLE_DIM = 128
STEP_DIM = 256
NEAR_M, FAR_M = 0.1, 100.0  # distances are held within, in the conditioning


class DiffWaveNet(nn.Module):
    """Noise in a noisy binaural pair, given the mono mixture and where its sources are.

    DiffWave (Kong et al. 2021, arXiv:2009.09761): residual layers of dilated convolutions with gated
    units, their skip outputs summed, a diffusion-step embedding added in front of each layer and the
    conditioner added inside each gate. FoleySpace (Zhao et al. 2025, arXiv:2508.12918) lets such a model
    generate two channels from noise, conditioned on the mono waveform and the 3-D trajectory.

    Kept: waveform in, waveform out, noise prediction, generation from pure noise, both conditions, no
    labels and no HRIR set (the network has to learn the average ear by heart). Simplified:
    - the mono waveform comes in as a third channel beside the noisy pair and, with the trajectory, in every
      gate, as it is, not through an encoder;
    - `PATCH` neighbouring samples are folded into channels (and unfolded at the end, nothing is lost), so
      that the stack runs at 1500 frames a second: at 48,000 it would take 30 times as long;
    - 15 layers of 96 channels (1.9 M parameters), convolutions that look both ways.
    Added: the part of the noise that follows from the level alone is put in by formula and the layers
    predict the rest, at unit variance (preconditioning as in Karras et al. 2022, arXiv:2206.00364, section
    5, written for noise prediction; what is predicted and the loss stay DiffWave's): without it short
    training is spent on getting the noise through the layers, and what is sampled is mostly noise.

    Its formulation knows one source. For a mixture each source's trajectory is embedded with the same
    weights and the embeddings are summed, so the order of the sources does not matter; which part of the
    sound belongs to which place nothing tells it. Loudness of a source (`gain_db`) and its width are not
    conditions either.
    """

    kept: Tensor

    def __init__(self, channels: int = 96, layers: int = 15, conditions: int = 64) -> None:
        super().__init__()
        self.shape = {"channels": channels, "layers": layers, "conditions": conditions}
        # the share of the sound's power that is left in `noisy` at each step
        self.register_buffer("kept", torch.from_numpy(np.cumprod(1 - BETAS)).float(), persistent=False)
        self.step = StepEmbedding()
        self.trajectory = TrajectoryEmbedding(conditions)
        self.input = _conv(3 * PATCH, channels)
        self.layers = nn.ModuleList(
            ResidualLayer(channels, conditions + PATCH, 2 ** (n % DILATION_CYCLE)) for n in range(layers)
        )
        self.skip = _conv(channels, channels)
        self.output = nn.Conv1d(channels, 2 * PATCH, 1)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)  # type: ignore[arg-type]

    def forward(self, noisy: Tensor, step: Tensor, mono: Tensor, xyz: Tensor, present: Tensor) -> Tensor:
        """The noise (B, 2, n) in `noisy` (B, 2, n) at diffusion `step` (B,), 0 to `STEPS` - 1, fractions
        allowed. `mono` (B, n); `xyz` (B, K, T, 3) m at T evenly spaced moments, both ends included;
        `present` (B, K) bool."""
        n = mono.shape[-1]
        kept = _between(self.kept, step)[:, None, None]
        spread = (kept * LEVEL**2 + 1 - kept).sqrt()  # standard deviation of `noisy`
        x = _fold(torch.cat((noisy / spread, mono[:, None] / LEVEL), dim=1))
        places = self.trajectory(_at_frames(xyz, n, x.shape[-1]), present)
        conditions = torch.cat((places, x[:, 2 * PATCH :]), dim=1)
        embedded = self.step(step)
        x = functional.relu(self.input(x))
        skips: Tensor | float = 0.0
        for layer in self.layers:
            x, skip = layer(x, embedded, conditions)
            skips = skips + skip
        y = functional.relu(self.skip(skips / math.sqrt(len(self.layers))))
        rest = _unfold(self.output(y), n)
        return (1 - kept).sqrt() / spread**2 * noisy + kept.sqrt() * LEVEL / spread * rest

    @property
    def reach(self) -> int:
        """Samples to either side that one output sample depends on, at most."""
        frames = sum(2 ** (n % DILATION_CYCLE) for n in range(len(self.layers))) * (KERNEL // 2)
        return (frames + 1) * PATCH


class ResidualLayer(nn.Module):
    """DiffWave's layer: (B, C, frames) to the same for the next layer, and a skip output."""

    def __init__(self, channels: int, conditions: int, dilation: int) -> None:
        super().__init__()
        self.step = nn.Linear(STEP_DIM, channels)
        self.dilated = _conv(channels, 2 * channels, KERNEL, dilation)
        self.condition = _conv(conditions, 2 * channels)
        self.output = _conv(channels, 2 * channels)

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
        embedded: Tensor = self.layers(_between(self.table, step))
        return embedded


class TrajectoryEmbedding(nn.Module):
    """Places (B, K, frames, 3) m and `present` (B, K) to conditions (B, C, frames): sine and cosine of the
    azimuth, elevation, log distance, two layers shared by all sources, summed over those present."""

    def __init__(self, conditions: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(4, conditions), nn.SiLU(), nn.Linear(conditions, conditions), nn.SiLU()
        )
        self.mixed = nn.Linear(conditions, conditions)

    def forward(self, xyz: Tensor, present: Tensor) -> Tensor:
        used = present[:, :, None, None]
        x, y, z = torch.where(used, xyz, xyz.new_tensor((1.0, 0.0, 0.0))).unbind(-1)
        level = torch.hypot(x, y)
        azimuth = torch.atan2(y, x)
        elevation = torch.atan2(z, level) * (2 / math.pi)
        distance = torch.hypot(level, z).clamp(NEAR_M, FAR_M).log10()
        features = torch.stack((azimuth.sin(), azimuth.cos(), elevation, distance), dim=-1)
        summed = torch.where(used, self.layers(features), 0.0).sum(dim=1)
        return functional.silu(self.mixed(summed)).transpose(1, 2)


def _between(table: Tensor, step: Tensor) -> Tensor:
    """Rows of `table` (STEPS, ...) at `step` (B,), read linearly between whole steps."""
    step = step.to(table.dtype).clamp(0, STEPS - 1)
    low = step.floor().long()
    part = (step - low).view(-1, *[1] * (table.ndim - 1))
    return torch.lerp(table[low], table[(low + 1).clamp(max=STEPS - 1)], part)


def _conv(inputs: int, outputs: int, kernel: int = 1, dilation: int = 1) -> nn.Conv1d:
    conv = nn.Conv1d(inputs, outputs, kernel, padding=dilation * (kernel // 2), dilation=dilation)
    nn.init.kaiming_normal_(conv.weight)
    return conv


def _fold(x: Tensor) -> Tensor:
    """(B, C, n) to (B, C * PATCH, frames), zeros where the last frame is not full."""
    batch, channels, n = x.shape
    frames = max(1, -(-n // PATCH))
    x = functional.pad(x, (0, frames * PATCH - n)).view(batch, channels, frames, PATCH)
    return x.transpose(2, 3).reshape(batch, channels * PATCH, frames)


def _unfold(x: Tensor, n: int) -> Tensor:
    """The inverse of `_fold`, cut to n samples."""
    batch, folded, frames = x.shape
    x = x.view(batch, folded // PATCH, PATCH, frames).transpose(2, 3)
    return x.reshape(batch, folded // PATCH, frames * PATCH)[..., :n]


def _at_frames(xyz: Tensor, n: int, frames: int) -> Tensor:
    """Straight lines between the T moments of `xyz` (B, K, T, 3), read in the middle of each frame."""
    last = xyz.shape[2] - 1
    middle = (torch.arange(frames, device=xyz.device) + 0.5) * PATCH - 0.5
    at = (middle / max(n - 1, 1) * last).clamp(0, last)
    low = at.floor().long()
    part = (at - low).to(xyz.dtype)[:, None]
    return torch.lerp(xyz[:, :, low], xyz[:, :, (low + 1).clamp(max=last)], part)
