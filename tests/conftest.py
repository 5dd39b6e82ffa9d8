"""Shared fixtures. Tests that need the test data beside the checkout skip with a reason where it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("FOLEYSPACE_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of test videos, HRIR sets and detectors; set FOLEYSPACE_SHARED to point elsewhere."""
    if not (SHARED / "videos").is_dir():
        pytest.skip(f"no test data at {SHARED} (set FOLEYSPACE_SHARED)")
    return SHARED
