"""Finds which clips a sentence talks about: B, the second one, the winner, the one with the flute, <@42>'s.

References leave this module as words that a person or a model could have written just as well:

========================  ====================================================================
``A`` to ``D``            a place in the latest round here
``B of previous``         a place in the round before
``B of 2``                a place in round 2
``winner``, ``best``      what won the latest closed round; what the speaker rated highest
``#12``                   a number of a lineage
``@42``                   the latest clip that this member posted from a mood
``~flute``                the clip of the latest round whose prompt speaks of a flute
========================  ====================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable

from prompts.reader import interpret

MARK = re.compile(r"⟦([^⟧]*)⟧")
"""A reference within a normalised sentence; several are joined by ``+``."""
_PLACES = {
    "first": "A",
    "1st": "A",
    "second": "B",
    "2nd": "B",
    "third": "C",
    "3rd": "C",
    "fourth": "D",
    "4th": "D",
    "last": "D",
    "final": "D",
    **dict(zip(("one", "two", "three", "four"), "ABCD", strict=True)),
    **dict(zip("1234", "ABCD", strict=True)),
    **dict(zip("abcd", "ABCD", strict=True)),
}
_NOUN = r"(?:one|clip|track|song|tune|piece|thing)s?"
_MODE = (
    r"(?:flat|sharp|[#♭♯])?\s*(?:minor|major|maj|min|dorian|phrygian|lydian|mixolydian|"
    r"locrian|aeolian)"
)
_LETTER_AFTER = (
    r"is|was|slaps|sucks|rocks|rules|but|and|or|from|of|with|please|then|needs|sounds|has|goes|"
    r"\d+ ?(?:stars?|/)|[a-z]+er(?: and| but|[,.!?]|$)|vs|x|beats|gives|gets|deserves|makes|hurts|"
    r"all the way|over|wins|in|though|\W|$"
)
_ONE = r"(?:clip|track|song|tune|number|no\.?|nr\.?|option|letter)"
_ORDINAL = r"first|1st|second|2nd|third|3rd|fourth|4th|last|final"
_ROUND = re.compile(
    r"\s*\b(?:of|from|in)?\s*(?:the )?(?:(previous|prior|earlier|last|latest|current|"
    r"this) round|round (?:number )?(\d{1,4})"
    r"|round (before))\b"
)
_PAIRS = {"first two": "A+B", "last two": "C+D", "first three": "A+B+C", "last three": "B+C+D"}


_LIST = re.compile(
    r"(?:both )?⟦([^⟧]*)⟧(?:\s*&\s*|,?\s+(?:and|or|plus)\s+|"
    r"\s*,\s*(?=⟦[^⟧]*⟧(?:\s*(?:,|&|[.!?;]|$)|\s+(?:and|or|plus)\b)))⟦([^⟧]*)⟧"
)
"""References in a list; after a comma alone only where no verb follows, as in "love A, D is awful"."""


def marked(text: str) -> str:
    """Return a sentence in lower case with its references marked.

    Args:
        text: The sentence as it was typed: capital A is a clip, small a is mostly an article.
    """
    shouting = text.isupper() and sum(char.isalpha() for char in text) > 3
    text = re.sub(r"<@!?(\d{1,20})>(?:\s*'s\b)?(?:\s+" + _NOUN + r"\b)?", r"⟦@\1⟧", text)
    text = re.sub(r"\b(?:the )?(?:" + _NOUN + r" )?(?:made |posted )?by ⟦@", "⟦@", text)
    if not shouting:
        text = re.sub(r"(?<=[\w>] )A(?=\W|$)(?! " + _MODE + r")", "⟦A⟧", text)
        text = re.sub(rf"^(\W*)A(?= (?:{_LETTER_AFTER})|[^\w ]| [^\w\s]|$)", r"\1⟦A⟧", text)
        text = re.sub(r"^(\W*)A(?= [a-z]+,? B\b)", r"\1⟦A⟧", text)
    text = text.lower().replace("⟦a⟧", "⟦A⟧")
    for pattern, put in _RULES:
        text = pattern.sub(put, text)
    text = _described(text)
    text = _with_rounds(text)
    return _joined(text)


def _place(match: re.Match[str]) -> str:
    return f"⟦{_PLACES[match[1]]}⟧"


def _pair(match: re.Match[str]) -> str:
    return f"⟦{_PAIRS[match[1]]}⟧"


_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str] | str], ...] = (
    (re.compile(rf"\b(?:the )?({'|'.join(_PAIRS)})\b(?: {_NOUN})?"), _pair),
    (re.compile(rf"\b(?:the )?(?:winner|winning {_NOUN})\b"), "⟦winner⟧"),
    (
        re.compile(
            rf"\b(?:the {_NOUN} (?:that )?i (?:liked|loved|starred)(?: (?:best|most))?|"
            rf"my (?:favou?rite|best) {_NOUN})\b"
        ),
        "⟦best⟧",
    ),
    (re.compile(rf"(?:\b{_ONE} )?(?<![\w⟦#])#(\d{{1,15}})\b"), r"⟦#\1⟧"),
    (
        re.compile(rf"\b(?:the )?{_ONE} (one|two|three|four|[1-4]|[a-d])\b(?!\s*(?:{_MODE}|/))"),
        _place,
    ),
    (
        re.compile(
            rf"(?<!\d )\b(?:the )?({_ORDINAL})\b(?: {_NOUN})?(?! (?:round|time|thing|minute|night|week|"
            rf"year|month|day|chance|call|bit|part|bar|beat|section|note|few|i |you |word))"
        ),
        _place,
    ),
    (re.compile(rf"(?<![\w'⟦@~#])(?:the )?([bcd])(?![\w'⟧#♭♯])(?! {_MODE})"), _place),
    (re.compile(r"(?<=[\w&] )(a)(?=\s*(?:$|[,.;!?&]))"), _place),
    (re.compile(r"^(a)(?= (?:and|&|with) ⟦)"), _place),
)


def _described(text: str) -> str:
    """Mark "the jazzy one" and "the one with the flute", where the description is about music."""

    def put(match: re.Match[str]) -> str:
        words = " ".join(match[1].split())
        return f"⟦~{words}⟧" if _is_music(words) else match[0]

    text = re.sub(
        rf"\bthe {_NOUN} with (?:the |a |an |some )?([a-z-]{{3,20}}(?: guitar)?)\b", put, text
    )
    return re.sub(r"\b(?:the|that) ([a-z-]{3,20}(?: guitar)?) (?:one|clip|track|song)\b", put, text)


def _is_music(words: str) -> bool:
    reading = interpret(words)
    said = {key for key in reading.facets.to_json() if key != "unknown"}
    return bool(said or reading.tempo_level) and not reading.facets.unknown and not reading.shifts


def _with_rounds(text: str) -> str:
    """Move "of the previous round" into the references before it."""
    found = _ROUND.search(text)
    if found is None or not MARK.search(text):
        return text
    which, number, before = found.groups()
    suffix = f" of {number}" if number else ""
    if before or which in {"previous", "prior", "earlier"}:
        suffix = " of previous"
    rest = text[: found.start()] + " " + text[found.end() :]

    def put(match: re.Match[str]) -> str:
        return f"⟦{'+'.join(one + suffix for one in match[1].split('+'))}⟧"

    return re.sub(r"⟦([A-D](?:\+[A-D])*)⟧", put, rest) if suffix else rest


def _joined(text: str) -> str:
    """Join references that stand in a list: "A and C", "A, B or D"."""
    while True:
        joined = _LIST.sub(r"⟦\1+\2⟧", text)
        if joined == text:
            return text
        text = joined


def references_in(clause: str) -> tuple[str, ...]:
    """Return the references of a marked clause, in order."""
    return tuple(one for found in MARK.findall(clause) for one in found.split("+"))


def without_references(clause: str) -> str:
    """Return a marked clause without its references and the little words before them."""
    lead = r"(?:\b(?:to|on|in|of|for|from|with|the|both|about)\s+)?"
    return " ".join(re.sub(lead + MARK.pattern, " ", clause).split())
