"""What trolls cost a herd: ten people in a channel, with the real slate, with and without two of them being trolls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.taste_world import Doubles, Kind, Listener, Tastes, Troll, any_name
from scoring.slate import choose, settle_debts
from scoring.taste import Prior, Rated, Taste, fit, influence, newcomer, predict

PEOPLE, TROLLS = 8, 2
ROUNDS, COUNTED, CANDIDATES, POSTED = 10, 4, 24, 4
"""Rounds, how many of the last count, clips rendered and clips posted in each."""


@dataclass(slots=True, kw_only=True)
class Seat:
    """Somebody in the channel."""

    who: Listener
    taste: Taste
    votes: list[tuple[int, float]] = field(default_factory=list)

    def vote(self, phi: Doubles, prior: Prior, rows: list[int], rng: np.random.Generator) -> None:
        """Vote on a round; learn."""
        self.votes += [(row, self.who.grade(row, rng).rating) for row in rows]
        rated = [
            Rated(clip=row, rating=rating, age=age)
            for age, (row, rating) in enumerate(reversed(self.votes))
        ]
        self.taste = fit(prior, phi, rated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Where they meet: clips, which of them are rendered there, what is common, and the number of the server."""

    phi: Doubles
    rows: NDArray[np.intp]
    tastes: Tastes
    prior: Prior
    number: int


def one_seed(channel: Channel) -> dict[Troll, tuple[float, float]]:
    """Return the like rate of the honest without and with each kind of trolls."""
    rng, tastes = np.random.default_rng([channel.number, 8]), channel.tastes
    honest = [tastes.listener(Kind.ONE, rng) for _ in range(PEOPLE)]
    alone = _listen(channel, honest, [])
    out = {}
    for kind in Troll:
        target = any_name(rng)
        while target in tastes.common:
            target = any_name(rng)
        trolls = [tastes.troll(kind, rng, target) for _ in range(TROLLS)]
        out[kind] = (alone, _listen(channel, honest, trolls))
    return out


def _listen(channel: Channel, honest: Sequence[Listener], trolls: Sequence[Listener]) -> float:
    """Return the mean like rate of what was posted in the last rounds, of the honest members."""
    phi, prior, families = channel.phi, channel.prior, channel.tastes.clips.families
    rng = np.random.default_rng([channel.number, 9])
    seats = [Seat(who=who, taste=newcomer(prior)) for who in [*honest, *trolls]]
    debts = np.zeros(len(seats))
    free = [int(row) for row in rng.permutation(channel.rows)]
    likes = []
    for _ in range(ROUNDS):
        made, free = free[:CANDIDATES], free[CANDIDATES:]
        seen = predict([seat.taste for seat in seats], phi[made])
        weights = np.array([influence(seat.taste) for seat in seats])
        picks = choose(
            liking=seen.liking,
            spread=seen.spread,
            quality=np.ones(len(made)),
            families=[families[row] for row in made],
            phi=phi[made],
            debts=debts,
            weights=weights,
            rng=rng,
            count=POSTED,
        )
        debts = settle_debts(debts, seen.liking, picks, weights)
        posted = [made[pick.index] for pick in picks]
        likes.append(np.mean([seat.who.chance()[posted].mean() for seat in seats[: len(honest)]]))
        for seat in seats:
            seat.vote(phi, prior, posted, rng)
    return float(np.mean(likes[-COUNTED:]))
