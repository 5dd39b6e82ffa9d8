"""What each part of vision adds: places against annotations, with parts left out.

    python scripts/bench/ablation.py VIDEOS ANNOTATIONS.json --detector MODEL [--change mirror]

ANNOTATIONS: {"NAME": {"keyframes": [{"t": s, "sx": place in picture widths, "visible": true}, ...],
"diffuse": false}, ...}. The place is the scene's, before any sound is rendered: its sources weighted by
their gain. Printed: Pearson r over all keyframes and the mean r inside clips that move (>= 15 % of the
width), the share of keyframes on the right third, the mean error in % of the width, and the share of
off-centre keyframes on the right side. `--change` shows what rests on chance: the same clips mirrored, as
JPEG of quality 30, or enlarged by 14 % with the edges cut off.
"""

from __future__ import annotations

import json
import logging
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np

FOV_DEG = 70.0
CUT = 0.06  # of the picture at each edge, where it is enlarged
SURE = 0.3  # of a box that counts as confident
PARTS = ("one identity", "which object", "where on it", "what is heard")
VARIANTS: dict[str, tuple[str, ...]] = {
    "largest confident box": (),
    "+ every frame, one identity": PARTS[:1],
    "+ which object": PARTS[:2],
    "+ where on it": PARTS[:3],
    "+ what is heard": PARTS,
    **{f"all without {part}": tuple(p for p in PARTS if p != part) for part in PARTS[:3]},
}


def placed(seen: Any, parts: tuple[str, ...], level: Any, hearing: Any) -> Any:
    """The scene's sources for the observations of a clip with some `parts` of the pipeline."""
    from foleyspace.listening import match
    from foleyspace.sounding import sounding_tracks
    from foleyspace.stitch import stitch
    from foleyspace.trajectory import tracks_to_sources

    clip, tracks = seen.clip, list(seen.tracks)
    if "one identity" in parts:
        tracks = stitch(tracks, clip)
    else:
        # without the rows that were carried from look to look
        tracks = [t.rows(t.seen) for t in tracks if t.found_by == "detector" and t.seen.sum() > 1]
    matched = match(hearing, [t.label for t in tracks]) if "what is heard" in parts else None
    found, _ = sounding_tracks(tracks, clip, level, matched)
    if "which object" not in parts:
        found = largest(found)
    if "where on it" not in parts:
        found = tuple(replace(t, focus_xy=(t.xyxy[:, :2] + t.xyxy[:, 2:]) / 2, focus_std=None) for t in found)
    return tracks_to_sources(found, clip, FOV_DEG)


def largest(tracks: Any) -> Any:
    """The same tracks, the sound all with the one whose confident box is the largest at each moment."""
    size = [np.prod(t.xyxy[:, 2:] - t.xyxy[:, :2], axis=1) * (t.score >= SURE) for t in tracks]
    out = []
    for track, own in zip(tracks, size, strict=True):
        others = [
            np.interp(track.times, t.times, s, left=0, right=0) for t, s in zip(tracks, size, strict=True)
        ]
        best = (own > 0) & (own >= np.max(others, axis=0) - 1e-9)
        out.append(replace(track, sounding=best.astype(float)))
    return tuple(out)


def changed(frame: Any, change: str) -> Any:
    """A picture (H, W, 3) mirrored, coarsely compressed, or enlarged."""
    import cv2

    height, width = frame.shape[:2]
    if change == "mirror":
        return np.ascontiguousarray(frame[:, ::-1])
    if change == "jpeg":
        return cv2.imdecode(cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], 1)
    if change == "enlarge":
        rows, columns = (slice(int(CUT * n), int((1 - CUT) * n)) for n in (height, width))
        return cv2.resize(frame[rows, columns], (width, height), interpolation=cv2.INTER_LINEAR)
    return frame


def changed_place(x: Any, change: str) -> Any:
    """Places in picture widths, in the changed picture."""
    return 1 - x if change == "mirror" else (x - CUT) / (1 - 2 * CUT) if change == "enlarge" else x


def place_at(sources: Any, times: Any) -> Any:
    """Where the sound is across the picture at `times`, in picture widths from the left."""
    from foleyspace.camera import xyz_to_angles

    total, x = np.zeros(len(times)), np.zeros(len(times))
    for source in sources:
        gain = np.interp(times, source.times, 10 ** (source.gain_db / 20))
        xyz = np.stack([np.interp(times, source.times, column) for column in source.xyz.T], axis=1)
        azimuth = np.radians(np.clip(xyz_to_angles(xyz)[0], -70, 70))
        x += gain * (0.5 - np.tan(azimuth) / 2 / np.tan(np.radians(FOV_DEG / 2)))
        total += gain
    return x / np.maximum(total, 1e-9)


def figures(rows: list[tuple[str, Any, Any]]) -> str:
    """A line of figures for (name, true places, found places) of every clip."""
    truth, found = (np.concatenate([row[k] for row in rows]) for k in (1, 2))
    moving = [np.corrcoef(a, b)[0, 1] for _, a, b in rows if np.ptp(a) >= 0.15 and len(a) >= 5]
    third = np.sign(truth - 0.5) * (np.abs(truth - 0.5) > 0.1)
    sides = max(
        np.mean(np.sign(found - 0.5) * (np.abs(found - 0.5) > t) == third) for t in np.arange(0, 0.3, 0.01)
    )
    off = np.abs(truth - 0.5) > 0.1
    right = np.mean(np.sign(found - 0.5)[off] == np.sign(truth - 0.5)[off])
    error = 100 * np.abs(found - truth).mean()
    whole = np.corrcoef(truth, found)[0, 1]
    return f"{whole:6.3f} {np.nanmean(moving):6.3f} {sides:6.3f} {error:6.2f} {right:6.3f}"


@click.command(help=__doc__)
@click.argument("videos", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("annotations", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--detector", default="auto", show_default=True)
@click.option("--change", type=click.Choice(["none", "mirror", "jpeg", "enlarge"]), default="none")
def main(videos: Path, annotations: Path, detector: str, change: str) -> None:
    from foleyspace.detect import load_detector
    from foleyspace.hearing import hear_sound
    from foleyspace.pipelines.track import hear
    from foleyspace.soundtrack import extract_mono
    from foleyspace.tagger import load_tagger
    from foleyspace.video import frames, probe
    from foleyspace.vision import VISION_WIDTH, observe

    logging.getLogger("foleyspace").setLevel(logging.ERROR)
    finder, tagger = load_detector(detector, offline=True), load_tagger(offline=True)
    rows: dict[str, list[tuple[str, Any, Any]]] = {name: [] for name in VARIANTS}
    for name, noted in json.loads(annotations.read_text()).items():
        video = videos / f"{name}.mp4"
        points = [k for k in noted["keyframes"] if k.get("visible", True)]
        if noted.get("diffuse") or not video.exists() or not points:
            continue
        times = np.array([k["t"] for k in points])
        truth = changed_place(np.array([k["sx"] for k in points]), change)
        times, truth = times[(truth > 0) & (truth < 1)], truth[(truth > 0) & (truth < 1)]
        clip = probe(video)
        pictures = ((n, t, changed(frame, change)) for n, t, frame in frames(clip, width=VISION_WIDTH))
        seen = observe(clip, pictures, finder)
        with tempfile.TemporaryDirectory() as folder:
            wav = Path(folder) / "mono.wav"
            extract_mono(clip.path, wav, 48000)
            level, hearing = hear(wav), hear_sound(wav, tagger)
        for variant, parts in VARIANTS.items():
            rows[variant].append((name, truth, place_at(placed(seen, parts, level, hearing), times)))
    print(f"{'':32s}  r all r move  sides  err %  right")
    for variant, lines in rows.items():
        print(f"{variant:32s} {figures(lines)}")


if __name__ == "__main__":
    main()
