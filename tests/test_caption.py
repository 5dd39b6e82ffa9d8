"""Scenes in words: every word is true, everyone is named, and the parser reads it all back."""

import importlib.util
import json
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from foleyspace.camera import angles_to_xyz
from foleyspace.caption import NOTHING, caption, source_caption
from foleyspace.captioning.labels import clean_label, named
from foleyspace.captioning.path import legs, sounding_spans
from foleyspace.captioning.words import direction, distance, elevation, side, span
from foleyspace.errors import InputError
from foleyspace.prompt import read_prompt
from foleyspace.propagation import position
from foleyspace.types import Scene, Source

# what a listener takes the words for, longest first; degrees to the left for "left"
MEANINGS = (
    (r"(slightly|a little|just).*(left|right)", 20),
    (r"(front|ahead)( of me)?( on the)? (left|right)", 45),
    (r"(behind|back|rear).*(left|right)", 135),
    (r"behind|back|rear", 180),
    (r"left|right", 90),
    (r"front|ahead|middle|centre", 0),
)


def heard_as(words: str) -> float:
    """The azimuth that words mean, read independently of the code that wrote them."""
    if hour := re.search(r"(\d+) o'clock", words):
        return -30.0 * int(hour[1])
    if past := re.search(r"half past (\d+)", words):
        return -30.0 * int(past[1]) - 15.0
    sign = -1 if "right" in words else 1
    if degrees := re.search(r"(\d+) degrees to the (left|right)", words):
        return sign * float(degrees[1])
    return sign * next(float(value) for pattern, value in MEANINGS if re.search(pattern, words))


def apart(a: float, b: float) -> float:
    return abs((a - b + 180) % 360 - 180)


def moving(
    label: str, times, azimuth_deg, distance_m=2.0, elevation_deg=0.0, gain_db=None, visible=None
) -> Source:
    times = np.asarray(times, float)
    n = len(times)
    angles = np.stack([np.broadcast_to(azimuth_deg, n), np.broadcast_to(elevation_deg, n)], axis=-1)
    xyz = angles_to_xyz(angles, np.broadcast_to(distance_m, n))
    return Source(label, label, times, xyz, gain_db=gain_db, visible=visible)


def still(label: str, azimuth_deg: float, distance_m: float = 2.0, elevation_deg: float = 0.0) -> Source:
    return moving(label, [0.0], azimuth_deg, distance_m, elevation_deg)


T = np.linspace(0, 8, 81)


@pytest.mark.parametrize("precision", ["words", "degrees", "clock", "mixed"])
def test_every_direction_is_true_to_a_quarter_of_an_hour_and_on_its_side(precision) -> None:
    rng = np.random.default_rng(1)
    for azimuth in np.r_[np.arange(-360, 361, 1.0), rng.uniform(-180, 180, 400), 10.0, -10.0, 170.0]:
        said = direction(azimuth, rng, precision)
        for words in (said.at, said.noun):
            assert apart(heard_as(words), azimuth) <= 7.5 + 1e-9, (azimuth, words)
            assert side(heard_as(words)) == side(azimuth), (azimuth, words)


def test_degrees_are_exact_and_words_leave_room_for_what_wavers() -> None:
    rng = np.random.default_rng(2)
    for azimuth in np.arange(-179, 180, 1.0):
        assert apart(heard_as(direction(azimuth, rng, "degrees").at), azimuth) <= 1
        assert apart(heard_as(direction(azimuth, rng, slack_deg=8).at), azimuth) <= 7.5


def test_six_ways_to_say_a_direction_and_four_a_motion() -> None:
    scene = Scene((still("dog barking", 90), moving("car", T, np.linspace(80, -80, 81))), 8.0)
    frames = Counter(
        re.sub(
            r"(on|to|from|my|the|side|\b)+ ?left( side)?",
            "L",
            source_caption(scene.sources[0], scene, seed=s),
        )
        for s in range(200)
    )
    assert len(frames) >= 6
    ways = {source_caption(scene.sources[1], scene, seed=s).split(" from ")[0] for s in range(200)}
    assert len(ways) >= 8
    assert all("from" in source_caption(scene.sources[1], scene, seed=s) for s in range(200))


def test_elevation_and_distance() -> None:
    rng = np.random.default_rng(3)
    assert elevation(4, rng) == elevation(-7, rng) == "" and elevation(-14, rng) == "15 degrees down"
    assert elevation(45, rng) == "above" and elevation(-40, rng) == "below"
    assert elevation(21, rng) == "20 degrees up" and elevation(-70, rng) == "70 degrees down"
    assert distance(2.1, rng) == "" and distance(5.2, rng) == "5 metres away"
    assert distance(0.3, rng) == "very close" and distance(20, rng) == "very far away"
    assert distance(1.0, rng, always=True).endswith("1 metre away")
    for metres in np.geomspace(0.2, 90, 200):
        said = re.search(r"([\d.]+) metre", distance(metres, rng, always=True))
        assert abs(np.log(float(said[1]) / metres)) < (0.35 if metres < 0.5 else 0.25)


def test_overhead_has_no_side_and_the_ear_has_its_own_words() -> None:
    scene = Scene((still("drone", 90, elevation_deg=88), still("whisper", -88, 0.3)), 4.0)
    for seed in range(30):
        above = source_caption(scene.sources[0], scene, seed=seed)
        assert re.search("(?i)above me|overhead", above) and not re.search("left|right|front", above)
        assert "my right ear" in source_caption(scene.sources[1], scene, seed=seed)


def test_times() -> None:
    rng = np.random.default_rng(4)
    assert span(0, 8, 8, rng) == span(0.02, 7.99, 8, rng) == ""
    assert span(2, 4.02, 8, rng) == "from 2 to 4 seconds"
    assert {span(0, 3, 8, rng) for _ in range(40)} == {
        "from 0 to 3 seconds",
        "until 3 seconds",
        "for the first 3 seconds",
    }
    assert {span(2.5, 8, 8, rng) for _ in range(40)} == {"from 2.5 to 8 seconds", "after 2.5 seconds"}


def test_when_a_source_sounds() -> None:
    gain_db = np.array([-120, 0, 0, -120, -120, 0, 0, -120.0])
    source = moving("dog", [1.98, 2, 3, 3.02, 5, 5.02, 6, 6.02], 90, gain_db=gain_db)
    spans = sounding_spans(source, 8.0)
    assert np.allclose(spans, [(2, 3), (5, 6)], atol=0.03)
    assert np.allclose(sounding_spans(source, 8.0, most=1), [(2, 6)], atol=0.03)
    assert sounding_spans(still("dog", 90), 8.0) == [(0.0, 8.0)]
    assert sounding_spans(moving("dog", [0, 1], 0, gain_db=np.full(2, -120.0)), 8.0) == []
    said = source_caption(source, Scene((source,), 8.0))
    assert "from 2 to 3 seconds" in said and ", then " in said and "from 5 to 6 seconds" in said


def test_a_pass_on_a_straight_line_is_one_leg() -> None:
    """Slow, fast, slow in angle: one movement all the same, and no change of distance told."""
    y = np.linspace(30, -30, 81)
    source = Source("car", "car", T, np.stack([np.full(81, 4.0), y, np.zeros(81)], axis=1))
    (leg,) = legs(source, 8.0)
    assert leg.turns and leg.azimuth_deg[0] == pytest.approx(82.4, abs=0.1)
    assert leg.turn_deg == pytest.approx(-164.8, abs=0.1)


@pytest.mark.parametrize("noise_deg", [0.0, 1.5])
def test_standing_turning_back_and_stopping_are_told_apart(noise_deg) -> None:
    noise = np.random.default_rng(5).normal(0, 1, 81) * noise_deg
    assert len(legs(moving("a", T, 60 + noise), 8.0)) == 1
    back = legs(moving("a", T, 60 * np.cos(T / 8 * 2 * np.pi) + noise), 8.0)
    assert [np.sign(leg.turn_deg) for leg in back] == [-1, 1]
    assert back[0].end_s == pytest.approx(4, abs=0.4)
    stops = legs(moving("a", T, np.interp(T, [0, 3, 5, 8], [90, 90, -90, -90]) + noise), 8.0)
    assert [leg.turns for leg in stops] == [False, True, False]
    assert stops[1].start_s == pytest.approx(3, abs=0.3) and stops[1].end_s == pytest.approx(5, abs=0.3)


def test_a_jump_is_two_places_and_no_movement() -> None:
    way = legs(moving("a", [0, 4, 4.02, 8], [90, 90, -90, -90]), 8.0)
    assert [(leg.turns, round(leg.mean_azimuth_deg)) for leg in way] == [(False, 90), (False, -90)]


@pytest.mark.parametrize("noise_deg", [0.0, 1.5])
def test_coming_and_going(noise_deg) -> None:
    noise = np.exp(np.random.default_rng(6).normal(0, 0.02, 81) * noise_deg)
    (leg,) = legs(moving("a", T, 45, np.geomspace(10, 1, 81) * noise), 8.0)
    assert leg.nearing == 1
    way = legs(moving("a", T, 45, np.exp(np.interp(T, [0, 4, 8], np.log([1, 12, 1]))) * noise), 8.0)
    assert [leg.nearing for leg in way] == [-1, 1]
    scene = Scene((moving("bus", T, 92, np.geomspace(10, 1, 81)),), 8.0)
    verbs = {re.search("approach|closer", caption(scene, seed=s))[0] for s in range(40)}
    assert verbs == {"approach", "closer"} and all("left" in caption(scene, seed=s) for s in range(40))


@pytest.mark.parametrize(
    ("turn", "said"), [(360, ""), (-720, "twice clockwise"), (-1080, "three times clockwise")]
)
def test_circles_count_and_have_a_sense(turn, said) -> None:
    scene = Scene((moving("bee", T, np.linspace(0, turn, 81)),), 8.0)
    for seed in range(20):
        words = caption(scene, seed=seed)
        assert re.search(r"circl\w+ around me", words) and said in words
        assert turn < 0 or not re.search(r"(?<!counter-)clockwise", words)


def test_what_is_more_than_a_round_is_a_circle_and_the_rest() -> None:
    first, rest = legs(moving("bee", T, np.linspace(90, 90 + 480, 81)), 8.0)
    assert first.circles and first.turn_deg == pytest.approx(360, abs=8)
    assert rest.turn_deg == pytest.approx(120, abs=8) and rest.start_s == pytest.approx(6, abs=0.2)
    (leg,) = legs(moving("bee", T, np.linspace(90, -610, 81)), 8.0)  # 20 degrees short of two
    scene = Scene((moving("bee", T, np.linspace(90, -610, 81)),), 8.0)
    assert leg.circles
    assert all(
        re.search("twice clockwise from .*(left|9 o'clock)", caption(scene, seed=s)) for s in range(10)
    )


def test_what_is_all_around_has_no_direction() -> None:
    wind = Source("wind", "wind", [0.0], [[2.0, 0.0, 0.0]], spread_deg=np.array([360.0]))
    for style in ("sentence", "dense", "tasbench", "spatialtas"):
        words = caption(Scene((wind, still("dog", 90)), 2.0), style=style)
        assert re.search("(?i)all around me", words) and "front" not in words


def test_distances_are_told_where_coming_closer_is_not_the_usual_way() -> None:
    near = Scene((moving("bus", T, 0, np.geomspace(6, 2, 81)),), 8.0)
    assert all("from 6 metres to 2 metres" in caption(near, seed=s) for s in range(10))
    usual = Scene((moving("bus", T, 0, np.geomspace(10, 1, 81)),), 8.0)
    assert not any("metre" in caption(usual, seed=s) for s in range(10))


def test_behind_me_is_said_of_a_way_behind() -> None:
    behind = Scene((moving("car", T, np.linspace(90, 270, 81)),), 8.0)
    before = Scene((moving("car", T, np.linspace(90, -90, 81)),), 8.0)
    assert all("behind me from" in caption(behind, seed=s) for s in range(20))
    assert not any("behind" in caption(before, seed=s) for s in range(20))


@pytest.mark.parametrize("start", [-104.0, -100.0, -90.0, -80.0])
@pytest.mark.parametrize("precision", ["words", "degrees", "clock"])
def test_a_way_past_the_front_is_read_back_so(start, precision) -> None:
    scene = Scene((moving("car", T, np.linspace(start, 90, len(T))),), 8)
    for seed in range(6):
        words = caption(scene, precision=precision, seed=seed)
        (car,) = read_prompt(words, 8.0).scene.sources
        middle = position(car, np.array([4.0]))[0]
        assert middle[0] > 1, words


@pytest.mark.parametrize("seed", range(6))
def test_who_moves_has_one_name_in_all_slices(seed) -> None:
    times = np.array([0, 4, 8.0])
    scene = Scene((moving("man", times, [60, 60, -60]),), 8)
    words = caption(scene, style="tasbench", seed=seed)
    assert [source.label for source in read_prompt(words, 8.0).scene.sources] == ["man"], words


def test_off_screen_is_said() -> None:
    scene = Scene((moving("dog", [0, 1], 91, visible=np.zeros(2, bool)), still("cat", 0)), 5.0)
    assert caption(scene, seed=1).count("off screen") == 1


@pytest.mark.parametrize(
    ("label", "phrase"),
    [
        ("dog", "a dog"),
        ("owl hooting", "an owl hooting"),
        ("birds chirping", "birds chirping"),
        ("rain", "rain"),
        ("glass", "a glass"),
        ("front door", '"front door"'),
        ("left-hand clap", '"left-hand clap"'),
        ("speaker 2", '"speaker 2"'),
        ("drum; bass, kick", '"drum; bass, kick"'),
        ('say "hi"', "\"say 'hi'\""),
        ("two\nlines\x00\u200b\ud800", "a two lines"),
        ("\n\t", '"sound"'),
        ("x" * 200, "an " + "x" * 60),
    ],
)
def test_labels(label, phrase) -> None:
    assert named(label).phrase.removeprefix("a ") == phrase.removeprefix("a ").replace("an x", "x")
    assert len(clean_label(label)) <= 60 and clean_label(label).isprintable()


def test_verbs_agree() -> None:
    one, many = named("dog barking"), named("dogs barking")
    assert (one.subject, one.doing, one.does) == ("a dog", "barking", "barks")
    assert (many.subject, many.does) == ("dogs", "bark")
    assert named("baby crying").does == "cries" and named("snake hissing").does == "hisses"
    assert named("man typing letters").does == "types letters" and named("boy humming").does == "hums"


def test_a_sentence_names_everyone_once_and_is_one() -> None:
    scene = Scene((still("dog", 90), still("cat", 0), still("front door", -90, 10)), 5.0)
    for seed in range(50):
        words = caption(scene, seed=seed)
        assert words.endswith(".") and words.count(".") == 1 and "\n" not in words
        assert words[0].isupper() or words[0] == '"'
        assert [words.count(name) for name in ("dog", "cat", '"front door"')] == [1, 1, 1]
    assert len({caption(scene, seed=seed) for seed in range(50)}) > 40
    assert caption(scene, seed=3) == caption(scene, seed=3)


def test_tasbench_goes_from_left_to_right_slice_by_slice() -> None:
    scene = Scene(
        (still("car", -90), still("dog", 90), moving("cat", [0, 4, 4.02, 8], [0, 0, -178, -178])), 8.0
    )
    first, second = caption(scene, style="tasbench", seed=2).split(". ")
    for part in (first, second):
        assert part.index("dog") < part.index("cat") < part.index("car")
    assert "4 seconds" in first and "4" in second
    assert len(caption(scene, style="tasbench", slice_s=1).split(". ")) == 8


def test_dense_has_a_line_a_slice_with_who_sounds() -> None:
    bark = moving("dog", [2, 2.02, 3, 3.02], 90, gain_db=np.array([-120, 0, 0, -120.0]))
    lines = caption(Scene((bark,), 4.5), style="dense").splitlines()
    assert [line.split(":")[0] for line in lines] == ["0-1 s", "1-2 s", "2-3 s", "3-4 s", "4-4.5 s"]
    assert ["dog" in line for line in lines] == [False, False, True, False, False]
    assert len(caption(Scene((bark,), 4.5), style="dense", slice_s=1.5).splitlines()) == 3


def test_spatialtas_tells_direction_elevation_distance_and_relation() -> None:
    scene = Scene((still("car", 15, 3), still("dog barking", 45, 3, 40)), 5.0)
    words = [caption(scene, style="spatialtas", seed=s) for s in range(20)]
    assert all(
        re.search("dog barking .*left, above, (about )?3 metres away; it is left of the car", w)
        for w in words
    )
    assert all(w.count("; it is") == 1 for w in words)  # the first named has none to be told by


def test_nothing_sounds() -> None:
    silent = moving("dog", [0, 1], 0, gain_db=np.full(2, -120.0))
    for style in ("sentence", "tasbench", "spatialtas"):
        assert caption(Scene((), 5.0), style=style) == caption(Scene((silent,), 5.0), style=style) == NOTHING
    assert source_caption(silent, Scene((silent,), 5.0)) == NOTHING


def test_bad_input() -> None:
    scene = Scene((still("dog", 90),), 1e7)
    with pytest.raises(InputError, match="`style` is 'poem' but must be one of sentence, dense"):
        caption(scene, style="poem")
    with pytest.raises(InputError, match="`precision` is 'x' but"):
        caption(scene, precision="x")
    for bad in (0, -1, float("nan")):
        with pytest.raises(InputError, match=r"`slice` is .* but must be 0\.1 seconds or more"):
            caption(scene, style="dense", slice_s=bad)
    with pytest.raises(InputError, match="`slice` is 1 s but must be 500 s or more"):
        caption(scene, style="dense")
    with pytest.raises(InputError, match="`seed` is -1"):
        caption(scene, seed=-1)


def test_any_scene_has_a_caption() -> None:
    rng = np.random.default_rng(8)
    for _ in range(60):
        n = int(rng.integers(1, 60))
        times = np.cumsum(rng.uniform(0.001, 2, n)) - 1
        gain_db = rng.choice([0.0, -120.0, -30.0], n)
        xyz = rng.normal(0, 3, (n, 3)) + 1e-3
        source = Source("a", "".join(map(chr, rng.integers(1, 0x3000, 20))), times, xyz, gain_db=gain_db)
        for style in ("sentence", "dense", "tasbench", "spatialtas"):
            for line in caption(Scene((source,), 20.0), style=style, seed=1).splitlines():
                assert line.isprintable() and line.endswith(".")


@pytest.fixture
def bench():
    path = Path(__file__).parents[1] / "scripts" / "bench" / "round_trip.py"
    if not path.is_file():
        pytest.skip("no scripts beside the tests")
    spec = importlib.util.spec_from_file_location("bench_round_trip", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("style", ["sentence", "dense", "tasbench", "spatialtas"])
def test_the_parser_reads_it_back(bench, style) -> None:
    count, wrong = bench.trip(style, "words", 40)
    assert count["azimuths"] > 60
    assert count["errors"] == 0, wrong
    assert count["side"] == count["azimuths"], wrong
    # a moving source is said again in every slice, from and to a place rounded each time
    assert count["within"] >= (0.98 if style == "tasbench" else 0.99) * count["exact"], wrong


@pytest.fixture
def scene_file(tmp_path, monkeypatch):
    from foleyspace.cli import COMMANDS

    monkeypatch.setitem(COMMANDS, "caption", "")
    path = tmp_path / "scene.json"
    Scene((still("dog barking", 90), still("car", -45, 10)), 5.0).save(path)
    return path


def test_command(run, scene_file, tmp_path) -> None:
    code, out, err = run("caption", scene_file, "--seed", 3)
    assert (code, err) == (0, "") and "dog" in out and "car" in out
    assert out.strip() == caption(Scene.load(scene_file), seed=3)
    target = tmp_path / "words.txt"
    assert run("caption", scene_file, "--style", "dense", "--slice", 2.5, "-o", target)[0] == 0
    assert len(target.read_text().splitlines()) == 2
    code, _, err = run("caption", scene_file, "-o", target)
    assert code == 2 and "exists already" in err
    assert run("caption", scene_file, "-o", target, "--overwrite")[0] == 0
    assert target.read_text().strip() == caption(Scene.load(scene_file))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--style", "poem"], "`style` is 'poem' but must be one of"),
        (["--slice", "0"], "`slice` is 0.0 but must be"),
        (["--seed", "-4"], "`seed` is -4 but must be"),
        (["--precision", "rough"], "`precision` is 'rough'"),
        (["-o", "no/such/folder.txt"], "does not exist"),
    ],
)
def test_command_refuses(run, scene_file, arguments, said) -> None:
    code, out, err = run("caption", scene_file, *arguments)
    assert (code, out) == (2, "") and said in err and err.count("\n") == 1


def test_command_refuses_what_is_no_scene(run, scene_file, tmp_path) -> None:
    (tmp_path / "bad.json").write_text(json.dumps({"format": "x"}))
    assert run("caption", tmp_path / "bad.json")[0] == 2
    assert run("caption", tmp_path / "none.json")[0] == 2
