"""How well a batch uses the machine: one worker, two, and Ray with two, side by side.

    python scripts/bench/batch.py [VIDEO...] [--clips 24] [--seconds 4] [--detector motion]

Renders the same clips (parts of the videos given, or drawn ones) with each engine, one after the other, and
prints wall time and the ratio to one worker. The start of the engine (processes, imports, models; for Ray
the cluster too) is part of the wall times; "after start" leaves it out. Each engine may take `cores /
workers` threads a worker.

What a video costs beyond its own work, once its worker is up, is the hand-over (from one video's end to the
next one's begin: ledger, queue, pipes) and the loading of models and HRIR sets, which a worker does once.
The rendering's own fixed part shows in the wall time of a clip of 0.2 s.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from datetime import datetime
from pathlib import Path

import click
import imageio_ffmpeg

from foleyspace.batch.ledger import Row, read_rows
from foleyspace.batch.recipe import prepare
from foleyspace.keeping import keep_loaded
from foleyspace.pipelines.batch import BatchConfig, run
from foleyspace.pipelines.render import RenderConfig
from foleyspace.pipelines.track import TrackConfig


def ffmpeg(*args: str | Path) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, args)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def draw(path: Path, seconds: float, number: int) -> None:
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=size=640x360:rate=25:duration={seconds}"),
        *("-f", "lavfi", "-i", f"sine=frequency={200 + 20 * number}:duration={seconds}:sample_rate=48000"),
        *("-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac", path),
    )


def cut(video: Path, path: Path, seconds: float) -> None:
    ffmpeg("-i", video, "-t", str(seconds), "-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac", path)


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def gaps(rows: list[Row], workers: int) -> list[float]:
    """Seconds that a worker did nothing between two videos: every start after the first ones takes the place
    that became free last."""
    starts = sorted(moment(row.started) for row in rows)[workers:]
    ends = sorted(moment(row.finished) for row in rows)
    return [start - max((end for end in ends if end <= start), default=start) for start in starts]


def loading(seeing: TrackConfig) -> float:
    """Seconds to load what a video needs, in a process that keeps it."""
    keep_loaded()
    began = time.perf_counter()
    prepare(RenderConfig(seeing=seeing))
    return time.perf_counter() - began


@click.command(help=__doc__)
@click.argument("videos", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--clips", default=24, show_default=True)
@click.option("--seconds", default=4.0, show_default=True)
@click.option("--detector", default="motion", show_default=True)
@click.option("--engines", default="1,2,ray2", show_default=True, help="Workers, with ray before for Ray.")
@click.option("--repeats", default=1, show_default=True, help="Rounds over all engines; the best counts.")
def main(
    videos: tuple[Path, ...], clips: int, seconds: float, detector: str, engines: str, repeats: int
) -> None:
    seeing = TrackConfig(detector=detector, depth="size", offline=True)
    names = engines.split(",")
    walls: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    cost: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library"
        library.mkdir()
        for k in range(clips):
            path = library / f"{k:03}.mp4"
            cut(videos[k % len(videos)], path, seconds) if videos else draw(path, seconds, k)
        for turn in range(repeats):
            for name in names:
                out = Path(folder) / f"{turn}.{name}"
                workers = int(name.removeprefix("ray"))
                engine = "ray" if name.startswith("ray") else "local"
                config = BatchConfig(
                    str(out), engine=engine, workers=workers, render=RenderConfig(seeing=seeing)
                )
                began = time.time()
                result = run([library], config)
                if result.failed:
                    raise SystemExit(f"{name}: {result.failed[0].error}")
                rows = read_rows(out / ".foleyspace")
                # the first videos wait for their workers: the work begins when they would have begun
                first = min(moment(row.finished) for row in rows)
                usual = statistics.median(row.wall_s for row in rows)
                start = max(first - usual - began, 0.0)
                walls[name].append((result.wall_s, result.wall_s - start))
                if engine == "local":
                    cost += gaps(rows, workers)
                print(f"{name}: {result.wall_s:.1f} s, of them {start:.1f} s to start", flush=True)
        short = Path(folder) / "short"
        short.mkdir()
        for k in range(6):
            draw(short / f"{k}.mp4", 0.2, k)
        out = Path(folder) / "short.out"
        run([short], BatchConfig(str(out), workers=1, render=RenderConfig(seeing=seeing)))
        later = sorted(read_rows(out / ".foleyspace"), key=lambda row: row.finished)[1:]
        fixed = statistics.median(row.wall_s for row in later)
    load_s = [loading(seeing) for _ in range(2)]
    best = {name: (min(w for w, _ in each), min(w for _, w in each)) for name, each in walls.items()}
    base = best[names[0]]
    print(f"\n{clips} clips of {seconds:g} s, --detector {detector}, best of {repeats}")
    print("engine    wall s  speed-up   after start s  speed-up")
    for name, (whole, after) in best.items():
        print(f"{name:8} {whole:7.1f} {base[0] / whole:9.2f} {after:15.1f} {base[1] / after:9.2f}")
    again = statistics.median(cost) + load_s[1]
    print(f"start-up of a video after the first: {again:.3f} s (of a worker, loading: {load_s[0]:.1f} s)")
    print(f"a whole clip of 0.2 s in a worker that is up, median: {fixed:.2f} s")


if __name__ == "__main__":
    main()
