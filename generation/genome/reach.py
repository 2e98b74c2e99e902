"""What a bar can be: how many notes, how high and how long its players and chords allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.description import BarDescription, Description, VoiceDescription
from generation.genome.sheet import span
from generation.planning.chords import INTERVALS
from generation.planning.patches import patch

_NOTES = {"drums": 8.0, "bass": 4.0, "lead": 4.0, "counter": 6.0, "chords": 10.0, "pad": 6.0}
"""Notes for each quarter that a role can play."""
_TOGETHER = {"bass": 1.0, "lead": 1.0, "counter": 1.5, "chords": 3.0, "pad": 3.0}
"""Tones that a role usually has sounding."""
_LOWEST_BASS = 50
"""An instrument that begins above this key has no notes for a bass."""
_PER_VOICE = 16.0
"""Notes for each quarter that any player can play."""
VELOCITIES = (1.0, 127.0)
"""Mean velocities."""
SHORTEST, LONGEST = 0.02, 64.0
"""Mean lengths in quarters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What can be asked of a bar: lowest and highest; ``None`` where there is nothing to ask.

    Attributes:
        density: Notes for each quarter.
        pitch: Mean key of the pitched notes.
        velocity: Mean.
        duration: Mean length of the pitched notes in quarters.
    """

    density: tuple[float, float]
    pitch: tuple[float, float] | None
    velocity: tuple[float, float] | None
    duration: tuple[float, float] | None

    def of(self, name: str) -> tuple[float, float] | None:
        """Return the range of a number by its name."""
        found: tuple[float, float] | None = getattr(self, name)
        return found


NUMBERS = ("density", "pitch", "velocity", "duration")
"""The numbers of a bar."""


def reach_of(description: Description, number: int) -> Reach:
    """Return what can be asked of a bar of a description whose instruments exist."""
    return reach_of_bar(
        description.bars[number],
        {voice.name: voice for voice in description.voices},
        description.metre,
    )


def reach_of_bar(
    bar: BarDescription, voices: Mapping[str, VoiceDescription], metre: tuple[int, int]
) -> Reach:
    """Return what can be asked of a bar.

    Args:
        bar: Its voices and chords count, its numbers do not.
        voices: By name.
        metre: For its length.
    """
    quarters = metre[0] * 4 / metre[1]
    players = [voices[name] for name in bar.voices]
    if not players:
        return Reach(density=(0.0, 0.0), pitch=None, velocity=None, duration=None)
    least = len(players) / quarters
    most = max(least, min(48.0, _PER_VOICE * len(players)))
    pitched = [patch(player.instrument) for player in players if player.role != "drums"]
    if not pitched:
        return Reach(density=(least, most), pitch=None, velocity=VELOCITIES, duration=None)
    return Reach(
        density=(least, most),
        pitch=(
            float(min(found.low for found in pitched)),
            float(max(max(found.high, found.low + 12) for found in pitched)),
        ),
        velocity=VELOCITIES,
        duration=(SHORTEST, LONGEST),
    )


def fewest(bar: BarDescription, players: Sequence[VoiceDescription]) -> int:
    """Return how many notes it takes for everybody to sound and for every chord to be plain."""
    drums = sum(player.role == "drums" for player in players)
    if drums == len(players):
        return drums
    tones = sum(len(INTERVALS[chord.quality]) for chord in bar.chords)
    return drums + max(len(players) - drums, tones)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comfort:
    """Where players are at ease: counts of notes, mean keys and mean lengths that leave everybody his shape."""

    count: tuple[int, int]
    pitch: tuple[float, float] | None


def comfort_of(
    bar: BarDescription, players: Sequence[VoiceDescription], quarters: float
) -> Comfort:
    """Return how many notes and which mean key suit the players of a bar."""
    least = fewest(bar, players)
    most = int(quarters * sum(_NOTES[player.role] for player in players) / 2)
    spans = [
        span(patch(player.instrument), player.role) for player in players if player.role != "drums"
    ]
    if not spans:
        return Comfort(count=(least, max(least, most)), pitch=None)
    low = sum(low for low, _ in spans) / len(spans)
    high = sum(high for _, high in spans) / len(spans)
    return Comfort(
        count=(least, max(least, most)),
        pitch=(low + 0.35 * (high - low), low + 0.7 * (high - low)),
    )


def comfortable(
    bar: BarDescription, players: Sequence[VoiceDescription], quarters: float, count: int
) -> tuple[float, float]:
    """Return mean lengths in quarters that so many notes have without hindering each other."""
    pitched = [player for player in players if player.role != "drums"]
    sounding = sum(_TOGETHER[player.role] for player in pitched)
    room = quarters * sounding / max(1, count)
    by_chord = quarters / max(1, len(bar.chords)) / 2
    return 0.15, max(0.25, 0.55 * min(room, by_chord))


def fits_role(voice: VoiceDescription) -> bool:
    """Say whether an instrument has notes where its role plays."""
    found = patch(voice.instrument)
    return voice.role != "bass" or found.low <= _LOWEST_BASS
