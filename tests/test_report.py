"""The report holds what it was given, nothing from outside, and nothing a file name could smuggle in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from foleyspace.cue_plot import _placed
from foleyspace.errors import InputError
from foleyspace.propagation import position
from foleyspace.report import Still, write_report
from foleyspace.report_map import source_rows, trajectory_map
from foleyspace.report_stills import make_stills, telling_moments
from foleyspace.types import Audio, AudioInfo, Clip, Scene, Source, Track

TIMES = np.arange(0, 8.01, 0.1)


@dataclass(frozen=True)
class Row:
    id: str
    label: str
    handled: bool
    score: float
    share: float


@pytest.fixture
def clip():
    sound = AudioInfo("aac", 44100, 1, "mono", 0.0, 8.0)
    return Clip(Path("a film.mp4"), Fraction(25), np.arange(200) / 25, (854, 480), 8.0, sound, cuts=(4.0,))


@pytest.fixture
def scene():
    """A car from left to right, nearest at 6 s, then out of the picture; and a still dog."""
    azimuth = np.radians(np.linspace(30, -60, len(TIMES)))
    distance = 4 + np.abs(TIMES - 6)
    xyz = np.stack([np.cos(azimuth), np.sin(azimuth), 0 * azimuth], axis=1) * distance[:, None]
    car = Source("car-1", "car", TIMES, xyz, visible=TIMES < 7, caption="a car passes")
    gain = np.where(TIMES < 3, -6.0, -96.0)
    dog = Source("dog-1", "dog", TIMES, np.tile([3.0, 1.0, -0.5], (len(TIMES), 1)), gain_db=gain)
    return Scene((car, dog), 8.0)


@pytest.fixture
def audio():
    rng = np.random.default_rng(0)
    return Audio(0.1 * rng.standard_normal((2, 8 * 16000)), 16000)


STILLS = [Still(1.0, np.zeros((48, 64, 3), np.uint8), "one moment")]


VOID = {"meta", "link", "img", "br", "circle", "path", "rect"}


class Collector(HTMLParser):
    """Tags, their attributes and the text of a page; complains of tags left open."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text, self.open = [], [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.text.append(data)


def write(path, clip, scene, **more):
    write_report(path, clip=clip, tracks=(), scene=scene, **{"stills": STILLS, **more})
    page = path.read_text(encoding="utf-8")
    return page, Collector(page)


def test_everything_given_is_on_the_page(tmp_path, clip, scene, audio):
    page, parsed = write(
        tmp_path / "r.html",
        clip,
        scene,
        audio=audio,
        evidence=[Row("car-1", "car", False, 0.4321, 0.8), Row("dog-1", "dog", True, 0.1, 0.2)],
        decisions=["depth model not used: distances come from object sizes"],
        options={"fov_deg": 70.0, "seeing": {"detector": "motion"}, "prompt": ""},
        versions={"foleyspace": "9.8.7", "torch": "2.15"},
        loudness={"loudness out (LUFS)": -23.04, "unknown": None},
        seconds={"watch": 1.234},
    )
    text = " ".join(" ".join(parsed.text).split())
    for piece in (
        "a film.mp4", "8.00 s", "854 x 480, 25 fps", "aac, mono, 44.1 kHz", "follows 2 sources: car, dog",
        "one moment", "a car passes", "0.432", "distances come from object sizes", "seeing.detector", "motion",
        "9.8.7", "-23.0", "1.23 s",
    ):  # fmt: skip
        assert piece in text, piece
    assert "unknown" not in text
    assert page.count("data:image/png;base64,") == 1
    assert page.count("data:image/jpeg;base64,") == 1
    assert "svg" in parsed.tags
    assert len(page) < 2_000_000


def test_nothing_comes_from_outside(tmp_path, clip, scene, audio):
    page, parsed = write(tmp_path / "r.html", clip, scene, audio=audio)
    assert "script" not in parsed.tags
    for name, value in parsed.attributes:
        if name in ("src", "href", "xlink:href", "action", "srcset"):
            assert value.startswith("data:"), value
    assert not re.search(r"@import|url\(|https?://", page)
    assert "default-src 'none'" in page


def test_names_cannot_become_markup(tmp_path, clip, scene):
    nasty = "<script>alert(1)</script>\"' onload=x"
    bad = Scene((Source("s", nasty, TIMES, scene.sources[0].xyz, caption=nasty),), 8.0)
    _, parsed = write(
        tmp_path / "r.html",
        clip,
        bad,
        title=nasty,
        decisions=[nasty],
        options={nasty: nasty},
        versions={nasty: nasty},
        evidence=[{"id": nasty, "why": nasty}],
        stills=[Still(0.0, STILLS[0].frame, nasty)],
    )
    assert "script" not in parsed.tags
    assert "onload" not in dict(parsed.attributes)
    assert "".join(parsed.text).count("<script>alert(1)</script>") >= 7


def test_a_page_without_anything_found(tmp_path, clip):
    _, parsed = write(tmp_path / "r.html", clip, Scene((), 8.0), stills=())
    text = " ".join(parsed.text)
    assert "No sounding object was found" in text
    assert "What was seen" not in text
    assert "What the ears get" not in text


def test_long_evidence_is_cut_by_share(tmp_path, clip, scene):
    rows = [Row(f"t-{k}", "thing", False, 0.1, k / 100) for k in range(100)]
    _, parsed = write(tmp_path / "r.html", clip, scene, evidence=rows)
    text = " ".join(parsed.text)
    assert "t-99" in text
    assert "t-3 " not in text
    assert "60 more" in text


def test_files_are_not_overwritten_and_nothing_is_left(tmp_path, clip, scene, monkeypatch):
    path = tmp_path / "r.html"
    write(path, clip, scene)
    with pytest.raises(InputError, match="exists"):
        write(path, clip, scene)
    write(path, clip, scene, overwrite=True)
    before = path.read_bytes()
    monkeypatch.setattr("foleyspace.report.trajectory_map", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write(path, clip, scene, overwrite=True)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["r.html"]


def test_map_paths_are_on_the_right_side_and_dotted_off_screen(scene):
    drawn = trajectory_map(scene, 70.0)
    side = drawn["side"]
    shown, hidden = (next(p for p in drawn["paths"] if p["hidden"] is flag) for flag in (False, True))

    def points(path):
        return np.array([[float(v) for v in pair.split()] for pair in path["d"][1:].split(" L")])

    assert points(shown)[0, 0] < side / 2 < points(hidden)[-1, 0]
    np.testing.assert_allclose(points(shown)[-1], points(hidden)[0], atol=0.2)  # no gap at the picture's edge
    assert {n["text"] for n in drawn["names"]} == {"car", "dog"}
    assert drawn["cone"]
    assert not trajectory_map(scene, 360.0)["cone"]
    huge = Scene((Source("s", "s", np.arange(5000) / 10, np.tile([1.0, 0, 0], (5000, 1))),), 500.0)
    assert max(len(p["d"]) for p in trajectory_map(huge, 70.0)["paths"]) < 10_000


def test_source_rows_say_where_and_when(scene):
    car, dog = source_rows(scene)
    assert car["azimuth"] == "-60 … +30"
    assert car["distance"].startswith("4.0 …")
    assert car["off"] == "13 %"  # from 6.95 s on
    assert dog["heard"] == "0.0 to 3.0"  # faded out by then
    assert dog["off"] == "no"


def test_what_is_drawn_and_listed_is_what_is_rendered():
    """Between two points a source goes straight through space: past the listener, not around; and it fades
    in amplitude, so that it is heard nearly to the end."""
    ends = np.radians([80.0, -80.0])
    xyz = 3 * np.stack([np.cos(ends), np.sin(ends), 0 * ends], axis=1)
    scene = Scene((Source("a", "a", [0.0, 8.0], xyz, gain_db=[0.0, -96.0], visible=[True, False]),), 8.0)
    (row,) = source_rows(scene)
    assert row["distance"] == "0.5 … 3.0"
    assert row["heard"].startswith("0.0 to 7.7")
    assert row["off"] == "48 %"

    class Axis:
        def plot(self, times, values, *_, **__):
            self.times, self.values = times, values

    axis = Axis()
    _placed(axis, scene)
    for time in (1.0, 2.0, 3.0, 7.0):
        x, y, _ = position(scene.sources[0], np.array([time]))[0]
        shown = np.interp(time, axis.times, axis.values)
        assert shown == pytest.approx(np.degrees(np.arctan2(y, x)), abs=0.1)
    assert np.isnan(axis.values[-1])
    drawn = trajectory_map(scene, 70.0)
    # seen up to half way, which is the middle of the map
    first = [[float(v) for v in pair.split()] for pair in drawn["paths"][0]["d"][1:].split(" L")]
    assert first[-1][0] == pytest.approx(drawn["side"] / 2, abs=8)
    held = Scene((Source("a", "a", [2.0], [[3.0, 0, 0]]),), 8.0)
    assert source_rows(held)[0]["heard"] == "0.0 to 8.0"  # outside its points a source stays as it is


def test_telling_moments_are_the_extremes(scene):
    car = Scene(scene.sources[:1], 8.0)
    moments = telling_moments(car, 8.0)
    by_caption = {caption.split(" (")[0]: time for time, caption in moments}
    assert by_caption["farthest to the left"] == pytest.approx(0, abs=0.2)
    assert by_caption["farthest to the right"] == pytest.approx(8, abs=0.2)
    assert by_caption["nearest"] == pytest.approx(6, abs=0.2)
    assert len(moments) == 4
    times = [time for time, _ in moments]
    assert times == sorted(times)
    assert min(np.diff(times)) > 0.7
    assert all(abs(t - 4.0) > 0.15 for t, _ in telling_moments(scene, 8.0, cuts=(4.0,)))


def test_moments_of_nothing_and_of_an_instant():
    empty = telling_moments(Scene((), 8.0), 8.0)
    assert len(empty) == 4
    assert all(caption == "" for _, caption in empty)
    assert len(telling_moments(Scene((), 0.04), 0.0)) <= 1


def test_stills_of_a_real_video(shared, scene):
    from foleyspace.video import probe

    clip = probe(shared / "videos" / "moving1.mp4")
    box = np.tile([0.4, 0.4, 0.6, 0.6], (len(TIMES), 1))
    track = Track("car-1", "car", TIMES, box, box[:, :2] + 0.1, 0 * TIMES + 1, 0 * TIMES + 1)
    stills = make_stills(clip, [track], scene, count=2)
    assert len(stills) == 2
    for still in stills:
        assert still.frame.shape == (480, 854, 3)
        assert still.frame.std() > 5
