"""Cases of `media_table.py`: files with more than one picture and one sound in them, and names of files."""

from __future__ import annotations

import os
from pathlib import Path

from media_scene import AAC, H264, Case, clicks, clip, copied, ffmpeg

CHAPTERS = """;FFMETADATA1
title=Фильм 映画 🎬
artist=Ödön & "Zoë"
comment=first line\\
second line
[CHAPTER]
TIMEBASE=1/1000
START=0
END=1200
title=Глава 1
[CHAPTER]
TIMEBASE=1/1000
START=1200
END=3000
title=Second = 2
"""
SUBTITLES = "1\n00:00:00,500 --> 00:00:01,500\nПривет, 世界\n\n2\n00:00:02,000 --> 00:00:02,500\nbye\n"  # noqa: RUF001


def ambisonic(folder: Path) -> Path:
    """First-order ambisonics in Opus (channel mapping family 2)."""
    opus = ("-af", "channelmap=0|1|2|3:ambisonic 1", "-c:a", "libopus", "-mapping_family", "2")
    return clip(folder / "foa.mkv", H264, opus, channels=4)


def _two_languages(suffix: str) -> Case:
    def make(folder: Path) -> Path:
        plain = clip(folder / "plain.mp4")
        other = clicks(folder / "other.wav", [0.5])
        maps = ("-map", "0", "-map", "1:a", "-c:v", "copy", *AAC)
        tags = ("-metadata:s:a:0", "language=ita", "-metadata:s:a:0", "title=Originale")
        tags += ("-metadata:s:a:1", "language=jpn", "-metadata:s:a:1", "title=吹き替え")
        path = folder / f"two.{suffix}"
        ffmpeg("-i", plain, "-i", other, *maps, *tags, path)
        return path

    return Case(f"two sound tracks with languages and titles ({suffix})", make)


def _subtitles(suffix: str, codec: str, video: tuple[str, ...] = (), audio: tuple[str, ...] = ()) -> Case:
    def make(folder: Path) -> Path:
        (folder / "s.srt").write_text(SUBTITLES, encoding="utf-8")
        plain = clip(folder / "plain.mkv", video or H264, audio or AAC)
        path = folder / f"subtitled.{suffix}"
        tags = ("-metadata:s:s:0", "language=rus", "-metadata:s:s:1", "language=deu")
        maps = ("-map", "0", "-map", "1", "-map", "1")
        ffmpeg("-i", plain, "-i", folder / "s.srt", *maps, "-c", "copy", "-c:s", codec, *tags, path)
        return path

    return Case(f"two subtitle streams, {codec} ({suffix})", make)


def _extra_data(folder: Path, name: str, codec: tuple[str, ...]) -> Path:
    plain = clip(folder / "plain.mp4")
    (folder / "klv.bin").write_bytes(bytes(range(256)) * 4)
    maps = ("-map", "0", "-map", "1:d", "-c", "copy", *codec)
    ffmpeg("-i", plain, "-f", "data", "-i", folder / "klv.bin", *maps, folder / name)
    return folder / name


def _tagged(suffix: str) -> Case:
    def make(folder: Path) -> Path:
        (folder / "m.txt").write_text(CHAPTERS, encoding="utf-8")
        plain = clip(folder / "plain.mp4")
        path = folder / f"tagged.{suffix}"
        maps = ("-map", "0", "-map_metadata", "1", "-map_chapters", "1", "-c", "copy")
        ffmpeg("-i", plain, "-i", folder / "m.txt", *maps, path)
        return path

    return Case(f"chapters, Unicode title, artist, comment ({suffix})", make)


def _phone(folder: Path) -> Path:
    """What an iPhone writes beside the picture."""
    keys = ("make=Apple", "model=iPhone 15", "location.ISO6709=+48.2082+016.3738/")
    tags = [part for key in keys for part in ("-metadata", f"com.apple.quicktime.{key}")]
    return copied(clip(folder / "plain.mp4"), folder / "phone.mov", *tags, "-movflags", "use_metadata_tags")


def _covered(suffix: str) -> Case:
    def make(folder: Path) -> Path:
        plain = clip(folder / "plain.mp4")
        cover = folder / "cover.jpg"
        ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", cover)
        path = folder / f"covered.{suffix}"
        if suffix == "mkv":
            tags = ("-metadata:s:t", "mimetype=image/jpeg", "-metadata:s:t", "filename=cover.jpg")
            ffmpeg("-i", plain, "-c", "copy", "-attach", cover, *tags, path)
        else:
            maps = ("-map", "0", "-map", "1", "-c", "copy", "-disposition:v:1", "attached_pic")
            ffmpeg("-i", plain, "-i", cover, *maps, path)
        return path

    return Case(f"cover art ({suffix})", make)


def _cover_first(folder: Path) -> Path:
    """The cover is stream 0, the picture comes after it."""
    plain = clip(folder / "plain.mp4")
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", folder / "cover.jpg")
    path = folder / "first.mp4"
    maps = ("-map", "1", "-map", "0", "-c", "copy", "-disposition:v:0", "attached_pic")
    ffmpeg("-i", plain, "-i", folder / "cover.jpg", *maps, path)
    return path


def _font(folder: Path) -> Path:
    (folder / "font.ttf").write_bytes(b"no real font" * 10)
    tags = ("-metadata:s:t", "mimetype=application/x-truetype-font")
    ffmpeg(
        *("-i", clip(folder / "plain.mp4"), "-c", "copy", "-attach", folder / "font.ttf", *tags),
        folder / "font.mkv",
    )
    return folder / "font.mkv"


def _timecode(folder: Path) -> Path:
    return copied(clip(folder / "plain.mov"), folder / "code.mov", "-timecode", "01:00:00:00")


def _two_pictures(folder: Path) -> Path:
    plain = clip(folder / "plain.mkv")
    second = clip(folder / "second.mkv", audio=(), size_wh=(80, 46))
    ffmpeg("-i", plain, "-i", second, "-map", "0", "-map", "1", "-c", "copy", folder / "angles.mkv")
    return folder / "angles.mkv"


def _everything(folder: Path) -> Path:
    (folder / "m.txt").write_text(CHAPTERS, encoding="utf-8")
    (folder / "s.srt").write_text(SUBTITLES, encoding="utf-8")
    plain, other = clip(folder / "plain.mp4"), clicks(folder / "other.wav", [0.5])
    path = folder / "all.mkv"
    inputs = ("-i", plain, "-i", other, "-i", folder / "s.srt", "-i", folder / "m.txt")
    maps = ("-map", "0", "-map", "1", "-map", "2", "-map_metadata", "3", "-map_chapters", "3")
    ffmpeg(*inputs, *maps, "-c:v", "copy", *AAC, "-c:s", "ass", "-metadata:s:a:1", "language=ita", path)
    return path


STREAMS = [
    _two_languages("mkv"),
    _two_languages("mp4"),
    _subtitles("mkv", "srt"),
    _subtitles("mkv", "ass"),
    _subtitles("mp4", "mov_text"),
    _subtitles("webm", "webvtt", ("-c:v", "libvpx", "-b:v", "400k"), ("-c:a", "libopus")),
    _tagged("mkv"),
    _tagged("mp4"),
    _tagged("mov"),
    _covered("mp4"),
    _covered("mkv"),
    Case("cover art as the first stream (mp4)", _cover_first),
    Case("a font as attachment (mkv)", _font),
    Case("a time code track (mov)", _timecode),
    Case("a data stream (MPEG-TS)", lambda folder: _extra_data(folder, "klv.ts", ())),
    Case("place and model of a phone (mov)", _phone),
    Case("two pictures (mkv)", _two_pictures),
    Case("chapters, subtitles, two sounds, metadata (mkv)", _everything),
]


def _named(title: str, name: str) -> Case:
    def make(folder: Path) -> Path:
        plain = clip(folder / "plain.mp4")
        return plain.rename(folder / name)

    return Case(title, make)


NAMES = [
    _named("spaces", "a long  name .mp4"),
    _named("quotes and shell characters", 'it\'s "so" $HOME `x` \\ %03d *?[a].mp4'),
    _named("a line break", "two\nlines.mp4"),
    _named("a leading dash, given as it is", "-i.mp4"),
    _named("250 characters", "x" * 246 + ".mp4"),
    _named("Cyrillic", "Кошка и собака.mp4"),
    _named("emoji", "🐈‍⬛🎬.mp4"),
    _named("as an address", "http:a,b|c#d.mp4"),
    _named("250 bytes of emoji", "🐈" * 61 + ".mp4"),
    _named("capital suffix", "CLIP.MP4"),
    _named("no suffix", "clip"),
    _named("the wrong suffix", "clip.avi"),
    _named("bytes that are no UTF-8", os.fsdecode(b"caf\xe9.mp4")),
]
