"""A folder of labelled sounds: its index, and the files that it names."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import soundfile

from foleyspace.errors import InputError
from foleyspace.files import check_input
from foleyspace.types import Samples


def index_rows(
    folder: Path, index: str = "INDEX.csv", columns: Sequence[str] = ("file", "class")
) -> list[dict[str, str]]:
    """The lines of `folder`/`index`, a CSV that must have these `columns`, file and class filled in. Raises
    `InputError` for a folder without it and for any other file."""
    path = folder / index
    if not path.is_file():
        raise InputError(f"`sounds` is {str(folder)!r} but must be a folder with an {index}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            rows, there = list(reader), reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a CSV: {' '.join(str(error).split())}") from None
    lacking = [column for column in columns if column not in there]
    if lacking or not rows:
        what = f" has no column {lacking[0]!r}" if lacking else ""
        names = f"{', '.join(columns[:-1])} and {columns[-1]}"
        raise InputError(f"{path}{what}: must have the columns {names}, and lines below them")
    for number, row in enumerate(rows, start=2):
        for column in ("file", "class"):
            if not row[column].strip():
                raise InputError(f"{path}: line {number} has no {column}")
    return rows


def read_mono(path: Path) -> tuple[Samples, int]:
    """The mean of a sound file's channels (n,) float32, and its rate, Hz. Raises `InputError` for a file that
    is missing or no sound."""
    check_input(path, "sound file")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise InputError(f"sound file {path} cannot be read: {' '.join(str(error).split())}") from None
    return samples.mean(axis=1), rate
