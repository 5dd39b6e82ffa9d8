"""Relations in the words of a prompt: "left of the dog", "on her right", "between the two", "opposite"."""

from __future__ import annotations

import re

from foleyspace.prompting.motion_patterns import forms
from foleyspace.prompting.patterns import WEAK
from foleyspace.prompting.verb_words import verb_forms
from foleyspace.prompting.view import STOPS, Phrase, Reference, TokenView
from foleyspace.prompting.words import LANDMARKS

_SIDE_OF = re.compile(
    rf"(?:somewhere )?(?:(?P<way>from|to) (?=(?:{WEAK}) ))?"
    rf"(?:(?P<mod>{WEAK}|far|further|more|directly|immediately|\d+(?:\.\d+)? degrees"
    r"(?: further| more)?) )?(?:(?:off )?(?P<prep>to|on|at|from|in) )?(?:the )?(?:further |more |far )?"
    r"(?P<side>left|right|l|r)"
    r"(?: hand)?(?: side| end| edge)? (?:of|than) "
)
_DEGREES_ABOVE = re.compile(r"(?P<num>\d+(?:\.\d+)?) degrees (?P<way>above|below|over|under) ")
_POSSESSIVE = re.compile(
    r"(?:(?P<prep>on|to|at|from|in|off to) )?(?P<who>her|his|its|their)(?: (?:far|immediate))? "
    r"(?P<side>left|right)(?: hand)?(?: side)?(?= |$)(?! (?:foot|shoe|eye))"
)
_OTHER_SIDE = re.compile(
    r"(?:(?P<prep>on|to|at|from|in) )?(?:the|my|your) (?:(?:other|opposite)"
    r" (?:side|hand|end|ear|shoulder)(?= |$)(?! of| from| to)"
    r"|other(?=$| [.,;:!)]| (?:a|an|the) ))"
)
_SAME_SIDE = re.compile(
    r"(?:(?P<prep>on|to|at|from|in) )?(?:exactly |also )?(?:the same|that) (?:side|ear|channel|place|position"
    r"|spot|direction|corner|area)(?: too| as well)?(?= |$)(?! as| with| of)"
)
_SAME_ANGLE = re.compile(
    r"(?:(?:at )?(?:the same|an equal|the equivalent|a similar|that) angle|(?:(?:at|in) (?:the|its|a) )?"
    r"mirror[ -]?image (?:position|place|spot|angle|point)) (?:to|on|off to) (?:the |my )?"
    r"(?P<side>left|right)(?: side)?(?= |$)"
)
_ACROSS = re.compile(r"(?:right |directly |diametrically )?opposite(?=$| [.,;:)])")
_OWNED = re.compile(r"(?: hand)? 's (?:far |immediate )?(?P<side>left|right)(?: hand)?(?: side)?(?= |$)")
_ADV = (
    r"(?:(?:right|directly|just|straight|immediately|close|slightly|a little|a bit|well"
    r"|somewhere|far|high|low|but) )*"
)
_HEADS: list[tuple[str, re.Pattern[str], bool]] = [
    # (relation, head, may a bare noun follow it)
    ("behind", re.compile(_ADV + r"(?:(?P<prep>from|to) )?(?:in back of|behind(?: of(?= me| you"
    r"| us))?)(?= |$)"), False),
    ("front", re.compile(_ADV + r"(?:(?P<prep>from|to) )?in front of(?= |$)"), True),
    ("above", re.compile(_ADV + r"(?:(?P<prep>from|to) )?(?:above(?: of(?= me))?|over the top of"
    r"|(?:at the |on |on the )top of|over)(?= |$)"), False),
    ("below", re.compile(_ADV + r"(?:(?P<prep>from|to) )?(?:below|beneath|under)(?= |$)"), False),
    ("beside", re.compile(r"(?:right |just |directly |immediately |very )*(?:next to|beside"
    r"|alongside|adjacent to|by the side of|at the side of|close to"
                          r"|near to|near|nearby|close by)(?= |$)"), False),
    ("nearer", re.compile(r"(?:much |slightly |a (?:bit|little) |but )*(?:closer|nearer)(?: to "
    r"me| to us| to you)? than(?= |$)"), True),
    ("further", re.compile(r"(?:much |slightly |a (?:bit|little) |but )*(?:further|more "
    r"distant)(?: away| off| back| out)?(?: from me| from us)? than(?= |$)"
                           r"|beyond(?= |$)"), True),
    ("opposite", re.compile(r"(?:directly )?(?:opposite(?: side)?(?: to| of| from)?|across from"
    r"|on the (?:opposite|other) side (?:of|from|to)"
                            r"|facing|diametrically opposite)(?= |$)"), True),
    ("same", re.compile(r"(?:(?:in|at|from|on) )?(?:exactly )?the same (?:place|position|spot"
    r"|direction|location|point|side)(?: as| with)?(?= |$)"
                        r"|together with(?= |$)|along with(?= |$)|(?:right )?where(?= (?:the|her"
                        r"|his) \S+(?: \S+)? (?:is|was|are|stands|sits))"), True),
    ("same", re.compile(r"(?:and )?(?:follow|chase|accompany|follows|following|chases|chasing|accompanies"
    r"|accompanying)(?= |$)"), False),
    ("distance", re.compile(r"(?:(?:at|from) )?the same distance(?: away)?(?: as| from me "
    r"as)?(?= |$)|as (?:far|close|near)(?: away)? as(?= |$)"), True),
    ("around", re.compile(r"(?:circles|circling|circle|orbits|orbiting|circled)(?: around| "
    r"round)?(?= |$)|(?:all the way )?(?:around|round)(?= |$)"), False),
    ("to", re.compile(r"(?:(?P<prep>from|to|toward|past|onto|into) )(?=(?:the|a|an|her|his|its|their|him"
    r"|it|them|<label>) ?)"), False),
    ("to", re.compile(rf"(?P<goes>{forms('approach', 'reach')}|{forms('head', 'make', 'run', 'walk', 'go')}"
                      r" (?:over|up) to|(?:heads?|heading|makes?|making) (?:for|toward))"
                      r" (?=(?:the|a|an|her|his|its|their|<label>) )"), False),
]  # fmt: skip
_BETWEEN = re.compile(
    r"(?:somewhere |half way |halfway |midway |right |exactly )*(?:in between|between|in the "
    r"middle of(?= (?:them|the two|both))|in the middle between)(?= |$)"
)


def read_relation(view: TokenView, i: int) -> Phrase | None:
    start = view.at[i]
    best: Phrase | None = None
    match = _POSSESSIVE.match(view.joined, start)
    if match is not None:
        end = view.index[match.end() + 1]
        who = Reference((match["who"],), match["who"])
        best = view.phrase(
            "relation",
            i,
            end,
            {"relation": match["side"], "prep": match["prep"] or "", "own": "1"},
            (who,),
        )
    match = _SIDE_OF.match(view.joined, start)
    if view.norms[max(i - 2, 0) : i] == ["what", "is"] or view.word(i - 1) == "what":
        match = None  # "what is left of the campfire"
    if match is not None and view.index.get(match.end()) is not None:
        best = _longer(best, _side_of(view, i, match))
    for kind, pattern in (
        ("mirror", _OTHER_SIDE),
        ("same", _SAME_SIDE),
        ("mirror", _SAME_ANGLE),
        ("opposite", _ACROSS),
    ):
        match = pattern.match(view.joined, start)
        if match is not None:
            told = match.groupdict()
            groups = {"relation": kind, "prep": told.get("prep") or "", "side": told.get("side") or ""}
            end = view.index[match.end() + 1]
            best = _longer(best, view.phrase("relation", i, end, groups, (Reference(("that",), "that"),)))
    if view.word(i) == "with":
        best = _longer(best, _with(view, i))
    match = _DEGREES_ABOVE.match(view.joined, start)
    if match is not None:
        end, refs = view.reference(view.index[match.end()], True)
        if refs and refs[0].words not in (("listener",), ("screen",)):
            way = "above" if match["way"] in ("above", "over") else "below"
            best = _longer(
                best, view.phrase("relation", i, end, {"relation": way, "num": match["num"]}, refs)
            )
    match = _BETWEEN.match(view.joined, start)
    if match is not None:
        best = _longer(best, _between(view, i, view.index[match.end() + 1]))
    for relation, head, bare in _HEADS:
        match = head.match(view.joined, start)
        if match is None:
            continue
        stop = match.end() + (0 if relation == "to" else 1)
        goes = "goes" in match.groupdict()
        prep = "to" if goes else match.groupdict().get("prep") or ""
        found = _headed(view, i, view.index[stop], relation, prep, bare)
        if found is not None and goes:
            found.groups["goes"] = "1"
        best = _longer(best, found)
    if view.word(i) in ("on", "to", "at", "from"):
        end, refs = view.reference(i + 1, False)
        match = _OWNED.match(view.joined, view.text_end(end))
        if refs and match is not None and refs[0].words != ("listener",):
            after = view.index[match.end() + 1]
            best = _longer(
                best, view.phrase("relation", i, after, {"relation": match["side"], "own": "1"}, refs)
            )
    return best


def _longer(a: Phrase | None, b: Phrase | None) -> Phrase | None:
    if a is None or b is None:
        return a or b
    return b if b.end > a.end else a


def _side_of(view: TokenView, i: int, match: re.Match[str]) -> Phrase | None:
    groups = {name: value for name, value in match.groupdict().items() if value}
    groups = {**groups, "prep": groups.pop("way")} if "way" in groups else groups
    after = view.index[match.end()]
    rest = view.joined[match.end() :]
    centre = re.match(
        r"(?:the )?(?:dead )?(?:centre|middle|front|straight ahead|me|here|midline|median plane"
        r"|axis|midsagittal plane)(?: stage| line)?(?= |$)",
        rest,
    )
    if centre is not None:
        end = view.index[match.end() + centre.end() + 1]
        if centre.group().split()[-1] != "me":
            groups["of_centre"] = "1"
        return view.phrase("lateral", i, end, groups)
    end, refs = view.reference(after, True)
    if not refs:
        return None
    side_of_place = refs[0].words[-1] in LANDMARKS and set(view.norms[i:after]) & {
        "side",
        "end",
        "edge",
        "hand",
    }
    if refs[0].words in (("listener",), ("screen",)) or side_of_place:  # "the left side of the garden"
        return view.phrase("lateral", i, end, groups)
    return view.phrase(
        "relation", i, end, {**groups, "relation": "left" if groups["side"][0] == "l" else "right"}, refs
    )


def _headed(view: TokenView, i: int, after: int, relation: str, prep: str, bare: bool) -> Phrase | None:
    end, refs = view.reference(after, bare)
    if not refs and not bare:  # "behind robot A", where robot A is named elsewhere
        end, refs = view.reference(after, True)
        refs = refs if refs and view.named_elsewhere(after, end) else ()
    words = view.norms[i:after]
    groups = {"relation": relation, "prep": prep}
    if set(words) & {"slightly", "just", "little", "bit"}:
        groups["mod"] = "slightly"
    if set(words) & {"slightly", "little", "bit"}:
        groups["weak"] = "1"
    if "far" in words:
        groups["far"] = "1"
    if refs and refs[0].words not in (("listener",), ("screen",)):
        return view.phrase("relation", i, end, groups, refs)
    absolute = {"behind": "back", "front": "front", "above": "up", "below": "down"}.get(relation)
    if absolute is None or (view.norms[after - 1] in ("over", "of") and not refs):
        return None
    if "close" in words:
        groups["near"] = "1"
    if absolute == "up" and refs:
        groups["over"] = "1"
    return view.phrase(absolute, i, end if refs else after, groups)


def _with(view: TokenView, i: int) -> Phrase | None:
    """ "... is there with the cow": the same place, when the cow is told elsewhere."""
    end, refs = view.reference(i + 1, False)
    ends = end >= len(view.tokens) or view.norms[end] in STOPS
    if not refs or not ends or not refs[0].definite or refs[0].words[0] in ("listener", "screen"):
        return None
    elsewhere = view.norms[:i] + view.norms[end:]
    pronoun = refs[0].words[-1] in ("it", "him", "them", "her")
    return (
        view.phrase("relation", i, end, {"relation": "same"}, refs)
        if pronoun or refs[0].words[-1] in elsewhere
        else None
    )


def _between(view: TokenView, i: int, after: int) -> Phrase | None:
    end, refs = view.reference(after, True)
    if not refs:
        return (
            None
            if view.word(after) in ("left", "right", "the") or view.word(after).isdigit()
            else view.phrase("relation", i, after, {"relation": "between"})
        )
    if view.word(end) == "and":
        second_end, second = view.reference(end + 1, True)
        if second:
            return view.phrase("relation", i, second_end, {"relation": "between"}, refs + second)
    stop = next((k for k in range(end, len(view.norms)) if view.norms[k] in ".;!?"), len(view.norms))
    if "and" in view.norms[end:stop]:  # "between the flute (60 degrees left) and the oboe (...)"
        at = view.norms.index("and", end)
        _, second = view.reference(at + 1, False)
        verbs = any(verb_forms().get(word) for word in view.norms[end:at] if word not in ("left", "close"))
        if second and at - end <= 9 and not verbs:
            return view.phrase("relation", i, end, {"relation": "between"}, refs + second)
    plural = refs[0].words[-1] in ("them", "two", "both", "these") or refs[0].words[-1].endswith("s")
    return (
        view.phrase("relation", i, end, {"relation": "between"}, refs)
        if plural and view.norms[after - 1] != "of"
        else None
    )
