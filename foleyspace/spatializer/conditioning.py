"""What a scene tells the separator: names as vectors, and what is known of when each source sounds."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from foleyspace.errors import FoleyspaceError
from foleyspace.propagation import SILENT_DB, gain
from foleyspace.types import Floats, Samples, Source
from foleyspace.word_vectors import word_vectors

if TYPE_CHECKING:
    from foleyspace.spatializer.model import NetConfig

log = logging.getLogger("foleyspace")

SLACK, MOSTLY = 0.03, 0.9  # gains that add up to one this closely, so often, are shares of the track
MOMENTS = 20_000  # looked at
HELD_S = 0.1  # for which a silent end of a source that shares is held
FADED_S = 0.2  # within which it is silent beyond; what comes next in its row is further away (`rows_of`)


def label_vectors(sources: Sequence[Source], *, offline: bool = False) -> Samples:
    """(S, 384) the word vector of each source's label, NaN where its words are not known."""
    vectors = vectors_by_label([source.label for source in sources], offline=offline)
    return np.stack([vectors[source.label] for source in sources])


def vectors_by_label(labels: Sequence[str], *, offline: bool = False) -> dict[str, Samples]:
    """The word vector (384,) of each of `labels`, NaN where its words are not known; equal ones cost one
    look-up."""
    different = list(dict.fromkeys(labels))
    found = word_vectors(different, offline=offline)
    found[~found.any(axis=1)] = np.nan  # as a label that training withholds, not a word of its own
    return dict(zip(different, found, strict=True))


def whole_prompt(config: NetConfig, prompt: str, *, offline: bool = False) -> Samples | None:
    """(D,) the vector of the words that a scene was read from, by the encoder that the network was trained
    with; None where the network reads none, or the encoder cannot be had."""
    if not config.fusion:
        return None
    from foleyspace.text_encoder import encode

    try:
        vector = encode([prompt], config.encoder, offline=offline)[0]
    except FoleyspaceError as error:
        log.info("the prompt is read for its sources only: %s", error)
        return None
    return vector if len(vector) == config.text else None


def gains_are_shares(sources: Sequence[Source]) -> bool:
    """Whether the sources' gains say how the one track is shared out (they add up to one nearly all the time,
    as `foleyspace track` writes them) rather than how loud each is to be."""
    if len(sources) < 2 or any(source.gain_db is None for source in sources):
        return False
    times = np.unique(np.concatenate([source.times for source in sources]))
    if len(times) > MOMENTS:
        times = times[np.linspace(0, len(times) - 1, MOMENTS).astype(int)]
    total = sum((gain(source, times) for source in sources), start=np.zeros(len(times)))
    return bool(np.all(total < 1 + SLACK) and np.mean(total > 1 - SLACK) > MOSTLY)


def activity(sources: Sequence[Source], times: Floats, shares: bool) -> Samples:
    """(S, T) in [0, 1] at `times` (T,) s: 0 where a source is silent by its gains; else its share relative to
    the largest one's, or 1 where the gains are levels."""
    gains = np.stack([gain(source, times) for source in sources])
    known = gains / np.maximum(gains.max(axis=0), 1e-9) if shares else np.where(gains > 0, 1.0, 0.0)
    return np.asarray(known, np.float32)


def without_shares(source: Source) -> Source:
    """The source at full level wherever it sounds at all and up to the next points around, fading within
    `FADED_S`: its stem holds its share already, fades included. Beyond, its row may be another's."""
    before, after = source.times[0] - HELD_S, source.times[-1] + HELD_S
    times = np.concatenate([[before], source.times, [after]])
    heard = _held(source.gain_db) > SILENT_DB
    near = heard | np.append(heard[1:], heard[-1]) | np.append(heard[0], heard[:-1])
    ends = np.flatnonzero((near[1:] != near[:-1]) & (np.diff(times) > FADED_S))
    at = np.where(near[ends], times[ends] + FADED_S, times[ends + 1] - FADED_S)
    placed = np.stack([np.interp(at, times, _held(source.xyz)[:, i]) for i in range(3)], axis=1)
    spread = _held(source.spread_deg)
    return replace(
        source,
        times=np.insert(times, ends + 1, at),
        xyz=np.insert(_held(source.xyz), ends + 1, placed, axis=0),
        visible=np.insert(_held(source.visible), ends + 1, _held(source.visible)[ends]),
        gain_db=np.insert(np.where(near, 0.0, SILENT_DB), ends + 1, SILENT_DB),
        spread_deg=np.insert(spread, ends + 1, np.interp(at, times, spread)),
    )


def _held(values: Any) -> Any:
    """The first and the last of `values` (N, ...) once more."""
    return np.concatenate([values[:1], values, values[-1:]])
