"""Clips on their way through a device: who waits for them, which go together, how far they are."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from domain.clip import ClipFailure, ClipRequest
from generation.audio import Floats
from generation.frames import Frame, packed
from generation.parcels import Sound
from generation.registry import Recipe
from generation.wire import order_of

log = logging.getLogger(__name__)

Made = Sound | ClipFailure
"""What became of a clip; its sound is as the generator gave it."""


@dataclass(eq=False, slots=True)
class Call:
    """Clips that somebody waits for together.

    Attributes:
        ready: Hears how many are done.
        finished: How many are.
    """

    ready: Callable[[int], None]
    finished: int = 0

    def tell(self, done: int) -> None:
        """Say how many are done. Who cannot hear it gets the clips all the same, and so does everybody else."""
        try:
            self.ready(done)
        except Exception:
            log.exception("Nobody foresaw what happened to whoever was told of %s clips", done)


@dataclass(eq=False, slots=True)
class Turn:
    """A place in the line: everybody who waits has one, however many clips they want and however they ask.

    Attributes:
        party: Whose it is; ``None`` for a call that stands for itself.
        calls: That have it together.
        waiting: Their clips, but for those that are being made.
    """

    party: object | None
    calls: int = 0
    waiting: deque[Job] = field(default_factory=deque)

    def forget_cancelled(self) -> None:
        """Let go of what nobody waits for."""
        self.waiting = deque(job for job in self.waiting if not job.result.done())


@dataclass(eq=False, slots=True)
class Job:
    """One clip on its way.

    Attributes:
        tries: Processes that died with it.
    """

    call: Call
    turn: Turn
    recipe: Recipe
    request: ClipRequest
    result: asyncio.Future[Made]
    tries: int = 0

    @property
    def alike(self) -> tuple[object, ...]:
        """Jobs of which this is the same make a good batch."""
        return (
            self.recipe,
            self.request.seconds,
            self.request.draft,
            self.request.source is None,
            # What was in a process that died goes alone.
            id(self) if self.tries else 0,
        )

    def end(self, made: Made) -> None:
        """Hand the result over, if anybody still waits."""
        if not self.result.done():
            self.result.set_result(made)
            self.call.finished += 1
            self.call.tell(self.call.finished)


class Wanted:
    """That a generator runs, and what it makes of words."""

    def __init__(self, recipe: Recipe, prompts: tuple[str, ...] = ()) -> None:
        self.recipe = recipe
        self.prompts = prompts
        self.result: asyncio.Future[list[Floats] | ClipFailure] = (
            asyncio.get_running_loop().create_future()
        )

    def end(self, found: list[Floats] | ClipFailure) -> None:
        """Hand over what was found, if anybody still waits."""
        if not self.result.done():
            self.result.set_result(found)


def telling(batch: Sequence[Job]) -> Callable[[int, int], None]:
    """Return what tells each call how many of its clips are as good as done."""
    calls = {id(job.call): job.call for job in batch}
    share = {key: sum(job.call is call for job in batch) for key, call in calls.items()}

    def told(done: int, total: int) -> None:
        part = min(1.0, done / total) if total > 0 else 0.0
        for key, call in calls.items():
            call.tell(call.finished + int(part * (share[key] - 1) + 1e-9))

    return told


def key_of(job: Job) -> str:
    """Return what tells this clip from all others."""
    order = order_of(job.request)
    what = packed(Frame(repr(job.recipe), order.said, order.source + order.embedding))
    return hashlib.sha256(what).hexdigest()
