"""Sends, edits, deletes and lists messages, and tells everybody."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from playground import errors, fields
from playground.drafts import Draft, FileDraft
from playground.events import Viewer
from playground.media import content_type
from playground.model import (
    Attachment,
    Channel,
    Json,
    Message,
    MessageFlag,
    MessageType,
    User,
)
from playground.permissions import Permission
from playground.snowflakes import parse
from playground.world import World

_USER_MENTION = re.compile(r"<@!?(\d{1,20})>")
_ROLE_MENTION = re.compile(r"<@&(\d{1,20})>")
_NONCES_KEPT = 500
_LOOSE_KEPT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How a message arrives, besides what it says.

    Attributes:
        only_for: The one person who sees it, for ephemeral messages.
        kind: Message type.
        origin: The interaction that it answers.
        command: Name of that interaction's command.
        loading: Whether it only says that the bot is thinking.
        webhook_id: The application, for answers to interactions.
        system: Sent by Discord itself: no checks of content or permissions.
        thread_id: The thread that it announces.
        reference: The message that it answers, already checked.
    """

    only_for: int | None = None
    kind: int = MessageType.DEFAULT
    origin: Json | None = None
    command: str | None = None
    loading: bool = False
    webhook_id: int | None = None
    system: bool = False
    thread_id: int | None = None
    reference: Json | None = None


class Messages:
    """What can be done with messages."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._loose: deque[int] = deque()
        self.after_send: list[Callable[[Channel, Message], None]] = []
        """Called with the channel and each new message."""

    def send(
        self, channel: Channel, author: User, draft: Draft, delivery: Delivery | None = None
    ) -> Message:
        """Add a message to a channel.

        A nonce that was used before with ``enforce_nonce`` gives the message of then.

        Raises:
            ApiError: 50006, 50035 or one about voice messages.
        """
        how = delivery or Delivery()
        if draft.enforce_nonce and (earlier := self._same_nonce(channel, author, draft)):
            return earlier
        if draft.is_empty and not how.loading and not how.system:
            raise errors.ApiError(400, 50006, "Cannot send an empty message")
        _check_voice(draft)
        world = self._world
        reference = how.reference or self._reference(channel, author, draft)
        flags = draft.flags | (MessageFlag.LOADING if how.loading else 0)
        flags |= MessageFlag.HAS_THREAD if how.thread_id and how.kind == MessageType.DEFAULT else 0
        flags = flags | MessageFlag.EPHEMERAL if how.only_for else flags & ~MessageFlag.EPHEMERAL
        message = Message(
            id=world.snowflakes.next(),
            channel_id=channel.id,
            author=author,
            created=world.clock(),
            content=draft.content or "",
            kind=MessageType.REPLY if reference and how.kind == MessageType.DEFAULT else how.kind,
            flags=int(flags),
            tts=draft.tts,
            embeds=draft.embeds or [],
            components=draft.components or [],
            reference=reference,
            nonce=draft.nonce,
            only_for=how.only_for,
            webhook_id=how.webhook_id,
            origin=how.origin,
            command=how.command,
            thread_id=how.thread_id,
        )
        message.attachments = self._store(draft.files, ephemeral=how.only_for is not None)
        self._mention(message, draft, channel)
        self._add(channel, message)
        return message

    def _add(self, channel: Channel, message: Message) -> None:
        world = self._world
        if channel.archived and message.only_for is None:
            channel.archived = False
            world.announce_channel("THREAD_UPDATE", channel)
        channel.messages[message.id] = message
        if channel.is_thread:
            channel.members.setdefault(message.author.id, world.clock())
            channel.total_sent += 1
        if message.nonce is not None:
            channel.nonces[message.author.id, str(message.nonce)] = message.id
            while len(channel.nonces) > _NONCES_KEPT:
                channel.nonces.pop(next(iter(channel.nonces)))
        while len(channel.messages) > world.options.messages_kept:
            oldest = channel.messages.pop(next(iter(channel.messages)))
            self._forget_files(oldest)
        self.announce("MESSAGE_CREATE", message)
        for listener in self.after_send:
            listener(channel, message)

    def edit(self, message: Message, draft: Draft) -> Message:
        """Change what a draft names, leave the rest.

        Raises:
            ApiError: 50006 when nothing would be left, 50162 for a voice message.
        """
        if message.flags & MessageFlag.VOICE_MESSAGE:
            raise errors.ApiError(400, 50162, "Voice messages cannot be edited.")
        kept = [one for one in message.attachments if draft.kept is None or one.id in draft.kept]
        content = message.content if draft.content is None else draft.content
        embeds = message.embeds if draft.embeds is None else draft.embeds
        parts = message.components if draft.components is None else draft.components
        if not (content or embeds or parts or kept or draft.files):
            raise errors.ApiError(400, 50006, "Cannot send an empty message")
        for gone in [one for one in message.attachments if one not in kept]:
            self._world.media.delete(gone.id)
        message.content, message.embeds, message.components = content, embeds, parts
        message.attachments = kept + self._store(
            draft.files, ephemeral=message.only_for is not None
        )
        changeable = MessageFlag.SUPPRESS_EMBEDS | MessageFlag.COMPONENTS_V2
        was_loading = bool(message.flags & MessageFlag.LOADING)
        message.flags = (message.flags | (draft.flags & changeable)) & ~MessageFlag.LOADING
        if not was_loading:
            message.edited = self._world.clock()
        if draft.content is not None:
            self._mention(message, draft, self._world.channel(message.channel_id))
        self.announce("MESSAGE_UPDATE", message)
        return message

    def clear_content(self, draft: Draft, body: Json) -> Draft:
        """Read an explicit null in an edit as: take it away."""
        changes: Json = {}
        if "content" in body and body["content"] is None:
            changes["content"] = ""
        for key in ("embeds", "components"):
            if key in body and body[key] is None:
                changes[key] = []
        return replace(draft, **changes) if changes else draft

    def delete(self, channel: Channel, message: Message) -> None:
        """Take a message out of its channel, with its files."""
        channel.messages.pop(message.id, None)
        self._forget_files(message)
        data = {"id": str(message.id), "channel_id": str(channel.id)}
        if channel.guild_id:
            data["guild_id"] = str(channel.guild_id)
        self._world.hub.publish(
            "MESSAGE_DELETE",
            lambda viewer: data if self._shows(message, viewer) else None,
        )

    def history(
        self, channel: Channel, viewer_id: int, query: dict[str, str], *, limit: int
    ) -> list[Message]:
        """Messages newest first.

        Args:
            channel: Where.
            viewer_id: Whose view; other people's ephemeral messages are left out.
            query: One of ``before``, ``after`` and ``around`` with an id.
            limit: At most this many.
        """
        seen = [one for one in channel.messages.values() if one.is_for(viewer_id)]
        anchors = {
            key: number
            for key in ("around", "before", "after")
            if (number := parse(query.get(key)))
        }
        if "around" in anchors:
            middle = anchors["around"]
            older = [one for one in seen if one.id < middle][-(limit // 2) :] if limit > 1 else []
            newer = [one for one in seen if one.id >= middle][: limit - len(older)]
            return (older + newer)[::-1]
        if "after" in anchors:
            return [one for one in seen if one.id > anchors["after"]][:limit][::-1]
        if "before" in anchors:
            seen = [one for one in seen if one.id < anchors["before"]]
        return seen[-limit:][::-1]

    def payload(self, message: Message, viewer: Viewer | None = None) -> Json:
        """The message object, for the bot unless somebody else is named."""
        return self._world.draw.message(message, viewer or self._world.bot_view)

    def announce(self, event: str, message: Message) -> None:
        """Tell everybody who may know of a message. The bot never hears of ephemeral ones."""
        self._world.hub.publish(
            event,
            lambda viewer: self.payload(message, viewer) if self._shows(message, viewer) else None,
        )

    def _shows(self, message: Message, viewer: Viewer) -> bool:
        if message.only_for is not None and (viewer.is_bot or message.only_for != viewer.user_id):
            return False
        channel = self._world.channels.get(message.channel_id)
        return channel is not None and self._world.can_see(viewer.user_id, channel)

    def _same_nonce(self, channel: Channel, author: User, draft: Draft) -> Message | None:
        message_id = channel.nonces.get((author.id, str(draft.nonce)))
        return channel.messages.get(message_id) if message_id else None

    def _reference(self, channel: Channel, author: User, draft: Draft) -> Json | None:
        """The reference as Discord stores it; one to nothing is an error unless the sender does not mind."""
        if draft.reference is None:
            return None
        where = "message_reference"
        target_channel = fields.whole(draft.reference, "channel_id", channel.id, path=where)
        target = fields.identity(draft.reference, "message_id", path=where)
        found = self._world.channels.get(target_channel)
        message = found.messages.get(target) if found else None
        if message is None or not message.is_for(author.id):
            if fields.flag(draft.reference, "fail_if_not_exists", default=True, path=where):
                raise errors.form_error(where, "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
            return None
        body = {"type": 0, "channel_id": str(target_channel), "message_id": str(target)}
        if channel.guild_id:
            body["guild_id"] = str(channel.guild_id)
        return body

    def _mention(self, message: Message, draft: Draft, channel: Channel) -> None:
        """Who is pinged: named in the text and allowed by ``allowed_mentions``."""
        allowed = draft.allowed_mentions
        kinds = None if allowed is None else allowed.get("parse") or []
        users, roles = (
            fields.ids((allowed or {}).get("users")),
            fields.ids((allowed or {}).get("roles")),
        )
        pinged: dict[int, None] = {}
        for found in _USER_MENTION.findall(message.content):
            if kinds is None or "users" in kinds or int(found) in users:
                pinged[int(found)] = None
        replied = self._replied_author(message)
        if replied and (allowed is None or allowed.get("replied_user") is True):
            pinged[replied] = None
        message.mentions = [uid for uid in pinged if uid in self._world.users]
        message.mention_roles = [
            int(found)
            for found in _ROLE_MENTION.findall(message.content)
            if int(found) in self._world.roles
            and (kinds is None or "roles" in kinds or int(found) in roles)
        ]
        may = self._world.permissions(message.author.id, channel) & Permission.MENTION_EVERYONE
        loud = "@everyone" in message.content or "@here" in message.content
        message.mention_everyone = bool(loud and may and (kinds is None or "everyone" in kinds))

    def _replied_author(self, message: Message) -> int | None:
        if message.reference is None or message.kind != MessageType.REPLY:
            return None
        channel = self._world.channels.get(int(message.reference["channel_id"]))
        target = channel.messages.get(int(message.reference["message_id"])) if channel else None
        return target.author.id if target else None

    def _store(self, files: list[FileDraft], *, ephemeral: bool) -> list[Attachment]:
        stored = []
        for file in files:
            attachment = Attachment(
                id=self._world.snowflakes.next(),
                filename=file.filename,
                size=len(file.upload.data),
                content_type=content_type(file.filename),
                description=file.description,
                title=file.title,
                duration_secs=file.duration_secs,
                waveform=file.waveform,
                ephemeral=ephemeral,
            )
            self._world.media.put(attachment, file.upload.data)
            stored.append(attachment)
        return stored

    def store_loose(self, file: FileDraft) -> Attachment:
        """Keep a file that belongs to a command option rather than to a message, until many newer ones came."""
        stored = self._store([file], ephemeral=True)[0]
        self._loose.append(stored.id)
        if len(self._loose) > _LOOSE_KEPT:
            self._world.media.delete(self._loose.popleft())
        return stored

    def _forget_files(self, message: Message) -> None:
        for attachment in message.attachments:
            self._world.media.delete(attachment.id)


def _check_voice(draft: Draft) -> None:
    if not draft.flags & MessageFlag.VOICE_MESSAGE:
        return
    if draft.content or draft.embeds:
        raise errors.ApiError(400, 50159, "Voice messages do not support additional content.")
    if len(draft.files) != 1:
        raise errors.ApiError(400, 50160, "Voice messages must have a single audio attachment.")
    if draft.files[0].waveform is None or draft.files[0].duration_secs is None:
        raise errors.ApiError(400, 50161, "Voice messages must have supporting metadata.")
