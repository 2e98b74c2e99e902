"""What a text encoder says of prompts, as a space to search: states of tokens, on their own scale.

For generators that take such states in place of words, as MusicGen does. EvoMusic searched such numbers plainly, and
two faults of that are put right here: a step of 1 where the numbers have a spread of 18 moves nothing and one of 20
moves everything, so all is measured in the spread that the states of real prompts have, each number in its own; and the
word with the largest dot product is mostly the one with the longest vector, so states are compared by angle, after what
all of them have in common was taken off.

This room knows no generator: the states come from outside, see ``StateTable.of``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from domain.errors import ConfigError
from domain.facets import Facets
from evolution.facets_ops import Breeder
from evolution.numeric.engine import Array
from prompts.reader import read
from prompts.tidy import tidy
from prompts.vocabulary import Vocabulary
from prompts.writer import write

TOKENS = 8
"""States of a point, whatever the length of a prompt."""
EACH = 4
"""Prompts of the bank for each family."""
_REACH = 3.0
"""Standard deviations of the table between the middle and the wall of the box [0, 1]."""
_CELLS = 255
"""Steps of a kept number from one wall of the box to the other: 0.024 standard deviations each."""
_LARGEST = 6e4
"""Of a number that is kept in 16 bits."""


@lru_cache(maxsize=4)
def bank_prompts(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the prompts whose states a table is made of; always the same ones for a vocabulary."""
    breeder = Breeder(vocabulary)
    rng = np.random.default_rng(1)
    invented = [breeder.invent(family, rng) for family in breeder.families for _ in range(EACH)]
    return tuple(dict.fromkeys(write(facets, rng, vocabulary) for facets in invented))


class StateTable:
    """The states of many prompts, each brought to ``TOKENS`` of them, and what is measured of all together.

    Args:
        prompts: Texts.
        facets: What each of them says.
        states: (prompts, ``TOKENS``, width), finite.
    """

    def __init__(
        self, prompts: tuple[str, ...], facets: tuple[Facets, ...], states: NDArray[np.float32]
    ) -> None:
        self.prompts = prompts
        self.facets = facets
        self.states = states
        self.width = int(states.shape[2])
        every = states.reshape(-1, self.width).astype(float)
        spread = every.std(axis=0)
        self.mean = every.mean(axis=0)
        self.scale = np.where(spread > 0, spread, 1.0)
        standard = self._standard(states)
        self._known = _units(standard.reshape(-1, self.width)).astype(np.float32)
        self._whole = _units(standard.reshape(len(prompts), -1)).astype(np.float32)

    @classmethod
    def of(cls, states: Mapping[str, NDArray[np.float32]], vocabulary: Vocabulary) -> StateTable:
        """Make a table.

        Args:
            states: (tokens, width) of each prompt, as its text encoder gives them; any number of tokens. Those of
                ``bank_prompts`` are meant.
            vocabulary: Reads the prompts.

        Raises:
            ConfigError: They are too few, of different widths, or not finite.
        """
        found = [np.asarray(one, dtype=np.float32) for one in states.values()]
        sound = all(one.ndim == 2 and one.size and np.isfinite(one).all() for one in found)
        if len(found) < 2 or not sound or len({one.shape[1] for one in found}) > 1:
            raise ConfigError(
                "A table of states needs two prompts or more, each with tokens of one width that are finite numbers."
            )
        return cls(
            prompts=tuple(states),
            facets=tuple(tidy(read(prompt, vocabulary), vocabulary) for prompt in states),
            states=np.stack([_fitted(one) for one in found]),
        )

    @property
    def usual(self) -> int:
        """The prompt that is most like all others."""
        return int((self._whole @ self._whole.sum(axis=0)).argmax())

    @property
    def size(self) -> int:
        """Numbers of a row."""
        return TOKENS * self.width

    def row(self, states: NDArray[np.float32]) -> Array:
        """Return states (``TOKENS``, width) as a row (size,) of the box, limited to it and in steps of it."""
        row = np.clip(0.5 + self._standard(states) / (2 * _REACH), 0.0, 1.0).ravel()
        return np.asarray(np.round(row * _CELLS) / _CELLS)

    def at(self, row: Array) -> NDArray[np.float32]:
        """Return the states (``TOKENS``, width) of a row (size,), as they can be kept."""
        cells = np.round(np.clip(row, 0.0, 1.0) * _CELLS) / _CELLS
        off = (cells.reshape(TOKENS, self.width) - 0.5) * 2 * _REACH
        return kept(self.mean + off * self.scale)

    def far(self, states: NDArray[np.float32]) -> float:
        """Return how far states are from any that words have, from 0 (words have them) to 1.

        The mean over the states of how little the nearest state of the table, by angle, is like it.
        """
        cosines = _units(self._standard(states)).astype(np.float32) @ self._known.T
        return float(np.clip(1 - cosines.max(axis=1).mean(), 0.0, 1.0))

    def likeness(self, states: NDArray[np.float32]) -> Array:
        """Return how like each prompt states are as a whole, (prompts,), in [-1, 1]."""
        whole = _units(self._standard(states).reshape(1, -1))[0]
        return np.asarray(self._whole @ whole.astype(np.float32), dtype=float)

    def _standard(self, states: NDArray[np.float32]) -> Array:
        return np.asarray((states - self.mean) / self.scale)


def kept(states: Array | NDArray[np.float32]) -> NDArray[np.float32]:
    """Return states as they are after they were kept: in 16 bits."""
    return np.clip(states, -_LARGEST, _LARGEST).astype(np.float16).astype(np.float32)


def packed(states: NDArray[np.float32]) -> str:
    """Return states for a candidate's genome: numbers of 16 bits in base64, 2.7 bytes each."""
    return base64.b64encode(kept(states).astype("<f2").tobytes()).decode()


def unpacked(text: object, width: int) -> NDArray[np.float32] | None:
    """Return states (tokens, width) of ``packed``; ``None`` for what is none."""
    try:
        numbers = np.frombuffer(base64.b64decode(str(text), validate=True), dtype="<f2")
    except (binascii.Error, ValueError):
        return None
    if not numbers.size or numbers.size % width or not np.isfinite(numbers).all():
        return None
    return numbers.astype(np.float32).reshape(-1, width)


def embedding_of(genome: Mapping[str, object]) -> bytes:
    """Return what a candidate's genome holds for ``ClipRequest.embedding``; ``b""`` where it holds none."""
    states = unpacked(genome["embedding"], 1) if "embedding" in genome else None
    return b"" if states is None else states.astype("<f4").tobytes()


def _fitted(states: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``TOKENS`` states from all over a prompt; those of a short one come more than once.

    An encoder's states each know the whole prompt, so those that are left out are not lost.
    """
    places = np.linspace(0, len(states) - 1, TOKENS).round().astype(int)
    return np.asarray(states[places], dtype=np.float32)


def _units(rows: Array) -> Array:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12))
