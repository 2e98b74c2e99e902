"""Reads what musicians write in signs: keys, beats per minute, metres and years."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from prompts.entries import Kind
from prompts.levels import FASTEST, SLOWEST, clamp
from prompts.loading import parse_metre
from prompts.text import Token, word_set

NOTES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
PITCHES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_KEY = re.compile(r"([a-g])(b|#)?(m|min|minor|maj|major)?")
_SHORT_MODES = {"m": "minor", "min": "minor", "minor": "minor", "maj": "major", "major": "major"}
_MODES: dict[tuple[str, ...], str] = {
    **{(word,): mode for word, mode in _SHORT_MODES.items()},
    ("dorian",): "dorian",
    ("phrygian",): "phrygian",
    ("phrygian", "dominant"): "phrygian_dominant",
    ("locrian",): "locrian",
    ("lydian",): "lydian",
    ("mixolydian",): "mixolydian",
    ("aeolian",): "minor",
    ("ionian",): "major",
    ("pentatonic",): "pentatonic",
    ("minor", "pentatonic"): "pentatonic",
    ("major", "pentatonic"): "pentatonic",
    ("harmonic", "minor"): "harmonic_minor",
    ("melodic", "minor"): "melodic_minor",
    ("double", "harmonic"): "double_harmonic",
    ("whole", "tone"): "whole_tone",
    ("wholetone",): "whole_tone",
    ("pelog",): "pelog",
    ("natural", "minor"): "minor",
    ("blues", "scale"): "blues",
}
_AFTER_KEY = word_set(
    "with at in and or using featuring plus for over played tempo but around about on bpm"
)
_BEFORE_TEMPO = word_set("at around about bpm tempo of is roughly circa approximately ca")
_NOT_TEMPO = word_set("hz khz percent am pm years minutes minute seconds sec db st th bars")
_NOT_METRE = word_set("minutes minute seconds second hours hour days bars steps parts")
_METRES_BY_BEATS = {3: (3, 4), 4: (4, 4), 5: (5, 4), 6: (6, 8), 7: (7, 8), 9: (9, 8), 11: (11, 8)}


class Span(NamedTuple):
    """A stretch of tokens that means something; ``value`` as in ``Phrase``, for a key (tonic, mode or None)."""

    kind: Kind
    name: str
    value: object
    start: int
    end: int


def word_at(tokens: Sequence[Token], index: int) -> str:
    """Return the word at ``index``, or ``""`` beyond either end."""
    return tokens[index].word if 0 <= index < len(tokens) else ""


def read_key(tokens: Sequence[Token], start: int) -> Span | None:
    """Read a key such as "F# minor", "A-flat major", "Bbm" or "in D" at ``start``.

    The letter a is the hard one: "in a minor" is a key, "in a minor key" and "a minor chord" only name the mode.
    """
    match = _KEY.fullmatch(tokens[start].word)
    if match is None:
        return None
    letter, sign, attached = match.groups()
    end = start + 1
    if sign is None and attached is None and word_at(tokens, end) in ("sharp", "flat"):
        sign = "#" if tokens[end].word == "sharp" else "b"
        end += 1
    announced = _announced(tokens, start)
    if attached:
        if attached == "m" and sign is None and not announced and not _proper(tokens[start].raw):
            return None
        return _key(letter, sign, _SHORT_MODES[attached], start, end)
    mode, end = _mode_at(tokens, end)
    if letter == "a" and sign is None:
        sure = _a_is_a_note(tokens, start, end, said_mode=mode is not None)
    else:
        named = _named(tokens, start)
        sure = mode is not None or named or (announced and _closed(tokens, end))
    return _key(letter, sign, mode, start, end) if sure else None


def _key(letter: str, sign: str | None, mode: str | None, start: int, end: int) -> Span:
    step = {"#": 1, "b": -1}.get(sign or "", 0)
    tonic = PITCHES[(NOTES[letter] + step) % 12]
    return Span(Kind.KEY, f"{tonic} {mode}", (tonic, mode), start, end)


def _proper(raw: str) -> bool:
    """Say whether "Am" is spelled as a chord: the verb in "i am" is not."""
    return raw[:1].isupper() and raw[1:] == "m"


def _announced(tokens: Sequence[Token], start: int) -> bool:
    before = word_at(tokens, start - 1) or word_at(tokens, start - 2)
    return before in ("in", "key") or _named(tokens, start)


def _named(tokens: Sequence[Token], start: int) -> bool:
    before = word_at(tokens, start - 1)
    return before == "key" or (before == "of" and word_at(tokens, start - 2) == "key")


def _closed(tokens: Sequence[Token], end: int) -> bool:
    """Say whether nothing follows that the letter could be an article or initial of."""
    after = word_at(tokens, end)
    return not after or after in _AFTER_KEY or after[0].isdigit()


def _a_is_a_note(tokens: Sequence[Token], start: int, end: int, *, said_mode: bool) -> bool:
    before, upper = word_at(tokens, start - 1), tokens[start].raw == "A"
    if _named(tokens, start):
        return True
    closed = _closed(tokens, end)
    if not said_mode:
        return upper and before == "in" and closed
    if upper and before:
        return True
    and_only = word_at(tokens, end) in ("and", "or")
    return closed and not (and_only and before != "in")


def _mode_at(tokens: Sequence[Token], start: int) -> tuple[str | None, int]:
    for length in (2, 1):
        words = tuple(word_at(tokens, start + offset) for offset in range(length))
        if words in _MODES:
            return _MODES[words], start + length
    return None, start


def read_number(tokens: Sequence[Token], start: int) -> Span:
    """Read a tempo, a metre, a decade or a year at ``start``; any other number is a filler."""
    word = tokens[start].word
    if "/" in word:
        metre = parse_metre(word)
        kind = Kind.METRE if metre else Kind.FILLER
        return Span(kind, word, metre, start, start + 1)
    value = float(word) if len(word) <= 6 else -1.0
    return (
        _tempo(tokens, start, value)
        or _era(tokens, start, value)
        or _counted_metre(tokens, start, value)
        or Span(Kind.FILLER, word, None, start, start + 1)
    )


def _tempo(tokens: Sequence[Token], start: int, value: float) -> Span | None:
    end = start + 1
    between = word_at(tokens, start - 1) == "between"
    if (
        word_at(tokens, end) in ("to", "or", *(("and",) * between))
        and word_at(tokens, end + 1).isdecimal()
    ):
        end += 1
    upper = word_at(tokens, end)
    if upper.isdecimal() and len(upper) <= 3 and _is_bpm(tokens, end + 1):
        value, end = (value + float(upper)) / 2, end + 1
    if _is_bpm(tokens, end):
        if not 10 <= value <= 999:
            return None
        end += 1 if tokens[end].word == "bpm" else 3
        return Span(Kind.TEMPO, "bpm", (clamp(value, SLOWEST, FASTEST), None), start, end)
    before = word_at(tokens, start - 1)
    if not before and word_at(tokens, start - 2) in ("bpm", "tempo"):
        before = "bpm"
    after = word_at(tokens, start + 1)
    named = before in _BEFORE_TEMPO and after not in _NOT_TEMPO and after != "s"
    if named and SLOWEST <= value <= FASTEST:
        return Span(Kind.TEMPO, "bpm", (value, None), start, start + 1)
    return None


def _is_bpm(tokens: Sequence[Token], index: int) -> bool:
    word = word_at(tokens, index)
    return word == "bpm" or (word == "beats" and word_at(tokens, index + 1) == "per")


def _era(tokens: Sequence[Token], start: int, value: float) -> Span | None:
    plural = word_at(tokens, start + 1) in ("s", "er", "ern")
    year = int(value)
    if plural and year < 100 and year % 10 == 0:
        year += 2000 if year < 20 else 1900
    elif not 1900 <= year <= 2029:
        return None
    decade = f"{year // 10 * 10}s"
    return Span(Kind.ERA, decade, None, start, start + 1 + plural)


def _counted_metre(tokens: Sequence[Token], start: int, value: float) -> Span | None:
    metre = _METRES_BY_BEATS.get(int(value))
    if metre is None or word_at(tokens, start - 1) != "in":
        return None
    if word_at(tokens, start + 1) in _NOT_METRE:
        return None
    return Span(Kind.METRE, f"in {int(value)}", metre, start, start + 1)
