"""The inside of a SOFA file (HDF5): its metadata walked and judged before any of its data is read.

A hostile file can point at other files (external storage, links), claim sizes that it does not hold, or
unpack to gigabytes, so nothing is read that has not been screened, and all of it through one open file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from foleyspace.errors import InputError

CONVENTION = "SimpleFreeFieldHRIR"
MAX_BYTES = 2 << 30
MAX_DIRECTIONS = 1_000_000
MAX_TAPS = 65_536
MAX_OBJECTS = 1_000
MAX_ATTRIBUTE_BYTES = 1 << 20
# measured responses compress to a half or a third, zeros to a hundredth or less
PACKED_BYTES, MAX_PACKING = 32 << 20, 50
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"

SMALL_ARRAYS = (
    "Data.Delay",
    "Data.SamplingRate",
    "SourcePosition",
    "ListenerPosition",
    "ListenerView",
    "ListenerUp",
    "ReceiverPosition",
)
REQUIRED = ("Data.IR", "Data.SamplingRate", "SourcePosition")
STRINGS = ("SOFAConventionsVersion", "Title", "DatabaseName", "License", "ListenerShortName")

Contents = dict[str, Any]
"""Arrays under their SOFA names in the file's own shapes, strings under "Name:Attribute" and ":Global"."""


class SofaFile:
    """A screened, open file: `contents`, all but the responses; `ir_shape` (M, 2, N); `bytes_needed` to hold
    everything as float64."""

    def __init__(self, file: Any) -> None:
        self._file = file
        _screen_convention(file)
        shapes, self.bytes_needed = _screen_objects(file)
        self.ir_shape = shapes["Data.IR"]
        self.contents: Contents = {}
        for name in SMALL_ARRAYS:
            if name in shapes:
                self.contents[name] = self._numbers(name)
                for attribute in ("Type", "Units"):
                    self.contents[f"{name}:{attribute}"] = _string(file[name], attribute).lower()
        for name in STRINGS:
            self.contents[f":{name}"] = _string(file, name)

    def responses(self) -> NDArray[np.float64]:
        """The bulk of the data: (M, 2, N)."""
        return self._numbers("Data.IR")

    def _numbers(self, name: str) -> NDArray[np.float64]:
        values: NDArray[np.float64] = self._file[name].astype(np.float64)[()]
        return values


@contextlib.contextmanager
def open_sofa(path: Path) -> Iterator[SofaFile]:
    """The file, screened. Raises `InputError`, whose text goes on after the file's name, for anything that
    is not a readable SimpleFreeFieldHRIR file, also when that shows only as it is read."""
    check_is_hdf5(path)
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield SofaFile(file)
    except InputError:
        raise
    except MemoryError:
        refuse("is damaged (it unpacks to more than it says)")
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        refuse("is truncated" if "truncated" in str(error) else f"is damaged ({_first_line(error)})")


def refuse(why: str, instead: str = "must be a readable SOFA file") -> NoReturn:
    """Raise `InputError`: the file "`why` but `instead`"."""
    raise InputError(" ".join(f"{why} but {instead}".split()))


def check_is_hdf5(path: Path) -> None:
    """Refuse, without opening what could block, all that is no regular readable HDF5 file."""
    if not path.exists():
        refuse("does not exist", "must be a SOFA file")
    if path.is_dir():
        refuse("is a folder", "must be a SOFA file")
    if not path.is_file():
        refuse("is a pipe or device", "must be a regular SOFA file")
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
        refuse(f"cannot be read ({error.strerror})")
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
        refuse(f"is {what}", f"must be a SOFA file ({CONVENTION})")


def _screen_convention(file: Any) -> None:
    convention = _string(file, "SOFAConventions")[:60]
    if not convention:
        refuse("is HDF5 without a SOFA convention", f"must be a SOFA file ({CONVENTION})")
    if convention != CONVENTION:
        refuse(f"has the SOFA convention {convention}", f"must have {CONVENTION}")
    data_type = _string(file, "DataType")[:60]
    if data_type != "FIR":
        refuse(f"has the data type {data_type or 'none'}", "must have FIR")


def _screen_objects(file: Any) -> tuple[dict[str, tuple[int, ...]], int]:
    """Shapes of the arrays we want, and the bytes that they take."""
    import h5py

    if len(file) > MAX_OBJECTS:
        refuse(f"has {len(file)} objects", f"must have at most {MAX_OBJECTS}")
    claimed = wanted = 0
    shapes: dict[str, tuple[int, ...]] = {}
    for name in file:
        if not isinstance(file.get(name, getlink=True), h5py.HardLink):
            refuse(f"has the link {name[:60]}", "must hold all its data itself")
        item = file[name]
        if not isinstance(item, h5py.Dataset):
            refuse(f"has the group or type {name[:60]}", "must be flat, as AES69 says")
        if item.external or item.is_virtual:
            refuse(f"keeps {name[:60]} in another file", "must hold all its data itself")
        chunk = int(np.prod(item.chunks or (0,), dtype=object))
        size = int(np.prod(item.shape or (0,), dtype=object))
        claimed += max(size, chunk) * item.dtype.itemsize
        if name in SMALL_ARRAYS or name == "Data.IR":
            if item.dtype.kind not in "fiu":
                refuse(f"has {name} of type {item.dtype}", "must hold numbers there")
            shapes[name] = tuple(int(n) for n in item.shape or ())
            wanted += max(size, chunk) * 8
    if claimed > MAX_BYTES:
        refuse(f"claims more than {MAX_BYTES >> 30} GiB of data", "must hold at most that")
    _screen_shapes(shapes)
    held = file.id.get_filesize()
    if wanted > max(PACKED_BYTES, MAX_PACKING * held):
        refuse(f"claims {wanted >> 20} MiB of data in {held >> 10} KiB", "must hold what it claims")
    return shapes, wanted


def _screen_shapes(shapes: dict[str, tuple[int, ...]]) -> None:
    for name in REQUIRED:
        if name not in shapes:
            refuse(f"has no {name}", "must have one")
    shape = shapes["Data.IR"]
    if len(shape) != 3 or 0 in shape:
        refuse(f"has Data.IR of shape {shape}", "must have (directions, 2, taps)")
    if shape[1] != 2:
        refuse(f"has {shape[1]} receiver{'s' * (shape[1] > 1)}", "must have 2: the ears")
    if shape[0] > MAX_DIRECTIONS:
        refuse(f"has {shape[0]} directions", f"must have at most {MAX_DIRECTIONS}")
    if shape[2] > MAX_TAPS:
        refuse(f"has {shape[2]} taps", f"must have at most {MAX_TAPS}")
    for name in SMALL_ARRAYS:  # two points a direction are the most there is
        if np.prod(shapes.get(name, ()), dtype=object) > 6 * shape[0]:
            refuse(f"has {name} of shape {shapes[name]}", f"must have {shape[0]} values of it at most")


def _string(item: Any, name: str) -> str:
    """A text attribute of a file or dataset, "" where there is none."""
    import h5py

    if name not in item.attrs:
        return ""
    if h5py.h5a.get_info(item.id, name.encode()).data_size > MAX_ATTRIBUTE_BYTES:
        refuse(f"has an absurdly long {name}", "must be a SOFA file")
    value = item.attrs[name]
    value = value.item() if isinstance(value, np.ndarray) and value.size == 1 else value
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text[:MAX_ATTRIBUTE_BYTES].strip()


def _first_line(error: BaseException) -> str:
    lines = str(error.args[-1] if error.args else error).strip().splitlines()
    return lines[0][:120] if lines else type(error).__name__
