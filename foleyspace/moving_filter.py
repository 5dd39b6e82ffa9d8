"""Filtering with an HRIR that changes all the time, by overlap-save.

A block of `hop` samples is transformed once and filtered with the responses at a few moments of it; the
results are mixed with the Lagrange polynomials of those moments (Chebyshev-Lobatto points, ends included,
so blocks join without a step). For one moment each end that is the usual linear cross-fade; each further
one raises the order of the interpolation, which follows the phase of a moving source far better per
transform than shorter blocks do. How many are used depends on how far the source moves during the block.
A source that rests is convolved with its one response. Blocks lie on a grid from time zero, so that the
result depends on nothing but the sound and the path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from foleyspace.interpolation import HrirField, Spectra
from foleyspace.propagation import AirFilter, ear_directions
from foleyspace.sphere import unit_vectors

Floats = NDArray[np.float64]
Path = Callable[[Floats], tuple[Floats, Floats]]  # times (n,) s -> xyz (n, 3) m, gain (n,)

# Largest angle travelled within a block for a polynomial of this degree: the error of the delay's phasor
# then stays below about -55 dB at 4 kHz. Degree 1 first.
DEGREE_UP_TO_DEG = ((1, 1.5), (2, 4.5), (3, 9.0), (4, 16.0), (6, 28.0))
HATS = 8  # linear pieces a block when it moves faster still, or jumps
JUMP_DEG, JUMP_DB = 15.0, 12.0  # within an eighth of a block
STILL_RAD, STILL_GAIN = 1e-7, 1e-6
EPOCH = 256  # blocks planned at once
SPECTRA_AT_ONCE = 64  # what fits the processor's cache
SILENT, STATIC = -2, -1


@dataclass(frozen=True)
class _Basis:
    """`moments` (J + 1,) in [0, 1] of a block, `mix` (J + 1, hop): what each counts at each sample."""

    moments: Floats
    mix: NDArray[np.float32]


@dataclass(frozen=True)
class _Nodes:
    """Filters of all blocks of one kind in an epoch, one block after the other: parallel arrays."""

    first: NDArray[np.int_]  # row of each block of the epoch, where it is of this kind
    ids: NDArray[np.int_]
    weights: NDArray[np.float32]
    coarse: Spectra
    fine: Spectra
    gain: Floats
    distance: Floats
    directions: Floats
    exact: NDArray[np.bool_]
    any_exact: bool


class MovingFilter:
    """One point source on its way: `path` gives where it is and how loud.

    `air`: absorb high frequencies with distance; `parallax`: a direction for each ear when near.
    """

    def __init__(
        self, field: HrirField, path: Path, parallax: bool = True, air: AirFilter | None = None
    ) -> None:
        self._field, self._path, self._parallax, self._air = field, path, parallax, air
        self._bases = {degree: _lobatto(degree, field.hop) for degree, _ in DEGREE_UP_TO_DEG}
        self._bases[HATS] = _hats(HATS, field.hop)
        self._epoch = -1
        self._kind = np.empty(0, int)
        self._nodes: dict[int, _Nodes] = {}
        self._rows: dict[int, tuple[int, NDArray[np.int_]]] = {}
        self._chains: dict[tuple[int, int], NDArray[np.int_]] = {}
        self._resting: dict[bytes, Spectra] = {}

    def add(self, spectra: Spectra, first: int, out: NDArray[np.float32]) -> None:
        """Add the sound of blocks `first`, `first` + 1, ... to `out` (2, blocks x hop), given the
        `spectra` (blocks, K) of their frames: the `n` samples up to `advance` after the block's end."""
        hop = self._field.hop
        block, last = 0, len(spectra)
        while block < last:
            self._plan((first + block) // EPOCH)
            at = (first + block) % EPOCH
            kind = self._kind[at]
            fits = SPECTRA_AT_ONCE // (2 * (max(kind, 0) + 1)) or 1
            run = 1
            while run < min(fits, last - block, EPOCH - at) and self._kind[at + run] == kind:
                run += 1
            if kind != SILENT:
                render = self._rest if kind == STATIC else self._move
                sound = render(spectra[block : block + run], at, run)
                target = out[:, block * hop : (block + run) * hop].reshape(2, run, hop)
                target += sound.transpose(1, 0, 2)
            block += run

    def forget(self) -> None:
        """Drop what was worked out for the stretch of time last rendered; it is worked out anew if needed."""
        self._epoch = -1
        self._nodes, self._rows, self._chains, self._resting = {}, {}, {}, {}

    def _rest(self, spectra: Spectra, at: int, run: int) -> NDArray[np.float32]:
        from scipy import fft

        nodes = self._nodes[STATIC]
        filters = np.stack([self._exact(nodes, nodes.first[at] + b) for b in range(run)])
        sound = fft.irfft(spectra[:, None] * filters, self._field.n)
        return np.asarray(sound[..., -self._field.hop :])

    def _move(self, spectra: Spectra, at: int, run: int) -> NDArray[np.float32]:
        from scipy import fft

        degree = int(self._kind[at])
        nodes, basis = self._nodes[degree], self._bases[degree]
        chain = self._chain(degree, run) + nodes.first[at] * (degree + 1)
        rows = self._table_rows(degree)[chain]
        filters = self._field.filters(
            rows, nodes.weights[chain], nodes.coarse[chain], nodes.fine[chain], 2 if degree == 2 else 1
        )
        if self._air is not None:
            filters *= self._air.spectra(nodes.distance[chain])[:, None]
        if nodes.any_exact:
            for i in np.flatnonzero(nodes.exact[chain]):
                filters[i] = self._exact(nodes, chain[i])
        step = filters.strides
        shape = (run, degree + 1, 2, self._field.bins)
        shared = np.ndarray(shape, filters.dtype, filters, strides=(step[0] * degree, *step))
        product = self._field.scratch("product", shape, np.complex64)
        np.multiply(spectra[:, None, None], shared, out=product)
        sound = fft.irfft(product, self._field.n)[..., -self._field.hop :]
        return np.asarray(np.einsum("bjes,js->bes", sound, basis.mix))

    def _table_rows(self, degree: int) -> NDArray[np.int_]:
        known = self._rows.get(degree)
        if known is None or known[0] != self._field.generation:
            rows = self._field.table_rows(self._nodes[degree].ids)
            known = self._rows[degree] = (self._field.generation, rows)
        return known[1]

    def _chain(self, degree: int, run: int) -> NDArray[np.int_]:
        """The filters that `run` blocks on end need, of degree + 1 each: they share those at the joints."""
        if (degree, run) not in self._chains:
            each = np.arange(run)[:, None] * (degree + 1) + np.arange(degree)
            self._chains[degree, run] = np.append(each.ravel(), run * (degree + 1) - 1)
        return self._chains[degree, run]

    def _exact(self, nodes: _Nodes, at: int) -> Spectra:
        """Filter (2, K) not out of the table but interpolated for the very direction."""
        directions = nodes.directions[at]
        key = np.round(unit_vectors(directions), 6).tobytes()  # a drift that nobody hears is none
        if key not in self._resting:
            if len(self._resting) > 8:
                self._resting.clear()
            spectra, delay = self._field.exact(directions[None])
            coarse, fine = self._field.delay_phasors(delay, np.ones((1, 2)))
            delayed = (coarse[..., None] * fine[:, :, None]).reshape(2, -1)[:, : self._field.bins]
            self._resting[key] = spectra[0] * delayed
        filters = self._resting[key] * nodes.gain[at].astype(np.float32)[:, None]
        if self._air is not None:
            filters = filters * self._air.spectra(nodes.distance[at][None])
        return np.asarray(filters)

    def _plan(self, epoch: int) -> None:
        """Decide for each block of the epoch how it is rendered and where its filters come from."""
        if epoch == self._epoch:
            return
        first = epoch * EPOCH
        # one block more at either end: a block that moves must meet one that rests at the same filter
        blocks = np.arange(first - 1, first + EPOCH + 1)
        kind = self._classify(blocks)
        before, kind, after = kind[:-2], kind[1:-1], kind[2:]
        self._nodes, self._rows = {}, {}
        for k in np.unique(kind):
            which = np.flatnonzero(kind == k)
            row = np.zeros(EPOCH, int)
            row[which] = np.arange(len(which))
            if k == SILENT:
                continue
            moments = self._bases[k].moments if k > 0 else np.zeros(1)
            xyz, gain = self._at(blocks[1:-1][which], moments)
            directions, ear_gain = ear_directions(xyz, self._parallax)
            gain = gain[:, None] * ear_gain
            ids, weights, delay = self._field.nodes(directions)
            # in the middle of a block of degree 2, half the sum of its ends: the ends are near each other
            scale = np.tile([[1.0], [0.5], [1.0]], (len(which), 1)) if k == 2 else 1.0
            exact = np.zeros((len(which), len(moments)), bool)
            exact[:, 0] = before[which] == STATIC
            exact[:, -1] |= after[which] == STATIC
            self._nodes[int(k)] = _Nodes(
                row,
                ids,
                weights,
                *self._field.delay_phasors(delay, gain * scale),
                gain,
                np.linalg.norm(xyz, axis=1),
                directions,
                exact.ravel(),
                bool(exact.any()),
            )
        self._kind, self._epoch = kind, epoch

    def _classify(self, blocks: NDArray[np.int_]) -> NDArray[np.int_]:
        xyz, gain = self._at(blocks, np.linspace(0, 1, HATS + 1))
        gain = gain.reshape(len(blocks), -1)
        directions, ear_gain = ear_directions(xyz, self._parallax)
        gain = gain * ear_gain.max(axis=1).reshape(gain.shape)
        directions = unit_vectors(directions)
        shape = (len(blocks), -1, *directions.shape[1:])
        step = np.linalg.norm(np.diff(directions.reshape(shape), axis=1), axis=-1).max(axis=-1)
        travel = np.degrees(step.sum(axis=1))
        kind = np.full(len(blocks), HATS)
        for degree, up_to in reversed(DEGREE_UP_TO_DEG):
            kind[travel <= up_to] = degree
        loudest = gain.max(axis=1)
        steady = gain.max(axis=1) - gain.min(axis=1) <= STILL_GAIN * np.maximum(loudest, 1e-12)
        level = 20 * np.log10(np.maximum(gain, 1e-6))
        swing = np.ptp(level, axis=1)
        kind[(swing > 1) & (kind < 3)] = 3
        kind[(swing > 3) & (kind < 4)] = 4
        jump = (np.degrees(step).max(axis=1) > JUMP_DEG) | (np.abs(np.diff(level)).max(axis=1) > JUMP_DB)
        kind[jump] = HATS
        still = (step.sum(axis=1) < STILL_RAD) & steady
        if self._air is not None:
            distance = np.linalg.norm(xyz, axis=1).reshape(len(blocks), -1)
            still &= np.ptp(distance, axis=1) < 1e-4
        kind[still] = STATIC
        kind[loudest == 0] = SILENT
        return kind

    def _at(self, blocks: NDArray[np.int_], moments: Floats) -> tuple[Floats, Floats]:
        times = (blocks[:, None] + moments) * (self._field.hop / self._field.rate)
        return self._path(times.ravel())


@lru_cache(maxsize=32)
def _lobatto(degree: int, hop: int) -> _Basis:
    moments = (1 - np.cos(np.pi * np.arange(degree + 1) / degree)) / 2
    at = np.arange(hop) / hop
    mix = np.ones((degree + 1, hop))
    for j in range(degree + 1):
        for i in range(degree + 1):
            if i != j:
                mix[j] *= (at - moments[i]) / (moments[j] - moments[i])
    return _Basis(moments, mix.astype(np.float32))


@lru_cache(maxsize=8)
def _hats(pieces: int, hop: int) -> _Basis:
    moments = np.linspace(0, 1, pieces + 1)
    mix = np.maximum(0, 1 - np.abs(np.arange(hop) / hop - moments[:, None]) * pieces)
    return _Basis(moments, mix.astype(np.float32))
