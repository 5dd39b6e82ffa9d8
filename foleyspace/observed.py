"""What is kept of an object while the pictures go by: its boxes, and the motion on and around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from foleyspace.appearance import Appearance
from foleyspace.camera_motion import MotionField
from foleyspace.types import Floats

CELLS = 10  # a grid of CELLS x CELLS covers REACH times the box in width and height
REACH = 2.0
KEYPOINTS = 17  # of a person, in COCO order

# the arrays of a track that have a row a moment
BY_ROW = ("times", "xyxy", "score", "moving", "inner", "depth_m", "seen", "keypoints", "held")

FoundBy = Literal["detector", "motion"]


@dataclass(frozen=True)
class ObservedTrack:
    """One object inside one shot, as seen: `times` (N,), `xyxy` (N, 4) normalised, `score` (N,), `label`;
    `moving` (N, C, C): speed of what moves by itself in a C x C grid that covers `REACH` times the box,
    frame widths per second; `inner` (N, C, C): the same relative to the object's own motion;
    `depth_m` (N,): sampled metric depth, NaN where none was;
    `seen` (N,) bool: the detector saw it at that moment; elsewhere the flow has carried its box;
    `found_by`: "detector", or "motion" for what no detection explains;
    `keypoints` (N, 17, 3): normalised x, y and confidence in COCO order, confidence 0 where not seen; None
    without a pose model; `appearance` (D,): what it looks like on average (`appearance.describe`), or None;
    `held` (N, 3): where a person holds something (`held.held_points`), None for anything else.
    """

    id: str
    label: str
    times: Floats
    xyxy: Floats
    score: Floats
    moving: NDArray[np.float16]
    inner: NDArray[np.float16]
    depth_m: Floats
    seen: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    found_by: FoundBy = "detector"
    keypoints: NDArray[np.float32] | None = None
    appearance: Appearance | None = None
    held: Floats | None = None

    def __post_init__(self) -> None:
        if len(self.seen) != len(self.times):  # not said: every row was
            object.__setattr__(self, "seen", np.ones(len(self.times), bool))

    def rows(self, keep: NDArray[np.bool_]) -> ObservedTrack:
        """The track with those of its moments only that `keep` (N,) says."""
        kept = {name: a[keep] for name in BY_ROW if (a := getattr(self, name)) is not None}
        return replace(self, **kept)


@dataclass
class Row:
    """One moment of an object that is being followed."""

    time: float
    xyxy: Floats
    score: float
    moving: NDArray[np.float16]
    inner: NDArray[np.float16]
    depth_m: float
    seen: bool
    keypoints: NDArray[np.float32] | None = None


def observed(
    identity: str, label: str, rows: Sequence[Row], found_by: FoundBy, looks: Appearance | None
) -> ObservedTrack:
    """The track that `rows` (at least one) make; boxes are clipped to the frame."""
    keypoints = None
    if any(row.keypoints is not None for row in rows):
        nowhere = np.zeros((KEYPOINTS, 3), np.float32)
        keypoints = np.array([nowhere if row.keypoints is None else row.keypoints for row in rows])
    return ObservedTrack(
        id=identity,
        label=label,
        times=np.array([row.time for row in rows]),
        xyxy=np.clip(np.array([row.xyxy for row in rows], np.float64), 0, 1),
        score=np.array([row.score for row in rows]),
        moving=np.array([row.moving for row in rows]),
        inner=np.array([row.inner for row in rows]),
        depth_m=np.array([row.depth_m for row in rows]),
        seen=np.array([row.seen for row in rows]),
        found_by=found_by,
        keypoints=keypoints,
        appearance=looks,
    )


def motion_cells(field: MotionField, boxes: Floats) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """Independent motion on and around boxes (K, 4): two (K, CELLS, CELLS) grids over `REACH` times each
    box, of the speed itself and of the speed relative to the box's median motion; 0 outside the picture."""
    import cv2

    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    k = len(boxes)
    if k == 0 or not field.residual.any():
        still = np.zeros((k, CELLS, CELLS), np.float16)
        return still, still
    h, w = field.residual.shape
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]) / 2 * REACH
    fine = 4 * CELLS  # averaged down to CELLS: each cell sees all its pixels
    steps = (np.arange(fine) + 0.5) / fine * 2 - 1
    x = (centre[:, :1] + half[:, :1] * steps) * w - 0.5
    y = (centre[:, 1:] + half[:, 1:] * steps) * h - 0.5
    map_x = np.broadcast_to(x[:, None, :], (k, fine, fine)).reshape(k * fine, fine).astype(np.float32)
    map_y = np.broadcast_to(y[:, :, None], (k, fine, fine)).reshape(k * fine, fine).astype(np.float32)
    flow = cv2.remap(field.flow, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    flow = flow.reshape(k, fine, fine, 2)
    speed = np.hypot(flow[..., 0], flow[..., 1])
    inside = slice(round(fine * (1 - 1 / REACH) / 2), round(fine * (1 + 1 / REACH) / 2))
    own = np.median(flow[:, inside, inside].reshape(k, -1, 2), axis=1)[:, None, None]
    relative = np.hypot(flow[..., 0] - own[..., 0], flow[..., 1] - own[..., 1])
    return _pool(speed), _pool(np.where(speed > 0, relative, 0.0))


def _pool(fine: NDArray[Any]) -> NDArray[Any]:
    k, n = len(fine), fine.shape[1] // CELLS
    # half precision: an hour of film has hundreds of thousands of these
    return fine.reshape(k, CELLS, n, CELLS, n).mean(axis=(2, 4)).astype(np.float16)
