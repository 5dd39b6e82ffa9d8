"""A language model answers questions from what the listener heard."""

from __future__ import annotations

import numpy as np

from foleyspace.camera import xyz_to_angles
from foleyspace.evaluation.questions import Question
from foleyspace.language_model import LanguageModel
from foleyspace.metrics.listener import Reading

ROW_S = 1.0
HEAD = "time s | sound | sounding % | azimuth degrees (left +, right -, behind 180) | elevation | metres"


def reading_table(reading: Reading) -> str:
    """What was heard as text, a row a second and sound."""
    rows = [HEAD]
    second = (reading.times / ROW_S).astype(int)
    for now in np.unique(second):
        part = second == now
        for label, sounding, xyz in zip(reading.labels, reading.sounding, reading.xyz, strict=True):
            weight = np.maximum(sounding[part], 1e-6)[:, None]
            azimuth, elevation, metres = xyz_to_angles((xyz[part] * weight).sum(axis=0) / weight.sum())
            said = f"{100 * sounding[part].mean():.0f} | {azimuth:.0f} | {elevation:.0f} | {metres:.1f}"
            rows.append(f"{now * ROW_S:g} | {label} | {said}")
    return "\n".join(rows)


def ask_model(table: str, question: Question, model: LanguageModel) -> str:
    """The one of the question's choices that `model` finds likeliest after the `reading_table` and the
    question."""
    import torch

    tokenizer, net = model.tokenizer, model.net
    choices = ", ".join(question.choices)
    prompt = (
        f"What a listener heard:\n{table}\n\n"
        f"Question: {question.text}\nAnswer with one of: {choices}.\nAnswer:"
    )
    start = tokenizer(prompt)["input_ids"]
    scores = []
    for choice in question.choices:
        more = tokenizer(" " + choice, add_special_tokens=False)["input_ids"]
        with torch.inference_mode():
            logits = net(torch.tensor([start + more], device=net.device)).logits[0].float()
        logs = logits[len(start) - 1 : -1].log_softmax(dim=-1)
        scores.append(float(logs[torch.arange(len(more)), more].mean()))  # a long name is not less likely
    return question.choices[int(np.argmax(scores))]
