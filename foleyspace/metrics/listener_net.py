"""The listener's network. Imports torch: import it only where the network is used.

In the spirit of SELDnet (Adavanne et al. 2019) and Spatial-AST (Zheng et al. 2024): level, level difference
and phase difference of the ears by band go through convolutions; a query, the word vector of a label,
modulates what they found (FiLM, Perez et al. 2018); what belongs to it is pooled over frequency, followed
over time, and read off as direction, distance and whether it sounds at all.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from foleyspace.spatializer.bands import BANDS, HOP, RATE, band_power, level_features, spectrum
from foleyspace.spatializer.ears import Ears, doubts, on_grid
from foleyspace.tagger_net import Block
from foleyspace.word_vectors import DIM

STEP = 4  # frames of `bands.HOP` to one of the answer
FRAME = STEP * HOP  # samples
FRAME_S = FRAME / RATE  # 85 ms
PLANES = 5
STEM, EARLY, TRUNK, LATE, MEMORY = 32, 48, 64, 96, 96  # channels
MAX_ILD_DB, ILD_UNIT_DB = 40.0, 20.0
QUIET = 1e-7  # of the mean power: cells below tell nothing


def cue_planes(sound: Tensor) -> tuple[Tensor, Tensor]:
    """What binaural sound (B, 2, n) at 48 kHz, n a multiple of `FRAME`, gives the network: planes (B,
    `PLANES`, `BANDS`, n / HOP) of level, ILD, cosine and sine of the IPD (each times the coherence of its
    band) and frequency; and the levels (B, `BANDS`, n / HOP) as `bands.level_features` has them."""
    left, right = spectrum(sound)[..., : sound.shape[-1] // HOP].unbind(1)
    power_left, power_right = band_power(left), band_power(right)
    both = power_left + power_right
    # |l + r|^2 and |l + ir|^2 hold the real and the imaginary part of l r*
    real = (band_power(left + right) - both) / 2
    imaginary = (band_power(left + 1j * right) - both) / 2
    floor = QUIET * both.mean(dim=(-2, -1), keepdim=True) + 1e-12
    size = torch.sqrt((power_left + floor) * (power_right + floor))
    ild_db = 10 * torch.log10((power_left + floor) / (power_right + floor))
    levels = level_features(both)
    pitch = torch.linspace(-1, 1, BANDS, device=sound.device)[:, None].expand_as(levels)
    ild = ild_db.clamp(-MAX_ILD_DB, MAX_ILD_DB) / ILD_UNIT_DB
    return torch.stack((2 * levels, ild, real / size, imaginary / size, pitch), dim=1), levels


class ListenerNet(nn.Module):
    """Binaural sound and labels to what is heard of each label, `FRAME_S` by `FRAME_S`.

    Holds the tagger's network (`spatializer.ears`), which knows beforehand what words sound like and does
    not learn.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ears = Ears()
        self.stem = nn.Sequential(nn.Conv2d(PLANES, STEM, 5, 2, 2, bias=False), nn.BatchNorm2d(STEM))
        self.early = Block(STEM, EARLY, 2)
        self.trunk = Block(EARLY, TRUNK, 1)
        self.film = nn.Linear(DIM, 2 * TRUNK)
        self.likeness = nn.Conv2d(2, TRUNK, 1)
        self.asked = Block(TRUNK, TRUNK, 1)
        self.late = Block(TRUNK, LATE, 1)
        self.attention = nn.Conv2d(LATE, 1, 1)
        self.memory = nn.GRU(2 * LATE, MEMORY, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * MEMORY, 5)

    def forward(
        self, sound: Tensor, labels: Tensor, stranger: int | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """`sound` (B, 2, n), n a multiple of `FRAME`, and `labels` (B, K, 384), zero or NaN where not known,
        to logits (B, K, T) of its sounding, directions (B, K, T, 3) in the listener frame, the longer the
        surer (at most about 1), and natural logarithms (B, K, T) of the distance in metres. `stranger`: who
        listens (`Ears`)."""
        planes, levels = cue_planes(sound)
        labels = labels.nan_to_num(0.0)
        size, slots = labels.shape[:2]
        doubt = doubts(labels) if self.training else None
        evidence = self.ears.evidence(self.ears(levels, stranger), labels, doubt, stranger)
        likeness = functional.avg_pool2d(on_grid(evidence.flatten(0, 1), levels.shape[-1], STEP), (2, 1))
        x = functional.relu(self.stem(planes.contiguous(memory_format=torch.channels_last)))
        x = functional.avg_pool2d(self.early(x), (2, 1))
        x = self.trunk(x).repeat_interleave(slots, dim=0)  # (B K, TRUNK, BANDS / 8, T)
        scale, shift = self.film(labels).flatten(0, 1)[..., None, None].chunk(2, dim=1)
        x = functional.relu(x * (1 + scale) + shift + self.likeness(likeness))
        x = self.late(functional.avg_pool2d(self.asked(x), (2, 1)))
        share = self.attention(x).softmax(dim=2)
        pooled = torch.cat(((x * share).sum(dim=2), x.mean(dim=2)), dim=1).transpose(1, 2)
        answer = self.head(self.memory(pooled)[0]).unflatten(0, (size, slots))
        return answer[..., 0], answer[..., 1:4], answer[..., 4]
