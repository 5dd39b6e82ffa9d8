"""A room around the listener: early reflections that follow the source, and a diffuse late tail.

The room is a shoebox of ordinary proportions and absorption whose size follows from the reverberation
time (Sabine). Its six first-order image sources are filtered with the HRIRs of their directions; the tail
is noise that decays faster at high frequencies, with the spectrum and the interaural coherence that a
diffuse sound field has at this listener's ears. The level of both together follows from the
direct-to-reverberant ratio.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace import propagation
from foleyspace.hrir import sphere_weights
from foleyspace.interpolation import HrirField
from foleyspace.propagation import SPEED_OF_SOUND
from foleyspace.types import Hrirs, Room, Samples, Source

if TYPE_CHECKING:
    from foleyspace.renderer import RenderOptions

Floats = NDArray[np.float64]

PROPORTIONS = np.array([1.7, 1.3, 1.0])  # depth, width, height
ABSORPTION = 0.3
HEIGHT_RANGE_M = (2.2, 12.0)
LISTENER = np.array([0.45, 0.47, 0.4])  # place in the room, as shares: off centre, so that echoes differ
WALL_MARGIN_M = 0.3
FARTHEST_SEND_M = 10.0
# Octave bands and their reverberation time re the one asked for, which holds at mid frequencies (ISO 3382)
OCTAVES_HZ = (125, 250, 500, 1000, 2000, 4000, 8000, 16000)
DECAY_RATIO = (1.0, 1.0, 1.0, 1.0, 0.98, 0.95, 0.88, 0.8)


class RoomSound:
    """Adds the room's sound, chunk after chunk of `chunk` samples each, to what the sources send.

    The level of the reverberation does not depend on a source's distance: with the distance law on, a
    source sends with its gain alone; with it off, a distant source's direct sound is louder than it would
    be, and it sends more in proportion (up to 10 m), which keeps the ratio at the listener.
    """

    def __init__(
        self,
        room: Room,
        hrirs: Hrirs,
        field: HrirField,
        sources: Sequence[Source],
        options: RenderOptions,
        chunk: int,
    ) -> None:
        self._field, self._sources, self._options, self._chunk = field, sources, options, chunk
        height = np.clip(room.rt60_s * ABSORPTION / 0.161 / _volume_per_surface(PROPORTIONS), *HEIGHT_RANGE_M)
        self._size = PROPORTIONS * height
        absorbed = 0.161 * _volume_per_surface(self._size) / room.rt60_s
        self._kept = np.sqrt(1 - np.clip(absorbed, 0.05, 0.95))
        direct = float((_energy(hrirs.ir) * sphere_weights(hrirs.xyz)[:, None]).sum())
        total = direct * 10 ** (-room.drr_db / 10)
        # what a diffuse decay would hold before the last first-order echo, shared by echoes and tail
        before = 2 * self._size.max() / SPEED_OF_SOUND
        share = 0.4 * (1 - np.exp(-13.8 * before / room.rt60_s))
        self._early_energy = share * total
        predelay = 2 * min(self._size * np.minimum(LISTENER, 1 - LISTENER)) / SPEED_OF_SOUND * 0.5
        tail = diffuse_tail(hrirs, room.rt60_s, predelay, options.seed)
        tail *= np.sqrt((1 - share) * total / (tail**2).sum())
        self._tail = _PartitionedFilter(tail, chunk)
        farthest = 2 * np.linalg.norm(self._size) / SPEED_OF_SOUND * field.rate
        self._early_taps = int(farthest) + field.span
        self._history = np.zeros((len(sources), self._early_taps), np.float32)
        self._latest: list[tuple[bytes, NDArray[np.float32]] | None] = [None] * len(sources)

    def add(self, signals: Sequence[Samples], start: int, out: Samples) -> None:
        """`signals`: each source's dry sound (chunk,) from sample `start` on. To be called in order."""
        sent = np.zeros(self._chunk, np.float32)
        for i, (source, signal) in enumerate(zip(self._sources, signals, strict=True)):
            sound = signal * self._send_gain(source, start)
            sent += sound
            padded = np.concatenate([self._history[i], sound])
            self._history[i] = padded[-self._early_taps :]
            filters = [self._early(i, (start + k) / self._field.rate) for k in (0, self._chunk)]
            if padded.any():
                self._add_early(padded, filters, out)
        out += self._tail(sent)

    def _send_gain(self, source: Source, start: int) -> NDArray[np.float32]:
        grid = np.arange(0, self._chunk + 64, 64)
        times = (start + grid) / self._field.rate
        gain = propagation.gain(source, times)
        if not self._options.distance_gain:
            distance = np.linalg.norm(propagation.position(source, times), axis=1)
            gain = gain * np.clip(distance, propagation.NEAREST_M, FARTHEST_SEND_M)
        return np.interp(np.arange(self._chunk), grid, gain).astype(np.float32)

    def _add_early(self, padded: Samples, filters: list[NDArray[np.float32]], out: Samples) -> None:
        from scipy import fft

        n = fft.next_fast_len(len(padded), real=True)
        spectrum = fft.rfft(padded, n)
        sounds = [
            fft.irfft(spectrum * fft.rfft(response, n), n)[:, len(padded) - self._chunk : len(padded)]
            for response in (filters if filters[0] is not filters[1] else filters[:1])
        ]
        out += sounds[0]
        if len(sounds) == 2:
            fade = np.arange(self._chunk, dtype=np.float32) / self._chunk
            out += fade * (sounds[1] - sounds[0])

    def _early(self, index: int, time: float) -> NDArray[np.float32]:
        """Response (2, taps) of the six walls for where source `index` is at `time` s."""
        position = propagation.position(self._sources[index], np.array([time]))[0]
        key = position.tobytes()
        known = self._latest[index]
        if known is not None and known[0] == key:
            return known[1]
        response = self._image_response(position).astype(np.float32)
        self._latest[index] = (key, response)
        return response

    def _image_response(self, position: Floats) -> Floats:
        listener = LISTENER * self._size
        margin = np.minimum(WALL_MARGIN_M, self._size / 4)
        source = np.clip(listener + position, margin, self._size - margin)
        images = np.repeat(source[None], 6, axis=0)
        for axis in range(3):
            images[2 * axis, axis] = -source[axis]
            images[2 * axis + 1, axis] = 2 * self._size[axis] - source[axis]
        images -= listener
        distance = np.linalg.norm(images, axis=1)
        extra = distance - np.linalg.norm(source - listener)
        delay = np.maximum(extra, 0) / SPEED_OF_SOUND * self._field.rate
        responses = self._field.responses(images)[..., self._field.advance :]
        out = np.zeros((2, self._early_taps))
        for response, gain, at in zip(
            responses, self._kept / distance, delay.round().astype(int), strict=True
        ):
            out[:, at : at + response.shape[1]] += gain * response
        return out * np.sqrt(self._early_energy / (out**2).sum())


def diffuse_tail(hrirs: Hrirs, rt60_s: float, predelay_s: float, seed: int = 0) -> Floats:
    """Late reverberation (2, n) at both ears, not scaled, that begins `predelay_s` after the direct sound.

    Gaussian noise in octave bands, each with its own decay; the mean power at either ear and the
    coherence between them are those of sounds from all directions at once (Borss & Martin, An improved
    parametric model for perception-based design of virtual acoustics, AES 35, 2009).
    """
    from scipy import fft

    rate = hrirs.rate
    n = fft.next_fast_len(int(1.15 * rt60_s * rate), real=True)
    f = fft.rfftfreq(n, 1 / rate)
    left, right, coherence = _diffuse_field(hrirs)
    grid = np.linspace(0, rate / 2, len(left))
    level = np.sqrt(np.stack([np.interp(f, grid, left), np.interp(f, grid, right)]))
    alike = np.interp(f, grid, coherence)
    rng = np.random.default_rng([seed, 2])
    first, second = fft.rfft(rng.standard_normal((2, n)))
    common, apart = np.sqrt((1 + alike) / 2) * first, np.sqrt((1 - alike) / 2) * second
    spectra = level * np.stack([common + apart, common - apart])
    t = np.arange(n) / rate
    tail = np.zeros((2, n))
    position = np.log2(np.maximum(f, 1) / OCTAVES_HZ[0])
    for band, ratio in enumerate(DECAY_RATIO):
        # raised cosines in octaves, one where all add up; the lowest and highest reach to the ends
        away = position - band
        if band == 0:
            away = np.maximum(away, 0)
        if band == len(DECAY_RATIO) - 1:
            away = np.minimum(away, 0)
        mask = np.cos(np.pi / 2 * np.clip(np.abs(away), 0, 1)) ** 2
        tail += fft.irfft(spectra * mask, n) * np.exp(-np.log(1000) * t / (ratio * rt60_s))
    silent = int(predelay_s * rate)
    rise = max(int(0.5 * predelay_s * rate), 16)
    tail *= np.clip((np.arange(n) - silent) / rise, 0, 1)
    return tail


def _diffuse_field(hrirs: Hrirs, n: int = 512) -> tuple[Floats, Floats, Floats]:
    """Mean power (K,) at the left and right ear and their coherence (K,), sounds coming from everywhere."""
    weights = sphere_weights(hrirs.xyz)
    bins = n // 2 + 1
    power, cross = np.zeros((2, bins)), np.zeros(bins)
    size = 1 << int(np.ceil(np.log2(hrirs.ir.shape[-1] + n)))
    step = size // n
    turn = -2j * np.pi * np.fft.rfftfreq(size)
    for start in range(0, len(weights), 256):
        part = slice(start, start + 256)
        spectra = np.fft.rfft(hrirs.ir[part].astype(float), size)
        spectra *= np.exp(turn * hrirs.delay[part, :, None])
        density = (spectra[:, 0] * spectra[:, 1].conj()).real
        cross += _banded(np.einsum("m,mk->k", weights[part], density), step, bins)
        for ear in (0, 1):
            energy = np.einsum("m,mk->k", weights[part], np.abs(spectra[:, ear]) ** 2)
            power[ear] += _banded(energy, step, bins)
    coherence = cross / np.maximum(np.sqrt(power[0] * power[1]), 1e-20)
    return power[0], power[1], np.clip(coherence, -1, 1)


def _banded(values: Floats, step: int, bins: int) -> Floats:
    """Means of (step x (bins - 1) + 1) values around every `step`-th one."""
    kernel = np.ones(step) / step
    return np.convolve(np.pad(values, step, mode="edge"), kernel, mode="same")[step:-step][::step][:bins]


def _energy(ir: NDArray[np.float32]) -> Floats:
    return np.asarray((ir.astype(np.float64) ** 2).sum(axis=-1))


def _volume_per_surface(size: Floats) -> float:
    depth, width, height = size
    return float(depth * width * height / (2 * (depth * width + depth * height + width * height)))


class _PartitionedFilter:
    """Convolution of a stream of chunks with a long stereo response: uniformly partitioned overlap-save."""

    def __init__(self, response: Floats, chunk: int) -> None:
        from scipy import fft

        parts = -(-response.shape[1] // chunk)
        padded = np.pad(response, ((0, 0), (0, parts * chunk - response.shape[1])))
        pieces = padded.reshape(2, parts, chunk).transpose(1, 0, 2).astype(np.float32)
        self._spectra = fft.rfft(pieces, 2 * chunk)
        self._past = np.zeros((parts, chunk + 1), np.complex64)
        self._previous = np.zeros(chunk, np.float32)
        self._chunk, self._at = chunk, 0

    def __call__(self, signal: Samples) -> Samples:
        from scipy import fft

        parts = len(self._past)
        self._past[self._at] = fft.rfft(np.concatenate([self._previous, signal]))
        self._previous = signal
        total = np.zeros(self._spectra.shape[1:], np.complex64)
        for age in range(parts):
            total += self._spectra[age] * self._past[(self._at - age) % parts]
        self._at = (self._at + 1) % parts
        return np.asarray(fft.irfft(total, 2 * self._chunk)[:, self._chunk :])
