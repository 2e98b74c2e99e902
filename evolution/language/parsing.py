"""Find in a model's answer what was asked for, however it is wrapped. Nothing in here ever raises.

Small models answer in JSON with a comma too many, in tags of which one is missing, in a numbered list with an
introduction, or think aloud first. Re-asking costs a call and seconds, so everything usable is kept.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from evolution.language import cleaning, lists, loose_json

LONGEST = 60_000
"""Characters of an answer that are read."""
MOST_TAGS = 400
"""Tags of an answer that are read."""

_THOUGHT = r"(?:th\w{0,4}nk\w{0,3}|thought|reasoning|reflection|scratchpad|seed:think|analysis)"
_OPEN_THOUGHT = re.compile(
    rf"<\s*{_THOUGHT}(?:\s[^<>]*)?>|◁\s*think\w*\s*▷|\[THINK\]|<\|begin_of_thought\|>",
    re.IGNORECASE,
)
_CLOSE_THOUGHT = re.compile(
    rf"<\s*/\s*{_THOUGHT}\s*>|◁\s*/\s*think\w*\s*▷|\[/THINK\]|<\|end_of_thought\|>", re.IGNORECASE
)
_CHANNEL = re.compile(r"<\|channel\|>\s*(\w+)[^<]*?<\|message\|>")
_CHANNEL_END = re.compile(r"<\|(?:end|return|start|call)\|>(?:assistant)?")
_TAG = re.compile(
    r"[<\[{]\s*(?P<slash>/|\\)?\s*(?:music[_\s-]?|new[_\s-]?)?(?:prompt|promt|promp|prmpt|pompt|propmt|child|item|li|p|variation|song)(?:[_\s-]?\d{1,3})?"
    r"(?P<rest>(?:\s[^<>\]{}]*?)?)\s*(?P<self>/)?\s*[>\]}]",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"=\s*(\"[^\"]{12,}\"|'[^']{12,}')")
_GIVEN = re.compile(
    r"^(?:new|music|final|generated|mutated|child|output)?[\s_-]*(?:prompts?|child(?:ren)?|ideas?|results?|variations?|variants?|"
    r"candidates?|items?|outputs?|songs?|tracks?|pieces?|offspring|answers?|list|data|descriptions?|texts?|content|value|music|novel|"
    r"response|population|generation)(?:[\s_#-]*\d+)?$",
    re.IGNORECASE,
)
_TALK_KEY = re.compile(
    r"(?:analys|reason|thought|think|explan|note|comment|rational|title|^name$|^id$|why|summary|parent|original|operator|score|"
    r"rank|successful|failed|feedback|error|status|type|role|model|genre|mood|tempo|key|instrument|changes?)",
    re.IGNORECASE,
)
_FACET_KEY = re.compile(
    r"^(?:sub[_-]?)?(?:genre|style|mood|tempo|bpm|instrument(?:s|ation)?|energy|vibe|setting|atmosphere|rhythm|texture|"
    r"feel|key|harmony|melody|vocals?)s?$",
    re.IGNORECASE,
)
_FASTEST = 1000
"""Beats per minute beyond which a number is no tempo."""
_ESCAPED = re.compile(r"[\[{,:]\s*\\\"")
_BOXED = re.compile(r"\\(?:boxed|text|textbf)\{([^{}]*)\}")
_PARAGRAPH = re.compile(r"\n[ \t]*\n|(?<=\w\w[.!\w])[ \t]*\n[ \t]*(?=(?:\S+[ \t]+){3})(?=[A-Z\d])")
_QUOTED = re.compile(
    r"\"([^\"\n]{8,600})\"|“([^“”\n]{8,600})”|«([^«»\n]{8,600})»|(?<!\w)'([^'\n]{8,600})'(?!\w)"
)


def without_reasoning(text: str) -> str:
    """Return an answer without what a thinking model thought aloud.

    A block that is never closed goes to the end; before a lone closing mark everything goes, because many servers put
    the opening one into the question.
    """
    text = _final_channel(text)
    out: list[str] = []
    position = 0
    while position < len(text):
        opening = _OPEN_THOUGHT.search(text, position)
        closing = _CLOSE_THOUGHT.search(text, position)
        if closing and (opening is None or closing.start() < opening.start()):
            out.clear()  # opened before the answer began
            position = closing.end()
        elif opening is None:
            out.append(text[position:])
            break
        else:
            out.append(text[position : opening.start()])
            end = _CLOSE_THOUGHT.search(text, opening.end())
            position = end.end() if end else len(text)
    return "".join(out).strip()


def prompts_in(text: str, wanted: int, *, cut: bool = False) -> list[str]:
    """Return the prompts in an answer: cleaned, each once, in order, at most ``wanted``.

    Args:
        text: What the model wrote.
        wanted: How many are asked for; fewer come back when fewer are there.
        cut: Whether the answer was cut off: then a last prompt that was never closed is brought to a clause's end, or
            left out where nothing whole would remain.

    Returns:
        Prompts of at most ``cleaning.MOST_WORDS`` words; empty for a refusal.
    """
    if wanted <= 0:
        return []
    text = cleaning.printable(text[:LONGEST])
    answer = without_reasoning(text)
    found = _select(answer, wanted, cut=cut)
    if not found and answer != text.strip():
        # The model never stopped thinking, or its closing mark is damaged: what it had marked as a prompt still counts.
        bare = _CLOSE_THOUGHT.sub("\n", _OPEN_THOUGHT.sub("\n", text))
        found = _unique(_marked(_readable(bare)), wanted, cut=cut)
    return found


def object_in(text: str) -> dict[str, Any] | None:
    """Return the first object with any key in an answer, read leniently, or ``None``.

    Of a list of objects it is the first one. Everything in it is unchecked.
    """
    answer = without_reasoning(cleaning.printable(text[:LONGEST]))
    value = loose_json.whole(answer)
    values = [value] if value is not None else [one.value for one in loose_json.values_in(answer)]
    for one in values:
        for candidate in one if isinstance(one, list) else [one]:
            if isinstance(candidate, dict) and candidate:
                return {str(name): item for name, item in candidate.items()}
    return None


def is_refusal(text: str) -> bool:
    """Return whether the whole answer declines to do what was asked."""
    return cleaning.is_refusal(without_reasoning(text[:LONGEST])) and not prompts_in(text, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A text that may be a prompt, from ``source[at:end]``."""

    at: int
    end: int
    text: str
    closed: bool = True


def _final_channel(text: str) -> str:
    """Keep what stands in the final channel, where a model writes into several."""
    marks = list(_CHANNEL.finditer(text))
    if not marks:
        return text
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    parts = [
        _CHANNEL_END.sub("", text[mark.end() : end])
        for mark, end in zip(marks, ends, strict=True)
        if mark[1].lower() not in ("analysis", "commentary")
    ]
    return text[: marks[0].start()] + "\n".join(parts)


def _select(answer: str, wanted: int, *, cut: bool) -> list[str]:
    plain = _readable(answer)
    marked = list(_marked(plain))
    found = _unique(marked, wanted, cut=cut)
    refused = cleaning.is_refusal(plain)
    if len(found) >= wanted or (found and refused):
        return found
    listed = [
        one
        for one in _listed(_TAG.sub(_blank, _without(plain, marked)), ranked=not found)
        if not _is_structure(one.text)
    ]
    found = _unique(
        sorted([*marked, *listed], key=lambda one: one.at), wanted, cut=cut, first=found
    )
    if found or refused:
        return found
    quoted = [
        _Piece(
            at=match.start(), end=match.end(), text=next(group for group in match.groups() if group)
        )
        for match in _QUOTED.finditer(plain)
    ]
    found = _unique([one for one in quoted if len(one.text.split()) > 2], wanted, cut=cut)
    if found:
        return found
    lines = [_Piece(at=item.at, end=item.at, text=item.text) for item in lists.lines_in(plain)]
    return _unique([one for one in lines if not _is_structure(one.text)], wanted, cut=cut)


def _readable(text: str) -> str:
    """Undo what was escaped once too often: HTML, and the quotes of JSON."""
    text = _BOXED.sub(r"\1", html.unescape(text))
    return text.replace('\\"', '"') if _ESCAPED.search(text) else text


def _listed(text: str, *, ranked: bool) -> list[_Piece]:
    """Return what stands in lists, those with a score behind them only if ``ranked``."""
    items = [item for item in lists.items_in(text) if ranked or not item.ranked]
    return [_Piece(at=item.at, end=item.at, text=item.text) for item in items]


def _without(text: str, pieces: Sequence[_Piece]) -> str:
    """Blank out where the pieces stand, so that nothing is found twice; line breaks stay."""
    # All strings of one object stand in one place: thousands of them must not blank it thousands of times.
    for at, end in dict.fromkeys((piece.at, piece.end) for piece in pieces):
        text = text[:at] + re.sub(r"[^\n]", " ", text[at:end]) + text[end:]
    return text


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def _is_structure(text: str) -> bool:
    """Whether a line is a bracket or key of JSON that was read already, not words."""
    bare = text.strip().rstrip(",")
    return not bare or bare[0] in "{}[]" or re.match(r"[\"'][\w ]{1,30}[\"']\s*:", bare) is not None


def _unique(
    pieces: Sequence[_Piece] | Iterator[_Piece],
    wanted: int,
    *,
    cut: bool,
    first: Sequence[str] = (),
) -> list[str]:
    """Clean the pieces, each once; the ``first`` ones are never crowded out by weaker finds."""
    sure = {cleaning.key(one) for one in first}
    room = wanted - len(sure)
    found: dict[str, str] = {}
    for piece in pieces:
        text = cleaning.clean(piece.text)
        if cut and not piece.closed:
            text = cleaning.clean(_whole_part(text))
        name = cleaning.key(text)
        if not text or name in found:
            continue
        if name not in sure:
            if room <= 0:
                continue
            room -= 1
        found[name] = text
    return list(found.values())[:wanted]


def _whole_part(text: str) -> str:
    """Cut a text that was broken off back to its last clause, or to nothing."""
    end = max(text.rfind(mark) for mark in (",", ";", ".", " - "))
    return text[:end].rstrip() if end >= len(text) // 2 and end > 0 else ""


def _marked(text: str) -> Iterator[_Piece]:
    """Yield what tags and JSON mark as prompts: those in tags first, each kind in order."""
    value = loose_json.whole(text)
    if value is not None and not _TAG.search(text):
        for string in _strings(value, depth=8):
            yield _Piece(at=0, end=len(text), text=string)
        return
    tagged = list(_tagged(text))
    for piece in tagged:
        yield from _inside(piece)
    for found in loose_json.values_in(_TAG.sub(_blank, _without(text, tagged))):
        for string in _strings(found.value, depth=8):
            if not isinstance(string, loose_json.Bare):
                closed = not isinstance(string, loose_json.Unclosed)
                yield _Piece(at=found.start, end=found.end, text=string, closed=closed)


def _inside(piece: _Piece) -> Iterator[_Piece]:
    """Yield what is between two tags: one prompt, or several where a model forgot the tags between them."""
    texts = _json_strings(piece.text) if piece.text.lstrip()[:1] in {"{", "["} else []
    listed = [item.text for item in lists.items_in(piece.text) if item.listed]
    if not texts:
        texts = (
            listed
            if len(listed) > 1
            else [one for one in _PARAGRAPH.split(piece.text) if one.strip()]
        )
    for text in texts or [piece.text]:
        closed = piece.closed or text not in texts[-1:]
        yield _Piece(at=piece.at, end=piece.end, text=text, closed=closed)


def _json_strings(text: str) -> list[str]:
    strings = [
        one for found in loose_json.values_in(text) for one in _strings(found.value, depth=8)
    ]
    return [one for one in strings if not isinstance(one, loose_json.Bare)]


def _tagged(text: str) -> Iterator[_Piece]:
    tags = list(islice(_TAG.finditer(text), MOST_TAGS))
    opened = False
    position = 0
    for number, tag in enumerate(tags):
        before = text[position : tag.start()]
        if opened:
            yield _Piece(at=position, end=tag.start(), text=before)
        elif tag["slash"] and before.strip():  # its opening tag is missing
            line = before.rstrip().rsplit("\n", 1)[-1]
            yield _Piece(at=position + before.rindex(line), end=tag.start(), text=line)
        opened = not tag["slash"]
        position = tag.end()
        if attribute := _ATTRIBUTE.search(tag["rest"]):
            yield _Piece(at=tag.start(), end=tag.end(), text=attribute[1][1:-1])
            opened = opened and not tag["self"] and number + 1 < len(tags)
    if opened and text[position:].strip():
        rest = text[position:].lstrip("\n").split("\n\n", 1)[0]
        start = text.index(rest, position)
        yield _Piece(at=start, end=start + len(rest), text=rest, closed=False)


def _strings(value: Any, *, depth: int) -> Iterator[str]:
    """Yield the strings of a JSON value that may be prompts: those under telling names, else all that are not talk."""
    if depth <= 0:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one, depth=depth - 1)
    elif isinstance(value, Mapping):
        given = [
            name
            for name in value
            if _GIVEN.match(str(name)) and isinstance(value[name], (str, list, Mapping))
        ]
        facets = [] if given else [_facet(name, one) for name, one in value.items()]
        if sum(bool(one) for one in facets) > 1:  # a form filled in, in place of a sentence
            yield ", ".join(one for one in facets if one)
            return
        names = given or [name for name in value if not _TALK_KEY.search(str(name))]
        for name in names:
            yield from _strings(value[name], depth=depth - 1)


def _facet(name: object, value: Any) -> str:
    """Return what a field such as ``"mood"`` says, or ``""`` when it is another field."""
    if not _FACET_KEY.match(str(name)):
        return ""
    if isinstance(value, list):
        return ", ".join(one for one in value if isinstance(one, str))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # A model that repeats a digit writes a number that is none: too large to be even a float.
        sound = 0 < value < _FASTEST and str(name).lower() in ("tempo", "bpm")
        return f"{value:g} bpm" if sound else ""
    return value if isinstance(value, str) else ""
