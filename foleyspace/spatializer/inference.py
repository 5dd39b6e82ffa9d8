"""A mixture taken apart and each part sent to its own place: any length, in overlapping windows.

The separator's masks make a stem for every source; the deterministic renderer takes the stems to their
places, so that HRIRs, motion and rooms stay exact. Where only one source sounds there is nothing to take
apart: its stem is the mixture, and the result is the renderer's.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foleyspace.device import check_device
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.propagation import audible_span
from foleyspace.spatializer.conditioning import (
    activity,
    gains_are_shares,
    label_vectors,
    whole_prompt,
    without_shares,
)
from foleyspace.spatializer.difference import difference, keep_sum
from foleyspace.spatializer.weights import check_name
from foleyspace.types import Audio, Hrirs, Samples, Scene, Source

if TYPE_CHECKING:
    from foleyspace.renderer import RenderOptions

log = logging.getLogger("foleyspace")

MOST = 16  # sources that sound at once
STEPS, GUIDANCE, ROUNDS = 1, 1.0, 6
WINDOW, EDGE, FADE = 288, 24, 48  # frames of 21.3 ms: 6 s, of which 0.5 s at each end are not used
APART_S = 0.5  # between sources that share a row
SMALLEST = 144  # what a window shrinks to when memory is short


@dataclass(frozen=True)
class SeparatorOptions:
    """`weights`: "auto" (those that ship), a file, or a hub name; `steps`: looks at its own estimate, 1 is
    the plain prediction; `guidance`: how much the labels count, 1 as trained; `seed`: of the steps' noise;
    `prompt`: the words as a whole, for weights with a layer for them; "": the captions of the sources, which
    are what a scene was read from; `rounds`: of making each source consistent with itself (`nmf.py`), 0 for
    the network alone."""

    weights: str = "auto"
    device: str = "auto"
    steps: int = STEPS
    guidance: float = GUIDANCE
    seed: int = 0
    offline: bool = False
    prompt: str = ""
    rounds: int = ROUNDS

    def __post_init__(self) -> None:
        check_device(self.device)
        check_name(self.weights)
        if not 1 <= self.steps <= 50:
            raise InputError(f"`steps` is {self.steps} but must be between 1 and 50")
        if not 0 <= self.guidance <= 10:
            raise InputError(f"`guidance` is {self.guidance} but must be between 0 and 10")
        if not 0 <= self.rounds <= 50:
            raise InputError(f"`rounds` is {self.rounds} but must be between 0 and 50")


def separate(mono: Audio, scene: Scene, options: SeparatorOptions | None = None) -> Samples:
    """Stems (S, n) float32 of a mixture (1, n) at 48 kHz, in the scene's order; they add up to it.

    Raises `InputError` for other audio, values that are not finite, more than `MOST` sources at once.
    """
    from foleyspace.spatializer.bands import RATE
    from foleyspace.spatializer.windows import checked_mono

    samples = checked_mono(mono, RATE)
    stems = list(separated_blocks([samples], scene.sources, options or SeparatorOptions()))
    return np.concatenate([np.zeros((len(scene.sources), 0), np.float32), *stems], axis=1)


def spatialize_mixture(
    mono: Audio,
    scene: Scene,
    hrirs: Hrirs,
    options: SeparatorOptions | None = None,
    *,
    mono_compatible: bool = False,
) -> Audio:
    """Binaural sound (2, n): each source's part of `mono` (1, n) at its place, through `hrirs`.

    Where the sources' gains add up to one they are taken for shares of the track, and only tell who sounds
    when; else they are levels. `mono_compatible`: left plus right is the input (`difference.py`). Raises as
    `separate` does.
    """
    stems = separate(mono, scene, options)
    if not mono_compatible:
        return place(stems, scene, hrirs)
    apart = np.zeros(mono.samples.shape[1], np.float32)
    for stem, source in zip(stems, placed(scene.sources), strict=True):
        alone = place(stem[None], replace(scene, sources=(source,)), hrirs)
        apart += difference(stem, alone.samples)
    return Audio(keep_sum(mono.samples[0], apart), mono.rate)


def place(
    stems: Samples,
    scene: Scene,
    hrirs: Hrirs,
    options: RenderOptions | None = None,
    rate: int | None = None,
) -> Audio:
    """Binaural sound (2, n) of the `stems` (S, n) of `separate`, each at its source's place; `rate` Hz: where
    they were resampled."""
    from foleyspace.renderer import render
    from foleyspace.spatializer.bands import RATE

    parts = [Audio(stem[None], RATE if rate is None else rate) for stem in stems]
    return render(parts, replace(scene, sources=placed(scene.sources)), hrirs, options)


def placed(sources: Sequence[Source]) -> tuple[Source, ...]:
    """The sources as the renderer places their stems: with their gains only where these are levels."""
    return tuple(map(without_shares, sources)) if gains_are_shares(sources) else tuple(sources)


def busiest(sources: Sequence[Source]) -> int:
    """How many sources sound at once at most, by their gains."""
    spans = [span for span in map(audible_span, sources) if span[1] > span[0]]
    ends = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    return int(np.cumsum([step for _, step in ends]).max(initial=0))


def rows_of(sources: Sequence[Source]) -> NDArray[np.int_]:
    """(S,) a row for the stem of each source, as few as there can be: sources that never sound near each
    other share one. A film has thousands of sources, but few at a time."""
    order = sorted((audible_span(source), i) for i, source in enumerate(sources))
    rows = np.zeros(len(sources), int)
    free: list[float] = []  # when each row's last sound ends
    for (start, end), i in order:
        row = next((r for r, ended in enumerate(free) if ended + APART_S < start), len(free))
        if row == len(free):
            free.append(end)
        free[row] = end
        rows[i] = row
    return rows


def separated_blocks(
    blocks: Iterable[Samples],
    sources: Sequence[Source],
    options: SeparatorOptions,
    rows: NDArray[np.int_] | None = None,
) -> Iterator[Samples]:
    """Stems (S, n) block by block of a mixture that comes in `blocks` (1, n) at 48 kHz, in bounded memory;
    with `rows` (S,), sources of the same row are added up in it.

    Raises `InputError` for no sources, weights or a device that cannot be used, and more than `MOST` sources
    at once; `FoleyspaceError` where memory does not suffice for the smallest windows.
    """
    if len(sources) == 0:
        raise InputError("`sources` is empty but must hold at least one source")
    if len(sources) == 1:
        yield from blocks
        return
    from foleyspace.spatializer.bands import HOP, RATE

    separator = _Separator(sources, options, np.arange(len(sources)) if rows is None else rows)
    edge, fade_over, frames = EDGE * HOP, FADE * HOP, WINDOW
    fade = np.linspace(0, 1, fade_over, endpoint=False, dtype=np.float32)
    buffer, origin = np.zeros(edge, np.float32), -edge  # what is kept of the mixture, and where it begins
    tail: Samples | None = None
    source, ended, given, total = iter(blocks), False, 0, 0
    while True:
        size = frames * HOP
        while not ended and origin + len(buffer) < given - edge + size:
            block = next(source, None)
            if block is None:
                ended = True
            else:
                total += block.shape[1]
                buffer = np.append(buffer, block[0])
        if ended and given >= total:
            return
        start, usable = given - edge, size - 2 * edge
        last = ended and total - given <= usable
        if last:  # looks back rather than at the silence beyond the end
            start = max(origin, min(start, total + edge - size))
            size = min(size, HOP * -(-(total + edge - start) // HOP))
        window = buffer[start - origin : start - origin + size]
        window = np.pad(window, (0, size - len(window)))
        try:
            stems = separator(window, start / RATE)
        except (MemoryError, RuntimeError) as error:
            if not _out_of_memory(error):
                raise
            if frames // 2 < SMALLEST:
                raise FoleyspaceError(
                    f"out of memory on {separator.device} even in windows of {frames * HOP / RATE:.0f} s"
                ) from None
            frames //= 2
            log.warning("memory is short: windows of %.0f s are tried", frames * HOP / RATE)
            continue
        stems = stems[:, given - start :][:, : total - given if last else usable]
        if tail is not None:
            n = min(fade_over, stems.shape[1])
            stems[:, :n] = stems[:, :n] * fade[:n] + tail[:, :n] * (1 - fade[:n])
        if last:
            yield stems
            return
        kept = usable - fade_over
        tail = stems[:, kept:].copy()
        yield stems[:, :kept]
        given += kept
        forget = max(0, given + edge - WINDOW * HOP - origin)
        buffer, origin = buffer[forget:], origin + forget


class _Separator:
    """Stems of a window (n,) that begins at a time (s), each in its row: (R, n)."""

    def __init__(self, sources: Sequence[Source], options: SeparatorOptions, rows: NDArray[np.int_]) -> None:
        from foleyspace.device import torch_device
        from foleyspace.spatializer.weights import load_separator

        self.options, self.sources, self.rows = options, sources, rows
        self.spans = np.array([audible_span(source) for source in sources])
        self.shares = gains_are_shares(sources)
        self.device = "cpu"  # where there is never anything to take apart
        if busiest(sources) > 1:
            self.device = torch_device(options.device)
            self.net = load_separator(options.weights, device=self.device, offline=options.offline)
            self.labels = label_vectors(sources, offline=options.offline)
            said = options.prompt or ", ".join(source.caption for source in sources if source.caption)
            self.prompt = whole_prompt(self.net.config, said, offline=options.offline) if said else None

    def __call__(self, window: Samples, begins: float) -> Samples:
        from foleyspace.spatializer.bands import HOP, RATE

        times = begins + np.arange(len(window) // HOP) * HOP / RATE
        # a fade of one frame around each end of a source's span, so that nothing is cut off
        heard = (self.spans[:, 0] < times[-1] + HOP / RATE) & (self.spans[:, 1] > times[0] - HOP / RATE)
        stems = np.zeros((self.rows.max() + 1, len(window)), np.float32)
        which = np.flatnonzero(heard)
        if not len(which):
            return stems
        if not window.any():
            return stems
        if len(which) == 1 and not self.shares:
            stems[self.rows[which[0]]] = window
            return stems
        known = activity([self.sources[int(i)] for i in which], times, self.shares)
        together = (known > 0).sum(axis=0)
        if together.max() > MOST:
            raise InputError(
                f"`scene` has {together.max()} sources that sound at once at "
                f"{max(times[together.argmax()], 0):.1f} s but at most {MOST} can be told apart"
            )
        if together.max() > 1:
            parts = self._separated(window, self.labels[which], known, begins)
        else:  # they take turns
            parts = _taking_turns(window, known)
        np.add.at(stems, self.rows[which], parts)
        return stems

    def _separated(self, window: Samples, labels: Samples, known: Samples, begins: float) -> Samples:
        import torch

        from foleyspace.spatializer.sampling import masked_stems, predicted_masks

        seed = (self.options.seed * 1_000_003 + round(max(begins, 0) * 1000)) % 2**63
        with torch.inference_mode():
            sound = torch.from_numpy(window).to(self.device)
            masks = predicted_masks(
                self.net,
                sound,
                torch.from_numpy(labels).to(self.device),
                torch.from_numpy(known).to(self.device),
                steps=self.options.steps,
                guidance=self.options.guidance,
                rounds=self.options.rounds,
                seed=seed,
                prompt=None if self.prompt is None else torch.from_numpy(self.prompt).to(self.device),
            )
            return np.asarray(masked_stems(sound, masks).cpu().numpy())


def _taking_turns(window: Samples, known: Samples) -> Samples:
    from foleyspace.spatializer.bands import HOP

    share = known / np.maximum(known.sum(axis=0), 1e-9)
    at = np.arange(len(window)) / HOP
    weights = np.stack([np.interp(at, np.arange(known.shape[1]), row) for row in share])
    return np.asarray(weights * window, np.float32)


def _out_of_memory(error: BaseException) -> bool:
    import torch

    return isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)) or "alloc" in str(error).lower()
