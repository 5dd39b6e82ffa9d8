"""The items of a dataset made in several processes."""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event

from foleyspace.errors import FoleyspaceError
from foleyspace.spatializer.making import Planned, Recipe, make_item

CHUNK = 8  # items of one HRIR set, made one after the other


def make_all(recipe: Recipe, missing: Sequence[Planned], workers: int) -> Generator[None, None, None]:
    """Make items, one `None` each as they get ready, in so many processes (1: in this one). Raises
    `FoleyspaceError` when one of them dies."""
    if workers == 1 or len(missing) <= 1:
        for item in missing:
            make_item(recipe, item)
            yield
        return
    # forked where that is safe, the sounds are in memory once
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    chunks: list[list[Planned]] = []
    for item in missing:
        if not chunks or len(chunks[-1]) == CHUNK or chunks[-1][-1].which != item.which:
            chunks.append([])
        chunks[-1].append(item)
    stop = context.Event()
    pool = ProcessPoolExecutor(min(workers, len(chunks)), context, _begin, (recipe, stop))
    try:
        for done in as_completed([pool.submit(_work, chunk) for chunk in chunks]):
            yield from [None] * done.result()
    except BrokenProcessPool:
        raise FoleyspaceError(
            "a worker was ended from outside (out of memory?): try fewer --workers"
        ) from None
    finally:
        stop.set()  # items in the making are finished
        pool.shutdown(cancel_futures=True)


_given: list[tuple[Recipe, Event]] = []  # to a worker process


def _begin(recipe: Recipe, stop: Event) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _given[:] = [(recipe, stop)]


def _work(chunk: list[Planned]) -> int:
    recipe, stop = _given[0]
    for item in chunk:
        if not stop.is_set():
            make_item(recipe, item)
    return len(chunk)
