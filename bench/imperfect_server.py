"""An imperfect language model behind a real HTTP server that speaks OpenAI's chat completions.

Everything that goes wrong with small models and busy servers goes wrong here, at known rates and by a seed: broken
JSON, unbalanced tags, prose, lists, repeats, refusals, wrong counts, slow answers, 429 and 500, and an outage whenever
the bench wants one. What goes wrong depends on the seed, the request and how often that request came before, not on the
order in which requests arrive.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np
from aiohttp import web

from bench.imperfect_model import Mind, Wish, formed, understand

REFUSAL = "I'm sorry, but I can't help with that request."
SLOW_FACTOR = 4.0
RETRY_AFTER = 1.0
"""Seconds that a 429 asks for, times ``Imperfect.second``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How often what goes wrong; each in [0, 1].

    Attributes:
        bad_form: The answer is not in the form asked for: broken JSON or tags, prose around it, a list instead.
        repeats: Some of its prompts are the parents' or each other's.
        wrong_count: Too few or too many prompts.
        refuses: It declines.
        slow: It takes ``SLOW_FACTOR`` times as long.
        fails: 429 or 500.
    """

    bad_form: float = 0.30
    repeats: float = 0.15
    wrong_count: float = 0.15
    refuses: float = 0.04
    slow: float = 0.05
    fails: float = 0.05


PERFECT = Manners(bad_form=0, repeats=0, wrong_count=0, refuses=0, slow=0, fails=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that came in.

    Attributes:
        at: Seconds on the event loop's clock.
        status: HTTP status; 0 where the connection was cut.
        faults: What was wrong with the answer, by the names of ``Manners``.
        wanted: Prompts asked for.
    """

    at: float
    status: int
    faults: tuple[str, ...] = ()
    wanted: int = 0


class Imperfect:
    """The server; an asynchronous context manager that listens on a loopback port of its own.

    ``down = True`` cuts every connection. ``calls`` is the log.
    """

    def __init__(
        self,
        *,
        seed: int,
        manners: Manners | None = None,
        latency: float = 0.0,
        per_prompt: float = 0.0,
        second: float = 1.0,
    ) -> None:
        """Prepare it.

        Args:
            seed: Decides what goes wrong and what is written.
            manners: How often what goes wrong.
            latency: Seconds that every answer takes.
            per_prompt: Seconds more for each prompt it writes.
            second: How long a second of the simulated world is, for what the server itself says about time.
        """
        self.calls: list[Call] = []
        self.down = False
        self.latency = latency
        self.base_url = ""
        self._seed = seed
        self._manners = manners or Manners()
        self._per_prompt = per_prompt
        self._second = second
        self._mind = Mind()
        self._seen: Counter[bytes] = Counter()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=4_000_000)
        app.router.add_post("/v1/chat/completions", self._complete)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base_url = f"http://{host}:{port}/v1"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def answered(self) -> int:
        """Requests that came while it was up."""
        return sum(call.status > 0 for call in self.calls)

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        now = asyncio.get_running_loop().time()
        if self.down:
            self.calls.append(Call(at=now, status=0))
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)
        body = await request.json()
        rng = self._chance(body)
        if rng.random() < self._manners.fails:
            return await self._failed(rng, now)
        wish = understand(body.get("messages", ()))
        text, faults = self._answer(wish, rng)
        slow = rng.random() < self._manners.slow
        faults += ("slow",) if slow else ()
        wanted = wish.each * len(wish.groups)
        self.calls.append(Call(at=now, status=200, faults=faults, wanted=wanted))
        await asyncio.sleep(
            (self.latency + self._per_prompt * wanted) * (SLOW_FACTOR if slow else 1.0)
        )
        if body.get("stream"):
            return await self._streamed(request, str(body.get("model")), text)
        return web.json_response(_completion(str(body.get("model")), text, body))

    def _chance(self, body: dict[str, Any]) -> np.random.Generator:
        messages = json.dumps(body.get("messages", ()), sort_keys=True).encode()
        mark = hashlib.sha256(messages).digest()
        self._seen[mark] += 1
        words = [self._seed, self._seen[mark], *np.frombuffer(mark, dtype=np.uint32).tolist()]
        return np.random.default_rng(words)

    async def _failed(self, rng: np.random.Generator, now: float) -> web.Response:
        status = 429 if rng.random() < 0.5 else 500
        self.calls.append(Call(at=now, status=status, faults=("fails",)))
        await asyncio.sleep(self.latency / 4)
        headers = {"Retry-After": f"{RETRY_AFTER * self._second:g}"} if status == 429 else {}
        return web.json_response(
            {"error": {"message": "Busy." if status == 429 else "Oops.", "type": "server_error"}},
            status=status,
            headers=headers,
        )

    def _answer(self, wish: Wish, rng: np.random.Generator) -> tuple[str, tuple[str, ...]]:
        manners = self._manners
        if rng.random() < manners.refuses:
            return REFUSAL, ("refuses",)
        if wish.form == "note":
            return self._mind.note(wish), ()
        groups = self._mind.children(wish, rng)
        faults: tuple[str, ...] = ()
        if rng.random() < manners.wrong_count:
            groups, faults = _miscounted(groups, rng), (*faults, "wrong_count")
        if rng.random() < manners.repeats:
            groups, faults = _repeating(wish, groups, rng), (*faults, "repeats")
        text = formed(wish, groups)
        if rng.random() < manners.bad_form:
            spoiler = SPOILERS[int(rng.integers(len(SPOILERS)))]
            text, faults = (
                spoiler(text, [one for group in groups for one in group]),
                (*faults, "bad_form"),
            )
        return text, faults

    async def _streamed(self, request: web.Request, model: str, text: str) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for start in range(0, len(text), 24):
            piece = {
                "index": 0,
                "delta": {"content": text[start : start + 24]},
                "finish_reason": None,
            }
            await _event(response, model, piece)
        await _event(response, model, {"index": 0, "delta": {}, "finish_reason": "stop"})
        await response.write(b"data: [DONE]\n\n")
        return response


async def _event(response: web.StreamResponse, model: str, choice: dict[str, Any]) -> None:
    event = {
        "id": "x",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": model,
        "choices": [choice],
    }
    await response.write(f"data: {json.dumps(event)}\n\n".encode())


def _completion(model: str, text: str, body: dict[str, Any]) -> dict[str, Any]:
    read = len(json.dumps(body.get("messages", ()))) // 4
    written = len(text) // 4
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
        },
    }


# What goes wrong -----------------------------------------------------------------------------------------


def _miscounted(groups: Sequence[Sequence[str]], rng: np.random.Generator) -> list[list[str]]:
    out = [list(group) for group in groups]
    group = out[int(rng.integers(len(out)))]
    if rng.random() < 0.5 and sum(map(len, out)) > 1:
        del group[max(len(group) // 2, int(len(out) == 1)) :]
    else:
        group += group[:1]
    return out


def _repeating(
    wish: Wish, groups: Sequence[Sequence[str]], rng: np.random.Generator
) -> list[list[str]]:
    out = []
    for parents, group in zip(wish.groups, groups, strict=True):
        texts = list(group)
        source = [one.text for one in parents] or texts[:1]
        if texts and source:
            texts[int(rng.integers(len(texts)))] = source[int(rng.integers(len(source)))]
        out.append(texts)
    return out


def _cut(text: str, _: Sequence[str]) -> str:
    return text[: max(1, int(0.8 * len(text)))]


def _fenced(text: str, _: Sequence[str]) -> str:
    return f"Sure! Here is what I came up with:\n\n```json\n{text}\n```\n\nLet me know if you want more!"


def _listed(_: str, texts: Sequence[str]) -> str:
    lines = "\n".join(f"{number}. **{one}**" for number, one in enumerate(texts, start=1))
    return f"Here are the prompts:\n\n{lines}"


def _unbalanced(text: str, texts: Sequence[str]) -> str:
    if "<prompt>" in text:
        return text.replace("</prompt>", "", 1)
    return "\n".join(f"<prompt>{one}" for one in texts)


def _spoilt(text: str, texts: Sequence[str]) -> str:
    if "{" not in text:
        return " ".join(f"How about {one}?" for one in texts)
    return text.replace('"', "'").replace("]}", ",]}")


def _thinking(text: str, texts: Sequence[str]) -> str:
    first = texts[0] if texts else ""
    musing = (
        f"<think>The user wants prompts. Maybe <prompt>{first}? I should vary the mood.</think>"
    )
    return f"{musing}\n{text}"


SPOILERS: tuple[Callable[[str, Sequence[str]], str], ...] = (
    _cut,
    _fenced,
    _listed,
    _unbalanced,
    _spoilt,
    _thinking,
)
