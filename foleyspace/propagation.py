"""What happens to sound between a source and the head: the path over time, distance law, air, Doppler."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from foleyspace.sphere import unit_vectors
from foleyspace.types import Source

Floats = NDArray[np.float64]

SPEED_OF_SOUND = 343.0  # m/s
SILENT_DB = -96.0  # a gain curve's "not sounding"
NEAREST_M = 0.25  # the distance law stops here: +12 dB re 1 m
HEAD_RADIUS_M = 0.0875
PARALLAX_BELOW_M = 1.0  # HRTFs hardly change with distance beyond (Brungart & Rabinowitz, JASA 106, 1999)
TAPS, PHASES = 32, 8192  # of the fractional-delay filter that makes the Doppler shift
AIR_STEP_M, AIR_FARTHEST_M = 0.5, 150.0


def position(source: Source, times: Floats) -> Floats:
    """`xyz` (n, 3) m of the source at `times` (n,) s."""
    return np.stack([np.interp(times, source.times, source.xyz[:, i]) for i in range(3)], axis=1)


def gain(source: Source, times: Floats) -> Floats:
    """Linear gain (n,) of the source at `times` (n,) s: straight lines in amplitude between its points, so
    that sources which share a signal add up to it; 0 from `SILENT_DB` down."""
    if source.gain_db is None or not source.gain_db.any():
        return np.ones(len(times))
    amplitude = np.where(source.gain_db <= SILENT_DB, 0.0, 10 ** (source.gain_db / 20))
    return np.interp(times, source.times, amplitude)


def audible_span(source: Source) -> tuple[float, float]:
    """From when to when (s) a source is not silent by its gains: infinite where an end value holds."""
    if source.gain_db is None:
        return -np.inf, np.inf
    heard = np.flatnonzero(source.gain_db > SILENT_DB)
    if not len(heard):
        return np.inf, -np.inf
    first, last = heard[0], heard[-1]
    start = -np.inf if first == 0 else source.times[first - 1]
    end = np.inf if last == len(source.times) - 1 else source.times[last + 1]
    return float(start), float(end)


def distance_gain(distance_m: Floats) -> Floats:
    """1 / r re 1 m, held below `NEAREST_M`."""
    return 1 / np.maximum(distance_m, NEAREST_M)


def ear_directions(xyz: Floats, parallax: bool) -> tuple[Floats, Floats]:
    """Directions in which to look up each ear's response for sources at `xyz` (n, 3) m, and gains (n, 2):
    directions are (n, 2, 3), or (n, 1, 3) where both ears have the same.

    Nearer than `PARALLAX_BELOW_M` each ear sees the source at another angle than the head's centre does:
    the ray from the ear through the source is followed to that distance, where the responses hold. And
    each ear is at another distance, relatively: its 1 / r beyond that of the head's centre is the gain.
    """
    gains = np.ones((len(xyz), 2))
    distance = np.linalg.norm(xyz, axis=1)
    near = distance < PARALLAX_BELOW_M if parallax else np.zeros(len(xyz), bool)
    if not near.any():
        return xyz[:, None], gains
    both = np.repeat(xyz[:, None], 2, axis=1)
    ears = np.array([[0, HEAD_RADIUS_M, 0], [0, -HEAD_RADIUS_M, 0]])
    # held at the nearest distance, outside the head
    outside = unit_vectors(xyz[near]) * np.maximum(distance[near], NEAREST_M)[:, None]
    source = np.repeat(outside[:, None], 2, axis=1)
    ray = source - ears
    length = np.linalg.norm(ray, axis=-1, keepdims=True)
    ray /= length
    along = (ears * ray).sum(axis=-1)
    reach = -along + np.sqrt(along**2 + PARALLAX_BELOW_M**2 - HEAD_RADIUS_M**2)
    both[near] = ears + reach[..., None] * ray
    # relative to the same at `PARALLAX_BELOW_M`, which the responses hold already
    away = np.linalg.norm(source, axis=-1)
    beyond = PARALLAX_BELOW_M * source / away[..., None] - ears
    gains[near] = away / length[..., 0] * np.linalg.norm(beyond, axis=-1) / PARALLAX_BELOW_M
    return both, gains


def air_absorption_db(
    frequency: Floats, celsius: float = 20.0, humidity_percent: float = 50.0, pascal: float = 101325.0
) -> Floats:
    """Attenuation of air in dB per metre at `frequency` Hz (ISO 9613-1:1993, equations 3-5 and annex B)."""
    kelvin, reference = celsius + 273.15, 293.15
    relative = kelvin / reference
    pressure = pascal / 101325.0
    saturation = 10 ** (-6.8346 * (273.16 / kelvin) ** 1.261 + 4.6151)
    water = humidity_percent * saturation / pressure  # molar concentration in percent
    oxygen = pressure * (24 + 4.04e4 * water * (0.02 + water) / (0.391 + water))
    nitrogen = pressure / np.sqrt(relative) * (9 + 280 * water * np.exp(-4.17 * (relative ** (-1 / 3) - 1)))
    f2 = np.asarray(frequency, np.float64) ** 2
    relaxation = 0.01275 * np.exp(-2239.1 / kelvin) / (oxygen + f2 / oxygen)
    relaxation = relaxation + 0.1068 * np.exp(-3352.0 / kelvin) / (nitrogen + f2 / nitrogen)
    return 8.686 * f2 * (1.84e-11 / pressure * np.sqrt(relative) + relative**-2.5 * relaxation)


class AirFilter:
    """Air absorption as minimum-phase spectra on the renderer's grid of `bins` frequencies."""

    def __init__(self, bins: int, rate: int) -> None:
        from scipy import fft

        n = 2 * (bins - 1)
        per_metre = -air_absorption_db(np.linspace(0, rate / 2, bins)) / 8.685889638
        # log-magnitude grows with distance and so does the minimum phase that belongs to it
        cepstrum = fft.irfft(per_metre, n)
        cepstrum[1 : n // 2] *= 2
        cepstrum[n // 2 + 1 :] = 0
        distances = np.arange(0, AIR_FARTHEST_M + 2 * AIR_STEP_M, AIR_STEP_M)
        self._spectra = np.exp(distances[:, None] * fft.rfft(cepstrum)).astype(np.complex64)

    def spectra(self, distance_m: Floats) -> NDArray[np.complex64]:
        """Complex spectra (n, bins) for sources at `distance_m` (n,)."""
        at = np.clip(distance_m, 0, AIR_FARTHEST_M) / AIR_STEP_M
        step = at.astype(int)
        share = (at - step).astype(np.float32)[:, None]
        return np.asarray(self._spectra[step] * (1 - share) + self._spectra[step + 1] * share)


class Doppler:
    """The changing travel time to a moving source, as a delay of its sound: what shifts the pitch.

    The delay is the travel time from where the source was when it made the sound, less that from the
    nearest point of the path, so that there sound and picture meet. `reach` samples: the longest delay and
    the filter's length.
    """

    def __init__(self, source: Source, rate: int) -> None:
        self._source, self._rate = source, rate
        corners = source.xyz
        nearest = np.linalg.norm(corners, axis=1).min()
        if len(corners) > 1:  # the nearest point of a straight piece may lie between its ends
            along = np.diff(corners, axis=0)
            t = -(corners[:-1] * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-12)
            feet = corners[:-1] + np.clip(t, 0, 1)[:, None] * along
            nearest = min(nearest, np.linalg.norm(feet, axis=1).min())
        self._nearest = float(nearest)
        farthest = float(np.linalg.norm(corners, axis=1).max())
        self.reach = int(np.ceil((farthest - self._nearest) / SPEED_OF_SOUND * rate)) + TAPS
        self._filters = _fractional_filters()

    def __call__(self, buffer: NDArray[np.float32], first: int, start: int, stop: int) -> NDArray[np.float32]:
        """Samples `start`..`stop` of the delayed signal, out of `buffer`, which begins at sample `first`
        and reaches from `start - reach` to `stop + TAPS`."""
        grid = np.arange(start // 32 * 32, stop + 32, 32)
        delay = np.zeros(len(grid))
        for _ in range(4):  # the time of emission, by iteration: each step is v / c times the last
            distance = np.linalg.norm(position(self._source, (grid - delay) / self._rate), axis=1)
            delay = (distance - self._nearest) * (self._rate / SPEED_OF_SOUND)
        # relative to `first`: small numbers, exact at any time of day
        at = np.interp(np.arange(start, stop), grid, grid - first - delay)
        whole = np.floor(at).astype(int)
        phase = np.rint((at - whole) * PHASES).astype(int)
        frames = np.lib.stride_tricks.sliding_window_view(buffer, TAPS)
        out = np.empty(stop - start, np.float32)
        for k in range(0, len(out), 2048):  # what fits the processor's cache
            part = slice(k, k + 2048)
            np.einsum(
                "nk,nk->n", frames[whole[part] - TAPS // 2 + 1], self._filters[phase[part]], out=out[part]
            )
        return out


@lru_cache(maxsize=1)
def _fractional_filters() -> NDArray[np.float32]:
    """Windowed sinc (Kaiser, beta 9: -90 dB) for `PHASES` + 1 fractions of a sample, (PHASES + 1, TAPS)."""
    offset = np.arange(TAPS) - (TAPS // 2 - 1)
    t = offset[None] - np.arange(PHASES + 1)[:, None] / PHASES
    window = np.i0(9 * np.sqrt(np.maximum(1 - (t / (TAPS / 2)) ** 2, 0))) / np.i0(9)
    filters = np.sinc(t) * window
    return (filters / filters.sum(axis=1, keepdims=True)).astype(np.float32)
