"""What every detector hands over for a frame: boxes with identities."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from foleyspace.camera_motion import MotionField
from foleyspace.errors import FoleyspaceError


@dataclass(frozen=True)
class Detections:
    """K objects in one frame: `ids` (K,) int64, the same for the same object as long as it is followed;
    `xyxy` (K, 4) normalised, clipped to the frame; `score` (K,) in [0, 1]; `labels` K words."""

    ids: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    xyxy: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 4)))
    score: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    labels: tuple[str, ...] = ()

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

    def __len__(self) -> int:
        return len(self.ids)


class Detector(Protocol):
    """Called once for every processed frame, in order. `name` is what was loaded, `kind` is "motion" or
    "ultralytics". `rate_hz`: how often it is worth asking. `reset` starts a new shot: tracks are
    dropped, and their ids never come back."""

    name: str
    kind: str
    rate_hz: float

    def __call__(self, frame_rgb: NDArray[Any], motion: MotionField) -> Detections: ...

    def reset(self) -> None: ...
