"""The command line: parse, call, translate errors. A file a command; imported only when it is used.

Exit codes: 0 done, 1 failed on good input, 2 bad input or usage, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import logging
import os
import signal
import sys
from types import FrameType
from typing import Any, NoReturn

import click

from foleyspace import __version__
from foleyspace.errors import FoleyspaceError, InputError

logger = logging.getLogger("foleyspace")

AGAIN_S = 0.3

COMMANDS = {
    "render": "A video comes back with binaural sound that follows the screen.",
    "batch": "Render a whole library: resumable, on this machine or a Ray cluster.",
    "track": "Watch a video and write where its sounds are, as a scene file.",
    "spatialize": "Make a mono sound file binaural along a scene, or as words place its sounds.",
    "prompt": "Read words as a scene: what sounds where, how it moves.",
    "caption": "Say in words where the sounds of a scene are and how they move.",
    "analyze": "Read ITD, ILD and azimuth over time off a binaural file.",
    "evaluate": "Measure how near systems come to the truth of a test set.",
    "train": "Train the spatializer on folders of sounds and HRIR sets.",
    "dataset": "Build training and test sets of moving sounds.",
    "hrtf": "List, inspect and fetch HRIR sets (SOFA files).",
    "doctor": "Say what this machine can do and what is missing.",
}


class LazyGroup(click.Group):
    """Commands whose modules are imported when called, so that --help answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return importlib.import_module(f"foleyspace.cli.{cmd_name}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="foleyspace")
def cli() -> None:
    """Video with mono sound in, the same video with binaural sound out.

    The sound comes from where things are on the screen, for headphones:

        foleyspace render video.mp4
    """


_NO_ARGUMENTS: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())  # from click 8.2 on


def main(command: click.Command | None = None) -> NoReturn:
    """Run `command` or the whole command line, and exit with its code; errors are one line on stderr, never
    a traceback."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("foleyspace: %(message)s"))
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(logging.INFO)
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)  # a batch system's way to say Ctrl-C: tidy up too
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
        signal.signal(signal.SIGHUP, _interrupt)  # the terminal was closed
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, _interrupt)
    for stream in (sys.stdout, sys.stderr):  # a name that cannot be printed is no reason to fail
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
    try:
        result = (command or cli).main(standalone_mode=False)
        _flush()
        code = result if isinstance(result, int) else 0
    except (click.Abort, KeyboardInterrupt):
        _stop()
    except click.exceptions.Exit as error:
        code = error.exit_code
    except _NO_ARGUMENTS as error:
        click.echo(error.format_message(), err=True)
        code = 2
    except click.ClickException as error:
        asked = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "foleyspace"
        code = _fail(f"{error.format_message().rstrip('.')} (see {asked} --help)", 2)
    except InputError as error:
        code = _fail(str(error), 2)
    except FoleyspaceError as error:
        code = _fail(str(error), 1)
    except BrokenPipeError:
        # the reader of our output went away (| head): not an error of ours
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:
        if _interrupted(error):  # and the terminal, gone, took no more
            _stop()
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        where = f" ({error.filename})" if error.filename else ""
        code = _fail(f"{(error.strerror or str(error)).lower()}{where}", 2 if full else 1)
    except MemoryError:
        code = _fail("out of memory", 1)
    except Exception as error:
        if logger.isEnabledFor(logging.DEBUG):
            raise
        code = _fail(f"unexpected {type(error).__name__}: {error} (-v shows where; please report it)", 1)
    sys.exit(code)


def _flush() -> None:
    """Of stdout, where there is one (not after `>&-`)."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Raise `KeyboardInterrupt`, again and again until it is on its way out: libraries swallow it where they
    import with a bare `except`."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
    if not _interrupted(sys.exc_info()[1]):  # else tidying up: not to be disturbed
        raise KeyboardInterrupt


def _interrupted(error: BaseException | None) -> bool:
    """Whether an error came while an interrupt was on its way out."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__context__
    return False


def _stop() -> NoReturn:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)
    _fail("interrupted", 130)
    # not sys.exit: CPython dies of the signal itself where it came inside an exec() (a dataclass being
    # made), and everything of ours is tidied up by now
    with contextlib.suppress(OSError):
        _flush()
    os._exit(130)


def _fail(message: str, code: int) -> int:
    with contextlib.suppress(OSError):  # the terminal may be gone
        click.echo(f"foleyspace: {' '.join(message.split())}", err=True)
    return code
