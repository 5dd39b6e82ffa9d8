"""A scene in words: one sentence, line by line over time, or in the manner of the two benchmarks of
text-guided spatialization (TASBench: who sounds where, from left to right; SpatialTAS and its audio
question answering: direction, elevation, distance, relative position). The words are those that
`foleyspace.prompt.read_prompt` reads back; which of the many ways to say a thing is drawn by the seed.

    >>> from foleyspace.types import Scene, Source
    >>> scene = Scene((Source("1", "dog barking", [0.0], [[0.0, 2.0, 0.0]]),), duration=5.0)
    >>> caption(scene, seed=3)  # doctest: +SKIP
    'A dog is barking on the left.'
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, get_args

import numpy as np

from foleyspace.captioning.clauses import clause, leg_said, place
from foleyspace.captioning.labels import Named, named, pronoun
from foleyspace.captioning.path import Leg, leg_between, legs, sounding_spans
from foleyspace.captioning.words import Precision, pick, span
from foleyspace.errors import InputError
from foleyspace.types import Scene, Source

Style = Literal["sentence", "dense", "tasbench", "spatialtas"]
SLICE_S = 1.0
MAX_SLICES = 20_000
NOTHING = "Nothing sounds."
NEXT_TO_DEG = (15.0, 45.0)  # so far apart, one is said to be to the left of the other
FURTHER = (1.5, 3.0)  # so many times as far


def caption(
    scene: Scene,
    *,
    style: Style = "sentence",
    seed: int = 0,
    slice_s: float | None = None,
    precision: Precision = "words",
) -> str:
    """The scene in words.

    `style`: "sentence": who is where and who moves how, in one sentence; "dense": a line for every `slice_s`
    (default 1 s) with who sounds where; "tasbench": a sentence for every slice, from left to right, the
    slices `slice_s` long or, without it, as long as everyone goes on as before; "spatialtas": a sentence for
    every source with direction, elevation, distance and, where it can be told, its place by another.
    `precision`: "words" where a word is true to 7.5 degrees, else degrees or a clock position; or always
    "degrees" or "clock"; "mixed" draws. A way of more than four legs, and more than four stretches of sound,
    are simplified except in "dense".

    Raises `InputError` for an unknown style or precision and for a slice that is no positive time.
    """
    _check(style, seed, slice_s, precision)
    if style == "dense":
        return _dense(scene, slice_s or SLICE_S, seed, precision)
    if style == "tasbench":
        return _tasbench(scene, slice_s, seed, precision)
    if style == "spatialtas":
        return _spatialtas(scene, seed, precision)
    said = [_source_clause(source, scene, seed, i, precision) for i, source in enumerate(scene.sources)]
    return _sentence([words for words in said if words], np.random.default_rng([seed, len(said)]))


def source_caption(source: Source, scene: Scene, *, seed: int = 0, precision: Precision = "words") -> str:
    """One source of the scene in one sentence: "A car drives from the left to the right." """
    _check("sentence", seed, None, precision)
    index = next((i for i, other in enumerate(scene.sources) if other is source), 0)
    said = _source_clause(source, scene, seed, index, precision)
    return _finished(said) if said else NOTHING


def _check(style: str, seed: int, slice_s: float | None, precision: str) -> None:
    for name, value, accepted in (("style", style, Style), ("precision", precision, Precision)):
        if value not in get_args(accepted):
            raise InputError(f"`{name}` is {value!r} but must be one of {', '.join(get_args(accepted))}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"`seed` is {seed!r} but must be a whole number from 0 up")
    if slice_s is not None and not (math.isfinite(slice_s) and slice_s >= 0.1):
        raise InputError(f"`slice` is {slice_s!r} but must be 0.1 seconds or more")


def _source_clause(source: Source, scene: Scene, seed: int, index: int, precision: Precision) -> str:
    way = legs(source, scene.duration)
    rng = np.random.default_rng([seed, index])
    return clause(named(source.label), way, scene.duration, rng, precision) if way else ""


def _sentence(clauses: list[str], rng: np.random.Generator) -> str:
    if not clauses:
        return NOTHING
    if len(clauses) == 1:
        return _finished(clauses[0])
    if len(clauses) == 2 and not any(", then " in words for words in clauses):
        return _finished(pick(("; ", ", while ", ", and "), rng).join(clauses))
    if any("," in words for words in clauses) or rng.random() < 0.5:
        return _finished("; ".join(clauses))
    return _finished(_listed(clauses))


def _listed(clauses: list[str]) -> str:
    return clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])} and {clauses[-1]}"


def _finished(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _dense(scene: Scene, slice_s: float, seed: int, precision: Precision) -> str:
    lines = []
    slices = _even(scene.duration, slice_s)
    for (start, end), said in zip(slices, _slice_clauses(scene, slices, seed, precision), strict=True):
        lines.append(f"{start:g}-{end:g} s: {_finished('; '.join(said)) if said else NOTHING}")
    return "\n".join(lines)


def _tasbench(scene: Scene, slice_s: float | None, seed: int, precision: Precision) -> str:
    sentences = []
    rng = np.random.default_rng([seed, 0])
    slices = _even(scene.duration, slice_s) if slice_s else _natural_slices(scene)
    for (start, end), said in zip(slices, _slice_clauses(scene, slices, seed, precision), strict=True):
        if not said:
            continue
        when = span(start, end, scene.duration, rng)
        joined = "; ".join(said) if any("," in words for words in said) else _listed(said)
        sentences.append(_finished(f"{when}, {joined}" if when else joined))
    return " ".join(sentences) or NOTHING


def _slice_clauses(
    scene: Scene, slices: list[tuple[float, float]], seed: int, precision: Precision
) -> Iterator[list[str]]:
    """For each slice who sounds where in it, from left to right."""
    cast = [(source, named(source.label), sounding_spans(source, scene.duration)) for source in scene.sources]
    for number, (start, end) in enumerate(slices):
        heard: list[tuple[float, str]] = []
        for index, (source, name, spans) in enumerate(cast):
            inside = _most_inside(spans, start, end)
            if inside is None:
                continue
            leg = leg_between(source, *inside)
            rng = np.random.default_rng([seed, number, index])
            flat = math.cos(math.radians(leg.elevation_deg[1]))
            across = math.sin(math.radians(leg.mean_azimuth_deg)) * flat
            heard.append((-across, leg_said(name, leg, rng, precision)))
        yield [words for _, words in sorted(heard, key=lambda pair: pair[0])]


def _most_inside(spans: list[tuple[float, float]], start: float, end: float) -> tuple[float, float] | None:
    """The longest part of a sounding span in a slice; None where nothing fills half of the slice, or has
    half of itself in it."""
    parts = [
        (max(first, start), min(last, end))
        for first, last in spans
        if min(last, end) - max(first, start) >= min(end - start, last - first) / 2 - 1e-9
    ]
    return max(parts, key=lambda part: part[1] - part[0], default=None)


def _even(duration: float, slice_s: float) -> list[tuple[float, float]]:
    if duration / slice_s > MAX_SLICES:
        raise InputError(
            f"`slice` is {slice_s:g} s but must be {duration / MAX_SLICES:.3g} s or more for {duration:g} s"
        )
    edges = [round(i * slice_s, 6) for i in range(math.ceil(round(duration / slice_s, 6)))]
    return list(pairwise([*edges, round(duration, 6)]))


def _natural_slices(scene: Scene) -> list[tuple[float, float]]:
    """Slices in which everyone goes on as before: cut where a leg of anyone begins or ends."""
    edges = {0.0, scene.duration}
    edges |= {
        t
        for source in scene.sources
        for leg in legs(source, scene.duration)
        for t in (leg.start_s, leg.end_s)
    }
    cuts = [0.0]
    for edge in sorted(edges):
        if edge - cuts[-1] >= 0.3 and scene.duration - edge >= 0.3:
            cuts.append(edge)
    return list(pairwise([*cuts, scene.duration]))


def _spatialtas(scene: Scene, seed: int, precision: Precision) -> str:
    ways = [legs(source, scene.duration) for source in scene.sources]
    names = [named(source.label) for source in scene.sources]
    sentences = []
    for index, (name, way) in enumerate(zip(names, ways, strict=True)):
        if not way:
            continue
        rng = np.random.default_rng([seed, index])
        if not _stands(way):
            sentences.append(_finished(clause(name, way, scene.duration, rng, precision)))
            continue
        there = place(way[0], rng, precision, far_always=True)
        come = "come" if name.plural else "comes"
        opening = pick(
            ("the sound of {} comes from {}", f"{{}} {come} from {{}}", "{} can be heard from {}"), rng
        )
        when = span(way[0].start_s, way[0].end_s, scene.duration, rng)
        said = opening.format(name.phrase, there.noun) + there.more + (f", {when}" if when else "")
        related = _related(index, ways, names, rng)
        be = "are" if name.plural else "is"
        sentences.append(_finished(f"{said}; {pronoun(name)} {be} {related}" if related else said))
    return " ".join(sentences) or NOTHING


def _related(index: int, ways: list[tuple[Leg, ...]], names: list[Named], rng: np.random.Generator) -> str:
    """Where a still source is by another still one, named before it and alone with its name, or ""."""
    own = ways[index][0]
    told = []
    for way, name in zip(ways[:index], names[:index], strict=True):
        alone = sum(_known_as(n) == _known_as(name) for n in names) == 1
        if not (alone and _stands(way)):
            continue
        its = way[0]
        the = _known_as(name)
        apart = own.mean_azimuth_deg - its.mean_azimuth_deg
        in_front = max(abs(own.mean_azimuth_deg), abs(its.mean_azimuth_deg)) <= 90
        level = not (own.overhead or its.overhead)
        if level and in_front and NEXT_TO_DEG[0] <= abs(apart) <= NEXT_TO_DEG[1]:
            told.append(f"{'left' if apart > 0 else 'right'} of {the}")
        ratio = own.distance_m[1] / its.distance_m[1]
        if FURTHER[0] <= ratio <= FURTHER[1]:
            told.append(f"further away than {the}")
        elif FURTHER[0] <= 1 / ratio <= FURTHER[1]:
            told.append(f"closer than {the}")
    return pick(tuple(told), rng) if told else ""


def _stands(way: tuple[Leg, ...]) -> bool:
    """In one place all the time it sounds."""
    if len(way) != 1 or way[0].around:
        return False
    return not (way[0].turns or way[0].nearing or way[0].rising)


def _known_as(name: Named) -> str:
    if name.subject.startswith('"'):
        return name.subject
    return "the " + name.subject.removeprefix("a ").removeprefix("an ")
