"""`foleyspace prompt TEXT [-o SCENE.json]`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from foleyspace.cli.options import json_output, overwrite, verbosity
from foleyspace.propagation import SILENT_DB

if TYPE_CHECKING:
    from foleyspace.prompt import PromptReading
    from foleyspace.types import Source

_WORDS = ("front", "front left", "left", "back left", "behind", "back right", "right", "front right")


@click.command("prompt")
@click.argument("text")
@click.option("-o", "--out", type=click.Path(), metavar="SCENE.json", help="Write the scene there.")
@click.option(
    "--duration",
    type=float,
    default=10.0,
    show_default=True,
    metavar="S",
    help="Length of the scene, seconds.",
)
@click.option(
    "--language-model", metavar="NAME|DIR", help="Puts freer text into plain words first (transformers)."
)
@click.option("--offline", is_flag=True, help="Never ask the network for that model.")
@overwrite
@json_output
@verbosity
def command(
    text: str,
    out: str | None,
    duration: float,
    language_model: str | None,
    offline: bool,
    overwrite: bool,
    json_output: bool,
) -> None:
    """Read TEXT, in English, as a scene: what is heard, where, how it moves and when.

    \b
    foleyspace prompt "a woman sings in front, a car passes from left to right"
    """
    from foleyspace.files import check_output
    from foleyspace.prompt import read_prompt
    from foleyspace.scene import scene_to_dict

    if out is not None:
        check_output(out, overwrite=overwrite)
    if language_model is None:
        reading = read_prompt(text, duration)
    else:
        from foleyspace.rewording import read_freely

        reading = read_freely(text, duration, language_model, offline)
    if out is not None:
        reading.scene.save(out)
    if json_output:
        more = {"notes": list(reading.notes), "not_understood": list(reading.not_understood)}
        click.echo(json.dumps({**scene_to_dict(reading.scene), **more}))
        return
    _show(reading)
    if out is not None:
        click.echo(out)


def _show(reading: PromptReading) -> None:
    rows = [("source", "direction", "distance", "motion", "when")]
    rows += [_row(source, reading.scene.duration) for source in reading.scene.sources]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for note in reading.notes:
        click.echo(f"note: {note}")
    for text in reading.not_understood:
        click.echo(f"not understood: {text}")


def _row(source: Source, duration: float) -> tuple[str, str, str, str, str]:
    import numpy as np

    from foleyspace.camera import xyz_to_angles

    assert source.gain_db is not None
    on = source.gain_db > SILENT_DB
    azimuth, elevation, distance = xyz_to_angles(source.xyz[on])
    where = _direction(azimuth[0], elevation[0])
    if source.spread_deg is not None and source.spread_deg.max() >= 180:
        where = "all around"
    moves = float(np.ptp(source.xyz[on], axis=0).max()) > 0.05
    motion = f"to {_direction(azimuth[-1], elevation[-1])}" if moves else "still"
    unwrapped = np.unwrap(azimuth, period=360)
    turned = np.abs(np.diff(unwrapped)).sum()
    if moves and turned > 300:
        motion = f"turns {turned / 360:.2g} times around"
        if np.ptp(unwrapped) < turned / 2 + 1:
            widest = (unwrapped.argmax(), unwrapped.argmin())
            there, back = (_direction(azimuth[i], elevation[i]) for i in widest)
            motion = f"between {there} and {back}"
    if source.visible is not None and not source.visible.any():
        motion += ", off screen"
    ends = [f"{distance[0]:.3g} m", f"{distance[-1]:.3g} m"]
    metres = ends[0] if ends[0] == ends[1] else " to ".join(ends)
    return source.label, where, metres, motion, _when(source, duration)


def _direction(azimuth_deg: float, elevation_deg: float) -> str:
    if abs(elevation_deg) > 80:
        return "straight up" if elevation_deg > 0 else "straight down"
    words = _WORDS[round(azimuth_deg / 45) % 8]
    height = f", {abs(elevation_deg):.0f} {'up' if elevation_deg > 0 else 'down'}"
    return f"{words} ({azimuth_deg:.0f}{height if abs(elevation_deg) >= 0.5 else ''})".replace("(-0", "(0")


def _when(source: Source, duration: float) -> str:
    """The times at which the source sounds."""
    assert source.gain_db is not None
    spans: list[list[float]] = []
    sounding = False
    for time, gain_db in zip(source.times.tolist(), source.gain_db.tolist(), strict=True):
        if gain_db > SILENT_DB and not sounding:
            spans.append([time, time])
        if gain_db > SILENT_DB:
            spans[-1][1] = time
        sounding = gain_db > SILENT_DB
    if sounding:
        spans[-1][1] = duration
    if source.gain_db[0] > SILENT_DB:
        spans[0][0] = 0.0
    if spans == [[0.0, duration]]:
        return "throughout"
    return ", ".join(f"{a:.3g} to {b:.3g} s" for a, b in spans)
