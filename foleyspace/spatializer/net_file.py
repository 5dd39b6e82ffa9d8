"""Weights files of the baselines: safetensors in float16, the network's shape and notes in the header.

Imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from foleyspace.files import check_input
from foleyspace.tensor_file import read_net, write_tensors

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
    path = check_input(path, "weights")
    expected = f"must be a safetensors file of {kind.whose} ({kind.format} version {kind.version})"

    def stated(header: Mapping[str, str]) -> Net:
        return build(json.loads(header.get("net", "")))

    return read_net(path, expected, kind.format, stated, version=kind.version)


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
