"""A mixture taken apart and each part sent to its own place: any length, in overlapping windows.

The separator's masks make a stem for every source; the deterministic renderer takes the stems to their
places, so that HRIRs, motion and rooms stay exact. Where only one source sounds there is nothing to take
apart: its stem is the mixture, and the result is the renderer's.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.propagation import audible_span
from foleyspace.spatializer.conditioning import activity, gains_are_shares, label_vectors, without_shares
from foleyspace.types import Audio, Hrirs, Samples, Scene, Source

log = logging.getLogger("foleyspace")

MOST = 16  # sources that sound at once
STEPS, GUIDANCE = 1, 1.0
WINDOW, EDGE, FADE = 288, 24, 48  # frames of 21.3 ms: 6 s, of which 0.5 s at each end are not used
SMALLEST = 144  # what a window shrinks to when memory is short


@dataclass(frozen=True)
class SeparatorOptions:
    """`weights`: "auto" (those that ship), a file, or a hub name; `steps`: looks at its own estimate, 1 is
    the plain prediction; `guidance`: how much the labels count, 1 as trained; `seed`: of the steps' noise."""

    weights: str = "auto"
    device: str = "auto"
    steps: int = STEPS
    guidance: float = GUIDANCE
    seed: int = 0
    offline: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= 50:
            raise InputError(f"`steps` is {self.steps} but must be between 1 and 50")
        if not 0 <= self.guidance <= 10:
            raise InputError(f"`guidance` is {self.guidance} but must be between 0 and 10")


def separate(mono: Audio, scene: Scene, options: SeparatorOptions | None = None) -> Samples:
    """Stems (S, n) float32 of a mixture (1, n) at 48 kHz, in the scene's order; they add up to it.

    Raises `InputError` for other audio, values that are not finite, more than `MOST` sources at once.
    """
    samples = _checked(mono)
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
    when; else they are levels. `mono_compatible`: only the difference of the ears is rendered, and left plus
    right is the input (the formulation of TAS and TASU). Raises as `separate` does.
    """
    from foleyspace.renderer import render

    stems = separate(mono, scene, options)
    sources = placed(scene.sources)
    parts = [Audio(stem[None], mono.rate) for stem in stems]
    stereo = render(parts, replace(scene, sources=sources), hrirs)
    if mono_compatible:
        return Audio(keep_sum(mono.samples[0], stereo.samples), mono.rate)
    return stereo


def placed(sources: Sequence[Source]) -> tuple[Source, ...]:
    """The sources as the renderer places their stems: with their gains only where these are levels."""
    return tuple(map(without_shares, sources)) if gains_are_shares(sources) else tuple(sources)


def keep_sum(mono: Samples, stereo: Samples) -> Samples:
    """(2, n) whose difference is half that of `stereo` (2, n) and whose sum is `mono` (n,)."""
    half = (stereo[0] - stereo[1]) / 4
    return np.stack((mono / 2 + half, mono / 2 - half)).astype(np.float32)


def overlap(sources: Sequence[Source]) -> bool:
    """Whether two sources sound at the same time anywhere, by their gains."""
    spans = sorted(audible_span(source) for source in sources)
    ends = -np.inf
    for start, end in spans:
        if start < ends and end > start:
            return True
        ends = max(ends, end)
    return False


def separated_blocks(
    blocks: Iterable[Samples], sources: Sequence[Source], options: SeparatorOptions
) -> Iterator[Samples]:
    """Stems (S, n) block by block of a mixture that comes in `blocks` (1, n) at 48 kHz, in bounded memory."""
    if len(sources) == 0:
        raise InputError("`sources` is empty but must hold at least one source")
    if len(sources) == 1:
        yield from blocks
        return
    from foleyspace.spatializer.bands import HOP, RATE

    separator = _Separator(sources, options)
    frames = WINDOW
    buffer = np.zeros((1, EDGE * HOP), np.float32)  # begins `EDGE` frames before the first sample to give out
    tail = np.zeros((len(sources), FADE * HOP), np.float32)
    fade = np.linspace(0, 1, FADE * HOP, endpoint=False, dtype=np.float32)
    source, ended, given, total = iter(blocks), False, 0, 0
    first = True
    while True:
        while not ended and buffer.shape[1] < frames * HOP:
            block = next(source, None)
            if block is None:
                ended = True
            else:
                total += block.shape[1]
                buffer = np.concatenate([buffer, block], axis=1)
        if given >= total and ended:
            return
        window = buffer[0, : frames * HOP]
        window = np.pad(window, (0, frames * HOP - len(window)))
        try:
            stems = separator(window, given / RATE - EDGE * HOP / RATE)
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
        stems = stems[:, EDGE * HOP : (frames - EDGE) * HOP]
        if not first:
            stems[:, : FADE * HOP] = stems[:, : FADE * HOP] * fade + tail * (1 - fade)
        first = False
        kept = stems.shape[1] - FADE * HOP
        tail = stems[:, kept:].copy()
        fresh = min(kept, total - given) if ended else kept
        yield stems[:, :fresh]
        given += fresh
        buffer = buffer[:, kept:]


class _Separator:
    """Stems (S, n) of a window (n,) that begins at a time (s)."""

    def __init__(self, sources: Sequence[Source], options: SeparatorOptions) -> None:
        from foleyspace.device import torch_device
        from foleyspace.spatializer.weights import load_separator

        self.options = options
        self.sources = sources
        self.spans = np.array([audible_span(source) for source in sources])
        self.shares = gains_are_shares(sources)
        if overlap(sources):
            self.device = torch_device(options.device)
            self.net = load_separator(options.weights, device=self.device, offline=options.offline)
            self.labels = label_vectors(sources, offline=options.offline)

    def __call__(self, window: Samples, begins: float) -> Samples:
        from foleyspace.spatializer.bands import HOP, RATE

        times = begins + np.arange(len(window) // HOP) * HOP / RATE
        # a fade of one frame around each end of a source's span, so that nothing is cut off
        heard = (self.spans[:, 0] < times[-1] + HOP / RATE) & (self.spans[:, 1] > times[0] - HOP / RATE)
        stems = np.zeros((len(self.sources), len(window)), np.float32)
        which = np.flatnonzero(heard)
        if not len(which):
            return stems
        if not window.any():
            return stems
        if len(which) == 1 and not self.shares:
            stems[which[0]] = window
            return stems
        known = activity([self.sources[int(i)] for i in which], times, self.shares)
        together = (known > 0).sum(axis=0)
        if together.max() > MOST:
            raise InputError(
                f"`scene` has {together.max()} sources that sound at once at "
                f"{max(times[together.argmax()], 0):.1f} s but at most {MOST} can be told apart"
            )
        if together.max() > 1:
            stems[which] = self._separated(window, self.labels[which], known, begins)
        else:  # they take turns
            stems[which] = _taking_turns(window, known)
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
                seed=seed,
            )
            return np.asarray(masked_stems(sound, masks).cpu().numpy())


def _taking_turns(window: Samples, known: Samples) -> Samples:
    from foleyspace.spatializer.bands import HOP

    share = known / np.maximum(known.sum(axis=0), 1e-9)
    at = np.arange(len(window)) / HOP
    weights = np.stack([np.interp(at, np.arange(known.shape[1]), row) for row in share])
    return np.asarray(weights * window, np.float32)


def _checked(mono: Audio) -> Samples:
    from foleyspace.spatializer.bands import RATE

    if mono.samples.shape[0] != 1 or mono.rate != RATE:
        raise InputError(
            f"`mono` has {mono.samples.shape[0]} channels at {mono.rate} Hz but must have 1 at {RATE} Hz"
        )
    if not np.isfinite(mono.samples).all():
        raise InputError("`mono` has values that are not finite")
    return mono.samples


def _out_of_memory(error: BaseException) -> bool:
    import torch

    return isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)) or "alloc" in str(error).lower()
