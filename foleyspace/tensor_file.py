"""Safetensors files of our own kinds: written in float16, read with one line for whatever is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleyspace.errors import InputError
from foleyspace.files import atomic_output

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


def write_tensors(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> Path:
    """Write a network's `tensors`, what is floating in float16, and `header` as text. Returns `path`."""
    import torch
    from safetensors.torch import save

    kept = {
        name: tensor.detach()
        .cpu()
        .to(torch.float16 if tensor.is_floating_point() else tensor.dtype)
        .contiguous()
        for name, tensor in tensors.items()
        if not name.endswith("num_batches_tracked")
    }
    with atomic_output(path, overwrite=True) as temporary:
        temporary.write_bytes(save(kept, metadata={name: str(value) for name, value in header.items()}))
    return path
