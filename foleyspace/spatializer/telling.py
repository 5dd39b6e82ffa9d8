"""What is said of a drawn mixture: captions of its scene, and of its mirror image, to learn words from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import torch
from torch import Tensor

from foleyspace.caption import Style, caption
from foleyspace.spatializer.bands import RATE
from foleyspace.spatializer.dataset import Mixture
from foleyspace.text_encoder import TextEncoder
from foleyspace.types import Scene, Source

STYLES = tuple(style for style in get_args(Style) if style != "dense")  # which is long, and says least a word


@dataclass(frozen=True)
class Teller:
    """Vectors of captions through a text `encoder`."""

    encoder: TextEncoder

    def __call__(self, mixtures: list[Mixture], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """(B, D) of each mixture's caption, in a style and a wording of its own, and (B, D) of the same words
        about the mirrored scene (TASU's flipped channels)."""
        told = [tell(mixture, rng) for mixture in mixtures]
        vectors = torch.from_numpy(self.encoder([text for pair in told for text in pair]))
        return vectors[0::2], vectors[1::2]


def tell(mixture: Mixture, rng: np.random.Generator) -> tuple[str, str]:
    """A caption of what sounds in the mixture, and of its mirror image."""
    seconds = mixture.stems.shape[1] / RATE
    times = np.linspace(0, seconds, mixture.paths.shape[1])
    sounding = [i for i in range(len(mixture.labels)) if mixture.present[i]]
    sources = tuple(Source(str(i), mixture.labels[i], times, mixture.paths[i]) for i in sounding)
    mirrored = tuple(replace(source, xyz=source.xyz * [1, -1, 1]) for source in sources)
    style, seed = STYLES[rng.integers(len(STYLES))], int(rng.integers(2**31))
    first, second = (caption(Scene(s, seconds), style=style, seed=seed) for s in (sources, mirrored))
    return first, second
