"""`foleyspace spatialize MONO (--scene SCENE.json | --prompt TEXT) -o OUT.wav`."""

from __future__ import annotations

import json
from typing import Any

import click

from foleyspace.cli.options import config_file, json_output, overwrite, picked, verbosity
from foleyspace.cli.seeing import model_options, sound_options
from foleyspace.pipelines.spatialize import SoundConfig


@click.command("spatialize")
@click.argument("mono", type=click.Path())
@click.option("--scene", type=click.Path(), metavar="SCENE.json", help="Where the sounds are.")
@click.option("--prompt", metavar="TEXT", help='The same in words: "a drum far behind on the right".')
@click.option("-o", "--out", type=click.Path(), required=True, metavar="OUT.wav", help="WAV or FLAC, 24 bit.")
@sound_options
@click.option(
    "--loudness",
    default="keep",
    show_default=True,
    metavar="match|keep|LUFS",
    help="Leave the level as the physics gives it, or bring it to the input's or to a figure.",
)
@click.option(
    "--stems", type=click.Path(), metavar="DIR", help="Also write each source's part of the mono sound there."
)
@model_options
@overwrite
@config_file
@json_output
@verbosity
def command(
    mono: str,
    scene: str | None,
    prompt: str | None,
    out: str,
    stems: str | None,
    overwrite: bool,
    json_output: bool,
    **options: Any,
) -> None:
    """Make MONO (any sound file) binaural along a scene, or as words place its sounds."""
    from foleyspace.pipelines.spatialize import run

    config = picked(SoundConfig, options)
    report = run(mono, scene, out, config, prompt=prompt, stems=stems, overwrite=overwrite)
    click.echo(json.dumps(vars(report), indent=1) if json_output else out)
