"""Part 4: is it music? Over thousands of scores, without sound, by ``generation.writing.sanity``.

The baselines are the same scores with the pitches of each player dealt out anew, and, for repetition, with their bars
in a random order: the same notes, without what a composer does.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

import numpy as np

from bench.composer_part import Part, Share, Studio, families, share
from evolution.facets_ops import Breeder
from generation.generator import Note, Score
from generation.generator import Part as ScorePart
from generation.planning.hints import find_hints
from generation.planning.plan import Plan, make_plan
from generation.writing.arrange import arrange
from generation.writing.sanity import Sanity, inspect
from prompts.vocabulary import shipped

SCORES, QUICK_SCORES = 2000, 117
SECONDS = (8.0, 12.0, 20.0, 30.0)


async def run(studio: Studio, *, quick: bool, clips: int | None = None) -> Part:
    """Inspect scores of random prompts of all families in turn."""
    del studio
    count = clips * len(families()) if clips else QUICK_SCORES if quick else SCORES
    ours: list[tuple[str, Sanity]] = []
    dealt: list[Sanity] = []
    mixed: list[Sanity] = []
    breeder, vocabulary = Breeder(shipped()), shipped()
    for number in range(count):
        rng = np.random.default_rng([5, number])
        family = families()[number % len(families())]
        facets = breeder.invent(family, rng)
        hints = find_hints(facets, vocabulary)
        seed, seconds = int(rng.integers(2**31)), SECONDS[number % len(SECONDS)]
        plan = make_plan(facets, seed, seconds, hints=hints)
        score = arrange(plan)
        ours.append((family, inspect(plan, score)))
        if number % 5 == 0:
            dealt.append(inspect(plan, _dealt(score, rng)))
            mixed.append(inspect(plan, _mixed(plan, score, rng)))
    part = Part()
    _judge(part, ours, dealt)
    _repeats(part, [one for _, one in ours], mixed)
    return part


def _dealt(score: Score, rng: np.random.Generator) -> Score:
    """Deal the pitches of every player out anew."""

    def shuffled(one: ScorePart) -> ScorePart:
        if one.percussion:
            return one
        pitches = rng.permutation([note.pitch for note in one.notes])
        notes = [
            dataclasses.replace(note, pitch=int(pitch))
            for note, pitch in zip(one.notes, pitches, strict=True)
        ]
        return dataclasses.replace(one, notes=tuple(notes))

    return dataclasses.replace(score, parts=tuple(shuffled(one) for one in score.parts))


def _mixed(plan: Plan, score: Score, rng: np.random.Generator) -> Score:
    """Bring the bars into a random order."""
    grid, count = plan.grid, len(plan.bars)
    order = rng.permutation(count)

    def moved(note: Note) -> Note:
        bar = min(count - 1, max(0, int((note.start - grid.downbeat) / grid.bar_seconds + 0.02)))
        start = note.start + (int(order[bar]) - bar) * grid.bar_seconds
        return dataclasses.replace(note, start=max(0.0, start))

    parts = tuple(
        dataclasses.replace(
            one, notes=tuple(sorted((moved(n) for n in one.notes), key=lambda n: n.start))
        )
        for one in score.parts
    )
    return dataclasses.replace(score, parts=parts)


def _judge(part: Part, ours: Sequence[tuple[str, Sanity]], dealt: Sequence[Sanity]) -> None:
    found = [one for _, one in ours]
    strong, random = _in_chord(found), _in_chord(dealt)
    part.add(
        f"strong-beat lead notes in the chord, {len(found)} scores",
        str(strong),
        f"pitches dealt anew {random.mean:.3f}",
        ">= 0.75",
        met=strong.mean >= 0.75,
    )
    for name, label in (
        ("parallels", "parallel unisons and octaves of outer voices"),
        ("stuck", "stuck notes"),
        ("out_of_range", "notes out of range"),
    ):
        total = sum(getattr(one, name) for one in found)
        base = sum(getattr(one, name) for one in dealt) * len(found) / max(1, len(dealt))
        part.add(label, str(total), f"{base:.0f}", "0", met=total == 0)
        guilty = Counter(family for family, one in ours if getattr(one, name))
        if guilty:
            part.notes.append(
                f"{label}: {', '.join(f'{f} ({n})' for f, n in guilty.most_common(8))}"
            )
    worst = sorted(
        (
            (round(_in_chord([one for name, one in ours if name == family]).mean, 2), family)
            for family in families()
        ),
    )[:8]
    part.notes.append(
        "Least in the chord: " + ", ".join(f"{family} {value}" for value, family in worst)
    )
    silence = max(one.silence for one in found)
    part.add("longest time without a note, s", f"{silence:.2f}")
    runs = [one.repeated for one in found]
    part.add(
        "longest run of one pitch in a lead, 95th percentile", f"{np.percentile(runs, 95):.0f}"
    )
    leaps, wild = sum(one.leaps for one in found), sum(one.wild for one in found)
    part.add("leaps of a lead that nothing answers", str(Share(hits=wild, count=max(1, leaps))))
    part.figures["families"] = {
        family: {
            "in_chord": _in_chord([one for name, one in ours if name == family]).mean,
            "parallels": sum(one.parallels for name, one in ours if name == family),
            "stuck": sum(one.stuck for name, one in ours if name == family),
            "out_of_range": sum(one.out_of_range for name, one in ours if name == family),
        }
        for family in families()
    }


def _in_chord(found: Sequence[Sanity]) -> Share:
    return Share(
        hits=sum(one.strong_in_chord for one in found), count=sum(one.strong for one in found)
    )


def _repeats(part: Part, found: Sequence[Sanity], mixed: Sequence[Sanity]) -> None:
    values = [one.repetition for one in found if one.repetition is not None]
    random = [one.repetition for one in mixed if one.repetition is not None]
    peaks, base = share([v > 0 for v in values]), share([v > 0 for v in random])
    gain = float(np.mean(values)) if values else 0.0
    part.add(
        "bars a phrase apart are more alike than others (six bars or more)",
        f"{peaks}; by {gain:.3f}",
        f"bars in random order {base.mean:.3f}; by {float(np.mean(random or [0.0])):.3f}",
        "in >= 0.90",
        met=peaks.mean >= 0.9,
    )
