"""The pass over the pictures: shots, tracks and the motion on them, from drawn frames."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from foleyspace.camera_motion import motion_field
from foleyspace.detections import Detections
from foleyspace.observed import CELLS, motion_cells
from foleyspace.types import Clip
from foleyspace.vision import observe

W, H, N = 320, 180, 50
RNG = np.random.default_rng(0)
GROUNDS = [
    RNG.integers(40, 200, (H // 12, W // 16, 3)).repeat(12, 0).repeat(16, 1).astype(np.uint8)
    for _ in range(2)
]
PATCH = RNG.integers(0, 255, (10, 10, 3)).repeat(4, 0).repeat(4, 1).astype(np.uint8)


def place(k):
    return 20 + 4 * k, 60


def frames(cut_at=None):
    for k in range(N):
        picture = GROUNDS[int(cut_at is not None and k >= cut_at)].copy()
        x, y = place(k)
        picture[y : y + 40, x : x + 40] = PATCH
        yield k, k / 25, picture


def clip():
    return Clip(Path("x"), Fraction(25), np.arange(N) / 25, (W, H), N / 25, None)


class Sees:
    """Knows where the patch is, as a detector would; counts what it is asked."""

    name, kind, rate_hz = "sees", "test", 12.5

    def __init__(self):
        self.fields, self.resets, self._first = [], 0, 0

    def reset(self):
        self.resets += 1
        self._first = 100 * self.resets

    def __call__(self, frame, motion):
        assert frame.shape == (H, W, 3)
        self.fields.append(motion)
        k = 2 * (len(self.fields) - 1)
        x, y = place(k)
        box = [x / W, y / H, (x + 40) / W, (y + 40) / H]
        return Detections(ids=[self._first], xyxy=[box], score=[0.9], labels=("patch",))


def detected(seen):
    return [track for track in seen.tracks if track.found_by == "detector"]


def test_one_object_one_track_with_its_motion():
    sees = Sees()
    seen = observe(clip(), frames(), sees, detect_hz=12.5)
    (track,) = detected(seen)
    assert seen.clip.cuts == ()
    assert len(track.times) == N // 2
    np.testing.assert_allclose(np.diff(track.times), 0.08, atol=1e-9)
    assert track.label == "patch"
    assert np.isnan(track.depth_m).all()
    # 4 px of 320 a frame at 25 Hz: 0.31 widths a second; dense flow takes small things for slower
    on_it = np.median(track.moving[3:-3, 4:6, 4:6])
    assert 0.3 < on_it / (4 / W * 25) < 1.2
    assert np.median(track.moving[3:-3, 0, :]) < 0.1 * on_it
    # seen from the patch itself, its own parts do not move
    assert np.median(track.inner[3:-3, 4:6, 4:6]) < 0.3 * on_it


@pytest.mark.parametrize(("label", "holds"), [("Young Man", True), ("Patch", False)])
def test_what_people_of_any_spelling_hold_is_gathered(label, holds):
    class Names(Sees):
        def __call__(self, frame, motion):
            return replace(super().__call__(frame, motion), labels=(label,))

    (track,) = detected(observe(clip(), frames(), Names(), detect_hz=12.5))
    assert track.label == label and (track.held is not None) == holds


def test_a_cut_ends_the_track_and_starts_the_motion_afresh():
    sees = Sees()
    seen = observe(clip(), frames(cut_at=24), sees, detect_hz=12.5)
    assert seen.clip.cuts == (pytest.approx(24 / 25),)
    assert sees.resets == 2
    assert [t.times[0] for t in detected(seen)] == [0, pytest.approx(24 / 25)]
    assert not sees.fields[12].valid
    assert len({t.id for t in detected(seen)}) == 2


@pytest.mark.parametrize(("hz", "expected"), [(25, N), (12.5, N // 2), (6, 13), (1, 3)])
def test_objects_are_looked_for_about_as_often_as_asked(hz, expected):
    sees = Sees()
    observe(clip(), frames(), sees, detect_hz=hz)
    assert len(sees.fields) == expected


def test_depth_is_sampled_now_and_then():
    class Depth:
        sample_step_s = 0.5

        def depth_map(self, frame):
            return np.full(frame.shape[:2], 4.0, np.float32)

    seen = observe(clip(), frames(), Sees(), Depth(), detect_hz=12.5)
    (track,) = detected(seen)
    known = np.isfinite(track.depth_m)
    assert known.sum() == 4
    np.testing.assert_allclose(track.depth_m[known], 4.0)


def test_motion_cells_are_placed_on_the_box_and_empty_outside_the_picture():
    flow = np.zeros((90, 160, 2), np.float32)
    flow[:, 80:, 0] = 0.5
    still = motion_field(None, np.zeros((180, 320), np.uint8), 0.1)
    field = replace(still, flow=flow, residual=np.hypot(flow[..., 0], flow[..., 1]))
    boxes = np.array([[0.25, 0.25, 0.75, 0.75], [0.8, 0.4, 1.0, 0.6]])
    (moving, corner), (_, corner_inner) = motion_cells(field, boxes)
    assert moving.shape == (CELLS, CELLS)
    assert moving[:, : CELLS // 2].max() == 0
    assert moving[:, CELLS // 2 + 1 :].min() == pytest.approx(0.5, abs=0.01)
    assert corner[:, -2:].max() == 0  # right of the picture
    assert corner_inner[4, 4] == 0  # all of the box moves alike
