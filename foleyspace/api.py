"""The Python API: what the command line does, as functions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foleyspace.errors import InputError
from foleyspace.pipelines.render import RenderConfig, RenderResult
from foleyspace.pipelines.render import run as run_render
from foleyspace.pipelines.spatialize import WORKING_RATE, SoundConfig
from foleyspace.pipelines.track import Seen, TrackConfig
from foleyspace.pipelines.track import run as run_track
from foleyspace.types import Audio, Hrirs, Samples, Scene

if TYPE_CHECKING:
    from foleyspace.spatializer.inference import SeparatorOptions


def render(video: str | Path, out: str | Path | None = None, **options: Any) -> RenderResult:
    """Give a video binaural sound that follows the screen.

    `out`: default `VIDEO.binaural.EXT` beside the video. `options`: the fields of `RenderConfig`,
    `TrackConfig` and `SoundConfig` by name, e.g. `render("v.mp4", detector="motion", hrtf="my.sofa",
    fov_deg=60, save_scene="v.json", overwrite=True)`. When it picks the wrong thing: `sound="trumpet"` says
    what makes the sound, `source="car-1.2"` (or several in a list) which objects do; the ids are those of
    `result.seen.evidence`. `tagger`: what listens. Raises `InputError` for bad input or options,
    `FoleyspaceError` for failures on good input; nothing half-written is left behind.
    """
    seeing, sound = _fields(TrackConfig), _fields(SoundConfig)
    top = _fields(RenderConfig) - {"seeing", "sound"}
    unknown = sorted(set(options) - seeing - sound - top)
    if unknown:
        known = ", ".join(sorted(seeing | sound | top))
        raise InputError(f"`{unknown[0]}` is no option of render; known are {known}")
    config = RenderConfig(
        out=None if out is None else str(out),
        seeing=_seeing({k: v for k, v in options.items() if k in seeing}),
        sound=SoundConfig(**{k: v for k, v in options.items() if k in sound}),
        **{k: v for k, v in options.items() if k in top},
    )
    return run_render(video, config)


def track(video: str | Path, *, config: TrackConfig | None = None, **options: Any) -> Scene:
    """Watch a video and place its sound: the scene, without making sound.

    `options`: fields of `TrackConfig` (`detector`, `depth`, `fov_deg`, `sound`, `source`, `tagger`, ...). A
    video without sound works. Raises `InputError` for bad input or options, or a `source` that is not seen.
    """
    return watch(video, config=config, **options).scene


def watch(video: str | Path, *, config: TrackConfig | None = None, **options: Any) -> Seen:
    """The same with all that was seen: every object with its track and the evidence for it (`evidence[k].id`
    is what `source` takes), what was heard, the scene."""
    import tempfile

    from foleyspace.files import check_input
    from foleyspace.soundtrack import extract_mono
    from foleyspace.unchanged import watched
    from foleyspace.video import probe

    unknown = sorted(set(options) - _fields(TrackConfig))
    if unknown:
        known = ", ".join(sorted(_fields(TrackConfig)))
        raise InputError(f"`{unknown[0]}` is no option of track; known are {known}")
    config = config or _seeing(options)
    video = check_input(video, "video")
    check_unchanged = watched(video)
    clip = probe(video)
    with tempfile.TemporaryDirectory(prefix="foleyspace-") as folder:
        mono = Path(folder) / "mono.wav"
        if clip.audio is not None:
            extract_mono(clip, mono)
        seen = run_track(clip, config, mono if clip.audio is not None else None)
    check_unchanged()
    return seen


def spatialize(
    mono: Audio | Sequence[Audio] | np.ndarray,
    scene: Scene,
    hrirs: Hrirs | str | Path = "mit_kemar",
    *,
    rate: int = WORKING_RATE,
    distance_gain: bool = False,
    doppler: bool = False,
    spatializer: str = "hrir",
    **separation: Any,
) -> Audio:
    """Binaural sound (2, N) of a mono signal along a scene: exact physics, no loudness matching.

    `mono`: an `Audio`, an array (N,) at `rate` Hz, or an `Audio` for each source in order. Other
    rates than 48 kHz are resampled on the way in and out. `hrirs`: a loaded set, a name or a file.
    `spatializer`: "hrir" sends all of a shared `mono` to every place (linear); "diffusion" takes it apart
    first, with the HRIRs' minimum phase, and then takes the fields of `SeparatorOptions` too (`weights`,
    `device`, `steps`, `guidance`, `seed`, `offline`, `prompt`, `rounds`); "auto" does so where several
    sources sound at once.
    """
    from foleyspace.hrir import load_hrirs, minimum_phase_hrirs
    from foleyspace.renderer import RenderOptions
    from foleyspace.renderer import render as render_audio
    from foleyspace.spatializer.inference import SeparatorOptions, busiest, place

    if spatializer not in ("auto", "hrir", "diffusion"):
        raise InputError(f"`spatializer` is {spatializer!r} but must be auto, hrir or diffusion")
    chosen = _separation(SeparatorOptions, separation)
    signals = _signals(mono, rate)
    if not isinstance(scene, Scene):
        raise InputError("`scene` must be a Scene: Scene.load reads one from a file")
    own_rate = signals[0].rate
    working = hrirs.rate if isinstance(hrirs, Hrirs) else WORKING_RATE
    loaded = hrirs if isinstance(hrirs, Hrirs) else load_hrirs(str(hrirs), working)
    options = RenderOptions(distance_gain=distance_gain, air_absorption=distance_gain, doppler=doppler)
    if spatializer != "hrir" and len(signals) == 1 and busiest(scene.sources) > 1:
        stems = _stems(_resampled(signals[0], WORKING_RATE), scene, chosen)
        stems = _resampled(Audio(stems, WORKING_RATE), working).samples
        out = place(stems, scene, minimum_phase_hrirs(loaded), options, working)
    else:
        resampled = [_resampled(signal, working) for signal in signals]
        out = render_audio(resampled[0] if len(resampled) == 1 else resampled, scene, loaded, options)
    longest = max(round(signal.samples.shape[1] * own_rate / signal.rate) for signal in signals)
    return _as_long(_resampled(out, own_rate), longest)


def separate(mono: Audio | np.ndarray, scene: Scene, *, rate: int = WORKING_RATE, **options: Any) -> Samples:
    """Each source's part of a mono mixture, (S, N) at its rate, in the scene's order; they add up to it.

    `options`: fields of `SeparatorOptions`, as for `spatialize`.
    """
    from foleyspace.spatializer.inference import SeparatorOptions

    signal, *more = _signals(mono, rate)
    if more:
        raise InputError("`mono` must be one mixture")
    stems = _stems(_resampled(signal, WORKING_RATE), scene, _separation(SeparatorOptions, options))
    parts = [_resampled(Audio(stem[None], WORKING_RATE), signal.rate) for stem in stems]
    return np.concatenate([_as_long(part, signal.samples.shape[1]).samples for part in parts])


def _stems(mono: Audio, scene: Scene, options: SeparatorOptions) -> Samples:
    from foleyspace.spatializer.inference import separate as separate_audio

    return separate_audio(mono, scene, options)


def _separation(kind: type[SeparatorOptions], options: dict[str, Any]) -> SeparatorOptions:
    unknown = sorted(set(options) - _fields(kind))
    if unknown:
        raise InputError(f"`{unknown[0]}` is no option; known are {', '.join(sorted(_fields(kind)))}")
    return kind(**options)


def _signals(mono: Audio | Sequence[Audio] | np.ndarray, rate: int) -> list[Audio]:
    """What `spatialize` was given as a list of sounds. Raises `InputError`."""
    if isinstance(mono, np.ndarray):
        if mono.dtype.kind != "f":
            raise InputError(f"`mono` holds {mono.dtype} values but must be float samples, nominal +-1")
        mono = Audio(mono, rate)
    signals = [mono] if isinstance(mono, Audio) else list(mono) if isinstance(mono, Sequence) else []
    if not signals or not all(isinstance(signal, Audio) for signal in signals):
        raise InputError("`mono` must be an Audio, a float array, or a sequence of Audio, one a source")
    if not all(np.isfinite(signal.samples).all() for signal in signals):
        raise InputError("`mono` holds NaN or infinite samples but must be finite")
    return signals


def _resampled(audio: Audio, rate: int) -> Audio:
    if audio.rate == rate:
        return audio
    import soxr

    return Audio(soxr.resample(audio.samples.T, audio.rate, rate, quality="VHQ").T, rate)


def _as_long(audio: Audio, length: int) -> Audio:
    """With `length` samples: there and back between rates may make one more or less."""
    samples = audio.samples[:, :length]
    return Audio(np.pad(samples, ((0, 0), (0, length - samples.shape[1]))), audio.rate)


def _seeing(options: dict[str, Any]) -> TrackConfig:
    """Options of watching; one `source` may stand by itself."""
    source = options.get("source", ())
    return TrackConfig(**{**options, "source": (source,) if isinstance(source, str) else tuple(source)})


def _fields(config: type) -> set[str]:
    import dataclasses

    return {f.name for f in dataclasses.fields(config)}
