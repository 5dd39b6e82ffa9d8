"""A process of its own that decodes with decord and writes raw RGB frames to stdout. Run as a script:

    python decord_child.py PATH WIDTH HEIGHT FIRST EVERY COUNT

decord can hang for good while it holds the interpreter lock, and decodes ahead of its reader; a process can
be timed out and ended, and gives its memory back. Exit code 3: decord does not see COUNT frames in the file.
"""

from __future__ import annotations

import contextlib
import os
import sys


def main() -> int:
    path, width, height, first, every, count = sys.argv[1], *map(int, sys.argv[2:7])
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints must not get between the frames
    _die_with_parent()
    import decord

    reader = decord.VideoReader(
        path, ctx=decord.cpu(0), width=width, height=height, num_threads=min(os.cpu_count() or 1, 4)
    )
    if len(reader) != count:
        return 3
    for index in range(count):  # every one: decord's skip_frames and seeks miss their frame with B-frames
        frame = reader.next()
        if index < first or (index - first) % every:
            continue
        rest = memoryview(frame.asnumpy()).cast("B")
        while len(rest):
            rest = rest[out.write(rest) :]
    return 0


def _die_with_parent() -> None:
    """Linux: a hung decoder must not outlive a parent that was killed."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL


if __name__ == "__main__":
    try:
        code = main()
    except (BrokenPipeError, KeyboardInterrupt):
        code = 1
    sys.stderr.flush()
    os._exit(code)  # without decord's destructors, which may hang
