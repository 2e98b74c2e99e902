"""Cuts what somebody wrote into clauses, normalised so that patterns fit. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from prompts.reader import interpret
from prompts.spelling import index_of, mended
from service.chat import lexicon
from service.chat import phrases as words_of
from service.chat.references import marked, references_in, without_references

_IS = re.compile(
    r"\b(one|first|second|third|fourth|last|clip|track|song|[A-D])'s (?=(?:too|so|very|really|not|a|an|my|pretty|quite|"
    rf"way|just|kind of|{'|'.join((*lexicon.LOVE, *lexicon.GOOD, *lexicon.MEH, *lexicon.AWFUL))})\b)"
)
"""An "'s" that is no possessive."""
_OF_CLIP = re.compile(
    r"\b((?:the )?(?:first|second|third|fourth|last)(?: (?:one|clip|track|song))?|(?:the )?winner|[A-D])'s (?!own\b)"
    r"(\w+(?: (?:guitar|piano|organ|bass|drums?|vocals?|line|solo)\b)?)"
)
_INDEX = index_of(lexicon.MENDED)
_REAL_WORDS = frozenset(
    [
        "bring",
        "string",
        "strings",
        "parent",
        "chord",
        "things",
        "sound",
        "round",
        "version",
        "longer",
        "start",
        "plays",
    ]
)
_SPLIT = re.compile(
    r"([.;!\n]+(?=\s|$)|\?+|,|\band then\b|\bthen\b|\band\b|\bbut\b|"
    r"\bonly\b(?= (?:with|without|more|less))|\s[-\u2013\u2014&+]+\s)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A part of a sentence.

    Attributes:
        text: Normalised, with references marked.
        core: The same without polite words and "could you".
        question: Whether it asks.
        joint: What stands before it: ``"and"``, ``"but"``, ``","`` or ``""``.
    """

    text: str
    core: str
    question: bool
    joint: str

    @property
    def refs(self) -> tuple[str, ...]:
        """The clips that it names."""
        return references_in(self.text)

    @property
    def bare(self) -> str:
        """The core without references."""
        return without_references(self.core)


def clauses(text: str) -> list[Clause]:
    """Cut a text into clauses."""
    parts = _SPLIT.split(_kept_together(_paired(marked(normalised(text)))))
    out, joint = [], ""
    for number in range(0, len(parts), 2):
        piece = parts[number].replace("\u01c0", " ").strip(" -\u2013:")
        after = parts[number + 1].strip() if number + 1 < len(parts) else ""
        if piece:
            asks = after.startswith("?") or bool(words_of.QUESTION.match(piece))
            out.append(Clause(text=piece, core=core_of(piece), question=asks, joint=joint))
        joint = after if piece or after in {"but", "only"} else joint
    return out


def _kept_together(text: str) -> str:
    for name in words_of.TOGETHER:
        text = text.replace(name, name.replace(" ", "\u01c0"))
    return text


_ITEM = r"(?:the [\w-]+(?: [\w-]+)? (?:in|of|on|from) )?⟦[^⟧+]*⟧"
_TWO = re.compile(rf"(?P<one>{_ITEM}),? (?:and|with|plus|&|\+) (?P<other>{_ITEM})")
"""Two clips, or parts of them, that are joined."""
_TAKEN = re.compile(r"(?:take|use|have|put|pick|keep|just)?(?: (?:me|us|just))?")
_AS_ONE = re.compile(r"(?:(?:all )?together|in one(?: (?:clip|song|track))?)?")


def crosses(core: str) -> bool:
    """Tell whether a clause joins a part of one clip with another clip or a part of it: "the drums in A with B"."""
    pair = _TWO.search(core)
    if pair is None or not _of_two_clips(pair):
        return False
    lead, tail = core[: pair.start()].strip(), core[pair.end() :].strip()
    if _AS_ONE.fullmatch(tail) is None:
        return False
    if words_of.CROSS.search(lead) or words_of.WISH.fullmatch(lead):
        return "⟦" not in lead
    return _TAKEN.fullmatch(lead) is not None and pair[0].count("the ") > 1


def _of_two_clips(pair: re.Match[str]) -> bool:
    return "the " in pair[0] and len(set(references_in(pair[0]))) > 1


def _paired(text: str) -> str:
    """Keep "the drums in A and the melody in B" together where that is a cross.

    Where it is none, what is said of both is said of each: "love the drums in A and love the melody in B".
    """
    pair = _TWO.search(text)
    if pair is None or not _of_two_clips(pair):
        return text
    lead = _SPLIT.split(text[: pair.start()])[-1]
    tail = _SPLIT.split(text[pair.end() :])[0]
    one, other = pair["one"], pair["other"]
    before, after = text[: pair.start() - len(lead)], text[pair.end() + len(tail) :]
    as_one = f"{lead}{one} with {other}{tail}"
    if crosses(core_of(as_one)) or crosses(as_one.strip()):
        return f"{before}{as_one}{after}"
    if "⟦" in lead + tail or not re.search(r"\band\b|&|\+", pair[0]):
        return text
    return f"{before}{lead}{one}{tail} and {lead}{other}{tail}{after}"


def normalised(text: str) -> str:
    """Write a text as the patterns expect it: no contractions, slang or misspelt command words; case as it was."""
    text = text.replace("\u2019", "'").replace(":", " ").replace(" = ", " is ")
    text = re.sub(r"(?i)thumbs up", "👍", re.sub(r"(?i)thumbs down", "👎", text))
    text = re.sub(r"([a-zA-Z])\1{2,}", r"\1", text)
    text = _OF_CLIP.sub(r"the \2 in \1", _IS.sub(r"\1 is ", text))
    for pattern, put in lexicon.CONTRACTIONS:
        text = pattern.sub(put, text)
    return re.sub(r"[A-Za-z][\w/'-]*", lambda match: _word(match[0]), text)


def _word(word: str) -> str:
    low = word.lower()
    if low in lexicon.SLANG:
        return lexicon.SLANG[low]
    if len(low) >= 5 and low not in _REAL_WORDS and interpret(low).facets.unknown:
        return mended(low, _INDEX) or word
    return word


def core_of(clause: str) -> str:
    """Take politeness away."""
    text = " ".join(words_of.POLITE.sub(" ", clause).split())
    for _ in range(3):
        shorter = words_of.ASKING.sub("", text).strip()
        if shorter == text:
            break
        text = shorter
    return text


def plainly(text: str) -> str:
    """Put "turn the drums up" and the like as "more drums", which the reader of prompts knows."""
    for pattern, put in words_of.SPEED:
        text = pattern.sub(put, text)
    text = words_of.UP_DOWN.sub(lambda m: f"{'more' if m[2] == 'up' else 'less'} {m[1]}", text)
    text = words_of.TOO_MUCH.sub(r"less \1", words_of.OUT.sub(r"no \1", text))
    text = words_of.TOO_LOUD.sub(_quieter, words_of.ENOUGH.sub(r"no \1", text))
    text = words_of.DIAL.sub(_turned, text)
    text = words_of.MORE.sub(r"more \1", words_of.LESS.sub(r"less \1", text))
    return re.sub(
        r"\bmore (?:tempo|speed)\b", "faster", re.sub(r"\bless (?:tempo|speed)\b", "slower", text)
    )


_DIALS = {"volume": ("quieter", "louder"), "energy": ("less energy", "more energy")}


def _turned(match: re.Match[str]) -> str:
    """Put "the tempo could be higher" as "faster"; what is too high should be lower."""
    up = match[3] in {"higher", "high", "up"}
    return _DIALS.get(match[1], ("slower", "faster"))[up is (match[2] is None)]


def says_what(text: str) -> bool:
    """Tell whether words say by themselves what music should be, and not only how other music should change."""
    facets = interpret(plainly(text)).facets
    return bool(facets.genre or facets.moods or facets.instruments or facets.uses)


def _quieter(match: re.Match[str]) -> str:
    """Put "the drums are too loud" as "less drums"; of anything but players it is about all of it."""
    if not interpret(match[1]).facets.instruments:
        return match[0]
    return f"{'less' if match[2] == 'loud' else 'more'} {match[1]}"


def is_music(text: str, *, use: bool = False) -> bool:
    """Tell whether words say something about music; with ``use``, what it is for is enough."""
    reading = interpret(plainly(without_references(text)))
    said = set(reading.facets.to_json()) - {"unknown"} - (set() if use else {"uses"})
    return bool(said or reading.shifts or reading.removed or reading.tempo_level)
