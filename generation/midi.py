"""A composition as a standard MIDI file."""

from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING

from domain.errors import GenerationError
from domain.facets import TONICS
from generation.generator import Composition, Part, Score
from generation.planning.theory import MINOR_MODES

if TYPE_CHECKING:
    from mido import MidiTrack

_TICKS = 480
_DRUM_CHANNEL = 9


_PORT = 15
"""Pitched parts that a port has channels for."""


def to_midi(composition: Composition) -> bytes:
    """Write the score of a composition, see ``score_to_midi``.

    Raises:
        GenerationError: The generator made sound without a score.
    """
    if composition.notes is None:
        raise GenerationError("This clip has no score: its generator makes sound directly.")
    return score_to_midi(composition.notes)


def score_to_midi(score: Score) -> bytes:
    """Write a type 1 MIDI file: a conductor track, then a named track for each part.

    The conductor has tempo, time signature, key signature and a marker for each section. Times are those of the
    performance, so swing and looseness are in the file; bar lines lie where the file's own bars do. A clip that enters
    with an upbeat begins with the rest of that bar.
    """
    import mido  # noqa: PLC0415  # only those who ask for MIDI need it

    file = mido.MidiFile(type=1, ticks_per_beat=_TICKS)
    file.tracks.append(_conductor(score))
    melodic = [c for c in range(16) if c != _DRUM_CHANNEL]
    seen = 0
    for part in score.parts:
        if part.percussion:
            file.tracks.append(_track(part, (0, _DRUM_CHANNEL), score))
        else:
            port, place = divmod(seen, _PORT)
            file.tracks.append(_track(part, (port, melodic[place]), score))
            seen += 1
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def _conductor(score: Score) -> MidiTrack:
    import mido  # noqa: PLC0415  # only those who ask for MIDI need it

    beats, value = score.metre
    track = mido.MidiTrack()
    track.append(mido.MetaMessage("track_name", name=_latin(score.title)))
    track.append(mido.MetaMessage("text", text="AI-made by Tunebreeder"))
    track.append(mido.MetaMessage("set_tempo", tempo=round(60_000_000 / score.quarter_bpm)))
    track.append(mido.MetaMessage("time_signature", numerator=beats, denominator=value))
    if score.mode:
        minor = "m" if score.mode in MINOR_MODES else ""
        track.append(mido.MetaMessage("key_signature", key=TONICS[score.tonic] + minor))
    bar = round(_TICKS * 4 * beats / value)
    now = number = 0
    for section, group in itertools.groupby(score.sections):
        at = number * bar
        track.append(mido.MetaMessage("marker", text=_latin(section), time=at - now))
        now = at
        number += len(list(group))
    return track


def _track(part: Part, place: tuple[int, int], score: Score) -> MidiTrack:
    import mido  # noqa: PLC0415  # only those who ask for MIDI need it

    port, channel = place
    track = mido.MidiTrack()
    track.append(
        mido.MetaMessage("track_name", name=_latin(f"{part.name or part.role}: {part.patch}"))
    )
    if port:
        track.append(mido.MetaMessage("midi_port", port=port))
    track.append(mido.Message("program_change", channel=channel, program=part.program))
    per_second = _TICKS * score.quarter_bpm / 60
    events: list[tuple[int, int, int, int]] = []
    for note in part.notes:
        start = max(0, round((note.start - score.downbeat) * per_second))
        stop = max(start + 1, round((note.start + note.seconds - score.downbeat) * per_second))
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


def _latin(text: str) -> str:
    """MIDI text is Latin-1 at best; anything else becomes a question mark."""
    return text.encode("latin-1", "replace").decode("latin-1")
