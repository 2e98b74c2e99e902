"""The gateway: WebSocket connections that identify or resume, beat, and get dispatches."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from enum import IntEnum
from typing import Any

from aiohttp import WSMsgType, web

from playground.intents import KNOWN, Intent
from playground.model import Json
from playground.payloads import member as draw_member
from playground.payloads import user as draw_user
from playground.sessions import Outbox, Session, Sessions, encode
from playground.snowflakes import parse
from playground.world import World

_FRAME_LIMIT = 4096
_SENDS_PER_MINUTE = 120
_ACK_DELAY = 0.025
"""Seconds until a heartbeat is acknowledged. Clients note when they sent it only after sending; on a loopback an
immediate answer would be there before that and look as late as a whole interval."""
_PATIENCE = 1.5
"""Heartbeat intervals that may pass without one."""


class Op(IntEnum):
    """Gateway opcodes."""

    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    VOICE_STATE = 4
    RESUME = 6
    RECONNECT = 7
    REQUEST_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    ACK = 11
    REQUEST_SOUNDBOARD = 31


class CloseGatewayError(Exception):
    """Ends a connection with one of Discord's close codes."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Connection:
    """One WebSocket."""

    def __init__(
        self, gateway: Gateway, socket: web.WebSocketResponse, request: web.Request
    ) -> None:
        self._gateway = gateway
        self._world = gateway.world
        self._request = request
        self._sent: deque[float] = deque()
        self._left = False  # the client said goodbye for good: its session ends
        self.socket = socket
        self.session: Session | None = None
        self.outbox = Outbox(compress=request.query.get("compress") == "zlib-stream")

    def abort(self) -> None:
        """Cut the TCP connection without a close frame."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def send(self, op: Op, data: Any = None) -> None:
        """Queue a payload that is no dispatch."""
        self.outbox.put(encode(int(op), data))

    async def run(self) -> None:
        """Serve the connection until it ends."""
        self.send(
            Op.HELLO, {"heartbeat_interval": int(self._world.options.heartbeat_seconds * 1000)}
        )
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(self._write())
                await self._read()
                self.outbox.end()
                writer.cancel()
        except* CloseGatewayError as failures:
            failure = failures.exceptions[0]
            if isinstance(failure, CloseGatewayError):
                await self.close(failure.code, failure.reason)
        except* ConnectionError:
            pass
        finally:
            self._finish()

    async def close(self, code: int, reason: str = "") -> None:
        """Close with a code."""
        with contextlib.suppress(ConnectionError):
            await self.socket.close(code=code, message=reason.encode())

    def _finish(self) -> None:
        if self.session is None:
            return
        self._gateway.sessions.lose(self.session, self.outbox)
        if self._left:
            self._gateway.sessions.drop(self.session)

    async def _write(self) -> None:
        while (frame := await self.outbox.next()) is not None:
            if isinstance(frame, bytes):
                await self.socket.send_bytes(frame)
            else:
                await self.socket.send_str(frame)

    async def _read(self) -> None:
        patience = self._world.options.heartbeat_seconds * _PATIENCE
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        while True:
            try:
                frame = await asyncio.wait_for(
                    self.socket.receive(), max(0.001, deadline - loop.time())
                )
            except TimeoutError:
                raise CloseGatewayError(4009, "Session timed out.") from None
            if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                self._left = frame.type is WSMsgType.CLOSE and frame.data in (1000, 1001)
                return
            payload = self._decoded(frame.data)
            if payload["op"] == Op.HEARTBEAT:
                deadline = loop.time() + patience
            self._handle(payload)

    def _decoded(self, data: str | bytes) -> Json:
        if len(data) > _FRAME_LIMIT:
            raise CloseGatewayError(4002, "Error while decoding payload.")
        try:
            payload = json.loads(data)
        except (ValueError, RecursionError):
            raise CloseGatewayError(4002, "Error while decoding payload.") from None
        if not isinstance(payload, dict) or not isinstance(payload.get("op"), int):
            raise CloseGatewayError(4002, "Error while decoding payload.")
        now = asyncio.get_running_loop().time()
        self._sent.append(now)
        while self._sent[0] < now - 60:
            self._sent.popleft()
        if len(self._sent) > _SENDS_PER_MINUTE:
            raise CloseGatewayError(4008, "Rate limited.")
        return payload

    def _handle(self, payload: Json) -> None:
        op, data = payload["op"], payload.get("d")
        if op == Op.HEARTBEAT:
            if not self._gateway.faults.take_silence():
                asyncio.get_running_loop().call_later(_ACK_DELAY, self.send, Op.ACK)
        elif op in (Op.IDENTIFY, Op.RESUME):
            if self.session is not None:
                raise CloseGatewayError(4005, "Already authenticated.")
            if not isinstance(data, dict):
                raise CloseGatewayError(4002, "Error while decoding payload.")
            self._check_token(data)
            self._identify(data) if op == Op.IDENTIFY else self._resume(data)
        elif self.session is None:
            raise CloseGatewayError(4003, "Not authenticated.")
        elif op == Op.REQUEST_MEMBERS and isinstance(data, dict):
            self._send_members(self.session, data)
        elif op not in (Op.PRESENCE, Op.VOICE_STATE, Op.REQUEST_SOUNDBOARD):
            raise CloseGatewayError(4001, "Unknown opcode.")

    def _check_token(self, data: Json) -> None:
        token = data.get("token")
        if (
            not isinstance(token, str)
            or token.removeprefix("Bot ") not in self._world.options.tokens
        ):
            raise CloseGatewayError(4004, "Authentication failed.")

    def _identify(self, data: Json) -> None:
        intents = data.get("intents")
        if isinstance(intents, bool) or not isinstance(intents, int) or intents & ~KNOWN:
            raise CloseGatewayError(4013, "Invalid intent(s).")
        options = self._world.options
        barred = 0 if options.members_intent else Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES
        barred |= 0 if options.content_intent else Intent.MESSAGE_CONTENT
        if intents & barred:
            raise CloseGatewayError(4014, "Disallowed intent(s).")
        shard = data.get("shard") or [0, 1]
        if (
            not isinstance(shard, list)
            or len(shard) != 2
            or not all(isinstance(one, int) for one in shard)
        ):
            raise CloseGatewayError(4010, "Invalid shard.")
        session = self._gateway.sessions.open(
            intents=intents, shard=(shard[0], shard[1]), outbox=self.outbox
        )
        self.session = session
        session.dispatch("READY", self._ready(session))
        guild = self._world.draw.guild(self._world.bot.id, full=True)
        if not intents & Intent.GUILD_MEMBERS:
            guild["members"] = [draw_member(self._world.members[self._world.bot.id])]
        session.dispatch("GUILD_CREATE", guild)

    def _ready(self, session: Session) -> Json:
        bot = self._world.bot
        return {
            "v": 10,
            "user": {
                **draw_user(bot),
                "verified": True,
                "mfa_enabled": True,
                "email": None,
                "flags": 0,
            },
            "guilds": [{"id": str(self._world.guild_id), "unavailable": True}],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self._gateway.url,
            "shard": list(session.shard),
            "application": {"id": str(bot.id), "flags": application_flags(self._world)},
            "private_channels": [],
            "presences": [],
            "relationships": [],
            "user_settings": {},
            "_trace": ["playground"],
        }

    def _resume(self, data: Json) -> None:
        session = self._gateway.sessions.get(data.get("session_id"))
        sequence = data.get("seq")
        after = 0 if sequence is None else parse(sequence)
        missed = session.missed(after) if session is not None and after is not None else None
        if session is None or missed is None:
            self.send(Op.INVALID_SESSION, data=False)
            return
        self._gateway.sessions.connect(session, self.outbox)
        self.session = session
        for frame in missed:
            self.outbox.put(frame)
        session.dispatch("RESUMED", {"_trace": ["playground"]})

    def _send_members(self, session: Session, data: Json) -> None:
        world = self._world
        guild_id = data.get("guild_id")
        if (
            parse(guild_id[0] if isinstance(guild_id, list) and guild_id else guild_id)
            != world.guild_id
        ):
            return
        chosen = list(world.members.values())
        user_ids = data.get("user_ids")
        missing: list[str] = []
        if user_ids is not None:
            asked = [parse(one) for one in (user_ids if isinstance(user_ids, list) else [user_ids])]
            missing = [str(one) for one in asked if one not in world.members]
            chosen = [world.members[one] for one in asked if one in world.members]
        elif query := str(data.get("query") or "").lower():
            chosen = [one for one in chosen if one.user.username.startswith(query)]
        limit = parse(data.get("limit")) or len(chosen)
        chunk: Json = {
            "guild_id": str(world.guild_id),
            "members": [draw_member(one) for one in chosen[:limit]],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": missing,
        }
        if data.get("nonce") is not None:
            chunk["nonce"] = data["nonce"]
        session.dispatch("GUILD_MEMBERS_CHUNK", chunk)


class Gateway:
    """Every gateway connection, and the faults that can be done to them."""

    def __init__(self, world: World, sessions: Sessions, faults: GatewayFaults) -> None:
        self.world = world
        self.sessions = sessions
        self.faults = faults
        self.url = ""
        self._connections: set[Connection] = set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one WebSocket."""
        socket = web.WebSocketResponse(max_msg_size=1 << 20, compress=False)
        await socket.prepare(request)
        if (
            request.query.get("v", "10") not in ("9", "10")
            or request.query.get("encoding", "json") != "json"
        ):
            await socket.close(code=4012, message=b"Invalid API version.")
            return socket
        connection = Connection(self, socket, request)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
        return socket

    def reconnect(self) -> None:
        """Ask every client to reconnect (op 7)."""
        for connection in self._connections:
            connection.send(Op.RECONNECT)

    def invalidate(self, *, resumable: bool) -> None:
        """Call every session invalid (op 9)."""
        for connection in self._connections:
            if not resumable and connection.session is not None:
                self.sessions.drop(connection.session)
            connection.send(Op.INVALID_SESSION, data=resumable)

    def drop(self) -> None:
        """Cut every TCP connection."""
        for connection in self._connections:
            connection.abort()

    async def close_all(self, code: int, reason: str = "") -> None:
        """Close every connection with a code."""
        for connection in tuple(self._connections):
            await connection.close(code, reason)


class GatewayFaults:
    """Small faults that the gateway looks up while it works."""

    def __init__(self) -> None:
        self.silent_beats = 0
        self.duplicates = 0

    def take_silence(self) -> bool:
        """Whether this heartbeat gets no acknowledgement."""
        silent = self.silent_beats > 0
        self.silent_beats -= silent
        return silent

    def take_duplicate(self) -> bool:
        """Whether this dispatch is sent twice."""
        twice = self.duplicates > 0
        self.duplicates -= twice
        return twice


def application_flags(world: World) -> int:
    """Which privileged intents the application has been granted, as its flags say it."""
    members = (1 << 13) | (1 << 15)
    content = 1 << 19
    return (members if world.options.members_intent else 0) | (
        content if world.options.content_intent else 0
    )
