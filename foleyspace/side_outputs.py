"""What a rendering writes beside the video: scene, overlay, report; all of them or nothing."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace.errors import InputError
from foleyspace.types import Scene

if TYPE_CHECKING:
    from foleyspace.pipelines.render import RenderConfig, RenderResult


def checked_outputs(video: Path, config: RenderConfig, scene: Scene | None) -> list[Path]:
    """All outputs of a rendering, the video first. Raises `InputError` unless they are writable, new (or may
    be overwritten), different from each other, none of the files that are read, and of a suffix that fits."""
    from foleyspace.containers import default_output
    from foleyspace.files import check_output, check_suffix
    from foleyspace.overlay import SUFFIXES

    out = default_output(video) if config.out is None else Path(config.out)
    outputs = [out, *(Path(p) for p in (config.save_scene, config.overlay, config.report) if p is not None)]
    stems = [source.audio for source in scene.sources if source.audio] if scene else []
    seeing = config.seeing
    models = [config.sound.hrtf, seeing.detector, seeing.depth, seeing.namer, seeing.tagger]
    read = [config.scene, config.audio, *models, *stems]
    inputs = [video, *(Path(p) for p in read if p and os.path.isfile(p))]
    for path in outputs:
        check_output(path, inputs=inputs, overwrite=config.overwrite)
    if len({path.resolve() for path in outputs}) < len(outputs):
        raise InputError("two outputs have the same name: the video, scene, overlay and report must differ")
    if config.overlay is not None:
        check_suffix("overlay", config.overlay, SUFFIXES)
    if config.report is not None:
        check_suffix("report", config.report, (".html", ".htm"))
    return outputs


@contextlib.contextmanager
def together(outputs: Sequence[Path]) -> Iterator[list[Path]]:
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


def write_side_outputs(config: RenderConfig, result: RenderResult, binaural: Path, made: list[Path]) -> None:
    """Scene, overlay and report as far as `config` asks for them; each is put on `made` when it is there.
    `binaural`: the sound as WAV."""
    if config.save_scene:
        result.scene.save(config.save_scene)
        made.append(Path(config.save_scene))
    tracks = result.seen.tracks if result.seen else ()
    fov_deg, projection = config.seeing.fov_deg, config.seeing.projection
    if config.overlay:
        from foleyspace.overlay import write_overlay

        write_overlay(
            result.clip,
            tracks,
            result.scene,
            config.overlay,
            audio=binaural,
            heard=() if result.seen is None or config.seeing.sound else result.seen.heard,
            overwrite=config.overwrite,
            fov_deg=fov_deg,
            projection=projection,
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
            heard=result.seen.heard if result.seen else (),
            said=config.seeing.sound,
            chosen=config.seeing.source,
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
            fov_deg=fov_deg,
            projection=projection,
        )
