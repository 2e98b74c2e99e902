"""``/taste`` and ``/mydata``: what a person sees of themselves, takes along and deletes. Always private."""

from __future__ import annotations

import gzip
import json

import discord
from discord import app_commands
from discord.app_commands import locale_str

from bot.errors import acknowledge, answering, tell
from bot.panel import send_file
from bot.personal_answers import show_taste
from bot.room import Room, actor_of
from bot.views import consent_buttons, erase_buttons, forget_buttons, nothing
from bot.words import my_data_text
from domain.vote import Consent

LARGE = 2**20
"""Bytes from which an export is compressed."""
PAUSED = "Collection is paused: your presses and reactions change nothing until you use `/mydata pause` again."
UNPAUSED = "Collection is on again. May I learn your taste as well?"
ERASE = (
    "This deletes everything I hold about you on every server: votes, tastes and choices. It cannot be undone. "
    "`/mydata export` gives you a copy first."
)
FORGET = (
    "This forgets all your votes on this server, and the taste that I learned from them. It cannot be undone. "
    "`/mydata export` gives you a copy first."
)


class Taste(app_commands.Group):
    """What a listener seems to like."""

    def __init__(self, room: Room) -> None:
        super().__init__(
            name=locale_str("taste"), description=locale_str("Your taste, as I understand it")
        )
        self._room = room

    @app_commands.command(
        name=locale_str("show"), description=locale_str("What you seem to like, and how sure I am")
    )
    async def show(self, interaction: discord.Interaction) -> None:
        """Show the taste in words and as a picture."""
        async with answering(interaction):
            await acknowledge(interaction)
            await show_taste(interaction, self._room)

    @app_commands.command(
        name=locale_str("reset"),
        description=locale_str("Forget your votes and taste on this server"),
    )
    async def reset(self, interaction: discord.Interaction) -> None:
        """Ask before forgetting the taste here."""
        async with answering(interaction):
            await tell(interaction, FORGET, view=forget_buttons())


class MyData(app_commands.Group):
    """A person's own data."""

    def __init__(self, room: Room) -> None:
        super().__init__(
            name=locale_str("mydata"),
            description=locale_str("What I hold about you, and your say in it"),
        )
        self._listeners = room.services.listeners

    @app_commands.command(
        name=locale_str("show"), description=locale_str("A summary of what I hold about you")
    )
    async def show(self, interaction: discord.Interaction) -> None:
        """Summarise what is held."""
        async with answering(interaction):
            await acknowledge(interaction)
            actor = actor_of(interaction)
            consent = await self._listeners.consent(actor)
            text = my_data_text(consent, await self._listeners.export(actor))
            asked = consent in {Consent.UNASKED, Consent.CHANNEL_ONLY}
            await tell(interaction, text, view=consent_buttons() if asked else nothing())

    @app_commands.command(
        name=locale_str("export"), description=locale_str("Everything I hold about you, as a file")
    )
    async def export(self, interaction: discord.Interaction) -> None:
        """Send everything as JSON."""
        async with answering(interaction):
            await acknowledge(interaction)
            held = await self._listeners.export(actor_of(interaction))
            data = json.dumps(held, ensure_ascii=False, indent=2).encode()
            name = "tunebreeder-my-data.json"
            if len(data) > LARGE:
                data, name = gzip.compress(data), f"{name}.gz"
            await send_file(interaction, "Everything I hold about you.", name, data)

    @app_commands.command(
        name=locale_str("delete"), description=locale_str("Delete everything I hold about you")
    )
    async def delete(self, interaction: discord.Interaction) -> None:
        """Ask before deleting everything."""
        async with answering(interaction):
            await tell(interaction, ERASE, view=erase_buttons())

    @app_commands.command(
        name=locale_str("pause"),
        description=locale_str("Stop collecting about you, or start again"),
    )
    async def pause(self, interaction: discord.Interaction) -> None:
        """Pause collection; a second time it starts again."""
        async with answering(interaction):
            await acknowledge(interaction)
            actor = actor_of(interaction)
            if await self._listeners.consent(actor) is Consent.PAUSED:
                await self._listeners.set_consent(actor, Consent.CHANNEL_ONLY)
                await tell(interaction, UNPAUSED, view=consent_buttons())
            else:
                await self._listeners.set_consent(actor, Consent.PAUSED)
                await tell(interaction, PAUSED)
