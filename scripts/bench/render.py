"""How fast `foleyspace render` is, and whether its memory stays flat.

    python scripts/bench/render.py VIDEO [--detector NAME|PATH] [--depth size]       speed, stage by stage
    python scripts/bench/render.py VIDEO --minutes 1 --minutes 10 --minutes 60       peak memory by length

Speed: the second of two renders in one process (the first pays for imports and model loading), wall
time over the clip's length. Memory: VIDEO repeated to the length asked for (streams copied), each
rendered by a new process; peak resident memory of it and of every process it starts, added up.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import click


def repeated(video: Path, minutes: float, folder: Path) -> Path:
    import imageio_ffmpeg

    out = folder / f"{minutes:g}min{video.suffix}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-stream_loop", "-1", "-i", str(video)]
    subprocess.run([*command, "-t", str(minutes * 60), "-c", "copy", str(out)], check=True)
    return out


def tree_rss(pid: int) -> int:
    """Resident bytes of a process and its children, private and shared (Linux)."""
    total = 0
    for each in [pid, *_children(pid)]:
        try:
            pages = int(Path(f"/proc/{each}/statm").read_text().split()[1])
        except (OSError, IndexError):
            continue
        total += pages * os.sysconf("SC_PAGE_SIZE")
    return total


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in path.read_text().split():
                found += [int(child), *_children(int(child))]
        except OSError:
            continue
    return found


def peak_of(command: list[str]) -> tuple[int, float]:
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.2):
            peak = max(peak, tree_rss(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    done.set()
    watcher.join()
    if code:
        raise SystemExit(f"render failed with code {code}")
    return peak, time.perf_counter() - started


@click.command(help=__doc__)
@click.argument("video", type=click.Path(path_type=Path, exists=True))
@click.option("--detector", default="motion", show_default=True)
@click.option("--depth", default="size", show_default=True)
@click.option("--minutes", type=float, multiple=True, help="Measure memory at these lengths instead.")
def main(video: Path, detector: str, depth: str, minutes: tuple[float, ...]) -> None:
    options = ["--detector", detector, "--depth", depth, "--offline", "--overwrite", "-q"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if minutes:
            print("  minutes   peak MiB   real-time factor")
            for length in minutes:
                clip = repeated(video, length, folder)
                command = [sys.executable, "-m", "foleyspace", "render", str(clip)]
                peak, seconds = peak_of([*command, "-o", str(folder / "out.mkv"), *options])
                print(f"{length:9g} {peak / 2**20:10.0f} {seconds / (60 * length):18.2f}", flush=True)
                clip.unlink()
            return
        from foleyspace.api import render

        for attempt in ("first (with imports and model loading)", "second"):
            started = time.perf_counter()
            result = render(
                video, folder / "out.mkv", detector=detector, depth=depth, offline=True, overwrite=True
            )
            seconds = time.perf_counter() - started
            stages = "  ".join(f"{stage} {value:.2f}" for stage, value in result.seconds.items())
            print(f"{attempt}: {seconds:.2f} s for {result.clip.duration:.2f} s of video  ({stages})")


if __name__ == "__main__":
    main()
