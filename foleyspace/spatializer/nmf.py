"""Each sound of a mixture resembles itself: masks made consistent over a window by factorisation.

The network judges each moment by the name and what surrounds it. What it was sure of tells which few spectra
a source keeps coming back to, and these explain the moments where it was not: each source's estimate is
factorised (NMF, Lee & Seung 1999) by the Itakura-Saito divergence, for which loud and faint count alike
(Fevotte, Bertin & Durrieu 2009), here of magnitudes; cells weigh by how sure the mask is (Blondel, Ho & Van
Dooren 2008). The spectra of all sources together then explain the mixture, and how they do is the next
estimate. The network's own masks stay in it as a prior.
"""

from __future__ import annotations

import torch
from torch import Tensor

RANKS = (4, 8)  # spectra to a source, both tried: few hold apart what is alike, more follow speech
FIT, EXPLAIN = 15, 15  # updates of each source alone, and of all together
PRIOR = 0.2  # exponent of the network's mask in the estimate
SURE = (10.0, 3.0)  # exponents of the mask in a cell's weight, in the first round and in the last
UNSURE = 1e-6  # weight that every cell has
GROWTH = 3.0  # of a slot's energy at most, if the network is sure of it
EVEN = 0.1  # of the mean in each first guess
GOLDEN = 0.618034  # the moments of the first guesses differ from round to round as evenly as can be
QUIET = 1e-3  # of the mean level: what is below counts little
LEAST = 1e-4  # a mask below is as good as none
TINY = 1e-9


@torch.no_grad()
def consistent(masks: Tensor, power: Tensor, activity: Tensor, rounds: int) -> Tensor:
    """`masks` (B, K, F, T), which sum to one over the K slots, on the band power (B, F, T) of mixtures, each
    slot made consistent with itself in so many `rounds`. The order of the slots changes nothing, and where
    the masks say nothing (the same share everywhere) they stay. `activity` (B, K, T) in [0, 1]: what is known
    of when each sounds, as the network was told."""
    masks, power, activity = masks.float(), power.float(), activity[:, :, None].float()
    level = power.sqrt()
    level = level / level.mean(dim=(1, 2), keepdim=True).clamp(min=TINY) + QUIET
    prior, most = masks.clamp(min=LEAST) ** PRIOR, _most(masks, power)

    def of_rank(rank: int) -> Tensor:
        new = masks
        for number in range(rounds):
            sure = SURE[0] + (SURE[1] - SURE[0]) * number / max(rounds - 1, 1)
            fitted = _fitted(level[:, None] * new, new**sure + UNSURE, rank, (number + 1) * GOLDEN % 1)
            explained = _explained(level, *fitted) * activity
            part = explained / explained.sum(dim=1, keepdim=True).clamp(min=TINY)
            part = part * (most / _energy(part, power).clamp(min=TINY)).clamp(max=1)
            new = prior * part.clamp(min=LEAST) ** (1 - PRIOR)
            new = new / new.sum(dim=1, keepdim=True)
        return new

    return torch.stack([of_rank(rank) for rank in RANKS]).mean(dim=0)


def _most(masks: Tensor, power: Tensor) -> Tensor:
    """(B, K, 1, 1): the energy up to which a slot may grow. One that the network is sure of nowhere names
    what does not sound, and must not be fed what another left over."""
    energy = _energy(masks, power)
    return energy * (1 + GROWTH * _energy(masks.square(), power) / energy.clamp(min=TINY))


def _energy(masks: Tensor, power: Tensor) -> Tensor:
    return (masks * power[:, None]).sum(dim=(2, 3), keepdim=True)


def _fitted(parts: Tensor, weights: Tensor, rank: int, offset: float) -> tuple[Tensor, Tensor]:
    """Spectra (B, K, F, `rank`), which sum to one, and their gains (B, K, `rank`, T), of `parts`
    (B, K, F, T). The first guesses are the spectra of moments between which as much of the sound lies."""
    total = parts.sum(dim=2) + TINY
    passed = total.cumsum(dim=-1) / total.sum(dim=-1, keepdim=True)
    at = (torch.arange(rank, device=parts.device) + offset) / rank
    at = at.expand(*passed.shape[:2], rank).contiguous()
    moments = torch.searchsorted(passed, at).clamp(max=parts.shape[-1] - 1)
    spectra = torch.gather(parts, 3, moments[:, :, None].expand(-1, -1, parts.shape[2], -1))
    spectra = spectra + EVEN * parts.mean(dim=(2, 3), keepdim=True) + TINY
    spectra = spectra / spectra.sum(dim=2, keepdim=True)
    gains = (total[:, :, None] / rank).repeat(1, 1, rank, 1)
    weighted = weights * parts
    for _ in range(FIT):
        up, down = _pulls(spectra, gains, weighted, weights)
        across = spectra.transpose(2, 3)
        gains = gains * (across @ up / (across @ down + TINY)).sqrt_() + TINY
        up, down = _pulls(spectra, gains, weighted, weights)
        across = gains.transpose(2, 3)
        spectra = spectra * (up @ across / (down @ across + TINY)).sqrt_() + TINY
        size = spectra.sum(dim=2, keepdim=True)
        spectra, gains = spectra / size, gains * size.transpose(2, 3)
    return spectra, gains


def _explained(level: Tensor, spectra: Tensor, gains: Tensor) -> Tensor:
    """(B, K, F, T): what each slot accounts for when the spectra of all explain `level` (B, F, T)."""
    slots = spectra.shape[1]
    each = spectra.transpose(1, 2).flatten(2)
    across = each.transpose(1, 2)
    together = (gains + EVEN * gains.mean(dim=(2, 3), keepdim=True)).flatten(1, 2)
    for _ in range(EXPLAIN):
        up, down = _pulls(each, together, level)
        together = together * ((across @ up) / (across @ down + TINY)).sqrt_() + TINY
    return spectra @ together.unflatten(1, (slots, -1)) + TINY


def _pulls(
    spectra: Tensor, gains: Tensor, weighted: Tensor, weights: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """What pulls the model up, `weighted` / model^2, and down, `weights` / model; in place, since
    most of the time goes into passes over all cells."""
    down = torch.matmul(spectra, gains).add_(TINY).reciprocal_()
    up = down.square().mul_(weighted)
    return up, down if weights is None else down.mul_(weights)
