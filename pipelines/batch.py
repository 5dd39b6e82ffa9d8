"""A library of videos, each rendered once, whatever comes between. `foleyspace batch`."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleyspace.config_file import check_choice, check_range
from foleyspace.errors import InputError
from foleyspace.pipelines.render import RenderConfig

if TYPE_CHECKING:
    from foleyspace.batch.ledger import Row


@dataclass(frozen=True)
class BatchConfig:
    """Everything `foleyspace batch` can be told; `configs/batch.yaml` explains every field."""

    out: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    engine: str = "local"
    workers: int = 0
    time_limit_s: float = 14400.0
    memory_limit_gb: float = 0.0
    retries: int = 2
    backoff_s: float = 2.0
    retry_failed: bool = False
    ray_address: str | None = None
    num_gpus: float = 0.0
    report: bool = False
    overwrite: bool = False
    render: RenderConfig = field(default_factory=RenderConfig)

    def __post_init__(self) -> None:
        check_choice(self, "engine", ("local", "ray"))
        check_range(self, _RANGES)


_RANGES = {
    "workers": (0, 1024),
    "time_limit_s": (1, 10_000_000),
    "memory_limit_gb": (0, 100_000),
    "retries": (0, 100),
    "backoff_s": (0, 3600),
    "num_gpus": (0, 64),
}


@dataclass(frozen=True)
class BatchResult:
    """How a run went: videos `made`, those that were done before (`kept`), the rows of those that `failed` or
    are in quarantine, seconds of video made and of time taken; `reports`: the files of `report`."""

    out: Path
    made: int
    kept: int
    failed: tuple[Row, ...]
    video_s: float
    wall_s: float
    reports: tuple[Path, ...] = ()

    def as_json(self) -> dict[str, Any]:
        failed = [{k: getattr(row, k) for k in ("key", "state", "attempts", "error")} for row in self.failed]
        return {
            **asdict(self),
            "out": str(self.out),
            "failed": failed,
            "reports": list(map(str, self.reports)),
        }


def run(inputs: Sequence[str | Path], config: BatchConfig) -> BatchResult:
    """Render all videos of `inputs` into the folder `config.out` that are not there yet; what failed is told,
    never raised. Without inputs: only the report.

    Raises `InputError` for bad input, rows of lists and options before anything is begun, when another
    batch is at work in the folder, and when the disk takes no more; `FoleyspaceError` when no worker comes
    up. Whenever it is stopped, by whatever, the same call goes on where it was.
    """
    from foleyspace.batch.engines import start_engine
    from foleyspace.batch.inputs import find_videos
    from foleyspace.batch.ledger import Ledger
    from foleyspace.batch.lock import locked
    from foleyspace.batch.progress import Progress
    from foleyspace.batch.report import write_reports
    from foleyspace.batch.settle import HIDDEN, plan
    from foleyspace.batch.tasks import absolute
    from foleyspace.batch.working import work_off
    from foleyspace.files import check_folder

    if config.out is None:
        raise InputError("`out` is missing but must be a folder")
    out = check_folder(Path(os.path.realpath(config.out)))
    hidden = out / HIDDEN
    if not inputs:
        return BatchResult(out, 0, 0, (), 0.0, 0.0, write_reports(hidden))
    choice: dict[str, Any] = {"include": config.include, "exclude": config.exclude, "apart": out}
    videos = find_videos(inputs, absolute(config.render), **choice)
    started = time.monotonic()
    with locked(hidden / "lock") as lock:
        shutil.rmtree(hidden / "making", ignore_errors=True)
        ledger = Ledger(hidden)
        try:
            planned = plan(videos, ledger, out, config.retry_failed)
            progress = Progress(len(planned.todo), len(planned.kept), hidden / "batch.log")
            failed = [row for row in planned.kept if row.state == "quarantined"]
            if planned.todo:
                with start_engine(config, hidden, lock, len(planned.todo)) as engine, progress.shown():
                    failed += work_off(planned, ledger, engine, config, out, progress)
        finally:
            ledger.close()
            shutil.rmtree(hidden / "making", ignore_errors=True)
        reports = write_reports(hidden) if config.report else ()
    kept = sum(row.state == "done" for row in planned.kept) + progress.same
    took = time.monotonic() - started
    return BatchResult(out, progress.made, kept, tuple(failed), progress.video_s, took, reports)
