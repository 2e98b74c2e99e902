"""Reads MIDI files of anybody into notes."""

from __future__ import annotations

import io
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from domain.description import NOTE_VALUES
from domain.errors import UsageError
from generation.genome.extract import Piece, Sound, in_order
from generation.planning.gm import instrument_name

if TYPE_CHECKING:
    from mido import MidiFile, MidiTrack

_DRUM_CHANNEL = 9
_PEDAL = 64
MAX_BYTES = 4_000_000
"""Size of a MIDI file that is read."""
MAX_NOTES = 200_000
"""Notes in it."""
MAX_QUARTERS = 20_000
"""Quarter notes that it lasts."""


def read_midi(data: bytes) -> Piece:
    """Read a standard MIDI file. Its first tempo and time signature hold for all of it.

    Raises:
        UsageError: It is not a MIDI file, too large, of a kind that cannot be read, or without a note.
    """
    import mido  # noqa: PLC0415  # only those who read MIDI need it
    from mido.midifiles.meta import KeySignatureError  # noqa: PLC0415

    damaged = (OSError, EOFError, ValueError, LookupError, TypeError, KeySignatureError)
    if len(data) > MAX_BYTES:
        raise UsageError(f"That MIDI file is too large; send one of up to {MAX_BYTES // 1000} kB.")
    try:
        file = mido.MidiFile(file=io.BytesIO(data), clip=True)
    except damaged as error:
        raise UsageError("That is not a MIDI file that can be read.") from error
    if file.type == 2 or not 0 < file.ticks_per_beat < 2**15:
        raise UsageError("MIDI files of type 2 or with time codes cannot be read.")
    return _piece(file)


def _piece(file: MidiFile) -> Piece:
    first: dict[str, Any] = {}
    sections: list[tuple[float, str]] = []
    sounds: list[Sound] = []
    for track in file.tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == "marker":
                sections.append((now / file.ticks_per_beat, message.text))
            elif message.is_meta:
                first.setdefault(message.type, message)
        sounds += _Track(file.ticks_per_beat).read(track)
        if len(sounds) > MAX_NOTES:
            raise UsageError(f"That MIDI file has more than {MAX_NOTES} notes; send a shorter one.")
    if not sounds:
        raise UsageError("That MIDI file has no note.")
    if max(sound.start + sound.length for sound in sounds) > MAX_QUARTERS:
        raise UsageError("That MIDI file lasts for hours; send a shorter one.")
    tempo, metre, key = (
        first.get(kind) for kind in ("set_tempo", "time_signature", "key_signature")
    )
    return Piece(
        quarter_bpm=60_000_000 / max(1, tempo.tempo if tempo is not None else 500_000),
        metre=_metre(metre),
        sounds=in_order(sounds),
        key=key.key if key is not None else "",
        sections=tuple(sections),
    )


def _metre(message: Any) -> tuple[int, int]:
    """Return a file's metre, 4/4 when it has none or one that nobody could count."""
    if message is None or message.denominator not in NOTE_VALUES:
        return (4, 4)
    beats = int(message.numerator)
    return (beats, int(message.denominator)) if 1 <= beats <= 3 * message.denominator else (4, 4)


class _Track:
    """Pairs note-ons and -offs; the pedal holds what is let go while it is down."""

    def __init__(self, ticks: int) -> None:
        self.ticks = ticks
        self.now = 0
        self.programs: dict[int, int] = defaultdict(int)
        self.down: dict[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
        self.held: dict[int, list[tuple[int, int, tuple[int, int, int]]]] = defaultdict(list)
        self.pedals: set[int] = set()
        self.out: list[Sound] = []

    def read(self, track: MidiTrack) -> list[Sound]:
        """Return the notes of a track; what is never let go ends with it."""
        for message in track:
            self.now += message.time
            match message.type:
                case "program_change":
                    self.programs[message.channel] = message.program
                case "control_change" if message.control == _PEDAL:
                    self._pedal(message.channel, down=message.value >= _PEDAL)
                case "note_on" if message.velocity > 0:
                    struck = (self.now, message.velocity, self.programs[message.channel])
                    self.down[message.channel, message.note].append(struck)
                case "note_on" | "note_off":
                    self._let_go(message.channel, message.note)
                case _:
                    pass
        for channel in list(self.held):
            self._pedal(channel, down=False)
        for (channel, pitch), left in self.down.items():
            for struck in left:
                self._write(channel, pitch, struck)
        return self.out

    def _pedal(self, channel: int, *, down: bool) -> None:
        if down:
            self.pedals.add(channel)
            return
        self.pedals.discard(channel)
        for note in self.held.pop(channel, []):
            self._write(*note)

    def _let_go(self, channel: int, pitch: int) -> None:
        struck = self.down[channel, pitch]
        if not struck:
            return
        if channel in self.pedals:
            self.held[channel].append((channel, pitch, struck.pop(0)))
        else:
            self._write(channel, pitch, struck.pop(0))

    def _write(self, channel: int, pitch: int, struck: tuple[int, int, int]) -> None:
        start, velocity, program = struck
        percussion = channel == _DRUM_CHANNEL
        self.out.append(
            Sound(
                instrument=instrument_name(program, percussion=percussion),
                percussion=percussion,
                start=start / self.ticks,
                length=max(1, self.now - start) / self.ticks,
                pitch=pitch,
                velocity=velocity,
            )
        )
