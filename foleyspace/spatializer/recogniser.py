"""What a sound is, from a network that has heard far more sounds than we have: aiSFX's, and a head of ours.

Ma & Lerch, "Representation Learning for the Automatic Indexing of Sound Effects Libraries", ISMIR 2022: a
convolutional network, trained on professional libraries to tell the classes of each. Its layers before the
pooling say what every patch of a mixture (186 ms, a twelfth of the mel scale to 22 kHz) sounds like; the head
(`pipelines/train_recogniser.py`) makes word vectors of that. Imports torch.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from foleyspace.mel import hz_of_mel, mel_scale, triangles
from foleyspace.shipped import shipped_weights
from foleyspace.spatializer.bands import BANDS, BINS, HOP, N_FFT, RATE, band_of_bin
from foleyspace.spatializer.between import at_places
from foleyspace.tensor_file import read_net, write_tensors
from foleyspace.word_vectors import DIM

SHIPPED, FORMAT = "recogniser.safetensors", "foleyspace-recogniser-1"
EXPECTED = f"must be a recogniser's weights ({FORMAT}, made by train_recogniser)"
WIDTHS = (64, 128, 256, 512)
CHANNELS = WIDTHS[-1]
MELS, PATCH = 96, 8  # mel bands; bands and frames to a patch
ROWS = MELS // PATCH
TRUNK_RATE, TRUNK_HOP = 44100, 1024  # what it was trained with
PACE = HOP / RATE / (TRUNK_HOP / TRUNK_RATE)  # its frames to a frame of ours
LOUDEST = 9.457798957824707  # of its training's spectra, log10(1 + 1e4 power)
POWER = 100.0  # that it expects of our bands, on average: a recording that peaks at full scale
HIDDEN, DROPOUT, JITTER = 768, 0.4, 0.3
SPAN = 9  # patches that are heard together: 1.7 s
LEAST_BIN = 0.05  # of a triangle's peak: below it the nearest bin stands for a mel band


class SoundTrunk(nn.Module):
    """Eight 3x3 convolutions in pairs, a maximum over two by two cells after the first three pairs. Batch
    normalisation is part of the convolutions."""

    def __init__(self) -> None:
        super().__init__()
        inputs = (1, *WIDTHS[:-1])
        self.first = nn.ModuleList(nn.Conv2d(i, o, 3, padding=1) for i, o in zip(inputs, WIDTHS, strict=True))
        self.second = nn.ModuleList(nn.Conv2d(o, o, 3, padding=1) for o in WIDTHS)

    def forward(self, mel: Tensor) -> Tensor:
        """(B, `MELS`, T) to (B, `CHANNELS`, `ROWS`, T / `PATCH`)."""
        x = mel[:, None].contiguous(memory_format=torch.channels_last)
        for depth, (first, second) in enumerate(zip(self.first, self.second, strict=True)):
            if depth:
                x = functional.max_pool2d(x, 2)
            x = functional.relu(second(functional.relu(first(x))))
        return x


class RecogniserHead(nn.Module):
    """Each patch of the trunk to a vector in the space of words, not yet of unit length."""

    def __init__(self) -> None:
        super().__init__()
        self.standard = nn.BatchNorm1d(CHANNELS, affine=False)
        self.drop = nn.Dropout(DROPOUT)
        self.hidden = nn.Linear(CHANNELS + ROWS, HIDDEN)
        self.out = nn.Linear(HIDDEN, DIM)

    def forward(self, patches: Tensor) -> Tensor:
        """(B, `CHANNELS`, `ROWS`, P) to (B, 384, `ROWS`, P)."""
        size, channels, rows, count = patches.shape
        flat = patches.permute(0, 2, 3, 1).reshape(-1, channels)
        x = self.standard(flat).clamp(-4, 6)
        if self.training:
            x = x + JITTER * torch.randn_like(x)
        row = torch.eye(rows, device=x.device).repeat_interleave(count, dim=0).repeat(size, 1)
        x = self.drop(functional.relu(self.hidden(self.drop(torch.cat((x, row), dim=1)))))
        vectors: Tensor = self.out(x).reshape(size, rows, count, DIM).permute(0, 3, 1, 2)
        return vectors


class Recogniser(nn.Module):
    """The trunk and the head on band levels (B, `BANDS`, T), as `bands.level_features` gives them.

    As with the tagger (`ears.Ears`), `strangers` may take the head's place in training: heads that have each
    learned one half of the sounds, and hear the other half. The trunk has learned none of them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.trunk = SoundTrunk()
        self.head = RecogniserHead()
        self.strangers: tuple[RecogniserHead, ...] = ()
        self.requires_grad_(False)

    def train(self, mode: bool = True) -> Recogniser:
        return super().train(False)  # it has learned

    @torch.no_grad()
    def forward(self, features: Tensor, stranger: int | None = None) -> Tensor:
        """(B, 384, `ROWS`, P): what each patch sounds like, not yet of unit length; patch p spans the trunk's
        frames p * `PATCH` to (p + 1) * `PATCH`."""
        head = self.head if stranger is None else self.strangers[stranger]
        vectors: Tensor = head(self.patches(features))
        return vectors

    @torch.no_grad()
    def patches(self, features: Tensor) -> Tensor:
        """(B, `CHANNELS`, `ROWS`, P): what the trunk hears."""
        power = POWER * 10 ** (10 * features.float())
        heard: Tensor = self.trunk(torch.log10(1 + 1e4 * _on_mels(power)) / LOUDEST)
        return heard


def patch_power(power: Tensor) -> Tensor:
    """Band power (..., `BANDS`, T) by patches (..., `ROWS`, P)."""
    mel = _on_mels(power)
    return functional.avg_pool2d(mel.flatten(0, -3), PATCH).unflatten(0, mel.shape[:-2])


def _on_mels(power: Tensor) -> Tensor:
    """Band power (..., `BANDS`, T) at the trunk's mel bands and frames, (..., `MELS`, T'), T' a multiple of
    `PATCH`."""
    count = PATCH * -(-int(np.ceil(power.shape[-1] * PACE)) // PATCH)
    times = torch.arange(count, device=power.device) / PACE
    return at_places(_mel_matrix(str(power.device)) @ power, times, -1)


def on_bands(patches: Tensor, frames: int) -> Tensor:
    """Patches (..., `ROWS`, P) at our bands and frames, (..., `BANDS`, `frames`), linearly in between."""
    device = patches.device
    rows = torch.tensor(_row_of_band(), dtype=torch.float32, device=device)
    times = (torch.arange(frames, device=device) * PACE - (PATCH - 1) / 2) / PATCH
    return at_places(at_places(patches, rows, -2), times, -1)


def together(vectors: Tensor) -> Tensor:
    """Vectors (B, 384, `ROWS`, P) of patches, as unit vectors of all rows and 1.7 s: (B, 384, P)."""
    mean = functional.avg_pool1d(vectors.mean(dim=2), SPAN, 1, SPAN // 2, count_include_pad=False)
    return functional.normalize(mean, dim=1)


def load_recogniser(path: Path | None = None) -> Recogniser:
    """The recogniser that ships, or that of a file of `train_recogniser`, on the CPU. Raises `InputError` for
    another file, `FoleyspaceError` where the shipped one is damaged."""
    if path is None:
        with shipped_weights(SHIPPED) as shipped:
            return _read(shipped)
    return _read(path)


def _read(path: Path) -> Recogniser:
    return read_net(path, EXPECTED, FORMAT, lambda _: Recogniser())


def save_recogniser(recogniser: Recogniser, path: Path, notes: dict[str, Any]) -> Path:
    """Write trunk and head as float16 safetensors, `notes` in the header."""
    return write_tensors(path, recogniser.state_dict(), {"format": FORMAT} | notes)


def _edges_hz() -> np.ndarray:
    """(`MELS` + 2,) of its triangles: even steps of HTK's mel scale from 0 to 22.05 kHz."""
    return hz_of_mel(np.linspace(0, float(mel_scale(TRUNK_RATE / 2)), MELS + 2))


@lru_cache(maxsize=4)
@torch.inference_mode(mode=False)  # made once, for training too
def _mel_matrix(device: str) -> Tensor:
    """(`MELS`, `BANDS`): triangles of unit sum over our bins, each bin with an even part of its band."""
    edges, hz, of_bin = _edges_hz(), np.arange(BINS) * RATE / N_FFT, band_of_bin()
    weights = triangles(edges, hz)
    for row, middle in zip(weights, edges[1:-1], strict=True):
        if row.sum() < LEAST_BIN:
            row[np.abs(hz - middle).argmin()] = 1
    weights /= weights.sum(axis=1, keepdims=True)
    bands = (weights / np.bincount(of_bin)[of_bin]) @ np.eye(BANDS)[of_bin]
    return torch.tensor(bands, dtype=torch.float32, device=device)


@lru_cache(maxsize=1)
def _row_of_band() -> np.ndarray:
    """(`BANDS`,) where in the patches' rows a band of ours lies, fractional."""
    of_bin = band_of_bin()
    hz = np.bincount(of_bin, np.arange(BINS) * RATE / N_FFT) / np.bincount(of_bin)
    number = mel_scale(hz) / float(mel_scale(TRUNK_RATE / 2)) * (MELS + 1) - 1
    return np.asarray(np.clip((number - (PATCH - 1) / 2) / PATCH, 0, ROWS - 1))
