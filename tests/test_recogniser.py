"""The recogniser: a trunk that has heard many sounds, and a head that says what they are in words."""

from __future__ import annotations

import dataclasses
from importlib.resources import files

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from scipy import signal  # noqa: E402
from torch.nn import functional  # noqa: E402

from foleyspace.errors import InputError  # noqa: E402
from foleyspace.spatializer.bands import BANDS, HOP, RATE, band_power, level_features, spectrum  # noqa: E402
from foleyspace.spatializer.recogniser import (  # noqa: E402
    CHANNELS,
    ROWS,
    SHIPPED,
    Recogniser,
    RecogniserHead,
    load_recogniser,
    on_bands,
    patch_power,
    save_recogniser,
)
from foleyspace.spatializer.recogniser_training import LOUDNESS  # noqa: E402
from foleyspace.word_vectors import word_vectors  # noqa: E402

FRAMES = 144


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    torch.set_num_threads(1)
    return load_recogniser()


def powers(samples: np.ndarray) -> torch.Tensor:
    return band_power(spectrum(torch.from_numpy(samples.astype(np.float32)))[..., :FRAMES])


def features(samples: np.ndarray) -> torch.Tensor:
    return level_features(powers(samples))[None]


def seconds(count: float = FRAMES * HOP / RATE) -> np.ndarray:
    return np.arange(round(count * RATE)) / RATE


def beats() -> np.ndarray:
    """A struck drum, four times a second: a low decaying tone and a click."""
    t = seconds() % 0.25
    rng = np.random.default_rng(0)
    return np.exp(-t / 0.05) * np.sin(2 * np.pi * 90 * t) + 0.3 * np.exp(-t / 0.004) * rng.standard_normal(
        len(t)
    )


def rain() -> np.ndarray:
    return 0.1 * np.random.default_rng(1).standard_normal(len(seconds()))


def flute() -> np.ndarray:
    t = seconds()
    tone = sum(0.5**n * np.sin(2 * np.pi * 587 * (n + 1) * t) for n in range(4))
    return 0.2 * tone * (1 + 0.2 * np.sin(2 * np.pi * 5 * t))


def engine() -> np.ndarray:
    """Twenty-eight low strokes a second."""
    t = seconds()
    strokes = (t * 28 % 1 < 0.1) + 0.05 * np.random.default_rng(3).standard_normal(len(t))
    return signal.lfilter([1], [1, -1.8, 0.85], strokes)


SOUNDS = {"engine": engine, "rain": rain, "flute": flute}


def test_it_names_sounds_that_it_never_heard(recogniser):
    """Made by formula, so in no recording: where it is loud, each sounds most like its own name."""
    words = torch.from_numpy(word_vectors(list(SOUNDS)))
    for number, make in enumerate(SOUNDS.values()):
        loud = patch_power(powers(make())[None])[0] ** LOUDNESS
        heard = (recogniser(features(make()))[0] * loud).sum(dim=(1, 2))
        assert (words @ functional.normalize(heard, dim=0)).argmax() == number


def test_patches_lie_where_the_sound_is(recogniser):
    """Power of a tone is in its own row and nowhere else, and that of a click in its own patches."""
    by_patch = patch_power(powers(np.sin(2 * np.pi * 6000 * seconds()))[None])[0]
    assert by_patch.shape == (ROWS, 17)
    assert by_patch.sum(dim=1).argmax() == 7  # 6 kHz is at 2,549 of 3,923 mel
    assert by_patch[7].sum() > 0.99 * by_patch.sum()
    click = np.zeros(FRAMES * HOP, np.float32)
    click[FRAMES * HOP // 2] = 1
    when = patch_power(powers(click)[None])[0].sum(dim=0)
    assert int(when.argmax()) == 8


def test_level_hardly_matters(recogniser):
    """Levels are re the piece's mean; what is 60 dB softer is heard as the same."""
    loud, soft = (recogniser(features(gain * beats())) for gain in (1.0, 1e-3))
    alike = functional.cosine_similarity(loud, soft, dim=1)
    assert alike.mean() > 0.97


def test_our_grid():
    """Patches keep their order, a constant stays one, and the ends hold."""
    grid = on_bands(torch.full((1, ROWS, 17), 2.0), FRAMES)
    assert grid.shape == (1, BANDS, FRAMES)
    torch.testing.assert_close(grid, torch.full_like(grid, 2.0))
    rows = on_bands(torch.arange(ROWS).float()[:, None].expand(ROWS, 17), FRAMES)
    times = on_bands(torch.arange(17).float().expand(ROWS, 17), FRAMES)
    assert (rows.diff(dim=0) >= 0).all() and rows[0, 0] == 0 and rows[-1, 0] > ROWS - 1.1
    assert (times.diff(dim=1) >= 0).all() and times[0, 0] == 0 and times[0, -1] > 15.5


def test_a_stranger_has_its_own_head(recogniser, tmp_path):
    other = load_recogniser()
    torch.manual_seed(0)
    other.strangers = (recogniser.head, RecogniserHead().eval())
    sound = features(beats())
    own, copied, naive = (other(sound, who) for who in (None, 0, 1))
    torch.testing.assert_close(own, copied)
    assert (own - naive).abs().mean() > 0.01
    assert set(other.state_dict()) == set(recogniser.state_dict())
    assert not other.train().head.training and not any(p.requires_grad for p in other.parameters())


def test_what_is_saved_is_loaded(recogniser, tmp_path):
    kept = save_recogniser(recogniser, tmp_path / "kept.safetensors", {"step": 3})
    sound = features(flute())
    torch.testing.assert_close(load_recogniser(kept)(sound), recogniser(sound), atol=1e-3, rtol=1e-3)
    assert kept.stat().st_size < 20e6


def test_another_file_is_refused_in_one_line(tmp_path):
    from safetensors.torch import load_file, save_file

    shipped = str(files("foleyspace.models") / SHIPPED)
    tensors = load_file(shipped)
    broken = {
        "nothing": b"",
        "text": b"no weights",
    }
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
    header = {"format": "foleyspace-recogniser-1"}
    save_file(tensors, tmp_path / "unmarked")
    save_file({k: v for k, v in tensors.items() if k != "head.out.bias"}, tmp_path / "short", header)
    save_file({**tensors, "head.out.bias": torch.zeros(3)}, tmp_path / "misfit", header)
    save_file({**tensors, "head.out.bias": torch.full((384,), torch.nan)}, tmp_path / "nan", header)
    for name in (*broken, "unmarked", "short", "misfit", "nan"):
        with pytest.raises(InputError, match="must be a recogniser's weights") as error:
            load_recogniser(tmp_path / name)
        assert "\n" not in str(error.value)


def test_patches_have_the_right_answers():
    """Drawn pieces: shares add up to one wherever there is sound, and slots without a sound have none."""
    from foleyspace.spatializer.recogniser_training import draw_pieces
    from foleyspace.spatializer.sounds import Sound, SoundSet

    def sound(name: str, make) -> Sound:
        scaled = np.round(make() / np.abs(make()).max() * 20000).astype(np.int16)
        level = np.full(len(scaled) // 960, -20.0, np.float32)
        return Sound(name, name, "object", scaled, level)

    sounds = SoundSet(tuple(sound(*item) for item in SOUNDS.items()), np.full(3, 1 / 3))
    pieces = draw_pieces(sounds, sounds.labels, 6, FRAMES, np.random.default_rng(0))
    there = pieces.label >= 0
    assert there.any(dim=1).all() and not pieces.share[~there].any()
    heard = pieces.weight > 0.01
    torch.testing.assert_close(
        pieces.share.sum(dim=1)[heard], torch.ones(int(heard.sum())), atol=1e-4, rtol=0
    )
    assert pieces.weight.max() == 1 and pieces.features.shape == (6, BANDS, FRAMES)


def test_the_right_vectors_cost_least(recogniser):
    """Patches that are heard as what they are cost less than those heard as the other sound of the piece."""
    from foleyspace.spatializer.recogniser_training import Pieces, recogniser_loss

    texts = torch.from_numpy(word_vectors(list(SOUNDS)))
    share = torch.zeros(1, 3, ROWS, 4)
    share[:, 0, :6], share[:, 1, 6:] = 1, 1
    pieces = Pieces(torch.zeros(1), torch.tensor([[0, 1, -1]]), share, torch.ones(1, ROWS, 4))
    right = torch.einsum("bkrp,kd->bdrp", share, texts)
    wrong = torch.einsum("bkrp,kd->bdrp", share[:, [1, 0, 2]], texts)
    near = functional.softmax(texts @ texts.T / 0.1, dim=1)
    costs = [float(recogniser_loss(vectors, pieces, texts, near)) for vectors in (right, wrong)]
    assert costs[0] < costs[1] - 5
    assert CHANNELS == 512


@pytest.mark.slow
def test_training_it_makes_weights_that_load(tmp_path):
    import csv

    import soundfile

    from foleyspace.pipelines.train_recogniser import TrainRecogniserConfig, run

    with (tmp_path / "INDEX.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("split", "file", "class", "kind"))
        for split in ("train", "held"):
            for name, make in SOUNDS.items():
                soundfile.write(tmp_path / f"{split}-{name}.wav", 0.5 * make() / np.abs(make()).max(), RATE)
                rows.writerow((split, f"{split}-{name}.wav", name, "object"))
    config = TrainRecogniserConfig(
        sounds=str(tmp_path), out=str(tmp_path / "out"), steps=4, batch=2, check_every=2
    )
    weights = run(config)
    assert np.isfinite(load_recogniser(weights)(features(rain())).numpy()).all()
    curve = (tmp_path / "out" / "curve.csv").read_text().splitlines()
    assert len(curve) == 3 and curve[0].startswith("step,minutes,loss,patches,pairs")


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"steps": 0}, "`steps` is 0 but must be 1 or more"),
        ({"half": 2}, "`half` is 2 but must be 0, 1, or -1 for all files"),
        ({"learning_rate": 0.0}, "`learning_rate` is 0.0 but must be between 0 and 1"),
        ({"threads": -1}, "`threads` is -1 but must be between 0 and 1024"),
    ],
)
def test_bad_settings_are_refused(bad, said):
    from foleyspace.pipelines.train_recogniser import TrainRecogniserConfig

    with pytest.raises(InputError, match=said):
        TrainRecogniserConfig(**bad)


def test_the_yaml_has_the_defaults():
    import yaml

    from foleyspace.pipelines.train_recogniser import TrainRecogniserConfig

    stated = yaml.safe_load((files("foleyspace.configs") / "train_recogniser.yaml").read_text())
    assert stated == dataclasses.asdict(TrainRecogniserConfig())
