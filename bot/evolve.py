"""``/evolve``: start, next, status, resume, stop, reset, branch."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import discord
from discord import app_commands
from discord.app_commands import Choice, Range, locale_str

from bot.errors import acknowledge, answering, tell
from bot.present import status_text
from bot.room import Room, actor_of
from bot.steering import StartRequest, Steering
from domain.run import RunSettings, SearcherName


class Evolve(app_commands.Group):
    """Breed music in this channel."""

    def __init__(self, room: Room, steering: Steering) -> None:
        super().__init__(
            name=locale_str("evolve"),
            description=locale_str("Breed music together in this channel"),
        )
        self._room = room
        self._steering = steering

    @app_commands.command(
        name=locale_str("start"), description=locale_str("Start breeding music here")
    )
    @app_commands.describe(
        vibe=locale_str("What it should be about, in your words, such as: rainy lofi with piano"),
        whom=locale_str("For everyone in this channel, or privately for you"),
        seconds=locale_str("Length of a clip in seconds"),
        candidates=locale_str("Clips made for each round; four of them are posted"),
        quorum=locale_str("How many listeners close a round with their votes"),
        timer=locale_str("Minutes after which a round closes by itself; 0 is never"),
        searcher=locale_str("What breeds; leave it out for the usual one"),
        generator=locale_str("What plays; leave it out for the usual one"),
    )
    @app_commands.rename(whom=locale_str("for"))
    async def start(  # noqa: PLR0913, PLR0917 - Discord's options are the arguments
        self,
        interaction: discord.Interaction,
        vibe: Range[str, 0, 4000] = "",
        whom: Literal["everyone", "me"] = "everyone",
        seconds: Range[int, 4, 30] | None = None,
        candidates: Range[int, 8, 16] | None = None,
        quorum: Range[int, 1, 50] | None = None,
        timer: Range[int, 0, 1440] | None = None,
        searcher: SearcherName | None = None,
        generator: str | None = None,
    ) -> None:
        """Start breeding music here."""
        async with answering(interaction):
            chosen: dict[str, float | int | str | None] = {
                "generator": generator,
                "seconds": float(seconds) if seconds is not None else None,
                "candidates": candidates,
                "quorum": quorum,
                "timer": timer * 60.0 if timer is not None else None,
            }
            request = StartRequest(
                vibe=vibe,
                for_me=whom == "me",
                settings=self._settings(chosen),
                searcher=searcher,
            )
            await self._steering.start(interaction, request)

    @start.autocomplete("generator")
    async def generators(self, _: discord.Interaction, current: str) -> list[Choice[str]]:
        """Offer what can play here."""
        names = self._room.services.runs.generators
        return [Choice(name=one, value=one) for one in names if current.lower() in one.lower()][:25]

    def _settings(self, chosen: dict[str, float | int | str | None]) -> RunSettings | None:
        changes = {name: value for name, value in chosen.items() if value is not None}
        if not changes:
            return None
        return replace(self._room.services.runs.default_settings(), **changes)  # type: ignore[arg-type]

    @app_commands.command(
        name=locale_str("next"), description=locale_str("Close this round and breed the next one")
    )
    async def next(self, interaction: discord.Interaction) -> None:
        """Close this round and breed the next one."""
        async with answering(interaction):
            await self._steering.next(interaction)

    @app_commands.command(
        name=locale_str("status"), description=locale_str("How the breeding here stands")
    )
    async def status(self, interaction: discord.Interaction) -> None:
        """Say how the run here stands, to the person who asks."""
        async with answering(interaction):
            await acknowledge(interaction)
            view = await self._room.services.runs.status(actor_of(interaction).channel_id)
            await tell(interaction, status_text(view))

    @app_commands.command(
        name=locale_str("resume"), description=locale_str("Go on with a paused run")
    )
    async def resume(self, interaction: discord.Interaction) -> None:
        """Go on with a paused run."""
        async with answering(interaction):
            await self._steering.resume(interaction)

    @app_commands.command(
        name=locale_str("stop"), description=locale_str("Stop breeding here; everything is kept")
    )
    async def stop(self, interaction: discord.Interaction) -> None:
        """Stop breeding here."""
        async with answering(interaction):
            await self._steering.stop(interaction)

    @app_commands.command(
        name=locale_str("reset"),
        description=locale_str("Start over here with the same vibe; tastes are kept"),
    )
    async def reset(self, interaction: discord.Interaction) -> None:
        """Start over here."""
        async with answering(interaction):
            await self._steering.reset(interaction)

    @app_commands.command(
        name=locale_str("branch"),
        description=locale_str("Breed on from one clip in a thread of your own"),
    )
    @app_commands.describe(clip=locale_str("Which clip of the latest round here"))
    async def branch(
        self, interaction: discord.Interaction, clip: Literal["A", "B", "C", "D"]
    ) -> None:
        """Breed on from one clip in a thread of your own."""
        async with answering(interaction):
            await self._steering.branch_by_letter(interaction, "ABCD".index(clip) + 1)
