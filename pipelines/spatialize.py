"""Sound only: a mono file and a scene become a binaural file. `foleyspace spatialize`, and the sound
stage of `foleyspace render`."""

from __future__ import annotations

import logging
import math
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace.config_file import SEEDS, check_choice, check_range
from foleyspace.errors import InputError
from foleyspace.spatialize_file import BLOCK_S, WORKING_RATE, SoundReport, spatialize_file, stem_names
from foleyspace.types import Hrirs, Room, Scene

if TYPE_CHECKING:
    from foleyspace.spatializer.inference import SeparatorOptions

logger = logging.getLogger("foleyspace")


@dataclass(frozen=True)
class SoundConfig:
    """How a scene is made heard; `configs/render.yaml` explains every field."""

    hrtf: str = "mit_kemar"
    spatializer: str = "auto"
    phase: str = "auto"
    weights: str = "auto"
    steps: int = 1
    guidance: float = 1.0
    mono_compatible: bool = False
    device: str = "auto"
    offline: bool = False
    distance_gain: str = "auto"
    doppler: bool = False
    rt60_s: float | None = None
    drr_db: float = 12.0
    loudness: str = "match"
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice(self, "spatializer", ("auto", "hrir", "diffusion"))
        check_choice(self, "phase", ("auto", "measured", "minimum"))
        check_choice(self, "distance_gain", ("auto", "on", "off"))
        check_range(self, {"seed": SEEDS})
        self.separation()
        self.room()
        self.target_lufs(None)

    def load_hrirs(self) -> Hrirs:
        from foleyspace.hrir import load_hrirs

        hrirs = load_hrirs(self.hrtf, WORKING_RATE)
        logger.info("HRIR set: %s, %d directions", hrirs.name, len(hrirs.xyz))
        return hrirs

    def separation(self) -> SeparatorOptions:
        from foleyspace.spatializer.inference import SeparatorOptions

        return SeparatorOptions(self.weights, self.device, self.steps, self.guidance, self.seed, self.offline)

    def room(self) -> Room | None:
        return None if self.rt60_s is None else Room(self.rt60_s, self.drr_db)

    def target_lufs(self, lufs_in: float | None) -> float | None:
        """The loudness the output is brought to, or None to leave it as the rendering gives it."""
        if self.loudness in ("match", "keep"):
            return lufs_in if self.loudness == "match" else None
        try:
            target = float(self.loudness)
        except ValueError:
            target = math.nan
        if not -70 <= target <= 0:
            raise InputError(f"`loudness` is {self.loudness!r} but must be match, keep or -70 to 0 LUFS")
        return target


def run(
    mono: str | Path,
    scene: str | Path | None,
    out: str | Path,
    config: SoundConfig,
    *,
    prompt: str | None = None,
    stems: str | Path | None = None,
    overwrite: bool = False,
) -> SoundReport:
    """Make a sound file of any kind binaural along a scene file, or as the words of `prompt` place its
    sounds, at its own rate: `out` is a 24-bit WAV or FLAC. The mono sound is taken as it is heard at the
    listener: distance changes its level only with `distance_gain` "on", or where a source has a sound of its
    own. `stems`: a folder that gets each source's part of the mono sound (48 kHz, 32-bit float WAV); they add
    up to it.

    Raises `InputError` for a bad sound, scene, prompt, HRIR set or output path.
    """
    import soundfile

    from foleyspace.files import atomic_output, check_empty_folder, check_output, put_folder
    from foleyspace.soundtrack import extract_mono
    from foleyspace.unchanged import watched

    if (scene is None) == (prompt is None):
        raise InputError("`scene` and `prompt` are two ways to say where the sounds are: give one of them")
    loaded = None if scene is None else Scene.load(scene)
    read = [mono, scene, config.hrtf, *(source.audio for source in (loaded.sources if loaded else ()))]
    inputs = [path for path in read if path and os.path.isfile(path)]
    out = check_output(out, inputs=inputs, overwrite=overwrite)
    if out.suffix.lower() not in (".wav", ".flac"):
        raise InputError(f"output {out} must end in .wav or .flac")
    if stems is not None:
        check_empty_folder(stems, overwrite)
    with tempfile.TemporaryDirectory(prefix="foleyspace-") as folder:
        track, binaural = Path(folder) / "mono.wav", Path(folder) / "binaural.wav"
        check_unchanged = watched(*inputs)
        sound = extract_mono(mono, track)
        loaded = loaded or scene_of_words(prompt or "", sound.duration)
        if stems is not None and os.path.isdir(stems):
            for path in (Path(stems) / name for name in stem_names(loaded.sources)):
                check_output(path, inputs=inputs, overwrite=overwrite)
                if path.resolve() == out.resolve():
                    raise InputError(f"output {out} is the name of one of the stems: give another")
        hrirs = config.load_hrirs()
        parts = None if stems is None else Path(folder) / "stems"
        report = spatialize_file(
            track,
            loaded,
            hrirs,
            config,
            binaural,
            rate=sound.source_rate,
            loudness_of=Path(mono),
            stems=parts,
        )
        check_unchanged()
        if stems is not None and parts is not None:
            put_folder(parts, Path(stems), overwrite)
        with (
            atomic_output(out, overwrite) as temporary,
            soundfile.SoundFile(str(binaural)) as source,
            soundfile.SoundFile(
                str(temporary), "w", source.samplerate, 2, "PCM_24", format=_format(out, source.frames)
            ) as sink,
        ):
            for block in source.blocks(round(BLOCK_S * source.samplerate), dtype="float32"):
                sink.write(block)
    return report


def _format(out: Path, frames: int) -> str:
    """Of a 24-bit stereo file: RF64 where a WAV header could not count its bytes."""
    from foleyspace.soundtrack import RF64_BYTES

    if out.suffix.lower() == ".flac":
        return "FLAC"
    return "RF64" if frames * 2 * 3 > RF64_BYTES else "WAV"


def scene_of_words(prompt: str, duration: float) -> Scene:
    """The scene that a prompt describes, of `duration` s; how it was read is logged. Raises `InputError` for
    a prompt that cannot be read."""
    from foleyspace.prompt import read_prompt

    reading = read_prompt(prompt, duration)
    for source in reading.scene.sources:
        logger.info("%s: %s", source.label, source.caption)
    for note in reading.notes:
        logger.info("prompt: %s", note)
    for words in reading.not_understood:
        logger.warning("prompt: %r was not understood", words)
    return reading.scene
