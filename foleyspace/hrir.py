"""HRIR sets made ready to render with: one rate, one level, the onset delay kept apart.

hrirs = load_hrirs("mit_kemar")  # or a path to any SimpleFreeFieldHRIR SOFA file
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace.errors import InputError
from foleyspace.keeping import kept
from foleyspace.types import Hrirs

if TYPE_CHECKING:
    from foleyspace.sofa import RawHrirs

log = logging.getLogger("foleyspace")

Floats = NDArray[np.float64]
Spectra = NDArray[np.complex128]

ONSET_BAND = (200.0, 2000.0)  # Hz: where the ear's delay is heard, and where it is steadiest to measure
ONSET_SLACK = 0.4e-3  # s, how far an onset may lie outside what most directions of the set show
FLOOR_DB = -60.0  # magnitudes are not followed below this, re the response's peak, into the logarithm
ONSET_SHARE = 0.2  # of its peak: where `onset_hrirs` has a response begin
OVERSAMPLING = 8  # to find that to an eighth of a sample
TRIM_DB = -68.0  # what may be cut off a direction's response, re its energy
PAD = 128  # samples around a response that is resampled, for the filter to ring out
CHUNK_BYTES = 4 << 20  # of spectra worked on at once
LONGEST_STEP = (
    8192  # samples; rates that meet less often are rare (44101 Hz): each response by itself, slower
)


@kept
def load_hrirs(name_or_path: str | os.PathLike[str] = "mit_kemar", rate: int = 48000) -> Hrirs:
    """An HRIR set resampled to `rate` Hz, level-normalised, with the onset delays taken out.

    Level: the power averaged over all directions, both ears and the octaves from 100 Hz to 16 kHz (pink)
    is 0 dB, so that a sound from an average direction is as loud at the ear as it was. `ir` delayed by
    `delay` (fractional, band-limited) is the measured response; the set's shortest delay is under one
    sample, less what the measurement waited before it. Where a set has several distances, the one that
    most directions have is used. Raises `InputError` for a file that is no usable HRIR set.
    """
    from foleyspace.hrtf import resolve_hrtf
    from foleyspace.sofa import read_sofa

    if not 8000 <= rate <= 384000:
        raise InputError(f"`rate` is {rate} but must be between 8000 and 384000 Hz")
    return prepare_hrirs(read_sofa(resolve_hrtf(name_or_path)), rate)


def prepare_hrirs(raw: RawHrirs, rate: int = 48000) -> Hrirs:
    """`load_hrirs` for a set that is read already."""
    keep = _one_distance(raw.xyz)
    xyz = raw.xyz[keep]
    ir = resample_irs(raw.ir[keep], raw.rate, rate)
    extra = raw.delay[keep] * (rate / raw.rate)
    n = _fft_size(ir.shape[-1])
    onset = onset_samples(ir, rate)
    gain = 1 / np.sqrt(pink_power(ir, xyz, rate))
    lead, length = _extent(ir, onset, n)
    aligned = np.concatenate([part[..., :length] for part in _advanced(ir * gain, onset - lead, n)])
    delay = onset + extra
    log.debug("HRIR set %s: %d directions, %d taps at %d Hz", raw.name, len(xyz), length, rate)
    return Hrirs(aligned.astype(np.float32), delay - np.floor(delay.min()), xyz, rate, raw.name)


def resample_irs(ir: Floats, rate_in: int, rate_out: int) -> Floats:
    """Impulse responses (M, 2, N) at another rate: same transfer function, time 0 stays time 0."""
    ir = np.asarray(ir, np.float64)
    if rate_in == rate_out:
        return ir
    import soxr

    m, ears, taps = ir.shape
    if rate_in // np.gcd(rate_in, rate_out) > LONGEST_STEP:
        beside = np.pad(ir.reshape(m * ears, taps), ((0, 0), (0, PAD))).T
        out = soxr.resample(beside, rate_in, rate_out, quality="HQ").T * (rate_in / rate_out)
        length = -(-taps * rate_out // rate_in) + PAD // 4
        out = np.pad(out, ((0, 0), (0, max(0, length - out.shape[1]))))
        return np.asarray(out[:, :length].reshape(m, ears, length))
    # One after the other in a single signal, each at a whole number of samples of both rates
    step = rate_in // np.gcd(rate_in, rate_out)
    ahead = step * -(-PAD // step)
    slot = step * -(-(ahead + taps + PAD) // step)
    slots = np.zeros((m * ears, slot))
    slots[:, ahead : ahead + taps] = ir.reshape(m * ears, taps)
    out = soxr.resample(slots.ravel(), rate_in, rate_out, quality="HQ") * (rate_in / rate_out)
    slot, ahead = slot * rate_out // rate_in, ahead * rate_out // rate_in
    out = np.pad(out, (0, max(0, m * ears * slot - len(out))))[: m * ears * slot].reshape(m, ears, slot)
    return np.asarray(out[..., ahead : ahead + -(-taps * rate_out // rate_in) + PAD // 4])


def log_magnitude(spectrum: Spectra) -> Floats:
    """Natural logarithm of the magnitude (..., K), not followed below `FLOOR_DB` re its peak."""
    magnitude = np.abs(spectrum)
    floor = magnitude.max(axis=-1, keepdims=True) * 10 ** (FLOOR_DB / 20)
    return np.log(np.maximum(magnitude, np.maximum(floor, 1e-30)))


def minimum_phase(log_mag: NDArray[np.floating]) -> NDArray[np.complexfloating]:
    """Spectrum (..., K = n / 2 + 1) with this natural-log magnitude and the least delay, by the folded
    real cepstrum (Oppenheim & Schafer, Discrete-Time Signal Processing, 12.4). Keeps the precision."""
    from scipy import fft

    n = 2 * (log_mag.shape[-1] - 1)
    cepstrum = fft.irfft(log_mag, n)
    cepstrum[..., 1 : n // 2] *= 2
    cepstrum[..., n // 2 + 1 :] = 0
    logarithm = fft.rfft(cepstrum)
    # exp of a complex array, but with the real functions, which are vectorised
    spectrum = np.empty_like(logarithm)
    size = np.exp(logarithm.real)
    spectrum.real = size * np.cos(logarithm.imag)
    spectrum.imag = size * np.sin(logarithm.imag)
    return spectrum


def minimum_phase_hrirs(hrirs: Hrirs) -> Hrirs:
    """The set with each response's excess phase left out: its minimum-phase version, delayed as it was.

    Magnitudes and the delays of the ears stay; what goes is inaudible as a rule (Kulkarni, Isabelle &
    Colburn, Sensitivity of human subjects to head-related transfer-function phase spectra, JASA 105, 1999).
    """
    from scipy import fft

    taps = hrirs.ir.shape[-1]
    n = _fft_size(taps)
    least, lags = [], []
    for h in _spectra(hrirs.ir.astype(np.float64), n):
        version = minimum_phase(log_magnitude(h))
        least.append(fft.irfft(version, n)[..., :taps])
        lags.append(fft.irfft(h * np.conj(version), n)[..., :taps].argmax(axis=-1))
    lead = int(np.median(np.concatenate(lags)))
    ir = np.pad(np.concatenate(least), ((0, 0), (0, 0), (lead, 0)))[..., : taps + lead]
    return replace(hrirs, ir=ir.astype(np.float32))


def onset_hrirs(hrirs: Hrirs) -> Hrirs:
    """`minimum_phase_hrirs` with other delays: until the response first comes to `ONSET_SHARE` of its peak.

    Many renderers have their delays so. To judge what they made, not to render with: an onset hangs on the
    response's highest frequencies, and below 1.5 kHz, where phase is heard, the ears then differ from the
    measured ones by up to several times what they do with `onset_samples` (`scripts/bench/delays.py`).
    """
    from scipy import fft

    n = _fft_size(hrirs.ir.shape[-1])
    first = []
    for h in _spectra(hrirs.ir.astype(np.float64), n):
        size = np.abs(fft.irfft(h, n * OVERSAMPLING))
        first.append((size > ONSET_SHARE * size.max(axis=-1, keepdims=True)).argmax(axis=-1))
    least = minimum_phase_hrirs(hrirs)
    return replace(least, delay=hrirs.delay + np.concatenate(first) / OVERSAMPLING)


def onset_samples(ir: Floats, rate: int) -> Floats:
    """Onset delay (M, 2) of each response in samples, fractional.

    It is where the response's cross-correlation with its own minimum-phase version peaks (Nam, Abel &
    Smith, A Method for Estimating Interaural Time Difference for Binaural Synthesis, AES 125, 2008), in
    the band where interaural time is heard.
    """
    from scipy import fft

    n, over = _fft_size(ir.shape[-1]), 2
    f = fft.rfftfreq(n, 1 / rate)
    low, high = ONSET_BAND
    band = 1 / ((1 + (low / np.maximum(f, 1)) ** 8) * (1 + (f / high) ** 8))
    coarse = (np.abs(ir) > 0.2 * np.abs(ir).max(axis=-1, keepdims=True)).argmax(axis=-1)
    slack = ONSET_SLACK * rate
    first = int(np.floor((np.percentile(coarse, 2) - slack) * over))
    last = int(np.ceil((np.percentile(coarse, 98) + slack) * over))
    span = np.arange(first - 1, last + 2)
    parts = []
    for h in _spectra(ir, n):
        log_mag = log_magnitude(h)
        like = np.conj(minimum_phase(log_mag)) * np.exp(-log_mag)
        parts.append(fft.irfft(h * like * band, n * over)[..., span % (n * over)])
    match = np.concatenate(parts)
    if (-match).max(axis=-1).sum() > match.max(axis=-1).sum():
        match = -match  # a set measured with its polarity turned
    peak = np.clip(match.argmax(axis=-1), 1, len(span) - 2)
    left, top, right = (np.take_along_axis(match, (peak + k)[..., None], -1)[..., 0] for k in (-1, 0, 1))
    bend = left - 2 * top + right
    shift = np.where(bend < 0, 0.5 * (left - right) / np.where(bend < 0, bend, 1), 0)
    return np.asarray((span[peak] + np.clip(shift, -0.5, 0.5)) / over)


def pink_power(ir: Floats, xyz: Floats, rate: int) -> float:
    """Power of a response at 100 Hz - 16 kHz, each octave counting the same, averaged over the sphere."""
    n = _fft_size(ir.shape[-1])
    f = np.fft.rfftfreq(n, 1 / rate)
    pink = np.where((f >= 100) & (f <= min(16000, 0.45 * rate)), 1 / np.maximum(f, 1), 0)
    power = np.concatenate([(np.abs(h) ** 2 @ pink).mean(axis=1) for h in _spectra(ir, n)])
    return float(power @ sphere_weights(xyz) / pink.sum())


def sphere_weights(xyz: Floats) -> Floats:
    """Share (M,) of the sphere that each direction stands for; they sum to 1."""
    from foleyspace.sphere import SphereMesh

    return np.asarray(SphereMesh(xyz).weights(even_directions(2000)).mean(axis=0)).ravel()


def even_directions(n: int) -> Floats:
    """`n` unit vectors (n, 3) spread evenly over the sphere (Fibonacci lattice)."""
    k = np.arange(n) + 0.5
    z, turn = 1 - 2 * k / n, np.pi * (1 + 5**0.5) * k
    radius = np.sqrt(1 - z**2)
    return np.stack([radius * np.cos(turn), radius * np.sin(turn), z], axis=1)


def _one_distance(xyz: Floats) -> NDArray[np.int_]:
    """Indices of the directions to use: each once, from the distance that most of them have."""
    distance = np.linalg.norm(xyz, axis=1)
    shells, counts = np.unique(np.round(distance, 1), return_counts=True)
    off = np.abs(distance - shells[np.argmax(counts)])
    order = np.lexsort((np.arange(len(xyz)), np.round(off, 6)))
    key = np.round(xyz[order] / distance[order, None], 5)
    _, unique = np.unique(key, axis=0, return_index=True)
    keep = np.sort(order[unique])
    if np.ptp(distance) > 0.2 * np.median(distance) and len(keep) < len(xyz):
        log.info("HRIR set with several distances: used %.2f m", np.median(distance[keep]))
    return np.asarray(keep)


def _extent(ir: Floats, onset: Floats, n: int) -> tuple[int, int]:
    """Samples to keep ahead of the onset, and in all, so that no direction loses more than `TRIM_DB`."""
    lost = 10 ** (TRIM_DB / 10) / 2
    lead, tail = 0, 1
    for part in _advanced(ir, onset, n):
        # circular: the second half is what comes before the onset
        energy = part**2 / (part**2).sum(axis=(1, 2), keepdims=True)
        energy = energy.sum(axis=1)
        before = np.cumsum(energy[:, n // 2 :], axis=1).max(axis=0)
        after = np.cumsum(energy[:, : n // 2][:, ::-1], axis=1).max(axis=0)
        lead = max(lead, n - n // 2 - int(np.searchsorted(before, lost)))
        tail = max(tail, n // 2 - int(np.searchsorted(after, lost)))
    return lead, lead + tail


def _advanced(ir: Floats, samples: Floats, n: int) -> Iterator[Floats]:
    """Responses (m, 2, n) moved ahead by `samples` (M, 2), fractional and circular, in chunks."""
    from scipy import fft

    turn = 2j * np.pi * fft.rfftfreq(n)
    start = 0
    for h in _spectra(ir, n):
        stop = start + len(h)
        ahead = np.exp(turn * samples[start:stop, :, None])
        yield fft.irfft(h * ahead, n)
        start = stop


def _spectra(ir: Floats, n: int) -> Iterator[Spectra]:
    from scipy import fft

    chunk = max(1, CHUNK_BYTES // (16 * n))
    for start in range(0, len(ir), chunk):
        yield fft.rfft(ir[start : start + chunk], n)


def _fft_size(taps: int) -> int:
    return 1 << max(10, int(np.ceil(np.log2(3 * taps))))
