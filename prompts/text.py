"""From any text to words: accents, case, apostrophes, emoji, mentions and markup are levelled here."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

MAX_CHARACTERS = 4000
"""Longer texts are cut here; Discord's own limit for a message of a paying member."""
MAX_TOKENS = 700

# Every pattern is linear: bounded or without nested repetition.
_MARKUP = re.compile(r"<[@#:a/][^<>\s]{0,60}>|https?://\S+", re.IGNORECASE)
_ASIDE = re.compile(r"\bw/(o\b)?", re.IGNORECASE)
_TOKEN = re.compile(
    r"(?P<metre>(?<![\d/])\d{1,2}/\d{1,2}(?![\d/]))"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)*#?)"
    r"|(?P<join>[&+])"
    r"|(?P<stop>\s[-\u2013\u2014]+\s|[,;:.!?()\[\]{}|\n\r\"\u2022/\u2026\u2014]|\u2013(?!\w))"
    r"|(?P<symbol>[\u2190-\u2bff\U0001f000-\U0001faff])"
)
_TRANSLATION = str.maketrans(
    {"\u266f": "#", "\u266d": "b", "\u2019": "'", "\u2018": "'", "\u02bc": "'", "\u00b4": "'"}
)
_FLAT_TIGHT = str.maketrans({"\u266e": None, "\ufe0f": None, "\u200d": " "})


class Token(NamedTuple):
    """A word, a number, an emoji, or ``""`` where the clause ends. ``raw`` keeps the writer's capitals."""

    word: str
    raw: str


STOP = Token("", "")


def tokenise(text: str) -> list[Token]:
    """Split ``text`` into at most ``MAX_TOKENS`` tokens. Never raises."""
    text = _MARKUP.sub(" ", text[:MAX_CHARACTERS])
    text = _ASIDE.sub(lambda match: "without " if match.group(1) else "with ", text)
    if not text.isascii():
        text = text.translate(_TRANSLATION).translate(_FLAT_TIGHT)
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in decomposed if not unicodedata.combining(char))
    out: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind, raw = match.lastgroup, match.group()
        if kind == "stop":
            if out and out[-1] is not STOP:
                out.append(STOP)
        elif kind == "join":
            out.append(Token("and", raw))
        elif kind == "word":
            out.append(Token(raw.casefold().replace("'", "")[:40], raw))
        elif kind != "symbol" or not out or out[-1].raw != raw:  # a row of one emoji is one word
            out.append(Token(raw, raw))
        if len(out) >= MAX_TOKENS:
            break
    return out


def words_of(phrase: str) -> tuple[str, ...]:
    """Return the words of a vocabulary phrase as the reader will see them."""
    if phrase.isascii() and phrase.replace(" ", "").isalpha():
        return tuple(phrase.lower().split())
    return tuple(token.word for token in tokenise(phrase) if token is not STOP)


def stems(stem: str) -> list[str]:
    """Return what "bright", "happi", "bigg" or "simpl" may have been before an ending such as -er was added."""
    out = [stem, stem + "e"]
    if stem.endswith("i"):
        out.insert(0, stem[:-1] + "y")
    if len(stem) > 3 and stem[-1] == stem[-2]:
        out.append(stem[:-1])
    return out


_ENDINGS = (
    *(("ies", "y"), ("es", ""), ("ily", "y"), ("ically", "ic"), ("ly", "")),
    *(("ish", ""),),
)


@lru_cache(maxsize=8192)
def forms(word: str) -> tuple[str, ...]:
    """Return ``word`` and what it may be a plural, an adverb or a variant of, likeliest first."""
    out = [word]
    if len(word) > 3:
        for ending, put in _ENDINGS:
            if word.endswith(ending):
                out.append(word[: -len(ending)] + put)
        for ending in ("ness", "est"):
            if word.endswith(ending):
                out += stems(word[: -len(ending)])
        if not word.endswith("s"):
            out.append(word + "s")
        elif not word.endswith("ss"):
            out.append(word[:-1])
    return tuple(out)


def word_set(text: str) -> frozenset[str]:
    """Return the words of ``text``, for tables that read best as a line of words."""
    return frozenset(text.split())
