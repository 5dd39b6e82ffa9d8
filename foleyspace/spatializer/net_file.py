"""Weights files of the baselines: safetensors in float16, the network's shape and notes in the header.

Imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from foleyspace.errors import InputError
from foleyspace.files import check_input
from foleyspace.tensor_file import write_tensors

Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True)
class FileKind:
    """`format` and `version` as the header has them; `whose` weights it holds, for messages."""

    format: str
    version: str
    whose: str


def save_net(
    net: nn.Module, path: Path, notes: Mapping[str, Any], kind: FileKind, shape: Mapping[str, Any]
) -> Path:
    """Write the weights, atomically; `shape`: what the network was built with, `notes`: anything to tell."""
    own = {"format": kind.format, "version": kind.version, "net": json.dumps(dict(shape))}
    return write_tensors(Path(path), net.state_dict(), {**notes, **own})


def load_net(path: Path, kind: FileKind, build: Callable[[Any], Net]) -> Net:
    """The network of a file of `save_net`, on the CPU: `build` makes it, of the stated shape, and raises
    `ValueError` for one that cannot be. Raises `InputError` for a file that is no such weights or damaged."""
    from safetensors import SafetensorError, safe_open

    path = check_input(path, "weights")
    try:
        with safe_open(str(path), framework="pt") as file:
            header = file.metadata() or {}
            if (header.get("format"), header.get("version")) != (kind.format, kind.version):
                raise ValueError(
                    f"its format is {header.get('format')!r} {header.get('version', '')}".strip()
                )
            shape = json.loads(header.get("net", ""))
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        if not all(tensor.isfinite().all() for tensor in state.values()):
            raise ValueError("it holds NaN or infinite values")
        with torch.device("meta"):  # no memory is taken for a size that only the header states
            stated = build(copy(shape)).state_dict()
        if {name: t.shape for name, t in stated.items()} != {name: t.shape for name, t in state.items()}:
            raise ValueError("its tensors are not those of the network that it states")
        net = build(copy(shape))
        net.load_state_dict(state)
    except (OSError, SafetensorError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:80]
        raise InputError(
            f"weights {path} cannot be used ({reason}) but must be a safetensors file of {kind.whose} "
            f"({kind.format} version {kind.version})"
        ) from None
    return net.eval()


def whole_numbers(stated: Any, limits: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """`stated` as the whole numbers that `limits` names, each within its lowest and highest. Raises
    `ValueError`."""
    if not isinstance(stated, dict) or set(stated) != set(limits):
        raise ValueError("its header does not state the network")
    for name, (low, high) in limits.items():
        value = stated[name]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"its header states {name} {value!r}")
    return dict(stated)
