"""The parts of the listener's training: what it hears, what it should have heard, how far it is off."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from foleyspace.camera import angles_to_xyz, xyz_to_angles
from foleyspace.metrics.direction import side_of
from foleyspace.metrics.listener import FORMAT
from foleyspace.metrics.listener_net import FRAME, STEP
from foleyspace.metrics.localizer import lateral_deg, wrapped_deg
from foleyspace.spatializer.between import at_places
from foleyspace.spatializer.dataset import Batch, draw_mixture, make_batch, with_truth
from foleyspace.spatializer.hrtfs import HrtfBank
from foleyspace.spatializer.sounds import SoundSet
from foleyspace.tensor_file import write_tensors
from foleyspace.types import Floats, Samples

SOURCES = {1: 0.35, 2: 0.40, 3: 0.25}  # how often so many sound at once
ABSENT = 0.15  # how often a slot names what does not sound; beside a single source always
LIFT_DEG, LOWEST_DEG, HIGHEST_DEG = 15.0, -45.0, 80.0  # elevation on top of that of the paths
OWN_DB, MIXTURE_DB = 40.0, 20.0  # a source sounds while within these of its loudest and of the mixture
TURNED = 0.5  # how often a path is turned: scenes have little behind the listener
SOUNDING_WEIGHT, DISTANCE_WEIGHT = 0.5, 0.2
DOUBTFUL = 0.05  # of the distance between directions: rounds the tip of the loss
NEAR_M = 1.0


@dataclass(frozen=True)
class Wanted:
    """What should be heard: `sounding` (B, K, T) 0 or 1, `unit` (B, K, T, 3), `log_distance` (B, K, T) of
    metres, `weight` (B, K, T) of each moment: the root of the source's share of the sound, 0 where silent."""

    sounding: Tensor
    unit: Tensor
    log_distance: Tensor
    weight: Tensor


def draw_heard(
    sounds: SoundSet,
    bank: HrtfBank,
    vectors: dict[str, Samples],
    size: int,
    frames: int,
    rng: np.random.Generator,
) -> Batch:
    """A batch with its truth, as `dataset.batches` draws them, but with single sources as often as any and
    over more of the sphere."""
    count = min(int(rng.choice(list(SOURCES), p=list(SOURCES.values()))), len(vectors))
    absent = (count == 1 or rng.random() < ABSENT) and count < len(vectors)
    length = frames * FRAME
    drawn = (draw_mixture(sounds, count + absent, length, rng, absent=absent) for _ in range(size))
    mixtures = [replace(mixture, paths=strewn(mixture.paths, rng)) for mixture in drawn]
    return with_truth(make_batch(mixtures, bank, vectors, frames * STEP, rng), bank)


def strewn(paths: Floats, rng: np.random.Generator) -> Floats:
    """Paths (K, N, 3) with some elevation more or less, and half of them turned to anywhere around, each by
    itself, at the distances they had."""
    azimuth, elevation, distance = xyz_to_angles(paths)
    elevation = elevation + rng.normal(0, LIFT_DEG, (len(paths), 1))
    turned = rng.random((len(paths), 1)) < TURNED
    azimuth = azimuth + turned * rng.uniform(-180, 180, (len(paths), 1))
    return angles_to_xyz(np.stack([azimuth, elevation.clip(LOWEST_DEG, HIGHEST_DEG)], axis=-1), distance)


def mirrored(batch: Batch, which: Tensor) -> Batch:
    """The pieces `which` (B,) bool heard with left and right exchanged: what another head would hear."""
    assert batch.truth is not None
    flip = which.view(-1, 1, 1)
    turn = torch.where(flip[..., None], torch.tensor([1.0, -1.0, 1.0], device=which.device), 1.0)
    return replace(batch, truth=torch.where(flip, batch.truth.flip(1), batch.truth), xyz=batch.xyz * turn)


def wanted(batch: Batch) -> Wanted:
    """What should be heard of a batch."""
    power = batch.stems.unflatten(-1, (-1, FRAME)).square().mean(dim=-1)
    total = power.sum(dim=1, keepdim=True)
    on = power > torch.clamp(10 ** (-OWN_DB / 10) * power.amax(dim=-1, keepdim=True), min=1e-10)
    on &= power > 10 ** (-MIXTURE_DB / 10) * total
    frames, last = power.shape[-1], batch.xyz.shape[2] - 1
    xyz = at_places(batch.xyz, (torch.arange(frames, device=power.device) + 0.5) / frames * last, 2)
    distance = xyz.norm(dim=-1).clamp(min=0.01)
    share = power / total.clamp(min=1e-20)
    return Wanted(on.float(), xyz / distance[..., None], distance.log(), on * share.sqrt())


def listener_loss(net: nn.Module, batch: Batch, labels: Tensor) -> Tensor:
    """Cross entropy of sounding or not; the distance of directions, not squared, so that where two are
    possible the likelier one wins rather than the middle; and that of the logarithms of metres.

    `labels` (B, K, 384): as the batch's, or with noise. Moments count by `Wanted.weight`.
    """
    assert batch.truth is not None
    target = wanted(batch)
    stranger = None if batch.stranger is None else int(batch.stranger)
    logit, direction, log_distance = net(batch.truth, labels, stranger)
    total = target.weight.sum().clamp(min=1e-6)
    off = (direction - target.unit).square().sum(dim=-1).add(DOUBTFUL**2).sqrt()
    far = functional.smooth_l1_loss(log_distance, target.log_distance, reduction="none")
    return (
        SOUNDING_WEIGHT * functional.binary_cross_entropy_with_logits(logit, target.sounding)
        + (off * target.weight).sum() / total
        + DISTANCE_WEIGHT * (far * target.weight).sum() / total
    )


@torch.no_grad()
def score(net: nn.Module, pieces: list[Batch]) -> dict[str, float]:
    """Figures over all moments at which a source sounds, those of sources alone (`alone_`) and of several
    (`mixed_`): medians of the angle to the truth, and of azimuth (front and back as they are) and elevation
    errors, degrees; % of moments on the right side (left, centre, right) and on the right one of front and
    back, where it can be told; near (within 1 m) or far, % as the mean of the two; % sounding or not."""
    net.eval()
    parts: dict[str, list[Floats]] = {"alone": [], "mixed": []}
    sounding = []
    for batch in pieces:
        target = wanted(batch)
        logit, direction, log_distance = net(batch.truth, batch.labels)
        on = target.sounding > 0
        sounding.append(((logit > 0) == on).float().mean().item())
        fields = (target.unit, functional.normalize(direction, dim=-1), target.log_distance[..., None])
        rows = torch.cat((*fields, log_distance[..., None]), dim=-1)[on]
        alone = int(batch.present.sum(dim=1).max()) == 1
        parts["alone" if alone else "mixed"].append(rows.double().cpu().numpy())
    net.train()
    figures = {"sounding": 100 * float(np.mean(sounding))}
    for name, each in parts.items():
        if each:
            figures |= {f"{name}_{k}": v for k, v in _figures(np.concatenate(each)).items()}
    return figures


def _figures(rows: Floats) -> dict[str, float]:
    """`rows` (N, 8): unit vectors of truth and answer, logarithms of the distances of both."""
    azimuth, elevation, _ = xyz_to_angles(rows[:, :3])
    found, height, _ = xyz_to_angles(rows[:, 3:6])
    angle = np.degrees(np.arccos(np.clip((rows[:, :3] * rows[:, 3:6]).sum(axis=1), -1, 1)))
    sides = [side_of(lateral_deg(a, e)) for a, e in ((azimuth, elevation), (found, height))]
    telling = np.abs(rows[:, 0]) > math.sin(math.radians(20))
    near, told = rows[:, 6] < math.log(NEAR_M), rows[:, 7] < math.log(NEAR_M)
    shares = [(told == near)[near == kind].mean() for kind in (True, False) if (near == kind).any()]
    return {
        "angle": float(np.median(angle)),
        "azimuth": float(np.median(np.abs(wrapped_deg(found - azimuth)))),
        "elevation": float(np.median(np.abs(height - elevation))),
        "side": 100 * float((sides[0] == sides[1]).mean()),
        "front_back": 100 * float((rows[:, 0] * rows[:, 3] > 0)[telling].mean()) if telling.any() else 50.0,
        "near_far": 100 * float(np.mean(shares)),
    }


def export(net: nn.Module, path: Path, notes: dict[str, Any]) -> Path:
    """Write the weights as float16 safetensors, `notes` in the header."""
    return write_tensors(path, net.state_dict(), {"format": FORMAT} | notes)
