"""Batches of moving sources made binaural in torch, on the CPU or a GPU: what the networks are trained on.

The same physics as `renderer.render` without distance gain, in the plainest form: blocks of 1024 samples
that overlap by half and fade linearly, each filtered with the response for where its source is in its middle.
Between measured directions the responses without delay, and the delays, are weighted means. At rest at a
measured direction that is the renderer's sound; on the way pink noise differs from it by -28 to -35 dB with
KEMAR, less than either differs from measurements that are left out of the set.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from foleyspace.propagation import ear_directions
from foleyspace.spatializer.hrtfs import HrtfBank, Responses
from foleyspace.types import Floats

HOP = 512
GUARD = 16  # samples for a fractional delay to ring in
FILTERS_AT_ONCE = 512  # blocks x sources


def render_batch(signals: Tensor, xyz: Tensor, bank: HrtfBank, which: Tensor) -> Tensor:
    """Binaural sound (B, 2, n) of `signals` (B, K, n) at 48 kHz whose sources are at `xyz` (B, K, T, 3) m at
    T evenly spaced moments of the piece, first and last included, on straight lines in between; piece b is
    heard with set `which[b]` (B,) of the bank. On the device of `signals`, where the bank must be too."""
    pieces = zip(signals, xyz.cpu().numpy(), which.tolist(), strict=True)
    return torch.stack([_render(sounds, path, bank.responses[i]) for sounds, path, i in pieces])


def _render(signals: Tensor, path: Floats, responses: Responses) -> Tensor:
    """(2, n) of signals (K, n) on the paths (K, T, 3)."""
    slots, n = signals.shape
    taps = responses.irs.shape[-1]
    span = 2 * HOP + taps + math.ceil(responses.delay.max()) + 2 * GUARD
    size = 1 << math.ceil(math.log2(span))
    blocks = -(-n // HOP) + 1  # block b is loudest at sample b * HOP
    frames = functional.pad(signals, (HOP, blocks * HOP - n)).unfold(-1, 2 * HOP, HOP)
    fade = 1 - (torch.arange(2 * HOP, device=signals.device) / HOP - 1).abs()
    places = _positions(path, np.arange(blocks) * HOP / n)
    out = signals.new_zeros((2, blocks + size // HOP - 1, HOP))
    step = max(1, FILTERS_AT_ONCE // slots)
    for start in range(0, blocks, step):
        part = slice(start, min(start + step, blocks))
        count = part.stop - start
        spectra = torch.fft.rfft(frames[:, part] * fade, size)
        filters = _filters(places[:, part].reshape(-1, 3), responses, size)
        filtered = (spectra[:, :, None] * filters.unflatten(0, (slots, count))).sum(dim=0)
        sound = torch.fft.irfft(filtered, size).unflatten(-1, (-1, HOP))
        for k in range(size // HOP):
            out[:, start + k : part.stop + k] += sound[:, :, k].transpose(0, 1)
    first = HOP + responses.advance + GUARD
    return out.flatten(1)[:, first : first + n]


def _positions(path: Floats, part: Floats) -> Floats:
    """(K, m, 3) on paths (K, T, 3) at shares `part` (m,) of the piece."""
    at = np.clip(part, 0, 1) * (path.shape[1] - 1)
    low = np.minimum(at.astype(int), max(path.shape[1] - 2, 0))
    high = np.minimum(low + 1, path.shape[1] - 1)
    share = (at - low)[:, None]
    return path[:, low] * (1 - share) + path[:, high] * share


def _filters(xyz: Floats, responses: Responses, size: int) -> Tensor:
    """Spectra (m, 2, size // 2 + 1), delays included, for sources at `xyz` (m, 3) m."""
    directions, gain = ear_directions(np.asarray(xyz, np.float64), True)
    each = [responses.mesh.weights(directions[:, ear]) for ear in range(directions.shape[1])]
    irs = responses.irs
    table, device = irs.flatten(0, 1), irs.device  # row 2 m + ear
    heard, delay = [], np.empty((len(xyz), 2))
    for ear in (0, 1):
        weights = each[ear % len(each)]
        delay[:, ear] = weights @ responses.delay[:, ear]
        rows = torch.from_numpy(2 * weights.indices.astype(np.int64) + ear).to(device)
        begins = torch.from_numpy(weights.indptr[:-1].astype(np.int64)).to(device)
        values = torch.from_numpy(weights.data.astype(np.float32)).to(device)
        heard.append(functional.embedding_bag(rows, table, begins, mode="sum", per_sample_weights=values))
    turn = torch.from_numpy((-2 * np.pi / size * (delay + GUARD)).astype(np.float32)).to(device)
    level = torch.from_numpy(gain.astype(np.float32)).to(device)
    angle = turn[..., None] * torch.arange(size // 2 + 1, device=device)
    return torch.fft.rfft(torch.stack(heard, dim=1), size) * torch.polar(
        level[..., None].expand_as(angle), angle
    )
