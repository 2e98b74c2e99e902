"""Part 1: does the music say what its description says?

Random valid descriptions are played, written as MIDI, read back without knowing the plan, and compared bar by bar by
FIGARO's measures: F1 of instruments and of chords as sets for each bar, and errors of density, velocity, pitch and
duration as root mean square over the bars of a piece against the mean that was asked; all averaged over pieces.
The baseline is the piece that the description before asked for: what agrees by chance.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.composer_figaro import REDUCED, Chord, name_chords
from bench.composer_part import Part, Studio, families, mean_text, share
from domain.chords import ChordAt
from domain.description import BarDescription, Description
from domain.facets import TONICS
from generation.genome.extract import Found, Piece, extract
from generation.genome.invent import random_description
from generation.genome.midi_read import read_midi
from generation.genome.realise import plan_of
from generation.midi import score_to_midi
from generation.planning.gm import instrument_name
from generation.planning.patches import patch
from generation.writing.arrange import arrange

PIECES, QUICK_PIECES = 1000, 60
NUMBERS = ("density", "velocity", "pitch", "duration")
ASKED = {"instruments": 0.99, "chords": 0.97}
NRMSE_ASKED = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """How near one piece is to one description.

    Attributes:
        scores: F1 by ``"instruments"`` and ``"chords"``, NRMSE by name of the number; missing where nothing is asked.
        tempo: Whether the tempo is right to a tenth of a percent.
        metre: Whether the metre is.
    """

    scores: dict[str, float]
    tempo: bool
    metre: bool


async def run(studio: Studio, *, quick: bool, clips: int | None = None) -> Part:
    """Play and read back."""
    del studio
    count = clips * len(families()) if clips else QUICK_PIECES if quick else PIECES
    rng = np.random.default_rng(1)
    ours, chance, strict = [], [], []
    missed: Counter[str] = Counter()
    before: Description | None = None
    for _ in range(count):
        asked = random_description(rng)
        piece = read_midi(score_to_midi(arrange(plan_of(asked))))
        found = extract(piece)
        ours.append(compare(asked, found))
        strict += _strictly(asked, piece)
        if before is not None:
            chance.append(compare(before, found))
        before = asked
        if ours[-1].scores.get("chords", 1.0) < 1.0:
            missed.update(_wrong_qualities(asked, found))
    part = Part()
    _judge(part, ours, chance)
    part.add(
        "chord F1 by FIGARO's own rule (its 7 qualities, threshold and ties)", mean_text(strict)
    )
    part.notes.append(
        "qualities read as others: "
        + (", ".join(f"{name} ({n})" for name, n in missed.most_common(10)) or "none")
    )
    return part


def compare(asked: Description, found: Found) -> Compared:
    """Compare what was asked with what was read."""
    by_bar: dict[str, list[float]] = {"instruments": [], "chords": []}
    pairs: dict[str, list[tuple[float, float]]] = {name: [] for name in NUMBERS}
    bars = [*found.bars, *[None] * (len(asked.bars) - len(found.bars))]
    for wanted, got in zip(asked.bars, bars, strict=False):
        players = frozenset() if got is None else frozenset(got.instruments)
        by_bar["instruments"].append(f1(_instruments(asked, wanted), players))
        chords = frozenset() if got is None else frozenset(map(_name, got.chords))
        if wanted.chords and _pitched(asked, wanted):
            by_bar["chords"].append(f1(frozenset(map(_name, wanted.chords)), chords))
        for name in NUMBERS:
            value = getattr(wanted, name)
            heard = None if got is None else getattr(got, name)
            if value is not None:
                pairs[name].append((value, 0.0 if heard is None else heard))
    scores = {name: float(np.mean(values)) for name, values in by_bar.items() if values}
    for name, both in pairs.items():
        if both:
            wanted_values, heard_values = np.array(both).T
            error = float(np.sqrt(np.mean((wanted_values - heard_values) ** 2)))
            scores[name] = error / max(1e-9, float(wanted_values.mean()))
    return Compared(
        scores=scores,
        tempo=math.isclose(found.tempo, asked.tempo, rel_tol=1e-3),
        metre=found.metre == asked.metre,
    )


def f1(asked: frozenset[str], found: frozenset[str]) -> float:
    """Return the harmonic mean of precision and recall of two sets; two empty ones agree."""
    if not asked and not found:
        return 1.0
    return 2 * len(asked & found) / (len(asked) + len(found))


def _instruments(description: Description, bar: BarDescription) -> frozenset[str]:
    patches = [patch(description.voice(name).instrument) for name in bar.voices]
    return frozenset(instrument_name(one.program, percussion=one.percussion) for one in patches)


def _pitched(description: Description, bar: BarDescription) -> bool:
    return any(description.voice(name).role != "drums" for name in bar.voices)


def _name(chord: ChordAt) -> str:
    return f"{chord.root}{chord.quality}"


def _wrong_qualities(asked: Description, found: Found) -> list[str]:
    out = []
    for wanted, got in zip(asked.bars, found.bars, strict=False):
        heard = {_name(chord) for chord in got.chords}
        for chord in wanted.chords:
            if _name(chord) not in heard and _pitched(asked, wanted):
                same = next((c.quality for c in got.chords if c.root == chord.root), None)
                out.append(
                    f"{chord.quality or 'major'} as "
                    + ("another root" if same is None else same or "major")
                )
    return out


def _strictly(asked: Description, piece: Piece) -> list[float]:
    """Return the chord F1 of a piece by FIGARO's rule, over bars all of whose chords that rule can name."""
    beat = 4 / asked.metre[1]
    named = name_chords(piece.sounds, asked.metre[0] * len(asked.bars), beat)
    scores = []
    for number, bar in enumerate(asked.bars):
        if (
            not bar.chords
            or not _pitched(asked, bar)
            or any(c.quality not in REDUCED for c in bar.chords)
        ):
            continue
        wanted = {(TONICS.index(chord.root), REDUCED[chord.quality]) for chord in bar.chords}
        first = number * asked.metre[0]
        heard: set[Chord] = {
            chord for chord in named[first : first + asked.metre[0]] if chord is not None
        }
        scores.append(2 * len(wanted & heard) / max(1, len(wanted) + len(heard)))
    return [float(np.mean(scores))] if scores else []


def _judge(part: Part, ours: Sequence[Compared], chance: Sequence[Compared]) -> None:
    table: dict[str, list[float]] = defaultdict(list)
    base: dict[str, list[float]] = defaultdict(list)
    for rows, into in ((ours, table), (chance, base)):
        for row in rows:
            for name, value in row.scores.items():
                into[name].append(value)
    for name, least in ASKED.items():
        mean = float(np.mean(table[name]))
        part.add(
            f"{name[:-1]} F1 over {len(ours)} descriptions, read from MIDI",
            mean_text(table[name], 4),
            f"of another description {float(np.mean(base[name])):.2f}",
            f">= {least:.2f}",
            met=mean >= least,
        )
    for name in NUMBERS:
        mean = float(np.mean(table[name]))
        part.add(
            f"{name}, normalised RMSE",
            f"{mean_text(table[name], 4)}; 95th percentile {np.percentile(table[name], 95):.3f}",
            f"of another description {float(np.mean(base[name])):.2f}",
            f"<= {NRMSE_ASKED:.2f}",
            met=mean <= NRMSE_ASKED,
        )
    for name in ("tempo", "metre"):
        right = share([getattr(one, name) for one in ours])
        part.add(f"{name} exact", str(right), "", "1.000", met=right.hits == right.count)
    part.figures = {
        name: {"mean": float(np.mean(values)), "worst": float(_worst(name, values))}
        for name, values in table.items()
    }


def _worst(name: str, values: Sequence[float]) -> float:
    return min(values) if name in ASKED else max(values)
