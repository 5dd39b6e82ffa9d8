"""What moves gets a name: with a model built by transformers itself, and with one that knows."""

from __future__ import annotations

from dataclasses import replace

import media
import numpy as np
import pytest

from foleyspace.errors import InputError
from foleyspace.motion import LABEL
from foleyspace.object_names import NAMES, Namer, load_namer, name_objects
from foleyspace.observed import CELLS, ObservedTrack
from foleyspace.video import probe

pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory):
    """A CLIP of random weights."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("clip")
    words = sorted({word for name in (*NAMES, "a photo of") for word in name.split()})
    vocabulary = {word: i for i, word in enumerate(("<pad>", "<unk>", "</s>", *words))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        eos_token="</s>",
        model_max_length=16,
    ).save_pretrained(folder)
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**size, "vocab_size": len(vocabulary), "max_position_embeddings": 16, "eos_token_id": 2}
    vision = {**size, "image_size": 32, "patch_size": 16}
    torch.manual_seed(0)
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)).save_pretrained(folder)
    square = {"height": 32, "width": 32}
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=square).save_pretrained(folder)
    return folder


def track(identity: str, label: str, xyxy: list[list[float]]) -> ObservedTrack:
    count = len(xyxy)
    still = np.zeros((count, CELLS, CELLS), np.float16)
    times = np.linspace(0, 1, count)
    return ObservedTrack(
        identity, label, times, np.array(xyxy), np.ones(count), still, still, np.full(count, np.nan)
    )


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A red left half, a blue right half."""
    path = tmp_path_factory.mktemp("names") / "halves.mp4"
    halves = "color=red:s=96x96:r=10:d=2[a];color=blue:s=96x96:r=10:d=2[b];[a][b]hstack"
    media.ffmpeg("-f", "lavfi", "-i", halves, path)
    return probe(path)


LEFT, RIGHT, SPECK = [0.05, 0.2, 0.4, 0.9], [0.6, 0.2, 0.95, 0.9], [0.5, 0.5, 0.51, 0.51]


class Painter:
    """Knows two colours."""

    def __init__(self, probability: float = 0.9) -> None:
        self.probability, self.seen = probability, []

    def __call__(self, picture):
        self.seen.append(picture.shape)
        red, _, blue = picture.reshape(-1, 3).mean(axis=0)
        return ("fire truck" if red > blue else "bird"), self.probability


def test_each_gets_the_name_of_its_own_picture(clip):
    tracks = [
        track("moving-object-1", LABEL, [LEFT, LEFT]),
        track("bird-1", "bird", [RIGHT]),
        track("moving-object-2", LABEL, [SPECK, RIGHT, SPECK]),  # its largest moment counts
        track("moving-object-3", LABEL, [SPECK]),  # too small to be looked at
    ]
    painter = Painter()
    named = name_objects(tracks, clip, painter)
    assert [t.label for t in named] == ["fire truck", "bird", "bird", LABEL]
    assert [t.id for t in named] == ["fire-truck-1", "bird-1", "bird-2", "moving-object-3"]
    assert len(painter.seen) == 2
    assert named[1] is tracks[1] and replace(named[0], id="moving-object-1", label=LABEL) == tracks[0]


def test_doubtful_names_are_not_taken(clip):
    tracks = [track("moving-object-1", LABEL, [LEFT])]
    assert name_objects(tracks, clip, Painter(0.2)) == tracks


def test_a_model_of_transformers_names(clip_folder):
    namer = load_namer(str(clip_folder), device="cpu", offline=True)
    assert isinstance(namer, Namer)
    name, probability = namer(np.full((40, 60, 3), 200, np.uint8))
    assert name in NAMES and 0 < probability <= 1


def test_what_is_no_model(tmp_path, caplog):
    assert load_namer("") is None
    with pytest.raises(InputError, match=r"`namer` is .* but cannot be loaded"):
        load_namer(str(tmp_path), device="cpu", offline=True)
    with pytest.raises(InputError, match=r"`namer` is '\./nowhere' but there is no such folder"):
        load_namer("./nowhere", device="cpu")
    assert load_namer("someone/some-clip", device="cpu", offline=True) is None
    assert "stays unnamed" in caplog.text


def test_track_takes_the_names(clip_folder, shared):
    """The whole way on a real clip; what a model of random weights says is not asked."""
    from foleyspace.pipelines.track import TrackConfig, run

    config = TrackConfig(detector="motion", depth="size", device="cpu", offline=True, namer=str(clip_folder))
    labels = [track.label for track in run(probe(shared / "videos" / "moving1.mp4"), config, None).tracks]
    assert labels and set(labels) <= {*NAMES, LABEL} and set(labels) != {LABEL}
