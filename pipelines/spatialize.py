"""Sound only: a mono file and a scene become a binaural file. `foleyspace spatialize`, and the sound
stage of `foleyspace render`."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from foleyspace.errors import InputError
from foleyspace.types import Hrirs, Room, Samples, Scene, Source

logger = logging.getLogger("foleyspace")

WORKING_RATE = 48000
BLOCK_S = 2.0


@dataclass(frozen=True)
class SoundConfig:
    """How a scene is made heard; `configs/render.yaml` explains every field."""

    hrtf: str = "mit_kemar"
    spatializer: str = "auto"
    distance_gain: str = "auto"
    doppler: bool = False
    rt60_s: float | None = None
    drr_db: float = 12.0
    loudness: str = "match"
    seed: int = 0

    def __post_init__(self) -> None:
        _one_of("spatializer", self.spatializer, ("auto", "hrir"))
        _one_of("distance_gain", self.distance_gain, ("auto", "on", "off"))
        self.room()
        self.target_lufs(None)

    def load_hrirs(self) -> Hrirs:
        from foleyspace.hrir import load_hrirs

        hrirs = load_hrirs(self.hrtf, WORKING_RATE)
        logger.info("HRIR set: %s, %d directions", hrirs.name, len(hrirs.xyz))
        return hrirs

    def room(self) -> Room | None:
        return None if self.rt60_s is None else Room(self.rt60_s, self.drr_db)

    def target_lufs(self, lufs_in: float | None) -> float | None:
        """The loudness the output is brought to, or None to leave it as the rendering gives it."""
        if self.loudness in ("match", "keep"):
            return lufs_in if self.loudness == "match" else None
        try:
            target = float(self.loudness)
        except ValueError:
            target = np.nan
        if not -70 <= target <= 0:
            raise InputError(f"`loudness` is {self.loudness!r} but must be match, keep or -70 to 0 LUFS")
        return target


@dataclass(frozen=True)
class SoundReport:
    """BS.1770 loudness of the input and the output, None where there is too little to measure, the gain
    applied, and by how much the peak limiter had to work."""

    lufs_in: float | None
    lufs_out: float | None
    gain_db: float
    limited_db: float


def run(
    mono: str | Path, scene: str | Path, out: str | Path, config: SoundConfig, *, overwrite: bool = False
) -> SoundReport:
    """Make a sound file of any kind binaural along a scene file, at its own rate: `out` is a 24-bit WAV
    or FLAC. The mono sound is taken as it is heard at the listener: distance changes its level only
    with `distance_gain` "on", or where a source has a sound of its own.

    Raises `InputError` for a bad sound, scene, HRIR set or output path.
    """
    import soundfile

    from foleyspace.files import atomic_output, check_output
    from foleyspace.soundtrack import extract_mono

    loaded = Scene.load(scene)
    read = [mono, scene, config.hrtf, *(source.audio for source in loaded.sources if source.audio)]
    out = check_output(out, inputs=[path for path in read if os.path.isfile(path)], overwrite=overwrite)
    formats = {".wav": "WAV", ".flac": "FLAC"}
    if out.suffix.lower() not in formats:
        raise InputError(f"output {out} must end in {' or '.join(formats)}")
    hrirs = config.load_hrirs()
    with tempfile.TemporaryDirectory(prefix="foleyspace-") as folder:
        track, binaural = Path(folder) / "mono.wav", Path(folder) / "binaural.wav"
        sound = extract_mono(mono, track)
        report = spatialize_file(
            track, loaded, hrirs, config, binaural, rate=sound.source_rate, loudness_of=Path(mono)
        )
        with (
            atomic_output(out, overwrite) as temporary,
            soundfile.SoundFile(str(binaural)) as source,
            soundfile.SoundFile(
                str(temporary), "w", source.samplerate, 2, "PCM_24", format=formats[out.suffix.lower()]
            ) as sink,
        ):
            for block in source.blocks(round(BLOCK_S * source.samplerate), dtype="float32"):
                sink.write(block)
    return report


def spatialize_file(
    mono: Path,
    scene: Scene,
    hrirs: Hrirs,
    config: SoundConfig,
    out: Path,
    *,
    rate: int,
    loudness_of: Path | None,
    own_track: bool = True,
) -> SoundReport:
    """Render a 48 kHz mono WAV through a scene into a float WAV at `rate`, streaming, any length.

    Sources with a sound of their own (`Source.audio`) are rendered from it, with the distance law;
    those that share `mono` without it when it is a video's own track, which holds it already
    (`distance_gain` "on" or "off" overrules both). `loudness_of`: the file whose loudness is
    matched, None to leave it as it is.
    """
    import soundfile

    from foleyspace.loudness import integrated_lufs, match_loudness

    room = config.room() or scene.room
    with tempfile.TemporaryDirectory(prefix="foleyspace-") as folder:
        raw = Path(folder) / "raw.wav"
        try:
            _render_to(raw, mono, replace(scene, room=room), hrirs, config, own_track, Path(folder))
        except soundfile.LibsndfileError as error:
            raise InputError(
                f"temporary files cannot be written to {folder} ({error}): full? TMPDIR names another folder"
            ) from None
        lufs_in = None if loudness_of is None else integrated_lufs(loudness_of)
        loudness = match_loudness(raw, out, config.target_lufs(lufs_in), rate_out=rate)
    return SoundReport(lufs_in, loudness.output_lufs, loudness.gain_db, loudness.limited_db)


def _render_to(
    raw: Path, mono: Path, scene: Scene, hrirs: Hrirs, config: SoundConfig, own_track: bool, folder: Path
) -> None:
    """The sum of what shares the track and what has sound of its own, written block by block."""
    import soundfile

    from foleyspace.files import check_input
    from foleyspace.soundtrack import extract_mono

    sharing = [s for s in scene.sources if s.audio is None]
    stems = [s for s in scene.sources if s.audio is not None]
    length = soundfile.info(str(mono)).frames
    files = []
    for i, stem in enumerate(stems):
        path = folder / f"stem{i}.wav"
        check_input(str(stem.audio), f"`audio` of the scene's source {stem.id!r}:")
        extract_mono(str(stem.audio), path, duration=length / WORKING_RATE)
        files.append(path)
    with ExitStack() as stack:
        outputs = []
        if sharing:
            outputs.append(_rendered(stack, [mono], sharing, scene.room, hrirs, config, not own_track))
        if stems:
            outputs.append(_rendered(stack, files, stems, scene.room, hrirs, config, True))
        sink = stack.enter_context(
            soundfile.SoundFile(str(raw), "w", WORKING_RATE, 2, subtype="FLOAT", format="RF64")
        )
        for blocks in zip(*outputs, strict=True):
            sink.write(sum(blocks[1:], start=blocks[0]).T)


def _rendered(
    stack: ExitStack,
    files: Sequence[Path],
    sources: Sequence[Source],
    room: Room | None,
    hrirs: Hrirs,
    config: SoundConfig,
    dry: bool,
) -> Iterator[Samples]:
    from foleyspace.renderer import RenderOptions, render_blocks

    far = dry if config.distance_gain == "auto" else config.distance_gain == "on"
    options = RenderOptions(distance_gain=far, air_absorption=far, doppler=config.doppler, seed=config.seed)
    return render_blocks(_blocks(stack, files), sources, hrirs, options=options, room=room)


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


def _one_of(name: str, value: str, accepted: tuple[str, ...]) -> None:
    if value not in accepted:
        raise InputError(f"`{name}` is {value!r} but must be one of {', '.join(accepted)}")
