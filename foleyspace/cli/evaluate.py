"""`foleyspace evaluate SET -s diffusion -s hrir -s mono --hrtfs FOLDER -o OUT_DIR`."""

from __future__ import annotations

import json
from typing import Any

import click

from foleyspace.cli.options import config_file, default, json_output, overwrite, picked, verbosity
from foleyspace.evaluation import PHASES
from foleyspace.pipelines.evaluate import EvaluateConfig


@click.command("evaluate")
@click.argument("folder", type=click.Path(), metavar="SET")
@click.option("-o", "--out", type=click.Path(), metavar="DIR", help="Folder for the table, figures and page.")
@click.option(
    "-s",
    "--system",
    "systems",
    multiple=True,
    default=default(EvaluateConfig, "systems"),
    show_default=True,
    metavar="NAME",
    help="mono, hrir, diffusion[:steps=N,guidance=G,rounds=R,weights=W], words, foleyspace:weights=W, "
    "tas:weights=W, tasu:weights=W, or NAME=FOLDER of ready ITEM.wav files; several are compared with the "
    "first.",
)
@click.option("--hrtfs", type=click.Path(), metavar="DIR", help="Folder of the SOFA files that items name.")
@click.option(
    "--phase",
    type=click.Choice(PHASES),
    default=default(EvaluateConfig, "phase"),
    show_default=True,
    help="Of the HRIRs that the truth was rendered with, where its meta.json does not say: as measured; "
    "minimum phase and delay; or minimum phase and the time until a fifth of the peak.",
)
@click.option(
    "--mono",
    type=click.Choice(["dry", "sum"]),
    default=default(EvaluateConfig, "mono"),
    show_default=True,
    help="What systems are given: the items' mono sound, or the sum of the truth's ears, which they keep.",
)
@click.option("--steps", type=int, metavar="N", help="Steps of the diffusion.")
@click.option("--guidance", type=float, metavar="G", help="Classifier-free guidance of the diffusion.")
@click.option(
    "--weights",
    default=default(EvaluateConfig, "weights"),
    show_default=True,
    metavar="auto|FILE|NAME",
    help="Weights of the diffusion.",
)
@click.option(
    "--device", default=default(EvaluateConfig, "device"), show_default=True, metavar="auto|cpu|cuda"
)
@click.option("--seed", type=int, default=default(EvaluateConfig, "seed"), show_default=True, metavar="N")
@click.option("--offline", is_flag=True, help="Never ask the network for a model.")
@click.option(
    "--ask", metavar="NAME|DIR", help="Language model that answers the questions from what is heard."
)
@click.option("--limit", type=int, metavar="N", help="Only the first N items.")
@click.option(
    "--audio/--no-audio",
    default=default(EvaluateConfig, "audio"),
    show_default=True,
    help="Keep what was heard, for the page's players.",
)
@overwrite
@config_file
@json_output
@verbosity
def command(folder: str, json_output: bool, **options: Any) -> None:
    """Measure how near systems come to the binaural truth of the mixtures in SET."""
    from foleyspace.pipelines.evaluate import run

    result = run(folder, picked(EvaluateConfig, options))
    click.echo(json.dumps(result.metrics, indent=1) if json_output else result.table)
    if not json_output:
        click.echo(result.out / "index.html")
