"""Remembers what was said to the bot, for an hour, so that "that one" and "again" mean something."""

from __future__ import annotations

from dataclasses import dataclass

from domain.ids import ClipId
from service.clock import Clock
from service.views import Actor
from storage import chat_memory
from storage.chat_memory import Turn
from storage.database import Database

TURNS = 12
"""Turns of a channel that are kept."""
LASTS = 3600.0
"""Seconds for which a turn is kept."""
MOST_BYTES = 6000
"""What is told of a channel at most; the oldest turns go first."""
LONGEST = 600
"""Characters of what was said, and of what was answered, that are kept."""
SWEEP = 300.0
"""Seconds between two sweeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What is remembered of a channel. ``focus`` is the clip that this person talked about last."""

    turns: tuple[Turn, ...] = ()
    focus: ClipId | None = None


class ChatMemory:
    """A short memory for each channel."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def recall(self, actor: Actor) -> Remembered:
        """Return what was said in the actor's channel within the hour, the oldest first."""
        async with self._db.reading() as tx:
            found = await chat_memory.turns_of(
                tx, actor.channel_id, since=self._clock.now() - LASTS
            )
        kept: list[Turn] = []
        size = 0
        for turn in reversed(found[-TURNS:]):
            size += len(turn.said.encode()) + len(turn.answered.encode())
            if size > MOST_BYTES:
                break
            kept.insert(0, turn)
        own = [one.clip_id for one in found if one.listener_id == actor.user_id and one.clip_id]
        return Remembered(turns=tuple(kept), focus=own[-1] if own else None)

    async def keep(self, actor: Actor, said: str, answered: str, clip_id: ClipId | None) -> None:
        """Remember a turn. Call it only where the person lets anything be kept."""
        turn = Turn(
            guild_id=actor.guild_id,
            channel_id=actor.channel_id,
            listener_id=actor.user_id,
            said=said[:LONGEST],
            answered=answered[:LONGEST],
            clip_id=clip_id,
            at=self._clock.now(),
        )
        async with self._db.transaction() as tx:
            await chat_memory.add_turn(tx, turn, most=TURNS)

    async def serve(self) -> None:
        """Forget what is older than an hour, for ever."""
        while True:
            await self.sweep()
            await self._clock.sleep(SWEEP)

    async def sweep(self) -> int:
        """Forget what is older than an hour; returns how many turns went."""
        async with self._db.transaction() as tx:
            return await chat_memory.forget_turns(tx, before=self._clock.now() - LASTS)
