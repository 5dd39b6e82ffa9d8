"""Layers along time: what comes before and after a frame, and what the other slots make of it.

Dilated convolutions reach 1.3 s to either side, a recurrent layer at half the frame rate as far as the piece
goes. Convolutions are what a CPU computes fastest; a recurrent layer alone takes three times as long.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

DILATIONS = (1, 2, 4, 8, 16, 32)
GROUPS = 8
FAINT = 0.3
DROPPED = 0.1


class AlongTime(nn.Module):
    """Frames (N, T, `width`) to (N, T, `out`), T even; N = B pieces times K slots. What steers the layers is
    as wide (FiLM); after every second layer the slots of a piece hear their mean."""

    def __init__(self, width: int) -> None:
        super().__init__()
        far = 2 * width // 3
        self.out = width + 2 * far
        self.layers = nn.ModuleList(_Layer(width, dilation) for dilation in DILATIONS)
        self.films = nn.Linear(width, 2 * width * len(DILATIONS))
        self.others = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in range(len(DILATIONS) // 2))
        self.recurrent = nn.GRU(width, far, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor, condition: Tensor, slots: int) -> Tensor:
        x = x.transpose(1, 2)
        films = self.films(condition)[:, :, None].chunk(2 * len(self.layers), dim=1)
        for number, layer in enumerate(self.layers):
            x = layer(x, films[2 * number], films[2 * number + 1])
            if number % 2:
                mean = x.unflatten(0, (-1, slots)).mean(dim=1)
                x = x + self.others[number // 2](mean).repeat_interleave(slots, dim=0)
        slow = functional.dropout(functional.avg_pool1d(x, 2).transpose(1, 2), DROPPED, self.training)
        far, _ = self.recurrent(slow)
        return torch.cat((x.transpose(1, 2), far.repeat_interleave(2, dim=1)), dim=2)


class _Layer(nn.Module):
    """A dilated convolution beside the identity, faint at first."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, width)
        self.wide = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.out = nn.Conv1d(width, width, 1)
        self.gain = nn.Parameter(torch.full((width, 1), FAINT))

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        steered = torch.addcmul(shift, self.norm(x), 1 + scale)
        return torch.addcmul(x, self.out(functional.relu(self.wide(steered))), self.gain)
