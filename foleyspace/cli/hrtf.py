"""`foleyspace hrtf list|info|fetch`."""

from __future__ import annotations

import dataclasses
import json
import sys

import click

from foleyspace.cli.options import json_output, verbosity


@click.group("hrtf")
def command() -> None:
    """List, inspect and fetch HRIR sets."""


@command.command("list")
@json_output
@verbosity
def list_command(json_output: bool) -> None:
    """Names that --hrtf takes: embedded, fetched, and those that can be fetched."""
    from foleyspace.hrtf import list_hrtfs

    entries = list_hrtfs()
    if json_output:
        click.echo(json.dumps([dataclasses.asdict(entry) for entry in entries], indent=1, default=str))
        return
    for entry in entries:
        click.echo(f"{entry.name:22s} {entry.where:10s} {entry.description}")
        click.echo(f"{'':22s} {'':10s} {entry.licence}")


@command.command("info")
@click.argument("name_or_file")
@json_output
@verbosity
def info_command(name_or_file: str, json_output: bool) -> None:
    """What is in an HRIR set."""
    from foleyspace.hrtf import hrtf_info

    info = hrtf_info(name_or_file)
    if json_output:
        click.echo(json.dumps(info, indent=1, default=str))
        return
    for key, value in info.items():
        click.echo(f"{key:20s} {value}")


@command.command("fetch")
@click.argument("name_or_url")
@click.option("--sha256", metavar="HEX", help="Refuse the file unless this is its SHA-256.")
@click.option("--timeout", "timeout_s", type=float, default=10.0, show_default=True, metavar="S")
@verbosity
def fetch_command(name_or_url: str, sha256: str | None, timeout_s: float) -> None:
    """Download a public SOFA file into the cache; a broken download goes on where it stopped."""
    from foleyspace.hrtf import fetch_hrtf

    path = fetch_hrtf(
        name_or_url,
        sha256=sha256,
        timeout_s=timeout_s,
        progress=_say if sys.stderr.isatty() else None,
    )
    click.echo(str(path))


def _say(done: int, total: int | None) -> None:
    of = f" of {total / 2**20:.1f}" if total else ""
    click.echo(f"\r{done / 2**20:.1f}{of} MiB", nl=False, err=True)
