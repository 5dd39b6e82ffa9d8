"""The words a prompt is made of: what sounds, what moves, what only joins."""

from __future__ import annotations


def word_set(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


INSTRUMENTS = word_set(
    "guitar piano violin viola cello bass drum drums trumpet trombone flute clarinet oboe bassoon "
    "saxophone sax harp organ accordion banjo mandolin ukulele sitar tabla harmonica keyboard keyboards "
    "synthesizer synth xylophone marimba vibraphone glockenspiel bagpipes bagpipe horn tuba fiddle lute "
    "cymbals cymbal congas conga bongos bongo djembe tambourine triangle maracas kalimba recorder "
    "percussion bell bells gong lyre zither kazoo didgeridoo theremin music song tune melody instrument "
    "record records chords solo riff jazz scales"
)
DETERMINERS = word_set(
    "the a an this that these those my your our his her its their another some any each every both several "
    "many"
)
COUNTS = word_set("two three four five six seven eight several some many 2 3 4 5 6 7 8")
LISTENERS = word_set(
    "me you us myself yourself ourselves listener viewer camera audience head microphone mic player "
    "observer user spectator body nose face"
)
SCREENS = word_set(
    "screen picture frame image stage scene room video view shot field panorama soundstage mix clip stereo "
    "space hall world"
)
PRONOUNS = word_set("it he she they him them who which both")
PREPOSITIONS = word_set(
    "in on at by of from to toward into onto through along across over under with without for during about "
    "against inside outside within upon via per until till since off out up down around between as than "
    "like after before past near behind above below beneath beside among amid towards"
)
FILLERS = word_set(
    "nothing i we you there here is are was were be been being am has have had do does did can could will "
    "would should may might please then so very really quite too also just only somewhere someplace still "
    "now again well okay ok position positioned located placed panned sitting standing lying coming "
    "audible heard hear hears hearing hanging sound sounds situated set put place pan let make add want "
    "need give imagine positions seated perched rather pretty fairly almost nearly roughly approximately "
    "about around not no first second third lastly firstly secondly meanwhile simultaneously same time "
    "always while who which that whose its his their my your our direction location angle if sat seems "
    "appears "
    "comes come starts start begins begin stays stay remains remain stands sits lies stops stop continues "
    "continue keeps keep ends emanating originating emanates originates gets get getting going using "
    "everything straight directly exactly precisely right away together as it he she they him them her "
    "this these those where when how what whole all along more less much bit little kind sort respectively "
    "each other another one both either placing positioning playing plays play played of degrees metres "
    "seconds feet oclock seen visible unseen fast quick slow loud soft quiet faint sudden steady constant "
    "continuous x rpm bpm db dbfs hz khz quicker slower louder softer hard me us neither nor anywhere "
    "elsewhere else even back maybe perhaps possibly um uh er erm hmm lol fine real"
)
NOT_ADVERBS = word_set(
    "telly welly brolly gully filly folly anomaly "
    "fly family lily bully belly jelly butterfly assembly ally rally dolly trolley italy july dragonfly "
    "firefly supply early only elderly lonely friendly lovely ugly gadfly horsefly housefly kelly molly "
    "sally billy emily holly wobbly bubbly growly gnarly silly jolly lively curly burly"
)
# "with a soft voice" tells how, not what else sounds
MANNER = word_set(
    "voice accent tone reverb echo delay volume hands hand feet force speed passion enthusiasm stick "
    "hammer beard ding bang thud crash creak splash roar hiss pop clang clatter squeak squeal sigh groan "
    "gasp grunt thump hat smile headphones pitch vibrato distortion effect effects intensity energy care"
)
# said of sounds, of a film or of a test, and heard by nobody
UNHEARD = word_set(
    "volume level loop fade reverb gain take cue spot note pov mood bg fg sfx foley amb atmos int ext day "
    "night morning evening moment place end start silence dry wet x trial condition scene global mono "
    "background foreground times pause beat everything anything nothing distance direction side position "
    "clip track"
)
# "a slow roll from left to right": the way of what was named before
WAYS = word_set("roll pass pan sweep flyby flyover passby move movement motion drift swing fade")
# what stands somewhere and is seldom heard
LANDMARKS = word_set(
    "wall door doors window house building tree trees table desk chair sofa bed fence hill mountain street "
    "road corner curtain bridge forest wood woods garden park kitchen bedroom bathroom hallway corridor "
    "church city town field lake beach sea bench counter bar shelf roof ceiling floor ground barn shed "
    "stairs staircase horizon partition buildings creek pond pool path pavement sidewalk ledge rock "
    "boulder hedge meadow river bank shore island stage altar entrance exit gate doorway fireplace "
    "mantelpiece cupboard wardrobe closet carpet rug couch armchair stool balcony porch terrace tent hut "
    "cabin tower cliff valley cave"
)
ADJECTIVES = word_set(
    "bright loud soft quiet old young big small little low deep sharp dull muffled short long slow fast "
    "gentle steady single faint heavy light dark dry wet hollow metallic wooden distant rusty happy sad "
    "angry warm cold clear dirty clean rough smooth huge tiny large strong weak noisy calm broken "
    "mechanical electric electronic acoustic female male high shrill squeaky creaky harsh mellow rich thin "
    "thick lonely busy excited nervous whispered"
)
# heard as such: "music comes from the left" tells a place, "a bus comes from the left" a way
HEARD = word_set(
    "music voice voices sound sounds noise noises song speech singing laughter applause hum humming bark "
    "barking melody audio beep beeps beeping smell cry cries scream screams echo echoes tone signal "
    "birdsong thunder rain wind siren alarm traffic water engine chatter"
)
# "a group of children": the children are heard
GROUPS = word_set(
    "group flock pack bunch couple pair lot lots number herd swarm crowd bit series kind sort type set "
    "piece string row line chain round choir class gang troop school cluster sound sounds noise noises "
    "recording sample"
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
