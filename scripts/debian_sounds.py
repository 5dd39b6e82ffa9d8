#!/usr/bin/env python3
"""A folder of labelled sounds for training, from packages of Debian that hold free sounds.

    python scripts/debian_sounds.py SOUNDS
    foleyspace train --sounds SOUNDS --hrtfs DIR -o runs/mine

`debian_sounds.tsv` says which files of which package are what. Short ones of a kind are strung together, long
ones cut to 10 s. Fetches about 8 GB, keeps 0.3 GB; with fluidsynth installed, instruments also play phrases
from three free General MIDI soundfonts. Each package's licence is in its `copyright` file, which is kept
beside the sounds.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import re
import shutil
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import soundfile
import soxr
from debian_archive import SUITE, Package, files, index
from soundfont_phrases import FONTS, phrases

RATE = 48000
SHORT_S, LONGEST_S = 1.5, 10.0
STRUNG_S = (3.0, 9.0)
PEAK, SILENT_DB = 0.7, -50.0
MOST_FILES = {"speech": 24}  # of a class in a package that are looked at; else 40
MOST_SOUNDS = {"speech": 4}  # that are written; else 8
SPEECH_OF = {"festvox-ru": (60, 6)}  # one speaker, whole sentences
SOUND = re.compile(r"\.(?:ogg|oga|wav|flac|mp3|aiff?|au)$", re.IGNORECASE)
VOICE = re.compile(
    r"klettres/([^/]+)/|ktuberling/sounds/([^/]+)/|_desc_?([a-z]{2})\.|voices?/([^/]+)/|([^/]+)/sounds/[^/]*$"
)  # whose it is, in what is spoken: a language, a character
COLUMNS = ("split", "file", "class", "kind", "licence", "source", "seconds")

Rule = tuple[re.Pattern[str], str, str]
Group = tuple[str, str, str, str]  # package, class, kind, and of speech which voice


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the sounds go; must be empty or new")
    parser.add_argument("--packages", nargs="*", help="only these of the table")
    folder, only = vars(parser.parse_args()).values()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        sys.exit(f"{folder} is there already and not an empty folder")
    rules = read_rules(Path(__file__).with_suffix(".tsv"))
    wanted = set(only or [*rules, *FONTS])
    if unknown := wanted - set(rules) - set(FONTS):
        sys.exit(f"`--packages` has {', '.join(sorted(unknown))}, which debian_sounds.tsv does not")
    folder.mkdir(parents=True, exist_ok=True)
    archive, rng, rows = index(), np.random.default_rng(0), []
    for name in sorted(wanted):
        if name not in archive:
            print(f"{name} is not in Debian {SUITE} any more: left out", file=sys.stderr)
        elif name in rules:
            rows += from_package(archive[name], rules[name], folder, rng)
        elif shutil.which("fluidsynth"):
            rows += from_soundfont(archive[name], folder)
        else:
            print(f"{name} needs fluidsynth: left out", file=sys.stderr)
        write_index(folder, rows)
    hours = sum(float(row["seconds"]) for row in rows) / 3600
    print(f"{folder}: {len(rows)} files, {hours:.2f} h, {len({row['class'] for row in rows})} classes")


def read_rules(table: Path) -> dict[str, list[Rule]]:
    """The lines of the table by package: a pattern that is searched in a file's path, its class (@1: the
    pattern's first group), its kind. The first line that matches decides."""
    rules: dict[str, list[Rule]] = defaultdict(list)
    for line in table.read_text().splitlines():
        package, pattern, label, kind = line.split("\t")
        rules[package].append((re.compile(pattern), label, kind))
    return rules


def from_package(
    package: Package, rules: list[Rule], folder: Path, rng: np.random.Generator
) -> list[dict[str, str]]:
    """The sounds of one package, written to `folder`; their lines of the index."""
    groups: dict[Group, list[tuple[str, bytes]]] = defaultdict(list)
    for path, content in files(package, lambda path: path.endswith("/copyright") or bool(SOUND.search(path))):
        if path.endswith("/copyright"):
            (folder / f"{package.name}.copyright").write_bytes(content)
        elif (group := classified(package.name, path, rules)) is not None:
            groups[group].append((path, content))
    rows, heard = [], set()
    for group in sorted(groups):
        found = sorted(groups[group])
        most, keep = MOST_FILES.get(group[2], 40), MOST_SOUNDS.get(group[2], 8)
        most, keep = SPEECH_OF.get(package.name, (most, keep))
        clips = []
        for k in rng.permutation(len(found))[:most]:
            samples = decoded(found[k][1])
            mark = hashlib.sha256(samples[:4000].tobytes()).digest()
            if len(samples) and mark not in heard:
                heard.add(mark)
                clips.append(samples)
        for number, samples in enumerate(strung(clips, keep, group[2], rng)):
            rows.append(written(folder, package, group, number, samples))
    print(f"{package.name}: {len(rows)} files", file=sys.stderr)
    return rows


def classified(package: str, path: str, rules: list[Rule]) -> Group | None:
    """The group of a file, or None for one that no line of the table names."""
    for pattern, label, kind in rules:
        spoken = "_desc" in path and kind != "speech"  # tuxpaint's words for what a stamp shows
        if not spoken and (found := pattern.search(path)):
            if "@1" in label:
                label = label.replace("@1", found[1].lower().replace("_", " "))
            voice = VOICE.search(path) if kind == "speech" else None
            return package, label, kind, next(filter(None, voice.groups()), "") if voice else ""
    return None


def decoded(content: bytes) -> np.ndarray:
    """(n,) float32 at 48 kHz, without the silence around, its peak at `PEAK`; empty where nothing sounds."""
    nothing = np.zeros(0, np.float32)
    try:
        samples, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError):
        return nothing
    mono = samples.mean(axis=1)
    if len(mono) < 0.03 * rate or not np.isfinite(mono).all() or np.abs(mono).max() < 1e-3:
        return nothing
    mono = soxr.resample(mono, rate, RATE)
    hop = RATE // 100
    peaks = np.maximum.reduceat(np.abs(mono), np.arange(0, len(mono), hop))
    on = np.flatnonzero(peaks > peaks.max() * 10 ** (SILENT_DB / 20))
    mono = mono[max(0, (on[0] - 1) * hop) : (on[-1] + 2) * hop]
    return np.asarray(mono / np.abs(mono).max() * PEAK, np.float32)


def strung(clips: list[np.ndarray], most: int, kind: str, rng: np.random.Generator) -> list[np.ndarray]:
    """At most `most` sounds: long ones cut to their loudest `LONGEST_S`, short ones one after another with
    pauses."""
    short = [clip for clip in clips if len(clip) < SHORT_S * RATE]
    made = [cut(clip) for clip in clips if len(clip) >= SHORT_S * RATE][:most]
    pause_s = 0.25 if kind in ("speech", "footstep") else 0.6
    while short and len(made) < most:
        row: list[np.ndarray] = []
        length = rng.uniform(*STRUNG_S) * RATE
        while short and sum(map(len, row)) < length and len(row) < 24:
            row += [short.pop(), np.zeros(int(rng.uniform(0.03, pause_s) * RATE), np.float32)]
        made.append(np.concatenate(row[:-1]))
    return made


def cut(clip: np.ndarray) -> np.ndarray:
    length = int(LONGEST_S * RATE)
    starts = np.linspace(0, max(0, len(clip) - length), 4).astype(int)
    start = max(starts, key=lambda at: np.square(clip[at : at + length]).mean())
    return clip[start : start + length]


def from_soundfont(package: Package, folder: Path) -> list[dict[str, str]]:
    """A phrase of every instrument of a General MIDI soundfont."""
    rows = []
    for path, content in files(package, lambda path: path.endswith(("/copyright", FONTS[package.name]))):
        if path.endswith("/copyright"):
            (folder / f"{package.name}.copyright").write_bytes(content)
        else:
            for number, label, kind, samples in phrases(content, seed=sorted(FONTS).index(package.name)):
                if len(heard := decoded(samples)):  # a font may lack an instrument
                    rows.append(written(folder, package, (package.name, label, kind, ""), number, heard))
    print(f"{package.name}: {len(rows)} files", file=sys.stderr)
    return rows


def written(folder: Path, package: Package, group: Group, number: int, samples: np.ndarray) -> dict[str, str]:
    """The line of the index of `samples`, which are written with the ends faded over 1 ms."""
    fade = np.linspace(0, 1, RATE // 1000, dtype=np.float32)
    samples = samples.copy()
    samples[: len(fade)] *= fade
    samples[-len(fade) :] *= fade[::-1]
    words = "-".join(re.sub("[^a-z0-9]+", "-", part.lower()) for part in (group[1], group[3]) if part)
    name = f"{package.name.replace('.', '')}_{words}_{number:02d}.flac"
    soundfile.write(folder / name, samples, RATE, subtype="PCM_16")
    told = (
        "train", name, group[1], group[2], f"see {package.name}.copyright",
        f"Debian {package.name} {package.version}", f"{len(samples) / RATE:.2f}",
    )  # fmt: skip
    return dict(zip(COLUMNS, told, strict=True))


def write_index(folder: Path, rows: list[dict[str, str]]) -> None:
    with (folder / "INDEX.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:  # no network, no space, a spoilt download
        sys.exit(f"debian_sounds: {' '.join(str(error).split())}")
