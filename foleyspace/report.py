"""One self-contained HTML page for a person to judge a rendering by: what was seen, decided and heard."""

from __future__ import annotations

import base64
import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foleyspace.camera import DEFAULT_FOV_DEG, Projection
from foleyspace.evidence import Evidence
from foleyspace.pages import fill_page
from foleyspace.report_map import hex_colours, source_rows, trajectory_map
from foleyspace.report_stills import Still, make_stills
from foleyspace.report_why import explain
from foleyspace.types import Audio, Clip, Scene, Track

if TYPE_CHECKING:
    from foleyspace.analyze import Cues

MAX_EVIDENCE = 40  # rows: a long film has hundreds of objects
HEADS = {"affinity": "heard", "start": "from (s)", "end": "to (s)", "prior": "class", "synchrony": "in step"}


def write_report(
    path: str | Path,
    *,
    clip: Clip,
    tracks: Sequence[Track],
    scene: Scene,
    audio: Audio | str | Path | None = None,
    cues: Cues | None = None,
    evidence: Sequence[Any] = (),
    heard: Sequence[tuple[str, float]] = (),
    said: str = "",
    chosen: Sequence[str] = (),
    decisions: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
    versions: Mapping[str, str] | None = None,
    loudness: Mapping[str, Any] | None = None,
    seconds: Mapping[str, float] | None = None,
    stills: Sequence[Still] | None = None,
    fov_deg: float = DEFAULT_FOV_DEG,
    projection: Projection = "rectilinear",
    title: str = "",
    overwrite: bool = False,
) -> None:
    """Write the report of one rendering as a single HTML file that loads nothing from anywhere.

    `audio`: the binaural sound, in memory or a file; its cues are measured unless `cues` are given.
    `evidence`: dataclasses or mappings, a row each, why a track was taken or not (numbers named
    "share", "score" and the like in [0, 1] get a bar); what is an `Evidence` is put into words too, with
    `heard`, the words for the sound with their probability, `said`, the words a person gave instead, and
    `chosen`, the ids of the objects a person gave. `loudness`: names with units to figures
    ("loudness in (LUFS)": -23.0; None is left out). `stills` None: taken at telling moments. `options`
    may nest. Raises `InputError` when `path` cannot be written or exists without `overwrite`.
    """
    from foleyspace.files import atomic_output

    with atomic_output(path, overwrite=overwrite) as temporary:
        if stills is None:
            stills = make_stills(clip, tracks, scene, fov_deg=fov_deg, projection=projection)
        cue_plot, cue_facts = _cues(audio, cues, scene)
        page = fill_page(
            "report.html.j2",
            title=title or clip.path.name,
            verdict=_verdict(scene),
            facts=_facts(clip, loudness or {}),
            stills=[
                {"time": f"{still.time:.2f} s", "caption": still.caption, "image": _jpeg(still.frame)}
                for still in stills
            ],
            map=trajectory_map(scene, 360.0 if projection == "equirectangular" else fov_deg),
            sources=source_rows(scene),
            why=explain(
                scene,
                tracks,
                [entry for entry in evidence if isinstance(entry, Evidence)],
                clip.cuts,
                heard,
                said,
                chosen,
            ),
            evidence=_evidence(evidence, scene),
            cue_plot=cue_plot,
            cue_facts=cue_facts,
            decisions=list(decisions),
            tables=_tables(options, versions, seconds),
            version=(versions or {}).get("foleyspace", ""),
        )
        temporary.write_text(page, encoding="utf-8")


def _verdict(scene: Scene) -> str:
    placed = [s for s in scene.sources if s.visible is not None and s.visible.any()]
    if not placed:
        return "No sounding object was found in the picture: the sound stays in the centre."
    labels = list(dict.fromkeys(source.label for source in placed))
    shown = ", ".join(labels[:5]) + (f" and {len(labels) - 5} more" if len(labels) > 5 else "")
    return f"The sound follows {len(placed)} {'source' if len(placed) == 1 else 'sources'}: {shown}."


def _facts(clip: Clip, loudness: Mapping[str, Any]) -> list[tuple[str, str]]:
    rate = float(clip.fps)
    facts = [
        ("length", f"{clip.duration:.2f} s"),
        ("picture", f"{clip.size_wh[0]} x {clip.size_wh[1]}, {rate:.5g} fps"),
        ("shots", str(len(clip.cuts) + 1)),
    ]
    if clip.audio is not None:
        audio = clip.audio
        facts.append(("sound track", f"{audio.codec}, {audio.layout}, {audio.rate / 1000:g} kHz"))
    facts += [(name, _figure(value)) for name, value in loudness.items() if value is not None]
    return facts


def _figure(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.1f}" if math.isfinite(value) else "-"
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return ", ".join(f"{part:+.2f}" if isinstance(part, float) else str(part) for part in value)
    return str(value)


def _cues(
    audio: Audio | str | Path | None, cues: Cues | None, scene: Scene
) -> tuple[str, list[tuple[str, str]]]:
    if audio is None:
        return "", []
    from foleyspace.analyze import analyze_binaural, summarise
    from foleyspace.cue_plot import cue_png

    cues = analyze_binaural(audio) if cues is None else cues
    image = cue_png(
        cues, audio, title="Measured in the binaural sound; dashed: where the scene puts it", scene=scene
    )
    summary = summarise(cues)
    facts = []
    for key, name, form in (
        ("azimuth_deg", "azimuth, middle 90 %", "{p5:.0f}° to {p95:.0f}°"),
        ("itd_us", "ITD, middle 90 %", "{p5:.0f} to {p95:.0f} µs"),
        ("ild_db", "ILD, middle 90 %", "{p5:.1f} to {p95:.1f} dB"),
        ("coherence", "interaural coherence", "{median:.2f}"),
    ):
        if summary[key] is not None:
            facts.append((name, form.format(**summary[key])))
    return _data_url(image, "png"), facts


def _evidence(rows: Sequence[Any], scene: Scene) -> dict[str, Any] | None:
    plain = [
        dataclasses.asdict(r) if dataclasses.is_dataclass(r) and not isinstance(r, type) else dict(r)
        for r in rows
    ]
    if not plain:
        return None
    more = max(0, len(plain) - MAX_EVIDENCE)
    if "share" in plain[0]:
        plain.sort(key=lambda row: -float(row["share"]))
    plain = plain[:MAX_EVIDENCE]
    names = list(plain[0])
    if "share" in names[2:]:  # what came of it first, it is a wide table
        names = [*names[:2], "share", *(name for name in names[2:] if name != "share")]
    numeric = {
        n
        for n in names
        if all(isinstance(r.get(n), (int, float)) and not isinstance(r.get(n), bool) for r in plain)
    }
    barred = {
        n for n in ("share", "sounding", "score") if n in numeric and all(0 <= r[n] <= 1 for r in plain)
    }
    colours = hex_colours(scene)

    def cell(row: Mapping[str, Any], name: str) -> dict[str, Any]:
        value = row.get(name, "")
        colour = ""
        if name == names[0] and value in colours:
            colour = colours[value]
        text = f"{value:.3g}" if isinstance(value, float) else _figure(value)
        return {
            "text": text,
            "number": name in numeric,
            "colour": colour,
            "bar": round(100 * float(value)) if name in barred else None,
        }

    return {
        "heads": [
            {"name": HEADS.get(name, name.replace("_", " ")), "number": name in numeric} for name in names
        ],
        "rows": [[cell(row, name) for name in names] for row in plain],
        "more": more,
    }


def _tables(
    options: Mapping[str, Any] | None, versions: Mapping[str, str] | None, seconds: Mapping[str, float] | None
) -> list[tuple[str, list[tuple[str, str]]]]:
    tables = [
        ("Time taken", [(name, f"{value:.2f} s") for name, value in (seconds or {}).items()]),
        ("Options", _flat(options or {})),
        ("Versions", [(name, str(value)) for name, value in (versions or {}).items()]),
    ]
    return [(name, rows) for name, rows in tables if rows]


def _flat(options: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in options.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", "-" if value is None or value == "" else str(value)))
    return rows


def _jpeg(frame: NDArray[np.uint8]) -> str:
    import cv2

    _, data = cv2.imencode(".jpg", frame[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 86])
    return _data_url(data.tobytes(), "jpeg")


def _data_url(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
