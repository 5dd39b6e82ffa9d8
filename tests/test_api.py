"""The Python API on arrays: what it takes, and what it refuses in one line."""

import numpy as np
import pytest

import foleyspace
from foleyspace import Audio, InputError, Scene, Source


@pytest.fixture(scope="module")
def hrirs():
    return foleyspace.load_hrirs()


SCENE = Scene((Source("a", "a", [0.0], [[1.0, 1.0, 0.0]]),), 1.0)
NOISE = np.random.default_rng(0).normal(0, 0.1, 4800).astype(np.float32)


@pytest.mark.parametrize(
    "mono",
    [
        np.array([np.nan, 0.0]),
        np.array([np.inf, 0.0]),
        (NOISE * 32767).astype(np.int16),
        np.stack([NOISE, NOISE]),
        np.array(["words"]),
        np.float32(1),
        "voice.wav",
        [],
        [NOISE],
        [0.1, 0.2],
        [Audio(NOISE, 48000)] * 2,
    ],
    ids=str,
)
def test_what_is_no_mono_sound_is_refused(mono, hrirs):
    with pytest.raises(InputError):
        foleyspace.spatialize(mono, SCENE, hrirs)


@pytest.mark.parametrize("kind", ["int16", "int32", "uint8", "bool", "complex64"])
def test_samples_that_are_no_floats_are_refused(kind):
    with pytest.raises(InputError, match=f"`Audio.samples` holds {kind} values but must be floats") as error:
        Audio(NOISE.astype(kind), 48000)
    assert "\n" not in str(error.value)
    for other in ("float16", "float64"):
        assert Audio(NOISE.astype(other), 48000).samples.dtype == np.float32


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), 44100.5, "48k"])
def test_rates_are_positive_whole_numbers(rate):
    with pytest.raises(InputError, match="rate"):
        Audio(NOISE, rate)


@pytest.mark.parametrize("rate", [22050, 44100.0, 48000])
def test_the_rate_and_length_of_the_sound_come_back(rate, hrirs):
    out = foleyspace.spatialize(NOISE, SCENE, hrirs, rate=rate)
    assert out.rate == rate
    assert out.samples.shape[1] == len(NOISE)
    left, right = (out.samples**2).sum(axis=1)
    assert left > right  # the source is on the left


@pytest.mark.parametrize(("length", "rate"), [(9601, 96000), (8821, 88200), (1, 192000)])
def test_no_sample_is_lost_or_added_between_rates(length, rate, hrirs):
    out = foleyspace.spatialize(np.resize(NOISE, length), SCENE, hrirs, rate=rate)
    assert out.samples.shape == (2, length)


def test_a_mixture_may_be_heard_through_responses_of_any_rate():
    both = Scene(tuple(Source(n, n, [0.0], [[1.0, y, 0.0]]) for n, y in (("dog", 1.0), ("bird", -1.0))), 0.1)
    ears = foleyspace.load_hrirs("mit_kemar", 44100)
    out = foleyspace.spatialize(NOISE, both, ears, offline=True)
    assert out.rate == 48000
    assert out.samples.shape == (2, len(NOISE))


def test_the_functions_stay_functions():
    import foleyspace.renderer

    assert all(callable(f) for f in (foleyspace.render, foleyspace.track, foleyspace.spatialize))


def test_options_and_scenes_of_the_wrong_kind_are_refused(hrirs):
    with pytest.raises(InputError, match="detectr"):
        foleyspace.track("v.mp4", detectr="motion")
    with pytest.raises(InputError, match=r"Scene\.load"):
        foleyspace.spatialize(NOISE, "scene.json", hrirs)


def test_the_seed_decides_the_rooms_tail(tmp_path):
    import soundfile

    from foleyspace.pipelines.spatialize import SoundConfig, run

    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "m.wav", rng.normal(0, 0.1, 24000), 48000)
    Scene((Source("a", "a", [0.0], [[1.0, 1.0, 0.0]]),), 0.5).save(tmp_path / "s.json")

    def played(name, seed):
        run(
            tmp_path / "m.wav",
            tmp_path / "s.json",
            tmp_path / name,
            SoundConfig(rt60_s=0.3, loudness="keep", seed=seed),
        )
        return soundfile.read(tmp_path / name)[0]

    first = played("a.wav", 1)
    np.testing.assert_array_equal(first, played("b.wav", 1))
    assert np.abs(first - played("c.wav", 2)).max() > 1e-3
