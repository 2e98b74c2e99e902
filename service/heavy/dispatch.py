"""Who goes next on a device, and what becomes of a batch when its process fails.

Everybody who waits has the same turn, but who wants the generator that is loaded goes first for a while. A batch that
does not fit into memory is halved. When a process dies, what was in it is tried once more, each clip by itself, so that
one that kills its process takes nobody else's with it; a clip that does so twice is not tried again.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from domain.clip import ClipFailure, ClipRequest, GeneratorInfo
from generation.audio import Floats
from generation.frames import Frame, FrameError
from generation.parcels import Refusal, clips
from generation.registry import Recipe
from generation.wire import asked, introduced, states_in
from service.device import CLOSING, UNFORESEEN
from service.generator_state import GeneratorState, Tally
from service.heavy.jobs import Call, Job, Made, Turn, Wanted, key_of, telling
from service.heavy.process import Died, GeneratorProcess, Unable
from service.heavy.seat import AGAIN, Greeting, Launch, Seat
from service.tasks import TaskSet

log = logging.getLogger(__name__)

TRIES = 2
"""Processes that may die with a clip in them before it is not tried again."""
TURN = 60.0
"""Seconds for which those who want the generator that is loaded go first: to load another one may take as long."""
REMEMBERED = 512
"""Clips of which it is remembered that they kill their process."""
POISON = "Its generator's process died with it twice; it is not tried again."
ALONE = "It does not fit into the memory of the device, not even alone."
SHORTER = "Ask for a shorter clip."


class Dispatcher:
    """Makes clips on one device, for everybody who asks.

    One process runs at a time. Another generator's takes its place when that one's turn comes.

    Args:
        launch: Makes the process of a generator.
        idle: Seconds after which a process that nobody needs is ended, which frees the memory of its device.
        drain: Seconds for the batch at hand when the bot ends.
        again: See ``seat.AGAIN``.
        turn: See ``TURN``.
    """

    def __init__(
        self,
        launch: Launch,
        *,
        idle: float = 600.0,
        drain: float = 20.0,
        again: float = AGAIN,
        turn: float = TURN,
    ) -> None:
        self._seat = Seat(launch, again)
        self._turn = turn
        self._idle = idle
        self._drain = drain
        self._tasks = TaskSet()
        self._server: asyncio.Task[Any] | None = None
        self._wake = asyncio.Event()
        self._turns: deque[Turn] = deque()
        self._wanted: deque[Wanted] = deque()
        self._making: list[Job] = []
        self._room: dict[tuple[object, ...], int] = {}
        self._tallies: defaultdict[Recipe, Tally] = defaultdict(Tally)
        self._poison: OrderedDict[str, None] = OrderedDict()
        self._numbers = itertools.count(1)
        self._closed = False

    # What others ask for ------------------------------------------------------------------------------

    async def make(
        self,
        recipe: Recipe,
        requests: Sequence[ClipRequest],
        ready: Callable[[int], None],
        party: object | None = None,
    ) -> list[Made]:
        """Make clips, in order. What cannot be made is a value. Cancelling this gives them up.

        Calls of one party have one turn together.
        """
        turn = self._join(party)
        try:
            return await self._made(turn, recipe, requests, ready)
        finally:
            turn.calls -= 1
            if not turn.calls:
                self._turns.remove(turn)

    def _join(self, party: object | None) -> Turn:
        theirs = (one for one in self._turns if party is not None and one.party is party)
        turn = next(theirs, None)
        if turn is None:
            turn = Turn(party)
            self._turns.append(turn)
        turn.calls += 1
        return turn

    async def _made(
        self,
        turn: Turn,
        recipe: Recipe,
        requests: Sequence[ClipRequest],
        ready: Callable[[int], None],
    ) -> list[Made]:
        loop, call = asyncio.get_running_loop(), Call(ready)
        jobs = [Job(call, turn, recipe, one, loop.create_future()) for one in requests]
        # What has no key cannot be asked for: it fails here, and not beside others' clips.
        known = [key_of(job) in self._poison for job in jobs]
        for job, poison in zip(jobs, known, strict=True):
            job.result.add_done_callback(functools.partial(self._count, recipe))
            if self._closed or poison:
                job.end(ClipFailure(reason=CLOSING if self._closed else POISON))
            else:
                turn.waiting.append(job)
        self._serve_soon()
        return list(await asyncio.gather(*(job.result for job in jobs)))

    def warm_up(self, recipe: Recipe) -> None:
        """Start a generator's process before anybody wants a clip of it."""
        self._wanted.append(Wanted(recipe))
        self._serve_soon()

    async def read(self, recipe: Recipe, prompts: Sequence[str]) -> list[Floats] | ClipFailure:
        """Return what a generator's text encoder makes of prompts, (tokens, width) each; why not is a value."""
        wanted = Wanted(recipe, tuple(prompts))
        if self._closed:
            return ClipFailure(reason=CLOSING)
        self._wanted.append(wanted)
        self._serve_soon()
        return await wanted.result

    def state(self, recipe: Recipe) -> GeneratorState:
        """Return how a generator does. Who has not started yet is known by what the recipe says."""
        known = self._seat.known.get(recipe)
        waiting = sum(
            job.recipe == recipe and not job.result.done()
            for turn in self._turns
            for job in turn.waiting
        )
        full = known.capabilities.batch if known else recipe.batch
        return GeneratorState(
            info=known.info
            if known
            else GeneratorInfo(name=recipe.name, version="", licence=recipe.licence),
            readiness=self._seat.readiness(recipe),
            reason=self._seat.trouble(recipe),
            commercial=recipe.commercial,
            capabilities=known.capabilities if known else None,
            batch=min([full, *(room for key, room in self._room.items() if key[0] == recipe)]),
            most=self._seat.most.get(recipe, full),
            waiting=waiting,
            making=sum(job.recipe == recipe for job in self._making),
            tally=self._tallies[recipe],
        )

    def _count(self, recipe: Recipe, result: asyncio.Future[Made]) -> None:
        made = None if result.cancelled() else result.result()
        self._tallies[recipe] = self._tallies[recipe].ended(made)

    @property
    def loaded(self) -> Recipe | None:
        """Whose process runs."""
        return self._seat.recipe

    async def close(self) -> None:
        """Take nothing new, let the process finish what it is doing if that is soon, and end it."""
        self._closed = True
        self._wake.set()
        for turn in self._turns:
            while turn.waiting:
                turn.waiting.popleft().end(ClipFailure(reason=CLOSING))
        while self._wanted:
            self._wanted.popleft().end(ClipFailure(reason=CLOSING))
        if self._server is not None and self._making:  # nobody waits for anything else
            await asyncio.wait({self._server}, timeout=self._drain)
        await self._tasks.close()
        await self._seat.unload()

    # One thing after the other ------------------------------------------------------------------------

    def _serve_soon(self) -> None:
        self._wake.set()
        if not self._closed and (self._server is None or self._server.done()):
            self._server = self._tasks.spawn(self._serve(), "device")

    async def _serve(self) -> None:
        while not self._closed:
            if self._wanted:
                wanted = self._wanted.popleft()
                with self._foreseen(wanted.recipe):
                    await self._read(wanted)
                wanted.end(ClipFailure(reason=UNFORESEEN))  # unless it has ended as it should
            elif (lead := self._lead()) is not None:
                with self._foreseen(lead.waiting[0].recipe):
                    await self._do(lead)
            else:
                await self._rest()

    @contextmanager
    def _foreseen(self, recipe: Recipe) -> Iterator[None]:
        """Serve the others whatever happens to one: who waits for this generator is told that nobody foresaw it."""
        try:
            yield
        except Exception:
            log.exception("%s: nobody foresaw this", recipe.name)
            self._refuse(recipe, UNFORESEEN)

    async def _rest(self) -> None:
        """Wait until something is wanted; let the process go when that takes too long."""
        self._wake.clear()
        try:
            async with asyncio.timeout(self._idle if self._seat.process else None):
                await self._wake.wait()
        except TimeoutError:
            log.info("Nobody needs %s; its process is ended", self.loaded and self.loaded.name)
            self._room.clear()  # not at every start: generators that take turns would find it out each time
            await self._seat.unload()

    def _lead(self) -> Turn | None:
        """Return whose turn it is."""
        for turn in self._turns:
            turn.forget_cancelled()
        waiting = [turn for turn in self._turns if turn.waiting]
        if asyncio.get_running_loop().time() < self._seat.since + self._turn:
            waiting = [one for one in waiting if one.waiting[0].recipe == self.loaded] or waiting
        if not waiting:
            return None
        self._turns.remove(waiting[0])
        self._turns.append(waiting[0])
        return waiting[0]

    async def _read(self, wanted: Wanted) -> None:
        """Start a process, and have it read prompts."""
        if wanted.result.done():
            return  # nobody waits for it any more
        try:
            process = await self._seat.ensure(wanted.recipe)
            if not wanted.prompts or wanted.result.done():
                wanted.end([])
            else:
                order = Frame("read", {"batch": next(self._numbers), "prompts": wanted.prompts})
                wanted.end(_read_out(await self._seat.work(process, order, lambda _, __: None)))
        except Unable as error:
            wanted.end(ClipFailure(reason=str(error)))
        except (Died, FrameError) as error:
            await self._seat.unload(dead=True)
            wanted.end(ClipFailure(reason=str(error)))
        except asyncio.CancelledError:
            wanted.end(ClipFailure(reason=CLOSING))
            raise

    def _batch(self, lead: Turn) -> list[Job]:
        """Return jobs like the lead's first one, taken from everybody in turn."""
        first = lead.waiting.popleft()
        batch, turns = [first], deque(self._turns)
        known = self._seat.known.get(first.recipe)
        room = self._room.get(first.alike, known.capabilities.batch if known else 1)
        while turns and len(batch) < room:
            turn = turns.popleft()
            job = next((one for one in turn.waiting if one.alike == first.alike), None)
            if job is not None:
                turn.waiting.remove(job)
                turns.append(turn)
                if not job.result.done():
                    batch.append(job)
        return batch

    async def _do(self, lead: Turn) -> None:
        """Make a batch, and see to what becomes of it."""
        recipe = lead.waiting[0].recipe
        try:
            process = await self._seat.ensure(recipe)
        except Unable as error:
            self._refuse(recipe, str(error))
            return
        lead.forget_cancelled()
        if not lead.waiting or lead.waiting[0].recipe != recipe:
            return  # given up in the meantime
        batch, number = self._batch(lead), next(self._numbers)
        self._watch(process, number, batch)
        began, self._making = asyncio.get_running_loop().time(), batch
        try:
            order = asked(number, [job.request for job in batch])
            end = await self._seat.work(process, order, telling(batch))
            self._settle(batch, end)
            self._time(recipe, end, len(batch), began)
        except (Died, FrameError) as error:
            await self._seat.unload(dead=True)
            self._bury(batch, str(error))
        finally:
            self._making = []
            for job in batch:  # the bot ends, or nobody foresaw this: nobody is left waiting
                if job not in job.turn.waiting:
                    job.end(ClipFailure(reason=CLOSING if self._closed else UNFORESEEN))

    def _time(self, recipe: Recipe, end: Frame, count: int, began: float) -> None:
        """Take the time of a batch that became clips."""
        if end.kind == "clips":
            seconds = asyncio.get_running_loop().time() - began
            self._tallies[recipe] = self._tallies[recipe].took(seconds, count)

    def _refuse(self, recipe: Recipe, reason: str) -> None:
        """Nothing of this generator can be made."""
        for turn in self._turns:
            for job in [job for job in turn.waiting if job.recipe == recipe]:
                turn.waiting.remove(job)
                job.end(ClipFailure(reason=reason))

    def _watch(self, process: GeneratorProcess, number: int, batch: Sequence[Job]) -> None:
        """Tell the process when nobody waits for its batch any more."""

        def given_up(_: object) -> None:
            if all(job.result.cancelled() for job in batch) and self._making is batch:
                self._making = []
                self._tasks.spawn(process.cancel(number), "cancel")

        for job in batch:
            job.result.add_done_callback(given_up)

    def _settle(self, batch: Sequence[Job], end: Frame) -> None:
        """Take a batch as it ended.

        Raises:
            FrameError: What came is not what was ordered.
        """
        if "info" in end.header:
            info, capabilities = introduced(end)
            self._seat.known[batch[0].recipe] = Greeting(info=info, capabilities=capabilities)
        match end.kind:
            case "clips":
                made = clips(end)
                if len(made) != len(batch):
                    raise FrameError(f"{len(made)} clips came where {len(batch)} were ordered.")
                for job, one in zip(batch, made, strict=True):
                    job.end(ClipFailure(reason=one.reason) if isinstance(one, Refusal) else one)
            case "no_room":
                self._halve(batch, str(end.header.get("reason", "")))
            case "failed":
                for job in batch:
                    job.end(ClipFailure(reason=str(end.header.get("reason", "It failed."))))
            case _ if any(job.result.cancelled() for job in batch):
                self._again(batch)  # given up; who waits all the same came too late for it
            case _:
                raise FrameError(f"A batch that somebody waits for ended with {end.kind!r}.")

    def _halve(self, batch: Sequence[Job], why: str) -> None:
        if len(batch) == 1:
            batch[0].end(ClipFailure(reason=f"{why} {SHORTER}" if why else f"{ALONE} {SHORTER}"))
            return
        self._room[batch[0].alike] = len(batch) // 2
        log.warning(
            "%s clips of %s do not fit into %s; %s at a time from now on. %s",
            len(batch),
            batch[0].recipe.name,
            "a frame" if why else "memory",
            len(batch) // 2,
            why,
        )
        self._again(batch)

    def _bury(self, batch: Sequence[Job], why: str) -> None:
        """The process died with this batch."""
        for job in batch:
            job.tries += 1
            if job.tries >= TRIES:
                log.error("Seed %s is not tried again: %s", job.request.seed, why)
                self._poison[key_of(job)] = None
                while len(self._poison) > REMEMBERED:
                    self._poison.popitem(last=False)
                job.end(ClipFailure(reason=POISON))
        self._again(batch)

    def _again(self, batch: Sequence[Job]) -> None:
        """Put back what still has no result, in front; once the bot ends nobody takes it up any more."""
        for job in reversed(batch):
            if self._closed:
                job.end(ClipFailure(reason=CLOSING))
            elif not job.result.done():
                job.turn.waiting.appendleft(job)


def _read_out(end: Frame) -> list[Floats] | ClipFailure:
    """Return what a generator makes of prompts.

    Raises:
        FrameError: What came is not what was asked for.
    """
    if end.kind == "states":
        return states_in(end)
    return ClipFailure(reason=str(end.header.get("reason", "It cannot be read.")))
