"""The real bot as a process of its own, logged in to a playground server of the test."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from domain.ids import RunId
from domain.vote import Vote
from playground.option_values import Filled
from playground.options import PlaygroundOptions
from playground.people import CommandCall, People, Place
from playground.server import PlaygroundServer
from playground.start import FIRST_LISTENER_ID, MODERATOR_ID, MUSIC_ID
from storage import votes
from storage.database import Database

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
MO = Place(user_id=MODERATOR_ID, channel_id=MUSIC_ID)
ADA = Place(user_id=FIRST_LISTENER_ID, channel_id=MUSIC_ID)
VERBS = -1
"""The last row of a round's buttons, however many clips it has."""
CONFIG = "runs: {candidates: 4, seconds: 4, settle: 1, quorum: 5}\ngeneration: {workers: 1}\n"


class BotProcess:
    """Starts, kills and starts again."""

    def __init__(self, server: PlaygroundServer, folder: Path, config: str = CONFIG) -> None:
        self.server = server
        self.folder = folder
        self.people = People(server.parts)
        self.process: asyncio.subprocess.Process | None = None
        (folder / "config.yaml").write_text(config)

    async def start(self, **environ: str) -> None:
        """Start it and wait until it is online."""
        await self.launch(**environ)
        await self.until(lambda: self.server.parts.sessions.online, "the bot is online")

    async def launch(self, **environ: str) -> None:
        """Start it, with other environment variables where they are named."""
        env = {
            **os.environ,
            "DISCORD_TOKEN": "playground",
            "TUNEBREEDER_DISCORD_API": self.server.api_url,
            "TUNEBREEDER_DISCORD_GATEWAY": self.server.gateway_url,
            "TUNEBREEDER_DATA_DIR": str(self.folder / "data"),
            "OMP_NUM_THREADS": "1",
            **environ,
        }
        log = (self.folder / "bot.log").open("ab")
        with log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(ROOT / "bot.py"),
                "--config",
                str(self.folder / "config.yaml"),
                "run",
                env=env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def ended(self, seconds: float = 20) -> int:
        """Wait until it ends by itself; gives its exit code."""
        assert self.process is not None
        async with asyncio.timeout(seconds):
            return await self.process.wait()

    async def kill(self) -> None:
        """kill -9 the bot and everything it started."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()
        await self.until(lambda: not self.server.parts.sessions.online, "the server noticed")

    async def stop(self) -> int:
        """End it as a host does."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
            try:
                async with asyncio.timeout(15):
                    await self.process.wait()
            except TimeoutError:
                os.killpg(self.process.pid, signal.SIGKILL)
                await self.process.wait()
        return self.process.returncode or 0

    async def until(self, fact: Callable[[], object], what: str, seconds: float = 40) -> None:
        """Wait until a fact about the playground holds."""

        async def now() -> object:
            return fact()

        await self.eventually(now, what, seconds)

    async def eventually(
        self, fact: Callable[[], Awaitable[T]], what: str, seconds: float = 40
    ) -> T:
        """Ask until the answer is true, and give it."""
        try:
            async with asyncio.timeout(seconds):
                while not (answer := await fact()):
                    await asyncio.sleep(0.02)
                return answer
        except TimeoutError:
            raise AssertionError(f"waited {seconds} s until {what}\n{self.log()[-3000:]}") from None

    def log(self) -> str:
        return (self.folder / "bot.log").read_text(errors="replace")

    def failures(self) -> list[str]:
        """Lines of the log that nobody should ever see."""
        marks = (" ERROR ", " CRITICAL ", "Traceback", "never awaited", "was never retrieved")
        return [line for line in self.log().splitlines() if any(mark in line for mark in marks)]

    def sessions(self) -> set[str]:
        """The gateway sessions that the server knows."""
        return set(self.server.parts.sessions._sessions)

    def clips(self) -> list[str]:
        """The first custom id of every round that was posted, which names its first clip."""
        return [message.components[0]["components"][0]["custom_id"] for message in self.rounds()]

    def private(self, who: Place, channel_id: int = MUSIC_ID) -> list[str]:
        """What only one person reads in a channel."""
        messages = self.server.parts.world.channels[channel_id].messages.values()
        return [message.content for message in messages if message.only_for == who.user_id]

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """The bot's database, to look at while it runs or after."""
        db = await Database.open(self.folder / "data" / "tunebreeder.db", read_only=True)
        try:
            yield db
        finally:
            await db.close()

    async def votes(self, who: Place, run_id: int = 1) -> list[Vote]:
        """What somebody has said about a run and not taken back."""
        async with self.database() as db, db.reading() as tx:
            cast = await votes.votes_of_run(tx, RunId(run_id))
        return [one for one in cast if one.listener_id == who.user_id and not one.retracted]

    async def integrity(self) -> list[str]:
        """What is wrong with the database."""
        async with self.database() as db:
            return await db.integrity()

    def rounds(self, channel_id: int = MUSIC_ID) -> list:
        """The messages in a channel that carry clips."""
        channel = self.server.parts.world.channels[channel_id]
        return [
            message
            for message in channel.messages.values()
            if message.attachments and message.only_for is None
        ]

    def press(self, who: Place, message, row: int, column: int):
        custom_id = message.components[row]["components"][column]["custom_id"]
        return self.people.click(who, message.id, custom_id)

    def command(self, who: Place, *path: str, **values):
        filled = Filled(path=path[1:], values=values)
        return self.people.command(who, CommandCall(name=path[0], filled=filled))


@asynccontextmanager
async def playing(
    folder: Path, *, config: str = CONFIG, start: bool = True, **options: object
) -> AsyncIterator[BotProcess]:
    """A playground and the bot in it, with its first round posted unless ``start`` is unset."""
    server = PlaygroundServer(PlaygroundOptions(**options), media_folder=folder / "media")
    await server.start()
    bot = BotProcess(server, folder, config)
    try:
        if start:
            await bot.start()
            bot.command(MO, "evolve", "start")
            await bot.until(bot.rounds, "the first round")
        yield bot
    finally:
        if bot.process is not None:
            await bot.stop()
        await server.close()
