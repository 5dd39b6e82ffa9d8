"""Words in `foleyspace train`: what each system makes of `text`, `fusion` and `flip_weight`, and what it refuses."""

from __future__ import annotations

import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from soundfolder import FIVE, write_index, write_sounds

torch = pytest.importorskip("torch")
from safetensors import safe_open  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from foleyspace.errors import InputError  # noqa: E402
from foleyspace.hrtf import resolve_hrtf  # noqa: E402
from foleyspace.pipelines import train  # noqa: E402
from foleyspace.pipelines.train import FLIP_WEIGHT, TrainConfig  # noqa: E402
from foleyspace.spatializer import systems, tasu_training  # noqa: E402
from foleyspace.spatializer.bands import BANDS  # noqa: E402
from foleyspace.spatializer.dataset import Batch  # noqa: E402
from foleyspace.spatializer.model import SeparatorNet  # noqa: E402
from foleyspace.spatializer.systems import make_system  # noqa: E402
from foleyspace.spatializer.tas import load_tas  # noqa: E402
from foleyspace.spatializer.tas_net import TasNet  # noqa: E402
from foleyspace.spatializer.tasu import load_tasu  # noqa: E402
from foleyspace.spatializer.tasu_bands import BANDS as TASU_BANDS  # noqa: E402
from foleyspace.spatializer.tasu_net import TasuNet  # noqa: E402
from foleyspace.word_vectors import DIM  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

TEXT = 12  # numbers of a text
SMALL = TrainConfig(sounds="s", hrtfs="h", channels=(8, 8, 16, 16), condition=8)


def encode(texts) -> np.ndarray:
    """By its letters: whether an encoder is installed does not matter."""
    letters = [np.frombuffer(text.encode().ljust(TEXT)[-TEXT:], np.uint8) for text in texts]
    vectors = np.stack(letters).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Encoder:
    dim = TEXT

    def __call__(self, texts) -> np.ndarray:
        return encode(texts)


@pytest.fixture(autouse=True)
def encoder(monkeypatch):
    for module in ("foleyspace.spatializer.systems", "foleyspace.text_encoder"):
        monkeypatch.setattr(f"{module}.load_text_encoder", lambda name: Encoder())


def system_of(**changes) -> systems.System:
    torch.manual_seed(0)
    return make_system(replace(SMALL, **changes))


def heard(net: nn.Module, words: torch.Tensor) -> torch.Tensor:
    """What the network says of the same sound with `words` (2, `TEXT`), its last layers awake."""
    torch.manual_seed(1)
    for parameter in net.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.2)
    torch.manual_seed(2)
    net.eval()
    with torch.no_grad():
        if isinstance(net, TasNet):
            return net(torch.randn(2, 1, 4000), torch.tensor([3.0, 30.0]), 0.1 * torch.randn(2, 4000), words)
        if isinstance(net, TasuNet):
            latent, known = torch.randn(2, 8, TASU_BANDS // 4, 8), torch.randn(2, 3, TASU_BANDS, 32)
            return net.denoiser(latent, torch.tensor([0.2, 0.7]), known, net.words(words))
        assert isinstance(net, SeparatorNet)
        labels = functional.normalize(torch.randn(2, 2, DIM), dim=-1)
        features, share = torch.rand(2, BANDS, 32) - 0.7, torch.full((2, 2, BANDS, 32), 0.5)
        return net(features, labels, torch.ones(2, 2, 32), share, torch.zeros(2), prompt=words)


@pytest.mark.parametrize(
    ("system", "fusion", "told"),
    [
        ("tas", "", True),
        ("tas", "saf", True),
        ("tas", "add", True),
        ("tas", "conv", True),
        ("tas", "none", False),
        ("tasu", "", True),
        ("tasu", "none", False),
        ("separator", "saf", True),
        ("separator", "add", True),
        ("separator", "conv", True),
    ],
)
def test_the_prompt_matters_wherever_it_is_asked_for(system, fusion, told):
    net = system_of(system=system, text="minilm", fusion=fusion).net
    words = functional.normalize(torch.randn(2, TEXT, generator=torch.Generator().manual_seed(3)), dim=1)
    moved = (heard(net, words) - heard(net, words.flip(0))).abs().mean()
    assert moved > 1e-4 if told else moved == 0


def test_semantic_aware_fusion_is_what_tas_takes_by_itself():
    assert system_of(system="tas", text="minilm").net.mode == "saf"
    assert system_of(system="tas", text="minilm", fusion="none").net.mode == "none"


@pytest.mark.parametrize(
    ("changes", "there"),
    [({}, True), ({"flip_weight": 0.5}, True), ({"flip_weight": 0.0}, False), ({"fusion": "none"}, False)],
)
def test_the_flip_classifier_is_there_unless_it_is_switched_off(changes, there):
    net = system_of(system="tasu", text="minilm", **changes).net
    assert (net.flipper is not None) == there == bool(net.shape["flipper"])


def told_batch() -> Batch:
    nothing = torch.zeros(())
    said = functional.one_hot(torch.arange(2), TEXT).float()
    truth = torch.randn(2, 2, 48_000, generator=torch.Generator().manual_seed(4)) * 0.1
    return Batch(*[nothing] * 7, truth=truth, prompt=said, prompt_flipped=said.flip(0))


def test_the_weight_counts_and_the_steps_of_the_autoencoder_are_what_is_said():
    """The same weights and noise: a larger weight is a larger loss, once the autoencoder's steps are over."""
    losses = {}
    for weight in (FLIP_WEIGHT, 5.0, -1.0):
        made = system_of(system="tasu", text="minilm", flip_weight=weight, vae_steps=2, steps=3)
        losses[weight] = []
        for _ in range(3):
            losses[weight].append(
                made.loss(made.net, told_batch(), None, torch.Generator().manual_seed(0)).item()
            )
        assert int(made.net.seen) == 2
    first, second, own = losses.values()
    assert first[:2] == second[:2] and first[2] + 0.1 < second[2]
    assert own == first and FLIP_WEIGHT == tasu_training.JUDGED


def test_what_a_system_takes_by_itself_is_settled_once():
    for system, fusion, weight in (("tas", "saf", 0.0), ("tasu", "", FLIP_WEIGHT)):
        settled = replace(SMALL, system=system, text="minilm").settled()
        assert (settled.fusion, settled.flip_weight) == (fusion, weight) and settled.settled() == settled
    assert (SMALL.settled().fusion, SMALL.settled().flip_weight) == ("", 0.0)
    assert replace(SMALL, flip_weight=0.3).settled().flip_weight == 0.3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"system": "tas"}, "`text` is empty but must name a text encoder: `system` is tas"),
        ({"system": "tasu"}, "`text` is empty but must name a text encoder: `system` is tasu"),
        ({"text": "minilm"}, "`text` is 'minilm', but with `fusion` '' nothing reads it"),
        (
            {"text": "minilm", "fusion": "none"},
            "`text` is 'minilm', but with `fusion` 'none' nothing reads it",
        ),
        ({"text": "minilm", "system": "foleyspace"}, "`system` is foleyspace, which takes no words"),
        ({"fusion": "saf", "system": "foleyspace"}, "`system` is foleyspace, which takes no words"),
        (
            {"system": "tasu", "text": "t5", "fusion": "add"},
            r"`fusion` is 'add' but must be none \(no text\)",
        ),
        ({"system": "tas", "text": "t5", "flip_weight": 0.1}, "must be 0: tas has nothing to flip"),
        ({"system": "foleyspace", "flip_weight": 0.1}, "must be 0: foleyspace has nothing to flip"),
        (
            {"system": "tasu", "text": "t5", "flip_weight": 0.1, "fusion": "none"},
            "must be 0: tasu without text has nothing to flip",
        ),
        (
            {"system": "tasu", "text": "t5", "steps": 300},
            "`steps` is 300 but must be more than `vae_steps`, 300",
        ),
        ({"system": "tasu", "text": "t5", "steps": 90, "vae_steps": 90}, "must be more than `vae_steps`, 90"),
    ],
)
def test_words_that_nobody_would_read_are_refused(changes, said):
    with pytest.raises(InputError, match=said) as caught:
        replace(SMALL, **changes)
    assert "\n" not in str(caught.value)


def test_tasu_in_several_processes_is_refused_before_anything_is_begun(monkeypatch, tmp_path):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(systems, "make_system", lambda *_: pytest.fail("begun"))
    config = replace(SMALL, system="tasu", text="minilm", out=str(tmp_path / "out"))
    with pytest.raises(
        InputError, match="`system` is tasu, which trains in one process, but torchrun started 2"
    ):
        train.run(config)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("system", "load"), [("tas", load_tas), ("tasu", load_tasu)])
def test_they_are_trained_with_their_text(system, load, tmp_path, monkeypatch):
    """`foleyspace train --system tas text=minilm`, and tasu: the file says and has what reads the text."""
    write_sounds(tmp_path / "sounds", FIVE)
    rows = [(name, *said, "held" if name == "dog2.wav" else "train") for name, said in FIVE.items()]
    rows.append(("flute1.wav", "flute", "instrument", "held"))
    write_index(tmp_path / "sounds", ("file", "class", "kind", "split"), rows)
    (tmp_path / "hrtfs").mkdir()
    for name in ("a.sofa", "b.sofa"):
        shutil.copy(resolve_hrtf("mit_kemar"), tmp_path / "hrtfs" / name)
    monkeypatch.setattr("foleyspace.spatializer.training.keep_memory", lambda: None)
    places = {
        "sounds": str(tmp_path / "sounds"),
        "hrtfs": str(tmp_path / "hrtfs"),
        "out": str(tmp_path / "run"),
    }
    small = {"steps": 2, "batch": 2, "frames": 16, "check_every": 2, "check_pieces": 2, "threads": 1}
    weights = train.run(
        TrainConfig(system=system, text="minilm", device="cpu", vae_steps=1, **places, **small)
    )
    net = load(weights)
    assert net.mode == "saf" if system == "tas" else net.flipper is not None
    with safe_open(str(weights), framework="numpy") as file:
        said = SimpleNamespace(**file.metadata())
    assert (said.text, said.steps) == ("minilm", "2")
    assert (said.fusion, said.flip_weight) == (("saf", "0.0") if system == "tas" else ("", "0.1"))
