"""Verbs: what sounds, what moves, what only says that there is something; and their forms."""

from __future__ import annotations

from functools import lru_cache

from foleyspace.prompting.words import (
    DETERMINERS,
    FILLERS,
    GROUPS,
    HYPERNYMS,
    INSTRUMENTS,
    LISTENERS,
    MANNER,
    PREPOSITIONS,
    PRONOUNS,
    SCREENS,
    word_set,
)

# what is heard: kept in the label as the -ing form
SOUND_VERBS = word_set(
    "sing speak talk whisper shout yell scream shriek cry weep sob laugh giggle chuckle hum whistle cough "
    "sneeze snore breathe pant sigh groan moan mumble murmur mutter chant rap recite narrate read call "
    "cheer clap applaud chat argue babble hiccup burp gasp growl bark howl whine yelp meow miaow purr hiss "
    "roar snarl grunt neigh whinny snort moo bleat baa oink squeal quack cluck crow coo chirp tweet twitter "
    "hoot caw squawk screech croak buzz drone ring beep bleep ping chime toll tick tock click clack clatter "
    "clink clang clank jingle jangle tinkle rattle rumble thunder boom bang crash smash slam thud thump "
    "knock pound tap hammer drill saw chop cut scrape scratch squeak creak crack crackle pop snap crunch "
    "rustle swish splash drip gurgle bubble trickle pour flow spray sizzle fry boil steam honk rev idle "
    "putter chug whirr whir whirl blow blare blast echo resonate strum pluck drum beat toot play perform "
    "strike hit kick bounce explode burst fire shoot break shatter crumble tear rip zip type dial vacuum "
    "mow shuffle stomp stamp tiptoe step splatter patter rain hail storm chew munch slurp sip gulp eat "
    "drink wail swarm ululate yodel croon serenade preach announce pray lecture cackle crinkle flap flutter "
    "tumble swoosh whoosh vibrate pulse throb peal cascade close open shut swallow sniff snuffle gallop "
    "trot march dance work operate trumpet answer reply respond complain gossip discuss debate quarrel joke "
    "flush snip sputter thunk plink plop gush blip bellow thrum clop scuttle sniffle gobble squelch squish "
    "thwack whack dong ding peep trill screak clamor clamour hawk count gargle retch spit kiss smack cheep "
    "peck bray yap yip gibber jabber warble twang grind clunk plunk plonk splutter rasp chatter wheeze "
    "whimper bawl holler scold nag natter prattle interview broadcast fizz simmer percolate brew churn "
    "grate scrunch bong beg swear curse bicker squabble chortle guffaw snicker titter sneer heckle jeer boo "
    "whoop beatbox improvise rehearse practise practice scrub scour brush polish punch slap spank splosh "
    "slosh glug dribble spurt squirt zing backfire misfire brake skid unlock"
)
# what takes a thing from place to place
MOVE_VERBS = word_set(
    "move walk drive fly go travel pan sweep roll glide ride cross slide drift zoom race dash rush swing "
    "sail hop jump crawl speed dart wander float march trot gallop cycle stroll run sprint jog shift skate "
    "swim creep swoop stagger whiz whizz shoot cruise pace bounce head proceed traverse migrate wheel "
    "scurry scamper stride flutter whoosh swoosh swish skip tiptoe tumble transition dive trundle hurry "
    "hasten scuttle lope amble saunter plod trudge limp hobble shuffle waddle toddle prowl stalk lumber "
    "overtake scramble clamber meander sidle cartwheel somersault teleport slither steer turn bound career "
    "streak hurtle sneak come enter arrive pass approach near circle orbit revolve rotate spin recede "
    "leave depart retreat disappear rise climb ascend fall drop descend sink lift soar land plunge follow "
    "return loop scoot whip flit flitter skitter skim trek hike wade paddle swerve veer spiral patrol wobble "
    "pelt scud barrel lurch shamble tramp spread waft seep haul lug tow drag slink slip slide stray canter "
    "swirl whirl twirl zigzag"
)
# the noise is the walking itself
STEPPING = word_set("walk run jog march gallop trot stomp tiptoe sprint")
STILL_VERBS = word_set(
    "be stand sit lie stay remain wait hang live rest stop sound come start begin end hear let make keep "
    "put place position set want need have give add locate situate send continue sleep lean perch linger "
    "seem appear emanate originate get do can will should would could may might must use try happen occur "
    "grow fade become finish last join hide pipe feature include hold say ask tell listen watch see "
    "imagine picture suppose bring leave exit complete spawn trigger insert render spatialize spatialise "
    "mix stick seat arrange assign route mount attach fix present reproduce replay emit produce utter "
    "release take occupy own carry wear grab greet smile dream think know mean care matter love like hate "
    "prefer expect attempt allow enable require contain face stare wonder decide notice exist belong seek "
    "help visit buy sell pay lose win build create generate simulate design record edit apply adjust "
    "choose pick select define describe specify anchor park dock moor nest hover throw reload crouch "
    "kneel settle alight nestle halt draw hold lay wear"
)
# with something they act on: "pouring tea"; others in -ing describe ("howling wind", "sizzling bacon")
TRANSITIVE = word_set(
    "pour hold carry push pull drag haul lug tow shake wave hit play cut chop eat drink chew sip beat strike "
    "let grab greet help buy pay release mount lead leash walk feed mind guard "
    "open close turn stir wash clean sharpen count throw kick ride drive sweep scrub brush polish wear sell "
    "make take grind fold unwrap pluck strum tap bang slam rattle read recite tell sing hum whistle bounce "
    "drop lift chase follow tear crumple rustle jingle tune wind load reload fire sweep mop rake dig saw "
    "hammer "
    "drill paint peel slice stack sort flip shuffle deal light strike blow crush crack squeeze spray type "
    "dial"
)
# verbs that say nothing but that there is a sound: "emits pink noise", "takes a sip"
SPEECH_VERBS = word_set(
    "yell shout call scream whisper cry sing chant read speak mutter answer reply recite announce murmur "
    "mumble shriek"
)
WEATHER_VERBS = {"rain": "rain", "pour": "rain", "snow": "snow", "hail": "hail", "thunder": "thunder",
                 "storm": "storm", "drizzle": "drizzle"}  # fmt: skip
# in their base form after "and" they go on about several things: "fireworks go up and explode above me"
GO_ON_VERBS = word_set(
    "explode burst break go come move pass disappear vanish fade head return circle cross enter leave run "
    "walk drive continue travel land stop end rise approach recede settle alight halt draw hover wait "
    "stay roll fly slide"
)
ADDRESSING = word_set("answer call face watch attack chase follow greet join interrupt accompany shoot fight")
LIGHT_VERBS = word_set("emit produce utter release take make give")
SETTERS = word_set(
    "put place pan position set keep move send have let make add give want hear imagine locate bring "
    "render spatialize spatialise mix need stick shift spin rotate swing spawn trigger insert seat arrange "
    "assign route anchor park"
)
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
    "leave": "", "travel": "travelled travelling", "throw": "threw thrown", "pedal": "pedalled pedalling",
    "die": "dying", "read": "", "hold": "held", "stick": "stuck", "lay": "laid", "wear": "wore worn",
    "draw": "drew drawn",
    "mean": "meant", "catch": "caught", "build": "built", "think": "thought", "seek": "sought", "shoot":
    "shot", "sleep": "slept",
    "slink": "slunk", "kneel": "knelt", "lean": "leant", "spit": "spat", "swear": "swore sworn", "take":
    "took taken", "lose": "lost",
    "stride": "strode", "swallow": "", "burst": "", "leap": "leapt", "choose": "chose chosen", "spin":
    "spun", "beat": "beaten", "hide": "hid hidden", "slide": "slid",
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
            shape = "ing" if form.endswith("ing") else "s" if form in ("goes", "is", "has", "does") else "ed"
            forms[form] = (base, shape)
    forms["putting"] = ("put", "ing")
    return forms


@lru_cache(maxsize=1)
def known_words() -> frozenset[str]:
    """Words that are never taken for a typing error."""
    return frozenset(
        {*verb_forms(), *INSTRUMENTS, *DETERMINERS, *LISTENERS, *SCREENS, *PRONOUNS, *PREPOSITIONS, *FILLERS,
         *MANNER, *GROUPS, *HYPERNYMS, *(w for words in HYPERNYMS.values() for w in words.split())}
    )  # fmt: skip
