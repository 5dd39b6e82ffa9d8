"""Other ways of saying where something is, each with the plain words that stand for it (`rewrites.py`
begins with these)."""

from __future__ import annotations

from foleyspace.prompting.patterns import NUM

SIDE = r"(?:left|right|l|r)"
_SPOT = r"(?:spot|place|point|position|location|area|region|corner)"

PLACE_REWRITES: list[tuple[str, str]] = [
    # prepositions
    (
        r"(behind|beside|near|above|below|beneath|under|opposite|against) (?:of|to)"
        r"(?= (?:the |a |my |your )?\w)(?! (?:the |my )?(?:left|right|front|back|rear|side|top|bottom|above"
        r"|below|afar|far|centre|middle|ceiling|floor|ground|\d))(?! \w+ to )",
        r"\1",
    ),
    (r"(?:in|on|at) (?:the )?front (?:of|to) (?:the )?(me|us|you)(?= |$)", r"in front of \1"),
    (r"(?:at|on|to|in|from) (?:the )?(left|right)(?: hand)?(?: side)? (?:from|to|of) (?:the )?(?:me|us"
     r"|you)(?= |$)", r"on the \1"),
    (rf"(?:until|till|as far as|all the way to|over to|through to|right over to|out to|up to"
     rf"|(?<!all )a?round to)(?= (?:the |my |your |our )?(?:far |hard )?(?:{SIDE}|front|back|rear|centre"
     r"|middle)(?: |$))", "to"),
    (rf"(to|at|from|in|into|toward) (?:a|the|some|its|his|her|their) {_SPOT} (?=(?:behind|beside|between"
     r"|above|below|in front|next to|near|to the) )", r"\1"),
    (rf"(from|to) (?:this|that|one|the one|the other|another) (?:side|end) ,(?= (?:the |my |your )?{SIDE}"
     r"(?: |$))", r"\1"),
    (r"from (?:one|this) (?:side|end|horizon|edge|ear|wall) to (?:the|its|my) other(?: (?:side|end"
     r"|one))?(?: ,)? (?:from )?(?:the )?(left|right) to (?:the )?(left|right)(?= |$)", r"from \1 to \2"),
    (r"in (?:front of )?(?:my|your|our) (?:face|nose)(?= |$)", "very close in front of me"),
    # what a voice comes out of is not heard beside it
    (r"(voices?|speaks?|talks?|says?|sings?|speaking|talking|(?:comes?|coming|heard)(?: in| out)?) (?:over"
     r"|through|via) (?:a|an|the|my|his|her|our) (?:[\w-]+ )?(?:speakers?|loudspeakers?|intercom|tannoy"
     r"|radio|phone|telephone|megaphone|headset|walkie talkie)(?= |$)", r"\1"),
    # a place told ahead of the next sound
    (r"and , ((?:[\w']+ ){1,5}?), (?=(?:a|an|the|some|two|three|another|one|someone|somebody) )", r"; \1, "),
    (r"(?<!left )(?<!right )(?:, )?and ((?:(?:somewhere|high|far|off|up|directly|right|straight) ){0,2}"
     r"(?:above|below|behind|overhead|ahead|(?:to|on) the (?:left|right))(?: (?:me|us|you))?) , (?=(?:a|an"
     r"|the|some|my) [\w-]+ )", r"; \1 ,"),
    # what else is heard with it
    (r"(?:over|above|against|under|beneath|amid) (?:the|a) (?:[\w-]+ ){0,2}?(?:rush|roar|hum|drone|din"
     r"|murmur|hiss|rumble|sound|noise|patter|crackle|babble|buzz|whine|throb|wash|clatter) of(?= )", "and"),
    (r"(?<=[a-z] )with (?:a|an) (?:[\w-]+ )?(?:rattle|roar|bang|screech|squeal|rumble|whoosh|clatter|thud"
     r"|crash|jolt|shriek|bump|thump|jerk|clank|creak|groan|hiss)(?= [,.;]|$)", ""),
    (rf"another (?=(?:{NUM}|few) (?:seconds?|minutes?) (?:later|after|on)(?: |$))", ""),
    (r"((?:and|,|then) (?:moves|moving|drifts|drifting|shifts|shifting|wanders|wandering|travels|goes|going))"
     r" (?=(?:behind|above|in front of|over) (?:me|us|you)(?= |$)(?! from| to))", r"\1 to "),
    (r"(shower|tap|water|faucet|engine|motor|machine|dishwasher|fan|generator|fridge|pump|heater|stream|dryer"
     r"|washer|river|boiler) runs(?= (?!away|off|to the|towards?|past|from|into|through))", r"\1"),
    (r"for the (?:remaining (?:time|[\w-]+ seconds)|remainder)(?= |$)", "for the rest"),
    # straight above, but beside "left above"
    (r"(?:(?:on|to) the )?left and right (above|below|behind)(?: (?:me|us|you))?(?= |$)",
     r"\1 me on both sides"),
    (r"(left (?:above|below|behind)(?= |$)[^.;]*?) right (above|below|behind)(?= |$)", r"\1 \2 on the right"),
    (r"right (above|below|behind)(?=[^.;]* left (?:above|below|behind)(?: |$))", r"\1 on the right"),
    (rf"at ({NUM})(?: degrees)? (?:to the |on the )?(?:left and right|right and left|l and r)(?= |$)",
     r"at \1 degrees on each side"),
    # what falls is heard where it comes from
    (r"(from (?:the|a|my) (?:[\w-]+ )?(?:ceiling|roof|gutter|tap|pipe|branch|eaves)) (?:in|on)to"
     r" (?:a|an|the|my) (?:[\w-]+ )?[\w-]+(?: at my feet| below me| below| on the (?:floor|ground))?"
     r"(?= [.,;]|$)", r"\1"),
    # what should be otherwise
    (r"(?:should|must|ought to) not (?:be|play|come|sound|sit)(?: (?:at|in|on|from))?(?: the| my)? "
     r"(?:dead |far |hard )?(?:centre|middle|left|right|front|back|behind|above|below)(?= [.,;])", ""),
    (r"(?:, )?but (?:it |they |that )?(?:now )?(?:should|must|ought to|needs? to|has to|have to"
     r"|is supposed to|are supposed to)(?: (?:be|play|come|sound|sit|go|stay))+(?: heard)?(?= )", "instead"),
]  # fmt: skip
