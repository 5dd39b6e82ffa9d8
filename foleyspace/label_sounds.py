"""What things sound like, in words: a detector says "person", a sound says "laughter"."""

from __future__ import annotations

_VOICE = (
    "speech", "male voice", "female voice", "conversation", "laughter", "singing", "shouting", "screaming",
    "crying", "baby cry", "cough", "sneeze", "snoring", "breathing", "grunt",
)  # fmt: skip
_BODY = ("footsteps", "running", "clapping", "applause", "finger snapping", "chewing", "whistling")
_BARK = ("dog", "dog bark", "puppy bark", "growling", "howl")
_BIRD = (
    "bird song", "birds chirping", "birds", "pigeon", "crow caw", "owl hoot", "seagull", "parrot", "rooster",
    "chicken", "duck quack", "goose", "turkey", "woodpecker", "wing flapping",
)  # fmt: skip
_BICYCLE = ("bicycle", "bicycle bell", "bicycle spokes", "bicycle horn")
_CAR = (
    "car",
    "car engine",
    "car horn",
    "car passing by",
    "tire squeal",
    "race car",
    "engine",
    "engine idling",
)
_TRUCK = ("truck", "bus", "engine", "engine idling", "vehicle horn", "car horn", "vehicle motor idle")
_TRAIN = (
    "train", "train horn", "train whistle", "train wheels", "train brakes", "steam locomotive",
    "steam engine", "subway", "tram",
)  # fmt: skip
_AIRPLANE = ("airplane", "jet engine", "jet", "propeller", "helicopter")
_BOAT = ("boat engine", "ship horn", "rowing", "rowing boat", "sailboat")
_BALL = ("bouncing ball", "ball kick", "tennis hit", "basketball bounce", "ping pong")
_SCREEN = ("speech", "music", "male voice", "female voice")
_DRUM = (
    "drum kit",
    "snare drum",
    "bass drum",
    "hand drum",
    "tabla",
    "timpani",
    "conga",
    "djembe",
    "tom drum",
)
_WATER = ("water", "stream", "river", "waterfall", "pouring water", "splash")

LABEL_SOUNDS: dict[str, tuple[str, ...]] = {
    "person": _VOICE + _BODY,
    "baby": ("baby cry", "laughter", "crying"),
    "face": _VOICE,
    "mouth": _VOICE,
    "singer": ("singing", "choir", "humming"),
    "crowd": ("crowd", "cheering", "applause", "conversation", "laughter", "children playing"),
    "dog": _BARK,
    "puppy": _BARK,
    "bird": _BIRD,
    "cat": ("cat meow", "cat purring"),
    "horse": ("horse", "horse neigh", "horse snort", "hooves"),
    "cow": ("cow moo", "cow"),
    "sheep": ("sheep", "sheep bleat", "lamb", "goat bleat"),
    "elephant": ("elephant", "elephant trumpet"),
    "bear": ("bear", "bear growl", "growling"),
    "zebra": ("zebra", "hooves"),
    "giraffe": ("giraffe hum",),
    "bicycle": _BICYCLE,
    "car": _CAR,
    "truck": _TRUCK,
    "bus": _TRUCK,
    "motorcycle": ("motorcycle", "motorbike idle", "engine", "engine idling"),
    "train": _TRAIN,
    "locomotive": _TRAIN,
    "airplane": _AIRPLANE,
    "helicopter": ("helicopter", "propeller"),
    "boat": _BOAT,
    "sports ball": _BALL,
    "tennis racket": ("tennis hit", "ping pong"),
    "baseball bat": ("ball kick", "wood hit", "tennis hit"),
    "skateboard": ("skateboard", "skating", "wheels"),
    "skis": ("skiing", "footstep snow"),
    "snowboard": ("skiing",),
    "surfboard": ("ocean waves", "sea waves", "splash"),
    "frisbee": ("whoosh",),
    "kite": ("wind", "cloth rustling"),
    "clock": ("clock ticking", "clock tick", "clock chime", "alarm clock"),
    "keyboard": ("computer keyboard", "typing", "keyboard"),
    "laptop": ("computer keyboard", "typing"),
    "mouse": ("click",),
    "cell phone": ("telephone ringing", "modern phone", "speech", "music"),
    "tv": _SCREEN,
    "bottle": ("bottle", "plastic bottle", "pouring water", "glass clink", "bottlecap"),
    "wine glass": ("wine glass", "glass clink", "glass breaking"),
    "cup": ("cup drop", "glass clink", "pouring water"),
    "bowl": ("bowl", "dishes"),
    "fork": ("cutlery",),
    "spoon": ("cutlery",),
    "knife": ("knife", "chopping food", "cutlery"),
    "scissors": ("scissors",),
    "toilet": ("toilet flush", "flush"),
    "toothbrush": ("toothbrush",),
    "sink": ("water tap", "water in sink", "pouring water", "water drip"),
    "hair drier": ("hair dryer", "fan noise"),
    "microwave": ("microwave oven", "beep"),
    "oven": ("microwave oven", "frying"),
    "toaster": ("click", "switch"),
    "refrigerator": ("hum", "air conditioner", "door slam"),
    "chair": ("chair scraping", "chair squeak", "dragging chair"),
    "book": ("turning pages", "paper rustling"),
    "door": ("door slam", "door knock", "door creak", "door squeak"),
    "bell": ("bell", "church bell", "bell hits"),
    "guitar": ("guitar", "acoustic guitar", "electric guitar", "guitar chord"),
    "piano": ("piano", "electric piano", "piano chord"),
    "violin": ("violin", "viola", "violin scratch"),
    "cello": ("cello", "double bass", "viola"),
    "drum": _DRUM,
    "drums": (*_DRUM, "cymbal", "hi hat"),
    "trumpet": ("trumpet", "trombone", "french horn"),
    "saxophone": ("saxophone", "clarinet"),
    "flute": ("flute", "recorder"),
    "chainsaw": ("chainsaw",),
    "lawn mower": ("lawn mower", "engine idling"),
    "drill": ("drill", "power tool"),
    "leaf blower": ("leaf blower", "airblower", "vacuum cleaner"),
    "hammer": ("hammer", "metal hit", "wood hit"),
    "kettle": ("kettle whistle", "boiling", "boiling water", "steam"),
    "saw": ("saw", "sawing"),
    "fire": ("fire", "fire crackling", "fire crackle"),
    "waterfall": _WATER,
    "river": _WATER,
    "water": _WATER,
    "fountain": _WATER,
    "sea": ("sea waves", "ocean waves", "splash"),
    "wave": ("sea waves", "ocean waves", "splash"),
    "waves": ("sea waves", "ocean waves", "splash"),
    "tree": ("leaves rustling", "wind", "tree creak"),
    "ball": _BALL,
    "balloon": ("balloon squeak", "balloon stretch", "bulbpop"),
    "siren": ("police siren", "ambulance siren"),
    "hot dog": ("hot dog",),
    "teddy bear": ("teddy bear",),
    "fire truck": ("police siren", "ambulance siren", "truck"),
    "clapping hands": ("clapping", "applause"),
}  # fmt: skip


def sounds_of(label: str) -> tuple[str, ...]:
    """The words for what `label` (a clean word) sounds like; a label without entry stands for itself, and
    one in the plural for the singular's."""
    for word in (label, label.removesuffix("s"), label.split(" ")[-1]):
        if word in LABEL_SOUNDS:
            return LABEL_SOUNDS[word]
    return (label,)


# Words that stand for each kind of sound (`tagger.KINDS`) where a tagger has no output for kinds.
KIND_WORDS: dict[str, tuple[str, ...]] = {
    "human": (
        "laughter", "crying", "cough", "sneeze", "snoring", "breathing", "clapping", "screaming",
        "singing",
    ),
    "speech": ("speech", "male voice", "female voice", "conversation", "shouting", "whispering"),
    "instrument": (
        "guitar", "piano", "violin", "trumpet", "flute", "drum kit", "cymbal", "bell", "saxophone",
    ),
    "animal": (
        "dog bark", "cat meow", "bird song", "horse", "cow moo", "sheep bleat", "rooster", "frog croak",
        "cricket",
    ),
    "vehicle": (
        "car", "truck", "motorcycle", "train", "airplane", "helicopter", "boat engine", "car horn",
        "police siren",
    ),
    "object": (
        "door slam", "metal hit", "glass breaking", "drill", "hammer", "chainsaw", "clock ticking",
        "typing",
    ),
    "environmental": (
        "wind", "rain", "thunder", "ocean waves", "stream", "waterfall", "fire crackling", "splash",
    ),
    "footstep": ("footsteps", "running", "footstep gravel", "footstep wood"),
    "music": ("music", "orchestra"),
}  # fmt: skip

_PERSON_KINDS = ("human", "speech", "footstep")

# Labels as broad as a kind of sound or several.
LABEL_KINDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("person", "man", "woman", "people", "child", "boy", "girl"), _PERSON_KINDS),
    **dict.fromkeys(("instrument", "musical instrument", "music", "musician"), ("instrument", "music")),
    "animal": ("animal",),
    "vehicle": ("vehicle",),
}


def kinds_of(label: str) -> tuple[str, ...]:
    """The kinds of sound (`tagger.KINDS`) that a broad `label` (a clean word) stands for; of others none."""
    for word in (label, label.removesuffix("s")):
        if word in LABEL_KINDS:
            return LABEL_KINDS[word]
    return ()
