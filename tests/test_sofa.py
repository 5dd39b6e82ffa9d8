"""SOFA in: what is right comes out right whatever the file's frame, ears or units; what is wrong is one line."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import stat
import sys
import time
import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest

from foleyspace import sofa_file
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.sofa import read_sofa
from foleyspace.sofa_ears import interaural_delay_us
from foleyspace.spherical_head import head_hrir

RATE = 48_000
POLAR = np.array([[az, el, 1.4] for el in (-30, 0, 30, 60) for az in range(0, 360, 30)], np.float64)


def cartesian(polar: np.ndarray) -> np.ndarray:
    azimuth, elevation = np.radians(polar[:, 0]), np.radians(polar[:, 1])
    x, y = np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation)
    return polar[:, 2:] * np.stack([x, y, np.sin(elevation)], axis=1)


XYZ = cartesian(POLAR)
IR = head_hrir(XYZ, RATE, 128, pinna=False, torso=False)


@pytest.fixture
def write(tmp_path):
    """Writes a valid SOFA file of a computed head; keywords replace fields, None removes them."""

    def write(**fields) -> Path:
        import sofar

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sofa = sofar.Sofa("SimpleFreeFieldHRIR")
            values = {
                "Data_IR": IR,
                "Data_SamplingRate": RATE,
                "SourcePosition": POLAR,
                "SourcePosition_Type": "spherical",
                "SourcePosition_Units": "degree, degree, metre",
                "GLOBAL_Title": "a title",
                "GLOBAL_ListenerShortName": "a sphere",
                "GLOBAL_License": "free",
            }
            for key, value in {**values, **fields}.items():
                if value is not None:
                    setattr(sofa, key, value)
            path = tmp_path / f"set{len(list(tmp_path.iterdir()))}.sofa"
            sofa.verify(issue_handling="ignore", mode="write")  # sets the dimensions, finds our faults
            sofar.io._write_sofa(str(path), sofa, verify=False)
        return path

    return write


def read(path, **options):
    return read_sofa(path, **{"isolated": False, **options})


def refused(path, *words, **options) -> str:
    with pytest.raises(InputError) as error:
        read(path, **options)
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 400 + len(str(path))
    assert str(path) in message
    for word in words:
        assert word in message, message
    return message


# ---------------------------------------------------------------- what is right


def test_values_come_out_as_they_went_in(write, capfd):
    for isolated in (False, True):
        raw = read_sofa(write(), isolated=isolated)
        np.testing.assert_array_equal(raw.ir, IR)
        np.testing.assert_allclose(raw.xyz, XYZ, atol=1e-12)
        assert raw.delay.shape == (len(IR), 2)
        assert not raw.delay.any()
        assert (raw.rate, raw.name, raw.title, raw.licence) == (RATE, "a sphere", "a title", "free")
        assert raw.convention == "SimpleFreeFieldHRIR 1.0"
        assert raw.notes == ()
        assert not raw.ir.flags.writeable
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("stored", "expected"), [(8000.0, 8000), (44100.0, 44100), (48828.125, 48828), (192000.0, 192000)]
)
def test_any_rate(write, stored, expected):
    assert read(write(Data_SamplingRate=stored)).rate == expected


def test_units_and_types_of_position_do_not_matter(write):
    radian = np.column_stack([np.radians(POLAR[:, :2]), POLAR[:, 2]])
    for position, kind, units in (
        (XYZ, "cartesian", "metre"),
        (XYZ, "cartesian", "meter, meter, meter"),
        (radian, "spherical", "radian, radian, metre"),
        (POLAR - [360, 0, 0], "spherical", "degree, degree, meter"),
    ):
        path = write(SourcePosition=position, SourcePosition_Type=kind, SourcePosition_Units=units)
        np.testing.assert_allclose(read(path).xyz, XYZ, atol=1e-9)


def rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> np.ndarray:
    c, s = (
        np.cos(np.radians([yaw_deg, pitch_deg, roll_deg])),
        np.sin(np.radians([yaw_deg, pitch_deg, roll_deg])),
    )
    z = np.array([[c[0], -s[0], 0], [s[0], c[0], 0], [0, 0, 1]])
    y = np.array([[c[1], 0, s[1]], [0, 1, 0], [-s[1], 0, c[1]]])
    x = np.array([[1, 0, 0], [0, c[2], -s[2]], [0, s[2], c[2]]])
    return z @ y @ x


def test_a_listener_turned_and_moved_in_the_room_changes_nothing(write):
    turn, place = rotation(50, 20, -35), np.array([2.0, -1.0, 1.7])
    path = write(
        SourcePosition=XYZ @ turn.T + place,
        SourcePosition_Type="cartesian",
        SourcePosition_Units="metre",
        ListenerPosition=place,
        ListenerView=3 * turn[:, 0],
        ListenerUp=turn[:, 2] + 0.2 * turn[:, 0],  # need not be at a right angle
    )
    raw = read(path)
    np.testing.assert_allclose(raw.xyz, XYZ, atol=1e-9)
    assert any("turned" in note for note in raw.notes)


def test_a_turntable_measurement(write):
    """One loudspeaker, the listener turned: another view for every response."""
    ring = POLAR[:, 1] == 0
    view = np.column_stack([-POLAR[ring, 0], np.zeros(ring.sum()), np.ones(ring.sum())])
    path = write(
        Data_IR=IR[ring],
        SourcePosition=[0, 0, 1.4],
        ListenerView=view,
        ListenerView_Type="spherical",
        ListenerView_Units="degree, degree, metre",
        ListenerUp=[0, 0, 1],  # meant cartesian, whatever the view's type
    )
    np.testing.assert_allclose(read(path).xyz, XYZ[ring], atol=1e-9)


def test_a_cartesian_view_under_a_spherical_type(write):
    raw = read(write(ListenerView=[1, 0, 0], ListenerView_Type="spherical", ListenerUp=[0, 0, 1]))
    np.testing.assert_allclose(raw.xyz, XYZ, atol=1e-9)


def test_a_view_without_direction_is_taken_as_front(write):
    raw = read(write(ListenerView=[0, 0, 0]))
    np.testing.assert_allclose(raw.xyz, XYZ, atol=1e-9)
    assert any("no frame" in note for note in raw.notes)


@pytest.mark.parametrize("metadata_swapped", [False, True])
@pytest.mark.parametrize("sound_swapped", [False, True])
def test_the_sound_decides_which_ear_is_which(write, caplog, sound_swapped, metadata_swapped):
    receivers = np.array([[0, 0.09, 0], [0, -0.09, 0]]) * (-1 if metadata_swapped else 1)
    path = write(Data_IR=IR[:, ::-1] if sound_swapped else IR, ReceiverPosition=receivers)
    with caplog.at_level(logging.INFO, "foleyspace"):
        raw = read(path)
    np.testing.assert_array_equal(raw.ir, IR)
    assert ("sound says otherwise" in caplog.text) == (sound_swapped != metadata_swapped)
    assert ("put in order" in caplog.text) == sound_swapped


def test_ears_are_told_by_level_alone_or_by_delay_alone(write):
    level = np.zeros_like(IR)
    level[:, 0, 10] = 1 + 0.6 * XYZ[:, 1] / 1.4
    level[:, 1, 10] = 1 - 0.6 * XYZ[:, 1] / 1.4
    np.testing.assert_array_equal(read(write(Data_IR=level[:, ::-1])).ir, level)
    pulse = np.zeros_like(IR)
    pulse[:, :, 10] = 1
    delay = 20 + 15 * np.column_stack([-XYZ[:, 1], XYZ[:, 1]]) / 1.4
    raw = read(write(Data_IR=pulse, Data_Delay=delay[:, ::-1]))
    np.testing.assert_allclose(raw.delay, delay)


def test_on_the_median_plane_the_metadata_decide(write):
    median = np.abs(XYZ[:, 1]) < 1e-9
    ir = IR[median] * [[[1.0], [0.5]]]
    raw = read(
        write(
            Data_IR=ir,
            SourcePosition=POLAR[median],
            ReceiverPosition=np.array([[0, -0.09, 0], [0, 0.09, 0]]),
        )
    )
    np.testing.assert_array_equal(raw.ir, ir[:, ::-1])
    assert any("by the metadata" in note for note in raw.notes)


def test_delays_are_broadcast_and_never_negative(write):
    each = np.column_stack([np.arange(len(IR)), np.arange(len(IR))]) * 0.25
    for stored, expected in (
        ([[3.0, 3.0]], np.full((len(IR), 2), 3.0)),
        (each, each),
        ([[-2.0, -2.0]], np.zeros((len(IR), 2))),
    ):
        np.testing.assert_allclose(read(write(Data_Delay=np.array(stored))).delay, expected)


def test_duplicates_and_silent_directions_are_left_out(write):
    ir, polar = np.concatenate([IR, 2 * IR[:3]]), np.concatenate([POLAR, POLAR[:3] + [360, 0, 0]])
    ir[7] = 0
    raw = read(write(Data_IR=ir, SourcePosition=polar))
    np.testing.assert_array_equal(raw.ir, np.delete(IR, 7, axis=0))
    assert any("1 directions with a silent ear" in note for note in raw.notes)
    assert any("3 duplicated" in note for note in raw.notes)


def test_directions_at_several_distances_are_no_duplicates(write):
    both = np.concatenate([POLAR, POLAR * [1, 1, 0.5]])
    assert len(read(write(Data_IR=np.concatenate([IR, IR]), SourcePosition=both)).ir) == 2 * len(IR)


def test_a_distance_of_zero_means_not_known(write):
    raw = read(write(SourcePosition=POLAR * [1, 1, 0]))
    np.testing.assert_allclose(raw.xyz, XYZ / 1.4, atol=1e-9)
    assert any("taken as 1 m" in note for note in raw.notes)


def test_other_suffixes_are_read_too(write, tmp_path):
    for name in ("SET.SOFA", "set", "set.v1.h5", "set.sofa.part"):
        shutil.copy(write(), tmp_path / name)
        np.testing.assert_array_equal(read(tmp_path / name).ir, IR)


def test_old_and_unknown_versions_are_read(write):
    for version in ("0.4", "0.3", "7.1"):
        path = write()
        with h5py.File(path, "r+") as file:
            file.attrs["SOFAConventionsVersion"] = version
        assert read(path).convention == f"SimpleFreeFieldHRIR {version}"


def test_missing_optional_entries(write):
    path = write()
    with h5py.File(path, "r+") as file:
        for name in ("Data.Delay", "ListenerView", "ListenerUp", "ListenerPosition", "ReceiverPosition"):
            del file[name]
        del file.attrs["License"]
    raw = read(path)
    np.testing.assert_array_equal(raw.ir, IR)
    assert raw.licence == ""


def test_no_network_is_touched(write, monkeypatch):
    path = write()

    def refuse(*_, **__):
        raise AssertionError("a network connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    read(path)


# ---------------------------------------------------------------- what is wrong


def test_values_that_are_no_hrirs(write):
    nan, inf, huge, deaf = IR.copy(), IR.copy(), IR.copy(), IR.copy()
    nan[3, 0, 5], inf[4, 1, 0], huge[0, 0, 0] = np.nan, np.inf, 1e200
    deaf[:, 1] = 0
    refused(write(Data_IR=nan), "NaN", "1 of 48")
    refused(write(Data_IR=inf), "infinite")
    refused(write(Data_IR=huge), "peak")
    refused(write(Data_IR=0 * IR), "silent")
    refused(write(Data_IR=deaf), "one silent ear")
    refused(write(Data_IR=IR[:, :1], ReceiverPosition=[[0, 0.09, 0]], Data_Delay=[[0]]), "1 receiver", "2")
    refused(write(Data_IR=IR[:3], SourcePosition=POLAR[:3]), "3 usable directions", "4")
    one_place = np.tile(POLAR[:1], (len(IR), 1))
    refused(write(SourcePosition=one_place), "1 usable direction")


def test_positions_that_are_none(write):
    nowhere, in_head = POLAR.copy(), XYZ.copy()
    nowhere[5, 0], in_head[5] = np.nan, 0
    refused(write(SourcePosition=nowhere), "SourcePosition", "NaN")
    cartesian_fields = {"SourcePosition_Type": "cartesian", "SourcePosition_Units": "metre"}
    refused(write(SourcePosition=in_head, **cartesian_fields), "centre of the head")
    refused(write(SourcePosition=POLAR + [0, 90, 0]), "beyond 90")
    refused(write(SourcePosition=POLAR * [1, 1, -1]), "negative radius")
    refused(write(SourcePosition=POLAR * [1, 1, 1e9]), "nearer")


@pytest.mark.parametrize("rate", [0.0, -48000.0, 7999.0, 400e3, np.nan, np.inf])
def test_absurd_rates(write, rate):
    refused(write(Data_SamplingRate=rate), "sampling rate")


def replace_dataset(path: Path, name: str, **how) -> Path:
    with h5py.File(path, "r+") as file:
        del file[name]
        file.create_dataset(name, **how)
    return path


def test_shapes_and_sizes_are_checked_before_anything_is_read(write):
    started = time.monotonic()
    wrong = {
        "(48, 2)": (48, 2),
        "(0, 2, 128)": (0, 2, 128),
        "3 receivers": (48, 3, 128),
        "70000 taps": (48, 2, 70_000),
        "2 GiB": (40_000, 2, 4096),
        "1000001 directions": (1_000_001, 2, 8),
    }
    for words, shape in wrong.items():
        chunks = tuple(min(n, 64) or 1 for n in shape)
        maxshape = (None,) * len(shape)
        path = replace_dataset(
            write(), "Data.IR", shape=shape, dtype="f8", chunks=chunks, maxshape=maxshape, compression="gzip"
        )
        refused(path, words)
    bomb = replace_dataset(write(), "SourcePosition", shape=(200_000_000, 3), dtype="f8", chunks=(1000, 3))
    refused(bomb, "GiB")
    refused(replace_dataset(write(), "Data.IR", data=np.array([b"text"])), "numbers")
    refused(replace_dataset(write(), "Data.IR", data=7.0), "shape ()")
    refused(replace_dataset(write(), "SourcePosition", data=POLAR[:7]), "SourcePosition", "(7, 3)")
    refused(replace_dataset(write(), "Data.Delay", data=np.zeros((5, 2))), "Data.Delay", "(5, 2)")
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("name", ["Data.IR", "Data.SamplingRate", "SourcePosition"])
def test_missing_entries_are_named(write, name):
    path = write()
    with h5py.File(path, "r+") as file:
        del file[name]
    refused(path, f"no {name}")


def test_other_conventions_are_named(write):
    path = write()
    with h5py.File(path, "r+") as file:
        file.attrs["SOFAConventions"] = "MultiSpeakerBRIR"
    refused(path, "MultiSpeakerBRIR", "SimpleFreeFieldHRIR")
    with h5py.File(path, "r+") as file:
        file.attrs["SOFAConventions"] = "SimpleFreeFieldHRIR"
        file.attrs["DataType"] = "TF"
    refused(path, "TF", "FIR")
    with h5py.File(path, "r+") as file:
        del file.attrs["SOFAConventions"]
    refused(path, "without a SOFA convention")


def test_a_file_may_not_point_at_others(write, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(np.zeros(IR.size).tobytes())
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for target in (secret, pipe):
        path = write()
        with h5py.File(path, "r+") as file:
            del file["Data.IR"]
            file.create_dataset("Data.IR", IR.shape, "f8", external=[(str(target), 0, IR.nbytes)])
        refused(path, "another file")
        refused(path, "another file", isolated=True)
    other = write()
    path = write()
    with h5py.File(path, "r+") as file:
        del file["Data.IR"]
        file["Data.IR"] = h5py.ExternalLink(str(other), "/Data.IR")
    refused(path, "link", "Data.IR")
    path = write()
    with h5py.File(path, "r+") as file:
        file["loop"] = h5py.SoftLink("/loop")
    refused(path, "link")
    path = write()
    with h5py.File(path, "r+") as file:
        layout = h5py.VirtualLayout(shape=IR.shape, dtype="f8")
        layout[:] = h5py.VirtualSource(str(other), "Data.IR", shape=IR.shape)
        del file["Data.IR"]
        file.create_virtual_dataset("Data.IR", layout)
    refused(path, "another file")
    path = write()
    with h5py.File(path, "r+") as file:
        file["again"] = file["/"]  # a group that holds itself
    refused(path, "flat")


def test_paths_that_are_no_files(tmp_path, write, monkeypatch):
    refused(tmp_path / "missing.sofa", "does not exist")
    refused(tmp_path, "folder")
    os.mkfifo(tmp_path / "pipe.sofa")
    refused(tmp_path / "pipe.sofa", "pipe")
    refused(Path("/dev/zero"), "device")
    closed = write()
    closed.chmod(0)
    if os.access(closed, os.R_OK):  # root reads everything

        def refuse(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("builtins.open", refuse)
    refused(closed, "Permission denied")
    monkeypatch.undo()
    closed.chmod(stat.S_IRUSR | stat.S_IWUSR)


def test_truncated_copies(write, tmp_path):
    whole = write().read_bytes()
    cut = tmp_path / "cut.sofa"
    for size in (0, 5, 8, 100, 1000, 4096, len(whole) // 2, len(whole) - 1000, len(whole) - 1):
        cut.write_bytes(whole[:size])
        refused(cut, "but must be a")
    cut.write_bytes(whole[: len(whole) // 2])
    refused(cut, "truncated", isolated=True)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"hello", "no HDF5"),
        (b"\n<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS"),
        (b"CDF\x01" + bytes(100), "netCDF-3"),
        (os.urandom(5000), "no HDF5"),
    ],
)
def test_what_is_no_sofa_file_is_named(tmp_path, content, word):
    path = tmp_path / "x.sofa"
    path.write_bytes(content)
    refused(path, word)


@pytest.mark.skipif(sys.platform == "win32", reason="signals and shell scripts")
def test_a_reader_that_crashes_or_hangs_is_survived(write, tmp_path, monkeypatch):
    path, stand_in = write(), tmp_path / "python"
    stand_in.touch(0o755)
    monkeypatch.setattr(sys, "executable", str(stand_in))
    stand_in.write_text("#!/bin/sh\nkill -SEGV $$\n")
    refused(path, "crashes", isolated=True)
    stand_in.write_text("#!/bin/sh\nexec sleep 60\n")
    started = time.monotonic()
    refused(path, "not read within", isolated=True, timeout_s=0.3)
    assert time.monotonic() - started < 5
    stand_in.write_text("#!/bin/sh\necho trouble >&2\nexit 3\n")
    with pytest.raises(FoleyspaceError, match="trouble") as error:
        read(path, isolated=True)
    assert not isinstance(error.value, InputError)


# ---------------------------------------------------------------- real files


def test_every_public_set_has_its_left_ear_left(shared):
    files = sorted((shared / "hrir").glob("*.sofa"))
    assert len(files) >= 40
    for path in files:
        raw = read(path)
        left = raw.nearest(azimuth_deg=90)
        itd_us = interaural_delay_us(raw.ir[[left]], raw.delay[[left]], raw.rate)[0]
        energy = (raw.ir[left] ** 2).sum(axis=1)
        ild_db = 10 * np.log10(energy[0] / energy[1])
        assert 500 < itd_us < 850, path.name
        assert 6 < ild_db < 30, path.name
        assert np.linalg.norm(raw.xyz, axis=1).min() > 0.5, path.name


@pytest.mark.parametrize("name", ["MIT_KEMAR_large_pinna", "CIPIC", "LISTEN_IRC_1002_C"])
def test_another_reader_reads_the_same(shared, name):
    """sofar, through the netCDF library."""
    import sofar

    path = next((shared / "hrir").glob(f"{name}*.sofa"))
    raw = read(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = sofar.io.read_sofa_as_netcdf(str(path))
    assert raw.rate == other.Data_SamplingRate
    np.testing.assert_array_equal(raw.ir, other.Data_IR)
    np.testing.assert_allclose(raw.xyz, cartesian(np.asarray(other.SourcePosition)), atol=1e-9)


@pytest.mark.parametrize("name", ["MIT_KEMAR_large_pinna", "FHK_HRIR_L2354"])
def test_wrong_metadata_of_public_sets_are_noticed(shared, name, caplog):
    with caplog.at_level(logging.INFO, "foleyspace"):
        read(shared / "hrir" / f"{name}.sofa")
    assert "sound says otherwise" in caplog.text


def test_the_crash_corpus_is_refused(shared):
    files = sorted((shared / "sofa_bad").glob("*.sofa"))
    assert len(files) >= 15
    for path in files:
        started = time.monotonic()
        refused(path, "but must", isolated=True)
        assert time.monotonic() - started < 8


def test_a_damaged_byte_that_hangs_hdf5_is_survived(shared, tmp_path):
    """One byte of the global heap; the HDF5 library of the day may loop on it, or read it."""
    damaged = bytearray((shared / "hrir" / "LISTEN_IRC_1002_C.sofa").read_bytes())
    damaged[4799] = 4
    path = tmp_path / "hangs.sofa"
    path.write_bytes(damaged)
    started = time.monotonic()
    try:
        read_sofa(path, timeout_s=2)
    except InputError as error:
        assert "damaged" in str(error)  # noqa: PT017
    assert time.monotonic() - started < 8


def test_screening_reads_no_data(write, monkeypatch):
    """What is refused for its metadata is refused before any array is read, and what is refused for a rate,
    a delay or a position before the responses are."""
    read_names = []
    numbers = sofa_file.SofaFile._numbers

    def noted(self, name):
        read_names.append(name)
        return numbers(self, name)

    monkeypatch.setattr(sofa_file.SofaFile, "_numbers", noted)
    refused(replace_dataset(write(), "Data.IR", shape=(48, 2, 70_000), dtype="f8"), "taps")
    assert read_names == []
    two_rates = np.where(np.arange(len(IR)) < 20, 44100.0, 48000.0)
    nowhere = np.where(np.arange(len(IR))[:, None] == 5, np.nan, POLAR)
    for name, values in (
        ("Data.SamplingRate", two_rates),
        ("Data.Delay", np.full((1, 2), np.inf)),
        ("SourcePosition", nowhere),
    ):
        refused(replace_dataset(write(), name, data=values), "but must")
    assert "Data.IR" not in read_names
    read(write())
    assert read_names[-1] == "Data.IR"
