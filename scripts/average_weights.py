"""Average the weights of several checkpoints of one training, name by name.

    python scripts/average_weights.py runs/spatializer/step00{2400,2600,2800}.safetensors mean.safetensors

The last name is the file to write. Checkpoints along one run err in different directions, and their mean is
often better than each (Izmailov et al. 2018, "Averaging weights leads to wider optima").
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from foleyspace.errors import InputError
from foleyspace.files import check_output
from foleyspace.spatializer.weights import FORMAT
from foleyspace.tensor_file import read_tensors, write_tensors

EXPECTED = "must be a separator's weights (made by foleyspace train)"


@click.command(help=__doc__)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--overwrite", is_flag=True)
def main(files: tuple[Path, ...], out: Path, overwrite: bool) -> None:
    try:
        average(files, check_output(out, overwrite=overwrite))
    except InputError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)


def average(files: tuple[Path, ...], out: Path) -> None:
    """Write the mean of `files` to `out`, with the header of the last. Raises `InputError` for files that are
    no separator's weights or of networks of different shapes."""
    header, mean = read_tensors(files[0], EXPECTED, FORMAT)
    shapes = {name: tensor.shape for name, tensor in mean.items()}
    for path in files[1:]:
        header, tensors = read_tensors(path, EXPECTED, FORMAT)
        if {name: tensor.shape for name, tensor in tensors.items()} != shapes:
            raise InputError(f"{path}: must be of the same network as {files[0]}")
        mean = {name: tensor + tensors[name] for name, tensor in mean.items()}
    write_tensors(out, {name: tensor / len(files) for name, tensor in mean.items()}, header)


if __name__ == "__main__":
    main()
