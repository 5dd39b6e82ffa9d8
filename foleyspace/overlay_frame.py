"""One frame with what is known about it drawn on: boxes, sounding weights, focus points, a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace import draw
from foleyspace.camera import DEFAULT_FOV_DEG, Projection
from foleyspace.draw import BLACK, GREY, WHITE, Colour, Frame
from foleyspace.heard_path import place_at, within
from foleyspace.topview import MapPlan, draw_topview, plan_map
from foleyspace.trajectory import GAP_S
from foleyspace.types import Floats, Scene, Source, Track

HEARD = 0.05  # tracks with a smaller sounding weight are drawn thin and grey
HEARD_WORDS = 3
_CORNERS = ("bottom right", "bottom left", "top right", "top left")


@dataclass(frozen=True)
class FramePlan:
    """What all frames of a clip have in common: the map's, the `corner` it is in, the `sources` by id,
    whether they are of the tracks (`known`), from when to when (T, 2) s each track may be drawn."""

    map: MapPlan
    corner: str
    sources: dict[str, Source]
    known: bool
    spans: Floats


def plan_frames(tracks: Sequence[Track], scene: Scene) -> FramePlan:
    """Made once for many frames: the time a frame takes then does not grow with the length of the film."""
    sources = {source.id: source for source in scene.sources}
    return FramePlan(
        plan_map(scene),
        _quiet_corner(tracks),
        sources,
        any(track.id in sources for track in tracks),
        np.array([_shown_span(track) for track in tracks]).reshape(-1, 2),
    )


def draw_frame(
    frame: NDArray[np.uint8],
    tracks: Sequence[Track],
    scene: Scene,
    time: float,
    fov_deg: float = DEFAULT_FOV_DEG,
    *,
    projection: Projection = "rectilinear",
    levels_db: tuple[float, float] | None = None,
    heard: Sequence[tuple[str, float]] = (),
    plan: FramePlan | None = None,
) -> NDArray[np.uint8]:
    """A copy of an RGB frame (H, W, 3) with what is known about `time` (s) drawn on it.

    A box is the bolder the more of the sound is its own, with label, share (the gain of the source with the
    track's id, or the track's sounding weight when the scene has none of the tracks) and distance; thin
    grey boxes make no sound; the cross hair is where on the object the sound is made, the thin ellipse how
    far from there it may be (one standard deviation). The map shows all sources from above: hollow ones are
    off screen. `levels_db`: of the left and right ear, dBFS. `heard`: what the sound was taken for, words
    with their probability, written into a corner. `plan`: what `plan_frames` made of these tracks and this
    scene, where many frames are drawn.
    """
    plan = plan or plan_frames(tracks, scene)
    canvas = np.array(frame, np.uint8, order="C")
    height, width = canvas.shape[:2]
    unit = min(height, width) / 480
    colours = plan.map.colours
    placed = {}
    seen = []
    for track in (tracks[k] for k in within(plan.spans, time)):
        found = _seen_at(track, time)
        if found is None:
            continue
        xyxy, focus, std, weight = found
        if track.id in plan.sources:
            placed[track.id] = place_at(plan.sources[track.id], time)
        if plan.known:  # what the scene makes of the weights is what is heard
            weight = float(min(1.0, 10 ** (placed[track.id][1] / 20))) if track.id in placed else 0.0
        seen.append((track, xyxy, focus, std, weight))
    seen.sort(key=lambda entry: entry[-1])
    for track, xyxy, _, _, weight in seen:
        _box(canvas, xyxy, weight, colours.get(track.id, GREY), unit)
    for track, _, focus, std, weight in seen:
        if weight >= HEARD:
            _doubt(canvas, focus, std, colours.get(track.id, GREY), unit)
            _focus(canvas, focus, colours.get(track.id, GREY), unit)
    map_box = _map_box(width, height, plan.corner)
    taken = [map_box]
    if heard:
        taken.append(_heard_words(canvas, heard, plan.corner, unit))
    for track, xyxy, _, _, weight in reversed(seen):
        distance_m = float(np.linalg.norm(placed[track.id][0])) if track.id in placed else None
        _label(canvas, xyxy, track.label, weight, distance_m, colours.get(track.id, GREY), unit, taken)
    cone_deg = 360.0 if projection == "equirectangular" else fov_deg
    draw_topview(canvas, map_box, scene, time, cone_deg, levels_db, plan.map)
    return canvas


def _shown_span(track: Track) -> tuple[float, float]:
    """From when to when (s) a track may be drawn: half a step past its sightings."""
    times = track.times
    spare = 0.5 * float(np.median(np.diff(times))) if len(times) > 1 else 0.1
    return float(times[0]) - spare, float(times[-1]) + spare


def _seen_at(track: Track, time: float) -> tuple[Floats, Floats, Floats | None, float] | None:
    """Box (4,), focus (2,), its standard deviation (2,) if known, and sounding weight at a time within the
    track's span; None in a gap of its sightings."""
    times = track.times
    after = int(np.clip(np.searchsorted(times, time), 0, len(times) - 1))
    before = max(after - 1, 0)
    if times[after] - times[before] > GAP_S and min(times[after] - time, time - times[before]) > 0.1:
        return None

    near = slice(before, after + 1)  # not the whole track: it may be as long as a film

    def at(values: Floats) -> Floats:
        return np.array([np.interp(time, times[near], column) for column in values[near].T])

    std = None if track.focus_std is None else at(track.focus_std)
    return at(track.xyxy), at(track.focus_xy), std, float(np.interp(time, times[near], track.sounding[near]))


def _box(canvas: Frame, xyxy: Floats, weight: float, colour: Colour, unit: float) -> None:
    height, width = canvas.shape[:2]
    x1, y1, x2, y2 = np.clip(xyxy, 0, 1) * [width, height, width, height]
    corners = [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
    if weight < HEARD:
        draw.line(canvas, corners, BLACK, max(1, round(2 * unit)), closed=True)
        draw.line(canvas, corners, GREY, 1, closed=True)
        return
    thickness = max(1, round((1.4 + 2.6 * weight) * unit))
    draw.line(canvas, corners, (0, 0, 0), thickness + max(2, round(1.6 * unit)), closed=True)
    draw.line(canvas, corners, colour, thickness, closed=True)


def _focus(canvas: Frame, focus_xy: Floats, colour: Colour, unit: float) -> None:
    height, width = canvas.shape[:2]
    point = np.clip(focus_xy, 0, 1) * [width, height]
    for colour_, extra in ((BLACK, round(2 * unit)), (WHITE, 0)):
        thickness = max(1, round(1.6 * unit)) + extra
        draw.circle(canvas, point, 9 * unit, colour_, thickness)
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            arm = point + np.outer([6 * unit, 14 * unit], [dx, dy])
            draw.line(canvas, arm, colour_, thickness)
    draw.circle(canvas, point, 3.2 * unit, BLACK)
    draw.circle(canvas, point, 2.4 * unit, colour)


def _doubt(canvas: Frame, focus_xy: Floats, std: Floats | None, colour: Colour, unit: float) -> None:
    """One standard deviation around the focus point."""
    if std is None:
        return
    height, width = canvas.shape[:2]
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    around = np.clip(focus_xy, 0, 1) + std * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    thin = max(1, round(unit))
    draw.line(canvas, around * [width, height], BLACK, thin + max(1, round(unit)), closed=True)
    draw.line(canvas, around * [width, height], draw.mixed(colour, WHITE, 0.4), thin, closed=True)


def _heard_words(
    canvas: Frame, heard: Sequence[tuple[str, float]], map_corner: str, unit: float
) -> tuple[int, int, int, int]:
    """The likeliest words in the corner beside the map's; gives the place they take (x1, y1, x2, y2)."""
    height, width = canvas.shape[:2]
    px, pad, margin = max(10, round(12 * unit)), max(3, round(5 * unit)), round(0.022 * min(width, height))
    text = "heard: " + ", ".join(f"{word} {p:.0%}" for word, p in heard[:HEARD_WORDS])
    text = draw.fitted(text, round(0.5 * width), px)
    text_width, text_height = draw.text_size(text, px)
    x = width - margin - text_width - 2 * pad if "left" in map_corner else margin
    y = margin if "top" in map_corner else height - margin - text_height - pad
    box = (x, y, x + text_width + 2 * pad, y + text_height + pad)
    draw.panel(canvas, box, (20, 24, 30), 0.6, pad)
    draw.put_text(canvas, text, (x + pad, y + pad // 2), px, (225, 228, 232))
    return box


def _label(
    canvas: Frame,
    xyxy: Floats,
    label: str,
    weight: float,
    distance_m: float | None,
    colour: Colour,
    unit: float,
    taken: list[tuple[int, int, int, int]],
) -> None:
    """A chip above the box, or where there is room near it, never over another chip or the map."""
    height, width = canvas.shape[:2]
    heard = weight >= HEARD
    px = max(10, round((15 if heard else 11) * unit))
    facts = ""
    if heard:
        facts = f"  {100 * weight:.0f}%"
        if distance_m is not None:
            facts += f"  {distance_m:.1f} m" if distance_m < 10 else f"  {distance_m:.0f} m"
    pad = max(3, round(5 * unit))
    name = draw.fitted(label, round((0.34 if heard else 0.25) * width), px, heard)
    name_width, chip_height = draw.text_size(name, px, heard)
    chip_width = name_width + (draw.text_size(facts, px)[0] if facts else 0) + 2 * pad
    chip_height += max(2, round(2 * unit))
    x1, y1, x2, y2 = (np.clip(xyxy, 0, 1) * [width, height, width, height]).round().astype(int)
    x = int(np.clip(x1, 2, max(2, width - chip_width - 2)))
    gap = max(2, round(3 * unit))
    inside_right = int(np.clip(x2 - chip_width - gap, 2, max(2, width - chip_width - 2)))
    for left, top in (
        (x, y1 - chip_height - gap),
        (x, y1 + gap),
        (x, y2 + gap),
        (x, y2 - chip_height - gap),
        (inside_right, y1 + gap),
        (inside_right, y2 - chip_height - gap),
        (x, y1 + chip_height + 2 * gap),
    ):
        box = (left, top, left + chip_width, top + chip_height)
        free = all(box[2] <= t[0] or box[0] >= t[2] or box[3] <= t[1] or box[1] >= t[3] for t in taken)
        if free and top >= 2 and box[3] <= height - 2:
            break
    else:
        if not heard:
            return  # a silent thing without room for its name
        box = (x, max(2, y1 + gap), x + chip_width, max(2, y1 + gap) + chip_height)
    taken.append(box)
    if not heard:
        draw.panel(canvas, box, (20, 24, 30), 0.6, pad)
        draw.put_text(canvas, name, (box[0] + pad, box[1] + 1), px, (225, 228, 232))
        return
    ink = draw.ink_on(colour)
    draw.panel(canvas, (box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1), BLACK, 0.55, pad)
    draw.panel(canvas, box, colour, 1.0, pad)
    top = box[1] + max(1, round(unit))
    draw.put_text(canvas, name, (box[0] + pad, top), px, ink, True)
    draw.put_text(canvas, facts, (box[0] + pad + name_width, top), px, ink)


def _map_box(width: int, height: int, corner: str) -> tuple[int, int, int, int]:
    side = round(0.40 * min(width, height))
    margin = round(0.022 * min(width, height))
    x = margin if "left" in corner else width - side - margin
    y = margin if "top" in corner else height - side - margin
    return x, y, x + side, y + side


def _quiet_corner(tracks: Sequence[Track]) -> str:
    """The corner that sounding objects keep clear of over the whole clip, so that the map stands still."""
    cost = dict.fromkeys(_CORNERS, 0.0)
    for track in tracks:
        loud = track.sounding > HEARD
        for corner in _CORNERS if loud.any() else ():
            x = track.focus_xy[loud, 0] if "right" in corner else 1 - track.focus_xy[loud, 0]
            y = track.focus_xy[loud, 1] if "bottom" in corner else 1 - track.focus_xy[loud, 1]
            hidden = (x > 0.7) & (y > 0.5)
            cost[corner] += float((track.sounding[loud] * hidden).sum())
    return min(_CORNERS, key=lambda corner: cost[corner])
