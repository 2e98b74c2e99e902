"""How the bot does right now: what plays, what waits, what is wrong. Nothing of what people said or heard is in it."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from domain.errors import ForbiddenError
from domain.ids import GuildId
from domain.run import PostState
from service.clock import Clock
from service.device import DeviceWorker
from service.generator_state import GeneratorState
from service.language import LanguageService, Meter
from service.queue import JobQueue, Standing
from service.spaces import Hearing
from service.views import Actor
from storage import posts
from storage.backup import last_backup
from storage.database import Database
from storage.language_usage import DAY

LOW_DISK = 500_000_000
"""Bytes below which the disk counts as nearly full: about 5,000 clips."""
CLOSED = "Only moderators can see how I do. A moderator can manage messages in this channel."
_PATH = re.compile(r"(?<![\w:/\\.])(?:[A-Za-z]:|[\w.~-]+)?(?:[/\\][^\s/\\:;,'\"()]+){2,}[/\\]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageState:
    """The language model.

    Attributes:
        lines: What ``LanguageService.health`` says.
        resting: Seconds until a server that did not answer is asked again; 0 while all is well.
        here: What this server has used today, and what it may.
    """

    lines: tuple[str, ...]
    resting: float
    here: Meter | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """Posts that are not in their channels.

    Attributes:
        waiting: They are tried again by themselves.
        failed: Given up within the last day, on all servers.
        reason: Of the latest one in the server that asks, in a sentence, or ``""``.
    """

    waiting: int
    failed: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The database and its disk.

    Attributes:
        size: Bytes of the file and its log.
        schema: Version.
        backup_age: Seconds since the last ``bot.py backup``, or ``None`` where none is known of.
        free: Bytes left on the disk.
    """

    size: int
    schema: int
    backup_age: float | None
    free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthView:
    """How the bot does.

    Attributes:
        uptime: Seconds since the start.
        generators: The default one first; their reasons name no path.
        language: The language model, or what stands in for it.
        hearing: The learned encoder, or ``None`` where the built-in features hear alone.
        rounds: The queue of rounds.
        unsent: Posts.
        stored: Database and disk.
    """

    uptime: float
    generators: tuple[GeneratorState, ...]
    language: LanguageState
    hearing: Hearing | None
    rounds: Standing
    unsent: Unsent
    stored: Stored


class HealthService:
    """Answers ``/health``.

    Args:
        db: The database.
        device: What makes the sound.
        queue: Of rounds.
        language: The language model.
        clock: Says since when, too.
        hearing: Says what the learned encoder does, if there is one.
    """

    def __init__(
        self,
        db: Database,
        device: DeviceWorker,
        queue: JobQueue,
        language: LanguageService,
        clock: Clock,
        hearing: Callable[[], Hearing] | None = None,
    ) -> None:
        self._db = db
        self._device = device
        self._queue = queue
        self._language = language
        self._clock = clock
        self._hearing = hearing
        self._since = clock.now()

    async def view(self, actor: Actor) -> HealthView:
        """Return how the bot does.

        Raises:
            ForbiddenError: They are no moderator.
        """
        if not actor.is_moderator:
            raise ForbiddenError(CLOSED)
        now = self._clock.now()
        hearing = self._hearing() if self._hearing is not None else None
        return HealthView(
            uptime=now - self._since,
            generators=tuple(
                replace(one, reason=without_paths(one.reason))
                for one in await self._device.states()
            ),
            language=self._words(actor.guild_id),
            hearing=hearing and replace(hearing, stand_in=without_paths(hearing.stand_in)),
            rounds=self._queue.standing(),
            unsent=await unsent(self._db, now, actor.guild_id),
            stored=await stored(self._db, now),
        )

    def _words(self, guild_id: GuildId) -> LanguageState:
        return LanguageState(
            lines=self._language.health(),
            resting=self._language.resting,
            here=self._language.usage_today(str(guild_id)) if self._language.model else None,
        )


async def unsent(db: Database, now: float, guild_id: GuildId | None = None) -> Unsent:
    """Return which posts are not in their channels; ``guild_id`` is the server that may hear why."""
    async with db.reading() as tx:
        found = await posts.unsent(tx, since=now - DAY)
    failed = [one for one in found if one.state is PostState.FAILED]
    return Unsent(
        waiting=len(found) - len(failed),
        failed=len(failed),
        reason=_reason([one.error for one in failed if one.guild_id == guild_id]),
    )


def _reason(errors: Sequence[str]) -> str:
    return errors[-1] if errors else ""


async def stored(db: Database, now: float) -> Stored:
    """Return how large the database is, when it was copied last, and how much room there is."""
    return await asyncio.to_thread(_stored, db.path, db.schema_version, now)


def _stored(file: Path, schema: int, now: float) -> Stored:
    parts = (file, file.with_name(f"{file.name}-wal"))
    copied = last_backup(file)
    return Stored(
        size=sum(part.stat().st_size for part in parts if part.exists()),
        schema=schema,
        backup_age=None if copied is None else max(0.0, now - copied),
        free=shutil.disk_usage(file.parent).free,
    )


def without_paths(text: str) -> str:
    """Return a sentence with the last name of each path in place of the path: where things lie is the host's own."""
    return _PATH.sub(lambda found: re.split(r"[/\\]", found[0].rstrip("/\\"))[-1], text)
