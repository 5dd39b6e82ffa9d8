"""The embedded tagger's network. Imports torch: import it only where the network is used."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTHS = (24, 48, 96, 192)
DROPOUT = 0.2


class TaggerNet(nn.Module):
    """Log-mel windows to unit vectors of `dim` numbers (the space of the word vectors) and kind logits.

    Input (B, T, M): dB below each window's loudest cell, as `tagger.normalise` gives them. A small residual
    network; a second input plane tells every cell its frequency, which convolution alone cannot know.
    """

    def __init__(self, dim: int, kinds: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(2, WIDTHS[0], 5, 2, 2, bias=False), nn.BatchNorm2d(WIDTHS[0]))
        inputs = (WIDTHS[0], *WIDTHS[:-1])
        self.blocks = nn.Sequential(
            *(Block(i, o, 1 if n == 0 else 2) for n, (i, o) in enumerate(zip(inputs, WIDTHS, strict=True)))
        )
        self.drop = nn.Dropout(DROPOUT)
        self.project = nn.Linear(2 * WIDTHS[-1], dim)
        self.kind = nn.Linear(dim, kinds)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def forward(self, mel: Tensor) -> Tensor:
        """(B, T, M) to unit vectors (B, dim)."""
        x = self.patches(mel)
        pooled = torch.cat((x.mean((2, 3)), x.amax((2, 3))), dim=1)
        return functional.normalize(self.project(self.drop(pooled)).float(), dim=1)

    def patches(self, mel: Tensor) -> Tensor:
        """(B, T, M) to what is heard, patch by patch, not yet pooled: (B, `WIDTHS[-1]`, T / 16, M / 16)."""
        pitch = torch.linspace(-1, 1, mel.shape[2], device=mel.device, dtype=mel.dtype).expand_as(mel)
        x = torch.stack((mel, pitch), dim=1).contiguous(memory_format=torch.channels_last)
        return self.blocks(functional.relu(self.stem(x)))

    def kind_logits(self, vectors: Tensor) -> Tensor:
        """(B, dim) unit vectors to (B, kinds) logits."""
        return self.kind(vectors * math.sqrt(vectors.shape[1]))


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut; the first may halve time and frequency."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = (
            nn.Identity()
            if stride == 1 and inputs == outputs
            else nn.Sequential(
                nn.AvgPool2d(stride, stride, ceil_mode=True),
                nn.Conv2d(inputs, outputs, 1, bias=False),
                nn.BatchNorm2d(outputs),
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.norm1(self.conv1(x)))
        return functional.relu(self.norm2(self.conv2(y)) + self.shortcut(x))
