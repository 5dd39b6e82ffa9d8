"""Whole libraries through real workers: made once, nothing overwritten, one bad file stops nothing."""

import json
import os
import shutil
from dataclasses import replace

import pytest
from batching import WORDS, batch, hashes, leftovers, short_clip, states, two_videos  # noqa: F401 (fixtures)

from foleyspace.batch.ledger import read_rows
from foleyspace.batch.lock import locked
from foleyspace.pipelines.batch import BatchConfig, run


def test_a_library_is_made_once(library, tmp_path):
    out = tmp_path / "out"
    (library / "bad.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(500))
    first = batch(library, out, report=True)
    assert (first.made, first.kept, [row.output for row in first.failed]) == (2, 0, ["bad.mp4"])
    assert states(out) == {"a.mp4": "done", "sub/a.mp4": "done", "bad.mp4": "quarantined"}
    assert first.video_s == pytest.approx(0.8, abs=0.1)
    made = hashes(out)
    assert made["a.mp4"] == made["sub/a.mp4"]  # the same video: rendering is deterministic, to the byte
    assert leftovers(out) == []
    figures = [json.loads(line) for line in (out / "report.jsonl").read_text().splitlines()]
    assert [f["state"] for f in figures] == ["quarantined", "done", "done"]
    assert figures[1]["sources"] == 1 and figures[1]["real_time_factor"] == pytest.approx(
        figures[1]["wall_s"] / figures[1]["duration_s"], rel=0.01
    )
    page = (out / "report.html").read_text()
    assert "sub/a.mp4" in page and first.failed[0].error in page

    second = batch(library, out)  # nothing to do: no worker is started
    assert (second.made, second.kept, len(second.failed)) == (0, 2, 1) and second.wall_s < 3
    assert hashes(out) | {"report.jsonl": ""} == made | {"report.jsonl": ""}

    os.utime(library / "a.mp4", ns=(1, 1))  # looks changed, is not: and the clock was set back
    (out / "sub/a.mp4").write_bytes(b"something else")
    third = batch(library, out)
    assert (third.made, third.kept) == (1, 1)
    assert hashes(out) | {"report.jsonl": ""} == made | {"report.jsonl": ""}
    assert {row.output: row.attempts for row in read_rows(out / ".foleyspace")} == {
        "a.mp4": 1,
        "sub/a.mp4": 2,
        "bad.mp4": 1,
    }


@pytest.mark.slow
def test_changed_options_and_inputs_are_done_again(library, clip, tmp_path):
    out = tmp_path / "out"
    batch(library, out)
    before = hashes(out)
    (library / "bad.mp4").write_bytes(b"no video")
    with open(library / "a.mp4", "ab") as file:
        file.write(b"\0\0\0\x08free")  # an empty box: another file
    rest = replace(WORDS, prompt="a bell on the right")
    again = run([library], BatchConfig(out=str(out), workers=1, exclude=("sub/*",), render=WORDS))
    assert (again.made, again.kept, len(again.failed)) == (1, 0, 1)
    shutil.copy(clip, library / "bad.mp4")  # mended
    last = run([library], BatchConfig(out=str(out), workers=2, render=rest))
    assert (last.made, last.kept, last.failed) == (3, 0, ())
    assert all(hashes(out)[name] != before[name] for name in before)


@pytest.mark.slow
def test_what_no_batch_made_is_not_overwritten(library, tmp_path):
    out = tmp_path / "out"
    (out / "sub").mkdir(parents=True)
    (out / "sub/a.mp4").write_text("mine")
    result = batch(library, out)
    assert result.made == 1 and "--overwrite" in result.failed[0].error
    assert (out / "sub/a.mp4").read_text() == "mine"
    assert batch(library, out, overwrite=True).made == 1
    assert hashes(out)["a.mp4"] == hashes(out)["sub/a.mp4"]


def test_an_input_is_never_an_output(library, tmp_path):
    before = hashes(library)
    result = batch(library, library, overwrite=True)
    assert result.made == 0 and all("is an input" in row.error for row in result.failed)
    assert hashes(library) == before
    (tmp_path / "out").mkdir()
    os.link(library / "a.mp4", tmp_path / "out/a.mp4")
    inputs = [library / "a.mp4", library / "sub"]
    result = run(inputs, BatchConfig(out=str(tmp_path / "out"), overwrite=True, exclude=("*",), render=WORDS))
    assert result.made == 0 and "is an input" in result.failed[0].error


def test_a_list_gives_options_a_row_and_a_missing_video_stops_nothing(run, library, tmp_path):
    rows = [
        {"video": "a.mp4", "prompt": "a bell on the left"},
        {"video": "sub/a.mp4", "prompt": "a bell on the right"},
    ]
    (library / "list.jsonl").write_text("\n".join(map(json.dumps, [*rows, {"video": "gone.mp4"}])))
    code, said, err = run(
        "batch",
        library / "list.jsonl",
        "-o",
        tmp_path / "out",
        "--workers",
        1,
        "--prompt",
        "a bell",
        "--json",
    )
    assert code == 1, err
    result = json.loads(said)
    assert result["made"] == 2 and "gone.mp4 does not exist" in result["failed"][0]["error"]
    assert len(set(hashes(tmp_path / "out").values())) == 2


def test_a_second_batch_gets_one_line(run, library, tmp_path, monkeypatch):
    monkeypatch.setattr("foleyspace.batch.lock.PATIENCE_S", 0.1)
    (tmp_path / "out/.foleyspace").mkdir(parents=True)
    with locked(tmp_path / "out/.foleyspace/lock"):
        code, _, err = run("batch", library, "-o", tmp_path / "out")
    assert code == 2 and "is in use by another run" in err and len(err.strip().splitlines()) == 1


def test_bad_usage_is_one_line(run, library, tmp_path):
    for arguments, says in [
        (["batch", "-o", tmp_path / "out"], "no input was given"),
        (["batch", library], "`out` is missing"),
        (
            ["batch", library, "-o", tmp_path / "out", "--workers", "-1"],
            "`workers` is -1 but must be between",
        ),
        (["batch", "-o", tmp_path / "out", "--report"], "holds no batch"),
        (["batch", library, "-o", library / "a.mp4"], "is a file but must be a folder"),
        (["batch", library, "-o", tmp_path / "out", "--hrtf", tmp_path / "no.sofa"], "does not exist"),
    ]:
        code, _, err = run(*arguments)
        assert code == 2 and says in err, (arguments, err)
        assert len([line for line in err.splitlines() if " to do" not in line]) == 1, err
