"""Ways of saying the same: prepositions of other languages, phrasal verbs, coordinates in brackets, each with
the plain words that stand for it (`\\1`: what the pattern's first group matched)."""

from __future__ import annotations

from foleyspace.prompting.patterns import NUM

_SIDE = r"(?:left|right|l|r)"
_SPOT = r"(?:spot|place|point|position|location|area|region|corner)"
_DEGREES = rf"(?:az |azimuth |azi )?({NUM})(?: degrees)?(?: azimuth)?"
_HIGH = rf"(?:el |elev |elevation )?({NUM})(?: degrees)?(?: elevation)?"

# the words, what stands there instead; read on the tokens joined by spaces, anywhere in the text
REWRITES: list[tuple[str, str]] = [
    # prepositions
    (
        r"(behind|beside|near|above|below|beneath|under|opposite|against) (?:of|to)"
        r"(?= (?:the |a |my |your )?\w)(?! (?:the |my )?(?:left|right|front|back|rear|side|top|bottom|above"
        r"|below|afar|far|centre|middle|ceiling|floor|ground|\d))(?! \w+ to )",
        r"\1",
    ),
    (r"(?:in|on|at) (?:the )?front (?:of|to) (?:the )?(me|us|you)(?= |$)", r"in front of \1"),
    (r"(?:at|on|to|in|from) (?:the )?(left|right)(?: hand)?(?: side)? (?:from|to|of) (?:the )?(?:me|us|you)"
     r"(?= |$)", r"on the \1"),
    (rf"(?:until|till|as far as|all the way to|over to|through to|right over to|out to|up to)"
     rf"(?= (?:the |my |your |our )?(?:far |hard )?(?:{_SIDE}|front|back|rear|centre|middle)(?: |$))", "to"),
    (rf"(to|at|from|in|into|toward) (?:a|the|some|its|his|her|their) {_SPOT} (?=(?:behind|beside|between"
     r"|above|below|in front|next to|near|to the) )", r"\1"),
    (rf"(from|to) (?:this|that|one|the one|the other|another) (?:side|end) ,(?= (?:the |my |your )?{_SIDE}"
     r"(?: |$))", r"\1"),
    (r"in (?:front of )?(?:my|your|our) (?:face|nose)(?= |$)", "very close in front of me"),
    # on a ship
    (r"port(?= .*starboard)", "left"),
    (r"starboard", "right"),
    (r"(left|right) [(\[] \1 [)\]]", r"\1"),
    (r"under (?:my|his|her|its|their) breath(?= |$)", ""),
    # verbs of two words, whose second is no place
    (r"(lay|bring|drop|throw|mix|add|blend|fade|slip|pop|put|slide|toss|chuck|ease|weave|cut) (?:in|down)"
     r"(?= (?:a|an|the|some|my|two|three) )", r"\1"),
    (r"(?:turn|switch) (?:on|up)(?= (?:a|an|the|some|my|two|three) )", "put"),
    (r"(?:joined|answered|interrupted|accompanied|followed)((?: (?!by )[\w.]+){1,4}) by"
     r"(?= (?:a|an|the|another|some|two) )", r",\1"),
    (r"(?:(?:is|are|was|were|gets) )?(?:answered|interrupted) by(?= )", "and"),
    (r"(?:what|how) about(?= )", ""),
    (r"(?:falls?|falling|fell|goes|going|went|gets?|becomes?|became|turns?|grows?) (?:silent|quiet|dead|dark"
     r"|mute|still)(?= |$)", "stops"),
    # what is not so
    (r"neither (?:[\w-]+ ){1,4}nor (?:[\w-]+ ){1,4}?(?:, )?but(?= )", ""),
    (r"not (?:the|a|an) (?:[\w-]+ ){1,2}but(?= (?:the|a|an) )", ""),
    (r"that (?:i|you|we|one)(?: can| could)?(?: almost| nearly)? (?:feel|hear|sense|touch)"
     r" (?:it|him|her|them)(?= |$)", ""),
    # "an 8d effect on the singer"
    (r"(?:an? |the |some )?(?:(?!at|in|on|to|and|of)\w+ ){0,3}(?:effects?|panning|rotation) (?:on|to|for)"
     r"(?= (?:the|a|my) (?!left|right|front|back|centre))", ""),
    # coordinates in brackets: azimuth, elevation, distance
    (rf"(?:at )?[(\[] {_DEGREES} , {_HIGH} , (?:r |d |dist |distance )?({NUM})(?: metres)? [)\]]",
     r"( azimuth \1 elevation \2 \3 metres )"),
    (rf"(?:at )?[(\[] {_DEGREES} , {_HIGH} [)\]]", r"( azimuth \1 elevation \2 )"),
    (r"[(\[] ([+-]\d+|0|\d\d\d?)(?: degrees)? [)\]]", r"( azimuth \1 )"),
    # "at 10 and 2 o'clock"
    (rf"({NUM}) (and|or|,) ({NUM}) (degrees|oclock)(?= |$)", r"\1 \4 \2 \3 \4"),
    (rf"from ({NUM}) to ({NUM}) degrees(?= |$)", r"from \1 degrees to \2 degrees"),
    (r"(from|to) the (?:player|viewer|user|hero|listener|speaker) (?=(?:on|at|to|in) (?:the|my) (?:left|right"
     r"|front|back|centre)(?: |$))", r"\1"),
    # several of those named before
    (r"both of (?:them|these|those|us)(?= |$)", "both"),
    (r"all (?:of (?:them|these|those)|three|four)(?= (?:are|were|stand|sit|come|on|in|at|behind) )", "they"),
]  # fmt: skip
