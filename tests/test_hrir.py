"""HRIR sets: what `load_hrirs` keeps of a measurement, and what comes back between measured directions."""

from __future__ import annotations

import numpy as np
import pytest

from foleyspace.errors import InputError
from foleyspace.hrir import (
    even_directions,
    load_hrirs,
    minimum_phase,
    onset_hrirs,
    onset_samples,
    pink_power,
    prepare_hrirs,
    resample_irs,
    sphere_weights,
)
from foleyspace.hrtf import resolve_hrtf
from foleyspace.interpolation import HrirField, interpolate_hrirs
from foleyspace.sofa import read_sofa
from foleyspace.sphere import SphereMesh, unit_vectors
from foleyspace.spherical_head import sphere_delay
from foleyspace.types import Hrirs

RATE = 48000


def power_db(values) -> float:
    return float(10 * np.log10(np.sum(np.square(values, dtype=float)) + 1e-300))


@pytest.fixture(scope="module")
def raw():
    return read_sofa(resolve_hrtf("mit_kemar"))


@pytest.fixture(scope="module")
def hrirs(raw):
    return prepare_hrirs(raw)


@pytest.fixture(scope="module")
def measured(raw):
    """The measured responses in float64 at 48 kHz, by themselves."""
    return resample_irs(raw.ir, raw.rate, RATE)


def delayed(hrirs: Hrirs, n: int = 2048):
    turn = -2j * np.pi * np.fft.rfftfreq(n) * hrirs.delay[..., None]
    return np.fft.irfft(np.fft.rfft(hrirs.ir.astype(float), n) * np.exp(turn), n)


def test_ir_delayed_by_delay_is_the_measured_response(hrirs, measured):
    """Within -68 dB of each direction, up to one gain and one whole-sample lag for the set."""
    n = 2048
    ours, theirs = delayed(hrirs, n), np.pad(measured, ((0, 0), (0, 0), (0, n - measured.shape[-1])))
    match = np.fft.irfft((np.fft.rfft(ours) * np.fft.rfft(theirs).conj()).sum(axis=(0, 1)), n)
    aligned = np.roll(theirs, int(match.argmax()), axis=-1)
    gain = (ours * aligned).sum() / (aligned**2).sum()
    error = ((ours - gain * aligned) ** 2).sum(axis=(1, 2)) / (ours**2).sum(axis=(1, 2))
    assert 10 * np.log10(error.max()) < -66


def test_average_direction_keeps_the_loudness(hrirs):
    assert pink_power(hrirs.ir.astype(float), hrirs.xyz, RATE) == pytest.approx(1, rel=0.01)


def test_delays_are_those_of_a_head(hrirs):
    """Left ear leads for a source on the left, by what a head of 8-9 cm radius gives; none in the middle."""
    direction = unit_vectors(hrirs.xyz)
    itd_us = (hrirs.delay[:, 1] - hrirs.delay[:, 0]) / RATE * 1e6
    assert 600 < itd_us[np.argmax(direction @ [0, 1, 0])] < 750
    assert -750 < itd_us[np.argmax(direction @ [0, -1, 0])] < -600
    assert abs(itd_us[np.argmax(direction @ [1, 0, 0])]) < 20
    assert 0 <= hrirs.delay.min() < 1


def test_resampling_keeps_delay_and_level():
    """A band-limited pulse at 44.1 kHz is the same pulse at 48 kHz, at the same time."""
    t_in, t_out = np.arange(256) / 44100, np.arange(279) / 48000
    centre = 0.0021

    def pulse(t, width=5e-5):
        return np.exp(-(((t - centre) / width) ** 2))

    ir = np.tile(pulse(t_in), (3, 2, 1))
    out = resample_irs(ir, 44100, 48000)[..., :279]
    # samples of a response stand for its integral: a higher rate has more of them
    assert np.abs(out - pulse(t_out) * 44100 / 48000).max() < 1e-4
    assert resample_irs(ir, 44100, 44100) is not None


@pytest.mark.parametrize("rate", [44101, 47999])
def test_rates_that_hardly_ever_meet_cost_no_more_memory(rate):
    """A file may state any rate; responses end to end on a common grid would be seconds long each."""
    import tracemalloc

    def pulse(t):
        return np.exp(-(((t - 0.0021) / 5e-5) ** 2))

    ir = np.tile(pulse(np.arange(256) / rate), (700, 2, 1))
    tracemalloc.start()
    out = resample_irs(ir, rate, 48000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.abs(out - pulse(np.arange(out.shape[-1]) / 48000) * rate / 48000).max() < 1e-4
    assert peak < 12 * out.nbytes


@pytest.mark.parametrize("shift", [10.0, 12.25, 17.5])
def test_onset_follows_a_fractional_delay(shift):
    """A known delay of a minimum-phase response is found within 1 us."""
    n = 1024
    f = np.fft.rfftfreq(n, 1 / RATE)
    smooth = -np.log1p((f / 6000) ** 2) + 0.3 * np.sin(f / 1500)
    response = np.fft.irfft(minimum_phase(smooth) * np.exp(-2j * np.pi * f / RATE * shift), n)[:256]
    ir = np.tile(response, (4, 2, 1))
    assert np.abs(onset_samples(ir, RATE) - shift).max() / RATE < 1e-6


@pytest.mark.parametrize("later", [(7.25, 31.5), (12.0, 12.0)])
def test_onset_hrirs_are_delayed_until_the_response_begins(later):
    """A response that rises over ten samples begins where it comes to a fifth of its peak."""
    t = np.arange(200)
    ir = np.array([[np.interp(t - d - 20, [0, 10, 20], [0, 1, 0]) for d in later]], np.float32)
    xyz = np.array([[0.0, 1.0, 0.0]])
    begun = onset_hrirs(Hrirs(ir, np.array([[0.0, 3.0]]), xyz, RATE, "ramps"))
    expected = np.array(later) + 20 + 2 + [0, 3]  # a fifth of a ramp of ten samples
    assert np.abs(begun.delay - expected).max() < 0.3


def test_minimum_phase_keeps_magnitude_and_has_least_delay():
    rng = np.random.default_rng(0)
    f = np.linspace(0, 1, 513)
    log_mag = np.cumsum(rng.standard_normal(513)) * 0.02 - f
    spectrum = minimum_phase(log_mag)
    assert np.allclose(np.log(np.abs(spectrum)), log_mag, atol=1e-9)
    energy = np.cumsum(np.fft.irfft(spectrum) ** 2)
    turned = np.fft.irfft(np.exp(log_mag) * np.exp(1j * rng.uniform(-3, 3, 513)))
    assert (energy[:500] >= np.cumsum(turned**2)[:500] - 1e-9).all()


def test_weights_are_exact_at_measurements_and_reproduce_straight_lines(hrirs):
    mesh = SphereMesh(hrirs.xyz)
    at = mesh.weights(hrirs.xyz).toarray()
    assert np.abs(at - np.eye(len(at))).max() < 1e-9
    directions = even_directions(500)
    weights = mesh.weights(directions)
    assert np.abs(weights.sum(axis=1) - 1).max() < 1e-12
    assert weights.data.min() >= 0
    # the weighted mean of the corners lies in the direction asked for
    back = unit_vectors(weights @ unit_vectors(hrirs.xyz))
    assert np.degrees(np.arccos(np.clip((back * directions).sum(axis=1), -1, 1))).max() < 1.5


def test_weights_are_continuous_over_faces_seam_and_pole(hrirs):
    mesh = SphereMesh(hrirs.xyz)
    rng = np.random.default_rng(1)
    start = unit_vectors(np.concatenate([rng.standard_normal((200, 3)), [[-1, 1e-9, 0], [1e-9, 0, 1]]]))
    near = unit_vectors(start + 1e-5 * rng.standard_normal(start.shape))
    assert np.abs((mesh.weights(start) - mesh.weights(near)).toarray()).max() < 2e-3


def test_weights_of_a_mirrored_grid_are_mirrored(hrirs):
    mirror = np.array([1, -1, 1])
    weights = SphereMesh(hrirs.xyz).weights(even_directions(300))
    mirrored = SphereMesh(hrirs.xyz * mirror).weights(even_directions(300) * mirror)
    assert np.abs((weights - mirrored).toarray()).max() < 1e-6


@pytest.mark.parametrize(
    "xyz",
    [
        np.stack([np.cos(a := np.radians(np.arange(0, 360, 15))), np.sin(a), 0 * a], axis=1),
        unit_vectors(np.array([[1, 0, 0.1], [0, 1, 0.1], [-1, 0, 0.1], [0, -1, 0.1], [0, 0, 1]])),
        even_directions(400)[even_directions(400)[:, 2] > -0.4],
        np.array([[1.0, 0, 0], [0, 1, 0], [0, -1, 0], [-1, 0, 0]]),
    ],
    ids=["horizontal plane", "upper half", "no bottom", "four"],
)
def test_incomplete_spheres_are_filled(xyz):
    mesh = SphereMesh(xyz)
    weights = mesh.weights(np.concatenate([even_directions(300), [[0, 0, -1.0], [0, 0, 1.0]]]))
    assert np.isfinite(weights.data).all()
    assert np.abs(weights.sum(axis=1) - 1).max() < 1e-12
    assert np.abs(mesh.weights(xyz).toarray() - np.eye(len(xyz))).max() < 1e-9
    assert sphere_weights(xyz).sum() == pytest.approx(1)


def test_a_measured_direction_comes_back(hrirs):
    n = 4096
    some = np.random.default_rng(2).integers(0, len(hrirs.ir), 20)
    got = interpolate_hrirs(hrirs, hrirs.xyz[some])
    field = HrirField(hrirs)
    want = np.roll(delayed(hrirs, n), 16 - field.advance, axis=-1)[some][..., : got.shape[-1]]
    error = ((got - want) ** 2).sum(axis=(1, 2)) / (want**2).sum(axis=(1, 2))
    assert 10 * np.log10(error.max()) < -66


def test_a_hidden_direction_of_a_10_degree_grid_comes_back(hrirs):
    """Odd multiples of 5 degrees azimuth, -20..20 degrees elevation, from the even ones: within 1.5 dB
    log-spectral distance (200 Hz - 16 kHz) and 5 us of interaural time, and better than the nearest."""
    direction = unit_vectors(hrirs.xyz)
    elevation = np.degrees(np.arcsin(direction[:, 2])).round(2)
    azimuth = np.degrees(np.arctan2(direction[:, 1], direction[:, 0])).round(2) % 360
    hidden = np.flatnonzero(np.isin(elevation, [-20, -10, 0, 10, 20]) & (azimuth % 10 == 5))
    assert len(hidden) == 180
    keep = np.setdiff1d(np.arange(len(azimuth)), hidden)
    field = HrirField(Hrirs(hrirs.ir[keep], hrirs.delay[keep], hrirs.xyz[keep], RATE, "thinned"))
    hidden = hidden[::3]
    spectra, delay = field.exact(hrirs.xyz[hidden][:, None])
    f = np.fft.rfftfreq(field.n, 1 / RATE)
    band = (f > 200) & (f < 16000)

    def db(spectrum):
        return 20 * np.log10(np.abs(spectrum[..., band]))

    truth = db(np.fft.rfft(hrirs.ir[hidden], field.n))
    nearest = keep[np.argmax(direction[hidden] @ direction[keep].T, axis=1)]
    distance = np.sqrt(np.square(db(spectra) - truth).mean(axis=-1)).mean()
    to_nearest = np.sqrt(np.square(db(np.fft.rfft(hrirs.ir[nearest], field.n)) - truth).mean(axis=-1)).mean()
    itd_us = np.diff(delay - hrirs.delay[hidden]) / RATE * 1e6
    assert distance < 1.5
    assert distance < 0.7 * to_nearest
    assert np.abs(itd_us).mean() < 5


def test_delay_keeps_its_ridge_at_the_side():
    """Two directions 15 degrees either side of the ear axis: between them the interaural delay of a sphere
    is longer than at both, which straight lines would miss by 67 us."""
    degrees = np.radians(np.arange(0, 360, 30) + 15)
    level = np.stack([np.cos(degrees), np.sin(degrees), 0 * degrees], axis=1)
    xyz = np.concatenate([level, [[0, 0, 1], [0, 0, -1]]])
    radius = 0.09 / 343 * RATE
    ir = np.zeros((len(xyz), 2, 64), np.float32)
    ir[..., 8] = 1
    field = HrirField(Hrirs(ir, 20 + radius * sphere_delay(xyz), xyz, RATE, "sphere"))
    side = np.array([[0.0, 1.0, 0.0]])
    itd_us = {}
    itd_us["exact"] = np.diff(field.exact(side[:, None])[1])[0, 0] / RATE * 1e6
    itd_us["nodes"] = np.diff(field.nodes(side[:, None])[2])[0, 0] / RATE * 1e6
    expected = 0.09 / 343 * (np.pi / 2 + 1) * 1e6
    assert abs(itd_us["exact"] - expected) < 0.01
    assert abs(itd_us["nodes"] - expected) < 0.01


def test_no_long_pre_echo_between_directions(hrirs):
    """Between measurements the energy earlier than 1 ms before the onset stays far down."""
    got = interpolate_hrirs(hrirs, even_directions(100))
    energy = np.cumsum(np.square(got), axis=-1) / np.square(got).sum(axis=-1, keepdims=True)
    assert np.isfinite(got).all()
    # time 0 of the result is the set's earliest sound
    assert 10 * np.log10(np.median(energy[..., 2])) < -20


@pytest.mark.parametrize("name", ["mit_kemar", "spherical_head"])
@pytest.mark.parametrize("rate", [44100, 48000, 16000])
def test_embedded_sets_load_at_any_rate(name, rate):
    hrirs = load_hrirs(name, rate)
    assert hrirs.rate == rate
    assert hrirs.ir.dtype == np.float32
    itd = (hrirs.delay[:, 1] - hrirs.delay[:, 0]) / rate
    assert 550e-6 < itd.max() < 850e-6


def test_bad_rate_and_name_are_input_errors():
    with pytest.raises(InputError, match="`rate` is 0 but must be"):
        load_hrirs(rate=0)
    with pytest.raises(InputError, match="no_such_set"):
        load_hrirs("no_such_set")


@pytest.mark.slow
def test_databases_come_out_alike(shared):
    """Levels differ by 25 dB between databases and so do formats; loaded they are alike."""
    for name in ["CIPIC_subject_003", "LISTEN_IRC_1003_C", "ARI_nh898", "SADIE_Subject_002_KU100_DFC"]:
        hrirs = load_hrirs(shared / "hrir" / f"{name}.sofa")
        assert abs(10 * np.log10(pink_power(hrirs.ir.astype(float), hrirs.xyz, RATE))) < 0.2
        itd_us = (hrirs.delay[:, 1] - hrirs.delay[:, 0]) / RATE * 1e6
        assert 550 < np.percentile(itd_us, 99) < 850
        assert -850 < np.percentile(itd_us, 1) < -550
