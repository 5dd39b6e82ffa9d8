"""Objects with identity in every frame: which detector, and where its weights come from.

Without weights the motion localiser takes the learned detector's place, and one line says so.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from foleyspace.cache import cache_dir
from foleyspace.detections import Detections, Detector
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.keeping import kept
from foleyspace.motion import MotionDetector
from foleyspace.ultralytics_detector import (
    CONFIDENCE,
    UltralyticsDetector,
    import_ultralytics,
    weight_folders,
)
from foleyspace.weights import fetch_weights, find_weights

__all__ = ["DEFAULT_MODEL", "Detections", "Detector", "UltralyticsDetector", "load_detector"]

DEFAULT_MODEL = "yolo11n.pt"

logger = logging.getLogger("foleyspace")


@kept
def load_detector(
    name: str = "auto",
    *,
    device: str = "auto",
    words: Sequence[str] = (),
    offline: bool = False,
    confidence: float = CONFIDENCE,
) -> Detector:
    """A detector by name.

    `auto`: the default Ultralytics model if it is here or can be fetched, else the motion localiser.
    `motion`: the motion localiser. Anything else is what `ultralytics.YOLO` takes: a model's name
    ("yolo11s", "yolov8s-worldv2.pt"), or the path of a `.pt`, `.onnx`, OpenVINO folder or other export.
    `words` become the classes of open-vocabulary models (YOLO-World, YOLOE). A named model that cannot
    be fetched falls back to motion with one warning. `device`: "auto", "cpu", "cuda", "cuda:1", "mps".

    Raises InputError for a path that does not exist or holds no usable detector, a name that is no
    model, and a confidence outside (0, 1).
    """
    if not 0 < confidence < 1:
        raise InputError(f"`confidence` is {confidence:g} but must be between 0 and 1")
    if name == "motion":
        return MotionDetector()
    if _is_path(name):
        return UltralyticsDetector(_existing(name), device, words, confidence, offline, name)
    model = DEFAULT_MODEL if name == "auto" else name if name.endswith(".pt") else f"{name}.pt"
    try:
        path = _weights(model, offline)
    except FoleyspaceError as error:
        if isinstance(error, InputError):
            raise
        logger.warning("detector %s: %s; objects are found by their motion instead", model, error)
        return MotionDetector()
    try:
        return UltralyticsDetector(path, device, words, confidence, offline, model)
    except FoleyspaceError as error:
        if name != "auto":
            raise
        logger.warning("detector %s: %s; objects are found by their motion instead", model, error)
        return MotionDetector()


def _is_path(name: str) -> bool:
    """A path rather than a model's name: it exists, has a separator, or an ending other than `.pt`."""
    path = Path(name).expanduser()
    separated = path.name != name or name.startswith("~")
    return name != "auto" and (path.exists() or separated or path.suffix not in ("", ".pt"))


def _existing(name: str) -> Path:
    path = Path(name).expanduser()
    if not path.exists():
        raise InputError(
            f"`detector` is {name!r} but there is no such file; "
            "it must be auto, motion, a model's name or a path"
        )
    if path.is_file() and path.stat().st_size == 0:
        raise InputError(f"`detector` is {name!r} but the file is empty")
    if path.is_dir() and not any(path.iterdir()):
        raise InputError(f"`detector` is {name!r} but the folder is empty")
    return path.resolve()


def _weights(model: str, offline: bool) -> Path:
    """The file of a model Ultralytics offers, fetched if need be."""
    found = find_weights(model, weight_folders())
    if found:
        return found.resolve()
    if model != DEFAULT_MODEL:
        import_ultralytics()
        from ultralytics.utils.downloads import GITHUB_ASSETS_NAMES

        if model not in GITHUB_ASSETS_NAMES:
            raise InputError(
                f"`detector` is {model!r} but must be auto, motion, a model Ultralytics offers (as yolo11n) "
                "or the path of a file"
            )
    if offline:
        raise FoleyspaceError("not on this machine, and offline")
    return fetch_weights(model, cache_dir("weights"))
