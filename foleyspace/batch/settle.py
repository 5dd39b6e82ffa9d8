"""What is left to do of a library, and what an outcome makes of a row of the ledger."""

from __future__ import annotations

import os
import shutil
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from itertools import count
from pathlib import Path

from foleyspace.batch.inputs import Video
from foleyspace.batch.ledger import Ledger, Row, now
from foleyspace.batch.names import assign, printable, unversioned
from foleyspace.batch.tasks import FULL, Kind, Outcome, Stamp, Task, digest, inputs_of, options_hash, stamp_of

HIDDEN = ".foleyspace"  # the folder in the output folder that everything but the videos is in


@dataclass(frozen=True)
class Plan:
    """`todo`: videos to hand out, with their rows; `kept`: rows that need nothing (done, or quarantined);
    `read`: the `marks` of all that is read."""

    todo: list[tuple[Video, Row]]
    kept: list[Row]
    read: frozenset[Hashable]


def plan(videos: Sequence[Video], ledger: Ledger, out: Path, retry_failed: bool) -> Plan:
    """Who needs to be worked on: all but those done with these options out of these inputs, whose output lies
    there as it was made, and those in quarantine (unless `retry_failed`). Nothing but sizes and times is
    looked at here; where they differ, a worker looks at what the files hold."""
    options_hash.cache_clear()  # of files that may have changed since
    digest.cache_clear()
    known = ledger.rows()
    videos = _keyed(videos, known)
    stamps = {video.key: stamp for video in videos if (stamp := input_stamp(video)) is not None}
    rows = assign({video.key: video.wanted for video in videos}, known, stamps)
    todo, kept = [], []
    for video in videos:
        row = rows[video.key]
        done = row.state == "done" and row.output_stamp == _stamp_or_none(out / row.output)
        left_alone = row.state == "quarantined" and not retry_failed
        same = row.options_hash == options_hash(video.config) and row.input_stamp == stamps.get(video.key)
        if same and row.input_stamp and (done or left_alone):
            kept.append(row)
        else:
            todo.append((video, row))
    if moved := [row for row in kept if row.key not in known]:
        ledger.put_all(moved)
    read = {path for video in videos for path in inputs_of(video.path, video.config)}
    return Plan(todo, kept, frozenset(mark for path in read for mark in marks(path)))


def _keyed(videos: Sequence[Video], known: Mapping[str, Row]) -> list[Video]:
    """The videos, each version of a file under the key that the ledger has its options under: their order
    may be another than it was. Those with new options get what keys are left."""
    groups: dict[str, list[Video]] = {}
    for video in videos:
        groups.setdefault(video.path, []).append(video)
    firsts = {group[0].key for group in groups.values()}
    versions: dict[str, list[str]] = {}
    for key in sorted(known, reverse=True):  # of several with the same options the first is to win
        versions.setdefault(unversioned(key), []).append(key)
    keyed = []
    for group in groups.values():
        first = group[0].key
        there = [key for key in versions.get(first, ()) if key == first or key not in firsts]
        if len(group) == 1 and there in ([], [first]):
            keyed += group
            continue
        claims = {known[key].options_hash: key for key in there}
        keys = [claims.pop(options_hash(video.config), None) for video in group]
        others = (first if n == 1 else f"{first}#{n}" for n in count(1))
        free = (key for key in others if key not in keys and (key == first or key not in firsts))
        keyed += [replace(video, key=key or next(free)) for video, key in zip(group, keys, strict=True)]
    return keyed


def marks(path: str) -> set[Hashable]:
    """What two names of one file have in common: device and inode and, should it be replaced, its path."""
    path = os.path.abspath(path)
    try:
        status = os.stat(path)
    except OSError:
        return {path}
    return {path, (status.st_dev, status.st_ino)}


def input_stamp(video: Video) -> Stamp | None:
    try:
        return stamp_of(inputs_of(video.path, video.config))
    except OSError:
        return None


def task_of(video: Video, row: Row, out: Path, retry_failed: bool) -> Task:
    known = {name: getattr(row, name) for name in ("state", "options_hash", "content_hash", "output_hash")}
    if row.state == "quarantined" and retry_failed:
        known = {}
    elif row.state != "quarantined":  # whatever came between: the hashes tell
        known = {**known, "state": "done"} if row.output_hash else {}
    making = out / HIDDEN / "making" / sha256(row.key.encode()).hexdigest()[:16]
    final, options = str(out / row.output), asdict(video.config)
    return Task(row.key, video.path, final, str(making), options, options_hash(video.config), known or None)


def refusal(row: Row, task: Task, read: frozenset[Hashable], overwrite: bool) -> Outcome | None:
    """Why a video must not be begun, if so: its output is there, and no batch made it or it is an input."""
    if not os.path.lexists(task.final):
        return None
    said = ""
    if not read.isdisjoint(marks(task.final)):
        said = f"output {task.final} is an input: give another folder"
    elif not row.owned and not overwrite:
        said = f"output {task.final} exists and is none of this folder's ledger: remove it, or --overwrite"
    return Outcome(row.key, "failed", said) if said else None


def begun(row: Row) -> Row:
    return replace(row, state="running", attempts=row.attempts + 1, started=now())


def settle(row: Row, task: Task, outcome: Outcome, again: bool, ledger: Ledger) -> tuple[Row, Outcome]:
    """The row after an outcome, the output put in its place. `again`: it will be tried again in this run. An
    output that cannot be put there makes it another outcome. `ledger` hears of an output before it is put
    there; the row that comes back is still to be written."""
    try:
        return _settled(row, task, outcome, again, ledger), outcome
    except OSError as error:
        said = f"output {task.final} cannot be put in its place ({(error.strerror or str(error)).lower()})"
        kind: Kind = "stop" if error.errno in FULL else "failed"
        outcome = replace(outcome, kind=kind, error=said, output_hash="")
        return _settled(row, task, outcome, False, ledger), outcome
    finally:
        shutil.rmtree(task.making, ignore_errors=True)


def _settled(row: Row, task: Task, outcome: Outcome, again: bool, ledger: Ledger) -> Row:
    final, error = Path(task.final), printable(outcome.error)
    if outcome.kind == "stop":
        return replace(row, state="waiting", error=error)
    if outcome.kind == "same" and task.known is not None:
        stamps = {"input_stamp": outcome.stamp, "output_stamp": _stamp_or_none(final)}
        return replace(row, state=task.known["state"], attempts=row.attempts - 1, **stamps)  # type: ignore[arg-type]
    row = replace(
        row,
        finished=now(),
        wall_s=round(outcome.wall_s, 3),
        options_hash=task.options_hash,
        content_hash=outcome.content_hash,
        input_stamp=outcome.stamp,
        output_hash=outcome.output_hash,
        output_stamp=None,
        duration_s=outcome.duration_s,
        sources=outcome.sources,
        error=error,
        warnings=tuple(map(printable, outcome.warnings)),
    )
    if outcome.kind == "done":
        final.parent.mkdir(parents=True, exist_ok=True)
        # written down first: a batch killed in between finds a file of its own, never one it must not touch
        row = ledger.put(replace(row, owned=True))
        os.replace(outcome.made, final)
        return replace(row, state="done", output_stamp=stamp_of([final]))
    if again:
        return replace(row, state="waiting")
    return replace(row, state="quarantined" if outcome.kind == "bad" and outcome.content_hash else "failed")


def _stamp_or_none(path: Path) -> Stamp | None:
    try:
        return stamp_of([path])
    except OSError:
        return None
