"""Where what was fetched is kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_dir(kind: str) -> Path:
    """The folder for a `kind` of files ("hrtf", "weights"): under `$FOLEYSPACE_CACHE`, else under the
    platform's place for caches."""
    if given := os.environ.get("FOLEYSPACE_CACHE"):
        return Path(given).expanduser() / kind
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "foleyspace" / kind
