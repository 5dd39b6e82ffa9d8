"""Hostile inputs: each refused in one line, quickly, in little memory, or read by its meaning."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from foleyspace.config_file import read_config
from foleyspace.errors import InputError
from foleyspace.sofa import read_sofa
from foleyspace.types import Scene

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"


def script(name: str):
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


make_bad_sofa = script("make_bad_sofa")

# ---------------------------------------------------------------- SOFA

# run in a process of its own: what each file costs, the reader's child process included
MEASURE = """
import json, os, resource, subprocess, sys, time

def cost():
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usage), max(u.ru_maxrss for u in usage) * 1024

from foleyspace.sofa import read_sofa

resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
subprocess.run([sys.executable, "-c", "import numpy, h5py"], check=True)
baseline = cost()[1]
for path in sys.argv[1:]:
    before, started = cost()[0], time.monotonic()
    try:
        read_sofa(path)
        said = None
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    after, peak = cost()
    wall = time.monotonic() - started
    print(json.dumps({"said": said, "cpu_s": after - before, "wall_s": wall, "above": peak - baseline}))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="resource limits, /proc, FIFOs")
def test_hostile_sofa_files_are_refused_at_once_and_in_little_memory(tmp_path):
    """Every case in under a second and 200 MB above what Python with its libraries takes. The second is of
    processor time: others may keep the machine busy."""
    paths = [make_bad_sofa.write_case(name, tmp_path) for name in make_bad_sofa.BAD]
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, *map(str, paths)], capture_output=True, text=True, check=True
    )
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(rows) == len(paths) >= 35
    for path, row in zip(paths, rows, strict=True):
        assert row["said"] is not None, f"{path.stem} was read"
        assert row["said"].startswith("InputError: "), (path.stem, row)
        assert str(path) in row["said"] and "but must" in row["said"], row
        assert "\n" not in row["said"] and len(row["said"]) < 300 + len(str(path)), row
        assert row["cpu_s"] < 1, (path.stem, row)
        assert row["wall_s"] < 10, (path.stem, row)
        assert row["above"] < 200e6, (path.stem, row)


def test_what_is_odd_but_has_one_meaning_is_read_by_it(tmp_path):
    def read(name: str):
        return read_sofa(make_bad_sofa.write_case(name, tmp_path), isolated=False)

    make_bad_sofa.write_sound_file(tmp_path / "plain.sofa")
    plain = read_sofa(tmp_path / "plain.sofa", isolated=False)
    assert plain.notes == ()
    for name in ("reversed_view", "radians"):
        np.testing.assert_allclose(read(name).xyz, plain.xyz, atol=1e-9)
        np.testing.assert_array_equal(read(name).ir, plain.ir)
    assert any("turned" in note for note in read("reversed_view").notes)
    assert not read("negative_delays").delay.any()
    assert any("-3.5" in note for note in read("negative_delays").notes)
    np.testing.assert_allclose(read("radius_zero").xyz, plain.xyz / 1.4, atol=1e-9)
    np.testing.assert_array_equal(read("duplicates").ir, np.delete(plain.ir, 1, axis=0))


@pytest.mark.parametrize("name", ["lying_chunk", "external_storage", "responses_nan"])
def test_the_command_line_says_one_line_and_exits_2(run, tmp_path, name):
    code, out, err = run("hrtf", "info", make_bad_sofa.write_case(name, tmp_path))
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "but must" in err


# ---------------------------------------------------------------- scenes

POINT = '"times": [0.0], "azimuth_deg": [20.0], "elevation_deg": [0.0], "distance_m": [2.0]'
SOURCE = '{"id": "a", "label": "dog", ' + POINT + "}"
SCENE = '{"format": "foleyspace-scene", "version": 1, "duration": 8.0, "sources": [' + SOURCE + "]}"


def many_sources(count: int) -> str:
    each = ",".join(SOURCE.replace('"a"', f'"a{i}"') for i in range(count))
    return SCENE.replace(SOURCE, each)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SCENE.replace("[20.0]", "[NaN]"), "finite"),
        (SCENE.replace("[20.0]", "[1e308]"), "azimuth_deg` holds 1e\\+308"),
        (SCENE.replace("[20.0]", "[1e999]"), "azimuth_deg` holds inf"),
        (SCENE.replace("[2.0]", "[1e308]"), "distance_m` holds 1e\\+308"),
        (SCENE.replace("[2.0]", "[1e-308]"), "distance_m` holds 1e-308"),
        (SCENE.replace("[0.0]", "[1e308]", 1), "times` holds 1e\\+308"),
        (SCENE.replace("8.0", "1e308"), "duration` is 1e\\+308"),
        (SCENE.replace("8.0", "-8.0"), "duration` is -8"),
        (SCENE.replace("8.0", "0"), "duration` is 0"),
        (SCENE.replace("8.0", "true"), "duration` is True"),
        (SCENE.replace("8.0", '8.0, "duration": 9.0'), "'duration' is there twice"),
        (SCENE.replace('"id": "a"', '"id": "a", "id": "b"'), "'id' is there twice"),
        (SCENE.replace('"dog"', "[" * 5000 + "]" * 5000), "JSON"),
        ("[" * 900_000, "JSON"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "JSON"),
        (many_sources(20_001), "holds 20001"),
        ("[]," * 1_000_001, "brackets and quotes"),
        (SCENE.replace('"dog"', "9" * 5000), "JSON"),
    ],
)
def test_scenes_that_cannot_be_meant(tmp_path, text, said):
    path = tmp_path / "scene.json"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as error:
        Scene.load(path)
    assert len(str(error.value)) < 300 + len(str(path))
    assert "\n" not in str(error.value)


def test_scenes_that_are_no_text(tmp_path):
    path = tmp_path / "scene.json"
    for content in (b"\xff\xfe{\x00}\x00", SCENE.replace("dog", "\xe9").encode("latin-1"), b"\0" * 100):
        path.write_bytes(content)
        with pytest.raises(InputError, match="is not JSON"):
            Scene.load(path)
    path.write_text(SCENE.replace("dog", "собака"), encoding="utf-8-sig")
    assert Scene.load(path).sources[0].label == "собака"
    os.truncate(path, 150 * 2**20)  # not on the disk: a hole
    with pytest.raises(InputError, match="150 MiB"):
        Scene.load(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(InputError, match="pipe"):
        Scene.load(path)


# ---------------------------------------------------------------- configs


@dataclass(frozen=True)
class Config:
    name: str = "x"
    count: int = 3
    part: float = 0.5
    names: tuple[str, ...] = ()


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}]\n"
    for a, b in itertools.pairwise("abcdefghijkl")
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAUGHS, "aliases are not taken"),
        ("name: &a [*a]\n", "aliases are not taken"),
        ("name: x\nname: y\n", "twice"),
        ("count: [[[[1]]]]\n", "`count` is .* but must be a whole number"),
        ("count: .nan\n", "whole number"),
        ("part: .inf\n", "`part` is inf but must be a number"),
        ("part: nan\n", "must be a number"),
        ("names: {a: 1}\n", "must be a list of names"),
        ("names: [[a], {b: 1}]\n", "must be a list of names"),
        ("name:\tx\n\tcount: 3\n", "is not YAML"),
        ("x" * 500 + ": 1\n", "is no option"),
        ("name: " + "[" * 30_000, "is not YAML"),
        ("count: !!int x\n", "is not YAML"),
        ("count: 2020-99-99\n", "is not YAML"),
        ("name: !!python/object/apply:os.system [true]\n", "is not YAML"),
        ("count: " + "9" * 5000 + "\n", "is not YAML"),
        ("# " + "x" * 70_000 + "\n", "larger than 64 KiB"),
        ("? [a, b]\n: 1\n", "is not YAML"),
    ],
)
def test_configs_that_cannot_be_meant(tmp_path, text, said):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as error:
        read_config(Config, path)
    assert len(str(error.value)) < 400 + len(str(path))
    assert "\n" not in str(error.value)


def test_a_config_may_not_be_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "c.yaml")
    with pytest.raises(InputError, match="pipe"):
        read_config(Config, tmp_path / "c.yaml")
