"""Weights that come with the package, checked against its SHA-256 sums before they are used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from foleyspace.errors import FoleyspaceError
from foleyspace.files import file_sha256

SUMS = "SHA256SUMS"


@contextmanager
def shipped_weights(name: str) -> Iterator[Path]:
    """The file `name` of `foleyspace/models`, while the context lasts. Raises `FoleyspaceError` where it is
    missing or not the one that was shipped."""
    models = files("foleyspace.models")
    sums = models / SUMS
    lines = sums.read_text().splitlines() if sums.is_file() else []
    stated = dict(line.split()[::-1] for line in lines if len(line.split()) == 2)
    with as_file(models / name) as path:
        if not path.is_file() or file_sha256(path) != stated.get(name):
            raise FoleyspaceError(
                f"the shipped weights {path} are missing or damaged: install the package again"
            )
        yield path
