"""Download one SOFA file: resumable, checked, atomic. The standard library is enough."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from foleyspace import __version__
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.files import file_sha256
from foleyspace.hrtf import fetch_record
from foleyspace.sofa import read_sofa

log = logging.getLogger("foleyspace")

MAX_BYTES = 2 << 30
BLOCK = 1 << 16
RESUMES = 5
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Partial:
    """What is there of a download: the `.part` file and, beside it, what it is a part of."""

    path: Path
    url: str

    @property
    def note(self) -> Path:
        return self.path.with_name(self.path.name + ".json")

    def size(self) -> int:
        """Bytes that can be built upon; 0 when they are of another address."""
        if self.path.is_file() and _read_json(self.note).get("url") == self.url:
            return self.path.stat().st_size
        return 0

    def validator(self) -> str:
        return str(_read_json(self.note).get("validator", ""))

    def begin(self, validator: str) -> None:
        self.note.write_text(json.dumps({"url": self.url, "validator": validator}), encoding="utf-8")

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def fetch(
    url: str, path: Path, sha256: str | None, timeout_s: float, progress: Progress | None, licence: str | None
) -> Path:
    """Bring `url` to `path`. See `foleyspace.hrtf.fetch_hrtf` for what is promised."""
    _check_address(url)
    if sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
        raise InputError(f"`sha256` is {sha256[:80]} but must be 64 hexadecimal digits")
    record = fetch_record(path)
    noted = record.get("sha256") if record.get("url") == url else None
    expected = (sha256 or noted or "").lower()
    if path.is_file() and expected and file_sha256(path) == expected:
        log.info("%s is here already, unchanged: %s", path.stem, path)
        return path
    if path.exists() and not record:
        raise InputError(f"`{path}` is there already, from elsewhere, but must not exist: remove it first")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = Partial(path.with_name(path.name + ".part"), url)
        resumed = _download(partial, timeout_s, progress)
        found = file_sha256(partial.path)
        if expected and found != expected and resumed:
            log.warning("the resumed download of %s does not match its sha256: fetched anew", url)
            partial.delete()
            _download(partial, timeout_s, progress)
            found = file_sha256(partial.path)
        if expected and found != expected:
            partial.delete()
            whose = "given" if sha256 else f"of the first download; {path.with_suffix('.json')} holds it"
            raise FoleyspaceError(
                f"{url} has sha256 {found} but must have {expected} ({whose}); the download was deleted"
            )
        _keep(partial, path, url, found, licence)
    except OSError as error:
        raise FoleyspaceError(f"{path} cannot be written: {error.strerror or error}") from None
    if not expected:
        log.warning("no sha256 is published for %s: its own, %s, was noted for the next time", url, found)
    return path


def _keep(partial: Partial, path: Path, url: str, sha256: str, licence: str | None) -> None:
    """Check that it is an HRIR set, then move it into its place with a note of where it is from."""
    try:
        raw = read_sofa(partial.path)
    except InputError as error:
        partial.delete()
        why = str(error).partition("` ")[2] or str(error)
        raise FoleyspaceError(f"what {url} gave {why}; the download was deleted") from None
    note = {"url": url, "sha256": sha256, "licence": licence or raw.licence, "title": raw.title or raw.name}
    temporary = path.with_name(f".{path.stem}.tmp.json")
    try:
        temporary.write_text(json.dumps(note, indent=1), encoding="utf-8")
        os.replace(partial.path, path)
        os.replace(temporary, path.with_suffix(".json"))
    finally:
        temporary.unlink(missing_ok=True)
        partial.delete()


def _download(partial: Partial, timeout_s: float, progress: Progress | None) -> bool:
    """Complete the `.part` file, going on where a transfer broke, up to `RESUMES` times and as long as each
    try brings something; silence is not tried again. Returns whether bytes of an earlier try were built
    upon."""
    resumed = False
    resumes = 0
    while True:
        before = partial.size()
        try:
            resumed = _transfer(partial, before, timeout_s, progress) or resumed
            return resumed
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416 and before:
                if (error.headers.get("Content-Range") or "") == f"bytes */{before}":
                    return True  # complete, only its checks were missing
                partial.delete()  # what is here is no beginning of what is there
                continue
            raise FoleyspaceError(f"{partial.url} cannot be fetched: {error.code} {error.reason}") from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            silent = isinstance(reason, TimeoutError)
            why = f"silent for {timeout_s:g} s" if silent else str(reason) or "broken off"
            got = partial.size()
            if got > before and not silent and resumes < RESUMES:
                resumes += 1
                log.info("the transfer broke (%s) after %d bytes: going on from there", why, got)
                continue
            rest = f"; {got} bytes are kept, the next try goes on from there" if got else ""
            raise FoleyspaceError(f"{partial.url} cannot be fetched: {why}{rest}") from None


def _transfer(partial: Partial, start: int, timeout_s: float, progress: Progress | None) -> bool:
    """One request, appended to the `.part` file. Returns whether the server went on at `start`."""
    request = urllib.request.Request(partial.url, headers={"User-Agent": f"foleyspace/{__version__}"})
    if start:
        request.add_header("Range", f"bytes={start}-")
        if validator := partial.validator():
            request.add_header("If-Range", validator)
    with _opener().open(request, timeout=timeout_s) as response:
        begins, total = _content_range(response.headers.get("Content-Range"))
        going_on = response.status == 206 and start > 0 and begins == start
        if response.status == 206 and not going_on:
            partial.delete()
            raise FoleyspaceError(f"{partial.url} cannot be fetched: the server sent a part not asked for")
        done = start if going_on else 0
        if not going_on:
            length = response.headers.get("Content-Length", "")
            total = int(length) if length.isdigit() else None
        if (total or 0) > MAX_BYTES:
            raise FoleyspaceError(f"{partial.url} is larger than {MAX_BYTES >> 30} GiB, too large for a set")
        etag = response.headers.get("ETag") or ""
        strong = etag if etag.startswith('"') else ""  # weak ones do not promise equal bytes
        with _writing(partial.path):
            partial.begin(strong or response.headers.get("Last-Modified") or "")
            stream = open(partial.path, "ab" if going_on else "wb", buffering=0)  # noqa: SIM115
        with stream:
            while block := response.read1(BLOCK):
                done += len(block)
                if done > MAX_BYTES:
                    raise FoleyspaceError(f"{partial.url} is larger than {MAX_BYTES >> 30} GiB")
                with _writing(partial.path):
                    stream.write(block)
                if progress is not None:
                    progress(done, total)
        if total is not None and done < total:
            raise http.client.IncompleteRead(b"", total - done)
    return going_on


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Tells a full or forbidden disk from a broken network: both are OSError."""
    try:
        yield
    except OSError as error:
        raise FoleyspaceError(f"{path} cannot be written: {error.strerror or error}") from None


def _content_range(header: str | None) -> tuple[int | None, int | None]:
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", (header or "").strip())
    if not match:
        return None, None
    return int(match[1]), None if match[2] == "*" else int(match[2])


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request: Any, *rest: Any) -> urllib.request.Request | None:
        _check_address(rest[-1])
        return super().redirect_request(request, *rest)


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_SafeRedirects)


def _check_address(url: str) -> None:
    """Only https, and http to this machine: a file without a known sha256 rests on the transport."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InputError(f"`url` is {url} but must be an address ({error})") from None
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"):
        return
    raise InputError(f"`url` is {url} but must begin with https://")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
