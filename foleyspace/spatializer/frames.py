"""The network's second opinion: frame by frame, with all frequencies at once and everything before and after.

Where the U-Net looks at the neighbourhood of a cell, this branch takes in a whole frame, runs along time in
both directions with recurrent layers, and lets the slots hear each other in between. Per frame and eighth of
the bands it ends in a query; its product with what is seen in each cell is the slot's claim.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional

from foleyspace.spatializer.bands import BANDS
from foleyspace.word_vectors import DIM

CHANNELS = (24, 32, 48, 64)
STEP = 8  # bands to a query
ROWS = BANDS // STEP
DETAIL = 32
FRAME = 320  # numbers that a frame is brought to
HEARD = 64
DROPPED = 0.15
GROUPS = 8


class FrameNet(nn.Module):
    """Logits of the slots. Shapes as in `model.SeparatorNet`; `known`: planes of what is known of a cell;
    `width`: of the condition and of the recurrent layers."""

    def __init__(self, known: int, width: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(2, CHANNELS[0], 3, padding=1)
        self.detail = nn.Conv2d(CHANNELS[0], DETAIL, 3, padding=1)
        self.down = nn.Sequential(*(_halved(a, b) for a, b in itertools.pairwise(CHANNELS[:3])))
        self.label = nn.Sequential(nn.Linear(DIM, width), nn.SiLU(), nn.Linear(width, width))
        self.when = nn.Linear(1, width)
        self.film = nn.Linear(width, 2 * CHANNELS[2])
        self.known = nn.Conv2d(known, CHANNELS[2], 1)
        self.slot = _halved(CHANNELS[2], CHANNELS[3])
        self.frame = nn.Linear(ROWS * CHANNELS[3], FRAME)
        self.heard = nn.Linear(DIM, HEARD)
        self.first = nn.GRU(FRAME + HEARD + width, width, batch_first=True, bidirectional=True)
        self.second = nn.GRU(4 * width, width, batch_first=True, bidirectional=True)
        self.query = nn.Linear(4 * width, (DETAIL + 1) * ROWS)

    def forward(self, planes: Tensor, labels: Tensor, known: Tensor, heard: Tensor, time: Tensor) -> Tensor:
        """(B, K, `BANDS`, T) from `planes` (B, 2, `BANDS`, T): levels and place; `labels` (B, K, 384),
        complete; `known` (B K, planes, `BANDS`, T); `heard` (B, T, 384): what each frame sounds like."""
        size, slots = labels.shape[:2]
        frames = planes.shape[-1]
        seen = functional.relu(self.stem(planes))
        detail = self.detail(seen)
        condition = self.label(labels.flatten(0, 1)) + self.when(time[:, None]).repeat_interleave(slots, 0)
        condition = functional.silu(condition)
        scale, shift = self.film(condition)[:, :, None, None].chunk(2, dim=1)
        told = shift + self.known(functional.avg_pool2d(known, (STEP // 2, 1)))
        x = self.down(seen).repeat_interleave(slots, dim=0)
        x = self.slot(functional.relu(torch.addcmul(told, x, 1 + scale)))
        x = functional.relu(self.frame(x.flatten(1, 2).transpose(1, 2)))
        words = functional.relu(self.heard(heard)).repeat_interleave(slots, dim=0)
        x = torch.cat((x, words, condition[:, None].expand(-1, frames, -1)), dim=2)
        first, _ = self.first(self._dropped(x))
        mean = first.unflatten(0, (size, slots)).mean(dim=1).repeat_interleave(slots, dim=0)
        second, _ = self.second(self._dropped(torch.cat((first, mean), dim=2)))
        query = self.query(self._dropped(torch.cat((first, second), dim=2))).transpose(1, 2)
        query = functional.interpolate(
            query.unflatten(1, (DETAIL + 1, ROWS)), size=(BANDS, frames), mode="bilinear"
        )
        query, bias = query.unflatten(0, (size, slots)).split((DETAIL, 1), dim=2)
        return (query * detail[:, None]).sum(dim=2) + bias[:, :, 0]

    def _dropped(self, x: Tensor) -> Tensor:
        return functional.dropout(x, DROPPED, self.training)


def _halved(into: int, out: int) -> nn.Sequential:
    """Half as many bands."""
    return nn.Sequential(
        nn.Conv2d(into, out, 3, stride=(2, 1), padding=1, bias=False), nn.GroupNorm(GROUPS, out), nn.ReLU()
    )
