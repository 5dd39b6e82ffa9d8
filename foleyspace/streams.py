"""What is in a media file: its streams, and when each frame is shown. Nothing is decoded,
but where the packets do not tell the times.

There is no ffprobe in the ffmpeg that pip carries, so this reads what ffmpeg says when it opens a file, and
the packet list of its `framecrc` writer (time stamps exact, in the stream's own time base).
"""

from __future__ import annotations

import logging
import os
import re
from array import array
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from foleyspace.errors import InputError
from foleyspace.ffmpeg import decoding, opened, reason, run
from foleyspace.files import check_input
from foleyspace.timestamps import Packets, shown_packets, without_voids

log = logging.getLogger("foleyspace")

OPEN_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Stream:
    """One stream as ffmpeg names it: `index` in the file, `kind` ("video", "audio", "subtitle", "data",
    "attachment"), `codec`, `detail` (the rest of ffmpeg's line), `start` s (container time; None: not said,
    0 as a rule), `rotation` in degrees clockwise, `transformed`: a player turns or mirrors the picture
    (ffmpeg says by how much it is turned, not that it is mirrored), `spherical` (360 degree projection or
    ""), `metadata` keys."""

    index: int
    kind: str
    codec: str
    detail: str
    start: float | None = None
    rotation: int = 0
    transformed: bool = False
    spherical: str = ""
    metadata: tuple[str, ...] = ()
    language: str = ""
    filename: str = ""

    @property
    def attached_pic(self) -> bool:
        return "(attached pic)" in self.detail

    @property
    def size_wh(self) -> tuple[int, int]:
        """Stored size in px, before rotation; (0, 0) when ffmpeg cannot tell."""
        found = re.search(r", (\d+)x(\d+)", self.detail)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    @property
    def sample_aspect(self) -> Fraction | None:
        """Width of a pixel over its height, where the file says so."""
        found = re.search(r"\bSAR (\d+):(\d+)", self.detail)
        return Fraction(int(found[1]), int(found[2])) if found and int(found[1]) and int(found[2]) else None

    @property
    def said_fps(self) -> Fraction | None:
        """The frame rate as ffmpeg prints it, rounded to two digits."""
        found = re.search(r", ([\d.]+)(k?) (?:fps|tbr)", self.detail)
        return Fraction(found[1]) * (1000 if found[2] else 1) or None if found else None

    @property
    def audio_format(self) -> tuple[int, str] | None:
        """Rate in Hz and layout name of a sound stream, or None when ffmpeg cannot decode it."""
        found = re.search(r", (\d+) Hz, ([^,]+?)(?: \(default\).*)?(?:,|$)", self.detail)
        return (int(found[1]), found[2]) if found and int(found[1]) > 0 else None


@dataclass(frozen=True)
class Media:
    """An opened file: `formats` names, `start` s of its earliest stream (container time), `duration` s or
    None, `streams`, `metadata` keys, number of `chapters`."""

    path: Path
    formats: tuple[str, ...]
    start: float
    duration: float | None
    streams: tuple[Stream, ...]
    metadata: tuple[str, ...] = ()
    chapters: int = 0

    def of_kind(self, kind: str) -> list[Stream]:
        return [stream for stream in self.streams if stream.kind == kind]

    @property
    def video(self) -> Stream | None:
        """The stream that plays: the first one with moving pictures (cover art is not)."""
        return next((stream for stream in self.of_kind("video") if not stream.attached_pic), None)

    @property
    def sound(self) -> Stream | None:
        """The sound that plays: the first one flagged default, else the first."""
        sounds = self.of_kind("audio")
        return next((stream for stream in sounds if "(default)" in stream.detail), next(iter(sounds), None))


_STREAM = re.compile(
    r"^\s+Stream #0:(?P<index>\d+)(?:\[0x[0-9a-f]+\])?(?:\((?P<language>[^)]*)\))?: "
    r"(?P<kind>Video|Audio|Subtitle|Data|Attachment|Unknown): (?P<codec>[^\s,]+)(?P<detail>.*)$"
)
_KEY = re.compile(r"^\s+(?P<key>[^\s:][^:]*?)\s*: ")


def inspect(path: str | Path) -> Media:
    """Open a media file and list what it holds. Raises `InputError` when it is no media file."""
    path = check_input(path)
    status = os.stat(path)
    return _inspect(path.absolute(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=32)
def _inspect(path: Path, size: int, mtime_ns: int) -> Media:
    said = run(opened(path), timeout_s=OPEN_TIMEOUT_S).stderr
    return parse(said.replace(str(path), path.name.replace("\n", " ").replace("\r", " ")), path)


def parse(said: str, path: Path) -> Media:
    """What ffmpeg printed when it opened `path`, as `Media`."""
    head = re.search(r"^Input #0, (?P<formats>\S+), from ", said, re.M)
    if not head:
        raise InputError(f"{path} is no video or sound file ({reason(said)})")
    lines = said[head.end() :].splitlines()[1:]
    media: dict[str, object] = {"start": 0.0, "duration": None}
    streams: list[dict[str, object]] = []
    metadata: list[str] = []
    chapters = 0
    for line in lines:
        if not line.startswith(" "):
            break  # the section of the input ends
        if found := _STREAM.match(line):
            started = re.search(r", start (-?[\d.]+)", found["detail"])
            streams.append(
                {
                    "index": int(found["index"]),
                    "kind": found["kind"].lower(),
                    "codec": found["codec"],
                    "detail": found["detail"],
                    "language": found["language"] or "",
                    "start": float(started[1]) if started else None,
                    "keys": [],
                }
            )
        elif found := re.match(r"\s+Duration: (?:(\d+):(\d+):([\d.]+)|N/A)", line):
            if found[1]:
                media["duration"] = int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])
            if started := re.search(r"start: (-?[\d.]+)", line):
                media["start"] = float(started[1])
        elif re.match(r"\s+Chapter #", line):
            chapters += 1
        elif streams and (found := re.search(r"rotation of (-?[\d.]+) degrees", line)):
            streams[-1]["transformed"] = True
            quarter = round(float(found[1]) / 90)  # counter-clockwise
            if abs(float(found[1]) - 90 * quarter) < 1:  # else ffmpeg turns it inside its frame
                streams[-1]["rotation"] = -90 * quarter % 360
        elif streams and (found := re.search(r"Spherical Mapping: (.*?)\s*$", line, re.I)):
            streams[-1]["spherical"] = found[1]
        elif (found := _KEY.match(line)) and found["key"] not in ("Metadata", "Side data"):
            keys = streams[-1]["keys"] if streams else metadata
            assert isinstance(keys, list)
            keys.append(found["key"])
            if streams and found["key"].lower() == "filename":
                streams[-1]["filename"] = line[found.end() :].strip()
    return Media(
        path,
        tuple(head["formats"].split(",")),
        float(media["start"]),  # type: ignore[arg-type]
        media["duration"],  # type: ignore[arg-type]
        tuple(
            Stream(metadata=tuple(stream.pop("keys")), **stream)  # type: ignore[arg-type]
            for stream in streams
        ),
        tuple(metadata),
        chapters,
    )


def scan(path: str | Path) -> tuple[dict[int, Packets], str]:
    """Read the packets of the playing picture and the playing sound: their `Packets` by index (of those
    that have any), and what ffmpeg complained about. Reads the whole file once, holds 24 bytes a packet."""
    path = check_input(path)
    status = os.stat(path)
    return _scan(path.absolute(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=8)
def _scan(path: Path, size: int, mtime_ns: int) -> tuple[dict[int, Packets], str]:
    media = inspect(path)
    streams = [stream.index for stream in (media.video, media.sound) if stream]
    if not streams:
        return {}, ""
    maps = [part for index in streams for part in ("-map", f"0:{index}")]
    args = ["-v", "error", "-copyts", *opened(path), *maps, "-c", "copy", "-f", "framecrc", "-"]
    rows, time_bases, said = _framecrc(args, len(streams))
    packets = {
        stream: shown_packets(np.frombuffer(rows[position], np.int64).reshape(-1, 3), time_bases[position])
        for position, stream in enumerate(streams)
        if rows[position]
    }
    return {index: _without_voids(media, index, packets) for index in packets}, said


def _without_voids(media: Media, stream: int, packets: dict[int, Packets]) -> Packets:
    """The packets of one stream, their times mended where damage made them up."""
    times = {index: np.asarray(p.pts * float(p.time_base), np.float64) for index, p in packets.items()}
    others = [np.empty(0), *(times[index] for index in times if index != stream)]
    moved = without_voids(times[stream], np.concatenate(others), media.start + (media.duration or 0.0))
    own = packets[stream]
    if not moved.any():
        return own
    log.warning("%s: time stamps far from all others (stream %d) are taken as damaged", media.path, stream)
    return replace(own, pts=own.pts + np.round(moved / float(own.time_base)).astype(np.int64))


def origin(path: str | Path) -> float:
    """Container time, in s, of the first shown frame; of the first sample in a file without pictures."""
    media = inspect(path)
    if media.video is None:
        return media.start
    shown = picture_times(path)
    return float(shown.pts[0] * shown.time_base) if shown is not None else media.start


def picture_times(path: str | Path) -> Packets | None:
    """When the frames of the playing picture are shown; None when it has none."""
    video = inspect(path).video
    if video is None:
        return None
    shown = scan(path)[0].get(video.index)
    if shown is None or shown.doubtful or not len(shown.pts):
        status = os.stat(path)
        return _decode_times(Path(path).absolute(), video.index, status.st_size, status.st_mtime_ns)
    return shown


@lru_cache(maxsize=8)
def _decode_times(path: Path, stream: int, size: int, mtime_ns: int) -> Packets | None:
    """By decoding: for files whose packets do not tell (AVI, raw streams, VP8 with hidden frames)."""
    args = ["-v", "error", "-copyts", *opened(path), "-map", f"0:{stream}", "-c:v", "wrapped_avframe"]
    args += ["-fps_mode", "passthrough", "-enc_time_base", "1:1000000", "-f", "framecrc", "-"]
    rows, time_bases, _ = _framecrc(args, 1)
    found = np.frombuffer(rows[0], np.int64).reshape(-1, 3).copy()
    found[:, 2] = 0  # the flags of decoded frames say nothing about showing them
    shown = shown_packets(found, time_bases[0])
    if not len(shown.pts):
        return None
    decoded = Packets(shown.pts, 0, shown.time_base, exact=False, decoded=True)
    return _without_voids(inspect(path), stream, {**scan(path)[0], stream: decoded})


def _framecrc(args: list[str], streams: int) -> tuple[list[array[int]], list[Fraction], str]:
    """(pts, duration, flags) of packet after packet, flat, and the time base, of each stream written."""
    rows = [array("q") for _ in range(streams)]
    time_bases = [Fraction(1, 1000)] * streams
    with decoding(args) as process:
        for line in process.lines():
            if line.startswith("#tb "):
                position, value = line[4:].split(": ")
                time_bases[int(position)] = Fraction(value.strip())
            elif line and not line.startswith("#"):
                cells = line.split(",")
                flag = cells[6] if len(cells) > 6 and cells[6].startswith(" F=0x") else " F=0x0"
                rows[int(cells[0])].extend((int(cells[2]), int(cells[3]), int(flag[5:], 16)))
        _, said = process.finish()
    return rows, time_bases, said
