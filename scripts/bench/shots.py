"""Precision and recall of the cut detector beside PySceneDetect's, on edits made from a folder of videos.

    python scripts/bench/shots.py FOLDER... [--seed 1] [--sequences 12]

From the folder's videos (their own known cuts left out: `--known annotations.json`) it makes sequences with
hard cuts between videos, jumps inside one video, and sequences in which nothing is cut: flashes, fast pans,
shakes, zooms, dropped frames, dissolves. A cut counts as found within one frame. Nothing is written.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import cv2
import numpy as np

from foleyspace import video
from foleyspace.shots import find_cuts

FPS = 25
Frames = list[np.ndarray]
Edit = tuple[Frames, list[int]]


def load(path: Path, known: dict[str, dict]) -> Frames:
    """A video's longest run without a known cut, 160 x 90."""
    clip = video.probe(path)
    frames, cuts = [], known.get(path.stem, {}).get("cuts", [])
    for _, at, frame in video.frames(clip, width=320, every=max(round(clip.fps / FPS), 1)):
        if any(cut <= at < cut + 2 / FPS for cut in cuts):
            frames = frames if len(frames) > 100 else []
            if frames:
                break
        frames.append(cv2.resize(frame, (160, 90), interpolation=cv2.INTER_AREA))
    return frames


def cut_between(rng: np.random.Generator, shots: list[Frames]) -> Edit:
    """Four to seven pieces of different videos."""
    frames: Frames = []
    cuts = []
    for source in rng.permutation(len(shots))[: rng.integers(4, 8)]:
        if frames:
            cuts.append(len(frames))
        shot = shots[source]
        length = min(int(rng.integers(8, 60)), len(shot))
        start = int(rng.integers(0, len(shot) - length + 1))
        frames += shot[start : start + length]
    return frames, cuts


def jump_inside(rng: np.random.Generator, shots: list[Frames]) -> Edit:
    """One video with two seconds or more taken out, where the picture really differs after it."""
    while True:
        shot = shots[rng.integers(len(shots))]
        a = int(rng.integers(20, len(shot) // 2))
        b = a + 2 * FPS + int(rng.integers(0, len(shot) // 4))
        if b + 20 > len(shot):
            continue
        jump = np.abs(shot[a].astype(int) - shot[b]).mean()
        usual = np.median([np.abs(shot[k].astype(int) - shot[k - 1]).mean() for k in range(1, len(shot))])
        if jump > max(8 * usual, 20):
            return shot[:a] + shot[b:], [a]


def some(rng: np.random.Generator, shots: list[Frames]) -> Frames:
    shot = shots[rng.integers(len(shots))]
    start = int(rng.integers(0, max(len(shot) - 120, 1)))
    return shot[start : start + 120]


def flashes(rng: np.random.Generator, shots: list[Frames]) -> Edit:
    """A camera flash or lightning: one to four frames brighter, twice."""
    frames = list(some(rng, shots))
    for start in rng.integers(10, len(frames) - 15, 2):
        gain, lift = rng.uniform(1.3, 3), rng.uniform(10, 120)
        for k in range(start, start + int(rng.integers(1, 5))):
            frames[k] = np.clip(frames[k] * gain + lift, 0, 255).astype(np.uint8)
    return frames, []


def window(frames: Frames, at: Callable[[int], tuple[float, float, float]]) -> Frames:
    """A smaller window moved over each frame: (x, y in [0, 1], size) for frame k."""
    out = []
    for k, frame in enumerate(frames):
        x, y, size = at(k)
        height, width = frame.shape[0] * size, frame.shape[1] * size
        centre = ((frame.shape[1] - width) * x + width / 2, (frame.shape[0] - height) * y + height / 2)
        part = cv2.getRectSubPix(frame, (max(int(width), 2), max(int(height), 2)), centre)
        out.append(cv2.resize(part, (160, 90), interpolation=cv2.INTER_LINEAR))
    return out


def whip_pan(rng: np.random.Generator, shots: list[Frames]) -> Edit:
    """Still, then across the picture in 5 to 12 frames, then still."""
    start, length = 40, int(rng.integers(5, 13))
    return window(some(rng, shots), lambda k: (float(np.clip((k - start) / length, 0, 1)), 0.5, 0.55)), []


def shake(rng: np.random.Generator, shots: list[Frames]) -> Edit:
    """A hand-held camera knocked now and then."""
    knocks = {int(k): rng.uniform(0, 1, 2) for k in rng.integers(5, 115, 6)}
    return window(some(rng, shots), lambda k: (*knocks.get(k, (0.5, 0.5)), 0.85)), []


def zoom(rng: np.random.Generator, shots: list[Frames]) -> Edit:
    length = int(rng.integers(8, 30))
    return window(
        some(rng, shots), lambda k: (0.5, 0.5, 1 - 0.6 * float(np.clip((k - 40) / length, 0, 1)))
    ), []


def dropped(rng: np.random.Generator, shots: list[Frames]) -> Edit:
    """Two times three to eight frames lost, the picture frozen meanwhile."""
    frames = list(some(rng, shots))
    for start in rng.integers(10, len(frames) - 20, 2):
        for k in range(start, start + int(rng.integers(3, 9))):
            frames[k] = frames[start]
    return frames, []


def dissolve(rng: np.random.Generator, shots: list[Frames]) -> Edit:
    """One video fading into another over 8 to 24 frames: a change of shot, but no hard cut."""
    a, b = (some(rng, [shots[k]]) for k in rng.permutation(len(shots))[:2])
    length, n = int(rng.integers(8, 25)), min(len(a), len(b))
    mix = [float(np.clip((k - 30) / length, 0, 1)) for k in range(n)]
    return [((1 - m) * x + m * y).astype(np.uint8) for m, x, y in zip(mix, a, b, strict=False)], []


def real(path: Path, known: dict[str, dict]) -> Edit:
    """A video as it is, with its hand-checked cuts."""
    clip = video.probe(path)
    frames = [
        cv2.resize(frame, (160, 90), interpolation=cv2.INTER_AREA)
        for _, _, frame in video.frames(clip, width=320)
    ]
    return frames, [int(np.argmin(np.abs(clip.times - cut))) for cut in known[path.stem]["cuts"]]


def ours(frames: Frames) -> list[int]:
    return [round(cut * FPS) for cut in find_cuts((k / FPS, frame) for k, frame in enumerate(frames))]


def pyscenedetect(name: str) -> Callable[[Frames], list[int]]:
    def detect(frames: Frames) -> list[int]:
        from scenedetect import FrameTimecode, detectors

        detector = getattr(detectors, name)(min_scene_len=5)
        found = []
        for k, frame in enumerate(frames):
            bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
            found += detector.process_frame(FrameTimecode(k, float(FPS)), bgr)
        found += detector.post_process(FrameTimecode(len(frames) - 1, float(FPS)))
        return [getattr(cut, "frame_num", cut) for cut in found]

    return detect


KINDS = (cut_between, jump_inside, flashes, whip_pan, shake, zoom, dropped, dissolve)


def edits(shots: list[Frames], sequences: int, seed: int) -> Iterator[tuple[str, Edit]]:
    for kind in KINDS:
        for number in range(sequences):
            yield kind.__name__, kind(np.random.default_rng([seed, number, KINDS.index(kind)]), shots)


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--known", type=click.Path(exists=True, path_type=Path), help="JSON: {stem: {cuts: [seconds]}}")
@click.option("--seed", default=1)
@click.option("--sequences", default=12, help="of each kind")
def main(folders: tuple[Path, ...], known: Path | None, seed: int, sequences: int) -> None:
    """Print hits, misses and false cuts of each detector, kind by kind."""
    cv2.setNumThreads(1)
    labels = json.loads(known.read_text()) if known else {}
    paths = sorted(path for folder in folders for path in folder.iterdir() if path.suffix in video_suffixes())
    shots = [frames for path in paths if len(frames := load(path, labels)) >= 120]
    made = list(edits(shots, sequences, seed))
    made += [("real", real(path, labels)) for path in paths if path.stem in labels]
    total = sum(len(frames) for _, (frames, _) in made)
    click.echo(f"{len(paths)} videos, {len(made)} sequences, {total} frames")
    for name, detect in (
        ("foleyspace", ours),
        ("AdaptiveDetector", pyscenedetect("AdaptiveDetector")),
        ("ContentDetector", pyscenedetect("ContentDetector")),
    ):
        started = time.process_time()
        table = {kind: [0, 0, 0] for kind, _ in made}
        for kind, (frames, cuts) in made:
            found = detect(frames)
            hits = sum(any(abs(cut - f) <= 1 for f in found) for cut in cuts)
            false = sum(not any(abs(cut - f) <= 1 for cut in cuts) for f in found)
            table[kind] = [a + b for a, b in zip(table[kind], (hits, len(cuts) - hits, false), strict=True)]
        spent = (time.process_time() - started) / total * 1000
        hits, missed, false = (sum(row[k] for row in table.values()) for k in range(3))
        click.echo(
            f"{name:17s} precision {hits / max(hits + false, 1):.3f}  recall {hits / (hits + missed):.3f}  "
            f"{spent:.2f} ms a frame"
        )
        for kind, (hit, miss, wrong) in table.items():
            click.echo(f"    {kind:12s} found {hit:3d}  missed {miss:3d}  false {wrong:3d}")


def video_suffixes() -> set[str]:
    return {".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"}


if __name__ == "__main__":
    main()
