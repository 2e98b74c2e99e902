"""Duels: two clips, one trophy. Started, posted, answered in private, decided by quorum, timer or their starter."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from domain.duel import Choice, Duel, DuelState, DuelVote
from domain.errors import BusyError, ForbiddenError, NotFoundError
from domain.ids import DIRECT_MESSAGES, ClipId, DuelId, RunId
from domain.run import CloseReason, Post, PostKind, Run, RunSettings
from domain.vote import Consent
from service.clock import Clock
from service.duel_clips import MADE, DuelClips, Here
from service.duel_views import DuelReceipt
from service.feedback import PAUSED_NOTE
from service.posting import Outbox
from service.queue import JobQueue, Ticket
from service.settings import Settings
from service.tasks import TaskSet
from service.tasting import TasteService
from service.timers import Timers
from service.views import Actor
from storage import clips, duels, listeners, posts, runs, votes
from storage.database import Database, Reader, Transaction
from storage.duels import NewDuel
from storage.votes import VoteWriter

NOT_STORED = RunId(0)
THEIRS = "This duel is somebody else's. /duel starts one of your own."
GONE = "That duel is not there any more. /duel starts a new one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A duel on its way: stored, or a job that makes its clips first."""

    duel: Duel | None = None
    ticket: Ticket | None = None


class DuelService:
    """What people do to duels."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a duel needs of the house
        self,
        db: Database,
        writer: VoteWriter,
        found: DuelClips,
        tastes: TasteService,
        queue: JobQueue,
        settings: Settings,
        clock: Clock,
        tasks: TaskSet,
    ) -> None:
        self._db = db
        self._writer = writer
        self._clips = found
        self._tastes = tastes
        self._queue = queue
        self._settings = settings
        self._clock = clock
        self._timers = Timers[DuelId](clock, tasks)
        self._one_look = asyncio.Lock()
        self._tasks = tasks
        self._outbox: Outbox | None = None

    def attach(self, outbox: Outbox) -> None:
        """Deliver through this outbox."""
        self._outbox = outbox

    # Starting -----------------------------------------------------------------------------------------

    async def start(self, actor: Actor) -> Started:
        """Start a duel in the actor's channel, with clips of its archive, or with new ones where there are not two.

        Raises:
            BusyError: A duel awaits votes here, or a cap is reached.
            ForbiddenError: Only moderators may start here, or the place is somebody else's.
        """
        here = await self._here(actor)
        async with self._db.reading() as tx:
            await self._check_free(tx, actor)
        pair = await self._clips.choose(here)
        if pair is not None:
            return Started(duel=await self._post(here, pair))
        self._queue.check(None, actor.user_id, actor.guild_id)
        vibe = here.run.vibe if here.run is not None else ""
        run = Run(
            id=NOT_STORED,
            guild_id=actor.guild_id,
            channel_id=actor.channel_id,
            started_by=actor.user_id,
            vibe=vibe,
            seed=0,
            searcher=runs.FOR_DUEL,
            settings=RunSettings(generator=here.generator),
        )
        return Started(
            ticket=self._queue.submit(
                run, actor.user_id, MADE, lambda ticket: self._make(here, vibe, ticket)
            )
        )

    async def _here(self, actor: Actor) -> Here:
        async with self._db.reading() as tx:
            run = await runs.latest_run_in_channel(tx, actor.channel_id)
        for_listener = run.for_listener if run is not None else None
        if actor.guild_id == DIRECT_MESSAGES:
            for_listener = actor.user_id  # nobody else is there
        if for_listener not in {None, actor.user_id}:
            raise ForbiddenError("This place is somebody else's. Start a duel in a channel.")
        open_to_all = self._settings.discord.everyone_may_start or for_listener is not None
        if not (open_to_all or actor.is_moderator):
            raise ForbiddenError("Only moderators can start a duel in this server.")
        return Here(actor=actor, run=run, for_listener=for_listener)

    async def _check_free(self, tx: Reader, actor: Actor) -> None:
        limits = self._settings.limits
        if await duels.awaiting(tx, actor.channel_id) is not None:
            raise BusyError(
                "A duel is going on here already. Vote on it; who started it, or a moderator, can press Decide."
            )
        own, here = await duels.count_awaiting(tx, actor.guild_id, actor.user_id)
        if own >= limits.jobs_per_user:
            raise BusyError(
                f"You have {own} duels going already. Press Decide on one of them first."
            )
        if actor.guild_id != DIRECT_MESSAGES and here >= limits.live_runs_per_guild:
            raise BusyError(f"{here} duels are going in this server, which is the cap.")

    async def _make(self, here: Here, vibe: str, ticket: Ticket) -> None:
        seconds = self._rules(here).seconds
        await self._clips.make(
            here, vibe, seconds, lambda done: self._queue.rendering(ticket, done)
        )
        pair = await self._clips.choose(here)
        if pair is None:
            raise NotFoundError("There are no two clips to compare here. Try /evolve start first.")
        await self._post(here, pair)

    def _rules(self, here: Here) -> RunSettings:
        if here.run is not None:
            return here.run.settings
        defaults = self._settings.runs
        return RunSettings(
            seconds=defaults.seconds, quorum=defaults.quorum, timer=60.0 * defaults.timer_minutes
        )

    async def _post(self, here: Here, pair: tuple[ClipId, ClipId]) -> Duel:
        """Store a duel with its post and send it."""
        actor, rules, now = here.actor, self._rules(here), self._clock.now()
        with self._to_the_end():
            async with self._db.transaction() as tx:
                await self._check_free(tx, actor)  # another one may have been quicker
                first = await clips.clip(tx, pair[0])
                duel = await duels.add_duel(
                    tx,
                    NewDuel(
                        run_id=first.run_id,
                        generation=first.generation,
                        guild_id=actor.guild_id,
                        channel_id=actor.channel_id,
                        for_listener=here.for_listener,
                        started_by=actor.user_id,
                        a=pair[0],
                        b=pair[1],
                        quorum=1 if here.for_listener is not None else rules.quorum,
                        timer=rules.timer,
                        created_at=now,
                    ),
                )
                post = await duels.add_duel_post(tx, duel, PostKind.DUEL, now)
        self._deliver(post)
        return duel

    def _to_the_end(self) -> AbstractContextManager[None]:
        return nullcontext() if self._outbox is None else self._outbox.to_the_end()

    def _deliver(self, post: Post | None) -> None:
        if post is not None and self._outbox is not None:
            self._outbox.deliver(post.id)

    async def problem(self, duel_id: DuelId, patience: float) -> str:
        """Wait until a duel is out and return why it is not, in a sentence; ``""`` when it is, or is on its way."""
        async with self._db.reading() as tx:
            duel = await duels.duel(tx, duel_id)
            post = await duels.post_of(tx, duel, PostKind.DUEL)
        if self._outbox is not None:
            await self._outbox.wait_for(post.id, patience)
        async with self._db.reading() as tx:
            return (await posts.post(tx, post.id)).error

    # Answering ----------------------------------------------------------------------------------------

    async def vote(
        self, actor: Actor, duel_id: DuelId, choice: Choice, event_id: int
    ) -> DuelReceipt:
        """Record an answer; the same one again takes it back, another one replaces it.

        Args:
            actor: Who pressed.
            duel_id: The duel.
            choice: The button.
            event_id: Snowflake of the press. One that was delivered before changes nothing.

        Raises:
            NotFoundError: The duel is gone, or another channel's.
            ForbiddenError: It is somebody else's.
        """
        async with self._db.reading() as tx:
            await self._duel(tx, actor, duel_id)

        async def change(tx: Transaction) -> DuelReceipt:
            duel = await self._duel(tx, actor, duel_id)
            if await listeners.consent(tx, actor.guild_id, actor.user_id) is not Consent.PAUSED:
                old = await duels.stored(tx, duel_id, actor.user_id)
                if old is None or old.event_id < event_id:
                    await duels.upsert(tx, self._answer(actor, duel, choice, old, event_id))
            return await self._receipt(tx, actor, duel)

        receipt = await self._writer.apply(change)
        if receipt.consent is not Consent.PAUSED:
            self._tastes.mark(actor.guild_id, actor.user_id)
            await self._arm(duel_id)
        return receipt

    def _answer(
        self, actor: Actor, duel: Duel, choice: Choice, old: DuelVote | None, event_id: int
    ) -> DuelVote:
        stands = old is not None and not old.retracted and old.choice is choice
        return DuelVote(
            duel_id=duel.id,
            guild_id=duel.guild_id,
            listener_id=actor.user_id,
            choice=choice,
            retracted=stands,
            late=duel.state is DuelState.DECIDED,
            event_id=event_id,
            at=self._clock.now(),
        )

    async def _receipt(self, tx: Reader, actor: Actor, duel: Duel) -> DuelReceipt:
        own = await duels.stored(tx, duel.id, actor.user_id)
        consent = await listeners.consent(tx, actor.guild_id, actor.user_id)
        count = await votes.rated_clips(tx, actor.guild_id, actor.user_id)
        decided = duel.state is DuelState.DECIDED
        shown = await clips.clips_by_id(tx, [duel.a, duel.b]) if decided else []
        return DuelReceipt(
            duel=duel,
            choice=own.choice if own is not None and not own.retracted else None,
            late=decided,
            consent=consent,
            votes_until_taste=max(0, self._settings.taste.votes_until_shown - count),
            prompts=(shown[0].prompt, shown[1].prompt) if shown else None,
            note=PAUSED_NOTE if consent is Consent.PAUSED else "",
        )

    async def _duel(self, tx: Reader, actor: Actor, duel_id: DuelId) -> Duel:
        duel = await duels.duel(tx, duel_id)
        if (duel.guild_id, duel.channel_id) != (actor.guild_id, actor.channel_id):
            raise NotFoundError(GONE)
        if duel.for_listener not in {None, actor.user_id}:
            raise ForbiddenError(THEIRS)
        return duel

    async def clip(self, actor: Actor, duel_id: DuelId, choice: Choice) -> ClipId:
        """Return clip A or B of a decided duel.

        Raises:
            NotFoundError: The duel is gone, or not decided yet.
        """
        async with self._db.reading() as tx:
            duel = await self._duel(tx, actor, duel_id)
        if duel.state is not DuelState.DECIDED:
            raise NotFoundError("This duel is not decided yet.")
        return duel.a if choice is Choice.A else duel.b

    # Deciding -----------------------------------------------------------------------------------------

    async def decide(self, actor: Actor, duel_id: DuelId) -> None:
        """Decide a duel now.

        Raises:
            ForbiddenError: They did not start it and are no moderator.
            NotFoundError: The duel is gone or decided already.
        """
        async with self._db.reading() as tx:
            duel = await self._duel(tx, actor, duel_id)
        if not (actor.is_moderator or actor.user_id in {duel.started_by, duel.for_listener}):
            raise ForbiddenError(
                f"It is decided when {duel.quorum} listeners voted, or when its time is up. Only who started it, or a "
                "moderator, can decide it before."
            )
        if not await self._close(duel_id, CloseReason.NEXT):
            raise NotFoundError("This duel is decided already.")

    async def _close(self, duel_id: DuelId, reason: CloseReason) -> bool:
        """Decide an open duel. One whose time ran out without a vote ends without a verdict."""
        post = None
        with self._to_the_end():
            async with self._db.transaction() as tx:
                duel = await duels.duel(tx, duel_id)
                if duel.state is not DuelState.OPEN:
                    return False
                now = self._clock.now()
                duel = await duels.set_duel(
                    tx, duel_id, state=DuelState.DECIDED, decided_at=now, reason=reason
                )
                cast = await duels.votes_of_duel(tx, duel_id)
                if reason is not CloseReason.TIMER or any(not vote.retracted for vote in cast):
                    post = await duels.add_duel_post(tx, duel, PostKind.VERDICT, now)
        self._timers.clear(duel_id)
        self._deliver(post)
        return True

    async def posted(self, post: Post) -> None:
        """Note that a post is out; an open duel gets its alarm."""
        if post.kind is PostKind.DUEL and post.duel_id is not None:
            await self._arm(post.duel_id)

    async def wake(self) -> None:
        """Set the alarms of open duels, after a restart."""
        async with self._db.reading() as tx:
            waiting = await duels.open_duels(tx)
        for duel in waiting:
            await self._arm(duel.id)

    async def _arm(self, duel_id: DuelId) -> None:
        """Set the alarm of an open duel: after the last vote of a quorum, at the latest at its timer."""
        async with self._one_look:  # or the answer to an earlier one could come later
            await self._look(duel_id)

    async def _look(self, duel_id: DuelId) -> None:
        try:
            async with self._db.reading() as tx:
                duel = await duels.duel(tx, duel_id)
                cast = await duels.votes_of_duel(tx, duel_id)
        except NotFoundError:
            return  # erased meanwhile
        if duel.state is not DuelState.OPEN:
            return
        standing = [vote for vote in cast if not vote.retracted]
        at, reason = duel.closes_at, CloseReason.TIMER
        if len(standing) >= duel.quorum:
            settled = max(vote.at for vote in standing) + self._settings.runs.settle
            if at is None or settled < at:
                at, reason = settled, CloseReason.QUORUM
        if at is None:
            self._timers.clear(duel_id)
        else:
            self._timers.set(duel_id, at, lambda: self._ring(duel_id, reason))

    async def _ring(self, duel_id: DuelId, reason: CloseReason) -> None:
        await self._close(duel_id, reason)
