"""Draws the playground's state as the JSON objects that Discord sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from playground.events import Viewer
from playground.model import (
    Attachment,
    Channel,
    ChannelType,
    Emoji,
    Json,
    Member,
    Message,
    Role,
    User,
)
from playground.snowflakes import iso

if TYPE_CHECKING:
    from playground.world import World


def user(one: User) -> Json:
    """A user object; ``avatar_color`` and ``synthetic`` are the playground's own and ignored by clients."""
    body: Json = {
        "id": str(one.id),
        "username": one.username,
        "discriminator": "0000" if one.bot else "0",
        "global_name": one.global_name,
        "avatar": None,
        "avatar_decoration_data": None,
        "banner": None,
        "accent_color": None,
        "public_flags": 0,
        "avatar_color": one.avatar_color,
        "synthetic": one.synthetic,
    }
    if one.bot:
        body["bot"] = True
    return body


def member(one: Member, *, with_user: bool = True) -> Json:
    """A guild member object, without its user where Discord leaves that out."""
    body: Json = {
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "deaf": False,
        "flags": 0,
        "joined_at": iso(one.joined_at),
        "mute": False,
        "nick": None,
        "pending": False,
        "premium_since": None,
        "roles": [str(role) for role in one.roles],
    }
    if with_user:
        body["user"] = user(one.user)
    return body


def role(one: Role, *, bot_id: int) -> Json:
    """A role object."""
    body: Json = {
        "id": str(one.id),
        "name": one.name,
        "description": None,
        "permissions": str(one.permissions),
        "position": one.position,
        "color": one.color,
        "colors": {"primary_color": one.color, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": one.managed,
        "mentionable": not one.managed,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }
    if one.managed:
        body["tags"] = {"bot_id": str(bot_id)}
    return body


def emoji(one: Emoji) -> Json:
    """One of the guild's own emoji."""
    return {
        **one.payload(),
        "roles": [],
        "require_colons": True,
        "managed": False,
        "available": True,
    }


def attachment(one: Attachment, channel_id: int, base_url: str) -> Json:
    """An attachment object whose links point at this server."""
    url = f"{base_url}/attachments/{channel_id}/{one.id}/{quote(one.filename)}"
    body: Json = {
        "id": str(one.id),
        "filename": one.filename,
        "size": one.size,
        "url": url,
        "proxy_url": url,
        "content_type": one.content_type,
        "content_scan_version": 0,
    }
    for key in ("description", "title", "duration_secs", "waveform"):
        value = getattr(one, key)
        if value is not None:
            body[key] = value
    if one.ephemeral:
        body["ephemeral"] = True
    return body


class Drawer:
    """Draws what needs to look things up: channels and messages."""

    def __init__(self, world: World) -> None:
        self._world = world

    def channel(self, one: Channel, viewer_id: int) -> Json:
        """A channel, thread or direct message object as ``viewer_id`` sees it."""
        last = one.last_message_id(viewer_id)
        body: Json = {
            "id": str(one.id),
            "type": int(one.kind),
            "flags": 0,
            "last_message_id": str(last) if last else None,
        }
        if one.is_dm:
            others = [uid for uid in one.members if uid != viewer_id] or list(one.members)
            body["recipients"] = [user(self._world.user(uid)) for uid in others]
            return body
        body |= {
            "guild_id": str(one.guild_id),
            "name": one.name,
            "parent_id": str(one.parent_id) if one.parent_id else None,
            "rate_limit_per_user": one.slowmode,
            "nsfw": one.nsfw,
        }
        return body | (self._thread(one, viewer_id) if one.is_thread else self._text(one))

    def _text(self, one: Channel) -> Json:
        return {
            "topic": one.topic,
            "position": one.position,
            "default_auto_archive_duration": 1440,
            "last_pin_timestamp": None,
            "permission_overwrites": [
                {
                    "id": str(each.id),
                    "type": each.kind,
                    "allow": str(each.allow),
                    "deny": str(each.deny),
                }
                for each in one.overwrites.values()
            ],
        }

    def _thread(self, one: Channel, viewer_id: int) -> Json:
        metadata: Json = {
            "archived": one.archived,
            "auto_archive_duration": one.auto_archive,
            "archive_timestamp": iso(one.archived_at),
            "create_timestamp": iso(one.created),
            "locked": one.locked,
        }
        if one.kind is ChannelType.PRIVATE_THREAD:
            metadata["invitable"] = one.invitable
        body: Json = {
            "owner_id": str(one.owner_id),
            "message_count": min(one.total_sent, len(one.messages)),
            "total_message_sent": one.total_sent,
            "member_count": min(50, len(one.members)),
            "thread_metadata": metadata,
        }
        if viewer_id in one.members:
            body["member"] = self.thread_member(one, viewer_id)
        return body

    def thread_member(self, one: Channel, user_id: int) -> Json:
        """A thread member object."""
        joined = iso(one.members[user_id])
        return {"id": str(one.id), "user_id": str(user_id), "join_timestamp": joined, "flags": 1}

    def message(self, one: Message, viewer: Viewer, *, nested: bool = False) -> Json:
        """A message object as ``viewer`` sees it.

        Args:
            one: The message.
            viewer: Decides ``me`` of reactions and the address of files.
            nested: Leave out what Discord leaves out of a referenced message.
        """
        world = self._world
        channel = world.channels.get(one.channel_id)
        guild_id = channel.guild_id if channel else None
        body: Json = {
            "id": str(one.id),
            "type": int(one.kind),
            "channel_id": str(one.channel_id),
            "author": user(one.author),
            "content": one.content,
            "timestamp": iso(one.created),
            "edited_timestamp": iso(one.edited) if one.edited is not None else None,
            "tts": one.tts,
            "mention_everyone": one.mention_everyone,
            "mentions": [self._mention(uid) for uid in one.mentions if uid in world.users],
            "mention_roles": [str(each) for each in one.mention_roles],
            "attachments": [
                attachment(each, one.channel_id, viewer.base_url) for each in one.attachments
            ],
            "embeds": one.embeds,
            "components": one.components,
            "pinned": one.pinned,
            "flags": one.flags,
        }
        if guild_id is not None:
            body["guild_id"] = str(guild_id)
            if one.author.id in world.members:
                body["member"] = member(world.members[one.author.id], with_user=False)
        if one.reactions:
            body["reactions"] = [self._reaction(one, key, viewer.user_id) for key in one.reactions]
        body |= self._links(one, viewer, nested=nested)
        return body

    def _links(self, one: Message, viewer: Viewer, *, nested: bool) -> Json:
        """The optional keys that tie a message to other things."""
        body: Json = {}
        if one.nonce is not None:
            body["nonce"] = one.nonce
        if one.webhook_id is not None:
            body["webhook_id"] = body["application_id"] = str(one.webhook_id)
        if one.origin is not None:
            body["interaction_metadata"] = one.origin
            if one.command is not None:
                kind, who = one.origin["type"], one.origin["user"]
                body["interaction"] = {
                    "id": one.origin["id"],
                    "type": kind,
                    "name": one.command,
                    "user": who,
                }
        if one.thread_id is not None and one.thread_id in self._world.channels:
            body["thread"] = self.channel(self._world.channels[one.thread_id], viewer.user_id)
        if one.reference is not None:
            body["message_reference"] = one.reference
            if not nested:
                body["referenced_message"] = self._referenced(one.reference, viewer)
        return body

    def _referenced(self, reference: Json, viewer: Viewer) -> Json | None:
        channel = self._world.channels.get(int(reference["channel_id"]))
        target = channel.messages.get(int(reference["message_id"])) if channel else None
        if target is None or not target.is_for(viewer.user_id):
            return None
        return self.message(target, viewer, nested=True)

    def _mention(self, user_id: int) -> Json:
        body = user(self._world.users[user_id])
        if user_id in self._world.members:
            body["member"] = member(self._world.members[user_id], with_user=False)
        return body

    def _reaction(self, one: Message, key: str, viewer_id: int) -> Json:
        reaction = one.reactions[key]
        count = len(reaction.users)
        return {
            "emoji": reaction.emoji.payload(),
            "count": count,
            "count_details": {"burst": 0, "normal": count},
            "burst_colors": [],
            "me": viewer_id in reaction.users,
            "me_burst": False,
        }

    def guild(self, viewer_id: int, *, full: bool = False) -> Json:
        """The guild object; ``full`` adds what GUILD_CREATE carries."""
        world = self._world
        body: Json = {
            "id": str(world.guild_id),
            "name": world.guild_name,
            "owner_id": str(world.owner_id),
            "roles": [role(each, bot_id=world.bot.id) for each in world.roles.values()],
            "emojis": [emoji(each) for each in world.emojis.values()],
            **_GUILD_DEFAULTS,
        }
        if full:
            body |= self._guild_create(viewer_id)
        return body

    def _guild_create(self, viewer_id: int) -> Json:
        world = self._world
        seen = [
            one for one in world.channels.values() if one.guild_id and world.can_see(viewer_id, one)
        ]
        return {
            "joined_at": iso(world.members[viewer_id].joined_at),
            "large": False,
            "unavailable": False,
            "member_count": len(world.members),
            "members": [member(each) for each in world.members.values()],
            "channels": [self.channel(each, viewer_id) for each in seen if not each.is_thread],
            "threads": [
                self.channel(each, viewer_id)
                for each in seen
                if each.is_thread and not each.archived
            ],
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }


_GUILD_DEFAULTS: dict[str, Any] = {
    "icon": None,
    "splash": None,
    "discovery_splash": None,
    "banner": None,
    "description": None,
    "features": [],
    "stickers": [],
    "afk_channel_id": None,
    "afk_timeout": 300,
    "system_channel_id": None,
    "system_channel_flags": 0,
    "rules_channel_id": None,
    "public_updates_channel_id": None,
    "safety_alerts_channel_id": None,
    "application_id": None,
    "verification_level": 0,
    "default_message_notifications": 1,
    "explicit_content_filter": 0,
    "mfa_level": 0,
    "nsfw_level": 0,
    "nsfw": False,
    "premium_tier": 0,
    "premium_subscription_count": 0,
    "premium_progress_bar_enabled": False,
    "preferred_locale": "en-US",
    "vanity_url_code": None,
    "widget_enabled": False,
    "widget_channel_id": None,
    "max_members": 500000,
    "max_presences": None,
    "max_video_channel_users": 25,
    "max_stage_video_channel_users": 50,
    "region": "deprecated",
    "incidents_data": None,
    "inventory_settings": None,
}
