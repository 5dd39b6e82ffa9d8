"""The network: which part of a mixture belongs to which of the named sources.

Convolutions look at the mixture once, at ever fewer bands and every frame. Then for every source slot: what
they saw is steered by the slot's label (FiLM), by what is known of when it sounds, by the current estimate of
its share, and by how much each patch of the mixture sounds like the label to the tagger (`ears.py`) and to
the recogniser (`recogniser.py`). Each frame becomes one vector, all bands at once, and layers along time
(`along_time.py`) take in what comes before and after, the slots hearing the mean of all slots in between. Per
frame and `STEP` bands that ends in a query; its product with what a fine convolution sees in each cell is the
slot's claim to it, and so is a plain estimate for each band. A softmax over the slots makes the masks, so
that the stems add up to the mixture whatever happens. Nothing depends on the order or the number of slots.

Who is told a label's vector learns which of the training's sounds go by which name, and trusts that where new
ones come; who is told only what the ears make of it separates less well. So in training half of the pieces
have the vector and half have not, and afterwards the claims of both views are averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from foleyspace.spatializer.along_time import AlongTime
from foleyspace.spatializer.bands import BANDS, FLOOR_DB
from foleyspace.spatializer.ears import EMPHASIS, Ears, doubted, doubts, on_grid
from foleyspace.spatializer.fusion import Fusion, Mode
from foleyspace.spatializer.recogniser import Recogniser, on_bands, together
from foleyspace.word_vectors import DIM

UNTOLD_LABEL = 0.5  # of the pieces in training
MULTIPLE = 2  # frames come in multiples of this (padded here)
GROUPS = 8  # of the normalisation
KNOWN = 4  # activity, share, evidence of a patch and of its surroundings
SILENT = 1e-6  # activity below this: no sound at all
STEP = 8  # bands to a query
ROWS = BANDS // STEP
DETAIL = 16
HEARD = 64  # numbers that say what a frame sounds like
DROPPED = 0.1
LOUDER = 3.0  # levels are given in hundreds of decibels


@dataclass(frozen=True)
class NetConfig:
    """`channels` of the convolutions, at a half, a quarter, and twice at an eighth of the bands; `condition`:
    width of what steers them and of the layers along time; `fusion`: of text, one of `fusion.Mode`, or "" for
    no such layer; `text`: numbers of a whole prompt, and `encoder`: what they are of (`text_encoder.py`)."""

    channels: tuple[int, ...] = (24, 32, 48, 64)
    condition: int = 192
    fusion: Mode | Literal[""] = ""
    text: int = DIM
    encoder: str = "minilm"


class SeparatorNet(nn.Module):
    """Masks of source slots. Shapes: B pieces, K slots, T frames, `BANDS` bands."""

    def __init__(self, config: NetConfig | None = None) -> None:
        super().__init__()
        self.config = config or NetConfig()
        (first, second, third, fourth), width = self.config.channels, self.config.condition
        self.ears = Ears()
        self.recogniser = Recogniser()
        self.seen = nn.Sequential(_halved(2, first), _halved(first, second))
        self.detail = nn.Sequential(
            nn.Conv2d(2, DETAIL, 3, padding=1), nn.ReLU(), nn.Conv2d(DETAIL, DETAIL, 3, padding=1)
        )
        self.no_label = nn.Parameter(torch.zeros(DIM))
        self.label = nn.Sequential(nn.Linear(DIM, width), nn.SiLU(), nn.Linear(width, width))
        self.when = nn.Linear(1, width)
        self.film = nn.Linear(width, 2 * second)
        self.known = nn.Conv2d(KNOWN, second, 1)
        self.eighth = _halved(second, third)
        self.rows = nn.Conv2d(third, fourth, 3, padding=1)
        if self.config.fusion:
            self.fusion = Fusion(self.config.fusion, fourth, DIM + self.config.text)
            self.fused = nn.Parameter(torch.zeros(fourth, 1, 1))
        self.frame = nn.Linear(ROWS * fourth, width)
        self.words = nn.Linear(DIM, HEARD)
        self.entry = nn.Linear(2 * width + HEARD, width)
        self.time = AlongTime(width)
        self.query = nn.Linear(self.time.out, ROWS * (DETAIL + 1))
        self.plain = nn.Linear(self.time.out, BANDS)

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
        slots, frames = activity.shape[1:]
        pad = -frames % MULTIPLE
        features = functional.pad(features, (0, pad), value=FLOOR_DB / 100)
        activity, share = functional.pad(activity, (0, pad)), functional.pad(share, (0, pad))
        words, seems = self._heard(features, labels, stranger)
        when = self.when(time[:, None]).repeat_interleave(slots, dim=0)
        active = activity[:, :, None].expand(share.shape)
        known = torch.cat((active[:, :, None], share[:, :, None], seems), dim=2).flatten(0, 1)
        planes = _planes(features)
        views = []
        for view in self._views(labels):
            condition = functional.silu(self.label(view.flatten(0, 1)) + when)
            rows = self._rows(planes, condition, known)
            if self.config.fusion:
                rows = rows + self.fused * self.fusion(rows, self._text(view, prompt))
            x = self.time(self._frames(rows, words, condition), condition, slots)
            views.append(self._claims(functional.dropout(x, DROPPED, self.training), planes, slots))
        claims = torch.stack(views).mean(dim=0)
        return (claims + torch.log(activity.clamp(min=SILENT))[:, :, None])[..., :frames]

    def _views(self, labels: Tensor) -> list[Tensor]:
        """The labels (B, K, 384) as the slots are told them: in training with or without their vectors, piece
        by piece; afterwards once with and once without."""
        told = torch.where(labels.isnan(), self.no_label, labels)
        untold = self.no_label.expand_as(told)
        if not self.training:
            return [untold] if labels.isnan().all() else [told, untold]
        return [torch.where(torch.rand(len(told), 1, 1, device=told.device) < UNTOLD_LABEL, untold, told)]

    @torch.no_grad()
    def _heard(self, features: Tensor, labels: Tensor, stranger: int | None) -> tuple[Tensor, Tensor]:
        """What the tagger and the recogniser hear, the mean of both: word vectors (B, 384, T) of all bands,
        and how much each cell, alone and with what is around it, sounds like each label (B, K, 2, `BANDS`,
        T)."""
        frames = features.shape[-1]
        doubt = doubts(labels) if self.training and stranger is None else None
        sounds = self.ears(features, stranger)
        words = functional.interpolate(
            self.ears.words(sounds, stranger).mean(dim=2), size=frames, mode="linear"
        )
        seems = on_grid(self.ears.evidence(sounds, labels, doubt, stranger), frames)
        vectors = self.recogniser(features, stranger)
        alone = functional.normalize(vectors, dim=1)
        around = together(vectors)[:, :, None].expand_as(alone)
        alike = [
            torch.einsum("bdrp,bkd->bkrp", doubted(heard, doubt), labels.nan_to_num(0.0))
            for heard in (alone, around)
        ]
        other = on_bands(EMPHASIS * torch.stack(alike, dim=2), frames)
        also = functional.interpolate(alone.mean(dim=2), size=frames, mode="linear")
        return (words + also) / 2, (seems + other) / 2

    def _rows(self, planes: Tensor, condition: Tensor, known: Tensor) -> Tensor:
        """(B K, C, `ROWS`, T): what the convolutions see for each slot."""
        slots = len(condition) // len(planes)
        scale, shift = self.film(condition)[:, :, None, None].chunk(2, dim=1)
        told = shift + self.known(functional.avg_pool2d(known, (STEP // 2, 1)))
        seen = self.seen(planes).repeat_interleave(slots, dim=0)
        return functional.relu(self.rows(self.eighth(functional.relu(torch.addcmul(told, seen, 1 + scale)))))

    def _frames(self, rows: Tensor, words: Tensor, condition: Tensor) -> Tensor:
        """(B K, T, width): each frame as one vector, with what it sounds like (`words`)."""
        frames = rows.shape[-1]
        x = functional.relu(self.frame(rows.flatten(1, 2).transpose(1, 2)))
        x = functional.dropout(x, DROPPED, self.training)
        heard = functional.relu(self.words(words.transpose(1, 2)))
        heard = heard.repeat_interleave(len(rows) // len(words), dim=0)
        entry: Tensor = self.entry(torch.cat((x, heard, condition[:, None].expand(-1, frames, -1)), dim=2))
        return entry

    def _claims(self, x: Tensor, planes: Tensor, slots: int) -> Tensor:
        """(B, K, `BANDS`, T) from what is known of each frame (B K, T, C)."""
        query = self.query(x).transpose(1, 2).unflatten(1, (ROWS, DETAIL + 1)).unflatten(0, (-1, slots))
        query, bias = query.transpose(2, 3).split((DETAIL, 1), dim=2)
        detail = self.detail(planes).unflatten(2, (ROWS, STEP))
        claims = (query[..., None, :] * detail[:, None]).sum(dim=2) + bias[:, :, 0, :, None]
        plain = self.plain(x).transpose(1, 2).unflatten(0, (-1, slots))
        return claims.flatten(2, 3) + plain

    def _text(self, labels: Tensor, prompt: Tensor | None) -> Tensor:
        """(B K, `DIM` + `config.text`): each slot's label and the whole prompt."""
        if prompt is None:
            prompt = labels.new_zeros(len(labels), self.config.text)
        whole = prompt[:, None].expand(-1, labels.shape[1], -1)
        return torch.cat((labels, whole), dim=2).flatten(0, 1)


def _planes(features: Tensor) -> Tensor:
    """(B, 2, `BANDS`, T): the levels, and each band's place."""
    place = torch.linspace(-1, 1, BANDS, device=features.device)[:, None].expand(features.shape)
    return torch.stack((LOUDER * features, place), dim=1).contiguous(memory_format=torch.channels_last)


def _halved(into: int, out: int) -> nn.Sequential:
    """Half as many bands."""
    return nn.Sequential(
        nn.Conv2d(into, out, 3, stride=(2, 1), padding=1, bias=False), nn.GroupNorm(GROUPS, out), nn.ReLU()
    )
