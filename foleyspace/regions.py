"""Regions of a picture that move by themselves, out of the foreground evidence of a motion field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.boxes import Boxes, edge_contact, gap, iou, stack
from foleyspace.camera_motion import MotionField
from foleyspace.foreground import Grid

SEED_LEVEL = 0.2  # foreground evidence that a picture with anything in it reaches
MIN_LEVEL = 0.1  # evidence down to which a region may reach
LEVELS = 6  # of the ladder on which regions are looked for
MIN_AREA = 6e-4  # of the frame, smaller regions are noise
CLOSE_GAP = 0.025  # frame widths between parts of one region
MERGE_GAP = 0.05  # frame widths between neighbouring regions that move alike
COLOURLESS = 0.6  # weight of evidence on what does not stand out by its colour
LIGHTNESS = 0.3  # weight of lightness against hue in that
CONTACT = 2.0  # near ground and walls reach the edge of the frame, the things one films lie inside it
SIZE = 0.25  # power of the area in a region's quality
AGREEMENT = 1.0  # how much a region gains that agrees with a thing already followed
WEAKEST = 0.3  # of the best region's quality, below which regions are left out
MOST = 8  # regions at a time


@dataclass(frozen=True)
class Region:
    """`xyxy` (4,) normalised; `velocity` (2,) frame widths per second against the scene; `speed`: the mean
    speed inside, which may be fast where the parts' velocities cancel; `mass`: evidence times area,
    shares of the frame; `quality`: how well it stands out, about 0.02 to 0.3."""

    xyxy: Boxes
    velocity: NDArray[np.float64]
    speed: float
    mass: float
    quality: float


def saliency(frame_rgb: NDArray[Any], cells: tuple[int, int]) -> Grid:
    """In [0, 1] on a grid (h, w): how much a cell's colour stands out from its wide surround, after the
    frequency-tuned saliency of Achanta et al. (CVPR 2009), lightness weighing less than hue."""
    import cv2

    h, w = cells
    small = cv2.resize(frame_rgb, (w // 2, h // 2), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2Lab) * np.array([LIGHTNESS, 1, 1], np.float32)
    wide = 2 * (max(h, w) // 8) + 1
    distance = np.sqrt(((cv2.GaussianBlur(lab, (0, 0), 1.0) - cv2.blur(lab, (wide, wide))) ** 2).sum(-1))
    return cv2.resize(np.clip(distance / (np.percentile(distance, 98) + 1.0), 0, 1), (w, h))


def find_regions(
    motion: MotionField, salient: Grid | None = None, expected: Boxes | None = None
) -> list[Region]:
    """Regions that move by themselves and stand out from what is around them, best first.

    Connected regions at every level of a ladder are candidates (as in MSER, Matas et al. 2002); the best
    are kept that do not lie on a better one. `salient` (h, w) in [0, 1] weighs the evidence; `expected`
    (N, 4) boxes of things already followed help the candidates that agree with them.
    """
    import cv2

    evidence = motion.foreground
    if salient is not None:
        evidence = evidence * (COLOURLESS + (1 - COLOURLESS) * salient)
    evidence = np.asarray(cv2.GaussianBlur(evidence, (0, 0), 1.2), np.float32)
    # half of the picture shimmering is not half a picture of objects
    floor = max(MIN_LEVEL, 1.5 * float(np.median(evidence)))
    peak = float(evidence.max())
    if peak < max(SEED_LEVEL, 1.2 * floor):
        return []
    h, w = evidence.shape
    close = np.ones(2 * [max(3, 2 * round(CLOSE_GAP * w / 2) + 1)], np.uint8)
    integral = cv2.integral(evidence)
    labels, quality, boxes, numbers = [], [], [], []
    for level in np.geomspace(floor, max(floor, 0.8 * peak), LEVELS):
        binary = cv2.morphologyEx((evidence >= level).astype(np.uint8), cv2.MORPH_CLOSE, close)
        count, numbered, stats, _ = cv2.connectedComponentsWithStats(binary)
        mass = np.bincount(numbered.ravel(), evidence.ravel(), count)
        chosen = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= MIN_AREA * h * w)
        chosen = chosen[chosen > 0]
        labels += [numbered] * len(chosen)
        numbers += chosen.tolist()
        boxes.append(stats[chosen, :4])
        quality.append(_quality(stats[chosen], mass[chosen], integral))
    cells = np.concatenate(boxes)
    best = np.concatenate(quality)
    if len(best) == 0 or best.max() <= 0:
        return []
    rank = best.copy()
    if expected is not None and len(expected):
        rank *= 1 + AGREEMENT * iou(_normalised(cells, w, h), expected).max(1)

    taken = np.zeros((h, w), bool)
    regions: list[Region] = []
    for i in np.argsort(-rank, kind="stable"):
        x, y, bw, bh = cells[i]
        window = slice(y, y + bh), slice(x, x + bw)
        inside = labels[i][window] == numbers[i]
        if best[i] < WEAKEST * best.max() or taken[window][inside].any():
            continue
        taken[window] |= inside
        regions.append(_region(np.where(inside, evidence[window], 0), (x, y), motion.flow, float(best[i])))
        if len(regions) == MOST:
            break
    return _merged(regions)


def _normalised(cells: NDArray[Any], w: int, h: int) -> Boxes:
    """(N, 4) x, y, width, height in cells to normalised corners."""
    return np.column_stack([cells[:, :2], cells[:, :2] + cells[:, 2:]]) / [w, h, w, h]


def _quality(stats: NDArray[Any], mass: NDArray[Any], integral: NDArray[Any]) -> NDArray[np.float64]:
    """(N,): contrast with a ring around the box, fill of the box, distance from the frame's edge, size."""
    h, w = integral.shape[0] - 1, integral.shape[1] - 1
    x, y, bw, bh, cells = stats.T
    mx, my = np.maximum(2, bw // 4), np.maximum(2, bh // 4)
    x0, y0, x1, y1 = (
        np.maximum(0, x - mx),
        np.maximum(0, y - my),
        np.minimum(w, x + bw + mx),
        np.minimum(h, y + bh + my),
    )
    around = integral[y1, x1] - integral[y0, x1] - integral[y1, x0] + integral[y0, x0] - mass
    contrast = mass / cells - around / np.maximum(1, (x1 - x0) * (y1 - y0) - cells)
    inner = np.maximum(0, 1 - CONTACT * edge_contact(_normalised(stats[:, :4], w, h)))
    return contrast * np.sqrt(cells / (bw * bh)) * inner * (cells / (h * w)) ** SIZE


def _region(weight: Grid, corner: tuple[int, int], flow: Grid, quality: float) -> Region:
    """A region from its evidence (0 outside it) in a window that starts at cell `corner` (x, y)."""
    x, y = corner
    h, w = flow.shape[:2]
    total = float(weight.sum())
    x0, x1 = _span(weight.sum(0))
    y0, y1 = _span(weight.sum(1))
    part = flow[y : y + weight.shape[0], x : x + weight.shape[1]]
    return Region(
        np.array([(x + x0) / w, (y + y0) / h, (x + x1) / w, (y + y1) / h]),
        ((part * weight[..., None]).sum((0, 1)) / total).astype(np.float64),
        float((np.hypot(part[..., 0], part[..., 1]) * weight).sum()) / total,
        total / (h * w),
        quality,
    )


def _span(profile: NDArray[Any], tail: float = 0.03) -> tuple[float, float]:
    """Where the middle 94 % of a profile lies, in cells: outliers do not stretch a box."""
    cumulative = np.concatenate([[0.0], np.cumsum(profile)]) / profile.sum()
    low, high = np.interp([tail, 1 - tail], cumulative, np.arange(len(cumulative)))
    return float(low), float(high)


def _merged(regions: list[Region]) -> list[Region]:
    """Neighbouring regions that move alike made one, best first."""
    done: list[Region] = []
    for region in regions:
        near = gap(region.xyxy[None], stack([r.xyxy for r in done]))[0] < MERGE_GAP
        partner = next((i for i, r in enumerate(done) if near[i] and _alike(r, region)), None)
        if partner is None:
            done.append(region)
            continue
        other = done[partner]
        mass = other.mass + region.mass
        done[partner] = Region(
            np.concatenate(
                [np.minimum(other.xyxy[:2], region.xyxy[:2]), np.maximum(other.xyxy[2:], region.xyxy[2:])]
            ),
            (other.velocity * other.mass + region.velocity * region.mass) / mass,
            (other.speed * other.mass + region.speed * region.mass) / mass,
            mass,
            max(other.quality, region.quality),
        )
    return done


def _alike(a: Region, b: Region) -> bool:
    """Whether two regions move the same way; slower than 0.02 widths a second nothing can be told."""
    fastest = max(float(np.hypot(*a.velocity)), float(np.hypot(*b.velocity)), 0.02)
    return float(np.hypot(*(a.velocity - b.velocity))) <= 0.5 * fastest
