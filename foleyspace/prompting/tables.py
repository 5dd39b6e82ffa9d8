"""Tables under a line of column names, as spreadsheets export them: each row said as a line of a list."""

from __future__ import annotations

import csv
import re

from foleyspace.prompting.words import word_set

_NAMES = word_set("name sound source label object what item track emitter class description")
_COLUMNS = {
    "azimuth": "az", "az": "az", "azi": "az", "azimuth_deg": "az", "elevation": "el", "el": "el",
    "elev": "el", "elevation_deg": "el", "distance": "dist", "dist": "dist", "distance_m": "dist",
    "radius": "dist", "r": "dist", "range": "dist",
}  # fmt: skip
_PLACES = word_set("direction position place side location where pan")
_UNIT = re.compile(r"\s*[(\[].*?[)\]]")  # "azimuth (deg)"


def rows_said(text: str) -> str:
    """A text whose first line names columns, one of them of sounds and one of places, as "owl: az=60 el=40"
    lines; any other text as it is."""
    lines = [line.strip().strip("|").strip() for line in text.strip().splitlines() if line.strip()]
    lines = [line for line in lines if not re.fullmatch(r"[\s|:-]+", line)]  # the rule below the names
    if len(lines) < 2:
        return text
    between = next((sign for sign in "\t|;," if sign in lines[0]), ",")
    try:
        first, *rows = ([cell.strip() for cell in row] for row in csv.reader(lines, delimiter=between))
    except csv.Error:  # characters that no table holds
        return text
    heads = [_UNIT.sub("", cell).strip().lower() for cell in first]
    named = next((k for k, head in enumerate(heads) if head in _NAMES), None)
    if named is None and all(row and re.match(r"[^\W\d_]", row[0]) for row in rows):
        named = 0  # "instrument", "species": names, whatever they are called
    placed = {k: f"{_COLUMNS[head]}=" for k, head in enumerate(heads) if head in _COLUMNS}
    placed |= {k: "" for k, head in enumerate(heads) if head in _PLACES}
    if named is None or not placed or any(len(row) != len(heads) or not row[named] for row in rows):
        return text
    said = []
    for row in rows:
        name = row[named].replace('"', "'")
        said.append(
            f'"{name}": ' + " ".join(column + row[k] for k, column in sorted(placed.items()) if row[k])
        )
    return "\n".join(said)
