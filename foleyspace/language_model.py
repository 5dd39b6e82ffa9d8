"""Causal language models of transformers, by hub name or folder."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from foleyspace.errors import InputError
from foleyspace.quiet import quiet_transformers


@lru_cache(maxsize=1)
def load_language_model(model: str, offline: bool = False) -> tuple[Any, Any]:
    """Tokenizer and network. Raises `InputError` where they cannot be loaded (`offline`: from disk only)."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from foleyspace.word_vectors import hub_answers

    local = offline or Path(model).is_dir() or not hub_answers()
    try:
        with quiet_transformers():
            tokenizer: Any = AutoTokenizer.from_pretrained(model, local_files_only=local)
            net: Any = AutoModelForCausalLM.from_pretrained(model, local_files_only=local).eval()
    except (OSError, ValueError, ImportError) as error:
        reason = " ".join(str(error).split())[:80]
        raise InputError(f"`model` is {model!r} but must be a causal language model ({reason})") from None
    return tokenizer, net
