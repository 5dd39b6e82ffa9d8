"""`foleyspace caption SCENE.json [-o FILE.txt]`."""

from __future__ import annotations

from typing import cast, get_args

import click

from foleyspace.caption import Style, caption
from foleyspace.captioning.words import Precision
from foleyspace.cli.options import overwrite, verbosity


@click.command("caption")
@click.argument("scene", type=click.Path())
@click.option(
    "--style",
    default="sentence",
    show_default=True,
    metavar="|".join(get_args(Style)),
    help="One sentence; a line a slice of time; or in the manner of one of the benchmarks.",
)
@click.option("--seed", default=0, show_default=True, help="Which of many ways to say it.")
@click.option(
    "--slice",
    "slice_s",
    type=float,
    metavar="S",
    help="Length of the slices of dense (1) and tasbench (as long as everyone goes on as before).",
)
@click.option(
    "--precision",
    default="words",
    show_default=True,
    metavar="|".join(get_args(Precision)),
    help="How directions are said; words only where they are true to 7.5 degrees.",
)
@click.option(
    "-o", "--out", type=click.Path(), metavar="FILE.txt", help="Write it there instead of printing."
)
@overwrite
@verbosity
def command(
    scene: str, style: str, seed: int, slice_s: float | None, precision: str, out: str | None, overwrite: bool
) -> None:
    """Say in words where the sounds of a scene are and how they move."""
    from pathlib import Path

    from foleyspace.files import atomic_output, check_output
    from foleyspace.scene import load_scene

    if out is not None:
        check_output(out, inputs=[scene], overwrite=overwrite)
    words = caption(
        load_scene(scene),
        style=cast(Style, style),
        seed=seed,
        slice_s=slice_s,
        precision=cast(Precision, precision),
    )
    if out is None:
        click.echo(words)
        return
    with atomic_output(Path(out), overwrite=overwrite) as temporary:
        temporary.write_text(words + "\n", encoding="utf-8")
    click.echo(out)
