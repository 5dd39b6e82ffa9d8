"""Damage SOFA files, scene files, configs and prompts, and read them: one line each, no hang, no flood.

    python scripts/fuzz.py --count 500 --seed 0
    python scripts/fuzz.py --seed 0 --only 137      # one case again, with its traceback, its input kept

Each case is read, and what can be read is used, in a child process with a memory limit; one that dies or
takes longer than 20 s is replaced and counted. Exits with 1 when anything but a result or a refusal came of a
case.
"""

from __future__ import annotations

import argparse
import json
import queue
import resource
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from fuzz_cases import KINDS, case, seeds

LIMIT_S, LIMIT_BYTES = 20.0, 2 << 30
SUFFIXES = {"sofa": ".sofa", "scene": ".json", "config": ".yaml", "prompt": ".txt"}

# ---------------------------------------------------------------- what is done with them


def use_sofa(path: Path) -> None:
    from foleyspace.hrir import load_hrirs

    assert np.isfinite(load_hrirs(path).ir).all()


def use_scene(path: Path) -> None:
    from foleyspace.api import spatialize
    from foleyspace.caption import caption
    from foleyspace.scene import load_scene

    scene = load_scene(path)
    caption(scene)
    noise = np.random.default_rng(0).standard_normal(4800).astype(np.float32)
    assert np.isfinite(spatialize(0.1 * noise, scene, hrirs(), distance_gain=True).samples).all()


@lru_cache(maxsize=1)
def hrirs() -> Any:
    from foleyspace.hrir import load_hrirs

    return load_hrirs("mit_kemar")


def use_config(path: Path) -> None:
    """As the training takes it, and as the command line does; of no pipeline all options are in one file."""
    import click

    from foleyspace.cli.render import command
    from foleyspace.config_file import read_config
    from foleyspace.errors import InputError
    from foleyspace.pipelines.make_dataset import MakeDatasetConfig
    from foleyspace.pipelines.train import TrainConfig

    refused = []
    for config in (TrainConfig, MakeDatasetConfig):
        try:
            read_config(config, path)
        except InputError as error:
            refused.append(error)
    try:
        command.make_context("render", ["video.mp4", "--config", str(path)])
    except (InputError, click.ClickException) as error:
        refused.append(InputError(str(error)))
    if len(refused) == 3:
        raise refused[0]


def use_prompt(path: Path) -> None:
    from foleyspace.prompt import read_prompt
    from foleyspace.scene import scene_to_dict

    scene_to_dict(read_prompt(path.read_bytes().decode("utf-8", "surrogateescape"), 8.0).scene)


USES = {"sofa": use_sofa, "scene": use_scene, "config": use_config, "prompt": use_prompt}


def outcome(kind: str, data: bytes, folder: Path) -> tuple[str, str]:
    """What came of an input: "read", "refused" or "traceback", and what was said."""
    from foleyspace.errors import FoleyspaceError

    path = folder / f"case{SUFFIXES[kind]}"
    path.write_bytes(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            USES[kind](path)
    except FoleyspaceError as error:
        said = str(error)
        long = "\n" in said or len(said) > 1000 + len(str(path))
        return ("traceback" if long else "refused"), f"a message of {len(said)} characters" if long else said
    except Exception:
        return "traceback", traceback.format_exc()
    return "read", ""


def child(seed: int) -> None:
    """Take numbers of cases on stdin, answer each with a line of JSON."""
    import logging

    logging.getLogger("foleyspace").addHandler(logging.NullHandler())
    answers = sys.stdout
    sys.stdout = sys.stderr
    with tempfile.TemporaryDirectory() as folder:  # what is imported and loaded once is no case's doing
        for kind, inputs in seeds().items():
            came = [outcome(kind, data, Path(folder)) for data in inputs]
            assert any(each[0] == "read" for each in came), (kind, came)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + LIMIT_BYTES, resource.RLIM_INFINITY))
    print("ready", file=answers, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            began = time.monotonic()
            came, said = outcome(*case(seed, int(line)), Path(folder))
            peak = max(
                resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
            )
            answer = {"came": came, "said": said, "s": time.monotonic() - began, "bytes": peak * 1024}
            print(json.dumps(answer), file=answers, flush=True)


class Worker:
    """A child process that is replaced when it dies or hangs."""

    def __init__(self, seed: int) -> None:
        command = [sys.executable, __file__, "--child", "--seed", str(seed)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        if not self._lines.get(timeout=300):
            raise SystemExit("the child process did not begin: what is undamaged is not read")

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            self._lines.put(line)
        self._lines.put("")

    def ask(self, index: int) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{index}\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=LIMIT_S)
        except queue.Empty:
            return {"came": "hang", "said": "", "s": LIMIT_S, "bytes": 0}
        except BrokenPipeError:
            line = ""
        return json.loads(line) if line else {"came": "died", "said": "", "s": 0, "bytes": 0}

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--only", type=int, metavar="INDEX", help="this case, its input kept in the current folder"
    )
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.seed)
        return 0
    if options.only is not None:
        kind, data = case(options.seed, options.only)
        print(kind, *outcome(kind, data, Path.cwd()))
        return 0
    counts: Counter[tuple[str, str]] = Counter()
    slowest, most = dict.fromkeys(KINDS, 0.0), dict.fromkeys(KINDS, 0)
    worker = Worker(options.seed)
    for index in range(options.count):
        answer, kind = worker.ask(index), KINDS[index % len(KINDS)]
        came = "too much memory" if answer["bytes"] > LIMIT_BYTES else answer["came"]
        counts[kind, came] += 1
        slowest[kind], most[kind] = max(slowest[kind], answer["s"]), max(most[kind], answer["bytes"])
        if came not in ("read", "refused"):
            print(f"case {index} ({kind}): {came} {answer['said']}", flush=True)
        if answer["came"] in ("hang", "died") or came == "too much memory":
            worker.stop()
            worker = Worker(options.seed)
    worker.stop()
    columns = ("read", "refused", "traceback", "hang", "died", "too much memory")
    print(f"{'':8s}" + "".join(f"{name:>16s}" for name in (*columns, "slowest s", "peak MB")))
    for kind in KINDS:
        figures = [str(counts[kind, name]) for name in columns] + [
            f"{slowest[kind]:.1f}",
            str(most[kind] >> 20),
        ]
        print(f"{kind:8s}" + "".join(f"{figure:>16s}" for figure in figures))
    bad = sum(n for (_, came), n in counts.items() if came not in ("read", "refused"))
    print(f"{options.count} cases, {bad} at fault (seed {options.seed})")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
