"""The doctor's instruments: ffmpeg, torch and decord tried for real, heavy ones in their own processes."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from foleyspace.errors import FoleyspaceError

Status = Literal["ok", "warn", "missing"]

PROBE_S = 12.0  # together: heavy packages are tried side by side in processes of their own
ENCODERS = ("libx264", "aac", "alac", "flac", "libopus", "pcm_s24le")

TORCH_PROBE = """
import json, sys
said = {}
try:
    import torch
    said["torch"] = torch.__version__
    said["cuda"] = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    said["mps"] = bool(getattr(torch.backends, "mps", None) and torch.backends.mps.is_available())
    said["threads"] = torch.get_num_threads()
    import torchvision
    said["torchvision"] = torchvision.__version__
    torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
except Exception as error:
    said["error"] = " ".join(str(error).split())[:160] or type(error).__name__
print(json.dumps(said))
"""

DECORD_PROBE = """
import os, sys
import decord
print(len(decord.VideoReader(sys.argv[1], num_threads=1)), flush=True)
os._exit(0)  # its destructors may hang
"""


@dataclass(frozen=True)
class Check:
    """One line of the diagnosis: `name`, `status` ("ok", "warn": works in a lesser way, "missing": does not
    work), what was found (`detail`) and what to do about it (`remedy`, empty when all is well)."""

    name: str
    status: Status
    detail: str
    remedy: str = ""


def check_ffmpeg(folder: Path) -> tuple[Check, Path | None]:
    """The bundled ffmpeg, and a short film made with it."""
    from foleyspace.ffmpeg import ffmpeg_exe, local, reason, run

    name, remedy = "ffmpeg", "pip install --force-reinstall imageio-ffmpeg"
    try:
        exe = ffmpeg_exe()
        words = run(["-version"], timeout_s=5).stdout.split()
        version = words[2] if words[:2] == ["ffmpeg", "version"] else "unknown"
        listed = {
            line.split()[1]
            for line in run(["-encoders"], timeout_s=5).stdout.splitlines()
            if len(line.split()) > 1
        }
        clip = folder / "probe.mp4"
        made = run(
            [
                "-v",
                "error",
                "-f",
                "lavfi",
                "-i",
                "testsrc=size=128x96:rate=10:duration=0.5",
                "-c:v",
                "libx264",
                local(clip),
            ],
            timeout_s=8,
        )
    except (FoleyspaceError, OSError) as error:
        return Check(name, "missing", one_line(error), remedy), None
    lacking = [encoder for encoder in ENCODERS if encoder not in listed]
    detail = f"{version} ({Path(exe).name}), encoders {', '.join(e for e in ENCODERS if e in listed)}"
    if made.returncode != 0:
        return Check(name, "missing", f"{version} cannot encode: {reason(made.stderr)}", remedy), None
    if lacking:
        return Check(name, "warn", detail, f"without {', '.join(lacking)}: {remedy}"), clip
    return Check(name, "ok", detail), clip


def check_torch(said: dict[str, Any] | str) -> list[Check]:
    together = "install both from the same index in one step: pip install --upgrade torch torchvision"
    if said == "timeout":
        detail = f"{installed_version('torch')}: did not start within {PROBE_S:.0f} s"
        return [Check("torch", "warn", detail, "is the machine busy? Try again later")]
    if isinstance(said, str):
        return [Check("torch", "missing", said, together)]
    if "torch" not in said:
        return [Check("torch", "missing", said.get("error", "cannot be imported"), together)]
    checks = []
    if "error" in said:
        pair = f"torch {said['torch']} and torchvision {installed_version('torchvision') or '(absent)'}"
        checks.append(Check("torch", "missing", f"{pair} do not fit: {said['error']}", together))
    else:
        checks.append(Check("torch", "ok", f"{said['torch']} with torchvision {said['torchvision']}"))
    if said["cuda"]:
        checks.append(Check("GPU", "ok", ", ".join(dict.fromkeys(said["cuda"]))))
    elif said["mps"]:
        checks.append(Check("GPU", "ok", "Apple GPU, with --device mps"))
    else:
        checks.append(Check("GPU", "ok", f"none: {said['threads']} CPU threads do the work"))
    return checks


def check_reader(said: dict[str, Any] | str | None) -> Check:
    version = installed_version("decord")
    if said == 5:
        return Check("video reader", "ok", f"decord {version}")
    why = "no decord for this platform" if version is None else f"decord {version} does not read here"
    if find_spec("cv2") is None:
        return Check("video reader", "missing", f"{why}, and no OpenCV", "pip install opencv-python")
    return Check(
        "video reader",
        "ok" if version is None else "warn",
        f"{why}: OpenCV {installed_version('opencv-python')} does",
    )


@contextmanager
def probe(code: str, *args: str) -> Iterator[subprocess.Popen[str]]:
    """Python code in a process of its own, which does not outlive the block."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", code, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finish(process: subprocess.Popen[str], deadline: float) -> Any:
    """What a probe printed, read as JSON; "timeout", or its last line of error."""
    try:
        out, err = process.communicate(timeout=max(deadline - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired:
        return "timeout"
    try:
        return json.loads(out.strip().splitlines()[-1])
    except (IndexError, ValueError):
        return (err.strip().splitlines() or ["ended without a word"])[-1][:160]


def installed_version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def one_line(error: BaseException) -> str:
    text = " ".join(str(getattr(error, "strerror", None) or error).split()) or type(error).__name__
    return text[:160]
