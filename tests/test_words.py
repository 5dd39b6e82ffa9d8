"""Words place the sounds: `--prompt` of spatialize and render, and the way from a scene to words and back."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from foleyspace.types import Scene

RATE = 48000


@pytest.fixture
def mono(tmp_path):
    path = tmp_path / "mono.wav"
    noise = np.random.default_rng(0).standard_normal(2 * RATE)
    soundfile.write(path, 0.1 * np.convolve(noise, np.ones(8) / 8, "same"), RATE, subtype="FLOAT")
    return path


def level_db(samples: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.square(samples).mean(axis=0))


def test_words_are_heard_where_they_say(run, mono, tmp_path):
    """On the left: the left ear is louder, on the right just the other way round with a symmetric head."""
    heard = {}
    for side in ("left", "right"):
        out = tmp_path / f"{side}.wav"
        words = f"a dog barks on the {side}"
        code, said, err = run(
            "spatialize", mono, "--prompt", words, "-o", out, "--hrtf", "spherical_head", "--offline"
        )
        assert code == 0, err
        assert said.strip() == str(out)
        heard[side] = soundfile.read(out)[0]
    left, right = level_db(heard["left"])
    assert left - right > 6
    np.testing.assert_allclose(heard["left"], heard["right"][:, ::-1], atol=2e-6)


def test_words_and_the_scene_they_make_sound_the_same(run, mono, tmp_path):
    words = "a car drives from the left to the right, 5 metres away"
    scene, one, two = (tmp_path / name for name in ("scene.json", "one.wav", "two.wav"))
    assert run("prompt", words, "-o", scene, "--duration", 2)[0] == 0
    assert run("spatialize", mono, "--scene", scene, "-o", one)[0] == 0
    assert run("spatialize", mono, "--prompt", words, "-o", two)[0] == 0
    # a scene file rounds angles to a thousandth of a degree
    np.testing.assert_allclose(soundfile.read(one)[0], soundfile.read(two)[0], atol=1e-4)
    assert Scene.load(scene).duration == 2


def test_a_caption_can_be_the_prompt(run, mono, tmp_path):
    """What `caption` says of a scene, `spatialize` reads: the source comes from where it was."""
    scene = tmp_path / "scene.json"
    assert run("prompt", "a bird sings behind me on the right", "-o", scene, "--duration", 2)[0] == 0
    code, words, _ = run("caption", scene)
    assert code == 0
    again = tmp_path / "again.json"
    assert run("prompt", words.strip(), "-o", again, "--duration", 2)[0] == 0
    first, second = (Scene.load(path).sources[0].xyz[0] for path in (scene, again))
    assert first @ second / np.linalg.norm(first) / np.linalg.norm(second) > np.cos(np.radians(15))


@pytest.mark.parametrize(
    ("options", "piece"),
    [
        ([], "give one of them"),
        (["--prompt", ""], "prompt"),
        (["--prompt", "a dog on the left and on the right, the dog is behind and in front"], "contradict"),
        (["--prompt", "a dog at azimuth 400"], "400"),
        (["--prompt", "a dog", "--scene", "s.json"], "give one of them"),
    ],
)
def test_bad_words_are_one_line(run, mono, tmp_path, options, piece):
    code, _, err = run("spatialize", mono, *options, "-o", tmp_path / "out.wav")
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert piece in err
    assert not (tmp_path / "out.wav").exists()


def test_a_video_rendered_by_words(run, passing, tmp_path):
    """The video is not watched: the scene is that of the words, as long as the video."""
    out, scene = tmp_path / "out.mp4", tmp_path / "scene.json"
    words = "a bell rings far behind me on the left"
    code, said, err = run("render", passing, "--prompt", words, "-o", out, "--save-scene", scene, "--json")
    assert code == 0, err
    sources = json.loads(said)["sources"]
    assert [source["label"] for source in sources] == ["bell ringing"]
    saved = Scene.load(scene)
    assert saved.duration == pytest.approx(json.loads(said)["duration_s"], abs=0.05)
    x, y, _ = saved.sources[0].xyz[0]
    assert x < 0 < y and np.hypot(x, y) == pytest.approx(10)
    code, _, err = run("render", passing, "--prompt", words, "--scene", scene, "-o", tmp_path / "b.mp4")
    assert code == 2 and "give one of them" in err
    code, _, err = run("render", passing, "--prompt", words, "--sound", "bell", "-o", tmp_path / "b.mp4")
    assert code == 2 and "edit the prompt" in err
