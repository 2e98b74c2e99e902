"""What silence teaches: clips that somebody left unrated beside those that they rated.

Listeners of ``bench.taste_world`` hear rounds of four and rate few of each: one or two that they feel most strongly
about, mostly those that they like, hardly any, or one or two by chance. The same listeners, moods and clips meet
learners that count a silence by different weights. What counts is, after equally many
ratings, the true like rate of the ten clips that a learner puts first out of 200 that it never learned from.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from bench.report import Bar, Report, interval
from bench.taste import NEXT, POOL, Hall, open_hall
from bench.taste_bank import shipped_clips
from bench.taste_learners import CALM, best
from bench.taste_world import Doubles, Kind, Listener
from domain.vote import Grade
from playground.tastes import GOOD, LOVE, MEH, WHIM
from scoring.taste import Prior, Rated, Taste, draw, fit, newcomer, predict
from service.settings_taste import TasteSettings

AT = (5, 10, 20, 40)
"""Ratings after which a learner is asked."""
SHOWN, OFFERED, LONGEST = 4, 120, 80
"""Clips of a round, clips that it is picked from, and rounds at most."""
LOOKS = 4
"""Sets of 200 that are ranked each time."""
SEEDS, QUICK_SEEDS = 20, 2
WEIGHTS = (0.1, 0.15, 0.25)
PEOPLE = {Kind.ONE: 5, Kind.TWO: 3, Kind.NOISY: 2}
STARRED = 0.5
"""Share of the rounds with a love in which a star is given too."""


class Manner(StrEnum):
    """Which clips of a round somebody rates."""

    STRONG = "what they feel strongly about"
    PLEASED = "mostly what they like"
    LURKING = "hardly anything"
    CHANCE = "any"


SPEAKS = {Manner.PLEASED: (0.6, 0.15), Manner.LURKING: (0.25, 0.05)}
"""Probability of rating a clip that is liked, and one that is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What became of a round: the grade of each clip, ``None`` where nothing was said, and the star."""

    rows: Sequence[int]
    grades: Sequence[Grade | None]
    star: int | None


@dataclass(slots=True, kw_only=True)
class Student:
    """A learner that counts silence by a weight."""

    hall: Hall
    prior: Prior
    weight: float
    rounds: list[Round] = field(default_factory=list)
    taste: Taste = field(init=False)

    def __post_init__(self) -> None:
        """Begin as a newcomer."""
        self.taste = newcomer(self.prior)

    @property
    def ratings(self) -> int:
        """Ratings so far."""
        return sum(grade is not None for one in self.rounds for grade in one.grades)

    def learn(self) -> None:
        """Learn again from everything."""
        self.taste = fit(self.prior, self.hall.phi, self.votes())

    def votes(self) -> list[Rated]:
        """Return ratings and silences as the service makes them."""
        out: list[Rated] = []
        age = self.ratings
        for number, heard in enumerate(self.rounds):
            said = [
                (row, grade)
                for row, grade in zip(heard.rows, heard.grades, strict=True)
                if grade is not None
            ]
            for row, grade in said:
                age -= 1
                out.append(
                    Rated(
                        clip=row,
                        rating=grade.rating,
                        age=age,
                        round=number,
                        favourite=row == heard.star,
                    )
                )
            if said and self.weight:
                out += [
                    Rated(
                        clip=row,
                        rating=Grade.MEH.rating,
                        weight=self.weight,
                        age=age,
                        round=number,
                        silent=True,
                    )
                    for row, grade in zip(heard.rows, heard.grades, strict=True)
                    if grade is None
                ]
        return out

    def picks(self, offered: NDArray[np.intp], rng: np.random.Generator) -> list[int]:
        """Return a clip for each of four draws of the taste."""
        taken: list[int] = []
        for _ in range(SHOWN):
            worth = self.hall.phi[offered] @ draw(self.taste, rng, boldness=CALM).mean
            order = (int(offered[place]) for place in np.argsort(-worth, kind="stable"))
            taken.append(next(row for row in order if row not in taken))
        return taken


def answer(who: Listener, manner: Manner, rows: Sequence[int], rng: np.random.Generator) -> Round:
    """Return what somebody says of a round."""
    felt = who.felt[list(rows)] + WHIM * rng.standard_normal(len(rows))
    felt = np.where(rng.random(len(rows)) < who.flips, -felt, felt)
    grades = [Grade(int(x > MEH) + int(x > GOOD) + int(x > LOVE)) for x in felt]
    count, chances = 1 + int(rng.random() < 0.5), rng.random(len(rows))
    if manner in SPEAKS:
        liked, other = SPEAKS[manner]
        spoken = chances < np.where(felt > GOOD, liked, other)
    else:
        order = np.argsort(-np.abs(felt) if manner is Manner.STRONG else chances)
        spoken = np.isin(np.arange(len(rows)), order[:count])
    loved = [
        row
        for row, grade, said in zip(rows, grades, spoken, strict=True)
        if said and grade is Grade.LOVE
    ]
    starred = loved and rng.random() < STARRED
    return Round(
        rows=rows,
        grades=[grade if said else None for grade, said in zip(grades, spoken, strict=True)],
        star=loved[0] if starred else None,
    )


def course(student: Student, who: Listener, manner: Manner, seed: Sequence[int]) -> list[float]:
    """Return the like rate of what a learner would post next, after each number of ratings of ``AT``."""
    hall, chance = student.hall, who.chance()
    rng = np.random.default_rng([*seed, 0])
    free, found = rng.permutation(hall.heard), dict.fromkeys(AT, float("nan"))
    for number in range(LONGEST):
        if student.ratings >= AT[-1] or len(free) < SHOWN:
            break
        rows = student.picks(
            rng.permutation(free)[:OFFERED], np.random.default_rng([*seed, 1, number])
        )
        before = student.ratings
        student.rounds.append(answer(who, manner, rows, np.random.default_rng([*seed, 2, number])))
        free = free[~np.isin(free, rows)]
        if student.ratings > before:
            student.learn()
        for count in AT:
            if before < count <= student.ratings:
                found[count] = _liked(student, chance, [*seed, 3, count])
    return list(found.values())


def _liked(student: Student, chance: Doubles, seed: Sequence[int]) -> float:
    hall = student.hall
    worth = np.asarray(predict([student.taste], hall.phi).liking[0])
    rng = np.random.default_rng(seed)
    pools = [rng.permutation(hall.fresh)[:POOL] for _ in range(LOOKS)]
    return float(np.mean([chance[best(worth, pool, NEXT)].mean() for pool in pools]))


def one_seed(hall: Hall, number: int) -> dict[tuple[Manner, float], Doubles]:
    """Return mean like rates (len(AT),) for each manner and weight; half of the listeners are on a new server."""
    rng = np.random.default_rng([number, 3])
    people = [
        hall.tastes.listener(kind, rng) for kind, count in PEOPLE.items() for _ in range(count)
    ]
    return {
        (manner, weight): _mean(
            [
                course(
                    Student(hall=hall, prior=(hall.prior, hall.start)[place % 2], weight=weight),
                    who,
                    manner,
                    [number, 9, place],
                )
                for place, who in enumerate(people)
            ]
        )
        for manner in Manner
        for weight in (0.0, *WEIGHTS)
    }


def _mean(likes: Sequence[Sequence[float]]) -> Doubles:
    """Return the mean over listeners where somebody got as far; NaN where nobody gave so many ratings."""
    table = np.array(likes)
    reached = np.isfinite(table).sum(axis=0)
    total = np.nansum(table, axis=0)
    return np.where(reached > 0, total / np.maximum(reached, 1), np.nan)


async def measure(*, quick: bool = False, seeds: int | None = None) -> Report:
    """Run all servers and report."""
    clips, done = shipped_clips(), []
    for number in range(seeds or (QUICK_SEEDS if quick else SEEDS)):
        done.append(one_seed(open_hall(clips, number), number))
        print(f"{number + 1} servers", file=sys.stderr, flush=True)
    out = Report(
        name="silence: true like rate of the next ten clips out of 200 by ratings given, and what silence adds to it",
        header=["rates", "weight of silence", *(str(one) for one in AT), "added, mean"],
    )
    for manner in Manner:
        base = np.array([one[manner, 0.0] for one in done])
        for weight in (0.0, *WEIGHTS):
            likes = np.array([one[manner, weight] for one in done])
            asked = np.isfinite(likes - base).all(axis=0)
            added = interval((likes - base)[:, asked].mean(axis=1))
            means = [
                f"{value:.3f}" if known else "-"
                for value, known in zip(likes.mean(axis=0), asked, strict=True)
            ]
            out.rows.append([manner.value, f"{weight:g}", *means, str(added) if weight else ""])
            out.figures[f"{manner.value}: {weight:g}"] = likes[:, asked].tolist()
            shipped = TasteSettings().silence
            if weight == shipped:
                out.bars.append(
                    Bar(
                        name=f"added at weight {shipped:g} where people rate {manner.value}",
                        value=str(added),
                        asked="not below 0",
                        met=added.high >= 0.0,
                    )
                )
    return out
