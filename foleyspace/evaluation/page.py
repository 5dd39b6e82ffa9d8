"""The page a person judges systems by: tables, every item as a dot, cues over time, players."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foleyspace.evaluation.compare import file_stem
from foleyspace.evaluation.drawing import cue_svg, dots_svg
from foleyspace.evaluation.scores import MEASURES
from foleyspace.evaluation.summary import (
    TRUTH,
    Figure,
    Group,
    Result,
    best_system,
    figure_text,
    head,
)
from foleyspace.pages import fill_page

MAX_ITEMS = 60  # with curves and players; the rest is in the figures and the dots
DOTS = ("SNR", "ILDe", "IPDe", "AZe", "noise", "SI-SDRi")
ITEM_FIGURES = ("SNR", "ILDe", "IPDe", "ITDe", "AZe", "LCR", "noise", "SI-SDRi")
CUES = (("azimuth", "azimuth_deg", "°", 95.0), ("ILD", "ild_db", "dB", 25.0), ("ITD", "itd_us", "µs", 950.0))


def page(
    name: str, groups: Sequence[Group], results: Sequence[Result], systems: Sequence[str], audio: Path | None
) -> str:
    """HTML that loads nothing but the sounds in `audio`, the folder beside it (None: no players)."""
    from foleyspace.doctor import versions

    shown = results[:MAX_ITEMS]
    measures = {measure.key: measure for measure in MEASURES}
    return fill_page(
        "evaluate.html.j2",
        name=name,
        count=len(results),
        systems=list(systems),
        verdict=_verdict(groups, systems),
        groups=[_table(group, systems) for group in groups],
        measures=[m for m in MEASURES if any(m.key in group.figures for group in groups)],
        dots=[
            {"head": head(measures[key]), "svg": dots_svg(measures[key], results, systems)}
            for key in DOTS
            if any(key in group.figures for group in groups)
        ],
        items=[_item(result, systems, audio) for result in shown],
        left_out=len(results) - len(shown),
        version=versions().get("foleyspace", ""),
    )


def _verdict(groups: Sequence[Group], systems: Sequence[str]) -> str:
    """Who comes nearest, by the most measures, where it matters most."""
    group = groups[-1]
    measures = [m for m in MEASURES if m.key in group.figures]
    if len(systems) < 2:
        return f"{systems[0]} against the truth."
    wins = [best_system(m, group.figures[m.key]) for m in measures]
    winner = max(systems, key=wins.count)
    count = f"{wins.count(winner)} of {len(wins)} measures"
    return f"On {group.name}, {winner} comes nearest to the truth by {count}."


def _table(group: Group, systems: Sequence[str]) -> dict[str, Any]:
    rows = []
    for measure in MEASURES:
        row = group.figures.get(measure.key)
        if row is None:
            continue
        best = best_system(measure, row)
        cells = [
            {"text": _parts(figure_text(measure, row[s])), "best": s == best and len(systems) > 1}
            for s in systems
        ]
        rows.append({"head": head(measure), "text": measure.text, "cells": cells})
    return {"name": group.name, "items": group.items, "rows": rows}


def _parts(text: str) -> tuple[str, str]:
    """The mean, and what is printed smaller after it."""
    mean, space, rest = text.partition(" ")
    return mean, space + rest


def _item(result: Result, systems: Sequence[str], audio: Path | None) -> dict[str, Any]:
    measures = {measure.key: measure for measure in MEASURES}
    names = [TRUTH, *systems]
    keys = [k for k in ITEM_FIGURES if any(np.isfinite(result.figures[s].get(k, np.nan)) for s in systems)]
    rows = []
    for system in names:
        figures = result.figures[system]
        cells = [figure_text(measures[k], Figure(figures.get(k, np.nan), np.nan, np.nan, 1)) for k in keys]
        path = f"audio/{file_stem(result.name)}.{file_stem(system)}.flac"
        rows.append({"system": system, "cells": cells, "audio": path if audio is not None else None})
    return {
        "name": result.name,
        "labels": ", ".join(result.labels),
        "plots": [
            {"name": f"{title} ({unit})", "svg": cue_svg(result, names, attribute, reach, unit)}
            for title, attribute, unit, reach in CUES
        ],
        "heads": [head(measures[k]) for k in keys],
        "rows": rows,
        "read": f"{100 * result.read:.0f} %",
    }
