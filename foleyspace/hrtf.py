"""Which HRIR sets there are: embedded ones, fetched ones, and public ones that can be fetched.

path = resolve_hrtf("mit_kemar")         # embedded, fetched, or a file
path = fetch_hrtf("sadie_ku100")         # into the user's cache, resumable, checked
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import numpy as np

from foleyspace.cache import cache_dir
from foleyspace.errors import InputError
from foleyspace.sofa import EMBEDDED, RawHrirs, read_sofa
from foleyspace.sofa_ears import interaural_delay_us, swapped_by_sound

log = logging.getLogger("foleyspace")

DEFAULT_HRTF = "mit_kemar"
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class HrtfEntry:
    """An HRIR set by name: `where` it is, `licence`, a `description`, and, as far as they apply, the local
    `path`, the `url` to fetch it from, its `sha256` (None: not known before the first download)."""

    name: str
    where: Literal["embedded", "fetched", "fetchable"]
    licence: str
    description: str
    path: Path | None = None
    url: str | None = None
    sha256: str | None = None


_KEMAR_LICENCE = "free for any use, authors cited (Gardner & Martin, MIT Media Lab 1994)"
_CIPIC_LICENCE = "free for any use with its notice (c) 2001 Regents of the University of California"
_LIBMYSOFA = "https://raw.githubusercontent.com/hoene/libmysofa/648eed03472e6720a1ea45d1a1f86c4efb569ff9"
_SOFACOUSTICS = "https://sofacoustics.org/data/database"

EMBEDDED_SETS = (
    HrtfEntry(
        "mit_kemar",
        "embedded",
        _KEMAR_LICENCE,
        "KEMAR dummy head, normal pinna: 710 directions, 44.1 kHz, 1.4 m",
    ),
    HrtfEntry(
        "spherical_head",
        "embedded",
        "Apache-2.0, computed",
        "rigid sphere with pinna and torso echoes: all directions, 48 kHz",
    ),
)

# sha256: of files compared byte for byte, or as several public projects record it for this address.
# None where no such record was found: the hash of the first download is then kept beside the file.
PUBLIC_SETS = (
    HrtfEntry(
        "mit_kemar_normal",
        "fetchable",
        _KEMAR_LICENCE,
        "the file that libmysofa ships: KEMAR, normal pinna, 44.1 kHz",
        url=f"{_LIBMYSOFA}/share/MIT_KEMAR_normal_pinna.sofa",
        sha256="2768ac841213a7ae11d1ea7fd0f25a69b39216102dc5dd913ea6ba0f0dc57e28",
    ),
    HrtfEntry(
        "mit_kemar_large",
        "fetchable",
        _KEMAR_LICENCE,
        "KEMAR dummy head, large pinna, 44.1 kHz",
        url=f"{_SOFACOUSTICS}/mit/mit_kemar_large_pinna.sofa",
    ),
    HrtfEntry(
        "sadie_ku100",
        "fetchable",
        "Apache-2.0, University of York",
        "SADIE II D1: Neumann KU 100 dummy head, 8802 directions, 48 kHz, 37 MB",
        url=f"{_SOFACOUSTICS}/sadie/D1_48K_24bit_256tap_FIR_SOFA.sofa",
        sha256="e6c72a84dd947b5ef75438ab96a9c2a32ed10f033472b9c4c11a49aff00a8a31",
    ),
    HrtfEntry(
        "fabian",
        "fetchable",
        "CC BY 4.0, TU Berlin",
        "FABIAN dummy head, facing ahead, 11950 directions, 44.1 kHz",
        url="https://github.com/pyfar/files/raw/refs/heads/main/education/VAR_TUB/FABIAN_HRIR_measured_HATO_0.sofa",
        sha256="83ebbcd9a09d17679b95d201c9775438c0bb1199d565c3fc7a25448a905cdc3c",
    ),
    HrtfEntry(
        "cipic_003",
        "fetchable",
        _CIPIC_LICENCE,
        "CIPIC subject 003, 1250 directions, 44.1 kHz",
        url=f"{_LIBMYSOFA}/tests/CIPIC_subject_003_hrir_final.sofa",
        sha256="0d31149c9893a209642fd65ea64cfe81f3ffd5c6cea74ce374936f2edd5628a1",
    ),
    HrtfEntry(
        "thk_ku100",
        "fetchable",
        "CC BY 3.0, TH Cologne",
        "Neumann KU 100 dummy head, 2354 directions, 48 kHz",
        url="https://zenodo.org/records/3928297/files/HRIR_L2354.sofa",
    ),
    HrtfEntry(
        "hutubs_pp1",
        "fetchable",
        "CC BY 4.0, TU Berlin",
        "HUTUBS participant 1, measured, 440 directions, 44.1 kHz",
        url=f"{_SOFACOUSTICS}/hutubs/pp1_HRIRs_measured.sofa",
        sha256="f626d335c590db687608fff5992972725230d594067b2e6906893bddc85e5173",
    ),
    HrtfEntry(
        "ari_nh2",
        "fetchable",
        "CC BY-SA 3.0, Acoustics Research Institute, Vienna",
        "ARI listener NH2, 1550 directions, 48 kHz",
        url=f"{_SOFACOUSTICS}/ari/hrtf%20b_nh2.sofa",
        sha256="fb81037fc327fd1454cee5daaa3ddb8ca808406345c753e4c6bf17db5d53cdf3",
    ),
)


def resolve_hrtf(name_or_path: str | os.PathLike[str]) -> Path:
    """The SOFA file of an embedded or fetched set, or the path itself when it is a file.

    Names come first; write `./mit_kemar` for a file of that name. Raises `InputError` that lists the
    known names.
    """
    name = os.fspath(name_or_path)
    for entry in list_hrtfs():
        if entry.name == name:
            if entry.path is not None:
                return entry.path
            raise InputError(f"`hrtf` is {name}, which is not here yet: foleyspace hrtf fetch {name}")
    path = Path(name).expanduser()
    if path.exists() or path.is_symlink():
        return path
    if path.suffix.lower() == ".sofa" or len(path.parts) > 1:
        raise InputError(f"`hrtf` is {name}, which does not exist, but must be a SOFA file or a set's name")
    here = ", ".join(entry.name for entry in list_hrtfs() if entry.path is not None)
    more = ", ".join(entry.name for entry in list_hrtfs() if entry.path is None)
    fetchable = f" (to fetch: {more})" if more else ""
    raise InputError(f"`hrtf` is {name} but must be a SOFA file or one of {here}{fetchable}")


def list_hrtfs() -> list[HrtfEntry]:
    """All sets with a name: embedded, then fetched (yours too), then what can be fetched."""
    found = {entry.name: replace(entry, path=EMBEDDED / f"{entry.name}.sofa") for entry in EMBEDDED_SETS}
    public = {entry.name: entry for entry in PUBLIC_SETS}
    folder = cache_dir("hrtf")
    for path in sorted(folder.glob("*.sofa")) if folder.is_dir() else []:
        if path.stem in found:
            continue
        record = fetch_record(path)
        known = public.pop(path.stem, None)
        found[path.stem] = HrtfEntry(
            path.stem,
            "fetched",
            known.licence if known else str(record.get("licence", "")),
            known.description if known else str(record.get("title", "")),
            path=path,
            url=record.get("url"),
            sha256=record.get("sha256"),
        )
    return [*found.values(), *public.values()]


def fetch_record(path: Path) -> dict[str, Any]:
    """What was noted when this file was fetched: url, sha256, licence, title; {} when nothing was."""
    try:
        record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def hrtf_info(name_or_path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a set holds: `directions`, `elevation_deg` and `distance_m` ranges, `rate_hz`, `taps`,
    `max_itd_us` in the horizontal plane, `ears` check, `aes69`: whether sofar finds fault, `licence`, and the
    `notes` made on reading."""
    path = resolve_hrtf(name_or_path)
    raw = read_sofa(path)
    named = {entry.path: entry for entry in list_hrtfs() if entry.path is not None}
    entry = named.get(path)
    distance = np.linalg.norm(raw.xyz, axis=1)
    elevation_deg = np.degrees(np.arcsin(np.clip(raw.xyz[:, 2] / distance, -1, 1)))
    return {
        "name": entry.name if entry else raw.name,
        "path": str(path),
        "title": raw.title,
        "database": raw.database,
        "convention": raw.convention,
        "licence": entry.licence if entry and entry.licence else raw.licence,
        "directions": len(raw.ir),
        "elevation_deg": (round(float(elevation_deg.min()), 2), round(float(elevation_deg.max()), 2)),
        "distance_m": (round(float(distance.min()), 3), round(float(distance.max()), 3)),
        "rate_hz": raw.rate,
        "taps": raw.ir.shape[2],
        "max_itd_us": max_itd_us(raw, elevation_deg),
        "ears": ears_verdict(raw),
        "aes69": aes69_verdict(path),
        "notes": list(raw.notes),
    }


def aes69_verdict(path: Path) -> str:
    """Whether a file that `read_sofa` has accepted keeps to its SOFA convention, as sofar judges it."""
    import sofar

    try:
        issues = sofar.read_sofa(str(path), verify=False, verbose=False).verify(issue_handling="return")
    except Exception as error:  # whatever it stumbles over is a departure from what it knows
        issues = str(error)
    said = " ".join(str(issues).split())
    return "keeps to its convention" if issues is None else f"departs from its convention: {said[:200]}"


def ears_verdict(raw: RawHrirs) -> str:
    """Whether the left ear hears sources on the left earlier and louder, in words."""
    swapped = swapped_by_sound(raw.ir, raw.delay, raw.xyz, raw.rate)
    if swapped is None:
        return "cannot be told from the sound"
    return "left and right are swapped" if swapped else "left and right agree with the sound"


def max_itd_us(raw: RawHrirs, elevation_deg: np.ndarray) -> float | None:
    """Largest interaural delay within 5 degrees of the horizontal plane; None without such directions."""
    level = np.flatnonzero(np.abs(elevation_deg) <= 5)
    if not len(level):
        return None
    return round(float(np.abs(interaural_delay_us(raw.ir[level], raw.delay[level], raw.rate)).max()), 1)


def fetch_hrtf(
    name: str,
    *,
    dest: str | os.PathLike[str] | None = None,
    url: str | None = None,
    sha256: str | None = None,
    timeout_s: float = 10.0,
    progress: Callable[[int, int | None], None] | None = None,
) -> Path:
    """Download a public set, by its name or as an `https://...` address, and return the file.

    `dest`: a folder or file (default: `cache_dir("hrtf")`, where `resolve_hrtf` finds it by name); `url` and
    `sha256` override the table's; `timeout_s`: longest silence of the server; `progress(done, total)` in
    bytes, `total` None when the server does not say. A broken download is kept as `.part` and resumed.
    The file is checked by its sha256 (the first download's, noted beside it, where none is published) and
    by reading it. Raises `InputError` for an unknown name or a bad address, `FoleyspaceError` when the
    download fails or is not what it should be.
    """
    from foleyspace.hrtf_fetch import fetch

    if not 0 < timeout_s <= 3600:
        raise InputError(f"`timeout` is {timeout_s:g} but must be more than 0 and at most 3600 seconds")
    if name.startswith(("http://", "https://")):
        name, url = file_name_of(name), name
    if any(name == entry.name for entry in EMBEDDED_SETS):
        raise InputError(f"`{name}` is embedded but must be a set to fetch")
    known = next((entry for entry in PUBLIC_SETS if entry.name == name), None)
    if url is None:
        if known is None or known.url is None:
            names = ", ".join(entry.name for entry in PUBLIC_SETS)
            raise InputError(f"`{name}` is no known set but must be an https address or one of {names}")
        url, sha256 = known.url, sha256 or known.sha256
    elif not SAFE_NAME.fullmatch(name):
        raise InputError(f"`{name}` is no good name: it must be letters, digits, `_`, `-` and `.`")
    path = Path(dest).expanduser() if dest is not None else cache_dir("hrtf")
    if dest is None or path.is_dir() or path.suffix.lower() != ".sofa":
        path = path / f"{name}.sofa"
    return fetch(url, path, sha256, timeout_s, progress, known.licence if known else None)


def file_name_of(url: str) -> str:
    """The name a set gets from its address: the file name without `.sofa`, made safe."""
    try:
        stem = Path(unquote(urlsplit(url).path)).name.removesuffix(".sofa")
    except ValueError as error:
        raise InputError(f"`{url}` is no address ({error}) but must be one that ends in `.sofa`") from None
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", stem).strip("._-")
    if not stem:
        raise InputError(f"`{url}` names no file but must end in `.sofa`")
    return stem
