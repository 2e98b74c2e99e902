"""One policy for everything that can go wrong while answering a person.

A ``UserError`` is shown as it is, to that person only. An expired or already answered interaction is nobody's fault and
is logged at debug. Anything else gets a reference that the person can quote and the log can be searched for.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord

from domain.errors import ClosedError, DiskFullError, UserError

log = logging.getLogger(__name__)

WIRE_ERRORS = (discord.HTTPException, aiohttp.ClientError, OSError)
"""What a request to Discord may end with: a refusal, or no answer at all."""
TRANSIENT = (
    discord.DiscordServerError,
    discord.RateLimited,
    discord.GatewayNotFound,
    aiohttp.ClientError,
    ConnectionError,
    TimeoutError,
)
"""What is wrong with Discord or the way there, and passes: worth a line in the log, but no trace."""
TOO_MANY_REQUESTS = 429
ACKNOWLEDGED = 40060
UNKNOWN_CHANNEL = 10003
EXPIRED = frozenset({UNKNOWN_CHANNEL, 10015, 10062, ACKNOWLEDGED, 50027})
"""Unknown webhook, unknown interaction, already acknowledged, invalid webhook token."""
ANSWERED = "answered"
"""Set in an interaction's extras when Discord took an answer and said so only when asked again."""
PLACEHOLDER = "placeholder"
"""Set in an interaction's extras while it shows that the bot is thinking."""
DISK_FULL = (
    "The disk that I save on is full, so that was not recorded. The person who runs me has to free some space. "
    "(ref {reference})"
)
ENDING = "I am just being restarted, so that was not recorded. Try it again in a minute."
UNKNOWN = "Something went wrong on our side (ref {reference}). Nothing was lost."
AWAY = "Discord is not answering me properly just now. Try again in a minute. (ref {reference})"
NO_PERMISSION = (
    "Discord did not let me do that: I lack a permission in this channel. A moderator can grant it."
)


def is_expired(error: discord.HTTPException) -> bool:
    """Tell whether an interaction can no longer be answered, so that trying again is useless."""
    return error.code in EXPIRED


def is_transient(error: BaseException) -> bool:
    """Tell whether an error is Discord's trouble or the network's, and will pass."""
    return isinstance(error, TRANSIENT) or getattr(error, "status", 0) == TOO_MANY_REQUESTS


def sentence_for(error: BaseException) -> str:
    """Return what a person reads about an error, and log what they need not read."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, discord.Forbidden):
        log.info("Discord refused: %s", error)
        return NO_PERMISSION
    if isinstance(error, ClosedError):
        log.info("Not recorded, because the bot is ending: %s", error)
        return ENDING
    reference = secrets.token_hex(3)
    if is_transient(error):
        log.warning(
            "Discord did not answer (ref %s): %s", reference, str(error) or type(error).__name__
        )
        return AWAY.format(reference=reference)
    if isinstance(error, DiskFullError):
        log.error("Not recorded (ref %s): %s", reference, error)
        return DISK_FULL.format(reference=reference)
    log.error("Failure (ref %s)", reference, exc_info=error)
    return UNKNOWN.format(reference=reference)


async def acknowledge(interaction: discord.Interaction) -> bool:
    """Say "thinking" within the three seconds that Discord gives. ``False`` when it was too late.

    Only the person sees it: what comes of it may be a refusal, and a placeholder cannot change who sees it. What
    everybody should see is sent to the channel.
    """
    return await _first_answer(interaction, thinking=True)


async def acknowledge_quietly(interaction: discord.Interaction) -> bool:
    """Accept a press without showing anything. ``False`` when it was too late."""
    return await _first_answer(interaction, thinking=False)


async def _first_answer(interaction: discord.Interaction, *, thinking: bool) -> bool:
    try:
        await interaction.response.defer(ephemeral=thinking, thinking=thinking)
    except discord.InteractionResponded:
        return True
    except discord.HTTPException as error:
        if not is_expired(error):
            raise
        log.debug("Interaction %s was too late to acknowledge: %s", interaction.id, error)
        if error.code != ACKNOWLEDGED:
            return False
        interaction.extras[ANSWERED] = True  # the answer got through, its confirmation did not
    if thinking:
        interaction.extras[PLACEHOLDER] = True
    return True


async def tell(interaction: discord.Interaction, text: str, **extra: Any) -> None:
    """Tell one person something, privately, whatever was answered before.

    Args:
        interaction: What they did.
        text: At most 2,000 characters.
        **extra: ``view``, ``file`` and such, as for any Discord message.
    """
    try:
        await _tell(interaction, text, extra)
    except discord.HTTPException as error:
        if not is_expired(error):
            raise
        log.debug("Interaction %s was too late to answer: %s", interaction.id, error)


async def _tell(interaction: discord.Interaction, text: str, extra: dict[str, Any]) -> None:
    if not _is_answered(interaction):
        await interaction.response.send_message(text, ephemeral=True, **extra)
        return
    if interaction.extras.pop(PLACEHOLDER, False):
        if "file" in extra or "files" in extra:
            extra["attachments"] = [extra.pop("file")] if "file" in extra else extra.pop("files")
        await interaction.edit_original_response(content=text, **extra)
    else:
        await interaction.followup.send(text, ephemeral=True, **extra)


def _is_answered(interaction: discord.Interaction) -> bool:
    return interaction.response.is_done() or bool(interaction.extras.get(ANSWERED))


async def show(interaction: discord.Interaction, text: str, **extra: Any) -> None:
    """Fill or change the first private answer, also when nobody knows whether Discord has taken it already.

    Args:
        interaction: What they did.
        text: At most 2,000 characters.
        **extra: ``view`` and such.
    """
    if not _is_answered(interaction):
        try:
            await interaction.response.send_message(text, ephemeral=True, **extra)
        except discord.HTTPException as error:
            if error.code != ACKNOWLEDGED:
                raise
            interaction.extras[ANSWERED] = True
        else:
            return
    interaction.extras.pop(PLACEHOLDER, None)
    await interaction.edit_original_response(content=text, **extra)


async def announce(
    interaction: discord.Interaction, text: str, **extra: Any
) -> discord.Message | None:
    """Tell the channel something that came of an interaction, and take its placeholder away.

    Returns:
        The message, or ``None`` when the channel did not take it; then the person alone is told.
    """
    where = interaction.client.get_partial_messageable(interaction.channel_id or 0)
    try:
        sent = await where.send(text, **extra)
    except WIRE_ERRORS as error:
        log.debug("The channel did not take a message: %s", error)
        await tell(interaction, text)
        return None
    await dismiss(interaction)
    return sent


def is_waiting(interaction: discord.Interaction) -> bool:
    """Tell whether the person sees that the bot is thinking, and nothing else yet."""
    return bool(interaction.extras.get(PLACEHOLDER))


async def dismiss(interaction: discord.Interaction) -> None:
    """Take a private answer away that has nothing more to say.

    A placeholder is filled before it is deleted: while it waits to be filled, nothing else can be said.
    """
    try:
        if interaction.extras.pop(PLACEHOLDER, False):
            await interaction.edit_original_response(content="Done.")
        await interaction.delete_original_response()
    except WIRE_ERRORS as error:
        log.debug("A private answer stays: %s", error)


@asynccontextmanager
async def answering(interaction: discord.Interaction) -> AsyncIterator[None]:
    """Handle one interaction under the policy above; nothing but cancellation gets out."""
    try:
        yield
    except discord.HTTPException as error:
        if is_expired(error):
            log.debug("Interaction %s expired: %s", interaction.id, error)
        else:
            await _report(interaction, error)
    except Exception as error:  # noqa: BLE001 - the boundary of an interaction
        if interaction.client.is_closed():
            log.info("The bot ended while it was answering somebody: %s", error)
        else:
            await _report(interaction, error)


async def _report(interaction: discord.Interaction, error: Exception) -> None:
    text = sentence_for(error)
    try:
        await tell(interaction, text)
    except Exception as again:  # noqa: BLE001 - nothing may get out, whatever the way back is broken by
        log.warning("Could not tell a person about it: %s", again)
