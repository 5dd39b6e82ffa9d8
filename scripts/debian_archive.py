"""Sound files out of packages of the Debian archive: fetched over HTTP, checked, unpacked without dpkg."""

from __future__ import annotations

import hashlib
import io
import lzma
import struct
import tarfile
import tempfile
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO

ARCHIVE = "http://deb.debian.org/debian"
SUITE = "bookworm"
TIMEOUT_S = 30.0
_CONTAINERS = (".zip", ".rcc")


@dataclass(frozen=True)
class Package:
    """What the archive's index says of a package."""

    name: str
    version: str
    path: str
    sha256: str


def index(archive: str = ARCHIVE, suite: str = SUITE) -> dict[str, Package]:
    """The packages of `suite` that hold data only (architecture all) or run on amd64."""
    with urllib.request.urlopen(
        f"{archive}/dists/{suite}/main/binary-amd64/Packages.xz", timeout=TIMEOUT_S
    ) as answer:
        text = lzma.decompress(answer.read()).decode()
    found = {}
    for entry in text.split("\n\n"):
        said = dict(line.split(": ", 1) for line in entry.splitlines() if line[:1].isalpha() and ": " in line)
        if said:
            package = Package(said["Package"], said["Version"], said["Filename"], said["SHA256"])
            found[package.name] = package
    return found


def files(
    package: Package, wanted: Callable[[str], bool], archive: str = ARCHIVE
) -> Iterator[tuple[str, bytes]]:
    """The files of `package`, and of the zip archives and Qt resource files in it, whose paths are `wanted`:
    path and bytes. Raises `ValueError` for a download whose SHA-256 is not the index's."""
    with tempfile.TemporaryFile() as deb, tempfile.TemporaryFile() as data:
        digest = hashlib.sha256()
        with urllib.request.urlopen(f"{archive}/{package.path}", timeout=TIMEOUT_S) as answer:
            while block := answer.read(1 << 20):
                digest.update(block)
                deb.write(block)
        if digest.hexdigest() != package.sha256:
            raise ValueError(f"{package.path} has another SHA-256 than the archive's index says")
        _copy_data(deb, data)
        with tarfile.open(fileobj=data) as tar:
            for member in tar:
                path = member.name.removeprefix("./")
                if member.isfile() and (wanted(path) or path.endswith(_CONTAINERS)):
                    inner = tar.extractfile(member)
                    assert inner is not None
                    yield from _unpacked(path, inner, wanted)


def _copy_data(deb: IO[bytes], data: IO[bytes]) -> None:
    """data.tar of a package to `data`: a member of an ar archive (60 bytes of header before each)."""
    deb.seek(8)
    while header := deb.read(60):
        name, size = header[:16].decode().strip().rstrip("/"), int(header[48:58])
        if not name.startswith("data.tar"):
            deb.seek(size + size % 2, io.SEEK_CUR)
            continue
        while size:
            block = deb.read(min(size, 1 << 20))
            size -= len(block)
            data.write(block)
        data.seek(0)
        return
    raise ValueError("a Debian package without data.tar")


def _unpacked(path: str, file: IO[bytes], wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    if not path.endswith(_CONTAINERS):
        yield path, file.read()
    elif path.endswith(".zip"):
        with tempfile.TemporaryFile() as copy:
            while block := file.read(1 << 20):
                copy.write(block)
            try:
                with zipfile.ZipFile(copy) as inner:
                    for name in filter(wanted, inner.namelist()):
                        yield f"{path}/{name}", inner.read(name)
            except zipfile.BadZipFile:
                return
    else:
        for name, content in _qt_resources(file.read()):
            if wanted(name):
                yield f"{path}/{name}", content


def _qt_resources(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The files of a Qt binary resource file: a tree of 14 (version 1) or 22 bytes a node, names in UTF-16,
    contents with their length before them."""
    if data[:4] != b"qres":
        return
    version, tree, contents, names = struct.unpack(">iiii", data[4:20])
    size = 14 if version < 2 else 22

    def walk(node: int, above: str) -> Iterator[tuple[str, bytes]]:
        at = tree + node * size
        name_at, flags = struct.unpack(">IH", data[at : at + 6])
        start = names + name_at
        length = struct.unpack(">H", data[start : start + 2])[0]
        name = data[start + 6 : start + 6 + 2 * length].decode("utf-16-be") if node else ""
        path = f"{above}/{name}" if above else name
        if flags & 2:
            count, first = struct.unpack(">II", data[at + 6 : at + 14])
            for child in range(first, first + count):
                yield from walk(child, path)
            return
        start = contents + struct.unpack(">I", data[at + 10 : at + 14])[0]
        length = struct.unpack(">I", data[start : start + 4])[0]
        content = data[start + 4 : start + 4 + length]
        yield path, zlib.decompress(content[4:]) if flags & 1 else content

    yield from walk(0, "")
