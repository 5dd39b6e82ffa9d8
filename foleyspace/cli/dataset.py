"""`foleyspace dataset build --sounds FOLDER --hrtfs FOLDER -o OUT`."""

from __future__ import annotations

import json
from typing import Any

import click

from foleyspace.cli.options import config_file, default, json_output, overwrite, picked, verbosity
from foleyspace.pipelines.make_dataset import MakeDatasetConfig


def _option(name: str, kind: type, metavar: str, text: str) -> Any:
    value = default(MakeDatasetConfig, name)
    flag = f"--{name.replace('_', '-')}"
    return click.option(flag, name, type=kind, default=value, show_default=True, metavar=metavar, help=text)


@click.group("dataset")
def command() -> None:
    """Make mixtures with binaural truth, to train and to evaluate on."""


@command.command("build")
@click.option(
    "--sounds",
    type=click.Path(),
    metavar="FOLDER",
    help="Sound files with an INDEX.csv (file, class).",
)
@click.option("--hrtfs", type=click.Path(), metavar="FOLDER", help="SOFA files.")
@click.option("-o", "--out", type=click.Path(), metavar="FOLDER", help="Where the items and the card go.")
@_option("items", int, "N", "Mixtures; a dataset that is there already grows to so many.")
@_option("seconds", float, "S", "Length of each.")
@click.option(
    "--split",
    type=click.Choice(["train", "held"]),
    default=default(MakeDatasetConfig, "split"),
    show_default=True,
    help="The sounds and sets to train on, or those kept aside.",
)
@_option("seed", int, "N", "The same seed gives the same files.")
@_option("rooms", float, "P", "How often the binaural truth has a room, 0 to 1.")
@_option("noise", float, "P", "How often there is steady noise, 0 to 1.")
@_option("max_sources", int, "K", "Sources in a mixture at most, 1 to 4.")
@_option("shard_size", int, "N", "Items in a sub-folder.")
@_option("workers", int, "N", "Processes.")
@overwrite
@config_file
@json_output
@verbosity
def build_command(json_output: bool, **options: Any) -> None:
    """Mix labelled sounds, move them around a listener, and write what is heard.

    Made items are kept: the same command goes on where it was stopped.
    """
    from foleyspace.pipelines.make_dataset import run

    config = picked(MakeDatasetConfig, options)
    out = run(config)
    click.echo(json.dumps({"out": str(out), "items": config.items}) if json_output else str(out))
