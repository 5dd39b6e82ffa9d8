"""Does a batch survive being killed at any moment?

    python scripts/bench/kill.py [--videos 30] [--kills 20] [--seed 0] [--workers 2]

Draws short videos, renders them undisturbed, then renders them again with the whole batch (SIGKILL to the
command; every third time to a worker first) killed at random moments and resumed each time. Checks that
every output is there and equal to the undisturbed run's, byte for byte; that no output was ever half there
(whatever lies in the folder at a kill is equal, too); that the ledger agrees with the outputs; that nothing
temporary is left behind in the folder or in the system's, and no process.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import imageio_ffmpeg
import psutil

from foleyspace.batch.ledger import read_rows
from foleyspace.files import file_sha256

EMBEDDED = ("--detector", "motion", "--depth", "size", "--offline", "--backoff", "0.2", "-q")


def draw(folder: Path, count: int) -> None:
    """Videos of 0.5 to 1.5 s with something that moves and a tone, each another."""
    for k in range(count):
        path = folder / f"{'abc'[k % 3]}/{k:02}.{('mp4', 'mkv')[k % 2]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        seconds = str(0.5 + (k % 5) / 4)
        picture = f"testsrc2=size=160x120:rate=25:duration={seconds}"
        tone = f"sine=frequency={200 + 50 * k}:duration={seconds}:sample_rate=48000"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", picture]
        command += ["-f", "lavfi", "-i", tone, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"]
        subprocess.run([*command, str(path)], check=True, stdin=subprocess.DEVNULL)


def batch(library: Path, out: Path, temporary: Path, workers: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "foleyspace", "batch", str(library), "-o", str(out), *EMBEDDED]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    return subprocess.Popen([*command, "--workers", str(workers)], env=environment, stdout=subprocess.DEVNULL)


def contents(out: Path) -> dict[str, str]:
    """What each output holds, as a hash."""
    files = [path for path in out.rglob("*") if path.is_file() and ".foleyspace" not in path.parts]
    return {file.relative_to(out).as_posix(): file_sha256(file) for file in files}


def check(good: bool, what: str) -> None:
    if not good:
        raise SystemExit(f"FAILED: {what}")


@click.command(help=__doc__)
@click.option("--videos", default=30, show_default=True)
@click.option("--kills", default=20, show_default=True)
@click.option("--seed", default=0, show_default=True)
@click.option("--workers", default=2, show_default=True)
def main(videos: int, kills: int, seed: int, workers: int) -> None:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library, calm, out, temporary = (folder / n for n in ("library", "calm", "out", "temporary"))
        temporary.mkdir()
        draw(library, videos)
        started = time.monotonic()
        check(batch(library, calm, temporary, workers).wait() == 0, "the undisturbed run")
        undisturbed, whole_s = contents(calm), time.monotonic() - started
        check(len(undisturbed) == videos, f"{len(undisturbed)} outputs of {videos} videos")
        late = 0
        for k in range(kills):
            process = batch(library, out, temporary, workers)
            # from the start of workers to well into the work, wherever that is on this machine
            wait_s = chance.uniform(0.05, 0.4) * whole_s
            try:
                process.wait(wait_s)
                late += 1  # done already
            except subprocess.TimeoutExpired:
                if k % 3 == 2:
                    kill_worker(process, chance)
                    time.sleep(chance.uniform(0.0, 0.1) * whole_s)
                process.send_signal(signal.SIGKILL)
                process.wait()
            there = contents(out)
            torn = [file for file, found in there.items() if undisturbed.get(file) != found]
            check(not torn, f"half written after kill {k + 1}: {torn}")
            print(f"kill {k + 1}: after {wait_s:.1f} s, {len(there)} of {videos} there", flush=True)
            if len(there) > 2 / 3 * videos and k + 1 < kills:  # work for the rest of the kills
                for file in chance.sample(sorted(there), len(there) // 2):
                    (out / file).unlink()
        check(batch(library, out, temporary, workers).wait() == 0, "the last run")
        check(contents(out) == undisturbed, "outputs differ from the undisturbed run's")
        rows = read_rows(out / ".foleyspace")
        check({row.output for row in rows} == set(undisturbed), "the ledger has other videos")
        for row in rows:
            check(row.state == "done" and row.output_hash == file_sha256(out / row.output), f"ledger: {row}")
        known = {"ledger.sqlite", "ledger.jsonl", "lock", "batch.log"}
        stray = [path.name for path in (out / ".foleyspace").iterdir() if path.name not in known]
        stray += [path.name for path in temporary.iterdir()]
        check(not stray, f"left behind: {stray}")
        check(not (running := still_running(temporary)), f"still running: {running}")
        attempts = sum(row.attempts for row in rows)
        print(
            f"{videos} videos, {kills} kills ({late} after the end), {attempts} attempts: outputs equal to "
            "an undisturbed run's, none half written, ledger consistent, nothing left behind"
        )


def kill_worker(process: subprocess.Popen[bytes], chance: random.Random) -> None:
    children = psutil.Process(process.pid).children()
    if children:
        chance.choice(children).kill()


def still_running(temporary: Path) -> list[int]:
    """Processes that were given this folder for their temporary files."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("TMPDIR", "").startswith(str(temporary)):
                found.append(process.pid)
    return found


if __name__ == "__main__":
    main()
