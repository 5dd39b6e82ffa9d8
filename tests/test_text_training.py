"""The text side of the separator: what is fused, what is swapped, and that old weights stay what they were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from foleyspace.prompt import read_prompt
from foleyspace.types import Audio

torch = pytest.importorskip("torch")

from foleyspace.spatializer.agreement import disagreement  # noqa: E402
from foleyspace.spatializer.bands import BANDS  # noqa: E402
from foleyspace.spatializer.ears import Ears  # noqa: E402
from foleyspace.spatializer.inference import SeparatorOptions, separate  # noqa: E402
from foleyspace.spatializer.model import NetConfig, SeparatorNet  # noqa: E402
from foleyspace.spatializer.training import export, prepare  # noqa: E402
from foleyspace.spatializer.weights import load_separator  # noqa: E402
from foleyspace.tagger import EmbeddedTagger  # noqa: E402
from foleyspace.word_vectors import DIM, word_vectors  # noqa: E402

SMALL = NetConfig((8, 8, 16, 16), 16)
TOLD = replace(SMALL, fusion="saf", text=12, encoder="bert")
FRAMES = 32


def inputs(slots: int = 2) -> tuple:
    generator = torch.Generator().manual_seed(1)
    features = torch.rand((2, BANDS, FRAMES), generator=generator) - 0.7
    labels = torch.nn.functional.normalize(torch.randn((2, slots, DIM), generator=generator), dim=-1)
    activity = torch.ones((2, slots, FRAMES))
    share = torch.full((2, slots, BANDS, FRAMES), 1 / slots)
    return features, labels, activity, share, torch.zeros(2)


def made(config: NetConfig) -> SeparatorNet:
    torch.manual_seed(0)
    return SeparatorNet(config).eval()


@torch.no_grad()
def test_untrained_fusion_changes_nothing_and_trained_it_listens_to_the_prompt():
    net = made(TOLD)
    words = torch.randn((2, 12), generator=torch.Generator().manual_seed(2))
    before = net(*inputs(), prompt=words)
    torch.testing.assert_close(before, net(*inputs(), prompt=None))
    net.fused.fill_(1.0)
    told = net(*inputs(), prompt=words)
    assert (told - net(*inputs(), prompt=None)).abs().max() > 1e-4
    assert (told - net(*inputs(), prompt=-words)).abs().max() > 1e-4
    torch.testing.assert_close(net(*inputs(), prompt=0 * words), net(*inputs(), prompt=None))


@torch.no_grad()
def test_the_order_of_the_sources_still_changes_nothing():
    net = made(TOLD)
    net.fused.fill_(1.0)
    features, labels, activity, share, time = inputs(3)
    words = torch.ones((2, 12))
    first = net(features, labels, activity, share, time, prompt=words)
    second = net(features, labels.flip(1), activity, share, time, prompt=words)
    torch.testing.assert_close(first, second.flip(1), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("fusion", ["saf", "none", "add", "conv"])
def test_weights_keep_their_fusion(fusion, tmp_path):
    net = made(replace(TOLD, fusion=fusion))
    loaded = load_separator(str(export(net, tmp_path / "w.safetensors", {})), offline=True)
    assert loaded.config == net.config


@torch.no_grad()
def test_weights_without_fusion_start_one_with_it_unchanged(tmp_path):
    plain = made(SMALL)
    torch.nn.init.normal_(plain.query.weight)
    path = export(plain, tmp_path / "plain.safetensors", {})
    started = made(TOLD)
    prepare(started, str(path), ())
    expected = load_separator(str(path), offline=True)(*inputs())
    torch.testing.assert_close(started.eval()(*inputs()), expected, atol=1e-5, rtol=1e-4)


def test_the_words_that_a_scene_was_read_from_reach_the_network(tmp_path, monkeypatch):
    def encode(texts, name, offline):
        """By its letters: whether an encoder is installed does not matter."""
        letters = np.frombuffer(texts[0].encode().ljust(DIM)[:DIM], np.uint8).astype(np.float32)[None]
        return letters / np.linalg.norm(letters)

    monkeypatch.setattr("foleyspace.text_encoder.encode", encode)
    net = made(replace(SMALL, fusion="saf"))
    torch.nn.init.constant_(net.fused, 3.0)
    torch.nn.init.normal_(net.query.weight)
    options = SeparatorOptions(str(export(net, tmp_path / "w.safetensors", {})), "cpu", offline=True)
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 48000)).astype(np.float32)
    scene = read_prompt("a dog barks on the left, a car on the right", 1.0).scene
    mute = replace(scene, sources=tuple(replace(source, caption="") for source in scene.sources))
    told, untold = (separate(Audio(noise, 48000), each, options) for each in (scene, mute))
    assert np.abs(told - untold).max() > 1e-4
    said = replace(options, prompt=", ".join(source.caption for source in scene.sources))
    np.testing.assert_array_equal(told, separate(Audio(noise, 48000), mute, said))


def heard(bands: slice, frames: int = 96) -> torch.Tensor:
    power = torch.full((1, BANDS, frames), 1e-4)
    power[:, bands, ::6] = 1.0
    return power


@pytest.fixture(scope="module")
def ears() -> Ears:
    listening = Ears()
    listening.net.load_state_dict(EmbeddedTagger(offline=True).net.state_dict())
    return listening


def named(*words: str) -> torch.Tensor:
    return torch.from_numpy(np.stack(word_vectors(words, offline=True)))[None]


def test_swapped_names_agree_less(ears, shared):
    """Two real recordings, taken apart rightly: with the names the wrong way round the classifier objects,
    and its gradient reaches the masks."""
    import csv

    import soundfile

    from foleyspace.spatializer.bands import band_power, spectrum

    with (shared / "sounds" / "INDEX.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    stems = []
    for word in ("dog", "rain"):
        row = next(row for row in rows if row["class"].lower().split()[0] == word)
        sound, _ = soundfile.read(shared / "sounds" / row["file"], dtype="float32", frames=48_000 * 2)
        stems.append(np.resize(sound, 48_000 * 2) / np.abs(sound).max())
    spectra = spectrum(torch.from_numpy(np.stack(stems))[None])
    power = band_power(spectra.sum(dim=1))
    ratio = band_power(spectra)
    masks = (ratio / ratio.sum(dim=1, keepdim=True)).sqrt().requires_grad_()
    share = torch.full((1, 2), 0.5)
    right = disagreement(ears, masks, power, named("dog", "rain"), share)
    wrong = disagreement(ears, masks, power, named("rain", "dog"), share)
    assert right < wrong - 0.2
    right.backward()
    assert masks.grad is not None and masks.grad.abs().max() > 0


def test_nothing_to_swap_costs_nothing(ears):
    masks, power = torch.ones((1, 1, BANDS, 96)), heard(slice(20, 40))
    alone = disagreement(ears, masks, power, torch.full((1, 1, DIM), torch.nan), torch.ones(1, 1))
    assert float(alone) == 0.0
