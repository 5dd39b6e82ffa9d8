"""The TASU baseline: what its picture of the difference, networks, sampler, windows and file must do."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from safetensors.torch import load_file, save_file  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from foleyspace.errors import InputError  # noqa: E402
from foleyspace.spatializer import rate16, tasu  # noqa: E402
from foleyspace.spatializer.dataset import Batch  # noqa: E402
from foleyspace.spatializer.rate16 import from_16k, to_16k  # noqa: E402
from foleyspace.spatializer.systems import Held  # noqa: E402
from foleyspace.spatializer.tasu import RATE, TasuSystem, load_tasu, mixed, sample, save_tasu, unmixed  # noqa: E402
from foleyspace.spatializer.tasu_bands import BANDS, HOP, MOST, heard, levels, loudness, picture  # noqa: E402
from foleyspace.spatializer.tasu_net import MULTIPLE, SAME, SHRINK, TasuNet, known_planes  # noqa: E402
from foleyspace.spatializer.tasu_training import (  # noqa: E402
    Pieces,
    as_pieces,
    both_ways,
    denoiser_loss,
    flipper_loss,
    make_tasu,
    pieces,
    round_trip_error,
    tasu_loss,
    vae_loss,
)
from foleyspace.types import Audio  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

DIM = 12
FRAMES = 32  # one second
N = FRAMES * HOP
LEFT, RIGHT = functional.one_hot(torch.arange(2), DIM).float()


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def made_net(**changes: int) -> TasuNet:
    """A small network with random weights in the layers, too, that start at zero."""
    torch.manual_seed(0)
    net = TasuNet(**{"dim": DIM, "latents": 4, "channels": 16, "vae_steps": 2} | changes)
    for name, weight in net.named_parameters():
        if name.endswith("weight") and not weight.any():
            nn.init.normal_(weight, std=0.1)
    return net.eval()


@pytest.fixture
def net() -> TasuNet:
    return made_net()


def noise(count: int = 2, n: int = N, seed: int = 3) -> Tensor:
    """Pink-like noise (count, n) that comes and goes."""
    spectrum = torch.fft.rfft(torch.randn(count, n, generator=generator(seed)))
    white = torch.fft.irfft(spectrum / (1 + torch.arange(n // 2 + 1) / 200) ** 0.5, n)
    swell = 1 + 0.9 * torch.sin(torch.linspace(0, 9, n) + torch.arange(count)[:, None])
    return 0.1 * white / white.std() * swell


def at(sound: Tensor, azimuth: float) -> Tensor:
    """(B, 2, n) of (B, n) from the side `azimuth` in [-1, 1], left positive: 10 dB and 0.4 ms at most."""
    frequency = torch.arange(sound.shape[-1] // 2 + 1) * (16000 / sound.shape[-1])
    turn = torch.exp(-1j * torch.pi * frequency * 4e-4 * azimuth)
    ears = torch.stack((10 ** (azimuth / 4) / turn, 10 ** (-azimuth / 4) * turn))
    return torch.fft.irfft(torch.fft.rfft(sound)[:, None] * ears, sound.shape[-1])


def mixtures(count: int = 4, seed: int = 3) -> Tensor:
    """(count, 2, n): a hum and a hiss, from places of their own."""
    draw = np.random.default_rng(seed)
    out = []
    for _ in range(count):
        low, high = noise(2, N, int(draw.integers(10**6)))[:, None]
        low = functional.avg_pool1d(low, 9, 1, 4)
        high = high - functional.avg_pool1d(high, 9, 1, 4)
        out.append(at(low, draw.uniform(-1, 1)) + at(high, draw.uniform(-1, 1)))
    return torch.cat(out)


def sides(count: int, seed: int) -> Pieces:
    """One source each, on the left or the right, and texts that say so, also of the mirror image."""
    left = torch.rand(count, generator=generator(seed)) < 0.5
    place = torch.where(left, 1.0, -1.0) * (0.4 + 0.6 * torch.rand(count, generator=generator(seed + 1)))
    sounds = noise(count, N // 2, seed)
    truth = torch.cat([at(sounds[i : i + 1], float(place[i])) for i in range(count)])
    texts = torch.where(left[:, None], LEFT, RIGHT), torch.where(left[:, None], RIGHT, LEFT)
    return as_pieces(truth, *texts)


def decibels(error: Tensor, truth: Tensor) -> float:
    return float(10 * torch.log10(error.square().sum() / truth.square().sum()))


def spectrum(sound: Tensor | np.ndarray) -> np.ndarray:
    """Magnitudes of the middle of (..., n), in decibels re the largest."""
    x = np.asarray(sound)[..., 2000:-2000]
    magnitude = np.abs(np.fft.rfft(x * np.blackman(x.shape[-1])))
    return 20 * np.log10(magnitude / magnitude.max() + 1e-12)


def learn(parameters, loss, steps: int, rate: float = 3e-3) -> None:
    optimiser = torch.optim.Adam(parameters, rate)
    for step in range(steps):
        optimiser.zero_grad()
        loss(step).backward()
        optimiser.step()


# 16 kHz and back


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 4801, 48000])
def test_rates_keep_shape_and_time(n: int) -> None:
    x = torch.randn(2, 3, n, generator=generator())
    down = to_16k(x)
    assert down.shape == (2, 3, -(-n // 3))
    assert from_16k(down, n).shape == x.shape


def test_low_tones_pass_both_ways_unchanged_and_high_ones_are_gone() -> None:
    t = torch.arange(48000, dtype=torch.float64) / 48000
    low, high = (
        torch.sin(2 * torch.pi * 3001 * t)[None].float(),
        torch.sin(2 * torch.pi * 8100 * t)[None].float(),
    )
    inner = slice(2000, -2000)
    back = from_16k(to_16k(low), 48000)
    assert decibels((back - low)[:, inner], low) < -65  # ripple of 0.01 dB at most
    assert decibels(to_16k(high)[:, 1000:-1000], high) < -60 - 4.7  # a third of the samples
    white = from_16k(torch.randn(1, 16000, generator=generator()), 48000)
    hz = np.fft.rfftfreq(44000, 1 / 48000)
    assert spectrum(white)[0, hz > 8050].max() < -55
    assert 7900 > hz[spectrum(white)[0] > -30].max() > 7200
    impulse = torch.zeros(1, 301)
    impulse[0, 150] = 1
    there = from_16k(to_16k(impulse), 301)
    torch.testing.assert_close(there, there.flip(-1), atol=1e-6, rtol=0)  # no delay
    assert rate16.RATE == 16000


# the picture


def test_a_level_difference_is_its_ratio_in_every_cell() -> None:
    sound = noise()
    left, right = 0.9 * sound, 0.3 * sound
    h = picture(left + right, left - right)
    ratio = (0.9 - 0.3) / (0.9 + 0.3)
    loud = loudness(left + right, left - right) > 0.5
    torch.testing.assert_close(
        h[:, 0][loud], torch.full_like(h[:, 0][loud], ratio / np.hypot(1, ratio)), atol=2e-3, rtol=0
    )
    assert h[:, 1][loud].abs().max() < 1e-3
    back = heard(h, left + right)
    assert decibels(back - (left - right), left - right) < -45


@pytest.mark.parametrize("azimuth", [-1.0, -0.3, 0.5, 1.0])
def test_time_and_level_differences_survive(azimuth: float) -> None:
    truth = at(noise(), azimuth)
    mono, difference = truth[:, 0] + truth[:, 1], truth[:, 0] - truth[:, 1]
    h = picture(mono, difference)
    assert torch.sign(h[:, 0].mean()) == np.sign(azimuth)
    assert torch.sign(h[:, 1, :12].mean()) == np.sign(azimuth)  # the leading ear, below 400 Hz
    assert decibels(heard(h, mono) - difference, difference) < -18


def test_of_mixtures_little_is_lost() -> None:
    truth = mixtures()
    mono, difference = truth[:, 0] + truth[:, 1], truth[:, 0] - truth[:, 1]
    assert decibels(heard(picture(mono, difference), mono) - difference, difference) < -10


def test_negating_the_picture_swaps_the_ears() -> None:
    truth = mixtures()
    mono, difference = truth[:, 0] + truth[:, 1], truth[:, 0] - truth[:, 1]
    h = picture(mono, difference)
    torch.testing.assert_close(picture(mono, -difference), -h)
    there, swapped = heard(h, mono), heard(-h, mono)
    torch.testing.assert_close((mono + swapped) / 2, (mono - there) / 2)
    torch.testing.assert_close((mono - swapped) / 2, (mono + there) / 2)
    level = [float((mono + d).square().sum() / (mono - d).square().sum()) for d in (there, swapped)]
    assert level[0] == pytest.approx(1 / level[1], rel=1e-3)


@pytest.mark.parametrize("right", [-1.0, 0.0, 1.0])
def test_silence_and_opposed_ears_stay_finite(right: float) -> None:
    sound = noise()
    sound[0] = 0
    mono, difference = sound + right * sound, sound - right * sound
    h = picture(mono, difference)
    assert h.square().sum(dim=1).max() <= MOST**2 + 1e-6
    assert not h[0].any()
    for part in (heard(h, mono), heard(9 * h, mono), levels(mono), loudness(mono, difference)):
        assert torch.isfinite(part).all()


# the networks


@pytest.mark.parametrize("frames", [8, 32, 72])
def test_shapes(net: TasuNet, frames: int) -> None:
    known = torch.randn(2, 3, BANDS, frames)
    h = torch.randn(2, 2, BANDS, frames)
    latent = net.encode(h, known)
    assert latent.shape == (2, 4, BANDS // SHRINK, frames // SHRINK)
    assert net.decode(latent, known).shape == h.shape
    assert net.denoiser(latent, torch.rand(2), known, torch.randn(2, DIM)).shape == latent.shape
    assert net.flipper(latent, known, torch.randn(2, DIM)).shape == (2,)


def test_every_condition_is_used(net: TasuNet) -> None:
    given = (
        torch.randn(2, 4, 16, 8, generator=generator()),
        torch.tensor([0.2, 0.7]),
        torch.randn(2, 3, BANDS, 32, generator=generator(1)),
        functional.normalize(torch.randn(2, DIM, generator=generator(2)), dim=-1),
    )
    for part, names in ((net.denoiser, (0, 1, 2, 3)), (lambda z, _, k, p: net.flipper(z, k, p), (0, 2, 3))):
        before = part(*given)
        for place in names:
            other = [value.flip(0) if n == place else value for n, value in enumerate(given)]
            assert (part(*other) - before).abs().mean() > 1e-4, f"input {place} changes nothing"
    moved = torch.cat((given[2][:, :2], -given[2][:, 2:]), dim=1)  # only the moment
    assert (net.denoiser(given[0], given[1], moved, given[3]) - net.denoiser(*given)).abs().mean() > 1e-4


def test_without_text_there_is_none() -> None:
    net = make_tasu(text=False, dim=DIM).net
    assert isinstance(net, TasuNet)
    assert net.flipper is None
    assert make_tasu(flipper=False, dim=DIM).net.flipper is None
    nn.init.normal_(net.denoiser.output.weight)
    given = torch.randn(2, 8, 16, 8), torch.rand(2), torch.randn(2, 3, BANDS, 32)
    assert torch.equal(net.denoiser(*given, LEFT.expand(2, -1)), net.denoiser(*given, RIGHT.expand(2, -1)))


def test_what_texts_hardly_differ_in_is_brought_out(net: TasuNet) -> None:
    """After the autoencoder's steps the texts that were met, and others like them, are white; none stays none."""
    draws = generator()
    scales = torch.logspace(-2, 0, DIM)[None]
    like = lambda count: functional.normalize(5 + scales * torch.randn(count, DIM, generator=draws), dim=1)  # noqa: E731
    batch = sides(2, 0)
    for step in range(60):
        net.seen.fill_(step)
        vae_loss(net, replace(batch, prompt=like(16), flipped=like(16)), draws)
    fresh = like(2000)
    white = net.words(fresh).detach()
    variance = torch.linalg.eigvalsh(fresh.T.cov())
    assert variance[-1] > 100 * variance[2]
    found = torch.linalg.eigvalsh(white.T.cov())  # what varies more than `SAME` as much as all else
    torch.testing.assert_close(found, variance / (variance + SAME), rtol=0.25, atol=0.02)
    assert white.mean(dim=0).abs().max() < 0.3
    assert not net.words(torch.zeros(1, DIM)).any()


# diffusion


def test_on_the_way_to_noise_nothing_is_lost() -> None:
    clean, rest = torch.randn(2, 5, 4, 16, 8, generator=generator())
    time = torch.tensor([0.0, 0.1, 0.5, 0.9, 1.0])
    noisy, v = mixed(clean, rest, time)
    torch.testing.assert_close(noisy[0], clean[0])
    torch.testing.assert_close(noisy[-1], rest[-1])
    torch.testing.assert_close(unmixed(noisy, v, time), (clean, rest))
    assert noisy.var() == pytest.approx(1, abs=0.05)


class Knowing(nn.Module):
    """A network whose denoiser knows that the clean latent is the sound's level here, turned round for `RIGHT`."""

    def __init__(self) -> None:
        super().__init__()
        self.shape = {"latents": 1, "dim": DIM}

    def words(self, prompt: Tensor) -> Tensor:
        return prompt

    def clean(self, known: Tensor, prompt: Tensor) -> Tensor:
        return (
            functional.avg_pool2d(known[:, :1], SHRINK) * (prompt[:, 0] - prompt[:, 1])[:, None, None, None]
        )

    def denoiser(self, noisy: Tensor, time: Tensor, known: Tensor, prompt: Tensor) -> Tensor:
        angle = (time * torch.pi / 2)[:, None, None, None]
        return (angle.cos() * noisy - self.clean(known, prompt)) / angle.sin()

    def decode(self, latent: Tensor, known: Tensor) -> Tensor:
        return functional.interpolate(latent, scale_factor=SHRINK).expand(-1, 2, -1, -1)


@pytest.mark.parametrize("steps", [1, 3, 20])
@pytest.mark.parametrize("guidance", [0.0, 1.0, 2.5])
def test_sampler_with_a_network_that_knows_finds_the_truth(steps: int, guidance: float) -> None:
    """What is told is `guidance` times as far from what is not told (here 0)."""
    knowing = Knowing()
    known = torch.randn(2, 3, BANDS, 32, generator=generator())
    prompt = torch.stack((LEFT, RIGHT))
    start = torch.randn(2, 1, 16, 8, generator=generator(1))
    found = sample(knowing, known, prompt, start, steps=steps, guidance=guidance)
    expected = knowing.decode(knowing.clean(known, prompt), known)
    torch.testing.assert_close(found, guidance * expected, atol=1e-4, rtol=1e-4)


def test_untrained_denoiser_predicts_nothing() -> None:
    torch.manual_seed(0)
    net = TasuNet(DIM, latents=4, channels=16, flipper=0)
    latent = torch.randn(8, 4, 16, 24, generator=generator())
    batch = SimpleNamespace(known=torch.randn(8, 3, BANDS, 96), prompt=LEFT.expand(8, -1))
    assert float(denoiser_loss(net, batch, latent, generator()).detach()) == pytest.approx(1, abs=0.05)


def test_text_is_withheld_as_often_as_stated(monkeypatch) -> None:
    net, seen = made_net(flipper=0), []
    monkeypatch.setattr(net.denoiser, "forward", lambda z, t, k, p: seen.append(p) or torch.zeros_like(z))
    batch = SimpleNamespace(known=torch.zeros(500, 3, 8, 8), prompt=LEFT.expand(500, -1))
    denoiser_loss(net, batch, torch.zeros(500, 4, 2, 2), generator())
    share = float((seen[0] == 0).all(dim=1).float().mean())
    assert share == pytest.approx(0.1, abs=0.03)  # of 1000: three standard deviations


# training


def test_autoencoder_learns_to_give_back_what_it_was_given() -> None:
    torch.manual_seed(0)
    net = TasuNet(DIM, latents=8, channels=32)
    batch = as_pieces(mixtures(), LEFT.expand(4, -1))
    draws = generator()
    learn(net.vae.parameters(), lambda _: vae_loss(net, batch, draws), 150)
    with torch.no_grad():
        h = net.decode(net.encode(batch.h, batch.known), batch.known)
        latent = net.encode(batch.h, batch.known)
    assert round_trip_error(batch, torch.zeros_like(batch.h)) == pytest.approx(1)
    assert round_trip_error(batch, h) < 0.1
    assert decibels(heard(h, batch.mono) - batch.difference, batch.difference) < -8
    torch.testing.assert_close(latent.mean(dim=(0, 2, 3)), torch.zeros(8), atol=0.2, rtol=0)
    torch.testing.assert_close(latent.std(dim=(0, 2, 3)), torch.ones(8), atol=0.2, rtol=0)


def test_flip_classifier_learns_which_side_the_text_means() -> None:
    """And is right about sounds and places that it never met."""
    torch.manual_seed(0)
    net = TasuNet(DIM, latents=4, channels=32)
    batches = [both_ways(sides(8, seed)) for seed in range(0, 24, 2)]

    def loss(step: int) -> Tensor:
        batch = batches[step % len(batches)]
        with torch.no_grad():
            latent = net.encode(batch.h, batch.known)
        return flipper_loss(net, net.flipper, batch, latent)[0]

    @torch.no_grad()
    def right(batch: Pieces) -> float:
        both = both_ways(batch)
        return float(flipper_loss(net, net.flipper, both, net.encode(both.h, both.known))[1])

    fresh = sides(32, 1001)
    assert right(fresh) < 0.7
    learn(net.flipper.parameters(), loss, 50)
    for batch in (fresh, replace(fresh, flipped=None)):  # by words or channels, and by channels alone
        assert right(batch) > 0.95


def test_mirror_images_sound_the_same_in_mono() -> None:
    batch = sides(3, 0)
    both = both_ways(batch)
    swapped = as_pieces(
        torch.stack((batch.mono - batch.difference, batch.mono + batch.difference), dim=1) / 2, batch.flipped
    )
    for name in ("mono", "difference", "h", "known", "prompt"):
        there = getattr(both, name)
        torch.testing.assert_close(there[:3], getattr(batch, name))
        torch.testing.assert_close(there[3:], getattr(swapped, name), atol=1e-5, rtol=1e-4)
    assert not both_ways(replace(batch, flipped=None)).prompt[3:].any()


def test_flipper_guides_the_denoiser_and_is_not_taught_by_it() -> None:
    batch = sides(4, 0)
    gradients = []
    for net in (made_net(), made_net(flipper=0)):
        latent = net.encode(batch.h, batch.known).detach()
        net.zero_grad()
        denoiser_loss(net, batch, latent, generator()).backward()
        gradients.append(net.denoiser.output.weight.grad.clone())
        assert all(p.grad is None for name, p in net.named_parameters() if not name.startswith("denoiser"))
    a, b = gradients
    assert (a - b).norm() > 1e-4 * b.norm()


def test_first_the_autoencoder_learns_then_all_else() -> None:
    torch.manual_seed(0)
    net = TasuNet(DIM, latents=4, channels=16, vae_steps=2)
    batch = sides(2, 0)
    optimiser = torch.optim.AdamW(net.parameters(), 1e-3)
    for step in range(5):
        before = {name: value.clone() for name, value in net.state_dict().items()}
        optimiser.zero_grad(set_to_none=True)
        tasu_loss(net, batch, generator(step)).backward()
        optimiser.step()
        changed = {
            name.split(".")[0]
            for name, value in net.state_dict().items()
            if not torch.equal(value, before[name])
        }
        assert changed == (
            {"vae", "center", "spread", "seen", "text_mean", "text_covariance"}
            if step < 2
            else {"denoiser", "flipper"}
        ), step


@pytest.mark.slow
def test_what_is_sampled_is_on_the_side_that_the_text_says() -> None:
    torch.manual_seed(0)
    net = TasuNet(DIM, latents=4, channels=32, vae_steps=80)
    batches = [sides(8, seed) for seed in range(0, 60, 2)]
    learn(net.parameters(), lambda step: tasu_loss(net, batches[step % len(batches)], generator(step)), 300)
    fresh = sides(32, 1001)
    start = torch.randn(32, 4, 16, 4, generator=generator())
    for prompt in (fresh.prompt, fresh.flipped):
        d = heard(sample(net.eval(), fresh.known, prompt, start, steps=10), fresh.mono)
        ild = ((fresh.mono + d).square().sum(dim=1) / (fresh.mono - d).square().sum(dim=1)).log10()
        assert ((ild > 0) == (prompt[:, 0] > 0)).float().mean() > 0.9


def told_batch(n: int = 48000, **changes: Tensor | None) -> Batch:
    nothing = torch.zeros(2, 1)
    truth = from_16k(mixtures(2), n)[..., :n]
    parts = {
        "truth": truth,
        "prompt": torch.stack((LEFT, RIGHT)),
        "prompt_flipped": torch.stack((RIGHT, LEFT)),
    }
    return Batch(*[nothing] * 7, **(parts | changes))


def test_parts_for_training(tmp_path) -> None:
    torch.manual_seed(0)
    system = make_tasu(dim=DIM, vae_steps=1)
    batch = told_batch()
    losses = [system.loss(system.net, batch, None, generator()) for _ in range(2)]
    assert all(loss.ndim == 0 and loss.requires_grad for loss in losses)
    figures = [system.validate(system.net, Held([batch], None)) for _ in range(2)]
    assert figures[0] == figures[1]
    assert set(figures[0]) == {"loss", "vae_error", "difference_db", "flipper_right"}
    assert all(np.isfinite(value) for value in figures[0].values())
    assert system.net.training
    assert (
        load_tasu(system.export(system.net, tmp_path / "t.safetensors", {"steps": 2})).shape
        == system.net.shape
    )


def test_batches_that_do_not_do_are_refused(net: TasuNet) -> None:
    with pytest.raises(InputError, match=r"`batch\.prompt` is None"):
        pieces(told_batch(prompt=None), None, net)
    assert not pieces(told_batch(prompt=None), None, made_net(text=0, flipper=0)).prompt.any()
    with pytest.raises(InputError, match=r"a piece is 0\.1 s long but must be 0\.25 s"):
        pieces(told_batch(4800), None, net)
    assert pieces(told_batch(12000), None, net).h.shape[-1] == MULTIPLE


# the system


@pytest.fixture
def system(net: TasuNet, tmp_path) -> TasuSystem:
    net.center.normal_(generator=generator())
    net.spread.fill_(2.0)
    return TasuSystem(save_tasu(net, tmp_path / "t.safetensors", {}))


def wide(n: int, seed: int = 1) -> Audio:
    return Audio(0.1 * np.random.default_rng(seed).standard_normal((1, n)).astype(np.float32), RATE)


@pytest.mark.parametrize("n", [1, 31, 4801, 5 * RATE + 17])
def test_ears_add_up_to_the_input(system: TasuSystem, n: int) -> None:
    sound = wide(n)
    stereo = system.spatialize(sound, LEFT.numpy(), steps=2)
    assert stereo.samples.shape == (2, n)
    assert stereo.rate == RATE
    assert np.isfinite(stereo.samples).all()
    np.testing.assert_allclose(stereo.samples.sum(axis=0), sound.samples[0], atol=2e-7)
    assert n < 1000 or np.abs(stereo.samples[0] - stereo.samples[1]).max() > 1e-3


def test_no_difference_above_8_khz(system: TasuSystem) -> None:
    left, right = system.spatialize(wide(RATE), LEFT.numpy(), steps=2).samples
    hz = np.fft.rfftfreq(RATE - 4000, 1 / RATE)
    assert spectrum(left - right)[hz > 8050].max() < -50


def test_seed_and_text_decide_the_samples(system: TasuSystem) -> None:
    one = system.spatialize(wide(RATE), LEFT.numpy(), steps=3, seed=1).samples
    np.testing.assert_array_equal(one, system.spatialize(wide(RATE), LEFT.numpy(), steps=3, seed=1).samples)
    for text, seed in ((LEFT, 2), (RIGHT, 1), (0 * LEFT, 1)):
        assert (
            np.abs(one - system.spatialize(wide(RATE), text.numpy(), steps=3, seed=seed).samples).max() > 1e-4
        )


def test_silence_stays_silent(system: TasuSystem) -> None:
    assert not system.spatialize(Audio(np.zeros((1, RATE)), RATE), LEFT.numpy(), steps=2).samples.any()


def test_windows_join_to_what_one_pass_gives(system: TasuSystem, monkeypatch) -> None:
    """Where the picture is the same everywhere, so is what is made of it: over three windows no seam is left."""
    n = 9 * RATE + 100
    monkeypatch.setattr(tasu, "sample", lambda net, known, *_, **__: torch.full_like(known[:, :2], 0.4))
    sound = wide(n)
    stereo = system.spatialize(sound, LEFT.numpy()).samples
    ratio = 0.4 / np.sqrt(1 - 2 * 0.4**2)
    flat = torch.from_numpy(sound.samples)
    once = heard(torch.full((1, 2, BANDS, 8), 0.4), to_16k(flat))
    expected = (flat + from_16k(once, n)) / 2
    np.testing.assert_allclose(stereo[0], expected[0].numpy(), atol=2e-4)
    assert ratio > 0.4


def test_no_click_where_windows_meet(system: TasuSystem) -> None:
    """A steady tone through a network of random weights: around the seams nothing appears beside the tone that
    is not there elsewhere."""
    n = 10 * RATE
    tone = np.sin(2 * np.pi * 440 / RATE * np.arange(n)).astype(np.float32)[None] * 0.3
    left = system.spatialize(Audio(tone, RATE), LEFT.numpy(), steps=3).samples[0]
    size = 4800
    blocks = left[: n // size * size].reshape(-1, size) * np.blackman(size)
    hz = np.fft.rfftfreq(size, 1 / RATE)
    beside = np.abs(np.fft.rfft(blocks))[:, hz > 2000].max(axis=1)
    seams = [b for b in range(len(blocks)) if any(s - 1 < b * 0.1 < s + 0.9 for s in (4.0, 7.0))]
    inner = [b for b in range(3, len(blocks) - 3) if b not in seams]
    assert beside[seams].max() <= 1.5 * beside[inner].max()
    assert np.abs(np.diff(left)).max() < 3 * 0.3 * 2 * np.pi * 440 / RATE


def test_system_puts_the_sound_where_a_network_that_knows_says(system: TasuSystem) -> None:
    system.net = Knowing()
    sound = wide(6 * RATE)
    for text, louder in ((LEFT, 0), (RIGHT, 1)):
        power = np.square(system.spatialize(sound, text.numpy(), steps=4).samples).sum(axis=1)
        assert power[louder] > 1.5 * power[1 - louder]


def test_network_is_told_when_in_the_whole_sound_it_is(system: TasuSystem, monkeypatch) -> None:
    moments = []
    monkeypatch.setattr(
        tasu,
        "sample",
        lambda net, known, *_, **__: moments.append(known[0, 2, 0]) or torch.zeros_like(known[:, :2]),
    )
    system.spatialize(wide(8 * RATE), LEFT.numpy())
    assert len(moments) == 3
    assert moments[0][0] == -1
    assert moments[-1][-1] == pytest.approx(1)
    torch.testing.assert_close(moments[0][96:128], moments[1][:32])  # the second that windows share
    torch.testing.assert_close(
        known_planes(torch.zeros(1, BANDS, 5), torch.linspace(0, 1, 5))[0, 2, 0], torch.linspace(-1, 1, 5)
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mono": Audio(np.zeros((2, 99)), RATE)}, "`mono` has 2 channels"),
        ({"mono": Audio(np.zeros((1, 99)), 44100)}, "`mono` is at 44100 Hz but must be at 48000 Hz"),
        ({"mono": Audio(np.full((1, 99), np.nan), RATE)}, "`mono` holds NaN"),
        ({"prompt_vector": np.zeros(DIM + 1)}, r"`prompt_vector` has shape \(13,\) but must be \(12,\)"),
        ({"prompt_vector": np.full(DIM, np.inf)}, "`prompt_vector` holds NaN or infinite"),
        ({"steps": 0}, "`steps` is 0 but must be a whole number between 1 and 1000"),
        ({"steps": 2.5}, "`steps` is 2.5"),
        ({"steps": True}, "`steps` is True"),
        ({"guidance": -1}, "`guidance` is -1 but must be between 0 and 20"),
        ({"guidance": np.nan}, "`guidance` is nan"),
    ],
)
def test_bad_input_is_refused(system: TasuSystem, change: dict, message: str) -> None:
    given = {"mono": wide(99), "prompt_vector": LEFT.numpy(), "steps": 1} | change
    with pytest.raises(InputError, match=message):
        system.spatialize(**given)


# the file


@pytest.mark.parametrize("shape", [{}, {"flipper": 0}, {"text": 0, "flipper": 0}])
def test_saved_and_loaded_it_is_the_same_network(tmp_path, shape: dict[str, int]) -> None:
    net = made_net(**shape)
    net.seen.fill_(60000)
    loaded = load_tasu(save_tasu(net, tmp_path / "t.safetensors", {"steps": 12}))
    assert loaded.shape == net.shape
    assert not loaded.training
    for name, tensor in net.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor.half().float()), name
    assert [p.name for p in tmp_path.iterdir()] == ["t.safetensors"]


def test_wrong_and_damaged_weights_are_refused_in_one_line(net: TasuNet, tmp_path) -> None:
    good = save_tasu(net, tmp_path / "good.safetensors", {})
    tensors, header = load_file(good), {"format": "foleyspace-tasu", "version": "1"}
    shape = '{"dim": 12, "text": 1, "flipper": 1, "latents": 4, "channels": 16}'
    bad = tmp_path / "bad.safetensors"
    whole = good.read_bytes()

    def refused(match: str = "must be a safetensors file of the TASU baseline") -> None:
        with pytest.raises(InputError, match=match) as error:
            TasuSystem(bad)
        assert "\n" not in str(error.value)

    refused("does not exist")
    for content in (b"no weights at all" * 99, whole[: len(whole) // 2], whole[:5]):
        bad.write_bytes(content)
        refused()
    save_file(tensors, bad, metadata={"format": "pt"})
    refused("its format is 'pt'")
    for stated in (
        "",
        "[]",
        '{"dim": 12}',
        shape.replace("16", "10000000"),
        shape.replace("16", "17"),
        shape.replace("16", '"x"'),
    ):
        save_file(tensors, bad, metadata=header | {"net": stated})
        refused()
    for changed in (
        {name: tensor for name, tensor in tensors.items() if name != "spread"},
        tensors | {"more": torch.zeros(1)},
        tensors | {"spread": torch.zeros(3)},
        tensors | {"spread": torch.full_like(tensors["spread"], torch.nan)},
    ):
        save_file(changed, bad, metadata=header | {"net": shape})
        refused()
    save_file(tensors, bad, metadata=header | {"net": shape})
    assert load_tasu(bad).shape == net.shape  # the only one that is whole


def test_a_device_that_is_not_there_is_refused(net: TasuNet, tmp_path) -> None:
    path = save_tasu(net, tmp_path / "t.safetensors", {})
    with pytest.raises(InputError, match="`device` is 'cuda:77'"):
        TasuSystem(path, device="cuda:77")
