"""How far the ears' phases are from the measured ones, with a set's delays found in two ways.

    python scripts/bench/delays.py FILE.sofa...

Each response is put together again from its minimum phase and its delay, as mixtures are rendered. The delay
is either where the response is most like its minimum-phase version (what foleyspace renders with) or where it
first comes to a fifth of its peak (`foleyspace evaluate --phase onset`, as other renderers do). Mean error of
the phase between the ears from 100 to 1500 Hz over all directions, weighted with the level, in radians.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from foleyspace.errors import InputError
from foleyspace.hrir import load_hrirs, minimum_phase_hrirs, onset_hrirs
from foleyspace.types import Hrirs

RATE, SIZE, BAND = 48000, 4096, (100, 1500)


def between_ears(hrirs: Hrirs) -> np.ndarray:
    """Left times the conjugate of right (M, K), in the band where phase is heard, delays included."""
    f = np.fft.rfftfreq(SIZE, 1 / RATE)
    f = f[(f > BAND[0]) & (f < BAND[1])]
    turn = np.exp(-2j * np.pi / RATE * np.outer(np.arange(hrirs.ir.shape[-1]), f))
    left, right = np.moveaxis(hrirs.ir @ turn, 1, 0)
    later = hrirs.delay[:, 0] - hrirs.delay[:, 1]
    return np.asarray(left * right.conj() * np.exp(-2j * np.pi / RATE * later[:, None] * f))


@click.command(help=__doc__)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
def main(files: tuple[Path, ...]) -> None:
    print("| set | minimum phase and delay | ... by onset |\n| --- | --- | --- |")
    for path in files:
        try:
            hrirs = load_hrirs(path, RATE)
        except InputError as error:
            raise click.UsageError(str(error)) from None
        measured = between_ears(hrirs)
        cells = []
        for made in (minimum_phase_hrirs(hrirs), onset_hrirs(hrirs)):
            error = np.abs(np.angle(between_ears(made) * measured.conj()))
            cells.append(f"{np.average(error, weights=np.abs(measured)):.3f}")
        print(f"| {path.stem} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
