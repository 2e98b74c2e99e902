"""A composition as sheet music: MusicXML 4.0, a staff for each player, chord symbols over the first of them.

People read straight rhythms: swing is taken out (and said in words), what is played loosely is put on the nearest
sixteenth, and a player's overlapping notes become one voice.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from domain.description import BarDescription, ChordAt, Description
from domain.facets import TONICS
from generation.generator import Part, Score

_STEPS = 4  # sixteenths in a quarter, and MusicXML's divisions
_HEADER = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC '
    b'"-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_LENGTHS = (
    (24, "whole", 1), (16, "whole", 0), (12, "half", 1), (8, "half", 0), (6, "quarter", 1), (4, "quarter", 0),
    (3, "eighth", 1), (2, "eighth", 0), (1, "16th", 0),
)  # fmt: skip
_FIFTHS = {"C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5, "F#": 6, "C#": -5, "Ab": -4, "Eb": -3}
_FIFTHS |= {"Bb": -2, "F": -1}
_MODE_FIFTHS = {"lydian": 1, "mixolydian": -1, "dorian": -2, "phrygian": -4, "locrian": -5}
_MINOR = frozenset({"minor", "harmonic_minor", "melodic_minor"})
_PRINTED_MODES = frozenset({*_MODE_FIFTHS, "major", "minor"})
_SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLATS = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_KINDS = {
    "": "major", "m": "minor", "dim": "diminished", "aug": "augmented", "5": "power", "sus2": "suspended-second",
    "sus4": "suspended-fourth", "7": "dominant", "maj7": "major-seventh", "m7": "minor-seventh",
    "m(maj7)": "major-minor", "m7b5": "half-diminished", "dim7": "diminished-seventh", "6": "major-sixth",
    "m6": "minor-sixth", "9": "dominant-ninth", "maj9": "major-ninth", "m9": "minor-ninth",
}  # fmt: skip
_DRUMS = {
    35: "F4", 36: "F4", 37: "C5x", 38: "C5", 39: "C5x", 40: "C5", 41: "A4", 43: "A4", 42: "G5x", 44: "D4x", 46: "G5x",
    45: "D5", 47: "D5", 48: "E5", 50: "E5", 49: "A5x", 57: "A5x", 51: "F5x", 53: "F5x", 59: "F5x", 54: "B4x", 56: "E5x",
}  # fmt: skip
_LOW = 57
"""Mean key below which a part is written in the bass clef."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """Keys that begin together, in sixteenths from the first bar line; no keys are a rest."""

    start: int
    length: int
    keys: tuple[int, ...] = ()


def to_musicxml(score: Score, description: Description) -> bytes:
    """Return the sheet music of a score.

    Args:
        score: What is played.
        description: Gives key, swing, sections and chords.
    """
    bar = max(1, score.metre[0] * 16 // score.metre[1])
    voices = [_events(part, score, description) for part in score.parts]
    last = max((one.start + one.length for voice in voices for one in voice), default=0)
    bars = max(len(description.bars), -(-last // bar))
    root = ET.Element("score-partwise", version="4.0")
    _text(_sub(root, "work"), "work-title", score.title)
    identification = _sub(root, "identification")
    creator = _text(identification, "creator", "Tunebreeder (AI-made)")
    creator.set("type", "composer")
    _text(_sub(identification, "encoding"), "software", "Tunebreeder")
    names = _sub(root, "part-list")
    for number, (part, events) in enumerate(zip(score.parts, voices, strict=True), start=1):
        _name(names, part, number)
        staff = ET.SubElement(root, "part", id=f"P{number}")
        writer = _Staff(score=score, description=description, part=part, number=number)
        for place in range(bars):
            measure = ET.SubElement(staff, "measure", number=str(place + 1))
            writer.head(measure, place)
            for one in _within(events, place * bar, (place + 1) * bar):
                writer.event(measure, *one)
    ET.indent(root)
    text: str = ET.tostring(root, encoding="unicode")
    return _HEADER + text.encode()


# Time -------------------------------------------------------------------------------------------------


def _events(part: Part, score: Score, description: Description) -> list[_Event]:
    """Return one voice: chords of what begins together, each cut off by the next."""
    quarter = 60 / score.quarter_bpm
    found: dict[int, tuple[int, set[int]]] = {}
    for note in part.notes:
        begin = _straight((note.start - score.downbeat) / quarter, description)
        start = max(0, round(begin * _STEPS))
        end = _straight((note.start + note.seconds - score.downbeat) / quarter, description)
        length, keys = found.get(start, (1, set()))
        found[start] = (max(length, round(end * _STEPS) - start), keys | {note.pitch})
    starts = sorted(found)
    following = [*starts[1:], None]
    out = []
    for start, after in zip(starts, following, strict=True):
        length, keys = found[start]
        length = length if after is None else min(length, after - start)
        out.append(_Event(start=start, length=length, keys=tuple(sorted(keys))))
    return out


def _straight(quarters: float, description: Description) -> float:
    """Take the swing out of a time in quarters."""
    if not description.swing:
        return quarters
    pair = 8 / description.swing_unit
    whole, share = divmod(quarters / pair, 1)
    middle = (1 + description.swing) / 2
    late = share - middle
    share = 0.5 * share / middle if late < 0 else 0.5 + 0.5 * late / (1 - middle)
    return (whole + share) * pair


def _within(
    events: Iterable[_Event], begin: int, end: int
) -> Iterator[tuple[tuple[int, ...], int, bool, bool]]:
    """Yield what a bar holds, rests too: keys, length, whether tied from before, whether tied on."""
    now = begin
    for one in events:
        start, stop = max(one.start, begin), min(one.start + one.length, end)
        if start >= stop:
            continue
        if start > now:
            yield (), start - now, False, False
        yield one.keys, stop - start, one.start < begin, one.start + one.length > end
        now = stop
    if now < end:
        yield (), end - now, False, False


def _printable(length: int) -> list[tuple[int, str, int]]:
    """Split a length into notes that can be printed: sixteenths, type, dots."""
    out = []
    while length:
        best = next(one for one in _LENGTHS if one[0] <= length)
        out.append(best)
        length -= best[0]
    return out


# Notation ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Staff:
    """Writes one part."""

    score: Score
    description: Description
    part: Part
    number: int

    @property
    def fifths(self) -> int:
        """Sharps of the key signature; flats are negative."""
        return fifths(self.description.tonic, self.description.mode)

    def head(self, measure: ET.Element, place: int) -> None:
        """Write what stands at the beginning of a bar."""
        bars = self.description.bars
        bar = bars[place] if place < len(bars) else None
        if place == 0:
            self._attributes(measure)
        if self.number != 1:
            return
        if bar is not None and (place == 0 or bars[place - 1].section != bar.section):
            direction = ET.SubElement(measure, "direction", placement="above")
            _text(_sub(direction, "direction-type"), "rehearsal", bar.section)
        if place == 0:
            self._tempo(measure)
        if bar is not None:
            self._chords(measure, bar)

    def _attributes(self, measure: ET.Element) -> None:
        attributes = _sub(measure, "attributes")
        _text(attributes, "divisions", _STEPS)
        if not self.part.percussion:
            key = _sub(attributes, "key")
            _text(key, "fifths", self.fifths)
            mode = self.description.mode
            if mode in _PRINTED_MODES:
                _text(key, "mode", mode)
        time = _sub(attributes, "time")
        _text(time, "beats", self.score.metre[0])
        _text(time, "beat-type", self.score.metre[1])
        clef = _sub(attributes, "clef")
        if self.part.percussion:
            _text(clef, "sign", "percussion")
            return
        keys = [note.pitch for note in self.part.notes]
        low = bool(keys) and sum(keys) / len(keys) < _LOW
        _text(clef, "sign", "F" if low else "G")
        _text(clef, "line", 4 if low else 2)

    def _tempo(self, measure: ET.Element) -> None:
        direction = ET.SubElement(measure, "direction", placement="above")
        metronome = _sub(_sub(direction, "direction-type"), "metronome")
        _text(metronome, "beat-unit", "quarter")
        _text(metronome, "per-minute", f"{self.score.quarter_bpm:.0f}")
        if self.description.swing:
            unit = {8: "eighths", 16: "sixteenths"}[self.description.swing_unit]
            _text(_sub(direction, "direction-type"), "words", f"Swing {unit}")
        ET.SubElement(direction, "sound", tempo=f"{self.score.quarter_bpm:.2f}")

    def _chords(self, measure: ET.Element, bar: BarDescription) -> None:
        for chord in bar.chords:
            harmony = _sub(measure, "harmony")
            self._harmony(harmony, chord)
            if chord.beat:
                beat = 16 / self.score.metre[1]
                _text(harmony, "offset", round(chord.beat * beat))

    def _harmony(self, harmony: ET.Element, chord: ChordAt) -> None:
        root = _sub(harmony, "root")
        step, alter = _spelling(TONICS.index(chord.root), self.fifths)
        _text(root, "root-step", step)
        if alter:
            _text(root, "root-alter", alter)
        plain = chord.quality.replace("add9", "")
        kind = _text(harmony, "kind", _KINDS.get(plain, "other"))
        kind.set("text", chord.quality)
        if plain != chord.quality:
            degree = _sub(harmony, "degree")
            for name, value in (("value", 9), ("alter", 0), ("type", "add")):
                _text(degree, f"degree-{name}", value)

    def event(
        self, measure: ET.Element, keys: Sequence[int], length: int, before: bool, after: bool
    ) -> None:
        """Write notes of one length, a chord, or a rest; tied where one printed note cannot hold it."""
        pieces = _printable(length)
        for place, (size, kind, dots) in enumerate(pieces):
            tied = (before or place > 0, after or place < len(pieces) - 1)
            for key in keys or (None,):
                note = _sub(measure, "note")
                if key is not None and key != keys[0]:
                    _sub(note, "chord")
                head = self._pitch(note, key)
                _text(note, "duration", size)
                ties = [
                    w for w, is_so in zip(("stop", "start"), tied, strict=True) if is_so and keys
                ]
                for one in ties:
                    ET.SubElement(note, "tie", type=one)
                if self.part.percussion and key is not None:
                    ET.SubElement(note, "instrument", id=f"P{self.number}-I{key}")
                _text(note, "voice", 1)
                _text(note, "type", kind)
                for _ in range(dots):
                    _sub(note, "dot")
                if head:
                    _text(note, "notehead", head)
                if ties:
                    notations = _sub(note, "notations")
                    for one in ties:
                        ET.SubElement(notations, "tied", type=one)

    def _pitch(self, note: ET.Element, key: int | None) -> str:
        """Write the pitch of a note and return its head, ``""`` for the usual one."""
        if key is None:
            _sub(note, "rest")
            return ""
        if self.part.percussion:
            place = _DRUMS.get(key, "B4x")
            unpitched = _sub(note, "unpitched")
            _text(unpitched, "display-step", place[0])
            _text(unpitched, "display-octave", place[1])
            return place[2:]
        step, alter = _spelling(key % 12, self.fifths)
        pitch = _sub(note, "pitch")
        _text(pitch, "step", step)
        if alter:
            _text(pitch, "alter", alter)
        _text(pitch, "octave", key // 12 - 1)
        return ""


def _name(names: ET.Element, part: Part, number: int) -> None:
    score_part = ET.SubElement(names, "score-part", id=f"P{number}")
    _text(score_part, "part-name", part.patch.replace("_", " "))
    keys = sorted({note.pitch for note in part.notes}) if part.percussion else [0]
    ids = [f"P{number}-I{key}" for key in keys]
    for one, key in zip(ids, keys, strict=True):
        instrument = ET.SubElement(score_part, "score-instrument", id=one)
        _text(instrument, "instrument-name", f"{part.patch} {key}" if key else part.patch)
    for one, key in zip(ids, keys, strict=True):
        midi = ET.SubElement(score_part, "midi-instrument", id=one)
        _text(midi, "midi-channel", 10 if part.percussion else (number - 1) % 9 + 1)
        _text(midi, "midi-program", part.program + 1)
        if part.percussion:
            _text(midi, "midi-unpitched", key + 1)


def fifths(tonic: str, mode: str) -> int:
    """Return the sharps of a key signature, flats being negative, in [-6, 6]."""
    shift = -3 if mode in _MINOR else _MODE_FIFTHS.get(mode, 0)
    count = _FIFTHS[tonic] + shift
    return count + 12 if count < -6 else count - 12 if count > 6 else count


def _spelling(pitch_class: int, sharps: int) -> tuple[str, int]:
    """Return step and alteration of a pitch class in a key."""
    name = (_FLATS if sharps < 0 else _SHARPS)[pitch_class]
    return name[0], {"": 0, "#": 1, "b": -1}[name[1:]]


def _sub(parent: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(parent, name)


def _text(parent: ET.Element, name: str, value: object) -> ET.Element:
    element = ET.SubElement(parent, name)
    element.text = str(value)
    return element
