"""How large things usually are: what turns a box on the screen into metres with the pinhole model.

Heights and lengths are rounded typical adult or production values (animals at their back or head as a
detector boxes them; vehicles from makers' data sheets). They are priors: an individual object is
often 20 % off, and so is its distance.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Size(NamedTuple):
    """`height_m`, and the `width_m` a box of it can have: from the narrow view to the widest one
    (a car from the front and from the side). `turns`: held or laid in any direction, so that only
    its longest extent (the box diagonal, `width_m[1]`) says something."""

    height_m: float
    width_m: tuple[float, float]
    turns: bool = False


def _any(length_m: float) -> Size:
    return Size(length_m, (0.1 * length_m, length_m), turns=True)


SIZES: dict[str, Size] = {
    # the 80 classes of COCO
    "person": Size(1.70, (0.40, 0.95)),
    "bicycle": Size(1.05, (0.55, 1.75)),
    "car": Size(1.50, (1.80, 4.60)),
    "motorcycle": Size(1.15, (0.80, 2.15)),
    "airplane": Size(9.0, (12.0, 36.0)),
    "bus": Size(3.10, (2.55, 12.0)),
    "train": Size(4.00, (3.0, 200.0)),
    "truck": Size(3.20, (2.50, 12.0)),
    "boat": Size(2.20, (1.80, 8.0)),
    "traffic light": Size(0.90, (0.30, 0.45)),
    "fire hydrant": Size(0.75, (0.30, 0.50)),
    "stop sign": Size(0.75, (0.60, 0.75)),
    "parking meter": Size(1.40, (0.20, 0.35)),
    "bench": Size(0.85, (0.60, 1.80)),
    "bird": Size(0.22, (0.12, 0.45)),
    "cat": Size(0.30, (0.18, 0.55)),
    "dog": Size(0.55, (0.25, 0.85)),
    "horse": Size(1.65, (0.60, 2.40)),
    "sheep": Size(0.85, (0.45, 1.30)),
    "cow": Size(1.45, (0.70, 2.40)),
    "elephant": Size(3.00, (1.80, 5.50)),
    "bear": Size(1.10, (0.70, 2.00)),
    "zebra": Size(1.45, (0.55, 2.30)),
    "giraffe": Size(4.60, (0.90, 3.20)),
    "backpack": Size(0.48, (0.30, 0.40)),
    "umbrella": Size(0.70, (0.80, 1.05)),
    "handbag": Size(0.30, (0.20, 0.40)),
    "tie": Size(0.50, (0.06, 0.12)),
    "suitcase": Size(0.65, (0.28, 0.48)),
    "frisbee": _any(0.27),
    "skis": _any(1.70),
    "snowboard": _any(1.50),
    "sports ball": Size(0.22, (0.22, 0.24)),
    "kite": _any(1.40),
    "baseball bat": _any(0.85),
    "baseball glove": Size(0.28, (0.20, 0.30)),
    "skateboard": _any(0.80),
    "surfboard": _any(2.00),
    "tennis racket": _any(0.68),
    "bottle": Size(0.26, (0.07, 0.10)),
    "wine glass": Size(0.20, (0.07, 0.10)),
    "cup": Size(0.10, (0.08, 0.13)),
    "fork": _any(0.19),
    "knife": _any(0.24),
    "spoon": _any(0.18),
    "bowl": Size(0.09, (0.16, 0.24)),
    "banana": _any(0.20),
    "apple": Size(0.075, (0.07, 0.08)),
    "sandwich": Size(0.07, (0.12, 0.18)),
    "orange": Size(0.075, (0.07, 0.08)),
    "broccoli": Size(0.15, (0.12, 0.16)),
    "carrot": _any(0.18),
    "hot dog": _any(0.16),
    "pizza": Size(0.10, (0.28, 0.34)),
    "donut": Size(0.05, (0.09, 0.10)),
    "cake": Size(0.12, (0.20, 0.30)),
    "chair": Size(0.90, (0.45, 0.65)),
    "couch": Size(0.85, (0.90, 2.20)),
    "potted plant": Size(0.50, (0.25, 0.50)),
    "bed": Size(0.80, (1.40, 2.20)),
    "dining table": Size(0.75, (0.80, 1.80)),
    "toilet": Size(0.75, (0.38, 0.70)),
    "tv": Size(0.62, (0.30, 1.10)),
    "laptop": Size(0.24, (0.25, 0.36)),
    "mouse": Size(0.04, (0.06, 0.11)),
    "remote": _any(0.18),
    "keyboard": Size(0.14, (0.15, 0.44)),
    "cell phone": _any(0.155),
    "microwave": Size(0.30, (0.35, 0.52)),
    "oven": Size(0.90, (0.60, 0.65)),
    "toaster": Size(0.20, (0.18, 0.32)),
    "sink": Size(0.22, (0.40, 0.60)),
    "refrigerator": Size(1.75, (0.60, 0.90)),
    "book": Size(0.24, (0.16, 0.32)),
    "clock": Size(0.30, (0.28, 0.32)),
    "vase": Size(0.28, (0.12, 0.20)),
    "scissors": _any(0.18),
    "teddy bear": Size(0.35, (0.22, 0.35)),
    "hair drier": Size(0.22, (0.10, 0.24)),
    "toothbrush": _any(0.18),
    # people and parts of them, as open-vocabulary detectors are asked for
    "child": Size(1.15, (0.30, 0.70)),
    "baby": Size(0.60, (0.30, 0.65)),
    "face": Size(0.23, (0.15, 0.20)),
    "head": Size(0.26, (0.16, 0.22)),
    "mouth": Size(0.03, (0.05, 0.06)),
    "hand": Size(0.18, (0.08, 0.18)),
    # instruments
    "guitar": _any(1.00),
    "ukulele": _any(0.55),
    "banjo": _any(0.95),
    "violin": _any(0.60),
    "cello": Size(1.20, (0.40, 0.60)),
    "double bass": Size(1.80, (0.60, 0.80)),
    "harp": Size(1.75, (0.55, 1.00)),
    "piano": Size(1.05, (0.65, 1.50)),
    "grand piano": Size(1.30, (1.50, 2.20)),
    "accordion": Size(0.45, (0.25, 0.60)),
    "trumpet": _any(0.50),
    "trombone": _any(1.20),
    "french horn": Size(0.50, (0.35, 0.55)),
    "tuba": Size(0.95, (0.45, 0.60)),
    "saxophone": _any(0.70),
    "clarinet": _any(0.66),
    "oboe": _any(0.63),
    "bassoon": _any(1.35),
    "flute": _any(0.67),
    "recorder": _any(0.32),
    "harmonica": _any(0.11),
    "bagpipe": Size(0.80, (0.40, 0.90)),
    "drum": Size(0.40, (0.35, 0.60)),
    "drum kit": Size(1.20, (1.20, 1.90)),
    "cymbal": _any(0.45),
    "xylophone": Size(0.85, (0.70, 1.50)),
    "bell": Size(0.25, (0.15, 0.25)),
    "gong": Size(0.80, (0.30, 0.80)),
    "microphone": _any(0.20),
    "loudspeaker": Size(0.50, (0.25, 0.35)),
    "radio": Size(0.20, (0.15, 0.30)),
    "record player": Size(0.16, (0.35, 0.45)),
    # tools and machines
    "hammer": _any(0.33),
    "saw": _any(0.55),
    "drill": _any(0.25),
    "axe": _any(0.75),
    "chainsaw": _any(0.85),
    "lawn mower": Size(0.95, (0.55, 1.50)),
    "vacuum cleaner": Size(0.90, (0.30, 0.50)),
    "sewing machine": Size(0.32, (0.20, 0.42)),
    "typewriter": Size(0.16, (0.25, 0.36)),
    "printer": Size(0.25, (0.35, 0.45)),
    "fan": Size(0.80, (0.35, 0.45)),
    "washing machine": Size(0.85, (0.60, 0.65)),
    "telephone": Size(0.12, (0.16, 0.22)),
    "alarm clock": Size(0.12, (0.10, 0.14)),
    "kettle": Size(0.24, (0.16, 0.24)),
    "blender": Size(0.40, (0.16, 0.22)),
    "gun": _any(0.22),
    "rifle": _any(1.00),
    "firework": Size(30.0, (20.0, 60.0)),
    "door": Size(2.05, (0.10, 0.90)),
    "tractor": Size(2.80, (2.20, 4.50)),
    "excavator": Size(3.00, (2.50, 9.00)),
    "helicopter": Size(3.50, (2.50, 13.0)),
    "drone": Size(0.12, (0.30, 0.45)),
    "tram": Size(3.50, (2.50, 32.0)),
    "van": Size(2.20, (1.95, 5.50)),
    "ambulance": Size(2.60, (2.10, 6.00)),
    "race car": Size(1.10, (1.90, 5.00)),
    "scooter": Size(1.10, (0.60, 1.80)),
    "ship": Size(25.0, (18.0, 150.0)),
    # animals
    "chicken": Size(0.42, (0.22, 0.45)),
    "duck": Size(0.32, (0.20, 0.50)),
    "goose": Size(0.75, (0.35, 0.85)),
    "turkey": Size(0.85, (0.50, 0.95)),
    "pigeon": Size(0.22, (0.14, 0.33)),
    "parrot": Size(0.38, (0.16, 0.40)),
    "owl": Size(0.40, (0.25, 0.45)),
    "eagle": Size(0.80, (0.40, 2.00)),
    "peacock": Size(1.10, (0.60, 2.00)),
    "pig": Size(0.75, (0.45, 1.40)),
    "goat": Size(0.80, (0.35, 1.20)),
    "donkey": Size(1.30, (0.50, 1.90)),
    "deer": Size(1.30, (0.45, 1.80)),
    "wolf": Size(0.80, (0.35, 1.40)),
    "fox": Size(0.40, (0.25, 0.85)),
    "lion": Size(1.10, (0.60, 2.00)),
    "tiger": Size(0.95, (0.55, 2.00)),
    "monkey": Size(0.60, (0.35, 0.60)),
    "kangaroo": Size(1.50, (0.50, 1.20)),
    "rabbit": Size(0.28, (0.16, 0.40)),
    "mouse animal": Size(0.05, (0.04, 0.09)),
    "squirrel": Size(0.22, (0.12, 0.35)),
    "frog": Size(0.07, (0.07, 0.12)),
    "snake": _any(1.20),
    "insect": _any(0.03),
    "whale": Size(3.00, (3.00, 14.0)),
    "dolphin": Size(0.60, (0.50, 2.50)),
    "seal": Size(0.70, (0.60, 1.80)),
}

ALIASES: dict[str, str] = {
    **dict.fromkeys(("man", "woman", "people", "human", "singer", "drummer", "musician"), "person"),
    **dict.fromkeys(("boy", "girl", "kid"), "child"),
    **dict.fromkeys(("infant", "toddler"), "baby"),
    **dict.fromkeys(("bike", "cyclist"), "bicycle"),
    **dict.fromkeys(("motorbike", "moped"), "motorcycle"),
    **dict.fromkeys(("automobile", "taxi", "suv", "vehicle"), "car"),
    **dict.fromkeys(("aeroplane", "plane", "aircraft", "jet"), "airplane"),
    **dict.fromkeys(("lorry", "fire truck", "fire engine", "garbage truck"), "truck"),
    **dict.fromkeys(("locomotive", "steam train", "subway"), "train"),
    **dict.fromkeys(("streetcar", "trolley"), "tram"),
    **dict.fromkeys(("speedboat", "motorboat", "sailboat", "canoe", "kayak"), "boat"),
    **dict.fromkeys(("drums", "drum set", "drumset"), "drum kit"),
    **dict.fromkeys(("rooster", "hen", "cock"), "chicken"),
    **dict.fromkeys(("cockatoo", "macaw"), "parrot"),
    **dict.fromkeys(("puppy", "hound"), "dog"),
    **dict.fromkeys(("kitten",), "cat"),
    **dict.fromkeys(("bull", "ox", "calf", "cattle", "buffalo"), "cow"),
    **dict.fromkeys(("pony", "foal"), "horse"),
    **dict.fromkeys(("lamb", "ram"), "sheep"),
    **dict.fromkeys(("cricket", "bee", "wasp", "mosquito", "fly"), "insect"),
    **dict.fromkeys(("fiddle", "viola"), "violin"),
    **dict.fromkeys(("contrabass",), "double bass"),
    **dict.fromkeys(("lute", "sitar", "bass guitar"), "guitar"),
    **dict.fromkeys(("ball", "basketball", "football", "soccer ball", "volleyball"), "sports ball"),
    **dict.fromkeys(("hair dryer", "hairdryer"), "hair drier"),
    **dict.fromkeys(("sofa",), "couch"),
    **dict.fromkeys(("television", "monitor", "screen"), "tv"),
    **dict.fromkeys(("phone", "smartphone", "mobile phone"), "cell phone"),
    **dict.fromkeys(("motor scooter",), "scooter"),
    **dict.fromkeys(("marimba", "vibraphone", "glockenspiel"), "xylophone"),
    **dict.fromkeys(("sax",), "saxophone"),
    **dict.fromkeys(("handgun", "pistol"), "gun"),
    **dict.fromkeys(("rat",), "mouse animal"),
}


def object_size(label: str) -> Size | None:
    """Typical size of a class by its name, or None.

    Case, hyphens and underscores do not count; plurals and adjectives are taken off ("acoustic
    guitars" is a guitar, "police car" a car).
    """
    words = re.sub(r"[\W_]+", " ", label.lower()).split()
    for start in range(len(words)):  # the head noun stands last in English
        name = " ".join(words[start:])
        for form in (name, name.removesuffix("s"), name.removesuffix("es")):
            found = SIZES.get(ALIASES.get(form, form))
            if found is not None:
                return found
    return None
