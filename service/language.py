"""The language model of this installation: opened from the settings, paid for from budgets, counted on the disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from domain.errors import OverBudgetError, StorageError
from evolution.language.client import Endpoint, OpenAIModel
from evolution.language.metered import Backend, Limits, Metered
from evolution.language.pricing import Price, Prices
from evolution.language.seam import Ask, LanguageModel, Usage, user
from service.clock import Clock
from service.settings import LanguageSettings, language_key
from service.tasks import TaskSet
from storage import language_usage
from storage.database import Database
from storage.language_usage import DAY, Spent, UsageRow, day_of

log = logging.getLogger(__name__)

FLUSH_AFTER = 5.0
"""Seconds for which usage is gathered before it is written."""
KEPT_DAYS = 400
"""Days for which usage is kept: a year and a month can be compared with the year before."""

NO_MODEL = "The offline breeder writes the prompts; no language model is set up."

_Key = tuple[int, str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """What an account has used today, and what it may.

    Attributes:
        spent: Since 0:00 UTC.
        money: Limit in the prices' currency; 0 is none.
        tokens: Limit; 0 is none.
    """

    spent: Spent
    money: float = 0.0
    tokens: int = 0

    @property
    def share(self) -> float:
        """How much of the tighter limit is used up, at least 0; over 1 when the last answer went beyond it."""
        shares = [0.0]
        if self.money:
            shares.append(self.spent.cost / self.money)
        if self.tokens:
            shares.append(self.spent.tokens / self.tokens)
        return max(shares)

    def words(self) -> str:
        """Return the meter as a line, such as ``"12 requests, 3,400 tokens of 2,000,000, 0.02 of 1.00"``."""
        spent = self.spent
        parts = [f"{spent.requests} request{'' if spent.requests == 1 else 's'}"]
        if spent.failed:
            parts[0] += f" ({spent.failed} failed)"
        parts.append(f"{spent.tokens:,} tokens" + (f" of {self.tokens:,}" if self.tokens else ""))
        if spent.cost or self.money:
            parts.append(
                f"{spent.cost:.2f}" + (f" of {self.money:.2f}" if self.money else " spent")
            )
        return ", ".join(parts)


class LanguageService:
    """Holds the model, its budgets and its meter. ``await start()`` before use and ``await close()`` at the end.

    A budget is checked before a request is sent, with everything that has been answered by then; so a day can end over
    its limit by the requests that were in flight at a time.

    Args:
        settings: The section ``language``.
        db: Where usage is kept.
        clock: Time.
        tasks: Where the writer runs.
        environ: The environment, for the key.
        backend: Another model than the settings', for tests and benchmarks.
    """

    def __init__(
        self,
        settings: LanguageSettings,
        db: Database,
        clock: Clock,
        tasks: TaskSet,
        environ: Mapping[str, str],
        *,
        backend: Backend | None = None,
    ) -> None:
        self._settings = settings
        self._db = db
        self._clock = clock
        self._tasks = tasks
        self._day = day_of(clock.now())
        self._spent: dict[str, Spent] = {}
        self._pending: dict[_Key, Spent] = {}
        self._news = asyncio.Event()
        self._writing = asyncio.Lock()
        if backend is None and settings.base_url:
            backend = _client(settings, environ)
        self._model = None if backend is None else self._metered(backend)

    @property
    def model(self) -> LanguageModel | None:
        """The metered model, or ``None`` when none is set up."""
        return self._model

    @property
    def name(self) -> str:
        """Model and host, or ``""`` when none is set up."""
        return "" if self._model is None else self._model.name

    @property
    def resting(self) -> float:
        """Seconds until a server that did not answer is asked again; 0 while all is well or none is set up."""
        return 0.0 if self._model is None else self._model.resting

    async def start(self) -> None:
        """Take up today's usage where it was left, and begin to write what is added."""
        if self._model is None:
            return
        async with self._db.transaction() as tx:
            self._spent = await language_usage.spent_by_account(tx, self._day)
            await language_usage.forget_usage(tx, before=self._day - KEPT_DAYS)
        self._tasks.spawn(self._serve(), "language usage")

    async def close(self) -> None:
        """Write what is left and close the connections."""
        if self._model is not None:
            await self._model.close()
            await self.flush()

    def usage_today(self, account: str = "") -> Meter:
        """Return an account's meter; an account is a guild's id as text, ``""`` is nobody's."""
        self._turn_day()
        spent = self._spent.get(account, Spent())
        return Meter(
            spent=spent, money=self._settings.daily_money, tokens=self._settings.daily_tokens
        )

    def usage_of_all(self) -> Spent:
        """Return what all accounts together have used today."""
        self._turn_day()
        total = Spent()
        for spent in self._spent.values():
            total = total.plus(spent)
        return total

    async def usage_by_task(self, account: str, *, days: int = 30) -> dict[str, Spent]:
        """Return what an account has used for each task, today and the ``days - 1`` days before."""
        await self.flush()
        since = day_of(self._clock.now()) - days + 1
        async with self._db.reading() as tx:
            return await language_usage.spent_by_task(tx, account, since=since)

    def stand_in(self) -> str:
        """Return the sentence that says what stands in for a model, or ``""`` where one is set up."""
        return NO_MODEL if self._model is None else ""

    def describe(self, account: str = "") -> tuple[str, ...]:
        """Return lines for ``/about``: which model, and what this server has used today."""
        if self._model is None:
            return (self.stand_in(),)
        others = [f"{model} for {task}" for task, model in sorted(self._settings.models.items())]
        lines = [", ".join([f"Language model: {self._model.name}", *others])]
        if self._model.resting:
            lines.append(
                f"It did not answer lately; the offline breeder stands in for about {self._model.resting:.0f} s."
            )
        lines.append(f"Today: {self.usage_today(account).words()}")
        return tuple(lines)

    def health(self) -> tuple[str, ...]:
        """Return lines for ``/health``: as ``describe``, but with what all servers have used."""
        if self._model is None:
            return (self.stand_in(),)
        return (
            *self.describe()[:-1],
            f"Today, all servers: {Meter(spent=self.usage_of_all()).words()}",
        )

    async def flush(self) -> None:
        """Write what has gathered. What cannot be written is kept for the next time."""
        async with self._writing:
            rows, self._pending = self._pending, {}
            if not rows:
                return
            try:
                async with self._db.transaction() as tx:
                    await language_usage.add_usage(
                        tx, [_row(key, spent) for key, spent in rows.items()]
                    )
            except StorageError as error:
                log.warning("Usage of the language model could not be written: %s", error)
                for key, spent in rows.items():
                    self._pending[key] = spent.plus(self._pending.get(key, Spent()))

    def _metered(self, backend: Backend) -> Metered:
        settings = self._settings
        return Metered(
            backend,
            now=self._clock.now,
            sleep=self._clock.sleep,
            limits=Limits(
                concurrency=settings.concurrency,
                per_minute=settings.requests_per_minute,
                cache=settings.cache,
            ),
            prices=Prices(
                default=Price(read=settings.price_in, written=settings.price_out),
                models={
                    name: Price(read=read, written=written)
                    for name, (read, written) in settings.prices.items()
                },
            ),
            allow=self._allow,
            used=self._used,
        )

    async def _allow(self, ask: Ask) -> None:
        meter = self.usage_today(ask.account)
        if meter.share < 1.0:
            return
        hours = (DAY - self._clock.now() % DAY) / 3600.0
        when = f"in {hours:.0f} h" if hours >= 1 else "in less than an hour"
        what = "money" if meter.money and meter.spent.cost >= meter.money else "share of tokens"
        raise OverBudgetError(
            f"This server's {what} for the language model is used up for today. It goes on at 0:00 UTC, {when}."
        )

    def _used(self, usage: Usage) -> None:
        self._turn_day()
        spent = Spent(
            requests=1,
            failed=int(usage.failed),
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            cost=usage.cost,
        )
        self._spent[usage.account] = self._spent.get(usage.account, Spent()).plus(spent)
        key = (self._day, usage.account, usage.task, usage.model)
        self._pending[key] = self._pending.get(key, Spent()).plus(spent)
        self._news.set()

    def _turn_day(self) -> None:
        today = day_of(self._clock.now())
        if today != self._day:
            self._day, self._spent = today, {}

    async def _serve(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            await self._clock.sleep(FLUSH_AFTER)
            await self.flush()


async def try_out(settings: LanguageSettings, environ: Mapping[str, str]) -> str:
    """Ask the model of the settings one small thing, outside all budgets; returns what came of it as a sentence.

    Raises:
        LanguageModelError: There is no answer; says why.
    """
    client = _client(settings.model_copy(update={"retries": 0}), environ)
    try:
        asked = Ask(task="chat", messages=(user("Say yes."),), most_tokens=64)
        answer = await client.answer(asked)
    finally:
        await client.close()
    return f"{client.name} answers, in {answer.seconds:.1f} s."


def _client(settings: LanguageSettings, environ: Mapping[str, str]) -> OpenAIModel:
    return OpenAIModel(
        Endpoint(
            base_url=settings.base_url,
            model=settings.model,
            models=settings.models,
            key=language_key(settings, environ).get_secret_value(),
            key_name=settings.key_variable,
            temperature=settings.temperature,
            extra=settings.extra,
            timeout=settings.timeout,
            retries=settings.retries,
        )
    )


def _row(key: _Key, spent: Spent) -> UsageRow:
    day, account, task, model = key
    return UsageRow(day=day, account=account, task=task, model=model, spent=spent)
