"""What watching a video costs: the whole, its parts, and against the same detector on every frame.

    python scripts/bench/vision.py VIDEO --detector MODEL [--runs 3]

The whole is everything `foleyspace track` does once the detector is loaded. The parts run in two threads
and a decoding process, so they may add up to more than the whole; each is the time until its calls came back.
"""

from __future__ import annotations

import logging
import os
import resource
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click


class Clock:
    """Seconds spent in the calls of what it has wrapped, by name."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self.calls: dict[str, int] = {}
        self.cpu = 0.0

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def timed(*args: Any, **options: Any) -> Any:
            started = time.perf_counter()
            try:
                return call(*args, **options)
            finally:
                self.spent[name] = self.spent.get(name, 0.0) + time.perf_counter() - started
                self.calls[name] = self.calls.get(name, 0) + 1

        return timed


class Timed:
    """A detector whose calls are timed; `rate_hz` may be another than its own."""

    def __init__(self, detector: Any, clock: Clock) -> None:
        self.name, self.kind, self.rate_hz = detector.name, detector.kind, detector.rate_hz
        self.reset = detector.reset
        self._call = clock.around("detector", detector)

    def __call__(self, frame: Any, motion: Any) -> Any:
        return self._call(frame, motion)


def watch(video: Path, detector: Any, detect_hz: float | None) -> tuple[float, Clock, int]:
    """Seconds for all of the tracking pipeline, its parts, and the number of objects."""
    from unittest.mock import patch

    from foleyspace import steps
    from foleyspace.pipelines import track
    from foleyspace.video import frames, probe

    clock = Clock()
    clip = probe(video)

    def read(*args: Any, **options: Any) -> Any:
        source = frames(*args, **options)
        following = clock.around("decode (waiting for)", lambda: next(source, None))
        while (frame := following()) is not None:
            yield frame

    with (
        patch("foleyspace.detect.load_detector", lambda *_, **__: Timed(detector, clock)),
        patch("foleyspace.video.frames", read),
        patch.object(steps.CutDetector, "feed", clock.around("cuts", steps.CutDetector.feed)),
        patch.object(steps, "motion_field", clock.around("motion field", steps.motion_field)),
    ):
        config = track.TrackConfig(detector="auto", depth="size", detect_hz=detect_hz, offline=True)
        started, cpu = time.perf_counter(), cpu_seconds()
        seen = track.run(clip, config, None)
        clock.cpu = cpu_seconds() - cpu
        return time.perf_counter() - started, clock, len(seen.tracks)


def cpu_seconds() -> float:
    """Processor time of this process and those it has waited for: a busy machine changes it less."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


@click.command(help=__doc__)
@click.argument("video", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--detector", default="auto", show_default=True)
@click.option("--runs", default=3, show_default=True, help="The median is printed.")
def main(video: Path, detector: str, runs: int) -> None:
    from foleyspace.detect import load_detector
    from foleyspace.video import probe

    logging.getLogger("foleyspace").setLevel(logging.ERROR)
    clip = probe(video)
    loaded = load_detector(detector, offline=True)
    fps = min(float(clip.fps), 60.0)
    measured: dict[str, list[tuple[float, Clock, int]]] = {"as called for": [], "every frame": []}
    for _ in range(runs):  # side by side: the machine may be busier at one time than at another
        for name, hz in (("as called for", None), ("every frame", fps)):
            measured[name].append(watch(video, loaded, hz))
    size = f"{clip.size_wh[0]}x{clip.size_wh[1]}"
    print(f"{video.name}: {clip.duration:.2f} s, {size}, {len(clip.times)} frames, {loaded.name}")
    print(f"{os.cpu_count()} cores, median of {runs} runs")
    whole = {}
    for name, results in measured.items():
        seconds, clock, objects = sorted(results, key=lambda r: r[0])[len(results) // 2]
        whole[name] = seconds
        print(
            f"\ndetector {name}: {seconds:.2f} s ({clock.cpu:.2f} s of processor time), "
            f"{clock.calls['detector']} runs, {objects} objects"
        )
        for part, spent in clock.spent.items():
            each = 1e3 * spent / clock.calls[part]
            print(f"  {part:22s} {spent:6.2f} s  {clock.calls[part]:4d} x {each:6.1f} ms")
        mine = seconds - clock.spent["detector"]
        print(f"  {'rest beside detector':22s} {mine:6.2f} s")
    print(f"\nratio {whole['every frame'] / whole['as called for']:.1f}")


if __name__ == "__main__":
    main()
