"""HRIR sets by name, and fetching them from a server that misbehaves in every way servers do."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import logging
import re
import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from foleyspace import cache as cache_module
from foleyspace import hrtf, hrtf_fetch
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.hrtf import fetch_hrtf, hrtf_info, list_hrtfs, resolve_hrtf
from foleyspace.sofa import read_sofa

CONTENT = resolve_hrtf("spherical_head").read_bytes()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("FOLEYSPACE_CACHE", str(tmp_path / "cache"))
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    # what is fetched here is our own; a process for every file would take most of the tests' time
    monkeypatch.setattr(hrtf_fetch, "read_sofa", functools.partial(read_sofa, isolated=False))
    return tmp_path / "cache" / "hrtf"


@dataclass
class Site:
    """A web server on this machine with one file, and how it behaves."""

    url: str = ""
    content: bytes = CONTENT
    ranges: bool = True
    etag: str = '"one"'
    status: int = 200
    break_after: list[int] = field(default_factory=list)  # bytes sent before each connection is cut
    hang_after: int | None = None
    wrong_range: bool = False
    redirect: str = ""
    length: bool = True
    requests: list[dict[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def site():
    state = Site()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            state.requests.append(dict(self.headers))
            self.close_connection = True
            if state.redirect:
                self.send_response(302)
                self.send_header("Location", state.redirect)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if state.status != 200:
                self.send_error(state.status)
                return
            size, start = len(state.content), 0
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            same = self.headers.get("If-Range", state.etag) == state.etag
            if asked and state.ranges and same:
                start = int(asked[1])
                if start >= size:
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{size}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                start = 0 if state.wrong_range else start
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
            else:
                self.send_response(200)
            if state.length:
                self.send_header("Content-Length", str(size - start))
            if state.etag:
                self.send_header("ETag", state.etag)
            self.end_headers()
            body = state.content[start:]
            if state.break_after:
                body = body[: state.break_after.pop(0)]
            if state.hang_after is not None:
                self.wfile.write(body[: state.hang_after])
                self.wfile.flush()
                state.released.wait(20)
                return
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_):  # a client that hung up is no news
            pass

    server = Server(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}/sets/my%20set.sofa"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield state
    state.released.set()
    server.shutdown()
    server.server_close()
    thread.join(5)


def left_over(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


# ---------------------------------------------------------------- names


def test_embedded_sets_are_always_there():
    for name in ("mit_kemar", "spherical_head"):
        raw = read_sofa(resolve_hrtf(name))
        assert len(raw.ir) > 500
    assert hrtf.DEFAULT_HRTF == "mit_kemar"


def test_a_file_is_itself(tmp_path):
    path = tmp_path / "own.sofa"
    shutil.copy(resolve_hrtf("spherical_head"), path)
    assert resolve_hrtf(str(path)) == path
    assert resolve_hrtf(path) == path


def test_unknown_names_list_the_known_ones():
    with pytest.raises(InputError, match=r"`hrtf` is kemar but must be .*mit_kemar, spherical_head.*fabian"):
        resolve_hrtf("kemar")
    with pytest.raises(InputError, match="does not exist"):
        resolve_hrtf("somewhere/else.sofa")
    with pytest.raises(InputError, match="foleyspace hrtf fetch sadie_ku100"):
        resolve_hrtf("sadie_ku100")


def test_list_says_where_everything_is(cache):
    before = {entry.name: entry for entry in list_hrtfs()}
    assert before["mit_kemar"].where == "embedded"
    assert before["mit_kemar"].path.is_file()
    assert before["fabian"].where == "fetchable"
    assert before["fabian"].path is None
    assert all(entry.licence and entry.description for entry in before.values())
    cache.mkdir(parents=True)
    for name in ("fabian", "own"):
        shutil.copy(resolve_hrtf("spherical_head"), cache / f"{name}.sofa")
    after = {entry.name: entry for entry in list_hrtfs()}
    assert after["fabian"].where == after["own"].where == "fetched"
    assert after["fabian"].licence == before["fabian"].licence
    assert len(after) == len(before) + 1
    assert resolve_hrtf("own") == cache / "own.sofa"


def test_public_sets_are_well_formed():
    for entry in hrtf.PUBLIC_SETS:
        assert entry.url.startswith("https://"), entry.name
        assert entry.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", entry.sha256), entry.name
        assert hrtf.SAFE_NAME.fullmatch(entry.name)
    names = [entry.name for entry in (*hrtf.PUBLIC_SETS, *hrtf.EMBEDDED_SETS)]
    assert len(set(names)) == len(names)


def test_a_published_hash_is_the_hash_of_the_file(shared):
    """The one public file whose bytes are at hand."""
    published = {entry.name: entry.sha256 for entry in hrtf.PUBLIC_SETS}
    content = (shared / "hrir" / "MIT_KEMAR_normal_pinna.sofa").read_bytes()
    assert hashlib.sha256(content).hexdigest() == published["mit_kemar_normal"]


def test_info_says_what_is_in_a_set():
    info = hrtf_info("mit_kemar")
    assert info["directions"] == 710
    assert info["elevation_deg"] == (-40.0, 90.0)
    assert info["distance_m"] == (1.4, 1.4)
    assert (info["rate_hz"], info["taps"]) == (44_100, 512)
    assert 600 < info["max_itd_us"] < 800
    assert "agree" in info["ears"]
    assert "Gardner" in info["licence"]
    json.dumps(info)


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    assert cache_module.cache_dir("hrtf") == tmp_path / "cache" / "hrtf"
    monkeypatch.delenv("FOLEYSPACE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(cache_module.sys, "platform", "linux")
    assert cache_module.cache_dir("hrtf") == tmp_path / "xdg" / "foleyspace" / "hrtf"
    monkeypatch.setattr(cache_module.sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_module.cache_dir("hrtf") == tmp_path / "local" / "foleyspace" / "hrtf"


# ---------------------------------------------------------------- fetching


def test_fetch_brings_the_file_and_a_note_of_it(site, cache):
    seen = []
    path = fetch_hrtf(
        site.url, sha256=SHA256.upper(), progress=lambda done, total: seen.append((done, total))
    )
    assert path == cache / "my_set.sofa"
    assert path.read_bytes() == CONTENT
    assert left_over(cache) == {"my_set.sofa", "my_set.json"}
    note = json.loads((cache / "my_set.json").read_text())
    assert (note["url"], note["sha256"], note["licence"]) == (site.url, SHA256, "Apache-2.0")
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert resolve_hrtf("my_set") == path
    assert site.requests[0]["User-Agent"].startswith("foleyspace/")


def test_what_is_there_is_not_fetched_again(site):
    fetch_hrtf(site.url)
    fetch_hrtf(site.url)
    assert len(site.requests) == 1


def test_a_damaged_file_is_fetched_again(site, cache):
    path = fetch_hrtf(site.url)
    path.write_bytes(CONTENT[:-5])
    assert fetch_hrtf(site.url).read_bytes() == CONTENT


def test_named_sets_are_fetched_by_name(site, cache, monkeypatch):
    entry = hrtf.HrtfEntry("public", "fetchable", "CC0", "a set", url=site.url, sha256=SHA256)
    monkeypatch.setattr(hrtf, "PUBLIC_SETS", (entry,))
    assert fetch_hrtf("public") == cache / "public.sofa"
    listed = {one.name: one for one in list_hrtfs()}["public"]
    assert (listed.where, listed.licence, listed.sha256) == ("fetched", "CC0", SHA256)


def test_dest_may_be_a_folder_or_a_file(site, tmp_path):
    (tmp_path / "here").mkdir()
    assert fetch_hrtf(site.url, dest=tmp_path / "here") == tmp_path / "here" / "my_set.sofa"
    assert fetch_hrtf("own", url=site.url, dest=tmp_path / "new") == tmp_path / "new" / "own.sofa"
    assert fetch_hrtf(site.url, dest=tmp_path / "b.sofa") == tmp_path / "b.sofa"


def test_a_file_from_elsewhere_is_not_overwritten(site, tmp_path):
    mine = tmp_path / "mine.sofa"
    mine.write_bytes(b"precious")
    with pytest.raises(InputError, match="there already"):
        fetch_hrtf(site.url, dest=mine)
    assert mine.read_bytes() == b"precious"
    assert not site.requests


def test_a_broken_transfer_goes_on_where_it_stopped(site, cache):
    site.break_after = [100_000, 50_000]
    assert fetch_hrtf(site.url, sha256=SHA256).read_bytes() == CONTENT
    assert [one.get("Range") for one in site.requests] == [None, "bytes=100000-", "bytes=150000-"]
    assert site.requests[1]["If-Range"] == '"one"'
    assert left_over(cache) == {"my_set.sofa", "my_set.json"}


def test_a_later_call_goes_on_where_the_last_one_stopped(site, cache):
    site.break_after = [100_000, 0]
    with pytest.raises(FoleyspaceError, match="100000 bytes are kept"):
        fetch_hrtf(site.url)
    assert left_over(cache) == {"my_set.sofa.part", "my_set.sofa.part.json"}
    assert [entry.name for entry in list_hrtfs() if entry.where == "fetched"] == []
    assert fetch_hrtf(site.url, sha256=SHA256).read_bytes() == CONTENT
    assert site.requests[-1]["Range"] == "bytes=100000-"


def test_a_complete_part_needs_no_second_transfer(site, cache):
    cache.mkdir(parents=True)
    (cache / "my_set.sofa.part").write_bytes(CONTENT)
    (cache / "my_set.sofa.part.json").write_text(json.dumps({"url": site.url, "validator": '"one"'}))
    assert fetch_hrtf(site.url, sha256=SHA256).read_bytes() == CONTENT
    assert len(site.requests) == 1


@pytest.mark.parametrize("validator", ['"one"', ""])
def test_a_part_of_something_else_is_thrown_away(site, cache, validator):
    """The file changed between two tries: the server's tag says so, or the hash does."""
    cache.mkdir(parents=True)
    (cache / "my_set.sofa.part").write_bytes(b"x" * 1000)
    (cache / "my_set.sofa.part.json").write_text(json.dumps({"url": site.url, "validator": validator}))
    site.etag = '"two"' if validator else ""
    assert fetch_hrtf(site.url, sha256=SHA256).read_bytes() == CONTENT
    (cache / "other.sofa.part").write_bytes(b"x" * 1000)
    (cache / "other.sofa.part.json").write_text(json.dumps({"url": "https://elsewhere/", "validator": ""}))
    assert fetch_hrtf("other", url=site.url).read_bytes() == CONTENT
    assert "Range" not in site.requests[-1]


def test_a_part_longer_than_the_file_is_thrown_away(site, cache):
    cache.mkdir(parents=True)
    (cache / "my_set.sofa.part").write_bytes(CONTENT + b"more")
    (cache / "my_set.sofa.part.json").write_text(json.dumps({"url": site.url, "validator": '"one"'}))
    assert fetch_hrtf(site.url).read_bytes() == CONTENT


def test_a_server_without_ranges_starts_again(site):
    site.ranges = False
    site.break_after = [100_000]
    assert fetch_hrtf(site.url, sha256=SHA256).read_bytes() == CONTENT
    site.length = False
    assert fetch_hrtf("nolength", url=site.url, sha256=SHA256).read_bytes() == CONTENT


def test_a_server_that_always_breaks_is_given_up(site, cache):
    site.ranges = False
    site.break_after = [1000] * 50
    with pytest.raises(FoleyspaceError, match="cannot be fetched"):
        fetch_hrtf(site.url)
    assert len(site.requests) == 2


def test_a_server_that_breaks_all_the_time_is_given_up_too(site):
    """Each try brings something, but a kilobyte at a time is no download."""
    site.break_after = [1000] * 50
    with pytest.raises(FoleyspaceError, match="bytes are kept"):
        fetch_hrtf(site.url)
    assert len(site.requests) == 6


def test_a_part_not_asked_for_is_refused(site):
    site.break_after = [1000]
    site.wrong_range = True
    with pytest.raises(FoleyspaceError, match="not asked for"):
        fetch_hrtf(site.url)


def test_a_wrong_hash_leaves_nothing(site, cache):
    with pytest.raises(FoleyspaceError, match=f"has sha256 {SHA256} but must have {'0' * 64}"):
        fetch_hrtf(site.url, sha256="0" * 64)
    assert left_over(cache) == set()


def test_the_first_hash_is_noted_and_held_to(site, cache, caplog):
    with caplog.at_level(logging.WARNING, "foleyspace"):
        path = fetch_hrtf(site.url)
    assert SHA256 in caplog.text
    path.unlink()
    site.content, site.etag = resolve_hrtf("mit_kemar").read_bytes(), '"two"'
    with pytest.raises(FoleyspaceError, match="of the first download"):
        fetch_hrtf(site.url)
    (cache / "my_set.json").unlink()
    assert fetch_hrtf(site.url).read_bytes() == site.content


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"<html>please log in</html>", "web page"), (CONTENT[:-3000], "truncated"), (b"", "empty")],
)
def test_what_is_no_hrir_set_is_not_kept(site, cache, content, word):
    site.content = content
    with pytest.raises(FoleyspaceError, match=word):
        fetch_hrtf(site.url)
    assert left_over(cache) == set()


@pytest.mark.parametrize("status", [403, 404, 500])
def test_http_errors_are_said(site, cache, status):
    site.status = status
    with pytest.raises(FoleyspaceError, match=str(status)) as error:
        fetch_hrtf(site.url)
    assert "\n" not in str(error.value)
    assert left_over(cache) == set()


@pytest.mark.parametrize("sent", [0, 5000])
def test_a_silent_server_is_not_waited_for(site, sent):
    site.hang_after = sent
    started = time.monotonic()
    with pytest.raises(FoleyspaceError, match=r"silent for 0\.3 s"):
        fetch_hrtf(site.url, timeout_s=0.3)
    assert time.monotonic() - started < 3
    assert len(site.requests) == 1


def test_nobody_listens(cache):
    with pytest.raises(FoleyspaceError, match="cannot be fetched"):
        fetch_hrtf("http://127.0.0.1:9/x.sofa", timeout_s=1)


def test_addresses_that_are_refused(site):
    for url in ("http://example.org/x.sofa", "http://192.0.2.1/x.sofa"):
        with pytest.raises(InputError, match="https"):
            fetch_hrtf(url)
    with pytest.raises(InputError, match="https"):
        fetch_hrtf("x", url="file:///etc/passwd")
    site.redirect = "http://192.0.2.1/x.sofa"
    with pytest.raises(InputError, match="https"):
        fetch_hrtf(site.url)
    with pytest.raises(InputError, match="names no file"):
        fetch_hrtf("https://example.org/")


def test_bad_names_and_hashes(site):
    with pytest.raises(InputError, match="no known set"):
        fetch_hrtf("kemar")
    with pytest.raises(InputError, match="embedded"):
        fetch_hrtf("mit_kemar", url=site.url)
    with pytest.raises(InputError, match="no good name"):
        fetch_hrtf("../x", url=site.url)
    with pytest.raises(InputError, match="64 hexadecimal"):
        fetch_hrtf(site.url, sha256="abc")
    assert not site.requests


def test_a_place_that_cannot_be_written(site, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FoleyspaceError, match="cannot be written"):
        fetch_hrtf(site.url, dest=tmp_path / "file" / "x.sofa")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(site, cache):
    cache.mkdir(parents=True)
    (cache / "my_set.sofa.part").symlink_to("/dev/full")
    with pytest.raises(FoleyspaceError, match="No space left"):
        fetch_hrtf(site.url)


def test_a_fetched_set_is_the_set(site, monkeypatch):
    monkeypatch.setattr(hrtf_fetch, "read_sofa", read_sofa)  # in its own process, as users have it
    raw = read_sofa(fetch_hrtf(site.url))
    np.testing.assert_array_equal(raw.ir, read_sofa(resolve_hrtf("spherical_head")).ir)
