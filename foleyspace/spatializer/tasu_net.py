"""The networks of the TASU baseline: autoencoder, latent denoiser, flip classifier. Imports torch."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from foleyspace.spatializer.tasu_bands import BANDS

SHRINK = 4  # bands, and frames, that share a cell of the latent
MULTIPLE = 2 * SHRINK  # frames come in multiples of this
GROUPS = 8  # of the normalisation
HEADS = 4
PLACES = 3  # planes of what is known: level of the mono sound, band, moment
SINUSOIDS = 32
SAME = 1e-4  # variance below which texts count as equal, of unit vectors


class TasuNet(nn.Module):
    """Text-guided audio spatialization by latent diffusion (TASU, ACL 2025), small.

    Kept: mono = L + R is known and D = L - R is generated; a variational autoencoder of D's mel bands;
    diffusion in its latent, conditioned on the mono sound and on the embedding of a free text;
    classifier-free guidance; the "flipper", a classifier of whether a difference and a text agree, taught
    with swapped channels and mirrored texts, which also judges what the denoiser makes in training.
    Simplified: in place of the magnitude, which swapped channels share, the bands hold the complex ratio of D
    to M (`tasu_bands.py`), so no vocoder is needed; the autoencoder, too, is given the mono sound; nothing is
    pretrained but the text encoder, and the text is one vector; 16 kHz, 1.5 M parameters.

    Shapes: B pieces, T frames (a multiple of `MULTIPLE`), latents (B, C, `BANDS` / 4, T / 4). `seen` counts
    the steps of training up to `vae_steps`, during which the autoencoder alone learns; then it is frozen, and
    so are the means and spreads of latents and texts that were met.
    """

    seen: Tensor
    center: Tensor
    spread: Tensor
    text_mean: Tensor
    text_covariance: Tensor

    def __init__(
        self,
        dim: int = 384,
        *,
        text: int = 1,
        flipper: int = 1,
        latents: int = 8,
        channels: int = 64,
        vae_steps: int = 300,
    ) -> None:
        super().__init__()
        self.shape = {"dim": dim, "text": text, "flipper": flipper, "latents": latents, "channels": channels}
        self.vae_steps = vae_steps
        self.vae = RatioVae(latents, channels)
        self.denoiser = LatentDenoiser(latents, channels, dim if text else 0)
        self.flipper = Flipper(latents, channels // 2, dim) if flipper and text else None
        self.register_buffer("seen", torch.zeros(()))
        self.register_buffer("center", torch.zeros(latents, 1, 1))
        self.register_buffer("spread", torch.ones(latents, 1, 1))
        self.register_buffer("text_mean", torch.zeros(dim))
        self.register_buffer("text_covariance", torch.eye(dim) / dim)  # of any unit vectors

    def encode(self, h: Tensor, known: Tensor) -> Tensor:
        """The standardised latent of the picture `h` (B, 2, `BANDS`, T), without noise."""
        mean: Tensor = self.vae.encode(h, known)[0]
        return (mean - self.center) / self.spread

    def words(self, prompt: Tensor) -> Tensor:
        """Texts `prompt` (B, D) as the networks read them: whitened, since "left" and "right" differ where
        captions vary least; zeros (no text) stay zeros."""
        floor = SAME * torch.eye(len(self.text_mean), device=prompt.device)
        root = torch.linalg.cholesky(self.text_covariance + floor)
        white = torch.linalg.solve_triangular(root, (prompt - self.text_mean).T, upper=False).T
        return white * prompt.any(dim=1, keepdim=True)

    def decode(self, latent: Tensor, known: Tensor) -> Tensor:
        """The picture (B, 2, `BANDS`, T) of a standardised latent."""
        h: Tensor = self.vae.decode(latent * self.spread + self.center, known)
        return h


def known_planes(level: Tensor, moment: Tensor) -> Tensor:
    """(B, `PLACES`, `BANDS`, T) of the mono sound's `levels` (B, `BANDS`, T) and of when in the whole sound
    each frame is, `moment` (T,) in [0, 1]."""
    band = torch.linspace(-1, 1, BANDS, device=level.device)[:, None].expand_as(level)
    return torch.stack((level, band, (2 * moment - 1).expand_as(level)), dim=1)


class RatioVae(nn.Module):
    """Pictures (B, 2, `BANDS`, T) to the mean and log variance of latents (B, C, `BANDS` / 4, T / 4), and
    back; the planes of what is known go along both ways."""

    def __init__(self, latents: int, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.encoder = nn.Sequential(
            nn.Conv2d(2 + PLACES, half, 4, stride=2, padding=1),
            _Residual(half),
            nn.Conv2d(half, channels, 4, stride=2, padding=1),
            _Residual(channels),
            nn.Conv2d(channels, 2 * latents, 1),
        )
        self.halved = nn.Conv2d(PLACES, half, 4, stride=2, padding=1)
        self.quartered = nn.Conv2d(half, channels, 4, stride=2, padding=1)
        self.entry = nn.Conv2d(latents, channels, 3, padding=1)
        self.coarse = nn.Sequential(_Residual(channels), nn.Conv2d(channels, 4 * half, 1), nn.PixelShuffle(2))
        self.middle = nn.Sequential(_Residual(half), nn.Conv2d(half, 2 * half, 1), nn.PixelShuffle(2))
        self.known = nn.Conv2d(PLACES, half // 2, 1)
        self.output = nn.Conv2d(half // 2, 2, 3, padding=1)

    def encode(self, h: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance, each (B, C, `BANDS` / 4, T / 4), of the latent of the picture `h` (B, 2,
        `BANDS`, T), whose mono sound is `known` (B, `PLACES`, `BANDS`, T)."""
        mean, log_variance = self.encoder(torch.cat((h, known), dim=1)).chunk(2, dim=1)
        return mean, log_variance.clamp(-12, 4)

    def decode(self, latent: Tensor, known: Tensor) -> Tensor:
        """The picture (B, 2, `BANDS`, T) of a `latent` (B, C, `BANDS` / 4, T / 4) as `encode` gives them."""
        halved = self.halved(known)
        x = self.coarse(self.entry(latent) + self.quartered(functional.silu(halved)))
        x = self.middle(x + halved)
        h: Tensor = self.output(functional.silu(x + self.known(known)))
        return h


class LatentDenoiser(nn.Module):
    """A U-Net of two levels that predicts v (Salimans & Ho 2022, arXiv:2202.00512) of a noisy latent. The
    mono sound comes in as cells of the latent's size, time and text as scale and shift in every block, the
    places see each other in the middle. `dim` 0: a network without text."""

    def __init__(self, latents: int, channels: int, dim: int) -> None:
        super().__init__()
        wide = channels * 3 // 2
        self.mood = _Mood(dim, 2 * channels)
        self.sound = KnownCells(channels)
        self.entry = nn.Conv2d(latents, channels, 3, padding=1)
        self.first = nn.ModuleList(_Residual(channels, 2 * channels) for _ in range(2))
        self.down = nn.Conv2d(channels, wide, 4, stride=2, padding=1)
        self.middle = nn.ModuleList(_Residual(wide, 2 * channels) for _ in range(2))
        self.attention = _Attention(wide)
        self.up = nn.Sequential(nn.Conv2d(wide, 4 * channels, 1), nn.PixelShuffle(2))
        self.last = nn.ModuleList(_Residual(channels, 2 * channels) for _ in range(2))
        self.output = nn.Conv2d(channels, latents, 3, padding=1)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)  # type: ignore[arg-type]

    def forward(self, noisy: Tensor, time: Tensor, known: Tensor, prompt: Tensor) -> Tensor:
        """v (B, C, F, T) of `noisy` at `time` (B,) from 0, clean, to 1, noise alone. `prompt` (B, D) as of
        `TasuNet.words`; unused in a network without text."""
        mood = self.mood(time, prompt)
        x = self.entry(noisy) + self.sound(known)
        for block in self.first:
            x = block(x, mood)
        y = self.middle[0](self.down(x), mood)
        y = self.middle[1](self.attention(y), mood)
        x = x + self.up(y)
        for block in self.last:
            x = block(x, mood)
        v: Tensor = self.output(functional.silu(x))
        return v


class Flipper(nn.Module):
    """Logits (B,) that a latent and a text (`TasuNet.words`) agree, the mono sound being known."""

    def __init__(self, latents: int, channels: int, dim: int) -> None:
        super().__init__()
        self.text = nn.Sequential(nn.Linear(dim, 2 * channels), nn.SiLU())
        self.sound = KnownCells(channels)
        self.entry = nn.Conv2d(latents, channels, 3, padding=1)
        self.blocks = nn.ModuleList(_Residual(channels, 2 * channels) for _ in range(2))
        self.output = nn.Sequential(nn.Linear(3 * channels, channels), nn.SiLU(), nn.Linear(channels, 1))

    def forward(self, latent: Tensor, known: Tensor, prompt: Tensor) -> Tensor:
        text = self.text(prompt)
        x = self.entry(latent) + self.sound(known)
        for block in self.blocks:
            x = block(x, text)
        logit: Tensor = self.output(torch.cat((x.mean(dim=(2, 3)), text), dim=1))[:, 0]
        return logit


class KnownCells(nn.Sequential):
    """What is known (B, `PLACES`, `BANDS`, T) as cells (B, C, `BANDS` / 4, T / 4): an embedding of it."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            nn.Conv2d(PLACES, channels // 2, 4, stride=2, padding=1),
            nn.SiLU(),
            nn.Conv2d(channels // 2, channels, 4, stride=2, padding=1),
            _Residual(channels),
        )


class _Mood(nn.Module):
    """Time and text to (B, width)."""

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.time = nn.Linear(2 * SINUSOIDS, width)
        self.text = nn.Linear(dim, width) if dim else None
        self.output = nn.Sequential(nn.SiLU(), nn.Linear(width, width), nn.SiLU())

    def forward(self, time: Tensor, prompt: Tensor) -> Tensor:
        frequencies = torch.logspace(-1, 1.5, SINUSOIDS, device=time.device) * math.tau
        angles = time[:, None] * frequencies
        mood = self.time(torch.cat((angles.sin(), angles.cos()), dim=1))
        if self.text is not None:
            mood = mood + self.text(prompt)
        out: Tensor = self.output(mood)
        return out


class _Residual(nn.Module):
    """Two convolutions beside the identity, scaled and shifted in between by a condition if there is one."""

    def __init__(self, channels: int, condition: int = 0) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.GroupNorm(GROUPS, channels) for _ in range(2))
        self.convolutions = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))
        self.film = nn.Linear(condition, 2 * channels) if condition else None
        nn.init.zeros_(self.convolutions[1].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        y = self.norms[1](self.convolutions[0](functional.silu(self.norms[0](x))))
        if self.film is not None:
            scale, shift = self.film(condition)[:, :, None, None].chunk(2, dim=1)
            y = torch.addcmul(shift, y, 1 + scale)
        out: Tensor = x + self.convolutions[1](functional.silu(y))
        return out


class _Attention(nn.Module):
    """Every place of (B, C, F, T) looks at all others (Vaswani et al. 2017), beside the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, channels)
        self.read = nn.Conv2d(channels, 3 * channels, 1)
        self.write = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        asked = self.read(self.norm(x)).flatten(2).unflatten(1, (3, HEADS, -1)).transpose(3, 4)
        found = functional.scaled_dot_product_attention(asked[:, 0], asked[:, 1], asked[:, 2])
        out: Tensor = x + self.write(found.transpose(2, 3).flatten(1, 2).unflatten(2, x.shape[2:]))
        return out
