"""What the taste bench found, as a table with bars."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.report import Bar, Interval, Report, interval
from bench.taste_cost import Cost
from bench.taste_world import Kind, Troll

Doubles = NDArray[np.float64]

BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of one learner with one listener; see ``bench.taste.Course``."""

    likes: Doubles
    posted: float
    foretold: Doubles
    truth: Doubles


@dataclass(slots=True, kw_only=True)
class Seed:
    """What came of one server.

    Attributes:
        found: Kind of listener and system -> what came of each listener.
        best: For each drifting listener, the like rate of the best clips before and after the change.
        herd: Kind of trolls -> like rate of honest members without and with them.
        seconds: That each update took.
    """

    found: dict[tuple[Kind, str], list[Found]] = field(default_factory=lambda: defaultdict(list))
    best: list[list[float]] = field(default_factory=list)
    herd: dict[Troll, tuple[float, float]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)

    def add(self, kind: Kind, system: str, found: Found) -> None:
        """Keep what came of a listener."""
        self.found[kind, system].append(found)

    def add_oracle(self, likes: list[float]) -> None:
        """Keep the best possible of a drifting listener."""
        self.best.append(likes)

    def likes(self, kind: Kind, system: str) -> Doubles:
        """Return the mean like rate at each number of ratings."""
        return np.asarray(np.mean([one.likes for one in self.found[kind, system]], axis=0))

    def error(self, systems: Sequence[str], kinds: Sequence[Kind]) -> float:
        """Return the expected calibration error of predicted like probabilities, in ten equal bins."""
        chosen = [
            one
            for key, all_ in self.found.items()
            for one in all_
            if key[0] in kinds and key[1] in systems
        ]
        foretold = np.concatenate([one.foretold for one in chosen])
        truth = np.concatenate([one.truth for one in chosen])
        place = np.minimum((BINS * foretold).astype(int), BINS - 1)
        return float(
            sum(
                (place == number).mean() * abs((foretold - truth)[place == number].mean())
                for number in range(BINS)
                if (place == number).any()
            )
        )


def closed(seeds: Sequence[Seed], kind: Kind, system: str) -> Doubles:
    """Return (seeds, points): the share of the way from chance to the oracle, of means over listeners."""
    out = []
    for seed in seeds:
        low = seed.likes(kind, "chance").mean()
        high = seed.likes(kind, "oracle").mean()
        out.append((seed.likes(kind, system) - low) / (high - low))
    return np.array(out)


def recovered(seeds: Sequence[Seed], system: str = "ours") -> Doubles:
    """Return (seeds, points): the share of the way to the oracle of the day, with drifting listeners."""
    out = []
    for seed in seeds:
        low = seed.likes(Kind.DRIFTING, "chance").mean()
        before, after = np.mean(seed.best, axis=0)
        likes = seed.likes(Kind.DRIFTING, system)
        high = np.array([before] + [after] * (len(likes) - 1))
        out.append((likes - low) / (high - low))
    return np.array(out)


def report(
    seeds: Sequence[Seed],
    at: Sequence[int],
    drift_at: Sequence[int],
    *,
    clips: int,
    cost: Cost,
) -> Report:
    """Return the table of all servers."""
    out = Report(
        name="taste: true like rate of the next ten clips out of 200, by ratings given",
        header=[
            "listeners",
            "system",
            *(str(one) for one in at),
            "gap closed at 20",
            "at 40",
            "while learning",
        ],
    )
    kinds = [kind for kind in Kind if kind is not Kind.DRIFTING]
    for kind in kinds:
        for system in [name for found, name in seeds[0].found if found is kind]:
            likes = np.array([seed.likes(kind, system) for seed in seeds])
            way = closed(seeds, kind, system)
            posted = [np.mean([one.posted for one in seed.found[kind, system]]) for seed in seeds]
            out.rows.append(
                [
                    kind.value,
                    system,
                    *(_short(interval(column)) for column in likes.T),
                    _short(interval(way[:, at.index(20)])),
                    _short(interval(way[:, at.index(40)])),
                    f"{np.mean(posted):.2f}",
                ]
            )
            out.figures[f"{kind.value}: {system}"] = {
                "likes": likes.tolist(),
                "gap closed": way.tolist(),
                "while learning": [float(one) for one in posted],
            }
    _add_bars(out, seeds, at)
    _add_drift(out, seeds, drift_at)
    _add_herd(out, seeds)
    _add_calibration(out, seeds, kinds)
    _add_cost(out, seeds, cost)
    out.notes.append(
        f"{len(seeds)} servers, {clips} clips of the composer, half of them voted on and half only foretold."
        " The gap is that between chance and the oracle."
    )
    return out


def _short(one: Interval) -> str:
    return f"{one.mean:.2f} ±{(one.high - one.low) / 2:.2f}"


def _bar(name: str, values: Doubles, asked: float, *, most: bool = False) -> Bar:
    found = interval(values)
    met = found.mean <= asked if most else found.mean >= asked
    return Bar(
        name=name, value=str(found), asked=f"{'<=' if most else '>='} {asked:g}", met=bool(met)
    )


def _add_bars(out: Report, seeds: Sequence[Seed], at: Sequence[int]) -> None:
    ahead = [
        seed.likes(Kind.ONE, "ours")[at.index(5)]
        - seed.likes(Kind.ONE, "EvoMusic rule")[at.index(40)]
        for seed in seeds
    ]
    out.bars.append(
        _bar(
            "like rate of ours after 5 ratings less that of the EvoMusic rule after 40",
            np.array(ahead),
            0.0,
        )
    )
    one, two = (closed(seeds, kind, "ours") for kind in (Kind.ONE, Kind.TWO))
    out.bars.append(_bar("gap to the oracle closed at 20 ratings", one[:, at.index(20)], 0.60))
    out.bars.append(_bar("gap to the oracle closed at 40 ratings", one[:, at.index(40)], 0.75))
    for count in (20, 40):
        share = two[:, at.index(count)] / one[:, at.index(count)].mean()
        out.bars.append(
            _bar(f"gap closed with two tastes as a share of that with one, at {count}", share, 0.90)
        )


def _add_drift(out: Report, seeds: Sequence[Seed], drift_at: Sequence[int]) -> None:
    for system in ("ours", "EvoMusic rule"):
        way = recovered(seeds, system)
        values = ", ".join(
            f"{count - 20:+d}: {interval(column)}"
            for count, column in zip(drift_at, way.T, strict=True)
        )
        out.notes.append(
            f"Listeners who change after 20 ratings, {system}, gap closed by ratings since: {values}."
        )
        out.figures[f"drift: {system}"] = way.tolist()
    way = recovered(seeds)
    share = way[:, drift_at.index(35)] / way[:, 0].mean()
    out.bars.append(
        _bar("15 ratings after a change, gap closed as a share of that before", share, 1.0)
    )


def _add_herd(out: Report, seeds: Sequence[Seed]) -> None:
    for troll in seeds[0].herd:
        cost = 100 * np.array([seed.herd[troll][0] - seed.herd[troll][1] for seed in seeds])
        without = np.mean([seed.herd[troll][0] for seed in seeds])
        out.bars.append(
            _bar(
                f"points that 20 % of {troll.value} trolls cost honest members (of {100 * without:.0f})",
                cost,
                3.0,
                most=True,
            )
        )
        out.figures[f"trolls: {troll.value}"] = cost.tolist()


def _add_calibration(out: Report, seeds: Sequence[Seed], kinds: Sequence[Kind]) -> None:
    errors = np.array([seed.error(["ours"], kinds) for seed in seeds])
    out.bars.append(
        _bar("expected calibration error of the like probability", errors, 0.05, most=True)
    )
    out.figures["calibration error"] = errors.tolist()


def _add_cost(out: Report, seeds: Sequence[Seed], cost: Cost) -> None:
    taken = 1000 * np.concatenate([seed.seconds for seed in seeds])
    out.bars.append(
        Bar(
            name="learning from all of up to 40 ratings again, median ms",
            value=f"{np.median(taken):.2f} (p95 {np.percentile(taken, 95):.2f})",
            asked="< 1",
            met=bool(np.median(taken) < 1.0),
        )
    )
    for name, value, most in (
        ("prior of 1,000 members with 30 votes each, CPU s", cost.refit, 5.0),
        ("100,000 clips foretold for one listener, CPU ms", 1000 * cost.foretell, 50.0),
    ):
        out.bars.append(
            Bar(name=name, value=f"{value:.1f}", asked=f"<= {most:g}", met=value <= most)
        )
        out.figures[name] = value
    out.figures["update ms"] = {
        "median": float(np.median(taken)),
        "p95": float(np.percentile(taken, 95)),
    }
