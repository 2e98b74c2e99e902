"""A real client of discord.py in a simulated Discord, over use cases in memory."""

from __future__ import annotations

from dataclasses import dataclass

import discord
import pytest

from bot.app import TunebreederBot
from bot.room import Room
from bot.sink import DiscordSink
from tests.bot.fakes import World
from tests.draws import same_draws  # noqa: F401 - a fixture of every test here


@dataclass
class Stage:
    """A server with a channel, a moderator and two listeners."""

    env: object
    world: World
    room: Room
    sink: DiscordSink
    guild: object
    channel: object
    mod: object
    ann: object
    bob: object

    def new_bot(self) -> TunebreederBot:
        """Return a fresh client over the same use cases, as after a restart."""
        room = Room(services=self.world)
        return TunebreederBot(room, self.sink)

    async def start(self, **options):
        """Start a run and return the message of its first round."""
        await self.mod.slash(self.channel, "evolve start", **options)
        return self.round()

    def round(self):
        """Return the latest round's message."""
        return [message for message in self.channel.history() if message.attachments][-1]

    def seen_by(self, actor):
        """Return what somebody sees in the channel, private messages to them included."""
        return self.channel.history(viewer=actor)

    def private(self, actor):
        """Return the private messages that somebody sees in the channel."""
        return [message for message in self.seen_by(actor) if message.flags.ephemeral]


@pytest.fixture
def world():
    return World(lambda: discord.utils.utcnow().timestamp())


@pytest.fixture
def sink():
    return DiscordSink()


@pytest.fixture
def room(world):
    return Room(services=world)


@pytest.fixture
def simcord_bot(room, sink):
    return TunebreederBot(room, sink)


@pytest.fixture
async def stage(simcord_env, world, room, sink):
    env = simcord_env
    guild = env.create_guild()
    channel = guild.create_text_channel("music")
    role = guild.create_role("Mods", permissions=discord.Permissions(manage_messages=True))
    mod = guild.add_member(env.create_user("mod"), roles=[role])
    ann = guild.add_member(env.create_user("ann"))
    bob = guild.add_member(env.create_user("bob"))
    await env.settle()
    return Stage(
        env=env,
        world=world,
        room=room,
        sink=sink,
        guild=guild,
        channel=channel,
        mod=mod,
        ann=ann,
        bob=bob,
    )


def custom_id(message, prefix: str, index: int = 0) -> str:
    """Return the custom id of a button that starts with ``prefix``."""
    found = [
        item.custom_id
        for row in message.components
        for item in row.children
        if (item.custom_id or "").startswith(prefix)
    ]
    return found[index]


@pytest.fixture
def ids():
    return custom_id
