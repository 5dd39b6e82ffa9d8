"""`foleyspace evaluate` on a small set made here: a source, two sources, in a shard."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import sys
import types
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from foleyspace import cli
from foleyspace.camera import angles_to_xyz
from foleyspace.cli.evaluate import command
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.evaluation.items import HrirSets, find_items, load_item
from foleyspace.evaluation.scores import MEASURES
from foleyspace.evaluation.summary import Figure, figure_text
from foleyspace.evaluation.systems import Output, mono_twice, naive_render, named_systems
from foleyspace.hrir import load_hrirs
from foleyspace.hrtf import resolve_hrtf
from foleyspace.language_model import LanguageModel
from foleyspace.metrics.localizer import make_localizer
from foleyspace.pipelines.evaluate import EvaluateConfig, run
from foleyspace.renderer import render
from foleyspace.types import Audio, Scene, Source

RATE, SECONDS = 48000, 1.2


def sounds(seed: int) -> np.ndarray:
    """(2, n): a chord that swells, and bursts of noise, which overlap."""
    t = np.arange(round(SECONDS * RATE)) / RATE
    chord = (
        sum(np.sin(2 * np.pi * f * t) for f in (220, 331, 495 + 10 * seed)) * np.sin(np.pi * t / SECONDS) ** 2
    )
    bursts = np.random.default_rng(seed).standard_normal(len(t)) * (np.sin(2 * np.pi * 2.5 * t) > 0)
    return np.stack([0.1 * chord, 0.08 * bursts]).astype(np.float32)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three items: one source, two with two sources in a shard, one of them with stems."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "hrtfs").mkdir()
    shutil.copy(resolve_hrtf("mit_kemar"), folder / "hrtfs" / "kemar.sofa")
    hrirs = load_hrirs("mit_kemar")
    for name, count, hrtf, stems in (
        ("single", 1, "kemar", False),
        ("shard0/a", 2, "kemar.sofa", True),
        ("shard0/b", 2, "kemar", False),
    ):
        item = folder / "set" / name
        item.mkdir(parents=True)
        signals = sounds(len(name))[:count]
        ends = [[60, 20], [-70, -40]][:count]
        sources = [
            Source(
                f"s{i}",
                f"sound {i}",
                [0.0, SECONDS],
                angles_to_xyz(np.array([[a, 0], [b, 0]]), np.full(2, 2.0)),
            )
            for i, (a, b) in enumerate(ends)
        ]
        scene = Scene(tuple(sources), SECONDS)
        scene.save(item / "scene.json")
        truth = render([Audio(s, RATE) for s in signals], scene, hrirs).samples
        soundfile.write(item / "mono.flac", signals.sum(axis=0), RATE, subtype="PCM_24")
        soundfile.write(item / "truth.flac", truth.T, RATE, subtype="PCM_24")
        (item / "meta.json").write_text(json.dumps({"hrtf": hrtf, "K": count, "phase": "measured"}))
        if stems:
            (item / "stems").mkdir()
            for i, signal in enumerate(signals):
                soundfile.write(item / "stems" / f"{i}.flac", signal, RATE, subtype="PCM_24")
    return folder


@pytest.fixture(scope="module")
def sets(made):
    return HrirSets(str(made / "hrtfs"))


@pytest.fixture(scope="module", autouse=True)
def one_set_for_all_runs(made):
    """The HRIR set and its templates are worked out once: most of the time these tests would take."""
    hrirs = load_hrirs(made / "hrtfs" / "kemar.sofa")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("foleyspace.hrir.load_hrirs", lambda path, rate: hrirs)
        localizer = make_localizer(hrirs)
        patch.setattr("foleyspace.evaluation.compare.make_localizer", lambda hrirs: localizer)
        yield


@pytest.fixture
def copy(made, tmp_path):
    """The set, free to be spoilt."""
    shutil.copytree(made / "set", tmp_path / "set")
    return tmp_path / "set"


def perfect(item) -> Output:
    """What the truth was made with."""
    signals = sounds(len(item.name))[: len(item.scene.sources)]
    binaural = render([Audio(s, RATE) for s in signals], item.scene, item.hrirs).samples
    return Output(binaural, signals)


def half_apart(item) -> Output:
    """Each source's stem with a third of everything else in it."""
    signals = perfect(item).stems
    blurred = (signals + signals.sum(axis=0) / 2) / (1 + len(signals) / 2)
    binaural = render([Audio(s, RATE) for s in blurred], item.scene, item.hrirs).samples
    return Output(binaural, blurred)


SYSTEMS = {"perfect": perfect, "half": half_apart, "hrir": naive_render, "mono": mono_twice}


@pytest.fixture(scope="module")
def evaluated(made, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "result"
    return run(made / "set", EvaluateConfig(out=str(out), hrtfs=str(made / "hrtfs")), SYSTEMS)


def figure(evaluated, key, system, group="several sources"):
    return evaluated.metrics["groups"][group]["figures"][key][system]


def test_systems_are_ordered_as_they_must_be(evaluated):
    for measure in MEASURES:
        if measure.by == "listener":
            continue  # it knows sounds by their names, and these are called sound 0 and sound 1
        row = evaluated.metrics["groups"]["several sources"]["figures"][measure.key]
        means = [row[system]["mean"] for system in SYSTEMS]
        sign = 1 if measure.better == "lower" else -1
        known = [sign * mean for mean in means if mean is not None]
        assert known[0] == min(known), measure.key  # nothing beats the perfect one
    for key in ("SNR", "ILDe", "STFT", "AMP", "MRSTFT", "FD"):
        row = evaluated.metrics["groups"]["several sources"]["figures"][key]
        sign = -1 if key == "SNR" else 1
        assert sign * row["half"]["mean"] < sign * row["hrir"]["mean"], key


def test_a_perfect_system_is_perfect(evaluated):
    """But for the 24 bits of the files."""
    assert figure(evaluated, "SNR", "perfect")["mean"] > 90
    for key in ("ILDe", "IPDe", "PHA", "STFT", "FAD", "FD"):
        assert figure(evaluated, key, "perfect")["mean"] < 2e-3, key
    assert figure(evaluated, "ITDe", "perfect")["mean"] < 0.5
    assert figure(evaluated, "SI-SDR", "perfect")["mean"] > 80
    assert figure(evaluated, "SI-SDRi", "half")["mean"] > 0
    assert figure(evaluated, "SI-SDR", "perfect")["items"] == 1  # only one item has stems
    # one source: the naive render is the truth
    assert figure(evaluated, "SNR", "hrir", "one source")["mean"] > 90


def test_the_localiser_states_its_own_error(evaluated):
    own = figure(evaluated, "AZe", "mono")["on_truth"]
    assert own < 10  # in a mixture: others 10 dB down still pull
    assert figure(evaluated, "AZe", "perfect")["mean"] == pytest.approx(own, abs=0.05)
    assert figure(evaluated, "AZe", "mono")["mean"] > 25
    assert f"(truth {own:.1f})" in evaluated.table
    assert "on_truth" not in figure(evaluated, "ILDe", "mono")


def test_intervals_are_there_and_paired(evaluated):
    snr = figure(evaluated, "SNR", "mono")
    assert snr["ci95"][0] <= snr["mean"] <= snr["ci95"][1]
    apart = snr["less_first_system"]
    assert apart["mean"] == pytest.approx(snr["mean"] - figure(evaluated, "SNR", "perfect")["mean"], abs=1e-3)
    assert apart["ci95"][1] < 0
    assert "less_first_system" not in figure(evaluated, "SNR", "perfect")
    assert figure(evaluated, "SNR", "mono", "one source")["ci95"] == [None, None]  # of one item: none
    assert figure(evaluated, "FD", "mono")["ci95"] == [None, None]


def test_a_few_items_are_no_difference():
    """Five paired items are marked, two are not, however far apart."""
    apart = (-3.0, -4.0, -2.0)
    few, many = (Figure(1.0, 0.5, 1.5, items, difference=apart) for items in (2, 5))
    assert not few.differs and many.differs
    assert not Figure(1.0, 0.5, 1.5, 50, difference=(-1.0, -2.0, 0.1)).differs
    assert not Figure(1.0, 0.5, 1.5, 50).differs
    snr = MEASURES[0]
    assert figure_text(snr, many) == "1.00* [0.50, 1.50]" and figure_text(snr, few) == "1.00 [0.50, 1.50]"
    assert figure_text(snr, Figure(np.nan, np.nan, np.nan, 0)) == "-"


def test_the_outputs(evaluated):
    out = evaluated.out
    assert sorted(p.name for p in out.iterdir()) == ["audio", "index.html", "metrics.json", "table.md"]
    assert [p.name for p in out.parent.iterdir()] == ["result"]  # nothing half-written beside it
    stated = json.loads((out / "metrics.json").read_text())
    assert stated == evaluated.metrics
    assert set(stated["items"]) == {"single", "shard0/a", "shard0/b"}
    assert stated["items"]["shard0/a"]["labels"] == ["sound 0", "sound 1"]
    assert (out / "table.md").read_text() == evaluated.table
    assert len(list((out / "audio").iterdir())) == 3 * 5
    sound, rate = soundfile.read(out / "audio" / "shard0_a.perfect.flac")
    assert rate == RATE and sound.shape == (round(SECONDS * RATE), 2)


def test_the_page_holds_what_it_needs(evaluated):
    page = (evaluated.out / "index.html").read_text()
    assert page.count("<details") == 3
    for source in re.findall(r'src="([^"]+)"', page):
        assert (evaluated.out / source).is_file(), source
    assert page.count("<audio") == 15
    assert "http:" not in page and "https:" not in page  # it loads nothing from anywhere
    assert str(evaluated.out) not in page
    assert "nan" not in re.sub(r"<style>.*</style>", "", page, flags=re.S).lower().replace("dominant", "")
    assert page.count("<svg") == 6 + 3 * 3
    assert "prefers-color-scheme: dark" in page and 'name="viewport"' in page


def test_names_are_escaped_and_silence_has_figures(copy, made, tmp_path):
    (copy / "single").rename(copy / "<b>&x")
    shutil.rmtree(copy / "shard0")
    config = EvaluateConfig(out=str(tmp_path / "o"), hrtfs=str(made / "hrtfs"), audio=False)
    result = run(copy, config, {"<i>": mono_twice, "silent": lambda item: Output(0 * item.truth.samples)})
    page = (result.out / "index.html").read_text()
    assert "<b>&x" not in page and "&lt;b&gt;&amp;x" in page and "<i>" not in page
    assert "<audio" not in page and not (result.out / "audio").exists()
    figures = result.metrics["groups"]["one source"]["figures"]
    assert figures["SNR"]["silent"]["mean"] == 0
    assert figures["FD"]["silent"]["mean"] is None  # silence has no cues


def test_the_same_again(made, evaluated, tmp_path):
    """Deterministic, and `limit` takes the first by name."""
    config = EvaluateConfig(out=str(tmp_path / "o"), hrtfs=str(made / "hrtfs"), limit=1, audio=False)
    metrics = run(made / "set", config, SYSTEMS).metrics
    assert list(metrics["items"]) == ["shard0/a"]
    assert metrics["items"]["shard0/a"] == evaluated.metrics["items"]["shard0/a"]


def test_the_language_model_named_is_asked(made, tmp_path, monkeypatch):
    loaded, asked = [], []
    model = LanguageModel("some/model", None, None)

    def load(name, **told):
        loaded.append((name, told["option"], told["offline"]))
        return model

    def understand(item, sounds, **options):
        asked.append((sorted(sounds), options))
        return {name: {"LCR object": 50.0} for name in sounds}

    monkeypatch.setattr("foleyspace.language_model.load_language_model", load)
    monkeypatch.setattr("foleyspace.evaluation.understanding.understand", understand)
    options = {"hrtfs": str(made / "hrtfs"), "limit": 1, "audio": False, "systems": ("mono",), "seed": 3}
    config = EvaluateConfig(out=str(tmp_path / "o"), ask="some/model", offline=True, **options)
    figures = run(made / "set", config).metrics["items"]["shard0/a"]
    assert loaded == [("some/model", "ask", True)]
    assert asked == [(["mono", "truth"], {"seed": 3, "model": model})]
    assert '"LCR object": 50.0' in json.dumps(figures)


def test_the_command(made, tmp_path, monkeypatch, capsys):
    ready = tmp_path / "ready"
    (ready / "shard0").mkdir(parents=True)
    for name in ("single", "shard0/a", "shard0/b"):
        soundfile.write(
            ready / f"{name}.wav", soundfile.read(made / "set" / name / "truth.flac")[0], RATE, "FLOAT"
        )
    args = [
        made / "set",
        "-s",
        f"mine={ready}",
        "-s",
        "mono",
        "--hrtfs",
        made / "hrtfs",
        "-o",
        tmp_path / "o",
    ]
    assert invoke(monkeypatch, *args, "--limit", 2) == 0
    printed = capsys.readouterr().out
    assert "several sources, 2 items" in printed and "| mine" in printed and "index.html" in printed
    assert json.loads((tmp_path / "o" / "metrics.json").read_text())["systems"] == ["mine", "mono"]
    assert invoke(monkeypatch, *args) == 2  # the output is there
    assert "exists already" in one_line(capsys)
    assert invoke(monkeypatch, *args, "--overwrite", "--json", "--limit", 1, "--no-audio") == 0
    assert list(json.loads(capsys.readouterr().out)["items"]) == ["shard0/a"]
    assert not (tmp_path / "o" / "audio").exists()  # not left over from the first


def invoke(monkeypatch, *args) -> int:
    monkeypatch.setitem(cli.COMMANDS, "evaluate", "")
    monkeypatch.setattr(sys, "argv", ["foleyspace", "evaluate", *map(str, args)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def one_line(capsys) -> str:
    said = capsys.readouterr().err
    assert said.startswith("foleyspace: ") and said.count("\n") == 1, said
    return said


def write(path, samples, rate=RATE):
    soundfile.write(path, samples, rate, "PCM_24")


def spoil(copy, how: str) -> None:
    item = copy / "single"
    n = round(SECONDS * RATE)
    truth = soundfile.read(item / "truth.flac")[0]
    if how == "no truth":
        (item / "truth.flac").unlink()
    elif how == "length":
        write(item / "truth.flac", truth[:-5])
    elif how == "rate":
        write(item / "truth.flac", truth, 44100)
    elif how == "channels":
        write(item / "mono.flac", truth)
    elif how == "no sound":
        (item / "mono.flac").write_bytes(b"no sound at all")
    elif how == "no hrtf":
        (item / "meta.json").write_text('{"hrtf": "nowhere.sofa"}')
    elif how == "phase":
        (item / "meta.json").write_text('{"hrtf": "mit_kemar", "phase": "linear"}')
    elif how == "meta":
        (item / "meta.json").write_text('["hrtf"]')
    elif how == "duration":
        scene = Scene.load(item / "scene.json")
        dataclasses.replace(scene, duration=9.0).save(item / "scene.json")
    elif how == "stems":
        stems = copy / "shard0" / "a" / "stems"
        (stems / "1.flac").unlink()
    elif how == "empty":
        shutil.rmtree(copy)
        copy.mkdir()
    elif how == "no set":
        shutil.rmtree(copy)
    assert how == "no set" or n


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("no truth", r"truth\.flac does not exist"),
        ("length", "57595 samples but must have 57600"),
        ("rate", "is at 44100 Hz but must be at 48000 Hz"),
        ("channels", "2 channels but must have 1"),
        ("no sound", "cannot be read"),
        ("no hrtf", r"HRIR set nowhere\.sofa of item single is not in .*hrtfs, and no known name or file"),
        ("meta", "must be JSON with the key 'hrtf'"),
        ("phase", "has `phase` 'linear' but must have measured or minimum or onset"),
        ("duration", "lasts 9 s but its sound 1.2 s"),
        ("stems", r"1\.flac does not exist"),
        ("empty", "holds no items"),
        ("no set", "does not exist"),
    ],
)
def test_a_bad_set_is_one_line_and_leaves_nothing(how, said, copy, made, tmp_path, monkeypatch, capsys):
    spoil(copy, how)
    out = tmp_path / "o"
    args = (copy, "-s", "mono", "--hrtfs", made / "hrtfs", "-o", out)
    assert invoke(monkeypatch, *args) == 2
    assert re.search(said, one_line(capsys))
    assert not out.exists() and not [p for p in tmp_path.iterdir() if p.name.endswith(".part")]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["-s", "louder"], "system 'louder' is unknown"),
        (["-s", "mono", "-s", "mono"], "'mono' is given twice"),
        (["-s", "diffusion:stepz=3"], "must be one of steps, guidance, rounds, weights"),
        (["-s", "diffusion:steps=many"], "`steps` is 'many' but must be a number"),
        (["-s", "foleyspace"], "needs weights"),
        (["-s", "foleyspace:weights=nowhere.safetensors"], "weights nowhere.safetensors does not exist"),
        (["-s", "mine=nowhere"], "system mine: nowhere does not exist"),
        (["-s", "mono", "--limit", "0"], "`limit` is 0 but must be 1 or more"),
        (["-s", "mono", "--guidance", "-1"], "`guidance` is -1.0 but must be between 0 and 10"),
        (["-s", "mono", "--steps", "0"], "`steps` is 0 but must be 1 or more"),
        (
            ["-s", "mono", "--offline", "--ask", "./nowhere"],
            "`ask` is './nowhere' but there is no such folder",
        ),
        (["-s", "mono", "--hrtfs", "nowhere"], "`hrtfs` is nowhere but must be a folder"),
        (["-s", "mono", "-o", "/nowhere/o"], "output folder /nowhere does not exist"),
        (["-s", "mono", "-o", __file__], "is a file but must be a folder"),
    ],
)
def test_bad_options_are_one_line(args, said, made, tmp_path, monkeypatch, capsys):
    common = ["--hrtfs", made / "hrtfs", "-o", tmp_path / "o"]
    assert invoke(monkeypatch, made / "set", *common, *args) == 2
    assert said in one_line(capsys)
    assert not (tmp_path / "o").exists()


def test_without_an_output_folder(made, monkeypatch, capsys):
    assert invoke(monkeypatch, made / "set", "-s", "mono") == 2
    assert "`out` is missing" in one_line(capsys)


@pytest.mark.parametrize("how", ["missing", "nan", "length", "rate"])
def test_bad_ready_files_are_one_line(how, made, tmp_path, monkeypatch, capsys):
    ready = tmp_path / "ready"
    (ready / "shard0").mkdir(parents=True)
    for name in ("single", "shard0/a", "shard0/b"):
        samples = soundfile.read(made / "set" / name / "truth.flac")[0]
        if name == "shard0/b":
            samples[100] = np.nan if how == "nan" else 0
            samples = samples[: -7 if how == "length" else None]
        rate = 32000 if how == "rate" and name == "shard0/b" else RATE
        if not (how == "missing" and name == "shard0/b"):
            soundfile.write(ready / f"{name}.wav", samples, rate, "FLOAT")
    args = (made / "set", "-s", f"mine={ready}", "--hrtfs", made / "hrtfs", "-o", tmp_path / "o")
    assert invoke(monkeypatch, *args) == 2
    expected = {
        "missing": "lacks a file for item shard0/b",
        "nan": "NaN",
        "length": "samples",
        "rate": "32000 Hz",
    }
    assert expected[how] in one_line(capsys)
    assert not (tmp_path / "o").exists() and not list(tmp_path.glob(".*part"))


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (Output(np.zeros((2, 5), np.float32)), "must give"),
        (Output(np.full((2, round(SECONDS * RATE)), np.nan, np.float32)), "NaN"),
        (
            Output(np.zeros((2, round(SECONDS * RATE)), np.float32), np.zeros((9, 4), np.float32)),
            "stems of shape",
        ),
    ],
)
def test_a_system_that_fails_is_no_bad_input(output, said, made, tmp_path):
    config = EvaluateConfig(out=str(tmp_path / "o"), hrtfs=str(made / "hrtfs"))

    def picky(item):
        raise InputError("too many")

    with pytest.raises(InputError, match="item shard0/a, system picky: too many"):
        run(made / "set", config, {"picky": picky})
    with pytest.raises(FoleyspaceError, match=f"system broken gave .*{said}") as error:
        run(made / "set", config, {"broken": lambda item: output})
    assert not isinstance(error.value, InputError)
    assert not list(tmp_path.iterdir())


def test_the_diffusion_gets_its_options(made, sets, monkeypatch, tmp_path):
    """Options of the spec before those of the command; stems asked for where the item has some."""
    from foleyspace.spatializer import inference

    monkeypatch.chdir(tmp_path)
    Path("w.safetensors").touch()
    asked = []

    def separate(mono, scene, options):
        asked.append(options)
        return np.zeros((len(scene.sources), mono.samples.shape[1]), np.float32)

    monkeypatch.setattr(inference, "separate", separate)
    systems = named_systems(
        ["diffusion", "diffusion:steps=4,guidance=1.5,weights=w.safetensors"],
        {},
        steps=2,
        device="cpu",
        seed=7,
    )
    assert list(systems) == ["diffusion", "diffusion:steps=4,guidance=1.5,weights=w.safetensors"]
    with_stems, without = (
        load_item(made / "set" / name, made / "set", sets) for name in ("shard0/a", "shard0/b")
    )
    first, second = systems.values()
    assert first(with_stems).stems.shape == with_stems.stems.shape
    options = inference.SeparatorOptions
    assert asked == [options(steps=2, device="cpu", seed=7)]
    asked.clear()
    assert second(without).stems is None
    assert asked == [options(steps=4, guidance=1.5, weights="w.safetensors", device="cpu", seed=7)]


def test_words_say_where_the_sounds_are(made, sets):
    """A single source needs no taking apart: by the words of its caption it is where its scene has it,
    mirrored it is at the other side; nothing is compared stem by stem, since words have no stems."""
    item = load_item(made / "set" / "single", made / "set", sets)
    placed = Source("s", "bird", [0.0], angles_to_xyz([[60.0, 0.0]], [2.0]))
    item = dataclasses.replace(item, scene=Scene((placed,), item.scene.duration))
    systems = named_systems(["diffusion", "words", "words:sides=swapped"], {}, device="cpu", offline=True)
    heard = {name: system(item).binaural for name, system in systems.items()}
    ild = {
        name: float(np.diff(10 * np.log10(np.square(ears).mean(axis=1)))[0]) for name, ears in heard.items()
    }
    assert ild["diffusion"] < -3
    assert abs(ild["words"] - ild["diffusion"]) < 1
    assert abs(ild["words:sides=swapped"] + ild["diffusion"]) < 1
    assert systems["words"](item).stems is None
    with pytest.raises(InputError, match="kept or swapped"):
        named_systems(["words:sides=up"], {})
    with pytest.raises(InputError, match="one of words, degrees"):
        named_systems(["words:precision=feet"], {})
    with pytest.raises(InputError, match="`style` must be one of sentence, dense"):
        named_systems(["words:style=haiku"], {})
    exact = named_systems(["words:precision=degrees"], {}, device="cpu")["words:precision=degrees"](
        item
    ).binaural
    assert np.abs(exact - heard["diffusion"]).max() < 0.02 * np.abs(heard["diffusion"]).max()


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("diffusion:steps=51", "between 1 and 50"),
        ("words:guidance=11", "between 0 and 10"),
        ("diffusion:weights=nowhere.safetensors", "`weights` is 'nowhere.safetensors' but must be"),
    ],
)
def test_options_that_cannot_be_are_found_at_once(spec, said):
    with pytest.raises(InputError, match=re.escape(said)):
        named_systems([spec], {})


def test_the_baseline_gets_its_options(made, sets, monkeypatch, tmp_path):
    asked = []

    class BaselineSystem:
        def __init__(self, weights, device):
            asked.append((str(weights), device))

        def spatialize(self, mono, scene, **options):
            asked.append(options)
            return Audio(np.repeat(mono.samples, 2, axis=0), RATE)

    fake = types.ModuleType("foleyspace.spatializer.baseline")
    fake.BaselineSystem = BaselineSystem
    monkeypatch.setitem(sys.modules, "foleyspace.spatializer.baseline", fake)
    weights = tmp_path / "w.safetensors"
    weights.write_bytes(b"x")
    specs = [f"foleyspace:weights={weights}", f"foleyspace:weights={weights},steps=50"]
    systems = named_systems(specs, {}, steps=3, device="cpu", seed=5)
    assert list(systems) == ["foleyspace", "foleyspace:steps=50"]
    item = load_item(made / "set" / "single", made / "set", sets)
    for system in systems.values():
        system(item)
        system(item)
    assert (
        asked
        == [(str(weights), "cpu"), {"seed": 5}, {"seed": 5}, (str(weights), "cpu")]
        + [{"seed": 5, "steps": 50}] * 2
    )


def test_two_weights_of_a_kind_are_told_apart_by_their_files(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.safetensors").write_bytes(b"x")
    specs = [f"tas:weights={tmp_path / name}.safetensors" for name in ("a", "b")]
    assert list(named_systems(specs, {})) == ["tas", "tas (b)"]
    with pytest.raises(InputError, match="given twice"):
        named_systems([*specs, specs[1]], {})


def test_items_are_found_and_their_sets(made, sets, copy):
    found = find_items(made / "set")
    assert [p.name for p in found] == ["a", "b", "single"]
    assert find_items(made / "set" / "single") == [made / "set" / "single"]
    assert load_item(found[0], made / "set", sets).hrirs is load_item(found[1], made / "set", sets).hrirs
    with pytest.raises(InputError, match="--hrtfs FOLDER says where to look"):
        HrirSets(None).stated(found[0])
    (copy / "single" / "meta.json").write_text('{"hrtf": "mit_kemar"}')
    assert HrirSets(None).stated(copy / "single") == (str(resolve_hrtf("mit_kemar")), "measured")


def test_the_yaml_and_the_command_line_state_the_defaults():
    defaults = {
        f.name: list(f.default) if isinstance(f.default, tuple) else f.default
        for f in dataclasses.fields(EvaluateConfig)
    }
    stated = yaml.safe_load((files("foleyspace.configs") / "evaluate.yaml").read_text())
    assert stated == defaults
    options = {p.name: p for p in command.params}
    for name, value in defaults.items():
        default = options[name].default
        default = list(default) if isinstance(default, tuple) else default
        if "UNSET" in repr(default).upper():  # how click says that an option has no default, a flag False
            default = False if options[name].is_flag else None
        assert default == value, name
