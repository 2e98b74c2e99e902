"""A language model behind any server that speaks OpenAI's chat completions. The only file that knows ``openai``.

The client library is imported at the first request, off the event loop: whoever sets up no model never loads it.
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import numpy as np

from domain.errors import LanguageModelError, UnreachableError
from evolution.language import wire
from evolution.language.cleaning import printable
from evolution.language.seam import Answer, Ask
from evolution.language.streaming import Visible
from evolution.language.wire import Lack

if TYPE_CHECKING:
    import openai

T = TypeVar("T")

LONGEST_WAIT = 20.0
"""Seconds between two tries; a server that asks for more is not waited for."""
LARGEST_BODY = 8 << 20
"""Bytes of an answer that are read."""
_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529})
_SECRETS = re.compile(r"\b(?:sk|pk|key|Bearer)[-_ ][\w\-*.]{6,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the model is and how it is asked.

    Attributes:
        base_url: Such as ``"http://localhost:11434/v1"``; no query and no password in it.
        model: What to ask for.
        models: Other models for some tasks, by task (``"operator:blend"``) or kind of task (``"operator"``).
        key: The secret, or ``""`` for servers that want none. Never shown.
        key_name: The environment variable it came from, for sentences.
        temperature: Where an ask does not say.
        extra: Further fields of every request, such as ``{"reasoning_effort": "low"}``.
        timeout: Seconds one try may take in all.
        retries: Tries after the first one.
    """

    base_url: str
    model: str
    models: Mapping[str, str] = field(default_factory=dict)
    key: str = field(default="", repr=False)
    key_name: str = "OPENAI_API_KEY"
    temperature: float = 0.8
    extra: Mapping[str, Any] = field(default_factory=dict)
    timeout: float = 60.0
    retries: int = 2

    @property
    def host(self) -> str:
        """Host and port, without anything that could be secret."""
        return urlsplit(self.base_url).netloc.rpartition("@")[2]


class _Trouble(Exception):  # noqa: N818 - never leaves this file
    """A try failed: what to say, whether another one may help, and after how many seconds."""

    def __init__(
        self, error: LanguageModelError, *, again: bool = False, after: float | None = None
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.again = again
        self.after = after
        self.status = 0
        self.complaint = ""


class OpenAIModel:
    """A ``LanguageModel`` over HTTP.

    Args:
        endpoint: Where and how.
        http_client: An ``httpx2.AsyncClient`` to use, for tests; made when ``None``.
        rng: Chance for the waits between tries.
        sleep: Waits.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        http_client: Any = None,
        rng: np.random.Generator | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._endpoint = endpoint
        self._http_client = http_client
        self._rng = np.random.default_rng() if rng is None else rng
        self._sleep = sleep
        self._client: openai.AsyncOpenAI | None = None
        self._module: Any = None
        self._opening = asyncio.Lock()
        self._lacks: dict[str, frozenset[Lack]] = {}

    @property
    def name(self) -> str:
        """Model and host."""
        return f"{self._endpoint.model} at {self._endpoint.host}"

    def model_for(self, task: str) -> str:
        """Return the model that is asked for a task."""
        models = self._endpoint.models
        return models.get(task) or models.get(task.partition(":")[0]) or self._endpoint.model

    def lacks(self, model: str) -> frozenset[Lack]:
        """Return what the server has refused to understand for a model so far."""
        return self._lacks.get(model, frozenset())

    async def answer(self, ask: Ask) -> Answer:
        """Answer a request; see ``LanguageModel.answer``."""
        began = time.monotonic()

        async def attempt() -> Answer:
            return await self._adapted(ask, self._once)

        return replace(await self._persistently(attempt), seconds=time.monotonic() - began)

    async def stream(
        self, ask: Ask, done: Callable[[Answer], None] | None = None
    ) -> AsyncIterator[str]:
        """Yield an answer's text piece by piece; see ``LanguageModel.stream``.

        Tools are not offered. ``done`` hears of the whole answer at the end, or of what there was of it.
        """
        began = time.monotonic()
        asked = replace(ask, tools=())
        seen = Visible()
        told: dict[str, Any] = {}

        async def attempt() -> openai.AsyncStream[Any]:
            return await self._adapted(asked, self._begin_stream)

        try:
            pieces = self._pieces(await self._persistently(attempt), told)
            async with aclosing(pieces):
                async for piece in pieces:
                    if text := seen.add(piece):
                        yield text
            if text := seen.add("", last=True):
                yield text
        finally:
            if done is not None and (seen.raw or told):
                tokens_in, tokens_out = wire.tokens(told.get("usage"), asked, seen.raw)
                answer = Answer(text=seen.text, tokens_in=tokens_in, tokens_out=tokens_out)
                finished = told.get("finish_reason") == "stop"
                done(replace(answer, finished=finished, seconds=time.monotonic() - began))

    async def close(self) -> None:
        """Close the connections; a later request opens them again."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _persistently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try, and try again with growing waits where that may help."""
        for number in range(self._endpoint.retries + 1):
            try:
                return await attempt()
            except _Trouble as trouble:
                wait = self._wait(number, trouble.after)
                if not trouble.again or number == self._endpoint.retries or wait > LONGEST_WAIT:
                    raise trouble.error from None
            await self._sleep(wait)
        raise UnreachableError(f"{self.name} was not asked.")

    def _wait(self, number: int, after: float | None) -> float:
        backoff = min(LONGEST_WAIT, 0.5 * 2.0**number) * float(self._rng.uniform(0.5, 1.0))
        return backoff if after is None else after + 0.1 * backoff

    async def _adapted(
        self, ask: Ask, send: Callable[[Ask, str, frozenset[Lack]], Awaitable[T]]
    ) -> T:
        """Send a request, again without what the server does not understand; that is remembered if it helped."""
        model = self.model_for(ask.task)
        lacks = self.lacks(model)
        first: _Trouble | None = None
        while True:
            try:
                result = await send(ask, model, lacks)
            except _Trouble as trouble:
                sent = self._request(ask, model, lacks, stream=True)
                missing = wire.lack(sent, trouble.status, trouble.complaint)
                if missing is None or missing in lacks:
                    raise first or trouble from None
                if trouble.status not in _AGAIN:
                    first = first or trouble
                lacks |= {missing}
                continue
            self._lacks[model] = self.lacks(model) | lacks
            return result

    def _request(
        self, ask: Ask, model: str, lacks: frozenset[Lack], *, stream: bool = False
    ) -> dict[str, Any]:
        sent = wire.request(
            ask, model=model, temperature=self._endpoint.temperature, lacks=lacks, stream=stream
        )
        if self._endpoint.extra:
            sent["extra_body"] = dict(self._endpoint.extra)
        return sent

    async def _once(self, ask: Ask, model: str, lacks: frozenset[Lack]) -> Answer:
        client = await self._open()
        sent = self._request(ask, model, lacks)
        with self._troubles():
            async with asyncio.timeout(self._endpoint.timeout):
                raw = await client.chat.completions.with_raw_response.create(**sent)
        body = raw.content[:LARGEST_BODY].decode("utf-8", "replace")
        try:
            data = json.loads(body, strict=False)
        except (ValueError, RecursionError):
            words = f"{self._endpoint.host} sent {_kind(body)} instead of an answer."
            raise _Trouble(UnreachableError(words), again=True) from None
        if isinstance(data, Mapping) and data.get("error") and not data.get("choices"):
            raise self._refused(*_error_of(data["error"]))
        try:
            return wire.read(data, ask)
        except LanguageModelError as error:
            words = f"{self.name} gave nothing to use: {error}."
            raise _Trouble(LanguageModelError(words), again=True) from None

    async def _begin_stream(
        self, ask: Ask, model: str, lacks: frozenset[Lack]
    ) -> openai.AsyncStream[Any]:
        client = await self._open()
        sent = self._request(ask, model, lacks, stream=True)
        with self._troubles():
            async with asyncio.timeout(self._endpoint.timeout):
                stream: openai.AsyncStream[Any] = await client.chat.completions.create(**sent)
        if "html" in stream.response.headers.get("content-type", ""):
            await stream.close()
            words = f"{self._endpoint.host} sent a web page instead of an answer."
            raise _Trouble(UnreachableError(words), again=True)
        return stream

    async def _pieces(
        self, stream: openai.AsyncStream[Any], told: dict[str, Any]
    ) -> AsyncGenerator[str, None]:
        """Yield the text of a stream; what else it says is put into ``told``."""
        chunks = aiter(stream)
        try:
            while (data := await self._chunk(chunks)) is not None:
                told["usage"] = data.get("usage") or told.get("usage")
                text, reason = wire.piece(data)
                told["finish_reason"] = reason or told.get("finish_reason")
                if text:
                    yield text
            if not any(told.values()):
                raise UnreachableError(f"{self.name} ended without an answer.")
        finally:
            await stream.close()

    async def _chunk(self, chunks: AsyncIterator[Any]) -> dict[str, Any] | None:
        try:
            with self._troubles():
                async with asyncio.timeout(self._endpoint.timeout):
                    chunk = await anext(chunks)
        except StopAsyncIteration:
            return None
        except _Trouble as trouble:
            raise trouble.error from None
        return dict(chunk.to_dict(warnings=False)) if hasattr(chunk, "to_dict") else {}

    async def _open(self) -> openai.AsyncOpenAI:
        async with self._opening:
            if self._client is None:
                if self._module is None:
                    self._module = await asyncio.to_thread(_load)
                self._client = self._module.AsyncOpenAI(
                    api_key=self._endpoint.key or "none",
                    base_url=self._endpoint.base_url,
                    timeout=self._endpoint.timeout,
                    max_retries=0,
                    http_client=self._http_client,
                )
            return self._client

    @contextmanager
    def _troubles(self) -> Iterator[None]:
        """Turn everything that a request can raise into ``_Trouble``."""
        try:
            yield
        except self._module.APIStatusError as error:
            trouble = self._refused(error.status_code, _said(error))
            trouble.after = _retry_after(error.response.headers)
            raise trouble from None
        except (TimeoutError, self._module.APITimeoutError):
            words = f"{self.name} did not answer within {self._endpoint.timeout:g} seconds."
            raise _Trouble(UnreachableError(words), again=True) from None
        except self._module.APIConnectionError:
            words = f"The language model at {self._endpoint.host} cannot be reached."
            raise _Trouble(UnreachableError(words), again=True) from None
        except (self._module.OpenAIError, ValueError) as error:
            words = (
                f"{self._endpoint.host} sent something that is no answer ({type(error).__name__})."
            )
            raise _Trouble(UnreachableError(words), again=True) from None

    def _refused(self, status: int, complaint: str) -> _Trouble:
        """Say what an HTTP status means for the host."""
        host, model = self._endpoint.host, self._endpoint.model
        said = self._safe(complaint)
        out_of_money = status == 429 and "quota" in complaint.lower()
        match status:
            case 401:
                key = self._endpoint.key_name
                words = f"{host} does not accept the key in the environment variable {key}."
            case 403:
                words = f"{host} forbids this key to use {model}."
            case 404:
                words = f"{host} knows no such model or address; check language.model and language.base_url."
            case 429 if out_of_money:
                words = f"The account at {host} has no money left."
            case 429:
                words = f"{host} is asked too often."
            case _ if status >= 500 or status in _AGAIN:
                words = f"{host} has trouble of its own (HTTP {status})."
            case _:
                words = f"{host} refuses the request (HTTP {status})."
        if said and status not in (401, 403, 429):
            words += f" It says: {said}"
        trouble = _Trouble(UnreachableError(words), again=status in _AGAIN and not out_of_money)
        trouble.status, trouble.complaint = status, complaint
        return trouble

    def _safe(self, complaint: str) -> str:
        """Return a server's words fit to be shown: one short line without keys."""
        if self._endpoint.key:
            complaint = complaint.replace(self._endpoint.key, "***")
        if _kind(complaint) == "a web page":
            return ""
        line = " ".join(printable(_SECRETS.sub("***", complaint)).split())
        return line if len(line) <= 200 else f"{line[:199]}…"


def _load() -> Any:
    try:
        import openai  # noqa: PLC0415 - 0.4 s and 30 MB that nobody without a model should pay
    except ImportError:
        raise LanguageModelError(
            "A language model is set up, but the package openai is not installed. "
            "Run in the project's folder: .venv/bin/pip install -e '.[llm]'"
        ) from None
    return openai


def _said(error: openai.APIStatusError) -> str:
    """Return a server's own words about what is wrong."""
    body = error.body
    words = _error_of(body)[1] if body else ""
    return words or error.response.content[:2000].decode("utf-8", "replace")


def _error_of(body: Any) -> tuple[int, str]:
    """Return status and message of an error object, in any of the shapes that servers send."""
    if isinstance(body, Mapping):
        inner = body.get("error")
        if isinstance(inner, (Mapping, str)):
            return _error_of(inner)
        code = body.get("code", body.get("status"))
        words = body.get("message") or body.get("detail") or body.get("msg") or ""
        param = body.get("param")
        text = words if isinstance(words, str) else json.dumps(words, default=str)
        if isinstance(param, str) and param not in text:
            text = f"{text} ({param})"
        if isinstance(code, str) and code and not code.isdecimal():
            text = f"{text} [{code}]"
        number = int(str(code)) if re.fullmatch("[1-5][0-9][0-9]", str(code)) else 500
        return number, text[:2000]
    return 500, body[:2000] if isinstance(body, str) else ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks to be left alone, or ``None``."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name, "")
        try:
            return max(0.0, float(value) / unit)
        except ValueError:
            pass
        try:
            return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
        except (ValueError, TypeError, OverflowError):
            continue
    return None


def _kind(body: str) -> str:
    """Say what an answer is that is none."""
    head = body[:500].lstrip().lower()
    if not head:
        return "nothing"
    return (
        "a web page"
        if head.startswith(("<!doctype", "<html", "<?xml", "<head", "<body"))
        else "no JSON"
    )
