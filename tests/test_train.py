"""`foleyspace train`, whole but tiny: generated sounds, two HRIR sets, a network of a few thousand weights."""

from __future__ import annotations

import csv
import logging
import shutil
import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from soundfolder import FIVE, write_index, write_sounds
from spoiling import spoil

torch = pytest.importorskip("torch")
from foleyspace.errors import InputError  # noqa: E402
from foleyspace.hrtf import resolve_hrtf  # noqa: E402
from foleyspace.pipelines import train  # noqa: E402
from foleyspace.pipelines.train import TrainConfig  # noqa: E402
from foleyspace.spatializer import training  # noqa: E402
from foleyspace.spatializer.bands import HOP  # noqa: E402
from foleyspace.spatializer.dataset import batches  # noqa: E402
from foleyspace.spatializer.ears import Ears  # noqa: E402
from foleyspace.spatializer.hrtfs import find_sets, load_bank  # noqa: E402
from foleyspace.spatializer.model import NetConfig, SeparatorNet  # noqa: E402
from foleyspace.spatializer.recogniser import Recogniser  # noqa: E402
from foleyspace.spatializer.sounds import load_sounds  # noqa: E402
from foleyspace.spatializer.training import EvenShares, State, Withheld, separator_terms, validate  # noqa: E402
from foleyspace.spatializer.weights import load_separator  # noqa: E402

CHANNELS = (8, 8, 16, 16)
FRAMES = 16


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> tuple[str, str]:
    """Sounds with a split of their own, and the embedded HRIR set twice."""
    folder = tmp_path_factory.mktemp("data")
    write_sounds(folder / "sounds", FIVE)
    held = ("dog2.wav", "flute1.wav")
    rows = [(name, *said, "held" if name in held else "train") for name, said in FIVE.items()]
    write_index(folder / "sounds", ("file", "class", "kind", "split"), rows)
    (folder / "hrtfs").mkdir()
    for name in ("a.sofa", "b.sofa"):
        shutil.copy(resolve_hrtf("mit_kemar"), folder / "hrtfs" / name)
    return str(folder / "sounds"), str(folder / "hrtfs")


@pytest.fixture(scope="module")
def bank(folders):
    return load_bank(find_sets(folders[1]))


@pytest.fixture(autouse=True)
def quick(monkeypatch, bank):
    """Sets are read once; this process keeps its memory settings and one thread."""
    monkeypatch.setattr("foleyspace.spatializer.data_stream.load_bank", lambda *_: bank)
    monkeypatch.setattr(training, "keep_memory", lambda: None)
    torch.set_num_threads(1)


@pytest.fixture
def config(folders, tmp_path) -> TrainConfig:
    return TrainConfig(
        sounds=folders[0],
        hrtfs=folders[1],
        out=str(tmp_path / "run"),
        steps=4,
        batch=2,
        frames=FRAMES,
        channels=CHANNELS,
        condition=8,
        check_every=2,
        check_pieces=2,
        flow_share=0.5,
        device="cpu",
        threads=1,
    )


def rows_of(folder: str) -> list[dict[str, str]]:
    with (Path(folder) / "curve.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def tensors(path: Path) -> dict[str, torch.Tensor]:
    return load_separator(str(path)).state_dict()


def same(a: Path, b: Path) -> bool:
    one, other = tensors(a), tensors(b)
    return all(torch.equal(one[name], other[name]) for name in one)


def test_a_training_end_to_end(config):
    weights = train.run(config)
    out = Path(config.out)
    assert weights == out / "separator.safetensors"
    assert {p.name for p in out.iterdir()} == {
        *("curve.csv", "curve.png", "last.pt", "separator.safetensors"),
        *("step000002.safetensors", "step000004.safetensors"),
    }
    rows = rows_of(config.out)
    assert [row["step"] for row in rows] == ["2", "4"]
    assert all(np.isfinite(float(value)) for row in rows for value in row.values())
    assert (out / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert load_separator(str(weights)).config == NetConfig(CHANNELS, 8)
    assert not same(out / "step000002.safetensors", weights)
    assert same(out / "step000004.safetensors", weights)


def test_it_starts_from_weights_and_listens_with_strange_ears(config, tmp_path, monkeypatch):
    """From the weights of an earlier run, the pieces of each half heard by the tagger of the other."""
    first = train.run(replace(config, steps=2))
    tagger = str(files("foleyspace.models") / "tagger.safetensors")
    heard = []
    listen = Ears.forward
    monkeypatch.setattr(
        Ears, "forward", lambda *arguments: (heard.append(arguments[2]), listen(*arguments))[1]
    )
    monkeypatch.setattr("foleyspace.spatializer.sounds.half_of", lambda name: list(FIVE).index(name) % 2)
    recogniser = str(files("foleyspace.models") / "recogniser.safetensors")
    also = []
    recognise = Recogniser.forward
    monkeypatch.setattr(
        Recogniser, "forward", lambda *arguments: (also.append(arguments[2]), recognise(*arguments))[1]
    )
    strange = {"taggers": (tagger, tagger), "recognisers": (recogniser, recogniser)}
    more = replace(config, out=str(tmp_path / "more"), start=str(first), learning_rate=1e-9, **strange)
    more = replace(more, steps=12, check_every=12)
    second = train.run(more)
    assert {0, 1} <= set(heard) <= {0, 1, None}
    assert also == heard
    for name, tensor in tensors(first).items():
        torch.testing.assert_close(tensors(second)[name], tensor, atol=2e-3, rtol=2e-3)
    with pytest.raises(InputError, match="of shape"):
        train.run(replace(more, out=str(tmp_path / "other"), condition=16))
    with pytest.raises(InputError, match="tagger"):
        train.run(replace(more, out=str(tmp_path / "none"), taggers=("a", "b")))
    with pytest.raises(InputError, match="recogniser"):
        train.run(replace(more, out=str(tmp_path / "none"), recognisers=(tagger, tagger)))


def test_resumed_it_gives_what_it_gives_in_one_go(config, tmp_path, monkeypatch, caplog):
    whole = train.run(config)

    class PowerCut(Exception):
        pass

    halves = replace(config, out=str(tmp_path / "halves"))
    updated = State.update

    def cut(state: State, loss) -> None:
        if state.step == 3:  # one step past the checkpoint
            raise PowerCut
        updated(state, loss)

    monkeypatch.setattr(State, "update", cut)
    with pytest.raises(PowerCut):
        train.run(halves)
    monkeypatch.setattr(State, "update", updated)
    with caplog.at_level(logging.INFO, "foleyspace"):
        resumed = train.run(halves)
    assert "goes on at step 2" in caplog.text
    assert same(whole, resumed)
    for one, other in zip(rows_of(config.out), rows_of(halves.out), strict=True):
        assert {**one, "minutes": ""} == {**other, "minutes": ""}


def test_the_seed_decides(config, tmp_path):
    first = train.run(replace(config, steps=2))
    again = train.run(replace(config, steps=2, out=str(tmp_path / "again")))
    other = train.run(replace(config, steps=2, seed=1, out=str(tmp_path / "other")))
    assert same(first, again)
    assert not same(first, other)


def test_a_finished_training_is_not_done_again(config, monkeypatch):
    weights = train.run(config)
    before = tensors(weights)
    monkeypatch.setattr(State, "update", lambda *_: pytest.fail("trained again"))
    assert train.run(config) == weights
    assert all(torch.equal(before[name], tensor) for name, tensor in tensors(weights).items())


def test_the_baseline_trains_in_the_same_way(config):
    weights = train.run(replace(config, system="foleyspace", steps=2))
    assert weights.name == "foleyspace.safetensors" and weights.stat().st_size > 0
    assert np.isfinite(float(rows_of(config.out)[0]["loss"]))


# --- a step


def state(seed: int = 0) -> State:
    torch.manual_seed(seed)
    return State(SeparatorNet(NetConfig(CHANNELS, 8)), 1000, 3e-3, 0.01, 0.99)


@pytest.fixture(scope="module")
def batch(folders, bank):
    sounds = load_sounds(folders[0])
    return next(each for each in batches(sounds, bank, 2, FRAMES, 5) if each.stems.shape[1] == 2)


@pytest.mark.parametrize("bad", ["loss", "gradient"])
def test_a_step_that_is_not_finite_is_skipped(bad, caplog):
    made = state()
    before = {name: p.clone() for name, p in made.net.named_parameters()}
    weight = made.net.frame.weight
    loss = weight.sum() * torch.nan if bad == "loss" else torch.sqrt(weight * 0).sum()  # gradient: inf * 0
    with caplog.at_level(logging.WARNING, "foleyspace"):
        made.update(loss)
    assert (made.step, made.skipped) == (1, 1)
    assert "step 1 is skipped: its gradient is not finite" in caplog.text
    assert all(torch.equal(before[name], p) for name, p in made.net.named_parameters())
    assert not made.optimiser.state
    made.update(made.net.frame.weight.square().sum())
    assert (made.step, made.skipped) == (2, 1)
    assert not torch.equal(before["frame.weight"], made.net.frame.weight)


def test_it_learns_a_piece_by_heart(batch, bank):
    made = state()
    generator = torch.Generator().manual_seed(0)
    before = validate(made.net, [batch], bank)
    for _ in range(60):
        made.step = 300  # past the warm-up
        made.update(separator_terms(made.net, batch, bank, generator).total())
    after = validate(made.net, [batch], bank)
    naive = validate(EvenShares(), [batch], bank)
    assert after["loss"] < min(before["loss"], naive["loss"]) - 0.1
    assert after["snr_db"] > naive["snr_db"] + 1
    assert after["ild_error_db"] < naive["ild_error_db"]


def test_the_naive_render_is_what_even_shares_give(batch, bank):
    """Its stems' error, worked out apart: each gets an even part of the mixture's spectrum."""
    from foleyspace.spatializer.bands import spectrum

    stems = spectrum(batch.stems)[..., :FRAMES]
    error = stems - stems.mean(dim=1, keepdim=True)
    expected = [
        float(e.abs().square().sum() / s.abs().square().sum()) for e, s in zip(error, stems, strict=True)
    ]
    got = separator_terms(EvenShares(), batch, bank, torch.Generator()).stems_db
    np.testing.assert_allclose(got.numpy(), 10 * np.log10(np.array(expected) + 1e-3), atol=0.3)


def test_dropped_labels_and_states_on_the_way_reach_the_network(batch, bank):
    seen = []

    class Watch(EvenShares):
        def forward(self, features, labels, activity, share, time, stranger, prompt):
            seen.append((labels.isnan().any(), share, time))
            return super().forward(features, labels)

    generator = torch.Generator().manual_seed(0)
    separator_terms(Watch(), batch, bank, generator)
    separator_terms(Watch(), batch, bank, generator, Withheld(label_drop=1.0, flow_share=1.0))
    (plain, first, zero), (dropped, share, time) = seen
    assert not plain and dropped
    assert (zero == 0).all() and (time > 0).all() and (time < 1).all()
    assert not torch.allclose(first, share)
    torch.testing.assert_close(share.sum(dim=1), torch.ones_like(share[:, 0]))


def test_the_rate_warms_up_and_falls_to_nothing():
    made = state()
    rates = []
    for step in (0, 100, 199, 200, 600, 1000):
        made.step = step
        rates.append(made.rate())
    assert rates[0] == pytest.approx(3e-3 / 200)
    assert rates[2] == rates[3] == pytest.approx(3e-3)
    assert rates[4] == pytest.approx(1.5e-3)
    assert rates[5] == pytest.approx(0, abs=1e-12)


def test_a_checkpoint_holds_everything(tmp_path):
    made = state()
    made.update(made.net.frame.weight.square().sum())
    made.update(made.net.frame.weight.sum() * torch.nan)
    made.save(tmp_path / "last.pt")
    other = state(1)
    other.resume(tmp_path / "last.pt", torch.device("cpu"))
    assert (other.step, other.skipped) == (2, 1)
    for name in ("net", "average"):
        one, two = getattr(made, name).state_dict(), getattr(other, name).state_dict()
        assert all(torch.equal(one[key], two[key]) for key in one)
    for each in (made, other):
        each.update(each.net.frame.weight.square().sum())
    assert torch.equal(made.net.frame.weight, other.net.frame.weight)


@pytest.mark.parametrize("damage", ["other network", "no checkpoint", "truncated", "empty"])
def test_a_checkpoint_of_something_else_is_refused(tmp_path, damage):
    path = tmp_path / "last.pt"
    State(SeparatorNet(NetConfig((8, 8, 8, 8), 8)), 10, 1e-3, 0.0, 0.9).save(path)
    spoil(path, damage)
    with pytest.raises(InputError, match=r"last\.pt: must be a checkpoint of the same network") as caught:
        state().resume(path, torch.device("cpu"))
    assert "\n" not in str(caught.value)


def test_batches_are_the_same_whenever_they_are_drawn(folders, bank):
    sounds = load_sounds(folders[0])
    stream = batches(sounds, bank, 2, FRAMES, 3)
    first = [next(stream) for _ in range(3)]
    (late,) = (next(batches(sounds, bank, 2, FRAMES, 3, 2)) for _ in range(1))
    assert torch.equal(first[2].stems, late.stems) and torch.equal(first[2].rows, late.rows)
    assert first[0].stems.shape[-1] == FRAMES * HOP


# --- configs and the command


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"system": "magic"}, "`system` is 'magic' but must be one of separator, foleyspace, tas, tasu"),
        ({"steps": 0}, "`steps` is 0 but must be 1 or more"),
        ({"batch": -1}, "`batch` is -1"),
        ({"label_drop": 1.5}, "`label_drop` is 1.5 but must be between 0 and 1"),
        ({"learning_rate": float("nan")}, "`learning_rate` is nan"),
        ({"channels": (8, 8)}, "`channels` is"),
        ({"channels": (8, 8, 9, 8)}, "must be four multiples of 8"),
        ({"taggers": ("one.safetensors",)}, "must be two files"),
        ({"taggers": ("a", "b"), "data": "d", "recognisers": ("c", "d")}, "none with `data`"),
        ({"taggers": ("a", "b")}, "`recognisers` is .* but must be two files"),
        ({"recognisers": ("a", "b")}, "none without"),
        ({"start": "w", "system": "foleyspace"}, "`start` are the separator's"),
        ({"sounds": ""}, "`sounds` is empty but must be a folder"),
        ({"hrtfs": ""}, "`hrtfs` is empty but must be a folder"),
    ],
)
def test_bad_configs_are_refused(config, change, said):
    with pytest.raises(InputError, match=said):
        replace(config, **change)


@pytest.mark.parametrize("missing", ["sounds", "hrtfs"])
def test_folders_without_anything_leave_nothing_behind(config, tmp_path, missing, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(training, "keep_memory", lambda: None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=f"`{missing}` is"):
        train.run(replace(config, **{missing: str(tmp_path / "empty")}))
    assert not Path(config.out).exists()


def test_an_out_that_is_a_file_is_refused(config, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"`out` is .* but must be a folder"):
        train.run(replace(config, out=str(tmp_path / "file")))


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is there")
def test_a_device_that_is_not_there_is_refused(config):
    with pytest.raises(InputError, match="`device` is 'cuda'"):
        train.run(replace(config, device="cuda"))


def test_the_command(config, monkeypatch, capsys):
    from foleyspace.cli import main

    def call(*arguments) -> int:
        monkeypatch.setattr(sys, "argv", ["foleyspace", "train", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return stop.value.code or 0

    monkeypatch.setattr("foleyspace.cli.signal.signal", lambda *_: None)
    small = [f"channels={','.join(map(str, CHANNELS))}", "condition=8", f"frames={FRAMES}", "batch=2"]
    small += ["check_every=1", "check_pieces=1", "threads=1"]
    folders = ["--sounds", config.sounds, "--hrtfs", config.hrtfs, "-o", config.out, "--device", "cpu"]
    assert call(*small, *folders, "--steps", 1) == 0
    assert capsys.readouterr().out.strip() == str(Path(config.out) / "separator.safetensors")
    for wrong, said in (
        (["stepz=3"], "`stepz` is no option"),
        (["steps"], "must be NAME=VALUE"),
        (["batch=two"], "`batch` is 'two' but must be a whole number"),
        (["--config", "nothing"], "cannot read config nothing"),
        (["channels=16,16,16,16"], "must be a checkpoint of the same network"),
    ):
        assert call(*small, *folders, *wrong) == 2
        assert said in capsys.readouterr().err


@pytest.mark.slow
def test_on_two_processes(folders, tmp_path):
    """torchrun, gloo: the weights are there, and the processes drew different pieces (no error of either)."""
    import os
    import subprocess

    config = tmp_path / "config.yaml"
    config.write_text(
        f"sounds: {folders[0]}\nhrtfs: {folders[1]}\nout: {tmp_path / 'run'}\nsteps: 2\nbatch: 2\nframes: {FRAMES}\n"
        f"channels: {list(CHANNELS)}\ncondition: 8\ncheck_every: 1\ncheck_pieces: 1\ndevice: cpu\n"
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*command, "-m", "foleyspace.pipelines.train", str(config)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert load_separator(str(tmp_path / "run" / "separator.safetensors")).config == NetConfig(CHANNELS, 8)
    assert len(rows_of(str(tmp_path / "run"))) == 2
