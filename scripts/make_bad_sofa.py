"""Write hostile SOFA files, one a case: what no reader may hang on, unpack, or follow.

    python scripts/make_bad_sofa.py FOLDER

Each begins as the same sound file, a computed head, and has one thing wrong.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

RATE, TAPS = 48_000, 128
POLAR = np.array([[az, el, 1.4] for el in (-30, 0, 30, 60) for az in range(0, 360, 30)], np.float64)
M = len(POLAR)


def write_sound_file(path: Path, convention: str = "SimpleFreeFieldHRIR") -> None:
    """A valid SimpleFreeFieldHRIR file."""
    import h5py

    from foleyspace.spherical_head import head_hrir

    azimuth, elevation = np.radians(POLAR[:, :2].T)
    x, y = np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation)
    xyz = 1.4 * np.stack([x, y, np.sin(elevation)], axis=1)
    with h5py.File(path, "w") as file:
        file.attrs.update(
            {
                "Conventions": "SOFA",
                "Version": "2.1",
                "SOFAConventions": convention,
                "SOFAConventionsVersion": "1.0",
                "DataType": "FIR",
                "Title": "made to be spoilt",
            }
        )
        file["Data.IR"] = head_hrir(xyz, RATE, TAPS, pinna=False, torso=False)
        file["Data.SamplingRate"] = np.array([float(RATE)])
        file["Data.SamplingRate"].attrs["Units"] = "hertz"
        file["Data.Delay"] = np.zeros((1, 2))
        spherical = {"Type": "spherical", "Units": "degree, degree, metre"}
        cartesian = {"Type": "cartesian", "Units": "metre"}
        for name, values, how in (
            ("SourcePosition", POLAR, spherical),
            ("ListenerPosition", np.zeros((1, 3)), cartesian),
            ("ListenerView", np.array([[1.0, 0, 0]]), cartesian),
            ("ListenerUp", np.array([[0, 0, 1.0]]), cartesian),
            ("ReceiverPosition", np.array([[0, 0.09, 0], [0, -0.09, 0]])[..., None], cartesian),
        ):
            file[name] = values
            file[name].attrs.update(how)


def replaced(path: Path, name: str, values: Any = None, **how: Any) -> None:
    """Put other data in the place of `name`, its attributes kept."""
    import h5py

    with h5py.File(path, "r+") as file:
        attributes = dict(file[name].attrs)
        del file[name]
        made = file.create_dataset(name, data=values, **how)
        made.attrs.update(attributes)


def with_value(path: Path, name: str, index: Any, value: float) -> None:
    import h5py

    with h5py.File(path, "r+") as file:
        file[name][index] = value


def external(path: Path, target: Path) -> None:
    """Responses kept outside, in a raw file that may be any file."""
    count = M * 2 * TAPS
    replaced(
        path, "Data.IR", shape=(M, 2, TAPS), dtype="f8", external=[(str(target.resolve()), 0, 8 * count)]
    )


def external_file(path: Path) -> None:
    target = path.with_name("private.bin")
    target.write_bytes(bytes(M * 2 * TAPS * 8))
    external(path, target)


def external_fifo(path: Path) -> None:
    target = path.with_name("pipe.bin")
    if not target.exists():
        os.mkfifo(target)
    external(path, target)


def linked(path: Path, link: Callable[[Any, Path], Any], name: str = "Data.IR") -> None:
    import h5py

    with h5py.File(path, "r+") as file:
        if name in file:
            del file[name]
        file[name] = link(h5py, path)


def virtual(path: Path) -> None:
    import h5py

    other = path.with_name("other.sofa")
    write_sound_file(other)
    with h5py.File(path, "r+") as file:
        layout = h5py.VirtualLayout(shape=(M, 2, TAPS), dtype="f8")
        layout[:] = h5py.VirtualSource(str(other), "Data.IR", shape=(M, 2, TAPS))
        del file["Data.IR"]
        file.create_virtual_dataset("Data.IR", layout)


def group_in_itself(path: Path) -> None:
    import h5py

    with h5py.File(path, "r+") as file:
        file["again"] = file["/"]


def declared(path: Path, shape: tuple[int, ...], name: str = "Data.IR", **how: Any) -> None:
    """A size that is claimed, with nothing stored."""
    replaced(path, name, shape=shape, dtype="f8", **how)


def zeros_packed(path: Path, directions: int = 10_000, taps: int = 10_000, **how: Any) -> None:
    """1.5 GiB of zeros, stored: 1.5 MB by deflate."""
    import h5py

    replaced(path, "Data.IR", shape=(directions, 2, taps), dtype="f8", chunks=(200, 2, taps), **how)
    with h5py.File(path, "r+") as file:
        stored = file["Data.IR"]
        stored[:200] = 0
        file.flush()
        _, packed = stored.id.read_direct_chunk((0, 0, 0))
        for start in range(200, directions, 200):
            stored.id.write_direct_chunk((start, 0, 0), packed)


def lying_chunk(path: Path) -> None:
    """A chunk said to hold 96 KiB whose deflate stream unpacks to 4 GiB."""
    import zlib

    import h5py

    packer = zlib.compressobj(9)
    header = packer.compress(bytes(1)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)  # stands by itself
    packed = header + 256 * block + packer.flush()
    replaced(path, "Data.IR", shape=(M, 2, TAPS), dtype="f8", chunks=(M, 2, TAPS), compression="gzip")
    with h5py.File(path, "r+") as file:
        file["Data.IR"].id.write_direct_chunk((0, 0, 0), packed)


def in_radians(path: Path) -> None:
    import h5py

    replaced(path, "SourcePosition", np.column_stack([np.radians(POLAR[:, :2]), POLAR[:, 2]]))
    with h5py.File(path, "r+") as file:
        file["SourcePosition"].attrs["Units"] = "radian, radian, metre"


def facing_back(path: Path) -> None:
    """As measured with the listener's back to the x axis: view and positions both say so."""
    with_value(path, "ListenerView", (0, 0), -1.0)
    replaced(path, "SourcePosition", POLAR + [180.0, 0, 0])


def long_attribute(path: Path) -> None:
    import h5py

    with h5py.File(path, "r+") as file:
        del file.attrs["SOFAConventions"]
        file.attrs.create("SOFAConventions", "SimpleFreeFieldHRIR" + 60_000 * "x")


def instead(content: bytes) -> Callable[[Path], None]:
    return lambda path: void(path.write_bytes(content))


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def as_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def void(_: object) -> None:
    return None


BAD: dict[str, Callable[[Path], None]] = {
    "external_storage": external_file,
    "external_fifo": external_fifo,
    "external_link": lambda p: linked(p, lambda h5, path: h5.ExternalLink(str(path), "/Data.IR")),
    "soft_link_cycle": lambda p: linked(p, lambda h5, _: h5.SoftLink("/Data.IR")),
    "soft_link_cycle_elsewhere": lambda p: linked(p, lambda h5, _: h5.SoftLink("/loop"), "loop"),
    "virtual_dataset": virtual,
    "group_in_itself": group_in_itself,
    "declared_700_gib": lambda p: declared(p, (45_875_200, 2, 1024), chunks=(64, 2, 1024)),
    "declared_700_gib_elsewhere": lambda p: declared(p, (93_952_409_600,), "ListenerUp", chunks=(1024,)),
    "declared_1_gib_of_nothing": lambda p: declared(p, (65_536, 2, 1024), chunks=(64, 2, 1024)),
    "one_chunk_of_1_gib": lambda p: declared(
        p, (M, 2, TAPS), chunks=(65_536, 2, 1024), maxshape=(None, 2, None)
    ),
    "deflate_bomb": lambda p: zeros_packed(p, compression="gzip", compression_opts=9),
    "deflate_bomb_level_1": lambda p: zeros_packed(p, compression="gzip", compression_opts=1),
    "lzf_bomb": lambda p: zeros_packed(p, 4_000, 4_000, compression="lzf"),
    "lying_chunk": lying_chunk,
    "two_rates": lambda p: replaced(p, "Data.SamplingRate", np.repeat([44_100.0, 48_000.0], M // 2)),
    "rate_nan": lambda p: with_value(p, "Data.SamplingRate", 0, np.nan),
    "rate_zero": lambda p: with_value(p, "Data.SamplingRate", 0, 0.0),
    "responses_zero": lambda p: with_value(p, "Data.IR", ..., 0.0),
    "responses_nan": lambda p: with_value(p, "Data.IR", (3, 0, 5), np.nan),
    "responses_1e12": lambda p: with_value(p, "Data.IR", (3, 0, 5), 1e12),
    "one_ear_silent": lambda p: with_value(p, "Data.IR", (slice(None), 1), 0.0),
    "position_nan": lambda p: with_value(p, "SourcePosition", (3, 0), np.nan),
    "position_one_place": lambda p: replaced(p, "SourcePosition", np.tile(POLAR[:1], (M, 1))),
    "position_negative_radius": lambda p: with_value(p, "SourcePosition", (3, 2), -1.0),
    "position_far": lambda p: with_value(p, "SourcePosition", (3, 2), 1e12),
    "reversed_view_against_the_sound": lambda p: with_value(p, "ListenerView", (0, 0), -1.0),
    "three_ears": lambda p: replaced(p, "Data.IR", np.ones((M, 3, TAPS))),
    "delay_absurd": lambda p: with_value(p, "Data.Delay", (0, 0), 1e9),
    "delay_nan": lambda p: with_value(p, "Data.Delay", (0, 0), np.nan),
    "unknown_convention": lambda p: write_sound_file(p, "GeneralTF-E"),
    "long_convention": long_attribute,
    "no_hdf5": instead(b"these are no responses\n" * 100),
    "signature_only": instead(b"\x89HDF\r\n\x1a\n" + bytes(2000)),
    "empty": instead(b""),
    "truncated": truncated,
    "folder": as_folder,
    "fifo": as_fifo,
}

ODD: dict[str, Callable[[Path], None]] = {
    "reversed_view": facing_back,
    "radians": in_radians,
    "negative_delays": lambda p: replaced(p, "Data.Delay", np.full((M, 2), -3.5)),
    "radius_zero": lambda p: with_value(p, "SourcePosition", (slice(None), 2), 0.0),
    "duplicates": lambda p: with_value(p, "SourcePosition", (1, 0), 0.0),
}
"""What is legal or has one meaning: read, with a note."""


def write_case(name: str, folder: Path) -> Path:
    """`name` of `BAD` or `ODD` as a file in `folder`."""
    path = folder / f"{name}.sofa"
    write_sound_file(path)
    (BAD | ODD)[name](path)
    return path


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    for case in BAD | ODD:
        print(write_case(case, Path(sys.argv[1])))
