"""Configs of the pipelines: a dataclass filled from a YAML file and from what overrules it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, TypeVar

from foleyspace.errors import InputError

C = TypeVar("C")


def read_config(config: type[C], file: str | Path | None, changes: Mapping[str, Any] | None = None) -> C:
    """`config` from `file` (a YAML file, or the name of one that ships: "spatializer_small"; None: the
    defaults), overruled by `changes`, whose values may be text; null is the default.

    Raises `InputError` for a file that cannot be read, unknown names and values of another type.
    """
    stated = {**({} if file is None else _read(file)), **(changes or {})}
    values: dict[str, Any] = {}
    given = {f.name: f.default for f in fields(config)}  # type: ignore[arg-type]
    kinds: dict[str, Any] = {name: type(default) for name, default in given.items()}
    # what a list holds, its default says; an empty one holds text
    parts = {name: type(each[0]) if isinstance(each, tuple) and each else str for name, each in given.items()}
    for name, value in stated.items():
        if name not in kinds:
            raise InputError(f"`{name}` is no option but must be one of {', '.join(kinds)}")
        if value is not None:
            values[name] = _as(kinds[name], name, value, parts[name])
    return config(**values)


def read_yaml(path: Path, said: str | Path) -> dict[str, Any]:
    """The option: value lines of a YAML file, which errors call `said`. Raises `InputError` for one that
    cannot be read or holds something else."""
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise InputError(f"cannot read config {said}: {(error.strerror or str(error)).lower()}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"config {said} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise InputError(f"config {said} must hold option: value lines")
    return {str(name): value for name, value in values.items()}


def _read(file: str | Path) -> dict[str, Any]:
    if Path(file).suffix:
        return read_yaml(Path(file), file)
    with as_file(files("foleyspace.configs") / f"{file}.yaml") as path:
        return read_yaml(path, file)


def _as(kind: type, name: str, value: Any, part: type = int) -> Any:
    try:
        if kind is tuple:
            parts = value.strip("[]() ").split(",") if isinstance(value, str) else value
            if part is str:
                return tuple(str(each).strip() for each in parts if str(each).strip())
            return tuple(_as(part, name, each) for each in parts)
        if kind is bool and isinstance(value, str):
            return {"true": True, "false": False}[value.lower()]
        if isinstance(value, (list, dict)) or (kind is int and float(value) != int(float(value))):
            raise ValueError
        return kind(float(value)) if kind is int else kind(value)
    except (KeyError, TypeError, ValueError, OverflowError):  # `InputError` of a part, too
        wanted = "a list of names" if kind is tuple and part is str else _KINDS.get(kind, "text")
        raise InputError(f"`{name}` is {value!r} but must be {wanted}") from None


_KINDS = {int: "a whole number", float: "a number", bool: "true or false", tuple: "a list of whole numbers"}
