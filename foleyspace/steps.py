"""The pictures of a clip as steps: cuts found, thinned to a step rate, with the motion since the step before.

None of this needs to know what is in the picture, so it is made ahead, in a thread of its own, while the
detector looks at the step before.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from foleyspace.camera_motion import LONG_SIDE, MotionField, motion_field
from foleyspace.shots import AHEAD, CutDetector

STEPS_AHEAD = 12  # held at most: a second of pictures
PATIENCE_S = 0.2  # between two looks at whether anybody still wants the steps

T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """One processed moment: `time` s, `frame` uint8 RGB (H, W, 3), `field`: the motion since the step
    before (not valid at the first of a shot), `greys`: the two pictures it was made of, reduced, None at the
    first of a shot."""

    time: float
    frame: NDArray[np.uint8]
    field: MotionField
    greys: tuple[NDArray[Any], NDArray[Any]] | None

    @property
    def starts(self) -> bool:
        """Whether it is the first of a shot."""
        return self.greys is None


def steps(
    frames: Iterable[tuple[int, float, NDArray[np.uint8]]], fps: float, step_hz: float
) -> Generator[Step, None, None]:
    """About `step_hz` steps a second of `frames` (index, time s, RGB), and one right after every cut."""
    import cv2

    previous: NDArray[Any] | None = None
    field: MotionField | None = None
    previous_time = -np.inf
    for time, frame, is_cut in _with_cuts(frames):
        if is_cut:
            previous, field, previous_time = None, None, -np.inf
        if time - previous_time < 1 / step_hz - 0.5 / fps:
            continue
        gray = cv2.cvtColor(_small(frame, cv2), cv2.COLOR_RGB2GRAY)
        starts = previous is None
        field = motion_field(previous, gray, 1.0 if starts else max(time - previous_time, 1e-3), field)
        yield Step(time, frame, field, None if previous is None else (previous, gray))
        previous, previous_time = gray, time


def made_ahead(source: Generator[T, None, None], most: int = STEPS_AHEAD) -> Generator[T, None, None]:
    """The same items, made in a thread of their own, at most `most` ahead. What `source` raises is raised
    here; when this is closed, so is `source`."""
    waiting: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(most)
    unwanted = threading.Event()

    def put(entry: tuple[T | None, BaseException | None]) -> None:
        while not unwanted.is_set():
            try:
                return waiting.put(entry, timeout=PATIENCE_S)
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in source:
                put((item, None))
                if unwanted.is_set():
                    break
            source.close()
            put((None, None))
        except BaseException as error:
            put((None, error))

    thread = threading.Thread(target=work, name="foleyspace-steps", daemon=True)
    thread.start()
    try:
        while True:
            try:  # in short waits: Ctrl-C must come through, on Windows too
                item, error = waiting.get(timeout=PATIENCE_S)
            except queue.Empty:
                continue
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        unwanted.set()
        thread.join(timeout=10 * PATIENCE_S)  # a decoder that hangs is ended by its own watch


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
    factor = LONG_SIDE / max(height, width)
    if factor >= 1:
        return frame
    size = (max(2, round(width * factor)), max(2, round(height * factor)))
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
