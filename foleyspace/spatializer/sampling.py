"""From the network's predictions to masks and stems: the steps along the bridge, guidance, resynthesis."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from foleyspace.spatializer import flow
from foleyspace.spatializer.bands import BANDS, HOP, N_FFT, band_power, level_features, spectrum, to_bins
from foleyspace.spatializer.model import SeparatorNet
from foleyspace.spatializer.nmf import consistent

FINE = HOP // 2  # hop of the resynthesis: the masks are interpolated to it


def predicted_masks(
    net: SeparatorNet,
    sound: Tensor,
    labels: Tensor,
    activity: Tensor,
    *,
    steps: int = 1,
    guidance: float = 1.0,
    seed: int = 0,
    prompt: Tensor | None = None,
    rounds: int = 0,
) -> Tensor:
    """Masks (K, `BANDS`, T) of K slots on the mixture `sound` (n,), which sum to one over the slots.

    `labels` (K, 384), `activity` (K, T) with T = n / `HOP`. Each of the `steps` predicts the stems, then goes
    along the bridge towards them and looks again; `guidance` moves the logits away from those without text
    (classifier-free guidance, Ho & Salimans 2022); `prompt` (D,): the vector of the whole text; `rounds`: of
    making each slot consistent with itself (`nmf.py`), 0 for the network's own masks.
    """
    frames = activity.shape[-1]
    mixture = spectrum(sound)[None, :, :frames]
    power = band_power(mixture)
    sounding = torch.nonzero(power[0].sum(dim=0)).flatten()
    ends = (int(sounding[0]), int(sounding[-1]) + 1) if len(sounding) else (0, frames)
    features = level_features(power, slice(*ends))  # silence around a short sound tells nothing
    labels, activity = labels[None], activity[None]
    generator = torch.Generator().manual_seed(seed)
    share = flow.start_shares(activity, BANDS)
    state = flow.start(mixture, activity) if steps > 1 else None
    masks = share
    whole = None if prompt is None else prompt[None]
    for step in range(steps):
        now = torch.full((1,), step / steps, device=sound.device)
        logits = net(features, labels, activity, share, now, prompt=whole).float()
        if guidance != 1.0:
            plain = net(features, torch.full_like(labels, torch.nan), activity, share, now).float()
            logits = plain + guidance * (logits - plain)
        masks = logits.softmax(dim=1)
        if state is not None and step + 1 < steps:
            noise = torch.randn((*state.shape, 2), generator=generator).to(sound.device)
            state = flow.advance(
                state,
                to_bins(masks) * mixture[:, None],
                mixture,
                step / steps,
                (step + 1) / steps,
                torch.view_as_complex(noise) * 0.5**0.5,
            )
            share = flow.shares(state)
    if rounds > 0:
        masks = consistent(masks, power, activity, rounds)
    silent = activity <= 0
    masks = masks.masked_fill(silent[:, :, None], 0)
    return (masks / masks.sum(dim=1, keepdim=True).clamp(min=1e-9))[0]


def masked_stems(sound: Tensor, masks: Tensor) -> Tensor:
    """(K, n): the stems that `masks` (K, `BANDS`, T) cut out of `sound` (n,).

    Analysis and synthesis with Hann windows at a quarter of their length; where the masks sum to one, the
    stems sum to the sound.
    """
    spectra = spectrum(sound, FINE)
    frames = spectra.shape[-1]
    fine = functional.interpolate(masks, size=2 * masks.shape[-1] - 1, mode="linear", align_corners=True)
    fine = functional.pad(fine, (0, max(0, frames - fine.shape[-1])), mode="replicate")[..., :frames]
    window = torch.hann_window(N_FFT, device=sound.device)
    return torch.istft(to_bins(fine) * spectra, N_FFT, FINE, window=window, length=len(sound))
