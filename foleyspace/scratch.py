"""A folder for temporary files, on a disk that may be full."""

from __future__ import annotations

import contextlib
import errno
import tempfile
from collections.abc import Iterator
from pathlib import Path

from foleyspace.errors import InputError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder that goes when the block ends, however it ends. Raises `InputError` where its disk cannot
    hold what is written there; failures elsewhere pass."""
    place = tempfile.gettempdir()
    try:
        with tempfile.TemporaryDirectory(prefix="foleyspace-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    except OSError as error:
        if error.errno not in _FULL or not str(error.filename or place).startswith(place):
            raise
        raise InputError(_said(place)) from error
    except RuntimeError as error:  # libsndfile tells no more than that
        if type(error).__name__ != "LibsndfileError" or "System error" not in str(error):
            raise
        raise InputError(_said(place)) from error


def _said(place: str) -> str:
    return f"temporary files cannot be written to {place}: full? TMPDIR names another folder"
