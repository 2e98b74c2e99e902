"""Where posts go: ordinary channel messages, which live as long as the channel and need no interaction."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Callable, Sequence
from typing import Any

import discord
from discord import ui

from bot import duel_words, present, views
from bot.errors import WIRE_ERRORS
from bot.ids import DuelAction, DuelPress, Rate, Resume
from bot.room import place, snowflake
from domain.clip import Clip
from domain.ids import MessageId
from domain.run import Post
from domain.vote import Grade
from service.duel_views import DuelView, VerdictView
from service.posting import Undeliverable, View
from service.views import PauseView, RevealView, RoundView

log = logging.getLogger(__name__)

SCAN = 200
"""Messages looked through for a lost one."""
SLACK = 60.0
"""Seconds by which this machine's clock may be ahead of Discord's."""
OFFLINE = "I am not connected to Discord right now."
GONE = "The channel is gone, so the round could not be posted."
REFUSED = (
    "I may not post in that channel any more. Grant me View Channel, Send Messages and Attach Files there, "
    "then use /evolve resume."
)
LOCKED = "The thread is locked or archived, so the round could not be posted. Unlock it, then use /evolve resume."
TOO_LARGE = "Discord did not take the clips: they are too large. Use /evolve stop, then /evolve start seconds:8."
BUSY = "Discord did not take the message just now."
_CODES = {
    10003: GONE,
    10008: GONE,
    40005: TOO_LARGE,
    50001: REFUSED,
    50013: REFUSED,
    50007: "I cannot write to that person directly any more. They can allow it in the server's privacy settings.",
    50083: LOCKED,
    160005: LOCKED,
}

_STATUSES = {403: REFUSED, 404: GONE, 413: TOO_LARGE}


class AudioFile(discord.File):
    """A file that tells how long it is and what it looks like, so that a player can be drawn at once."""

    def __init__(self, data: bytes, filename: str, clip: Clip, description: str) -> None:
        super().__init__(io.BytesIO(data), filename=filename, description=description)
        self._clip = clip

    def to_dict(self, index: int) -> dict[str, Any]:
        """Return the attachment's part of the message."""
        payload: dict[str, Any] = super().to_dict(index)
        payload["duration_secs"] = round(self._clip.seconds, 3)
        if self._clip.waveform:
            payload["waveform"] = waveform(self._clip.waveform)
        return payload


def waveform(peaks: Sequence[float]) -> str:
    """Return peaks in [0, 1] as Discord writes them: a byte each, at most 256, in base64."""
    values = bytes(round(255 * min(1.0, max(0.0, peak))) for peak in peaks[:256])
    return base64.b64encode(values).decode("ascii")


class DiscordSink:
    """Posts through whichever client is connected; the supervisor attaches a new one after a reconnect.

    ``revealed`` is told of every reveal that went out.
    """

    def __init__(self, revealed: Callable[[RevealView], object] = lambda _: None) -> None:
        self._client: discord.Client | None = None
        self._revealed = revealed

    def connect(self, client: discord.Client) -> None:
        """Post through this client from now on."""
        self._client = client

    def disconnect(self) -> None:
        """Keep posts waiting."""
        self._client = None

    async def find(self, view: View) -> MessageId | None:
        """Return the message of this post if an interrupted attempt did get through.

        Searched from the latest message back, where a crash of a moment ago left it, and from the post's making on,
        where a retry after a busy day finds it.
        """
        client = self._ready()
        after = discord.Object(snowflake(view.post.created_at - SLACK))
        channel = place(client, view.post.channel_id)
        try:
            for messages in (
                channel.history(limit=SCAN, after=after, oldest_first=False),
                channel.history(limit=SCAN, after=after, oldest_first=True),
            ):
                async for message in messages:
                    own = client.user is not None and message.author.id == client.user.id
                    if own and is_post(message, view):
                        return MessageId(message.id)
        except WIRE_ERRORS as error:
            raise undeliverable(error) from error
        return None

    async def send(self, view: View) -> MessageId:
        """Send it.

        Raises:
            Undeliverable: It was not sent.
        """
        client = self._ready()
        content, files, buttons = _parts(view)
        try:
            sent = await place(client, view.post.channel_id).send(
                content,
                files=files,
                view=buttons,
                nonce=nonce(view.post),
                allowed_mentions=discord.AllowedMentions.none(),
            )
        except WIRE_ERRORS as error:
            raise undeliverable(error) from error
        if isinstance(view, RevealView):
            self._revealed(view)
        return MessageId(sent.id)

    def _ready(self) -> discord.Client:
        if self._client is None or self._client.is_closed():
            raise Undeliverable(OFFLINE, permanent=False)
        return self._client


def _parts(view: View) -> tuple[str, list[discord.File], ui.View]:
    if isinstance(view, RoundView):
        slots = [(one.slot, one.clip.id) for one in view.clips]
        by_hand = view.made is not None
        files: list[discord.File] = [
            AudioFile(one.data, one.filename, one.clip, present.alt_text(one.clip, one.slot))
            for one in view.clips
        ]
        text = present.made_text(view) if by_hand else present.round_text(view)
        return text, files, views.round_buttons(view.run.id, view.number, slots, by_hand=by_hand)
    if isinstance(view, DuelView):
        return duel_words.duel_text(view), _duel_files(view), duel_words.duel_buttons(view.duel.id)
    if isinstance(view, VerdictView):
        return duel_words.verdict_text(view), [], duel_words.verdict_buttons(view.duel.id)
    if isinstance(view, RevealView):
        return present.reveal_text(view), [], views.nothing()
    return present.pause_text(view), [], views.resume_button(view.run.id)


def _duel_files(view: DuelView) -> list[discord.File]:
    return [
        AudioFile(one.data, one.filename, one.clip, duel_words.duel_alt_text(view.duel, one.clip))
        for one in view.clips
    ]


def nonce(post: Post) -> str:
    """Return what Discord knows a post by for some minutes: the same one sent twice becomes one message.

    At most 25 characters. The time keeps apart the posts of two databases.
    """
    return f"tb{post.id}-{int(post.created_at)}"[:25]


def is_post(message: discord.Message, view: View) -> bool:
    """Tell whether a message of ours, sent after the post was made, is this post."""
    if isinstance(view, RevealView):
        return message.content.startswith(present.reveal_title(view))
    if isinstance(view, VerdictView):
        return message.content.startswith(duel_words.verdict_title(view.duel))
    wanted = _marker(view)
    return wanted is not None and wanted in _custom_ids(message)


def _marker(view: RoundView | PauseView | DuelView) -> str | None:
    if isinstance(view, DuelView):
        return str(DuelPress(duel_id=view.duel.id, action=DuelAction.A))
    if isinstance(view, PauseView):
        return str(Resume(run_id=view.run.id))
    if not view.clips:
        return None
    return str(Rate(clip_id=view.clips[0].clip.id, grade=Grade.AWFUL))


def _custom_ids(message: discord.Message) -> set[str]:
    return {
        item.custom_id
        for row in message.components
        if isinstance(row, discord.ActionRow)
        for item in row.children
        if isinstance(item, discord.Button) and item.custom_id
    }


def undeliverable(error: BaseException) -> Undeliverable:
    """Return what a failed attempt means: try again later, or a person has to change something first."""
    if not isinstance(error, discord.HTTPException):
        return Undeliverable(BUSY, permanent=False)
    sentence = _CODES.get(error.code)
    if sentence is not None:
        return Undeliverable(sentence, permanent=True)
    if error.status in _STATUSES:
        return Undeliverable(_STATUSES[error.status], permanent=True)
    if 400 <= error.status < 500 and error.status != 429:
        log.error("Discord did not understand a post: %s", error)
        return Undeliverable("Discord did not accept the message.", permanent=True)
    return Undeliverable(BUSY, permanent=False)
