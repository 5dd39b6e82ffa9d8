"""Shared fixtures. Tests that need the test data beside the checkout skip with a reason where it is absent."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from media import ffmpeg

SHARED = Path(os.environ.get("FOLEYSPACE_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of test videos, HRIR sets and detectors; set FOLEYSPACE_SHARED to point elsewhere."""
    if not (SHARED / "videos").is_dir():
        pytest.skip(f"no test data at {SHARED} (set FOLEYSPACE_SHARED)")
    return SHARED


@pytest.fixture(scope="module")
def one_thread():
    """Small networks are quickest so, and beside other work."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line in this process: (exit code, stdout, stderr)."""

    from foleyspace.cli import main

    def call(*arguments) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["foleyspace", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capsys.readouterr()
        return stop.value.code or 0, captured.out, captured.err

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def passing(tmp_path_factory) -> Path:
    """2 s, 320 x 180: a textured square crosses a textured background; noise as its sound."""
    path = tmp_path_factory.mktemp("media") / "passing.mp4"
    rng = np.random.default_rng(3)
    ground = rng.integers(60, 120, (18, 32, 1)).repeat(10, 0).repeat(10, 1).repeat(3, 2).astype(np.uint8)
    square = rng.integers(150, 255, (6, 6, 3)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
    frames = np.stack([ground] * 50)
    for i, frame in enumerate(frames):
        x = round(4 + i * (320 - 56) / 49)
        frame[70:118, x : x + 48] = square
    wav = path.with_suffix(".wav")
    soundfile.write(wav, rng.normal(0, 0.1, 2 * 44100), 44100)
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "320x180", "-r", "25", "-i", "-")
    ffmpeg(
        *raw, "-i", wav, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", path, stdin=frames.tobytes()
    )
    return path


@pytest.fixture(scope="session")
def letters_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with a causal language model of random weights that reads letters."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Split
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("letters")
    letters = {chr(c): i for i, c in enumerate(range(32, 127))} | {"\n": 95, "?": 96}
    tokenizer = Tokenizer(WordLevel(letters, unk_token="?"))
    tokenizer.pre_tokenizer = Split("", "isolated")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="?").save_pretrained(folder)
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=97, n_embd=16, n_layer=1, n_head=2, n_positions=4096, eos_token_id=96)
    GPT2LMHeadModel(config).save_pretrained(folder)
    return str(folder)
