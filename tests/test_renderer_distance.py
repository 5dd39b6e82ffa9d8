"""Distance law, air, Doppler, and sources that are wide."""

from __future__ import annotations

import numpy as np
import pytest
from playing import RATE, db, error_db, moving, noise, out_of_carrier_db, play, still, sweep
from scipy.signal import hilbert

from foleyspace.decorrelation import decorrelators, spread_weights
from foleyspace.hrir import load_hrirs
from foleyspace.propagation import air_absorption_db


@pytest.fixture(scope="module")
def hrirs():
    return load_hrirs()


# --- distance


def test_distance_law_is_one_over_r(hrirs):
    mono = noise(0.3)
    level = {
        r: db(np.square(play(mono, still(0, distance_m=r), hrirs, distance_gain=True)).sum())
        for r in (0.05, 0.25, 1.0, 2.0, 10.0)
    }
    assert level[1.0] - level[2.0] == pytest.approx(6.02, abs=0.05)
    assert level[1.0] - level[10.0] == pytest.approx(20, abs=0.05)
    assert level[0.25] == pytest.approx(level[0.05], abs=0.01)  # held: nothing is nearer than the nose
    same = play(mono, still(0, distance_m=10.0), hrirs)
    assert db(np.square(same).sum()) == pytest.approx(level[1.0], abs=0.01)


def test_air_absorption_is_that_of_iso_9613():
    """Table 1 of ISO 9613-1 at 20 degrees C, 50 % humidity, in dB/km at exact octave mid-bands."""
    for frequency, want in ((125.89, 0.454), (501.19, 2.79), (1000.0, 4.66), (3981.07, 28.6), (7943.28, 103)):
        got = 1000 * air_absorption_db(np.array([frequency]))[0]
        assert got == pytest.approx(want, rel=0.06)


def test_air_takes_the_highs_of_far_sources(hrirs):
    mono = noise(0.5)
    f = np.fft.rfftfreq(1 << 15, 1 / RATE)

    def spectrum(distance, **options):
        y = play(mono, still(0, distance_m=distance), hrirs, **options)[0, : 1 << 14]
        return np.abs(np.fft.rfft(y, 1 << 15)) ** 2

    for distance in (10.0, 60.0):
        ratio = spectrum(distance, air_absorption=True) / spectrum(distance)
        for frequency in (1000, 4000, 10000):
            band = (f > frequency / 1.03) & (f < frequency * 1.03)
            want = -distance * air_absorption_db(np.array([frequency]))[0]
            assert 10 * np.log10(np.median(ratio[band])) == pytest.approx(want, abs=0.2)


def test_doppler_shifts_the_pitch(hrirs):
    """Passing at 20 m/s: f / (1 + v / c) going, f / (1 - v / c) coming; off, the pitch stays."""
    t = np.arange(4 * RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)
    path = moving([0.0, 4.0], [[2.0, -40.0, 0.0], [2.0, 40.0, 0.0]])
    cycles = {}
    for doppler in (True, False):
        y = play(tone, path, hrirs, doppler=doppler)[0].astype(float)
        phase = np.unwrap(np.angle(hilbert(y)))
        slope = np.gradient(phase) * RATE / (2 * np.pi)
        cycles[doppler] = [np.median(slope[round(s * RATE) :][: RATE // 10]) for s in (0.3, 3.6)]
    assert cycles[True][0] == pytest.approx(1000 / (1 - 20 / 343), rel=0.002)
    assert cycles[True][1] == pytest.approx(1000 / (1 + 20 / 343), rel=0.002)
    assert cycles[False] == pytest.approx([1000, 1000], rel=0.001)


def test_doppler_adds_no_noise_of_its_own(hrirs):
    t = np.arange(2 * RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 4000 * t)).astype(np.float32)
    away = moving([0.0, 2.0], [[2.0, 0.0, 0.0], [12.0, 0.0, 0.0]])
    y = play(tone, away, hrirs, doppler=True)
    assert out_of_carrier_db(y, 4000 / (1 + 5 / 343))[0] < -75


# --- wide sources


def test_decorrelators_keep_the_magnitude_and_differ():
    filters = decorrelators(RATE)
    magnitude = np.abs(np.fft.rfft(filters, 8 * filters.shape[1]))
    assert np.abs(20 * np.log10(magnitude[:, 100:-100])).max() < 3
    assert 20 * np.log10(magnitude).std() < 0.5
    spectra = np.fft.rfft(filters)
    alike = np.abs((spectra[:, None] * spectra[None].conj()).mean(axis=-1)) - np.eye(len(filters))
    assert alike.max() < 0.2


def test_spread_zero_is_the_point_exactly(hrirs):
    mono = noise(0.4)
    point = play(mono, sweep(0.4), hrirs)
    path = sweep(0.4)
    flat = moving(path.times, path.xyz, spread_deg=np.zeros(len(path.times)))
    assert np.array_equal(play(mono, flat, hrirs), point)
    tiny = moving(path.times, path.xyz, spread_deg=np.full(len(path.times), 1e-3))
    assert error_db(play(mono, tiny, hrirs), point) < -60


def test_spread_widens_and_keeps_the_energy(hrirs):
    """Ears grow less alike with width; all around, no side is louder; energy within 1.5 dB of the mean
    direction's."""
    mono = noise(2.0)
    alike = []
    for spread in (0.0, 20.0, 40.0, 90.0, 180.0):
        left, right = play(mono, still(0, spread_deg=[spread]), hrirs).astype(float)
        alike.append((left * right).sum() / np.sqrt((left**2).sum() * (right**2).sum()))
    assert alike[0] > 0.99
    assert alike[0] > alike[1] > alike[2]
    assert np.abs(alike[3:]).max() < 0.35
    around = play(mono, still(70, spread_deg=[180.0]), hrirs)
    left, right = np.square(around).sum(axis=1)
    assert abs(db(left / right)) < 1.5
    ring = np.mean([np.square(play(mono, still(a), hrirs)).sum() for a in range(0, 360, 20)])
    assert abs(db((left + right) / ring)) < 1.5
    for spread in (0.0, 30.0, 60.0, 170.0):
        point, each = spread_weights(np.array([spread]))
        assert point**2 + 8 * each**2 == pytest.approx(1)
