"""The separator's weights: written, read back, and every way in which a file is not what it should be."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from safetensors.torch import load_file, save_file  # noqa: E402

from foleyspace import shipped  # noqa: E402
from foleyspace.errors import FoleyspaceError, InputError  # noqa: E402
from foleyspace.files import file_sha256  # noqa: E402
from foleyspace.shipped import SUMS  # noqa: E402
from foleyspace.spatializer import recogniser  # noqa: E402
from foleyspace.spatializer.model import NetConfig, SeparatorNet  # noqa: E402
from foleyspace.spatializer.training import export  # noqa: E402
from foleyspace.spatializer.weights import FORMAT, SHIPPED, load_separator, own_tensors  # noqa: E402

SMALL = NetConfig((8, 8, 8, 16), 8)


def small(seed: int = 0) -> SeparatorNet:
    torch.manual_seed(seed)
    return SeparatorNet(SMALL)


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    return export(small(), tmp_path_factory.mktemp("weights") / "small.safetensors", {"step": 7})


def header(**changes: str) -> dict[str, str]:
    return {"format": FORMAT, "net": json.dumps(vars(SMALL)), **changes}


def test_what_is_written_is_read_back(saved):
    net = load_separator(str(saved))
    assert net.config == SMALL
    assert not net.training
    for name, tensor in own_tensors(small()).items():
        torch.testing.assert_close(net.state_dict()[name], tensor, atol=1e-3, rtol=1e-3)  # kept as float16


def test_a_folder_of_weights_will_do(saved, tmp_path):
    shutil.copy(saved, tmp_path / SHIPPED)
    assert load_separator(str(tmp_path)).config == SMALL


def test_a_file_that_was_replaced_is_read_again(tmp_path):
    path = tmp_path / "w.safetensors"
    export(small(0), path, {})
    before = load_separator(str(path)).frame.weight.clone()
    assert load_separator(str(path)) is load_separator(str(path))
    export(small(1), path, {})
    assert not torch.equal(load_separator(str(path)).frame.weight, before)


# --- those that ship


def test_the_shipped_weights_are_whole_and_small():
    models = files("foleyspace.models")
    stated = dict(line.split()[::-1] for line in (models / SUMS).read_text().splitlines())
    data = (models / SHIPPED).read_bytes()
    assert hashlib.sha256(data).hexdigest() == stated[SHIPPED]
    assert len(data) <= 20e6
    net = load_separator("auto")
    assert 1e6 < sum(p.numel() for p in net.parameters()) < 12e6
    assert all(p.isfinite().all() for p in net.parameters())


def pretend(monkeypatch, folder: Path) -> None:
    monkeypatch.setattr(shipped, "files", lambda package: folder)


@pytest.mark.parametrize("damage", ["sum", "no sum", "no sums", "truncated", "missing"])
def test_damaged_shipped_weights_are_never_used(saved, tmp_path, monkeypatch, damage):
    path, sums = tmp_path / SHIPPED, tmp_path / SUMS
    shutil.copy(saved, path)
    listens = Path(str(files("foleyspace.models"))) / recogniser.SHIPPED  # every separator needs it
    shutil.copy(listens, tmp_path / recogniser.SHIPPED)
    sums.write_text(f"{file_sha256(path)}  {SHIPPED}\n{file_sha256(listens)}  {recogniser.SHIPPED}\n")
    pretend(monkeypatch, tmp_path)
    assert load_separator("auto").config == SMALL
    if damage == "sum":
        sums.write_text(f"{'0' * 64}  {SHIPPED}\n")
    elif damage == "no sum":
        sums.write_text(f"{file_sha256(path)}  other.safetensors\n\nrubbish\n")
    elif damage == "no sums":
        sums.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-1000])
    else:
        path.unlink()
    with pytest.raises(FoleyspaceError, match="missing or damaged: install the package again") as caught:
        load_separator("auto")
    assert not isinstance(caught.value, InputError)


# --- files that are no such weights


def spoilt(folder: Path, saved: Path, how: str) -> Path:
    path = folder / f"{how.replace(' ', '_')}.safetensors"
    tensors = load_file(saved)
    if how == "empty":
        path.write_bytes(b"")
    elif how == "text":
        path.write_text("these are no weights\n" * 100)
    elif how == "truncated":
        path.write_bytes(saved.read_bytes()[: saved.stat().st_size // 2])
    elif how == "pickle":
        torch.save(tensors, path)
    elif how == "other format":
        save_file(tensors, path, metadata=header(format="foleyspace-tagger-1"))
    elif how == "no header":
        save_file(tensors, path)
    elif how == "no shape":
        save_file(tensors, path, metadata={"format": FORMAT})
    elif how == "shape is no JSON":
        save_file(tensors, path, metadata=header(net="{"))
    elif how == "shape is a list":
        save_file(tensors, path, metadata=header(net="[1, 2]"))
    elif how == "no channels":
        save_file(tensors, path, metadata=header(net='{"channels": [], "condition": 8}'))
    elif how == "odd channels":
        save_file(tensors, path, metadata=header(net='{"channels": [8, 9, 8, 8], "condition": 8}'))
    elif how == "wider":
        save_file(tensors, path, metadata=header(net=json.dumps(vars(NetConfig((8, 8, 8, 24), 8)))))
    elif how == "a tensor less":
        del tensors["label.0.weight"]
        save_file(tensors, path, metadata=header())
    elif how == "a tensor more":
        save_file({**tensors, "else": torch.zeros(1)}, path, metadata=header())
    elif how == "not finite":
        tensors["frame.bias"] = torch.full_like(tensors["frame.bias"], torch.nan)
        save_file(tensors, path, metadata=header())
    return path


@pytest.mark.parametrize(
    ("how", "said"),
    [
        *((how, "not readable as safetensors") for how in ("empty", "text", "truncated", "pickle")),
        ("other format", "its format is 'foleyspace-tagger-1'"),
        ("no header", "its header states no format"),
        *((how, "tensors do not fit") for how in ("no shape", "shape is no JSON", "shape is a list")),
        *((how, "tensors do not fit") for how in ("no channels", "odd channels", "wider")),
        *((how, "tensors do not fit") for how in ("a tensor less", "a tensor more")),
        ("not finite", "values that are not finite"),
    ],
)
def test_what_is_no_weights_is_refused_in_one_line(saved, tmp_path, how, said):
    with pytest.raises(InputError, match=said) as caught:
        load_separator(str(spoilt(tmp_path, saved, how)))
    assert FORMAT in str(caught.value)  # what was expected
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("name", ["nothing.safetensors", "./nowhere/x", "best", "", "a/b/c", "/no/such"])
def test_a_name_that_is_neither_file_nor_hub_name_is_refused(name):
    with pytest.raises(InputError, match="must be auto, a safetensors file, or a hub name"):
        load_separator(name)


# --- the hub


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "hub"


def falls_back(caplog, name: str, said: str, **options) -> None:
    """The weights that ship are used, one warning says so."""
    with caplog.at_level(logging.WARNING):
        net = load_separator(name, **options)
    assert torch.equal(net.frame.weight, load_separator("auto").frame.weight)
    ours = [record.getMessage() for record in caplog.records if record.name == "foleyspace"]
    assert len(ours) == 1
    assert name in ours[0] and "those that ship are used" in ours[0] and said in ours[0]


def test_offline_falls_back_at_once_and_says_so(empty_cache, monkeypatch, caplog):
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("the network was asked"))
    falls_back(caplog, "someone/some-weights", "no local copy", offline=True)


@pytest.mark.parametrize("accepts", [True, False])
def test_a_hub_that_does_not_answer_costs_seconds(empty_cache, monkeypatch, caplog, accepts):
    """Connections are taken and never answered (a proxy that swallows), or refused."""
    load_separator("auto")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if accepts:
            server.listen(8)
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        began = time.monotonic()
        falls_back(caplog, "someone/some-weights", "host is silent")
        assert time.monotonic() - began < 15


class Hub:
    """A hub on this machine that holds one file, or none; `stated`: the SHA-256 it gives for it."""

    def __init__(self, data: bytes | None, stated: str = "") -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.answer(body=False)

            def do_GET(self) -> None:
                self.answer(body=True)

            def answer(self, body: bool) -> None:
                if data is None or not self.path.endswith(SHIPPED):
                    self.send_response(404)
                    self.send_header("X-Error-Code", "EntryNotFound" if data else "RepoNotFound")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("ETag", f'"{stated}"')
                self.send_header("X-Repo-Commit", "0" * 40)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if body:
                    self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Hub:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def hub(monkeypatch, empty_cache):
    """Start a hub and have the client ask it."""
    from huggingface_hub import constants

    def start(data: bytes | None, stated: str = "") -> Hub:
        made = Hub(data, stated)
        monkeypatch.setenv("HF_ENDPOINT", made.url)
        monkeypatch.setattr(constants, "ENDPOINT", made.url)
        template = made.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        return made

    return start


def test_a_hub_that_holds_them_gives_them(hub, saved):
    data = saved.read_bytes()
    with hub(data, hashlib.sha256(data).hexdigest()):
        assert load_separator("someone/some-weights").config == SMALL
    assert load_separator("someone/some-weights", offline=True).config == SMALL  # from its cache


def test_what_arrives_otherwise_than_stated_is_not_used(hub, saved, caplog):
    with hub(saved.read_bytes(), "0" * 64):
        falls_back(caplog, "someone/some-weights", "SHA-256 is not the one")


def test_a_hub_without_them_falls_back(hub, caplog):
    with hub(None):
        falls_back(caplog, "someone/some-weights", "")


def test_a_hub_model_of_another_kind_is_an_error(hub, tmp_path, saved):
    data = spoilt(tmp_path, saved, "other format").read_bytes()
    with hub(data, hashlib.sha256(data).hexdigest()), pytest.raises(InputError, match="its format is"):
        load_separator("someone/some-weights")
