"""One item of a dataset: a mixture drawn, placed, and rendered by the deterministic renderer."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from foleyspace import __version__
from foleyspace.camera import xyz_to_angles
from foleyspace.errors import FoleyspaceError, InputError
from foleyspace.renderer import render
from foleyspace.scene import scene_from_dict, scene_to_dict
from foleyspace.spatializer.bands import RATE
from foleyspace.spatializer.dataset import Mixture, draw_count, draw_mixture
from foleyspace.spatializer.shards import write_item
from foleyspace.spatializer.sounds import SoundSet
from foleyspace.types import Audio, Hrirs, Room, Scene, Source

log = logging.getLogger("foleyspace")

PEAK = 0.98  # of the loudest of mono, stems and truth, where it would be above
KNOTS_PER_S = 10
RT60_S, DRR_DB = (0.15, 0.9), (0.0, 18.0)  # of drawn rooms
ATTEMPTS = 20


@dataclass(frozen=True)
class Recipe:
    """What items are made of: `sounds`, HRIR files `sets`; `seconds` an item; `rooms`, `noise`: how often
    (0 to 1) there is a room in the truth, steady noise in the mixture; at most `max_sources`; `seed`."""

    sounds: SoundSet
    sets: tuple[Path, ...]
    seconds: float
    seed: int
    rooms: float
    noise: float
    max_sources: int
    split: str


@dataclass(frozen=True)
class Planned:
    """Item `number` goes to `folder`, has `count` sources and is heard with set `which`."""

    number: int
    folder: Path
    count: int
    which: int


def plan(recipe: Recipe, out: Path, items: int, shard_size: int) -> list[Planned]:
    """All items of a dataset; the first ones are the same however many there are."""
    most = min(recipe.max_sources, len(recipe.sounds.labels))
    planned = []
    for number in range(items):
        rng = np.random.default_rng((recipe.seed, number))
        count, which = draw_count(rng, most), int(rng.integers(len(recipe.sets)))
        shard = out / f"shard_{number // shard_size:03d}"
        planned.append(Planned(number, shard / f"{number:06d}_k{count}", count, which))
    return planned


def make_item(recipe: Recipe, item: Planned) -> None:
    """Draw, render and write one item; the same recipe and number give the same files."""
    rng = np.random.default_rng((recipe.seed, item.number, 1))
    file, hrirs, licence = _usable_set(recipe.sets, item.which)
    mixture = _draw(recipe, item.count, rng)
    scene = _scene(mixture, recipe.seconds, _room(recipe.rooms, rng))
    truth = render([Audio(stem, RATE) for stem in mixture.stems], scene, hrirs).samples
    peaks = [np.abs(truth).max(), np.abs(mixture.stems).max(), np.abs(mixture.stems.sum(axis=0)).max()]
    gain = min(1.0, PEAK / max(float(max(peaks)), 1e-9))
    meta = {
        "hrtf": file.name,
        "K": item.count,
        "hrtf_licence": licence,
        "seconds": recipe.seconds,
        "rt60_s": None if scene.room is None else scene.room.rt60_s,
        "split": recipe.split,
        "phase": "measured",
        "seed": recipe.seed,
        "number": item.number,
        "gain_db": round(20 * float(np.log10(gain)), 3),
        "version": __version__,
        "sources": [_said(mixture, scene, i) for i in range(item.count)],
    }
    write_item(item.folder, mixture.stems * np.float32(gain), truth * np.float32(gain), scene, meta)


def _draw(recipe: Recipe, count: int, rng: np.random.Generator) -> Mixture:
    """A mixture whose sources all sound: a gate may shut one out."""
    length, knots = round(recipe.seconds * RATE), round(recipe.seconds * KNOTS_PER_S) + 1
    for _ in range(ATTEMPTS):
        mixture = draw_mixture(recipe.sounds, count, length, rng, noise=recipe.noise, knots=max(knots, 2))
        if mixture.present.all():
            return mixture
    raise FoleyspaceError(f"{ATTEMPTS} mixtures in a row had a silent source: the sounds are too sparse")


def _room(chance: float, rng: np.random.Generator) -> Room | None:
    drawn, rt60_s, drr_db = rng.random(), rng.uniform(*RT60_S), rng.uniform(*DRR_DB)
    return Room(round(float(rt60_s), 3), round(float(drr_db), 2)) if drawn < chance else None


def _scene(mixture: Mixture, seconds: float, room: Room | None) -> Scene:
    times = np.linspace(0, seconds, mixture.paths.shape[1])
    sources = tuple(
        Source(f"{label.replace(' ', '-')}-{i + 1}", label, times, path)
        for i, (label, path) in enumerate(zip(mixture.labels, mixture.paths, strict=True))
    )
    # rendered as it is written, angles and distances rounded
    return scene_from_dict(scene_to_dict(Scene(sources, seconds, room)))


def _said(mixture: Mixture, scene: Scene, i: int) -> dict[str, Any]:
    sound, (azimuth, _, distance) = mixture.sounds[i], xyz_to_angles(scene.sources[i].xyz)
    return {
        "file": sound.name,
        "label": sound.label,
        "kind": sound.kind,
        "motion": mixture.motions[i],
        "level_db": round(mixture.level_db[i], 2),
        "distance_m": [round(float(f(distance)), 3) for f in (np.min, np.median, np.max)],
        "left": round(float(np.mean(azimuth > 0)), 3),
        "licence": sound.licence,
        "source": sound.source,
    }


def _usable_set(sets: tuple[Path, ...], which: int) -> tuple[Path, Hrirs, str]:
    """Set `which`, or the next one that can be read."""
    for file in (*sets[which:], *sets[:which]):
        loaded = _load_set(file)
        if loaded is not None:
            return file, *loaded
    raise FoleyspaceError("no HRIR set could be read")


@lru_cache(maxsize=4)
def _load_set(file: Path) -> tuple[Hrirs, str] | None:
    from foleyspace.hrir import prepare_hrirs
    from foleyspace.sofa import read_sofa

    try:
        raw = read_sofa(file)
        return prepare_hrirs(raw, RATE), raw.licence
    except InputError as error:
        log.warning("%s is left out: %s", file.name, error)
        return None
