"""``/about``, ``/help`` and ``/health``."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.app_commands import locale_str

from bot.errors import acknowledge, answering, tell
from bot.room import Room, actor_of
from bot.words import HELP, about_text
from bot.words_health import health_text
from domain.errors import ForbiddenError

HEALTH_HERE = "I tell that to moderators, in a channel of a server that they moderate."


def about_command(room: Room) -> app_commands.Command[app_commands.Group, ..., None]:
    """Return ``/about``."""

    @app_commands.command(
        name=locale_str("about"), description=locale_str("What is running, licences and privacy")
    )
    async def about(interaction: discord.Interaction) -> None:
        """Say what is running."""
        async with answering(interaction):
            await acknowledge(interaction)
            await tell(interaction, about_text(await room.services.about.view()))

    return about


def help_command() -> app_commands.Command[app_commands.Group, ..., None]:
    """Return ``/help``."""

    @app_commands.command(name=locale_str("help"), description=locale_str("How to use me"))
    async def show_help(interaction: discord.Interaction) -> None:
        """Say how to use the bot."""
        async with answering(interaction):
            await tell(interaction, HELP)

    return show_help


def health_command(room: Room) -> app_commands.Command[app_commands.Group, ..., None]:
    """Return ``/health``."""

    @app_commands.command(
        name=locale_str("health"),
        description=locale_str("How I do right now: what plays, what waits, what is wrong"),
    )
    async def health(interaction: discord.Interaction) -> None:
        """Say how the bot does, to moderators."""
        async with answering(interaction):
            if interaction.guild_id is None:
                raise ForbiddenError(HEALTH_HERE)
            await acknowledge(interaction)
            view = await room.services.health.view(actor_of(interaction))
            await tell(interaction, health_text(view, interaction.client.latency))

    return health
