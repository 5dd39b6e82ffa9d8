"""One line a stage in a log, a progress bar on a terminal, and the decisions kept for the report."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
logger = logging.getLogger("foleyspace")


def progress(items: Iterable[T], description: str, total: float | None = None) -> Iterable[T]:
    """`items` with a bar on the terminal; as they are when stderr is no terminal or -q was given."""
    if not sys.stderr.isatty() or logger.getEffectiveLevel() > logging.INFO:
        return items
    from tqdm import tqdm

    return tqdm(items, desc=description, total=total, leave=False, unit="")


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def collected_decisions() -> Iterator[list[str]]:
    """What the stages decide and why (everything logged at INFO or above meanwhile), as a growing list."""
    collector, level = _Collector(), logger.level
    logger.addHandler(collector)
    shown = logger.getEffectiveLevel()
    if shown > logging.INFO:
        # the report needs the INFO lines even when the terminal does not: other handlers keep their own level
        for handler in logger.handlers:
            if handler is not collector and handler.level == logging.NOTSET:
                handler.setLevel(shown)
        logger.setLevel(logging.INFO)
    try:
        yield collector.lines
    finally:
        logger.removeHandler(collector)
        logger.setLevel(level)
