"""The mono sound of a rendering: the video's own track, a sound file, or silence under stems."""

from __future__ import annotations

from pathlib import Path

from foleyspace.errors import InputError
from foleyspace.types import Clip, Scene


def write_mono(clip: Clip, audio: str, mono: Path, scene: Scene | None, rate: int) -> bool:
    """Write the mono sound to `mono` (WAV); True when it is the video's own.

    `audio`: "track" or a sound file. A video without sound is silent, at `rate` Hz, when every source of
    `scene` brings its own. Raises `InputError` when there is no such file or no sound.
    """
    from foleyspace.soundtrack import extract_mono

    if audio == "track":
        if clip.audio is None and scene is not None and all(source.audio for source in scene.sources):
            _write_silence(mono, clip.duration, rate)
            return False
        extract_mono(clip, mono)
        return True
    if not Path(audio).is_file():
        raise InputError(f"`audio` is {audio!r} but must be 'track' or an existing sound file")
    extract_mono(audio, mono, duration=clip.duration)
    return False


def _write_silence(path: Path, seconds: float, rate: int) -> None:
    import numpy as np
    import soundfile

    left = round(seconds * rate)
    with soundfile.SoundFile(str(path), "w", rate, 1, subtype="FLOAT", format="RF64") as file:
        while left > 0:
            file.write(np.zeros(min(left, rate), np.float32))
            left -= rate
