"""Screen <-> listener: directions a person can check by hand, and the way back."""

import numpy as np
import pytest

from foleyspace.camera import (
    angles_to_screen,
    angles_to_xyz,
    check_view,
    screen_to_angles,
    xyz_to_angles,
)
from foleyspace.errors import InputError

HD = (1280, 720)


def test_centre_is_front_and_edges_are_half_the_field_of_view():
    angles = screen_to_angles(np.array([[0.5, 0.5], [0.0, 0.5], [1.0, 0.5]]), HD, 70.0)
    np.testing.assert_allclose(angles, [[0, 0], [35, 0], [-35, 0]], atol=1e-9)


def test_left_of_the_picture_is_positive_azimuth_and_positive_y():
    xyz = angles_to_xyz(screen_to_angles(np.array([0.2, 0.5]), HD, 70.0), 2.0)
    assert xyz[1] > 0 and xyz[0] > 0
    assert np.linalg.norm(xyz) == pytest.approx(2.0)


def test_angles_are_those_of_the_listener_frame():
    angles = np.array([[0.0, 0.0], [90.0, 0.0], [180.0, 90.0]])
    xyz = angles_to_xyz(angles, np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(xyz, [[1, 0, 0], [0, 2, 0], [0, 0, 3]], atol=1e-12)


def test_top_of_the_picture_is_up_by_the_pixels_being_square():
    # a point as far above the centre as the left edge is to the side has the same angle
    height = 0.5 - 0.5 * HD[0] / HD[1]
    assert screen_to_angles(np.array([0.5, height]), HD, 70.0)[1] == pytest.approx(35.0)


@pytest.mark.parametrize("projection", ["rectilinear", "equirectangular"])
def test_there_and_back(projection):
    xy = np.random.default_rng(0).uniform(0.01, 0.99, (200, 2))
    angles = screen_to_angles(xy, HD, 90.0, projection)
    np.testing.assert_allclose(angles_to_screen(angles, HD, 90.0, projection), xy, atol=1e-9)
    azimuth, elevation, distance = xyz_to_angles(angles_to_xyz(angles, np.full(200, 3.0)))
    np.testing.assert_allclose(np.stack([azimuth, elevation], -1), angles, atol=1e-9)
    np.testing.assert_allclose(distance, 3.0)


def test_equirectangular_spans_the_sphere():
    angles = screen_to_angles(np.array([[0.25, 0.5], [0.75, 0.5], [0.5, 0.0]]), HD, 70.0, "equirectangular")
    np.testing.assert_allclose(angles, [[90, 0], [-90, 0], [0, 90]])


def test_what_is_behind_a_rectilinear_camera_is_not_on_the_screen():
    assert np.isnan(angles_to_screen(np.array([170.0, 0.0]), HD, 70.0)).all()


@pytest.mark.parametrize(
    ("fov", "projection"), [(400, "rectilinear"), (float("nan"), "rectilinear"), (70, "fish")]
)
def test_bad_view_is_refused(fov, projection):
    with pytest.raises(InputError, match=r"must be"):
        check_view(fov, projection)
