"""`foleyspace` commands in processes of their own, watched: a limit on processor time, on the clock and on
memory, for the process and all that it starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import psutil

LOOK_S = 0.4  # a look at all processes is not free
CLOCK = 15.0  # of a command's processor time: what it may take on a machine that has other work


@dataclass(frozen=True)
class Run:
    """How a command ended: exit code (negative: the signal), "hang" or "memory" where it was ended for that,
    what it said, its wall and processor time and the peak of its resident memory, children included."""

    code: int
    ended: str
    said: str
    wall_s: float
    cpu_s: float
    peak_mb: float

    @property
    def crashed(self) -> bool:
        """A traceback, an error that the command line calls unexpected, a signal."""
        return "Traceback" in self.said or "foleyspace: unexpected" in self.said or self.code not in (0, 1, 2)


def import_everything() -> None:
    """What the commands import, so that a fork has it; nothing is computed, no thread is started."""
    import cv2  # noqa: F401
    import huggingface_hub  # noqa: F401
    import scipy.optimize
    import scipy.signal  # noqa: F401
    import sofar  # noqa: F401
    import soundfile  # noqa: F401
    import soxr  # noqa: F401
    import torch

    import foleyspace.api
    import foleyspace.cli.render
    import foleyspace.cli.track  # noqa: F401

    torch.set_num_threads(1)


def forked(args: Sequence[str], folder: Path, limit_s: float, limit_mb: float = float("inf")) -> Run:
    """In a fork of this process (POSIX), which has called `import_everything`."""

    def start(said: int) -> int:
        pid = os.fork()
        if pid == 0:
            _child(args, folder, said)
        return pid

    return _watched(start, limit_s, limit_mb)


def fresh(args: Sequence[str], folder: Path, limit_s: float, limit_mb: float = float("inf")) -> Run:
    """In an interpreter of its own: for figures of memory."""

    def start(said: int) -> int:
        return subprocess.Popen(
            [sys.executable, "-m", "foleyspace", *args],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        ).pid

    return _watched(start, limit_s, limit_mb)


def _child(args: Sequence[str], folder: Path, said: int) -> NoReturn:
    code: object = 99
    try:
        os.setsid()
        os.chdir(folder)
        os.dup2(said, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        from foleyspace.cli import main

        sys.argv = ["foleyspace", *args]
        main()
    except SystemExit as stop:
        code = stop.code or 0
    finally:
        os._exit(code if isinstance(code, int) else 99)


def _watched(start: Callable[[int], int], limit_s: float, limit_mb: float) -> Run:
    with tempfile.TemporaryFile() as said:
        started = time.monotonic()
        pid = start(said.fileno())
        ended, status, cpu_s, peak_mb = "", 0, 0.0, 0.0
        looked = started
        while not ended:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                break
            time.sleep(0.05)
            if time.monotonic() - looked < LOOK_S:
                continue
            now_s, now_mb = _used(pid)
            looked = time.monotonic()
            cpu_s, peak_mb = max(cpu_s, now_s), max(peak_mb, now_mb)
            late = cpu_s > limit_s or looked - started > CLOCK * limit_s
            ended = "memory" if peak_mb > limit_mb else "hang" if late else ""
        if ended:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    code = -signal.SIGKILL if ended else os.waitstatus_to_exitcode(status)
    return Run(code, ended, text, time.monotonic() - started, cpu_s, peak_mb)


def _used(pid: int) -> tuple[float, float]:
    """Processor time in s and resident memory in MB, of a process and all it has started."""
    cpu_s = mb = 0.0
    try:
        process = psutil.Process(pid)
        cpu_s += sum(process.cpu_times()[:4])  # its ended children's too
        mb += process.memory_info().rss / 2**20
        for child in process.children(recursive=True):
            cpu_s += sum(child.cpu_times()[:2])
            mb += child.memory_info().rss / 2**20
    except psutil.Error:
        pass
    return cpu_s, mb
