"""The localiser reads places out of renderings within its stated error, and sees what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from foleyspace.camera import angles_to_xyz
from foleyspace.errors import InputError
from foleyspace.hrir import load_hrirs
from foleyspace.metrics.direction import clip_sides_right, direction, places, side_of
from foleyspace.metrics.localizer import (
    azimuth_at,
    fit_at,
    lateral_deg,
    listen,
    make_localizer,
    wrapped_deg,
)
from foleyspace.renderer import render
from foleyspace.types import Audio, Scene, Source

RATE = 48000
SECONDS = 1.5


@pytest.fixture(scope="module")
def hrirs():
    return load_hrirs("mit_kemar")


@pytest.fixture(scope="module")
def localizer(hrirs):
    return make_localizer(hrirs)


def pink(seed: int = 0) -> np.ndarray:
    n = round(SECONDS * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n))
    sound = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.fft.rfftfreq(n, 1 / RATE), 30)), n)
    return (0.1 * sound / np.sqrt((sound**2).mean())).astype(np.float32)


def buzz(f0: float = 220) -> np.ndarray:
    """A harmonic tone, 19 partials."""
    t = np.arange(round(SECONDS * RATE)) / RATE
    return (0.05 * sum(np.sin(2 * np.pi * f0 * h * t + h * h) / h for h in range(1, 20))).astype(np.float32)


def source(id: str, azimuth, elevation=0.0, distance=2.0, **more) -> Source:
    azimuth = np.atleast_1d(np.asarray(azimuth, float))
    angles = np.stack([azimuth, np.full_like(azimuth, elevation)], axis=-1)
    times = np.linspace(0, SECONDS, len(azimuth)) if len(azimuth) > 1 else [0.0]
    return Source(id, id, times, angles_to_xyz(angles, np.full(len(azimuth), distance)), **more)


def rendered(sounds, sources, hrirs) -> tuple[np.ndarray, Scene]:
    scene = Scene(tuple(sources), SECONDS)
    return render([Audio(s, RATE) for s in sounds], scene, hrirs).samples, scene


@pytest.mark.parametrize("sound", [pink(), buzz()], ids=["noise", "tone"])
@pytest.mark.parametrize("elevation", [0.0, 22.0])
def test_the_localiser_reads_still_sources_within_three_degrees(sound, elevation, hrirs, localizer):
    for azimuth in (25, -40, 75, 118, -155):
        samples, _ = rendered([sound], [source("a", azimuth, elevation)], hrirs)
        heard = listen(localizer, samples, RATE)
        found = azimuth_at(localizer, heard, np.full(len(heard.times), elevation))
        assert np.abs(wrapped_deg(found - azimuth)).max() < 3, azimuth
        at = np.full(len(heard.times), float(azimuth))
        assert (
            fit_at(localizer, heard, at, np.full(len(at), elevation)).min() > 0.95
        )  # linear between the grid's elevations


def test_noise_from_everywhere_fits_no_place(localizer):
    ears = np.stack([pink(1), pink(2)])
    assert listen(localizer, ears, RATE).fit.max() < 0.9


def test_a_moving_source_has_all_moments_and_is_followed(hrirs, localizer):
    samples, scene = rendered([pink()], [source("a", np.linspace(70, -70, 30))], hrirs)
    heard = listen(localizer, samples, RATE)
    where = places(scene, localizer, heard)
    assert where.has.all()
    read = direction(localizer, heard, where)
    assert read.azimuth_error_deg[0] < 2
    assert read.front_back[0] < 0.05
    assert read.side[0] > 0.9
    assert clip_sides_right(read.side) == 1
    assert read.azimuth_deg[0] > 60 and read.azimuth_deg[-1] < -60


@pytest.mark.parametrize("with_stems", [True, False])
def test_what_is_wrong_is_seen(with_stems, hrirs, localizer):
    """Two sources, one after the other: read rightly; ears swapped, mono and places swapped are wrong by what
    was done to them."""
    first, second = pink(), buzz()
    n = len(first)
    first[n // 2 :] *= 0.01
    second[: n // 2] *= 0.01
    sources = [source("a", 50), source("b", -30)]
    samples, scene = rendered([first, second], sources, hrirs)
    heard = listen(localizer, samples, RATE)
    where = places(scene, localizer, heard, np.stack([first, second]) if with_stems else None)
    half = where.times < SECONDS / 2
    assert where.has[0, half].mean() > 0.7 and where.has[1, ~half].mean() > 0.7
    assert not where.has[0, where.times > 0.6 * SECONDS].any()
    own = direction(localizer, heard, where)
    assert (own.azimuth_error_deg < 3).all() and clip_sides_right(own.side) == 1

    ears_swapped = direction(localizer, listen(localizer, samples[::-1], RATE), where)
    assert ears_swapped.azimuth_error_deg == pytest.approx([100, 60], abs=5)
    assert clip_sides_right(ears_swapped.side) == 0

    mono = np.stack([first + second] * 2)
    centred = direction(localizer, listen(localizer, mono, RATE), where)
    assert centred.azimuth_error_deg == pytest.approx([50, 30], abs=3)
    assert (centred.side < 0.05).all()

    wrong, _ = rendered([second, first], sources, hrirs)
    assert direction(localizer, listen(localizer, wrong, RATE), where).azimuth_error_deg == pytest.approx(
        [80, 80], abs=5
    )


def test_front_back_confusions_are_counted_and_folded(hrirs, localizer):
    samples, _ = rendered([pink()], [source("a", 140)], hrirs)
    heard = listen(localizer, samples, RATE)
    in_front = Scene((source("a", 40),), SECONDS)
    read = direction(localizer, heard, places(in_front, localizer, heard))
    assert read.front_back[0] > 0.95
    assert read.azimuth_error_deg[0] < 3
    ahead = Scene((source("a", 10),), SECONDS)  # front and back are alike near the median plane: not counted
    assert np.isnan(direction(localizer, heard, places(ahead, localizer, heard)).front_back[0])


def test_nobody_has_silence_nor_a_source_that_the_scene_silences(hrirs, localizer):
    sound = pink()
    sound[len(sound) // 2 :] = 0
    samples, scene = rendered([sound], [source("a", 20)], hrirs)
    heard = listen(localizer, samples, RATE)
    where = places(scene, localizer, heard)
    assert where.has[0, 0] and not where.has[0, where.times > 0.6 * SECONDS].any()
    gone = Scene((source("a", 20, gain_db=[-100.0]),), SECONDS)
    read = direction(localizer, heard, places(gone, localizer, heard))
    assert np.isnan(read.azimuth_error_deg).all() and np.isnan(read.azimuth_deg).all()
    assert np.isnan(clip_sides_right(read.side))
    nothing = places(scene, localizer, listen(localizer, np.zeros((2, RATE)), RATE))
    assert not nothing.has.any()


def test_sides():
    assert side_of(np.array([-90.0, -16, -15, 0, 15, 16, 90])).tolist() == [-1, -1, 0, 0, 0, 1, 1]
    assert lateral_deg(np.array([30.0, 150, -90, 90]), np.array([0.0, 0, 0, 60])) == pytest.approx(
        [30, 30, -90, 30]
    )
    assert clip_sides_right(np.array([1.0, 0.4])) == 0
    assert wrapped_deg(np.array([190.0, -190, 540])) == pytest.approx([-170, 170, -180])


def test_bad_input_is_one_line(hrirs, localizer):
    with pytest.raises(InputError, match="must be the localiser's 48000 Hz"):
        listen(localizer, np.zeros((2, 4096)), 44100)
    with pytest.raises(InputError, match=r"must be \(2, n\)"):
        listen(localizer, np.zeros(4096), RATE)
    samples, scene = rendered([pink(), buzz()], [source("a", 10), source("b", 60)], hrirs)
    with pytest.raises(InputError, match="3 sounds but must hold 2"):
        places(scene, localizer, listen(localizer, samples, RATE), np.zeros((3, 100)))
    assert len(listen(localizer, np.zeros((2, 100)), RATE).times) == 1  # shorter than a window: one moment
