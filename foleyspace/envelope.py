"""What the sound track does over time: level and onsets, the audio side of audio-visual synchrony."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from foleyspace.types import Floats, Samples

ENVELOPE_HZ = 50
FLOOR_DB = -80.0
SILENT_DB = -65.0  # dBFS: what is quieter is nobody's sound ...
QUIET_DB = 50.0  # ... nor is what is so far below the loud parts (95th percentile)
PAUSE_S = 0.5  # shorter pauses are part of a sound


@dataclass(frozen=True)
class Envelope:
    """`times` (T,) s, `level_db` (T,) RMS per 20 ms re full scale (floor -80), `onset` (T,): how much
    louder it just became, dB above the level of the last 0.2 s, >= 0."""

    times: Floats
    level_db: Floats
    onset: Floats

    @property
    def silent(self) -> bool:
        return len(self.times) == 0 or float(self.level_db.max()) <= FLOOR_DB + 1e-9

    def active(self, times: Floats) -> Floats:
        """1 at those of `times` (N,) around which there is any sound, else 0."""
        if not len(self.times):
            return np.zeros(len(times))
        floor = max(SILENT_DB, float(np.percentile(self.level_db, 95)) - QUIET_DB)
        loud = self.times[self.level_db > floor]
        if not len(loud):
            return np.zeros(len(times))
        after = (
            np.clip(np.searchsorted(loud, times), 1, len(loud) - 1)
            if len(loud) > 1
            else np.zeros(len(times), int)
        )
        apart = np.minimum(np.abs(loud[after] - times), np.abs(times - loud[after - 1]))
        return (apart <= PAUSE_S).astype(np.float64)


def envelope(blocks: Iterable[Samples], rate: int) -> Envelope:
    """Level and onset strength of a mono signal that comes in blocks (n,) or (1, n) of any length."""
    hop = rate // ENVELOPE_HZ
    powers: list[Floats] = []
    rest = np.empty(0, np.float32)
    for block in blocks:
        rest = np.concatenate([rest, np.ravel(block)])
        n = len(rest) // hop
        powers.append((rest[: n * hop].reshape(n, hop).astype(np.float64) ** 2).mean(axis=1))
        rest = rest[n * hop :]
    power = np.concatenate(powers) if powers else np.empty(0)
    level_db = np.maximum(10 * np.log10(np.maximum(power, 1e-30)), FLOOR_DB)  # exact, as in `mel.py`
    times = (np.arange(len(level_db)) + 0.5) / ENVELOPE_HZ
    return Envelope(times, level_db, _onset(level_db))


def _onset(level_db: Floats) -> Floats:
    span = round(0.2 * ENVELOPE_HZ)
    if not len(level_db):
        return level_db
    padded = np.concatenate([np.full(span, level_db[0]), level_db])
    running = np.concatenate([[0.0], np.cumsum(padded)])
    before = (running[span : span + len(level_db)] - running[: len(level_db)]) / span
    return np.maximum(0.0, level_db - before)


def mean_before(times: Floats, series_times: Floats, series: Floats) -> Floats:
    """Mean of a dense series over the span before each of `times` that no earlier one has."""
    step = float(np.median(np.diff(times)))
    low = np.searchsorted(series_times, times - step)
    high = np.maximum(np.searchsorted(series_times, times), low + 1)
    high = np.minimum(high, len(series))
    low = np.minimum(low, high - 1)
    first, last = int(low.min()), int(high.max())  # a film has hundreds of short tracks
    total = np.concatenate([[0.0], np.cumsum(series[first:last])])
    return (total[high - first] - total[low - first]) / (high - low)
