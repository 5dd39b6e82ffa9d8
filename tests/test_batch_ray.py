"""The same recipe on a local Ray of two workers."""

import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from batching import POSIX, WORDS, batch, hashes, leftovers, short_clip, started, two_videos, workers  # noqa: F401 (fixtures)

from foleyspace.batch.ledger import read_rows
from foleyspace.pipelines.batch import BatchConfig, run


@pytest.mark.slow
def test_ray_does_the_same_as_local(library, tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="Ray is not installed (foleyspace[ray])")
    (library / "bad.mp4").write_bytes(b"no video")
    (library / "b.mov").write_bytes((library / "a.mp4").read_bytes())
    config = BatchConfig(out=str(tmp_path / "ray"), engine="ray", workers=2, render=WORDS)
    with tempfile.TemporaryDirectory() as temporary:  # a short path: Ray puts sockets there
        monkeypatch.setenv("TMPDIR", temporary)
        result = run([library], config)
        assert (result.made, [row.output for row in result.failed]) == (3, ["bad.mp4"])
        assert [p.name for p in Path(temporary).iterdir() if p.name.startswith("foleyspace")] == []
    monkeypatch.delenv("TMPDIR")
    batch(library, tmp_path / "local")
    assert hashes(tmp_path / "ray") == hashes(tmp_path / "local")
    assert leftovers(tmp_path / "ray") == []
    assert run([library], config).kept == 3


@POSIX
@pytest.mark.slow
def test_a_ray_worker_that_is_lost_is_replaced(library, tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed (foleyspace[ray])")
    process = started(library, tmp_path / "out", "--engine", "ray", "--backoff", "0.1")
    worker = workers(process)[0]
    actor = worker.parent()
    assert any("Host" in part for part in actor.cmdline()), actor.cmdline()
    actor.kill()
    psutil.wait_procs([worker], timeout=5)
    assert not worker.is_running()  # the recipe's process went with its actor
    said, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert "its Ray worker was lost" in err and "2 made" in said
    assert sorted(row.attempts for row in read_rows(tmp_path / "out/.foleyspace")) == [1, 2]
    assert leftovers(tmp_path / "out") == []


def test_ray_without_its_package_is_one_line(run, library, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    code, _, err = run("batch", library, "-o", tmp_path / "out", "--engine", "ray")
    assert code == 2 and "pip install 'foleyspace[ray]'" in err


def test_a_ray_cluster_that_is_not_there_is_one_line(run, library, tmp_path):
    pytest.importorskip("ray", reason="Ray is not installed (foleyspace[ray])")
    code, _, err = run(
        "batch", library, "-o", tmp_path / "out", "--engine", "ray", "--ray-address", "127.0.0.1:1", "-q"
    )
    assert code == 1 and "Ray at 127.0.0.1:1 does not answer" in err and len(err.strip().splitlines()) == 1
