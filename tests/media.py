"""Small synthetic media, made with the bundled ffmpeg; and a second way to measure them, apart from the code
under test: plain decoding with the container's own time stamps."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import soundfile

RATE = 48000
SIZE_WH = (64, 48)
TICKS = 100  # frame times of made clips are multiples of 1 / TICKS s


def ffmpeg(*args: str | Path, stdin: bytes | None = None) -> bytes:
    """Run the bundled ffmpeg, give its stdout back; fails the test with ffmpeg's own words."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-v", "error", "-y", *map(str, args)]
    done = subprocess.run(command, input=stdin if stdin is not None else b"", capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return done.stdout


def cfr_times(seconds: float, fps: int = 25) -> list[float]:
    return [k / fps for k in range(round(seconds * fps))]


def vfr_times(seconds: float, seed: int = 0) -> list[float]:
    """Steps of 20 to 120 ms, as screen recordings and phones make them."""
    steps = np.random.default_rng(seed).integers(2, 13, round(seconds * TICKS))
    ticks = np.concatenate([[0], np.cumsum(steps)])
    return [int(tick) / TICKS for tick in ticks if tick < seconds * TICKS]


def picture(path: Path, times: Sequence[float], white: Sequence[int] = (), args: Sequence[str] = ()) -> Path:
    """A silent video with frames at `times`; the ones with an index in `white` white, the others dark, with a
    light mark in the top left corner."""
    width, height = SIZE_WH
    frames = np.full((len(times), height, width), 30, np.uint8)
    frames[:, :12, :16] = 120
    frames[list(white)] = 250
    ticks = [round(time * TICKS) for time in times]
    stream = b"".join(
        frames[int(np.searchsorted(ticks, tick, side="right")) - 1].tobytes() for tick in range(ticks[-1] + 1)
    )
    select = _any_of([f"eq(n\\,{tick})" for tick in ticks])
    ffmpeg(
        *("-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}", "-r", str(TICKS), "-i", "-"),
        *("-vf", f"select={select}", "-fps_mode", "passthrough", "-enc_time_base", "1:1000"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-g", "12", "-bf", "2", "-pix_fmt", "yuv420p"),
        *args,
        path,
        stdin=stream,
    )
    return path


def _any_of(terms: list[str]) -> str:
    """A sum in balanced brackets: ffmpeg's expressions may not nest deeply."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return f"({_any_of(terms[:half])}+{_any_of(terms[half:])})"


def clicks(path: Path, seconds: float, at: Sequence[float], channels: int = 1, rate: int = RATE) -> Path:
    """A WAV of quiet noise with a short loud click that starts at each time."""
    rng = np.random.default_rng(1)
    sound = 1e-3 * rng.standard_normal((round(seconds * rate), channels))
    pulse = 0.8 * np.sin(2 * np.pi * 2000 * np.arange(96) / rate) * np.hanning(96)
    for time in at:
        start = round(time * rate)
        sound[start : start + 96] += pulse[: len(sound[start : start + 96]), None]
    soundfile.write(str(path), sound.astype(np.float32), rate, subtype="FLOAT")
    return path


def join(
    path: Path, video: Path, sound: Path, offset_s: float = 0.0, codec: Sequence[str] = ("-c:a", "aac")
) -> Path:
    """Both in one file, the sound moved by `offset_s` against the picture."""
    offset = ("-itsoffset", str(offset_s)) if offset_s else ()
    ffmpeg("-i", video, *offset, "-i", sound, "-map", "0:v", "-map", "1:a", "-c:v", "copy", *codec, path)
    return path


def flash_and_click(path: Path, times: Sequence[float], offset_s: float = 0.0) -> list[float]:
    """A video whose white frames and clicks come together; returns their times."""
    white = [len(times) // 3, 2 * len(times) // 3]
    moments = [times[k] for k in white]
    video = picture(path.with_name("picture.mkv"), times, white)
    # a sound moved by the offset has to hold each click that much earlier
    sound = clicks(path.with_name("clicks.wav"), times[-1], [t - offset_s for t in moments])
    join(path, video, sound, offset_s)
    return moments


def plain_clip(folder: Path, rate: int = RATE) -> Path:
    """2 s, 25 fps, H.264 with B-frames and AAC mono; a white frame and a click at 1.0 s."""
    silent = picture(folder / "silent.mkv", cfr_times(2.0), [25])
    return join(folder / "clip.mp4", silent, clicks(folder / "clip.wav", 2.0, [1.0], rate=rate))


def streamhash(path: Path) -> bytes:
    """Hash of the packets of the playing picture."""
    return ffmpeg("-i", path, "-map", "0:V:0", "-c", "copy", "-f", "streamhash", "-")


def header(path: Path) -> str:
    """What ffmpeg says about a file when it opens it."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(path)]
    return subprocess.run(command, capture_output=True, timeout=60).stderr.decode("utf-8", "replace")


def shown(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Container times (s) and mean brightness of the decoded frames."""
    common = ("-copyts", "-i", path, "-map", "0:V:0", "-fps_mode", "passthrough")
    rows = ffmpeg(*common, "-enc_time_base", "1:1000000", "-c:v", "wrapped_avframe", "-f", "framecrc", "-")
    times = [int(row.split(b",")[2]) / 1e6 for row in rows.splitlines() if not row.startswith(b"#")]
    grey = ffmpeg(*common, "-vf", "scale=1:1:flags=area", "-pix_fmt", "gray", "-f", "rawvideo", "-")
    return np.array(times), np.frombuffer(grey, np.uint8)


def heard(path: Path, track: int = 0) -> tuple[float, np.ndarray, int]:
    """Container time (s) of the first decoded sample of a sound track, the samples (n,) of its first channel,
    the rate."""
    common = ("-copyts", "-i", path, "-map", f"0:a:{track}")
    rows = ffmpeg(*common, "-c:a", "pcm_s16le", "-f", "framecrc", "-").splitlines()
    rate = next(int(row.split(b":")[1]) for row in rows if row.startswith(b"#sample_rate"))
    base = next(row.split(b":")[1].split(b"/") for row in rows if row.startswith(b"#tb"))
    first = next(int(row.split(b",")[2]) for row in rows if not row.startswith(b"#"))
    data = ffmpeg(*common, "-af", "pan=mono|c0=c0", "-f", "f32le", "-")
    return first * int(base[0]) / int(base[1]), np.frombuffer(data, np.float32), rate


def click_times(samples: np.ndarray, rate: int) -> list[float]:
    """When the clicks made by `clicks` start: their middles, less half their length."""
    loud = np.flatnonzero(np.abs(samples) > 0.25 * np.abs(samples).max())
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > 0.05 * rate) + 1)
    return [float((group[0] + group[-1]) / 2 / rate - 48 / RATE) for group in groups]
