"""A language model that is counted, limited and remembered."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from domain.errors import LanguageModelError, OverBudgetError, UnreachableError
from evolution.language.breaker import Breaker
from evolution.language.caching import AnswerCache, key_of
from evolution.language.pricing import Prices
from evolution.language.seam import Answer, Ask, LanguageModel, Usage

MINUTE = 60.0
PATIENCE = 20.0
"""Seconds that a request may wait for its turn within the rate; what would wait longer is refused."""


class Backend(LanguageModel, Protocol):
    """What is metered: a model that also says which model serves a task, and what a stream came to."""

    def model_for(self, task: str) -> str:
        """Return the model that is asked for a task."""

    def stream(self, ask: Ask, done: Callable[[Answer], None] | None = None) -> AsyncIterator[str]:
        """Yield an answer piece by piece; ``done`` hears of the whole of it, even of a broken one."""

    async def close(self) -> None:
        """Close connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may be asked.

    Attributes:
        concurrency: Requests in flight, at least 1.
        per_minute: Requests of one account within a minute; 0 is no limit.
        cache: Answers that are remembered.
    """

    concurrency: int = 4
    per_minute: int = 30
    cache: int = 256


class Metered:
    """A ``LanguageModel`` around a backend.

    A cached answer costs nothing and asks nobody. Otherwise, in this order: a server that is down is not asked
    (``Breaker``), ``allow`` may refuse, the account's rate is kept, and a place among the requests in flight is waited
    for. ``used`` hears of every request that was sent.

    Args:
        backend: Who answers.
        now: Time in seconds.
        sleep: Waits.
        limits: How much may be asked.
        prices: What tokens cost.
        allow: Raises ``OverBudgetError`` when the account that an ask names may not spend any more.
        used: Is told what each request came to; must be quick.
    """

    def __init__(  # noqa: PLR0913 - two clocks' ends, two settings, two listeners, all by name
        self,
        backend: Backend,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        limits: Limits | None = None,
        prices: Prices | None = None,
        allow: Callable[[Ask], Awaitable[None]] | None = None,
        used: Callable[[Usage], None] | None = None,
    ) -> None:
        limits = limits or Limits()
        self._backend = backend
        self._prices = prices or Prices()
        self._allow = allow
        self._used = used
        self._cache = AnswerCache(limits.cache)
        self._places = asyncio.Semaphore(limits.concurrency)
        self._rate = _Rate(limits.per_minute, now, sleep)
        self._breaker = Breaker(backend.name, now)

    @property
    def name(self) -> str:
        """Model and host."""
        return self._backend.name

    @property
    def resting(self) -> float:
        """Seconds until a server that is down is asked again; 0 while all is well."""
        return self._breaker.resting

    async def answer(self, ask: Ask) -> Answer:
        """Answer a request; see ``LanguageModel.answer``.

        Raises:
            OverBudgetError: The account may not ask (so much) now.
            UnreachableError: The server is down or refuses.
            LanguageModelError: It answered nothing usable.
        """
        model = self._backend.model_for(ask.task)
        key = key_of(ask, model)
        known = None if ask.fresh else self._cache.get(key)
        if known is not None:
            return known
        await self._admitted(ask)
        async with self._places, self._watched(ask, model):
            answer = await self._backend.answer(ask)
        answer = self._priced(answer, model)
        self._tell(ask, model, answer)
        self._cache.put(key, answer)
        return answer

    async def stream(self, ask: Ask) -> AsyncIterator[str]:
        """Yield an answer's text piece by piece; see ``LanguageModel.stream``. Never from the cache."""
        model = self._backend.model_for(ask.task)
        await self._admitted(ask)
        heard: list[Answer] = []
        try:
            async with self._places, self._watched(ask, model, heard):
                pieces = self._backend.stream(ask, heard.append)
                try:
                    async for piece in pieces:
                        yield piece
                finally:
                    if isinstance(pieces, AsyncGenerator):
                        await pieces.aclose()  # whoever stops reading stops the server's writing
        finally:
            for answer in heard:
                self._tell(ask, model, self._priced(answer, model))

    async def close(self) -> None:
        """Close the backend."""
        await self._backend.close()

    async def _admitted(self, ask: Ask) -> None:
        self._breaker.check()
        if self._allow is not None:
            await self._allow(ask)
        await self._rate.turn(ask.account)

    @asynccontextmanager
    async def _watched(
        self, ask: Ask, model: str, heard: Sequence[Answer] = ()
    ) -> AsyncIterator[None]:
        """Keep the breaker informed of a request, and the meter of one that failed and left nothing to count."""
        probe = await self._breaker.enter()
        known = False
        try:
            yield
            known = True
            self._breaker.succeeded()
        except LanguageModelError as error:
            known = True
            if isinstance(error, UnreachableError):
                self._breaker.failed(probe=probe)
            else:
                self._breaker.succeeded()  # it is there, it only talks nonsense
            if self._used is not None and not heard:
                self._used(Usage(account=ask.account, task=ask.task, model=model, failed=True))
            raise
        finally:
            if not known:
                self._breaker.left(probe=probe)

    def _priced(self, answer: Answer, model: str) -> Answer:
        cost = self._prices.of(model).of(answer.tokens_in, answer.tokens_out)
        return replace(answer, cost=cost)

    def _tell(self, ask: Ask, model: str, answer: Answer) -> None:
        if self._used is not None:
            self._used(
                Usage(
                    account=ask.account,
                    task=ask.task,
                    model=model,
                    tokens_in=answer.tokens_in,
                    tokens_out=answer.tokens_out,
                    cost=answer.cost,
                    failed=not (answer.text or answer.calls),
                )
            )


class _Rate:
    """Requests of each account within the last minute."""

    def __init__(
        self, per_minute: int, now: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._most = per_minute
        self._now = now
        self._sleep = sleep
        self._sent: dict[str, deque[float]] = {}

    async def turn(self, account: str) -> None:
        """Wait for a turn, for a short while.

        Raises:
            OverBudgetError: It would not come soon.
        """
        if not self._most:
            return
        sent = self._recent(account)
        wait = 0.0
        if len(sent) >= self._most:
            wait = sent[-self._most] + MINUTE - self._now()
        if wait > PATIENCE:
            raise OverBudgetError(
                f"That is more than {self._most} requests to the language model in a minute. "
                f"It can be asked again in {wait:.0f} s."
            )
        sent.append(
            self._now() + max(0.0, wait)
        )  # a turn is taken before waiting for it, so the order is kept
        if wait > 0:
            await self._sleep(wait)

    def _recent(self, account: str) -> deque[float]:
        """Return when an account's requests of the last minute were sent; forgets accounts without any."""
        old = self._now() - MINUTE
        for name in [name for name, times in self._sent.items() if times[-1] <= old]:
            del self._sent[name]
        sent = self._sent.setdefault(account, deque())
        while sent and sent[0] <= old:
            sent.popleft()
        return sent
