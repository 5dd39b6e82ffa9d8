"""What a batch may overwrite, whose a file is, and which row of the ledger a video keeps."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from foleyspace.batch.inputs import find_videos
from foleyspace.batch.ledger import Ledger, read_journal
from foleyspace.batch.progress import Progress
from foleyspace.batch.settle import plan, refusal, task_of
from foleyspace.batch.tasks import Outcome, absolute, options_hash, stamp_of
from foleyspace.batch.working import work_off
from foleyspace.pipelines.batch import BatchConfig
from foleyspace.pipelines.render import RenderConfig

BASE = RenderConfig(prompt="a bell on the left")


@pytest.fixture(name="ledger")
def open_ledger(tmp_path):
    (tmp_path / "hidden").mkdir()
    ledger = Ledger(tmp_path / "hidden")
    yield ledger
    ledger.close()


def write(path, text="x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("through", ["itself", "dots", "symlink"])
def test_the_input_of_another_video_is_no_output_whatever_its_folder_is_called(tmp_path, ledger, through):
    lib = tmp_path / "lib"
    first, second = write(lib / "sub/x.mp4", "one"), write(lib / "x.mp4", "two")
    (tmp_path / "link").symlink_to(lib)
    out = {"itself": lib, "dots": lib / "sub/..", "symlink": tmp_path / "link"}[through]
    planned = plan(find_videos([first, second], BASE), ledger, out, False)
    video, row = planned.todo[0]
    assert (video.path, row.output) == (str(first), "x.mp4")
    said = refusal(row, task_of(video, row, out, False), planned.read, overwrite=True)
    assert said is not None and "is an input" in said.error


class Pretending:
    """An engine whose videos take no time: each is as `outcomes` says, its file a word."""

    free = 1

    def __init__(self, *kinds, meanwhile=lambda: None):
        self.kinds, self.meanwhile, self.ended = list(kinds), meanwhile, []

    def submit(self, task):
        made = write(Path(task.making) / "made", "made")
        self.ended.append(
            Outcome(
                task.key,
                self.kinds.pop(0),
                made=str(made),
                output_hash="h",
                stamp=[1] * 4,
                duration_s=1,
                sources=1,
            )
        )
        self.meanwhile()

    def wait(self, timeout_s):
        ended, self.ended = self.ended, []
        return ended

    def close(self):
        pass


def work(videos, ledger, out, engine):
    planned = plan(videos, ledger, out, False)
    work_off(planned, ledger, engine, BatchConfig(retries=0), out, Progress(1, 0, out / "log"))
    return next(iter(ledger.rows().values()))


def test_a_file_that_came_after_a_failure_is_nobody_elses(tmp_path, ledger):
    videos, out = find_videos([write(tmp_path / "in/x.mp4")], BASE), tmp_path / "out"
    out.mkdir()
    assert work(videos, ledger, out, Pretending("failed")).state == "failed"
    mine = write(out / "x.mp4", "mine")
    row = work(videos, ledger, out, Pretending("done"))
    assert (row.state, row.owned, mine.read_text()) == ("failed", False, "mine") and "exists" in row.error
    mine.unlink()
    engine = Pretending("done", meanwhile=lambda: write(mine, "mine"))  # it comes while the video is made
    assert work(videos, ledger, out, engine).state == "failed" and mine.read_text() == "mine"
    mine.unlink()
    row = work(videos, ledger, out, Pretending("done"))
    assert (row.state, row.owned, mine.read_text()) == ("done", True, "made")
    mine.write_text("changed")  # what a batch made is its own
    assert work(videos, ledger, out, Pretending("done")).state == "done" and mine.read_text() == "made"


@pytest.mark.parametrize("after", [False, True])
def test_a_batch_killed_as_it_puts_a_file_there_knows_it_again(tmp_path, ledger, monkeypatch, after):
    videos, out = find_videos([write(tmp_path / "in/x.mp4")], BASE), tmp_path / "out"
    out.mkdir()
    real = os.replace

    def killed(source, target):
        if after:
            real(source, target)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("foleyspace.batch.settle.os.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            work(videos, ledger, out, Pretending("done"))
    assert [row.owned for row in ledger.rows().values()] == [True]
    assert (out / "x.mp4").exists() == after
    row = work(videos, ledger, out, Pretending("done"))
    assert row.state == "done" and (out / "x.mp4").read_text() == "made"


def made(videos, ledger, out) -> None:
    """All videos done, as a batch would leave them; an output holds its key."""
    for video, row in plan(videos, ledger, out, False).todo:
        file = write(out / row.output, row.key)
        stamps = {"input_stamp": stamp_of([video.path]), "output_stamp": stamp_of([file])}
        ledger.put(replace(row, state="done", owned=True, options_hash=options_hash(video.config), **stamps))


def test_versions_of_a_video_keep_their_outputs_in_any_order(tmp_path, ledger):
    video, out = write(tmp_path / "x.mp4"), tmp_path / "out"

    def listed(*words):
        rows = [{"video": video.name, "prompt": f"a {word} on the left"} for word in words]
        return find_videos([write(tmp_path / "l.json", json.dumps(rows))], BASE)

    made(listed("dog", "bell", "car"), ledger, out)
    outputs = {row.key: row.output for row in ledger.rows().values()}
    for words in [("car", "dog", "bell"), ("bell",), ("car", "bell")]:
        planned = plan(listed(*words), ledger, out, False)
        assert planned.todo == [] and len(planned.kept) == len(words)
    (changed, row), *_ = plan(listed("bell", "horn"), ledger, out, False).todo
    assert "horn" in changed.config.prompt and row.output == outputs[str(video)] == "x.mp4"
    (_, row), *_ = plan(listed("car", "dog", "horn", "bell"), ledger, out, False).todo
    assert row.key == f"{video}#4" and row.output not in outputs.values()


def test_a_library_may_move_again_and_back(tmp_path, ledger):
    names, out = ("a/x.mp4", "b/x.mp4", "c/x.mp4"), tmp_path / "out"

    def given(folder):
        return find_videos([tmp_path / folder / name for name in names], BASE)

    for number, name in enumerate(names):
        write(tmp_path / "old" / name, "x" * (number + 1))
    made(given("old"), ledger, out)
    before = {row.output for row in ledger.rows().values()}
    for source, target in [("old", "new"), ("new", "newer"), ("newer", "old")]:
        os.rename(tmp_path / source, tmp_path / target)
        planned = plan(given(target), ledger, out, False)
        assert planned.todo == [] and {row.output for row in planned.kept} == before
        assert set(ledger.rows()) == {str(tmp_path / target / name) for name in names}
    again = read_journal(tmp_path / "hidden/ledger.jsonl")
    assert again == ledger.rows()
    shutil.copytree(tmp_path / "old", tmp_path / "copy")  # not moved: both are there
    assert len(plan(given("copy"), ledger, out, False).todo) == 3


def test_files_called_as_options_words_change_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seeing, sound = replace(BASE.seeing, detector="motion", depth="size"), replace(BASE.sound, weights="auto")
    config = replace(BASE, seeing=seeing, sound=sound)
    before = options_hash(config)
    for word in ("auto", "motion", "size", "mit_kemar"):
        (tmp_path / word).mkdir()
    options_hash.cache_clear()
    assert absolute(config) == config and options_hash(config) == before
    named = replace(config, sound=replace(sound, hrtf="./mit_kemar", weights=str(write(tmp_path / "w.bin"))))
    assert absolute(named).sound.hrtf == str(tmp_path / "mit_kemar") and options_hash(named) != before
