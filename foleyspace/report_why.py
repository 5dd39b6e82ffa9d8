"""Why these sources and not others, in plain words, and how to overrule it: for the report's template.

The score of an object is a product of factors (`evidence.py`), so the logarithm of what one has more of
than another says how much that decided: the largest are put into words.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np

from foleyspace.evidence import Evidence
from foleyspace.motion import LABEL as MOVER
from foleyspace.report_map import hex_colours
from foleyspace.types import Floats, Scene, Source, Track

MAX_SOURCES = 12  # cards: a long film has a source or more a shot
MAX_RIVALS = 3
MAX_PHRASES = 3
TELLS = 1.15  # a factor that differs by less decides nothing
SOUNDS = 0.05  # weight from which a moment counts for where the sound is
OFF_MIDDLE = 0.05  # of the box: nearer is the middle
FACTORS = (
    "prior", "affinity", "size", "confidence", "persistence", "motion", "synchrony", "centrality",
)  # fmt: skip
# what an object does that has more of a factor than another, most of all, or less
_WORDS = {
    "prior": ("is likelier to sound at all", "is likeliest to sound at all",
              "is less likely to sound at all"),
    "affinity": ("fits what is {heard} better", "fits what is {heard} best", "fits what is {heard} less"),
    "size": ("is larger", "is largest", "is smaller"),
    "confidence": ("is seen more surely", "is seen most surely", "is seen less surely"),
    "persistence": ("is seen for longer", "is seen longest", "is seen more briefly"),
    "motion": ("moves more", "moves most", "moves less"),
    "synchrony": ("is more in step with the sound", "is most in step with the sound",
                  "is less in step with the sound"),
    "centrality": ("is nearer the middle", "is nearest the middle", "is farther from the middle"),
}  # fmt: skip
MORE, MOST, LESS = range(3)
RATIOS = ("affinity", "synchrony")  # factors that are likelihood ratios: 1 says nothing


def explain(
    scene: Scene,
    tracks: Sequence[Track],
    evidence: Sequence[Evidence],
    cuts: Sequence[float] = (),
    heard: Sequence[tuple[str, float]] = (),
    said: str = "",
    chosen: Sequence[str] = (),
) -> dict[str, Any] | None:
    """What the template shows, or None when there is no evidence.

    `heard`: words with their probability, likeliest first; `said`: the words a person gave in their place;
    `chosen`: ids a person gave. Cards are in order of shots, those with little sound left out when many.
    """
    if not evidence:
        return None
    known = {entry.id: entry for entry in evidence}
    by_id = {track.id: track for track in tracks}
    shares = {source.id: _share(source) for source in scene.sources}
    placed = [source for source in scene.sources if source.id in known]
    shown = sorted(placed, key=lambda s: -shares[s.id] * (known[s.id].end - known[s.id].start))[:MAX_SOURCES]
    colours = hex_colours(scene)
    asked = set(chosen)

    def card(source: Source) -> dict[str, Any]:
        entry = known[source.id]
        rivals = _rivals(entry, evidence, cuts)
        overruled = entry.id in asked
        leader = max(rivals, key=lambda rival: shares.get(rival.id, 0.0), default=entry)
        beside = leader if shares.get(leader.id, 0.0) > shares[entry.id] else None
        listed = [] if beside else rivals[:MAX_RIVALS]
        return {
            "id": entry.id,
            "label": entry.label,
            "colour": colours[source.id],
            "span": f"{entry.start:.1f} to {entry.end:.1f} s",
            "share": f"{shares[source.id]:.0%}",
            "because": "Chosen by you, with --source."
            if overruled
            else _because(entry, rivals, beside, bool(said)),
            "place": _place(entry, by_id.get(entry.id)),
            "rivals": [
                {
                    "id": rival.id,
                    "label": rival.label,
                    "gets": f"{shares[rival.id]:.0%} of the sound" if rival.id in shares else "no sound",
                    "why": _lost(rival, entry, bool(said))
                    if not overruled
                    else "chosen by you too"
                    if rival.id in asked
                    else "set aside, --source names another",
                    "option": _option("source", rival.id),
                }
                for rival in listed
            ],
            "others": 0 if beside else len(rivals) - len(listed),
        }

    cards = [
        card(source)
        for source in sorted(shown, key=lambda s: (_shot(known[s.id].start, cuts), -shares[s.id]))
    ]
    likeliest = sorted(evidence, key=lambda entry: -entry.score)
    example = next((c["rivals"][0]["id"] for c in cards if c["rivals"]), likeliest[0].id)
    names = [*(c["label"] for c in cards), *(word for word, _ in heard), "trumpet"]
    return {
        "heard": [] if said else [{"word": word, "p": f"{p:.0%}"} for word, p in heard],
        "said": said,
        "sources": cards,
        "more": len(placed) - len(shown),
        "nobody": []
        if placed
        else [
            {
                "id": entry.id,
                "label": entry.label,
                "why": _weak(entry),
                "option": _option("source", entry.id),
            }
            for entry in likeliest[:MAX_RIVALS]
        ],
        "by_source": _option("source", example),
        "by_sound": _option("sound", next(name for name in names if name != MOVER)),
    }


def _share(source: Source) -> float:
    """How much of the sound is a source's own while it is seen (amplitude)."""
    seen = np.asarray(source.visible)
    gain = 10 ** (np.asarray(source.gain_db) / 20)
    return float(min(1.0, gain[seen].mean())) if seen.any() else 0.0


def _rivals(entry: Evidence, evidence: Sequence[Evidence], cuts: Sequence[float]) -> list[Evidence]:
    """What was seen at the same time in the same shot, the best first."""
    return sorted(
        (
            other
            for other in evidence
            if other.id != entry.id
            and _shot(other.start, cuts) == _shot(entry.start, cuts)
            and min(other.end, entry.end) > max(other.start, entry.start)
        ),
        key=lambda other: -other.score,
    )


def _shot(start: float, cuts: Sequence[float]) -> int:
    return int(np.searchsorted(np.asarray(cuts, np.float64), start + 1e-6, side="right"))


def _because(entry: Evidence, rivals: Sequence[Evidence], beside: Evidence | None, said: bool) -> str:
    """One sentence; `beside`: another object that gets more of the sound at the same time."""
    reasons = _stronger(entry, rivals, said) if rivals else _alone(entry, said)
    if entry.handled and not any(_in_hands(entry, rival) for rival in rivals):
        reasons.insert(0, "a person handles it and leaves the sound to it")
    if not rivals:
        reasons.append("nothing else is seen at that time")
    elif not reasons:
        reasons.append(f"about as much speaks for it as for {rivals[0].id}")
    text = f"Sounds too, beside {beside.id}: " if beside else "Chosen: "
    text += ", ".join(reasons)
    if rivals and (weaker := _telling(rivals[0], entry)):
        text += f"; though it {_phrase(weaker[0], entry, LESS, said)} than {rivals[0].id}"
    return text + "."


def _alone(entry: Evidence, said: bool) -> list[str]:
    """What speaks for an object that has nobody to be compared with."""
    return [_phrase(name, entry, MORE, said) for name in RATIOS if getattr(entry, name) > TELLS]


def _stronger(entry: Evidence, rivals: Sequence[Evidence], said: bool) -> list[str]:
    """What an object has more of than its strongest rival, the first of `rivals`, the most telling first."""
    told = []
    for name in _telling(entry, rivals[0])[:MAX_PHRASES]:
        most = len(rivals) > 1 and all(getattr(entry, name) > getattr(r, name) for r in rivals)
        told.append(_phrase(name, entry, MOST if most else MORE, said))
    alike = _phrase("affinity", entry, MORE, said)  # worth saying where a rival of the same class has it too
    return [*told, alike] if entry.affinity > TELLS and alike not in told else told


def _telling(more: Evidence, less: Evidence) -> list[str]:
    """The factors that speak for `more` against `less`, those that do so most first."""
    ratio = {n: math.log(max(getattr(more, n), 1e-6) / max(getattr(less, n), 1e-6)) for n in FACTORS}
    return [n for n in sorted(FACTORS, key=lambda n: -ratio[n]) if ratio[n] > math.log(TELLS)]


def _lost(rival: Evidence, winner: Evidence, said: bool) -> str:
    """Why a rival got less than the winner: where it is weakest, and what it is better at."""
    reasons = [
        f"{_phrase(name, rival, LESS, said)} ({_value(name, rival)} against {_value(name, winner)})"
        for name in _telling(winner, rival)[:MAX_PHRASES]
    ]
    if _in_hands(rival, winner):
        reasons.insert(0, "is in the person's hands, where the sound is placed")
    elif not rival.handled and rival.score < 0.99 * _product(rival):
        reasons.insert(0, "leaves the sound to what they handle")
    if not reasons:
        reasons.append("about as much speaks for it")
    more = [_phrase(name, rival, MORE, said) for name in _telling(rival, winner)[:1]]
    return ", ".join(reasons) + (f"; though it {more[0]}" if more else "")


def _in_hands(thing: Evidence, person: Evidence) -> bool:
    """Whether the sound of a thing stays with the person who holds it (`handling.hand_over`)."""
    return thing.handled and person.held is not None and thing.score < person.score


def _weak(entry: Evidence) -> str:
    """The factors that count least for an object nobody competed with."""
    low = sorted(FACTORS, key=lambda name: getattr(entry, name))[:2]
    return "too little speaks for it: " + ", ".join(f"{_HEADS[name]} {_value(name, entry)}" for name in low)


_HEADS = {
    "prior": "class", "affinity": "heard", "size": "size", "confidence": "confidence",
    "persistence": "persistence", "motion": "motion", "synchrony": "in step", "centrality": "centrality",
}  # fmt: skip


def _product(entry: Evidence) -> float:
    """The score before things took it over from people."""
    return math.prod(float(getattr(entry, name)) for name in FACTORS)


def _phrase(name: str, entry: Evidence, which: int, said: bool) -> str:
    verb = "said" if said else "heard"
    figure = f" ({_value(name, entry)})" if name in RATIOS and which != LESS else ""
    if name == "affinity" and which != LESS and entry.affinity > TELLS:
        article = "an" if entry.label[:1].lower() in "aeiou" else "a"
        return f"{article} {entry.label} sounds like what is {verb}{figure}"
    return _WORDS[name][which].format(heard=verb) + figure


def _value(name: str, entry: Evidence) -> str:
    value = f"{getattr(entry, name):.2g}"
    return f"x{value}" if name in RATIOS else value


def _place(entry: Evidence, track: Track | None) -> list[str]:
    """Where on the object the sound was put, why there, and how sure that is."""
    lines = []
    if entry.held is not None:
        lines.append(f"Something is seen in this person's hands, {_offset(np.array(entry.held))}.")
    if track is None:
        return lines
    loud = track.sounding > SOUNDS if (track.sounding > SOUNDS).any() else np.ones(len(track.times), bool)
    low, high = track.xyxy[loud, :2], track.xyxy[loud, 2:]
    mean = ((track.focus_xy[loud] - (low + high) / 2) / np.maximum(high - low, 1e-6)).mean(axis=0)
    line = f"The sound is placed {_offset(mean)}"
    if track.focus_std is not None:
        line += f", sure to ±{100 * float(np.median(track.focus_std[loud, 0])):.1f} % of the picture's width"
    return [*lines, line + "."]


def _offset(mean: Floats) -> str:
    """Offset (2,) in box sizes, in words."""
    across, down = float(mean[0]), float(mean[1])
    parts = []
    if abs(across) > OFF_MIDDLE:
        parts.append(f"{abs(across):.0%} of the width {'left' if across < 0 else 'right'} of")
    if abs(down) > OFF_MIDDLE:
        parts.append(f"{abs(down):.0%} of the height {'above' if down < 0 else 'below'}")
    return " and ".join(parts) + " the middle of the box" if parts else "in the middle of the box"


def _option(name: str, value: str) -> str:
    return f"--{name} {shlex.quote(value)}"
