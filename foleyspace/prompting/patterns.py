"""The set phrases of place and distance, as regular expressions over normalised words.

Each entry is a kind and a pattern; the named groups say what it holds (`prep`, `side`, `num`,
`mod`, ...). `prompting.scan` tries them all at a word and takes the longest.
"""

from __future__ import annotations

HOURS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
NUM = r"[+-]?\d+(?:\.\d+)?"
LISTENER = (
    r"(?:(?:the |my |your |our |a )?(?:listener|viewer|camera|audience|head|microphone|mic"
    r"|players?|viewers|listeners|visitors|users|observer|user|subject|participant|hearer|wearer"
    r"|dummy head|manikin|hero|protagonist"
    r"|nose|face|body|spectator|visitor|onlooker|bystander|chair|seat|position|foot|feet|legs|knees)"
    r"(?: 's (?:head|position"
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
    r"|marginally|gently|barely|a shade|a hair|a fraction|a smidge|a tiny bit|a wee bit|a little way"
)
HALF = r"half|halfway|half way|mid|middle|centre|moderately|partially|partly"
HARD = (
    r"hard|far|extreme|extremely|fully|full|all the way|way|wide|completely|directly|immediately|exactly|due"
    r"|totally|sharp|straight|further|immediate|extreme|near"
)
MOD = rf"(?:(?P<mod>(?:{WEAK}|{HARD})(?: (?:off|over|out))?) )?"
PART = (
    r"(?: (?P<part>side|ear|ears|shoulder|channel|(?:loud)?speakers?|monitor|headphone|earphone|earcup|cheek"
    r"|temple|flank|half|knee|thigh|hip|ankle|wrist|leg"
    r"|edge|corner|wing|third"
    r"|foot|feet|arm|elbow|foreground|background|hand|hand side|end|rear corner|position|direction|wall))?"
)
AT = (
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
        PREP + POSS + r"(?:very |(?P<far>far) |direct )?(?P<depth>back|rear)(?: side| centre| half| end| part"
        rf"| channel| speakers?| wall| area)?(?: of (?:{LISTENER}|{SCREEN}))?",
    ),
    (
        "back",
        r"(?:in|at|on) (?:my|your) back|in back of (?:me|you|us)|at (?:my|your) (?:six|6)"
        r"|behind (?:my|your) (?:back|head|ears?|neck)"
        r"|(?:at|on|near|by|down|against) (?P<near>(?:the )?(?:nape of )?(?:my|your) (?:neck|nape))",
    ),
    (
        "front",
        PREP + POSS + r"(?:very |direct |dead |straight )?(?P<depth>front)(?: side| half"
        r"| end| part| speakers?"
        rf"| channel| area)?(?: of (?:{LISTENER}|{SCREEN}))?",
    ),
    (
        "front",
        rf"(?:(?P<prep>from|to|at) |right )?(?:(?<=from )right )?(?:directly |straight |dead |just "
        rf"|somewhere |up |way )*(?:front and centre|in front|in the front|up front"
        rf"|ahead|straight on|opposite {LISTENER}|facing {LISTENER}|before {LISTENER}|ahead of "
        rf"{LISTENER}|in front of {LISTENER})"
        rf"(?: of (?:{LISTENER}|{SCREEN}))?",
    ),
    ("front", r"(?P<prep>forward)"),
    ("front", r"(?:at|on|by|near|before) (?:my|your|the listener 's) (?P<near>nose|chin|mouth|forehead)"),
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
        + AT
        + rf"(?P<hour>{NUM}|\d+:\d\d) oclock(?: position| direction)?",
    ),
    (
        "clock",
        rf"(?P<prep>at|on|from|to) (?:my|your|our) (?P<hour>\d+|{HOURS})(?=$| [,.;:!?)]| (?:and|while|a"
        rf"|the) )",
    ),
    ("clock", rf"(?P<prep>at|from|to) (?P<hour>{HOURS})(?=$| [,.;:!?)]| and )"),
    ("clock", r"(?:(?P<prep>at|from|to|around) )?half past (?P<past>\d+)(?: oclock)?(?: position)?"),
    ("clock", r"(?P<prep>to) (?P<hour>[1-9]|1[0-2])(?=$| [,.;)])"),
    ("clock", r"(?P<prep>at) (?P<hour>[1-9]|1[0-2])(?=$| [,.;)]| and (?:a|an|the) )"),
    ("clock", r"(?P<prep>at|from|to) (?P<hour>1?[1-9]:(?:00|30)|10:(?:00|30))"),
    (
        "azimuth",
        r"(?:(?P<prep>at|from|to|toward|on|by|in) )?"
        + AT
        + rf"(?P<num>{NUM}) degrees(?: off| out| away| over| angle)?(?: azimuth)?"
        + r"(?: (?:to|on|toward|off to|from|in|of|off|out to|over to))?(?: (?:the|my|your))?(?: hard| far)? "
        + SIDE
        + r"(?: hand)?(?: side)?",
    ),
    (
        "azimuth",
        r"(?:(?P<prep>at|from|to) )?(?:an |the |its )?(?:azimuth|az|azi|bearing)(?: angle)?(?: "
        r"(?:of|is|was|are|=|:|at|to))*(?: (?:about|around))? "
        rf"(?P<num>{NUM})(?: degrees)?(?: (?:to |on )?(?:the )?{SIDE})?",
    ),
    ("azimuth", r"(?:(?P<prep>at|from|to) )?" + AT + rf"(?P<num>{NUM})(?: degrees)? (?:azimuth|azi|az)"),
    ("elevation", rf"(?:(?P<prep>from|to|at) )?(?P<num>{NUM})(?: degrees)? (?:elevation|elev|el)"),
    (
        "azimuth",
        rf"(?:anywhere )?between (?P<num>{NUM})(?: degrees)? and (?P<num3>{NUM}) degrees"
        r"(?: (?:to|on|off to))?(?: (?:the|my|your))? " + SIDE,
    ),
    ("clock", rf"(?:anywhere )?between (?P<hour>{NUM})(?: oclock)? and (?P<hour2>{NUM}) oclock"),
    ("clock", rf"(?P<hour>{NUM})(?: oclock)? (?:to|-) (?P<hour2>{NUM}) oclock"),
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
    (
        "spread",
        rf"(?:at |in |from )?(?:all |full )?360(?!\d) degrees(?: all)?(?: around| round)?(?: {LISTENER})?",
    ),
    ("angle", r"(?:(?P<prep>at|from|to|toward|by) )?" + AT + rf"(?P<num>{NUM}) degrees"),
    (
        "elevation",
        r"(?:(?P<prep>from|to|at|with) )?(?:an |the |and )?(?:elevation|elev|el|pitch)(?: angle)?(?:"
        r" (?:of|is|was|=|:"
        r"|at|\.))*(?: (?:about|around))? "
        rf"(?P<num>{NUM})(?: degrees)?(?: (?P<way>up|down))?",
    ),
    ("elevation", rf"(?P<way>up|down) (?:by )?(?P<num>{NUM}) degrees"),
    ("elevation", rf"(?:elevated|raised|lifted|tilted up)(?: (?:by|to|at))? (?P<num>{NUM}) degrees"),
    (
        "elevation",
        r"(?:(?:at|from|and|tilted|elevated|raised|by|lifted) )*" + AT + rf"(?P<num>{NUM})(?: "
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
        r"(?:(?P<prep>from|to(?! right)|toward) )?(?:(?:slightly|a little|a bit|way|directly|straight|high"
        r"|right|almost|up) )*(?:overhead|on top(?! of)|over head|over (?:my|your|the|our) heads?"
        r"|high up|up high|up top|way up|up above|high above|up there|up in the (?:air|sky|clouds)"
        r"|high in the (?:air|sky)|in the (?:air|sky|clouds)|(?:from|on|at|near|in) the (?:ceiling|roof|sky"
        r"|rafters|rooftop|treetops|attic|loft|floor above)|upstairs|from high up|from on high)",
    ),
    (
        "up",
        r"(?:(?P<prep>at|in|on|near|from|to|toward) )?(?:the |my )?(?P<edge>top|upper)(?= "
        r"(?:left|right|l|r|corner|centre|middle))",
    ),
    (
        "down",
        r"(?:(?P<prep>at|in|on|near|from|to|toward) )?(?:the |my )?(?P<edge>bottom"
        r"|lower)(?= (?:left|right|l|r|corner|centre|middle))",
    ),
    ("up", r"(?P<prep>from|to|at|on)?(?: )?(?:the )?(?P<top>top)(?= (?:to (?:the )?bottom))"),
    (
        "down",
        r"(?:at|by|near|around|from|under|beside|on|next to|close to) (?:my|your|the|the listener 's"
        r"|the player 's|our|his|her|their) (?:feet|foot|ankles|toes|shoes|legs|knees)"
        r"|(?:under|below|beneath|on|at) the"
        r" (?:floor|ground)|(?:at |from )?(?:underground|foot level|floor level|at the level of the floor)",
    ),
    (
        "down",
        r"(?:(?P<prep>from|to|toward|at) )?(?:(?:way )?(?:down low|low down)|way down|down below|down there"
        r"|lower down|underfoot|downstairs)|(?:at )?(?:knee|ankle|shin) (?:height|level)",
    ),
    ("down", r"(?P<prep>from|to|toward) the (?:floor|ground)"),
    ("up", r"(?P<prep>from|at|on) (?:the )?top(?! of)(?= |$)"),
    ("up", r"higher up"),
    ("up", r"(?P<edge>top)(?=$| [,.;:)])"),
    (
        "updown",
        r"(?:(?P<prep>from|to) )?(?P<low>high|low|up|upward|upwards|down|downward|downwards|raised|elevated)",
    ),
    (
        "spread",
        rf"(?:from |on |in |at )?(?:all around|all round|everywhere|all sides|all directions"
        rf"|every direction|every side|everywhere around)(?: of)?(?: {LISTENER})?|(?:around|round) {LISTENER}"
        rf"|(?:surrounds?|surrounding|surrounded|envelops?|enveloping|enveloped|engulfs?|engulfing|engulfed"
        rf"|encircles?|encircling|encircled)(?: by)?(?: "
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
