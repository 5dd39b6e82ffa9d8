"""The dataset card: what is in a folder of mixtures, out of what each item says of itself."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from foleyspace.errors import InputError

DISTANCES_M = (1.0, 3.0, 10.0)
OPEN = re.compile(r"\b(cc0|public domain|cc[ -]by|apache|mit|bsd|no restriction)\b", re.I)
CLOSED = re.compile(
    r"\b(not|nc|nd|non-?commercial|no ?derivatives|unless|except|pixabay|personal|research)\b", re.I
)
LOADING = """```python
from foleyspace.types import Scene
import soundfile

folder = "shard_000/{item}"
mono, rate = soundfile.read(f"{{folder}}/mono.flac")      # (n,), the stems' sum
truth, _ = soundfile.read(f"{{folder}}/truth.flac")       # (n, 2), left and right ear
first, _ = soundfile.read(f"{{folder}}/stems/0.flac")     # (n,), of scene.sources[0]
scene = Scene.load(f"{{folder}}/scene.json")

from foleyspace.spatializer.hrtfs import find_sets, load_bank
from foleyspace.spatializer.shards import disk_batches

batches = disk_batches(".", load_bank(find_sets("HRTF_FOLDER")), size=8, frames=144, seed=0)
```"""


def read_metas(out: Path) -> dict[Path, dict[str, Any]]:
    """meta.json of every item below `out`, by folder. Raises `InputError` for one that cannot be read."""
    metas = {}
    for path in sorted(out.glob("shard_*/[0-9]*/meta.json")):
        try:
            metas[path.parent] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise InputError(
                f"item file {path} cannot be read: remove its folder, it is made again"
            ) from None
    return metas


def may_be_passed_on(licence: str) -> bool:
    """Whether a licence's name is one of those that let anybody pass a file on; anything unsaid or unclear is
    not."""
    return bool(OPEN.search(licence)) and not CLOSED.search(licence)


def sources_table(metas: Iterable[Mapping[str, Any]]) -> str:
    """CSV of the sound files used: file, class, kind, licence, source, items."""
    used = Counter(
        tuple(source[key] for key in ("file", "label", "kind", "licence", "source"))
        for meta in metas
        for source in meta["sources"]
    )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("file", "class", "kind", "licence", "source", "items"))
    writer.writerows((*row, count) for row, count in sorted(used.items()))
    return text.getvalue()


def card(
    metas: Mapping[Path, Mapping[str, Any]], options: Mapping[str, Any], files_of_kind: Mapping[str, int]
) -> str:
    """Markdown. `options`: what the dataset was made with; `files_of_kind`: how many files the sounds' folder
    has of each kind."""
    items = list(metas.values())
    sources = [source for item in items for source in item["sources"]]
    rooms = [item["rt60_s"] for item in items if item["rt60_s"] is not None]
    levels = np.array([source["level_db"] for source in sources])
    distances = np.array([source["distance_m"] for source in sources])
    left = np.mean([source["left"] for source in sources])
    near = np.searchsorted(DISTANCES_M, distances[:, 1])
    bounds = ["0", *(f"{m:g}" for m in DISTANCES_M), "inf"]
    between = [f"{low} to {high} m" for low, high in pairwise(bounds)]
    hours = sum(item["seconds"] for item in items) / 3600
    kinds = Counter(source["kind"] for source in sources)
    total = sum(files_of_kind.values())
    kind_rows = [
        (kind, f"{files / total:.1%}", f"{kinds[kind] / len(sources):.1%}", kinds[kind])
        for kind, files in sorted(files_of_kind.items(), key=lambda entry: -entry[1])
    ]
    parts = [
        "# Moving sounds, mixed and heard",
        f"{len(items)} mono mixtures ({hours:.2f} h at 48 kHz) of moving sounds, each with its stems, its "
        "scene and its binaural truth, rendered by foleyspace's deterministic renderer with measured HRIRs. "
        "Distance changes no level; the mono mixture is dry, a room is in the truth only.",
        "## Made with",
        _table(("option", "value"), options.items()),
        "## Items",
        _counted("sources", (item["K"] for item in items)),
        f"Rooms in {len(rooms)} of them" + (f", RT60 {_span(rooms)} s." if rooms else "."),
        "## Sources",
        _table(("kind", "share of the files", "share of the sources", "sources"), kind_rows),
        _counted("motion", (source["motion"] for source in sources)),
        _counted("distance (median over the item)", (between[i] for i in near)),
        f"Distances from {distances[:, 0].min():.2f} to {distances[:, 2].max():.1f} m; {left:.0%} of the "
        f"time on the left. Drawn levels {_span(levels)} dB, standard deviation {levels.std():.1f} dB.",
        "## HRIR sets",
        _counted("file and its licence", ((item["hrtf"], item["hrtf_licence"]) for item in items)),
        "## Licences of the sounds",
        _licences(sources),
        "`SOURCES.csv` names every file used, its licence and where it is from: the mixtures are works made "
        "from all of them, and those of HRIR sets that ask to share alike are under their terms too.",
        "## How to load",
        LOADING.format(item=next(iter(metas)).name),
    ]
    return "\n\n".join(parts) + "\n"


def _licences(sources: Sequence[Mapping[str, Any]]) -> str:
    files = Counter(licence for licence, _ in {(source["licence"], source["file"]) for source in sources})
    rows = [
        (licence or "not said", count, "yes" if may_be_passed_on(licence) else "**ask first**")
        for licence, count in files.most_common()
    ]
    table = _table(("licence", "files", "may be passed on"), rows)
    unclear = sum(count for licence, count, _ in rows if not may_be_passed_on(str(licence)))
    if unclear:
        table += (
            f"\n\n**Warning: {unclear} of the {sum(files.values())} sound files may not be passed on, or it "
            "is not clear that they may. Keep the items that hold them to yourself.**"
        )
    return table


def _counted(name: str, values: Iterable[Any]) -> str:
    counts = Counter(values)
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], str(entry[0])))
    rows = ((_said(value), count, f"{count / total:.1%}") for value, count in ordered)
    return _table((name, "number", "share"), rows)


def _said(value: Any) -> str:
    return ": ".join(str(part) for part in value if part) if isinstance(value, tuple) else str(value)


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    each = ([" ".join(str(cell).replace("|", "/").split()) for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in each)


def _span(values: Any) -> str:
    return f"{np.min(values):.2g} to {np.max(values):.2g}"
