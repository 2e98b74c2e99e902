"""``/mood``: set ten features on a private panel, hear what they give, post it, keep it, breed from it."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from domain.clip import BUILT_IN, Clip, ClipRequest
from domain.description import Description
from domain.errors import BusyError, ForbiddenError, NotFoundError, UserError
from domain.facets import Facets
from domain.features import Features
from domain.ids import ClipId
from domain.run import GenerationState, PostKind, PostState, Run
from evolution.descriptions import extend, steer
from service import mood_session as session_of
from service.clips import ClipService, filename
from service.clock import Clock
from service.handmade import Handmade, Order
from service.longer import LONGER, Longer
from service.mood_session import Changed, Kind, Session
from service.mood_start import allowed, clip_named, from_clip, from_words
from service.posting import Outbox
from service.queue import Ticket
from service.studio import FACETS_OF
from service.views import Actor, Download
from storage import clips, panels, posts, runs
from storage.database import Database, Reader, Transaction

PATIENCE = 15.0
"""Seconds for which somebody who posts a clip waits to hear that it is out."""
THEIRS = "That panel is somebody else's. /mood opens one of your own."
TUNE_GOES = "Its tune changes with that."
BUSY = "It is being made already. One moment."


@dataclass(frozen=True, slots=True, kw_only=True)
class MoodView:
    """A panel as it stands.

    Attributes:
        panel_id: What its buttons carry.
        session: What is set.
        mode: The mode that is meant, which says more than major or minor.
        metre: Beats in a bar and note value, likewise.
        words: What is set beyond the features.
        clip: The latest clip made on it.
        posted: Whether everybody can hear that clip.
        ticket_id: The job in progress.
        note: A sentence about the last press, or ``""``.
    """

    panel_id: int
    session: Session
    mode: str
    metre: tuple[int, int]
    words: tuple[str, ...]
    clip: Clip | None = None
    posted: bool = False
    ticket_id: int | None = None
    note: str = ""


class MoodService:
    """Panels and what they make. Each press is one transaction, so two at once are one after the other."""

    def __init__(
        self,
        db: Database,
        handmade: Handmade,
        library: ClipService,
        outbox: Outbox,
        clock: Clock,
        longer: Longer,
    ) -> None:
        self._db = db
        self._handmade = handmade
        self._library = library
        self._outbox = outbox
        self._clock = clock
        self._longer = longer
        self._jobs: dict[int, Ticket] = {}

    # Opening ------------------------------------------------------------------------------------------

    async def open(self, actor: Actor, start: str = "") -> MoodView:
        """Open a panel.

        Args:
            actor: Whose it is.
            start: A clip (see ``clip_named``), words, or nothing.

        Raises:
            NotFoundError: The clip is not there.
            UsageError: The words mean nothing.
        """
        async with self._db.reading() as tx:
            clip = await clip_named(tx, actor, start)
        session, note = from_words(start) if clip is None else from_clip(clip)
        return await self._add(actor, session, note)

    async def open_on(
        self, actor: Actor, clip_id: ClipId, kind: Kind = Kind.MOOD, *, words: str = ""
    ) -> MoodView:
        """Open a panel on a clip: to change its mood, or to make it longer.

        Args:
            actor: Whose it is.
            clip_id: The clip.
            kind: Which of the two.
            words: What will be said there. Where they ask for other players or another sound, the tune is not kept.

        Raises:
            NotFoundError: The clip is not there, or not for them here.
            UserError: It cannot be made longer; says why.
        """
        async with self._db.reading() as tx:
            clip = await allowed(tx, actor, clip_id)
        if kind is Kind.LONGER:
            await self._longer.check(clip)
        session, note = from_clip(clip, kind)
        if session.keeps_tune and words and session_of.is_beyond(session, words):
            session, note = replace(session, keeps_tune=False), TUNE_GOES
        return await self._add(actor, session, note)

    async def _add(self, actor: Actor, session: Session, note: str) -> MoodView:
        async with self._db.transaction() as tx:
            made = await panels.add_panel(
                tx,
                actor.guild_id,
                actor.channel_id,
                actor.user_id,
                session.to_json(),
                self._clock.now(),
            )
            return await self._view(tx, made.id, session, note)

    # Presses ------------------------------------------------------------------------------------------

    async def look(self, actor: Actor, panel_id: int, note: str = "") -> MoodView:
        """Return a panel as it stands.

        Raises:
            NotFoundError: It is gone.
            ForbiddenError: It is somebody else's.
        """
        async with self._db.reading() as tx:
            return await self._view(tx, panel_id, await _session(tx, actor, panel_id), note)

    async def choose(self, actor: Actor, panel_id: int, feature: str) -> MoodView:
        """Let the steppers change another feature."""
        return await self._change(actor, panel_id, lambda one: session_of.choose(one, feature))

    async def step(self, actor: Actor, panel_id: int, amount: int) -> MoodView:
        """Take a step: -2, -1, 1 or 2."""
        return await self._change(actor, panel_id, lambda one: session_of.step(one, amount))

    async def tone(self, actor: Actor, panel_id: int, name: str, value: int) -> MoodView:
        """Set the key, the mode or the metre."""
        return await self._change(actor, panel_id, lambda one: session_of.tone(one, name, value))

    async def say(self, actor: Actor, panel_id: int, words: str) -> MoodView:
        """Change what a person's words ask for. The words are not kept."""
        return await self._change(actor, panel_id, lambda one: session_of.say(one, words))

    async def undo(self, actor: Actor, panel_id: int) -> MoodView:
        """Take the latest press back."""
        return await self._change(actor, panel_id, session_of.undo)

    async def reset(self, actor: Actor, panel_id: int) -> MoodView:
        """Go back to the start."""
        return await self._change(actor, panel_id, session_of.reset)

    async def _change(
        self, actor: Actor, panel_id: int, change: Callable[[Session], Changed]
    ) -> MoodView:
        async with self._db.transaction() as tx:
            before = await _session(tx, actor, panel_id)
            after, note = change(before)
            if after is not before:
                await panels.save_panel(tx, panel_id, after.to_json(), self._clock.now())
            return await self._view(tx, panel_id, after, note)

    async def _view(self, tx: Reader, panel_id: int, session: Session, note: str) -> MoodView:
        clip, posted = None, False
        if session.clip is not None:
            found = await clips.clips_by_id(tx, [session.clip])
            clip = found[0] if found else None
            posted = clip is not None and (await _run(tx, clip)).for_listener is None
        facets, ticket = session.facets(), self._job(panel_id)
        return MoodView(
            panel_id=panel_id,
            session=session,
            mode=facets.mode or "major",
            metre=facets.metre or (4, 4),
            words=tuple(session_of.said_words(session.words)),
            clip=clip,
            posted=posted,
            ticket_id=ticket.id if ticket else None,
            note=note,
        )

    # Hearing ------------------------------------------------------------------------------------------

    def _job(self, panel_id: int) -> Ticket | None:
        ticket = self._jobs.get(panel_id)
        if ticket is not None and ticket.progress.finished:
            del self._jobs[panel_id]
            return None
        return ticket

    async def listen(self, actor: Actor, panel_id: int) -> Ticket | None:
        """Queue what is set, to be rendered.

        Returns:
            The job, or ``None`` when the latest clip is that already.

        Raises:
            BusyError: It is being made, or the person or server is over a cap.
            NotFoundError: The panel or the clip that it started from is gone.
            UserError: That clip cannot be made longer any more; says why.
        """
        async with self._db.reading() as tx:
            session = await _session(tx, actor, panel_id)
            view = await self._view(tx, panel_id, session, "")
            start = await _start(tx, actor, session)
        if view.ticket_id is not None:
            raise BusyError(BUSY)
        if view.clip is not None and session.fresh:
            return None
        heard = session.sound()
        going_on = await self._going_on(session, start)

        async def saved(tx: Transaction, clip: Clip) -> None:
            latest = Session.from_json((await panels.panel(tx, panel_id)).state)
            state = latest.with_clip(clip.id, heard).to_json()
            await panels.save_panel(tx, panel_id, state, self._clock.now())

        edits = tuple(edit for one in session.steps for edit in one.edits)
        order = Order(
            request=lambda: going_on or request_of(session, start),
            operator=session.kind.value,
            title=session.start,
            parent=start,
            generator=going_on.generator if going_on else BUILT_IN,
            genome={"edits": session_of.edits_json(edits), "start": session.base.to_json()},
            saved=saved,
        )
        ticket = self._handmade.submit(actor, order)
        self._jobs[panel_id] = ticket
        return ticket

    async def _going_on(self, session: Session, start: Clip | None) -> ClipRequest | None:
        """Return what goes on from the very sound of a clip; ``None`` for all that is composed."""
        if session.kind is not Kind.LONGER or start is None:
            return None
        return await self._longer.request(start)

    async def sound(self, clip: Clip) -> Download:
        """Return the file of a clip made here.

        Raises:
            NotFoundError: It is not kept any more.
        """
        data = await self._library.audio(clip)
        return Download(filename=f"{filename(clip)}.{clip.extension}", data=data, note="")

    # For others ---------------------------------------------------------------------------------------

    async def post(self, actor: Actor, panel_id: int, clip_id: ClipId) -> MoodView:
        """Post a clip made here to the channel, where everybody may rate it. A second time changes nothing.

        Raises:
            NotFoundError: It is gone.
            ForbiddenError: It is somebody else's.
            UserError: The channel did not take it; says why.
        """
        with self._outbox.to_the_end():
            async with self._db.transaction() as tx:
                await _session(tx, actor, panel_id)
                clip = await allowed(tx, actor, clip_id)
                run = await _run(tx, clip)
                if run.searcher != runs.BY_HAND or run.started_by != actor.user_id:
                    raise ForbiddenError(THEIRS)
                await runs.set_run(tx, run.id, for_listener=None)
                await clips.mark_posted(tx, clip_id, 1, runs.BY_HAND)
                number, now = clip.generation, self._clock.now()
                post = await posts.add_post(tx, run.id, number, PostKind.ROUND, run.channel_id, now)
                again = post.state is PostState.POSTED
                if post.state is PostState.FAILED:
                    post = await posts.mark_pending(tx, post.id)
                if not again:
                    await runs.set_generation(tx, run.id, number, state=GenerationState.READY)
        if not again:
            await asyncio.wait([self._outbox.deliver(post.id)], timeout=PATIENCE)
            await self._check_out(run, clip)
        return await self.look(
            actor, panel_id, "It is posted already." if again else "Posted for everybody to rate."
        )

    async def _check_out(self, run: Run, clip: Clip) -> None:
        """Take a clip back that the channel refused."""
        async with self._db.transaction() as tx:
            post = await posts.post_of(tx, run.id, clip.generation, PostKind.ROUND)
            if post is None or post.state is not PostState.FAILED:
                return
            await runs.set_run(tx, run.id, for_listener=run.started_by)
            await clips.mark_posted(tx, clip.id, None, None)
            await runs.set_generation(tx, run.id, clip.generation, state=GenerationState.CLOSED)
        raise UserError(f"It could not be posted: {post.error}")


async def _session(tx: Reader, actor: Actor, panel_id: int) -> Session:
    panel = await panels.panel(tx, panel_id)
    if panel.listener_id != actor.user_id:
        raise ForbiddenError(THEIRS)
    return Session.from_json(panel.state)


async def _run(tx: Reader, clip: Clip) -> Run:
    return await runs.get_run(tx, clip.run_id)


async def _start(tx: Reader, actor: Actor, session: Session) -> Clip | None:
    """Return the clip that a panel started from; without it there is no tune to keep."""
    if session.start_clip is None:
        return None
    try:
        return await allowed(tx, actor, session.start_clip)
    except NotFoundError:
        raise NotFoundError(
            "The clip that this started from is gone. /mood starts from another one."
        ) from None


def request_of(session: Session, start: Clip | None) -> ClipRequest:
    """Return what to render: the start's tune with what was changed, or the same words and seed where it has none.

    A tune that is not kept is made anew from the words: its players are part of it.
    A tune is notes, which the composer plays, whatever plays in the channel.
    """
    genome = None if start is None else start.description.get("genome")
    if not session.keeps_tune:
        genome = None
    if genome is None:
        if session.kind is Kind.LONGER:
            session = _longer(session)
        return session_of.request_of(session)
    piece = Description.from_json(genome)
    piece = steer(piece, _wanted(session.base, session.features, session.facets()))
    if session.kind is Kind.LONGER:
        seconds = min(2 * LONGER, max(LONGER, 2 * piece.seconds))
        rng = np.random.default_rng([session.seed, zlib.crc32(b"longer")])
        piece = extend(piece, rng, seconds=seconds)
    request = session_of.request_of(session, piece.to_json())
    return replace(request, seconds=piece.seconds)


def _wanted(base: Features, now: Features, facets: Facets) -> Facets:
    """Return as facets only what was changed: the rest of a piece stays as it is, to the last digit."""
    names = {FACETS_OF[one.feature] for one in session_of.net(base, now)}
    return Facets(**{name: getattr(facets, name) for name in names})


def _longer(session: Session) -> Session:
    data = session.to_json() | {"seconds": LONGER}
    return Session.from_json(data)
