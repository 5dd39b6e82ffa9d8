"""Options that several commands share; their defaults are those of the pipelines' config dataclasses."""

from __future__ import annotations

import dataclasses
import logging
import reprlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from foleyspace.errors import InputError

C = TypeVar("C")
Decorated = Callable[..., Any]


def stacked(decorators: Sequence[Callable[[Decorated], Decorated]]) -> Callable[[Decorated], Decorated]:
    """Several option decorators as one, shown in the order given."""

    def decorate(function: Decorated) -> Decorated:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def default(config: type, name: str) -> Any:
    """The default of a config dataclass's field."""
    return next(f.default for f in dataclasses.fields(config) if f.name == name)


def picked(config: type[C], options: dict[str, Any], **more: Any) -> C:
    """The config dataclass filled from command-line options of the same names, overruled by `more`."""
    names = {f.name for f in dataclasses.fields(config)}  # type: ignore[arg-type]
    return config(**{**{name: value for name, value in options.items() if name in names}, **more})


def read_config(ctx: click.Context, _parameter: click.Parameter, path: str | None) -> None:
    """`--config FILE`: a YAML file of option names, overruled by what the command line says."""
    if path is None:
        return
    from foleyspace.config_file import read_yaml

    values = read_yaml(Path(path), path)
    options = {p.name: p for p in ctx.command.params if isinstance(p, click.Option)}
    known = set(options) - {"config", "json_output"}
    unknown = sorted(str(key) for key in values if key not in known)
    if unknown:
        raise InputError(
            f"config {path} has the unknown option {unknown[0]!r}; known are {', '.join(sorted(known))}"
        )
    stated = {
        name: _as_given(options[name], value, path) for name, value in values.items() if value is not None
    }
    ctx.default_map = {**(ctx.default_map or {}), **stated}


def _as_given(option: click.Option, value: Any, path: str) -> Any:
    """A value of YAML as click takes it from a command line. Raises `InputError` for what none can say."""
    if option.multiple:
        return [_single(option, each, path) for each in (value if isinstance(value, list) else [value])]
    return _single(option, value, path)


def _single(option: click.Option, value: Any, path: str) -> Any:
    if not isinstance(value, (str, int, float)):  # true and false are whole numbers
        said = reprlib.repr(value)
        raise InputError(
            f"config {path}: `{option.name}` is {said} but must be text, a number, true or false"
        )
    whole = isinstance(option.type, click.types.IntParamType)
    if whole or isinstance(option.type, click.types.FloatParamType):
        # int(1.9) and float(True) would be taken for numbers without a word
        if isinstance(value, bool) or (whole and isinstance(value, float) and not value.is_integer()):
            kind = "whole number" if whole else "number"
            raise InputError(f"config {path}: `{option.name}` is {str(value).lower()} but must be a {kind}")
        return value
    if isinstance(value, bool) and isinstance(option.type, click.Choice):
        word = "on" if value else "off"  # which YAML 1.1 reads as true and false
        return word if word in option.type.choices else str(value)
    return value if option.is_flag and isinstance(value, bool) else str(value)


def _level(level: int) -> Callable[[click.Context, click.Parameter, bool], None]:
    def set_level(_ctx: click.Context, _parameter: click.Parameter, chosen: bool) -> None:
        if chosen:
            logging.getLogger("foleyspace").setLevel(level)

    return set_level


def flag(*names: str, level: int, text: str) -> Callable[[Decorated], Decorated]:
    """A flag that sets how much is said."""
    return click.option(
        *names, is_flag=True, is_eager=True, expose_value=False, callback=_level(level), help=text
    )


verbosity = stacked(
    [
        flag("-q", "--quiet", level=logging.WARNING, text="Say only what went wrong."),
        flag(
            "-v", "--verbose", level=logging.DEBUG, text="Say more, and where an unexpected error came from."
        ),
    ]
)

config_file = click.option(
    "--config",
    type=click.Path(),
    is_eager=True,
    expose_value=False,
    callback=read_config,
    metavar="FILE",
    help="Options from a YAML file; the command line overrules them.",
)
json_output = click.option("--json", "json_output", is_flag=True, help="Print the result as JSON.")
overwrite = click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")
