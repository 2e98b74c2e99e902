"""``/top``: the best clips of a place, with their sound, and whether new rounds win. Private to who asks."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands
from discord.app_commands import locale_str

from bot.errors import acknowledge, answering, tell
from bot.places import may_see
from bot.present import AI_LABEL
from bot.room import Room, actor_of
from bot.sink import AudioFile
from bot.text import shorten
from bot.words_proof import top_text
from service.top import Scope, TopView
from service.views import RoundClip

_SCOPES = {"run": Scope.RUN, "channel": Scope.CHANNEL, "server": Scope.SERVER}


def top_command(room: Room) -> app_commands.Command[app_commands.Group, ..., None]:
    """Return ``/top``."""

    @app_commands.command(
        name=locale_str("top"),
        description=locale_str("The best clips here, and whether new rounds win"),
    )
    @app_commands.describe(
        where=locale_str("This run, this channel or the channels of this server that you see"),
        whom=locale_str("What everyone liked most, or what you should like most"),
    )
    @app_commands.rename(whom=locale_str("for"))
    async def top(
        interaction: discord.Interaction,
        where: Literal["run", "channel", "server"] = "channel",
        whom: Literal["everyone", "me"] = "everyone",
    ) -> None:
        """Show the best clips."""
        async with answering(interaction):
            await acknowledge(interaction)
            view = await room.services.top.top(
                actor_of(interaction),
                _SCOPES[where],
                for_me=whom == "me",
                may_see=lambda channel_id: may_see(interaction, channel_id),
            )
            await tell(interaction, top_text(view), files=_files(view))

    return top


def _files(view: TopView) -> list[discord.File]:
    return [AudioFile(one.data, one.filename, one.clip, _alt_text(one)) for one in view.files]


def _alt_text(one: RoundClip) -> str:
    return f"Place {one.slot}, {one.clip.seconds:.0f} seconds, {AI_LABEL}: {shorten(one.clip.prompt, 900)}"
