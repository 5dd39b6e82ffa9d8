"""Whether a stem and a name agree: TASU's flipped negatives, for stems.

TASU flips the channels of a true difference and has a classifier tell whether it still agrees with the text.
Here the places are exact, and what can be swapped is who is sent there: each stem is heard by the frozen
tagger (`ears.py`) and compared with its own label and with the other slots'. Imports torch.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from foleyspace.spatializer.bands import level_features
from foleyspace.spatializer.ears import Ears

SHARPNESS, MIDDLE = (
    20.0,
    0.07,
)  # of the classifier, and the cosine that is an even chance: read off true stems
AUDIBLE = 0.02  # a stem with less of the mixture's energy says nothing


def disagreement(
    ears: Ears,
    masks: Tensor,
    power: Tensor,
    labels: Tensor,
    true_share: Tensor,
    stranger: int | None = None,
) -> Tensor:
    """Binary cross-entropy of telling right pairs of stem and label from swapped ones, both halves of equal
    weight; zero where there is nothing to swap.

    `masks` (B, K, `BANDS`, T) on the band power `power` (B, `BANDS`, T); `labels` (B, K, 384), NaN where one
    is withheld; `true_share` (B, K): how much of the mixture's energy each slot really has.
    """
    size, slots = labels.shape[:2]
    known = ~labels.isnan().any(dim=2)
    stems = level_features(masks.square() * power[:, None]).flatten(0, 1)
    every = labels[:, None].expand(-1, slots, -1, -1).flatten(0, 1)
    alike = ears.likeness(stems, every, stranger).unflatten(0, (size, slots))
    own = torch.eye(slots, dtype=torch.bool, device=labels.device).expand(size, -1, -1)
    counts = (true_share > AUDIBLE)[:, :, None] & known[:, None]
    logits = SHARPNESS * (alike - MIDDLE)
    each = functional.binary_cross_entropy_with_logits(logits, own.float(), reduction="none")
    sides = [(each * part).sum() / part.sum().clamp(min=1) for part in (own & counts, ~own & counts)]
    return 0.5 * (sides[0] + sides[1])
