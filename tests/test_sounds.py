"""Folders of labelled sounds: any folder is read, any mistake in it is named, kinds are drawn evenly."""

from __future__ import annotations

import csv
import dataclasses

import numpy as np
import pytest
import soundfile
from soundfolder import FIVE, RATE, sound, write_index, write_sounds

from foleyspace.errors import InputError
from foleyspace.spatializer.sounds import FRAME, Sound, draw_piece, draw_weights, load_sounds


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_sounds(tmp_path_factory.mktemp("any") / "sounds", FIVE)


def made(name: str, label: str, kind: str) -> Sound:
    return Sound(name, label, kind, np.ones(FRAME, np.int16), np.zeros(1, np.float32))


def test_a_folder_is_read(folder):
    sounds = load_sounds(folder)
    assert {s.name for s in sounds.sounds} <= set(FIVE)
    dog = next(s for s in sounds.sounds if s.label == "dog bark")
    assert dog.kind == "animal"
    assert (dog.licence, dog.source) == ("CC0", "made here")
    loud = dog.samples.astype(float) / 32768
    assert np.sqrt(np.mean(loud**2)) == pytest.approx(0.1, rel=0.3)
    assert sounds.weights.sum() == pytest.approx(1)
    assert sounds.labels == sorted(set(sounds.labels))


def test_train_and_held_share_no_file(tmp_path):
    files = {f"s{i}.wav": ("rain", "environmental") for i in range(40)}
    folder = write_sounds(tmp_path / "sounds", files, **{f"s{i}": sound("x", 0.1) for i in range(40)})
    train, held = ({s.name for s in load_sounds(folder, split).sounds} for split in ("train", "held"))
    assert train | held == set(files)
    assert not train & held
    assert held


def test_the_index_may_say_the_split(tmp_path):
    folder = write_sounds(tmp_path / "sounds", FIVE)
    rows = [(name, *said, "test" if name == "car1.wav" else "train") for name, said in FIVE.items()]
    write_index(folder, ("file", "class", "kind", "split"), rows)
    assert [s.name for s in load_sounds(folder, "held").sounds] == ["car1.wav"]
    assert len(load_sounds(folder, "train").sounds) == len(FIVE) - 1


def test_kind_licence_and_split_may_be_missing(tmp_path):
    folder = write_sounds(tmp_path / "sounds", FIVE)
    write_index(folder, ("file", "class"), [(name, said[0]) for name, said in FIVE.items()])
    sounds = load_sounds(folder)
    assert {s.kind for s in sounds.sounds} == {"object"}
    assert {s.licence for s in sounds.sounds} == {""}


def test_other_rates_and_stereo_come_at_48_khz_mono(tmp_path):
    folder = tmp_path / "sounds"
    folder.mkdir()
    tone = np.sin(2 * np.pi * 1000 * np.arange(22050) / 22050)
    soundfile.write(folder / "a.wav", np.stack([tone, 0.5 * tone], axis=1) * 0.1, 22050)
    write_index(folder, ("file", "class", "split"), [("a.wav", "tone", "train"), ("b.wav", "b", "held")])
    (got,) = load_sounds(folder).sounds
    assert len(got.samples) == pytest.approx(RATE, abs=200)
    spectrum = np.abs(np.fft.rfft(got.samples[:48000].astype(float), RATE))
    assert abs(int(spectrum.argmax()) - 1000) <= 1


def test_a_silent_file_is_left_out(tmp_path):
    files = {**FIVE, "silent.wav": ("nothing", "object")}
    folder = write_sounds(tmp_path / "sounds", files, silent=np.zeros(RATE, np.float32))
    assert "silent.wav" not in {s.name for split in ("train", "held") for s in _all(folder, split)}


def _all(folder, split):
    try:
        return load_sounds(folder, split).sounds
    except InputError:
        return ()


def test_few_footsteps_do_not_drown_in_many_cellos():
    """18 footsteps among 373 instruments: drawn far more often than their 5 % of the files."""
    cellos = [made(f"c{i}", f"cello {i % 30}", "instrument") for i in range(373)]
    steps = [made(f"f{i}", "footsteps", "footstep") for i in range(18)]
    weights = draw_weights(cellos + steps)
    assert weights.sum() == pytest.approx(1)
    share = weights[len(cellos) :].sum()
    assert share > 2 * 18 / 391
    assert share < 0.5


def test_a_class_counts_less_than_its_files():
    weights = draw_weights(
        [made(f"a{i}", "oboe", "instrument") for i in range(32)] + [made("b", "harp", "instrument")]
    )
    assert 1 / 33 < weights[-1] < 0.5


@pytest.mark.parametrize("length", [4800, 48000, 200_000])
def test_a_piece_has_its_length_and_sounds(folder, length):
    for i, each in enumerate(load_sounds(folder).sounds):
        piece = draw_piece(each, length, np.random.default_rng(i), speed=0.9 + 0.1 * i)
        assert piece.shape == (length,)
        assert np.isfinite(piece).all()
        assert np.abs(piece).max() > 0.01
        again = draw_piece(each, length, np.random.default_rng(i), speed=0.9 + 0.1 * i)
        assert np.array_equal(piece, again)


def test_speed_shifts_pitch(tmp_path):
    tone = (0.1 * np.sin(2 * np.pi * 1000 * np.arange(4 * RATE) / RATE)).astype(np.float32)
    folder = write_sounds(tmp_path / "sounds", {"t.wav": ("tone", "object")}, t=tone)
    (each,) = (*_all(folder, "train"), *_all(folder, "held"))
    piece = draw_piece(each, RATE, np.random.default_rng(0), speed=1.2)
    assert np.abs(np.fft.rfft(piece)).argmax() == pytest.approx(1200, abs=2)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "INDEX.csv").unlink(), r"`sounds` is .* but must be a folder with an INDEX\.csv"),
        (lambda f: write_index(f, ("name", "class"), [("a", "b")]), "must have the columns file and class"),
        (lambda f: write_index(f, ("file", "kind"), [("a", "b")]), "must have the columns file and class"),
        (lambda f: write_index(f, ("file", "class"), []), "must have the columns file and class"),
        (lambda f: write_index(f, ("file", "class"), [("dog1.wav", " ")]), "line 2 has no class"),
        (lambda f: write_index(f, ("file", "class"), [("", "dog")]), "line 2 has no file"),
        (lambda f: (f / "car1.wav").unlink(), r"sound file .*car1\.wav does not exist"),
        (lambda f: (f / "car1.wav").write_text("no"), r"sound file .*car1\.wav cannot be read"),
        (lambda f: (f / "car1.wav").write_bytes(b""), r"sound file .*car1\.wav is empty"),
        (lambda f: (f / "INDEX.csv").write_bytes(b"file,class\n\xff\xfe,x\n"), "cannot be read as a CSV"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(tmp_path, damage, message):
    folder = write_sounds(tmp_path / "sounds", FIVE)
    damage(folder)
    with pytest.raises(InputError, match=message) as caught:
        load_sounds(folder)
    assert "\n" not in str(caught.value)


def test_a_split_without_sounds_and_an_unknown_one_are_refused(tmp_path):
    folder = write_sounds(tmp_path / "sounds", FIVE)
    with (folder / "INDEX.csv").open() as file:
        rows = list(csv.DictReader(file))
    write_index(
        folder,
        ("file", "class", "split"),
        [(r["file"], r["class"], "test") for r in rows] + [("x", "y", "held")],
    )
    with pytest.raises(InputError, match="no sound in the split 'train'"):
        load_sounds(folder)
    with pytest.raises(InputError, match="`split` is 'dev' but must be train or held"):
        load_sounds(folder, "dev")


def test_a_sound_cannot_be_changed(folder):
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_sounds(folder).sounds[0].label = "cat"
