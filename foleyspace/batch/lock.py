"""One batch at a time in a folder: a lock that the operating system gives back when its holder dies."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from foleyspace.errors import InputError

PATIENCE_S = 3.0  # what is left of a batch that was killed needs a moment to go


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    """Hold the lock file `path`; gives its descriptor: processes that inherit it hold the lock as well, until
    they end. Raises `InputError` when another run holds it, or it cannot be made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise InputError(f"output folder {path.parent.parent} cannot be locked ({said})") from None
    try:
        until = time.monotonic() + PATIENCE_S
        while not _try(descriptor):
            if time.monotonic() > until:
                raise InputError(f"output folder {path.parent.parent} is in use by another run{_by(path)}")
            time.sleep(0.1)
        with contextlib.suppress(OSError):  # a full disk is said by the ledger
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()} {socket.gethostname()}".encode())
        yield descriptor
    finally:
        os.close(descriptor)


def _try(descriptor: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _by(path: Path) -> str:
    try:
        number, host = path.read_text(encoding="utf-8").split(" ", 1)
        return f" (process {int(number)} on {host})"
    except (OSError, ValueError):
        return ""
