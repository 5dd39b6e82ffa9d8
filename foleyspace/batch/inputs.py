"""The videos of a library: files, folders, and lists with options a row."""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any

from foleyspace.batch.names import printable, wanted_output
from foleyspace.batch.tasks import is_word
from foleyspace.containers import CONTAINERS
from foleyspace.errors import InputError
from foleyspace.files import check_input
from foleyspace.pipelines.render import RenderConfig

LISTS = (".txt", ".csv", ".jsonl", ".json")
# what folders are searched for, beside what `render` writes
VIDEOS = (*CONTAINERS, ".asf", ".divx", ".f4v", ".gif", ".m2v", ".mpeg", ".mpg", ".mxf", ".vob", ".wmv")
ROW_OPTIONS = ("prompt", "fov", "hrtf", "audio")
MOST_SAID = 5


@dataclass(frozen=True)
class Video:
    """One video to make. `key` tells it from all others; `wanted`: where its output should go."""

    key: str
    path: str
    wanted: str
    config: RenderConfig


def find_videos(
    inputs: Sequence[str | Path],
    base: RenderConfig,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    apart: Path | None = None,
) -> list[Video]:
    """All videos of `inputs`, each once, in order; `base`: their options where a list says nothing else.

    Folders are searched to any depth, hidden files and the folder `apart` left out: for video suffixes or,
    where given, the patterns `include` (of the name, or of the path in the folder), less those of
    `exclude`. Raises `InputError` for inputs that do not exist and for rows of lists that cannot be used,
    which it names as file:line.
    """
    found: dict[str, list[Video]] = {}  # of each path, the versions with different options
    for given in map(str, inputs):
        if os.path.isdir(given):
            each = _of_folder(given, base, include, exclude, apart)
        elif Path(given).suffix.lower() in LISTS:
            each = _of_list(check_input(given, "list"), base)
        else:
            path = str(check_input(given, "video"))
            each = iter([_video(path, Path(path).name, base)])
        for video in each:
            versions = found.setdefault(video.path, [])
            if all(other.config != video.config for other in versions):
                key = f"{video.key}#{len(versions) + 1}" if versions else video.key
                versions.append(replace(video, key=key))
    if not found:
        raise InputError(f"no video was found in {', '.join(map(str, inputs))}")
    return [video for versions in found.values() for video in versions]


def _video(path: str, relative: str, config: RenderConfig) -> Video:
    path = os.path.abspath(path)
    return Video(printable(path), path, wanted_output(relative), config)


def _of_folder(
    folder: str, base: RenderConfig, include: Sequence[str], exclude: Sequence[str], apart: Path | None
) -> Iterator[Video]:
    apart_path = None if apart is None else os.path.realpath(apart)
    failed: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=failed.append):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and os.path.realpath(os.path.join(place, name)) != apart_path
        )
        for name in sorted(names):
            path = os.path.join(place, name)
            relative = PurePath(os.path.relpath(path, folder)).as_posix()
            if name.startswith(".") or not os.path.isfile(path) or _matches(relative, exclude):
                continue
            if _matches(relative, include) if include else Path(name).suffix.lower() in VIDEOS:
                yield _video(path, relative, base)
    if failed:
        raise InputError(f"folder {failed[0].filename} cannot be read ({str(failed[0].strerror).lower()})")


def _matches(relative: str, patterns: Sequence[str]) -> bool:
    name = relative.rpartition("/")[2]
    return any(fnmatch(relative, pattern) or fnmatch(name, pattern) for pattern in patterns)


def _of_list(path: Path, base: RenderConfig) -> Iterator[Video]:
    """The videos of a list. Raises `InputError` with its first bad rows."""
    videos, bad = [], []
    for line, values in _rows(path):
        try:
            videos.append(_of_row(values, path, base))
        except InputError as error:
            bad.append(f"{path}:{line}: {error}")
    if bad:
        more = f"; and {len(bad) - MOST_SAID} more rows" if len(bad) > MOST_SAID else ""
        raise InputError("; ".join(bad[:MOST_SAID]) + more)
    return iter(videos)


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    """(line number, option: value) of every row that holds something."""
    try:
        text = path.read_text(encoding=_encoding(path), errors="surrogateescape")
    except UnicodeError as error:
        raise InputError(f"list {path} is no text ({error})") from None
    except OSError as error:
        raise InputError(f"list {path} cannot be read ({(error.strerror or str(error)).lower()})") from None
    lines, number = text.split("\n"), 1
    suffix = path.suffix.lower()
    try:
        if suffix == ".csv":
            table = csv.DictReader(io.StringIO(text, newline=""), strict=True)
            for values in table:
                number = table.line_num
                yield number, {k: v for k, v in values.items() if v is None or k is None or v.strip()}
        elif suffix == ".json":
            each = json.loads(text)
            if not isinstance(each, list):
                raise InputError(f"list {path} must hold a JSON list of objects")
            yield from enumerate(each, start=1)
        for number, line in enumerate(lines, start=1):
            if suffix == ".jsonl" and line.strip():
                yield number, json.loads(line)
            elif suffix == ".txt" and line.strip() and not line.startswith("#"):
                yield number, {"video": line.rstrip("\r")}
    except csv.Error as error:
        raise InputError(f"{path}:{number + 1}: it is not CSV ({error})") from None
    except json.JSONDecodeError as error:
        line_number = error.lineno if suffix == ".json" else number
        raise InputError(f"{path}:{line_number}: it is not JSON ({error.msg})") from None
    except (RecursionError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}:{number}: it cannot be read ({error})") from None


def _encoding(path: Path) -> str:
    """UTF-8 but where the file begins with the mark of another, as PowerShell's do."""
    with open(path, "rb") as file:
        start = file.read(2)
    return "utf-16" if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _of_row(values: Any, path: Path, base: RenderConfig) -> Video:
    """The video of one row. Raises `InputError`."""
    if not isinstance(values, dict) or None in values or None in values.values():
        raise InputError("it does not have one value a column")
    options = dict(values)
    video = options.pop("video", None)
    if not isinstance(video, str) or not video.strip():
        raise InputError("`video` is missing but must be a path")
    if not _is_path(video):
        raise InputError(f"`video` is {video!a} but must be the path of a file")
    unknown = [str(name) for name in options if name not in ROW_OPTIONS]
    if unknown:
        raise InputError(f"`{unknown[0]}` is no option but must be one of video, {', '.join(ROW_OPTIONS)}")
    config = _with_options(base, options, path.parent)
    relative = PurePath(video)
    inside = not relative.is_absolute() and ".." not in relative.parts
    return _video(os.path.join(path.parent, video), relative.as_posix() if inside else relative.name, config)


def _is_path(text: str) -> bool:
    """Whether it names something and the system could have a file called so."""
    try:
        return b"\0" not in os.fsencode(text) and PurePath(text).name not in ("", "..")
    except UnicodeEncodeError:
        return False


def _with_options(base: RenderConfig, options: Mapping[str, Any], folder: Path) -> RenderConfig:
    if not options:
        return base
    seeing, sound, changes = base.seeing, base.sound, {}
    for name in ("prompt", "hrtf", "audio"):
        if name in options and not isinstance(options[name], str):
            raise InputError(f"`{name}` is {options[name]!r} but must be text")
    if "fov" in options:
        try:
            seeing = replace(seeing, fov_deg=float(options["fov"]))
        except (TypeError, ValueError, OverflowError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"`fov` is {options['fov']!r} but must be a number of degrees") from None
    if "prompt" in options:
        _check_prompt(options["prompt"])
        changes["prompt"] = options["prompt"]
    if "hrtf" in options:
        sound = replace(sound, hrtf=_checked_hrtf(options["hrtf"], folder))
    if "audio" in options:
        sound_file = options["audio"]
        if sound_file != "track":
            sound_file = os.path.abspath(check_input(folder / sound_file, "sound"))
        changes["audio"] = sound_file
    return replace(base, seeing=seeing, sound=sound, **changes)


@lru_cache(maxsize=1024)
def _checked_hrtf(name: str, folder: Path) -> str:
    from foleyspace.hrtf import resolve_hrtf

    beside = folder / name
    name = os.path.abspath(beside) if beside.is_file() and not is_word("hrtf", name) else name
    resolve_hrtf(name)
    return name


@lru_cache(maxsize=1024)
def _check_prompt(prompt: str) -> None:
    from foleyspace.prompt import read_prompt

    read_prompt(prompt, 10.0)
