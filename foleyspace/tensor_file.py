"""Safetensors files of our own kinds, read with one line for whatever is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


def read_tensors(path: Path, expected: str, kind: str) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Header and tensors (float32, on the CPU) of a file whose header states `kind` as its format.

    `expected`: what the file must be, for messages ("must be a listener's weights"). Raises `InputError`
    for any other file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            header = file.metadata() or {}
            tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{path}: {expected}, but is not readable as safetensors ({str(error)[:60]})"
        ) from None
    if header.get("format") != kind:
        raise InputError(f"{path}: {expected}, but its header says {header.get('format', 'nothing')[:60]!r}")
    return header, tensors
