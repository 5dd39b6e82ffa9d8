"""An input that is replaced or written to while it is read would make an output of two halves."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from foleyspace.errors import FoleyspaceError


def watched(*paths: str | Path) -> Callable[[], None]:
    """A check to be made at any later time: raises `FoleyspaceError` when one of the files was removed,
    replaced or written to since."""
    before = {path: _state(path) for path in paths}

    def check() -> None:
        for path, state in before.items():
            now = _state(path)
            if now != state:
                raise FoleyspaceError(f"{path} was {'changed' if now else 'removed'} while it was read")

    return check


def _state(path: str | Path) -> tuple[int, ...]:
    """What differs when a file does; () where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
