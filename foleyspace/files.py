"""Outputs that appear whole or not at all, and checks of the paths they go to."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from foleyspace.errors import InputError

_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}


def check_input(path: str | Path, what: str = "file") -> Path:
    """The path of a regular, non-empty, readable file, or `InputError` in one line."""
    if "://" in str(path):
        raise InputError(f"{what} {path} is an address: download it first, files are read")
    path = Path(path)
    try:
        if not path.exists():
            raise InputError(f"{what} {path} does not exist")
        if path.is_dir():
            raise InputError(f"{what} {path} is a folder but must be a file")
        if not path.is_file():
            raise InputError(f"{what} {path} is a pipe or a device but must be a regular file")
        if path.stat().st_size == 0:
            raise InputError(f"{what} {path} is empty")
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{what} {path!s} cannot be read ({_said(error)})") from error
    if not os.access(path, os.R_OK):
        raise InputError(f"{what} {path} cannot be read (permission denied)")
    return path


def check_output(path: str | Path, *, inputs: Iterable[str | Path] = (), overwrite: bool = False) -> Path:
    """The path of a file that may be written: its folder is there and writable, it does not exist yet
    (unless `overwrite`) and it is none of `inputs`, by whatever link. Raises `InputError`."""
    path = Path(path)
    try:
        exists = _lexists(path)
        if path.is_dir():
            raise InputError(f"output {path} is a folder but must be a file name")
        if not path.parent.is_dir():
            raise InputError(f"output folder {path.parent} does not exist")
        if exists and path.exists() and not path.is_file():
            raise InputError(f"output {path} is a pipe or a device but must be a regular file")
        for other in inputs:
            if _same_file(path, Path(other)):
                raise InputError(f"output {path} is the input: give another name")
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"output {path!s} cannot be written ({_said(error)})") from error
    if exists and not overwrite:
        raise InputError(f"output {path} exists already: remove it, or allow it with --overwrite")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise InputError(f"output folder {path.parent} cannot be written to")
    return path


def check_suffix(option: str, path: str | Path, suffixes: Sequence[str]) -> None:
    """Raises `InputError` unless `path`, what `option` is, ends in one of `suffixes`, the kinds of file that
    can be written there."""
    if Path(path).suffix.lower() not in suffixes:
        raise InputError(f"`{option}` is {Path(path).name!r} but must end in {' or '.join(suffixes)}")


@contextlib.contextmanager
def atomic_output(path: str | Path, overwrite: bool = False) -> Iterator[Path]:
    """A temporary path beside `path`, with its suffix, to write to; renamed to `path` when the block ends
    well, removed when it does not (Ctrl-C too).

    Raises `InputError` when `path` cannot be written, a full disk included.
    """
    path = check_output(path, overwrite=overwrite)
    target = path.resolve() if path.is_symlink() else path  # a link stays a link, its file is replaced
    temporary = target.parent / f".{target.stem[:40]}.{secrets.token_hex(4)}.part{target.suffix}"
    try:
        try:
            temporary.touch(exist_ok=False)
        except OSError as error:
            raise InputError(f"output {path} cannot be written ({_said(error)})") from error
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        if path.exists() and not overwrite:
            raise InputError(f"output {path} exists already: it was made while this ran")
        os.replace(temporary, target)
    except (OSError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
            raise InputError(f"output {path} could not be written ({_said(error)})") from error
        if type(error).__name__ == "LibsndfileError" and "System error" in str(error):
            raise InputError(f"output {path} could not be written (is the disk full?)") from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def check_folder(path: str | Path) -> Path:
    """A folder that may be made or written to, or `InputError`."""
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise InputError(f"output {path} is a file but must be a folder")
    if not path.parent.is_dir():
        raise InputError(f"output folder {path.parent} does not exist")
    if not os.access(path if path.is_dir() else path.parent, os.W_OK | os.X_OK):
        raise InputError(f"output folder {path} cannot be written to")
    return path


def check_empty_folder(path: str | Path, overwrite: bool = False) -> Path:
    """The same, not there yet or empty unless `overwrite`."""
    path = check_folder(path)
    if path.is_dir() and any(path.iterdir()) and not overwrite:
        raise InputError(f"output folder {path} is not empty (--overwrite puts files there anyway)")
    return path


def file_sha256(path: Path) -> str:
    """Of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def put_folder(made: Path, path: Path, overwrite: bool = False) -> None:
    """The files of `made` into the folder `path`, which appears whole if it was not there."""
    path = check_empty_folder(path, overwrite).resolve()
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        shutil.copytree(made, beside)
        if path.is_dir():
            for file in sorted(beside.iterdir()):
                os.replace(file, path / file.name)
        else:
            os.replace(beside, path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _lexists(path: Path) -> bool:
    """As `os.path.lexists`, but a name that no file can have is an error."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _same_file(a: Path, b: Path) -> bool:
    if a.exists() and b.exists():
        return os.path.samefile(a, b)  # follows symbolic links, knows hard links
    return a.resolve() == b.resolve()


def _said(error: BaseException) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
