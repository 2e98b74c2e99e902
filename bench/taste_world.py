"""Listeners with hidden tastes over what clips sound like, and how they vote.

A server has a few tastes that are common in it, as servers do, and some people who like something else. A taste is a
place in the space of heard properties (``playground.tastes``): a genre by ear alone, or a character. It is linear in
nothing that the learner measures. Votes are the four grades; on the log odds of a clip lie a mood and the usual doubt
of a yes or a no, so that even whoever knows a taste cannot foretell each vote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from bench.taste_bank import Clips
from domain.facets import FAMILIES
from domain.vote import Grade
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

Doubles = NDArray[np.float64]

COMMON, AT_HOME = 10, 0.7
"""Tastes that are common in a server, and the share of its listeners who have one of them."""
LOVERS = 0.6
"""Share of tastes that are for a genre; the others are characters."""
SLIPS, NOISY_SLIPS = 0.075, 0.2
"""Share of votes that say the opposite: of everybody, and of a noisy listener."""


class Kind(StrEnum):
    """What a listener is like."""

    ONE = "one taste"
    TWO = "two tastes"
    NOISY = "noisy"
    DRIFTING = "drifting"


class Troll(StrEnum):
    """How somebody votes who means no good."""

    RANDOM = "random"
    """Any grade for any clip."""
    CONTRARY = "contrary"
    """The opposite of what a listener here would say."""
    BRIGADE = "brigade"
    """Together, for one genre that hardly anybody likes here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One simulated listener.

    Attributes:
        felt: (n,) log odds of liking each clip, the mood of the moment left out.
        later: The same after the listener has changed; of everybody but drifters the same as ``felt``.
        flips: Share of votes that say the opposite.
    """

    felt: Doubles
    later: Doubles
    flips: float = SLIPS

    def chance(self, *, changed: bool = False) -> Doubles:
        """Return (n,) the probability that a vote on each clip is a like, moods and slips averaged out."""
        liked = ndtr((self.later if changed else self.felt) / WHIM)
        return np.asarray(self.flips + (1.0 - 2.0 * self.flips) * liked)

    def grade(self, row: int, rng: np.random.Generator, *, changed: bool = False) -> Grade:
        """Return a vote on a clip."""
        felt = float((self.later if changed else self.felt)[row])
        felt += WHIM * float(rng.standard_normal())
        if rng.random() < self.flips:
            felt = -felt
        return Grade(int(felt > MEH) + int(felt > GOOD) + int(felt > LOVE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tastes:
    """The tastes of one server, of which listeners are made."""

    clips: Clips
    bank: Bank
    common: Sequence[str]
    popularity: Doubles

    def name(self, rng: np.random.Generator) -> str:
        """Return what somebody here loves."""
        if rng.random() < AT_HOME:
            return str(self.common[int(rng.choice(len(self.common), p=self.popularity))])
        return any_name(rng)

    def felt(self, name: str, rng: np.random.Generator) -> Doubles:
        """Return (n,) log odds of somebody who loves this, in their own way."""
        if name in CHARACTERS:
            taste: HiddenTaste = character(name, self.bank, rng, float(rng.uniform(0.15, 0.35)))
        else:
            taste = genre_lover(name, self.bank, rng, float(rng.uniform(0.65, 0.85)))
        return taste.log_odds(self.bank.standard(self.clips.heard))

    def listener(self, kind: Kind, rng: np.random.Generator) -> Listener:
        """Return a listener of a kind."""
        first = self.name(rng)
        felt = self.felt(first, rng)
        if kind in (Kind.TWO, Kind.DRIFTING):
            other = first
            while other == first:
                other = self.name(rng)
            second = self.felt(other, rng)
            if kind is Kind.DRIFTING:
                return Listener(felt=felt, later=second)
            felt = np.maximum(felt, second)
        flips = NOISY_SLIPS if kind is Kind.NOISY else SLIPS
        return Listener(felt=felt, later=felt, flips=flips)

    def troll(self, kind: Troll, rng: np.random.Generator, target: str) -> Listener:
        """Return somebody who means no good; a brigade loves ``target``."""
        if kind is Troll.RANDOM:
            felt = np.zeros(len(self.clips.heard))
        elif kind is Troll.CONTRARY:
            felt = -self.listener(Kind.ONE, rng).felt
        else:
            felt = self.felt(target, rng)
        return Listener(felt=felt, later=felt, flips=0.5 if kind is Troll.RANDOM else SLIPS)


def server(clips: Clips, bank: Bank, rng: np.random.Generator) -> Tastes:
    """Return a server with its common tastes."""
    common: list[str] = []
    while len(common) < COMMON:
        name = any_name(rng)
        if name not in common:
            common.append(name)
    return Tastes(
        clips=clips, bank=bank, common=common, popularity=rng.dirichlet(np.full(COMMON, 3.0))
    )


def any_name(rng: np.random.Generator) -> str:
    """Return a genre or a character."""
    if rng.random() < LOVERS:
        return FAMILIES[int(rng.integers(len(FAMILIES)))]
    return list(CHARACTERS)[int(rng.integers(len(CHARACTERS)))]
