"""Make `foleyspace/models/recogniser.safetensors` of the checkpoint of aiSFX (CC BY 4.0), its head untrained.

pip download --no-deps aisfx==0.1.2 && unzip aisfx-0.1.2-py2.py3-none-any.whl
python scripts/convert_sound_trunk.py aisfx/models/checkpoint.pth OUT.safetensors
python -m foleyspace.pipelines.train_recogniser sounds=FOLDER trunk=OUT.safetensors
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from foleyspace.spatializer.recogniser import WIDTHS, Recogniser, save_recogniser

EPSILON = 1e-5  # of the batch normalisation


def main(checkpoint: str, out: str) -> None:
    # the file also pickles a table of its data sets, in NumPy's integers: only a file that is trusted
    tensors = torch.load(checkpoint, map_location="cpu", weights_only=False)[0]
    recogniser = Recogniser()
    for block in range(len(WIDTHS)):
        for number, layers in ((1, recogniser.trunk.first), (2, recogniser.trunk.second)):
            at = f"embedding_net.conv_block{block + 1}."
            norm = {
                name: tensors[f"{at}bn{number}.{name}"]
                for name in ("weight", "bias", "running_mean", "running_var")
            }
            gain = norm["weight"] / torch.sqrt(norm["running_var"] + EPSILON)
            # theirs looks at (time, mel), ours at (mel, time)
            kernel = tensors[f"{at}conv{number}.weight"].transpose(2, 3) * gain[:, None, None, None]
            layers[block].weight.data.copy_(kernel)
            layers[block].bias.data.copy_(norm["bias"] - norm["running_mean"] * gain)
    save_recogniser(recogniser, Path(out), {"trunk": "aiSFX 0.1.2 (Ma & Lerch 2022), CC BY 4.0"})


if __name__ == "__main__":
    main(*sys.argv[1:3])
