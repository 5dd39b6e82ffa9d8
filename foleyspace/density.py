"""When to look: a detector is asked often where boxes become uncertain or new things appear, else seldom.

Every look costs as much as ten steps without one. What it would tell is estimated from what is known for
nothing: how far carried boxes may be off by now, tracks not sure yet, motion that no track explains.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from foleyspace.boxes import cells
from foleyspace.camera_motion import MotionField
from foleyspace.types import Floats

LEAST_HZ = 2.5  # where nothing happens
MEAN_HZ = 3.5  # on the long run, where always something does
BURST = 5.0  # looks that may be made at once beyond that
UNSURE_HZ = 8.0  # while a track is new, or a sure one was missed
DOUBT = 0.12  # of its own size: a box that may be off by this is looked for
NEW_MOTION = 0.004  # of the picture: motion that came up since the last look and that no track explains
FOREGROUND = 0.35  # evidence from which a cell counts as moving


@dataclass(frozen=True)
class Concern:
    """What a look could tell of a track: `doubt`, its box may be off by that share of its size; `unsure`:
    new, or missed at the last look though it was sure."""

    xyxy: Floats
    doubt: float
    unsure: bool


class Density:
    """Decides step by step. Times count inside one shot; a new shot is a new `Density`."""

    def __init__(self) -> None:
        self._last = -np.inf
        self._credit = BURST
        self._known = 0.0  # unexplained motion at the last look

    def due(self, time: float, field: MotionField, concerns: Iterable[Concern]) -> bool:
        """Whether to look at this step; `looked` is to be called when it was done."""
        since = time - self._last
        if not np.isfinite(since):
            return True
        if since >= 1 / LEAST_HZ - 1e-6:
            return True
        if self._credit + since * MEAN_HZ < 1:
            return False
        concerns = list(concerns)
        if any(c.doubt > DOUBT for c in concerns):
            return True
        if since < 1 / UNSURE_HZ - 1e-6:
            return False
        new = unexplained(field, [c.xyxy for c in concerns]) - self._known
        return new > NEW_MOTION or any(c.unsure for c in concerns)

    def looked(self, time: float, field: MotionField, boxes: list[Floats]) -> None:
        """A look was made at `time` and gave tracks with these boxes."""
        since = min(time - self._last, BURST / MEAN_HZ)
        self._credit = min(BURST, self._credit + since * MEAN_HZ) - 1
        self._last = time
        self._known = unexplained(field, boxes)


def unexplained(field: MotionField, boxes: list[Floats]) -> float:
    """The share of the picture that moves by itself outside all boxes (each a little enlarged)."""
    if not field.valid:
        return 0.0
    moving = field.foreground > FOREGROUND
    if not moving.any():
        return 0.0
    h, w = moving.shape
    free = moving.copy()
    for xyxy in boxes:
        margin = 0.15 * (xyxy[2:] - xyxy[:2])
        free[cells(xyxy + np.concatenate([-margin, margin]), w, h)] = False
    return float(free.mean())
