"""The ffmpeg that the package `imageio-ffmpeg` carries: found, run with a time-out, errors in one line."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from types import FrameType

from foleyspace.errors import FoleyspaceError

STALL_S = 60.0  # no byte for this long: the process is taken as hung
ERROR_CHARS = 64 * 1024  # what is kept of a process's stderr
_INTERRUPTS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@lru_cache(maxsize=1)
def ffmpeg_exe() -> str:
    """Path of the ffmpeg program. Raises `FoleyspaceError` when the package carries none."""
    import imageio_ffmpeg

    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise FoleyspaceError(
            "no ffmpeg was found: install it with `pip install imageio-ffmpeg` or set IMAGEIO_FFMPEG_EXE"
        ) from error


def local(path: str | Path) -> str:
    """A path as ffmpeg must see it: always a local file, whatever characters its name starts with."""
    return f"file:{Path(path).absolute()}"


def opened(path: str | Path) -> list[str]:
    """ffmpeg's arguments to read a file. WAV is named: ffmpeg takes some periodic ones for MPEG-TS."""
    with open(path, "rb") as file:
        start = file.read(12)
    wave = start[:4] in (b"RIFF", b"RF64") and start[8:] == b"WAVE"
    return [*(("-f", "wav") if wave else ()), "-i", local(path)]


def run(args: Sequence[str], *, timeout_s: float) -> subprocess.CompletedProcess[str]:
    """Run ffmpeg with `args` to its end; stdout and stderr come back as text, whatever the exit code.

    For work with little output. Raises `FoleyspaceError` after `timeout_s`; the process is killed then
    and on any exception, Ctrl-C too.
    """
    command = [ffmpeg_exe(), "-hide_banner", "-nostdin", *args]
    process = None
    try:
        with signals_held():
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        out, said = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise FoleyspaceError(f"ffmpeg did not finish within {timeout_s:.0f} seconds") from error
    finally:
        if process is not None and process.poll() is None:
            process.kill()
            process.communicate()
    return subprocess.CompletedProcess(
        command, process.returncode, out.decode("utf-8", "replace"), said.decode("utf-8", "replace")
    )


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Hold Ctrl-C and the like back until the block ends. While a process is being started nobody holds it
    yet: an exception just then would leave it running, and writing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[tuple[int, FrameType | None]] = []
    before = {
        number: signal.signal(number, lambda *came: caught.append(came))
        for number in _INTERRUPTS
        if signal.getsignal(number) is not signal.SIG_IGN  # nohup: for the process that is started too
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        if caught:
            came, frame = caught[0]
            wanted = before[signal.Signals(came)]
            if callable(wanted):
                wanted(came, frame)
            else:
                signal.raise_signal(came)


class Process:
    """A process whose stdout is read as it comes. After `stall_s` seconds without the bytes asked for it is
    killed, so that a read ends (short) and never hangs; `stalled` then says why."""

    def __init__(self, command: Sequence[str], stall_s: float = STALL_S) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 (a pipe nobody reads would block)
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._stderr, bufsize=1 << 20
        )
        assert self._process.stdout is not None
        self._stdout = self._process.stdout
        self._stall_s = stall_s
        self.stalled = False

    def _kill_stalled(self) -> None:
        self.stalled = True
        self._process.kill()

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        timer = threading.Timer(self._stall_s, self._kill_stalled)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end."""
        with self._watched():
            return self._stdout.read(size)

    def lines(self, chunk: int = 1 << 20) -> Iterator[str]:
        """Lines of text, without their ends."""
        rest = b""
        while block := self.read(chunk):
            *whole, rest = (rest + block).split(b"\n")
            for line in whole:
                yield line.decode("utf-8", "replace")
        if rest:
            yield rest.decode("utf-8", "replace")

    def finish(self) -> tuple[int, str]:
        """Wait for the end: exit code and stderr (its last part)."""
        with self._watched():
            code = self._process.wait()
        self._stderr.seek(0, 2)
        self._stderr.seek(max(self._stderr.tell() - ERROR_CHARS, 0))
        return code, self._stderr.read().decode("utf-8", "replace")

    def close(self) -> None:
        """Kill what still runs and give everything back."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._stdout.close()
        self._stderr.close()


@contextlib.contextmanager
def reading(command: Sequence[str], stall_s: float = STALL_S) -> Iterator[Process]:
    """A running process to read from; it is gone when the block is left, however it is left."""
    process = Process(command, stall_s)
    try:
        yield process
    finally:
        process.close()


def decoding(args: Sequence[str], stall_s: float = STALL_S) -> contextlib.AbstractContextManager[Process]:
    """`reading` an ffmpeg started with `args` (the output is `-` or `pipe:1`)."""
    return reading([ffmpeg_exe(), "-hide_banner", "-nostdin", *args], stall_s)


_NOISE = re.compile(
    r"^(Conversion failed|Last message repeated|frame=|size=|Error opening (input|output) file|"
    r"Error opening output files|Nothing was written|Task finished|Terminating thread|Error muxing|"
    r"Error writing trailer|Error closing|Error submitting|Cannot determine format|video:)"
)


def reason(stderr: str) -> str:
    """What went wrong, in one line: the last line of ffmpeg's stderr that says it, without its tags.

    "[mov,mp4 @ 0x55] moov atom not found" gives "moov atom not found".
    """
    said: list[str] = []
    for line in stderr.splitlines():
        text = re.sub(r"^((\[[^\]]*@ 0x[0-9a-f]+\]|\[[a-z0-9#:/,_]+\])\s*)+", "", line.strip(), flags=re.I)
        text = re.sub(r"^file:\S.*?: (?=[A-Z])", "", text)
        if text and not line.startswith(" ") and not _NOISE.match(text):
            said.append(text)
    telling = [
        text
        for text in said
        if re.search(
            r"error|invalid|not found|no space|unsupported|fail|could not|cannot|unable|denied", text, re.I
        )
    ]
    for special in ("No space left on device", "moov atom not found", "Permission denied"):
        if any(special in text for text in said):
            return special
    picked = (telling or said or ["no reason given"])[-1]
    return picked if len(picked) <= 200 else picked[:197] + "..."
