"""What is drawn for training and what is checked: tracks on two sides of a split, plays, and how popular tracks are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.errors import UserError
from training.aligner.log import Listening

Ints = NDArray[np.int64]

LEARNED, CHECKED = 0.8, 0.9
"""Shares of the tracks to learn from, and with those to check on after an epoch; the rest is for the final figures."""
TASTE_POWER = 0.5
"""How much plays count: a track played 100 times is drawn 10 times as often as one played once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sides:
    """Which tracks are for what, each (tracks,)."""

    learned: NDArray[np.bool_]
    checked: NDArray[np.bool_]
    tested: NDArray[np.bool_]


def sides(tracks: Sequence[str], seed: int) -> Sides:
    """Return what tracks are for, by a hash of their names: more tracks move none to another side."""
    key = f"{seed}:".encode()
    place = [
        int.from_bytes(hashlib.sha256(key + name.encode()).digest()[:4], "big") for name in tracks
    ]
    share = np.array(place, dtype=np.float64) / 2**32
    return Sides(
        learned=share < LEARNED,
        checked=(share >= LEARNED) & (share < CHECKED),
        tested=share >= CHECKED,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checks:
    """Pairs to check on, of tracks that are never learned from; as many not listened to as listened to.

    Attributes:
        tracks: (n,) tracks in them.
        user: (m,).
        track: (m,) rows of ``tracks``.
        listened: (m,).
    """

    tracks: Ints
    user: Ints
    track: Ints
    listened: NDArray[np.bool_]


class Plays:
    """The plays of the tracks that are learned from.

    Args:
        listening: Everybody's.
        learned: (tracks,) which are learned from.

    Raises:
        UserError: Nobody listened to any of them.
    """

    def __init__(self, listening: Listening, learned: NDArray[np.bool_]) -> None:
        kept = learned[listening.track]
        self._user, self._track = listening.user[kept], listening.track[kept]
        if not len(self._user):
            raise UserError("Nobody listened to a track that can be learned from: bring more data.")
        self._all = listening.tracks
        self._keys = self._user * self._all + self._track
        self.learned: Ints = np.flatnonzero(learned)
        self.users: Ints = np.unique(self._user)
        weight = listening.plays[kept].astype(np.float64) ** TASTE_POWER
        total = np.bincount(self._user, weights=weight, minlength=listening.users)
        share = weight / total[self._user]
        self._until = np.cumsum(share)
        starts = np.searchsorted(self._user, self.users)
        self._starts, self._ends = starts, np.append(starts[1:], len(self._user))
        popularity = np.bincount(self._track, weights=share, minlength=self._all)
        self.popularity: NDArray[np.float64] = popularity / popularity.sum()

    @property
    def pairs(self) -> int:
        """Different pairs of a listener and a track."""
        return len(self._user)

    def draw(self, each: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """Return users and tracks (n,) that they listened to, ``each`` for every user, shuffled."""
        low = np.concatenate([[0.0], self._until])[self._starts]
        high = self._until[self._ends - 1]
        point = low[:, None] + rng.random((len(self.users), each)) * (high - low)[:, None]
        found = np.searchsorted(self._until, point.ravel(), side="right")
        found = np.clip(
            found, np.repeat(self._starts, each), np.repeat(self._ends - 1, each)
        )  # a rounding error must not reach a neighbour
        order = rng.permutation(len(found))
        return self._user[found[order]], self._track[found[order]]

    def strangers(self, count: int, rng: np.random.Generator) -> Ints:
        """Return tracks (count,) drawn evenly from those that are learned from."""
        return rng.choice(self.learned, size=count)

    def listened(self, users: Ints, tracks: Ints) -> NDArray[np.bool_]:
        """Return (len(users), len(tracks)): who listened to what."""
        keys = users[:, None] * self._all + tracks[None, :]
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        out: NDArray[np.bool_] = self._keys[place] == keys
        return out


def checks(
    listening: Listening,
    learned: NDArray[np.bool_],
    chosen_from: NDArray[np.bool_],
    *,
    rng: np.random.Generator,
    tracks: int = 4000,
    each: int = 50,
) -> Checks:
    """Return pairs to check on.

    Args:
        listening: Everybody's.
        learned: (tracks,) which are learned from.
        chosen_from: (tracks,) which may be checked on.
        rng: Draws the pairs.
        tracks: At most so many tracks.
        each: At most so many tracks that a user listened to, and as many others.

    Raises:
        UserError: No track was listened to by anybody who also listened to one that is learned from.
    """
    chosen = np.sort(rng.permutation(np.flatnonzero(chosen_from))[:tracks])
    place = np.full(listening.tracks, -1)
    place[chosen] = np.arange(len(chosen))
    known = np.zeros(listening.users, dtype=bool)
    known[listening.user[learned[listening.track]]] = True
    kept = (place[listening.track] >= 0) & known[listening.user]
    user, track = listening.user[kept], place[listening.track[kept]]
    rows: list[tuple[Ints, Ints, NDArray[np.bool_]]] = []
    for one in np.unique(user):
        heard = track[user == one]
        unheard = np.setdiff1d(np.arange(len(chosen)), heard)
        count = min(each, len(heard), len(unheard))
        pair = np.concatenate(
            [rng.choice(heard, count, replace=False), rng.choice(unheard, count, replace=False)]
        )
        rows.append((np.full(2 * count, one), pair, np.arange(2 * count) < count))
    if not rows or not sum(len(pair) for _, pair, _ in rows):
        raise UserError("There is no held-out track that somebody listened to: bring more data.")
    users, pairs, listened = (np.concatenate(part) for part in zip(*rows, strict=True))
    return Checks(tracks=chosen, user=users, track=pairs, listened=listened)
