"""`foleyspace batch INPUT... -o DIR`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from foleyspace.cli.options import config_file, default, json_output, picked, verbosity
from foleyspace.cli.seeing import model_options, seeing_options, sound_options
from foleyspace.pipelines.batch import BatchConfig
from foleyspace.pipelines.render import RenderConfig
from foleyspace.pipelines.spatialize import SoundConfig
from foleyspace.pipelines.track import TrackConfig

if TYPE_CHECKING:
    from foleyspace.batch.ledger import Row

MOST_SHOWN = 50


def _number(flag: str, name: str, kind: type, metavar: str, text: str) -> Any:
    value = default(BatchConfig, name)
    return click.option(flag, name, type=kind, default=value, show_default=True, metavar=metavar, help=text)


@click.command("batch")
@click.argument("inputs", nargs=-1, type=click.Path(), metavar="[INPUT]...")
@click.option("-o", "--out", type=click.Path(), metavar="DIR", help="Where the videos and the ledger go.")
@click.option(
    "--include", multiple=True, metavar="PATTERN", help="In folders: only these, *.mp4 or 2024/*. Repeatable."
)
@click.option("--exclude", multiple=True, metavar="PATTERN", help="In folders: not these. Repeatable.")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default=default(BatchConfig, "engine"),
    show_default=True,
    help="Processes on this machine, or Ray.",
)
@_number("--workers", "workers", int, "N", "Videos at a time; 0: one for each core, as memory allows.")
@_number("--time-limit", "time_limit_s", float, "S", "For one video; then it is given up.")
@_number("--memory-limit", "memory_limit_gb", float, "GB", "For one video; 0: an equal share of the memory.")
@_number("--retries", "retries", int, "N", "Further tries for what may pass: killed, out of memory.")
@_number("--backoff", "backoff_s", float, "S", "Wait before the first of them; doubled each time.")
@click.option("--retry-failed", is_flag=True, help="Try those in quarantine again, too.")
@click.option("--ray-address", metavar="HOST:PORT|auto", help="A Ray cluster; default: Ray on this machine.")
@_number("--num-gpus", "num_gpus", float, "N", "Of each Ray worker, 0.25 for a fourth of a GPU.")
@click.option(
    "--report", is_flag=True, help="Write DIR/report.html and report.jsonl; without INPUT: only that."
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
@click.option("--prompt", metavar="TEXT", help="Words place the sounds, the videos are not watched.")
@click.option("--keep-original-audio", is_flag=True, help="Keep the old sound as a second track.")
@click.option(
    "--audio-codec",
    type=click.Choice(["auto", "aac", "alac", "flac", "opus", "pcm"]),
    default=RenderConfig.audio_codec,
    show_default=True,
)
@click.option("--audio-bitrate", default=RenderConfig.audio_bitrate, show_default=True)
@click.option("--overwrite", is_flag=True, help="Replace files in DIR that no batch made.")
@config_file
@json_output
@verbosity
def command(inputs: tuple[str, ...], json_output: bool, **options: Any) -> int:
    """Render whole libraries: files, folders, and lists (.txt, .csv, .json, .jsonl) with options a row.

    The outputs mirror the folders. What is done is never done again, whenever it was stopped: the same
    command goes on. Exit code 1 when some videos failed.
    """
    from foleyspace.errors import InputError
    from foleyspace.pipelines.batch import run

    if not inputs and not options["report"]:
        raise InputError("no input was given: files, folders or lists (or --report, for a report only)")
    render = picked(
        RenderConfig,
        {k: v for k, v in options.items() if k not in ("out", "report", "overwrite")},
        seeing=picked(TrackConfig, options),
        sound=picked(SoundConfig, options),
    )
    result = run(inputs, picked(BatchConfig, options, render=render))
    if json_output:
        click.echo(json.dumps(result.as_json(), indent=1))
    else:
        _say(result.failed)
        for path in result.reports:
            click.echo(path)
        if inputs:
            counts = f"{result.made} made, {result.kept} were done, {len(result.failed)} failed"
            pace = f"{result.video_s / result.wall_s:.2f} s of video/s" if result.made else ""
            click.echo(f"{result.out}: {counts}{', ' + pace if pace else ''}")
    return 1 if result.failed else 0


def _say(failed: tuple[Row, ...]) -> None:
    """A table of those that failed."""
    rows = [(row.output, row.state, str(row.attempts), " ".join(row.error.split())) for row in failed]
    shown = [("video", "state", "attempts", "error"), *rows[:MOST_SHOWN]] if rows else []
    widths = [min(max(len(row[k]) for row in shown), 60) for k in range(3)] if shown else []
    for row in shown:
        cells = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=False))
        click.echo(f"{cells}  {row[3]}")
    if len(rows) > MOST_SHOWN:
        click.echo(f"and {len(rows) - MOST_SHOWN} more (--report lists all)")
