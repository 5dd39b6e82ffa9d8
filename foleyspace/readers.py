"""Three ways to decode frames, one contract: yield (index, RGB frame) for the indices `first`, `first` +
`every`, ..., ending early when the reader can go no further.

- decord: in a process of its own (see decord_child.py), for whole clips that fit in `DECORD_BYTES`: it
  decodes ahead of its reader without bound, so what it could hold at most is what the clip holds.
- OpenCV: in this process, bounded memory, finds each frame's place by its time stamp.
- ffmpeg: the bundled program, for codecs that neither of the two can decode (AV1), and for pictures that are
  turned or mirrored for display: it alone does all of that.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.ffmpeg import decoding, opened, reading
from foleyspace.streams import inspect, picture_times
from foleyspace.types import Clip

Frame = NDArray[np.uint8]
Frames = Iterator[tuple[int, Frame]]
Reader = Callable[[Clip, tuple[int, int], int, int], Frames]

DECORD_BYTES = 640 * 2**20
STALL_S = 20.0  # for one frame
SEEK_FROM = 100  # frames before the first wanted one, from which a seek is worth it


def decord_suits(clip: Clip, size_wh: tuple[int, int]) -> bool:
    """Whether decord is there and safe for this clip: small enough, no packets outside an edit list (it shows
    them), a container it can seek in (not MPEG-TS)."""
    width, height = size_wh
    shown = picture_times(clip.path)
    return (
        len(clip.times) * width * height * 3 <= DECORD_BYTES
        and inspect(clip.path).formats[0] in ("mov", "matroska")
        and shown is not None
        and shown.exact
        and find_spec("decord") is not None
    )


def read_decord(clip: Clip, size_wh: tuple[int, int], first: int, every: int) -> Frames:
    """Frames by decord. Empty when it fails on the file."""
    width, height = size_wh
    child = Path(__file__).with_name("decord_child.py")
    numbers = (width, height, first, every, len(clip.times))
    command = [sys.executable, "-I", str(child), str(Path(clip.path).absolute()), *map(str, numbers)]
    with reading(command, STALL_S) as process:
        for index in range(first, len(clip.times), every):
            data = process.read(width * height * 3)
            if len(data) < width * height * 3:
                return
            yield index, np.frombuffer(data, np.uint8).reshape(height, width, 3)


def read_opencv(clip: Clip, size_wh: tuple[int, int], first: int, every: int) -> Frames:
    """Frames by OpenCV. A frame that the decoder leaves out is left out; its neighbours keep their times."""
    shown = picture_times(clip.path)
    stamped = shown is not None and not shown.decoded  # else its time stamps count from somewhere else
    capture, index = _opened_at(clip, first if stamped else 0)
    import cv2

    try:
        waiting = index >= 0  # a frame is grabbed already
        wanted = first
        while waiting or (index < len(clip.times) - 1 and capture.grab()):
            if not waiting:
                found = _index_at(clip.times, capture.get(cv2.CAP_PROP_POS_MSEC)) if stamped else None
                index = index + 1 if found is None or found <= index else found
            waiting = False
            if index > wanted:  # dropped by the decoder
                wanted += -(-(index - wanted) // every) * every
            if index < wanted:
                continue
            good, frame = capture.retrieve()
            if not good:
                continue
            if (frame.shape[1], frame.shape[0]) != size_wh:
                frame = cv2.resize(frame, size_wh, interpolation=cv2.INTER_AREA)
            yield index, np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)
            wanted += every
    finally:
        capture.release()


def _opened_at(clip: Clip, first: int) -> tuple[Any, int]:
    """An OpenCV reader and the index of the frame it has grabbed, `first` or one before it; -1 when it stands
    at the start with nothing grabbed. OpenCV seeks by an average frame rate: where it lands is checked."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # corrupt frames: we say it in one line
    import cv2

    capture = cv2.VideoCapture(str(Path(clip.path).absolute()), cv2.CAP_FFMPEG)
    if first < SEEK_FROM:
        return capture, -1
    capture.set(cv2.CAP_PROP_POS_MSEC, (clip.times[first] - 1.0) * 1000)
    found = _index_at(clip.times, capture.get(cv2.CAP_PROP_POS_MSEC)) if capture.grab() else None
    if found is not None and found <= first:
        return capture, found
    capture.release()
    return cv2.VideoCapture(str(Path(clip.path).absolute()), cv2.CAP_FFMPEG), -1


def _index_at(times: NDArray[np.float64], time_ms: float) -> int | None:
    """The index of the frame shown at `time_ms`, to 2 ms; None where no frame is near."""
    after = int(np.searchsorted(times, time_ms / 1000))
    near = [k for k in (after - 1, after) if 0 <= k < len(times) and abs(times[k] - time_ms / 1000) < 2e-3]
    return min(near, key=lambda k: abs(times[k] - time_ms / 1000), default=None)


def read_ffmpeg(clip: Clip, size_wh: tuple[int, int], first: int, every: int) -> Frames:
    """Frames by the bundled ffmpeg."""
    width, height = size_wh
    video = inspect(clip.path).video
    if video is None:
        return
    select = f"select=gte(n\\,{first})*not(mod(n-{first}\\,{every}))"
    args = ["-v", "error", *opened(clip.path), "-map", f"0:{video.index}"]
    args += ["-vf", f"{select},scale={width}:{height}:flags=area", "-fps_mode", "passthrough"]
    args += ["-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    with decoding(args, STALL_S) as process:
        for index in range(first, len(clip.times), every):
            data = process.read(width * height * 3)
            if len(data) < width * height * 3:
                return
            yield index, np.frombuffer(data, np.uint8).reshape(height, width, 3)
