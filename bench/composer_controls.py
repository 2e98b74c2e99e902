"""Part 6: does each control do what it says, on the audio?

Every control is turned from 0.1 to 0.9 (or through its values) with everything else left alone, over several families
and seeds; a correlate that an independent ear measures should follow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from bench.composer_part import RATE, Doubles, Floats, Part, Studio, markdown
from bench.listening import Feel, feel
from bench.listening_key import hear_key
from bench.listening_level import levels
from bench.listening_tempo import hear_tempo
from domain.facets import TONICS, Facets
from generation.generator import Composition

FAMILIES = ("pop", "house", "folk", "jazz", "rock", "orchestral", "reggae", "synthwave")
VALUES = (0.1, 0.3, 0.5, 0.7, 0.9)
QUICK_VALUES = (0.1, 0.3, 0.9)
SEEDS, QUICK_SEEDS = 2, 1
SECONDS = 8.0
VOICES = ("choir", "voice", "vocal", "ooh", "aah", "scat", "whistle", "sung")
"""Parts of names of instruments that stand for a singer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A control and what should follow it.

    Attributes:
        name: Field of ``Facets``.
        correlate: What is measured, in words.
        measure: Measures it on a finished clip.
        rises: Whether it should rise with the control.
    """

    name: str
    correlate: str
    measure: Callable[[Composition], float]
    rises: bool = True


def _sound(made: Composition) -> Floats:
    return made.audio.samples


def _felt(pick: Callable[[Feel], float]) -> Callable[[Composition], float]:
    return lambda made: pick(feel(_sound(made), RATE))


def _sung(made: Composition) -> float:
    """Return the share of the pitched playing time that belongs to voices."""
    times = {True: 0.0, False: 0.0}
    for part in made.notes.parts if made.notes else ():
        if not part.percussion:
            sung = any(word in part.patch for word in VOICES)
            times[sung] += sum(note.seconds for note in part.notes)
    return times[True] / max(1e-9, times[True] + times[False])


CONTROLS = (
    Control(name="energy", correlate="attacks a second", measure=_felt(lambda f: f.onsets)),
    Control(name="energy", correlate="height of attacks, dB", measure=_felt(lambda f: f.strength)),
    Control(
        name="valence",
        correlate="fit of major less fit of minor keys",
        measure=lambda made: hear_key(_sound(made), RATE).brightness,
    ),
    Control(
        name="danceability", correlate="strength of the pulse", measure=_felt(lambda f: f.pulse)
    ),
    Control(
        name="acousticness",
        correlate="level below 150 Hz, dB",
        measure=_felt(lambda f: f.bass),
        rises=False,
    ),
    Control(
        name="acousticness",
        correlate="level above 6 kHz, dB",
        measure=_felt(lambda f: f.air),
        rises=False,
    ),
    Control(
        name="instrumentalness",
        correlate="share of voices in the score",
        measure=_sung,
        rises=False,
    ),
    Control(
        name="loudness",
        correlate="range of the level, dB",
        measure=_felt(lambda f: f.dynamics),
        rises=False,
    ),
    Control(
        name="loudness",
        correlate="peak against RMS, dB",
        measure=_felt(lambda f: f.crest),
        rises=False,
    ),
    Control(name="density", correlate="attacks a second", measure=_felt(lambda f: f.onsets)),
    Control(
        name="brightness",
        correlate="centre of the spectrum, octaves",
        measure=_felt(lambda f: f.centroid),
    ),
)


async def run(studio: Studio, *, quick: bool, clips: int | None = None) -> Part:
    """Turn every control."""
    part = Part()
    seeds = range(clips or (QUICK_SEEDS if quick else SEEDS))
    chosen = FAMILIES[::3] if quick else FAMILIES
    values = QUICK_VALUES if quick else VALUES
    made = {
        (name, value): [
            studio.make(Facets(family=family, **{name: value}), 500 + seed, SECONDS)  # type: ignore[arg-type]
            for family in chosen
            for seed in seeds
        ]
        for name in dict.fromkeys(control.name for control in CONTROLS)
        for value in values
    }
    follows: dict[str, list[float]] = {}
    rows = []
    for control in CONTROLS:
        table = np.array([[control.measure(one) for one in made[control.name, v]] for v in values])
        trend = _trend(np.array(values), table.mean(axis=1), rises=control.rises)
        follows.setdefault(control.name, []).append(trend)
        right = _right(table, rises=control.rises)
        rows.append(
            [
                control.name,
                control.correlate,
                *(f"{value:.2f}" for value in table.mean(axis=1)),
                f"{trend:+.2f}",
                f"{right:.2f}",
            ]
        )
        part.figures[f"{control.name}: {control.correlate}"] = np.round(table, 4).tolist()
    header = ["control", "correlate", *(f"{v:g}" for v in values), "rank correlation", "right way"]
    part.notes.append(
        "means over clips by value of the control; *right way*: share of clips that differ rightly from end to end\n"
        + markdown(header, rows)
    )
    for name, trends in follows.items():
        best = max(trends)
        part.add(f"{name}: a correlate follows", f"{best:+.2f}", "0", ">= +0.90", met=best >= 0.9)
    _exact(part, studio, quick=quick)
    _same_level(part, made)
    return part


def _trend(values: Doubles, means: Doubles, *, rises: bool) -> float:
    if np.ptp(means) < 1e-9:
        return 0.0
    return float(spearmanr(values, means if rises else -means).statistic)


def _right(table: Doubles, *, rises: bool) -> float:
    step = (table[-1] - table[0]) * (1 if rises else -1)
    return float((step > 0).mean())


def _exact(part: Part, studio: Studio, *, quick: bool) -> None:
    """Tempo, key, mode and metre are not more or less: they are right or wrong."""
    rng = np.random.default_rng(8)
    hits: dict[str, list[bool]] = {"tempo": [], "key": [], "mode": [], "metre": []}
    for family in FAMILIES[: 2 if quick else None]:
        for metre in (
            ((4, 4), (3, 4)) if quick else ((2, 4), (3, 4), (4, 4), (5, 4), (6, 8), (7, 8))
        ):
            asked = Facets(
                family=family,
                tempo=round(float(rng.uniform(80, 140)), 1),
                tonic=TONICS[int(rng.integers(12))],
                mode=("minor", "major")[int(rng.integers(2))],
                metre=metre,
            )
            made = studio.make(asked, int(rng.integers(2**31)), 12.0)
            key = hear_key(_sound(made), RATE)
            tempo = hear_tempo(_sound(made), RATE).tempo
            hits["tempo"].append(abs(tempo / (asked.tempo or 1.0) - 1) < 0.03)
            hits["key"].append(TONICS[key.tonic] == asked.tonic)
            hits["mode"].append(key.major == (asked.mode == "major"))
            hits["metre"].append(made.notes is not None and made.notes.metre == metre)
    part.add(
        "asked tempo, key, mode in any metre heard; metre in the score",
        ", ".join(f"{name} {float(np.mean(found)):.2f}" for name, found in hits.items()),
    )


def _same_level(part: Part, made: Mapping[tuple[str, float], list[Composition]]) -> None:
    loud = [
        levels(one.audio.samples, RATE).loudness
        for (name, _), clips in made.items()
        if name == "loudness"
        for one in clips
    ]
    off = max(abs(value + 16) for value in loud)
    part.add(
        "loudness turned: level of the files, LUFS",
        f"{min(loud):.2f} to {max(loud):.2f}",
        "",
        "-16 +- 0.5",
        met=off <= 0.5,
    )
