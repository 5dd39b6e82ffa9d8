#!/usr/bin/env python3
"""How well words are read: prompts with known answers against what `read_prompt` makes of them.

    scripts/bench/prompts.py [FILE.jsonl ...] [--show N]      default: all prompt files of tests/data

Printed for each file: sides right, azimuths within 15 degrees (at the moment asked, and at the end of a
motion), prompts refused that must be and only those, prompts with everything right (number of sources,
labels, sides, azimuths, distances, elevation), and the time a prompt takes. A source that is not found
counts as wrong. The fields: tests/data/prompts.md.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from foleyspace.errors import InputError
from foleyspace.prompt import read_prompt
from foleyspace.types import Source

DATA = Path(__file__).resolve().parents[2] / "tests" / "data"
WITHIN_DEG = 15 + 1e-6


@dataclass
class Score:
    """`figures`: for each thing asked, right or wrong, prompt by prompt or source by source; `whole`: prompts
    with everything right but the ends of motions; `seconds` a prompt; `misses`: the prompts that are not
    whole."""

    figures: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    whole: list[bool] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)

    def rate(self, name: str) -> float:
        return float(np.mean(self.figures[name]))


def score(path: Path) -> Score:
    """Read every prompt of a file of JSON lines and compare."""
    out = Score()
    for line in path.read_text(encoding="utf-8").splitlines():
        prompt = json.loads(line)
        started = time.perf_counter()
        try:
            sources, refused = list(read_prompt(prompt["prompt"], prompt["duration"]).scene.sources), False
        except InputError:
            sources, refused = [], True
        out.seconds.append(time.perf_counter() - started)
        judged = [{"refused": refused == prompt["error"]}]
        judged += [
            judge(expected, source, prompt["duration"])
            for expected, source in matched(prompt["sources"], sources)
        ]
        for right in judged:
            for name, value in right.items():
                out.figures[name].append(value)
        wanted = [value for right in judged for name, value in right.items() if name != "end"]
        out.whole.append(len(sources) == len(prompt["sources"]) and all(wanted))
        if not out.whole[-1]:
            out.misses.append(prompt["prompt"])
    return out


def matched(
    expected: list[dict[str, Any]], sources: list[Source]
) -> list[tuple[dict[str, Any], Source | None]]:
    """Each expected source with the one that has its name, of several the nearest in azimuth."""
    left, pairs = list(sources), []
    for entry in expected:
        fits = [source for source in left if called(source, entry["label_words"])]
        wanted = entry["azimuth_deg"]
        if wanted is not None:
            fits.sort(key=lambda s: apart(place(s, entry["at_s"] or 0.0)[0], wanted))
        if fits:
            left = [source for source in left if source is not fits[0]]
        pairs.append((entry, fits[0] if fits else None))
    return pairs


def judge(expected: dict[str, Any], source: Source | None, duration: float) -> dict[str, bool]:
    """What is right of one source; what its words do not carry is left out."""
    azimuth, elevation, distance = place(source, expected["at_s"] or 0.0) if source else (math.nan,) * 3
    right = {"found": source is not None}
    if expected["side"] is not None:
        right["side"] = side_of(azimuth) == expected["side"]
    if expected["azimuth_deg"] is not None:
        right["azimuth"] = apart(azimuth, expected["azimuth_deg"]) <= WITHIN_DEG
    if expected["end_azimuth_deg"] is not None:
        last = place(source, duration)[0] if source else math.nan
        right["end"] = apart(last, expected["end_azimuth_deg"]) <= WITHIN_DEG
    if expected["elevation"] is not None:
        height = "up" if elevation > 10 else "down" if elevation < -10 else "level"
        right["elevation"] = height == expected["elevation"]
    if expected["distance"] is not None:
        far = "near" if distance < 1.5 else "far" if distance > 6 else "mid"
        right["distance"] = far == expected["distance"]
    return right if source is not None else dict.fromkeys(right, False)


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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE.jsonl")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="list so many of the misses")
    options = parser.parse_args()
    for path in options.files or sorted(DATA.glob("prompts*.jsonl")):
        result = score(path)
        figures = "  ".join(f"{name} {np.mean(values):.3f}" for name, values in result.figures.items())
        print(f"{path.name}: {len(result.whole)} prompts, all right {sum(result.whole)}; {figures}")
        seconds = result.seconds
        print(f"    median {1e3 * np.median(seconds):.1f} ms a prompt, most {1e3 * max(seconds):.0f} ms")
        for words in result.misses[: options.show]:
            print("    missed:", json.dumps(words))


if __name__ == "__main__":
    main()
