"""The trajectories of a scene from above, as SVG parts for the report's template, and as a table."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from foleyspace.camera import xyz_to_angles
from foleyspace.heard_path import HeardPath, heard_path
from foleyspace.topview import map_scale, source_colours
from foleyspace.types import Floats, Scene

MAP_SIDE = 460
PATH_POINTS = 400  # of a stretch: more than the picture shows


def hex_colours(scene: Scene) -> dict[str, str]:
    """The colour of each source id as #rrggbb, the same as in the overlay."""
    return {
        identity: "#{:02x}{:02x}{:02x}".format(*colour) for identity, colour in source_colours(scene).items()
    }


def trajectory_map(scene: Scene, fov_deg: float) -> dict[str, Any]:
    """Everything the template draws, in SVG units."""
    scale = map_scale(scene)
    x, y = MAP_SIDE / 2, MAP_SIDE * (0.53 if scale.behind else 0.86)
    reach = MAP_SIDE * (0.43 if scale.behind else 0.74)

    def at(points: Any) -> Floats:
        return np.array([x, y]) + np.asarray(points) * reach * np.array([1, -1])

    half = math.radians(fov_deg / 2)
    cone = ""
    if fov_deg < 350:
        arc = np.linspace(-half, half, 40)
        cone = (
            _path(at(np.concatenate([[[0, 0]], 1.6 * np.stack([np.sin(arc), np.cos(arc)], axis=1)]))) + " Z"
        )
    bearing = half + 0.24 if half < 1.1 else 1.05
    rings = []
    for ring in scale.rings_m():
        radius = float(scale.radius(ring))
        place = at([math.sin(bearing) * radius, math.cos(bearing) * radius])
        rings.append(
            {
                "r": f"{radius * reach:.1f}",
                "x": f"{place[0]:.1f}",
                "y": f"{place[1] + 4:.1f}",
                "name": f"{ring} m",
            }
        )
    colours = hex_colours(scene)
    paths, dots, names = [], [], []
    taken: list[tuple[float, float]] = []
    for source in scene.sources:
        colour = colours[source.id]
        path = heard_path(source, scene.duration)
        for points, hidden in _runs(path, lambda xyz: at(scale(xyz))):
            paths.append({"d": _path(points), "colour": colour, "hidden": hidden})
        ends = _heard_ends(path)
        if ends is None:
            continue
        first, last = at(scale(ends))
        if np.linalg.norm(last - first) > 3:
            dots.append(
                {"x": f"{first[0]:.1f}", "y": f"{first[1]:.1f}", "r": 4, "fill": "#10141b", "colour": colour}
            )
        dots.append({"x": f"{last[0]:.1f}", "y": f"{last[1]:.1f}", "r": 6, "fill": colour, "colour": colour})
        anchor = "end" if last[0] > 0.72 * MAP_SIDE else "start"
        x_text = float(np.clip(last[0] + (-12 if anchor == "end" else 12), 8, MAP_SIDE - 8))
        y_text = float(np.clip(last[1] + 5, 40, MAP_SIDE - 8))
        while any(abs(y_text - other_y) < 15 and abs(x_text - other_x) < 90 for other_x, other_y in taken):
            y_text += 15
        taken.append((x_text, y_text))
        spot = {"x": f"{x_text:.1f}", "y": f"{y_text:.1f}", "anchor": anchor}
        names.append({**spot, "text": source.label[:22], "colour": colour})
    return {"side": MAP_SIDE, "x": f"{x:.1f}", "y": f"{y:.1f}", "cone": cone, "rings": rings, "paths": paths,
            "dots": dots, "names": names}  # fmt: skip


def _heard_ends(path: HeardPath) -> Floats | None:
    """First and last heard point (2, 3) m."""
    heard = np.flatnonzero(path.heard)
    return None if len(heard) == 0 else path.xyz[heard[[0, -1]]]


def _runs(path: HeardPath, project: Callable[[Floats], Floats]) -> list[tuple[Floats, bool]]:
    """Stretches of the path while it is heard: map points and whether the source is out of the picture."""
    if not path.heard.any():
        return []
    state = np.where(path.heard, path.visible.astype(int), -1)
    edges = [0, *(np.flatnonzero(np.diff(state)) + 1), len(state)]
    runs = []
    for k, (start, end) in enumerate(pairwise(edges)):
        if state[start] < 0:
            continue
        # up to the next stretch's first point, or a gap would show between them
        stop = end + 1 if k + 2 < len(edges) and state[end] >= 0 else end
        points = path.xyz[start:stop]
        points = points[np.linspace(0, len(points) - 1, min(len(points), PATH_POINTS)).round().astype(int)]
        runs.append((project(points), bool(state[start] == 0)))
    return runs


def _path(points: Floats) -> str:
    return "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def source_rows(scene: Scene) -> list[dict[str, str]]:
    colours = hex_colours(scene)
    rows = []
    for source in scene.sources:
        path = heard_path(source, scene.duration)
        heard = path.heard
        if not heard.any():
            continue
        azimuth, _, distance = xyz_to_angles(path.xyz[heard])
        azimuth = np.degrees(np.unwrap(np.radians(azimuth)))
        # by time: a source's own points need not be evenly spaced
        off = float(np.average(~path.visible[heard], weights=np.gradient(path.times)[heard]))
        rows.append(
            {
                "label": source.label,
                "caption": source.caption,
                "colour": colours[source.id],
                "heard": f"{path.times[heard][0]:.1f} to {path.times[heard][-1]:.1f}",
                "azimuth": _range(azimuth, "{:+.0f}"),
                "distance": _range(distance, "{:.1f}"),
                "off": "no" if off < 0.005 else f"{100 * off:.0f} %",
            }
        )
    return rows


def _range(values: Floats, form: str) -> str:
    low, high = form.format(values.min()), form.format(values.max())
    return low if low == high else f"{low} … {high}"
