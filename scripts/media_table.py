"""Make odd and damaged media, run `foleyspace render` and `foleyspace track` on each, and write the table of
what came of it.

    python scripts/media_table.py [--only WORDS] [--long] [--rows ROWS.json] [--out docs/media.md]

Real files by the bundled ffmpeg, real decoders, one process a command with 60 s of processor time (forked
from one that has imported everything; the films have an interpreter of their own). A row fails on a
traceback, an exit code that is not the one expected, a time-out, a picture stream that is not the same, sound
that has moved by 5 ms or more, or something lost that the log does not name; the script ends with 1 then.
`--long`: the long films too (minutes). POSIX only.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

import imageio_ffmpeg
from media_cases import GROUPS
from media_checks import contents, picture_hash, timing
from media_process import Run, forked, fresh, import_everything
from media_scene import Case, FfmpegFailed

LIMIT_S, LONG_LIMIT_S = 60, 1800
SYNC_S = 0.005
ORDINARY = ("HRIR set", "depth model", "the detector looked", "objects seen", "no sounding object", "heard:")
OPTIONS = ("--detector", "motion", "--offline")


@dataclass
class Row:
    """What is printed of a case; `wrong` is empty when all is as it should be."""

    title: str
    render: str = ""
    track: str = ""
    picture: str = ""
    sync: str = ""
    peak: str = ""
    kept: str = ""
    said: str = ""
    wrong: list[str] = field(default_factory=list)


def unusual(run: Run) -> list[str]:
    """What a run said that it does not say of every file."""
    lines = [line.removeprefix("foleyspace: ") for line in run.said.splitlines() if line.strip()]
    return [line for line in lines if not line.startswith(ORDINARY)]


def examine(case: Case, root: Path) -> Row:
    """Make the case, run both commands on it, compare what came out with what went in."""
    row = Row(case.title)
    folder = root / "case"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        path = case.make(folder)
    except FfmpegFailed as error:
        row.render = row.track = "not made"
        row.said = f"this ffmpeg cannot make it ({error})"
        row.wrong.append("not made")
        return row
    for other in [other for other in folder.iterdir() if other != path]:
        other.unlink()
    start, limit_s = (fresh, LONG_LIMIT_S) if case.long else (forked, LIMIT_S)
    rendering = start(["render", *OPTIONS, "--", path.name], folder, limit_s)
    watching = start(["track", *OPTIONS, "-o", "scene.json", "--", path.name], folder, limit_s)
    row.render = _outcome(row, "render", rendering, case.mute or case.broken, case.perhaps)
    row.track = _outcome(row, "track", watching, case.broken, case.perhaps)
    row.peak = f"{max(rendering.peak_mb, watching.peak_mb):.0f}"
    said = " / ".join(dict.fromkeys(unusual(rendering) or unusual(watching)))
    row.said = said.replace(f"{folder}{os.sep}", "")
    made = [found for found in folder.iterdir() if found not in (path, folder / "scene.json")]
    if rendering.code == 0:
        if len(made) != 1:
            row.wrong.append(f"{len(made)} files were left")
        else:
            _compare(row, path, made[0], rendering, not case.noise)
    elif made:
        row.wrong.append("a file was left behind")
    return row


def _outcome(row: Row, name: str, run: Run, refuse: bool, perhaps: bool) -> str:
    """One word, and what is wrong with it on the row."""
    if run.ended:
        row.wrong.append(f"{name}: no end within its time")
        return "hangs"
    if run.crashed:
        row.wrong.append(f"{name}: traceback or crash (exit {run.code})")
        return "crashes"
    if run.code == 0:
        if refuse:
            row.wrong.append(f"{name}: done, but it should be refused")
        return "done"
    if not (refuse or perhaps):
        row.wrong.append(f"{name}: refused ({' '.join(unusual(run)[-1:])})")
    return f"refused ({run.code})"


def _compare(row: Row, path: Path, out: Path, run: Run, clean: bool) -> None:
    try:
        same = picture_hash(path) == picture_hash(out)
        measured = timing(path, out, clean)
    except FfmpegFailed as error:
        row.picture = "?"
        row.wrong.append(f"cannot be compared ({error})")
        return
    moved = measured.picture_s > 1e-3 and clean
    row.picture = "times differ" if moved else "same" if same and (measured.alike or not clean) else "differs"
    if row.picture != "same":
        row.wrong.append(f"picture: {row.picture} (by {measured.picture_s:.3f} s, {measured.frames})")
    if measured.sync_s is not None:
        row.sync = f"{measured.sync_s * 1000:+.1f}"
        if abs(measured.sync_s) >= SYNC_S:
            row.wrong.append(f"sync: {row.sync} ms")
    before, after = contents(path), contents(out)
    lost = sorted(before.parts - after.parts)
    row.kept = ", ".join(_plain(part) for part in sorted(before.parts & after.parts))
    if before.shape != after.shape:
        row.wrong.append(f"shape: {before.shape} became {after.shape}")
    if lost:
        row.kept += ("; " if row.kept else "") + "lost: " + ", ".join(_plain(part) for part in lost)
        if "kept" not in run.said:
            row.wrong.append("lost without a word: " + ", ".join(_plain(part) for part in lost))


def _plain(part: str) -> str:
    """Without its number, short."""
    text = part.rsplit(" #", 1)[0]
    return text if len(text) < 40 else text[:37] + "..."


def document(groups: dict[str, list[Row]]) -> str:
    """The table, as Markdown."""
    lines = [INTRODUCTION.strip().format(ffmpeg=_version())]
    for group, rows in groups.items():
        if not rows:
            continue
        lines += [
            "",
            f"## {group}",
            "",
            "| case | render | track | picture | sync ms | peak MB | kept | said |",
        ]
        lines.append("| --- | --- | --- | --- | --- | --- | --- | --- |")
        for row in rows:
            said = row.said if len(row.said) < 240 else row.said[:237] + "..."
            if row.wrong:
                said = f"**{'; '.join(row.wrong)}** {said}"
            cells = (row.title, row.render, row.track, row.picture, row.sync, row.peak, row.kept, said)
            lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").encode("utf-8", "replace").decode() or "-"


def _version() -> str:
    said = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-version"], capture_output=True, text=True
    ).stdout
    return said.split()[2]


INTRODUCTION = """
# Files as they come

`python scripts/media_table.py --long` makes every file with ffmpeg {ffmpeg}, runs `foleyspace render`
and `foleyspace track` on it (detector `motion`, offline, a process each with 60 s of processor time) and
writes this page. That ffmpeg could make all of them; bitmap subtitles, which its encoders make from bitmaps
only, are not here. `scripts/fuzz_media.py` damages files at random.

- **render**, **track**: done, or refused with one line and the exit code.
- **picture**: `same`: the packets of the picture have the same hash, and every frame its time and its turn.
- **sync ms**: how much later the sound is against the first shown frame than in the input, from the peak of
  the cross-correlation of both; for sound that can be compared. Start offsets and edit lists count.
- **peak MB**: resident memory of the command and all it starts. All but the long films are forked from a
  process that has imported everything, about 400 MB of it.
- **kept**: further streams, languages, chapters, metadata that are in the output; `lost`: that are not.
- **said**: what the log says about the file beyond what it says of every file.

Gaps in the sound's time stamps longer than 4 ms stay gaps, and clocks that drift are followed, by playing at
most 0.1 % faster or slower. Where packets are stamped when they arrive (browsers' recordings), gaps have to
be longer than what the stamps waver; rounded stamps change no sample. Of several sound tracks the one flagged
default is used.
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="cases whose title or group has these words")
    parser.add_argument("--long", action="store_true", help="the 2 hour film too")
    parser.add_argument(
        "--rows", type=Path, help="keep rows here (JSON): those that were right are not redone"
    )
    parser.add_argument("--out", type=Path, help="write the table here (Markdown)")
    options = parser.parse_args()
    import_everything()
    known = json.loads(options.rows.read_text()) if options.rows and options.rows.exists() else {}
    groups: dict[str, list[Row]] = {}
    with tempfile.TemporaryDirectory() as root:
        for group, cases in GROUPS.items():
            groups[group] = []
            for case in cases:
                if options.only.lower() not in f"{group} {case.title}".lower():
                    continue
                if case.long and not options.long:
                    continue
                row = Row(**known[case.title]) if case.title in known else examine(case, Path(root))
                groups[group].append(row)
                if options.rows and not row.wrong:
                    known[case.title] = asdict(row)
                    options.rows.write_text(json.dumps(known, indent=1))
                state = f"WRONG {'; '.join(row.wrong)}" if row.wrong else "ok"
                figures = f"{row.render}, {row.sync or '-'} ms, {row.peak} MB, {row.kept or '-'}"
                print(f"{case.title}: {figures}: {state}", flush=True)
    if options.out:
        options.out.write_text(document(groups), encoding="utf-8")
    rows = [row for rows in groups.values() for row in rows]
    wrong = sum(bool(row.wrong) for row in rows)
    print(f"{len(rows)} cases, {wrong} not as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
