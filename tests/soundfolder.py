"""Small folders of generated sounds, labelled as a user's own would be."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import soundfile

COLUMNS = ("file", "class", "kind", "licence", "source")
RATE = 48000


def sound(name: str, seconds: float = 1.5, rate: int = RATE) -> np.ndarray:
    """A tone with harmonics that swells, or noise, its pitch and colour by the name."""
    rng = np.random.default_rng(sum(name.encode()))
    t = np.arange(round(seconds * rate)) / rate
    pitch = rng.uniform(100, 900)
    tone = sum(np.sin(2 * np.pi * k * pitch * t + rng.uniform(0, 6)) / k for k in range(1, 6))
    noise = rng.standard_normal(len(t)) * rng.uniform(0.1, 1)
    return np.asarray(0.1 * (tone + noise) * (0.6 + 0.4 * np.sin(2 * np.pi * 2 * t)), np.float32)


def write_sounds(folder: Path, files: dict[str, tuple[str, str]], **sounds: np.ndarray) -> Path:
    """`files`: (class, kind) by file name; `sounds`: by stem, in place of generated ones."""
    folder.mkdir()
    for name in files:
        stem = Path(name).stem
        soundfile.write(folder / name, sounds.get(stem, sound(name)), RATE)
    rows = [(name, *said, "CC0" if kind_ok(said) else "", "made here") for name, said in files.items()]
    write_index(folder, COLUMNS, rows)
    return folder


def kind_ok(said: tuple[str, str]) -> bool:
    return said[1] != "vehicle"


def write_index(folder: Path, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    with (folder / "INDEX.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


FIVE = {
    "dog1.wav": ("dog bark", "animal"),
    "dog2.wav": ("dog bark", "animal"),
    "car1.wav": ("car", "vehicle"),
    "flute1.wav": ("flute", "instrument"),
    "rain1.wav": ("rain", "environmental"),
    "talk1.wav": ("speech", "speech"),
}
