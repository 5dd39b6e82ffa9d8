"""The scene file: sources over time as JSON, the hand-over point for people and other tools."""

from __future__ import annotations

import json
import math
import os
import reprlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from foleyspace.camera import angles_to_xyz, xyz_to_angles
from foleyspace.errors import InputError
from foleyspace.files import atomic_output
from foleyspace.types import MAX_GAIN_DB, Floats, Room, Scene, Source

FORMAT, VERSION = "foleyspace-scene", 1
# A scene is numbers: ten hours of sources at 60 Hz are 100 MB. What is parsed takes ten times its text;
# lists, objects and strings take more than that, so there may not be many of them.
MAX_BYTES = 128 * 2**20
MAX_MARKS = 1_000_000  # opening brackets and quotes
MAX_SOURCES = 20_000

LIMITS = {  # what can still be reckoned with, and far beyond what anyone means
    "times": (-1e6, 1e6),
    "azimuth_deg": (-36_000.0, 36_000.0),
    "elevation_deg": (-90.0, 90.0),
    "distance_m": (1e-3, 1e6),
    "gain_db": (-1e4, MAX_GAIN_DB),
    "spread_deg": (0.0, 360.0),
}
MAX_DURATION_S = 1e6

_SCENE_KEYS = {"format", "version", "duration", "room", "sources"}
_ROOM_KEYS = {"rt60_s", "drr_db"}
_REQUIRED = ("id", "label", "times", "azimuth_deg", "elevation_deg", "distance_m")
_OPTIONAL = ("gain_db", "spread_deg", "visible", "caption", "audio")


def load_scene(path: str | Path) -> Scene:
    """Read a scene file.

    A source's `audio` is taken relative to the scene file. Raises `InputError` in one line for a file
    that cannot be read, bad JSON, unknown or missing keys, unsorted times, NaN and wrong lengths.
    """
    path = Path(path)
    try:
        document = json.loads(
            _text(path), parse_constant=_reject_constant, object_pairs_hook=_without_duplicates
        )
        return scene_from_dict(document, folder=path.parent)
    except OSError as error:
        raise InputError(f"cannot read scene file {path}: {error.strerror or error}") from None
    except InputError as error:
        raise InputError(f"scene file {path}: {error}") from None
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, a number of thousands of digits
        raise InputError(f"scene file {path} is not JSON: {error}") from None


def _text(path: Path) -> str:
    size = path.stat().st_size
    if not (path.is_file() or path.is_dir()):
        raise InputError("it is a pipe or a device but must be a regular file")
    if size > MAX_BYTES:
        raise InputError(f"it has {size >> 20} MiB but a scene must have at most {MAX_BYTES >> 20}")
    text = path.read_text(encoding="utf-8-sig")  # some editors put a byte order mark first
    marks = sum(map(text.count, '[{"'))
    if marks > MAX_MARKS:
        raise InputError(f"it has {marks} brackets and quotes but a scene must have at most {MAX_MARKS}")
    return text


def save_scene(scene: Scene, path: str | Path) -> None:
    """Write a scene as JSON, atomically, replacing what is there; sources' `audio` relative to its folder."""
    text = json.dumps(scene_to_dict(scene, Path(path).parent), allow_nan=False)
    # one line a key and source: readable, and small enough for hour-long scenes
    text = text.replace(', "sources": [', ',\n "sources": [').replace('{"id":', '\n  {"id":')
    with atomic_output(Path(path), overwrite=True) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def scene_to_dict(scene: Scene, folder: Path | None = None) -> dict[str, Any]:
    """The scene as plain JSON values; angles to 0.001 degree, metres and seconds to 0.0001. `folder`: what
    sources' `audio` is made relative to; None leaves it as it is."""
    document: dict[str, Any] = {"format": FORMAT, "version": VERSION, "duration": round(scene.duration, 6)}
    if scene.room is not None:
        document["room"] = {"rt60_s": scene.room.rt60_s, "drr_db": scene.room.drr_db}
    document["sources"] = [_source_to_dict(source, folder) for source in scene.sources]
    return document


def _source_to_dict(source: Source, folder: Path | None) -> dict[str, Any]:
    assert source.visible is not None
    assert source.gain_db is not None
    assert source.spread_deg is not None
    azimuth, elevation, distance = xyz_to_angles(source.xyz)
    entry: dict[str, Any] = {
        "id": source.id,
        "label": source.label,
        "times": source.times.round(6).tolist(),
        "azimuth_deg": azimuth.round(3).tolist(),
        "elevation_deg": elevation.round(3).tolist(),
        "distance_m": distance.round(4).tolist(),
    }
    if source.gain_db.any():
        entry["gain_db"] = source.gain_db.round(3).tolist()
    if source.spread_deg.any():
        entry["spread_deg"] = source.spread_deg.round(2).tolist()
    if not source.visible.all():
        entry["visible"] = source.visible.tolist()
    if source.caption:
        entry["caption"] = source.caption
    if source.audio is not None:
        entry["audio"] = source.audio if folder is None else _relative(Path(source.audio), folder)
    return entry


def _relative(file: Path, folder: Path) -> str:
    """How `folder` finds `file`; links to folders are followed, or ".." would lead elsewhere."""
    file = Path(os.path.realpath(file.parent)) / file.name
    try:
        return Path(os.path.relpath(file, os.path.realpath(folder))).as_posix()
    except ValueError:  # on another drive
        return str(file)


def scene_from_dict(document: Any, folder: Path | None = None) -> Scene:
    """Check and build a scene from JSON values. Raises `InputError` that names the key."""
    _object("scene", document, required=("format", "version", "duration", "sources"), allowed=_SCENE_KEYS)
    if document["format"] != FORMAT:
        raise InputError(f"`format` is {_short(document['format'])} but must be {FORMAT!r}")
    if document["version"] != VERSION:
        raise InputError(f"`version` is {_short(document['version'])} but must be {VERSION}")
    if not isinstance(document["sources"], list) or not document["sources"]:
        raise InputError("`sources` is empty or no list but must hold one source or more")
    if len(document["sources"]) > MAX_SOURCES:
        raise InputError(f"`sources` holds {len(document['sources'])} but must hold at most {MAX_SOURCES}")
    duration = _number("duration", document["duration"])
    if not 0 < duration <= MAX_DURATION_S:
        raise InputError(f"`duration` is {duration:g} but must be above 0, at most {MAX_DURATION_S:g} s")
    room = None
    if document.get("room") is not None:
        _object("room", document["room"], required=(), allowed=_ROOM_KEYS)
        room = Room(**{key: _number(f"room.{key}", value) for key, value in document["room"].items()})
    sources = tuple(_source_from_dict(i, entry, folder) for i, entry in enumerate(document["sources"]))
    repeated = [name for name, count in Counter(source.id for source in sources).items() if count > 1]
    if repeated:
        raise InputError(f"source ids must differ from each other, but {repeated[0][:60]!r} is there twice")
    return Scene(sources=sources, duration=duration, room=room)


def _source_from_dict(index: int, entry: Any, folder: Path | None) -> Source:
    name = f"sources[{index}]"
    _object(name, entry, required=_REQUIRED, allowed={*_REQUIRED, *_OPTIONAL})
    for key in ("id", "label"):
        if not isinstance(entry[key], str) or not entry[key]:
            raise InputError(f"`{name}.{key}` is {_short(entry[key])} but must be a text")
    times = _numbers(name, "times", entry["times"])
    n = len(times)
    if n == 0:
        raise InputError(f"`{name}.times` is empty but must hold one time or more")
    series = {
        key: _numbers(name, key, entry[key], n)
        for key in ("azimuth_deg", "elevation_deg", "distance_m", "gain_db", "spread_deg")
        if entry.get(key) is not None
    }
    visible = entry.get("visible")
    if visible is not None and (
        not isinstance(visible, list) or len(visible) != n or not all(isinstance(v, bool) for v in visible)
    ):
        raise InputError(f"`{name}.visible` must be a list of {n} true or false")
    for key in ("caption", "audio"):
        if entry.get(key) is not None and not isinstance(entry[key], str):
            raise InputError(f"`{name}.{key}` is {_short(entry[key])} but must be a text")
    audio = entry.get("audio")
    if audio is not None and folder is not None and not Path(audio).is_absolute():
        audio = str(folder / audio)
    angles = np.stack([series["azimuth_deg"], series["elevation_deg"]], axis=-1)
    try:
        return Source(
            id=entry["id"],
            label=entry["label"],
            times=times,
            xyz=angles_to_xyz(angles, series["distance_m"]),
            visible=None if visible is None else np.array(visible, bool),
            gain_db=series.get("gain_db"),
            spread_deg=series.get("spread_deg"),
            caption=entry.get("caption") or "",
            audio=audio,
        )
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _object(name: str, value: Any, required: tuple[str, ...], allowed: set[str]) -> None:
    if not isinstance(value, dict):
        raise InputError(f"`{name}` is no JSON object")
    unknown = sorted(set(value) - allowed)
    if unknown:
        raise InputError(
            f"`{name}` has the unknown key {_short(unknown[0])}; known are {', '.join(sorted(allowed))}"
        )
    missing = [key for key in required if key not in value]
    if missing:
        raise InputError(f"`{name}` lacks the key {missing[0]!r}")


def _number(name: str, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, int | float) else float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"`{name}` is {_short(value)} but must be a finite number")
    return number


def _numbers(source: str, key: str, value: Any, length: int | None = None) -> Floats:
    name = f"{source}.{key}"
    if not isinstance(value, list):
        raise InputError(f"`{name}` is no list of numbers")
    if length is not None and len(value) != length:
        raise InputError(f"`{name}` has {len(value)} values but must have {length}, one for each time")
    if not set(map(type, value)) <= {float}:
        value = [_number(f"{name}[{i}]", v) for i, v in enumerate(value)]
    numbers = np.array(value, np.float64)
    low, high = LIMITS[key]
    outside = numbers[~((numbers >= low) & (numbers <= high))]  # infinite ones too: 1e999
    if len(outside):
        raise InputError(f"`{name}` holds {outside[0]:g} but must be finite, from {low:g} to {high:g}")
    return numbers


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise InputError(f"the key {_short(twice)} is there twice but must be there once")
    return values


def _short(value: Any) -> str:
    """For a message: a value of a file can be of any size."""
    return reprlib.repr(value)


def _reject_constant(text: str) -> float:
    raise InputError(f"{text} is no number that a scene can hold; all values must be finite")
