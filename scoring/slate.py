"""Which four of a round's clips are posted: two that somebody should like, one to learn from, one out of the blue.

A slot goes to the listener with the largest debt, who picks by their own liking and a little of everybody's
("worst-off member picks next": a quarter better for the worst-off than averaging, at a small cost to the mean). What a
listener missed in a round is owed to them in the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from domain.errors import ScoringError
from scoring.beliefs import Doubles
from scoring.quality import BROKEN

SOLIDARITY = 0.3
"""What everybody's liking counts beside that of the listener whose turn it is."""
FAMILY_CAP = 3
"""Clips of a family in a round: all but the wild card. With two, whoever loves one family hears it half of the time."""
FADE = 0.9
"""What is left of a debt after a round."""
BOLDNESS = 0.5
"""How far the uncertain pick trusts its luck, in standard deviations of a liking."""


class Role(StrEnum):
    """Why a clip was chosen."""

    EXPLOIT = "exploit"
    """Somebody should like it."""
    UNCERTAIN = "uncertain"
    """It might be liked, and hearing so teaches most."""
    WILD = "wild"
    """Something else, so that no family dies out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One chosen clip.

    Attributes:
        index: Column of ``liking``.
        role: Why.
        listener: Row of the listener whose turn it was, for an exploit.
    """

    index: int
    role: Role
    listener: int | None = None


@dataclass(slots=True, kw_only=True)
class _Table:
    """A round being chosen."""

    liking: Doubles
    spread: Doubles
    quality: Doubles
    weights: Doubles
    families: Sequence[str]
    position: Doubles
    rng: np.random.Generator
    free: list[int]
    picks: list[Pick] = field(default_factory=list)

    @property
    def average(self) -> Doubles:
        """Weighted mean liking of each clip, or 0.5 where nobody listens yet."""
        if not len(self.liking):
            return np.full(len(self.quality), 0.5)
        out: Doubles = self.weights @ self.liking / self.weights.sum()
        return out

    def open(self) -> list[int]:
        """Return the clips that may still be taken: under the family cap as long as any is."""
        shown = Counter(self.families[pick.index] for pick in self.picks)
        under = [i for i in self.free if shown[self.families[i]] < FAMILY_CAP]
        return under or self.free

    def take(self, scores: Doubles, role: Role, listener: int | None = None) -> None:
        """Take the open clip with the highest score."""
        choices = self.open()
        if not choices:
            return
        best = max(choices, key=lambda i: (float(scores[i]), -i))
        self.free.remove(best)
        self.picks.append(Pick(index=best, role=role, listener=listener))


def choose(  # noqa: PLR0913 - a round is this many things, all by name
    *,
    liking: NDArray[np.float64],
    spread: NDArray[np.float64],
    quality: NDArray[np.float64],
    families: Sequence[str],
    phi: NDArray[np.float64],
    debts: NDArray[np.float64],
    rng: np.random.Generator,
    count: int = 4,
    recent_families: Mapping[str, float] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> list[Pick]:
    """Choose a round. The picks come in the order of their roles; shuffle them before posting.

    Args:
        liking: (L, n) in [0, 1]; L may be 0, then the picks are as different from each other as can be.
        spread: (L, n), how unsure each liking is.
        quality: (n,) in [0, 1]; below ``quality.BROKEN`` a clip is never chosen.
        families: n names. At most three picks share one, unless nothing else is left: the wild card is from elsewhere.
        phi: (n, k + 1), to tell how different clips are.
        debts: (L,), what each listener is owed.
        rng: Settles ties and draws the uncertain pick.
        count: Of picks. Fewer come back when fewer clips are usable.
        recent_families: How often each family was posted lately; the wild card avoids them.
        weights: (L,) above 0, how much each listener counts (``taste.influence``); all the same by default.

    Raises:
        ScoringError: The shapes do not belong together.
    """
    table = _table(liking, spread, quality, families, phi, rng)
    owed = np.array(debts, dtype=np.float64)
    if owed.shape != (len(table.liking),):
        message = f"{len(table.liking)} listeners need as many debts, not {owed.shape}."
        raise ScoringError(message)
    table.weights = _weights(weights, len(table.liking))
    if not table.free or count < 1:
        return []
    if len(table.liking) == 0:
        while table.free and len(table.picks) < count:
            table.take(_difference(table, recent_families or {}), Role.WILD)
        return table.picks
    wild, uncertain = int(count >= 2), int(count >= 3)
    for _ in range(count - wild - uncertain):
        _exploit(table, owed)
    if uncertain:
        table.take(_curiosity(table), Role.UNCERTAIN)
    if wild:
        table.take(_difference(table, recent_families or {}), Role.WILD)
    return table.picks


def _table(
    liking: NDArray[np.float64],
    spread: NDArray[np.float64],
    quality: NDArray[np.float64],
    families: Sequence[str],
    phi: NDArray[np.float64],
    rng: np.random.Generator,
) -> _Table:
    clips = len(families)
    shapes = (np.shape(liking)[1:], np.shape(spread)[1:], np.shape(quality), np.shape(phi)[:1])
    if any(shape != (clips,) for shape in shapes) or np.shape(liking) != np.shape(spread):
        message = (
            f"{clips} clips need liking, spread, quality and phi for each; the shapes are {shapes}."
        )
        raise ScoringError(message)
    good = np.asarray(quality, dtype=np.float64)
    return _Table(
        liking=np.asarray(liking, dtype=np.float64),
        spread=np.asarray(spread, dtype=np.float64),
        quality=good,
        weights=np.ones(len(liking)),
        families=families,
        position=np.asarray(phi, dtype=np.float64)[:, :-1],
        rng=rng,
        free=[i for i in range(clips) if good[i] >= BROKEN],
    )


def _weights(weights: NDArray[np.float64] | None, listeners: int) -> Doubles:
    given = np.ones(listeners) if weights is None else np.asarray(weights, dtype=np.float64)
    if given.shape != (listeners,) or not (given > 0).all():
        message = f"{listeners} listeners need as many weights above 0, not {given.shape}."
        raise ScoringError(message)
    return given


def _exploit(table: _Table, owed: Doubles) -> None:
    """Give a slot to the listener who is owed most, then count it against everybody.

    Where several are owed the same, as at the start, lots decide, and whoever counts more has the better ones.
    """
    lots = -np.log(1.0 - table.rng.random(len(owed))) / table.weights
    turn = int(np.lexsort((lots, -np.round(owed, 9)))[0])
    scores = table.liking[turn] + SOLIDARITY * table.average
    before = len(table.picks)
    table.take(scores * table.quality, Role.EXPLOIT, turn)
    if len(table.picks) > before:
        liking = _in_reach(table.liking, table.quality)
        owed += _missed(liking, [table.picks[-1].index], table.weights)


def _curiosity(table: _Table) -> Doubles:
    """Return what each clip may turn out to be worth: one draw from every listener's belief.

    The draw is smooth over the space, so that clips that sound alike are over- or underrated together.
    """
    length = np.linalg.norm(table.position, axis=1, keepdims=True)
    unit = table.position / np.maximum(length, 1e-9)
    tilt = table.rng.standard_normal((len(table.liking), table.position.shape[1]))
    drawn = table.liking + BOLDNESS * table.spread * (1.0 + 0.5 * tilt @ unit.T)
    hope = table.weights @ np.clip(drawn, 0.0, 1.0) / table.weights.sum()
    out: Doubles = hope * table.quality
    return out


def _difference(table: _Table, recent: Mapping[str, float]) -> Doubles:
    """Return how much each clip brings what is not there yet: another family, rarely heard, far from the picks."""
    taken = [pick.index for pick in table.picks]
    shown = {table.families[i] for i in taken}
    centre = table.position[taken] if taken else table.position.mean(axis=0, keepdims=True)
    away = np.linalg.norm(table.position[:, None, :] - centre[None, :, :], axis=2).min(axis=1)
    away = away / max(float(away.max()), 1e-9)
    fresh = np.array([0.0 if family in shown else 1.0 for family in table.families])
    heard = np.array([float(recent.get(family, 0.0)) for family in table.families])
    rare = 1.0 / (1.0 + heard)
    jitter = 0.05 * table.rng.random(len(away))
    worth = 2.0 * fresh + rare + 0.6 * away + 0.8 * table.average + jitter
    out: Doubles = worth * table.quality
    return out


def _in_reach(liking: Doubles, quality: Doubles) -> Doubles:
    """Return a liking without that for what cannot be posted: nobody missed it."""
    out: Doubles = np.where(quality >= BROKEN, liking, 0.0)
    return out


def _missed(liking: Doubles, chosen: Sequence[int], weights: Doubles) -> Doubles:
    """Return (L,) how much less each listener got than they could have, against the others' misses; sums to 0.

    A miss of somebody who counts less is owed less.
    """
    best = np.sort(liking, axis=1)[:, ::-1][:, : len(chosen)].mean(axis=1)
    missed = weights * (best - liking[:, list(chosen)].mean(axis=1))
    out: Doubles = missed - weights * (missed.sum() / weights.sum())
    return out


def settle_debts(
    debts: NDArray[np.float64],
    liking: NDArray[np.float64],
    picks: Sequence[Pick],
    weights: NDArray[np.float64] | None = None,
    quality: NDArray[np.float64] | None = None,
) -> Doubles:
    """Return the debts (L,) after a round: who missed more than the others is owed it, and old debts fade.

    What a round adds sums to 0: nobody gains but at somebody's cost.

    Args:
        debts: (L,) before.
        liking: (L, n) that the round was chosen by.
        picks: What was chosen; none leaves the debts as they are.
        weights: (L,) above 0, as for ``choose``.
        quality: (n,) as for ``choose``; all could have been posted unless given.
    """
    owed = np.asarray(debts, dtype=np.float64)
    table = np.asarray(liking, dtype=np.float64)
    if table.ndim != 2 or owed.shape != (len(table),):
        message = f"Debts of shape {owed.shape} do not belong to liking of shape {table.shape}."
        raise ScoringError(message)
    if not picks or not len(owed):
        return owed.copy()
    given = _weights(weights, len(owed))
    if quality is not None:
        table = _in_reach(table, np.asarray(quality, dtype=np.float64))
    out: Doubles = FADE * owed + _missed(table, [pick.index for pick in picks], given)
    return out


def fairness(debts: NDArray[np.float64]) -> Doubles:
    """Return the weight (L,) of each listener in the herd: 1 when nothing is owed, up to 2 and down to a half."""
    out: Doubles = np.clip(np.exp(np.asarray(debts, dtype=np.float64)), 0.5, 2.0)
    return out
