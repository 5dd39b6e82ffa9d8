"""Figures of systems as ratios to mono|mono, beside those that TAS and TASU state for themselves.

    foleyspace evaluate SET --mono sum -s words -s diffusion -s hrir -s tasu:weights=F -s mono -o DIR
    python scripts/bench/ratios.py DIR/metrics.json

Items with one and with several sources are taken together, as the papers do. Ratios: smaller is better; SNR
is a gain in dB. The papers' own test sets are others: their figures say how far each has come from mono.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

PAPERS = {
    "TAS": {"STFT": 0.79, "ENV": 0.90, "SNR": 1.04},
    "TAS, visual best": {"STFT": 0.74},
    "TASU": {"FD": 0.55, "FAD": 0.39, "DOA gap": 0.16},
}
GAINS = ("SNR",)
SHOWN = ("SNR", "ILDe", "IPDe", "AZe", "STFT", "ENV", "WAV", "AMP", "PHA", "FD", "FAD", "DOA gap")


@click.command(help=__doc__)
@click.argument("metrics", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def main(metrics: Path) -> None:
    found = json.loads(metrics.read_text(encoding="utf-8"))
    groups = found["groups"].values()
    columns = [key for key in SHOWN if any(key in group["figures"] for group in groups)]

    def mean(key: str, system: str) -> float:
        """Over the items of all groups that have the figure; NaN without any."""
        there = [(g["items"], g["figures"].get(key, {}).get(system, {}).get("mean")) for g in groups]
        known = [(items, value) for items, value in there if value is not None]
        total = sum(items for items, _ in known)
        return sum(items * value for items, value in known) / total if total else float("nan")

    print(f"| system | {' | '.join(columns)} |")
    print(f"| --- |{' --- |' * len(columns)}")
    for system in found["systems"]:
        cells = []
        for key in columns:
            value, mono = mean(key, system), mean(key, "mono")
            ratio = value - mono if key in GAINS else value / mono if mono else float("nan")
            cells.append(f"{ratio:+.2f}" if key in GAINS else f"{ratio:.2f}")
        print(f"| {system} | {' | '.join(cells)} |")
    for paper, stated in PAPERS.items():
        print(f"| {paper} (own) | {' | '.join(str(stated.get(key, '')) for key in columns)} |")


if __name__ == "__main__":
    main()
