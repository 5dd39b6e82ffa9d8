"""Pictures for the report, at the moments that tell most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace.camera import DEFAULT_FOV_DEG, Projection
from foleyspace.heard_path import FAINT_DB, audible_spans, place_at, within
from foleyspace.overlay_frame import draw_frame
from foleyspace.topview import ALL_AROUND_DEG
from foleyspace.types import Clip, Floats, Scene, Source, Track

STILL_HEIGHT = 480


@dataclass(frozen=True)
class Still:
    """A picture of the report: an RGB frame (H, W, 3), already drawn on, its `time` s and what it shows."""

    time: float
    frame: NDArray[np.uint8]
    caption: str = ""


def make_stills(
    clip: Clip,
    tracks: Sequence[Track],
    scene: Scene,
    *,
    fov_deg: float = DEFAULT_FOV_DEG,
    projection: Projection = "rectilinear",
    count: int = 4,
) -> list[Still]:
    """Drawn frames at the moments of `telling_moments`."""
    import cv2

    from foleyspace.overlay import output_size
    from foleyspace.video import frames

    size_wh = output_size(clip.size_wh, STILL_HEIGHT)
    stills = []
    for moment, caption in telling_moments(
        scene, min(clip.duration, float(clip.times[-1])), clip.cuts, count
    ):
        for _, time, frame in frames(clip, start=moment, width=min(size_wh[0], clip.size_wh[0])):
            resized = np.asarray(cv2.resize(frame, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
            drawn = draw_frame(resized, tracks, scene, time, fov_deg, projection=projection)
            stills.append(Still(time, drawn, caption))
            break
    return stills


def telling_moments(
    scene: Scene, end_s: float, cuts: Sequence[float] = (), count: int = 4
) -> list[tuple[float, str]]:
    """Up to `count` moments in order, with what is special about each: where the sound is farthest left and
    right, nearest, most crowded; the rest spread evenly over the clip."""
    grid = np.arange(0.0, max(end_s, 0.0) + 1e-6, max(0.1, end_s / 400))
    # not on a cut, where everything fades
    for cut in cuts:
        grid = grid[np.abs(grid - cut) > 0.15] if (np.abs(grid - cut) > 0.15).any() else grid
    spans = audible_spans(scene)
    foci = [_focus_of([scene.sources[k] for k in within(spans, t)], t) for t in grid]
    azimuth, distance, crowd = (np.array(v) for v in zip(*foci, strict=True))
    apart = max(end_s / (2.5 * count), 0.05)
    picked: list[tuple[float, str]] = []

    def pick(score: Floats, caption: str) -> None:
        far = np.array([all(abs(t - p) >= apart for p, _ in picked) for t in grid])
        usable = far & np.isfinite(score)
        if usable.any() and len(picked) < count:
            k = int(np.flatnonzero(usable)[np.argmax(score[usable])])
            picked.append((float(grid[k]), caption.format(a=abs(azimuth[k]), d=distance[k], n=int(crowd[k]))))

    heard = np.isfinite(azimuth)
    if heard.any():
        if np.ptp(azimuth[heard]) > 4:
            pick(azimuth, "farthest to the left" + (" ({a:.0f}° left)" if azimuth[heard].max() > 1 else ""))
            pick(
                -azimuth, "farthest to the right" + (" ({a:.0f}° right)" if azimuth[heard].min() < -1 else "")
            )
        if distance[heard].max() > 1.15 * distance[heard].min():
            pick(-distance, "nearest ({d:.1f} m)")
        if crowd.max() > 1:
            pick(crowd.astype(float), "{n} sources at once")
    while len(picked) < count:
        gaps = [min([abs(t - p) for p, _ in picked] + [t + apart, end_s - t + apart]) for t in grid]
        if max(gaps, default=0.0) < apart:
            break
        picked.append((float(grid[int(np.argmax(gaps))]), ""))
    return sorted(picked)


def _focus_of(sources: Sequence[Source], time: float) -> tuple[float, float, int]:
    """Azimuth and distance of what is heard, weighted by energy, and how many sources are heard."""
    placed = [place_at(source, time) for source in sources]
    placed = [p for p in placed if p[1] > FAINT_DB and p[3] < ALL_AROUND_DEG]
    if not placed:
        return math.nan, math.nan, 0
    weight = np.array([10 ** (gain / 10) for _, gain, *_ in placed])
    xyz = np.average([p[0] / np.linalg.norm(p[0]) for p in placed], axis=0, weights=weight)
    distance = float(np.average([np.linalg.norm(p[0]) for p in placed], weights=weight))
    return math.degrees(math.atan2(xyz[1], xyz[0])), distance, sum(gain > -20 for _, gain, *_ in placed)
