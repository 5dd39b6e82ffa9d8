"""Figures of many items as means with intervals, a table, and plain values for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from foleyspace.evaluation.scores import MEASURES, Curves, Measure
from foleyspace.metrics.frechet import frechet_distance
from foleyspace.metrics.statistics import mean_interval, resamples
from foleyspace.types import Floats, Samples

TRUTH = "truth"
SET_VECTORS = {"FAD": "content", "FD": "cues"}
READ = ("localiser", "listener")
MIN_ITEMS = 5  # with fewer a percentile bootstrap calls far too much a difference


@dataclass(frozen=True)
class Result:
    """One item evaluated: its `name`, the sources' `labels`, `figures` and `curves` by system, the truth's
    own (the localiser's reading) among them; `vectors` by system: content and cue vectors; `peak`: of all its
    sounds; `read`: share of moments that a source has."""

    name: str
    labels: tuple[str, ...]
    figures: Mapping[str, Mapping[str, float]]
    curves: Mapping[str, Curves]
    vectors: Mapping[str, Mapping[str, Samples]]
    peak: float
    read: float


@dataclass(frozen=True)
class Figure:
    """A mean over the items with its 95 % bootstrap interval, the number of items it is of, what the
    localiser or listener makes of the truth on the same items (NaN for other measures), and the paired
    difference from the first system with its interval (None for the first itself)."""

    mean: float
    low: float
    high: float
    items: int
    on_truth: float = math.nan
    difference: tuple[float, float, float] | None = None

    @property
    def differs(self) -> bool:
        if self.difference is None or self.items < MIN_ITEMS:
            return False
        return self.difference[1] * self.difference[2] > 0


@dataclass(frozen=True)
class Group:
    """Items of a kind: `figures` by measure key and system. Measures that say nothing are left out."""

    name: str
    items: int
    figures: Mapping[str, Mapping[str, Figure]]


def groups(results: Sequence[Result], systems: Sequence[str], seed: int) -> tuple[Group, ...]:
    """Means over the items with one source and over those with several."""
    parts = {
        "one source": [r for r in results if len(r.labels) == 1],
        "several sources": [r for r in results if len(r.labels) > 1],
    }
    return tuple(_group(name, part, systems, seed) for name, part in parts.items() if part)


def _group(name: str, results: Sequence[Result], systems: Sequence[str], seed: int) -> Group:
    draws = resamples(len(results), seed)
    figures: dict[str, dict[str, Figure]] = {}
    for measure in MEASURES:
        made = _of_set if measure.by == "set" else _of_items
        row = made(measure, results, systems, draws)
        if any(math.isfinite(figure.mean) for figure in row.values()):
            figures[measure.key] = row
    return Group(name, len(results), figures)


def _of_items(
    measure: Measure, results: Sequence[Result], systems: Sequence[str], draws: np.ndarray
) -> dict[str, Figure]:
    def column(system: str) -> Floats:
        return np.array([r.figures[system].get(measure.key, math.nan) for r in results])

    first = column(systems[0])
    row = {}
    for system in systems:
        values = column(system)
        on_truth = column(TRUTH)[np.isfinite(values)] if measure.by in READ else np.empty(0)
        row[system] = Figure(
            *mean_interval(values, draws),
            int(np.isfinite(values).sum()),
            float(np.nanmean(on_truth)) if np.isfinite(on_truth).any() else math.nan,
            None if system == systems[0] else mean_interval(values - first, draws),
        )
    return row


def _of_set(
    measure: Measure, results: Sequence[Result], systems: Sequence[str], _draws: np.ndarray
) -> dict[str, Figure]:
    """Of all items' vectors at once. Without an interval: the bootstrap repeats items, and the distance's
    bias grows with fewer different ones."""
    kind = SET_VECTORS[measure.key]
    row = {}
    for system in systems:
        wanted, made = (np.concatenate([r.vectors[s][kind] for r in results]) for s in (TRUTH, system))
        enough = min(len(wanted), len(made)) > 1
        distance = frechet_distance(wanted, made) if enough else math.nan
        row[system] = Figure(distance, math.nan, math.nan, len(results))
    return row


def figure_text(measure: Measure, figure: Figure) -> str:
    """`6.34 [5.90, 6.81]`, with what the reader makes of the truth, and * where it differs."""
    if not math.isfinite(figure.mean):
        return "-"
    text = f"{figure.mean:.{measure.digits}f}{'*' if figure.differs else ''}"
    if math.isfinite(figure.low):
        text += f" [{figure.low:.{measure.digits}f}, {figure.high:.{measure.digits}f}]"
    if math.isfinite(figure.on_truth):
        text += f" (truth {figure.on_truth:.{measure.digits}f})"
    return text


def head(measure: Measure) -> str:
    arrow = "↓" if measure.better == "lower" else "↑"
    return f"{measure.key} {measure.unit}".strip() + f" {arrow}"


def best_system(measure: Measure, row: Mapping[str, Figure]) -> str:
    """The system whose mean is the best by `measure`, the first of equals; at least one must be finite."""
    sign = 1 if measure.better == "lower" else -1
    known = [system for system in row if math.isfinite(row[system].mean)]
    return min(known, key=lambda system: sign * row[system].mean)


def markdown(parts: Sequence[Group], systems: Sequence[str]) -> str:
    """The tables, one a group: a row a measure, a column a system, the best in bold."""
    lines = []
    for group in parts:
        rows = [[f"{group.name}, {group.items} item{'s' * (group.items != 1)}", *systems]]
        for measure in MEASURES:
            row = group.figures.get(measure.key)
            if row is None:
                continue
            best = best_system(measure, row) if len(systems) > 1 else ""
            cells = [figure_text(measure, row[system]) for system in systems]
            bold = [f"**{c}**" if s == best else c for s, c in zip(systems, cells, strict=True)]
            rows.append([head(measure), *bold])
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        padded = [" | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
        lines += [f"| {padded[0]} |", "| " + " | ".join("-" * w for w in widths) + " |"]
        lines += [f"| {row} |" for row in padded[1:]] + [""]
    first = f"; * differs from {systems[0]} (paired, {MIN_ITEMS} items or more)" if len(systems) > 1 else ""
    means = f"Means [95 % bootstrap interval]{first}."
    lines.append(f"{means} (truth): the localiser's or listener's own figure on the truth.")
    return "\n".join(lines) + "\n"


def as_json(parts: Sequence[Group], results: Sequence[Result], systems: Sequence[str]) -> dict[str, Any]:
    """Everything as plain values, None for what says nothing."""
    return {
        "systems": list(systems),
        "measures": {
            m.key: {"unit": m.unit, "better": m.better, "by": m.by, "text": m.text} for m in MEASURES
        },
        "groups": {
            group.name: {
                "items": group.items,
                "figures": {
                    key: {system: _plain_figure(figure) for system, figure in row.items()}
                    for key, row in group.figures.items()
                },
            }
            for group in parts
        },
        "items": {
            r.name: {
                "labels": list(r.labels),
                "read": _plain(r.read),
                "figures": {s: {k: _plain(v) for k, v in f.items()} for s, f in r.figures.items()},
            }
            for r in results
        },
    }


def _plain_figure(figure: Figure) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "mean": _plain(figure.mean),
        "ci95": [_plain(figure.low), _plain(figure.high)],
        "items": figure.items,
    }
    if math.isfinite(figure.on_truth):
        plain["on_truth"] = _plain(figure.on_truth)
    if figure.difference is not None:
        mean, *interval = (_plain(v) for v in figure.difference)
        plain["less_first_system"] = {"mean": mean, "ci95": interval}
    return plain


def _plain(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
