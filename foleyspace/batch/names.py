"""Which output belongs to which video: names that mirror the inputs, never collide, and stay."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from foleyspace.batch.ledger import Row
from foleyspace.batch.tasks import Stamp
from foleyspace.containers import CONTAINERS

OTHERWISE = ".mkv"  # takes any picture
_Look = tuple[tuple[int, ...], str]  # size, time of change and name of a video
_HASH = re.compile(r"-[0-9a-f]{6,64}(?=(\.[^./]*)?$)")  # of a name that was taken
LONGEST = 230  # bytes of a name; file systems take 255, temporary names are longer


def wanted_output(relative: str) -> str:
    """The output's path in the folder for a video's path (/ between its parts): the same, as UTF-8, with
    another suffix where the container takes no such sound, cut where it is too long."""
    path = PurePosixPath("".join("_" if "\ud800" <= c <= "\udfff" else c for c in relative))
    name = path.name if path.suffix.lower() in CONTAINERS else path.name + OTHERWISE
    return str(path.with_name(_fitting(name, "")))


def assign(wanted: Mapping[str, str], rows: Mapping[str, Row], stamps: Mapping[str, Stamp]) -> dict[str, Row]:
    """The row of each video, by key: the ledger's where it knows the video, else a new one with the output
    it wants.

    A name that is taken gets a part of the key's hash. The row of a video that is no longer there goes over
    to one that wants its name, less such a part, and has its size and time of change: the library was moved.
    `stamps`: of the videos, as far as they are there.
    """
    taken = {fold(row.output): row for row in rows.values()}
    assigned = {key: rows[key] for key in wanted if key in rows}
    moved_from: set[str] = set()
    gone: dict[_Look, list[Row]] = {}  # perhaps: only where it matters are they looked for
    for row in rows.values():
        if row.key not in wanted and row.input_stamp:
            for name in {fold(row.output), fold(_HASH.sub("", row.output))}:
                gone.setdefault(_look(row.input_stamp, name), []).append(row)
    for key in sorted(wanted.keys() - rows.keys()):
        output = wanted[key]
        moved = _moved(output, gone.get(_look(stamps.get(key, []), fold(output)), []), moved_from)
        if moved is not None:
            moved_from.add(moved.key)
            row = replace(moved, key=key)
        else:
            row = Row(key, output if fold(output) not in taken else _with_hash(output, key, taken))
        assigned[key] = taken[fold(row.output)] = row
    return assigned


def fold(name: str) -> str:
    """The same for names that some file systems do not tell apart."""
    return unicodedata.normalize("NFC", name).casefold()


def printable(path: str) -> str:
    """A path as text that every encoding and database takes; bytes that are no UTF-8 as \\xNN."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def unversioned(key: str) -> str:
    """The key of a file's first version, for that of any (see `inputs.find_videos`)."""
    return re.sub(r"#\d+$", "", key)


def _look(stamp: Stamp, name: str) -> _Look:
    return (tuple(stamp[:2]), name)


def _moved(output: str, candidates: Iterable[Row], but: Container[str]) -> Row | None:
    """The row of a video that is no longer there, the one with just this output first."""
    for row in sorted(candidates, key=lambda row: fold(row.output) != fold(output)):
        if row.key not in but and not any(map(os.path.lexists, (row.key, unversioned(row.key)))):
            return row
    return None


def _with_hash(output: str, key: str, taken: Container[str]) -> str:
    path = PurePosixPath(output)
    digest = hashlib.sha256(key.encode()).hexdigest()
    for length in range(6, 65):
        tried = str(path.with_name(_fitting(path.name, f"-{digest[:length]}")))
        if fold(tried) not in taken:
            return tried
    raise AssertionError("a hash of 64 digits was taken")


def _fitting(name: str, mark: str) -> str:
    """`mark` put in ahead of a name's suffix, what is before it cut to `LONGEST` bytes in all."""
    suffix = PurePosixPath(name).suffix
    stem = name[: len(name) - len(suffix)]
    while len(stem) > 1 and len(f"{stem}{mark}{suffix}".encode()) > LONGEST:
        stem = stem[:-1]
    return f"{stem}{mark}{suffix}"
