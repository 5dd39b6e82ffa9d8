"""Filtering with an HRIR that changes all the time, by overlap-add.

A block of `hop` samples is weighted with the Lagrange polynomials of a few moments of it (Chebyshev-Lobatto
points, ends included, so blocks join without a step); each weighted copy is filtered with the response at
its moment, and they are added up as spectra: weights on the input cost one transform a moment, on the
output one an ear. Degree 1 is the usual linear cross-fade; each further one follows the phase of a moving
source far better per transform than shorter blocks do. It depends on how far the source moves during the
block. A source that rests is convolved with its one response. Blocks lie on a fixed grid, block 0 begins
`lead` samples before time zero, so that the result depends on nothing but the sound and the path.
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
from foleyspace.types import Samples

Floats = NDArray[np.float64]
Path = Callable[[Floats], tuple[Floats, Floats]]  # times (n,) s -> xyz (n, 3) m, gain (n,)

# Largest angle travelled within a block for a polynomial of this degree: the error of the delay's phasor
# then stays below about -50 dB at 4 kHz. Degree 1 first.
DEGREE_UP_TO_DEG = ((1, 1.6), (2, 5.0), (3, 10.0), (4, 17.0), (6, 30.0))
HATS = 8  # cross-fades a block when it moves faster still, or jumps
JUMP_DEG, JUMP_DB = 15.0, 12.0  # within an eighth of a block
STILL_RAD, STILL_GAIN = 1e-7, 1e-6
EPOCH = 256  # blocks planned at once
SPECTRA_AT_ONCE = 80  # what fits the processor's cache
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
    stays: NDArray[np.int_]  # of blocks at rest: counts up where the filter is another than that before


class InputBlocks:
    """Blocks of a signal, `sound` (blocks, hop), and their spectra, padded with zeros to the field's `n`:
    worked out once for all sources that share the signal."""

    def __init__(self, sound: NDArray[np.float32], field: HrirField) -> None:
        self._sound, self._field = sound, field
        self._known: dict[tuple[int, int, int], Spectra] = {}

    def __len__(self) -> int:
        return len(self._sound)

    def spectra(self, first: int, run: int, mix: NDArray[np.float32] | None = None) -> Spectra:
        """Spectra (run, J, K) of `run` blocks from `first` on, each weighted with the J rows of `mix`
        (J, hop), which their number identifies; without, (run, 1, K)."""
        from scipy import fft

        key = (first, run, 0 if mix is None else len(mix))
        if key not in self._known:
            blocks = self._sound[first : first + run, None]
            hop, copies = self._field.hop, 1 if mix is None else len(mix)
            frames = self._field.scratch("frames", (run, copies, self._field.n), np.float32)
            np.multiply(blocks, 1 if mix is None else mix, out=frames[..., :hop])
            frames[..., hop:] = 0
            self._known[key] = fft.rfft(frames)
        return self._known[key]


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
        self._held: dict[int, Spectra] = {}

    def add(self, blocks: InputBlocks, first: int, out: Samples) -> None:
        """Add the sound of blocks `first`, `first` + 1, ... to `out` (2, blocks x hop + n - hop): it begins
        `advance` samples before them, and its last `n` - `hop` samples are the end of their responses."""
        hop, n = self._field.hop, self._field.n
        block, last = 0, len(blocks)
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
                for k, sound in enumerate(render(blocks, block, at, run), start=block):
                    target = out[:, k * hop : k * hop + n]
                    target += sound
            block += run

    def forget(self) -> None:
        """Drop what was worked out for the stretch of time last rendered; it is worked out anew if needed."""
        self._epoch = -1
        self._nodes, self._rows, self._chains, self._resting, self._held = {}, {}, {}, {}, {}

    def _rest(self, blocks: InputBlocks, block: int, at: int, run: int) -> NDArray[np.float32]:
        from scipy import fft

        nodes = self._nodes[STATIC]
        rows = nodes.first[at] + np.arange(run)
        stays = nodes.stays[rows]
        for row, stay in zip(rows, stays, strict=True):
            if stay not in self._held:
                self._held = {k: v for k, v in self._held.items() if k in stays}
                self._held[stay] = self._exact(nodes, row)
        filters = [self._held[stay] for stay in stays[: 1 if stays[0] == stays[-1] else run]]
        return np.asarray(fft.irfft(blocks.spectra(block, run) * np.stack(filters), self._field.n))

    def _move(self, blocks: InputBlocks, block: int, at: int, run: int) -> NDArray[np.float32]:
        from scipy import fft

        degree = int(self._kind[at])
        nodes, basis = self._nodes[degree], self._bases[degree]
        chain = self._chain(degree, run) + nodes.first[at] * (degree + 1)
        rows = self._table_rows(degree)[chain]
        # half-way through a block of degree 2, or two of degree 1, the ends are near each other
        every = 2 if degree == 2 or (degree == 1 and run % 2 == 0) else 1
        weights, coarse, fine = nodes.weights[chain], nodes.coarse[chain], nodes.fine[chain]
        filters = self._field.filters(rows, weights, coarse, fine, every)
        if self._air is not None:
            filters *= self._air.spectra(nodes.distance[chain])[:, None]
        if nodes.any_exact:
            for i in np.flatnonzero(nodes.exact[chain]):
                filters[i] = self._exact(nodes, chain[i])
        step = filters.strides
        shape = (run, degree + 1, 2, self._field.bins)
        shared = np.ndarray(shape, filters.dtype, filters, strides=(step[0] * degree, *step))
        product = self._field.scratch("product", shape, np.complex64)
        np.multiply(blocks.spectra(block, run, basis.mix)[:, :, None], shared, out=product)
        total = product[:, 0]
        for moment in range(1, degree + 1):
            total += product[:, moment]
        return np.asarray(fft.irfft(total, self._field.n))

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
        self._nodes, self._rows, self._held = {}, {}, {}
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
            exact = np.zeros((len(which), len(moments)), bool)
            exact[:, 0] = before[which] == STATIC
            exact[:, -1] |= after[which] == STATIC
            self._nodes[int(k)] = _Nodes(
                row,
                ids,
                weights,
                *self._field.delay_phasors(delay, gain),
                gain,
                np.linalg.norm(xyz, axis=1),
                directions,
                exact.ravel(),
                bool(exact.any()),
                _stays(xyz, gain) if k == STATIC else np.zeros(0, int),
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
        times = (blocks[:, None] + moments) * self._field.hop - self._field.lead
        return self._path(times.ravel() / self._field.rate)


def _stays(xyz: Floats, gain: Floats) -> NDArray[np.int_]:
    changes = (np.diff(xyz, axis=0) != 0).any(axis=1) | (np.diff(gain, axis=0) != 0).any(axis=1)
    return np.cumsum(np.append(False, changes))


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
    # rounded: what enters with a corner leaves louder from the ear canal's resonance
    away = np.minimum(1, np.abs(np.arange(hop) / hop - moments[:, None]) * pieces)
    mix = 0.5 + 0.5 * np.cos(np.pi * away)
    return _Basis(moments, mix.astype(np.float32))
