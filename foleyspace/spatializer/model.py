"""The network: which part of a mixture belongs to which of the named sources.

A U-Net over bands and frames. Its encoder reads the mixture once; its decoder runs for every source slot,
steered by the slot's label (FiLM), by what is known of when it sounds, and by the current estimate of its
share, and by how much each patch of the mixture sounds like the label to the tagger (`ears.py`); at its
bottom the label and the prompt as a whole, where there is one, are fused with what is there (TAS's
semantic-aware fusion, `fusion.py`); at every level the slots hear the mean of all slots. The decoder ends at
half resolution, in a query for each 2 x 2 cells; its product with what the encoder sees in each cell is the
slot's claim to it. To that is added the claim of a recurrent branch that takes in whole frames (`frames.py`).
A softmax over the slots makes the masks, so that the stems add up to the mixture whatever happens. Nothing
depends on the order or the number of slots.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from foleyspace.spatializer.bands import BANDS, FLOOR_DB
from foleyspace.spatializer.ears import Ears, doubts, on_grid
from foleyspace.spatializer.frames import FrameNet
from foleyspace.spatializer.fusion import Fusion, Mode
from foleyspace.word_vectors import DIM

MULTIPLE = 16  # frames come in multiples of this (padded here)
GROUPS = 8  # of the normalisation
FAINT = 0.3
SENSE = 3  # level of the encoder at which the tagger's features come in
FORGOTTEN = 0.2  # of those features, in training
KNOWN = 4  # activity, share, evidence of a patch and of its surroundings
SILENT = 1e-6  # activity below this: no sound at all


@dataclass(frozen=True)
class NetConfig:
    """`channels` from full to lowest resolution; `condition`: width of what steers the decoder; `fusion`: of
    text at the bottom, one of `fusion.Mode`, or "" for no such layer; `text`: numbers of a whole prompt, and
    `encoder`: what they are of (`text_encoder.py`)."""

    channels: tuple[int, ...] = (24, 48, 96, 160, 224)
    condition: int = 192
    fusion: Mode | Literal[""] = ""
    text: int = DIM
    encoder: str = "minilm"


class SeparatorNet(nn.Module):
    """Masks of source slots. Shapes: B pieces, K slots, T frames, `BANDS` bands."""

    def __init__(self, config: NetConfig | None = None) -> None:
        super().__init__()
        self.config = config or NetConfig()
        channels, width = self.config.channels, self.config.condition
        self.ears = Ears()
        self.frames = FrameNet(KNOWN, width)
        self.sense = nn.Conv2d(DIM, channels[SENSE], 1, bias=False)
        nn.init.zeros_(self.sense.weight)
        self.stem = nn.Conv2d(2, channels[0], 3, padding=1)
        self.entry = _Residual(channels[0])
        self.down = nn.ModuleList(_down(a, b) for a, b in itertools.pairwise(channels))
        self.encoders = nn.ModuleList(
            nn.Sequential(*(_Residual(c) for _ in range(1 if level < 2 else 2)))
            for level, c in enumerate(channels[1:], start=1)
        )
        self.no_label = nn.Parameter(torch.zeros(DIM))
        self.label = nn.Sequential(nn.Linear(DIM, width), nn.SiLU(), nn.Linear(width, width))
        self.heard = nn.Linear(channels[-1], width)
        self.mood = nn.Sequential(nn.Linear(2 * width + 1, width), nn.SiLU())
        order = channels[:0:-1]
        self.decoders = nn.ModuleList(_Decoder(c, width) for c in order)
        self.up = nn.ModuleList(nn.Conv2d(a, b, 1, bias=False) for a, b in itertools.pairwise(order))
        if self.config.fusion:
            self.fusion = Fusion(self.config.fusion, channels[-1], DIM + self.config.text)
            self.fused = nn.Parameter(torch.zeros(channels[-1], 1, 1))
        self.around = nn.Conv2d(channels[1], channels[0], 1)
        self.detail = _Residual(channels[0])
        self.query = nn.Conv2d(channels[1], channels[0] + 1, 1)

    def forward(
        self,
        features: Tensor,
        labels: Tensor,
        activity: Tensor,
        share: Tensor,
        time: Tensor,
        stranger: int | None = None,
        prompt: Tensor | None = None,
    ) -> Tensor:
        """Logits (B, K, `BANDS`, T): the softmax over K is the mask.

        `features` (B, `BANDS`, T) of the mixture; `labels` (B, K, 384), NaN where a label is withheld;
        `activity` (B, K, T) in [0, 1]; `share` (B, K, `BANDS`, T): the estimate so far; `time` (B,): how
        far on the way from no estimate (0) to the truth (1) it is; `stranger`: who listens (`Ears`); `prompt`
        (B, `config.text`): the whole text, zeros where there is none.
        """
        size, slots, frames = activity.shape
        pad = -frames % MULTIPLE
        features = functional.pad(features, (0, pad), value=FLOOR_DB / 100)
        activity, share = functional.pad(activity, (0, pad)), functional.pad(share, (0, pad))
        sounds = self.ears(features, stranger)
        words = self.ears.words(sounds, stranger)
        planes = _planes(features)
        skips = self._encode(planes, words)
        doubt = doubts(labels) if self.training else None
        seems = on_grid(self.ears.evidence(sounds, labels, doubt, stranger), features.shape[-1])
        labels = torch.where(labels.isnan(), self.no_label, labels)
        heard = self.heard(skips[-1].mean(dim=(2, 3))).repeat_interleave(slots, dim=0)
        when = time[:, None].repeat_interleave(slots, dim=0)
        condition = self.mood(torch.cat((self.label(labels.flatten(0, 1)), heard, when), dim=1))
        active = activity[:, :, None].expand(share.shape)
        known = torch.cat((active[:, :, None], share[:, :, None], seems), dim=2).flatten(0, 1)
        hidden: Tensor | None = None
        for level, decoder in enumerate(self.decoders):
            depth = len(skips) - 1 - level
            skip = skips[depth].repeat_interleave(slots, dim=0)
            if hidden is not None:
                skip = skip + _raised(self.up[level - 1](hidden))
            elif self.config.fusion:
                skip = skip + self.fused * self.fusion(skip, self._text(labels, prompt))
            hidden = decoder(skip, condition, functional.avg_pool2d(known, 2**depth), slots)
        detail = self.detail(skips[0] + _raised(self.around(skips[1])))
        query, bias = self.query(hidden).unflatten(0, (size, slots)).split((detail.shape[1], 1), dim=2)
        claim = torch.einsum(
            "bcfitj,bkcft->bkfitj", detail.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)), query
        )
        logits = (claim + bias[:, :, 0, :, None, :, None]).flatten(4, 5).flatten(2, 3)[..., :frames]
        patches = on_grid(words, features.shape[-1], 8).mean(dim=2)
        heard_words = functional.interpolate(patches, scale_factor=8.0, mode="linear").transpose(1, 2)
        logits = logits + self.frames(planes, labels, known, heard_words, time)[..., :frames]
        return logits + torch.log(activity[..., :frames].clamp(min=SILENT))[:, :, None]

    def _text(self, labels: Tensor, prompt: Tensor | None) -> Tensor:
        """(B K, `DIM` + `config.text`): each slot's label and the whole prompt."""
        if prompt is None:
            prompt = labels.new_zeros(len(labels), self.config.text)
        whole = prompt[:, None].expand(-1, labels.shape[1], -1)
        return torch.cat((labels, whole), dim=2).flatten(0, 1)

    def _encode(self, planes: Tensor, words: Tensor) -> list[Tensor]:
        skips = [self.entry(functional.relu(self.stem(planes)))]
        for level, (down, encoder) in enumerate(zip(self.down, self.encoders, strict=True), start=1):
            x = down(skips[-1])
            if level == SENSE:
                sensed = functional.dropout2d(words, FORGOTTEN, self.training)
                x = x + self.sense(on_grid(sensed, planes.shape[-1], 2**level))
            skips.append(encoder(x))
        return skips


def _planes(features: Tensor) -> Tensor:
    """(B, 2, `BANDS`, T): the levels, and each band's place."""
    place = torch.linspace(-1, 1, BANDS, device=features.device)[:, None].expand(features.shape)
    return torch.stack((features, place), dim=1).contiguous(memory_format=torch.channels_last)


def _raised(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


class _Residual(nn.Module):
    """A convolution beside the identity, faint at first: no normalisation is needed."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Conv2d(channels, channels, 3, padding=1)
        self.gain = nn.Parameter(torch.full((channels, 1, 1), FAINT))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(x, functional.relu(self.body(x)), self.gain)


class _Decoder(nn.Module):
    """One level: what is known and the label come in, the slots hear each other, then a convolution."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.film = nn.Linear(width, 2 * channels)
        self.known = nn.Conv2d(KNOWN, channels, 1)
        self.others = nn.Conv2d(channels, channels, 1)
        self.norm = nn.GroupNorm(GROUPS, channels, affine=False)
        self.body = _Residual(channels)

    def forward(self, x: Tensor, condition: Tensor, known: Tensor, slots: int) -> Tensor:
        scale, shift = self.film(condition)[:, :, None, None].chunk(2, dim=1)
        x = functional.relu(torch.addcmul(shift + self.known(known), self.norm(x), 1 + scale))
        mean = x.unflatten(0, (-1, slots)).mean(dim=1)
        x = x + self.others(mean).repeat_interleave(slots, dim=0)
        return self.body(x)


def _down(into: int, out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(into, out, 3, stride=2, padding=1, bias=False), nn.GroupNorm(GROUPS, out), nn.ReLU()
    )
