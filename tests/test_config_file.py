"""Configs from YAML and text: every type, every mistake named; what ships equals the dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, fields
from importlib.resources import files

import pytest
import yaml

from foleyspace.config_file import read_config
from foleyspace.errors import InputError
from foleyspace.pipelines.train import TrainConfig


@dataclass(frozen=True)
class Config:
    name: str = "x"
    count: int = 3
    part: float = 0.5
    loud: bool = False
    widths: tuple[int, ...] = (1, 2)


def test_without_a_file_it_is_the_defaults():
    assert read_config(Config, None) == Config()


def test_a_file_and_what_overrules_it(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("name: dog\ncount: 5\npart: 1\nloud: true\nwidths: [4, 5, 6]\n")
    assert read_config(Config, path) == Config("dog", 5, 1.0, True, (4, 5, 6))
    assert read_config(Config, str(path), {"count": "7", "loud": "False"}) == Config(
        "dog", 7, 1.0, False, (4, 5, 6)
    )


def test_text_becomes_what_it_stands_for():
    texts = {"name": "5", "count": "1e3", "part": "1e-3", "loud": "true", "widths": "[8, 16,32]"}
    assert read_config(Config, None, texts) == Config("5", 1000, 1e-3, True, (8, 16, 32))
    assert read_config(Config, None, {"widths": "8"}).widths == (8,)
    assert isinstance(read_config(Config, None, {"count": 2.0}).count, int)


def test_a_list_of_names():
    assert read_config(TrainConfig, None, {"taggers": "[]", "sounds": "s", "hrtfs": "h"}).taggers == ()
    both = {"taggers": "[a b, c]", "recognisers": "[d, e]"}
    named = read_config(TrainConfig, None, {**both, "sounds": "s", "hrtfs": "h"})
    assert named.taggers == ("a b", "c") and named.recognisers == ("d", "e")
    with pytest.raises(InputError, match="`taggers` is 5 but must be a list of names"):
        read_config(TrainConfig, None, {"taggers": 5})


def test_nothing_said_is_the_default(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("name: null\ncount:\n")
    assert read_config(Config, path) == Config()
    path.write_text("# nothing\n")
    assert read_config(Config, path) == Config()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("count", "two", "`count` is 'two' but must be a whole number"),
        ("count", 2.5, "`count` is 2.5 but must be a whole number"),
        ("count", float("inf"), "must be a whole number"),
        ("count", [1], "must be a whole number"),
        ("part", "much", "`part` is 'much' but must be a number"),
        ("part", {"a": 1}, "must be a number"),
        ("loud", "maybe", "`loud` is 'maybe' but must be true or false"),
        ("widths", 5, "`widths` is 5 but must be a list of whole numbers"),
        ("widths", "a,b", "must be a list of whole numbers"),
        ("widths", [1.5, 2], "must be a list of whole numbers"),
        ("widths", "", "must be a list of whole numbers"),
        ("name", ["a"], "`name` is .* but must be text"),
        ("namee", "a", "`namee` is no option but must be one of name, count, part, loud, widths"),
    ],
)
def test_a_value_of_another_kind_is_named(name, value, said):
    with pytest.raises(InputError, match=said):
        read_config(Config, None, {name: value})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n- b\n", "must hold option: value lines"),
        ("just words", "must hold option: value lines"),
        ("name: [1,\n", "is not YAML"),
        ("a: b: c", "is not YAML"),
        ("1: 2", "`1` is no option"),
        ("!!python/object:os.system {}", "is not YAML"),
    ],
)
def test_a_file_that_is_no_config_is_named(tmp_path, text, said):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        read_config(Config, path)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00name")
    for path, said in (
        (tmp_path / "none.yaml", "cannot read config .*none.yaml: no such file"),
        (tmp_path / "binary.yaml", "is not YAML"),
        ("spatializer_huge", "cannot read config spatializer_huge"),
    ):
        with pytest.raises(InputError, match=said):
            read_config(Config, path)


def test_the_small_config_is_the_defaults():
    assert read_config(TrainConfig, "spatializer_small", PLACES) == TrainConfig(**PLACES)


@pytest.mark.parametrize("name", ["spatializer_small", "spatializer_base"])
def test_configs_that_ship_are_complete(name):
    text = (files("foleyspace.configs") / f"{name}.yaml").read_text()
    stated = yaml.safe_load(text)
    assert list(stated) == [field.name for field in fields(TrainConfig)]
    assert read_config(TrainConfig, name, PLACES).system == "separator"
    bare = [
        line for line in text.splitlines() if ":" in line and not line.startswith("#") and "#" not in line
    ]
    plain = ("weight_decay", "seed")  # say themselves
    assert [line for line in bare if not line.startswith(plain)] == []


PLACES = {"sounds": "sounds", "hrtfs": "hrtfs"}
