"""Loudness after BS.1770, matched without clipping."""

from __future__ import annotations

import logging
from pathlib import Path

import media
import numpy as np
import pytest
import soundfile

from foleyspace.errors import InputError
from foleyspace.loudness import integrated_lufs, match_loudness
from foleyspace.video import probe

RATE = 48000


def tone(
    path: Path, amplitude: float, seconds: float = 2.0, channels: int = 2, frequency: float = 997
) -> Path:
    sound = amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)
    soundfile.write(str(path), np.repeat(sound[:, None], channels, 1), RATE, subtype="FLOAT")
    return path


def knocks(path: Path, seconds: float = 6.0) -> Path:
    """Quiet noise with a loud knock each half second: far peaks over a low loudness."""
    rng = np.random.default_rng(0)
    sound = 0.02 * rng.standard_normal((round(seconds * RATE), 2))
    knock = 0.9 * np.exp(-np.arange(200) / 40) * np.sin(np.arange(200))
    for start in range(RATE // 4, len(sound) - 200, RATE // 2):
        sound[start : start + 200] += knock[:, None] * [1.0, 0.5]
    soundfile.write(str(path), sound, RATE, subtype="FLOAT")
    return path


def test_the_standards_own_example(tmp_path: Path) -> None:
    """BS.1770-5: a 997 Hz sine at full scale in one channel is -3.01 LUFS; in two, 3.01 more."""
    assert integrated_lufs(tone(tmp_path / "m.wav", 1.0, channels=1)) == pytest.approx(-3.01, abs=0.02)
    assert integrated_lufs(tone(tmp_path / "s.wav", 1.0, channels=2)) == pytest.approx(0.0, abs=0.02)
    assert integrated_lufs(tone(tmp_path / "q.wav", 0.1, channels=2)) == pytest.approx(-20.0, abs=0.02)


def test_surround_channels_count_more(tmp_path: Path) -> None:
    """Ls and Rs are weighted by 1.41, the low-frequency channel not at all."""
    found = []
    for active in (0, 3, 4):
        sound = np.zeros((2 * RATE, 6))
        sound[:, active] = 0.1 * np.sin(2 * np.pi * 997 * np.arange(2 * RATE) / RATE)
        soundfile.write(str(tmp_path / "a.wav"), sound, RATE, subtype="FLOAT")
        media.ffmpeg(
            "-i", tmp_path / "a.wav", "-af", "aformat=channel_layouts=5.1", "-c:a", "flac", tmp_path / "a.mka"
        )
        found.append(integrated_lufs(tmp_path / "a.mka"))
    front, low, surround = found
    assert front == pytest.approx(-23.01, abs=0.02)
    assert low is None
    assert surround == pytest.approx(-23.01 + 10 * np.log10(1.41), abs=0.02)


def test_silent_and_short(tmp_path: Path) -> None:
    assert integrated_lufs(tone(tmp_path / "zero.wav", 0.0)) is None
    for seconds in (0.05, 0.2, 0.39, 0.41):
        found = integrated_lufs(tone(tmp_path / "short.wav", 0.1, seconds))
        assert found == pytest.approx(-20.0, abs=0.3), seconds
    with pytest.raises(InputError, match="no sound track"):
        integrated_lufs(media.picture(tmp_path / "mute.mp4", [0.0]))


def test_periodic_sounds_are_not_taken_for_a_transport_stream(tmp_path: Path) -> None:
    """A 1 kHz tone in float stereo repeats every 384 bytes, and often the byte that MPEG-TS starts with."""
    for amplitude in (0.5, 0.9, 1.0):
        source = tone(tmp_path / "in.wav", amplitude, frequency=1000)
        assert integrated_lufs(source) == pytest.approx(20 * np.log10(amplitude), abs=0.05)


def test_the_sound_of_a_video(tmp_path: Path) -> None:
    picture = media.picture(tmp_path / "p.mkv", media.cfr_times(2.0))
    path = media.join(tmp_path / "v.mp4", picture, tone(tmp_path / "t.wav", 0.1))
    assert integrated_lufs(path) == pytest.approx(-20.0, abs=0.1)


def test_of_a_clip_what_is_before_the_first_frame_does_not_count(tmp_path: Path) -> None:
    """A second of loud sound ahead of the picture, then quiet."""
    sound = 0.1 * np.sin(2 * np.pi * 997 * np.arange(4 * RATE) / RATE)
    sound[:RATE] *= 9
    soundfile.write(str(tmp_path / "t.wav"), sound, RATE, subtype="FLOAT")
    picture = media.picture(tmp_path / "p.mkv", media.cfr_times(3.0))
    path = media.join(tmp_path / "v.mkv", picture, tmp_path / "t.wav", -1.0, ("-c:a", "flac"))
    assert integrated_lufs(probe(path)) == pytest.approx(-23.0, abs=0.05)
    assert (integrated_lufs(path) or -70) > -10


def test_of_the_first_seconds_only(tmp_path: Path) -> None:
    quiet = tone(tmp_path / "a.wav", 0.01, 3.0)
    loud = soundfile.read(str(tone(tmp_path / "b.wav", 0.5, 9.0)))[0]
    whole = np.concatenate([soundfile.read(str(quiet))[0], loud])
    soundfile.write(str(tmp_path / "c.wav"), whole, RATE, subtype="FLOAT")
    assert integrated_lufs(tmp_path / "c.wav", duration=3.0) == pytest.approx(-40.0, abs=0.02)
    assert integrated_lufs(tmp_path / "c.wav", duration=0.3) == pytest.approx(-40.0, abs=0.3)
    assert integrated_lufs(knocks(tmp_path / "d.wav"), duration=6.0) == integrated_lufs(tmp_path / "d.wav")


def test_of_the_default_track(tmp_path: Path) -> None:
    a, b = tone(tmp_path / "a.wav", 0.01), tone(tmp_path / "b.wav", 0.1)
    flags = ("-disposition:a:0", "0", "-disposition:a:1", "default")
    media.ffmpeg("-i", a, "-i", b, "-map", "0", "-map", "1", "-c:a", "flac", *flags, tmp_path / "c.mka")
    assert integrated_lufs(tmp_path / "c.mka") == pytest.approx(-20.0, abs=0.02)


@pytest.mark.parametrize(("seconds", "loud_s"), [(3.04, 0.03), (0.08, 0.04), (1.0999, 0.001)])
def test_a_peak_at_the_very_end_is_held_too(tmp_path: Path, seconds: float, loud_s: float) -> None:
    """Meters tell peaks by blocks of 100 ms: the last one is rarely whole."""
    sound = 0.05 * np.sin(2 * np.pi * 997 * np.arange(round(seconds * RATE)) / RATE)
    sound[-round(loud_s * RATE) :] *= 19
    soundfile.write(str(tmp_path / "in.wav"), np.stack([sound, sound], 1), RATE, subtype="FLOAT")
    lufs = integrated_lufs(tmp_path / "in.wav")
    assert lufs is not None
    report = match_loudness(tmp_path / "in.wav", tmp_path / "out.wav", lufs + 6)
    assert report.limited_db > 1
    assert report.true_peak_dbtp <= -0.9
    assert np.abs(soundfile.read(str(tmp_path / "out.wav"))[0]).max() <= 10 ** (-0.9 / 20)


@pytest.mark.parametrize("target", [-40.0, -23.0])
def test_one_gain_where_there_is_room(tmp_path: Path, target: float) -> None:
    source = tone(tmp_path / "in.wav", 0.05)
    report = match_loudness(source, tmp_path / "out.wav", target)
    assert integrated_lufs(tmp_path / "out.wav") == pytest.approx(target, abs=0.05)
    before, after = (soundfile.read(str(tmp_path / name))[0] for name in ("in.wav", "out.wav"))
    np.testing.assert_allclose(after, before * 10 ** (report.gain_db / 20), atol=1e-6)
    assert report.limited_db == 0


@pytest.mark.parametrize("target", [-23.0, -18.0, -14.0])
def test_limited_but_as_loud_as_asked(tmp_path: Path, target: float) -> None:
    report = match_loudness(knocks(tmp_path / "in.wav"), tmp_path / "out.wav", target, ceiling_dbtp=-1.0)
    assert report.limited_db > 1
    assert integrated_lufs(tmp_path / "out.wav") == pytest.approx(target, abs=0.5)
    sound = soundfile.read(str(tmp_path / "out.wav"))[0]
    assert np.abs(sound).max() <= 10 ** (-1 / 20) + 1e-4
    fine = np.fft.irfft(np.pad(np.fft.rfft(sound[:, 0]), (0, 3 * (len(sound) // 2))), 4 * len(sound)) * 4
    assert 20 * np.log10(np.abs(fine).max()) <= -0.9  # between the samples too


def test_the_limiter_does_not_move_a_source(tmp_path: Path) -> None:
    """Left is twice right before and after, at every sample that is not noise."""
    rng = np.random.default_rng(0)
    sound = 0.5 * rng.standard_normal((2 * RATE, 1)) * [1.0, 0.5]
    soundfile.write(str(tmp_path / "in.wav"), sound, RATE, subtype="FLOAT")
    report = match_loudness(tmp_path / "in.wav", tmp_path / "out.wav", -8.0)
    assert report.limited_db > 1
    out = soundfile.read(str(tmp_path / "out.wav"))[0]
    np.testing.assert_allclose(out[:, 1], out[:, 0] / 2, atol=1e-6)


@pytest.mark.parametrize("frequency", [40, 100, 1000])
def test_the_limiter_does_not_distort_a_tone(tmp_path: Path, frequency: float) -> None:
    source = tone(tmp_path / "in.wav", 0.9, frequency=frequency)
    lufs = integrated_lufs(source)
    assert lufs is not None
    match_loudness(source, tmp_path / "out.wav", lufs + 2)
    sound = soundfile.read(str(tmp_path / "out.wav"))[0][RATE // 2 : -RATE // 2, 0]
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    at = round(frequency)
    rest = power.sum() - power[at - 4 : at + 5].sum()
    assert 10 * np.log10(rest / power.sum()) < -80


def test_what_is_not_loud_is_untouched_by_the_limiter(tmp_path: Path) -> None:
    """Half a second after a knock the gain is back to what it is without limiter."""
    sound = 0.01 * np.random.default_rng(0).standard_normal((3 * RATE, 2))
    sound[RATE : RATE + 50] += 0.9
    soundfile.write(str(tmp_path / "in.wav"), sound, RATE, subtype="FLOAT")
    report = match_loudness(tmp_path / "in.wav", tmp_path / "out.wav", -30.0)
    assert report.limited_db > 1
    out = soundfile.read(str(tmp_path / "out.wav"))[0]
    away = np.r_[0 : RATE - 2000, RATE + 2050 : 3 * RATE]
    np.testing.assert_allclose(out[away], sound[away] * 10 ** (report.gain_db / 20), atol=1e-6)


def test_impossible_loudness_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = tone(tmp_path / "in.wav", 0.5)
    with caplog.at_level(logging.WARNING, "foleyspace"):
        report = match_loudness(source, tmp_path / "out.wav", 6.0)
    assert report.output_lufs == pytest.approx(-1.0, abs=0.1)
    assert "LU off" in caplog.text
    assert np.abs(soundfile.read(str(tmp_path / "out.wav"))[0]).max() < 0.9


def test_silence_stays_silence(tmp_path: Path) -> None:
    report = match_loudness(tone(tmp_path / "in.wav", 0.0), tmp_path / "out.wav", -20.0)
    assert (report.input_lufs, report.gain_db) == (None, 0.0)
    assert np.abs(soundfile.read(str(tmp_path / "out.wav"))[0]).max() == 0


def test_no_target_still_does_not_clip(tmp_path: Path) -> None:
    report = match_loudness(tone(tmp_path / "in.wav", 1.5), tmp_path / "out.wav", None)
    assert report.gain_db == 0
    assert np.abs(soundfile.read(str(tmp_path / "out.wav"))[0]).max() <= 10 ** (-1 / 20) + 1e-4


@pytest.mark.parametrize("rate", [22050, 44100, 96000])
def test_written_at_another_rate(tmp_path: Path, rate: int) -> None:
    source = knocks(tmp_path / "in.wav", 3.0)
    match_loudness(source, tmp_path / "out.wav", -25.0, rate_out=rate)
    sound, found = soundfile.read(str(tmp_path / "out.wav"))
    assert found == rate
    assert abs(len(sound) - 3 * rate) <= 2
    assert integrated_lufs(tmp_path / "out.wav") == pytest.approx(-25.0, abs=0.5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.wav", "out.wav"]


def test_blocks_leave_no_seams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same limiter output whatever the block length is."""
    source = knocks(tmp_path / "in.wav", 3.0)
    match_loudness(source, tmp_path / "a.wav", -18.0)
    monkeypatch.setattr("foleyspace.loudness.BLOCK", 5000)
    match_loudness(source, tmp_path / "b.wav", -18.0)
    a, b = (soundfile.read(str(tmp_path / name))[0] for name in ("a.wav", "b.wav"))
    np.testing.assert_allclose(a, b, atol=2e-4)
