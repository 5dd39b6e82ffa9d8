"""Freer text: a language model puts it into plain words, and the parser reads those.

Places are the parser's business alone; what the model says is shown, and what it makes up is not believed.
"""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import Any

from foleyspace.errors import InputError
from foleyspace.language_model import LanguageModel, load_language_model
from foleyspace.prompt import PromptReading, read_prompt

log = logging.getLogger("foleyspace")

TASK = (
    "Rewrite the description as one line: for every sound its name, then where the listener hears it, with"
    " semicolons between them. Use only words like: on the left, front right, behind, above, 30 degrees to"
    " the right, 3 metres away, from left to right, comes closer, off screen. Add no sound that is not there."
)
EXAMPLES = (
    (
        "So I'm sitting in this cafe, right, and there's the espresso machine hissing away over by my left "
        "shoulder while some guy strolls past the window ahead, heading right.",
        "espresso machine hisses back left; man walks in front, from left to right",
    ),
    (
        "Picture a storm: thunder cracks way up over the hills behind us, the dog whines at our feet.",
        "thunder behind, above, far away; dog whines below, close",
    ),
)
STEM = 4  # letters in which a word of a label must agree with one of the text


def read_freely(text: str, duration: float, model: str, offline: bool = False) -> PromptReading:
    """`read_prompt` of what `model` makes of `text`: a causal language model, by hub name or folder. What
    was read in its place is the first of the notes. Where the model names a sound that is not in the text, or
    says what cannot be read, the text is read as it stands, with a warning.

    Raises `InputError` as `read_prompt`, and for what is no such model; where the hub does not answer, the
    text is read as it stands too.
    """
    loaded = load_language_model(
        model, option="language-model", instead="the text is read as it stands", offline=offline
    )
    if loaded is None:
        return read_prompt(text, duration)
    said = reword(text, loaded)
    try:
        reading = read_prompt(said, duration)
        invented = [s.label for s in reading.scene.sources if not _named(s.label, text)]
        problem = f"it speaks of {invented[0]!r}" if invented else ""
    except InputError as error:
        problem = str(error)
    if problem:
        log.warning("what the language model made of the prompt is not used: %s", problem)
        return read_prompt(text, duration)
    return replace(reading, notes=(f"read as: {said}", *reading.notes))


def reword(text: str, model: LanguageModel) -> str:
    """The sounds and places of `text` in plain words, one line; may be empty."""
    import torch

    tokenizer, net = model.tokenizer, model.net
    flat = " ".join(text.split())
    tokens = _asked(tokenizer, flat)
    spare = 2 * len(tokenizer(flat)["input_ids"]) + 48
    with torch.inference_mode():
        made = net.generate(
            torch.tensor([tokens], device=net.device),
            max_new_tokens=spare,
            do_sample=False,
            pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id or 0,
        )[0, len(tokens) :]
    lines = tokenizer.decode(made, skip_special_tokens=True).strip().splitlines()
    return lines[0].strip().strip("\"'") if lines else ""


def _asked(tokenizer: Any, text: str) -> list[int]:
    """The task as a conversation, for models made for that, else as examples to go on with."""
    if getattr(tokenizer, "chat_template", None):
        turns = [{"role": "user", "content": f"{TASK}\n\n{EXAMPLES[0][0]}"}]
        turns += [{"role": "assistant", "content": EXAMPLES[0][1]}]
        for told, plain in EXAMPLES[1:]:
            turns += [{"role": "user", "content": told}, {"role": "assistant", "content": plain}]
        turns.append({"role": "user", "content": text})
        prompt: str = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return list(tokenizer(prompt, add_special_tokens=False)["input_ids"])
    shown = "".join(f"Description: {told}\nPlain: {plain}\n\n" for told, plain in EXAMPLES)
    return list(tokenizer(f"{TASK}\n\n{shown}Description: {text}\nPlain:")["input_ids"])


def _named(label: str, text: str) -> bool:
    stems = {word[:STEM] for word in re.findall(r"\w+", text.lower())}
    return any(word[:STEM] in stems for word in re.findall(r"\w+", label.lower()))
