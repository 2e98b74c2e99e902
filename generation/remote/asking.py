"""Ask a server, and ask again where that may help; what goes wrong is a sentence that names no key."""

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
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
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

    def post(self, path: str, sent: Mapping[str, Any]) -> Answer:
        """Ask with a JSON object; see ``get``."""
        return self._ask("POST", path, json.dumps(sent, ensure_ascii=False).encode())

    def get(self, target: str) -> Answer:
        """Ask for something.

        Raises:
            Spoilt: The server does not do it, or has trouble of its own.
            GenerationError: The server does nothing at all for us.
            Cancelled: The clip was given up.
        """
        return self._ask("GET", target, None)

    def _ask(self, method: str, target: str, body: bytes | None) -> Answer:
        call = Call(
            method=method,
            target=target,
            body=body,
            headers=self._headers(body),
            deadline=self._deadline,
            largest=self.server.largest,
        )
        for number in range(self.server.retries + 1):
            last = number == self.server.retries
            try:
                answer = self._line.call(call)
            except NoAnswer as error:
                if last or error.lack not in {Lack.UNREACHABLE, Lack.CUT}:
                    raise self._without(error.lack) from None
                self.pause(0.5 * 2.0**number)
                continue
            if answer.status < 300:
                return answer
            wait = max(0.5 * 2.0**number, _retry_after(answer.headers))
            patience = min(LONGEST_WAIT, self._deadline - self._clock())
            if last or answer.status not in _AGAIN or wait > patience:
                raise self._refused(answer)
            self.pause(wait)
        raise Spoilt(f"{self.server.host} was not asked.")

    def _headers(self, body: bytes | None) -> dict[str, str]:
        headers = {"User-Agent": "Tunebreeder", "Accept": "audio/*, application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.server.key:
            headers["Authorization"] = f"Bearer {self.server.key}"
        return headers

    def _without(self, lack: Lack) -> Exception:
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
            return Spoilt(f"{host} {lack.value}.")
        return GenerationError(f"The music server at {host} {lack.value}.")

    def _late(self) -> Spoilt:
        return Spoilt(
            f"{self.server.host} did not make the clip within {self.server.timeout:g} seconds."
        )

    def _refused(self, answer: Answer) -> Exception:
        """Return what an HTTP status means for the host: trouble with this clip, or with all."""
        host, status, variable = self.server.host, answer.status, self.server.key_variable
        said = self.safe(complaint(answer.body))
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
        trouble = "has trouble of its own" if status >= 500 else "refuses the request"
        return Spoilt(f"{host} {trouble} (HTTP {status}).{said}")

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
