"""How words come to audio features: TAS's semantic-aware fusion, and what its table 3 compares it with.

Imports torch: import it only where the network is used.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from foleyspace.errors import InputError

Mode = Literal["saf", "none", "add", "conv"]
HEADS = 4


class Fusion(nn.Module):
    """Audio features (B, C, F, T) and a text's vector (B, D) to fused features (B, C, F, T).

    Modes (Li et al., TAS: Personalized Text-guided Audio Spatialization, ACM MM 2024, equations 6-8 and
    table 3):
    - `saf`: the text asks (query) every cell of the features (keys) whether it is spoken of; the attention
      over time and frequency times the text (values) is a map that says what is said of each cell, which is
      concatenated with the features and convolved;
    - `none`: the features alone, convolved;
    - `add`: the projected text is added to every cell, and that is convolved;
    - `conv`: the projected text is concatenated with every cell, and that is convolved: to `add` it differs
      in that the text has weights of its own.

    A text of zeros is no text: what it would add is zero. Two things differ from plain attention: the weights
    are a softmax scaled to a largest of one, so that they do not shrink as a sound gets longer, and there are
    `HEADS` maps, since a text may speak of several sounds.
    Raises `InputError` for another mode.
    """

    def __init__(self, mode: Mode, channels: int, dim: int) -> None:
        super().__init__()
        if mode not in get_args(Mode):
            raise InputError(f"`fusion` is {mode!r} but must be one of {', '.join(get_args(Mode))}")
        self.mode, self.dim = mode, dim
        width = 2 * channels if mode in ("saf", "conv") else channels
        # of unit vectors in D dimensions each number is small; no bias, so that zeros stay without effect
        self.value = (
            None if mode == "none" else nn.Linear(dim, channels * (HEADS if mode == "saf" else 1), False)
        )
        if mode == "saf":
            self.query = nn.Linear(dim, channels * HEADS, False)
            self.key = nn.Conv2d(channels, channels * HEADS, 1, bias=False)  # it would shift all scores
        self.mix = nn.Sequential(nn.Conv2d(width, channels, 3, padding=1), nn.SiLU())

    def forward(self, features: Tensor, text: Tensor) -> Tensor:
        if self.value is None:
            return self._mixed(features)
        text = text * self.dim**0.5
        said = self.value(text)[:, :, None, None]
        if self.mode == "add":
            return self._mixed(features + said)
        if self.mode == "conv":
            return self._mixed(torch.cat((features, said.expand_as(features)), dim=1))
        maps = self.attention(features, text)  # (B, HEADS, 1, F, T)
        informed = (maps * said.unflatten(1, (HEADS, -1))).sum(dim=1)
        return self._mixed(torch.cat((features, informed), dim=1))

    def attention(self, features: Tensor, text: Tensor) -> Tensor:
        """(B, `HEADS`, 1, F, T) in [0, 1]: how much of the text each cell is about, relative to the one that
        it is about most; `text` (B, D) of length sqrt(D)."""
        query = self.query(text).unflatten(1, (HEADS, -1))
        key = self.key(features).unflatten(1, (HEADS, -1))
        scores = torch.einsum("bhc,bhcft->bhft", query, key) / key.shape[2] ** 0.5
        return (scores - scores.amax(dim=(2, 3), keepdim=True)).exp()[:, :, None]

    def _mixed(self, features: Tensor) -> Tensor:
        fused: Tensor = self.mix(features)
        return fused
