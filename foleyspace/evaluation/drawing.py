"""Plots as SVG that takes its colours from the page, light or dark. Class `s0` is the truth, `s1` ... are the
systems in order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape

from foleyspace.evaluation.scores import Measure
from foleyspace.evaluation.summary import Result
from foleyspace.types import Floats

WIDTH, HEIGHT = 560, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 8, 24


def cue_svg(result: Result, names: Sequence[str], attribute: str, reach: float, unit: str) -> Markup:
    """A cue over time: the truth and the systems. Up is left, as the azimuth counts, so the axes of ILD and
    ITD (> 0 right) point down. `attribute` of `Curves`, drawn from -`reach` to `reach`."""
    up = 1.0 if attribute == "azimuth_deg" else -1.0
    azimuth = attribute == "azimuth_deg"
    first = result.curves[names[0]]
    end = float(first.times[-1] + first.times[0]) if len(first.times) else 1.0
    parts = [_frame(_time_ticks(end), end, [-reach, reach], _even(reach), unit, up)]
    for i, name in enumerate(names):
        curves = result.curves[name]
        times = curves.azimuth_times if azimuth else curves.times
        values = np.asarray(getattr(curves, attribute))
        if azimuth:  # behind is drawn at its mirror image in front: cues alone hardly tell them apart
            values = np.degrees(np.arcsin(np.sin(np.radians(values))))
        x = LEFT + times / end * (WIDTH - LEFT - RIGHT)
        y = _y(up * np.clip(values, -reach, reach), -reach, reach)
        # azimuths and ITDs jump between sources: dots; levels glide: lines
        draw = _line if attribute == "ild_db" else _points
        parts.append(f'<g class="s{i}">{draw(x, y, 2.6 if i == 0 else 1.7)}</g>')
    return _svg(parts, f"{attribute} over time")


def dots_svg(measure: Measure, results: Sequence[Result], systems: Sequence[str]) -> Markup:
    """A dot an item, a column a system; hollow: one source. A bar is the mean, dashed for one source."""
    columns = [np.array([r.figures[s].get(measure.key, np.nan) for r in results]) for s in systems]
    known = np.concatenate(columns)
    known = known[np.isfinite(known)]
    if not len(known):
        return Markup("")
    low, high = float(known.min()), float(known.max())
    if len(known) >= 8:  # a perfect score of 100 dB and more must not flatten all others
        q1, q3 = np.percentile(known, [25, 75])
        low, high = max(low, q1 - 3 * (q3 - q1)), min(high, q3 + 3 * (q3 - q1))
    margin = max(0.06 * (high - low), 1e-3 * max(abs(high), 1e-3))
    low, high = low - margin, high + margin
    parts = [_frame([], 1.0, [low, high], _nice(low, high), measure.unit)]
    step = (WIDTH - LEFT - RIGHT) / len(systems)
    single = np.array([len(r.labels) == 1 for r in results])
    shift = np.random.default_rng(0).uniform(-0.28, 0.28, len(results))  # only so that dots do not hide dots
    for i, (system, values) in enumerate(zip(systems, columns, strict=True)):
        middle = LEFT + step * (i + 0.5)
        dots = []
        for j in np.flatnonzero(np.isfinite(values)).tolist():
            y = float(_y(np.clip(values[j], low, high), low, high))
            dots.append(
                f'<circle cx="{middle + shift[j] * step:.1f}" cy="{y:.1f}" r="4"'
                f"{' class=hollow' if single[j] else ''}><title>{escape(results[j].name)}: "
                f"{values[j]:.{measure.digits}f} {measure.unit}</title></circle>"
            )
        bars = []
        for part, dashes in ((~single, ""), (single, ' stroke-dasharray="5 4"')):
            mean = values[part & np.isfinite(values)]
            if len(mean):
                y = float(_y(np.clip(mean.mean(), low, high), low, high))
                path = f"M{middle - 0.34 * step:.1f} {y:.1f}h{0.68 * step:.1f}"
                bars.append(f'<path d="{path}" class="mean"{dashes}/>')
        text = system if len(system) * 7 < step else f"{system[: max(3, int(step / 7) - 1)]}…"
        parts.append(
            f'<g class="s{i + 1}">{"".join(dots + bars)}</g>'
            f'<text x="{middle:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{escape(text)}</text>'
        )
    return _svg(parts, f"{measure.key} of every item")


def _svg(parts: Sequence[str], title: str) -> Markup:
    return Markup(
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _frame(
    x_ticks: Sequence[float], end: float, y_range: Sequence[float], y_ticks: Sequence[float], unit: str,
    up: float = 1.0,
) -> str:  # fmt: skip
    parts = []
    for value in y_ticks:
        y = float(_y(np.float64(up * value), *y_range))
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    for value in x_ticks:
        x = LEFT + value / end * (WIDTH - LEFT - RIGHT)
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{value:g}{" s" if value else ""}</text>'
        )
    return "".join(parts)


def _y(values: Floats, low: float, high: float) -> Floats:
    return TOP + (high - np.asarray(values)) / (high - low) * (HEIGHT - TOP - BOTTOM)


def _line(x: Floats, y: Floats, width: float) -> str:
    path, pen = [], "M"
    for a, b in zip(x, y, strict=True):
        if not np.isfinite(b):
            pen = "M"
            continue
        path.append(f"{pen}{a:.0f} {b:.0f}")
        pen = "L"
    return f'<path d="{"".join(path)}" fill="none" stroke-width="{width}"/>'


def _points(x: Floats, y: Floats, radius: float) -> str:
    known = np.isfinite(y)
    path = "".join(f"M{a:.0f} {b:.0f}h.01" for a, b in zip(x[known], y[known], strict=True))
    return f'<path d="{path}" stroke-linecap="round" stroke-width="{2 * radius:.1f}"/>'


def _time_ticks(end: float) -> list[float]:
    return _nice(0.0, end)


def _even(reach: float) -> list[float]:
    return [v for v in _nice(-reach, reach) if abs(v) < reach]


def _nice(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers between two."""
    raw = max((high - low) / count, 1e-12)
    power = 10 ** np.floor(np.log10(raw))
    step = power * next(m for m in (1, 2, 2.5, 3, 5, 10) if m * power >= raw * 0.999)
    if high - low == 190:  # an azimuth: whole parts of a right angle
        step = 30.0
    first, last = int(np.ceil(low / step)), int(np.floor(high / step))
    return [float(f"{k * step:.6g}") for k in range(first, last + 1)]
