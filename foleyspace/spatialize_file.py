"""Sound in files: a mono WAV goes through a scene into a binaural one, block by block, any length."""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import starmap, tee
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foleyspace.errors import InputError
from foleyspace.types import Clip, Hrirs, Room, Samples, Scene, Source

if TYPE_CHECKING:
    from foleyspace.pipelines.spatialize import SoundConfig

log = logging.getLogger("foleyspace")

WORKING_RATE = 48000
BLOCK_S = 2.0


@dataclass(frozen=True)
class SoundReport:
    """BS.1770 loudness of the input and the output, None where there is too little to measure, the gain
    applied, and by how much the peak limiter had to work."""

    lufs_in: float | None
    lufs_out: float | None
    gain_db: float
    limited_db: float


def spatialize_file(
    mono: Path,
    scene: Scene,
    hrirs: Hrirs,
    config: SoundConfig,
    out: Path,
    *,
    rate: int,
    loudness_of: Clip | Path | None,
    own_track: bool = True,
    stems: Path | None = None,
) -> SoundReport:
    """Render a 48 kHz mono WAV through a scene into a float WAV at `rate`, streaming, any length.

    Sources with a sound of their own (`Source.audio`) are rendered from it, with the distance law;
    those that share `mono` without it when it is a video's own track, which holds it already
    (`distance_gain` "on" or "off" overrules both). Where several of these sound at once, the separator
    takes `mono` apart first (`config.spatializer`). `loudness_of`: where `mono` is from, whose
    loudness is matched, that of as much as `mono` holds, None to leave it as it is; `stems`: a new folder for
    the parts of `mono`.
    """
    import soundfile

    from foleyspace.loudness import integrated_lufs, match_loudness

    room = config.room() or scene.room
    with tempfile.TemporaryDirectory(prefix="foleyspace-") as folder:
        raw = Path(folder) / "raw.wav"
        try:
            _render_to(raw, mono, replace(scene, room=room), hrirs, config, own_track, Path(folder), stems)
        except soundfile.LibsndfileError as error:
            raise InputError(
                f"temporary files cannot be written to {folder} ({error}): full? TMPDIR names another folder"
            ) from None
        length_s = soundfile.info(str(mono)).frames / WORKING_RATE
        lufs_in = None if loudness_of is None else integrated_lufs(loudness_of, duration=length_s)
        loudness = match_loudness(raw, out, config.target_lufs(lufs_in), rate_out=rate)
    return SoundReport(lufs_in, loudness.output_lufs, loudness.gain_db, loudness.limited_db)


def _render_to(
    raw: Path,
    mono: Path,
    scene: Scene,
    hrirs: Hrirs,
    config: SoundConfig,
    own_track: bool,
    folder: Path,
    stems: Path | None,
) -> None:
    """The sum of what shares the track and what has sound of its own, written block by block."""
    import soundfile

    from foleyspace.files import check_input
    from foleyspace.soundtrack import extract_mono

    sharing = [s for s in scene.sources if s.audio is None]
    own = [s for s in scene.sources if s.audio is not None]
    if config.mono_compatible and own:
        raise InputError("`mono_compatible` needs sources that share the mono sound, but some have their own")
    if stems is not None and not sharing:
        raise InputError("`stems` needs sources that share the mono sound, but all have their own")
    length = soundfile.info(str(mono)).frames
    mixed = _taken_apart(sharing, config, stems)
    if config.phase == "minimum" or (config.phase == "auto" and mixed):
        from foleyspace.hrir import minimum_phase_hrirs

        # for what has its own sound too: all of a scene is heard with one head, and one latency
        hrirs = minimum_phase_hrirs(hrirs)
    files = []
    for i, source in enumerate(own):
        path = folder / f"own{i}.wav"
        check_input(str(source.audio), f"`audio` of the scene's source {source.id!r}:")
        extract_mono(str(source.audio), path, duration=length / WORKING_RATE)
        files.append(path)
    with ExitStack() as stack:
        outputs = []
        if own:
            outputs.append(_rendered(_blocks(stack, files), own, scene.room, hrirs, config, True))
        if sharing:
            dry = not own_track
            outputs.append(_shared(stack, mono, sharing, scene.room, hrirs, config, dry, mixed, stems))
        sink = stack.enter_context(
            soundfile.SoundFile(str(raw), "w", WORKING_RATE, 2, subtype="FLOAT", format="RF64")
        )
        for block in outputs[0] if len(outputs) == 1 else starmap(np.add, _alongside(*outputs)):
            sink.write(block.T)


def _taken_apart(sharing: Sequence[Source], config: SoundConfig, stems: Path | None) -> bool:
    """Whether the separator has to take apart what these sources share. Raises `InputError` where `stems`
    are asked for that it may not, or cannot, make."""
    from foleyspace.spatializer import inference

    together = inference.busiest(sharing)
    mixed = together > 1 and config.spatializer != "hrir"
    if config.spatializer == "auto" and together > inference.MOST:
        log.warning("%d sources sound at once: too many to take apart, each gets its share", together)
        mixed = False
    if stems is not None and together > 1 and not mixed:
        reason = "is 'hrir'" if config.spatializer == "hrir" else f"takes at most {inference.MOST} at once"
        raise InputError(f"`stems` needs the separator, but `spatializer` {reason}")
    return mixed


def _shared(
    stack: ExitStack,
    mono: Path,
    sources: Sequence[Source],
    room: Room | None,
    hrirs: Hrirs,
    config: SoundConfig,
    dry: bool,
    mixed: bool,
    stems: Path | None,
) -> Iterator[Samples]:
    """What shares the track: taken apart where it is `mixed`, else sent whole to where it sounds."""
    import soundfile

    from foleyspace.soundtrack import wav_format
    from foleyspace.spatializer import inference
    from foleyspace.spatializer.difference import difference_blocks

    blocks: Iterator[Samples] = _blocks(stack, [mono])
    channels = None
    if mixed or stems is not None:
        rows = inference.rows_of(sources) if stems is None else np.arange(len(sources))
        channels = rows.tolist()
        if mixed:
            log.info("several sources share the sound: the separator takes it apart")
        blocks = inference.separated_blocks(blocks, sources, config.separation(), rows)
        sources = inference.placed(sources)
    if stems is not None:
        blocks = _written(stack, blocks, sources, stems, wav_format(soundfile.info(str(mono)).frames, 1))
    if not config.mono_compatible:
        return _rendered(blocks, sources, room, hrirs, config, dry, channels)
    its_row = [0] * len(sources) if channels is None else channels
    apart = []
    for row, copy in enumerate(tee(blocks, max(its_row) + 1)):
        parts, rendered = tee(map(itemgetter(slice(row, row + 1)), copy))
        here = [source for source, its in zip(sources, its_row, strict=True) if its == row]
        stereo = _rendered(rendered, here, room, hrirs, config, dry, [0] * len(here))
        apart.append(difference_blocks(_alongside(parts, stereo)))
    return _with_sum(_blocks(stack, [mono]), apart)


def _rendered(
    blocks: Iterator[Samples],
    sources: Sequence[Source],
    room: Room | None,
    hrirs: Hrirs,
    config: SoundConfig,
    dry: bool,
    channels: Sequence[int] | None = None,
) -> Iterator[Samples]:
    from foleyspace.renderer import RenderOptions, render_blocks

    far = dry if config.distance_gain == "auto" else config.distance_gain == "on"
    options = RenderOptions(distance_gain=far, air_absorption=far, doppler=config.doppler, seed=config.seed)
    return render_blocks(blocks, sources, hrirs, options=options, room=room, channels=channels)


def _blocks(stack: ExitStack, files: Sequence[Path]) -> Iterator[Samples]:
    """(S, n) float32 blocks, a row a file, all of the same length."""
    import soundfile

    opened = [stack.enter_context(soundfile.SoundFile(str(path))) for path in files]
    size = round(BLOCK_S * WORKING_RATE)
    while True:
        rows = [file.read(size, dtype="float32") for file in opened]
        if not len(rows[0]):
            return
        yield np.stack(rows)


def _written(
    stack: ExitStack, blocks: Iterator[Samples], sources: Sequence[Source], folder: Path, form: str
) -> Iterator[Samples]:
    """The same blocks (S, n), each row written on the way to a float WAV (`form`: or RF64) of its own: the
    parts may pass +-1 where the whole does not."""
    import soundfile

    folder.mkdir()
    sinks = [
        stack.enter_context(
            soundfile.SoundFile(str(folder / name), "w", WORKING_RATE, 1, subtype="FLOAT", format=form)
        )
        for name in stem_names(sources)
    ]
    for block in blocks:
        for row, sink in zip(block, sinks, strict=True):
            sink.write(row)
        yield block


def stem_names(sources: Sequence[Source]) -> list[str]:
    """The files that `stems` holds, one for each of a scene's `sources` that share the mono sound."""
    ids = [re.sub(r"[^\w-]+", "_", source.id)[:60] for source in sources if source.audio is None]
    return [f"{number:02d}-{id}.wav" for number, id in enumerate(ids)]


def _alongside(first: Iterator[Samples], others: Iterable[Samples]) -> Iterator[tuple[Samples, Samples]]:
    """The blocks of `others` (..., n), each with what of `first` (C, n), cut otherwise, is beside it."""
    waiting = next(first, np.zeros((1, 0), np.float32))
    for block in others:
        while waiting.shape[1] < block.shape[-1]:
            waiting = np.concatenate((waiting, next(first)), axis=1)
        yield waiting[:, : block.shape[-1]], block
        waiting = waiting[:, block.shape[-1] :]


def _with_sum(mono: Iterator[Samples], apart: Sequence[Iterator[Samples]]) -> Iterator[Samples]:
    """Stereo blocks whose ears add up to `mono` (1, n) and differ by the sum of what is in `apart`."""
    from foleyspace.spatializer.difference import keep_sum

    differences = (np.sum(blocks, axis=0) for blocks in zip(*apart, strict=True))
    for part, difference in _alongside(mono, differences):
        yield keep_sum(part[0], difference)
