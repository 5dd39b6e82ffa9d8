"""The picture and sound that every case of `media_table.py` starts from, and the bundled ffmpeg to encode it.

A textured square crosses the picture; two frames are white, and a loud click starts with each. The sound
beside them is a train of clicks at uneven distances, so that it fits onto a copy of itself in one place only.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import soundfile

SECONDS = 3.0
RATE = 48000
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "12", "-bf", "2", "-pix_fmt", "yuv420p")
AAC = ("-c:a", "aac", "-b:a", "160k")
UNEVEN = "setpts=N/25/TB+mod(2*N\\,5)*0.01/TB"  # steps of 60, 60, 10, 60, 10 ms


@dataclass(frozen=True)
class Case:
    """`make` writes the file into a folder (its name too is its own) and gives its path. What is known of it:
    `mute`: it has no sound, so that `render` has to refuse it and `track` not; `broken`: nobody could read
    it, both have to refuse it; `perhaps`: so damaged that it may be refused; `noise`: its sound cannot be
    compared (silent, or damaged); `long`: it takes minutes."""

    title: str
    make: Callable[[Path], Path]
    mute: bool = False
    broken: bool = False
    perhaps: bool = False
    noise: bool = False
    long: bool = False


class FfmpegFailed(Exception):
    """What ffmpeg said when a case could not be made."""


def ffmpeg(*args: str | Path, stdin: bytes = b"", folder: Path | None = None) -> bytes:
    """Run the bundled ffmpeg; its stdout. Raises `FfmpegFailed`."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-v", "error", "-y", *map(str, args)]
    done = subprocess.run(command, input=stdin, capture_output=True, cwd=folder, timeout=300)
    if done.returncode:
        raise FfmpegFailed(done.stderr.decode("utf-8", "replace").strip().splitlines()[-1])
    return done.stdout


def flashes(frames: int) -> list[int]:
    """The white frames: none in the first second's start, where codecs pad."""
    return sorted({frames // 3, 2 * frames // 3}) if frames > 3 else []


def pictures(frames: int, size_wh: tuple[int, int], seed: int = 0) -> np.ndarray:
    """uint8 RGB (frames, H, W, 3)."""
    width, height = size_wh
    rng = np.random.default_rng(seed)
    ground = rng.integers(60, 120, (height // 6 + 1, width // 6 + 1, 3), np.uint8)
    ground = ground.repeat(6, 0).repeat(6, 1)[:height, :width]
    side = height // 3
    square = rng.integers(150, 255, (side // 5 + 1, side // 5 + 1, 3), np.uint8)
    square = square.repeat(5, 0).repeat(5, 1)[:side, :side]
    shown = np.stack([ground] * frames)
    for k, frame in enumerate(shown):
        x = round((width - side) * k / max(frames - 1, 1))
        frame[side : 2 * side, x : x + side] = square
    shown[flashes(frames)] = 255
    return shown


def clicks(
    path: Path, at: Sequence[float], seconds: float = SECONDS, channels: int = 1, rate: int = RATE
) -> Path:
    """A WAV: quiet noise, small clicks at uneven distances, and a loud one at each time of `at` s."""
    rng = np.random.default_rng(1)
    sound = 2e-3 * rng.standard_normal((round(seconds * rate), channels))
    small = np.cumsum(rng.uniform(0.07, 0.2, round(seconds / 0.07) + 1))
    n = round(2e-3 * rate)
    pulse = np.sin(2 * np.pi * 1500 * np.arange(n) / rate) * np.hanning(n)
    for time, level in [*((t, 0.25) for t in small), *((t, 0.8) for t in at)]:
        start = round(time * rate)
        if 0 <= start < len(sound):
            sound[start : start + n] += level * pulse[: len(sound) - start, None]
    soundfile.write(str(path), np.clip(sound, -1, 1).astype(np.float32), rate, subtype="FLOAT")
    return path


def clip(
    path: Path,
    video: Sequence[str] = H264,
    audio: Sequence[str] = AAC,
    *,
    fps: str = "25",
    size_wh: tuple[int, int] = (160, 90),
    seconds: float = SECONDS,
    vf: str = "",
    rate: int = RATE,
    channels: int = 1,
    offset_s: float = 0.0,
    sound: Path | None = None,
    sound_s: float | None = None,
    extra: Sequence[str | Path] = (),
) -> Path:
    """Picture and sound in one file. `offset_s`: the sound track starts so much after the picture (its clicks
    still come with the flashes); `sound`: another WAV; `audio` (): no sound; `extra`: further options."""
    rate_hz = eval_fraction(fps)
    frames = max(round(seconds * rate_hz), 1)
    times = [k / rate_hz + (0.01 * (2 * k % 5) if vf == UNEVEN else 0) for k in flashes(frames)]
    inputs: list[str | Path] = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size_wh[0]}x{size_wh[1]}"]
    inputs += ["-r", fps, "-i", "-"]
    if audio:
        wav = sound or clicks(
            path.with_name("source.wav"),
            [time - offset_s for time in times],
            sound_s or seconds,
            channels,
            rate,
        )
        inputs += [*(("-itsoffset", str(offset_s)) if offset_s else ()), "-i", wav]
    timing = ("-vf", vf, "-fps_mode", "passthrough", "-enc_time_base", "1:1000") if vf == UNEVEN else ()
    filters = ("-vf", vf) if vf and vf != UNEVEN else ()
    data = pictures(frames, size_wh).tobytes()
    ffmpeg(*inputs, *timing, *filters, *video, *audio, *extra, path, stdin=data, folder=path.parent)
    return path


def eval_fraction(fps: str) -> float:
    """ "30000/1001" as a number."""
    above, _, below = fps.partition("/")
    return float(above) / float(below or 1)


def copied(source: Path, path: Path, *args: str | Path, before: Sequence[str] = ()) -> Path:
    """The streams of `source` as they are, with other options of the container."""
    ffmpeg(*before, "-i", source, *args, "-c", "copy", path)
    return path
