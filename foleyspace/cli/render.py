"""`foleyspace render VIDEO`."""

from __future__ import annotations

import json
from typing import Any

import click

from foleyspace.cli.options import config_file, json_output, overwrite, picked, verbosity
from foleyspace.cli.seeing import model_options, seeing_options, sound_options
from foleyspace.pipelines.render import RenderConfig
from foleyspace.pipelines.spatialize import SoundConfig
from foleyspace.pipelines.track import TrackConfig


@click.command("render")
@click.argument("video", type=click.Path())
@click.option("-o", "--out", type=click.Path(), help="Default: VIDEO.binaural.EXT beside the video.")
@click.option(
    "--audio",
    default=RenderConfig.audio,
    show_default=True,
    metavar="track|FILE",
    help="The mono sound: the video's own track, or a sound file.",
)
@sound_options
@click.option(
    "--loudness",
    default=SoundConfig.loudness,
    show_default=True,
    metavar="match|keep|LUFS",
    help="Bring the output to the input's loudness (BS.1770), leave it, or a figure.",
)
@seeing_options
@model_options
@click.option(
    "--scene", type=click.Path(), metavar="FILE", help="Use this scene file; the video is not watched."
)
@click.option(
    "--prompt",
    metavar="TEXT",
    help='Words place the sounds, the video is not watched: "a dog barks behind me on the left".',
)
@click.option("--save-scene", type=click.Path(), metavar="FILE", help="Write what was seen as a scene file.")
@click.option("--overlay", type=click.Path(), metavar="FILE.mp4", help="A video that shows what was seen.")
@click.option("--report", type=click.Path(), metavar="FILE.html", help="One page: what was decided and why.")
@click.option("--keep-original-audio", is_flag=True, help="Keep the old sound as a second track.")
@click.option(
    "--audio-codec",
    type=click.Choice(["auto", "aac", "alac", "flac", "opus", "pcm"]),
    default=RenderConfig.audio_codec,
    show_default=True,
)
@click.option("--audio-bitrate", default=RenderConfig.audio_bitrate, show_default=True)
@overwrite
@config_file
@json_output
@verbosity
def command(video: str, json_output: bool, **options: Any) -> None:
    """Give VIDEO binaural sound that follows what is on the screen."""
    from foleyspace.pipelines.render import run

    config = picked(
        RenderConfig, options, seeing=picked(TrackConfig, options), sound=picked(SoundConfig, options)
    )
    result = run(video, config)
    if json_output:
        click.echo(json.dumps(result.as_json(), indent=1))
    else:
        click.echo(str(result.out))
