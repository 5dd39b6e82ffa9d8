"""What stands around the sounds and names none: greetings, requests, "it sounds as if it came from"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from foleyspace.prompting.cartesian import read_axes
from foleyspace.prompting.rewrites import REWRITES
from foleyspace.prompting.scenery import SCENERY
from foleyspace.prompting.text import Token, joined_norms, token_span
from foleyspace.prompting.words import NOT_ADVERBS, word_set

_HEARER = (
    r"(?:i|you|we|one|listeners|viewers|players|participants|subjects|anyone|the (?:listener|viewer|audience"
    r"|player|user|hero|protagonist|camera|microphone|mic))"
)
_WORK = (
    r"(?:soundscape|sound scape|scene|mix|recording|audio|track|ambience|atmosphere|situation"
    r"|thing|(?:binaural|stereo|sound) (?:scene|mix|recording|audio|track|image|stage|clip)|clip)"
)
_PERCEIVE = (
    r"(?:hear|make out|notice|perceive|pick out|pick up(?: on)?|detect|catch|recognise|recognize|sense"
    r"|distinguish|discern|identify|listen to)"
)
_OFTEN = (
    r"(?:can|could|should|will|would|may|might|must|clearly|also|just|only|now|first|even|still|faintly"
    r"|barely|suddenly|then|be able to|am able to|are able to)"
)
_SOUNDS = r"(?:sound|sounds|sounded|sounding|seem|seems|seemed|seeming|feel|feels|appear|appears|heard)"
_CAME = (
    r"(?:came|comes|come|is coming|were coming|are coming|was coming|coming|were|was|is|are|originates"
    r"|originated|emanates|emanated)"
)

# adverbs that say where, when or how far: all others in -ly only say how
_TELLING = word_set(
    "slightly directly immediately closely nearly roughly approximately exactly initially finally "
    "subsequently eventually constantly continuously repeatedly partially partly fully completely totally "
    "extremely really barely marginally gently moderately diametrically incredibly uncomfortably distantly "
    "actually respectively early only lastly firstly secondly vertically horizontally simultaneously"
)

# (only where a sentence or a clause starts, the words, what stands there instead), tried in this order
_FRAMES: list[tuple[bool, str, str]] = [
    (False, r"(?:no|nope|wait|actually)(?: ,)? (?:make|put|move|have|let) (?:it|that|them)(?= )", "instead"),
    # "dog left, no, dog right", "A dog on the left. Actually, the dog is on the right."
    (False, r"(?!the |a )([\w-]+)((?: (?!and |the )[\w'-]+| the){1,5}) [,.;] (?:no|sorry|i mean|wait|actually"
     r"|correction|oops)(?: [,:])? (?:(?:the|a|that|my) )?\1(?: (?:is|should be|was|[a-z]+s(?= (?:on|at|in|to"
     r"|behind|from|above|below) )))?(?= )", r"\1\2 instead"),
    (False, r"(?:hmm|hm|er|um|uh|oh|ah) , no(?: ,)?(?: wait| sorry| actually)?(?: ,)?(?= (?:on|to|at|in"
     r"|behind|above|below|from|the) )", "instead"),
    (False, r"(?:i|we) (?:was|am|were|are) thinking (?:of|about)(?= )", ""),
    (True, r"(?:i|we) (?:am|are) (?:making|creating|building|producing|mixing|editing|recording|designing"
     r"|working on) (?:a|an|my|our|the|some) (?:[\w-]+ ){1,4}?(?:with|where|featuring|that has|of)(?= )", ""),
    (True, r"(?:i|we) (?:have(?: got)?|am|are) (?:(?!left|right|behind|above|front"
     r"|ahead)[\w'-]+ ){1,5}and (?:(?:i|we) )?(?:would like|would love|want|need)(?: to (?:have"
     r"|hear))?(?= (?:a|an|the|some|my) )", ""),
    (True, r"(?:(?!left|right|behind|above|front|ahead)[\w',-]+ ){0,9}(?:i|we) (?:want|would like|need|am"
     r"|are) (?:(?!left|right|behind|above|front|ahead)[\w'-]+ ){1,6}:(?= )", ""),
    (True, r"right(?: ,)?(?= (?:so|then|ok|okay|now|what|let|i|we) )", ""),
    (True, r"(?:hi|hello|hey|hiya|howdy|greetings|good (?:morning|evening))(?: there| all"
     r"| team)?(?= [,.!;:]|$)", ","),
    (True, r"(?:hi|hello|hey)(?: there)?(?= (?:can|could|please|i) )", ""),
    (False, r"(?:no|wait|oops) , (?:wait|sorry|no)(?: ,)?(?= )", "no sorry"),
    (True, r"(?:sorry|ok|okay|alright|all right|so|well|now|oh|yes|yeah|no|thanks|actually"
     r"|basically)(?= [,.!:])", ","),
    (True, r"(?:many )?(?:thanks|thank you|thx|cheers|ty|tia)(?: (?:so|very) much| a lot| in advance"
     r"| again)?(?= [,.!;]|$)", ","),
    (False, r"(?:please|pls|plz|kindly|if you (?:can|could|would|do not mind)|if possible|i think|i guess"
     r"|i suppose|i believe|you know|for example|for instance|of course)(?= |$)", ""),
    (False, r"(?:can|could|would|will) (?:you|u|we)(?: maybe| possibly| just| also)*(?= )", ""),
    (False, r"(?:i|we) (?:would |really |just |also )*(?:want|wish|need|like|love|prefer|expect)(?: you"
     r"| it)?(?: to (?:be able to )?(?:hear|have|listen to|get|be|(?=place|put|pan|position|make"
     r"|add)))?(?= )", ""),
    (False, r"(?:let|make|have) (?:me|us|the listener) (?:hear|listen to|have)(?= )", ""),
    (False, r"let there be(?= )", ""),
    (True, r"(?:now )?(?:breathe|relax|inhale|exhale|imagine|picture this|(?:close|open) your eyes"
     r"|sit back|lie (?:back|down)|take a (?:deep )?breath)(?: (?:in|out|deeply|slowly|and|now"
     r"|calmly))*(?= [.,!;]|$)", ""),
    (True, r"here ,(?= )", ","),
    # the places first: "left for 2 seconds, then right: a beep"
    (True, r"((?:(?:on|from) the )?(?:left|right|front|behind|back|centre|middle|above)(?: [^:.;]*)? then"
     r" [^:.;]*) : ((?:a|an|the|my|some) [^:.;,]*?)(?= [.!]|$)", r"\2 : \1"),
    (True, r"for the (?:rest(?: of the time)?|remaining (?:time|[\w-]+ seconds)|remainder)(?: ,)?"
     r"(?= (?:a|an|the|my|some) )", "then"),
    # no first of several
    (True, r"first(?= (?!the |a |an |,|we |i |you |one |two )[\w-]+ )(?! .*(?<= )(?:second|third|other) )"
     r"(?=.* (?:then|later|next|after|afterwards) )", ""),
    (True, r"(?:is there )?any chance (?:of|that|for)(?= )", ""),
    (True, r"(?:hey |yo |ok |okay )?(?:dude|bro|bruh|folks|buddy|guys)(?: ,)?(?= (?:the|a|an|put|pan|can"
     r"|could|i|make|there|my|what|please) )", ""),
    (True, r"(?:the |these |those )?(?:sounds|sources|instruments|objects|players|speakers|voices"
     r"|things) (?:are|were)(?: as follows)? (?=:)", ""),
    (False, r"(pages?) turning(?! (?:to|from|into|around))(?= |$)", r"\1-turning"),
    (True, r"(?:angle|focus|focusing|zoom|zooming|close|closing)(?: in| up)? (?:on|onto)(?= (?:the|a|an|my"
     r"|our) (?!left |right |front |back ))", ""),
    (True, r"(?:listen(?: out)?|hark|tune in) (?:to|for)(?= )", ""),
    (True, r"(?:start|begin|open|kick|carry|continue|go|finish|end)(?: off| out| on)? with(?= )", ""),
    (False, r"(?:make|have|let|get) (?:it|this|that) (?:sound|feel|seem|be)(?: like| as if| as though)?(?= )",
     ""),
    (False, r"(?:okay|ok|alright)(?= |$)", ","),
    (False, r"(?:make|create|generate|produce|design|build|render|simulate|compose|give|do|set up"
     r"|record)(?: me| us)?"
     rf" (?:a|an|the|some|this)(?: \w+){{0,2}}? {_WORK} (?:where|with|of|in which|that has|that contains"
     r"|containing|featuring|such that|so that|consisting of|for)(?= )", ""),
    (False, rf"{_HEARER}(?: {_OFTEN})* {_PERCEIVE}(?:s|ing|ed)?(?: that| how)?(?= )", ""),
    (False, r"what (?:i|you|we) (?:can |should |will )?(?:hear|get|want)(?: is| are)?(?: [:,])?(?= )", ""),
    (False, rf"(?:it|this|that|there) {_SOUNDS}(?: to me)? (?:like|as if|as though)(?: it {_CAME}| there "
     rf"(?:is|are|was|were))?(?= )", ""),
    (False, rf"(?:{_SOUNDS} )?(?:like|as if|as though) (?:it|they|he|she) {_CAME}(?= )", ""),
    (False, rf"{_SOUNDS} to (?:come|be coming|be|originate|emanate)(?= )", ""),
    (False, r"(?:is|are|was|were|gets)(?: \w+)? (?:accompanied|joined|backed|doubled) by(?= )", ","),
    (False, r"(?:flanked|accompanied|joined|backed) by(?= )", "with"),
    (False, r"(?:along|together|in company|in the company) (?:with|of)(?= (?:a|an|some|two|three) )", "with"),
    (False, r"(?:as well as|in addition to|besides)(?= (?:a|an|the|some|two|three) )", "and"),
    (False, r"(?:in addition|additionally|moreover|furthermore|at the same time|in the meantime|meanwhile"
     r"|simultaneously|all the while)(?= |$)", ","),
    (False, r"whilst(?= )", "while"),
    (False, r"(?:except|apart from|other than) (?:for )?(?=(?:a|an|the|some|one) )", "and"),
    (False, r"(?:comes?|coming|came) to (?:a|an) (?:abrupt |sudden |complete )?(?:stop|halt|rest"
     r"|standstill)(?= |$)", "stops"),
    (False, r"(?:(?<=left )2(?= right)|(?<=right )2(?= left)|(?<=front )2(?= back)|(?<=back )2(?= front)"
     r"|(?<=l )2(?= r(?: |$))|(?<=r )2(?= l(?: |$)))", "to"),
    # what was said before is taken back
    (False, r"(?:[,-] )?(?:(?:no|nah|nope|oh|oops|ah) )*(?:(?:no|nah|nope|wait|sorry|oops) (?:wait|sorry"
     r"|no|nah)|scratch that|strike that|or rather|make that|correction|i mean|i meant|on second thoughts?"
     r"|actually no)(?: [,.:!-])?(?= )",
     "instead"),
    (False, r"(?:no idea|i do not (?:know|care)|not sure|does not matter)(?: (?:where|how|what"
     r"|exactly))?(?= |$)", ","),
    (False, r"(?:let me (?:think|see)|i was wondering (?:if|whether)|if (?:that|this|it) makes sense"
     r"|you know what i mean|(?:is|would be) (?:fine|great|nice|cool|perfect|ok|okay)(?: (?:too"
     r"|with me))?)(?= |$)",
     ""),
    (False, r"(?<=, )right ,(?= (?:it|he|she|they|i|we|you|so|and then|there) )", ""),
    (False, r"(?:works?|makes?|picks?|winds?|threads?|finds?|working|making|picking|winding) (?:its|his"
     r"|her|their) way(?= )", "moves"),
    (True, r"(?:pos|position|dir|direction|loc|location|place|placement|pan|panning|dist|where|name|path"
     r"|route|motion|movement|trajectory|side|label|id|element|layer|emitter|event|trigger|obj|object"
     r"|asset|sfx|sound|audio|source|item|type) [=:](?= )", ""),
    (False, r"(?:pos|position|dir|direction|loc|location|placement|path|route|motion|movement|trajectory"
     r"|side) =(?= )", ","),
    (True, r"(?:fx|sfx|vo|mx|foley|amb|bg|fg|dx|dia|adr|vox|cue|shot|take)(?: source)?(?: \d+)? [-:](?! "
     r"(?:the |on |at |in |from |to |dead |hard |far |stage |frame )*(?:left|right|centre|front|back|rear"
     r"|behind|middle|l|r|c|above|\d+)(?: |$))(?= )", ""),
    (False, r"(?<=ear )(?:hears|picks up|catches|gets|receives|has)(?= )", ","),
    (False, r"(?:comes? |coming )?out of(?= (?:the|my|your|one) )", "from"),
    (True, r"(?:me|us|you|i|myself|the listener|the camera)(?: am| is| are| sitting| standing)* (?:in|at"
     r"|\() (?:the )?(?:dead )?(?:middle|centre)(?: \))?(?= [,.;]|$)", ""),
    (False, r"(?:while|as|when) (?:i|we) (?:hold|stand|sit|lie|sleep|wait|watch|read|eat|rest|listen|look"
     r"|write|stay|try|dream|cook|work|am \w+ing|are \w+ing)(?: (?:my|our|the|a|to|there|still"
     r"|for) \w+)?(?= [,.;]|$)", ","),
    # dictated signs
    (False, r"(?:full stop|period|new line|newline|question mark|exclamation mark)(?= |$)", "."),
    (False, r"(?:comma|semicolon|colon|dash|hyphen)(?= |$)", ","),
    (False, r"(?:um|uh|er|erm|uhm|hmm|like you know|actually)(?= |$)", ""),
]  # fmt: skip


_Rule = tuple[bool, re.Pattern[str], str]


@lru_cache(maxsize=1)
def _rules() -> tuple[list[_Rule], list[_Rule]]:
    """Scenery, and what else is left out or said otherwise."""
    scenery = [(True, *rule) for rule in SCENERY]
    others = [*_FRAMES, *((False, *rule) for rule in REWRITES)]
    first, then = (
        [(at_start, re.compile(f"(?<![^ ])(?:{pattern})"), instead) for at_start, pattern, instead in rules]
        for rules in (scenery, others)
    )
    return first, then


def without_frames(tokens: Sequence[Token]) -> list[Token]:
    """The tokens without the words around what is heard; a few are replaced by the plain joining word."""
    following = [*(token.norm for token in tokens[1:]), ""]
    kept = [
        token
        for token, after in zip(tokens, following, strict=True)
        if after == "'s" or not _only_manner(token)
    ]
    scenery, others = _rules()
    shown = _replaced(kept, scenery)
    if any(token.norm[0].isalpha() or token.quoted for token in shown):  # else it is all there is
        kept = shown
    return _replaced(read_axes(kept), others)


def _replaced(tokens: list[Token], rules: Sequence[_Rule]) -> list[Token]:
    kept = list(tokens)
    joined = joined_norms(kept)
    for at_start, pattern, instead in rules:
        for _ in range(len(kept)):
            match = next((m for m in pattern.finditer(joined) if not at_start or _starts(joined, m)), None)
            if match is None:
                break
            first, last = token_span(joined, match)
            kept[first:last] = _said(match.expand(instead), kept[first:last])
            joined = joined_norms(kept)
    return kept


def _said(instead: str, old: Sequence[Token]) -> list[Token]:
    """The words that stand instead of the `old` tokens; those that were there keep how they were written."""
    by_word = {token.norm: token for token in old}
    start, end = old[0].start, old[-1].end
    return [by_word.get(word, Token(word, word, start, end)) for word in instead.split()]


def _only_manner(token: Token) -> bool:
    word = token.norm
    return word.endswith("ly") and len(word) > 4 and word not in _TELLING and word not in NOT_ADVERBS


def _starts(joined: str, match: re.Match[str]) -> bool:
    before = joined[: match.start()].rstrip().rsplit(" ", 1)[-1]
    return before in ("", ".", "!", "?", ";", ":", ",", "(", "and", "but", "so", "then")
