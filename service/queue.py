"""The queue of rounds to be made: caps, fairness between servers, position, estimate, cancel."""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from domain.clip import BUILT_IN
from domain.errors import BusyError, ForbiddenError, NotFoundError, UserError
from domain.ids import DIRECT_MESSAGES, GuildId, ListenerId, RunId
from domain.run import Run
from service.clock import Clock
from service.settings_rules import LimitSettings
from service.tasks import TaskSet
from service.views import Actor, Progress

log = logging.getLogger(__name__)

NOBODY = ListenerId(0)
"""Asks for a round that a quorum or timer called for."""
FIRST_GUESS = 0.6
"""Seconds for a clip before anything was measured."""
MEMORY = 0.3
"""Weight of the newest job in the running mean of seconds for a clip."""

Work = Callable[["Ticket"], Awaitable[None]]
Room = Callable[[str], Awaitable[int]]
"""Returns how many clips a generator makes at once now."""


async def no_room(_generator: str) -> int:
    """Say that there is room for no second round beside one."""
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The queue as a whole.

    Attributes:
        running: Whether a round is being made.
        waiting: Rounds that wait for their turn.
        oldest: Seconds that the oldest of them has waited; 0 where none waits.
    """

    running: bool = False
    waiting: int = 0
    oldest: float = 0.0


class Ticket:
    """One job in the queue, to be watched or cancelled."""

    def __init__(self, number: int, run: Run, asked_by: ListenerId, total: int, work: Work) -> None:
        self.id = number
        self.run = run
        self.asked_by = asked_by
        self.total = total
        self.asked_at = 0.0
        self.task: asyncio.Task[None] | None = None
        self.progress = Progress(text="Waiting", total=total)
        self._work = work
        self._changed = asyncio.Event()

    def report(self, progress: Progress) -> None:
        """Set where the job stands and wake who watches."""
        if self.progress.finished:
            return
        self.progress = progress
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def watch(self) -> AsyncIterator[Progress]:
        """Yield where the job stands now and after each change; the last one is ``finished``."""
        while True:
            changed, progress = self._changed, self.progress
            yield progress
            if progress.finished:
                return
            if self.progress is progress:
                await changed.wait()

    async def done(self) -> Progress:
        """Wait for the end."""
        async for progress in self.watch():
            if progress.finished:
                return progress
        return self.progress

    async def work(self) -> None:
        """Do the job."""
        await self._work(self)


class Lane:
    """The rounds that one generator is to make: one at a time, or as many as it makes at once.

    Servers take turns; within one, first come, first served. None passes another because it is smaller.

    Args:
        clock: Tells how long they take.
        tasks: Owns them.
        room: Returns how many clips the generator makes at once now.
    """

    def __init__(self, clock: Clock, tasks: TaskSet, room: Callable[[], Awaitable[int]]) -> None:
        self._clock = clock
        self._tasks = tasks
        self._room = room
        self._last_turn: dict[int, int] = {}
        self._turns = itertools.count(1)
        self._wake = asyncio.Event()
        self._seconds_per_clip = FIRST_GUESS
        self.waiting: list[Ticket] = []
        self.running: list[Ticket] = []

    @property
    def tickets(self) -> list[Ticket]:
        """What is running and what waits."""
        return [*self.running, *self.waiting]

    def add(self, ticket: Ticket) -> None:
        """Let a job wait for its turn."""
        self.waiting.append(ticket)
        self._refresh()
        self._wake.set()

    def drop(self, ticket: Ticket) -> None:
        """Take a job out, or stop it."""
        if ticket in self.waiting:
            self.waiting.remove(ticket)
            ticket.report(_cancelled(ticket))
            self._refresh()
        elif ticket.task is not None:
            ticket.task.cancel()

    async def serve(self) -> None:
        """Do the jobs, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while (ticket := await self._next()) is not None:
                self._start(ticket)

    async def _next(self) -> Ticket | None:
        """Take the oldest job of the server whose turn was longest ago, if it is time for it."""
        room = await self._room() if self.running and self.waiting else 0
        if not self.waiting:
            return None
        ticket = self._order()[0]
        if self.running and sum(one.total for one in [*self.running, ticket]) > room:
            return None
        self.waiting.remove(ticket)
        self._last_turn[ticket.run.guild_id] = next(self._turns)
        return ticket

    def _order(self) -> list[Ticket]:
        return sorted(
            self.waiting, key=lambda one: (self._last_turn.get(one.run.guild_id, 0), one.id)
        )

    def _start(self, ticket: Ticket) -> None:
        began = self._clock.now()
        self.running.append(ticket)
        self._refresh()
        ticket.task = self._tasks.spawn(ticket.work(), f"round of run {ticket.run.id}")
        ticket.task.add_done_callback(lambda task: self._end(ticket, task, began))

    def _end(self, ticket: Ticket, task: asyncio.Task[None], began: float) -> None:
        self.running.remove(ticket)
        self._tell(ticket, task, began)
        self._refresh()
        self._wake.set()

    def _tell(self, ticket: Ticket, task: asyncio.Task[None], began: float) -> None:
        """Say how a job ended."""
        if task.cancelled():
            ticket.report(_cancelled(ticket))
        elif (error := task.exception()) is not None:
            words = (
                str(error)
                if isinstance(error, UserError)
                else "Something went wrong while making this round."
            )
            ticket.report(Progress(text=words, total=ticket.total, finished=True, error=words))
        else:
            seconds = max(0.0, self._clock.now() - began) / max(1, ticket.total)
            self._seconds_per_clip += MEMORY * (seconds - self._seconds_per_clip)
            ticket.report(
                Progress(text="Ready", done=ticket.total, total=ticket.total, finished=True)
            )

    def rendering(self, ticket: Ticket, done: int) -> None:
        """Report that ``done`` clips of a running job are ready."""
        left = (ticket.total - done) * self._seconds_per_clip
        text = f"{done} of {ticket.total} candidates ready"
        ticket.report(replace(ticket.progress, text=text, done=done, position=0, eta=left))
        self._refresh()

    def _refresh(self) -> None:
        """Tell every waiting job its place and time."""
        left = max((one.total - one.progress.done for one in self.running), default=0)
        ahead = left * self._seconds_per_clip
        for place, ticket in enumerate(self._order(), start=len(self.running)):
            eta = ahead + ticket.total * self._seconds_per_clip
            ahead = eta
            text = (
                f"{_ordinal(place + 1)} in line, about {eta:.0f} s"
                if place
                else f"Starting, about {eta:.0f} s"
            )
            ticket.report(Progress(text=text, total=ticket.total, position=place, eta=eta))


class JobQueue:
    """Makes rounds, for each generator as many at a time as it makes clips at once: a slow one holds up no other.

    Args:
        limits: How many a person and a server may have in it.
        clock: Tells how long they take.
        tasks: Owns them.
        generators: Their names, first that of runs that name none (any more).
        room: Says how many clips a generator makes at once; a round that does not fit waits for the one before it.
    """

    def __init__(
        self,
        limits: LimitSettings,
        clock: Clock,
        tasks: TaskSet,
        *,
        generators: Sequence[str] = (BUILT_IN,),
        room: Room = no_room,
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._usual = generators[0]
        self._lanes = {
            name: Lane(clock, tasks, functools.partial(room, name))
            for name in (*generators, BUILT_IN)
        }
        self._numbers = itertools.count(
            int(1000 * clock.now())
        )  # a button left from an older start names no new job

    async def serve(self) -> None:
        """Do the jobs, for ever."""
        await asyncio.gather(*(lane.serve() for lane in self._lanes.values()))

    def _lane(self, run: Run) -> Lane:
        return self._lanes.get(run.settings.generator, self._lanes[self._usual])

    def submit(self, run: Run, asked_by: ListenerId, total: int, work: Work) -> Ticket:
        """Queue a round of ``run``; ``check`` it before anything is changed for it.

        Args:
            run: The run.
            asked_by: Who asked, or ``NOBODY`` for quorum and timer.
            total: Clips to be rendered.
            work: Makes the round; reports through the ticket.
        """
        ticket = Ticket(next(self._numbers), run, asked_by, total, work)
        ticket.asked_at = self._clock.now()
        self._lane(run).add(ticket)
        return ticket

    def check(
        self, run: Run | None, asked_by: ListenerId, guild_id: GuildId = DIRECT_MESSAGES
    ) -> None:
        """Check that a round may be queued.

        Args:
            run: The run, or ``None`` for one that is not stored yet.
            asked_by: Who asks, or ``NOBODY``, whom no cap stops.
            guild_id: The server of a run that is not stored yet.

        Raises:
            BusyError: The run has a round in the making, or the person or server is over its cap.
        """
        if run is not None and (other := self.ticket_of(run.id)) is not None:
            raise BusyError(f"The next round here is already being made: {other.progress.text}")
        if asked_by == NOBODY:
            return
        server = run.guild_id if run is not None else guild_id
        tickets = self._all()
        if sum(ticket.asked_by == asked_by for ticket in tickets) >= self._limits.jobs_per_user:
            raise BusyError(
                f"You have {self._limits.jobs_per_user} rounds waiting already. Try again when one of them is out."
            )
        waiting = sum(ticket.run.guild_id == server for ticket in tickets)
        if server != DIRECT_MESSAGES and waiting >= self._limits.jobs_per_guild:
            raise BusyError(
                f"This server has {self._limits.jobs_per_guild} rounds waiting already. Try again in a minute."
            )

    def _all(self) -> list[Ticket]:
        return [ticket for lane in self._lanes.values() for ticket in lane.tickets]

    @property
    def idle(self) -> bool:
        """Whether no job is waiting or running."""
        return not self._all()

    def standing(self) -> Standing:
        """Return how long the lines are, all together."""
        now, lanes = self._clock.now(), self._lanes.values()
        waiting = [ticket for lane in lanes for ticket in lane.waiting]
        return Standing(
            running=any(lane.running for lane in lanes),
            waiting=len(waiting),
            oldest=max([0.0, *(now - ticket.asked_at for ticket in waiting)]),
        )

    def ticket_of(self, run_id: RunId) -> Ticket | None:
        """Return the job of a run that is waiting or running."""
        return next((ticket for ticket in self._all() if ticket.run.id == run_id), None)

    def find(self, ticket_id: int, actor: Actor) -> Ticket:
        """Return the job that a person wants to cancel.

        Raises:
            NotFoundError: It is over already.
            ForbiddenError: Neither theirs nor are they a moderator.
        """
        ticket = next((one for one in self._all() if one.id == ticket_id), None)
        own = ticket is not None and ticket.asked_by == actor.user_id
        if ticket is None or not (own or ticket.run.channel_id == actor.channel_id):
            raise NotFoundError("That round is finished already, so there is nothing to cancel.")
        if actor.user_id != ticket.asked_by and not actor.is_moderator:
            raise ForbiddenError(
                "Only the person who asked for this round, or a moderator, can cancel it."
            )
        return ticket

    def drop(self, ticket: Ticket) -> None:
        """Take a job out of the queue, or stop it."""
        self._lane(ticket.run).drop(ticket)

    def rendering(self, ticket: Ticket, done: int) -> None:
        """Report that ``done`` clips of a running job are ready."""
        self._lane(ticket.run).rendering(ticket, done)


def _cancelled(ticket: Ticket) -> Progress:
    words = "Cancelled."
    return Progress(
        text=words, done=ticket.progress.done, total=ticket.total, finished=True, error=words
    )


def _ordinal(number: int) -> str:
    suffix = (
        "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    )
    return f"{number}{suffix}"
