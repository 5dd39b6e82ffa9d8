"""The set phrases that place several sounds at once or one of a pair, as regular expressions (see
`prompting.patterns`)."""

from __future__ import annotations

from foleyspace.prompting.motion_patterns import MOVES, forms
from foleyspace.prompting.patterns import LISTENER, SCREEN, SIDE
from foleyspace.prompting.verb_words import MOVE_VERBS

_EACH_OTHER = "(?:each other|one another)"
_PARTS = forms(*(MOVE_VERBS - {"leave", "follow", "fall", "come"}))  # plates fall apart where they are
_STRAIGHT = "(?:straight |right |directly |slowly |quickly )?"

SEVERAL_PATTERNS: list[tuple[str, str]] = [
    (
        "sides",
        rf"(?:(?:one )?(?:from|on|in|at|to|against|by) )?(?:the |my |your )?(?P<which>both|either|each"
        rf"|opposite) (?:of my |of the )?(?:sides?|ears?|hands?|channels?|speakers?|ends?)"
        rf"(?: of (?:{LISTENER}|{SCREEN}))?",
    ),
    (
        "sides",
        rf"(?:one )?(?:in|from|at) (?:(?P<which>each|every) (?:corner|quarter)"
        rf"|(?P<corners>(?:each of |all of |all )?(?:the |my )?(?:four )?(?:corners|quarters)))"
        rf"(?: of (?:{LISTENER}|{SCREEN}))?",
    ),
    (
        "sides",
        rf"(?P<meet>(?:{MOVES} )?{_STRAIGHT}toward {_EACH_OTHER}"
        rf"|{MOVES} {_STRAIGHT}(?:to|at|into) {_EACH_OTHER}|{forms('approach', 'near')} {_EACH_OTHER})",
    ),
    (
        "sides",
        rf"(?P<part>{_PARTS} apart(?! (?:from )?{_EACH_OTHER} ?'s)(?: from {_EACH_OTHER})?"
        rf"|{MOVES} (?:away |off )?from {_EACH_OTHER})",
    ),
    ("sides", rf"(?P<cross>{MOVES} (?:past|by) {_EACH_OTHER}|{forms('pass', 'cross')} {_EACH_OTHER})"),
    (
        "sides",
        r"(?:spread|spreads|split|doubled|wide|panned wide|panned hard)(?: out| wide| hard| over| across)*"
        r" (?:to |on |at )?(?:the )?(?:hard )?(?:left|l) and (?:to |on |at )?(?:the )?(?:hard )?(?:right|r)"
        r"|(?:(?:to|on|at) )?(?:the |my )?(?:left and right|right and left)(?: sides?)? of (?:me|us|you)",
    ),
    ("sides", r"(?:at )?and (?:and|/|or) (?P<num>-\d+(?:\.\d+)?) degrees(?: azimuth)?"),
    (
        "sides",
        rf"(?:at )?(?P<num>\d+(?:\.\d+)?) degrees (?:to |on )?(?P<which>each|either|both) sides?(?: of"
        rf" (?:{LISTENER}|{SCREEN}))?",
    ),
    (
        "lateral",
        rf"(?:(?:on|from|in|at|with) )?(?:the |my )?{SIDE}(?: side| ear)? (?P<begins>first)(?=$| [,.;:)])",
    ),
    (
        "lateral",
        rf"(?P<begins>starting|beginning) (?:on|from|at|in|with|to) (?:the |my |your )?(?:far"
        rf" )?{SIDE}(?: side| ear)?",
    ),
    ("lateral", rf"(?:on|at|to|from|in) one (?:side|hand|end|ear)(?: of (?:{LISTENER}|{SCREEN}))?"),
]
