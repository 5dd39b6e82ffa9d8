"""Finding a detector's weights on disk, or fetching them in bounded time."""

from __future__ import annotations

import os
import queue
import tempfile
import threading
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

from foleyspace.errors import FoleyspaceError

RELEASES = (
    "https://github.com/ultralytics/assets/releases/download/v8.4.0",
    "https://github.com/ultralytics/assets/releases/download/v8.3.0",
)
ANSWER_S = 4.0  # a host that has not answered by then is taken as unreachable
STALL_S = 10.0  # a download that stands still for so long is given up
CHUNK = 1 << 18


def find_weights(name: str, folders: tuple[Path, ...]) -> Path | None:
    """The file `name` in the first of `folders` that has it, else None."""
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def fetch_weights(name: str, folder: Path, releases: tuple[str, ...] | None = None) -> Path:
    """Download `name` into `folder`, atomically, and return its path.

    Takes at most about `ANSWER_S` when no host answers, a stalled name server included. Raises
    FoleyspaceError with the reason in a few words.
    """
    for base in releases or RELEASES:
        try:
            response = _open(f"{base}/{name}")
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                continue
            raise FoleyspaceError(f"its host answers {error.code}") from None
        except (OSError, ValueError) as error:
            raise FoleyspaceError(f"its host cannot be reached ({_reason(error)})") from None
        with response:
            return _save(response, folder, name)
    raise FoleyspaceError("its host does not have it")


def host_answers(url: str) -> bool:
    """Whether anything at all answers at `url` within `ANSWER_S`."""
    try:
        _open(url).close()
    except urllib.error.HTTPError as error:
        error.close()
    except (OSError, ValueError):
        return False
    return True


def _open(url: str) -> Any:
    """`urlopen` that keeps its time limit even when the name server stalls, which no socket time-out does."""
    answer: queue.Queue[Any] = queue.Queue()
    abandoned = threading.Event()

    def ask() -> None:
        try:
            result = urllib.request.urlopen(url, timeout=ANSWER_S)
        except Exception as error:
            result = error
        if abandoned.is_set() and hasattr(result, "close"):
            result.close()
        answer.put(result)

    threading.Thread(target=ask, daemon=True, name="foleyspace-weights").start()
    try:
        result = answer.get(timeout=ANSWER_S + 0.5)
    except queue.Empty:
        abandoned.set()
        raise TimeoutError("no answer") from None
    if isinstance(result, Exception):
        raise result
    return result


def _save(response: Any, folder: Path, name: str) -> Path:
    expected = int(response.headers.get("Content-Length") or 0)
    # HTTPResponse keeps the socket's short time-out; a slow link may pause longer than an answer takes
    raw = getattr(getattr(response.fp, "raw", None), "_sock", None)
    if raw is not None:
        raw.settimeout(STALL_S)
    part = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{name}.", delete=False) as part:
            received = 0
            while chunk := response.read(CHUNK):
                part.write(chunk)
                received += len(chunk)
        if received == 0 or (expected and received != expected):
            raise OSError(f"{received} of {expected} bytes came")
        if name.endswith(".pt") and not zipfile.is_zipfile(part.name):
            raise OSError("what came is no weights file")  # a captive portal's page
        os.replace(part.name, folder / name)
    except OSError as error:
        raise FoleyspaceError(f"its download failed ({_reason(error)})") from None
    finally:
        if part is not None:
            Path(part.name).unlink(missing_ok=True)
    return folder / name


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", None) or error
    return " ".join(str(reason).split())[:80] or type(error).__name__
