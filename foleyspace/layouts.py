"""Loudspeaker layouts as ffmpeg names them, and how much of each channel goes into one mono track."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from foleyspace.ffmpeg import run

# ITU-R BS.775-4, table 2, the 1/0 mono column relative to left: L, R 0.7071; C 1; Ls, Rs 0.5; the centre back
# as a surround; height channels as surrounds; the low-frequency channel is left out, as the standard allows.
_FRONT, _CENTRE, _SURROUND = 0.7071, 1.0, 0.5
_WEIGHTS = {"FC": _CENTRE, "LFE": 0.0, "LFE2": 0.0} | dict.fromkeys(
    ("FL", "FR", "FLC", "FRC", "DL", "DR", "WL", "WR"), _FRONT
)


@lru_cache(maxsize=1)
def _standard() -> dict[str, tuple[str, ...]]:
    """Every layout this ffmpeg knows, with its channels in order."""
    listed = run(["-v", "error", "-layouts"], timeout_s=30).stdout
    rows = re.findall(r"^(\S+)\s+([A-Z]+\d*[A-Z]*(?:\+[A-Z]+\d*[A-Z]*)*)$", listed, re.M)
    return {name: tuple(channels.split("+")) for name, channels in rows}


def channel_names(layout: str) -> tuple[str, ...]:
    """The channels of a layout in order: "5.1(side)" gives FL FR FC LFE SL SR. Unnamed channels are "?";
    ambisonic ones "ACN0", "ACN1", ..."""
    simple = {"mono": ("FC",), "stereo": ("FL", "FR")}
    if layout in simple:
        return simple[layout]
    if found := re.match(r"ambisonic (\d+)(?:\+(.*))?$", layout):
        extra = channel_names(found[2]) if found[2] else ()
        return tuple(f"ACN{k}" for k in range((int(found[1]) + 1) ** 2)) + extra
    if found := re.match(r"(\d+) channels(?: \((.*)\))?", layout):
        names = found[2].split("+") if found[2] else []
        return tuple(names) if len(names) == int(found[1]) else ("?",) * int(found[1])
    return _standard().get(layout, ("?",))


def is_ambisonic(names: tuple[str, ...]) -> bool:
    """Whether `channel_names` are those of ambisonics, the omnidirectional one first."""
    return names[0].startswith("ACN")


def without_ambisonics(layout: str) -> str:
    """ffmpeg filters, with a comma behind, that make channels of ambisonics plain channels: its resampler
    refuses to touch the former. "" for other layouts."""
    names = channel_names(layout)
    if not is_ambisonic(names):
        return ""
    return f"channelmap=map={'|'.join(map(str, range(len(names))))}:channel_layout={len(names)}C,"


def mono_weights(names: tuple[str, ...]) -> NDArray[np.float64]:
    """(C,) weights that sum to 1, so that the mono track of channels within +-1 stays within +-1.

    Ambisonic channels: the omnidirectional one alone. Unnamed channels: their average.
    """
    if is_ambisonic(names):
        weights = np.array([1.0] + [0.0] * (len(names) - 1))
    elif "?" in names:
        weights = np.ones(len(names))
    else:
        weights = np.array([_WEIGHTS.get(name, _SURROUND) for name in names])
        if not weights.any():
            weights = np.ones(len(names))  # nothing but low-frequency channels
    return weights / weights.sum()
