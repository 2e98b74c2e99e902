"""Aligners: our compact network against AlignerV2's, trained in the same run on the same listening world.

Both learn with the same loss from the same number of plays, in batches of the same size with the same number of
negatives, with AdamW; what differs is the network. AlignerV2 is trained twice: on embeddings as they are, as its own
training does it, and on embeddings that are standardised as ours are, since that alone helps it. Its own recipe (21
forward passes for each play) would need 17 times as long. Then the compact network goes on for as long as it pays.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from bench.aligner_world import WorldSize, make_world
from bench.report import Bar, Report, interval
from scoring.aligner.protocol import AlignerKind
from scoring.aligner.seed_network import SeedNetwork, SeedShape
from training.aligner import learn
from training.aligner.data import Checks
from training.aligner.learn import Material, Plan, State
from training.aligner.make import divided, untrained
from training.aligner.metrics import Figures, roc_auc
from training.aligner.network import Network, size_of

SEED = 1
EQUAL = Plan(epochs=2, each=6, batch=256, strangers=64, patience=100, threads=2)
"""6,000 plays with 500 listeners: what AlignerV2's network learns in a minute on two free cores, far from its end."""
SEED_RATE, OUR_RATE = 1e-3, 4e-3
"""Learning rates: AlignerV2's own, and ours for so few steps."""
LONG = Plan(epochs=12, each=15, batch=256, strangers=256, patience=4, threads=2)
REPEATS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trained:
    """A trained network's outcome."""

    name: str
    parameters: int
    state: State
    figures: Figures

    @property
    def speed(self) -> float:
        """Plays learned from in a second of one core."""
        return self.state.positives / self.state.cpu_seconds


class StandardisedSeed(SeedNetwork):
    """AlignerV2's network behind the standardisation of ours."""

    def __init__(self, shape: SeedShape) -> None:
        super().__init__(shape)
        size = (shape.layers, shape.dimensions)
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))

    def observe(self, mean: Tensor, deviation: Tensor) -> None:
        """Take the statistics of the training tracks."""
        cast("Tensor", self.mean).copy_(mean)
        cast("Tensor", self.deviation).copy_(deviation)

    def pieces(self, embeddings: Tensor) -> Tensor:
        """Return vectors of standardised embeddings."""
        mean, deviation = cast("Tensor", self.mean), cast("Tensor", self.deviation)
        return super().pieces(((embeddings - mean) / deviation).clamp(-5.0, 5.0))


async def measure(*, quick: bool = False) -> Report:
    """Run the bench.

    Args:
        quick: Half of the plays, AlignerV2 only on embeddings as they are, the compact network once.
    """
    with tempfile.TemporaryDirectory(prefix="aligner-world-") as folder:
        world = make_world(Path(folder), WorldSize(), SEED)
        material, tests = divided(world.store, world.listening, SEED)
        hall = _Hall(material=material, tests=tests, users=world.listening.users)
        seeds = [hall.train("AlignerV2", hall.seed(SeedNetwork), _equal(SEED_RATE, quick=quick))]
        ours = [
            hall.train("compact", hall.compact(n), _equal(OUR_RATE, seed=n, quick=quick))
            for n in range(1 if quick else REPEATS)
        ]
        if not quick:
            better = hall.seed(StandardisedSeed)
            seeds.append(hall.train("AlignerV2, standardised", better, _equal(SEED_RATE)))
        plan = replace(LONG, epochs=6) if quick else LONG
        longer = hall.train("compact, for longer", hall.compact(0), plan)
        liking = world.liking[tests.user, tests.tracks[tests.track]].astype(np.float64)
        return _report(seeds, ours, longer, roc_auc(liking, tests.listened))


def _equal(rate: float, *, seed: int = 0, quick: bool = False) -> Plan:
    return replace(EQUAL, rate=rate, seed=seed, epochs=1 if quick else EQUAL.epochs)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hall:
    """Where networks are trained and tested."""

    material: Material
    tests: Checks
    users: int

    def seed(self, kind: type[SeedNetwork]) -> SeedNetwork:
        store = self.material.store
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            return kind(
                SeedShape(users=self.users, layers=store.layers, dimensions=store.dimensions)
            )

    def compact(self, seed: int) -> Network:
        return untrained(AlignerKind.COMPACT, self.users, self.material.store, seed)

    def train(self, name: str, network: Network, plan: Plan) -> _Trained:
        print(f"{name}: {size_of(network):,} parameters", flush=True)
        state = learn.train(network, self.material, plan, say=lambda text: print(text, flush=True))
        figures = learn.measure(network, self.material.store, self.tests, plan)
        return _Trained(name=name, parameters=size_of(network), state=state, figures=figures)


def _report(
    seeds: Sequence[_Trained], ours: Sequence[_Trained], longer: _Trained, oracle: float
) -> Report:
    report = Report(
        name="aligner",
        header=[
            "network",
            "parameters",
            "plays",
            "CPU s",
            "plays/CPU s",
            "ROC AUC",
            "PR AUC",
            "pairwise",
        ],
    )
    report.rows += [_row(one) for one in (*seeds, *ours, longer)]
    report.rows.append(["oracle", "", "", "", "", f"{oracle:.3f}", "", ""])
    best = max(seeds, key=lambda one: one.figures.roc_auc)
    auc = interval([one.figures.roc_auc for one in ours])
    speed = min(one.speed for one in ours) / max(one.speed for one in seeds)
    smaller = ours[0].parameters / best.parameters
    report.bars += [
        Bar(
            name="ROC AUC after as many plays",
            value=f"{auc if len(ours) > 1 else f'{auc.mean:.3f}'} against {best.figures.roc_auc:.3f}",
            asked="at least AlignerV2's",
            met=auc.mean >= best.figures.roc_auc,
        ),
        Bar(
            name="parameters",
            value=f"1/{1 / smaller:.0f} of AlignerV2's",
            asked="at most 1/10",
            met=smaller <= 0.1,
        ),
        Bar(
            name="plays learned from in a CPU second",
            value=f"{speed:.0f} times AlignerV2's",
            asked="at least 10 times",
            met=speed >= 10,
        ),
    ]
    report.figures = {
        "runs": [_json(one) for one in (*seeds, *ours, longer)],
        "oracle_roc_auc": oracle,
        "users": WorldSize().users,
        "tracks": WorldSize().tracks,
    }
    return report


def _row(one: _Trained) -> list[str]:
    found = one.figures
    return [
        one.name,
        f"{one.parameters:,}",
        f"{one.state.positives:,}",
        f"{one.state.cpu_seconds:.0f}",
        f"{one.speed:,.0f}",
        f"{found.roc_auc:.3f}",
        f"{found.pr_auc:.3f}",
        f"{found.pairwise:.3f}",
    ]


def _json(one: _Trained) -> dict[str, Any]:
    return {
        "name": one.name,
        "parameters": one.parameters,
        "plays": one.state.positives,
        "best_epoch": one.state.best,
        "cpu_seconds": round(one.state.cpu_seconds, 1),
        "seconds": round(one.state.seconds, 1),
        "checked": [asdict(found) for found in one.state.history],
        "tested": asdict(one.figures),
    }
