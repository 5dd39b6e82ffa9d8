"""The same recipe on Ray: a machine or a cluster whose nodes see the same folders.

Each actor holds one `LocalEngine` worker process, so that limits, crashes and models that stay loaded are the
same as on one machine. Ray places the actors; one that is lost with its node is replaced by another
elsewhere, and the video it was at comes back as "again". Media go by path, never through the object store;
an actor has one video at a time, so that no more than `workers` are ever under way.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from foleyspace.batch.engines import cores, settings_of, usual_workers
from foleyspace.batch.local_engine import LocalEngine
from foleyspace.batch.tasks import Outcome, Task
from foleyspace.errors import FoleyspaceError, InputError

if TYPE_CHECKING:
    from foleyspace.pipelines.batch import BatchConfig

ANSWER_S = 5.0
LOST_MOST = 5  # actors in a row, beyond one for each worker: no other will live
logger = logging.getLogger("foleyspace")


class Host:
    """What an actor holds: an engine with one worker, started on its node."""

    def __init__(self, config: BatchConfig, beside: int) -> None:
        """`beside`: actors that a node is shared by at most."""
        self._engine = LocalEngine(1, settings_of(config, beside))

    def make(self, task: dict[str, Any]) -> dict[str, Any]:
        self._engine.submit(Task(**task))
        try:
            while not (outcomes := self._engine.wait(1.0)):
                pass
        except InputError as error:  # exceptions of ours do not go through Ray as they are
            return {"refused": str(error)}
        except FoleyspaceError as error:
            return {"broken": str(error)}
        return asdict(outcomes[0])

    def end(self) -> None:
        """While `make` runs, too: Ray's own way to end an actor leaves temporary files behind."""
        self._engine.close()


@contextlib.contextmanager
def ray_engine(config: BatchConfig, workers: int, videos: int) -> Iterator[RayEngine]:
    """An engine on the cluster at `config.ray_address`, or on a Ray of its own on this machine. `workers`: 0
    for as many as there is room for. Raises `InputError` without the package, `FoleyspaceError` without the
    cluster."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise InputError("`engine` is ray, which is not here: pip install 'foleyspace[ray]'") from None
    _check_address(config.ray_address)
    own = not ray.is_initialized()
    if own:
        here: dict[str, Any] = (
            {} if config.ray_address else {"num_cpus": max(cores(), workers), "include_dashboard": False}
        )
        try:
            ray.init(address=config.ray_address, logging_level=logging.ERROR, log_to_driver=False, **here)
        except Exception as error:  # Ray raises all sorts, plain `Exception` too
            ray.shutdown()
            said = " ".join(str(error).split())[:160]
            raise FoleyspaceError(f"Ray at {config.ray_address or 'this machine'}: {said}") from None
    engine = None
    try:
        room = int(ray.cluster_resources().get("CPU", 1)) if config.ray_address else usual_workers()
        engine = RayEngine(config, min(workers or max(room, 1), videos))
        yield engine
    finally:
        if engine is not None:
            engine.close()
        if own:
            ray.shutdown()


def _check_address(address: str | None) -> None:
    """Raises `FoleyspaceError` where nobody listens: Ray itself would ask for minutes."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_S).close()
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise FoleyspaceError(f"Ray at {address} does not answer ({said})") from None


class RayEngine:
    """At most `workers` videos at a time, each with an actor."""

    def __init__(self, config: BatchConfig, workers: int) -> None:
        import ray

        self._ray = ray
        nodes = max(1, sum(bool(node.get("Alive")) for node in ray.nodes()))
        # tries are counted by the ledger, and lost actors replaced here: calls to one that Ray starts again
        # would fail meanwhile, those to a new one wait for it; two calls at a time: `end` beside `make`
        asked = {"num_cpus": 1, "num_gpus": config.num_gpus, "max_concurrency": 2}
        actor: Any = ray.remote(Host)
        actor = actor.options(**asked, max_restarts=0, max_task_retries=0)
        self._new = functools.partial(actor.remote, config, max(1, -(-workers // nodes)))
        self._idle = [self._new() for _ in range(workers)]
        self._lost = 0  # in a row
        self._at_work: dict[Any, tuple[Any, str]] = {}

    @property
    def free(self) -> int:
        return len(self._idle)

    def submit(self, task: Task) -> None:
        actor = self._idle.pop()
        self._at_work[actor.make.remote(asdict(task))] = (actor, task.key)

    def wait(self, timeout_s: float) -> list[Outcome]:
        """The videos that have ended. Raises as `LocalEngine.wait`."""
        if not self._at_work:
            time.sleep(timeout_s)
            return []
        ended, _ = self._ray.wait(list(self._at_work), num_returns=1, timeout=timeout_s, fetch_local=True)
        outcomes = []
        for reference in ended:
            actor, key = self._at_work.pop(reference)
            try:
                told = self._ray.get(reference)
                self._idle.append(actor)
                self._lost = 0
            except self._ray.exceptions.RayError as error:
                logger.debug("ray: %s", error)
                self._lost += 1
                if self._lost > LOST_MOST + len(self._idle) + len(self._at_work):
                    raise FoleyspaceError(f"Ray workers do not stay ({type(error).__name__})") from None
                self._idle.append(self._new())
                outcomes.append(Outcome(key, "again", f"its Ray worker was lost ({type(error).__name__})"))
                continue
            if "refused" in told:
                raise InputError(told["refused"])
            if "broken" in told:
                raise FoleyspaceError(told["broken"])
            outcomes.append(Outcome(**{**told, "warnings": tuple(told["warnings"])}))
        return outcomes

    def close(self) -> None:
        actors = [*self._idle, *(actor for actor, _ in self._at_work.values())]
        self._idle, self._at_work = [], {}
        with contextlib.suppress(Exception):  # whatever has become of the cluster
            self._ray.wait([a.end.remote() for a in actors], num_returns=len(actors), timeout=ANSWER_S)
        for actor in actors:
            with contextlib.suppress(Exception):
                self._ray.kill(actor, no_restart=True)
