"""What else is in a file comes along: further sound, subtitles, chapters, fonts, cover art, metadata."""

from __future__ import annotations

import logging
from pathlib import Path

import media
import pytest

from foleyspace.mux import remux
from foleyspace.video import probe


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("streams")


@pytest.fixture(scope="module")
def clip_path(folder: Path) -> Path:
    return media.plain_clip(folder, rate=44100)


@pytest.fixture(scope="module")
def wav(folder: Path) -> Path:
    return media.clicks(folder / "two.wav", 2.0, [1.0], channels=2)


@pytest.fixture(scope="module")
def rich(folder: Path, clip_path: Path) -> Path:
    """Two sound tracks, subtitles, chapters, a font, metadata, a turned picture."""
    (folder / "s.srt").write_text("1\n00:00:00,500 --> 00:00:01,500\nhello\n")
    (folder / "font.ttf").write_bytes(b"no real font" * 10)
    (folder / "m.txt").write_text(
        ";FFMETADATA1\ntitle=My film\nartist=Someone\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2000\ntitle=Two\n"
    )
    other = media.clicks(folder / "other.wav", 2.0, [0.5])
    path = folder / "rich.mkv"
    media.ffmpeg(
        *(
            "-display_rotation",
            "90",
            "-i",
            clip_path,
            "-i",
            other,
            "-i",
            folder / "s.srt",
            "-i",
            folder / "m.txt",
        ),
        *(
            "-map",
            "0:v",
            "-map",
            "0:a",
            "-map",
            "1:a",
            "-map",
            "2:s",
            "-map_metadata",
            "3",
            "-map_chapters",
            "3",
        ),
        *("-c:v", "copy", "-c:a", "aac", "-c:s", "srt", "-metadata:s:a:0", "language=eng"),
        *("-metadata:s:a:1", "language=ita", "-attach", folder / "font.ttf"),
        *("-metadata:s:t", "mimetype=application/x-truetype-font", path),
    )
    return path


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
@pytest.mark.parametrize("keep", [False, True])
def test_everything_else_is_kept(tmp_path: Path, rich: Path, wav: Path, suffix: str, keep: bool) -> None:
    source = rich
    if suffix != ".mkv":  # a file of the same kind to begin with
        source = tmp_path / f"rich{suffix}"
        media.ffmpeg(
            "-i", rich, "-map", "0:v", "-map", "0:a", "-map", "0:s", "-c", "copy", "-c:s", "mov_text", source
        )
    out = remux(probe(source), wav, tmp_path / f"out{suffix}", keep_original_audio=keep)
    said = media.header(out)
    assert media.streamhash(out) == media.streamhash(source)
    assert probe(out).rotation == probe(source).rotation == 270
    assert probe(out).size_wh == (48, 64)
    sounds = [line for line in said.splitlines() if ": Audio:" in line]
    assert len(sounds) == 2 + keep
    assert ["(eng)" in line for line in sounds] == [True] + [True] * keep + [False]
    assert "(ita)" in sounds[-1]
    assert ["(default)" in line for line in sounds] == [True] + [False] * (1 + keep)
    assert said.count(": Subtitle:") == 1
    assert said.count("Chapter #") == 2
    for words in ("My film", "Someone", "One", "Two", "Binaural (foleyspace)"):
        assert words in said, words
    assert said.count(": Attachment:") == (suffix == ".mkv")
    (_, new, rate), (_, old, _) = (media.heard(out, track) for track in (0, 1))
    assert media.click_times(new, rate)[0] == pytest.approx(1.0, abs=0.005)
    assert media.click_times(old, 44100)[0] == pytest.approx(1.0 if keep else 0.5, abs=0.05)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_the_default_track_is_the_one_that_goes(
    tmp_path: Path, folder: Path, clip_path: Path, wav: Path, suffix: str
) -> None:
    """A commentary before it stays where it is, with its flags."""
    comment, source = media.clicks(folder / "comment.wav", 2.0, [0.5]), tmp_path / f"two{suffix}"
    media.ffmpeg(
        *("-i", clip_path, "-i", comment, "-map", "0:v", "-map", "1:a", "-map", "0:a", "-c:v", "copy"),
        *("-disposition:a:0", "comment", "-metadata:s:a:0", "language=ita", "-disposition:a:1", "default"),
        *("-metadata:s:a:1", "language=eng", source),
    )
    out = remux(probe(source), wav, tmp_path / f"out{suffix}")
    sounds = [line for line in media.header(out).splitlines() if ": Audio:" in line]
    assert [("(eng)" in line, "(default)" in line) for line in sounds] == [(True, True), (False, False)]
    assert "(ita)" in sounds[1]
    assert "(comment)" in sounds[1]
    _, old, rate = media.heard(out, 1)
    assert media.click_times(old, rate)[0] == pytest.approx(0.5, abs=0.05)


def test_subtitles_are_turned_into_what_the_container_takes(tmp_path: Path, rich: Path, wav: Path) -> None:
    out = remux(probe(rich), wav, tmp_path / "out.mp4")
    assert "Subtitle: mov_text" in media.header(out)
    back = remux(probe(out), wav, tmp_path / "back.mkv")
    assert "Subtitle: subrip" in media.header(back)
    assert b"hello" in media.ffmpeg("-i", back, "-map", "0:s", "-f", "srt", "-")


def test_cover_art_is_kept(tmp_path: Path, clip_path: Path, wav: Path) -> None:
    media.ffmpeg("-f", "lavfi", "-i", "color=red:s=32x32", "-frames:v", "1", tmp_path / "cover.jpg")
    source = tmp_path / "cover.mp4"
    media.ffmpeg(
        *("-i", clip_path, "-i", tmp_path / "cover.jpg", "-map", "0", "-map", "1", "-c", "copy"),
        *("-disposition:v:1", "attached_pic", source),
    )
    assert probe(source).size_wh == media.SIZE_WH
    out = remux(probe(source), wav, tmp_path / "out.mp4")
    assert media.header(out).count("(attached pic)") == 1
    assert media.streamhash(out) == media.streamhash(clip_path)


def test_what_cannot_be_kept_is_dropped_with_one_line(
    tmp_path: Path, rich: Path, wav: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "foleyspace"):
        out = remux(probe(rich), wav, tmp_path / "out.mp4")
    assert probe(out).audio is not None
    lines = [record.message for record in caplog.records]
    assert len(lines) == 1
    assert "attachment" in lines[0]


def test_an_old_track_that_the_container_cannot_hold(
    tmp_path: Path, clip_path: Path, wav: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As phones' 3gp sound in mp4: PCM from a camera."""
    source = tmp_path / "camera.mkv"
    media.ffmpeg("-i", clip_path, "-c:v", "copy", "-c:a", "wavpack", source)
    with caplog.at_level(logging.WARNING, "foleyspace"):
        out = remux(probe(source), wav, tmp_path / "out.mp4", keep_original_audio=True)
    assert media.header(out).count(": Audio:") == 1
    assert "wavpack" in caplog.text
