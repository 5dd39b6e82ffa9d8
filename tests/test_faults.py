"""A single render when things go wrong around it: the input goes or changes, the output's place is closed or full.
One line, the right exit code, nothing half-written, what was there before is there still."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from foleyspace import api
from foleyspace.errors import FoleyspaceError
from foleyspace.pipelines import render as render_pipeline
from foleyspace.pipelines import spatialize as spatialize_pipeline
from foleyspace.unchanged import watched

WORDS = ("--prompt", "a dog barks on the left")  # nothing is watched: quick
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mounts, POSIX limits")


@pytest.fixture
def video(passing: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(passing, tmp_path / "video.mp4"))


def at_stage(monkeypatch: pytest.MonkeyPatch, name: str, accident: Callable[[], object]) -> None:
    """Let it happen just before a stage of the render begins (`write_mono`, `spatialize_file`), or ffmpeg
    begins to write the output (`run`)."""
    from foleyspace import mono_input, mux

    holder = {"write_mono": mono_input, "spatialize_file": render_pipeline, "run": mux}[name]
    real = getattr(holder, name)

    def stage(*args, **kwargs):
        if "rehearsal" not in str(args):
            accident()
        return real(*args, **kwargs)

    monkeypatch.setattr(holder, name, stage)


def said_once(err: str) -> str:
    """The one line that tells of the failure; decisions may come before it."""
    last = err.strip().splitlines()[-1]
    assert last.startswith("foleyspace: ")
    assert "Traceback" not in err and "unexpected" not in err
    return last


# ---------------------------------------------------------------- the input


@pytest.mark.parametrize("stage", ["write_mono", "spatialize_file", "run"])
def test_an_input_that_goes_while_it_is_read(run, video, monkeypatch, stage):
    at_stage(monkeypatch, stage, video.unlink)
    code, out, err = run("render", video, *WORDS)
    assert code in (1, 2)
    assert out == ""
    assert "video.mp4" in said_once(err)
    assert list(video.parent.iterdir()) == []


def other_video(path: Path, passing: Path) -> None:
    """Another file under the same name, as a sync client or an editor puts it."""
    other = Path(shutil.copy(passing, path.with_suffix(".new")))
    with open(other, "ab") as stream:
        stream.write(bytes(1000))
    os.replace(other, path)


def cut_short(path: Path, _: Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


@pytest.mark.parametrize("accident", [other_video, cut_short])
@pytest.mark.parametrize("stage", ["spatialize_file", "run"])
def test_an_input_that_changes_while_it_is_read(run, video, passing, monkeypatch, stage, accident):
    old = video.with_name("out.mp4")
    old.write_bytes(b"older")
    at_stage(monkeypatch, stage, lambda: accident(video, passing))
    code, out, err = run("render", video, *WORDS, "-o", old, "--overwrite")
    assert out == ""
    assert "video.mp4" in said_once(err)
    # what was cut off may be missed first
    assert (code == 1 and "was changed while it was read" in err) or (code == 2 and accident is cut_short), (
        err
    )
    assert old.read_bytes() == b"older"
    assert sorted(path.name for path in video.parent.iterdir()) == ["out.mp4", "video.mp4"]


@pytest.mark.parametrize("command", ["track", "spatialize"])
def test_the_other_commands_notice_too(run, video, passing, monkeypatch, command):
    holder, stage = (api, "run_track") if command == "track" else (spatialize_pipeline, "spatialize_file")
    real = getattr(holder, stage)

    def after_a_change(*args, **kwargs):
        made = real(*args, **kwargs)
        other_video(video, passing)
        return made

    monkeypatch.setattr(holder, stage, after_a_change)
    out = video.with_name("scene.json" if command == "track" else "out.wav")
    options = ("--detector", "motion", "--offline") if command == "track" else WORDS
    code, _, err = run(command, video, *options, "-o", out)
    assert code == 1 and "video.mp4 was changed while it was read" in said_once(err)
    assert [path.name for path in video.parent.iterdir()] == ["video.mp4"]


def test_what_is_watched(tmp_path):
    path = tmp_path / "a"
    path.write_text("one")
    check = watched(path)
    path.read_text()
    check()
    path.chmod(0o600)
    check()  # not its content
    os.utime(path, ns=(0, 0))
    with pytest.raises(FoleyspaceError, match="a was changed while it was read"):
        check()
    path.unlink()
    with pytest.raises(FoleyspaceError, match="a was removed while it was read"):
        check()


# ---------------------------------------------------------------- the output


@contextlib.contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True)
    if made.returncode:
        pytest.skip("no right to mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def in_process(*arguments: object, before: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    code = f"{before}\nfrom foleyspace.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **env},
    )


@LINUX
@pytest.mark.parametrize("name", ["video", "save-scene", "report", "overlay"])
def test_a_full_disk_under_an_output(run, video, tmp_path, name):
    """None of the outputs fits there, and those that do elsewhere go again."""
    suffix = {"video": ".mp4", "save-scene": ".json", "report": ".html", "overlay": ".mp4"}[name]
    (tmp_path / "out").mkdir()
    with small_disk(tmp_path / "disk", "size=16k") as disk:
        with contextlib.suppress(OSError), open(disk / "filled", "wb", buffering=0) as filled:
            while True:
                filled.write(bytes(4096))
        outputs = {"video": tmp_path / "out/video.mp4", name: disk / f"out{suffix}"}
        more = [f"--{key}={path}" for key, path in outputs.items() if key != "video"]
        code, out, err = run("render", video, *WORDS, "-o", outputs["video"], *more)
        assert [path.name for path in disk.iterdir()] == ["filled"]
    assert (code, out) == (2, ""), err
    assert "no space left" in said_once(err)
    assert list((tmp_path / "out").iterdir()) == []


@LINUX
def test_a_full_disk_under_the_temporary_files(video, tmp_path):
    with small_disk(tmp_path / "disk", "size=64k") as disk:
        said = in_process("render", video, *WORDS, TMPDIR=str(disk))
        assert list(disk.iterdir()) == []
    assert said.returncode == 2
    assert str(tmp_path / "disk") in said_once(said.stderr)
    assert sorted(path.name for path in video.parent.iterdir()) == ["disk", "video.mp4"]


@LINUX
def test_a_limit_on_the_size_of_files(video):
    """As a quota: every file over 100 KB fails in the middle."""
    limit = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    )
    said = in_process("render", video, *WORDS, before=limit)
    assert said.returncode in (1, 2)
    said_once(said.stderr)
    assert list(video.parent.iterdir()) == [video]


@LINUX
@pytest.mark.parametrize("option", ["-o", "--save-scene", "--report", "--overlay"])
def test_an_output_folder_that_may_only_be_read(run, video, tmp_path, option):
    """Said before any work, with nothing made elsewhere."""
    suffix = {"-o": ".mp4", "--save-scene": ".json", "--report": ".html", "--overlay": ".mp4"}[option]
    with small_disk(tmp_path / "disk", "size=1m,ro") as disk:
        code, out, err = run("render", video, *WORDS, option, disk / f"out{suffix}")
    assert (code, out) == (2, "")
    assert f"output folder {tmp_path / 'disk'} cannot be written to" in said_once(err)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disk", "video.mp4"]
