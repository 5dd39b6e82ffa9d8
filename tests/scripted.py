"""Drawn films with exact truth, and a detector that sees what a script lets it see."""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from foleyspace.detections import Detections
from foleyspace.types import Clip

W, H, FPS = 320, 180, 25


def texture(w, h, seed, scale=2.0, colour=(1.0, 1.0, 1.0)):
    """Smooth random colour texture (h, w, 3)."""
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.normal(size=(h, w, 3)).astype(np.float32), (0, 0), scale)
    return np.clip((120 + 45 * noise / noise.std()) * np.array(colour), 0, 255).astype(np.uint8)


WORLD = texture(1400, 700, 1)


@dataclass
class Thing:
    """`at`: time s to the centre (x, y) in px of the frame; `size` (w, h) px; `grows` per s."""

    at: Callable
    size: tuple = (56, 44)
    colour: tuple = (1.5, 0.5, 0.4)
    label: str = "car"
    seed: int = 2
    grows: float = 1.0

    def box(self, time):
        x, y = self.at(time)
        w, h = np.array(self.size) * self.grows**time / 2
        return np.array([(x - w) / W, (y - h) / H, (x + w) / W, (y + h) / H])

    @cached_property
    def look(self):
        return texture(*self.size, self.seed, 3, self.colour)


def film(things, seconds, pan=0.0, cuts=()):
    """Frames of things over a textured world under a camera that pans `pan` px a frame."""
    out = []
    for k in range(round(seconds * FPS)):
        time = k / FPS
        shot = sum(time >= cut for cut in cuts)
        origin = np.float32([[1, 0, -150 - pan * k - 300 * shot], [0, 1, -150 - 200 * shot]])
        frame = cv2.warpAffine(WORLD, origin, (W, H), flags=cv2.INTER_LINEAR)
        for thing in things:
            x0, y0, _, _ = thing.box(time) * [W, H, W, H]
            scale = thing.grows**time
            place = np.float32([[scale, 0, x0], [0, scale, y0]])
            w, h = thing.size
            layer = cv2.warpAffine(thing.look, place, (W, H))
            cover = cv2.warpAffine(np.full((h, w), 255, np.uint8), place, (W, H))[..., None] / 255
            frame = (frame * (1 - cover) + layer * cover).astype(np.uint8)
        out.append((k, time, frame))
    return out


def clip_of(frames):
    n = len(frames)
    return Clip(Path("x"), Fraction(FPS), np.arange(n) / FPS, (W, H), n / FPS, None)


@dataclass
class Scripted:
    """Sees `things` in `frames`, noisily. `score(thing, time)`: 0 is a miss; `name(thing, time)`: its label."""

    frames: list
    things: list
    score: Callable = lambda thing, time: 0.8
    name: Callable = lambda thing, time: thing.label
    noise: float = 0.005
    rate_hz: float | None = None
    keypoints: bool = False
    asked: list = field(default_factory=list)
    kind = name_ = "scripted"
    takes_words = False

    def __post_init__(self):
        self.times = {id(frame): time for _, time, frame in self.frames}
        self.rng = np.random.default_rng(0)

    def reset(self):
        pass

    def __call__(self, frame, motion):
        time = self.times[id(frame)]
        self.asked.append(time)
        boxes, scores, labels = [], [], []
        for thing in self.things:
            box, score = thing.box(time), self.score(thing, time)
            inside = np.clip(box, 0, 1)
            if score > 0 and (inside[2:] - inside[:2] > 0.02).all():
                boxes.append(inside + self.rng.normal(0, self.noise, 4))
                scores.append(score)
                labels.append(self.name(thing, time))
        points = None
        if self.keypoints:
            points = np.zeros((len(boxes), 17, 3))
            for k, box in enumerate(boxes):
                points[k] = [*(box[:2] + box[2:]) / 2, 0.9]
        return Detections([-1] * len(boxes), np.reshape(boxes, (-1, 4)), scores, tuple(labels), points)


def place_error(track, thing, chosen=slice(None)):
    """Distance (N,) px of a track's centre from the thing's own, where both are all in the frame."""
    x0, y0, x1, y1 = track.xyxy[chosen].T
    truth = np.array([thing.at(t) for t in track.times[chosen]])
    return np.hypot((x0 + x1) / 2 * W - truth[:, 0], (y0 + y1) / 2 * H - truth[:, 1])
