"""Where a scene plays and how it looks, which is not heard: "The hall is dark.", "We are in the wheelhouse of
a trawler.", "Quartet, left to right: ..."."""

from __future__ import annotations

_WHOSE = r"(?:the|this|our|my|your|a|an)"
_END = r"(?= [.;:!]|$)"
_FROM = (
    r"(?:audience|podium|stalls|seats|listener|listening position|sweet spot|mix position|desk"
    r"|front of house|foh"
    r"|conductor)(?: 's (?:place|position|podium|seat|desk|side|view|perspective|point of view|end))?"
)
_LOOKS = (
    r"(?:empty|dark|quiet|silent|still|full|crowded|long|narrow|wide|small|large|huge|big|tiny|cold|warm|hot"
    r"|bright|dim|deserted|busy|packed|old|clean|dirty|high|low|bare|damp|wet|dusty|asleep|closed|open"
    r"|foggy|misty"
    r"|cramped|tidy|messy|round|square|white|black|red|green|grey|blue)"
)

_SIDE = r"(?:left|right|front|back|rear|centre|middle)"

# where a sentence or a clause starts, the words, what stands there instead
SCENERY: list[tuple[str, str]] = [
    (rf"{_WHOSE} (?:[\w'-]+ ){{1,2}}(?:is|was|are|were|lies|lay) (?:[\w-]+ )?{_LOOKS}(?: and "
     rf"(?:[\w-]+ )?{_LOOKS})?{_END}", ","),
    (r"(?:i|we|you) (?:am|are|were|was)(?: now| all)?(?: sitting| standing| lying| waiting)? (?:in|inside"
     r"|aboard|on board|at|on) (?:the|a|an|my|our|your) (?!left|right|front|back|rear|centre|middle|other"
     r"|same|far|rain|storm|thunderstorm|downpour|wind|snow|crowd|traffic)"
     rf"(?:[\w'-]+ ){{0,4}}[\w'-]+(?: ,(?: facing| looking)[^.;:,]*)?{_END}", ","),
    (r"(?:your|my) (?:chair|seat|desk|bed|table|place) is (?:in|at|on|by|near) (?:the|a) "
     rf"(?!left|right|front|back|centre|middle)[\w'-]+(?: , facing [^.;:,]*)?{_END}", ","),
    (rf"{_WHOSE} (?:[\w'-]+ ){{1,3}}(?:smells?|smelled|smelt|reeks?|stinks?|tastes?) (?:of"
     rf"|like) [^.;:,]*?{_END}",
     ","),
    (rf"{_WHOSE} (?:[\w'-]+ ){{1,2}}(?:leans?|leaned|bends?|bent|nods?|nodded|smiles?|smiled|waits?|waited"
     rf"|stares?"
     r"|stared|blinks?|blinked)(?: (?:in|over|closer|down|back|up|forward|at (?:me|us|you)))?" + _END, ","),
    (rf"(?:(?:[\w'-]+ ){{1,3}}(?:, )?)?(?:as )?(?:seen|viewed|heard|shown|listed|told) from the {_FROM}"
     r"(?: ,)?(?= (?:left|right) to )", "from"),
    (rf"(?:[\w'-]+ ){{0,3}}(?:, )?(?:as )?(?:(?:seen|viewed|heard|shown|listed"
     rf"|told) )?from the {_FROM}(?= :)",
     ","),
    (rf"(?:as )?(?:seen|viewed) from the {_FROM}(?= |$)", ","),
    (r"(?:the )?(?:audience|house|listener|player|conductor)(?: 's)? (?:view|perspective|pov"
     r"|side)(?= [.,;:])", ","),
    (r"(?:[\w'-]+ ){1,3}(?:, )?(?:from )?(left to right|right to left) :(?= )", r"from \1 :"),
    (r"(?:scene|shot|take|cue|reel|act|slide|tester|note|bug|test|level)(?: (?:number"
     r"|no))? \d+[a-z]?(?= [,.:;-])",
     ","),
    (r"(?:[\w'&-]+ ){0,3}(?:pass|take|reel|stem|layer|version|revision)(?: \d+)? :(?= )", ","),
    (r"(?:midday|noon|night|evening|morning|day|daytime|nighttime|dusk|dawn)(?: time)? (?:loop|version"
     r"|mix)" + _END, ","),
    (rf"(?:the|my) {_SIDE}(?: side)? (?:has to|must|should|needs to|is|stays|remains)(?: (?:to|stay|be"
     rf"|remain|kept))* (?:free|empty|clear|silent|quiet)" + _END, ","),
    (r"(?:that|this|which) is where (?:the|a|my|our) [^.;:,]*?" + _END, ","),
    (r"let (?:your|the) (?:shoulders|body|mind|eyes|jaw|breath|thoughts|hands|arms|legs"
     r"|feet) [^.;:,]*?" + _END, ","),
    (r"look (?:up|down|around|over|back)(?: (?:at|to|towards?) (?:the|my|your) [\w'-]+)?" + _END, ","),
    (r"where (?:the|a|an|my|his|her|our) (?:[\w'-]+ ){1,2}(?:stands|sits|lies|waits|hangs)"
     r"(?: [\w'-]+)?" + _END, ","),
    (rf"{_WHOSE} (?:[\w'-]+ ){{1,4}}(?:(?:does|do|did) not (?:make|utter|say) (?:a|any) (?:sound|noise|word"
     rf"|thing)"
     r"|(?:says?|said|does|did) nothing|(?:walks?|waits?|sits?|stands?) in silence)" + _END, ","),
    (r"(?:nobody|no one|nothing) (?:is|was|are|were|stands|sits|sounds|plays)(?: heard)? [^.;:,]*?"
     r"(?= [.,;:]|$)", ","),
    (rf"{_WHOSE} [\w'-]+ has (?:two|three|four|five|some|many|several|2|3|4|5) [\w'-]+{_END}", ","),
    (r"so close that (?:it|he|she|they) [^.;:,]*?" + _END, "very close"),
]  # fmt: skip
