"""A community for the reward's benchmark: hidden tastes over how clips sound, and something that all of them like.

Clips are real ones of the composer. What listeners hear in them (``playground.hearing``) is not what the learner
measures, and neither what is shared nor a taste is a straight line in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.tastes import WHIM, Bank, crowd
from scoring.beliefs import Doubles
from scoring.reward import Choices, merged

PERSONAL = 0.6
"""What a listener's own log odds count."""
STAR_FROM, BAD_BELOW, TIE_WITHIN = 0.5, -2.5, 0.25
"""Felt log odds from which the best of a round gets a star, below which two are bad, and within which two tie."""
ROUND = 4
SKIPS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A community.

    Attributes:
        utility: (listeners, n) log odds that each likes each clip, before the whim of the moment.
        shared: (n,) what of it is the same for all.
        train: Clips that the community compares.
        test: Clips that nobody has compared.
    """

    utility: Doubles
    shared: Doubles
    train: NDArray[np.intp]
    test: NDArray[np.intp]

    @property
    def consensus(self) -> Doubles:
        """Return (n,) the mean utility: the best that can be said of a clip without knowing who asks."""
        out: Doubles = self.utility.mean(axis=0)
        return out


def world(heard: Doubles, listeners: int, strength: float, rng: np.random.Generator) -> World:
    """Make a community.

    Args:
        heard: (n, p) heard properties of the clips.
        listeners: How many.
        strength: Standard deviation over clips of what is shared, in log odds; 0 for nothing.
        rng: Draws everything.
    """
    bank = Bank(
        mean=heard.mean(axis=0),
        deviation=heard.std(axis=0) + 1e-9,
        heard=heard,
        families=("",) * len(heard),
    )
    standard = bank.standard(heard)
    shared = strength * _musicality(standard, rng)
    tastes = crowd(listeners, bank, rng)
    own = np.stack([np.clip(taste.log_odds(standard), -6.0, 6.0) for taste in tastes])
    order = rng.permutation(len(heard))
    return World(
        utility=PERSONAL * own + shared,
        shared=shared,
        train=order[: len(order) // 2],
        test=order[len(order) // 2 :],
    )


def _musicality(standard: Doubles, rng: np.random.Generator) -> Doubles:
    """Return (n,) a bent ridge in the space of what is heard, of mean 0 and standard deviation 1."""
    direction = rng.normal(size=standard.shape[1])
    direction = direction / float(np.linalg.norm(direction))
    middle = rng.normal(size=standard.shape[1]) * 0.5
    along = np.tanh(standard @ direction)
    off = np.abs((standard - middle)[:, rng.permutation(standard.shape[1])[:3]]).mean(axis=1)
    raw = along / along.std() - 0.6 * off / off.std()
    out: Doubles = (raw - raw.mean()) / raw.std()
    return out


def preferences(
    here: World, who: int, rounds: int, duels: int, rng: np.random.Generator, *, flips: float = 0.0
) -> Choices:
    """Let one listener hear rounds and duels of the training clips, and return what they preferred.

    Args:
        here: The community.
        who: The listener.
        rounds: Rounds of four clips; the best one gets a star when it is good enough.
        duels: Duels of two clips.
        rng: Draws clips and whims.
        flips: Share of the answers that are the wrong way round.
    """
    pairs: list[tuple[int, int, float]] = []
    for _ in range(rounds):
        clips = rng.choice(here.train, ROUND, replace=False)
        felt = _felt(here, who, clips, rng)
        heard = rng.random(ROUND) >= SKIPS
        best = int(np.where(heard, felt, -np.inf).argmax())
        if heard.any() and felt[best] > STAR_FROM:
            pairs += [
                (int(clips[best]), int(one), 1.0) for one in clips[heard] if one != clips[best]
            ]
    for _ in range(duels):
        a, b = rng.choice(here.train, 2, replace=False)
        pairs += duel(int(a), int(b), _felt(here, who, np.array([a, b]), rng))
    pairs = [
        (worse, better, weight) if rng.random() < flips else (better, worse, weight)
        for better, worse, weight in pairs
    ]
    return choices_of(pairs, who)


def duel(a: int, b: int, felt: Doubles) -> list[tuple[int, int, float]]:
    """Return what an answer to a duel says: a pair, two halves for a tie, nothing when both are bad."""
    if (felt < BAD_BELOW).all():
        return []
    if abs(felt[0] - felt[1]) < TIE_WITHIN:
        return [(a, b, 0.5), (b, a, 0.5)]
    return [(a, b, 1.0)] if felt[0] > felt[1] else [(b, a, 1.0)]


def choices_of(pairs: Sequence[tuple[int, int, float]], who: int) -> Choices:
    """Return (better, worse, weight) of one listener as choices."""
    return Choices(
        better=np.array([pair[0] for pair in pairs], dtype=np.intp),
        worse=np.array([pair[1] for pair in pairs], dtype=np.intp),
        weight=np.array([pair[2] for pair in pairs], dtype=np.float64),
        listener=np.full(len(pairs), who, dtype=np.intp),
    )


def community(
    here: World, flips: Sequence[float], rounds: int, duels: int, rng: np.random.Generator
) -> Choices:
    """Return the preferences of the first listeners: as many as ``flips``, their shares of answers turned round."""
    return merged(
        [preferences(here, who, rounds, duels, rng, flips=share) for who, share in enumerate(flips)]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Pairs of unheard clips that unheard listeners answered plainly; all (n,)."""

    better: NDArray[np.intp]
    worse: NDArray[np.intp]
    listener: NDArray[np.intp]


def trials(here: World, people: Sequence[int], each: int, rng: np.random.Generator) -> Trials:
    """Let listeners answer duels of test clips; ties and both-bad are asked again."""
    rows: list[tuple[int, int, int]] = []
    for who in people:
        while sum(row[2] == who for row in rows[-each:]) < each:
            a, b = rng.choice(here.test, 2, replace=False)
            said = duel(int(a), int(b), _felt(here, who, np.array([a, b]), rng))
            if len(said) == 1:
                rows.append((said[0][0], said[0][1], who))
    better, worse, listener = (
        np.array(column, dtype=np.intp) for column in zip(*rows, strict=True)
    )
    return Trials(better=better, worse=worse, listener=listener)


def _felt(here: World, who: int, clips: NDArray[np.intp], rng: np.random.Generator) -> Doubles:
    out: Doubles = here.utility[who, clips] + WHIM * rng.standard_normal(len(clips))
    return out
