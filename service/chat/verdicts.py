"""What people think of a clip, in their words: a grade."""

from __future__ import annotations

import re

from prompts.reader import interpret
from service.chat import lexicon
from service.chat.references import references_in

_OF = {
    **dict.fromkeys(lexicon.LOVE, "love"),
    **dict.fromkeys(lexicon.GOOD, "good"),
    **dict.fromkeys(lexicon.MEH, "meh"),
    **dict.fromkeys(lexicon.AWFUL, "awful"),
}
_WORD = rf"(?:{'|'.join(sorted(map(re.escape, _OF), key=len, reverse=True))})"
_DULL = ("meh", "boring", "bland", "dull", "so-so", "mediocre", "forgettable")
_DEGREE = (
    r"(?:(?:so|really|quite|very|too|a bit|a little|kind of|pretty|absolutely|totally|just|"
    r"both|simply|rather|super|such a|the|a|an|"
    r"actual|pure|such|freaking|damn|always|also|all|pretty much|total|complete|absolute)\s+)*"
)
_SUBJECT = (
    r"(?:⟦[^⟧]*⟧|this|that|it|this (?:one|clip|track|song)|that (?:one|clip|track|"
    r"song)|these|those)"
)
_BE = r"(?:is|are|was|were|sounds?|feels?|seems?)"
_TAIL = (
    r"(?: (?:to me|for me|here|too|of all|a lot|much|most|best|already|one|clip|stuff|"
    r"vibes?|indeed))*"
)
_IS = re.compile(rf"{_SUBJECT} (?:{_BE} )?{_DEGREE}({_WORD}){_TAIL}")
_IS_NOT = re.compile(
    rf"{_SUBJECT} {_BE} not {_DEGREE}({_WORD}|for me|my (?:thing|cup of tea|taste)){_TAIL}"
)
_VERB = re.compile(
    rf"(?:(?:i|we) )?(?:(?:do|am|are|would|absolutely|totally|also|kind of|"
    rf"can not stop) )*({_WORD}) (?:the sound of )?{_SUBJECT}{_TAIL}"
)
_GOES = re.compile(
    r"(⟦[^⟧]*⟧|this|that|it)(?: one)? (?:goes hard|hits(?: different| hard)?|rocks|rules|"
    r"kills(?: it)?|is the one)"
)
_ALONE = re.compile(rf"({_WORD}) one")
_FAN = re.compile(
    r"(?:i am )?(not )?(?:a |really )?(?:big |huge )?(?:fan of|into|feeling|"
    r"keen on) (?:⟦[^⟧]*⟧|this|that|it)(?: one)?"
)
_YES = re.compile(r"⟦[^⟧]*⟧ (yes|no)")
_DISLIKE = re.compile(
    r"(?:i )?(?:dislike|can not stand|am tired of|am bored (?:by|of)) (?:⟦[^⟧]*⟧|this|that|"
    r"it)(?: one)?"
)
_NOT_LIKE = re.compile(
    r"(?:i )?(?:do not|did not|can not|could not)(?: really| even| much)? (?:like|love|enjoy|"
    r"dig|feel|get)(?: ⟦[^⟧]*⟧| this| that| it)(?: one| much| at all)*"
)


_REF = r"⟦[^⟧]*⟧"
_NUMBER = r"(?P<n>10|[0-9]|one|two|three|four|five)"
_OUT_OF = r"(?: ?(?:stars?)| ?(?:/|out of) ?(?P<of>5|10|five|ten))"
_FROM_TO = (
    re.compile(
        rf"(?:i )?(?:(?:give|rate|grade|score|vote)s? )?{_REF}(?: (?:a|an|with|gets|is|as|at|of|deserves))* "
        rf"{_NUMBER}{_OUT_OF}"
    ),
    re.compile(rf"(?:i give |a |an )?{_NUMBER}{_OUT_OF}(?: (?:for|to|on))? {_REF}"),
    re.compile(rf"(?:rate|grade|score|give) {_REF} (?:a |an )?(?P<n>[1-5])(?P<of>)"),
)
_COUNTED = dict(zip(("one", "two", "three", "four", "five"), range(1, 6), strict=True))
_NAMED = rf"the (?P<part>[\w-]+(?: [\w-]+)?)(?P<of> (?:in|of|on|from) {_REF})?"
_DOES = r"(?:sucks?|stinks?|slaps?|rocks?|rules?|bops)"
_OF_PART = (
    re.compile(
        rf"{_NAMED} (?:{_BE} (?P<no>not )?{_DEGREE}(?P<word>{_WORD})|(?:just |really )?(?P<does>{_DOES})){_TAIL}"
    ),
    re.compile(
        rf"(?:(?:i|we) )?(?:(?:do|am|really|also|just|absolutely|totally) )*(?P<word>{_WORD}) {_NAMED}{_TAIL}"
    ),
)
_MILD = ("ok", "okay", "alright", "fine")
"""Neither praise of a part nor a wish to have it gone."""
_FOR = re.compile(
    rf"my vote (?:goes to|is for) {_REF}|{_REF} (?:gets|has) my vote|i vote (?:for )?{_REF}|"
    rf"{_REF} all the way|\+1 (?:for |to )?{_REF}"
)
_WHAT_A = re.compile(rf"what an? (?:[\w-]+ )?({_WORD})")
_SAID = re.compile(
    rf"(?:(?:rate|grade|vote) {_REF}|change my (?:vote|rating|grade) (?:on|for|of) {_REF})(?: (?:as|to|a|an))* "
    rf"({_WORD})"
)
_MOVES = (
    (
        re.compile(
            rf"{_REF} (?:gives? me (?:goosebumps|chills|joy)|makes me (?:happy|smile|dance))"
        ),
        "love",
    ),
    (
        re.compile(
            rf"{_REF} (?:(?:really )?hurts? (?:my ears|me)|gives? me (?:a headache|headaches)|makes my ears bleed)"
        ),
        "awful",
    ),
)
_BETTER = re.compile(
    rf"(?:i )?(?:prefer|would rather have|choose) ({_REF})(?: (?:over|to|more than) {_REF})?|"
    rf"({_REF}) (?:is (?:much |way |far |a bit |slightly )?better(?: than (?:{_REF}|the (?:rest|others)))?|"
    rf"beats {_REF}|> ?{_REF}|over {_REF})"
)
_WHOLE_ROUND = re.compile(
    rf"(?:i )?({_WORD}) (?:them all|all(?: of)?(?: (?:them|these|those|four))?|every (?:one|clip)(?: of them)?|"
    rf"everything)|"
    rf"(?:all(?: of)?(?: (?:them|these|those|four))?|they(?: all)?|these(?: all)?|every one)(?: of them)? (?:{_BE} )"
    rf"(?:all )?{_DEGREE}({_WORD})"
)
_FACE = rf"(?:{'|'.join(sorted(map(re.escape, lexicon.EMOJI), key=len, reverse=True))})"
_PAIR = re.compile(rf"⟦([A-D#][^⟧+]*)⟧ ?(?:is |was )?({_FACE}|{_WORD}\b)\ufe0f?\s*")
_LONE = re.compile(
    rf"(?:too |so |very |quite |really )?({'|'.join(map(re.escape, (*_DULL, *lexicon.AWFUL)))})"
)


def of_several(core: str) -> tuple[tuple[str, str], ...]:
    """Return clips with their grades, where a clause grades one after the other, or some as others are not.

    "B bad C meh", "the first 😍 second 😖", "A is better than B" (which says nothing bad of B).
    """
    pairs = list(_PAIR.finditer(core))
    if len(pairs) > 1 and "".join(pair[0] for pair in pairs) == core:
        return tuple((pair[1], _OF.get(pair[2]) or lexicon.EMOJI[pair[2]]) for pair in pairs)
    if match := _BETTER.fullmatch(core):
        return tuple((ref, "good") for ref in references_in(match[1] or match[2]))
    return ()


def of_whole_round(core: str) -> str | None:
    """Return the good grade that all clips of a round get, as in "they are all great"; bad ones are another tool's."""
    match = _WHOLE_ROUND.fullmatch(core)
    grade = _OF[match[1] or match[2]] if match else None
    return grade if grade in {"good", "love"} else None


def _of_number(core: str) -> str | None:
    """Return the grade that stars, or points out of five or ten, stand for."""
    for pattern in _FROM_TO:
        if match := pattern.fullmatch(core):
            said = match["n"]
            number = _COUNTED.get(said) or int(said)
            share = number / (10 if match["of"] in {"10", "ten"} else 5)
            if share > 1:
                return None
            grades = ("awful", "meh", "good", "love")
            return grades[(share > 0.4) + (share > 0.6) + (share > 0.8)]
    return None


def of_part(core: str) -> tuple[str, str] | None:
    """Return a part of the music and what is thought of it, where a clause is about one and not about a whole clip.

    "The drums in A suck", "love the melody of B", "the bass is not great". Without a clip, only what can be left out
    counts as a part.

    Returns:
        The part, such as ``"drums"``, and ``"good"``, ``"bad"`` or ``""`` for what is neither; ``None`` where the
        clause is about something else.
    """
    if core.startswith("like "):  # "like the drums in A" is a wish
        return None
    match = next((found for one in _OF_PART if (found := one.fullmatch(core))), None)
    if match is None or not (match["of"] or can_go(match["part"])):
        return None
    said = match.groupdict()
    word, negated = said["word"], bool(said.get("no"))
    if word is None:
        return match["part"], "bad" if said["does"].startswith(("suck", "stink")) else "good"
    if word in _MILD:
        return match["part"], "bad" if negated else ""
    return match["part"], "good" if (_OF[word] in {"good", "love"}) is not negated else "bad"


def can_go(part: str) -> bool:
    """Tell whether there can be music without a part of that name."""
    facets = interpret(f"no {part}").facets
    return bool(facets.without) and not facets.unknown


def of_clause(core: str) -> str | None:
    """Return the grade that a clause gives: ``"love"``, ``"good"``, ``"meh"``, ``"awful"`` or ``None``."""
    if not core.startswith(("would", "i would", "like ")):
        if match := _IS_NOT.fullmatch(core):
            return "good" if _OF.get(match[1]) in {"awful", "meh"} else "meh"
        if _GOES.fullmatch(core):
            return "love"
        found = [match for one in (_IS, _VERB, _ALONE) if (match := one.fullmatch(core))]
        if found:
            return _OF[found[0][1]]
    return _of_number(core) or _of_saying(core) or _of_taste(core) or _of_emoji(core)


def _of_saying(core: str) -> str | None:
    if _FOR.fullmatch(core):
        return "good"
    for one in (_SAID, _LONE, _WHAT_A):
        if match := one.fullmatch(core):
            return _OF[match[1]]
    return next((grade for pattern, grade in _MOVES if pattern.fullmatch(core)), None)


def _of_taste(core: str) -> str | None:
    if match := _YES.fullmatch(core):
        return "good" if match[1] == "yes" else "meh"
    if match := _FAN.fullmatch(core):
        return "meh" if match[1] else "good"
    if _DISLIKE.fullmatch(core) or _NOT_LIKE.fullmatch(core):
        return "meh"
    return None


def of_negation(core: str) -> str | None:
    """Return the grade of "I do not like it", or ``None``."""
    return "meh" if _NOT_LIKE.fullmatch(core) else None


def _of_emoji(core: str) -> str | None:
    found = [grade for emoji, grade in lexicon.EMOJI.items() if emoji in core]
    if not found or len(set(found)) > 1:
        return None
    rest = core
    for emoji in lexicon.EMOJI:
        rest = rest.replace(emoji, " ")
    rest = re.sub(r"\ufe0f", "", rest)
    return (
        found[0]
        if re.fullmatch(
            r"\s*(?:(?:for|on|to|is|gets?|a|an|i give|the|from me)\s*)*(?:⟦[^⟧]*⟧)?\s*", rest
        )
        else of_clause(" ".join(rest.split()))
    )
