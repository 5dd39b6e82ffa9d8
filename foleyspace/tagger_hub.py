"""Taggers of the model hub through transformers: CLAP (compares in its own text space) and the Audio
Spectrogram Transformer (names AudioSet classes, which are compared as words)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.label_sounds import KIND_WORDS
from foleyspace.quiet import quiet_transformers
from foleyspace.tagger import KINDS, Calibration, Tagger, at_rate
from foleyspace.types import Floats, Samples
from foleyspace.word_vectors import hub_answers, unit, word_vectors

log = logging.getLogger("foleyspace")

BATCH = 8
LABEL_SHARPNESS = 12.0  # how sharply a word stands for the AudioSet labels near it
PROMPT = "the sound of {}"
# Not fitted, for want of the models where this was written: log ratios are halved.
# CLAP's own logit scale for words, capped; AST's vectors are probabilities already.
CLAP = Calibration(word_scale=20.0, affinity=(0.0, 0.5))
AST = Calibration(word_scale=8.0, affinity=(0.0, 0.5))


def load_hub_tagger(name: str, *, device: str = "cpu", offline: bool = False) -> Tagger:
    """An AST or CLAP model: a folder, or a hub name (asked for seconds only, then the local copy, if any).

    Raises `InputError` for a folder, or a model, of another kind; `FoleyspaceError` when it cannot be had.
    """
    from transformers import AutoConfig

    from foleyspace.device import torch_device

    local = name != "" and Path(name).expanduser().is_dir()
    if not local and (name.count("/") != 1 or name.startswith((".", "/", "~"))):
        raise InputError(f"`tagger` is {name!r} but must be auto, a folder, or a hub name (OWNER/NAME)")
    source = str(Path(name).expanduser()) if local else name
    only_local = local or offline or not hub_answers()
    how = {"local_files_only": only_local, "trust_remote_code": False}
    kinds = {"clap": ClapTagger, "audio-spectrogram-transformer": AstTagger}
    try:
        model_type = AutoConfig.from_pretrained(source, **how).model_type
        if model_type not in kinds:
            raise InputError(f"`tagger` {name} is a {model_type} model but must be CLAP or AST")
        with quiet_transformers():
            return kinds[model_type](name, source, how, torch_device(device), offline)
    except InputError:
        raise
    except Exception as error:  # whatever a broken folder makes transformers raise
        if local:
            raise InputError(f"{name}: it holds no CLAP or AST model ({_short(error)})") from None
        reason = (
            "no local copy" + ("" if offline else ", its host is silent") if only_local else _short(error)
        )
        raise FoleyspaceError(reason) from None


class _HubTagger:
    """What both have in common: windows of `window_s` at the model's rate through the model in batches."""

    window_s = 2.0
    hop_s = 0.5
    calibration: Calibration
    reference: Samples = np.zeros((0, 0), np.float32)

    def __init__(self, name: str, extractor: Any, model: Any, device: str, offline: bool) -> None:
        self.name = name
        self.rate = int(extractor.sampling_rate)
        self._extractor, self._model = extractor, model.eval().to(device)
        self._device, self._offline = device, offline

    def embed(self, samples: Samples, rate: int) -> tuple[Floats, Samples]:
        """Mono samples (n,) to window centres (W,) s and vectors (W, D)."""
        import torch

        samples = at_rate(samples, rate, self.rate)
        hop, window = round(self.hop_s * self.rate), round(self.window_s * self.rate)
        count = max(1, -(-len(samples) // hop))
        padded = np.zeros((count - 1) * hop + window, np.float32)
        before = (window - hop) // 2
        padded[before : before + len(samples)] = samples[: len(padded) - before]
        rows = []
        with torch.inference_mode():
            for first in range(0, count, BATCH):
                cut = [padded[i * hop :][:window] for i in range(first, min(first + BATCH, count))]
                inputs = self._extractor(cut, sampling_rate=self.rate, return_tensors="pt").to(self._device)
                rows.append(self._vectors(inputs).float().cpu().numpy())
        times: Floats = np.arange(0.5, count) * self.hop_s
        return times, np.concatenate(rows)

    def _vectors(self, inputs: Any) -> Any:
        raise NotImplementedError

    def word_vectors(self, words: Sequence[str]) -> Samples:
        raise NotImplementedError

    def kind_logits(self, vectors: Samples) -> Floats:
        """(W, 9), by the words that stand for each kind."""
        rows = []
        for kind in KINDS:
            similarity = vectors @ self.word_vectors(KIND_WORDS[kind]).T * self.calibration.word_scale
            rows.append(np.logaddexp.reduce(similarity, axis=1) - np.log(similarity.shape[1]))
        return np.stack(rows, axis=1).astype(np.float64)


class ClapTagger(_HubTagger):
    """CLAP (Wu et al. 2023): sound and text meet in one space of its own."""

    calibration = CLAP

    def __init__(self, name: str, source: str, how: dict[str, Any], device: str, offline: bool) -> None:
        from transformers import AutoFeatureExtractor, AutoTokenizer, ClapModel

        extractor = AutoFeatureExtractor.from_pretrained(source, **how)
        model = ClapModel.from_pretrained(source, **how)
        super().__init__(name, extractor, model, device, offline)
        self._tokenizer = AutoTokenizer.from_pretrained(source, **how)
        self._known: dict[str, Samples] = {}

    def _vectors(self, inputs: Any) -> Any:
        return _features(self._model.get_audio_features(**inputs))

    def word_vectors(self, words: Sequence[str]) -> Samples:
        """Unit vectors (L, D) of "the sound of WORD"."""
        import torch

        new = [word for word in dict.fromkeys(words) if word not in self._known]
        for first in range(0, len(new), 8 * BATCH):
            some = new[first : first + 8 * BATCH]
            texts = [PROMPT.format(word) for word in some]
            inputs = self._tokenizer(texts, padding=True, truncation=True, return_tensors="pt").to(
                self._device
            )
            with torch.inference_mode():
                vectors = unit(_features(self._model.get_text_features(**inputs)).float().cpu().numpy())
            self._known |= dict(zip(some, vectors, strict=True))
        return np.stack([self._known[word] for word in words])


class AstTagger(_HubTagger):
    """AST (Gong et al. 2021): the probabilities of its classes; a word is the classes near it."""

    calibration = AST
    hop_s = 1.0  # it looks at ten seconds whatever it is given, and costs as much

    def __init__(self, name: str, source: str, how: dict[str, Any], device: str, offline: bool) -> None:
        from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

        extractor = AutoFeatureExtractor.from_pretrained(source, **how)
        model = AutoModelForAudioClassification.from_pretrained(source, **how)
        super().__init__(name, extractor, model, device, offline)
        names = model.config.id2label
        self._labels = word_vectors([names[i] for i in range(len(names))], offline=offline)

    def _vectors(self, inputs: Any) -> Any:
        return self._model(**inputs).logits.sigmoid()

    def word_vectors(self, words: Sequence[str]) -> Samples:
        """(L, classes): how far each class stands for the word; 1 for a class of that very name."""
        similarity = word_vectors(words, offline=self._offline) @ self._labels.T
        return np.exp(LABEL_SHARPNESS * (similarity - 1)).astype(np.float32)


def _features(output: Any) -> Any:
    """transformers 5 gives an output with the projected features as `pooler_output`, 4 the features alone."""
    import torch

    features = output if isinstance(output, torch.Tensor) else output.pooler_output
    return torch.nn.functional.normalize(features, dim=-1)


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:80] or type(error).__name__
