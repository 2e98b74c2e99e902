"""The installation's language model: budgets, a meter that survives a restart, and nothing that shows the key."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager

import pytest

from domain.errors import OverBudgetError, StorageError, UnreachableError
from evolution.language.seam import Answer, Ask, user
from service.about import AboutService
from service.language import FLUSH_AFTER, NO_MODEL, LanguageService, Meter
from service.settings import LanguageSettings, Settings
from service.tasks import TaskSet
from storage.database import Database
from storage.language_usage import DAY, Spent
from tests.fake_model import FakeLanguageModel
from tests.fakes import FakeClock, FakeDevice

KEY = "sk-verysecret-0123456789"


def ask(text: str = "hello", account: str = "7", task: str = "full") -> Ask:
    return Ask(task=task, messages=(user(text),), account=account)


def costly(tokens_in: int = 600, tokens_out: int = 400) -> FakeLanguageModel:
    return FakeLanguageModel(Answer(text="slow jazz", tokens_in=tokens_in, tokens_out=tokens_out))


@asynccontextmanager
async def service(path, clock=None, backend=None, environ=None, **settings):
    clock = clock or FakeClock()
    tasks = TaskSet()
    db = await Database.open(path / "t.db")
    made = LanguageService(
        LanguageSettings.model_validate(settings), db, clock, tasks, environ or {}, backend=backend
    )
    await made.start()
    try:
        yield made
    finally:
        await made.close()
        await tasks.close()
        await db.close()


async def answer(made: LanguageService, *args, **kwargs) -> Answer:
    assert made.model is not None
    return await made.model.answer(ask(*args, **kwargs))


async def test_without_an_address_there_is_no_model(tmp_path):
    async with service(tmp_path) as made:
        assert made.model is None
        assert made.name == ""
        assert made.describe() == made.health() == (made.stand_in(),)
        assert "offline breeder" in made.stand_in()
        assert made.usage_today("7").spent == Spent()


async def test_an_address_and_a_name_are_enough_and_the_key_stays_hidden(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    async with service(
        tmp_path,
        environ={"MY_KEY": KEY},
        base_url="http://127.0.0.1:9/v1",
        model="tiny",
        models={"chat": "big"},
        key_variable="MY_KEY",
        retries=0,
        timeout=2,
    ) as made:
        assert made.name == "tiny at 127.0.0.1:9"
        assert made.stand_in() == ""
        assert made.describe("7") == (
            "Language model: tiny at 127.0.0.1:9, big for chat",
            "Today: 0 requests, 0 tokens of 2,000,000",
        )
        with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:9 cannot be reached") as caught:
            await answer(made)
        shown = f"{caught.value!r}{made.model!r}{vars(made)}{made.describe()}{caplog.text}"
        assert KEY not in shown


async def test_a_server_that_spent_its_money_waits_for_the_next_day(tmp_path):
    clock = FakeClock(start=20_000 * DAY + 22 * 3600)
    async with service(
        tmp_path, clock, costly(), daily_money=0.01, price_in=10.0, prices={"fake": (1.0, 11.0)}
    ) as made:
        assert (await answer(made, "1")).cost == pytest.approx(0.005)
        await answer(made, "2")
        with pytest.raises(OverBudgetError, match=r"money .* 0:00 UTC, in 2 h"):
            await answer(made, "3")
        assert made.usage_today("7").share == pytest.approx(1.0)
        await answer(made, "3", account="8")
        assert made.usage_of_all().requests == 3
        clock.advance(2 * 3600)
        assert made.usage_today("7").spent == Spent()
        await answer(made, "4")
        assert (await made.usage_by_task("7", days=1))["full"].requests == 1
        assert (await made.usage_by_task("7", days=2))["full"].requests == 3


async def test_a_restart_keeps_the_budget(tmp_path):
    clock = FakeClock()
    async with service(tmp_path, clock, costly(), daily_tokens=1500) as made:
        await answer(made, "1")
        await answer(made, "2", task="operator:blend")
    async with service(tmp_path, clock, costly(), daily_tokens=1500) as made:
        assert made.usage_today("7").spent.tokens == 2000
        with pytest.raises(OverBudgetError, match="share of tokens"):
            await answer(made, "3")
        by_task = await made.usage_by_task("7")
        assert {task: one.tokens for task, one in by_task.items()} == {
            "full": 1000,
            "operator:blend": 1000,
        }


async def test_usage_is_written_in_batches_and_nothing_is_lost_when_that_fails(tmp_path):
    clock = FakeClock()
    async with service(tmp_path, clock, costly()) as made:
        writes = 0
        whole = made._db.transaction

        def counted():
            nonlocal writes
            writes += 1
            if writes == 1:
                raise StorageError("The disk is full.")
            return whole()

        made._db.transaction = counted  # type: ignore[method-assign]
        for number in range(10):
            await answer(made, str(number))
        await asyncio.sleep(0.01)
        assert writes == 0
        clock.advance(FLUSH_AFTER)
        await asyncio.sleep(0.01)
        assert writes == 1
        assert (await made.usage_by_task("7"))["full"].requests == 10
        assert writes == 2
        await made.flush()
        assert writes == 2


async def test_the_lines_say_when_a_server_is_down(tmp_path):
    backend = costly()
    backend.down = True
    async with service(tmp_path, FakeClock(), backend) as made:
        for number in range(3):
            with pytest.raises(UnreachableError):
                await answer(made, str(number))
        lines = made.describe("7")
        assert "offline breeder stands in for about 15 s" in lines[1]
        assert lines[2] == "Today: 3 requests (3 failed), 0 tokens of 2,000,000"
        assert made.health()[-1] == "Today, all servers: 3 requests (3 failed), 0 tokens"


async def test_about_names_the_model_and_only_then_no_stand_in_for_it(tmp_path):
    settings = Settings()
    async with service(tmp_path, FakeClock(), costly()) as made:
        view = await AboutService(settings, FakeDevice(), "features-1", made).view()
        assert view.parts["language model"] == "fake model"
        assert NO_MODEL not in view.stand_ins
    view = await AboutService(settings, FakeDevice(), "features-1").view()
    assert "language model" not in view.parts
    assert view.parts["searcher"] == "offline breeder (built in)"
    assert view.stand_ins[0] == NO_MODEL


def test_a_meter_in_words():
    spent = Spent(requests=1, tokens_in=3000, tokens_out=400, cost=0.25)
    assert Meter(spent=spent).words() == "1 request, 3,400 tokens, 0.25 spent"
    limited = Meter(spent=spent, money=1.0, tokens=6800)
    assert limited.words() == "1 request, 3,400 tokens of 6,800, 0.25 of 1.00"
    assert limited.share == 0.5
