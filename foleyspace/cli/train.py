"""`foleyspace train --sounds DIR --hrtfs DIR`."""

from __future__ import annotations

from typing import Any

import click

from foleyspace.cli.options import verbosity


@click.command("train")
@click.argument("changes", nargs=-1, metavar="[NAME=VALUE]...")
@click.option(
    "--config",
    default="spatializer_small",
    show_default=True,
    metavar="FILE|NAME",
    help="A YAML file, or one that ships: spatializer_small (two CPU cores), spatializer_base (one GPU).",
)
@click.option(
    "--sounds",
    metavar="DIR",
    help="Sounds with an INDEX.csv: file, class and, if known, kind and split.",
)
@click.option("--hrtfs", metavar="DIR", help="SOFA files.")
@click.option(
    "--data",
    metavar="DIR",
    help="A set of `foleyspace dataset build` to learn from, instead of mixing; --sounds is for validation.",
)
@click.option("-o", "--out", metavar="DIR", help="Checkpoints, curves and weights; goes on where it stopped.")
@click.option(
    "--system",
    type=click.Choice(["separator", "foleyspace", "tas", "tasu"]),
    help="What is trained; tas and tasu also need text=minilm.",
)
@click.option("--steps", type=int, metavar="N")
@click.option("--seed", type=int, metavar="N")
@click.option("--device", metavar="auto|cpu|cuda")
@verbosity
def command(changes: tuple[str, ...], config: str, **options: Any) -> None:
    """Train the spatializer. Other fields of the config as NAME=VALUE; on several GPUs by torchrun."""
    from foleyspace.cli.pipeline import named_values
    from foleyspace.config_file import read_config
    from foleyspace.pipelines.train import TrainConfig, run

    values = {name: value for name, value in options.items() if value is not None}
    values |= named_values(changes)
    click.echo(str(run(read_config(TrainConfig, config, values))))
