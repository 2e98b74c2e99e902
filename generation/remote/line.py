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
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from urllib.parse import SplitResult

CONNECT = 10.0
"""Seconds to wait for a connection, the look-up of its name included."""
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
        connect: Seconds to wait for a connection, the look-up of the name included.
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
        self._open: set[_Exchange] = set()
        self._ended = False

    def call(self, call: Call) -> Answer:
        """Return the answer; raises ``NoAnswer``."""
        exchange = _Exchange(self._url, call)
        with self._alone:
            if self._ended:
                raise NoAnswer(Lack.HUNG_UP)
            self._open.add(exchange)
        try:
            exchange.begin(min(self._connect, self._left(call)))
            return exchange.answer(self._left(call))
        finally:
            exchange.end()
            with self._alone:
                self._open.discard(exchange)

    def hang_up(self) -> None:
        """End all calls, and those that would come."""
        with self._alone:
            self._ended = True
            for one in self._open:
                one.end()

    def _left(self, call: Call) -> float:
        """Return the seconds that are left for a call."""
        left = call.deadline - self._clock()
        if left <= 0:
            raise NoAnswer(Lack.SILENT)
        return left


class _Exchange:
    """One call and its answer, on a thread that nobody has to wait for.

    A look-up of a name cannot be broken off, and a server that drips a byte now and then keeps every single wait short.
    So who asks waits no longer than the time there is, whatever the thread is at; what it waits for is shut.
    """

    def __init__(self, url: SplitResult, call: Call) -> None:
        self._url, self._call = url, call
        self._alone = threading.Lock()
        self._through = threading.Event()
        self._came: Future[Answer] = Future()
        self._line: socket.socket | None = None

    def begin(self, seconds: float) -> None:
        """Connect, and wait for that so long; nothing is sent where it takes longer.

        Raises:
            NoAnswer: There is no connection.
        """
        threading.Thread(target=self._run, args=(seconds,), daemon=True).start()
        if not self._through.wait(seconds):
            with self._alone:
                if not self._through.is_set():
                    self._finish(NoAnswer(Lack.UNREACHABLE))
        if self._came.done():
            self._came.result()

    def answer(self, seconds: float) -> Answer:
        """Wait so long for the answer; raises ``NoAnswer``."""
        try:
            return self._came.result(seconds)
        except TimeoutError:
            raise NoAnswer(Lack.SILENT) from None

    def end(self) -> None:
        """Shut the connection, if there is one, and make none; who still waits hears that it was hung up on."""
        with self._alone:
            self._finish(NoAnswer(Lack.HUNG_UP))
            self._through.set()
            if self._line is not None:
                with contextlib.suppress(OSError):
                    # Not the encrypted socket's own: that is not to be called beside one of its readers.
                    socket.socket.shutdown(self._line, socket.SHUT_RDWR)

    def _finish(self, outcome: Answer | BaseException) -> None:
        """Tell who waits, unless that was done."""
        with contextlib.suppress(InvalidStateError):
            if isinstance(outcome, Answer):
                self._came.set_result(outcome)
            else:
                self._came.set_exception(outcome)

    # On the thread -----------------------------------------------------------------------------------

    def _run(self, seconds: float) -> None:
        try:
            outcome: Answer | BaseException = self._answered(self._connected(seconds))
        except BaseException as error:  # noqa: BLE001 - the thread's boundary: who waits hears of it
            outcome = error
        with self._alone:
            self._finish(outcome)
            self._through.set()
            if self._line is not None:
                self._line.close()

    def _connected(self, seconds: float) -> http.client.HTTPConnection:
        host = self._url.hostname or ""
        # Never left to http.client, which takes what follows the last colon of an IPv6 address for a port.
        port = self._url.port or (443 if self._url.scheme == "https" else 80)
        try:
            if self._url.scheme == "https":
                context = ssl.create_default_context()
                connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                    host, port, context=context
                )
                line = self._kept(socket.create_connection((host, port), seconds))
                secret = context.wrap_socket(
                    line, server_hostname=host, do_handshake_on_connect=False
                )
                line = self._kept(secret)
                secret.do_handshake()
            else:
                connection = http.client.HTTPConnection(host, port)
                line = self._kept(socket.create_connection((host, port), seconds))
        except ssl.SSLCertVerificationError:
            raise NoAnswer(Lack.UNTRUSTED) from None
        except (OSError, UnicodeError):
            raise NoAnswer(Lack.UNREACHABLE) from None
        self._kept(line, through=True)
        line.settimeout(None)  # who waits shuts it
        connection.sock = line
        return connection

    def _kept(self, line: socket.socket, *, through: bool = False) -> socket.socket:
        """Return a connection that can be shut from now on.

        Raises:
            NoAnswer: Nobody waits any more.
        """
        with self._alone:
            self._line = line
            if self._came.done():
                raise NoAnswer(Lack.HUNG_UP)
            if through:
                self._through.set()
        return line

    def _answered(self, connection: http.client.HTTPConnection) -> Answer:
        call = self._call
        try:
            connection.request(call.method, call.target, body=call.body, headers=dict(call.headers))
            with contextlib.closing(connection.getresponse()) as response:
                headers = {name.lower(): value for name, value in response.getheaders()}
                body = self._read(response)
        except (OSError, http.client.IncompleteRead):
            raise NoAnswer(Lack.CUT) from None
        except http.client.HTTPException:
            raise NoAnswer(Lack.NONSENSE) from None
        if response.length:  # of what is still to come
            raise NoAnswer(Lack.CUT)
        return Answer(status=response.status, headers=headers, body=body)

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        if response.length is not None and response.length > self._call.largest:
            raise NoAnswer(Lack.HUGE)
        body = bytearray()
        while not response.isclosed() and (piece := response.read1(_PIECE)):
            body += piece
            if len(body) > self._call.largest:
                raise NoAnswer(Lack.HUGE)
        return bytes(body)
