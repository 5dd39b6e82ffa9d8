"""How well the separator tells two sounds apart that it was not trained on.

    python scripts/bench/pairs.py SOUNDS [--weights FILE] [--pairs 40] [--rounds 0]

SOUNDS: a folder of labelled sounds with an INDEX.csv, as `foleyspace train` takes it; pairs are drawn from
those that training keeps aside. Printed: SNR of the stems (dB, mean) when both get half of everything, as
the separator gives them, and with the two exchanged where that is nearer; how often that is.
"""

from __future__ import annotations

from pathlib import Path

import click

from foleyspace.spatializer.inference import ROUNDS


@click.command(help=__doc__)
@click.argument("sounds", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--weights", default="auto", show_default=True)
@click.option("--pairs", default=40, show_default=True)
@click.option("--steps", default=1, show_default=True)
@click.option("--guidance", default=1.0, show_default=True)
@click.option("--rounds", default=ROUNDS, show_default=True, help="0: the network's own masks.")
def main(sounds: Path, weights: str, pairs: int, steps: int, guidance: float, rounds: int) -> None:
    import numpy as np
    import torch

    from foleyspace.spatializer.bands import BANDS, HOP, spectrum, to_bins
    from foleyspace.spatializer.dataset import draw_mixture, label_vectors
    from foleyspace.spatializer.sampling import predicted_masks
    from foleyspace.spatializer.sounds import load_sounds
    from foleyspace.spatializer.weights import load_separator

    frames = 144
    net, held = load_separator(weights), load_sounds(sounds, "held")
    vectors = label_vectors(held.labels)
    rows = []
    for number in range(pairs):
        mixture = draw_mixture(held, 2, frames * HOP, np.random.default_rng(number))
        stems = torch.from_numpy(mixture.stems)
        labels = torch.from_numpy(np.stack([vectors[label] for label in mixture.labels]))
        known = torch.ones(2, frames)
        with torch.inference_mode():
            masks = predicted_masks(
                net, stems.sum(dim=0), labels, known, steps=steps, guidance=guidance, rounds=rounds
            )
        true = spectrum(stems)[..., :frames]

        def snr_db(masks: torch.Tensor, true: torch.Tensor = true) -> float:
            error = to_bins(masks) * true.sum(dim=0) - true
            return float(10 * torch.log10(true.abs().square().sum() / error.abs().square().sum()))

        rows.append((snr_db(torch.full((2, BANDS, frames), 0.5)), snr_db(masks), snr_db(masks.flip(0))))
    even, given, exchanged = np.array(rows).T
    print(f"{pairs} pairs of {len(held.sounds)} sounds kept aside")
    print(f"half of everything {even.mean():5.2f} dB")
    print(f"the separator      {given.mean():5.2f} dB")
    print(f"the better way     {np.maximum(given, exchanged).mean():5.2f} dB")
    print(f"wrong way round    {100 * np.mean(exchanged > given):5.1f} %")


if __name__ == "__main__":
    main()
