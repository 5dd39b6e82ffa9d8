"""The device that models run on."""

from __future__ import annotations

import re

from foleyspace.errors import InputError


def check_device(device: str) -> None:
    """Raise `InputError` for what is no name of a device; whether it is there, `torch_device` finds out."""
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", str(device)):
        raise InputError(f"`device` is {device!r} but must be auto, cpu, cuda, cuda:N or mps")


def torch_device(device: str) -> str:
    """A torch device for "auto" (CUDA, then Apple's MPS, else the CPU) or the one named. Raises `InputError`
    for one that torch cannot use on this machine."""
    import torch

    if device == "auto":
        if torch.cuda.is_available():
            return "cuda:0"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.zeros(1, device=device)
    except Exception:  # an unknown name, or a device without a driver: several types
        raise InputError(f"`device` is {device!r} but torch cannot use it on this machine") from None
    return device
