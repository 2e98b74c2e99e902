"""The status line: one message that is edited while a round is made, with a button to cancel it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import discord

from bot.errors import WIRE_ERRORS
from bot.room import place
from bot.text import quote
from bot.views import cancel_button, nothing
from service.clock import Clock
from service.queue import Ticket
from service.views import Progress

log = logging.getLogger(__name__)

EDIT_EVERY = 1.2
"""Seconds between two edits: Discord allows about five in five seconds for a channel."""


async def follow(
    ticket: Ticket, clock: Clock, show: Callable[[Progress], Awaitable[None]]
) -> Progress:
    """Show how a job goes on, the latest state always last and not too often, until it ends; the end is not shown."""
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
            await show(ticket.progress)
            await clock.sleep(EDIT_EVERY)

    await asyncio.gather(read(), write())
    return ticket.progress


class StatusLine:
    """One message in the channel. It outlives the interaction that led to it, and losing it stops nothing."""

    def __init__(self, headline: str, message: discord.PartialMessage) -> None:
        self._headline = headline
        self._message: discord.PartialMessage | None = message

    @classmethod
    async def open(
        cls, client: discord.Client, channel_id: int, headline: str, ticket: Ticket
    ) -> StatusLine | None:
        """Show the line in a channel, or return ``None`` when the channel does not take it.

        Args:
            client: Who shows it.
            channel_id: Where.
            headline: Who asked for what.
            ticket: The job.
        """
        where = place(client, channel_id)
        try:
            sent = await where.send(_text(headline, ticket.progress), view=cancel_button(ticket.id))
        except WIRE_ERRORS as error:
            log.debug("No status line: %s", error)
            return None
        return cls(headline, where.get_partial_message(sent.id))

    async def follow(self, ticket: Ticket, clock: Clock) -> Progress:
        """Edit the line as the job goes on, the latest state always last, and end it with the job."""

        async def show(progress: Progress) -> None:
            await self._edit(_text(self._headline, progress), cancel_button(ticket.id))

        await follow(ticket, clock, show)
        await self._end(ticket.progress)
        return ticket.progress

    async def _end(self, last: Progress) -> None:
        if last.error:
            await self._edit(_text(self._headline, last), nothing())
        elif self._message is not None:
            try:
                await self._message.delete()
            except WIRE_ERRORS as error:
                log.debug("A status line stays: %s", error)

    async def _edit(self, text: str, view: discord.ui.View) -> None:
        if self._message is None:
            return
        try:
            await self._message.edit(content=text, view=view)
        except WIRE_ERRORS as error:
            log.debug("A status line is lost: %s", error)
            self._message = None


def _text(headline: str, progress: Progress) -> str:
    return f"{headline} · {quote(progress.error or progress.text, 300)}"
