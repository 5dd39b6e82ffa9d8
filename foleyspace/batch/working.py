"""The loop of a batch: videos handed out as the engine takes them, what comes back written down."""

from __future__ import annotations

import contextlib
import heapq
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace.batch.engines import Engine
from foleyspace.batch.ledger import Ledger, Row
from foleyspace.batch.progress import Progress
from foleyspace.batch.settle import Plan, begun, refusal, settle, task_of
from foleyspace.batch.tasks import Outcome, Task
from foleyspace.errors import InputError

if TYPE_CHECKING:
    from foleyspace.pipelines.batch import BatchConfig

POLL_S = 0.5


def work_off(
    planned: Plan, ledger: Ledger, engine: Engine, config: BatchConfig, out: Path, progress: Progress
) -> list[Row]:
    """Hand out what is to do, as many at a time as the engine takes; the rows of those that failed.

    Raises `InputError` when the disk takes no more, and what `engine.wait` raises."""
    todo, tries = planned.todo, Counter[int]()
    due = [(0.0, number) for number in range(len(todo))]  # from when on (monotonic, s), which
    at_work: dict[str, tuple[int, Row, Task]] = {}
    failed: list[Row] = []

    def end(number: int, row: Row, task: Task, outcome: Outcome) -> None:
        if outcome.kind == "done":  # somebody may have put a file there meanwhile
            outcome = refusal(row, task, planned.read, config.overwrite) or outcome
        again = outcome.kind == "again" and tries[number] <= config.retries
        row, outcome = settle(row, task, outcome, again, ledger)
        ledger.put(row)
        progress.tell(row, outcome, ended=not again)
        if outcome.kind == "stop":
            raise InputError(f"{outcome.error}: the batch stops, the same command goes on later")
        if again:
            todo[number] = (todo[number][0], row)
            heapq.heappush(due, (time.monotonic() + config.backoff_s * 2 ** (tries[number] - 1), number))
        elif row.state != "done":
            failed.append(row)

    try:
        while due or at_work:
            while due and engine.free and due[0][0] <= time.monotonic():
                number = heapq.heappop(due)[1]
                video, row = todo[number]
                task = task_of(video, row, out, config.retry_failed)
                if refused := refusal(row, task, planned.read, config.overwrite):
                    end(number, row, task, refused)
                    continue
                tries[number] += 1
                at_work[row.key] = (number, ledger.put(begun(row)), task)
                engine.submit(task)
            for outcome in engine.wait(POLL_S):
                end(*at_work.pop(outcome.key), outcome)
            progress.tick()
    finally:
        with contextlib.suppress(InputError):  # a disk that is full is said already
            for _, row, _ in at_work.values():
                ledger.put(replace(row, state="waiting"))
    return failed
