"""The moving-source renderer: physics first, then what must not depend on how it is called."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from playing import RATE, at, db, error_db, moving, named, noise, out_of_carrier_db, play, still, sweep
from scipy.signal import butter, fftconvolve, hilbert, sosfilt

from foleyspace.errors import InputError
from foleyspace.hrir import load_hrirs, pink_power, resample_irs
from foleyspace.hrtf import resolve_hrtf
from foleyspace.renderer import RenderOptions, render, render_blocks
from foleyspace.sofa import read_sofa
from foleyspace.types import Audio, Hrirs, Scene


@pytest.fixture(scope="module")
def hrirs():
    return load_hrirs()


# --- a source at rest


def test_at_a_measured_direction_it_is_direct_convolution(hrirs):
    """Against float64 convolution with the measurement itself: within -60 dB (it reaches about -73)."""
    raw = read_sofa(resolve_hrtf("mit_kemar"))
    measured = resample_irs(raw.ir, raw.rate, RATE)
    measured /= np.sqrt(pink_power(measured, raw.xyz, RATE))
    mono = noise(0.5)
    lags = set()
    for m in np.random.default_rng(3).integers(0, len(measured), 12):
        got = play(mono, moving([0.0], raw.xyz[m][None]), hrirs)
        full = np.stack([fftconvolve(mono.astype(float), measured[m, ear]) for ear in (0, 1)])
        errors = [error_db(got, full[:, lag : lag + len(mono)]) for lag in range(60)]
        assert min(errors) < -70
        lags.add(int(np.argmin(errors)))
    assert len(lags) == 1  # one latency for the set: what the measurement waited


def test_output_begins_with_the_input(hrirs):
    """A click at sample k is heard first within a sample of k, wherever it is; the far ear up to 0.8 ms on."""
    for azimuth in (0, 90, -90, 180):
        for k in (0, 5000, 30001):
            mono = np.zeros(40000, np.float32)
            mono[k] = 1
            got = np.abs(play(mono, still(azimuth), hrirs))
            first = [int(np.argmax(ear > 0.2 * ear.max())) - k for ear in got]
            assert -3 <= min(first) <= 18
            assert max(first) <= 45


def test_left_is_left(hrirs):
    """At +90 degrees the left ear leads by 600-750 us and is louder; at -90 the right one."""
    mono = noise(0.5)
    spectra = np.fft.rfft(play(mono, still(90), hrirs), 1 << 16)
    band = np.fft.rfftfreq(1 << 16, 1 / RATE) < 1500
    match = np.fft.irfft(spectra[1] * spectra[0].conj() * band, 1 << 19)
    lead = match.argmax() if match.argmax() < 1 << 18 else match.argmax() - (1 << 19)
    assert 600 < lead / 8 / RATE * 1e6 < 750
    for azimuth, sign in ((90, 1), (-90, -1)):
        left, right = np.square(play(mono, still(azimuth), hrirs)).sum(axis=1)
        assert sign * db(left / right) > 6


def test_loudness_of_an_average_direction_is_kept(hrirs):
    mono = noise(0.3)
    pink = np.fft.irfft(
        np.fft.rfft(mono) / np.sqrt(np.maximum(np.arange(len(mono) // 2 + 1), 100)), len(mono)
    )
    pink = (pink / pink.std() * 0.1).astype(np.float32)
    powers = [
        np.square(play(pink, still(a, e), hrirs)).mean() for a in range(0, 360, 30) for e in (-30, 0, 30)
    ]
    assert abs(db(np.mean(powers) / np.square(pink).mean())) < 1.5


def test_nearby_each_ear_has_its_own_direction(hrirs):
    """At 30 cm the interaural level difference is larger than at 1.5 m; beyond 1 m it is that of 1.4 m."""
    mono = noise(0.3)

    def ild(distance, **options):
        left, right = np.square(play(mono, still(30, distance_m=distance), hrirs, **options)).sum(axis=1)
        return db(left / right)

    assert ild(0.3) > ild(1.5) + 1
    assert ild(0.3, parallax=False) == pytest.approx(ild(1.5), abs=1e-3)
    assert ild(1.05) == pytest.approx(ild(1.4), abs=1e-3)


# --- a source that moves


@pytest.mark.parametrize(
    ("carrier", "seconds", "mean", "worst"),
    [(1000, 4.0, -90, -80), (4000, 4.0, -80, -70), (4000, 0.8, -58, -50)],
)
def test_a_moving_tone_stays_clean(hrirs, carrier, seconds, mean, worst):
    """No clicks or zipper noise: a tone swept over 160 degrees keeps its energy within 100 Hz."""
    t = np.arange(round(seconds * RATE)) / RATE
    tone = (0.5 * np.sin(2 * np.pi * carrier * t)).astype(np.float32)
    got = out_of_carrier_db(play(tone, sweep(seconds), hrirs), carrier)
    assert got[0] < mean
    assert got[1] < worst


@pytest.mark.parametrize("speed_deg_s", [10, 40, 150, 400])
def test_a_moving_source_sounds_at_each_moment_as_if_it_rested_there(hrirs, speed_deg_s):
    """Against filtering every sample with its own response, made from the direction at that moment."""
    from foleyspace.interpolation import interpolate_hrirs

    seconds = 0.6
    mono = fftconvolve(noise(seconds), np.hanning(9) / 4.5, mode="same").astype(np.float32)
    start = -0.5 * speed_deg_s * seconds
    got = play(mono, sweep(seconds, start, -start), hrirs)
    rng = np.random.default_rng(4)
    moments = np.sort(rng.integers(2000, len(mono), 300))
    responses = interpolate_hrirs(hrirs, at(start + speed_deg_s * moments / RATE))
    taps = responses.shape[-1]
    padded = np.pad(mono.astype(float), (taps, 0))
    past = np.stack([padded[k + 1 : k + taps + 1][::-1] for k in moments])
    want = np.einsum("net,nt->en", responses, past)
    assert error_db(got[:, moments], want) < -26


def test_resting_and_moving_meet_without_a_step(hrirs):
    """A source that starts, moves and stops: no more out-of-carrier energy than the motion has."""
    t = np.arange(3 * RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 2000 * t)).astype(np.float32)
    path = moving([0.0, 1.0, 2.0, 3.0], np.concatenate([at(-20), at(-20), at(20), at(20)]))
    assert out_of_carrier_db(play(tone, path, hrirs), 2000)[1] < -50


def test_a_jump_is_a_short_cross_fade(hrirs):
    """A source that is elsewhere at the next millisecond: settled after 20 ms, and no click."""
    t = np.arange(RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 500 * t)).astype(np.float32)
    path = moving([0.0, 0.5, 0.501, 1.0], np.concatenate([at(60), at(60), at(-60), at(-60)]))
    got = play(tone, path, hrirs)
    before, after = play(tone, still(60), hrirs), play(tone, still(-60), hrirs)
    cut, settled = round(0.48 * RATE), round(0.521 * RATE)
    assert error_db(got[:, :cut], before[:, :cut]) < -35
    assert error_db(got[:, settled:], after[:, settled:]) < -35
    # above the tone's two octaves nothing is heard of it: 50 dB below the tone
    high = sosfilt(butter(6, 3000, "highpass", fs=RATE, output="sos"), got)[:, RATE // 4 :]
    assert np.abs(high).max() < 0.003 * np.abs(before).max()


def test_across_the_back_and_over_the_top(hrirs):
    """The seam at 180 degrees and the pole are places like others."""
    t = np.arange(2 * RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)
    times = np.linspace(0, 2, 101)
    angle = np.radians(np.linspace(60, 120, 101))
    over = 1.4 * np.stack([np.cos(angle), 0 * angle, np.sin(angle)], axis=1)
    for source in (sweep(2.0, 150, 210), moving(times, over)):
        assert out_of_carrier_db(play(tone, source, hrirs), 1000)[0] < -80


# --- properties


def test_block_sizes_do_not_matter(hrirs):
    sources = (sweep(1.5), still(-40, gain_db=[-6.0]), sweep(1.5, 30, -90, distance_m=0.5))
    mono = np.stack([noise(1.5, seed) for seed in range(3)])
    options = RenderOptions(distance_gain=True, air_absorption=True, doppler=True)

    def run(sizes):
        edges = np.cumsum([0, *sizes])
        blocks = [mono[:, a:b] for a, b in pairwise(edges)]
        return np.concatenate(list(render_blocks(blocks, sources, hrirs, options)), axis=1)

    whole = run([72000])
    assert whole.shape == (2, 72000)
    rng = np.random.default_rng(5)
    cuts = np.sort(rng.integers(0, 72000, 60))
    for sizes in ([1, 71999], [30000, 0, 42000], np.diff([0, *cuts, 72000])):
        assert np.abs(run(sizes) - whole).max() < 1e-6


def test_one_track_for_all_is_the_same_track_for_each(hrirs):
    sources = (sweep(0.5), named(still(-40), "other"))
    mono = noise(0.5)
    shared = play(mono, sources, hrirs)
    each = render([Audio(mono, RATE)] * 2, Scene(sources, 0.5), hrirs).samples
    assert np.abs(shared - each).max() < 1e-6
    alone = sum(play(mono, source, hrirs) for source in sources)
    assert error_db(shared, alone) < -110


def test_it_is_linear(hrirs):
    a, b = noise(0.4, 1), noise(0.4, 2)
    together = play(2 * a - b, sweep(0.4), hrirs)
    assert error_db(together, 2 * play(a, sweep(0.4), hrirs) - play(b, sweep(0.4), hrirs)) < -110


def test_a_mirrored_path_swaps_the_ears(hrirs):
    """On a set made symmetric: each direction's ears swapped and put on the other side, and averaged."""
    mirrored = hrirs.xyz * [1, -1, 1]
    partner = np.argmin(np.linalg.norm(hrirs.xyz[:, None] - mirrored[None], axis=-1), axis=1)
    assert np.abs(hrirs.xyz[partner] - mirrored).max() < 1e-3
    ir = (hrirs.ir + hrirs.ir[partner][:, ::-1]) / 2
    delay = (hrirs.delay + hrirs.delay[partner][:, ::-1]) / 2
    xyz = (hrirs.xyz + hrirs.xyz[partner] * [1, -1, 1]) / 2
    symmetric = Hrirs(ir, delay, xyz, RATE, "symmetric")
    mono = noise(0.8)
    path = sweep(0.8, -75, 60, elevation_deg=15)
    other = moving(path.times, path.xyz * [1, -1, 1])
    assert error_db(play(mono, path, symmetric), play(mono, other, symmetric)[::-1]) < -60


def test_shifted_in_time_it_is_the_same_sound(hrirs):
    """Blocks lie elsewhere on the path then: within what interpolating along it costs."""
    mono = noise(0.6)
    path = sweep(0.6)
    here = play(mono, path, hrirs)
    for shift in (3432 * 3, 7001):
        later = moving(path.times + shift / RATE, path.xyz)
        there = play(np.pad(mono, (shift, 0)), later, hrirs)
        assert error_db(there[:, shift:], here) < -35


def test_three_hours_in_it_sounds_as_at_the_start(hrirs):
    """No drift and no loss of precision: the renderer's own clock moved on by three hours of blocks."""
    from foleyspace.interpolation import hrir_field
    from foleyspace.moving_filter import InputBlocks, MovingFilter
    from foleyspace.renderer import _path

    field = hrir_field(hrirs)
    rng = np.random.default_rng(6)
    sound = rng.standard_normal((16, field.hop)).astype(np.float32)
    blocks = 3 * 3600 * RATE // field.hop // 256 * 256
    path, results = sweep(2.0), []
    for first in (0, blocks):
        later = moving(path.times + first * field.hop / RATE, path.xyz)
        out = np.zeros((2, 15 * field.hop + field.n), np.float32)
        MovingFilter(field, _path(later, RenderOptions(), None)).add(InputBlocks(sound, field), first, out)
        results.append(out)
    assert error_db(results[1], results[0]) < -90


def test_threads_do_not_disturb_each_other(hrirs):
    """The same samples as one after the other, and nothing is kept of a thread that has ended."""
    from foleyspace.interpolation import hrir_field

    mono = noise(1.5)
    paths = [sweep(1.5), sweep(1.5, -170, 20), sweep(1.5, 0, 100, elevation_deg=30), sweep(1.5, 10, -300)]
    alone = [play(mono, path, hrirs) for path in paths]
    with ThreadPoolExecutor(len(paths)) as pool:
        together = list(pool.map(lambda path: play(mono, path, hrirs), paths))
        field = weakref.ref(pool.submit(hrir_field, hrirs).result())
        assert field() is not hrir_field(hrirs)
    gc.collect()
    assert field() is None
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one, other)


def test_silence_stays_silence(hrirs):
    assert not play(np.zeros(RATE // 2, np.float32), sweep(0.5), hrirs).any()
    silent = play(noise(0.3), still(0, gain_db=[-400.0]), hrirs)
    assert np.abs(silent).max() < 1e-12


@pytest.mark.parametrize("length", [0, 1, 100, 3432, 27456, 27457])
def test_any_length_comes_back(hrirs, length):
    blocks = [noise(1)[None, :length]]
    got = list(render_blocks(blocks, [still(10)], hrirs))
    assert sum(block.shape[1] for block in got) == length


def test_through_the_head_and_back(hrirs):
    """A straight line through the centre has no direction there; the sound stays finite and bounded."""
    mono = noise(1.0)
    path = moving([0.0, 1.0], [[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    for options in ({}, {"distance_gain": True, "doppler": True, "air_absorption": True}):
        got = play(mono, path, hrirs, **options)
        assert np.isfinite(got).all()
        assert np.abs(got).max() < 12 * np.abs(mono).max()


def test_gain_follows_its_curve(hrirs):
    """A fade by 20 dB in a second, linear in amplitude, and a step of 40 dB without a click."""
    t = np.arange(2 * RATE) / RATE
    tone = (0.5 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32)
    fade = moving([0.0, 1.0, 2.0], np.repeat(at(30), 3, axis=0), gain_db=[0.0, -20.0, -20.0])
    plain = np.abs(hilbert(play(tone, still(30), hrirs)[0]))
    level = 20 * np.log10(np.abs(hilbert(play(tone, fade, hrirs)[0])) / plain)
    for second in (0.25, 0.5, 0.75, 1.5):
        want = 20 * np.log10(1 - 0.9 * min(second, 1))
        assert level[round(second * RATE)] == pytest.approx(want, abs=0.1)
    step = moving([0.0, 1.0, 1.001, 2.0], np.repeat(at(30), 4, axis=0), gain_db=[0.0, 0.0, -40.0, -40.0])
    assert out_of_carrier_db(play(tone, step, hrirs), 1000)[1] < -30


# --- usage


def test_bad_input_says_what_is_accepted(hrirs):
    mono = Audio(noise(0.1), RATE)
    scene = Scene((still(0),), 1.0)
    with pytest.raises(InputError, match="must be at the HRIR set's 48000 Hz"):
        render(Audio(noise(0.1), 44100), scene, hrirs)
    with pytest.raises(InputError, match="2 channels but must have 1"):
        render(Audio(np.zeros((2, 100), np.float32), RATE), scene, hrirs)
    with pytest.raises(InputError, match="2 sounds but must hold 1 or 1"):
        render([mono, mono], scene, hrirs)
    with pytest.raises(InputError, match="shape \\(3, 10\\)"):
        list(render_blocks([np.zeros((3, 10), np.float32)], [still(0)], hrirs))
    with pytest.raises(InputError, match="at least one source"):
        render_blocks([], [], hrirs)
