"""The embedded sets: the measurement is the measurement, the computed head obeys physics."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.special import eval_legendre, spherical_jn, spherical_yn

from foleyspace import spherical_head as model
from foleyspace.errors import InputError
from foleyspace.hrtf import resolve_hrtf
from foleyspace.sofa import read_sofa
from foleyspace.sofa_ears import interaural_delay_us

ROOT = Path(__file__).resolve().parent.parent
RADIUS_S = model.HEAD_RADIUS_M / model.SPEED_OF_SOUND


@pytest.fixture(scope="module")
def kemar():
    return read_sofa(resolve_hrtf("mit_kemar"))


@pytest.fixture(scope="module")
def sphere():
    return read_sofa(resolve_hrtf("spherical_head"))


def mirrored(raw):
    """For each direction, the index of its mirror image in the median plane."""
    mirror = raw.xyz * [1, -1, 1]
    index = np.array([np.argmin(((raw.xyz - one) ** 2).sum(axis=1)) for one in mirror])
    assert np.abs(raw.xyz[index] - mirror).max() < 1e-9
    return index


# ---------------------------------------------------------------- mit_kemar


def test_kemar_is_the_measurement(kemar, shared):
    original = read_sofa(shared / "hrir" / "MIT_KEMAR_normal_pinna.sofa", isolated=False)
    np.testing.assert_array_equal(kemar.ir, original.ir)
    np.testing.assert_allclose(kemar.xyz, original.xyz, atol=1e-9)
    assert kemar.rate == original.rate == 44_100


def test_kemar_holds_all_710_directions(kemar):
    assert kemar.ir.shape == (710, 2, 512)
    elevation_deg = np.degrees(np.arcsin(kemar.xyz[:, 2] / 1.4))
    rings, counts = np.unique(np.round(elevation_deg), return_counts=True)
    np.testing.assert_array_equal(rings, np.arange(-40, 91, 10))
    # Gardner & Martin 1994, table 1
    np.testing.assert_array_equal(counts, [56, 60, 72, 72, 72, 72, 72, 60, 56, 45, 36, 24, 12, 1])
    np.testing.assert_array_equal(kemar.ir * 32768, np.round(kemar.ir * 32768))


def test_kemar_is_cited(kemar):
    text = (ROOT / "hrir_data" / "README.md").read_text()
    assert "Copyright 1994 by the MIT Media Laboratory" in kemar.licence
    assert "Gardner, W. G., & Martin, K. D. (1994)" in text
    assert "provided the authors are cited" in " ".join(text.replace(">", " ").split())


@pytest.mark.parametrize("name", ["mit_kemar", "spherical_head"])
def test_files_are_small(name):
    assert resolve_hrtf(name).stat().st_size < 2e6


@pytest.mark.parametrize("name", ["mit_kemar", "spherical_head"])
def test_sofar_finds_no_fault(name):
    import sofar

    sofar.read_sofa(str(resolve_hrtf(name)), verify=True, verbose=False)


@pytest.fixture(scope="module")
def script():
    path = ROOT / "scripts" / "build_hrir_data.py"
    if not path.is_file():
        pytest.skip("no scripts beside the tests")
    spec = importlib.util.spec_from_file_location("build_hrir_data", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["mit_kemar", "spherical_head"])
def test_the_script_rebuilds_what_is_in_the_tree(script, name, capsys):
    if name == "mit_kemar" and importlib.util.find_spec("slab") is None:
        pytest.skip("the package slab, which carries the measurement, is not installed")
    assert script.main(["--check", "--only", name]) == 0
    assert f"{name}.sofa: same" in capsys.readouterr().out


def test_the_check_notices_a_change(script, tmp_path):
    fields = script.spherical_head_fields()
    fields |= {key: fields[key][300:340] for key in ("Data_IR", "SourcePosition")}
    path = tmp_path / "x.sofa"
    assert not script.same(fields, path)
    script.write(fields, path)
    assert script.same(fields, path)
    assert list(tmp_path.iterdir()) == [path]
    fields["Data_IR"] = fields["Data_IR"].copy()
    fields["Data_IR"][10, 1, 60] += 1e-4
    assert not script.same(fields, path)


# ---------------------------------------------------------------- the sphere's series


def direct_series(frequency_hz: float, incidence_deg: float, distance_m: float, orders: int) -> complex:
    """Duda & Martens (1998) eq. 3 term by term with scipy's Bessel functions."""
    mu = 2 * np.pi * frequency_hz * RADIUS_S
    rho = distance_m / model.HEAD_RADIUS_M
    total = 0j
    for m in range(orders):
        outgoing = spherical_jn(m, mu * rho) + 1j * spherical_yn(m, mu * rho)
        slope = spherical_jn(m, mu, True) + 1j * spherical_yn(m, mu, True)
        total += (2 * m + 1) * eval_legendre(m, np.cos(np.radians(incidence_deg))) * outgoing / slope
    return np.conj(-rho / mu * np.exp(-1j * mu * rho) * total)


@pytest.mark.parametrize("distance_m", [0.2, 1.4, 10.0])
@pytest.mark.parametrize("frequency_hz", [500.0, 3000.0, 12000.0])
def test_series_equals_the_direct_sum(frequency_hz, distance_m):
    angles_deg = np.array([0, 37, 90, 150, 180])
    got = model.sphere_response(frequency_hz, angles_deg, distance_m)[:, 0]
    want = [direct_series(frequency_hz, angle, distance_m, 45) for angle in angles_deg]
    np.testing.assert_allclose(got, want, atol=1e-8)


def test_series_at_zero_frequency_is_the_static_solution():
    """Laplace: sum (2m+1)/(m+1) rho^-m P_m(cos)."""
    rho, angles_deg, m = 4.0, np.array([0, 60, 120, 180]), np.arange(60)
    series = (2 * m + 1) / (m + 1) * rho**-m
    want = (series * eval_legendre(m, np.cos(np.radians(angles_deg))[:, None])).sum(axis=1)
    got = model.sphere_response(0.0, angles_deg, rho * model.HEAD_RADIUS_M)[:, 0]
    np.testing.assert_allclose(got, want, atol=1e-4)


def test_sphere_doubles_pressure_in_front_and_has_a_bright_spot_behind():
    gain_db = 20 * np.log10(np.abs(model.sphere_response([50.0, 12_000.0], [0, 150, 180], 50.0)))
    np.testing.assert_allclose(gain_db[:, 0], 0, atol=0.1)  # long waves do not see the head
    assert 5.5 < gain_db[0, 1] < 6.2  # a wall
    assert gain_db[1, 1] < -8  # shadow
    assert gain_db[2, 1] > gain_db[1, 1] + 6  # Poisson's spot


def test_a_near_source_has_more_level_difference():
    ild_db = []
    for distance_m in (0.15, 0.5, 5.0):
        near, far = 20 * np.log10(np.abs(model.sphere_response(200.0, [10, 170], distance_m)))[:, 0]
        ild_db.append(near - far)
    assert ild_db[0] > 10 > ild_db[1] > 2 > ild_db[2] > 0


def test_a_source_in_the_head_is_refused():
    with pytest.raises(InputError, match="distance_m"):
        model.sphere_response(1000.0, 0.0, 0.08)


# ---------------------------------------------------------------- the computed head


def woodworth_us(azimuth_deg: float) -> float:
    """Geometric delay between the ears: straight to the near side, along the surface beyond 90 degrees."""

    def arrival(incidence_deg: float) -> float:
        angle = np.radians(incidence_deg)
        return -np.cos(angle) if incidence_deg <= 90 else angle - np.pi / 2

    apart = [abs((azimuth_deg - ear + 180) % 360 - 180) for ear in (100, -100)]
    return RADIUS_S * 1e6 * (arrival(apart[1]) - arrival(apart[0]))


@pytest.mark.parametrize("azimuth_deg", [15, 30, 45, 60, 75, 90, 120, 150])
def test_itd_tends_to_woodworths_at_high_frequencies(azimuth_deg):
    """Creeping waves are slower than c by a term that goes as frequency^(-2/3): 5 % from 20 kHz on, less
    beyond; at low frequencies the delay is 1.5 times the geometric one's sine law (Kuhn 1977)."""
    apart = [abs((azimuth_deg - ear + 180) % 360 - 180) for ear in (100, -100)]
    frequency_hz = np.arange(25.0, 90_000, 25)
    left, right = model.sphere_response(frequency_hz, apart, 100.0)
    delay_us = np.unwrap(np.angle(left * np.conj(right))) / (2 * np.pi * frequency_hz) * 1e6

    def error(low_hz: float, high_hz: float) -> float:
        band = (frequency_hz > low_hz) & (frequency_hz < high_hz)
        return abs(delay_us[band].mean() / woodworth_us(azimuth_deg) - 1)

    assert error(20e3, 40e3) < 0.05
    assert error(60e3, 90e3) < error(10e3, 20e3)
    sines = np.cos(np.radians(apart[0])) - np.cos(np.radians(apart[1]))
    assert delay_us[:4].mean() == pytest.approx(1.5 * sines * RADIUS_S * 1e6, rel=0.01)


def test_itd_at_the_side(sphere):
    left = sphere.nearest(azimuth_deg=90)
    itd_us = interaural_delay_us(sphere.ir[[left]], sphere.delay[[left]], sphere.rate)[0]
    assert 600 < itd_us < 750


def test_ild_grows_with_frequency(sphere):
    """At +90 degrees, in octaves; the static solution has 1.6 dB at this distance."""
    left = sphere.nearest(azimuth_deg=90)
    spectrum = np.abs(np.fft.rfft(sphere.ir[left], 4096)) ** 2
    frequency_hz = np.fft.rfftfreq(4096, 1 / sphere.rate)
    ild_db = []
    for low_hz in (100, 400, 1600, 6400):
        octaves = (frequency_hz >= low_hz) & (frequency_hz < 2 * low_hz)
        ild_db.append(10 * np.log10(spectrum[0, octaves].sum() / spectrum[1, octaves].sum()))
    assert 0 < ild_db[0] < 2.5
    assert ild_db[0] < ild_db[1] < ild_db[2] < ild_db[3]
    assert 10 < ild_db[3] < 30


@pytest.mark.parametrize("name", ["kemar", "sphere"])
def test_left_and_right_are_mirror_images(name, request):
    """Exactly: both ears of the KEMAR file are one measured ear."""
    raw = request.getfixturevalue(name)
    np.testing.assert_array_equal(raw.ir[mirrored(raw)][:, ::-1], raw.ir)


def test_front_differs_from_back_and_up_from_down(sphere):
    front, back = (sphere.ir[sphere.nearest(azimuth)] for azimuth in (0, 180))
    up, down = (sphere.ir[sphere.nearest(0, elevation)] for elevation in (45, -45))
    for one, other in ((front, back), (up, down)):
        assert np.linalg.norm(one - other) > 0.2 * np.linalg.norm(one)


def test_grid_covers_the_sphere(sphere):
    assert len(sphere.ir) <= 1000
    rng = np.random.default_rng(0)
    anywhere = rng.normal(size=(2000, 3))
    anywhere /= np.linalg.norm(anywhere, axis=1)[:, None]
    unit = sphere.xyz / np.linalg.norm(sphere.xyz, axis=1)[:, None]
    away_deg = np.degrees(np.arccos(np.clip((anywhere @ unit.T).max(axis=1), -1, 1)))
    assert away_deg.max() < model.RING_DEG * 0.85


def test_responses_fit_their_window(sphere):
    """What comes before the sound, and what is cut at the end, is below -60 dB of the peak."""
    peak = np.abs(sphere.ir).max(axis=2)
    assert (np.abs(sphere.ir[:, :, :8]).max(axis=2) < 1e-2 * peak).all()
    assert (np.abs(sphere.ir[:, :, -32:]).max(axis=2) < 1e-3 * peak).all()


@pytest.mark.parametrize("circle", ["horizontal", "median", "frontal", "below"])
def test_the_head_changes_smoothly_with_direction(circle):
    """No jumps: a step four times as small changes the response four times less."""

    def largest_change(step_deg: float) -> float:
        t = np.radians(np.arange(0, 360, step_deg))
        cosine, sine, zero = np.cos(t), np.sin(t), np.zeros_like(t)
        xyz = {
            "horizontal": (cosine, sine, zero),
            "median": (cosine, zero, sine),
            "frontal": (zero, cosine, sine),
            "below": (0.7 * cosine, 0.7 * sine, zero - 0.7),
        }[circle]
        ir = model.head_hrir(1.4 * np.stack(xyz, axis=1))
        change = np.linalg.norm(ir - np.roll(ir, 1, axis=0), axis=2) / np.linalg.norm(ir, axis=2)
        return float(change.max())

    assert largest_change(0.5) < 0.35 * largest_change(2.0)


def test_the_torso_echo_obeys_fermat():
    """Its delay is the shortest way over the torso's visible, lit surface, found by trying points."""
    ear = model.ears_xyz()[0]
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(200_000, 3))
    normal /= np.linalg.norm(normal, axis=1)[:, None]
    path = ear - (normal * model.TORSO_RADIUS_M - [0, 0, model.TORSO_BELOW_M])
    length = np.linalg.norm(path, axis=1)
    for source in np.array([[0, 0, 1], [0, 1, 0], [0.7, 0.7, 0.14], [0, -0.8, 0.6]], np.float64):
        source /= np.linalg.norm(source)
        visible = ((path * normal).sum(axis=1) > 0) & (normal @ source > 0)
        shortest_s = ((path @ source + length) / model.SPEED_OF_SOUND)[visible].min()
        echo = model.torso_response(np.array([9900.0, 10_000.0]), 1.4 * source[None], ear)[0] - 1
        delay_s = -np.angle(echo[1] / echo[0]) / (2 * np.pi * 100)
        assert delay_s == pytest.approx(shortest_s, rel=5e-3)
        assert 0.05 < abs(echo[0]) <= model.TORSO_GAIN
    below = model.torso_response(np.array([10_000.0]), np.array([[0.0, 0.0, -1.0]]), ear)
    assert abs(below[0, 0] - 1) < 1e-6


def test_other_rates_hold_the_same_head():
    """48 and 96 kHz agree where both have bandwidth."""
    xyz = np.array([[0.9, 0.8, 0.4]])
    low, high = model.head_hrir(xyz, 48_000, 256), model.head_hrir(xyz, 96_000, 512)
    frequency = slice(1, 75)  # up to 14 kHz, below the roll-off of the lower rate
    np.testing.assert_allclose(
        np.fft.rfft(low, 256)[..., frequency], np.fft.rfft(high, 512)[..., frequency], atol=0.02
    )
