"""Finding a model of transformers on disk or on the Hugging Face hub in bounded time."""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from foleyspace.errors import InputError

HUB_ANSWER_S = 5.0  # a hub that has not answered by then is taken as unreachable
STALL_S = 60.0  # a download that has not grown for so long is given up
_WEIGHTS = ("*.safetensors", "*.bin")
_WORDS = ("*.json", "*.txt", "*.model", "*.jinja")  # configuration, vocabulary


def find_model_folder(
    name: str, offline: bool, option: str, accepted: str, beside: str = "preprocessor_config.json"
) -> tuple[Path | None, str]:
    """The local folder of a model, downloading it if need be, or None and the reason.
    `option`: what a person gave it as, `accepted`: what that may be; `beside`: the file that a complete one
    has beside its configuration and weights.

    Raises `InputError` for a path that does not exist and a name the hub does not know.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        return path, ""
    if path.exists():
        raise InputError(f"`{option}` is {name!r}, a file, but must be a model's name or its folder")
    if name.startswith((".", "~", "/")) or "\\" in name or name.count("/") > 1 or path.is_absolute():
        raise InputError(f"`{option}` is {name!r} but there is no such folder")
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError:
        raise InputError(f"`{option}` is {name!r} but must be {accepted}") from None
    folder = cached_folder(name, beside)
    if folder is not None:
        return folder, ""
    if offline:
        return None, "not in the local cache, and offline"
    return _download(name, option)


def cached_folder(name: str, beside: str = "preprocessor_config.json") -> Path | None:
    """The complete local copy of a hub model, or None. Asks no network."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(name, "config.json")
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    return folder if (folder / beside).exists() and _has_weights(folder) else None


def _has_weights(folder: Path) -> bool:
    """Whether there are weights, and where an index says that they are in parts, all parts."""
    try:
        index = json.loads((folder / "model.safetensors.index.json").read_bytes())
        return all((folder / part).exists() for part in set(index["weight_map"].values()))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return any(found for pattern in _WEIGHTS for found in folder.glob(pattern))


def one_line(error: BaseException, limit: int = 160) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _download(name: str, option: str) -> tuple[Path | None, str]:
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url, snapshot_download
    from huggingface_hub.utils import GatedRepoError, RepositoryNotFoundError

    endpoint = os.environ.get("HF_ENDPOINT") or None
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    url = hf_hub_url(name, "config.json", endpoint=endpoint)
    # a thread, because no socket time-out bounds a name server that does not answer
    deadline = time.monotonic() + HUB_ANSWER_S
    answer = _in_thread(
        lambda: get_hf_file_metadata(url, timeout=HUB_ANSWER_S - 1), lambda: time.monotonic() > deadline
    )
    if isinstance(answer, GatedRepoError):
        raise InputError(f"`{option}` is {name!r} but the hub asks for a login for it")
    if isinstance(answer, RepositoryNotFoundError):
        raise InputError(f"`{option}` is {name!r} but the hub knows no such model")
    if isinstance(answer, BaseException):
        return None, "the model hub does not answer"

    store = Path(constants.HF_HUB_CACHE) / ("models--" + name.replace("/", "--")) / "blobs"
    size, grown = 0, time.monotonic()

    def stalled() -> bool:
        nonlocal size, grown
        now = sum(file.stat().st_size for file in store.glob("*")) if store.is_dir() else 0
        if now != size:
            size, grown = now, time.monotonic()
        return time.monotonic() - grown > STALL_S

    def fetch() -> Path:
        folder = snapshot_download(name, allow_patterns=[*_WORDS, "*.safetensors"], endpoint=endpoint)
        if not any(Path(folder).glob("*.safetensors")):
            folder = snapshot_download(name, allow_patterns=[*_WORDS, "*.bin"], endpoint=endpoint)
        return Path(folder)

    fetched = _in_thread(fetch, stalled)
    if isinstance(fetched, BaseException):
        return None, f"its download failed: {one_line(fetched, 80)}"
    return fetched, ""


def _in_thread(work: Callable[[], Any], expired: Callable[[], bool]) -> Any:
    """What `work` returns or the exception it raised; a TimeoutError once `expired()` while it runs."""
    box: list[Any] = []

    def run() -> None:
        try:
            box.append(work())
        except Exception as error:
            box.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.2)
        if thread.is_alive() and expired():
            return TimeoutError("no answer")
    return box[0]
