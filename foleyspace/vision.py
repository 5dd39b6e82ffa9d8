"""One pass over the pictures: cuts, camera motion, objects with identity, what moves inside each, depth.

Everything is read off while a frame is there; what is kept is about a kilobyte an object and step (47 MB an
hour and object that is always there), never a picture.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace.boxes import cells, spanning
from foleyspace.density import Density
from foleyspace.detections import Detections, Detector
from foleyspace.following import CONFIRMED, Followed, Follower, in_frame
from foleyspace.held import HOLDERS, Glimpses, held_points
from foleyspace.motion import LABEL, MotionDetector
from foleyspace.observed import ObservedTrack, Row, motion_cells, observed
from foleyspace.sounding_priors import sound_kind
from foleyspace.steps import Step, made_ahead, steps
from foleyspace.types import Clip, Floats

if TYPE_CHECKING:
    from foleyspace.depth import DepthModel

VISION_WIDTH = 640  # px: what detectors look at
STEP_HZ = 12.0  # motion is read and boxes are carried this often
MIN_OBSERVATIONS = 3
MOVER_S = 0.6  # beside a detector, what moves for less is a flicker at the edge of something
EXPLAINED = 0.6  # of the moving things in a box: as much inside detected boxes leaves nothing to add

logger = logging.getLogger("foleyspace")


@dataclass(frozen=True)
class Observations:
    """What the pass over the pictures found: `clip` with its cuts filled in, the tracks, how often the
    detector looked, and the number of steps."""

    clip: Clip
    tracks: tuple[ObservedTrack, ...]
    looks: int = 0
    steps: int = 0


@dataclass
class _Mover:
    """What the motion localiser follows beside a detector: its rows, and at how many of them detected
    objects explained the motion."""

    rows: list[Row] = field(default_factory=list)
    explained: int = 0


def observe(
    clip: Clip,
    frames: Iterable[tuple[int, float, NDArray[np.uint8]]],
    detector: Detector,
    depth_model: DepthModel | None = None,
    detect_hz: float | None = None,
) -> Observations:
    """Watch all `frames` (index, time s, RGB (H, W, 3)) of a clip once.

    Every frame is looked at for cuts; about `STEP_HZ` times a second the camera's motion and the motion on
    the objects are read off. The detector is asked right after every cut, then `detect_hz` times a second;
    None: as often as its `rate_hz` says, or as the picture calls for (`density`).
    """
    looker = _Looker(detector, detect_hz or detector.rate_hz)
    hz = looker.hz or STEP_HZ
    step_hz = hz if looker.alone else max(STEP_HZ, hz)
    cuts: list[float] = []
    tracks: list[ObservedTrack] = []
    last_depth, count, shot = -np.inf, 0, 0
    looker.reset()
    with closing(made_ahead(steps(frames, float(clip.fps), step_hz))) as ahead:
        for step in ahead:
            if step.starts and count:
                cuts.append(step.time)
                tracks += looker.finish(shot)
                shot, last_depth = shot + 1, -np.inf
                looker.reset()
            count += 1
            rows = looker.step(step)
            boxes = np.array([row.xyxy for row in rows]).reshape(-1, 4)
            moving, inner = motion_cells(step.field, np.clip(boxes, 0, 1))
            for k, row in enumerate(rows):
                row.moving, row.inner = moving[k], inner[k]
            if (
                depth_model is not None
                and rows
                and step.time - last_depth >= depth_model.sample_step_s - 1e-3
            ):
                _sample_depth(depth_model, step, rows)
                last_depth = step.time
    tracks += looker.finish(shot)
    logger.info("the detector looked at %d of %d frames", looker.looks, len(clip.times))
    return Observations(replace(clip, cuts=tuple(cuts)), tuple(tracks), looker.looks, count)


def _sample_depth(model: DepthModel, step: Step, rows: list[Row]) -> None:
    from foleyspace.depth import sample_depth

    depth = model.depth_map(step.frame)
    for row in rows:
        row.depth_m = sample_depth(depth, np.clip(row.xyxy, 0, 1))


class _Looker:
    """A detector with what follows its boxes and, beside it, what finds things by their motion alone.

    `alone`: the detector is the motion localiser itself. `hz`: looks a second, None as called for."""

    def __init__(self, detector: Detector, hz: float | None) -> None:
        self.alone = detector.kind == "motion"
        self.hz = hz
        self.looks = 0
        self._detector = detector
        self._follower = Follower()
        self._localiser = None if self.alone else MotionDetector(every=2)
        self._movers: dict[int, _Mover] = {}
        self._density = Density()
        self._last_look = -np.inf
        self._glimpses: list[tuple[float, Glimpses]] = []

    def reset(self) -> None:
        """A new shot."""
        self._detector.reset()
        self._follower.reset()
        if self._localiser is not None:
            self._localiser.reset()
        self._movers, self._density, self._last_look, self._glimpses = {}, Density(), -np.inf, []

    def step(self, step: Step) -> list[Row]:
        """The rows of everything that is there at a step, appended to their tracks; the motion on them and
        their depth are still to be filled in."""
        if self._localiser is None:
            self.looks += 1
            return self._move(step, self._detector(step.frame, step.field), [])
        follower = self._follower
        follower.carry(step.time, step.field, step.greys)
        if self._due(step):
            self.looks += 1
            self._last_look = step.time
            found = self._detector(step.frame, step.field)
            follower.update(step.time, step.frame, _of_one_thing(found))
            self._glimpses.append((step.time, Glimpses(found.xyxy, found.score, found.labels).inanimate()))
            self._density.looked(step.time, step.field, [t.xyxy for t in follower.shown])
        rows = []
        for track in follower.shown:
            row = _row(step.time, track.xyxy, track.score_at(step.time), track.seen_now)
            row.keypoints = track.keypoints
            track.rows.append(row)
            rows.append(row)
        boxes = [track.xyxy for track in follower.shown]
        return rows + self._move(step, self._localiser(step.frame, step.field), boxes)

    def finish(self, shot: int) -> list[ObservedTrack]:
        """The tracks of a shot that has ended; what was seen too briefly is dropped, and movers that
        detected objects explain."""
        out = [self._finished(track, shot) for track in self._follower.tracks if _worth(track)]
        for identity, mover in self._movers.items():
            lasted = mover.rows[-1].time - mover.rows[0].time
            long = len(mover.rows) >= MIN_OBSERVATIONS and (self.alone or lasted >= MOVER_S)
            if long and mover.explained <= 0.5 * len(mover.rows):
                name = (
                    f"moving-object-{shot + 1}.{identity}" if self.alone else f"moving-{shot + 1}.{identity}"
                )
                out.append(observed(name, LABEL, mover.rows, "motion", None))
        return out

    def _finished(self, track: Followed, shot: int) -> ObservedTrack:
        name = f"{track.label.replace(' ', '-')}-{shot + 1}.{track.id}"
        rows = [row for row in track.rows if in_frame(row.xyxy[None])[0] > 0]  # put right in hindsight: gone
        whole = observed(name, track.label, rows, "detector", track.look)
        if sound_kind(track.label) not in HOLDERS:
            return whole
        return replace(whole, held=held_points(whole.times, whole.xyxy, whole.inner, self._glimpses))

    def _due(self, step: Step) -> bool:
        if self.hz is None:
            return self._density.due(step.time, step.field, self._follower.concerns())
        return step.time - self._last_look >= 1 / self.hz - 0.5 / max(STEP_HZ, self.hz)

    def _move(self, step: Step, found: Detections, detected: list[Floats]) -> list[Row]:
        rows = []
        explained = _explained(step.field.foreground, found.xyxy, detected)
        for k, identity in enumerate(found.ids):
            mover = self._movers.setdefault(int(identity), _Mover())
            row = _row(step.time, found.xyxy[k], float(found.score[k]), True)
            mover.rows.append(row)
            mover.explained += bool(explained[k] >= EXPLAINED)
            rows.append(row)
        return rows


def _of_one_thing(found: Detections) -> Detections:
    """Detections without the boxes that are drawn around two things at once."""
    single = ~spanning(found.xyxy, found.score)
    return Detections(
        found.ids[single],
        found.xyxy[single],
        found.score[single],
        tuple(label for label, keep in zip(found.labels, single, strict=True) if keep),
        None if found.keypoints is None else found.keypoints[single],
    )


def _row(time: float, xyxy: Floats, score: float, seen: bool) -> Row:
    return Row(time, xyxy.copy(), score, _NOTHING, _NOTHING, np.nan, seen)


_NOTHING = np.zeros((0, 0), np.float16)


def _worth(track: Followed) -> bool:
    return track.seen >= CONFIRMED and len(track.rows) >= MIN_OBSERVATIONS


def _explained(foreground: NDArray[np.float32], boxes: Floats, others: list[Floats]) -> Floats:
    """The share (K,) of the moving things in each of `boxes` (K, 4) that lies in any of `others`."""
    if not len(boxes) or not others:
        return np.zeros(len(boxes))
    h, w = foreground.shape
    rest = foreground.copy()
    for other in others:
        rest[cells(other, w, h)] = 0
    windows = [cells(box, w, h) for box in boxes]
    total = np.array([foreground[window].sum() for window in windows])
    return 1 - np.array([rest[window].sum() for window in windows]) / np.maximum(total, 1e-9)
