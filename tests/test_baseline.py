"""The FoleySpace-style baseline: what its sampler, windows and file must do whatever it has learned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from safetensors.torch import load_file, save_file  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from foleyspace.errors import InputError  # noqa: E402
from foleyspace.spatializer import baseline  # noqa: E402
from foleyspace.spatializer.baseline import (  # noqa: E402
    RATE,
    BaselineSystem,
    baseline_loss,
    load_baseline,
    sample,
    save_baseline,
)
from foleyspace.spatializer.baseline_net import PATCH, DiffWaveNet  # noqa: E402
from foleyspace.spatializer.diffwave import BETAS, LEVEL, STEPS, fold, noise_schedule, unfold  # noqa: E402
from foleyspace.spatializer.windows import OVERLAP_S, WINDOW_S, fades, windows  # noqa: E402
from foleyspace.types import Audio, Scene, Source  # noqa: E402

WINDOW, OVERLAP = WINDOW_S * RATE, OVERLAP_S * RATE
N = 4001  # odd, and no whole number of frames


@dataclass(frozen=True)
class Mixture:
    mixture: Tensor
    truth: Tensor | None
    xyz: Tensor
    present: Tensor


class Knowing(nn.Module):
    """Predicts the noise exactly, for it knows the clean pair (B, 2, n), at the sampler's level."""

    def __init__(self, clean: Tensor | None = None) -> None:
        super().__init__()
        self.clean = clean

    def forward(self, noisy: Tensor, step: Tensor, mono: Tensor, xyz: Tensor, present: Tensor) -> Tensor:
        clean = mono[:, None] if self.clean is None else self.clean
        kept = torch.from_numpy(np.interp(step.numpy(), np.arange(STEPS), np.sqrt(np.cumprod(1 - BETAS))))
        kept = kept.to(noisy)[:, None, None]
        return (noisy - kept * clean) / (1 - kept**2).sqrt()


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def net() -> DiffWaveNet:
    """A small network with random weights in its last layer too, which starts at zero."""
    torch.manual_seed(0)
    net = DiffWaveNet(channels=16, layers=3, conditions=8)
    nn.init.normal_(net.output.weight, std=0.2)
    return net.eval()


def places(batch: int = 2, slots: int = 3, moments: int = 9) -> tuple[Tensor, Tensor]:
    xyz = torch.randn(batch, slots, moments, 3, generator=generator(5)) + 0.5
    present = torch.ones(batch, slots, dtype=torch.bool)
    present[0, -1] = False
    return xyz, present


def mono(batch: int = 2, n: int = N) -> Tensor:
    return 0.3 * torch.randn(batch, n, generator=generator(7))


def scene(*ends: tuple[list[float], list[float]], seconds: float = 12.0) -> Scene:
    sources = (Source(str(k), "car", np.array([0.0, seconds]), np.array(path)) for k, path in enumerate(ends))
    return Scene(tuple(sources), seconds)


LEFT_TO_RIGHT = ([1.0, 2.0, 0.0], [1.0, -2.0, 0.5])
BEHIND = ([-2.0, 0.5, 0.0], [-1.0, 0.2, 0.0])


@pytest.mark.parametrize(("n", "slots", "moments"), [(N, 3, 9), (PATCH * 8, 1, 1), (1, 2, 2), (33, 4, 50)])
def test_any_length_slots_and_moments(net: DiffWaveNet, n: int, slots: int, moments: int) -> None:
    xyz, present = places(2, slots, moments)
    noise = net(torch.randn(2, 2, n), torch.tensor([0, 49]), mono(2, n), xyz, present)
    assert noise.shape == (2, 2, n)
    assert noise.isfinite().all()


def test_every_condition_is_used(net: DiffWaveNet) -> None:
    xyz, present = places()
    noisy, step = torch.randn(2, 2, N, generator=generator()), torch.tensor([3.0, 3.0])
    given = (noisy, step, mono(), xyz, present)
    before = net(*given)
    for place, other in ((0, noisy.flip(-1)), (1, step + 20), (2, -mono()), (3, -xyz), (4, ~present)):
        changed = [other if n == place else value for n, value in enumerate(given)]
        assert (net(*changed) - before).abs().mean() > 1e-3, f"input {place} changes nothing"


def test_order_of_sources_and_unused_slots_change_nothing(net: DiffWaveNet) -> None:
    xyz, present = places()
    before = sample(net, mono(), xyz, present, generator=generator())
    order = [2, 0, 1]
    after = sample(net, mono(), xyz[:, order], present[:, order], generator=generator())
    torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-4)  # a sum in another order
    unused = xyz.clone()
    unused[0, -1] = torch.nan
    torch.testing.assert_close(sample(net, mono(), unused, present, generator=generator()), before)


def test_fold_and_unfold_lose_nothing() -> None:
    x = torch.randn(2, 3, N)
    assert torch.equal(unfold(fold(x, PATCH), N, PATCH), x)
    assert torch.equal(
        fold(x, PATCH)[0, PATCH : 2 * PATCH, 4], x[0, 1, 4 * PATCH : 5 * PATCH]
    )  # channel 1, frame 4


def test_nothing_beyond_its_reach_changes_a_sample(net: DiffWaveNet) -> None:
    xyz, present = places()
    noisy, step, sound = torch.randn(2, 2, N), torch.tensor([5, 5]), mono()
    before = net(noisy, step, sound, xyz, present)
    at = 2000
    sound[:, at + net.reach :] = 0
    after = net(noisy, step, sound, xyz, present)
    assert torch.equal(after[..., : at + 1], before[..., : at + 1])
    assert not torch.equal(after, before)


def test_schedules() -> None:
    training = np.cumprod(1 - BETAS)
    np.testing.assert_allclose(noise_schedule(STEPS), BETAS)
    for steps in (2, 3, 12, 25):  # from the noise of the last training step down to that of the first
        kept = np.cumprod(1 - noise_schedule(steps))
        np.testing.assert_allclose(kept[[0, -1]], training[[0, -1]])
    assert training[0] >= np.cumprod(1 - noise_schedule(6))[-1] >= training[-1]  # within what was trained
    for steps in (0, 51, 2.5, True):
        with pytest.raises(InputError, match=r"`steps` is .* between 1 and 50"):
            noise_schedule(steps)  # type: ignore[arg-type]


@pytest.mark.parametrize("steps", [1, 3, 6, 50])
def test_sampler_with_a_network_that_knows_the_noise_finds_the_truth(steps: int) -> None:
    """Only what the float32 division by the smallest noise (1e-2) leaves."""
    truth = 0.3 * torch.randn(2, 2, N, generator=generator(3))
    scale = mono().square().mean(-1).sqrt()[:, None, None] / LEVEL
    found = sample(Knowing(truth / scale), mono(), *places(), steps=steps, generator=generator())
    # a step between two of the training's is read back linearly by `Knowing`: exact to the table's curvature
    torch.testing.assert_close(found, truth, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("steps", [12, 50])
def test_sampler_draws_with_the_right_variance(steps: int) -> None:
    """Of white Gaussian sound the best estimate is linear, so every variance on the way is known: x of the step
    below has the mean c0 E[x0|x] + c1 x (Ho et al. 2020, equation 7) and the variance of its lower bound."""
    level2 = LEVEL**2

    class Linear(nn.Module):
        def forward(self, noisy: Tensor, step: Tensor, *_: Tensor) -> Tensor:
            kept = torch.from_numpy(np.cumprod(1 - BETAS)).float()[step.round().long(), None, None]
            return noisy * (1 - kept).sqrt() / (kept * level2 + 1 - kept)

    betas = noise_schedule(steps)
    kept = np.cumprod(1 - betas)
    before = np.concatenate(([1.0], kept[:-1]))
    variance = 1.0
    for beta, k, b in zip(betas[::-1], kept[::-1], before[::-1], strict=True):
        estimate = np.sqrt(k) * level2 / (k * level2 + 1 - k)
        mean = np.sqrt(b) * beta / (1 - k) * estimate + np.sqrt(1 - beta) * (1 - b) / (1 - k)
        variance = mean**2 * variance + beta * (1 - b) / (1 - k)
    sound = mono(4, 20000)
    drawn = sample(Linear(), sound, *places(4), steps=steps, generator=generator())
    expected = float(sound.std()) * np.sqrt(variance / level2)
    assert drawn.std() == pytest.approx(expected, rel=0.01)  # 160,000 samples
    if steps == 50:  # the sound's own level, but for the lower bound; with few steps that costs much
        assert 0.75 < expected / float(sound.std()) < 1.05


def test_untrained_network_predicts_the_noise_as_well_as_the_level_tells() -> None:
    """Before it learns anything the mean squared error is that of the linear estimate, at every step."""
    torch.manual_seed(0)
    net = DiffWaveNet(channels=16, layers=3, conditions=8)
    clean = LEVEL * torch.randn(1, 2, 30000, generator=generator(1))
    noise = torch.randn(1, 2, 30000, generator=generator(2))
    for step in (0, 10, 49):
        kept = float(np.cumprod(1 - BETAS)[step])
        noisy = np.sqrt(kept) * clean + np.sqrt(1 - kept) * noise
        error = (net(noisy, torch.tensor([step]), clean[:, 0], *places(1)) - noise).square().mean().detach()
        expected = kept * LEVEL**2 / (kept * LEVEL**2 + 1 - kept)
        assert float(error) == pytest.approx(expected, rel=0.03), step


def test_seed_decides_the_samples(net: DiffWaveNet) -> None:
    first, again, other = (sample(net, mono(), *places(), generator=generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert (first - other).abs().max() > 1e-3


def test_louder_in_louder_out_and_silence_stays_silent(net: DiffWaveNet) -> None:
    sound = mono()
    sound[1] = 0
    quiet = sample(net, sound, *places(), generator=generator())
    loud = sample(net, 8 * sound, *places(), generator=generator())
    torch.testing.assert_close(loud, 8 * quiet, atol=1e-5, rtol=1e-4)
    assert (quiet[1] == 0).all()
    assert (quiet[0] != 0).any()


def test_loss_falls_on_one_batch() -> None:
    torch.manual_seed(1)
    net = DiffWaveNet(channels=96, layers=2, conditions=16)
    sound = torch.randn(4, 4000, generator=generator(2)) * torch.logspace(-3, 0, 4)[:, None]  # any level
    batch = Mixture(sound, torch.stack((sound, 0.5 * sound.roll(20, -1)), 1), *places(4))
    optimiser = torch.optim.Adam(net.parameters(), 3e-3)
    losses = []
    for _ in range(30):
        loss = baseline_loss(net, batch, generator())  # the same steps and noise each time
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-5:]) < 0.4 * losses[0]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for name, p in net.named_parameters())


def test_loss_without_truth_says_so(net: DiffWaveNet) -> None:
    with pytest.raises(InputError, match=r"batch\.truth"):
        baseline_loss(net, Mixture(mono(), None, *places()), generator())


@pytest.mark.parametrize("n", [1, 31, 4801, WINDOW, WINDOW + 1, 2 * WINDOW + 77])
def test_windows_cover_every_sample_once(n: int) -> None:
    total = np.zeros(n)
    for start, stop in windows(n, RATE):
        assert start % PATCH == 0
        assert stop - start > OVERLAP or start == 0
        total[start:stop] += fades(start, stop, n, RATE)
    np.testing.assert_allclose(total, 1, atol=1e-6)


@pytest.mark.parametrize("n", [1, 31, 4801, WINDOW + 1])
def test_system_keeps_the_length(net: DiffWaveNet, tmp_path, n: int) -> None:
    system = BaselineSystem(save_baseline(net, tmp_path / "b.safetensors", {}))
    sound = Audio(mono(1, n).numpy(), RATE)
    stereo = system.spatialize(sound, scene(LEFT_TO_RIGHT, BEHIND), seed=4)
    assert stereo.samples.shape == (2, n)
    assert stereo.rate == RATE
    assert np.isfinite(stereo.samples).all()
    again = system.spatialize(sound, scene(LEFT_TO_RIGHT, BEHIND), seed=4)
    np.testing.assert_array_equal(again.samples, stereo.samples)
    assert not np.array_equal(system.spatialize(sound, scene(LEFT_TO_RIGHT), seed=5).samples, stereo.samples)


def test_joins_of_windows_are_not_heard(net: DiffWaveNet, tmp_path) -> None:
    """Windows of a steady tone give what one pass over the whole gives with the same noise: no click, no comb."""
    n = 10 * RATE
    tone = np.sin(2 * np.pi * 1000 / RATE * np.arange(n, dtype=np.float64)).astype(np.float32)[None]
    moving = scene(LEFT_TO_RIGHT, BEHIND, seconds=10.0)
    system = BaselineSystem(save_baseline(net, tmp_path / "b.safetensors", {}))
    windowed = system.spatialize(Audio(tone, RATE), moving, steps=3, seed=9).samples
    draws, parts, at = generator(9), [], 0
    for _, stop in windows(n, RATE):
        parts.append(torch.randn(3, 1, 2, stop - at, generator=draws))
        at = stop
    xyz = torch.from_numpy(baseline._places(moving, 0, n))
    with torch.no_grad():
        whole = baseline._denoise(
            system.net, torch.from_numpy(tone), xyz, torch.ones(1, 2, dtype=torch.bool), torch.cat(parts, -1)
        )
    assert len(parts) == 3
    np.testing.assert_allclose(windowed, whole[0].numpy(), atol=2e-3 * float(whole.std()))


def test_system_hands_the_sound_through_in_place(net: DiffWaveNet, tmp_path) -> None:
    """With a network that knows the answer is the mono sound at both ears, that is what comes out, levels of
    windows as different as they may be."""
    n = 2 * WINDOW + 777
    sound = 0.1 * np.random.default_rng(0).standard_normal((1, n)).astype(np.float32)
    sound[:, WINDOW:] *= 0.01
    system = BaselineSystem(save_baseline(net, tmp_path / "b.safetensors", {}))
    system.net = Knowing()
    stereo = system.spatialize(Audio(sound, RATE), scene(LEFT_TO_RIGHT))
    np.testing.assert_allclose(stereo.samples, np.repeat(sound, 2, 0), atol=1e-4)


@pytest.mark.parametrize(
    ("sound", "message"),
    [
        (Audio(np.zeros((2, 99)), RATE), "`mono` has 2 channels"),
        (Audio(np.zeros((1, 99)), 44100), "`mono` is at 44100 Hz but must be at 48000 Hz"),
        (Audio(np.full((1, 99), np.nan), RATE), "`mono` holds NaN"),
    ],
)
def test_bad_sound_is_refused(net: DiffWaveNet, tmp_path, sound: Audio, message: str) -> None:
    system = BaselineSystem(save_baseline(net, tmp_path / "b.safetensors", {}))
    with pytest.raises(InputError, match=message):
        system.spatialize(sound, scene(LEFT_TO_RIGHT))
    with pytest.raises(InputError, match="is empty but must hold at least one source"):
        system.spatialize(Audio(np.zeros((1, 99)), RATE), Scene((), 1.0))


def test_saved_and_loaded_it_is_the_same_network(net: DiffWaveNet, tmp_path) -> None:
    from safetensors import safe_open

    path = save_baseline(net, tmp_path / "b.safetensors", {"steps": 12, "format": "not this one"})
    loaded = load_baseline(path)
    assert loaded.shape == net.shape
    for name, tensor in net.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor.half().float()), name
    with safe_open(str(path), framework="pt") as file:
        assert file.metadata()["steps"] == "12"
        assert file.metadata()["format"] == "foleyspace-baseline"
    assert [p.name for p in tmp_path.iterdir()] == ["b.safetensors"]


def test_wrong_and_damaged_weights_are_refused_in_one_line(net: DiffWaveNet, tmp_path) -> None:
    good = save_baseline(net, tmp_path / "good.safetensors", {})
    tensors, header = load_file(good), {"format": "foleyspace-baseline", "version": "1"}
    shape = '{"channels": 16, "layers": 3, "conditions": 8}'
    bad = tmp_path / "bad.safetensors"
    whole = good.read_bytes()

    def refused(match: str = "must be a safetensors file of the FoleySpace-style baseline") -> None:
        with pytest.raises(InputError, match=match) as error:
            BaselineSystem(bad)
        assert "\n" not in str(error.value)

    refused("does not exist")
    for content in (b"no weights at all" * 99, whole[: len(whole) // 2], whole[:5], b"\xff" * 64):
        bad.write_bytes(content)
        refused()
    save_file(tensors, bad, metadata={"format": "pt"})
    refused("its format is 'pt'")
    save_file(tensors, bad, metadata=header | {"version": "2", "net": shape})
    refused("its version is '2'")
    for stated in ("", "[]", '{"channels": 16}', shape.replace("16", "10000000"), shape.replace("16", '"x"')):
        save_file(tensors, bad, metadata=header | {"net": stated})
        refused()
    for changed in (
        {name: tensor for name, tensor in tensors.items() if name != "input.weight"},
        tensors | {"more": torch.zeros(1)},
        tensors | {"input.weight": torch.zeros(3)},
        tensors | {"input.weight": torch.full_like(tensors["input.weight"], torch.nan)},
    ):
        save_file(changed, bad, metadata=header | {"net": shape})
        refused()
    save_file(tensors, bad, metadata=header | {"net": shape})
    assert load_baseline(bad).shape == net.shape  # the only one that is whole


def test_a_device_that_is_not_there_is_refused(net: DiffWaveNet, tmp_path) -> None:
    path = save_baseline(net, tmp_path / "b.safetensors", {})
    with pytest.raises(InputError, match="`device` is 'cuda:77'"):
        BaselineSystem(path, device="cuda:77")
