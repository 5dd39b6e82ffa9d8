"""The network of the TAS baseline: DiffWave's stack for L - R, conditioned on L + R and words.

Imports torch: import it only where the network is used.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from foleyspace.spatializer.between import at_places
from foleyspace.spatializer.diffwave import Stack, conv, fold, unfold
from foleyspace.spatializer.fusion import Fusion, Mode

# RMS it works at. Most of L - R is at low frequencies: at a higher level it stands out even of the most noise
# that is trained on, so that the network learns to look for it there and not in its conditions
LEVEL = 0.1
PATCH = 16  # neighbouring samples that make one frame: 1000 frames a second at 16 kHz
FFT, HOP = 512, 160  # samples at 16 kHz: the audio features' frames are 10 ms apart
BANDS = 32  # of 8 bins each, 250 Hz
FEATURES = 16  # channels
FLOOR = 1e-4  # of the spectrum's mean power: what is under it is silence to the features


class TasNet(Stack):
    """Noise in a noisy L - R, given L + R and the vector of a text that says where things sound.

    TAS (Li, Zhao & Yuan, Personalized Text-guided Audio Spatialization, ACM MM 2024): a diffusion model of
    dilated convolutions, 3 cycles of 10 layers, at 16 kHz generates the difference of the ears from noise,
    conditioned on the mono waveform and on features of its spectrum into which the text is fused.

    Kept: L + R in, L - R out, both as waveforms at 16 kHz; 30 layers; noise prediction; the fusion
    (`fusion.Fusion`) and its alternatives; text that is dropped in training, for guidance. Simplified:
    - the text is one vector for the whole caption, of an encoder that is not trained along;
    - `PATCH` neighbouring samples are folded into channels (see `Stack`), and the dilations run 1 to 16 six
      times: 30 layers reach 190 ms to either side, as the paper's do on single samples;
    - `channels` is small: it is to be trained in minutes on one core of a CPU;
    - the audio features are the log power in `BANDS` bands and two convolutions.
    Added: the preconditioning of `Stack`; a loss in which all diffusion steps count the same; the fused
    features also as gains on the mono sound, and a first guess at the difference from these alone (it is the
    mono sound, filtered and signed by where it comes from: a product that layers of sums are slow to find).
    """

    def __init__(
        self,
        channels: int = 32,
        layers: int = 30,
        conditions: int = 32,
        dim: int = 384,
        fusion: Mode = "saf",
    ) -> None:
        super().__init__(channels, layers, 2 * conditions, PATCH, sounds=1, level=LEVEL)
        self.shape = {"channels": channels, "layers": layers, "conditions": conditions, "dim": dim}
        self.mode = fusion
        self.features = nn.Sequential(
            nn.Conv2d(1, FEATURES, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(FEATURES, FEATURES, 3, padding=1),
            nn.SiLU(),
        )
        self.fusion = Fusion(fusion, FEATURES, dim)
        self.condition = nn.Conv1d(FEATURES * BANDS, conditions, 1)
        self.carried = conv(PATCH, conditions, kernel=3)
        self.guess = nn.Conv1d(conditions, PATCH, 3, padding=1)
        nn.init.zeros_(self.guess.weight)
        nn.init.zeros_(self.guess.bias)  # type: ignore[arg-type]

    def forward(self, noisy: Tensor, step: Tensor, mono: Tensor, text: Tensor) -> Tensor:
        """The noise (B, 1, n) in `noisy` (B, 1, n) at diffusion `step` (B,), 0 to `STEPS` - 1, fractions
        allowed; `mono` (B, n) at RMS `LEVEL`, `text` (B, D): unit vectors, zeros for none."""
        return self.noise_in(noisy, step, mono, *self.conditioned(mono, text))

    def conditioned(self, mono: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """Conditions (B, C, frames) and first guess (B, 1, n) for `noise_in`, the same at every diffusion
        step."""
        features = self.features(_log_bands(mono / LEVEL)[:, None])
        fused = self.condition(self.fusion(features, text).flatten(1, 2))
        sound = self.carried(fold(mono[:, None] / LEVEL, PATCH))
        fused = _at_frames(fused, sound.shape[-1])
        placed = fused * sound
        return torch.cat((fused, placed), dim=1), unfold(self.guess(placed), mono.shape[-1], PATCH)


def _log_bands(mono: Tensor) -> Tensor:
    """(B, BANDS, T): log10 power of `mono` (B, n) of RMS 1, frame t in the middle of sample `HOP` t."""
    padded = functional.pad(mono, (FFT // 2, FFT // 2))
    window = torch.hann_window(FFT, device=mono.device)
    spectrum = torch.stft(padded, FFT, HOP, window=window, center=False, return_complex=True)[:, 1:]
    power = torch.view_as_real(spectrum).square().sum(-1) / window.square().sum()
    return (power.unflatten(1, (BANDS, -1)).mean(2) + FLOOR).log10()


def _at_frames(x: Tensor, frames: int) -> Tensor:
    """Straight lines between the moments of `x` (B, C, T), `HOP` samples apart, read amid each patch."""
    return at_places(x, ((torch.arange(frames, device=x.device) + 0.5) * PATCH - 0.5) / HOP, -1)
