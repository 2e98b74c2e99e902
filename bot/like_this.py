"""``/like-this``: breed towards a track that somebody uploads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import discord
from discord import app_commands
from discord.app_commands import Range, locale_str

from bot.errors import WIRE_ERRORS, acknowledge, answering
from bot.places import check_may_post
from bot.room import Room, actor_of
from bot.steering import StartRequest, Steering
from domain.errors import UserError
from domain.run import RunSettings
from service.like_this import Upload

SOUNDS = (".mp3", ".wav", ".flac", ".ogg", ".oga", ".opus", ".aif", ".aiff")
LOST = "Discord did not give me that file. Send it again."


class LikeThis:
    """Hears an upload and starts a run towards it."""

    def __init__(self, room: Room, steering: Steering) -> None:
        self._runs = room.services.runs
        self._service = room.services.like_this
        self._steering = steering

    async def start(
        self,
        interaction: discord.Interaction,
        track: discord.Attachment,
        vibe: str,
        *,
        for_me: bool,
        seconds: int | None,
    ) -> None:
        """Hear the track, then start as ``/evolve start`` does. What can be refused is refused before the download."""
        await acknowledge(interaction)
        actor = actor_of(interaction)
        if not for_me:
            check_may_post(interaction)
        await self._runs.check_may_start(actor, private=for_me)
        heard = await self._service.hear(actor.user_id, _upload(track), vibe)
        request = StartRequest(
            vibe=heard.vibe, for_me=for_me, settings=self._settings(seconds), track=heard
        )
        await self._steering.start(interaction, request)

    def _settings(self, seconds: int | None) -> RunSettings | None:
        if seconds is None:
            return None
        return replace(self._runs.default_settings(), seconds=float(seconds))


def upload_of(attachments: Sequence[discord.Attachment]) -> Upload | None:
    """Return the first audio file of a message, not fetched yet; ``None`` where there is none."""
    for one in attachments:
        if (one.content_type or "").startswith("audio/") or one.filename.lower().endswith(SOUNDS):
            return _upload(one)
    return None


def _upload(track: discord.Attachment) -> Upload:
    return Upload(filename=track.filename, size=track.size, fetch=lambda: _read(track))


async def _read(track: discord.Attachment) -> bytes:
    try:
        return await track.read()
    except WIRE_ERRORS as error:
        raise UserError(LOST) from error


def like_this_command(page: LikeThis) -> app_commands.Command[app_commands.Group, ..., None]:
    """Return ``/like-this``."""

    @app_commands.command(
        name=locale_str("like-this"),
        description=locale_str("Breed towards a track that you upload; its sound is not kept"),
    )
    @app_commands.describe(
        track=locale_str("An audio file: MP3, WAV, FLAC, Ogg or Opus"),
        vibe=locale_str("What else it should be, in your words, such as: slower, no drums"),
        whom=locale_str("For everyone in this channel, or privately for you"),
        seconds=locale_str("Length of a clip in seconds"),
    )
    @app_commands.rename(whom=locale_str("for"))
    async def like_this(
        interaction: discord.Interaction,
        track: discord.Attachment,
        vibe: Range[str, 0, 400] = "",
        whom: Literal["everyone", "me"] = "everyone",
        seconds: Range[int, 4, 30] | None = None,
    ) -> None:
        """Breed towards a track."""
        async with answering(interaction):
            await page.start(interaction, track, vibe, for_me=whom == "me", seconds=seconds)

    return like_this
