"""What the tests of the renderer share: sounds, paths, and how to measure what comes out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from foleyspace.renderer import RenderOptions, render
from foleyspace.types import Audio, Scene, Source

RATE = 48000


def noise(seconds: float, seed: int = 0):
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE))).astype(np.float32)


def at(azimuth_deg, elevation_deg=0.0, distance_m=1.4):
    azimuth, elevation = np.radians(azimuth_deg), np.radians(elevation_deg)
    across = np.cos(elevation)
    xyz = [across * np.cos(azimuth), across * np.sin(azimuth), np.sin(elevation) + 0 * azimuth]
    return np.atleast_2d(np.stack(xyz, axis=-1)) * np.reshape(distance_m, (-1, 1))


def moving(times, xyz, **more) -> Source:
    return Source("s", "sound", times, xyz, **more)


def still(azimuth_deg, elevation_deg=0.0, distance_m=1.4, **more) -> Source:
    return moving([0.0], at(azimuth_deg, elevation_deg, distance_m), **more)


def named(source: Source, name: str) -> Source:
    return replace(source, id=name)


def sweep(seconds: float, start=-80.0, stop=80.0, **more) -> Source:
    times = np.linspace(0, seconds, round(seconds * 50) + 1)
    return moving(times, at(np.linspace(start, stop, len(times)), **more))


def play(mono, source, hrirs, **options):
    sources = source if isinstance(source, tuple) else (source,)
    seconds = max(mono.shape[-1] / RATE, 1e-3)
    return render(Audio(mono, RATE), Scene(sources, seconds), hrirs, RenderOptions(**options)).samples


def db(ratio) -> float:
    return float(10 * np.log10(ratio + 1e-300))


def error_db(got, want) -> float:
    return db(np.square(got - want, dtype=float).sum() / np.square(want, dtype=float).sum())


def out_of_carrier_db(ears, carrier, n=8192, hop=1024):
    """Energy further than 100 Hz from the carrier over all: mean and worst frame, worse ear."""
    figures = []
    for ear in ears:
        frames = np.lib.stride_tricks.sliding_window_view(ear[4800:-4800], n)[::hop] * np.kaiser(n, 20)
        power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
        f = np.fft.rfftfreq(n, 1 / RATE)
        side = power[:, (np.abs(f - carrier) > 100) & (f > 20)].sum(axis=1)
        figures.append((db(side.sum() / power.sum()), db(side.max() / power.sum(axis=1).mean())))
    return np.max(figures, axis=0)
