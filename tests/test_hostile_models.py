"""Hostile model files: refused in one line, no code of theirs run, no memory taken for what they only claim."""

from __future__ import annotations

import json
import pickle
import resource
import struct
from pathlib import Path

import pytest

from foleyspace import word_vectors
from foleyspace.depth_files import load_network
from foleyspace.detect import load_detector
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.spatializer.baseline import load_baseline
from foleyspace.spatializer.weights import FORMAT, load_separator
from foleyspace.tagger import EmbeddedTagger
from foleyspace.tagger_hub import load_hub_tagger


def safetensors_file(
    path: Path, header: dict | None = None, size: int | None = None, data: bytes = b""
) -> Path:
    """By hand: 8 bytes of header size, the header, the data."""
    text = json.dumps(header or {}).encode()
    path.write_bytes(struct.pack("<Q", len(text) if size is None else size) + text + data)
    return path


def tensor(dtype: str, shape: list[int], size: int) -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}


LOADERS = {
    "separator": lambda path: load_separator(str(path)),
    "tagger": lambda path: EmbeddedTagger(offline=True, weights=path),
    "baseline": load_baseline,
}


@pytest.mark.parametrize("loader", LOADERS)
def test_hostile_weights_are_refused(tmp_path, loader):
    load, path = LOADERS[loader], tmp_path / "w.safetensors"
    huge = {"x": tensor("F32", [1 << 40, 1 << 20], 1 << 62)}
    cases = {
        "header of 2^62 bytes": lambda: safetensors_file(path, size=1 << 62),
        "header of 2^64 - 1 bytes": lambda: safetensors_file(path, size=(1 << 64) - 1),
        "header of 90 MB in nothing": lambda: safetensors_file(path, size=90_000_000),
        "tensor of 2^62 bytes": lambda: safetensors_file(path, huge),
        "tensor larger than its data": lambda: safetensors_file(
            path, {"x": tensor("F32", [64], 4)}, data=bytes(4)
        ),
        "another tensor": lambda: safetensors_file(path, {"x": tensor("F32", [1], 4)}, data=bytes(4)),
        "a NaN": lambda: safetensors_file(
            path, {"x": tensor("F32", [1], 4)}, data=struct.pack("<f", float("nan"))
        ),
        "metadata that is no text": lambda: safetensors_file(path, {"__metadata__": {"net": 5}}),
        "a pickle": lambda: path.write_bytes(pickle.dumps(Booby(tmp_path / "sprung"))),
        "nothing": lambda: path.write_bytes(b""),
    }
    for name, make in cases.items():
        make()
        with pytest.raises(InputError) as error:
            load(path)
        assert "\n" not in str(error.value), name
        assert str(path) in str(error.value), name
        assert len(str(error.value)) < 300 + len(str(path)), name
    assert not (tmp_path / "sprung").exists()


class Booby:
    """Pickled, it makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    "shape",
    [
        {"channels": [10**6] * 5, "condition": 10**6},
        {"channels": [2**62] * 5, "condition": 192},
        {"channels": [24] * 100_000, "condition": 192},
        {"channels": [-8, 8, 8, 8, 8], "condition": 192},
        {"channels": "24", "condition": 192},
        {"channels": [24, 48, 96, 160, 224], "condition": "x"},
        {"channels": [24.5, 48, 96, 160, 224], "condition": 192},
        {"channels": [24, 48, 96, 160, 224], "condition": 1e308},
    ],
)
def test_a_stated_size_takes_no_memory(tmp_path, shape):
    """The header may claim a network of any size: its tensors are compared before it is built."""
    header = {"__metadata__": {"format": FORMAT, "net": json.dumps(shape)}, "x": tensor("F32", [1], 4)}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="tensors do not fit"):
        load_separator(str(safetensors_file(tmp_path / "w.safetensors", header, data=bytes(4))))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB


def test_code_that_comes_with_a_model_is_not_run(tmp_path):
    """A folder may name Python code of its own, or hold pickles: neither is run."""
    pytest.importorskip("transformers")
    sprung = tmp_path / "sprung"
    model = tmp_path / "model"
    model.mkdir()
    (model / "code.py").write_text(f"open({str(sprung)!r}, 'w')\nclass C: pass\n")
    auto = dict.fromkeys(("AutoConfig", "AutoModel", "AutoModelForDepthEstimation"), "code.C")
    for kind in ("never-heard-of", "clap"):
        (model / "config.json").write_text(json.dumps({"model_type": kind, "auto_map": auto}))
        (model / "preprocessor_config.json").write_text(
            json.dumps(
                {
                    "image_processor_type": "DPTImageProcessor",
                    "feature_extractor_type": "ClapFeatureExtractor",
                }
            )
        )
        (model / "pytorch_model.bin").write_bytes(pickle.dumps(Booby(sprung), protocol=2))
        with pytest.raises(InputError):
            load_hub_tagger(str(model), offline=True)
        with pytest.raises(InputError):
            load_network(model, str(model), "cpu")
        with pytest.raises(FoleyspaceError):
            word_vectors._encoder(str(model), True)
        assert not sprung.exists(), kind


def test_a_detector_that_lies_about_is_not_unpickled(tmp_path, monkeypatch, caplog):
    """`auto` and a model's name do not mean a file in the folder one is in."""
    monkeypatch.setenv("FOLEYSPACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path / "config"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for name in ("yolo11n.pt", "yolo11s.pt"):
        Path(name).write_bytes(pickle.dumps(Booby(tmp_path / "sprung")))
    for name in ("auto", "yolo11s"):
        assert load_detector(name, offline=True).kind == "motion"
    assert not (tmp_path / "sprung").exists()
