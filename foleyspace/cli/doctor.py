"""`foleyspace doctor`."""

from __future__ import annotations

import dataclasses
import json

import click

from foleyspace.cli.options import json_output, verbosity


@click.command("doctor")
@json_output
@verbosity
def command(json_output: bool) -> None:
    """Say what this machine can do and what is missing. Nothing is downloaded."""
    from foleyspace.doctor import diagnose, format_checks

    checks = diagnose()
    click.echo(
        json.dumps([dataclasses.asdict(check) for check in checks], indent=1)
        if json_output
        else format_checks(checks)
    )
