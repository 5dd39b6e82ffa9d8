"""Hard cuts, found in a stream of frames that were decoded anyway.

Between two frames of one shot the picture moves, but most of it is still there, somewhere near; a hard cut
replaces it in one frame, for good. So each change between neighbouring frames is scored by how little of the
picture is found again (normalised cross-correlation of small frames, the best over shifts: pans and shakes
score low) and by how its colours differ. A cut is a change that stands out from the changes around it and is
not undone within a third of a second (flashes and broken frames are). `scripts/bench/shots.py` measures this
beside PySceneDetect.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SMALL_WH = (64, 36)
AHEAD = 8  # frames looked at after a change, and before it
NEIGHBOURS = 3  # changes on either side that it is measured against
LEAST_NOT_FOUND = 0.08  # of the faintest cut: this part of the picture is nowhere in the other
LEAST_AFTER_FREEZE = 0.5  # score, where the picture stood still before: lost frames look like a jump
STANDS_OUT = 3.0  # times the largest score around it ...
REPLACED, STANDS_OUT_REPLACED = 0.9, 1.5  # ... less is enough where hardly anything is found again
UNDONE = 0.5  # the picture before is back: its score against a later frame is below this part of the change's
FLAT = 2.0  # grey levels of contrast: a black or blank picture
STILL = 0.4  # grey levels of mean difference: the same frame again


@dataclass(frozen=True)
class _Small:
    time: float
    grey: NDArray[np.float32]
    colours: NDArray[np.float32]
    not_found: float = 0.0  # against the frame before
    change: float = 0.0  # score against the frame before
    moved: bool = True


@dataclass
class CutDetector:
    """Feed every frame in order, collect times of first frames after cuts; they come `AHEAD` frames late.

    >>> detector = CutDetector()
    >>> cuts = [cut for t, frame in frames for cut in detector.feed(t, frame)] + detector.finish()
    """

    _held: deque[_Small] = field(default_factory=lambda: deque(maxlen=2 * AHEAD + 1))
    _seen: int = 0
    _judged: int = 0

    def feed(self, time: float, frame: NDArray[np.uint8]) -> list[float]:
        """`time` s and RGB `frame` (H, W, 3), any size, always the same. Returns cuts now certain."""
        small = _shrink(time, frame)
        if self._held:
            before = self._held[-1]
            moved = bool(np.abs(small.grey - before.grey).mean() > STILL)
            lost = _not_found(before.grey, small.grey) if moved else 0.0
            change = lost + _recoloured(before, small) if moved else 0.0
            small = replace(small, not_found=lost, change=change, moved=moved)
        self._held.append(small)
        self._seen += 1
        return self._judge(self._seen - 1 - AHEAD)

    def finish(self) -> list[float]:
        """The cuts among the last frames."""
        return [cut for index in range(self._judged, self._seen) for cut in self._judge(index)]

    def _judge(self, index: int) -> list[float]:
        if index < self._judged:
            return []
        self._judged = index + 1
        held = list(self._held)
        at = index - (self._seen - len(held))
        return [held[at].time] if at > 0 and _is_cut(held, at) else []


def find_cuts(source: str | Path | Iterable[tuple[float, NDArray[np.uint8]]]) -> tuple[float, ...]:
    """Times, in s, of the first frames after hard cuts: of a video file, or of (time, RGB frame) pairs.
    Raises what `video.probe` and `video.frames` raise."""
    if isinstance(source, (str, Path)):
        from foleyspace.video import frames, probe

        pictures = frames(probe(source), width=160)
        source = ((time, frame) for _, time, frame in pictures)
    detector = CutDetector()
    cuts = [cut for time, frame in source for cut in detector.feed(time, frame)]
    return tuple(cuts + detector.finish())


def _shrink(time: float, frame: NDArray[np.uint8]) -> _Small:
    import cv2

    rgb = cv2.resize(frame, SMALL_WH, interpolation=cv2.INTER_AREA)
    grey = cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 0.7)
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    colours = cv2.calcHist([lab], [0, 1, 2], None, [8, 16, 16], [0, 256] * 3).ravel()
    return _Small(time, grey.astype(np.float32), colours / colours.sum())


def _score(a: _Small, b: _Small) -> float:
    """0: the same picture, shifted perhaps; 2: nothing in common."""
    return _not_found(a.grey, b.grey) + _recoloured(a, b)


def _recoloured(a: _Small, b: _Small) -> float:
    """The part of the pixels, in [0, 1], whose colour the other picture does not have."""
    return 0.5 * float(np.abs(a.colours - b.colours).sum())


def _not_found(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """1 minus the best correlation of the middle of one with any place in the other, in [0, 1]."""
    import cv2

    contrast = sorted((float(a.std()), float(b.std())))
    if contrast[0] < FLAT:  # black, or nothing to compare: lost is what contrast the other has
        return float(np.clip((contrast[1] - FLAT) / 10, 0.0, 1.0))
    height, width = a.shape
    inner = (slice(height // 6, -(height // 6)), slice(width // 6, -(width // 6)))
    best = 0.0
    for one, other in ((a, b), (b, a)):
        middle = one[inner]
        if middle.std() > 1.0:
            best = max(best, float(cv2.matchTemplate(other, middle, cv2.TM_CCOEFF_NORMED).max()))
    return 1.0 - min(best, 1.0)


def _is_cut(held: list[_Small], at: int) -> bool:
    change = held[at].change
    frozen = at > 3 and not any(frame.moved for frame in held[at - 2 : at])
    if held[at].not_found < LEAST_NOT_FOUND or (frozen and change < LEAST_AFTER_FREEZE):
        return False
    before = [frame.change for frame in reversed(held[1:at]) if frame.moved][:NEIGHBOURS]
    after = [frame.change for frame in held[at + 1 : at + 1 + AHEAD] if frame.moved][:NEIGHBOURS]
    around = max(before + after, default=0.0)
    if change < (STANDS_OUT_REPLACED if change >= REPLACED else STANDS_OUT) * around:
        return False
    returns = [(held[at - 1], frame) for frame in held[at + 1 : at + 1 + AHEAD]]
    returned = [(frame, held[at]) for frame in held[max(at - 1 - AHEAD, 0) : at - 1]]
    return all(_score(one, other) > UNDONE * change for one, other in returns + returned)
