"""The TAS baseline: what its fusion, sampler, windows and file must do whatever it has learned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from safetensors.torch import load_file, save_file  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from foleyspace.errors import InputError  # noqa: E402
from foleyspace.spatializer import tas  # noqa: E402
from foleyspace.spatializer.diffwave import BETAS, STEPS  # noqa: E402
from foleyspace.spatializer.fusion import HEADS, Fusion  # noqa: E402
from foleyspace.spatializer.rate16 import to_16k  # noqa: E402
from foleyspace.spatializer.tas import (  # noqa: E402
    RATE,
    TasSystem,
    load_tas,
    make_tas,
    sample_difference,
    save_tas,
    tas_loss,
)
from foleyspace.spatializer.tas_net import BANDS, HOP, LEVEL, PATCH, TasNet, _log_bands  # noqa: E402
from foleyspace.spatializer.windows import WINDOW_S, windows  # noqa: E402
from foleyspace.types import Audio  # noqa: E402

N = 4001  # at 16 kHz: odd, and no whole number of frames
DIM = 12
MODES = ("saf", "none", "add", "conv")
SHAPE = {"channels": 16, "layers": 3, "conditions": 8, "dim": DIM}


@dataclass(frozen=True)
class Mixture:
    truth: Tensor | None
    prompt: Tensor | None
    prompt_flipped: Tensor | None = None


class Knowing(nn.Module):
    """Predicts the noise exactly, for it knows that L - R is L + R times the first number of the text."""

    shape: ClassVar = {"dim": DIM}

    def conditioned(self, mono: Tensor, text: Tensor) -> tuple[Tensor]:
        return (text,)

    def noise_in(self, noisy: Tensor, step: Tensor, mono: Tensor, text: Tensor) -> Tensor:
        kept = torch.from_numpy(np.interp(step.numpy(), np.arange(STEPS), np.sqrt(np.cumprod(1 - BETAS))))
        kept = kept.to(noisy)[:, None, None]
        return (noisy - kept * text[:, :1, None] * mono[:, None]) / (1 - kept**2).sqrt()


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def made_net(fusion: str = "saf") -> TasNet:
    """A small network with random weights in its last layers too, which start at zero."""
    torch.manual_seed(0)
    net = TasNet(**SHAPE, fusion=fusion)
    nn.init.normal_(net.output.weight, std=0.2)
    nn.init.normal_(net.guess.weight, std=0.2)
    return net.eval()


@pytest.fixture
def net() -> TasNet:
    return made_net()


def words(batch: int = 2, seed: int = 5) -> Tensor:
    return functional.normalize(torch.randn(batch, DIM, generator=generator(seed)), dim=-1)


def mono(batch: int = 2, n: int = N) -> Tensor:
    return 0.3 * torch.randn(batch, n, generator=generator(7))


def field(steps: int = 6, batch: int = 2, n: int = N) -> Tensor:
    return torch.randn(steps, batch, 1, n, generator=generator(1))


def system(net: TasNet, tmp_path) -> TasSystem:
    return TasSystem(save_tas(net, tmp_path / "tas.safetensors", {}))


TEXT = words(1)[0].numpy()


# --- fusion


def before_and_after(mode: str, text: Tensor) -> tuple[Tensor, Tensor]:
    """What the text changes in the fusion's convolution, before it saturates, and the fused features."""
    torch.manual_seed(3)
    fusion = Fusion(mode, 6, DIM)
    features = torch.randn(2, 6, 9, 11, generator=generator(2))
    convolved = []
    fusion.mix[0].register_forward_hook(lambda module, given, made: convolved.append(made))
    fused = fusion(features, text)
    fusion(features, torch.zeros_like(text))
    assert fused.shape == features.shape
    return (convolved[0] - convolved[1])[..., 1:-1, 1:-1].detach(), fused  # within the zero padding


@pytest.mark.parametrize("mode", MODES)
def test_the_text_reaches_the_features_as_the_mode_says(mode: str) -> None:
    """`none`: not at all; `add` and `conv`: every cell in the same way; `saf`: every cell in a way of its own."""
    change, fused = before_and_after(mode, words())
    assert fused.isfinite().all()
    varies = change.std(dim=(2, 3)).mean() / change.abs().mean().clamp(min=1e-12)
    if mode == "none":
        assert (change == 0).all()
        return
    assert change.abs().mean() > 0.05
    assert varies > 0.05 if mode == "saf" else varies < 1e-4


def test_modes_are_different_functions() -> None:
    each = [before_and_after(mode, words())[1] for mode in MODES]
    for n, first in enumerate(each):
        for second in each[n + 1 :]:
            assert (first - second).abs().mean() > 1e-2


def test_attention_finds_the_cell_that_the_text_speaks_of() -> None:
    """The key of a cell equal to the query: there the map is one, elsewhere the smaller the less it agrees."""
    fusion = Fusion("saf", 4, DIM)
    fusion.key.weight.data = torch.eye(4).repeat(HEADS, 1)[:, :, None, None]
    text = 8 * words()
    query = fusion.query(text).unflatten(1, (HEADS, 4)).detach()
    features = torch.zeros(2, 4, 5, 7)
    features[:, :, 3, 2] = query[:, 1]
    features[:, :, 1, 6] = 0.5 * query[:, 1]
    maps = fusion.attention(features, text).detach()
    assert maps.shape == (2, HEADS, 1, 5, 7)
    assert ((maps >= 0) & (maps <= 1)).all()
    asked = maps[:, 1, 0]
    assert (asked.flatten(1).argmax(1) == 3 * 7 + 2).all()
    assert (asked[:, 3, 2] == 1).all()
    assert (asked[:, 1, 6] > asked[:, 0, 0]).all()
    softmax = (features * query[:, 1, :, None, None]).sum(1).div(2).flatten(1).softmax(1)
    torch.testing.assert_close(asked.flatten(1), softmax / softmax.amax(1, keepdim=True))


def test_attention_does_not_fade_with_length() -> None:
    fusion = Fusion("saf", 6, DIM)
    features = torch.randn(2, 6, 9, 11, generator=generator(2))
    once, thrice = (fusion.attention(features.repeat(1, 1, 1, k), words()) for k in (1, 3))
    torch.testing.assert_close(thrice, once.repeat(1, 1, 1, 1, 3))


@pytest.mark.parametrize("mode", ["saf", "add", "conv"])
def test_text_without_weight_has_no_influence(mode: str) -> None:
    net = made_net(mode)
    told = sample_difference(net, mono(), words(), field(), 1.0)
    assert (sample_difference(net, mono(), -words(), field(), 1.0) - told).abs().mean() > 1e-4
    nn.init.zeros_(net.fusion.value.weight)
    torch.testing.assert_close(
        sample_difference(net, mono(), words(), field(), 1.0),
        sample_difference(net, mono(), -words(), field(), 1.0),
    )


def test_unknown_fusion_is_refused() -> None:
    with pytest.raises(InputError, match="`fusion` is 'sum' but must be one of saf, none, add, conv"):
        make_tas("sum")


# --- network


@pytest.mark.parametrize("n", [1, 33, N, PATCH * 20])
def test_any_length(net: TasNet, n: int) -> None:
    noise = net(torch.randn(2, 1, n), torch.tensor([0, 49]), mono(2, n), words())
    assert noise.shape == (2, 1, n)
    assert noise.isfinite().all()


def test_every_condition_is_used(net: TasNet) -> None:
    noisy, step = torch.randn(2, 1, N, generator=generator()), torch.tensor([3.0, 3.0])
    given = (noisy, step, mono(), words())
    before = net(*given)
    for place, other in ((0, noisy.flip(-1)), (1, step + 20), (2, -mono()), (3, -words())):
        changed = [other if n == place else value for n, value in enumerate(given)]
        assert (net(*changed) - before).abs().mean() > 1e-4, f"input {place} changes nothing"


def test_features_see_a_tone_in_its_band_and_at_its_time() -> None:
    at = np.arange(16000) / 16000
    tone = np.sqrt(2) * np.sin(2 * np.pi * 1125 * at) * (at >= 0.5)  # the middle of band 4, 1000 to 1250 Hz
    bands = _log_bands(torch.from_numpy(tone.astype(np.float32))[None])[0]
    assert bands.shape == (BANDS, 16000 // HOP + 1)
    assert (bands[:, 55:95].argmax(0) == 4).all()
    assert bands[:, :45].max() < -3.9  # the floor, 1e-4
    assert bands[4, 70] == pytest.approx(
        np.log10(512 / 8 / 2), abs=0.2
    )  # half the power at + and - f, over 8 bins


# --- sampling


@pytest.mark.parametrize("steps", [1, 6, 50])
def test_sampler_with_a_network_that_knows_the_noise_finds_the_truth(steps: int) -> None:
    text = torch.zeros(2, DIM)
    text[:, 0] = torch.tensor([0.8, -0.3])
    found = sample_difference(Knowing(), mono(), text, field(steps), 1.0)
    torch.testing.assert_close(found, text[:, :1] * mono(), atol=1e-4, rtol=1e-3)


def test_guidance_goes_on_from_no_text_through_the_text() -> None:
    """Of a network that is linear in the text: 0 gives that of no text, 2.5 two and a half times the difference."""
    text = torch.zeros(2, DIM)
    text[:, 0] = 0.4
    for guidance in (0.0, 1.0, 2.5):
        found = sample_difference(Knowing(), mono(), text, field(), guidance)
        torch.testing.assert_close(found, guidance * 0.4 * mono(), atol=1e-4, rtol=1e-3)


def test_louder_in_louder_out_and_silence_stays_silent(net: TasNet) -> None:
    sound = mono()
    sound[1] = 0
    quiet = sample_difference(net, sound, words(), field(), 2.5)
    torch.testing.assert_close(
        sample_difference(net, 8 * sound, words(), field(), 2.5), 8 * quiet, atol=1e-4, rtol=1e-3
    )
    assert (quiet[1] == 0).all()
    assert (quiet[0] != 0).any()


# --- loss


def placed(batch: int = 8, n: int = 4800) -> Mixture:
    """Sounds of any level at the left or the right ear alone, low enough for 16 kHz; the text says which."""
    sound = torch.randn(batch, n, generator=generator(2)) * torch.logspace(-3, 0, batch)[:, None]
    sound = functional.avg_pool1d(sound[:, None], 9, 1, 4)[:, 0]
    side = torch.tensor([1.0, -1.0]).repeat(batch // 2)[:, None]
    truth = torch.stack((sound * (side > 0), sound * (side < 0)), dim=1)
    return Mixture(truth, side * words(1))


def test_loss_falls_on_one_batch_and_the_words_say_which_ear() -> None:
    """L - R is plus or minus L + R, and only the text says which: with it the network finds the sign, and the
    other one for the opposite words; without it a network that learned as long does not."""
    batch = placed()
    heard = to_16k(batch.truth)
    sound, truth = heard.sum(1), heard[:, 0] - heard[:, 1]

    def learned(fusion: str) -> Iterator[Tensor]:
        torch.manual_seed(1)
        net = TasNet(channels=32, layers=2, conditions=16, dim=DIM, fusion=fusion)
        optimiser = torch.optim.Adam(net.parameters(), 6e-3)
        losses = []
        for _ in range(50):
            loss = tas_loss(net, batch, generator(6))  # the same steps, noise and dropped texts each time
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
        assert np.mean(losses[-5:]) < 0.4 * losses[0]
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
        noise = field(6, *sound.shape)
        for text in (batch.prompt, -batch.prompt):
            yield functional.cosine_similarity(sample_difference(net, sound, text, noise, 1.0), truth)

    right, opposite = learned("saf")
    assert right.min() > 0.6
    assert opposite.max() < -0.5
    deaf, still = learned("none")
    assert deaf.mean() < 0.5  # what it has learned of these eight sounds by heart
    assert torch.equal(deaf, still)


def test_mirrored_pieces_are_learned_with_mirrored_words() -> None:
    """Each piece is in the loss twice: as it is, with its words, and with the ears swapped and the flipped
    words. Given the swapped piece, both are there the other way round."""
    seen = []

    def net(noisy: Tensor, step: Tensor, mono: Tensor, text: Tensor) -> Tensor:
        seen.append((noisy, mono, text))
        return 0 * noisy

    batch = placed(4)
    batch = replace(batch, prompt_flipped=words(4, seed=9))
    tas_loss(net, batch, generator(3))
    swapped = Mixture(batch.truth.flip(1), batch.prompt_flipped, batch.prompt)
    tas_loss(net, swapped, generator(3))
    (noisy, sound, text), (others, sounds, texts) = seen
    assert noisy.shape[0] == sound.shape[0] == text.shape[0] == 8
    torch.testing.assert_close(sounds, sound)
    torch.testing.assert_close(sound[:4], sound[4:])
    told = (text != 0).any(1) & (texts.roll(4, 0) != 0).any(1)
    torch.testing.assert_close(text[told], texts.roll(4, 0)[told])
    clean = (
        noisy - others
    )  # of the same noise and steps: twice what is in it of L - R, which has changed sign
    left, right = to_16k(batch.truth).unbind(1)
    agrees = functional.cosine_similarity(clean[:, 0], (left - right).repeat(2, 1))
    torch.testing.assert_close(agrees, torch.tensor([1.0] * 4 + [-1.0] * 4))


def test_text_is_dropped_as_often_as_stated(monkeypatch) -> None:
    seen = []

    def net(noisy: Tensor, step: Tensor, mono: Tensor, text: Tensor) -> Tensor:
        seen.append((text == 0).all(dim=1))
        return noisy

    batch = Mixture(torch.ones(1000, 2, 3), torch.ones(1000, DIM))
    tas_loss(net, batch, generator())
    assert float(seen[0].float().mean()) == pytest.approx(tas.TEXT_DROP, abs=0.03)  # 3 standard deviations


def test_loss_without_truth_or_words_says_so(net: TasNet) -> None:
    for batch, name in ((Mixture(None, words()), "truth"), (Mixture(torch.zeros(2, 2, N), None), "prompt")):
        with pytest.raises(InputError, match=rf"`batch\.{name}` is None but must be"):
            tas_loss(net, batch, generator())


def test_parts_for_training(monkeypatch, tmp_path) -> None:
    """The generic loop gets a loss with gradients, the same validation every time, and a file."""
    batch = placed(4)
    monkeypatch.setattr(tas, "with_truth", lambda given, bank: replace(given, truth=batch.truth))
    parts = make_tas("conv", DIM)
    bare = replace(batch, truth=None)
    parts.loss(parts.net, bare, None, generator()).backward()
    held = type("Held", (), {"pieces": [bare, bare], "bank": None})
    parts.net.train()
    first = parts.validate(parts.net, held)
    assert first == parts.validate(parts.net, held) and 0 < first["loss"] < 1.3 and parts.net.training
    loaded = load_tas(parts.export(parts.net, tmp_path / "w.safetensors", {"step": 1}))
    assert loaded.mode == "conv" and loaded.shape["dim"] == DIM


# --- sound of any length


@pytest.mark.parametrize("n", [1, 31, 4801, WINDOW_S * RATE + 1])
def test_ears_add_up_to_the_input(net: TasNet, tmp_path, n: int) -> None:
    sound = Audio(mono(1, n).numpy(), RATE)
    ears = system(net, tmp_path).spatialize(sound, TEXT, seed=4)
    assert ears.samples.shape == (2, n) and ears.rate == RATE
    np.testing.assert_allclose(ears.samples.sum(0), sound.samples[0], atol=1e-6)
    if n > 1000:
        assert np.abs(ears.samples[0] - ears.samples[1]).mean() > 1e-3


def test_no_difference_above_8_khz(net: TasNet, tmp_path) -> None:
    ears = system(net, tmp_path).spatialize(Audio(mono(1, RATE).numpy(), RATE), TEXT)
    power = np.abs(np.fft.rfft((ears.samples[0] - ears.samples[1]) * np.hanning(RATE))) ** 2  # bins of 1 Hz
    assert power[8100:].mean() < 1e-5 * power[100:7000].mean()


def test_seed_decides_the_samples(net: TasNet, tmp_path) -> None:
    sound, made = Audio(mono(1, 9000).numpy(), RATE), system(net, tmp_path)
    first, again, other = (made.spatialize(sound, TEXT, seed=seed).samples for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3
    silent = made.spatialize(sound, np.zeros(DIM), guidance=1.0).samples
    np.testing.assert_allclose(made.spatialize(sound, TEXT, guidance=0.0).samples, silent, atol=1e-6)


@pytest.mark.parametrize(("mode", "tolerance"), [("conv", 2e-3), ("saf", 2e-2)])
def test_joins_of_windows_are_not_heard(tmp_path, mode: str, tolerance: float) -> None:
    """Windows of a steady tone give what one pass over the whole gives with the same noise: no click, no comb.
    The attention of `saf` looks at a whole window, so that its windows agree less closely."""
    net = made_net(mode)
    n = 15 * RATE // 2
    tone = np.sin(2 * np.pi * 1000 / RATE * np.arange(n, dtype=np.float64)).astype(np.float32)[None]
    ears = system(net, tmp_path).spatialize(Audio(tone, RATE), TEXT, steps=2, seed=9).samples
    draws, parts, at = generator(9), [], 0
    for _, stop in windows(n // 3, RATE // 3):
        parts.append(torch.randn(2, 1, 1, stop - at, generator=draws))
        at = stop
    assert len(parts) == 3
    text = torch.from_numpy(TEXT)[None]
    loaded = load_tas(tmp_path / "tas.safetensors")
    whole = sample_difference(loaded, to_16k(torch.from_numpy(tone)), text, torch.cat(parts, -1), 2.5)[0]
    # both at 16 kHz, and without the ends of the sound, where the resampling has rung
    made = to_16k(torch.from_numpy(ears[0] - ears[1]))[200:-200].numpy()
    plain = to_16k(tas.from_16k(whole, n))[200:-200].numpy()
    np.testing.assert_allclose(made, plain, atol=tolerance * float(plain.std()))


def test_system_puts_the_sound_where_a_network_that_knows_says(net: TasNet, tmp_path) -> None:
    """Levels of windows as different as they may be; the sound's frequencies are those that 16 kHz carries."""
    n = 2 * WINDOW_S * RATE + 777
    low = 0.3 * torch.randn(1, 1, n, generator=generator(8))
    low[..., WINDOW_S * RATE :] *= 0.01
    for _ in range(3):
        low = functional.avg_pool1d(low, 25, 1, 12)
    sound = low[0].numpy()
    knowing = system(net, tmp_path)
    knowing.net = Knowing()
    text = np.zeros(DIM, np.float32)
    text[0] = 0.5
    ears = knowing.spatialize(Audio(sound, RATE), text, guidance=1.0).samples
    np.testing.assert_allclose(
        ears[:, 400:-400], (np.array([[0.75], [0.25]]) * sound)[:, 400:-400], atol=1e-4
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mono": Audio(np.zeros((2, 99)), RATE)}, "`mono` has 2 channels"),
        ({"mono": Audio(np.zeros((1, 99)), 44100)}, "`mono` is at 44100 Hz but must be at 48000 Hz"),
        ({"mono": Audio(np.full((1, 99), np.nan), RATE)}, "`mono` holds NaN"),
        ({"prompt_vector": np.zeros(384)}, r"`prompt_vector` has shape \(384,\) but must be \(12,\)"),
        ({"prompt_vector": np.full(DIM, np.inf)}, "of finite values"),
        ({"guidance": 11.0}, "`guidance` is 11.0 but must be between 0 and 10"),
        ({"guidance": float("nan")}, "`guidance` is nan"),
        ({"steps": 51}, "`steps` is 51"),
    ],
)
def test_bad_input_is_refused(net: TasNet, tmp_path, change: dict, message: str) -> None:
    given = {"mono": Audio(np.zeros((1, 99)), RATE), "prompt_vector": TEXT} | change
    with pytest.raises(InputError, match=message):
        system(net, tmp_path).spatialize(**given)


# --- weights


@pytest.mark.parametrize("mode", MODES)
def test_saved_and_loaded_it_is_the_same_network(tmp_path, mode: str) -> None:
    net = made_net(mode)
    loaded = load_tas(save_tas(net, tmp_path / "w.safetensors", {"steps": 12, "format": "not this one"}))
    assert (loaded.shape, loaded.mode) == (net.shape, mode)
    for name, tensor in net.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor.half().float()), name
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


def test_wrong_and_damaged_weights_are_refused_in_one_line(net: TasNet, tmp_path) -> None:
    good = save_tas(net, tmp_path / "good.safetensors", {})
    tensors, header = load_file(good), {"format": "foleyspace-tas", "version": "1"}
    shape = '{"channels": 16, "layers": 3, "conditions": 8, "dim": 12, "fusion": "saf"}'
    bad = tmp_path / "bad.safetensors"
    whole = good.read_bytes()

    def refused(match: str = "must be a safetensors file of the TAS baseline") -> None:
        with pytest.raises(InputError, match=match) as error:
            TasSystem(bad)
        assert "\n" not in str(error.value)

    refused("does not exist")
    for content in (b"no weights at all" * 99, whole[: len(whole) // 2], whole[:5], b"\xff" * 64):
        bad.write_bytes(content)
        refused()
    save_file(tensors, bad, metadata=header | {"format": "foleyspace-baseline", "net": shape})
    refused("its format is 'foleyspace-baseline'")
    changed = [shape.replace("16", "10000000"), shape.replace("12", "true"), shape.replace('"saf"', '"sum"')]
    for stated in ("", "[]", '{"channels": 16, "fusion": "saf"}', '{"fusion": ["saf"]}', *changed):
        save_file(tensors, bad, metadata=header | {"net": stated})
        refused()
    for other in (
        {name: tensor for name, tensor in tensors.items() if name != "input.weight"},
        tensors | {"more": torch.zeros(1)},
        tensors | {"fusion.value.weight": torch.zeros(3)},
        tensors | {"input.weight": torch.full_like(tensors["input.weight"], torch.nan)},
    ):
        save_file(other, bad, metadata=header | {"net": shape})
        refused()
    save_file(tensors, bad, metadata=header | {"net": shape.replace("saf", "conv")})
    refused()  # the tensors are those of another fusion
    save_file(tensors, bad, metadata=header | {"net": shape})
    assert load_tas(bad).shape == net.shape  # the only one that is whole


def test_levels_of_training_are_those_of_sampling() -> None:
    """A batch however loud is seen at the same level."""
    seen = []

    def net(noisy: Tensor, step: Tensor, mono: Tensor, text: Tensor) -> Tensor:
        seen.append(mono.square().mean(-1).sqrt())
        return noisy

    truth = torch.randn(4, 2, 3000, generator=generator()) * torch.logspace(-4, 2, 4)[:, None, None]
    tas_loss(net, Mixture(truth, words(4)), generator())
    torch.testing.assert_close(seen[0], torch.full((4,), LEVEL))
