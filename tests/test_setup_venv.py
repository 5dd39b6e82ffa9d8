"""scripts/setup_venv installs when there is something to install, and only then."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts/setup_venv"


@pytest.mark.skipif(os.name != "posix", reason="a script for bash")
def test_a_moved_or_changed_checkout_is_installed_again(tmp_path):
    def install(place, extras="") -> bool:
        said = tmp_path / "said"
        said.write_text("")
        command = [place / "scripts/setup_venv", place / ".venv", extras]
        environment = {**os.environ, "PYTHON": sys.executable, "SAID": str(said)}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        return f"install -q -e {place}{extras}\n" in said.read_text()

    here, there = tmp_path / "here", tmp_path / "there"
    (here / "scripts").mkdir(parents=True)
    (here / ".venv/bin").mkdir(parents=True)
    shutil.copy(SCRIPT, here / "scripts")
    (here / "pyproject.toml").write_text("one")
    python = here / ".venv/bin/python"
    python.write_text('#!/bin/sh\necho "$@" >> "$SAID"\n')  # only says what it was asked for
    python.chmod(0o755)
    assert [install(here), install(here, "[dev]"), install(here), install(here, "[dev]")] == [1, 1, 0, 0]
    for source, target in [(here, there), (there, here)]:
        source.rename(target)
        assert [install(target), install(target)] == [1, 0]
    for text in ("two", "one"):
        (here / "pyproject.toml").write_text(text)
        assert [install(here), install(here)] == [1, 0]
