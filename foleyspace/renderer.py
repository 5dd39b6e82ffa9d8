"""The deterministic binaural renderer: any number of moving sources, any length, in bounded memory.

hrirs = load_hrirs()
for stereo in render_blocks(blocks, scene.sources, hrirs):  # blocks: (sources, n) or (1, n) shared
    ...
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace import decorrelation, propagation
from foleyspace.errors import InputError
from foleyspace.interpolation import HrirField, hrir_field
from foleyspace.moving_filter import InputBlocks, MovingFilter, Path
from foleyspace.propagation import AirFilter, Doppler
from foleyspace.types import Audio, Hrirs, Room, Samples, Scene, Source

Floats = NDArray[np.float64]

CHUNK_BLOCKS = 8  # blocks rendered at once


@dataclass(frozen=True)
class RenderOptions:
    """What distance does to a source's sound. All off for a recording that holds it already.

    `distance_gain`: 1 / r re 1 m (held below 0.25 m); `air_absorption`: ISO 9613-1 at 20 degrees C, 50 %
    humidity; `doppler`: pitch shift by the changing travel time; `parallax`: below 1 m each ear has its
    own direction to the source; `seed`: of the room's tail and of what makes sources wide.
    """

    distance_gain: bool = False
    air_absorption: bool = False
    doppler: bool = False
    parallax: bool = True
    seed: int = 0


def render_blocks(
    blocks: Iterable[Samples],
    sources: Sequence[Source],
    hrirs: Hrirs,
    options: RenderOptions | None = None,
    room: Room | None = None,
    channels: Sequence[int] | None = None,
) -> Iterator[Samples]:
    """Binaural sound (2, n) float32, block by block, of `sources` whose signals come in `blocks`.

    Each block is (S, n) float32 at `hrirs.rate`, a channel per source, or (1, n) that all sources share, or,
    with `channels` (S,), (C, n): source i is heard from channel `channels[i]`.
    Output sample k belongs to input sample k; the total length is that of the input. The sizes of the
    blocks do not matter and are not kept. Raises `InputError` for blocks of another shape.
    """
    options = options or RenderOptions()
    if len(sources) == 0:
        raise InputError("`sources` is empty but must hold at least one source")
    return _stream(iter(blocks), _Renderer(tuple(sources), hrirs, options, room, channels))


def render(
    mono: Audio | Sequence[Audio],
    scene: Scene,
    hrirs: Hrirs,
    options: RenderOptions | None = None,
) -> Audio:
    """`render_blocks` in memory: one sound for all sources of the scene, or a sound for each of them.

    The result is as long as the longest sound. Raises `InputError` for more than one channel a sound,
    another number of sounds than sources, or another rate than the HRIR set's.
    """
    sounds = [mono] if isinstance(mono, Audio) else list(mono)
    if len(sounds) not in (1, len(scene.sources)):
        raise InputError(f"`mono` holds {len(sounds)} sounds but must hold 1 or {len(scene.sources)}")
    for sound in sounds:
        if sound.samples.shape[0] != 1:
            raise InputError(f"`mono` has {sound.samples.shape[0]} channels but must have 1")
        if sound.rate != hrirs.rate:
            raise InputError(f"`mono` is at {sound.rate} Hz but must be at the HRIR set's {hrirs.rate} Hz")
    length = max(sound.samples.shape[1] for sound in sounds)
    size = 1 << 16

    def blocks() -> Iterator[Samples]:
        for start in range(0, length, size):
            if len(sounds) == 1:
                yield sounds[0].samples[:, start : start + size]
                continue
            block = np.zeros((len(sounds), min(size, length - start)), np.float32)
            for row, sound in zip(block, sounds, strict=True):
                part = sound.samples[0, start : start + size]
                row[: len(part)] = part
            yield block

    out = np.empty((2, length), np.float32)
    at = 0
    for stereo in render_blocks(blocks(), scene.sources, hrirs, options, scene.room):
        out[:, at : at + stereo.shape[1]] = stereo
        at += stereo.shape[1]
    return Audio(out, hrirs.rate)


def _stream(blocks: Iterator[Samples], renderer: _Renderer) -> Iterator[Samples]:
    """Cut the input into the renderer's chunks with what it needs around them."""
    waiting: list[Samples] = []
    hop = renderer.field.hop
    held, total, done = hop, 0, -hop  # the first block ends at time zero, but for what it reads ahead
    buffer: Samples | None = None
    ended = False
    while not ended:
        block = next(blocks, None)
        if block is None:
            ended = True
            if buffer is None:
                return
            padding = -(-(total - done) // renderer.chunk) * renderer.chunk + done - total + renderer.ahead
            block = np.zeros((len(buffer), padding), np.float32)
        else:
            block = renderer.check(block, buffer)
            total += block.shape[1]
        if buffer is None:
            buffer = np.zeros((len(block), renderer.back + hop), np.float32)
        waiting.append(block)
        held += block.shape[1]
        while held >= renderer.chunk + renderer.ahead and done < total:
            buffer = np.concatenate([buffer, *waiting], axis=1)
            waiting = []
            while held >= renderer.chunk + renderer.ahead and done < total:
                stereo = renderer.chunk_at(buffer, done)
                yield stereo[:, max(0, -done) : total - done if ended else None]
                buffer = buffer[:, renderer.chunk :]
                held -= renderer.chunk
                done += renderer.chunk


class _Renderer:
    """All sources, chunk by chunk, in order. A chunk is rendered from a buffer that begins `back` samples
    before it and ends `ahead` samples after it; the first one begins `hop` samples before time zero."""

    def __init__(
        self,
        sources: tuple[Source, ...],
        hrirs: Hrirs,
        options: RenderOptions,
        room: Room | None,
        channels: Sequence[int] | None = None,
    ) -> None:
        self._channels = None if channels is None else tuple(int(channel) for channel in channels)
        self._wanted = (1, len(sources)) if channels is None else (max(channels) + 1,)
        self.field = hrir_field(hrirs)
        field = self.field
        self.chunk = CHUNK_BLOCKS * field.hop
        air = AirFilter(field.bins, field.rate) if options.air_absorption else None
        self._voices = [_Voices(source, field, options, air) for source in sources]
        self._room = None
        if room is not None:
            from foleyspace.room import RoomSound

            self._room = RoomSound(room, hrirs, field, sources, options, self.chunk)
        # around a chunk, the signals after Doppler and before decorrelation
        half = decorrelation.TAPS // 2 if any(v.wide for v in self._voices) else 0
        self._frame_back, self._frame_ahead = half, field.advance + half
        self._ringing = np.zeros((2, field.n - field.hop), np.float32)  # of the chunks before
        reach = max(v.doppler.reach if v.doppler else 0 for v in self._voices)
        self.back = self._frame_back + reach
        self.ahead = self._frame_ahead + (propagation.TAPS if reach else 0)

    def check(self, block: Samples, buffer: Samples | None) -> Samples:
        block = np.asarray(block, np.float32)
        if block.ndim != 2 or len(block) not in self._wanted:
            wanted = " or ".join(str(count) for count in self._wanted)
            raise InputError(f"`blocks` holds an array of shape {block.shape} but must hold ({wanted}, n)")
        if buffer is not None and len(block) != len(buffer):
            raise InputError(f"`blocks` changes from {len(buffer)} to {len(block)} channels")
        return block

    def chunk_at(self, buffer: Samples, start: int) -> Samples:
        ringing = self._ringing.shape[1]
        out = np.zeros((2, self.chunk + ringing), np.float32)
        out[:, :ringing] = self._ringing
        first = start - self.back
        low, high = start - self._frame_back, start + self.chunk + self._frame_ahead
        shared: dict[int, InputBlocks] = {}
        dry = []
        begins = (start + self.field.advance) / self.field.rate
        ends = begins + self.chunk / self.field.rate
        for i, voices in enumerate(self._voices):
            heard = voices.heard(begins, ends)
            if not heard and self._room is None:
                continue
            channel = self._channels[i] if self._channels else 0 if len(buffer) == 1 else i
            if voices.doppler:
                signal = voices.doppler(buffer[channel], first, low, high)
            else:
                signal = buffer[channel, low - first : high - first]
            if self._room is not None:
                dry.append(signal[self._frame_back : self._frame_back + self.chunk])
            if heard and signal.any():
                block = start // self.field.hop + 1
                voices.add(signal, block, out, {} if voices.doppler else shared, channel)
        self._ringing = out[:, self.chunk :].copy()
        out = out[:, : self.chunk]
        if self._room is not None:
            self._room.add(dry, start, out)
        return out


class _Voices:
    """A source as one point, or as a point and decorrelated copies of it when it is wide."""

    def __init__(
        self, source: Source, field: HrirField, options: RenderOptions, air: AirFilter | None
    ) -> None:
        self._field = field
        self.wide = bool(source.spread_deg is not None and source.spread_deg.any())
        moves = bool(np.ptp(source.xyz, axis=0).any())
        self.doppler = Doppler(source, field.rate) if options.doppler and moves else None
        self._span = propagation.audible_span(source)
        self._point = MovingFilter(field, _path(source, options, None), options.parallax, air)
        self._copies: list[MovingFilter] = []
        if self.wide:
            self._allpass = decorrelation.decorrelators(field.rate, seed=options.seed + 7)
            for copy in range(decorrelation.COPIES):
                path = _path(source, options, copy)
                self._copies.append(MovingFilter(field, path, options.parallax, air))

    def heard(self, begins: float, ends: float) -> bool:
        """Whether its gain curve leaves anything to hear between two times (s). A film has thousands of
        sources, each heard in one shot: what is over gives its memory back."""
        start, end = self._span
        if begins >= end:
            for filter_ in (self._point, *self._copies):
                filter_.forget()
        return begins < end and ends > start

    def add(
        self,
        signal: Samples,
        first_block: int,
        out: Samples,
        shared: dict[int, InputBlocks],
        channel: int,
    ) -> None:
        half = decorrelation.TAPS // 2
        margin = (len(signal) - self._field.advance - CHUNK_BLOCKS * self._field.hop) // 2
        if channel not in shared:
            shared[channel] = self._blocks(signal[margin:])
        self._point.add(shared[channel], first_block, out)
        if self.wide:
            from scipy.signal import oaconvolve

            for copy, allpass in zip(self._copies, self._allpass, strict=True):
                # tap `half` is time zero
                spread = oaconvolve(signal, allpass)[2 * half : 2 * half + len(signal) - 2 * half]
                copy.add(self._blocks(spread), first_block, out)

    def _blocks(self, signal: Samples) -> InputBlocks:
        """Of a signal that begins with the chunk; the blocks begin `advance` samples on."""
        hop, advance = self._field.hop, self._field.advance
        sound = np.ascontiguousarray(signal[advance : advance + CHUNK_BLOCKS * hop], np.float32)
        return InputBlocks(sound.reshape(CHUNK_BLOCKS, hop), self._field)


def _path(source: Source, options: RenderOptions, copy: int | None) -> Path:
    spread_deg = source.spread_deg

    def path(times: Floats) -> tuple[Floats, Floats]:
        xyz = propagation.position(source, times)
        gain = propagation.gain(source, times)
        if options.distance_gain:
            gain = gain * propagation.distance_gain(np.linalg.norm(xyz, axis=1))
        if spread_deg is not None and spread_deg.any():
            spread = np.interp(times, source.times, spread_deg)
            point, each = decorrelation.spread_weights(spread)
            if copy is None:
                gain = gain * point
            else:
                gain = gain * each
                xyz = decorrelation.copy_directions(xyz, spread, copy)
        return xyz, gain

    return path
