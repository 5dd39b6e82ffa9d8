"""The scene from above: listener, field of view, and every source with where it came from."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace import draw
from foleyspace.draw import GREY, PALETTE, PANEL, WHITE, Colour, Frame, mixed
from foleyspace.heard_path import FAINT_DB, audible_spans, heard_path, place_at, stretch, within
from foleyspace.propagation import position
from foleyspace.types import Floats, Scene, Source

TRAIL_S = 2.5
RINGS_M = (1, 2, 5, 10, 20, 50, 100)
Box = tuple[float, float, float, float]
ToPixels = Callable[[Floats], Floats]
NEAR_M = 0.7  # distances are drawn on a logarithmic scale that is linear up to about here
ALL_AROUND_DEG = 180.0


@dataclass(frozen=True)
class MapScale:
    """How metres become map units: the listener at (0, 0), `reach_m` at radius 1, x right, y up;
    `behind`: whether anything is ever behind the listener."""

    reach_m: float
    behind: bool

    def __call__(self, xyz: Floats) -> Floats:
        """Listener coordinates (..., 3) m to map points (..., 2); farther than `reach_m` goes to the rim."""
        xyz = np.asarray(xyz, np.float64)
        flat = np.hypot(xyz[..., 0], xyz[..., 1])
        radius = np.minimum(self.radius(np.linalg.norm(xyz, axis=-1)), 1.0)
        unit = np.stack([-xyz[..., 1], xyz[..., 0]], axis=-1) / np.maximum(flat, 1e-9)[..., None]
        # straight overhead there is no direction: draw it at the listener
        return unit * (radius * flat / np.maximum(np.linalg.norm(xyz, axis=-1), 1e-9))[..., None]

    def radius(self, distance_m: Floats | float) -> Floats:
        return np.log1p(np.asarray(distance_m) / NEAR_M) / math.log1p(self.reach_m / NEAR_M)

    def rings_m(self) -> list[int]:
        """Distances worth a ring, at most four, the outermost last."""
        inside = [ring for ring in RINGS_M if ring <= self.reach_m]
        return inside[-4:]


def map_scale(scene: Scene) -> MapScale:
    """The scale that holds the whole scene: fixed for a video, so that nothing on the map breathes."""
    farthest, behind = 0.0, False
    for source in scene.sources:
        path = heard_path(source, scene.duration)
        if path.heard.any():
            xyz = path.xyz[path.heard]
            farthest = max(farthest, float(np.linalg.norm(xyz, axis=1).max()))
            behind |= bool((xyz[:, 0] < -0.2 * np.abs(xyz[:, 1])).any())
    return MapScale(
        float(next((ring for ring in RINGS_M if ring >= max(farthest, 5.0)), RINGS_M[-1])), behind
    )


def source_colours(scene: Scene) -> dict[str, Colour]:
    """A colour for each source id, in order of appearance."""
    return {source.id: PALETTE[k % len(PALETTE)] for k, source in enumerate(scene.sources)}


@dataclass(frozen=True)
class MapPlan:
    """What a scene's map shows at every moment alike: its scale, the colour of each source id, and from
    when to when (S, 2) s each source is to be looked at."""

    scale: MapScale
    colours: dict[str, Colour]
    spans: Floats


def plan_map(scene: Scene) -> MapPlan:
    return MapPlan(map_scale(scene), source_colours(scene), audible_spans(scene))


def draw_topview(
    frame: Frame,
    box: tuple[int, int, int, int],
    scene: Scene,
    time: float,
    fov_deg: float,
    levels_db: tuple[float, float] | None = None,
    plan: MapPlan | None = None,
) -> None:
    """Draw the map into the square `box` (x1, y1, x2, y2) of a frame, in place. `fov_deg` of 360 draws no
    cone; `levels_db`: level of the left and right ear, dBFS, as bars at the sides; `plan`: of this scene,
    where many frames are drawn."""
    plan = plan or plan_map(scene)
    x1, y1, x2, y2 = box
    side = x2 - x1
    unit = side / 200.0
    px = max(9, round(10.5 * unit))
    draw.panel(frame, box, PANEL, 0.82, round(9 * unit))
    view = frame[y1:y2, x1:x2]
    scale = plan.scale
    centre = np.array([side / 2, side * (0.53 if scale.behind else 0.83)])
    reach = side * (0.40 if scale.behind else 0.70)

    def at(points: Floats) -> Floats:
        return centre + np.asarray(points) * reach * np.array([1, -1])

    def kept(points: Floats) -> Floats:
        """Like `at`, but nearer along the same direction where the panel would end."""
        away = at(points) - centre
        room = np.where(away > 0, side - 12 * unit - centre, centre - 12 * unit)
        return centre + away * np.minimum(1, (room / np.maximum(np.abs(away), 1e-6)).min(axis=-1))[..., None]

    taken = _ground(view, scale, at, side, fov_deg, px, unit)
    if levels_db is not None:
        _level_bars(view, side, levels_db, unit)
    colours = plan.colours
    near = [scene.sources[k] for k in within(plan.spans, time)]
    placed = [(source, *place_at(source, time)) for source in near]
    placed = [entry for entry in placed if entry[2] > FAINT_DB]
    placed.sort(key=lambda entry: entry[2])
    for source, xyz, gain_db, visible, spread_deg in placed:
        colour = colours[source.id]
        x, y = kept(scale(xyz))
        taken.append((x - 6 * unit, y - 6 * unit, x + 6 * unit, y + 6 * unit))
        _trail(view, source, time, scale, kept, colour, unit)
        _dot(view, kept(scale(xyz)), xyz, gain_db, visible, spread_deg, scale, kept, colour, unit)
    x, y = centre
    taken.append((x - 12 * unit, y - 12 * unit, x + 12 * unit, y + 10 * unit))
    for source, xyz, *_ in reversed(placed):
        _name(view, source.label, kept(scale(xyz)), colours[source.id], px, side, taken, unit)
    _listener(view, centre, unit)


def _ground(
    view: Frame, scale: MapScale, at: ToPixels, side: int, fov_deg: float, px: int, unit: float
) -> list[Box]:
    """View cone and distance rings; returns the boxes of the ring labels."""
    wide = fov_deg < 350
    half = math.radians(min(fov_deg, 350) / 2)
    if wide:
        arc = np.linspace(-half, half, 40)
        # past the rim: the panel's edge cuts it
        wedge = at(np.concatenate([[[0, 0]], 1.6 * np.stack([np.sin(arc), np.cos(arc)], axis=1)]))
        lit = view.copy()
        draw.fill(lit, wedge, (94, 110, 134))
        view[:] = (view * 0.72 + lit * 0.28).astype(np.uint8)
    angles = np.linspace(0, 2 * np.pi, 120)
    rim = np.stack([np.sin(angles), np.cos(angles)], axis=1)
    for ring in scale.rings_m():
        radius = float(scale.radius(ring))
        draw.line(view, at(rim * radius), (78, 86, 98), 1, closed=True)
    labels: list[Box] = []
    for ring in scale.rings_m():
        radius = float(scale.radius(ring))
        bearing = half + math.radians(14) if wide and half < 1.1 else math.radians(60)
        text = f"{ring} m"
        width, height = draw.text_size(text, px)
        x, y = at(np.array([math.sin(bearing), math.cos(bearing)]) * radius)
        if x + width / 2 < side - 2 and y - height / 2 > 2:
            draw.put_text(view, text, (x - width / 2, y - height / 2), px, (170, 178, 190), halo=PANEL)
            labels.append((x - width / 2, y - height / 2, x + width / 2, y + height / 2))
    draw.put_text(view, "from above", (8 * unit, 5 * unit), px, (170, 178, 190))
    return labels


def _level_bars(view: Frame, side: int, levels_db: tuple[float, float], unit: float) -> None:
    """A bar of each ear's level, -60 to 0 dBFS, beside the listener."""
    top, bottom = round(0.62 * side), round(0.955 * side)
    px = max(9, round(9 * unit))
    width = max(3, round(4 * unit))
    for level, name, x in ((levels_db[0], "L", 0.06), (levels_db[1], "R", 0.94)):
        middle = round(x * side)
        left = middle - width // 2
        text_width, text_height = draw.text_size(name, px, True)
        draw.put_text(view, name, (middle - text_width / 2, bottom - text_height), px, GREY, True)
        low = bottom - text_height - round(2 * unit)
        part = float(np.clip((level + 60) / 60, 0, 1))
        draw.panel(view, (left, top, left + width, low), (60, 68, 80), 1.0, width // 2)
        draw.panel(
            view, (left, round(low - part * (low - top)), left + width, low), (120, 220, 180), 1.0, width // 2
        )


def _trail(
    view: Frame, source: Source, time: float, scale: MapScale, at: ToPixels, colour: Colour, unit: float
) -> None:
    start = max(time - TRAIL_S, float(source.times[0]))
    if time - start < 0.05:
        return
    moments = np.linspace(start, time, 26)
    xyz = position(stretch(source, start, time), moments)
    points = at(scale(xyz))
    for k in range(25):
        draw.line(view, points[k : k + 2], mixed(PANEL, colour, 0.15 + 0.65 * k / 24), round(2.2 * unit))


def _dot(
    view: Frame,
    point: Floats,
    xyz: Floats,
    gain_db: float,
    visible: bool,
    spread_deg: float,
    scale: MapScale,
    at: ToPixels,
    colour: Colour,
    unit: float,
) -> None:
    if spread_deg >= 20:
        middle = math.atan2(-xyz[1], xyz[0])
        half = math.radians(min(spread_deg, 360) / 2)
        angles = np.linspace(middle - half, middle + half, 90)
        radius = min(float(scale.radius(float(np.linalg.norm(xyz)))), 1.0)
        draw.line(
            view, at(radius * np.stack([np.sin(angles), np.cos(angles)], axis=1)), colour, round(3 * unit)
        )
        if spread_deg >= ALL_AROUND_DEG:
            return
    size = (3.2 + 3.3 * float(np.clip(1 + gain_db / 24, 0, 1))) * unit
    draw.circle(view, point, size + 1.6 * unit, PANEL)
    if visible:
        draw.circle(view, point, size, colour)
    else:
        draw.circle(view, point, size - 0.6 * unit, colour, max(1, round(1.8 * unit)))


def _name(
    view: Frame,
    label: str,
    point: Floats,
    colour: Colour,
    px: int,
    side: int,
    taken: list[Box],
    unit: float,
) -> None:
    """The label beside its dot, inside the panel, where no other stands; left out if there is no room."""
    text = draw.fitted(label, round(0.42 * side), px, True)
    width, height = draw.text_size(text, px, True)
    gap = 9 * unit
    for x, y in (
        (point[0] + gap, point[1] - height / 2),
        (point[0] - gap - width, point[1] - height / 2),
        (point[0] - width / 2, point[1] - gap - height),
        (point[0] - width / 2, point[1] + gap),
    ):
        box = (x, y, x + width, y + height)
        free = all(box[2] < t[0] or box[0] > t[2] or box[3] < t[1] or box[1] > t[3] for t in taken)
        if free and x > 3 and y > 3 and box[2] < side - 3 and box[3] < side - 3:
            taken.append(box)
            draw.put_text(view, text, (x, y), px, mixed(colour, WHITE, 0.35), True, halo=PANEL)
            return


def _listener(view: Frame, centre: NDArray[np.float64], unit: float) -> None:
    """A head seen from above, its nose to the front."""
    x, y = centre
    radius = 7.5 * unit
    for colour, more in ((PANEL, 1.8 * unit), (WHITE, 0.0)):
        for sign in (-1, 1):
            side, tall = x + sign * (radius + 0.8 * unit), 3.4 * unit + more
            draw.line(
                view, [(side, y - tall / 2), (side, y + tall / 2)], colour, round(2.4 * unit + 2 * more)
            )
        wide, base, tip = 2.0 * unit + more, y - 0.9 * radius, y - radius - 3.2 * unit - 1.4 * more
        draw.fill(view, [(x - wide, base), (x + wide, base), (x, tip)], colour)
        draw.circle(view, centre, radius + more, colour)
