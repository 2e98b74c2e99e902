"""How a generator does: whether it is there, what it can do, what it has done since the start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.clip import ClipFailure, GeneratorInfo
from generation.generator import Capabilities


class Readiness(StrEnum):
    """Whether a generator could make a clip now."""

    READY = "ready"
    STARTING = "starting"
    ASLEEP = "asleep"
    """It starts with its next clip."""
    UNABLE = "unable"
    """It could not start; its next clip tries again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of a generator's clips.

    Attributes:
        made: Clips.
        failed: Clips that could not be made.
        given_up: Clips that nobody waited for any more.
        seconds: Of work on ``timed`` clips; a batch shares its time.
        timed: Clips whose time was taken.
    """

    made: int = 0
    failed: int = 0
    given_up: int = 0
    seconds: float = 0.0
    timed: int = 0

    @property
    def mean(self) -> float | None:
        """Seconds of work for a clip on average, or ``None`` before the first one."""
        return self.seconds / self.timed if self.timed else None

    def ended(self, outcome: object) -> Tally:
        """Add what a clip became: ``None`` where it was given up."""
        if outcome is None:
            return replace(self, given_up=self.given_up + 1)
        if isinstance(outcome, ClipFailure):
            return replace(self, failed=self.failed + 1)
        return replace(self, made=self.made + 1)

    def took(self, seconds: float, clips: int) -> Tally:
        """Add the time of a batch."""
        return replace(self, seconds=self.seconds + seconds, timed=self.timed + clips)

    def spoilt(self, clips: int) -> Tally:
        """Count clips as failed that turned out to be no good after they were made."""
        return replace(self, made=self.made - clips, failed=self.failed + clips)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorState:
    """A generator as it is now.

    Attributes:
        info: Who it is. Until it has started for the first time its version is ``""``.
        readiness: Whether it could make a clip now.
        reason: Why it could not start, in a sentence; ``""`` where it could.
        commercial: Whether the licence of its weights allows commercial use.
        capabilities: What it can do; ``None`` until it has started for the first time.
        batch: Clips that it makes at once now.
        most: Clips that it made at once when it started; more than ``batch`` after some did not fit into memory.
        waiting: Clips in the line.
        making: Clips that it is making.
        tally: What it has done since the start of the bot.
        offered: Whether a run may choose it; else it is there only for what is made by hand.
    """

    info: GeneratorInfo
    readiness: Readiness
    reason: str = ""
    commercial: bool
    capabilities: Capabilities | None = None
    batch: int = 1
    most: int = 1
    waiting: int = 0
    making: int = 0
    tally: Tally = Tally()
    offered: bool = True


def playing(states: Sequence[GeneratorState], name: str) -> GeneratorState:
    """Return what plays for a run: the generator that it names, else the default one."""
    return named(states, name) or states[0]


def named(states: Iterable[GeneratorState], name: str) -> GeneratorState | None:
    """Return the generator that clips say made them, or ``None`` where it is not here (any more)."""
    return next((state for state in states if state.info.name == name), None)
