"""Part 3: can families be told apart, do seeds vary, and does a population hold near duplicates?

Everything is measured on the embedding that tastes are learned over, each column scaled to unit variance over all clips
of the part; a distance is the root mean square over columns.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bench.composer_part import (
    Doubles,
    Part,
    Studio,
    beeps,
    distances,
    families,
    genome,
    mean_text,
    share,
    standard,
)
from domain.description import Description
from domain.facets import Facets
from evolution.facets_ops import Breeder
from evolution.founding import Founder
from generation.generator import Composition
from prompts.vocabulary import shipped

SEEDS, QUICK_SEEDS = 8, 3
"""Clips of each family for telling them apart: half to learn from, half to test."""
PROMPTS, PROMPT_SEEDS = 4, 3
POPULATIONS, QUICK_POPULATIONS = 6, 1
MEMBERS = 12
SECONDS = 8.0
RIDGE = 3.0
"""Weight of the penalty on the classifier's squared weights, fixed beforehand."""
VIBES = ("", "lofi", "techno", "string quartet", "jazz", "ambient")
"""What populations grow around; a narrow wish is the hardest case."""

Ints = NDArray[np.int64]


async def run(studio: Studio, *, quick: bool, clips: int | None = None) -> Part:
    """Measure all three."""
    part = Part()
    rows = _tell_apart(part, studio, clips or (QUICK_SEEDS if quick else SEEDS), quick=quick)
    mean, spread = standard(rows)
    _vary(part, studio, (mean, spread), quick=quick)
    await _populate(part, studio, (mean, spread), quick=quick)
    return part


def _tell_apart(part: Part, studio: Studio, count: int, *, quick: bool) -> Doubles:
    names = list(families())
    ours, plain, labels, halves = [], [], [], []
    for label, family in enumerate(names):
        for seed in range(count):
            made = studio.make(Facets(family=family), 1000 + seed, SECONDS)
            ours.append(studio.embed(made.audio.samples))
            if made.notes is not None and not quick:
                plain.append(studio.embed(beeps(made.notes)))
            labels.append(label)
            halves.append(seed % 2)
    rows, kinds, half = np.stack(ours), np.array(labels), np.array(halves)
    right, said = _crossed(rows, kinds, half)
    found = share(list(right))
    beeped = share(list(_crossed(np.stack(plain), kinds, half)[0])).mean if plain else None
    part.add(
        f"linear classifier names the family, {len(names)} families, unseen seeds",
        str(found),
        f"chance {1 / len(names):.3f}" + (f", sine beeps {beeped:.3f}" if plain else ""),
        ">= 0.80",
        met=found.mean >= 0.8,
    )
    pairs = Counter(
        f"{names[true]} as {names[guess]}"
        for true, guess in zip(kinds.tolist(), said.tolist(), strict=True)
        if true != guess
    )
    part.notes.append(
        "Families taken for others: "
        + (", ".join(f"{pair} ({n})" for pair, n in pairs.most_common(14)) or "none")
    )
    part.figures["confusion"] = dict(pairs)
    part.figures["accuracy"] = {
        name: float(right[kinds == label].mean()) for label, name in enumerate(names)
    }
    return rows


def _crossed(rows: Doubles, kinds: Ints, half: Ints) -> tuple[NDArray[np.bool_], Ints]:
    """Return which clips are named rightly by a classifier that learned from the other half, and what was said."""
    said = np.zeros_like(kinds)
    for test in (0, 1):
        learn = half != test
        mean, spread = standard(rows[learn])
        weights = softmax_fit((rows[learn] - mean) / spread, kinds[learn])
        said[~learn] = np.argmax(_with_one((rows[~learn] - mean) / spread) @ weights, axis=1)
    return said == kinds, said


def _with_one(rows: Doubles) -> Doubles:
    clipped = np.clip(rows, -5, 5)
    return np.hstack([clipped, np.ones((len(rows), 1))])


def softmax_fit(rows: Doubles, kinds: Ints) -> Doubles:
    """Return weights (d + 1, kinds) of a multinomial logistic regression with a ridge penalty."""
    columns, count = _with_one(rows), int(kinds.max()) + 1
    truth = np.eye(count)[kinds]

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        weights = flat.reshape(-1, count)
        scores = columns @ weights
        scores -= scores.max(axis=1, keepdims=True)
        total = np.log(np.exp(scores).sum(axis=1, keepdims=True))
        slope = columns.T @ (np.exp(scores - total) - truth) + RIDGE * weights
        cost = -((scores - total) * truth).sum() + 0.5 * RIDGE * (weights**2).sum()
        return float(cost), slope.ravel()

    start = np.zeros(columns.shape[1] * count)
    done = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200})
    return np.asarray(done.x, dtype=np.float64).reshape(-1, count)


def _vary(part: Part, studio: Studio, scale: tuple[Doubles, Doubles], *, quick: bool) -> None:
    """Compare seeds of one prompt with prompts of one family."""
    breeder, rng = Breeder(shipped()), np.random.default_rng(3)
    ratios, within_all, between_all = [], [], []
    chosen = list(families())[:: 8 if quick else 1]
    for family in chosen:
        rows, marks = [], []
        for prompt in range(2 if quick else PROMPTS):
            facets = breeder.invent(family, rng)
            for seed in range(2 if quick else PROMPT_SEEDS):
                made = studio.make(facets, 2000 + seed, SECONDS)
                rows.append((studio.embed(made.audio.samples) - scale[0]) / scale[1])
                marks.append(prompt)
        apart, mark = distances(np.stack(rows)), np.array(marks)
        same = mark[:, None] == mark[None, :]
        within = float(apart[same & ~np.eye(len(mark), dtype=bool)].mean())
        between = float(apart[~same].mean())
        ratios.append(within / between)
        within_all.append(within)
        between_all.append(between)
    ratio = float(np.mean(within_all) / np.mean(between_all))
    part.add(
        "distance of two seeds of a prompt to that of two prompts of a family",
        f"{ratio:.2f}; families {mean_text(ratios, 2)}, least {min(ratios):.2f}",
        "same seed 0",
        ">= 0.33",
        met=ratio >= 1 / 3,
    )
    part.figures["variation"] = dict(zip(chosen, np.round(ratios, 3).tolist(), strict=True))


async def _populate(
    part: Part, studio: Studio, scale: tuple[Doubles, Doubles], *, quick: bool
) -> None:
    """Look for near duplicates among the twelve clips of first generations."""
    count = QUICK_POPULATIONS if quick else POPULATIONS
    twins = _twins(studio, scale, quick=quick)
    threshold = float(np.percentile(twins, 95))
    vocabulary = shipped()
    breeder = Breeder(vocabulary)
    nearest, close = [], []
    for number in range(count):
        vibe = VIBES[number % len(VIBES)]
        rng = np.random.default_rng(400 + number)
        rows = []
        for draft in await Founder(breeder, vibe).found(MEMBERS, rng):
            made = studio.make(draft.facets, int(rng.integers(2**31)), SECONDS)
            rows.append((studio.embed(made.audio.samples) - scale[0]) / scale[1])
        apart = distances(np.stack(rows))[np.triu_indices(len(rows), 1)]
        nearest.append(float(apart.min()))
        close += [number] * int((apart < threshold).sum())
    pairs = count * MEMBERS * (MEMBERS - 1) // 2
    part.add(
        f"pairs in {count} populations of {MEMBERS} nearer than near duplicates are",
        f"{len(close)} of {pairs}; nearest pair {min(nearest):.2f}",
        f"near duplicates (2 % faster, other velocities) are up to {threshold:.2f} apart",
        "0",
        met=not close,
    )
    part.figures["near_duplicates"] = {
        "distances": np.round(twins, 3).tolist(),
        "threshold": threshold,
        "nearest_in_populations": np.round(nearest, 3).tolist(),
    }


def _twins(studio: Studio, scale: tuple[Doubles, Doubles], *, quick: bool) -> list[float]:
    """Return distances of clips to what people would call the same clip: 2 % faster, played a little louder."""
    out = []
    for family in list(families())[:: 6 if quick else 2]:
        made = studio.make(Facets(family=family), 77, SECONDS)
        out += [
            _apart(studio, scale, made, other)
            for other in (_faster(genome(made)), _louder(genome(made)))
        ]
    return out


def _apart(
    studio: Studio, scale: tuple[Doubles, Doubles], made: Composition, other: Description
) -> float:
    sounds: Sequence[Doubles] = [
        (studio.embed(one.audio.samples) - scale[0]) / scale[1]
        for one in (made, studio.play(other))
    ]
    return float(np.sqrt(np.mean((sounds[0] - sounds[1]) ** 2)))


def _faster(description: Description) -> Description:
    return dataclasses.replace(description, tempo=round(min(239.0, 1.02 * description.tempo), 2))


def _louder(description: Description) -> Description:
    bars = tuple(
        bar
        if bar.velocity is None
        else dataclasses.replace(bar, velocity=min(126.0, bar.velocity + 4))
        for bar in description.bars
    )
    return dataclasses.replace(description, bars=bars)
