"""Make one text that a language model gave as a prompt fit to be shown, stored and played; or find that it is none."""

from __future__ import annotations

import re
import unicodedata

MOST_WORDS = 60
MOST_CHARACTERS = 400
FEWEST_LETTERS = 3

_SPOKEN = re.compile(
    r"""^\W*(?:
        (?:i['\u2019]?m|i\ am|we['\u2019]?re|we\ are)\ (?:really\ |very\ |so\ |deeply\ )?
        (?:sorry|afraid|unable|not\ able|not\ allowed)
      | sorry\b[,.!]?\ *(?:but|i\b|this|that|about)
      | (?:unfortunately|regrettably|apologies)[,.]?\ +(?:but\ +)?(?:i|we|this|that|for)\b
      | (?:i|we)\ (?:can['\u2019]?t|can\ ?not|won['\u2019]?t|will\ not|could\ ?n['\u2019]?t|am\ unable\ to|
        must\ decline|have\ to\ decline)\ *(?:to\ )?
        (?:help\ (?:you|with|create|generate|make|write)|help[.!]*$|assist|provide|creat|generat|writ|compl|fulfil|
        do\ (?:that|this)|make|produc|continue|support|engage|answer|share|$|[.,!])
      | as\ an?\ (?:ai|artificial|large\ language|language\ model)\b
      | (?:this|that|your)\ request\ (?:is|goes|violates|can)
      | it\ (?:goes\ against|violates)\ (?:my|our)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""How a refusal begins. "I can't help falling in love, as a waltz" does not."""
_ORDERS = re.compile(
    r"""(?:ignore|disregard|forget|override|bypass)\ +(?:\w+\ +){0,3}?
        (?:previous|prior|above|earlier|preceding|system|all|your)\ +
        (?:\w+\ +){0,2}?(?:instructions?|prompts?|messages?|rules|commands?|orders|guidelines)
      | \b(?:system|developer)\ (?:prompt|message)\b
      | <\|[a-z_]+\|> | \[/?INST\] | ^\s*/(?:evolve|operators|prompts|settings|takedown|mydata|taste)\b
      | \byou\ are\ now\ (?:a|an|the|in)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_MENTION = re.compile(
    r"<(?:@[!&]?|#|id:|a?:\w+:|t:|/[\w \-]+:)-?[\w:]*>|@(?=everyone\b|here\b|\w)", re.I
)
_LINK = re.compile(r"!?\[([^\]\n]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"]*\")?\)")
_ADDRESS = re.compile(
    r"<?\b(?:(?:https?|ftp|file|data|javascript|mailto|discord)://?\S+|www\.\S+|"
    r"(?:discord\.gg|discord(?:app)?\.com|bit\.ly|t\.me)/\S*)",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-zA-Z!][^<>]{0,200}>|<\|[^<>|]{0,40}\|>")
_MARKS = re.compile(r"\*+|`+|~~+|\|\|+|__+|(?<!\w)_(?=\w)|(?<=\w)_(?!\w)")
_STRAY = re.compile("[@<>]+")
_LEAD = re.compile(r"^[\s>#\-\u2013—•·‣◦:;,.|\]})]+")
_LABEL = re.compile(
    r"^(?:(?:new|music|final|revised|child|novel|mutated|combined|improved|variation|variant|version|option|prompt|idea|"
    r"text|description|output|answer|result)\s*){1,3}(?:(?:no\.?|number|\#)?\s*\d{0,3})?\s*(?::|=|[-\u2013—](?=\s))\s*",
    re.IGNORECASE,
)
_SCORE = re.compile(
    r"""(?: \s*[-\u2013—(\[|]+\s*(?:score|rating|fitness|predicted)?\s*[:=]?\s*\d{1,3}(?:[.,]\d+)?\s*/\s*(?:100|10)\b
          | \s*(?:[-\u2013—(\[|,]+\s*(?:score|rating|fitness|predicted)\s*[:=]?
            |(?:score|rating|fitness)\s*[:=])\s*\d{1,3}(?:[.,]\d+)?\s*
            (?:/\s*\d+|%|points?)?
        )\s*[)\]]*\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
_ASIDE = re.compile(
    r"\s*\((?:original|based on|inspired by|from parents?|why|note|combin(?:es|ing|ed)|blend(?:s|ed)|mutat\w+|"
    r"variation of)\b"
    r"[^()]*\)\s*$",
    re.IGNORECASE,
)
"""What a model adds about where a prompt comes from."""
_PLACEHOLDER = re.compile(
    r"^(?:\W*|(?:your |the |a |an |new |music |first |second |next |another )*prompts?"
    r"(?: text| here| goes here| \d+| [a-z])*\W*|"
    r"strings?|text|none|null|undefined|n/?a|todo|etc\.?|placeholder|example|insert \w+(?: \w+)?(?: here)?)$",
    re.IGNORECASE,
)
_PAIRS = (
    ('"', '"'),
    ("'", "'"),
    ("“", "”"),
    ("\u2018", "\u2019"),
    ("«", "»"),
    ("(", ")"),
    ("[", "]"),
    ("{", "}"),
)
_CLAUSE = re.compile(r"[.;!?,:](?=\s|$)|\s[-\u2013—](?=\s)|[。、\uff1b\uff0c\uff01\uff1f]")


def is_refusal(text: str) -> bool:
    """Return whether a text declines to do what was asked, rather than doing it."""
    return _SPOKEN.match(text) is not None


def is_order(text: str) -> bool:
    """Return whether a text gives orders to a program or another model instead of describing music."""
    return _ORDERS.search(text) is not None


def printable(text: str) -> str:
    """Return a text without control, direction-changing and private characters; line breaks stay."""
    kept = (
        one
        if one == "\n" or not unicodedata.category(one).startswith("C")
        else (" " if one in "\t\r\v\f\x85" else "")
        for one in text.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    )
    return "".join(kept)


def clean(text: str) -> str:
    """Return a prompt fit for use, or ``""`` when the text is none.

    Control characters, mentions, links and markup are taken out, quotes and labels around it too, refusals and orders
    to the program are none, and what is longer than ``MOST_WORDS`` or ``MOST_CHARACTERS`` is cut at a clause.
    """
    text = printable(text[: MOST_CHARACTERS * 20])
    if is_refusal(text) or is_order(text):
        return ""
    text = _ADDRESS.sub(" ", _LINK.sub(r"\1", _MENTION.sub("", text)))
    text = _STRAY.sub("", _MARKS.sub("", _TAG.sub(" ", text)))
    text = " ".join(text.split())
    for _ in range(8):
        before = text
        text = _unwrapped(_SCORE.sub("", _ASIDE.sub("", _LABEL.sub("", _LEAD.sub("", text)))))
        if text == before:
            break
    text = shortened(text)
    if _PLACEHOLDER.match(text) or is_refusal(text) or is_order(text):
        return ""
    return text if sum(one.isalpha() for one in text) >= FEWEST_LETTERS else ""


def shortened(text: str) -> str:
    """Cut a text that is too long, at the last clause that fits if half of it stays, else at a word."""
    words = text.split(" ")
    if len(words) <= MOST_WORDS and len(text) <= MOST_CHARACTERS:
        return text
    head = " ".join(words[:MOST_WORDS])
    if len(head) > MOST_CHARACTERS:
        head = head[:MOST_CHARACTERS]
        head = head.rsplit(" ", 1)[0] if " " in head else head
    ends = [match.start() for match in _CLAUSE.finditer(head) if match.start() >= len(head) // 2]
    return (head[: ends[-1]] if ends else head).rstrip(" ,;:-\u2013—")


def key(text: str) -> str:
    """Return what two spellings of one prompt have in common."""
    return "".join(one for one in unicodedata.normalize("NFKC", text).casefold() if one.isalnum())


def _unwrapped(text: str) -> str:
    text = text.strip().rstrip(",;\\").strip()
    for opening, closing in _PAIRS:
        if len(text) > 1 and text.startswith(opening) and text.endswith(closing):
            inner = text[1:-1]
            if opening not in inner and closing not in inner:
                return inner.strip()
    if text[:1] in '"“' and not any(one in text[1:] for one in '"”'):
        return text[1:].strip()
    if text[-1:] in '"”' and not any(one in text[:-1] for one in '"“'):
        return text[:-1].strip()
    return text
