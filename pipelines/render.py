"""The main job: a video comes out with binaural sound that follows the screen. `foleyspace render`."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from foleyspace.errors import InputError
from foleyspace.pipelines.spatialize import WORKING_RATE, SoundConfig, SoundReport, spatialize_file
from foleyspace.pipelines.track import Seen, TrackConfig
from foleyspace.pipelines.track import run as watch
from foleyspace.progress import collected_decisions
from foleyspace.types import Clip, Scene

logger = logging.getLogger("foleyspace")


@dataclass(frozen=True)
class RenderConfig:
    """Everything `foleyspace render` can be told; `configs/render.yaml` explains every field."""

    out: str | None = None
    audio: str = "track"
    scene: str | None = None
    save_scene: str | None = None
    overlay: str | None = None
    report: str | None = None
    keep_original_audio: bool = False
    audio_codec: str = "auto"
    audio_bitrate: str = "320k"
    overwrite: bool = False
    seeing: TrackConfig = field(default_factory=TrackConfig)
    sound: SoundConfig = field(default_factory=SoundConfig)


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
    from foleyspace.mux import rehearse, remux
    from foleyspace.video import probe

    video = check_input(video, "video")
    started = time.perf_counter()
    seconds: dict[str, float] = {}

    def stage(name: str) -> None:
        nonlocal started
        seconds[name] = time.perf_counter() - started
        started = time.perf_counter()

    with collected_decisions() as decisions, tempfile.TemporaryDirectory(prefix="foleyspace-") as folder:
        clip = probe(video)
        scene = None if config.scene is None else Scene.load(config.scene)
        written = check_outputs(video, config, scene)
        out = written[0]
        audio: dict[str, Any] = {
            "audio_codec": config.audio_codec,
            "bitrate": config.audio_bitrate,
            "keep_original_audio": config.keep_original_audio,
        }
        encoder(
            audio_codec_of(container_of(out), out, config.audio_codec), WORKING_RATE, config.audio_bitrate
        )
        rehearse(clip, out, Path(folder), **audio)
        hrirs = config.sound.load_hrirs()
        mono = Path(folder) / "mono.wav"
        own_track = _mono_track(clip, config.audio, mono, scene)
        stage("read")
        seen = None
        if scene is None:
            seen = watch(clip, config.seeing, mono)
            clip, scene = seen.clip, seen.scene
        stage("watch")
        binaural = Path(folder) / "binaural.wav"
        report = spatialize_file(
            mono,
            scene,
            hrirs,
            config.sound,
            binaural,
            rate=clip.audio.rate if clip.audio else WORKING_RATE,
            loudness_of=video if own_track else None if config.audio == "track" else Path(config.audio),
            own_track=own_track,
        )
        stage("spatialize")
        with _together(written) as made:
            remux(clip, binaural, out, overwrite=config.overwrite, **audio)
            made.append(out)
            stage("write")
            result = RenderResult(out, clip, scene, report, tuple(decisions), seconds, seen)
            _side_outputs(config, result, binaural, made)
        stage("show")
        return replace(result, decisions=tuple(decisions))


@contextlib.contextmanager
def _together(outputs: Sequence[Path]) -> Iterator[list[Path]]:
    """A list for `outputs` to be put on when finished: those that are new go again if a later one fails or
    is interrupted. What replaced an older file stays."""
    new = {path for path in outputs if not path.exists()}
    made: list[Path] = []
    try:
        yield made
    except BaseException:
        for path in new.intersection(made):
            path.unlink(missing_ok=True)
        raise


def check_outputs(video: Path, config: RenderConfig, scene: Scene | None = None) -> list[Path]:
    """All outputs, the video first, after they were checked for being writable, new, different from each
    other and none of the files that are read."""
    from foleyspace.files import check_output
    from foleyspace.overlay import check_suffix

    out = video.with_name(f"{video.stem}.binaural{video.suffix}") if config.out is None else Path(config.out)
    outputs = [out, *(Path(p) for p in (config.save_scene, config.overlay, config.report) if p is not None)]
    stems = [source.audio for source in scene.sources if source.audio] if scene else []
    read = [
        config.scene,
        config.audio,
        config.sound.hrtf,
        config.seeing.detector,
        config.seeing.depth,
        *stems,
    ]
    inputs = [video, *(Path(p) for p in read if p and os.path.isfile(p))]
    for path in outputs:
        check_output(path, inputs=inputs, overwrite=config.overwrite)
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise InputError("two outputs have the same name: the video, scene, overlay and report must differ")
    if config.overlay is not None:
        check_suffix(Path(config.overlay))
    return outputs


def _mono_track(clip: Clip, audio: str, mono: Path, scene: Scene | None) -> bool:
    """Write the mono sound to `mono`; True when it is the video's own."""
    from foleyspace.soundtrack import extract_mono

    if audio == "track":
        if clip.audio is None and scene is not None and all(source.audio for source in scene.sources):
            _write_silence(mono, clip.duration)  # every source brings its own sound
            return False
        extract_mono(clip, mono)
        return True
    if not Path(audio).is_file():
        raise InputError(f"`audio` is {audio!r} but must be 'track' or an existing sound file")
    extract_mono(audio, mono, duration=clip.duration)
    return False


def _write_silence(path: Path, seconds: float) -> None:
    import numpy as np
    import soundfile

    left = round(seconds * WORKING_RATE)
    with soundfile.SoundFile(str(path), "w", WORKING_RATE, 1, subtype="FLOAT", format="RF64") as file:
        while left > 0:
            file.write(np.zeros(min(left, WORKING_RATE), np.float32))
            left -= WORKING_RATE


def _side_outputs(config: RenderConfig, result: RenderResult, binaural: Path, made: list[Path]) -> None:
    if config.save_scene:
        result.scene.save(config.save_scene)
        made.append(Path(config.save_scene))
    tracks = result.seen.tracks if result.seen else ()
    view = {"fov_deg": config.seeing.fov_deg, "projection": config.seeing.projection}
    if config.overlay:
        from foleyspace.overlay import write_overlay

        write_overlay(
            result.clip,
            tracks,
            result.scene,
            config.overlay,
            audio=binaural,
            overwrite=config.overwrite,
            **view,
        )
        made.append(Path(config.overlay))
    if config.report:
        from foleyspace.doctor import versions
        from foleyspace.report import write_report

        write_report(
            config.report,
            clip=result.clip,
            tracks=tracks,
            scene=result.scene,
            audio=binaural,
            evidence=result.seen.evidence if result.seen else (),
            decisions=result.decisions,
            options={"video": str(result.clip.path), **asdict(config)},
            versions=versions(),
            loudness={
                "loudness in (LUFS)": result.sound.lufs_in,
                "loudness out (LUFS)": result.sound.lufs_out,
                "gain (dB)": result.sound.gain_db,
                "peak limiter at work (dB)": result.sound.limited_db,
            },
            seconds=result.seconds,
            overwrite=config.overwrite,
            **view,
        )
