"""A prompt's text as tokens: cleaned, quoted labels kept whole, numbers and units in one form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from foleyspace.errors import InputError
from foleyspace.prompting.numbers import NUMBER, UNIT, as_digits, read_numbers
from foleyspace.prompting.spelling import corrected
from foleyspace.prompting.tables import rows_said
from foleyspace.prompting.words import word_set

MAX_CHARACTERS = 2000
UNITS_M = {"metres": 1.0, "centimetres": 0.01, "kilometres": 1000.0, "feet": 0.3048, "yards": 0.9144,
           "miles": 1609.344, "inches": 0.0254, "paces": 0.75}  # fmt: skip
UNITS_S = {"seconds": 1.0, "minutes": 60.0, "milliseconds": 0.001}

_JOINED = {
    "counterclockwise": "counter-clockwise anticlockwise anti-clockwise counterclock anticlock",
    "clockwise": "clock-wise",
    "offscreen": "off-screen off-camera offcamera off-frame off-stage offstage out-of-frame out-of-sight",
    "oclock": "o'clock o'clok oclok o-clock", "in front": "infront", "in between": "inbetween in-between",
    "on top": "ontop", "next to": "nextto", "up front": "upfront", "left hand": "lefthand",
    "right hand": "righthand", "top left": "topleft", "top right": "topright", "front left": "frontleft",
    "front right": "frontright", "back left": "backleft", "back right": "backright",
    "straight ahead": "straightahead", "far away": "faraway far-off faroff far-away", "under": "underneath",
    "left": "lft leftmost lefty lefthandside",
    "right": "rgt rght rt rightmost",
    "to and fro": "to-and-fro", "back": "bck backwards backward rearward rearwards",
    "forward": "forwards", "it is": "it's its's", "there is": "there's",
    "left side": "leftside", "right side": "rightside",
    "centre": "ctr cntr ctre center centered centred central dead-center",
    "and": "& + plus n", "at": "@", "metres": "mtrs", "toward": "towards", "further": "farther",
    "to the left": "leftwards leftward", "to the right": "rightwards rightward", "you": "u ya",
    "your": "ur yr", "above": "atop", "beside": "besides", "he is": "he's", "she is": "she's",
    "that is": "that's", "the": "teh hte", "who is": "who's", "what is": "what's", "where is": "where's",
    "here is": "here's",
}  # fmt: skip
_AS = {name: joined for joined, names in _JOINED.items() for name in names.split()}
# "isn't", "I'd", "we're" as two words each
_TAILS = {"n't": "not", "'d": "would", "'ll": "will", "'re": "are", "'ve": "have", "'m": "am"}
_CONTRACTED = re.compile("([a-z]+?)(n't|'d|'ll|'re|'ve|'m)")
_IRREGULAR_STEMS = {"ca": "can", "wo": "will", "sha": "shall"}
# parts that a hyphenated word may be taken apart into; others ("hi-hat", "high-pitched") stay one word
_PARTS = word_set(
    "left right front back rear behind centre center middle mid half far near off above up down high low "
    "hand side to from screen top bottom upper lower and the of in hard close clock"
) | {*NUMBER, *UNIT}

_ABBREVIATED = re.compile(
    r"\b(approx|ft|deg|degs|sec|secs|min|int|ext|az|el|elev|mr|mrs|dr|ca|etc|yd|vs|ms|sfx)\.", re.IGNORECASE
)

# {"sound": "owl", "side": "left"}: keys and values lose their quotes
_JSON_KEY = re.compile(r'"(\w[\w ]*)"\s*:\s*')
_JSON_VALUE = re.compile(r'(?<=: )"([^"]*)"(?=\s*[,}\]])')

_SIGNS = {
    "\xbd": "0.5", "\xbc": "0.25", "\xbe": "0.75", "\xba": "\xb0", "\u02da": "\xb0", "\u2026": ", ",
    "\u2212": "-", "\u2018": "'", "\u2019": "'", "\u2192": " to ", "\u2794": " to ", "\u21d2": " to ",
    "\u2014": ", ", "\xad": "", "\xb1": " plus and minus ",
}  # fmt: skip

_TOKEN = re.compile(
    r"""\x22(?P<quoted>[^\x22]*)\x22
    |(?P<code>(?<![\w.])[A-Za-z]\d(?![\w.]))
    |(?P<time>\d{1,2}:\d\d)(?!\d)
    |(?P<number>(?:(?<![\w.)])[+-])?(?:\d+(?:\.\d+)?|\.\d+)(?:st|nd|rd|th)?(?![\d.]*\d))
    |(?P<word>[^\W\d_]+(?:['-][^\W\d_]+)*)
    |(?P<sign>[°%&+@=/|~*])
    |(?P<stop>[.!?;:,()\[\]\n-])""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """A word: `norm` as it is matched, `raw` as it was written, where it stands in the clean text
    (`start`, `end`); `quoted`: a label in double quotes."""

    norm: str
    raw: str
    start: int
    end: int
    quoted: bool = False

    @property
    def number(self) -> float | None:
        try:
            return float(self.norm)
        except ValueError:
            return None


def joined_norms(tokens: Sequence[Token]) -> str:
    """The tokens as patterns read them: separated by single spaces."""
    return " ".join(token.norm for token in tokens)


def token_span(joined: str, match: re.Match[str]) -> tuple[int, int]:
    """The tokens of a match in `joined_norms`: the first and the one after the last."""
    first = joined[: match.start()].count(" ")
    return first, first + match.group().rstrip().count(" ") + 1


def read_text(text: str) -> tuple[str, list[Token], list[str]]:
    """The clean text, its tokens, and notes on what was ignored or corrected.

    Raises `InputError` for a text that is empty, over 2,000 characters or without a Latin letter.
    """
    if not isinstance(text, str):
        raise InputError(f"`prompt` is {type(text).__name__} but must be a text")
    if not text.strip():
        raise InputError("`prompt` is empty but must say what is heard and where")
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"`prompt` has {len(text)} characters but must have {MAX_CHARACTERS} or fewer")
    text, notes = _clean(rows_said(text))
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        tokens += _split(match)
    if not any(token.quoted or token.norm[0].isalpha() for token in tokens):
        raise InputError("`prompt` has no English words but must say what is heard and where")
    words = [token.norm for token in tokens]
    for i, token in enumerate(tokens):
        better = None if token.quoted else corrected(words, i)
        if better is not None:
            notes.append(f"read '{token.raw}' as '{better}'")
            tokens[i] = Token(_AS.get(better, better), token.raw, token.start, token.end)
    return text, read_numbers(tokens), notes


def _clean(text: str) -> tuple[str, list[str]]:
    """One line of plain characters; what stands in double quotes keeps its own."""
    notes: list[str] = []
    if "{" in text and _JSON_KEY.search(text):
        text = _JSON_VALUE.sub(r"\1", _JSON_KEY.sub(r"\1: ", text)).replace("}", ";").replace("{", " ")
    text = re.sub("[\u201c\u201d\u201e\xab\xbb]", '"', text)
    if text.count('"') % 2:
        at = text.rindex('"')
        text = f"{text[:at]} {text[at + 1 :]}"
        notes.append("ignored a double quote that is not closed")
    ignored: list[str] = []
    pieces = []
    for k, piece in enumerate(text.split('"')):
        piece = piece if k % 2 else _plain(piece)
        kept = "".join(_kept(character, bool(k % 2), ignored) for character in piece)
        pieces.append(" ".join(kept.split()) if k % 2 else kept)
    if ignored:
        notes.append(f"ignored characters that are no English: {''.join(dict.fromkeys(ignored))[:40]}")
    return " ".join('"'.join(pieces).split()), notes


def _plain(text: str) -> str:
    """Signs written out: fractions, arrows, dashes, abbreviations, the markers of lists."""
    text = re.sub(r"(\d)\s?\xbd", r"\1.5", text)
    for old, new in _SIGNS.items():
        text = text.replace(old, new)
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(r"(?:^|(?<=\n))\s*>+\s*", "", text)  # a quoted line
    text = re.sub(r"(?:^|(?<=\s))#\d+\b:?", " ; ", text)  # "#1 owl, #2 fox"
    text = _PLACE_FIRST.sub(r"\1: ", text)
    if re.match(rf"\s*{_HEAD}", text, re.IGNORECASE):  # "left: dog right: cat"
        text = _NEXT_PLACE.sub(" ; ", text)
    if _UNSTOPPED.fullmatch(text):
        text = _AFTER_PLACE.sub(r"\g<0>,", text)
    text = re.sub(r"<?[-=]*>+", " to ", text)
    text = re.sub(r"-ish\b", "", text)
    text = re.sub(r"\bo\s?'?\s?clock\b", "o'clock", text, flags=re.IGNORECASE)
    text = re.sub(r"\bi\.\s?e\.|\be\.\s?g\.|\ba\.k\.a\.", ", ", text)
    text = re.sub(r"[?]+(?=\s+[a-z])", ",", text)  # what goes on in small letters is the same sentence
    text = re.sub(r"\b[Oo]\.\s?[Ss]\.", "offscreen ", text)
    text = _ABBREVIATED.sub(r"\1", text)
    text = _LISTED.sub(lambda m: m.group() if _inside(text, m.start()) else " ; ", text)  # a list in one line
    text = re.sub(r"(?<=\d)\s?\u2013\s?(?=\d)", "-", text).replace("\u2013", ", ")
    # a line break ends a line of a list; inside a sentence it is a space
    text = re.sub(r"\s*\r?\n\s*(?=[A-Z\d*\u2022-]|$)", " ; ", text)
    text = re.sub(
        r"(?:^|(?<=\n))([^\n]{3,44}[^\n,:;])\n\s*(?!and\b|or\b|but\b|while\b|then\b)(?=\S)", r"\1 ; ", text
    )
    return re.sub(r"(?:(?<=^)|(?<=; ))(?:\d+[.)]|[*\u2022-])\s+", "", text)


# "left -> owl", which tells of no way
_PLACES = r"(?:left|right|front|back|rear|behind|centre|center|middle|above|below|l|r|c)"
_PLACE_FIRST = re.compile(
    rf"\b({_PLACES}) *(?:[-=]+>|=| to  )(?! *(?:the |my |far |hard )*(?:{_PLACES}\b|[\d+-]))", re.IGNORECASE
)
_HEAD = rf"(?:(?:front|back|rear|far|hard|slightly)[ -])?{_PLACES}: "
_NEXT_PLACE = re.compile(
    rf"(?<=[a-z])(?<!front)(?<!back)(?<!rear)(?<!far)(?<!hard)(?<!slightly)(?<!the)(?<!on) (?={_HEAD})",
    re.IGNORECASE,
)
# "drums left guitar right bass middle"
_NO_NAME = (
    r"(?:the|a|an|my|your|is|are|on|in|at|to|from|of|and|or|then|with|by|than|me|it|he|she|they|but|no|not)"
)
_UNSTOPPED = re.compile(
    rf"\s*(?:(?:the|a|an|some|my|dude|hey|ok) )*(?:(?:(?!(?:{_NO_NAME}|{_PLACES})\b)[a-z'-]+ ){{1,3}}"
    rf"(?:(?:far|hard|slightly|front|back|rear) )?"
    rf"{_PLACES}\b[ .]*){{2,}}",
    re.IGNORECASE,
)
_AFTER_PLACE = re.compile(rf"\b{_PLACES}\b(?= (?!{_PLACES}\b))", re.IGNORECASE)
_LISTED = re.compile(r"(?:(?<=^)|(?<=[\s,;.]))\d{1,2}\)\s+(?=[A-Za-z]|$)")


def _inside(text: str, at: int) -> bool:
    """Whether a bracket is open there: "(az 30, el 0) cello" is no list."""
    return text.count("(", 0, at) > text.count(")", 0, at)


def _kept(character: str, quoted: bool, ignored: list[str]) -> str:
    category = unicodedata.category(character)
    if category[0] in "CZ":
        return "" if character in "\u200b\u200c\u200d\u2060\ufeff" else " "
    if quoted or ord(character) < 128 or character == "\xb0":
        return character
    if category[0] == "L" and "LATIN" in unicodedata.name(character, ""):
        return character
    if category[0] != "M":  # marks belong to the character before them
        ignored.append(character)
    return " "


def _split(match: re.Match[str]) -> list[Token]:
    start, end, raw = match.start(), match.end(), match.group()
    kind = match.lastgroup
    if kind == "quoted":
        label = match.group("quoted").strip()
        return [Token("<label>", label, start, end, quoted=True)] if label else []
    if kind == "number":
        digits = re.sub(r"(st|nd|rd|th)$", "", raw)
        if digits != raw:
            return [Token(raw.lower(), raw, start, end)]
        return [Token(as_digits(float(digits)), raw, start, end)]
    word = "offscreen" if raw == "OS" else raw.lower()
    if kind == "code":  # "S1", "R2"
        return [Token(word, raw, start, end)]
    if kind != "word":
        word = _AS.get(word, word)
        return [Token(word, raw, start, end)]
    contracted = _CONTRACTED.fullmatch(word)
    if contracted is not None and word not in _AS:
        stem, tail = contracted.groups()
        at = start + len(stem)
        first = _IRREGULAR_STEMS.get(stem, stem)
        return [Token(first, raw[: len(stem)], start, at), Token(_TAILS[tail], raw[len(stem) :], at, end)]
    if word.endswith("'s") and word not in _AS:
        return [*_words(raw[:-2], word[:-2], start), Token("'s", raw[-2:], end - 2, end)]
    return _words(raw, word, start)


def _words(raw: str, word: str, start: int) -> list[Token]:
    if word in _AS:
        return [Token(part, raw, start, start + len(raw)) for part in _AS[word].split()]
    parts = word.split("-")
    if len(parts) > 1 and all(part in _PARTS or part in ("l", "r") for part in parts):
        tokens, at = [], start
        for part in parts:
            raw_part = raw[at - start : at - start + len(part)]
            tokens.append(Token(_AS.get(part, part), raw_part, at, at + len(part)))
            at += len(part) + 1
        if set(parts) in ({"left", "right"}, {"l", "r"}):  # "left-right": from one to the other
            tokens.insert(1, Token("to", "-", tokens[0].end, tokens[1].start))
        return tokens
    return [Token(word, raw, start, start + len(raw))]
