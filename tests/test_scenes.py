"""Random paths: each motion is what its name says, and together they cover what sources do around a listener."""

from __future__ import annotations

import numpy as np
import pytest

from foleyspace.camera import xyz_to_angles
from foleyspace.spatializer.scenes import FARTHEST_M, MOTIONS, NEAREST_M, draw_path

TIMES = np.linspace(0, 6, 61)


def paths(motion: str, number: int = 400) -> np.ndarray:
    return np.stack([draw_path(motion, TIMES, np.random.default_rng((3, i))) for i in range(number)])


def angles(motion: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Azimuth (degrees), elevation (degrees), distance (m), each (number, times)."""
    return xyz_to_angles(paths(motion))


@pytest.mark.parametrize("motion", MOTIONS)
def test_every_path_stays_within_reach(motion):
    distance = angles(motion)[2]
    assert np.isfinite(distance).all()
    assert distance.min() >= NEAREST_M - 1e-6
    assert distance.max() <= FARTHEST_M + 1e-6


@pytest.mark.parametrize("motion", MOTIONS)
def test_left_and_right_are_balanced(motion):
    """Of 400 paths half begin on either side, within four standard deviations."""
    left = (paths(motion)[:, 0, 1] > 0).mean()
    assert abs(left - 0.5) < 4 * 0.5 / np.sqrt(400)


def test_static_rests_in_front():
    xyz = paths("static")
    assert np.ptp(xyz, axis=1).max() == 0
    assert (xyz[..., 0] >= -1e-9).all()


def test_passing_is_a_straight_line_at_a_steady_speed():
    xyz = paths("passing")
    step = np.diff(xyz, axis=1)
    assert np.allclose(step, step[:, :1], atol=1e-9)
    speed = np.linalg.norm(step[:, 0], axis=1) / TIMES[1]
    assert speed.min() > 0.9
    assert speed.max() < 15.01
    assert (np.ptp(np.degrees(np.unwrap(np.arctan2(xyz[..., 1], xyz[..., 0]))), axis=1) > 20).mean() > 0.8


def test_arc_turns_around_the_listener_at_one_distance():
    azimuth, elevation, distance = angles("arc")
    assert np.ptp(distance, axis=1).max() < 1e-6
    assert np.ptp(elevation, axis=1).max() < 1e-6
    turned = np.abs(np.degrees(np.unwrap(np.radians(azimuth), axis=1)[:, -1] - np.radians(azimuth[:, 0])))
    assert turned.min() > 20
    assert turned.max() < 361


@pytest.mark.parametrize(("motion", "sign"), [("approach", -1), ("recede", 1)])
def test_approach_comes_nearer_and_recede_goes_away(motion, sign):
    distance = angles(motion)[2]
    assert (sign * np.diff(distance, axis=1) >= -1e-9).all()
    gone = sign * (distance[:, -1] - distance[:, 0])
    assert gone.min() > 1.5
    assert gone.max() < 30
    assert distance.min() < 0.31  # right up to the listener
    assert distance.max() > 25


def test_wander_goes_to_and_fro():
    azimuth = np.unwrap(np.radians(angles("wander")[0]), axis=1)
    turns = (np.diff(np.sign(np.diff(azimuth, axis=1)), axis=1) != 0).sum(axis=1)
    assert (turns >= 1).mean() > 0.5
    assert np.degrees(np.ptp(azimuth, axis=1)).max() < 135


def test_off_screen_is_at_a_side():
    azimuth = angles("off_screen")[0]
    assert ((np.abs(azimuth[:, 0]) >= 45) & (np.abs(azimuth[:, 0]) <= 135)).all()


def test_behind_is_behind():
    azimuth = angles("behind")[0]
    assert (np.abs(azimuth[:, 0]) >= 100 - 1e-6).all()


def test_together_they_cover_near_and_far_and_all_around():
    """A tenth and more of the moments in each: front, left, right, back; under 1 m, 1-3, 3-10, above 10 m."""
    xyz = np.concatenate([paths(motion) for motion in MOTIONS]).reshape(-1, 3)
    azimuth, _, distance = xyz_to_angles(xyz)
    quarter = np.bincount(((azimuth + 45) % 360 // 90).astype(int), minlength=4) / len(azimuth)
    shell = np.bincount(np.searchsorted((1, 3, 10), distance), minlength=4) / len(distance)
    assert quarter.min() > 0.1
    assert shell.min() > 0.05


def test_the_same_generator_gives_the_same_path():
    for motion in MOTIONS:
        first, second = (draw_path(motion, TIMES, np.random.default_rng(5)) for _ in range(2))
        assert np.array_equal(first, second)


def test_finer_moments_are_of_the_same_path():
    for motion in MOTIONS:
        coarse = draw_path(motion, TIMES[::2], np.random.default_rng(7))
        fine = draw_path(motion, TIMES, np.random.default_rng(7))
        assert np.allclose(fine[::2], coarse, atol=1e-9), motion


def test_an_unknown_motion_is_named():
    with pytest.raises(ValueError, match="`motion` is 'hop' but must be one of static"):
        draw_path("hop", TIMES, np.random.default_rng(0))
