"""The network of the FoleySpace-style baseline: DiffWave's stack, conditioned on mono sound and trajectories.

Imports torch: import it only where the network is used.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from foleyspace.spatializer.between import at_places
from foleyspace.spatializer.diffwave import Stack

PATCH = 32  # neighbouring samples that make one frame: 1500 frames a second at 48 kHz
NEAR_M, FAR_M = 0.1, 100.0  # distances are held within, in the conditioning


class DiffWaveNet(Stack):
    """Noise in a noisy binaural pair, given the mono mixture and where its sources are.

    FoleySpace (Zhao et al. 2025, arXiv:2508.12918) lets DiffWave (`diffwave.Stack`) generate two channels
    from noise, conditioned on the mono waveform and the 3-D trajectory.

    Kept: waveform in, waveform out, noise prediction, generation from pure noise, both conditions, no
    labels and no HRIR set (the network has to learn the average ear by heart). Simplified:
    - the mono waveform comes in as a third channel beside the noisy pair and, with the trajectory, in every
      gate, as it is, not through an encoder;
    - `PATCH` neighbouring samples are folded into channels (and unfolded at the end, nothing is lost), so
      that the stack runs at 1500 frames a second: at 48,000 it would take 30 times as long;
    - 15 layers of 96 channels (1.9 M parameters), convolutions that look both ways: their dilations reach
      512 samples, as DiffWave's 10 layers on single samples.
    Added: the preconditioning of `Stack`.

    Its formulation knows one source. For a mixture each source's trajectory is embedded with the same
    weights and the embeddings are summed, so the order of the sources does not matter; which part of the
    sound belongs to which place nothing tells it. Loudness of a source (`gain_db`) and its width are not
    conditions either.
    """

    def __init__(self, channels: int = 96, layers: int = 15, conditions: int = 64) -> None:
        super().__init__(channels, layers, conditions, PATCH, sounds=2)
        self.shape = {"channels": channels, "layers": layers, "conditions": conditions}
        self.trajectory = TrajectoryEmbedding(conditions)

    def forward(self, noisy: Tensor, step: Tensor, mono: Tensor, xyz: Tensor, present: Tensor) -> Tensor:
        """The noise (B, 2, n) in `noisy` (B, 2, n) at diffusion `step` (B,), 0 to `STEPS` - 1, fractions
        allowed. `mono` (B, n); `xyz` (B, K, T, 3) m at T evenly spaced moments, both ends included;
        `present` (B, K) bool."""
        n = mono.shape[-1]
        places = self.trajectory(_at_frames(xyz, n, max(1, -(-n // PATCH))), present)
        return self.noise_in(noisy, step, mono, places)


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


def _at_frames(xyz: Tensor, n: int, frames: int) -> Tensor:
    """Straight lines between the T moments of `xyz` (B, K, T, 3), read in the middle of each frame."""
    middle = (torch.arange(frames, device=xyz.device) + 0.5) * PATCH - 0.5
    return at_places(xyz, middle / max(n - 1, 1) * (xyz.shape[2] - 1), 2)
