"""What an engine is given and gives back: one video to make, and how that went."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from foleyspace.files import file_sha256
from foleyspace.hrtf import list_hrtfs
from foleyspace.pipelines.render import RenderConfig
from foleyspace.pipelines.spatialize import SoundConfig
from foleyspace.pipelines.track import TrackConfig

Stamp = list[int]  # size, mtime ns, ctime ns, inode of each input, one after the other: equal means unchanged

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}  # a disk that takes nothing more

Kind = Literal["done", "same", "again", "failed", "bad", "stop"]


@dataclass(frozen=True)
class Task:
    """One video to make: `final` is where it goes, `making` a new folder of its own in which it is made.
    `known`: what the ledger knows of an earlier time (hashes, state), None for nothing."""

    key: str
    video: str
    final: str
    making: str
    options: dict[str, Any]
    options_hash: str
    known: dict[str, str] | None = None


@dataclass(frozen=True)
class Outcome:
    """How it went. `kind`: done; same (nothing has changed since `Task.known`); again (it may pass next time:
    killed, out of memory, a disk that stuttered); failed (not to be tried again in this run); bad (it will
    fail again: bad input); stop (no video can be written: disk full). `spoiled`: the process that worked on
    it is not to be trusted with another. `detail`: a traceback, for the log."""

    key: str
    kind: Kind
    error: str = ""
    made: str = ""
    content_hash: str = ""
    output_hash: str = ""
    stamp: Stamp | None = None
    duration_s: float | None = None
    sources: int | None = None
    wall_s: float = 0.0
    warnings: tuple[str, ...] = ()
    spoiled: bool = False
    detail: str = ""


def config_of(options: Mapping[str, Any]) -> RenderConfig:
    """The config whose `dataclasses.asdict` went through JSON."""
    seeing = {**options["seeing"], "source": tuple(options["seeing"]["source"])}
    more = {"seeing": TrackConfig(**seeing), "sound": SoundConfig(**options["sound"])}
    return RenderConfig(**{**options, **more})


def absolute(config: RenderConfig) -> RenderConfig:
    """The config with full paths, for workers that work elsewhere."""

    def full(part: Any) -> dict[str, str]:
        named = {name: getattr(part, name) for name in _FILES if hasattr(part, name)}
        return {name: os.path.abspath(path) for name, path in named.items() if _is_file(name, path)}

    seeing, sound = config.seeing, config.sound
    return replace(config, seeing=replace(seeing, **full(seeing)), sound=replace(sound, **full(sound)))


def inputs_of(video: str, config: RenderConfig) -> list[str]:
    """The files whose change makes a video's result another, its own and its sound's."""
    return [video] if config.audio == "track" else [video, config.audio]


def stamp_of(paths: Sequence[str | Path]) -> Stamp:
    """Raises OSError where one is missing."""
    stamp: Stamp = []
    for path in paths:
        status = os.stat(path)
        stamp += [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
    return stamp


def content_hash(paths: Sequence[str | Path]) -> str:
    """SHA-256 of a file, or of several one's."""
    each = [file_sha256(Path(path)) for path in paths]
    return each[0] if len(each) == 1 else hashlib.sha256("".join(each).encode()).hexdigest()


# where a result does not depend on them
_APART = {"out", "overwrite", "save_scene", "overlay", "report", "device", "offline"}
_FILES = {"hrtf", "weights", "detector", "depth", "tagger", "namer", "scene"}
_WORDS = {"weights": {"auto"}, "detector": {"auto", "motion"}, "depth": {"auto", "size"}, "tagger": {"auto"}}


def is_word(name: str, value: str) -> bool:
    """Whether an option takes a value by name, whatever files and folders are called so."""
    if name == "hrtf" and os.path.basename(value) == value:
        return any(entry.name == value for entry in list_hrtfs())
    return value in _WORDS.get(name, ())


def _is_file(name: str, value: str | None) -> bool:
    return value is not None and os.path.exists(value) and not is_word(name, value)


@lru_cache(maxsize=256)
def options_hash(config: RenderConfig) -> str:
    """SHA-256 of all options that the result depends on; files and folders among them by what they hold."""
    lines = []
    for part in (config, config.seeing, config.sound):
        for name in sorted(f.name for f in fields(part)):
            value = getattr(part, name)
            if name in _APART or name in ("seeing", "sound"):
                continue
            if name in _FILES and _is_file(name, value):
                value = digest(str(value))
            lines.append(f"{type(part).__name__}.{name}={value!r}")
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=256)
def digest(path: str) -> str:
    """SHA-256 of a file, or of a folder's files with their names."""
    if os.path.isfile(path):
        return file_sha256(Path(path))
    files = sorted(file for file in Path(path).rglob("*") if file.is_file())
    lines = [f"{file.relative_to(path).as_posix()} {file_sha256(file)}" for file in files]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
