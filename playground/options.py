"""Every number that shapes the playground, with Discord's own as defaults."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaygroundOptions:
    """How the playground behaves.

    Attributes:
        tokens: Bot tokens that may log in.
        bot_name: Name of the bot's user.
        people: Names of the listeners at start, after the moderator.
        members_intent: Whether the application may ask for the privileged members intent.
        content_intent: Whether it may ask for the privileged message content intent.
        response_seconds: How long an interaction waits for its first response.
        token_seconds: How long an interaction token lives.
        heartbeat_seconds: Interval that the gateway asks for.
        session_seconds: How long a session without a connection can be resumed.
        replay_kept: Dispatches kept for a resume, at least 1.
        file_bytes: Largest single upload.
        request_bytes: Largest whole request.
        messages_kept: Messages kept in each channel.
        route_limit: Requests allowed on one route within ``route_seconds``; 0 switches limits off.
        route_seconds: Length of that window.
        global_limit: Requests allowed in each second on all routes together; 0 switches it off.
        hosts: Host names under which the server may be called besides the loopback ones.
    """

    tokens: frozenset[str] = frozenset({"playground"})
    bot_name: str = "Tunebreeder"
    people: tuple[str, ...] = ("Ada", "Bix", "Cleo")
    members_intent: bool = True
    content_intent: bool = True
    response_seconds: float = 3.0
    token_seconds: float = 900.0
    heartbeat_seconds: float = 41.25
    session_seconds: float = 300.0
    replay_kept: int = 2000
    file_bytes: int = 10 * MIB
    request_bytes: int = 25 * MIB
    messages_kept: int = 2000
    route_limit: int = 50
    route_seconds: float = 1.0
    global_limit: int = 50
    hosts: frozenset[str] = frozenset()
