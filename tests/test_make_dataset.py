"""Datasets on disk: what is written is exact, the same each time, resumed where it stopped, and read again."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import json
import shutil
from importlib.resources import files
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile
import torch
import yaml
from click.testing import CliRunner
from soundfolder import FIVE, write_sounds

from foleyspace.batch.lock import locked
from foleyspace.cli.dataset import build_command, command
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.evaluation.items import HrirSets, check_items, find_items, load_item
from foleyspace.hrtf import resolve_hrtf
from foleyspace.pipelines.make_dataset import MakeDatasetConfig, run
from foleyspace.renderer import render
from foleyspace.spatializer.bands import HOP
from foleyspace.spatializer.card import may_be_passed_on
from foleyspace.spatializer.dataset import KNOTS, with_truth
from foleyspace.spatializer.dataset_folder import LOCK
from foleyspace.spatializer.hrtfs import load_bank
from foleyspace.spatializer.making import Recipe, plan
from foleyspace.spatializer.shards import disk_batches, read_items, write_item
from foleyspace.spatializer.sounds import load_sounds
from foleyspace.types import Audio, Scene, Source

ITEMS = 7


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> dict[str, str]:
    """A user's folders of sounds and of HRIR sets."""
    top = tmp_path_factory.mktemp("given")
    write_sounds(top / "sounds", FIVE)
    (top / "hrtfs").mkdir()
    shutil.copy(resolve_hrtf("mit_kemar"), top / "hrtfs" / "kemar.sofa")
    shutil.copy(resolve_hrtf("spherical_head"), top / "hrtfs" / "sphere.sofa")
    return {"sounds": str(top / "sounds"), "hrtfs": str(top / "hrtfs")}


def config(given, out, **changes) -> MakeDatasetConfig:
    options = {"items": ITEMS, "seconds": 1.0, "rooms": 0.4, "seed": 4, "shard_size": 5}
    return MakeDatasetConfig(**{**given, "out": str(out), **options, **changes})


@pytest.fixture(scope="module")
def made(given, tmp_path_factory) -> Path:
    return run(config(given, tmp_path_factory.mktemp("made") / "set"))


@pytest.fixture(scope="module")
def sets(given) -> HrirSets:
    return HrirSets(given["hrtfs"])


@pytest.fixture(scope="module")
def bank(given):
    return load_bank(sorted(Path(given["hrtfs"]).glob("*.sofa")))


def contents(folder: Path) -> dict[str, str]:
    """The hash of every file."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_items_are_as_evaluation_wants_them(made, sets):
    folders = find_items(made)
    assert len(folders) == ITEMS
    assert {folder.parent.name for folder in folders} == {"shard_000", "shard_001"}
    assert set(check_items(folders, sets).values()) == {48000}
    for folder in folders:
        item = load_item(folder, made, sets)
        meta = json.loads((folder / "meta.json").read_text())
        assert meta["K"] == len(item.scene.sources) == len(item.stems)
        assert folder.name == f"{meta['number']:06d}_k{meta['K']}"
        assert [source["label"] for source in meta["sources"]] == [s.label for s in item.scene.sources]


def test_stems_sum_to_the_mixture_to_the_last_bit(made):
    for folder in find_items(made):
        mono = soundfile.read(folder / "mono.flac", dtype="int32")[0]
        stems = [soundfile.read(path, dtype="int32")[0] for path in sorted((folder / "stems").iterdir())]
        assert np.array_equal(np.sum(stems, axis=0), mono)
        assert all(stem.any() for stem in stems)


def test_truth_is_what_the_renderer_gives_for_the_files(made, sets):
    """To the rounding of 24 bits, rooms included; nothing clips."""
    rooms = 0
    for folder in find_items(made):
        item = load_item(folder, made, sets)
        again = render([Audio(stem, 48000) for stem in item.stems], item.scene, item.hrirs).samples
        assert np.abs(again - item.truth.samples).max() < 4 / 2**23 * len(item.stems)
        loudest = max(
            np.abs(item.truth.samples).max(), np.abs(item.stems).max(), np.abs(item.mono.samples).max()
        )
        assert 0.05 < loudest < 0.99
        rooms += item.scene.room is not None
    assert 0 < rooms < ITEMS


def test_the_same_seed_gives_the_same_files_whatever_the_workers(made, given, tmp_path):
    run(config(given, tmp_path / "again", workers=2))
    assert contents(tmp_path / "again") == contents(made)


def test_another_seed_gives_other_files(made, given, tmp_path):
    run(config(given, tmp_path / "other", items=1, seed=5))
    other = contents(tmp_path / "other")
    assert not set(other.values()) & {h for name, h in contents(made).items() if name.endswith(".flac")}


def test_it_goes_on_where_it_stopped(made, given, tmp_path):
    """Complete items are not touched, missing ones made, half-written ones cleared away."""
    out = tmp_path / "set"
    shutil.copytree(made, out)
    kept, *lost = find_items(out)[:3]
    for folder in lost:
        shutil.rmtree(folder)
    (out / "shard_000" / ".000001_k2.abcd.part" / "stems").mkdir(parents=True)
    before = (kept / "mono.flac").stat().st_mtime_ns
    run(config(given, out))
    assert (kept / "mono.flac").stat().st_mtime_ns == before
    assert contents(out) == contents(made)


def test_two_runs_do_not_work_in_one_folder(given, tmp_path, monkeypatch):
    """The second says so in one line, and what the first is writing stays."""
    monkeypatch.setattr("foleyspace.batch.lock.PATIENCE_S", 0.1)
    out = tmp_path / "set"
    making = out / "shard_000" / ".000001_k2.abcd.part"
    with locked(out / LOCK):
        (out / "dataset.json").write_text("{}")
        making.mkdir(parents=True)
        for overwrite in (False, True):
            with pytest.raises(InputError, match=r"set is in use by another .*\(process \d+ on ") as error:
                run(config(given, out, overwrite=overwrite))
            assert "\n" not in str(error.value)
        assert making.is_dir()
        (out / "dataset.json").unlink()
        shutil.rmtree(out / "shard_000")
    run(config(given, out, items=1))  # of a run that ended before it began, only the lock is there
    assert len(find_items(out)) == 1


def test_it_grows(made, given, tmp_path):
    run(config(given, tmp_path / "set", items=2))
    assert len(find_items(tmp_path / "set")) == 2
    run(config(given, tmp_path / "set"))
    assert contents(tmp_path / "set") == contents(made)


def test_a_dataset_made_otherwise_is_not_mixed_up(made, given, tmp_path):
    out = tmp_path / "set"
    shutil.copytree(made, out)
    before = contents(out)
    with pytest.raises(InputError, match="was made with `seed` 4, not 9: choose another, or --overwrite"):
        run(config(given, out, seed=9))
    assert contents(out) == before
    run(config(given, out, seed=9, items=1, overwrite=True))
    assert len(find_items(out)) == 1
    assert json.loads((out / "dataset.json").read_text())["options"]["seed"] == 9


def test_a_folder_of_other_files_is_left_alone(given, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(InputError, match="holds other files but must be empty, or a dataset"):
            run(config(given, tmp_path, overwrite=overwrite))
    assert contents(tmp_path).keys() == {"thesis.txt"}


def test_the_card_says_what_is_there(made):
    text = (made / "README.md").read_text()
    for said in (
        "| seed | 4 |",
        "kemar.sofa",
        "sphere.sofa",
        "| CC0 |",
        "passing",
        "instrument",
        "--items 7",
    ):
        assert said in text
    metas = [json.loads((folder / "meta.json").read_text()) for folder in find_items(made)]
    sources = [source for meta in metas for source in meta["sources"]]
    closed = {source["file"] for source in sources if source["licence"] == ""}
    assert closed, "the seed must draw the car, whose licence is not said"
    used = {source["file"] for source in sources}
    assert f"**Warning: {len(closed)} of the {len(used)} sound files may not be passed on" in text
    with (made / "SOURCES.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["file"] for row in rows} == used
    assert sum(int(row["items"]) for row in rows) == len(sources)
    assert "/tmp" not in text


@pytest.mark.parametrize(
    ("licence", "passed_on"),
    [
        ("CC0", True),
        ("CC0 1.0", True),
        ("CC BY 3.0 (OLPC Berklee)", True),
        ("CC BY-SA 4.0", True),
        ("public domain (NPS)", True),
        ("CMU ARCTIC (free, no restriction)", True),
        ("Apache-2.0", True),
        ("", False),
        ("unknown", False),
        ("CC BY-NC 4.0", False),
        ("CC BY-ND 4.0", False),
        ("CC BY 3.0 unless authors.txt says otherwise", False),
        ("Philharmonia: free incl. commercial; not to be sold or made available 'as is'", False),
        ("Pixabay Content License or CC0 (per file not stated)", False),
    ],
)
def test_what_may_be_passed_on(licence, passed_on):
    assert may_be_passed_on(licence) == passed_on


def test_limits_on_sources_hold(given, tmp_path):
    sounds = load_sounds(given["sounds"])
    recipe = Recipe(sounds, (Path("a.sofa"), Path("b.sofa")), 1.0, 0, 0.0, 0.0, 2, "train")
    planned = plan(recipe, tmp_path, 300, 100)
    assert {item.count for item in planned} == {1, 2}
    assert {item.which for item in planned} == {0, 1}
    assert plan(recipe, tmp_path, 50, 100) == planned[:50]
    assert {item.folder.parent.name for item in planned} == {"shard_000", "shard_001", "shard_002"}


def test_what_cannot_be_read_is_passed_over(given, tmp_path, caplog):
    hrtfs = tmp_path / "hrtfs"
    hrtfs.mkdir()
    (hrtfs / "a.sofa").write_text("no SOFA file")
    shutil.copy(Path(given["hrtfs"]) / "kemar.sofa", hrtfs / "b.sofa")
    run(config({**given, "hrtfs": str(hrtfs)}, tmp_path / "set", items=3))
    metas = [json.loads((folder / "meta.json").read_text()) for folder in find_items(tmp_path / "set")]
    assert {meta["hrtf"] for meta in metas} == {"b.sofa"}
    assert "a.sofa is left out" in caplog.text


def test_sets_of_which_none_can_be_read(given, tmp_path):
    (tmp_path / "hrtfs").mkdir()
    (tmp_path / "hrtfs" / "a.sofa").write_text("no SOFA file")
    with pytest.raises(FoleyspaceError, match="no HRIR set could be read"):
        run(config({**given, "hrtfs": str(tmp_path / "hrtfs")}, tmp_path / "set", items=2, workers=2))
    assert not list((tmp_path / "set").glob("shard_*/*"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"items": 0}, "`items` is 0 but must be between 1 and 999999"),
        ({"seconds": 0.1}, "`seconds` is 0.1 but must be between 0.5 and 600"),
        ({"seconds": float("nan")}, "`seconds` is nan but must be"),
        ({"rooms": 1.5}, "`rooms` is 1.5 but must be between 0 and 1"),
        ({"noise": -0.1}, "`noise` is -0.1 but must be between 0 and 1"),
        ({"max_sources": 5}, "`max_sources` is 5 but must be between 1 and 4"),
        ({"workers": 0}, "`workers` is 0 but must be"),
        ({"seed": -1}, "`seed` is -1 but must be"),
        ({"split": "test"}, "`split` is 'test' but must be train or held"),
        ({"sounds": None}, "`sounds` is missing but must be a folder"),
        ({"out": None}, "`out` is missing but must be a folder"),
        ({"sounds": "nowhere"}, "`sounds` is 'nowhere' but must be a folder with an INDEX.csv"),
        ({"hrtfs": "nowhere"}, "`hrtfs` is 'nowhere' but must be a folder with SOFA files"),
        ({"out": "nowhere/set"}, "output folder nowhere does not exist"),
    ],
)
def test_bad_options_are_named(given, tmp_path, changes, message):
    with pytest.raises(InputError, match=message) as caught:
        run(
            config({**given}, tmp_path / "set", **changes)
            if "out" not in changes
            else _with(given, **changes)
        )
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "set").exists()


def _with(given, **changes) -> MakeDatasetConfig:
    return MakeDatasetConfig(**{**given, **changes})


def test_an_item_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    scene = Scene((Source("a", "dog", np.zeros(1), np.ones((1, 3))),), 0.01)

    def full(*_args, **_options):
        raise soundfile.LibsndfileError(2)

    monkeypatch.setattr(soundfile, "write", full)
    with pytest.raises(FoleyspaceError, match="could not be written"):
        write_item(tmp_path / "x", np.zeros((1, 480), np.float32), np.zeros((2, 480), np.float32), scene, {})
    assert not list(tmp_path.iterdir())


def test_training_reads_what_was_written(made, bank):
    items = {item.folder.name: item for item in read_items(made)}
    assert len(items) == ITEMS
    drawn = disk_batches(made, bank, 2, 20, seed=1)
    counts = set()
    for _ in range(12):
        batch = next(drawn)
        counts.add(batch.stems.shape[1])
        assert batch.mixture.shape == (2, 20 * HOP)
        assert torch.equal(batch.mixture, batch.stems.sum(dim=1))
        assert torch.equal(batch.present, batch.stems.abs().amax(dim=-1) > 0)
        assert batch.xyz.shape == (2, batch.stems.shape[1], KNOTS, 3)
        assert batch.activity.shape == (2, batch.stems.shape[1], 20)
        assert (batch.labels.norm(dim=-1) > 0.9).all()
    assert len(counts) > 1
    heard = with_truth(batch, bank)
    assert heard.truth.shape == (2, 2, 20 * HOP)


def test_batches_from_disk_are_the_same_each_time(made, bank):
    first = disk_batches(made, bank, 2, 20, seed=1)
    known = [next(first) for _ in range(3)]
    again = next(disk_batches(made, bank, 2, 20, seed=1, first=2))
    assert torch.equal(again.stems, known[2].stems)
    assert torch.equal(again.xyz, known[2].xyz)
    other = next(disk_batches(made, bank, 2, 20, seed=1, first=2, rank=1))
    assert other.stems.shape == again.stems.shape
    assert not (torch.equal(other.stems, again.stems) and torch.equal(other.xyz, again.xyz))


def test_a_crop_is_the_files_and_the_path_there(made, given):
    item = read_items(made)[0]
    stems, paths = item.crop(12000, 24000)
    mono = soundfile.read(item.folder / "mono.flac", dtype="float32")[0]
    assert np.array_equal(stems.sum(axis=0), mono[12000:36000])
    source = item.scene.sources[0]
    middle = [np.interp(0.5, source.times, source.xyz[:, i]) for i in range(3)]
    assert np.allclose(paths[0, KNOTS // 2], middle, atol=1e-3)
    stems, _ = item.crop(40000, 24000)
    assert not stems[:, 8000:].any()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "stems" / "0.flac").unlink(), r"has no stems/0\.flac but must have a stem a source"),
        (lambda f: (f / "mono.flac").write_bytes(b"no"), r"mono\.flac cannot be read"),
        (lambda f: (f / "scene.json").write_text("{"), r"scene file .* is not JSON"),
        (lambda f: (f / "scene.json").unlink(), r"cannot read scene file"),
    ],
)
def test_damaged_items_are_named(made, tmp_path, damage, message):
    shutil.copytree(made, tmp_path / "set")
    damage(find_items(tmp_path / "set")[0])
    with pytest.raises(InputError, match=message):
        read_items(tmp_path / "set")


def test_yaml_equals_the_dataclass_and_the_command_line():
    stated = yaml.safe_load((files("foleyspace.configs") / "make_dataset.yaml").read_text())
    fields = {field.name: field.default for field in dataclasses.fields(MakeDatasetConfig)}
    assert stated == fields
    options = {p.name: p for p in build_command.params if p.name in fields}
    assert set(options) == set(fields)
    for name, option in options.items():
        default = None if "UNSET" in repr(option.default).upper() else option.default
        assert default == fields[name] or (default is None and fields[name] is False), name


def test_the_command_line_makes_a_dataset(given, tmp_path):
    out = tmp_path / "set"
    (tmp_path / "c.yaml").write_text("items: 5\nseconds: 0.5\n")
    arguments = ["build", "--sounds", given["sounds"], "--hrtfs", given["hrtfs"], "-o", str(out)]
    arguments += ["--items", "2", "--max-sources", "1", "--config", str(tmp_path / "c.yaml"), "--json"]
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert json.loads(result.stdout.strip().splitlines()[-1]) == {"out": str(out), "items": 2}
    folders = find_items(out)
    assert [folder.name for folder in folders] == ["000000_k1", "000001_k1"]
    assert soundfile.info(folders[0] / "mono.flac").frames == 24000


def test_help_is_words_for_each_option():
    with click.Context(build_command) as context:
        text = build_command.get_help(context)
    for field in dataclasses.fields(MakeDatasetConfig):
        assert f"--{field.name.replace('_', '-')}" in text
