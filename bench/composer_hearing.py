"""Part 2: what was asked is what is heard, on the audio, by ``bench.listening``.

Beside it the same ear on a plain beat or plain struck chords of the same tempo and key (how far it can be trusted), and
on the same scores as sine beeps (how much the sound adds or takes away).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.composer_part import RATE, Floats, Part, Studio, beeps, families, share, tempo_span
from bench.listening import to_mono
from bench.listening_control import beat_and_cadence
from bench.listening_key import Key, hear_key
from bench.listening_level import NO_FLOOR, Levels, levels, noise_floor
from bench.listening_tempo import hear_tempo
from domain.facets import TONICS, Facets

CLIPS, QUICK_CLIPS = 6, 1
SECONDS = (8.0, 10.0, 12.0, 15.0)
TEMPO_NEAR = 0.03
MODES = {
    "dorian": False,
    "phrygian": False,
    "harmonic_minor": False,
    "lydian": True,
    "mixolydian": True,
}
"""Further modes, and whether their third is major."""
HISS_ASKED = -45.0
"""dB below the music at which steady noise is one that people notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one clip was asked to be."""

    family: str
    tempo: float
    tonic: int
    mode: str
    major: bool
    seconds: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the ear made of one sound."""

    tempo: float
    key: Key

    def tempo_right(self, asked: Asked) -> bool:
        """Whether the tempo is right, octave and all."""
        return abs(self.tempo / asked.tempo - 1) <= TEMPO_NEAR

    def key_right(self, asked: Asked) -> bool:
        """Whether tonic and third are right."""
        return (self.key.tonic, self.key.major) == (asked.tonic, asked.major)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One clip with what was heard of it and of its controls."""

    asked: Asked
    drums: bool
    ours: Heard
    beeps: Heard
    control: Heard
    levels: Levels
    hiss_found: bool | None


async def run(studio: Studio, *, quick: bool, clips: int | None = None) -> Part:
    """Listen to clips of every family."""
    count = clips or (QUICK_CLIPS if quick else CLIPS)
    rng = np.random.default_rng(2)
    cases = [_case(studio, asked, number) for number, asked in enumerate(_asks(count, rng))]
    others = [] if quick else [_case(studio, asked, 1) for asked in _asks(2, rng, modes=True)]
    part = Part()
    _tempo(part, cases)
    _key(part, cases, others)
    _levels(part, [*cases, *others])
    part.figures["clips"] = [_figures(case) for case in cases]
    return part


def _asks(count: int, rng: np.random.Generator, *, modes: bool = False) -> list[Asked]:
    out = []
    for family in families():
        low, high = tempo_span(family)
        for number in range(count):
            mode = ("major", "minor")[int(rng.integers(2))]
            if modes:
                mode = list(MODES)[int(rng.integers(len(MODES)))]
            out.append(
                Asked(
                    family=family,
                    tempo=round(float(rng.uniform(low, high)), 1),
                    tonic=int(rng.integers(12)),
                    mode=mode,
                    major=MODES.get(mode, mode == "major"),
                    seconds=SECONDS[(number + int(rng.integers(4))) % len(SECONDS)],
                    seed=int(rng.integers(2**31)),
                )
            )
    return out


def _case(studio: Studio, asked: Asked, number: int) -> Case:
    facets = Facets(
        family=asked.family, tempo=asked.tempo, tonic=TONICS[asked.tonic], mode=asked.mode
    )
    made = studio.make(facets, asked.seed, asked.seconds)
    score = made.notes
    if score is None:
        raise RuntimeError("The composer gave no score.")
    drums = any(part.percussion for part in score.parts)
    found = levels(made.audio.samples, RATE)
    return Case(
        asked=asked,
        drums=drums,
        ours=_hear(made.audio.samples),
        beeps=_hear(beeps(score)),
        control=_hear(
            beat_and_cadence(
                asked.tempo, asked.tonic, major=asked.major, seconds=asked.seconds, drums=drums
            )
        ),
        levels=found,
        hiss_found=_finds_hiss(made.audio.samples, number) if number % 4 == 0 else None,
    )


def _hear(samples: Floats) -> Heard:
    return Heard(tempo=hear_tempo(samples, RATE).tempo, key=hear_key(samples, RATE))


def _finds_hiss(samples: Floats, seed: int) -> bool:
    """Say whether hiss 40 dB below the clip would have been found in it."""
    loud = float(np.sqrt(np.mean(samples**2))) * 0.01
    noise = np.random.default_rng(seed).normal(0, loud, (len(samples), 1)).astype(np.float32)
    return noise_floor(to_mono(samples + noise), RATE) > HISS_ASKED


def _tempo(part: Part, cases: Sequence[Case]) -> None:
    for name, drums, asked in (("with drums", True, 0.95), ("without drums", False, 0.85)):
        chosen = [case for case in cases if case.drums == drums]
        ours = share([case.ours.tempo_right(case.asked) for case in chosen])
        plain = share([case.beeps.tempo_right(case.asked) for case in chosen])
        control = share([case.control.tempo_right(case.asked) for case in chosen])
        part.add(
            f"tempo within 3 %, {name}",
            str(ours),
            f"plain beat {control.mean:.3f}, sine beeps {plain.mean:.3f}",
            f">= {asked:.2f}",
            met=ours.mean >= asked,
        )
    wrong = [case for case in cases if not case.ours.tempo_right(case.asked)]
    names = Counter(f"{case.asked.family} {_ratio(case)}" for case in wrong)
    part.notes.append(
        "Tempo misses (heard against asked): "
        + (", ".join(f"{name} ({count})" for name, count in names.most_common(20)) or "none")
    )


def _ratio(case: Case) -> str:
    ratio = case.ours.tempo / case.asked.tempo
    for name, value in (("x2", 2.0), ("x1/2", 0.5), ("x3/2", 1.5), ("x2/3", 2 / 3), ("x3", 3.0)):
        if abs(ratio / value - 1) < 0.04:
            return name
    return "other"


def _key(part: Part, cases: Sequence[Case], others: Sequence[Case]) -> None:
    right = share([case.ours.key_right(case.asked) for case in cases])
    plain = share([case.beeps.key_right(case.asked) for case in cases])
    control = share([case.control.key_right(case.asked) for case in cases])
    part.add(
        "key and mode (relative keys are errors)",
        str(right),
        f"plain cadence {control.mean:.3f}, sine beeps {plain.mean:.3f}",
        ">= 0.85",
        met=right.mean >= 0.85,
    )
    alone = share([case.ours.key.plain == (case.asked.tonic, case.asked.major) for case in cases])
    part.add("key and mode by profile alone, no weight on the last chord", str(alone))
    part.add("tonic alone", str(share([case.ours.key.tonic == case.asked.tonic for case in cases])))
    if others:
        third = share([case.ours.key_right(case.asked) for case in others])
        part.add("tonic and third of dorian, phrygian, lydian ...", str(third))
    kinds = Counter(_mistake(case) for case in cases if not case.ours.key_right(case.asked))
    worst = Counter(case.asked.family for case in cases if not case.ours.key_right(case.asked))
    part.notes.append(
        "Key misses: "
        + (", ".join(f"{name} ({count})" for name, count in kinds.most_common()) or "none")
        + "; most in "
        + ", ".join(f"{name} ({count})" for name, count in worst.most_common(8))
    )


def _mistake(case: Case) -> str:
    key, asked = case.ours.key, case.asked
    step = (key.tonic - asked.tonic) % 12
    if step == 0:
        return "parallel"
    if key.major != asked.major and step == (9 if asked.major else 3):
        return "relative"
    if key.major == asked.major and step in {5, 7}:
        return "a fifth away"
    return "other"


def _levels(part: Part, cases: Sequence[Case]) -> None:
    loud = [case.levels.loudness for case in cases]
    off = max(abs(value + 16) for value in loud)
    part.add(
        "loudness, LUFS", f"{min(loud):.2f} to {max(loud):.2f}", "", "-16 +- 0.5", met=off <= 0.5
    )
    top = max(case.levels.true_peak for case in cases)
    part.add("highest true peak, dBTP", f"{top:.2f}", "", "<= -1", met=top <= -1.0)
    clipped = sum(case.levels.clipped for case in cases)
    part.add("clipped runs", str(clipped), "", "0", met=clipped == 0)
    silence = max(case.levels.silence for case in cases)
    part.add("longest silence, s", f"{silence:.2f}", "", "<= 1", met=silence <= 1.0)
    floors = [case.levels.floor for case in cases]
    found = share([case.hiss_found for case in cases if case.hiss_found is not None])
    worst = max(floors)
    part.add(
        "steady noise under the music, dB, worst clip",
        "none" if worst == NO_FLOOR else f"{worst:.0f}",
        f"hiss put in at -40 dB is found in {found.mean:.2f} of clips",
        f"<= {HISS_ASKED:.0f}",
        met=worst <= HISS_ASKED,
    )


def _figures(case: Case) -> dict[str, object]:
    return {
        "family": case.asked.family,
        "seed": case.asked.seed,
        "seconds": case.asked.seconds,
        "drums": case.drums,
        "tempo": [case.asked.tempo, round(case.ours.tempo, 1)],
        "key": [case.asked.tonic, case.asked.major, case.ours.key.tonic, case.ours.key.major],
        "loudness": round(case.levels.loudness, 2),
        "true_peak": round(case.levels.true_peak, 2),
        "floor": round(case.levels.floor, 1),
    }
