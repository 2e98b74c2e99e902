"""The preference reward: how well it foretells what new listeners prefer among new clips, and what it is good for.

Beside it: chance; the average feature (what was preferred less what was not, no fit); and two oracles that know the
community's mean liking, and each listener's own. Three parts: growth with the community, answers that are wrong or
turned round by trolls, and newcomers whose taste starts from the reward.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.report import Bar, Interval, Report, interval
from bench.reward_world import Trials, World, community, trials, world
from bench.taste_bank import shipped_clips
from domain.errors import ScoringError
from domain.facets import FAMILIES
from scoring.beliefs import Doubles, Rated
from scoring.laplace import sigmoid
from scoring.reward import Choices, Reward, calibration_error, learn
from scoring.space import TasteSpace, default_space
from scoring.taste import Prior, default_prior, fit

CLIPS = 15 * len(FAMILIES)
"""Clips of the bank that are compared, the first: fifteen of each family."""
SEEDS, QUICK_SEEDS = 20, 3
SIZES = (4, 8, 16, 32, 64)
MIDDLE, SMALL = 16, 6
ROUNDS, DUELS = 8, 12
ASKED, EACH = 20, 80
"""Listeners who were left out, and duels that each of them answers."""
STRENGTH = 1.0
"""What is shared, in log odds, against tastes of a standard deviation of about 1.5."""
RATINGS = (0, 5, 10, 20)
OFFERED, PICKED = 200, 10
GRADES = ((-1.5, -1.0), (0.0, -0.4), (1.5, 0.5), (np.inf, 1.0))
"""Log odds up to which each grade is given, and its rating."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hall:
    """What all trials share: the space, and phi and heard properties of the clips."""

    space: TasteSpace
    phi: Doubles
    heard: Doubles


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One community's outcome: accuracies in [0, 1], and what was foretold of each answer."""

    pairs: int
    ours: float
    average: float
    consensus: float
    own: float
    chance: Doubles

    @property
    def ece(self) -> float:
        """Calibration error on the answers of those who were left out."""
        return calibration_error(self.chance, np.ones(len(self.chance)))


def one_trial(
    hall: Hall, size: int, seed: int, *, flips: float = 0.0, trolls: float = 0.0
) -> Trial | None:
    """Let a community of ``size`` compare clips and ask others; ``None`` where it gave too few preferences."""
    rng = np.random.default_rng([seed, size])
    here = world(hall.heard, size + ASKED, STRENGTH, rng)
    wicked = round(trolls * size)
    said = community(here, [1.0] * wicked + [flips] * (size - wicked), ROUNDS, DUELS, rng)
    asked = trials(here, range(size, size + ASKED), EACH, rng)
    try:
        reward = learn(hall.space, hall.phi, said, seed=seed)
    except ScoringError:
        return None
    value, _ = reward.of(hall.phi)
    own = here.utility[asked.listener, asked.better] - here.utility[asked.listener, asked.worse]
    return Trial(
        pairs=len(said.weight),
        ours=_accuracy(value, asked),
        average=_accuracy(average_feature(hall.phi, said), asked),
        consensus=_accuracy(here.consensus, asked),
        own=float((own > 0).mean()),
        chance=reward.prefers(hall.phi[asked.better], hall.phi[asked.worse]),
    )


def average_feature(phi: Doubles, said: Choices) -> Doubles:
    """Return (n,) the baseline's score: along the mean difference between what was preferred and what was not."""
    off = (phi[said.better] - phi[said.worse])[:, :-1]
    out: Doubles = phi[:, :-1] @ (off * said.weight[:, None]).mean(axis=0)
    return out


def _accuracy(value: Doubles, asked: Trials) -> float:
    ahead = value[asked.better] - value[asked.worse]
    return float(((ahead > 0) + 0.5 * (ahead == 0)).mean())


# Newcomers ------------------------------------------------------------------------------------------------


def newcomers(hall: Hall, strength: float, seed: int) -> NDArray[np.float64] | None:
    """Return (2, len(RATINGS)) like rates of newcomers' ten best of 200 clips: from the default prior, and leaning."""
    rng = np.random.default_rng([seed, round(10 * strength)])
    here = world(hall.heard, SMALL + ASKED, strength, rng)
    said = community(here, [0.0] * SMALL, ROUNDS, DUELS, rng)
    try:
        reward: Reward = learn(hall.space, hall.phi, said, seed=seed)
    except ScoringError:
        return None
    plain = default_prior(hall.space)
    priors = (plain, reward.lean(plain))
    rates = np.zeros((2, len(RATINGS)))
    for who in range(SMALL, SMALL + ASKED):
        rated = _ratings(here, who, max(RATINGS), rng)
        offered = rng.choice(here.test, OFFERED, replace=False)
        for row, prior in enumerate(priors):
            rates[row] += [
                _like_rate(hall, here, who, offered, prior, rated[:count]) for count in RATINGS
            ]
    return rates / ASKED


def _ratings(here: World, who: int, count: int, rng: np.random.Generator) -> list[Rated]:
    clips = rng.choice(here.train, count, replace=False)
    felt = here.utility[who, clips] + 0.7 * rng.standard_normal(count)
    return [
        Rated(
            clip=int(clip),
            rating=next(rating for edge, rating in GRADES if value <= edge),
            round=place // 4,
        )
        for place, (clip, value) in enumerate(zip(clips, felt, strict=True))
    ]


def _like_rate(
    hall: Hall,
    here: World,
    who: int,
    offered: NDArray[np.intp],
    prior: Prior,
    rated: Sequence[Rated],
) -> float:
    taste = fit(prior, hall.phi, rated)
    best = offered[np.argsort(-(hall.phi[offered] @ taste.mean), kind="stable")[:PICKED]]
    return float(sigmoid(here.utility[who, best]).mean())


# The report -----------------------------------------------------------------------------------------------


async def measure(*, quick: bool = False, seeds: int | None = None) -> Report:
    """Run all three parts."""
    count = seeds or (QUICK_SEEDS if quick else SEEDS)
    clips, space = shipped_clips(), default_space()
    hall = Hall(space=space, phi=space.project(clips.embeddings[:CLIPS]), heard=clips.heard[:CLIPS])
    report = Report(
        name="reward: pairs of unheard clips as unheard listeners prefer them",
        header=[
            "community",
            "pairs",
            "ours",
            "average feature",
            "mean liking",
            "own liking",
            "ECE",
        ],
    )
    growth = {size: _trials(hall, size, count) for size in SIZES}
    for size, found in growth.items():
        _add_row(report, f"{size} listeners", found)
    wrong = {
        f"{MIDDLE}, {share:.0%} of answers wrong": _trials(hall, MIDDLE, count, flips=share)
        for share in (0.1, 0.3)
    }
    wrong[f"{MIDDLE}, 20% trolls"] = _trials(hall, MIDDLE, count, trolls=0.2)
    for name, found in wrong.items():
        _add_row(report, name, found)
    rates = {strength: _newcomers(hall, strength, count) for strength in (STRENGTH, 0.0)}
    _add_newcomers(report, rates)
    _add_bars(report, growth, wrong[f"{MIDDLE}, 20% trolls"], rates)
    report.figures["seeds"] = count
    return report


def _trials(hall: Hall, size: int, count: int, **options: float) -> list[Trial]:
    print(f"{size} listeners {options or ''}", file=sys.stderr, flush=True)
    found = [one_trial(hall, size, seed, **options) for seed in range(count)]
    return [one for one in found if one is not None]


def _newcomers(hall: Hall, strength: float, count: int) -> Doubles:
    print(f"newcomers, {strength} shared", file=sys.stderr, flush=True)
    found = [newcomers(hall, strength, seed) for seed in range(count)]
    return np.stack([one for one in found if one is not None])


def _over(found: Sequence[Trial], value: Callable[[Trial], float]) -> Interval:
    return interval([value(one) for one in found])


def _pooled_ece(found: Sequence[Trial]) -> float:
    chance = np.concatenate([one.chance for one in found])
    return calibration_error(chance, np.ones(len(chance)))


def _add_row(report: Report, name: str, found: Sequence[Trial]) -> None:
    columns = {
        "ours": _over(found, lambda one: one.ours),
        "average": _over(found, lambda one: one.average),
        "consensus": _over(found, lambda one: one.consensus),
        "own": _over(found, lambda one: one.own),
    }
    pairs = float(np.mean([one.pairs for one in found]))
    report.rows.append(
        [name, f"{pairs:.0f}", *map(str, columns.values()), f"{_pooled_ece(found):.3f}"]
    )
    report.figures[name] = {
        "pairs": pairs,
        "runs": len(found),
        "ece": _pooled_ece(found),
        "ece of each run": [one.ece for one in found],
        **{key: [value.mean, value.low, value.high] for key, value in columns.items()},
    }


def _add_newcomers(report: Report, rates: dict[float, Doubles]) -> None:
    for strength, table in rates.items():
        gain = [
            interval(table[:, 1, column] - table[:, 0, column]) for column in range(len(RATINGS))
        ]
        means = table.mean(axis=0)
        shared = "something shared" if strength else "nothing shared"
        report.notes.append(
            f"Newcomers in a community of {SMALL}, {shared}: like rate of their ten best of {OFFERED} after "
            + "; ".join(
                f"{count} ratings {means[0, column]:.3f}, leaning {means[1, column]:.3f}, difference {gain[column]}"
                for column, count in enumerate(RATINGS)
            )
            + "."
        )
        report.figures[f"newcomers, {shared}"] = {
            "ratings": list(RATINGS),
            "default": means[0].tolist(),
            "leaning": means[1].tolist(),
            "difference": [[one.mean, one.low, one.high] for one in gain],
        }


def _add_bars(
    report: Report,
    growth: dict[int, list[Trial]],
    trolled: Sequence[Trial],
    rates: dict[float, Doubles],
) -> None:
    largest = growth[SIZES[-1]]
    ahead = _over(largest, lambda one: one.ours - one.average)
    calm = {size: _pooled_ece(found) for size, found in growth.items()}
    cost = (
        interval([one.ours for one in growth[MIDDLE]]).mean
        - interval([one.ours for one in trolled]).mean
    )
    gain, harm = (interval((table[:, 1] - table[:, 0]).mean(axis=1)) for table in rates.values())
    smallest = _over(growth[SIZES[0]], lambda one: one.ours)
    for name, value, asked, met in (
        (
            "better than chance with the smallest community",
            str(smallest),
            "interval above .5",
            smallest.low > 0.5,
        ),
        (
            f"better than the average feature with {SIZES[-1]} listeners",
            str(ahead),
            "interval above 0",
            ahead.low > 0,
        ),
        (
            "calibration error",
            ", ".join(f"{one:.3f}" for one in calm.values()),
            "<= .05 at every size",
            max(calm.values()) <= 0.05,
        ),
        ("cost of 20 % trolls", f"{cost:.3f}", "<= .03", cost <= 0.03),
        ("newcomers gain where something is shared", str(gain), "interval above 0", gain.low > 0),
        (
            "newcomers lose nothing where nothing is shared",
            str(harm),
            "mean >= -.01",
            harm.mean >= -0.01,
        ),
    ):
        report.bars.append(Bar(name=name, value=value, asked=asked, met=bool(met)))
