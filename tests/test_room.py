"""The room: measured as one would measure a real one, from its impulse response."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from foleyspace.hrir import load_hrirs
from foleyspace.renderer import RenderOptions, render, render_blocks
from foleyspace.room import _diffuse_field, diffuse_tail
from foleyspace.types import Audio, Room, Scene, Source

RATE = 48000


@pytest.fixture(scope="module")
def hrirs():
    return load_hrirs()


def responses(hrirs, room, xyz=(1.0, 0.0, 0.0), seconds=None, **options):
    """Direct and reverberant part (2, n) each of the impulse response."""
    n = int((seconds or 1.3 * room.rt60_s + 0.2) * RATE)
    click = np.zeros(n, np.float32)
    click[0] = 1
    source = Source("s", "click", [0.0], [xyz])
    dry, wet = (
        render(Audio(click, RATE), Scene((source,), n / RATE, r), hrirs, RenderOptions(**options)).samples
        for r in (None, room)
    )
    return dry.astype(float), wet.astype(float) - dry


def decay_time(response, down_to=-25.0) -> float:
    """RT60 by backward integration (Schroeder 1965), from -5 dB down (ISO 3382: T20)."""
    energy = np.square(response).sum(axis=0)
    level = 10 * np.log10(np.cumsum(energy[::-1])[::-1] / energy.sum() + 1e-20)
    span = np.flatnonzero((level < -5) & (level > down_to))
    return -60 / np.polyfit(span / RATE, level[span], 1)[0]


def octave(response, centre):
    edges = [centre / 2**0.5, centre * 2**0.5]
    return sosfiltfilt(butter(2, edges, "bandpass", fs=RATE, output="sos"), response)


@pytest.mark.parametrize(("rt60_s", "drr_db"), [(0.2, 5.0), (0.3, 12.0), (0.5, 0.0), (1.0, 6.0), (2.5, -5.0)])
def test_reverberation_time_and_ratio_are_those_asked_for(hrirs, rt60_s, drr_db):
    direct, reverberant = responses(hrirs, Room(rt60_s, drr_db))
    mid = np.mean([decay_time(octave(reverberant, f)) for f in (500, 1000)])
    assert mid == pytest.approx(rt60_s, rel=0.1)
    assert decay_time(reverberant) == pytest.approx(rt60_s, rel=0.1)
    ratio = 10 * np.log10(np.square(direct).sum() / np.square(reverberant).sum())
    assert ratio == pytest.approx(drr_db, abs=1)


def test_highs_die_away_sooner(hrirs):
    _, reverberant = responses(hrirs, Room(1.0, 0.0))
    assert decay_time(octave(reverberant, 8000)) < 0.95 * decay_time(octave(reverberant, 500))


def test_ratio_follows_distance(hrirs):
    """The reverberation does not care how far the source is; with the distance law off it is the direct
    sound that stays, and the ratio is the same."""
    ratios = {}
    for law in (True, False):
        for metres in (1.0, 4.0):
            direct, reverberant = responses(hrirs, Room(0.4, 6.0), (metres, 0, 0), distance_gain=law)
            ratios[law, metres] = 10 * np.log10(np.square(direct).sum() / np.square(reverberant).sum())
    for law in (True, False):
        assert ratios[law, 1.0] - ratios[law, 4.0] == pytest.approx(12.04, abs=0.3)


def test_nothing_comes_before_the_direct_sound(hrirs):
    direct, reverberant = responses(hrirs, Room(0.5, 0.0))
    energy = np.square(reverberant).sum(axis=0)
    onset = np.argmax(np.abs(direct).max(axis=0) > 0.2 * np.abs(direct).max())
    assert energy[: onset + 24].sum() < 1e-5 * energy.sum()


def test_tail_has_the_coherence_of_a_diffuse_field(hrirs):
    """Low frequencies alike at both ears, high ones not (Lindevald & Benade 1986), and on average that of
    the listener's HRIRs with sound from everywhere."""
    tail = diffuse_tail(hrirs, 2.0, 0.01)
    spectra = np.fft.rfft(tail[:, 4800:52800])
    f = np.fft.rfftfreq(48000, 1 / RATE)
    want = np.interp(f, np.linspace(0, RATE / 2, 257), _diffuse_field(hrirs)[2])

    def coherence(low, high):
        left, right = spectra[:, (f > low) & (f < high)]
        cross = (left * right.conj()).sum().real
        return cross / np.sqrt((np.abs(left) ** 2).sum() * (np.abs(right) ** 2).sum())

    assert coherence(60, 200) > 0.8
    assert abs(coherence(2000, 8000)) < 0.15
    for low in (100, 200, 300, 400, 600, 900, 1300):
        assert coherence(low, 1.3 * low) == pytest.approx(want[(f > low) & (f < 1.3 * low)].mean(), abs=0.2)


def test_early_reflections_come_from_the_sides_they_should(hrirs):
    """A source on the far left: what reflects first from the left wall is louder in the left ear."""
    _, reverberant = responses(hrirs, Room(0.4, 0.0), (0.3, 1.2, 0.0))
    left, right = np.square(reverberant[:, : round(0.012 * RATE)]).sum(axis=1)
    assert left > right


def test_same_seed_same_room(hrirs):
    room = Room(0.3, 3.0)
    _, one = responses(hrirs, room, seed=1)
    _, again = responses(hrirs, room, seed=1)
    _, other = responses(hrirs, room, seed=2)
    assert np.array_equal(one, again)
    assert np.abs(one - other).max() > 1e-3


def test_block_sizes_do_not_matter(hrirs):
    rng = np.random.default_rng(0)
    mono = (0.1 * rng.standard_normal((1, 90000))).astype(np.float32)
    times = np.linspace(0, 2, 50)
    xyz = np.stack([np.cos(times), np.sin(times), 0 * times], axis=1) * 2
    source = Source("s", "s", times, xyz)

    def run(size):
        blocks = [mono[:, k : k + size] for k in range(0, 90000, size)]
        return np.concatenate(list(render_blocks(blocks, [source], hrirs, room=Room(0.6, 3.0))), axis=1)

    whole = run(90000)
    assert whole.shape == (2, 90000)
    assert np.abs(run(777) - whole).max() < 1e-6


def test_a_moving_source_in_a_room_does_not_click(hrirs):
    t = np.arange(3 * RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)
    angle = np.radians(np.linspace(-60, 60, 151))
    xyz = 2 * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
    source = Source("s", "s", np.linspace(0, 3, 151), xyz)
    out = render(Audio(tone, RATE), Scene((source,), 3.0, Room(0.3, 3.0)), hrirs).samples
    frames = np.lib.stride_tricks.sliding_window_view(out[0, RATE:-4800], 8192)[::1024] * np.kaiser(8192, 20)
    power = np.abs(np.fft.rfft(frames)) ** 2
    away = np.abs(np.fft.rfftfreq(8192, 1 / RATE) - 1000) > 100
    assert 10 * np.log10(power[:, away].sum(axis=1).max() / power.sum(axis=1).mean()) < -60
