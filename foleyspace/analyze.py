"""Binaural sound to interaural cues over time: ITD, ILD and the azimuth they point to.

ITD: generalised cross-correlation with phase transform (Knapp & Carter 1976) of 150-1500 Hz, where
interaural phase is unambiguous and listeners use it. ILD: level difference of the whole band, and in
bands. Azimuth: the direction of an HRIR set's front horizontal half-plane whose ITD and band ILDs,
taken the same way, fit best; cues alone cannot tell front from back.
"""

from __future__ import annotations

import itertools
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from foleyspace.cues import ILD_BANDS_HZ, MAX_ITD_US, best_azimuth, db, gcc_phat, ratio_db
from foleyspace.errors import InputError
from foleyspace.types import Audio, Floats, Hrirs, Samples

if TYPE_CHECKING:
    import soundfile

HOP_S = 0.05
WINDOW_S = 0.1
SILENCE_DBFS = -70.0  # below this, and 50 dB under the loudest moment, there is nothing to measure
SILENCE_BELOW_PEAK_DB = 50.0
_BLOCK = 512  # windows worked on at a time: memory stays flat however long the file
_READ = 1 << 19  # samples read at a time
T = TypeVar("T")


@dataclass(frozen=True)
class Cues:
    """Interaural cues at `times` (T,) s, the window's middle. NaN where there is silence.

    `itd_us` (T,): > 0 when the right ear leads; `ild_db` (T,): > 0 when the right ear is louder;
    `ild_bands_db` (T, 3) the same in `ILD_BANDS_HZ`; `level_db` (T,) mean level of both ears, dBFS;
    `coherence` (T,) in [0, 1]: how alike the ears are at the best lag; `azimuth_deg` (T,) in
    [-90, 90], counter-clockwise: negative is right. `rate` Hz and `duration` s of the sound measured.
    """

    times: Floats
    itd_us: Floats
    ild_db: Floats
    ild_bands_db: Floats
    level_db: Floats
    coherence: Floats
    azimuth_deg: Floats
    rate: int
    duration: float


def analyze_binaural(
    audio: Audio | str | Path,
    *,
    hop_s: float = HOP_S,
    window_s: float = WINDOW_S,
    hrirs: Hrirs | None = None,
) -> Cues:
    """Measure interaural cues every `hop_s` s over windows of `window_s` s.

    `audio`: sound in memory, or any media file (the first sound stream). `hrirs`: the set that azimuth
    is read from, by default the embedded one. Raises `InputError` for sound without two channels,
    too short or not finite, and for a file that cannot be read.
    """
    if not 0.005 <= hop_s <= 10 or not 0.02 <= window_s <= 10:
        raise InputError(f"`hop_s` is {hop_s} and `window_s` {window_s} but must be 0.005-10 and 0.02-10 s")

    def measure(rate: int, channels: int, blocks: Iterable[Samples]) -> tuple[int, int, list[Any]]:
        if channels != 2:
            raise InputError(
                f"the sound has {channels} channel{'s' * (channels != 1)} but must have two, "
                "left and right: interaural cues need both ears"
            )
        if rate < 4000:
            raise InputError(f"`rate` is {rate} Hz but must be 4000 Hz or more to measure interaural cues")
        length, total = round(window_s * rate), 0

        def counted() -> Iterator[Samples]:
            nonlocal total
            for block in blocks:
                if not np.isfinite(block).all():
                    raise InputError("the sound holds NaN or infinite samples but must be finite")
                total += block.shape[1]
                yield block

        windows = _windows(counted(), length, hop_s * rate)
        parts = [(centres / rate, *_measure(cut, rate)) for cut, centres in windows]
        if total < length // 2 or not parts:
            raise InputError(f"the sound lasts {total / rate:.3f} s but must last {window_s / 2:g} s or more")
        return rate, total, parts

    rate, total, parts = in_blocks(audio, measure)
    times, itd, coherence, ild, bands, level, energy = (
        np.concatenate(part) for part in zip(*parts, strict=True)
    )
    silent = level < max(SILENCE_DBFS, float(level.max()) - SILENCE_BELOW_PEAK_DB)
    azimuth = best_azimuth(itd, bands, energy, rate, hrirs)
    for values in (itd, ild, bands, coherence, azimuth):
        values[silent] = np.nan
    return Cues(times, itd, ild, bands, level, coherence, azimuth, rate, total / rate)


def load_audio(path: str | Path) -> Audio:
    """The first sound stream of any media file, all channels. Raises `InputError` in one line."""
    return in_blocks(path, lambda rate, _, blocks: Audio(np.concatenate(list(blocks), axis=1), rate))


def in_blocks(audio: Audio | str | Path, work: Callable[[int, int, Iterator[Samples]], T]) -> T:
    """What `work` makes of a sound's rate Hz, number of channels and samples, which come as blocks
    (channels, n): a file is never held whole. Called again when libsndfile gives up half way.

    Raises `InputError` in one line for a file that cannot be read or is empty.
    """
    if isinstance(audio, Audio):
        samples = audio.samples
        cuts = range(0, samples.shape[1], _READ)
        return work(audio.rate, len(samples), (samples[:, k : k + _READ] for k in cuts))
    from foleyspace.files import check_input

    path = check_input(audio, "sound file")
    import soundfile

    def read(file: soundfile.SoundFile) -> Iterator[Samples]:
        block = file.read(_READ, dtype="float32", always_2d=True)
        if len(block) == 0:
            raise InputError(f"sound file {path} holds no samples")
        while len(block):
            yield block.T
            block = file.read(_READ, dtype="float32", always_2d=True)

    try:
        with soundfile.SoundFile(path) as file:
            return work(file.samplerate, file.channels, read(file))
    except soundfile.LibsndfileError:
        with tempfile.TemporaryDirectory() as folder, soundfile.SoundFile(_decode(path, folder)) as file:
            return work(file.samplerate, file.channels, read(file))


def summarise(cues: Cues) -> dict[str, Any]:
    """Figures of a whole file, plain values for JSON; means are weighted by energy, None in silence."""
    heard = np.isfinite(cues.azimuth_deg)
    weight = 10 ** (cues.level_db[heard] / 10)

    def spread(values: Floats) -> dict[str, float] | None:
        if not heard.any():
            return None
        values = values[heard]
        low, middle, high = np.percentile(values, [5, 50, 95])
        mean = float(np.average(values, weights=weight))
        return {
            name: round(float(v), 2)
            for name, v in zip(("mean", "p5", "median", "p95"), (mean, low, middle, high), strict=True)
        }

    side = cues.azimuth_deg[heard]

    def part(chosen: NDArray[np.bool_]) -> float:
        return round(float(chosen.mean()), 3) if heard.any() else 0.0

    return {
        "duration_s": round(cues.duration, 3),
        "rate": cues.rate,
        "heard_fraction": round(float(heard.mean()), 3),
        "itd_us": spread(cues.itd_us),
        "ild_db": spread(cues.ild_db),
        "azimuth_deg": spread(cues.azimuth_deg),
        "coherence": spread(cues.coherence),
        "left_fraction": part(side > 10),
        "centre_fraction": part(np.abs(side) <= 10),
        "right_fraction": part(side < -10),
    }


def plot_cues(
    cues: Cues, audio: Audio | str | Path, path: str | Path, *, title: str = "", overwrite: bool = False
) -> None:
    """Write a PNG of four panels over time: both waveforms, ITD, ILD and azimuth; up is left in all.

    Raises `InputError` when `path` cannot be written or exists without `overwrite`.
    """
    from foleyspace.cue_plot import cue_png
    from foleyspace.files import atomic_output

    with atomic_output(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(cue_png(cues, audio, title=title))


def _windows(
    blocks: Iterable[Samples], length: int, step: float
) -> Iterator[tuple[Samples, NDArray[np.int64]]]:
    """Windows (B, 2, length) every `step` samples of sound that comes in blocks (2, n), with zeros around
    it; and their middles (B,) in samples."""
    before = length // 2
    held, first, total, done = np.zeros((2, before), np.float32), -before, 0, 0
    for block in itertools.chain(blocks, [None]):
        if block is not None:
            total += block.shape[1]
        held = np.concatenate([held, np.zeros((2, length), np.float32) if block is None else block], axis=1)
        end = first + held.shape[1]
        # those that lie within what is held; at the end of the sound all that begin in it
        count = math.ceil(total / step) if block is None else int(end / step) + 1
        centres = np.round(np.arange(done, max(count, done)) * step).astype(int)
        centres = centres[centres - before + length <= end]
        views = np.lib.stride_tricks.sliding_window_view(held, length, axis=1) if len(centres) else held
        for k in range(0, len(centres), _BLOCK):
            part = centres[k : k + _BLOCK]
            yield views[:, part - before - first].transpose(1, 0, 2), part
        done += len(centres)
        gone = min(round(done * step) - before - first, held.shape[1])
        held, first = held[:, gone:], first + gone


def _measure(
    segments: NDArray[np.float32], rate: int
) -> tuple[Floats, Floats, Floats, Floats, Floats, Floats]:
    """ITD us, coherence, ILD dB, band ILDs, level dBFS and band energies of `segments` (B, 2, length)."""
    length = segments.shape[2]
    window = np.hanning(length + 2)[1:-1].astype(np.float32)
    segments = segments * window
    power = (segments.astype(np.float64) ** 2).sum(axis=2) / (window.astype(np.float64) ** 2).sum()  # (B, 2)
    # zero-padding keeps the longest lag from wrapping round
    fft_length = 1 << (length + round(2e-6 * MAX_ITD_US * rate) - 1).bit_length()
    spectra = np.fft.rfft(segments, fft_length, axis=2)
    frequency = np.fft.rfftfreq(fft_length, 1 / rate)
    itd, coherence = gcc_phat(spectra[:, 0], spectra[:, 1], frequency)
    squared = np.abs(spectra) ** 2
    energy = np.stack(
        [squared[:, :, (frequency >= low) & (frequency < high)].sum(axis=2) for low, high in ILD_BANDS_HZ],
        axis=2,
    )  # (B, 2, bands)
    return itd, coherence, ratio_db(power), ratio_db(energy), db(power.mean(axis=1)), energy.sum(axis=1)


def _decode(path: Path, folder: str) -> Path:
    """What libsndfile does not read as a file that it does, by ffmpeg."""
    from foleyspace.ffmpeg import local, opened, reason, run

    wav = Path(folder) / "sound.w64"  # no 4 GB limit
    args = ["-v", "error", *opened(path), "-map", "0:a:0", "-c:a", "pcm_f32le", "-f", "w64", local(wav)]
    done = run(args, timeout_s=3600)
    if done.returncode or not wav.exists() or wav.stat().st_size == 0:
        why = "it has no sound" if "matches no streams" in done.stderr else reason(done.stderr)
        raise InputError(f"sound file {path} cannot be read: {why}")
    return wav
