"""How likely an object of a class is to be what one hears, before anything is known about the moment."""

from __future__ import annotations

from functools import lru_cache

from foleyspace.head_noun import kind_of

UNKNOWN_PRIOR = 0.4

# COCO's classes and what else detectors with open vocabularies are asked for. Engines and animals
# sound by themselves; people often; furniture and food only when somebody handles them.
_GROUPS: tuple[tuple[float, str], ...] = (
    (1.0, "car motorcycle airplane bus train truck boat helicopter tractor lawn_mower chainsaw drill"),
    (1.0, "trumpet violin guitar piano drum drum_kit cello flute saxophone accordion trombone harp"),
    (0.9, "bird cat dog horse sheep cow elephant bear rooster goat pig frog insect hair_drier siren"),
    (0.6, "person man woman child crowd moving_object zebra giraffe hammer saw vacuum_cleaner blender"),
    (0.5, "tv cell_phone laptop toilet sink skateboard surfboard bicycle snowboard skis fountain wave"),
    (0.3, "sports_ball baseball_bat tennis_racket frisbee kite clock keyboard remote microwave toaster"),
    (0.3, "train_car stop_sign fire_hydrant umbrella scissors knife fork spoon cup bottle wine_glass bowl"),
    (0.1, "traffic_light parking_meter bench backpack handbag tie suitcase oven refrigerator book mouse"),
    (0.05, "chair couch potted_plant bed dining_table vase teddy_bear toothbrush banana apple sandwich"),
    (0.05, "orange broccoli carrot hot_dog pizza donut cake"),
)
_PRIORS = {name.replace("_", " "): prior for prior, names in _GROUPS for name in names.split()}

ANIMATE = frozenset(
    ["person", "man", "woman", "child", "crowd", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant"]
    + ["bear", "zebra", "giraffe", "rooster", "goat", "pig", "frog", "insect"]
)
VEHICLES = frozenset(
    ["car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "helicopter", "tractor"]
)


@lru_cache(maxsize=4096)  # every glimpse asks
def sound_kind(label: str) -> str | None:
    """The class with a prior that a label is a kind of ("Dogs": dog), or None: what `ANIMATE`, `VEHICLES` and
    all other sets of such classes are to be asked for. "Teddy bear" is a class, and no bear."""
    return kind_of(label, _PRIORS)


def sound_prior(label: str) -> float:
    """In (0, 1]; a word nobody listed gets `UNKNOWN_PRIOR`."""
    kind = sound_kind(label)
    return UNKNOWN_PRIOR if kind is None else _PRIORS[kind]
