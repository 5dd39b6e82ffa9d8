"""`foleyspace track VIDEO -o SCENE.json`."""

from __future__ import annotations

import json
from typing import Any

import click

from foleyspace.cli.options import config_file, json_output, overwrite, picked, verbosity
from foleyspace.cli.seeing import model_options, seeing_options
from foleyspace.pipelines.track import TrackConfig


@click.command("track")
@click.argument("video", type=click.Path())
@click.option("-o", "--out", type=click.Path(), required=True, metavar="SCENE.json")
@seeing_options
@model_options
@overwrite
@config_file
@json_output
@verbosity
def command(video: str, out: str, overwrite: bool, json_output: bool, **options: Any) -> None:
    """Watch VIDEO and write where its sounds are, without making sound."""
    from foleyspace.api import watch
    from foleyspace.candidates import as_json, say_candidates
    from foleyspace.files import check_output
    from foleyspace.scene import scene_to_dict

    check_output(out, inputs=[video], overwrite=overwrite)
    seen = watch(video, config=picked(TrackConfig, options))
    say_candidates(seen.evidence)
    seen.scene.save(out)
    if json_output:
        click.echo(json.dumps({**scene_to_dict(seen.scene), **as_json(seen.evidence, seen.heard)}))
    else:
        click.echo(out)
