"""Figures of systems as ratios to mono|mono, beside those that TAS and TASU state for themselves.

    foleyspace evaluate SET --mono sum -s words -s diffusion -s hrir -s tasu:weights=F -s mono -o DIR
    python scripts/bench/ratios.py DIR/metrics.json

Items with one and with several sources are taken together, as the papers do. Ratios: smaller is better; SNR
is a gain in dB; of answers (QA), how many fewer are right than on the truth. The papers' own test sets are
others: their figures say how far each has come from mono.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

PAPERS = {
    "TAS": {"STFT": 0.79, "ENV": 0.90, "SNR": 1.04},
    "TAS, visual best": {"STFT": 0.74},
    "TASU": {"FD": 0.55, "FAD": 0.39, "DOA gap": 0.16, "QA direction": 0.55, "QA distance": 0.53},
}
GAINS = ("SNR",)
ANSWERS = ("QA direction", "QA distance")
SHOWN = ("SNR", "ILDe", "IPDe", "AZe", "STFT", "ENV", "WAV", "AMP", "PHA", "FD", "FAD", "DOA gap", *ANSWERS)


@click.command(help=__doc__)
@click.argument("metrics", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def main(metrics: Path) -> None:
    try:
        found = json.loads(metrics.read_text(encoding="utf-8"))
        groups, systems = found["groups"].values(), found["systems"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise click.UsageError(f"{metrics} must be the metrics.json of `foleyspace evaluate`") from None
    columns = [key for key in SHOWN if any(key in group["figures"] for group in groups)]

    def mean(key: str, system: str, what: str = "mean") -> float:
        """Over the items of all groups that have the figure; NaN without any."""
        there = [(g["items"], g["figures"].get(key, {}).get(system, {})) for g in groups]
        known = [(one.get("items", n), one[what]) for n, one in there if one.get(what) is not None]
        total = sum(items for items, _ in known)
        return sum(items * value for items, value in known) / total if total else float("nan")

    def cell(key: str, system: str) -> str:
        value, mono = mean(key, system), mean(key, "mono")
        if key in GAINS:
            return f"{value - mono:+.2f}"
        if key in ANSWERS:
            truth = mean(key, system, "on_truth")
            value, mono = truth - value, truth - mono
        return f"{value / mono:.2f}" if mono else ""

    print(f"| system | {' | '.join(columns)} |")
    print(f"| --- |{' --- |' * len(columns)}")
    for system in systems:
        print(f"| {system} | {' | '.join(cell(key, system) for key in columns)} |")
    for paper, stated in PAPERS.items():
        print(f"| {paper} (own) | {' | '.join(str(stated.get(key, '')) for key in columns)} |")


if __name__ == "__main__":
    main()
