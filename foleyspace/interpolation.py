"""HRIRs for any direction out of a measured set.

A measured response is factored into minimum phase x pure delay x what remains (the excess phase; also the
magnitude where it lies below the floor of the logarithm). Between directions the log-magnitude and the
delay are interpolated, the remainder as a phasor; the minimum phase is built again from the interpolated
magnitude. Of the delay only what differs from a sphere's is interpolated: that one has a ridge at the far
side, which straight lines would cut off. So a measured direction comes back exactly, and one in between
has the magnitude it should have, with no comb filter from mixing arrivals at different times.
"""

from __future__ import annotations

import math
import threading
import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.hrir import log_magnitude, minimum_phase
from foleyspace.sphere import SphereMesh, unit_vectors
from foleyspace.spherical_head import SPEED_OF_SOUND, sphere_delay
from foleyspace.types import Hrirs

Floats = NDArray[np.float64]
Spectra = NDArray[np.complex64]

MOST_HEAD_S = 0.12 / SPEED_OF_SOUND  # s for the radius of the largest head
FADE = 32  # samples after the set's last tap in which an interpolated response fades out
GUARD = 16  # samples at either end for a fractional delay to ring in
REFINEMENTS = 2
DISAGREE = 0.3  # below this length a mean of unit phasors counts as undecided and is not stretched to 1
DETAIL_OCTAVE = 1 / 48  # finer detail is each measurement's own noise and late echoes: not interpolated
STEP_DEG = 2.5  # the direction table for moving sources; node_count rows and columns below follow
AZIMUTHS, ELEVATIONS = round(360 / STEP_DEG), round(180 / STEP_DEG) + 1
TABLE_BYTES = 192 * 2**20
PHASE_STEP = 64


class HrirField:
    """The set as a function of direction, on the FFT grid that the renderer filters with.

    `n`: FFT size; `hop`: input samples per block of it; `advance`: samples by which the renderer reads
    ahead so that the earliest sound of the set comes at time zero; `lead`: samples from the begin of the
    first block to time zero, so that its end is `advance` after it. Thread use: one field per thread.
    """

    def __init__(self, hrirs: Hrirs) -> None:
        self.rate = hrirs.rate
        self.radius_m = float(np.median(np.linalg.norm(hrirs.xyz, axis=1)))
        self.mesh = SphereMesh(hrirs.xyz)
        self._ir, delay = hrirs.ir, hrirs.delay - np.floor(hrirs.delay.min())
        sphere = sphere_delay(hrirs.xyz)
        spread = sphere - sphere.mean(axis=0)
        least_squares = (spread * delay).sum() / max((spread**2).sum(), 1e-9)
        self._head = float(np.clip(least_squares, 0, hrirs.rate * MOST_HEAD_S))
        self._own_delay = delay - self._head * sphere
        taps = hrirs.ir.shape[-1]
        self.taps = taps + FADE
        self.span = GUARD + self.taps + int(np.ceil(delay.max() + 1)) + GUARD
        self.n = 1 << max(12, int(np.ceil(np.log2(2.6 * self.span))))
        self.bins = self.n // 2 + 1
        self.hop = (self.n - self.span + 1) // 8 * 8
        onset = (np.abs(hrirs.ir) > 0.2 * np.abs(hrirs.ir).max(axis=-1, keepdims=True)).argmax(axis=-1)
        self.advance = int(np.median(onset)) + GUARD
        self.lead = self.hop - self.advance
        n = 1 << int(np.ceil(np.log2(3 * self.taps)))
        self._window = np.zeros(n, np.float32)
        self._window[:taps] = 1
        self._window[taps : self.taps] = 0.5 + 0.5 * np.cos(np.pi * (np.arange(FADE) + 0.5) / FADE)
        m = len(hrirs.ir)
        self._known = np.zeros(m, bool)
        self._magnitude = np.empty((m, 2, n // 2 + 1), np.float32)
        self._rest = np.empty((m, 2, n // 2 + 1), np.complex64)
        self._node_delay = np.full((AZIMUTHS * ELEVATIONS, 2), np.nan)
        self._capacity = max(1024, TABLE_BYTES // (16 * self.bins))
        self._row_of_node = np.full(AZIMUTHS * ELEVATIONS, -1)
        self._table = np.empty((0, 2, 2 * self.bins), np.float32)
        self._rows = 0
        self.generation = 0
        self._buffers: dict[str, NDArray[Any]] = {}

    def exact(self, directions: Floats) -> tuple[Spectra, Floats]:
        """Spectra (n, 2, K) without delay, and delays (n, 2) in samples (>= 0), for `directions` (n, 2, 3),
        one an ear, or (n, 1, 3)."""
        from scipy import fft

        n = 2 * (self._magnitude.shape[-1] - 1)
        delay = np.empty((len(directions), 2))
        response = np.empty((len(directions), 2, n), np.float32)
        for ear in (0, 1):
            if ear < directions.shape[1]:
                shares = self.mesh.weights(directions[:, ear])
                shares.data[shares.data < 1e-9] = 0
                shares.eliminate_zeros()
            weights = shares
            own = self._head * sphere_delay(directions[:, min(ear, directions.shape[1] - 1)])[:, ear]
            delay[:, ear] = np.maximum(weights @ self._own_delay[:, ear] + own, 0)
            used = np.unique(weights.indices)
            self._factor(used[~self._known[used]])
            weights = weights[:, used].astype(np.float32)
            # 0 at a measured direction, 1 from half-way to the next
            between = np.minimum(1, 2 - 2 * np.asarray(weights.multiply(weights).sum(axis=1)))
            log_mag = np.log(weights @ self._magnitude[used, ear])
            log_mag += between * (smooth_octaves(log_mag, DETAIL_OCTAVE) - log_mag)
            rest = self._rest[used, ear]
            phasor, size = weights @ rest, weights @ np.abs(rest)
            agreed = np.abs(phasor) / np.maximum(size, 1e-20)
            phasor *= np.sqrt((1 + DISAGREE**2) / (agreed**2 + DISAGREE**2))
            wanted = np.exp(log_mag) * size
            spectrum = minimum_phase(log_mag) * phasor
            # Limited to the taps there are, the magnitude is off where phasors cancelled: put it right
            for _ in range(REFINEMENTS):
                spectrum = fft.rfft(fft.irfft(spectrum, n) * self._window)
                spectrum *= wanted / np.maximum(np.abs(spectrum), 1e-9)
            response[:, ear] = fft.irfft(spectrum, n) * self._window
        return fft.rfft(response[..., : self.taps], self.n), delay

    def _factor(self, which: NDArray[np.int_]) -> None:
        from scipy import fft

        n = 2 * (self._magnitude.shape[-1] - 1)
        for start in range(0, len(which), 64):
            part = which[start : start + 64]
            spectrum = fft.rfft(self._ir[part].astype(np.float64), n)
            self._magnitude[part] = np.exp(log_magnitude(spectrum))
            # against the rounded magnitude, so that the product is the measurement again
            smallest = minimum_phase(np.log(self._magnitude[part].astype(np.float64)))
            self._rest[part] = spectrum / smallest
            self._known[part] = True

    def responses(self, directions: Floats) -> Floats:
        """Impulse responses (n, 2, span) with their delays, for `directions` (n, 3), both ears alike;
        the set's earliest sound is at sample `advance`."""
        from scipy import fft

        spectra, delay = self.exact(directions[:, None])
        turned = spectra * np.exp(-2j * np.pi * fft.rfftfreq(self.n) * (delay[..., None] + GUARD))
        return np.asarray(fft.irfft(turned, self.n)[..., : self.span])

    def nodes(self, directions: Floats) -> tuple[NDArray[np.int_], NDArray[np.float32], Floats]:
        """Where `directions` (n, 2, 3) or (n, 1, 3) lie in the direction table: the four nodes around
        (n, 2, 4), their weights (n, 2, 4), and the delays (n, 2) in samples that go with them."""
        x, y, z = np.moveaxis(unit_vectors(directions), -1, 0)
        azimuth = np.degrees(np.arctan2(y, x)) / STEP_DEG % AZIMUTHS
        elevation = np.degrees(np.arctan2(z, np.hypot(x, y))) / STEP_DEG + (ELEVATIONS - 1) / 2
        left = np.floor(azimuth).astype(int)
        below = np.clip(np.floor(elevation).astype(int), 0, ELEVATIONS - 2)
        a, e = azimuth - left, elevation - below
        ids = np.stack([_node(left + i, below + j) for j in (0, 1) for i in (0, 1)], axis=-1)
        weights = np.stack([(1 - a) * (1 - e), a * (1 - e), (1 - a) * e, a * e], axis=-1)
        unknown = np.unique(ids[np.isnan(self._node_delay[ids, 0])])
        if len(unknown):
            where = _node_directions(unknown)
            own = self.mesh.weights(where) @ self._own_delay
            self._node_delay[unknown] = np.maximum(own + self._head * sphere_delay(where), 0)
        if ids.shape[1] == 1:
            delay = np.einsum("nke,nk->ne", self._node_delay[ids[:, 0]], weights[:, 0])
        else:
            delay = np.einsum("nek,nek->ne", self._node_delay[ids, [[0], [1]]], weights)
        weights = weights.astype(np.float32)
        return np.broadcast_to(ids, (len(ids), 2, 4)), np.broadcast_to(weights, (len(ids), 2, 4)), delay

    def table_rows(self, ids: NDArray[np.int_]) -> NDArray[np.int_]:
        """Rows (n, 2, 4) of the table for `nodes`' ids, worked out where they are new. They hold while
        `generation` does not change."""
        return 2 * self._rows_of(ids) + np.array([[0], [1]])

    def filters(
        self,
        rows: NDArray[np.int_],
        weights: NDArray[np.float32],
        coarse: Spectra,
        fine: Spectra,
        every: int = 1,
    ) -> Spectra:
        """Spectra (n, 2, K): a weighted mean of table rows, delayed by `delay_phasors`. With `every` = 2
        each second one is instead the mean of its neighbours (n is odd), which costs less. Overwritten by
        the next call, so that it stays in the processor's cache."""
        n = len(rows)
        rows, weights = rows[::every], weights[::every]
        mixed = self.scratch("mixed", (n, 2, 1, 2 * self.bins), np.float32)
        near = self.scratch("near", (len(rows), 2, 4, 2 * self.bins), np.float32)
        np.take(self._table.reshape(-1, 2 * self.bins), rows, axis=0, out=near, mode="clip")
        np.matmul(weights[:, :, None], near, out=mixed[::every])
        if every == 2:
            np.add(mixed[:-1:2], mixed[2::2], out=mixed[1::2])
            coarse = coarse.copy()
            coarse[1::2] *= 0.5
        spectra = mixed.view(np.complex64)[:, :, 0]
        # the delay's phasors are a geometric sequence: an outer product of two short ones
        delayed = self.scratch("delayed", (n, 2, coarse.shape[2], PHASE_STEP), np.complex64)
        np.multiply(coarse[..., None], fine[:, :, None], out=delayed)
        spectra *= delayed.reshape(n, 2, -1)[..., : self.bins]
        return spectra

    def scratch(self, name: str, shape: tuple[int, ...], dtype: type) -> NDArray[Any]:
        size = math.prod(shape)
        held = self._buffers.get(name)
        if held is None or held.size < size:
            held = self._buffers[name] = np.empty(size, dtype)
        return held[:size].reshape(shape)

    def delay_phasors(self, delay: Floats, gain: Floats) -> tuple[Spectra, Spectra]:
        """Two short sequences whose outer product, (n, 2, K), is the spectrum of `gain` (n, 2) times a delay
        of `delay` (n, 2) samples plus the `GUARD`: every `PHASE_STEP`-th bin, and the steps between."""
        turn = ((delay + GUARD)[..., None] * (-2 * np.pi / self.n)).astype(np.float32)
        coarse = _phasors(turn * np.arange(0, self.bins, PHASE_STEP, dtype=np.float32))
        coarse *= gain.astype(np.float32)[..., None]
        return coarse, _phasors(turn * np.arange(PHASE_STEP, dtype=np.float32))

    def _rows_of(self, ids: NDArray[np.int_]) -> NDArray[np.int_]:
        rows = self._row_of_node[ids]
        if rows.min() >= 0:
            return np.asarray(rows)
        missing = np.unique(ids[rows < 0])
        if self._rows + len(missing) > self._capacity:
            self._row_of_node[:] = -1  # memory stays bounded: start the table again
            self._rows = 0
            self.generation += 1
            missing = np.unique(ids)
        if self._rows + len(missing) > len(self._table):
            size = min(max(2 * len(self._table), self._rows + len(missing), 64), self._capacity)
            grown = np.empty((max(size, self._rows + len(missing)), 2, 2 * self.bins), np.float32)
            grown[: self._rows] = self._table[: self._rows]
            self._table = grown
        for start in range(0, len(missing), 16):
            part = missing[start : start + 16]
            spectra, _ = self.exact(_node_directions(part)[:, None])
            self._table[self._rows : self._rows + len(part)] = spectra.view(np.float32)
            self._row_of_node[part] = self._rows + np.arange(len(part))
            self._rows += len(part)
        return np.asarray(self._row_of_node[ids])


_local = threading.local()  # a field's table and scratch are written to while it is used


def hrir_field(hrirs: Hrirs) -> HrirField:
    """The field of a set, to be used in the thread that asks; the last few are kept while it lives."""
    kept: dict[int, tuple[weakref.ref[Hrirs], HrirField]] = _local.__dict__.setdefault("fields", {})
    known = kept.get(id(hrirs))
    if known is not None and known[0]() is hrirs:
        return known[1]
    for key in [key for key, (ref, _) in kept.items() if ref() is None] or list(kept)[:-3]:
        del kept[key]
    kept[id(hrirs)] = (weakref.ref(hrirs), field := HrirField(hrirs))
    return field


def interpolate_hrirs(hrirs: Hrirs, directions: Floats) -> Floats:
    """Impulse responses (n, 2, taps) of the set for `directions` (n, 3) in the listener frame, any length,
    delays included; time 0 is the earliest sound of the set."""
    field = hrir_field(hrirs)
    return field.responses(np.atleast_2d(np.asarray(directions, np.float64)))[..., field.advance :]


def smooth_octaves(values: NDArray[np.floating], octave: float) -> NDArray[np.floating]:
    """Spectra (..., K) averaged over a width of `octave`."""
    k = np.arange(values.shape[-1], dtype=np.float64)
    reach = k * (2 ** (octave / 2) - 1)
    low, high = k - reach, np.minimum(k + reach, k[-1])
    # the running integral of the straight lines between the bins
    area = np.zeros(values.shape, values.dtype)
    np.cumsum((values[..., 1:] + values[..., :-1]) / 2, axis=-1, out=area[..., 1:])

    def integral(at: Floats) -> NDArray[np.inexact]:
        i = np.minimum(at.astype(int), len(k) - 2)
        t = at - i
        rise = values[..., i + 1] - values[..., i]
        return np.asarray(area[..., i] + t * (values[..., i] + t / 2 * rise))

    mean = (integral(high) - integral(low)) / np.maximum(high - low, 1e-9)
    return np.where(high - low > 0.5, mean, values).astype(values.dtype)


def _phasors(angle: NDArray[np.floating]) -> Spectra:
    # exp(i angle): unlike complex ones, the real functions in float32 are vectorised
    out = np.empty(angle.shape, np.complex64)
    out.real, out.imag = np.cos(angle), np.sin(angle)
    return out


def _node(azimuth: NDArray[np.int_], elevation: NDArray[np.int_]) -> NDArray[np.int_]:
    pole = (elevation == 0) | (elevation == ELEVATIONS - 1)
    return np.asarray(elevation * AZIMUTHS + np.where(pole, 0, azimuth % AZIMUTHS))


def _node_directions(ids: NDArray[np.int_]) -> Floats:
    azimuth, elevation = np.radians(ids % AZIMUTHS * STEP_DEG), np.radians(ids // AZIMUTHS * STEP_DEG - 90)
    across = np.cos(elevation)
    return np.stack([across * np.cos(azimuth), across * np.sin(azimuth), np.sin(elevation)], axis=-1)
