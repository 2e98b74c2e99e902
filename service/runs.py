"""Start, steer, resume, stop, reset and branch runs: what people do to them, and who may."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace

from domain.candidate import Directive
from domain.clip import Clip
from domain.errors import BusyError, ForbiddenError, NotFoundError, UserError
from domain.fitness import Weights
from domain.ids import DIRECT_MESSAGES, CandidateId, ChannelId, ClipId, GuildId, ListenerId
from domain.run import (
    CloseReason,
    GenerationState,
    Post,
    PostKind,
    Run,
    RunSettings,
    RunState,
    SearcherName,
)
from evolution.registry import unfit
from service import lifecycle
from service.clock import Clock
from service.conductor import Conductor
from service.device import DeviceWorker
from service.folding import families_of, said_of
from service.lifecycle import WORDS_LIMIT, Order
from service.like_this import Track
from service.models.chosen import offered_names
from service.queue import JobQueue, Ticket
from service.rules import occupied
from service.settings import Settings
from service.views import Actor, StatusView, TargetView
from storage import clips, posts, runs, targets, votes
from storage.database import Database, Reader
from storage.runs import NewRun
from storage.targets import Target

log = logging.getLogger(__name__)


class RunService:
    """What people do to runs."""

    def __init__(
        self,
        db: Database,
        queue: JobQueue,
        conductor: Conductor,
        settings: Settings,
        clock: Clock,
        device: DeviceWorker,
    ) -> None:
        self._db = db
        self._device = device
        self._queue = queue
        self._conductor = conductor
        self._settings = settings
        self._clock = clock

    # Commands ------------------------------------------------------------------------------------------

    async def start(  # noqa: PLR0913 - what a run may be begun with, all by name
        self,
        actor: Actor,
        *,
        vibe: str = "",
        for_listener: ListenerId | None = None,
        settings: RunSettings | None = None,
        track: Track | None = None,
        searcher: SearcherName | None = None,
        seed: int | None = None,
    ) -> Ticket:
        """Start a run in the actor's channel and queue its first round.

        Args:
            actor: Who starts it.
            vibe: What the music should be about; empty for anything.
            for_listener: Breed for this one listener only.
            settings: How it goes; the host's defaults when ``None``.
            track: What it is bred towards, if anything.
            searcher: What breeds; the host's choice when ``None``.
            seed: What decides everything that people do not; drawn when ``None``.

        Raises:
            BusyError: The channel has a run, or a cap is reached.
            ForbiddenError: Only moderators may start here.
            UserError: There is no such generator here, or the searcher cannot breed for it.
        """
        if settings is not None and settings.generator not in {"", *self.generators}:
            raise UserError(
                f"There is no generator {settings.generator!r} here. There is: {', '.join(self.generators)}."
            )
        plays = settings or self.default_settings()
        breeds = searcher or self._settings.runs.searcher
        if no := unfit(breeds, embeds=await self._device.embeds(plays.generator)):
            raise UserError(no)
        await self.check_may_start(actor, private=for_listener is not None)
        new = self._new_run(
            actor,
            vibe=" ".join(vibe.split())[:WORDS_LIMIT],
            settings=plays,
            for_listener=for_listener,
            searcher=searcher,
        )
        if seed is not None:
            new = replace(new, seed=seed)
        return await self._begin(new, Order(), self._target(actor, track) if track else None)

    @property
    def generators(self) -> tuple[str, ...]:
        """What may play, the default one first."""
        return offered_names(self._settings)

    async def check_may_start(self, actor: Actor, *, private: bool) -> None:
        """Check what can be checked before anything is heard or made for a new run.

        Args:
            actor: Who wants one in their channel.
            private: Whether it is for them alone, in a place of its own.

        Raises:
            BusyError: The channel has a run, or a cap is reached.
            ForbiddenError: Only moderators may start here.
        """
        if not (self._settings.discord.everyone_may_start or actor.is_moderator or private):
            raise ForbiddenError("Only moderators can start a run in this server.")
        self._queue.check(None, actor.user_id, actor.guild_id)
        async with self._db.reading() as tx:
            there = None if private else await runs.run_in_channel(tx, actor.channel_id)
        if there is not None:
            raise BusyError(occupied(actor, there))

    def _target(self, actor: Actor, track: Track) -> Target:
        return Target(
            guild_id=actor.guild_id,
            listener_id=actor.user_id,
            title=track.title,
            words=track.words,
            seconds=track.heard.seconds,
            encoder_id=track.heard.encoder_id,
            vector=track.heard.embedding,
            at=self._clock.now(),
        )

    async def branch(self, actor: Actor, clip_id: ClipId) -> Ticket:
        """Start a run in the actor's channel (a new thread) that descends from a clip.

        Raises:
            NotFoundError: The clip is gone.
            BusyError: The channel has a run, or a cap is reached.
        """
        async with self._db.reading() as tx:
            clip = await clips.clip(tx, clip_id)
            parent = await runs.get_run(tx, clip.run_id)
        if parent.guild_id != actor.guild_id or parent.for_listener not in {None, actor.user_id}:
            raise NotFoundError("That clip is not there any more, so it cannot be branched.")
        new = self._new_run(actor, settings=parent.settings, parent_clip_id=clip_id)
        return await self._begin(new, Order(directive=Directive.VARY, parents=(clip.candidate_id,)))

    def _new_run(
        self,
        actor: Actor,
        *,
        settings: RunSettings,
        vibe: str = "",
        for_listener: ListenerId | None = None,
        parent_clip_id: ClipId | None = None,
        searcher: SearcherName | None = None,
    ) -> NewRun:
        if actor.guild_id == DIRECT_MESSAGES:
            for_listener = actor.user_id  # nobody else is there
        return NewRun(
            guild_id=actor.guild_id,
            channel_id=actor.channel_id,
            started_by=actor.user_id,
            vibe=vibe,
            seed=secrets.randbits(31),
            searcher=self._searcher(searcher),
            settings=settings,
            for_listener=for_listener,
            parent_clip_id=parent_clip_id,
            created_at=self._clock.now(),
        )

    def _searcher(self, wanted: SearcherName | None) -> str:
        """Return what breeds a new run: auto without a language model is the offline breeder, under its own name."""
        wanted = wanted or self._settings.runs.searcher
        return "offline" if wanted == "auto" and not self._settings.language.base_url else wanted

    async def _begin(self, new: NewRun, order: Order, target: Target | None = None) -> Ticket:
        """Store a run with what it is bred towards and its first generation, and queue that."""
        self._queue.check(None, new.started_by, new.guild_id)
        with self._conductor.to_the_end() as begun:
            async with self._db.transaction() as tx:
                self._check_live(new, await runs.live_runs(tx))
                run = await runs.create_run(tx, new)
                begun.append(run.id)
                if target is not None:
                    await targets.save_target(tx, run.id, target)
                generation = await lifecycle.begin_next(tx, run, order)
        return self._conductor.submit(run, new.started_by, generation)

    def _check_live(self, new: NewRun, live: Sequence[Run]) -> None:
        """Runs that are going cost time; paused ones do not. In direct messages everybody has a cap of their own."""
        cap = self._settings.limits.live_runs_per_guild
        alone = new.guild_id == DIRECT_MESSAGES
        going = [
            run
            for run in live
            if run.state is RunState.ACTIVE
            and run.guild_id == new.guild_id
            and (not alone or run.started_by == new.started_by)
        ]
        if len(going) >= cap:
            where = "with you" if alone else "in this server"
            raise BusyError(
                f"{cap} runs are going {where}, which is the cap. Stop one with /evolve stop first."
            )

    def default_settings(self) -> RunSettings:
        """Return the host's defaults for a new run."""
        runs_ = self._settings.runs
        return RunSettings(
            seconds=runs_.seconds,
            candidates=runs_.candidates,
            quorum=runs_.quorum,
            timer=60.0 * runs_.timer_minutes,
            unattended_limit=runs_.unattended_limit,
            repost_every=runs_.repost_every,
            weights=Weights(**self._settings.fitness.model_dump()),
        )

    async def next(
        self,
        actor: Actor,
        *,
        directive: Directive = Directive.NEXT,
        clip_ids: Sequence[ClipId] = (),
        words: str = "",
    ) -> Ticket:
        """Close the open round and breed the next one.

        Args:
            actor: A moderator, or the listener whose private run it is, or anybody where one voter is a quorum.
            directive: How to breed.
            clip_ids: The clips that VARY, CROSS and REMIX are about.
            words: A person's words for REMIX.

        Raises:
            NotFoundError: No run here.
            BusyError: The next round is being made already.
            ForbiddenError: They may not.
        """
        run = await self._run_here(actor.channel_id)
        self._check_may_steer(actor, run)
        if run.state is RunState.PAUSED:
            raise UserError("This run is paused. Resume it first.")
        order = Order(
            directive=directive, parents=await self._parents(actor, run, clip_ids), words=words
        )
        await self._conductor.let_finish(run)
        self._queue.check(run, actor.user_id)  # before the lock, which a round in the making holds
        async with self._conductor.lock(run.id):
            run = await self._run_here(actor.channel_id)
            await self._check_posted(run)
            return await self._conductor.breed(run, actor.user_id, order, CloseReason.NEXT)

    async def resume(self, actor: Actor) -> Ticket | None:
        """Take up a paused run: send what could not be sent, else breed the next round.

        Returns:
            The ticket of the next round, or ``None`` when the last round was sent (again) instead.
        """
        run = await self._run_here(actor.channel_id)
        await self._conductor.let_finish(run)
        self._queue.check(run, actor.user_id)
        async with self._conductor.lock(run.id):
            run = await self._run_here(actor.channel_id)
            if run.state is RunState.ACTIVE:
                raise UserError("This run is going already.")
            with self._conductor.to_the_end(run.id):
                unsent = await self._take_up_unsent(run)
            if unsent is None:
                return await self._conductor.breed(run, actor.user_id, Order(), CloseReason.NEXT)
        self._conductor.deliver(unsent)
        return None

    async def _take_up_unsent(self, run: Run) -> Post | None:
        """Make a run with a round that could not be sent active again and return that round's post."""
        async with self._db.transaction() as tx:
            post = await posts.post_of(tx, run.id, run.generation, PostKind.ROUND)
            generation = await lifecycle.current(tx, run)
            if post is None or generation is None or generation.state is not GenerationState.READY:
                return None
            await runs.set_run(tx, run.id, state=RunState.ACTIVE, unattended=0)
            return await posts.mark_pending(tx, post.id)

    async def stop(self, actor: Actor) -> Run:
        """End the run here. Its clips, votes and tastes stay.

        Raises:
            NotFoundError: No run here.
            ForbiddenError: They may not.
        """
        run = await self._run_here(actor.channel_id)
        self._check_may_end(actor, run)
        return await self._conductor.stop(run)

    async def reset(self, actor: Actor) -> Ticket:
        """Start over in this channel: the same vibe, settings, track and descent, a new population. Tastes stay."""
        run = await self._run_here(actor.channel_id)
        self._check_may_end(actor, run)
        self._queue.check(None, actor.user_id, actor.guild_id)
        order = Order()
        async with self._db.reading() as tx:
            target = await targets.target_of(tx, run.id)
            if run.parent_clip_id is not None:
                source = await clips.clip(tx, run.parent_clip_id)
                order = Order(directive=Directive.VARY, parents=(source.candidate_id,))
        new = self._new_run(
            actor,
            vibe=run.vibe,
            settings=run.settings,
            for_listener=run.for_listener,
            parent_clip_id=run.parent_clip_id,
        )
        new = replace(new, started_by=run.started_by)
        return await self._conductor.replace(run, lambda: self._begin(new, order, target))

    async def cancel(self, actor: Actor, ticket_id: int) -> None:
        """Cancel a round that is waiting or being made.

        Raises:
            NotFoundError: It is over already.
            ForbiddenError: Neither theirs nor are they a moderator.
        """
        await self._conductor.drop(self._queue.find(ticket_id, actor))

    async def channel_gone(self, channel_id: ChannelId) -> None:
        """Stop the run of a channel that was deleted."""
        async with self._db.reading() as tx:
            run = await runs.run_in_channel(tx, channel_id)
        if run is not None:
            log.info("Channel %s is gone; its run %s stops", channel_id, run.id)
            await self._conductor.stop(run)

    async def guild_gone(self, guild_id: GuildId) -> None:
        """Stop the runs of a server that removed the bot. What members voted stays until they or the host delete it."""
        async with self._db.reading() as tx:
            live = [one for one in await runs.live_runs(tx) if one.guild_id == guild_id]
        for run in live:
            await self._conductor.stop(run)

    async def status(self, channel_id: ChannelId) -> StatusView:
        """Say how the latest run of a channel stands.

        Raises:
            NotFoundError: There never was one.
        """
        async with self._db.reading() as tx:
            run = await runs.latest_run_in_channel(tx, channel_id)
            if run is None:
                raise NotFoundError("Nothing has been bred here yet. Start with /evolve start.")
            generation = await lifecycle.current(tx, run)
            made = await clips.clips_of_generation(tx, run.id, run.generation)
            people = await votes.voters(tx, run.id, run.generation)
            post = await posts.post_of(tx, run.id, run.generation, PostKind.ROUND)
            target = await targets.target_of(tx, run.id)
            rated = len(said_of(await votes.votes_of_run(tx, run.id))) if target else 0
        ticket = self._queue.ticket_of(run.id)
        return StatusView(
            run=run,
            generation=generation,
            voters=len(people),
            progress=ticket.progress if ticket else None,
            families=families_of(made),
            message_id=post.message_id if post else None,
            problem=post.error if post else "",
            target=None if target is None else _target_view(run, target, rated),
        )

    # Rules ------------------------------------------------------------------------------------------

    async def _run_here(self, channel_id: ChannelId) -> Run:
        async with self._db.reading() as tx:
            run = await runs.run_in_channel(tx, channel_id)
        if run is None:
            raise NotFoundError("Nothing is being bred here. Start with /evolve start.")
        return run

    def _check_may_steer(self, actor: Actor, run: Run) -> None:
        alone = run.settings.quorum == 1 and run.for_listener is None
        if not (actor.is_moderator or alone or actor.user_id == run.for_listener):
            raise ForbiddenError(
                f"The round closes by itself after {run.settings.quorum} voters. Only moderators can call the next one."
            )

    def _check_may_end(self, actor: Actor, run: Run) -> None:
        own = actor.user_id in {run.for_listener, run.started_by if run.parent_clip_id else None}
        if not (actor.is_moderator or own):
            raise ForbiddenError("Only a moderator can stop or reset the run of a channel.")

    async def _check_posted(self, run: Run) -> None:
        async with self._db.reading() as tx:
            generation = await lifecycle.current(tx, run)
        if generation is not None and generation.state is GenerationState.READY:
            raise BusyError("The last round is still being posted. Try again in a moment.")

    async def _parents(
        self, actor: Actor, run: Run, clip_ids: Sequence[ClipId]
    ) -> tuple[CandidateId, ...]:
        parents = []
        async with self._db.reading() as tx:
            for clip_id in clip_ids:
                clip = await clips.clip(tx, clip_id)
                if clip.run_id != run.id and not await _is_by_hand_here(tx, actor, clip):
                    raise NotFoundError(
                        "That clip does not belong to the run in this channel. Branch it instead."
                    )
                parents.append(clip.candidate_id)
        return tuple(dict.fromkeys(parents))


def _target_view(run: Run, target: Target, rated: int) -> TargetView:
    now = run.settings.weights.after(rated, has_target=True)
    total = now.taste + now.target
    return TargetView(
        title=target.title,
        words=target.words,
        seconds=target.seconds,
        rated=rated,
        votes_share=now.taste / total if total else 0.0,
    )


async def _is_by_hand_here(tx: Reader, actor: Actor, clip: Clip) -> bool:
    """Tell whether a clip was made by hand in this channel, by this person or for everybody."""
    made = await runs.get_run(tx, clip.run_id)
    here = (made.searcher, made.channel_id) == (runs.BY_HAND, actor.channel_id)
    return here and made.for_listener in {None, actor.user_id}
