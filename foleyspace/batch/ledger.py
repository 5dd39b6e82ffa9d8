"""The ledger of a folder of outputs: what was asked for, what came of it, in SQLite.

Every row is written to `ledger.jsonl` as well, which is only ever appended to: a damaged database is put
aside and made again from it. Nothing is ordered by the time of day, which may be set back.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from foleyspace.batch.tasks import Stamp
from foleyspace.errors import InputError

VERSION = 1
State = Literal["waiting", "running", "done", "failed", "quarantined"]
logger = logging.getLogger("foleyspace")


@dataclass(frozen=True)
class Row:
    """One video. `key`: its path, as given; `output`: its place in the folder; `owned`: what lies there was
    put there by a batch; stamps: see `tasks.stamp_of`; `attempts`: in all runs; times in UTC."""

    key: str
    output: str
    state: State = "waiting"
    attempts: int = 0
    owned: bool = False
    options_hash: str = ""
    content_hash: str = ""
    output_hash: str = ""
    input_stamp: Stamp | None = None
    output_stamp: Stamp | None = None
    started: str = ""
    finished: str = ""
    wall_s: float = 0.0
    duration_s: float | None = None
    sources: int | None = None
    error: str = ""
    warnings: tuple[str, ...] = ()


NAMES = tuple(f.name for f in fields(Row))
_JSON = {"input_stamp", "output_stamp", "warnings"}
_DAMAGE = re.compile("malformed|no such|not a database|already exists")  # else: full, locked, not writable
_SCHEMA = (
    f"CREATE TABLE videos ({', '.join(NAMES)}, PRIMARY KEY (key))",
    "CREATE UNIQUE INDEX outputs ON videos (output)",
    f"PRAGMA user_version = {VERSION}",
)


class Ledger:
    """An open ledger. To be opened by the holder of the folder's lock only; `read_rows` is for others."""

    def __init__(self, folder: Path) -> None:
        self._path, self._journal = folder / "ledger.sqlite", folder / "ledger.jsonl"
        try:
            self._db, new = _opened(self._path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and not _DAMAGE.search(str(error)):
                raise InputError(f"ledger {self._path} cannot be opened ({error})") from None
            aside = _aside(self._path)
            logger.warning("the ledger is damaged (%s): it is made anew, the old one is %s", error, aside)
            self._db, new = _opened(self._path)
        if new and self._journal.exists():
            rows = read_journal(self._journal)
            self._store(rows.values())
            logger.info("ledger: %d videos found again", len(rows))

    def rows(self) -> dict[str, Row]:
        return {row.key: row for row in _rows(self._db)}

    def put(self, row: Row) -> Row:
        """Write a row, to stay there when this returns. Raises `InputError` when it cannot be written."""
        self.put_all([row])
        return row

    def put_all(self, rows: Sequence[Row]) -> None:
        """The same for many at once."""
        try:
            self._store(rows)
            with open(self._journal, "ab") as journal:
                # a new line first: the one before may have been cut off
                journal.writelines(b"\n" + json.dumps(asdict(row)).encode() for row in rows)
                journal.flush()
                os.fsync(journal.fileno())
        except sqlite3.Error as error:
            raise InputError(f"ledger {self._path} cannot be written ({error})") from None
        except OSError as error:
            said = (error.strerror or str(error)).lower()
            raise InputError(f"ledger {self._journal} cannot be written ({said})") from None

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._db.close()

    def _store(self, rows: Iterable[Row]) -> None:
        marks = ", ".join("?" * len(NAMES))
        with self._db:
            self._db.executemany(f"INSERT OR REPLACE INTO videos VALUES ({marks})", map(_values, rows))


def now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def read_rows(folder: Path) -> list[Row]:
    """The rows as they are now, whoever is at work; of the journal where the database is damaged. Raises
    `InputError` where there is no ledger."""
    path, journal = folder / "ledger.sqlite", folder / "ledger.jsonl"
    if not path.exists() and not journal.exists():
        raise InputError(f"output folder {folder.parent} holds no batch: give videos to render")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as db:
            return _rows(db)
    except sqlite3.DatabaseError:
        return list(read_journal(journal).values())


def read_journal(path: Path) -> dict[str, Row]:
    """The latest row of each video; lines that cannot be read are passed over, with a warning."""
    rows: dict[str, Row] = {}
    bad = 0
    with suppress(FileNotFoundError), open(path, "rb") as lines:
        for line in lines:
            if not line.strip():
                continue
            try:
                values = json.loads(line)
                row = Row(**{**values, "warnings": tuple(values["warnings"])})
                rows.pop(row.key, None)  # to the end: the latest come last
                rows[row.key] = row
            except (ValueError, TypeError, KeyError):
                bad += 1
    if bad:
        logger.warning("%s: %d damaged lines passed over", path, bad)
    outputs: dict[str, Row] = {}
    for row in rows.values():  # a later owner of a name has it
        outputs[row.output] = row
    return {row.key: row for row in outputs.values()}


def _opened(path: Path) -> tuple[sqlite3.Connection, bool]:
    """The database, and whether it is a new one. Raises sqlite3.DatabaseError for a damaged file,
    `InputError` for one of a later version."""
    db = sqlite3.connect(path, timeout=30)
    try:
        db.execute("PRAGMA synchronous = FULL")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise InputError(f"ledger {path} was written by a later version of foleyspace")
        if version == 0:
            with db:
                for line in _SCHEMA:
                    db.execute(line)
        problem = db.execute("PRAGMA quick_check").fetchone()[0]
        if problem != "ok":
            raise sqlite3.DatabaseError(problem)
        _rows(db)
    except BaseException:
        db.close()
        raise
    return db, version == 0


def _rows(db: sqlite3.Connection) -> list[Row]:
    try:
        return [_row(values) for values in db.execute(f"SELECT {', '.join(NAMES)} FROM videos ORDER BY key")]
    except (ValueError, TypeError) as error:
        raise sqlite3.DatabaseError(f"it holds something else: {error}") from None


def _row(values: Iterable[object]) -> Row:
    row = {
        name: json.loads(value) if name in _JSON and isinstance(value, str) else value
        for name, value in zip(NAMES, values, strict=True)
    }
    return Row(**{**row, "owned": bool(row["owned"]), "warnings": tuple(row["warnings"])})  # type: ignore[arg-type]


def _values(row: Row) -> list[object]:
    return [json.dumps(getattr(row, name)) if name in _JSON else getattr(row, name) for name in NAMES]


def _aside(path: Path) -> Path:
    aside = next(
        p for k in range(1, 10_000) if not (p := path.with_name(f"{path.name}.damaged-{k}")).exists()
    )
    os.replace(path, aside)
    for kind in ("-journal", "-wal", "-shm"):  # of the damaged one: never to be played back into a new one
        with suppress(FileNotFoundError):
            os.replace(f"{path}{kind}", f"{aside}{kind}")
    return aside
