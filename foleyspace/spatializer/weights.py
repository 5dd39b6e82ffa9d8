"""The separator's weights: those that ship, a file, or a model of the hub; checked before they are used."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.files import file_sha256
from foleyspace.shipped import shipped_weights
from foleyspace.tensor_file import once_a_version, read_net

if TYPE_CHECKING:
    from torch import Tensor

    from foleyspace.spatializer.model import SeparatorNet

log = logging.getLogger("foleyspace")

FORMAT = "foleyspace-separator-3"
MAX_BYTES = 1 << 30
SHIPPED = "spatializer.safetensors"


def load_separator(name: str = "auto", *, device: str = "cpu", offline: bool = False) -> SeparatorNet:
    """The network, ready on `device`: the weights that ship ("auto"), a safetensors file of `foleyspace
    train`, or a hub name (OWNER/NAME, its file `spatializer.safetensors`).

    The shipped file is checked against the package's SHA-256, a hub's against the one the hub states. A hub
    model that cannot be had is replaced by the shipped one, with a warning. Raises `InputError` for a file
    that is no such weights, `FoleyspaceError` where the shipped ones are damaged.
    """
    check_name(name)
    if name == "auto":
        return _shipped(device)
    path = Path(name).expanduser()
    if path.is_file():
        return _load(path, device)
    if path.is_dir() and (path / SHIPPED).is_file():
        return _load(path / SHIPPED, device)
    try:
        return _load(_from_hub(name, offline), device)
    except FoleyspaceError as error:
        if isinstance(error, InputError):
            raise
        log.warning("weights %s cannot be had (%s): those that ship are used", name, error)
        return _shipped(device)


def check_name(name: str) -> None:
    """Raise `InputError` for what can be neither weights nor the hub name of some."""
    path = Path(name).expanduser()
    if name == "auto" or path.is_file() or (path.is_dir() and (path / SHIPPED).is_file()):
        return
    if name.count("/") != 1 or name.startswith((".", "/", "~")) or path.suffix == ".safetensors":
        raise InputError(
            f"`weights` is {name!r} but must be auto, a safetensors file, or a hub name (OWNER/NAME)"
        )


def _shipped(device: str) -> SeparatorNet:
    with shipped_weights(SHIPPED) as path:
        return _load(path, device)


def _from_hub(name: str, offline: bool) -> Path:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    from foleyspace.word_vectors import hub_answers

    local = offline or not hub_answers()
    try:
        path = Path(hf_hub_download(name, SHIPPED, local_files_only=local))
        stated = None if local else get_hf_file_metadata(hf_hub_url(name, SHIPPED)).etag
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        reason = "no local copy" + ("" if offline else ", its host is silent") if local else str(error)
        raise FoleyspaceError(" ".join(reason.split())[:80]) from None
    if stated is not None and len(stated) == 64 and file_sha256(path) != stated:
        raise FoleyspaceError("its SHA-256 is not the one that the hub states")
    return path


@once_a_version
def _load(path: Path, device: str) -> SeparatorNet:
    import torch

    from foleyspace.spatializer.recogniser import load_recogniser

    expected = f"must be a separator's weights ({FORMAT}, made by foleyspace train)"
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path}: {expected}, but is larger than {MAX_BYTES >> 20} MiB")
    net = read_net(path, expected, FORMAT, _stated, own=own_tensors)
    net.recogniser.trunk.load_state_dict(load_recogniser().trunk.state_dict())
    return net.to(device).to(memory_format=torch.channels_last)


def _stated(header: dict[str, str]) -> SeparatorNet:
    """The network that a file's header describes, untrained."""
    from foleyspace.spatializer.model import NetConfig, SeparatorNet

    shape = json.loads(header["net"])
    # older files state nothing about text
    text: dict[str, Any] = {name: shape[name] for name in ("fusion", "text", "encoder") if name in shape}
    return SeparatorNet(NetConfig(tuple(shape["channels"]), int(shape["condition"]), **text))


def own_tensors(net: SeparatorNet) -> dict[str, Tensor]:
    """What a weights file holds: all but the recogniser's trunk, which is the same for all and ships by
    itself."""
    return {name: t for name, t in net.state_dict().items() if not name.startswith("recogniser.trunk.")}
