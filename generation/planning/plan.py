"""From facets and a seed to a full plan: every choice that the prompt leaves open is made here.

What the prompt says is obeyed exactly. What it does not say comes from the family's style and the seed. Numeric
facets never enter the seed: turning one of them up or down keeps the tune and changes how it is played.
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.description import MAX_BARS, BarDescription, Levels
from domain.facets import FAMILIES, TONICS, Facets
from generation.planning.casting import Cast, Voice, cast
from generation.planning.feel import swing_scale
from generation.planning.form import Bar, Form, lay_out
from generation.planning.grid import Grid
from generation.planning.hints import Hints
from generation.planning.levels import JITTER, far_from_style, mode_cheer, resolve
from generation.planning.metres import suits
from generation.planning.patches import find_patch
from generation.planning.styles import Style, style
from generation.sounding.effects import Effects, gather

_LEAD_IN = 0.02
"""Seconds before the first note, so that loose timing cannot cut its attack."""
_EDGES = frozenset({"upbeat", "end"})
_NOT_THE_TUNE = (
    *("tempo", "energy", "density", "brightness", "valence", "tonic", "mode", "metre"),
    *("danceability", "acousticness", "instrumentalness", "loudness"),
    *("without", "unknown"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """A voice with everything it plays by.

    Attributes:
        name: Unique within the piece, such as ``"lead"`` or ``"counter 2"``.
        voice: Role and sound.
        style: Whose patterns it plays.
        tune: Seeds every choice of its own.
        pieces: For drums: percussion besides the groove.
        banned: For drums: pieces that must not be heard.
        groove: For drums: whether the kit plays its groove.
    """

    name: str
    voice: Voice
    style: Style
    tune: tuple[int, int]
    pieces: tuple[str, ...] = ()
    banned: frozenset[str] = frozenset()
    groove: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is decided before the first note.

    ``style``, ``entropy`` and the drums of ``cast`` are the piece's own; ``seen_by`` turns them into one player's.

    Attributes:
        facets: What the prompt said.
        style: The family's style.
        seconds: Length of the clip.
        grid: Tempo, metre, swing and where bar 0 lies.
        pickup: Beats of the tempo that sound before the first whole bar.
        tonic: Pitch class.
        mode: One of ``domain.facets.MODES``.
        levels: How it is overall.
        form: Bars and their chords.
        cast: Who plays.
        players: The same with what each plays by.
        words: Words that colour the sound.
        effects: What they do to the sound.
        entropy: Seeds every stream of chance, see ``rng``.
        kicks: For each bar the steps on which a bass drum sounds; empty until the drums have played.
        targets: For each bar who sounds in it and the numbers to bring it to; empty when the composer is free.
    """

    facets: Facets
    style: Style
    seconds: float
    grid: Grid
    pickup: int
    tonic: int
    mode: str
    levels: Levels
    form: Form
    cast: Cast
    players: tuple[Player, ...]
    words: tuple[str, ...]
    effects: Effects
    entropy: tuple[int, int]
    kicks: tuple[frozenset[int], ...] = ()
    targets: tuple[BarDescription, ...] = ()

    def rng(self, stream: str) -> np.random.Generator:
        """Return the chance of one decision; other decisions do not disturb it."""
        return _rng(self.entropy, stream)

    @property
    def bars(self) -> tuple[Bar, ...]:
        """The bars in order, the last one being the final chord."""
        return self.form.bars

    @property
    def energy(self) -> float:
        """Calm to driving, in [0, 1]."""
        return self.levels.energy

    @property
    def density(self) -> float:
        """Sparse to busy, in [0, 1]."""
        return self.levels.density

    @property
    def brightness(self) -> float:
        """Dark to bright, in [0, 1]."""
        return self.levels.brightness

    @property
    def valence(self) -> float:
        """Sad to happy, in [0, 1]."""
        return self.levels.valence

    def seen_by(self, player: Player, kicks: tuple[frozenset[int], ...] = ()) -> Plan:
        """Return the plan as one player has it: its own style and chance, the drums that it hears.

        Args:
            player: Whose view.
            kicks: Steps of each bar on which a bass drum sounds.
        """
        drummer = player
        if player.voice.role != "drums":
            drummer = next((p for p in self.players if p.voice.role == "drums"), player)
        heard = dataclasses.replace(
            self.cast,
            pieces=drummer.pieces,
            banned_pieces=drummer.banned,
            groove=drummer.groove,
        )
        # Of an upbeat and an end a clip may hold too little for a voice to be listed that does play there.
        everybody = tuple(p.name for p in self.players)
        targets = tuple(
            dataclasses.replace(bar, voices=everybody) if bar.section in _EDGES else bar
            for bar in self.targets
        )
        return dataclasses.replace(
            self,
            style=player.style,
            entropy=player.tune,
            cast=heard,
            kicks=kicks,
            targets=targets,
        )


def name_voices(roles: Sequence[str]) -> tuple[str, ...]:
    """Name voices by their roles: the first ``"counter"`` is called so, the next ``"counter 2"``."""
    return tuple(
        role if (count := roles[:index].count(role)) == 0 else f"{role} {count + 1}"
        for index, role in enumerate(roles)
    )


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
    jitter = _rng(entropy, "levels").uniform(-0.06, 0.06, JITTER).tolist()
    levels = resolve(facets, hints, chosen, jitter)
    mode = facets.mode or _choose_mode(facets, hints, chosen, levels.valence, entropy)
    tonic = facets.tonic if facets.tonic in TONICS else TONICS[_rng(entropy, "tonic").integers(12)]
    grid, count = _grid(facets, hints, chosen, levels, seconds, entropy)
    tonic_class = TONICS.index(tonic)
    rng = _rng(entropy, "form")
    chosen_cast = cast(
        chosen,
        facets,
        levels.density,
        _rng(entropy, "cast"),
        typical=hints.instruments,
        levels=levels,
    )
    words = _sound_words(facets, chosen, entropy)
    return Plan(
        facets=facets,
        style=chosen,
        seconds=seconds,
        grid=grid,
        pickup=count[1],
        tonic=tonic_class,
        mode=mode,
        levels=levels,
        form=lay_out(chosen, grid, count=count, key=(tonic_class, mode), rng=rng),
        cast=chosen_cast,
        players=_players(chosen_cast, chosen, entropy),
        words=words,
        effects=gather(words),
        entropy=entropy,
    )


def _grid(
    facets: Facets,
    hints: Hints,
    chosen: Style,
    levels: Levels,
    seconds: float,
    entropy: tuple[int, int],
) -> tuple[Grid, tuple[int, int]]:
    """Return where the beats are, and the bars and upbeat beats of ``_place``."""
    metre = _metre(facets, hints, chosen) or _choose_metre(chosen, entropy)
    span = hints.tempo or chosen.tempo
    usual = chosen.energy if hints.usual_energy is None else hints.usual_energy
    tempo = facets.tempo or _choose_tempo(span, levels.energy - usual, entropy)
    swing = round(chosen.swing * swing_scale(levels, chosen), 3)
    return _place(
        Grid(tempo=tempo, metre=metre, swing=swing, swing_unit=chosen.swing_unit),
        seconds,
        free=None if facets.tempo else span,
        ease=float(_rng(entropy, "tail").uniform(0.8, 1.2)),
    )


def _players(chosen: Cast, own: Style, entropy: tuple[int, int]) -> tuple[Player, ...]:
    names = name_voices([voice.role for voice in chosen.voices])
    out = []
    for name, voice in zip(names, chosen.voices, strict=True):
        player = Player(name=name, voice=voice, style=own, tune=entropy)
        if voice.role == "drums":
            player = dataclasses.replace(
                player, pieces=chosen.pieces, banned=chosen.banned_pieces, groove=chosen.groove
            )
        out.append(player)
    return tuple(out)


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
        far += far_from_style(facets, hints, usual)
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
        cheer = mode_cheer(mode)
        weights[mode] = weight * float(np.exp(3 * cheer * (valence - 0.5)))
        if said and float(np.sign(cheer)) * (valence - 0.5) < -0.1:
            weights[mode] = 0.0
    if sum(weights.values()) <= 0:
        return "major" if valence > 0.5 else "minor"
    names = list(weights)
    edges = np.cumsum([weights[n] for n in names])
    draw = _rng(entropy, "mode").uniform(0, edges[-1])
    return names[int(np.searchsorted(edges, draw))]


def _metre(facets: Facets, hints: Hints, chosen: Style) -> tuple[int, int] | None:
    """Return the metre that was asked for, unless the family cannot be played in it, as a waltz in 13/8."""
    for asked in (facets.metre, hints.metre):
        if asked is not None and suits(chosen, asked):
            return asked
    return None


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
                grid = regrid(grid, round(bent, 2), 0)
                break
    bars = int((room + 0.02) / grid.bar_seconds)
    beat = grid.beat_steps * grid.step_seconds
    spare = room + 0.02 - bars * grid.bar_seconds
    upbeat = min(int(spare / beat), max(0, grid.bar_steps // grid.beat_steps))
    if upbeat == 0:
        return regrid(grid, grid.tempo, 0), (min(bars, MAX_BARS - 1), 0)
    return regrid(grid, grid.tempo, upbeat), (min(bars, MAX_BARS - 2), upbeat)


def regrid(grid: Grid, tempo: float, pickup: int) -> Grid:
    """Return a grid at another tempo that begins with an upbeat of so many beats."""
    bare = dataclasses.replace(grid, tempo=tempo, downbeat=0.0)
    downbeat = _LEAD_IN
    if pickup:
        downbeat += pickup * bare.beat_steps * bare.step_seconds - bare.bar_seconds
    return dataclasses.replace(bare, downbeat=downbeat)


def _sound_words(facets: Facets, chosen: Style, entropy: tuple[int, int]) -> tuple[str, ...]:
    rng = _rng(entropy, "effects")
    words = [word for word, chance in chosen.effects.items() if rng.uniform() < chance]
    said = [*facets.textures, *facets.production, *facets.uses]
    if facets.era:
        said.append(facets.era)
    bans = {word.lower() for word in facets.without}
    return tuple(word for word in [*words, *said] if word.lower() not in bans)
