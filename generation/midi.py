"""A composition as a standard MIDI file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from domain.errors import GenerationError
from generation.generator import Composition, Part, Score

if TYPE_CHECKING:
    from mido import MidiTrack

_TICKS = 480
_DRUM_CHANNEL = 9


def to_midi(composition: Composition) -> bytes:
    """Write the score as a type 1 MIDI file: one conductor track, then a named track for each part.

    Times are those of the performance, so swing and looseness are in the file. Where the clip enters with an
    upbeat, time 0 is the clip's first moment.

    Raises:
        GenerationError: The generator made sound without a score.
    """
    import mido  # noqa: PLC0415  # only those who ask for MIDI need it

    score = composition.notes
    if score is None:
        raise GenerationError("This clip has no score: its generator makes sound directly.")
    file = mido.MidiFile(type=1, ticks_per_beat=_TICKS)
    tempo = mido.bpm2tempo(score.quarter_bpm)
    conductor = mido.MidiTrack()
    conductor.append(mido.MetaMessage("track_name", name=_ascii(score.title)))
    conductor.append(mido.MetaMessage("text", text="AI-made by Tunebreeder"))
    conductor.append(mido.MetaMessage("set_tempo", tempo=tempo))
    beats, value = score.metre
    conductor.append(mido.MetaMessage("time_signature", numerator=beats, denominator=value))
    file.tracks.append(conductor)
    melodic = [c for c in range(16) if c != _DRUM_CHANNEL]
    for part in score.parts:
        channel = _DRUM_CHANNEL if part.percussion else melodic.pop(0)
        file.tracks.append(_track(part, channel, score))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _track(part: Part, channel: int, score: Score) -> MidiTrack:
    import mido  # noqa: PLC0415  # only those who ask for MIDI need it

    track = mido.MidiTrack()
    track.append(mido.MetaMessage("track_name", name=_ascii(f"{part.role}: {part.patch}")))
    track.append(mido.Message("program_change", channel=channel, program=part.program))
    per_second = _TICKS * score.quarter_bpm / 60
    events: list[tuple[int, int, int, int]] = []
    for note in part.notes:
        start = round(note.start * per_second)
        stop = max(start + 1, round((note.start + note.seconds) * per_second))
        events.append((start, 1, note.pitch, note.velocity))
        events.append((stop, 0, note.pitch, 0))
    now = 0
    for tick, is_on, pitch, velocity in sorted(events):
        kind = "note_on" if is_on else "note_off"
        track.append(
            mido.Message(kind, channel=channel, note=pitch, velocity=velocity, time=tick - now)
        )
        now = tick
    return track


def _ascii(text: str) -> str:
    """MIDI text is Latin-1 at best; anything else becomes a question mark."""
    return text.encode("latin-1", "replace").decode("latin-1")
