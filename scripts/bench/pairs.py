"""How well the separator tells sounds apart that it was not trained on.

    python scripts/bench/pairs.py SOUNDS [--weights FILE] [--pairs 40] [--rounds 0] [--seconds 6] [--most 3]
                                         [--as-recorded]

SOUNDS: a folder of labelled sounds with an INDEX.csv, as `foleyspace train` takes it; pairs (with `--most 3`
and 4 also three and four sounds, in turn) are drawn from those that training keeps aside. Printed: SNR of the
stems (dB, mean) when each gets as much of everything, as the separator gives them, and with the stems
exchanged where that is nearer; how often that is. Sounds are changed as in training (speed, equaliser, room,
noise), or come as recorded, their levels drawn with a standard deviation of 2 dB.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foleyspace.spatializer.inference import ROUNDS

if TYPE_CHECKING:
    import numpy as np

    from foleyspace.spatializer.sounds import SoundSet
    from foleyspace.types import Samples


@click.command(help=__doc__)
@click.argument("sounds", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--weights", default="auto", show_default=True)
@click.option("--pairs", default=40, show_default=True, type=click.IntRange(1))
@click.option("--steps", default=1, show_default=True)
@click.option("--guidance", default=1.0, show_default=True)
@click.option("--rounds", default=ROUNDS, show_default=True, help="0: the network's own masks.")
@click.option("--seconds", default=3.0, show_default=True, type=click.FloatRange(0.5, 60))
@click.option("--most", default=2, show_default=True, type=click.IntRange(2, 4), help="Sounds at once.")
@click.option("--as-recorded", is_flag=True)
def main(
    sounds: Path,
    weights: str,
    pairs: int,
    steps: int,
    guidance: float,
    rounds: int,
    seconds: float,
    most: int,
    as_recorded: bool,
) -> None:
    import numpy as np
    import torch

    from foleyspace.spatializer.bands import BANDS, HOP, RATE, spectrum, to_bins
    from foleyspace.spatializer.conditioning import vectors_by_label
    from foleyspace.spatializer.sampling import predicted_masks
    from foleyspace.spatializer.sounds import load_sounds
    from foleyspace.spatializer.weights import load_separator

    frames = 16 * round(seconds * RATE / HOP / 16 + 0.5)  # other lengths would draw other pieces than before
    net, held = load_separator(weights), load_sounds(sounds, "held")
    vectors = vectors_by_label(held.labels, offline=True)
    draw = recorded if as_recorded else training_like
    asked = {"steps": steps, "guidance": guidance, "rounds": rounds}
    rows = []
    for number in range(pairs):
        count = 2 + number % (most - 1)
        drawn, names = draw(held, count, frames * HOP, np.random.default_rng(number))
        stems = torch.from_numpy(drawn)
        labels = torch.from_numpy(np.stack([vectors[name] for name in names]))
        with torch.inference_mode():
            masks = predicted_masks(net, stems.sum(dim=0), labels, torch.ones(count, frames), **asked)
        true = spectrum(stems)[..., :frames]

        def snr_db(masks: torch.Tensor, true: torch.Tensor = true) -> float:
            error = to_bins(masks) * true.sum(dim=0) - true
            return float(10 * torch.log10(true.abs().square().sum() / error.abs().square().sum()))

        # as given first, then every other way
        ways = [snr_db(masks[list(order)]) for order in itertools.permutations(range(count))]
        rows.append((snr_db(torch.full((count, BANDS, frames), 1 / count)), ways[0], max(ways)))
    even, given, turned = np.array(rows).T
    print(f"{pairs} mixtures of {len(held.sounds)} sounds kept aside")
    print(f"all to everyone    {even.mean():5.2f} dB")
    print(f"the separator      {given.mean():5.2f} dB")
    print(f"the better way     {turned.mean():5.2f} dB")
    print(f"wrong way round    {100 * np.mean(turned > given):5.1f} %")


def training_like(
    held: SoundSet, count: int, length: int, rng: np.random.Generator
) -> tuple[Samples, Sequence[str]]:
    from foleyspace.spatializer.dataset import draw_mixture

    mixture = draw_mixture(held, count, length, rng, akin=0.0)
    return mixture.stems, mixture.labels


def recorded(
    held: SoundSet, count: int, length: int, rng: np.random.Generator
) -> tuple[Samples, Sequence[str]]:
    import numpy as np

    from foleyspace.spatializer.dataset import NEAR_DB
    from foleyspace.spatializer.sounds import draw_piece

    stems: dict[str, Samples] = {}
    while len(stems) < count:
        sound = held.sounds[rng.choice(len(held.sounds), p=held.weights)]
        piece = draw_piece(sound, length, rng) * 10 ** (rng.normal(0, NEAR_DB) / 20)
        if sound.label not in stems and piece.any():
            stems[sound.label] = piece.astype(np.float32)
    return np.stack(list(stems.values())), list(stems)


if __name__ == "__main__":
    main()
