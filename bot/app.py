"""The Discord client: what it listens to, which commands it has, where presses and events go."""

from __future__ import annotations

import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import discord
from discord import app_commands

from bot.chat import Chat
from bot.dispatch import Dispatcher, persistent_item
from bot.duel import DuelFace, duel_command
from bot.endpoints import shield
from bot.errors import WIRE_ERRORS, sentence_for, tell
from bot.evolve import Evolve
from bot.general import about_command, health_command, help_command
from bot.like_this import LikeThis, like_this_command
from bot.mood import MoodPanel, mood_command
from bot.operators import Operators, Prompts
from bot.personal import MyData, Taste
from bot.reactions import Reactions
from bot.room import Room
from bot.sink import DiscordSink
from bot.steering import Steering
from bot.sync import sync_if_changed
from bot.text import count
from bot.top import top_command
from bot.tuning import Tuning
from domain.errors import UserError
from domain.ids import ChannelId, GuildId

log = logging.getLogger(__name__)

GUILD_READY_TIMEOUT = 0.5
"""Seconds without a new server after which the bot counts as ready."""
CHANGED_COMMAND = (
    "That command has just changed. Reload Discord (Ctrl+R) or try it again in a minute."
)
_GUILD_ONLY_INSTALL = app_commands.AppInstallationType(guild=True, user=False)
_CONTEXTS = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False)

Ready = Callable[[], Awaitable[None] | None]


def intents() -> discord.Intents:
    """Return what the bot listens to. None of it is privileged, and no message is kept.

    Without the message content intent Discord shows the words of direct messages, mentions and replies to the bot only.
    """
    wanted = discord.Intents.none()
    wanted.guilds = True
    wanted.guild_messages = True
    wanted.dm_messages = True
    wanted.guild_reactions = True
    wanted.dm_reactions = True
    return wanted


class Tree(app_commands.CommandTree[discord.Client]):
    """The slash commands, with the last line of defence."""

    async def on_error(
        self, interaction: discord.Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        """Answer what went wrong before a command's own code ran."""
        if isinstance(error, (app_commands.CommandNotFound, app_commands.CommandSignatureMismatch)):
            log.warning("A command is out of date: %s", error)
            text = CHANGED_COMMAND
        else:
            text = sentence_for(error)
        try:
            await tell(interaction, text)
        except WIRE_ERRORS as again:
            log.warning("Could not tell a person about it: %s", again)


class TunebreederBot(discord.Client):
    """One connection to Discord. A supervisor replaces it when it ends; everything that lasts is in ``room``."""

    def __init__(self, room: Room, sink: DiscordSink, *, ready: Ready | None = None) -> None:
        super().__init__(
            intents=intents(),
            guild_ready_timeout=GUILD_READY_TIMEOUT,
            max_messages=None,
            allowed_mentions=discord.AllowedMentions.none(),
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
        )
        self._room = room
        self._sink = sink
        self._ready_callback = ready
        steering = Steering(room)
        moods = MoodPanel(room, steering)
        self._chat = Chat(self, room)
        self._dispatcher = Dispatcher(room, steering, moods, self._chat)
        self._reactions = Reactions(self, room)
        self.tree = Tree(self, allowed_contexts=_CONTEXTS, allowed_installs=_GUILD_ONLY_INSTALL)
        for group in (Evolve(room, steering), Taste(room), MyData(room)):
            self.tree.add_command(group)
        tuning = Tuning(room)
        self.tree.add_command(Operators(room, tuning))
        self.tree.add_command(Prompts(room, tuning))
        self.tree.add_command(mood_command(moods))
        self.tree.add_command(duel_command(DuelFace(room, steering)))
        self.tree.add_command(top_command(room))
        self.tree.add_command(like_this_command(LikeThis(room, steering)))
        self.tree.add_command(about_command(room))
        self.tree.add_command(help_command())
        self.tree.add_command(health_command(room))
        self.add_dynamic_items(persistent_item(self._dispatcher))
        shield(self)

    async def setup_hook(self) -> None:
        """Register the commands if they changed. A refusal stops nothing: the registered ones go on working."""
        if not self._room.services.settings.discord.sync_commands:
            return
        try:
            await sync_if_changed(self.tree)
        except WIRE_ERRORS as error:
            log.warning("The slash commands could not be registered: %s", error)

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Pass an event on, unless the client has been closed: discord.py may find only then that it is ready."""
        if not self.is_closed():
            super().dispatch(event, *args, **kwargs)

    async def on_ready(self) -> None:
        """Deliver what waits, and catch up on reactions. Discord sends this again after a lost session."""
        log.info("Connected to Discord as %s in %s", self.user, count(len(self.guilds), "server"))
        self._sink.connect(self)
        await self._room.services.outbox.attach(self._sink)
        if self._ready_callback is not None:
            outcome = self._ready_callback()
            if outcome is not None:
                await outcome
        await self._reactions.heal()
        await self._room.services.conductor.wake()
        await self._room.services.duels.wake()

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Answer what no command and no button of ours answers."""
        await self._dispatcher.other(interaction)

    async def on_message(self, message: discord.Message) -> None:
        """Answer what is said to the bot."""
        await self._chat.heard(message)

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """Record a reaction."""
        await self._reactions.changed(event, added=True)

    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        """Take a reaction back."""
        await self._reactions.changed(event, added=False)

    async def on_raw_reaction_clear(self, event: discord.RawReactionClearEvent) -> None:
        """Take back all reactions of a message."""
        await self._reactions.cleared(event.message_id, None)

    async def on_raw_reaction_clear_emoji(self, event: discord.RawReactionClearEmojiEvent) -> None:
        """Take back one emoji's reactions of a message."""
        await self._reactions.cleared(event.message_id, event.emoji)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Stop the run of a channel that is gone."""
        await self._room.services.runs.channel_gone(ChannelId(channel.id))

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Stop the runs of a server that removed the bot; one that is only unavailable keeps them."""
        await self._room.services.runs.guild_gone(GuildId(guild.id))

    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        """Stop the run of a thread that is gone."""
        await self._room.services.runs.channel_gone(ChannelId(event.thread_id))

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """Log what an event's handler raised; the connection goes on."""
        error = sys.exc_info()[1]
        if isinstance(error, UserError) or self.is_closed():
            # About something that is not there, or cut off by the end: nobody waits for an answer, and what was
            # left of it is taken up when the bot is back.
            log.info("Handling %s ended: %s", event_method, error)
        else:
            log.error("Handling %s failed", event_method, exc_info=error)
