"""How far a batch is: a bar with throughput and time left on a terminal, one line a video in the log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from foleyspace.batch.ledger import Row, now
from foleyspace.batch.tasks import Outcome

logger = logging.getLogger("foleyspace")


class Progress:
    """`total`: videos to do; `kept`: those that need nothing."""

    def __init__(self, total: int, kept: int, log: Path) -> None:
        self.made = self.same = self.failed = 0
        self.video_s = 0.0
        self._total, self._log, self._started = total, log, time.monotonic()
        self._bar: Any = None
        rest = f", {kept} need nothing" if kept else ""
        logger.info("%d video%s to do%s", total, "" if total == 1 else "s", rest)

    def tell(self, row: Row, outcome: Outcome, ended: bool) -> None:
        """One line a video; `ended`: it will not be tried again in this run."""
        if ended:
            self.made += outcome.kind == "done"
            self.same += row.state == "done" and outcome.kind == "same"
            self.failed += row.state != "done"
        if outcome.kind == "done":
            self.video_s += outcome.duration_s or 0.0
        line = self._line(row, outcome, ended)
        with suppress(OSError), open(self._log, "a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"{now()} {line}\n" + outcome.detail)  # a full disk is said by the ledger
        level = logging.INFO if row.state == "done" else logging.WARNING
        if self._bar is None:
            logger.log(level, "%s", line)
            return
        if level == logging.WARNING:
            logger.warning("%s", line)
        self._bar.n = self.ended
        self._bar.set_postfix_str(self.throughput())

    @property
    def ended(self) -> int:
        return self.made + self.same + self.failed

    def throughput(self) -> str:
        """Seconds of video a second so far, the time left at this pace, and how many failed."""
        took = max(time.monotonic() - self._started, 1e-6)
        left = (self._total - self.ended) * took / self.ended if self.ended else 0.0
        failed = f", {self.failed} failed" if self.failed else ""
        hours, minutes, seconds = int(left // 3600), int(left // 60) % 60, int(left % 60)
        clock = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
        return f"{self.video_s / took:.2f} s of video/s, {clock} left{failed}"

    @contextmanager
    def shown(self) -> Iterator[None]:
        """A bar on the terminal, while this lasts; none where stderr is no terminal or -q was given."""
        if not sys.stderr.isatty() or logger.getEffectiveLevel() > logging.INFO:
            yield
            return
        from tqdm import tqdm
        from tqdm.contrib.logging import logging_redirect_tqdm

        bar = "{desc} {n_fmt}/{total_fmt} |{bar}| {elapsed}{postfix}"
        with (
            tqdm(total=self._total, desc="batch", bar_format=bar, leave=False) as self._bar,
            logging_redirect_tqdm([logger]),
        ):
            yield

    def tick(self) -> None:
        """Let the clock of the bar go on."""
        if self._bar is not None:
            self._bar.refresh()

    def _line(self, row: Row, outcome: Outcome, ended: bool) -> str:
        number = f"[{self.ended}/{self._total}]"
        if outcome.kind == "done":
            pace = outcome.wall_s / outcome.duration_s if outcome.duration_s else 0.0
            facts = f"{outcome.duration_s:.1f} s, {outcome.sources} sources, {outcome.wall_s:.1f} s"
            line = f"{number} {row.output}: {facts} ({pace:.2f} x its length)"
        elif row.state == "done":
            line = f"{number} {row.output}: unchanged"
        else:
            line = f"{number} {row.output}: {row.error}{'' if ended else '; it is tried again'}"
        return " ".join(line.split())
