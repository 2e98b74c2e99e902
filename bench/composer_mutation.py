"""Part 5: does the strength of a mutation say how far away the child sounds?

Children of one parent from every family at strengths from 0 to 1 are rendered, and their distance to the parent is
measured twice: in the embedding that tastes are learned over, and by the independent ear (feel, tempo and chroma).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from scipy.stats import spearmanr

from bench.composer_part import (
    RATE,
    Doubles,
    Floats,
    Part,
    Studio,
    families,
    genome,
    markdown,
    mean_text,
    standard,
)
from bench.listening import feel
from bench.listening_key import hear_key
from bench.listening_tempo import hear_tempo
from domain.facets import Facets
from evolution.descriptions import mutate

STRENGTHS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 1.0)
QUICK_STRENGTHS = (0.0, 0.15, 0.4, 0.7, 1.0)
CHILDREN, QUICK_CHILDREN = 2, 2
SECONDS = 8.0


async def run(studio: Studio, *, quick: bool, clips: int | None = None) -> Part:
    """Mutate and listen."""
    strengths = QUICK_STRENGTHS if quick else STRENGTHS
    children = clips or (QUICK_CHILDREN if quick else CHILDREN)
    parents = list(families())[:: 8 if quick else 1]
    learnt, heard = [], []
    for number, family in enumerate(parents):
        made = studio.make(Facets(family=family), 300 + number, SECONDS)
        parent = genome(made)
        sounds = [made.audio.samples]
        for place, strength in enumerate(strengths):
            for child in range(children):
                rng = np.random.default_rng([6, number, place, child])
                mutant = mutate(parent, strength, rng)
                sounds.append(studio.play(mutant).audio.samples)
        learnt.append(np.stack([studio.embed(sound) for sound in sounds]))
        heard.append(np.stack([_ear(sound) for sound in sounds]))
    part = Part()
    table = []
    for name, spaces, bar in (
        ("taste features", learnt, True),
        ("the independent ear", heard, False),
    ):
        far = _apart(spaces, len(strengths), children)
        part.figures[name] = far.tolist()
        table.append([name, *(f"{value:.2f}" for value in far.mean(axis=(0, 2)))])
        _judge(part, name, far, strengths, bar=bar)
    part.notes.append(
        "mean distance to the parent by strength, standard deviations of all clips\n"
        + markdown(["measured by", *(f"{s:g}" for s in strengths)], table)
    )
    return part


def _apart(spaces: Sequence[Doubles], strengths: int, children: int) -> Doubles:
    """Return distances (parents, strengths, children) of children to their parent."""
    _, spread = standard(np.concatenate(spaces))
    out = [
        np.sqrt(np.mean(((rows[1:] - rows[0]) / spread) ** 2, axis=1)).reshape(strengths, children)
        for rows in spaces
    ]
    return np.stack(out)


def _judge(part: Part, name: str, far: Doubles, strengths: Sequence[float], *, bar: bool) -> None:
    size = np.array(strengths)
    curves = [_rank(size, one.mean(axis=1)) for one in far]
    mean = float(np.mean(curves))
    part.add(
        f"strength and distance by {name}: rank correlation of a parent's means",
        f"{mean_text(curves)}, least {min(curves):.2f}",
        "strength dealt at random 0",
        ">= 0.90" if bar else "",
        met=mean >= 0.9 if bar else None,
    )
    singles = [_rank(np.repeat(size, one.shape[1]), one.ravel()) for one in far]
    everyone = _rank(np.tile(np.repeat(size, far.shape[2]), far.shape[0]), far.ravel())
    part.add(
        f"same, of a parent's single children; of all children of all parents, by {name}",
        f"{mean_text(singles)}; {everyone:.3f}",
    )
    same = float(far[:, 0].max())
    if bar:
        part.add("distance at strength 0", f"{same:.3f}", "", "0", met=same < 1e-6)


def _rank(first: Doubles, second: Doubles) -> float:
    return float(spearmanr(first, second).statistic)


def _ear(samples: Floats) -> Doubles:
    """Return what the independent ear hears of a clip: feel, tempo in octaves, chroma."""
    key = hear_key(samples, RATE)
    tempo = np.log2(hear_tempo(samples, RATE).tempo)
    return np.concatenate([dataclasses.astuple(feel(samples, RATE)), [tempo], np.sqrt(key.chroma)])
