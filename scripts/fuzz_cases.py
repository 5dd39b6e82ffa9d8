"""What `fuzz.py` reads: sound SOFA files, scene files, configs and prompts, with an accident or two."""

from __future__ import annotations

import re
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np

KINDS = ("sofa", "scene", "config", "prompt")

SCENE = """{"format": "foleyspace-scene", "version": 1, "duration": 8.0,
 "room": {"rt60_s": 0.3, "drr_db": 12.0},
 "sources": [
  {"id": "car-1", "label": "car", "times": [0.0, 0.04, 0.2], "azimuth_deg": [20.0, 19.1, -170.0],
   "elevation_deg": [-2.0, -2.0, 45.5], "distance_m": [8.0, 7.9, 1.5], "gain_db": [0.0, -3.0, 6.0],
   "visible": [true, true, false], "spread_deg": [0.0, 10.0, 180.0], "caption": "a car passes"},
  {"id": "dog", "label": "dog", "times": [0.0], "azimuth_deg": [90.0], "elevation_deg": [0.0],
   "distance_m": [2.0]}]}
"""
PROMPTS = (
    "a dog barks on the left, a car passes from right to left",
    'a woman sings in front, 2 m away, then "Johnny B. Goode" plays far behind on the right from 3 s to 7 s',
    "a helicopter circles above the listener twice while rain falls all around and a drum is close at 30 deg",
    "after two seconds a train comes nearer from the back left and goes to the front right; birds everywhere",
)
HOSTILE = (
    *("NaN", "-1", "1e308", "-1e308", "1e-320", "1e999", "0", "9" * 400, "null", "true", '""', "[]", "{}"),
    *(
        "[[[[",
        "!!int x",
        "&a [*a]",
        "*a",
        "- ",
        ": ",
        "\t",
        "\0",
        "\x1b[2J",
        "\u202e",
        "\ufeff",
        "\ud83d\ude00",
    ),
    *(
        " and ",
        ", ",
        "then ",
        "from ",
        " m",
        " degrees",
        "between ",
        '"',
        "%",
        "'",
        "-" * 300,
        "left of the ",
        "(" * 50,
    ),
)


NUMBERS = (
    "NaN",
    "Infinity",
    "-1",
    "0",
    "1e308",
    "-1e308",
    "1e-320",
    "1e999",
    "9" * 400,
    "-0.0",
    "1e5",
    "true",
    "7",
)


def damaged(rng: np.random.Generator, data: bytes, other: bytes, text: bool) -> bytes:
    """An accident or two: bytes changed, cut off, spliced in, repeated, hostile words and numbers put in."""
    out = bytearray(data)
    kinds = ["number"] * 5 * text + ["flip"] * 4 + ["cut", "splice", "repeat", "noise", "word"]
    for kind in rng.choice(kinds, size=1 if rng.random() < 0.6 else 3):
        size = max(1, len(out))
        # the structure of a binary file lies at its beginning for the most part
        reach = size if text or rng.random() < 0.5 else min(size, 16_384)
        at = int(rng.integers(reach))
        if kind == "flip":
            for place in rng.integers(reach, size=rng.integers(1, 5)):
                if place < len(out):
                    out[place] ^= 1 << int(rng.integers(8))
        elif kind == "number":
            found = list(re.finditer(rb"-?\d+(\.\d+)?", bytes(out)))
            if found:
                which = found[int(rng.integers(len(found)))]
                other_number = rng.choice(NUMBERS) if rng.random() < 0.5 else f"{rng.normal(0, 100):.3f}"
                out[which.start() : which.end()] = str(other_number).encode()
        elif kind == "cut":
            del out[int(rng.integers(size)) :]
        elif kind == "splice":
            start = int(rng.integers(max(1, len(other))))
            piece = other[start : start + int(rng.integers(1, 400))]
            out[at : at + (len(piece) if rng.random() < 0.5 else 0)] = piece
        elif kind == "repeat":
            piece = bytes(out[at : at + int(rng.integers(1, 60))])
            out[at:at] = piece * int(rng.integers(1, 200 if text else 4))
        elif kind == "noise":
            out[at : at + 8] = rng.bytes(8)
        else:
            word = str(rng.choice(HOSTILE)).encode("utf-8", "surrogatepass")
            out[at : at + (len(word) if not text or rng.random() < 0.3 else 0)] = word
    return bytes(out)


@lru_cache(maxsize=1)
def seeds() -> dict[str, list[bytes]]:
    """What is damaged, by kind."""
    import h5py
    from make_bad_sofa import replaced, write_sound_file

    from foleyspace.configs import __path__ as configs
    from foleyspace.hrtf import resolve_hrtf

    with tempfile.TemporaryDirectory() as folder:
        plain, packed = Path(folder) / "plain.sofa", Path(folder) / "packed.sofa"
        for path in (plain, packed):
            write_sound_file(path)
        with h5py.File(plain) as file:
            responses = file["Data.IR"][()]
        replaced(packed, "Data.IR", responses, chunks=(8, 2, 64), compression="gzip", shuffle=True)
        sofa = [path.read_bytes() for path in (plain, packed, resolve_hrtf("mit_kemar"))]
    yaml = [file.read_bytes() for file in sorted(Path(configs[0]).glob("*.yaml"))]
    return {"sofa": sofa, "scene": [SCENE.encode()], "config": yaml, "prompt": [p.encode() for p in PROMPTS]}


def case(seed: int, index: int) -> tuple[str, bytes]:
    """The kind and the input of a case: the same for the same numbers."""
    rng = np.random.default_rng((seed, index))
    kind = KINDS[index % len(KINDS)]
    of_kind = seeds()[kind]
    first, second = (of_kind[int(i)] for i in rng.integers(len(of_kind), size=2))
    return kind, damaged(rng, first, second, text=kind != "sofa")
