"""A language model with a script, for everybody who talks to one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from domain.errors import LanguageModelError, UnreachableError
from evolution.language.seam import Answer, Ask, ToolCall
from tests.fakes import FakeClock

Reply = str | Answer | LanguageModelError
Script = Reply | Sequence[Reply] | Callable[[Ask], Reply]


class FakeLanguageModel:
    """Answers by a script and remembers what it was asked.

    ``scripts`` maps a task to a text, an ``Answer``, an error to raise, a list of those (one for each ask; the last one
    stays) or a function of the ask. The script of ``"operator:blend"`` is looked for under that name, then
    ``"operator"``, then ``"*"``. A task without a script fails the test with ``AssertionError``.

    ``asks`` is the log, ``count(task)`` counts. ``down = True`` makes every ask an ``UnreachableError`` (logged too).
    With a ``clock`` every ask takes ``delay`` of its seconds; ``most_at_once`` is the largest number in flight.
    """

    def __init__(
        self,
        scripts: Mapping[str, Script] | Script | None = None,
        *,
        clock: FakeClock | None = None,
        delay: float = 0.0,
        name: str = "fake model",
    ) -> None:
        self.scripts: dict[str, Script] = (
            dict(scripts)
            if isinstance(scripts, Mapping)
            else ({} if scripts is None else {"*": scripts})
        )
        self.asks: list[Ask] = []
        self.down = False
        self.delay = delay
        self.at_once = 0
        self.most_at_once = 0
        self.closed = False
        self._clock = clock
        self._name = name
        self._given: dict[str, int] = {}

    @property
    def name(self) -> str:
        return self._name

    def count(self, task: str = "") -> int:
        """How often it was asked for ``task``, or for any task of that kind, or at all."""
        return sum(task in ("", ask.task) or ask.task.startswith(f"{task}:") for ask in self.asks)

    async def answer(self, ask: Ask) -> Answer:
        self.asks.append(ask)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self._clock is not None and self.delay:
                await self._clock.sleep(self.delay)
            else:
                await asyncio.sleep(0)
        finally:
            self.at_once -= 1
        if self.down:
            raise UnreachableError("The language model at fake.example cannot be reached.")
        return self._reply(ask)

    async def stream(
        self, ask: Ask, done: Callable[[Answer], None] | None = None
    ) -> AsyncIterator[str]:
        answer = await self.answer(ask)
        for number, word in enumerate(answer.text.split(" ")):
            yield f" {word}" if number else word
        if done is not None:
            done(answer)

    def model_for(self, task: str) -> str:
        return "fake"

    async def close(self) -> None:
        self.closed = True

    def _reply(self, ask: Ask) -> Answer:
        for key in (ask.task, ask.task.partition(":")[0], "*"):
            if key in self.scripts:
                reply = self._next(key, self.scripts[key], ask)
                break
        else:
            raise AssertionError(f"The fake model has no script for {ask.task!r}.")
        if isinstance(reply, LanguageModelError):
            raise reply
        if isinstance(reply, Answer):
            return reply
        words = sum(len(message.text.split()) for message in ask.messages)
        return Answer(text=reply, tokens_in=words, tokens_out=len(reply.split()))

    def _next(self, key: str, script: Script, ask: Ask) -> Reply:
        if callable(script):
            return script(ask)
        if isinstance(script, (str, Answer, LanguageModelError)):
            return script
        number = self._given.get(key, 0)
        self._given[key] = number + 1
        return script[min(number, len(script) - 1)]


def prompts(*texts: str) -> str:
    """The text of a well-behaved answer that holds these prompts."""
    return json.dumps({"prompts": list(texts)}, ensure_ascii=False)


def calls(*wanted: tuple[str, Mapping[str, Any]], text: str = "") -> Answer:
    """An answer that wants tools used: pairs of a name and its arguments."""
    return Answer(
        text=text,
        calls=tuple(
            ToolCall(id=f"call_{number}", name=name, arguments=arguments)
            for number, (name, arguments) in enumerate(wanted)
        ),
    )
