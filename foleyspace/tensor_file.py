"""Safetensors files of our own kinds: written in float16, read with one line for whatever is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from foleyspace.errors import InputError
from foleyspace.files import atomic_output

if TYPE_CHECKING:
    from torch import Tensor, nn

Net = TypeVar("Net", bound="nn.Module")
COUNTER = "num_batches_tracked"  # of normalisations: nothing that a trained network needs


def read_tensors(
    path: Path, expected: str, kind: str, version: str | None = None
) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Header and tensors (float32, finite, on the CPU) of a file whose header states `kind` as its format,
    and `version` where one is asked for.

    `expected`: what the file must be, for messages ("must be a listener's weights"). Raises `InputError`
    for any other file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            header = file.metadata() or {}
            _check_format(path, expected, header, kind, version)
            tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
    except (OSError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:60]
        raise InputError(f"{path}: {expected}, but is not readable as safetensors ({reason})") from None
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise InputError(f"{path}: {expected}, but holds values that are not finite")
    return header, tensors


def read_net(
    path: Path,
    expected: str,
    kind: str,
    build: Callable[[dict[str, str]], Net],
    *,
    version: str | None = None,
    own: Callable[[Net], Mapping[str, Tensor]] | None = None,
) -> Net:
    """The network whose tensors a file holds, on the CPU, ready to be used.

    `build` makes it of the file's header, and raises any usual error for a header that states none; `own`:
    those of its tensors that the file must hold (None: all). Raises `InputError` for a file that
    `read_tensors` refuses and for tensors that are not exactly the network's.
    """
    import torch

    header, tensors = read_tensors(path, expected, kind, version)
    try:
        with torch.device("meta"):  # no memory is taken for a size that only the header states
            stated = build(header)
            wanted = stated.state_dict() if own is None else own(stated)
            shapes = {name: tensor.shape for name, tensor in wanted.items()}
        other = [name for name, tensor in tensors.items() if shapes.get(name) != tensor.shape]
        missing = [name for name in shapes if name not in tensors and not name.endswith(COUNTER)]
        if other or missing:
            raise ValueError(f"missing {missing[:2]}, of another shape or unknown {other[:2]}")
        net = build(header)
        net.load_state_dict(tensors, strict=False)
    except (LookupError, ValueError, TypeError, ArithmeticError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:80]
        raise InputError(f"{path}: {expected}, but its tensors do not fit ({reason})") from None
    return net.eval()


def once_a_version(load: Callable[[Path, str], Net]) -> Callable[[Path, str], Net]:
    """`load` of a path and a device, which gives the same network again while the file is the same. It is
    shared: nobody may write to it."""

    @lru_cache(maxsize=2)
    def loaded(path: Path, device: str, _version: tuple[int, int]) -> Net:
        return load(path, device)

    @wraps(load)
    def same(path: Path, device: str) -> Net:
        stat = path.stat()
        return loaded(path, device, (stat.st_mtime_ns, stat.st_size))

    return same


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
        if not name.endswith(COUNTER)
    }
    with atomic_output(path, overwrite=True) as temporary:
        temporary.write_bytes(save(kept, metadata={name: str(value) for name, value in header.items()}))
    return path


def _check_format(
    path: Path, expected: str, header: Mapping[str, str], kind: str, version: str | None
) -> None:
    stated, of_version = header.get("format"), header.get("version")
    if stated is None:
        raise InputError(f"{path}: {expected}, but its header states no format")
    if stated != kind:
        raise InputError(f"{path}: {expected}, but its format is {stated[:60]!r}")
    if version is not None and of_version != version:
        raise InputError(f"{path}: {expected}, but its version is {str(of_version)[:60]!r}")
