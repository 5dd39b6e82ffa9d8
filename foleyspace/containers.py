"""What each kind of video file can hold: sound codecs, subtitles, further streams."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from foleyspace.errors import InputError
from foleyspace.streams import Stream, inspect

log = logging.getLogger("foleyspace")

NAME_BYTES = 255  # a file's name is no longer on the usual file systems
AUDIO_CODECS = ("aac", "alac", "flac", "opus", "pcm")


@dataclass(frozen=True)
class Container:
    """`muxer`: ffmpeg's name; `audio`: codecs it takes, the default first; `text`: the codec that text
    subtitles are turned into (None: none); `keeps`: kinds of further streams it can hold; `flags`: options
    for ffmpeg; `timed`: it holds time stamps (AVI does not)."""

    muxer: str
    audio: tuple[str, ...]
    text: str | None = None
    keeps: tuple[str, ...] = ("video", "audio")
    flags: tuple[str, ...] = ()
    timed: bool = True


_FAST = ("-movflags", "+faststart")
_SAME = ("-fflags", "+bitexact")  # no random numbers: the same input gives the same bytes
_MP4 = Container(
    "mp4", ("aac", "alac", "flac", "opus"), "mov_text", ("video", "audio", "subtitle", "data"), _FAST
)
_MOV = Container("mov", ("aac", "alac", "pcm"), "mov_text", ("video", "audio", "subtitle", "data"), _FAST)
_MKV = Container("matroska", AUDIO_CODECS, "srt", ("video", "audio", "subtitle", "attachment"), _SAME)
_TS = Container("mpegts", ("aac", "opus"), None, ("video", "audio", "subtitle", "data"))
_OGG = Container("ogg", ("opus", "flac"), flags=_SAME)

CONTAINERS = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": _MOV,
    ".qt": _MOV,
    ".3gp": Container("3gp", ("aac",), "mov_text", ("video", "audio", "subtitle")),
    ".mkv": _MKV,
    ".webm": Container("webm", ("opus",), "webvtt", ("video", "audio", "subtitle"), _SAME),
    ".ts": _TS,
    ".mts": _TS,
    ".m2ts": _TS,
    ".flv": Container("flv", ("aac",)),
    ".avi": Container("avi", ("pcm",), timed=False),
    ".ogv": _OGG,
    ".ogg": _OGG,
}


def container_of(path: Path) -> Container:
    """By the file name's suffix. Raises `InputError` for one that cannot hold such sound beside a picture."""
    found = CONTAINERS.get(path.suffix.lower())
    if found is None:
        raise InputError(
            f"output {path.name} has the type {path.suffix or 'none'!r} but must be one of "
            f"{' '.join(CONTAINERS)} (.mkv takes any picture)"
        )
    return found


def default_output(video: Path) -> Path:
    """`VIDEO.binaural.EXT` beside the video: a .mkv where such files cannot be written (.mpg, .wmv, .gif, a
    name that says .avi of what is none), the name cut off where it would be too long. Raises `InputError`
    when `video` is no media file."""
    container = CONTAINERS.get(video.suffix.lower())
    fits = container is not None and (container.timed or container.muxer in inspect(video).formats)
    suffix = video.suffix if fits else ".mkv"
    if not fits:
        log.info("%s files are not written: the output is a .mkv", video.suffix or "such")
    stem = video.stem
    while len(os.fsencode(f"{stem}.binaural{suffix}")) > NAME_BYTES:
        stem = stem[:-1]
    return video.with_name(f"{stem}.binaural{suffix}")


def audio_codec_of(container: Container, path: Path, asked: str) -> str:
    """The codec to write: `asked`, or the container's default for "auto". Raises `InputError`."""
    if asked != "auto" and asked not in AUDIO_CODECS:
        raise InputError(f"`audio_codec` is {asked!r} but must be auto, {', '.join(AUDIO_CODECS)}")
    if asked == "auto":
        return container.audio[0]
    if asked not in container.audio:
        raise InputError(
            f"`audio_codec` is {asked} but {path.suffix} files take {' or '.join(container.audio)}"
            " (.mkv takes any)"
        )
    return asked


_AAC_RATES = (7350, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)


def encoder(codec: str, rate: int, bitrate: str) -> tuple[list[str], int]:
    """ffmpeg's options for the first sound stream, and the rate in Hz it is written at: `rate` where the
    codec allows it, else the next higher one (the highest there is)."""
    if codec == "aac":
        possible = min((r for r in _AAC_RATES if r >= rate), default=_AAC_RATES[-1])
        # 6144 bits a frame of 1024 samples and channel are all that AAC allows; intensity stereo and noise
        # substitution would take away the phase that binaural hearing needs; at these rates the fast coder is
        # both nearer to the original (59 against 47 dB on a train at 320k) and faster
        wanted = min(bits(bitrate), 2 * 6 * possible)
        coder = "fast" if wanted >= 4 * possible else "twoloop"
        options = ["-b:a:0", str(wanted), "-aac_coder", coder, "-aac_is", "0", "-aac_pns", "0"]
        return ["-c:a:0", "aac", *options], possible
    if codec == "opus":
        return ["-c:a:0", "libopus", "-b:a:0", str(min(bits(bitrate), 510_000))], 48000
    if codec == "pcm":
        return ["-c:a:0", "pcm_s24le"], rate
    if codec == "alac":
        return ["-c:a:0", "alac", "-sample_fmt:a:0", "s32p"], rate
    return ["-c:a:0", "flac", "-sample_fmt:a:0", "s32", "-strict", "experimental"], rate


def bits(bitrate: str) -> int:
    """ "320k" -> 320000. Raises `InputError`."""
    text = bitrate.strip().lower()
    try:
        value = float(text.removesuffix("k")) * (1000 if text.endswith("k") else 1)
    except ValueError:
        value = 0.0
    if not 16_000 <= value <= 2_000_000:
        raise InputError(f"`audio_bitrate` is {bitrate!r} but must be between 16k and 2000k")
    return int(value)


_TEXT_SUBTITLES = {"subrip", "srt", "mov_text", "webvtt", "ass", "ssa", "text"}


def subtitle_codec(container: Container, stream: Stream) -> str | None:
    """How a subtitle stream goes into the container: "copy", a text codec, or None (it cannot)."""
    if container.muxer == "matroska":
        return "srt" if stream.codec == "mov_text" else "copy"
    if container.text is None:
        return "copy"
    if stream.codec == container.text:
        return "copy"
    if stream.codec in _TEXT_SUBTITLES:
        return container.text
    return "copy" if container.muxer in ("mp4", "mov") and stream.codec == "dvd_subtitle" else None
