"""What this machine can do and what is missing, without downloading anything, in a few seconds."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from foleyspace.doctor_probes import (
    DECORD_PROBE,
    PROBE_S,
    TORCH_PROBE,
    Check,
    check_ffmpeg,
    check_reader,
    check_torch,
    finish,
    installed_version,
    one_line,
    probe,
)

LOW_DISK_GB = 2.0
PACKAGE = "foleyspace"


def diagnose(offline: bool = True) -> list[Check]:
    """Check Python, packages, ffmpeg, video readers, GPU, models, HRIR data, cache and disk.

    Downloads nothing and takes less than 15 s; `offline` False also asks whether the model hosts answer.
    """
    deadline = time.monotonic() + PROBE_S
    with tempfile.TemporaryDirectory(prefix="foleyspace-") as folder, ExitStack() as probes:
        torch_probe = probes.enter_context(probe(TORCH_PROBE))
        ffmpeg, clip = check_ffmpeg(Path(folder))
        decord_probe = None
        if clip is not None and find_spec("decord"):
            decord_probe = probes.enter_context(probe(DECORD_PROBE, str(clip)))
        places = [
            _guarded("HRIR data", _hrirs),
            _guarded("detector", _detector),
            _guarded("depth model", _depth),
            _guarded("cache", _cache),
            _guarded("disk", _disk),
        ]
        if not offline:
            places.append(_guarded("network", _network))
        torch = finish(torch_probe, deadline)
        decord = None if decord_probe is None else finish(decord_probe, deadline)
    return [_python(), *_packages(), *check_torch(torch), ffmpeg, check_reader(decord), *places]


def format_checks(checks: list[Check]) -> str:
    """The checks as a text table, with what to do under those that are not ok, and a last line."""
    marks = {"ok": "ok", "warn": "warn", "missing": "MISSING"}
    width = max((len(check.name) for check in checks), default=0)
    lines = []
    for check in checks:
        lines.append(f"{marks[check.status]:8s}{check.name:{width}s}  {check.detail}")
        if check.remedy:
            lines.append(f"{'':8s}{'':{width}s}  -> {check.remedy}")
    missing = [check.name for check in checks if check.status == "missing"]
    if missing:
        lines.append(f"\nnot ready: {', '.join(missing)}")
    else:
        lesser = sum(check.status == "warn" for check in checks)
        lines.append("\nready" + (f", and {lesser} of these could be better (warn)" if lesser else ""))
    return "\n".join(lines)


def versions() -> dict[str, str]:
    """Versions of foleyspace, Python, the system and the packages it stands on, for reports."""
    found = {PACKAGE: installed_version(PACKAGE) or "not installed", "python": platform.python_version()}
    found["system"] = f"{platform.system()} {platform.machine()}"
    for name in (
        "numpy",
        "scipy",
        "torch",
        "ultralytics",
        "transformers",
        "decord",
        "opencv-python",
        "sofar",
    ):
        if version := installed_version(name):
            found[name] = version
    return found


def _python() -> Check:
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Check("python", "ok", detail)


def _packages() -> list[Check]:
    """One line when all requirements are met; one for each that is not."""
    try:
        required = importlib.metadata.requires(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return [Check("packages", "warn", f"{PACKAGE} runs without being installed", "pip install .")]
    from packaging.requirements import Requirement

    bad, count = [], 0
    for line in required:
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        count += 1
        version = installed_version(requirement.name)
        remedy = f'pip install "{requirement.name}{requirement.specifier}"'
        if version is None:
            bad.append(Check(requirement.name, "missing", "not installed", remedy))
        elif not requirement.specifier.contains(version, prereleases=True):
            bad.append(
                Check(
                    requirement.name, "missing", f"{version}, but {requirement.specifier} is needed", remedy
                )
            )
    good = Check("packages", "ok", f"{count - len(bad)} of {count} requirements met")
    return bad or [good]


def _hrirs() -> Check:
    from foleyspace.hrir import load_hrirs

    hrirs = load_hrirs("mit_kemar", 48000)
    return Check("HRIR data", "ok", f"{hrirs.name}: {len(hrirs.ir)} directions")


def _detector() -> Check:
    from foleyspace.cache import cache_dir
    from foleyspace.detect import DEFAULT_MODEL, weight_folders
    from foleyspace.weights import find_weights

    where = find_weights(DEFAULT_MODEL, weight_folders())
    if where is not None:
        return Check("detector", "ok", f"{DEFAULT_MODEL} in {where.parent.resolve()}")
    return Check(
        "detector",
        "warn",
        f"{DEFAULT_MODEL} is not here: fetched at the first run, else objects are found by motion",
        f"without network, put {DEFAULT_MODEL} into {cache_dir('weights')} or give --detector PATH",
    )


def _depth() -> Check:
    from foleyspace.depth import DEFAULT_MODEL
    from foleyspace.model_folder import cached_folder

    name = DEFAULT_MODEL.split("/")[-1]
    if cached_folder(DEFAULT_MODEL) is not None:
        return Check("depth model", "ok", f"{name} in the local cache")
    return Check(
        "depth model",
        "warn",
        f"{name} is not here: fetched at the first run, else distance comes from object sizes",
        "without network, give --depth FOLDER of a downloaded model",
    )


def _cache() -> Check:
    from foleyspace.cache import cache_dir

    folder = cache_dir("weights")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Check(
            "cache",
            "warn",
            f"{folder}: {one_line(error)}",
            "set FOLEYSPACE_CACHE to a folder that can be written",
        )
    return Check("cache", "ok", str(folder.parent))


def _disk() -> Check:
    places = {"temporary folder": Path(tempfile.gettempdir()), "this folder": Path.cwd()}
    free = {name: shutil.disk_usage(place).free / 1e9 for name, place in places.items()}
    detail = ", ".join(
        f"{gigabytes:.1f} GB free in the {name}".replace("the this", "this")
        for name, gigabytes in free.items()
    )
    if min(free.values()) < LOW_DISK_GB:
        return Check("disk", "warn", detail, "an hour of sound takes about 2 GB; set TMPDIR to a larger disk")
    return Check("disk", "ok", detail)


def _network() -> Check:
    from foleyspace.weights import host_answers

    hosts = {"github.com": "https://github.com", "huggingface.co": "https://huggingface.co"}
    silent = [name for name, url in hosts.items() if not host_answers(url)]
    if silent:
        return Check("network", "warn", f"no answer from {', '.join(silent)}", "models must be here already")
    return Check("network", "ok", f"{' and '.join(hosts)} answer")


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    """The check, or what kept it from being made: a doctor must not fall ill himself."""
    try:
        return check()
    except Exception as error:
        return Check(name, "missing", one_line(error), "reinstall foleyspace" if name == "HRIR data" else "")
