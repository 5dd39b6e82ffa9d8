"""Reading a SOFA file in a process of its own, which may hang, crash, or ask for too much memory.

libhdf5 can do all three on a damaged file (one changed byte can make it loop), so a file of unknown origin
is read under a time and a memory limit. What comes back are arrays or the reason for refusing them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.sofa_file import refuse

if TYPE_CHECKING:
    from foleyspace.sofa import RawHrirs

SPARE_BYTES = 96 << 20  # beyond what is read, for screening and judging it
ARRAYS = ("ir", "delay", "xyz")


def can_start() -> bool:
    """Whether there is a Python to start (none in a frozen program)."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


def read_in_child(path: Path, timeout_s: float) -> RawHrirs:
    """As `sofa.read_here`, in a child process that is killed after `timeout_s` (plus 1 s for every 20 MB)."""
    from foleyspace.sofa import RawHrirs

    limit_s = timeout_s + path.stat().st_size / 20e6
    code = (
        "import sys; sys.path[:] = sys.argv[1].splitlines(); "
        "from foleyspace.sofa_child import child; child(sys.argv[2])"
    )
    command = [sys.executable, "-c", code, "\n".join(sys.path), str(path.absolute())]
    # a file may not choose plugins to be loaded; one thread is enough and takes less memory
    environment = {**os.environ, "HDF5_PLUGIN_PRELOAD": "::", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryFile() as answer:
        try:
            run = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=answer,
                stderr=subprocess.PIPE,
                timeout=limit_s,
                check=False,
                env=environment,
            )
        except subprocess.TimeoutExpired:
            refuse(f"is damaged (not read within {limit_s:.0f} s)")
        if run.returncode < 0:
            refuse("is damaged (it crashes the HDF5 reader)")
        if run.returncode != 0:
            last = run.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise FoleyspaceError(f"the SOFA reader failed on {path}: {' '.join(last)}")
        answer.seek(0)
        with np.load(answer, allow_pickle=False) as arrays:
            fields: dict[str, Any] = json.loads(str(arrays["fields"]))
            if "error" in fields:
                raise InputError(fields["error"])
            return RawHrirs(
                **{name: arrays[name] for name in ARRAYS}, **{**fields, "notes": tuple(fields["notes"])}
            )


def child(path: str) -> None:
    """Entry point of the child process: the set, or the reason for refusing it, as npz on stdout."""
    import h5py  # noqa: F401 -- before its libraries would count as memory that the file takes

    from foleyspace.sofa import read_here

    answer = os.dup(1)
    os.dup2(2, 1)  # what libraries print must not get into the answer
    arrays: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    try:
        raw = read_here(Path(path), _limit_memory)
        fields = {name: value for name, value in vars(raw).items() if name not in ARRAYS}
        arrays = {name: getattr(raw, name) for name in ARRAYS}
    except InputError as error:
        fields = {"error": str(error)}
    with open(answer, "wb") as stream:
        np.savez(stream, fields=np.array(json.dumps(fields)), **arrays)


def _limit_memory(needed: int) -> None:
    """Let this process grow by `needed` bytes and what judging them takes, no further (Linux only: elsewhere
    there is the time limit)."""
    try:
        import resource

        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = now + 6 * needed + SPARE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))
