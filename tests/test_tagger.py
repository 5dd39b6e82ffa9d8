"""The tagger: its spectra, its vectors, words, models of the hub, and its training."""

from __future__ import annotations

import dataclasses
import json
import logging
import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest
import soundfile
import yaml
from spoiling import spoil

from foleyspace import tagger_hub, word_vectors
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.mel import FLOOR_DB, HOP, MELS, RATE, log_mel, mel_bank, normalise
from foleyspace.tagger import KINDS, EmbeddedTagger, load_tagger
from foleyspace.tagger_data import Sound, draw_batch, half_of, held_aside, load_sounds, sampling_weights
from foleyspace.tagger_score import ranks, score_held


@pytest.fixture(scope="module")
def tagger():
    return load_tagger(offline=True)


def noise(seconds, rate=RATE, seed=0):
    """Noise whose colour and level change, so that no two windows are alike."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.1, int(seconds * rate))
    smooth = np.cumsum(x) * 0.02
    slow = np.sin(2 * np.pi * 0.3 * np.arange(len(x)) / rate)
    return (x * (1 + slow) + (smooth - smooth.mean()) * (1 - slow)).astype(np.float32)


# --- spectra


@pytest.mark.parametrize("hz", [200.0, 1000.0, 5000.0])
def test_a_sine_is_loudest_in_the_band_around_its_frequency_at_its_level(hz):
    mel = log_mel(np.sin(2 * np.pi * hz * np.arange(RATE) / RATE).astype(np.float32))[10:-10].mean(axis=0)
    centres = mel_bank().argmax(axis=1) * RATE / 1024
    assert abs(np.log2(centres[mel.argmax()] / hz)) < 0.25
    assert mel.max() == pytest.approx(0, abs=2.5)  # between two triangles: 6 dB at worst, shared by bins


def test_frames_do_not_depend_on_where_one_starts():
    x = noise(1.0)
    whole = log_mel(x)
    assert np.allclose(log_mel(x, 20 * HOP, 5), whole[20:25], atol=1e-4)
    assert np.allclose(log_mel(x, -3 * HOP, 6)[3:], whole[:3], atol=1e-4)
    assert (log_mel(x, -9 * HOP, 5) == FLOOR_DB).all()
    assert (log_mel(x, len(x) + 2 * HOP, 4) == FLOOR_DB).all()


def test_normalised_windows_forget_the_level():
    mel = log_mel(noise(1.0))
    assert np.allclose(normalise(mel), normalise(mel - 23.0), atol=1e-5)
    assert normalise(mel).max() == pytest.approx(1.0)


# --- vectors


def test_the_weights_are_small(tagger):
    folder = files("foleyspace.models")
    assert len((folder / "tagger.safetensors").read_bytes()) < 8e6
    assert sum(p.numel() for p in tagger.net.parameters()) < 2e6
    assert len(tagger.calibration.kind_bias) == len(KINDS)
    assert len(tagger.reference) >= 100


def test_vectors_are_unit_and_windows_are_centred(tagger):
    times, vectors = tagger.embed(noise(4.0), RATE)
    assert vectors.shape == (len(times), word_vectors.DIM)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert times[0] == pytest.approx(tagger.hop_s / 2)
    assert 4.0 - tagger.hop_s < times[-1] + tagger.hop_s / 2 <= 4.0 + tagger.hop_s


def test_what_is_heard_does_not_depend_on_level_or_rate(tagger):
    x = noise(3.0)
    reference = tagger.embed(x, RATE)[1]
    assert np.allclose(tagger.embed(x * 0.05, RATE)[1], reference, atol=1e-3)
    import soxr

    at_48k = tagger.embed(soxr.resample(x, RATE, 48000), 48000)[1]
    alike = (at_48k[:-1] * reference[: len(at_48k) - 1]).sum(axis=1)
    assert alike.min() > 0.95  # the resampler's band edge is in reach of the highest mel bands


def test_a_later_start_by_whole_hops_gives_the_same_windows(tagger):
    x = noise(6.0)
    hop = round(tagger.hop_s * RATE)
    whole, later = tagger.embed(x, RATE)[1], tagger.embed(x[3 * hop :], RATE)[1]
    assert np.allclose(later[2:], whole[5:], atol=1e-4)


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(1), np.full(5000, np.nan), np.zeros(RATE * 2)])
def test_silence_and_damage_give_finite_vectors(tagger, samples):
    times, vectors = tagger.embed(samples.astype(np.float32), RATE)
    assert len(times) >= 1
    assert np.isfinite(vectors).all()


def test_stereo_is_refused(tagger):
    with pytest.raises(InputError, match="must be \\(n,\\)"):
        tagger.embed(np.zeros((2, 100), np.float32), RATE)


def test_damaged_weights_are_named(tmp_path):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"\0" * 100)
    with pytest.raises(FoleyspaceError, match="damaged"):
        EmbeddedTagger(weights=bad)


def test_listening_is_imported_without_torch():
    code = (
        "import sys, foleyspace.hearing, foleyspace.tagger as t; assert 'torch' not in sys.modules, 'torch'"
    )
    subprocess.run([sys.executable, "-c", code + "; assert 'scipy.signal' not in sys.modules"], check=True)


@pytest.mark.slow
def test_sounds_held_aside_are_named_far_better_than_by_guessing(tagger, shared, tmp_path):
    index = (shared / "sounds" / "INDEX.csv").read_text().splitlines()
    held = [line for line in index[1:] if held_aside(line.split(",")[1])]
    (tmp_path / "INDEX.csv").write_text("\n".join([index[0], *held]))
    for line in held:
        name = line.split(",")[1]
        (tmp_path / name).symlink_to((shared / "sounds" / name).resolve())
    sounds = load_sounds(tmp_path, speeds=(1.0,))
    trained = {word_vectors.clean_word(x.split(",")[2]) for x in index[1:] if not held_aside(x.split(",")[1])}
    scores = score_held(tagger.net, sounds, sorted(trained), 100, "cpu")
    commonest = np.bincount([s.kind for s in sounds]).max() / len(sounds)
    assert scores["kind_top1"] > 1.5 * commonest
    assert scores["seen_top5"] > 0.4  # of some 750 classes: chance is under 0.01
    assert scores["class_mrr"] > 0.15


# --- words


def test_near_meanings_are_near():
    v = word_vectors.word_vectors(["dog", "dog bark", "trumpet", "trombone", "rain"], offline=True)
    assert np.allclose(np.linalg.norm(v, axis=1), 1, atol=1e-3)
    alike = v @ v.T
    assert alike[0, 1] > 0.4 > alike[0, 2]
    assert alike[2, 3] > 0.4 > alike[2, 4]


def test_words_are_cleaned():
    assert word_vectors.clean_word("  Sports_Ball! ") == "sports ball"
    a, b = word_vectors.word_vectors(["Sports-Ball", "sports ball"], offline=True)
    assert np.array_equal(a, b)


def test_every_coco_label_and_every_sound_word_is_in_the_table():
    from foleyspace.hearing import heard_vocabulary
    from foleyspace.label_sounds import KIND_WORDS, LABEL_SOUNDS

    table = word_vectors.load_words()[0]
    used = {w for group in (LABEL_SOUNDS, KIND_WORDS) for sounds in group.values() for w in sounds}
    assert not (
        used | set(heard_vocabulary()) | {"person", "traffic light", "hair drier", "teddy bear"}
    ) - set(table)


@pytest.fixture
def no_minilm(monkeypatch):
    monkeypatch.setattr(word_vectors, "find_minilm", lambda: None)
    monkeypatch.setattr(word_vectors, "hub_answers", lambda: False)
    monkeypatch.setattr(word_vectors, "_unavailable", set())
    word_vectors._encoder.cache_clear()
    yield
    word_vectors._encoder.cache_clear()


def test_an_unknown_word_is_guessed_from_its_parts_with_one_warning(no_minilm, caplog):
    with caplog.at_level(logging.WARNING, "foleyspace"):
        guessed = word_vectors.word_vectors(["rusty trumpets"], offline=True)[0]
        word_vectors.word_vectors(["blue trumpet"], offline=True)
    trumpet = word_vectors.word_vectors(["trumpet"], offline=True)[0]
    assert guessed @ trumpet > 0.6
    assert len(caplog.records) == 1


def test_a_word_of_no_known_part_is_like_nothing(no_minilm, caplog):
    vector = word_vectors.word_vectors(["xyzzyx"], offline=True)[0]
    assert not vector.any()
    assert "xyzzyx" in caplog.text


@pytest.mark.parametrize("text", ["\U0001f3ba", "", " -!"])
def test_what_is_no_word_is_like_nothing_and_said(text, caplog):
    vectors = word_vectors.word_vectors([text, "trumpet"], offline=True)
    assert not vectors[0].any() and vectors[1].any()
    assert "holds no word" in caplog.text


@pytest.mark.slow
def test_minilm_gives_what_the_table_holds():
    folder = word_vectors.find_minilm()
    if folder is None:
        pytest.skip("MiniLM is not installed (the extra `words`)")
    encoder = word_vectors.Encoder(str(folder), local=True)
    table, vectors, mean = word_vectors.load_words()
    words = ["trumpet", "dog bark", "sports ball", "rain"]
    found = word_vectors.embed_words(words, encoder, mean)
    assert ((found * vectors[[table[w] for w in words]]).sum(axis=1) > 0.999).all()


# --- models of the hub


def test_a_hub_model_that_does_not_answer_is_replaced_with_one_warning(monkeypatch, caplog):
    monkeypatch.setattr(tagger_hub, "hub_answers", lambda: False)
    with caplog.at_level(logging.WARNING, "foleyspace"):
        found = load_tagger("nobody/no-such-tagger")
    assert found.name == "embedded"
    assert len(caplog.records) == 1 and "nobody/no-such-tagger" in caplog.text


@pytest.mark.parametrize("name", ["", "no-such-thing", "./missing", "a/b/c"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(InputError, match="`tagger` is"):
        load_tagger(name, offline=True)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="no CLAP or AST"):
        load_tagger(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(InputError, match="must be CLAP or AST"):
        load_tagger(str(tmp_path))


@pytest.fixture(scope="module")
def tiny_ast(tmp_path_factory):
    from transformers import ASTConfig, ASTFeatureExtractor, ASTForAudioClassification

    folder = tmp_path_factory.mktemp("ast")
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    names = {0: "Speech", 1: "Dog", 2: "Trumpet"}
    ASTForAudioClassification(
        ASTConfig(**sizes, max_length=128, num_mel_bins=32, id2label=names)
    ).save_pretrained(folder)
    ASTFeatureExtractor(max_length=128, num_mel_bins=32).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def tiny_clap(tmp_path_factory):
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, RobertaTokenizer

    folder = tmp_path_factory.mktemp("clap")
    text = {
        "vocab_size": 300,
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    audio = {
        "patch_embeds_hidden_size": 16,
        "depths": [1, 1],
        "num_attention_heads": [2, 2],
        "hidden_size": 32,
        "num_hidden_layers": 2,
    }
    audio |= {"spec_size": 64, "num_mel_bins": 16, "window_size": 4}
    ClapModel(ClapConfig(text_config=text, audio_config=audio, projection_dim=8)).save_pretrained(folder)
    ClapFeatureExtractor(feature_size=16, max_length_s=2, truncation="rand_trunc").save_pretrained(folder)
    letters = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *(chr(c) for c in range(33, 127)), "Ġ"]
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(letters)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    RobertaTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt")).save_pretrained(folder)
    return str(folder)


@pytest.mark.parametrize("model", ["tiny_ast", "tiny_clap"])
def test_a_saved_hub_model_listens(model, request, caplog):
    from foleyspace.hearing import affinity, hear_sound, heard_words, kinds

    with caplog.at_level(logging.WARNING, "foleyspace"):
        tagger = load_tagger(request.getfixturevalue(model), offline=True)
    hearing = hear_sound(noise(3.0, 48000), tagger, rate=48000)
    assert len(hearing.times) == int(np.ceil(3.0 / tagger.hop_s))
    ratio = affinity(hearing, ["person", "dog", "trumpet"])
    assert ratio.shape == (len(hearing.times), 3)
    assert ((ratio >= 0.2) & (ratio <= 5)).all()
    assert np.allclose(kinds(hearing).sum(axis=1), 1)
    assert len(heard_words(hearing, 3)) == 3
    assert not caplog.records


def test_ast_compares_words_with_its_classes(tiny_ast):
    tagger = load_tagger(tiny_ast, offline=True)
    matrix = tagger.word_vectors(["dog", "saxophone", "speech"])
    assert matrix[0].argmax() == 1 and matrix[1].argmax() == 2 and matrix[2].argmax() == 0
    assert matrix[0, 1] == pytest.approx(1, abs=1e-3)


# --- training


def test_files_are_held_aside_for_good():
    names = [f"sound_{i}.ogg" for i in range(4000)]
    held = [held_aside(name) for name in names]
    assert 0.13 < np.mean(held) < 0.17  # binomial: +-0.011 at two deviations
    assert held == [held_aside(name) for name in names]
    assert all(held_aside(name, 30) for name, yes in zip(names, held, strict=True) if yes)


def test_ranks_share_ties():
    assert ranks(np.array([[3.0, 2, 1], [1, 1, 1]]), np.array([1, 0])).tolist() == [1, 1]


def sounds_of_two_kinds():
    tone = log_mel(np.sin(2 * np.pi * 880 * np.arange(RATE * 3) / RATE).astype(np.float32))
    hiss = log_mel(np.random.default_rng(0).normal(0, 0.1, RATE // 2).astype(np.float32))
    return [
        Sound("a.ogg", "flute", 2, 2, (tone.astype(np.float16),)),
        Sound("b.ogg", "rain", 6, 6, (hiss.astype(np.float16),)),
    ]


def test_batches_are_finite_and_name_the_louder_sound_first():
    sounds = sounds_of_two_kinds()
    batch = draw_batch(sounds, np.arange(2), sampling_weights(sounds), 200, 100, np.random.default_rng(0))
    assert batch.mel.shape == (200, 100, MELS) and batch.mel.dtype == np.float32
    assert np.isfinite(batch.mel).all() and abs(batch.mel).max() <= 1
    assert np.allclose(batch.part.sum(axis=1), 1) and (batch.part[:, 0] >= 0.5).all()
    assert 0.35 < (batch.part[:, 1] > 0).mean() < 0.65
    again = draw_batch(sounds, np.arange(2), sampling_weights(sounds), 200, 100, np.random.default_rng(0))
    assert np.array_equal(batch.mel, again.mel)


@pytest.mark.slow
def test_training_learns_resumes_and_exports(tmp_path):
    from foleyspace.pipelines.train_tagger import TrainTaggerConfig, run

    rng = np.random.default_rng(0)
    t = np.arange(RATE * 2) / RATE
    rows = ["file,class,kind"]
    for i in range(20):
        tone = i % 2
        x = 0.3 * np.sin(2 * np.pi * (500 + 40 * i) * t) if tone else rng.normal(0, 0.1, len(t))
        soundfile.write(tmp_path / f"{i}.wav", x, RATE)
        rows.append(f"{i}.wav,{'flute,instrument' if tone else 'rain,environmental'}")
    (tmp_path / "INDEX.csv").write_text("\n".join(rows))
    common = {"sounds": str(tmp_path), "batch": 16, "held_percent": 40, "check_every": 8, "device": "cpu"}
    config = TrainTaggerConfig(**common, out=str(tmp_path / "whole"), steps=16, ema=0.5)
    whole = EmbeddedTagger(weights=run(config))
    curve = (tmp_path / "whole" / "curve.csv").read_text().splitlines()
    assert len(curve) == 3
    assert float(curve[-1].split(",")[2]) < 0.7 * float(curve[1].split(",")[2])  # the loss falls
    flute = whole.embed((0.3 * np.sin(2 * np.pi * 950 * t)).astype(np.float32), RATE)[1]
    rain = whole.embed(rng.normal(0, 0.1, len(t)).astype(np.float32), RATE)[1]
    words = whole.word_vectors(["flute", "rain"])
    assert ((flute @ words.T)[:, 0] > (rain @ words.T)[:, 0]).all()

    half = dataclasses.replace(config, out=str(tmp_path / "half"))
    import torch

    kept = torch.load(tmp_path / "whole" / "last.pt", weights_only=True)
    assert kept["step"] == 16
    run(dataclasses.replace(config, out=str(tmp_path / "whole")))  # nothing is left to do
    assert len((tmp_path / "whole" / "curve.csv").read_text().splitlines()) == 3
    again = EmbeddedTagger(weights=run(half))  # the same seed gives the same weights
    for name, tensor in whole.net.state_dict().items():
        assert torch.equal(tensor, again.net.state_dict()[name]), name


def write_sounds(folder, index: str) -> list[str]:
    """An index and half a second of noise for each of its files; their names."""
    (folder / "INDEX.csv").write_text(index)
    names = [line.split(",")[0] for line in index.splitlines()[1:]]
    for number, name in enumerate(names):
        soundfile.write(folder / name, noise(0.5, seed=number), RATE)
    return names


def test_kinds_that_are_not_there_are_guessed_and_that_is_said(tmp_path, caplog):
    write_sounds(tmp_path, "file,class\na.wav,dog bark\nb.wav,Violins\nc.wav,heavy rain\nd.wav,truck\n")
    with caplog.at_level(logging.WARNING, "foleyspace"):
        sounds = load_sounds(tmp_path, speeds=(1.0,))
    assert [KINDS[sound.kind] for sound in sounds] == ["animal", "instrument", "environmental", "vehicle"]
    assert [r.getMessage() for r in caplog.records] == [
        "INDEX.csv: 4 files have no kind: it is guessed from their class"
    ]
    caplog.clear()
    write_sounds(tmp_path, "file,class,kind\na.wav,dog bark,object\nb.wav,violin,\n")  # what is said, counts
    assert [KINDS[sound.kind] for sound in load_sounds(tmp_path, speeds=(1.0,))] == ["object", "instrument"]
    assert "1 files have no kind" in caplog.text


def test_what_the_index_keeps_aside_is_not_learnt_from(tmp_path, monkeypatch):
    """By its split as by the hash of its name; a column that says the same of all says nothing."""
    from foleyspace import tagger_training
    from foleyspace.pipelines import train_tagger

    lines = [f"{i}.wav,rain,environmental,{'validation' if i % 3 == 0 else 'train'}" for i in range(24)]
    names = write_sounds(tmp_path, "\n".join(["file,class,kind,split", *lines]))
    marked = set(names[::3])
    hashed = {name for name in names if held_aside(name)}
    assert hashed - marked and marked - hashed
    assert {s.name for s in load_sounds(tmp_path, speeds=(1.0,)) if s.aside} == marked

    class Enough(Exception):
        pass

    seen = {}
    monkeypatch.setattr(
        "foleyspace.tagger_data.sampling_weights",
        lambda train: seen.update(train=train) or np.ones(len(train)),
    )

    def stop(*_):
        raise Enough

    monkeypatch.setattr(tagger_training.State, "resume", stop)
    for half in (-1, 0, 1):
        config = train_tagger.TrainTaggerConfig(
            sounds=str(tmp_path), out=str(tmp_path / "out"), half=half, device="cpu"
        )
        with pytest.raises(Enough):
            train_tagger.run(config)
        left = {name for name in set(names) - marked - hashed if half < 0 or half_of(name) == half}
        assert {sound.name for sound in seen["train"]} == left
    write_sounds(
        tmp_path, "\n".join(["file,class,kind,split", *(f"{i}.wav,rain,object,held" for i in range(3))])
    )
    assert not any(sound.aside for sound in load_sounds(tmp_path, speeds=(1.0,)))


def test_a_folder_too_small_to_train_on_is_refused(tmp_path):
    from foleyspace.pipelines.train_tagger import TrainTaggerConfig, run

    name = next(f"{i}.wav" for i in range(99) if not held_aside(f"{i}.wav"))
    write_sounds(tmp_path, f"file,class,kind\n{name},rain,environmental\n")
    with pytest.raises(InputError, match="1 files but must have some kept aside"):
        run(TrainTaggerConfig(sounds=str(tmp_path), out=str(tmp_path / "out"), device="cpu"))
    assert not (tmp_path / "out").exists()


def tagger_state(steps: int = 20, width: int = word_vectors.DIM):
    from foleyspace.tagger_net import TaggerNet
    from foleyspace.tagger_training import State

    return State(TaggerNet(width, len(KINDS)), steps, 1e-3, 0.0, 0.9)


@pytest.mark.parametrize(
    "damage", ["other network", "other training", "no checkpoint", "list", "truncated", "empty"]
)
def test_a_checkpoint_of_something_else_is_refused_in_one_line(tmp_path, damage):
    import torch

    path = tmp_path / "last.pt"
    tagger_state(width=8 if damage == "other network" else word_vectors.DIM).save(path)
    if damage == "other training":
        torch.save({"net": {}, "step": 3}, path)
    elif damage == "list":
        torch.save([1, 2], path)
    spoil(path, damage)
    with pytest.raises(InputError, match=r"last\.pt: must be a checkpoint of the same network") as caught:
        tagger_state().resume(path, torch.device("cpu"))
    assert "\n" not in str(caught.value)


def test_a_training_is_resumed_with_as_many_steps_or_fewer(tmp_path):
    import torch

    path, device = tmp_path / "last.pt", torch.device("cpu")
    tagger_state(20).save(path)
    tagger_state(20).resume(path, device)
    tagger_state(12).resume(path, device)
    with pytest.raises(InputError, match=r"`steps` is 30 but .*last\.pt was begun with 20"):
        tagger_state(30).resume(path, device)


@pytest.mark.parametrize("steps", [1, 2, 9, 10, 11])
def test_any_number_of_steps_has_a_schedule(steps):
    """10 steps of which a tenth go up: one, whose way torch divides by."""
    made = tagger_state(steps)
    loss = sum(p.sum() for p in made.net.parameters())
    for _ in range(steps):
        made.update(loss)
        loss = sum(p.sum() for p in made.net.parameters())
    assert made.step == steps and np.isfinite(made.schedule.get_last_lr()[0])


def test_halves_are_drawn_in_one_way_only():
    from foleyspace.pipelines.train_tagger import TrainTaggerConfig

    assert TrainTaggerConfig(half=-1, held_percent=40).held_percent == 40
    with pytest.raises(InputError, match="`held_percent` is 40 but must be 15 with `half`"):
        TrainTaggerConfig(half=0, held_percent=40)


def test_train_tagger_yaml_equals_the_dataclass():
    from foleyspace.config_file import read_config
    from foleyspace.pipelines.train_tagger import TrainTaggerConfig

    stated = yaml.safe_load((files("foleyspace.configs") / "train_tagger.yaml").read_text())
    assert stated == dataclasses.asdict(TrainTaggerConfig())
    with pytest.raises(InputError, match="`stepz` is no option"):
        read_config(TrainTaggerConfig, "train_tagger", {"stepz": "3"})
    with pytest.raises(InputError, match="`steps` is 0"):
        read_config(TrainTaggerConfig, "train_tagger", {"steps": "0"})


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("file,kind\na.wav,animal\n", "has no column 'class'"),
        ("file,class,kind\na.wav,dog,beast\n", "kind 'beast' but must be one of"),
        ("", "has no column"),
        ("file,class,kind\n", "and lines below them"),
        ("file,class,kind\nnone.wav,dog,animal\n", "sound file .*none.wav does not exist"),
    ],
)
def test_an_index_of_another_kind_is_refused(tmp_path, index, said):
    (tmp_path / "INDEX.csv").write_text(index)
    with pytest.raises(InputError, match=said):
        load_sounds(tmp_path)
