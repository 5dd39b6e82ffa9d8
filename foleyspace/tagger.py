"""What a sound is: windows of a mono track as vectors in the space of words.

The embedded tagger is a small network trained to give the MiniLM vector of what it hears; its weights ship
(`models/TAGGER.md`). Taggers of the model hub: `tagger_hub.py`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.keeping import kept
from foleyspace.mel import HOP, RATE, log_mel, normalise
from foleyspace.types import Floats, Samples
from foleyspace.word_vectors import word_vectors

log = logging.getLogger("foleyspace")

KINDS = (
    "human", "speech", "instrument", "animal", "vehicle", "object", "environmental", "footstep", "music",
)  # fmt: skip
WINDOW_FRAMES = 100  # 1.6 s
HOP_FRAMES = 31  # 0.496 s
BATCH = 32


@dataclass(frozen=True)
class Calibration:
    """How similarities of a tagger become probabilities.

    `word_scale`: cosine times this is a word's log-probability, but for a constant; `kind_scale` (1,) and
    `kind_bias` (9,) do the same for the logits of the kinds; `affinity`: constant and slope that make a log
    likelihood ratio of `hearing.label_evidence`.
    """

    word_scale: float
    affinity: tuple[float, float]
    kind_scale: float = 1.0
    kind_bias: tuple[float, ...] = (0.0,) * len(KINDS)


class Tagger(Protocol):
    """Something that hears: `rate` Hz it works at, windows of `window_s` every `hop_s`, window i centred on
    (i + 0.5) * `hop_s`. `reference` (R, D): what it gives for sounds of all sorts, against which a label's
    evidence is standardised; empty where there are none."""

    name: str
    rate: int
    window_s: float
    hop_s: float
    calibration: Calibration
    reference: Samples

    def embed(self, samples: Samples, rate: int) -> tuple[Floats, Samples]:
        """Mono samples (n,) to window centres (W,) s and what is heard in each, vectors (W, D)."""
        ...

    def word_vectors(self, words: Sequence[str]) -> Samples:
        """(L, D) in the same space: the product with a window's vector says how alike they are."""
        ...

    def kind_logits(self, vectors: Samples) -> Floats:
        """(W, D) to (W, 9): log-probabilities of `KINDS`, but for a constant a row."""
        ...

    def __hash__(self) -> int: ...


@kept
def load_tagger(name: str = "auto", *, device: str = "cpu", offline: bool = False) -> Tagger:
    """The embedded tagger ("auto"), or an AST or CLAP model through transformers: a hub name or a folder.

    A hub model that cannot be had is replaced by the embedded one, with a warning. Raises `InputError` for a
    folder that holds no such model.
    """
    if name == "auto":
        return EmbeddedTagger(device, offline)
    from foleyspace.tagger_hub import load_hub_tagger

    try:
        return load_hub_tagger(name, device=device, offline=offline)
    except InputError:
        raise
    except FoleyspaceError as error:
        log.warning("tagger %s cannot be had (%s): the embedded one listens", name, error)
        return EmbeddedTagger(device, offline)


class EmbeddedTagger:
    """The tagger that ships: 1.6 s windows of log-mel spectra to unit vectors in the centred MiniLM space."""

    name = "embedded"
    rate = RATE
    window_s = WINDOW_FRAMES * HOP / RATE
    hop_s = HOP_FRAMES * HOP / RATE

    def __init__(self, device: str = "cpu", offline: bool = False, weights: Path | None = None) -> None:
        from foleyspace.device import torch_device

        self.device = torch_device(device)
        self._offline = offline
        self.net, self.calibration, self.reference = _load(self.device, weights)

    def embed(self, samples: Samples, rate: int) -> tuple[Floats, Samples]:
        """Mono samples (n,) to window centres (W,) s and unit vectors (W, 384)."""
        import torch

        samples = at_rate(samples, rate, self.rate)
        count = max(1, -(-len(samples) // (HOP_FRAMES * HOP)))
        before = (WINDOW_FRAMES - HOP_FRAMES + 1) // 2
        mel = log_mel(samples, -before * HOP, (count - 1) * HOP_FRAMES + WINDOW_FRAMES)
        windows = np.lib.stride_tricks.sliding_window_view(mel, WINDOW_FRAMES, axis=0)[::HOP_FRAMES]
        rows = []
        with torch.inference_mode():
            for first in range(0, count, BATCH):
                batch = normalise(windows[first : first + BATCH].transpose(0, 2, 1))
                rows.append(self.net(torch.from_numpy(batch).to(self.device)).float().cpu().numpy())
        times: Floats = np.arange(0.5, count) * self.hop_s
        return times, np.concatenate(rows)

    def word_vectors(self, words: Sequence[str]) -> Samples:
        """Unit vectors (L, 384)."""
        return word_vectors(words, offline=self._offline)

    def kind_logits(self, vectors: Samples) -> Floats:
        """(W, 384) to (W, 9)."""
        import torch

        with torch.inference_mode():
            logits = self.net.kind_logits(torch.from_numpy(np.array(vectors, np.float32)).to(self.device))
        return logits.cpu().numpy().astype(np.float64)


def at_rate(samples: Samples, rate: int, wanted: int) -> Samples:
    """Mono samples (n,) resampled, finite. Raises `InputError` when they are not mono."""
    samples = np.asarray(samples, np.float32)
    if samples.ndim != 1:
        raise InputError(f"`samples` has shape {samples.shape} but must be (n,)")
    if not np.isfinite(samples).all():
        samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
    if rate == wanted or not len(samples):
        return samples
    import soxr

    resampled: Samples = soxr.resample(samples, rate, wanted)
    return resampled


@lru_cache(maxsize=4)
def _load(device: str, weights: Path | None) -> tuple[Any, Calibration, Samples]:
    """The network, ready, its calibration (from the header) and reference. Shared: nobody writes to them."""
    import torch
    from safetensors import SafetensorError, safe_open

    from foleyspace.tagger_net import TaggerNet
    from foleyspace.word_vectors import DIM

    with as_file(files("foleyspace.models") / "tagger.safetensors") as shipped:
        path = weights or shipped
        try:
            with safe_open(str(path), framework="pt") as file:
                stated = json.loads((file.metadata() or {}).get("calibration", "null"))
                state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            if not all(tensor.isfinite().all() for tensor in state.values()):
                raise ValueError("it holds NaN or infinite values")
            reference = state.pop("reference", torch.zeros(0, DIM)).float().numpy()
            net = TaggerNet(DIM, len(KINDS))
            missing, unknown = net.load_state_dict({k: v.float() for k, v in state.items()}, strict=False)
            if unknown or any(not name.endswith("num_batches_tracked") for name in missing):
                raise ValueError(f"missing {missing[:2]}, unknown {unknown[:2]}")
            calibration = Calibration(**stated) if stated else Calibration(1 / 0.07, (0.0, 0.0))
            if not np.isfinite(np.hstack([*vars(calibration).values()]).astype(float)).all():
                raise ValueError("its calibration is not finite")
        except (OSError, SafetensorError, RuntimeError, ValueError, TypeError) as error:
            reason = " ".join(str(error).split())[:80]
            kind = FoleyspaceError if weights is None else InputError
            raise kind(f"{path}: the tagger's weights are damaged ({reason})") from None
    net = net.eval().to(device).to(memory_format=torch.channels_last)
    reference.setflags(write=False)
    return net, calibration, reference
