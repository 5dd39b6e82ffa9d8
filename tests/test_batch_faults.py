"""What may go wrong in a batch: limits, death, interruption, changing inputs, full disks."""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest
from batching import POSIX, WORDS, batch, leftovers, short_clip, started, states, task, two_videos, workers  # noqa: F401 (fixtures)

from foleyspace.batch.ledger import Ledger
from foleyspace.batch.local_engine import LocalEngine, Settings
from foleyspace.batch.recipe import make
from foleyspace.errors import InputError
from foleyspace.pipelines.batch import BatchConfig, run


@POSIX
@pytest.mark.slow
def test_limits_and_death_end_one_video_only(clip, tmp_path):
    settings = Settings(asdict(WORDS), 1, time_limit_s=600, memory_bytes=4e9, scratch=str(tmp_path))
    engine = LocalEngine(1, settings)

    def outcome():
        while not (ended := engine.wait(0.2)):
            pass
        return ended[0]

    def at_work() -> psutil.Process:
        engine.submit(task(clip, tmp_path))
        while not (engine._workers and engine._workers[0].ready):
            assert engine.wait(0.01) == []
        return psutil.Process(engine._workers[0].process.pid)

    try:
        worker = at_work()
        worker.suspend()
        engine._settings = replace(settings, time_limit_s=0.5)
        hung = outcome()
        assert hung.kind == "failed" and "the time limit of 0.5 s" in hung.error
        assert not worker.is_running() and engine.free == 1
        engine._settings = settings
        at_work().kill()
        before = time.monotonic()
        assert outcome().error == "its worker died: killed by SIGKILL" and time.monotonic() - before < 2
        at_work()
        engine._settings = replace(settings, memory_bytes=3e7)
        assert "of memory, more than the limit of 0.03 GB" in outcome().error
        engine._settings = settings
        worker = at_work()
        assert outcome().kind == "done"
        engine.submit(task(clip, tmp_path))
        assert psutil.Process(engine._workers[0].process.pid) == worker  # the same, models loaded
        assert outcome().kind == "done"
    finally:
        engine.close()
    assert not worker.is_running()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("foleyspace")] == []


@pytest.mark.slow
def test_what_may_pass_is_tried_again_and_then_given_up(library, tmp_path):
    out = tmp_path / "out"
    result = batch(library, out, memory_limit_gb=0.01, retries=1, backoff_s=0.1)
    assert result.made == 0 and [row.attempts for row in result.failed] == [2, 2]
    assert set(states(out).values()) == {"failed"} and leftovers(out) == []
    assert batch(library, out).made == 2  # in the next run: it is no quarantine


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)])
def test_a_batch_that_was_stopped_goes_on(library, tmp_path, number):
    out = tmp_path / "out"
    process = started(library, out)
    worker = workers(process)[0]
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    assert "Traceback" not in err
    psutil.wait_procs([worker], timeout=5)
    assert not worker.is_running()
    result = batch(library, out)
    assert result.made + result.kept == 2 and set(states(out).values()) == {"done"}
    assert leftovers(out) == []


def test_an_input_that_changes_while_it_is_read_is_tried_again(clip, tmp_path, monkeypatch):
    import foleyspace.pipelines.render as pipeline

    video = Path(shutil.copy(clip, tmp_path / "v.mp4"))
    real = pipeline.run

    def meanwhile(path, config):
        result = real(path, config)
        os.utime(video, ns=(5, 5))
        return result

    monkeypatch.setattr(pipeline, "run", meanwhile)
    outcome = make(task(video, tmp_path / "out"))
    assert (outcome.kind, outcome.error) == ("again", "it was changed while it was read")
    monkeypatch.setattr(pipeline, "run", lambda path, config: video.unlink() or real(path, config))
    outcome = make(task(video, tmp_path / "out"))
    assert outcome.kind == "failed" and "does not exist" in outcome.error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(28, "No space left on device"), "stop"),
        (InputError("output x could not be written (no space left on device)"), "stop"),
        (OSError(5, "Input/output error"), "again"),
        (MemoryError(), "again"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "again"),
        (InputError("it has no sound"), "bad"),
        (KeyError("a bug"), "bad"),
    ],
)
def test_what_may_pass_and_what_will_not(clip, tmp_path, monkeypatch, error, kind):
    def fail(path, config):
        raise error

    monkeypatch.setattr("foleyspace.pipelines.render.run", fail)
    outcome = make(task(clip, tmp_path))
    assert outcome.kind == kind and outcome.error and "\n" not in outcome.error
    assert bool(outcome.content_hash) == (kind == "bad")


@POSIX
@pytest.mark.slow
def test_a_full_disk_and_a_read_only_one(library, tmp_path):
    disk, alac = tmp_path / "disk", replace(WORDS, audio_codec="alac")
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no small file system can be mounted here")

    def again():
        return run([library], BatchConfig(out=str(disk / "out"), workers=1, render=alac))

    try:
        (disk / "out/.foleyspace").mkdir(parents=True)
        Ledger(disk / "out/.foleyspace").close()
        (disk / "big").write_bytes(bytes(shutil.disk_usage(disk).free - 40_000))  # room for the ledger
        with pytest.raises(InputError, match=r"no space left|disk is full") as error:
            again()
        assert "\n" not in str(error.value)
        (disk / "big").unlink()
        assert again().made == 2
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True, capture_output=True)
        (library / "a.mp4").unlink()
        with pytest.raises(InputError, match="cannot be written to") as error:
            again()
        assert "\n" not in str(error.value)
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True, capture_output=True)
        assert again().kept == 1 and leftovers(disk / "out") == []
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
