"""Files that are not what they should be."""

from __future__ import annotations

from pathlib import Path


def spoil(path: Path, damage: str) -> None:
    """Make `path` "no checkpoint", "truncated" or "empty"; any other `damage` leaves it as it is."""
    if damage == "no checkpoint":
        path.write_text("hello")
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:1000])
    elif damage == "empty":
        path.write_bytes(b"")
