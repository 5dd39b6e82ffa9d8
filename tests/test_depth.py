"""Distance: pinhole geometry, robust sampling, fusion with a depth model, and models that are not there."""

from __future__ import annotations

import json
import logging
import math
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from foleyspace import model_folder
from foleyspace.camera import angles_to_xyz, xyz_to_angles
from foleyspace.depth import load_depth, sample_depth, track_distance
from foleyspace.errors import InputError
from foleyspace.object_size import SIZES, object_size
from foleyspace.size_distance import DEFAULT_DISTANCE_M, looming_distance, size_distance

SIZE_WH = (1280, 720)
FOV = 70.0


def box_of(x_m, y_m, height_m, width_m, size_wh=SIZE_WH, fov_deg=FOV, z_m=0.0):
    """The picture-clipped box of an upright rectangle that faces the camera, at depth x, to the left y."""
    across = 2 * math.tan(math.radians(fov_deg) / 2)
    down = across * size_wh[1] / size_wh[0]
    box = [
        0.5 - (y_m + width_m / 2) / x_m / across,
        0.5 - (z_m + height_m / 2) / x_m / down,
        0.5 - (y_m - width_m / 2) / x_m / across,
        0.5 - (z_m - height_m / 2) / x_m / down,
    ]
    return np.clip(box, 0, 1)


@pytest.mark.parametrize(("depth_m", "left_m"), [(4.0, 0.0), (6.0, 2.5), (30.0, -10.0)])
def test_size_gives_the_straight_line_distance_of_a_person(depth_m, left_m):
    found = size_distance("person", box_of(depth_m, left_m, 1.7, 0.5)[None], SIZE_WH, FOV)
    assert found[0] == pytest.approx(math.hypot(depth_m, left_m), rel=0.02)


def test_fov_scales_distance_as_the_focal_length_does():
    box = np.array([[0.45, 0.3, 0.55, 0.7]])
    narrow, wide = (size_distance("person", box, SIZE_WH, fov)[0] for fov in (40.0, 90.0))
    assert narrow / wide == pytest.approx(math.tan(math.radians(45)) / math.tan(math.radians(20)), rel=1e-6)


def test_equirectangular_uses_angles():
    # 1.7 m at 5 m in front: 2 atan(0.17) of 180 degrees high
    high = math.degrees(2 * math.atan(1.7 / 2 / 5)) / 180
    box = np.array([[0.70, 0.5 - high / 2, 0.71, 0.5 + high / 2]])
    assert size_distance("person", box, (2048, 1024), FOV, "equirectangular")[0] == pytest.approx(5, rel=0.01)


def test_head_and_shoulders_at_the_lower_edge_are_near_not_far():
    # seated at a desk 1.2 m away, cut at the chest: the visible height alone would say 3 m or more
    box = np.array([[0.35, 0.25, 0.65, 1.0]])
    found = size_distance("person", box, SIZE_WH, FOV)[0]
    by_height = 1.7 / (0.75 * 2 * math.tan(math.radians(35)) * 720 / 1280)
    assert found < by_height
    assert 0.9 < found < 2.0


def test_walking_into_the_edge_keeps_the_distance():
    """A person at 3 m walks out to the left: the box loses width, then the height stays; no drift."""
    boxes = np.array([box_of(3.0, y, 1.7, 0.5) for y in np.linspace(0, 2.2, 40)])
    assert boxes[-1, 2] - boxes[-1, 0] < 0.06  # mostly out of the picture
    found = size_distance("person", boxes, SIZE_WH, FOV)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    y = (0.5 - middle[:, 0]) * 2 * math.tan(math.radians(35)) * 3
    np.testing.assert_allclose(found, np.hypot(3.0, y), rtol=0.03)


def test_coming_so_near_that_feet_and_head_are_cut_goes_on_with_the_width():
    depths = np.linspace(5, 1.2, 60)
    boxes = np.array([box_of(x, 0.0, 1.7, 0.5, z_m=-0.3) for x in depths])
    assert (boxes[-1, [1, 3]] == [0, 1]).all()
    np.testing.assert_allclose(size_distance("person", boxes, SIZE_WH, FOV), depths, rtol=0.03)


def test_side_on_and_head_on_cars_of_equal_height_are_equally_far():
    side, front = box_of(10, 0, 1.5, 4.5), box_of(10, 0, 1.5, 1.8)
    found = size_distance("car", np.stack([side, front]), SIZE_WH, FOV)
    np.testing.assert_allclose(found, 10, rtol=0.03)


def test_a_box_too_wide_for_its_height_is_read_by_its_width():
    # a person behind a table: only the upper 0.5 m shows
    found = size_distance("person", box_of(3, 0, 0.5, 0.6)[None], SIZE_WH, FOV)[0]
    assert 2.5 < found < 5.0  # by height alone: 10 m


def test_what_is_held_at_any_angle_is_read_by_its_longest_extent():
    across, down = 2 * math.tan(math.radians(35)), 2 * math.tan(math.radians(35)) * 720 / 1280
    found = []
    for angle in np.radians([0, 30, 60, 90]):
        wide, high = math.cos(angle) / 2.0 / across, math.sin(angle) / 2.0 / down  # 1 m guitar at 2 m
        box = [0.5 - wide / 2, 0.5 - high / 2, 0.5 + wide / 2, 0.5 + high / 2]
        found.append(size_distance("guitar", np.array([box]), SIZE_WH, FOV)[0])
    np.testing.assert_allclose(found, 2.0, rtol=1e-3)


def test_all_coco_classes_have_a_size(shared):
    names = (shared / "models/yolo11n_int8_openvino_model/metadata.yaml").read_text()
    import yaml

    labels = yaml.safe_load(names)["names"].values()
    assert len(labels) == 80
    assert [label for label in labels if object_size(label) is None] == []
    for label, size in SIZES.items():
        low, high = size.width_m
        assert 0 < low <= high, label
        assert 0.02 <= size.height_m <= 50, label


@pytest.mark.parametrize(
    ("label", "like"),
    [("Acoustic guitars", "guitar"), ("police_car", "car"), ("bus", "bus"), ("Rooster", "chicken")],
)
def test_labels_are_found_by_their_head_noun(label, like):
    assert object_size(label) == SIZES[like]


def test_a_cup_taken_for_a_drum_is_not_put_into_the_ear():
    big = np.array([[0.1, 0.1, 0.9, 0.9]])
    assert 0.45 < size_distance("cup", big, SIZE_WH, FOV)[0] < 0.7


def test_unknown_objects_loom():
    sides = np.geomspace(0.1, 0.4, 30)
    boxes = np.stack([0.5 - sides / 2, 0.5 - sides / 2, 0.5 + sides / 2, 0.5 + sides / 2], axis=1)
    found = looming_distance(boxes)
    np.testing.assert_allclose(found[0] / found[-1], 4.0, rtol=1e-6)
    usual = looming_distance(np.array([[0.4, 0.4, 0.65, 0.65]]))
    assert usual[0] == pytest.approx(DEFAULT_DISTANCE_M)
    assert object_size("whatchamacallit") is None
    np.testing.assert_array_equal(size_distance("whatchamacallit", boxes, SIZE_WH, FOV), found)


def test_looming_is_not_fooled_by_the_edge():
    """The same thing slides out of the picture sideways: its box narrows, it does not recede."""
    x = np.linspace(0.5, -0.1, 30)
    boxes = np.stack([np.clip(x - 0.15, 0, 1), 0 * x + 0.3, np.clip(x + 0.15, 0.01, 1), 0 * x + 0.6], axis=1)
    found = looming_distance(boxes)
    np.testing.assert_allclose(found, found[0], rtol=0.02)


def test_sampling_takes_the_object_not_the_background():
    depth = np.full((100, 200), 20.0, np.float32)
    rows, columns = np.mgrid[:100, :200]
    depth[(rows - 50) ** 2 / 40**2 + (columns - 100) ** 2 / 40**2 < 1] = 3.0  # round thing in a square box
    assert sample_depth(depth, np.array([0.3, 0.1, 0.7, 0.9])) == 3.0
    assert math.isnan(sample_depth(depth, np.array([1.1, 0.1, 1.2, 0.9])))
    assert sample_depth(depth, np.array([0.5, 0.5, 0.501, 0.501])) == 3.0


def test_sampling_a_thin_object_with_background_showing_through():
    depth = np.full((100, 100), 20.0, np.float32)
    depth[10:90, 45:58] = 4.0  # a third of the width of its box
    assert sample_depth(depth, np.array([0.32, 0.1, 0.68, 0.9])) == 4.0


def approaching(noise=0.0, seed=0):
    times = np.arange(0, 6, 0.125)
    depths = np.linspace(8, 3, len(times))
    boxes = np.array([box_of(x, 0.0, 1.7, 0.5) for x in depths])
    rng = np.random.default_rng(seed)
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    half = half * np.exp(noise * rng.standard_normal(half.shape))
    return times, depths, np.concatenate([centre - half, centre + half], axis=1)


def test_smoothing_takes_out_jitter_and_adds_no_lag():
    times, depths, boxes = approaching(noise=0.08)
    raw = size_distance("person", boxes, SIZE_WH, FOV)
    found = track_distance("person", times, boxes, SIZE_WH, FOV)
    error, raw_error = np.std(np.log(found / depths)), np.std(np.log(raw / depths))
    assert error < raw_error / 2
    lags = range(-4, 5)
    middle = slice(8, -8)
    fit = [np.corrcoef(np.roll(found, -k)[middle], depths[middle])[0, 1] for k in lags]
    assert abs(np.mean(np.log(found / depths)[middle])) < 0.03
    assert max(fit) - fit[4] < 1e-3


def test_one_bad_box_is_ignored():
    times, depths, boxes = approaching()
    boxes[20] = [0.1, 0.1, 0.9, 0.9]
    found = track_distance("person", times, boxes, SIZE_WH, FOV)
    np.testing.assert_allclose(found, depths, rtol=0.05)


def test_metric_readings_correct_a_wrong_size():
    """A child is 1.15 m tall: the prior of a person says 1.5 x too far, the depth model knows better."""
    times = np.arange(0, 6, 0.125)
    depths = np.linspace(6, 3, len(times))
    boxes = np.array([box_of(x, 0.5, 1.15, 0.35) for x in depths])
    truth = np.hypot(depths, 0.5)
    readings = np.where(np.arange(len(times)) % 8 == 0, depths, np.nan)
    prior = track_distance("person", times, boxes, SIZE_WH, FOV)
    fused = track_distance("person", times, boxes, SIZE_WH, FOV, depth_m=readings, max_depth_m=20)
    assert abs(np.log(fused / truth)).max() < 0.5 * abs(np.log(prior / truth)).max()
    # a toy: neither error explains a factor of 8, so the size is wrong
    toy = np.array([box_of(x, 0.0, 0.2, 0.06) for x in depths])
    fused = track_distance("person", times, toy, SIZE_WH, FOV, depth_m=readings, max_depth_m=20)
    assert abs(np.log(fused / depths)).max() < 0.15


def test_readings_at_the_end_of_a_models_range_are_left_out():
    times, _, boxes = approaching()
    far = np.array([box_of(40.0, 0, 1.7, 0.5)] * len(times))
    readings = np.full(len(times), 19.6)
    found = track_distance("person", times, far, SIZE_WH, FOV, depth_m=readings, max_depth_m=20)
    np.testing.assert_allclose(found, 40, rtol=0.05)
    assert track_distance("person", times, boxes, SIZE_WH, FOV, depth_m=readings, max_depth_m=None)[0] > 9


def test_relative_readings_change_the_shape_and_keep_the_sizes_median():
    times = np.arange(0, 8, 0.25)
    boxes = np.array([box_of(5, 0, 1.7, 0.5)] * len(times))
    readings = 77.0 * np.geomspace(0.5, 2, len(times))  # arbitrary unit
    found = track_distance("person", times, boxes, SIZE_WH, FOV, depth_m=readings, metric=False)
    assert np.median(found) == pytest.approx(5, rel=0.03)
    assert found[-1] / found[0] == pytest.approx(4, rel=0.2)


def test_a_cut_starts_afresh():
    times = np.arange(0, 4, 0.125)
    near = np.array([box_of(2.5, 0, 1.7, 0.5)] * 16)
    far = np.array([box_of(25.0, 0, 1.7, 0.5)] * 16)
    found = track_distance("person", times, np.concatenate([near, far]), SIZE_WH, FOV, cuts=(2.0,))
    np.testing.assert_allclose(found[:16], 2.5, rtol=0.03)
    np.testing.assert_allclose(found[16:], 25, rtol=0.03)


def test_distances_stay_in_range_whatever_the_boxes():
    rng = np.random.default_rng(1)
    for label in ("person", "guitar", "train", "unheard-of"):
        corners = np.sort(rng.uniform(-0.1, 1.1, (50, 2, 2)), axis=1).reshape(50, 4)
        found = track_distance(label, np.arange(50) / 10, corners, SIZE_WH, FOV)
        assert np.isfinite(found).all()
        assert ((found >= 0.3) & (found <= 100)).all()
    one = track_distance("dog", np.array([1.0]), np.array([[0.4, 0.4, 0.6, 0.6]]), SIZE_WH, FOV)
    assert one.shape == (1,)


def test_bad_shapes_are_named():
    with pytest.raises(InputError, match=r"`xyxy` has shape \(3, 4\) but must be \(2, 4\)"):
        track_distance("dog", np.arange(2.0), np.zeros((3, 4)), SIZE_WH)
    with pytest.raises(InputError, match="`fov` is 400"):
        track_distance("dog", np.arange(2.0), np.zeros((2, 4)), SIZE_WH, 400)


def test_straight_line_distance_and_angle_give_back_the_place():
    """What the pipeline does with it: direction of the box centre, times the distance."""
    from foleyspace.camera import screen_to_angles

    box = box_of(6.0, 2.5, 1.7, 0.5)
    distance = size_distance("person", box[None], SIZE_WH, FOV)
    angles = screen_to_angles((box[:2] + box[2:]) / 2, SIZE_WH, FOV)
    xyz = angles_to_xyz(angles, distance[0])
    np.testing.assert_allclose(xyz, [6.0, 2.5, 0.0], atol=0.15)
    assert xyz_to_angles(xyz)[2] == pytest.approx(distance[0])


# --- models ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny_models(tmp_path_factory):
    """A metric and a relative Depth Anything of a few thousand weights, random, saved as folders."""
    torch = pytest.importorskip("torch")
    from transformers import (
        DepthAnythingConfig,
        DepthAnythingForDepthEstimation,
        Dinov2Config,
        DPTImageProcessor,
    )

    torch.manual_seed(0)
    folders = {}
    for kind in ("metric", "relative"):
        backbone = Dinov2Config(
            image_size=70, patch_size=14, hidden_size=16, num_attention_heads=2, num_hidden_layers=4,
            out_features=["stage1", "stage2", "stage3", "stage4"], reshape_hidden_states=False,
        )  # fmt: skip
        config = DepthAnythingConfig(
            backbone_config=backbone, reassemble_hidden_size=16, neck_hidden_sizes=[8, 8, 8, 8],
            fusion_hidden_size=8, head_hidden_size=8, depth_estimation_type=kind,
            max_depth=20 if kind == "metric" else 1,
        )  # fmt: skip
        folder = tmp_path_factory.mktemp(kind)
        network = DepthAnythingForDepthEstimation(config)
        if kind == "relative":  # random weights would leave its last rectifier at 0 everywhere
            network.head.conv3.weight.data *= 3e7
            network.head.conv3.bias.data.fill_(1.0)
        network.save_pretrained(folder)
        DPTImageProcessor(
            size={"height": 70, "width": 70}, keep_aspect_ratio=True, ensure_multiple_of=14
        ).save_pretrained(folder)
        folders[kind] = folder
    return folders


def test_local_models_give_maps_of_the_frames_size(tiny_models):
    frame = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8)
    metric = load_depth(str(tiny_models["metric"]), device="cpu", offline=True)
    assert metric.metric
    assert metric.max_depth_m == 20
    depth = metric.depth_map(frame)
    assert depth.shape == (90, 160)
    assert depth.dtype == np.float32
    assert 0 < depth.min() <= depth.max() <= 20.5
    relative = load_depth(str(tiny_models["relative"]), device="cpu")
    assert not relative.metric
    assert relative.max_depth_m is None
    values = relative.depth_map(frame)
    assert values.shape == (90, 160)
    assert values.min() > 0
    with pytest.raises(InputError, match="uint8"):
        metric.depth_map(frame.astype(np.float32))


def test_relative_depth_is_inverted(tiny_models):
    """Relative networks give inverse depth; ours is larger where it is farther."""
    import torch

    model = load_depth(str(tiny_models["relative"]), device="cpu")
    frame = np.random.default_rng(0).integers(0, 255, (70, 70, 3), np.uint8)
    inputs = model._processor(images=frame, return_tensors="pt", size=model._size)
    with torch.inference_mode():
        raw = model._network(**inputs).predicted_depth[0]
    raw = torch.nn.functional.interpolate(raw[None, None], size=(70, 70), mode="bilinear")[0, 0].numpy()
    found = model.depth_map(frame)
    visible = raw > 0.1 * raw.max()
    assert raw.std() > 0.01 * raw.mean() > 0
    assert np.corrcoef(1 / raw[visible], found[visible])[0, 1] > 0.95


@pytest.mark.parametrize("name", ["no/such/folder", "./nowhere", "two words", "~/nowhere-at-all"])
def test_names_that_cannot_be(name):
    with pytest.raises(InputError, match="`depth` is"):
        load_depth(name, offline=True)


def test_folders_that_hold_no_model(tmp_path, tiny_models):
    with pytest.raises(InputError, match="cannot be loaded"):
        load_depth(str(tmp_path))
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match="cannot be loaded") as caught:
        load_depth(str(tmp_path))
    assert "\n" not in str(caught.value)
    (tmp_path / "config.json").write_bytes((tiny_models["metric"] / "config.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"junk")
    with pytest.raises(InputError, match="cannot be loaded"):
        load_depth(str(tmp_path))
    with pytest.raises(InputError, match="a file"):
        load_depth(str(tmp_path / "config.json"))
    with pytest.raises(InputError, match="`device` is 'abacus'"):
        load_depth(str(tiny_models["metric"]), device="abacus")


def test_size_asks_for_no_model():
    assert load_depth("size") is None


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


def test_offline_falls_back_at_once_and_says_so(empty_cache, monkeypatch, caplog):
    monkeypatch.setattr(model_folder, "cached_folder", lambda *_: None)
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("the network was asked"))
    with caplog.at_level(logging.WARNING, "foleyspace"):
        assert load_depth("auto", offline=True) is None
    assert len(caplog.records) == 1
    assert "object sizes" in caplog.text


@pytest.mark.parametrize("accepts", [True, False])
def test_a_hub_that_does_not_answer_costs_seconds(empty_cache, monkeypatch, caplog, accepts):
    """Connections are taken and never answered (a proxy that swallows), or refused."""
    monkeypatch.setattr(model_folder, "cached_folder", lambda *_: None)
    monkeypatch.setattr(model_folder, "HUB_ANSWER_S", 1.5)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if accepts:
            server.listen(8)
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(proxy, raising=False)
        began = time.monotonic()
        with caplog.at_level(logging.WARNING):
            assert load_depth("someone/some-depth-model") is None
        assert time.monotonic() - began < 4
    ours = [record for record in caplog.records if record.name == "foleyspace"]
    assert len(ours) == 1
    assert "does not answer" in ours[0].getMessage()


def test_a_model_in_parts_is_whole_with_all_of_them(tmp_path):
    """A download that was ended early leaves an index and some of the files."""
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    (tmp_path / "model-1.safetensors").write_bytes(b"x")
    assert not model_folder._has_weights(tmp_path)
    (tmp_path / "model-2.safetensors").write_bytes(b"x")
    assert model_folder._has_weights(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text("[]")
    assert model_folder._has_weights(tmp_path)


def test_a_download_that_stalls_is_given_up():
    hung = model_folder._in_thread(lambda: time.sleep(30), lambda: True)
    assert isinstance(hung, TimeoutError)
    assert model_folder._in_thread(lambda: 5, lambda: False) == 5
    assert isinstance(model_folder._in_thread(lambda: 1 / 0, lambda: False), ZeroDivisionError)


@pytest.mark.slow
def test_a_torchvision_made_for_another_torch_costs_one_line(tiny_models, tmp_path):
    broken = tmp_path / "torchvision"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    code = (
        "import sys, logging, numpy as np; logging.basicConfig(level=30);"
        f"sys.path.insert(0, {str(tmp_path)!r});"
        "from foleyspace.depth import load_depth;"
        f"m = load_depth({str(tiny_models['metric'])!r}, device='cpu');"
        "print(m.depth_map(np.zeros((70, 70, 3), np.uint8)).shape)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=Path(__file__).parent
    )
    assert done.returncode == 0, done.stderr
    assert "(70, 70)" in done.stdout
    assert "Traceback" not in done.stderr
    assert done.stderr.count("torchvision does not fit") == 1
