"""``/mood``: one private message that plays what its buttons say. It is rebuilt from its custom ids at every press."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from weakref import WeakValueDictionary

import discord
from discord import app_commands
from discord.app_commands import Range, locale_str

from bot.errors import WIRE_ERRORS, acknowledge, acknowledge_quietly, answering, tell
from bot.ids import Mood, MoodAction
from bot.mood_face import face, panel_view, say_modal
from bot.places import check_may_post
from bot.present import alt_text
from bot.progress import follow
from bot.room import Room, actor_of
from bot.sink import AudioFile
from bot.steering import Steering
from domain.errors import ForbiddenError, NotFoundError, UserError
from domain.ids import ClipId
from service.mood import MoodView
from service.mood_session import Kind
from service.queue import Ticket
from service.views import Actor, Progress

log = logging.getLogger(__name__)

STEPS = {
    MoodAction.DOWN_MUCH: -2,
    MoodAction.DOWN: -1,
    MoodAction.UP: 1,
    MoodAction.UP_MUCH: 2,
}
KEPT = "Kept: its audio stays for good."
NO_CLIP = "There is no clip yet. Press Listen first."
MAY_NOT_WRITE = "You may not write in this channel, so I do not post there for you."


class MoodPanel:
    """Opens panels and does what is pressed on them."""

    def __init__(self, room: Room, steering: Steering) -> None:
        self._room = room
        self._moods = room.services.moods
        self._clips = room.services.clips
        self._steering = steering
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def open(self, interaction: discord.Interaction, start: str) -> None:
        """Show a new panel: the command."""
        await acknowledge(interaction)
        view = await self._moods.open(actor_of(interaction), start)
        await tell(interaction, face(view), view=panel_view(view))

    async def open_on(self, interaction: discord.Interaction, clip_id: ClipId, kind: Kind) -> None:
        """Show a panel on a clip: the button. A longer version is made at once."""
        await acknowledge(interaction)
        actor = actor_of(interaction)
        view = await self._moods.open_on(actor, clip_id, kind)
        await tell(interaction, face(view), view=panel_view(view))
        if kind is Kind.LONGER:
            await self._listen(interaction, actor, view.panel_id)

    async def press(
        self, interaction: discord.Interaction, press: Mood, values: Sequence[str]
    ) -> None:
        """Do what was pressed on a panel."""
        actor = actor_of(interaction)
        match press.action:
            case MoodAction.SAY:  # a form must be the first answer
                await self._moods.look(actor, press.panel_id)
                await interaction.response.send_modal(say_modal(press.panel_id))
            case MoodAction.LISTEN:
                await self._listen(interaction, actor, press.panel_id)
            case MoodAction.POST:
                await self._post(interaction, actor, press)
            case MoodAction.BREED:
                await self._steering.breed_from(interaction, _clip(press))
            case MoodAction.KEEP:
                await self._keep(interaction, actor, press)
            case _:
                change = self._change(actor, press, values[0] if values else "")
                await self._redraw(interaction, press.panel_id, change)

    async def said(self, interaction: discord.Interaction, press: Mood, words: str) -> None:
        """Change what a person's words ask for: the form that came back."""
        actor = actor_of(interaction)
        await self._redraw(
            interaction, press.panel_id, lambda: self._moods.say(actor, press.panel_id, words)
        )

    def _change(self, actor: Actor, press: Mood, value: str) -> Callable[[], Awaitable[MoodView]]:
        panel_id = press.panel_id
        match press.action:
            case MoodAction.FEATURE:
                return lambda: self._moods.choose(actor, panel_id, value)
            case MoodAction.TONE:
                name, _, number = value.partition(":")
                if not number.isdecimal() or len(number) > 2:
                    raise UserError("Pick a key, a mode or a metre from the list.")
                return lambda: self._moods.tone(actor, panel_id, name, int(number))
            case MoodAction.UNDO:
                return lambda: self._moods.undo(actor, panel_id)
            case MoodAction.RESET:
                return lambda: self._moods.reset(actor, panel_id)
            case _:
                return lambda: self._moods.step(actor, panel_id, STEPS[press.action])

    def _lock(self, panel_id: int) -> asyncio.Lock:
        """Return what keeps the faces of a panel in the order of its presses."""
        return self._locks.setdefault(panel_id, asyncio.Lock())

    async def _redraw(
        self,
        interaction: discord.Interaction,
        panel_id: int,
        change: Callable[[], Awaitable[MoodView]],
        **extra: Any,
    ) -> None:
        """Do something to a panel and show it on the panel itself."""
        async with self._lock(panel_id):
            view = await change()
            shown = {"content": face(view), "view": panel_view(view), **extra}
            if interaction.response.is_done():
                await interaction.edit_original_response(**shown)
            else:
                await interaction.response.edit_message(**shown)

    # Hearing ------------------------------------------------------------------------------------------

    async def _listen(self, interaction: discord.Interaction, actor: Actor, panel_id: int) -> None:
        ticket = await self._moods.listen(actor, panel_id)
        note = ""
        if ticket is None:
            await acknowledge_quietly(interaction)
        else:
            last = await self._follow(interaction, actor, panel_id, ticket)
            note = last.error or ""
        view = await self._moods.look(actor, panel_id, note)
        extra = {} if note or view.clip is None else {"attachments": [await self._file(view)]}
        await self._redraw(
            interaction, panel_id, lambda: self._moods.look(actor, panel_id, note), **extra
        )

    async def _follow(
        self, interaction: discord.Interaction, actor: Actor, panel_id: int, ticket: Ticket
    ) -> Progress:
        async def show(progress: Progress) -> None:
            try:
                await self._redraw(
                    interaction,
                    panel_id,
                    lambda: self._moods.look(actor, panel_id, f"⏳ {progress.text}"),
                )
            except WIRE_ERRORS as error:
                log.debug("The progress of a clip is not shown: %s", error)

        if not interaction.response.is_done():
            await acknowledge_quietly(interaction)
        return await follow(ticket, self._room.services.clock, show)

    async def _file(self, view: MoodView) -> discord.File:
        if view.clip is None:
            raise NotFoundError(NO_CLIP)
        download = await self._moods.sound(view.clip)
        return AudioFile(download.data, download.filename, view.clip, alt_text(view.clip, 1))

    # With the clip ------------------------------------------------------------------------------------

    async def _post(self, interaction: discord.Interaction, actor: Actor, press: Mood) -> None:
        clip_id = _clip(press)
        check_may_post(interaction)
        may = interaction.permissions
        writes = (
            may.send_messages_in_threads
            if isinstance(interaction.channel, discord.Thread)
            else may.send_messages
        )
        if interaction.guild_id is not None and not (writes or may.administrator):
            raise ForbiddenError(MAY_NOT_WRITE)
        await acknowledge_quietly(interaction)
        view = await self._moods.post(actor, press.panel_id, clip_id)
        await self._redraw(
            interaction,
            press.panel_id,
            lambda: self._moods.look(actor, press.panel_id, view.note),
        )

    async def _keep(self, interaction: discord.Interaction, actor: Actor, press: Mood) -> None:
        await self._clips.keep(actor, _clip(press))
        await self._redraw(
            interaction, press.panel_id, lambda: self._moods.look(actor, press.panel_id, KEPT)
        )


def _clip(press: Mood) -> ClipId:
    if press.clip_id is None:
        raise NotFoundError(NO_CLIP)
    return press.clip_id


def mood_command(panel: MoodPanel) -> app_commands.Command[app_commands.Group, ..., None]:
    """Return ``/mood``."""

    @app_commands.command(
        name=locale_str("mood"),
        description=locale_str("Set energy, happiness, tempo and more, and hear what they give"),
    )
    @app_commands.describe(
        start=locale_str(
            "A clip (B, #12 or a message link), a genre, a mood, or nothing for the middle"
        )
    )
    @app_commands.rename(start=locale_str("from"))
    async def mood(interaction: discord.Interaction, start: Range[str, 0, 300] = "") -> None:
        """Open a panel."""
        async with answering(interaction):
            await panel.open(interaction, start)

    return mood
