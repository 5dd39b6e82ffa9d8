"""The mono track out of any video or sound file: decoded by ffmpeg in a stream, mixed down, resampled,
aligned with the picture, written as float32 WAV. Memory stays flat for any length."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile
from numpy.typing import NDArray

from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.ffmpeg import decoding, opened, reason
from foleyspace.files import atomic_output, check_input
from foleyspace.layouts import channel_names, mono_weights, without_ambisonics
from foleyspace.streams import Stream, inspect, origin, scan
from foleyspace.types import Clip, Samples

log = logging.getLogger("foleyspace")

BLOCK = 1 << 16  # samples decoded at a time
RF64_BYTES = 4_000_000_000  # a WAV header counts to 2**32 bytes
CANCEL_DB = -10.0  # L + R this far below L and R (uncorrelated: -3, identical: 0): they cancel each other
PAD_S, CUT_S = 0.1, 0.1  # differences worth a line
# Sound that comes off its time stamps: left alone while they are but rounded; brought back by playing at most
# 0.1 % faster or slower, as clocks drift; past the last, silence is put in or sound left out
ROUNDED_S, DRIFT_HZ, GAP_S, MOST_GAP_S = 0.002, 50, 0.004, 0.1


@dataclass(frozen=True)
class Soundtrack:
    """A mono track as written: `path`, `rate` Hz, `samples`, how it was mixed (`downmix`), the `weights` (C,)
    of the file's channels, and the `channels` and `source_rate` it came from."""

    path: Path
    rate: int
    samples: int
    downmix: str
    weights: tuple[float, ...]
    channels: int
    source_rate: int

    @property
    def duration(self) -> float:
        return self.samples / self.rate


def extract_mono(
    source: Clip | str | Path,
    wav_path: str | Path,
    rate: int = 48000,
    *,
    duration: float | None = None,
    overwrite: bool = True,
) -> Soundtrack:
    """Write the sound of `source` as mono float32 WAV at `rate` Hz.

    Of a `Clip`: sample 0 is the first shown frame (a later start is filled with silence, an earlier one cut
    off) and the length is `round(clip.duration * rate)`. Of a plain sound or video file's path: the whole
    sound from its own start, cut or padded to `duration` s where one is given. Several channels are mixed
    with the weights of ITU-R BS.775; the omnidirectional channel of ambisonics is used alone; stereo
    channels that cancel each other are put together with one of them inverted. Raises `InputError` when
    there is no sound.
    """
    clip = source if isinstance(source, Clip) else None
    path = check_input(clip.path if clip else source)  # type: ignore[arg-type]
    stream, spherical = _sound_stream(path, clip)
    stated = stream.audio_format
    if stated is None:
        raise InputError(f"{path}: its sound track ({stream.codec}) cannot be decoded")
    source_rate, layout = stated
    names = channel_names(layout)
    start_s = origin(path) if clip else None
    duration = clip.duration if clip else duration
    length = None if duration is None else round(duration * rate)
    plan, weights = "as it is" if len(names) == 1 else layout, mono_weights(names)
    if spherical and len(names) == 4:
        plan, weights = "ambisonic W", np.array([1.0, 0, 0, 0])
    with atomic_output(wav_path, overwrite) as temporary:
        filters, gap_s = without_ambisonics(layout), _gap_s(path, stream)
        decoder = _Decoder(path, stream.index, len(names), source_rate, start_s, filters, gap_s)
        samples, moments = _write(decoder, weights, temporary, rate, length)
        better = _second_thoughts(names, moments, spherical)
        if better is not None:
            plan, weights = better
            samples, _ = _write(decoder, weights, temporary, rate, length)
    if len(names) > 1:
        log.info("%d channels (%s) mixed to mono: %s", len(names), layout, plan)
    return Soundtrack(
        Path(wav_path), rate, samples, plan, tuple(float(w) for w in weights), len(names), source_rate
    )


def read_mono_blocks(wav_path: str | Path, block: int = BLOCK) -> Iterator[Samples]:
    """The samples of a mono WAV, `block` at a time, as float32 `(n,)` (the last one shorter)."""
    with soundfile.SoundFile(str(check_input(wav_path))) as file:
        if file.channels != 1:
            raise InputError(f"{wav_path} has {file.channels} channels but must have 1")
        while len(samples := file.read(block, dtype="float32")):
            yield samples


def wav_format(samples: int, channels: int) -> str:
    """The container of a float32 file of that size: WAV, or RF64 past what its header can count."""
    return "RF64" if samples * channels * 4 > RF64_BYTES else "WAV"


def _sound_stream(path: Path, clip: Clip | None) -> tuple[Stream, bool]:
    """The stream to use, and whether the picture beside it is a full sphere."""
    media = inspect(path)
    sound = media.sound
    if sound is None or (clip and clip.audio is None):
        raise InputError(
            f"{path} has no sound: give it one with --audio FILE (a sound file, mixed down to mono)"
            if clip
            else f"{path} holds no sound"
        )
    if clip and clip.audio:
        streams = media.of_kind("audio")
        sound = streams[min(clip.audio.index, len(streams) - 1)]
    return sound, bool(media.video and media.video.spherical)


def _gap_s(path: Path, stream: Stream) -> float:
    """From which length on a gap in the time stamps is one. Where they come from a clock, not from counting
    (browsers' recordings), packets begin now too late, now too early: nothing is missing there."""
    packets = scan(path)[0].get(stream.index)
    early_s = 0.0 if packets is None else float(packets.overlap * packets.time_base)
    return min(max(3 * early_s, GAP_S), MOST_GAP_S)


@dataclass(frozen=True)
class _Decoder:
    """How to decode one sound stream: `start_s` is the container time that becomes sample 0, `filters` come
    before all others, sound more than `gap_s` off its time stamps jumps back to them."""

    path: Path
    stream: int
    channels: int
    rate: int
    start_s: float | None
    filters: str
    gap_s: float

    def blocks(self) -> Iterator[Samples]:
        """(n, channels) float32 at the file's own rate, aligned; gaps in the time stamps are silence."""
        align = f"aresample=async={DRIFT_HZ}:min_comp={ROUNDED_S}:min_hard_comp={self.gap_s:.4f}"
        first = [] if self.start_s is None else ["-copyts"]
        if self.start_s is not None:  # a second early, so that the first sample is off enough to be moved
            align += f":first_pts={round((self.start_s - 1) * self.rate)},atrim=start_sample={self.rate}"
        args = [
            "-v",
            "error",
            *first,
            *opened(self.path),
            "-map",
            f"0:{self.stream}",
            "-af",
            self.filters + align,
        ]
        args += ["-ac", str(self.channels), "-ar", str(self.rate), "-c:a", "pcm_f32le", "-f", "f32le", "-"]
        got = 0
        with decoding(args) as process:
            size = BLOCK * self.channels * 4
            while data := process.read(size):
                whole = len(data) - len(data) % (4 * self.channels)
                got += whole
                yield np.frombuffer(data[:whole], np.float32).reshape(-1, self.channels)
            code, said = process.finish()
        if process.stalled:
            raise FoleyspaceError(f"{self.path}: decoding its sound hung and was ended")
        if code and not got:
            raise InputError(f"{self.path}: its sound cannot be decoded ({reason(said)})")
        if code or said.strip():
            log.warning(
                "%s: its sound is damaged (%s), what could be decoded is used", self.path, reason(said)
            )


def _write(
    decoder: _Decoder, weights: NDArray[np.float64], path: Path, rate: int, length: int | None
) -> tuple[int, NDArray[np.float64]]:
    """One pass: decode, mix, resample, write. Returns the samples written and the second moments (C, C) of
    the channels."""
    moments = np.zeros((decoder.channels, decoder.channels))
    expected = length if length is not None else round((inspect(decoder.path).duration or 0) * rate)
    with _MonoWav(path, decoder.rate, rate, length, wav_format(expected, 1)) as out:
        for block in decoder.blocks():
            if not np.isfinite(block).all():
                block = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
            moments += block.astype(np.float64).T @ block
            out.write(block @ weights.astype(np.float32))
            if out.full:  # a damaged time stamp can put hours of silence behind it
                break
    if not out.got:
        if decoder.start_s is None:  # asked for by name: nothing else can stand for it
            raise InputError(f"{decoder.path}: its sound track is empty")
        log.warning("%s: its sound track is empty: silence is used", decoder.path)
    return out.written, moments


class _MonoWav:
    """A mono WAV being written: resampled on the way, then cut or padded to `length` samples."""

    def __init__(self, path: Path, rate_in: int, rate: int, length: int | None, container: str) -> None:
        import soxr

        self._file = soundfile.SoundFile(
            str(path), "w", samplerate=rate, channels=1, subtype="FLOAT", format=container
        )
        self._resampler = None if rate_in == rate else soxr.ResampleStream(rate_in, rate, 1, quality="VHQ")
        self._rate, self._length = rate, length
        self.got = self.written = self._beyond = 0

    @property
    def full(self) -> bool:
        """Whether there is more sound than goes in."""
        return self._beyond > CUT_S * self._rate

    def __enter__(self) -> _MonoWav:
        return self

    def write(self, samples: Samples, last: bool = False) -> None:
        self.got += len(samples)
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples, last=last)
        room = len(samples) if self._length is None else max(self._length - self.written, 0)
        self._beyond += len(samples[room:])
        self._file.write(samples[:room])
        self.written += len(samples[:room])

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._file:
            if kind is not None:
                return
            self.write(np.zeros(0, np.float32), last=True)
            if self._length is None:
                return
            missing = self._length - self.written
            while self.written < self._length:
                silence = np.zeros(min(self._length - self.written, BLOCK), np.float32)
                self._file.write(silence)
                self.written += len(silence)
            if missing > PAD_S * self._rate:
                log.info("the sound ends %.2f s before the picture: silence is added", missing / self._rate)
            if self.full:
                log.info("the sound is longer than the video: it is cut")


def _second_thoughts(
    names: tuple[str, ...], moments: NDArray[np.float64], spherical: bool
) -> tuple[str, NDArray[np.float64]] | None:
    """Another way to mix, where what the channels hold shows that the usual one is wrong."""
    if len(names) == 2 and not names[0].startswith("ACN"):
        each = (moments[0, 0] + moments[1, 1]) / 2
        together = (moments[0, 0] + moments[1, 1] + 2 * moments[0, 1]) / 4
        if each > 0 and 10 * np.log10(max(together / each, 1e-20)) < CANCEL_DB:
            log.warning(
                "left and right cancel each other (L + R is %.0f dB down): the right one is inverted",
                -10 * np.log10(max(together / each, 1e-20)),
            )
            return "left minus right", np.array([0.5, -0.5])
    if spherical and len(names) == 4:
        # First-order ambisonics (SN3D): W carries as much as X, Y and Z together, for a plane wave and for
        # a diffuse field alike. Four loudspeaker signals of like level: a third.
        others = moments[1, 1] + moments[2, 2] + moments[3, 3]
        if not 0.4 * others <= moments[0, 0] <= 2.5 * others:
            return "four loudspeakers", mono_weights(names)
    return None
