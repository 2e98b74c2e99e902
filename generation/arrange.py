"""A plan becomes a score: every voice writes its part."""

from __future__ import annotations

from generation.bass import play_bass
from generation.casting import Voice
from generation.comp import play_chords, play_counter, play_pad
from generation.drums import play_drums
from generation.generator import Note, Part, Score
from generation.melody import play_lead
from generation.plan import Plan


def arrange(plan: Plan) -> Score:
    """Write all parts. A voice that finds nothing to play is left out."""
    parts = []
    counters = 0
    for voice in plan.cast.voices:
        notes = _play(plan, voice, counters)
        counters += voice.role == "counter"
        if notes:
            parts.append(
                Part(
                    role=voice.role,
                    patch=voice.patch.name,
                    program=voice.patch.program,
                    percussion=voice.patch.percussion,
                    notes=notes,
                )
            )
    genre = plan.facets.genre or plan.style.family.replace("_", " ")
    return Score(
        title=genre,
        quarter_bpm=plan.grid.quarter_bpm,
        metre=plan.grid.metre,
        downbeat=plan.grid.downbeat,
        seconds=plan.seconds,
        parts=tuple(parts),
    )


def _play(plan: Plan, voice: Voice, counters: int) -> tuple[Note, ...]:
    match voice.role:
        case "drums":
            return play_drums(plan, voice)
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
