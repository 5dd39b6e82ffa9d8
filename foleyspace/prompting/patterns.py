"""The set phrases of place and distance, as regular expressions over normalised words.

Each entry is a kind and a pattern; the named groups say what it holds (`prep`, `side`, `num`,
`mod`, ...). `prompting.scan` tries them all at a word and takes the longest.
"""

from __future__ import annotations

HOURS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
NUM = r"[+-]?\d+(?:\.\d+)?"
LISTENER = (
    r"(?:(?:the |my |your |our |a )?(?:listener|viewer|camera|audience|head|microphone|mic"
    r"|player|observer|user|subject|participant|hearer|wearer|dummy head|manikin|hero|protagonist"
    r"|nose|face|body|spectator|chair|seat|position|foot|feet|legs|knees)(?: 's (?:head|position"
    r"|seat|view))?|me|you|us|myself|yourself)"
)
SCREEN = (
    r"(?:(?:the |my |this |your |our )?(?:stereo |sound |whole |entire )?(?:screen|picture|frame"
    r"|image|stage|scene|room|video|view|shot|field|panorama|soundstage|mix|space|hall|world|display|clip"
    r"|stereo image))"
)
POSS = (
    r"(?:(?:the|my|your|our|a|an|(?:the )?(?:listener|viewer|camera|audience|player|observer"
    r"|user|spectator) 's) )?"
)
PREP = (
    r"(?:(?:somewhere |over |out |way |straight |off )?(?P<prep>from|to|toward|into|onto|on|at|in|by"
    r"|along|via|through|across|over|off|out|past|within) )?"
)
SIDE = r"(?P<side>left|right|l|r)"
WEAK = (
    r"slightly|slight|a little bit|a little|little|a bit|bit|a touch|a tad|just|somewhat"
    r"|marginally|gently|barely"
)
HALF = r"half|halfway|half way|mid|middle|centre|moderately|partially|partly"
HARD = (
    r"hard|far|extreme|extremely|fully|full|all the way|way|wide|completely|directly|immediately|exactly|due"
    r"|totally|sharp|straight|further|immediate|extreme|near"
)
MOD = rf"(?:(?P<mod>(?:{WEAK}|{HARD})(?: (?:off|over|out))?) )?"
PART = (
    r"(?: (?P<part>side|ear|ears|shoulder|channel|speaker|headphone|earphone|cheek|flank|half"
    r"|edge|corner|wing|third"
    r"|foot|feet|arm|elbow|hand|hand side|end|rear corner|position|direction|wall))?"
)
_AT = (
    r"(?:(?:about|roughly|around|approximately|exactly|nearly|almost|some|an angle of|an "
    r"azimuth of|the|my|your|maybe|approx|approx \.|~) )*"
)

PLACE_PATTERNS: list[tuple[str, str]] = [
    (
        "lateral",
        MOD + PREP + POSS + rf"(?:(?:stage|screen|camera|house|audience|cam|frame|picture) "
        rf")?(?:(?P<mod2>{WEAK}|{HALF}|{HARD}) )?"
        + SIDE
        + "(?: hand)?"
        + PART
        + rf"(?: (?P<mod3>{WEAK})(?=$| [,.;:)]))?",
    ),
    ("lateral", r"(?:over|behind) (?:my|your|the) (?P<shoulder>left|right)? ?shoulder"),
    (
        "back",
        PREP + POSS + r"(?:very |far |direct )?(?P<depth>back|rear)(?: side| centre| half| end| part"
        rf"| channel| speakers?| wall| area)?(?: of (?:{LISTENER}|{SCREEN}))?",
    ),
    (
        "back",
        r"(?:in|at|on) (?:my|your) back|in back of (?:me|you|us)|at (?:my|your) (?:six|6)"
        r"|behind (?:my|your) (?:back|head|ears?)",
    ),
    (
        "front",
        PREP + POSS + r"(?:very |direct |dead |straight )?(?P<depth>front)(?: side| half"
        r"| end| part| speakers?"
        rf"| channel| area)?(?: of (?:{LISTENER}|{SCREEN}))?",
    ),
    (
        "front",
        rf"(?:(?P<prep>from|to|at) |right )?(?:directly |straight |dead |just |somewhere |up "
        rf"|way )*(?:front and centre|in front|in the front|up front"
        rf"|ahead|straight on|opposite {LISTENER}|facing {LISTENER}|before {LISTENER}|ahead of "
        rf"{LISTENER}|in front of {LISTENER})"
        rf"(?: of (?:{LISTENER}|{SCREEN}))?",
    ),
    ("front", r"(?P<prep>forward)"),
    (
        "centre",
        PREP + POSS + r"(?:very |dead |exact |exactly |phantom |front )*(?P<depth>centre|middle|mono)"
        rf"(?: (?:stage|channel|speaker|position|front))?(?: of (?:{LISTENER}|{SCREEN}))?",
    ),
    ("centre", r"(?P<c>c)"),
    (
        "corner",
        rf"(?:(?P<prep>from|to|at|in) )?(?:{WEAK} )?(?P<code>fl|fr|lf|rf|bl|br|rl|rr|lb|rb|ls|rs|sl|sr)",
    ),
    (
        "clock",
        r"(?:(?P<prep>at|from|to|toward|around|near|on|in) )?"
        + _AT
        + rf"(?P<hour>{NUM}|\d+:\d\d) oclock(?: position| direction)?",
    ),
    (
        "clock",
        rf"(?P<prep>at|on|from|to) (?:my|your|our) (?P<hour>\d+|{HOURS})(?=$| [,.;:!?)]| (?:and|while|a"
        rf"|the) )",
    ),
    ("clock", rf"(?P<prep>at|from|to) (?P<hour>{HOURS})(?=$| [,.;:!?)]| and )"),
    ("clock", r"(?:(?P<prep>at|from|to|around) )?half past (?P<past>\d+)(?: oclock)?(?: position)?"),
    ("clock", r"(?P<prep>at) (?P<hour>[1-9]|1[0-2])(?=$| [,.;)]| and (?:a|an|the) )"),
    ("clock", r"(?P<prep>at|from|to) (?P<hour>1?[1-9]:(?:00|30)|10:(?:00|30))"),
    (
        "azimuth",
        r"(?:(?P<prep>at|from|to|on|by|in) )?"
        + _AT
        + rf"(?P<num>{NUM}) degrees(?: off| out| away| over| angle)?(?: azimuth)?"
        + r"(?: (?:to|on|toward|off to|from|in|of|off|out to|over to))?(?: (?:the|my|your))?(?: hard| far)? "
        + SIDE
        + r"(?: hand)?(?: side)?",
    ),
    (
        "azimuth",
        r"(?:(?P<prep>at|from|to) )?(?:an |the |its )?(?:azimuth|az|azi|bearing)(?: angle)?(?: "
        r"(?:of|is|was|are|=|:|at))*(?: (?:about|around))? "
        rf"(?P<num>{NUM})(?: degrees)?(?: (?:to |on )?(?:the )?{SIDE})?",
    ),
    ("azimuth", r"(?:(?P<prep>at|from|to) )?" + _AT + rf"(?P<num>{NUM})(?: degrees)? (?:azimuth|azi|az)"),
    ("elevation", rf"(?:at )?(?P<num>{NUM})(?: degrees)? (?:elevation|elev|el)"),
    (
        "azimuth",
        rf"(?:anywhere )?between (?P<num>{NUM})(?: degrees)? and (?P<num3>{NUM}) degrees"
        r"(?: (?:to|on|off to))?(?: (?:the|my|your))? " + SIDE,
    ),
    ("clock", rf"(?:anywhere )?between (?P<hour>{NUM})(?: oclock)? and (?P<hour2>{NUM}) oclock"),
    (
        "azimuth",
        rf"(?:(?P<prep>at|from|to) )?(?P<num>\d\d+) {SIDE}|(?:at )?(?P<side2>l|r|left|right)(?: by| at)? "
        rf"(?P<num2>\d\d+)(?! (?:seconds|minutes|metres|feet|oclock|times|percent|yards"
        rf"|centimetres))(?: degrees)?",
    ),
    (
        "azimuth",
        r"(?:(?P<prep>at|to|from|by) )?(?P<pct>\d+(?:\.\d+)?) percent (?:to the |to |on "
        r"the )?" + SIDE,
    ),
    (
        "azimuth",
        r"(?:(?P<prep>at|to|from|by) )?(?:hard |panned )?" + SIDE + r" (?:by |at "
        r")?(?P<pct>\d+(?:\.\d+)?) percent",
    ),
    ("angle", r"(?:(?P<prep>at|from|to|by) )?" + _AT + rf"(?P<num>{NUM}) degrees"),
    (
        "elevation",
        r"(?:at |with )?(?:an |the |and )?(?:elevation|elev|el|pitch)(?: angle)?(?: (?:of|is|was|=|:"
        r"|at|\.))*(?: (?:about|around))? "
        rf"(?P<num>{NUM})(?: degrees)?(?: (?P<way>up|down))?",
    ),
    ("elevation", rf"(?:elevated|raised|lifted|tilted up)(?: (?:by|to|at))? (?P<num>{NUM}) degrees"),
    (
        "elevation",
        r"(?:(?:at|from|and|tilted|elevated|raised|by|lifted) )*" + _AT + rf"(?P<num>{NUM})(?: "
        rf"degrees(?: (?:in|of))?|(?= (?:up|down)(?: |$)))"
        r" (?P<way>up|upward|upwards|above|high|elevation|elevated|higher|down|downward"
        r"|downwards|below|low|lower|beneath)"
        rf"(?: (?:{LISTENER}|the horizon|the horizontal(?: plane)?|(?:ear|eye|head) (?:level"
        rf"|height)|horizontal))?",
    ),
    (
        "level",
        r"(?:(?:at|on|near) )?(?:my |your |about )?(?:the )?(?:same )?(?:ear|eye|head|mouth) (?:level"
        r"|height)|(?:at )?level with (?:me|my ears|my head|my eyes)",
    ),
    (
        "up",
        r"(?:(?P<prep>from) )?(?:(?:slightly|a little|a bit|way|directly|straight|high|right"
        r"|almost|up) )*(?:overhead|on top(?! of)|over head|over (?:my|your|the|our) heads?"
        r"|high up|up high|way up|up above|high above|up there|up in the (?:air|sky|clouds)"
        r"|high in the (?:air|sky)|in the (?:air|sky|clouds)|(?:from|on|at|near|in) the (?:ceiling|sky"
        r"|rafters|rooftop|treetops|attic|loft|floor above)|upstairs|from high up|from on high)",
    ),
    (
        "up",
        r"(?:(?P<prep>at|in|on|near|from|to|toward) )?(?:the |my )?(?P<edge>top|upper)(?= "
        r"(?:left|right|l|r|corner))",
    ),
    (
        "down",
        r"(?:(?P<prep>at|in|on|near|from|to|toward) )?(?:the |my )?(?P<edge>bottom"
        r"|lower)(?= (?:left|right|l|r|corner))",
    ),
    ("up", r"(?P<prep>from|to|at|on)?(?: )?(?:the )?(?P<top>top)(?= (?:to (?:the )?bottom))"),
    (
        "down",
        r"(?:at|by|near|around|from|under|beside|on|next to|close to) (?:my|your|the|the listener 's"
        r"|our) (?:feet|foot|ankles|toes|shoes|legs|knees)|(?:from |at )?(?:down low|low down"
        r"|way down|down below|down there|downstairs|underground|foot level|floor level|at the "
        r"level of the floor)|(?:under|below|beneath|from) the (?:floor|ground)",
    ),
    ("up", r"(?P<prep>from|at|on) (?:the )?top(?! of)(?= |$)"),
    ("updown", r"(?P<low>high|low|up|upward|upwards|down|downward|downwards|raised|elevated)"),
    (
        "distance",
        r"(?:(?P<prep>from|to|at|within|until) )?(?:a )?(?:(?:distance|dist|radius|range|r|d) "
        r")?(?:(?:of|is|=|:|at|only|just) )*" + _AT + rf"(?P<num>{NUM}) "
        r"(?P<unit>metres|centimetres|kilometres|feet|yards|miles|inches|paces)"
        rf"(?: (?:away|off|out|distant|distance|range|apart))?(?: from {LISTENER}| to {LISTENER})?",
    ),
    (
        "near",
        rf"(?:(?P<prep>from|to|at) )?(?P<very>very |really |extremely |super |so |uncomfortably "
        rf"|too |right up |up )?(?:close|near|nearby|closeby|up close|close up|closely)"
        rf"(?: by| up| range| at hand| in| enough| quarters)?(?: to {LISTENER}| {LISTENER})?",
    ),
    (
        "near",
        rf"(?:right |just |directly |immediately )?(?:next to|beside|alongside|close to|near to"
        rf"|by) {LISTENER}|(?:at|by) (?:my|your) side|at close range|within (?:my )?(?:arm 's "
        rf")?reach"
        r"|in the (?:near )?foreground|(?:an )?arm 's length(?: away)?|(?:right )?here",
    ),
    (
        "ear",
        r"(?:right |up |very |really |whispered |directly |straight )*(?:close to|next to|at|in"
        r"|into|by|near|beside|against|to) (?:my|your|the|the listener 's) (?:very "
        r")?(?P<side>left|right)?(?: hand)? ?ears?",
    ),
    ("far", r"(?:further|more distant)(?: away| off| back| out)?(?! than| left| right| to)"),
    ("near", r"(?:closer|nearer)(?=$| [,.;:!?)]| (?:a|an|the) )"),
    (
        "mid",
        r"(?:not (?:too |very |so )?far(?: away| off)?|neither (?:close|near) nor far(?: away| off)?"
        r"|(?:at )?(?:a )?(?:medium|mid|middle"
        r"|moderate) (?:distance|range))",
    ),
    (
        "far",
        r"(?:(?P<prep>from|to|at|into) )?(?P<very>very |really |extremely |so |incredibly "
        r"|super )?(?:quite |fairly |pretty |rather )?far(?: far)?(?: away| off| out| in the "
        r"distance| from me| from us| from here)?"
        r"(?: in the distance)?",
    ),
    (
        "far",
        r"(?:a|an|one|two|three|four|five|several|a few|many|\d+) (?:gardens?|streets?|houses?|rooms?"
        r"|doors?|blocks?"
        r"|rows?|fields?|floors?|hills?|valleys?|villages?) (?:away|off|down|over)",
    ),
    (
        "far",
        r"(?:(?:off|away|out|far|very|somewhere) )*(?:(?P<prep>in|into|from|at|to) )(?:the |a "
        r")?(?:(?P<very>far|great|long|considerable) )?(?:distance|background|horizon|afar)"
        r"|distant|distantly|afar|remote|(?P<very2>very) distant|miles away|a long way (?:off"
        r"|away)|on the horizon",
    ),
    (
        "spread",
        rf"(?:from |on |in |at )?(?:all around|all round|everywhere|all sides|all directions"
        rf"|every direction|every side|everywhere around)(?: of)?(?: {LISTENER})?|(?:around|round) {LISTENER}"
        rf"|(?:surround|surrounds|surrounding|envelops|enveloping|surrounded by)(?: "
        rf"{LISTENER})?(?: (?:from|on) all sides)?|(?:wide|global)(?=$| [,.;:!?)])",
    ),
    (
        "offscreen",
        r"(?:(?P<prep>to|from) )?(?:offscreen|off (?:the )?(?:screen|camera|picture|frame|stage)"
        r"|out of (?:my |the )?(?:sight|view|frame|shot|picture|screen|image)"
        r"|(?:not|never) (?:visible|seen|on (?:the )?screen|in (?:the )?(?:picture|view|shot"
        r"|frame))|unseen|invisible|off(?= [,)])"
        r"|outside (?:of )?(?:the )?(?:frame|picture|screen|shot|view|image)|beyond the (?:frame"
        r"|screen|picture))",
    ),
    (
        "onscreen",
        r"(?:on (?:the )?screen|on camera|onscreen|visible|in view|in shot|in frame|in "
        r"(?:the )?picture)",
    ),
]
