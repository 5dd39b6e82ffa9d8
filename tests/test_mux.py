"""The video out: picture bit for bit, sound in time with it, everything else still there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import media
import numpy as np
import pytest
import soundfile

from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.mux import remux
from foleyspace.soundtrack import extract_mono
from foleyspace.streams import inspect
from foleyspace.video import frames, probe


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mux")


@pytest.fixture(scope="module")
def clip_path(folder: Path) -> Path:
    return media.plain_clip(folder, rate=44100)


@pytest.fixture(scope="module")
def wav(folder: Path) -> Path:
    return media.clicks(folder / "two.wav", 2.0, [1.0], channels=2)


def both_ears(path: Path, mono: Path) -> Path:
    sound, rate = soundfile.read(str(mono))
    soundfile.write(str(path), np.stack([sound, sound], axis=1), rate, subtype="FLOAT")
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm"])
def test_the_same_input_gives_the_same_bytes(tmp_path: Path, clip_path: Path, wav: Path, suffix: str) -> None:
    source = clip_path
    if suffix == "webm":
        source = tmp_path / "in.webm"
        media.ffmpeg("-i", clip_path, "-c:v", "libvpx", "-c:a", "libopus", source)
    made = [remux(probe(source), wav, tmp_path / f"{k}.{suffix}").read_bytes() for k in range(2)]
    assert made[0] == made[1]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_frames_out_of_order_without_time_stamps(tmp_path: Path, wav: Path, suffix: str) -> None:
    """H.264 with B-frames in AVI, which stores no presentation times: the first frame, too, has its own."""
    source = tmp_path / "in.avi"
    picture = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=2")
    media.ffmpeg(*picture, "-f", "lavfi", "-i", "sine=d=2", "-c:v", "libx264", "-bf", "2", source)
    out = remux(probe(source), wav, tmp_path / f"out.{suffix}")
    np.testing.assert_allclose(np.diff(probe(out).times), np.diff(probe(source).times), atol=1e-3)
    np.testing.assert_allclose(np.diff(probe(out).times), 0.04, atol=1e-3)


def test_what_a_phone_says_does_not_stop_matroska(tmp_path: Path, clip_path: Path, wav: Path) -> None:
    source = tmp_path / "phone.mov"
    model = ("-movflags", "use_metadata_tags", "-metadata", "com.apple.quicktime.model=Phone")
    media.ffmpeg("-i", clip_path, "-c", "copy", *model, source)
    assert "com.apple.quicktime.model" in inspect(source).metadata
    assert remux(probe(source), wav, tmp_path / "out.mkv").is_file()


@pytest.mark.parametrize(
    ("suffix", "kind", "offset_s"),
    [
        *(("mp4", kind, offset_s) for kind in ("cfr", "vfr") for offset_s in (0.0, 0.3, -0.25)),
        *(("mkv", "vfr", offset_s) for offset_s in (0.0, 0.3, -0.25)),
        *(("mov", "cfr", -0.25), ("webm", "vfr", 0.3), ("webm", "cfr", -0.25)),
    ],
)
def test_click_and_flash_stay_together(tmp_path: Path, kind: str, offset_s: float, suffix: str) -> None:
    """The whole way: a video with both, its mono track out, in again; by the output's own time stamps."""
    times = media.cfr_times(2.0) if kind == "cfr" else media.vfr_times(2.0)
    made = tmp_path / "in.mkv"
    media.flash_and_click(made, times, offset_s)
    path = tmp_path / f"in.{suffix}"
    if suffix == "webm":
        media.ffmpeg("-i", made, "-c:v", "libvpx", "-fps_mode", "passthrough", "-c:a", "libopus", path)
    elif suffix != "mkv":
        media.ffmpeg("-i", made, "-c", "copy", path)
    clip = probe(path)
    track = extract_mono(clip, tmp_path / "mono.wav")
    out = remux(clip, both_ears(tmp_path / "two.wav", track.path), tmp_path / f"out.{suffix}")

    frame_times, brightness = media.shown(out)
    start, sound, rate = media.heard(out)
    flashes = frame_times[brightness > 200]
    found = np.array(media.click_times(sound, rate)) + start
    assert len(flashes) == 2
    np.testing.assert_allclose(found, flashes, atol=0.005)
    np.testing.assert_allclose(frame_times - frame_times[0], clip.times, atol=1e-3)
    assert media.streamhash(path) == media.streamhash(out)


@pytest.mark.parametrize(
    ("suffix", "codec", "named"),
    [
        (".mp4", "auto", "aac"), (".mp4", "alac", "alac"), (".mp4", "flac", "flac"), (".mp4", "opus", "opus"),
        (".m4v", "auto", "aac"), (".mov", "auto", "aac"), (".mov", "pcm", "pcm_s24le"), (".mov", "alac", "alac"),
        (".mkv", "auto", "aac"), (".mkv", "pcm", "pcm_s24le"), (".mkv", "opus", "opus"), (".mkv", "flac", "flac"),
        (".mkv", "alac", "alac"), (".ts", "auto", "aac"), (".flv", "auto", "aac"),
        (".3gp", "auto", "aac"),
    ],
)  # fmt: skip
def test_each_container_with_each_codec(
    tmp_path: Path, clip_path: Path, wav: Path, suffix: str, codec: str, named: str
) -> None:
    out = remux(probe(clip_path), wav, tmp_path / f"out{suffix}", audio_codec=codec)
    again = probe(out)
    assert again.audio is not None
    assert (again.audio.codec, again.audio.channels) == (named, 2)
    assert again.audio.rate == 48000  # that of the new sound, not of the clip's own
    start, sound, rate = media.heard(out)
    flashes, brightness = media.shown(out)
    at = media.click_times(sound, rate)[0] + start
    assert at == pytest.approx(flashes[brightness > 200][0], abs=0.005)
    assert sum(frame.mean() > 200 for _, _, frame in frames(again)) == 1
    if suffix not in (".ts", ".flv"):  # these write H.264 with other markers
        assert media.streamhash(out) == media.streamhash(clip_path)


@pytest.mark.parametrize(
    ("suffix", "codec", "words"),
    [
        (".mp4", "pcm", "aac or alac or flac or opus"),
        (".webm", "aac", "opus"),
        (".mov", "flac", "aac or alac or pcm"),
        (".mp4", "mp3", "must be auto, aac"),
        (".mpg", "auto", "must be one of"),
        ("", "auto", "must be one of"),
    ],
)
def test_what_does_not_go_together_is_refused(
    tmp_path: Path, clip_path: Path, wav: Path, suffix: str, codec: str, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        remux(probe(clip_path), wav, tmp_path / f"out{suffix}", audio_codec=codec)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_the_container_cannot_hold(tmp_path: Path, clip_path: Path, wav: Path) -> None:
    with pytest.raises(InputError, match=r"\.webm file cannot hold this picture \(h264\)"):
        remux(probe(clip_path), wav, tmp_path / "out.webm")
    assert list(tmp_path.iterdir()) == []


def test_avi(tmp_path: Path, clip_path: Path, wav: Path) -> None:
    """AVI holds no time stamps: a picture with B-frames is shown later than its first packet."""
    source = tmp_path / "in.avi"
    media.ffmpeg("-i", clip_path, "-c:v", "mpeg4", "-bf", "2", "-c:a", "pcm_s16le", source)
    out = remux(probe(source), wav, tmp_path / "out.avi")
    start, sound, rate = media.heard(out)
    flashes, brightness = media.shown(out)
    assert flashes[0] > 0.01
    at = media.click_times(sound, rate)[0] + start
    assert at == pytest.approx(flashes[brightness > 200][0], abs=0.005)
    assert media.streamhash(out) == media.streamhash(source)
    with pytest.raises(InputError, match="no frame times"):
        remux(probe(clip_path), wav, tmp_path / "other.avi")


def test_video_without_sound_gets_one(tmp_path: Path, folder: Path, wav: Path) -> None:
    out = remux(probe(folder / "silent.mkv"), wav, tmp_path / "out.mkv")
    audio = probe(out).audio
    assert audio is not None
    assert (audio.rate, audio.channels) == (48000, 2)


def test_one_frame(tmp_path: Path, wav: Path) -> None:
    clip = probe(media.picture(tmp_path / "one.mp4", [0.0]))
    out = remux(clip, wav, tmp_path / "out.mp4")
    assert len(probe(out).times) == 1


def test_the_input_and_existing_files_are_safe(tmp_path: Path, clip_path: Path, wav: Path) -> None:
    clip = probe(clip_path)
    link = tmp_path / "link.mp4"
    link.symlink_to(clip_path)
    before = clip_path.read_bytes()
    for path in (clip_path, link):
        with pytest.raises(InputError, match="is the input"):
            remux(clip, wav, path, overwrite=True)
    assert clip_path.read_bytes() == before
    (tmp_path / "mine.mp4").write_bytes(b"mine")
    with pytest.raises(InputError, match="exists already"):
        remux(clip, wav, tmp_path / "mine.mp4")
    assert (tmp_path / "mine.mp4").read_bytes() == b"mine"
    assert probe(remux(clip, wav, tmp_path / "mine.mp4", overwrite=True)).audio is not None


def test_nothing_is_left_when_ffmpeg_fails(tmp_path: Path, clip_path: Path, wav: Path) -> None:
    clip = probe(clip_path)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(clip_path.read_bytes())
    clip = replace(clip, path=broken)
    probe(broken)
    wrong = tmp_path / "wrong.wav"
    wrong.write_bytes(b"RIFF but no sound" * 10)
    with pytest.raises(FoleyspaceError):
        remux(clip, wrong, tmp_path / "out.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.mp4", "wrong.wav"]


@pytest.mark.skipif(os.name != "posix", reason="limits on file size are POSIX")
def test_a_full_disk_leaves_nothing(tmp_path: Path, clip_path: Path, wav: Path) -> None:
    """A limit on the size of files stands for the disk: ffmpeg's writes fail half way."""
    script = (
        "import resource, signal, sys\n"
        "from foleyspace import mux, video\n"
        "clip = video.probe(sys.argv[1])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
        "try:\n    mux.remux(clip, sys.argv[2], sys.argv[3])\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )
    command = [sys.executable, "-c", script, str(clip_path), str(wav), str(tmp_path / "out.mp4")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert said.stdout.startswith("FoleyspaceError"), said.stdout + said.stderr
    assert "could not be written" in said.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_ctrl_c_leaves_nothing(tmp_path: Path, clip_path: Path) -> None:
    """Interrupted while five minutes of sound are being encoded."""
    (tmp_path / "out").mkdir()
    wav = tmp_path / "long.wav"
    media.ffmpeg("-f", "lavfi", "-i", "anoisesrc=d=300:a=0.3", "-ac", "2", "-c:a", "pcm_f32le", wav)
    script = (
        "import sys\nfrom foleyspace import mux, video\nclip = video.probe(sys.argv[1])\n"
        "print('go', flush=True)\nmux.remux(clip, sys.argv[2], sys.argv[3])\n"
    )
    command = [sys.executable, "-c", script, str(clip_path), str(wav), str(tmp_path / "out" / "out.mp4")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    deadline = time.monotonic() + 20
    while not list((tmp_path / "out").iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(list((tmp_path / "out").iterdir())) == 1  # it is at work
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert b"KeyboardInterrupt" in said
    assert list((tmp_path / "out").iterdir()) == []


def test_bitrate_is_checked(tmp_path: Path, clip_path: Path, wav: Path) -> None:
    for wrong in ("loud", "1k", "9000k"):
        with pytest.raises(InputError, match="bitrate"):
            remux(probe(clip_path), wav, tmp_path / "out.mp4", bitrate=wrong)


@pytest.mark.parametrize(
    "names",
    [
        ("train_passing.mp4",),
        pytest.param(
            ("equirectangular_foa.webm", "drummer_22k_mono.mp4", "pancake.mkv"), marks=pytest.mark.slow
        ),
    ],
)
def test_real_recordings(shared: Path, tmp_path: Path, names: tuple[str, ...]) -> None:
    """Odd frame rate with mp3 sound; VP9 that starts late, 22 kHz with pixels that are not square."""
    for name in names:
        clip = probe(shared / "videos_native" / name)
        track = extract_mono(clip, tmp_path / "mono.wav")
        out = remux(clip, both_ears(tmp_path / "two.wav", track.path), tmp_path / name)
        again = probe(out)
        np.testing.assert_allclose(again.times, clip.times, atol=1e-6)
        assert media.streamhash(out) == media.streamhash(clip.path)
        assert again.audio is not None
        assert again.audio.rate == track.rate
        back = soundfile.read(str(extract_mono(again, tmp_path / "back.wav").path))[0]
        first = soundfile.read(str(track.path))[0]
        n = min(len(back), len(first))
        assert abs(len(back) - len(first)) < 0.1 * 48000
        spectra = np.fft.rfft(first[:n], 2 * n).conj() * np.fft.rfft(back[:n], 2 * n)
        lag = int(np.argmax(np.fft.irfft(spectra)))
        assert min(lag, 2 * n - lag) / 48 < 1.0, name  # ms
