"""What is compared: functions from an item to binaural sound, by the names the command line gives them.

mono                          the mono sound at both ears
hrir                          naive: the whole mixture rendered at every place, averaged
diffusion[:KEY=VALUE,...]     the shipped spatializer; keys steps, guidance, rounds, weights
words[:KEY=VALUE,...]         the same, told in words where the sounds are: the caption, read back;
                              keys sides=swapped mirrors what is said, precision=degrees says degrees,
                              style=dense says where all are in every second
foleyspace:weights=FILE,...   the DiffWave baseline; keys weights, steps
tas:weights=FILE,...          the baselines by words, told the item's caption, which take the mono sound for
tasu:weights=FILE,...         the sum of the ears; keys weights, steps, guidance
NAME=FOLDER                   ready files FOLDER/ITEM.wav or .flac
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from foleyspace.caption import Style
from foleyspace.captioning.words import Precision
from foleyspace.errors import InputError
from foleyspace.evaluation.items import Item, check_sound, read_sound
from foleyspace.types import Samples

if TYPE_CHECKING:
    from foleyspace.spatializer.inference import SeparatorOptions


@dataclass(frozen=True)
class Output:
    """What a system made of an item: `binaural` (2, n) and, where it takes the mixture apart and the item
    can say how well, `stems` (S, n)."""

    binaural: Samples
    stems: Samples | None = None


System = Callable[[Item], Output]

_SEPARATOR: dict[str, type] = {"steps": int, "guidance": float, "rounds": int, "weights": str}
KEYS: dict[str, dict[str, type]] = {
    "diffusion": _SEPARATOR,
    "words": {**_SEPARATOR, "sides": str, "precision": str, "style": str},
    "foleyspace": {"steps": int, "weights": str},
    "tas": {"steps": int, "guidance": float, "weights": str},
    "tasu": {"steps": int, "guidance": float, "weights": str},
}


def named_systems(
    specs: Sequence[str],
    items: Mapping[str, int],
    *,
    steps: int | None = None,
    guidance: float | None = None,
    weights: str = "auto",
    device: str = "auto",
    seed: int = 0,
    offline: bool = False,
) -> dict[str, System]:
    """The systems that `specs` name, in order; what a spec does not say the options say. `items`: their
    names and lengths in samples, to see that ready files are all there and fit. Raises
    `InputError` for what is no system."""
    systems: dict[str, System] = {}
    for spec in specs:
        name, equals, folder = spec.partition("=")
        system: System
        if equals and ":" not in name:
            system = functools.partial(_ready, paths=_ready_paths(name, Path(folder), items))
        elif spec in ("mono", "hrir"):
            name, system = spec, {"mono": mono_twice, "hrir": naive_render}[spec]
        elif spec.partition(":")[0] in ("diffusion", "words"):
            options = {"steps": steps, "guidance": guidance, "weights": weights, **_options(spec)}
            options |= {"device": device, "seed": seed, "offline": offline}
            sides, precision = options.pop("sides", "kept"), options.pop("precision", "words")
            if sides not in ("kept", "swapped"):
                raise InputError(f"system {spec!r}: `sides` is {sides!r} but must be kept or swapped")
            if precision not in get_args(Precision):
                raise InputError(
                    f"system {spec!r}: `precision` must be one of {', '.join(get_args(Precision))}"
                )
            style = options.pop("style", "sentence")
            if style not in get_args(Style):
                raise InputError(f"system {spec!r}: `style` must be one of {', '.join(get_args(Style))}")
            separator_options(options)  # what is wrong is found before what takes long
            name, system = spec, functools.partial(diffusion, options=options)
            if spec.startswith("words"):
                said = {"swapped": sides == "swapped", "precision": precision, "style": style}
                system = functools.partial(words, options=options, **said)
        elif spec.partition(":")[0] in ("foleyspace", "tas", "tasu"):
            kind, options = spec.partition(":")[0], _options(spec)
            if "weights" not in options:
                raise InputError(f"system {kind} needs weights: {kind}:weights=FILE.safetensors")
            made = _baseline if kind == "foleyspace" else functools.partial(_by_words, kind)
            name, system = _short(spec), made(options, device, seed)
            if name in systems:  # another of its kind: told apart by its file
                name = f"{name} ({Path(options['weights']).stem})"
        else:
            raise InputError(
                f"system {spec!r} is unknown: mono, hrir, diffusion[:steps=N,guidance=G,rounds=R,weights=W], "
                "words, "
                "foleyspace:weights=W, tas:weights=W, tasu:weights=W or NAME=FOLDER"
            )
        if name in systems or name == "truth" or not name:
            raise InputError(f"system {name!r} is given twice, or is a name that cannot be used")
        systems[name] = system
    if not systems:
        raise InputError("`systems` is empty but must name one system or more")
    return systems


def mono_twice(item: Item) -> Output:
    """Both ears get the mono sound."""
    return Output(np.repeat(item.mono.samples, 2, axis=0) / np.float32(2 if item.sums else 1))


def naive_render(item: Item) -> Output:
    """The whole mixture at the place of every source, averaged: all that a renderer alone can do."""
    from foleyspace.renderer import render
    from foleyspace.spatializer.difference import difference, keep_sum

    sources, mono = item.scene.sources, item.mono.samples[0]
    if not item.sums:
        return Output(render(item.mono, item.scene, item.hrirs).samples / np.float32(len(sources)))
    alone = (replace(item.scene, sources=(source,)) for source in sources)
    apart = [difference(mono, render(item.mono, scene, item.hrirs).samples) for scene in alone]
    return Output(keep_sum(mono, np.mean(apart, axis=0)))


def separator_options(options: dict[str, Any]) -> SeparatorOptions:
    """Those that are stated. Raises `InputError` for values that cannot be."""
    from foleyspace.spatializer.inference import SeparatorOptions

    return SeparatorOptions(**{name: value for name, value in options.items() if value is not None})


def diffusion(item: Item, options: dict[str, Any]) -> Output:
    """The shipped spatializer; its stems go along where the item has some to compare them with."""
    from foleyspace.spatializer.inference import place, separate, spatialize_mixture

    stated = separator_options(options)
    if item.sums:
        made = spatialize_mixture(item.mono, item.scene, item.hrirs, stated, mono_compatible=True)
        return Output(made.samples)
    stems = separate(item.mono, item.scene, stated)
    return Output(place(stems, item.scene, item.hrirs).samples, None if item.stems is None else stems)


def words(
    item: Item, options: dict[str, Any], swapped: bool, precision: Precision, style: Style = "sentence"
) -> Output:
    """`diffusion` by the words of the scene's caption (`foleyspace.caption`), `swapped` by its mirror image:
    what is left of a scene when it is said and read again."""
    from foleyspace.caption import caption
    from foleyspace.prompt import read_prompt

    said = caption(item.scene, style=style, seed=options["seed"], precision=precision)
    scene = read_prompt(said, item.scene.duration).scene
    if swapped:
        mirrored = [replace(source, xyz=source.xyz * [1, -1, 1]) for source in scene.sources]
        scene = replace(scene, sources=tuple(mirrored))
    return diffusion(replace(item, scene=scene, stems=None), {**options, "prompt": said})


def _baseline(options: dict[str, Any], device: str, seed: int) -> System:
    """FoleySpace's formulation: it knows one head only and gets no HRIR set. Steps are its own."""
    from foleyspace.files import check_input

    weights = check_input(options["weights"], "weights")
    more = {"seed": seed} | ({"steps": options["steps"]} if "steps" in options else {})

    @functools.lru_cache(maxsize=1)
    def load() -> Any:
        from foleyspace.spatializer.baseline import BaselineSystem

        return BaselineSystem(weights, device)

    def system(item: Item) -> Output:
        return Output(load().spatialize(item.mono, item.scene, **more).samples)

    return system


def _by_words(kind: str, options: dict[str, Any], device: str, seed: int) -> System:
    """TAS's and TASU's formulations: no places and no HRIR set, only a caption of the scene."""
    from foleyspace.files import check_input

    weights = check_input(options["weights"], "weights")
    more = {"seed": seed} | {key: options[key] for key in ("steps", "guidance") if key in options}

    @functools.lru_cache(maxsize=1)
    def load() -> tuple[Any, str]:
        from safetensors import safe_open

        from foleyspace.spatializer.tas import TasSystem
        from foleyspace.spatializer.tasu import TasuSystem

        made = {"tas": TasSystem, "tasu": TasuSystem}[kind](weights, device)
        with safe_open(str(weights), framework="numpy") as file:
            return made, file.metadata().get("text", "minilm")

    def system(item: Item) -> Output:
        from foleyspace.caption import caption
        from foleyspace.text_encoder import encode

        made, encoder = load()
        said = caption(item.scene, seed=seed)
        return Output(made.spatialize(item.mono, encode([said], encoder)[0], **more).samples)

    return system


def _ready_paths(name: str, folder: Path, items: Mapping[str, int]) -> dict[str, Path]:
    if not folder.is_dir():
        raise InputError(f"system {name}: {folder} does not exist or is no folder")
    paths = {}
    for item, length in items.items():
        both = [folder / f"{item}{suffix}" for suffix in (".wav", ".flac")]
        there = [path for path in both if path.is_file()]
        if not there:
            raise InputError(f"system {name} lacks a file for item {item}: {both[0]}")
        check_sound(there[0], 2, length)
        paths[item] = there[0]
    return paths


def _ready(item: Item, paths: dict[str, Path]) -> Output:
    return Output(read_sound(paths[item.name], 2, item.truth.samples.shape[1]).samples)


def _options(spec: str) -> dict[str, Any]:
    """The `KEY=VALUE,...` after the colon."""
    kind, _, rest = spec.partition(":")
    options: dict[str, Any] = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if not equals or key not in KEYS[kind]:
            raise InputError(f"system {spec!r}: {part!r} must be one of {', '.join(KEYS[kind])} = a value")
        try:
            options[key] = KEYS[kind][key](value)
        except ValueError:
            raise InputError(f"system {spec!r}: `{key}` is {value!r} but must be a number") from None
    return options


def _short(spec: str) -> str:
    """`foleyspace:weights=/long/path/w.safetensors,steps=6` without the folders."""
    kind, _, rest = spec.partition(":")
    others = [part for part in rest.split(",") if part and not part.startswith("weights=")]
    return ":".join(filter(None, (kind, ",".join(others))))
