"""`scripts/average_weights.py`: the mean of checkpoints, of one network only."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from foleyspace.spatializer.weights import FORMAT
from foleyspace.tensor_file import write_tensors


@pytest.fixture
def main(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "scripts"))
    import average_weights

    yield average_weights.main
    sys.modules.pop("average_weights")


def checkpoint(path: Path, value: float, size: int = 3, kind: str = FORMAT) -> str:
    write_tensors(path, {"layer": torch.full((size,), value)}, {"format": kind, "steps": value})
    return str(path)


def test_the_mean_of_all_with_the_header_of_the_last(main, tmp_path):
    files = [checkpoint(tmp_path / f"{n}.safetensors", n) for n in (1.0, 2.0, 6.0)]
    result = CliRunner().invoke(main, [*files, str(tmp_path / "mean.safetensors")])
    assert result.exit_code == 0, result.output
    assert load_file(tmp_path / "mean.safetensors")["layer"].tolist() == [3.0, 3.0, 3.0]


@pytest.mark.parametrize(("size", "kind"), [(4, FORMAT), (3, "another")])
def test_another_network_is_refused_and_nothing_written(main, tmp_path, size, kind):
    files = [checkpoint(tmp_path / "a", 1.0), checkpoint(tmp_path / "b", 1.0, size, kind)]
    result = CliRunner().invoke(main, [*files, str(tmp_path / "mean")])
    assert result.exit_code == 2
    assert "Error:" in result.output and len(result.output.strip().splitlines()) == 1
    assert not (tmp_path / "mean").exists()
