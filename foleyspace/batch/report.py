"""The report on a library: every video with its figures, as HTML for people and JSON lines for programs."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from foleyspace.batch.ledger import Row, State, read_rows
from foleyspace.files import atomic_output
from foleyspace.pages import fill_page

ORDER: tuple[State, ...] = ("quarantined", "failed", "running", "waiting", "done")
MEANING = {
    "done": "made",
    "failed": "failed; the next run tries again",
    "quarantined": "cannot be made; left alone until it or its options change, or --retry-failed",
    "waiting": "to do",
    "running": "being made, or was when the batch was stopped",
}


def write_reports(hidden: Path) -> tuple[Path, Path]:
    """`report.html` and `report.jsonl` in the folder of outputs, whose ledger lies in `hidden`. Raises
    `InputError` where there is none."""
    rows = sorted(read_rows(hidden), key=lambda row: (ORDER.index(row.state), row.output))
    page, lines = hidden.parent / "report.html", hidden.parent / "report.jsonl"
    with atomic_output(lines, overwrite=True) as temporary:
        temporary.write_text("".join(json.dumps(figures(row)) + "\n" for row in rows), encoding="utf-8")
    with atomic_output(page, overwrite=True) as temporary:
        temporary.write_text(_page(rows), encoding="utf-8")
    return page, lines


def figures(row: Row) -> dict[str, Any]:
    """What is known of a video: length, sources found, wall time, real-time factor (wall time over length),
    and the rest of its row."""
    known = {k: v for k, v in asdict(row).items() if k not in ("key", "owned", "input_stamp", "output_stamp")}
    factor = round(row.wall_s / row.duration_s, 3) if row.duration_s else None
    return {"video": row.key, **known, "real_time_factor": factor}


def _page(rows: list[Row]) -> str:
    counts = Counter(row.state for row in rows)
    done = [row for row in rows if row.state == "done"]
    video_s, wall_s = sum(row.duration_s or 0.0 for row in done), sum(row.wall_s for row in done)
    return fill_page(
        "batch.html.j2",
        rows=[{"row": row, "figures": figures(row), "length": clock(row.duration_s)} for row in rows],
        counts=[(state, counts[state], MEANING[state]) for state in ORDER if counts[state]],
        video_time=clock(video_s),
        wall_time=clock(wall_s),
        factor=f"{wall_s / video_s:.2f}" if video_s else "-",
    )


def clock(seconds: float | None) -> str:
    """3725.5 as 1:02:05.5."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
