"""What can be heard, by family, in the singular: tells a sound that is only named from a word of talk."""

from __future__ import annotations

from foleyspace.prompting.verb_words import SOUND_VERBS, verb_forms
from foleyspace.prompting.words import GROUPS, HEARD, INSTRUMENTS, LANDMARKS, word_set

WOMEN = word_set(
    "woman girl lady female mother wife queen actress waitress grandmother grandma granny mum mom mummy "
    "mommy sister daughter aunt niece soprano alto mezzo princess witch bride hostess nun gran nan duchess "
    "girlfriend goddess empress heroine landlady policewoman saleswoman barmaid ballerina mermaid"
)
MEN = word_set(
    "man boy guy male father husband king actor waiter policeman grandfather grandpa granddad dad daddy "
    "brother son uncle nephew tenor baritone prince wizard groom host monk gentleman bloke dude lad "
    "boyfriend god emperor fisherman salesman barman fireman landlord butler cowboy postman mailman santa "
    "chap fellow duke"
)
PEOPLE = (
    WOMEN | MEN | word_set(
    "person child kid baby toddler infant teenager adult pupil student teacher doctor nurse patient "
    "officer cop soldier guard sergeant captain pilot driver sailor chef cook bartender cashier clerk "
    "seller vendor buyer customer guest neighbour neighbor friend partner colleague boss worker builder "
    "carpenter plumber mechanic farmer hunter gardener cleaner baker butcher barber lawyer judge priest "
    "preacher vicar rabbi imam thief burglar killer detective spy hero villain narrator speaker talker "
    "announcer presenter reporter commentator interviewer interviewee moderator referee umpire coach "
    "trainer athlete runner jogger walker cyclist rider skater skier swimmer dancer singer vocalist rapper "
    "musician drummer guitarist pianist violinist cellist bassist flautist flutist trumpeter saxophonist "
    "organist conductor composer dj busker performer player opponent enemy ally teammate npc merchant "
    "zombie ghost monster demon vampire werewolf alien robot android dragon troll goblin ogre giant dwarf "
    "elf fairy knight pirate ninja warrior archer sniper beast crowd audience people family couple twin "
    "choir chorus congregation mob team gang band crew class public stranger passer-by pedestrian tourist "
    "traveller passenger commuter cousin roommate parent client waitstaff operator controller caller "
    "listener interferer target masker distractor someone somebody everybody everyone voice tom dick harry "
    "anna emma alice bob john mary peter paul lisa sarah sara max ben sam mike mark jane kate lucy james "
    "guide miller usher secretary therapist stevedore docker smith fishmonger cobbler tailor weaver poet "
    "author david maria julia laura ines raj carl carlos"
)
)  # fmt: skip
# who is spoken to where only the word stands: "Mum, there's a baby on the left"
ADDRESSED = word_set("mum mom mummy mommy dad daddy papa sir madam dude mate bro darling honey sweetheart")
ANIMALS = word_set(
    "animal dog puppy hound cat kitten kitty horse pony foal donkey mule cow bull ox calf sheep lamb goat "
    "kid pig piglet boar hen chicken chick rooster cock duck duckling goose swan turkey peacock pheasant "
    "quail bird owl eagle hawk falcon vulture crow raven magpie jay jackdaw pigeon dove gull seagull tern "
    "albatross pelican heron crane stork flamingo penguin parrot parakeet budgie canary finch goldfinch "
    "sparrow swallow swift wren robin blackbird thrush nightingale lark skylark starling tit warbler "
    "cuckoo woodpecker kingfisher kookaburra loon lion tiger leopard panther cheetah jaguar lynx cougar "
    "puma bear panda wolf fox coyote jackal hyena dingo deer stag elk moose reindeer antelope buffalo "
    "bison zebra giraffe camel llama alpaca elephant rhino rhinoceros hippo hippopotamus monkey ape chimp "
    "chimpanzee gorilla orangutan baboon gibbon kangaroo koala wombat rabbit hare squirrel chipmunk "
    "hamster mouse rat hedgehog badger otter beaver raccoon skunk weasel bat mole seal walrus dolphin "
    "whale orca porpoise shark fish frog toad snake rattlesnake lizard gecko crocodile alligator turtle "
    "dinosaur raptor tyrannosaurus bee wasp hornet bumblebee fly mosquito gnat midge moth butterfly beetle "
    "cricket cicada grasshopper locust ant spider insect bug mare stallion cub pup songbird"
)
VEHICLES = word_set(
    "vehicle car taxi cab limo van minivan truck lorry bus coach minibus tram trolley streetcar train "
    "subway metro underground locomotive freight motorcycle motorbike moped scooter vespa bike bicycle "
    "tricycle e-bike skateboard rollerblade skate sledge sled sleigh cart wagon carriage rickshaw tractor "
    "harvester bulldozer excavator digger crane forklift tank jeep suv pickup racecar go-kart kart "
    "ambulance firetruck police plane airplane aeroplane aircraft jet airliner biplane propeller glider "
    "helicopter chopper drone quadcopter rocket missile spaceship spacecraft ufo balloon zeppelin boat "
    "ship ferry yacht speedboat motorboat sailboat canoe kayak submarine steamer barge tug engine motor "
    "siren horn klaxon tyre tire wheel brake"
)
MACHINES = word_set(
    "machine washer dryer dishwasher washing fridge refrigerator freezer oven microwave toaster kettle "
    "blender mixer juicer grinder espresso coffee vacuum hoover cleaner fan heater boiler radiator "
    "conditioner ac air-conditioner ventilator humidifier hairdryer shaver razor toothbrush sewing printer "
    "copier scanner fax typewriter keyboard computer laptop pc server modem console phone telephone "
    "cellphone mobile smartphone pager intercom doorbell buzzer bell alarm timer clock stopwatch metronome "
    "pendulum radio tv television stereo jukebox loudspeaker megaphone tannoy turntable gramophone walkie- "
    "talkie projector camera shutter lamp neon bulb light transformer generator turbine pump compressor "
    "drill jackhammer hammer saw chainsaw sander lathe welder lawnmower mower trimmer leafblower blower "
    "sprinkler hose elevator lift escalator conveyor robot gear lock key chain hinge door doors gate "
    "drawer window blind curtain tap faucet sink shower bath toilet drain pipe gutter bucket bottle cork "
    "can glass cup mug plate dish cutlery fork knife spoon pot pan lid pen pencil paper newspaper book "
    "page envelope bag box suitcase zipper zip coin money till register dice card marble ball bat racket "
    "puck whistle rattle toy top balloon swing seesaw slide trampoline slot pinball arcade zap laser "
    "portal tool stapler scissors broom mop plank bed chair floorboard stair ladder rope flag sail tent "
    "photocopier dispenser vending cash atm geiger radar sonar beacon detector monitor defibrillator"
)
WEAPONS = word_set(
    "gun gunshot gunfire shot pistol revolver rifle shotgun musket sniper machine-gun cannon artillery "
    "mortar bomb grenade mine dynamite explosion blast bullet ricochet arrow bow crossbow sword blade axe "
    "whip shield spear firework firecracker rocket torpedo fireball spell sword-fight"
)
NATURE = word_set(
    "rain raindrop drizzle downpour hail sleet snow storm thunderstorm thunder thunderclap lightning wind "
    "breeze gale gust hurricane tornado blizzard sea ocean surf wave tide waterfall cascade river stream "
    "brook creek rapids fountain spring water drip drop droplet puddle splash geyser volcano lava "
    "earthquake avalanche landslide rockfall rock stone pebble boulder gravel sand ice icicle glacier fire "
    "campfire bonfire fireplace flame torch leaf leaves branch twig tree bush reed grass foliage wood log "
    "mud cave bubble steam smoke nature"
)
SOUNDS = word_set(
    "sound noise audio music song melody tune jingle anthem hymn lullaby march waltz speech talk "
    "conversation dialogue dialog monologue narration narrator voice-over voiceover vo vox vocals vocal "
    "commentary lecture announcement message prayer chant chatter chat babble murmur whisper shout scream "
    "cry laugh laughter giggle chuckle cackle sob sigh groan moan grunt gasp yawn cough sneeze sniff "
    "snore hiccup burp breath breathing heartbeat pulse footstep footfall step stomp tread hoofbeat hoof "
    "gallop applause clap clapping cheer cheering boo hum buzz beep bleep blip ping chime ring ringtone "
    "tick punch slap tick-tock click clack clatter clang clank clink clunk thud thump bang boom crash "
    "smash crunch crack crackle snap pop rustle squeak creak squeal screech scrape scratch hiss sizzle "
    "whoosh swoosh swish whir whirr whine drone rumble roar growl snarl bark howl meow purr moo neigh "
    "bleat quack cluck crow hoot caw chirp tweet chirping birdsong croak splash gurgle trickle drip knock "
    "knocking tap tapping rattle jingle-jangle honk toot beat rhythm riff solo chord note tone sine sweep "
    "sinusoid burst impulse noise-burst static crackling feedback interference ambience ambiance "
    "atmosphere room-tone roomtone traffic playground party fight battle parade fairground gunplay "
    "explosion impact stimulus masker probe distractor signal word sentence syllable vowel digit "
    "click-train tremolo arpeggio stab pad drop bassline backing harmony choir choirs loop sample synth "
    "lead hi-hat hihat hat kick snare tom ride cymbal shaker clave cowbell woodblock castanet vibraslap "
    "bassdrum sub 808 keys gtr egtr agtr strings brass woodwind horns perc fx riser downlifter whoosh-hit "
    "orchestra ensemble quartet trio duo duet symphony opera band snoring typing ticking dripping humming "
    "singing talking shouting laughing crying barking"
)
MORE_INSTRUMENTS = word_set(
    "harpsichord clavichord celesta spinet clavinet rhodes wurlitzer hammond melodica concertina bandoneon "
    "oud bouzouki balalaika charango dulcimer hurdy-gurdy erhu koto shamisen pipa guzheng sarod veena "
    "santur saz kora ngoni viol gamba contrabass double-bass piccolo fife panpipe pan-pipe ocarina "
    "shakuhachi duduk shawm whistle tin-whistle cornet flugelhorn euphonium sousaphone bugle trombone "
    "alphorn shofar vuvuzela conch timpani timpanum kettledrum taiko darbuka cajon bodhran steelpan "
    "handpan hang udu guiro cabasa maraca castanets chimes carillon drumkit percussionist steelpans "
    "theorbo sackbut crumhorn cittern mbira jew's-harp musical saw washboard tambura tanpura guitars "
    "mandola autoharp psaltery vibes bell-tree wind-chimes windchimes sampler sequencer beatbox"
)
SOURCES = (
    PEOPLE | ANIMALS | VEHICLES | MACHINES | WEAPONS | NATURE | SOUNDS
    | MORE_INSTRUMENTS | INSTRUMENTS | HEARD
)  # fmt: skip
_RINGING = word_set("siren horn klaxon engine motor")
# they come nearer where "a radio comes from the left" only says where it is
_COMING = word_set(
    "ball bat marble puck coin dice balloon toy robot mower lawnmower elevator lift rock stone pebble "
    "boulder avalanche landslide lava storm thunderstorm hurricane tornado blizzard gale fireball smoke "
    "footfall step stomp hoof bag box chair bed keys parade fight battle swing bucket broom"
)
STANDING = (
    (MACHINES | NATURE | SOUNDS | MORE_INSTRUMENTS | word_set("gunshot gunfire shot explosion")) - _COMING
)  # fmt: skip
# where a scene plays, when, and what a text is made of
SETTINGS = LANDMARKS | word_set(
    "cafe café restaurant pub club nightclub station airport office classroom school hospital library "
    "museum theatre theater cinema stadium arena shop store mall market supermarket factory warehouse "
    "workshop garage harbour harbor port dock pier island coast shore desert jungle savannah meadow swamp "
    "village alley square plaza avenue highway motorway crossroads crossing intersection platform tunnel "
    "cellar basement attic balcony terrace veranda porch courtyard yard farm farmyard zoo circus fair "
    "hotel lobby apartment flat studio dungeon castle tower temple crypt graveyard cemetery battlefield "
    "camp campsite spring summer autumn winter morning noon afternoon dusk dawn sunset midnight today "
    "tomorrow weather"
)
# what many sounds make together: the heading of a text more often than one of its sounds
EVENTS = word_set(
    "party wedding picnic barbecue festival rehearsal concert parade funeral race match game fight battle "
    "scene drill rush break lunch dinner breakfast night day trip visit walk ride show gig session"
)
TALK = word_set(
    "welcome act chapter episode intro outro verse bridge break version draft example setup layout "
    "arrangement requirement instruction note notes summary description list order row line pair plan idea "
    "sense point thing things stuff bit way part half lot lots fine good nice cool great perfect real "
    "really ear ears super effect effects thanks thank million lol asmr haha please care think else rest "
    "question problem fixed spatial position none any detail details anything"
)
_GENERIC = GROUPS | word_set(
    "instrument loudspeaker talker source sound object thing item element track voice singer"
)


def _forms(word: str) -> set[str]:
    """The word, and what it may be the plural of."""
    forms = {word}
    if word.endswith("s"):
        forms.add(word[:-1])
    if word.endswith("es"):
        forms.add(word[:-2])
    if word.endswith("ves"):
        forms |= {word[:-3] + "f", word[:-3] + "fe"}
    if word.endswith("ies"):
        forms.add(word[:-3] + "y")
    if word.endswith("men"):
        forms.add(word[:-3] + "man")
    return forms


def can_sound(word: str) -> bool:
    """Whether a word, singular or plural, names something that is heard."""
    form = verb_forms().get(word)
    return bool(_forms(word) & SOURCES) or (form is not None and form[0] in SOUND_VERBS)


def stands(word: str) -> bool:
    """Whether what "comes from the left" is there all the time: a sound, or a thing that stays."""
    return bool(_forms(word) & STANDING)


def travels(word: str) -> bool:
    """Whether what "goes off to the left" goes there, and does not ring there."""
    return bool(_forms(word) & (PEOPLE | ANIMALS | VEHICLES) - _RINGING)


def often_heard(word: str) -> bool:
    """Whether the thing named is nearly always there to be heard: an instrument, a person, an animal, a"
    " car."""
    return word in INSTRUMENTS | MORE_INSTRUMENTS | PEOPLE | ANIMALS | VEHICLES


def is_animate(names: set[str]) -> bool:
    """Whether "he" or "she" may stand for it: people, animals, and who has the name of a trade."""
    trade = ("er", "or", "ist", "smith", "man", "woman", "ian", "ess", "eer")
    called = {name for name in names - MACHINES - NATURE - SOUNDS if name not in verb_forms()}
    return is_person(names) or bool(names & ANIMALS) or any(n.endswith(trade) and len(n) > 4 for n in called)


def is_person(names: set[str]) -> bool:
    return bool(names & PEOPLE) or any(name[:-1] in PEOPLE for name in names if name.endswith("s"))
