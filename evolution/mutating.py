"""Changing a description by a strength that can be heard: from nothing at 0 to another piece at 1."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum

import numpy as np

from domain.chords import ChordAt
from domain.description import LEVELS, TEMPO, BarDescription, Description, Levels
from domain.errors import DescriptionError
from evolution.ensembles import stand_in
from evolution.keys import by_brightness, key_of, moved, revoiced, substitutes, with_chords
from evolution.numbers import freed, fresh_tune, nudged, reflected, rounded
from evolution.timing import refitted, sections_of

_OCTAVES = 0.45
"""By how much of a doubling the full strength moves a tempo, on average."""
_FIFTHS = 3.0
"""Steps on the circle of fifths that the full strength moves a key."""
_MODE_STEPS = 3.0
_LEVEL = 0.45


class Variation(StrEnum):
    """How far a variation goes."""

    SUBTLE = "subtle"
    """The same piece, played a little differently."""
    STRONG = "strong"
    """The same tune in another dress."""


def mutate(
    description: Description,
    strength: float,
    rng: np.random.Generator,
    fields: Collection[str] | None = None,
) -> Description:
    """Change a piece.

    Every field moves by a step whose size, or in a number of places that, grows in proportion to the strength, so that
    the distance that is heard grows with it. When all fields may change, those that are heard at once join in later: at
    .1 it is tempo, levels and perhaps a like instrument, from .3 on form and key as well. A lead keeps its tune until
    nearly every other player has a new one.

    Args:
        description: The piece.
        strength: In [0, 1]; 0 returns the piece itself.
        rng: Chooses.
        fields: Names of ``FIELDS`` that may change; all unless given.

    Raises:
        DescriptionError: There is no such field, or the strength is out of range.
    """
    if not 0.0 <= strength <= 1.0:
        raise DescriptionError("strength", f"{strength!r} does not lie between 0 and 1")
    unknown = set(fields or ()) - set(FIELDS)
    if unknown:
        raise DescriptionError(
            "fields", f"there is no {sorted(unknown)[0]!r}; there are {', '.join(FIELDS)}"
        )
    if strength == 0.0:
        return description
    out = description
    for name, change in _CHANGES.items():
        own = np.random.default_rng(rng.integers(2**32, size=2))  # one field's luck is its own
        start = 0.0 if fields is not None else _STARTS.get(name, 0.0)
        if (fields is None or name in fields) and strength > start:
            out = change(out, (strength - start) / (1 - start), own)
    return refitted(out)


def vary(description: Description, how: Variation, rng: np.random.Generator) -> Description:
    """Return a variation that keeps the lead's tune, the metre and, when subtle, the harmony.

    Subtle: tempo and some levels move a little, and either one player gets another sound or one that accompanies
    another tune. Strong: key, tempo, levels, chords and several players change.
    """
    if how is Variation.STRONG:
        kept = mutate(description, 0.5, rng, set(FIELDS) - {"tunes", "mode"})
        return _retuned(kept, 0.6, rng, spare=("lead",))
    out = _as_busy(mutate(description, 0.12, rng, ("tempo", "levels")), description)
    accompaniment = [voice.name for voice in out.voices if voice.role != "lead"]
    if accompaniment and rng.random() < 0.5:
        return _with_tunes(out, {accompaniment[int(rng.integers(len(accompaniment)))]}, rng)
    chosen = out.voices[int(rng.integers(len(out.voices)))]
    return _with_sounds(out, {chosen.name: stand_in(chosen, 0.2, rng)})


def _as_busy(description: Description, before: Description) -> Description:
    """Take back what would give the players other notes: how much they have to play."""
    kept = {name: getattr(before.levels, name) for name in ("density", "energy", "danceability")}
    levels = dataclasses.replace(description.levels, **kept)
    if [bar.section for bar in description.bars] != [bar.section for bar in before.bars]:
        return dataclasses.replace(description, levels=levels)
    return dataclasses.replace(description, levels=levels, bars=before.bars)


# One field each. All take the strength in (0, 1].


def _sign(rng: np.random.Generator) -> float:
    return 1.0 if rng.random() < 0.5 else -1.0


def _tempo(description: Description, strength: float, rng: np.random.Generator) -> Description:
    octaves = _sign(rng) * strength * _OCTAVES * rng.uniform(0.75, 1.25)
    low, high = (math.log2(bound) for bound in TEMPO)
    tempo = 2 ** reflected(math.log2(description.tempo) + octaves, low, high)
    return dataclasses.replace(description, tempo=round(tempo, 2))


def _key(description: Description, strength: float, rng: np.random.Generator) -> Description:
    fifths = int(_sign(rng)) * rounded(strength * _FIFTHS, rng)
    return transposed(description, 7 * fifths % 12)


def _mode(description: Description, strength: float, rng: np.random.Generator) -> Description:
    modes = by_brightness()
    steps = _sign(rng) * rounded(strength * _MODE_STEPS, rng)
    place = reflected(modes.index(description.mode) + steps, 0, len(modes) - 1)
    return in_mode(description, modes[round(place)])


def _levels(description: Description, strength: float, rng: np.random.Generator) -> Description:
    values, changed = {}, []
    for name in LEVELS:
        step = _sign(rng) * strength * _LEVEL * rng.uniform(0.5, 1.5)
        values[name] = round(reflected(getattr(description.levels, name) + step, 0.0, 1.0), 4)
        if abs(step) >= 0.05:
            changed.append(name)
    bars = freed(description.bars, changed)
    return dataclasses.replace(description, levels=Levels(**values), bars=bars)


def _instruments(
    description: Description, strength: float, rng: np.random.Generator
) -> Description:
    count = rounded(strength * len(description.voices), rng)
    places = rng.permutation(len(description.voices))[:count]
    chosen = [description.voices[place] for place in places]
    return _with_sounds(
        description, {voice.name: stand_in(voice, strength**2, rng) for voice in chosen}
    )


def _tunes(description: Description, strength: float, rng: np.random.Generator) -> Description:
    return _retuned(description, strength, rng)


def _retuned(
    description: Description,
    strength: float,
    rng: np.random.Generator,
    spare: Collection[str] = (),
) -> Description:
    """Give new tunes to as many players as the strength says, those that lead last and ``spare`` roles never."""
    order = [description.voices[place] for place in rng.permutation(len(description.voices))]
    order.sort(key=lambda voice: voice.role == "lead")
    count = rounded(strength * len(order), rng)
    names = {voice.name for voice in order[:count] if voice.role not in spare}
    return _with_tunes(description, names, rng)


def _chords(description: Description, strength: float, rng: np.random.Generator) -> Description:
    """Substitute chords: the same chord everywhere in the same way, so that a progression still repeats."""
    key = key_of(description)
    place = {}
    final = description.bars[-1].chords
    for bar in description.bars[:-1]:
        place.update({(chord.root, chord.quality): chord for chord in bar.chords})
    if strength < 0.6 and final:  # home is changed last
        place.pop((final[0].root, final[0].quality), None)
    names = list(place)
    count = rounded(0.8 * strength * len(names), rng)
    swaps = {}
    for index in rng.permutation(len(names))[:count]:
        options = substitutes(place[names[index]], key)
        reach = 1 + round(strength * (len(options) - 1))
        option = options[int(rng.integers(reach))]
        swaps[names[index]] = (option.root, option.quality)

    def swap(chord: ChordAt) -> ChordAt:
        root, quality = swaps.get((chord.root, chord.quality), (chord.root, chord.quality))
        return dataclasses.replace(chord, root=root, quality=quality)

    if not swaps:
        return description
    bars = (*with_chords(description.bars[:-1], swap), description.bars[-1])
    return dataclasses.replace(description, bars=freed(bars, ("chords",)))


def _numbers(description: Description, strength: float, rng: np.random.Generator) -> Description:
    """Move what the bars aim at: one direction for the piece, and a little of its own for each bar."""
    lean = {name: _sign(rng) * rng.uniform(0.7, 1.3) for name in ("density", "duration")}
    steps = {name: _sign(rng) * rng.uniform(0.7, 1.3) for name in ("pitch", "velocity")}
    sizes = {"density": 0.8, "duration": 0.6, "pitch": 6.0, "velocity": 18.0}
    bars = []
    for bar in description.bars:
        jitter = rng.uniform(0.7, 1.3)
        bars.append(
            nudged(
                bar,
                {name: 2 ** (lean[name] * strength * sizes[name] * jitter) for name in lean},
                {name: steps[name] * strength * sizes[name] * jitter for name in steps},
            )
        )
    return dataclasses.replace(description, bars=tuple(bars))


def _form(description: Description, strength: float, rng: np.random.Generator) -> Description:
    """Let players rest or enter in some sections, and let some bars change places."""
    first = 1 if description.pickup else 0
    bars = list(description.bars[first:-1])
    runs = sections_of(bars)
    names = [voice.name for voice in description.voices]
    out: list[BarDescription] = []
    for run in runs:
        played = run
        for _ in range(rounded(0.4 * strength * len(names), rng)):
            played = _toggled(played, names[int(rng.integers(len(names)))])
        out += played
    for _ in range(rounded(0.5 * strength * len(out), rng)):
        one, two = rng.integers(len(out), size=2)
        here, there = out[one], out[two]
        out[one] = dataclasses.replace(there, section=here.section)
        out[two] = dataclasses.replace(here, section=there.section)
    bars = [*description.bars[:first], *out, description.bars[-1]]
    return dataclasses.replace(description, bars=tuple(bars))


def _toggled(run: tuple[BarDescription, ...], name: str) -> tuple[BarDescription, ...]:
    """Let a player rest in a section where it plays, or play where it rests; somebody always plays."""
    resting = all(name in bar.voices for bar in run)
    out = []
    for bar in run:
        others = tuple(voice for voice in bar.voices if voice != name)
        if (resting and not others) or (not resting and not bar.chords):
            return run
        voices = others if resting else (*others, name)
        out.append(dataclasses.replace(bar, voices=voices))
    return freed(out, ("players",))


def _swing(description: Description, strength: float, rng: np.random.Generator) -> Description:
    step = _sign(rng) * strength * 0.15 * rng.uniform(0.5, 1.5)
    return dataclasses.replace(
        description, swing=round(reflected(description.swing + step, 0.0, 0.5), 4)
    )


_CHANGES: Mapping[str, Callable[[Description, float, np.random.Generator], Description]] = {
    "numbers": _numbers,
    "tempo": _tempo,
    "swing": _swing,
    "key": _key,
    "mode": _mode,
    "levels": _levels,
    "instruments": _instruments,
    "tunes": _tunes,
    "chords": _chords,
    "form": _form,
}
FIELDS = tuple(_CHANGES)
"""What ``mutate`` can change."""
_STARTS = {"tunes": 0.1, "chords": 0.15, "form": 0.3, "key": 0.3, "mode": 0.4}
"""Strength from which a field takes part where all do: what is heard at once waits for what is heard little."""


# Parts that others use.


def transposed(description: Description, semitones: int) -> Description:
    """Return the piece in another key; its players find their own octaves."""
    if semitones % 12 == 0:
        return description
    tonic = moved(ChordAt(root=description.tonic), semitones).root
    bars = with_chords(description.bars, lambda chord: moved(chord, semitones))
    return dataclasses.replace(description, tonic=tonic, bars=freed(bars, ("key",)))


def in_mode(description: Description, mode: str) -> Description:
    """Return the piece in another mode on the same tonic, each chord on its degree."""
    if mode == description.mode:
        return description
    old = key_of(description)
    bars = with_chords(description.bars, lambda chord: revoiced(chord, old, (old[0], mode)))
    return dataclasses.replace(description, mode=mode, bars=freed(bars, ("key",)))


def _with_tunes(
    description: Description, names: Collection[str], rng: np.random.Generator
) -> Description:
    if not names:
        return description
    voices = tuple(
        dataclasses.replace(voice, tune=fresh_tune(rng)) if voice.name in names else voice
        for voice in description.voices
    )
    bars = freed(description.bars, ("tunes",), names)
    return dataclasses.replace(description, voices=voices, bars=bars)


def _with_sounds(description: Description, sounds: Mapping[str, str]) -> Description:
    if not sounds:
        return description
    voices = tuple(
        dataclasses.replace(voice, instrument=sounds.get(voice.name, voice.instrument))
        for voice in description.voices
    )
    pitched = {voice.name for voice in voices if voice.name in sounds and voice.role != "drums"}
    bars = freed(description.bars, ("instruments",), pitched)
    return dataclasses.replace(description, voices=voices, bars=bars)
