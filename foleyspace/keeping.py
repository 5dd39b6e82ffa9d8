"""Models and HRIR sets that stay loaded from one video to the next, in a process that asks for it."""

from __future__ import annotations

import functools
import logging
import logging.handlers
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

MOST = 4  # of each kind: rows of a library may name HRIR sets of their own
logger = logging.getLogger("foleyspace")
_keeping = False


def keep_loaded() -> None:
    """From now on, loaders marked `kept` remember in this process what they have loaded. Only for work that
    is done one after the other: what is kept is shared."""
    global _keeping
    _keeping = True


def kept(load: Callable[P, R]) -> Callable[P, R]:
    """Let a loader (hashable arguments) give the same thing again once `keep_loaded` was called. What it
    logged at loading is logged again, so that every video's report has it."""

    @functools.lru_cache(maxsize=MOST)
    def remembered(*args: P.args, **kwargs: P.kwargs) -> tuple[R, list[logging.LogRecord]]:
        with _noted() as records:
            return load(*args, **kwargs), records

    @functools.wraps(load)
    def loaded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not _keeping:
            return load(*args, **kwargs)
        before = remembered.cache_info().misses
        value, records = remembered(*args, **kwargs)  # type: ignore[arg-type]
        if remembered.cache_info().misses == before:
            for record in records:
                logger.handle(record)
        return value

    return loaded


@contextmanager
def _noted() -> Iterator[list[logging.LogRecord]]:
    """What is logged meanwhile."""
    handler = logging.handlers.BufferingHandler(capacity=sys.maxsize)
    logger.addHandler(handler)
    try:
        yield handler.buffer
    finally:
        logger.removeHandler(handler)
