"""How the TASU baseline learns: first the autoencoder, then denoiser and flip classifier. Imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from foleyspace.errors import InputError
from foleyspace.spatializer.dataset import Batch, with_truth
from foleyspace.spatializer.hrtfs import HrtfBank
from foleyspace.spatializer.rate16 import RATE as RATE_16K
from foleyspace.spatializer.rate16 import to_16k
from foleyspace.spatializer.systems import Held, System
from foleyspace.spatializer.tasu import mixed, sample, save_tasu, unmixed
from foleyspace.spatializer.tasu_bands import HOP, heard, levels, loudness, picture
from foleyspace.spatializer.tasu_net import MULTIPLE, Flipper, TasuNet, known_planes

DIVERGENCE = 1e-3  # weight of the latents' Kullback-Leibler divergence from white noise
FOLLOW = 0.05  # how fast the latents' mean and variance are followed
NO_TEXT = 0.1  # how often the text is withheld, for classifier-free guidance
JUDGED = 0.1  # weight in the denoiser's loss of what the flip classifier says of its result
CHECKED_STEPS = 10  # of sampling, in validation


@dataclass(frozen=True)
class Pieces:
    """What a batch is to the networks: `mono` and `difference` (B, n) at 16 kHz, the picture `h` (B, 2,
    `BANDS`, T) of them, what is `known` (B, `PLACES`, `BANDS`, T); the vectors (B, D) of its caption,
    `prompt`, and of its mirror image's, `flipped`."""

    mono: Tensor
    difference: Tensor
    h: Tensor
    known: Tensor
    prompt: Tensor
    flipped: Tensor | None


def make_tasu(
    text: bool = True, flipper: bool = True, dim: int = 384, vae_steps: int = 300, judged: float = JUDGED
) -> System:
    """The baseline, untrained: `text`, `flipper`: with or without (TASU's ablation; no flipper without text);
    `dim`: numbers of a text's embedding; `vae_steps`: how many steps the autoencoder learns, before the
    rest does; `judged`: how much the denoiser learns of the flipper. To be trained in one process: not all of
    it learns at every step."""

    def loss(net: nn.Module, batch: Batch, bank: HrtfBank, generator: torch.Generator) -> Tensor:
        assert isinstance(net, TasuNet)
        return tasu_loss(net, pieces(batch, bank, net), generator, judged)

    net = TasuNet(dim, text=int(text), flipper=int(flipper and text), vae_steps=vae_steps)
    return System(net, loss, validate, save_tasu)


def pieces(batch: Batch, bank: HrtfBank, net: TasuNet) -> Pieces:
    """The batch as it is heard. Raises `InputError` for one without captions, where the network reads them,
    and for pieces too short."""
    truth = (batch if batch.truth is not None else with_truth(batch, bank)).truth
    assert truth is not None
    prompt = batch.prompt
    if prompt is None and net.shape["text"]:
        raise InputError("`batch.prompt` is None but must be the vectors (B, D) of captions")
    if prompt is None:
        prompt = truth.new_zeros((len(truth), net.shape["dim"]))
    return as_pieces(to_16k(truth), prompt, batch.prompt_flipped)


def as_pieces(truth: Tensor, prompt: Tensor, flipped: Tensor | None = None) -> Pieces:
    """Of binaural sound (B, 2, n) at 16 kHz, cut to whole frames. Raises `InputError` for pieces
    too short."""
    frames = truth.shape[-1] // HOP // MULTIPLE * MULTIPLE
    if frames == 0:
        low = HOP * MULTIPLE / RATE_16K
        raise InputError(f"a piece is {truth.shape[-1] / RATE_16K:g} s long but must be {low} s or longer")
    left, right = truth[..., : frames * HOP].unbind(1)
    mono, difference = left + right, left - right
    moment = torch.linspace(0, 1, frames, device=mono.device)
    known = known_planes(levels(mono)[..., :frames], moment)
    h = picture(mono, difference)[..., :frames]
    return Pieces(mono, difference, h, known, prompt, flipped)


def tasu_loss(net: TasuNet, batch: Pieces, generator: torch.Generator, judged: float = JUDGED) -> Tensor:
    """What there is to learn at this step: for the first `net.vae_steps` in training `vae_loss`, then
    `denoiser_loss`, and with a flipper `flipper_loss`. Counts the steps in `net.seen`."""
    if net.seen < net.vae_steps:
        net.seen += 1
        return vae_loss(net, batch, generator)
    both = both_ways(batch)
    with torch.no_grad():
        latent = net.encode(both.h, both.known)
    loss = denoiser_loss(net, both, latent, generator, judged)
    return loss if net.flipper is None else loss + flipper_loss(net, net.flipper, both, latent)[0]


def both_ways(batch: Pieces) -> Pieces:
    """The pieces, then their mirror images, which sound the same in mono and only the text tells apart:
    `flipped`, or none (zeros)."""
    said = torch.zeros_like(batch.prompt) if batch.flipped is None else batch.flipped
    return Pieces(
        torch.cat((batch.mono, batch.mono)),
        torch.cat((batch.difference, -batch.difference)),
        torch.cat((batch.h, -batch.h)),
        torch.cat((batch.known, batch.known)),
        torch.cat((batch.prompt, said)),
        None,
    )


def vae_loss(net: TasuNet, batch: Pieces, generator: torch.Generator) -> Tensor:
    """Mean squared error of the picture that comes back, louder cells weighing more, re that of an empty one;
    and the divergence of the latents (Kingma & Welling 2014). Follows the mean and spread of latents and
    texts."""
    mean, log_variance = net.vae.encode(batch.h, batch.known)
    latent = mean + (log_variance / 2).exp() * _noise(mean, generator)
    error = round_trip_error(batch, net.vae.decode(latent, batch.known))
    divergence = (mean.square() + log_variance.exp() - 1 - log_variance).mean() / 2
    with torch.no_grad():
        variance, center = torch.var_mean(mean, dim=(0, 2, 3), unbiased=False)
        net.center.lerp_(center[:, None, None], FOLLOW)
        net.spread.lerp_(variance.sqrt().clamp(min=1e-3)[:, None, None], FOLLOW)
        texts = batch.prompt if batch.flipped is None else torch.cat((batch.prompt, batch.flipped))
        share = 1 / (1 + float(net.seen))
        net.text_mean.lerp_(texts.mean(dim=0), share)
        apart = texts - net.text_mean
        net.text_covariance.lerp_(apart.T @ apart / len(apart), share)
    return error + DIVERGENCE * divergence


def round_trip_error(batch: Pieces, h: Tensor) -> Tensor:
    """How far the picture `h` is from the batch's: 0 the same, 1 as far as an empty one."""
    weight = loudness(batch.mono, batch.difference)[:, None, :, : h.shape[-1]]
    return ((h - batch.h).square() * weight).sum() / (batch.h.square() * weight).sum().clamp(min=1e-9)


def denoiser_loss(
    net: TasuNet, batch: Pieces, latent: Tensor, generator: torch.Generator, judged: float = JUDGED
) -> Tensor:
    """Mean squared error of v at random times: 1 for a network that says nothing. With a flipper, also, times
    `judged`, how far the clean latents that follow from v are from what it takes for the text's, where there
    is little noise."""
    time = torch.rand(len(latent), generator=generator, device=generator.device).to(latent)
    noisy, v = mixed(latent, _noise(latent, generator), time)
    told = torch.rand(len(latent), generator=generator, device=generator.device) >= NO_TEXT
    told = told.to(latent.device) & batch.prompt.any(dim=1)
    words = net.words(batch.prompt) * told[:, None]
    said = net.denoiser(noisy, time, batch.known, words)
    loss = functional.mse_loss(said, v)
    if net.flipper is None:
        return loss
    fixed = {name: value.detach() for name, value in net.flipper.named_parameters()}
    result = unmixed(noisy, said, time)[0]
    logit = torch.func.functional_call(net.flipper, fixed, (result, batch.known, words))
    weight = told * (time * torch.pi / 2).cos().square()
    return loss + judged * (weight * functional.softplus(-logit)).mean()


def flipper_loss(net: TasuNet, flipper: Flipper, both: Pieces, latent: Tensor) -> tuple[Tensor, Tensor]:
    """Binary cross entropy of the classifier, and how often it is right. It sees every latent of `both_ways`
    with its own text and with the mirror image's."""
    words, told = net.words(both.prompt), both.prompt.any(dim=1).float()
    half = len(words) // 2
    right = flipper(latent, both.known, words)
    wrong = -flipper(latent, both.known, words.roll(half, 0))
    margin, weight = torch.cat((right, wrong)), torch.cat((told, told.roll(half)))
    weight = weight / weight.sum().clamp(min=1)
    return (weight * functional.softplus(-margin)).sum(), (weight * (margin > 0)).sum()


@torch.no_grad()
def validate(net: Any, held: Held) -> dict[str, float]:
    """Means over the held pieces: the denoiser's `loss`; `vae_error` (`round_trip_error`); `difference_db`:
    energy of the error of a sampled difference re the true one, 0 dB being that of mono at both ears; and
    `flipper_right`, a share, where there is a flipper."""
    was_training = net.training
    net.eval()
    rows = []
    for number, piece in enumerate(held.pieces):
        generator = torch.Generator().manual_seed(number)
        batch = pieces(piece, held.bank, net)
        latent = net.encode(batch.h, batch.known)
        time = torch.rand(len(latent), generator=generator).to(latent)
        noisy, v = mixed(latent, _noise(latent, generator), time)
        said = net.denoiser(noisy, time, batch.known, net.words(batch.prompt))
        row = {"loss": float(functional.mse_loss(said, v))}
        row["vae_error"] = float(round_trip_error(batch, net.decode(latent, batch.known)))
        h = sample(net, batch.known, batch.prompt, _noise(latent, generator), steps=CHECKED_STEPS)
        error = (heard(h, batch.mono) - batch.difference).square().sum(dim=1)
        true = batch.difference.square().sum(dim=1).clamp(min=1e-12)
        row["difference_db"] = float((10 * torch.log10(error / true)).mean())
        if net.flipper is not None:
            both = both_ways(batch)
            judged = flipper_loss(net, net.flipper, both, net.encode(both.h, both.known))
            row["flipper_right"] = float(judged[1])
        rows.append(row)
    net.train(was_training)
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def _noise(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator, device=generator.device).to(like)
