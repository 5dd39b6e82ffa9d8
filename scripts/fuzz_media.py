"""`foleyspace render` on damaged copies of small videos: nothing may crash, hang, or eat the memory.

    python scripts/fuzz_media.py 200 --seed 1 [--keep FOLDER]

Ten small files (mp4, mov, mkv, webm, avi, ts, flv, ogv) are damaged in six ways: bits flipped in the header,
in the index, in the middle, all over; cut off; a stretch of zeros. Each copy is rendered in a process of its
own, forked from one that has imported everything (so that 200 take minutes), with 20 s of processor time (on
the clock 15 times as much: other work may share the machine) and 2 GB for it and all that it starts. What
counts as a failure: a traceback, an error without exit code 1 or 2, a death by signal, a hang, too much
memory, files left behind. `--keep` saves the inputs that failed. The last line is the count; the exit code is
1 when anything failed. POSIX only.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from media_damage import HOW, damaged
from media_process import Run, forked, import_everything
from media_scene import H264, clip, copied

LIMIT_S, LIMIT_MB = 20.0, 2048.0
FAILURES = ("traceback", "crash", "hang", "memory", "left behind")


def sources(folder: Path) -> list[Path]:
    """Small whole files of each kind, 2 s each."""
    webm = (("-c:v", "libvpx", "-b:v", "300k"), ("-c:a", "libopus"))
    avi = (("-c:v", "mjpeg"), ("-c:a", "pcm_s16le"))
    plain = clip(folder / "a.mp4", seconds=2.0)
    return [
        plain,
        copied(plain, folder / "front.mp4", "-movflags", "+faststart"),
        copied(plain, folder / "fragments.mp4", "-movflags", "frag_keyframe+empty_moov"),
        clip(folder / "a.mov", H264, ("-c:a", "pcm_s16le"), seconds=2.0),
        copied(plain, folder / "a.mkv"),
        clip(folder / "a.webm", *webm, seconds=2.0),
        clip(folder / "a.avi", *avi, seconds=2.0),
        copied(plain, folder / "a.ts"),
        clip(folder / "a.flv", H264, ("-c:a", "aac"), seconds=2.0),
        clip(folder / "a.ogv", ("-c:v", "libtheora"), ("-c:a", "libvorbis"), seconds=2.0),
    ]


def render(path: Path) -> tuple[str, Run]:
    """What came of it in a word, and the run."""
    run = forked(["render", "--detector", "motion", "--offline", path.name], path.parent, LIMIT_S, LIMIT_MB)
    if run.ended or run.crashed:
        return run.ended or ("crash" if run.code < 0 else "traceback"), run
    outputs = [other for other in path.parent.iterdir() if other != path]
    if len(outputs) != (run.code == 0):
        return "left behind", run
    return ("ok" if run.code == 0 else "refused"), run


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("number", type=int, help="how many damaged files")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="begin with this number")
    parser.add_argument("--keep", type=Path, help="a folder for the inputs that failed")
    options = parser.parse_args()
    import_everything()
    counts: Counter[str] = Counter()
    highest = slowest = 0.0
    with tempfile.TemporaryDirectory(prefix="fuzz-media-") as root:
        (Path(root) / "whole").mkdir()
        whole = sources(Path(root) / "whole")
        for k in range(options.first, options.first + options.number):
            rng = np.random.default_rng([options.seed, k])
            source, how = whole[k % len(whole)], HOW[k // len(whole) % len(HOW)]
            folder = Path(root) / "run"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            path = folder / source.name
            path.write_bytes(damaged(source.read_bytes(), how, rng))
            outcome, run = render(path)
            counts[outcome] += 1
            highest, slowest = max(highest, run.peak_mb), max(slowest, run.cpu_s)
            last = run.said.strip().splitlines()[-1:]
            figures = f"{run.cpu_s:5.1f} s {run.peak_mb:5.0f} MB"
            print(
                f"{k:4d} {source.name:14s} {how:10s} {outcome:11s} {figures}  {' '.join(last)[:120]}",
                flush=True,
            )
            if outcome in FAILURES and options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, options.keep / f"{k}-{outcome.replace(' ', '-')}-{path.name}")
    failed = sum(counts[outcome] for outcome in FAILURES)
    names = ("ok", "refused", *FAILURES)
    print(", ".join(f"{name} {counts[name]}" for name in names) + f" of {sum(counts.values())}; ", end="")
    print(f"most processor time {slowest:.1f} s, most memory {highest:.0f} MB")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
