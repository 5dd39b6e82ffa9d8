"""The set phrases of motion and time, as regular expressions (see `prompting.patterns`)."""

from __future__ import annotations

from collections.abc import Iterable

from foleyspace.prompting.patterns import LISTENER, NUM, SCREEN
from foleyspace.prompting.verb_words import MOVE_VERBS, verb_forms
from foleyspace.prompting.words import word_set

_U = r"(?P<u>seconds|minutes|milliseconds)"
_CLIP = (
    r"(?: of (?:the |this )?(?:clip|scene|video|recording|shot|film|song|track|piece"
    r"|sequence|audio|take|time))?"
)
_STARTS = word_set(
    "start starts starting started begin begins beginning began enter enters entering join joins joining "
    "appear appears appearing set sounds sounding on in"
)
_STOPS = word_set(
    "stop stops stopping stopped end ends ending finish finishes finishing disappears vanishes ceases "
    "silent leaves"
)


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


def forms(*bases: str) -> str:
    """Every inflected form of the verbs, as an alternative."""
    wanted = set(bases)
    return _any([form for form, (base, _) in verb_forms().items() if base in wanted])


MOVES = forms(*(MOVE_VERBS - {"leave", "follow"}))
_GETS = forms(*(MOVE_VERBS - {"leave", "follow"}), "get", "grow", "fade", "draw", "become")
# what may end near somebody; a coin that drops near me does not come nearer
_NEARS = (
    "(?!drawn )"  # a sword is drawn close to me
    + forms(*(MOVE_VERBS - {"leave", "follow", "drop", "fall", "land", "sink", "dive"}), "get", "draw")
)
# where "by" and "past" are all there is: not "by the window"
_ENDS = (
    r"(?=$| [,.;:!?)(]| (?:from|on|at|in|to|and|behind|while|very|close|slowly|quickly|my"
    r"|your)(?: |$)(?!the window))"
)
_RISES = forms(
    "fly",
    "go",
    "move",
    "float",
    "lift",
    "shoot",
    "swoop",
    "drift",
    "zoom",
    "shift",
    "pan",
    "sweep",
    "travel",
    "glide",
    "soar",
)
_AROUND = r"(?:round and round|all the way around|around|round|about|in a circle|in circles|in a full circle)"

_COUNT = r"\d+|one|two|three|four|five|six|a|half a"
_LAPS = (
    r"(?:full |complete |whole )?(?:circles|turns|laps|rounds|loops|rotations|revolutions|orbits|circle|turn"
    r"|lap|loop|rotation|revolution|orbit)"
)

MOTION_PATTERNS: list[tuple[str, str]] = [
    ("turns", rf"(?P<num>{NUM}|one) times?|(?P<often>once|twice|thrice)"),
    ("turns", rf"(?P<num>{_COUNT}) {_LAPS}"),
    ("circle", rf"(?:do|does|did|doing)(?= (?:{_COUNT}) {_LAPS} {_AROUND} {LISTENER})"),
    (
        "spin",
        r"(?:in a |in )?(?P<spin>clockwise|counterclockwise|counter clockwise|anti "
        r"clockwise)(?: direction)?",
    ),
    (
        "then",
        r"(?:and )?(?:then|thereafter|from then on|from there on|whereupon|at which point|afterwards"
        r"|afterward|after that|after (?:it|this)(?= (?:goes|moves|is"
        r"|comes|turns|flies|walks))|later on|later|next(?! to)|finally"
        r"|subsequently|eventually|followed by"
        r"|before (?=moving|going|coming|flying|turning|passing|circling|walking))",
    ),
    (
        "extent",
        r"(?:spread|spreads|spreading|stretch|stretches|stretched|stretching|extend|extends|extending"
        r"|extended"
        r"|reaches|span|spans|spanning|range|ranges|ranging|arranged|lined up|distributed|fanned|arrayed"
        r"|seated|spaced)(?: out)?"
        r"(?: all the way| evenly)*(?= (?:from|in an arc|in a line|across))",
    ),
    (
        "oscillate",
        r"(?:(?:back and forth |to and fro )?between (?:the |my |your )?(?:left|right)(?: side| ear|"
        r" channel| speaker)?"
        r" and (?:the |my |your )?(?:left|right)(?: side| ear| channel| speaker)?|back and forth|to and"
        r" fro|from side to side|side to side|backward and "
        r"forward|ping pong|pingpong|(?:in |through )?(?:a |an )?figures?(?: of)? (?:eights?|8s?))",
    ),
    (
        "return",
        r"(?:and )?(?:then )?(?:returns?|comes back|goes back|back)(?: again)?(?: to the "
        r"start)?(?= |$)(?! to| and)",
    ),
    ("circle", rf"{forms('circle', 'orbit', 'revolve')}(?: {_AROUND})?(?: {LISTENER}| {SCREEN})?"),
    (
        "circle",
        rf"{MOVES} (?:(?P<spin>clockwise|counterclockwise) )?(?:all )?{_AROUND}(?: {LISTENER}| "
        rf"{SCREEN})|{_AROUND} (?:my|your|the) head",
    ),
    (
        "circle",
        rf"{MOVES} (?:round and round|in a circle|in circles|in a full circle|in "
        rf"rings)(?: {_AROUND} {LISTENER})?",
    ),
    ("circle", rf"(?:all the way )?(?:around|round) {LISTENER}"),
    ("circle", rf"in (?:a )?(?:full |wide |slow |big |small )?circles?(?: {_AROUND} {LISTENER})?"),
    (
        "pass",
        rf"(?:{forms('pass', 'cross')}|(?P<overtakes>{forms('overtake')})(?! (?:it|him|her|them|the|a) ))"
        rf"(?: (?:by|past|through|across|along))?(?: {LISTENER}| {SCREEN})?",
    ),
    ("pass", rf"{forms('overtake')}"),
    (
        "recede",
        r"(?:die|dies|died|dying|ebb|ebbs|ebbing|trail|trails|trailing|tails?|tailing) (?:away|off)",
    ),
    ("pass", rf"(?:{MOVES} )?from (?:one )?(?:ear|side) to (?:the other(?: ear| side)?|ear|side)"),
    (
        "pass",
        rf"(?:{MOVES} )?(?:past {LISTENER}|by {LISTENER}|across {SCREEN}|(?:right |close "
        rf")?(?:past|by|across){_ENDS})",
    ),
    ("approach", rf"{forms('approach')}(?: {LISTENER})?"),
    (
        "approach",
        rf"(?:{_GETS} (?:in )?(?:closer|nearer)|(?:{_GETS} )?(?:(?:right |straight |slowly "
        rf")*(?:toward|towards"
        rf"|up to) {LISTENER}|closer and closer|nearer and nearer|more and more (?:near|close|closer"
        rf"|nearer)))(?: and (?:closer"
        rf"|nearer))?(?: to {LISTENER})?(?! than)",
    ),
    (
        "approach",
        rf"{MOVES} up(?= from| behind| to)|(?:come|comes|coming) up(?: close| to "
        rf"{LISTENER})?(?! and| on| from the)|{_NEARS} (?:in(?= from)|near|up close|in close|close|to "
        rf"{LISTENER}|up to {LISTENER})",
    ),
    (
        "finish",
        r"(?:and )?(?:then )?(?:ends|ending|ended|finishes|finishing|winds|winding|stops"
        r"|stopping|end|finish|stop|comes to rest|ends up|end up|ending up|lands|landing|settles"
        r"|settling|halts|parks|arrives"
        r"|arriving|(?<=and )(?:crashes|smashes|hits|explodes|bursts|shatters|splashes))(?: up| down)?"
        r"(?= (?:right |far |close |just )?(?:on|in|at|behind|above|over|below|near|far|close"
        r"|beside|next|front|left|right|by|to|overhead|centre|middle|dead|az|azimuth|\d))(?! (?:at|in|on) \d+"
        r" (?:seconds|minutes)"
        r"|at the end)",
    ),
    (
        "start",
        r"(?:starts|starting|started|start|begins|beginning|begin|began)(?: off| out| up)?(?= (?:right |far"
        r" |close |just |hard )?(?:on|in|at|behind|above|over|below|near|far|close|beside|next|front|back"
        r"|rear|left|right|by|overhead|centre|middle|dead|az|azimuth|\d))(?! (?:at|in|on) (?:second )?\d+"
        r"(?: (?:seconds|minutes)|$| and))(?! (?:at|in) the (?:end|start|beginning))",
    ),
    ("recede", rf"{forms('recede', 'retreat', 'depart')}(?: from {LISTENER})?(?: into the distance)?"),
    (
        "recede",
        rf"(?:{_GETS}|(?:pull|pulls|pulled|pulling)(?! (?:away|off) (?:the|a|an|his|her|its|my|your|our|their"
        rf"|some|two|this|that|these|those)(?: |$))) (?:away|off(?! of| (?:the )?(?:screen|camera|stage|frame"
        rf"|picture)(?: |$))|further|further away"
        rf"|further and further|further and further away"
        rf"|further off|into the distance|off into the distance|away into the "
        rf"distance)(?: from {LISTENER})?(?: into the distance)?",
    ),
    (
        "recede",
        r"(?:disappear|disappears|disappearing|vanish|vanishes|vanishing)(?: (?:in|into) the "
        r"distance)?|into the distance|leaves|leaving|going away",
    ),
    (
        "rise",
        rf"{forms('rise', 'ascend', 'climb', 'soar')}(?: up| upward| upwards| higher and higher| higher|"
        rf" into the"
        rf" (?:air|sky))?|{_RISES} (?:up"
        rf"|upward|upwards|higher|up high|up into the (?:air|sky)|into the (?:air|sky))",
    ),
    ("rise", r"(?:takes?|taking|lifts?|lifting) off"),
    (
        "fall",
        rf"{forms('fall', 'descend', 'sink', 'drop', 'plunge', 'land')}(?: down| downward| "
        rf"downwards)?|{MOVES} (?:down|downward|downwards|lower)",
    ),
    (
        "window",
        rf"(?:from|between|during)(?: second| seconds)? (?P<a>{NUM})(?: (?:seconds|minutes))? "
        rf"(?:to|until|till|and|through|-) (?:second )?(?P<b>{NUM})(?: {_U})?(?: mark)?"
        rf"(?! (?:degrees|azimuth))"
        rf"|(?:at |from |between )?(?P<ta>\d+:\d\d) (?:to|until|till|and|-) (?P<tb>\d+:\d\d)",
    ),
    (
        "window",
        rf"(?:(?:at|for|during|in|on|only|seconds) )?(?P<a>{NUM})(?: seconds)? (?:to|until|-) "
        rf"(?P<b>{NUM}) {_U}|seconds (?P<a2>{NUM}) (?:to|until|-) (?P<b2>{NUM})",
    ),
    (
        "after",
        rf"(?:(?:and )?{_any(_STARTS)} )?(?:only )?(?:after|from|at|since|about)(?: the)?(?: "
        rf"first| second)? (?:about )?(?P<a>{NUM}) {_U}(?: mark| on| onward| onwards| in)?(?! "
        rf"(?:to|until|till|-))",
    ),
    ("after", rf"(?P<a>{NUM}) {_U}(?= \])"),
    ("after", rf"(?:from|at|after|since) second (?P<a>{NUM})(?: on| onwards?)?(?! (?:to|until|-|seconds))"),
    (
        "after",
        rf"(?:and )?(?P<a>{NUM}) {_U} (?:later|in|into)(?: it)?|(?:from|at|after) "
        rf"(?P<ta>0:\d\d)(?: on)?",
    ),
    (
        "until",
        rf"(?:(?:and )?{_any(_STOPS)} )(?:sounding |barking |playing )?(?:at|after|by) "
        rf"(?P<a>{NUM}) {_U}|(?:until|till|up to|before)(?: the)?(?: second)? (?P<a2>{NUM}) "
        rf"{_U.replace('?P<u>', '?P<u2>')}(?: mark)?",
    ),
    (
        "first",
        rf"(?:(?:for|during|in|over|within|only) )*(?:only )?the (?:first|opening|initial) "
        rf"(?P<a>{NUM}) {_U}{_CLIP}",
    ),
    (
        "last",
        rf"(?:(?:for|during|in|over|within|only) )*(?:only )?the (?:last|final|closing) "
        rf"(?P<a>{NUM}) {_U}{_CLIP}",
    ),
    ("pace", rf"(?:over|within|taking|in)(?: about| the)? (?P<a>{NUM}) {_U}"),
    ("length", rf"(?:for|lasting|lasts)(?: about| only| just)? (?P<a>{NUM}) {_U}(?: long)?"),
    ("at_end", rf"(?:only )?(?:at|near|toward|towards|in|by) the (?:very )?end{_CLIP}"),
    (
        "at_start",
        rf"(?:only )?(?:at|in|from|near) the (?:very )?(?:start|beginning|outset){_CLIP}"
        rf"|initially|at first",
    ),
    ("first_half", rf"(?:(?:in|during|for|over) )?the first half{_CLIP}"),
    (
        "second_half",
        rf"(?:(?:in|during|for|over|from) )?the (?:second|last|other) half{_CLIP}|(?:from "
        rf")?(?:half way|halfway|midway)(?: through| in){_CLIP}(?: on)?"
        r"|(?:from|in|at) the middle of the (?:clip|video|recording|song|piece|track)",
    ),
    ("whole", rf"every (?:{NUM} )?(?:seconds|minutes)|every now and then|again and again|repeatedly"),
    (
        "whole",
        r"throughout|(?:for |all )?the (?:whole|entire|full) (?:time|clip|scene|video"
        r"|duration)|all the time|constantly|continuously|the rest|for the rest(?: of the time)?",
    ),
]
