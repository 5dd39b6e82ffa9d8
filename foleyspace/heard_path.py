"""Where a source is over time and how loud, as the renderer moves it: for all that draws or lists a scene."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foleyspace import propagation
from foleyspace.types import Floats, Scene, Source

FAINT_DB = -30.0  # a source below this does not count as heard at that moment
STEP_S = 0.05  # finer than a plot or a map shows


@dataclass(frozen=True)
class HeardPath:
    """A source at `times` (n,) s: `xyz` (n, 3) m, `heard` (n,) and `visible` (n,) bool."""

    times: Floats
    xyz: Floats
    heard: NDArray[np.bool_]
    visible: NDArray[np.bool_]


def heard_path(source: Source, duration: float) -> HeardPath:
    """The source every `STEP_S` s and at its own points, while it is not silent within 0..`duration` s; the
    straight line between two points is no straight line in angles, distance or dB. Empty when silent."""
    start, end = np.clip(propagation.audible_span(source), 0, duration)
    steps = np.arange(np.floor(start / STEP_S), np.ceil(end / STEP_S) + 1) * STEP_S
    times = np.unique(np.concatenate([np.clip(steps, start, end), source.times]))
    times = times[(times >= start) & (times <= end)]
    heard = _gain_db(source, times) > FAINT_DB
    return HeardPath(times, propagation.position(source, times), heard, _visible(source, times))


def place_at(source: Source, time: float) -> tuple[Floats, float, bool, float]:
    """xyz (3,) m, gain dB, visible and spread degrees of a source at a time."""
    near, times = stretch(source, time, time), np.array([time])
    assert near.spread_deg is not None
    return (
        propagation.position(near, times)[0],
        float(_gain_db(near, times)[0]),
        bool(_visible(near, times)[0]),
        float(np.interp(time, near.times, near.spread_deg)),
    )


def stretch(source: Source, start: float, end: float) -> Source:
    """The source cut to the points that decide about `start`..`end` s: a film's may have very many."""
    first = max(int(np.searchsorted(source.times, start, "right")) - 1, 0)
    part = slice(first, int(np.searchsorted(source.times, end)) + 1)
    assert source.visible is not None
    assert source.gain_db is not None
    assert source.spread_deg is not None
    return replace(
        source,
        times=source.times[part],
        xyz=source.xyz[part],
        visible=source.visible[part],
        gain_db=source.gain_db[part],
        spread_deg=source.spread_deg[part],
    )


def audible_spans(scene: Scene) -> Floats:
    """From when to when (S, 2) s each source is not silent (`propagation.audible_span`)."""
    return np.array([propagation.audible_span(source) for source in scene.sources]).reshape(-1, 2)


def within(spans: Floats, time: float) -> list[int]:
    """Which of `spans` (n, 2) s hold a time."""
    return np.flatnonzero((spans[:, 0] <= time) & (time <= spans[:, 1])).tolist()


def _gain_db(source: Source, times: Floats) -> Floats:
    return 20 * np.log10(np.maximum(propagation.gain(source, times), 10 ** (propagation.SILENT_DB / 20)))


def _visible(source: Source, times: Floats) -> NDArray[np.bool_]:
    """As at the nearest point (n,)."""
    assert source.visible is not None
    middles = (source.times[1:] + source.times[:-1]) / 2
    return np.asarray(source.visible[np.searchsorted(middles, times)])
