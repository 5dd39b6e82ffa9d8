"""scripts/debian_sounds.py: packages of Debian -> a folder of labelled sounds."""

from __future__ import annotations

import csv
import hashlib
import io
import lzma
import struct
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

SCRIPTS = Path(__file__).parent.parent / "scripts"
RATE = 22050


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import debian_archive
    import debian_sounds

    yield debian_archive, debian_sounds
    for name in ("debian_archive", "debian_sounds", "soundfont_phrases"):
        sys.modules.pop(name, None)


def wav(frequency: float, seconds: float, silence_s: float = 0.5) -> bytes:
    times = np.arange(int(seconds * RATE)) / RATE
    quiet = np.zeros(int(silence_s * RATE))
    samples = np.concatenate([quiet, 0.2 * np.sin(2 * np.pi * frequency * times), quiet])
    with io.BytesIO() as file:
        soundfile.write(file, samples, RATE, format="WAV")
        return file.getvalue()


def deb(files: dict[str, bytes]) -> bytes:
    """A Debian package: an ar archive with a data.tar.xz."""
    with io.BytesIO() as packed:
        with tarfile.open(fileobj=packed, mode="w:xz") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(f"./{name}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        members = {"debian-binary": b"2.0\n", "control.tar.xz": b"odd", "data.tar.xz": packed.getvalue()}
    made = b"!<arch>\n"
    for name, content in members.items():
        made += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        made += content + b"\n" * (len(content) % 2)
    return made


def qt_resources(name: str, content: bytes) -> bytes:
    """A Qt resource file of version 1 with one compressed file in a folder without name."""
    packed = struct.pack(">I", len(content)) + zlib.compress(content)
    data = struct.pack(">I", len(packed)) + packed
    names = struct.pack(">HI", 0, 0) + struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    tree = struct.pack(">IHII", 0, 2, 1, 1) + struct.pack(">IHHHI", 6, 1, 0, 0, 0)
    header = 20
    places = (header + len(data) + len(names), header, header + len(data))
    return b"qres" + struct.pack(">iiii", 1, *places) + data + names + tree


@pytest.fixture
def archive(scripts, monkeypatch):
    """Has the archive hold packages: name -> files."""

    def serve(packages: dict[str, dict[str, bytes]], spoilt: bool = False) -> None:
        pages, entries = {}, []
        for name, files in packages.items():
            pages[f"pool/{name}.deb"] = content = deb(files)
            known = hashlib.sha256(content + b"x" * spoilt).hexdigest()
            entries.append(
                f"Package: {name}\nVersion: 1.0\nDescription: a: b\n more: text\n"
                f"Filename: pool/{name}.deb\nSHA256: {known}\n"
            )
        pages["dists/bookworm/main/binary-amd64/Packages.xz"] = lzma.compress("\n".join(entries).encode())

        def urlopen(address: str, timeout: float):
            return io.BytesIO(pages[address.removeprefix("http://deb.debian.org/debian/")])

        monkeypatch.setattr(scripts[0].urllib.request, "urlopen", urlopen)

    return serve


def run(scripts, monkeypatch, *arguments) -> None:
    monkeypatch.setattr(sys, "argv", ["debian_sounds.py", *map(str, arguments)])
    scripts[1].main()


def test_sounds_of_packages_are_found_labelled_and_strung(scripts, archive, monkeypatch, tmp_path):
    with io.BytesIO() as packed:
        with zipfile.ZipFile(packed, "w") as inner:
            inner.writestr("audio/actor/fauna/animal/camel1.ogg", wav(300, 12.0))
            inner.writestr("art/camel.png", b"no sound")
        public = packed.getvalue()
    bark = wav(500, 0.4)
    archive(
        {
            "scratch": {
                "usr/share/doc/scratch/copyright": b"free",
                "usr/share/scratch/Media/Sounds/Animal/Dog1.wav": bark,
                "usr/share/scratch/Media/Sounds/Animal/Dog2.wav": wav(700, 0.4),
                "usr/share/scratch/Media/Sounds/Animal/Dog3.wav": bark,
                "usr/share/scratch/Media/Sounds/Animal/Duck.wav": b"RIFF, and nothing",
                "usr/share/scratch/Media/Sounds/Nobody.wav": wav(400, 2.0),
            },
            "0ad-data": {"usr/share/games/0ad/public.zip": public},
            "gcompris-qt-data": {
                "usr/share/gcompris-qt/rcc/instruments.rcc": qt_resources(
                    "src/instruments/resource/violin.ogg", wav(440, 2.0)
                )
            },
        }
    )
    folder = tmp_path / "sounds"
    run(scripts, monkeypatch, folder, "--packages", "scratch", "0ad-data", "gcompris-qt-data")
    with (folder / "INDEX.csv").open() as file:
        rows = {row["class"]: row for row in csv.DictReader(file)}
    assert {(name, row["kind"]) for name, row in rows.items()} == {
        ("camel", "animal"), ("dog", "animal"), ("violin", "instrument"),
    }  # fmt: skip
    seconds = {name: soundfile.info(folder / row["file"]).duration for name, row in rows.items()}
    assert seconds["camel"] == pytest.approx(10.0)
    assert 0.8 < seconds["dog"] < 1.5  # two barks, the one that is there twice once
    assert seconds["violin"] == pytest.approx(2.0, abs=0.05)  # without the silence around
    samples, rate = soundfile.read(folder / rows["violin"]["file"])
    assert rate == 48000 and abs(samples[0]) < 1e-3 and np.abs(samples).max() == pytest.approx(0.7, abs=0.02)
    assert (folder / "scratch.copyright").read_bytes() == b"free"
    assert rows["dog"]["source"] == "Debian scratch 1.0"


def test_a_damaged_download_is_refused(scripts, archive, monkeypatch, tmp_path):
    archive({"scratch": {"usr/share/x.wav": b""}}, spoilt=True)
    with pytest.raises(ValueError, match="another SHA-256"):
        run(scripts, monkeypatch, tmp_path / "sounds", "--packages", "scratch")


def test_a_folder_with_something_in_it_is_left_alone(scripts, archive, monkeypatch, tmp_path):
    (tmp_path / "mine.wav").write_bytes(b"mine")
    with pytest.raises(SystemExit, match="not an empty folder"):
        run(scripts, monkeypatch, tmp_path)
    with pytest.raises(SystemExit, match="hello"):
        run(scripts, monkeypatch, tmp_path / "new", "--packages", "hello")


def test_the_table_is_in_order(scripts):
    from foleyspace.tagger import KINDS

    rules = scripts[1].read_rules(SCRIPTS / "debian_sounds.tsv")
    assert len(rules) > 40
    for lines in rules.values():
        for pattern, label, kind in lines:
            assert kind in KINDS and label == label.strip().lower()
            assert "@1" not in label or pattern.groups


def test_midi_of_a_phrase(scripts):
    """The numbers of MIDI files: 7 bits a byte, the first bit says that more follow."""
    from soundfont_phrases import _midi, _notes, _variable

    assert [_variable(n) for n in (0, 127, 128, 0x3FFF, 0x4000)] == [
        b"\x00", b"\x7f", b"\x81\x00", b"\xff\x7f", b"\x81\x80\x00",
    ]  # fmt: skip
    notes = _notes(42, np.random.default_rng(0))
    assert notes and all(0 <= start < 7.2 and 20 < pitch < 100 for start, pitch, _, _ in notes)
    assert notes == _notes(42, np.random.default_rng(0))
    data = _midi(42, notes)
    assert data[:4] == b"MThd" and data[-3:] == b"\xff\x2f\x00" and data[22:25] == b"\x00\xc0\x2a"
