"""Whole texts as vectors, through transformers: MiniLM, CLIP, BERT or T5 (the choices of TAS, table 2), or
any text model by its hub name or folder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.quiet import quiet_transformers
from foleyspace.types import Samples
from foleyspace.word_vectors import HUB_NAME, find_minilm, hub_answers, unit

ENCODERS = {
    "minilm": HUB_NAME,
    "clip": "openai/clip-vit-base-patch32",
    "bert": "google-bert/bert-base-uncased",
    "t5": "google-t5/t5-base",
}
BATCH = 32
LONGEST = 512  # tokens; what is longer is cut


class TextEncoder:
    """`name`: as it was asked for; `dim`: numbers a text. CLIP gives the vector that it compares with
    pictures, every other model the mean over its tokens (Reimers & Gurevych 2019)."""

    def __init__(self, name: str, source: str, local: bool) -> None:
        from transformers import (
            AutoConfig,
            AutoModel,
            AutoTokenizer,
            CLIPTextModelWithProjection,
            T5EncoderModel,
        )

        kinds: dict[str, Any] = {"clip": CLIPTextModelWithProjection, "t5": T5EncoderModel}
        with quiet_transformers():
            how = {"local_files_only": local, "trust_remote_code": False}
            kind = AutoConfig.from_pretrained(source, **how).model_type
            kind = "clip" if kind == "clip_text_model" else kind
            self._tokenizer: Any = AutoTokenizer.from_pretrained(source, **how)
            model: Any = kinds.get(kind, AutoModel).from_pretrained(source, **how)
        self._model, self._pooled, self.name = model.eval(), kind == "clip", name
        self._longest = min(LONGEST, self._tokenizer.model_max_length)
        self.dim = int(self(["a"]).shape[1])

    def __call__(self, texts: Sequence[str]) -> Samples:
        """Unit vectors (N, `dim`) float32."""
        import torch

        rows = []
        with torch.inference_mode():
            for first in range(0, len(texts), BATCH):
                tokens = self._tokenizer(
                    list(texts[first : first + BATCH]),
                    padding=True,
                    truncation=True,
                    max_length=self._longest,
                    return_tensors="pt",
                )
                if self._pooled:
                    rows.append(self._model(**tokens).text_embeds.float().numpy())
                    continue
                hidden = self._model(**tokens).last_hidden_state.float()
                keep = tokens["attention_mask"][..., None]
                rows.append(((hidden * keep).sum(1) / keep.sum(1)).numpy())
        return unit(np.concatenate(rows))


@lru_cache(maxsize=2)
def load_text_encoder(name: str = "minilm", *, offline: bool = False) -> TextEncoder:
    """The encoder `name`: minilm, clip, bert, t5, a folder, or a hub name. MiniLM comes from its installed
    package where there is one; the hub is asked for seconds only.

    Raises `InputError` for a name that is none of these or a folder without a text model; `FoleyspaceError`
    when it cannot be had.
    """
    folder = find_minilm() if name == "minilm" else Path(name).expanduser()
    if folder is not None and (name == "minilm" or folder.is_dir()):
        source, local = str(folder), True
    elif name in ENCODERS or (name.count("/") == 1 and not name.startswith((".", "/", "~"))):
        source = ENCODERS.get(name, name)
        local = offline or not hub_answers()
    else:
        raise InputError(
            f"text encoder {name!r} must be one of {', '.join(ENCODERS)}, a folder, or a hub name"
        )
    try:
        return TextEncoder(name, source, local)
    except (OSError, ValueError, ImportError, AttributeError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:80]
        if Path(source).is_dir():
            raise InputError(f"{name}: it holds no text model ({reason})") from None
        hint = "; pip install 'foleyspace[words]' brings it" if name == "minilm" else ""
        reason = "no local copy" if local else reason
        raise FoleyspaceError(f"the text encoder {name} cannot be had: {reason}{hint}") from None


def encode(texts: Sequence[str], encoder: str = "minilm", *, offline: bool = False) -> Samples:
    """Unit vectors (N, D) float32 of whole texts. Raises as `load_text_encoder` does."""
    return load_text_encoder(encoder, offline=offline)(texts)
