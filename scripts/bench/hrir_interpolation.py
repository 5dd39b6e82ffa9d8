#!/usr/bin/env python3
"""Directions left out of an HRIR set and interpolated back: ours, plain interpolation, the nearest.

    scripts/bench/hrir_interpolation.py [SET ...]      names or SOFA files; default mit_kemar

Thinned to a 10-degree grid where the set is regular (KEMAR: odd multiples of 5 degrees azimuth hidden at
-20..20 degrees elevation), else 40 % of the directions are hidden at random (seed 0). Printed are means:
LSD, the rms difference of the magnitudes in dB over all bins from 200 Hz to 16 kHz (and its median over
directions and ears), the level error at 4-16 kHz, and the error of the interaural time difference, which
is measured on the responses the same way for all (for plain interpolation it may be undefined).
"""

from __future__ import annotations

import argparse

import numpy as np

from foleyspace.hrir import load_hrirs, onset_samples
from foleyspace.interpolation import HrirField
from foleyspace.sphere import SphereMesh, unit_vectors
from foleyspace.types import Hrirs

RATE = 48000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sets", nargs="*", default=["mit_kemar"])
    for name in parser.parse_args().sets:
        evaluate(load_hrirs(name, RATE))


def evaluate(hrirs: Hrirs) -> None:
    direction = unit_vectors(hrirs.xyz)
    hidden = _hidden(direction)
    keep = np.setdiff1d(np.arange(len(direction)), hidden)
    print(f"{hrirs.name}: {len(hidden)} of {len(direction)} directions hidden")
    field = HrirField(Hrirs(hrirs.ir[keep], hrirs.delay[keep], hrirs.xyz[keep], RATE, "thinned"))
    n = 4096
    whole = _with_delay(hrirs, n)
    weights = SphereMesh(hrirs.xyz[keep]).weights(direction[hidden])
    plain = (weights @ whole[keep].reshape(len(keep), -1)).reshape(len(hidden), 2, n)
    nearest = whole[keep[np.argmax(direction[hidden] @ direction[keep].T, axis=1)]]
    ours = np.concatenate([field.responses(direction[part]) for part in np.array_split(hidden, 8)])
    print(f"{'':24s}{'LSD dB':>8s}{'median':>8s}{'4-16 kHz dB':>13s}{'ITD us':>8s}{'95 %':>7s}")
    for label, got in (("foleyspace", ours), ("plain interpolation", plain), ("nearest", nearest)):
        print(f"{label:24s}" + _row(got, whole[hidden], n))
    print()


def _hidden(direction: np.ndarray) -> np.ndarray:
    elevation = np.degrees(np.arcsin(direction[:, 2])).round(2)
    azimuth = np.degrees(np.arctan2(direction[:, 1], direction[:, 0])).round(2) % 360
    regular = np.isin(elevation, [-20, -10, 0, 10, 20])
    between = np.flatnonzero(regular & (azimuth % 10 == 5))
    if len(between) >= 100 and np.isin(azimuth[regular] % 5, [0]).mean() > 0.9:
        return between
    rng = np.random.default_rng(0)
    return np.sort(rng.permutation(len(direction))[: round(0.4 * len(direction))])


def _with_delay(hrirs: Hrirs, n: int) -> np.ndarray:
    turn = -2j * np.pi * np.fft.rfftfreq(n) * hrirs.delay[..., None]
    return np.fft.irfft(np.fft.rfft(hrirs.ir.astype(float), n) * np.exp(turn), n)


def _row(got: np.ndarray, truth: np.ndarray, n: int) -> str:
    f = np.fft.rfftfreq(n, 1 / RATE)
    a, b = (np.abs(np.fft.rfft(x, n)) for x in (got, truth))
    band = (f > 200) & (f < 16000)
    distance = np.sqrt(np.square(20 * np.log10(a[..., band] / b[..., band])).mean(axis=-1))
    high = (f > 4000) & (f < 16000)
    level = 10 * np.log10(np.square(a[..., high]).sum(axis=-1) / np.square(b[..., high]).sum(axis=-1))
    onsets = [onset_samples(x[..., :1024], RATE) for x in (got, truth)]
    itd = np.abs(np.diff(onsets[0]) - np.diff(onsets[1])) / RATE * 1e6
    return (
        f"{distance.mean():8.2f}{np.median(distance):8.2f}{level.mean():13.2f}"
        f"{itd.mean():8.1f}{np.percentile(itd, 95):7.1f}"
    )


if __name__ == "__main__":
    main()
