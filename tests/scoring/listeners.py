"""Listeners with hidden tastes over what a piece really is, never over what the encoder measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scoring.taste import Prior, Rated, Taste, fit, predict
from tests.scoring.synth import Piece

GRADES = np.array([-1.0, -0.4, 0.5, 1.0])

KINDS: dict[str, Piece] = {
    "ballad": Piece(tempo=70, minor=True, bright=0.2, density=0.2, drums=0.1, sustain=0.9),
    "lullaby": Piece(tempo=80, bright=0.1, density=0.3, drums=0.0, register=1.0, sustain=0.5),
    "shuffle": Piece(tempo=100, bright=0.4, density=0.8, drums=0.6, swing=1.0, sustain=0.2),
    "club": Piece(tempo=126, minor=True, bright=0.6, density=0.9, drums=1.0, sustain=0.1),
    "march": Piece(tempo=112, bright=0.7, density=0.5, drums=0.8, sustain=0.3, width=0.1),
    "rush": Piece(tempo=168, minor=True, bright=0.8, density=1.0, drums=0.9, sustain=0.1),
    "drift": Piece(tempo=66, bright=0.3, density=0.1, drums=0.0, sustain=1.0, width=1.0),
    "dub": Piece(tempo=75, minor=True, bright=0.3, density=0.4, drums=0.7, register=-1.0),
}


def of_kind(kind: str, rng: np.random.Generator) -> Piece:
    """Return a piece of a kind, its own tempo, key, colour and density."""
    middle = KINDS[kind]
    nudge = lambda value: float(np.clip(value + rng.normal(0, 0.12), 0, 1))  # noqa: E731
    return replace(
        middle,
        tempo=float(middle.tempo * 2 ** rng.normal(0, 0.08)),
        tonic=int(rng.integers(12)),
        minor=bool(middle.minor) if rng.random() < 0.85 else not middle.minor,
        bright=nudge(middle.bright),
        density=nudge(middle.density),
        drums=nudge(middle.drums),
        sustain=nudge(middle.sustain),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Likes a clip with a probability that only the simulation knows."""

    chance: NDArray[np.float64]

    def rate(self, clip: int, rng: np.random.Generator) -> float:
        """Return a graded rating: of the likes some are love, of the dislikes some are awful."""
        liked = rng.random() < self.chance[clip]
        strong = rng.random() < 0.5
        return float(GRADES[2 * int(liked) + int(strong == liked)])


def single_kind(kinds: Sequence[str], loved: str, *, noise: float = 0.07) -> Listener:
    """Return somebody who likes one kind of music and nothing else."""
    return Listener(chance=np.where(np.array(kinds) == loved, 1 - noise - 0.1, noise))


def middling(pieces: Sequence[Piece], tempo: float, bright: float, minor: bool) -> Listener:
    """Return somebody who likes a tempo, a brightness and a mode, the less the further away."""
    logits = np.array(
        [
            3.0
            - 9.0 * np.log2(piece.tempo / tempo) ** 2
            - 8.0 * (piece.bright - bright) ** 2
            - 2.0 * (piece.minor != minor)
            for piece in pieces
        ]
    )
    return Listener(chance=1 / (1 + np.exp(-logits)))


def learn(
    listener: Listener,
    phi: NDArray[np.float64],
    prior: Prior,
    rng: np.random.Generator,
    *,
    ratings: int,
    pick: Callable[[Taste, list[int]], int] | None = None,
) -> Taste:
    """Return the taste after so many ratings of clips picked at random, or by ``pick`` from those not yet heard."""
    free = [int(i) for i in rng.permutation(len(phi))]
    rated: list[Rated] = []
    taste = fit(prior, phi, rated)
    for _ in range(ratings):
        clip = free[0] if pick is None else pick(taste, free)
        free.remove(clip)
        rated = [replace(item, age=item.age + 1) for item in rated]
        rated.append(Rated(clip=clip, rating=listener.rate(clip, rng)))
        if pick is not None:
            taste = fit(prior, phi, rated)
    return fit(prior, phi, rated)


def top(taste: Taste, phi: NDArray[np.float64], listener: Listener, count: int = 10) -> float:
    """Return the true like rate of the clips that the taste puts first."""
    best = np.argsort(-predict([taste], phi).liking[0], kind="stable")[:count]
    return float(listener.chance[best].mean())
