"""Worker processes on this machine: one video each at a time, watched, ended and replaced where need be."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from foleyspace.batch.tasks import Outcome, Task
from foleyspace.errors import FoleyspaceError, InputError

START_LIMIT_S = 900.0  # models may have to be fetched
WATCH_S = 0.5  # between two looks at memory and clocks
STILLBORN = 3  # workers in a row that died before their first video: no other will live

THREAD_VARIABLES = (  # PyTorch and NumPy, and OpenCV
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    "OPENCV_FOR_THREADS_NUM",
)


@dataclass(frozen=True)
class Settings:
    """What workers are told. `options`: the render config of videos that have none of their own;
    `memory_bytes`: of a worker and all it starts; `log`: where their stderr goes; `scratch`: the folder for
    their temporary files, None for the system's; `keep_open`: descriptors that workers inherit (a lock that
    is to last as long as any of them)."""

    options: dict[str, Any]
    threads: int
    time_limit_s: float
    memory_bytes: float
    log: str = os.devnull
    scratch: str | None = None
    keep_open: tuple[int, ...] = ()


@dataclass(eq=False)
class _Worker:
    process: subprocess.Popen[str]
    scratch: str
    started: float
    ready: bool = False
    task: Task | None = None
    since: float = 0.0
    ended: Outcome | None = field(default=None)  # why it was killed


class LocalEngine:
    """At most `workers` videos at a time. `submit` while `free`; `wait` gives what has ended meanwhile;
    `close` ends everything at once."""

    def __init__(self, workers: int, settings: Settings) -> None:
        self._most, self._settings = workers, settings
        self._workers: list[_Worker] = []
        self._events: queue.Queue[tuple[_Worker, str]] = queue.Queue()
        self._stillborn = 0

    @property
    def free(self) -> int:
        return self._most - sum(worker.task is not None for worker in self._workers)

    def submit(self, task: Task) -> None:
        idle = [worker for worker in self._workers if worker.task is None]
        worker = next((w for w in idle if w.ready), None) or next(iter(idle), None) or self._start()
        worker.task, worker.since = task, time.monotonic()
        with contextlib.suppress(OSError):  # it has just died: its reader says so
            _write(worker, asdict(task))

    def wait(self, timeout_s: float) -> list[Outcome]:
        """The videos that have ended, waiting up to `timeout_s` for the first. Raises `InputError` for an
        option that no video can be made with, `FoleyspaceError` when no worker comes up."""
        outcomes: list[Outcome] = []
        until = time.monotonic() + timeout_s
        while not outcomes and (left := until - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                outcomes += self._heard(*self._events.get(timeout=min(left, WATCH_S)))
                while True:
                    outcomes += self._heard(*self._events.get_nowait())
            self._watch()
        return outcomes

    def close(self) -> None:
        for worker in self._workers:
            _kill(worker)
        self._workers = []

    def _heard(self, worker: _Worker, line: str) -> list[Outcome]:
        if worker not in self._workers:
            return []
        if not line:
            return self._dead(worker)
        if worker.ended is not None:  # too late
            return []
        message = json.loads(line)
        if "refused" in message:
            raise InputError(message["refused"])
        if "ready" in message:
            worker.ready, worker.since = True, time.monotonic()
            self._stillborn = 0
            return []
        outcome = Outcome(**{**message, "warnings": tuple(message["warnings"])})
        worker.task = None
        if outcome.spoiled:
            self._bury(worker)
        return [outcome]

    def _dead(self, worker: _Worker) -> list[Outcome]:
        code = self._bury(worker)
        if worker.ended is not None:
            return [worker.ended]
        how = _said(code)
        if not worker.ready:
            self._stillborn += 1
            if self._stillborn >= STILLBORN:
                raise FoleyspaceError(f"workers do not come up: {how} (see {self._settings.log})")
        if worker.task is None:
            return []
        took = time.monotonic() - worker.since
        return [Outcome(worker.task.key, "again", f"its worker died: {how}", wall_s=took)]

    def _bury(self, worker: _Worker) -> int:
        self._workers.remove(worker)
        return _kill(worker)

    def _watch(self) -> None:
        """Kill what takes too long or too much; its reader notices."""
        for worker in self._workers:
            if worker.ended is not None or worker.task is None:
                continue
            took = time.monotonic() - worker.since
            limit_s = self._settings.time_limit_s if worker.ready else START_LIMIT_S
            key = worker.task.key
            if took > limit_s:
                said = f"it took longer than the time limit of {limit_s:g} s"
                worker.ended = Outcome(key, "failed", said, wall_s=took)
            elif (used := _tree_bytes(worker.process.pid)) > self._settings.memory_bytes:
                limit = self._settings.memory_bytes / 1e9
                said = f"it took {used / 1e9:.2f} GB of memory, more than the limit of {limit:.2f} GB"
                worker.ended = Outcome(key, "again", said, wall_s=took)
            if worker.ended is not None:
                _kill_tree(worker.process)

    def _start(self) -> _Worker:
        settings = self._settings
        scratch = tempfile.mkdtemp(prefix="foleyspace-worker-", dir=settings.scratch)
        names = dict.fromkeys(THREAD_VARIABLES, str(settings.threads))
        names |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), scratch)
        with open(settings.log, "ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "foleyspace.batch.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **names},
                text=True,
                encoding="utf-8",
                start_new_session=True,
                pass_fds=settings.keep_open if os.name == "posix" else (),
            )
        worker = _Worker(process, scratch, time.monotonic())
        self._workers.append(worker)
        first = {"options": settings.options, "scratch": scratch}
        with contextlib.suppress(OSError):
            _write(worker, first)
        assert process.stdout is not None
        threading.Thread(target=self._read, args=(worker, process.stdout), daemon=True).start()
        return worker

    def _read(self, worker: _Worker, stdout: IO[str]) -> None:
        """In a thread of its own: every line, and an empty one at the end."""
        with stdout, contextlib.suppress(ValueError, OSError):
            for line in stdout:
                self._events.put((worker, line))
        self._events.put((worker, ""))


def _write(worker: _Worker, message: dict[str, Any]) -> None:
    assert worker.process.stdin is not None
    worker.process.stdin.write(json.dumps(message) + "\n")
    worker.process.stdin.flush()


def _kill(worker: _Worker) -> int:
    """End a worker and all it started, take its temporary files away; its exit code."""
    _kill_tree(worker.process)
    code = worker.process.wait()
    assert worker.process.stdin is not None
    with contextlib.suppress(OSError, ValueError):
        worker.process.stdin.close()
    shutil.rmtree(worker.scratch, ignore_errors=True)
    return code


def _kill_tree(process: subprocess.Popen[str]) -> None:
    import psutil

    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()
    if hasattr(os, "killpg"):  # before it is waited for: the group's number is still its own
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _tree_bytes(pid: int) -> int:
    """Resident memory of a process and all it started."""
    import psutil

    total = 0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += each.memory_info().rss
    return total


def _said(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def scratch_folder(kept_in: Path) -> str:
    """A new folder for temporary files; the one that an earlier run left, as noted in `kept_in`, goes. Raises
    `InputError` when the note or the folder cannot be made."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        old = Path(kept_in.read_text(encoding="utf-8"))
        if old.name.startswith("foleyspace-batch-"):
            shutil.rmtree(old, ignore_errors=True)
    try:
        new = tempfile.mkdtemp(prefix="foleyspace-batch-")
        kept_in.write_text(new, encoding="utf-8")
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise InputError(f"{error.filename or kept_in} cannot be written ({said})") from None
    return new
