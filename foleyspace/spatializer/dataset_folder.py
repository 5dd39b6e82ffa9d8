"""A dataset's folder: dataset.json says what it was made with, README.md and SOURCES.csv what is in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from foleyspace import __version__
from foleyspace.errors import InputError
from foleyspace.files import atomic_output, check_folder
from foleyspace.spatializer.card import card, read_metas, sources_table

FORMAT, VERSION = "foleyspace-dataset", 1
OUTPUTS = ("dataset.json", "README.md", "SOURCES.csv")
LOCK = Path(".foleyspace") / "lock"  # held in the folder while items are made


def checked_out(out: Path) -> Path:
    """`out`, a folder that may be written to: new, empty, or a dataset. Raises `InputError`."""
    check_folder(out)
    there = {path.name for path in out.iterdir()} if out.exists() else set()
    if there - {LOCK.parts[0]} and not (out / "dataset.json").is_file():
        raise InputError(f"output {out} holds other files but must be empty, or a dataset to go on with")
    return out


def open_folder(out: Path, options: Mapping[str, Any], overwrite: bool) -> None:
    """Make `out` ready for items made with `options`: what a killed run left half-written is removed,
    and with `overwrite` all items. `LOCK` must be held: half-written is what another run is writing, too.
    Raises `InputError` for a dataset that was made with other options."""
    stated = {"format": FORMAT, "version": VERSION, "options": options}
    manifest = out / "dataset.json"
    if manifest.exists():
        try:
            there = json.loads(manifest.read_text(encoding="utf-8"))
        except ValueError:
            there = {}
        made = there.get("options", {}) if isinstance(there, dict) else {}
        changed = sorted(name for name in {*options, *made} if made.get(name) != options.get(name))
        if overwrite:
            for path in out.glob("shard_*"):
                shutil.rmtree(path)
            for name in OUTPUTS:
                (out / name).unlink(missing_ok=True)
        elif changed:
            was, now = made.get(changed[0]), options.get(changed[0])
            raise InputError(
                f"output {out} was made with `{changed[0]}` {was}, not {now}: choose another, or --overwrite"
            )
    for path in out.glob("shard_*/.*.part"):
        shutil.rmtree(path)
    out.mkdir(exist_ok=True)
    _write(manifest, json.dumps(stated, indent=1) + "\n")


def describe(out: Path, options: Mapping[str, Any], kinds: Mapping[str, int]) -> None:
    """Write the card (README.md) and SOURCES.csv of all items; `kinds`: how many files there are of each."""
    metas = read_metas(out)
    flags = " ".join(
        f"--{name.replace('_', '-')} {value}"
        for name, value in options.items()
        if name not in ("sounds", "hrtfs")
    )
    command = f"`foleyspace dataset build --sounds FOLDER --hrtfs FOLDER -o OUT --items {len(metas)} {flags}`"
    _write(out / "README.md", card(metas, {**options, "foleyspace": __version__, "command": command}, kinds))
    _write(out / "SOURCES.csv", sources_table(metas.values()))


def _write(path: Path, text: str) -> None:
    with atomic_output(path, overwrite=True) as temporary:
        temporary.write_text(text, encoding="utf-8")
