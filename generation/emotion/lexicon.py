"""FIGARO's tokens by kind, and the grammar of a description as a machine that says which token may come next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache

from generation.genome.figaro import VOCABULARY

PAD, BOS, EOS = "<pad>", "<bos>", "<eos>"


class Kind(Enum):
    """What a token says; the value is how it begins."""

    BAR = "Bar_"
    METRE = "Time Signature_"
    DENSITY = "Note Density_"
    VELOCITY = "Mean Velocity_"
    PITCH = "Mean Pitch_"
    DURATION = "Mean Duration_"
    INSTRUMENT = "Instrument_"
    CHORD = "Chord_"
    SPECIAL = "<"


ORDINAL = (Kind.DENSITY, Kind.VELOCITY, Kind.PITCH, Kind.DURATION)
"""Kinds whose tokens are bins of a number, so that the neighbour of a right answer is half right."""
BINS = 33

_NEXT = {
    Kind.BAR: Kind.METRE,
    Kind.METRE: Kind.DENSITY,
    Kind.DENSITY: Kind.VELOCITY,
    Kind.VELOCITY: Kind.PITCH,
    Kind.PITCH: Kind.DURATION,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Tokens and their numbers.

    Attributes:
        tokens: By number.
        kinds: Kind of each token.
    """

    tokens: tuple[str, ...]
    kinds: tuple[Kind, ...]

    def number(self, token: str) -> int:
        """Return a token's number.

        Raises:
            KeyError: There is no such token.
        """
        return _numbers()[token]

    def of(self, kind: Kind) -> tuple[int, ...]:
        """Return the numbers of all tokens of a kind, in the order of the vocabulary."""
        return tuple(n for n, one in enumerate(self.kinds) if one is kind)


@cache
def lexicon() -> Lexicon:
    """Return the vocabulary of descriptions."""
    return Lexicon(tokens=tuple(VOCABULARY), kinds=tuple(_kind(token) for token in VOCABULARY))


@cache
def _numbers() -> dict[str, int]:
    return {token: number for number, token in enumerate(VOCABULARY)}


def _kind(token: str) -> Kind:
    return next(kind for kind in Kind if token.startswith(kind.value))


MOST_INSTRUMENTS, MOST_CHORDS = 12, 4
"""In one bar."""


class Grammar:
    """Follows a description token by token.

    ::

        piece := bar+ <eos>
        bar   := Bar_n (n = 1, 2, ...) metre density velocity pitch duration instrument+ chord*

    Instruments rise in the order of the vocabulary and none comes twice, so every set has one spelling. A bar without a
    pitched instrument has no chord; any other has at least one.

    Args:
        bars: How many bars the piece must have, at least 1.
        metre: Number of the one metre token that every bar has, or ``None`` for any.
    """

    def __init__(self, bars: int, metre: int | None = None) -> None:
        self._bars = bars
        self._metre = metre
        self._bar = 0
        self._at: Kind | None = None
        self._instruments: list[int] = []
        self._chords: list[int] = []

    @property
    def finished(self) -> bool:
        """Whether the piece is complete."""
        return self._at is Kind.SPECIAL

    def allowed(self) -> list[int]:
        """Return the numbers of the tokens that may come next; never empty until ``finished``."""
        words = lexicon()
        if self.finished:
            return []
        if self._at is None:
            return [words.number("Bar_1")]
        if self._at is Kind.BAR and self._metre is not None:
            return [self._metre]
        if self._at in _NEXT:
            return list(words.of(_NEXT[self._at]))
        out = self._instruments_allowed(words) + self._chords_allowed(words)
        if self._bar_complete():
            ends = self._bar == self._bars
            out.append(words.number(EOS if ends else f"Bar_{self._bar + 1}"))
        return out

    def _instruments_allowed(self, words: Lexicon) -> list[int]:
        if self._chords or len(self._instruments) >= MOST_INSTRUMENTS:
            return []
        last = self._instruments[-1] if self._instruments else -1
        return [n for n in words.of(Kind.INSTRUMENT) if n > last]

    def _chords_allowed(self, words: Lexicon) -> list[int]:
        if not self._pitched() or len(self._chords) >= MOST_CHORDS:
            return []
        last = self._chords[-1] if self._chords else None
        nothing = words.number("Chord_N:N")
        return [n for n in words.of(Kind.CHORD) if n not in (last, nothing)]

    def _pitched(self) -> bool:
        drum = lexicon().number("Instrument_drum")
        return any(n != drum for n in self._instruments)

    def _bar_complete(self) -> bool:
        return bool(self._chords) if self._pitched() else bool(self._instruments)

    def take(self, number: int) -> None:
        """Take a token.

        Raises:
            ValueError: It may not come here.
        """
        if number not in self.allowed():
            raise ValueError(f"{lexicon().tokens[number]} may not come after {self._at}")
        kind = lexicon().kinds[number]
        if kind is Kind.BAR:
            self._bar += 1
            self._instruments, self._chords = [], []
        elif kind is Kind.INSTRUMENT:
            self._instruments.append(number)
        elif kind is Kind.CHORD:
            self._chords.append(number)
        self._at = kind


def parse(tokens: Sequence[int]) -> bool:
    """Whether a sequence is a whole piece by the grammar."""
    bars = sum(lexicon().kinds[n] is Kind.BAR for n in tokens)
    grammar = Grammar(max(1, bars))
    try:
        for number in tokens:
            grammar.take(number)
    except ValueError:
        return False
    return grammar.finished
