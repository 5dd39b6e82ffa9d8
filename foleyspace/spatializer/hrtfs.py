"""Measured HRIR sets as spectra on the training device, all sets side by side."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.interpolation import GUARD, HrirField
from foleyspace.spatializer.bands import BINS, N_FFT, RATE
from foleyspace.sphere import SphereMesh, unit_vectors
from foleyspace.types import Floats, Hrirs

log = logging.getLogger("foleyspace")

HELD_SHARE = 0.1


@dataclass(frozen=True)
class Responses:
    """One set as it is rendered with: `irs` (M, 2, N) without their onset delays, on the device; `delay`
    (M, 2) samples, the set's shortest less than one; `advance` samples: the onset within `irs`, which
    rendered sound is early by, as `interpolation.HrirField` reads ahead; `mesh` weighs the directions."""

    irs: Tensor
    delay: Floats
    advance: int
    mesh: SphereMesh


@dataclass(frozen=True)
class HrtfBank:
    """`spectra` (M, 2, `BINS`) complex64 of all measured directions of all sets; set i has the rows
    `first[i]` to `first[i + 1]`, the unit vectors `directions[i]` and, to render with, `responses[i]`."""

    names: tuple[str, ...]
    spectra: Tensor
    first: tuple[int, ...]
    directions: tuple[Floats, ...]
    responses: tuple[Responses, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def rows(self, which: int, xyz: Floats) -> np.ndarray:
        """Rows of the measured directions of set `which` nearest to `xyz` (..., 3)."""
        return self.first[which] + np.argmax(unit_vectors(xyz) @ self.directions[which].T, axis=-1)


def find_sets(folder: str | Path, split: str = "train") -> list[Path]:
    """The SOFA files of a folder: those to train on, or ("held") the tenth kept aside, chosen by the hash of
    their names (all files, where there are fewer than four). Raises `InputError` for a folder without any."""
    files = sorted(Path(folder).glob("*.sofa"))
    if not files:
        raise InputError(f"`hrtfs` is {str(folder)!r} but must be a folder with SOFA files")
    if len(files) < 4:
        return files
    by_hash = sorted(files, key=lambda file: hashlib.sha256(file.name.encode()).hexdigest())
    aside = math.ceil(HELD_SHARE * len(files))
    return sorted(by_hash[:aside] if split == "held" else by_hash[aside:])


def load_bank(files: Sequence[Path], device: torch.device | str = "cpu") -> HrtfBank:
    """All sets of `files` that can be read; one that cannot is named in a warning. Raises
    `FoleyspaceError` where none can be."""
    from foleyspace.hrir import load_hrirs

    names, spectra, first, directions, responses = [], [], [0], [], []
    turn = -2j * np.pi * np.arange(BINS) / N_FFT
    for file in files:
        try:
            hrirs = load_hrirs(file, RATE)
        except InputError as error:
            log.warning("%s is left out: %s", file.name, error)
            continue
        delayed = np.fft.rfft(hrirs.ir, N_FFT) * np.exp(turn * hrirs.delay[..., None])
        spectra.append(torch.from_numpy(delayed.astype(np.complex64)))
        names.append(file.name)
        first.append(first[-1] + len(hrirs.xyz))
        directions.append(unit_vectors(hrirs.xyz))
        responses.append(_responses(hrirs, device))
    if not names:
        raise FoleyspaceError("no HRIR set could be read")
    stacked = torch.cat(spectra).to(device)
    return HrtfBank(tuple(names), stacked, tuple(first), tuple(directions), tuple(responses))


def _responses(hrirs: Hrirs, device: torch.device | str) -> Responses:
    field = HrirField(hrirs)
    return Responses(
        torch.from_numpy(hrirs.ir.copy()).to(device),
        hrirs.delay - np.floor(hrirs.delay.min()),
        field.advance - GUARD,
        field.mesh,
    )
