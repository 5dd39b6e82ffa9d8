"""The scene file: what is written is read back, and everything wrong is named in one line."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from foleyspace.camera import angles_to_xyz
from foleyspace.errors import InputError
from foleyspace.scene import scene_from_dict
from foleyspace.types import Room, Scene, Source


def example() -> dict:
    return {
        "format": "foleyspace-scene",
        "version": 1,
        "duration": 8.0,
        "room": {"rt60_s": 0.3, "drr_db": 12.0},
        "sources": [
            {
                "id": "car-1",
                "label": "car",
                "times": [0.0, 0.04],
                "azimuth_deg": [20.0, 19.1],
                "elevation_deg": [-2.0, -2.0],
                "distance_m": [8.0, 7.9],
                "gain_db": [0.0, 0.0],
                "visible": [True, True],
                "caption": "a car passes from left to right",
                "audio": None,
            }
        ],
    }


def write(tmp_path, document) -> str:
    path = tmp_path / "scene.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(path)


def test_the_documented_example_loads(tmp_path):
    scene = Scene.load(write(tmp_path, example()))
    source = scene.sources[0]
    assert scene.room == Room(0.3, 12.0)
    assert source.xyz[0, 1] > 0  # azimuth 20 is to the left: positive y
    np.testing.assert_allclose(np.linalg.norm(source.xyz, axis=1), [8.0, 7.9])
    assert source.caption == "a car passes from left to right"


def test_written_and_read_back(tmp_path):
    rng = np.random.default_rng(0)
    angles = np.stack([rng.uniform(-180, 180, 50), rng.uniform(-89, 89, 50)], -1)
    source = Source(
        id="a", label="dog", times=np.sort(rng.uniform(0, 9, 50)), xyz=angles_to_xyz(angles, rng.uniform(0.5, 90, 50)),
        gain_db=rng.uniform(-20, 3, 50), visible=rng.uniform(size=50) > 0.5, spread_deg=rng.uniform(0, 90, 50),
    )  # fmt: skip
    Scene((source,), 9.0, Room(0.5)).save(tmp_path / "s.json")
    back = Scene.load(tmp_path / "s.json")
    np.testing.assert_allclose(back.sources[0].xyz, source.xyz, atol=5e-3)
    np.testing.assert_allclose(back.sources[0].gain_db, source.gain_db, atol=1e-3)
    np.testing.assert_array_equal(back.sources[0].visible, source.visible)
    assert back.room == Room(0.5)


def test_audio_is_found_beside_the_scene(tmp_path):
    document = example()
    document["sources"][0]["audio"] = "dog.wav"
    assert Scene.load(write(tmp_path, document)).sources[0].audio == str(tmp_path / "dog.wav")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.pop("duration"), "duration"),
        (lambda d: d.update(format="x"), "format"),
        (lambda d: d.update(version=2), "version"),
        (lambda d: d.update(colour=1), "colour"),
        (lambda d: d.update(sources=[]), "sources"),
        (lambda d: d.update(duration=-1), "duration"),
        (lambda d: d.update(duration=float("nan")), "finite"),
        (lambda d: d["room"].update(rt60_s=99), "rt60_s"),
        (lambda d: d["room"].update(size=1), "size"),
        (lambda d: d["sources"][0].update(speed=3), "speed"),
        (lambda d: d["sources"][0].pop("azimuth_deg"), "azimuth_deg"),
        (lambda d: d["sources"][0].update(times=[0.04, 0.0]), "sorted"),
        (lambda d: d["sources"][0].update(times=[0.0, 0.0]), "sorted"),
        (lambda d: d["sources"][0].update(times=[]), "times"),
        (lambda d: d["sources"][0].update(times=[0.0]), "values"),
        (lambda d: d["sources"][0].update(times="0"), "list"),
        (lambda d: d["sources"][0].update(distance_m=[0.0, 1.0]), "distance_m"),
        (lambda d: d["sources"][0].update(azimuth_deg=[float("nan"), 1.0]), "finite"),
        (lambda d: d["sources"][0].update(azimuth_deg=[float("inf"), 1.0]), "finite"),
        (lambda d: d["sources"][0].update(azimuth_deg=["left", 1.0]), "number"),
        (lambda d: d["sources"][0].update(elevation_deg=[100.0, 1.0]), "elevation"),
        (lambda d: d["sources"][0].update(visible=[1, 0]), "visible"),
        (lambda d: d["sources"][0].update(id=7), "id"),
        (lambda d: d["sources"].append(dict(d["sources"][0])), "differ"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path, change, said):
    document = example()
    change(document)
    with pytest.raises(InputError, match=said) as error:
        Scene.load(write(tmp_path, document))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00\x01", '"scene"', "[" * 100_000])
def test_files_that_are_no_scene(tmp_path, text):
    with pytest.raises(InputError):
        Scene.load(write(tmp_path, text))


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(InputError, match="cannot read"):
            Scene.load(path)


@pytest.mark.parametrize("number", ["9" * 400, "9" * 5000])
def test_numbers_beyond_float_are_bad_input(tmp_path, number):
    path = tmp_path / "scene.json"
    path.write_text(json.dumps(example()).replace("20.0", number))
    with pytest.raises(InputError, match=r"scene\.json"):
        Scene.load(path)


def test_a_byte_order_mark_is_no_error_and_an_absurd_gain_is(tmp_path):
    path = tmp_path / "scene.json"
    path.write_text(json.dumps(example()), encoding="utf-8-sig")
    assert Scene.load(path).duration == 8.0
    document = example()
    document["sources"][0]["gain_db"] = [1e5, 0]
    with pytest.raises(InputError, match="gain_db"):
        Scene.load(write(tmp_path, document))


def with_voice(folder) -> Scene:
    """A scene whose source sounds as voice.wav beside it."""
    folder.mkdir(parents=True)
    (folder / "voice.wav").write_bytes(b"x")
    document = example()
    document["sources"][0]["audio"] = "voice.wav"
    return Scene.load(write(folder, document))


@pytest.mark.parametrize("where", [".", "a", "a/b/c", "d"])
def test_a_scene_saved_anywhere_finds_its_sounds(tmp_path, monkeypatch, where):
    monkeypatch.chdir(tmp_path)
    for folder in (Path("a/b"), tmp_path / "z"):  # as the command line gives them
        made = with_voice(folder)
        to = Path(where)
        to.mkdir(parents=True, exist_ok=True)
        for path in (to / "s.json", tmp_path / to / "s.json"):
            made.save(path)
            back = Scene.load(path).sources[0].audio
            assert os.path.samefile(back, folder / "voice.wav")
            assert not os.path.isabs(json.loads(path.read_text())["sources"][0]["audio"])


def test_beside_the_scene_a_sound_is_a_file_name(tmp_path):
    with_voice(tmp_path / "a").save(tmp_path / "a" / "copy.json")
    assert json.loads((tmp_path / "a" / "copy.json").read_text())["sources"][0]["audio"] == "voice.wav"


def test_sounds_are_found_through_linked_folders(tmp_path):
    made = with_voice(tmp_path / "deep" / "down")
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "down")
    (tmp_path / "deep" / "down" / "out").mkdir()
    (tmp_path / "there").symlink_to(tmp_path / "deep" / "down" / "out")
    for audio in (tmp_path / "deep" / "down" / "voice.wav", tmp_path / "link" / "voice.wav"):
        scene = replace(made, sources=(replace(made.sources[0], audio=str(audio)),))
        scene.save(tmp_path / "there" / "s.json")
        assert os.path.samefile(Scene.load(tmp_path / "there" / "s.json").sources[0].audio, audio)


@pytest.mark.parametrize("elevation_deg", [0, 33, -71])
def test_the_least_distance_is_allowed_in_every_direction(elevation_deg):
    document = example()
    n = 360
    document["sources"] = [
        {
            "id": "a",
            "label": "a",
            "times": list(range(n)),
            "azimuth_deg": list(range(n)),
            "elevation_deg": [elevation_deg] * n,
            "distance_m": [0.001] * n,
        }
    ]
    assert len(scene_from_dict(document).sources[0].times) == n
    with pytest.raises(InputError, match="inside the head"):
        Source("a", "a", [0.0], [[0.0, 0.00099, 0.0]])
