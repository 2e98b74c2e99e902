"""Starts and changes threads, and changes or deletes channels."""

from __future__ import annotations

from playground import errors, fields, permissions
from playground.drafts import Draft
from playground.events import Viewer
from playground.messages import Delivery, Messages
from playground.model import Channel, ChannelType, Json, Message, MessageFlag, MessageType, User
from playground.permissions import Permission
from playground.world import World

_ARCHIVE_MINUTES = (60, 1440, 4320, 10080)


class Threads:
    """What can be done with threads and channels."""

    def __init__(self, world: World, messages: Messages) -> None:
        self._world = world
        self._messages = messages
        messages.after_send.append(self._join_mentioned)

    def _join_mentioned(self, channel: Channel, message: Message) -> None:
        """Whoever is named in a private thread becomes part of it."""
        if channel.kind is ChannelType.PRIVATE_THREAD:
            for user_id in message.mentions:
                self.join(channel, user_id)

    def start(
        self, parent: Channel, owner: User, body: Json, *, message: Message | None = None
    ) -> Channel:
        """Start a thread, from a message or on its own.

        Raises:
            ApiError: 50024 below anything but a text channel, 50013, 160004 when the message has one, 50035.
        """
        if parent.kind is not ChannelType.TEXT:
            raise errors.ApiError(400, 50024, "Cannot execute action on this channel type")
        if message is not None and message.thread_id is not None:
            raise errors.ApiError(400, 160004, "A thread has already been created for this message")
        name = fields.needed_text(body, "name", high=100)
        kind = ChannelType.PUBLIC_THREAD if message else self._kind(body)
        private = kind is ChannelType.PRIVATE_THREAD
        wanted = Permission.CREATE_PRIVATE_THREADS if private else Permission.CREATE_PUBLIC_THREADS
        if permissions.missing(self._world.permissions(owner.id, parent), wanted):
            raise errors.missing_permissions()
        now = self._world.clock()
        thread = Channel(
            id=message.id if message else self._world.snowflakes.next(),
            kind=kind,
            name=name,
            guild_id=parent.guild_id,
            parent_id=parent.id,
            owner_id=owner.id,
            created=now,
            archived_at=now,
            auto_archive=self._archive_minutes(body),
            invitable=fields.flag(body, "invitable", default=True),
            slowmode=fields.whole(body, "rate_limit_per_user", 0),
            members={owner.id: now},
        )
        self._world.channels[thread.id] = thread
        self._world.announce_channel("THREAD_CREATE", thread, newly_created=True)
        self._open(thread, parent, owner, message)
        return thread

    def _open(self, thread: Channel, parent: Channel, owner: User, message: Message | None) -> None:
        """Leave the traces that Discord leaves of a new thread."""
        where: Json = {"type": 0, "guild_id": str(parent.guild_id)}
        if message is not None:
            message.thread_id = thread.id
            message.flags |= MessageFlag.HAS_THREAD
            self._messages.announce("MESSAGE_UPDATE", message)
            starter = Delivery(kind=MessageType.THREAD_STARTER, system=True)
            where |= {"channel_id": str(parent.id), "message_id": str(message.id)}
            self._messages.send(thread, owner, Draft(reference=where), starter)
            thread.total_sent = 0
        elif thread.kind is ChannelType.PUBLIC_THREAD:
            notice = Delivery(kind=MessageType.THREAD_CREATED, system=True, thread_id=thread.id)
            self._messages.send(parent, owner, Draft(content=thread.name), notice)

    def _kind(self, body: Json) -> ChannelType:
        number = fields.whole(body, "type", ChannelType.PRIVATE_THREAD)
        if number not in (ChannelType.PUBLIC_THREAD, ChannelType.PRIVATE_THREAD):
            raise errors.wrong_choice("type", (10, 11, 12))
        return ChannelType(number)

    def _archive_minutes(self, body: Json, default: int = 1440) -> int:
        minutes = fields.whole(body, "auto_archive_duration", default)
        if minutes not in _ARCHIVE_MINUTES:
            raise errors.wrong_choice("auto_archive_duration", _ARCHIVE_MINUTES)
        return minutes

    def change(self, channel: Channel, user_id: int, body: Json) -> Channel:
        """Apply a PATCH to a thread or text channel.

        Raises:
            ApiError: 50013, 50083, 50035, 50024 for a direct message.
        """
        if channel.is_dm:
            raise errors.ApiError(400, 50024, "Cannot execute action on this channel type")
        if channel.is_thread:
            self._change_thread(channel, user_id, body)
            self._world.announce_channel("THREAD_UPDATE", channel)
        else:
            self._change_text(channel, user_id, body)
            self._world.announce_channel("CHANNEL_UPDATE", channel)
        return channel

    def _change_thread(self, thread: Channel, user_id: int, body: Json) -> None:
        bits = self._world.permissions(user_id, thread)
        moderates = bool(bits & Permission.MANAGE_THREADS)
        reopening = body.get("archived") is False
        if thread.archived and not reopening:
            raise errors.archived()
        if not moderates and (thread.locked or "locked" in body):
            raise errors.archived() if thread.archived else errors.missing_permissions()
        may_post = bool(bits & Permission.SEND_MESSAGES_IN_THREADS)
        if not moderates and thread.owner_id != user_id and not (reopening and may_post):
            raise errors.missing_permissions()
        name = fields.needed_text(body, "name", high=100) if "name" in body else thread.name
        minutes = self._archive_minutes(body, thread.auto_archive)
        archived = fields.flag(body, "archived", default=thread.archived)
        locked = fields.flag(body, "locked", default=thread.locked)
        invitable = fields.flag(body, "invitable", default=thread.invitable)
        slowmode = fields.whole(body, "rate_limit_per_user", thread.slowmode)
        if archived != thread.archived:
            thread.archived_at = self._world.clock()
        thread.name, thread.auto_archive, thread.archived = name, minutes, archived
        thread.locked, thread.invitable, thread.slowmode = locked, invitable, slowmode

    def _change_text(self, channel: Channel, user_id: int, body: Json) -> None:
        if permissions.missing(
            self._world.permissions(user_id, channel), Permission.MANAGE_CHANNELS
        ):
            raise errors.missing_permissions()
        name = fields.needed_text(body, "name", high=100) if "name" in body else channel.name
        topic = fields.text(body, "topic", limit=1024) if "topic" in body else channel.topic
        slowmode = fields.whole(body, "rate_limit_per_user", channel.slowmode)
        channel.position = fields.whole(body, "position", channel.position)
        channel.nsfw = fields.flag(body, "nsfw", default=channel.nsfw)
        channel.name, channel.topic, channel.slowmode = name, topic, slowmode

    def create_text(self, body: Json) -> Channel:
        """Make a text channel."""
        if fields.whole(body, "type", 0) != ChannelType.TEXT:
            raise errors.wrong_choice("type", (0,))
        name = fields.needed_text(body, "name", high=100)
        texts = [one for one in self._world.channels.values() if one.kind is ChannelType.TEXT]
        channel = Channel(
            id=self._world.snowflakes.next(),
            kind=ChannelType.TEXT,
            name=name,
            topic=fields.text(body, "topic", limit=1024),
            guild_id=self._world.guild_id,
            position=len(texts),
            created=self._world.clock(),
        )
        self._world.channels[channel.id] = channel
        self._world.announce_channel("CHANNEL_CREATE", channel)
        return channel

    def delete(self, channel: Channel) -> None:
        """Delete a channel with its threads and messages. A direct message is only closed, not emptied."""
        if channel.is_dm:
            return
        event = "THREAD_DELETE" if channel.is_thread else "CHANNEL_DELETE"
        self._world.announce_channel(event, channel)
        doomed = [channel] + [
            one for one in self._world.channels.values() if one.parent_id == channel.id
        ]
        for each in doomed:
            self._world.channels.pop(each.id, None)
            for message in each.messages.values():
                for attachment in message.attachments:
                    self._world.media.delete(attachment.id)

    def join(self, thread: Channel, user_id: int) -> None:
        """Add somebody to a thread."""
        if thread.archived:
            raise errors.archived()
        if user_id in thread.members:
            return
        thread.members[user_id] = self._world.clock()
        if user_id == self._world.bot.id:
            self._world.announce_channel("THREAD_CREATE", thread)
        self._members_changed(thread, added=user_id)

    def leave(self, thread: Channel, user_id: int) -> None:
        """Take somebody out of a thread."""
        if thread.members.pop(user_id, None) is not None:
            self._members_changed(thread, removed=user_id)

    def _members_changed(self, thread: Channel, *, added: int = 0, removed: int = 0) -> None:
        data: Json = {
            "id": str(thread.id),
            "guild_id": str(thread.guild_id),
            "member_count": len(thread.members),
            "added_members": [self._world.draw.thread_member(thread, added)] if added else [],
            "removed_member_ids": [str(removed)] if removed else [],
        }

        def render(viewer: Viewer) -> Json | None:
            involved = viewer.user_id in (added, removed)
            return data if involved or self._world.can_see(viewer.user_id, thread) else None

        self._world.hub.publish("THREAD_MEMBERS_UPDATE", render)
        if added:
            self._world.hub.publish_pages(
                "THREAD_CREATE",
                lambda viewer: (
                    self._world.draw.channel(thread, added) if viewer.user_id == added else None
                ),
            )
