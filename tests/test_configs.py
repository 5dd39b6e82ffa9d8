"""The YAML files state the very defaults of the config dataclasses and of the command line."""

import dataclasses
from importlib.resources import files

import yaml

from foleyspace.cli.batch import command as batch_command
from foleyspace.cli.render import command
from foleyspace.pipelines.batch import BatchConfig
from foleyspace.pipelines.render import RenderConfig
from foleyspace.pipelines.spatialize import SoundConfig
from foleyspace.pipelines.track import TrackConfig


def defaults(*configs: type) -> dict[str, object]:
    return {
        f.name: list(f.default) if isinstance(f.default, tuple) else f.default
        for config in configs
        for f in dataclasses.fields(config)
        if f.default is not dataclasses.MISSING
    }


def test_render_yaml_equals_the_dataclasses():
    stated = yaml.safe_load((files("foleyspace.configs") / "render.yaml").read_text())
    assert stated == defaults(RenderConfig, TrackConfig, SoundConfig)


def test_the_command_line_has_the_same_options_and_defaults():
    stated = defaults(RenderConfig, TrackConfig, SoundConfig)
    options = {p.name: p for p in command.params if p.name in stated}
    assert set(options) == set(stated)
    for name, option in options.items():
        default = None if option.required or "UNSET" in repr(option.default).upper() else option.default
        default = list(default) if isinstance(default, tuple) else default
        assert default == stated[name] or (default is None and stated[name] is False), name


# of one video, each: a library's rows or outputs
NOT_OF_A_BATCH = {"audio", "scene", "save_scene", "overlay"}


def test_batch_yaml_equals_the_dataclasses_and_the_command_line():
    stated = yaml.safe_load((files("foleyspace.configs") / "batch.yaml").read_text())
    render = {
        k: v for k, v in defaults(RenderConfig, TrackConfig, SoundConfig).items() if k not in NOT_OF_A_BATCH
    }
    assert stated == {**render, **defaults(BatchConfig)}
    options = {p.name: p for p in batch_command.params if p.name in stated}
    assert set(options) == set(stated)
    for name, option in options.items():
        default = None if option.required or "UNSET" in repr(option.default).upper() else option.default
        default = list(default) if isinstance(default, tuple) else default
        assert default == stated[name] or (default is None and stated[name] in (False, [])), name
