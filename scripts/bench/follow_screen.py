"""Render every video of a folder and say how long it took; the results can be scored against annotations.

    python scripts/bench/follow_screen.py VIDEOS OUT --detector MODEL [--depth size]

VIDEOS: a folder of clips. OUT gets NAME.mp4 (or the clip's own type) for each: what a script that reads the
binaural cues at annotated places expects.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

import click

SUFFIXES = (".mp4", ".mkv", ".mov", ".webm")


@click.command(help=__doc__)
@click.argument("videos", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--detector", default="auto", show_default=True)
@click.option("--depth", default="size", show_default=True)
@click.option("--overlays", is_flag=True, help="Write NAME.overlay.mp4 too.")
def main(videos: Path, out: Path, detector: str, depth: str, overlays: bool) -> None:
    from foleyspace.api import render

    logging.getLogger("foleyspace").setLevel(logging.ERROR)
    out.mkdir(parents=True, exist_ok=True)
    for video in sorted(p for p in videos.iterdir() if p.suffix in SUFFIXES):
        started = time.perf_counter()
        more = {"overlay": str(out / f"{video.stem}.overlay.mp4")} if overlays else {}
        result = render(
            video, out / video.name, detector=detector, depth=depth, offline=True, overwrite=True, **more
        )
        seconds = time.perf_counter() - started
        placed = ", ".join(s.label for s in result.scene.sources)
        print(f"{video.name:44s} {seconds:6.2f} s / {result.clip.duration:5.2f} s  {placed}", flush=True)


if __name__ == "__main__":
    main()
