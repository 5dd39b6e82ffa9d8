"""A trained listener: where each of some named sounds is heard in a binaural mixture.

Its weights ship (`models/LISTENER.md`). Unlike `localizer.py` it knows neither the head nor the scene: it is
asked "where is the dog?" and answers by ear, wrongly at times. Its own errors on the truth belong beside
every figure that it gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace.errors import InputError
from foleyspace.files import check_input
from foleyspace.shipped import shipped_weights
from foleyspace.tensor_file import once_a_version, read_net
from foleyspace.types import Floats
from foleyspace.word_vectors import word_vectors

if TYPE_CHECKING:
    from foleyspace.metrics.listener_net import ListenerNet

FORMAT = "foleyspace-listener-1"
SHIPPED = "listener.safetensors"
RATE = 48000
FRAMES_AT_ONCE = 700  # a minute


@dataclass(frozen=True)
class Reading:
    """What is heard of each of S labels at `times` (T,) s: `sounding` (S, T), how likely it sounds; `xyz`
    (S, T, 3), where, listener frame, metres: direction and distance."""

    labels: tuple[str, ...]
    times: Floats
    sounding: Floats
    xyz: Floats


def load_listener(weights: str | Path | None = None, *, device: str = "cpu") -> ListenerNet:
    """The network, ready: the weights that ship, checked against the package's SHA-256, or those of a file of
    `pipelines.train_listener`. Raises `InputError` for a file that is none, `FoleyspaceError` where those
    that ship are missing or damaged."""
    if weights is not None:
        return _load(check_input(weights, "weights"), device)
    with shipped_weights(SHIPPED) as path:
        return _load(path, device)


def hear_where(
    binaural: NDArray[np.floating], rate: int, labels: Sequence[str], net: ListenerNet | None = None
) -> Reading:
    """Ask where each of `labels` is in `binaural` (2, n) at 48 kHz; by the listener that ships, or `net`.

    A moment is 85 ms. Labels that no word vector is known of are as if nothing were said. Raises
    `InputError` for sound that is not (2, n), finite and at 48 kHz, and where there are no labels.
    """
    binaural = np.asarray(binaural, np.float32)
    if binaural.ndim != 2 or len(binaural) != 2 or binaural.shape[1] == 0:
        raise InputError(f"`binaural` has shape {binaural.shape} but must be (2, n) with n > 0")
    if rate != RATE:
        raise InputError(f"`rate` is {rate} Hz but must be {RATE} Hz")
    if not np.isfinite(binaural).all():
        raise InputError("`binaural` holds NaN or infinite samples but must be finite")
    if not labels:
        raise InputError("`labels` is empty but must name one sound or more")
    import torch

    from foleyspace.metrics.listener_net import FRAME, FRAME_S

    net = net or load_listener()
    device = next(net.parameters()).device
    count = -(-binaural.shape[1] // FRAME)
    sound = torch.from_numpy(np.pad(binaural, ((0, 0), (0, count * FRAME - binaural.shape[1]))))
    vectors = torch.from_numpy(word_vectors(list(labels), offline=True))[None].to(device)
    rows = []
    with torch.inference_mode():
        for part in sound.split(FRAMES_AT_ONCE * FRAME, dim=1):
            logit, direction, log_distance = net(part[None].to(device), vectors)
            unit = torch.nn.functional.normalize(direction, dim=-1)
            placed = unit * log_distance.clamp(-3, 5).exp()[..., None]
            rows.append(torch.cat((logit.sigmoid()[..., None], placed), dim=-1)[0].double().cpu().numpy())
    heard = np.concatenate(rows, axis=1)
    times: Floats = (np.arange(count) + 0.5) * FRAME_S
    return Reading(tuple(labels), times, heard[..., 0], heard[..., 1:])


@once_a_version
def _load(path: Path, device: str) -> ListenerNet:
    import torch

    from foleyspace.device import torch_device
    from foleyspace.metrics.listener_net import ListenerNet

    expected = f"must be a listener's weights ({FORMAT}, made by train_listener)"
    net = read_net(path, expected, FORMAT, lambda _: ListenerNet())
    return net.requires_grad_(False).to(torch_device(device)).to(memory_format=torch.channels_last)
