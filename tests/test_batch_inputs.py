"""Which videos a batch finds, what their outputs are called, and which rows of lists it refuses."""

import json
import os
from pathlib import Path

import pytest

from foleyspace.batch.inputs import find_videos
from foleyspace.batch.ledger import Row
from foleyspace.batch.names import assign, fold, wanted_output
from foleyspace.errors import InputError
from foleyspace.pipelines.render import RenderConfig

BASE = RenderConfig()


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def found(*inputs, **options):
    return find_videos(inputs, BASE, **options)


def outputs(videos, rows=None) -> dict[str, str]:
    wanted = {video.key: video.wanted for video in videos}
    return {key: row.output for key, row in assign(wanted, rows or {}, {}).items()}


def test_folders_are_searched_and_mirrored(tmp_path):
    lib = tmp_path / "lib"
    touch(lib / "a.mp4", lib / "x/y/b.MOV", lib / "c.txt", lib / ".hidden.mp4", lib / ".git/d.mp4")
    touch(lib / "out/e.mp4", lib / "x/f.wmv")
    names = [video.wanted for video in found(lib, apart=lib / "out")]
    assert names == ["a.mp4", "x/f.wmv.mkv", "x/y/b.MOV"]


def test_patterns_choose_by_name_or_path(tmp_path):
    touch(tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "x/a.mp4", tmp_path / "x/odd.bin")
    assert [v.wanted for v in found(tmp_path, include=["a.*"])] == ["a.mp4", "x/a.mp4"]
    assert [v.wanted for v in found(tmp_path, include=["x/*"])] == ["x/a.mp4", "x/odd.bin.mkv"]
    assert [v.wanted for v in found(tmp_path, exclude=["x/*", "b.mp4"])] == ["a.mp4"]


def test_a_video_given_twice_is_one(tmp_path):
    touch(tmp_path / "lib/a.mp4")
    assert len(found(tmp_path / "lib", tmp_path / "lib/a.mp4", tmp_path / "lib/../lib/a.mp4")) == 1


def test_names_never_collide_whatever_the_order(tmp_path):
    files = [
        tmp_path / name for name in ("a/x.mp4", "b/x.mp4", "c/X.MP4", "a/x.mov", "a/x.wmv", "b/x.wmv.mkv")
    ]
    touch(*files)
    there, back = outputs(found(*files)), outputs(found(*reversed(files)))
    assert there == back
    assert len({fold(name) for name in there.values()}) == len(files)
    assert there[str(files[0])] == "x.mp4" and there[str(files[3])] == "x.mov"


def test_names_stay_when_others_come_and_go(tmp_path):
    touch(*(tmp_path / name for name in ("a/x.mp4", "b/x.mp4", "0/x.mp4")))
    first = outputs(found(tmp_path / "a/x.mp4", tmp_path / "b/x.mp4"))
    rows = {key: Row(key, name) for key, name in first.items()}
    later = outputs(found(*(tmp_path / p for p in ("0/x.mp4", "b/x.mp4", "a/x.mp4"))), rows)
    assert {key: later[key] for key in first} == first
    assert len(set(later.values())) == 3


def test_a_moved_library_keeps_its_rows(tmp_path):
    touch(tmp_path / "new/a.mp4")
    status = os.stat(tmp_path / "new/a.mp4")
    stamp = [status.st_size, status.st_mtime_ns, 1, 1]
    row = Row(str(tmp_path / "old/a.mp4"), "a.mp4", "done", input_stamp=stamp, content_hash="c", owned=True)
    (video,) = found(tmp_path / "new")
    moved = assign({video.key: video.wanted}, {row.key: row}, {video.key: [*stamp[:2], 2, 2]})[video.key]
    assert (moved.output, moved.content_hash) == ("a.mp4", "c")
    other = assign({video.key: video.wanted}, {row.key: row}, {video.key: [5, *stamp[1:]]})[video.key]
    assert other.output != "a.mp4" and other.content_hash == ""


@pytest.mark.parametrize(
    "stem", ["a" * 250, "я" * 125, "🎬" * 60, "with\nnewline", "-dash", "q\"u'o", "\udcff\udcfe"]
)
def test_any_file_name_gives_one_that_can_be_written(tmp_path, stem):
    name = wanted_output(f"sub/{stem}.mp4")
    assert name.startswith("sub/") and name.endswith(".mp4")
    name.encode()  # plain UTF-8: for databases and JSON
    touch(tmp_path / name)
    row = assign({"one": name, "two": name}, {}, {})
    assert row["one"].output != row["two"].output
    touch(tmp_path / row["two"].output)


def test_a_csv_says_options_a_row(tmp_path):
    touch(tmp_path / "a.mp4", tmp_path / "b.mp4")
    table = tmp_path / "list.csv"
    table.write_text('video,prompt,fov\na.mp4,"a dog on the left, barking",\nsub/b.mp4,,55\n')
    a, b = found(table)
    assert a.config.prompt == "a dog on the left, barking" and a.config.seeing.fov_deg == BASE.seeing.fov_deg
    assert b.config.prompt is None and b.config.seeing.fov_deg == 55 and b.wanted == "sub/b.mp4"
    assert Path(b.path) == tmp_path / "sub/b.mp4"


def test_json_lines_and_plain_lists(tmp_path):
    sound = tmp_path / "s.wav"
    touch(tmp_path / "a.mp4", sound)
    rows = [
        {"video": "a.mp4", "hrtf": "spherical_head"},
        {"video": "../z/a.mp4", "audio": "s.wav", "fov": 40},
    ]
    (tmp_path / "l.jsonl").write_text("\n".join(map(json.dumps, rows)))
    a, b = found(tmp_path / "l.jsonl")
    assert a.config.sound.hrtf == "spherical_head" and b.config.audio == str(sound) and b.wanted == "a.mp4"
    (tmp_path / "l.txt").write_text("# videos\r\na.mp4\r\n\n with space.mp4\n")
    assert [v.wanted for v in found(tmp_path / "l.txt")] == ["a.mp4", " with space.mp4"]
    (tmp_path / "l.json").write_text(json.dumps(rows))
    assert [v.config for v in found(tmp_path / "l.json")] == [a.config, b.config]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_a_list_may_be_of_any_unicode_that_says_which(tmp_path, encoding):
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / "l.txt").write_bytes(f"{mark}a.mp4\r\n日本.mp4\r\n".encode(encoding))
    assert [v.wanted for v in found(tmp_path / "l.txt")] == ["a.mp4", "日本.mp4"]
    (tmp_path / "l.txt").write_bytes(b"\xff\xfea\0b")  # cut off
    with pytest.raises(InputError, match="is no text"):
        found(tmp_path / "l.txt")
    (tmp_path / "l.txt").write_bytes("a.mp4\n".encode("utf-16-le"))  # says nothing
    with pytest.raises(InputError, match="must be the path of a file"):
        found(tmp_path / "l.txt")


def test_one_video_with_two_sets_of_options_is_two(tmp_path):
    (tmp_path / "l.csv").write_text("video,hrtf\na.mp4,mit_kemar\na.mp4,spherical_head\na.mp4,mit_kemar\n")
    videos = found(tmp_path / "l.csv")
    assert len(videos) == 2
    assert len(set(outputs(videos).values())) == 2


@pytest.mark.parametrize(
    ("name", "text", "line", "says"),
    [
        ("l.csv", "video,fov\na.mp4,70\nb.mp4,400\n", 3, "must be between 10 and 170"),
        ("l.csv", "video,fov\na.mp4,wide\n", 2, "`fov` is 'wide' but must be a number"),
        ("l.csv", "video,hrtf\na.mp4,nobody\n", 2, "`hrtf` is nobody"),
        ("l.csv", "video,audio\na.mp4,none.wav\n", 2, "does not exist"),
        ("l.csv", "video,volume\na.mp4,3\n", 2, "`volume` is no option"),
        ("l.csv", "path\na.mp4\n", 2, "`video` is missing"),
        ("l.csv", "video,fov\na.mp4,70,80\n", 2, "one value a column"),
        ("l.csv", 'video,prompt\na.mp4,"a dog\n', 2, "it is not CSV"),
        ("l.jsonl", '{"video": "a.mp4"}\n{"video": }\n', 2, "it is not JSON"),
        ("l.jsonl", '{"video": "a.mp4", "prompt": 3}\n', 1, "`prompt` is 3 but must be text"),
        ("l.jsonl", '{"video": "a.mp4", "fov": [1]}\n', 1, "`fov` is [1] but must be"),
        ("l.jsonl", '["a.mp4"]\n', 1, "one value a column"),
        ("l.json", '[{"video": "a.mp4"},\n 7 8]', 2, "it is not JSON"),
        ("l.jsonl", '{"video": "a.mp4"}\n{"video": "a\\u0000b.mp4"}\n', 2, r"`video` is 'a\x00b.mp4' but must be"),
        ("l.jsonl", '{"video": "\\ud800.mp4"}\n', 1, r"`video` is '\ud800.mp4' but must be"),
        ("l.jsonl", '{"video": "."}\n', 1, "`video` is '.' but must be the path of a file"),
        ("l.json", '[{"video": "a/.."}]', 1, "`video` is 'a/..' but must be the path of a file"),
        ("l.txt", 'a.mp4\n/\n', 2, "`video` is '/' but must be the path of a file"),
        ("l.jsonl", '{"video": "a.mp4", "fov": 1' + 400 * "0" + '}\n', 1, "but must be a number of degrees"),
        ("l.jsonl", '\n{"video": "a.mp4", "fov": 1' + 5000 * "0" + '}\n', 2, "it cannot be read"),
        ("l.jsonl", 200_000 * "[", 1, "it cannot be read"),
    ],
)  # fmt: skip
def test_bad_rows_are_named_by_file_and_line(tmp_path, name, text, line, says):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError) as error:
        found(path)
    assert f"{path}:{line}: " in str(error.value) and says in str(error.value)
    assert "\n" not in str(error.value)


def test_inputs_that_are_not_there(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        found(tmp_path / "no.mp4")
    with pytest.raises(InputError, match="does not exist"):
        found(tmp_path / "no.csv")
    with pytest.raises(InputError, match="no video was found"):
        found(tmp_path)
