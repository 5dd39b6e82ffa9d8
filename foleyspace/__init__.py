"""foleyspace: a video with mono sound becomes a video with binaural sound that follows the screen.

>>> import foleyspace
>>> foleyspace.render("video.mp4")  # doctest: +SKIP
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from foleyspace.errors import FoleyspaceError, InputError

__version__ = "0.1.0"

# loaded when first used: `import foleyspace` and `foleyspace --help` stay quick
_LAZY = {
    "read_prompt": "foleyspace.prompt",
    "render": "foleyspace.api",
    "track": "foleyspace.api",
    "separate": "foleyspace.api",
    "spatialize": "foleyspace.api",
    "load_hrirs": "foleyspace.hrir",
    "Audio": "foleyspace.types",
    "Hrirs": "foleyspace.types",
    "Room": "foleyspace.types",
    "Scene": "foleyspace.types",
    "Source": "foleyspace.types",
    "Track": "foleyspace.types",
}

__all__ = [
    "Audio",
    "FoleyspaceError",
    "Hrirs",
    "InputError",
    "Room",
    "Scene",
    "Source",
    "Track",
    "__version__",
    "load_hrirs",
    "read_prompt",
    "render",
    "separate",
    "spatialize",
    "track",
]

if TYPE_CHECKING:
    from foleyspace.api import render, separate, spatialize, track
    from foleyspace.hrir import load_hrirs
    from foleyspace.prompt import read_prompt
    from foleyspace.types import Audio, Hrirs, Room, Scene, Source, Track


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'foleyspace' has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)
