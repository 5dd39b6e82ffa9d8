"""What `media_table.py` measures on a file, apart from the code of the package: plain decoding with the
container's own time stamps, and what ffmpeg says when it opens the file."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from media_scene import FfmpegFailed, ffmpeg

COMMON_RATE = 48000
COMPARED_S = 600  # of a long film
GAP_S = 0.005
SEARCH_S = 0.6  # how far sound is looked for from where it should be


def picture_hash(path: Path) -> bytes:
    """Of the packets of the playing picture."""
    return ffmpeg("-i", _file(path), "-map", "0:V:0", "-c", "copy", "-f", "streamhash", "-")


def frame_times(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Container time (s) of each decoded frame, and the frame (4, 4) in grey, as a player turns it."""
    common = ("-copyts", "-i", _file(path), "-map", "0:V:0", "-fps_mode", "passthrough")
    rows = ffmpeg(*common, "-enc_time_base", "1:1000000", "-c:v", "wrapped_avframe", "-f", "framecrc", "-")
    times = [int(row.split(b",")[2]) / 1e6 for row in rows.splitlines() if not row.startswith(b"#")]
    grey = ffmpeg(*common, "-vf", "scale=4:4:flags=area", "-pix_fmt", "gray", "-f", "rawvideo", "-")
    n = min(len(times), len(grey) // 16)
    return np.array(times[:n]), np.frombuffer(grey, np.uint8)[: 16 * n].reshape(n, 4, 4)


def sound(path: Path) -> tuple[float, np.ndarray]:
    """Container time (s) of the first decoded sample of the first sound track, and the mean of its channels
    (the omnidirectional one of ambisonics) at 48 kHz, each frame at its time stamp; the
    first ten minutes."""
    import soxr

    omni = ("-af", "channelmap=map=0:channel_layout=mono") if b"ambisonic" in _said(path) else ()
    start = ffmpeg("-i", _file(path), "-map", "0:a:0", *omni, "-t", "0.05", "-f", "wav", "-")
    channels, rate = int.from_bytes(start[22:24], "little"), int.from_bytes(start[24:28], "little")
    common = ("-copyts", "-i", _file(path), "-map", "0:a:0", *omni, "-t", str(COMPARED_S))
    common += ("-ac", str(channels), "-c:a", "pcm_f32le")
    rows = [row.split(b",") for row in ffmpeg(*common, "-f", "framecrc", "-").splitlines() if row[:1] != b"#"]
    data = ffmpeg(*common, "-f", "f32le", "-")
    samples = np.frombuffer(data, np.float32).reshape(-1, channels).mean(axis=1)
    times = [int(row[2]) for row in rows]  # in samples
    lengths = [int(row[4]) // (4 * channels) for row in rows]
    placed = np.zeros(max(times) - times[0] + max(lengths) + len(samples), np.float32)
    at, taken = times[0], 0
    for time, length in zip(times, lengths, strict=True):
        if abs(time - at) > GAP_S * rate:  # less: time stamps are rounded
            at = time
        placed[at - times[0] : at - times[0] + length] = samples[taken : taken + length]
        at, taken = at + length, taken + length
    return times[0] / rate, soxr.resample(placed[: at - times[0]], rate, COMMON_RATE)


def lag_s(a: np.ndarray, b: np.ndarray) -> float:
    """How much later `b` sounds than `a`, to a fraction of a sample (peak of the cross-correlation)."""
    n = 1 << (len(a) + len(b)).bit_length()
    spectrum = np.fft.rfft(a, n).conj() * np.fft.rfft(b, n)
    found = np.abs(np.fft.irfft(spectrum))
    reach = round(SEARCH_S * COMMON_RATE)
    near = np.concatenate([found[-reach:], found[: reach + 1]])
    k = int(np.argmax(near))
    if 0 < k < len(near) - 1:
        left, middle, right = near[k - 1 : k + 2]
        bent = left - 2 * middle + right
        return float(k - reach + (0.5 * (left - right) / bent if bent else 0)) / COMMON_RATE
    return (k - reach) / COMMON_RATE


@dataclass(frozen=True)
class Timing:
    """Of an output against its input: `sync_s`: how much later the sound is, both counted from the first
    shown frame; `picture_s`: the largest change of a frame's time; `frames` decoded in both; `alike`: they
    look the same, turned and mirrored in the same way."""

    sync_s: float | None
    picture_s: float
    frames: tuple[int, int]
    alike: bool


def timing(before: Path, after: Path, compare_sound: bool) -> Timing:
    """Raises `FfmpegFailed` where one cannot be decoded."""
    (old, old_frames), (new, new_frames) = frame_times(before), frame_times(after)
    if not len(old) or not len(new):
        raise FfmpegFailed("no frame can be decoded")
    n = min(len(old), len(new))
    moved = float(np.abs((new[:n] - new[0]) - (old[:n] - old[0])).max())
    alike = len(old) == len(new) and bool((old_frames == new_frames).all())
    if not compare_sound:
        return Timing(None, moved, (len(old), len(new)), alike)
    old_start, old_sound = sound(before)
    new_start, new_sound = sound(after)
    sync = lag_s(old_sound, new_sound) + (new_start - new[0]) - (old_start - old[0])
    return Timing(sync, moved, (len(old), len(new)), alike)


@dataclass(frozen=True)
class Contents:
    """What is in a file beside the playing picture and its first sound, as a few words each; `shape`: the
    size of the picture, of its pixels, its turn."""

    parts: frozenset[str]
    shape: str


_STREAM = re.compile(r"^\s+Stream #0:(\d+)(?:\[\w+\])?(?:\((\w+)\))?: (\w+): ([\w-]+)(.*)$")
_OF_THE_CONTAINER = {"encoder", "major_brand", "minor_version", "compatible_brands", "duration"}
_OF_A_STREAM = {"title", "filename", "mimetype", "timecode"}


def contents(path: Path) -> Contents:
    """Further streams by kind and language, metadata, chapters with their titles, size and turn."""
    said = _said(path).decode("utf-8", "replace")
    parts: list[str] = []
    where, shape, seen = "file", "", {"video": 0, "audio": 0}
    for line in said.splitlines():
        if found := _STREAM.match(line):
            _, language, kind, _, detail = found.groups()
            where = "cover art" if "attached pic" in detail else kind.lower()
            spoken = f" ({language})" if language and language != "und" else ""
            if where in seen:
                seen[where] += 1
            if where == "video" and seen["video"] == 1:
                where = "picture"
                shape = " ".join(re.findall(r", (\d+x\d+)|(SAR \d+:\d+)", detail)[0])
            elif where == "audio" and seen["audio"] == 1:
                where = "first sound"
                parts += [f"language{spoken}"] if spoken else []
            else:
                parts.append(f"{where}{spoken}")
        elif re.match(r"\s+Chapter #", line):
            where = "chapter"
            parts.append("chapter")
        elif found := re.search(r"Matrix: rotation of (\S+) degrees", line, re.I):
            shape += f" turned {float(found[1]) % 360:g}" if where == "picture" else ""
        elif found := re.match(r"\s+(\S[^:]*?)\s*: (.*)$", line):
            key, value = found.groups()
            if where == "file":
                parts += [f"{key} {value}"] if key.lower() not in _OF_THE_CONTAINER else []
            elif where not in ("picture", "first sound") and key in _OF_A_STREAM:
                parts.append(f"{where}: {value}")
        elif not line.startswith(" ") and where != "file":
            break
    counted = {f"{part} #{parts[:k].count(part) + 1}" for k, part in enumerate(parts)}
    return Contents(frozenset(counted), shape)


def _said(path: Path) -> bytes:
    """What ffmpeg prints when it opens the file."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", _file(path)]
    return subprocess.run(command, capture_output=True, timeout=60).stderr


def _file(path: Path) -> str:
    return f"file:{path}"
