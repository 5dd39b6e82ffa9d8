"""Loading a depth model of a local folder."""

from __future__ import annotations

import importlib
import logging
import sys
from pathlib import Path
from typing import Any

from foleyspace.device import torch_device
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.model_folder import one_line
from foleyspace.quiet import quiet_transformers


def load_network(folder: Path, name: str, device: str) -> tuple[str, Any, Any]:
    """Device name, image processor and network of a local folder.

    Raises `InputError` in one line for whatever keeps it from being loaded.
    """
    place = torch_device(device)
    slow = not _torchvision_imports()
    try:
        from transformers import AutoImageProcessor, AutoModelForDepthEstimation
        from transformers import __version__ as version
    except Exception as error:
        raise FoleyspaceError(
            f"transformers cannot be imported ({one_line(error)}): `foleyspace doctor`"
        ) from None
    choice: dict[str, Any] = {}
    if slow:
        choice = {"backend": "pil"} if int(version.split(".")[0]) >= 5 else {"use_fast": False}
    try:
        with quiet_transformers():
            network = AutoModelForDepthEstimation.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            processor = AutoImageProcessor.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, **choice
            )
        return place, processor, network.eval().to(place)
    except Exception as error:  # whatever a broken folder makes transformers raise
        raise InputError(f"`depth` is {name!r} but cannot be loaded: {one_line(error)}") from None


def _torchvision_imports() -> bool:
    """Whether torchvision can be imported; if not, transformers is kept from trying it."""
    try:
        importlib.import_module("torchvision")
    except Exception:  # a build made for another torch raises RuntimeError
        logging.getLogger("foleyspace").warning(
            "torchvision does not fit the installed torch: pictures are prepared without it"
        )
        sys.modules["torchvision"] = None  # type: ignore[assignment]
        return False
    return True
