"""The cases of `media_table.py`: what is odd about each file, and how it is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import media_damage
import media_extras
import numpy as np
import soundfile
from media_scene import AAC, H264, RATE, SECONDS, UNEVEN, Case, clip, copied, ffmpeg

HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error", "-pix_fmt", "yuv420p")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-pix_fmt", "yuv420p")
AV1 = ("-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", "lp=1", "-pix_fmt", "yuv420p")
OPUS = ("-c:a", "libopus")
PCM = ("-c:a", "pcm_s16le")


def made(
    title: str, name: str, *args: object, mute: bool = False, noise: bool = False, **more: object
) -> Case:
    """A case that `media_scene.clip` makes."""
    return Case(title, lambda folder: clip(folder / name, *args, **more), mute=mute, noise=noise)  # type: ignore[arg-type]


def turned(title: str, *before: str) -> Case:
    def make(folder: Path) -> Path:
        return copied(clip(folder / "plain.mp4"), folder / "turned.mp4", before=before)

    return Case(title, make)


def _sound(folder: Path, samples: np.ndarray) -> Path:
    soundfile.write(str(folder / "given.wav"), samples.astype(np.float32), RATE, subtype="FLOAT")
    return folder / "given.wav"


def sounding(title: str, samples: Callable[[np.ndarray], np.ndarray], noise: bool = True) -> Case:
    """A plain picture with `samples(t)` for its sound."""

    def make(folder: Path) -> Path:
        t = np.arange(round(SECONDS * RATE)) / RATE
        return clip(folder / "sound.mp4", sound=_sound(folder, samples(t)))

    return Case(title, make, noise=noise)


def _clipped(t: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(2).standard_normal(len(t))
    return np.clip(3 * noise * np.sin(2 * np.pi * 1.3 * t), -1, 1)


def _edited(folder: Path) -> Path:
    """Cut without decoding between two key frames: the edit list hides the frames before."""
    return copied(clip(folder / "whole.mp4", seconds=4.0), folder / "edited.mp4", before=("-ss", "0.72"))


def _mpegts_late(folder: Path) -> Path:
    """As a receiver records: its clock wraps after 26.5 hours, here in the middle."""
    return copied(clip(folder / "whole.mp4"), folder / "late.ts", "-output_ts_offset", "95442")


def _empty_sound(folder: Path) -> Path:
    wav = _sound(folder, np.zeros(0))
    silent = clip(folder / "silent.mkv", audio=())
    ffmpeg("-i", silent, "-i", wav, "-c:v", "copy", "-c:a", "flac", folder / "empty.mkv")
    return folder / "empty.mkv"


def _still_then_motion(folder: Path) -> Path:
    """A slide show: a frame every 2 to 4 s."""
    return clip(folder / "slides.mp4", fps="1/2", seconds=8.0)


GROUPS: dict[str, list[Case]] = {
    "Frame rates": [
        made("25 fps, H.264, AAC: the plain case", "plain.mp4"),
        made("VFR, as phones record (mp4)", "vfr.mp4", vf=UNEVEN),
        made("VFR (mkv)", "vfr.mkv", vf=UNEVEN),
        *(
            made(f"{said} fps", f"{said}.mp4", fps=fps)
            for said, fps in (
                ("23.976", "24000/1001"),
                ("29.97", "30000/1001"),
                ("59.94", "60000/1001"),
                ("120", "120"),
            )
        ),
        made("1 fps", "1.mp4", fps="1", seconds=6.0),
        Case("a frame every 2 s", _still_then_motion),
    ],
    "Shape of the picture": [
        *(turned(f"rotation {d}", "-display_rotation", str(d)) for d in (90, 180, 270)),
        turned("display matrix: flipped left to right", "-display_hflip"),
        turned("display matrix: flipped top to bottom", "-display_vflip"),
        turned("display matrix: turned by 90 and flipped", "-display_rotation", "90", "-display_hflip"),
        turned("display matrix: turned by 30", "-display_rotation", "30"),
        made("161 x 91 px (H.264 4:4:4)", "odd.mp4", (*H264[:-1], "yuv444p"), size_wh=(161, 91)),
        made("161 x 91 px (VP9)", "odd.webm", VP9, OPUS, size_wh=(161, 91)),
        made("non-square pixels (16:11)", "sar.mp4", vf="setsar=16/11"),
        made("4K", "4k.mp4", size_wh=(960, 540), vf="scale=3840:2160", seconds=1.0),
        made("16 x 16 px", "tiny.mp4", size_wh=(16, 16)),
    ],
    "Picture codecs and containers": [
        made("H.264 10-bit", "ten.mp4", (*H264[:-1], "yuv420p10le")),
        made("HEVC 8-bit, mp4", "hevc.mp4", (*HEVC, "-tag:v", "hvc1")),
        made("HEVC 10-bit, mkv", "hevc10.mkv", (*HEVC[:-1], "yuv420p10le")),
        made("VP8, webm", "vp8.webm", ("-c:v", "libvpx", "-b:v", "400k", "-auto-alt-ref", "1"), OPUS),
        made("VP9, webm", "vp9.webm", VP9, OPUS),
        made("VP9 10-bit, webm", "vp9ten.webm", (*VP9[:-1], "yuv420p10le"), OPUS),
        made("AV1, mp4", "av1.mp4", AV1),
        made("AV1, webm", "av1.webm", AV1, OPUS),
        made("MPEG-2 and MP2, MPEG-TS", "mpeg2.ts", ("-c:v", "mpeg2video", "-bf", "2"), ("-c:a", "mp2")),
        made("H.264, MPEG-TS", "h264.ts"),
        Case("H.264, MPEG-TS, time stamps that wrap", _mpegts_late),
        made("H.264, AVCHD (m2ts)", "camera.m2ts", H264, ("-c:a", "ac3")),
        made("MPEG-2, program stream (mpg)", "disc.mpg", ("-c:v", "mpeg2video", "-bf", "2"), ("-c:a", "mp2")),
        made("ProRes and PCM, mov", "prores.mov", ("-c:v", "prores_ks", "-profile:v", "0"), PCM),
        made("MJPEG and PCM, avi", "mjpeg.avi", ("-c:v", "mjpeg", "-q:v", "3"), PCM),
        made("MPEG-4 and MP3, avi", "xvid.avi", ("-c:v", "mpeg4", "-bf", "2"), ("-c:a", "libmp3lame")),
        made("Windows Media, wmv", "a.wmv", ("-c:v", "wmv2"), ("-c:a", "wmav2")),
        made("Theora and Vorbis, ogv", "a.ogv", ("-c:v", "libtheora"), ("-c:a", "libvorbis")),
        made("H.264, flv", "a.flv", H264, ("-c:a", "aac")),
        made("H.264 and AMR, 3gp", "a.3gp", H264, ("-c:a", "libopencore_amrnb"), rate=8000),
        made("FFV1, mkv", "ffv1.mkv", ("-c:v", "ffv1"), ("-c:a", "flac")),
        made("fragmented mp4", "fragments.mp4", extra=("-movflags", "frag_keyframe+empty_moov")),
        made("GIF", "a.gif", (), (), fps="10", mute=True),
    ],
    "Starts and lengths": [
        Case("edit list: 0.72 s cut off without decoding (mp4)", _edited),
        *(
            made(f"sound starts {offset_s * 1000:+.0f} ms ({suffix})", f"a.{suffix}", offset_s=offset_s)
            for suffix in ("mp4", "mkv", "ts")
            for offset_s in (0.5, -0.5)
        ),
        made("sound 2 s longer than the picture", "longer.mp4", sound_s=SECONDS + 2),
        made("sound 1.5 s shorter than the picture", "shorter.mp4", sound_s=SECONDS - 1.5),
        made("one frame", "one.mp4", seconds=0.04, sound_s=1.0),
        made("0.2 s", "short.mp4", seconds=0.2, noise=True),
    ],
    "Sound: rates, channels, codecs": [
        made("AAC, 8 kHz", "a.mp4", rate=8000),
        made("AAC, 22.05 kHz", "a.mp4", rate=22050),
        made("AAC, 44.1 kHz", "a.mp4", rate=44100),
        made("AAC, 96 kHz", "a.mp4", rate=96000),
        made("PCM, 192 kHz, mkv", "a.mkv", H264, PCM, rate=192000),
        made("PCM, 11.127 kHz, mov", "a.mov", H264, PCM, rate=11127),
        made("AAC, stereo", "a.mp4", channels=2),
        made("AAC, 5.1", "a.mp4", H264, (*AAC, "-af", "channelmap=channel_layout=5.1"), channels=6),
        made("AAC, 7.1", "a.mp4", H264, (*AAC, "-af", "channelmap=channel_layout=7.1"), channels=8),
        Case("Opus, 4-channel ambisonic, mkv", media_extras.ambisonic),
        made("PCM, 4 unnamed channels, mov", "a.mov", H264, PCM, channels=4),
        made("PCM, 16 unnamed channels, mkv", "a.mkv", H264, PCM, channels=16),
        made("Opus, mp4", "a.mp4", H264, OPUS),
        made("FLAC, mkv", "a.mkv", H264, ("-c:a", "flac")),
        made("FLAC, mp4", "a.mp4", H264, ("-c:a", "flac", "-strict", "-2")),
        made("MP3, mp4", "a.mp4", H264, ("-c:a", "libmp3lame"), rate=44100),
        made("MP3, mkv", "a.mkv", H264, ("-c:a", "libmp3lame"), rate=44100),
        made("AC-3, mp4", "a.mp4", H264, ("-c:a", "ac3")),
        made("E-AC-3, mkv", "a.mkv", H264, ("-c:a", "eac3")),
        made("DTS, mkv", "a.mkv", H264, ("-c:a", "dca", "-strict", "-2")),
        made("Vorbis, mkv", "a.mkv", H264, ("-c:a", "libvorbis")),
        made("ALAC, mov", "a.mov", H264, ("-c:a", "alac")),
        made("PCM 24 bit, mov", "a.mov", H264, ("-c:a", "pcm_s24le")),
        made("PCM 64 bit float, mkv", "a.mkv", H264, ("-c:a", "pcm_f64le")),
    ],
    "What is in the sound and picture": [
        made("no sound", "mute.mp4", H264, (), mute=True),
        Case("a sound track without a sample", _empty_sound, mute=True),
        sounding("silent sound", lambda t: 0 * t),
        sounding("DC only", lambda t: 0.3 + 0 * t),
        sounding("clipped sound", _clipped, noise=False),
        sounding("one click", lambda t: 0.9 * (np.abs(t - 1.0) < 5e-4), noise=False),
        made("black picture", "black.mp4", vf="lutyuv=y=16:u=128:v=128"),
    ],
    "Further streams and metadata": media_extras.STREAMS,
    "File names": media_extras.NAMES,
    "Damage": media_damage.CASES,
    "Long films": media_damage.LENGTHS,
}
