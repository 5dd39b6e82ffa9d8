"""The mono track: aligned with the picture, exactly as long, nothing lost in the mix."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import media
import numpy as np
import pytest
import soundfile

from foleyspace.errors import InputError
from foleyspace.layouts import channel_names, mono_weights
from foleyspace.soundtrack import extract_mono, read_mono_blocks, wav_format
from foleyspace.video import probe

RATE = 48000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("soundtrack")


@pytest.fixture(scope="module")
def silent(folder: Path) -> Path:
    return media.picture(folder / "silent.mkv", [*media.cfr_times(2.0)])


def tones(path: Path, amplitudes: list[float], seconds: float = 1.0, rate: int = RATE) -> Path:
    """One tone a channel, each its own frequency: 300, 600, 900 Hz, ..."""
    t = np.arange(round(seconds * rate)) / rate
    sound = np.stack([a * np.sin(2 * np.pi * 300 * (k + 1) * t) for k, a in enumerate(amplitudes)], axis=1)
    soundfile.write(str(path), sound, rate, subtype="FLOAT")
    return path


def amplitude(samples: np.ndarray, frequency: float, rate: int = RATE) -> float:
    t = np.arange(len(samples)) / rate
    return 2 * abs(np.mean(samples * np.exp(-2j * np.pi * frequency * t)))


@pytest.mark.parametrize("offset_s", [0.0, 0.3, -0.25])
@pytest.mark.parametrize(("kind", "suffix"), [("cfr", "mp4"), ("vfr", "mp4"), ("vfr", "mkv")])
def test_clicks_are_where_the_flashes_are(tmp_path: Path, kind: str, offset_s: float, suffix: str) -> None:
    times = media.cfr_times(2.0) if kind == "cfr" else media.vfr_times(2.0)
    path = tmp_path / f"clip.{suffix}"
    media.flash_and_click(path, times, offset_s)
    clip = probe(path)
    flashes, brightness = media.shown(path)
    expected = (flashes - flashes[0])[brightness > 200]
    assert len(expected) == 2
    track = extract_mono(clip, tmp_path / "mono.wav")
    sound, rate = soundfile.read(str(track.path))
    np.testing.assert_allclose(media.click_times(sound, rate), expected, atol=1.5e-3)  # mkv counts in ms
    assert track.samples == len(sound) == round(clip.duration * RATE)


def test_length_is_the_clips_whatever_the_sound_has(
    folder: Path, silent: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shorter = media.join(folder / "shorter.mp4", silent, media.clicks(folder / "a.wav", 0.7, [0.2]))
    with caplog.at_level(logging.INFO, "foleyspace"):
        track = extract_mono(probe(shorter), folder / "mono.wav")
    sound = soundfile.read(str(track.path))[0]
    assert len(sound) == round(probe(shorter).duration * RATE)
    assert np.abs(sound[: round(0.7 * RATE)]).max() > 0.1
    assert np.abs(sound[round(0.75 * RATE) :]).max() == 0
    assert "silence is added" in caplog.text
    longer = media.join(folder / "longer.mp4", silent, media.clicks(folder / "b.wav", 4.0, [3.5]))
    clip = probe(longer)  # as long as its sound
    sound = soundfile.read(str(extract_mono(clip, folder / "mono.wav").path))[0]
    assert len(sound) == round(clip.duration * RATE)
    assert media.click_times(sound, RATE) == pytest.approx([3.5], abs=2e-3)


def test_a_gap_in_the_sound_stays_a_gap(folder: Path, silent: Path) -> None:
    """Half a second of packets missing: what follows keeps its time."""
    whole = media.join(folder / "whole.mkv", silent, media.clicks(folder / "c.wav", 2.0, [0.3, 1.5]))
    path = folder / "gap.mkv"
    media.ffmpeg("-i", whole, "-c", "copy", "-bsf:a", "noise=drop='gt(pts*tb,0.7)*lt(pts*tb,1.2)'", path)
    sound = soundfile.read(str(extract_mono(probe(path), folder / "mono.wav").path))[0]
    assert media.click_times(sound, RATE) == pytest.approx([0.3, 1.5], abs=2e-3)


def retimed(path: Path, sound: Path, pts: str) -> Path:
    """A video whose sound, in packets of 10 ms, has the time stamps `pts` (an expression of ffmpeg's)."""
    picture = media.picture(path.with_name("still.mkv"), [0.0, 1.0])
    filters = f"asetnsamples=480,asetpts='{pts}'"
    media.ffmpeg("-i", picture, "-i", sound, "-c:v", "copy", "-af", filters, "-c:a", "pcm_f32le", path)
    return path


def roughness(samples: np.ndarray, frequency: float, peak: float) -> float:
    """Largest bend between three samples, against that of the tone they are of: 1 has no jump, a jump has hundreds."""
    return float(np.abs(np.diff(samples, 2)).max() / (peak * (2 * np.pi * frequency / RATE) ** 2))


@pytest.mark.parametrize("gap_s", [0.006, 0.03, 0.09])
def test_a_short_gap_stays_a_gap_too(tmp_path: Path, gap_s: float) -> None:
    """A few lost packets, or two recordings put together."""
    sound = media.clicks(tmp_path / "a.wav", 4.0, [0.3, 1.5, 3.5])
    path = retimed(tmp_path / "gap.mkv", sound, f"PTS+gte(T,1)*{gap_s}/TB")
    mono = soundfile.read(str(extract_mono(probe(path), tmp_path / "mono.wav").path))[0]
    expected = [0.3, 1.5 + gap_s, 3.5 + gap_s]
    assert media.click_times(mono, RATE) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("drift", [-5e-4, 1e-3])
def test_a_clock_that_drifts_is_followed_without_a_jump(tmp_path: Path, drift: float) -> None:
    at = [0.5 + k for k in range(20)]
    pts = f"PTS*{1 + drift}"
    path = retimed(tmp_path / "clicks.mkv", media.clicks(tmp_path / "a.wav", 20.0, at), pts)
    mono = soundfile.read(str(extract_mono(probe(path), tmp_path / "mono.wav").path))[0]
    assert media.click_times(mono, RATE) == pytest.approx([t * (1 + drift) for t in at], abs=4e-3)
    path = retimed(tmp_path / "tone.mkv", tones(tmp_path / "t.wav", [0.5], seconds=20.0), pts)
    mono = soundfile.read(str(extract_mono(probe(path), tmp_path / "mono.wav").path))[0]
    assert roughness(mono[RATE:-RATE], 300, 0.5) < 3


@pytest.mark.parametrize("late_ms", [3, 8, 30])
def test_time_stamps_from_a_clock_cut_nothing(tmp_path: Path, late_ms: int) -> None:
    """Browsers stamp a packet when it comes, now early, now late: nothing is missing between them."""
    picture = media.picture(tmp_path / "p.mkv", [0.0, 1.0])
    path = media.join(tmp_path / "a.mkv", picture, tones(tmp_path / "t.wav", [0.5], seconds=10.0))
    jitter = f"setts=ts='PTS+gt(N,0)*round({late_ms}*(2*random(0)-1))'"
    media.ffmpeg("-i", path, "-c", "copy", "-bsf:a", jitter, tmp_path / "b.mkv")
    mono = soundfile.read(str(extract_mono(probe(tmp_path / "b.mkv"), tmp_path / "mono.wav").path))[0]
    assert roughness(mono[RATE:-RATE], 300, 0.5) < 3


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("mkv", "aac"), ("mkv", "libvorbis"), ("mkv", "pcm_s16le"), ("flv", "libmp3lame"), ("ts", "aac")],
)
def test_rounded_time_stamps_change_no_sample(tmp_path: Path, suffix: str, codec: str) -> None:
    picture = media.picture(tmp_path / "p.mkv", media.cfr_times(3.0))
    source = media.clicks(tmp_path / "a.wav", 3.0, [0.5], rate=44100)
    path = media.join(tmp_path / f"v.{suffix}", picture, source, codec=("-c:a", codec))
    track = extract_mono(probe(path), tmp_path / "mono.wav", rate=44100)
    mono = soundfile.read(str(track.path), dtype="float32")[0]
    start, plain, _ = media.heard(path)
    skip = round((media.shown(path)[0][0] - start) * 44100)
    plain = np.append(np.zeros(max(-skip, 0), np.float32), plain[max(skip, 0) :])
    n = min(len(mono), len(plain))
    assert n > 2.9 * 44100
    lag = min(range(-50, 51), key=lambda k: np.abs(mono[100 : n - 100] - plain[100 + k : n - 100 + k]).max())
    np.testing.assert_array_equal(mono[100 : n - 100], plain[100 + lag : n - 100 + lag])


def test_the_default_track_is_the_one_that_is_used(tmp_path: Path, silent: Path) -> None:
    """As players do, where a file says so."""
    comment, main = tones(tmp_path / "a.wav", [0.3], 2.0), tones(tmp_path / "b.wav", [0.0, 0.5], 2.0, 32000)
    path = tmp_path / "two.mkv"
    media.ffmpeg(
        *("-i", silent, "-i", comment, "-i", main, "-map", "0", "-map", "1", "-map", "2", "-c:v", "copy"),
        *("-c:a", "flac", "-disposition:a:0", "comment", "-disposition:a:1", "default", path),
    )
    clip = probe(path)
    assert clip.audio is not None
    assert (clip.audio.index, clip.audio.rate, clip.audio.channels) == (1, 32000, 2)
    for source in (clip, path):
        sound = soundfile.read(str(extract_mono(source, tmp_path / "mono.wav").path))[0]
        assert amplitude(sound, 300) < 1e-3
        assert amplitude(sound, 600) == pytest.approx(0.25, abs=1e-3)


@pytest.mark.parametrize("rate_in", [8000, 22050, 44100, 48000, 96000])
def test_resampled_without_moving_or_losing_level(tmp_path: Path, rate_in: int) -> None:
    path = tmp_path / "tone.wav"
    t = np.arange(rate_in) / rate_in
    soundfile.write(str(path), 0.5 * np.sin(2 * np.pi * 1000 * t), rate_in, subtype="FLOAT")
    track = extract_mono(path, tmp_path / "mono.wav")
    sound = soundfile.read(str(track.path))[0]
    assert abs(len(sound) - RATE) <= 2
    assert (track.source_rate, track.rate, track.channels) == (rate_in, RATE, 1)
    middle = slice(RATE // 10, -RATE // 10)
    ideal = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(len(sound)) / RATE)
    assert np.abs(sound[middle] - ideal[middle]).max() < 1e-4


def test_surround_is_mixed_after_bs_775(tmp_path: Path) -> None:
    path = tones(tmp_path / "a.wav", [0.5] * 6)
    media.ffmpeg("-i", path, "-af", "aformat=channel_layouts=5.1", "-c:a", "flac", tmp_path / "a.mka")
    track = extract_mono(tmp_path / "a.mka", tmp_path / "mono.wav")
    sound = soundfile.read(str(track.path))[0]
    found = np.array([amplitude(sound, 300 * (k + 1)) for k in range(6)]) / 0.5
    front = found[0]
    # left, right, centre, low frequency, left and right surround; relative to the front ones
    np.testing.assert_allclose(found / front, [1, 1, 2**0.5, 0, 0.5**0.5, 0.5**0.5], atol=1e-3)
    assert found.sum() == pytest.approx(1, abs=1e-3)  # never louder than full scale
    assert track.channels == 6


@pytest.mark.parametrize(
    "codec",
    [
        ("mp3", "libmp3lame"),
        ("ogg", "libvorbis"),
        ("m4a", "aac"),
        ("ac3", "ac3"),
        ("flac", "flac"),
        ("opus", "libopus"),
    ],
)
def test_any_codec(tmp_path: Path, codec: tuple[str, str]) -> None:
    source = media.clicks(tmp_path / "a.wav", 1.0, [0.4], channels=2)
    path = tmp_path / f"a.{codec[0]}"
    media.ffmpeg("-i", source, "-c:a", codec[1], "-b:a", "192k", path)
    sound = soundfile.read(str(extract_mono(path, tmp_path / "mono.wav").path))[0]
    # without container time stamps mp3 and ac3 keep their encoder's delay
    assert media.click_times(sound, RATE) == pytest.approx([0.4], abs=0.03)


def test_stereo_is_averaged(tmp_path: Path) -> None:
    track = extract_mono(tones(tmp_path / "a.wav", [0.5, 0.25]), tmp_path / "mono.wav")
    sound = soundfile.read(str(track.path))[0]
    assert amplitude(sound, 300) == pytest.approx(0.25, abs=1e-3)
    assert amplitude(sound, 600) == pytest.approx(0.125, abs=1e-3)


def test_stereo_that_cancels_is_saved(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One microphone wired the wrong way round: L + R would be next to nothing."""
    sound = 0.3 * np.random.default_rng(0).standard_normal(RATE)
    noise = 0.01 * np.random.default_rng(1).standard_normal(RATE)
    soundfile.write(str(tmp_path / "a.wav"), np.stack([sound, noise - sound], 1), RATE, subtype="FLOAT")
    with caplog.at_level(logging.WARNING, "foleyspace"):
        track = extract_mono(tmp_path / "a.wav", tmp_path / "mono.wav")
    mono = soundfile.read(str(track.path))[0]
    assert np.corrcoef(mono, sound)[0, 1] > 0.99
    assert mono.std() == pytest.approx(sound.std(), rel=0.05)
    assert "cancel" in caplog.text


def test_one_sided_and_wide_stereo_are_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rng = np.random.default_rng(0)
    for name, right in (("one", 0.0), ("wide", 0.3)):
        stereo = np.stack([0.3 * rng.standard_normal(RATE), right * rng.standard_normal(RATE)], 1)
        soundfile.write(str(tmp_path / f"{name}.wav"), stereo, RATE, subtype="FLOAT")
        assert extract_mono(tmp_path / f"{name}.wav", tmp_path / "mono.wav").weights == (0.5, 0.5)
    assert "cancel" not in caplog.text


def test_first_order_ambisonics_beside_a_sphere(shared: Path, tmp_path: Path) -> None:
    path = shared / "videos_native" / "equirectangular_foa.webm"
    track = extract_mono(probe(path), tmp_path / "mono.wav")
    assert track.downmix == "ambisonic W"
    start, omni, rate = media.heard(path)
    sound = soundfile.read(str(track.path))[0]
    skip = round((media.shown(path)[0][0] - start) * rate)
    n = RATE * 5
    np.testing.assert_allclose(sound[:n], omni[skip : skip + n], atol=1e-5)


def test_four_loudspeakers_beside_a_sphere_are_not_taken_for_ambisonics() -> None:
    from foleyspace.soundtrack import _second_thoughts

    names = channel_names("quad")
    alike = np.eye(4)
    assert _second_thoughts(names, alike, spherical=True) is not None
    plane_wave = np.outer([1, 0.6, 0, 0.8], [1, 0.6, 0, 0.8])
    diffuse = np.diag([1, 1 / 3, 1 / 3, 1 / 3])
    assert _second_thoughts(names, plane_wave, spherical=True) is None
    assert _second_thoughts(names, diffuse, spherical=True) is None


@pytest.mark.parametrize(
    ("layout", "channels"),
    [
        ("mono", 1),
        ("stereo", 2),
        ("5.1(side)", 6),
        ("7.1", 8),
        ("quad", 4),
        ("ambisonic 1", 4),
        ("3 channels", 3),
        ("3 channels (FL+FR+LFE)", 3),
        ("7.1.4", 12),
        ("downmix", 2),
    ],
)
def test_layouts(layout: str, channels: int) -> None:
    names = channel_names(layout)
    assert len(names) == channels
    weights = mono_weights(names)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()


def test_no_sound_says_what_can_be_done(silent: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--audio"):
        extract_mono(probe(silent), tmp_path / "mono.wav")
    assert list(tmp_path.iterdir()) == []


def test_empty_sound_track(folder: Path, silent: Path, tmp_path: Path) -> None:
    """A track that is declared but holds nothing counts as none."""
    soundfile.write(str(folder / "nothing.wav"), np.zeros(0), RATE)
    path = folder / "nothing.mkv"
    media.ffmpeg("-i", silent, "-i", folder / "nothing.wav", "-c:v", "copy", "-c:a", "flac", path)
    clip = probe(path)
    assert clip.audio is None
    with pytest.raises(InputError, match="no sound"):
        extract_mono(clip, tmp_path / "mono.wav")
    with pytest.raises(InputError, match="empty"):
        extract_mono(folder / "nothing.wav", tmp_path / "mono.wav")


@pytest.mark.skipif(os.name != "posix", reason="limits on file size are POSIX")
def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk."""
    source = media.clicks(tmp_path / "a.wav", 2.0, [0.1])
    script = (
        "import resource, signal, sys\nfrom foleyspace.soundtrack import extract_mono\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "try:\n    extract_mono(sys.argv[1], sys.argv[2])\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )
    command = [sys.executable, "-c", script, str(source), str(tmp_path / "mono.wav")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert said.stdout.startswith("InputError"), said.stdout + said.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_not_a_number_becomes_silence(tmp_path: Path) -> None:
    sound = np.full(RATE, 0.1, np.float32)
    sound[100:200] = np.nan
    soundfile.write(str(tmp_path / "nan.wav"), sound, RATE, subtype="FLOAT")
    track = extract_mono(tmp_path / "nan.wav", tmp_path / "mono.wav")
    assert np.isfinite(soundfile.read(str(track.path))[0]).all()


def test_existing_output_is_kept_unless_told(tmp_path: Path) -> None:
    source = media.clicks(tmp_path / "a.wav", 0.5, [0.1])
    (tmp_path / "mono.wav").write_bytes(b"mine")
    with pytest.raises(InputError, match="exists already"):
        extract_mono(source, tmp_path / "mono.wav", overwrite=False)
    assert (tmp_path / "mono.wav").read_bytes() == b"mine"


def test_blocks(tmp_path: Path) -> None:
    path = media.clicks(tmp_path / "a.wav", 1.0, [0.1])
    blocks = list(read_mono_blocks(path, 10_000))
    assert [len(block) for block in blocks] == [10_000] * 4 + [8000]
    np.testing.assert_array_equal(np.concatenate(blocks), soundfile.read(str(path), dtype="float32")[0])
    with pytest.raises(InputError, match="must have 1"):
        next(read_mono_blocks(media.clicks(tmp_path / "b.wav", 0.1, [], channels=2)))


def test_hours_of_sound_get_a_header_that_can_count_them() -> None:
    assert wav_format(48000 * 3600 * 4, 1) == "WAV"
    assert wav_format(48000 * 3600 * 6, 1) == "RF64"
