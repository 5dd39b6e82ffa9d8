"""The parts of the recogniser's training: mixtures whose patches have right answers, and what is optimised.

Imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from foleyspace.spatializer.bands import HOP, band_power, level_features, spectrum
from foleyspace.spatializer.dataset import draw_count, draw_mixture
from foleyspace.spatializer.recogniser import Recogniser, patch_power
from foleyspace.spatializer.sounds import SoundSet

MOST = 3  # sounds in a piece
LOUDNESS = 0.3  # exponent of a patch's power: how much it counts
FAINT = 0.05  # patches that count less are left out
SHARPNESS = 14.0  # cosines times this are logarithms of probabilities
POOLED = 0.3  # weight of the piece as a whole
CLEARLY = 0.8  # share of a patch by which it is somebody's


@dataclass(frozen=True)
class Pieces:
    """B mixtures: `features` (B, `BANDS`, T); `label` (B, K) rows of the list of labels, -1 for no sound;
    `share` (B, K, `ROWS`, P): how much of each patch's power is whose; `weight` (B, `ROWS`, P)."""

    features: Tensor
    label: Tensor
    share: Tensor
    weight: Tensor

    def to(self, device: torch.device) -> Pieces:
        return Pieces(*(part.to(device) for part in (self.features, self.label, self.share, self.weight)))


def draw_pieces(
    sounds: SoundSet, classes: list[str], size: int, frames: int, rng: np.random.Generator
) -> Pieces:
    """`size` mixtures of one to `MOST` sounds, drawn as the separator's are."""
    drawn = [draw_mixture(sounds, draw_count(rng, MOST), frames * HOP, rng, knots=2) for _ in range(size)]
    label = torch.full((size, MOST), -1)
    stems = torch.zeros(size, MOST, frames * HOP)
    for i, mixture in enumerate(drawn):
        count = len(mixture.labels)
        label[i, :count] = torch.tensor([classes.index(name) for name in mixture.labels])
        stems[i, :count] = torch.from_numpy(mixture.stems)
    each = spectrum(stems)[..., :frames]
    features = level_features(band_power(each.sum(dim=1)))
    power = patch_power(band_power(each))
    total = power.sum(dim=1)
    weight = (total / total.amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)).pow(LOUDNESS)
    return Pieces(features, label, power / total[:, None].clamp(min=1e-12), weight)


def recogniser_loss(vectors: Tensor, pieces: Pieces, texts: Tensor, nearness: Tensor) -> Tensor:
    """Of what patches are heard as, `vectors` (B, 384, `ROWS`, P): cross entropy with the word vectors of all
    labels, `texts` (C, 384), against the shares of the sounds, spread over labels of near meaning (`nearness`
    (C, C)); the same with only the labels of the piece to choose from; and of the piece as a whole."""
    there, label = pieces.label >= 0, pieces.label.clamp(min=0)
    near = nearness[label] * there[..., None]
    unit = functional.normalize(vectors, dim=1).permute(0, 2, 3, 1)
    counts = pieces.weight > FAINT
    weight = pieces.weight[counts]
    wanted = torch.einsum("bkrp,bkc->brpc", pieces.share, near)[counts]
    alone = functional.cross_entropy(SHARPNESS * unit[counts] @ texts.T, wanted, reduction="none")
    choice = SHARPNESS * torch.einsum("brpd,bkd->bkrp", unit, texts[label])
    choice = choice.masked_fill(~there[:, :, None, None], -50.0)
    whose = functional.cross_entropy(choice, pieces.share, reduction="none")[counts]
    mean = functional.normalize((vectors * pieces.weight[:, None]).sum(dim=(2, 3)), dim=1)
    parts = (pieces.share * pieces.weight[:, None]).sum(dim=(2, 3))
    parts = parts / parts.sum(dim=1, keepdim=True).clamp(min=1e-9)  # a piece may be silent
    whole = functional.cross_entropy(SHARPNESS * mean @ texts.T, torch.einsum("bk,bkc->bc", parts, near))
    return ((alone + whose) * weight).sum() / weight.sum().clamp(min=1e-9) + POOLED * whole


@torch.no_grad()
def score(recogniser: Recogniser, pieces: list[Pieces], texts: Tensor) -> dict[str, float]:
    """Of patches that clearly are one sound's, weighted: how many sound most like its label among those of
    the piece, %; and how many pairs of sounds are told apart the right way round, by all their patches, %."""
    right, weights, pairs = 0.0, 0.0, []
    for piece in pieces:
        unit = functional.normalize(recogniser(piece.features), dim=1)
        there = piece.label >= 0
        alike = torch.einsum("bdrp,bkd->bkrp", unit, texts[piece.label.clamp(min=0)])
        alike = alike.masked_fill(~there[:, :, None, None], -1.0)
        most, whose = piece.share.max(dim=1)
        weight = piece.weight * (most > CLEARLY) * (there.sum(dim=1) > 1)[:, None, None]
        right += float(((alike.argmax(dim=1) == whose) * weight).sum())
        weights += float(weight.sum())
        own = piece.share * piece.weight[:, None]
        # (B, K, K): how much what is k's sounds like j
        seems = torch.einsum("bkrp,bjrp->bkj", own, alike) / own.sum(dim=(2, 3)).clamp(min=1e-9)[..., None]
        heard = own.sum(dim=(2, 3)) > 1e-3 * piece.weight.sum(dim=(1, 2))[:, None]
        for i, k, j in torch.nonzero(heard[:, :, None] & heard[:, None]).tolist():
            if k < j:
                pairs.append(bool(seems[i, k, k] + seems[i, j, j] > seems[i, k, j] + seems[i, j, k]))
    return {"patches": 100 * right / max(weights, 1e-9), "pairs": 100 * float(np.mean(pairs))}
