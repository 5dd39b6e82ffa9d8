"""The metrics: perfect on equal sounds, and each moves as its definition says under a known change."""

from __future__ import annotations

import importlib.util
from itertools import pairwise

import numpy as np
import pytest

from foleyspace.errors import InputError
from foleyspace.metrics.alignment import aligned
from foleyspace.metrics.frechet import cue_vectors, frechet_distance, shrinkage
from foleyspace.metrics.interaural import ild_error_db, ipd_error_rad, itd_error_us, itd_over_time
from foleyspace.metrics.separation import si_sdr_db, si_sdr_improvement_db
from foleyspace.metrics.statistics import mean_interval, resamples
from foleyspace.metrics.waveform import (
    added_noise_db,
    amplitude_distance,
    envelope_distance,
    multi_resolution_stft,
    phase_distance,
    snr_db,
    stft_distance,
    wave_distance,
)

RATE = 48000

DISTANCES = {
    "STFT": lambda y, x: stft_distance(y, x, RATE),
    "ENV": lambda y, x: envelope_distance(y, x, RATE),
    "WAV": wave_distance,
    "AMP": lambda y, x: amplitude_distance(y, x, RATE),
    "PHA": lambda y, x: phase_distance(y, x, RATE),
    "MRSTFT": multi_resolution_stft,
    "ILDe": lambda y, x: ild_error_db(y, x, RATE),
    "IPDe": lambda y, x: ipd_error_rad(y, x, RATE),
    "ITDe": lambda y, x: itd_error_us(y, x, RATE),
}


def noise(seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    """Pink, RMS 0.1."""
    n = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    sound = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / RATE), 30)), n)
    return 0.1 * sound / np.sqrt((sound**2).mean())


def delayed(sound: np.ndarray, samples: int) -> np.ndarray:
    return np.roll(sound, samples, axis=-1)


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    """A sound on the left: the right ear 6 dB down and 20 samples (417 us) late."""
    left = noise()
    return np.stack([left, 0.5 * delayed(left, 20)])


@pytest.mark.parametrize("name", DISTANCES)
def test_a_distance_is_zero_for_equal_sounds_and_above_for_others(name, truth):
    distance = DISTANCES[name]
    assert distance(truth, truth) == pytest.approx(0, abs=1e-9)
    mono = np.stack([truth[0], truth[0]])
    swapped = truth[::-1]
    assert distance(mono, truth) > 0
    assert distance(swapped, truth) > 0


@pytest.mark.parametrize("name", DISTANCES)
def test_a_distance_grows_with_noise(name, truth):
    """Noise at -40, -20 and 0 dB. The ITD is steady under faint noise: it may stay."""
    dirt = np.stack([noise(seed=1), noise(seed=2)])
    steps = [DISTANCES[name](truth + gain * dirt, truth) for gain in (0.0, 0.01, 0.1, 1.0)]
    assert all(b >= a - 1e-9 for a, b in pairwise(steps))
    assert steps[3] > steps[0]


def test_snr_is_the_level_of_the_difference(truth):
    """A gain error g leaves (1 - g) of the truth: 20 log10(1 / (1 - g))."""
    assert snr_db(0.9 * truth, truth) == pytest.approx(20.0, abs=1e-6)
    assert snr_db(0 * truth, truth) == pytest.approx(0.0, abs=1e-9)
    assert snr_db(truth, truth) > 120


def test_distances_scale_as_they_are_defined(truth):
    half = 0.5 * truth
    assert wave_distance(half, truth) == pytest.approx(250 * (truth**2).mean())
    assert wave_distance(2 * half, 2 * truth) == pytest.approx(4 * wave_distance(half, truth))
    # squared spectra: half the gain error is a quarter of the distance
    ratio = stft_distance(half, truth, RATE) / stft_distance(0.75 * truth, truth, RATE)
    assert ratio == pytest.approx(4, rel=1e-6)
    # spectral convergence 1/2 and log 2, but for cells at the floor
    assert multi_resolution_stft(half, truth) == pytest.approx(0.5 + np.log(2), rel=0.02)
    assert phase_distance(half, truth, RATE) == pytest.approx(0, abs=1e-6)
    assert phase_distance(-truth, truth, RATE) == pytest.approx(np.pi, abs=1e-6)


def test_interaural_errors_are_the_change_made(truth):
    louder = truth * [[1.0], [10 ** (3 / 20)]]
    assert ild_error_db(louder, truth, RATE) == pytest.approx(3.0, abs=1e-6)
    assert ipd_error_rad(louder, truth, RATE) == pytest.approx(0.0, abs=1e-6)
    later = np.stack([truth[0], delayed(truth[1], 5)])  # 104 us
    assert itd_error_us(later, truth, RATE) == pytest.approx(5e6 / RATE, abs=3)
    assert ild_error_db(later, truth, RATE) < 0.3  # windows are shorter than the sound: not exactly 0
    assert 0.1 < ipd_error_rad(later, truth, RATE) < 2 * np.pi * 1500 * 5 / RATE
    _, itd, ild, _ = itd_over_time(truth, RATE)
    assert np.median(itd) == pytest.approx(-20e6 / RATE, abs=3)  # the left ear leads
    assert np.median(ild) == pytest.approx(-6.02, abs=0.3)


def test_common_gain_and_delay_are_no_interaural_error(truth):
    moved = 0.3 * delayed(truth, 96)
    for name in ("ILDe", "IPDe", "ITDe"):
        # the same window holds a little other sound
        assert DISTANCES[name](moved, truth) < {"ILDe": 1.0, "IPDe": 0.15, "ITDe": 5}[name]


def test_alignment_takes_out_one_gain_and_one_delay(truth):
    quiet = np.pad(truth, ((0, 0), (1000, 1000)))
    for delay in (-240, -7, 0, 13, 240):
        back = aligned(-0.2 * delayed(quiet, delay), quiet, RATE)
        assert snr_db(back, quiet) > 100, delay
    assert snr_db(aligned(delayed(quiet, 300), quiet, RATE), quiet) < 10  # over 5 ms is no latency
    # one gain for both ears: a wrong balance stays wrong
    skewed = quiet * [[1.0], [2.0]]
    assert ild_error_db(aligned(skewed, quiet, RATE), quiet, RATE) == pytest.approx(6.02, abs=0.01)
    assert not aligned(0 * quiet, quiet, RATE).any()


def test_noise_floor_counts_what_is_added_in_silence_only(truth):
    n = truth.shape[1]
    paused = truth.copy()
    paused[:, n // 2 :] = 0
    assert added_noise_db(paused, paused, RATE) == -150
    hiss = np.random.default_rng(3).standard_normal((2, n)) * 1e-3
    silence = hiss.copy()
    silence[:, : n // 2] = 0
    expected = 10 * np.log10((silence**2).sum() / (paused**2).sum())
    assert added_noise_db(paused + silence, paused, RATE) == pytest.approx(expected, abs=1.5)
    assert added_noise_db(paused + 10 * silence, paused, RATE) == pytest.approx(expected + 20, abs=1.5)
    # another gain, another place: nothing that was silent sounds
    assert added_noise_db(0.8 * paused[::-1], paused, RATE) < -100
    assert np.isnan(added_noise_db(truth, np.zeros_like(truth), RATE))


def test_silent_truth_is_no_figure(truth):
    silence = np.zeros_like(truth)
    for name in ("PHA", "MRSTFT", "ILDe", "IPDe", "ITDe"):
        assert np.isnan(DISTANCES[name](truth, silence)), name
    assert np.isnan(snr_db(truth, silence))
    high = np.sin(2 * np.pi * 8000 * np.arange(RATE) / RATE) * np.ones((2, 1))
    assert np.isnan(itd_error_us(high, high, RATE))  # no ITD to hear above 1.5 kHz


def test_si_sdr_against_the_closed_form():
    """An estimate a * truth + b * orthogonal has 20 log10(a |truth| / (b |orthogonal|))."""
    k = np.arange(4800)
    a, b = np.sin(2 * np.pi * 10 * k / 4800), np.cos(2 * np.pi * 10 * k / 4800)
    made = np.stack([a + 0.1 * b, 3 * a + 0.3 * b, a + b])
    assert si_sdr_db(made, np.stack([a, a, a])) == pytest.approx([20, 20, 0], abs=1e-9)
    assert si_sdr_db(a, a) == 100 and si_sdr_db(b, a) == -100
    assert si_sdr_db(0 * a, a) == -100
    assert np.isnan(si_sdr_db(a, 0 * a))
    stems = np.stack([a, b])
    assert si_sdr_improvement_db(stems + 0.1 * stems[::-1], stems, a + b) == pytest.approx([20, 20])
    assert si_sdr_improvement_db(np.stack([a + b, a + b]), stems, a + b) == pytest.approx([0, 0], abs=1e-9)
    with pytest.raises(InputError, match="must have"):
        si_sdr_db(a, stems)


def test_frechet_distance_against_the_closed_form():
    """Commuting covariances: |m1 - m2|^2 + sum (s1 - s2)^2."""
    rng = np.random.default_rng(0)
    s1, s2, apart = np.array([1.0, 2.0, 0.5]), np.array([2.0, 1.0, 0.5]), np.array([1.0, 0.0, -2.0])
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    a = rng.standard_normal((60000, 3)) * s1 @ turn
    b = (rng.standard_normal((60000, 3)) * s2 + apart) @ turn
    assert frechet_distance(a, b) == pytest.approx((apart**2).sum() + ((s1 - s2) ** 2).sum(), rel=0.02)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_of_few_vectors_is_finite_and_ordered():
    """Fewer vectors than dimensions: shrinkage keeps the covariances whole."""
    rng = np.random.default_rng(1)
    mix = rng.standard_normal((80, 80)) / 9
    a = rng.standard_normal((30, 80)) @ mix
    near, far = a + 0.05 * rng.standard_normal(a.shape), a + 1.0
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert 0 < frechet_distance(a, near) < frechet_distance(a, far)
    assert frechet_distance(a, far) == pytest.approx(80, rel=1e-6)  # the means are 1 apart in 80 dimensions
    assert 0 < shrinkage(a) < 1
    assert shrinkage(rng.standard_normal((50000, 4)) * [1, 2, 3, 4]) < 0.001  # many vectors need none
    for bad in (a[:1], a[:, :3], np.full_like(a, np.nan)):
        with pytest.raises(InputError):
            frechet_distance(a, bad)


def test_cue_vectors_tell_places_apart_and_leave_silence_out(truth):
    near = np.stack([truth[0], 0.6 * delayed(truth[0], 18)])
    centre = np.stack([truth[0], truth[0]])
    vectors = [cue_vectors(sound, RATE) for sound in (truth, near, centre, truth[::-1])]
    distances = [frechet_distance(vectors[0], other) for other in vectors]
    assert distances[0] < 1e-9
    assert distances[0] < distances[1] < distances[2] < distances[3]
    paused = truth.copy()
    paused[:, RATE // 2 :] = 0
    assert len(cue_vectors(paused, RATE)) < 0.6 * len(vectors[0])
    assert len(cue_vectors(0 * truth, RATE)) == 0


def test_intervals_of_a_mean():
    values = np.random.default_rng(0).normal(5, 2, 100)
    draws = resamples(100, seed=1)
    mean, low, high = mean_interval(values, draws)
    assert mean == pytest.approx(values.mean())
    # the normal approximation: 1.96 standard errors either side
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / 10, rel=0.1)
    assert mean_interval(values, resamples(100, seed=1)) == (mean, low, high)
    # paired: a constant offset between two systems has no spread at all
    assert mean_interval((values + 0.3) - values, draws) == pytest.approx((0.3, 0.3, 0.3))
    values[10:] = np.nan
    mean, low, high = mean_interval(values, draws)
    assert mean == pytest.approx(values[:10].mean()) and low < mean < high
    assert np.isnan(mean_interval(values[9:], resamples(91))[1:]).all()  # one item: no interval
    assert np.isnan(mean_interval(np.full(3, np.nan), resamples(3))).all()


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        (np.zeros((1, 100)), r"shape \(1, 100\)"),
        (np.zeros((2, 0)), r"shape \(2, 0\)"),
        (np.zeros((2, 99)), "99 samples but must have the 100"),
        (np.full((2, 100), np.nan), "NaN"),
    ],
)
def test_bad_input_is_one_line(estimate, said):
    for distance in [*DISTANCES.values(), snr_db, lambda y, x: aligned(y, x, RATE)]:
        with pytest.raises(InputError, match=said):
            distance(estimate, np.zeros((2, 100)))


def test_agreement_with_the_scoring_script(shared):
    """The same definitions, written twice: equal to 1e-3, on mono and on a system-like estimate."""
    import soundfile

    script = shared / "bench" / "mix_score.py"
    if not script.is_file():
        pytest.skip("no scoring script")
    spec = importlib.util.spec_from_file_location("mix_score", script)
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    ours = {name: DISTANCES[name] for name in ("STFT", "ENV", "WAV", "AMP", "PHA", "ILDe", "IPDe")}
    for item in ("001_k2", "005_k1"):
        x = soundfile.read(shared / "mix_dev" / item / "truth.flac")[0].T
        mono = soundfile.read(shared / "mix_dev" / item / "mono.flac")[0]
        blurred = 0.7 * delayed(x, 31) + 0.1 * mono
        for y in (np.stack([mono, mono]), blurred):
            expected = theirs.metrics(y.copy(), x.copy(), RATE)
            made = aligned(y, x, RATE)
            assert snr_db(made, x) == pytest.approx(expected["SNR"], rel=1e-3)
            for name, distance in ours.items():
                assert distance(made, x) == pytest.approx(expected[name], rel=1e-3), name
