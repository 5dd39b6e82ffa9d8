"""Which engine runs the recipe, with how many workers, and what each of them may take."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from foleyspace.batch.local_engine import LocalEngine, Settings, scratch_folder
from foleyspace.batch.tasks import Outcome, Task

if TYPE_CHECKING:
    from foleyspace.pipelines.batch import BatchConfig

WORKER_BYTES = 2e9  # what a worker usually takes, with models
SHARE = 0.9  # of the machine's memory, for all workers


class Engine(Protocol):
    """Something that makes videos: `submit` while `free`, `wait` for what has ended, `close` at any time."""

    @property
    def free(self) -> int: ...

    def submit(self, task: Task) -> None: ...

    def wait(self, timeout_s: float) -> list[Outcome]: ...

    def close(self) -> None: ...


@contextlib.contextmanager
def start_engine(config: BatchConfig, hidden: Path, lock: int, videos: int) -> Iterator[Engine]:
    """The engine of a config, closed at the end. `hidden`: the folder for its log and notes; `lock`: a
    descriptor for local workers to inherit; `videos`: no more workers than these."""
    if config.engine == "ray":
        from foleyspace.batch.ray_engine import ray_engine

        workers = min(config.workers, videos) if config.workers else 0
        with ray_engine(config, workers, videos) as far:
            yield far
        return
    workers = min(config.workers or usual_workers(), videos)
    scratch = scratch_folder(hidden / "scratch")
    settings = settings_of(config, workers, str(hidden / "batch.log"), scratch, (lock,))
    engine = LocalEngine(workers, settings)
    try:
        yield engine
    finally:
        engine.close()
        shutil.rmtree(scratch, ignore_errors=True)
        (hidden / "scratch").unlink(missing_ok=True)


def settings_of(
    config: BatchConfig,
    workers: int,
    log: str = os.devnull,
    scratch: str | None = None,
    keep_open: tuple[int, ...] = (),
) -> Settings:
    """What each of so many workers on this machine is told."""
    import psutil

    shared = SHARE * psutil.virtual_memory().total / workers
    return Settings(
        asdict(config.render),
        max(1, cores() // workers),
        config.time_limit_s,
        config.memory_limit_gb * 1e9 or shared,
        log,
        scratch,
        keep_open,
    )


def usual_workers() -> int:
    """One for each core, as far as there is memory for them."""
    import psutil

    return max(1, min(cores(), int(psutil.virtual_memory().available // WORKER_BYTES)))


def cores() -> int:
    """Those that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
