"""A description becomes a plan: the same record that a prompt leads to, with nothing left to decide."""

from __future__ import annotations

from domain.description import MAX_SECONDS, BarDescription, Description, VoiceDescription
from domain.errors import DescriptionError
from domain.facets import TONICS, Facets
from generation.planning.casting import Cast, Voice
from generation.planning.chords import INTERVALS, to_chord
from generation.planning.form import Bar, Chords, Form, dress
from generation.planning.grid import Grid
from generation.planning.patches import Patch, patch, percussion_key
from generation.planning.plan import Plan, Player, regrid
from generation.planning.styles import style
from generation.planning.theory import MINOR_MODES, Chord
from generation.sounding.effects import gather

RING = 0.3
"""Seconds that the last chord sounds at least."""


def plan_of(description: Description) -> Plan:
    """Return the plan of a description.

    Bars that would last longer than the clip lengthen it, up to ``MAX_SECONDS``.

    Raises:
        DescriptionError: An instrument or a drum piece does not exist or cannot take its role, or the bars last longer
            than any clip may.
        GenerationError: A style file is wrong.
    """
    grid = grid_of(description)
    players = tuple(_player(voice) for voice in description.voices)
    if seconds_of(description) > MAX_SECONDS:
        raise DescriptionError(
            "bars",
            f"{len(description.bars)} bars at this tempo last {seconds_of(description):.0f} seconds; "
            f"a clip lasts at most {MAX_SECONDS:.0f}",
        )
    drummer = next((p for p in players if p.voice.role == "drums"), None)
    return Plan(
        facets=Facets(family=description.family),
        style=style(description.family),
        seconds=max(description.seconds, seconds_of(description)),
        grid=grid,
        pickup=description.pickup,
        tonic=TONICS.index(description.tonic),
        mode=description.mode,
        levels=description.levels,
        form=Form(bars=_bars(description, grid)),
        cast=Cast(
            voices=tuple(player.voice for player in players),
            pieces=drummer.pieces if drummer is not None else (),
            banned_pieces=drummer.banned if drummer is not None else frozenset(),
            groove=drummer is not None and drummer.groove,
        ),
        players=players,
        words=description.words,
        effects=gather(description.words),
        entropy=description.tune,
        targets=description.bars,
    )


def grid_of(description: Description) -> Grid:
    """Return where the bars of a description lie."""
    bare = Grid(
        tempo=description.tempo,
        metre=description.metre,
        swing=description.swing,
        swing_unit=description.swing_unit,
    )
    return regrid(bare, description.tempo, description.pickup)


def seconds_of(description: Description) -> float:
    """Return how long a clip must be for the last chord to be heard."""
    grid = grid_of(description)
    return round(grid.time(len(description.bars) - 1, 0) + RING, 3)


def find_instrument(voice: VoiceDescription) -> Patch:
    """Return the sound of a described voice.

    Raises:
        DescriptionError: There is none of that name, or it is a drum kit and the role is not, or the other way round.
    """
    where = f"voices.{voice.name}.instrument"
    try:
        found = patch(voice.instrument)
    except KeyError as error:
        raise DescriptionError(
            where, f"there is no instrument {voice.instrument!r}; write it as patches.yaml does"
        ) from error
    if found.percussion != (voice.role == "drums"):
        kind = "is a drum kit" if found.percussion else "is no drum kit"
        raise DescriptionError(where, f"{voice.instrument!r} {kind} and cannot play {voice.role}")
    return found


def _player(voice: VoiceDescription) -> Player:
    found = find_instrument(voice)
    for piece in (*voice.pieces, *voice.without):
        if percussion_key(piece) is None:
            raise DescriptionError(f"voices.{voice.name}", f"there is no drum piece {piece!r}")
    return Player(
        name=voice.name,
        voice=Voice(role=voice.role, patch=found, asked=voice.asked),
        style=style(voice.style),
        tune=voice.tune,
        pieces=voice.pieces,
        banned=frozenset(voice.without),
        groove=voice.groove,
    )


def _bars(description: Description, grid: Grid) -> tuple[Bar, ...]:
    running = Chord(TONICS.index(description.tonic), INTERVALS[_home(description.mode)])
    measures: list[tuple[str, Chords]] = []
    for bar in description.bars:
        chords = _chords(bar, grid) or ((0, running),)
        running = chords[-1][1]
        measures.append((bar.section, chords))
    return dress(measures, sources=[bar.source for bar in description.bars])


def _home(mode: str) -> str:
    return "m" if mode in MINOR_MODES else ""


def _chords(bar: BarDescription, grid: Grid) -> Chords:
    """Bring chords to whole sixteenths; the later of two on the same one is left out."""
    out: dict[int, Chord] = {}
    for chord in bar.chords:
        step = min(grid.bar_steps - 1, round(chord.beat * 16 / grid.metre[1]))
        out.setdefault(step, to_chord(chord))
    return tuple(out.items())
