"""What every detector hands over for a frame: boxes, and identities where it follows things by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from foleyspace.camera_motion import MotionField
from foleyspace.errors import FoleyspaceError


@dataclass(frozen=True)
class Detections:
    """K objects in one frame: `ids` (K,) int64, the same for the same object as long as the detector
    follows it, all -1 from a detector that does not; `xyxy` (K, 4) normalised, clipped to the frame;
    `score` (K,) in [0, 1]; `labels` K words; `keypoints` (K, 17, 3): normalised x, y and confidence in
    COCO order from a pose model, else None."""

    ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    xyxy: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 4)))
    score: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    labels: tuple[str, ...] = ()
    keypoints: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        ids = np.array(self.ids, np.int64).reshape(-1)
        k = len(ids)
        xyxy = np.array(self.xyxy, np.float64).reshape(-1, 4)
        score = np.array(self.score, np.float64).reshape(-1)
        if len(xyxy) != k or len(score) != k or len(self.labels) != k:
            raise FoleyspaceError(
                f"`Detections` has {k} ids, {len(xyxy)} boxes, {len(score)} scores and "
                f"{len(self.labels)} labels but must have as many of each"
            )
        if not (np.isfinite(xyxy).all() and np.isfinite(score).all()):
            raise FoleyspaceError("`Detections` holds NaN or infinite values but must be finite")
        for name, value in (("ids", ids), ("xyxy", np.clip(xyxy, 0, 1)), ("score", np.clip(score, 0, 1))):
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        if self.keypoints is not None:
            points = np.array(self.keypoints, np.float32)
            if points.shape != (k, 17, 3) or not np.isfinite(points).all():
                raise FoleyspaceError(
                    f"`Detections.keypoints` has shape {points.shape} but must be ({k}, 17, 3) and finite"
                )
            points.setflags(write=False)
            object.__setattr__(self, "keypoints", points)

    def __len__(self) -> int:
        return len(self.ids)


class Detector(Protocol):
    """Looks at one frame; frames of a shot come in order. `name` is what was loaded; `kind` is "motion" for
    the one that follows things by itself and is asked at every step, else e.g. "ultralytics".
    `rate_hz`: how often it is worth asking; None: as often as the picture calls for (`density`).
    `takes_words`: whether it looks for the words it is given. `reset` starts a new shot: what it knows of
    the last is dropped, ids never come back."""

    name: str
    kind: str
    rate_hz: float | None
    takes_words: bool

    def __call__(self, frame_rgb: NDArray[Any], motion: MotionField) -> Detections: ...

    def reset(self) -> None: ...
