"""What the playground remembers: users, roles, channels, messages, reactions, attachments.

These change while the server runs, so they are plain slotted dataclasses, not frozen records.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

Json = dict[str, Any]
"""A JSON object as Discord sends it."""


class ChannelType(IntEnum):
    """Kinds of channel that exist here."""

    TEXT = 0
    DM = 1
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12


class MessageType(IntEnum):
    """Kinds of message that exist here."""

    DEFAULT = 0
    PIN = 6
    THREAD_CREATED = 18
    REPLY = 19
    CHAT_INPUT_COMMAND = 20
    THREAD_STARTER = 21
    CONTEXT_MENU_COMMAND = 23


class MessageFlag(IntEnum):
    """Bits of a message's flags."""

    SUPPRESS_EMBEDS = 1 << 2
    HAS_THREAD = 1 << 5
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SILENT = 1 << 12
    VOICE_MESSAGE = 1 << 13
    COMPONENTS_V2 = 1 << 15


@dataclass(slots=True, kw_only=True)
class User:
    """A person or the bot.

    Attributes:
        avatar_color: CSS colour that the page draws.
        synthetic: Whether a program acts for them.
    """

    id: int
    username: str
    global_name: str | None
    avatar_color: str = "#5865f2"
    bot: bool = False
    synthetic: bool = False


@dataclass(slots=True, kw_only=True)
class Role:
    """A role; the one with the guild's own id is everyone."""

    id: int
    name: str
    permissions: int
    position: int
    color: int = 0
    managed: bool = False


@dataclass(slots=True, kw_only=True)
class Member:
    """A user in the guild."""

    user: User
    roles: list[int]
    joined_at: float


@dataclass(slots=True, kw_only=True)
class Emoji:
    """A Unicode emoji (``id`` is ``None``) or one of the guild's own."""

    name: str
    id: int | None = None

    @property
    def key(self) -> str:
        """Equal for equal emoji: a variation selector makes no difference."""
        return f"{self.name}:{self.id}" if self.id else self.name.replace("\ufe0f", "")

    def payload(self) -> Json:
        """As Discord sends it."""
        return {"id": str(self.id) if self.id else None, "name": self.name, "animated": False}


@dataclass(slots=True, kw_only=True)
class Overwrite:
    """What a channel allows and denies to one role (kind 0) or member (kind 1)."""

    id: int
    kind: int
    allow: int = 0
    deny: int = 0


@dataclass(slots=True, kw_only=True)
class Attachment:
    """A file of a message; its bytes lie in the media store under ``id``."""

    id: int
    filename: str
    size: int
    content_type: str
    description: str | None = None
    title: str | None = None
    duration_secs: float | None = None
    waveform: str | None = None
    ephemeral: bool = False


@dataclass(slots=True, kw_only=True)
class Reaction:
    """Everyone who reacted with one emoji, in order of time."""

    emoji: Emoji
    users: dict[int, None] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Message:
    """A message.

    Attributes:
        only_for: The one person who sees an ephemeral message, or ``None``.
        mentions: Ids of people who are really pinged.
        thread_id: The thread that was started from it.
        origin: What interaction it answers (Discord's ``interaction_metadata``).
        command: Name of the command it answers, for the page and older clients.
    """

    id: int
    channel_id: int
    author: User
    created: float
    content: str = ""
    edited: float | None = None
    kind: int = MessageType.DEFAULT
    flags: int = 0
    tts: bool = False
    pinned: bool = False
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    reactions: dict[str, Reaction] = field(default_factory=dict)
    mentions: list[int] = field(default_factory=list)
    mention_roles: list[int] = field(default_factory=list)
    mention_everyone: bool = False
    reference: Json | None = None
    nonce: str | int | None = None
    only_for: int | None = None
    thread_id: int | None = None
    webhook_id: int | None = None
    origin: Json | None = None
    command: str | None = None

    def is_for(self, user_id: int) -> bool:
        """Whether this person may know of it, as far as being ephemeral goes."""
        return self.only_for is None or self.only_for == user_id


@dataclass(slots=True, kw_only=True)
class Channel:
    """A text channel, a thread or a direct message.

    Attributes:
        members: Thread members or the two people of a direct message, with the time they joined.
        messages: By id, oldest first.
        nonces: Message by author and nonce, for de-duplication.
    """

    id: int
    kind: ChannelType
    name: str
    guild_id: int | None = None
    parent_id: int | None = None
    position: int = 0
    topic: str | None = None
    nsfw: bool = False
    slowmode: int = 0
    owner_id: int | None = None
    created: float = 0.0
    archived: bool = False
    archived_at: float = 0.0
    auto_archive: int = 1440
    locked: bool = False
    invitable: bool = True
    total_sent: int = 0
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    members: dict[int, float] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    nonces: dict[tuple[int, str], int] = field(default_factory=dict)

    @property
    def is_thread(self) -> bool:
        """Whether it hangs below a text channel."""
        return self.kind in (ChannelType.PUBLIC_THREAD, ChannelType.PRIVATE_THREAD)

    @property
    def is_dm(self) -> bool:
        """Whether it is a direct message."""
        return self.kind is ChannelType.DM

    def last_message_id(self, user_id: int) -> int | None:
        """The newest message that a person may know of."""
        for message_id in reversed(self.messages):
            if self.messages[message_id].is_for(user_id):
                return message_id
        return None
