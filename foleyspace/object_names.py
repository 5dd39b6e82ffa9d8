"""Names for what was found by its motion alone: a vision-language model looks at it.

"Moving object" says nothing that what is heard could be compared with; "dog" does. The names to choose from
are those that have a sound (`label_sounds`).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.device import torch_device
from foleyspace.errors import InputError
from foleyspace.keeping import kept
from foleyspace.label_sounds import LABEL_SOUNDS
from foleyspace.model_folder import find_model_folder, one_line
from foleyspace.motion import LABEL
from foleyspace.observed import ObservedTrack
from foleyspace.quiet import quiet_transformers
from foleyspace.types import Clip, Floats

log = logging.getLogger("foleyspace")

NAMES = tuple(LABEL_SOUNDS)
PHOTO = "a photo of a {}"  # as CLIP was asked (Radford et al. 2021)
AROUND = 0.2  # of the box's size is shown on every side
SURE = 0.35  # probability from which on a name is believed
SMALLEST_PX = 16


@dataclass(frozen=True)
class Namer:
    """A loaded model that compares pictures with words (CLIP, SigLIP and their like)."""

    name: str
    _pipeline: Any = field(repr=False)

    def __call__(self, picture: NDArray[np.uint8]) -> tuple[str, float]:
        """The likeliest of `NAMES` for a uint8 RGB picture (H, W, 3), and its probability."""
        from PIL import Image

        found = self._pipeline(
            Image.fromarray(picture), candidate_labels=list(NAMES), hypothesis_template=PHOTO
        )
        return str(found[0]["label"]), float(found[0]["score"])


@kept
def load_namer(name: str, *, device: str = "auto", offline: bool = False) -> Namer | None:
    """A model for zero-shot image classification: a Hugging Face name or a folder; None for "" and, with a
    warning, where the hub does not answer. Raises `InputError` for what is no such model."""
    if not name:
        return None
    folder, why = find_model_folder(name, offline, "namer", "a Hugging Face model name or a folder")
    if folder is None:
        log.warning("`namer` %s not used (%s): what moves stays unnamed", name, why)
        return None
    return Namer(name, _pipeline(folder, name, torch_device(device)))


def _pipeline(folder: Path, name: str, device: str) -> Any:
    from transformers import pipeline

    try:
        with quiet_transformers():
            return pipeline("zero-shot-image-classification", model=str(folder), device=device)
    except Exception as error:  # whatever a broken folder makes transformers raise
        raise InputError(f"`namer` is {name!r} but cannot be loaded: {one_line(error)}") from None


def name_objects(tracks: Sequence[ObservedTrack], clip: Clip, namer: Namer) -> list[ObservedTrack]:
    """The tracks, those found by motion with the name of what they look like at their largest, where the
    model is sure; their ids follow."""
    names: dict[str, str] = {}
    for track in tracks:
        if track.label != LABEL:
            continue
        picture = _largest(track, clip)
        if picture is None:
            continue
        name, probability = namer(picture)
        log.debug("%s looks like %s (%.2f)", track.id, name, probability)
        if probability >= SURE:
            names[track.id] = name
    taken = {track.id for track in tracks}
    count: Counter[str] = Counter()
    named = []
    for track in tracks:
        if track.id in names:
            label = names[track.id]
            count[label] += 1
            while (identity := f"{label.replace(' ', '-')}-{count[label]}") in taken:
                count[label] += 1
            track = replace(track, id=identity, label=label)
        named.append(track)
    if names:
        log.info("named by what they look like: %s", ", ".join(sorted(set(names.values()))))
    return named


def _largest(track: ObservedTrack, clip: Clip) -> NDArray[np.uint8] | None:
    """The picture of an object at the moment it is largest, with a little around it."""
    from foleyspace.video import frames

    size: Floats = (track.xyxy[:, 2] - track.xyxy[:, 0]) * (track.xyxy[:, 3] - track.xyxy[:, 1])
    best = int(np.argmax(size))
    shown = next(frames(clip, start=float(track.times[best])), None)
    if shown is None:
        return None
    frame = shown[2]
    height, width = frame.shape[:2]
    x1, y1, x2, y2 = track.xyxy[best]
    dx, dy = AROUND * (x2 - x1), AROUND * (y2 - y1)
    left, right = (round(float(np.clip(x, 0, 1)) * width) for x in (x1 - dx, x2 + dx))
    top, bottom = (round(float(np.clip(y, 0, 1)) * height) for y in (y1 - dy, y2 + dy))
    if min(right - left, bottom - top) < SMALLEST_PX:
        return None
    return np.ascontiguousarray(frame[top:bottom, left:right])
