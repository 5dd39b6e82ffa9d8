"""A process that makes one video after the other and keeps its models loaded.

Run by `local_engine` as `python -m foleyspace.batch.worker`: JSON lines in on stdin (first the settings, then
a task each), JSON lines out on stdout. When stdin ends, whoever started it is gone: it goes too, at once,
with every process it started.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import shutil
import signal
import sys
import threading
from dataclasses import asdict
from typing import Any, NoReturn


def main() -> NoReturn:
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not get between the lines
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the parent decides, and kills
    settings = json.loads(sys.stdin.readline() or "null")
    if settings is None:
        os._exit(0)
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(lines, settings["scratch"]), daemon=True).start()

    def say(message: dict[str, Any]) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    try:
        refused = _begin(settings)
        say({"refused": refused} if refused else {"ready": True})
        while not refused:
            say(_work(json.loads(lines.get())))
    except BrokenPipeError:
        pass
    _end(settings["scratch"])


def _begin(settings: dict[str, Any]) -> str:
    """Load models; why not, if a person's option is wrong."""
    from foleyspace.batch.recipe import prepare
    from foleyspace.batch.tasks import config_of
    from foleyspace.errors import InputError
    from foleyspace.keeping import keep_loaded

    logging.getLogger("foleyspace").setLevel(logging.INFO)
    logging.getLogger("foleyspace").addHandler(logging.NullHandler())
    keep_loaded()
    try:
        prepare(config_of(settings["options"]))
    except InputError as error:
        return str(error)
    return ""


def _work(message: dict[str, Any]) -> dict[str, Any]:
    from foleyspace.batch.recipe import make
    from foleyspace.batch.tasks import Task

    return asdict(make(Task(**message)))


def _listen(lines: queue.Queue[str], scratch: str) -> None:
    for line in sys.stdin:
        lines.put(line)
    _end(scratch)


def _end(scratch: str) -> NoReturn:
    """Without any destructor, which may hang; the temporary files go first."""
    shutil.rmtree(scratch, ignore_errors=True)
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():  # only a group of our own
        with contextlib.suppress(OSError):
            os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    main()
