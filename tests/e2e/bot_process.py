"""The real bot as a process of its own, logged in to a playground server of the test."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from playground.option_values import Filled
from playground.people import CommandCall, People, Place
from playground.server import PlaygroundServer
from playground.start import FIRST_LISTENER_ID, MODERATOR_ID, MUSIC_ID

ROOT = Path(__file__).parents[2]
MO = Place(user_id=MODERATOR_ID, channel_id=MUSIC_ID)
ADA = Place(user_id=FIRST_LISTENER_ID, channel_id=MUSIC_ID)
CONFIG = "runs: {candidates: 4, seconds: 4, settle: 1, quorum: 5}\ngeneration: {workers: 1}\n"


class BotProcess:
    """Starts, kills and starts again."""

    def __init__(self, server: PlaygroundServer, folder: Path, config: str = CONFIG) -> None:
        self.server = server
        self.folder = folder
        self.people = People(server.parts)
        self.process: asyncio.subprocess.Process | None = None
        (folder / "config.yaml").write_text(config)

    async def start(self) -> None:
        env = {
            **os.environ,
            "DISCORD_TOKEN": "playground",
            "TUNEBREEDER_DISCORD_API": self.server.api_url,
            "TUNEBREEDER_DISCORD_GATEWAY": self.server.gateway_url,
            "TUNEBREEDER_DATA_DIR": str(self.folder / "data"),
            "OMP_NUM_THREADS": "1",
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
        await self.until(lambda: self.server.parts.sessions.online, "the bot is online")

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
        try:
            async with asyncio.timeout(seconds):
                while not fact():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"waited {seconds} s until {what}\n{self.log()[-3000:]}") from None

    def log(self) -> str:
        return (self.folder / "bot.log").read_text(errors="replace")

    def rounds(self) -> list:
        """The messages in #music that carry clips."""
        channel = self.server.parts.world.channels[MUSIC_ID]
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
