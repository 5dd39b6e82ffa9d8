#!/usr/bin/env python3
"""Speed of the moving-source renderer against `scipy.signal.fftconvolve`, one thread, in the same run.

    scripts/bench/renderer.py [--seconds 60] [--runs 7] [--hrtf mit_kemar]

fftconvolve (float32, both ears, one HRIR of the same set, source at rest) and the renderer take turns, so
that what else the machine does meets both alike; medians and the median of the ratios are printed. The
source swings 100 degrees to either side and 35 degrees up and down, off the measured grid; its top speed
is given. What is worked out once a set and direction ("prepare") is timed apart.
"""

# ruff: noqa: E402
from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import argparse
import time

import numpy as np
from scipy.signal import fftconvolve

from foleyspace.hrir import load_hrirs
from foleyspace.renderer import RenderOptions, render
from foleyspace.types import Audio, Scene, Source

RATE = 48000


def swinging(seconds: float, top_deg_s: float, distance_m: float = 2.0) -> Source:
    """Azimuth +-100 and elevation +-35 degrees, sinusoidal, periods not related; `top_deg_s` over both."""
    times = np.arange(0, seconds + 0.04, 0.04)
    share = top_deg_s / np.hypot(100, 35 * 1.7)
    azimuth = np.radians(100 * np.sin(share * times))
    elevation = np.radians(35 * np.sin(1.7 * share * times + 0.4))
    across = np.cos(elevation)
    xyz = [across * np.cos(azimuth), across * np.sin(azimuth), np.sin(elevation)]
    return Source("bench", "noise", times, distance_m * np.stack(xyz, axis=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--hrtf", default="mit_kemar")
    given = parser.parse_args()
    noise = np.random.default_rng(0).standard_normal(round(given.seconds * RATE))
    mono = Audio((0.1 * noise).astype(np.float32), RATE)
    start = time.perf_counter()
    hrirs = load_hrirs(given.hrtf, RATE)
    print(f"{hrirs.name}: {len(hrirs.ir)} directions, {hrirs.ir.shape[-1]} taps at {RATE} Hz")
    print(f"loaded in {time.perf_counter() - start:.2f} s; {given.seconds:g} s of sound, one thread\n")
    stems = RenderOptions(distance_gain=True, air_absorption=True, doppler=True)
    cases = [("at rest", Source("bench", "noise", [0.0], [[1.5, 0.7, 0.3]]), RenderOptions())]
    for speed in (10, 20, 40, 90, 200):
        cases.append((f"moving, {speed} deg/s", swinging(given.seconds, speed), RenderOptions()))
    cases.append(("20 deg/s, stem options", swinging(given.seconds, 20), stems))
    print(
        f"{'source':24s} {'prepare s':>9s} {'fftconvolve s':>13s} {'ours s':>10s} {'x real time':>11s} ratio"
    )
    for label, source, options in cases:
        scene = Scene((source,), given.seconds)
        start = time.perf_counter()
        render(mono, scene, hrirs, options)
        first = time.perf_counter() - start
        peers, ours = [], []
        for _ in range(given.runs):
            start = time.perf_counter()
            for ear in (0, 1):
                fftconvolve(mono.samples[0], hrirs.ir[0, ear])
            middle = time.perf_counter()
            render(mono, scene, hrirs, options)
            ours.append(time.perf_counter() - middle)
            peers.append(middle - start)
        peer, own = np.median(peers), np.median(ours)
        ratio = np.median(np.divide(peers, ours))
        prepare = max(first - own, 0)
        print(f"{label:24s} {prepare:9.2f} {peer:13.3f} {own:10.3f} {given.seconds / own:11.0f} {ratio:5.2f}")


if __name__ == "__main__":
    main()
