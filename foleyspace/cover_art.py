"""Cover art into Matroska, which holds it as an attached file: copied as a stream, ffmpeg would make it a
second video track."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from foleyspace.ffmpeg import local, opened, reason, run
from foleyspace.streams import Stream

log = logging.getLogger("foleyspace")

_TYPES = {"mjpeg": ("jpg", "image/jpeg")}


def attaching(path: Path, covers: Sequence[Stream], folder: Path, first: int) -> list[str]:
    """ffmpeg's output options that attach the pictures of `covers`, streams of the file `path`, written to
    `folder` on the way. `first`: the number of attachments before them. A warning for what cannot be."""
    args: list[str] = []
    for number, cover in enumerate(covers):
        suffix, mimetype = _TYPES.get(cover.codec, (cover.codec, f"image/{cover.codec}"))
        file = folder / f"cover{number}.{suffix}"
        copy = ["-map", f"0:{cover.index}", "-c", "copy", "-frames:v", "1", "-f", "image2", "-update", "1"]
        done = run(["-v", "error", *opened(path), *copy, "-y", local(file)], timeout_s=60)
        if done.returncode or not file.is_file():
            log.warning("stream %d (cover art) cannot be kept (%s)", cover.index, reason(done.stderr))
            continue
        name = cover.filename or f"cover{number or ''}.{suffix}"
        described = f"-metadata:s:t:{first}"
        args += ["-attach", local(file), described, f"filename={name}", described, f"mimetype={mimetype}"]
        first += 1
    return args
