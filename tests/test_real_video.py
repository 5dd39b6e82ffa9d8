"""Whole renders of real clips: the interaural time difference follows what was annotated by hand."""

import json

import numpy as np
import pytest

from foleyspace.analyze import analyze_binaural
from foleyspace.api import render

pytestmark = pytest.mark.slow


def followed(shared, name, out, detector):
    """Correlation of ITD with the annotated place over one clip, and the share of right sides."""
    render(shared / "videos" / f"{name}.mp4", out, detector=detector, depth="size", offline=True)
    cues = analyze_binaural(out)
    marks = [
        k
        for k in json.loads((shared / "videos" / "annotations.json").read_text())[name]["keyframes"]
        if k["visible"]
    ]
    known = np.isfinite(cues.itd_us)
    itd = np.interp([k["t"] for k in marks], cues.times[known], cues.itd_us[known])
    side = np.array([k["sx"] for k in marks]) - 0.5
    off = np.abs(side) > 0.1
    return np.corrcoef(itd, side)[0, 1], (np.sign(itd[off]) == np.sign(side[off])).mean()


@pytest.mark.parametrize("name", ["5", "moving1", "3"])
def test_with_a_detector(shared, tmp_path, name):
    pytest.importorskip("openvino")
    detector = str(shared / "models" / "yolo11n_int8_openvino_model")
    r, side = followed(shared, name, tmp_path / "out.mp4", detector)
    assert r > 0.95
    assert side > 0.9


@pytest.mark.parametrize("name", ["1", "gm595781138-103274473"])
def test_by_motion_alone(shared, tmp_path, name):
    r, side = followed(shared, name, tmp_path / "out.mp4", "motion")
    assert r > 0.9
    assert side > 0.85


@pytest.mark.parametrize(
    "name",
    [
        "paper_portrait.mp4",
        "pancake.mkv",
        "equirectangular_foa.webm",
        "train_passing.mp4",
        "drummer_22k_mono.mp4",
    ],
)
def test_native_recordings_keep_rate_loudness_and_picture(shared, tmp_path, name):
    from media import streamhash

    from foleyspace.loudness import integrated_lufs
    from foleyspace.video import probe

    video, out = shared / "videos_native" / name, tmp_path / name
    projection = "equirectangular" if name.startswith("equi") else "rectilinear"
    result = render(video, out, detector="motion", depth="size", offline=True, projection=projection)
    before, after = probe(video), probe(out)
    assert streamhash(out) == streamhash(video)
    assert after.audio.channels == 2
    assert after.audio.rate in (before.audio.rate, 48000)
    assert abs(integrated_lufs(out) - integrated_lufs(video)) < 1
    assert result.sound.lufs_out == pytest.approx(integrated_lufs(out), abs=0.5)
    assert after.duration == pytest.approx(before.duration, abs=0.1)
