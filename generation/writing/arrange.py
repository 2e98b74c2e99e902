"""A plan becomes a score: every voice writes its part by its own style and chance."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from generation.generator import Note, Part, Score
from generation.genome.fit import fit
from generation.genome.measure import Timeline
from generation.planning.harmony import part_ways, settled
from generation.planning.plan import Plan, Player
from generation.writing.bass import play_bass
from generation.writing.comp import play_chords, play_pad
from generation.writing.counter import play_counter
from generation.writing.drums import play_drums
from generation.writing.melody import play_lead

_KICKS = frozenset({35, 36})
_TWIN = 0x9E3779B1
"""Added to the tune of a voice that would otherwise play exactly what another of its role plays."""


def arrange(plan: Plan) -> Score:
    """Write all parts. A voice that finds nothing to play is left out.

    Each player has its own view of the plan. The drums play first, for the bass listens to the bass drum. When the
    plan has numbers for the bars, the parts are brought to them, see ``generation.genome.fit``.
    """
    notes: dict[str, tuple[Note, ...]] = {}
    players = _apart(plan.players)
    for player in players:
        if player.voice.role == "drums":
            notes[player.name] = play_drums(plan.seen_by(player), player.voice)
    kicks = _kicks(plan, [note for played in notes.values() for note in played])
    counters = 0
    for player in players:
        if player.voice.role != "drums":
            notes[player.name] = _play(plan.seen_by(player, kicks), player, counters)
            counters += player.voice.role == "counter"
    score = Score(
        title=plan.facets.genre or plan.style.family.replace("_", " "),
        quarter_bpm=plan.grid.quarter_bpm,
        metre=plan.grid.metre,
        downbeat=plan.grid.downbeat,
        seconds=plan.seconds,
        parts=part_ways(plan, [_part(player, notes[player.name]) for player in players]),
        tonic=plan.tonic,
        mode=plan.mode,
        sections=tuple(bar.section for bar in plan.bars),
    )
    if plan.targets:
        score = fit(plan, score)
        score = dataclasses.replace(score, parts=settled(plan, score.parts))
    return _without_silent(score)


def _apart(players: Sequence[Player]) -> tuple[Player, ...]:
    """Give twins, which would play the same notes, tunes of their own."""
    seen: set[tuple[str, str, tuple[int, int]]] = set()
    out = []
    for player in players:
        first, second = player.tune
        role, family = player.voice.role, player.style.family
        # Second voices differ by their order already.
        while role != "counter" and (role, family, (first, second)) in seen:
            second = (second + _TWIN) % 2**32
        seen.add((role, family, (first, second)))
        out.append(dataclasses.replace(player, tune=(first, second)))
    return tuple(out)


def _part(player: Player, notes: tuple[Note, ...]) -> Part:
    patch = player.voice.patch
    return Part(
        role=player.voice.role,
        patch=patch.name,
        program=patch.program,
        percussion=patch.percussion,
        notes=notes,
        name=player.name,
    )


def _without_silent(score: Score) -> Score:
    return dataclasses.replace(score, parts=tuple(part for part in score.parts if part.notes))


def _kicks(plan: Plan, drums: Sequence[Note]) -> tuple[frozenset[int], ...]:
    """Find the steps of each bar on which a bass drum sounds."""
    line = Timeline(
        downbeat=plan.grid.downbeat,
        quarter=4 * plan.grid.step_seconds,
        quarters=plan.grid.bar_steps / 4,
    )
    steps = [plan.grid.time(0, step) - plan.grid.downbeat for step in range(plan.grid.bar_steps)]
    out: list[set[int]] = [set() for _ in plan.bars]
    for note in drums:
        number = line.bar_of(note.start)
        if note.pitch in _KICKS and number < len(out):
            within = note.start - line.begin(number)
            out[number].add(min(range(len(steps)), key=lambda s: abs(steps[s] - within)))
    return tuple(frozenset(bar) for bar in out)


def _play(plan: Plan, player: Player, counters: int) -> tuple[Note, ...]:
    voice = player.voice
    match voice.role:
        case "bass":
            return play_bass(plan, voice)
        case "chords":
            return play_chords(plan, voice)
        case "pad":
            return play_pad(plan, voice)
        case "lead":
            return play_lead(plan, voice)
        case _:
            return play_counter(plan, voice, counters)
