"""Freer text through a language model: what it says is read, what it makes up is not believed."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from foleyspace import rewording
from foleyspace.cli.prompt import command
from foleyspace.errors import InputError
from foleyspace.language_model import LanguageModel, load_language_model
from foleyspace.prompt import read_prompt
from foleyspace.rewording import read_freely, reword

pytest.importorskip("transformers")

FREE = "By my left shoulder some kettle is boiling away while a cat strolls off to the right."


class Speaker:
    """A network and its tokenizer in one that answers with fixed words and keeps what it was asked."""

    device, pad_token_id, eos_token_id = "cpu", 0, 0

    def __init__(self, answer: str, chat_template: str | None = None) -> None:
        self.answer, self.chat_template, self.asked = answer, chat_template, ""

    def __call__(self, text, **_):
        return {"input_ids": [ord(c) for c in text]}

    def apply_chat_template(self, turns, tokenize, add_generation_prompt):
        assert not tokenize and add_generation_prompt
        return "".join(f"<{turn['role']}>{turn['content']}" for turn in turns) + "<assistant>"

    def generate(self, tokens, max_new_tokens, **_):
        import torch

        self.asked = self.decode(tokens[0])
        more = [ord(c) for c in self.answer[:max_new_tokens]]
        return torch.cat((tokens, torch.tensor([more])), dim=1)

    def decode(self, tokens, **_):
        return "".join(chr(int(t)) for t in tokens)


@pytest.fixture
def says(monkeypatch):
    def use(answer: str, chat_template: str | None = None) -> Speaker:
        speaker = Speaker(answer, chat_template)
        monkeypatch.setattr(
            rewording, "load_language_model", lambda *_, **__: LanguageModel("m", speaker, speaker)
        )
        return speaker

    return use


@pytest.mark.parametrize("chat_template", [None, "{{ a template }}"])
def test_the_plain_words_are_read(says, chat_template):
    plain = "kettle boils on the left, close; cat walks to the right"
    speaker = says(f" {plain}\n\nDescription: another", chat_template)
    reading = read_freely(FREE, 8.0, "m")
    assert reading.notes[0] == f"read as: {plain}"
    expected = read_prompt(plain, 8.0).scene
    assert [s.label for s in reading.scene.sources] == [s.label for s in expected.sources]
    assert speaker.asked.count(FREE) == 1 and rewording.TASK in speaker.asked
    assert speaker.asked.endswith("<assistant>" if chat_template else "Plain:")


@pytest.mark.parametrize(
    "answer",
    ["kettle on the left; a helicopter above", "", "1234", "kettle on the left and on the right"],
)
def test_what_is_made_up_or_nonsense_is_not_used(says, caplog, answer):
    says(answer)
    with caplog.at_level(logging.WARNING, "foleyspace"):
        reading = read_freely(FREE, 8.0, "m")
    assert reading.notes == read_prompt(FREE, 8.0).notes
    assert "is not used" in caplog.text


def test_a_real_model_that_knows_nothing_does_no_harm(letters_model):
    model = load_language_model(letters_model, option="language-model", instead="")
    assert model is not None
    said = reword(FREE, model)
    assert said == reword(FREE, model) and "\n" not in said
    labels = [s.label for s in read_freely(FREE, 8.0, letters_model, offline=True).scene.sources]
    assert labels == [s.label for s in read_prompt(FREE, 8.0).scene.sources]


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="must be a causal language model"):
        read_freely(FREE, 8.0, str(tmp_path), offline=True)


def test_where_no_hub_answers_the_text_is_read_as_it_stands(caplog):
    with caplog.at_level(logging.WARNING, "foleyspace"):
        reading = read_freely(FREE, 8.0, "nobody/no-such-model", offline=True)
    assert reading.notes == read_prompt(FREE, 8.0).notes
    (record,) = caplog.records
    assert "`language-model` nobody/no-such-model is not used" in record.getMessage()


def test_the_command_takes_it(says, capsys):
    says("kettle on the left; cat on the right")
    options = SimpleNamespace(text=FREE, out=None, duration=8.0, language_model="m", offline=True)
    command.callback(**vars(options), overwrite=False, json_output=False)
    said = capsys.readouterr().out
    assert "note: read as: kettle on the left; cat on the right" in said
