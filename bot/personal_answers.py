"""What a press under a chat answer shows to the person who presses, and to nobody else."""

from __future__ import annotations

import io

import discord

from bot.errors import acknowledge, tell
from bot.ids import Chat, ChatAction
from bot.panel import send_file
from bot.present import CONSENT_QUESTION
from bot.room import Room, actor_of
from bot.taste_picture import alt_text, render
from bot.views import consent_buttons, nothing
from bot.words import for_me_text, my_data_text, taste_text, why_text
from domain.errors import UserError
from domain.ids import ClipId, RunId
from domain.vote import Consent

GONE = "That is not there any more. Ask me again."
SETTLED = "You have answered that already; `/mydata show` says what, and lets you change it."


async def show_taste(interaction: discord.Interaction, room: Room) -> None:
    """Show whoever asks their taste in words, and then as a picture, once there is something to see.

    It is drawn where clips are rendered: votes never wait for it, and it may wait for a round in the making.
    """
    actor, services = actor_of(interaction), room.services
    taste = await services.listeners.taste(actor)
    asked = taste.consent in {Consent.UNASKED, Consent.CHANNEL_ONLY}
    await tell(interaction, taste_text(taste), view=consent_buttons() if asked else nothing())
    view = await services.listeners.taste_map(actor)
    picture = None if view is None else await services.device.draw(render, view)
    if view is None or not isinstance(picture, bytes):
        return
    file = discord.File(io.BytesIO(picture), filename="your-taste.png", description=alt_text(view))
    await interaction.edit_original_response(attachments=[file])


async def show_personal(interaction: discord.Interaction, room: Room, press: Chat) -> None:
    """Show whoever presses what is theirs: it is always about the person who presses."""
    await acknowledge(interaction)
    actor, services = actor_of(interaction), room.services
    match press.action:
        case ChatAction.TASTE:
            await show_taste(interaction, room)
        case ChatAction.DATA:
            consent = await services.listeners.consent(actor)
            text = my_data_text(consent, await services.listeners.export(actor))
            asked = consent in {Consent.UNASKED, Consent.CHANNEL_ONLY}
            await tell(interaction, text, view=consent_buttons() if asked else nothing())
        case ChatAction.CONSENT:
            open_ = await services.listeners.consent(actor) is Consent.UNASKED
            await tell(
                interaction,
                CONSENT_QUESTION if open_ else SETTLED,
                view=consent_buttons() if open_ else nothing(),
            )
        case ChatAction.WHY:
            view = await services.clips.why(actor, ClipId(_numbers(press, 1)[0]))
            await tell(interaction, why_text(view))
        case ChatAction.FOR_ME:
            run_id, number = _numbers(press, 2)
            found = await services.clips.for_me(actor, RunId(run_id), number)
            await send_file(interaction, for_me_text(found), found.filename, found.data)
        case _:
            raise UserError(GONE)


def _numbers(press: Chat, count: int) -> list[int]:
    parts = press.subject.split(".")
    if len(parts) != count or not all(part.isdecimal() and len(part) < 19 for part in parts):
        raise UserError(GONE)
    return [int(part) for part in parts]
