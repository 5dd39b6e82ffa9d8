"""The video with what was seen and where it is heard drawn on every frame, and the binaural sound."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foleyspace.camera import DEFAULT_FOV_DEG, Projection, check_view
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.overlay_frame import draw_frame, plan_frames
from foleyspace.types import Audio, Clip, Scene, Track

MIN_SIDE, MAX_FPS = 480, 60
SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv")
SILENT_DB = -96.0

__all__ = ["draw_frame", "write_overlay"]


def write_overlay(
    clip: Clip,
    tracks: Sequence[Track],
    scene: Scene,
    out_path: str | Path,
    *,
    fov_deg: float = DEFAULT_FOV_DEG,
    projection: Projection = "rectilinear",
    audio: Audio | str | Path | None = None,
    heard: Sequence[tuple[str, float]] = (),
    max_height: int = 720,
    overwrite: bool = False,
) -> None:
    """Write the clip with `draw_frame` on every frame as H.264, and `audio` (binaural, in memory or a file)
    as its sound. Frames stream through; frames of variable rate are repeated onto the average rate. `heard`:
    words with their probability for `draw_frame`.

    Raises `InputError` for a suffix other than mp4, m4v, mov, mkv, a path that cannot be written or exists
    without `overwrite`; `FoleyspaceError` when encoding fails.
    """
    from foleyspace.files import atomic_output, check_suffix

    check_view(fov_deg, projection)
    out_path = Path(out_path)
    check_suffix("overlay", out_path, SUFFIXES)
    if not 120 <= max_height <= 4320:
        raise InputError(f"`max_height` is {max_height} but must be between 120 and 4320 pixels")
    size_wh = output_size(clip.size_wh, max_height)
    fps = min(max(clip.fps, Fraction(1)), Fraction(MAX_FPS))
    plan = plan_frames(tracks, scene)
    with atomic_output(out_path, overwrite=overwrite) as part, tempfile.TemporaryDirectory() as folder:
        sound = _sound_file(audio, Path(folder))
        levels = None if sound is None else ear_levels(sound, float(fps))
        with _Encoder(part, size_wh, fps, sound) as encoder:
            for k, (time, frame) in enumerate(steady_frames(clip, fps, size_wh)):
                level = None if levels is None else (SILENT_DB, SILENT_DB)
                if levels is not None and k < len(levels):
                    level = float(levels[k, 0]), float(levels[k, 1])
                encoder.write(
                    draw_frame(
                        frame,
                        tracks,
                        scene,
                        time,
                        fov_deg,
                        projection=projection,
                        levels_db=level,
                        heard=heard,
                        plan=plan,
                    )
                )


def output_size(size_wh: tuple[int, int], max_height: int) -> tuple[int, int]:
    """Even width and height: the shorter side 480 px or more for the labels to be read, `max_height` kept."""
    width, height = size_wh
    factor = min(max_height / height, max(1.0, MIN_SIDE / min(width, height)))
    return max(2, round(width * factor / 2) * 2), max(2, round(height * factor / 2) * 2)


def steady_frames(
    clip: Clip, fps: Fraction, size_wh: tuple[int, int]
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """(time s, RGB frame of `size_wh`) at a constant rate: what a player shows at that moment."""
    import cv2

    from foleyspace.video import frames

    step = float(1 / fps)
    tick = 0
    shown: NDArray[np.uint8] | None = None
    for _, time, frame in frames(clip, width=min(size_wh[0], clip.size_wh[0])):
        # until half a step before this frame's time, the one before it is shown
        while shown is not None and (tick + 0.5) * step < time:
            yield tick * step, shown
            tick += 1
        if (frame.shape[1], frame.shape[0]) != size_wh:
            shrinks = frame.shape[1] > size_wh[0]
            how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
            frame = np.asarray(cv2.resize(frame, size_wh, interpolation=how), np.uint8)
        shown = frame
    if shown is not None:
        yield tick * step, shown
        tick += 1
        last = float(clip.times[-1]) + step
        while tick * step < last - 0.5 * step:
            yield tick * step, shown
            tick += 1


def ear_levels(sound: Path, fps: float) -> NDArray[np.float64]:
    """Level (T, 2) dBFS of each ear in each video frame, read in blocks."""
    import soundfile

    with soundfile.SoundFile(sound) as file:
        rate, channels = file.samplerate, file.channels
        rows: list[NDArray[np.float64]] = []
        # exact frame borders, so that long videos do not drift
        while True:
            wanted = round((len(rows) + 1) * rate / fps) - round(len(rows) * rate / fps)
            block = file.read(max(1, wanted), dtype="float32", always_2d=True)
            if len(block) == 0:
                break
            rows.append((block.astype(np.float64) ** 2).mean(axis=0))
    power = np.array(rows).reshape(-1, channels)
    power = np.repeat(power, 2, axis=1) if channels == 1 else power[:, :2]
    return 10 * np.log10(power + 1e-10)


def _sound_file(audio: Audio | str | Path | None, folder: Path) -> Path | None:
    """The sound as a file that libsndfile reads."""
    if audio is None:
        return None
    import soundfile

    from foleyspace.analyze import load_audio

    if not isinstance(audio, Audio):
        try:
            soundfile.info(str(audio))
            return Path(audio)
        except soundfile.LibsndfileError:
            audio = load_audio(audio)
    path = folder / "sound.w64"
    soundfile.write(path, audio.samples.T, audio.rate, subtype="FLOAT")
    return path


class _Encoder:
    """ffmpeg fed with raw frames; gone, whatever happens, when the block is left."""

    def __init__(self, path: Path, size_wh: tuple[int, int], fps: Fraction, sound: Path | None) -> None:
        from foleyspace.ffmpeg import ffmpeg_exe, local, opened, signals_held

        command = [ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y", "-f", "rawvideo"]
        command += ["-pix_fmt", "rgb24", "-s", f"{size_wh[0]}x{size_wh[1]}", "-r", str(fps), "-i", "pipe:0"]
        if sound is not None:
            command += [*opened(sound), "-map", "0:v", "-map", "1:a", "-c:a", "aac", "-b:a", "256k"]
        command += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p"]
        command += ["-movflags", "+faststart"] if path.suffix.lower() != ".mkv" else []
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (a pipe nobody reads would block ffmpeg)
        self._path = path
        process = None
        try:
            with signals_held():
                process = subprocess.Popen(
                    [*command, local(path)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=self._errors,
                )
        except BaseException:
            if process is not None:
                process.kill()
                process.wait()
            raise
        self._process = process

    def __enter__(self) -> _Encoder:
        return self

    def write(self, frame: NDArray[np.uint8]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(frame.data)
        except BrokenPipeError:
            self._fail()

    def __exit__(self, kind: type | None, *_: object) -> None:
        assert self._process.stdin is not None
        try:
            if kind is not None:
                self._process.kill()
                self._process.wait()
                return
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                self._fail()
            if self._process.wait() != 0:
                self._fail()
        finally:
            with suppress(BrokenPipeError):  # what was written last may have nobody to read it
                self._process.stdin.close()
            self._errors.close()

    def _fail(self) -> None:
        from foleyspace.ffmpeg import reason

        self._process.wait()
        self._errors.seek(0)
        said = reason(self._errors.read().decode("utf-8", "replace"))
        if shutil.disk_usage(self._path.parent).free < 1 << 20:  # ffmpeg does not always say it
            raise InputError(f"the overlay {self._path.name} could not be written (no space left on device)")
        raise FoleyspaceError(f"the overlay {self._path.name} could not be encoded: {said}")
