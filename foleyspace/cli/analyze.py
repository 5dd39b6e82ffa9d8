"""`foleyspace analyze BINAURAL [--plot P.png]`."""

from __future__ import annotations

import json

import click

from foleyspace.cli.options import json_output, overwrite, verbosity


@click.command("analyze")
@click.argument("binaural", type=click.Path())
@click.option("--plot", type=click.Path(), metavar="P.png", help="Waveforms, ITD, ILD and azimuth over time.")
@overwrite
@json_output
@verbosity
def command(binaural: str, plot: str | None, overwrite: bool, json_output: bool) -> None:
    """Read the cues of a two-channel sound or video file: ITD, ILD, azimuth over time."""
    from foleyspace.analyze import analyze_binaural, plot_cues, summarise
    from foleyspace.files import check_output, check_suffix

    if plot is not None:
        check_suffix("plot", plot, (".png",))
        check_output(plot, inputs=[binaural], overwrite=overwrite)
    cues = analyze_binaural(binaural)
    if plot is not None:
        plot_cues(cues, binaural, plot, overwrite=overwrite)
    summary = summarise(cues)
    if json_output:
        click.echo(json.dumps(summary, indent=1))
        return
    for name, value in summary.items():
        click.echo(f"{name:24s} {value:.4g}" if isinstance(value, float) else f"{name:24s} {value}")
    if plot is not None:
        click.echo(plot)
