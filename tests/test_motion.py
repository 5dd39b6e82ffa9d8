"""Camera motion and the weight-free localiser, on scenes drawn here with known motion."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from foleyspace.errors import InputError
from foleyspace.motion import MotionDetector, _match, motion_field
from foleyspace.regions import Region

W, H = 320, 180
DT = 0.1


def texture(w: int, h: int, seed: int, scale: float = 2.0) -> np.ndarray:
    """Smooth random grey texture."""
    noise = np.random.default_rng(seed).normal(size=(h, w)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), scale)
    return np.clip(128 + 40 * smooth / smooth.std(), 0, 255).astype(np.uint8)


WORLD = texture(900, 600, 1)
THING = (texture(120, 100, 2, 3) * 0.55).astype(np.uint8)  # darker than the world


def view(x: float, y: float, zoom: float = 1.0) -> np.ndarray:
    """What a camera whose top left corner is at world px (x, y) sees of the static world."""
    matrix = np.float32([[1 / zoom, 0, x], [0, 1 / zoom, y]])
    return cv2.warpAffine(WORLD, matrix, (W, H), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def put(frame: np.ndarray, x: float, y: float, w: int = 50, h: int = 40) -> np.ndarray:
    """The thing with its top left corner at frame px (x, y), sub-pixel, partly off screen if need be."""
    size = frame.shape[1], frame.shape[0]
    matrix = np.float32([[1, 0, x], [0, 1, y]])
    layer = cv2.warpAffine(THING[:h, :w], matrix, size)
    cover = cv2.warpAffine(np.full((h, w), 255, np.uint8), matrix, size).astype(np.float32) / 255
    return (frame * (1 - cover) + layer * cover).astype(np.uint8)


def run(frames: list[np.ndarray], dt: float = DT, detector: MotionDetector | None = None):
    """Detections and fields of a sequence of grey frames."""
    detector = detector or MotionDetector()
    field, previous, found, fields = None, None, [], []
    for frame in frames:
        field = motion_field(previous, frame, dt, field)
        found.append(detector(cv2.cvtColor(frame, cv2.COLOR_GRAY2RGB), field))
        fields.append(field)
        previous = frame
    return found, fields


def best(found) -> tuple[int, np.ndarray]:
    """Id and centre px of the detection with the highest score."""
    k = int(found.score.argmax())
    x0, y0, x1, y1 = found.xyxy[k] * [W, H, W, H]
    return int(found.ids[k]), np.array([(x0 + x1) / 2, (y0 + y1) / 2])


@pytest.mark.parametrize(
    ("shift", "zoom"), [((6.0, 0.0), 1.0), ((-9.5, 4.0), 1.0), ((0, 0), 1.04), ((10, -8), 0.98)]
)
def test_camera_model_maps_static_points(shift: tuple[float, float], zoom: float) -> None:
    field = motion_field(view(200, 150), view(200 + shift[0], 150 + shift[1], zoom), DT)
    assert field.valid
    assert field.inliers > 0.85
    for x, y in [(60, 40), (250, 40), (160, 90), (60, 140), (250, 140)]:
        moved = field.camera @ [x / W, y / H, 1]
        expected = (np.array([x, y]) - shift) * zoom
        assert np.abs(moved[:2] / moved[2] * [W, H] - expected).max() < 0.6  # px
    assert field.residual.max() < 0.05


def test_camera_speed_is_in_widths_per_second() -> None:
    field = motion_field(view(200, 150), view(208, 150), DT)
    assert field.camera_speed == pytest.approx(8 / W / DT, rel=0.05)


@pytest.mark.parametrize("pan", [0.0, 7.0, -10.0])
def test_residual_is_the_objects_own_velocity(pan: float) -> None:
    before = put(view(200, 150), 130, 70)
    after = put(view(200 + pan, 150), 130 + 5 - pan, 70 - 3)
    field = motion_field(before, after, DT)
    h, w = field.residual.shape
    # the middle of the object in this frame, on the grid
    x, y = int((155 + 5 - pan) / W * w), int((90 - 3) / H * h)
    velocity = field.flow[y - 4 : y + 5, x - 4 : x + 5].reshape(-1, 2).mean(0)
    # dense flow smooths across the outline of a thing this small: speeds are read low
    assert velocity[0] == pytest.approx(5 / W / DT, rel=0.4)
    assert velocity[1] == pytest.approx(-3 / W / DT, rel=0.4)
    away = np.ones((h, w), bool)
    away[y - 22 : y + 23, x - 26 : x + 27] = False
    assert field.residual[away].mean() < 0.05 * np.hypot(*velocity)


def test_object_that_crosses_is_followed_with_one_identity() -> None:
    xs = 20 + 4.0 * np.arange(40)
    found, _ = run([put(view(200, 150), x, 70) for x in xs])
    places = [best(f) for f in found if len(f)]
    assert len(places) >= 35
    assert len({k for k, _ in places}) == 1
    error = np.array([p[0] for _, p in places]) - (xs[-len(places) :] + 25)
    assert np.abs(error).mean() < 12  # px of 320


def test_tracking_camera_the_object_moves_though_it_stands_on_the_screen() -> None:
    found, fields = run([put(view(60 + 8.0 * i, 150), 190 + 3 * np.sin(i / 3), 80) for i in range(40)])
    places = np.array([best(f)[1] for f in found if len(f)])
    assert len(places) >= 35
    assert np.abs(places[5:] - [215, 100]).max() < 20
    assert fields[-1].camera_speed == pytest.approx(8 / W / DT, rel=0.15)


def test_large_object_is_not_taken_for_the_background() -> None:
    big = cv2.resize(THING, (190, 130), interpolation=cv2.INTER_CUBIC)
    frames = []
    for i in range(30):
        frame = view(150 + 5.0 * i, 150)
        frame[25:155, 60 + i : 250 + i] = big
        frames.append(frame)
    found, fields = run(frames)
    assert fields[-1].camera_speed == pytest.approx(5 / W / DT, rel=0.2)
    _, place = best(found[-1])
    assert abs(place[0] - (155 + 29)) < 30


def test_two_movers_have_two_identities() -> None:
    frames = []
    for i in range(40):
        frame = put(view(200, 150), 30 + 3.0 * i, 20)
        frames.append(put(frame, 250 - 3.5 * i, 120))
    found, _ = run(frames)
    late = found[20:]
    assert all(len(f) == 2 for f in late)
    assert len({int(k) for f in late for k in f.ids}) == 2
    for i, f in enumerate(late, start=20):
        centres = sorted((f.xyxy[:, 0] + f.xyxy[:, 2]) / 2 * W)
        assert np.allclose(centres, sorted([55 + 3.0 * i, 275 - 3.5 * i]), atol=15)


def test_object_that_stops_keeps_its_place() -> None:
    xs = np.minimum(20 + 5.0 * np.arange(70), 170)  # stands from frame 30 on: 4 s
    found, _ = run([put(view(200, 150), x, 70) for x in xs])
    moving, _ = best(found[25])
    identity, place = best(found[-1])
    assert identity == moving
    assert abs(place[0] - 195) < 12
    assert found[-1].score.max() < found[28].score.max()


def test_object_that_leaves_is_given_up() -> None:
    found, _ = run([put(view(200, 150), 150 + 8.0 * i, 70) for i in range(50)])
    assert any(len(f) for f in found)
    assert len(found[-1]) == 0


@pytest.mark.parametrize("pan", [0.0, 4.0])
def test_nothing_moves_by_itself(pan: float) -> None:
    found, _ = run([view(100 + pan * i, 150) for i in range(30)])
    assert sum(len(f) for f in found) == 0


def test_flicker_is_no_motion() -> None:
    gains = 1 + 0.15 * np.sin(np.arange(30) * 1.7)
    found, fields = run([np.clip(view(200, 150) * g, 0, 255).astype(np.uint8) for g in gains])
    assert sum(len(f) for f in found) == 0
    assert all(f.valid for f in fields[1:])


def test_bars_do_not_hold_the_camera() -> None:
    def barred(i: int) -> np.ndarray:
        frame = put(view(60 + 6.0 * i, 150), 150 + 3 * np.sin(i / 3), 70)
        frame[:, :40] = frame[:, -40:] = 0
        return frame

    found, fields = run([barred(i) for i in range(30)])
    assert fields[-1].camera_speed == pytest.approx(6 / W / DT, rel=0.1)
    assert fields[-1].residual[:, :18].max() == 0
    assert abs(best(found[-1])[1][0] - 175) < 12


def test_logo_is_not_the_object() -> None:
    def marked(i: int) -> np.ndarray:
        frame = put(view(60 + 6.0 * i, 150), 120 + 3 * np.sin(i / 3), 90)
        cv2.putText(frame, "LOGO", (240, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 3)
        return frame

    found, fields = run([marked(i) for i in range(45)])
    assert abs(best(found[-1])[1][0] - 145) < 12
    h, w = fields[-1].foreground.shape
    logo = fields[-1].foreground[: int(0.2 * h), int(0.76 * w) : int(0.95 * w)]
    thing = fields[-1].foreground[int(0.55 * h) : int(0.65 * h), int(0.42 * w) : int(0.48 * w)]
    assert logo.mean() < 0.4 * thing.mean()


def test_small_thing_on_flat_sky() -> None:
    sky = np.repeat(np.linspace(120, 190, H).astype(np.uint8)[:, None], W, axis=1)
    noise = np.random.default_rng(5)
    frames = []
    for i in range(40):
        frame = sky + noise.integers(0, 3, sky.shape).astype(np.uint8)
        frames.append(put(frame, 40 + 4.0 * i, 60, 16, 12))
    found, _ = run(frames)
    places = np.array([best(f)[1][0] for f in found if len(f)])
    truth = (48 + 4.0 * np.arange(40))[-len(places) :]
    assert len(places) >= 30
    assert np.corrcoef(places, truth)[0, 1] > 0.99
    assert np.abs(places - truth).mean() < 10


def test_first_frame_and_cut_are_invalid() -> None:
    first = motion_field(None, view(0, 0), DT)
    assert not first.valid
    assert np.allclose(first.camera, np.eye(3))
    assert first.residual.max() == 0
    assert not motion_field(view(200, 150), texture(W, H, 77, 1.5), DT).valid
    assert not motion_field(np.zeros((H, W), np.uint8), np.zeros((H, W), np.uint8), DT).valid


def test_other_shapes_and_sizes() -> None:
    for h, w in [(320, 180), (90, 160), (1080, 1920), (33, 47), (64, 512)]:
        a, b = texture(w, h, 3), texture(w, h, 4)
        field = motion_field(a, b, DT, motion_field(None, a, DT))
        assert field.flow.shape == (*field.residual.shape, 2)
        assert max(field.residual.shape) <= 160
        assert np.isfinite(field.residual).all()
        MotionDetector()(None, field)


def test_reset_does_not_reuse_ids() -> None:
    frames = [put(view(200, 150), 20 + 5.0 * i, 70) for i in range(20)]
    detector = MotionDetector()
    first, _ = run(frames, detector=detector)
    detector.reset()
    second, _ = run(frames, detector=detector)
    assert {int(k) for f in first for k in f.ids}.isdisjoint(int(k) for f in second for k in f.ids)
    assert np.allclose(first[-1].xyxy, second[-1].xyxy)


@pytest.mark.parametrize("dt", [0.0, -1.0, float("nan")])
def test_bad_time_step(dt: float) -> None:
    with pytest.raises(InputError, match="`dt`"):
        motion_field(view(0, 0), view(0, 0), dt)


def test_bad_frames() -> None:
    with pytest.raises(InputError, match="shapes"):
        motion_field(view(0, 0), view(0, 0)[:100], DT)
    with pytest.raises(InputError, match="shapes"):
        motion_field(None, np.zeros((H, W, 3), np.uint8), DT)


def bench():
    path = Path(__file__).parents[1] / "scripts" / "bench" / "detectors.py"
    spec = importlib.util.spec_from_file_location("bench_detectors", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def correlation(shared: Path, name: str) -> float:
    import json

    detectors = bench()
    note = json.loads((shared / "videos" / "annotations.json").read_text())[name]
    seen, _, _ = detectors.follow(shared / "videos" / f"{name}.mp4", MotionDetector(), 10.0)
    return detectors.compare(seen, detectors.main_track(seen), note)["r"]


def test_real_clip_of_one_moving_thing(shared: Path) -> None:
    assert correlation(shared, "moving2") > 0.9


@pytest.mark.slow
def test_real_clips_of_one_moving_thing(shared: Path) -> None:
    movers = ["1", "3", "5", "f2cefffb-1e73-4854-aa7d-a437c5a8436d", "gm453192028-44957136"]
    movers += ["gm595781138-103274473", "moving1", "moving2", "moving5"]
    assert np.mean([correlation(shared, name) for name in movers]) > 0.8


def test_what_moves_comes_before_what_only_remembers_motion() -> None:
    """The ball of scripts/demo leaps off the floor: its track goes with it, and not with what stays behind,
    which lies wholly inside the track's box (all as seen there, px)."""
    frame = np.array([1280, 720, 1280, 720])
    track = np.array([[521, 314, 744, 670]]) / frame
    leaps, stays = np.array([481, 266, 649, 482]) / frame, np.array([563, 584, 736, 642]) / frame
    regions = [Region(box, np.zeros(2), speed, 0.01, 0.1) for box, speed in ((leaps, 0.387), (stays, 0.005))]
    assert _match(track, regions) == {0: 0}
    assert _match(track, regions[::-1]) == {0: 1}
    assert _match(track, regions[1:]) == {0: 0}
    assert _match(track, []) == {}
