"""Odd and damaged media that were once read or written wrongly; `scripts/media_table.py` makes many more."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import media
import numpy as np
import pytest
import soundfile

from foleyspace.containers import default_output
from foleyspace.errors import InputError
from foleyspace.ffmpeg import reason
from foleyspace.mux import rehearse, remux
from foleyspace.soundtrack import extract_mono
from foleyspace.streams import inspect
from foleyspace.timestamps import without_voids
from foleyspace.video import frames, probe


@pytest.mark.parametrize(
    "before",
    [
        ("-display_hflip",),
        ("-display_vflip",),
        ("-display_rotation", "90", "-display_hflip"),
        ("-display_rotation", "30"),
        ("-display_rotation", "270"),
    ],
)
def test_frames_are_turned_and_mirrored_as_a_player_does(tmp_path: Path, before: tuple[str, ...]) -> None:
    """A mirrored picture read as it is stored puts every sound on the wrong side."""
    plain = media.picture(tmp_path / "plain.mp4", media.cfr_times(0.4))
    path = tmp_path / "shown.mp4"
    media.ffmpeg(*before, "-i", plain, "-c", "copy", path)
    clip = probe(path)
    raw = media.ffmpeg("-i", path, "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-")
    expected = np.frombuffer(raw, np.uint8)
    stored = next(frames(probe(plain)))[2]  # type: ignore[call-overload]
    found = next(iter(frames(clip)))[2]
    np.testing.assert_array_equal(found.ravel(), expected)
    assert found.shape != stored.shape or (found != stored).any()


@pytest.mark.parametrize(
    ("name", "out"),
    [
        ("a b.mp4", "a b.binaural.mp4"),
        ("CLIP.MOV", "CLIP.binaural.MOV"),
        ("disc.mpg", "disc.binaural.mkv"),  # no kind that is written
        ("clip", "clip.binaural.mkv"),
        ("clip.avi", "clip.binaural.mkv"),  # an mp4 with a wrong name: AVI could not hold it
    ],
)
def test_default_output(tmp_path: Path, name: str, out: str) -> None:
    video = media.picture(tmp_path / "made.mp4", [0.0]).rename(tmp_path / name)
    assert default_output(video) == tmp_path / out


@pytest.mark.parametrize("name", ["x" * 251 + ".mp4", "🐈" * 62 + ".mp4"])
def test_default_output_of_a_name_as_long_as_it_may_be(tmp_path: Path, name: str) -> None:
    out = default_output(tmp_path / name)
    assert out.name.endswith(".binaural.mp4")
    assert len(out.name.encode()) <= 255
    out.touch()


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_frame_an_hour_after_all_others_is_damage(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, suffix: str
) -> None:
    """One overwritten time stamp must not make hours of silence."""
    path = tmp_path / f"late.{suffix}"
    late = r"setts=ts=TS+gte(N\,49)*4000/TB"
    silent = media.picture(tmp_path / "silent.mkv", media.cfr_times(2.0), args=["-bf", "0"])
    whole = media.join(tmp_path / "whole.mkv", silent, media.clicks(tmp_path / "a.wav", 2.0, [1.0]))
    media.ffmpeg("-i", whole, "-c", "copy", "-bsf:v", late, path)
    with caplog.at_level(logging.WARNING, "foleyspace"):
        clip = probe(path)
    assert "taken as damaged" in caplog.text
    assert clip.duration == pytest.approx(2.0, abs=0.1)
    assert len(list(frames(clip))) == len(clip.times) == 50
    track = extract_mono(clip, tmp_path / "mono.wav")
    assert track.duration == pytest.approx(2.0, abs=0.1)


def test_voids_are_closed_towards_the_larger_part() -> None:
    times = np.concatenate([np.arange(50) / 25, [5000.0, 9000.0]])
    moved = times + without_voids(times, np.empty(0), stated_s=2.0)
    np.testing.assert_allclose(moved, np.arange(52) / 25)
    times = np.concatenate([[-7000.0], np.arange(50) / 25])
    moved = times + without_voids(times, np.empty(0), stated_s=2.0)
    np.testing.assert_allclose(moved, np.arange(-1, 50) / 25)


@pytest.mark.parametrize(
    ("times", "others", "stated_s"),
    [
        ([0.0, 3600.0], np.arange(0, 3600, 0.02), 3600.0),  # a still picture under an hour of sound
        ([0.0, 0.5, 3600.0], np.empty(0), 3601.0),  # a screen at rest; the file says how long
        ([0.0, 1.0, 50.0], np.empty(0), 2.0),  # not long enough
        (np.arange(0, 7200, 120.0), np.empty(0), 1.0),  # slides of two minutes
    ],
)
def test_pictures_that_stand_still_are_no_damage(
    times: list[float], others: np.ndarray, stated_s: float
) -> None:
    assert not without_voids(np.array(times), others, stated_s).any()


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux alone")
def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    """OpenCV dies of it, with the whole process."""
    path = media.picture(tmp_path / "made.mp4", media.cfr_times(0.4))
    path = path.rename(tmp_path / os.fsdecode(b"caf\xe9.mp4"))
    assert len(list(frames(probe(path)))) == 10


def test_reasons_come_without_ffmpegs_tags() -> None:
    said = "[aist#0:1/aac @ 0x5577] [dec:aac @ 0x55ab5d32300] Error while opening decoder: Invalid data\n"
    assert reason(said) == "Error while opening decoder: Invalid data"


def test_a_program_stream_goes_into_matroska(tmp_path: Path) -> None:
    """Half of its packets have no time stamp."""
    path = tmp_path / "disc.mpg"
    media.ffmpeg("-i", media.plain_clip(tmp_path), "-c:v", "mpeg2video", "-bf", "2", "-c:a", "mp2", path)
    clip = probe(path)
    extract_mono(clip, tmp_path / "mono.wav")
    out = remux(clip, tmp_path / "mono.wav", default_output(path))
    assert out.suffix == ".mkv"
    assert media.streamhash(out) == media.streamhash(path)
    times, brightness = media.shown(out)
    np.testing.assert_allclose(times - times[0], clip.times, atol=1e-3)
    start, sound, rate = media.heard(out)
    assert media.click_times(sound, rate)[0] + start == pytest.approx(times[brightness > 200][0], abs=0.005)


@pytest.mark.parametrize(
    ("name", "codec", "out"), [("a.ogv", "libtheora", "o.flv"), ("a.mpg", "mpeg2video", "o.ogv")]
)
def test_a_picture_that_does_not_fit_is_said_beforehand(
    tmp_path: Path, name: str, codec: str, out: str
) -> None:
    """In one line about the output, not about the file it was tried on."""
    (tmp_path / "tried").mkdir()
    media.ffmpeg("-i", media.plain_clip(tmp_path), "-an", "-c:v", codec, tmp_path / name)
    with pytest.raises(InputError, match=rf"\{Path(out).suffix} file cannot hold this picture") as caught:
        rehearse(probe(tmp_path / name), tmp_path / out, tmp_path / "tried")
    assert "tried" not in str(caught.value)


@pytest.mark.parametrize("order", [1, 2])
def test_ambisonics_that_say_so(tmp_path: Path, order: int) -> None:
    """ffmpeg's resampler refuses such a layout; of the channels the omnidirectional one is the mono sound."""
    channels = (order + 1) ** 2
    rng = np.random.default_rng(0)
    sounds = 0.1 * rng.standard_normal((48000, channels))
    soundfile.write(tmp_path / "foa.wav", sounds, 48000, subtype="FLOAT")
    named = f"channelmap=map={'|'.join(map(str, range(channels)))}:channel_layout=ambisonic {order}"
    path = tmp_path / "foa.mkv"
    opus = ("-c:a", "libopus", "-mapping_family", "2", "-b:a", f"{128 * channels}k")
    media.ffmpeg("-i", tmp_path / "foa.wav", "-af", named, *opus, path)
    track = extract_mono(path, tmp_path / "mono.wav")
    assert track.channels == channels
    mono = soundfile.read(track.path)[0][: len(sounds)]
    alike = [np.corrcoef(mono, sounds[: len(mono), k])[0, 1] for k in range(channels)]
    assert alike[0] > 0.8 and max(map(abs, alike[1:])) < 0.2


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_cover_art_stays_cover_art_in_matroska(tmp_path: Path, suffix: str) -> None:
    """Copied as a stream it becomes a second video track; beside a font, in its place."""
    plain, cover, font = media.plain_clip(tmp_path), tmp_path / "small_cover.jpg", tmp_path / "a.ttf"
    media.ffmpeg("-f", "lavfi", "-i", "color=red:s=32x32", "-frames:v", "1", cover)
    font.write_bytes(b"no real font" * 10)
    path = tmp_path / f"covered.{suffix}"
    if suffix == "mkv":
        types = ("-metadata:s:t:0", "mimetype=image/jpeg", "-metadata:s:t:1", "mimetype=font/ttf")
        media.ffmpeg("-i", plain, "-c", "copy", "-attach", cover, "-attach", font, *types, path)
    else:
        maps = ("-map", "0", "-map", "1", "-c", "copy", "-disposition:v:1", "attached_pic")
        media.ffmpeg("-i", plain, "-i", cover, *maps, path)
    out = remux(probe(path), media.clicks(tmp_path / "two.wav", 2.0, [1.0], channels=2), tmp_path / "out.mkv")
    held = [stream for stream in inspect(out).streams if stream.attached_pic]
    assert [stream.filename for stream in held] == ["small_cover.jpg" if suffix == "mkv" else "cover.jpg"]
    assert len(inspect(out).of_kind("video")) == 2
    assert len(inspect(out).of_kind("attachment")) == (suffix == "mkv")
    assert media.streamhash(out) == media.streamhash(path)
    jpeg = media.ffmpeg("-i", out, "-map", f"0:{held[0].index}", "-c", "copy", "-f", "image2pipe", "-")
    assert jpeg == cover.read_bytes()
