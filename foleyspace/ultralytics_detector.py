"""An Ultralytics detector with its own tracker, silenced and fenced in."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.cache import cache_dir
from foleyspace.camera_motion import MotionField
from foleyspace.detections import Detections
from foleyspace.device import torch_device
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.weights import find_weights, host_answers

CONFIDENCE = 0.1  # weak boxes only continue tracks: see TRACKER
BOXED_TASKS = ("detect", "segment", "pose", "obb")

# the file with the text encoder that turns words into classes, by model family
TEXT_ENCODERS = {"YOLOWorld": "ViT-B-32.pt", "YOLOE": "mobileclip_blt.ts"}

# BoT-SORT (Aharon et al. 2022) for 8-12 frames a second: things move further between two frames than at
# 30 Hz, so little overlap is asked for; a box of low score goes on with a track but starts none; a lost
# track waits 40 frames (4-5 s). The camera's motion comes from the motion field: see _FieldCamera.
TRACKER = """\
tracker_type: botsort
track_high_thresh: 0.2
track_low_thresh: 0.05
new_track_thresh: 0.3
track_buffer: 40
match_thresh: 0.9
fuse_score: False
gmc_method: none
proximity_thresh: 0.5
appearance_thresh: 0.8
with_reid: False
model: auto
"""

logger = logging.getLogger("foleyspace")


class UltralyticsDetector:
    """Boxes with identities from an Ultralytics model and its tracker; see `load_detector`."""

    kind = "ultralytics"

    def __init__(
        self,
        path: Path,
        device: str = "auto",
        words: Sequence[str] = (),
        confidence: float = CONFIDENCE,
        offline: bool = False,
        name: str = "",
    ) -> None:
        ultralytics = import_ultralytics()
        self.name = name or path.name
        self._device = torch_device(device)
        # on a CPU a network that looks more often falls behind the picture (two cores, yolo11n)
        self.rate_hz = 6.0 if self._device == "cpu" else 12.0
        self._confidence = confidence
        self._first_id = 0  # of this shot
        self._last_id = 0
        self._votes: dict[int, dict[str, float]] = {}
        self._camera = _FieldCamera()
        try:
            # an export cannot tell its task when its metadata is missing
            self._model = ultralytics.YOLO(str(path), task=None if path.suffix == ".pt" else _task(path))
        except Exception as error:  # a broken file can raise anything
            raise InputError(f"`detector` {self.name!r} cannot be loaded: {_one_line(error)}") from None
        if self._model.task not in BOXED_TASKS:
            raise InputError(
                f"`detector` {self.name!r} is a {self._model.task} model "
                f"but must be one of {', '.join(BOXED_TASKS)}"
            )
        if words:
            self._set_words([w for w in dict.fromkeys(w.strip() for w in words) if w], offline)
        self._warm_up()

    def __call__(self, frame_rgb: NDArray[Any], motion: MotionField | None = None) -> Detections:
        """Boxes of one uint8 RGB frame (H, W, 3); frames of a shot come in order. `motion` is the field
        from the previous frame to this one: the tracker takes the camera's motion from it."""
        h, w = frame_rgb.shape[:2]
        self._camera.reset_params()
        if motion is not None and motion.valid:
            scale = np.diag([w, h, 1.0])
            self._camera.warp = (scale @ motion.camera @ np.linalg.inv(scale))[:2]
        boxes = self._track(frame_rgb)
        if boxes is None or boxes.id is None or len(boxes) == 0:
            return Detections()
        xyxy = boxes.xyxy.cpu().numpy().astype(np.float64) / [w, h, w, h]
        score = boxes.conf.cpu().numpy().astype(np.float64)
        names = self._model.names
        ids, labels = [], []
        for number, kind, sure in zip(boxes.id.tolist(), boxes.cls.tolist(), score, strict=True):
            identity = self._first_id + int(number)
            self._last_id = max(self._last_id, identity)
            votes = self._votes.setdefault(identity, {})
            word = str(names[int(kind)])
            votes[word] = votes.get(word, 0.0) + float(sure)
            ids.append(identity)
            labels.append(max(votes, key=lambda k: votes[k]))
        return Detections(np.array(ids, np.int64), xyxy, score, tuple(labels))

    def reset(self) -> None:
        """A new shot: the tracker forgets everything, its ids are not used again."""
        predictor = getattr(self._model, "predictor", None)
        for tracker in getattr(predictor, "trackers", None) or ():
            tracker.reset()
        self._first_id = self._last_id
        self._votes.clear()

    def _track(self, frame_rgb: NDArray[Any]) -> Any:
        # Ultralytics takes numpy pictures as BGR, C-contiguous
        result = self._model.track(
            np.ascontiguousarray(frame_rgb[..., ::-1]),
            persist=True,
            tracker=self._tracker_file,
            conf=self._confidence,
            agnostic_nms=True,  # one object, one box, whatever its classes
            device=self._device,
            verbose=False,
        )[0]
        return result.obb if result.obb is not None else result.boxes

    def _warm_up(self) -> None:
        """Run once: broken exports fail here, not in the middle of a video; the tracker file is read here."""
        with tempfile.TemporaryDirectory(prefix="foleyspace-") as folder:
            tracker = Path(folder) / "tracker.yaml"
            tracker.write_text(TRACKER, encoding="utf-8")
            self._tracker_file = str(tracker)
            try:
                self._track(np.zeros((64, 64, 3), np.uint8))
                for tracker in self._model.predictor.trackers:
                    if hasattr(tracker, "gmc"):
                        tracker.gmc = self._camera
            except Exception as error:
                raise InputError(f"`detector` {self.name!r} does not run: {_one_line(error)}") from None
        self.reset()

    def _set_words(self, words: list[str], offline: bool) -> None:
        family = type(self._model).__name__
        if family not in TEXT_ENCODERS:
            logger.info("detector %s has fixed classes and cannot look for given words", self.name)
            return
        try:
            # the encoder is fetched by Ultralytics, without any bound on the time when no host answers
            known = find_weights(TEXT_ENCODERS[family], (*weight_folders(), cache_dir("weights") / "clip"))
            if known is None and (offline or not host_answers("https://github.com")):
                raise FoleyspaceError("no text encoder here and no network to fetch it")
            with _quiet():
                self._model.set_classes(words)
        except Exception as error:  # the package clip missing, a download broken off
            logger.warning("detector %s keeps its own classes: %s", self.name, _one_line(error))


class _FieldCamera:
    """The motion field's camera in place of BoT-SORT's own estimate (`ultralytics.trackers.utils.gmc.GMC`):
    done already, and what moves by itself has no part in it."""

    method = "field"

    def __init__(self) -> None:
        self.warp = np.eye(2, 3)

    def apply(self, raw_frame: NDArray[Any], detections: Any = None) -> NDArray[np.float64]:
        return self.warp

    def reset_params(self) -> None:
        self.warp = np.eye(2, 3)


def weight_folders() -> tuple[Path, ...]:
    """Where Ultralytics and we keep weights: here, its weights folder as set by the user, our cache."""
    folders = [Path.cwd(), cache_dir("weights")]
    with contextlib.suppress(OSError, ValueError, TypeError):
        settings = json.loads((_settings_folder() / "settings.json").read_text(encoding="utf-8"))
        folders.insert(1, Path(settings["weights_dir"]))
    return tuple(folders)


def _settings_folder() -> Path:
    """Where a user's Ultralytics settings lie."""
    if given := os.environ.get("YOLO_CONFIG_DIR"):
        return Path(given).expanduser() / "Ultralytics"
    if sys.platform == "win32":
        return Path.home() / "AppData" / "Roaming" / "Ultralytics"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Ultralytics"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "Ultralytics"


def import_ultralytics() -> Any:
    """The package, silent: no output, no settings file among the user's, no telemetry, no pip, no pings."""
    first = "ultralytics" not in sys.modules
    if first:
        if "YOLO_CONFIG_DIR" not in os.environ and not (_settings_folder() / "settings.json").exists():
            os.environ["YOLO_CONFIG_DIR"] = str(cache_dir("weights").parent)
        os.environ.setdefault("YOLO_VERBOSE", "False")
        os.environ["YOLO_AUTOINSTALL"] = "False"
        # its look for a network at import asks name servers without a time limit; we fetch by ourselves
        os.environ.setdefault("YOLO_OFFLINE", "True")
    try:
        with _quiet():
            import ultralytics
            from ultralytics.utils import SETTINGS, checks
    except Exception as error:  # a missing or mismatched torch, torchvision or OpenCV
        raise FoleyspaceError(f"ultralytics cannot be imported ({_one_line(error)})") from None
    checks.AUTOINSTALL = False
    dict.__setitem__(SETTINGS, "sync", False)  # for this process, the user's file stays as it is
    return ultralytics


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Ultralytics' and torch's chatter at loading goes nowhere."""
    log = logging.getLogger("ultralytics")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        log.setLevel(max(level, logging.ERROR))


def _task(path: Path) -> str:
    """What an exported model does, from the metadata beside or in it; "detect" where there is none."""
    metadata = path / "metadata.yaml" if path.is_dir() else path.parent / "metadata.yaml"
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in metadata.read_text(encoding="utf-8").splitlines():
            if line.startswith("task:"):
                return line.split(":", 1)[1].strip()
    return "detect"


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 160 else text[:159] + "…"
