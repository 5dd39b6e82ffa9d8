"""What the configs of the pipelines accept: every bad value is one clear line, whichever config it is in."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace

import pytest

from foleyspace.config_file import check_choice, check_range
from foleyspace.errors import InputError
from foleyspace.pipelines import track
from foleyspace.pipelines.batch import BatchConfig
from foleyspace.pipelines.evaluate import EvaluateConfig
from foleyspace.pipelines.make_dataset import MakeDatasetConfig
from foleyspace.pipelines.spatialize import SoundConfig
from foleyspace.pipelines.track import TrackConfig
from foleyspace.pipelines.train import TrainConfig
from foleyspace.pipelines.train_listener import TrainListenerConfig
from foleyspace.pipelines.train_recogniser import TrainRecogniserConfig
from foleyspace.pipelines.train_tagger import TrainTaggerConfig
from foleyspace.types import Clip

PLACES = {"sounds": "sounds", "hrtfs": "hrtfs"}
TRAININGS = {
    TrainConfig: PLACES,
    TrainListenerConfig: {},
    TrainRecogniserConfig: {},
    TrainTaggerConfig: {},
}
OF_ALL = {
    "steps": (0, -3),
    "batch": (0,),
    "frames": (0,),
    "check_every": (0,),
    "learning_rate": (0.0, 1.0, -0.1, float("nan")),
    "weight_decay": (-0.1, float("inf")),
    "seed": (-1, 2**32),
    "threads": (-1, 10**12),
}


@pytest.mark.parametrize("config", TRAININGS)
@pytest.mark.parametrize(("name", "value"), [(name, value) for name in OF_ALL for value in OF_ALL[name]])
def test_no_training_takes_what_cannot_be(config, name, value):
    with pytest.raises(
        InputError, match=f"^`{name}` is {value!r} but must be ".replace("+", r"\+")
    ) as caught:
        config(**TRAININGS[config], **{name: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("config", "bad", "said"),
    [
        (TrainConfig, {"workers": -1}, "`workers` is -1 but must be between 0 and 1024"),
        (TrainConfig, {"ema": 1.5}, "`ema` is 1.5 but must be between 0 and 1"),
        (TrainConfig, {"ema": -0.1}, "`ema` is -0.1 but must be between 0 and 1"),
        (TrainConfig, {"flip_weight": -0.5}, "`flip_weight` is -0.5 but must be between 0 and 10"),
        (TrainConfig, {"vae_steps": 0}, "`vae_steps` is 0 but must be 1 or more"),
        (TrainConfig, {"fusion": "sum"}, "`fusion` is 'sum' but must be one of '', saf, none, add, conv"),
        (TrainListenerConfig, {"ema": 2.0}, "`ema` is 2.0 but must be between 0 and 1"),
        (TrainListenerConfig, {"threads": 0}, "`threads` is 0 but must be between 1 and 1024"),
        (TrainListenerConfig, {"check_pieces": 0}, "`check_pieces` is 0 but must be 1 or more"),
        (TrainTaggerConfig, {"ema": -1.0}, "`ema` is -1.0 but must be between 0 and 1"),
        (TrainTaggerConfig, {"kind_weight": -1.0}, "`kind_weight` is -1.0 but must be between 0 and 100"),
        (TrainTaggerConfig, {"target_temperature": 0.0}, "`target_temperature` is 0.0 but must be between 0"),
        (TrainTaggerConfig, {"threads": 0}, "`threads` is 0 but must be between 1 and 1024"),
        (TrainTaggerConfig, {"half": 2}, "`half` is 2 but must be 0, 1, or -1 for all files"),
        (
            EvaluateConfig,
            {"phase": "linear"},
            "`phase` is 'linear' but must be one of measured, minimum, onset",
        ),
        (EvaluateConfig, {"mono": "both"}, "`mono` is 'both' but must be dry or sum"),
        (EvaluateConfig, {"seed": -1}, "`seed` is -1 but must be between 0 and 4294967295"),
        (EvaluateConfig, {"seed": 2**64}, "`seed` is 18446744073709551616 but must be between"),
        (EvaluateConfig, {"steps": 0}, "`steps` is 0 but must be 1 or more"),
        (SoundConfig, {"phase": "none"}, "`phase` is 'none' but must be one of auto, measured, minimum"),
        (SoundConfig, {"seed": 2**64}, "`seed` is 18446744073709551616 but must be between"),
        (SoundConfig, {"spatializer": "both"}, "must be one of auto, hrir, diffusion"),
        (TrackConfig, {"detect_hz": 0.5}, "`detect_hz` is 0.5 but must be between 1 and 60"),
        (MakeDatasetConfig, {"split": "test"}, "`split` is 'test' but must be train or held"),
        (BatchConfig, {"engine": "dask"}, "`engine` is 'dask' but must be local or ray"),
        (BatchConfig, {"retries": -1}, "`retries` is -1 but must be between 0 and 100"),
    ],
)
def test_bad_values_are_named(config, bad, said):
    with pytest.raises(InputError, match=said):
        config(**(PLACES if config is TrainConfig else {}), **bad)


@dataclass(frozen=True)
class Config:
    part: object = 0.5
    word: str = "a"


@pytest.mark.parametrize("part", [0, 0.0, 1, 0.5, None])
def test_ends_belong_to_a_range_and_none_says_nothing(part):
    check_range(Config(part), {"part": (0, 1)})


@pytest.mark.parametrize("part", [0, 1.0])
def test_ends_may_be_left_out(part):
    with pytest.raises(InputError, match="must be between 0 and 1, the ends left out"):
        check_range(Config(part), {"part": (0, 1)}, ends=False)


@pytest.mark.parametrize("part", [-1e-9, 1.1, float("nan"), "0.5", [0.5]])
def test_what_is_outside_or_no_number_is_refused(part):
    with pytest.raises(InputError, match=r"`part` is .* but must be between 0 and 1$"):
        check_range(Config(part), {"part": (0, 1)})


def test_choices():
    check_choice(Config(), "word", ("a", "b"))
    for accepted, said in ((("b", "c"), "b or c"), (("b", "c", "d"), "one of b, c, d")):
        with pytest.raises(InputError, match=f"`word` is 'a' but must be {said}$"):
            check_choice(Config(), "word", accepted)


@pytest.mark.parametrize(
    ("spherical", "projection", "said"),
    [
        ("equirectangular", "rectilinear", 1),
        ("equirectangular (0.000000/0.000000/0.000000)", "rectilinear", 1),
        ("equirectangular", "equirectangular", 0),
        ("cubemap", "rectilinear", 0),
        ("", "rectilinear", 0),
    ],
)
def test_a_sphere_taken_for_a_plain_camera_is_said(
    spherical, projection, said, tmp_path, monkeypatch, caplog
):
    """Before any model is loaded, in one line."""
    media = SimpleNamespace(video=SimpleNamespace(spherical=spherical))
    monkeypatch.setattr("foleyspace.streams._inspect", lambda *_: media)
    monkeypatch.setattr(track, "load_models", lambda config: 1 / 0)
    (tmp_path / "tour.webm").write_bytes(b"any")
    clip = Clip(tmp_path / "tour.webm", Fraction(25), [0.0, 0.04], (64, 32), 0.08, None)
    with pytest.raises(ZeroDivisionError):
        track.run(clip, TrackConfig(projection=projection), None)
    assert len(caplog.records) == said
    if said:
        assert "--projection equirectangular" in caplog.text
