"""What text, fusion, flip classifier and guidance are for: the small TAS and TASU with parts left out.

    python scripts/bench/text_ablation.py SOUNDS HRTFS SET SET_HRTFS OUT [--only tas-add]

Pieces are drawn once (OUT/pieces.pt) and every variant learns from the same ones, so that they differ by
what is left out alone; `foleyspace train` draws new ones at each step. Then all are evaluated over SET in
their own formulation, and the ratios to mono|mono printed. About ten minutes of one core a variant, and five
for its evaluation; what is in OUT already is not done again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import torch
from ratios import main as ratios
from torch import Tensor

from foleyspace.pipelines.evaluate import EvaluateConfig
from foleyspace.pipelines.evaluate import run as evaluate
from foleyspace.pipelines.train import HELD_SEED, TrainConfig
from foleyspace.spatializer import tas, tasu, tasu_training
from foleyspace.spatializer.data_stream import training_data, validation_data
from foleyspace.spatializer.dataset import Batch, with_truth
from foleyspace.spatializer.hrtfs import HrtfBank
from foleyspace.spatializer.rate16 import RATE, to_16k
from foleyspace.spatializer.tas_net import TasNet
from foleyspace.spatializer.training import State, keep_memory

BATCHES, PIECES = 300, 8
TAS = {"tas-saf": "saf", "tas-add": "add", "tas-conv": "conv", "tas-none": "none"}
TASU = {"tasu": (True, True), "tasu-unflipped": (True, False), "tasu-untold": (False, False)}  # text, flipper
STEPS, CROP = {"tas": 600, "tasu": 800}, {"tas": RATE // 2, "tasu": 48 * 1024}
AUTOENCODER = 240  # steps of `tasu`
CHECKED = 100  # steps
RATE_OF_LEARNING, DECAY, AVERAGE = 2e-3, 0.01, 0.998
CPU = torch.device("cpu")

Told = tuple[Tensor, Tensor, Tensor]  # binaural sound (B, 2, n) at 16 kHz; its caption; the mirror image's


def draw(sounds: str, hrtfs: str, path: Path) -> dict[str, list[Told]]:
    """The pieces to learn from and those held aside, from `path` or drawn."""
    if not path.exists():
        config = TrainConfig(system="tas", sounds=sounds, hrtfs=hrtfs, text="minilm", batch=PIECES, seed=3)
        held, data = validation_data(config, HELD_SEED, CPU), training_data(config, 0, 0, CPU)
        pieces = {"held": [_told(batch, held.bank) for batch in held.pieces]}
        pieces["train"] = [_told(next(data.batches), data.bank) for _ in range(BATCHES)]
        torch.save(pieces, path)
    found: dict[str, list[Told]] = torch.load(path, weights_only=True)
    return found


def _told(batch: Batch, bank: HrtfBank) -> Told:
    heard = with_truth(batch, bank).truth
    assert heard is not None and batch.prompt is not None and batch.prompt_flipped is not None
    return to_16k(heard).half(), batch.prompt, batch.prompt_flipped


def shuffled(pieces: list[Told], crop: int) -> Iterator[Told]:
    """All of them over and over, each time in another order and from another moment on."""
    rng = random.Random(0)
    while True:
        for truth, text, flipped in rng.sample(pieces, len(pieces)):
            at = rng.randrange(truth.shape[-1] - crop + 1)
            yield truth[..., at : at + crop].float(), text, flipped


def learn(net: Any, steps: int, loss: Callable[[int], Tensor], check: Callable[[Any], str]) -> Any:
    """The averaged network after `steps` steps of `loss(step)`."""
    state = State(net, steps, RATE_OF_LEARNING, DECAY, AVERAGE)
    recent: list[float] = []
    while state.step < steps:
        net.train()
        value = loss(state.step)
        state.update(value)
        recent.append(float(value.detach()))
        if state.step % CHECKED == 0:
            mean = sum(recent) / len(recent)
            print(f"  step {state.step}: loss {mean:.3f} {check(state.average.module)}", flush=True)
            recent.clear()
    return state.average.module.eval()


def train_tas(fusion: Any, pieces: dict[str, list[Told]], out: Path) -> None:
    stream = shuffled(pieces["train"], CROP["tas"])
    aside = [
        (truth[..., RATE // 2 : RATE // 2 + CROP["tas"]].float(), *words) for truth, *words in pieces["held"]
    ]

    def loss(step: int) -> Tensor:
        return tas.loss_at_16k(net, *next(stream), torch.Generator().manual_seed(step))

    @torch.no_grad()
    def check(average: Any) -> str:
        average.eval()
        sums = dict.fromkeys(("told", "mirrored", "untold"), 0.0)
        for number, (truth, text, flipped) in enumerate(aside):
            for name, words in zip(sums, (text, flipped, torch.zeros_like(text)), strict=True):
                noise = torch.Generator().manual_seed(number)
                sums[name] += float(tas.noise_told(average, truth, words, noise))
        return "held " + ", ".join(f"{name} {value / len(aside):.3f}" for name, value in sums.items())

    torch.manual_seed(0)
    net = TasNet(fusion=fusion)
    tas.save_tas(learn(net, STEPS["tas"], loss, check), out, {"steps": STEPS["tas"], "text": "minilm"})


def train_tasu(parts: tuple[bool, bool], pieces: dict[str, list[Told]], out: Path) -> None:
    stream = shuffled(pieces["train"], CROP["tasu"])

    def loss(step: int) -> Tensor:
        batch = tasu_training.as_pieces(*next(stream))
        return tasu_training.tasu_loss(net, batch, torch.Generator().manual_seed(step))

    torch.manual_seed(0)
    text, flipper = parts
    net: Any = tasu_training.make_tasu(text=text, flipper=flipper, vae_steps=AUTOENCODER).net
    tasu.save_tasu(
        learn(net, STEPS["tasu"], loss, lambda _: ""), out, {"steps": STEPS["tasu"], "text": "minilm"}
    )


@click.command(help=__doc__)
@click.argument("sounds", type=click.Path(exists=True, file_okay=False))
@click.argument("hrtfs", type=click.Path(exists=True, file_okay=False))
@click.argument("items", metavar="SET", type=click.Path(exists=True, file_okay=False))
@click.argument("items_hrtfs", metavar="SET_HRTFS", type=click.Path(exists=True, file_okay=False))
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--only", multiple=True, type=click.Choice([*TAS, *TASU]), help="These variants alone.")
def main(sounds: str, hrtfs: str, items: str, items_hrtfs: str, out: Path, only: tuple[str, ...]) -> None:
    out.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    keep_memory()
    names = only or (*TAS, *TASU)
    pieces = draw(sounds, hrtfs, out / "pieces.pt")
    specs = []
    for name in names:
        weights = out / f"{name}.safetensors"
        if not weights.exists():
            print(name, flush=True)
            train_tas(TAS[name], pieces, weights) if name in TAS else train_tasu(TASU[name], pieces, weights)
        kind = name.partition("-")[0]
        specs.append(f"{kind}:weights={weights}")
        if name in ("tas-saf", "tasu"):
            specs.append(f"{kind}:weights={weights},guidance=1")
    config = EvaluateConfig(
        out=str(out / "evaluation"),
        systems=(*specs, "mono"),
        hrtfs=items_hrtfs,
        mono="sum",
        audio=False,
        offline=True,
        overwrite=True,
    )
    evaluate(items, config)
    ratios([str(out / "evaluation" / "metrics.json")], standalone_mode=False)


if __name__ == "__main__":
    main()
