"""One bar on the desk while its notes are brought to their numbers: tones in quarters after the bar line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from domain.description import ROLES
from generation.generator import Note, Part
from generation.genome.measure import EARLY, Timeline
from generation.planning.patches import Patch, percussion_key
from generation.planning.plan import Player
from generation.planning.theory import Chord

_EDGE = EARLY / 4 - 0.006
"""Quarters before the bar line at which its earliest tone may begin."""
_SEAT = 0.75
_LEVEL = 80
_AT_ONCE = 0.032
"""Seconds."""
_WIDE = 21
"""Semitones that a part has room for where the instrument has them."""
_REACH = {
    "bass": (28, 60),
    "lead": (52, 96),
    "counter": (45, 91),
    "chords": (43, 84),
    "pad": (43, 88),
}
"""Where a role's tones are looked for within what the instrument has."""


@dataclass(slots=True, kw_only=True)
class Tone:
    """A note that may still change.

    Attributes:
        part: Number of its part.
        start: Quarters after the bar line.
        length: In quarters.
        pitch: MIDI key.
        velocity: In [1, 127].
        percussion: Whether the pitch is a percussion key.
    """

    part: int
    start: float
    length: float
    pitch: int
    velocity: int
    percussion: bool = False

    @property
    def end(self) -> float:
        """Quarters after the bar line at which it ends."""
        return self.start + self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A chord from ``start`` to ``end`` in quarters after the bar line."""

    start: float
    end: float
    chord: Chord

    def holds(self, start: float) -> bool:
        """Say whether a tone that begins there belongs to this chord."""
        return self.start - EARLY / 4 <= start < self.end - EARLY / 4


@dataclass(slots=True, kw_only=True)
class Sheet:
    """A bar.

    Attributes:
        begin: Seconds at which it begins.
        quarter: Seconds of a quarter.
        quarters: Its length.
        first: Earliest start of a tone, above 0 when the clip enters within the bar.
        last: Latest start of a tone.
        sound_end: When the clip ends.
        grid: Half steps as ``(nominal, played)`` quarters, which differ by the swing.
        segments: Its chords.
        following: What may not sound on: when later chords begin, and their pitch classes (none where silence is).
        players: Those who sound, by the number of their part.
        ranges: Lowest and highest key of each.
        tones: What they play.
    """

    begin: float
    quarter: float
    quarters: float
    first: float
    last: float
    sound_end: float
    grid: Sequence[tuple[float, float]]
    segments: Sequence[Segment]
    following: Sequence[tuple[float, frozenset[int]]]
    players: dict[int, Player] = field(default_factory=dict)
    ranges: dict[int, tuple[int, int]] = field(default_factory=dict)
    tones: list[Tone] = field(default_factory=list)

    def of(self, part: int) -> list[Tone]:
        """Return a part's tones in order."""
        return sorted(
            (t for t in self.tones if t.part == part), key=lambda tone: (tone.start, tone.pitch)
        )

    def pitched(self) -> list[Tone]:
        """Return all tones that are not percussion."""
        return [tone for tone in self.tones if not tone.percussion]

    def segment_at(self, start: float) -> Segment:
        """Return the chord to which a tone belongs that begins there."""
        return next((s for s in self.segments if s.holds(start)), self.segments[-1])

    def within(self, segment: Segment) -> list[Tone]:
        """Return the pitched tones that begin in a chord."""
        return [t for t in self.pitched() if self.segment_at(t.start) is segment]

    def clashes(self, part: int, pitch: int, start: float) -> bool:
        """Say whether a part strikes this key at about this moment already."""
        near = self.nearness
        return any(
            t.part == part and t.pitch == pitch and abs(t.start - start) < near for t in self.tones
        )

    @property
    def nearness(self) -> float:
        """Quarters within which two strokes of a key would be one."""
        return max(0.06, _AT_ONCE / self.quarter)

    def join(self, part: int, player: Player, tones: Iterable[Tone], *, foreign: bool) -> None:
        """Seat a player with what it plays; with something at least.

        Args:
            part: Number of its part.
            player: Who it is.
            tones: What it plays.
            foreign: Whether they come from another bar and have to learn this bar's chords.
        """
        self.players[part] = player
        self.ranges[part] = span(player.voice.patch, player.voice.role)
        for tone in tones:
            if tone.start > self.last or tone.start < self.first - EARLY / 4:
                continue
            tone.start = max(tone.start, -_EDGE)
            if foreign and not tone.percussion:
                tone.pitch = self.near(part, tone.pitch, self.segment_at(tone.start).chord.classes)
            if not self.clashes(part, tone.pitch, tone.start):
                self.tones.append(tone)
        if not self.of(part):
            self.tones.append(self._something(part, player))

    def near(self, part: int, pitch: float, classes: Iterable[int]) -> int:
        """Return the key of these pitch classes within a part's range that is nearest."""
        low, high = self.ranges[part]
        wanted = set(classes)
        keys = [key for key in range(low, high + 1) if key % 12 in wanted]
        return min(keys, key=lambda k: (abs(k - pitch), k)) if keys else round(pitch)

    def _something(self, part: int, player: Player) -> Tone:
        """One stroke on the first beat that there is: the root for a bass, a chord tone for the others."""
        role = player.voice.role
        if role == "drums":
            return Tone(
                part=part,
                start=self.first,
                length=0.25,
                pitch=strokes(player)[0],
                velocity=_LEVEL,
                percussion=True,
            )
        low, high = self.ranges[part]
        segment = self.segment_at(self.first)
        tones = [segment.chord.root] if role == "bass" else sorted(segment.chord.classes)
        wanted = {tones[ROLES.index(role) % len(tones)]}
        start = max(self.first, segment.start)
        return Tone(
            part=part,
            start=start,
            length=max(0.2, _SEAT * (segment.end - start)),
            pitch=self.near(part, (low + high) / 2, wanted),
            velocity=_LEVEL,
        )


def tone_of(part: Part, number: int, note: Note, begin: float, line: Timeline) -> Tone:
    """Return a note as a tone of the bar that begins at a second.

    Args:
        part: Who plays it.
        number: Of the part.
        note: What is played.
        begin: Of the bar, in seconds.
        line: For the length of a quarter.
    """
    return Tone(
        part=number,
        start=(note.start - begin) / line.quarter,
        length=note.seconds / line.quarter,
        pitch=note.pitch,
        velocity=note.velocity,
        percussion=part.percussion,
    )


def span(patch: Patch, role: str) -> tuple[int, int]:
    """Return the keys that a part may use: the role's within the instrument's, an octave at least."""
    low, high = _REACH.get(role, (0, 127))
    low = max(low, patch.low)
    high = min(max(high, low + _WIDE), patch.high)
    if high - low < 12:
        low, high = patch.low, patch.high
    if high - low < 12:
        high = min(127, low + 12)
        low = high - 12
    return low, high


def strokes(player: Player) -> tuple[int, ...]:
    """Return the percussion keys that a drummer may add, the plainest first."""
    names = ("hat", "kick", "snare", "ride", "rim", "shaker", "tom_mid")
    wanted = [*(names if player.groove else ()), *player.pieces] or list(names)
    free = [name for name in wanted if name not in player.banned] or ["hat"]
    return tuple(dict.fromkeys(key for name in free if (key := percussion_key(name)) is not None))
