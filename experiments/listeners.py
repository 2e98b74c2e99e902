"""Synthetic listeners of an experiment: what they think of music, and the manner in which they vote."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from domain.facets import FAMILIES
from experiments.sounds import Doubles, Sound, standard
from experiments.spec import ListenerSpec
from experiments.table_users import table_minds
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What somebody says of a clip: a grade from 0 (awful) to 3 (love), and how they felt, in log odds."""

    grade: int
    felt: float


class Mind(Protocol):
    """What somebody thinks of music."""

    @property
    def name(self) -> str:
        """What they are called."""
        ...

    @property
    def words(self) -> str:
        """What they love, in words."""
        ...

    def odds(self, sounds: Sequence[Sound], progress: float) -> Doubles:
        """Return the log odds (n,) that clips are liked, before the mood of the moment.

        Args:
            sounds: The clips.
            progress: How far the run is, from 0 to 1; only those who change go by it.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenMind:
    """One hidden taste, or two: either will do, or one gives way to the other in the middle of the run.

    Attributes:
        bank: What music sounds like here.
        first: The taste.
        then: The second one, if there is one.
        drifts: Whether the second follows the first.
    """

    bank: Bank
    first: HiddenTaste
    then: HiddenTaste | None = None
    drifts: bool = False

    @property
    def name(self) -> str:
        """What they are called."""
        return self.first.name if self.then is None else f"{self.first.name} and {self.then.name}"

    @property
    def words(self) -> str:
        """What they love, in words."""
        return self.first.words

    def odds(self, sounds: Sequence[Sound], progress: float) -> Doubles:
        """Return log odds; see ``Mind``."""
        places = standard(sounds, self.bank)
        odds = self.first.log_odds(places)
        if self.then is None:
            return odds
        other = self.then.log_odds(places)
        if not self.drifts:
            return np.maximum(odds, other)
        share = float(np.clip(2 * progress - 0.5, 0.0, 1.0))  # from one to the other in the middle
        return np.asarray((1 - share) * odds + share * other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A listener of an experiment: what they think, and the manner in which they say it.

    Attributes:
        kind: As in the file.
        mind: What they think.
    """

    kind: str
    mind: Mind

    @property
    def name(self) -> str:
        """What they are called."""
        return self.mind.name

    @property
    def honest(self) -> bool:
        """Whether what they say is what they think, so that their liking counts as the truth."""
        return self.kind != "trolling"

    def likes(self, sounds: Sequence[Sound], progress: float) -> Doubles:
        """Return the probabilities (n,) that clips are liked, moods averaged out (MacKay's approximation)."""
        odds = self.mind.odds(sounds, progress)
        return np.asarray(1 / (1 + np.exp(-odds / np.sqrt(1 + np.pi * WHIM**2 / 8))))

    def vote(self, sound: Sound, progress: float, rng: np.random.Generator) -> Vote | None:
        """Return what the listener says of a clip, or ``None`` when they say nothing."""
        felt = float(self.mind.odds([sound], progress)[0]) + WHIM * rng.standard_normal()
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
        if spec.kind == "table":
            rows = [spec.row] * spec.count
            minds: Sequence[Mind] = table_minds(spec.aligner, rows, spec.base_rate, rng)
        else:
            minds = [_hidden(spec, bank, rng, genres, characters) for _ in range(spec.count)]
        out += [Listener(kind=spec.kind, mind=mind) for mind in minds]
    return out


def _hidden(
    spec: ListenerSpec,
    bank: Bank,
    rng: np.random.Generator,
    genres: Iterator[str],
    characters: Iterator[str],
) -> HiddenMind:
    if spec.kind == "genre":
        first = genre_lover(spec.name or next(genres), bank, rng)
    else:
        first = character(spec.name or next(characters), bank, rng)
    then = None
    if spec.kind in {"two-taste", "drifting"}:
        others = (name for name in characters if name != first.name)
        then = character(spec.then or next(others), bank, rng)
    return HiddenMind(bank=bank, first=first, then=then, drifts=spec.kind == "drifting")


def truth(listeners: Sequence[Listener], sounds: Sequence[Sound], progress: float) -> Doubles:
    """Return how clips are truly liked, (n,): the mean of the honest listeners, of all where nobody is."""
    honest = [one for one in listeners if one.honest] or list(listeners)
    return np.asarray(np.mean([one.likes(sounds, progress) for one in honest], axis=0))
