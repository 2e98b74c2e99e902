"""Synthetic listeners of an experiment: one or two hidden tastes, and the manner in which they vote."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.facets import FAMILIES
from experiments.spec import ListenerSpec
from playground.hearing import Heard
from playground.tastes import (
    CHARACTERS,
    GOOD,
    LOVE,
    MEH,
    WHIM,
    Bank,
    HiddenTaste,
    character,
    genre_lover,
)

NOISE = 0.3
"""Share of a noisy listener's votes that say anything."""
SPOKEN = {"like": 0.25, "dislike": 0.05}
"""How often lurkers say that they like something, and that they do not."""
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What somebody says of a clip: a grade from 0 (awful) to 3 (love), and how they felt, in log odds."""

    grade: int
    felt: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A listener of an experiment.

    Attributes:
        kind: As in the file.
        name: What they are called.
        first: Their taste.
        then: Their second taste, where the kind has one.
    """

    kind: str
    name: str
    first: HiddenTaste
    then: HiddenTaste | None = None

    @property
    def honest(self) -> bool:
        """Whether what they say is what they think, so that their liking counts as the truth."""
        return self.kind != "trolling"

    def odds(self, standard: Doubles, progress: float) -> Doubles:
        """Return the log odds that clips are liked, before the mood of the moment.

        Args:
            standard: (n, p) heard properties in standard deviations.
            progress: How far the run is, from 0 to 1; only drifting listeners go by it.
        """
        odds = self.first.log_odds(standard)
        if self.then is None:
            return odds
        other = self.then.log_odds(standard)
        if self.kind == "two-taste":
            return np.maximum(odds, other)
        share = float(np.clip(2 * progress - 0.5, 0.0, 1.0))  # from one to the other in the middle
        return np.asarray((1 - share) * odds + share * other)

    def likes(self, sounds: Sequence[Heard], bank: Bank, progress: float) -> Doubles:
        """Return the probabilities (n,) that clips are liked, moods averaged out (MacKay's approximation)."""
        standard = bank.standard(np.array([sound.vector() for sound in sounds]))
        odds = self.odds(standard, progress)
        return np.asarray(1 / (1 + np.exp(-odds / np.sqrt(1 + np.pi * WHIM**2 / 8))))

    def vote(
        self, sound: Heard, bank: Bank, progress: float, rng: np.random.Generator
    ) -> Vote | None:
        """Return what the listener says of a clip, or ``None`` when they say nothing."""
        standard = bank.standard(sound.vector())[None, :]
        felt = float(self.odds(standard, progress)[0]) + WHIM * rng.standard_normal()
        chance, other = rng.random(), int(rng.integers(4))
        if self.kind == "lurking" and chance > SPOKEN["like" if felt > GOOD else "dislike"]:
            return None
        grade = (felt > MEH) + (felt > GOOD) + (felt > LOVE)
        if self.kind == "noisy" and chance < NOISE:
            grade = other
        if self.kind == "trolling":
            grade, felt = 3 - grade, -felt
        return Vote(grade=int(grade), felt=felt)


def made(specs: Sequence[ListenerSpec], bank: Bank, seed: int) -> list[Listener]:
    """Return the listeners of a run; those without a name have one that the seed draws."""
    rng = np.random.default_rng([seed, 11])
    known = [family for family in FAMILIES if family in bank.families]
    genres = itertools.cycle(str(one) for one in rng.permutation(known))
    characters = itertools.cycle(str(one) for one in rng.permutation(list(CHARACTERS)))
    out = []
    for spec in specs:
        for _ in range(spec.count):
            if spec.kind == "genre":
                first = genre_lover(spec.name or next(genres), bank, rng)
            else:
                first = character(spec.name or next(characters), bank, rng)
            then = None
            if spec.kind in {"two-taste", "drifting"}:
                then = character(spec.then or next(characters), bank, rng)
            name = first.name if then is None else f"{first.name} and {then.name}"
            out.append(Listener(kind=spec.kind, name=name, first=first, then=then))
    return out


def truth(
    listeners: Sequence[Listener], sounds: Sequence[Heard], bank: Bank, progress: float
) -> Doubles:
    """Return how clips are truly liked, (n,): the mean of the honest listeners, of all where nobody is."""
    honest = [one for one in listeners if one.honest] or list(listeners)
    return np.asarray(np.mean([one.likes(sounds, bank, progress) for one in honest], axis=0))
