#!/usr/bin/env python3
"""Speed and memory of the spatializer of mixtures, beside the renderer that sends all of it everywhere.

    scripts/bench/spatializer.py [--seconds 30] [--runs 3] [--threads 1 2] [--device cpu cuda] [--memory]

Both take turns in the same run, so that what else the machine does meets them alike; medians, and the median
of the ratios. "separator": from the mixture to the stems; "whole": stems to their places included;
"renderer": the whole mixture rendered at every place. All as multiples of real time, so larger is faster;
"costs" is the time of "whole" over that of "renderer". The sources move. Memory: the largest resident size of
a process that streams a sound of that length, sampled every 10 ms, less what it had before the first block.
"""

# ruff: noqa: E402
from __future__ import annotations

import os

for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np

from foleyspace.hrir import load_hrirs, minimum_phase_hrirs
from foleyspace.renderer import render, render_blocks
from foleyspace.spatializer.inference import ROUNDS, SeparatorOptions, separate, separated_blocks
from foleyspace.types import Audio, Samples, Scene, Source

RATE = 48000
LABELS = ("speech", "car", "dog", "flute")


def sources(count: int, seconds: float) -> tuple[Source, ...]:
    """Each swings by 40 degrees around its own place, 2 m away."""
    times = np.arange(0, seconds + 0.1, 0.1)
    made = []
    for i, label in enumerate(LABELS[:count]):
        azimuth = np.radians(-90 + 180 * (i + 0.5) / count + 20 * np.sin(0.7 * times + i))
        xyz = 2 * np.stack([np.cos(azimuth), np.sin(azimuth), np.zeros(len(times))], axis=1)
        made.append(Source(label, label, times, xyz))
    return tuple(made)


def sound(seconds: float) -> Audio:
    """Noise that comes and goes over a chord."""
    t = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(0).standard_normal(len(t)) * (np.sin(2 * np.pi * 0.7 * t) > 0)
    chord = sum(np.sin(2 * np.pi * f * t) for f in (220.0, 331.0, 495.0))
    return Audio(0.1 * (noise + chord), RATE)


def measure(given: argparse.Namespace) -> None:
    import torch

    hrirs = minimum_phase_hrirs(load_hrirs("mit_kemar", RATE))
    mono = sound(given.seconds)
    devices = given.device or ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    print(f"{given.seconds:g} s of sound, {given.runs} runs, torch {torch.__version__}")
    print("x real time\ndevice threads sources steps rounds  separator    whole renderer  costs")
    for device in devices:
        if device.startswith("cuda"):
            print(torch.cuda.get_device_name())
        for threads in given.threads if device == "cpu" else given.threads[:1]:
            torch.set_num_threads(threads)
            for count in given.sources:
                scene = Scene(sources(count, given.seconds), given.seconds)
                for steps, rounds in ((1, 0), (1, ROUNDS), *((n, ROUNDS) for n in given.steps if n > 1)):
                    options = SeparatorOptions(device=device, steps=steps, rounds=rounds)
                    row = one(mono, scene, hrirs, options, given)
                    print(f"{device:6s} {threads:7d} {count:7d} {steps:5d} {rounds:6d} " + row, flush=True)


def one(mono: Audio, scene: Scene, hrirs, options: SeparatorOptions, given: argparse.Namespace) -> str:
    times = []
    for run in range(given.runs + 1):
        start = time.perf_counter()
        stems = separate(mono, scene, options)
        apart = time.perf_counter()
        render([Audio(stem, RATE) for stem in stems], scene, hrirs)
        placed = time.perf_counter()
        render(mono, scene, hrirs)
        if run:  # the first loads and warms up
            times.append((apart - start, placed - start, time.perf_counter() - placed))
    separator, whole, renderer = (given.seconds / np.median(times, axis=0)).tolist()
    costs = np.median([each[1] / each[2] for each in times])
    return f"{separator:10.1f} {whole:8.1f} {renderer:8.1f} {costs:6.1f}"


def stream(seconds: float) -> Iterator[Samples]:
    block = sound(2.0).samples
    for _ in range(round(seconds / 2)):
        yield block


def peak(seconds: float) -> None:
    """Print by how many MB the resident size grows over a stream of this length, and its x real time."""
    import threading

    import psutil
    import torch

    process, sizes, ended = psutil.Process(), [], threading.Event()

    def watch() -> None:
        while not ended.wait(0.01):
            sizes.append(process.memory_info().rss)

    torch.set_num_threads(1)
    hrirs = minimum_phase_hrirs(load_hrirs("mit_kemar", RATE))
    placed = sources(2, seconds)
    separate(sound(0.1), Scene(placed, seconds), SeparatorOptions(device="cpu"))  # loads
    before = process.memory_info().rss
    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    stems = separated_blocks(stream(seconds), placed, SeparatorOptions(device="cpu"))
    for _ in render_blocks(stems, placed, hrirs):
        pass
    spent = time.perf_counter() - start
    ended.set()
    watcher.join()
    print(f"{(max(sizes) - before) / 2**20:.0f} {seconds / spent:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--sources", type=int, nargs="+", default=[2, 4], choices=range(2, len(LABELS) + 1))
    parser.add_argument("--steps", type=int, nargs="+", default=[4], help="tried beside one")
    parser.add_argument("--device", nargs="+", help="default: cpu, and cuda where there is one")
    parser.add_argument("--memory", action="store_true", help="memory only, of 1 and 10 minutes on the CPU")
    parser.add_argument("--peak-of", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peak_of:
        peak(given.peak_of)
        return
    if not given.memory:
        measure(given)
        print()
    print("two sources, CPU, one thread, streamed\nminutes  grows by, MB   x real time")
    for minutes in (1, 10):
        command = [sys.executable, __file__, "--peak-of", str(60 * minutes)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        print(f"{minutes:7d} {said[0]:>13s} {said[1]:>13s}", flush=True)


if __name__ == "__main__":
    main()
