"""The words a prompt is made of: what sounds, what moves, what only joins."""

from __future__ import annotations

from functools import lru_cache


def word_set(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


# what is heard: kept in the label as the -ing form
SOUND_VERBS = word_set(
    "sing speak talk whisper shout yell scream shriek cry weep sob laugh giggle chuckle hum "
    "whistle cough sneeze "
    "snore breathe pant sigh groan moan mumble murmur mutter chant rap recite narrate read "
    "call cheer clap applaud "
    "chat argue babble hiccup burp gasp growl bark howl whine yelp meow miaow purr hiss roar "
    "snarl grunt neigh "
    "whinny snort moo bleat baa oink squeal quack cluck crow coo chirp tweet twitter hoot caw "
    "squawk screech croak "
    "buzz drone ring beep bleep ping chime toll tick tock click clack clatter clink clang "
    "clank jingle jangle "
    "tinkle rattle rumble thunder boom bang crash smash slam thud thump knock pound tap rap "
    "hammer drill saw chop "
    "cut scrape scratch squeak creak crack crackle pop snap crunch rustle swish splash drip "
    "gurgle bubble trickle "
    "babble pour flow spray sizzle fry boil steam hoot honk rev idle purr putter chug whirr "
    "whir whirl blow blare "
    "blast echo resonate strum pluck drum beat toot play perform strike hit kick bounce "
    "explode burst fire shoot "
    "break shatter crumble tear rip zip type dial vacuum mow shuffle stomp stamp tiptoe step "
    "splatter patter rain "
    "hail storm chew munch slurp sip gulp eat drink wail swarm ululate yodel croon serenade "
    "preach announce pray lecture "
    "cackle crinkle flap flutter tumble swoosh whoosh vibrate pulse throb peal cascade close "
    "open shut swallow sniff "
    "snuffle gallop trot march dance work operate trumpet answer reply respond complain gossip "
    "discuss debate quarrel "
    "joke flush snip sputter thunk plink plop gush blip bellow thrum clop scuttle sniffle "
    "gobble squelch squish thwack "
    "whack dong ding peep trill screak crow clamor clamour hawk"
)
# what takes a thing from place to place
MOVE_VERBS = word_set(
    "move walk drive fly go travel pan sweep roll glide ride cross slide drift zoom race dash "
    "rush swing sail hop "
    "jump crawl speed dart wander float march trot gallop cycle stroll run sprint jog shift "
    "skate swim creep swoop "
    "stagger whiz whizz shoot cruise pace bounce head proceed traverse migrate wheel scurry scamper stride "
    "flutter whoosh swoosh swish skip tiptoe tumble transition dive trundle "
    "slither steer turn bound career streak hurtle sneak "
    "come enter arrive pass approach near circle orbit revolve rotate spin recede leave depart retreat "
    "disappear rise climb ascend fall drop descend sink lift soar land plunge follow return loop"
)
# the noise is the walking itself
STEPPING = word_set("walk run jog march gallop trot stomp tiptoe sprint")
STILL_VERBS = word_set(
    "be stand sit lie stay remain wait hang live rest stop sound come start begin end hear let "
    "make keep put place "
    "position set want need have give add locate situate send continue sleep lean perch linger seem appear "
    "emanate originate get do can will should would could may might must use try happen occur "
    "grow fade become end finish last join hide pipe feature include hold put say ask tell listen watch see "
    "imagine picture suppose bring leave exit complete spawn trigger insert keep render "
    "spatialize spatialise mix stick"
)
SETTERS = word_set(
    "put place pan position set keep move send have let make add give want hear imagine locate bring render "
    "spatialize spatialise mix need stick shift spawn trigger insert"
)
INSTRUMENTS = word_set(
    "guitar piano violin viola cello bass drum drums trumpet trombone flute clarinet oboe "
    "bassoon saxophone sax "
    "harp organ accordion banjo mandolin ukulele sitar tabla harmonica keyboard keyboards synthesizer synth "
    "xylophone marimba vibraphone glockenspiel bagpipes bagpipe horn tuba fiddle lute cymbals "
    "cymbal congas conga "
    "bongos bongo djembe tambourine triangle maracas kalimba recorder percussion bell bells gong lyre zither "
    "kazoo didgeridoo theremin music song tune melody instrument record records chords solo riff jazz scales"
)
DETERMINERS = word_set(
    "the a an this that these those my your our his her its their another some any each every both several "
    "many"
)
COUNTS = word_set("two three four five six seven eight several some many 2 3 4 5 6 7 8")
LISTENERS = word_set(
    "me you us myself yourself ourselves listener viewer camera audience head microphone mic player observer "
    "user spectator body nose face"
)
SCREENS = word_set(
    "screen picture frame image stage scene room video view shot field panorama soundstage mix clip stereo "
    "space hall world"
)
PRONOUNS = word_set("it he she they him them who which both")
PREPOSITIONS = word_set(
    "in on at by of from to toward into onto through along across over under with without for during about "
    "against inside outside within upon via per until till since off out up down around between as than like "
    "after before past near behind above below beneath beside among amid towards"
)
FILLERS = word_set(
    "nothing i we you there here is are was were be been being am has have had do does did can "
    "could will would should may "
    "might please then so very really quite too also just only somewhere someplace still now "
    "again well okay ok "
    "position positioned located placed panned sitting standing lying coming audible heard "
    "hear hears hearing "
    "hanging sound sounds located situated set put place pan let make add want need give imagine "
    "positions seated perched rather pretty fairly almost nearly roughly approximately about around not no "
    "first second third lastly firstly secondly meanwhile simultaneously same time while who "
    "which that whose "
    "its his their my your our direction location angle if sat seems appears comes come starts "
    "start begins begin "
    "stays stay remains remain stands sits lies stops stop continues continue keeps keep ends emanating "
    "originating emanates originates gets get getting going using please thing something everything "
    "straight directly exactly precisely right away together as it he she they him them her this these those "
    "where when how what whole all along more less much bit little kind sort respectively each "
    "other another one "
    "both either placing placed positioning playing plays play played of degrees metres seconds feet oclock "
    "seen visible unseen away somewhere also fast quick slow loud soft quiet faint sudden "
    "steady constant continuous x rpm bpm db dbfs hz khz quicker slower louder softer hard "
    "meanwhile"
)
# "with a soft voice" tells how, not what else sounds
MANNER = word_set(
    "voice accent tone reverb echo delay volume hands hand feet force speed passion enthusiasm "
    "stick hammer beard "
    "hat smile headphones pitch vibrato distortion effect effects intensity energy care"
)
# said of sounds, of a film or of a test, and heard by nobody
UNHEARD = word_set(
    "volume level loop fade reverb gain take cue spot note pov mood bg fg sfx foley amb atmos "
    "int ext day night morning "
    "evening moment place end start silence dry wet x trial condition scene global mono "
    "background foreground times "
    "pause beat everything anything nothing distance direction side position clip track"
)
# "a slow roll from left to right": the way of what was named before
WAYS = word_set("roll pass pan sweep flyby flyover passby move movement motion drift swing fade")
# what stands somewhere and is seldom heard
LANDMARKS = word_set(
    "wall door doors window house building tree trees table desk chair sofa bed fence hill "
    "mountain street road corner "
    "curtain bridge forest wood woods garden park kitchen bedroom bathroom hallway corridor "
    "church city town field "
    "lake beach sea house bench counter bar shelf roof ceiling floor ground barn shed stairs "
    "staircase horizon "
    "partition buildings"
)
ADJECTIVES = word_set(
    "bright loud soft quiet old young big small little low deep sharp dull muffled short long "
    "slow fast gentle steady "
    "single faint heavy light dark dry wet hollow metallic wooden distant rusty happy sad "
    "angry warm cold clear dirty "
    "clean rough smooth huge tiny large strong weak noisy calm broken mechanical electric "
    "electronic acoustic female "
    "male high shrill squeaky creaky harsh mellow rich thin thick lonely busy excited nervous whispered"
)
# heard as such: "music comes from the left" tells a place, "a bus comes from the left" a way
HEARD = word_set(
    "music voice voices sound sounds noise noises song speech singing laughter applause hum humming bark "
    "barking melody audio beep beeps beeping smell cry cries scream screams echo echoes tone "
    "signal birdsong thunder rain wind siren alarm traffic water engine chatter music"
)
# "a group of children": the children are heard
GROUPS = word_set(
    "group flock pack bunch couple pair lot lots number herd swarm crowd bit series kind sort type set piece "
    "choir class gang troop school cluster sound sounds noise noises recording sample piece"
)
HYPERNYMS = {
    "she": "woman girl lady female mother wife queen actress waitress nurse singer grandmother "
    "mum mom sister "
    "daughter soprano alto",
    "he": "man boy guy male father husband king actor waiter policeman singer narrator "
    "grandfather dad brother son "
    "tenor baritone speaker",
    "they": "people children kids men women crowd birds dogs cats band choir drums horses friends neighbours",
    "woman": "lady girl female she",
    "man": "guy male he boy",
    "singer": "woman man vocals vocalist voice singing sings soprano tenor",
    "voice": "woman man vocals singer speech speaking",
    "speaker": "man woman narrator speaking talking voice",
    "vehicle": "car truck bus motorcycle motorbike van lorry train",
    "animal": "dog cat horse cow bird",
    "plane": "airplane aeroplane jet",
    "airplane": "plane jet",
    "bike": "bicycle motorbike motorcycle",
    "instrument": "guitar piano violin drum drums cello flute trumpet",
    "puppy": "dog",
    "kitten": "cat",
    "phone": "telephone",
    "telephone": "phone",
    "rain": "rainfall",
    "kids": "children",
    "children": "kids",
    "drummer": "drums drum",
    "chopper": "helicopter",
}
_IRREGULAR = {
    "sing": "sang sung", "ring": "rang rung", "speak": "spoke spoken", "blow": "blew blown", "run": "ran",
    "fly": "flew flown", "drive": "drove driven", "come": "came", "go": "went gone goes",
    "fall": "fell fallen", "rise": "rose risen", "weep": "wept", "sweep": "swept", "swing": "swung",
    "ride": "rode ridden",
    "be": "is are was were been being am", "have": "has had", "do": "does did done", "put": "putting",
    "set": "setting",
    "stand": "stood", "sit": "sat", "lie": "lying lay lain", "hear": "heard", "make": "made", "say": "said",
    "tell": "told", "eat": "ate eaten", "drink": "drank drunk", "strike": "struck", "break": "broke broken",
    "hang": "hung", "creep": "crept", "keep": "kept", "begin": "began begun beginning", "give": "gave given",
    "get": "got getting", "become": "became", "grow": "grew grown", "swim": "swam swum", "shut": "shutting",
    "cut": "cutting", "bring": "brought", "dive": "dove", "sink": "sank sunk", "tear": "tore torn",
    "leave": "",
    "die": "dying", "read": "", "spin": "spun", "beat": "beaten", "hide": "hid hidden",
}  # fmt: skip
# two syllables and more, stress on the first: the last consonant stays single
_SINGLE = word_set(
    "whisper mutter chatter clatter patter splatter flutter thunder hammer wander gallop beep bellow "
    "murmur twitter hover career enter whir happen listen open"
)


def ing(base: str) -> str:
    """The -ing form: "sing" -> "singing", "hum" -> "humming", "dance" -> "dancing"."""
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")):
        return base[:-1] + "ing"
    return base + (base[-1] if _doubles(base) else "") + "ing"


def _doubles(base: str) -> bool:
    vowels = "aeiou"
    if base in _SINGLE or len(base) < 3 or base[-1] in vowels + "wxyh":
        return False
    groups = sum(c in vowels and (i == 0 or base[i - 1] not in vowels) for i, c in enumerate(base))
    return groups == 1 and base[-2] in vowels and base[-3] not in vowels and base != "quit"


@lru_cache(maxsize=1)
def verb_forms() -> dict[str, tuple[str, str]]:
    """Every inflected form -> (base, form) with form in {"base", "s", "ing", "ed"}."""
    forms: dict[str, tuple[str, str]] = {}
    for base in sorted(SOUND_VERBS | MOVE_VERBS | STILL_VERBS):
        if base[-1] == "y" and base[-2] not in "aeiou":
            third, past = base[:-1] + "ies", base[:-1] + "ied"
        else:
            third = base + ("es" if base.endswith(("s", "x", "z", "ch", "sh")) else "s")
            past = base + ("d" if base.endswith("e") else (base[-1] if _doubles(base) else "") + "ed")
        forms.setdefault(third, (base, "s"))
        forms[ing(base)] = (base, "ing")
        forms.setdefault(past, (base, "ed"))
        forms[base] = (base, "base")
        for form in _IRREGULAR.get(base, "").split():
            forms[form] = (base, "ed" if form not in ("goes", "is", "has", "does") else "s")
    forms["putting"] = ("put", "ing")
    return forms


@lru_cache(maxsize=1)
def known_words() -> frozenset[str]:
    """Words that are never taken for a typing error."""
    return frozenset(
        {*verb_forms(), *INSTRUMENTS, *DETERMINERS, *LISTENERS, *SCREENS, *PRONOUNS, *PREPOSITIONS, *FILLERS,
         *MANNER, *GROUPS, *HYPERNYMS, *(w for words in HYPERNYMS.values() for w in words.split())}
    )  # fmt: skip
