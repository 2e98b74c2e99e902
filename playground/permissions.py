"""Permission bits and how roles and overwrites add up to what a member may do in a channel."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntFlag

from playground.model import Channel, Overwrite


class Permission(IntFlag):
    """The bits that the playground enforces or hands out."""

    KICK_MEMBERS = 1 << 1
    BAN_MEMBERS = 1 << 2
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    SEND_TTS_MESSAGES = 1 << 12
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    CONNECT = 1 << 20
    SPEAK = 1 << 21
    CHANGE_NICKNAME = 1 << 26
    MANAGE_ROLES = 1 << 28
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38
    MODERATE_MEMBERS = 1 << 40
    SEND_VOICE_MESSAGES = 1 << 46
    SEND_POLLS = 1 << 49
    USE_EXTERNAL_APPS = 1 << 50
    PIN_MESSAGES = 1 << 51


P = Permission

EVERYONE = (
    P.ADD_REACTIONS
    | P.VIEW_CHANNEL
    | P.SEND_MESSAGES
    | P.EMBED_LINKS
    | P.ATTACH_FILES
    | P.READ_MESSAGE_HISTORY
    | P.USE_EXTERNAL_EMOJIS
    | P.CONNECT
    | P.SPEAK
    | P.CHANGE_NICKNAME
    | P.USE_APPLICATION_COMMANDS
    | P.CREATE_PUBLIC_THREADS
    | P.CREATE_PRIVATE_THREADS
    | P.SEND_MESSAGES_IN_THREADS
    | P.SEND_VOICE_MESSAGES
    | P.SEND_POLLS
    | P.USE_EXTERNAL_APPS
)
"""What a new server grants to everyone."""

MODERATOR = (
    P.KICK_MEMBERS
    | P.BAN_MEMBERS
    | P.MANAGE_CHANNELS
    | P.MANAGE_GUILD
    | P.MANAGE_MESSAGES
    | P.MENTION_EVERYONE
    | P.MANAGE_ROLES
    | P.MANAGE_THREADS
    | P.MODERATE_MEMBERS
    | P.PIN_MESSAGES
)
"""What the moderator role adds."""

BOT = EVERYONE | P.MANAGE_MESSAGES | P.MANAGE_THREADS | P.PIN_MESSAGES
"""What the bot was invited with."""

ALL = Permission((1 << 53) - 1)
"""What the owner and administrators have."""

DIRECT = (
    P.ADD_REACTIONS
    | P.VIEW_CHANNEL
    | P.SEND_MESSAGES
    | P.EMBED_LINKS
    | P.ATTACH_FILES
    | P.READ_MESSAGE_HISTORY
    | P.USE_EXTERNAL_EMOJIS
    | P.USE_APPLICATION_COMMANDS
    | P.SEND_VOICE_MESSAGES
    | P.SEND_POLLS
    | P.USE_EXTERNAL_APPS
)
"""What both sides may do in a direct message."""

_NEEDS_SEND = P.MENTION_EVERYONE | P.SEND_TTS_MESSAGES | P.ATTACH_FILES | P.EMBED_LINKS


def base(role_bits: Iterable[int], *, owner: bool) -> int:
    """A member's bits before any channel is looked at.

    Args:
        role_bits: Bits of each role, with those of everyone.
        owner: Whether the member owns the guild.
    """
    bits = 0
    for one in role_bits:
        bits |= one
    return int(ALL) if owner or bits & P.ADMINISTRATOR else bits


def in_channel(
    bits: int, channel: Channel, *, everyone: int, roles: Iterable[int], user_id: int
) -> int:
    """Apply a channel's overwrites, everyone first, then roles together, then the member.

    Args:
        bits: What ``base`` gave.
        channel: The channel, or the parent when it is a thread.
        everyone: Id of the everyone role (it is the guild's id).
        roles: Ids of the member's roles.
        user_id: The member.
    """
    if bits & P.ADMINISTRATOR:
        return int(ALL)
    by_id: dict[int, Overwrite] = channel.overwrites
    if everyone in by_id:
        bits = (bits & ~by_id[everyone].deny) | by_id[everyone].allow
    allow = deny = 0
    for role in roles:
        if role in by_id:
            allow |= by_id[role].allow
            deny |= by_id[role].deny
    bits = (bits & ~deny) | allow
    if user_id in by_id:
        bits = (bits & ~by_id[user_id].deny) | by_id[user_id].allow
    return _implied(bits, threads=channel.is_thread)


def _implied(bits: int, *, threads: bool) -> int:
    """Take away what means nothing without seeing the channel or writing in it."""
    if not bits & P.VIEW_CHANNEL:
        return 0
    if not threads and not bits & P.SEND_MESSAGES:
        bits &= ~_NEEDS_SEND
    return bits


def missing(bits: int, wanted: int) -> bool:
    """Whether any bit of ``wanted`` is absent."""
    return bits & wanted != wanted
