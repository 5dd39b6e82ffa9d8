"""Files that are no video, damaged videos, decoders that hang: one line or a way round, never a hang."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import media
import numpy as np
import pytest

from foleyspace import readers
from foleyspace.errors import InputError
from foleyspace.video import frames, probe


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damage")


@pytest.fixture(scope="module")
def clip_path(folder: Path) -> Path:
    return media.plain_clip(folder)


def _bad_files(folder: Path) -> dict[str, Path]:
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("no video at all\n" * 50)
    (folder / "notes.txt").write_text("plain words\n" * 50)
    (folder / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    whole = media.picture(folder / "whole.mp4", media.cfr_times(1.0)).read_bytes()
    (folder / "no_moov.mp4").write_bytes(whole[: len(whole) // 2])
    media.ffmpeg("-i", folder / "whole.mp4", "-frames:v", "1", folder / "still.png")
    media.ffmpeg("-i", media.clicks(folder / "s.wav", 0.5, [0.1]), folder / "sound.mp3")
    os.mkfifo(folder / "pipe.mp4")
    names = ["missing", "empty", "text", "noise", "no_moov", "pipe"]
    bad = {name: folder / f"{name}.mp4" for name in names}
    return bad | {
        "folder": folder,
        "txt": folder / "notes.txt",
        "still": folder / "still.png",
        "sound": folder / "sound.mp3",
        "nul": Path(str(folder / "a\0b.mp4")),
        "long": folder / ("x" * 400 + ".mp4"),
    }


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFO here")
def test_bad_files_are_refused_in_one_line(tmp_path: Path) -> None:
    for name, path in _bad_files(tmp_path).items():
        started = time.monotonic()
        with pytest.raises(InputError) as caught:
            probe(path)
        message = str(caught.value)
        assert "\n" not in message, name
        assert 10 < len(message) < 700, name
        assert time.monotonic() - started < 10, name


@pytest.mark.parametrize("suffix", ["mkv", "ts"])
def test_cut_off_tail(folder: Path, clip_path: Path, suffix: str, caplog: pytest.LogCaptureFixture) -> None:
    """A recording that was broken off: what is there is used."""
    whole = folder / f"to_cut.{suffix}"
    media.ffmpeg("-i", clip_path, "-c", "copy", whole)
    path = folder / f"cut.{suffix}"
    data = whole.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.7)])
    clip = probe(path)
    assert 20 < len(clip.times) < 50
    assert len(list(frames(clip))) >= len(clip.times) - 3


def test_moov_in_front_but_data_cut_off(
    folder: Path, clip_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    front = folder / "front.mp4"
    media.ffmpeg("-i", clip_path, "-c", "copy", "-movflags", "+faststart", front)
    data = front.read_bytes()
    path = folder / "front_cut.mp4"
    path.write_bytes(data[: int(len(data) * 0.75)])
    with caplog.at_level(logging.WARNING, "foleyspace"):
        clip = probe(path)
        got = list(frames(clip))
    assert 10 < len(got) <= len(clip.times) < 50
    assert "damaged or cut off" in caplog.text


def test_a_picture_that_cannot_be_decoded(folder: Path, clip_path: Path) -> None:
    data = bytearray(clip_path.read_bytes())
    start = data.index(b"mdat") + 4
    data[start : start + data.index(b"moov") - start - 8] = bytes(data.index(b"moov") - start - 8)
    path = folder / "zeros.mp4"
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="frame that can be decoded"):
        list(frames(probe(path)))


def test_a_hung_decoder_is_ended_and_the_next_goes_on(
    clip_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decord that gives 20 frames and then hangs (as it does on over-reported frame counts)."""
    child = tmp_path / "decord_child.py"
    child.write_text(
        "import sys, time\n"
        "size = int(sys.argv[2]) * int(sys.argv[3]) * 3\n"
        "for _ in range(20):\n    sys.stdout.buffer.write(bytes([7]) * size)\n"
        "sys.stdout.flush()\ntime.sleep(600)\n"
    )
    monkeypatch.setattr(readers, "__file__", str(tmp_path / "readers.py"))
    monkeypatch.setattr(readers, "STALL_S", 1.0)
    monkeypatch.setattr(readers, "decord_suits", lambda *_: True)
    started = time.monotonic()
    got = list(frames(probe(clip_path)))
    assert time.monotonic() - started < 15
    assert [index for index, _, _ in got] == list(range(50))
    assert all((frame == 7).all() for _, _, frame in got[:20])
    assert got[25][2].mean() > 200
