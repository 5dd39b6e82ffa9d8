"""Systems run over a set, item by item."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.evaluation.items import RATE, HrirSets, Item, load_item
from foleyspace.evaluation.scores import read_places, score
from foleyspace.evaluation.summary import TRUTH, Result
from foleyspace.evaluation.systems import Output, System
from foleyspace.evaluation.understanding import understand
from foleyspace.metrics import direction
from foleyspace.metrics.alignment import aligned
from foleyspace.metrics.frechet import content_vectors, cue_vectors
from foleyspace.metrics.localizer import Localizer, listen, make_localizer
from foleyspace.types import Floats, Samples

logger = logging.getLogger("foleyspace")

Understand = Callable[[Item, Mapping[str, Floats]], dict[str, dict[str, float]]]


def compare(
    folders: Sequence[Path],
    root: Path,
    sets: HrirSets,
    systems: Mapping[str, System],
    audio: Path | None,
    sums: bool = False,
    understanding: Understand = understand,
) -> Iterator[Result]:
    """Evaluate `systems` on the items in `folders`, one after the other; `sums` as in `Item`,
    `understanding` as `understand`.

    `audio`: a folder where what was heard is put as FLAC, one gain an item so that nothing clips. Raises
    `InputError` for a bad item and `FoleyspaceError` for a system that gives no sound of the right shape.
    """
    localizers: dict[int, Localizer] = {}
    for folder in folders:
        item = load_item(folder, root, sets, sums)
        key = id(item.hrirs)
        if key not in localizers:
            localizers[key] = make_localizer(item.hrirs)
        yield _one(item, localizers[key], systems, audio, understanding)


def file_stem(name: str) -> str:
    """An item's or system's name as part of a file name."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name)


def _one(
    item: Item,
    localizer: Localizer,
    systems: Mapping[str, System],
    audio: Path | None,
    understanding: Understand,
) -> Result:
    truth = item.truth.samples.astype(np.float64)
    where = direction.places(item.scene, localizer, listen(localizer, truth, RATE), item.stems)
    sounds, figures = {TRUTH: truth}, {TRUTH: dict[str, float]()}
    for name, system in systems.items():
        output = _checked(name, system, item)
        sounds[name] = aligned(output.binaural.astype(np.float64), truth, RATE)
        figures[name] = score(item, output, sounds[name])
    curves = {}
    for name, sound in sounds.items():
        placed, curves[name] = read_places(sound, localizer, where)
        figures[name] |= placed
    for name, understood in understanding(item, sounds).items():
        figures[name] |= understood
    peak = max(float(np.abs(sound).max()) for sound in sounds.values())
    if audio is not None:
        for name, sound in sounds.items():
            _write(audio / f"{file_stem(item.name)}.{file_stem(name)}.flac", sound / max(peak, 1.0))
    return Result(
        item.name,
        tuple(source.label for source in item.scene.sources),
        figures,
        curves,
        {name: _vectors(sound) for name, sound in sounds.items()},
        peak,
        float(where.has.any(axis=0).mean()),
    )


def _checked(name: str, system: System, item: Item) -> Output:
    try:
        output = system(item)
    except InputError as error:
        raise InputError(f"item {item.name}, system {name}: {error}") from None
    except FoleyspaceError as error:
        raise FoleyspaceError(f"system {name} failed on item {item.name}: {error}") from None
    shape = item.truth.samples.shape
    _check_sound(name, item.name, "binaural sound", output.binaural, shape)
    if output.stems is not None:
        _check_sound(name, item.name, "stems", output.stems, (len(item.scene.sources), shape[1]))
    return output


def _check_sound(name: str, item: str, what: str, sound: Samples, shape: tuple[int, ...]) -> None:
    if np.shape(sound) != shape:
        raise FoleyspaceError(
            f"system {name} gave {what} of shape {np.shape(sound)} for item {item} but must give {shape}"
        )
    if not np.isfinite(sound).all():
        raise FoleyspaceError(f"system {name} gave {what} with NaN or infinite samples for item {item}")


def _vectors(sound: Floats) -> dict[str, Samples]:
    vectors = {"content": content_vectors(sound, RATE), "cues": cue_vectors(sound, RATE)}
    return {
        kind: rows.astype(np.float32) for kind, rows in vectors.items()
    }  # kept until the end: half the memory


def _write(path: Path, sound: Floats) -> None:
    import soundfile

    soundfile.write(path, sound.T.astype(np.float32), RATE, subtype="PCM_24")
