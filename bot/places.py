"""Where a run may live: checks before anything is rendered, threads for branches, private places for one listener."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import discord

from bot.errors import WIRE_ERRORS
from bot.text import shorten
from domain.errors import UserError

log = logging.getLogger(__name__)

Place = discord.Thread | discord.DMChannel


class Setting(Protocol):
    """Where something happened, and who did it: an interaction, or as much of a message."""

    @property
    def guild_id(self) -> int | None:
        """The server, or ``None`` in direct messages."""

    @property
    def channel(self) -> Any:
        """The channel as discord.py knows it."""

    @property
    def user(self) -> discord.User | discord.Member:
        """Who did it."""

    @property
    def app_permissions(self) -> discord.Permissions:
        """What the bot may do there."""


_NEEDED = {
    "view_channel": "View Channel",
    "attach_files": "Attach Files",
    "read_message_history": "Read Message History",
}
CLOSED_DOOR = (
    "I can make neither a private thread here nor write to you directly. Allow direct messages from this server in its "
    "privacy settings, or ask a moderator to let me create private threads."
)
NO_BRANCH = "I lack a permission for a branch: Send Messages, Create Public Threads and Send Messages in Threads."
TOO_MANY_THREADS = 160006
TOO_MANY = "This server has as many open threads as Discord allows. Close one, then branch again."
NO_THREADS = (
    "A branch needs a thread, and there are none here. Try it in a text channel of a server."
)


def check_may_post(interaction: Setting) -> None:
    """Check that rounds can be posted where an interaction happened.

    Raises:
        UserError: A permission is missing; names it.
    """
    if interaction.guild_id is None:
        return
    have = interaction.app_permissions
    in_thread = isinstance(interaction.channel, discord.Thread)
    speak = "send_messages_in_threads" if in_thread else "send_messages"
    names = {**_NEEDED, speak: "Send Messages in Threads" if in_thread else "Send Messages"}
    missing = [
        label for name, label in names.items() if not (have.administrator or getattr(have, name))
    ]
    if missing:
        raise UserError(
            f"I cannot post rounds here: I lack {' and '.join(missing)}. A moderator can grant it in the channel's "
            "permissions."
        )


def may_see(interaction: Setting, channel_id: int) -> bool:
    """Tell whether who acts may read another channel of the server; a place that is not known here counts as closed.

    A private thread is for those inside it, and who they are is not known here.
    """
    guild = getattr(interaction.channel, "guild", None)
    if not isinstance(guild, discord.Guild) or not isinstance(interaction.user, discord.Member):
        return False
    channel = guild.get_channel_or_thread(channel_id)
    if channel is None or (isinstance(channel, discord.Thread) and channel.is_private()):
        return False
    can = channel.permissions_for(interaction.user)
    return can.view_channel and can.read_message_history


@asynccontextmanager
async def private_place(interaction: Setting, title: str) -> AsyncIterator[Place]:
    """Make a place that one person and the bot see: a private thread, else their direct messages.

    It goes away again when what it was made for fails.

    Raises:
        UserError: There is no such place.
    """
    channel = interaction.channel
    if isinstance(channel, discord.DMChannel):
        yield channel
        return
    thread = await _private_thread(interaction, title)
    if thread is None:
        yield await _direct_messages(interaction)
        return
    async with _kept_if_used(thread):
        yield thread


@asynccontextmanager
async def branch_thread(interaction: Setting, title: str) -> AsyncIterator[discord.Thread]:
    """Make a public thread for a branch; it goes away again when the branch fails.

    Raises:
        UserError: There can be no thread here.
    """
    channel = interaction.channel
    if isinstance(channel, discord.Thread):
        channel = channel.parent
    if not isinstance(channel, discord.TextChannel):
        raise UserError(NO_THREADS)
    name = discord.utils.escape_markdown(interaction.user.display_name)
    try:
        # A thread that starts from a message with words shows them at its top.
        starter = await channel.send(f"🌿 {name}: {title}")
    except discord.Forbidden as error:
        raise UserError(NO_BRANCH) from error
    async with _kept_if_used(starter):
        try:
            thread = await starter.create_thread(name=shorten(title, 90))
        except discord.HTTPException as error:
            raise UserError(TOO_MANY if error.code == TOO_MANY_THREADS else NO_BRANCH) from error
        async with _kept_if_used(thread):
            yield thread


async def _private_thread(interaction: Setting, title: str) -> discord.Thread | None:
    channel = interaction.channel
    if not isinstance(channel, discord.TextChannel):
        return None
    try:
        thread = await channel.create_thread(
            name=shorten(title, 90), type=discord.ChannelType.private_thread, invitable=False
        )
    except discord.HTTPException as error:  # no permission, or none in this kind of channel
        log.debug("No private thread: %s", error)
        return None
    async with _kept_if_used(thread):
        await thread.add_user(interaction.user)
    return thread


async def _direct_messages(interaction: Setting) -> discord.DMChannel:
    try:
        return await interaction.user.create_dm()
    except discord.HTTPException as error:
        raise UserError(CLOSED_DOOR) from error


@asynccontextmanager
async def _kept_if_used(made: discord.Thread | discord.Message) -> AsyncIterator[None]:
    """Delete what nothing came of. It stays for who gave up in between: a run that is stored goes on there."""
    try:
        yield
    except Exception:
        try:
            await made.delete()
        except WIRE_ERRORS as error:
            log.debug("Something unused stays: %s", error)
        raise
