"""Gateway sessions: sequence numbers, what was dispatched lately, and who is connected."""

from __future__ import annotations

import asyncio
import json
import secrets
import zlib
from collections import deque
from collections.abc import Callable
from typing import Any

from playground.events import Render
from playground.intents import content_hidden, wanted
from playground.model import Json
from playground.world import World

DISPATCH = 0
_SYNC = zlib.Z_SYNC_FLUSH
_MAX_SESSIONS = 16


def encode(
    op: int, data: Any = None, *, event: str | None = None, sequence: int | None = None
) -> str:
    """A gateway payload as JSON text."""
    return json.dumps({"op": op, "d": data, "s": sequence, "t": event}, separators=(",", ":"))


class Outbox:
    """Frames on their way to one connection, compressed as one stream where the client asked for it."""

    def __init__(self, *, compress: bool) -> None:
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._deflate = zlib.compressobj() if compress else None

    def put(self, frame: str) -> None:
        """Queue a frame."""
        self._queue.put_nowait(frame)

    def end(self) -> None:
        """Let the writer stop after what is queued."""
        self._queue.put_nowait(None)

    async def next(self) -> str | bytes | None:
        """The next frame as it goes over the wire, or ``None`` at the end."""
        frame = await self._queue.get()
        if frame is None or self._deflate is None:
            return frame
        return self._deflate.compress(frame.encode()) + self._deflate.flush(_SYNC)


class Session:
    """One identified session, connected or waiting to be resumed.

    Attributes:
        lost_at: Unix time at which its connection was lost, ``None`` while connected.
    """

    def __init__(self, *, intents: int, replay: int, shard: tuple[int, int]) -> None:
        self.id = secrets.token_hex(16)
        self.intents = intents
        self.shard = shard
        self.sequence = 0
        self.lost_at: float | None = None
        self.outbox: Outbox | None = None
        self._replay: deque[tuple[int, str]] = deque(maxlen=replay)

    def dispatch(self, event: str, data: Any, *, twice: bool = False) -> None:
        """Number a dispatch, keep it for a resume and send it if somebody is connected.

        Args:
            event: Its name.
            data: Its JSON.
            twice: Send it twice with the same number, as a faulty network can.
        """
        self.sequence += 1
        frame = encode(DISPATCH, data, event=event, sequence=self.sequence)
        self._replay.append((self.sequence, frame))
        if self.outbox is not None:
            for _ in range(2 if twice else 1):
                self.outbox.put(frame)

    def missed(self, after: int) -> list[str] | None:
        """Frames above a sequence number, or ``None`` when some are no longer kept."""
        if after > self.sequence:
            return None
        oldest = self._replay[0][0] if self._replay else self.sequence + 1
        if after + 1 < oldest:
            return None
        return [frame for number, frame in self._replay if number > after]


class Sessions:
    """All sessions, and the one place from which the bot is told anything."""

    def __init__(self, world: World, *, duplicate: Callable[[], bool]) -> None:
        """Listen to the world.

        Args:
            world: Whose events are dispatched.
            duplicate: Asked before each dispatch whether to send it twice.
        """
        self._world = world
        self._duplicate = duplicate
        self._sessions: dict[str, Session] = {}
        world.hub.attach_bot(self._on_event)

    @property
    def online(self) -> bool:
        """Whether the bot is connected."""
        return any(session.outbox is not None for session in self._sessions.values())

    def open(self, *, intents: int, shard: tuple[int, int], outbox: Outbox) -> Session:
        """Start a session on a connection."""
        self._prune()
        session = Session(intents=intents, replay=self._world.options.replay_kept, shard=shard)
        self._sessions[session.id] = session
        self.connect(session, outbox)
        return session

    def get(self, session_id: object) -> Session | None:
        """A session that can be resumed."""
        self._prune()
        return self._sessions.get(session_id) if isinstance(session_id, str) else None

    def connect(self, session: Session, outbox: Outbox) -> None:
        """Bind a session to a connection; an older connection of it ends."""
        before = self.online
        if session.outbox is not None:
            session.outbox.end()
        session.outbox, session.lost_at = outbox, None
        self._tell_pages(before)

    def lose(self, session: Session, outbox: Outbox) -> None:
        """Note that a connection ended."""
        if session.outbox is outbox:
            session.outbox, session.lost_at = None, self._world.clock()
            self._tell_pages(before=True)

    def drop(self, session: Session) -> None:
        """Forget a session: it cannot be resumed."""
        self._sessions.pop(session.id, None)

    def dispatch(self, event: str, data: Any) -> None:
        """Send anything at all to every session, also what is malformed."""
        for session in self._sessions.values():
            session.dispatch(event, data)

    def _on_event(self, event: str, render: Render) -> None:
        if not self._sessions:
            return
        data = render(self._world.bot_view)
        if data is None:
            return
        for session in self._sessions.values():
            if wanted(event, data, session.intents):
                shown = self._as_seen(event, data, session)
                session.dispatch(event, shown, twice=self._duplicate())

    def _as_seen(self, event: str, data: Json, session: Session) -> Json:
        if event in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            return content_hidden(data, session.intents, self._world.bot.id)
        return data

    def _tell_pages(self, before: bool) -> None:
        if before != self.online:
            online = self.online
            self._world.hub.publish_pages("BOT_STATUS", lambda viewer: {"online": online})

    def _prune(self) -> None:
        now = self._world.clock()
        lost = [one for one in self._sessions.values() if one.lost_at is not None]
        for session in lost:
            if (
                session.lost_at is not None
                and now - session.lost_at > self._world.options.session_seconds
            ):
                self.drop(session)
        for session in lost[: max(0, len(self._sessions) - _MAX_SESSIONS)]:
            self.drop(session)
