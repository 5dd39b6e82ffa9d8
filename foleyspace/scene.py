"""The scene file: sources over time as JSON, the hand-over point for people and other tools."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from foleyspace.camera import angles_to_xyz, xyz_to_angles
from foleyspace.errors import InputError
from foleyspace.files import atomic_output
from foleyspace.types import Floats, Room, Scene, Source

FORMAT, VERSION = "foleyspace-scene", 1
MAX_BYTES = 512 * 2**20  # a scene is numbers; a file larger than this is something else

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
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"scene file {path} is over {MAX_BYTES >> 20} MiB: not a scene")
        # utf-8-sig: some editors put a byte order mark first
        document = json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_reject_constant)
    except OSError as error:
        raise InputError(f"cannot read scene file {path}: {error.strerror or error}") from None
    except InputError as error:
        raise InputError(f"scene file {path}: {error}") from None
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, a number of thousands of digits
        raise InputError(f"scene file {path} is not JSON: {error}") from None
    try:
        return scene_from_dict(document, folder=path.parent)
    except InputError as error:
        raise InputError(f"scene file {path}: {error}") from None


def save_scene(scene: Scene, path: str | Path) -> None:
    """Write a scene as JSON, atomically, replacing what is there."""
    text = json.dumps(scene_to_dict(scene), allow_nan=False)
    # one line a key and source: readable, and small enough for hour-long scenes
    text = text.replace(', "sources": [', ',\n "sources": [').replace('{"id":', '\n  {"id":')
    with atomic_output(Path(path), overwrite=True) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def scene_to_dict(scene: Scene) -> dict[str, Any]:
    """The scene as plain JSON values; angles to 0.001 degree, metres and seconds to 0.0001."""
    document: dict[str, Any] = {"format": FORMAT, "version": VERSION, "duration": round(scene.duration, 6)}
    if scene.room is not None:
        document["room"] = {"rt60_s": scene.room.rt60_s, "drr_db": scene.room.drr_db}
    document["sources"] = [_source_to_dict(source) for source in scene.sources]
    return document


def _source_to_dict(source: Source) -> dict[str, Any]:
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
        entry["audio"] = source.audio
    return entry


def scene_from_dict(document: Any, folder: Path | None = None) -> Scene:
    """Check and build a scene from JSON values. Raises `InputError` that names the key."""
    _object("scene", document, required=("format", "version", "duration", "sources"), allowed=_SCENE_KEYS)
    if document["format"] != FORMAT:
        raise InputError(f"`format` is {document['format']!r} but must be {FORMAT!r}")
    if document["version"] != VERSION:
        raise InputError(f"`version` is {document['version']!r} but must be {VERSION}")
    if not isinstance(document["sources"], list) or not document["sources"]:
        raise InputError("`sources` is empty or no list but must hold one source or more")
    room = None
    if document.get("room") is not None:
        _object("room", document["room"], required=(), allowed=_ROOM_KEYS)
        room = Room(**{key: _number(f"room.{key}", value) for key, value in document["room"].items()})
    sources = tuple(_source_from_dict(i, entry, folder) for i, entry in enumerate(document["sources"]))
    return Scene(sources=sources, duration=_number("duration", document["duration"]), room=room)


def _source_from_dict(index: int, entry: Any, folder: Path | None) -> Source:
    name = f"sources[{index}]"
    _object(name, entry, required=_REQUIRED, allowed={*_REQUIRED, *_OPTIONAL})
    for key in ("id", "label"):
        if not isinstance(entry[key], str) or not entry[key]:
            raise InputError(f"`{name}.{key}` is {entry[key]!r} but must be a text")
    times = _numbers(f"{name}.times", entry["times"])
    n = len(times)
    if n == 0:
        raise InputError(f"`{name}.times` is empty but must hold one time or more")
    series = {
        key: _numbers(f"{name}.{key}", entry[key], n)
        for key in ("azimuth_deg", "elevation_deg", "distance_m", "gain_db", "spread_deg")
        if entry.get(key) is not None
    }
    if (series["distance_m"] <= 0).any():
        raise InputError(f"`{name}.distance_m` holds {series['distance_m'].min():g} but must be above 0")
    if (abs(series["elevation_deg"]) > 90).any():
        raise InputError(f"`{name}.elevation_deg` must be between -90 and 90 degrees")
    visible = entry.get("visible")
    if visible is not None and (
        not isinstance(visible, list) or len(visible) != n or not all(isinstance(v, bool) for v in visible)
    ):
        raise InputError(f"`{name}.visible` must be a list of {n} true or false")
    for key in ("caption", "audio"):
        if entry.get(key) is not None and not isinstance(entry[key], str):
            raise InputError(f"`{name}.{key}` is {entry[key]!r} but must be a text")
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
            f"`{name}` has the unknown key {unknown[0]!r}; known are {', '.join(sorted(allowed))}"
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
        raise InputError(f"`{name}` is {str(value)[:40]!r} but must be a finite number")
    return number


def _numbers(name: str, value: Any, length: int | None = None) -> Floats:
    if not isinstance(value, list):
        raise InputError(f"`{name}` is no list of numbers")
    if length is not None and len(value) != length:
        raise InputError(f"`{name}` has {len(value)} values but must have {length}, one for each time")
    return np.array([_number(f"{name}[{i}]", v) for i, v in enumerate(value)], np.float64)


def _reject_constant(text: str) -> float:
    raise InputError(f"{text} is no number that a scene can hold; all values must be finite")
