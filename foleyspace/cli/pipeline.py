"""`python -m foleyspace.pipelines.NAME [CONFIG] [NAME=VALUE]...`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

import click

from foleyspace.cli import main
from foleyspace.config_file import read_config
from foleyspace.errors import InputError

C = TypeVar("C")


def run_as_module(config: type[C], run: Callable[[C], Any], default: str) -> NoReturn:
    """Run a pipeline by the process's arguments and exit as the command line does; `default`: the config
    that ships for it."""

    @click.command(
        help=f"CONFIG: a YAML file, or one that ships ({default}, the default); it names every option."
    )
    @click.argument("stated", nargs=-1, metavar="[CONFIG] [NAME=VALUE]...")
    def command(stated: tuple[str, ...]) -> None:
        named = bool(stated) and "=" not in stated[0]
        values = named_values(stated[1:] if named else stated)
        click.echo(str(run(read_config(config, stated[0] if named else default, values))))

    main(command)


def named_values(changes: Sequence[str]) -> dict[str, str]:
    """NAME=VALUE arguments. Raises `InputError` for one without the sign."""
    values = {}
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise InputError(f"{change!r} must be NAME=VALUE")
        values[name] = value
    return values
