"""The video out: the picture stream copied bit for bit, the new sound beside it, everything else kept."""

from __future__ import annotations

import logging
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from foleyspace.containers import Container, audio_codec_of, container_of, encoder, subtitle_codec
from foleyspace.cover_art import attaching
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.ffmpeg import local, opened, reason, run
from foleyspace.files import atomic_output, check_input, check_output
from foleyspace.streams import Media, Stream, inspect, origin, scan
from foleyspace.types import Clip
from foleyspace.unchanged import watched

log = logging.getLogger("foleyspace")


def remux(
    clip: Clip,
    audio_wav: str | Path,
    out_path: str | Path,
    *,
    audio_codec: str = "auto",
    bitrate: str = "320k",
    keep_original_audio: bool = False,
    title: str = "Binaural (foleyspace)",
    overwrite: bool = False,
    only_s: float | None = None,
) -> Path:
    """Write the video of `clip` with the sound of `audio_wav` (sample 0 belongs to the first shown frame).

    The picture's packets and times stay as they are; rotation, metadata, chapters, subtitles, attachments,
    cover art and further sound tracks are kept where the container can hold them (a warning names what cannot
    be). The new track comes first and is the default; the old one goes, or stays with `keep_original_audio`.
    It is written at the rate of `audio_wav` where the codec allows it. Raises
    `InputError` when the output cannot be written or cannot hold that codec or picture, `FoleyspaceError`
    when ffmpeg fails. `only_s`: stop after so many seconds.
    """
    out = check_output(out_path, inputs=[clip.path, audio_wav], overwrite=overwrite)
    wav = check_input(audio_wav)
    check_unchanged = watched(clip.path)
    container = container_of(out)
    codec = audio_codec_of(container, out, audio_codec)
    media = inspect(clip.path)
    video = media.video
    sound = inspect(wav).sound
    if video is None or sound is None or sound.audio_format is None:
        raise InputError(f"{clip.path if video is None else wav} does not hold what is to be written")
    if not container.timed and container.muxer not in media.formats:
        raise InputError(
            f"{out.suffix} files hold no frame times: give a .mkv name (.avi only for .avi files)"
        )
    encoding, rate = encoder(codec, sound.audio_format[0], bitrate)
    replaced = clip.audio.index if clip.audio and not keep_original_audio else None
    kept = _kept(media, container, replaced)
    covers = [stream for stream in kept if stream.attached_pic and container.muxer == "matroska"]
    kept = [stream for stream in kept if stream not in covers]
    with atomic_output(out, overwrite) as temporary, tempfile.TemporaryDirectory() as folder:
        attachments = sum(stream.kind == "attachment" for stream in kept)
        attached = attaching(media.path, covers, Path(folder), attachments)
        while True:
            args = [
                *_inputs(clip, wav, media.start, container),
                *_maps(video, kept, container, clip),
                *attached,
                *encoding,
                *("-ar:a:0", str(rate)),
                *_tags(title, media, clip, container),
                *(["-t", str(only_s)] if only_s else []),
                *("-f", container.muxer, "-y", local(temporary)),
            ]
            done = run(args, timeout_s=_timeout_s(clip))
            check_unchanged()
            if done.returncode == 0:
                break
            kept = _without_the_offender(kept, done.stderr, out, video)
    if done.stderr.strip():
        log.debug("ffmpeg: %s", reason(done.stderr))
    return Path(out_path)


def rehearse(clip: Clip, out_path: str | Path, folder: Path, rate: int = 48000, **options: Any) -> None:
    """Write the first moments of `clip` as `remux` would, into `folder`, with sound at `rate` Hz: what cannot
    be written is known now rather than after an hour of work. Raises what `remux` raises, about `out_path`.
    """
    import numpy as np
    import soundfile

    out = Path(out_path)
    wav = folder / "rehearsal.wav"
    soundfile.write(wav, np.zeros((round(0.5 * rate), 2), np.float32), rate, "FLOAT")
    was = log.disabled
    log.disabled = True  # what cannot be kept is said once, when the output is written
    rehearsal = folder / f"rehearsal{out.suffix}"
    try:
        remux(clip, wav, rehearsal, only_s=0.5, **options)
    except FoleyspaceError as error:
        raise type(error)(str(error).replace(str(rehearsal), str(out))) from error
    finally:
        log.disabled = was


def _inputs(clip: Clip, wav: Path, start_s: float, container: Container) -> list[str]:
    """The video, moved so that the file begins at 0, and the sound, moved to the first shown frame."""
    sound_s = origin(clip.path) - start_s
    if sound_s > 0 and not container.timed:
        delay = ["-af", f"adelay={sound_s * 1000:.4f}:all=1"]
        return ["-v", "error", *opened(clip.path), *opened(wav), *delay]
    return [
        *("-v", "error", "-copyts"),
        *(["-itsoffset", f"{-start_s:.6f}"] if start_s else []),
        *(["-fflags", "+genpts"] if _untimed(clip) else []),
        *opened(clip.path),
        *(["-itsoffset", f"{sound_s:.6f}"] if abs(sound_s) > 1e-6 else []),
        *opened(wav),
    ]


def _untimed(clip: Clip) -> bool:
    """Whether packets of the picture lack a time stamp (MPEG-PS, AVI), which other files cannot do."""
    video = inspect(clip.path).video
    shown = None if video is None else scan(clip.path)[0].get(video.index)
    return shown is not None and shown.doubtful


def _maps(video: Stream, kept: list[Stream], container: Container, clip: Clip) -> list[str]:
    args = ["-map", f"0:{video.index}", "-map", "1:a:0"]
    for stream in kept:
        args += ["-map", f"0:{stream.index}"]
    args += ["-c", "copy"]
    if container.timed and video.codec in ("h264", "hevc") and _untimed(clip):
        args += ["-bsf:v:0", "dts2pts"]  # frames out of order: the container's own guess is off at the start
    for number, stream in enumerate(stream for stream in kept if stream.kind == "subtitle"):
        args += [f"-c:s:{number}", subtitle_codec(container, stream) or "copy"]
    args += ["-disposition:a:0", "default"]
    for number, _ in enumerate((stream for stream in kept if stream.kind == "audio"), start=1):
        args += [f"-disposition:a:{number}", "-default"]
    return args


def _tags(title: str, media: Media, clip: Clip, container: Container) -> list[str]:
    args = ["-map_metadata", "0", "-map_chapters", "0", "-metadata:s:a:0", f"title={title}"]
    args += ["-metadata:s:a:0", f"handler_name={title}"]
    sounds = media.of_kind("audio")
    if clip.audio and clip.audio.index < len(sounds) and sounds[clip.audio.index].language:
        args += ["-metadata:s:a:0", f"language={sounds[clip.audio.index].language}"]
    flags = list(container.flags)
    if "-movflags" in flags and any(key.startswith("com.") for key in media.metadata):
        flags[-1] += "+use_metadata_tags"  # what phones write: place, model
    return args + flags


def _kept(media: Media, container: Container, replaced: int | None) -> list[Stream]:
    """The further streams that go into the output; a warning for each that the container cannot hold."""
    kept = []
    sounds = media.of_kind("audio")
    for stream in media.streams:
        if stream == media.video or (replaced is not None and stream == sounds[replaced]):
            continue
        if stream.kind == "data" and media.chapters and "text / 0x" in stream.detail:
            continue  # the track that holds the chapter names: chapters are written anew
        possible = stream.kind in container.keeps
        if stream.kind == "subtitle":
            possible = possible and subtitle_codec(container, stream) is not None
        if possible:
            kept.append(stream)
        else:
            _warn_dropped(stream)
    return kept


def _warn_dropped(stream: Stream) -> None:
    log.warning(
        "stream %d (%s, %s) cannot be kept in this kind of file", stream.index, stream.kind, stream.codec
    )


def _without_the_offender(kept: list[Stream], said: str, out: Path, video: Stream) -> list[Stream]:
    """`kept` without the stream ffmpeg could not write, or without the kind most likely to be the reason."""
    if "No space left" in said:
        raise InputError(f"output {out} could not be written (no space left on device)")
    named = re.search(r"in stream #(\d+)", said) or re.search(r"[Ss]ubtitle codec .* stream #?(\d+)", said)
    if named and int(named[1]) >= 2 and int(named[1]) - 2 < len(kept):
        offender = kept[int(named[1]) - 2]
        _warn_dropped(offender)
        return [stream for stream in kept if stream != offender]
    for kind in ("data", "attachment", "unknown", "subtitle", "video", "audio"):
        if any(stream.kind == kind for stream in kept):
            for stream in kept:
                if stream.kind == kind:
                    _warn_dropped(stream)
            return [stream for stream in kept if stream.kind != kind]
    if re.search(
        r"Only .* supported for|Could not find tag for|not compatible with|Unsupported codec id in stream 0",
        said,
    ):
        raise InputError(f"a {out.suffix} file cannot hold this picture ({video.codec}): .mkv takes any")
    raise FoleyspaceError(f"{out} could not be written ({reason(said)})")


def _timeout_s(clip: Clip) -> float:
    return 120 + clip.duration + os.path.getsize(clip.path) / 2e6
