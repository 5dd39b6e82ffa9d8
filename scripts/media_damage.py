"""Cases of `media_table.py`: files that were damaged, cut off, or say what is not so; and how `fuzz_media.py`
damages a file."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from media_scene import H264, Case, clip, copied, ffmpeg

HOW = ("header", "index", "middle", "truncation", "everywhere", "zeros")


def damaged(data: bytes, how: str, rng: np.random.Generator) -> bytes:
    """A damaged copy: 1 to 64 bits flipped in the first 512 bytes ("header"), in the index, in the middle or
    everywhere; cut off; a stretch of zeros."""
    copy = np.frombuffer(data, np.uint8).copy()
    n = len(copy)
    if how == "truncation":
        return data[: int(rng.integers(1, n))]
    if how == "zeros":
        start = int(rng.integers(0, n))
        copy[start : start + int(rng.integers(1, max(n // 4, 2)))] = 0
        return copy.tobytes()
    at = max(data.find(b"moov"), data.find(b"\x1c\x53\xbb\x6b"), data.find(b"idx1"))
    first, last = {
        "header": (0, min(512, n)),
        "index": (at, min(at + 4096, n)) if at >= 0 else (max(n - 2048, 0), n),
        "middle": (n // 3, 2 * n // 3),
        "everywhere": (0, n),
    }[how]
    places = rng.integers(first, last, round(2 ** rng.uniform(0, 6)))
    copy[places] ^= (1 << rng.integers(0, 8, len(places))).astype(np.uint8)
    return copy.tobytes()


def _box(data: bytes, name: bytes) -> int:
    """Where the body of an mp4 box begins."""
    return data.index(name) + 4


def _cut(suffix: str, keep: float, *args: str) -> Case:
    """The end is missing."""

    def make(folder: Path) -> Path:
        whole = copied(clip(folder / "plain.mkv"), folder / f"whole.{suffix}", *args)
        data = whole.read_bytes()
        path = folder / f"cut.{suffix}"
        path.write_bytes(data[: int(len(data) * keep)])
        return path

    said = ", index in front" if args else ""
    return Case(f"cut off at {keep:.0%} ({suffix}{said})", make, noise=True)


def _no_index(folder: Path) -> Path:
    """A recording that was broken off before the index was written."""
    data = clip(folder / "plain.mp4").read_bytes()
    (folder / "no_index.mp4").write_bytes(data[: data.index(b"moov") - 4])
    return folder / "no_index.mp4"


def _index(title: str, suffix: str, name: bytes, skip: int, value: bytes, args: tuple[str, ...] = ()) -> Case:
    """`value` over the bytes of the index `skip` after `name`."""

    def make(folder: Path) -> Path:
        whole = clip(folder / f"plain.{suffix}", *args)  # type: ignore[arg-type]
        data = bytearray(whole.read_bytes())
        at = _box(bytes(data), name) + skip
        data[at : at + len(value)] = value
        path = folder / f"index.{suffix}"
        path.write_bytes(bytes(data))
        return path

    return Case(title, make, perhaps=True, noise=True)


def _flipped(suffix: str, *args: tuple[str, ...]) -> Case:
    """A few hundred bytes of the middle are others."""

    def make(folder: Path) -> Path:
        whole = clip(folder / f"plain.{suffix}", *args)  # type: ignore[arg-type]
        data = bytearray(whole.read_bytes())
        rng = np.random.default_rng(5)
        for place in rng.integers(len(data) // 3, len(data) // 2, 200):
            data[place] ^= 0xFF
        path = folder / f"flipped.{suffix}"
        path.write_bytes(bytes(data))
        return path

    return Case(f"200 bytes flipped in the middle ({suffix})", make, noise=True)


def _more_frames_than_there_are(folder: Path) -> Path:
    """The mp4 index counts 1000 frames more than there are: in `stsz` and `stts`, but in no chunk."""
    extra = 1000
    data = bytearray(clip(folder / "plain.mp4", (*H264, "-bf", "0")).read_bytes())
    at = _inside(data, b"stts")
    data[at + 8 : at + 12] = struct.pack(">I", extra + struct.unpack(">I", data[at + 8 : at + 12])[0])
    at = _inside(data, b"stsz")
    data[at + 8 : at + 12] = struct.pack(">I", extra + struct.unpack(">I", data[at + 8 : at + 12])[0])
    end = at - 8 + struct.unpack(">I", data[at - 8 : at - 4])[0]
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsz"):
        size = _inside(data, name) - 8
        data[size : size + 4] = struct.pack(">I", 4 * extra + struct.unpack(">I", data[size : size + 4])[0])
    data[end:end] = struct.pack(">I", 600) * extra
    path = folder / "many.mp4"
    path.write_bytes(bytes(data))
    return path


def _inside(data: bytearray, name: bytes) -> int:
    """Where the body of the first such box in the index begins."""
    return data.index(name, data.index(b"moov")) + 4


def _empty_packets(folder: Path) -> Path:
    """Every packet of the second half is there and holds nothing: the frames that decord waits for."""
    whole = clip(folder / "plain.mkv", (*H264, "-bf", "0"))
    path = folder / "hollow.mkv"
    ffmpeg("-i", whole, "-c", "copy", "-bsf:v", "noise=amount='if(gt(n,40),1,0)'", path)
    return path


def _grown_header(folder: Path) -> Path:
    """The AVI header counts ten times the frames."""
    data = bytearray(clip(folder / "plain.avi", ("-c:v", "mjpeg"), ("-c:a", "pcm_s16le")).read_bytes())
    for name, skip in ((b"avih", 4 + 16), (b"strh", 4 + 32)):
        at = data.index(name) + 4 + skip
        data[at : at + 4] = struct.pack("<I", 10 * struct.unpack("<I", data[at : at + 4])[0])
    path = folder / "grown.avi"
    path.write_bytes(bytes(data))
    return path


def _written(title: str, name: str, data: bytes) -> Case:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return Case(title, make, broken=True)


def _still(folder: Path) -> Path:
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", folder / "still.jpg")
    return (folder / "still.jpg").rename(folder / "still.mp4")


def _sound_alone(folder: Path) -> Path:
    return copied(clip(folder / "plain.mp4"), folder / "sound.mp4", "-vn")


_AVI = (("-c:v", "mjpeg"), ("-c:a", "pcm_s16le"))
CASES = [
    _cut("mkv", 0.7),
    _cut("ts", 0.7),
    _cut("mp4", 0.75, "-movflags", "+faststart"),
    Case("cut off before its index (mp4)", _no_index, broken=True),
    _index("index: chunk offsets overwritten (mp4)", "mp4", b"stco", 8, b"\xff" * 12),
    _index("index: sample sizes overwritten (mp4)", "mp4", b"stsz", 40, b"\x7f" * 24),
    _index("index: time stamps overwritten (mp4)", "mp4", b"stts", 8, b"\x00\x00\x00\x05\x00\xff\x00\x00"),
    _index("index overwritten (avi)", "avi", b"idx1", 4, b"\xa5" * 400, _AVI),
    _index("index overwritten (mkv)", "mkv", b"\x1c\x53\xbb\x6b", 1, b"\xa5" * 16),
    _flipped("mp4"),
    _flipped("mkv"),
    _flipped("ts"),
    _flipped("avi", *_AVI),
    Case("the index counts 1000 frames more (mp4)", _more_frames_than_there_are),
    Case("10 times as many frames in the header (avi)", _grown_header),
    Case("the second half of the picture is noise (mkv)", _empty_packets),
    _written("an empty file", "empty.mp4", b""),
    _written("text", "text.mp4", b"no video at all\n" * 100),
    _written("noise", "noise.mp4", np.random.default_rng(0).bytes(50_000)),
    Case("a still picture named mp4", _still, broken=True),
    Case("sound alone", _sound_alone, broken=True),
]


def _film(minutes: int) -> Case:
    """Low resolution, a frame a second; its sound is noise with slow changes."""

    def make(folder: Path) -> Path:
        seconds = 60 * minutes
        picture = ("-f", "lavfi", "-i", f"testsrc2=s=96x54:r=1:d={seconds}")
        noise = ("-f", "lavfi", "-i", f"anoisesrc=d={seconds}:r=16000:a=0.2:seed=1,tremolo=f=0.3:d=0.9")
        path = folder / f"film{minutes}.mp4"
        ffmpeg(*picture, *noise, *H264, "-c:a", "aac", "-b:a", "48k", path)
        return path

    return Case(f"{minutes} minutes at 1 fps, 96 x 54 px", make, long=minutes > 10)


LENGTHS = [_film(10), _film(120)]
