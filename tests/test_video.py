"""Probing and reading frames: times, sizes, turns, damage; every reader gives the same."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import media
import numpy as np
import pytest
import soundfile

from foleyspace import readers, video
from foleyspace.errors import InputError
from foleyspace.video import frames, probe

READERS = ("auto", "decord", "opencv", "ffmpeg")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("video")


@pytest.fixture(scope="module")
def clip_path(folder: Path) -> Path:
    return media.plain_clip(folder)


def test_probe_tells_what_is_in_the_file(clip_path: Path) -> None:
    clip = probe(clip_path)
    assert clip.fps == Fraction(25)
    assert clip.size_wh == media.SIZE_WH
    assert clip.rotation == 0
    assert clip.duration == pytest.approx(2.0, abs=0.031)  # the made file says 10 ms for its last frame
    np.testing.assert_allclose(clip.times, np.arange(50) / 25)
    assert clip.audio is not None
    assert (clip.audio.codec, clip.audio.rate, clip.audio.channels) == ("aac", 48000, 1)
    assert clip.audio.start == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_gives_each_frame_once_at_its_time(clip_path: Path, reader: str) -> None:
    clip = probe(clip_path)
    got = list(frames(clip, reader=reader))
    assert [index for index, _, _ in got] == list(range(50))
    np.testing.assert_allclose([at for _, at, _ in got], clip.times)
    white = [index for index, _, frame in got if frame.mean() > 200]
    assert white == [25]
    assert {frame.shape for _, _, frame in got} == {(48, 64, 3)}
    assert {frame.dtype for _, _, frame in got} == {np.dtype(np.uint8)}


@pytest.mark.parametrize("reader", READERS)
def test_every_start_and_width(clip_path: Path, reader: str) -> None:
    got = list(frames(probe(clip_path), every=5, width=32, start=0.9, reader=reader))
    assert [index for index, _, _ in got] == [25, 30, 35, 40, 45]
    assert {frame.shape for _, _, frame in got} == {(24, 32, 3)}
    assert [frame.mean() > 200 for _, _, frame in got] == [True, False, False, False, False]
    assert next(iter(frames(probe(clip_path), width=9999, reader=reader)))[2].shape == (48, 64, 3)


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
@pytest.mark.parametrize("reader", READERS)
def test_variable_frame_rate(folder: Path, reader: str, suffix: str) -> None:
    times = media.vfr_times(3.0)
    path = media.picture(folder / f"vfr.{suffix}", times, [4, 17])
    clip = probe(path)
    np.testing.assert_allclose(clip.times, times, atol=1e-3)
    got = list(frames(clip, reader=reader))
    assert len(got) == len(times)
    assert [index for index, _, frame in got if frame.mean() > 200] == [4, 17]


@pytest.mark.parametrize(("turn", "clockwise"), [(90, 270), (180, 180), (270, 90)])
def test_rotation_is_applied(folder: Path, turn: int, clockwise: int) -> None:
    """ffmpeg's `display_rotation` counts counter-clockwise; the mark is top left before the turn."""
    plain = media.picture(folder / "plain.mp4", media.cfr_times(0.4))
    path = folder / f"turned{turn}.mp4"
    media.ffmpeg("-display_rotation", str(turn), "-i", plain, "-c", "copy", path)
    clip = probe(path)
    assert clip.rotation == clockwise
    assert clip.size_wh == ((64, 48) if turn == 180 else (48, 64))
    row, column = {90: (-5, 4), 180: (-5, -5), 270: (4, -5)}[turn]
    for reader in ("auto", "opencv", "ffmpeg"):
        frame = next(iter(frames(clip, reader=reader)))[2]
        assert frame.shape == (clip.size_wh[1], clip.size_wh[0], 3)
        assert frame[row, column].mean() > 90, reader
        assert frame.mean() < 60


def test_edit_list_frames_before_it_are_not_shown(folder: Path, clip_path: Path) -> None:
    """Cut without decoding at 0.72 s, between key frames at 0.48 and 0.96 s: the file holds frames before."""
    path = folder / "edited.mp4"
    media.ffmpeg("-ss", "0.72", "-i", clip_path, "-c", "copy", path)
    clip = probe(path)
    times, brightness = media.shown(path)
    np.testing.assert_allclose(clip.times, times - times[0], atol=1e-4)
    got = list(frames(clip))
    assert len(got) == len(times) < 40
    assert [f.mean() > 200 for _, _, f in got] == list(brightness > 200)
    assert not readers.decord_suits(clip, clip.size_wh)  # it would show the frames before


def test_times_count_from_the_first_shown_frame(folder: Path) -> None:
    path = folder / "late.mkv"
    media.flash_and_click(path, media.cfr_times(1.0), offset_s=-0.25)
    clip = probe(path)
    assert clip.times[0] == 0
    assert clip.audio is not None
    assert clip.audio.start == pytest.approx(-0.25, abs=0.025)  # the codec's padding starts a little earlier


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("b.avi", ["-c:v", "mpeg4", "-bf", "2"]),
        ("a.ts", ["-c:v", "libx264", "-bf", "2"]),
        ("vp8.webm", ["-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-b:v", "200k"]),
        ("raw.h264", ["-c:v", "libx264", "-bf", "2"]),
        ("m.mpg", ["-c:v", "mpeg2video", "-bf", "2"]),
    ],
)
def test_files_whose_packets_do_not_tell_the_times(
    folder: Path, clip_path: Path, name: str, args: list[str]
) -> None:
    path = folder / name
    media.ffmpeg("-i", clip_path, "-an", *args, path)
    clip = probe(path)
    times, brightness = media.shown(path)
    assert clip.fps == 25
    assert len(clip.times) == len(times) == 50
    np.testing.assert_allclose(np.diff(clip.times), 1 / 25, atol=1.1e-3)
    got = [frame.mean() > 200 for _, _, frame in frames(clip)]
    assert got == list(brightness > 200)
    assert sum(got) == 1


def test_one_frame_video(folder: Path) -> None:
    clip = probe(media.picture(folder / "one.mp4", [0.0]))
    assert len(clip.times) == 1
    assert clip.duration > 0
    assert [index for index, _, _ in frames(clip)] == [0]


def test_sound_longer_than_the_picture_counts(folder: Path) -> None:
    silent = media.picture(folder / "short.mp4", media.cfr_times(1.0))
    path = media.join(folder / "longer.mp4", silent, media.clicks(folder / "l.wav", 3.0, [0.5]))
    assert probe(path).duration == pytest.approx(3.0, abs=0.03)


def test_no_sound(folder: Path) -> None:
    assert probe(media.picture(folder / "mute.mp4", media.cfr_times(0.4))).audio is None


def test_options_are_checked(clip_path: Path) -> None:
    clip = probe(clip_path)
    for wrong in ({"every": 0}, {"width": 1}, {"reader": "vlc"}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            frames(clip, **wrong)  # type: ignore[arg-type]


def test_leaving_early_ends_the_decoder(clip_path: Path) -> None:
    import psutil

    before = {child.pid for child in psutil.Process().children()}
    for reader in ("decord", "ffmpeg"):
        reading = frames(probe(clip_path), reader=reader)
        next(reading)
        reading.close()  # type: ignore[attr-defined]
    assert {child.pid for child in psutil.Process().children()} <= before


def test_decord_only_where_its_read_ahead_is_bounded(clip_path: Path) -> None:
    clip = probe(clip_path)
    assert readers.decord_suits(clip, clip.size_wh) == (readers.find_spec("decord") is not None)
    long = replace(clip, times=np.arange(90_000) / 25.0)
    assert not readers.decord_suits(long, clip.size_wh)


def test_names_that_look_like_options_or_urls(
    clip_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("-i.mp4", "http:a b'c\"d%03d ünï.mp4"):
        (tmp_path / name).write_bytes(clip_path.read_bytes())
        clip = probe(name)
        for reader in ("decord", "opencv", "ffmpeg"):
            assert len(list(frames(clip, every=10, reader=reader))) == 5, name


EXPECTED = {
    # name: (fps, frames, display size, duration, sound (codec, rate, channels))
    "cockatoo.mp4": (Fraction(20), 280, (1280, 720), 14.0, ("mp3", 16000, 1)),
    "dogs.mp4": (Fraction(30), 300, (298, 224), 10.0, ("aac", 44100, 2)),
    "drummer_22k_mono.mp4": (Fraction(25), 251, (298, 224), 10.04, ("aac", 22050, 1)),
    "equirectangular_foa.webm": (Fraction(30000, 1001), 300, (1920, 1080), 10.01, ("vorbis", 48000, 4)),
    "hammer_anvil.mp4": (Fraction(30000, 1001), 120, (640, 360), 4.004, ("aac", 44100, 2)),
    "pancake.mkv": (Fraction(30), 310, (426, 240), 10.333, ("opus", 48000, 1)),
    "paper_portrait.mp4": (Fraction(30), 300, (576, 720), 10.0, ("aac", 44100, 2)),
    "sheep_pan.mp4": (Fraction(30), 300, (640, 360), 10.0, ("mp3", 44100, 2)),
    "train_passing.mp4": (Fraction(162, 5), 324, (1280, 720), 10.0, ("mp3", 44100, 2)),
}


def test_real_recordings_probe_right(shared: Path) -> None:
    for name, (fps, count, size_wh, duration, sound) in EXPECTED.items():
        clip = probe(shared / "videos_native" / name)
        assert (clip.fps, len(clip.times), clip.size_wh) == (fps, count, size_wh), name
        assert clip.duration == pytest.approx(duration, abs=2e-3), name
        assert clip.audio is not None
        assert (clip.audio.codec, clip.audio.rate, clip.audio.channels) == sound, name
    paths = sorted((shared / "videos").glob("*.mp4"))
    assert len(paths) == 14
    for path in paths:
        clip = probe(path)
        assert (clip.fps, len(clip.times), clip.duration) == (Fraction(25), 200, 8.0), path


@pytest.mark.parametrize(
    "names",
    [
        ("dogs.mp4", "pancake.mkv", "hammer_anvil.mp4"),
        pytest.param(tuple(EXPECTED), marks=pytest.mark.slow),
    ],
)
def test_real_recordings_read_to_the_end(shared: Path, names: tuple[str, ...]) -> None:
    for name in names:
        _, count, size_wh, _, _ = EXPECTED[name]
        clip = probe(shared / "videos_native" / name)
        got = [(index, frame.shape) for index, _, frame in frames(clip, every=30, width=160)]
        assert [index for index, _ in got] == list(range(0, count, 30)), name
        assert {shape for _, shape in got} == {(round(size_wh[1] * 160 / size_wh[0]), 160, 3)}, name


@pytest.mark.slow
def test_memory_stays_flat(tmp_path: Path) -> None:
    """Peak memory of reading 1 and 20 minutes differs by the frame times alone."""
    import subprocess
    import sys

    script = (
        "import sys, resource\nfrom foleyspace.video import probe, frames\n"
        "n = sum(1 for _ in frames(probe(sys.argv[1]), every=10))\n"
        "print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peak = []
    for minutes in (1, 20):
        path = tmp_path / f"{minutes}.mp4"
        media.ffmpeg(
            *("-f", "lavfi", "-i", f"testsrc=s=320x240:r=25:d={60 * minutes}", "-preset", "ultrafast", path)
        )
        said = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, check=True)
        count, kilobytes = map(int, said.stdout.split())
        assert count == 150 * minutes
        peak.append(kilobytes / 1024)
    assert peak[1] < peak[0] + 60


def test_soundfile_and_video_are_told_apart(folder: Path) -> None:
    path = folder / "tone.wav"
    soundfile.write(str(path), np.zeros(4800), 48000)
    with pytest.raises(InputError, match="no moving picture"):
        video.probe(path)


@pytest.mark.parametrize("reader", ["opencv", "ffmpeg"])
@pytest.mark.parametrize("kind", ["cfr", "vfr"])
def test_starting_late_in_a_long_group_of_pictures(folder: Path, reader: str, kind: str) -> None:
    times = media.cfr_times(15.0) if kind == "cfr" else media.vfr_times(24.0)
    path = media.picture(folder / f"long_{kind}.mkv", times, [285, 290], ["-g", "250", "-bf", "3"])
    clip = probe(path)
    got = list(frames(clip, start=clip.times[280], reader=reader))
    assert [index for index, _, _ in got] == list(range(280, len(times)))
    assert [index for index, _, frame in got if frame.mean() > 200] == [285, 290]
