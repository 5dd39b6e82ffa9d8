"""The recipe that every engine runs: one video made, whatever happens told as an `Outcome`."""

from __future__ import annotations

import logging
import os
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from foleyspace.batch.tasks import FULL, Outcome, Task, config_of, content_hash, inputs_of, stamp_of
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.files import check_input, file_sha256
from foleyspace.pipelines.render import RenderConfig
from foleyspace.trajectory import CENTRE

logger = logging.getLogger("foleyspace")

MOST_WARNINGS = 20  # of a video, kept
FULL_SAID = ("no space left", "disk full", "quota exceeded", "read-only file system", "cannot be written to")


def prepare(config: RenderConfig) -> None:
    """Load what videos of this config need, as `render` would. Raises `InputError` for what is broken."""
    from foleyspace.pipelines.track import load_models

    config.sound.load_hrirs()
    if config.scene is None and config.prompt is None:
        load_models(config.seeing)


def make(task: Task) -> Outcome:
    """Hash, compare with what is known, render into `task.making`, hash again. Never raises."""
    started = time.perf_counter()
    with _warnings() as warnings:
        try:
            outcome = _make(task)
        except BaseException as error:
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            outcome = _failure(task, error)
    made = str(_made(task))  # not where it was made: where it goes
    return replace(
        outcome,
        error=outcome.error.replace(made, task.final),
        wall_s=time.perf_counter() - started,
        warnings=tuple(dict.fromkeys(line.replace(made, task.final) for line in warnings))[:MOST_WARNINGS],
    )


def _made(task: Task) -> Path:
    return Path(task.making) / Path(task.final).name


def _make(task: Task) -> Outcome:
    from foleyspace.pipelines.render import run

    config = config_of(task.options)
    read = inputs_of(task.video, config)
    before, content = None, ""
    try:
        for path in read:
            check_input(path, "video" if path == task.video else "sound")
        before = stamp_of(read)
        content = content_hash(read)
        if _unchanged(task, content):
            return Outcome(task.key, "same", content_hash=content, stamp=before)
        made = _made(task)
        made.parent.mkdir(parents=True, exist_ok=True)
        result = run(task.video, replace(config, out=str(made), overwrite=True))
    except InputError as error:
        if _full(error) or (before is not None and stamp_of(read) != before):
            raise
        return Outcome(task.key, "bad", str(error), content_hash=content, stamp=before)
    if stamp_of(read) != before:
        raise OSError("it was changed while it was read")
    return Outcome(
        task.key,
        "done",
        made=str(made),
        content_hash=content,
        output_hash=file_sha256(made),
        stamp=before,
        duration_s=result.clip.duration,
        sources=sum(source.id != CENTRE for source in result.scene.sources),
    )


def _unchanged(task: Task, content: str) -> bool:
    known = task.known
    if not known or known["options_hash"] != task.options_hash or known["content_hash"] != content:
        return False
    if known["state"] == "quarantined":
        return True
    return os.path.isfile(task.final) and file_sha256(Path(task.final)) == known["output_hash"]


def _failure(task: Task, error: BaseException) -> Outcome:
    said = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, OSError):
        said = (error.strerror or said).lower() if error.errno else said
    if _full(error):
        return Outcome(task.key, "stop", said)
    if not os.path.exists(task.video):
        return Outcome(task.key, "failed", f"video {task.video} does not exist")
    if isinstance(error, InputError):
        return Outcome(task.key, "again", f"it was changed while it was read ({said})")
    if isinstance(error, (FoleyspaceError, OSError)):
        return Outcome(task.key, "again", said)
    detail = traceback.format_exc()
    if isinstance(error, MemoryError) or "out of memory" in said.lower():
        return Outcome(task.key, "again", "out of memory", spoiled=True, detail=detail)
    said = f"unexpected {type(error).__name__}: {said} (please report it)"
    return Outcome(task.key, "bad", said, content_hash=_hash_or_none(task), spoiled=True, detail=detail)


def _hash_or_none(task: Task) -> str:
    try:
        return content_hash(inputs_of(task.video, config_of(task.options)))
    except OSError:
        return ""


def _full(error: BaseException | None) -> bool:
    """Whether it is about a disk that takes nothing more, in whatever words."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        if any(words in str(error).lower() for words in FULL_SAID):
            return True
        error = error.__cause__
    return False


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """What is warned of meanwhile."""
    said: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    handler = Collector(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)
