"""Cuts a text into spans: the longest phrase of the vocabulary at each place, or a sign, or an unknown word."""

from __future__ import annotations

from collections.abc import Sequence

from prompts.entries import Kind, Phrase
from prompts.notation import Span, read_key, read_number
from prompts.spelling import SHORTEST
from prompts.text import STOP, Token, forms, stems, tokenise
from prompts.vocabulary import Vocabulary

_COMPARABLE = (Kind.MOOD, Kind.TEXTURE, Kind.LEVEL, Kind.TEMPO)
_NOTE_LETTERS = frozenset("abcdefg")


def read_spans(text: str, vocabulary: Vocabulary) -> tuple[list[Span], dict[str, str]]:
    """Return the spans of ``text`` in order, ends of clauses among them, and what each misspelt word was read as."""
    tokens, read_as = _mended(tokenise(text), vocabulary)
    return _spans(tokens, vocabulary), read_as


def _mended(tokens: Sequence[Token], vocabulary: Vocabulary) -> tuple[list[Token], dict[str, str]]:
    """Correct long words that nothing in the vocabulary begins with or contains."""
    out: list[Token] = []
    read_as: dict[str, str] = {}
    for token in tokens:
        word = token.word
        if len(word) >= SHORTEST and word not in read_as and _strange(word, vocabulary):
            better = vocabulary.mend(word)
            if better is not None:
                read_as[word] = better
        out.append(Token(read_as[word], token.raw) if word in read_as else token)
    return out, read_as


def _strange(word: str, vocabulary: Vocabulary) -> bool:
    if word in vocabulary.reach or any(form in vocabulary.phrases for form in forms(word)):
        return False
    return _compared(Span(Kind.UNKNOWN, word, None, 0, 1), vocabulary) is None


def _spans(tokens: Sequence[Token], vocabulary: Vocabulary) -> list[Span]:
    out: list[Span] = []
    index = 0
    while index < len(tokens):
        span = _span_at(tokens, index, vocabulary)
        base = _compared(span, vocabulary) if span.kind is Kind.UNKNOWN else None
        if base is not None:
            out.append(Span(Kind.COMPARE, "more", 1.0, index, span.end))
            span = base
        out.append(span)
        index = span.end
    return out


def _span_at(tokens: Sequence[Token], index: int, vocabulary: Vocabulary) -> Span:
    token = tokens[index]
    if token is STOP:
        return Span(Kind.STOP, "", None, index, index + 1)
    phrase = _longest(tokens, index, vocabulary)
    if phrase is not None and phrase.end - index > 1:
        return phrase
    known_word = (
        phrase is not None and phrase.kind is Kind.GENRE
    )  # "ebm" is a genre and E flat minor
    if token.word[0] in _NOTE_LETTERS and len(token.word) <= 7 and not known_word:
        key = read_key(tokens, index)
        if key is not None:
            return key
    if token.word[0].isdecimal() and token.word.isascii():
        number = read_number(tokens, index)
        return number if number.kind is not Kind.FILLER or phrase is None else phrase
    return phrase or Span(Kind.UNKNOWN, token.word, None, index, index + 1)


def _compared(span: Span, vocabulary: Vocabulary) -> Span | None:
    """Return "jazzy" for "jazzier": every adjective can be compared, not only those with a shift of their own."""
    if span.name.endswith("er") and len(span.name) > 4:
        for stem in stems(span.name[:-2]):
            hit = vocabulary.phrases.get(stem)
            if hit is not None and hit.kind in _COMPARABLE:
                return Span(hit.kind, hit.name, hit.value, span.start, span.end)
    return None


def _longest(tokens: Sequence[Token], index: int, vocabulary: Vocabulary) -> Span | None:
    first = tokens[index].word
    phrases = vocabulary.phrases
    reach = vocabulary.reach.get(first, 0)
    words = [first]
    while len(words) < reach and index + len(words) < len(tokens):
        word = tokens[index + len(words)].word
        if not word:
            break
        words.append(word)
    for length in range(len(words), 1, -1):
        head = " ".join(words[: length - 1])
        for last in forms(words[length - 1]):
            hit = phrases.get(f"{head} {last}")
            if hit is not None:
                return _span(hit, index, length)
    for form in forms(first):
        hit = phrases.get(form)
        if hit is not None:
            return _span(hit, index, 1)
    return None


def _span(hit: Phrase, start: int, length: int) -> Span:
    return Span(hit.kind, hit.name, hit.value, start, start + length)
