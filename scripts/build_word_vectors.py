#!/usr/bin/env python3
"""Write foleyspace/models/words.safetensors: the shipped table of word vectors.

    python scripts/build_word_vectors.py --index SOUNDS/INDEX.csv [--minilm FOLDER]

INDEX.csv has a column `class`: the names that the tagger is trained on. MiniLM comes from the optional extra
`words`, from a folder, or from the hub.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

from foleyspace.files import atomic_output
from foleyspace.word_vectors import HUB_NAME, Encoder, clean_word, embed_words, find_minilm, unit

HERE = Path(__file__).parent
TABLE = HERE.parent / "foleyspace" / "models" / "words.safetensors"

# Class names that are written as one word, or with notes to themselves, as MiniLM should read them.
READ_AS = {
    "aluminumhit": "aluminum hit", "ar fire": "fire of an assault rifle", "arp note": "arpeggio note",
    "arp note 2wholesteps": "arpeggio note", "asprin crinkle": "aspirin crinkle",
    "asthmainhaler": "asthma inhaler", "ballbearing waves": "ball bearings",
    "ballbearings": "ball bearings", "balloonbass": "balloon bass", "balloondrumming": "balloon drumming",
    "barel hit": "barrel hit", "barel strike": "barrel strike", "blackboardhit": "blackboard hit",
    "boardslam 2x4": "board slam", "bongiovannitones": "tones", "bottlecap": "bottle cap",
    "bowed trashcan lid": "bowed trash can lid", "bowedglass": "bowed glass", "bowlbang": "bowl bang",
    "brassbowlsrubbing": "brass bowls rubbing", "bubblewrap": "bubble wrap", "bulbpop": "light bulb pop",
    "cakelid gong": "cake lid gong", "carboardbox": "cardboard box", "carddeck": "card deck",
    "cardoor": "car door", "ceramictile": "ceramic tile", "chaindrop": "chain drop",
    "chimes singlenote": "chimes", "chimesmajsixth": "chimes", "chimesmajthird": "chimes",
    "chimesshortphrase": "chimes", "closingdoor": "closing door", "clutterstatic": "static",
    "coocoo flute": "cuckoo flute", "crazybreathing": "crazy breathing", "cym": "cymbal",
    "cymbolscratch": "cymbal scratch", "digeridoo": "didgeridoo",
    "dragging gargabe can": "dragging garbage can", "drillinginstyrofoam": "drilling in styrofoam",
    "droppingcoins": "dropping coins", "drymetalhit": "dry metal hit", "e7 funkline": "funk line",
    "eviltoy": "evil toy", "femalevoice oo femalevoice oo": "female voice", "finyl flex": "vinyl flex",
    "foilcrumble": "foil crumble", "garbagecan hits": "garbage can hits",
    "garbagecan rolling": "garbage can rolling", "glassbeads": "glass beads",
    "gravelcrunch": "gravel crunch", "guitar astring": "guitar string", "guitar bstring": "guitar string",
    "guitar dstring": "guitar string", "guitar gstring": "guitar string",
    "guitar highestring": "guitar string", "guitar lowestring": "guitar string",
    "hallwaynoises": "hallway noises", "hallwaytalking": "hallway talking",
    "hittingscreen": "hitting screen", "hollowhit": "hollow hit", "jaw harp": "jew's harp",
    "khaen honk": "khaen mouth organ", "khaen lo": "khaen mouth organ", "knifesharpen": "knife sharpening",
    "krinkle plastic": "crinkle plastic", "lid noise": "lid", "liddrop": "lid drop",
    "lockersqueak": "locker squeak", "low metalichit": "low metallic hit", "madgong": "gong",
    "marimba nonsense": "marimba", "metal hits light": "metal hits", "metal trashcan": "metal trash can",
    "metalhit": "metal hit", "metalpipe clunks": "metal pipe clunks", "metalrumble": "metal rumble",
    "metalscrape": "metal scrape", "metalsqueek": "metal squeak", "metallic squeek": "metallic squeak",
    "mooo": "cow moo", "moremarbles": "marbles", "moremetal": "metal", "mouthnoises": "mouth noises",
    "music box2 hasclipping": "music box", "naildrop": "nail drop", "outside churchbells": "church bells",
    "pillrattle": "pill rattle", "plastic accordian": "plastic accordion",
    "powertool harmonic": "power tool", "prep piano": "prepared piano",
    "prep piano hit": "prepared piano hit", "prep pianoc": "prepared piano",
    "prep pianoc1": "prepared piano", "prep pianoc2": "prepared piano", "prep pianod": "prepared piano",
    "prep pianoe": "prepared piano", "prep pianoe0": "prepared piano", "prep pianof": "prepared piano",
    "prep pianog": "prepared piano", "rain thunder": "rain and thunder", "red bul": "drink can",
    "red bull": "drink can", "ritz": "cracker biscuit", "rolling trashcan": "rolling trash can",
    "rubberband bass": "rubber band bass", "runningecho": "running footsteps with echo",
    "scraping2 tiles": "scraping tiles", "slinky trashcan lid": "slinky on trash can lid",
    "smalltemplebell": "small temple bell", "sodacanroll": "soda can roll",
    "softmetal bars": "soft metal bars", "spin cym": "spinning cymbal", "spinningplate": "spinning plate",
    "squeel": "squeal", "squiggy perhaps someone chewing": "chewing", "tincan": "tin can",
    "trashcan": "trash can", "trashcan drag": "trash can drag", "trashcan hit": "trash can hit",
    "tubeblowing": "blowing on a tube", "underground bang verycompressed": "underground bang",
    "vinly flex": "vinyl flex", "violent goove": "violent groove",
    "walking in trainstation": "walking in train station", "water on tinfoil": "water on tin foil",
    "waterbottle hit": "water bottle hit", "waterbubbles": "water bubbles",
    "waterpump electric": "electric water pump", "watersplash": "water splash",
    "whistlebreath wtf": "whistle breath", "wineglass on musicstand": "wine glass on music stand",
    "wineglasstone": "wine glass tone", "woodblock pitched do": "woodblock",
    "woodblock pitched fa": "woodblock", "woodblock pitched lowersol": "woodblock",
    "woodblock pitched mi": "woodblock", "woodblock pitched sol": "woodblock",
    "woodblock pitched ti": "woodblock", "woodblocks supposedly": "woodblocks", "woodclaps": "wooden claps",
    "woodenclaps rattle": "wooden claps and rattle", "yogaballs": "yoga balls",
    "zube tube plain": "spring tube", "zube tube sus": "spring tube",
    "zube tube sus5 rhythm": "spring tube", "zube tube4 raindrops": "spring tube raindrops",
    "chriping": "chirping", "anklung": "angklung", "anklung scale": "angklung",
    "group anklung long": "angklung", "djundjun": "djun djun drum",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--index", type=Path, required=True, help="CSV with a column `class`")
    parser.add_argument("--minilm", help="folder or hub name of MiniLM")
    parser.add_argument("-o", "--output", type=Path, default=TABLE)
    args = parser.parse_args()

    source = args.minilm or find_minilm() or HUB_NAME
    encoder = Encoder(str(source), local=Path(source).is_dir())
    with args.index.open(newline="") as file:
        classes = sorted({clean_word(row["class"]) for row in csv.DictReader(file)})
    lists = read_lists(HERE / "sound_words.txt")
    words = list(dict.fromkeys(classes + [word for words in lists.values() for word in words]))

    raw = embed_words([READ_AS.get(word, word) for word in words], encoder)
    mean = raw[: len(classes)].mean(axis=0)  # what all sound words share says nothing
    write(args.output, words, unit(raw - mean), mean, lists["heard"])
    print(f"{len(words)} words, {args.output.stat().st_size / 1e6:.2f} MB")


def read_lists(path: Path) -> dict[str, list[str]]:
    """The words of every list in the file, in order."""
    lists: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, words = line.partition(":")
            lists.setdefault(name, []).extend(clean_word(word) for word in words.split(","))
    return {name: list(dict.fromkeys(words)) for name, words in lists.items()}


def write(path: Path, words: list[str], vectors: np.ndarray, mean: np.ndarray, heard: list[str]) -> None:
    from safetensors.numpy import save

    tensors = {"vectors": vectors.astype(np.float16), "mean": mean.astype(np.float32)}
    with atomic_output(path, overwrite=True) as temporary:
        header = {"words": "\n".join(words), "heard": "\n".join(heard)}
        temporary.write_bytes(save(tensors, metadata=header))


if __name__ == "__main__":
    main()
