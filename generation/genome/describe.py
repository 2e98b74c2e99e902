"""A composition as its description: everything needed to play exactly the same notes again."""

from __future__ import annotations

from domain.description import BarDescription, Description, VoiceDescription
from domain.facets import TONICS
from generation.generator import Note, Score
from generation.genome.measure import figures, timeline
from generation.planning.chords import from_chord
from generation.planning.plan import Plan, Player


def describe(plan: Plan, score: Score) -> Description:
    """Return the description of a composition, its bars with the numbers that were really played.

    Args:
        plan: What was decided.
        score: What came of it; a player who found nothing to play is still among the voices.

    Raises:
        DescriptionError: The plan has no player at all.
    """
    line = timeline(score)
    played: list[list[tuple[str, Note, bool]]] = [[] for _ in plan.bars]
    for part in score.parts:
        for note in part.notes:
            bar = min(line.bar_of(note.start), len(played) - 1)
            played[bar].append((part.name, note, part.percussion))
    return Description(
        family=plan.style.family,
        tempo=plan.grid.tempo,
        tonic=TONICS[plan.tonic],
        mode=plan.mode,
        metre=plan.grid.metre,
        swing=plan.grid.swing,
        swing_unit=plan.grid.swing_unit,
        pickup=plan.pickup,
        seconds=plan.seconds,
        levels=plan.levels,
        words=plan.words,
        tune=plan.entropy,
        voices=tuple(_voice(player) for player in plan.players),
        bars=tuple(_bar(plan, score, number, notes) for number, notes in enumerate(played)),
    )


def _voice(player: Player) -> VoiceDescription:
    drums = player.voice.role == "drums"
    return VoiceDescription(
        name=player.name,
        role=player.voice.role,
        instrument=player.voice.patch.name,
        style=player.style.family,
        tune=player.tune,
        asked=player.voice.asked,
        pieces=player.pieces if drums else (),
        without=tuple(sorted(player.banned)) if drums else (),
        groove=player.groove,
    )


def _bar(
    plan: Plan, score: Score, number: int, notes: list[tuple[str, Note, bool]]
) -> BarDescription:
    bar = plan.bars[number]
    found = figures([(note, percussion) for _, note, percussion in notes], timeline(score))
    names = {name for name, _, _ in notes}
    unit = plan.grid.metre[1] / 16
    return BarDescription(
        section=bar.section,
        source=bar.source,
        chords=tuple(from_chord(chord, start * unit) for start, chord in bar.chords),
        voices=tuple(player.name for player in plan.players if player.name in names),
        density=found.density,
        pitch=found.pitch,
        velocity=found.velocity,
        duration=found.duration,
    )
