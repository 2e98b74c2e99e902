"""Ask a server, and ask again where that may help; what goes wrong is a sentence that names no key.

A clip is asked for again only where it certainly was not begun: where there was no connection, or where the server says
that it takes nothing now (429, 503). Anything else may have made, and charged for, the clip; a second one would be paid
for twice. Questions about a clip cost nothing and are repeated.
"""

from __future__ import annotations

import email.utils
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from domain.errors import GenerationError
from generation.generator import Cancelled
from generation.remote.line import Answer, Call, Lack, Line, NoAnswer
from generation.remote.server import Server

LONGEST_WAIT = 60.0
"""Seconds between two tries; a server that asks for more is not waited for."""
_NOT_TAKEN = frozenset({429, 503})
_PASSING = frozenset({*_NOT_TAKEN, 408, 425, 500, 502, 504, 520, 522, 524, 529})
TAKEN = " It may have made, and charged for, the clip, so it was not asked again."
JSON = "application/json"
"""Media type."""
_SECRETS = re.compile(r"\b(?:sk|pk|key|Bearer)[-_ ][\w\-*.]{6,}", re.IGNORECASE)


class Spoilt(Exception):  # noqa: N818 - never leaves this room
    """A clip cannot be had, another may. Its text is a sentence."""


class Asker:
    """Asks for one clip, within its time.

    Args:
        server: Who is asked.
        line: To the server.
        wait: Waits some seconds; says whether the clip was given up meanwhile.
        clock: Seconds, as the line's.
    """

    def __init__(
        self,
        server: Server,
        line: Line,
        wait: Callable[[float], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.server = server
        self._line, self._wait, self._clock = line, wait, clock
        self._deadline = clock() + server.timeout

    def pause(self, seconds: float) -> None:
        """Wait.

        Raises:
            Cancelled: The clip was given up.
            Spoilt: There is no time left for that.
        """
        if self._clock() + seconds > self._deadline:
            raise self._late()
        if self._wait(seconds):
            raise Cancelled

    def order(self, path: str, sent: bytes, kind: str) -> Answer:
        """Ask for a clip.

        Args:
            path: Where.
            sent: What is wanted.
            kind: Of what is sent, as a media type.

        Raises:
            Spoilt: The server does not make it, or may have made it but does not say so.
            GenerationError: The server does nothing at all for us.
            Cancelled: The clip was given up.
        """
        return self._ask(self._call("POST", path, sent, kind), order=True)

    def question(self, path: str, sent: Mapping[str, Any]) -> Answer:
        """Ask about a clip that was ordered, with a JSON object; see ``fetched``."""
        return self._ask(self._call("POST", path, in_json(sent), JSON), order=False)

    def fetched(self, target: str) -> Answer:
        """Fetch a clip that was ordered.

        Raises:
            Spoilt: It cannot be had.
            Cancelled: The clip was given up.
        """
        return self._ask(self._call("GET", target, None, ""), order=False)

    def _call(self, method: str, target: str, body: bytes | None, kind: str) -> Call:
        return Call(
            method=method,
            target=target,
            body=body,
            headers=self._headers(kind),
            deadline=self._deadline,
            largest=self.server.largest,
        )

    def _ask(self, call: Call, *, order: bool) -> Answer:
        again = {Lack.UNREACHABLE} if order else {Lack.UNREACHABLE, Lack.CUT}
        for number in range(self.server.retries + 1):
            last = number == self.server.retries
            try:
                answer = self._line.call(call)
            except NoAnswer as error:
                if last or error.lack not in again:
                    raise self._without(error.lack, order=order) from None
                self.pause(0.5 * 2.0**number)
                continue
            if answer.status < 300:
                return answer
            wait = max(0.5 * 2.0**number, _retry_after(answer.headers))
            patience = min(LONGEST_WAIT, self._deadline - self._clock())
            passing = answer.status in (_NOT_TAKEN if order else _PASSING)
            if last or not passing or wait > patience:
                raise self._refused(answer, order=order)
            self.pause(wait)
        raise Spoilt(f"{self.server.host} was not asked.")

    def _headers(self, kind: str) -> dict[str, str]:
        headers = {"User-Agent": "Tunebreeder", "Accept": "audio/*, application/json"}
        if kind:
            headers["Content-Type"] = kind
        if self.server.key:
            headers["Authorization"] = f"Bearer {self.server.key}"
        return headers

    def _without(self, lack: Lack, *, order: bool) -> Exception:
        """Return what it means that there is no answer."""
        host = self.server.host
        if lack is Lack.HUNG_UP:
            return Cancelled()
        if lack is Lack.SILENT:
            return self._late()
        if lack is Lack.HUGE:
            most = self.server.largest >> 20
            return Spoilt(f"{host} sends more than {most} MB for a clip; it was not read.")
        if lack is Lack.CUT:
            return Spoilt(f"{host} {lack.value}.{TAKEN if order else ''}")
        words = f"The music server at {host} {lack.value}."
        return GenerationError(words) if order else Spoilt(words)

    def _late(self) -> Spoilt:
        return Spoilt(
            f"{self.server.host} did not make the clip within {self.server.timeout:g} seconds."
        )

    def _refused(self, answer: Answer, *, order: bool) -> Exception:
        """Return what an HTTP status means for the host: trouble with this clip, or with all."""
        host, status, variable = self.server.host, answer.status, self.server.key_variable
        said = self.safe(complaint(answer.body))
        if not order:
            return Spoilt(
                f"{host} took the order but does not give the clip (HTTP {status}).{said}"
            )
        words = ""
        if status in {401, 403}:
            words = f"{host} does not accept the key in the environment variable {variable}."
            if not variable:
                words = f"{host} wants a key. Put it into an environment variable and name that as key_variable."
        elif status in {404, 405}:
            words = f"{host} knows no such address or model; check the url and the model.{said}"
        elif status == 402 or (status == 429 and "quota" in said.lower()):
            words = f"The account at {host} has no money left."
        elif 300 <= status < 400:
            words = f"{host} says that it has moved. Put its new address as url."
        if words:
            return GenerationError(words)
        if status == 429:
            return Spoilt(f"{host} is asked too often.")
        if status >= 500:
            taken = "" if status in _NOT_TAKEN else TAKEN
            return Spoilt(f"{host} has trouble of its own (HTTP {status}).{said}{taken}")
        return Spoilt(f"{host} refuses the request (HTTP {status}).{said}")

    def safe(self, words: str) -> str:
        """Return a server's words fit to be shown: one short line without keys, after a blank; or ``""``."""
        if self.server.key:
            words = words.replace(self.server.key, "***")
        if words.lstrip()[:1] == "<":  # a web page
            return ""
        line = " ".join(_SECRETS.sub("***", words).split())
        line = "".join(letter for letter in line if letter.isprintable())
        short = line if len(line) <= 200 else f"{line[:199]}…"
        return f" It says: {short}" if short else ""


def in_json(sent: Mapping[str, Any]) -> bytes:
    """Return an object as it is sent."""
    return json.dumps(sent, ensure_ascii=False).encode("utf-8", "replace")


def complaint(body: bytes) -> str:
    """Return what a server says is wrong, in whatever shape."""
    text = body[:4000].decode("utf-8", "replace")
    try:
        said: Any = json.loads(body) if len(body) < 1 << 20 else text
    except (ValueError, RecursionError):
        return text
    for _ in range(3):
        if isinstance(said, Mapping):
            said = next(
                (said[name] for name in ("error", "message", "detail", "msg") if said.get(name)), ""
            )
        if isinstance(said, list):
            said = said[0] if said else ""
    return said if isinstance(said, str) else ""


def _retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that a server asks to be left alone."""
    value = headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0
