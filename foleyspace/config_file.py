"""Configs of the pipelines: a dataclass filled from a YAML file and from what overrules it."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields
from importlib.resources import as_file, files
from numbers import Real
from pathlib import Path
from typing import Any, TypeVar

from foleyspace.errors import InputError

C = TypeVar("C")

MAX_BYTES = 1 << 16  # the longest that ships has 4 KiB
LARGEST = 10**18  # whole number: beyond it not everything that takes one can, and text of it may be refused
SEEDS = (0, 2**32 - 1)
THREADS = 1024  # and processes, at most


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
            raise InputError(f"`{name[:60]}` is no option but must be one of {', '.join(kinds)}")
        if value is not None:
            values[name] = _as(kinds[name], name, value, parts[name])
    return config(**values)


def check_range(config: object, ranges: Mapping[str, tuple[float, float]], *, ends: bool = True) -> None:
    """Raise `InputError` for a field of `config` outside its range, lowest to highest; "or more" where the
    highest is infinite. The ends are allowed unless `ends` is False. A field that is None says nothing."""
    for name, (low, high) in ranges.items():
        value = getattr(config, name)
        if value is None:
            continue
        number = float(value) if isinstance(value, Real) else math.nan
        if not (low <= number <= high if ends else low < number < high):
            wanted = f"{low} or more" if high == math.inf else f"between {low} and {high}"
            raise InputError(
                f"`{name}` is {value!r} but must be {wanted}{'' if ends else ', the ends left out'}"
            )


def check_choice(config: object, name: str, accepted: Collection[object], said: str = "") -> None:
    """Raise `InputError` for a field of `config` that is none of `accepted`; `said`: what it must be, in
    words of its own."""
    value = getattr(config, name)
    if value not in accepted:
        each = [str(one) or "''" for one in accepted]
        said = said or (" or ".join(each) if len(each) == 2 else f"one of {', '.join(each)}")
        raise InputError(f"`{name}` is {value!r} but must be {said}")


def check_learning(config: object, fewest_threads: int) -> None:
    """`check_range` of what every training has. `fewest_threads`: 0 where that stands for all cores."""
    more = dict.fromkeys(("steps", "batch", "frames", "check_every"), (1, math.inf))
    check_range(config, {**more, "weight_decay": (0, 1), "seed": SEEDS, "threads": (fewest_threads, THREADS)})
    check_range(config, {"learning_rate": (0, 1)}, ends=False)


def read_yaml(path: Path, said: str | Path) -> dict[str, Any]:
    """The option: value lines of a YAML file, which errors call `said`. Raises `InputError` for one that
    cannot be read or holds something else. Aliases are not taken (a few lines of them unfold to gigabytes),
    nor are options given twice."""
    import yaml

    class Loader(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                raise yaml.YAMLError("aliases are not taken")
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            values = super().construct_mapping(node, deep)
            if len(values) < len(node.value):
                raise yaml.YAMLError("an option is there twice")
            return values

    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise InputError(f"config {said} is a pipe or a device but must be a regular file")
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"config {said} is larger than {MAX_BYTES >> 10} KiB: not a config")
        values = yaml.load(path.read_text(encoding="utf-8"), Loader) or {}
    except OSError as error:
        raise InputError(f"cannot read config {said}: {(error.strerror or str(error)).lower()}") from None
    except InputError:
        raise
    except Exception as error:  # PyYAML raises nearly anything on "!!int x", a date that is none, "[[[[..."
        raise InputError(f"config {said} is not YAML: {_one_line(error)}") from None
    if not isinstance(values, dict):
        raise InputError(f"config {said} must hold option: value lines")
    for name, value in values.items():
        if any(abs(number) > LARGEST for number in _whole_numbers([name, value])):
            what = f"`{name}`" if isinstance(name, str) else "an option"
            raise InputError(f"config {said}: {what} is a number of more than 18 digits")
    return {str(name): value for name, value in values.items()}


def _whole_numbers(value: Any) -> Iterator[int]:
    """Those in a value of YAML, however deep."""
    if isinstance(value, int):
        yield value
    elif isinstance(value, dict):
        yield from _whole_numbers([*value.keys(), *value.values()])
    elif isinstance(value, (list, tuple, set)):
        for each in value:
            yield from _whole_numbers(each)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _read(file: str | Path) -> dict[str, Any]:
    if Path(file).suffix:
        return read_yaml(Path(file), file)
    with as_file(files("foleyspace.configs") / f"{file}.yaml") as path:
        return read_yaml(path, file)


def _as(kind: type, name: str, value: Any, part: type = int) -> Any:
    try:
        if kind is tuple:
            parts = value.strip("[]() ").split(",") if isinstance(value, str) else value
            if not isinstance(parts, (list, tuple)) or any(isinstance(each, (list, dict)) for each in parts):
                raise ValueError
            if part is str:
                return tuple(str(each).strip() for each in parts if str(each).strip())
            return tuple(_as(part, name, each) for each in parts)
        if kind is bool and isinstance(value, str):
            return {"true": True, "false": False}[value.lower()]
        if isinstance(value, (list, dict)) or (kind is int and float(value) != int(float(value))):
            raise ValueError
        converted = kind(float(value)) if kind is int else kind(value)
        if kind is float and not math.isfinite(converted):
            raise ValueError
        return converted
    except (KeyError, TypeError, ValueError, OverflowError):  # `InputError` of a part, too
        wanted = "a list of names" if kind is tuple and part is str else _KINDS.get(kind, "text")
        raise InputError(f"`{name}` is {reprlib.repr(value)} but must be {wanted}") from None


_KINDS = {int: "a whole number", float: "a number", bool: "true or false", tuple: "a list of whole numbers"}
