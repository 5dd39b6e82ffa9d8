"""Vision only: a video becomes a scene. `foleyspace track`."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foleyspace.camera import DEFAULT_FOV_DEG, Projection, check_view
from foleyspace.config_file import check_range
from foleyspace.device import check_device
from foleyspace.envelope import Envelope, envelope
from foleyspace.errors import InputError
from foleyspace.progress import progress
from foleyspace.trajectory import CENTRE
from foleyspace.types import Clip, Floats, Scene, Source, Track

if TYPE_CHECKING:
    from foleyspace.depth import DepthModel
    from foleyspace.detections import Detector
    from foleyspace.evidence import Evidence
    from foleyspace.listening import Matched
    from foleyspace.object_names import Namer
    from foleyspace.tagger import Tagger

logger = logging.getLogger("foleyspace")


@dataclass(frozen=True)
class TrackConfig:
    """How a video is watched; `configs/render.yaml` explains every field."""

    detector: str = "auto"
    depth: str = "auto"
    namer: str = ""
    fov_deg: float = DEFAULT_FOV_DEG
    projection: Projection = "rectilinear"
    look_for: str = ""
    detect_hz: float | None = None
    tagger: str = "auto"
    sound: str = ""
    source: tuple[str, ...] = ()
    device: str = "auto"
    offline: bool = False

    def __post_init__(self) -> None:
        check_view(self.fov_deg, self.projection)
        check_device(self.device)
        if self.sound.strip() and not words(self.sound):
            raise InputError(f"`sound` is {self.sound!r} but must be words for what makes the sound")
        check_range(self, {"detect_hz": (1, 60)})


@dataclass(frozen=True)
class Seen:
    """What watching gave: the clip with its cuts, all tracks with their evidence, the scene, and
    what the sound was taken for (word, probability), the likeliest first."""

    clip: Clip
    tracks: tuple[Track, ...]
    evidence: tuple[Evidence, ...]
    scene: Scene
    heard: tuple[tuple[str, float], ...] = ()


def run(clip: Clip, config: TrackConfig, mono_wav: Path | None) -> Seen:
    """Watch a probed clip and place its sound.

    `mono_wav`: the clip's mono track, aligned with the picture; None when there is no sound to compare
    with. Raises `InputError` for a detector, depth model or tagger that is a broken local path, and for a
    `source` that is no object of the clip.
    """
    from foleyspace.sounding import sounding_tracks
    from foleyspace.stitch import stitch
    from foleyspace.trajectory import tracks_to_sources
    from foleyspace.video import frames
    from foleyspace.vision import VISION_WIDTH, observe

    if config.projection == "rectilinear" and _is_sphere(clip):
        logger.warning(
            "the file says it is 360 degrees (equirectangular): "
            "--projection equirectangular places what is in it"
        )
    detector, depth, namer, tagger = load_models(config)
    if words(config.look_for) and not detector.takes_words:
        logger.warning("detector %s cannot look for words: `look_for` changes nothing", detector.name)
    pictures = progress(
        frames(clip, width=min(VISION_WIDTH, clip.size_wh[0])), "watching", total=len(clip.times)
    )
    observations = observe(clip, pictures, detector, depth, config.detect_hz)
    clip = observations.clip
    if clip.cuts:
        logger.info("cuts at %s s", ", ".join(f"{cut:.2f}" for cut in clip.cuts))
    whole = stitch(observations.tracks, clip)
    if namer is not None:
        from foleyspace.object_names import name_objects

        whole = name_objects(whole, clip, namer)
    _check_source(config.source, [track.id for track in whole])
    heard, matched = _listen(mono_wav, [track.label for track in whole], config, tagger)
    level = None if mono_wav is None else hear(mono_wav)
    tracks, evidence = sounding_tracks(whole, clip, level, matched, config.source)
    tracks = tuple(
        replace(track, distance_m=_distance(track, seen.depth_m, clip, depth, config))
        for track, seen in zip(tracks, whole, strict=True)
    )
    sources = tracks_to_sources(tracks, clip, config.fov_deg, config.projection)
    if any(source.id != CENTRE for source in sources):
        logger.info("objects seen: %d; the sound is placed on %s", len(tracks), _named(sources))
    else:
        logger.warning("no sounding object found: the sound stays in the centre")
    return Seen(clip, tracks, evidence, Scene(sources=sources, duration=clip.duration), heard)


def load_models(
    config: TrackConfig,
) -> tuple[Detector, DepthModel | None, Namer | None, Tagger | None]:
    """What watches, measures and names, and what listens where it was asked for by name. Raises `InputError`
    for one that is broken."""
    from foleyspace.depth import load_depth
    from foleyspace.detect import load_detector
    from foleyspace.object_names import load_namer

    # what is wrong with the tagger is said before anything else is loaded
    tagger = None if config.tagger == "auto" else _tagger(config)
    asked = words(config.look_for) or words(config.sound)
    detector = load_detector(config.detector, device=config.device, words=asked, offline=config.offline)
    options: Any = {"device": config.device, "offline": config.offline}
    return detector, load_depth(config.depth, **options), load_namer(config.namer, **options), tagger


def _is_sphere(clip: Clip) -> bool:
    from foleyspace.streams import inspect

    video = inspect(clip.path).video
    return video is not None and video.spherical.lower().startswith("equirect")


def _check_source(wanted: Sequence[str], known: Sequence[str], most: int = 20) -> None:
    for name in wanted:
        if name not in known:
            more = f" and {len(known) - most} more (see --json)" if len(known) > most else ""
            seen = ", ".join(known[:most]) or "nothing: no object was seen"
            raise InputError(f"`source` is {name!r} but must be one of {seen}{more}")


def _tagger(config: TrackConfig) -> Tagger:
    from foleyspace.tagger import load_tagger

    return load_tagger(config.tagger, device=config.device, offline=config.offline)


def _listen(
    mono_wav: Path | None, labels: Sequence[str], config: TrackConfig, tagger: Tagger | None
) -> tuple[tuple[tuple[str, float], ...], Matched | None]:
    """What the track sounds like, and how well that agrees with each object of `labels`.

    Words given by a person take the place of what is heard. Without names of objects there is nothing to
    compare, and the tagger is spared.
    """
    from foleyspace.motion import LABEL

    said = words(config.sound)
    if all(label == LABEL for label in labels):
        if said:
            logger.warning("`sound` changes nothing: no object that was seen has a name")
        return (), None
    if mono_wav is None and not said:
        return (), None
    from foleyspace.hearing import hear_sound, heard_words
    from foleyspace.listening import match, match_words

    if said:
        return tuple((word, 1.0) for word in said), match_words(said, labels, offline=config.offline)
    hearing = hear_sound(mono_wav, tagger or _tagger(config))
    heard = tuple(heard_words(hearing))
    logger.info("heard: %s", ", ".join(f"{word} {p:.0%}" for word, p in heard[:3]) or "nothing")
    return heard, match(hearing, labels)


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
    """The sources by label, with how many there are and from when to when."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for source in sources:
        if source.id != CENTRE:
            spans.setdefault(source.label, []).append((float(source.times[0]), float(source.times[-1])))
    names = [
        f"{label}{f' x {len(times)}' if len(times) > 1 else ''} "
        f"({min(t for t, _ in times):.1f}-{max(t for _, t in times):.1f} s)"
        for label, times in spans.items()
    ]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def words(text: str) -> tuple[str, ...]:
    """The words in `text` for an open-vocabulary detector: "a dog, a red car and drums" -> 3."""
    parts = re.split(r"[,;.]|\band\b", text)
    cleaned = (re.sub(r"^(?:a|an|the|some)\s+", "", part.strip(), flags=re.I) for part in parts)
    return tuple(dict.fromkeys(word for word in cleaned if word))
