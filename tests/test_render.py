"""The whole of `render` with a scene given: which sound is placed, how loud, at which rate."""

from __future__ import annotations

from pathlib import Path

import media
import numpy as np
import pytest
import soundfile

from foleyspace.loudness import integrated_lufs
from foleyspace.pipelines.render import RenderConfig, RenderResult, run
from foleyspace.types import Scene, Source
from foleyspace.video import probe


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2 s with sound at 8 kHz."""
    return media.plain_clip(tmp_path_factory.mktemp("render"), rate=8000)


def tone(path: Path, frequency: float, amplitude: float, seconds: float = 2.0) -> Path:
    sound = amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * 48000)) / 48000)
    soundfile.write(str(path), sound, 48000, subtype="FLOAT")
    return path


def rendered(clip: Path, folder: Path, audio: Path | None = None, own: Path | None = None) -> RenderResult:
    """`clip` with one source ahead, whose sound is `own`, as a Matroska file with PCM."""
    at = (np.array([0.0]), np.array([[2.0, 0.0, 0.0]]))
    Scene((Source("a", "bird", *at, audio=own and str(own)),), 2.0).save(folder / "scene.json")
    config = RenderConfig(
        out=str(folder / "out.mkv"),
        audio="track" if audio is None else str(audio),
        scene=str(folder / "scene.json"),
        audio_codec="pcm",
    )
    return run(clip, config)


def level_db(path: Path, frequency: float) -> float:
    """Of the tone, against everything else."""
    _, samples, rate = media.heard(path)
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    at = round(frequency * len(samples) / rate)
    tone = power[at - 20 : at + 21].sum()
    return float(10 * np.log10(tone / (power.sum() - tone + 1e-12)))


def test_other_sound_is_as_loud_as_what_is_used_of_it(clip: Path, tmp_path: Path) -> None:
    """2 quiet seconds of a file that goes on, loud, after the picture has ended."""
    quiet, loud = (soundfile.read(tone(tmp_path / "t.wav", 997, a, 4.0))[0] for a in (0.02, 0.8))
    soundfile.write(str(tmp_path / "long.wav"), np.concatenate([quiet, loud, loud]), 48000, subtype="FLOAT")
    result = rendered(clip, tmp_path, audio=tmp_path / "long.wav")
    used = 20 * np.log10(0.02) - 3.01
    assert result.sound.lufs_in == pytest.approx(used, abs=0.05)
    assert integrated_lufs(result.out) == pytest.approx(used, abs=0.2)


def test_other_sound_keeps_what_the_clips_own_rate_cannot_hold(clip: Path, tmp_path: Path) -> None:
    high = tone(tmp_path / "high.wav", 9000, 0.1)
    for folder, sounds in (("a", {"audio": high}), ("b", {"own": high})):
        (tmp_path / folder).mkdir()
        out = rendered(clip, tmp_path / folder, **sounds).out
        assert probe(out).audio.rate == 48000  # type: ignore[union-attr]
        assert level_db(out, 9000) > 30


def test_the_clips_own_sound_keeps_its_rate(clip: Path, tmp_path: Path) -> None:
    assert probe(rendered(clip, tmp_path).out).audio.rate == 8000  # type: ignore[union-attr]
