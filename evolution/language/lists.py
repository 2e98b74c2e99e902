"""Find the items of lists that language models write: numbered, bulleted, headed, in tables, or one to a line."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARKER = re.compile(
    r"""^(?P<indent>[ \t>]*)(?:\#{1,6}\s*)?(?:\*\*|__)?
        (?:(?:prompt|variation|variant|version|option|idea|child|example)\s*\#?\s*\d{1,3}\s*(?:\([^()\n]{0,60}\)\s*)?
            (?:\*\*|__)?\s*(?:[:.)\-\u2013—]+|$)
          |[(\[]?\d{1,3}\s*[.):\]](?!\d)|\d{1,3}\s+[-\u2013—]|\#\d{1,3}[.):]?|\(?[a-z][.)](?=\s)|[-*+•·‣◦\u2013—●▪○✦★](?!\*)|\d️?⃣)
        (?:\*\*|__)?\s*(?P<text>\S.*|)$""",
    re.IGNORECASE | re.VERBOSE,
)
_HEAD = re.compile(
    r"^\s*(?:\#{1,6}\s+(?P<hash>.+?)|"
    r"(?:\*\*|__)(?P<bold>[^*_]+?)(?:\*\*|__)\s*:?|(?P<colon>[^.!?]{1,80}):)\s*$"
)
_BOLD_LEAD = re.compile(
    r"^\s*(?:\*\*|__)(?P<head>[^*_\n]{1,80}?)\s*:?\s*(?:\*\*|__)\s*[:\-\u2013—]*\s*(?P<text>\S.*)$"
)
_BOLD_REST = re.compile(r"^(?P<head>[^*_\n]{1,80}?)\s*:?\s*\*\*\s*[:\-\u2013—]*\s*(?P<text>\S.*)$")
"""What is left of ``**1. Heading:** text`` without its number."""
_NAMED = re.compile(
    r"^\W*(?:(?:final|new|combined|blended|mutated|resulting|music|output|generated|improved)\s+){0,3}prompt\s*(?:\*\*|__)?\s*:\s*"
    r"(?:\*\*|__)?\s*(?P<text>\S.*)$",
    re.IGNORECASE,
)
_TALK_HEAD = re.compile(
    r"\b(?:analysis|analy[sz]ing|successful|unsuccessful|failed|failing|rankings?|ranked|reasoning|reasons?|rationale|notes?|"
    r"explanations?|why|changes?|observations?|summary|insights?|"
    r"strateg(?:y|ies)|takeaways?|what (?:works|worked)|"
    r"parents?|original|inputs?|previous|feedback|thoughts?|"
    r"key (?:elements|points)|comments?)\b",
    re.IGNORECASE,
)
_GIVE_HEAD = re.compile(
    r"\b(?:new|generated|final|output|results?|answer|children|improved)\b", re.IGNORECASE
)
_TALK = re.compile(
    r"""^\W*(?:
        (?:here(?:['\u2019]s|\ (?:are|is|you\ go))|sure|certainly|of\ course|absolutely|okay|ok|alright|let\ me
          |let['\u2019]s|great)\b
      | (?:i|we)(?:['\u2019](?:ve|ll|d|m|re)|\ (?:have|will|would|am|tried|kept|made|combined|used|changed|added|think
          |hope|can|could|want|need|should|chose|took|blended|merged|focused|created|generated|wrote))\b
      | (?:these|those|this|the\ (?:following|above|first|second|third|new|other|prompts?))\ (?:\w+\ )?
          (?:prompts?|is|are|one|ones|variations?|combines?|blends?|keeps?|captures?|aims?|should|would|were|was|list
          |focus\w*)\b
      | (?:below|following)\ (?:are|is)\b
      | (?:hope|thank|thanks|enjoy|feel\ free|please|would\ you|do\ you|if\ you|note\ that|based\ on|in\ summary
          |in\ conclusion|in\ short|as\ requested|each\ (?:prompt|one|of)
          |to\ (?:create|make|do\ this|achieve|improve))\b
      | (?:why|notes?|reason(?:ing)?|rationale|analysis|explanation|comment|summary|changes?|score|rating|parents?|title
          |warning)\s*\**\s*[:=] | step\ \d | word\ count
      | \d+\s*$ | (?:scores?|total)\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_RANKED = re.compile(r"\d\s*/\s*(?:100|10)\b")
_FENCE = re.compile(r"^\s*(?:```|~~~)[\w+-]*\s*$")
_INLINE = re.compile(r"(?:(?<=^)|(?<=[\s.;,]))\(?(\d{1,2})[.)]\s+(?=\S)")
_SHORT_HEAD = 5
"""Words up to which an item may be only the heading of what follows."""


@dataclass(slots=True)
class Item:
    """An item and where it begins, in characters of the text."""

    at: int
    text: str
    listed: bool = True
    indent: int = 0
    head: str = ""
    ranked: bool = False
    """Whether a score stands behind it: mostly a repetition of what the model was shown."""
    waiting: bool = False
    """Whether only its number has been seen yet."""


def is_talk(text: str) -> bool:
    """Return whether a line talks about prompts rather than being one."""
    return _TALK.match(text) is not None or text.rstrip("*_ ").endswith(":")


def items_in(text: str) -> list[Item]:
    """Return the items of all lists in a text, in order, without what stands under a heading such as "Analysis"."""
    found: list[Item] = []
    talking = False
    blank = True
    for at, line in _lines(text):
        if not line.strip() or _FENCE.match(line):
            blank = True
            continue
        match = _MARKER.match(line)
        heading = _HEAD.match(line)
        if match and not match["text"].strip("*_: "):
            if not talking:
                found.append(Item(at=at, text="", waiting=True))
        elif (
            heading and (match is None or not match["text"]) and not _continues(found, line, blank)
        ):
            talking = _heading(found, heading, at, talking)
        elif match:
            _listed(found, match, at, talking)
        elif cell := _cell(line):
            found.append(Item(at=at, text="" if talking or is_talk(cell) else cell))
        else:
            _plain(found, line, at, talking=talking, blank=blank)
        blank = False
    given = [item for item in found if (item.text or item.head) and (item.listed or item.text)]
    new = [item for item in given if not item.ranked] or given
    return [
        Item(at=item.at, text=item.text or item.head, listed=item.listed, ranked=item.ranked)
        for item in new
    ]


def lines_in(text: str) -> list[Item]:
    """Return the lines that may be prompts where there is no list at all.

    Where some are called prompts it is those, else those in code fences, else all that are not talk.
    """
    fenced: list[Item] = []
    loose: list[Item] = []
    inside = False
    for at, line in _lines(text):
        if _FENCE.match(line):
            inside = not inside
        elif line.strip() and not (
            is_talk(line) or _HEAD.match(line) or line.rstrip("*_ ").endswith("?")
        ):
            (fenced if inside else loose).append(Item(at=at, text=line.strip(), listed=False))
    named = [
        Item(at=item.at, text=match["text"], listed=False)
        for item in [*fenced, *loose]
        if (match := _NAMED.match(item.text))
    ]
    return named or fenced or loose


def _lines(text: str) -> list[tuple[int, str]]:
    out: list[tuple[int, str]] = []
    at = 0
    for line in text.split("\n"):
        out += [(at + start, piece) for start, piece in _enumerated(line)]
        at += len(line) + 1
    return out


def _enumerated(line: str) -> list[tuple[int, str]]:
    """Split "1. this 2. that" of one line into its items; anything else stays whole."""
    marks: list[int] = []
    for match in _INLINE.finditer(line):
        if int(match[1]) == len(marks) + 1:
            marks.append(match.start())
    if len(marks) < 2:
        return [(0, line)]
    starts = [0, *marks] if line[: marks[0]].strip() else marks
    ends = [*starts[1:], len(line)]
    return [(start, line[start:end].rstrip()) for start, end in zip(starts, ends, strict=True)]


def _heading(found: list[Item], match: re.Match[str], at: int, talking: bool) -> bool:
    """Take note of a heading; returns whether what follows is talk about prompts."""
    words = next(group for group in match.groups() if group)
    if _TALK_HEAD.search(words) and not _GIVE_HEAD.search(words):
        return True
    if match["bold"] and not is_talk(words) and len(words.split()) > 1:
        found.append(Item(at=at, text="", head="" if talking else words, listed=True))
        return talking and not _GIVE_HEAD.search(words)
    return False


def _listed(found: list[Item], match: re.Match[str], at: int, talking: bool) -> None:
    text = match["text"].strip()
    indent = len(match["indent"].expandtabs(4))
    last = found[-1] if found else None
    under = last is not None and last.listed and indent > last.indent
    if under and last is not None and last.head and not last.text and not is_talk(text):
        last.text = text
    elif under and last is not None and last.head and not is_talk(text):
        last.text = f"{last.text}, {text}"
    elif talking or is_talk(text):
        found.append(Item(at=at, text="", indent=indent))
    elif _RANKED.search(text[-24:]):
        found.append(Item(at=at, text=text, indent=indent, ranked=True))
    else:
        found.append(_headed(at, text, indent, hashed=match.group().lstrip().startswith("##")))


def _headed(at: int, text: str, indent: int, *, hashed: bool) -> Item:
    """Make an item of ``**Heading**: text``, of a heading alone, or of text alone."""
    match = _BOLD_LEAD.match(text) or (_BOLD_REST.match(text) if text.count("**") == 1 else None)
    if match and len(match["text"].split()) >= 4:
        return Item(at=at, text=match["text"], indent=indent)
    bare = re.fullmatch(r"(?:\*\*|__)?([^*_]+?)(?:\*\*|__)?:?", text)
    marked = hashed or text[:1] in "*_" or text[-1:] in "*_:"
    if bare and len(bare[1].split()) <= _SHORT_HEAD and marked:
        return Item(at=at, text="", head=bare[1], indent=indent)
    return Item(at=at, text=text, indent=indent)


def _continues(found: list[Item], line: str, blank: bool) -> bool:
    return bool(found) and not blank and line[:1] in " \t" and bool(found[-1].text)


def _cell(line: str) -> str:
    """Return the longest cell of a table's row, or ``""``."""
    bare = line.strip()
    if bare.count("|") < 2 or not (bare.startswith("|") and bare.endswith("|")):
        return ""
    cells = [cell.strip() for cell in bare.strip("|").split("|")]
    longest = max(cells, key=len)
    return longest if len(longest.split()) > 2 else ""


def _plain(found: list[Item], line: str, at: int, *, talking: bool, blank: bool) -> None:
    """Join a line without a marker to the item it belongs to, or take it as one that lost its marker."""
    text = line.strip()
    bold = _BOLD_LEAD.match(text)
    last = found[-1] if found else None
    if last is not None and (last.head or last.waiting) and not last.text:
        last.text = "" if talking or is_talk(text) else text
        last.waiting = last.waiting and not last.text
    elif last is not None and last.text and not blank and line[:1] in " \t" and not is_talk(text):
        last.text = f"{last.text} {text}"
    elif bold and not talking and len(bold["text"].split()) >= 4 and not is_talk(text):
        found.append(Item(at=at, text=bold["text"]))
    elif (
        last is not None
        and not blank
        and not talking
        and not is_talk(text)
        and len(text.split()) > 3
    ):
        found.append(Item(at=at, text=text, listed=False))
