"""HTTP as far as it is wanted here: one call, one answer, with limits, and a way to hang up from another thread.

The standard library's client does it: no package that the bot has without its extras speaks HTTP synchronously, and
nothing more is needed. It follows no redirects, so a key never goes where nobody sent it, and uses no proxy.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from urllib.parse import SplitResult

CONNECT = 10.0
"""Seconds to wait for a connection."""
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is asked.

    Attributes:
        method: Such as ``"POST"``.
        target: Path and query.
        body: Sent with it; ``None`` for nothing.
        headers: Sent with it. Never shown: the key is among them.
        deadline: When it must be answered, by ``time.monotonic``.
        largest: Bytes of an answer.
    """

    method: str
    target: str
    deadline: float
    largest: int
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came. The names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Lack(StrEnum):
    """Why there is no answer."""

    UNREACHABLE = "cannot be reached"
    SILENT = "did not answer in time"
    CUT = "broke off in the middle of its answer"
    HUGE = "sends more than is read"
    UNTRUSTED = "has no certificate that is trusted here"
    NONSENSE = "speaks no HTTP"
    HUNG_UP = "was hung up on"


class NoAnswer(Exception):  # noqa: N818 - never leaves this room
    """Nothing came that could be an answer."""

    def __init__(self, lack: Lack) -> None:
        super().__init__(lack.value)
        self.lack = lack


class Line(Protocol):
    """Carries calls to one server. Any thread may call, several at a time."""

    def call(self, call: Call) -> Answer:
        """Return the answer.

        Raises:
            NoAnswer: There is none.
        """

    def hang_up(self) -> None:
        """End all calls, and those that would come: each raises ``NoAnswer``."""


class HttpLine:
    """A ``Line`` of one connection for each call.

    Args:
        url: Scheme and host count.
        connect: Seconds to wait for a connection.
        clock: Seconds, as in ``Call.deadline``.
    """

    def __init__(
        self,
        url: SplitResult,
        *,
        connect: float = CONNECT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._connect, self._clock = url, connect, clock
        self._alone = threading.Lock()
        self._open: set[socket.socket] = set()
        self._ended = False

    def call(self, call: Call) -> Answer:
        """Return the answer; raises ``NoAnswer``."""
        connection = self._connected(call)
        try:
            with self._open_until_done(connection):
                return self._answered(connection, call)
        except TimeoutError:
            raise NoAnswer(Lack.SILENT) from None
        except (OSError, http.client.IncompleteRead):
            raise NoAnswer(Lack.HUNG_UP if self._ended else Lack.CUT) from None
        except http.client.HTTPException:
            raise NoAnswer(Lack.NONSENSE) from None
        finally:
            connection.close()

    def hang_up(self) -> None:
        """End all calls, and those that would come."""
        with self._alone:
            self._ended = True
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def _connected(self, call: Call) -> http.client.HTTPConnection:
        wait = min(self._connect, self._left(call))
        port = self._url.port
        host = self._url.hostname or ""
        if self._url.scheme == "https":
            context = ssl.create_default_context()
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=wait, context=context
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=wait)
        try:
            connection.connect()
        except ssl.SSLCertVerificationError:
            raise NoAnswer(Lack.UNTRUSTED) from None
        except (OSError, UnicodeError):
            raise NoAnswer(Lack.UNREACHABLE) from None
        return connection

    @contextlib.contextmanager
    def _open_until_done(self, connection: http.client.HTTPConnection) -> Iterator[None]:
        line = connection.sock
        with self._alone:
            if self._ended:
                raise NoAnswer(Lack.HUNG_UP)
            self._open.add(line)
        try:
            yield
        finally:
            with self._alone:
                self._open.discard(line)

    def _answered(self, connection: http.client.HTTPConnection, call: Call) -> Answer:
        line = connection.sock
        line.settimeout(self._left(call))
        connection.request(call.method, call.target, body=call.body, headers=dict(call.headers))
        line.settimeout(self._left(call))
        with contextlib.closing(connection.getresponse()) as response:
            headers = {name.lower(): value for name, value in response.getheaders()}
            body = self._read(response, line, call)
        length = headers.get("content-length", "")
        if length.isdecimal() and len(body) < int(length):
            raise NoAnswer(Lack.CUT)
        return Answer(status=response.status, headers=headers, body=body)

    def _read(self, response: http.client.HTTPResponse, line: socket.socket, call: Call) -> bytes:
        if response.length is not None and response.length > call.largest:
            raise NoAnswer(Lack.HUGE)
        body = bytearray()
        while not response.isclosed():
            line.settimeout(self._left(call))
            piece = response.read1(_PIECE)
            if not piece:
                break
            body += piece
            if len(body) > call.largest:
                raise NoAnswer(Lack.HUGE)
        return bytes(body)

    def _left(self, call: Call) -> float:
        """Return the seconds that are left for a call."""
        left = call.deadline - self._clock()
        if left <= 0:
            raise NoAnswer(Lack.SILENT)
        return left
