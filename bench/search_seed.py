"""The seed's numeric search, as a baseline: a genome like token embeddings, without bounds, on its scale.

What a MusicGen prompt is to EvoMusic is stood in for by a table of our own words: each has a vector of random numbers
with the spread of T5's embeddings (18) and, as there, longer and shorter vectors. A prompt is a row of such vectors;
the nearest words, by dot product as in the seed, are what the composer gets to read. The engines are this project's, so
that the genome and its scale are compared and not their code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evolution.numeric.cma import CMAES
from evolution.numeric.engine import Array, Engine, Point
from evolution.numeric.genetic import Genetic, Rates
from evolution.numeric.nes import SNES
from prompts.entries import Kind
from prompts.vocabulary import Vocabulary, shipped

TOKENS, DIMENSIONS = 8, 32
SPREAD = 18.0
"""Standard deviation of T5's embeddings."""
STEP = 30.0
"""``stdev_init`` of the seed's report, for CMA-ES and SNES."""
NOISE = 20.0
"""Its Gaussian mutation, of all numbers of every child."""
BOX = 1e5
"""How wide the box of the engines is in numbers of the table; nothing ever meets its walls."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tokens:
    """Words with their vectors (words, DIMENSIONS)."""

    words: tuple[str, ...]
    table: Array

    def row(self, chosen: NDArray[np.int64]) -> Array:
        """Return the genome of the words with these numbers."""
        return self.table[chosen].ravel()

    def prompt(self, row: Array) -> str:
        """Return the words with the largest dot products."""
        best = (row.reshape(TOKENS, DIMENSIONS) @ self.table.T).argmax(axis=1)
        return ", ".join(dict.fromkeys(self.words[one] for one in best))


def tokens(vocabulary: Vocabulary | None = None) -> Tokens:
    """Return the words of the vocabulary with their random vectors; always the same ones."""
    known = vocabulary or shipped()
    words = (
        *known.genres,
        *known.instruments,
        *(word for kind in (Kind.MOOD, Kind.TEXTURE, Kind.ERA) for word in known.terms(kind)),
    )
    rng = np.random.default_rng(18)
    lengths = np.exp(0.3 * rng.standard_normal((len(words), 1)))
    table = SPREAD * lengths * rng.standard_normal((len(words), DIMENSIONS))
    return Tokens(words=words, table=table)


def _genetic(population: int) -> Callable[[Array, Array], Engine]:
    """One-point crossover of half of the children after a tournament of 4, and noise on every number."""
    rates = Rates(
        population=population,
        tournament=4,
        crossover="one point",
        crossed=0.5,
        mutated=1.0,
        deviation=NOISE / STEP,
        polynomial=0.0,
        permuted=0.0,
    )
    return lambda start, spread: Genetic(start, spread, rates)


def seed_engines(population: int) -> Mapping[str, Callable[[Array, Array], Engine]]:
    """Return the engines in the seed's settings."""
    return {"seed GA": _genetic(population), "seed CMA-ES": CMAES, "seed SNES": SNES}


class SeedSearch:
    """One run: a population of random prompts (GA) or one random prompt as the centre (the others)."""

    def __init__(
        self, name: str, *, population: int, rng: np.random.Generator, known: Tokens
    ) -> None:
        """Begin.

        Args:
            name: A key of ``seed_engines``.
            population: Rows of a generation.
            rng: Chance.
            known: The words.
        """
        self.name, self.population, self.rng, self.known = name, population, rng, known
        rows = [self._random() for _ in range(self.population)]
        start = _boxed(rows[0])
        spread = np.full(len(start), STEP / BOX)
        self._engine = seed_engines(self.population)[self.name](start, spread)
        self._rows = [_boxed(row) for row in rows]
        self._told = 0
        if self.name != "seed GA":
            self._rows = [child.row for child in self._engine.ask(self.population, self.rng)]

    def _random(self) -> Array:
        return self.known.row(self.rng.choice(len(self.known.words), TOKENS, replace=False))

    def prompts(self) -> list[str]:
        """Return the words of the present generation."""
        return [self.known.prompt((row - 0.5) * BOX) for row in self._rows]

    def rate(self, fitness: list[float]) -> None:
        """Take the fitness of the present generation and go on to the next one."""
        points = [
            Point(id=self._told + number, row=row, fitness=value)
            for number, (row, value) in enumerate(zip(self._rows, fitness, strict=True))
        ]
        self._told += len(points)
        self._engine.tell(points)
        self._rows = [child.row for child in self._engine.ask(self.population, self.rng)]


def _boxed(row: Array) -> Array:
    return np.asarray(0.5 + row / BOX)
