"""How much of a scene survives being said in words and read back.

    python scripts/bench/round_trip.py [--scenes 1000] [--style sentence] [--show 5]

Random scenes of one to four sources (standing, passing, circling, coming and going, with pauses, off screen,
above and below, with names like "front door") are captioned, read with `read_prompt`, and compared with
where the sources truly were: at the start, the middle and the end of what stands, at both ends of what
moves, a quarter way round of what circles; not where the words carry no azimuth (straight above or below).
A line a style, and one for each way of telling directions: scenes read without an error; sources found by
name, and sounding when they should; side right; azimuth within 15 degrees; silent when they should be;
up, level or down right; distance within a factor of 1.6 (what stands).
`dense` is read line by line, as each line is a scene of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import click
import numpy as np

from foleyspace.camera import angles_to_xyz, xyz_to_angles
from foleyspace.errors import InputError
from foleyspace.propagation import SILENT_DB, gain, position
from foleyspace.types import Scene, Source

NAMES = (
    "dog barking", "cat meowing", "car", "train", "helicopter", "acoustic guitar", "snare drum", "piano",
    "woman singing", "man speaking", "children laughing", "birds chirping", "bee buzzing", "footsteps",
    "church bell ringing", "rain", "thunder", "applause", "violin", "trumpet", "clock ticking",
    "phone ringing", "door knock", "vacuum cleaner", "lawn mower", "chainsaw", "seagull", "frog croaking",
    "owl hooting", "horse", "motorcycle", "tractor", "siren", "fountain", "crowd cheering", "baby crying",
    "engine idling", "typewriter", "flute", "cello", "water", "waves", "fireworks", "whistle", "tram",
    "sheep bleating", "cow mooing", "front door", "left hand clap", "back of the bus", "passing lorry",
    "drum and bass", "speaker 2", "centre, muffled", 'say "hi"', "light switch", "night wind",
    "bear growling", "eléctrica", "music box",
)  # fmt: skip


@dataclass(frozen=True)
class Key:
    """Where a source truly is at `time` s; what of it the words carry."""

    label: str
    time: float
    azimuth_deg: float
    elevation_deg: float
    distance_m: float
    only_side: bool
    still: bool


def random_scene(seed: int) -> tuple[Scene, list[Key], list[tuple[str, float]]]:
    """A scene, its keys, and times at which sources are silent."""
    rng = np.random.default_rng([7, seed])
    duration = float(rng.integers(5, 13))
    sources, keys, silences = [], [], []
    for label in rng.choice(NAMES, rng.integers(1, 5), replace=False):
        source, its, silent = _random_source(str(label), duration, rng)
        sources.append(source)
        keys += its
        silences += [(source.label, t) for t in silent]
    return Scene(tuple(sources), duration), keys, silences


def _random_source(
    label: str, duration: float, rng: np.random.Generator
) -> tuple[Source, list[Key], list[float]]:
    start, end = 0.0, duration
    if rng.random() < 0.3:
        start, end = np.sort(rng.uniform(0, duration, 2)).round(1)
        if end - start < 1:
            start, end = 0.0, float(np.ceil(duration / 2))
    kind = rng.choice(
        ["still", "pass", "line", "circle", "nearing", "two"], p=[0.5, 0.16, 0.08, 0.08, 0.1, 0.08]
    )
    times = np.linspace(start, end, 61)
    way = np.linspace(0, 1, 61)
    azimuth = np.full(61, rng.uniform(-180, 180))
    elevation = np.full(61, rng.choice([0.0, 0.0, rng.uniform(-60, 75), 88.0 if kind == "still" else 0.0]))
    distance = np.full(61, rng.choice([2.0, rng.uniform(0.3, 25)]))
    checked, only_side = [start + 0.1, (start + end) / 2, end - 0.1], False
    if kind == "pass":  # by the front, by the back, or the shorter way on one side
        a, b = rng.uniform(30, 170, 2) * rng.choice([1, -1])
        azimuth = _eased(a, b if abs(a - b) > 40 else -a if rng.random() < 0.5 else (2 * 180 - a), way, rng)
    elif kind == "line":  # straight past the listener, in front of or behind them
        y = rng.uniform(3, 15) * rng.choice([1, -1]) * np.linspace(1, -1, 61)
        x = rng.uniform(1, 6) * rng.choice([1, 1, -1])
        azimuth = np.degrees(np.unwrap(np.arctan2(y, np.full(61, x))))
        distance, elevation = np.hypot(x, y), np.zeros(61)
    elif kind == "circle":
        azimuth = 360 * rng.choice([1, -1]) * rng.integers(1, 4) * way
    elif kind == "nearing":
        near, far = rng.uniform(0.7, 1.4), rng.uniform(7, 14)
        distance = np.exp(np.interp(way, [0, 1], np.log([near, far] if rng.random() < 0.5 else [far, near])))
    elif kind == "two":  # first here, then there
        azimuth = np.where(way < 0.5, azimuth, azimuth + rng.uniform(60, 300))
    if kind in ("pass", "line", "circle"):
        checked = [start + 1e-3, end - 1e-3]
    if kind == "two":
        checked = [start + 0.1, end - 0.1]
    if kind == "circle":
        turns = abs(azimuth[-1]) / 360
        checked, only_side = [start + (end - start) / turns / 4], True

    xyz = angles_to_xyz(np.stack([azimuth, elevation], axis=-1), distance)
    gain_db = np.zeros(61)
    silent: list[float] = []
    if start > 0:
        times, xyz, gain_db = np.r_[start - 0.02, times], np.r_[xyz[:1], xyz], np.r_[-120.0, gain_db]
        silent += [start / 2] if start > 0.4 else []
    if end < duration:
        times, xyz, gain_db = np.r_[times, end + 0.02], np.r_[xyz, xyz[-1:]], np.r_[gain_db, -120.0]
        silent += [(end + duration) / 2] if duration - end > 0.4 else []
    visible = np.full(len(times), rng.random() > 0.1)
    source = Source(label, label, times, xyz, visible=visible, gain_db=gain_db)
    truth = xyz_to_angles(position(source, np.array(checked)))
    keys = [
        Key(label, t, *(float(value[i]) for value in truth), only_side, kind == "still")
        for i, t in enumerate(checked)
    ]
    return source, keys, silent


def _eased(a: float, b: float, way: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """From a to b, at an even speed or slow at both ends."""
    return a + (b - a) * (way if rng.random() < 0.5 else (1 - np.cos(np.pi * way)) / 2)


def side(azimuth_deg: float) -> int:
    """1 left, -1 right, 0 within 10 degrees of the front or the back."""
    across = np.degrees(np.arcsin(np.sin(np.radians(azimuth_deg))))
    return 0 if abs(across) <= 10 + 1e-6 else int(np.sign(across))


def stems(label: str) -> set[str]:
    return {word[:4] for word in re.findall(r"\w+", label.lower()) if len(word) > 1}


def heard(scene: Scene, label: str, time: float) -> tuple[list[Source], list[Source]]:
    """The sources of a scene with (nearly) this label, and those of them that sound at a time."""
    wanted = stems(label)
    best = max(
        (len(wanted & stems(s.label)) / len(wanted | stems(s.label)) for s in scene.sources), default=0
    )
    if best == 0:
        return [], []
    same = [s for s in scene.sources if len(wanted & stems(s.label)) / len(wanted | stems(s.label)) == best]
    return same, [s for s in same if gain(s, np.array([time]))[0] > 10 ** (SILENT_DB / 20)]


def score(read: Scene, keys: list[Key], silences: list[tuple[str, float]], count: Counter[str]) -> list[str]:
    """Add to `count`; what was wrong, in words."""
    wrong = []
    for key in keys:
        named, sounding = heard(read, key.label, key.time)
        count["keys"] += 1
        count["found"] += bool(sounding)
        if not sounding:
            why = "silent" if named else "not there"
            wrong.append(f"{key.label} at {key.time:.1f} s is {why}")
            continue
        azimuth, elevation, distance = (
            float(v[0]) for v in xyz_to_angles(position(sounding[-1], np.array([key.time])))
        )
        if abs(key.elevation_deg) < 76:
            off = abs((azimuth - key.azimuth_deg + 180) % 360 - 180)
            # what stands on the border between the middle and a side is on both
            sides = side(azimuth) in (side(key.azimuth_deg - 0.5), side(key.azimuth_deg + 0.5))
            count["azimuths"] += 1
            count["side"] += sides
            if not key.only_side:
                count["exact"] += 1
                count["within"] += off <= 15.5
            if not sides or (off > 15.5 and not key.only_side):
                wrong.append(f"{key.label} at {key.time:.1f} s: {key.azimuth_deg:.0f} read as {azimuth:.0f}")
        if key.still:
            count["still"] += 1
            level = [int(e > 20) - int(e < -20) for e in (elevation, key.elevation_deg)]
            count["level"] += level[0] == level[1] or 15 <= abs(key.elevation_deg) <= 25
            count["distance"] += abs(np.log(distance / key.distance_m)) <= np.log(1.6)
    for label, time in silences:
        named, sounding = heard(read, label, time)
        if named:
            count["silences"] += 1
            count["silent"] += not sounding
            if sounding:
                wrong.append(f"{label} sounds at {time:.1f} s")
    return wrong


def read_back(scene: Scene, style: str, precision: str, seed: int) -> list[tuple[str, float, Scene]]:
    """(words, from when on they count, the scene read from them) for a caption."""
    from foleyspace.caption import caption
    from foleyspace.prompt import read_prompt

    words = caption(scene, style=style, seed=seed, precision=precision)  # type: ignore[arg-type]
    if style != "dense":
        return [(words, 0.0, read_prompt(words, scene.duration).scene)]
    read = []
    for number, line in enumerate(words.splitlines()):
        said = line.split(": ", 1)[1]
        if said != "Nothing sounds.":
            read.append((said, float(number), read_prompt(said, 1.0).scene))
    return read


def trip(style: str, precision: str, scenes: int) -> tuple[Counter[str], list[str]]:
    """Counts over many scenes, and what was wrong."""
    count: Counter[str] = Counter()
    wrong: list[str] = []
    for seed in range(scenes):
        scene, keys, silences = random_scene(seed)
        count["scenes"] += 1
        try:
            parts = read_back(scene, style, precision, seed)
        except InputError as error:
            count["errors"] += 1
            wrong.append(f"[{seed}] {error}")
            continue
        if style == "dense":
            labels = {key.label: key.still for key in keys}
            for words, start, read in parts:
                inside = [
                    key for label, still in labels.items() for key in _slice_keys(scene, label, start, still)
                ]
                wrong += [f"[{seed}] {w}\n      {words}" for w in score(read, inside, [], count)]
        else:
            words, _, read = parts[0]
            wrong += [f"[{seed}] {w}\n      {words}" for w in score(read, keys, silences, count)]
    return count, wrong


def _slice_keys(scene: Scene, label: str, start: float, still: bool) -> list[Key]:
    """The middle of what stands in a slice of a second, both ends of what moves; none of what is silent in a
    part of it."""
    if not _sounds_through(scene, label, start):
        return []
    source = next(s for s in scene.sources if s.label == label)
    azimuth, elevation, distance = xyz_to_angles(position(source, start + np.linspace(0, 1, 41)))
    turned = np.ptp(np.unwrap(azimuth, period=360.0)) > 16  # less is said as one place
    return [
        Key(label, i / 40, float(azimuth[i]), float(elevation[i]), float(distance[i]), False, still)
        for i in ((0, 40) if turned else (20,))
    ]


def _sounds_through(scene: Scene, label: str, start: float) -> bool:
    """All of a slice, and without a jump in it."""
    source = next(s for s in scene.sources if s.label == label)
    times = np.linspace(start, start + 1, 21)
    steps = np.linalg.norm(np.diff(position(source, times), axis=0), axis=1)
    reach = np.linalg.norm(position(source, times), axis=1)
    return bool(gain(source, times).min() > 0.5 and (steps < 0.2 * reach[1:]).all())


@click.command(help=__doc__)
@click.option("--scenes", default=1000, show_default=True)
@click.option("--style", multiple=True, default=("sentence", "dense", "tasbench", "spatialtas"))
@click.option("--precision", multiple=True, default=("words", "degrees", "clock"))
@click.option("--show", default=0, show_default=True, help="Print so many of what went wrong, per line.")
def main(scenes: int, style: tuple[str, ...], precision: tuple[str, ...], show: int) -> None:
    columns = ("found", "keys"), ("side", "azimuths"), ("within", "exact"), ("silent", "silences")
    columns += ("level", "still"), ("distance", "still")
    print(f"{'style':12s}{'precision':11s} read  " + "".join(f"{c:>10s}" for c, _ in columns) + "   %")
    runs = [(s, "words") for s in style if "words" in precision]
    runs += [("sentence", p) for p in precision if p != "words" and "sentence" in style]
    for name, how in runs:
        count, wrong = trip(name, how, scenes)
        read = 100 - 100 * count["errors"] / count["scenes"]
        parts = "".join(f"{100 * count[c] / max(count[of], 1):10.2f}" for c, of in columns)
        print(f"{name:12s}{how:11s}{read:6.2f}{parts}   ({count['keys']} keys)")
        for line in wrong[:show]:
            print("   ", line)


if __name__ == "__main__":
    main()
