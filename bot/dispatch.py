"""From a custom id to what it does. Everything that is pressed or sent in comes through here."""

from __future__ import annotations

import logging
from typing import Any

import discord
from discord import ui

from bot import ids, mood_face, views
from bot.chat import Chat
from bot.duel import DuelFace
from bot.errors import acknowledge_quietly, answering, tell
from bot.mood import MoodPanel
from bot.panel import Panel
from bot.present import answered
from bot.room import Room, actor_of, values_of
from bot.steering import Steering
from bot.text import count
from bot.tuning import Tuning
from bot.tuning_ids import Tune
from bot.words import erased_text
from domain.ids import ClipId
from domain.vote import Consent

log = logging.getLogger(__name__)

UNKNOWN_BUTTON = (
    "That button is from another version of me and does nothing now. `/help` says what there is."
)
_COMPONENT = discord.InteractionType.component
_MODAL = discord.InteractionType.modal_submit


class Dispatcher:
    """Routes presses, selects and forms."""

    def __init__(self, room: Room, steering: Steering, moods: MoodPanel, chat: Chat) -> None:
        self._room = room
        self._steering = steering
        self._moods = moods
        self._chat = chat
        self._panel = Panel(room, steering, moods)
        self._tuning = Tuning(room)
        self._duels = DuelFace(room, steering)

    async def component(self, interaction: discord.Interaction, custom_id: str) -> None:
        """Answer a press or a select of ours."""
        async with answering(interaction):
            press = ids.parse(custom_id)
            if press is None:
                await tell(interaction, UNKNOWN_BUTTON)
            else:
                await self._press(interaction, press)

    async def other(self, interaction: discord.Interaction) -> None:
        """Answer forms, and components that are not ours; leave everything else alone."""
        data: Any = interaction.data
        custom_id = data.get("custom_id") if isinstance(data, dict) else None
        if not isinstance(custom_id, str):
            return
        if interaction.type is _MODAL:
            async with answering(interaction):
                await self._form(interaction, custom_id, data)
        elif interaction.type is _COMPONENT and not custom_id.startswith(ids.PREFIX):
            async with answering(interaction):
                await tell(interaction, UNKNOWN_BUTTON)

    async def _press(self, interaction: discord.Interaction, press: ids.Press) -> None:
        match press:
            case ids.Rate() | ids.Favourite():
                await self._vote(interaction, press)
            case ids.Do() | ids.Pick() | ids.More() | ids.Mood():
                await self._on_music(interaction, press)
            case ids.DuelPress():
                await self._duels.press(interaction, press)
            case ids.Chat():
                await self._chat.press(interaction, press)
            case ids.Resume(run_id=run_id):
                await self._steering.resume(interaction, run_id)
            case ids.Cancel(ticket_id=ticket_id):
                await self._steering.cancel(interaction, ticket_id)
            case ids.ConsentAnswer(yes=yes):
                await self._consent(interaction, yes=yes)
            case ids.EraseAnswer() | ids.ForgetAnswer():
                await self._gone(interaction, press)
            case Tune():
                await self._tuning.press(interaction, press, values_of(interaction))

    async def _on_music(
        self, interaction: discord.Interaction, press: ids.Do | ids.Pick | ids.More | ids.Mood
    ) -> None:
        values = values_of(interaction)
        match press:
            case ids.Do(verb=ids.Verb.MORE):
                await self._panel.open(interaction, press)
            case ids.Do():
                await self._steering.press(interaction, press)
            case ids.Pick():
                await self._steering.picked(interaction, press, values)
            case ids.More():
                await self._panel.press(interaction, press, values)
            case ids.Mood():
                await self._moods.press(interaction, press, values)

    async def _vote(
        self, interaction: discord.Interaction, press: ids.Rate | ids.Favourite
    ) -> None:
        actor = actor_of(interaction)
        feedback = self._room.services.feedback
        if isinstance(press, ids.Rate):
            await self._room.receipts.press(
                interaction,
                lambda: feedback.rate(actor, press.clip_id, press.grade, interaction.id),
            )
        else:
            await self._room.receipts.press(
                interaction, lambda: feedback.favourite(actor, press.clip_id, interaction.id)
            )

    async def _consent(self, interaction: discord.Interaction, *, yes: bool) -> None:
        await acknowledge_quietly(interaction)
        consent = Consent.TASTE if yes else Consent.CHANNEL_ONLY
        await self._room.services.listeners.set_consent(actor_of(interaction), consent)
        self._room.receipts.settled(interaction.user.id, consent)
        before = interaction.message.content if interaction.message is not None else ""
        await interaction.edit_original_response(
            content=answered(before, yes=yes), view=views.nothing()
        )

    async def _gone(
        self, interaction: discord.Interaction, press: ids.EraseAnswer | ids.ForgetAnswer
    ) -> None:
        await acknowledge_quietly(interaction)
        listeners, actor = self._room.services.listeners, actor_of(interaction)
        if not press.yes:
            text = "Nothing was deleted."
        elif isinstance(press, ids.ForgetAnswer):
            gone = count(await listeners.reset_taste(actor), "vote")
            text = f"Forgotten: {gone}. Your taste here starts from nothing."
        else:
            text = erased_text(await listeners.erase(actor))
            self._room.receipts.settled(interaction.user.id, None)
        await interaction.edit_original_response(content=text, view=views.nothing())

    async def _form(
        self, interaction: discord.Interaction, custom_id: str, data: dict[str, Any]
    ) -> None:
        press = ids.parse(custom_id)
        fields = form_fields(data.get("components"))
        if isinstance(press, ids.Mood) and press.action is ids.MoodAction.SAY:
            said = fields.get(mood_face.SAY_WORDS, "")[: mood_face.SAY_LIMIT]
            await self._moods.said(interaction, press, said)
            return
        if isinstance(press, Tune):
            await self._tuning.sent(interaction, press, fields)
            return
        clip = fields.get(views.REMIX_CLIP, "")
        if (
            not isinstance(press, ids.Do)
            or press.verb is not ids.Verb.REMIX
            or not clip.isdecimal()
        ):
            await tell(interaction, UNKNOWN_BUTTON)
            return
        words = fields.get(views.REMIX_WORDS, "")[: views.REMIX_LIMIT]
        await self._steering.remix(interaction, press, ClipId(int(clip[:18])), words)


def form_fields(components: Any, depth: int = 0) -> dict[str, str]:
    """Read the values of a form that came in, by custom id. Malformed parts are left away; never raises.

    Args:
        components: What Discord sent: labels with one component, or rows with several.
        depth: How deep it is nested.
    """
    found: dict[str, str] = {}
    if not isinstance(components, list) or depth > 3:
        return found
    for part in components:
        if not isinstance(part, dict):
            continue
        inner = part.get("components") or ([part["component"]] if part.get("component") else [])
        found |= form_fields(inner, depth + 1)
        name, value, values = part.get("custom_id"), part.get("value"), part.get("values")
        if isinstance(values, list) and values:
            value = values[0]
        if isinstance(name, str) and isinstance(value, str):
            found[name] = value
    return found


def persistent_item(dispatcher: Dispatcher) -> type[ui.DynamicItem[ui.Item[Any]]]:
    """Return the dynamic item that answers to every custom id of ours, before and after a restart."""

    class Persistent(ui.DynamicItem[ui.Item[Any]], template=ids.TEMPLATE):
        @classmethod
        async def from_custom_id(
            cls, _interaction: discord.Interaction, item: ui.Item[Any], _match: object, /
        ) -> Persistent:
            return cls(item)

        async def callback(self, interaction: discord.Interaction) -> None:
            await dispatcher.component(interaction, self.custom_id)

    return Persistent
