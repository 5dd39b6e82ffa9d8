"""One pass over the pictures: cuts, camera motion, objects with identity, what moves inside each, depth.

Everything is read off while a frame is there; what is kept is a few numbers an object and moment, so
an hour costs little more memory than a minute.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.camera_motion import MotionField, motion_field
from foleyspace.detections import Detector
from foleyspace.observed import ObservedTrack, motion_cells
from foleyspace.shots import AHEAD, CutDetector
from foleyspace.types import Clip, Floats

if TYPE_CHECKING:
    from foleyspace.depth import DepthModel

VISION_WIDTH = 640  # px: what detectors look at
MIN_OBSERVATIONS = 3

logger = logging.getLogger("foleyspace")


@dataclass(frozen=True)
class Observations:
    """What the pass over the pictures found: `clip` with its cuts filled in, and the tracks."""

    clip: Clip
    tracks: tuple[ObservedTrack, ...]


class _Growing:
    """Rows of one track while its shot goes on."""

    def __init__(self) -> None:
        self.labels: dict[str, float] = {}
        self.rows: list[tuple[float, Floats, float, NDArray[Any], NDArray[Any], float]] = []


def observe(
    clip: Clip,
    frames: Iterable[tuple[int, float, NDArray[np.uint8]]],
    detector: Detector,
    depth_model: DepthModel | None = None,
    detect_hz: float = 6.0,
) -> Observations:
    """Watch all `frames` (index, time s, RGB (H, W, 3)) of a clip once.

    Every frame is looked at for cuts; about `detect_hz` times a second (and right after a cut) the
    camera's motion, the objects and the motion on them are read off.
    """
    import cv2

    cuts: list[float] = []
    tracks: list[ObservedTrack] = []
    growing: dict[int, _Growing] = {}
    previous: NDArray[Any] | None = None
    field: MotionField | None = None
    previous_time = last_depth = -np.inf
    shot = 0
    detector.reset()
    for time, frame, is_cut in _with_cuts(frames):
        if is_cut:
            cuts.append(time)
            tracks += _finish(growing, shot)
            growing, previous, field, shot = {}, None, None, shot + 1
            previous_time = last_depth = -np.inf
            detector.reset()
        if time - previous_time < 1 / detect_hz - 0.5 / float(clip.fps):
            continue
        gray = cv2.cvtColor(_small(frame, cv2), cv2.COLOR_RGB2GRAY)
        dt = max(time - previous_time, 1e-3) if previous is not None else 1.0
        field = motion_field(previous, gray, dt, field)
        found = detector(frame, field)
        depth = None
        if depth_model is not None and len(found) and time - last_depth >= depth_model.sample_step_s - 1e-3:
            depth, last_depth = depth_model.depth_map(frame), time
        for k, identity in enumerate(found.ids):
            track = growing.setdefault(int(identity), _Growing())
            label, score = found.labels[k], float(found.score[k])
            track.labels[label] = track.labels.get(label, 0.0) + score
            track.rows.append(_row(time, found.xyxy[k], score, field, depth))
        previous, previous_time = gray, time
    tracks += _finish(growing, shot)
    return Observations(
        clip=replace(clip, cuts=tuple(cuts)),
        tracks=tuple(tracks),
    )


def _with_cuts(
    frames: Iterable[tuple[int, float, NDArray[np.uint8]]],
) -> Iterator[tuple[float, NDArray[np.uint8], bool]]:
    """(time, frame, whether it is the first after a cut), held back until that is certain."""
    detector = CutDetector()
    cuts: set[float] = set()
    held: deque[tuple[float, NDArray[np.uint8]]] = deque()
    for _, time, frame in frames:
        held.append((time, frame))
        cuts.update(detector.feed(time, frame))
        if len(held) > AHEAD:
            time, frame = held.popleft()
            yield time, frame, time in cuts
    cuts.update(detector.finish())
    for time, frame in held:
        yield time, frame, time in cuts


def _small(frame: NDArray[np.uint8], cv2: Any) -> NDArray[np.uint8]:
    height, width = frame.shape[:2]
    factor = 320 / max(height, width)
    if factor >= 1:
        return frame
    size = (max(2, round(width * factor)), max(2, round(height * factor)))
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA)


def _row(
    time: float, xyxy: Floats, score: float, field: MotionField, depth: NDArray[np.float32] | None
) -> tuple[float, Floats, float, NDArray[Any], NDArray[Any], float]:
    moving, inner = motion_cells(field, xyxy)
    metres = np.nan
    if depth is not None:
        from foleyspace.depth import sample_depth

        metres = sample_depth(depth, xyxy)
    return time, np.asarray(xyxy, np.float64), score, moving, inner, metres


def _finish(growing: dict[int, _Growing], shot: int) -> list[ObservedTrack]:
    """The tracks of a shot that has ended; what was seen too briefly is dropped."""
    finished = []
    for identity, track in growing.items():
        if len(track.rows) < MIN_OBSERVATIONS:
            continue
        times, xyxy, score, moving, inner, depth = zip(*track.rows, strict=True)
        label = max(track.labels, key=lambda name: track.labels[name])
        finished.append(
            ObservedTrack(
                id=f"{label.replace(' ', '-')}-{shot + 1}.{identity}",
                label=label,
                times=np.array(times),
                xyxy=np.array(xyxy),
                score=np.array(score),
                moving=np.array(moving),
                inner=np.array(inner),
                depth_m=np.array(depth),
            )
        )
    return finished
