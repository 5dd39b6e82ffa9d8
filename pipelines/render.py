"""The main job: a video comes out with binaural sound that follows the screen. `foleyspace render`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from foleyspace.candidates import as_json, say_candidates
from foleyspace.errors import InputError
from foleyspace.pipelines.spatialize import (
    WORKING_RATE,
    SoundConfig,
    SoundReport,
    scene_of_words,
    spatialize_file,
)
from foleyspace.pipelines.track import Seen, TrackConfig
from foleyspace.pipelines.track import run as watch
from foleyspace.progress import collected_decisions
from foleyspace.types import Clip, Scene


@dataclass(frozen=True)
class RenderConfig:
    """Everything `foleyspace render` can be told; `configs/render.yaml` explains every field."""

    out: str | None = None
    audio: str = "track"
    scene: str | None = None
    prompt: str | None = None
    save_scene: str | None = None
    overlay: str | None = None
    report: str | None = None
    keep_original_audio: bool = False
    audio_codec: str = "auto"
    audio_bitrate: str = "320k"
    overwrite: bool = False
    seeing: TrackConfig = field(default_factory=TrackConfig)
    sound: SoundConfig = field(default_factory=SoundConfig)

    def __post_init__(self) -> None:
        if self.scene is not None and self.prompt is not None:
            raise InputError("`scene` and `prompt` both say where the sounds are: give one of them")
        given = "scene" if self.scene is not None else "prompt" if self.prompt is not None else None
        if given and (self.seeing.sound or self.seeing.source):
            raise InputError(
                f"`sound` and `source` choose among what is seen, but with `{given}` nothing is watched: "
                f"edit the {'scene file' if given == 'scene' else 'prompt'} instead"
            )


@dataclass(frozen=True)
class RenderResult:
    """What was made and how: the file, the scene, loudness before and after, decisions, stage times."""

    out: Path
    clip: Clip
    scene: Scene
    sound: SoundReport
    decisions: tuple[str, ...]
    seconds: dict[str, float]
    seen: Seen | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "out": str(self.out),
            "duration_s": self.clip.duration,
            "cuts_s": list(self.clip.cuts),
            "sources": [
                {"id": s.id, "label": s.label, "start_s": s.times[0], "end_s": s.times[-1]}
                for s in self.scene.sources
            ],
            **(as_json(self.seen.evidence, self.seen.heard) if self.seen else {}),
            "loudness_in_lufs": self.sound.lufs_in,
            "loudness_out_lufs": self.sound.lufs_out,
            "decisions": list(self.decisions),
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
        }


def run(video: str | Path, config: RenderConfig) -> RenderResult:
    """Render one video. Nothing is written before everything that can be checked has been.

    Raises `InputError` for bad input or options and `FoleyspaceError` for failures on good input. No
    new output is left behind in either case.
    """
    from foleyspace.containers import audio_codec_of, container_of, encoder
    from foleyspace.files import check_input
    from foleyspace.mono_input import write_mono
    from foleyspace.mux import rehearse, remux
    from foleyspace.scratch import scratch_folder
    from foleyspace.side_outputs import checked_outputs, together, write_side_outputs
    from foleyspace.unchanged import watched
    from foleyspace.video import probe

    video = check_input(video, "video")
    started = time.perf_counter()
    seconds: dict[str, float] = {}

    def stage(name: str) -> None:
        nonlocal started
        seconds[name] = time.perf_counter() - started
        started = time.perf_counter()

    with collected_decisions() as decisions, scratch_folder() as folder:
        check_unchanged = watched(video)
        clip = probe(video)
        scene = None if config.scene is None else Scene.load(config.scene)
        if config.prompt is not None:
            scene = scene_of_words(config.prompt, clip.duration)
        written = checked_outputs(video, config, scene)
        out = written[0]
        audio: dict[str, Any] = {
            "audio_codec": config.audio_codec,
            "bitrate": config.audio_bitrate,
            "keep_original_audio": config.keep_original_audio,
        }
        encoder(
            audio_codec_of(container_of(out), out, config.audio_codec), WORKING_RATE, config.audio_bitrate
        )
        own_alone = config.audio == "track" and not (scene and any(source.audio for source in scene.sources))
        rate = clip.audio.rate if clip.audio and own_alone else WORKING_RATE
        rehearse(clip, out, folder, rate, **audio)
        hrirs = config.sound.load_hrirs()
        mono = folder / "mono.wav"
        own_track = write_mono(clip, config.audio, mono, scene, WORKING_RATE)
        stage("read")
        seen = None
        if scene is None:
            seen = watch(clip, config.seeing, mono)
            clip, scene = seen.clip, seen.scene
            say_candidates(seen.evidence)
        stage("watch")
        binaural = folder / "binaural.wav"
        report = spatialize_file(
            mono,
            scene,
            hrirs,
            config.sound,
            binaural,
            rate=rate,
            loudness_of=clip if own_track else None if config.audio == "track" else Path(config.audio),
            own_track=own_track,
        )
        stage("spatialize")
        check_unchanged()
        with together(written) as made:
            remux(clip, binaural, out, overwrite=config.overwrite, **audio)
            made.append(out)
            stage("write")
            result = RenderResult(out, clip, scene, report, tuple(decisions), seconds, seen)
            write_side_outputs(config, result, binaural, made)
            check_unchanged()
        stage("show")
        return replace(result, decisions=tuple(decisions))
