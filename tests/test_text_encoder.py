"""Text encoders: small models of each kind, built by the library itself and saved; and what is told to them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from foleyspace.camera import angles_to_xyz
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.prompt import read_prompt
from foleyspace.text_encoder import ENCODERS, encode, load_text_encoder

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from foleyspace.spatializer.bands import RATE  # noqa: E402
from foleyspace.spatializer.dataset import Mixture  # noqa: E402
from foleyspace.spatializer.telling import Teller, tell  # noqa: E402

WORDS = ("a", "dog", "barks", "on", "the", "left", "right", "car")


def save(kind: str, folder) -> None:
    """A tiny random model of the kind, with a tokenizer of whole words."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {word: i for i, word in enumerate(("<pad>", "<unk>", "</s>", *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        eos_token="</s>",
        model_max_length=16,
    )
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    size = {
        "vocab_size": len(vocabulary),
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
    }
    if kind == "bert":
        config = transformers.BertConfig(**size, intermediate_size=16)
        transformers.BertModel(config).save_pretrained(folder)
    elif kind == "clip":
        config = transformers.CLIPTextConfig(
            **size, intermediate_size=16, projection_dim=12, max_position_embeddings=16, eos_token_id=2
        )
        transformers.CLIPTextModelWithProjection(config).save_pretrained(folder)
    else:
        config = transformers.T5Config(
            vocab_size=len(vocabulary), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2
        )
        transformers.T5EncoderModel(config).save_pretrained(folder)


@pytest.mark.parametrize(("kind", "dim"), [("bert", 16), ("clip", 12), ("t5", 16)])
def test_a_folder_of_each_kind(kind, dim, tmp_path):
    save(kind, tmp_path)
    encoder = load_text_encoder(str(tmp_path), offline=True)
    got = encoder(["a dog barks on the left", "a dog barks on the right", "car"])
    assert encoder.dim == dim and got.shape == (3, dim) and got.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, atol=1e-5)
    assert np.abs(got[0] - got[1]).max() > 1e-4
    # padding beside a longer text changes nothing
    np.testing.assert_allclose(encoder(["car"])[0], got[2], atol=1e-5)
    assert encoder(["dog " * 500]).shape == (1, dim)


def test_what_is_no_encoder(tmp_path):
    with pytest.raises(InputError, match="must be one of minilm, clip, bert, t5"):
        load_text_encoder("word2vec")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "nothing-known"}))
    with pytest.raises(InputError, match="it holds no text model"):
        load_text_encoder(str(tmp_path))


@pytest.mark.parametrize("name", sorted(set(ENCODERS) - {"minilm"}))
def test_without_a_hub_it_says_so_at_once(name, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(FoleyspaceError, match=f"the text encoder {name} cannot be had: no local copy"):
        load_text_encoder(name, offline=True)


def mixture(*azimuth_deg: float) -> Mixture:
    places = angles_to_xyz(np.array([[azimuth, 0.0] for azimuth in azimuth_deg]), np.float64(2.0))
    paths = np.repeat(places[:, None], 5, axis=1)
    labels = ("dog", "car", "cello")[: len(paths)]
    stems = np.ones((len(paths), RATE), np.float32)
    return Mixture(stems, labels, ("static",) * len(paths), paths, np.ones(len(paths), bool))


def test_a_mixture_is_told_and_its_mirror_image_with_the_sides_swapped():
    """Both captions read back: the dog is on the left, in the mirror on the right; the car the other way."""
    for seed in range(12):
        texts = tell(mixture(90, -45), np.random.default_rng(seed))
        for text, sign in zip(texts, (1, -1), strict=True):
            at = {source.label: source.xyz[0] for source in read_prompt(text, 1.0).scene.sources}
            (dog,) = (place for label, place in at.items() if "dog" in label)
            (car,) = (place for label, place in at.items() if "car" in label)
            assert sign * dog[1] > 0 > sign * car[1], text


def test_absent_sources_are_not_told():
    mixed = mixture(90, -45)
    mixed.present[1] = False
    assert "car" not in tell(mixed, np.random.default_rng(0))[0].lower()


def test_the_teller_gives_a_vector_each(tmp_path):
    save("bert", tmp_path)
    teller = Teller(load_text_encoder(str(tmp_path)))
    prompt, flipped = teller([mixture(90, -45), mixture(0, 30, -90)], np.random.default_rng(0))
    assert prompt.shape == flipped.shape == (2, 16)
    assert not torch.equal(prompt, flipped)


def test_encode_is_the_same_as_the_encoder(tmp_path):
    save("t5", tmp_path)
    texts = ["a dog", "the car"]
    np.testing.assert_array_equal(encode(texts, str(tmp_path)), load_text_encoder(str(tmp_path))(texts))
