"""The inside of a SOFA file (HDF5), screened before it is loaded, in a process that may die.

libhdf5 can hang or crash on a damaged file, and a hostile one can point at other files (external
storage, links), so a file of unknown origin is read by a child process with a time limit. It walks the
metadata with h5py first, refuses what no HRIR set needs, then loads through sofar.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from foleyspace.errors import FoleyspaceError, InputError

CONVENTION = "SimpleFreeFieldHRIR"
MAX_BYTES = 2 << 30
MAX_DIRECTIONS = 1_000_000
MAX_TAPS = 65_536
MAX_OBJECTS = 1_000
MAX_ATTRIBUTE_BYTES = 1 << 20
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"

ARRAYS = (
    "Data.IR",
    "Data.Delay",
    "Data.SamplingRate",
    "SourcePosition",
    "ListenerPosition",
    "ListenerView",
    "ListenerUp",
    "ReceiverPosition",
)
REQUIRED = ("Data.IR", "Data.SamplingRate", "SourcePosition")

Contents = dict[str, Any]
"""Arrays under their SOFA names in the file's own shapes, strings under "Name:Attribute" and ":Global"."""


def read_contents(path: Path, isolated: bool = True, timeout_s: float = 20.0) -> Contents:
    """Arrays and strings of a SimpleFreeFieldHRIR file.

    `isolated`: read in a child process that is killed after `timeout_s` (plus 1 s for every 20 MB).
    Raises `InputError` for anything that is not a readable SimpleFreeFieldHRIR file.
    """
    _check_is_hdf5(path)
    if not (isolated and sys.executable) or getattr(sys, "frozen", False):  # no Python to start
        return _load(path)
    limit_s = timeout_s + path.stat().st_size / 20e6
    with tempfile.TemporaryFile() as answer:
        code = (
            "import sys; sys.path[:] = sys.argv[1].splitlines(); "
            "from foleyspace.sofa_file import child; child(sys.argv[2])"
        )
        command = [sys.executable, "-c", code, "\n".join(sys.path), str(path.absolute())]
        try:
            run = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=subprocess.PIPE,
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            _refuse(path, f"is damaged (not read within {limit_s:.0f} s) but must be a readable SOFA file")
        if run.returncode < 0:
            _refuse(path, "is damaged (it crashes the HDF5 reader) but must be a readable SOFA file")
        if run.returncode != 0:
            last = run.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise FoleyspaceError(f"the SOFA reader failed on {path}: {' '.join(last)}")
        answer.seek(0)
        with np.load(answer, allow_pickle=False) as arrays:
            contents: Contents = {name: arrays[name] for name in arrays.files if name != "strings"}
            strings = json.loads(str(arrays["strings"]))
    if "error" in strings:
        _refuse(path, strings["error"])
    return contents | strings


def child(path: str) -> None:
    """Entry point of the child process: the contents, or the reason for refusing, as npz on stdout."""
    answer = os.dup(1)
    os.dup2(2, 1)  # what libraries print must not get into the answer
    strings: dict[str, str] = {}
    arrays: dict[str, Any] = {}
    try:
        contents = _load(Path(path))
        strings = {key: value for key, value in contents.items() if isinstance(value, str)}
        arrays = {key: value for key, value in contents.items() if not isinstance(value, str)}
    except InputError as error:
        strings = {"error": str(error.args[0]).partition("` ")[2]}
    with open(answer, "wb") as stream:
        buffer = io.BytesIO()
        np.savez(buffer, strings=np.array(json.dumps(strings)), **arrays)
        stream.write(buffer.getbuffer())


def _refuse(path: Path, why: str) -> NoReturn:
    raise InputError(f"`{path}` {' '.join(why.split())}")


def _check_is_hdf5(path: Path) -> None:
    """Refuse, without opening what could block, all that is no regular readable HDF5 file."""
    if not path.exists():
        _refuse(path, "does not exist but must be a SOFA file")
    if path.is_dir():
        _refuse(path, "is a folder but must be a SOFA file")
    if not path.is_file():
        _refuse(path, "is a pipe or device but must be a regular SOFA file")
    try:
        with open(path, "rb") as stream:
            head = stream.read(512)
            found = head.startswith(HDF5_SIGNATURE)
            offset = 512  # a user block may precede the signature: 512, 1024, 2048 ... bytes
            while not found and offset + 8 <= path.stat().st_size:
                stream.seek(offset)
                found = stream.read(8) == HDF5_SIGNATURE
                offset *= 2
    except OSError as error:
        _refuse(path, f"cannot be read ({error.strerror}) but must be a readable SOFA file")
    if not found:
        start = head.lstrip().lower()
        what = "no HDF5 file"
        if not head:
            what = "empty"
        elif start.startswith((b"<!doctype", b"<html", b"<?xml")):
            what = "a web page"
        elif start.startswith(b"version https://git-lfs"):
            what = "a Git LFS pointer (`git lfs pull` gets the file)"
        elif head.startswith(b"CDF"):
            what = "a netCDF-3 file"
        _refuse(path, f"is {what} but must be a SOFA file ({CONVENTION})")


def _load(path: Path) -> Contents:
    shapes = _screen(path)
    try:
        sofa = _sofar(path)
        contents: Contents = {}
        for name, shape in shapes.items():
            values = getattr(sofa, name.replace(".", "_"))
            # sofar drops trailing axes of length 1 and masks fill values
            values = np.ma.filled(np.ma.asarray(values, dtype=np.float64), np.nan)
            contents[name] = values.reshape(shape)
            for attribute in ("Type", "Units"):
                value = getattr(sofa, f"{name.replace('.', '_')}_{attribute}", "")
                contents[f"{name}:{attribute}"] = str(value).strip().lower()
    except (OSError, RuntimeError, ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        _refuse(path, f"is damaged ({_first_line(error)}) but must be a readable SOFA file")
    for name in ("SOFAConventionsVersion", "Title", "DatabaseName", "License", "ListenerShortName"):
        contents[f":{name}"] = str(getattr(sofa, f"GLOBAL_{name}", "")).strip()
    return contents


def _sofar(path: Path) -> Any:
    with warnings.catch_warnings(), contextlib.ExitStack() as stack:
        warnings.simplefilter("ignore")
        import sofar

        path = path.absolute()
        if path.suffix != ".sofa":  # sofar looks for the same name with this suffix
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            link = Path(folder) / "set.sofa"
            try:
                link.symlink_to(path)
            except OSError:
                link.write_bytes(path.read_bytes())
            path = link
        # not sofar.read_sofa: that knows two versions of the convention only and fills in their defaults
        return sofar.io.read_sofa_as_netcdf(str(path))


def _screen(path: Path) -> dict[str, tuple[int, ...]]:
    """Walk the metadata, read no data. Returns the shapes of the arrays we want."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            _screen_convention(path, file)
            return _screen_objects(path, file)
    except InputError:
        raise
    except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        what = "is truncated" if "truncated" in str(error) else f"is damaged ({_first_line(error)})"
        _refuse(path, f"{what} but must be a readable SOFA file")


def _screen_convention(path: Path, file: Any) -> None:
    import h5py

    found = {}
    for name in ("Conventions", "SOFAConventions", "DataType"):
        found[name] = ""
        if name in file.attrs:
            if h5py.h5a.get_info(file.id, name.encode()).data_size > MAX_ATTRIBUTE_BYTES:
                _refuse(path, f"has an absurdly long {name} but must be a SOFA file")
            value = file.attrs[name]
            value = value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
            found[name] = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    convention = found["SOFAConventions"][:60]
    if not convention:
        _refuse(path, f"is HDF5 without a SOFA convention but must be a SOFA file ({CONVENTION})")
    if convention != CONVENTION:
        _refuse(path, f"has the SOFA convention {convention} but must have {CONVENTION}")
    if found["DataType"] != "FIR":
        _refuse(path, f"has the data type {found['DataType'][:60] or 'none'} but must have FIR")


def _screen_objects(path: Path, file: Any) -> dict[str, tuple[int, ...]]:
    import h5py

    if len(file) > MAX_OBJECTS:
        _refuse(path, f"has {len(file)} objects but must have at most {MAX_OBJECTS}")
    total = 0
    shapes: dict[str, tuple[int, ...]] = {}
    for name in file:
        if not isinstance(file.get(name, getlink=True), h5py.HardLink):
            _refuse(path, f"has the link {name[:60]} but must hold all its data itself")
        item = file[name]
        if not isinstance(item, h5py.Dataset):
            _refuse(path, f"has the group or type {name[:60]} but must be flat, as AES69 says")
        if item.external or item.is_virtual:
            _refuse(path, f"keeps {name[:60]} in another file but must hold all its data itself")
        chunk = int(np.prod(item.chunks or (0,), dtype=object)) * item.dtype.itemsize
        size = int(np.prod(item.shape or (0,), dtype=object)) * item.dtype.itemsize
        total += max(size, chunk)
        if total > MAX_BYTES:
            _refuse(path, f"claims more than {MAX_BYTES >> 30} GiB of data but must hold at most that")
        for attribute in item.attrs:
            if h5py.h5a.get_info(item.id, attribute.encode()).data_size > MAX_ATTRIBUTE_BYTES:
                _refuse(path, f"has an absurdly long attribute of {name[:60]} but must be a SOFA file")
        if name in ARRAYS:
            if item.dtype.kind not in "fiu":
                _refuse(path, f"has {name} of type {item.dtype} but must hold numbers there")
            shapes[name] = tuple(int(n) for n in item.shape or ())
    for name in REQUIRED:
        if name not in shapes:
            _refuse(path, f"has no {name} but must have one")
    shape = shapes["Data.IR"]
    if len(shape) != 3 or 0 in shape:
        _refuse(path, f"has Data.IR of shape {shape} but must have (directions, 2, taps)")
    if shape[1] != 2:
        _refuse(path, f"has {shape[1]} receiver{'s' * (shape[1] > 1)} but must have 2: the ears")
    if shape[0] > MAX_DIRECTIONS:
        _refuse(path, f"has {shape[0]} directions but must have at most {MAX_DIRECTIONS}")
    if shape[2] > MAX_TAPS:
        _refuse(path, f"has {shape[2]} taps but must have at most {MAX_TAPS}")
    return shapes


def _first_line(error: BaseException) -> str:
    lines = str(error.args[-1] if error.args else error).strip().splitlines()
    return lines[0][:120] if lines else type(error).__name__
