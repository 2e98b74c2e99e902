"""What people think of a clip, in their words: a grade."""

from __future__ import annotations

import re

from service.chat import lexicon

_OF = {
    **dict.fromkeys(lexicon.LOVE, "love"),
    **dict.fromkeys(lexicon.GOOD, "good"),
    **dict.fromkeys(lexicon.MEH, "meh"),
    **dict.fromkeys(lexicon.AWFUL, "awful"),
}
_WORD = rf"(?:{'|'.join(sorted(map(re.escape, _OF), key=len, reverse=True))})"
_DEGREE = (
    r"(?:(?:so|really|quite|very|too|a bit|a little|kind of|pretty|absolutely|totally|just|"
    r"simply|rather|super|such a|the|a|an|"
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
    rf"(?:(?:i|we) )?(?:(?:do|would|absolutely|totally|also|kind of|"
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
    return _of_taste(core) or _of_emoji(core)


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
