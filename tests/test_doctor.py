"""The doctor is quick, downloads nothing, and sees what is broken."""

from __future__ import annotations

import dataclasses
import json
import socket
import subprocess
import sys
import time

import pytest

from foleyspace import doctor
from foleyspace.doctor import Check, diagnose, format_checks, versions
from foleyspace.errors import FoleyspaceError


@pytest.fixture(scope="module")
def checks():
    """One real diagnosis, with the network of this process cut off."""
    connect = socket.socket.connect

    def refuse(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            pytest.fail(f"the doctor called {address}")
        return connect(self, address)

    socket.socket.connect = refuse
    began = time.monotonic()
    try:
        found = diagnose()
    finally:
        socket.socket.connect = connect
    assert time.monotonic() - began < 15 + 5  # 15 s; other work may run beside the tests
    return found


def test_every_organ_is_looked_at(checks):
    names = [check.name for check in checks]
    for name in (
        "python",
        "torch",
        "ffmpeg",
        "video reader",
        "HRIR data",
        "detector",
        "depth model",
        "cache",
        "disk",
    ):
        assert name in names
    assert len(set(names)) == len(names)
    assert all("\n" not in check.detail + check.remedy for check in checks)
    json.dumps([dataclasses.asdict(check) for check in checks])


def test_a_working_installation_is_ready(checks):
    by_name = {check.name: check for check in checks}
    for name in ("python", "ffmpeg", "video reader", "HRIR data", "disk"):
        assert by_name[name].status == "ok", by_name[name]
    assert by_name["torch"].status in ("ok", "warn"), by_name["torch"]  # "warn": too slow on a busy machine
    assert "710 directions" in by_name["HRIR data"].detail
    assert "libopus" in by_name["ffmpeg"].detail


def test_table_is_aligned_and_says_what_to_do():
    text = format_checks(
        [
            Check("python", "ok", "3.11"),
            Check("video reader", "warn", "OpenCV"),
            Check("x", "missing", "no", "pip install x"),
        ]
    )
    lines = text.splitlines()
    assert len({line.index(word) for line, word in zip(lines, ("3.11", "OpenCV", "no"), strict=False)}) == 1
    assert "-> pip install x" in lines[3]
    assert lines[-1] == "not ready: x"
    assert format_checks([Check("python", "ok", "3.11")]).endswith("ready")


def test_packages_that_are_too_old_or_absent_are_named(monkeypatch):
    monkeypatch.setattr(
        doctor.importlib.metadata,
        "requires",
        lambda _: ["numpy>=999", "surely-no-such-package>=1", "click>=8", 'pytest>=999; extra == "dev"'],
    )
    found = {check.name: check for check in doctor._packages()}
    assert set(found) == {"numpy", "surely-no-such-package"}
    assert found["numpy"].status == "missing"
    assert ">=999" in found["numpy"].detail
    assert found["surely-no-such-package"].remedy == 'pip install "surely-no-such-package>=1"'


def test_torch_and_torchvision_that_do_not_fit_are_one_line():
    said = {
        "torch": "2.5.0",
        "cuda": [],
        "mps": False,
        "threads": 2,
        "error": "operator torchvision::nms does not exist",
    }
    torch, gpu = doctor.check_torch(said)
    assert torch.status == "missing"
    assert "do not fit" in torch.detail
    assert "same index" in torch.remedy
    assert gpu.detail.startswith("none")
    assert doctor.check_torch("timeout")[0].status == "warn"
    assert doctor.check_torch("Killed")[0].status == "missing"
    assert doctor.check_torch({**said, "cuda": ["H100", "H100"]})[1].detail == "H100"


def test_probes_end_in_time_and_leave_no_process():
    began = time.monotonic()
    with doctor.probe("import time; time.sleep(60)") as process:
        assert doctor.finish(process, time.monotonic() + 0.3) == "timeout"
    assert process.poll() is not None
    assert time.monotonic() - began < 5
    with doctor.probe("raise SystemExit('no luck')") as process:
        assert doctor.finish(process, time.monotonic() + 30) == "no luck"
    with doctor.probe("print('noise'); print('{\"a\": 1}')") as process:
        assert doctor.finish(process, time.monotonic() + 30) == {"a": 1}


def test_a_broken_ffmpeg_is_no_crash(monkeypatch, tmp_path):
    import foleyspace.ffmpeg

    def none():
        raise FoleyspaceError("no ffmpeg was found")

    monkeypatch.setattr(foleyspace.ffmpeg, "ffmpeg_exe", none)
    check, clip = doctor.check_ffmpeg(tmp_path)
    assert check.status == "missing"
    assert clip is None


def test_readers_and_places_that_do_not_work(monkeypatch, tmp_path):
    assert doctor.check_reader("timeout").status == "warn"
    assert "OpenCV" in doctor.check_reader("timeout").detail
    assert doctor.check_reader(5).status == "ok"
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("FOLEYSPACE_CACHE", str(blocked / "inside"))
    cache = doctor._guarded("cache", doctor._cache)
    assert cache.status == "warn"
    assert "FOLEYSPACE_CACHE" in cache.remedy
    ill = doctor._guarded("x", lambda: 1 / 0)
    assert (ill.name, ill.status) == ("x", "missing")


def test_versions_for_reports():
    found = versions()
    assert found["foleyspace"]
    assert found["numpy"]
    assert all(isinstance(value, str) for value in found.values())


def test_importing_the_doctor_is_cheap():
    code = "import sys, foleyspace.doctor; print([m for m in ('torch', 'numpy', 'cv2', 'transformers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"
