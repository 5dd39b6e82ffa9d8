#!/usr/bin/env python3
"""Clicks and zipper noise of the moving-source renderer: out-of-carrier energy (OCE) of a swept sine.

    scripts/bench/moving_tone.py [--hrtf mit_kemar]

A sine moves from -80 to +80 degrees azimuth. OCE is the energy further than 100 Hz from the carrier over
all energy, in dB, the worse ear: over the whole sweep, and the worst frame (8192 samples, hop 1024, Kaiser
window of beta 20, first and last 0.1 s left out). "per sample": every output sample computed
in float64 with the response for the direction at that very moment; what it still has is the motion itself
and the set's grid, at whose points the interpolation has corners. The renderer's direction table rounds
those off a little, which is why it may come out lower.
"""

from __future__ import annotations

import argparse

import numpy as np

from foleyspace.hrir import load_hrirs
from foleyspace.interpolation import interpolate_hrirs
from foleyspace.renderer import render
from foleyspace.types import Audio, Hrirs, Scene, Source

RATE = 48000
CASES = ((1000, 40.0), (4000, 40.0), (4000, 200.0), (12000, 40.0))  # carrier Hz, speed deg/s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--hrtf", default="mit_kemar")
    hrirs = load_hrirs(parser.parse_args().hrtf, RATE)
    print(f"OCE in dB, mean / worst frame   {'renderer':>16s} {'per sample':>16s}")
    for carrier, speed in CASES:
        seconds = 160 / speed
        t = np.arange(round(seconds * RATE)) / RATE
        tone = 0.5 * np.sin(2 * np.pi * carrier * t)
        times = np.linspace(0, seconds, round(seconds * 100) + 1)
        source = Source("tone", "tone", times, 1.4 * _direction(-80 + speed * times))
        ours = render(Audio(tone, RATE), Scene((source,), seconds), hrirs).samples
        limit = _per_sample(carrier, -80 + speed * t, hrirs)
        row = ["{:7.1f} / {:6.1f}".format(*out_of_carrier(y.astype(float), carrier)) for y in (ours, limit)]
        print(f"{carrier:6d} Hz, {speed:5.0f} deg/s         {row[0]:>18s} {row[1]:>16s}")


def out_of_carrier(ears: np.ndarray, carrier: float) -> tuple[float, float]:
    worst = []
    for ear in ears:
        inner = ear[round(0.1 * RATE) : len(ear) - round(0.1 * RATE)]
        frames = np.lib.stride_tricks.sliding_window_view(inner, 8192)[::1024] * np.kaiser(8192, 20)
        power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
        f = np.fft.rfftfreq(8192, 1 / RATE)
        side = power[:, (np.abs(f - carrier) > 100) & (f > 20)].sum(axis=1)
        total = power.sum(axis=1)
        worst.append((side.sum() / total.sum(), side.max() / total.mean()))
    mean, frame = 10 * np.log10(np.max(worst, axis=0) + 1e-30)
    return float(mean), float(frame)


def _per_sample(carrier: float, azimuth_deg: np.ndarray, hrirs: Hrirs) -> np.ndarray:
    """A sine through a filter is that sine times the filter's response at its frequency: so a steady
    sine times the response for each sample's direction, which is followed on a grid of 0.02 degrees."""
    grid = np.arange(-81, 81.01, 0.02)
    response = np.empty((len(grid), 2), complex)
    for start in range(0, len(grid), 256):
        ir = interpolate_hrirs(hrirs, _direction(grid[start : start + 256]))
        phase = np.exp(-2j * np.pi * carrier / RATE * np.arange(ir.shape[-1]))
        response[start : start + 256] = ir @ phase
    t = np.arange(len(azimuth_deg)) / RATE
    steady = 0.5 * np.exp(2j * np.pi * carrier * t)
    ears = [np.interp(azimuth_deg, grid, response[:, e]) * steady for e in (0, 1)]
    return np.imag(ears)


def _direction(azimuth_deg: np.ndarray) -> np.ndarray:
    azimuth = np.radians(azimuth_deg)
    return np.stack([np.cos(azimuth), np.sin(azimuth), 0 * azimuth], axis=1)


if __name__ == "__main__":
    main()
