"""Vision only: a video becomes a scene. `foleyspace track`."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from foleyspace.camera import DEFAULT_FOV_DEG, Projection, check_view
from foleyspace.envelope import Envelope, envelope
from foleyspace.errors import InputError
from foleyspace.progress import progress
from foleyspace.trajectory import CENTRE
from foleyspace.types import Clip, Floats, Scene, Source, Track

if TYPE_CHECKING:
    from foleyspace.depth import DepthModel
    from foleyspace.sounding import Evidence

logger = logging.getLogger("foleyspace")


@dataclass(frozen=True)
class TrackConfig:
    """How a video is watched; `configs/track.yaml` explains every field."""

    detector: str = "auto"
    depth: str = "auto"
    fov_deg: float = DEFAULT_FOV_DEG
    projection: Projection = "rectilinear"
    prompt: str = ""
    detect_hz: float | None = None
    device: str = "auto"
    offline: bool = False

    def __post_init__(self) -> None:
        check_view(self.fov_deg, self.projection)
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", str(self.device)):
            raise InputError(f"`device` is {self.device!r} but must be auto, cpu, cuda, cuda:N or mps")
        if self.detect_hz is not None and not 1 <= self.detect_hz <= 60:
            raise InputError(f"`detect_hz` is {self.detect_hz:g} but must be between 1 and 60")


@dataclass(frozen=True)
class Seen:
    """What watching gave: the clip with its cuts, all tracks with their evidence, and the scene."""

    clip: Clip
    tracks: tuple[Track, ...]
    evidence: tuple[Evidence, ...]
    scene: Scene


def run(clip: Clip, config: TrackConfig, mono_wav: Path | None) -> Seen:
    """Watch a probed clip and place its sound.

    `mono_wav`: the clip's mono track, aligned with the picture; None when there is no sound to compare
    with. Raises `InputError` for a detector or depth model that is a broken local path.
    """
    from foleyspace.depth import load_depth
    from foleyspace.detect import load_detector
    from foleyspace.sounding import sounding_tracks
    from foleyspace.stitch import stitch
    from foleyspace.trajectory import tracks_to_sources
    from foleyspace.video import frames
    from foleyspace.vision import VISION_WIDTH, observe

    detector = load_detector(
        config.detector, device=config.device, words=words(config.prompt), offline=config.offline
    )
    depth = load_depth(config.depth, device=config.device, offline=config.offline)
    pictures = progress(
        frames(clip, width=min(VISION_WIDTH, clip.size_wh[0])), "watching", total=len(clip.times)
    )
    observations = observe(clip, pictures, detector, depth, config.detect_hz or detector.rate_hz)
    clip = observations.clip
    if clip.cuts:
        logger.info("cuts at %s s", ", ".join(f"{cut:.2f}" for cut in clip.cuts))
    whole = stitch(observations.tracks, clip)
    tracks, evidence = sounding_tracks(whole, clip, None if mono_wav is None else hear(mono_wav))
    tracks = tuple(
        replace(track, distance_m=_distance(track, seen.depth_m, clip, depth, config))
        for track, seen in zip(tracks, whole, strict=True)
    )
    sources = tracks_to_sources(tracks, clip, config.fov_deg, config.projection)
    if any(source.id != CENTRE for source in sources):
        logger.info("objects seen: %d; the sound is placed on %s", len(tracks), _named(sources))
    else:
        logger.warning("no sounding object found: the sound stays in the centre")
    return Seen(clip, tracks, evidence, Scene(sources=sources, duration=clip.duration))


def _distance(
    track: Track, depth_m: Floats, clip: Clip, depth: DepthModel | None, config: TrackConfig
) -> Floats:
    from foleyspace.depth import track_distance

    return track_distance(
        track.label,
        track.times,
        track.xyxy,
        clip.size_wh,
        config.fov_deg,
        config.projection,
        depth_m=depth_m,
        metric=depth is None or depth.metric,
        max_depth_m=None if depth is None else depth.max_depth_m,
    )


def hear(wav: Path) -> Envelope:
    """Level and onsets of a mono WAV file, read in blocks."""
    import soundfile

    from foleyspace.soundtrack import read_mono_blocks

    return envelope(read_mono_blocks(wav), soundfile.info(str(wav)).samplerate)


def _named(sources: tuple[Source, ...], most: int = 8) -> str:
    names = [f"{s.label} ({s.times[0]:.1f}-{s.times[-1]:.1f} s)" for s in sources if s.id != CENTRE]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def words(prompt: str) -> tuple[str, ...]:
    """The words of a prompt for an open-vocabulary detector: "a dog, a red car and drums" -> 3."""
    parts = re.split(r"[,;.]|\band\b", prompt)
    cleaned = (re.sub(r"^(?:a|an|the|some)\s+", "", part.strip(), flags=re.I) for part in parts)
    return tuple(dict.fromkeys(word for word in cleaned if word))
