"""(f) Likeness to a track: do the clips that ``/like-this`` prefers sound like the track to an ear of their own?

Tracks and clips are those of ``bench.taste_bank``. From each draw of twelve clips four are chosen by how like a track
they are, and the ear (``playground.hearing``), which shares no code with the features, says how far they are from it
in its ten properties. Beside it, on the same draws: four at random, the seed's rule (the cosine of the raw embeddings)
and the best four that the ear itself could choose.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bench.report import Bar, Report, interval
from bench.taste_bank import Clips, shipped_clips
from playground.tastes import shipped_bank
from scoring.likeness import likeness, places
from scoring.space import default_space

DRAWN, CHOSEN = 12, 4
SEEDS, QUICK_SEEDS = 40, 20
TRACKS = 40
"""Tracks of a seed, with a draw of clips each."""
RANDOM, SEED_RULE, OURS, ORACLE = "random", "cosine of embeddings", "likeness", "oracle"

Doubles = NDArray[np.float64]
Rule = Callable[[int, NDArray[np.intp], np.random.Generator], Doubles]


async def measure(*, quick: bool = False) -> Report:
    """Choose clips for tracks by each rule."""
    clips, space, bank = shipped_clips(), default_space(), shipped_bank()
    at = places(space.project(clips.embeddings), space)
    raw = clips.embeddings / np.linalg.norm(clips.embeddings, axis=1, keepdims=True)
    heard = bank.standard(clips.heard)

    def far(track: int, rows: NDArray[np.intp]) -> Doubles:
        out: Doubles = np.sqrt(np.mean((heard[rows] - heard[track]) ** 2, axis=1))
        return out

    rules: dict[str, Rule] = {
        RANDOM: lambda _track, rows, rng: rng.random(len(rows)),
        SEED_RULE: lambda track, rows, _rng: raw[rows] @ raw[track],
        OURS: lambda track, rows, _rng: likeness(at[rows], at[track]),
        ORACLE: lambda track, rows, _rng: -far(track, rows),
    }
    seeds = QUICK_SEEDS if quick else SEEDS
    found = {name: np.zeros(seeds) for name in rules}
    for seed in range(seeds):
        for name, rule in rules.items():
            rng = np.random.default_rng(seed)  # the same tracks and draws for every rule
            total = 0.0
            for _ in range(TRACKS):
                track, *others = rng.permutation(len(at))[: DRAWN + 1].tolist()
                rows = np.array(others, dtype=np.intp)
                best = np.argsort(-rule(track, rows, rng.spawn(1)[0]))[:CHOSEN]
                total += float(far(track, rows[best]).mean())
            found[name][seed] = total / TRACKS
    return _report(found, _alike(clips, at))


def _alike(clips: Clips, at: Doubles) -> dict[str, list[float]]:
    """Return the 5th, 50th and 95th percentile of the likeness of clips of one family, and of different ones."""
    table = np.stack([likeness(at, one) for one in at])
    names = np.array(clips.families)
    other = names[:, None] != names[None, :]
    same = ~other & ~np.eye(len(names), dtype=bool)
    return {
        name: np.percentile(table[mask], [5, 50, 95]).tolist()
        for name, mask in (("one family", same), ("different families", other))
    }


def _report(found: dict[str, Doubles], alike: dict[str, list[float]]) -> Report:
    report = Report(
        name="likeness: distance of four clips of twelve to a track, as another ear hears it (less is nearer)",
        header=[
            "chosen by",
            "distance in standard deviations",
            "of the way from random to the oracle",
        ],
    )
    gap = found[RANDOM] - found[ORACLE]
    for name, table in found.items():
        way = (found[RANDOM] - table) / gap
        report.rows.append([name, str(interval(table)), str(interval(way))])
    report.figures = {
        "distance": {name: table.tolist() for name, table in found.items()},
        "likeness percentiles (5, 50, 95)": alike,
    }
    for other in (RANDOM, SEED_RULE):
        gain = interval(found[other] - found[OURS])
        report.bars.append(
            Bar(
                name=f"nearer than by {other}",
                value=str(gain),
                asked="95 % interval above 0",
                met=gain.low > 0,
            )
        )
    report.notes += [
        f"Likeness of two clips of {name}: {middle:.2f} in the middle, 90 of 100 between {low:.2f} and {high:.2f}."
        for name, (low, middle, high) in alike.items()
    ]
    return report
