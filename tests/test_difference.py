"""Ears that add up to the mono sound: how they relate is the render's."""

from __future__ import annotations

import numpy as np
import pytest

from foleyspace import load_hrirs
from foleyspace.metrics.interaural import ild_error_db, ipd_error_rad, itd_error_us
from foleyspace.renderer import render
from foleyspace.spatializer.difference import CHUNK, difference, difference_blocks, keep_sum
from foleyspace.types import Audio, Hrirs, Samples, Scene, Source

RATE = 48_000


@pytest.fixture(scope="module")
def kemar() -> Hrirs:
    return load_hrirs("mit_kemar")


def noise(seconds: float, seed: int = 0) -> Samples:
    return 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE)).astype(np.float32)


def moving(kemar: Hrirs, mono: Samples, start_deg: float, end_deg: float) -> Samples:
    """(2, n) of `mono` on the way round the listener."""
    seconds = len(mono) / RATE
    azimuth = np.radians(np.linspace(start_deg, end_deg, 17))
    xyz = 2 * np.stack((np.cos(azimuth), np.sin(azimuth), 0 * azimuth), axis=1)
    scene = Scene((Source("a", "a", np.linspace(0, seconds, 17), xyz),), seconds)
    return render([Audio(mono[None], RATE)], scene, kemar).samples


def error_db(made: Samples, true: Samples) -> float:
    return float(10 * np.log10(np.sum((made - true) ** 2) / np.sum(true**2)))


def test_the_difference_is_found_again_from_the_sum(kemar):
    """A binaural sound's own sum, sent to the same place: its difference comes back."""
    truth = moving(kemar, noise(3), 80, 60)
    total = truth.sum(axis=0)
    made = difference(total, moving(kemar, total, 80, 60))
    assert error_db(made, truth[0] - truth[1]) < -22


def test_the_ears_relate_as_in_the_render(kemar):
    mono = noise(2)
    rendered = moving(kemar, mono, 50, 70)
    kept = keep_sum(mono, difference(mono, rendered))
    assert np.abs(kept.sum(axis=0) - mono).max() < 1e-6
    assert ild_error_db(kept, rendered, RATE) < 0.6
    assert ipd_error_rad(kept, rendered, RATE) < 0.1
    assert itd_error_us(kept, rendered, RATE) < 25


def test_mirrored_render_mirrored_difference(kemar):
    mono = noise(1)
    left = moving(kemar, mono, 60, 60)
    assert np.allclose(difference(mono, left[::-1]), -difference(mono, left), atol=1e-7)


def test_in_front_there_is_hardly_a_difference_and_silence_stays_silent(kemar):
    mono = noise(1)
    assert error_db(difference(mono, moving(kemar, mono, 0, 0)) + mono, mono) < -20
    assert not difference(0 * mono, np.zeros((2, len(mono)), np.float32)).any()


@pytest.mark.parametrize("length", [1, 700, CHUNK + 5000])
def test_blocks_of_any_length_give_the_same(kemar, length):
    """Cut into odd blocks, across the seam of two chunks, and shorter than a window."""
    rng = np.random.default_rng(3)
    mono, stereo = noise(length / RATE), rng.standard_normal((2, length)).astype(np.float32)
    cuts = np.sort(rng.integers(0, length + 1, 5))
    pairs = zip(np.split(mono, cuts), np.split(stereo, cuts, axis=1), strict=True)
    pieces = np.concatenate(list(difference_blocks(pairs)))
    assert len(pieces) == length
    assert np.allclose(pieces, difference(mono, stereo), atol=1e-7)


def test_chunks_leave_no_seam():
    """The same sound, shifted by less than a chunk: cut elsewhere, the same result."""
    rng = np.random.default_rng(4)
    mono, stereo = noise(CHUNK * 1.5 / RATE), rng.standard_normal((2, CHUNK * 3 // 2)).astype(np.float32)
    late = 64 * 1024
    shifted = difference(np.pad(mono, (late, 0)), np.pad(stereo, ((0, 0), (late, 0))))
    assert np.allclose(shifted[late:], difference(mono, stereo), atol=1e-6)
