"""Identifiers. Discord's are snowflakes; ours are SQLite row ids. Never mix the two."""

from typing import NewType

GuildId = NewType("GuildId", int)
"""A Discord server. 0 stands for direct messages, which belong to no server."""
ChannelId = NewType("ChannelId", int)
"""A Discord text channel, thread or direct-message channel."""
MessageId = NewType("MessageId", int)
ListenerId = NewType("ListenerId", int)
"""A Discord user whose feedback may count."""

RunId = NewType("RunId", int)
CandidateId = NewType("CandidateId", int)
ClipId = NewType("ClipId", int)
PostId = NewType("PostId", int)
DuelId = NewType("DuelId", int)

DIRECT_MESSAGES = GuildId(0)
