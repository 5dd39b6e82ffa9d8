"""Outputs appear whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from foleyspace.errors import InputError
from foleyspace.files import atomic_output, check_input, check_output


def test_written_beside_then_renamed(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    with atomic_output(path) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".wav"
        assert not path.exists()
        temporary.write_bytes(b"sound")
    assert path.read_bytes() == b"sound"
    assert os.listdir(tmp_path) == ["out.wav"]


def test_has_the_rights_of_a_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with atomic_output(tmp_path / "out"):
        pass
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == stat.S_IMODE(
        (tmp_path / "plain").stat().st_mode
    )


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_nothing_is_left_when_it_fails(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "out.wav"
    path.write_bytes(b"old")

    def fail() -> None:
        with atomic_output(path, overwrite=True) as temporary:
            temporary.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert os.listdir(tmp_path) == ["out.wav"]
    assert path.read_bytes() == b"old"


def test_a_full_disk_is_said_in_one_line(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_output(tmp_path / "out.wav"):
            raise OSError(errno.ENOSPC, "No space left on device")

    # exit code 2: it is the place that was given that cannot hold the output
    with pytest.raises(InputError, match="no space left on device"):
        fail()
    assert os.listdir(tmp_path) == []


def test_other_errors_are_not_taken_for_ours(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_output(tmp_path / "out.wav"):
            open(tmp_path / "missing").close()

    with pytest.raises(FileNotFoundError):
        fail()


def test_existing_files_need_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.touch()
    with pytest.raises(InputError, match="exists already"):
        check_output(path)
    assert check_output(path, overwrite=True) == path


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "out"

    def race() -> None:
        with atomic_output(path) as temporary:
            temporary.write_bytes(b"ours")
            path.write_bytes(b"theirs")

    with pytest.raises(InputError, match="exists already"):
        race()
    assert path.read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["out"]


def test_output_must_not_be_an_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = tmp_path / "video.mp4"
    video.write_bytes(b"x")
    (tmp_path / "soft.mp4").symlink_to(video)
    os.link(video, tmp_path / "hard.mp4")
    monkeypatch.chdir(tmp_path)
    for name in ("video.mp4", "soft.mp4", "hard.mp4", "./video.mp4", "../" + tmp_path.name + "/video.mp4"):
        with pytest.raises(InputError, match="is the input"):
            check_output(name, inputs=[video], overwrite=True)
    assert check_output("other.mp4", inputs=[video])


def test_folders_are_checked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        check_output(tmp_path / "no" / "out.mp4")
    with pytest.raises(InputError, match="is a folder"):
        check_output(tmp_path, overwrite=True)
    with pytest.raises(InputError, match="cannot be written"):
        check_output(tmp_path / ("x" * 400))
    with pytest.raises(InputError, match="cannot be written"):
        check_output("a\0b.wav")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="cannot be written"):
            check_output(tmp_path / "out.mp4")
    finally:
        tmp_path.chmod(0o700)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with atomic_output(tmp_path / "link", overwrite=True) as temporary:
        temporary.write_bytes(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_check_input(tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.write_bytes(b"x")
    assert check_input(good) == good
    (tmp_path / "empty").touch()
    for path, words in (
        (tmp_path, "folder"),
        (tmp_path / "no", "does not exist"),
        (tmp_path / "empty", "empty"),
    ):
        with pytest.raises(InputError, match=words):
            check_input(path)
