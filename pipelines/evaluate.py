"""Systems compared on mixtures whose binaural truth is known. `foleyspace evaluate`."""

from __future__ import annotations

import json
import logging
import math
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleyspace.config_file import SEEDS, check_choice, check_range
from foleyspace.errors import InputError
from foleyspace.evaluation import PHASES
from foleyspace.files import check_folder

if TYPE_CHECKING:
    from foleyspace.evaluation.systems import System

logger = logging.getLogger("foleyspace")

OUTPUTS = ("metrics.json", "table.md", "index.html", "audio")
FORMAT, VERSION = "foleyspace-evaluation", 1


@dataclass(frozen=True)
class EvaluateConfig:
    """Everything `foleyspace evaluate` can be told; `configs/evaluate.yaml` explains every field."""

    out: str | None = None
    systems: tuple[str, ...] = ("diffusion", "hrir", "mono")
    hrtfs: str | None = None
    phase: str = "minimum"
    mono: str = "dry"
    steps: int | None = None
    guidance: float | None = None
    weights: str = "auto"
    device: str = "auto"
    seed: int = 0
    offline: bool = False
    ask: str | None = None
    limit: int | None = None
    audio: bool = True
    overwrite: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "systems", tuple(self.systems))
        more = (1, math.inf)
        check_range(self, {"steps": more, "limit": more, "guidance": (0, 10), "seed": SEEDS})
        check_choice(self, "phase", PHASES)
        check_choice(self, "mono", ("dry", "sum"))


@dataclass(frozen=True)
class EvaluateResult:
    """The folder written, the tables as text, and everything as plain values (metrics.json)."""

    out: Path
    table: str
    metrics: dict[str, Any]


def run(
    folder: str | Path, config: EvaluateConfig, systems: Mapping[str, System] | None = None
) -> EvaluateResult:
    """Evaluate over all items of a set and write metrics.json, table.md, index.html and audio/.

    `folder`: item folders with mono.flac, truth.flac, scene.json, meta.json and perhaps stems/, all at 48
    kHz. `systems`: functions by name, in place of `config.systems`; the first is the one the others are
    compared with. Nothing is written before all items are through. Raises `InputError` for a bad set, system
    or output folder, `FoleyspaceError` when a system fails.
    """
    from foleyspace.evaluation.compare import compare
    from foleyspace.evaluation.items import HrirSets, check_items, find_items, item_name
    from foleyspace.evaluation.page import page
    from foleyspace.evaluation.summary import as_json, groups, markdown
    from foleyspace.evaluation.systems import named_systems
    from foleyspace.evaluation.understanding import understand
    from foleyspace.language_model import load_language_model
    from foleyspace.progress import progress

    if config.out is None:
        raise InputError("`out` is missing but must be a folder to write to")
    folder, out = Path(folder), _checked_out(Path(config.out), config.overwrite)
    folders, sets = find_items(folder, config.limit), HrirSets(config.hrtfs, config.phase)
    lengths = check_items(folders, sets)
    if systems is None:
        items = {item_name(path, folder): length for path, length in lengths.items()}
        options = {
            name: getattr(config, name)
            for name in ("steps", "guidance", "weights", "device", "seed", "offline")
        }
        systems = named_systems(config.systems, items, **options)
    asked = None
    if config.ask is not None:
        asked = load_language_model(
            config.ask, option="ask", instead="the listener's own rule answers", offline=config.offline
        )
    understanding = partial(understand, seed=config.seed, model=asked)
    started = time.perf_counter()
    with _folder_output(out) as temporary:
        audio = temporary / "audio" if config.audio else None
        if audio is not None:
            audio.mkdir()
        compared = compare(folders, folder, sets, systems, audio, config.mono == "sum", understanding)
        results = list(progress(compared, "evaluate", len(folders)))
        parts = groups(results, list(systems), config.seed)
        table = markdown(parts, list(systems))
        stated: dict[str, Any] = {"format": FORMAT, "version": VERSION, "set": folder.resolve().name}
        stated["options"] = asdict(config) | {"systems": list(systems), "out": None, "hrtfs": None}
        stated["options"]["ask"] = config.ask if asked else None
        metrics = {**stated, **as_json(parts, results, list(systems))}
        (temporary / "metrics.json").write_text(
            json.dumps(metrics, indent=1, allow_nan=False) + "\n", "utf-8"
        )
        (temporary / "table.md").write_text(table, "utf-8")
        (temporary / "index.html").write_text(
            page(folder.resolve().name, parts, results, list(systems), audio), "utf-8"
        )
    logger.info("evaluated %d items in %.0f s: %s", len(results), time.perf_counter() - started, out)
    return EvaluateResult(out, table, metrics)


def _checked_out(out: Path, overwrite: bool) -> Path:
    check_folder(out)
    there = [name for name in OUTPUTS if (out / name).exists()]
    if there and not overwrite:
        raise InputError(f"output {out / there[0]} exists already: remove it, or allow it with --overwrite")
    return out


@contextmanager
def _folder_output(out: Path) -> Iterator[Path]:
    """A folder beside `out` to write to; what is in it moves to `out` when the block ends well."""
    temporary = out.parent / f".{out.name[:40]}.{secrets.token_hex(4)}.part"
    try:
        temporary.mkdir()
        yield temporary
        out.mkdir(exist_ok=True)
        for name in OUTPUTS:
            if (out / name).is_dir():
                shutil.rmtree(out / name)
            if (temporary / name).exists():
                os.replace(temporary / name, out / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
