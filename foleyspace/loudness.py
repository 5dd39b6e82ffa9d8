"""Loudness after ITU-R BS.1770-5: measured by ffmpeg's `ebur128`, matched with one gain and, where that would
clip, a look-ahead limiter. Everything streams; memory stays flat for any length."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.ffmpeg import decoding, opened, reason
from foleyspace.files import atomic_output, check_input
from foleyspace.layouts import channel_names, is_ambisonic
from foleyspace.soundtrack import wav_format
from foleyspace.streams import Stream, inspect, origin
from foleyspace.types import Clip, Samples

log = logging.getLogger("foleyspace")

SILENT_LUFS = -70.0  # the absolute gate of BS.1770: below it there is nothing to measure
TOLERANCE_LU = 0.2
LIMITER_PASSES = 5
MOST_MAKE_UP_DB = 12.0  # past this the limiter would only squeeze
BLOCK = 1 << 16
TAIL_S = 0.2  # `ebur128` tells the peaks of whole blocks of 0.1 s only
LOOK_S = 0.015  # the limiter looks this far ahead and back: no distortion of tones above 33 Hz


@dataclass(frozen=True)
class LoudnessReport:
    """What `match_loudness` did: loudness of the input and output in LUFS (None: silent), the `gain_db`
    applied, the output's `true_peak_dbtp`, and how much the limiter took off at most (`limited_db`, >= 0)."""

    input_lufs: float | None
    output_lufs: float | None
    gain_db: float
    true_peak_dbtp: float
    limited_db: float


def integrated_lufs(source: Clip | str | Path, *, duration: float | None = None) -> float | None:
    """Integrated loudness in LUFS, channels weighted by their places, a mono track as one channel: of a
    `Clip`'s sound from the first shown frame on, of the sound that plays in any other file from its own
    start; the first `duration` s where one is given. None when it is silent (below -70 LUFS). A sound shorter
    than the 0.4 s that BS.1770 needs is measured repeated. Raises `InputError` when there is no sound."""
    part = "" if duration is None else f"atrim=duration={duration + 1e-3:.6f},"  # rounding costs no block
    if not isinstance(source, Clip):
        return _meter(source, inspect(source).sound, part, duration)[0]
    sound = inspect(source.path).of_kind("audio")[source.audio.index] if source.audio else None
    part = f"atrim=start={origin(source.path):.6f},{part}"
    return _meter(source.path, sound, part, duration)[0]


def match_loudness(
    in_wav: str | Path,
    out_wav: str | Path,
    target_lufs: float | None,
    *,
    ceiling_dbtp: float = -1.0,
    rate_out: int | None = None,
    overwrite: bool = True,
) -> LoudnessReport:
    """Write `in_wav` at `target_lufs` as float32 WAV, at `rate_out` Hz (None: its own), never above
    `ceiling_dbtp` (true peak, dB).

    One gain for the whole file; only where peaks would pass the ceiling a limiter holds them back, the same
    for all channels so that no source moves, and the gain is raised until the loudness is right again. With
    `target_lufs` None, or a silent input, the gain is 0 dB. `in_wav` is any file `soundfile` reads.
    """
    source = check_input(in_wav)
    with (
        atomic_output(out_wav, overwrite) as temporary,
        tempfile.TemporaryDirectory(prefix=".foleyspace-", dir=temporary.parent) as folder,
    ):
        rate_in = soundfile.info(str(source)).samplerate
        if rate_out is not None and rate_out != rate_in:
            resampled = Path(folder) / "resampled.wav"
            _resample(source, resampled, rate_out)
            source = resampled
        before, peak_dbtp = _levels(source)
        gain_db = 0.0 if target_lufs is None or before is None else target_lufs - before
        if peak_dbtp + gain_db <= ceiling_dbtp:
            _write(source, temporary, gain_db, None)
            after = None if before is None else before + gain_db
            return LoudnessReport(before, after, gain_db, peak_dbtp + gain_db, 0.0)
        report = _limit(source, temporary, before, gain_db, target_lufs, ceiling_dbtp)
    missed = 0.0 if target_lufs is None or report.output_lufs is None else report.output_lufs - target_lufs
    if abs(missed) > 1.0:
        log.warning("the sound is %.1f LU off its loudness: its peaks leave no room", missed)
    log.info("the limiter takes up to %.1f dB off the peaks", report.limited_db)
    return report


def _limit(
    source: Path, out: Path, before: float | None, gain_db: float, target: float | None, ceiling_dbtp: float
) -> LoudnessReport:
    """Limit with a gain that is raised until the loudness is right."""
    limit_dbtp, most_db = ceiling_dbtp, gain_db + MOST_MAKE_UP_DB
    for _ in range(LIMITER_PASSES):
        limited_db = _write(source, out, gain_db, limit_dbtp)
        after, peak_dbtp = _levels(out)
        report = LoudnessReport(before, after, gain_db, peak_dbtp, limited_db)
        missing = 0.0 if target is None or after is None else target - after
        over = peak_dbtp - ceiling_dbtp
        if abs(missing) <= TOLERANCE_LU and over <= 0.05:
            break
        if over > 0.05:  # between the points where the limiter looks
            limit_dbtp -= over
        if gain_db == most_db and over <= 0.05:
            break
        gain_db = min(gain_db + missing, most_db)
    return report


def _levels(wav: Path) -> tuple[float | None, float]:
    """Integrated loudness in LUFS (None: silent) and true peak in dB (-inf: silent)."""
    lufs, peak = _meter(wav, inspect(wav).sound, peaks=True)
    with soundfile.SoundFile(str(wav)) as file:
        file.seek(max(file.frames - round(TAIL_S * file.samplerate), 0))
        tail = file.read(dtype="float32", always_2d=True)
    if len(tail):
        peak = max(peak, float(_true_peaks(tail).max()))
    return lufs, 20 * float(np.log10(peak)) if peak > 0 else -np.inf


def _meter(
    path: str | Path, sound: Stream | None, part: str = "", duration: float | None = None, peaks: bool = False
) -> tuple[float | None, float]:
    """Integrated loudness in LUFS (None: silent) and the largest true peak of whole blocks (0: not asked for)
    of the `part` that ffmpeg filters, with a comma behind, leave of a sound."""
    if sound is None:
        raise InputError(f"{path} has no sound track")
    found = sound.audio_format
    if found is not None and is_ambisonic(channel_names(found[1])):
        part += "channelmap=map=0:channel_layout=mono,"
    meter = "ebur128=framelog=quiet:metadata=1" + (":peak=true" if peaks else "")
    lufs, peak = _run_meter(path, sound.index, part + meter)
    if lufs is None and min(inspect(path).duration or 0.0, duration or np.inf) < 1.0:
        loop = "aloop=loop=-1:size=2000000000,asetpts=N/SR/TB,atrim=0:1,"
        lufs, _ = _run_meter(path, sound.index, part + loop + meter)
    return lufs, peak


def _run_meter(path: str | Path, stream: int, filters: str) -> tuple[float | None, float]:
    lufs, peak = SILENT_LUFS, 0.0
    args = ["-v", "error", "-copyts", *opened(path), "-map", f"0:{stream}"]
    args += ["-af", f"{filters},ametadata=mode=print:file=-", "-f", "null", "-"]
    with decoding(args) as process:
        for line in process.lines():
            key, _, value = line.partition("=")
            if key == "lavfi.r128.I":
                lufs = float(value)
            elif key == "lavfi.r128.true_peak":
                peak = float(value)
        code, said = process.finish()
    if code:
        raise FoleyspaceError(f"the loudness of {path} could not be measured ({reason(said)})")
    return (lufs if lufs > SILENT_LUFS else None), peak


def _write(source: Path, out: Path, gain_db: float, limit_dbtp: float | None) -> float:
    """`source` with a gain, limited where `limit_dbtp` is given; returns the largest reduction in dB."""
    gain = np.float32(10 ** (gain_db / 20))
    least = 1.0
    with soundfile.SoundFile(str(source)) as file:
        form = wav_format(file.frames, file.channels)
        with soundfile.SoundFile(
            str(out), "w", file.samplerate, file.channels, subtype="FLOAT", format=form
        ) as result:
            if limit_dbtp is None:
                for block in file.blocks(BLOCK, dtype="float32", always_2d=True):
                    result.write(block * gain)
                return 0.0
            for samples, reduction in _limited(file, gain, 10 ** (limit_dbtp / 20)):
                least = min(least, float(reduction.min(initial=1.0)))
                result.write(samples)
    return -20 * float(np.log10(least))


def _limited(
    file: soundfile.SoundFile, gain: np.float32, ceiling: float
) -> Iterator[tuple[Samples, NDArray[np.float32]]]:
    """Blocks (n, C) held below `ceiling`, and the gain (n,) that did it.

    Every sample's gain is the mean, over a window, of the smallest gain any sample within the same window
    needs: never more than what its own peak allows, smooth, and without delay.
    """
    from scipy.ndimage import minimum_filter1d
    from scipy.signal import fftconvolve, windows

    look = round(LOOK_S * file.samplerate)
    window = windows.hann(2 * look + 1)
    window /= window.sum()
    context = 2 * look + 64  # 64: the oversampling filter
    for start in range(0, file.frames, BLOCK):
        begin, end = max(start - context, 0), min(start + BLOCK + context, file.frames)
        file.seek(begin)
        samples = file.read(end - begin, dtype="float32", always_2d=True) * gain
        inside = slice(start - begin, min(start + BLOCK, file.frames) - begin)
        if not len(samples) or np.abs(samples).max() < 0.5 * ceiling:
            yield samples[inside], np.ones(len(samples[inside]), np.float32)
            continue
        needed = np.minimum(1.0, ceiling / np.maximum(_true_peaks(samples), 1e-9))
        smallest = minimum_filter1d(needed, 2 * look + 1, mode="nearest")
        padded = np.pad(smallest, look, mode="edge")
        smooth = np.minimum(fftconvolve(padded, window, "valid"), 1.0).astype(np.float32)
        yield samples[inside] * smooth[inside, None], smooth[inside]


def _true_peaks(samples: Samples) -> NDArray[np.float64]:
    """(n,) the largest value of any channel around each sample, between samples too (4 times oversampled,
    BS.1770-5 annex 2)."""
    from scipy.signal import resample_poly

    fine = np.abs(resample_poly(samples.astype(np.float64), 4, 1, axis=0)).max(axis=1).reshape(-1, 4)
    peaks = np.maximum(fine.max(axis=1), np.abs(samples).max(axis=1))
    peaks[1:] = np.maximum(peaks[1:], fine[:-1].max(axis=1))  # what lies between belongs to both neighbours
    return peaks


def _resample(source: Path, out: Path, rate: int) -> None:
    import soxr

    with soundfile.SoundFile(str(source)) as file:
        form = wav_format(round(file.frames * rate / file.samplerate), file.channels)
        stream = soxr.ResampleStream(file.samplerate, rate, file.channels, quality="VHQ")
        with soundfile.SoundFile(str(out), "w", rate, file.channels, subtype="FLOAT", format=form) as result:
            for block in file.blocks(BLOCK, dtype="float32", always_2d=True):
                result.write(stream.resample_chunk(block))
            result.write(stream.resample_chunk(np.zeros((0, file.channels), np.float32), last=True))
