"""Detectors: loading and its fall-backs, the Ultralytics wrapper, fetching weights. No model hub is asked."""

from __future__ import annotations

import http.server
import io
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from foleyspace import weights
from foleyspace.detect import load_detector
from foleyspace.detections import Detections
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.following import Follower
from foleyspace.motion import motion_field
from foleyspace.weights import fetch_weights, host_answers


@pytest.fixture(autouse=True)
def _nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights in the working folder, the cache or the user's Ultralytics settings, and no host."""
    monkeypatch.setenv("FOLEYSPACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path / "config"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(weights, "RELEASES", ("http://127.0.0.1:9/none",))


@pytest.fixture(scope="module")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector with random weights, as ultralytics itself saves it."""
    torch = pytest.importorskip("torch")
    from foleyspace.ultralytics_detector import import_ultralytics

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("model") / "random.pt"
    import_ultralytics().YOLO("yolov8n.yaml").save(str(path))
    return path


@pytest.fixture(scope="module")
def real_model(shared: Path) -> str:
    pytest.importorskip("openvino")
    return str(shared / "models" / "yolo11n_int8_openvino_model")


def frames_of(path: Path, count: int, stride: int = 3) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    for _ in range(count):
        ok, frame = capture.read()
        assert ok
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
        for _ in range(stride - 1):
            capture.grab()
    return frames


def follow(detector, frames: list[np.ndarray]) -> list[Detections]:
    previous, field, found = None, None, []
    for frame in frames:
        gray = cv2.cvtColor(cv2.resize(frame, (320, 180)), cv2.COLOR_RGB2GRAY)
        field = motion_field(previous, gray, 0.12, field)
        found.append(detector(frame, field))
        previous = gray
    return found


def test_detections_check_themselves() -> None:
    assert len(Detections()) == 0
    found = Detections([3], [[-0.1, 0.2, 1.3, 0.9]], [0.5], ("car",))
    assert found.xyxy.tolist() == [[0.0, 0.2, 1.0, 0.9]]
    with pytest.raises(FoleyspaceError, match="as many"):
        Detections([3, 4], [[0, 0, 1, 1]], [0.5], ("car",))
    with pytest.raises(FoleyspaceError, match="keypoints"):
        Detections([3], [[0, 0, 1, 1]], [0.5], ("car",), np.zeros((2, 17, 3)))
    with pytest.raises(FoleyspaceError, match="NaN"):
        Detections([3], [[0, 0, np.nan, 1]], [0.5], ("car",))


def test_motion_by_name() -> None:
    assert load_detector("motion").kind == "motion"


def test_auto_without_weights_offline_says_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "foleyspace"):
        detector = load_detector("auto", offline=True)
    assert detector.kind == "motion"
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert "offline" in caplog.text


def test_auto_without_network_says_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "foleyspace"):
        assert load_detector("auto").kind == "motion"
    assert len(caplog.records) == 1
    assert "cannot be reached" in caplog.text


def test_named_model_without_network_falls_back(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "foleyspace"):
        assert load_detector("yolo11s", offline=True).kind == "motion"
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "name", ["no/such/model.pt", "./yolo11n.pt", "nothing.onnx", "~/nothing_openvino_model"]
)
def test_missing_path(name: str) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_detector(name)


def test_misspelt_name() -> None:
    with pytest.raises(InputError, match="yol11n"):
        load_detector("yol11n", offline=True)


@pytest.mark.parametrize("content", [b"", b"<html>not weights</html>", b"PK\x03\x04 cut off"])
def test_broken_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.pt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"broken\.pt") as caught:
        load_detector(str(path))
    assert "\n" not in str(caught.value)


def test_broken_folder(tmp_path: Path) -> None:
    folder = tmp_path / "some_openvino_model"
    folder.mkdir()
    with pytest.raises(InputError, match="empty"):
        load_detector(str(folder))
    (folder / "model.xml").write_text("nonsense")
    with pytest.raises(InputError, match="some_openvino_model"):
        load_detector(str(folder))


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1, 5])
def test_bad_confidence(confidence: float) -> None:
    with pytest.raises(InputError, match="`confidence`"):
        load_detector("motion", confidence=confidence)


def test_random_model_runs_silently(random_model: Path, capfd: pytest.CaptureFixture[str]) -> None:
    capfd.readouterr()
    detector = load_detector(str(random_model), device="cpu")
    found = detector(np.zeros((90, 160, 3), np.uint8), None)
    assert isinstance(found, Detections)
    assert detector.kind == "ultralytics"
    assert capfd.readouterr() == ("", "")
    assert list(Path.cwd().iterdir()) == []


def test_model_in_the_working_folder_is_used_when_it_is_named(random_model: Path) -> None:
    """It is a pickle, which runs what is in it: only what a person has named is opened."""
    os.symlink(random_model, "yolo11n.pt")
    assert load_detector("auto", offline=True, device="cpu").kind == "motion"
    detector = load_detector("./yolo11n.pt", offline=True, device="cpu")
    assert detector.kind == "ultralytics"


def test_frames_reach_the_model_as_bgr(random_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = load_detector(str(random_model), device="cpu")
    given: list[np.ndarray] = []
    predict = detector._model.predict  # type: ignore[attr-defined]
    monkeypatch.setattr(
        detector._model,  # type: ignore[attr-defined]
        "predict",
        lambda picture, **options: given.append(picture) or predict(picture, **options),
    )
    frame = np.zeros((90, 160, 3), np.uint8)
    frame[..., 0] = 200  # red
    detector(frame, None)
    assert given[0][..., 2].min() == 200
    assert given[0][..., 0].max() == 0


def test_classifier_is_refused(tmp_path: Path) -> None:
    from foleyspace.ultralytics_detector import import_ultralytics

    path = tmp_path / "classes.pt"
    import_ultralytics().YOLO("yolov8n-cls.yaml").save(str(path))
    with pytest.raises(InputError, match="classify"):
        load_detector(str(path))


def test_words_without_text_encoder_say_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from foleyspace.ultralytics_detector import import_ultralytics

    path = tmp_path / "open.pt"
    import_ultralytics().YOLO("yolov8s-world.yaml").save(str(path))
    with caplog.at_level(logging.WARNING, "foleyspace"):
        detector = load_detector(str(path), words=["a trumpet"], offline=True, device="cpu")
    assert detector.kind == "ultralytics"
    assert len(caplog.records) == 1
    assert "text encoder" in caplog.text


def test_real_model_follows_a_car(real_model: str, shared: Path) -> None:
    frames = frames_of(shared / "videos" / "moving1.mp4", 10)
    detector = load_detector(real_model, device="cpu")
    follower, cars = Follower(), []
    for k, (frame, found) in enumerate(zip(frames, follow(detector, frames), strict=True)):
        assert (found.ids == -1).all()
        follower.update(0.12 * k, frame, found)
        cars += [(t.id, t.xyxy) for t in follower.shown if t.label == "car" and t.seen_now and t.score > 0.3]
    assert len(cars) >= 9
    assert len({identity for identity, _ in cars}) == 1
    assert abs(cars[0][1][[0, 2]].mean() - 0.87) < 0.04  # annotated by hand


@pytest.mark.slow
def test_onnx_export_runs_at_its_own_size(random_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from foleyspace.ultralytics_detector import import_ultralytics

    path = tmp_path / "random.pt"
    path.write_bytes(random_model.read_bytes())
    exported = import_ultralytics().YOLO(str(path)).export(format="onnx", imgsz=320)
    detector = load_detector(str(exported), device="cpu")
    assert isinstance(detector(np.zeros((90, 160, 3), np.uint8), None), Detections)


def test_a_frame_is_looked_at_by_itself(real_model: str, shared: Path) -> None:
    frames = frames_of(shared / "videos" / "moving1.mp4", 3)
    detector = load_detector(real_model, device="cpu")
    first = follow(detector, frames)
    detector.reset()
    second = follow(detector, frames[::-1])[::-1]
    for a, b in zip(first, second, strict=True):
        assert len(a) and a.labels == b.labels
        assert np.allclose(a.xyxy, b.xyxy, atol=1e-4)


def test_pose_model_hands_over_keypoints(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from foleyspace.ultralytics_detector import import_ultralytics

    torch.manual_seed(0)
    path = tmp_path / "pose.pt"
    import_ultralytics().YOLO("yolo11n-pose.yaml").save(str(path))
    frame = np.random.default_rng(0).integers(0, 255, (90, 160, 3)).astype(np.uint8)
    # random weights are sure of nothing: with next to no confidence asked for, they see something
    found = load_detector(str(path), device="cpu", confidence=1e-6)(frame, None)
    assert len(found) > 0
    assert found.keypoints is not None
    assert found.keypoints.shape == (len(found), 17, 3)
    assert (found.keypoints[..., 2] >= 0).all() and (found.keypoints[..., 2] <= 1).all()
    assert np.abs(found.keypoints[..., :2]).max() < 10  # normalised, though some may lie off the picture


def test_models_without_pose_have_no_keypoints(random_model: Path) -> None:
    frame = np.random.default_rng(0).integers(0, 255, (90, 160, 3)).astype(np.uint8)
    found = load_detector(str(random_model), device="cpu", confidence=1e-6)(frame, None)
    assert len(found) > 0
    assert found.keypoints is None


@pytest.mark.slow
def test_real_model_writes_nothing_and_prints_nothing(real_model: str, tmp_path: Path) -> None:
    """In a fresh process, where ultralytics is imported for the first time."""
    code = (
        "import sys, numpy as np; from foleyspace.detect import load_detector;"
        "d = load_detector(sys.argv[1], device='cpu'); d(np.zeros((90, 160, 3), np.uint8), None)"
    )
    home = tmp_path / "home"
    home.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("YOLO_", "XDG_"))}
    environment |= {"HOME": str(home), "FOLEYSPACE_CACHE": str(tmp_path / "cache")}
    result = subprocess.run(
        [sys.executable, "-c", code, real_model], capture_output=True, text=True, env=environment, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert not (home / ".config" / "Ultralytics").exists()
    assert list(Path.cwd().iterdir()) == []


def test_import_is_cheap() -> None:
    code = "import sys, foleyspace.detect; print([m for m in ('torch', 'ultralytics', 'cv2') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def _zipped() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("data.pkl", b"weights" * 1000)
    return data.getvalue()


WEIGHTS = _zipped()


class _Files(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.endswith("missing.pt"):
            self.send_error(404)
            return
        body = b"<html>log in</html>" if "portal" in self.path else WEIGHTS
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) * (2 if "short" in self.path else 1)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Files) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


def test_fetch(server: str, tmp_path: Path) -> None:
    path = fetch_weights("model.pt", tmp_path / "cache", (server,))
    assert path.read_bytes() == WEIGHTS
    assert [p.name for p in path.parent.iterdir()] == ["model.pt"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing.pt", "does not have it"), ("short.pt", "failed"), ("portal.pt", "no weights")],
)
def test_fetch_that_fails_leaves_nothing(server: str, tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(FoleyspaceError, match=reason):
        fetch_weights(name, tmp_path / "cache", (server,))
    assert not list((tmp_path / "cache").glob("*")) + list((tmp_path / "cache").glob(".*"))


def test_silent_host_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "ANSWER_S", 0.4)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = time.monotonic()
        with pytest.raises(FoleyspaceError, match="cannot be reached"):
            fetch_weights("model.pt", tmp_path, (f"http://127.0.0.1:{listener.getsockname()[1]}",))
        assert time.monotonic() - started < 2


def test_stalled_name_server_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def stall(*_: object, **__: object) -> list[object]:
        released.wait(20)
        raise OSError("no answer")

    monkeypatch.setattr(weights, "ANSWER_S", 0.4)
    monkeypatch.setattr(socket, "getaddrinfo", stall)
    started = time.monotonic()
    with pytest.raises(FoleyspaceError, match="cannot be reached"):
        fetch_weights("model.pt", tmp_path, ("http://weights.invalid",))
    assert not host_answers("http://weights.invalid")
    assert time.monotonic() - started < 4
    released.set()
