"""What the tests of the batch share: a small library, and looks at what became of it."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest
from media import cfr_times, clicks, join, picture

from foleyspace.batch.ledger import read_rows
from foleyspace.batch.tasks import Task, options_hash
from foleyspace.files import file_sha256
from foleyspace.pipelines.batch import BatchConfig, run
from foleyspace.pipelines.render import RenderConfig

WORDS = RenderConfig(prompt="a bell on the left")
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and mounts of POSIX")


@pytest.fixture(scope="module", name="clip")
def short_clip(tmp_path_factory) -> Path:
    """0.4 s of video with sound."""
    folder = tmp_path_factory.mktemp("clip")
    silent = picture(folder / "silent.mkv", cfr_times(0.4))
    return join(folder / "clip.mp4", silent, clicks(folder / "clip.wav", 0.4, [0.1]))


@pytest.fixture(name="library")
def two_videos(tmp_path, clip) -> Path:
    for name in ("a.mp4", "sub/a.mp4"):
        (tmp_path / "lib" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip, tmp_path / "lib" / name)
    return tmp_path / "lib"


def batch(library, out, **options):
    return run([library], BatchConfig(out=str(out), workers=1, render=WORDS, **options))


def states(out) -> dict[str, str]:
    return {row.output: row.state for row in read_rows(out / ".foleyspace")}


def hashes(out) -> dict[str, str]:
    files = [
        p for p in out.rglob("*") if p.is_file() and ".foleyspace" not in p.parts and p.suffix != ".html"
    ]
    return {p.relative_to(out).as_posix(): file_sha256(p) for p in files}


def leftovers(out) -> list[str]:
    """What is neither an output nor the ledger's."""
    known = {"ledger.sqlite", "ledger.jsonl", "lock", "batch.log"}
    return [p.name for p in (out / ".foleyspace").rglob("*") if p.name not in known] + [
        p.name for p in out.rglob("*.part*")
    ]


def task(video: Path, folder: Path, config=WORDS, **more) -> Task:
    options = json.loads(json.dumps(asdict(config)))
    return Task(
        "k",
        str(video),
        str(folder / video.name),
        str(folder / "making"),
        options,
        options_hash(config),
        **more,
    )


def started(library, out, *options) -> subprocess.Popen:
    """The command line, at work on its first video when this returns."""
    command = [sys.executable, "-m", "foleyspace", "batch", str(library), "-o", str(out), "--workers", "1"]
    process = subprocess.Popen(
        [*command, "--prompt", WORDS.prompt, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        if (
            (out / ".foleyspace/ledger.sqlite").exists()
            and "running" in states(out).values()
            and workers(process)
        ):
            return process
        time.sleep(0.05)
    raise AssertionError(process.communicate(timeout=5))


def workers(process) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "foleyspace.batch.worker" in child.cmdline():
                found.append(child)
    return found
