"""The set phrases of distance, as regular expressions (see `prompting.patterns`)."""

from __future__ import annotations

from foleyspace.prompting.patterns import AT, LISTENER, NUM

DISTANCE_PATTERNS: list[tuple[str, str]] = [
    (
        "distance",
        r"(?:(?P<prep>from|to|at|within|until) )?(?:a )?(?:(?:distance|dist|radius|range|r|d) "
        r")?(?:(?:of|is|=|:|at|only|just) )*" + AT + rf"(?P<num>{NUM}) "
        r"(?P<unit>metres|centimetres|kilometres|feet|yards|miles|inches|paces)"
        rf"(?: (?:away|off|out|distant|distance|range|apart))?(?: from {LISTENER}| to {LISTENER})?",
    ),
    (
        "distance",
        r"(?:distance|dist|radius|range) (?:(?:of|is|=|:) )?(?P<num>\d+(?:\.\d+)?)(?! (?:degrees|oclock))",
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
    ("near", r"(?:nearest|closest)(?: to (?:me|us|you))?(?=$| [,.;:)]| (?:on|in|is) )"),
    ("far", r"(?:farthest|furthest)(?: (?:from (?:me|us|you)|away))?(?=$| [,.;:)]| (?:on|in|is) )"),
    ("near", r"(?:closer|nearer)(?=$| [,.;:!?)]| (?:a|an|the) )"),
    (
        "near",
        r"(?:just |only |mere |a few )*(?:inches|centimetres|millimetres)(?: away)? from (?:my|your|the)"
        r" (?:\w+ )?(?:face|nose|ear|ears|head|cheek|eyes)|(?:at|from) point-blank(?: range)?"
        r"|at (?:my|your) elbow",
    ),
    (
        "far",
        r"(?:from )?(?P<over>across|over|beyond) the (?:valley|lake|hills?|fields?|river|bay|water|mountains?"
        r"|rooftops|plains?|woods|forest|meadows?|sea)|(?:at|from|on|to) the far (?:end|side|edge)"
        r"(?: of (?:the|a) \w+)?|ages away",
    ),
    ("mid", r"a stone 's throw(?: away| off)?"),
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
]
