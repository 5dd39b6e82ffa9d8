"""Cues over time as a picture: waveforms, ITD, ILD, azimuth."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foleyspace.analyze import in_blocks
from foleyspace.heard_path import heard_path
from foleyspace.types import Audio, Floats, Samples, Scene

if TYPE_CHECKING:
    from foleyspace.analyze import Cues

LEFT, RIGHT, INK, GRID = "#0072B2", "#D55E00", "#222222", "#d9d9d9"  # Wong 2011: told apart by all eyes
_SOURCE_COLOURS = ("#b06f00", "#00795a", "#8a3f72", "#444444")  # dark enough for thin lines on white
_COLUMNS = 1600  # waveform columns: more than a picture has pixels


def cue_png(
    cues: Cues, sound: Audio | str | Path, *, title: str = "", scene: Scene | None = None, dpi: int = 110
) -> bytes:
    """PNG bytes of four panels over time: both waveforms, ITD, ILD and azimuth; up is left in all.

    `scene`: dashed lines in the azimuth panel show where its sources are (those behind the listener at
    their mirror image in front, as cues alone cannot tell them apart).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 8.2), dpi=dpi, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(4, 1, sharex=True, height_ratios=[1.1, 1, 1, 1.3])
    figure.suptitle(title or "Binaural cues over time", fontsize=13, fontweight="bold", color=INK)
    peaks = in_blocks(sound, partial(_peaks, round(cues.duration * cues.rate)))
    _waveforms(axes[0], cues.duration, *peaks)
    _cue(axes[1], cues, cues.itd_us, "ITD (µs)", 900, 250, ("left ear leads", "right ear leads"))
    reach = float(np.nanmax(np.abs(cues.ild_db), initial=0.0))
    _cue(axes[2], cues, cues.ild_db, "ILD (dB)", max(12.0, 1.15 * min(reach, 40.0)), None,
         ("left ear louder", "right ear louder"))  # fmt: skip
    _cue(axes[3], cues, cues.azimuth_deg, "azimuth (°)", 95, 30, ("left", "right"), up_positive=True)
    if scene is not None:
        _placed(axes[3], scene)
    axes[3].set_xlabel("time (s)")
    axes[3].set_xlim(0, max(cues.duration, 1e-3))
    for axis in axes:
        _tidy(axis)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _waveforms(axis: Any, duration: float, lows: Samples, highs: Samples) -> None:
    """Both channels' peaks (2, columns), left above and right below the middle line of its own strip."""
    top = max(float(highs.max(initial=0.0)), -float(lows.min(initial=0.0)), 1e-4)
    for channel, (offset, colour, name) in enumerate(((1.0, LEFT, "left"), (-1.0, RIGHT, "right"))):
        low, high = lows[channel], highs[channel]
        times = np.linspace(0, duration, len(low))
        axis.fill_between(times, offset + low / top * 0.95, offset + high / top * 0.95, color=colour, lw=0.4)
        axis.text(0.006, 0.97 if channel == 0 else 0.03, name, color=colour, transform=axis.transAxes,
                  va="top" if channel == 0 else "bottom", fontsize=9, fontweight="bold",
                  bbox={"facecolor": "white", "alpha": 0.8, "lw": 0, "pad": 1.5})  # fmt: skip
    axis.set_ylim(-2.05, 2.05)
    axis.set_yticks([1, -1], ["L", "R"])
    decibels = 20 * np.log10(top) if top > 1e-4 else -80.0
    axis.set_ylabel(f"waveform\n(peak {decibels:.1f} dBFS)")


def _peaks(total: int, _rate: int, _channels: int, blocks: Iterator[Samples]) -> tuple[Samples, Samples]:
    """Lowest and highest sample (2, columns) of each of the picture's columns, of `total` samples."""
    count = min(_COLUMNS, total)
    edges = np.linspace(0, total, count + 1).astype(int)[:-1]
    low, high = np.zeros((2, 2, count), np.float32)
    start = 0
    for block in blocks:
        # the columns this block reaches into, the first perhaps begun by the one before
        columns = slice(*np.searchsorted(edges, [start, start + block.shape[1]], side="left"))
        if columns.start == count or edges[columns.start] > start:
            columns = slice(columns.start - 1, columns.stop)
        inside = np.maximum(edges[columns] - start, 0)
        low[:, columns] = np.minimum(low[:, columns], np.minimum.reduceat(block[:2], inside, axis=1))
        high[:, columns] = np.maximum(high[:, columns], np.maximum.reduceat(block[:2], inside, axis=1))
        start += block.shape[1]
    return low, high


def _cue(
    axis: Any,
    cues: Cues,
    values: Floats,
    label: str,
    reach: float,
    step: float | None,
    ends: tuple[str, str],
    up_positive: bool = False,
) -> None:
    axis.axhline(0, color="#888888", lw=0.9, zorder=1)
    axis.plot(cues.times, values, color=INK, lw=0.9, alpha=0.55, zorder=2)
    heard = np.isfinite(values)
    if heard.any():
        # loud moments carry the picture, faint ones are dots
        loudness = np.clip((cues.level_db[heard] - cues.level_db[heard].max() + 40) / 40, 0.05, 1)
        left = (values[heard] > 0) == up_positive
        colours = np.where(left, LEFT, RIGHT)
        axis.scatter(
            cues.times[heard], values[heard], s=3 + 15 * loudness, c=colours, alpha=0.75, lw=0, zorder=3
        )
    else:
        axis.text(0.5, 0.6, "silence", transform=axis.transAxes, ha="center", color="#666666")
    axis.set_ylim((-reach, reach) if up_positive else (reach, -reach))
    if step:
        axis.yaxis.set_major_locator(_multiple(step))
    axis.set_ylabel(label)
    for text, y, where, colour in ((ends[0], 0.96, "top", LEFT), (ends[1], 0.04, "bottom", RIGHT)):
        axis.text(0.994, y, text, transform=axis.transAxes, ha="right", va=where, fontsize=8.5, color=colour,
                  bbox={"facecolor": "white", "alpha": 0.8, "lw": 0, "pad": 1.5}, zorder=4)  # fmt: skip


def _placed(axis: Any, scene: Scene) -> None:
    """Where the scene puts its heard sources."""
    for source, colour in zip(scene.sources, _SOURCE_COLOURS * len(scene.sources), strict=False):
        path = heard_path(source, scene.duration)
        x, y, _ = path.xyz.T
        folded = np.degrees(np.arctan2(y, np.abs(x)))
        axis.plot(path.times, np.where(path.heard, folded, np.nan), "--", color=colour, lw=1.8, zorder=5)


def _multiple(step: float) -> Any:
    from matplotlib.ticker import MultipleLocator

    return MultipleLocator(step)


def _tidy(axis: Any) -> None:
    axis.grid(True, color=GRID, lw=0.6)
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    axis.tick_params(labelsize=9)
    axis.yaxis.label.set_size(9.5)
