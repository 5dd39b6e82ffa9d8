"""The ledger keeps what it was told, through damage, and one batch at a time has the folder."""

import json
import os
import sqlite3
import subprocess
import sys

import pytest

from foleyspace.batch.ledger import Ledger, Row, read_rows
from foleyspace.batch.lock import locked
from foleyspace.errors import InputError

ROWS = [
    Row(
        "/lib/a.mp4",
        "a.mp4",
        "done",
        1,
        True,
        "o",
        "c",
        "h",
        [1, 2, 3, 4],
        [5, 6, 7, 8],
        "t",
        "t",
        1.5,
        8.0,
        2,
    ),
    Row("/lib/b 'q' \\xff.mp4", "b.mp4", "quarantined", 2, True, error="no\nvideo", warnings=("one", "two")),
]


def filled(folder) -> None:
    ledger = Ledger(folder)
    for row in ROWS:
        ledger.put(row)
    ledger.close()


def reread(folder) -> list[Row]:
    ledger = Ledger(folder)
    rows = list(ledger.rows().values())
    ledger.close()
    return rows


def test_rows_come_back_as_they_were(tmp_path):
    filled(tmp_path)
    assert reread(tmp_path) == ROWS == read_rows(tmp_path)


def test_the_owner_of_an_output_is_one(tmp_path):
    filled(tmp_path)
    ledger = Ledger(tmp_path)
    ledger.put(Row("/new/a.mp4", "a.mp4"))
    assert {row.key for row in ledger.rows().values()} == {"/new/a.mp4", ROWS[1].key}
    ledger.close()
    (tmp_path / "ledger.sqlite").unlink()
    assert {row.key for row in reread(tmp_path)} == {"/new/a.mp4", ROWS[1].key}


@pytest.mark.parametrize("damage", ["garbage", "middle", "truncated", "empty", "another", "gone"])
def test_a_damaged_ledger_is_made_again(tmp_path, caplog, damage):
    filled(tmp_path)
    path = tmp_path / "ledger.sqlite"
    data = path.read_bytes()
    if damage == "garbage":
        path.write_bytes(os.urandom(5000))
    elif damage == "middle":
        path.write_bytes(data[:200] + os.urandom(len(data) - 200))
    elif damage == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "another":
        path.unlink()
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE videos (something)")
            db.execute("PRAGMA user_version = 1")
        db.close()
    else:
        path.unlink()
    assert reread(tmp_path) == ROWS
    aside = list(tmp_path.glob("ledger.sqlite.damaged-*"))
    if damage in ("garbage", "middle", "truncated", "another"):
        assert len(aside) == 1 and "damaged" in caplog.text
    assert reread(tmp_path) == ROWS  # and is whole from then on
    assert len(list(tmp_path.glob("ledger.sqlite.damaged-*"))) == len(aside)


def test_a_torn_journal_loses_only_its_torn_lines(tmp_path, caplog):
    filled(tmp_path)
    journal = tmp_path / "ledger.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20] + b"\n\xff\xfe{]\n[1]\n")
    ledger = Ledger(tmp_path)
    ledger.put(Row("/lib/c.mp4", "c.mp4"))
    ledger.close()
    (tmp_path / "ledger.sqlite").unlink()
    assert [row.output for row in reread(tmp_path)] == ["a.mp4", "c.mp4"]
    assert "damaged lines" in caplog.text


def test_a_ledger_of_a_later_version_is_left_alone(tmp_path):
    filled(tmp_path)
    with sqlite3.connect(tmp_path / "ledger.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(InputError, match="later version"):
        Ledger(tmp_path)


def test_no_ledger_is_one_line(tmp_path):
    with pytest.raises(InputError, match="holds no batch"):
        read_rows(tmp_path)


def test_the_lock_is_held_by_one_and_goes_with_its_holder(tmp_path, monkeypatch):
    monkeypatch.setattr("foleyspace.batch.lock.PATIENCE_S", 0.2)
    path = tmp_path / "x/lock"
    path.parent.mkdir()
    hold = "import sys, time\nfrom pathlib import Path\nfrom foleyspace.batch.lock import locked\n"
    hold += "with locked(Path(sys.argv[1])):\n print('held', flush=True)\n time.sleep(60)\n"
    holder = subprocess.Popen([sys.executable, "-c", hold, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        says = rf"in use by another run \(process {holder.pid} on "
        with pytest.raises(InputError, match=says) as error, locked(path):
            pass
        assert "\n" not in str(error.value)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    with locked(path):  # a dead holder holds nothing
        pass


def test_the_lock_lasts_as_long_as_a_worker_that_inherited_it(tmp_path, monkeypatch):
    monkeypatch.setattr("foleyspace.batch.lock.PATIENCE_S", 0.2)
    path = tmp_path / "lock"
    with locked(path) as descriptor:
        worker = subprocess.Popen(["sleep", "60"], pass_fds=(descriptor,))
    try:
        with pytest.raises(InputError, match="in use"), locked(path):
            pass
    finally:
        worker.kill()
        worker.wait()
    with locked(path):
        pass


def test_the_journal_is_json_lines(tmp_path):
    filled(tmp_path)
    lines = (tmp_path / "ledger.jsonl").read_text().split("\n")
    assert [json.loads(line)["key"] for line in lines if line] == [row.key for row in ROWS]
