"""Video in: what a file holds (`probe`) and its pictures, one after another in bounded memory (`frames`)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foleyspace import readers
from foleyspace.errors import InputError
from foleyspace.layouts import channel_names
from foleyspace.streams import Media, Stream, inspect, picture_times, scan
from foleyspace.timestamps import Packets
from foleyspace.types import AudioInfo, Clip

log = logging.getLogger("foleyspace")

STILL_FORMATS = ("image2", "ico", "tty")  # and every `*_pipe`: pictures and text, which ffmpeg opens too
TAIL_S = 0.1  # sound this much longer than the picture is the codec's padding


def probe(path: str | Path) -> Clip:
    """Open a video file: its frame times, display size, rotation and sound track; nothing is decoded.

    Times count from the first shown frame; edit lists, start offsets and variable frame rates are honoured.
    `duration` ends with the picture or with the sound, whichever is longer. Raises `InputError` when `path`
    is missing, empty, cut off before its index, or no video.
    """
    media = inspect(path)
    video = _video_stream(media)
    sound = media.sound
    packets, said = scan(path)
    shown = picture_times(path)
    if shown is None:
        raise InputError(f"{path} has a picture stream ({video.codec}) without a frame that can be decoded")
    if said:
        log.warning("%s: the file is damaged or cut off: %d frames could be read", path, len(shown.pts))

    ticks = shown.pts - shown.pts[0]
    times = ticks * float(shown.time_base)
    fps = _fps(ticks, shown.time_base, video)
    picture_s = float(times[-1]) + (float(shown.last * shown.time_base) or 1 / float(fps))
    origin_s = float(shown.pts[0] * shown.time_base)
    audio = None if sound is None else _audio(sound, packets.get(sound.index), origin_s, media)
    duration = picture_s
    if audio is not None:
        sound_s = audio.start + audio.duration
        if sound_s > picture_s + TAIL_S:
            duration = sound_s
            log.info("the sound goes on %.2f s after the picture ends", sound_s - picture_s)
    _mention_odd_pixels(video)
    return Clip(Path(path), fps, times, _display_size(video), duration, audio, video.rotation)


def frames(
    clip: Clip, *, every: int = 1, width: int | None = None, start: float = 0.0, reader: str = "auto"
) -> Iterator[tuple[int, float, NDArray[np.uint8]]]:
    """Every `every`-th frame shown at or after `start` s: (index in `clip.times`, its time in s, uint8 RGB
    `(H, W, 3)` turned as a player shows it). Frames are read-only views: copy what you keep.

    `width` px makes frames smaller (never larger) while they are decoded, the height follows. `reader` is
    "auto" (decord, then OpenCV, then ffmpeg: each goes on where the one before had to stop; ffmpeg alone
    where the picture is turned or mirrored), or one of "decord", "opencv", "ffmpeg". A damaged or cut-off end
    is said as a warning; `InputError` when no frame at all can be decoded. Memory does not grow with the
    length of the clip.
    """
    if every < 1:
        raise InputError(f"`every` is {every} but must be 1 or more")
    if width is not None and width < 2:
        raise InputError(f"`width` is {width} but must be 2 pixels or more")
    return _frames(clip, every, _scaled(clip.size_wh, width), start, _readers(clip, reader, width))


def _frames(
    clip: Clip, every: int, size_wh: tuple[int, int], start: float, chosen: list[tuple[str, readers.Reader]]
) -> Iterator[tuple[int, float, NDArray[np.uint8]]]:
    first = int(np.searchsorted(clip.times, start - 1e-6))
    first = -(-first // every) * every
    wanted = range(first, len(clip.times), every)
    if not wanted:
        return
    following, got = first, 0
    for name, read in chosen:
        for index, frame in read(clip, size_wh, following, every):
            frame.setflags(write=False)
            following, got = index + every, got + 1
            yield index, float(clip.times[index]), frame
        if following >= len(clip.times):
            break
        log.debug("%s stopped at frame %d of %d in %s", name, following, len(clip.times), clip.path)
    if not got:
        raise InputError(f"{clip.path} has no frame that can be decoded")
    if got < len(wanted):
        log.warning("%s: %d of %d frames could not be decoded", clip.path, len(wanted) - got, len(wanted))


def _readers(clip: Clip, reader: str, width: int | None) -> list[tuple[str, readers.Reader]]:
    every_reader: dict[str, readers.Reader] = {
        "decord": readers.read_decord,
        "opencv": readers.read_opencv,
        "ffmpeg": readers.read_ffmpeg,
    }
    if reader in every_reader:
        return [(reader, every_reader[reader])]
    if reader != "auto":
        raise InputError(f"`reader` is {reader!r} but must be auto, decord, opencv or ffmpeg")
    video = inspect(clip.path).video
    if (video is not None and video.transformed) or not _utf8(clip.path):
        return [("ffmpeg", readers.read_ffmpeg)]
    if not readers.decord_suits(clip, _scaled(clip.size_wh, width)):
        del every_reader["decord"]
    return list(every_reader.items())


def _utf8(path: Path) -> bool:
    """Whether other libraries can take this name: OpenCV dies of one that is not UTF-8, decord refuses it."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _video_stream(media: Media) -> Stream:
    if media.formats[0] in STILL_FORMATS or media.formats[0].endswith("_pipe"):
        what = "text" if media.formats[0] == "tty" else "a still picture"
        raise InputError(f"{media.path} is {what} but must be a video")
    if media.video is None:
        held = ", ".join(sorted({stream.kind for stream in media.streams})) or "nothing"
        raise InputError(f"{media.path} has no moving picture (only {held}) but must be a video")
    return media.video


def _audio(stream: Stream, packets: Packets | None, origin_s: float, media: Media) -> AudioInfo | None:
    """The sound track, or None for one that holds no packet."""
    if packets is None or not len(packets.pts):
        log.warning("%s: its sound track is empty", media.path)
        return None
    seconds = float(packets.time_base)
    first_s = max(packets.pts[0] * seconds, media.start)
    start_s = float(first_s) if stream.start is None and media.start else (stream.start or 0.0)
    end_s = (packets.pts[-1] + packets.last) * seconds
    found = stream.audio_format
    if found is None:
        log.warning("%s: its sound track (%s) cannot be decoded", media.path, stream.codec)
        return None
    rate, layout = found
    channels = len(channel_names(layout))
    length_s = max(float(end_s) - start_s, 0.0)
    index = media.of_kind("audio").index(stream)
    return AudioInfo(stream.codec, rate, channels, layout, start_s - origin_s, length_s, index)


def _fps(ticks: NDArray[np.int64], time_base: Fraction, video: Stream) -> Fraction:
    """The frame rate: the simplest fraction that the time stamps allow (30000/1001, 25, 162/5). Where nearly
    all frames are equally long, a few dropped ones do not count; else it is the average."""
    if len(ticks) < 2:
        return video.said_fps or Fraction(25)
    steps = np.diff(ticks)
    usual = np.abs(steps - np.median(steps)) <= 1  # one tick: time stamps are rounded
    gaps = int((~usual).sum())
    if gaps <= 0.2 * len(steps):
        frames, length = int(usual.sum()), int(steps[usual].sum())
    else:
        frames, length, gaps = len(steps), int(ticks[-1]), 0
    exact = frames / (length * time_base)
    tolerance = float(exact) * (gaps + 1.01) / length
    whole = Fraction(round(exact))
    for guess in (whole, whole * Fraction(1000, 1001)):
        if guess and abs(float(guess - exact)) <= tolerance:
            return guess
    for denominator in range(2, 1002):
        guess = Fraction(round(exact * denominator), denominator)
        if guess and abs(float(guess - exact)) <= tolerance:
            return guess
    return exact.limit_denominator(100_000)


def _display_size(video: Stream) -> tuple[int, int]:
    width, height = video.size_wh
    return (height, width) if video.rotation in (90, 270) else (width, height)


def _scaled(size_wh: tuple[int, int], width: int | None) -> tuple[int, int]:
    if width is None or width >= size_wh[0]:
        return size_wh
    return width, max(round(size_wh[1] * width / size_wh[0]), 2)


def _mention_odd_pixels(video: Stream) -> None:
    if video.sample_aspect not in (None, Fraction(1)):
        log.info("the pixels are not square (%s): the picture is used as it is stored", video.sample_aspect)
