"""From facets and a seed to a full plan: every choice that the prompt leaves open is made here.

What the prompt says is obeyed exactly. What it does not say comes from the family's style and the seed. Numeric
facets never enter the seed: turning one of them up or down keeps the tune and changes how it is played.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass

import numpy as np

from domain.facets import FAMILIES, TONICS, Facets
from generation.casting import Cast, cast
from generation.effects import Effects, gather
from generation.form import Bar, Form, lay_out
from generation.grid import Grid
from generation.hints import Hints
from generation.patches import find_patch
from generation.styles import Style, style
from generation.theory import MINOR_MODES

_LEAD_IN = 0.02
"""Seconds before the first note, so that loose timing cannot cut its attack."""
_NOT_THE_TUNE = (
    *("tempo", "energy", "density", "brightness", "valence", "tonic", "mode", "metre"),
    *("danceability", "acousticness", "instrumentalness", "loudness"),
    *("without", "unknown"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is decided before the first note.

    Attributes:
        facets: What the prompt said.
        style: The family's style.
        seconds: Length of the clip.
        grid: Tempo, metre, swing and where bar 0 lies.
        tonic: Pitch class.
        mode: One of ``domain.facets.MODES``.
        energy: In [0, 1], as the next three.
        density: Sparse to busy.
        brightness: Dark to bright.
        valence: Sad to happy.
        form: Bars and their chords.
        cast: Who plays.
        effects: What words do to the sound.
        entropy: Seeds every stream of chance, see ``rng``.
    """

    facets: Facets
    style: Style
    seconds: float
    grid: Grid
    tonic: int
    mode: str
    energy: float
    density: float
    brightness: float
    valence: float
    form: Form
    cast: Cast
    effects: Effects
    entropy: tuple[int, int]

    def rng(self, stream: str) -> np.random.Generator:
        """Return the chance of one decision; other decisions do not disturb it."""
        return _rng(self.entropy, stream)

    @property
    def bars(self) -> tuple[Bar, ...]:
        """The bars in order, the last one being the final chord."""
        return self.form.bars


def _rng(entropy: tuple[int, int], stream: str) -> np.random.Generator:
    return np.random.default_rng([*entropy, zlib.crc32(stream.encode())])


def make_plan(
    facets: Facets,
    seed: int,
    seconds: float,
    *,
    hints: Hints = Hints(),  # noqa: B008  # frozen
) -> Plan:
    """Resolve facets into a plan.

    Args:
        facets: What the prompt says.
        seed: At least 0; another seed is a variation.
        seconds: Length of the clip.
        hints: What the vocabulary knows about the genre and the words.

    Raises:
        GenerationError: A style file is wrong.
    """
    said = {k: v for k, v in facets.to_json().items() if k not in _NOT_THE_TUNE}
    entropy = (seed, zlib.crc32(json.dumps(said, sort_keys=True).encode()))
    family = facets.family if facets.family in FAMILIES else _choose_family(facets, hints, entropy)
    chosen = style(family)
    energy, density, brightness, valence = _levels(facets, hints, chosen, entropy)
    mode = facets.mode or _choose_mode(facets, hints, chosen, valence, entropy)
    tonic = facets.tonic if facets.tonic in TONICS else TONICS[_rng(entropy, "tonic").integers(12)]
    metre = facets.metre or hints.metre or _choose_metre(chosen, entropy)
    span = hints.tempo or chosen.tempo
    usual = chosen.energy if hints.usual_energy is None else hints.usual_energy
    tempo = facets.tempo or _choose_tempo(span, energy - usual, entropy)
    grid, count = _place(
        Grid(tempo=tempo, metre=metre, swing=chosen.swing, swing_unit=chosen.swing_unit),
        seconds,
        free=None if facets.tempo else span,
        ease=float(_rng(entropy, "tail").uniform(0.8, 1.2)),
    )
    tonic_class = TONICS.index(tonic)
    rng = _rng(entropy, "form")
    return Plan(
        facets=facets,
        style=chosen,
        seconds=seconds,
        grid=grid,
        tonic=tonic_class,
        mode=mode,
        energy=energy,
        density=density,
        brightness=brightness,
        valence=valence,
        form=lay_out(chosen, grid, count=count, key=(tonic_class, mode), rng=rng),
        cast=cast(chosen, facets, density, _rng(entropy, "cast"), typical=hints.instruments),
        effects=gather(_sound_words(facets, chosen, entropy)),
        entropy=entropy,
    )


def _levels(
    facets: Facets, hints: Hints, chosen: Style, entropy: tuple[int, int]
) -> tuple[float, float, float, float]:
    usual = hints.levels or (chosen.energy, chosen.density, chosen.brightness, chosen.valence)
    jitter = _rng(entropy, "levels").uniform(-0.06, 0.06, 4)
    energy = _unless(facets.energy, usual[0] + jitter[0])
    # Livelier music is busier and brighter, unless the prompt says how busy or bright.
    density = _unless(facets.density, usual[1] + jitter[1] + 0.5 * (energy - usual[0]))
    brightness = _unless(facets.brightness, usual[2] + jitter[2] + 0.3 * (energy - usual[0]))
    valence = _unless(facets.valence, usual[3] + jitter[3])
    return energy, density, brightness, valence


def _unless(said: float | None, otherwise: float) -> float:
    value = otherwise if said is None else said
    return float(min(1.0, max(0.0, value)))


def _choose_family(facets: Facets, hints: Hints, entropy: tuple[int, int]) -> str:
    """Draw a family whose usual levels are near to what the prompt does say."""
    rng = _rng(entropy, "family")
    asked = [found for word in facets.instruments if (found := find_patch(word)) is not None]
    weights = []
    for name in FAMILIES:
        usual = style(name)
        far = 0.0
        for index, level in enumerate(("energy", "density", "brightness", "valence")):
            said = getattr(facets, level)
            if said is None and hints.levels is not None:
                said = hints.levels[index]
            if said is not None:
                far += (said - getattr(usual, level)) ** 2 * 12
        if facets.tempo is not None:
            low, high = usual.tempo
            far += (max(0.0, low - facets.tempo, facets.tempo - high) / 15) ** 2
        if facets.mode is not None and facets.mode not in usual.modes:
            far += 0.7
        far += 1.2 * sum(not usual.plays(patch.name) for patch in asked)
        weights.append(np.exp(-min(far, 30.0)))
    share = np.array(weights) / sum(weights)
    return str(FAMILIES[int(rng.choice(len(FAMILIES), p=share))])


def _choose_mode(
    facets: Facets, hints: Hints, chosen: Style, valence: float, entropy: tuple[int, int]
) -> str:
    """Draw a mode, the happier the likelier major. A valence that the prompt names rules the others out."""
    said = facets.valence is not None or hints.leaning
    usual = {m: chosen.modes.get(m, 1.0) for m in hints.modes} if hints.modes else chosen.modes
    weights = {}
    for mode, weight in usual.items():
        side = -1 if mode in MINOR_MODES else 1
        if mode == "blues":
            side = 0
        weights[mode] = weight * float(np.exp(3 * side * (valence - 0.5)))
        if said and side * (valence - 0.5) < -0.1:
            weights[mode] = 0.0
    if sum(weights.values()) <= 0:
        return "major" if valence > 0.5 else "minor"
    names = list(weights)
    edges = np.cumsum([weights[n] for n in names])
    draw = _rng(entropy, "mode").uniform(0, edges[-1])
    return names[int(np.searchsorted(edges, draw))]


def _choose_metre(chosen: Style, entropy: tuple[int, int]) -> tuple[int, int]:
    names = list(chosen.metres)
    edges = np.cumsum([chosen.metres[n] for n in names])
    name = names[int(np.searchsorted(edges, _rng(entropy, "metre").uniform(0, edges[-1])))]
    beats, _, value = name.partition("/")
    return int(beats), int(value)


def _choose_tempo(span: tuple[float, float], lift: float, entropy: tuple[int, int]) -> float:
    place = 0.5 + 0.9 * lift + _rng(entropy, "tempo").uniform(-0.3, 0.3)
    low, high = span
    return round(float(low + (high - low) * min(1.0, max(0.0, place))), 1)


def _place(
    grid: Grid, seconds: float, *, free: tuple[float, float] | None, ease: float
) -> tuple[Grid, tuple[int, int]]:
    """Find where the bars lie so that the last one begins a short ring before the end.

    A free tempo is bent by a few percent until whole bars fit. What then remains before the first whole bar is
    filled with beats of an upbeat bar.

    Returns:
        The grid, and the number of bars before the last chord with the number of upbeat beats.
    """
    tail = min(0.35 * seconds, ease * (0.9 + 0.03 * seconds), 2.5)
    room = seconds - tail - _LEAD_IN
    if free is not None:
        # Whole bars where they are near, else whole beats, which are never far.
        for unit, bend in ((grid.bar_seconds, 0.025), (grid.beat_steps * grid.step_seconds, 0.06)):
            bent = grid.tempo * max(1, round(room / unit)) * unit / room
            if abs(bent / grid.tempo - 1) < bend and free[0] * 0.98 <= bent <= free[1] * 1.02:
                grid = _regrid(grid, round(bent, 2))
                break
    bars = int((room + 0.02) / grid.bar_seconds)
    beat = grid.beat_steps * grid.step_seconds
    spare = room + 0.02 - bars * grid.bar_seconds
    upbeat = min(int(spare / beat), max(0, grid.bar_steps // grid.beat_steps))
    downbeat = _LEAD_IN
    if upbeat:
        downbeat += upbeat * beat - grid.bar_seconds
    return _regrid(grid, grid.tempo, downbeat), (bars, upbeat)


def _regrid(grid: Grid, tempo: float, downbeat: float = 0.0) -> Grid:
    return Grid(
        tempo=tempo,
        metre=grid.metre,
        swing=grid.swing,
        swing_unit=grid.swing_unit,
        downbeat=downbeat,
    )


def _sound_words(facets: Facets, chosen: Style, entropy: tuple[int, int]) -> list[str]:
    rng = _rng(entropy, "effects")
    words = [word for word, chance in chosen.effects.items() if rng.uniform() < chance]
    said = [*facets.textures, *facets.production, *facets.uses]
    if facets.era:
        said.append(facets.era)
    bans = {word.lower() for word in facets.without}
    return [word for word in [*words, *said] if word.lower() not in bans]
