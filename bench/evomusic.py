"""The rule of the EvoMusic research system, written from its description, as a baseline.

Its user vector, loss, optimiser and learning rate; its softmax tournament, elites and novel prompts; its fitness with
its noise penalty. What it needs a model for is stood in for by what this project has, the same for both sides: facet
crossing and mutation for the language model's operators, the taste space for AlignerV2's music tower. Two of its
defects are left out, so that the comparison is with its rule and not with its bugs: likes are not inverted, and each
run has its own RNG.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.facets import Facets
from evolution.facets_ops import MUTABLE, Breeder
from prompts.vocabulary import Vocabulary
from prompts.writer import write

Doubles = NDArray[np.float64]

LEARNING_RATE = 1e-3
EPOCHS = 5
"""Full-batch steps after each round."""
WEIGHT_DECAY = 0.01
TEMPERATURE = float(np.log(1 / 0.2))
"""Logits are cosines times exp of this."""
NOISE = 0.1
"""Standard deviation of a new user's vector around the mean user ("rmean")."""
NOISE_WEIGHT = 0.25
ELITES = NOVEL = 0.1
TOURNAMENT_SHARE = 0.25
SELECTION_TEMPERATURE = 0.2
MUTANTS = 3


class UserVector:
    """A listener as a vector, trained by InfoNCE over the rated clips with AdamW."""

    def __init__(self, size: int, rng: np.random.Generator) -> None:
        self.vector = NOISE * rng.standard_normal(size)
        self._first = np.zeros(size)
        self._second = np.zeros(size)
        self._step = 0

    def scores(self, clips: Doubles) -> Doubles:
        """Return the cosine of the user and each clip (n, d)."""
        norms = np.linalg.norm(clips, axis=1) * np.linalg.norm(self.vector)
        return np.asarray(clips @ self.vector / np.maximum(norms, 1e-6))

    def train(self, clips: Doubles, liked: NDArray[np.bool_]) -> None:
        """Take the steps of one round. Without a like or without a dislike the loss has no gradient."""
        for _ in range(EPOCHS):
            gradient = self._gradient(clips, liked)
            self._step += 1
            self._first = 0.9 * self._first + 0.1 * gradient
            self._second = 0.999 * self._second + 0.001 * gradient**2
            first = self._first / (1 - 0.9**self._step)
            second = self._second / (1 - 0.999**self._step)
            self.vector *= 1 - LEARNING_RATE * WEIGHT_DECAY
            self.vector -= LEARNING_RATE * first / (np.sqrt(second) + 1e-8)

    def _gradient(self, clips: Doubles, liked: NDArray[np.bool_]) -> Doubles:
        """Return d loss / d vector of -log(sum over liked / sum over all) of exp(cosine x temperature)."""
        scale = float(np.exp(TEMPERATURE))
        length = float(np.linalg.norm(self.vector))
        units = clips / np.maximum(np.linalg.norm(clips, axis=1, keepdims=True), 1e-6)
        cosine = units @ self.vector / max(length, 1e-6)
        weight = np.exp(scale * cosine)
        good = np.where(liked, weight, 0.0)
        by_cosine = scale * (weight / (weight.sum() + 1e-6) - good / (good.sum() + 1e-6))
        by_vector = (units - np.outer(cosine, self.vector / max(length, 1e-6))) / max(length, 1e-6)
        gradient = by_cosine @ by_vector
        norm = float(np.linalg.norm(gradient))
        return np.asarray(gradient * min(1.0, 5.0 / max(norm, 1e-9)))


def noise_penalty(samples: NDArray[np.float32], sample_rate: int) -> float:
    """Return its noise penalty in [0, 0.9]: clipping, offset, high frequencies, flux and "silence"."""
    mono = samples.mean(axis=1) if samples.ndim == 2 else samples
    frames = np.lib.stride_tricks.sliding_window_view(mono, 1024)[::512]
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(1024), axis=1)) + 1e-9
    pitch = np.fft.rfftfreq(1024, 1 / sample_rate)
    clipping = min(1.0, 5 * float((np.abs(frames) > 0.99).mean()))
    offset = min(1.0, 10 * abs(float(frames.mean())))
    high = min(
        1.0, 3 * float((spectrum[:, pitch >= 8000].sum(axis=1) / spectrum.sum(axis=1)).mean())
    )
    onsets = np.maximum(0.0, np.diff(np.log(spectrum), axis=0)).mean(axis=1)
    flux = min(1.0, float(onsets.std() / (onsets.mean() + 1e-9)))
    rms = np.sqrt((frames**2).mean(axis=1))
    silence = min(1.0, 2 * float((rms < np.percentile(rms, 10)).mean()))
    return 0.2 * clipping + 0.1 * offset + 0.2 * flux + 0.2 * high + 0.2 * silence


@dataclass(slots=True, kw_only=True)
class Member:
    """One prompt of the population."""

    facets: Facets
    prompt: str
    fitness: float = 0.0


@dataclass(slots=True, kw_only=True)
class Population:
    """Its "LLM evolve" search: tournament by softmax sampling, a cross of two, three mutants of the child."""

    vocabulary: Vocabulary
    size: int
    rng: np.random.Generator
    members: list[Member] = field(default_factory=list)

    def begin(self) -> None:
        """Draw a random population."""
        self.members = [self._novel() for _ in range(self.size)]

    def evolve(self) -> None:
        """Replace the population by elites, novel prompts and the children of tournaments."""
        order = sorted(self.members, key=lambda member: -member.fitness)
        new = order[: max(1, int(ELITES * self.size))]
        new += [self._novel() for _ in range(max(1, int(NOVEL * self.size)))]
        while len(new) < self.size:
            mother, father = self._tournament(), self._tournament()
            child = self._breeder.cross(mother.facets, father.facets, self.rng)
            new += [self._member(self._mutant(child)) for _ in range(MUTANTS)]
        self.members = new[: self.size]

    def _mutant(self, facets: Facets) -> Facets:
        field = MUTABLE[int(self.rng.integers(len(MUTABLE)))]
        return self._breeder.mutate(facets, field, 0.3, self.rng)

    @property
    def _breeder(self) -> Breeder:
        return Breeder(self.vocabulary)

    def _tournament(self) -> Member:
        entered = self.rng.choice(
            self.size, max(2, round(TOURNAMENT_SHARE * self.size)), replace=False
        )
        fitness = np.array([self.members[int(one)].fitness for one in entered])
        odds = np.exp((fitness - fitness.max()) / SELECTION_TEMPERATURE)
        return self.members[int(self.rng.choice(entered, p=odds / odds.sum()))]

    def _novel(self) -> Member:
        families = tuple(self.vocabulary.families)
        return self._member(
            self._breeder.invent(families[int(self.rng.integers(len(families)))], self.rng)
        )

    def _member(self, facets: Facets) -> Member:
        return Member(facets=facets, prompt=write(facets, self.rng, self.vocabulary))
