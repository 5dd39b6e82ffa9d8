"""Cues come back as they were put in: delays, gains, and the direction of rendered sound."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from foleyspace import analyze
from foleyspace.analyze import Cues, analyze_binaural, in_blocks, load_audio, plot_cues, summarise
from foleyspace.cue_plot import _peaks, cue_png
from foleyspace.errors import InputError
from foleyspace.types import Audio, Hrirs

RATE = 48000


def noise(seconds=1.0, seed=0, rate=RATE):
    return 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * rate))


def delayed(signal, seconds, rate=RATE):
    """`signal` later by any fraction of a sample, by phase; circular, so the seam is a click at the ends."""
    spectrum = np.fft.rfft(signal)
    frequency = np.fft.rfftfreq(len(signal), 1 / rate)
    return np.fft.irfft(spectrum * np.exp(-2j * np.pi * frequency * seconds), len(signal))


def pair(left, right, rate=RATE):
    return Audio(np.stack([left, right]).astype(np.float32), rate)


@pytest.fixture(scope="module")
def kemar(shared) -> Hrirs:
    return read_hrirs(shared / "hrir" / "MIT_KEMAR_normal_pinna.sofa")


def read_hrirs(path: Path) -> Hrirs:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path) as file:
        ir = file["Data.IR"][:].astype(np.float32)
        azimuth, elevation, radius = file["SourcePosition"][:].T
        rate = round(float(file["Data.SamplingRate"][0]))
    azimuth, elevation = np.radians(azimuth), np.radians(elevation)
    xyz = np.stack(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)], axis=1
    )
    return Hrirs(ir, np.zeros((len(ir), 2)), xyz * radius[:, None], rate, path.stem)


def rendered(hrirs: Hrirs, azimuth_deg: float, signal) -> Audio:
    """Direct convolution with the measured response nearest to a direction in the horizontal plane."""
    a = math.radians(azimuth_deg)
    wanted = np.array([math.cos(a), math.sin(a), 0.0])
    unit = hrirs.xyz / np.linalg.norm(hrirs.xyz, axis=1, keepdims=True)
    k = int(np.argmax(unit @ wanted))
    assert unit[k] @ wanted > math.cos(math.radians(0.6))
    return pair(*(np.convolve(signal, hrirs.ir[k, ear]) for ear in range(2)), rate=hrirs.rate)


@pytest.mark.parametrize("itd_us", [-700.0, -123.4, 0.0, 37.0, 333.3, 800.0])
@pytest.mark.parametrize("rate", [22050, 48000])
def test_delays_come_back(itd_us, rate, kemar):
    signal = noise(rate=rate)
    late = delayed(signal, itd_us * 1e-6, rate)  # of the left ear: the right one leads
    cues = analyze_binaural(pair(late, signal, rate), hrirs=kemar)
    np.testing.assert_allclose(cues.itd_us[2:-2], itd_us, atol=10)
    assert np.median(cues.coherence) > 0.95


@pytest.mark.parametrize("ild_db", [-18.0, -3.0, 0.0, 6.5, 25.0])
def test_gains_come_back(ild_db, kemar):
    signal = noise()
    cues = analyze_binaural(pair(signal, signal * 10 ** (ild_db / 20)), hrirs=kemar)
    np.testing.assert_allclose(cues.ild_db, ild_db, atol=0.2)
    np.testing.assert_allclose(cues.ild_bands_db, ild_db, atol=0.2)


def test_a_tone_in_the_band_has_its_delay(kemar):
    t = np.arange(RATE) / RATE
    left, right = (0.3 * np.sin(2 * np.pi * 500 * (t - d)) for d in (250e-6, 0.0))
    cues = analyze_binaural(pair(left, right), hrirs=kemar)
    np.testing.assert_allclose(cues.itd_us[2:-2], 250, atol=10)


@pytest.mark.parametrize("azimuth_deg", [-80, -45, -20, 0, 5, 30, 60, 85])
def test_rendered_direction_comes_back(azimuth_deg, kemar):
    cues = analyze_binaural(rendered(kemar, azimuth_deg, noise(rate=kemar.rate)), hrirs=kemar)
    assert np.nanmedian(cues.azimuth_deg) == pytest.approx(azimuth_deg, abs=5)
    assert np.nanmax(np.abs(cues.azimuth_deg - azimuth_deg)) < 10
    if azimuth_deg:
        side = np.sign(azimuth_deg)  # left: the left ear leads and is louder
        assert np.sign(np.nanmedian(cues.itd_us)) == -side
        assert np.sign(np.nanmedian(cues.ild_db)) == -side


@pytest.mark.parametrize("name", ["harmonic", "pulses"])
def test_direction_of_sounds_that_are_no_noise(name, kemar):
    t = np.arange(kemar.rate) / kemar.rate
    if name == "harmonic":
        signal = sum(np.sin(2 * np.pi * 220 * k * t) / k for k in range(1, 15)) * 0.1
    else:
        signal = np.zeros(len(t))
        signal[:: kemar.rate // 8] = 1.0
    for azimuth in (-40, 25):
        cues = analyze_binaural(rendered(kemar, azimuth, signal), hrirs=kemar)
        assert np.nanmedian(cues.azimuth_deg) == pytest.approx(azimuth, abs=5)


def test_another_head_is_read_within_its_own_difference(shared, kemar):
    """Rendered with a different person's responses: no exactness, but the right place roughly."""
    other = read_hrirs(shared / "hrir" / "LISTEN_IRC_1003_C.sofa")
    for azimuth in (-60, -30, 0, 30, 60):
        cues = analyze_binaural(rendered(other, azimuth, noise(rate=other.rate)), hrirs=kemar)
        assert np.nanmedian(cues.azimuth_deg) == pytest.approx(azimuth, abs=15)


def test_the_embedded_set_is_used_unless_told_otherwise(kemar):
    for azimuth in (-40, 0, 65):
        cues = analyze_binaural(rendered(kemar, azimuth, noise(rate=kemar.rate)))
        assert np.nanmedian(cues.azimuth_deg) == pytest.approx(azimuth, abs=5)


def test_without_any_set_a_sphere_gives_the_side(monkeypatch, kemar):
    from foleyspace import cues as cue_module

    monkeypatch.setattr(cue_module, "_default_hrirs", lambda rate: None)
    for azimuth in (-50, 0, 50):
        found = analyze_binaural(rendered(kemar, azimuth, noise(rate=kemar.rate)))
        assert np.nanmedian(found.azimuth_deg) == pytest.approx(azimuth, abs=20)


def test_a_moving_source_is_followed(kemar):
    azimuths = np.arange(-60, 61, 5)
    steps = [rendered(kemar, a, noise(0.2, seed=k, rate=kemar.rate)).samples for k, a in enumerate(azimuths)]
    sound = Audio(np.concatenate([s[:, : round(0.2 * kemar.rate)] for s in steps], axis=1), kemar.rate)
    cues = analyze_binaural(sound, hrirs=kemar)
    expected = np.interp(cues.times, 0.1 + 0.2 * np.arange(len(azimuths)), azimuths)
    assert np.nanmedian(np.abs(cues.azimuth_deg - expected)) < 4


def test_silence_is_a_gap_not_a_direction(kemar):
    signal = noise(2.0)
    signal[RATE // 2 : RATE] = 0
    cues = analyze_binaural(pair(signal, signal), hrirs=kemar)
    inside = (cues.times > 0.56) & (cues.times < 0.94)
    assert np.isnan(cues.azimuth_deg[inside]).all()
    assert np.isnan(cues.itd_us[inside]).all()
    assert np.isfinite(cues.azimuth_deg[cues.times > 1.05]).all()
    nothing = analyze_binaural(pair(np.zeros(RATE), np.zeros(RATE)), hrirs=kemar)
    assert np.isnan(nothing.azimuth_deg).all()
    assert summarise(nothing)["azimuth_deg"] is None


def test_one_dead_ear_is_no_crash(kemar):
    cues = analyze_binaural(pair(noise(), np.zeros(RATE)), hrirs=kemar)
    assert (cues.ild_db < -60).all()
    assert np.isfinite(cues.azimuth_deg).all()


def test_unrelated_ears_have_low_coherence(kemar):
    alike = analyze_binaural(pair(noise(seed=1), noise(seed=1)), hrirs=kemar)
    unlike = analyze_binaural(pair(noise(seed=1), noise(seed=2)), hrirs=kemar)
    assert np.median(unlike.coherence) < 0.5 < np.median(alike.coherence)


def test_times_cover_the_sound_and_hop_is_kept(kemar):
    cues = analyze_binaural(pair(noise(1.0), noise(1.0)), hop_s=0.02, hrirs=kemar)
    np.testing.assert_allclose(np.diff(cues.times), 0.02, atol=1e-4)
    assert cues.times[0] == 0
    assert 0.96 < cues.times[-1] < 1.0


def test_summary_is_plain_and_signed(kemar):
    import json

    sound = rendered(kemar, 40, noise(rate=kemar.rate))
    summary = summarise(analyze_binaural(sound, hrirs=kemar))
    assert json.loads(json.dumps(summary)) == summary
    assert summary["duration_s"] == round(
        sound.duration, 3
    )  # of the sound, not up to the last window's middle
    assert summary["left_fraction"] > 0.95
    assert summary["azimuth_deg"]["median"] == pytest.approx(40, abs=5)
    assert summary["itd_us"]["mean"] < 0


@pytest.mark.parametrize("hop_s", [0.05, 0.0133, 3.0])
def test_sound_in_blocks_has_the_cues_of_the_whole(hop_s, tmp_path, monkeypatch, kemar):
    """However it is cut, in memory and from a file that is never held whole; so has the plot's waveform."""
    import soundfile

    sound = rendered(kemar, -40, noise(7.7))
    soundfile.write(tmp_path / "a.wav", sound.samples.T, sound.rate, subtype="FLOAT")
    whole = analyze_binaural(sound, hop_s=hop_s, hrirs=kemar)
    total = sound.samples.shape[1]
    peaks = in_blocks(sound, partial(_peaks, total))
    monkeypatch.setattr(analyze, "_READ", 1999)
    for given in (sound, tmp_path / "a.wav"):
        cues = analyze_binaural(given, hop_s=hop_s, hrirs=kemar)
        assert cues.duration == whole.duration == sound.duration
        for name in ("times", "itd_us", "ild_db", "level_db", "azimuth_deg"):
            np.testing.assert_allclose(getattr(cues, name), getattr(whole, name), atol=1e-3)
        np.testing.assert_array_equal(in_blocks(given, partial(_peaks, total)), peaks)
        assert in_blocks(given, lambda _rate, _channels, blocks: max(map(np.size, blocks))) <= 2 * 1999
    edges = np.linspace(0, total, 1601).astype(int)[:-1]
    np.testing.assert_array_equal(peaks[0], np.minimum(np.minimum.reduceat(sound.samples, edges, axis=1), 0))
    np.testing.assert_array_equal(peaks[1], np.maximum(np.maximum.reduceat(sound.samples, edges, axis=1), 0))


def test_bad_input_is_named(kemar, tmp_path):
    one = Audio(noise(), RATE)
    with pytest.raises(InputError, match="has 1 channel but must have two"):
        analyze_binaural(one)
    with pytest.raises(InputError, match="6 channels"):
        analyze_binaural(Audio(np.zeros((6, RATE)), RATE))
    with pytest.raises(InputError, match=r"must last 0\.05 s"):
        analyze_binaural(pair(np.zeros(10), np.zeros(10)))
    broken = noise()
    broken[3] = np.nan
    with pytest.raises(InputError, match="NaN"):
        analyze_binaural(pair(broken, broken))
    with pytest.raises(InputError, match="hop_s"):
        analyze_binaural(pair(noise(), noise()), hop_s=0)
    with pytest.raises(InputError, match="does not exist"):
        analyze_binaural(tmp_path / "none.wav")
    (tmp_path / "text.mp4").write_text("not a film at all")
    with pytest.raises(InputError, match="cannot be read"):
        analyze_binaural(tmp_path / "text.mp4")


def test_files_of_any_kind_are_read(tmp_path, kemar):
    import soundfile

    from foleyspace.ffmpeg import local, run

    sound = rendered(kemar, 30, noise(rate=kemar.rate))
    soundfile.write(tmp_path / "a.wav", sound.samples.T, sound.rate, subtype="PCM_24")
    done = run(
        ["-i", local(tmp_path / "a.wav"), "-c:a", "aac", "-b:a", "256k", local(tmp_path / "a.m4a")],
        timeout_s=60,
    )
    assert done.returncode == 0
    assert load_audio(tmp_path / "a.m4a").samples.shape[0] == 2
    for name in ("a.wav", "a.m4a"):
        cues = analyze_binaural(tmp_path / name, hrirs=kemar)
        assert np.nanmedian(cues.azimuth_deg) == pytest.approx(30, abs=5), name


def test_plot_is_a_picture_with_something_on_it(tmp_path, kemar):
    sound = rendered(kemar, -50, noise(rate=kemar.rate))
    cues = analyze_binaural(sound, hrirs=kemar)
    path = tmp_path / "cues.png"
    plot_cues(cues, sound, path, title="test")
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="exists"):
        plot_cues(cues, sound, path)
    plot_cues(cues, sound, path, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["cues.png"]
    silence = pair(np.zeros(RATE), np.zeros(RATE))
    quiet = analyze_binaural(silence, hrirs=kemar)
    assert isinstance(quiet, Cues)
    assert len(cue_png(quiet, silence)) > 5000
