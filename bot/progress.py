"""The status line: one message that is edited while a round is made, with a button to cancel it."""

from __future__ import annotations

import asyncio
import logging

import discord

from bot.room import place
from bot.text import quote
from bot.views import cancel_button, nothing
from service.clock import Clock
from service.queue import Ticket
from service.views import Progress

log = logging.getLogger(__name__)

EDIT_EVERY = 1.2
"""Seconds between two edits: Discord allows about five in five seconds for a channel."""


class StatusLine:
    """One message in the channel. It outlives the interaction that led to it, and losing it stops nothing."""

    def __init__(
        self, headline: str, message: discord.PartialMessage | discord.InteractionMessage
    ) -> None:
        self._headline = headline
        self._message: discord.PartialMessage | discord.InteractionMessage | None = message

    @classmethod
    async def open(
        cls,
        interaction: discord.Interaction,
        headline: str,
        ticket: Ticket,
        *,
        channel_id: int | None = None,
    ) -> StatusLine | None:
        """Show the line.

        Args:
            interaction: What led to it; its placeholder becomes the line or goes away.
            headline: Who asked for what.
            ticket: The job.
            channel_id: Where, when it is not where the interaction happened.

        Returns:
            The line, or ``None`` when nothing can be shown there.
        """
        text = _text(headline, ticket.progress)
        view = cancel_button(ticket.id)
        where = place(interaction.client, channel_id or interaction.channel_id or 0)
        waiting = interaction.extras.pop("waiting", None)
        try:
            if waiting == "public" and channel_id is None:
                shown = await interaction.edit_original_response(content=text, view=view)
                return cls(headline, where.get_partial_message(shown.id))
            sent = await where.send(text, view=view)
            if waiting in {"public", "private"}:
                await interaction.delete_original_response()
        except discord.HTTPException as error:
            log.debug("No status line: %s", error)
            return None
        return cls(headline, where.get_partial_message(sent.id))

    async def follow(self, ticket: Ticket, clock: Clock) -> Progress:
        """Edit the line as the job goes on, the latest state always last, and end it with the job."""
        changed = asyncio.Event()

        async def read() -> None:
            async for _ in ticket.watch():
                changed.set()

        async def write() -> None:
            while True:
                await changed.wait()
                changed.clear()
                if ticket.progress.finished:
                    return
                await self._edit(_text(self._headline, ticket.progress), cancel_button(ticket.id))
                await clock.sleep(EDIT_EVERY)

        await asyncio.gather(read(), write())
        await self._end(ticket.progress)
        return ticket.progress

    async def _end(self, last: Progress) -> None:
        if last.error:
            await self._edit(_text(self._headline, last), nothing())
        elif self._message is not None:
            try:
                await self._message.delete()
            except discord.HTTPException as error:
                log.debug("A status line stays: %s", error)

    async def _edit(self, text: str, view: discord.ui.View) -> None:
        if self._message is None:
            return
        try:
            await self._message.edit(content=text, view=view)
        except discord.HTTPException as error:
            log.debug("A status line is lost: %s", error)
            self._message = None


def _text(headline: str, progress: Progress) -> str:
    return f"{headline} · {quote(progress.error or progress.text, 300)}"
