#!/usr/bin/env python3
"""How well words are read: prompts with known answers against what `read_prompt` makes of them.

    scripts/bench/prompts.py [FILE.jsonl ...] [--show N]      default: both files of tests/data

Printed for each file: sides right, azimuths within 15 degrees, prompts refused that must be and only those,
prompts with everything right (number of sources, labels, sides, azimuths, distances, elevation), and the time
a prompt takes. A source that is not found counts as wrong. The fields: tests/data/prompts.md.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import time
from pathlib import Path
from typing import Any

import numpy as np

from foleyspace.errors import InputError
from foleyspace.prompt import read_prompt
from foleyspace.types import Source

DATA = Path(__file__).resolve().parents[2] / "tests" / "data"
WITHIN_DEG = 15 + 1e-6


def place(source: Source, at_s: float) -> tuple[float, float, float]:
    """Azimuth and elevation in degrees, distance in m."""
    x, y, z = (float(np.interp(at_s, source.times, source.xyz[:, axis])) for axis in range(3))
    level = math.hypot(x, y)
    return math.degrees(math.atan2(y, x)), math.degrees(math.atan2(z, level)), math.hypot(level, z)


def side_of(azimuth_deg: float) -> str:
    return "left" if 10 <= azimuth_deg <= 170 else "right" if -170 <= azimuth_deg <= -10 else "centre"


def apart(one: float, other: float) -> float:
    return abs((one - other + 180) % 360 - 180)


def called(source: Source, words: list[str]) -> bool:
    return any(part.startswith(word) for part in re.split(r"[\s_-]+", source.label.lower()) for word in words)


def judge(expected: dict[str, Any], source: Source | None) -> dict[str, bool]:
    """What is right of one source; what its words do not carry is left out."""
    azimuth, elevation, distance = place(source, expected["at_s"] or 0.0) if source else (math.nan,) * 3
    right = {"found": source is not None}
    if expected["side"] is not None:
        right["side"] = side_of(azimuth) == expected["side"]
    if expected["azimuth_deg"] is not None:
        right["azimuth"] = apart(azimuth, expected["azimuth_deg"]) <= WITHIN_DEG
    if expected["elevation"] is not None:
        right["elevation"] = ("up" if elevation > 10 else "down" if elevation < -10 else "level") == expected[
            "elevation"
        ]
    if expected["distance"] is not None:
        right["distance"] = ("near" if distance < 1.5 else "far" if distance > 6 else "mid") == expected[
            "distance"
        ]
    if source is None:
        right = dict.fromkeys(right, False)
    return right


def score(path: Path, show: int) -> None:
    counts: dict[str, list[bool]] = {}
    whole, seconds, misses = [], [], []
    for line in path.read_text(encoding="utf-8").splitlines():
        prompt = json.loads(line)
        started = time.perf_counter()
        try:
            left = list(read_prompt(prompt["prompt"], prompt["duration"]).scene.sources)
            refused = False
        except InputError:
            left, refused = [], True
        seconds.append(time.perf_counter() - started)
        each = [{"refused": refused == prompt["error"]}]
        number = len(left) == len(prompt["sources"])
        for expected in prompt["sources"]:
            fits = [source for source in left if called(source, expected["label_words"])]
            wanted = expected["azimuth_deg"]
            if fits and wanted is not None:
                fits.sort(key=lambda s: apart(place(s, expected["at_s"] or 0.0)[0], wanted))
            if fits:
                left = [source for source in left if source is not fits[0]]
            each.append(judge(expected, fits[0] if fits else None))
        for right in each:
            for name, value in right.items():
                counts.setdefault(name, []).append(value)
        whole.append(number and all(all(right.values()) for right in each))
        if not whole[-1]:
            misses.append(prompt["prompt"])
    figures = "  ".join(f"{name} {np.mean(values):.3f}" for name, values in counts.items())
    print(f"{path.name}: {len(whole)} prompts, all right {sum(whole)}; {figures}")
    print(f"    median {1e3 * np.median(seconds):.1f} ms a prompt, most {1e3 * max(seconds):.0f} ms")
    for words in misses[:show]:
        print("    missed:", json.dumps(words))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE.jsonl")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="list so many of the misses")
    options = parser.parse_args()
    for path in options.files or sorted(DATA.glob("prompts*.jsonl")):
        score(path, options.show)


if __name__ == "__main__":
    main()
