"""Shared fixtures. Tests that need the test data beside the checkout skip with a reason where it is absent."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("FOLEYSPACE_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of test videos, HRIR sets and detectors; set FOLEYSPACE_SHARED to point elsewhere."""
    if not (SHARED / "videos").is_dir():
        pytest.skip(f"no test data at {SHARED} (set FOLEYSPACE_SHARED)")
    return SHARED


@pytest.fixture(scope="module")
def one_thread():
    """Small networks are quickest so, and beside other work."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process: (exit code, stdout, stderr)."""

    from foleyspace.cli import main

    def call(*arguments) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["foleyspace", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return stop.value.code or 0, captured.out, captured.err

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)
