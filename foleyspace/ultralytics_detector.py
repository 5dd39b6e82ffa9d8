"""An Ultralytics detector, silenced and fenced in."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import sys
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
from foleyspace.observed import KEYPOINTS
from foleyspace.weights import find_weights, host_answers

CONFIDENCE = 0.02  # weak boxes only continue tracks (`following`) or show what is held (`held`)
BOXED_TASKS = ("detect", "segment", "pose", "obb")

# the file with the text encoder that turns words into classes, by model family
TEXT_ENCODERS = {"YOLOWorld": "ViT-B-32.pt", "YOLOE": "mobileclip_blt.ts"}

logger = logging.getLogger("foleyspace")


class UltralyticsDetector:
    """Boxes from an Ultralytics model; see `load_detector`."""

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
        # on a CPU a look costs as much as ten steps without one
        self.rate_hz = None if self._device == "cpu" else 12.0
        self._confidence = confidence
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
        self.takes_words = type(self._model).__name__ in TEXT_ENCODERS
        if words and self.takes_words:
            self._set_words([w for w in dict.fromkeys(w.strip() for w in words) if w], offline)
        self._warm_up()

    def __call__(self, frame_rgb: NDArray[Any], motion: MotionField | None = None) -> Detections:
        """Boxes of one uint8 RGB frame (H, W, 3), ids -1: `following` joins those of one object."""
        h, w = frame_rgb.shape[:2]
        result = self._predict(frame_rgb)
        boxes = result.obb if result.obb is not None else result.boxes
        if boxes is None or len(boxes) == 0:
            return Detections()
        xyxy = boxes.xyxy.cpu().numpy().astype(np.float64) / [w, h, w, h]
        score = boxes.conf.cpu().numpy().astype(np.float64)
        labels = tuple(str(self._model.names[int(kind)]) for kind in boxes.cls.tolist())
        return Detections(np.full(len(xyxy), -1), xyxy, score, labels, _keypoints(result.keypoints, w, h))

    def reset(self) -> None:
        """A new shot: nothing is kept from frame to frame."""

    def _predict(self, frame_rgb: NDArray[Any]) -> Any:
        return self._model.predict(
            np.ascontiguousarray(frame_rgb[..., ::-1]),  # Ultralytics takes numpy pictures as BGR
            conf=self._confidence,
            agnostic_nms=True,  # one object, one box, whatever its classes
            device=self._device,
            verbose=False,
        )[0]

    def _warm_up(self) -> None:
        """Run once: broken exports fail here, not in the middle of a video."""
        try:
            self._predict(np.zeros((64, 64, 3), np.uint8))
        except Exception as error:
            raise InputError(f"`detector` {self.name!r} does not run: {_one_line(error)}") from None

    def _set_words(self, words: list[str], offline: bool) -> None:
        family = type(self._model).__name__
        try:
            # the encoder is fetched by Ultralytics, without any bound on the time when no host answers
            known = find_weights(TEXT_ENCODERS[family], (*weight_folders(), cache_dir("weights") / "clip"))
            if known is None and (offline or not host_answers("https://github.com")):
                raise FoleyspaceError("no text encoder here and no network to fetch it")
            with _quiet():
                self._model.set_classes(words)
        except Exception as error:  # the package clip missing, a download broken off
            logger.warning("detector %s keeps its own classes: %s", self.name, _one_line(error))


def _keypoints(found: Any, w: int, h: int) -> NDArray[np.float32] | None:
    """A pose model's keypoints (K, 17, 3), normalised; None of any other model or skeleton."""
    if found is None or found.data.ndim != 3 or found.data.shape[1] != KEYPOINTS:
        return None
    points = found.data.cpu().numpy().astype(np.float32)
    if points.shape[2] == 2:  # no confidence given: where there is a point at all
        points = np.concatenate([points, (points != 0).any(2, keepdims=True)], axis=2)
    return points / np.array([w, h, 1], np.float32)


def weight_folders() -> tuple[Path, ...]:
    """Where Ultralytics and we keep weights: its weights folder as set by the user, our cache. Not the folder
    one happens to be in: weights are pickles, which may run what they like, so a file that lies about is
    taken only when it is named itself."""
    folders = [cache_dir("weights")]
    with contextlib.suppress(OSError, ValueError, TypeError, LookupError):
        settings = json.loads((_settings_folder() / "settings.json").read_text(encoding="utf-8"))
        folders.insert(0, Path(settings["weights_dir"]))
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
