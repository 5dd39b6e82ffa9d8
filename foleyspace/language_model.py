"""Causal language models of transformers, by hub name or folder."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from foleyspace.errors import InputError
from foleyspace.keeping import kept
from foleyspace.model_folder import find_model_folder, one_line
from foleyspace.quiet import quiet_transformers

log = logging.getLogger("foleyspace")


@dataclass(frozen=True)
class LanguageModel:
    """A loaded model: tokenizer and network of transformers."""

    name: str
    tokenizer: Any = field(repr=False)
    net: Any = field(repr=False)


@kept
def load_language_model(
    name: str, *, option: str, instead: str, offline: bool = False
) -> LanguageModel | None:
    """The model `name`, a hub name or a folder; None where the hub does not answer, and for a hub name that
    is not in the cache while `offline`: then a warning says what happens `instead`. Raises `InputError`,
    naming `option`, for a name that the hub does not know and for a folder of no such model."""
    folder, why = find_model_folder(
        name, offline, option, "a Hugging Face model name or a folder", beside="tokenizer_config.json"
    )
    if folder is None:
        log.warning("`%s` %s is not used (%s): %s", option, name, why, instead)
        return None
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        with quiet_transformers():
            tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            net: Any = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # whatever a broken folder makes transformers raise
        raise InputError(
            f"`{option}` is {name!r} but must be a causal language model ({one_line(error, 80)})"
        ) from None
    return LanguageModel(name, tokenizer, net.eval())
