"""Whole commands on small real files: exit codes, one line an error, nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from media import ffmpeg

EMBEDDED = ["--detector", "motion", "--depth", "size", "--offline"]


def files(folder: Path) -> set[str]:
    return {p.name for p in folder.rglob("*")}


def one_line(err: str) -> str:
    lines = [line for line in err.splitlines() if line.strip()]
    assert lines, "nothing was said"
    assert "Traceback" not in err
    return lines[-1]


def test_help_names_every_command(run):
    code, out, _ = run("--help")
    assert code == 0
    assert all(name in out for name in ("render", "track", "spatialize", "analyze", "hrtf", "doctor"))


def test_help_imports_nothing_heavy():
    code = "import sys; sys.argv=['x','--help']\ntry:\n from foleyspace.cli import main; main()\nexcept SystemExit: pass\n"
    code += "print([m for m in ('torch','ultralytics','transformers','cv2','scipy','decord') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip().endswith("[]")


@pytest.mark.parametrize("group", [[], ["hrtf"], ["dataset"]])
def test_without_arguments_it_helps(run, group):
    code, out, err = run(*group)
    assert code in (0, 2)  # click before and from 8.2 on
    assert len((out + err).splitlines()) > 5 and "Commands:" in out + err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--help"], 0, "NAME=VALUE"),
        (["nowhere.yaml"], 2, "nowhere.yaml"),
        (["sounds=nowhere"], 2, "`sounds` is 'nowhere'"),
        (["steps=0"], 2, "`steps` is 0"),
        (["train_tagger", "steps"], 2, "'steps' must be NAME=VALUE"),
    ],
)
def test_a_pipeline_run_as_a_module_speaks_like_a_command(arguments, code, said):
    module = [sys.executable, "-m", "foleyspace.pipelines.train_tagger"]
    done = subprocess.run([*module, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == code and said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_render_follows_the_square(run, passing, tmp_path):
    out, scene, report, overlay = (tmp_path / n for n in ("o.mp4", "s.json", "r.html", "v.mp4"))
    code, said, err = run(
        "render",
        passing,
        "-o",
        out,
        *EMBEDDED,
        "--save-scene",
        scene,
        "--report",
        report,
        "--overlay",
        overlay,
        "--json",
    )
    assert code == 0, err
    result = json.loads(said)
    assert result["out"] == str(out)
    assert abs(result["loudness_in_lufs"] - result["loudness_out_lufs"]) < 1
    best = result["objects"][0]
    assert best["label"] == "moving object" and 0 < best["share"] <= 1 and best["end_s"] > best["start_s"] + 1
    assert f"--source {best['id']}" in report.read_text(encoding="utf-8")
    from foleyspace.analyze import analyze_binaural

    cues = analyze_binaural(out)
    itd = np.array(cues.itd_us)
    early, late = np.nanmedian(itd[cues.times < 0.6]), np.nanmedian(itd[cues.times > 1.4])
    assert early < -60 and late > 60  # left to right: the left ear leads, then the right
    assert files(tmp_path) == {"o.mp4", "s.json", "r.html", "v.mp4"}
    # the saved scene gives the same sound without watching
    code, _, err = run("render", passing, "-o", tmp_path / "again.mp4", "--scene", scene)
    assert code == 0, err
    np.testing.assert_allclose(analyze_binaural(tmp_path / "again.mp4").itd_us, itd, atol=30)


def test_default_output_name_and_refusal_to_overwrite(run, passing, tmp_path):
    video = tmp_path / "v.mp4"
    video.write_bytes(passing.read_bytes())
    assert run("render", video, *EMBEDDED, "-q")[0] == 0
    assert files(tmp_path) == {"v.mp4", "v.binaural.mp4"}
    before = (tmp_path / "v.binaural.mp4").read_bytes()
    code, _, err = run("render", video, *EMBEDDED)
    assert code == 2 and "--overwrite" in one_line(err)
    assert (tmp_path / "v.binaural.mp4").read_bytes() == before
    assert run("render", video, *EMBEDDED, "--overwrite", "-q")[0] == 0


def test_track_then_spatialize(run, passing, tmp_path):
    scene, mono, out = tmp_path / "s.json", tmp_path / "m.wav", tmp_path / "o.wav"
    assert run("track", passing, "-o", scene, *EMBEDDED)[0] == 0
    rng = np.random.default_rng(0)
    soundfile.write(mono, rng.normal(0, 0.1, 2 * 44100), 44100)
    code, _, err = run("spatialize", mono, "--scene", scene, "-o", out)
    assert code == 0, err
    info = soundfile.info(out)
    assert (info.samplerate, info.channels, info.subtype, info.frames) == (44100, 2, "PCM_24", 2 * 44100)


@pytest.mark.parametrize(
    "number",
    ["9" * 400, "-" + "9" * 19, "0x" + "f" * 5000, f"[1, 0x{'f' * 5000}]", f"[[{{a: 0x{'f' * 5000}}}]]"],
    ids=["400 digits", "negative", "hex", "in a list", "deep"],
)
def test_a_number_of_a_config_that_is_too_large_for_any_option(run, passing, tmp_path, number):
    config = tmp_path / "c.yaml"
    config.write_text(f"fov_deg: {number}\n")
    code, _, err = run("render", passing, "--config", config)
    assert code == 2
    assert "`fov_deg` is a number of more than 18 digits" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((n, "[a.html]") for n in ("out", "report", "hrtf", "fov_deg", "overwrite")),
        *((n, v) for n in ("out", "fov_deg", "sound") for v in ("{a: 1}", "2020-01-01", "[[a]]")),
    ],
)
def test_a_value_of_a_config_that_no_command_line_can_say(run, passing, tmp_path, name, value):
    config = tmp_path / "c.yaml"
    config.write_text(f"{name}: {value}\n")
    code, _, err = run("render", passing, "--config", config)
    assert code == 2
    assert f"`{name}` is " in one_line(err) and "but must be text, a number, true or false" in err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("out: 5", "output 5 has the type"),
        ("overwrite: 5", "not a valid boolean"),
        ("overlay: true", "`overlay`"),
        ("seed: 1.9", "`seed` is 1.9 but must be a whole number"),
        ("steps: true", "`steps` is true but must be a whole number"),
        ("fov_deg: yes", "`fov_deg` is true but must be a number"),
        ("audio_codec: on", "'True' is not one of"),
    ],
)
def test_numbers_and_truths_of_a_config_are_what_their_text_is(run, passing, tmp_path, line, said):
    config = tmp_path / "c.yaml"
    config.write_text(f"{line}\n")
    code, _, err = run("render", passing, "--config", config)
    assert code == 2 and said in one_line(err)


@pytest.mark.parametrize(
    ("written", "meant"), [("on", "on"), ("off", "off"), ("'on'", "on"), ("auto", "auto")]
)
def test_on_and_off_of_a_config_are_the_words(tmp_path, written, meant):
    from foleyspace.cli.render import command

    config = tmp_path / "c.yaml"
    config.write_text(f"distance_gain: {written}\nseed: 2.0\n")
    context = command.make_context("render", ["v.mp4", "--config", str(config)])
    assert (context.params["distance_gain"], context.params["seed"]) == (meant, 2)


def test_config_file_is_read_and_overruled(run, passing, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text(f"detector: motion\ndepth: size\noffline: true\nout: {tmp_path / 'a.mp4'}\n")
    assert run("render", passing, "--config", config)[0] == 0
    assert run("render", passing, "--config", config, "-o", tmp_path / "b.mp4")[0] == 0
    assert {"a.mp4", "b.mp4"} <= files(tmp_path)
    config.write_text("speed: 3\n")
    code, _, err = run("render", passing, "--config", config)
    assert code == 2 and "speed" in one_line(err)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "does not exist"),
        (b"", "empty"),
        (b"this is no video, only words\n" * 50, ""),
        (os.urandom(5000), ""),
    ],
)
def test_what_is_no_video_is_one_line_and_code_2(run, tmp_path, content, said):
    video = tmp_path / "v.mp4"
    if content is not None:
        video.write_bytes(content)
    before = files(tmp_path)
    code, _, err = run("render", video, *EMBEDDED)
    assert code == 2
    assert said in one_line(err) and "v.mp4" in err
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--fov", "400"], "fov"),
        (["--hrtf", "nobody"], "nobody"),
        (["--scene", "none.json"], "none.json"),
        (["--audio", "none.wav"], "none.wav"),
        (["-o", "none/out.mp4"], "none"),
        (["-o", "out.txt"], "txt"),
        (["--audio-codec", "opus", "-o", "out.mov"], "opus"),
        (["--detector", "./none.pt"], "none.pt"),
        (["--depth", "./none"], "none"),
        (["--rt60", "99"], "rt60"),
        (["--loudness", "loud"], "loud"),
        (["--detect-hz", "0"], "detect_hz"),
        (["--audio-bitrate", "many"], "bitrate"),
        (["--save-scene", "same.mp4", "-o", "same.mp4"], "same"),
    ],
)
def test_bad_options_are_one_line_and_code_2(run, passing, tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    arguments = ["render", passing, "--detector", "motion", "--depth", "size", "--offline"]
    if "-o" not in options:
        arguments += ["-o", "out.mp4"]
    code, _, err = run(*arguments, *options)
    assert code == 2, err
    assert said in one_line(err)
    assert files(tmp_path) == set()


def test_the_input_is_never_the_output(run, passing, tmp_path):
    video = tmp_path / "v.mp4"
    video.write_bytes(passing.read_bytes())
    link = tmp_path / "link.mp4"
    link.symlink_to(video)
    for out in (video, link):
        code, _, err = run("render", video, "-o", out, *EMBEDDED, "--overwrite")
        assert code == 2 and "input" in one_line(err)
    assert video.read_bytes() == passing.read_bytes()


def test_ctrl_c_leaves_nothing_behind(passing, tmp_path):
    long = tmp_path / "long.mp4"
    ffmpeg("-stream_loop", "60", "-i", passing, "-c", "copy", long)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "foleyspace", "render", str(long), *EMBEDDED],
        env={**os.environ, "TMPDIR": str(scratch)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not files(scratch) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert files(tmp_path) == {"long.mp4", "scratch"}


def test_bad_audio_is_one_line_and_code_2(run, passing, tmp_path):
    silent, nothing, out = tmp_path / "silent.mp4", tmp_path / "nothing.wav", tmp_path / "out.mp4"
    ffmpeg("-i", passing, "-an", "-c", "copy", silent)
    soundfile.write(nothing, np.zeros(0), 48000)
    code, _, err = run("render", silent, "-o", out, *EMBEDDED)
    assert code == 2 and "--audio FILE" in one_line(err) and "foley " not in one_line(err)
    code, _, err = run("render", silent, "-o", out, *EMBEDDED, "--audio", nothing)
    assert code == 2 and "empty" in one_line(err)
    assert files(tmp_path) == {"silent.mp4", "nothing.wav"}


def test_nothing_that_is_read_is_written_over(run, passing, tmp_path):
    """With --overwrite too: the HRIR set, and the stems of a scene."""
    ears, scene, stem = tmp_path / "ears.sofa", tmp_path / "scene.json", tmp_path / "stem.wav"
    ears.write_bytes(b"mine")
    soundfile.write(stem, np.zeros(4800), 48000)
    source = {
        "id": "a",
        "label": "a",
        "times": [0],
        "azimuth_deg": [0],
        "elevation_deg": [0],
        "distance_m": [1],
    }
    document = {
        "format": "foleyspace-scene",
        "version": 1,
        "duration": 2,
        "sources": [{**source, "audio": "stem.wav"}],
    }
    scene.write_text(json.dumps(document))
    out = tmp_path / "out.mp4"
    before = {path: path.read_bytes() for path in (ears, scene, stem)}
    for options in (
        ["--hrtf", ears, "--save-scene", ears],
        ["--scene", scene, "--report", scene],
        ["--scene", scene, "--report", stem],
    ):
        code, _, err = run("render", passing, "-o", out, *EMBEDDED, "--overwrite", *options)
        assert code == 2 and "input" in one_line(err)
    code, _, err = run("spatialize", passing, "--scene", scene, "-o", stem, "--overwrite")
    assert code == 2 and "input" in one_line(err)
    assert {path: path.read_bytes() for path in before} == before and not out.exists()


def test_a_plot_is_a_png(run, tmp_path):
    sound = tmp_path / "sound.wav"
    code, _, err = run("analyze", sound, "--plot", tmp_path / "plot.pdf")
    assert code == 2 and "`plot` is 'plot.pdf' but must end in .png" in one_line(err)
    assert files(tmp_path) == set()


def test_what_can_be_checked_is_checked_before_the_work(run, passing, tmp_path):
    for options in (
        ["--overlay", tmp_path / "v.avi"],
        ["--report", tmp_path / "report.mp4"],
        ["--audio-bitrate", "0"],
    ):
        code, _, err = run("render", passing, "-o", tmp_path / "out.mp4", *EMBEDDED, *options)
        assert code == 2 and len(err.splitlines()) == 1
    code, _, err = run("render", passing, "-o", "", *EMBEDDED)
    assert code == 2 and len(err.splitlines()) == 1
    assert files(tmp_path) == set()


@pytest.mark.skipif(os.name != "posix", reason="names that only POSIX allows")
def test_names_with_line_ends_and_quotes(run, passing, tmp_path):
    video = tmp_path / "a 'b\nc\r\".mp4"
    video.write_bytes(passing.read_bytes())
    code, _, err = run("render", video, *EMBEDDED)
    assert code == 0, err
    assert (tmp_path / "a 'b\nc\r\".binaural.mp4").is_file()


def test_outputs_come_together_or_not_at_all(run, passing, tmp_path, monkeypatch):
    from foleyspace.errors import FoleyspaceError

    def fails(*_args, **_options):
        raise FoleyspaceError("the page cannot be made")

    monkeypatch.setattr("foleyspace.report.write_report", fails)
    scene = tmp_path / "scene.json"
    old = tmp_path / "old.mp4"
    old.write_bytes(b"older")
    arguments = ["render", passing, *EMBEDDED, "--save-scene", scene, "--report", tmp_path / "r.html"]
    code, _, err = run(*arguments, "-o", tmp_path / "out.mp4")
    assert code == 1 and "cannot be made" in one_line(err)
    assert files(tmp_path) == {"old.mp4"}
    # what replaces an older file is kept: neither of the two would be left otherwise
    assert run(*arguments, "-o", old, "--overwrite")[0] == 1
    assert files(tmp_path) == {"old.mp4"} and old.stat().st_size > 1000


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
def test_an_interrupt_that_a_library_swallows_comes_again(tmp_path):
    """And the tidying up that it starts is not cut short."""
    code = """
import os, signal, sys, time
import foleyspace.cli as cli
def work(standalone_mode):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
    except:
        pass
    try:
        time.sleep(20)
    finally:
        time.sleep(1.0)
        print("tidy", flush=True)
cli.cli.main = work
cli.main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=15)
    assert (done.returncode, done.stdout) == (130, "tidy\n"), done.stderr


SAYING = """
import click, sys
import foleyspace.cli as cli
@click.command()
def command():
    click.echo("\\u65e5.mp4 \\udcff")
    print("made", file=sys.stderr)
cli.main(command)
"""


def test_a_name_that_cannot_be_printed_and_a_closed_stdout_are_no_failure():
    said = ["\\u65e5.mp4 \\udcff", "\u65e5.mp4 \\udcff"]
    for encoding, line in zip(["cp1252", "utf-8"], said, strict=True):
        environment = {**os.environ, "PYTHONIOENCODING": encoding}
        done = subprocess.run([sys.executable, "-c", SAYING], capture_output=True, env=environment)
        assert (done.returncode, done.stdout.decode().strip()) == (0, line), done.stderr
    closed = ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, SAYING]
    if os.name == "posix":
        done = subprocess.run(closed, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "made\n")


HUNG_UP = """
import click, subprocess, time
import foleyspace.cli as cli
from foleyspace.ffmpeg import signals_held
@click.command()
def command():
    with signals_held():
        child = subprocess.Popen(["sleep", "60"])
    said = "tidy"
    try:
        print("ready", flush=True)
        time.sleep(1)
        said = f"done {child.poll()}"
    finally:
        child.kill()
        print(said)
cli.main(command)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGHUP")
@pytest.mark.parametrize(("trap", "code", "said"), [("", 130, "tidy"), ("trap '' HUP; ", 0, "done None")])
def test_a_terminal_that_is_closed_is_an_interrupt_but_not_under_nohup(trap, code, said):
    command = ["sh", "-c", f'{trap}exec "$0" -c "$1"', sys.executable, HUNG_UP]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGHUP)  # as a terminal does: all that it started
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, out.strip()) == (code, said)


@pytest.mark.skipif(os.name != "posix", reason="SIGHUP")
def test_a_terminal_that_is_gone_takes_no_more_words(tmp_path):
    """What is said while an interrupt is on its way out must not make another end of it."""
    import pty

    terminal, its = pty.openpty()
    code = HUNG_UP.replace("print(said)", f"open({str(tmp_path / 'said')!r}, 'w').write(said)")
    process = subprocess.Popen([sys.executable, "-c", code], stdout=its, stderr=its, start_new_session=True)
    os.close(its)
    assert os.read(terminal, 5) == b"ready"
    os.close(terminal)
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=30) == 130
    assert (tmp_path / "said").read_text() == "tidy"


def test_what_the_container_cannot_hold_is_known_before_the_work(run, passing, tmp_path, monkeypatch):
    import foleyspace.pipelines.render as pipeline

    monkeypatch.setattr(
        pipeline, "watch", lambda *_: pytest.fail("watched before the output was known to work")
    )
    code, _, err = run("render", passing, "-o", tmp_path / "o.webm", *EMBEDDED)
    assert code == 2 and "webm" in one_line(err)
    assert files(tmp_path) == set()


def test_a_silent_video_takes_its_sound_from_the_scenes_stems(run, passing, tmp_path):
    silent, stem, out = tmp_path / "silent.mp4", tmp_path / "stem.wav", tmp_path / "out.mp4"
    ffmpeg("-i", passing, "-an", "-c", "copy", silent)
    soundfile.write(stem, np.random.default_rng(0).normal(0, 0.1, 48000), 48000)
    source = {
        "id": "a",
        "label": "a",
        "times": [0.0],
        "azimuth_deg": [60.0],
        "elevation_deg": [0.0],
        "distance_m": [2.0],
    }
    scene = {
        "format": "foleyspace-scene",
        "version": 1,
        "duration": 2.0,
        "sources": [{**source, "audio": "stem.wav"}],
    }
    (tmp_path / "s.json").write_text(json.dumps(scene))
    code, _, err = run("render", silent, "--scene", tmp_path / "s.json", "-o", out)
    assert code == 0, err
    from foleyspace.analyze import analyze_binaural

    assert np.nanmedian(analyze_binaural(out).itd_us) < -300
    code, _, err = run("render", silent, "-o", tmp_path / "no.mp4", *EMBEDDED)
    assert code == 2 and "--audio" in one_line(err)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["render", "https://example.org/v.mp4"], "download"),
        (["render", "v.mp4", "--device", "gpu9"], "gpu9"),
        (["spatialize", "v.wav", "--scene", "s.json", "-o", "o.wav", "--device", "tpu"], "tpu"),
        (["spatialize", "v.wav", "--scene", "s.json", "-o", "o.wav", "--weights", "no.safetensors"], "no.s"),
        (["hrtf", "fetch", "https://[::1/x.sofa"], "is no address"),
        (["hrtf", "fetch", "mit_kemar", "--timeout", "-1"], "`timeout` is -1"),
        (["hrtf", "fetch", "mit_kemar", "--timeout", "nan"], "`timeout` is nan"),
    ],
)
def test_addresses_and_devices_that_are_none(run, arguments, said):
    code, _, err = run(*arguments)
    assert code == 2 and said in one_line(err)


def test_an_address_to_fetch_from_that_is_none(tmp_path):
    from foleyspace.errors import InputError
    from foleyspace.hrtf import fetch_hrtf

    with pytest.raises(InputError, match="must be an address"):
        fetch_hrtf("x", dest=tmp_path, url="https://[::1/x.sofa")


# --- a person overrules what was chosen -------------------------------------------------------------


@pytest.fixture
def two_things(monkeypatch):
    """Instead of a detector: a car on the left and a dog on the right, both still, the car a bit larger."""
    from foleyspace.detections import Detections

    class Two:
        kind, name, rate_hz = "scripted", "two", 5.0

        def reset(self):
            pass

        def __call__(self, frame, motion=None):
            boxes = [[0.05, 0.3, 0.35, 0.8], [0.7, 0.4, 0.95, 0.8]]
            return Detections([-1, -1], np.array(boxes), [0.8, 0.8], ("car", "dog"))

    monkeypatch.setattr("foleyspace.detect.load_detector", lambda *_args, **_options: Two())


def share_of(said: str) -> dict[str, float]:
    return {entry["label"]: entry["share"] for entry in json.loads(said)["objects"]}


def test_the_word_of_a_person_goes_before_what_is_heard(run, passing, two_things, tmp_path):
    for sound, wins, loses in (("dog bark", "dog", "car"), ("car engine", "car", "dog")):
        arguments = ["--depth", "size", "--offline", "--sound", sound, "--json"]
        code, said, err = run("track", passing, "-o", tmp_path / f"{wins}.json", *arguments)
        assert code == 0, err
        shares = share_of(said)
        assert shares[wins] > 0.9 > 0.5 > shares[loses]
        assert json.loads(said)["heard"] == [{"word": sound, "probability": 1.0}]


def test_only_the_source_that_a_person_names_sounds(run, passing, two_things, tmp_path):
    plain = ["--depth", "size", "--offline"]
    code, said, err = run("track", passing, "-o", tmp_path / "s.json", *plain, "--json", "-v")
    assert code == 0, err
    objects = {entry["label"]: entry["id"] for entry in json.loads(said)["objects"]}
    for label, identity in objects.items():
        assert f"seen: {identity} ({label}) " in err
    assert json.loads(said)["sources"]  # the scene is there as before
    for label in ("dog", "car"):
        for name, options in (("a", ["--source", objects[label]]), ("b", ["--config", tmp_path / "c.yaml"])):
            (tmp_path / "c.yaml").write_text(f"source: {objects[label]}\n")
            scene = tmp_path / f"{label}-{name}.json"
            assert run("track", passing, "-o", scene, *plain, *options)[0] == 0
            assert [s["id"] for s in json.loads(scene.read_text())["sources"]] == [objects[label]]
    both = ["--source", objects["car"], "--source", objects["dog"]]
    assert run("track", passing, "-o", tmp_path / "both.json", *plain, *both)[0] == 0
    assert len(json.loads((tmp_path / "both.json").read_text())["sources"]) == 2

    import foleyspace

    scene = foleyspace.track(passing, depth="size", offline=True, source=objects["dog"])
    assert [s.id for s in scene.sources] == [objects["dog"]]


@pytest.mark.parametrize("command", ["render", "track"])
def test_a_source_that_is_not_there(run, passing, tmp_path, command):
    out = tmp_path / ("o.mp4" if command == "render" else "o.json")
    more = ["--report", tmp_path / "r.html"] if command == "render" else []
    code, said, err = run(command, passing, "-o", out, *more, *EMBEDDED, "--source", "trombone-9.9")
    assert code == 2 and said == ""
    assert "trombone-9.9" in one_line(err) and "moving-object-1." in one_line(err)
    assert files(tmp_path) == set()


@pytest.mark.parametrize("options", [["--sound", "trumpet"], ["--source", "car-1.1"]])
def test_nothing_is_chosen_where_nothing_is_watched(run, passing, tmp_path, options):
    code, said, err = run("render", passing, "-o", tmp_path / "o.mp4", "--scene", "s.json", *options)
    assert code == 2 and said == "" and len(err.splitlines()) == 1
    assert "`scene`" in one_line(err)
    assert files(tmp_path) == set()


def test_the_same_without_a_command_line(two_things, passing):
    import foleyspace

    with pytest.raises(foleyspace.InputError, match="edit the scene file"):
        foleyspace.render(passing, scene="s.json", sound="trumpet")
