"""What the separator knows of sounds beforehand: the tagger's network, frozen, listening to the mixture.

It was trained to give the word vector of what it hears. Left without its pooling over time and frequency it
says for every patch of the mixture (a quarter of a second, a quarter of the mel scale) what it sounds like,
and the product with a slot's label how much it sounds like that.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from foleyspace.mel import HIGH_HZ, LOW_HZ, MELS, RANGE_DB, mel_scale
from foleyspace.mel import HOP as MEL_HOP
from foleyspace.mel import RATE as MEL_RATE
from foleyspace.spatializer.bands import BANDS, BINS, HOP, N_FFT, RATE, band_of_bin
from foleyspace.spatializer.between import at_places
from foleyspace.tagger import KINDS
from foleyspace.tagger_net import WIDTHS, TaggerNet
from foleyspace.word_vectors import DIM

CHANNELS = WIDTHS[-1]
PATCH = 16  # mel frames, and mel bands, to a patch
ROWS = MELS // PATCH
PACE = HOP / RATE / (MEL_HOP / MEL_RATE)  # mel frames to a frame of ours
SPAN = 7  # patches the tagger was trained to pool over: 1.8 s
DOUBTED, MOST_DOUBT = 0.3, 1.4
EMPHASIS = 4.0  # brings similarities of words to about one


class Ears(nn.Module):
    """The tagger's trunk on band levels (B, `BANDS`, T), as `bands.level_features` gives them.

    The tagger knows the sounds that the separator trains on better than any it will ever hear. So in
    training `strangers` may listen in its place: taggers that have each learned one half of the sounds, and
    hear the other half.
    """

    def __init__(self) -> None:
        super().__init__()
        self.net = TaggerNet(DIM, len(KINDS))
        self.strangers: tuple[TaggerNet, ...] = ()
        self.requires_grad_(False)

    def train(self, mode: bool = True) -> Ears:
        return super().train(False)  # it has learned

    @torch.no_grad()
    def forward(self, features: Tensor, stranger: int | None = None) -> Tensor:
        """(B, `CHANNELS`, `ROWS`, P): P patches, number p centred on our frame p * `PATCH` / `PACE`, as the
        tagger or one of the `strangers` hears them."""
        return self._heard(features, stranger)

    def likeness(self, features: Tensor, labels: Tensor, stranger: int | None = None) -> Tensor:
        """(B, K): how much pieces as a whole sound like each of `labels` (B, K, 384), cosines; zero where a
        label is NaN. Unlike all else here it passes gradients on to `features`."""
        heard = self._heard(features, stranger)
        pooled = torch.cat((heard.mean(dim=(2, 3)), heard.amax(dim=(2, 3))), dim=1)
        words = self._projected(pooled[:, :, None, None], stranger)[:, :, 0, 0]
        return torch.einsum("bd,bkd->bk", words, labels.nan_to_num(0.0))

    def _heard(self, features: Tensor, stranger: int | None) -> Tensor:
        mel = _mel_matrix(str(features.device)) @ 10 ** (10 * features.float())
        level = 10 * torch.log10(mel + 1e-10)
        count = PATCH * -(-int(np.ceil(features.shape[-1] * PACE)) // PATCH)
        level = at_places(level, torch.arange(count, device=features.device) / PACE, -1)
        level = level - level.amax(dim=(1, 2), keepdim=True)
        normalised = (level.clamp(-RANGE_DB, 0) / (RANGE_DB / 2) + 1).transpose(1, 2)
        return self._who(stranger).patches(normalised).transpose(2, 3)

    @torch.no_grad()
    def evidence(
        self, heard: Tensor, labels: Tensor, doubt: Tensor | None = None, stranger: int | None = None
    ) -> Tensor:
        """How much the patches `heard` (B, `CHANNELS`, `ROWS`, P) sound like `labels` (B, K, 384), zero where
        a label is NaN: (B, K, 2, `ROWS`, P), for each patch alone, and for all rows and 1.8 s together, as
        the tagger was trained. `doubt` (B, 384) is added to what each piece is heard as; `heard` comes from
        the same `stranger`."""
        labels = labels.nan_to_num(0.0)
        alone = self.words(heard, stranger)
        mean = functional.avg_pool1d(heard.mean(dim=2), SPAN, 1, SPAN // 2, count_include_pad=False)
        most = functional.max_pool1d(heard.amax(dim=2), SPAN, 1, SPAN // 2)
        together = self._projected(torch.cat((mean, most), dim=1)[:, :, None], stranger)
        first, second = (
            torch.einsum("bdrp,bkd->bkrp", doubted(words, doubt), labels) for words in (alone, together)
        )
        return EMPHASIS * torch.stack((first, second.expand_as(first)), dim=2)

    @torch.no_grad()
    def words(self, heard: Tensor, stranger: int | None = None) -> Tensor:
        """What each patch sounds like by itself: unit word vectors (B, 384, `ROWS`, P)."""
        return self._projected(torch.cat((heard, heard), dim=1), stranger)

    def _who(self, stranger: int | None) -> TaggerNet:
        return self.net if stranger is None else self.strangers[stranger]

    def _projected(self, pooled: Tensor, stranger: int | None) -> Tensor:
        vectors = self._who(stranger).project(pooled.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return functional.normalize(vectors, dim=1)


def doubts(labels: Tensor) -> Tensor:
    """(B, 384) for training: three pieces in ten are heard, more or less, as another of their `labels`
    (B, K, 384). The tagger has learned the very sounds that the separator trains on; on others it errs, and
    must not be trusted blindly."""
    size, slots = labels.shape[:2]
    which = torch.randint(slots, (size,), device=labels.device)
    much = torch.rand(size, 1, device=labels.device) * MOST_DOUBT
    much = much * (torch.rand(size, 1, device=labels.device) < DOUBTED)
    return labels.nan_to_num(0.0)[torch.arange(size, device=labels.device), which] * much


def doubted(words: Tensor, doubt: Tensor | None) -> Tensor:
    """Unit vectors `words` (B, 384, R, P) of patches with each piece's `doubt` (B, 384) added, unit again; as
    they are without one."""
    return words if doubt is None else functional.normalize(words + doubt[:, :, None, None], dim=1)


def on_grid(patches: Tensor, frames: int, step: int = 1) -> Tensor:
    """Patches (..., `ROWS`, P) at our bands and frames, every `step`-th cell of both: (..., `BANDS` / `step`,
    `frames` / `step`), linearly in between."""
    device = patches.device
    rows = torch.tensor(_row_of_band().reshape(-1, step).mean(axis=1), dtype=torch.float32, device=device)
    times = (torch.arange(frames // step, device=device) * step + (step - 1) / 2) * PACE / PATCH
    return at_places(at_places(patches, rows, -2), times, -1)


def _mel_number(hz: np.ndarray) -> np.ndarray:
    """The mel scale in units of the tagger's bands, 0 for the first one's middle."""
    low, high = mel_scale(LOW_HZ), mel_scale(HIGH_HZ)
    return np.asarray((mel_scale(hz) - low) / (high - low) * (MELS + 1) - 1)


@lru_cache(maxsize=1)
def _row_of_band() -> np.ndarray:
    """(`BANDS`,) where in the patches' rows a band of ours lies, fractional."""
    return np.clip(_mel_number(_centres()) / PATCH, 0, ROWS - 1)


def _centres() -> np.ndarray:
    of_bin = band_of_bin()
    hz = np.arange(BINS) * RATE / N_FFT
    return np.array([hz[of_bin == band].mean() for band in range(BANDS)])


@lru_cache(maxsize=4)
@torch.inference_mode(mode=False)  # made once, for training too
def _mel_matrix(device: str) -> Tensor:
    """(`MELS`, `BANDS`): the tagger's triangles, read off at the middles of our bands."""
    distance = np.abs(_mel_number(_centres()) - np.arange(MELS)[:, None])
    return torch.tensor(np.maximum(0, 1 - distance), dtype=torch.float32, device=device)
